//! A page walks its steps: who is told, when, and who is not any more.

use allclear_trial::{Database, org, world::lines};
use serde_json::Value;

use crate::{on_both, setup, world_of};

on_both!(
    an_unacknowledged_page_reaches_the_second_step_after_five_minutes_and_not_before,
    acknowledging_by_the_link_of_the_message_stops_everything,
    declining_pages_the_next_at_once,
    whoever_taps_again_passes_on_no_later_step,
    an_empty_schedule_moves_on_at_once_and_says_why,
    rounds_repeat_then_the_catch_all_then_the_page_is_exhausted,
);

async fn an_unacknowledged_page_reaches_the_second_step_after_five_minutes_and_not_before(database: Database) {
    let mut world = world_of(database, org::usual()).await;
    world.fire("disk").await;
    let first = world.hook.to("ana");
    assert_eq!(first.len(), 1, "ana is told at once, and once");
    let page = first[0].page();
    assert!(first[0].signed && first[0].body["type"] == "page", "{first:#?}");
    assert_eq!((&page["step"], &page["round"], &page["late"], &page["person"]), (&1.into(), &1.into(), &false.into(), &"ana".into()));
    assert_eq!(page["incident"]["title"], "disk");
    assert_eq!(page["incident"]["severity"], "sev2", "critical is sev2 unless a route says otherwise");
    world.advance(285).await;
    assert_eq!(world.hook.to("ben").len(), 0, "four and three quarter minutes are not five");
    world.advance(30).await;
    let second = world.hook.to("ben");
    assert_eq!(second.len(), 1, "after five minutes ben is told");
    assert_eq!((&second[0].page()["step"], &second[0].page()["late"]), (&2.into(), &false.into()));
    // By the log, since a busy machine may begin a send a second after its step.
    let steps = world.times(&world.incident().await, "step_reached").await;
    assert!(steps.len() == 2 && steps[1].duration_since(steps[0]).as_secs() >= 300, "{steps:?}");
    assert_eq!(world.hook.to("ana").len(), 1, "ana is not told twice");
}

async fn acknowledging_by_the_link_of_the_message_stops_everything(database: Database) {
    let mut world = world_of(database, org::usual()).await;
    world.fire("disk").await;
    let link = world.hook.to("ana")[0].ack_path();
    assert!(link.starts_with("/a/"), "{link}");
    for _ in 0..3 {
        let shown = world.send(world.client.get(world.at(&link)).header("accept", "text/html")).await.ok();
        assert!(shown.text.contains("disk") && shown.text.len() < 30_000, "the page shows what broke, in under 30 KB");
    }
    world.send(world.client.head(world.at(&link))).await;
    assert_eq!(world.incident().await["state"], "declared", "looking is not acknowledging: scanners follow links");
    let answer = world.press(&link).await.ok();
    assert_eq!(answer.body["acknowledged"], true, "{}", answer.text);
    world.advance(1_500).await;
    assert_eq!(world.hook.all().len(), 1, "nobody else is told, until an update to the stakeholders is missed");
    let incident = world.incident().await;
    assert_eq!((&incident["state"], &incident["acknowledged_by"]), (&"investigating".into(), &"ana".into()), "{incident:#}");
    assert!(incident["acknowledged_at"].is_string());
    world.press(&link).await.ok();
    let acknowledged = world.kinds(&incident).await.iter().filter(|kind| *kind == "page_acknowledged").count();
    assert_eq!(acknowledged, 1, "pressing again changes nothing");
    let cut = &link[..link.len() - 2];
    assert_eq!(world.press(cut).await.status, 404, "a link that was cut short is none");
}

async fn declining_pages_the_next_at_once(database: Database) {
    let world = world_of(database, org::usual()).await;
    world.fire("disk").await;
    let link = world.hook.to("ana")[0].ack_path();
    world.press(&format!("{link}/decline")).await.ok();
    assert_eq!(world.hook.to("ben").len(), 1, "the next is told at once");
    let again = world.press(&format!("{link}/decline")).await;
    assert!(again.status < 500, "{}", again.text);
    assert_eq!(world.hook.to("cho").len(), 0, "a second press does not pass over the next person");
    let incident = world.incident().await;
    let declined = world.bodies(&incident, "declined").await;
    assert_eq!(declined.len(), 1);
    assert_eq!(declined[0]["by"], "ana");
}

async fn whoever_taps_again_passes_on_no_later_step(database: Database) {
    // The next step asks the same person again: the link in the message of the first answers the first only.
    let org = org::with_escalation(
        r#"
escalations:
  - {id: payments, repeat: 2, steps: [{page: ["person:ana"], within: 5m}, {page: ["person:ana", "person:ben"], within: 5m}]}
"#,
    );
    let world = world_of(database, org).await;
    world.fire("disk").await;
    let first = world.hook.to("ana")[0].ack_path();
    for _ in 0..4 {
        let pressed = world.press(&format!("{first}/decline")).await;
        assert!(pressed.status < 500, "{}", pressed.text);
    }
    let incident = world.incident().await;
    assert_eq!(world.bodies(&incident, "declined").await.len(), 1);
    assert_eq!(world.bodies(&incident, "step_reached").await.len(), 2, "one tap, one step");
    let shown = world.get(&first).await.text;
    assert!(shown.contains("You passed it on") && !shown.contains("page the next"), "{shown}");
    // Asked again, they may pass that on as well, by the message of that step.
    let later = world.hook.to("ana").last().map(|message| message.ack_path()).unwrap();
    assert_ne!(later, first);
    world.press(&format!("{later}/decline")).await.ok();
    assert_eq!(world.bodies(&incident, "step_reached").await.len(), 3);
}

async fn an_empty_schedule_moves_on_at_once_and_says_why(database: Database) {
    let org = org::with_escalation(
        r#"
schedules:
  - {id: nights, team: payments, time_zone: Europe/Madrid, layers: [{people: [ana], every: 1w, handoff: "Mon 09:00", starts: 2190-01-01}]}
escalations:
  - {id: payments, steps: [{page: ["schedule:nights"], within: 5m}, {page: ["person:ben"], within: 5m}]}
"#,
    );
    let world = world_of(database, org).await;
    world.fire("disk").await;
    assert_eq!((world.hook.to("ana").len(), world.hook.to("ben").len()), (0, 1), "ben is told at once");
    let incident = world.incident().await;
    let events = world.events(&incident).await;
    let empty: Vec<&Value> = events.iter().filter(|event| event["kind"] == "step_empty").collect();
    assert_eq!(empty.len(), 1);
    assert!(empty[0]["body"]["why"].as_str().unwrap().contains("nights"), "the reason names the schedule: {:#}", empty[0]);
    assert!(lines(&events).contains("obody"), "people read it too: {}", lines(&events));
}

async fn rounds_repeat_then_the_catch_all_then_the_page_is_exhausted(database: Database) {
    let org = org::with_escalation(
        r#"
escalations:
  - {id: payments, repeat: 1, steps: [{page: ["person:ana"], within: 5m}, {page: ["person:ben"], within: 5m}]}
"#,
    );
    let mut world = world_of(database, org).await;
    world.fire("disk").await;
    for _ in 0..4 {
        world.advance(302).await;
    }
    let rounds = |person: &str| world.hook.to(person).iter().map(|d| d.page()["round"].as_u64().unwrap()).collect::<Vec<_>>();
    assert_eq!((rounds("ana"), rounds("ben")), (vec![1, 2], vec![1, 2]), "one further round");
    let ids: std::collections::HashSet<String> = world.hook.all().into_iter().map(|d| d.id).collect();
    assert_eq!(ids.len(), 5, "each page is a message of its own");
    let last = world.hook.to("cho");
    assert_eq!(last.len(), 1, "then the catch-all");
    assert_eq!(last[0].page()["step"], 3, "whose number follows the last step's");
    let incident = world.incident().await;
    let reached = world.bodies(&incident, "step_reached").await;
    assert_eq!(reached.last().unwrap()["catch_all"], true);
    assert!(reached.last().unwrap()["because"].as_str().unwrap().contains("nobody acknowledged"), "{reached:#?}");
    world.advance(602).await;
    assert_eq!(
        world.kinds(&incident).await.iter().filter(|kind| *kind == "page_exhausted").count(),
        1,
        "that nobody answered is an alarm of its own"
    );
    let shown = world.api(&format!("/incidents/{}", incident["ref"].as_str().unwrap())).await;
    assert_eq!(shown["unanswered"], true, "{shown:#}");
    let metrics = world.get("/metrics").await.ok().text;
    assert!(metrics.lines().any(|line| line.starts_with("allclear_pages_total{result=\"exhausted\"}")), "{metrics}");
    world.press(&last[0].ack_path()).await.ok();
    assert_eq!(world.incident().await["acknowledged_by"], "cho", "late is better than never");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_at_all_is_said_and_the_incident_is_declared_all_the_same() {
    let org = [org::PEOPLE, org::SERVICES.replace("escalation: payments, ", "").as_str()].concat();
    let world = allclear_trial::World::start(setup(Database::Sqlite).org(org)).await;
    world.fire("disk").await;
    assert_eq!(world.hook.all().len(), 0);
    let incident = world.incident().await;
    let kinds = world.kinds(&incident).await;
    assert!(kinds.contains(&"step_empty".to_owned()) && kinds.contains(&"page_exhausted".to_owned()), "{kinds:?}");
}
