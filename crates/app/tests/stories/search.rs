//! Searching by words of a title: from the API and from a terminal, and not what somebody may not see.

use allclear_trial::world::items;
use allclear_trial::{Database, World};
use serde_json::{Value, json};

use crate::{on_both, world_of};

on_both!(an_incident_is_found_by_words_of_its_title_by_whoever_may_see_it);

fn organisation() -> String {
    "people:\n  - {id: ana, name: Ana}\n  - {id: ben, name: Ben}\n  - {id: gus, name: Gus, access: guest}\n\
     services:\n  - {id: checkout, name: Checkout}\n"
        .to_owned()
}

/// Titles that a query of the list gives to whoever holds a token.
async fn titles(world: &World, token: &str, query: &str) -> (Vec<String>, Value) {
    let answer = world.send(world.client.get(world.at(&format!("/api/v1/incidents?{query}"))).bearer_auth(token)).await;
    assert_eq!(answer.status, 200, "{query}: {}", answer.text);
    (items(&answer.body).iter().map(|one| one["title"].as_str().unwrap().to_owned()).collect(), answer.body["next"].clone())
}

async fn an_incident_is_found_by_words_of_its_title_by_whoever_may_see_it(database: Database) {
    let world = world_of(database, organisation()).await;
    let mut tokens = Vec::new();
    for person in ["ana", "ben", "gus"] {
        let made = world.command("/tokens", json!({"name": person, "scope": "respond", "person": person})).await.ok().body;
        tokens.push(made["token"].as_str().unwrap().to_owned());
    }
    let [ana, ben, gus] = [&tokens[0], &tokens[1], &tokens[2]];
    let mut references = Vec::new();
    for (title, private) in
        [("Überlast der Datenbank", false), ("Die nächste ÜBERLAST", false), ("Überlast, geheim", true), ("Stau in der Straße", false)]
    {
        let made = world.command("/incidents", json!({"title": title, "private": private, "page": false})).await.ok().body;
        references.push(made["ref"].as_str().unwrap().to_owned());
    }
    world.command(&format!("/incidents/{}/admit", references[2]), json!({"person": "ana"})).await.ok();
    world.command(&format!("/incidents/{}/admit", references[0]), json!({"person": "gus"})).await.ok();
    world.command(&format!("/incidents/{}/resolve", references[0]), json!({})).await.ok();

    // Whatever the case, the newest first, and only what its reader may see.
    let all = ["Überlast, geheim", "Die nächste ÜBERLAST", "Überlast der Datenbank"];
    for words in ["q=%C3%BCBERLAST", "q=%20%C3%BCberlast%20"] {
        assert_eq!(titles(&world, ana, words).await.0, all);
        assert_eq!(titles(&world, ben, words).await.0, all[1..], "who was not admitted finds nothing of it");
        assert_eq!(titles(&world, gus, words).await.0, all[2..], "a guest finds what they were admitted to");
    }
    assert_eq!(titles(&world, ben, "q=geheim").await.0, [""; 0]);
    assert_eq!(titles(&world, ben, "q=STRASSE").await.0, ["Stau in der Straße"]);
    assert_eq!(titles(&world, ben, "q=der%20stra%C3%9Fe").await.0, ["Stau in der Straße"]);
    // With what else narrows a list, and page by page.
    assert_eq!(titles(&world, ana, "q=%C3%BCberlast&open=true").await.0, all[..2]);
    assert_eq!(titles(&world, ana, "q=%C3%BCberlast&service=checkout").await.0, [""; 0]);
    let (first, next) = titles(&world, ben, "q=%C3%BCberlast&limit=1").await;
    let (second, _) = titles(&world, ben, &format!("q=%C3%BCberlast&limit=1&cursor={}", next.as_str().unwrap())).await;
    assert_eq!([first, second].concat(), all[1..]);

    // From a terminal: ended ones as well, unless only open ones are asked for.
    let list = async |args: &[&str]| {
        let ran = world.cli(&[&["list"], args].concat()).await;
        assert_eq!(ran.code, 0, "{args:?}: {}", ran.stderr);
        let found: Vec<bool> = references.iter().map(|reference| ran.stdout.contains(&format!("{reference} "))).collect();
        <[bool; 4]>::try_from(found).unwrap()
    };
    assert_eq!(list(&["--search", "üBERLAST"]).await, [true, true, true, false]);
    assert_eq!(list(&["--search", "überlast", "--open"]).await, [false, true, true, false]);
    assert_eq!(list(&["--search", "überlast", "--state", "resolved"]).await, [true, false, false, false]);
    assert_eq!(list(&[]).await, [false, true, true, true]);
    assert_eq!(list(&["--open"]).await, [false, true, true, true]);
    assert_eq!(list(&["--search", "nirgends"]).await, [false; 4]);
    let refused = world.cli(&["list", "--search", " "]).await;
    assert!(refused.code != 0 && refused.stderr.contains("`q` has no words"), "{}", refused.stderr);
}
