//! Nothing ends in silence: what nobody answers comes back, and who has something is asked whether they still do.

use allclear_trial::{Database, World, org, world::lines};
use serde_json::json;

use crate::{begun, on_both, world_of};

on_both!(
    a_page_that_nobody_answers_comes_back_until_somebody_has_it,
    whoever_has_it_is_reminded_when_they_asked_and_not_asked_before,
    an_acknowledgement_ages_and_pages_again_from_the_first_step,
    any_act_on_the_incident_renews_its_acknowledgement,
    a_severity_that_rises_past_what_was_acknowledged_pages_its_holder_first,
    an_incident_declared_without_a_page_awaits_somebody,
    a_missed_update_that_nobody_could_receive_wakes_nobody,
    missed_updates_of_something_grave_page_until_one_comes,
);

/// Seconds of a minute.
const MINUTE: u64 = 60;

/// How often a kind stands in the log.
async fn times(world: &World, kind: &str) -> usize {
    let incident = world.incident().await;
    world.kinds(&incident).await.iter().filter(|other| *other == kind).count()
}

/// Questions, and whom they were asked.
fn questions(world: &World, who: &str) -> Vec<allclear_trial::webhook_sink::Delivery> {
    world.hook.to(who).into_iter().filter(|d| d.kind() == "still_on_it").collect()
}

fn pages(world: &World, who: &str) -> usize {
    world.hook.to(who).iter().filter(|d| d.is_page()).count()
}

async fn a_page_that_nobody_answers_comes_back_until_somebody_has_it(database: Database) {
    let mut world = world_of(database, org::usual()).await;
    world.fire("disk").await;
    // Five minutes for ana, five for ben, ten for the catch-all.
    for _ in 0..4 {
        world.advance(5 * MINUTE + 2).await;
    }
    assert_eq!(times(&world, "page_exhausted").await, 1);
    let reference = world.incident().await["ref"].as_str().unwrap().to_owned();
    let next = world.api(&format!("/incidents/{reference}/expectations")).await;
    assert!(next.to_string().contains("page.again"), "it is said when it comes back: {next:#}");
    let paged = pages(&world, "cho");
    world.restart_after(std::time::Duration::from_secs(60)).await;
    world.advance(28 * MINUTE).await;
    assert_eq!(pages(&world, "cho"), paged, "half an hour is not over");
    world.advance(2 * MINUTE).await;
    assert_eq!(pages(&world, "cho"), paged + 1, "cho is the catch-all and the team's manager, and is told once");
    assert_eq!(times(&world, "page_came_back").await, 1);
    for _ in 0..8 {
        world.advance(5 * MINUTE + 2).await;
    }
    assert_eq!((times(&world, "page_came_back").await, times(&world, "page_exhausted").await), (2, 2), "and again");
    let last = world.hook.to("cho").pop().unwrap();
    assert_eq!(last.page()["round"], 3, "rounds go on counting, so that no key is used twice");
    world.press(&last.ack_path()).await.ok();
    world.advance(50 * MINUTE).await;
    assert_eq!(times(&world, "page_came_back").await, 2, "somebody has it");
    let doctor = world.cli(&["doctor"]).await;
    assert!(!doctor.stdout.contains("INC-"), "{doctor:?}");
}

async fn an_acknowledgement_ages_and_pages_again_from_the_first_step(database: Database) {
    let mut world = world_of(database, org::usual() + "severities: [{id: sev2, acknowledgement_lasts: 20m, update_every: 0s}]\n").await;
    let reference = begun(&world, "disk").await;
    world.advance(19 * MINUTE).await;
    assert_eq!(questions(&world, "ana").len(), 0, "twenty minutes are not over");
    world.advance(MINUTE + 10).await;
    let asked = questions(&world, "ana");
    assert_eq!(asked.len(), 1, "ana is asked whether she is still on it");
    assert!(asked[0].page()["text"].as_str().unwrap().contains("still on it"), "{:#}", asked[0].body);
    let shown = world.send(world.client.get(world.at(&asked[0].ack_path())).header("accept", "text/html")).await.ok();
    assert!(shown.text.contains("I am still on it") && shown.text.len() < 10_000, "{}", shown.text);
    let next = world.api(&format!("/incidents/{reference}/expectations")).await.to_string();
    assert!(next.contains("incident.still_on_it"), "{next}");
    world.advance(9 * MINUTE).await;
    let (before, bens) = (pages(&world, "ana"), pages(&world, "ben"));
    world.advance(MINUTE + 10).await;
    assert_eq!(pages(&world, "ana"), before + 1, "without an answer it pages again, from the first step");
    world.advance(5 * MINUTE + 5).await;
    assert_eq!(pages(&world, "ben"), bens + 1, "and goes on");
    let incident = world.incident().await;
    let said = lines(&world.events(&incident).await);
    assert!(said.contains("Ana Ruiz was asked at"), "the log says why: {said}");
    world.press(&world.hook.to("ben").pop().unwrap().ack_path()).await.ok();
    world.quiet().await;
    world.advance(20 * MINUTE + 10).await;
    assert_eq!((questions(&world, "ana").len(), questions(&world, "ben").len()), (2, 1), "whoever may have it is asked");
    world.press(&questions(&world, "ben")[0].ack_path()).await.ok();
    let (anas, bens) = (pages(&world, "ana"), pages(&world, "ben"));
    world.advance(11 * MINUTE).await;
    assert_eq!(times(&world, "acknowledgement_aged").await, 1, "ben is on it");
    assert_eq!(times(&world, "still_on_it").await, 1);
    assert_eq!((pages(&world, "ana"), pages(&world, "ben")), (anas, bens), "and nobody is paged");
}

/// What somebody asks with a token of their own, and the answer.
async fn ask_as(world: &World, who: &str, path: &str, body: serde_json::Value) -> allclear_trial::world::Answer {
    let made = world.command("/tokens", json!({"name": who, "scope": "respond", "person": who})).await.ok().body;
    let request = world.client.post(world.at(&format!("/api/v1{path}"))).bearer_auth(made["token"].as_str().unwrap()).json(&body);
    let answer = world.send(request).await;
    world.quiet().await;
    answer
}

async fn whoever_has_it_is_reminded_when_they_asked_and_not_asked_before(database: Database) {
    let mut world = world_of(database, org::usual() + "severities: [{id: sev2, acknowledgement_lasts: 20m, update_every: 0s}]\n").await;
    let reference = begun(&world, "disk").await;
    let snooze = format!("/incidents/{reference}/snooze");
    let refused = ask_as(&world, "ben", &snooze, json!({"within": "30m"})).await;
    assert_eq!(refused.status, 409, "{}", refused.text);
    assert!(refused.text.contains("not_the_holder") && refused.text.contains("only whoever has this incident"), "{}", refused.text);
    let refused = ask_as(&world, "ana", &snooze, json!({"within": "2d"})).await;
    assert!(refused.status == 422 && refused.text.contains("snooze_too_long"), "{}", refused.text);
    let refused = world.command(&snooze, json!({"within": "30m"})).await;
    assert!(refused.status == 400 && refused.text.contains("stands for no person"), "{}", refused.text);
    let answer = ask_as(&world, "ana", &snooze, json!({"within": "30m"})).await.ok();
    assert_eq!(answer.body["snoozed_by"], "ana", "{}", answer.text);
    assert!(answer.body["snoozed_until"].is_string(), "{}", answer.text);
    let paged = pages(&world, "ana");
    world.advance(15 * MINUTE).await;
    world.restart_after(std::time::Duration::from_secs(60)).await;
    world.advance(13 * MINUTE + 30).await;
    let reminders = |world: &World| world.hook.told("ana").into_iter().filter(|d| d.kind() == "reminder").collect::<Vec<_>>();
    assert_eq!((questions(&world, "ana").len(), reminders(&world).len()), (0, 0), "half an hour is not over");
    world.advance(MINUTE).await;
    let told = reminders(&world);
    assert_eq!(told.len(), 1, "ana is told when she asked for it: {}", lines(&world.events(&world.incident().await).await));
    let text = told[0].page()["text"].as_str().unwrap().to_owned();
    assert!(text.contains(&format!("You asked to be reminded of {reference}")), "{text}");
    assert!(world.incident().await["snoozed_until"].is_null(), "it is over");
    world.advance(19 * MINUTE).await;
    assert_eq!(questions(&world, "ana").len(), 0, "twenty minutes count from there");
    world.advance(MINUTE + 10).await;
    assert_eq!((questions(&world, "ana").len(), reminders(&world).len()), (1, 1), "then she is asked as usual");
    assert_eq!(pages(&world, "ana"), paged, "and was not paged all the while");
    let said = lines(&world.events(&world.incident().await).await);
    assert!(said.contains("Ana Ruiz asks to be reminded at") && said.contains("Ana Ruiz is reminded"), "{said}");
}

async fn any_act_on_the_incident_renews_its_acknowledgement(database: Database) {
    let mut world = world_of(database, org::usual() + "severities: [{id: sev2, acknowledgement_lasts: 20m, update_every: 0s}]\n").await;
    let reference = begun(&world, "disk").await;
    world.advance(15 * MINUTE).await;
    world.act(&reference, "note", json!({"text": "looking at the disk"})).await;
    world.advance(15 * MINUTE).await;
    assert_eq!(questions(&world, "ana").len(), 0, "something was done five minutes before");
    world.advance(5 * MINUTE + 10).await;
    assert_eq!(questions(&world, "ana").len(), 1, "twenty minutes after the last of it");
    world.act(&reference, "note", json!({"text": "still at it"})).await;
    world.advance(11 * MINUTE).await;
    assert_eq!(times(&world, "acknowledgement_aged").await, 0, "any act answers");
    world.advance(10 * MINUTE).await;
    assert_eq!(questions(&world, "ana").len(), 2, "and the next time counts from it");
    world.press(&format!("{}/decline", questions(&world, "ana")[1].ack_path())).await.ok();
    world.quiet().await;
    assert_eq!(times(&world, "acknowledgement_aged").await, 1, "who is not on it any more need not be waited for");
    assert_eq!(pages(&world, "ana"), 2, "the policy from its first step");
}

async fn a_severity_that_rises_past_what_was_acknowledged_pages_its_holder_first(database: Database) {
    let mut world = world_of(database, org::usual()).await;
    let send = |severity: &str| json!({"event_action": "trigger", "dedup_key": "disk", "payload": {"summary": "disk", "source": "db", "severity": severity}});
    world.pagerduty(send("warning")).await.ok();
    world.quiet().await;
    assert_eq!(world.incident().await["severity"], "sev4");
    world.press(&world.hook.to("ana")[0].ack_path()).await.ok();
    let before = pages(&world, "ana");
    world.pagerduty(send("critical")).await.ok();
    world.quiet().await;
    assert_eq!((pages(&world, "ana"), pages(&world, "ben")), (before + 1, 0), "ana has it, and hears that it is worse");
    world.advance(5 * MINUTE + 5).await;
    assert_eq!(pages(&world, "ana"), before + 2, "then the policy: its first step is ana's");
    world.advance(5 * MINUTE + 5).await;
    assert_eq!(pages(&world, "ben"), 1, "its second ben's");
    world.press(&world.hook.to("ben")[0].ack_path()).await.ok();
    let paged = world.hook.all().len();
    world.pagerduty(send("warning")).await.ok();
    world.pagerduty(send("critical")).await.ok();
    world.quiet().await;
    assert_eq!(world.hook.all().len(), paged, "it was acknowledged as this");
}

async fn an_incident_declared_without_a_page_awaits_somebody(database: Database) {
    let mut world = world_of(database, org::usual()).await;
    let declare = json!({"title": "cards are declined", "severity": "sev2", "service": "checkout", "page": false});
    world.command("/incidents", declare).await.ok();
    world.quiet().await;
    assert_eq!(world.hook.all().len(), 0, "nobody is paged");
    let reference = world.incident().await["ref"].as_str().unwrap().to_owned();
    world.act(&reference, "mitigate", json!({})).await;
    world.advance(9 * MINUTE + 45).await;
    assert_eq!(world.hook.all().len(), 0, "ten minutes are not over");
    world.advance(30).await;
    assert_eq!(pages(&world, "ana"), 1, "nobody took it: mitigated or not, it pages");
    world.press(&world.hook.to("ana")[0].ack_path()).await.ok();
    assert_eq!(world.incident().await["acknowledged_by"], "ana");
}

/// No audience is set: its people are told three times that no update came, and nobody is woken.
async fn a_missed_update_that_nobody_could_receive_wakes_nobody(database: Database) {
    let mut world = world_of(database, org::usual() + "severities: [{id: sev2, acknowledgement_lasts: never}]\n").await;
    let reference = begun(&world, "disk").await;
    let next = world.api(&format!("/incidents/{reference}/expectations")).await.to_string();
    assert!(next.contains("the commander and the team's managers are told"), "{next}");
    let told = |world: &World, who: &str| {
        world
            .hook
            .told(who)
            .iter()
            .filter(|d| d.page()["text"].as_str().unwrap_or_default().contains("No update to the stakeholders came"))
            .count()
    };
    for _ in 0..5 {
        world.advance(30 * MINUTE + 10).await;
    }
    assert_eq!((pages(&world, "ana"), pages(&world, "cho")), (1, 0), "the alarm woke ana; nothing else wakes anybody");
    assert_eq!((told(&world, "ana"), told(&world, "cho")), (3, 3), "they are told, and not for ever");
}

async fn missed_updates_of_something_grave_page_until_one_comes(database: Database) {
    let audience = "audiences: [{id: customers, contacts: [{id: hook, webhook: \"{HOOK}/status\", secret: \"{SECRET}\"}]}]\n";
    let severities = "severities: [{id: sev2, acknowledgement_lasts: never}]\n";
    let mut world = world_of(database, org::usual() + audience + severities).await;
    let reference = begun(&world, "disk").await;
    let next = world.api(&format!("/incidents/{reference}/expectations")).await.to_string();
    assert!(next.contains("the commander and the team's managers are paged"), "what follows is said as it is: {next}");
    world.advance(30 * MINUTE + 10).await;
    assert_eq!(pages(&world, "ana"), 2, "the update was missed: its commander is paged");
    let because = "no update to the stakeholders came in time";
    let owed = world.hook.to("ana").pop().unwrap();
    assert_eq!(owed.page()["because"], because, "and reads why: {:#}", owed.body);
    assert!(world.hook.to("ana")[0].page()["because"].is_null(), "an alarm speaks for itself");
    let shown = world.send(world.client.get(world.at(&owed.ack_path())).header("accept", "text/html")).await.ok().text;
    assert!(shown.contains("No update to the stakeholders came in time"), "{shown}");
    let first = world.send(world.client.get(world.at(&world.hook.to("ana")[0].ack_path())).header("accept", "text/html")).await.ok().text;
    assert!(first.contains("No update to the stakeholders") && !first.contains("for help"), "nobody asked for help: {first}");
    world.advance(5 * MINUTE + 5).await;
    assert_eq!(pages(&world, "cho"), 1, "then the team's manager");
    for _ in 0..12 {
        world.advance(10 * MINUTE + 5).await;
    }
    assert!(times(&world, "update_missed").await >= 4, "without a cap of three");
    assert_eq!(pages(&world, "ana"), 1 + times(&world, "update_missed").await, "each pages again");
    world.act(&reference, "update", json!({"text": "One card brand fails."})).await;
    let paged = world.hook.all().len();
    world.advance(29 * MINUTE).await;
    assert_eq!(world.hook.all().len(), paged, "it was mended");
}
