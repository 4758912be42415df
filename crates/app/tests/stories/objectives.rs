//! How long services may be affected: a breach is seen before it happens, told at 80 % and once when it is missed, and what ends it is
//! in the log.

use allclear_trial::{Database, World, org};
use serde_json::{Value, json};

use crate::sign_in::{get_as, sign_in_as};
use crate::{begun, on_both, world_of};

on_both!(
    an_objective_is_projected_told_at_eighty_percent_and_missed_once,
    an_objective_ends_with_its_service_and_a_gone_one_can_be_said_not_to_be_affected,
    a_service_that_is_hit_later_has_its_own_time,
);

/// Seconds of a minute.
const MINUTE: u64 = 60;

fn organisation() -> String {
    let services = org::usual().replace("name: Search,", "name: Search, rto: 1h, mtpd: 4h,");
    [&services, "severities: [{id: sev2, update_every: 0s, acknowledgement_lasts: never}]\n"].concat()
}

fn told(world: &World, who: &str, words: &str) -> usize {
    world.hook.told(who).iter().filter(|told| told.page()["text"].as_str().unwrap_or_default().contains(words)).count()
}

async fn awaited(world: &World, reference: &str) -> usize {
    let found = world.api(&format!("/incidents/{reference}/expectations")).await;
    let live = |one: &&Value| one["rule"] == "incident.objective" && one["state"] == "live";
    found["items"].as_array().unwrap().iter().filter(live).count()
}

async fn an_objective_is_projected_told_at_eighty_percent_and_missed_once(database: Database) {
    let mut world = world_of(database, organisation()).await;
    let reference = begun(&world, "the disk of db-7").await;
    assert_eq!(awaited(&world, &reference).await, 0, "its own service has none");
    let affected = world.act(&reference, "affect", json!({"service": "search", "impact": "full"})).await;
    let objective = &affected["objectives"][0];
    assert_eq!((objective["kind"].as_str(), objective["within"].as_str()), (Some("rto"), Some("1h")), "{affected:#}");
    assert_eq!((&objective["from"], awaited(&world, &reference).await), (&affected["declared_at"], 2));
    // Whether it is as bad as it is said to be is asked first, and answered.
    world.act(&reference, "keep", json!({"why": "as bad as it is said to be"})).await;
    let cookie = sign_in_as(&world, "ana").await;
    for path in [format!("/incidents/{reference}"), "/".to_owned()] {
        let page = get_as(&world, &cookie, &path).await.text.to_lowercase();
        assert!(page.contains("recovery time objective of") && page.contains("search"), "{path}: {page}");
    }
    let shown = world.cli(&["show", &reference]).await.stdout;
    assert!(shown.contains("Recovery time objective of search") && shown.contains("Maximum tolerable period of search"), "{shown}");
    world.advance(49 * MINUTE).await;
    assert_eq!(told(&world, "ana", "80 % of the recovery time objective of Search is over"), 1);
    world.restart_after(std::time::Duration::from_secs(5)).await;
    world.advance(12 * MINUTE).await;
    for who in ["ana", "cho"] {
        assert_eq!(told(&world, who, "The recovery time objective of Search was missed"), 1, "{who}");
    }
    // The impact began earlier, as is known now: both are counted anew, and what was missed stays so.
    let earlier = (world.now().await - jiff::SignedDuration::from_mins(180)).to_string();
    let corrected = world.act(&reference, "time", json!({"instant": "impact_started", "at": earlier, "why": "the graph"})).await;
    assert!(corrected["objectives"][0]["missed_at"].is_string() && corrected["objectives"][0]["from"] == corrected["impact_started_at"]);
    world.advance(240 * MINUTE).await;
    assert_eq!(told(&world, "ana", "The maximum tolerable period of Search was missed"), 1);
    let incident = world.incident().await;
    assert_eq!(world.bodies(&incident, "objective_missed").await.len(), 2, "each once");
    let resolved = world.act(&reference, "resolve", json!({})).await;
    assert!(resolved["objectives"].as_array().unwrap().iter().all(|one| one["ended_at"].is_string()), "{resolved:#}");
    assert_eq!(awaited(&world, &reference).await, 0);
}

async fn an_objective_ends_with_its_service_and_a_gone_one_can_be_said_not_to_be_affected(database: Database) {
    let mut world = world_of(database, organisation()).await;
    let reference = begun(&world, "the disk of db-7").await;
    world.act(&reference, "affect", json!({"service": "search", "impact": "partial"})).await;
    let recovered = world.act(&reference, "affect", json!({"service": "search", "impact": "none"})).await;
    assert!(recovered["objectives"][0]["ended_at"].is_string() && awaited(&world, &reference).await == 0, "{recovered:#}");
    world.act(&reference, "affect", json!({"service": "search", "impact": "partial"})).await;
    assert_eq!(awaited(&world, &reference).await, 2);
    // The service leaves the organisation: its objectives end with a line at their next look.
    for path in ["/api/v1/org/integration/other", "/api/v1/org/service/search"] {
        let detach = world.client.post(world.at(&format!("{path}/detach"))).bearer_auth(org::ADMIN_TOKEN);
        world.send(detach).await;
        let gone = world.send(world.client.delete(world.at(path)).bearer_auth(org::ADMIN_TOKEN)).await;
        assert!(gone.status < 300, "{path}: {}", gone.text);
    }
    world.advance(50 * MINUTE).await;
    assert_eq!((awaited(&world, &reference).await, told(&world, "ana", "objective")), (0, 0));
    let lines = world.cli(&["log", &reference]).await.stdout;
    assert!(lines.contains("Recovery time objective of search ends: the organisation has no such service any more"), "{lines}");
    let unknown = world.command(&format!("/incidents/{reference}/affect"), json!({"service": "nowhere", "impact": "none"})).await;
    assert_eq!(unknown.body["code"], "no_such_service");
    let none = world.act(&reference, "affect", json!({"service": "search", "impact": "none"})).await;
    assert_eq!(none["affected"].as_array().unwrap()[0]["impact"], "none", "{none:#}");
}

async fn a_service_that_is_hit_later_has_its_own_time(database: Database) {
    let mut world = world_of(database, organisation()).await;
    let reference = begun(&world, "the disk of db-7").await;
    world.advance(50 * MINUTE).await;
    let hit = world.now().await - jiff::SignedDuration::from_mins(10);
    let at = format!("/incidents/{reference}/affect");
    let ahead = (world.now().await + jiff::SignedDuration::from_hours(1)).to_string();
    for (body, code) in [
        (json!({"service": "search", "impact": "none", "since": hit.to_string()}), "since_of_nothing"),
        (json!({"service": "search", "impact": "full", "since": ahead}), "in_the_future"),
    ] {
        let refused = world.command(&at, body).await;
        assert_eq!((refused.status, &refused.body["code"]), (422, &code.into()), "{}", refused.text);
    }
    let said = world.cli(&["affect", &reference, "search", "full", "--since", &hit.to_string()]).await;
    assert_eq!(said.code, 0, "{}", said.stderr);
    let from = |incident: &Value| incident["objectives"][0]["from"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    assert_eq!(from(&world.api(&format!("/incidents/{reference}")).await), hit);
    let log = world.cli(&["log", &reference]).await.stdout;
    assert!(log.contains("Search is affected: full, since "), "{log}");
    // Worse than thought moves nothing; once it had recovered, it counts from when it is hit again.
    assert_eq!(from(&world.act(&reference, "affect", json!({"service": "search", "impact": "partial"})).await), hit);
    world.act(&reference, "affect", json!({"service": "search", "impact": "none"})).await;
    world.advance(5 * MINUTE).await;
    let again = world.act(&reference, "affect", json!({"service": "search", "impact": "full"})).await;
    let since = world.now().await.duration_since(from(&again));
    assert!(!since.is_negative() && since.as_secs() < 60, "{again:#}");
    world.advance(30 * MINUTE).await;
    assert_eq!(told(&world, "ana", "objective"), 0, "80 % of it is not over");
}
