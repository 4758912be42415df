//! SQLite's writer: takes commits in groups and makes each group durable with one sync.
//!
//! A group runs in one `BEGIN IMMEDIATE … COMMIT`. If a write in it fails, the group is rolled back and
//! run again with a savepoint around each commit, so that only the guilty one fails and the rest still
//! share one sync. Nobody is answered before `COMMIT` has returned.
//!
//! Invariant: after a failed read or write of the file the connection is thrown away and opened anew;
//! a failed sync is never tried again and called a success.
//!
//! Threads and files are in `sqlite_file`.

pub(crate) mod file;
pub(crate) mod health;
pub(crate) mod lock;
pub(crate) mod reserve;

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{CachedStatement, Connection, ErrorCode, ToSql, ffi};

use crate::fault::{CommitError, Fault, FaultKind};
use crate::faulty::{CommitPoint, Points};
use crate::sql_text;
use crate::sqlite::file::Location;
use crate::sqlite::reserve::Reserve;
use crate::val::{Row, Space, Table, Val, Write, without_nul};

/// The writing connection and what it remembers.
pub(crate) struct Core {
    /// Empty after a failure of the file, until the next use opens it anew.
    conn: Option<Connection>,
    place: Location,
    texts: Texts,
    points: Arc<Points>,
    /// What a full disk leaves; a server's only.
    reserve: Option<Reserve>,
}

/// Statements made from tables, kept for the life of the writer.
#[derive(Default)]
struct Texts(HashMap<(&'static str, bool), String>);

impl Texts {
    fn ensure(&mut self, table: &'static Table, upsert: bool) {
        self.0.entry((table.name, upsert)).or_insert_with(|| sql_text::one_row(table, upsert));
    }
}

/// How a group ended when it did not commit.
enum Broken {
    /// A write failed; the transaction was rolled back.
    Write(CommitError),
    /// `COMMIT` failed because of what was written (a deferred rule of the schema).
    Rule(Fault),
    /// The world failed before or at `COMMIT`.
    World(Fault),
}

impl Core {
    /// Whether it was opened to look only.
    pub(crate) fn only_looks(&self) -> bool {
        self.place.read_only
    }

    pub(crate) fn new(conn: Connection, place: Location, points: Arc<Points>, reserve: Option<Reserve>) -> Self {
        Self { conn: Some(conn), place, texts: Texts::default(), points, reserve }
    }

    /// Looks whether there is room on the disk again.
    pub(crate) fn regain(&mut self) -> bool {
        self.reserve.as_mut().is_none_or(Reserve::regain)
    }

    /// The connection, opened anew if the last one was thrown away.
    pub(crate) fn conn(&mut self) -> Result<&Connection, Fault> {
        if self.conn.is_none() {
            self.conn = Some(self.place.open_writer()?);
        }
        self.conn.as_ref().ok_or_else(Fault::closed)
    }

    /// Throws the connection away after a failure of the file. A database in memory is the
    /// connection, so it stays.
    fn discard_if_broken(&mut self, fault: &Fault) {
        if matches!(fault.kind, FaultKind::Io | FaultKind::Corrupt) && self.place.is_file() {
            tracing::error!(why = %fault, "the database file failed; its connection is opened anew");
            self.conn = None;
        }
    }

    /// Writes a group of commits, each within the space that it may take; one answer for each, in order.
    ///
    /// From the moment on at which one finds the disk full, only those that may use the reserve are written, until
    /// there is room again: else the next alarm would take what the reserve has just given.
    pub(crate) fn commit_within(&mut self, group: &[(&[Write], Space)]) -> Vec<Result<(), CommitError>> {
        let is_short = |core: &Self| core.reserve.as_ref().is_some_and(Reserve::is_short);
        let mut answers: Vec<Result<(), CommitError>> = group.iter().map(|_| Err(no_room().into())).collect();
        let mut left: Vec<usize> = (0..group.len()).collect();
        loop {
            if is_short(self) {
                left.retain(|at| group[*at].1 == Space::Reserved);
            }
            if left.is_empty() {
                return answers;
            }
            let writes: Vec<&[Write]> = left.iter().map(|at| group[*at].0).collect();
            for (at, answer) in left.iter().zip(self.commit_group(&writes)) {
                answers[*at] = answer;
            }
            left.retain(|at| matches!(&answers[*at], Err(CommitError::Fault(fault)) if fault.kind == FaultKind::Full));
            let Some(reserve) = self.reserve.as_mut().filter(|_| !left.is_empty()) else { return answers };
            let known = reserve.is_short();
            reserve.met_full();
            left.retain(|at| group[*at].1 == Space::Reserved);
            // The first time the log alone may hold room that is not used; later it has given that.
            if left.is_empty() || (known && !reserve.give()) {
                return answers;
            }
            self.fold();
        }
    }

    /// Folds the log back as far as it goes, so that its file is written from the start again.
    fn fold(&mut self) {
        let folded = self.conn().map(|conn| conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())));
        if let Ok(Err(why)) = folded {
            tracing::debug!(%why, "the log could not be folded back");
        }
    }

    /// Writes a group of commits; one answer for each, in order.
    pub(crate) fn commit_group(&mut self, group: &[&[Write]]) -> Vec<Result<(), CommitError>> {
        let broken = match self.whole(group) {
            Ok(()) => return group.iter().map(|_| Ok(())).collect(),
            Err(broken) => broken,
        };
        match broken {
            Broken::World(fault) => {
                self.discard_if_broken(&fault);
                group.iter().map(|_| Err(fault.clone().into())).collect()
            }
            Broken::Write(error) if group.len() == 1 => vec![Err(error)],
            Broken::Rule(fault) if group.len() == 1 => vec![Err(fault.into())],
            Broken::Write(_) => self.each_in_a_savepoint(group),
            Broken::Rule(_) => self.each_alone(group),
        }
    }

    fn whole(&mut self, group: &[&[Write]]) -> Result<(), Broken> {
        let points = Arc::clone(&self.points);
        self.conn().map_err(Broken::World)?;
        let (Some(conn), texts) = (self.conn.as_ref(), &mut self.texts) else {
            return Err(Broken::World(Fault::closed()));
        };
        run(conn, "BEGIN IMMEDIATE").map_err(Broken::World)?;
        if let Err(error) = apply(conn, texts, group.iter().copied().flatten()) {
            roll_back(conn);
            return Err(match error {
                CommitError::Fault(fault) if !fault.is_the_callers() => Broken::World(fault),
                other => Broken::Write(other),
            });
        }
        points.reach(CommitPoint::BeforeCommit);
        if let Err(fault) = run(conn, "COMMIT") {
            roll_back(conn);
            return Err(at_commit(fault));
        }
        points.reach(CommitPoint::AfterCommit);
        Ok(())
    }

    fn each_in_a_savepoint(&mut self, group: &[&[Write]]) -> Vec<Result<(), CommitError>> {
        let points = Arc::clone(&self.points);
        let (Some(conn), texts) = (self.conn.as_ref(), &mut self.texts) else {
            return group.iter().map(|_| Err(Fault::closed().into())).collect();
        };
        let mut answers: Vec<Result<(), CommitError>> = Vec::with_capacity(group.len());
        let outcome = (|| {
            run(conn, "BEGIN IMMEDIATE").map_err(Broken::World)?;
            for writes in group {
                run(conn, "SAVEPOINT one").map_err(Broken::World)?;
                let answer = apply(conn, texts, writes.iter());
                if let Err(CommitError::Fault(fault)) = &answer
                    && (!fault.is_the_callers() || conn.is_autocommit())
                {
                    return Err(Broken::World(fault.clone()));
                }
                if answer.is_err() {
                    run(conn, "ROLLBACK TO one").map_err(Broken::World)?;
                }
                run(conn, "RELEASE one").map_err(Broken::World)?;
                answers.push(answer);
            }
            points.reach(CommitPoint::BeforeCommit);
            run(conn, "COMMIT").map_err(at_commit)?;
            points.reach(CommitPoint::AfterCommit);
            Ok(())
        })();
        match outcome {
            Ok(()) => answers,
            Err(Broken::Rule(_) | Broken::Write(_)) => {
                roll_back(conn);
                self.each_alone(group)
            }
            Err(Broken::World(fault)) => {
                roll_back(conn);
                self.discard_if_broken(&fault);
                group.iter().map(|_| Err(fault.clone().into())).collect()
            }
        }
    }

    fn each_alone(&mut self, group: &[&[Write]]) -> Vec<Result<(), CommitError>> {
        group.iter().flat_map(|writes| self.commit_group(&[*writes])).collect()
    }
}

fn no_room() -> Fault {
    Fault::new(FaultKind::Full, "the disk is full; what is left of it is kept for acknowledgements and for pages under way")
}

/// A failed `COMMIT`: whose fault it is, and whether it may have happened. A commit whose sync failed
/// may be found in the log by the next opening, so its outcome is unknown.
fn at_commit(fault: Fault) -> Broken {
    match fault.kind {
        FaultKind::Constraint => Broken::Rule(fault),
        FaultKind::Busy | FaultKind::Full | FaultKind::ReadOnly => Broken::World(fault),
        _ => Broken::World(fault.unknown()),
    }
}

fn roll_back(conn: &Connection) {
    // SQLite has rolled back by itself after some failures; then there is nothing to do.
    if !conn.is_autocommit()
        && let Err(fault) = run(conn, "ROLLBACK")
    {
        tracing::error!(why = %fault, "a transaction could not be rolled back");
    }
}

/// Runs a statement without parameters and answers.
pub(crate) fn run(conn: &Connection, sql: &'static str) -> Result<(), Fault> {
    let mut statement = conn.prepare_cached(sql).map_err(|error| fault(&error, sql))?;
    statement.raw_execute().map(|_| ()).map_err(|error| fault(&error, sql))
}

/// Executes writes in order. Statements already used in this run are kept at hand, so that a row
/// costs its binding and its step and no look-up by text.
fn apply<'a>(conn: &Connection, texts: &mut Texts, writes: impl Iterator<Item = &'a Write> + Clone) -> Result<(), CommitError> {
    for write in writes.clone() {
        match write {
            Write::Insert { table, .. } => texts.ensure(table, false),
            Write::Upsert { table, .. } => texts.ensure(table, true),
            Write::Exec { .. } => {}
        }
    }
    let mut at_hand: Vec<((&'static str, bool), CachedStatement<'_>)> = Vec::new();
    for write in writes {
        let (table, row, upsert) = match write {
            Write::Insert { table, row } => (*table, row, false),
            Write::Upsert { table, row } => (*table, row, true),
            Write::Exec { table, sql, args, expect } => {
                exec(conn, table, sql, args, *expect)?;
                continue;
            }
        };
        let wanted = (table.name, upsert);
        let found = at_hand.iter().position(|(have, _)| *have == wanted);
        let index = match found {
            Some(index) => index,
            None => {
                let text = texts.0.get(&wanted).map_or("", String::as_str);
                let statement = conn.prepare_cached(text).map_err(|error| fault(&error, table.name))?;
                at_hand.push((wanted, statement));
                at_hand.len() - 1
            }
        };
        let statement = &mut at_hand[index].1;
        bind(statement, row, table.name)?;
        statement.raw_execute().map_err(|error| refused(&error, table))?;
    }
    Ok(())
}

fn exec(conn: &Connection, table: &'static Table, sql: &'static str, args: &[Val], expect: Option<u64>) -> Result<(), CommitError> {
    let mut statement = conn.prepare_cached(sql).map_err(|error| fault(&error, sql))?;
    bind(&mut statement, args, sql)?;
    let changed = statement.raw_execute().map_err(|error| refused(&error, table))? as u64;
    match expect {
        Some(expected) if expected != changed => Err(unexpected(table, expected, changed)),
        _ => Ok(()),
    }
}

/// The conflict of a guard that did not hold.
pub(crate) fn unexpected(table: &'static Table, expected: u64, changed: u64) -> CommitError {
    CommitError::Conflict {
        table: table.name,
        why: format!("{changed} rows matched the guard where {expected} were expected; it has changed since it was read"),
    }
}

fn bind(statement: &mut CachedStatement<'_>, values: &[Val], what: &str) -> Result<(), Fault> {
    if statement.parameter_count() != values.len() {
        return Err(Fault::new(
            FaultKind::Statement,
            format!("{what}: {} values were given for {} parameters", values.len(), statement.parameter_count()),
        ));
    }
    for (index, value) in values.iter().enumerate() {
        statement.raw_bind_parameter(index + 1, Param(value)).map_err(|error| fault(&error, what))?;
    }
    Ok(())
}

/// A value on its way in; borrowed, since it is bound at once.
struct Param<'a>(&'a Val);

impl ToSql for Param<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self.0 {
            Val::Null => ToSqlOutput::Borrowed(ValueRef::Null),
            Val::Bool(value) => ToSqlOutput::Borrowed(ValueRef::Integer(i64::from(*value))),
            Val::Int(value) => ToSqlOutput::Borrowed(ValueRef::Integer(*value)),
            Val::Bytes(value) => ToSqlOutput::Borrowed(ValueRef::Blob(value)),
            Val::Text(value) => match without_nul(value) {
                std::borrow::Cow::Borrowed(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
                std::borrow::Cow::Owned(text) => ToSqlOutput::Owned(Value::Text(text)),
            },
        })
    }
}

/// Runs one writing statement outside a group, as when a copy is filled.
pub(crate) fn write(conn: &Connection, sql: &str, values: &[Val]) -> Result<(), Fault> {
    let mut statement = conn.prepare_cached(sql).map_err(|error| fault(&error, sql))?;
    bind(&mut statement, values, sql)?;
    statement.raw_execute().map(|_| ()).map_err(|error| fault(&error, sql))
}

/// Runs a reading statement and collects its rows.
pub(crate) fn read(conn: &Connection, sql: &str, args: &[Val]) -> Result<Vec<Row>, Fault> {
    let mut rows = Vec::new();
    each_row(conn, sql, args, |row| {
        rows.push(row);
        Ok(())
    })?;
    Ok(rows)
}

/// Runs a reading statement and hands on each row as it comes.
pub(crate) fn each_row(conn: &Connection, sql: &str, args: &[Val], mut take: impl FnMut(Row) -> Result<(), Fault>) -> Result<(), Fault> {
    let mut statement = conn.prepare_cached(sql).map_err(|error| fault(&error, sql))?;
    if !statement.readonly() {
        return Err(Fault::new(FaultKind::Statement, format!("`{sql}` writes; send it as a commit")));
    }
    bind(&mut statement, args, sql)?;
    let width = statement.column_count();
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next().map_err(|error| fault(&error, sql))? {
        let mut values = Vec::with_capacity(width);
        for index in 0..width {
            values.push(match row.get_ref(index).map_err(|error| fault(&error, sql))? {
                ValueRef::Null => Val::Null,
                ValueRef::Integer(value) => Val::Int(value),
                ValueRef::Text(bytes) => Val::Text(String::from_utf8_lossy(bytes).into_owned()),
                ValueRef::Blob(bytes) => Val::Bytes(bytes.to_vec()),
                ValueRef::Real(_) => {
                    return Err(Fault::new(
                        FaultKind::Statement,
                        format!("column {index} of `{sql}` is a floating number; cast it to bigint or text"),
                    ));
                }
            });
        }
        take(Row(values))?;
    }
    Ok(())
}

/// A refused row: a conflict where a key is taken, else a fault.
fn refused(error: &rusqlite::Error, table: &'static Table) -> CommitError {
    let taken = [ffi::SQLITE_CONSTRAINT_UNIQUE, ffi::SQLITE_CONSTRAINT_PRIMARYKEY, ffi::SQLITE_CONSTRAINT_ROWID];
    match error.sqlite_extended_error_code() {
        Some(code) if taken.contains(&code) => {
            CommitError::Conflict { table: table.name, why: "a row with this key exists already".to_owned() }
        }
        _ => fault(error, table.name).into(),
    }
}

/// SQLite's answer as a fault; `what` is the statement or table.
pub(crate) fn fault(error: &rusqlite::Error, what: &str) -> Fault {
    // The index beside the log could not grow: it is on the same disk.
    if error.sqlite_extended_error_code() == Some(ffi::SQLITE_IOERR_SHMSIZE) {
        return Fault::new(FaultKind::Full, format!("{what}: {error}"));
    }
    let kind = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed) => FaultKind::Busy,
        Some(ErrorCode::DiskFull) => FaultKind::Full,
        Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen) => FaultKind::Io,
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::AuthorizationForStatementDenied) => FaultKind::ReadOnly,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => FaultKind::Corrupt,
        Some(ErrorCode::OperationInterrupted) => FaultKind::Timeout,
        Some(ErrorCode::ConstraintViolation) => FaultKind::Constraint,
        Some(ErrorCode::OutOfMemory) => FaultKind::Other,
        _ => FaultKind::Statement,
    };
    Fault::new(kind, format!("{what}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::val::Kind;

    static HEAP: Table = Table { name: "heap", columns: &[("x", Kind::Int), ("y", Kind::Bytes)], key: &["x"] };

    fn heap(x: i64, bytes: usize) -> Vec<Write> {
        vec![Write::Insert { table: &HEAP, row: vec![x.into(), vec![0_u8; bytes].into()] }]
    }

    /// A full disk is a fault for those it hits, leaves nothing behind, and is over when there is room.
    #[test]
    fn a_full_disk_is_told_and_passes() {
        let dir = tempfile::tempdir().unwrap();
        let place = Location { path: Some(dir.path().join("full.db")), ..Location::memory() };
        let conn = place.open_writer().unwrap();
        conn.execute_batch("create table heap (x bigint primary key, y blob); pragma max_page_count = 8").unwrap();
        let mut core = Core::new(conn, place, Arc::default(), None);
        let (small, large) = (heap(1, 10), heap(2, 100_000));
        for answer in core.commit_group(&[&small, &large]) {
            let Err(CommitError::Fault(why)) = answer else { panic!("{answer:?}") };
            assert_eq!((why.kind, why.outcome_unknown), (FaultKind::Full, false));
        }
        assert!(core.commit_group(&[&small])[0].is_ok());
        core.conn().unwrap().execute_batch("pragma max_page_count = 1000").unwrap();
        assert!(core.commit_group(&[&large])[0].is_ok());
        assert_eq!(read(core.conn().unwrap(), "select x from heap order by x", &[]).unwrap().len(), 2);
    }
}
