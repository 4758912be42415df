//! What a step of a policy may say beside whom it pages: when it counts, that one of them has their turn, and that several have to
//! acknowledge.

use allclear_trial::{Database, World, org, world::lines};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::{on_both, world_of};

on_both!(
    a_step_counts_by_support_hours_judged_when_its_turn_comes,
    a_severity_that_rises_is_judged_by_the_steps_that_follow,
    a_policy_that_is_changed_meanwhile_is_walked_as_it_was,
    each_page_takes_the_next_of_the_ring_also_after_a_restart,
    two_have_to_acknowledge_and_everybody_sees_how_many_have,
    what_one_of_two_gives_back_or_passes_on_others_take,
);

/// Seconds of a minute.
const MINUTE: u64 = 60;

fn organisation(steps: &str, more: &str) -> String {
    org::with_escalation(&format!("escalations:\n  - {{id: payments, steps: [{steps}]}}\n")) + more
}

fn pages(world: &World, who: &str) -> usize {
    world.hook.to(who).iter().filter(|d| d.is_page()).count()
}

fn paged(world: &World) -> [usize; 3] {
    ["ana", "ben", "cho"].map(|who| pages(world, who))
}

/// Hours that are open from an hour ago until so many seconds from now, in UTC, every day.
fn open_for(seconds: i64) -> String {
    // The machine's own clock: a world begins at its time.
    let now = Timestamp::now();
    let civil = |by: i64| (now + SignedDuration::from_secs(by)).strftime("%H:%M").to_string();
    format!("calendars:\n  - {{id: office, time_zone: Etc/UTC, hours: [{{from: \"{}\", to: \"{}\"}}]}}\n", civil(-3600), civil(seconds))
}

async fn shown(world: &World, path: &str) -> String {
    let request = world.client.get(world.at(path)).bearer_auth(org::ADMIN_TOKEN).header("accept", "text/html");
    world.send(request).await.ok().text
}

/// The lines of the log of its first page.
async fn explained(world: &World, incident: &Value) -> String {
    let reference = incident["ref"].as_str().unwrap();
    let page = allclear_trial::world::items(&world.api(&format!("/incidents/{reference}/pages")).await).remove(0);
    let told = world.cli(&["explain", "page", page["id"].as_str().unwrap()]).await;
    assert_eq!(told.code, 0, "{told:?}");
    told.stdout
}

async fn a_step_counts_by_support_hours_judged_when_its_turn_comes(database: Database) {
    let steps = "{page: [\"person:ana\"], within: 5m, when: {during: office}}, \
                 {page: [\"person:ben\"], within: 5m, when: {outside: office}}, \
                 {page: [\"person:cho\"], within: 5m, when: {severity: sev1}}";
    // Closed in four minutes: while the first step runs.
    let mut world = world_of(database, organisation(steps, &open_for(240))).await;
    world.fire("disk").await;
    assert_eq!(paged(&world), [1, 0, 0], "support hours");
    world.advance(5 * MINUTE + 5).await;
    assert_eq!(paged(&world), [1, 1, 0], "they are over, and the second step is judged then");
    // The third does not count: nobody is waited for, and the catch-all is paged at once.
    world.advance(5 * MINUTE + 5).await;
    assert_eq!(paged(&world), [1, 1, 1]);
    let incident = world.incident().await;
    let said = explained(&world, &incident).await;
    assert!(said.contains("Round 1, step 1 (while `office` is open): Ana Ruiz"), "{said}");
    assert!(said.contains("Round 1, step 3 was passed over: it counts at sev1, and the incident is a sev2"), "{said}");
    assert!(said.contains("Catch-all"), "{said}");
    world.act(incident["ref"].as_str().unwrap(), "resolve", json!({})).await;

    // Out of hours the first is passed over at once, and the log says why.
    world.fire("cable").await;
    assert_eq!(paged(&world), [1, 2, 1]);
    let incident = world.incidents("open=true").await.remove(0);
    let said = explained(&world, &incident).await;
    assert!(said.contains("step 1 was passed over: it counts while `office` is open, and that is closed now"), "{said}");
    let preview = shown(&world, "/services/checkout").await;
    assert!(preview.contains("Ben Okafor") && preview.contains("and that is closed now"), "who would be paged says it too: {preview}");
}

async fn a_severity_that_rises_is_judged_by_the_steps_that_follow(database: Database) {
    let steps = "{page: [\"person:ana\"], within: 5m}, {page: [\"person:ben\"], within: 5m, when: {match: \"severity=\\\"sev1\\\"\"}}";
    let mut world = world_of(database, organisation(steps, "")).await;
    world.fire("disk").await;
    let reference = world.incident().await["ref"].as_str().unwrap().to_owned();
    world.act(&reference, "severity", json!({"severity": "sev1", "why": "everybody is hit"})).await;
    world.quiet().await;
    world.advance(5 * MINUTE + 5).await;
    assert_eq!(paged(&world), [1, 1, 0], "{}", lines(&world.events(&world.incident().await).await));
}

async fn a_policy_that_is_changed_meanwhile_is_walked_as_it_was(database: Database) {
    let steps = "{page: [\"person:ana\"], within: 5m}, {page: [\"person:ben\"], within: 5m}";
    let mut world = world_of(database, organisation(steps, "")).await;
    world.fire("disk").await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("org.yaml");
    let other = organisation("{page: [\"person:cho\"], within: 5m}", "");
    std::fs::write(&file, org::filled(&other, &world.hook.url())).unwrap();
    assert_eq!(world.cli(&["config", "apply", file.to_str().unwrap()]).await.code, 0);
    world.quiet().await;
    world.advance(5 * MINUTE + 5).await;
    assert_eq!(paged(&world), [1, 1, 0], "the page that runs goes on by the policy that it began with");
    world.fire("cable").await;
    assert_eq!(paged(&world), [1, 1, 1], "and another begins with the new one");
}

async fn each_page_takes_the_next_of_the_ring_also_after_a_restart(database: Database) {
    let steps = "{page: [\"team:payments\", \"person:cho\"], within: 5m, one_of: round_robin}";
    let mut world = world_of(database, organisation(steps, "")).await;
    world.fire("one").await;
    world.fire("two").await;
    assert_eq!(paged(&world), [1, 1, 0], "each page one of them");
    let incident = world.incidents("open=true").await.remove(0);
    let said = explained(&world, &incident).await;
    assert!(said.contains("one of 3 in turn, ana had the last"), "{said}");
    world.restart_after(std::time::Duration::from_secs(5)).await;
    world.fire("three").await;
    assert_eq!(paged(&world), [1, 1, 1], "nobody twice before all, whatever node gives the turn");
    // Whoever is away is passed, and the preview knows whose turn it is.
    let until = world.now().await + SignedDuration::from_hours(48);
    world.command("/absences", json!({"person": "ana", "starts_at": world.now().await, "ends_at": until})).await.ok();
    world.quiet().await;
    let preview = shown(&world, "/services/checkout").await;
    assert!(preview.contains("Ben Okafor") && preview.contains("cho had the last"), "{preview}");
    world.fire("four").await;
    assert_eq!(paged(&world), [1, 2, 1], "ana is away");

    // Very many at one instant: as even as it can be, without her.
    let before = paged(&world);
    let all: Vec<_> = (0..65)
        .map(|n| world.signal(json!({"title": format!("storm {n}"), "dedup_key": format!("storm-{n}"), "severity": "critical"})))
        .collect();
    for answer in futures_util::future::join_all(all).await {
        answer.ok();
    }
    world.quiet().await;
    let after = paged(&world);
    let more: Vec<usize> = before.iter().zip(after).map(|(before, after)| after - before).collect();
    assert_eq!(more[0], 0, "{more:?}");
    assert!(more[1] + more[2] == 65 && more[1].abs_diff(more[2]) == 1, "{more:?}");
}

async fn two_have_to_acknowledge_and_everybody_sees_how_many_have(database: Database) {
    let steps = "{page: [\"team:payments\", \"person:cho\"], within: 5m, acknowledged_by: 2}, {page: [\"person:cho\"], within: 5m}";
    let mut world = world_of(database, organisation(steps, "")).await;
    world.fire("disk").await;
    assert_eq!(paged(&world), [1, 1, 1]);
    let [ana, ben] = ["ana", "ben"].map(|who| world.hook.to(who)[0].ack_path());
    let answer = world.press(&ana).await.ok();
    assert_eq!(answer.body["acknowledged"], true, "{}", answer.text);
    world.press(&ana).await.ok();
    world.quiet().await;
    let reference = world.incident().await["ref"].as_str().unwrap().to_owned();
    let page = allclear_trial::world::items(&world.api(&format!("/incidents/{reference}/pages")).await).remove(0);
    assert_eq!((&page["status"], &page["wants"], &page["answered"]), (&json!("running"), &json!(2), &json!(["ana"])), "{page:#}");
    let link = |path: String| {
        let world = &world;
        async move { world.send(world.client.get(world.at(&path)).header("accept", "text/html")).await.ok().text }
    };
    let hers = link(ana.clone()).await;
    assert!(hers.contains("You have acknowledged it") && hers.contains("1 of 2 have acknowledged: the others are asked still."), "{hers}");
    assert!(!hers.contains(">Acknowledge<") && hers.len() < 10_000, "{hers}");
    let his = link(ben.clone()).await;
    assert!(his.contains("1 of 2 have acknowledged.") && his.contains(">Acknowledge<"), "{his}");
    let incident = shown(&world, &format!("/incidents/{reference}")).await;
    assert!(incident.contains("1 of 2 have acknowledged"), "{incident}");
    // The time is over: whoever acknowledged is not asked again, and one more has to.
    world.advance(5 * MINUTE + 5).await;
    assert_eq!(paged(&world), [1, 1, 2]);
    world.press(&ben).await.ok();
    world.quiet().await;
    let page = allclear_trial::world::items(&world.api(&format!("/incidents/{reference}/pages")).await).remove(0);
    assert_eq!((&page["status"], &page["answered"]), (&json!("acknowledged"), &json!(["ana", "ben"])), "{page:#}");
    let said = explained(&world, &world.incident().await).await;
    assert!(said.contains("Page acknowledged by Ana Ruiz (link): 1 of 2 who have to"), "{said}");
    let before = paged(&world);
    world.advance(20 * MINUTE).await;
    assert_eq!(paged(&world), before, "nobody else is paged");
}

async fn what_one_of_two_gives_back_or_passes_on_others_take(database: Database) {
    let steps = "{page: [\"team:payments\", \"person:cho\"], within: 5m, acknowledged_by: 2}, {page: [\"person:cho\"], within: 5m}";
    let world = world_of(database, organisation(steps, "")).await;
    world.fire("disk").await;
    let link = |world: &World, who: &str| world.hook.to(who)[0].ack_path();
    world.press(&link(&world, "ana")).await.ok();
    world.press(&format!("{}/give-back", link(&world, "ana"))).await.ok();
    world.quiet().await;
    let reference = world.incident().await["ref"].as_str().unwrap().to_owned();
    let page = allclear_trial::world::items(&world.api(&format!("/incidents/{reference}/pages")).await).remove(0);
    assert_eq!((&page["status"], page.get("answered")), (&json!("running"), None), "{page:#}");
    assert_eq!(paged(&world), [1, 1, 1], "two others may acknowledge still");
    // One of them cannot: then one is left for two, and the next step follows at once.
    world.press(&format!("{}/decline", link(&world, "ben"))).await.ok();
    world.quiet().await;
    assert_eq!(paged(&world), [1, 1, 2]);
    world.press(&world.hook.to("cho").pop().unwrap().ack_path()).await.ok();
    world.quiet().await;
    let page = allclear_trial::world::items(&world.api(&format!("/incidents/{reference}/pages")).await).remove(0);
    assert_eq!(page["status"], "acknowledged", "the second step asks for one: {page:#}");
}
