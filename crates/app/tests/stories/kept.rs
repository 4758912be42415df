//! A store that an earlier version wrote, with an incident of every kind of event that a person can cause: it opens, its
//! proofs hold, and its log reads as it did.
//!
//! `kept/store.sqlite` was written by the version of 2026-11-28 from the real API, with `store.secret` as its key; `kept/logs.json`
//! is what that version answered for each incident's log. Neither is ever written anew.

use std::collections::BTreeMap;
use std::path::Path;

use allclear_trial::program::Program;
use serde_json::Value;

use crate::world;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_of_an_earlier_version_opens_and_reads_as_before() {
    let mut world = world().await;
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kept");
    let dir = tempfile::tempdir().unwrap();
    let (store, key) = (dir.path().join("kept.db"), dir.path().join("kept.key"));
    std::fs::copy(kept.join("store.sqlite"), &store).unwrap();
    std::fs::copy(kept.join("store.secret"), &key).unwrap();
    let url = format!("sqlite:{}", store.display());
    world.program.stop().await.unwrap();
    let secret = key.to_str().unwrap();
    let launch = world.launch_on(&url, dir.path(), &["--quarantine", "--secret-key-file", secret]);
    world.program = Program::start(&launch, &world.client).await.unwrap();
    let before: BTreeMap<String, Vec<Value>> = serde_json::from_slice(&std::fs::read(kept.join("logs.json")).unwrap()).unwrap();
    assert_eq!(before.len(), 11);
    for (reference, events) in before {
        let now = world.api(&format!("/incidents/{reference}/events?limit=1000")).await;
        let now = now["items"].as_array().unwrap();
        for (before, now) in events.iter().zip(now) {
            for field in ["kind", "line", "at", "body"] {
                assert_eq!(now[field], before[field], "{reference}: {field} of {before}");
            }
        }
        assert!(now.len() >= events.len(), "{reference} has lost events");
    }
    for command in ["verify", "doctor"] {
        let ran = world.cli_on(&url, &[command]).await;
        assert_eq!(ran.code, 0, "{command}: {ran:?}");
    }
}
