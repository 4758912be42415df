//! SQLite's file, threads and settings: one writer thread, and a few reader threads with connections that
//! may only read.
//!
//! No read transaction outlives its call, so the write-ahead log can always be folded back. What a
//! commit does is in `sqlite`, how servers refuse each other in `sqlite_lock`, what a full disk leaves in `reserve`.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::FromSqlError;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::oneshot;

use crate::fault::{CommitError, Fault, FaultKind, OpenError};
use crate::faulty::Points;
use crate::migrate::{self, Migration};
use crate::sql_text::Dialect;
use crate::sqlite::health::{damaged, must_be_sound};
use crate::sqlite::lock::Held;
use crate::sqlite::reserve::Reserve;
use crate::sqlite::{self, Core, fault};
use crate::val::{Row, Space, Val, Write};

/// Commits that share one sync at most; more would only make the first of them wait.
const GROUP_MAX: usize = 512;
/// Rows of a group at most (a single larger commit is still written whole).
const GROUP_ROWS_MAX: usize = 20_000;
/// How long a statement waits for another process that holds the file, such as a copying tool. Whoever asks waits for
/// the group before theirs and for their own, so twice this at most; an answer is to come within ten seconds.
pub(crate) const BUSY_WAIT: Duration = Duration::from_secs(4);
const _: () = assert!(BUSY_WAIT.as_secs() * 2 < 10, "each answer within ten seconds");
/// Statements kept prepared by each connection; more than this crate has.
const STATEMENTS_KEPT: usize = 512;
/// Page cache of the writer, in KiB. Small, since SQLite walks all of it at the end of a commit that
/// rearranged a tree, and the operating system caches the file as well; pages that a large commit
/// changes stay in memory beyond it (`cache_spill` is off), so none is written to the log twice.
const WRITER_CACHE_KIB: i64 = 8 * 1024;
/// Page cache of each reader, in KiB: the operating system caches the file as well.
const READER_CACHE_KIB: i64 = 2 * 1024;
/// Pages in the log before the writer itself folds it back (60 MiB of 4 KiB pages). By then the
/// folder thread has folded nearly all of them, so that no commit waits long for this.
const CHECKPOINT_PAGES: i64 = 15_000;
/// Rows written before the folder thread is told to fold the log back beside the writer. A commit's
/// sync waits for the folding's writes to the same disk: with 8,000 rows that was up to 20 ms, with
/// 2,000 it is 3 ms.
const FOLD_AFTER_ROWS: usize = 2_000;
/// The log file is cut to this many bytes after it has grown beyond, as during a copy.
const LOG_BYTES_KEPT: i64 = 64 * 1024 * 1024;
/// 3.7.0 to 3.51.2 may damage a file when the log is reset (fixed in 3.51.3, 2026-03-13).
const OLDEST_SQLITE: (i32, &str) = (3_051_003, "3.51.3");

/// Where the database is and how it is opened.
#[derive(Clone, Debug)]
pub(crate) struct Location {
    /// `None`: in memory.
    pub(crate) path: Option<PathBuf>,
    pub(crate) read_only: bool,
    /// See [`BUSY_WAIT`].
    pub(crate) busy_wait: Duration,
    /// The lock of a server. Whoever has a connection has this as well, and lets go of it later.
    pub(crate) held: Option<Arc<Held>>,
}

impl Location {
    /// In memory.
    pub(crate) const fn memory() -> Self {
        Self { path: None, read_only: false, busy_wait: BUSY_WAIT, held: None }
    }

    pub(crate) fn is_file(&self) -> bool {
        self.path.is_some()
    }

    /// A connection with the writer's settings.
    pub(crate) fn open_writer(&self) -> Result<Connection, Fault> {
        let Some(path) = &self.path else {
            let conn = Connection::open_in_memory().map_err(|error| fault(&error, "open in memory"))?;
            self.settings(&conn, WRITER_CACHE_KIB)?;
            return Ok(conn);
        };
        if self.read_only {
            return self.open_reader();
        }
        let conn = Connection::open(path).map_err(|error| fault(&error, &path.display().to_string()))?;
        self.settings(&conn, WRITER_CACHE_KIB)?;
        let set = |name: &str, value: &dyn rusqlite::ToSql| {
            conn.pragma_update_and_check(None, name, value, |_| Ok(())).map_err(|error| fault(&error, name))
        };
        set("journal_mode", &"wal")?;
        set("wal_autocheckpoint", &CHECKPOINT_PAGES)?;
        set("journal_size_limit", &LOG_BYTES_KEPT)?;
        conn.pragma_update(None, "synchronous", if allclear_domain::plants::planted("fsync-off") { "off" } else { "full" })
            .map_err(|error| fault(&error, "synchronous"))?;
        Ok(conn)
    }

    /// A connection of its own that cannot write.
    pub(crate) fn open_reader(&self) -> Result<Connection, Fault> {
        let path = self.path.as_ref().ok_or_else(Fault::closed)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = Connection::open_with_flags(path, flags).map_err(|error| fault(&error, &path.display().to_string()))?;
        self.settings(&conn, READER_CACHE_KIB)?;
        Ok(conn)
    }

    /// What every connection has.
    fn settings(&self, conn: &Connection, cache_kib: i64) -> Result<(), Fault> {
        conn.busy_timeout(self.busy_wait).map_err(|error| fault(&error, "busy_timeout"))?;
        conn.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
        // A statement that is kept is planned once, and not again for each value that is bound to it.
        conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(|error| fault(&error, "query plans"))?;
        for (name, value) in [("foreign_keys", 1), ("temp_store", 2), ("cache_spill", 0), ("cache_size", -cache_kib)] {
            conn.pragma_update(None, name, value).map_err(|error| fault(&error, name))?;
        }
        let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
        let given = |args: &Context<'_>| -> Result<Option<i64>, FromSqlError> {
            Ok(strpos(args.get_raw(0).as_str_or_null()?, args.get_raw(1).as_str_or_null()?))
        };
        conn.create_scalar_function("strpos", 2, flags, move |args| {
            given(args).map_err(|why| rusqlite::Error::UserFunctionError(why.into()))
        })
        .map_err(|error| fault(&error, "strpos"))
    }
}

/// As PostgreSQL's: at which character a part stands in a text, from 1; 0 where it does not, and null of nothing. SQLite's `like`
/// folds case at each character, and is ten times slower over the rows of a thousand incidents.
fn strpos(text: Option<&str>, part: Option<&str>) -> Option<i64> {
    let (text, part) = (text?, part?);
    // Mostly it does not stand there, which this finds out soonest.
    let at = text.contains(part).then(|| text.find(part)).flatten();
    Some(at.map_or(0, |at| i64::try_from(text[..at].chars().count()).unwrap_or(i64::MAX).saturating_add(1)))
}

/// Refuses an SQLite that is known to damage files.
pub(crate) fn check_version() -> Result<(), OpenError> {
    if rusqlite::version_number() >= OLDEST_SQLITE.0 {
        return Ok(());
    }
    Err(OpenError::TooOld { what: "SQLite", found: rusqlite::version().to_owned(), needed: OLDEST_SQLITE.1 })
}

/// What was applied to a database so far.
pub(crate) fn applied(conn: &Connection) -> Result<Vec<(i64, String)>, Fault> {
    let exists = sqlite::read(conn, "select 1 from sqlite_master where type = 'table' and name = 'migration'", &[])?;
    if exists.is_empty() {
        return Ok(Vec::new());
    }
    sqlite::read(conn, migrate::RECORD_READ, &[])?.iter().map(|row| Ok((row.int(0)?, row.text(1)?.to_owned()))).collect()
}

/// Brings the schema up to date. Foreign keys are off while a step runs, so that it may rebuild a
/// table, and are checked before it commits.
pub(crate) fn migrate(conn: &Connection, migrations: &[Migration]) -> Result<(), OpenError> {
    for migration in migrate::pending(migrations, &applied(conn)?)? {
        let failed = |error: rusqlite::Error| migration.failed(error);
        conn.pragma_update(None, "foreign_keys", 0).map_err(failed)?;
        let done = (|| {
            conn.execute_batch("BEGIN IMMEDIATE").map_err(failed)?;
            conn.execute_batch(migrate::RECORD_TABLE).map_err(failed)?;
            conn.execute_batch(&migration.text(Dialect::Sqlite)).map_err(failed)?;
            conn.execute(migrate::RECORD_WRITE, (migration.number, migration.name)).map_err(failed)?;
            if !sqlite::read(conn, "pragma foreign_key_check", &[])?.is_empty() {
                return Err(migration.failed("it leaves rows whose parents are missing"));
            }
            conn.execute_batch("COMMIT").map_err(failed)
        })();
        if done.is_err() && !conn.is_autocommit() {
            conn.execute_batch("ROLLBACK").map_err(failed)?;
        }
        conn.pragma_update(None, "foreign_keys", 1).map_err(failed)?;
        done?;
    }
    Ok(())
}

/// Where a commit's answer goes.
type Answer = oneshot::Sender<Result<(), CommitError>>;

/// What the writer thread is asked to do.
pub(crate) enum Job {
    /// A commit.
    Commit(Vec<Write>, Space, Answer),
    /// Something that needs the writing connection to itself.
    With(Box<dyn FnOnce(&mut Core) + Send>),
    /// Everything before it is done: fold the log back and end.
    Close(oneshot::Sender<()>),
}

/// What a reader thread is asked to do.
enum Ask {
    Read(String, Vec<Val>, oneshot::Sender<Result<Vec<Row>, Fault>>),
    Close,
}

/// The threads of one open database.
pub(crate) struct Threads {
    /// Without the lock, which it lets go of when it is closed.
    place: Location,
    held: Mutex<Option<Arc<Held>>>,
    writer: Mutex<Option<mpsc::Sender<Job>>>,
    /// Empty for a database in memory, whose only connection is the writer's.
    readers: Mutex<Option<mpsc::Sender<Ask>>>,
    reader_threads: Mutex<Vec<thread::JoinHandle<()>>>,
}

fn held<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Threads {
    /// Starts the writer and, for a file, the readers.
    pub(crate) fn start(core: Core, place: Location, readers: usize) -> Result<Self, Fault> {
        let cannot = |error: std::io::Error| Fault::new(FaultKind::Other, format!("cannot start a thread: {error}"));
        let (writer, jobs) = mpsc::channel();
        let folder = if place.is_file() && !place.read_only { Some(Folder::start(&place)?) } else { None };
        thread::Builder::new().name("store-writer".to_owned()).spawn(move || write_until_closed(core, &jobs, folder)).map_err(cannot)?;
        let mut threads = Vec::new();
        let mut readers_in = None;
        if place.is_file() {
            let (ask, asks) = mpsc::channel();
            let asks = Arc::new(Mutex::new(asks));
            for number in 0..readers.max(1) {
                let conn = place.open_reader()?;
                let asks = Arc::clone(&asks);
                let held = place.held.clone();
                let thread = thread::Builder::new()
                    .name(format!("store-reader-{number}"))
                    .spawn(move || {
                        read_until_closed(&conn, &asks);
                        drop(conn);
                        drop(held);
                    })
                    .map_err(cannot)?;
                threads.push(thread);
            }
            readers_in = Some(ask);
        }
        let held = Mutex::new(place.held.clone());
        let place = Location { held: None, ..place };
        Ok(Self { place, held, writer: Mutex::new(Some(writer)), readers: Mutex::new(readers_in), reader_threads: Mutex::new(threads) })
    }

    /// Where it is, for a connection of somebody's own, with the lock for as long as they have it.
    pub(crate) fn place(&self) -> Location {
        Location { held: held(&self.held).clone(), ..self.place.clone() }
    }

    fn send(&self, job: Job) -> Result<(), Fault> {
        held(&self.writer).as_ref().ok_or_else(Fault::closed)?.send(job).map_err(|_| Fault::closed())
    }

    pub(crate) async fn commit(&self, writes: Vec<Write>, space: Space) -> Result<(), CommitError> {
        let (answer, answered) = oneshot::channel();
        self.send(Job::Commit(writes, space, answer))?;
        // A writer that ended in the middle may or may not have committed.
        answered.await.unwrap_or_else(|_| Err(Fault::closed().unknown().into()))
    }

    pub(crate) async fn read(&self, sql: &str, args: Vec<Val>) -> Result<Vec<Row>, Fault> {
        if !self.place.is_file() {
            let sql = sql.to_owned();
            return self.with(move |core| sqlite::read(core.conn()?, &sql, &args)).await;
        }
        let (answer, answered) = oneshot::channel();
        let ask = Ask::Read(sql.to_owned(), args, answer);
        held(&self.readers).as_ref().ok_or_else(Fault::closed)?.send(ask).map_err(|_| Fault::closed())?;
        answered.await.unwrap_or_else(|_| Err(Fault::closed()))
    }

    /// Runs something on the writer thread, between two groups.
    pub(crate) async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Core) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let (answer, answered) = oneshot::channel();
        self.send(Job::With(Box::new(move |core| {
            let _ = answer.send(work(core));
        })))?;
        answered.await.unwrap_or_else(|_| Err(Fault::closed()))
    }

    /// Ends the readers, then the writer once it has done all it was given.
    pub(crate) async fn close(&self) {
        if let Some(ask) = held(&self.readers).take() {
            for _ in held(&self.reader_threads).iter() {
                let _ = ask.send(Ask::Close);
            }
        }
        let ending = std::mem::take(&mut *held(&self.reader_threads));
        for thread in ending {
            // A reader ends as soon as its present statement does.
            let _ = off_thread("store-close", move || thread.join().map_err(|_| Fault::closed())).await;
        }
        let (done, ended) = oneshot::channel();
        let writer = held(&self.writer).take();
        if writer.is_some_and(|writer| writer.send(Job::Close(done)).is_ok()) {
            let _ = ended.await;
        }
        held(&self.held).take();
    }
}

/// Runs something long on a thread of its own, so that neither the writer nor a reader waits for it.
pub(crate) async fn off_thread<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    let (answer, answered) = oneshot::channel();
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            let _ = answer.send(work());
        })
        .map_err(|error| Fault::new(FaultKind::Other, format!("cannot start a thread: {error}")))?;
    answered.await.unwrap_or_else(|_| Err(Fault::new(FaultKind::Other, "the thread ended without an answer")))
}

fn read_until_closed(conn: &Connection, asks: &Mutex<mpsc::Receiver<Ask>>) {
    loop {
        let ask = held(asks).recv();
        match ask {
            Ok(Ask::Read(sql, args, answer)) => {
                // Nobody may be waiting any more; then the work is saved.
                if !answer.is_closed() {
                    let _ = answer.send(sqlite::read(conn, &sql, &args));
                }
            }
            Ok(Ask::Close) | Err(_) => return,
        }
    }
}

/// Folds the log back on a connection of its own while the writer goes on: the sync of the main
/// file, which is the long part, is nobody's wait.
struct Folder {
    nudge: mpsc::SyncSender<()>,
    thread: thread::JoinHandle<()>,
    rows: usize,
}

impl Folder {
    fn start(place: &Location) -> Result<Self, Fault> {
        let conn = place.open_writer()?;
        let held = place.held.clone();
        let (nudge, nudges) = mpsc::sync_channel(1);
        let thread = thread::Builder::new()
            .name("store-folder".to_owned())
            .spawn(move || {
                while nudges.recv().is_ok() {
                    let folded = conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
                    if let Err(error) = folded {
                        tracing::debug!(%error, "the log was not folded back beside the writer; the writer does it");
                    }
                }
                drop(conn);
                drop(held);
            })
            .map_err(|error| Fault::new(FaultKind::Other, format!("cannot start a thread: {error}")))?;
        Ok(Self { nudge, thread, rows: 0 })
    }

    /// Counts what was written; one nudge may wait while a folding runs.
    fn wrote(&mut self, rows: usize) {
        self.rows += rows;
        if self.rows >= FOLD_AFTER_ROWS {
            self.rows = 0;
            let _ = self.nudge.try_send(());
        }
    }

    fn end(self) {
        drop(self.nudge);
        let _ = self.thread.join();
    }
}

fn write_until_closed(mut core: Core, jobs: &mpsc::Receiver<Job>, mut folder: Option<Folder>) {
    let mut commits: Vec<(Vec<Write>, Space, Answer)> = Vec::new();
    loop {
        let Ok(mut job) = jobs.recv() else { return };
        let mut rows = 0;
        // Takes what waits, up to the first job that is no commit.
        let other = loop {
            match job {
                Job::Commit(writes, space, answer) => {
                    rows += writes.len();
                    commits.push((writes, space, answer));
                }
                other => break Some(other),
            }
            if commits.len() >= GROUP_MAX || rows >= GROUP_ROWS_MAX {
                break None;
            }
            match jobs.try_recv() {
                Ok(next) => job = next,
                Err(_) => break None,
            }
        };
        if !commits.is_empty() {
            let group: Vec<(&[Write], Space)> = commits.iter().map(|(writes, space, _)| (writes.as_slice(), *space)).collect();
            let answers = core.commit_within(&group);
            for ((_, _, waiting), answer) in commits.drain(..).zip(answers) {
                let _ = waiting.send(answer);
            }
            if let Some(folder) = &mut folder {
                folder.wrote(rows);
            }
        }
        match other {
            Some(Job::With(work)) => work(&mut core),
            Some(Job::Close(done)) => {
                if let Some(folder) = folder.take() {
                    folder.end();
                }
                fold_back(&mut core);
                drop(core);
                let _ = done.send(());
                return;
            }
            Some(Job::Commit(..)) | None => {}
        }
    }
}

/// Rows of a table from which on its statistics are kept. A planner that was told of ten rows reads the whole table, and goes on to when it
/// has a million; one that was told nothing takes the index.
const COUNTED_ROWS_MIN: i64 = 10_000;

/// Forgets statistics of tables that were small when they were made.
fn forget_small(conn: &Connection) -> Result<(), Fault> {
    let known = "select exists (select 1 from sqlite_master where name = 'sqlite_stat1')";
    let made = conn.query_row(known, [], |row| row.get::<_, bool>(0)).map_err(|error| fault(&error, "statistics"))?;
    if made {
        let sql = "delete from sqlite_stat1 where cast(stat as integer) < ?1";
        conn.execute(sql, [COUNTED_ROWS_MIN]).map_err(|error| fault(&error, "statistics"))?;
    }
    Ok(())
}

/// Leaves one tidy file behind: statistics for the planner, and no log beside it.
fn fold_back(core: &mut Core) {
    if core.only_looks() {
        return;
    }
    let folded = core.conn().and_then(|conn| {
        conn.execute_batch("PRAGMA optimize").map_err(|error| fault(&error, "close"))?;
        forget_small(conn)?;
        conn.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").map_err(|error| fault(&error, "close"))
    });
    if let Err(why) = folded
        && why.kind != FaultKind::ReadOnly
    {
        tracing::warn!(%why, "the log was not folded back; the next start does it");
    }
}

/// Opens a file or memory and brings its schema up to date. A server's file is examined first, and gets its reserve;
/// `short` then says whether only what may use that is written.
pub(crate) fn open_core(
    place: &Location,
    migrations: &[Migration],
    may_migrate: bool,
    points: Arc<Points>,
    short: &Arc<AtomicBool>,
) -> Result<Core, OpenError> {
    check_version()?;
    let served = place.path.as_deref().filter(|_| may_migrate);
    let mut reserve = served.map(|path| Reserve::of(path, Arc::clone(short)));
    let conn = loop {
        match place.open_writer() {
            // Opening takes a little room of its own; it is what the reserve is for.
            Err(fault) if fault.kind == FaultKind::Full && reserve.as_mut().is_some_and(Reserve::give) => {}
            Err(fault) if fault.kind == FaultKind::Corrupt => {
                let path = place.path.clone().unwrap_or_default();
                return Err(damaged(&path, &[fault.why.into_owned()]));
            }
            opened => break opened?,
        }
    };
    if let Some(path) = served {
        must_be_sound(&conn, path)?;
    }
    if may_migrate {
        migrate(&conn, migrations)?;
        // What an earlier release left. Without room for it a start goes on all the same.
        if let Err(why) = forget_small(&conn) {
            tracing::debug!(%why, "statistics of small tables stay until the next start");
        }
    } else if !migrate::pending(migrations, &applied(&conn)?)?.is_empty() {
        let found = applied(&conn)?.last().map_or(0, |(number, _)| *number);
        return Err(OpenError::NeedsMigration { found, known: migrate::newest(migrations) });
    }
    Ok(Core::new(conn, place.clone(), points, reserve))
}
