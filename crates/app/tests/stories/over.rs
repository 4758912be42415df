//! It is over: whoever was paged for an incident, or told of it, hears so, and nobody else.

use allclear_trial::{Database, World};
use serde_json::json;

use crate::{on_both, setup};

on_both!(whoever_was_paged_hears_that_it_is_over, what_is_reopened_at_once_was_not_over, a_mail_says_what_a_woken_person_needs);

fn over(world: &World, path: &str) -> Vec<String> {
    let told = world.hook.told(path);
    told.iter().filter(|told| told.kind() == "over").map(|told| told.page()["text"].as_str().unwrap_or_default().to_owned()).collect()
}

async fn whoever_was_paged_hears_that_it_is_over(database: Database) {
    let mut world = World::start(setup(database)).await;
    world.fire("disk").await;
    world.advance(310).await;
    assert_eq!((world.hook.to("ana").len(), world.hook.to("ben").len()), (1, 1), "two were woken");
    world.command("/incidents/INC-1/acknowledge", json!({"by": "ben"})).await.ok();
    world.command("/incidents/INC-1/resolve", json!({})).await.ok();
    world.advance(5).await;
    assert_eq!(over(&world, "ana").len(), 0, "it has to stay over for a moment");
    world.advance(10).await;
    assert_eq!(over(&world, "ana"), ["It is over: it was resolved, 5 min after it was declared."]);
    assert_eq!((over(&world, "ben").len(), over(&world, "cho").len()), (1, 0), "whoever heard nothing of it hears nothing");
    world.advance(3_600).await;
    assert_eq!(over(&world, "ana").len(), 1, "once");
}

async fn what_is_reopened_at_once_was_not_over(database: Database) {
    let mut world = World::start(setup(database)).await;
    world.fire("disk").await;
    world.command("/incidents/INC-1/acknowledge", json!({"by": "ana"})).await.ok();
    world.command("/incidents/INC-1/resolve", json!({})).await.ok();
    world.command("/incidents/INC-1/reopen", json!({"why": "too early"})).await.ok();
    world.advance(60).await;
    assert_eq!(over(&world, "ana").len(), 0);
    world.command("/incidents/INC-1/resolve", json!({})).await.ok();
    world.advance(15).await;
    assert_eq!(over(&world, "ana").len(), 1);
}

async fn a_mail_says_what_a_woken_person_needs(database: Database) {
    let org = allclear_trial::org::usual().replacen("high: [{contact: hook}]", "high: [{contact: mail}]", 1);
    let world = World::start(setup(database).org(org)).await;
    world
        .prometheus(json!([{
            "labels": {"alertname": "DiskFull", "severity": "critical", "host": "db1"},
            "annotations": {"summary": "Disk full on db1", "description": "91 % of /var", "runbook_url": "https://runbook.example/disk"},
            "generatorURL": "https://prom.example/graph",
        }]))
        .await;
    let mails = world.mail.delivered_to("ana@example.org");
    assert_eq!(mails.len(), 1);
    let raw = mails[0].raw.replace("=\r\n", "");
    for needed in [
        "91 % of /var",
        "https://runbook.example/disk",
        "https://prom.example/graph",
        "host",
        "Ana Ruiz",
        "Checkout",
        "then Ben Okafor is asked",
        "In-Reply-To: <inc_",
    ] {
        assert!(raw.contains(needed), "{needed}\n{raw}");
    }
}
