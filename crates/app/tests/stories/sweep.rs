//! Whatever is marked, and whoever asks wherever: nobody reads above what they may. Every address that can be looked at is asked by
//! everybody there is, guests with the token of their link included.

use allclear_trial::webhook_sink::path_of;
use allclear_trial::{Database, World};
use reqwest::Method;
use serde_json::json;

use crate::private::{Ids, alarm, everything, filled, finish, operations, organisation};
use crate::sign_in::{post_form, sign_in_as};
use crate::{on_both, world_of};

on_both!(nothing_that_is_marked_is_read_above_its_marking_by_whomever_wherever);

/// Levels of the Traffic Light Protocol, and the organisation that may be told so much.
const LEVELS: [&str; 5] = ["clear", "green", "amber", "amber+strict", "red"];

/// One organisation of each level beside the house.
fn house() -> String {
    let mut text = organisation();
    text.push_str("organisations:\n");
    for (at, level) in LEVELS.iter().enumerate() {
        text.push_str(&format!(
            "  - {{id: org{at}, name: Organisation {at}, kind: partner, tlp: \"{level}\", contacts: [{{id: hook, webhook: \"{{HOOK}}/org{at}\", secret: \"{{SECRET}}\"}}]}}\n"
        ));
    }
    text
}

fn word(level: usize) -> String {
    format!("marked{level}word")
}

/// Writes what is of each level, and one thing that nobody marked, into an incident that is marked amber.
async fn written(world: &World, ids: &Ids) -> Vec<String> {
    let reference = &ids.reference;
    world.act(reference, "note", json!({"text": "unmarkedword"})).await;
    let mut links = Vec::new();
    for at in 0..LEVELS.len() {
        let made = world.act(reference, "guest", json!({"organisation": format!("org{at}"), "within": "2h"})).await;
        links.push(path_of(made["guest_url"].as_str().unwrap()));
        world.act(reference, "request", json!({"organisation": format!("org{at}"), "text": format!("asked{at}word")})).await;
        world.act(reference, "want", json!({"what": format!("wanted{at}word"), "organisation": format!("org{at}")})).await;
    }
    for (at, level) in LEVELS.iter().enumerate() {
        world.act(reference, "note", json!({"text": word(at), "marking": level})).await;
    }
    links
}

async fn nothing_that_is_marked_is_read_above_its_marking_by_whomever_wherever(database: Database) {
    let world = world_of(database, house()).await;
    let ids = alarm(&world, "titleword", false).await;
    let mut over = alarm(&world, "another matter", false).await;
    let links = written(&world, &ids).await;
    finish(&world, &mut over).await;
    let (mut looks, mut found) = (0, 0);

    // Of the house: red is for those who lead, and everything else for all who see it.
    for (who, leads, sees) in [
        ("obs", false, true),
        ("ben", false, true),
        ("dan", false, true),
        ("eve", false, true),
        ("cho", true, true),
        ("adm", true, true),
        ("gus", false, false),
    ] {
        let cookie = sign_in_as(&world, who).await;
        let said = everything(&world, &cookie, &ids).await;
        for (path, text) in &said {
            looks += 1;
            if !leads {
                assert!(!text.contains(&word(4)), "{who} reads what is red at {path}");
            }
            if !sees {
                for hidden in ["titleword", "unmarkedword", "asked0word", "wanted0word", &word(0)] {
                    assert!(!text.contains(hidden), "{who} reads {hidden} at {path}");
                }
            }
            found += usize::from(text.contains(&word(4)));
        }
        let events = &said[&format!("/api/v1/incidents/{}/events", ids.reference)];
        assert_eq!((events.contains(&word(3)), events.contains(&word(4))), (sees, leads), "{who}");
    }
    assert!(found >= 4, "those who lead do read it: {found}");

    // Organisations: behind their link what their level allows, their own requests and what they send, and nothing by it elsewhere.
    for (at, link) in links.iter().enumerate() {
        let page = world.get(link).await.ok().text;
        looks += 1;
        for other in 0..LEVELS.len() {
            assert_eq!(page.contains(&word(other)), other <= at, "level {at} and what is of level {other}: {page}");
            assert_eq!(page.contains(&format!("asked{other}word")), other == at, "{at} {other}");
            assert_eq!(page.contains(&format!("wanted{other}word")), other == at, "{at} {other}");
        }
        assert!(!page.contains("unmarkedword") && !page.contains("titleword"), "nobody marked that: {page}");
        let token = link.trim_start_matches("/guest/");
        for (method, path) in operations(&world).await {
            let path = filled(&path, &ids);
            let answer = world.client.request(method.clone(), world.at(&path)).bearer_auth(token).json(&json!({})).send().await.unwrap();
            assert_eq!(answer.status().as_u16(), 401, "{method} {path} with the token of a link");
            looks += 1;
        }
        for path in ["/", "/?wall", "/me", "/outbox", "/settings", &format!("/incidents/{}", ids.reference), &format!("/a/{token}")] {
            let answer = world.client.request(Method::GET, world.at(path)).bearer_auth(token).send().await.unwrap();
            let text = answer.text().await.unwrap();
            assert!(!text.contains("titleword") && !text.contains("word</"), "{path} with the token of a link: {text}");
            looks += 1;
        }
        // What is another's is not theirs to answer or to send.
        for other in (1..=LEVELS.len()).filter(|other| *other != at + 1) {
            let number = other.to_string();
            for (deed, fields) in [
                ("acknowledge", vec![("request", number.as_str())]),
                ("answer", vec![("request", &number), ("text", "mine")]),
                ("decline", vec![("request", &number)]),
                ("resource", vec![("resource", &number), ("state", "arrived")]),
            ] {
                let answer = post_form(&world, &format!("{link}/{deed}"), None, &fields).await;
                assert!(answer.status >= 400, "{deed} {number} by {at}: {}", answer.status);
                looks += 1;
            }
        }
    }
    let now = world.api(&format!("/incidents/{}", ids.reference)).await;
    assert!(now["requests"].as_array().unwrap().iter().all(|one| one["state"] == "asked"), "{now:#}");
    assert!(now["resources"].as_array().unwrap().iter().all(|one| one["state"] == "wanted"), "{now:#}");

    // Made private, it tells outside no more than what each was asked and is to send.
    world.act(&ids.reference, "restrict", json!({"why": "it concerns a person"})).await;
    for (at, link) in links.iter().enumerate() {
        let page = world.get(link).await.ok().text;
        looks += 1;
        for other in 0..LEVELS.len() {
            assert!(!page.contains(&word(other)), "{at} {other}: {page}");
            assert_eq!(page.contains(&format!("asked{other}word")), other == at, "{at} {other}");
        }
    }
    println!("{looks} looks, and no word above its level");
    assert!(looks > 500, "{looks}");
}
