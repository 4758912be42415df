//! The servers under test as child processes: started, awaited, measured and killed.
//!
//! Each starts on a free port with a fresh store of its own below the work folder, and is killed
//! when dropped, so that nothing outlives a run. Deliberately nothing here knows what is measured.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use crate::ceiling::Unit;
use crate::http::{Connection, fetch, get, post};
use crate::machine;

/// How long the look at a large store may take.
const LOOKED_THROUGH_WITHIN: Duration = Duration::from_secs(900);
/// How long a server may take until it is ready.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// Pause between two looks whether it is ready; the start is measured no finer.
const LOOK_EVERY: Duration = Duration::from_millis(1);
/// Characters of a server's log that a failure shows.
const LOG_TAIL: usize = 600;
/// The administrator's token of the product under test.
pub const ADMIN_TOKEN: &str = "bench-admin-token-0123456789abcdef";

/// What is started.
#[derive(Debug, Clone)]
pub enum Subject {
    /// The product; `None` is a fresh SQLite file.
    Product {
        /// A `postgres://` URL.
        database: Option<String>,
        /// Whether it gets the organisation file.
        with_org: bool,
        /// Further arguments of `serve`.
        extra: Vec<String>,
    },
    /// The bare handler before SQLite.
    CeilingSqlite(Unit),
    /// The bare handler before PostgreSQL.
    CeilingPostgres(Unit, String),
    /// Debian's Alertmanager; with a webhook it notifies per alert, without it nobody.
    Alertmanager {
        /// Where it notifies.
        webhook: Option<String>,
    },
}

impl Subject {
    /// The product on SQLite as it comes.
    pub const fn product() -> Self {
        Self::Product { database: None, with_org: true, extra: Vec::new() }
    }

    /// The product on SQLite with further arguments of `serve`.
    pub fn product_with(extra: &[&str]) -> Self {
        let extra = extra.iter().map(|&arg| arg.to_owned()).collect();
        Self::Product { database: None, with_org: true, extra }
    }

    /// The bare handler before SQLite, writing so many rows a request.
    pub const fn ceiling(rows_per_unit: u64) -> Self {
        Self::CeilingSqlite(Unit { rows_per_unit, tables: 1, whole_body: false, keyed: false })
    }
}

/// Where things are.
#[derive(Debug, Clone)]
pub struct Places {
    /// Everything the bench writes is below.
    pub work: PathBuf,
    /// The product's binary.
    pub product: PathBuf,
    /// Alertmanager's binary.
    pub alertmanager: PathBuf,
    /// The organisation file.
    pub org: PathBuf,
    /// Further arguments for every start of the product.
    pub serve_args: Vec<String>,
}

/// A running server.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    /// Its own folder.
    pub folder: PathBuf,
    /// From just before exec to the first 200 of `/-/ready`.
    pub ready_after: Duration,
}

impl Server {
    /// Starts a subject in a fresh folder and waits until it is ready.
    ///
    /// # Errors
    /// When it cannot be started, ends by itself or is not ready in time; with the end of its log.
    pub async fn start(places: &Places, subject: &Subject) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("run-").tempdir_in(&places.work)?.keep();
        Self::start_in(places, subject, folder).await
    }

    /// Starts a subject in a folder that may hold its store already.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub async fn start_in(places: &Places, subject: &Subject, folder: PathBuf) -> anyhow::Result<Self> {
        let address = free_address()?;
        let mut command = command(places, subject, &folder, address)?;
        let log_path = folder.join("log");
        let log = File::create(&log_path)?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let program = command.get_program().to_string_lossy().into_owned();
        let start = Instant::now();
        let child = command.spawn().with_context(|| format!("starting {program}: build or install it first"))?;
        let mut server = Self { child, address, folder, ready_after: Duration::ZERO };
        server.wait_until_ready(start).await.with_context(|| format!("{program}: {}", tail(&log_path)))?;
        Ok(server)
    }

    async fn wait_until_ready(&mut self, start: Instant) -> anyhow::Result<()> {
        let request = get("/-/ready", None);
        loop {
            if let Ok(mut connection) = Connection::open(self.address).await
                && matches!(connection.exchange(&request).await, Ok(200))
            {
                self.ready_after = start.elapsed();
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                anyhow::bail!("it ended with {status} before it was ready");
            }
            ensure!(start.elapsed() < READY_WITHIN, "not ready within {READY_WITHIN:?}");
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Waits until the look at the whole store that follows a start is over: of five million events it takes minutes, in which it is
    /// nearly all that a quiet program does, and other pages wait for the disk.
    ///
    /// # Errors
    /// When it takes longer than anybody would wait.
    pub async fn looked_through(&self) -> anyhow::Result<()> {
        let start = Instant::now();
        // The thread is there a moment after the program is ready.
        tokio::time::sleep(Duration::from_secs(1)).await;
        while machine::has_thread(self.pid(), "store-check") {
            ensure!(start.elapsed() < LOOKED_THROUGH_WITHIN, "the store is looked through for more than {LOOKED_THROUGH_WITHIN:?}");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        Ok(())
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has used so far.
    pub fn usage(&self) -> Usage {
        Usage {
            server_cpu: machine::cpu_seconds(self.pid()),
            load_cpu: machine::cpu_seconds(std::process::id()),
            machine_cpu: machine::machine_cpu_seconds(),
            written: machine::written_bytes(self.pid()),
        }
    }

    /// The sum of a metric over its labels; `None` where the server does not tell it.
    pub async fn metric(&self, name: &str) -> Option<f64> {
        let text = fetch(self.address, "/metrics").await.ok()?;
        String::from_utf8_lossy(&text)
            .lines()
            .filter(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' '])))
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .reduce(|sum, value| sum + value)
    }

    /// The administrator posts JSON over a connection of its own, and reads the JSON that comes back.
    ///
    /// # Errors
    /// When it is answered with anything but success.
    pub async fn post(&self, path: &str, body: &str) -> anyhow::Result<serde_json::Value> {
        let mut connection = Connection::open(self.address).await?;
        let status = connection.exchange(&post(path, ADMIN_TOKEN, body)).await?;
        let text = String::from_utf8_lossy(connection.body()).into_owned();
        ensure!((200..300).contains(&status), "POST {path} answered {status}: {text}");
        Ok(serde_json::from_str(&text)?)
    }

    /// Kills it with SIGKILL and gives its folder.
    ///
    /// # Errors
    /// When the process cannot be killed.
    pub fn kill(mut self) -> anyhow::Result<PathBuf> {
        self.child.kill().context("killing a server under test")?;
        self.child.wait()?;
        Ok(self.folder.clone())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What was used up to an instant.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    /// Processor seconds of the server.
    pub server_cpu: f64,
    /// Processor seconds of the bench itself: load and sink.
    pub load_cpu: f64,
    /// Processor seconds of the whole machine.
    pub machine_cpu: f64,
    /// Bytes the server wrote to disk.
    pub written: u64,
}

fn command(places: &Places, subject: &Subject, folder: &Path, address: SocketAddr) -> anyhow::Result<Command> {
    let listen = address.to_string();
    let mut command;
    match subject {
        Subject::Product { database, with_org, extra } => {
            command = Command::new(&places.product);
            let sqlite = || format!("sqlite:{}", folder.join("allclear.db").display());
            command
                .current_dir(folder)
                .args(["serve", "--listen", &listen, "--admin-token", ADMIN_TOKEN])
                .args(["--database", &database.clone().unwrap_or_else(sqlite)])
                .args(["--allow-private-targets", "127.0.0.0/8"])
                .arg("--secret-key-file")
                .arg(places.work.join("secret.key"))
                .args(extra)
                .args(&places.serve_args);
            if *with_org {
                command.arg("--org").arg(&places.org);
            }
        }
        Subject::CeilingSqlite(unit) => {
            command = Command::new(std::env::current_exe()?);
            command.args(["ceiling-sqlite", "--listen", &listen, "--path"]);
            command.arg(folder.join("ceiling.db"));
            unit_args(&mut command, *unit);
        }
        Subject::CeilingPostgres(unit, url) => {
            command = Command::new(std::env::current_exe()?);
            command.args(["ceiling-postgres", "--listen", &listen, "--url", url]);
            unit_args(&mut command, *unit);
        }
        Subject::Alertmanager { webhook } => {
            let config = folder.join("alertmanager.yml");
            fs::write(&config, alertmanager_config(webhook.as_deref()))?;
            command = Command::new(&places.alertmanager);
            command
                .arg(format!("--config.file={}", config.display()))
                .arg(format!("--storage.path={}", folder.join("data").display()))
                .arg(format!("--web.listen-address={listen}"))
                .args(["--cluster.listen-address=", "--log.level=error"]);
        }
    }
    Ok(command)
}

fn unit_args(command: &mut Command, unit: Unit) {
    command.args(["--rows-per-unit", &unit.rows_per_unit.to_string()]);
    command.args(["--tables", &unit.tables.to_string()]);
    if unit.whole_body {
        command.arg("--whole-body");
    }
    if unit.keyed {
        command.arg("--keyed");
    }
}

/// With a webhook each alert is its own group, sent at once, which is its fastest. Without, all
/// alerts are one group that nobody is told of.
fn alertmanager_config(webhook: Option<&str>) -> String {
    match webhook {
        Some(url) => format!(
            "route: {{receiver: sink, group_by: ['...'], group_wait: 0s}}\n\
             receivers: [{{name: sink, webhook_configs: [{{url: '{url}', send_resolved: false}}]}}]\n"
        ),
        None => "route: {receiver: nobody, group_wait: 1h}\nreceivers: [{name: nobody}]\n".to_owned(),
    }
}

fn free_address() -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("looking for a free port")?;
    Ok(listener.local_addr()?)
}

fn tail(log: &Path) -> String {
    let text = fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let text = text.unwrap_or_default();
    let skip = text.chars().count().saturating_sub(LOG_TAIL);
    let end: String = text.chars().skip(skip).collect();
    if end.trim().is_empty() { "its log is empty".to_owned() } else { format!("its log ends: {end}") }
}

/// A PostgreSQL server of the bench's own, as Debian configures it: `fsync` on, nothing tuned.
#[derive(Debug)]
pub struct Postgres {
    child: Child,
    data: PathBuf,
    port: u16,
    databases: u32,
}

impl Postgres {
    /// Makes a cluster below the work folder and starts it. As root it runs as user `postgres`,
    /// since PostgreSQL refuses root.
    ///
    /// # Errors
    /// When PostgreSQL is not installed or does not start.
    pub async fn start(places: &Places) -> anyhow::Result<Self> {
        let programs = postgres_programs()?;
        let data = places.work.join("postgres");
        fs::create_dir_all(&data)?;
        let as_root = fs::metadata("/proc/self").is_ok_and(|own| {
            use std::os::unix::fs::MetadataExt as _;
            own.uid() == 0
        });
        if as_root {
            let status = Command::new("chown").arg("postgres").arg(&data).status()?;
            ensure!(status.success(), "user postgres is missing: install Debian's postgresql");
        }
        let run = |program: &str| {
            let path = programs.join(program);
            let mut command = if as_root {
                let mut command = Command::new("runuser");
                command.args(["-u", "postgres", "--"]).arg(path);
                command
            } else {
                Command::new(path)
            };
            command.current_dir(&data).arg("-D").arg(&data).stdin(Stdio::null());
            command
        };
        let log = File::create(places.work.join("postgres.log"))?;
        let made = run("initdb")
            .args(["-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C"])
            .stdout(log.try_clone()?)
            .stderr(log.try_clone()?)
            .status()
            .context("running initdb")?;
        ensure!(made.success(), "initdb failed: {}", tail(&places.work.join("postgres.log")));
        let port = free_address()?.port();
        let child = run("postgres")
            .args(["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="])
            .args(["-p", &port.to_string()])
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("starting postgres")?;
        let server = Self { child, data, port, databases: 0 };
        let start = Instant::now();
        while let Err(error) = server.connect().await {
            ensure!(start.elapsed() < READY_WITHIN, "PostgreSQL did not start: {error}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(server)
    }

    /// Makes an empty database and gives its URL.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn database(&mut self) -> anyhow::Result<String> {
        self.databases += 1;
        let name = format!("bench_{}", self.databases);
        let client = self.connect().await?;
        client.batch_execute(&format!("create database {name}")).await?;
        Ok(self.url(&name))
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    async fn connect(&self) -> anyhow::Result<tokio_postgres::Client> {
        let url = self.url("postgres");
        let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }
}

impl Drop for Postgres {
    /// Asks the server for a fast shutdown by SIGINT, by the number in its own file, since as root
    /// the child is a wrapper whose death would leave the server running.
    fn drop(&mut self) {
        let pid = fs::read_to_string(self.data.join("postmaster.pid")).unwrap_or_default();
        if let Some(pid) = pid.lines().next() {
            let _ = Command::new("kill").args(["-INT", pid.trim()]).status();
        }
        let _ = self.child.wait();
    }
}

/// The folder of the newest PostgreSQL that Debian installed.
fn postgres_programs() -> anyhow::Result<PathBuf> {
    let root = Path::new("/usr/lib/postgresql");
    let newest = fs::read_dir(root)
        .context("looking for PostgreSQL: install Debian's postgresql")?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok())
        .max()
        .context("no PostgreSQL in /usr/lib/postgresql: install Debian's postgresql")?;
    Ok(root.join(newest.to_string()).join("bin"))
}
