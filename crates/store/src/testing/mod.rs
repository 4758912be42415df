//! A throw-away PostgreSQL server for tests: started once in a test process, gone when that process
//! ends in whatever way, with a fresh database for each test.
//!
//! `ALLCLEAR_TEST_POSTGRES` names a server to use instead (a superuser's address); with
//! `ALLCLEAR_TEST_FSYNC=on` the own server syncs, for measuring. The server listens on a socket in a
//! temporary folder only, so that runs side by side never meet.

mod pair;

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio_postgres::NoTls;

pub use pair::Pair;

/// Where Debian and others put the server's programs.
const PLACES: &[&str] = &["/usr/lib/postgresql", "/usr/pgsql", "/opt/homebrew/opt"];
/// How often and how long the start is awaited: 400 × 50 ms.
const START_TRIES: u32 = 400;
/// See [`START_TRIES`].
const START_PAUSE: Duration = Duration::from_millis(50);
/// Waits for its input to end, which it does when the test process does, then stops the server and
/// removes its folder. `$1` is the folder.
const WATCH: &str = r#"dir=$1; shift; "$@" >"$dir/log" 2>&1 & server=$!
while read -r _; do :; done; kill -INT $server; wait $server; rm -rf "$dir""#;

/// Where the pooler is.
const POOLERS: &[&str] = &["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/opt/homebrew/bin/pgbouncer"];
/// Poolers of this process: each ends when its input does.
static RUNNING: std::sync::Mutex<Vec<Child>> = std::sync::Mutex::new(Vec::new());

struct Server {
    /// The address of the database `postgres` for the superuser.
    admin: String,
    /// Its input is what keeps the server alive.
    _watch: Option<Child>,
}

static SERVER: OnceCell<Result<Server, String>> = OnceCell::const_new();
static NEXT: AtomicU64 = AtomicU64::new(1);

/// The address of a new, empty database; why there is none, where no server can be had.
pub async fn fresh_database() -> Result<String, String> {
    let server = SERVER.get_or_init(start).await.as_ref().map_err(Clone::clone)?;
    let name = format!("test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    run(&server.admin, &format!("create database {name}")).await?;
    Ok(with_database(&server.admin, &name))
}

/// The same, with texts ordered as a language orders them; none where the server has no ICU.
pub async fn fresh_database_in_english() -> Result<String, String> {
    let server = SERVER.get_or_init(start).await.as_ref().map_err(Clone::clone)?;
    let name = format!("test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    run(&server.admin, &format!("create database {name} template template0 encoding 'UTF8' locale_provider icu icu_locale 'en'")).await?;
    Ok(with_database(&server.admin, &name))
}

/// The address of a database through a pooler of its own in transaction mode, as old as Debian's, which keeps no
/// prepared statement; why there is none, where it is not installed.
pub async fn behind_a_pooler(url: &str) -> Result<String, String> {
    let program = POOLERS.iter().map(Path::new).find(|path| path.exists()).ok_or("pgbouncer is not installed")?;
    let config: tokio_postgres::Config = url.parse().map_err(|error| format!("{error}"))?;
    let host = match config.get_hosts().first() {
        Some(tokio_postgres::config::Host::Unix(path)) => path.display().to_string(),
        Some(tokio_postgres::config::Host::Tcp(host)) => host.clone(),
        None => return Err("the address names no host".to_owned()),
    };
    let (server_port, user) = (config.get_ports().first().copied().unwrap_or(5432), config.get_user().unwrap_or("postgres"));
    let dir = tempfile::Builder::new().prefix("allclear-pool-").tempdir().map_err(|error| error.to_string())?.keep();
    let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).map_err(|error| error.to_string())?;
    let settings = format!(
        "[databases]\n* = host={host} port={server_port} user={user}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {}\n\
         unix_socket_dir =\nauth_type = any\npool_mode = transaction\ndefault_pool_size = 8\nmax_client_conn = 200\n",
        free.port()
    );
    fs::write(dir.join("pool.ini"), settings).map_err(|error| error.to_string())?;
    let mut watch = Command::new("/bin/sh");
    watch.args(["-c", WATCH, "watch"]).arg(&dir).arg(program).arg(dir.join("pool.ini")).current_dir(&dir);
    if let Some((uid, gid)) = user_to_run_as() {
        for path in [dir.clone(), dir.join("pool.ini")] {
            chown(&path, Some(uid), Some(gid)).map_err(|error| format!("{}: {error}", path.display()))?;
        }
        watch.uid(uid).gid(gid);
    }
    watch.process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let child = watch.spawn().map_err(|error| format!("cannot start pgbouncer: {error}"))?;
    RUNNING.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(child);
    let through = format!("postgres://{user}@{free}/{}", config.get_dbname().unwrap_or("postgres"));
    let mut last = String::new();
    for _ in 0..START_TRIES {
        match run(&through, "select 1").await {
            Ok(()) => return Ok(through),
            Err(why) => last = why,
        }
        tokio::time::sleep(START_PAUSE).await;
    }
    Err(format!("pgbouncer did not start: {last}\n{}", fs::read_to_string(dir.join("log")).unwrap_or_default()))
}

/// Ends all sessions of a database that [`fresh_database`] made, as a server's restart would.
pub async fn cut_sessions(url: &str) -> Result<(), String> {
    run(url, "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()").await
}

/// Runs statements on a connection of their own.
pub async fn run(url: &str, sql: &str) -> Result<(), String> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.map_err(|error| format!("connect: {error:?}"))?;
    let work = client.batch_execute(sql);
    tokio::select! {
        done = work => done.map_err(|error| format!("{sql}: {error:?}")),
        ended = connection => Err(format!("{sql}: the connection ended: {ended:?}")),
    }
}

/// The one number that a query of its own connection finds.
pub async fn number(url: &str, sql: &str) -> Result<i64, String> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.map_err(|error| format!("connect: {error:?}"))?;
    tokio::select! {
        found = client.query_one(sql, &[]) => found.and_then(|row| row.try_get(0)).map_err(|error| format!("{sql}: {error:?}")),
        ended = connection => Err(format!("{sql}: the connection ended: {ended:?}")),
    }
}

/// The address with another database's name.
fn with_database(url: &str, name: &str) -> String {
    let (rest, query) = url.split_once('?').map_or((url, String::new()), |(rest, query)| (rest, format!("?{query}")));
    let (scheme, rest) = rest.split_once("://").unwrap_or(("postgres", rest));
    let host = rest.split('/').next().unwrap_or_default();
    format!("{scheme}://{host}/{name}{query}")
}

#[allow(clippy::disallowed_methods)] // Tests are told where their server is by the environment.
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

async fn start() -> Result<Server, String> {
    if let Some(admin) = environment("ALLCLEAR_TEST_POSTGRES") {
        return Ok(Server { admin, _watch: None });
    }
    let programs = programs().ok_or("no PostgreSQL server is installed (looked for initdb under /usr/lib/postgresql)")?;
    let dir = tempfile::Builder::new().prefix("allclear-pg-").tempdir().map_err(|error| error.to_string())?.keep();
    let fsync = environment("ALLCLEAR_TEST_FSYNC").unwrap_or_else(|| "off".to_owned());
    match launch(&programs, &dir, &fsync) {
        Ok(watch) => {
            let admin = format!("postgres://postgres@/postgres?host={}", dir.display().to_string().replace('/', "%2F"));
            await_start(&admin, &dir).await?;
            Ok(Server { admin, _watch: Some(watch) })
        }
        Err(why) => {
            let _ = fs::remove_dir_all(&dir);
            Err(why)
        }
    }
}

/// The newest installed server's folder of programs.
fn programs() -> Option<PathBuf> {
    let mut found: Vec<PathBuf> = PLACES
        .iter()
        .filter_map(|place| fs::read_dir(place).ok())
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|bin| bin.join("initdb").exists() && bin.join("postgres").exists())
        .collect();
    found.sort_by_key(|bin| {
        let version = bin.parent().and_then(Path::file_name).and_then(|name| name.to_str());
        version.and_then(|version| version.parse::<u32>().ok()).unwrap_or(0)
    });
    found.pop()
}

/// The user to run as: the server refuses root.
fn user_to_run_as() -> Option<(u32, u32)> {
    if fs::metadata("/proc/self").ok()?.uid() != 0 {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").ok()?;
    ["postgres", "nobody"].iter().find_map(|wanted| {
        let line = users.lines().find(|line| line.split(':').next() == Some(wanted))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    })
}

fn launch(programs: &Path, dir: &Path, fsync: &str) -> Result<Child, String> {
    let user = user_to_run_as();
    let as_user = |command: &mut Command| {
        command.current_dir(dir).env("LC_ALL", "C").env("TZ", "UTC");
        if let Some((uid, gid)) = user {
            command.uid(uid).gid(gid);
        }
    };
    if let Some((uid, gid)) = user {
        chown(dir, Some(uid), Some(gid)).map_err(|error| format!("{}: {error}", dir.display()))?;
    }
    let data = dir.join("data");
    let mut initdb = Command::new(programs.join("initdb"));
    initdb.args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "-D"]).arg(&data);
    as_user(&mut initdb);
    let made = initdb.output().map_err(|error| format!("initdb: {error}"))?;
    if !made.status.success() {
        return Err(format!("initdb: {}", String::from_utf8_lossy(&made.stderr)));
    }
    let mut watch = Command::new("/bin/sh");
    watch.args(["-c", WATCH, "watch"]).arg(dir).arg(programs.join("postgres")).arg("-D").arg(&data).arg("-k").arg(dir);
    for setting in [
        "listen_addresses=",
        &format!("fsync={fsync}"),
        &format!("full_page_writes={fsync}"),
        "max_connections=200",
        "shared_buffers=64MB",
        "timezone=UTC",
    ] {
        watch.arg("-c").arg(setting);
    }
    as_user(&mut watch);
    // A process group of its own: an interrupt at the terminal ends the tests, which ends the server.
    watch.process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    watch.spawn().map_err(|error| format!("cannot start the server: {error}"))
}

async fn await_start(admin: &str, dir: &Path) -> Result<(), String> {
    let mut last = String::new();
    for _ in 0..START_TRIES {
        match run(admin, "select 1").await {
            Ok(()) => return Ok(()),
            Err(why) => last = why,
        }
        tokio::time::sleep(START_PAUSE).await;
    }
    let log = fs::read_to_string(dir.join("log")).unwrap_or_default();
    Err(format!("the server did not start: {last}\n{log}"))
}
