//! From alerts to incidents: groups, waits, candidates, and what is only recorded.

use allclear_trial::{Database, org};
use serde_json::json;

use crate::{on_both, world, world_of};

on_both!(alerts_of_a_group_join_one_incident, a_candidate_is_declared_when_nobody_decides);

async fn alerts_of_a_group_join_one_incident(database: Database) {
    let mut world =
        world_of(database, org::with_routes("  - {match: 'severity=\"critical\"', set: {group_by: [cluster]}, declare: true}")).await;
    for (key, cluster) in [("a", "west"), ("b", "west"), ("c", "east"), ("d", "west")] {
        world.signal(json!({"title": key, "dedup_key": key, "severity": "critical", "labels": {"cluster": cluster}})).await;
    }
    assert_eq!(world.incidents("").await.len(), 2, "one for each cluster");
    assert_eq!(world.hook.to("ana").len(), 2, "and each pages once");
    world.advance(11).await;
    let west = world.incidents("").await.into_iter().find(|incident| incident["title"] == "a").unwrap();
    let told = world.bodies(&west, "alerts_told").await;
    assert_eq!((told.len(), &told[0]["joined"], &told[0]["open"]), (1, &json!(2), &json!(3)), "one line tells of both: {told:#?}");
}

async fn a_candidate_is_declared_when_nobody_decides(database: Database) {
    let mut world = world_of(database, org::with_routes("  - {match: 'severity=\"warning\"', declare: candidate}")).await;
    world.signal(json!({"title": "odd", "dedup_key": "odd", "severity": "warning"})).await;
    world.signal(json!({"title": "noise", "dedup_key": "noise", "severity": "warning"})).await;
    assert!(world.hook.all().is_empty(), "a candidate wakes nobody");
    let all = world.incidents("").await;
    assert!(all.iter().all(|incident| incident["state"] == "candidate"), "{all:#?}");
    let noise = all.iter().find(|incident| incident["title"] == "noise").unwrap()["ref"].as_str().unwrap().to_owned();
    world.command(&format!("/incidents/{noise}/cancel"), json!({"why": "a test"})).await.ok();
    world.advance(590).await;
    assert!(world.hook.all().is_empty());
    world.advance(15).await;
    let all = world.incidents("").await;
    let state = |title: &str| all.iter().find(|incident| incident["title"] == title).unwrap()["state"].clone();
    assert_eq!((state("odd"), state("noise")), (json!("declared"), json!("cancelled")));
    assert_eq!(world.hook.to("ana").len(), 1, "nobody decided, so somebody is told");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_waits_for_others_before_it_pages() {
    let mut world = world_of(
        Database::Sqlite,
        org::with_routes("  - {match: 'severity=\"critical\"', set: {group_by: [service], group_wait: 30s}, declare: true}"),
    )
    .await;
    world.fire("a").await;
    world.fire("b").await;
    world.advance(20).await;
    assert!(world.hook.all().is_empty(), "it still waits");
    world.advance(15).await;
    assert_eq!(world.hook.to("ana").len(), 1, "then pages once for both");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_paged_by_name_meanwhile_does_not_stand_for_the_policy() {
    let mut world = world_of(
        Database::Sqlite,
        org::with_routes("  - {match: 'severity=\"critical\"', set: {group_by: [service], group_wait: 30s}, declare: true}"),
    )
    .await;
    world.fire("a").await;
    let incident = world.incident().await;
    let path = format!("/incidents/{}/escalate", incident["ref"].as_str().unwrap());
    world.command(&path, json!({"page": ["person:ben"], "why": "he knows this one"})).await.ok();
    world.quiet().await;
    assert_eq!((world.hook.to("ben").len(), world.hook.to("ana").len()), (1, 0));
    world.advance(40).await;
    assert_eq!(world.hook.to("ana").len(), 1, "whoever is on call is paged all the same");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn informational_alerts_are_recorded_and_wake_nobody() {
    let mut world = world().await;
    world.signal(json!({"title": "fyi", "dedup_key": "fyi", "severity": "info"})).await;
    assert_eq!(world.alert("fyi").await["decision"], "record");
    world.advance(3_600).await;
    assert!(world.incidents("").await.is_empty() && world.hook.all().is_empty());
    world.signal(json!({"title": "fyi", "dedup_key": "fyi", "severity": "critical"})).await;
    assert_eq!(world.incidents("").await.len(), 1, "until it gets worse");
    assert_eq!(world.hook.to("ana").len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alert_without_a_word_about_itself_declares() {
    let world = world().await;
    world.signal(json!({"title": "who knows"})).await;
    assert_eq!(world.incident().await["severity"], "sev3", "nothing is dropped for want of a rule");
    assert_eq!(world.hook.to("ana").len(), 1);
}
