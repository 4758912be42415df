//! Search over everything that somebody may see: what was written is found by its words, by nobody who may not read it, and through kills.

use std::collections::BTreeSet;
use std::time::Duration;

use allclear_domain::find::{Query, cut, said};
use allclear_trial::program::Program;
use allclear_trial::world::items;
use allclear_trial::{Database, World};
use serde_json::{Value, json};

use crate::private::organisation;
use crate::sign_in::{get_as, post_form, sign_in_as};
use crate::{on_both, world_of};

on_both!(
    what_was_written_is_found_by_its_words,
    nobody_finds_what_they_may_not_read,
    what_is_found_is_what_a_look_at_every_log_finds,
    a_kill_loses_nothing_that_is_found,
);

async fn ask(world: &World, token: &str, query: &str) -> Value {
    let answer = world.send(world.client.get(world.at(&format!("/api/v1/search?{query}"))).bearer_auth(token)).await;
    assert_eq!(answer.status, 200, "{query}: {}", answer.text);
    answer.body
}

/// Kinds and references of what an administrator finds.
async fn found(world: &World, query: &str) -> Vec<(String, String)> {
    let answer = ask(world, allclear_trial::org::ADMIN_TOKEN, query).await;
    let one = |hit: &Value| {
        let text = |name: &str| hit[name].as_str().unwrap_or_default().to_owned();
        (text("kind"), if hit["incident"].is_null() { text("id") } else { text("incident") })
    };
    items(&answer).iter().map(one).collect()
}

/// Until the index has read all that is written: what the metrics say of it.
async fn read(world: &World) {
    for _ in 0..200 {
        let metrics = world.get("/metrics").await.ok().text;
        let behind = metrics.lines().find_map(|line| line.strip_prefix("allclear_search_behind ")).unwrap_or_else(|| panic!("{metrics}"));
        if behind.trim() == "0" {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("what was written is not read for searches in ten seconds");
}

async fn token_of(world: &World, person: &str) -> String {
    let made = world.command("/tokens", json!({"name": person, "scope": "respond", "person": person})).await.ok().body;
    made["token"].as_str().unwrap().to_owned()
}

async fn declared(world: &World, title: &str, private: bool) -> String {
    let made =
        world.command("/incidents", json!({"title": title, "private": private, "page": false, "service": "checkout"})).await.ok().body;
    made["ref"].as_str().unwrap().to_owned()
}

async fn what_was_written_is_found_by_its_words(database: Database) {
    let world = world_of(database, organisation()).await;
    let reference = declared(&world, "Überlast auf db-7.eu-west", false).await;
    for (verb, body) in [
        ("note", json!({"text": "The pager of the <b>Wärter</b> rang: ORA-00942 🔥"})),
        ("update", json!({"text": "We look into slow payments", "audiences": []})),
        ("decision", json!({"text": "Fail over to Dublin", "question": "Where to?"})),
        ("task", json!({"text": "Call the datacentre"})),
        ("hypothesis", json!({"text": "Connection pool exhausted"})),
        ("want", json!({"what": "Two diesel generators", "place": "Hall 3"})),
        ("severity", json!({"severity": "sev2", "why": "Hospitals are affected"})),
    ] {
        world.act(&reference, verb, body).await;
    }
    let action = json!({"text": "Renew the certificates", "owner": "ana", "due_at": "2030-01-01T00:00:00Z", "incident": reference});
    world.command("/actions", action).await.ok();
    let labels = json!({"host": "ingest-4", "region": "東京リージョン"});
    world.signal(json!({"title": "Disk almost full", "dedup_key": "d", "severity": "info", "labels": labels})).await;
    world.quiet().await;

    let all = [
        ("uberlast", "incident"),
        ("db-7.eu-west", "incident"),
        ("ORA-00942", "note"),
        ("warter 🔥", "note"),
        ("slow pay", "update"),
        ("\"fail over\" dublin", "decision"),
        ("datacentre", "task"),
        ("pool exhausted", "hypothesis"),
        ("diesel hall", "resource"),
        ("hospitals", "entry"),
        ("certificates", "action"),
    ];
    // At once, when the index has it, and after the program was started again.
    for round in 0..3 {
        for (words, kind) in all {
            let words = urlencoded(words);
            let hits = found(&world, &format!("q={words}")).await;
            assert_eq!(hits, [(kind.to_owned(), reference.clone())], "{words} in round {round}");
            assert_eq!(found(&world, &format!("q={words}&kind={kind}")).await.len(), 1, "{words} in round {round}");
            assert!(found(&world, &format!("q={words}&kind=report")).await.is_empty());
            assert!(found(&world, &format!("q={words}&state=closed")).await.is_empty());
            assert_eq!(found(&world, &format!("q={words}&open=true&service=checkout&from=2020-01-01T00:00:00Z")).await.len(), 1);
            assert!(found(&world, &format!("q={words}&to=2020-01-01T00:00:00Z")).await.is_empty());
        }
        for words in ["ingest-4 disk", "東京", "host ingest"] {
            let hits = found(&world, &format!("q={}", urlencoded(words))).await;
            assert!(hits.len() == 1 && hits[0].0 == "alert", "{words}: {hits:?}");
        }
        read(&world).await;
    }
    // A reference, a person, a service, each before what was written.
    world.act(&reference, "note", json!({"text": format!("as {reference}, said Person ana of Checkout")})).await;
    assert_eq!(
        found(&world, &format!("q={reference}")).await,
        [("incident".to_owned(), reference.clone()), ("note".to_owned(), reference.clone())]
    );
    let number = reference.trim_start_matches("INC-");
    assert_eq!(found(&world, &format!("q={number}")).await[0], ("incident".to_owned(), reference.clone()));
    assert_eq!(found(&world, "q=person%20ana").await[0], ("person".to_owned(), "ana".to_owned()));
    assert_eq!(found(&world, "q=checkout&kind=service").await, [("service".to_owned(), "checkout".to_owned())]);
    // A title that changed is found by its new words and not by its old ones.
    world.act(&reference, "rename", json!({"title": "Solved by an index"})).await;
    assert_eq!(found(&world, "q=solved&kind=incident").await.len(), 1);
    assert!(found(&world, "q=uberlast&kind=incident").await.is_empty());
    read(&world).await;
    assert!(found(&world, "q=uberlast&kind=incident").await.is_empty());
    // Page by page each once, in the order of the whole.
    for n in 0..7 {
        world.act(&reference, "note", json!({"text": format!("serial number {n}")})).await;
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let answer = ask(&world, allclear_trial::org::ADMIN_TOKEN, &format!("q=serial&limit=3{cursor}")).await;
        seen.extend(items(&answer).iter().map(|hit| hit["id"].as_str().unwrap().parse::<i64>().unwrap()));
        let Some(next) = answer["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert!(seen.len() == 7 && seen.is_sorted_by(|a, b| a > b), "{seen:?}");
    for (query, code) in [
        ("q=", "invalid"),
        ("q=%2D", "invalid"),
        ("q=x&cursor=y", "invalid"),
        ("q=x&kind=thing", "bad_request"),
        ("q=x&limit=0", "bad_request"),
    ] {
        let refused = world.get(&format!("/api/v1/search?{query}")).await;
        assert_eq!(refused.body["code"].as_str(), Some(code), "{query}: {}", refused.text);
    }

    // The page marks the words and takes nothing that was written for markup; the command line says the same.
    let cookie = sign_in_as(&world, "ana").await;
    let page = get_as(&world, &cookie, "/search?q=warter").await.text;
    assert!(page.contains("&lt;b&gt;<mark>Wärter</mark>&lt;/b&gt;"), "{page}");
    let teaches = get_as(&world, &cookie, "/search").await.text;
    assert!(teaches.contains("one after another"), "{teaches}");
    assert!(get_as(&world, &cookie, "/search?q=nowhere&kind=note").await.text.contains("Look everywhere"));
    assert!(get_as(&world, &cookie, "/search?q=%2D").await.text.contains("There are no words in it"));
    let ran = world.cli(&["search", "fail over", "dublin", "--kind", "decision"]).await;
    assert!(ran.code == 0 && ran.stdout.contains("*Fail* *over* to *Dublin*"), "{} {}", ran.stdout, ran.stderr);
    assert!(world.cli(&["search", "nowhere"]).await.stdout.contains("nothing that you may see"));
}

fn urlencoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

async fn nobody_finds_what_they_may_not_read(database: Database) {
    let world = world_of(database, organisation()).await;
    let open = declared(&world, "An open matter", false).await;
    let private = declared(&world, "kestrel of the board", true).await;
    for reference in [&open, &private] {
        world.act(reference, "note", json!({"text": "common ground"})).await;
    }
    world.act(&private, "note", json!({"text": "kestrel nest"})).await;
    world.act(&private, "task", json!({"text": "feed the kestrel"})).await;
    let action = json!({"text": "house the kestrel", "owner": "ana", "due_at": "2030-01-01T00:00:00Z", "incident": private});
    world.command("/actions", action).await.ok();
    let secret = json!({"title": "kestrel seen", "dedup_key": "k", "severity": "info", "labels": {"secret": "yes"}});
    world.signal(secret).await;
    world.act(&open, "note", json!({"text": "falcon of the leaders", "marking": "red"})).await;
    let adm = sign_in_as(&world, "adm").await;
    assert_eq!(post_form(&world, "/menu/test", Some(&adm), &[("once", "1790000000000000")]).await.status, 303);
    world.quiet().await;
    for _ in 0..2 {
        for person in ["ben", "dan", "obs", "gus"] {
            let token = token_of(&world, person).await;
            // Word for word what somebody is told who looks for what is nowhere: no count, no piece, no place to go on from.
            let nowhere = ask(&world, &token, "q=nowhere").await;
            assert_eq!((items(&nowhere).len(), nowhere["next"].is_null()), (0, true));
            for words in
                ["kestrel", "kestrel%20nest", "feed", "house%20the", "falcon", &private, "kestrel&limit=1", "kestrel&kind=alert", "kes"]
            {
                assert_eq!(ask(&world, &token, &format!("q={words}")).await, nowhere, "{person} finds {words}");
            }
            let common = items(&ask(&world, &token, "q=common").await);
            let wanted = if person == "gus" { vec![] } else { vec![open.clone()] };
            assert_eq!(common.iter().map(|hit| hit["incident"].as_str().unwrap().to_owned()).collect::<Vec<_>>(), wanted, "{person}");
            let page = ask(&world, &token, "q=common&limit=1").await;
            assert!(person == "gus" || items(&page).len() == 1);
        }
        let cho = token_of(&world, "cho").await;
        assert_eq!(items(&ask(&world, &cho, "q=falcon").await).len(), 1, "who manages the team reads what is red");
        assert_eq!(items(&ask(&world, &cho, "q=kestrel").await).len(), 6, "and what is private");
        assert!(found(&world, "q=%22test%20page%22").await.is_empty(), "what is practised is not looked for unless somebody asks");
        assert_eq!(found(&world, "q=%22test%20page%22&exercises=true").await.len(), 1);
        read(&world).await;
    }
    world.act(&private, "admit", json!({"person": "gus"})).await;
    let gus = token_of(&world, "gus").await;
    assert_eq!(items(&ask(&world, &gus, "q=kestrel").await).len(), 4, "and nothing of the one that the alarm made");
    assert!(items(&ask(&world, &gus, "q=ana").await).is_empty(), "a guest sees nothing of the house");
    let cookie = sign_in_as(&world, "ben").await;
    let page = get_as(&world, &cookie, "/search?q=kestrel").await.text;
    assert!(!page.contains(&private) && !page.contains("nest") && page.contains("Nothing that you may see"), "{page}");
    assert_eq!(world.send(world.client.get(world.at("/api/v1/search?q=common"))).await.status, 401);
}

/// Everything that the reading doors show somebody, and which of it has some words: the same as is found.
async fn what_is_found_is_what_a_look_at_every_log_finds(database: Database) {
    const WORDS: [&str; 6] = ["heron", "herons fly", "crane", "db-7", "\"crane heron\"", "9"];
    let world = world_of(database, organisation()).await;
    let mut state = 7_u64;
    let mut pick = |n: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % n
    };
    for n in 0..8 {
        let private = pick(3) == 0;
        let reference = declared(&world, &format!("{} {n}", WORDS[pick(3) as usize]), private).await;
        if private && pick(2) == 0 {
            world.act(&reference, "admit", json!({"person": "gus"})).await;
        }
        for _ in 0..4 {
            let text = format!("{} {}", WORDS[pick(4) as usize], WORDS[pick(4) as usize]);
            let marking = ["clear", "amber", "red"][pick(3) as usize];
            match pick(3) {
                0 => world.act(&reference, "note", json!({"text": text, "marking": marking})).await,
                1 => world.act(&reference, "task", json!({"text": text})).await,
                _ => world.act(&reference, "decision", json!({"text": text})).await,
            };
        }
    }
    world.quiet().await;
    for round in 0..2 {
        for person in ["ana", "ben", "cho", "obs", "gus", "adm"] {
            let token = token_of(&world, person).await;
            let get = async |path: String| world.send(world.client.get(world.at(&path)).bearer_auth(&token)).await.ok().body;
            let mut seen = Vec::new();
            for incident in items(&get("/api/v1/incidents?limit=200".to_owned()).await) {
                let reference = incident["ref"].as_str().unwrap().to_owned();
                for event in items(&get(format!("/api/v1/incidents/{reference}/events?limit=1000")).await) {
                    let body = event["body"].as_object().map(|_| event["body"].to_string());
                    if let Some(said) = said(event["kind"].as_str().unwrap(), body.as_deref()) {
                        let id = if said.thing.word() == "incident" {
                            incident["id"].as_str().unwrap().to_owned()
                        } else {
                            event["seq"].to_string()
                        };
                        seen.push((id, said.text));
                    }
                }
            }
            for words in WORDS {
                let query = Query::read(words).unwrap();
                let wanted: BTreeSet<String> = seen.iter().filter(|(_, text)| query.finds(&cut(text))).map(|(id, _)| id.clone()).collect();
                let (mut hits, mut cursor) = (Vec::new(), String::new());
                loop {
                    let answer = ask(&world, &token, &format!("q={}&limit=4{cursor}", urlencoded(words))).await;
                    hits.extend(items(&answer).iter().map(|hit| hit["id"].as_str().unwrap().to_owned()));
                    let Some(next) = answer["next"].as_str() else { break };
                    cursor = format!("&cursor={next}");
                }
                assert_eq!(hits.iter().cloned().collect::<BTreeSet<_>>(), wanted, "{person} and {words} in round {round}");
                assert_eq!(hits.len(), wanted.len(), "each once");
            }
        }
        read(&world).await;
    }
}

async fn a_kill_loses_nothing_that_is_found(database: Database) {
    let mut world = world_of(database, organisation()).await;
    let reference = declared(&world, "A matter", false).await;
    for n in 0..6 {
        for _ in 0..5 {
            world.act(&reference, "note", json!({"text": format!("round {n} of herons")})).await;
        }
        // Wherever the reading of it is.
        world.kill().await;
        world.start_again(&[]).await;
    }
    read(&world).await;
    assert_eq!(found(&world, "q=heron&limit=200").await.len(), 30);
    let doctor = world.cli(&["doctor"]).await;
    assert!(
        !doctor.stdout.contains("is not found by") && !doctor.stderr.contains("is not found by"),
        "{} {}",
        doctor.stdout,
        doctor.stderr
    );
}

/// A board or a search under a name: one's own, or of a team and everybody in it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_view_is_kept_under_a_name_and_shared_with_a_team() {
    let world = world_of(Database::Sqlite, organisation()).await;
    let (ana, ben, dan) = (token_of(&world, "ana").await, token_of(&world, "ben").await, token_of(&world, "dan").await);
    let asked = async |method: reqwest::Method, token: &str, path: &str, body: Value| {
        let request = world.client.request(method, world.at(&format!("/api/v1/me/saved-views{path}"))).bearer_auth(token);
        world.send(request.json(&body)).await
    };
    let post = async |token: &str, body: Value| asked(reqwest::Method::POST, token, "", body).await;
    let names = async |token: &str| -> Vec<String> {
        let list = asked(reqwest::Method::GET, token, "", Value::Null).await.ok().body;
        items(&list).iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
    };
    let own = post(&ana, json!({"name": " My  sev1s ", "address": "/?severity=sev1"})).await.ok().body;
    assert_eq!((own["name"].as_str(), own["team"].is_null()), (Some("My sev1s"), true));
    let shared = post(&ana, json!({"name": "Failovers", "address": "/search?q=failover&cursor=w9", "team": "payments"})).await.ok().body;
    assert_eq!(shared["address"], "/search?q=failover");
    assert_eq!(
        (names(&ana).await, names(&ben).await, names(&dan).await),
        (vec!["My sev1s".into(), "Failovers".into()], vec!["Failovers".to_owned()], vec![])
    );
    for (token, body, status, code) in [
        (&ana, json!({"name": "My sev1s", "address": "/?mine"}), 409, "view_exists"),
        (&ana, json!({"name": "x", "address": "https://evil.example/?q=1"}), 422, "invalid"),
        (&ana, json!({"name": " ", "address": "/?mine"}), 422, "invalid"),
        (&dan, json!({"name": "x", "address": "/?mine", "team": "payments"}), 404, "no_such_team"),
        (&allclear_trial::org::ADMIN_TOKEN.to_owned(), json!({"name": "x", "address": "/?mine"}), 422, "person_needed"),
    ] {
        let refused = post(token, body.clone()).await;
        assert_eq!((refused.status, refused.body["code"].as_str()), (status, Some(code)), "{body}: {}", refused.text);
    }
    // Who is not in it has no hand in it; who is, has.
    let path = format!("/{}", shared["id"].as_str().unwrap());
    assert_eq!(asked(reqwest::Method::PUT, &dan, &path, json!({"name": "Mine"})).await.status, 404);
    assert_eq!(asked(reqwest::Method::DELETE, &dan, &path, Value::Null).await.status, 404);
    asked(reqwest::Method::PUT, &ben, &path, json!({"name": "Fail-overs"})).await.ok();
    assert_eq!(names(&ana).await, ["My sev1s", "Fail-overs"]);
    for n in 1..30 {
        post(&ana, json!({"name": n.to_string(), "address": "/?mine"})).await.ok();
    }
    assert_eq!(post(&ana, json!({"name": "one more", "address": "/?mine"})).await.body["code"], "too_many_views");

    // By forms, from the pages that show them.
    let cookie = sign_in_as(&world, "ben").await;
    let form = async |path: &str, fields: &[(&str, &str)]| post_form(&world, path, Some(&cookie), fields).await;
    let made = form("/saved", &[("name", "Notes on disks"), ("address", "/search?q=disk&kind=note")]).await;
    assert_eq!((made.status, made.header("location")), (303, Some("/search?q=disk&kind=note")), "{}", made.text);
    assert_eq!(form("/saved", &[("name", "Notes on disks"), ("address", "/search?q=disk&kind=note")]).await.status, 303, "pressed twice");
    let page = get_as(&world, &cookie, "/search?q=disk&kind=note").await.text;
    assert!(page.contains("Notes on disks") && page.contains("aria-current=\"true\"") && !page.contains("Save this view"), "{page}");
    declared(&world, "Something", false).await;
    assert!(get_as(&world, &cookie, "/").await.text.contains("Fail-overs"));
    assert!(get_as(&world, &cookie, "/?severity=sev3").await.text.contains("Save this view"));
    let refused = form("/saved", &[("name", "x"), ("address", "/settings?x")]).await;
    assert!(refused.status == 422 && refused.text.contains("This was not saved"), "{}", refused.text);
    let listed = asked(reqwest::Method::GET, &ben, "", Value::Null).await.ok().body;
    let id = items(&listed).iter().find(|one| one["team"].is_null()).unwrap()["id"].as_str().unwrap().to_owned();
    assert_eq!(form(&format!("/saved/{id}/rename"), &[("name", "Disks")]).await.status, 303);
    assert!(get_as(&world, &cookie, "/search").await.text.contains("Disks"));
    for _ in 0..2 {
        assert_eq!(form(&format!("/saved/{id}/remove"), &[]).await.status, 303, "pressed twice");
    }
    assert_eq!(names(&ben).await, ["Fail-overs"]);
}

/// Of two nodes whichever comes first reads; both answer alike.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_find_the_same() {
    let Some(database) = Database::postgres("the story of two nodes that search").await else { return };
    let world = world_of(database, organisation()).await;
    let dir = tempfile::tempdir().unwrap();
    let other = Program::start(&world.launch_on(&world.database(), dir.path(), &[]), &world.client).await.unwrap();
    let reference = declared(&world, "A matter", false).await;
    for n in 0..20 {
        world.act(&reference, "note", json!({"text": format!("heron {n}")})).await;
    }
    for _ in 0..2 {
        let of_other =
            world.client.get(format!("{}/api/v1/search?q=heron&limit=200", other.url)).bearer_auth(allclear_trial::org::ADMIN_TOKEN);
        let there = world.send(of_other).await.ok().body;
        let here = ask(&world, allclear_trial::org::ADMIN_TOKEN, "q=heron&limit=200").await;
        assert_eq!((items(&here).len(), &here), (20, &there));
        read(&world).await;
    }
}
