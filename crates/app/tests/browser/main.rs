//! What only a browser shows, in a headless Chromium over the real binary: a live patch keeps
//! focus, selection and typed text; the keyboard; no page complains or scrolls sideways; and every form works where
//! the browser runs no script.
//!
//! `pages.mjs`, `taps.mjs`, `push.mjs`, `lost.mjs`, `noscript.mjs`, `rota.mjs` and `first.mjs` have the findings, `begin.mjs` what the last two begin with, and `hand.mjs` counts what a hand does;
//! Node speaks to the browser over a pipe, without packages. Where
//! either is not installed the test says that it was skipped.

#![allow(clippy::unwrap_used, clippy::disallowed_methods)] // tests; the machine's own time

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use allclear_trial::mail_sink::{Mail, MailSink};
use allclear_trial::program::{Launch, Program};
use allclear_trial::skip::skipped;
use allclear_trial::{Database, Setup, World};

const BINARY: &str = env!("CARGO_BIN_EXE_allclear");

mod axe;

fn starts(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}

/// Whether Node and a browser are there; said plainly where one is not.
fn browser_installed(what: &str) -> bool {
    let chromium = std::env::var("CHROMIUM").unwrap_or_else(|_| "chromium".to_owned());
    let missing = ["node", chromium.as_str()].into_iter().find(|program| !starts(program));
    if let Some(program) = missing {
        skipped(what, &format!("`{program}` is not installed"));
    }
    missing.is_none()
}

/// Runs a script over the demo; gives what it said.
async fn over_the_demo(script: &str) -> String {
    let dir = tempfile::tempdir().unwrap();
    let launch = Launch { binary: BINARY.into(), dir: dir.path().to_owned(), args: vec!["--demo".into()], env: Vec::new() };
    let mut program = Program::start(&launch, &allclear_trial::world::client()).await.unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser").join(script);
    let url = program.url.trim_end_matches('/').to_owned();
    let ran = tokio::task::spawn_blocking(move || Command::new("node").arg(script).arg(url).output().unwrap()).await.unwrap();
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    program.stop().await.unwrap();
    assert!(ran.status.success(), "{said}{}", String::from_utf8_lossy(&ran.stderr));
    said
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_in_a_browser() {
    if browser_installed("the pages in a browser") {
        let said = over_the_demo("pages.mjs").await;
        assert!(said.contains("ok: no error and no violation of the policy"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_incident_whole_where_the_browser_runs_no_script() {
    if browser_installed("an incident without a script") {
        let said = over_the_demo("noscript.mjs").await;
        assert!(said.contains("ok: all of it without a script"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_sent_without_a_connection_waits_and_is_sent() {
    if browser_installed("a lost connection in a browser") {
        let said = over_the_demo("lost.mjs").await;
        assert!(said.contains("ok: a lost connection"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_tap_and_one_key_harm_nobody() {
    if browser_installed("taps and keys in a browser") {
        let said = over_the_demo("taps.mjs").await;
        assert!(said.contains("ok: taps and keys"), "{said}");
    }
}

/// From *Ring this browser* to a page that is acknowledged on its notification: the browser's own worker, with pushes that were
/// sealed by the program and opened by Node.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_is_rung_and_acknowledges() {
    if !browser_installed("a browser that is rung") {
        return;
    }
    let world = World::start(Setup::new(Some(BINARY), Database::Sqlite).args(&["--no-bundle"])).await;
    let made = world.command("/tokens", serde_json::json!({"name": "ana", "scope": "respond", "person": "ana"})).await.ok().body;
    let token = made["token"].as_str().unwrap().to_owned();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/push.mjs");
    let url = world.at("");
    let ran = tokio::task::spawn_blocking(move || Command::new("node").arg(script).args([url, token]).output().unwrap()).await.unwrap();
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert!(ran.status.success(), "{said}{}", String::from_utf8_lossy(&ran.stderr));
    assert!(said.contains("ok: a browser is rung"), "{said}");
    let taken = world.bodies(&world.incidents("").await.remove(0), "acknowledged").await;
    assert!(taken.iter().any(|body| body["via"] == "web_push"), "{taken:?}");
}

/// From the set-up link of an empty store to a rota of two, counted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rota_of_two_is_made_by_clicks_and_keys() {
    if !browser_installed("a rota of two") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let launch = Launch { binary: BINARY.into(), dir: dir.path().to_owned(), args: Vec::new(), env: Vec::new() };
    let mut program = Program::start(&launch, &allclear_trial::world::client()).await.unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/rota.mjs");
    let url = program.url.trim_end_matches('/').to_owned();
    let set_up = std::fs::read_to_string(dir.path().join("allclear.set-up")).unwrap().trim().to_owned();
    let ran = tokio::task::spawn_blocking(move || Command::new("node").arg(script).args([url, set_up]).output().unwrap()).await.unwrap();
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    program.stop().await.unwrap();
    assert!(ran.status.success(), "{said}{}", String::from_utf8_lossy(&ran.stderr));
    println!("{said}");
    assert!(said.contains("ok: a rota of two takes at most 35 actions and no YAML"), "{said}");
}

/// From the set-up link of an empty store to the first page that is acknowledged by its link in a mail, counted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_page_is_acknowledged_by_clicks_and_keys() {
    if !browser_installed("the first page") {
        return;
    }
    let (dir, mail) = (tempfile::tempdir().unwrap(), MailSink::start().await);
    let args = vec!["--smtp".into(), mail.url()];
    let launch = Launch { binary: BINARY.into(), dir: dir.path().to_owned(), args, env: Vec::new() };
    let mut program = Program::start(&launch, &allclear_trial::world::client()).await.unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/first.mjs");
    let url = program.url.trim_end_matches('/').to_owned();
    let set_up = std::fs::read_to_string(dir.path().join("allclear.set-up")).unwrap().trim().to_owned();
    let link = dir.path().join("link");
    let given = link.clone();
    let postman = tokio::spawn(async move {
        loop {
            // The newest: who waits for one knows those before it.
            if let Some(path) = mail.all().iter().rev().filter(|mail| mail.accepted()).find_map(Mail::ack_path) {
                std::fs::write(&given, path).unwrap();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    let ran = tokio::task::spawn_blocking(move || Command::new("node").arg(script).args([url, set_up]).arg(link).output().unwrap());
    let ran = ran.await.unwrap();
    postman.abort();
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    program.stop().await.unwrap();
    assert!(ran.status.success(), "{said}{}", String::from_utf8_lossy(&ran.stderr));
    println!("{said}");
    for counted in [
        "ok: the first page takes at most 20 actions and no YAML",
        "ok: link to resolved takes at most 3 actions",
        "ok: 35 of one cause take at most 3 actions",
    ] {
        assert!(said.contains(counted), "{counted}: {said}");
    }
}
