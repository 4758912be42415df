//! Roles are positions: the catalogue says what each does, from when on somebody has to have it and who is asked, and whoever
//! takes one sees what it asks of them.

use allclear_trial::{Database, World, org};
use serde_json::{Value, json};

use crate::sign_in::{get_as, sign_in_as};
use crate::{on_both, world_of};

on_both!(
    a_role_that_is_needed_is_offered_at_declaring_and_calls_the_managers_when_nobody_takes_it,
    whoever_takes_a_role_sees_its_card_and_is_warned_of_what_is_too_much,
);

/// Seconds of a minute.
const MINUTE: u64 = 60;

const ROLES: &str = r#"
roles:
  - {id: scribe, needed_from: sev2, within: 7m, from: "person:ben"}
  - {id: medic, name: Medical lead, duties: [Count the beds, {text: Say that you have it, when: first}], exclusive: true, needed_from: sev1, deputy: liaison, relief_after: 20m}
"#;

fn organisation() -> String {
    [&org::usual(), ROLES].concat()
}

/// What somebody was told, asked nothing, that says these words.
fn told(world: &World, who: &str, words: &str) -> Vec<String> {
    let texts = world.hook.told(who).into_iter().map(|d| d.page()["text"].as_str().unwrap_or_default().to_owned());
    texts.filter(|text| text.contains(words)).collect()
}

/// Until when somebody is looked for who takes a role; nothing where nobody is.
async fn looked_for(world: &World, reference: &str, role: &str) -> Option<String> {
    let all = world.api(&format!("/incidents/{reference}/expectations")).await;
    let key = format!("needed:{role}");
    let mut live = all["items"].as_array().unwrap().iter().filter(|one| one["key"] == key.as_str() && one["state"] == "live");
    let due = live.next().map(|one| one["due_at"].as_str().unwrap().to_owned());
    assert!(live.next().is_none(), "it is awaited once: {all:#}");
    due
}

async fn a_role_that_is_needed_is_offered_at_declaring_and_calls_the_managers_when_nobody_takes_it(database: Database) {
    let mut world = world_of(database, organisation()).await;
    world.fire("disk").await;
    let incident = world.incident().await;
    assert_eq!(incident["severity"], "sev2", "{incident:#}");
    let reference = incident["ref"].as_str().unwrap().to_owned();
    let needed = world.bodies(&incident, "roles_needed").await;
    assert_eq!(needed.len(), 1);
    assert_eq!(needed[0]["added"], json!([{"role": "scribe", "within": "7m"}]), "{needed:#?}");
    let asked = told(&world, "ben", "scribe");
    assert_eq!(asked.len(), 1, "whom the catalogue names is asked: {asked:?}");
    assert!(asked[0].contains("it is needed here") && asked[0].contains("First: Say that you write"), "with what comes first: {asked:?}");
    assert!(looked_for(&world, &reference, "scribe").await.is_some() && looked_for(&world, &reference, "medic").await.is_none());

    world.press(&world.hook.to("ana")[0].ack_path()).await.ok();
    let page = get_as(&world, &sign_in_as(&world, "ana").await, &format!("/incidents/{reference}?tab=people")).await.text;
    assert!(page.contains("aria-label=\"Take it: scribe\""), "what is needed and nobody has is taken by one press: {page}");
    let give = page.split("Give a role</summary>").nth(1).unwrap().split("</select>").next().unwrap();
    assert_eq!(give.split("<option value=\"").nth(1).unwrap().split('"').next(), Some("scribe"), "and stands first: {give}");
    world.advance(6 * MINUTE + 40).await;
    assert_eq!(world.bodies(&incident, "role_unfilled").await.len(), 0, "seven minutes are not over");
    world.advance(30).await;
    assert_eq!(world.bodies(&incident, "role_unfilled").await, [json!({"role": "scribe"})]);
    let managers = world.hook.to("cho");
    assert_eq!(managers.len(), 1, "nobody writes: the team's manager is paged");
    assert!(looked_for(&world, &reference, "scribe").await.is_some(), "of something grave it is looked for again");

    world.act(&reference, "role", json!({"role": "scribe", "person": "ben", "do": "take", "why": "he sits beside me"})).await;
    assert!(looked_for(&world, &reference, "scribe").await.is_none(), "ben writes");
    let pages = world.api(&format!("/incidents/{reference}/pages")).await;
    let about =
        pages["items"].as_array().unwrap().iter().find(|page| page["because"].as_str().unwrap_or_default().contains("scribe")).cloned();
    assert_eq!(about.unwrap()["status"], "stopped", "nobody is woken for it any more: {pages:#}");

    // Who was asked by whom, and what became of it, is one list.
    let roll = world.api(&format!("/incidents/{reference}/roll")).await;
    let of = |who: &str| roll["items"].as_array().unwrap().iter().find(|one| one["person"] == who).cloned().unwrap();
    assert_eq!(
        (&of("ana")["paged"], of("ana")["acknowledged_at"].is_string(), &of("ana")["roles"]),
        (&json!(true), true, &json!(["commander"]))
    );
    assert_eq!(
        (&of("ben")["because"], &of("ben")["roles"], &of("ben")["left_at"]),
        (&json!("to be scribe"), &json!(["scribe"]), &Value::Null)
    );
    assert_eq!((&of("cho")["paged"], &of("cho")["joined_at"]), (&json!(true), &Value::Null), "{roll:#}");
    let printed = world.cli(&["roll", &reference]).await;
    assert!(printed.code == 0 && printed.stdout.contains("to be scribe") && printed.stdout.contains("joined"), "{printed:?}");
    let page = get_as(&world, &sign_in_as(&world, "ana").await, &format!("/incidents/{reference}?tab=people")).await.text;
    assert!(page.contains("Roll call") && page.contains("to be scribe"), "the page has it too");

    // Whoever is asked to take a role over reads what they have to know.
    world.act(&reference, "decision", json!({"text": "Fail over to the second site"})).await;
    world.act(&reference, "task", json!({"text": "Call the bank"})).await;
    world.act(&reference, "role", json!({"role": "commander", "person": "cho", "do": "offer"})).await;
    let page = get_as(&world, &sign_in_as(&world, "cho").await, &format!("/incidents/{reference}?tab=people")).await.text;
    let (above, _) = page.split_once("class=\"tabs\"").expect("the page has tabs");
    assert!(above.contains("You are asked to take <bdi>command</bdi>") && above.contains("#briefing"), "{above}");
    assert!(above.contains("aria-label=\"Accept: command\"") && !page.contains("Take it: scribe"), "{above}");
    let briefing =
        page.split("data-key=\"briefing\" open").nth(1).expect("it is open for whoever is asked").split("</details>").next().unwrap();
    for words in ["What happened", "Fail over to the second site", "nobody yet", "Call the bank", "Promised and awaited", "To watch"] {
        assert!(briefing.contains(words), "{words} is not in the briefing: {briefing}");
    }
    let told = world.api(&format!("/incidents/{reference}/briefing")).await;
    assert_eq!((told["tasks"][0]["text"].as_str(), told["decisions"].as_array().unwrap().len()), (Some("Call the bank"), 1), "{told:#}");
    assert!(told["risks"].to_string().contains("Task 1 is nobody"), "{told:#}");
    let printed = world.cli(&["briefing", &reference]).await;
    assert!(
        printed.code == 0 && printed.stdout.contains("\nDecided\n") && printed.stdout.contains("  nobody: Call the bank"),
        "{printed:?}"
    );

    // What gets worse needs more; what gets better needs less, and what ends needs nobody.
    world.act(&reference, "severity", json!({"severity": "sev1", "why": "it spreads"})).await;
    assert!(looked_for(&world, &reference, "medic").await.is_some() && looked_for(&world, &reference, "scribe").await.is_none());
    world.act(&reference, "severity", json!({"severity": "sev3", "why": "it is one rack"})).await;
    assert!(looked_for(&world, &reference, "medic").await.is_none());
    world.act(&reference, "role", json!({"role": "scribe", "do": "leave", "why": "it is calm"})).await;
    assert!(looked_for(&world, &reference, "scribe").await.is_none(), "a sev3 asks for none");
    assert_eq!(world.bodies(&incident, "roles_needed").await.len(), 3, "at declaring, and at each change");
}

/// A role of an incident, as the API answers it.
fn role_of(incident: &Value, role: &str) -> Value {
    incident["roles"].as_array().unwrap().iter().find(|one| one["role"] == role).cloned().unwrap_or_default()
}

async fn whoever_takes_a_role_sees_its_card_and_is_warned_of_what_is_too_much(database: Database) {
    let mut world = world_of(database, organisation()).await;
    let declare = async |title: &str, severity: &str| -> String {
        let body = json!({"title": title, "service": "checkout", "severity": severity, "page": false});
        world.command("/incidents", body).await.ok().body["ref"].as_str().unwrap().to_owned()
    };
    let (one, other) = (declare("The disk is full", "sev3").await, declare("The line is cut", "sev3").await);
    let take = |role: &str| json!({"role": role, "person": "ana", "do": "take", "why": "she knows it"});
    let first = world.act(&one, "role", take("commander")).await;
    assert_eq!((&role_of(&first, "commander")["warnings"], &role_of(&first, "commander")["name"]), (&Value::Null, &json!("Commander")));
    // Nobody is refused: who decides it is told.
    let second = world.act(&other, "role", take("commander")).await;
    assert_eq!(role_of(&second, "commander")["warnings"], json!([format!("Ana Ruiz is commander of {one} as well")]), "{second:#}");
    let card = role_of(&second, "commander")["duties"].clone();
    assert_eq!(card[0], json!({"text": "Say that you command, and who else has a role", "when": "first"}), "{card:#}");

    let taken = world.cli(&["role", &other, "medic", "--person", "ana", "--do", "take", "--why", "she is there"]).await;
    let lines =
        ["  warning: Ana Ruiz is commander of INC-1 as well\n", "  First: Say that you have it\n", "  All the time: Count the beds\n"];
    assert!(taken.code == 0 && lines.iter().all(|line| taken.stdout.contains(line)), "{taken:?}");
    let shown = world.cli(&["show", &one]).await;
    assert!(shown.stdout.contains(&format!("warning: Ana Ruiz is medic of {other} as well")), "{shown:?}");

    let page = get_as(&world, &sign_in_as(&world, "ana").await, &format!("/incidents/{other}?tab=people")).await.text;
    for words in ["Medical lead", "What to do", "Count the beds", "Note: ", &format!("Ana Ruiz is commander of {one} as well")] {
        assert!(page.contains(words), "{words} is not on the page");
    }
    world.advance(21 * MINUTE).await;
    let late = world.api(&format!("/incidents/{other}")).await;
    let warned = role_of(&late, "medic")["warnings"].to_string();
    assert!(warned.contains("Ana Ruiz has been medic for 21m: relief is due after 20m"), "{warned}");
    assert_eq!(told(&world, "ana", "Relief is due: ask somebody to take over").len(), 1, "whoever has it is reminded");
    world.advance(20 * MINUTE).await;
    assert_eq!(world.bodies(&late, "relief_due").await.len(), 2, "and again each time");
    world.act(&other, "role", json!({"role": "medic", "do": "leave", "why": "she is tired"})).await;
    world.advance(25 * MINUTE).await;
    assert_eq!(world.bodies(&late, "relief_due").await.len(), 2, "she has it no more");
}
