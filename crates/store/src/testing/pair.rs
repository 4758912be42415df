//! A primary PostgreSQL server and its standby on this machine, for tests of a failover: what is committed is
//! on both (`synchronous_standby_names`), either may be the primary, and the one that fell comes back as the standby of
//! the other.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;
use tokio_postgres::NoTls;

use super::{START_PAUSE, START_TRIES, WATCH, programs, run, user_to_run_as};

/// The database on both.
const DATABASE: &str = "allclear";
/// Asks whether the one standby has flushed all that the primary has written, and commits wait for it.
const IN_STEP: &str = "select 1 from pg_stat_replication where sync_state = 'sync' and flush_lsn >= pg_current_wal_lsn()";

/// One life of one of the two.
struct Server {
    /// Its data and its log.
    dir: PathBuf,
    /// Its input is what keeps it alive.
    watch: Child,
}

/// See the module.
pub struct Pair {
    base: TempDir,
    programs: PathBuf,
    servers: [Option<Server>; 2],
    primary: usize,
    /// Counts starts of a server on new data.
    lives: u32,
}

impl Pair {
    /// Both, in step; why there are none, where no server can be had.
    ///
    /// # Errors
    /// When PostgreSQL is not installed, or does not come up.
    pub async fn start() -> Result<Self, String> {
        let programs = programs().ok_or("no PostgreSQL server is installed (looked for initdb under /usr/lib/postgresql)")?;
        if !programs.join("pg_basebackup").exists() && !Path::new("/usr/bin/pg_basebackup").exists() {
            return Err("pg_basebackup is not installed".to_owned());
        }
        let base = tempfile::Builder::new().prefix("allclear-pair-").tempdir().map_err(|error| error.to_string())?;
        own(base.path())?;
        let mut pair = Self { base, programs, servers: [None, None], primary: 0, lives: 0 };
        for socket in [pair.socket(0), pair.socket(1)] {
            fs::create_dir(&socket).map_err(|error| error.to_string())?;
            own(&socket)?;
        }
        let dir = pair.new_life()?;
        let mut initdb = as_user(Command::new(pair.programs.join("initdb")), &dir);
        initdb.args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "-D"]).arg(dir.join("data"));
        ended_well(initdb)?;
        pair.launch(0, dir).await?;
        run(&pair.admin(0), &format!("create database {DATABASE}")).await?;
        pair.bring_back().await?;
        Ok(pair)
    }

    /// The address of both, as an operator writes it.
    #[must_use]
    pub fn url(&self) -> String {
        let socket = |n| self.socket(n).display().to_string().replace('/', "%2F");
        format!("postgres://postgres@{},{}/{DATABASE}", socket(0), socket(1))
    }

    /// The address of the primary of this moment.
    #[must_use]
    pub fn primary(&self) -> String {
        self.admin(self.primary).replace("/postgres?", &format!("/{DATABASE}?"))
    }

    /// The primary falls, as by SIGKILL of all its processes, and the standby is promoted.
    ///
    /// # Errors
    /// When the standby does not become the primary.
    pub async fn fail_over(&mut self) -> Result<(), String> {
        let fallen = self.primary;
        let server = self.servers[fallen].take().ok_or("the primary does not run")?;
        let mut stop = as_user(Command::new(self.programs.join("pg_ctl")), self.base.path());
        stop.args(["stop", "-m", "immediate", "-w", "-D"]).arg(server.dir.join("data"));
        ended_well(stop)?;
        drop(server);
        self.primary = 1 - fallen;
        run(&self.admin(self.primary), "select pg_promote(true, 30)").await
    }

    /// The one that does not run comes back as the standby of the other, and commits wait for it again.
    ///
    /// # Errors
    /// When it does not.
    pub async fn bring_back(&mut self) -> Result<(), String> {
        let (primary, standby) = (self.primary, 1 - self.primary);
        if self.servers[standby].is_some() {
            return Err("both run".to_owned());
        }
        let admin = self.admin(primary);
        run(&admin, "alter system set synchronous_standby_names = ''").await?;
        run(&admin, "select pg_reload_conf()").await?;
        let dir = self.new_life()?;
        let placed = self.programs.join("pg_basebackup");
        let program = if placed.exists() { placed } else { PathBuf::from("/usr/bin/pg_basebackup") };
        let mut copy = as_user(Command::new(program), &dir);
        copy.arg("-h").arg(self.socket(primary)).args(["-U", "postgres", "-R", "-X", "stream", "-c", "fast", "--no-sync", "-D"]);
        copy.arg(dir.join("data"));
        tokio::task::spawn_blocking(move || ended_well(copy)).await.map_err(|error| error.to_string())??;
        self.launch(standby, dir).await?;
        run(&admin, "alter system set synchronous_standby_names = '*'").await?;
        run(&admin, "select pg_reload_conf()").await?;
        for _ in 0..START_TRIES {
            if there_is(&admin, IN_STEP).await? {
                return Ok(());
            }
            tokio::time::sleep(START_PAUSE).await;
        }
        Err("the standby did not come into step".to_owned())
    }

    fn socket(&self, server: usize) -> PathBuf {
        self.base.path().join(["a", "b"][server])
    }

    /// The address of the database `postgres` of one of them, for the superuser.
    fn admin(&self, server: usize) -> String {
        format!("postgres://postgres@/postgres?host={}", self.socket(server).display().to_string().replace('/', "%2F"))
    }

    fn new_life(&mut self) -> Result<PathBuf, String> {
        self.lives += 1;
        let dir = self.base.path().join(self.lives.to_string());
        fs::create_dir(&dir).map_err(|error| error.to_string())?;
        own(&dir)?;
        Ok(dir)
    }

    async fn launch(&mut self, server: usize, dir: PathBuf) -> Result<(), String> {
        let mut watch = as_user(Command::new("/bin/sh"), &dir);
        watch.args(["-c", WATCH, "watch"]).arg(&dir).arg(self.programs.join("postgres")).arg("-D").arg(dir.join("data"));
        watch.arg("-k").arg(self.socket(server));
        for setting in
            ["listen_addresses=", "fsync=off", "full_page_writes=off", "max_connections=100", "shared_buffers=32MB", "timezone=UTC"]
        {
            watch.arg("-c").arg(setting);
        }
        std::os::unix::process::CommandExt::process_group(&mut watch, 0);
        watch.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = watch.spawn().map_err(|error| format!("cannot start the server: {error}"))?;
        let log = dir.join("log");
        self.servers[server] = Some(Server { dir, watch: child });
        let mut last = String::new();
        for _ in 0..START_TRIES {
            match run(&self.admin(server), "select 1").await {
                Ok(()) => return Ok(()),
                Err(why) => last = why,
            }
            tokio::time::sleep(START_PAUSE).await;
        }
        Err(format!("the server did not start: {last}\n{}", fs::read_to_string(log).unwrap_or_default()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The end of its input stops the server; what it leaves goes with the pair's folder.
        drop(self.watch.stdin.take());
        let _ = self.watch.wait();
    }
}

async fn there_is(url: &str, sql: &str) -> Result<bool, String> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.map_err(|error| format!("connect: {error:?}"))?;
    tokio::select! {
        rows = client.query(sql, &[]) => rows.map(|rows| !rows.is_empty()).map_err(|error| format!("{sql}: {error:?}")),
        ended = connection => Err(format!("{sql}: the connection ended: {ended:?}")),
    }
}

fn as_user(mut command: Command, dir: &Path) -> Command {
    command.current_dir(dir).env("LC_ALL", "C").env("TZ", "UTC");
    if let Some((uid, gid)) = user_to_run_as() {
        std::os::unix::process::CommandExt::uid(&mut command, uid);
        std::os::unix::process::CommandExt::gid(&mut command, gid);
    }
    command
}

/// Gives a folder to whom the server runs as.
fn own(path: &Path) -> Result<(), String> {
    match user_to_run_as() {
        Some((uid, gid)) => std::os::unix::fs::chown(path, Some(uid), Some(gid)).map_err(|error| format!("{}: {error}", path.display())),
        None => Ok(()),
    }
}

fn ended_well(mut command: Command) -> Result<(), String> {
    let name = command.get_program().display().to_string();
    let ended = command.output().map_err(|error| format!("{name}: {error}"))?;
    if ended.status.success() { Ok(()) } else { Err(format!("{name}: {}", String::from_utf8_lossy(&ended.stderr))) }
}
