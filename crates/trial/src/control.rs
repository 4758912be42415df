//! The clock of the binary under test, over its control socket: one line asks, one line answers.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;

/// The longest any command may take: hours of timers run within it.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// A control socket. Each command has a connection of its own, so that a killed program leaves
/// nothing half read.
#[derive(Debug, Clone)]
pub struct Control {
    path: PathBuf,
}

impl Control {
    /// The socket at this path.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    async fn ask(&self, line: &str) -> anyhow::Result<String> {
        let talk = async {
            let stream = UnixStream::connect(&self.path)
                .await
                .with_context(|| format!("connecting to the control socket {}", self.path.display()))?;
            let mut stream = BufReader::new(stream);
            stream.write_all(format!("{line}\n").as_bytes()).await?;
            let mut answer = String::new();
            stream.read_line(&mut answer).await?;
            anyhow::Ok(answer)
        };
        let answer = tokio::time::timeout(ANSWER_WITHIN, talk).await.with_context(|| format!("`{line}` was not answered"))??;
        match answer.trim().strip_prefix("ok") {
            Some(rest) => Ok(rest.trim().to_owned()),
            None => bail!("`{line}` was answered by `{}`", answer.trim()),
        }
    }

    /// The program's time, in microseconds since 1970.
    ///
    /// # Errors
    /// When the program does not answer.
    pub async fn now(&self) -> anyhow::Result<i64> {
        self.ask("now").await?.parse().context("`now` was not answered by a number")
    }

    /// Lets time pass, stopping at each timer on the way, and waits until all that follows is done.
    ///
    /// # Errors
    /// When the program does not answer.
    pub async fn advance(&self, by: Duration) -> anyhow::Result<()> {
        self.ask(&format!("advance {}s", by.as_secs())).await.map(drop)
    }

    /// Waits until the program has nothing under way.
    ///
    /// # Errors
    /// When the program does not answer.
    pub async fn quiet(&self) -> anyhow::Result<()> {
        self.ask("quiet").await.map(drop)
    }

    /// So much time passes at once, as on a suspended machine.
    ///
    /// # Errors
    /// When the program does not answer.
    pub async fn jump(&self, seconds: i64) -> anyhow::Result<()> {
        ensure!(seconds != 0, "a jump of nothing");
        self.ask(&format!("jump {seconds:+}s")).await.map(drop)
    }

    /// Sets the wall clock forth by so much, and no time passes.
    ///
    /// # Errors
    /// When the program does not answer.
    pub async fn set_wall_forth(&self, seconds: i64) -> anyhow::Result<()> {
        self.ask(&format!("wall {seconds:+}s")).await.map(drop)
    }

    /// Lets a stage stand still, or go on.
    ///
    /// # Errors
    /// When the program does not answer or knows no such stage.
    pub async fn freeze(&self, stage: &str, still: bool) -> anyhow::Result<()> {
        self.ask(&format!("{} {stage}", if still { "freeze" } else { "thaw" })).await.map(drop)
    }

    /// Lets time pass for the watch over the stages alone.
    ///
    /// # Errors
    /// When the program does not answer.
    pub async fn watch_passes(&self, seconds: u64) -> anyhow::Result<()> {
        self.ask(&format!("watch {seconds}s")).await.map(drop)
    }
}
