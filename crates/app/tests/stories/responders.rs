//! Further responders are asked, each answers for themself, and whoever asked hears who did not.

use allclear_trial::webhook_sink::Delivery;
use allclear_trial::{Database, World, org, world::lines};
use serde_json::{Value, json};

use crate::sign_in::{get_as, post_form, sign_in_as};
use crate::{begun, on_both, world_of};

on_both!(
    each_who_is_asked_accepts_or_declines_and_the_holder_keeps_it,
    who_does_not_answer_is_told_to_whoever_asked,
    a_request_is_cancelled_and_a_policy_asked,
    sixty_five_requests_at_once_are_bounded,
);

/// Seconds of a minute.
const MINUTE: u64 = 60;
const QUIET: &str = "severities: [{id: sev2, update_every: 0s, acknowledgement_lasts: never}]\n";

fn organisation() -> String {
    let dan = "  - {id: dan, name: Dan Holm, email: dan@example.org, contacts: [{id: hook, webhook: \"{HOOK}/dan\", secret: \"{SECRET}\"}], notify: {high: [{contact: hook}], low: [{contact: hook}]}}\nteams:\n  - {id: disks, name: Disks, members: [ben, dan]}\n";
    let usual = org::usual().replace("teams:\n", dan);
    usual.replace(
        "escalations:\n",
        "escalations:\n  - {id: disks, steps: [{page: [\"person:dan\"], within: 5m}, {page: [\"person:cho\"], within: 5m}]}\n",
    ) + QUIET
}

async fn token(world: &World, who: &str) -> String {
    let made = world.command("/tokens", json!({"name": who, "scope": "respond", "person": who})).await.ok().body;
    made["token"].as_str().unwrap().to_owned()
}

async fn ask_as(world: &World, token: &str, path: &str, body: Value) -> allclear_trial::world::Answer {
    let answer = world.send(world.client.post(world.at(&format!("/api/v1{path}"))).bearer_auth(token).json(&body)).await;
    world.quiet().await;
    answer
}

fn pages(world: &World, who: &str) -> Vec<Delivery> {
    world.hook.to(who).into_iter().filter(Delivery::is_page).collect()
}

async fn requests(world: &World) -> Vec<Value> {
    world.incident().await["responders"].as_array().cloned().unwrap_or_default()
}

async fn each_who_is_asked_accepts_or_declines_and_the_holder_keeps_it(database: Database) {
    let mut world = world_of(database, organisation()).await;
    let reference = begun(&world, "disk").await;
    let ana = token(&world, "ana").await;
    let path = format!("/incidents/{reference}/responders");
    let refused = ask_as(&world, &ana, &path, json!({"page": ["person:zoe"], "why": "help"})).await;
    assert!(refused.status == 422 || refused.status == 409 || refused.status == 404, "{}", refused.text);
    let both = ask_as(&world, &ana, &path, json!({"page": ["team:disks"], "escalation": "disks", "why": "help"})).await;
    assert!((400..500).contains(&both.status), "{}", both.text);
    ask_as(&world, &ana, &path, json!({"page": ["team:disks", "person:cho"], "why": "the array is full"})).await.ok();
    let (ben, cho, dan) = (pages(&world, "ben").remove(0), pages(&world, "cho").remove(0), pages(&world, "dan").remove(0));
    assert_eq!(ben.page()["because"], "Ana Ruiz asks for help: the array is full", "{:#}", ben.body);

    let shown = world.send(world.client.get(world.at(&dan.ack_path())).header("accept", "text/html")).await.ok().text;
    assert!(shown.contains(">Accept<") && shown.contains(">Decline<") && shown.contains("If you cannot come: why?"), "{shown}");
    assert!(shown.len() < 10_000);
    // One accepts behind the link, one declines there with a reason, one over the API.
    world.press(&dan.ack_path()).await.ok();
    let declined = world.client.post(world.at(&format!("{}/decline", ben.ack_path()))).header("accept", "text/html");
    let declined = declined.header("content-type", "application/x-www-form-urlencoded").body("why=on+a+train");
    assert_eq!(world.send(declined).await.status, 303);
    world.quiet().await;
    let request = requests(&world).await.remove(0);
    assert_eq!(request["open"], true, "cho has not answered: {request:#}");
    let answers = |request: &Value| -> Vec<(String, bool, Value)> {
        let all = request["answers"].as_array().unwrap().iter();
        all.map(|one| (one["person"].as_str().unwrap().to_owned(), one["accepted"].as_bool().unwrap(), one["why"].clone())).collect()
    };
    assert_eq!(answers(&request), [("dan".to_owned(), true, Value::Null), ("ben".to_owned(), false, json!("on a train"))]);
    let by_cho = token(&world, "cho").await;
    ask_as(&world, &by_cho, &format!("/incidents/{reference}/responder"), json!({"request": 1, "answer": "accept", "why": "ten minutes"}))
        .await
        .ok();
    let request = requests(&world).await.remove(0);
    assert_eq!((&request["open"], answers(&request).len()), (&json!(false), 3), "{request:#}");
    let twice = world.press(&cho.ack_path()).await;
    assert!(twice.status < 500, "{}", twice.text);
    let incident = world.incident().await;
    assert_eq!(incident["acknowledged_by"], "ana", "whoever has it keeps it");
    let refused = ask_as(&world, &ana, &format!("/incidents/{reference}/responder"), json!({"request": 1, "answer": "accept"})).await;
    assert_eq!((refused.status, &refused.body["code"]), (409, &json!("not_asked")), "{}", refused.text);
    let said = lines(&world.events(&incident).await);
    assert!(said.contains("Ana Ruiz asked for responders: Ben Okafor, Dan Holm, Cho Min-ji (request 1)"), "{said}");
    assert!(said.contains("Dan Holm accepted request 1 and comes") && said.contains("Ben Okafor declined request 1"), "{said}");
    let told = world.hook.told("ana").len();
    world.advance(30 * MINUTE).await;
    assert_eq!(world.hook.told("ana").len(), told, "all answered: nothing is said to be missing");

    // The page shows whom was asked, and a further request begins there, without a script.
    let cookie = sign_in_as(&world, "ana").await;
    let page = get_as(&world, &cookie, &format!("/incidents/{reference}?do=responders")).await.text;
    assert!(page.contains("Responders asked for") && page.contains("on a train") && page.contains("2 accepted"), "{page}");
    let fields = [("whom", "person:dan"), ("why", "once more")];
    let asked = post_form(&world, &format!("/incidents/{reference}/responders"), Some(&cookie), &fields).await;
    assert_eq!(asked.status, 303, "{}", asked.text);
    world.quiet().await;
    assert_eq!(pages(&world, "dan").len(), 2);
}

async fn who_does_not_answer_is_told_to_whoever_asked(database: Database) {
    let mut world = world_of(database, organisation()).await;
    let reference = begun(&world, "disk").await;
    let ana = token(&world, "ana").await;
    let body = json!({"page": ["team:disks"], "why": "the array is full", "within": "6m"});
    ask_as(&world, &ana, &format!("/incidents/{reference}/responders"), body).await.ok();
    world.press(&pages(&world, "dan")[0].ack_path()).await.ok();
    world.restart_after(std::time::Duration::from_secs(5)).await;
    world.advance(5 * MINUTE).await;
    let missing = |world: &World| {
        let told = world.hook.told("ana").into_iter().map(|told| told.page()["text"].as_str().unwrap_or_default().to_owned());
        told.filter(|text| text.contains("no answer from")).collect::<Vec<_>>()
    };
    assert_eq!(missing(&world), Vec::<String>::new(), "six minutes are not over");
    world.advance(MINUTE + 5).await;
    let told = missing(&world);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("no answer from Ben Okafor") && !told[0].contains("Dan"), "{told:?}");
    assert_eq!(pages(&world, "cho").len(), 0, "nobody else is paged for it, and it does not come back");
    world.advance(60 * MINUTE).await;
    assert_eq!((missing(&world).len(), pages(&world, "cho").len(), pages(&world, "ben").len()), (1, 0, 1));
    // Late is better than never.
    let ben = token(&world, "ben").await;
    ask_as(&world, &ben, &format!("/incidents/{reference}/responder"), json!({"request": 1, "answer": "decline", "why": "asleep"}))
        .await
        .ok();
    assert_eq!(requests(&world).await[0]["open"], false);
}

async fn a_request_is_cancelled_and_a_policy_asked(database: Database) {
    let mut world = world_of(database, organisation()).await;
    let reference = begun(&world, "disk").await;
    let ana = token(&world, "ana").await;
    let asked = world.cli_as(&ana, &["add-responders", &reference, "--why", "the array is full", "--to", "person:dan"]).await;
    assert_eq!(asked.code, 0, "{asked:?}");
    world.quiet().await;
    let cancelled = world.cli_as(&ana, &["responder", &reference, "1", "cancel"]).await;
    assert_eq!(cancelled.code, 0, "{cancelled:?}");
    world.quiet().await;
    let dan = token(&world, "dan").await;
    let refused = ask_as(&world, &dan, &format!("/incidents/{reference}/responder"), json!({"request": 1, "answer": "accept"})).await;
    assert_eq!(refused.body["code"], "responder_request_cancelled", "{}", refused.text);
    let page = allclear_trial::world::items(&world.api(&format!("/incidents/{reference}/pages")).await);
    assert!(page.iter().any(|page| page["status"] == "stopped"), "{page:#?}");

    // A policy: its steps, until one accepts.
    ask_as(&world, &ana, &format!("/incidents/{reference}/responders"), json!({"escalation": "disks", "why": "who knows disks?"}))
        .await
        .ok();
    assert_eq!(pages(&world, "dan").len(), 2);
    world.advance(5 * MINUTE + 5).await;
    let cho = pages(&world, "cho");
    assert_eq!(cho.len(), 1, "the next step");
    world.press(&cho[0].ack_path()).await.ok();
    world.quiet().await;
    let request = requests(&world).await.remove(1);
    assert_eq!((&request["open"], &request["answers"][0]["person"]), (&json!(false), &json!("cho")), "{request:#}");
    assert_eq!(world.incident().await["acknowledged_by"], "ana");
}

async fn sixty_five_requests_at_once_are_bounded(database: Database) {
    let world = world_of(database, organisation()).await;
    let reference = begun(&world, "disk").await;
    let ana = token(&world, "ana").await;
    let path = format!("/incidents/{reference}/responders");
    let all = (0..65).map(|n| ask_as(&world, &ana, &path, json!({"page": ["person:dan"], "why": format!("request {n}")})));
    let answers = futures_util::future::join_all(all).await;
    let (ok, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status < 300);
    assert_eq!((ok.len(), refused.len()), (20, 45));
    assert!(refused.iter().all(|answer| answer.body["code"] == "too_many_responder_requests"));
    let numbers: Vec<u64> = requests(&world).await.iter().map(|one| one["request"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (1..=20).collect::<Vec<_>>());
    assert_eq!(pages(&world, "dan").len(), 20);
}
