//! A fire drill of an escalation policy over the real path: every level is asked, its result is kept, and nothing of it is among
//! what is real.

use allclear_trial::webhook_sink::Delivery;
use allclear_trial::world::{Answer, items};
use allclear_trial::{Database, World, org};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{on_both, world_of};

on_both!(
    a_drill_walks_every_level_and_ends_by_itself_also_over_a_crash,
    whoever_is_being_paged_for_something_real_is_not_drilled,
    a_policy_that_changes_and_people_who_leave_do_not_disturb_a_drill,
);

/// Seconds of a minute.
const MINUTE: u64 = 60;

async fn drill(world: &World, body: Value) -> Value {
    let answer = world.command("/drills", body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    world.quiet().await;
    answer.body
}

async fn shown(world: &World, drill: &Value) -> Value {
    world.api(&format!("/drills/{}", drill["id"].as_str().unwrap())).await
}

fn outcomes(drill: &Value) -> Vec<&str> {
    drill["levels"].as_array().unwrap().iter().map(|level| level["outcome"].as_str().unwrap_or("goes on")).collect()
}

fn drills(world: &World, who: &str) -> Vec<Delivery> {
    world.hook.to(who).into_iter().filter(|one| one.kind() == "drill").collect()
}

fn pages(world: &World, who: &str) -> usize {
    world.hook.to(who).iter().filter(|one| one.is_page()).count()
}

async fn token(world: &World, person: &str) -> String {
    let made = world.command("/tokens", json!({"name": person, "scope": "respond", "person": person})).await.ok().body;
    made["token"].as_str().unwrap().to_owned()
}

async fn ask_as(world: &World, token: &str, method: Method, path: &str, body: Value) -> Answer {
    world.send(world.client.request(method, world.at(&format!("/api/v1{path}"))).bearer_auth(token).json(&body)).await
}

async fn page_of(world: &World, path: &str) -> String {
    world.send(world.client.get(world.at(path)).bearer_auth(org::ADMIN_TOKEN).header("accept", "text/html")).await.ok().text
}

async fn a_drill_walks_every_level_and_ends_by_itself_also_over_a_crash(database: Database) {
    let mut world = world_of(database, org::usual()).await;
    let begun = drill(&world, json!({"escalation": "payments"})).await;
    assert_eq!((begun["state"].as_str(), begun["mode"].as_str(), begun["of"].as_u64()), (Some("running"), Some("exercise"), Some(2)));
    let asked = drills(&world, "ana").remove(0);
    let title = asked.page()["incident"]["title"].as_str().unwrap().to_owned();
    assert!(title.starts_with("DRILL of payments: nothing is wrong"), "{title}");
    assert!(!asked.is_page(), "no program takes it for a page: {}", asked.body);

    // Of one policy one runs at a time, and the refusal says where.
    let again = world.command("/drills", json!({"escalation": "payments"})).await;
    assert_eq!((again.status, again.body["code"].as_str()), (409, Some("drill_runs")));
    assert!(again.text.contains(begun["id"].as_str().unwrap()), "{}", again.text);

    // Behind the link it says first that it is a drill; whoever is not asked proves nothing.
    let link = asked.ack_path();
    let small = world.send(world.client.get(world.at(&link)).header("accept", "text/html")).await.ok().text;
    assert!(small.contains("This is a fire drill. Nothing is wrong") && small.contains("Acknowledge the drill"), "{small}");
    let page = format!("/pages/{}/acknowledge", begun["id"].as_str().unwrap());
    let other = world.command(&page, json!({"by": "ben"})).await;
    assert_eq!((other.status, other.body["code"].as_str()), (409, Some("not_asked_in_drill")), "{}", other.text);

    world.advance(41).await;
    world.press(&link).await.ok();
    world.quiet().await;
    assert_eq!(drills(&world, "ben").len(), 1, "the next level at once");
    let small = world.send(world.client.get(world.at(&link)).header("accept", "text/html")).await.ok().text;
    assert!(small.contains("Your answer is kept"), "{small}");

    // The node dies in the middle; its expectation carries the drill.
    world.restart_after(std::time::Duration::from_secs(20)).await;
    world.advance(5 * MINUTE + 5).await;
    let ended = shown(&world, &begun).await;
    assert_eq!(ended["state"], "walked", "{ended:#}");
    assert_eq!(outcomes(&ended), ["answered", "missed"]);
    assert_eq!((ended["passed"].as_u64(), ended["of"].as_u64()), (Some(1), Some(2)));
    let first = &ended["levels"][0];
    assert!((41_000..60_000).contains(&first["after_ms"].as_u64().unwrap()), "{first:#}");
    let ana = &first["people"][0];
    assert_eq!((ana["answered_via"].as_str(), ana["late"].as_bool()), (Some("link"), Some(false)), "{ana:#}");
    assert_eq!((ana["ways"][0]["contact"].as_str(), ana["ways"][0]["says"].as_str()), (Some("hook"), Some("delivered")), "{ana:#}");
    assert_eq!(ended["levels"][1]["people"][0]["says"], "did not answer");

    // Nothing follows, and nothing of it is among what is real.
    let seen = world.hook.all().len();
    world.advance(3_600).await;
    assert_eq!(world.hook.all().len(), seen, "no round, no catch-all, nothing comes back: {:?}", world.hook.after(seen));
    assert!(world.incidents("").await.is_empty() && world.incidents("open=true&exercises=true").await.is_empty());
    assert_eq!(world.api("/trends").await["incidents"], 0);
    let metrics = world.send(world.client.get(world.at("/metrics"))).await.ok().text;
    assert!(!metrics.lines().any(|line| line.starts_with("allclear_pages_total{") && !line.ends_with(" 0")), "{metrics}");
    let listed = items(&world.api("/drills?escalation=payments").await);
    assert_eq!((listed.len(), listed[0]["passed"].as_u64()), (1, Some(1)));
    assert!(listed[0]["levels"][0]["people"].is_null(), "nobody is named in a list");
    assert_eq!(world.cli(&["verify"]).await.code, 0, "its logs are whole");
    for path in ["/on-call/drills", "/on-call/ready", "/settings/escalation/payments"] {
        let page = page_of(&world, path).await;
        assert!(page.contains("1 of 2 levels answered"), "{path}: {page}");
    }
    let page = page_of(&world, &format!("/on-call/drills/{}", begun["id"].as_str().unwrap())).await;
    assert!(page.contains("Answered after 4") && page.contains("Did not answer") && page.contains("delivered"), "{page}");
}

async fn whoever_is_being_paged_for_something_real_is_not_drilled(database: Database) {
    let steps = "{page: [\"person:ana\", \"person:ben\"], within: 5m}, {page: [\"person:cho\"], within: 5m}";
    let one = "escalations:\n  - {id: payments, steps: [{page: [\"person:ana\"], within: 5m}]}\n";
    let both = format!("{one}  - {{id: both, steps: [{steps}]}}\n");
    let mut world = world_of(database, org::with_escalation(&both)).await;
    world.fire("disk").await;
    let begun = drill(&world, json!({"escalation": "both", "wait": "2m"})).await;
    assert_eq!((drills(&world, "ana").len(), drills(&world, "ben").len()), (0, 1));
    let level = &shown(&world, &begun).await["levels"][0];
    assert!(level["people"][1]["not_asked"].as_str().unwrap().contains("something real"), "{level:#}");
    // What is real goes its way beside it.
    world.fire("cable").await;
    assert_eq!(pages(&world, "ana"), 2, "a drill holds nothing back");
    // Two minutes are shorter than the level's own time.
    world.advance(2 * MINUTE + 2).await;
    assert_eq!(drills(&world, "cho").len(), 1);
    world.press(&drills(&world, "cho").remove(0).ack_path()).await.ok();
    world.quiet().await;
    let ended = shown(&world, &begun).await;
    assert_eq!((outcomes(&ended), ended["state"].as_str()), (vec!["missed", "answered"], Some("walked")), "{ended:#}");
    let open = world.incidents("open=true").await;
    assert_eq!(open.len(), 2, "what is real stays: {open:?}");
    let late = world.press(&drills(&world, "ben").remove(0).ack_path()).await;
    assert!(late.status == 409 || late.status == 303, "{} {}", late.status, late.text);
}

async fn a_policy_that_changes_and_people_who_leave_do_not_disturb_a_drill(database: Database) {
    let many: Vec<String> = (0..65).map(|n| format!("p{n:02}")).collect();
    let people: String = many
        .iter()
        .map(|id| {
            format!("  - {{id: {id}, name: Person {id}, contacts: [{{id: hook, webhook: \"{{HOOK}}/{id}\", secret: \"{{SECRET}}\"}}]}}\n")
        })
        .collect();
    let crowd = format!("teams:\n  - {{id: crowd, name: Crowd, members: [{}], managers: [ben]}}\n", many.join(", "));
    let with = |steps: &str, people: &str| {
        let escalations = format!("escalations:\n  - {{id: payments, steps: [{steps}]}}\n");
        org::with_escalation(&escalations).replace("people:\n", &format!("people:\n{people}")).replace("teams:\n", &crowd)
    };
    let steps = "{page: [\"team:crowd\"], within: 5m, acknowledged_by: 65}, {page: [\"person:ana\"], within: 5m}, {page: [\"person:cho\"], within: 5m}";
    let world = world_of(database, with(steps, &people)).await;
    let ben = token(&world, "ben").await;
    let started = ask_as(&world, &ben, Method::POST, "/drills", json!({"escalation": "payments"})).await;
    assert_eq!(started.status, 201, "a manager of a team that it pages: {}", started.text);
    world.quiet().await;
    let begun = started.body;
    let asked: Vec<Delivery> = many.iter().flat_map(|id| drills(&world, id)).collect();
    assert_eq!(asked.len(), 65);
    let links: Vec<String> = asked.iter().map(Delivery::ack_path).collect();
    let taps = links.iter().map(|link| world.press(link)).collect::<Vec<_>>();
    for tap in futures_util::future::join_all(taps).await {
        tap.ok();
    }
    world.quiet().await;
    let now = shown(&world, &begun).await;
    assert_eq!(outcomes(&now), ["answered", "goes on"], "{now:#}");
    assert_eq!(now["levels"][0]["people"].as_array().unwrap().iter().filter(|one| one["answered_at"].is_string()).count(), 65);

    // Another policy, in which Ana is the only step, and Cho is gone: the drill walks the one that it began with.
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("org.yaml");
    let other = with("{page: [\"person:ana\"], within: 5m}", &people)
        .lines()
        .filter(|line| !line.contains("id: cho,") && !line.starts_with("catch_all"))
        .map(|line| format!("{}\n", line.replace("managers: [cho]", "managers: [ben]")))
        .collect::<String>();
    std::fs::write(&file, org::filled(&other, &world.hook.url())).unwrap();
    let applied = world.cli(&["config", "apply", "--prune", file.to_str().unwrap()]).await;
    assert_eq!(applied.code, 0, "{applied:?}");
    world.quiet().await;
    world.press(&drills(&world, "ana").remove(0).ack_path()).await.ok();
    world.quiet().await;
    let ended = shown(&world, &begun).await;
    assert_eq!((outcomes(&ended), ended["state"].as_str()), (vec!["answered", "answered", "nobody"], Some("walked")), "{ended:#}");
    assert!(ended["levels"][2]["why"].as_str().unwrap().contains("there is no person `cho`"), "{ended:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_how_often_and_by_which_doors() {
    let mut world = world_of(Database::Sqlite, org::usual()).await;
    let (ana, cho) = (token(&world, "ana").await, token(&world, "cho").await);
    let body = || json!({"escalation": "payments", "wait": "10s"});
    let no = ask_as(&world, &ana, Method::POST, "/drills", body()).await;
    assert_eq!((no.status, no.body["code"].as_str()), (403, Some("forbidden")), "{}", no.text);
    let none = world.command("/drills", json!({"escalation": "nothing"})).await;
    assert_eq!((none.status, none.body["code"].as_str()), (404, Some("no_such_escalation")), "{}", none.text);
    let short = world.command("/drills", json!({"escalation": "payments", "wait": "3s"})).await;
    assert_eq!((short.status, short.body["code"].as_str()), (422, Some("invalid")), "{}", short.text);
    assert_eq!(world.get("/api/v1/drills/nothing").await.status, 404);

    // A manager of the team of a service that has the policy; stopped by whoever may start it, and by nobody else.
    let begun = ask_as(&world, &cho, Method::POST, "/drills", body()).await;
    assert_eq!((begun.status, begun.body["started_by"].as_str()), (201, Some("cho")), "{}", begun.text);
    world.quiet().await;
    let stop = format!("/drills/{}/stop", begun.body["id"].as_str().unwrap());
    assert_eq!(ask_as(&world, &ana, Method::POST, &stop, json!({})).await.status, 403);
    let stopped = ask_as(&world, &cho, Method::POST, &stop, json!({})).await.ok().body;
    assert_eq!((stopped["state"].as_str(), outcomes(&stopped)), (Some("stopped"), vec!["stopped"]), "{stopped:#}");
    assert_eq!(stopped["ended"], "Cho Min-ji stopped it");
    assert_eq!(ask_as(&world, &cho, Method::POST, &stop, json!({})).await.status, 200, "twice is once");

    // By forms, as a browser without a script sends them.
    let form = |path: &str, fields: &str| {
        let request =
            world.client.post(world.at(path)).bearer_auth(&cho).header("accept", "text/html").header("sec-fetch-site", "same-origin");
        world.send(request.header("content-type", "application/x-www-form-urlencoded").body(fields.to_owned()))
    };
    let wrong = form("/on-call/drills", "once=1790000000000000&escalation=payments&wait=soon").await;
    assert!(wrong.status == 422 && wrong.text.contains("This was not done"), "{} {}", wrong.status, wrong.text);
    let sent = form("/on-call/drills", "once=1790000000000000&escalation=payments&wait=10s").await;
    let to = sent.header("location").unwrap_or_default().to_owned();
    assert!(sent.status == 303 && to.starts_with("/on-call/drills/pag"), "{} {to} {}", sent.status, sent.text);
    assert_eq!(
        form("/on-call/drills", "once=1790000000000000&escalation=payments&wait=10s").await.header("location"),
        Some(to.as_str()),
        "pressed twice it is one"
    );
    let page = world.send(world.client.get(world.at(&to)).bearer_auth(&cho).header("accept", "text/html")).await.ok().text;
    assert!(page.contains("Stop the drill") && page.contains("asked since"), "{page}");
    assert_eq!(form(&format!("{to}/stop"), "once=1790000000000002").await.status, 303);

    // From a terminal; and after six in a day it is refused, with the wait.
    world.quiet().await;
    let ran = world.cli(&["drill", "payments", "--wait", "10s", "--no-wait"]).await;
    assert!(ran.code == 0 && ran.stdout.starts_with("pag"), "{ran:?}");
    world.advance(60).await;
    let shown = world.cli(&["drills", "--show", ran.stdout.trim()]).await;
    assert!(shown.stdout.contains("Level 1: missed") && shown.stdout.contains("0 of 2 levels answered"), "{shown:?}");
    for _ in 3..6 {
        drill(&world, body()).await;
        world.advance(60).await;
    }
    let often = world.command("/drills", body()).await;
    assert_eq!((often.status, often.body["code"].as_str()), (429, Some("too_often")), "{}", often.text);
    let wait: u64 = often.header("retry-after").expect("when again").parse().unwrap();
    assert!((23 * 3_600..=24 * 3_600).contains(&wait), "{wait}");
    let listed = world.cli(&["drills", "payments"]).await;
    assert_eq!(listed.stdout.lines().count(), 7, "{listed:?}");
    world.advance(wait).await;
    drill(&world, body()).await;
}

/// A drill where what waits for one person goes out together: its message goes alone, and a page that follows goes at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drill_is_never_told_together_with_what_is_real() {
    let world = World::start(crate::gathering(Database::Sqlite).org(org::usual())).await;
    drill(&world, json!({"escalation": "payments"})).await;
    assert_eq!(drills(&world, "ana").len(), 1);
    world.fire("disk").await;
    assert_eq!(pages(&world, "ana"), 1, "no window was opened by it");
}
