//! Other organisations: one that is asked hears it by the agreed way and no more of the incident than it may be told, is
//! awaited for the time that was given, and whoever of ours speaks with it hears what it says, or that it says nothing.

use allclear_trial::webhook_sink::path_of;
use allclear_trial::{Database, World, org};
use serde_json::{Value, json};

use crate::sign_in::post_form;
use crate::{on_both, world_of};

on_both!(
    an_organisation_is_asked_by_the_agreed_way_and_awaited,
    whoever_does_not_answer_is_late_once_and_the_liaison_hears_of_it,
    hours_and_levels_of_an_organisation_hold,
    what_an_organisation_says_is_heard_by_somebody_before_and_after,
    a_liaison_can_be_reached,
);

/// Seconds of a minute.
const MINUTE: u64 = 60;

/// One may be told nothing but what anybody may know, one all that stays with it; one works in the daytime only.
const ORGANISATIONS: &str = r#"
severities: [{id: sev2, update_every: 0s, acknowledgement_lasts: never}]
calendars: [{id: day, time_zone: Etc/UTC, hours: [{from: "09:00", to: "17:00"}]}]
organisations:
  - {id: cert, name: National CERT, kind: agency, reference: agreement 12, contacts: [{id: hook, webhook: "{HOOK}/cert", secret: "{SECRET}"}, {id: second, webhook: "{HOOK}/cert-second", secret: "{SECRET}"}]}
  - {id: cloud, name: Cloud & Sons, kind: vendor, tlp: amber+strict, contacts: [{id: hook, webhook: "{HOOK}/cloud", secret: "{SECRET}"}]}
  - {id: lab, name: Laboratory, kind: partner, hours: day, contacts: [{id: mail, email: lab@example.org}]}
"#;

fn organisation() -> String {
    [&org::usual(), ORGANISATIONS].concat()
}

/// What was said to somebody with these words in it.
fn told(world: &World, who: &str, words: &str) -> Vec<String> {
    let texts = world.hook.told(who).into_iter().map(|d| d.page()["text"].as_str().unwrap_or_default().to_owned());
    texts.filter(|text| text.contains(words)).collect()
}

/// An incident that ana has, of which she leads the work.
async fn begun(world: &World) -> String {
    world.fire("the disk of db-7").await;
    world.press(&world.hook.to("ana")[0].ack_path()).await.ok();
    world.quiet().await;
    world.incident().await["ref"].as_str().unwrap().to_owned()
}

async fn awaited(world: &World, reference: &str) -> Vec<Value> {
    let found = world.api(&format!("/incidents/{reference}/expectations")).await;
    let live = found["items"].as_array().unwrap().iter().filter(|one| one["rule"] == "incident.request" && one["state"] == "live");
    live.cloned().collect()
}

async fn an_organisation_is_asked_by_the_agreed_way_and_awaited(database: Database) {
    let world = world_of(database, organisation()).await;
    let reference = begun(&world).await;
    let refused = world.command(&format!("/incidents/{reference}/request"), json!({"organisation": "cret", "text": "x"})).await;
    assert_eq!((refused.status, refused.body["code"].as_str()), (404, Some("no_such_organisation")), "{:#}", refused.body);
    assert!(refused.body["detail"].as_str().unwrap().contains("cert"), "it says which was meant: {:#}", refused.body);

    world.act(&reference, "party", json!({"organisation": "cert", "reference": "CERT-118", "liaison": "ben"})).await;
    let asked = world.cli(&["request", &reference, "cert", "Please block 203.0.113.7", "--within", "30m"]).await;
    assert_eq!(asked.code, 0, "{}", asked.stderr);
    world.quiet().await;
    let heard = world.hook.told("cert");
    assert_eq!(heard.len(), 1, "once, by the first of its contacts");
    let page = heard[0].page();
    let text = page["text"].as_str().unwrap();
    for part in ["Request 1: Please block 203.0.113.7", "Please answer by ", "Your reference: CERT-118", "Agreement: agreement 12"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!((heard[0].kind(), page["incident"]["ref"].as_str()), ("request", Some(reference.as_str())));
    assert!(!heard[0].body.to_string().contains("db-7") && page["incident"]["severity"] == "", "it may not know what it is: {page:#}");
    assert!(world.hook.told("cert-second").is_empty(), "the second way is for when the first fails");

    let incident = world.api(&format!("/incidents/{reference}")).await;
    let request = &incident["requests"][0];
    assert_eq!((request["state"].as_str(), request["organisation"].as_str()), (Some("asked"), Some("cert")), "{incident:#}");
    assert_eq!(awaited(&world, &reference).await.len(), 1);
    world.act(&reference, "answer", json!({"request": 1, "state": "acknowledged", "reference": "T-9"})).await;
    assert_eq!(told(&world, "ben", "National CERT has acknowledged request 1").len(), 1, "its liaison hears of it");
    assert_eq!(awaited(&world, &reference).await.len(), 1, "an answer is still to come");
    let answered = world.act(&reference, "answer", json!({"request": 1, "state": "answered", "text": "It is blocked"})).await;
    let request = &answered["requests"][0];
    assert!(!request["acknowledged_at"].is_null() && !request["answered_at"].is_null() && request["reference"] == "T-9", "{request:#}");
    assert!(awaited(&world, &reference).await.is_empty());
    let shown = world.cli(&["show", &reference]).await.stdout;
    assert!(shown.contains("CERT-118") && shown.contains("It is blocked"), "{shown}");

    // What was asked of somebody who leaves is withdrawn, and they hear so.
    world.act(&reference, "request", json!({"organisation": "cert", "text": "and 203.0.113.8"})).await;
    world.act(&reference, "party", json!({"organisation": "cert", "state": "left", "why": "their part is done"})).await;
    assert_eq!(told(&world, "cert", "Request 2 is withdrawn").len(), 1);
    let incident = world.incident().await;
    let kinds = world.kinds(&incident).await;
    assert_eq!(kinds.iter().filter(|kind| *kind == "party_joined").count(), 1, "{kinds:?}");
    assert!(kinds.contains(&"party_left".to_owned()) && kinds.contains(&"request_withdrawn".to_owned()), "{kinds:?}");
}

async fn whoever_does_not_answer_is_late_once_and_the_liaison_hears_of_it(database: Database) {
    let mut world = world_of(database, organisation()).await;
    let reference = begun(&world).await;
    world.act(&reference, "request", json!({"organisation": "cert", "text": "Who else has it?", "within": "10m"})).await;
    world.act(&reference, "request", json!({"organisation": "cloud", "text": "Is it yours?", "within": "20m"})).await;
    world.act(&reference, "party", json!({"organisation": "cloud", "liaison": "ben"})).await;
    world.restart_after(std::time::Duration::from_secs(5)).await;
    world.advance(11 * MINUTE).await;
    assert_eq!(told(&world, "ana", "National CERT has not answered request 1").len(), 1, "whoever leads, where nobody speaks with them");
    world.advance(10 * MINUTE).await;
    assert_eq!(told(&world, "ben", "Cloud & Sons has not answered request 2").len(), 1);
    world.advance(60 * MINUTE).await;
    let incident = world.incident().await;
    let missed = world.bodies(&incident, "request_missed").await;
    assert_eq!(missed.iter().map(|one| one["request"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 2], "each once");
    let late = world.act(&reference, "answer", json!({"request": 1, "state": "answered", "text": "two others"})).await;
    assert!(late["requests"][0]["late"] == true && late["requests"][0]["state"] == "answered", "{:#}", late["requests"]);
    let again = world.command(&format!("/incidents/{reference}/answer"), json!({"request": 1, "state": "declined"})).await;
    assert_eq!(again.body["code"], "request_ended");
    // What was said in time and is written down late was not late.
    let due = late["requests"][1]["due_at"].as_str().unwrap();
    let at = (due.parse::<jiff::Timestamp>().unwrap() - jiff::SignedDuration::from_mins(5)).to_string();
    let in_time = world.act(&reference, "answer", json!({"request": 2, "state": "answered", "happened_at": at})).await;
    assert_eq!(in_time["requests"][1]["late"], false, "{:#}", in_time["requests"]);
}

async fn hours_and_levels_of_an_organisation_hold(database: Database) {
    let mut world = world_of(database, organisation()).await;
    let reference = begun(&world).await;
    // What nobody marked stays in the house, whatever an organisation may be told; who may be told what stays with them is told
    // what an incident is that somebody marked so.
    world.act(&reference, "request", json!({"organisation": "cloud", "text": "Is it yours?"})).await;
    assert_eq!(world.hook.told("cloud")[0].page()["incident"]["title"], "");
    world.act(&reference, "marking", json!({"marking": "amber+strict", "why": "they run it"})).await;
    world.act(&reference, "request", json!({"organisation": "cloud", "text": "Since when?"})).await;
    assert_eq!(world.hook.told("cloud")[1].page()["incident"]["title"], world.incident().await["title"]);
    // The time of a request counts in the hours of whoever is asked.
    let asked = world.act(&reference, "request", json!({"organisation": "lab", "text": "Test this", "within": "1h"})).await;
    let due: jiff::Timestamp = asked["requests"][2]["due_at"].as_str().unwrap().parse().unwrap();
    let (now, due) = (world.now().await.to_zoned(jiff::tz::TimeZone::UTC), due.to_zoned(jiff::tz::TimeZone::UTC));
    let open = (9..16).contains(&now.hour());
    assert!((9..=17).contains(&due.hour()), "{now} {due}");
    assert!(open || due.duration_since(&now) > jiff::SignedDuration::from_mins(61), "{now} {due}");
    let mail = world.mail.delivered_to("lab@example.org");
    assert!(mail.len() == 1 && mail[0].text().contains("Request 3: Test this"), "{mail:#?}");
    assert!(!mail[0].text().contains("db-7"), "{}", mail[0].text());
    // It is over: whoever takes part hears so, in words that say no more.
    world.act(&reference, "resolve", json!({})).await;
    world.advance(2 * MINUTE).await;
    assert_eq!(told(&world, "cloud", "It is over").len(), 1);
    let last = world.mail.delivered_to("lab@example.org").last().unwrap().text();
    assert!(last.contains("Nothing more is wanted of you"), "{last}");
    for secret in ["resolved", "after it was declared", "min."] {
        assert!(!last.contains(secret), "`{secret}` is more than it may be told: {last}");
    }
    assert!(world.mail.delivered_to("lab@example.org").len() == 2);
    assert!(awaited(&world, &reference).await.is_empty());
}

/// Behind its link an organisation writes something.
async fn say(world: &World, link: &str, text: &str) {
    assert_eq!(post_form(world, &format!("{link}/say"), None, &[("text", text)]).await.status, 303, "{text}");
    world.quiet().await;
}

async fn what_an_organisation_says_is_heard_by_somebody_before_and_after(database: Database) {
    let world = world_of(database, organisation().replacen("catch_all: [\"person:cho\"]", "catch_all: [\"person:ben\"]", 1)).await;
    let link = async |reference: &str| {
        world.act(reference, "request", json!({"organisation": "cert", "text": "Who else has it?"})).await;
        let made = world.act(reference, "guest", json!({"organisation": "cert"})).await;
        path_of(made["guest_url"].as_str().unwrap())
    };
    // Nobody has it: the managers of its service's team.
    world.fire("the disk of db-7").await;
    let reference = world.incident().await["ref"].as_str().unwrap().to_owned();
    let path = link(&reference).await;
    say(&world, &path, "before-words").await;
    assert_eq!(told(&world, "cho", "National CERT writes: before-words").len(), 1);
    world.act(&reference, "answer", json!({"request": 1, "state": "acknowledged"})).await;
    assert_eq!(told(&world, "cho", "National CERT has acknowledged request 1").len(), 1);
    // It is over: whoever had it.
    world.press(&world.hook.to("ana")[0].ack_path()).await.ok();
    world.quiet().await;
    world.act(&reference, "resolve", json!({})).await;
    say(&world, &path, "after-words").await;
    assert_eq!(post_form(&world, &format!("{path}/decline"), None, &[("request", "1")]).await.status, 303);
    world.quiet().await;
    for words in ["after-words", "has declined request 1"] {
        assert_eq!((told(&world, "ana", words).len(), told(&world, "cho", words).len()), (1, 0), "{words}");
    }
    // Neither holder nor service: the catch-all.
    let made = world.command("/incidents", json!({"title": "another", "page": false})).await.ok();
    let path = link(made.body["ref"].as_str().unwrap()).await;
    say(&world, &path, "lost-words").await;
    assert_eq!(told(&world, "ben", "lost-words").len(), 1);
}

async fn a_liaison_can_be_reached(database: Database) {
    let people = "  - {id: finn, name: Finn Far}\nteams:\n";
    let mut world = world_of(database, organisation().replacen("teams:\n", people, 1)).await;
    let reference = begun(&world).await;
    let liaison = json!({"organisation": "cert", "liaison": "finn"});
    let refused = world.command(&format!("/incidents/{reference}/party"), liaison.clone()).await;
    assert_eq!((refused.status, refused.body["code"].as_str()), (409, Some("cannot_have_it")), "{:#}", refused.body);
    assert!(refused.text.contains("nothing reaches Finn Far"), "{}", refused.text);
    // Themself, they may; what they would miss another hears.
    let made = world.command("/tokens", json!({"name": "t", "scope": "respond", "person": "finn"})).await.ok();
    let url = world.at(&format!("/api/v1/incidents/{reference}/party"));
    let taken = world.client.post(url).bearer_auth(made.body["token"].as_str().unwrap()).json(&liaison);
    assert_eq!(world.send(taken).await.status, 200);
    world.act(&reference, "request", json!({"organisation": "cert", "text": "Who else has it?", "within": "10m"})).await;
    world.advance(11 * MINUTE).await;
    assert_eq!(told(&world, "ana", "has not answered request 1").len(), 1);
}
