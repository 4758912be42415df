//! `cargo xtask shots [FOLDER] [--only NAME,…]`: pictures of every page at the widths of a phone, a
//! laptop and a wall, light and dark, over the demo.
//!
//! Needs `node` and `chromium`; says so where one is missing.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;

use anyhow::Context;

/// Where pictures go unless a folder is given.
const FOLDER: &str = "target/shots";
/// The demo's own story has an incident, a page and a second step after this long.
const UNFOLDS: Duration = Duration::from_secs(20);
/// What the program says once it listens.
const LISTENS: &str = "listening on ";

/// Stops the demo however this ends.
struct Demo(Child);

impl Drop for Demo {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Builds, starts the demo, lets it unfold, and takes the pictures.
pub fn run(args: impl Iterator<Item = String>) -> anyhow::Result<ExitCode> {
    let mut folder = FOLDER.to_owned();
    let mut only = Vec::new();
    let mut args = args.peekable();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--help" | "-h" => {
                println!("cargo xtask shots [FOLDER] [--only NAME,…]: pictures of every page, into {FOLDER} unless a folder is given");
                return Ok(ExitCode::SUCCESS);
            }
            "--only" => only = args.next().context("--only takes names")?.split(',').map(ToOwned::to_owned).collect(),
            other if other.starts_with('-') => anyhow::bail!("`{other}` is no option of shots; --only NAME,… is"),
            other => folder = other.to_owned(),
        }
    }
    for program in ["node", "chromium"] {
        Command::new(program).arg("--version").output().with_context(|| format!("`{program}` is not installed"))?;
    }
    let built = Command::new("cargo").args(["build", "--quiet", "-p", "allclear"]).status().context("cargo does not start")?;
    anyhow::ensure!(built.success(), "the program does not build");
    let mut demo = Demo(
        Command::new("target/debug/allclear")
            .args(["serve", "--demo", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context("the demo does not start")?,
    );
    let said = BufReader::new(demo.0.stderr.take().context("the demo has no stderr")?);
    let mut lines = said.lines();
    let url = loop {
        let line = lines.next().context("the demo ended before it listened")??;
        if let Some(url) = line.strip_prefix(LISTENS) {
            break url.trim().to_owned();
        }
    };
    // Whatever else it says is read, so that it never waits for us.
    std::thread::spawn(move || lines.for_each(drop));
    println!("the demo unfolds for {} s at {url}", UNFOLDS.as_secs());
    std::thread::sleep(UNFOLDS);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/shots.mjs");
    let status = Command::new("node").arg(script).arg(&url).arg(&folder).args(&only).status().context("node does not start")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
