//! Silences over what fires already, what an open alert says, and alerts that come and go.

use allclear_trial::world::items;
use allclear_trial::{Database, World, org};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::{on_both, world_of};

on_both!(
    a_silence_holds_what_fires_already_and_its_end_pages_anew,
    a_planned_silence_begins_also_after_a_restart,
    a_group_is_held_once_silences_hold_all_of_its_alerts,
    an_open_alert_says_what_was_sent_last,
    an_alert_that_comes_back_goes_on_with_its_incident_and_its_page,
    what_keeps_coming_back_flaps_and_is_held_open_until_it_is_quiet,
);

/// An Alertmanager alert that is sent again for hours.
fn firing(name: &str, now: Timestamp) -> Value {
    let ends = now + SignedDuration::from_hours(6);
    json!([{"labels": {"alertname": name, "severity": "critical"}, "startsAt": now.to_string(), "endsAt": ends.to_string()}])
}

/// Sets a silence over one name; gives its id.
async fn silence(world: &World, name: &str, starts: Timestamp, ends: Timestamp) -> String {
    let silence = json!({
        "matchers": [{"name": "alertname", "value": name, "isRegex": false, "isEqual": true}],
        "startsAt": starts.to_string(), "endsAt": ends.to_string(), "createdBy": "ana", "comment": "work on it",
    });
    let answer = world.post(&format!("/prom/{}/api/v2/silences", org::PROM_KEY), silence.to_string()).await.ok();
    answer.body["silenceID"].as_str().unwrap().to_owned()
}

/// `active` or `suppressed`, as amtool reads it.
async fn states(world: &World) -> Vec<String> {
    let alerts = world.get(&format!("/prom/{}/api/v2/alerts", org::PROM_KEY)).await.ok().body;
    alerts.as_array().unwrap().iter().map(|alert| alert["status"]["state"].as_str().unwrap().to_owned()).collect()
}

async fn a_silence_holds_what_fires_already_and_its_end_pages_anew(database: Database) {
    let mut world = world_of(database, org::usual()).await;
    let now = world.now().await;
    world.prometheus(firing("Disk", now)).await;
    assert_eq!(world.hook.to("ana").len(), 1);
    let id = silence(&world, "Disk", now, now + SignedDuration::from_mins(30)).await;
    assert_eq!(states(&world).await, ["suppressed"], "at once");
    let incident = world.incident().await;
    assert!(incident["held_until"].is_string() && incident["held_by"][0] == id.as_str(), "{incident:#}");
    let told = world.bodies(&incident, "alerts_silenced").await;
    assert_eq!((told.len(), &told[0]["alerts"], &told[0]["silences"][0]), (1, &1.into(), &id.as_str().into()), "{told:#?}");
    world.advance(20 * 60).await;
    assert_eq!(world.hook.to("ben").len(), 0, "nobody further is told while it is held");
    world.advance(11 * 60).await;
    assert_eq!(states(&world).await, ["active"]);
    assert_eq!(world.hook.to("ana").len(), 2, "it burns still, and nobody has it");
    let incident = world.incident().await;
    assert!(incident["held_until"].is_null(), "{incident:#}");
    assert_eq!(world.bodies(&incident, "alerts_unsilenced").await.len(), 1);

    // Whoever has it is not paged by the end of a silence, here by its removal.
    let now = world.now().await;
    let id = silence(&world, "Disk", now, now + SignedDuration::from_hours(2)).await;
    let reference = incident["ref"].as_str().unwrap().to_owned();
    world.command(&format!("/incidents/{reference}/acknowledge"), json!({"by": "ana"})).await.ok();
    world.delete(&format!("/prom/{}/api/v2/silence/{id}", org::PROM_KEY)).await.ok();
    assert_eq!(states(&world).await, ["active"]);
    world.advance(60).await;
    assert_eq!((world.hook.to("ana").len(), world.hook.to("ben").len()), (2, 0));
}

async fn a_planned_silence_begins_also_after_a_restart(database: Database) {
    let mut world = world_of(database, org::usual()).await;
    let now = world.now().await;
    silence(&world, "Disk", now + SignedDuration::from_mins(2), now + SignedDuration::from_mins(40)).await;
    world.prometheus(firing("Disk", now)).await;
    assert_eq!((states(&world).await, world.hook.to("ana").len()), (vec!["active".to_owned()], 1), "it has not begun");
    world.restart_after(std::time::Duration::from_secs(180)).await;
    world.advance(1).await;
    assert_eq!(states(&world).await, ["suppressed"]);
    world.advance(20 * 60).await;
    assert_eq!(world.hook.to("ben").len(), 0, "its page is held");
}

async fn a_group_is_held_once_silences_hold_all_of_its_alerts(database: Database) {
    let org = org::with_routes("  - {match: 'severity=\"critical\"', set: {group_by: [service]}, declare: true}");
    let mut world = world_of(database, org).await;
    let now = world.now().await;
    for name in ["Disk", "Fan"] {
        world.prometheus(firing(name, now)).await;
    }
    let until = now + SignedDuration::from_hours(3);
    silence(&world, "Disk", now, until).await;
    assert!(world.incident().await["held_until"].is_null(), "the fan burns freely");
    world.advance(301).await;
    let told = world.hook.all().len();
    assert!(told >= 2, "and pages on");
    silence(&world, "Fan", world.now().await, until).await;
    assert!(world.incident().await["held_until"].is_string());
    world.advance(1_800).await;
    assert_eq!(world.hook.all().len(), told, "all of it is held");
    world.prometheus(firing("Pump", now)).await;
    let incident = world.incident().await;
    assert!(incident["held_until"].is_null(), "a pump joined that nobody silenced: {incident:#}");
    assert_eq!(world.hook.all().len(), told + 1);
}

async fn an_open_alert_says_what_was_sent_last(database: Database) {
    let mut world = world_of(database, org::usual()).await;
    let now = world.now().await;
    let says = |text: &str| {
        let mut alert = firing("Disk", now);
        alert[0]["annotations"] = json!({"summary": text});
        alert
    };
    let summary = |alerts: &Value| items(alerts)[0]["detail"]["annotations"]["summary"].clone();
    for text in ["disk 81 %", "disk 90 %", "disk 99 %"] {
        world.prometheus(says(text)).await;
    }
    world.advance(16).await;
    assert_eq!(summary(&world.api("/alerts").await), "disk 99 %", "within fifteen seconds");
    world.prometheus(says("disk 100 %")).await;
    assert_eq!(summary(&world.api("/alerts").await), "disk 100 %", "and the first change at once");
    world.advance(16).await;
    assert_eq!(items(&world.api("/alerts").await)[0]["count"], 4, "how often it was sent stays soft");
    assert_eq!((world.incidents("").await.len(), world.hook.all().len()), (1, 1), "no text is an incident");
}

async fn an_alert_that_comes_back_goes_on_with_its_incident_and_its_page(database: Database) {
    let mut world = world_of(database, org::usual()).await;
    world.fire("disk").await;
    world.advance(240).await;
    world.recover("disk").await;
    assert_eq!(world.incident().await["state"], "resolved");
    world.advance(120).await;
    world.fire("disk").await;
    let incident = world.incident().await;
    assert_eq!(incident["state"], "declared", "the same one: {incident:#}");
    assert_eq!(world.hook.to("ana").len(), 1, "she was told of it");
    assert_eq!(world.bodies(&incident, "alert_returned").await[0]["reopened"], true);
    world.advance(61).await;
    assert_eq!(world.hook.to("ben").len(), 1, "what was left of the step's five minutes is over");

    // Somebody has it: nobody is paged by its coming back.
    world.press(&world.hook.to("ben")[0].ack_path()).await.ok();
    world.recover("disk").await;
    world.advance(60).await;
    let before = world.hook.all().len();
    world.fire("disk").await;
    let incident = world.incident().await;
    assert_eq!((&incident["state"], &incident["recovered"]), (&"investigating".into(), &false.into()), "{incident:#}");
    world.advance(1_000).await;
    assert_eq!(world.hook.to("ana").len(), 1);
    assert!(!world.kinds(&incident).await.contains(&"confirmation_missed".to_owned()), "nobody has to confirm what is back");
    assert!(world.hook.all().len() <= before + 1);

    // By hand is by hand.
    let reference = incident["ref"].as_str().unwrap().to_owned();
    world.command(&format!("/incidents/{reference}/resolve"), json!({})).await.ok();
    world.fire("disk").await;
    assert_eq!(world.incidents("").await.len(), 2, "what comes after somebody resolved it is new");
}

async fn what_keeps_coming_back_flaps_and_is_held_open_until_it_is_quiet(database: Database) {
    let mut world = world_of(database, org::usual()).await;
    world.fire("disk").await;
    for _ in 0..4 {
        world.advance(20).await;
        world.recover("disk").await;
        world.advance(20).await;
        world.fire("disk").await;
    }
    let incident = world.incident().await;
    assert_eq!(incident["flapping"], true, "{incident:#}");
    world.recover("disk").await;
    assert_eq!(world.incident().await["state"], "declared", "it counts as firing");
    // A restart forgets neither that it flaps nor since when it is quiet.
    world.restart_after(std::time::Duration::from_secs(60)).await;
    world.advance(200).await;
    assert_eq!(world.incident().await["state"], "declared");
    world.advance(60).await;
    let incident = world.incident().await;
    assert_eq!((&incident["state"], &incident["flapping"]), (&"resolved".into(), &Value::Null), "{incident:#}");
    assert_eq!(world.bodies(&incident, "flapping").await.len(), 1);
    world.advance(400).await;
    world.fire("disk").await;
    assert_eq!(world.incidents("").await.len(), 2, "after its grace it is another");
}
