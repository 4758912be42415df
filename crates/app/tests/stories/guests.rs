//! What is marked goes no further than its marking, and a guest link shows one organisation its part of one incident until it
//! expires or is revoked; what is done behind it stands in the log in the organisation's name.

use allclear_trial::webhook_sink::path_of;
use allclear_trial::{Database, World, org};
use serde_json::json;

use crate::sign_in::{get_as, post_form, sign_in_as};
use crate::{begun, on_both, world_of};

on_both!(
    a_guest_sees_what_its_level_allows_and_acts_in_its_own_name,
    a_guest_link_ends_and_leads_nowhere_else,
    a_link_of_what_is_over_takes_nothing_and_still_ends,
    what_is_red_is_read_by_those_who_lead_alone,
);

/// Largest page behind a guest link, in bytes.
const PAGE_BYTES_MAX: usize = 10 * 1024;

const ORGANISATIONS: &str = r#"
severities: [{id: sev2, update_every: 0s, acknowledgement_lasts: never}]
organisations:
  - {id: cert, name: National CERT, kind: agency, tlp: amber, contacts: [{id: hook, webhook: "{HOOK}/cert", secret: "{SECRET}"}]}
  - {id: telco, name: Telco, kind: vendor, contacts: [{id: hook, webhook: "{HOOK}/telco", secret: "{SECRET}"}]}
"#;

fn organisation() -> String {
    [&org::usual(), ORGANISATIONS].concat()
}

/// Makes a link; its path.
async fn link(world: &World, reference: &str, organisation: &str, within: &str) -> String {
    let made = world.act(reference, "guest", json!({"organisation": organisation, "within": within})).await;
    path_of(made["guest_url"].as_str().unwrap_or_else(|| panic!("the answer has the link: {made:#}")))
}

async fn a_guest_sees_what_its_level_allows_and_acts_in_its_own_name(database: Database) {
    let world = world_of(database, organisation()).await;
    let reference = begun(&world, "title-secret").await;
    world.act(&reference, "note", json!({"text": "unmarked-secret"})).await;
    let path = link(&world, &reference, "cert", "2h").await;
    let page = world.get(&path).await.ok().text;
    assert!(page.contains("National CERT") && page.contains(&reference), "{page}");
    for secret in ["title-secret", "unmarked-secret"] {
        assert!(!page.contains(secret), "what nobody marked stays in the house: {page}");
    }
    assert!(world.api(&format!("/incidents/{reference}")).await["guest_url"].is_null(), "the link is shown once");

    // From then on what the incident is may go as far as amber; what was written before keeps its marking.
    world.act(&reference, "marking", json!({"marking": "amber", "why": "they help"})).await;
    for (text, marking) in [("clear-words", "clear"), ("green-words", "green"), ("strict-secret", "amber+strict"), ("red-secret", "red")] {
        world.act(&reference, "note", json!({"text": text, "marking": marking})).await;
    }
    world.act(&reference, "note", json!({"text": "amber-words"})).await;
    world.act(&reference, "request", json!({"organisation": "telco", "text": "request-secret", "marking": "amber+strict"})).await;
    world
        .act(&reference, "request", json!({"organisation": "cert", "text": "Who else has it?", "within": "30m", "marking": "amber+strict"}))
        .await;
    let asked = world.hook.told("cert");
    assert_eq!(path_of(asked[0].page()["incident"]["url"].as_str().unwrap()), path, "the message leads there");
    let page = world.get(&path).await.ok().text;
    for words in ["title-secret", "clear-words", "green-words", "amber-words", "Who else has it?", "Acknowledge"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    for secret in ["unmarked-secret", "strict-secret", "red-secret", "request-secret"] {
        assert!(!page.contains(secret), "{secret}: {page}");
    }
    assert!(page.len() <= PAGE_BYTES_MAX, "{} bytes", page.len());
    // Another one sees no more than anybody may know.
    let other = world.get(&link(&world, &reference, "telco", "2h").await).await.ok().text;
    assert!(other.contains("clear-words") && other.contains("request-secret"), "its own request it reads: {other}");
    for secret in ["title-secret", "green-words", "amber-words", "Who else has it?", "strict-secret", "red-secret"] {
        assert!(!other.contains(secret), "{secret}: {other}");
    }

    for (deed, fields) in [
        ("acknowledge", vec![("request", "2")]),
        ("answer", vec![("request", "2"), ("text", "Two hospitals"), ("reference", "C-77")]),
        ("say", vec![("text", "We send somebody")]),
    ] {
        assert_eq!(post_form(&world, &format!("{path}/{deed}"), None, &fields).await.status, 303, "{deed}");
    }
    world.quiet().await;
    let incident = world.incident().await;
    for kind in ["request_acknowledged", "request_answered", "party_said"] {
        let events = world.events(&incident).await;
        let event = events.iter().find(|event| event["kind"] == kind).unwrap_or_else(|| panic!("no {kind}"));
        assert_eq!((event["actor"].as_str(), event["cause"].as_str()), (Some("organisation:cert"), Some("guest")), "{event:#}");
    }
    let shown = get_as(&world, &sign_in_as(&world, "ana").await, &format!("/incidents/{reference}")).await.text;
    assert!(shown.contains("by <bdi>National CERT, by its guest link</bdi>") && !shown.contains("an API token"), "{shown}");
    let texts: Vec<String> = world.hook.told("ana").iter().map(|d| d.page()["text"].as_str().unwrap_or_default().to_owned()).collect();
    assert!(texts.iter().any(|text| text.contains("National CERT has answered request 2: Two hospitals")), "{texts:?}");
    assert!(texts.iter().any(|text| text.contains("National CERT writes: We send somebody")), "{texts:?}");
    let page = world.get(&path).await.ok().text;
    assert!(page.contains("Two hospitals") && page.contains("We send somebody"), "{page}");

    for n in 0..12 {
        world.act(&reference, "note", json!({"text": format!("{n} {}", "long words ".repeat(180)), "marking": "clear"})).await;
        world.act(&reference, "request", json!({"organisation": "cert", "text": format!("{n} {}", "long words ".repeat(180))})).await;
    }
    let full = world.get(&path).await.ok().text.len();
    assert!(full <= PAGE_BYTES_MAX, "{full} bytes of the longest");

    // A refusal keeps what was typed; what is another's, or was withdrawn by its asker alone, is not theirs to answer.
    let refused = post_form(&world, &format!("{path}/answer"), None, &[("request", "2"), ("text", "once more")]).await;
    assert!(refused.status == 409 && refused.text.contains("This was not done"), "{} {}", refused.status, refused.text);
    let theirs = post_form(&world, &format!("{path}/decline"), None, &[("request", "1")]).await;
    assert!(theirs.status >= 400, "{}", theirs.text);
    assert_eq!(world.api(&format!("/incidents/{reference}")).await["requests"][0]["state"], "asked");
    for _ in 0..40 {
        post_form(&world, &format!("{path}/say"), None, &[("text", "again")]).await;
    }
    let too_often = post_form(&world, &format!("{path}/say"), None, &[("text", "again")]).await;
    assert_eq!(too_often.status, 429, "{}", too_often.text);
}

async fn a_guest_link_ends_and_leads_nowhere_else(database: Database) {
    let mut world = world_of(database, organisation()).await;
    let reference = begun(&world, "title-secret").await;
    let path = link(&world, &reference, "cert", "2h").await;
    let mut other = path.clone().into_bytes();
    let at = other.len() - 20;
    other[at] = if other[at] == b'A' { b'B' } else { b'A' };
    assert_eq!(world.get(&String::from_utf8(other).unwrap()).await.status, 404);
    let token = path.trim_start_matches("/guest/");
    for door in [format!("/a/{token}"), format!("/incidents/{reference}?token={token}")] {
        let answer = world.client.get(world.at(&door)).send().await.unwrap();
        let text = answer.text().await.unwrap();
        assert!(!text.contains("title-secret"), "{door}: {text}");
    }
    let with_token = world.client.get(world.at(&format!("/api/v1/incidents/{reference}"))).bearer_auth(token).send().await.unwrap();
    assert_eq!(with_token.status().as_u16(), 401);
    world.act(&reference, "guest", json!({"organisation": "cert", "state": "revoked"})).await;
    assert_eq!(world.get(&path).await.status, 410);
    assert_eq!(post_form(&world, &format!("{path}/say"), None, &[("text", "late")]).await.status, 410);
    let again = world.command(&format!("/incidents/{reference}/guest"), json!({"organisation": "cert", "state": "revoked"})).await;
    assert_eq!(again.body["code"], "no_guest_link");

    // A new one stands in the place of the one before, and whoever makes it is told so.
    let before = link(&world, &reference, "cert", "1h").await;
    let made = world.act(&reference, "guest", json!({"organisation": "cert", "within": "1h"})).await;
    assert_eq!(made["guest_replaced"], true, "{made:#}");
    let short = path_of(made["guest_url"].as_str().unwrap());
    assert_eq!((world.get(&before).await.status, world.get(&short).await.status), (410, 200));
    let lines: Vec<String> =
        world.events(&world.incident().await).await.iter().map(|event| event["line"].as_str().unwrap_or_default().to_owned()).collect();
    assert_eq!(lines.iter().filter(|line| line.contains("the one before works no more")).count(), 1, "{lines:#?}");
    world.restart_after(std::time::Duration::from_secs(60)).await;
    assert_eq!(world.get(&short).await.status, 200, "a restart changes nothing");
    world.advance(3_600).await;
    assert_eq!(world.get(&short).await.status, 410);
    let long = world.command(&format!("/incidents/{reference}/guest"), json!({"organisation": "cert", "within": "31d"})).await;
    assert_eq!(long.body["code"], "guest_link_life");
    // Who leaves sees nothing any more; by the command line, too, the link is shown once.
    let opened = world.cli(&["guest", "open", &reference, "cert"]).await;
    assert!(!opened.stdout.contains("the one before"), "{}", opened.stdout);
    let again = world.cli(&["guest", "open", &reference, "cert"]).await;
    assert!(again.stdout.contains("the one before works no more"), "{}", again.stdout);
    let opened = again;
    let url = opened.stdout.split_whitespace().find(|word| word.contains("/guest/")).unwrap_or_else(|| panic!("{}", opened.stdout));
    let path = path_of(url);
    assert_eq!(world.get(&path).await.status, 200);
    world.act(&reference, "party", json!({"organisation": "cert", "state": "left"})).await;
    assert_eq!(world.get(&path).await.status, 410);
}

async fn a_link_of_what_is_over_takes_nothing_and_still_ends(database: Database) {
    let world = world_of(database, organisation()).await;
    world.fire("title-secret").await;
    let made = world.command("/incidents", json!({"title": "another", "page": false})).await.ok();
    let into = made.body["ref"].as_str().unwrap().to_owned();
    world.quiet().await;
    let ana = sign_in_as(&world, "ana").await;
    for (end, body) in [("cancel", json!({"why": "nothing"})), ("merge", json!({"into": into})), ("close", json!({}))] {
        let made = world.command("/incidents", json!({"title": "title-secret", "page": false})).await.ok();
        let reference = made.body["ref"].as_str().unwrap().to_owned();
        world.act(&reference, "marking", json!({"marking": "amber", "why": "they help"})).await;
        world.act(&reference, "request", json!({"organisation": "cert", "text": "Who else has it?"})).await;
        let path = link(&world, &reference, "cert", "720h").await;
        let other = link(&world, &reference, "telco", "720h").await;
        assert!(world.get(&path).await.ok().text.contains("<form"), "{end}");
        if end == "close" {
            world.act(&reference, "resolve", json!({})).await;
            assert!(world.get(&path).await.ok().text.contains("<form"), "what was asked is answered still");
        }
        world.act(&reference, end, body).await;

        let page = world.get(&path).await.ok().text;
        assert!(page.contains("is over") && page.contains("title-secret") && !page.contains("<form"), "{end}: {page}");
        let late = post_form(&world, &format!("{path}/say"), None, &[("text", "words-kept")]).await;
        assert_eq!(late.status, 409, "{end}");
        assert!(late.text.contains("is over") && late.text.contains("words-kept") && !late.text.contains("inc_"), "{end}: {}", late.text);

        // Of what is over the marking is tighter, a link ends and a party leaves; none of them is new.
        world.act(&reference, "marking", json!({"marking": "amber+strict", "why": "it was too much"})).await;
        assert!(!world.get(&path).await.ok().text.contains("title-secret"), "{end}");
        for (verb, body) in [("guest", json!({"organisation": "cert"})), ("party", json!({"organisation": "cert", "reference": "C-9"}))] {
            let refused = world.command(&format!("/incidents/{reference}/{verb}"), body).await;
            assert!(
                refused.status == 409 && refused.body["code"].as_str().unwrap().starts_with("already_"),
                "{end} {verb}: {}",
                refused.text
            );
        }
        let shown = get_as(&world, &ana, &format!("/incidents/{reference}")).await.text;
        assert!(shown.contains("Revoke it") && shown.contains("They leave") && !shown.contains("Make a guest link"), "{end}: {shown}");
        world.act(&reference, "guest", json!({"organisation": "cert", "state": "revoked"})).await;
        world.act(&reference, "party", json!({"organisation": "telco", "state": "left"})).await;
        for path in [&path, &other] {
            assert_eq!(world.get(path).await.status, 410, "{end}");
        }
    }
}

async fn what_is_red_is_read_by_those_who_lead_alone(database: Database) {
    let world = world_of(database, organisation()).await;
    let reference = begun(&world, "title-secret").await;
    world.act(&reference, "note", json!({"text": "red-secret", "marking": "red"})).await;
    world.act(&reference, "update", json!({"text": "red-update", "marking": "red", "audiences": []})).await;
    let whole = world.command(&format!("/incidents/{reference}/marking"), json!({"marking": "red", "why": "x"})).await;
    assert!(whole.status >= 400, "a whole incident is private instead: {:#}", whole.body);
    world.act(&reference, "resolve", json!({})).await;
    for (person, reads) in [("ana", true), ("cho", true), ("ben", false)] {
        let cookie = sign_in_as(&world, person).await;
        for door in ["", "?key", "/review"] {
            let page = get_as(&world, &cookie, &format!("/incidents/{reference}{door}")).await.text;
            for secret in ["red-secret", "red-update"] {
                // A draft is published to everybody who sees the incident, whoever opens it.
                assert!((reads && door != "/review") || !page.contains(secret), "{person} at `{door}` reads {secret}");
            }
            assert!(!door.is_empty() || !reads || page.contains("red-secret"), "{person} leads it: {page}");
            assert!(!door.is_empty() || reads || page.contains("TLP:RED"), "{person} reads that there is something");
        }
    }
    let review = world.api(&format!("/incidents/{reference}/review")).await;
    let text = review["text"].as_str().unwrap();
    assert!(text.contains("2 marked TLP:RED, which stand in the log alone") && !text.contains("red-secret"), "{text}");
}
