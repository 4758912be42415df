//! A target gives an incident its clocks: who has it hears that time runs out, what is missed is said once to whoever answers
//! for it, and what waits for somebody else does not count.

use allclear_trial::{Database, World, org};
use serde_json::{Value, json};

use crate::sign_in::{get_as, sign_in_as};
use crate::{on_both, world_of};

on_both!(
    who_has_it_hears_that_time_runs_out_and_a_breach_is_told_once,
    a_pause_a_restart_and_another_severity_move_a_clock_as_they_say,
    a_target_that_is_changed_holds_at_the_next_look,
);

/// Seconds of a minute.
const MINUTE: u64 = 60;
const TARGETS: &str = r#"
severities: [{id: sev2, update_every: 0s, acknowledgement_lasts: never}, {id: sev4, update_every: 0s, acknowledgement_lasts: never}]
targets:
  - {id: grave, severity: sev2, acknowledge: 4m, engage: 20m, mitigate: 1h, resolve: 4h}
  - {id: grave-search, severity: sev2, services: [search], resolve: 10m}
  - {id: small, severity: sev4, resolve: 8h}
"#;

fn organisation() -> String {
    [&org::usual(), TARGETS].concat()
}

/// What somebody was told, asked nothing, with these words in it.
fn times(world: &World, who: &str, words: &str) -> usize {
    world.hook.told(who).iter().filter(|told| told.page()["text"].as_str().unwrap_or_default().contains(words)).count()
}

/// A clock of the one incident.
async fn clock(world: &World, name: &str) -> Value {
    let incident = world.incident().await;
    let reference = incident["ref"].as_str().unwrap();
    let whole = world.api(&format!("/incidents/{reference}")).await;
    let found = whole["clocks"].as_array().into_iter().flatten().find(|clock| clock["clock"] == name);
    found.cloned().unwrap_or(Value::Null)
}

/// Keys of the targets that are awaited, each as often as it is.
async fn awaited(world: &World, reference: &str) -> Vec<String> {
    let found = world.api(&format!("/incidents/{reference}/expectations")).await;
    let live = found["items"].as_array().unwrap().iter().filter(|one| one["rule"] == "incident.target" && one["state"] == "live");
    let mut keys: Vec<String> = live.map(|one| one["key"].as_str().unwrap().to_owned()).collect();
    keys.sort();
    keys
}

async fn who_has_it_hears_that_time_runs_out_and_a_breach_is_told_once(database: Database) {
    let mut world = world_of(database, organisation()).await;
    world.fire("disk").await;
    let reference = world.incident().await["ref"].as_str().unwrap().to_owned();
    assert_eq!(awaited(&world, &reference).await, ["target:acknowledge", "target:engage", "target:mitigate", "target:resolve"]);
    world.advance(MINUTE).await;
    world.press(&world.hook.to("ana")[0].ack_path()).await.ok();
    world.quiet().await;
    assert_eq!(clock(&world, "acknowledge").await["state"], "met");
    assert_eq!(awaited(&world, &reference).await.len(), 3, "what was met is awaited no more");

    world.advance(9 * MINUTE + 5).await;
    assert_eq!(times(&world, "ana", "50 % of the time to engage"), 1);
    world.advance(10 * MINUTE).await;
    assert_eq!(times(&world, "ana", "80 % of the time to engage"), 1);
    assert_eq!(times(&world, "cho", "was missed"), 1, "the manager is told");
    assert_eq!((times(&world, "ana", "The target to engage"), clock(&world, "engage").await["state"].clone()), (1, "missed".into()));
    world.act(&reference, "acknowledge", json!({"by": "ben"})).await;
    assert_eq!(clock(&world, "engage").await["state"], "missed", "what was missed stays missed");

    world.advance(30 * MINUTE).await;
    assert_eq!((times(&world, "ana", "50 % of the time to mitigate"), times(&world, "ana", "80 % of the time to mitigate")), (1, 1));
    world.act(&reference, "mitigate", json!({})).await;
    world.advance(20 * MINUTE).await;
    let mitigate = clock(&world, "mitigate").await;
    assert_eq!((mitigate["state"].as_str(), mitigate["missed_at"].clone()), (Some("met"), Value::Null));
    world.act(&reference, "resolve", json!({})).await;
    world.advance(5 * 60 * MINUTE).await;
    let incident = world.incident().await;
    let missed = world.bodies(&incident, "clock_missed").await;
    assert_eq!((missed.len(), &missed[0]["clock"]), (1, &"engage".into()), "{missed:#?}");
    assert_eq!(world.bodies(&incident, "clock_warned").await.len(), 4, "each share once, and none of what was met");
    let trends = world.api("/trends").await;
    let of = |name: &str| trends["targets"].as_array().unwrap().iter().find(|one| one["clock"] == name).cloned().unwrap_or_default();
    assert_eq!((of("engage")["missed"].as_u64(), of("mitigate")["kept"].as_u64()), (Some(1), Some(1)), "{:#}", trends["targets"]);
}

async fn a_pause_a_restart_and_another_severity_move_a_clock_as_they_say(database: Database) {
    let mut world = world_of(database, organisation()).await;
    world.fire("disk").await;
    world.press(&world.hook.to("ana")[0].ack_path()).await.ok();
    world.quiet().await;
    let reference = world.incident().await["ref"].as_str().unwrap().to_owned();
    world.advance(20 * MINUTE + 5).await;
    let refused = world.command(&format!("/incidents/{reference}/resume_clock"), json!({})).await;
    assert_eq!(refused.body["code"], "clock_not_paused");
    world.act(&reference, "pause_clock", json!({"waiting_for": "vendor", "why": "their line is down"})).await;
    let paused = clock(&world, "mitigate").await;
    assert_eq!((paused["waiting_for"].as_str(), paused["due_at"].clone()), (Some("vendor"), Value::Null), "{paused:#}");
    assert_eq!(awaited(&world, &reference).await, [""; 0], "nothing is due while it waits");
    world.restart_after(std::time::Duration::from_secs(3_600)).await;
    world.advance(60 * MINUTE).await;
    let shown = world.cli(&["show", &reference]).await;
    assert!(shown.stdout.contains("paused, waiting for a vendor"), "{}", shown.stdout);
    world.act(&reference, "resume_clock", json!({})).await;
    assert_eq!(awaited(&world, &reference).await, ["target:mitigate", "target:resolve"], "each once");
    let going_on = clock(&world, "mitigate").await;
    assert!((1_205..1_280).contains(&going_on["elapsed_s"].as_i64().unwrap()), "two hours did not count: {going_on:#}");
    world.advance(38 * MINUTE).await;
    assert_eq!(clock(&world, "mitigate").await["state"], "live");
    world.advance(3 * MINUTE).await;
    assert_eq!(clock(&world, "mitigate").await["state"], "missed");
    let shown = world.cli(&["show", &reference]).await;
    assert!(shown.stdout.contains("LATE") && shown.stdout.contains("To mitigate, by the target"), "{}", shown.stdout);
    let page = get_as(&world, &sign_in_as(&world, "ana").await, &format!("/incidents/{reference}")).await.text;
    let (head, _) = page.split_once("id=\"log\"").expect("a log");
    assert!(head.contains("data-key=\"late-0\"") && head.contains("To mitigate, by the target"), "said before anything that comes");

    world.act(&reference, "severity", json!({"severity": "sev4", "why": "one customer"})).await;
    let resolve = clock(&world, "resolve").await;
    assert_eq!((resolve["target"].as_str(), resolve["within"].as_str()), (Some("small"), Some("8h")), "{resolve:#}");
    assert_eq!(clock(&world, "mitigate").await["state"], "missed", "and that stays");
    world.act(&reference, "severity", json!({"severity": "sev2", "why": "it spreads"})).await;
    world.act(&reference, "service", json!({"service": "search"})).await;
    world.advance(1).await;
    let resolve = clock(&world, "resolve").await;
    assert_eq!((resolve["target"].as_str(), resolve["state"].as_str()), (Some("grave-search"), Some("missed")), "an hour was over");
    let incident = world.incident().await;
    assert_eq!(world.bodies(&incident, "clock_missed").await.len(), 3, "engage, mitigate and resolve");
}

async fn a_target_that_is_changed_holds_at_the_next_look(database: Database) {
    let mut world = world_of(database, organisation()).await;
    world.fire("disk").await;
    world.press(&world.hook.to("ana")[0].ack_path()).await.ok();
    world.quiet().await;
    let longer = organisation().replace("mitigate: 1h", "mitigate: 3h");
    let body = org::filled(&longer, &world.hook.url());
    let posted = world.client.post(world.at("/api/v1/org/apply")).bearer_auth(org::ADMIN_TOKEN).header("content-type", "application/yaml");
    world.send(posted.body(body)).await.ok();
    world.quiet().await;
    world.advance(31 * MINUTE).await;
    assert_eq!(times(&world, "ana", "of the time to mitigate"), 0, "at half of what it was the new target was seen");
    let mitigate = clock(&world, "mitigate").await;
    assert_eq!((mitigate["within"].as_str(), mitigate["state"].as_str()), (Some("3h"), Some("live")), "{mitigate:#}");
    world.advance(60 * MINUTE).await;
    assert_eq!(times(&world, "ana", "50 % of the time to mitigate"), 1);
}
