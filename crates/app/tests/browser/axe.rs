//! Every page before axe-core, the checker of accessibility that browsers' own tools use: no
//! violation at the widths of a phone and a laptop, light and dark, and no complaint of the browser.
//!
//! `axe.mjs` opens the pages of the demo; a second program gives the set-up page, which the demo has
//! none of. axe-core is only a test's, and is installed by `cargo xtask test`.

use std::path::{Path, PathBuf};
use std::process::Command;

use allclear_trial::program::{Database, Launch, Program};
use allclear_trial::skip::skipped;
use allclear_trial::{Setup, World};

use crate::{BINARY, browser_installed};

const WHAT: &str = "axe on every page";

/// Where `cargo xtask test` put it; `None`, said plainly, where it is not.
fn axe() -> Option<PathBuf> {
    let folder = std::env::var_os("ALLCLEAR_NPM")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/browser-npm"), PathBuf::from);
    let file = folder.join("node_modules/axe-core/axe.min.js");
    if file.exists() {
        return Some(file);
    }
    skipped(WHAT, "axe-core is not installed in target/browser-npm; `cargo xtask test` installs it where it may");
    None
}

/// How often a log is looked at for what is printed just after the program is ready.
const LOOKS: usize = 500;
/// Between two looks; ten seconds in all.
const LOOK_AGAIN: std::time::Duration = std::time::Duration::from_millis(20);

/// The first link of this kind in what a program says, as a full address.
async fn link(url: &str, log: impl Fn() -> String, kind: &str) -> String {
    for _ in 0..LOOKS {
        let said = log();
        if let Some(at) = said.find(&format!("/{kind}/"))
            && let Some((path, _)) = said[at..].split_once(char::is_whitespace)
        {
            return format!("{url}{path}");
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    panic!("no {kind} link:\n{}", log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn axe_finds_nothing_on_any_page() {
    if !browser_installed(WHAT) {
        return;
    }
    let Some(axe) = axe() else { return };
    let fresh = World::start(Setup::new(Some(BINARY), Database::Sqlite)).await;
    let file = fresh.dir.path().join("allclear.set-up");
    let set_up = link(&fresh.program.url, || std::fs::read_to_string(&file).unwrap_or_default(), "set-up").await;
    let dir = tempfile::tempdir().unwrap();
    let launch = Launch { binary: BINARY.into(), dir: dir.path().to_owned(), args: vec!["--demo".into()], env: Vec::new() };
    let mut demo = Program::start(&launch, &allclear_trial::world::client()).await.unwrap();
    let url = demo.url.trim_end_matches('/').to_owned();
    let invitation = link(&url, || demo.log(), "invite").await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/axe.mjs");
    let looking = move || Command::new("node").arg(script).arg(axe).args([url, invitation, set_up]).output().unwrap();
    let ran = tokio::task::spawn_blocking(looking).await.unwrap();
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    demo.stop().await.unwrap();
    assert!(ran.status.success(), "{said}{}", String::from_utf8_lossy(&ran.stderr));
    assert!(said.contains("ok: 0 violations and no complaint"), "{said}");
}
