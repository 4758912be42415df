//! pdpyras, PagerDuty's own Python client of years: trigger, acknowledge, resolve.

use std::path::{Path, PathBuf};

use allclear_trial::org::PD_KEY;

use crate::{incidents, run, world};

const SCRIPT: &str = r#"
import sys, warnings
warnings.simplefilter("ignore")
import pdpyras
url, key, action, dedup = sys.argv[1:5]
session = pdpyras.EventsAPISession(key)
session.url = url
if action == "trigger":
    print(session.trigger("Disk full on db1", "db1.example", severity="critical", custom_details={"free_mb": 412, "why": {"deep": [1, 2]}}))
else:
    print(getattr(session, action)(dedup))
"#;

/// Python with the client, where `cargo xtask test` put it.
fn python() -> Option<PathBuf> {
    let venv = std::env::var_os("ALLCLEAR_VENV")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/clients-venv"), PathBuf::from);
    let python = venv.join("bin/python");
    let has_it =
        std::process::Command::new(&python).args(["-W", "ignore", "-c", "import pdpyras"]).output().is_ok_and(|run| run.status.success());
    if !has_it {
        allclear_trial::skip::skipped("pdpyras", "it is not installed in target/clients-venv; `cargo xtask test` installs it where it may");
    }
    has_it.then_some(python)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn triggers_acknowledges_and_resolves() {
    let Some(python) = python() else { return };
    let world = world().await;
    let call =
        async |action: &str, dedup: &str| run(&python, &["-c", SCRIPT, &world.program.url, PD_KEY, action, dedup]).await.trim().to_owned();
    let dedup = call("trigger", "").await;
    assert!(!dedup.is_empty(), "the key that the server made comes back");
    world.quiet().await;
    assert_eq!(world.hook.to("ana").len(), 1);
    assert_eq!(world.hook.to("ana")[0].page()["incident"]["title"], "Disk full on db1");
    call("acknowledge", &dedup).await;
    assert_eq!(incidents(&world, "investigating").await, 1);
    call("resolve", &dedup).await;
    let incident = world.incident().await;
    assert_eq!(incident["recovered"], true, "{incident:#}");
    assert_eq!(incident["state"], "investigating", "somebody acknowledged, so somebody confirms: nothing closes by itself");
}
