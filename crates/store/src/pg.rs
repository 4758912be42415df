//! PostgreSQL's connections: one that writes groups of commits, a few that read, one that listens.
//!
//! Invariant: a connection that broke while `COMMIT` was on its way makes the outcome unknown; one that
//! broke before makes nothing of the group durable, and the group is tried once more on a new one.
//!
//! What a group looks like on the wire is planned in `pg_batch`. Needs a session of its own: a pooler
//! in transaction mode between us and the server loses prepared statements and notifications.

use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_postgres::error::SqlState;
use tokio_postgres::{AsyncMessage, Client, Config, NoTls, Statement};

use crate::fault::{CommitError, Fault, FaultKind, OpenError};
use crate::faulty::{CommitPoint, Points};
use crate::migrate::{self, Migration};
use crate::pg_batch::{self, Op, Param, Planner};
use crate::sql_text::{self, Dialect};
use crate::sqlite::unexpected;
use crate::val::{Row, Table, Val, Write};

/// Commits that share one transaction at most.
const GROUP_MAX: usize = 512;
/// How long one connection attempt may take.
const CONNECT_WAIT: Duration = Duration::from_secs(5);
/// After this long without an answer from the peer's machine the connection counts as broken.
const PEER_SILENCE_MAX: Duration = Duration::from_secs(10);
/// The first and the longest pause between attempts to connect again.
const PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));
/// Statements kept prepared for each connection; all are forgotten when there are more.
const STATEMENTS_KEPT: usize = 512;
/// Wake-ups that may wait for the listener; more say nothing new.
const WAKE_UPS_KEPT: usize = 64;
/// The oldest server that is supported until its end in November 2027, and has what we use.
const OLDEST_SERVER: (i64, &str) = (150_000, "15");
/// Two servers that start together take turns by this number (the letters "allclear" in ASCII).
const MIGRATION_LOCK: i64 = 0x616c_6c63_6c65_6172;
/// The channel that wakes other nodes.
const CHANNEL: &str = "allclear";
/// The table whose new rows wake other nodes.
const WAKING_TABLE: &str = "event";
/// Tells listeners, in the transaction that wrote it, how far the log reaches.
const NOTIFY: &str = "select pg_notify('allclear', (select coalesce(max(seq), 0)::text from event))";
/// A writing session: limits for statements, locks and forgotten transactions, synced commits.
const WRITER_SESSION: &str = "set statement_timeout = '30s'; set lock_timeout = '10s'; \
    set idle_in_transaction_session_timeout = '60s'; set timezone = 'UTC'; \
    select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') in ('off', 'local')";
/// A reading session, which cannot write.
const READER_SESSION: &str = "set statement_timeout = '30s'; set timezone = 'UTC'; set default_transaction_read_only = on";
/// A session for schema changes and copies, which may take long.
const LONG_SESSION: &str = "set statement_timeout = 0; set timezone = 'UTC'";

/// Starts a task that belongs to a database and ends with it.
#[allow(clippy::disallowed_methods)] // The store's own tasks end with the store; nobody else watches them.
fn spawn(task: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
    tokio::spawn(task)
}

fn held<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One connection with the statements it has prepared.
pub(crate) struct Link {
    pub(crate) client: Client,
    statements: HashMap<String, Statement>,
    rows: HashMap<(&'static str, bool), Statement>,
    /// Ends when the connection does.
    driver: JoinHandle<()>,
}

impl Link {
    fn new(client: Client, driver: JoinHandle<()>) -> Self {
        Self { client, statements: HashMap::new(), rows: HashMap::new(), driver }
    }

    async fn prepared(&mut self, sql: &str) -> Result<Statement, Fault> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        if self.statements.len() >= STATEMENTS_KEPT {
            self.statements.clear();
        }
        let text = sql_text::render(sql, Dialect::Postgres);
        let statement = self.client.prepare(&text).await.map_err(|error| fault(&error, sql))?;
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    async fn prepared_rows(&mut self, table: &'static Table, upsert: bool) -> Result<Statement, Fault> {
        if let Some(statement) = self.rows.get(&(table.name, upsert)) {
            return Ok(statement.clone());
        }
        let text = sql_text::many_rows(table, upsert);
        let statement = self.client.prepare(&text).await.map_err(|error| fault(&error, table.name))?;
        self.rows.insert((table.name, upsert), statement.clone());
        Ok(statement)
    }

    pub(crate) async fn read(&mut self, sql: &str, args: &[Val]) -> Result<Vec<Row>, Fault> {
        let statement = self.prepared(sql).await?;
        counted(&statement, args.len(), sql)?;
        let params: Vec<Param<'_>> = args.iter().map(Param::One).collect();
        let params: Vec<&(dyn tokio_postgres::types::ToSql + Sync)> = params.iter().map(|param| param as _).collect();
        let rows = self.client.query(&statement, &params).await.map_err(|error| fault(&error, sql))?;
        rows.iter().map(pg_batch::row).collect()
    }
}

fn counted(statement: &Statement, given: usize, what: &str) -> Result<(), Fault> {
    let wanted = statement.params().len();
    if wanted == given {
        return Ok(());
    }
    Err(Fault::new(FaultKind::Statement, format!("{what}: {given} values were given for {wanted} parameters")))
}

/// The address, and what connecting needs.
#[derive(Clone)]
pub(crate) struct Address {
    config: Config,
}

impl Address {
    pub(crate) fn parse(url: &str) -> Result<Self, OpenError> {
        let wrong = |why: String| OpenError::Address { given: crate::db::shown(url), why };
        let mut config: Config = url.parse().map_err(|error: tokio_postgres::Error| wrong(error.to_string()))?;
        if config.get_ssl_mode() == tokio_postgres::config::SslMode::Require {
            return Err(wrong("sslmode=require: this build connects without TLS; use a local socket, a private network or a TLS tunnel".to_owned()));
        }
        if config.get_application_name().is_none() {
            config.application_name("allclear");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_WAIT);
        }
        config.tcp_user_timeout(PEER_SILENCE_MAX).keepalives_idle(PEER_SILENCE_MAX);
        Ok(Self { config })
    }

    async fn connect(&self, session: &str, woken: Option<mpsc::Sender<String>>) -> Result<Link, Fault> {
        let (client, mut connection) = self.config.connect(NoTls).await.map_err(|error| fault(&error, "connect"))?;
        let driver = spawn(async move {
            loop {
                match poll_fn(|context| connection.poll_message(context)).await {
                    Some(Ok(AsyncMessage::Notification(notification))) => {
                        if let Some(woken) = &woken {
                            // A full queue already wakes whoever listens.
                            let _ = woken.try_send(notification.payload().to_owned());
                        }
                    }
                    Some(Ok(_)) => {}
                    Some(Err(error)) => {
                        tracing::debug!(%error, "a database connection ended");
                        return;
                    }
                    None => return,
                }
            }
        });
        let link = Link::new(client, driver);
        link.client.batch_execute(session).await.map_err(|error| fault(&error, "set up the session"))?;
        Ok(link)
    }

    /// A session for something long, outside the pool.
    pub(crate) async fn connect_long(&self) -> Result<Link, Fault> {
        self.connect(LONG_SESSION, None).await
    }

    /// Checks the server's version and brings the schema up to date.
    pub(crate) async fn prepare(&self, migrations: &[Migration], may_migrate: bool) -> Result<(), OpenError> {
        let mut link = self.connect_long().await?;
        let version = server_version(&mut link).await?;
        if version < OLDEST_SERVER.0 {
            return Err(OpenError::TooOld { what: "PostgreSQL", found: (version / 10_000).to_string(), needed: OLDEST_SERVER.1 });
        }
        if !may_migrate {
            let applied = applied(&mut link).await?;
            if migrate::pending(migrations, &applied)?.is_empty() {
                return Ok(());
            }
            let found = applied.last().map_or(0, |(number, _)| *number);
            return Err(OpenError::NeedsMigration { found, known: migrate::newest(migrations) });
        }
        // The lock ends with the session, also when this process is killed.
        link.client.execute("select pg_advisory_lock($1)", &[&MIGRATION_LOCK]).await.map_err(|error| fault(&error, "wait for the migration lock"))?;
        for migration in migrate::pending(migrations, &applied(&mut link).await?)? {
            let failed = |error: tokio_postgres::Error| migration.failed(fault(&error, "it").why);
            let text = format!("begin; {};\n{}", migrate::RECORD_TABLE, migration.text(Dialect::Postgres));
            let written = async {
                link.client.batch_execute(&text).await?;
                let record = sql_text::render(migrate::RECORD_WRITE, Dialect::Postgres);
                link.client.execute(&record, &[&migration.number, &migration.name]).await?;
                link.client.batch_execute("commit").await
            };
            if let Err(error) = written.await {
                // Best effort: the session ends right after and rolls back anyway.
                let _ = link.client.batch_execute("rollback").await;
                return Err(failed(error));
            }
        }
        Ok(())
    }
}

async fn applied(link: &mut Link) -> Result<Vec<(i64, String)>, Fault> {
    if link.read("select 1 where to_regclass('migration') is not null", &[]).await?.is_empty() {
        return Ok(Vec::new());
    }
    link.read(migrate::RECORD_READ, &[]).await?.iter().map(|row| Ok((row.int(0)?, row.text(1)?.to_owned()))).collect()
}

async fn server_version(link: &mut Link) -> Result<i64, Fault> {
    let rows = link.read("select cast(current_setting('server_version_num') as bigint)", &[]).await?;
    rows.first().map_or(Ok(0), |row| row.int(0))
}

struct Job {
    writes: Vec<Write>,
    answer: oneshot::Sender<Result<(), CommitError>>,
}

/// One open PostgreSQL database.
pub(crate) struct Server {
    pub(crate) address: Address,
    writer: Mutex<Option<mpsc::UnboundedSender<Job>>>,
    task: Mutex<Option<JoinHandle<()>>>,
    idle: Mutex<Vec<Link>>,
    permits: Semaphore,
}

impl Server {
    /// Starts the writer. The address has been prepared.
    pub(crate) fn start(address: Address, readers: usize, wakes: bool, planner: Planner, points: Arc<Points>) -> Self {
        let (writer, jobs) = mpsc::unbounded_channel();
        let session = Writer { address: address.clone(), link: None, planner, points, wakes };
        let task = spawn(write_until_closed(session, jobs));
        Self {
            address,
            writer: Mutex::new(Some(writer)),
            task: Mutex::new(Some(task)),
            idle: Mutex::new(Vec::new()),
            permits: Semaphore::new(readers.max(1)),
        }
    }

    /// Whether the schema has the log whose growth wakes other nodes.
    pub(crate) async fn has_log(address: &Address) -> Result<bool, Fault> {
        let mut link = address.connect_long().await?;
        let sql = "select 1 from information_schema.columns where table_schema = current_schema() and table_name = 'event' and column_name = 'seq'";
        Ok(!link.read(sql, &[]).await?.is_empty())
    }

    pub(crate) async fn commit(&self, writes: Vec<Write>) -> Result<(), CommitError> {
        let (answer, answered) = oneshot::channel();
        held(&self.writer).as_ref().ok_or_else(Fault::closed)?.send(Job { writes, answer }).map_err(|_| Fault::closed())?;
        answered.await.unwrap_or_else(|_| Err(Fault::closed().unknown().into()))
    }

    pub(crate) async fn read(&self, sql: &str, args: &[Val]) -> Result<Vec<Row>, Fault> {
        let _permit = self.permits.acquire().await.map_err(|_| Fault::closed())?;
        let mut tried = false;
        loop {
            let kept = held(&self.idle).pop().filter(|link| !link.client.is_closed());
            let fresh = kept.is_none();
            let mut link = match kept {
                Some(link) => link,
                None => self.address.connect(READER_SESSION, None).await?,
            };
            match link.read(sql, args).await {
                // A connection that lay idle while the server restarted, or a statement prepared
                // before the schema changed, says nothing about this read: once more, on a new one.
                Err(why) if !tried && !fresh && (why.kind == FaultKind::Unreachable || is_stale(&why)) => tried = true,
                answer => {
                    let usable = !answer.as_ref().is_err_and(is_stale) && !link.client.is_closed() && !self.permits.is_closed();
                    if usable {
                        held(&self.idle).push(link);
                    }
                    return answer;
                }
            }
        }
    }

    /// Wake-ups by other nodes' commits; an empty text after each (re)connection, since something may
    /// have been missed.
    pub(crate) fn notifications(&self) -> mpsc::Receiver<String> {
        let (woken, wakes) = mpsc::channel(WAKE_UPS_KEPT);
        let address = self.address.clone();
        spawn(async move {
            let mut pause = PAUSE.0;
            while !woken.is_closed() {
                if let Ok(mut link) = address.connect(LONG_SESSION, Some(woken.clone())).await
                    && link.client.batch_execute(&format!("listen {CHANNEL}")).await.is_ok()
                {
                    pause = PAUSE.0;
                    let _ = woken.try_send(String::new());
                    tokio::select! {
                        () = woken.closed() => {}
                        _ = &mut link.driver => {}
                    }
                }
                tokio::select! {
                    () = woken.closed() => {}
                    () = tokio::time::sleep(pause) => {}
                }
                pause = (pause * 2).min(PAUSE.1);
            }
        });
        wakes
    }

    /// What is wrong with the server, line by line.
    pub(crate) async fn check(&self) -> Result<Vec<String>, Fault> {
        let mut wrong = Vec::new();
        let rows = self
            .read("select cast(current_setting('server_version_num') as bigint), pg_is_in_recovery(), current_setting('fsync')", &[])
            .await?;
        for row in &rows {
            if row.int(0)? < OLDEST_SERVER.0 {
                wrong.push(format!("the server is older than version {}", OLDEST_SERVER.1));
            }
            if row.bool(1)? {
                wrong.push("the server is a standby and cannot be written".to_owned());
            }
            if row.text(2)? != "on" {
                wrong.push("fsync is off: a power failure loses what was accepted".to_owned());
            }
        }
        Ok(wrong)
    }

    pub(crate) async fn close(&self) {
        held(&self.writer).take();
        let task = held(&self.task).take();
        if let Some(task) = task {
            let _ = task.await;
        }
        self.permits.close();
        held(&self.idle).clear();
    }
}

async fn write_until_closed(mut writer: Writer, mut jobs: mpsc::UnboundedReceiver<Job>) {
    let mut taken: Vec<Job> = Vec::new();
    let mut pause = PAUSE.0;
    while jobs.recv_many(&mut taken, GROUP_MAX).await > 0 {
        let group: Vec<&[Write]> = taken.iter().map(|job| job.writes.as_slice()).collect();
        let answers = writer.commit_group(&group).await;
        for (job, answer) in taken.drain(..).zip(answers) {
            let _ = job.answer.send(answer);
        }
        if writer.link.is_some() {
            pause = PAUSE.0;
        } else {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE.1);
        }
    }
}

/// How a group ended when it did not commit.
enum Broken {
    /// A write failed; another commit of the group may pass.
    Write(CommitError),
    /// `COMMIT` was refused because of what was written.
    Rule(Fault),
    /// The world failed.
    World(Fault),
}

struct Writer {
    address: Address,
    link: Option<Link>,
    planner: Planner,
    points: Arc<Points>,
    /// Whether commits to the log notify other nodes.
    wakes: bool,
}

impl Writer {
    async fn link(&mut self) -> Result<&mut Link, Fault> {
        if self.link.as_ref().is_none_or(|link| link.client.is_closed()) {
            self.link = None;
            self.link = Some(self.address.connect(WRITER_SESSION, None).await?);
        }
        self.link.as_mut().ok_or_else(Fault::closed)
    }

    async fn commit_group(&mut self, group: &[&[Write]]) -> Vec<Result<(), CommitError>> {
        let mut outcome = self.whole(group).await;
        // Nothing of the group is durable when the connection was lost before `COMMIT`, or when a
        // statement was prepared before another node changed the schema: once more, on a new session.
        let again = match &outcome {
            Err(Broken::World(why)) => why.kind == FaultKind::Unreachable && !why.outcome_unknown,
            Err(Broken::Write(CommitError::Fault(why))) => is_stale(why),
            _ => false,
        };
        if again {
            self.link = None;
            outcome = self.whole(group).await;
        }
        match outcome {
            Ok(()) => group.iter().map(|_| Ok(())).collect(),
            Err(Broken::World(why)) => self.all_failed(group, why),
            Err(Broken::Write(error)) if group.len() == 1 => vec![Err(error)],
            Err(Broken::Rule(why)) if group.len() == 1 => vec![Err(why.into())],
            Err(Broken::Write(_)) => self.each_in_a_savepoint(group).await,
            Err(Broken::Rule(_)) => self.each_alone(group).await,
        }
    }

    fn all_failed(&mut self, group: &[&[Write]], why: Fault) -> Vec<Result<(), CommitError>> {
        if why.kind == FaultKind::Unreachable || why.outcome_unknown {
            self.link = None;
        }
        group.iter().map(|_| Err(why.clone().into())).collect()
    }

    async fn each_alone(&mut self, group: &[&[Write]]) -> Vec<Result<(), CommitError>> {
        let mut answers = Vec::with_capacity(group.len());
        for writes in group {
            let answer = match self.whole(&[*writes]).await {
                Ok(()) => Ok(()),
                Err(Broken::Write(error)) => Err(error),
                Err(Broken::Rule(why)) => Err(why.into()),
                Err(Broken::World(why)) => self.all_failed(&[*writes], why).pop().unwrap_or(Ok(())),
            };
            answers.push(answer);
        }
        answers
    }

    async fn whole(&mut self, group: &[&[Write]]) -> Result<(), Broken> {
        let wakes = self.wakes && group.iter().copied().flatten().any(wakes_others);
        let ops = self.planner.plan(group);
        let link = self.link().await.map_err(Broken::World)?;
        if let Err(error) = send(link, Some("begin"), &ops, wakes).await {
            roll_back(link).await;
            return Err(match error {
                CommitError::Fault(why) if !why.is_the_callers() && why.kind != FaultKind::Busy => Broken::World(why),
                other => Broken::Write(other),
            });
        }
        self.finish().await
    }

    async fn each_in_a_savepoint(&mut self, group: &[&[Write]]) -> Vec<Result<(), CommitError>> {
        let mut answers: Vec<Result<(), CommitError>> = Vec::with_capacity(group.len());
        let outcome = self.in_savepoints(group, &mut answers).await;
        match outcome {
            Ok(()) => answers,
            Err(Broken::Rule(_) | Broken::Write(_)) => self.each_alone(group).await,
            Err(Broken::World(why)) => {
                if let Some(link) = self.link.as_ref() {
                    roll_back(link).await;
                }
                self.all_failed(group, why)
            }
        }
    }

    async fn in_savepoints(&mut self, group: &[&[Write]], answers: &mut Vec<Result<(), CommitError>>) -> Result<(), Broken> {
        self.link().await.map_err(Broken::World)?.batch("begin").await.map_err(Broken::World)?;
        for writes in group {
            let wakes = self.wakes && writes.iter().any(wakes_others);
            let ops = self.planner.plan(&[*writes]);
            let link = self.link.as_mut().ok_or_else(|| Broken::World(Fault::closed()))?;
            link.batch("savepoint one").await.map_err(Broken::World)?;
            let answer = send(link, None, &ops, wakes).await;
            match &answer {
                Ok(()) => link.batch("release one").await.map_err(Broken::World)?,
                Err(CommitError::Fault(why)) if !why.is_the_callers() && why.kind != FaultKind::Busy => {
                    return Err(Broken::World(why.clone()));
                }
                Err(_) => link.batch("rollback to one; release one").await.map_err(Broken::World)?,
            }
            answers.push(answer);
        }
        self.finish().await
    }

    /// `COMMIT`. From the moment it is sent, a broken connection makes the outcome unknown.
    async fn finish(&mut self) -> Result<(), Broken> {
        self.points.reach(CommitPoint::BeforeCommit);
        let link = self.link.as_mut().ok_or_else(|| Broken::World(Fault::closed()))?;
        if let Err(why) = link.batch("commit").await {
            roll_back(link).await;
            return Err(match why.kind {
                FaultKind::Constraint => Broken::Rule(why),
                FaultKind::Busy | FaultKind::Full | FaultKind::ReadOnly => Broken::World(why),
                _ => Broken::World(why.unknown()),
            });
        }
        self.points.reach(CommitPoint::AfterCommit);
        Ok(())
    }
}

impl Link {
    async fn batch(&self, sql: &'static str) -> Result<(), Fault> {
        self.client.batch_execute(sql).await.map_err(|error| fault(&error, sql))
    }
}

/// A rollback by which the session becomes usable again; where it fails, the session is broken and
/// replaced by its next user.
async fn roll_back(link: &Link) {
    let _ = link.client.batch_execute("rollback").await;
}

fn wakes_others(write: &Write) -> bool {
    matches!(write, Write::Insert { table, .. } | Write::Upsert { table, .. } if table.name == WAKING_TABLE)
}

type Sent<'a> = Pin<Box<dyn Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>>;

/// Sends `first` (such as `begin`), then all statements, without waiting in between; the first failure is the answer.
async fn send(link: &mut Link, first: Option<&'static str>, ops: &[Op<'_>], wakes: bool) -> Result<(), CommitError> {
    let mut prepared = Vec::with_capacity(ops.len());
    for op in ops {
        prepared.push(match op {
            Op::Rows { table, upsert, .. } => link.prepared_rows(table, *upsert).await?,
            Op::Exec { sql, args, .. } => {
                let statement = link.prepared(sql).await?;
                counted(&statement, args.len(), sql)?;
                statement
            }
        });
    }
    let notify = if wakes { Some(link.prepared(NOTIFY).await?) } else { None };
    let client = &link.client;
    let mut sent: Vec<Sent<'_>> = Vec::with_capacity(ops.len() + 2);
    if let Some(first) = first {
        sent.push(Box::pin(async move { client.batch_execute(first).await.map(|()| 0) }));
    }
    for (op, statement) in ops.iter().zip(&prepared) {
        let params: Vec<Param<'_>> = match op {
            Op::Rows { table, rows, .. } => pg_batch::arrays(table, rows),
            Op::Exec { args, .. } => args.iter().map(Param::One).collect(),
        };
        sent.push(Box::pin(client.execute_raw(statement, params)));
    }
    if let Some(statement) = &notify {
        sent.push(Box::pin(client.execute_raw(statement, Vec::<Param<'_>>::new())));
    }
    let answers = in_order(sent).await;
    for (index, answer) in answers.into_iter().enumerate() {
        let op = index.checked_sub(usize::from(first.is_some())).and_then(|index| ops.get(index));
        match (op, answer) {
            (None, Ok(_)) | (Some(Op::Rows { .. }), Ok(_)) => {}
            (Some(Op::Exec { table, expect, .. }), Ok(changed)) => {
                if let Some(expected) = expect.filter(|expected| *expected != changed) {
                    return Err(unexpected(table, expected, changed));
                }
            }
            (None, Err(error)) => return Err(fault(&error, first.unwrap_or(CHANNEL)).into()),
            (Some(Op::Rows { table, .. } | Op::Exec { table, .. }), Err(error)) => return Err(refused(&error, table)),
        }
    }
    Ok(())
}

/// Polls each future once in order, which sends it, then collects the answers in the same order,
/// which is how they arrive.
async fn in_order(mut sent: Vec<Sent<'_>>) -> Vec<Result<u64, tokio_postgres::Error>> {
    let mut early: Vec<Option<Result<u64, tokio_postgres::Error>>> = Vec::with_capacity(sent.len());
    poll_fn(|context| {
        for future in &mut sent {
            early.push(match future.as_mut().poll(context) {
                Poll::Ready(answer) => Some(answer),
                Poll::Pending => None,
            });
        }
        Poll::Ready(())
    })
    .await;
    let mut answers = Vec::with_capacity(sent.len());
    for (future, known) in sent.into_iter().zip(early) {
        answers.push(match known {
            Some(answer) => answer,
            None => future.await,
        });
    }
    answers
}

/// A refused row: a conflict where a key is taken, else a fault.
fn refused(error: &tokio_postgres::Error, table: &'static Table) -> CommitError {
    if error.code() == Some(&SqlState::UNIQUE_VIOLATION) {
        return CommitError::Conflict { table: table.name, why: "a row with this key exists already".to_owned() };
    }
    fault(error, table.name).into()
}

/// The words of a statement that was prepared before the schema changed.
const STALE: &str = "cached plan must not change result type";

fn is_stale(why: &Fault) -> bool {
    why.why.contains(STALE)
}

/// PostgreSQL's answer as a fault; `what` is the statement or table. Details, which quote values of
/// rows, are left out.
pub(crate) fn fault(error: &tokio_postgres::Error, what: &str) -> Fault {
    use std::error::Error as _;
    let Some(answer) = error.as_db_error() else {
        let source = error.source();
        let kind = if source.is_some_and(|source| source.is::<pg_batch::WrongKind>() || source.is::<std::num::TryFromIntError>()) {
            FaultKind::Statement
        } else {
            FaultKind::Unreachable
        };
        let cause = source.map(|source| format!(": {source}")).unwrap_or_default();
        return Fault::new(kind, format!("{what}: {error}{cause}"));
    };
    let code = answer.code();
    let kind = match code.code() {
        "40001" | "40P01" | "53300" => FaultKind::Busy,
        "53100" => FaultKind::Full,
        "58030" => FaultKind::Io,
        "25006" => FaultKind::ReadOnly,
        "57014" | "55P03" | "25P03" => FaultKind::Timeout,
        "57P01" | "57P02" | "57P03" | "57P05" => FaultKind::Unreachable,
        "XX001" | "XX002" => FaultKind::Corrupt,
        other => match &other[..2] {
            "08" => FaultKind::Unreachable,
            "23" => FaultKind::Constraint,
            "53" => FaultKind::Busy,
            "28" | "3D" => FaultKind::Other,
            _ => FaultKind::Statement,
        },
    };
    Fault::new(kind, format!("{what}: {} ({})", answer.message(), code.code()))
}
