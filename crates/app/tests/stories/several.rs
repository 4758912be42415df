//! Several incidents at once: how they stand to each other, whose updates count, whose each of them is, and what they want of
//! the same people.

use allclear_trial::{Database, World, org};
use serde_json::{Value, json};

use crate::sign_in::{get_as, sign_in_as};
use crate::{on_both, world_of};

on_both!(
    both_logs_say_how_two_stand_and_a_child_follows_its_parent,
    nothing_is_left_below_what_was_cancelled_or_merged,
    another_team_accepts_it_or_gives_it_back,
    a_private_offer_is_seen_no_longer_than_it_stands,
    a_part_becomes_an_incident_of_its_own,
    whoever_answers_for_the_service_of_now_hears_of_neglect_and_may_act,
);

/// Seconds of a minute.
const MINUTE: u64 = 60;

/// Two teams; two services that stand on a third, which is the other team's.
fn organisation() -> String {
    let person = |id: &str, name: &str| {
        format!(
            "  - {{id: {id}, name: {name}, email: {id}@example.org, contacts: [{{id: hook, webhook: \"{{HOOK}}/{id}\", secret: \"{{SECRET}}\"}}], notify: {{high: [{{contact: hook}}], low: [{{contact: hook}}]}}}}\n"
        )
    };
    let people = format!(
        "{}{}teams:\n  - {{id: disks, name: Disks, members: [dan], managers: [eve]}}\n",
        person("dan", "Dan Holm"),
        person("eve", "Eve Lund")
    );
    let usual = org::usual()
        .replace("teams:\n", &people)
        .replace("escalations:\n", "escalations:\n  - {id: disks, steps: [{page: [\"person:dan\"], within: 5m}]}\n")
        .replace("services:\n", "services:\n  - {id: disk, name: Disk array, team: disks, escalation: disks}\n")
        .replace("tier: 1}", "tier: 1, depends_on: [disk]}")
        .replace("tier: 2}", "tier: 2, depends_on: [disk]}");
    usual
        + "audiences:\n  - {id: board, people: [cho]}\nseverities:\n  - {id: sev3, update_every: 30m}\n  - {id: sev5, update_every: 0s, acknowledgement_lasts: never}\n"
}

/// A declared incident, by its reference.
async fn declared(world: &World, title: &str, service: &str) -> String {
    let body = json!({"title": title, "service": service, "severity": "sev3"});
    let made = world.command("/incidents", body).await.ok().body;
    world.quiet().await;
    made["ref"].as_str().unwrap().to_owned()
}

/// One that ana has.
async fn of_ana(world: &World, title: &str, service: &str) -> String {
    let reference = declared(world, title, service).await;
    world.act(&reference, "acknowledge", json!({"by": "ana"})).await;
    reference
}

async fn whole(world: &World, reference: &str) -> Value {
    world.api(&format!("/incidents/{reference}")).await
}

/// How an incident stands to others: which, and what that is to it.
async fn relations(world: &World, reference: &str) -> Vec<(String, String)> {
    let incident = whole(world, reference).await;
    let one = |one: &Value| (one["ref"].as_str().unwrap().to_owned(), one["is"].as_str().unwrap().to_owned());
    incident["relations"].as_array().into_iter().flatten().map(one).collect()
}

/// When this is due, where it is awaited.
async fn due(world: &World, reference: &str, rule: &str) -> Option<jiff::Timestamp> {
    let found = world.api(&format!("/incidents/{reference}/expectations")).await;
    let live = found["items"].as_array().unwrap().iter().find(|one| one["rule"] == rule && one["state"] == "live").cloned();
    live.map(|one| one["due_at"].as_str().unwrap().parse().unwrap())
}

fn told(world: &World, who: &str, words: &str) -> usize {
    world.hook.told(who).iter().filter(|told| told.page()["text"].as_str().unwrap_or_default().contains(words)).count()
}

async fn code(world: &World, reference: &str, verb: &str, body: Value) -> String {
    let answer = world.command(&format!("/incidents/{reference}/{verb}"), body).await;
    assert!(answer.status >= 400, "{verb}: {}", answer.text);
    answer.body["code"].as_str().unwrap_or_default().to_owned()
}

async fn token_of(world: &World, who: &str) -> String {
    let made = world.command("/tokens", json!({"name": who, "scope": "respond", "person": who})).await.ok().body;
    made["token"].as_str().unwrap().to_owned()
}

async fn act_as(world: &World, token: &str, reference: &str, body: Value) -> (u16, String) {
    let request = allclear_trial::world::client().post(world.at(&format!("/api/v1/incidents/{reference}/transfer")));
    let answer = world.send(request.bearer_auth(token).json(&body)).await;
    world.quiet().await;
    (answer.status, answer.body["code"].as_str().unwrap_or_default().to_owned())
}

async fn both_logs_say_how_two_stand_and_a_child_follows_its_parent(database: Database) {
    let mut world = world_of(database, organisation()).await;
    let (parent, child) = (of_ana(&world, "All payments fail", "checkout").await, of_ana(&world, "Cards fail", "search").await);
    let related = world.cli(&["relate", &child, &parent, "parent", "--follow", "true"]).await;
    assert_eq!(related.code, 0, "{related:?}");
    assert_eq!(relations(&world, &child).await, [(parent.clone(), "parent".to_owned())]);
    assert_eq!(relations(&world, &parent).await, [(child.clone(), "child".to_owned())]);
    for reference in [&child, &parent] {
        assert_eq!(world.kinds(&whole(&world, reference).await).await.iter().filter(|kind| *kind == "related").count(), 1);
    }
    // One update, told once; it stands in both logs, and the child owes the next by its own cadence.
    world.advance(10 * MINUTE).await;
    world.act(&parent, "update", json!({"text": "We failed over", "audiences": ["board"], "next_within": "4h"})).await;
    assert_eq!(told(&world, "cho", "We failed over"), 1, "told once");
    let child_log = allclear_trial::world::lines(&world.events(&whole(&world, &child).await).await);
    assert!(child_log.contains(&format!("Update of {parent} to board: We failed over")), "{child_log}");
    let now = world.now().await;
    let in_half_an_hour = |at: jiff::Timestamp| at.duration_since(now).as_secs().abs_diff(30 * 60) < 30;
    assert!(in_half_an_hour(due(&world, &child, "incident.update").await.unwrap()), "not in four hours");
    // What follows no more owes its own from then on.
    world.advance(10 * MINUTE).await;
    assert_eq!(world.cli(&["unfollow", &child]).await.code, 0);
    let (now, at) = (world.now().await, due(&world, &child, "incident.update").await.unwrap());
    assert!(at.duration_since(now).as_secs().abs_diff(30 * 60) < 30, "{now} {at}");
    world.act(&parent, "update", json!({"text": "Still over there", "audiences": ["board"]})).await;
    assert_eq!(world.bodies(&whole(&world, &child).await, "update_posted").await.len(), 1, "it follows no more");

    // What is promised to somebody is not met by what nobody told them.
    world.act(&child, "update", json!({"text": "We look at cards", "audiences": ["board"]})).await;
    let promised = due(&world, &child, "incident.update").await;
    world.act(&child, "follow", json!({})).await;
    world.act(&parent, "update", json!({"text": "For ourselves", "next_within": "8h"})).await;
    assert_eq!(due(&world, &child, "incident.update").await, promised, "it stood in the log alone");
    // The parent is over: its parts owe their own.
    world.act(&parent, "update", json!({"text": "Nearly over", "audiences": ["board"]})).await;
    world.act(&parent, "resolve", json!({})).await;
    assert!(world.kinds(&whole(&world, &child).await).await.contains(&"parent_unfollowed".to_owned()));
    assert!(due(&world, &child, "incident.update").await.is_some());
    assert_eq!(code(&world, &child, "follow", json!({})).await, "parent_is_over");

    // No circles, and no more levels than five, counted above the one and below the other.
    let mut chain = Vec::new();
    for title in ["a", "b", "c", "d", "e", "f"] {
        chain.push(declared(&world, title, "search").await);
    }
    let under = |upper: usize, lower: usize| (chain[lower].clone(), json!({"to": chain[upper], "is": "parent"}));
    for (upper, lower) in [(0, 1), (1, 2), (3, 4), (4, 5)] {
        let (reference, body) = under(upper, lower);
        world.act(&reference, "relate", body).await;
    }
    let (reference, body) = under(2, 3);
    assert_eq!(code(&world, &reference, "relate", body).await, "relation_too_deep");
    let (reference, body) = under(1, 3);
    world.act(&reference, "relate", body).await;
    let (reference, body) = under(5, 0);
    assert_eq!(code(&world, &reference, "relate", body).await, "relation_circle");
    assert_eq!(code(&world, &chain[5], "relate", json!({"to": chain[0], "is": "parent"})).await, "has_a_parent");
    assert_eq!(code(&world, &chain[5], "relate", json!({"to": chain[5], "is": "related"})).await, "relate_to_itself");
    assert_eq!(code(&world, &chain[5], "unrelate", json!({"to": chain[0]})).await, "not_related");
    world.act(&chain[1], "restrict", json!({"why": "a name"})).await;
    assert_eq!(code(&world, &chain[1], "relate", json!({"to": chain[5], "is": "related"})).await, "relation_across_sight");
}

async fn nothing_is_left_below_what_was_cancelled_or_merged(database: Database) {
    let world = world_of(database, organisation()).await;
    let (parent, child) = (of_ana(&world, "All payments fail", "checkout").await, of_ana(&world, "Cards fail", "search").await);
    world.act(&child, "relate", json!({"to": parent, "is": "parent", "follow": true})).await;
    world.act(&parent, "cancel", json!({"why": "it was none"})).await;
    assert!(relations(&world, &child).await.is_empty() && relations(&world, &parent).await.is_empty());
    assert_eq!(told(&world, "ana", "was the parent of this"), 1);

    let (merged, survivor) = (declared(&world, "Payments", "checkout").await, declared(&world, "Payments again", "checkout").await);
    world.act(&child, "relate", json!({"to": merged, "is": "parent", "follow": true})).await;
    world.act(&survivor, "relate", json!({"to": merged, "is": "related"})).await;
    world.act(&merged, "merge", json!({"into": survivor})).await;
    assert_eq!(relations(&world, &child).await, [(survivor.clone(), "parent".to_owned())], "it stands below the one that goes on");
    assert_eq!(relations(&world, &survivor).await, [(child.clone(), "child".to_owned())], "and nothing has to do with itself");
    assert!(relations(&world, &merged).await.is_empty());
    world.act(&survivor, "acknowledge", json!({"by": "ana"})).await;
    world.act(&survivor, "update", json!({"text": "Of both", "audiences": ["board"]})).await;
    let log = allclear_trial::world::lines(&world.events(&whole(&world, &child).await).await);
    assert!(log.contains(&format!("Update of {survivor} to board: Of both")), "{log}");
}

async fn another_team_accepts_it_or_gives_it_back(database: Database) {
    let mut world = world_of(database, organisation()).await;
    let reference = of_ana(&world, "Checkout is slow", "checkout").await;
    let (ana, ben, dan) = (token_of(&world, "ana").await, token_of(&world, "ben").await, token_of(&world, "dan").await);
    let offer = || json!({"to": "service:disk", "why": "it is the disk"});
    assert_eq!(act_as(&world, &ana, &reference, json!({"to": "team:dsiks", "why": "x"})).await, (404, "no_such_team".into()));
    assert_eq!(act_as(&world, &ana, &reference, json!({"to": "team:payments", "why": "x"})).await, (409, "team_has_it".into()));
    assert_eq!(act_as(&world, &dan, &reference, json!({"state": "accepted"})).await, (409, "transfer_not_offered".into()));
    // Nobody comes to have what is another's by offering it to their own team.
    assert_eq!(act_as(&world, &dan, &reference, offer()).await.0, 200);
    assert_eq!(act_as(&world, &dan, &reference, json!({"state": "accepted"})).await, (409, "not_its_commander".into()));
    assert_eq!(act_as(&world, &dan, &reference, json!({"state": "returned", "why": "a slip"})).await.0, 200);
    assert_eq!(act_as(&world, &ana, &reference, offer()).await.0, 200);
    assert_eq!(told(&world, "dan", "Ana Ruiz offers this incident to team Disks: it is the disk"), 1);
    assert_eq!(act_as(&world, &ben, &reference, json!({"state": "accepted"})).await, (409, "not_of_the_team".into()));
    assert_eq!(act_as(&world, &ben, &reference, json!({"state": "returned", "why": "x"})).await, (409, "not_of_the_team".into()));
    assert_eq!(act_as(&world, &dan, &reference, json!({"state": "returned"})).await.1, "words_missing");
    assert_eq!(act_as(&world, &dan, &reference, json!({"state": "returned", "why": "the disk is well"})).await.0, 200);
    assert_eq!(told(&world, "ana", "Team Disks gave this incident back: the disk is well"), 1);
    assert_eq!(due(&world, &reference, "incident.transfer").await, None);

    // Nobody answers: the team is paged, and after that it is with whoever has it.
    assert_eq!(act_as(&world, &ana, &reference, offer()).await.0, 200);
    let pages = || world.hook.to("dan").len();
    assert_eq!(pages(), 0);
    world.advance(10 * MINUTE + 5).await;
    assert_eq!(world.hook.to("dan").len(), 1, "{:#?}", world.hook.to("dan"));
    world.advance(10 * MINUTE + 5).await;
    let incident = whole(&world, &reference).await;
    assert_eq!((&incident["transfers"]["offered_to"], &incident["transfers"]["returned"]), (&Value::Null, &json!(3)), "{incident:#}");
    assert_eq!((&incident["commander"], told(&world, "ana", "Team Disks did not answer")), (&json!("ana"), 1));

    // They take it: it is theirs, and what is broken stays so; going back is counted.
    assert_eq!(world.cli_as(&ana, &["transfer", "offer", &reference, "team:disks", "--why", "it is the disk"]).await.code, 0);
    assert_eq!(world.cli_as(&dan, &["transfer", "accept", &reference]).await.code, 0);
    world.quiet().await;
    let incident = whole(&world, &reference).await;
    assert_eq!(
        (&incident["commander"], &incident["service"], &incident["transfers"]["team"]),
        (&json!("dan"), &json!("checkout"), &json!("disks"))
    );
    // What is neglected is told to those who answer for the team that has it.
    world.advance(31 * MINUTE).await;
    assert_eq!((told(&world, "eve", "No update to the stakeholders"), told(&world, "cho", "No update to the stakeholders")), (1, 0));
    // They may take it over, and those of the team that handed it over may not any more.
    for (manager, wanted) in [("cho", 409), ("eve", 200)] {
        let token = token_of(&world, manager).await;
        let request = allclear_trial::world::client().post(world.at(&format!("/api/v1/incidents/{reference}/role")));
        let body = json!({"role": "commander", "person": manager, "do": "take", "why": "nobody says anything"});
        let answer = world.send(request.bearer_auth(&token).json(&body)).await;
        assert_eq!(answer.status, wanted, "{manager}: {}", answer.text);
    }
    assert_eq!(act_as(&world, &dan, &reference, json!({"to": "team:payments", "why": "the disk is well again"})).await.0, 200);
    world.act(&reference, "acknowledge", json!({"by": "ben"})).await;
    let incident = whole(&world, &reference).await;
    let counts = ["hand_overs", "ping_pongs", "returned"].map(|count| incident["transfers"][count].as_u64().unwrap());
    assert_eq!((counts, &incident["commander"]), ([2, 1, 3], &json!("ben")), "who answers what is offered to their team accepts it");
    let shown = world.cli(&["show", &reference]).await.stdout;
    assert!(shown.contains("TO AND FRO"), "{shown}");
    let trends = world.api("/trends").await;
    assert_eq!((&trends["hand_overs"], &trends["ping_pongs"]), (&json!(2), &json!(1)), "{trends:#}");
    // An offer of what is merged is gone, and asks nobody when that is taken apart.
    let other = of_ana(&world, "The same", "search").await;
    assert_eq!(act_as(&world, &ben, &reference, offer()).await.0, 200);
    world.act(&reference, "merge", json!({"into": other})).await;
    let before = world.hook.to("dan").len();
    world.act(&reference, "take_apart", json!({})).await;
    world.advance(9 * MINUTE).await;
    assert_eq!(world.hook.to("dan").len(), before);
    assert_eq!(whole(&world, &reference).await["transfers"]["offered_to"], Value::Null);
}

async fn a_private_offer_is_seen_no_longer_than_it_stands(database: Database) {
    let mut world = world_of(database, organisation()).await;
    let reference = of_ana(&world, "Names of patients", "checkout").await;
    world.act(&reference, "restrict", json!({"why": "names"})).await;
    let (ana, dan) = (token_of(&world, "ana").await, token_of(&world, "dan").await);
    let (dans, eves) = (sign_in_as(&world, "dan").await, sign_in_as(&world, "eve").await);
    let path = format!("/api/v1/incidents/{reference}");
    let seen = async |cookie: &str| get_as(&world, cookie, &path).await.status;
    assert_eq!((seen(&dans).await, seen(&eves).await), (404, 404));
    assert_eq!(act_as(&world, &ana, &reference, json!({"to": "team:disks", "why": "the disk"})).await.0, 200);
    assert_eq!((seen(&dans).await, seen(&eves).await), (200, 200), "who is to decide reads it");
    assert_eq!(act_as(&world, &dan, &reference, json!({"state": "returned", "why": "not the disk"})).await.0, 200);
    assert_eq!((seen(&dans).await, seen(&eves).await), (404, 404), "and no longer");
    world.act(&reference, "resolve", json!({})).await;
    world.advance(2 * MINUTE).await;
    let dans_now = get_as(&world, &dans, &path).await.status;
    assert_eq!((dans_now, told(&world, "dan", "It is over")), (404, 0), "its end lets nobody in again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_board_says_what_several_want_and_of_what_nothing_is_due() {
    let world = world_of(Database::Sqlite, organisation()).await;
    let (one, two) = (of_ana(&world, "Checkout is slow", "checkout").await, of_ana(&world, "Search is slow", "search").await);
    let dan = sign_in_as(&world, "dan").await;
    let board = get_as(&world, &dan, "/").await.text;
    assert!(board.contains(&format!("<bdi>Ana Ruiz</bdi> also wanted by {two}")), "{board}");
    assert!(!board.contains("may be under"), "nothing says that the disk is affected: {board}");
    let disk = declared(&world, "A disk is gone", "disk").await;
    for path in ["/", "/?wall"] {
        let board = get_as(&world, &dan, path).await.text;
        assert!(board.contains(&format!("<bdi>Disk array</bdi> ({disk}) may be under")), "{path}: {board}");
    }
    // Who does not see one of them reads nothing of it.
    world.act(&two, "restrict", json!({"why": "a name"})).await;
    let board = get_as(&world, &dan, "/").await.text;
    assert!(board.contains(&one) && !board.contains(&two) && !board.contains("may be under") && !board.contains("also wanted"), "{board}");
    // Somebody has it, and nothing is due: it is counted, and found.
    let small =
        world.command("/incidents", json!({"title": "A typo", "severity": "sev5"})).await.ok().body["ref"].as_str().unwrap().to_owned();
    world.act(&small, "acknowledge", json!({"by": "ben"})).await;
    assert!(get_as(&world, &dan, "/").await.text.contains("1 with nothing due"));
    let undue = get_as(&world, &dan, "/?need=undue").await.text;
    assert!(undue.contains("A typo") && !undue.contains("Checkout is slow"), "{undue}");
}

async fn a_part_becomes_an_incident_of_its_own(database: Database) {
    let mut world = world_of(database, organisation()).await;
    world.fire("a disk").await;
    world.press(&world.hook.to("ana")[0].ack_path()).await.ok();
    let reference = world.incident().await["ref"].as_str().unwrap().to_owned();
    let alert = world.api(&format!("/incidents/{reference}/alerts")).await["items"][0]["id"].as_str().unwrap().to_owned();
    world.act(&reference, "affect", json!({"service": "search", "impact": "partial"})).await;
    world.act(&reference, "task", json!({"text": "Stay here"})).await;
    world.act(&reference, "task", json!({"text": "Rebuild the index", "owner": "ben", "within": "40m"})).await;
    world.act(&reference, "decision", json!({"text": "Fail over", "question": "Where?", "options": "Here\nThere"})).await;
    world.advance(30 * MINUTE).await;
    for (body, wanted) in [
        (json!({"title": "x"}), "nothing_to_split"),
        (json!({"title": "x", "tasks": "9"}), "no_such_task"),
        (json!({"title": "x", "tasks": "nine"}), "bad_request"),
        (json!({"title": "x", "services": "checkout"}), "own_service"),
        (json!({"title": "x", "alerts": "alt_00000000000000000000000001"}), "not_its_alert"),
    ] {
        assert_eq!(code(&world, &reference, "split", body).await, wanted);
    }
    let ana = token_of(&world, "ana").await;
    let ran =
        world.cli_as(&ana, &["split", &reference, "The index is stale", "--alerts", &alert, "--tasks", "2", "--services", "search"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    world.advance(15).await;
    let part = whole(&world, &reference).await["relations"][0]["ref"].as_str().unwrap().to_owned();
    assert_eq!(relations(&world, &part).await, [(reference.clone(), "split_from".to_owned())]);
    let (old, new) = (whole(&world, &reference).await, whole(&world, &part).await);
    assert_eq!(
        (&new["service"], &new["severity"], &new["commander"], &new["alerts_open"]),
        (&json!("search"), &old["severity"], &json!("ana"), &json!(1)),
        "{new:#}"
    );
    assert_eq!((&new["tasks"][0]["text"], &new["tasks"][0]["owner"]), (&json!("Rebuild the index"), &json!("ben")));
    assert_eq!((&old["recovered"], &old["alerts_open"], &old["tasks"][1]["state"]), (&json!(false), &json!(0), &json!("dropped")));
    assert_eq!(old["decisions"][0]["options"].as_array().unwrap().len(), 2, "what was decided stays as it was");
    assert_eq!(new["declared_at"], old["declared_at"], "targets do not begin anew");
    let log = allclear_trial::world::lines(&world.events(&new).await);
    assert!(log.contains("Split from") && log.contains("joined"), "{log}");
    let log = allclear_trial::world::lines(&world.events(&old).await);
    assert!(!log.to_lowercase().contains("recovered"), "{log}");
    // The task's time goes on where it is.
    world.advance(11 * MINUTE).await;
    assert_eq!(told(&world, "ben", "Task 1 is late: Rebuild the index"), 1);
    world.recover("a disk").await;
    world.advance(30).await;
    assert_eq!((&whole(&world, &part).await["recovered"], &whole(&world, &reference).await["recovered"]), (&json!(true), &json!(false)));
}

/// Handed over, only offered, and taken after the service changed: whose it is then hears that nothing is said, and may take it.
async fn whoever_answers_for_the_service_of_now_hears_of_neglect_and_may_act(database: Database) {
    let mut world = world_of(database, organisation()).await;
    let (ana, dan) = (token_of(&world, "ana").await, token_of(&world, "dan").await);
    let (cho, eve) = (token_of(&world, "cho").await, token_of(&world, "eve").await);
    let of_it = |world: &World, who: &str, reference: &str| {
        let all = world.hook.told(who);
        let of_it = all.iter().flat_map(|told| told.pages()).filter(|page| page["incident"]["ref"] == *reference);
        of_it.filter(|page| page["text"].as_str().unwrap_or_default().contains("No update to the stakeholders")).count()
    };
    let offer = || json!({"to": "team:disks", "why": "it is the disk"});
    for (how, to, is_eves) in [("accepted", "search", false), ("offered", "disk", true), ("accepted after", "search", true)] {
        let reference = of_ana(&world, "Checkout is slow", "checkout").await;
        assert_eq!(act_as(&world, &ana, &reference, offer()).await.0, 200);
        let accept = async || assert_eq!(act_as(&world, &dan, &reference, json!({"state": "accepted"})).await.0, 200, "{how}");
        if how == "accepted" {
            accept().await;
        }
        world.act(&reference, "service", json!({"service": to, "why": "it is that one"})).await;
        if how == "accepted after" {
            accept().await;
        }
        world.advance(31 * MINUTE).await;
        let told = (of_it(&world, "cho", &reference), of_it(&world, "eve", &reference));
        assert_eq!(told, if is_eves { (0, 1) } else { (1, 0) }, "{how}: {}", whole(&world, &reference).await);
        let (theirs, others) = if is_eves { (("eve", &eve), ("cho", &cho)) } else { (("cho", &cho), ("eve", &eve)) };
        for ((manager, token), wanted) in [(others, 409), (theirs, 200)] {
            let request = allclear_trial::world::client().post(world.at(&format!("/api/v1/incidents/{reference}/role")));
            let body = json!({"role": "commander", "person": manager, "do": "take", "why": "nobody says anything"});
            let answer = world.send(request.bearer_auth(token).json(&body)).await;
            assert_eq!(answer.status, wanted, "{how}, {manager}: {}", answer.text);
        }
        world.act(&reference, "resolve", json!({})).await;
    }
}
