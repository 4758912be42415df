//! One commands several: the parts of an incident in an order that all of them show, and people who are moved where they are needed
//! more, with what they leave behind.

use allclear_trial::world::{client, items, lines};
use allclear_trial::{Database, World, org};
use serde_json::{Value, json};

use crate::sign_in::{get_as, post_form, sign_in_as};
use crate::{on_both, world_of};

on_both!(
    the_parts_stand_in_an_order_that_all_of_them_show,
    an_order_has_no_gaps_whatever_becomes_of_its_parts,
    who_commands_says_the_order_and_nobody_else,
    somebody_is_moved_and_what_they_had_is_offered_or_waits,
    nobody_is_moved_so_that_nobody_is_called,
    what_may_not_be_moved_is_refused_with_what_would_work,
    a_part_that_is_made_private_leaves_its_place_and_is_read_by_those_who_may_see_it_alone,
    who_stands_in_for_a_commander_does_not_unseat_them,
    a_relation_that_the_side_of_the_part_did_not_agree_to_gives_nobody_command,
    moved_on_and_back_nobody_is_called_to_the_place_that_they_left,
);

/// Seconds of a minute.
const MINUTE: u64 = 60;

/// The usual people and four more, of whom two command nothing and one manages another team.
fn organisation() -> String {
    let person = |id: &str, name: &str, more: &str| {
        format!(
            "  - {{id: {id}, name: {name}{more}, contacts: [{{id: hook, webhook: \"{{HOOK}}/{id}\", secret: \"{{SECRET}}\"}}], notify: {{high: [{{contact: hook}}], low: [{{contact: hook}}]}}}}\n"
        )
    };
    let people = [person("dan", "Dan Holm", ""), person("eve", "Eve Lund", ""), person("fay", "Fay Bell", "")].concat();
    let mute = "  - {id: gil, name: Gil Hart}\n  - {id: obs, name: Obi Sato, access: observer}\n";
    let teams = "teams:\n  - {id: disks, name: Disks, members: [dan], managers: [eve]}\n";
    org::usual().replace("teams:\n", &format!("{people}{mute}{teams}"))
        + "audiences:\n  - {id: board, people: [cho]}\nseverities:\n  - {id: sev3, update_every: 30m}\n  - {id: sev5, update_every: 0s, acknowledgement_lasts: never}\n"
}

async fn declared(world: &World, title: &str, private: bool) -> String {
    let body = json!({"title": title, "service": "checkout", "severity": "sev3", "page": false, "private": private});
    let made = world.command("/incidents", body).await.ok().body;
    made["ref"].as_str().unwrap().to_owned()
}

/// One that somebody has and commands.
async fn of(world: &World, who: &str, title: &str) -> String {
    let reference = declared(world, title, false).await;
    world.act(&reference, "acknowledge", json!({"by": who})).await;
    reference
}

/// An incident that ana commands, and parts of it that ben has.
async fn family(world: &World, parts: usize) -> (String, Vec<String>) {
    let whole = of(world, "ana", "The region is down").await;
    let mut out = Vec::new();
    for n in 1..=parts {
        let part = of(world, "ben", &format!("Part {n}")).await;
        world.act(&part, "relate", json!({"to": whole, "is": "parent"})).await;
        out.push(part);
    }
    (whole, out)
}

async fn shown(world: &World, reference: &str) -> Value {
    world.api(&format!("/incidents/{reference}?standing=true")).await
}

async fn log(world: &World, reference: &str) -> String {
    lines(&world.events(&shown(world, reference).await).await)
}

/// The place of each part, as the parent says it.
async fn order(world: &World, whole: &str) -> Vec<(String, Option<u64>)> {
    let incident = shown(world, whole).await;
    let parts = incident["relations"].as_array().into_iter().flatten().filter(|one| one["is"] == "child");
    parts.map(|one| (one["ref"].as_str().unwrap().to_owned(), one["rank"].as_u64())).collect()
}

/// The place of a part, as itself says it.
async fn place(world: &World, part: &str) -> (Option<u64>, Option<u64>) {
    let incident = shown(world, part).await;
    (incident["under"]["rank"].as_u64(), incident["under"]["of"].as_u64())
}

async fn token_of(world: &World, who: &str) -> String {
    let made = world.command("/tokens", json!({"name": who, "scope": "respond", "person": who})).await.ok().body;
    made["token"].as_str().unwrap().to_owned()
}

/// The status and the code of an answer.
async fn by(world: &World, token: &str, reference: &str, verb: &str, body: Value) -> (u16, String) {
    let request = client().post(world.at(&format!("/api/v1/incidents/{reference}/{verb}")));
    let answer = world.send(request.bearer_auth(token).json(&body)).await;
    world.quiet().await;
    (answer.status, answer.body["code"].as_str().unwrap_or_default().to_owned())
}

/// How often somebody was told this, alone or with other things.
fn told(world: &World, who: &str, words: &str) -> usize {
    let all = world.hook.told(who);
    all.iter().flat_map(|told| told.pages()).filter(|page| page["text"].as_str().unwrap_or_default().contains(words)).count()
}

/// How often somebody was paged for this incident.
fn paged(world: &World, who: &str, reference: &str) -> usize {
    let all = world.hook.to(who);
    all.iter().flat_map(|page| page.pages()).filter(|page| page["incident"]["ref"] == *reference).count()
}

async fn the_parts_stand_in_an_order_that_all_of_them_show(database: Database) {
    let world = world_of(database, organisation()).await;
    let (whole, parts) = family(&world, 3).await;
    let ana = token_of(&world, "ana").await;
    assert_eq!(place(&world, &parts[0]).await, (None, Some(0)), "a part is in no place until somebody says so");
    let ran = world.cli_as(&ana, &["order", &whole, &parts[2], "1", "--why", "patients wait"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(by(&world, &ana, &whole, "order", json!({"part": parts[0], "rank": 2})).await.0, 200);
    assert_eq!(
        order(&world, &whole).await,
        [(parts[2].clone(), Some(1)), (parts[0].clone(), Some(2)), (parts[1].clone(), None)],
        "the parent lists its parts in order"
    );
    // Each part says it: at its head, on the board, in its briefing, and over the API; and both logs have it.
    let words = format!("1 of 2 under {whole} (commander: Ana Ruiz)");
    let dan = sign_in_as(&world, "dan").await;
    for path in ["/".to_owned(), "/?wall".to_owned(), format!("/incidents/{}", parts[2]), format!("/incidents/{}/briefing", parts[2])] {
        let page = get_as(&world, &dan, &path).await.text;
        assert!(page.contains(&words), "{path}: {page}");
    }
    assert_eq!(place(&world, &parts[2]).await, (Some(1), Some(2)));
    let briefing = world.api(&format!("/incidents/{}/briefing", parts[2])).await;
    assert_eq!((&briefing["under"]["rank"], &briefing["under"]["commander"]), (&json!(1), &json!("ana")), "{briefing:#}");
    let whole_briefing = world.api(&format!("/incidents/{whole}/briefing")).await;
    assert_eq!(whole_briefing["parts"][0]["ref"], json!(parts[2]), "{whole_briefing:#}");
    assert_eq!(whole_briefing["parts"][0]["holder"], json!("ben"));
    let told_by_whole = log(&world, &whole).await;
    assert!(told_by_whole.contains(&format!("{} comes at place 1 of 1: patients wait", parts[2])), "{told_by_whole}");
    let told_by_part = log(&world, &parts[2]).await;
    assert!(told_by_part.contains(&format!("This is 1 of 1 under {whole}: patients wait")), "{told_by_part}");
    for args in [vec!["list"], vec!["show", &parts[2]], vec!["briefing", &parts[2]]] {
        let out = world.cli(&args).await.stdout;
        assert!(out.contains(&format!("1 of 2 under {whole} (commander: ana)")), "{args:?}: {out}");
    }
    let page = get_as(&world, &dan, &format!("/incidents/{whole}")).await.text;
    let (first, second) = (page.find(&format!("data-key=\"{}\"", parts[2])), page.find(&format!("data-key=\"{}\"", parts[0])));
    assert!(first.is_some() && first < second, "in order: {page}");
    // Who is wanted by several is told which one comes first, where people look.
    let wanted = shown(&world, &parts[1]).await["contention"]["people"][0].clone();
    assert_eq!((&wanted["person"], &wanted["first"]), (&json!("ben"), &json!(parts[2])), "{wanted:#}");
    let board = get_as(&world, &dan, "/").await.text;
    assert!(board.contains(&format!("{} comes first", parts[2])), "{board}");
    let listed = world.api("/incidents?open=true&standing=true").await;
    let row = items(&listed).iter().find(|one| one["ref"] == json!(parts[1])).unwrap().clone();
    assert_eq!((&row["contention"]["people"][0]["first"], &row["nothing_due"]), (&json!(parts[2]), &json!(false)), "{row:#}");
    let out = world.cli(&["list"]).await.stdout;
    assert!(out.contains("ben is also wanted by") && out.contains(&format!("{} comes first", parts[2])), "{out}");
    let briefing = world.cli(&["briefing", &parts[1]]).await.stdout;
    assert!(briefing.contains("Wanted elsewhere as well\n  ben is also wanted by"), "{briefing}");
    // What nothing is due of says so.
    let made = world.command("/incidents", json!({"title": "A typo", "severity": "sev5", "page": false})).await.ok().body;
    let small = made["ref"].as_str().unwrap().to_owned();
    world.act(&small, "acknowledge", json!({"by": "fay"})).await;
    assert_eq!(shown(&world, &small).await["nothing_due"], json!(true));
    let out = world.cli(&["list"]).await.stdout;
    let line = out.lines().find(|line| line.starts_with(&small)).unwrap_or_default();
    assert!(line.contains("nothing"), "{out}");
    assert!(world.cli(&["show", &small]).await.stdout.contains("nothing of it has a time"));
}

async fn an_order_has_no_gaps_whatever_becomes_of_its_parts(database: Database) {
    let world = world_of(database, organisation()).await;
    let (whole, parts) = family(&world, 5).await;
    let ana = token_of(&world, "ana").await;
    let set = async |part: &str, rank: u64| by(&world, &ana, &whole, "order", json!({"part": part, "rank": rank})).await;
    assert_eq!(set(&parts[0], 2).await, (409, "rank_out_of_range".into()));
    assert_eq!(set(&parts[0], 0).await, (409, "rank_out_of_range".into()));
    for (n, part) in (1..).zip(&parts[..4]) {
        assert_eq!(set(part, n).await.0, 200);
    }
    let ranks = async || -> Vec<Option<u64>> {
        let known = order(&world, &whole).await;
        parts.iter().map(|part| known.iter().find(|(one, _)| one == part).and_then(|(_, rank)| *rank)).collect()
    };
    assert_eq!(ranks().await, [Some(1), Some(2), Some(3), Some(4), None]);
    let before = world.kinds(&shown(&world, &parts[0]).await).await.len();
    assert_eq!(set(&parts[0], 1).await.0, 200);
    assert_eq!(world.kinds(&shown(&world, &parts[0]).await).await.len(), before, "said twice is said once");
    // Ended, cancelled, merged, unrelated: the next ones move up, and are told why.
    world.act(&parts[0], "resolve", json!({})).await;
    assert_eq!(ranks().await, [None, Some(1), Some(2), Some(3), None]);
    assert_eq!(place(&world, &parts[1]).await, (Some(1), Some(3)));
    let said = log(&world, &parts[1]).await;
    assert!(said.contains(&format!("This is 1 of 3 under {whole} (it was 2): {} was resolved", parts[0])), "{said}");
    assert_eq!(set(&parts[0], 1).await, (409, "part_is_over".into()));
    world.act(&parts[0], "reopen", json!({"why": "it is back"})).await;
    assert_eq!(ranks().await, [None, Some(1), Some(2), Some(3), None], "what is opened again has no place yet");
    assert_eq!(set(&parts[0], 2).await.0, 200);
    assert_eq!(ranks().await, [Some(2), Some(1), Some(3), Some(4), None]);
    world.act(&parts[1], "cancel", json!({"why": "it was none"})).await;
    assert_eq!(ranks().await, [Some(1), None, Some(2), Some(3), None]);
    let elsewhere = of(&world, "ben", "Elsewhere").await;
    world.act(&parts[2], "merge", json!({"into": elsewhere})).await;
    assert_eq!(ranks().await, [Some(1), None, None, Some(2), None], "what was merged is no part any more");
    world.act(&parts[0], "unrelate", json!({"to": whole})).await;
    assert_eq!(ranks().await, [None, None, None, Some(1), None]);
    assert_eq!(place(&world, &parts[3]).await, (Some(1), Some(1)));
    assert_eq!(place(&world, &parts[0]).await, (None, None), "it is no part any more");
    assert_eq!(set(&parts[0], 1).await, (409, "not_a_part".into()));
    // A split part is no part until somebody says so; taken out, it is in no place.
    world.act(&parts[3], "task", json!({"text": "Its own matter"})).await;
    world.act(&parts[3], "split", json!({"title": "A part of a part", "tasks": "1"})).await;
    assert_eq!(ranks().await, [None, None, None, Some(1), None]);
    assert_eq!(world.cli_as(&ana, &["unorder", &whole, &parts[3]]).await.code, 0);
    assert_eq!(ranks().await, [None; 5]);
    assert_eq!(by(&world, &ana, &whole, "order", json!({"part": parts[3]})).await.1, "bad_request");
    // The whole is over: it orders nothing, also once it is opened again.
    for (n, part) in [(1, &parts[4]), (2, &parts[3])] {
        assert_eq!(set(part, n).await.0, 200);
    }
    world.act(&whole, "resolve", json!({})).await;
    let said = log(&world, &parts[4]).await;
    assert!(said.contains(&format!("This has no place under {whole} any more (it was 1): {whole} was resolved")), "{said}");
    assert_eq!(set(&parts[4], 1).await, (409, "already_resolved".into()));
    world.act(&whole, "reopen", json!({"why": "it is back"})).await;
    assert_eq!((ranks().await, place(&world, &parts[4]).await), (vec![None; 5], (None, Some(0))));
    assert_eq!(set(&parts[4], 1).await.0, 200);
    world.act(&whole, "cancel", json!({"why": "it was none"})).await;
    assert_eq!(place(&world, &parts[4]).await, (None, None));
}

async fn who_commands_says_the_order_and_nobody_else(database: Database) {
    let world = world_of(database, organisation()).await;
    let (whole, parts) = family(&world, 2).await;
    let tokens =
        [token_of(&world, "ana").await, token_of(&world, "ben").await, token_of(&world, "cho").await, token_of(&world, "eve").await];
    let [ana, ben, cho, eve] = &tokens;
    let first = |why: Option<&str>| json!({"part": parts[0], "rank": 1, "why": why});
    assert_eq!(by(&world, ben, &whole, "order", first(Some("mine"))).await, (409, "not_its_commander".into()), "who has a part");
    assert_eq!(by(&world, eve, &whole, "order", first(Some("mine"))).await, (409, "not_its_commander".into()), "another team's manager");
    assert_eq!(by(&world, cho, &whole, "order", first(None)).await, (409, "not_its_commander".into()), "without a reason");
    assert_eq!(by(&world, cho, &whole, "order", first(Some("the ward is full"))).await.0, 200, "the team's manager");
    world.act(&whole, "role", json!({"role": "deputy", "person": "fay", "do": "take", "why": "she stands in"})).await;
    let fay = token_of(&world, "fay").await;
    assert_eq!(by(&world, &fay, &whole, "order", json!({"part": parts[1], "rank": 1})).await.0, 200, "who stands in for the commander");
    // Where nobody commands, whoever may act does.
    assert_eq!(by(&world, ana, &whole, "role", json!({"role": "commander", "do": "leave"})).await.0, 200);
    assert_eq!(by(&world, ben, &whole, "order", first(None)).await.0, 200);
    // An order that a page says: with a script or without, it is a form.
    let cookie = sign_in_as(&world, "cho").await;
    let page = get_as(&world, &cookie, &format!("/incidents/{whole}?do=order")).await.text;
    assert!(page.contains("name=\"rank\"") && page.contains("name=\"part\""), "{page}");
    let fields = [("part", parts[1].as_str()), ("rank", "1"), ("why", "it is worse")];
    let sent = post_form(&world, &format!("/incidents/{whole}/order"), Some(&cookie), &fields).await;
    assert_eq!(sent.status, 303, "{}", sent.text);
    assert_eq!(place(&world, &parts[1]).await, (Some(1), Some(2)));
    // What is private is ordered among what is private, and read by nobody else.
    let (secret, its_part) = (declared(&world, "Names of patients", true).await, declared(&world, "Names of a ward", true).await);
    world.act(&its_part, "relate", json!({"to": secret, "is": "parent"})).await;
    world.act(&secret, "order", json!({"part": its_part, "rank": 1, "why": "first"})).await;
    let dan = sign_in_as(&world, "dan").await;
    for path in ["/", "/api/v1/incidents?open=true", &format!("/incidents/{whole}")] {
        let page = get_as(&world, &dan, path).await.text;
        assert!(!page.contains(&secret) && !page.contains(&its_part), "{path}: {page}");
    }
    assert_eq!(by(&world, ben, &whole, "order", json!({"part": its_part, "rank": 1})).await.0, 404, "it is not there for them");
    // A part that was opened up hears no more of what stayed private, and its log does not grow by it.
    world.act(&its_part, "open_up", json!({"why": "no names are left"})).await;
    let lines_before = log(&world, &its_part).await.lines().count();
    let again = world.command(&format!("/incidents/{secret}/order"), json!({"part": its_part, "rank": 1, "why": "again"})).await;
    assert_eq!(again.body["code"], json!("relation_across_sight"), "{}", again.text);
    assert_eq!(log(&world, &its_part).await.lines().count(), lines_before);
    let board = get_as(&world, &dan, "/").await.text;
    assert!(board.contains(&its_part) && !board.contains(&secret), "{board}");
}

async fn somebody_is_moved_and_what_they_had_is_offered_or_waits(database: Database) {
    let mut world = world_of(database, organisation()).await;
    let (from, to) = (of(&world, "ana", "Cards fail").await, of(&world, "dan", "Everything fails").await);
    let ana = token_of(&world, "ana").await;
    world.act(&from, "role", json!({"role": "scribe", "person": "ben", "do": "take", "why": "he writes"})).await;
    world.act(&from, "task", json!({"text": "Call the bank", "owner": "ben", "within": "40m"})).await;
    let refused = world.cli_as(&ana, &["move", &from, "ben", &to, "--why", "it is worse there"]).await;
    assert!(refused.code != 0 && refused.stderr.contains("Ben Okafor has scribe, task 1 here"), "{refused:?}");
    let ran = world.cli_as(&ana, &["move", &from, "ben", &to, "--why", "it is worse there", "--instead", "fay"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    // What somebody was told a moment before waits for company.
    world.advance(15).await;
    let left = shown(&world, &from).await;
    let role = left["roles"].as_array().unwrap().iter().find(|role| role["role"] == "scribe").unwrap().clone();
    assert_eq!((&role["person"], &role["offered_to"]), (&Value::Null, &json!("fay")), "{left:#}");
    assert_eq!((&left["tasks"][0]["owner"], &left["away"]), (&json!("fay"), &json!(["ben"])));
    assert_eq!(left["commander"], json!("ana"), "who stays has it");
    assert!(told(&world, "fay", "asks you to be scribe") == 1 && told(&world, "fay", "Task 1 is yours") == 1);
    let there = shown(&world, &to).await;
    assert_eq!(there["came"], json!(["ben"]));
    assert_eq!(paged(&world, "ben", &to), 1, "they are called: {:#?}", world.hook.to("ben"));
    let said = log(&world, &from).await;
    assert!(said.contains(&format!("Ana Ruiz moved Ben Okafor to {to}; Fay Bell is to have scribe, task 1: it is worse there")), "{said}");
    assert!(log(&world, &to).await.contains(&format!("Ana Ruiz moved Ben Okafor here from {from}: it is worse there")));
    // The same once more: they have nothing here any more.
    let again = json!({"person": "ben", "to": to, "why": "it is worse there", "uncovered": true});
    assert_eq!(by(&world, &ana, &from, "move", again).await, (409, "not_in_it".into()));
    // Moved on and back: by who commands where they are; not by who only has a part in it.
    let back = json!({"person": "ben", "to": from, "why": "it is worse here now"});
    assert_eq!(by(&world, &ana, &to, "move", back.clone()).await, (409, "not_its_commander".into()));
    let dan = token_of(&world, "dan").await;
    assert_eq!(by(&world, &dan, &to, "move", back).await.0, 200);
    world.advance(15).await;
    assert_eq!((&shown(&world, &from).await["came"], &shown(&world, &to).await["away"]), (&json!(["ben"]), &json!(["ben"])));
    assert_eq!(shown(&world, &from).await["away"], Value::Null);
    assert_eq!(paged(&world, "ben", &from), 1);
    // What nobody is named for waits: tasks are nobody's, with their times; roles are vacant.
    world.act(&from, "role", json!({"role": "liaison", "person": "ben", "do": "take", "why": "he talks"})).await;
    world.act(&from, "task", json!({"task": 1, "owner": "ben"})).await;
    let uncovered = json!({"person": "ben", "to": to, "why": "for an hour", "uncovered": true});
    assert_eq!(by(&world, &ana, &from, "move", uncovered).await.0, 200);
    let left = shown(&world, &from).await;
    assert_eq!(left["tasks"][0]["owner"], Value::Null);
    assert!(left["roles"].as_array().unwrap().iter().all(|role| role["person"] != "ben"), "{left:#}");
    let risks = world.api(&format!("/incidents/{from}/briefing")).await["risks"].to_string();
    assert!(risks.contains("Task 1 is nobody"), "{risks}");
    world.advance(41 * MINUTE).await;
    assert_eq!(told(&world, "ana", "Task 1 is late: Call the bank"), 1, "its time stands");
    // With a form, in the browser.
    world.act(&to, "task", json!({"text": "Look at the disks", "owner": "ben"})).await;
    let cookie = sign_in_as(&world, "dan").await;
    let page = get_as(&world, &cookie, &format!("/incidents/{to}?do=move")).await.text;
    assert!(page.contains("Who has it instead") && page.contains("name=\"uncovered\""), "{page}");
    let fields = [("person", "ben"), ("pick", from.as_str()), ("to", ""), ("why", "the bank called"), ("instead", ""), ("uncovered", "1")];
    let sent = post_form(&world, &format!("/incidents/{to}/move"), Some(&cookie), &fields).await;
    assert_eq!(sent.status, 303, "{}", sent.text);
    assert_eq!(shown(&world, &to).await["tasks"][0]["owner"], Value::Null);
}

async fn nobody_is_moved_so_that_nobody_is_called(database: Database) {
    let mut world = world_of(database, organisation()).await;
    let (whole, parts) = family(&world, 2).await;
    let (from, to) = (parts[0].clone(), parts[1].clone());
    let ana = token_of(&world, "ana").await;
    // Who commands both parts moves whoever commands the one: the incident is nobody's, and pages its policy again.
    assert_eq!(paged(&world, "ana", &from), 0);
    let uncovered = json!({"person": "ben", "to": to, "why": "that one first", "uncovered": true});
    assert_eq!(by(&world, &ana, &from, "move", uncovered).await.0, 200);
    world.advance(15).await;
    let left = shown(&world, &from).await;
    assert_eq!(left["commander"], Value::Null);
    let said = log(&world, &from).await;
    assert!(said.contains(&format!("Nobody is known to have it: Ben Okafor was moved to {to}: that one first")), "{said}");
    assert_eq!(paged(&world, "ana", &from), 1, "its policy asks from the first step: {:#?}", world.hook.to("ana"));
    world.advance(5 * MINUTE + 5).await;
    assert!(paged(&world, "ben", &from) >= 1, "and goes on to its next, whoever that is");
    // He has the other already: no page calls him to what he has.
    assert_eq!(paged(&world, "ben", &to), 0, "{:#?}", world.hook.to("ben"));
    // Who is named instead is paged first, and has it by answering.
    let (one, two) = (of(&world, "ben", "Logins fail").await, of(&world, "dan", "Search fails").await);
    for part in [&one, &two] {
        world.act(part, "relate", json!({"to": whole, "is": "parent"})).await;
    }
    let instead = json!({"person": "ben", "to": two, "why": "that one first", "instead": "fay"});
    assert_eq!(by(&world, &ana, &one, "move", instead).await.0, 200);
    world.advance(15).await;
    assert_eq!((paged(&world, "fay", &one) >= 1, paged(&world, "ana", &one)), (true, 0), "{:#?}", world.hook.to("fay"));
    assert_eq!(paged(&world, "ben", &two), 1);
    world.act(&one, "acknowledge", json!({"by": "fay"})).await;
    assert_eq!(shown(&world, &one).await["commander"], json!("fay"));
    // Whoever names themself has it, and nobody is paged for it.
    let (three, four) = (of(&world, "ben", "Mail fails").await, of(&world, "dan", "Prints fail").await);
    for part in [&three, &four] {
        world.act(part, "relate", json!({"to": whole, "is": "parent"})).await;
    }
    let mine = json!({"person": "ben", "to": four, "why": "I take it", "instead": "ana"});
    assert_eq!(by(&world, &ana, &three, "move", mine).await.0, 200);
    world.advance(15).await;
    let taken = shown(&world, &three).await;
    assert_eq!(taken["commander"], json!("ana"), "{taken:#}");
    assert_eq!((paged(&world, "ana", &three), paged(&world, "cho", &three)), (0, 0));
    // What somebody put off is not put off by whoever is gone.
    let asleep = of(&world, "ben", "Fax fails").await;
    let ben = token_of(&world, "ben").await;
    assert_eq!(by(&world, &ben, &asleep, "snooze", json!({"within": "10h"})).await.0, 200);
    let gone = json!({"person": "ben", "to": four, "why": "later", "uncovered": true});
    assert_eq!(by(&world, &ben, &asleep, "move", gone).await.0, 200, "who commands it may go themself");
    world.advance(15).await;
    assert_eq!((shown(&world, &asleep).await["snoozed_until"].is_null(), paged(&world, "ana", &asleep)), (true, 1));
    // Whom its policy would ask first is who went: whoever answers for it is called in their place, and they are not called back.
    let hers = of(&world, "ana", "Doors stay shut").await;
    let gone = json!({"person": "ana", "to": four, "why": "worse there", "uncovered": true});
    assert_eq!(by(&world, &ana, &hers, "move", gone).await.0, 200);
    world.advance(15).await;
    assert_eq!((paged(&world, "cho", &hers), paged(&world, "ana", &hers)), (1, 0), "{:#?}", world.hook.to("cho"));
    // Who comes back has it again, also whoever was the first on it.
    world.act(&hers, "acknowledge", json!({"by": "cho"})).await;
    let back = world.act(&hers, "acknowledge", json!({"by": "ana"})).await;
    assert_eq!(back["away"], Value::Null, "{back:#}");
    // Whom the other incident asks already is told that they are moved, and not paged a second time.
    let asks = world.command("/incidents", json!({"title": "All is dark", "service": "checkout", "severity": "sev1"})).await.ok().body;
    let asks = asks["ref"].as_str().unwrap().to_owned();
    world.quiet().await;
    assert_eq!(paged(&world, "ana", &asks), 1);
    let there = json!({"person": "ana", "to": asks, "why": "all is dark", "instead": "cho"});
    let cho = token_of(&world, "cho").await;
    assert_eq!(by(&world, &cho, &hers, "move", there).await.0, 200, "she commands it now");
    world.advance(15).await;
    assert_eq!((paged(&world, "ana", &asks), told(&world, "ana", "It is asking you already")), (1, 1));
}

async fn what_may_not_be_moved_is_refused_with_what_would_work(database: Database) {
    let world = world_of(database, organisation()).await;
    let (from, to) = (of(&world, "ana", "Cards fail").await, of(&world, "dan", "Everything fails").await);
    let (ana, ben, fay) = (token_of(&world, "ana").await, token_of(&world, "ben").await, token_of(&world, "fay").await);
    world.act(&from, "task", json!({"text": "Call the bank", "owner": "ben"})).await;
    let moved = |person: &str, to: &str, instead: Option<&str>| {
        let mut body = json!({"person": person, "to": to, "why": "it is worse there"});
        if let Some(instead) = instead {
            body["instead"] = json!(instead);
        }
        body
    };
    let over = of(&world, "dan", "It is over").await;
    world.act(&over, "resolve", json!({})).await;
    let private = declared(&world, "Names of patients", true).await;
    for (body, wanted) in [
        (moved("ben", &to, None), (409, "move_uncovered")),
        (moved("ben", &from, Some("fay")), (409, "move_to_itself")),
        (moved("ben", &over, Some("fay")), (409, "move_to_what_is_over")),
        (moved("ben", &private, Some("fay")), (404, "no_such_incident")),
        (moved("ben", "INC-999999", Some("fay")), (404, "no_such_incident")),
        (moved("cho", &to, Some("fay")), (409, "not_in_it")),
        (moved("zoe", &to, Some("fay")), (404, "no_such_person")),
        (moved("ben", &to, Some("zoe")), (404, "no_such_person")),
        (moved("ben", &to, Some("ben")), (409, "instead_of_themself")),
        (moved("ben", &to, Some("obs")), (409, "cannot_have_it")),
        (moved("ben", &to, Some("gil")), (409, "cannot_have_it")),
        (json!({"person": "ben", "to": to, "why": " ", "uncovered": true}), (422, "words_missing")),
        (json!({"person": "ben", "to": to, "uncovered": true}), (400, "bad_request")),
        (json!({"person": "ben", "to": to, "why": "w", "instead": "fay", "uncovered": true}), (400, "bad_request")),
    ] {
        let found = by(&world, &ana, &from, "move", body.clone()).await;
        assert!(found.1 == wanted.1 && found.0 >= 400, "{body}: {found:?}, wanted {wanted:?}");
    }
    for who in [&ben, &fay] {
        assert_eq!(by(&world, who, &from, "move", moved("ben", &to, Some("fay"))).await, (409, "not_its_commander".into()));
    }
    // By who may see both, across what only some may see: each log would name the other.
    let admin = world.command(&format!("/incidents/{from}/move"), moved("ben", &private, Some("fay"))).await;
    assert_eq!(admin.body["code"], json!("relation_across_sight"), "{}", admin.text);
    // Between what only some see: whoever goes has to see it.
    let other = declared(&world, "Names of a ward", true).await;
    world.act(&private, "admit", json!({"person": "ben", "why": "he helps"})).await;
    world.act(&private, "task", json!({"text": "Count them", "owner": "ben"})).await;
    let unseen = world.command(&format!("/incidents/{private}/move"), moved("ben", &other, Some("ana"))).await;
    assert_eq!(unseen.body["code"], json!("move_unseen"), "{}", unseen.text);
    // Nothing of all this happened.
    let left = shown(&world, &from).await;
    assert_eq!((&left["tasks"][0]["owner"], &left["away"]), (&json!("ben"), &Value::Null));
    assert!(!log(&world, &to).await.contains("moved"));
    // Of what is over nobody is moved; whom nothing reaches would not hear of it.
    world.act(&from, "task", json!({"text": "Sit there", "owner": "gil"})).await;
    assert_eq!(by(&world, &ana, &from, "move", moved("gil", &to, Some("fay"))).await, (409, "move_unreached".into()));
    world.act(&from, "resolve", json!({})).await;
    assert_eq!(by(&world, &ana, &from, "move", moved("ben", &to, Some("fay"))).await, (409, "already_resolved".into()));
}

async fn a_part_that_is_made_private_leaves_its_place_and_is_read_by_those_who_may_see_it_alone(database: Database) {
    let world = world_of(database, organisation()).await;
    let (whole, parts) = family(&world, 2).await;
    let (hidden, next) = (&parts[0], &parts[1]);
    let ana = token_of(&world, "ana").await;
    for (n, part) in (1..).zip(&parts) {
        assert_eq!(by(&world, &ana, &whole, "order", json!({"part": part, "rank": n})).await.0, 200);
    }
    assert_eq!(place(&world, next).await, (Some(2), Some(2)));
    world.act(hidden, "restrict", json!({"why": "a patient is named"})).await;
    world.quiet().await;
    // The next one moves up, and is not told why.
    assert_eq!((place(&world, next).await, place(&world, hidden).await.0), ((Some(1), Some(1)), None));
    let said = log(&world, next).await;
    let line = said.lines().find(|line| line.contains("(it was 2)")).unwrap_or_default();
    assert!(line.ends_with(&format!("This is 1 of 1 under {whole} (it was 2)")), "without a reason: {said}");
    // Whoever may not see it reads nothing of it, wherever the others are told of.
    let (dan, ben) = (sign_in_as(&world, "dan").await, sign_in_as(&world, "ben").await);
    let everywhere = [
        "/".to_owned(),
        "/?wall".to_owned(),
        format!("/incidents/{whole}"),
        format!("/incidents/{whole}/briefing"),
        format!("/incidents/{next}"),
        format!("/incidents/{next}/briefing"),
        format!("/api/v1/incidents/{whole}?standing=true"),
        format!("/api/v1/incidents/{whole}/briefing"),
        format!("/api/v1/incidents/{next}?standing=true"),
        format!("/api/v1/incidents/{next}/briefing"),
        "/api/v1/incidents?open=true&standing=true".to_owned(),
    ];
    for path in &everywhere {
        let page = get_as(&world, &dan, path).await;
        assert_eq!(page.status, 200, "{path}");
        assert!(!page.text.contains("Part 1"), "{path}: its title: {}", page.text);
        // The log of the whole names it by its reference, as it did before it was private; nothing else does.
        let has_its_log = path.ends_with(&format!("/incidents/{whole}")) || path.ends_with(&format!("{whole}/briefing"));
        let is_there = if has_its_log { format!("data-key=\"{hidden}\"") } else { hidden.clone() };
        assert!(!page.text.contains(&is_there), "{path}: {}", page.text);
    }
    for path in [format!("/incidents/{hidden}"), format!("/api/v1/incidents/{hidden}")] {
        assert_eq!(get_as(&world, &dan, &path).await.status, 404, "{path}");
    }
    // Whoever may see it reads it where it stands: among the parts, without a place.
    let relations: Value = serde_json::from_str(&get_as(&world, &ben, &format!("/api/v1/incidents/{whole}")).await.text).unwrap();
    let part = relations["relations"].as_array().unwrap().iter().find(|one| one["ref"] == **hidden).cloned().unwrap_or_default();
    assert_eq!((&part["title"], &part["rank"]), (&json!("Part 1"), &Value::Null), "{relations:#}");
    for path in ["/".to_owned(), format!("/incidents/{whole}"), format!("/incidents/{hidden}")] {
        let page = get_as(&world, &ben, &path).await.text;
        assert!(page.contains(hidden.as_str()) && page.contains("Part 1"), "{path}: {page}");
    }
    // It has no place among what others see, whoever asks for one.
    let again = world.command(&format!("/incidents/{whole}/order"), json!({"part": hidden, "rank": 1, "why": "first"})).await;
    assert_eq!((again.status, &again.body["code"]), (409, &json!("relation_across_sight")), "{}", again.text);
    // Between two that are private somebody is moved where the same people see both: each log names the other.
    let other = declared(&world, "Names of a ward", true).await;
    for person in ["ben", "fay"] {
        world.act(&other, "admit", json!({"person": person, "why": "they help"})).await;
    }
    world.act(hidden, "task", json!({"text": "Count them", "owner": "ben"})).await;
    let there = || json!({"person": "ben", "to": other, "why": "it is worse there", "uncovered": true});
    let refused = world.command(&format!("/incidents/{hidden}/move"), there()).await;
    assert_eq!((refused.status, &refused.body["code"]), (409, &json!("seen_by_others")), "{}", refused.text);
    assert!(refused.text.contains("admit the same people to both first"), "{}", refused.text);
    assert!(!log(&world, &other).await.contains(hidden.as_str()));
    for person in ["ben", "fay"] {
        world.act(hidden, "admit", json!({"person": person, "why": "they help"})).await;
    }
    let moved = world.command(&format!("/incidents/{hidden}/move"), there()).await;
    assert_eq!(moved.status, 200, "{}", moved.text);
}

async fn who_stands_in_for_a_commander_does_not_unseat_them(database: Database) {
    let world = world_of(database, organisation()).await;
    let (from, to) = (of(&world, "ben", "Cards fail").await, of(&world, "dan", "Everything fails").await);
    world.act(&from, "role", json!({"role": "deputy", "person": "fay", "do": "take", "why": "she stands in"})).await;
    world.act(&from, "task", json!({"text": "Call the bank", "owner": "ana"})).await;
    let (fay, cho, ben) = (token_of(&world, "fay").await, token_of(&world, "cho").await, token_of(&world, "ben").await);
    let away = |person: &str| json!({"person": person, "to": to, "why": "it is worse there", "uncovered": true});
    // Whoever else is there they may move: that is what they stand in for.
    assert_eq!(by(&world, &fay, &from, "move", away("ana")).await, (200, String::new()));
    assert_eq!(by(&world, &fay, &from, "move", away("ben")).await, (409, "not_its_commander".into()));
    let told = world.cli_as(&fay, &["move", &from, "ben", &to, "--why", "it is worse there", "--uncovered", "true"]).await;
    assert!(told.code != 0 && told.stderr.contains(&format!("Ben Okafor commands {from}")), "{told:?}");
    assert!(told.stderr.contains("a manager of the team or an administrator says it with a reason"), "what would work: {told:?}");
    let left = shown(&world, &from).await;
    assert_eq!((&left["commander"], &left["away"]), (&json!("ben"), &json!(["ana"])), "he is where he was");
    assert!(!log(&world, &to).await.contains("moved Ben Okafor"));
    // Whoever answers for the team may, and whoever commands it goes themself.
    assert_eq!(by(&world, &cho, &from, "move", away("ben")).await.0, 200);
    assert_eq!(shown(&world, &from).await["commander"], Value::Null);
    let own = of(&world, "ben", "Logins fail").await;
    assert_eq!(by(&world, &ben, &own, "move", away("ben")).await.0, 200);
    // So does whoever commands the whole, and whoever stands in for them does not.
    let (whole, parts) = family(&world, 2).await;
    world.act(&whole, "role", json!({"role": "deputy", "person": "fay", "do": "take", "why": "she stands in"})).await;
    let there = json!({"person": "ben", "to": parts[1], "why": "that one first", "uncovered": true});
    assert_eq!(by(&world, &fay, &parts[0], "move", there.clone()).await, (409, "not_its_commander".into()));
    let ana = token_of(&world, "ana").await;
    assert_eq!(by(&world, &ana, &parts[0], "move", there).await.0, 200);
}

async fn a_relation_that_the_side_of_the_part_did_not_agree_to_gives_nobody_command(database: Database) {
    let world = world_of(database, organisation()).await;
    let whole = of(&world, "dan", "Everything fails").await;
    let (one, two, three) =
        (of(&world, "ben", "Cards fail").await, of(&world, "ben", "Logins fail").await, of(&world, "ben", "Mail fails").await);
    let (dan, ben) = (token_of(&world, "dan").await, token_of(&world, "ben").await);
    let (fay, cho) = (token_of(&world, "fay").await, token_of(&world, "cho").await);
    let under = || json!({"to": whole, "is": "parent"});
    for part in [&one, &two, &three] {
        assert_eq!(by(&world, &dan, part, "relate", under()).await.0, 200, "how they stand anybody says who sees both");
    }
    world.act(&one, "task", json!({"text": "Call the bank", "owner": "ana"})).await;
    let away = |person: &str, to: &str| json!({"person": person, "to": to, "why": "that one first", "uncovered": true});
    let refused = (409, "not_its_commander".to_owned());
    // Neither whoever commands the part nor anybody else goes, neither to another part nor to the whole.
    for (person, to) in [("ben", &two), ("ben", &whole), ("ana", &two)] {
        assert_eq!(by(&world, &dan, &one, "move", away(person, to)).await, refused, "{person}");
    }
    assert_eq!(shown(&world, &one).await["commander"], json!("ben"));
    // In which order they come is the whole's own.
    assert_eq!(by(&world, &dan, &whole, "order", json!({"part": one, "rank": 1})).await.0, 200);
    // The side of the part agrees by saying the same: its commander, or who answers for its team; neither who stands in nor anybody else.
    world.act(&two, "role", json!({"role": "deputy", "person": "fay", "do": "take", "why": "she stands in"})).await;
    for token in [&fay, &dan] {
        assert_eq!(by(&world, token, &two, "relate", under()).await.0, 200);
        assert_eq!(by(&world, &dan, &two, "move", away("ben", &one)).await, refused);
    }
    assert!(!log(&world, &two).await.contains("may move people"));
    for (token, part) in [(&ben, &one), (&cho, &two)] {
        assert_eq!(by(&world, token, part, "relate", under()).await.0, 200);
        let (here, there) = (log(&world, part).await, log(&world, &whole).await);
        assert!(here.contains(&format!("{whole} is the parent of this; whoever commands it may move people from here")), "{here}");
        assert!(there.contains(&format!("{part} is a child of this; whoever commands this may move people from there")), "{there}");
    }
    assert_eq!(place(&world, &one).await, (Some(1), Some(1)), "it keeps its place");
    let before = world.kinds(&shown(&world, &one).await).await.len();
    assert_eq!(by(&world, &ben, &one, "relate", under()).await.0, 200);
    assert_eq!(world.kinds(&shown(&world, &one).await).await.len(), before, "agreed twice is agreed once");
    for person in ["ana", "ben"] {
        assert_eq!(by(&world, &dan, &one, "move", away(person, &two)).await.0, 200, "{person}");
    }
    assert_eq!(by(&world, &dan, &two, "move", away("ben", &whole)).await.0, 200);
    assert_eq!(by(&world, &dan, &three, "move", away("ben", &whole)).await, refused, "each agrees for itself");
    // That both are of one team is no word of the part's side either, and what somebody agreed to who handed it over binds nobody.
    let theirs = of(&world, "ana", "Payments fail").await;
    let mail = of(&world, "ben", "Prints fail").await;
    assert_eq!(by(&world, &fay, &mail, "relate", json!({"to": theirs, "is": "parent"})).await.0, 200);
    let ana = token_of(&world, "ana").await;
    assert_eq!(by(&world, &ana, &mail, "move", away("ben", &theirs)).await, refused);
    let same = || json!({"to": theirs, "is": "parent"});
    assert_eq!(by(&world, &ben, &mail, "relate", same()).await.0, 200);
    world.act(&mail, "role", json!({"role": "commander", "person": "fay", "do": "take", "why": "she goes on"})).await;
    assert_eq!(by(&world, &ana, &mail, "move", away("fay", &theirs)).await, refused);
    assert_eq!(by(&world, &fay, &mail, "relate", same()).await.0, 200);
    assert_eq!(by(&world, &ana, &mail, "move", away("fay", &theirs)).await.0, 200);
    // Who agreed to the one has not agreed to what that is merged into.
    let other = of(&world, "dan", "Everything fails as well").await;
    let last = of(&world, "ben", "Fax fails").await;
    assert_eq!(by(&world, &ben, &last, "relate", under()).await.0, 200);
    world.act(&whole, "merge", json!({"into": other})).await;
    assert_eq!(by(&world, &dan, &last, "move", away("ben", &other)).await, refused);
}

async fn moved_on_and_back_nobody_is_called_to_the_place_that_they_left(database: Database) {
    let mut world = world_of(database, organisation()).await;
    let (from, to) = (of(&world, "ana", "Cards fail").await, of(&world, "dan", "Everything fails").await);
    let nobodys = declared(&world, "It smells of smoke", false).await;
    for there in [&to, &nobodys] {
        world.act(&from, "task", json!({"text": "Call the bank", "owner": "ben"})).await;
        let moved = |to: &str| json!({"person": "ben", "to": to, "why": "it is worse there", "uncovered": true});
        world.act(&from, "move", moved(there)).await;
        world.advance(15).await;
        assert_eq!(paged(&world, "ben", there), 1, "{:#?}", world.hook.to("ben"));
        world.act(there, "move", moved(&from)).await;
        world.advance(15).await;
        let stopped = world.bodies(&shown(&world, there).await, "page_stopped").await;
        assert!(stopped[0]["why"].as_str().unwrap().starts_with("Ben Okafor was moved to"), "{stopped:#?}");
        assert_eq!(paged(&world, "ana", there), usize::from(there == &nobodys), "what nobody has calls those who are left");
        let seen = paged(&world, "ben", there);
        world.advance(4 * MINUTE).await;
        assert_eq!(
            (seen, paged(&world, "ben", there), paged(&world, "cho", there)),
            (1, 1, 0),
            "he is not called, nor whoever comes after him"
        );
        world.act(&from, "acknowledge", json!({"by": "ben"})).await;
    }
    // Whom somebody asked for by name is called still: that page is not the move's.
    world.act(&to, "escalate", json!({"page": ["person:fay"], "why": "she knows it"})).await;
    world.act(&to, "move", json!({"person": "fay", "to": from, "why": "no", "uncovered": true})).await;
    assert!(world.bodies(&shown(&world, &to).await, "page_stopped").await.len() == 1);
}
