//! The facade: one handle, cheap to clone, over SQLite or PostgreSQL.
//!
//! Deliberately without transactions that a caller could hold open: what must hold when a commit
//! happens is written as a guard (`expect`) or a unique key, and a caller that lost reads again.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::fault::{CommitError, Fault, FaultKind, OpenError, without_password};
use crate::faulty::{FaultHook, FaultPlan, PointHook, Points};
use crate::migrate::Migration;
use crate::pg::batch::Planner;
use crate::pg::{Address, Server};
use crate::sql_text::Dialect;
use crate::sqlite::file;
use crate::sqlite::file::{BUSY_WAIT, Location, Threads};
use crate::sqlite::health::quick_check;
use crate::sqlite::lock;
use crate::sqlite::{self, Core};
use crate::unread::Unread;
use crate::val::{Row, Space, Table, Val, Write};

/// Rows that do not read and were met since they were told last: more of them are more of the same.
const UNREAD_NOTED_MAX: usize = 100;

/// How the database is shared with other processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Access {
    /// A server: on SQLite it refuses to start beside another one, and it brings the schema up to date.
    #[default]
    Serve,
    /// A command beside a running server: reads and writes, takes no lock, changes no schema.
    Beside,
    /// Looks only; a commit is a fault.
    ReadOnly,
}

/// How to open a database.
#[derive(Clone, Debug)]
pub struct OpenOptions {
    /// The schema's steps, in order.
    pub migrations: &'static [Migration],
    /// The tables that a copy holds, parents before children.
    pub tables: &'static [&'static Table],
    /// How it is shared.
    pub access: Access,
    /// Reading connections: threads on SQLite, connections of the pool on PostgreSQL.
    pub readers: usize,
    /// How long a statement on SQLite waits for another process that holds the file.
    pub busy_wait: Duration,
}

impl OpenOptions {
    /// A server's options with two readers.
    #[must_use]
    pub fn new(migrations: &'static [Migration], tables: &'static [&'static Table]) -> Self {
        Self { migrations, tables, access: Access::Serve, readers: 2, busy_wait: BUSY_WAIT }
    }

    /// The same, shared in another way.
    #[must_use]
    pub fn access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }
}

/// A database. Cloning it shares it.
#[derive(Clone)]
pub struct Db {
    pub(crate) inner: Arc<Inner>,
    faults: Option<FaultHook>,
}

pub(crate) struct Inner {
    pub(crate) backend: Backend,
    pub(crate) options: OpenOptions,
    points: Arc<Points>,
    reads: AtomicU64,
    /// Whether only what may use the reserve is written.
    short: Arc<AtomicBool>,
    /// The first damage that a statement met.
    damage: Mutex<Option<String>>,
    /// Rows that lists left out, since they do not read.
    unread: Mutex<Vec<Unread>>,
}

pub(crate) enum Backend {
    /// SQLite with threads of its own.
    Threads(Threads),
    /// SQLite in memory, run by whoever calls.
    Inline(Mutex<Core>),
    /// PostgreSQL.
    Server(Server),
}

impl Db {
    fn over(backend: Backend, options: OpenOptions, points: Arc<Points>, short: Arc<AtomicBool>) -> Self {
        let inner = Inner { backend, options, points, reads: AtomicU64::new(0), short, damage: Mutex::new(None), unread: Mutex::default() };
        Self { inner: Arc::new(inner), faults: None }
    }

    /// Opens `sqlite:PATH`, `sqlite::memory:` or `postgres://…` and brings its schema up to date.
    pub async fn open(url: &str, options: OpenOptions) -> Result<Db, OpenError> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            return Self::open_sqlite(path.strip_prefix("//").unwrap_or(path), options);
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            let mut address = Address::parse(url)?;
            address.look_for_a_pooler().await?;
            address.prepare(options.migrations, options.access == Access::Serve).await?;
            let wakes = Server::has_log(&address).await?;
            let points = Arc::new(Points::default());
            let server = Server::start(address, options.readers, wakes, Planner::new(options.tables), Arc::clone(&points));
            return Ok(Self::over(Backend::Server(server), options, points, Arc::default()));
        }
        Err(OpenError::Address { given: without_password(url), why: "it starts with neither `sqlite:` nor `postgres://`".to_owned() })
    }

    fn open_sqlite(path: &str, options: OpenOptions) -> Result<Db, OpenError> {
        if path.is_empty() {
            return Err(OpenError::Address { given: "sqlite:".to_owned(), why: "the path is missing".to_owned() });
        }
        let points = Arc::new(Points::default());
        let path = (path != ":memory:").then(|| PathBuf::from(path));
        let serves = options.access == Access::Serve;
        let held = match &path {
            Some(path) if serves => Some(Arc::new(lock::take(path)?)),
            Some(path) if !path.exists() => {
                return Err(OpenError::Address {
                    given: format!("sqlite:{}", path.display()),
                    why: "there is no such file yet; start the server once".to_owned(),
                });
            }
            _ => None,
        };
        let place = Location { path, read_only: options.access == Access::ReadOnly, busy_wait: options.busy_wait, held };
        let may_migrate = serves || !place.is_file();
        let short = Arc::default();
        let core = file::open_core(&place, options.migrations, may_migrate, Arc::clone(&points), &short)?;
        let threads = Threads::start(core, place, options.readers)?;
        Ok(Self::over(Backend::Threads(threads), options, points, short))
    }

    /// SQLite in memory, executed on the calling thread when a future is first polled: no threads, no
    /// runtime, the same order every time.
    pub fn open_inline(migrations: &'static [Migration]) -> Result<Db, OpenError> {
        let points = Arc::new(Points::default());
        let short = Arc::default();
        let core = file::open_core(&Location::memory(), migrations, true, Arc::clone(&points), &short)?;
        Ok(Self::over(Backend::Inline(Mutex::new(core)), OpenOptions::new(migrations, &[]), points, short))
    }

    /// The same database whose commits fail as `hook` decides.
    #[must_use]
    pub fn with_faults(mut self, hook: FaultHook) -> Db {
        self.faults = Some(hook);
        self
    }

    /// Calls `hook` at each [`CommitPoint`](crate::faulty::CommitPoint) from now on; `None` ends it.
    pub fn on_commit(&self, hook: Option<PointHook>) {
        self.inner.points.set(hook);
    }

    /// Which database it is.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        match &self.inner.backend {
            Backend::Threads(_) | Backend::Inline(_) => Dialect::Sqlite,
            Backend::Server(_) => Dialect::Postgres,
        }
    }

    /// Runs one reading statement (`?1`, `?2` …) and gives its rows.
    pub async fn read(&self, sql: &str, args: Vec<Val>) -> Result<Vec<Row>, Fault> {
        self.inner.reads.fetch_add(1, Ordering::Relaxed);
        let found = match &self.inner.backend {
            Backend::Threads(threads) => threads.read(sql, args).await,
            Backend::Inline(core) => inline(core, |core| sqlite::read(core.conn()?, sql, &args)),
            Backend::Server(server) => server.read(sql, &args).await,
        };
        found.inspect_err(|fault| self.note_damage(fault))
    }

    fn note_damage(&self, fault: &Fault) {
        if fault.kind == FaultKind::Corrupt {
            let mut damage = self.inner.damage.lock().unwrap_or_else(PoisonError::into_inner);
            damage.get_or_insert_with(|| fault.why.to_string());
        }
    }

    /// A list left these out. The newest are forgotten when nobody takes them.
    pub(crate) fn note_unread(&self, rows: Vec<Unread>) {
        if rows.is_empty() {
            return;
        }
        let mut known = self.inner.unread.lock().unwrap_or_else(PoisonError::into_inner);
        for row in rows {
            if known.len() < UNREAD_NOTED_MAX && !known.contains(&row) {
                known.push(row);
            }
        }
    }

    /// Rows that lists left out since this was asked last, since they do not read.
    #[must_use]
    pub fn take_unread(&self) -> Vec<Unread> {
        std::mem::take(&mut *self.inner.unread.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What a statement met that no statement should: a damaged page or file. It stays until the next opening.
    #[must_use]
    pub fn damage(&self) -> Option<String> {
        self.inner.damage.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether the disk is full, so that only commits in [`Space::Reserved`] are written.
    #[must_use]
    pub fn is_short(&self) -> bool {
        self.inner.short.load(Ordering::SeqCst)
    }

    /// Looks whether a full disk has room again; then the reserve is made whole, and all commits are written again. A
    /// reserve that a start had no room for is made as well.
    pub async fn regain(&self) -> Result<bool, Fault> {
        match &self.inner.backend {
            Backend::Threads(threads) => threads.with(|core| Ok(core.regain())).await,
            Backend::Inline(_) | Backend::Server(_) => Ok(true),
        }
    }

    /// How many statements were read with this handle and its clones: a question may need only so many,
    /// however much is stored.
    #[must_use]
    pub fn reads(&self) -> u64 {
        self.inner.reads.load(Ordering::Relaxed)
    }

    /// Makes all writes durable together, or none of them. `Ok` means synced.
    ///
    /// A commit goes on when its future is dropped.
    pub async fn commit(&self, writes: Vec<Write>) -> Result<(), CommitError> {
        self.commit_in(Space::Free, writes).await
    }

    /// The same, and says whether it may take what is kept for a full disk. On PostgreSQL nothing is kept.
    pub async fn commit_in(&self, space: Space, writes: Vec<Write>) -> Result<(), CommitError> {
        let done = self.write(space, writes).await;
        if let Err(CommitError::Fault(fault)) = &done {
            self.note_damage(fault);
        }
        done
    }

    async fn write(&self, space: Space, writes: Vec<Write>) -> Result<(), CommitError> {
        writes.iter().try_for_each(Write::check)?;
        let plan = self.faults.as_ref().map_or(FaultPlan::None, |decide| decide(&writes));
        if plan == FaultPlan::FailBefore {
            return Err(Fault::new(FaultKind::Injected, "the commit was refused on purpose").into());
        }
        if plan == FaultPlan::Full && space == Space::Free {
            return Err(Fault::new(FaultKind::Full, "the disk is full on purpose").into());
        }
        if self.inner.options.access == Access::ReadOnly {
            return Err(Fault::new(FaultKind::ReadOnly, "the database was opened to look only").into());
        }
        if !writes.is_empty() {
            match &self.inner.backend {
                Backend::Threads(threads) => threads.commit(writes, space).await?,
                Backend::Server(server) => server.commit(writes).await?,
                Backend::Inline(core) => inline(core, |core| core.commit_group(&[&writes]).pop().unwrap_or(Ok(())))?,
            }
        }
        if plan == FaultPlan::FailAfter {
            return Err(Fault::new(FaultKind::Injected, "the answer was lost on purpose").unknown().into());
        }
        Ok(())
    }

    /// The database's clock minus `local`, which the caller read right before; `None` on SQLite, whose
    /// clock is the caller's own. It is too great by at most the time this call took.
    pub async fn clock_offset(&self, local: Timestamp) -> Result<Option<SignedDuration>, Fault> {
        let Backend::Server(server) = &self.inner.backend else {
            return Ok(None);
        };
        let rows = server.read("select cast(extract(epoch from clock_timestamp()) * 1000000 as bigint)", &[]).await?;
        let micros = rows.first().map_or(Ok(0), |row| row.int(0))?;
        Ok(Some(SignedDuration::from_micros(micros - local.as_microsecond())))
    }

    /// Wake-ups when any node committed to the table `event`: each says how far `seq` reaches. An empty
    /// text after each connection means "look, something may have been missed". `None` on SQLite, and behind a pooler
    /// that shares sessions.
    pub async fn notifications(&self) -> Option<tokio::sync::mpsc::Receiver<String>> {
        match &self.inner.backend {
            Backend::Server(server) => server.notifications(),
            Backend::Threads(_) | Backend::Inline(_) => None,
        }
    }

    /// Looks at the database's health; each line is something that is wrong.
    pub async fn check(&self) -> Result<Vec<String>, Fault> {
        match &self.inner.backend {
            Backend::Threads(threads) if threads.place().is_file() => {
                let place = threads.place();
                file::off_thread("store-check", move || {
                    let conn = place.open_reader()?;
                    let found = quick_check(&conn);
                    drop(conn);
                    drop(place);
                    found
                })
                .await
            }
            Backend::Threads(threads) => threads.with(|core| quick_check(core.conn()?)).await,
            Backend::Inline(core) => inline(core, |core| quick_check(core.conn()?)),
            Backend::Server(server) => server.check().await,
        }
    }

    /// Finishes what was handed in, tidies up and ends; later calls are faults.
    pub async fn close(&self) {
        match &self.inner.backend {
            Backend::Threads(threads) => threads.close().await,
            Backend::Inline(_) => {}
            Backend::Server(server) => server.close().await,
        }
    }
}

pub(crate) fn inline<T>(core: &Mutex<Core>, work: impl FnOnce(&mut Core) -> T) -> T {
    work(&mut core.lock().unwrap_or_else(PoisonError::into_inner))
}
