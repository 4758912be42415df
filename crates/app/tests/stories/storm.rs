//! A storm: one request with any number of alarms, and others who want to be heard meanwhile.

use allclear_trial::world::items;
use allclear_trial::{Database, World, org};
use serde_json::{Value, json};

use crate::{on_both, setup};

on_both!(more_alarms_in_one_request_than_references_are_drawn_at_a_time, an_acknowledgement_has_its_turn_while_a_large_request_is_decided);

fn alarms(many: usize) -> Value {
    (0..many).map(|n| json!({"labels": {"alertname": format!("Down{n:05}"), "severity": "critical"}})).collect()
}

async fn more_alarms_in_one_request_than_references_are_drawn_at_a_time(database: Database) {
    let world = World::start(setup(database)).await;
    assert_eq!(world.prometheus(alarms(200)).await.status, 200);
    world.quiet().await;
    let first = world.api("/incidents?limit=200").await;
    let mut numbers: Vec<u64> =
        items(&first).iter().map(|i| i["ref"].as_str().unwrap().trim_start_matches("INC-").parse().unwrap()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=200).collect::<Vec<_>>(), "each has its incident, and no number was burnt");
    let told: std::collections::BTreeSet<String> = world
        .hook
        .to("ana")
        .iter()
        .flat_map(|delivery| delivery.pages().iter().map(|page| page["incident"]["ref"].to_string()).collect::<Vec<_>>())
        .collect();
    assert!(!told.is_empty(), "somebody is told");
    // Sent again it is a repetition of each, whatever became of the first answer.
    assert_eq!(world.prometheus(alarms(200)).await.status, 200);
    assert_eq!(items(&world.api("/incidents?limit=200").await).len(), 200);
}

async fn an_acknowledgement_has_its_turn_while_a_large_request_is_decided(database: Database) {
    let world = World::start(setup(database)).await;
    assert!(world.fire("first").await.status < 300);
    let path = format!("/prom/{}/api/v2/alerts", org::PROM_KEY);
    let large = world.post(&path, alarms(1_500).to_string());
    let acknowledge = async {
        // The large request is under way by its first portion.
        while world.api("/incidents?limit=2").await["next"].is_null() {}
        world.command("/incidents/INC-1/acknowledge", json!({"by": "ana"})).await
    };
    tokio::pin!(large);
    tokio::select! {
        biased;
        done = &mut large => panic!("nobody was heard until all of it was decided: {}", done.status),
        heard = acknowledge => assert_eq!(heard.status, 200),
    }
    assert_eq!(large.await.status, 200);
}
