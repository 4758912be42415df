//! What was decided is looked at again, and what may be the cause is tried and judged with a reason.

use allclear_trial::{Database, World, org};
use serde_json::{Value, json};

use crate::sign_in::{get_as, sign_in_as};
use crate::{on_both, world_of};

on_both!(
    a_decision_says_between_what_and_is_looked_at_again_when_its_time_comes,
    what_was_tried_and_why_it_was_given_up_stands_for_whoever_joins_late,
);

/// Largest page of an incident beside its log, in bytes.
const PAGE_BYTES_MAX: usize = 100_000;

/// Seconds of a minute.
const MINUTE: u64 = 60;

async fn refused(world: &World, reference: &str, verb: &str, body: Value, status: u16, code: &str) {
    let answer = world.command(&format!("/incidents/{reference}/{verb}"), body.clone()).await;
    assert_eq!((answer.status, answer.body["code"].as_str()), (status, Some(code)), "{verb} {body}: {}", answer.text);
}

/// How often somebody was told this.
fn times(world: &World, who: &str, words: &str) -> usize {
    world.hook.told(who).iter().filter(|told| told.page()["text"].as_str().is_some_and(|text| text.contains(words))).count()
}

/// An incident that ana has.
async fn taken(world: &mut World) -> String {
    world.fire("disk").await;
    let reference = world.incident().await["ref"].as_str().unwrap().to_owned();
    let path = world.hook.to("ana")[0].ack_path();
    world.press(&path).await.ok();
    world.quiet().await;
    reference
}

async fn a_decision_says_between_what_and_is_looked_at_again_when_its_time_comes(database: Database) {
    let mut world = world_of(database, org::usual()).await;
    let reference = taken(&mut world).await;
    let after = world
        .act(
            &reference,
            "decision",
            json!({"text": "fail over", "question": "Wait, or fail over?", "options": "wait\n\n  fail over ", "decided_by": "ben",
            "reversible": false, "review_within": "30m"}),
        )
        .await;
    let made = &after["decisions"][0];
    assert_eq!((&made["decision"], &made["by"], &made["stands"], &made["due"]), (&json!(1), &json!("ben"), &json!(true), &json!(false)));
    assert_eq!((&made["options"], &made["reversible"]), (&json!(["wait", "fail over"]), &json!(false)), "a blank line is no option");
    let page = get_as(&world, &sign_in_as(&world, "cho").await, &format!("/incidents/{reference}?tab=more")).await.text;
    assert!(page.contains("Wait, or fail over?") && page.contains("Of: ") && page.contains("cannot be undone"), "{page}");

    // Its time comes once, for whoever decided and for who leads; nobody is paged for it.
    let paged = world.hook.to("ben").len();
    world.advance(29 * MINUTE).await;
    assert_eq!(times(&world, "ben", "look at decision 1 again"), 0, "not before its time");
    world.advance(2 * MINUTE).await;
    for who in ["ana", "ben"] {
        assert_eq!(times(&world, who, "It is time to look at decision 1 again. Does it stand? fail over"), 1, "{who}");
    }
    assert_eq!(world.hook.to("ben").len(), paged);
    world.advance(60 * MINUTE).await;
    assert_eq!(times(&world, "ben", "look at decision 1 again"), 1, "once");
    let page = get_as(&world, &sign_in_as(&world, "ana").await, &format!("/incidents/{reference}")).await.text;
    assert!(page.contains("Look at it again: <span class=\"late\">now"), "{page}");

    // It stands, and is looked at once more; then it does not.
    let again = json!({"decision": 1, "outcome": "stands", "note": "the first site is dark", "review_within": "10m"});
    assert_eq!(world.act(&reference, "revisit", again).await["decisions"][0]["due"], false);
    world.advance(11 * MINUTE).await;
    assert_eq!(times(&world, "ben", "look at decision 1 again"), 2);
    let gone = json!({"decision": 1, "outcome": "withdrawn", "note": "it is repaired"});
    assert_eq!(world.act(&reference, "revisit", gone.clone()).await["decisions"][0]["stands"], false);
    refused(&world, &reference, "revisit", gone, 409, "decision_withdrawn").await;
    refused(&world, &reference, "revisit", json!({"decision": 7, "outcome": "stands"}), 404, "no_such_decision").await;
    refused(&world, &reference, "decision", json!({"text": "x", "review_at": "2026-01-01T00:00:00Z"}), 422, "in_the_past").await;
    let many = vec!["one"; 13].join("\n");
    refused(&world, &reference, "decision", json!({"text": "x", "options": many}), 409, "too_many_decisions").await;
    refused(&world, &reference, "decision", json!({"text": "x", "decided_by": "nobody-here"}), 404, "no_such_person").await;

    // What is over is not looked at; what opens again is.
    world.act(&reference, "decision", json!({"text": "stay there", "review_within": "1h"})).await;
    world.act(&reference, "resolve", json!({})).await;
    world.advance(90 * MINUTE).await;
    assert_eq!(times(&world, "ana", "look at decision 2 again"), 0);
    let printed = world.cli(&["show", &reference]).await;
    assert!(printed.code == 0 && printed.stdout.contains("stay there"), "{printed:?}");
}

async fn what_was_tried_and_why_it_was_given_up_stands_for_whoever_joins_late(database: Database) {
    let mut world = world_of(database, org::usual()).await;
    let reference = taken(&mut world).await;
    for text in ["the disk is full", "release 4.18 breaks the retry 🧨"] {
        world.act(&reference, "hypothesis", json!({"text": text})).await;
    }
    world.act(&reference, "hypothesis", json!({"hypothesis": 1, "tried": "df", "result": "12 % used"})).await;
    let ran = world.cli(&["hypothesis", "tried", &reference, "2", "rolled one node back"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let ran = world.cli(&["hypothesis", "reject", &reference, "1"]).await;
    assert!(ran.code != 0 && ran.stderr.contains("why"), "a reason is needed: {ran:?}");
    assert_eq!(world.cli(&["hypothesis", "reject", &reference, "1", "--why", "there is room"]).await.code, 0);
    let after = world.act(&reference, "hypothesis", json!({"hypothesis": 2, "state": "confirmed", "why": "three nodes, each time"})).await;
    let known = &after["hypotheses"];
    assert_eq!((&known[0]["state"], &known[1]["state"]), (&json!("rejected"), &json!("confirmed")), "{known:#}");
    assert_eq!((&known[0]["tries"][0]["result"], &known[1]["tries"][0]["result"]), (&json!("12 % used"), &Value::Null));
    refused(&world, &reference, "hypothesis", json!({"hypothesis": 2, "state": "confirmed", "why": "again"}), 409, "hypothesis_is_so")
        .await;
    refused(&world, &reference, "hypothesis", json!({"hypothesis": 9, "tried": "x"}), 404, "no_such_hypothesis").await;
    refused(&world, &reference, "hypothesis", json!({"text": "x", "hypothesis": 1}), 400, "bad_request").await;
    let page = get_as(&world, &sign_in_as(&world, "cho").await, &format!("/incidents/{reference}?tab=more")).await.text;
    let section = page.split("What may be the cause").nth(1).unwrap();
    let (kept, given_up) = section.split_once("Given up: 1").unwrap();
    assert!(kept.contains("breaks the retry 🧨") && kept.contains("rolled one node back") && kept.contains("no result yet"), "{kept}");
    assert!(given_up.contains("the disk is full") && given_up.contains("there is room"), "{given_up}");
}

/// Twenty organisations with requests of the longest kind, a hundred people to choose from, and as many decisions and
/// suppositions as there may be.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_incident_with_everything_in_use_is_a_light_page() {
    let mut organisation = org::usual();
    let people: String = (0..100).map(|n| format!("  - {{id: person{n}, name: Person with a name {n}}}\n")).collect();
    organisation = organisation.replacen("people:\n", &format!("people:\n{people}"), 1);
    organisation.push_str("organisations:\n");
    for n in 0..20 {
        organisation.push_str(&format!("  - {{id: org{n}, name: Organisation {n}, kind: agency}}\n"));
    }
    let mut world = world_of(Database::Sqlite, organisation).await;
    let reference = taken(&mut world).await;
    let long = "a word of it ".repeat(150);
    for n in 0..40 {
        let (to, text) = (format!("org{}", n % 20), long.clone());
        world.command(&format!("/incidents/{reference}/request"), json!({"organisation": to, "text": text})).await.ok();
    }
    for n in 1..=50 {
        let post = async |body: Value| world.command(&format!("/incidents/{reference}/hypothesis"), body).await.ok();
        post(json!({"text": &long[..900]})).await;
        post(json!({"hypothesis": n, "tried": &long[..900], "result": &long[..900]})).await;
        if n > 25 {
            post(json!({"hypothesis": n, "state": "rejected", "why": &long[..900]})).await;
        }
    }
    for _ in 0..100 {
        let options = [&long[..190]; 12].join("\n");
        let body = json!({"text": long, "question": &long[..400], "options": options, "review_within": "4h"});
        world.command(&format!("/incidents/{reference}/decision"), body).await.ok();
    }
    world.quiet().await;
    refused(&world, &reference, "decision", json!({"text": "one more"}), 409, "too_many_decisions").await;
    refused(&world, &reference, "hypothesis", json!({"text": "one more"}), 409, "too_many_hypotheses").await;
    let cookie = sign_in_as(&world, "cho").await;
    let page = get_as(&world, &cookie, &format!("/incidents/{reference}?tab=more")).await.text;
    let light = world.api(&format!("/incidents/{reference}")).await.to_string().len();
    // The log's own lines are as long as what was written.
    let log = page.split("data-live=\"log\"").nth(1).unwrap().split("data-live=\"pages\"").next().unwrap();
    let beside = page.len() - log.len();
    assert!(beside < PAGE_BYTES_MAX, "{beside} bytes beside the log; over the API {light}");
    // What is not drawn with it is a press away.
    assert!(page.contains("do=hypothesis-16#hypothesis-16") && page.contains("do=party-org9#party-org9"), "{page}");
    let asked = get_as(&world, &cookie, &format!("/incidents/{reference}?tab=people&do=party-org9")).await.text;
    let row = asked.split("id=\"party-org9\"").nth(1).unwrap().split("id=\"party-").next().unwrap();
    assert!(row.contains("Make a guest link") && !page.split("id=\"party-org9\"").nth(1).unwrap()[..2000].contains("Make a guest link"));
}
