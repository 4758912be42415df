//! Types of incident with questions of their own: asked while declaring and before closing, held against their kind, given by a route,
//! matched by plans, and readable when the type is gone.

use allclear_trial::{Database, org};
use serde_json::{Value, json};

use crate::sign_in::{get_as, post_form, sign_in_as};
use crate::{on_both, world_of};

on_both!(
    a_type_asks_while_declaring_and_before_closing,
    a_route_gives_a_type_and_no_alarm_waits_for_an_answer,
    a_type_that_is_gone_leaves_its_incidents_readable,
    a_merge_takes_a_type_along_and_what_was_answered,
);

const TYPES: &str = r#"
types:
  - id: ward
    name: Ward on paper
    purpose: a ward has no systems
    severity: sev2
    private: true
    plan: downtime
    fields:
      - {id: patients, label: "How many patients?", kind: number, required: declare}
      - {id: site, label: Which site?, kind: choice, choices: ["A, old", "B & \"new\"", "<c>"]}
      - {id: since, label: Since when?, kind: date_time}
      - {id: cause, label: What was it?, kind: text, required: close}
  - {id: desk, name: Desk, fields: [{id: cause, label: What was it?, kind: text, required: close}]}
plans:
  - {id: downtime, name: Downtime, tasks: [{id: forms, text: Bring the forms}]}
  - {id: typed, name: By its type, match: 'type="desk"', tasks: [{id: look, text: Look}]}
"#;

const ROUTES: &str =
    "routes:\n  - {id: wards, match: 'labels.ward!=\"\"', set: {type: ward}}\n  - {id: all, match: '', set: {type: desk}}\n";

fn organisation() -> String {
    [&org::usual(), TYPES, ROUTES].concat()
}

fn answers(incident: &Value) -> Vec<(String, Value)> {
    let fields = incident["type"]["fields"].as_array().into_iter().flatten();
    fields.map(|one| (one["field"].as_str().unwrap().to_owned(), one["value"].clone())).collect()
}

async fn a_type_asks_while_declaring_and_before_closing(database: Database) {
    let world = world_of(database, organisation()).await;
    for (body, code) in [
        (json!({"title": "x", "type": "wart"}), "no_such_type"),
        (json!({"title": "x", "type": "ward"}), "answers_missing"),
        (json!({"title": "x", "type": "ward", "fields": {"patients": "many"}}), "answer_wrong"),
        (json!({"title": "x", "type": "ward", "fields": {"patients": 3, "colour": "red"}}), "no_such_field"),
        (json!({"title": "x", "type": "ward", "fields": {"patients": 3, "site": "A"}}), "answer_wrong"),
        (json!({"title": "x", "fields": {"patients": 3}}), "has_no_type"),
    ] {
        let no = world.command("/incidents", body).await;
        assert!(no.status >= 400 && no.status < 500 && no.text.contains(code), "{code}: {}", no.text);
    }
    assert_eq!(world.incidents("limit=5").await.len(), 0);

    // The page asks without a script: the type is chosen, its questions come, what was typed stays.
    let ana = sign_in_as(&world, "ana").await;
    let page = get_as(&world, &ana, "/declare?title=Ward%203&type=ward").await.text;
    for words in ["How many patients?", "Ward 3", "B &amp; &quot;new&quot;", "The plan <strong><bdi>Downtime"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(!page.contains("What was it?"), "what is asked before the end is not asked here");
    let missing = post_form(&world, "/declare", Some(&ana), &[("title", "Ward 3"), ("severity", "unsure"), ("type", "ward")]).await;
    assert!(missing.status == 422 && missing.text.contains("How many patients? (`patients`)"), "{} {}", missing.status, missing.text);
    let fields = [
        ("title", "Ward 3"),
        ("severity", "unsure"),
        ("type", "ward"),
        ("answer:patients", "12"),
        ("answer:site", "B & \"new\""),
        ("answer:since", "2026-01-02T09:00"),
    ];
    let done = post_form(&world, "/declare", Some(&ana), &fields).await;
    assert_eq!(done.status, 303, "{}", done.text);
    let found = world.incidents("limit=1").await.remove(0);
    let reference = found["ref"].as_str().unwrap().to_owned();
    let whole = world.api(&format!("/incidents/{reference}")).await;
    assert_eq!((&whole["severity"], &whole["private"], &whole["type"]["name"]), (&json!("sev2"), &json!(true), &json!("Ward on paper")));
    let kept = answers(&whole);
    assert_eq!(kept[0], ("patients".into(), json!("12")));
    assert_eq!(kept[1], ("site".into(), json!("B & \"new\"")), "odd letters stay");
    assert_eq!(kept[2], ("since".into(), json!("2026-01-02T08:00:00Z")), "on the clock of whoever fills it in");
    assert_eq!(whole["proposed"][0]["plan"], "downtime", "{whole:#}");
    // Every change has who and when; a wrong one is shown at its form.
    let wrong = post_form(&world, &format!("/incidents/{reference}/field"), Some(&ana), &[("field", "patients"), ("value", "lots")]).await;
    assert!(wrong.status >= 400 && wrong.text.contains("is no number") && wrong.text.contains("value=\"lots\""), "{}", wrong.text);
    let ran = world.cli(&["field", "set", &reference, "patients", "14", "--why", "two more"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let events = world.events(&found).await;
    let line = events.iter().rev().find(|event| event["kind"] == "answer_set").unwrap();
    assert!(line["line"].as_str().unwrap().contains("How many patients? – 14 (it was: 12): two more"), "{line}");
    world.act(&reference, "resolve", json!({})).await;
    let no = world.command(&format!("/incidents/{reference}/close"), json!({})).await;
    assert!(no.status == 409 && no.text.contains("answers_open") && no.text.contains("What was it?"), "{}", no.text);
    world.act(&reference, "field", json!({"field": "cause", "value": "a switch"})).await;
    assert_eq!(world.act(&reference, "close", json!({"waive": "its review comes later"})).await["state"], "closed");
}

async fn a_route_gives_a_type_and_no_alarm_waits_for_an_answer(database: Database) {
    let world = world_of(database, organisation()).await;
    world.signal(json!({"title": "Ward down", "dedup_key": "w", "severity": "warning", "labels": {"ward": "3"}})).await;
    let found = world.incidents("limit=1").await.remove(0);
    assert_eq!(
        (&found["type"]["type"], &found["private"], &found["severity"]),
        (&json!("ward"), &json!(true), &json!("sev4")),
        "{found:#}"
    );
    let set = world.bodies(&found, "type_set").await;
    assert_eq!(set, [json!({"type": "ward", "name": "Ward on paper", "because": "wards"})]);
    world.fire("desk").await;
    let found = world.incidents("limit=1").await.remove(0);
    let reference = found["ref"].as_str().unwrap().to_owned();
    let whole = world.api(&format!("/incidents/{reference}")).await;
    assert_eq!((&whole["type"]["type"], &whole["proposed"][0]["plan"]), (&json!("desk"), &json!("typed")), "{whole:#}");
    // Another type keeps what it asks alike.
    world.act(&reference, "field", json!({"field": "cause", "value": "a plug"})).await;
    let typed = world.cli(&["type", &reference, "ward", "--why", "it is one"]).await;
    assert_eq!(typed.code, 0, "{typed:?}");
    let whole = world.api(&format!("/incidents/{reference}")).await;
    assert!(answers(&whole).contains(&("cause".into(), json!("a plug"))), "{whole:#}");
}

async fn a_type_that_is_gone_leaves_its_incidents_readable(database: Database) {
    let world = world_of(database, [&org::usual(), TYPES].concat()).await;
    let body = json!({"title": "Ward", "type": "ward", "severity": "sev3", "page": false, "fields": {"patients": 4, "site": "<c>"}});
    let incident = world.command("/incidents", body).await.ok().body;
    let reference = incident["ref"].as_str().unwrap().to_owned();
    let file = world.dir.path().join("without.yaml");
    let text = std::fs::read_to_string(world.dir.path().join("org.yaml")).unwrap();
    let (before, after) = (text.split("types:\n").next().unwrap(), text.split("plans:\n").last().unwrap());
    std::fs::write(&file, format!("{before}plans:\n{after}")).unwrap();
    let gone = world.cli(&["config", "apply", "--prune", file.to_str().unwrap()]).await;
    assert_eq!(gone.code, 0, "{gone:?}");
    let whole = world.api(&format!("/incidents/{reference}")).await;
    assert_eq!((&whole["type"]["name"], answers(&whole).len()), (&json!("Ward on paper"), 2), "{whole:#}");
    world.act(&reference, "admit", json!({"person": "cho"})).await;
    let page = get_as(&world, &sign_in_as(&world, "cho").await, &format!("/incidents/{reference}?tab=more")).await;
    assert!(page.status == 200 && page.text.contains("Ward on paper") && page.text.contains("&lt;c&gt;"), "{}", page.text);
    let no = world.command(&format!("/incidents/{reference}/field"), json!({"field": "cause", "value": "x"})).await;
    assert!(no.status == 404 && no.text.contains("no_such_type"), "{}", no.text);
    world.act(&reference, "resolve", json!({})).await;
    assert_eq!(world.act(&reference, "close", json!({})).await["state"], "closed", "nothing is asked by what is gone");
}

async fn a_merge_takes_a_type_along_and_what_was_answered(database: Database) {
    let world = world_of(database, organisation()).await;
    let declare = async |body: Value| world.command("/incidents", body).await.ok().body["ref"].as_str().unwrap().to_owned();
    let typed = declare(json!({"title": "the desk is slow", "type": "desk", "page": false})).await;
    world.act(&typed, "field", json!({"field": "cause", "value": "a switch"})).await;
    let plain = declare(json!({"title": "all is slow", "page": false})).await;
    world.act(&typed, "merge", json!({"into": plain})).await;
    let whole = world.api(&format!("/incidents/{plain}")).await;
    assert_eq!((&whole["type"]["type"], answers(&whole)), (&json!("desk"), vec![("cause".to_owned(), json!("a switch"))]), "{whole:#}");
    // What somebody said there stays: its type, and its answers.
    let other = declare(json!({"title": "a ward", "type": "ward", "fields": {"patients": 3}, "page": false})).await;
    world.act(&other, "merge", json!({"into": plain})).await;
    let whole = world.api(&format!("/incidents/{plain}")).await;
    assert_eq!((&whole["type"]["type"], answers(&whole)[0].1.as_str()), (&json!("desk"), Some("a switch")), "{whole:#}");
    let again = declare(json!({"title": "the desk again", "type": "desk", "page": false, "private": true})).await;
    world.act(&again, "field", json!({"field": "cause", "value": "a cable"})).await;
    world.act(&again, "merge", json!({"into": plain})).await;
    assert_eq!(answers(&world.api(&format!("/incidents/{plain}")).await)[0].1, json!("a switch"));
}
