//! An incident is commanded and told of: roles, tasks, updates, corrections; then its review and its
//! actions. What nobody does in time is said to whoever can still do something about it.

use allclear_trial::{Database, World, org};
use serde_json::{Value, json};

use crate::sign_in::{get_as, post_form, sign_in_as};
use crate::{on_both, world_of};

on_both!(
    a_merge_takes_tasks_and_the_nearer_promise_along_and_is_taken_apart_within_a_day,
    a_role_is_offered_taken_and_left_and_silence_is_told,
    an_update_reaches_its_audience_and_the_next_one_is_awaited,
    a_review_is_drafted_edited_published_and_late_when_it_is_not,
    an_action_is_due_on_the_same_day_for_every_reader,
);

/// Seconds of a minute.
const MINUTE: u64 = 60;
/// Customers hear of updates by mail, over a webhook, and ben in person; a review has an hour.
const ORG: &str = r#"
audiences:
  - {id: customers, people: [ben], contacts: [{id: status, webhook: "{HOOK}/status", secret: "{SECRET}"}, {id: list, email: status@example.org}]}
severities:
  - {id: sev2, review_within: 1h}
"#;

fn organisation() -> String {
    [&org::usual(), ORG].concat()
}

/// What somebody was told, asked nothing, in order.
fn told(world: &World, who: &str) -> Vec<String> {
    world.hook.told(who).iter().map(|d| d.page()["text"].as_str().unwrap_or_default().to_owned()).collect()
}

fn times(world: &World, who: &str, words: &str) -> usize {
    told(world, who).iter().filter(|text| text.contains(words)).count()
}

/// An incident that ana acknowledged, by its reference.
async fn taken_by_ana(world: &World) -> String {
    world.fire("disk").await;
    world.press(&world.hook.to("ana")[0].ack_path()).await.ok();
    let incident = world.incident().await;
    assert_eq!(incident["commander"], "ana", "whoever acknowledges first leads: {incident:#}");
    incident["ref"].as_str().unwrap().to_owned()
}

async fn a_role_is_offered_taken_and_left_and_silence_is_told(database: Database) {
    let mut world = world_of(database, organisation()).await;
    let reference = taken_by_ana(&world).await;
    let after = world.act(&reference, "role", json!({"role": "commander", "person": "ben"})).await;
    assert_eq!(after["commander"], "ana", "an offer gives nothing: {after:#}");
    assert_eq!(times(&world, "ben", "commander"), 1, "ben is asked: {:?}", told(&world, "ben"));
    assert!(world.hook.to("ben").is_empty(), "which is no page");
    world.advance(4 * MINUTE + 45).await;
    assert_eq!(told(&world, "ana").len(), 0, "five minutes are not over");
    world.advance(30).await;
    let asker = world.hook.to("ana");
    assert_eq!(asker.len(), 2, "of something grave it pages who asked: {asker:#?}");
    assert!(world.hook.to("cho").is_empty(), "and the managers only later");
    let after = world.act(&reference, "role", json!({"role": "commander", "person": "ben", "do": "take", "why": "ben knows it"})).await;
    assert_eq!(after["commander"], "ben");
    let incident = world.incident().await;
    let taken = world.bodies(&incident, "role_taken").await;
    assert_eq!((taken.len(), &taken[0]["from"], &taken[0]["person"]), (1, &"ana".into(), &"ben".into()), "the log says from whom");
    let holders = incident["roles"].as_array().unwrap().iter().filter(|role| role["role"] == "commander").count();
    assert_eq!(holders, 1, "one holder: {incident:#}");

    world.act(&reference, "role", json!({"role": "commander", "do": "leave", "why": "ben is asleep"})).await;
    assert!(world.incident().await["commander"].is_null());
    world.advance(5 * MINUTE + 5).await;
    let managers = world.hook.to("cho");
    assert_eq!(managers.len(), 1, "nobody leads: the team's manager is paged");
    assert!(managers[0].is_page());
    world.press(&managers[0].ack_path()).await.ok();
    assert_eq!(world.incident().await["commander"], "cho", "whoever takes that page leads");
    assert_eq!(world.bodies(&incident, "role_unfilled").await.len(), 1);
    assert_eq!(world.bodies(&incident, "role_unanswered").await.len(), 1);

    let unknown = world.command(&format!("/incidents/{reference}/role"), json!({"role": "king", "person": "ben"})).await;
    assert!(unknown.status >= 400 && unknown.text.contains("no_such_role"), "{}", unknown.text);
    let nobody = world.command(&format!("/incidents/{reference}/role"), json!({"role": "scribe", "person": "zoe"})).await;
    assert!(nobody.status >= 400 && nobody.text.contains("no_such_person"), "{}", nobody.text);
}

async fn an_update_reaches_its_audience_and_the_next_one_is_awaited(database: Database) {
    let mut world = world_of(database, organisation()).await;
    let reference = taken_by_ana(&world).await;
    world.advance(10 * MINUTE).await;
    let text = "Payments by card fail for some customers.";
    world.act(&reference, "update", json!({"audiences": ["customers"], "text": text})).await;
    let posted = world.hook.told("status");
    assert_eq!((posted.len(), posted[0].kind(), posted[0].signed), (1, "update", true), "{posted:#?}");
    assert_eq!((&posted[0].page()["text"], &posted[0].page()["ack_url"]), (&text.into(), &Value::Null), "told, and asked nothing");
    let mails = world.mail.delivered_to("status@example.org");
    assert!(mails.len() == 1 && mails[0].text().contains(text), "{mails:#?}");
    assert_eq!(times(&world, "ben", text), 1, "and the people of it");
    assert_eq!(times(&world, "cho", text), 0, "nobody else");
    let updates = world.api(&format!("/incidents/{reference}/updates")).await;
    assert_eq!((&updates["items"][0]["text"], &updates["items"][0]["state"]), (&text.into(), &"investigating".into()), "{updates:#}");

    // The update that was awaited since the acknowledgement is awaited no more: the next counts from here.
    world.advance(23 * MINUTE + 30).await;
    assert_eq!(told(&world, "ana").len(), 0, "80 % of half an hour are 24 minutes");
    world.advance(MINUTE).await;
    assert_eq!(times(&world, "ana", "is due by"), 1, "{:?}", told(&world, "ana"));
    world.advance(5 * MINUTE).await;
    assert_eq!((told(&world, "ana").len(), told(&world, "cho").len()), (1, 0), "once");
    world.advance(MINUTE).await;
    assert_eq!(world.hook.to("ana").len(), 2, "missed: of something grave its commander is paged");
    world.advance(5 * MINUTE + 5).await;
    assert_eq!(world.hook.to("cho").len(), 1, "then the manager");
    let incident = world.incident().await;
    assert_eq!(world.bodies(&incident, "update_missed").await.len(), 1);

    world.act(&reference, "severity", json!({"severity": "sev3", "why": "one card brand only"})).await;
    world.advance(47 * MINUTE).await;
    assert_eq!(world.bodies(&incident, "update_reminded").await.len(), 1, "sev3 has an hour");
    world.advance(2 * MINUTE).await;
    assert_eq!(world.bodies(&incident, "update_reminded").await.len(), 2);
    world.act(&reference, "resolve", json!({})).await;
    world.advance(3 * 60 * MINUTE).await;
    assert_eq!(world.bodies(&incident, "update_missed").await.len(), 1, "of what is over no update is awaited");
    let unknown = world.command(&format!("/incidents/{reference}/update"), json!({"audiences": ["press"], "text": "x"})).await;
    assert!(unknown.status >= 400 && unknown.text.contains("no_such_audience"), "{}", unknown.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_that_is_late_is_told_to_its_owner_and_the_commander() {
    let mut world = world_of(Database::Sqlite, organisation()).await;
    let reference = taken_by_ana(&world).await;
    world.act(&reference, "task", json!({"text": "free some space", "owner": "ben", "within": "10m"})).await;
    world.act(&reference, "task", json!({"text": "call the vendor", "owner": "ben", "within": "10m"})).await;
    assert_eq!((times(&world, "ben", "Task 1 is yours"), times(&world, "ben", "Task 2 is yours")), (1, 1));
    world.act(&reference, "task", json!({"task": 2, "owner": "cho"})).await;
    assert_eq!(times(&world, "cho", "Task 2 is yours: call the vendor"), 1, "{:?}", told(&world, "cho"));
    let after = world.act(&reference, "task", json!({"task": 2, "state": "done", "note": "they know"})).await;
    assert_eq!((&after["tasks"][1]["state"], &after["tasks"][1]["owner"]), (&"done".into(), &"cho".into()), "{after:#}");
    world.advance(9 * MINUTE + 45).await;
    assert_eq!(times(&world, "ben", "late"), 0);
    world.advance(MINUTE).await;
    assert_eq!((times(&world, "ben", "Task 1 is late"), times(&world, "ana", "Task 1 is late")), (1, 1), "{:?}", told(&world, "ben"));
    world.advance(10 * MINUTE).await;
    assert_eq!((times(&world, "ben", "is late"), times(&world, "cho", "is late")), (1, 0), "once, and not of what is done");
    assert_eq!(world.incident().await["tasks"][0]["late"], true);
    let again = world.command(&format!("/incidents/{reference}/task"), json!({"task": 2, "state": "done"})).await;
    assert!(again.status >= 400 && again.text.contains("task_ended"), "{}", again.text);
    let past = world.command(&format!("/incidents/{reference}/task"), json!({"text": "x", "due_at": "2020-01-01T00:00:00Z"})).await;
    assert!(past.status >= 400 && past.text.contains("in_the_past"), "{}", past.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_that_was_open_when_its_incident_ended_is_awaited_again_after_a_reopening() {
    let mut world = world_of(Database::Sqlite, organisation()).await;
    let reference = taken_by_ana(&world).await;
    world.act(&reference, "task", json!({"text": "free some space", "owner": "ben", "within": "10m"})).await;
    world.act(&reference, "resolve", json!({})).await;
    world.advance(20 * MINUTE).await;
    assert_eq!(times(&world, "ben", "is late"), 0, "nothing is late of what is over");
    world.act(&reference, "reopen", json!({"why": "it is back"})).await;
    world.advance(1).await;
    assert_eq!(times(&world, "ben", "Task 1 is late"), 1, "{:?}", told(&world, "ben"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_known_better_later_is_put_right_and_stands_in_the_log() {
    let routes = "  - {match: 'severity=\"warning\"', declare: record}";
    let mut world = world_of(Database::Sqlite, org::with_routes(routes)).await;
    world.fire("disk").await;
    let reference = world.incident().await["ref"].as_str().unwrap().to_owned();
    let earlier = world.now().await - jiff::SignedDuration::from_mins(10);
    world.act(&reference, "decision", json!({"text": "fail over to the second site", "reversible": false})).await;
    let after = world.act(&reference, "time", json!({"instant": "impact_started", "at": earlier.to_string(), "why": "the graphs"})).await;
    let read = |value: &Value| value.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    assert_eq!(read(&after["impact_started_at"]), earlier);
    let after = world.act(&reference, "time", json!({"instant": "impact_started", "why": "that was another one"})).await;
    assert!(after["impact_started_at"].is_null(), "it may be unknown: {after:#}");
    let future = json!({"instant": "detected", "at": "2999-01-01T00:00:00Z", "why": "x"});
    let refused = world.command(&format!("/incidents/{reference}/time"), future).await;
    assert!(refused.status >= 400 && refused.text.contains("in_the_future"), "{}", refused.text);
    let after = world.act(&reference, "rename", json!({"title": "Disk of db1 is full"})).await;
    assert_eq!(after["title"], "Disk of db1 is full");

    // An alert that was only recorded belongs to it once somebody says so: it must end, too.
    world.signal(json!({"title": "slow", "dedup_key": "slow", "severity": "warning"})).await;
    let alert = world.alert("slow").await["id"].as_str().unwrap().to_owned();
    world.act(&reference, "link", json!({"alert": alert})).await;
    world.recover("disk").await;
    assert_eq!(world.incident().await["state"], "declared", "one of its two alerts is open");

    world.command(&format!("/incidents/{reference}/escalate"), json!({"page": ["person:ben"], "why": "you know it"})).await.ok();
    world.quiet().await;
    assert_eq!(world.hook.to("ben").len(), 1, "paged by name");
    world.advance(4 * MINUTE).await;
    assert_eq!(world.hook.to("cho").len(), 0);
    world.advance(MINUTE + 5).await;
    assert_eq!(world.hook.to("cho").len(), 1, "then the catch-all");
    let nobody = world.command(&format!("/incidents/{reference}/escalate"), json!({"page": ["person:zoe"], "why": "x"})).await;
    assert!(nobody.status >= 400 && nobody.text.contains("nobody_named"), "{}", nobody.text);
    world.recover("slow").await;
    let incident = world.incident().await;
    assert_eq!(incident["state"], "resolved", "{incident:#}");
    let kinds = world.kinds(&incident).await;
    for kind in ["decision_made", "time_corrected", "renamed", "alert_linked"] {
        assert!(kinds.iter().any(|k| k == kind), "{kind} is not in {kinds:?}");
    }
    assert_eq!(world.bodies(&incident, "decision_made").await[0]["reversible"], false);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn facts_that_come_late_have_their_place_and_no_length_of_time_is_less_than_nothing() {
    let mut world = world_of(Database::Sqlite, organisation()).await;
    let reference = taken_by_ana(&world).await;
    let begun = world.now().await;
    let minutes = |n: i64| (begun + jiff::SignedDuration::from_mins(n)).to_string();
    world.advance(20 * MINUTE).await;
    world.act(&reference, "task", json!({"text": "call the vendor", "owner": "ben", "within": "10m"})).await;
    let after = world.act(&reference, "task", json!({"task": 1, "text": "write to the vendor", "within": "1h"})).await;
    assert_eq!(after["tasks"][0]["text"], "write to the vendor", "{after:#}");
    assert_eq!(times(&world, "ben", "Task 1 has changed: write to the vendor"), 1, "{:?}", told(&world, "ben"));
    world.advance(15 * MINUTE).await;
    assert_eq!(times(&world, "ben", "is late"), 0, "its old time is awaited no more");

    world.act(&reference, "resolve", json!({})).await;
    world.act(&reference, "close", json!({"waive": "its review comes later"})).await;
    world.advance(10 * MINUTE).await;
    let refused = async |verb: &str, body: Value, code: &str| {
        let answer = world.command(&format!("/incidents/{reference}/{verb}"), body.clone()).await;
        assert!(answer.status >= 400 && answer.text.contains(code), "{body}: {} {}", answer.status, answer.text);
    };
    let time = |instant: &str, at: String| json!({"instant": instant, "at": at, "why": "the graphs"});
    refused("time", time("mitigated", minutes(36)), "out_of_order").await;
    refused("time", time("impact_started", minutes(29)), "out_of_order").await;
    refused("time", time("resolved", minutes(-60)), "out_of_order").await;
    refused("time", time("impact_started", "1970-01-01T00:00:00Z".into()), "before_1990").await;
    refused("time", time("resolved", minutes(90)), "in_the_future").await;
    refused("time", json!({"instant": "resolved", "why": "x"}), "time_is_known").await;
    refused("note", json!({"text": "x", "happened_at": "2999-01-01T00:00:00Z"}), "in_the_future").await;
    refused("rename", json!({"title": "x"}), "already_closed").await;
    let after = world.act(&reference, "time", time("resolved", minutes(30))).await;
    let read = |value: &Value| value.as_str().unwrap().parse::<jiff::Timestamp>().unwrap().to_string();
    assert_eq!(read(&after["resolved_at"]), minutes(30));
    world.act(&reference, "time", time("mitigated", minutes(25))).await;
    world.act(&reference, "note", json!({"text": "the first customer called", "happened_at": minutes(-1)})).await;

    let incident = world.incident().await;
    let log = world.api(&format!("/incidents/{reference}/events?limit=200")).await;
    let note = log["items"].as_array().unwrap().iter().find(|event| event["kind"] == "noted").unwrap();
    assert_eq!((&note["body"]["later"], read(&note["body"]["happened_at"])), (&true.into(), minutes(-1)), "{note:#}");
    let corrected = world.bodies(&incident, "time_corrected").await;
    assert!(corrected[0]["was"].is_string() && corrected[0]["why"] == "the graphs", "the old value stays in the log: {corrected:#?}");
    let after = world.act(&reference, "mark", json!({"entry": note["seq"]})).await;
    assert_eq!(after["key_notes"], json!([note["version"]]), "{after:#}");
    let after = world.act(&reference, "mark", json!({"entry": note["seq"], "unmark": true})).await;
    assert!(after.get("key_notes").is_none(), "{after:#}");
    let none = world.command(&format!("/incidents/{reference}/mark"), json!({"entry": 1})).await;
    assert_eq!(none.status, 404, "only a note is marked: {}", none.text);
}

/// Search pages cho by a policy of its own.
fn with_search() -> String {
    let second = ["escalations:", "  - {id: second, steps: [{page: [\"person:cho\"], within: 5m}]}"].join("\n");
    let search = "{id: search, name: Search, team: payments, escalation: payments";
    let org = organisation().replace("escalations:", &second);
    org.replace(search, &search.replace("escalation: payments", "escalation: second"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn paging_follows_the_service_while_nobody_has_it_and_several_services_are_affected() {
    let mut world = world_of(Database::Sqlite, with_search()).await;
    world.fire("disk").await;
    let incident = world.incident().await;
    let reference = incident["ref"].as_str().unwrap().to_owned();
    let was = incident["service"].as_str().unwrap().to_owned();
    assert_eq!((world.hook.to("ana").len(), world.hook.to("cho").len()), (1, 0), "the policy of its service pages ana");

    let none = world.command(&format!("/incidents/{reference}/service"), json!({"service": "serach"})).await;
    assert!(none.status >= 400 && none.text.contains("no_such_service") && none.text.contains("did you mean `search`?"), "{}", none.text);
    let after = world.act(&reference, "service", json!({"service": "search", "why": "the disk is its own"})).await;
    assert_eq!(after["service"], "search");
    assert_eq!(world.hook.to("cho").len(), 1, "nobody had it: whom search pages is paged");
    world.advance(6 * MINUTE).await;
    assert_eq!(world.hook.to("ben").len(), 0, "the page of the old policy goes no further");
    let stopped = world.bodies(&incident, "page_stopped").await;
    assert!(stopped.len() == 1 && stopped[0]["why"].as_str().unwrap().starts_with("superseded"), "{stopped:#?}");

    world.press(&world.hook.to("cho")[0].ack_path()).await.ok();
    let paged = world.hook.to("ana").len();
    world.act(&reference, "service", json!({"service": was})).await;
    assert_eq!(world.hook.to("ana").len(), paged, "somebody has it: nobody else is paged");
    let changed = world.bodies(&incident, "service_changed").await;
    assert_eq!((changed.len(), &changed[1]["held"]), (2, &true.into()), "and the log says why: {changed:#?}");

    for (service, impact) in [(was.as_str(), "full"), ("search", "partial"), ("search", "degraded")] {
        world.act(&reference, "affect", json!({"service": service, "impact": impact})).await;
    }
    let after = world.incident().await;
    let wanted = json!([{"service": was, "impact": "full"}, {"service": "search", "impact": "degraded"}]);
    assert_eq!(after["affected"], wanted, "its own first: {after:#}");
    let none = world.command(&format!("/incidents/{reference}/affect"), json!({"service": "nothing", "impact": "full"})).await;
    assert!(none.status >= 400 && none.text.contains("no_such_service"), "{}", none.text);
    let much = world.command(&format!("/incidents/{reference}/affect"), json!({"service": "search", "impact": "much"})).await;
    assert!(much.status >= 400 && much.text.contains("none, degraded, partial, full"), "{}", much.text);
    assert_eq!(world.bodies(&incident, "impact_changed").await.len(), 3);
}

/// A command of somebody themself: the status, and the incident or why not.
async fn act_as(world: &World, token: &str, reference: &str, verb: &str, body: Value) -> (u16, String) {
    let request = allclear_trial::world::client().post(world.at(&format!("/api/v1/incidents/{reference}/{verb}")));
    let answer = world.send(request.bearer_auth(token).json(&body)).await;
    world.quiet().await;
    (answer.status, answer.text)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_is_taken_over_with_the_others_acceptance_or_by_a_manager_with_a_reason() {
    let mut world = world_of(Database::Sqlite, organisation()).await;
    let reference = taken_by_ana(&world).await;
    let mut tokens = std::collections::BTreeMap::new();
    for who in ["ana", "ben", "cho"] {
        let made = world.command("/tokens", json!({"name": who, "scope": "respond", "person": who})).await.ok().body;
        tokens.insert(who, made["token"].as_str().unwrap().to_owned());
    }
    let role = |deed: &str, why: Value| json!({"role": "commander", "do": deed, "why": why});
    let (status, text) = act_as(&world, &tokens["ben"], &reference, "role", role("take", Value::Null)).await;
    assert!(status == 409 && text.contains("held_by_another") && text.contains("Ana Ruiz is commander"), "{status} {text}");
    let (status, text) = act_as(&world, &tokens["ben"], &reference, "role", role("take", "I am quicker".into())).await;
    assert!(status == 409 && text.contains("held_by_another"), "a reason alone is not enough: {status} {text}");
    // Nobody asks in another's name; which the program does not do by itself either.
    let for_cho = json!({"role": "commander", "person": "cho", "do": "ask"});
    let (status, text) = act_as(&world, &tokens["ben"], &reference, "role", for_cho).await;
    assert!(status == 403 && text.contains("not in the name of another"), "{status} {text}");
    // Nor is it his to offer, or to end.
    let to_ben = || json!({"role": "commander", "person": "ben", "do": "offer"});
    for body in [to_ben(), role("leave", Value::Null), role("leave", "I am quicker".into())] {
        let (status, text) = act_as(&world, &tokens["ben"], &reference, "role", body.clone()).await;
        assert!(status == 409 && text.contains("held_by_another"), "{body}: {status} {text}");
    }
    assert_eq!(world.incident().await["commander"], "ana");

    assert_eq!(act_as(&world, &tokens["ben"], &reference, "role", role("ask", Value::Null)).await.0, 200);
    assert_eq!(times(&world, "ana", "Ben Okafor asks to take over from you as commander"), 1, "{:?}", told(&world, "ana"));
    assert_eq!(world.incident().await["commander"], "ana", "who asks has nothing yet");
    let hand = json!({"role": "commander", "person": "ben", "do": "take"});
    assert_eq!(act_as(&world, &tokens["ana"], &reference, "role", hand).await.0, 200);
    assert_eq!((&world.incident().await["commander"], times(&world, "ben", "Ben Okafor is commander now")), (&"ben".into(), 1));

    // Nobody answers: who asked and the managers hear of it, and a manager takes it with a reason.
    assert_eq!(act_as(&world, &tokens["ana"], &reference, "role", role("ask", Value::Null)).await.0, 200);
    world.advance(5 * MINUTE + 5).await;
    let unanswered = "Ben Okafor has not answered Ana Ruiz, who asked to be commander";
    assert_eq!((times(&world, "ana", unanswered), times(&world, "cho", unanswered)), (1, 1), "{:?}", told(&world, "cho"));
    assert_eq!(act_as(&world, &tokens["cho"], &reference, "role", role("take", Value::Null)).await.0, 409, "without a reason nobody does");
    assert_eq!(act_as(&world, &tokens["cho"], &reference, "role", role("take", "ben is on a plane".into())).await.0, 200);
    let words = "Cho Min-ji is commander now, in the place of Ben Okafor: ben is on a plane";
    assert_eq!(times(&world, "ben", words), 1, "{:?}", told(&world, "ben"));
    let incident = world.incident().await;
    let lines = allclear_trial::world::lines(&world.events(&incident).await);
    assert!(lines.contains("Cho Min-ji took over as commander from Ben Okafor: ben is on a plane"), "{lines}");
    // Who may take it may offer it: then it is accepted without a reason; and may end it, with one.
    let to_ana = json!({"role": "commander", "person": "ana", "do": "offer"});
    assert_eq!(act_as(&world, &tokens["ben"], &reference, "role", to_ana.clone()).await.0, 409);
    let (status, text) = act_as(&world, org::ADMIN_TOKEN, &reference, "role", to_ana).await;
    assert_eq!(status, 200, "{text}");
    assert_eq!(act_as(&world, &tokens["ana"], &reference, "role", role("take", Value::Null)).await.0, 200);
    assert_eq!(act_as(&world, &tokens["cho"], &reference, "role", role("leave", Value::Null)).await.0, 409, "not without a reason");
    assert_eq!(act_as(&world, &tokens["cho"], &reference, "role", role("leave", "ana is on a train".into())).await.0, 200);
    let words = "You are not commander any more. Cho Min-ji ended that. ana is on a train";
    assert_eq!(times(&world, "ana", words), 1, "{:?}", told(&world, "ana"));
    let lines = allclear_trial::world::lines(&world.events(&incident).await);
    assert!(lines.contains("Cho Min-ji ended that Ana Ruiz is commander: ana is on a train"), "{lines}");
    let kinds = world.kinds(&incident).await;
    assert!(kinds.iter().any(|kind| kind == "role_asked") && kinds.iter().any(|kind| kind == "role_ask_missed"), "{kinds:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_that_nobody_has_is_nobodys_who_was_not_asked() {
    let people = r#"  - {id: olga, name: Olga Nurse, access: observer, contacts: [{id: hook, webhook: "{HOOK}/olga", secret: "{SECRET}"}]}
  - {id: finn, name: Finn Far}
teams:
"#;
    let world = world_of(Database::Sqlite, organisation().replacen("teams:\n", people, 1)).await;
    let reference = taken_by_ana(&world).await;
    let (ana, cho) = (token_of(&world, "ana").await, token_of(&world, "cho").await);
    let scribe = |deed: &str, who: &str, why: Option<&str>| json!({"role": "scribe", "person": who, "do": deed, "why": why});
    let held = async |world: &World| {
        let roles = world.incident().await["roles"].clone();
        let scribe = roles.as_array().unwrap().iter().find(|role| role["role"] == "scribe").cloned().unwrap_or_default();
        (scribe["person"].clone(), scribe["offered_to"].clone())
    };

    // Who writes and decides nothing here, and whom nothing reaches, is not asked: the words say what would work.
    for (deed, who, words) in [
        ("take", "olga", "Olga Nurse may not respond"),
        ("offer", "olga", "Olga Nurse may not respond"),
        ("take", "finn", "nothing reaches Finn Far"),
        ("offer", "finn", "nothing reaches Finn Far"),
    ] {
        for token in [&ana, &cho] {
            let (status, text) = act_as(&world, token, &reference, "role", scribe(deed, who, Some("they can write"))).await;
            assert!(status == 409 && text.contains("cannot_have_it") && text.contains(words), "{deed} {who}: {status} {text}");
        }
    }
    assert_eq!(held(&world).await, (Value::Null, Value::Null));

    // Given to somebody else it is an offer, which they read with the reason and with who asks.
    let (status, text) = act_as(&world, &ana, &reference, "role", scribe("take", "ben", Some("you type fast"))).await;
    assert_eq!(status, 200, "{text}");
    assert_eq!(held(&world).await, (Value::Null, "ben".into()), "asked, and not yet answered");
    assert_eq!(times(&world, "ben", "Ana Ruiz asks you to be scribe: you type fast"), 1, "{:?}", told(&world, "ben"));
    let page = get_as(&world, &sign_in_as(&world, "ana").await, &format!("/incidents/{reference}?tab=people")).await.text;
    assert!(page.contains("was asked") && page.contains("no answer yet"), "{page}");
    let page = get_as(&world, &sign_in_as(&world, "ben").await, &format!("/incidents/{reference}")).await.text;
    let (above, _) = page.split_once("class=\"tabs\"").expect("the page has tabs");
    assert!(above.contains("<bdi>Ana Ruiz</bdi></strong> asks you to take <bdi>") && above.contains("\"Accept: "), "{above}");
    let incident = world.incident().await;
    assert_eq!(world.bodies(&incident, "role_taken").await.len(), 0);
    // A manager gives it without being asked back, with a reason; one without a reason offers it.
    assert_eq!(act_as(&world, &cho, &reference, "role", scribe("take", "ben", None)).await.0, 200);
    assert_eq!(held(&world).await, (Value::Null, "ben".into()));
    assert_eq!(act_as(&world, &cho, &reference, "role", scribe("take", "ben", Some("he sits beside me"))).await.0, 200);
    assert_eq!(held(&world).await, ("ben".into(), Value::Null));
    assert_eq!(times(&world, "ben", "Cho Min-ji made you scribe: he sits beside me"), 1, "{:?}", told(&world, "ben"));

    // The log has who did it, and why, whoever that was.
    act_as(&world, &token_of(&world, "ben").await, &reference, "role", scribe("take", "ana", None)).await;
    let deputy = json!({"role": "deputy", "do": "take", "why": "I know the database"});
    assert_eq!(act_as(&world, &ana, &reference, "role", deputy).await.0, 200);
    let liaison = |deed: &str, why: Option<&str>| json!({"role": "liaison", "person": "ben", "do": deed, "why": why});
    assert_eq!(act_as(&world, &ana, &reference, "role", liaison("offer", None)).await.0, 200);
    assert_eq!(act_as(&world, &token_of(&world, "ben").await, &reference, "role", liaison("leave", Some("no time"))).await.0, 200);
    let left = json!({"role": "deputy", "do": "leave", "why": "I sleep"});
    assert_eq!(act_as(&world, &ana, &reference, "role", left).await.0, 200);
    let lines = allclear_trial::world::lines(&world.events(&incident).await);
    for line in [
        "Ana Ruiz asked Ben Okafor to be scribe: you type fast",
        "Cho Min-ji made Ben Okafor scribe: he sits beside me",
        "Ben Okafor handed over scribe to Ana Ruiz",
        "Ana Ruiz is deputy now: I know the database",
        "Ben Okafor does not want to be liaison: no time",
        "Ana Ruiz is no longer deputy: I sleep",
    ] {
        assert!(lines.contains(line), "{line}\n{lines}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_given_back_counts_as_not_acknowledged_and_the_next_who_acknowledges_is_measured() {
    let mut world = world_of(Database::Sqlite, organisation()).await;
    let reference = taken_by_ana(&world).await;
    let mut tokens = Vec::new();
    for who in ["ana", "ben"] {
        let made = world.command("/tokens", json!({"name": who, "scope": "respond", "person": who})).await.ok().body;
        tokens.push(made["token"].as_str().unwrap().to_owned());
    }
    let (status, text) = act_as(&world, &tokens[1], &reference, "give_back", json!({})).await;
    assert!(status == 409 && text.contains("not_the_holder") && text.contains("not yours to give back"), "{status} {text}");
    world.advance(MINUTE).await;
    let ran = world.cli_as(&tokens[0], &["give-back", &reference, "--why", "it was the wrong one"]).await;
    assert_eq!(ran.code, 0, "{} {}", ran.stdout, ran.stderr);
    world.quiet().await;
    let incident = world.incident().await;
    assert_eq!(
        (&incident["state"], &incident["acknowledged_at"], &incident["commander"]),
        (&"declared".into(), &Value::Null, &Value::Null)
    );
    let lines = allclear_trial::world::lines(&world.events(&incident).await);
    assert!(lines.contains("it counts as not acknowledged: it was the wrong one"), "{lines}");
    world.advance(6 * MINUTE).await;
    assert_eq!(world.hook.to("ben").len(), 1, "its page looks for the next");
    let before = world.now().await;
    assert_eq!(act_as(&world, &tokens[1], &reference, "acknowledge", json!({})).await.0, 200);
    let incident = world.incident().await;
    let at: jiff::Timestamp = incident["acknowledged_at"].as_str().unwrap().parse().unwrap();
    assert!(at >= before && incident["acknowledged_by"] == "ben" && incident["state"] == "investigating", "{incident:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_given_back_after_a_change_of_service_pages_whom_the_new_service_pages() {
    let mut world = world_of(Database::Sqlite, with_search()).await;
    let reference = taken_by_ana(&world).await;
    let ana = token_of(&world, "ana").await;
    world.act(&reference, "service", json!({"service": "search"})).await;
    assert_eq!((world.hook.to("ana").len(), world.hook.to("cho").len()), (1, 0), "ana has it");
    let (status, text) = act_as(&world, &ana, &reference, "give_back", json!({"why": "it is not ours"})).await;
    assert_eq!(status, 200, "{text}");
    assert_eq!((world.hook.to("ana").len(), world.hook.to("cho").len()), (1, 1), "whom search pages is asked, and ana is not");
    world.advance(6 * MINUTE).await;
    assert_eq!((world.hook.to("ana").len(), world.hook.to("ben").len()), (1, 0), "the page of the old policy is over");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_somebody_worked_on_stays_acknowledged_when_they_give_it_back() {
    let mut world = world_of(Database::Sqlite, organisation()).await;
    let reference = taken_by_ana(&world).await;
    let (ana, ben) = (token_of(&world, "ana").await, token_of(&world, "ben").await);
    let acknowledged = world.incident().await["acknowledged_at"].clone();
    world.advance(MINUTE).await;
    assert_eq!(act_as(&world, &ana, &reference, "note", json!({"text": "it is the disk of db1"})).await.0, 200);
    assert_eq!(act_as(&world, &ana, &reference, "give_back", json!({})).await.0, 200);
    let incident = world.incident().await;
    assert_eq!((&incident["state"], &incident["acknowledged_at"]), (&"investigating".into(), &acknowledged), "{incident:#}");
    assert!(incident["commander"].is_null(), "and nobody has it: {incident:#}");
    world.advance(6 * MINUTE).await;
    assert_eq!(world.hook.to("ben").len(), 1, "its page looks for the next");
    assert_eq!(act_as(&world, &ben, &reference, "acknowledge", json!({})).await.0, 200);
    let incident = world.incident().await;
    assert_eq!((&incident["commander"], &incident["acknowledged_at"]), (&"ben".into(), &acknowledged), "{incident:#}");
}

async fn token_of(world: &World, who: &str) -> String {
    let made = world.command("/tokens", json!({"name": who, "scope": "respond", "person": who})).await.ok().body;
    made["token"].as_str().unwrap().to_owned()
}

/// The open incident that is not this one, by its reference.
async fn other_than(world: &World, reference: &str) -> String {
    let open = world.incidents("open=true&exercises=true").await;
    open.iter().map(|one| one["ref"].as_str().unwrap().to_owned()).find(|one| one != reference).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_who_takes_a_merge_apart_acknowledges_nothing_that_was_looking_for_somebody() {
    let mut world = world_of(Database::Sqlite, organisation()).await;
    let into = taken_by_ana(&world).await;
    let cho = token_of(&world, "cho").await;
    world.signal_with(org::OTHER_KEY, json!({"title": "slow", "dedup_key": "slow", "severity": "critical"})).await;
    let from = other_than(&world, &into).await;
    let paged = world.hook.to("ana").len();
    assert_eq!((paged, world.hook.to("ben").len()), (2, 0), "it looks for ana");
    world.advance(MINUTE).await;
    assert_eq!(act_as(&world, &cho, &from, "merge", json!({"into": into})).await.0, 200);
    world.advance(30 * MINUTE).await;
    let (status, text) = act_as(&world, &cho, &from, "take_apart", json!({})).await;
    assert_eq!(status, 200, "{text}");
    let apart = named(&world, &from).await;
    assert_eq!((&apart["state"], &apart["acknowledged_at"], &apart["commander"]), (&"declared".into(), &Value::Null, &Value::Null));
    world.advance(4 * MINUTE + 30).await;
    assert_eq!(world.hook.to("ben").len(), 1, "its page goes on where it was: ben is next");

    // What somebody had is whose it is who takes it apart.
    let ben = token_of(&world, "ben").await;
    assert_eq!(act_as(&world, &ben, &from, "acknowledge", json!({})).await.0, 200);
    assert_eq!(act_as(&world, &ben, &from, "merge", json!({"into": into})).await.0, 200);
    let pages = || world.hook.all().iter().filter(|one| one.is_page() && one.body.to_string().contains(&from)).count();
    let paged = pages();
    assert_eq!(act_as(&world, &cho, &from, "take_apart", json!({})).await.0, 200);
    assert_eq!(named(&world, &from).await["state"], "investigating");
    assert_eq!(pages(), paged, "nobody is paged");
    world.advance(10 * MINUTE).await;
    let pages = world.hook.all().iter().filter(|one| one.is_page() && one.body.to_string().contains(&from)).count();
    assert_eq!(pages, paged, "nor later");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_test_and_what_is_real_are_never_one_incident() {
    let world = world_of(Database::Sqlite, organisation()).await;
    let real = taken_by_ana(&world).await;
    let cookie = sign_in_as(&world, "ben").await;
    assert_eq!(post_form(&world, "/menu/test", Some(&cookie), &[("once", "1790000000000000")]).await.status, 303);
    world.quiet().await;
    let test = other_than(&world, &real).await;
    for (from, into) in [(&real, &test), (&test, &real)] {
        let refused = world.command(&format!("/incidents/{from}/merge"), json!({"into": into})).await;
        assert!(refused.status == 409 && refused.text.contains("across_modes"), "{} {}", refused.status, refused.text);
    }
    let alert = world.alert("disk").await["id"].as_str().unwrap().to_owned();
    let refused = world.command(&format!("/incidents/{test}/link"), json!({"alert": alert})).await;
    assert!(refused.status == 409 && refused.text.contains("across_modes"), "{} {}", refused.status, refused.text);
    let page = get_as(&world, &cookie, &format!("/incidents/{real}")).await.text;
    assert!(page.contains("Merge into another") && !page.contains("Test page for Ben"), "{page}");
    assert_eq!(named(&world, &real).await["state"], "investigating");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_test_page_is_answered_and_ended_and_nothing_else_becomes_of_it() {
    let world = world_of(Database::Sqlite, organisation()).await;
    for (who, once) in [("ben", "1790000000000000"), ("ana", "1790000000000001")] {
        let cookie = sign_in_as(&world, who).await;
        assert_eq!(post_form(&world, "/menu/test", Some(&cookie), &[("once", once)]).await.status, 303);
        world.quiet().await;
    }
    let open = world.incidents("open=true&exercises=true").await;
    let of =
        |name: &str| open.iter().find(|one| one["title"].as_str().unwrap().contains(name)).unwrap()["ref"].as_str().unwrap().to_owned();
    let (bens, anas) = (of("Ben"), of("Ana"));
    let paged = world.hook.all().len();
    // Somebody else, their manager, an administrator, and they themselves: a test is no incident to work on.
    let tokens = [token_of(&world, "ana").await, token_of(&world, "cho").await, org::ADMIN_TOKEN.to_owned(), token_of(&world, "ben").await];
    for token in &tokens {
        for (verb, body) in [
            ("severity", json!({"severity": "sev1", "why": "w"})),
            ("service", json!({"service": "search", "why": "w"})),
            ("affect", json!({"service": "search", "impact": "full"})),
            ("escalate", json!({"page": ["person:cho"], "why": "w"})),
            ("escalate", json!({"escalation": "payments", "why": "w"})),
            ("role", json!({"role": "scribe", "person": "cho", "do": "offer"})),
            ("task", json!({"text": "t", "owner": "cho"})),
            ("update", json!({"text": "t", "audiences": ["customers"]})),
            ("rename", json!({"title": "t"})),
            ("merge", json!({"into": anas})),
        ] {
            let (status, text) = act_as(&world, token, &bens, verb, body.clone()).await;
            assert!(status == 409 && text.contains("is_a_test"), "{verb} {body}: {status} {text}");
        }
    }
    assert_eq!(world.hook.all().len(), paged, "nobody heard of it");
    let page = get_as(&world, &sign_in_as(&world, "cho").await, &format!("/incidents/{bens}")).await.text;
    for words in ["Get help", "Merge into another", "data-verb=\"severity\"", "data-verb=\"role\""] {
        assert!(!page.contains(words), "what would be refused is not offered: {words}");
    }
    assert_eq!(act_as(&world, &tokens[0], &bens, "note", json!({"text": "what is this?"})).await.0, 200);
    assert_eq!(act_as(&world, &tokens[1], &bens, "cancel", json!({"why": "seen"})).await.0, 200);
}

/// The incident with this reference.
async fn named(world: &World, reference: &str) -> Value {
    world.api(&format!("/incidents/{reference}")).await
}

async fn a_merge_takes_tasks_and_the_nearer_promise_along_and_is_taken_apart_within_a_day(database: Database) {
    let mut world = world_of(database, organisation()).await;
    let into = taken_by_ana(&world).await;
    world.signal_with(org::OTHER_KEY, json!({"title": "slow", "dedup_key": "slow", "severity": "critical"})).await;
    let open = world.incidents("open=true").await;
    let from = open.iter().map(|one| one["ref"].as_str().unwrap().to_owned()).find(|one| *one != into).unwrap();
    world.act(&into, "task", json!({"text": "its own", "owner": "ana"})).await;
    for (text, within) in [("call the vendor", "20m"), ("drain the queue", "2h"), ("look at the graphs", "3h")] {
        world.act(&from, "task", json!({"text": text, "owner": "ben", "within": within})).await;
    }
    world.act(&from, "task", json!({"task": 3, "state": "done"})).await;
    world.act(&from, "update", json!({"text": "we look at it", "next_within": "10m"})).await;
    world.act(&from, "merge", json!({"into": into})).await;
    let there = named(&world, &into).await;
    let tasks: Vec<(&str, &str)> =
        there["tasks"].as_array().unwrap().iter().map(|t| (t["text"].as_str().unwrap(), t["owner"].as_str().unwrap())).collect();
    assert_eq!(tasks, [("its own", "ana"), ("call the vendor", "ben"), ("drain the queue", "ben")], "with who does them");
    let lines = allclear_trial::world::lines(&world.events(&there).await);
    assert!(lines.contains(&format!("{from} was merged into this; with tasks 2 and 3; the next update is due by")), "{lines}");
    let lines = allclear_trial::world::lines(&world.events(&named(&world, &from).await).await);
    assert!(lines.contains(&format!("Merged into {into}; with tasks 1 and 2; the next update is due by")), "{lines}");
    world.advance(11 * MINUTE).await;
    assert_eq!(world.bodies(&there, "update_missed").await.len(), 1, "the nearer promise is kept here");
    world.advance(10 * MINUTE).await;
    assert_eq!(times(&world, "ben", "Task 2 is late: call the vendor"), 1, "and the task is due as it was: {:?}", told(&world, "ben"));

    // One task is done there; the other comes back as it went, with the alert.
    world.act(&into, "task", json!({"task": 2, "state": "done"})).await;
    world.act(&from, "take_apart", json!({})).await;
    let back = named(&world, &from).await;
    assert_eq!((&back["state"], &back["merged_into"]), (&"declared".into(), &Value::Null), "it is what it was: {back:#}");
    let states: Vec<&str> = back["tasks"].as_array().unwrap().iter().map(|task| task["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["dropped", "open", "done"]);
    assert_eq!(named(&world, &into).await["tasks"][2]["state"], "dropped");
    assert_eq!(world.alert("slow").await["incident"], back["id"], "its alert is its own again");
    let lines = allclear_trial::world::lines(&world.events(&back).await);
    assert!(lines.contains(&format!("took it apart from {into}: back came one alert and task 2; task 1 stayed with {into}")), "{lines}");
    let lines = allclear_trial::world::lines(&world.events(&there).await);
    assert!(lines.contains(&format!("took {from} apart from this: back went one alert and task 3; task 2 stayed here")), "{lines}");
    world.signal_with(org::OTHER_KEY, json!({"dedup_key": "slow", "status": "resolved"})).await;
    assert_eq!(named(&world, &from).await["state"], "resolved", "what recovers recovers there");
    assert_ne!(named(&world, &into).await["state"], "resolved", "and not here");

    let refused = world.command(&format!("/incidents/{into}/take_apart"), json!({})).await;
    assert!(refused.status == 409 && refused.text.contains("not_merged"), "{}", refused.text);
    world.signal_with(org::OTHER_KEY, json!({"title": "again", "dedup_key": "again", "severity": "critical"})).await;
    let open = world.incidents("open=true").await;
    let third = open.iter().map(|one| one["ref"].as_str().unwrap().to_owned()).find(|one| *one != into).unwrap();
    world.act(&third, "merge", json!({"into": into})).await;
    world.advance(24 * 60 * MINUTE + MINUTE).await;
    let refused = world.command(&format!("/incidents/{third}/take_apart"), json!({})).await;
    assert!(refused.status == 409 && refused.text.contains("merged_too_long_ago"), "{}", refused.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_merged_and_taken_apart_twice_comes_back_as_the_first_time() {
    let world = world_of(Database::Sqlite, organisation()).await;
    let into = taken_by_ana(&world).await;
    world.act(&into, "restrict", json!({"why": "names of customers"})).await;
    world.signal_with(org::OTHER_KEY, json!({"title": "slow", "dedup_key": "slow", "severity": "critical"})).await;
    let from = other_than(&world, &into).await;
    world.act(&from, "task", json!({"text": "drain the queue", "owner": "ben", "within": "2h"})).await;
    world.act(&from, "update", json!({"text": "we look at it", "next_within": "10m"})).await;
    for time in 1..=2 {
        world.act(&from, "merge", json!({"into": into})).await;
        assert_eq!(named(&world, &from).await["private"], true, "time {time}: its log names what is private");
        world.act(&from, "take_apart", json!({})).await;
        let back = named(&world, &from).await;
        assert_ne!(back["private"], true, "time {time}: everybody saw it before: {back:#}");
        let tasks = back["tasks"].as_array().unwrap();
        assert!(tasks.len() == 1 && tasks[0]["state"] == "open", "time {time}: {tasks:#?}");
        let there = named(&world, &into).await;
        assert!(there["tasks"].as_array().unwrap().iter().all(|task| task["state"] == "dropped"), "time {time}: {there:#}");
        let lines = allclear_trial::world::lines(&world.events(&back).await);
        assert_eq!(lines.matches("back came one alert and task 1").count(), time, "{lines}");
    }
    // What somebody wrote while it was private is shown to nobody new.
    world.act(&from, "merge", json!({"into": into})).await;
    world.act(&from, "note", json!({"text": "it is about one customer"})).await;
    world.act(&from, "take_apart", json!({})).await;
    assert_eq!(named(&world, &from).await["private"], true);
}

/// What somebody said stays said where it is merged into what an alarm said, and is as bad as the worse of the two.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_merge_keeps_a_person_s_word_and_the_worse_of_two_severities() {
    let mut world = world_of(Database::Sqlite, organisation()).await;
    world.signal_with(org::OTHER_KEY, json!({"title": "slow", "dedup_key": "slow", "severity": "error"})).await;
    let into = world.incidents("open=true").await[0]["ref"].as_str().unwrap().to_owned();
    world.command("/incidents", json!({"title": "smoke in the hall", "severity": "sev1", "service": "checkout"})).await.ok();
    let from = other_than(&world, &into).await;
    world.act(&from, "merge", json!({"into": into})).await;
    assert_eq!(named(&world, &into).await["severity"], "sev1");
    world.signal_with(org::OTHER_KEY, json!({"dedup_key": "slow", "status": "resolved"})).await;
    world.advance(MINUTE).await;
    let there = named(&world, &into).await;
    assert_eq!((&there["state"], &there["recovered"]), (&"declared".into(), &true.into()), "no alert ends what somebody said: {there:#}");
    // What ended there and fires again goes back with it.
    world.act(&from, "take_apart", json!({})).await;
    world.signal_with(org::OTHER_KEY, json!({"title": "slow", "dedup_key": "slow", "severity": "error"})).await;
    world.act(&into, "merge", json!({"into": from})).await;
    world.signal_with(org::OTHER_KEY, json!({"dedup_key": "slow", "status": "resolved"})).await;
    world.signal_with(org::OTHER_KEY, json!({"title": "slow", "dedup_key": "slow", "severity": "error"})).await;
    world.act(&into, "take_apart", json!({})).await;
    let back = named(&world, &into).await;
    assert_eq!((&back["state"], &world.alert("slow").await["incident"]), (&"declared".into(), &back["id"]), "{back:#}");
}

/// An incident is had by who can act on it, and passed on by nobody but who was asked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_has_or_passes_on_an_incident_because_another_says_so() {
    let org = organisation().replacen("teams:\n", "  - {id: gus, name: Gus Guest, access: guest}\nteams:\n", 1);
    let world = world_of(Database::Sqlite, org).await;
    world.fire("disk").await;
    let token = async |person: &str| {
        let made = world.command("/tokens", json!({"name": "t", "scope": "respond", "person": person})).await.ok();
        made.body["token"].as_str().unwrap().to_owned()
    };
    let ben = token("ben").await;
    let ask = async |path: &str, body: Value| {
        let request = world.client.post(world.at(&format!("/api/v1{path}"))).bearer_auth(&ben).json(&body);
        world.send(request).await
    };
    let refused = ask("/incidents/INC-1/acknowledge", json!({"by": "gus"})).await;
    assert_eq!((refused.status, &refused.body["code"]), (409, &"cannot_have_it".into()), "{}", refused.text);
    let page = world.api("/incidents/INC-1/pages").await["items"][0]["id"].as_str().unwrap().to_owned();
    let refused = ask(&format!("/pages/{page}/acknowledge"), json!({"by": "gus"})).await;
    assert_eq!(refused.status, 409, "{}", refused.text);
    let refused = ask(&format!("/pages/{page}/decline"), json!({"by": "ana"})).await;
    assert_eq!(refused.status, 403, "{}", refused.text);
    assert_eq!(world.incident().await["state"], "declared");
}

async fn a_review_is_drafted_edited_published_and_late_when_it_is_not(database: Database) {
    let mut world = world_of(database, organisation()).await;
    let reference = taken_by_ana(&world).await;
    world.act(&reference, "resolve", json!({"note": "grew the disk"})).await;
    let review = world.api(&format!("/incidents/{reference}/review")).await;
    let text = review["text"].as_str().unwrap();
    assert_eq!((&review["state"], &review["owner"]), (&"draft".into(), &"ana".into()), "the commander writes it: {review:#}");
    assert!(text.contains("## Timeline") && text.contains(&reference) && text.contains("disk"), "{text}");
    assert!(text.contains("- Ana Ruiz: "), "it says who did what, by name: {text}");
    assert!(text.contains("Times in UTC.") && text.contains(" Paged Ana Ruiz (step 1)"), "{text}");
    for machinery in ["Paging by", "Page acknowledged", "by hook", "to acknowledge", "Page stopped"] {
        assert!(!text.contains(machinery), "{machinery} is nothing that a review is about: {text}");
    }
    let id = review["id"].as_str().unwrap().to_owned();

    world.advance(47 * MINUTE).await;
    assert_eq!(times(&world, "ana", "The review of"), 0, "80 % of an hour are 48 minutes");
    world.advance(2 * MINUTE).await;
    assert_eq!(times(&world, "ana", "The review of"), 1, "{:?}", told(&world, "ana"));
    world.advance(12 * MINUTE).await;
    assert_eq!((times(&world, "ana", "is not published"), times(&world, "cho", "is not published")), (1, 1));
    assert_eq!(world.api(&format!("/reviews/{id}")).await["late"], true);
    world.advance(24 * 60 * MINUTE).await;
    assert_eq!(times(&world, "ana", "The review of"), 2, "a reminder and a miss, each once");

    let edited = world.command(&format!("/reviews/{id}/edit"), json!({"text": "# What we learned\n\nWatch the disk."})).await.ok();
    assert_eq!((&edited.body["edited"], &edited.body["state"]), (&true.into(), &"draft".into()), "{}", edited.text);
    let published = world.command(&format!("/reviews/{id}/publish"), json!({})).await.ok();
    assert_eq!(published.body["state"], "published");
    assert!(published.body["text"].as_str().unwrap().contains("What we learned"), "what is published is what was edited");
    let all = world.api("/reviews?state=published").await;
    assert_eq!(all["items"].as_array().unwrap().len(), 1, "{all:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_review_that_is_published_in_time_is_never_late() {
    let mut world = world_of(Database::Sqlite, organisation()).await;
    let reference = taken_by_ana(&world).await;
    world.act(&reference, "resolve", json!({})).await;
    let id = world.api(&format!("/incidents/{reference}/review")).await["id"].as_str().unwrap().to_owned();
    let published = world.command(&format!("/reviews/{id}/publish"), json!({})).await.ok();
    assert!(published.body["text"].as_str().unwrap().contains("## Timeline"), "the draft is kept as it was read");
    world.advance(3 * 60 * MINUTE).await;
    assert_eq!(times(&world, "ana", "The review of"), 0, "{:?}", told(&world, "ana"));
    assert_eq!(world.api(&format!("/reviews/{id}")).await["late"], false);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_action_reminds_is_late_and_is_counted_with_its_incident() {
    let mut world = world_of(Database::Sqlite, organisation()).await;
    let reference = taken_by_ana(&world).await;
    world.advance(15 * MINUTE).await;
    world.act(&reference, "resolve", json!({})).await;
    let due_at = world.now().await + jiff::SignedDuration::from_hours(10);
    let body = json!({"text": "alarm at 80 % full", "owner": "ben", "due_at": due_at.to_string(), "incident": reference});
    let added = world.command("/actions", body).await;
    assert_eq!((added.status, &added.body["ref"]), (201, &reference.as_str().into()), "{}", added.text);
    let id = added.body["id"].as_str().unwrap().to_owned();
    world.advance(7 * 60 * MINUTE + 50 * MINUTE).await;
    assert_eq!(times(&world, "ben", "This action"), 0, "80 % of ten hours are eight");
    world.advance(15 * MINUTE).await;
    assert_eq!(times(&world, "ben", "This action is due by"), 1, "{:?}", told(&world, "ben"));
    world.advance(2 * 60 * MINUTE).await;
    assert_eq!((times(&world, "ben", "This action was due"), times(&world, "cho", "This action was due")), (1, 1));
    let open = world.api("/actions?state=open&owner=ben").await;
    assert_eq!((open["items"].as_array().unwrap().len(), &open["items"][0]["late"]), (1, &true.into()), "{open:#}");

    let later = world.now().await + jiff::SignedDuration::from_hours(10);
    let moved = world.command(&format!("/actions/{id}/due"), json!({"due_at": later.to_string(), "why": "parts"})).await.ok();
    assert_eq!(moved.body["late"], false, "a new date is a new chance");
    let done = world.command(&format!("/actions/{id}/done"), json!({"note": "in place"})).await.ok();
    assert_eq!(done.body["state"], "done");
    world.advance(24 * 60 * MINUTE).await;
    assert_eq!(times(&world, "ben", "This action"), 2, "nothing is awaited of what is done: {:?}", told(&world, "ben"));

    let trends = world.api("/trends").await;
    assert_eq!(trends["incidents"], 1, "{trends:#}");
    let row = &trends["by_severity"][0];
    assert_eq!((&row["name"], &row["resolve"]["n"]), (&"sev2".into(), &1.into()), "{trends:#}");
    let took = row["resolve"]["median_s"].as_i64().unwrap();
    assert!((15 * 60..=15 * 60 + 30).contains(&took), "it took a quarter of an hour: {took} s");
    assert_eq!(trends["by_service"][0]["name"], "checkout");
}

/// The day is promised, not an instant: a reader elsewhere is told the same day, and it is late when the day is over
/// where its owner is.
async fn an_action_is_due_on_the_same_day_for_every_reader(database: Database) {
    let zones = org::usual().replace("{id: ben, name: Ben Okafor,", "{id: ben, time_zone: Asia/Tokyo, name: Ben Okafor,");
    assert!(zones.contains("Asia/Tokyo"), "{zones}");
    let mut world = world_of(database, zones).await;
    let reference = taken_by_ana(&world).await;
    let day = (world.now().await + jiff::SignedDuration::from_hours(72)).to_zoned(jiff::tz::TimeZone::UTC).date();
    let cookie = sign_in_as(&world, "ana").await;
    let typed = day.to_string();
    let form = [("incident", reference.as_str()), ("text", "an alarm at 80 %"), ("owner", "ben"), ("due", typed.as_str())];
    assert_eq!(post_form(&world, "/actions", Some(&cookie), &form).await.status, 303);
    let action = world.api("/actions").await["items"][0].clone();
    let late_at: jiff::Timestamp = action["due_at"].as_str().unwrap().parse().unwrap();
    let tokyo = day.tomorrow().unwrap().in_tz("Asia/Tokyo").unwrap().timestamp();
    assert_eq!((&action["due_on"], late_at), (&typed.as_str().into(), tokyo), "{action:#}");
    let seen = format!("<time datetime=\"{day}\"");
    let elsewhere = sign_in_as(&world, "ben").await;
    for (who, cookie) in [("ana", &cookie), ("ben", &elsewhere)] {
        for page in ["/actions".to_owned(), format!("/incidents/{reference}")] {
            let html = get_as(&world, cookie, &page).await.text;
            let shown = html.split("an alarm at 80 %").last().unwrap();
            assert!(shown.split("</li>").next().unwrap().contains(&seen), "{who} on {page}: {shown}");
        }
    }
    // It is moved to another day, from the page as from outside.
    let id = action["id"].as_str().unwrap();
    let next = day.tomorrow().unwrap().to_string();
    let moved = post_form(&world, &format!("/actions/{id}/due"), Some(&cookie), &[("due", &next), ("note", "the part is late")]).await;
    assert_eq!((moved.status, moved.header("location")), (303, Some("/actions")), "{}", moved.text);
    assert_eq!(world.api(&format!("/actions/{id}")).await["due_on"], next.as_str());
    for wrong in [json!({"why": "x"}), json!({"due_on": next, "due_at": "2099-01-01T00:00:00Z", "why": "x"})] {
        let refused = world.command(&format!("/actions/{id}/due"), wrong).await;
        assert!(refused.status == 422 && refused.text.contains("due_on"), "{}", refused.text);
    }
    world.command(&format!("/actions/{id}/due"), json!({"due_on": typed, "why": "it came"})).await.ok();
    let late = u64::try_from(tokyo.duration_since(world.now().await).as_secs()).unwrap();
    world.advance(late - 30).await;
    assert_eq!(world.api(&format!("/actions/{id}")).await["late"], false, "the day is not over in Tokyo");
    world.advance(60).await;
    assert_eq!(world.api(&format!("/actions/{id}")).await["late"], true);
    let words = day.strftime("%a %-d %b %Y").to_string();
    assert_eq!(times(&world, "ben", &format!("This action was due by {words}")), 1, "{:?}", told(&world, "ben"));
}
