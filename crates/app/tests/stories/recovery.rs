//! What burns goes out: by itself, with somebody on it, or because its sender fell silent.

use allclear_trial::{Database, org};
use serde_json::json;

use crate::sign_in::{get_as, sign_in_as};
use crate::{on_both, world, world_of};

on_both!(
    what_recovers_by_itself_resolves_and_stops_paging,
    a_recovery_with_somebody_on_it_asks_them_and_closes_nothing,
    an_alert_that_is_not_sent_again_lapses_but_not_right_after_a_restart,
    nothing_ends_while_a_service_is_not_wholly_back_unless_somebody_says_why,
    a_review_that_comes_later_is_waived_with_a_reason_and_stays_due,
);

async fn what_recovers_by_itself_resolves_and_stops_paging(database: Database) {
    let mut world = world_of(database, org::usual()).await;
    world.fire("disk").await;
    world.advance(60).await;
    world.recover("disk").await;
    let incident = world.incident().await;
    assert_eq!(incident["state"], "resolved", "{incident:#}");
    assert_eq!(world.bodies(&incident, "resolved").await[0]["by_itself"], true);
    assert!(world.kinds(&incident).await.contains(&"page_stopped".to_owned()));
    world.advance(3_600).await;
    assert_eq!(world.hook.all().len(), 1, "nobody else is woken for it");
    world.fire("disk").await;
    assert_eq!(world.incidents("").await.len(), 2, "an hour later it is a new incident");
    assert_eq!(world.hook.to("ana").len(), 2);
}

async fn a_recovery_with_somebody_on_it_asks_them_and_closes_nothing(database: Database) {
    let mut world = world_of(database, org::usual()).await;
    world.fire("disk").await;
    world.press(&world.hook.to("ana")[0].ack_path()).await.ok();
    world.recover("disk").await;
    let incident = world.incident().await;
    assert_eq!((&incident["state"], &incident["recovered"]), (&"investigating".into(), &true.into()), "{incident:#}");
    let asked = world.hook.to("ana");
    assert_eq!(asked.len(), 2, "ana is asked whether it is over");
    assert_ne!(asked[0].id, asked[1].id);
    assert_eq!(world.hook.to("ben").len(), 0);
    world.advance(16 * 60).await;
    let incident = world.incident().await;
    assert_eq!(incident["state"], "investigating", "nothing closes by itself");
    assert!(world.kinds(&incident).await.contains(&"confirmation_missed".to_owned()));
    let reference = incident["ref"].as_str().unwrap();
    world.command(&format!("/incidents/{reference}/resolve"), json!({"note": "restarted it"})).await.ok();
    assert_eq!(world.incident().await["state"], "resolved");
}

async fn an_alert_that_is_not_sent_again_lapses_but_not_right_after_a_restart(database: Database) {
    let mut world = world_of(database, org::usual()).await;
    let firing = |now: jiff::Timestamp| {
        let ends = now + jiff::SignedDuration::from_mins(4);
        json!([{"labels": {"alertname": "Disk", "severity": "critical"}, "startsAt": now.to_string(), "endsAt": ends.to_string()}])
    };
    world.prometheus(firing(world.now().await)).await;
    world.advance(200).await;
    world.prometheus(firing(world.now().await)).await;
    world.advance(200).await;
    assert_ne!(world.incident().await["state"], "resolved", "it was sent again in time");
    // The program is away for longer than the alert lives: its sender may have tried.
    world.restart_after(std::time::Duration::from_secs(600)).await;
    world.advance(120).await;
    assert_ne!(world.incident().await["state"], "resolved", "no alert lapses before one interval after a start");
    world.advance(180).await;
    let alert = &allclear_trial::world::items(&world.api("/alerts").await)[0];
    assert_eq!(alert["state"], "lapsed", "{alert:#}");
    assert_eq!(world.incident().await["state"], "resolved", "and with it recovers its incident, since nobody is on it");
}

async fn nothing_ends_while_a_service_is_not_wholly_back_unless_somebody_says_why(database: Database) {
    let world = world_of(database, org::usual()).await;
    world.fire("disk").await;
    world.press(&world.hook.to("ana")[0].ack_path()).await.ok();
    let reference = world.incident().await["ref"].as_str().unwrap().to_owned();
    let at = |verb: &str| format!("/incidents/{reference}/{verb}");
    for (body, code) in
        [(json!({"service": "checkout", "percent": 101}), "no_percentage"), (json!({"service": "gone", "percent": 10}), "no_such_service")]
    {
        let refused = world.command(&at("restored"), body).await;
        assert_eq!((refused.status >= 400, &refused.body["code"]), (true, &code.into()), "{}", refused.text);
    }
    world.act(&reference, "restored", json!({"service": "checkout", "percent": 60, "backlog": 1200, "note": "cards only"})).await;
    let said = world.cli(&["restored", &reference, "search", "100", "--backlog", "7"]).await;
    assert!(
        said.code == 0 && said.stdout.contains("search is back at 100 %, with 7 left of its backlog"),
        "{} {}",
        said.stdout,
        said.stderr
    );
    let refused = world.command(&at("resolve"), json!({})).await;
    assert_eq!(refused.body["code"], "recovery_open", "{}", refused.text);
    assert!(refused.text.contains("checkout is back at 60 %, with 1200 left of its backlog"), "{}", refused.text);
    let page = get_as(&world, &sign_in_as(&world, "ana").await, &format!("/incidents/{reference}")).await.text;
    for words in ["Back to normal", "60 %", "1200 left of the backlog", "cards only", "Why may it stay open?"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    world.act(&reference, "restored", json!({"service": "checkout", "percent": 100, "backlog": 0})).await;
    world.act(&reference, "resolve", json!({"waive": "search drains over night"})).await;
    assert_eq!(world.incident().await["restored"][1]["waived"], "search drains over night");
    // What was reopened is to be looked at again.
    world.act(&reference, "reopen", json!({"why": "it is back"})).await;
    assert_eq!(world.command(&at("resolve"), json!({})).await.body["code"], "recovery_open");
    world.act(&reference, "resolve", json!({"waive": "looked, all is well"})).await;
    // Its review was asked for when it was over, and is to be published first.
    let refused = world.command(&at("close"), json!({})).await;
    assert_eq!((refused.status, &refused.body["code"]), (409, &"review_open".into()), "{}", refused.text);
    let review = world.api(&format!("/incidents/{reference}/review")).await["id"].as_str().unwrap().to_owned();
    world.command(&format!("/reviews/{review}/publish"), json!({})).await.ok();
    world.act(&reference, "close", json!({})).await;
    world.act(&reference, "reopen", json!({"why": "once more"})).await;
    world.act(&reference, "resolve", json!({"waive": "it drained"})).await;
    world.act(&reference, "close", json!({})).await;
    let trends = world.api("/trends").await;
    assert_eq!((&trends["reopened"], &trends["reopenings"]), (&json!(1), &json!(2)), "{trends:#}");
    let page = get_as(&world, &sign_in_as(&world, "ana").await, "/trends").await.text;
    assert!(page.contains("1 of 1 incidents, 2 times in all"), "{page}");
}

async fn a_review_that_comes_later_is_waived_with_a_reason_and_stays_due(database: Database) {
    let world = world_of(database, org::usual()).await;
    world.fire("disk").await;
    world.press(&world.hook.to("ana")[0].ack_path()).await.ok();
    world.quiet().await;
    let reference = world.incident().await["ref"].as_str().unwrap().to_owned();
    world.act(&reference, "resolve", json!({})).await;
    let cookie = sign_in_as(&world, "ana").await;
    let page = get_as(&world, &cookie, &format!("/incidents/{reference}")).await.text;
    assert!(page.contains("Why may it stay open?"), "{page}");
    assert_eq!(world.cli(&["close", &reference, "--waive", " "]).await.code, 1, "a blank is no reason");
    let closed = world.cli(&["close", &reference, "--waive", "the vendor's report comes in March"]).await;
    assert_eq!(closed.code, 0, "{}", closed.stderr);
    let log = world.cli(&["log", &reference]).await.stdout;
    assert!(log.contains("(its review is published): the vendor's report comes in March"), "{log}");
    let reviews = world.api("/reviews").await;
    assert_eq!(reviews["items"][0]["state"], "draft", "{reviews:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_two_alerts_recovering_changes_nothing() {
    let mut world =
        world_of(Database::Sqlite, org::with_routes("  - {match: 'severity=\"critical\"', set: {group_by: [service]}, declare: true}"))
            .await;
    world.fire("disk").await;
    world.fire("cpu").await;
    world.recover("disk").await;
    assert_eq!(world.incident().await["state"], "declared");
    world.advance(301).await;
    assert_eq!(world.hook.to("ben").len(), 1, "it escalates on");
    world.recover("cpu").await;
    assert_eq!(world.incident().await["state"], "resolved");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn resolving_what_is_not_open_is_success_and_changes_nothing() {
    let world = world().await;
    let answer = world.recover("never seen").await;
    assert_eq!(answer.status, 202);
    let pd = world.pagerduty(json!({"event_action": "resolve", "dedup_key": "never seen"})).await;
    assert_eq!((pd.status, &pd.body["status"]), (202, &"success".into()), "{}", pd.text);
    assert!(world.incidents("").await.is_empty() && world.hook.all().is_empty());
}
