//! Copies: one SQLite file with the schema and all rows as of one moment, made while the server works,
//! from either database and into either.
//!
//! A copy is written under a name of its own, marked, examined, synced and only then given the name that
//! was asked for, so a file of that name is always whole. It deliberately does not overwrite a file, and a
//! restore does not add to a database that already holds rows.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::StreamExt;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::mpsc;
use tokio_postgres::types::Type;

use crate::db::{Backend, Db, inline};
use crate::fault::{CommitError, Fault, FaultKind, OpenError};
use crate::faulty::Points;
use crate::migrate::Migration;
use crate::pg::batch;
use crate::pg::batch::Param;
use crate::pg::{self, Link, Server};
use crate::sql_text;
use crate::sqlite::file;
use crate::sqlite::file::Location;
use crate::sqlite::health::quick_check;
use crate::sqlite::{self, Core, fault};
use crate::val::{Kind, Row, Table, Val, Write};

/// Rows that travel together between the two databases: a few MiB of events.
const ROWS_TOGETHER: usize = 2_000;
/// Parcels of rows that may wait for the slower side.
const PARCELS_WAITING: usize = 2;

/// One moment, however long it takes to read.
const COPY_BEGIN: &str = "begin isolation level repeatable read, read only; set local statement_timeout = 0";

/// Some rows of one table on their way.
struct Parcel {
    table: &'static Table,
    columns: Arc<[String]>,
    rows: Vec<Row>,
}

impl Db {
    /// Makes a copy at `to`, which must not exist yet, and applies `mark` to it (such as the mark of
    /// quarantine). Commits go on meanwhile; the copy shows one moment.
    pub async fn backup(&self, to: &Path, mark: Vec<Write>) -> Result<(), Fault> {
        if to.exists() {
            return Err(io(to, "exists already; name a new file"));
        }
        let partial = beside(to, ".partial");
        discard(&partial);
        let (target, migrations) = (partial.clone(), self.inner.options.migrations);
        let made = match &self.inner.backend {
            Backend::Threads(threads) if threads.place().is_file() => {
                let place = threads.place();
                file::off_thread("store-backup", move || vacuum_into(&place.open_reader()?, &target)).await
            }
            Backend::Threads(threads) => threads.with(move |core| vacuum_into(core.conn()?, &target)).await,
            Backend::Inline(core) => inline(core, |core| vacuum_into(core.conn()?, &target)),
            Backend::Server(server) => copy_out(server, self.inner.options.tables, migrations, target).await,
        };
        let (at, to) = (partial.clone(), to.to_owned());
        let done = match made {
            Err(why) => Err(why),
            Ok(()) if matches!(self.inner.backend, Backend::Inline(_)) => seal(&at, &to, &mark),
            Ok(()) => file::off_thread("store-backup", move || seal(&at, &to, &mark)).await,
        };
        if done.is_err() {
            discard(&partial);
        }
        done
    }

    /// Fills this database, which must hold no rows in the tables of its options, from a copy. All or
    /// nothing. A copy of an older release is brought up to date on the way; a newer one is refused.
    pub async fn restore_into(&self, from: &Path) -> Result<(), Fault> {
        let (tables, migrations) = (self.inner.options.tables, self.inner.options.migrations);
        let from = from.to_owned();
        match &self.inner.backend {
            Backend::Threads(threads) => threads.with(move |core| copy_in(core.conn()?, &from, tables, migrations)).await,
            Backend::Inline(core) => inline(core, |core| copy_in(core.conn()?, &from, tables, migrations)),
            Backend::Server(server) => send_in(server, from, tables, migrations).await,
        }
    }
}

fn io(path: &Path, why: impl std::fmt::Display) -> Fault {
    Fault::new(FaultKind::Io, format!("{}: {why}", path.display()))
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Removes what an earlier attempt may have left.
fn discard(path: &Path) {
    for ending in ["", "-journal", "-wal", "-shm"] {
        let _ = fs::remove_file(beside(path, ending));
    }
}

fn as_fault(error: OpenError) -> Fault {
    match error {
        OpenError::Fault(why) => why,
        other => Fault::new(FaultKind::Other, other.to_string()),
    }
}

fn vacuum_into(conn: &Connection, target: &Path) -> Result<(), Fault> {
    let path = target.to_str().ok_or_else(|| io(target, "the name is not UTF-8"))?;
    conn.execute("vacuum into ?1", [path]).map(|_| ()).map_err(|error| fault(&error, "copy"))
}

/// Marks, examines, syncs and names a finished copy.
fn seal(partial: &Path, to: &Path, mark: &[Write]) -> Result<(), Fault> {
    let conn = Connection::open(partial).map_err(|error| fault(&error, "open the copy"))?;
    let mut core = Core::new(conn, Location::memory(), Arc::new(Points::default()), None);
    match core.commit_group(&[mark]).pop() {
        Some(Err(CommitError::Fault(why))) => return Err(why.while_doing("mark the copy")),
        Some(Err(conflict)) => {
            return Err(Fault::new(FaultKind::Other, format!("mark the copy: {conflict}")));
        }
        Some(Ok(())) | None => {}
    }
    let wrong = quick_check(core.conn()?)?;
    if !wrong.is_empty() {
        return Err(Fault::new(FaultKind::Corrupt, format!("the copy is damaged: {}", wrong.join("; "))));
    }
    drop(core);
    File::open(partial).and_then(|file| file.sync_all()).map_err(|error| io(partial, error))?;
    fs::rename(partial, to).map_err(|error| io(to, error))?;
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| io(folder, error))
}

/// The columns of a SQLite table that hold what was written (not what is computed).
fn columns(conn: &Connection, table: &Table) -> Result<Arc<[String]>, Fault> {
    let sql = "select name from pragma_table_xinfo(?1) where hidden = 0 order by cid";
    sqlite::read(conn, sql, &[table.name.into()])?.iter().map(|row| row.text(0).map(str::to_owned)).collect()
}

fn select(table: &Table, columns: &[String]) -> String {
    format!("select {} from {}", sql_text::list(columns.iter().map(String::as_str)), sql_text::quoted(table.name))
}

fn insert(conn: &Connection, parcel: &Parcel) -> Result<(), Fault> {
    let params: Vec<String> = (1..=parcel.columns.len()).map(|index| format!("?{index}")).collect();
    let names = sql_text::list(parcel.columns.iter().map(String::as_str));
    let sql = format!("insert into {} ({names}) values ({})", sql_text::quoted(parcel.table.name), params.join(", "));
    parcel.rows.iter().try_for_each(|row| sqlite::write(conn, &sql, &row.0))
}

/// From PostgreSQL into a new file: one snapshot, read as it streams in.
async fn copy_out(
    server: &Server,
    tables: &'static [&'static Table],
    migrations: &'static [Migration],
    target: PathBuf,
) -> Result<(), Fault> {
    let (parcels, arriving) = mpsc::channel(PARCELS_WAITING);
    let (schema_at, schema_made) = tokio::sync::oneshot::channel();
    let writing = file::off_thread("store-backup", move || write_parcels(&target, tables, migrations, schema_at, arriving));
    let reading = async move {
        // A local, so that it is dropped at the end of the reading, whatever that end is.
        let parcels = parcels;
        let Ok(layouts) = schema_made.await else {
            return Ok(());
        };
        let link = server.address.connect_long().await?;
        link.client.batch_execute(COPY_BEGIN).await.map_err(|error| pg::fault(&error, "begin"))?;
        for (table, columns) in tables.iter().copied().zip::<Vec<Arc<[String]>>>(layouts) {
            if !read_table(&link, table, columns, &parcels).await? {
                break;
            }
        }
        // Only a whole copy is committed: a reader that fails never says this.
        let _ = parcels.send(None).await;
        Ok(())
    };
    let (read, written): (Result<(), Fault>, Result<(), Fault>) = tokio::join!(reading, writing);
    read.and(written)
}

/// Streams one table; false when the other side has gone.
async fn read_table(
    link: &Link,
    table: &'static Table,
    columns: Arc<[String]>,
    parcels: &mpsc::Sender<Option<Parcel>>,
) -> Result<bool, Fault> {
    let rows = link.client.query_typed_raw(&select(table, &columns), Vec::<(Param<'_>, Type)>::new()).await;
    let mut rows = std::pin::pin!(rows.map_err(|error| pg::fault(&error, table.name))?.ready_chunks(ROWS_TOGETHER));
    while let Some(chunk) = rows.next().await {
        let rows: Result<Vec<Row>, Fault> =
            chunk.into_iter().map(|row| batch::row(&row.map_err(|error| pg::fault(&error, table.name))?)).collect();
        let parcel = Parcel { table, columns: Arc::clone(&columns), rows: rows? };
        if parcels.send(Some(parcel)).await.is_err() {
            return Ok(false);
        }
    }
    Ok(true)
}

fn write_parcels(
    target: &Path,
    tables: &'static [&'static Table],
    migrations: &'static [Migration],
    schema_at: tokio::sync::oneshot::Sender<Vec<Arc<[String]>>>,
    mut arriving: mpsc::Receiver<Option<Parcel>>,
) -> Result<(), Fault> {
    let conn = Connection::open(target).map_err(|error| fault(&error, "open the copy"))?;
    // A kill leaves a file under another name, which nobody reads; the end syncs it.
    conn.execute_batch("pragma journal_mode = off; pragma synchronous = off").map_err(|error| fault(&error, "open the copy"))?;
    file::migrate(&conn, migrations).map_err(as_fault)?;
    let layouts: Result<Vec<_>, Fault> = tables.iter().map(|table| columns(&conn, table)).collect();
    let _ = schema_at.send(layouts?);
    conn.execute_batch("pragma foreign_keys = off; begin").map_err(|error| fault(&error, "begin"))?;
    loop {
        match arriving.blocking_recv() {
            Some(Some(parcel)) => insert(&conn, &parcel)?,
            Some(None) => break,
            None => return Err(Fault::closed().while_doing("the reading side ended early")),
        }
    }
    conn.execute_batch("commit").map_err(|error| fault(&error, "commit"))
}

/// A copy as a restore reads it: looked at only; an older one is copied once more and brought up to date.
struct Source {
    conn: Connection,
    scratch: Option<PathBuf>,
}

impl Drop for Source {
    fn drop(&mut self) {
        if let Some(scratch) = &self.scratch {
            discard(scratch);
        }
    }
}

impl Source {
    fn open(from: &Path, migrations: &[Migration]) -> Result<Self, Fault> {
        let look = |path: &Path| {
            Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(|error| fault(&error, &path.display().to_string()))
        };
        let conn = look(from)?;
        let wrong = quick_check(&conn)?;
        if !wrong.is_empty() {
            return Err(Fault::new(FaultKind::Corrupt, format!("{} is damaged: {}", from.display(), wrong.join("; "))));
        }
        let applied = file::applied(&conn)?;
        if applied.is_empty() {
            return Err(Fault::new(FaultKind::Other, format!("{} is no copy made by this program", from.display())));
        }
        if crate::migrate::pending(migrations, &applied).map_err(as_fault)?.is_empty() {
            return Ok(Self { conn, scratch: None });
        }
        let scratch = beside(from, ".upgrading");
        discard(&scratch);
        vacuum_into(&conn, &scratch)?;
        let source = Self { conn: Connection::open(&scratch).map_err(|error| fault(&error, "upgrade the copy"))?, scratch: Some(scratch) };
        file::migrate(&source.conn, migrations).map_err(as_fault)?;
        Ok(source)
    }

    /// Hands on the rows of one table in parcels.
    fn each_parcel(&self, table: &'static Table, mut take: impl FnMut(Parcel) -> Result<(), Fault>) -> Result<(), Fault> {
        let columns = columns(&self.conn, table)?;
        let parcel = |rows| Parcel { table, columns: Arc::clone(&columns), rows };
        let mut rows = Vec::new();
        sqlite::each_row(&self.conn, &select(table, &columns), &[], |row| {
            rows.push(row);
            if rows.len() < ROWS_TOGETHER { Ok(()) } else { take(parcel(std::mem::take(&mut rows))) }
        })?;
        if rows.is_empty() { Ok(()) } else { take(parcel(rows)) }
    }
}

fn not_empty(table: &Table) -> Fault {
    Fault::new(FaultKind::Other, format!("table {} already holds rows; restore into a new, empty database", table.name))
}

fn any_row(table: &Table) -> String {
    format!("select 1 from {} limit 1", sql_text::quoted(table.name))
}

fn copy_in(conn: &Connection, from: &Path, tables: &'static [&'static Table], migrations: &[Migration]) -> Result<(), Fault> {
    let source = Source::open(from, migrations)?;
    let plain = |sql: &'static str| conn.execute_batch(sql).map_err(|error| fault(&error, sql));
    plain("begin immediate; pragma defer_foreign_keys = on")?;
    let filled = (|| {
        for table in tables.iter().copied() {
            if !sqlite::read(conn, &any_row(table), &[])?.is_empty() {
                return Err(not_empty(table));
            }
            source.each_parcel(table, |parcel| insert(conn, &parcel))?;
        }
        plain("commit")
    })();
    if filled.is_err() && !conn.is_autocommit() {
        plain("rollback")?;
    }
    filled
}

async fn send_in(server: &Server, from: PathBuf, tables: &'static [&'static Table], migrations: &'static [Migration]) -> Result<(), Fault> {
    let (parcels, arriving) = mpsc::channel(PARCELS_WAITING);
    let reading = file::off_thread("store-restore", move || {
        let source = Source::open(&from, migrations)?;
        for table in tables.iter().copied() {
            source.each_parcel(table, |parcel| parcels.blocking_send(Some(parcel)).map_err(|_| Fault::closed()))?;
        }
        // Only a whole copy is committed: a reader that fails never says this.
        parcels.blocking_send(None).map_err(|_| Fault::closed())
    });
    let writing = async move {
        // A local: dropped at a failure, so that the reading side ends too.
        let mut arriving = arriving;
        let mut link = server.address.connect_long().await?;
        let begun = link.client.batch_execute("begin; set local statement_timeout = 0").await;
        begun.map_err(|error| pg::fault(&error, "begin"))?;
        for table in tables {
            if !link.read(&any_row(table), &[]).await?.is_empty() {
                return Err(not_empty(table));
            }
        }
        loop {
            match arriving.recv().await {
                Some(Some(parcel)) => insert_many(&mut link, &parcel).await?,
                Some(None) => break,
                // The reading side failed and says why itself.
                None => return Ok(()),
            }
        }
        for table in tables {
            continue_numbering(&mut link, table).await?;
        }
        link.client.batch_execute("commit").await.map_err(|error| pg::fault(&error, "commit").unknown())
    };
    let (written, read): (Result<(), Fault>, Result<(), Fault>) = tokio::join!(writing, reading);
    written.and(read)
}

/// The kinds of a PostgreSQL table's columns, by name.
async fn kinds(link: &mut Link, table: &Table) -> Result<Vec<(String, Kind)>, Fault> {
    let sql = "select cast(column_name as text), cast(data_type as text) from information_schema.columns \
               where table_schema = current_schema() and table_name = ?1 and is_generated = 'NEVER'";
    let rows = link.read(sql, &[table.name.into()]).await?;
    rows.iter()
        .map(|row| {
            let kind = match row.text(1)? {
                "boolean" => Kind::Bool,
                "bigint" | "integer" | "smallint" => Kind::Int,
                "bytea" => Kind::Bytes,
                _ => Kind::Text,
            };
            Ok((row.text(0)?.to_owned(), kind))
        })
        .collect()
}

async fn insert_many(link: &mut Link, parcel: &Parcel) -> Result<(), Fault> {
    let known = kinds(link, parcel.table).await?;
    let kinds: Result<Vec<Kind>, Fault> = parcel
        .columns
        .iter()
        .map(|name| {
            let found = known.iter().find(|(have, _)| have == name);
            let missing = || Fault::new(FaultKind::Statement, format!("table {} has no column {name} here", parcel.table.name));
            found.map(|(_, kind)| *kind).ok_or_else(missing)
        })
        .collect();
    let kinds = kinds?;
    let arrays: Vec<String> =
        kinds.iter().enumerate().map(|(index, kind)| format!("${}::{}[]", index + 1, sql_text::pg_type(*kind))).collect();
    let sql = format!(
        "insert into {} ({}) overriding system value select * from unnest({})",
        sql_text::quoted(parcel.table.name),
        sql_text::list(parcel.columns.iter().map(String::as_str)),
        arrays.join(", ")
    );
    let rows: Vec<&[Val]> = parcel.rows.iter().map(|row| row.0.as_slice()).collect();
    let params: Vec<Param<'_>> = kinds.iter().enumerate().map(|(index, kind)| batch::array(*kind, index, &rows)).collect();
    let params = params.into_iter().zip(kinds.iter().map(|kind| batch::array_type(*kind))).collect();
    pg::unnamed(&link.client, &sql, params).await.map(|_| ()).map_err(|error| pg::fault(&error, parcel.table.name))
}

/// Lets the columns that the database numbers itself go on after the highest number restored.
async fn continue_numbering(link: &mut Link, table: &Table) -> Result<(), Fault> {
    let sql = "select cast(column_name as text) from information_schema.columns \
               where table_schema = current_schema() and table_name = ?1 and is_identity = 'YES'";
    for row in link.read(sql, &[table.name.into()]).await? {
        let column = sql_text::quoted(row.text(0)?);
        let name = sql_text::quoted(table.name);
        let sql = format!(
            "select setval(pg_get_serial_sequence('{name}', '{}'), coalesce(max({column}), 0) + 1, false) from {name}",
            row.text(0)?
        );
        link.read(&sql, &[]).await?;
    }
    Ok(())
}
