//! The binary under test as a child process: found, started, awaited, killed, asked to stop.
//!
//! A program dies with its handle, so that nothing outlives a failed test. What it says on stderr
//! is kept, for failures and for the stories that look for secrets in it.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::control::Control;

/// How long a start may take until the program is ready, on a busy machine.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// Pause between two looks whether it is.
const LOOK_EVERY: Duration = Duration::from_millis(2);
/// How long an orderly stop may take: the drain's ten seconds and some.
const STOP_WITHIN: Duration = Duration::from_secs(20);
/// Characters of the log that a failure shows.
const LOG_TAIL: usize = 3_000;

/// Where the program keeps its data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Database {
    /// A file in the trial's folder.
    Sqlite,
    /// A `postgres://` URL.
    Postgres(String),
}

impl Database {
    /// A new, empty PostgreSQL database; `None`, said plainly, where no server can be had.
    pub async fn postgres(what: &str) -> Option<Self> {
        match allclear_store::testing::fresh_database().await {
            Ok(url) => Some(Self::Postgres(url)),
            Err(why) => {
                crate::skip::skipped(what, &why);
                None
            }
        }
    }
}

/// The binary: `ALLCLEAR_TRIAL_BINARY`, else the one given at compile time, else the one in the
/// workspace's target folder, built now with the features that a trial needs.
///
/// # Errors
/// When it is not there and cannot be built.
pub fn binary(given: Option<&str>) -> anyhow::Result<PathBuf> {
    if let Some(path) = std::env::var_os("ALLCLEAR_TRIAL_BINARY") {
        return Ok(path.into());
    }
    if let Some(path) = given {
        return Ok(path.into());
    }
    let build = std::process::Command::new("cargo")
        .args(["build", "--quiet", "--package", "allclear", "--features", "test-clock,failpoints"])
        .status()
        .context("starting cargo")?;
    ensure!(build.success(), "the binary did not build");
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"), PathBuf::from);
    Ok(target.join("debug/allclear"))
}

/// How a program is started.
#[derive(Debug, Clone)]
pub struct Launch {
    /// The executable.
    pub binary: PathBuf,
    /// Its folder; everything it writes is below.
    pub dir: PathBuf,
    /// Arguments after `serve`, beyond the address.
    pub args: Vec<String>,
    /// Environment.
    pub env: Vec<(String, String)>,
}

/// A program ended before it was ready.
#[derive(Debug)]
pub struct EndedEarly {
    /// How.
    pub status: ExitStatus,
    /// The end of what it said.
    pub said: String,
}

impl std::fmt::Display for EndedEarly {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the program ended ({}) before it was ready:\n{}", self.status, self.said)
    }
}

impl std::error::Error for EndedEarly {}

/// A running program.
#[derive(Debug)]
pub struct Program {
    child: Child,
    /// `http://127.0.0.1:PORT`
    pub url: String,
    /// Its clock.
    pub control: Control,
    log: Arc<Mutex<String>>,
}

impl Program {
    /// Starts the program and waits until it is ready.
    ///
    /// # Errors
    /// When it ends before it is ready, with what it said.
    pub async fn start(launch: &Launch, client: &reqwest::Client) -> anyhow::Result<Self> {
        let mut program = Self::spawn(launch).await?;
        let began = Instant::now();
        loop {
            if let Ok(answer) = client.get(format!("{}/-/ready", program.url)).send().await
                && answer.status().is_success()
            {
                return Ok(program);
            }
            program.ensure_alive(began)?;
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Starts the program and waits only until it listens.
    ///
    /// # Errors
    /// When it ends before, with what it said.
    pub async fn spawn(launch: &Launch) -> anyhow::Result<Self> {
        let port_file = launch.dir.join("port");
        let socket = launch.dir.join("control");
        for stale in [&port_file, &socket] {
            let _ = std::fs::remove_file(stale);
        }
        let mut child = Command::new(&launch.binary)
            .arg("serve")
            .args(["--listen", "127.0.0.1:0", "--port-file"])
            .arg(&port_file)
            .args(&launch.args)
            .current_dir(&launch.dir)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("ALLCLEAR_TEST_CONTROL", &socket)
            .envs(launch.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("starting {}", launch.binary.display()))?;
        let log = Arc::new(Mutex::new(String::new()));
        let (into, stderr) = (Arc::clone(&log), child.stderr.take().context("stderr is piped")?);
        tokio::spawn(async move {
            let mut lines = BufReader::new(stderr).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                let mut log = into.lock().unwrap_or_else(PoisonError::into_inner);
                log.push_str(&line);
                log.push('\n');
            }
        });
        let mut program = Self { child, url: String::new(), control: Control::at(&socket), log };
        let began = Instant::now();
        while program.url.is_empty() {
            program.ensure_alive(began)?;
            match std::fs::read_to_string(&port_file).ok().and_then(|text| text.trim().parse::<u16>().ok()) {
                Some(port) => program.url = format!("http://127.0.0.1:{port}"),
                None => tokio::time::sleep(LOOK_EVERY).await,
            }
        }
        Ok(program)
    }

    fn ensure_alive(&mut self, began: Instant) -> anyhow::Result<()> {
        if let Some(status) = self.child.try_wait()? {
            return Err(EndedEarly { status, said: self.log_tail() }.into());
        }
        ensure!(began.elapsed() < READY_WITHIN, "the program was not ready within {READY_WITHIN:?}:\n{}", self.log_tail());
        Ok(())
    }

    /// All it said so far.
    #[must_use]
    pub fn log(&self) -> String {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn log_tail(&self) -> String {
        let log = self.log();
        let skip = log.chars().count().saturating_sub(LOG_TAIL);
        log.chars().skip(skip).collect()
    }

    /// Its process, for measures.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Whether it still runs.
    pub fn alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// SIGKILL, and the wait until it is gone.
    ///
    /// # Errors
    /// When the system refuses.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        if self.alive() {
            self.child.kill().await?;
        }
        Ok(())
    }

    /// Waits until it ends by itself; `None` when it does not within the time.
    ///
    /// # Errors
    /// When the system refuses.
    pub async fn ended(&mut self, within: Duration) -> anyhow::Result<Option<ExitStatus>> {
        match tokio::time::timeout(within, self.child.wait()).await {
            Ok(status) => Ok(Some(status?)),
            Err(_) => Ok(None),
        }
    }

    /// SIGTERM, and the wait for an orderly end.
    ///
    /// # Errors
    /// When it does not end in time.
    pub async fn stop(&mut self) -> anyhow::Result<ExitStatus> {
        let pid = self.pid().context("it has ended already")?;
        let sent = Command::new("kill").args(["-TERM", &pid.to_string()]).status().await?;
        ensure!(sent.success(), "SIGTERM could not be sent");
        self.ended(STOP_WITHIN).await?.with_context(|| format!("it did not stop within {STOP_WITHIN:?}:\n{}", self.log_tail()))
    }
}
