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

    /// Moves the wall clock at once, as a suspended machine or a corrected clock would.
    ///
    /// # Errors
    /// When the program does not answer.
    pub async fn jump(&self, seconds: i64) -> anyhow::Result<()> {
        ensure!(seconds != 0, "a jump of nothing");
        self.ask(&format!("jump {seconds:+}s")).await.map(drop)
    }
}
