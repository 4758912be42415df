//! PostgreSQL's connections: one that writes groups of commits, a few that read, one that listens.
//!
//! Invariant: a connection that broke while `COMMIT` was on its way makes the outcome unknown; one that
//! broke before makes nothing of the group durable, and the group is tried once more on a new one.
//!
//! What a group looks like on the wire is planned in `pg_batch`. Behind a pooler in transaction mode each
//! transaction may meet another session of the server: that is found out at the opening ([`Address::look_for_a_pooler`]),
//! and then nothing is left in a session: statements have no name, limits are set inside each transaction, nobody
//! listens. What a server runs is the same in both ways.

pub(crate) mod batch;
pub(crate) mod tls;
pub(crate) mod writer;

use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_postgres::config::TargetSessionAttrs;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{AsyncMessage, Client, Config, NoTls, SimpleQueryMessage, Statement};

use crate::fault::{CommitError, Fault, FaultKind, OpenError, without_password};
use crate::faulty::Points;
use crate::migrate::{self, Migration};
use crate::pg::batch::{Param, Planner};
use crate::pg::tls::Verified;
use crate::pg::writer::{Job, Writer, write_until_closed};
use crate::sql_text::{self, Dialect};
use crate::val::{Row, Table, Val, Write};

/// How long one connection attempt may take.
const CONNECT_WAIT: Duration = Duration::from_secs(5);
/// After this long without an answer from the peer's machine the connection counts as broken.
const PEER_SILENCE_MAX: Duration = Duration::from_secs(10);
/// The first and the longest pause between attempts to connect again.
pub(crate) const PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));
/// Statements kept prepared for each connection; all are forgotten when there are more.
const STATEMENTS_KEPT: usize = 512;
/// Wake-ups that may wait for the listener; more say nothing new.
const WAKE_UPS_KEPT: usize = 64;
/// The oldest server that is supported until its end in November 2027, and has what we use.
const OLDEST_SERVER: (i64, &str) = (150_000, "15");
/// Two servers that start together take turns by this number (the letters "allclear" in ASCII).
const MIGRATION_LOCK: i64 = 0x616c_6c63_6c65_6172;
/// The channel that wakes other nodes.
pub(crate) const CHANNEL: &str = "allclear";
/// The table whose new rows wake other nodes.
pub(crate) const WAKING_TABLE: &str = "event";
/// Tells listeners, in the transaction that wrote it, how far the log reaches.
pub(crate) const NOTIFY: &str = "select pg_notify('allclear', (select coalesce(max(seq), 0)::text from event))";
/// A writing session: limits for statements, locks (as on SQLite: whoever asks waits for the group before theirs and for
/// their own, and is to be answered within ten seconds) and transactions that nobody goes on with (a machine that was suspended
/// in the middle of one holds up no other node longer than its death would), synced commits; and no statement is compiled first, which
/// takes a second of its first run where the server takes a short look at a large table for a long one.
pub(crate) const WRITER_SESSION: &str = "set statement_timeout = '30s'; set lock_timeout = '4s'; \
    set idle_in_transaction_session_timeout = '5s'; set timezone = 'UTC'; set jit = off; \
    select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') in ('off', 'local')";
/// The same for one transaction, behind a pooler that shares sessions.
pub(crate) const POOLED_BEGIN: &str = "begin; set local statement_timeout = '30s'; set local lock_timeout = '4s'; \
    set local idle_in_transaction_session_timeout = '5s'; set local jit = off; \
    select set_config('synchronous_commit', 'on', true) where current_setting('synchronous_commit') in ('off', 'local')";
/// A read behind such a pooler.
const POOLED_READ: &str = "begin read only; set local statement_timeout = '30s'; set local jit = off";
/// How long the look for a pooler waits for a session: one whose pool holds a single session has none to give.
const PROBE_WAIT: Duration = Duration::from_secs(2);
/// Sessions that the look for a pooler holds on to, one after another: a pool that hands out the one that lay idle
/// longest gives the same one twice at most.
const PROBES: usize = 2;
/// A reading session, which cannot write.
const READER_SESSION: &str = "set statement_timeout = '30s'; set timezone = 'UTC'; set jit = off; set default_transaction_read_only = on";
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
    /// Whether a pooler shares the sessions behind it.
    pub(crate) pooled: bool,
}

impl Link {
    fn new(client: Client, driver: JoinHandle<()>, pooled: bool) -> Self {
        Self { client, statements: HashMap::new(), rows: HashMap::new(), driver, pooled }
    }

    pub(crate) async fn prepared(&mut self, sql: &str) -> Result<Statement, Fault> {
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

    pub(crate) async fn prepared_rows(&mut self, table: &'static Table, upsert: bool) -> Result<Statement, Fault> {
        if let Some(statement) = self.rows.get(&(table.name, upsert)) {
            return Ok(statement.clone());
        }
        let text = sql_text::many_rows(table, upsert);
        let statement = self.client.prepare(&text).await.map_err(|error| fault(&error, table.name))?;
        self.rows.insert((table.name, upsert), statement.clone());
        Ok(statement)
    }

    /// One statement that reads, outside a transaction or in one that the caller has begun.
    pub(crate) async fn read(&mut self, sql: &str, args: &[Val]) -> Result<Vec<Row>, Fault> {
        if self.pooled {
            counted(sql_text::parameters(sql), args.len(), sql)?;
            let text = sql_text::render(sql, Dialect::Postgres);
            let params: Vec<(Param<'_>, Type)> = args.iter().map(|arg| (Param::One(arg), batch::type_of(arg))).collect();
            let params: Vec<(&(dyn ToSql + Sync), Type)> = params.iter().map(|(param, of)| (param as _, of.clone())).collect();
            let rows = self.client.query_typed(&text, &params).await.map_err(|error| fault(&error, sql))?;
            return rows.iter().map(batch::row).collect();
        }
        let statement = self.prepared(sql).await?;
        counted(statement.params().len(), args.len(), sql)?;
        let params: Vec<Param<'_>> = args.iter().map(Param::One).collect();
        let params: Vec<&(dyn tokio_postgres::types::ToSql + Sync)> = params.iter().map(|param| param as _).collect();
        let rows = self.client.query(&statement, &params).await.map_err(|error| fault(&error, sql))?;
        rows.iter().map(batch::row).collect()
    }

    /// One statement of a reading session. Behind a pooler its limits are sent along with it.
    async fn read_only(&mut self, sql: &str, args: &[Val]) -> Result<Vec<Row>, Fault> {
        if !self.pooled {
            return self.read(sql, args).await;
        }
        self.client.batch_execute(POOLED_READ).await.map_err(|error| fault(&error, "begin"))?;
        let found = self.read(sql, args).await;
        let ended = self.client.batch_execute("commit").await.map_err(|error| fault(&error, "commit"));
        let rows = found?;
        ended.map(|()| rows)
    }

    /// The session that answers now. Without a statement that would have a name.
    async fn session(&self) -> Result<String, Fault> {
        let rows = self.client.simple_query("select pg_backend_pid()").await.map_err(|error| fault(&error, "look for a pooler"))?;
        let pid = rows.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0),
            _ => None,
        });
        Ok(pid.unwrap_or_default().to_owned())
    }
}

/// Runs a statement without a name, as it is sent behind a pooler; how many rows it changed.
pub(crate) async fn unnamed(client: &Client, text: &str, params: Vec<(Param<'_>, Type)>) -> Result<u64, tokio_postgres::Error> {
    let params: Vec<(&(dyn ToSql + Sync), Type)> = params.iter().map(|(param, of)| (param as _, of.clone())).collect();
    client.execute_typed(text, &params).await
}

pub(crate) fn counted(wanted: usize, given: usize, what: &str) -> Result<(), Fault> {
    if wanted == given {
        return Ok(());
    }
    Err(Fault::new(FaultKind::Statement, format!("{what}: {given} values were given for {wanted} parameters")))
}

/// Carries a connection's traffic until it ends, and hands on what other nodes notify.
async fn drive<T>(mut connection: tokio_postgres::Connection<tokio_postgres::Socket, T>, woken: Option<mpsc::Sender<String>>)
where
    T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
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
}

/// The address, and what connecting needs.
#[derive(Clone)]
pub(crate) struct Address {
    config: Config,
    /// Where TLS is asked for.
    tls: Option<Verified>,
    /// Whether a pooler hands each transaction to another session.
    pub(crate) pooled: bool,
}

/// The address without what libpq knows and the driver does not: `sslrootcert`, and the two stricter
/// names of what we do for `require` anyway.
fn for_the_driver(url: &str) -> (String, Option<String>) {
    let Some((start, query)) = url.split_once('?') else {
        return (url.to_owned(), None);
    };
    let mut roots = None;
    let mut kept = Vec::new();
    for part in query.split('&') {
        match part.split_once('=') {
            Some(("sslrootcert", path)) => roots = Some(path.replace("%2F", "/").replace("%2f", "/")),
            Some(("sslmode", "verify-full" | "verify-ca")) => kept.push("sslmode=require"),
            _ => kept.push(part),
        }
    }
    (format!("{start}?{}", kept.join("&")), roots)
}

impl Address {
    pub(crate) fn parse(url: &str) -> Result<Self, OpenError> {
        let wrong = |why: String| OpenError::Address { given: without_password(url), why };
        let (text, roots) = for_the_driver(url);
        let mut config: Config = text.parse().map_err(|error: tokio_postgres::Error| wrong(error.to_string()))?;
        let tls = if config.get_ssl_mode() == tokio_postgres::config::SslMode::Require {
            Some(Verified::new(roots.as_deref()).map_err(wrong)?)
        } else {
            None
        };
        if config.get_application_name().is_none() {
            config.application_name("allclear");
        }
        // A standby takes no writes: of several servers the one is meant that does, whichever it is after a failover.
        if config.get_hosts().len() > 1 && config.get_target_session_attrs() == TargetSessionAttrs::Any {
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_WAIT);
        }
        config.tcp_user_timeout(PEER_SILENCE_MAX).keepalives_idle(PEER_SILENCE_MAX);
        Ok(Self { config, tls, pooled: false })
    }

    pub(crate) async fn connect(&self, session: &str, woken: Option<mpsc::Sender<String>>) -> Result<Link, Fault> {
        let cannot = |error: tokio_postgres::Error| fault(&error, "connect");
        let (client, driver) = match &self.tls {
            Some(tls) => {
                let (client, connection) = self.config.connect(tls.clone()).await.map_err(cannot)?;
                (client, spawn(drive(connection, woken)))
            }
            None => {
                let (client, connection) = self.config.connect(NoTls).await.map_err(cannot)?;
                (client, spawn(drive(connection, woken)))
            }
        };
        let link = Link::new(client, driver, self.pooled);
        if !self.pooled {
            link.client.batch_execute(session).await.map_err(|error| fault(&error, "set up the session"))?;
        }
        Ok(link)
    }

    /// Finds out whether a pooler in transaction mode is between us and the server: then a connection meets another
    /// session while somebody else is in a transaction on the one it had.
    pub(crate) async fn look_for_a_pooler(&mut self) -> Result<(), Fault> {
        // As if there were one: nothing is left in a session.
        self.pooled = true;
        let link = self.connect("", None).await?;
        let had = link.session().await?;
        let mut holding = Vec::new();
        for _ in 0..PROBES {
            let other = self.connect("", None).await?;
            let begun = tokio::time::timeout(PROBE_WAIT, other.client.batch_execute("begin; select 1")).await;
            holding.push(other);
            let now = tokio::time::timeout(PROBE_WAIT, link.session()).await;
            match (begun, now) {
                (Ok(Ok(())), Ok(Ok(now))) if now == had => {}
                (Ok(Err(error)), _) => return Err(fault(&error, "look for a pooler")),
                (_, Ok(Err(why))) => return Err(why),
                _ => {
                    tracing::info!("a pooler shares the database's sessions: other nodes are heard within seconds instead of at once");
                    return Ok(());
                }
            }
        }
        self.pooled = false;
        Ok(())
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
        loop {
            // The lock ends with the transaction, also when this process is killed, and behind a pooler.
            let begin = format!("begin; set local statement_timeout = 0; select pg_advisory_xact_lock({MIGRATION_LOCK})");
            link.client.batch_execute(&begin).await.map_err(|error| fault(&error, "wait for the migration lock"))?;
            let applied = applied(&mut link).await?;
            let Some(migration) = migrate::pending(migrations, &applied)?.first() else {
                return link.client.batch_execute("rollback").await.map_err(|error| fault(&error, "let go of the migration lock").into());
            };
            let name = migration.name.replace('\'', "''");
            let record = migrate::RECORD_WRITE.replace("?1", &migration.number.to_string()).replace("?2", &format!("'{name}'"));
            let text = format!("{};\n{}\n;{record}; commit", migrate::RECORD_TABLE, migration.text(Dialect::Postgres));
            if let Err(error) = link.client.batch_execute(&text).await {
                // Best effort: the connection ends right after, and the server rolls back anyway.
                let _ = link.client.batch_execute("rollback").await;
                return Err(migration.failed(fault(&error, "it").why));
            }
        }
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
        let session = Writer::new(address.clone(), planner, points, wakes);
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
            match link.read_only(sql, args).await {
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
    ///
    /// None behind a pooler in transaction mode, where nobody can listen: whoever asks looks now and then.
    pub(crate) fn notifications(&self) -> Option<mpsc::Receiver<String>> {
        if self.address.pooled {
            return None;
        }
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
        Some(wakes)
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

/// The words of a statement that was prepared before the schema changed.
const STALE: &str = "cached plan must not change result type";

pub(crate) fn is_stale(why: &Fault) -> bool {
    why.why.contains(STALE)
}

/// PostgreSQL's answer as a fault; `what` is the statement or table. Details, which quote values of
/// rows, are left out.
pub(crate) fn fault(error: &tokio_postgres::Error, what: &str) -> Fault {
    use std::error::Error as _;
    let Some(answer) = error.as_db_error() else {
        let source = error.source();
        let kind = if source.is_some_and(|source| source.is::<batch::WrongKind>() || source.is::<std::num::TryFromIntError>()) {
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
