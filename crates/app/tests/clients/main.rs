//! Real clients: programs that people run already, pointed at the binary by one changed address.
//!
//! Each is skipped, with a plain reason, where its program is not installed; `cargo xtask test`
//! installs what it may.

#![allow(clippy::unwrap_used)] // tests
// These tests measure by the machine's clock, as the clients do.
#![allow(clippy::disallowed_methods)]

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use allclear_trial::{Database, Setup, World};
use tokio::process::{Child, Command};

mod alertmanager;
mod amtool;
mod external_calendars;
mod generated;
mod icalendar;
mod mail;
mod pagerduty;
mod prometheus;
mod record;
mod schemathesis;

/// How long any client may take to do what it was told.
const WITHIN: Duration = Duration::from_secs(30);

async fn world() -> World {
    // What clients send is told one by one: gathering has stories of its own.
    World::start(Setup::new(Some(env!("CARGO_BIN_EXE_allclear")), Database::Sqlite).args(&["--no-bundle"])).await
}

/// The program of this name; `None`, said plainly, where it is not installed.
fn installed(program: &str, package: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|dir| dir.join(program)).find(|file| file.exists());
    if found.is_none() {
        allclear_trial::skip::skipped(program, &format!("it is not installed; Debian's package `{package}` has it"));
    }
    found
}

/// Starts a client in its folder, to be killed with the test.
fn start(program: &Path, dir: &Path, args: &[&str]) -> Child {
    let log = std::fs::File::create(dir.join("log")).unwrap();
    Command::new(program)
        .args(args)
        .current_dir(dir)
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

/// Runs a client to its end; its standard output, once it has succeeded.
async fn run(program: &Path, args: &[&str]) -> String {
    let output = Command::new(program).args(args).stdin(Stdio::null()).kill_on_drop(true).output().await.unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout).into_owned(), String::from_utf8_lossy(&output.stderr).into_owned());
    assert!(output.status.success(), "{} {args:?}: {stdout}{stderr}", program.display());
    stdout
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Asks again until it is so.
async fn until<F: Future<Output = bool>>(what: &str, mut so: impl FnMut() -> F) {
    let asking = async {
        while !so().await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    assert!(tokio::time::timeout(WITHIN, asking).await.is_ok(), "{what}: not within {WITHIN:?}");
}

async fn incidents(world: &World, state: &str) -> usize {
    world.incidents("").await.iter().filter(|incident| incident["state"] == state).count()
}
