//! Conditions and their names: who they are, who may end them, how bad they get, who hushes them.

use allclear_trial::{Database, org};
use serde_json::json;

use crate::{on_both, world, world_of};

on_both!(
    what_was_changed_stands_beside_the_incident_of_its_service,
    the_same_name_on_two_integrations_is_two_alerts,
    a_silence_suppresses_and_judges_again_at_its_end
);

async fn the_same_name_on_two_integrations_is_two_alerts(database: Database) {
    let world = world_of(database, org::usual()).await;
    let body = json!({"title": "disk", "dedup_key": "disk", "severity": "critical"});
    world.signal(body.clone()).await;
    world.signal_with(org::OTHER_KEY, body.clone()).await;
    assert_eq!(world.incidents("").await.len(), 2);
    world.signal(body).await;
    assert_eq!(world.incidents("").await.len(), 2, "a repetition is no third");
    assert_eq!(world.hook.to("ana").len(), 2, "and wakes nobody again");
    world.recover("disk").await;
    let open = world.incidents("open=true").await;
    assert_eq!(open.len(), 1, "a recovery through one integration leaves the other's alert alone");
    assert_eq!(open[0]["service"], "search");
}

async fn a_silence_suppresses_and_judges_again_at_its_end(database: Database) {
    let mut world = world_of(database, org::usual()).await;
    let now = world.now().await;
    let silence = json!({
        "matchers": [{"name": "alertname", "value": "Disk", "isRegex": false, "isEqual": true}],
        "startsAt": now.to_string(), "endsAt": (now + jiff::SignedDuration::from_mins(30)).to_string(),
        "createdBy": "ana", "comment": "moving the disk",
    });
    let answer = world.post(&format!("/prom/{}/api/v2/silences", org::PROM_KEY), silence.to_string()).await.ok();
    assert!(answer.body["silenceID"].is_string(), "{}", answer.text);
    let firing = |name: &str| json!([{"labels": {"alertname": name, "severity": "critical"}, "startsAt": now.to_string(), "endsAt": (now + jiff::SignedDuration::from_hours(2)).to_string()}]);
    world.prometheus(firing("Disk")).await;
    assert!(world.hook.all().is_empty() && world.incidents("").await.is_empty(), "silenced");
    let alert = &allclear_trial::world::items(&world.api("/alerts").await)[0];
    assert!(alert["silenced_by"].is_string(), "the alert is kept, and says what hushes it: {alert:#}");
    world.prometheus(firing("Fan")).await;
    assert_eq!(world.hook.to("ana").len(), 1, "the silence hushes what it names, and no more");
    world.advance(31 * 60).await;
    let titles: Vec<String> = world.hook.to("ana").iter().map(|d| d.page()["incident"]["title"].as_str().unwrap().to_owned()).collect();
    assert_eq!(titles.len(), 2, "what still burns when the silence ends pages then: {titles:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_acknowledgement_by_the_sender_stops_the_page_its_alert_started() {
    let mut world = world().await;
    let event = |action: &str| json!({"event_action": action, "dedup_key": "db1/disk", "payload": {"summary": "Disk on db1", "source": "db1", "severity": "critical"}});
    let answer = world.pagerduty(event("trigger")).await;
    assert_eq!((answer.status, &answer.body["dedup_key"]), (202, &"db1/disk".into()), "{}", answer.text);
    assert_eq!(world.hook.to("ana").len(), 1);
    world.pagerduty(event("acknowledge")).await;
    world.advance(1_500).await;
    assert_eq!(world.hook.to("ben").len(), 0, "somebody has it, says the sender");
    let incident = world.incident().await;
    assert_eq!(incident["state"], "investigating", "{incident:#}");
    assert_eq!(world.bodies(&incident, "acknowledged").await[0]["via"], "sender");
    world.pagerduty(event("trigger")).await;
    world.pagerduty(event("resolve")).await;
    assert_eq!(
        world.hook.to("ana").len(),
        1 + usize::from(world.incident().await["acknowledged_by"].is_string()),
        "a repetition while acknowledged does not page"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alert_that_gets_worse_raises_its_incident_and_one_that_gets_better_does_not_lower_it() {
    let world = world().await;
    let at = |severity: &str| json!({"title": "disk", "dedup_key": "disk", "severity": severity});
    world.signal(at("warning")).await;
    assert_eq!(world.incident().await["severity"], "sev4");
    world.signal(at("critical")).await;
    let incident = world.incident().await;
    assert_eq!(incident["severity"], "sev2");
    let changed = world.bodies(&incident, "severity_changed").await;
    assert_eq!((&changed[0]["from"], &changed[0]["to"]), (&"sev4".into(), &"sev2".into()), "{changed:#?}");
    world.signal(at("warning")).await;
    assert_eq!(world.incident().await["severity"], "sev2", "only people lower it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_format_answers_as_its_senders_expect() {
    let world = world().await;
    let body = json!([{"labels": {"alertname": "X"}}]);
    assert_eq!(world.post(&format!("/prom/{}/api/v2/alerts", org::PROM_KEY), body.to_string()).await.status, 200, "Alertmanager's is 200");
    assert_eq!(world.signal(json!({"title": "x"})).await.status, 202, "ours is 202");
    let bad = world.post("/v2/enqueue", json!({"routing_key": org::PD_KEY, "event_action": "trigger"}).to_string()).await;
    assert_eq!((bad.status, &bad.body["status"]), (400, &"invalid event".into()), "{}", bad.text);
    assert!(bad.body["errors"].is_array());
    let stranger = world.post("/v2/enqueue", json!({"routing_key": "nobody", "event_action": "trigger"}).to_string()).await;
    assert_eq!(stranger.status, 400, "{}", stranger.text);
    assert_eq!(world.post("/in/json/no-such-key", "{}").await.status, 401);
    assert_eq!(world.post("/prom/no-such-key/api/v2/alerts", "[]").await.status, 401);
    assert_eq!(world.post(&format!("/in/json/{}", org::JSON_KEY), "{").await.status, 400);
    assert_eq!(world.incidents("").await.len(), 2);
}

async fn what_was_changed_stands_beside_the_incident_of_its_service(database: Database) {
    let world = world_of(database, org::usual()).await;
    let tell = async |summary: &str| {
        let links = json!([{"href": "https://ci.example.org/7", "text": "Pipeline"}]);
        let body = json!({"routing_key": org::PD_KEY, "payload": {"summary": summary, "source": "ci"}, "links": links});
        assert_eq!(world.post("/v2/change/enqueue", body.to_string()).await.status, 202);
    };
    tell("Deployed checkout 7").await;
    world.fire("disk").await;
    tell("Rolled checkout back").await;
    let incident = &world.incidents("").await[0];
    assert_eq!(incident["service"], "checkout");
    let reference = incident["ref"].as_str().unwrap();
    let titles = |body: &serde_json::Value| -> Vec<String> {
        allclear_trial::world::items(body).iter().map(|one| one["title"].as_str().unwrap().to_owned()).collect()
    };
    let both = ["Rolled checkout back", "Deployed checkout 7"];
    assert_eq!(titles(&world.api(&format!("/incidents/{reference}/changes")).await), both, "the newest first");
    let listed = world.api("/changes?service=checkout&limit=1").await;
    assert_eq!(titles(&listed), both[..1]);
    assert_eq!((&listed["items"][0]["source"], &listed["items"][0]["links"][0]["text"]), (&json!("ci"), &json!("Pipeline")));
    assert!(titles(&world.api("/changes?service=search").await).is_empty(), "another service was not changed");
    let cookie = crate::sign_in::sign_in_as(&world, "ana").await;
    for path in [format!("/incidents/{reference}"), "/services/checkout".to_owned()] {
        let page = crate::sign_in::get_as(&world, &cookie, &path).await.text;
        assert!(page.contains("<h2>Changes</h2>") && page.contains("Deployed checkout 7") && page.contains("Pipeline"), "{path}: {page}");
    }
    assert_eq!(world.incidents("").await.len(), 1, "a change pages nobody");
}
