//! Heartbeats: what stops is told, once, and not because this program stood still.

use allclear_trial::world::items;
use allclear_trial::{Database, World, org};
use reqwest::Method;
use serde_json::Value;

use crate::{on_both, world_of};

on_both!(
    a_job_that_stops_calling_is_missed_once_and_its_next_call_ends_that,
    each_instance_is_watched_by_itself,
    what_was_called_while_nobody_listened_is_not_missed_after_a_start,
    a_program_that_starts_again_and_again_misses_it_all_the_same,
    sixty_five_calls_at_once_are_one_heartbeat,
    a_corrected_interval_counts_within_ten_minutes,
    what_sends_none_any_more_is_not_missed,
    a_nightly_job_is_missed_by_its_own_clock,
);

const KEY: &str = "heartbeat-key-1234";

/// The usual organisation, and a backup that calls every hour.
fn organisation(every: &str) -> String {
    let backup = format!(
        "integrations:\n  - {{id: backup, kind: heartbeat, key: {KEY}, name: Nightly backup, every: {every}, grace: 5m, service: checkout}}\n"
    );
    org::usual().replacen("integrations:\n", &backup, 1)
}

async fn calls(world: &World, method: Method, behind: &str) -> (u16, String) {
    let answer = world.send(world.client.request(method, world.at(&format!("/heartbeat/{KEY}{behind}")))).await;
    (answer.status, answer.text)
}

async fn applies(world: &World, text: String) {
    let posted = world.client.post(world.at("/api/v1/org/apply")).bearer_auth(org::ADMIN_TOKEN).header("content-type", "application/yaml");
    world.send(posted.body(org::filled(&text, &world.hook.url()))).await.ok();
}

async fn heartbeats(world: &World) -> Vec<Value> {
    items(&world.api("/heartbeats?integration=backup").await)
}

async fn a_job_that_stops_calling_is_missed_once_and_its_next_call_ends_that(database: Database) {
    let mut world = world_of(database, organisation("1h")).await;
    world.advance(3 * 3600).await;
    assert_eq!(world.incidents("").await.len(), 0, "nothing is missed before the first came");
    for method in [Method::GET, Method::HEAD, Method::POST, Method::PUT] {
        assert_eq!(calls(&world, method, "").await.0, 200);
    }
    let (_, heard) = calls(&world, Method::GET, "").await;
    assert!(heard.contains("heard"), "{heard}");
    for _ in 0..3 {
        world.advance(64 * 60).await;
        assert_eq!(world.incidents("").await.len(), 0, "an hour and its grace are not over");
        calls(&world, Method::POST, "").await;
    }
    world.advance(64 * 60).await;
    assert_eq!(world.hook.to("ana").len(), 0);
    world.advance(62).await;
    let incident = world.incident().await;
    assert_eq!(
        (incident["title"].as_str(), incident["severity"].as_str()),
        (Some("No heartbeat of Nightly backup"), Some("sev3")),
        "{incident:#}"
    );
    assert_eq!(world.hook.to("ana").len(), 1, "whoever is on call is paged");
    let known = heartbeats(&world).await;
    assert_eq!((known.len(), &known[0]["missing"], &known[0]["missed_at"]), (1, &true.into(), &Value::Null), "{known:#?}");
    world.advance(5 * 3600).await;
    assert_eq!(world.incidents("").await.len(), 1, "it is missed once, however long it lasts");

    calls(&world, Method::GET, "").await;
    world.quiet().await;
    let alerts = items(&world.api("/alerts").await);
    assert_eq!((alerts.len(), alerts[0]["state"].as_str()), (1, Some("resolved")), "{alerts:#?}");
    let known = heartbeats(&world).await;
    assert!(known[0]["missing"] == false && known[0]["missed_at"].is_string(), "it is awaited again: {known:#?}");
    world.advance(66 * 60).await;
    let open = items(&world.api("/alerts?open=true").await);
    assert_eq!(open.len(), 1, "and missed again: {open:#?}");
}

async fn each_instance_is_watched_by_itself(database: Database) {
    let mut world = world_of(database, organisation("1h")).await;
    for instance in ["/db-1", "/db-2.example.org", ""] {
        assert_eq!(calls(&world, Method::GET, instance).await.0, 200);
    }
    for wrong in ["/a%20b", "/%F0%9F%9A%92", "/a:b", &format!("/{}", "x".repeat(254))] {
        let (status, why) = calls(&world, Method::GET, wrong).await;
        assert!(status == 400 && why.contains("letters, digits"), "{wrong}: {status} {why}");
    }
    assert_eq!(calls(&world, Method::GET, "/db-1/x").await.0, 404);
    world.advance(60 * 60).await;
    calls(&world, Method::GET, "/db-2.example.org").await;
    calls(&world, Method::GET, "").await;
    world.advance(6 * 60).await;
    let open = items(&world.api("/alerts?open=true").await);
    let titles: Vec<_> = open.iter().map(|alert| alert["title"].as_str().unwrap()).collect();
    assert_eq!(titles, ["No heartbeat of Nightly backup (db-1)"]);
    assert_eq!(open[0]["detail"]["labels"]["instance"], "db-1", "{open:#?}");
    assert_eq!(heartbeats(&world).await[0]["instance"], "db-1", "what is missing stands first");
}

async fn what_was_called_while_nobody_listened_is_not_missed_after_a_start(database: Database) {
    let mut world = world_of(database, organisation("1h")).await;
    calls(&world, Method::GET, "").await;
    world.restart_after(std::time::Duration::from_secs(4 * 3600)).await;
    world.advance(64 * 60).await;
    assert_eq!(world.incidents("").await.len(), 0, "its calls may have been lost while nobody listened");
    world.advance(2 * 60).await;
    assert_eq!(world.incidents("").await.len(), 1, "one whole interval has passed");
}

async fn a_program_that_starts_again_and_again_misses_it_all_the_same(database: Database) {
    let mut world = world_of(database, organisation("1h")).await;
    calls(&world, Method::GET, "").await;
    for _ in 0..4 {
        world.advance(17 * 60).await;
        world.restart_after(std::time::Duration::from_secs(2)).await;
    }
    assert_eq!(world.incidents("").await.len(), 1, "an hour and its grace are over, whoever started meanwhile");
}

async fn sixty_five_calls_at_once_are_one_heartbeat(database: Database) {
    let mut world = world_of(database, organisation("1h")).await;
    let all = (0..65).map(|_| calls(&world, Method::GET, "/db-1"));
    let answers = futures_util::future::join_all(all).await;
    assert!(answers.iter().all(|(status, _)| *status == 200), "{answers:?}");
    assert_eq!(heartbeats(&world).await.len(), 1);
    world.advance(66 * 60).await;
    assert_eq!(items(&world.api("/alerts?open=true").await).len(), 1);
}

async fn a_corrected_interval_counts_within_ten_minutes(database: Database) {
    let mut world = world_of(database, organisation("90d")).await;
    calls(&world, Method::GET, "").await;
    world.advance(3600).await;
    applies(&world, organisation("10m")).await;
    world.advance(11 * 60).await;
    assert_eq!(world.incidents("").await.len(), 1, "it was silent for an hour by then");
}

async fn what_sends_none_any_more_is_not_missed(database: Database) {
    let mut world = world_of(database, organisation("1h")).await;
    calls(&world, Method::GET, "").await;
    let key = format!("/heartbeat/{KEY}");
    let none = organisation("1h").replace("kind: heartbeat", "kind: json").replace(", every: 1h, grace: 5m", "");
    applies(&world, none).await;
    world.advance(2 * 3600).await;
    assert_eq!(world.incidents("").await.len(), 0);
    let refused = world.send(world.client.get(world.at(&key))).await;
    assert!(refused.status == 401 && refused.text.contains("kind"), "{} {}", refused.status, refused.text);
}

async fn a_nightly_job_is_missed_by_its_own_clock(database: Database) {
    let mut world = world_of(database, organisation("\"30 2 * * * Europe/Madrid\"")).await;
    let madrid = |at: jiff::Timestamp| at.to_zoned(jiff::tz::TimeZone::get("Europe/Madrid").unwrap());
    let until = async |world: &mut World, hour: i8, minute: i8| {
        let now = madrid(world.now().await);
        let today = now.with().time(jiff::civil::time(hour, minute, 0, 0)).build().unwrap();
        let then = if today > now { today } else { today.checked_add(jiff::Span::new().days(1)).unwrap() };
        world.advance(u64::try_from(then.timestamp().duration_since(now.timestamp()).as_secs() + 1).unwrap()).await;
    };
    until(&mut world, 2, 30).await;
    calls(&world, Method::GET, "").await;
    let due = heartbeats(&world).await[0]["missed_at"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let due = madrid(due);
    assert_eq!((due.hour(), due.minute(), due.second()), (2, 35, 0), "at the next of its times, and its grace: {due}");

    // It is called every night, a little late, and nothing is missed at any hour of the day.
    for _ in 0..2 {
        until(&mut world, 2, 33).await;
        assert_eq!(world.incidents("").await.len(), 0, "within its grace");
        calls(&world, Method::GET, "").await;
    }
    // Called in the middle of the day as well: the night's is awaited all the same.
    until(&mut world, 14, 0).await;
    calls(&world, Method::GET, "").await;
    until(&mut world, 2, 34).await;
    assert_eq!(world.incidents("").await.len(), 0);
    until(&mut world, 2, 36).await;
    let incident = world.incident().await;
    assert_eq!(incident["title"], "No heartbeat of Nightly backup");
    let alerts = items(&world.api("/alerts").await);
    let said = alerts[0]["detail"]["description"].as_str().unwrap_or_default();
    assert!(said.contains("expected at `30 2 * * * Europe/Madrid`"), "{alerts:#?}");

    // What nobody can wait for is refused with the reason.
    for (every, why) in [("61 2 * * *", "0..=59"), ("0 0 30 2 *", "ever comes"), ("0 3 * * * Mars/Base", "Mars/Base")] {
        let text = organisation(&format!("\"{every}\""));
        let posted =
            world.client.post(world.at("/api/v1/org/apply")).bearer_auth(org::ADMIN_TOKEN).header("content-type", "application/yaml");
        let refused = world.send(posted.body(org::filled(&text, &world.hook.url()))).await;
        assert!(refused.status == 422 && refused.text.contains(why), "{every}: {} {}", refused.status, refused.text);
    }
}
