//! Who is on call: somebody takes a shift over, a slip is corrected, an override ends, and a change of the
//! file says what it does to who is on call now.

use allclear_trial::org::{self, ADMIN_TOKEN};
use allclear_trial::world::{Answer, items};
use allclear_trial::{Database, World};
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{on_both, world_of};

on_both!(a_shift_is_taken_over_corrected_and_given_back, sixty_five_overrides_at_once_leave_one_person_on_call_for_good);

/// Ana is on call, in weeks that are hers alone; ben is in the team, and cho manages it.
const ROTA: &str = r#"
schedules:
  - {id: rota, name: Rota, team: payments, time_zone: Europe/Madrid, layers: [{people: [ana], every: 1w, handoff: "Mon 09:00", starts: 2026-01-05}]}
"#;

/// Ana in office hours and nobody else; and ana and ben in weeks, with ana on top in office hours.
const TWO_ROTAS: &str = r#"
schedules:
  - id: rota
    time_zone: Europe/Madrid
    layers:
      - {people: [ana], every: 1w, handoff: "Mon 09:00", starts: 2026-01-05, only: [{days: [Mon, Tue, Wed, Thu, Fri], from: "09:00", to: "17:00"}]}
  - id: both
    time_zone: Europe/Madrid
    layers:
      - {people: [ana, ben], every: 1w, handoff: "Mon 09:00", starts: 2026-01-05}
      - {people: [ana], every: 1d, handoff: "09:00", starts: 2026-01-05, only: [{days: [Mon, Tue, Wed, Thu, Fri], from: "09:00", to: "17:00"}]}
"#;

fn organisation() -> String {
    let paged = org::ESCALATIONS.replace("person:ana", "schedule:rota");
    [org::PEOPLE, ROTA, &paged, org::SERVICES, org::CATCH_ALL].concat()
}

async fn token(world: &World, person: &str) -> String {
    let made = world.command("/tokens", json!({"name": person, "scope": "respond", "person": person})).await.ok().body;
    made["token"].as_str().unwrap().to_owned()
}

async fn on_call(world: &World) -> Value {
    items(&world.api("/oncall").await).remove(0)["person"].clone()
}

async fn asks(world: &World, method: Method, path: &str, token: &str, body: Option<Value>) -> Answer {
    let mut request = world.client.request(method, world.at(&format!("/api/v1/schedules/rota/overrides{path}"))).bearer_auth(token);
    if let Some(body) = body {
        request = request.json(&body);
    }
    world.send(request).await
}

async fn puts(world: &World, token: &str, person: &str, from: Timestamp, hours: i64) -> Answer {
    let body = json!({"person": person, "starts_at": from, "ends_at": from + SignedDuration::from_hours(hours)});
    asks(world, Method::POST, "", token, Some(body)).await
}

fn id(made: &Answer) -> String {
    assert_eq!(made.status, 201, "{}", made.text);
    made.body["id"].as_str().unwrap().to_owned()
}

async fn ends(world: &World, token: &str, id: &str) -> Answer {
    asks(world, Method::DELETE, &format!("/{id}"), token, None).await
}

async fn form(world: &World, path: &str, token: &str, fields: &[(&str, &str)]) -> Answer {
    let escaped = |text: &str| -> String { text.bytes().map(|byte| format!("%{byte:02x}")).collect() };
    let body: Vec<String> = fields.iter().map(|(name, value)| format!("{}={}", escaped(name), escaped(value))).collect();
    let request = world.client.post(world.at(path)).bearer_auth(token).header("accept", "text/html");
    world.send(request.header("content-type", "application/x-www-form-urlencoded").body(body.join("&"))).await
}

async fn page(world: &World, token: &str) -> String {
    world.send(world.client.get(world.at("/on-call")).bearer_auth(token).header("accept", "text/html")).await.ok().text
}

async fn a_shift_is_taken_over_corrected_and_given_back(database: Database) {
    let mut world = world_of(database, organisation()).await;
    let (ana, ben, cho) = (token(&world, "ana").await, token(&world, "ben").await, token(&world, "cho").await);
    let now = world.now().await;

    // Whoever is in the team takes a shift over themself, at the press of a button, and puts nobody else on.
    let seen = page(&world, &ben).await;
    assert!(seen.contains("Take this shift"), "{seen}");
    assert!(!page(&world, &ana).await.contains("Take this shift"), "it is hers");
    let to = (now + SignedDuration::from_hours(8)).to_string();
    let taken = form(&world, "/on-call/override", &ben, &[("schedule", "rota"), ("person", "ben"), ("to", &to)]).await;
    assert_eq!(taken.status, 303, "{}", taken.text);
    assert_eq!(on_call(&world).await, "ben");
    world.fire("disk").await;
    assert_eq!((world.hook.to("ana").len(), world.hook.to("ben").len()), (0, 1), "he is the one who is woken");
    let refused = puts(&world, &ben, "ana", now, 1).await;
    assert_eq!((refused.status, &refused.body["code"]), (403, &json!("forbidden")), "{}", refused.text);

    // A correction wins over the slip, whatever their ids, also after a start.
    let by_ben = items(&asks(&world, Method::GET, "", &ben, None).await.ok().body).remove(0);
    assert_eq!((&by_ben["person"], &by_ben["made_by"], &by_ben["may_end"]), (&json!("ben"), &json!("person:ben"), &json!(true)));
    let corrected = id(&puts(&world, &cho, "ana", now, 4).await);
    assert_eq!(on_call(&world).await, "ana");
    for day in 1..=12 {
        let (from, to) = (format!("2036-02-{day:02}T14:00"), format!("2036-02-{day:02}T22:00"));
        for (n, who) in ["cho", "ben"].into_iter().enumerate() {
            let fields = [("once", format!("179000000000{}", 100 + 2 * day + n)), ("schedule", "rota".into()), ("person", who.into())];
            let fields: Vec<(&str, &str)> =
                fields.iter().map(|(k, v)| (*k, v.as_str())).chain([("from", from.as_str()), ("to", &to)]).collect();
            assert_eq!(form(&world, "/on-call/override", ADMIN_TOKEN, &fields).await.status, 303);
        }
        let then = world.api(&format!("/oncall?at=2036-02-{day:02}T18:00:00Z")).await;
        assert_eq!(items(&then)[0]["person"], "ben", "{day}");
    }
    world.kill().await;
    world.start_again(&[]).await;
    assert_eq!(on_call(&world).await, "ana");
    for day in 1..=12 {
        assert_eq!(items(&world.api(&format!("/oncall?at=2036-02-{day:02}T18:00:00Z")).await)[0]["person"], "ben", "{day}");
    }

    // Who made one, is named in it or manages the team ends it, and nobody else.
    let not_his = ends(&world, &ben, &corrected).await;
    assert_eq!((not_his.status, &not_his.body["code"]), (403, &json!("forbidden")), "{}", not_his.text);
    assert!(!page(&world, &ben).await.contains(&format!("/on-call/override/{corrected}/end")));
    let ended = ends(&world, &ana, &corrected).await;
    assert_eq!((ended.status, &ended.body["removed"]), (200, &json!(false)), "{}", ended.text);
    assert_eq!(on_call(&world).await, "ben", "what he had taken is in force again");
    assert_eq!(ends(&world, &ana, &corrected).await.body, ended.body, "once more it is over already");
    let stays = world.api(&format!("/org/override/{corrected}")).await;
    assert_eq!(stays["body"]["ends_at"], ended.body["ends_at"], "what ran stays in the history: {stays}");
    let his = by_ben["id"].as_str().unwrap();
    assert!(page(&world, &ben).await.contains(&format!("/on-call/override/{his}/end")));
    assert_eq!(form(&world, &format!("/on-call/override/{his}/end"), &ben, &[]).await.status, 303);
    assert_eq!(form(&world, &format!("/on-call/override/{his}/end"), &ben, &[]).await.status, 303, "a second press asks for what is so");
    assert_eq!(on_call(&world).await, "ana");
    let once_more = [("once", "1"), ("schedule", "rota"), ("person", "ben"), ("to", to.as_str())];
    assert_eq!(form(&world, "/on-call/override", &ben, &once_more).await.status, 303);
    let his = items(&asks(&world, Method::GET, "", &ben, None).await.ok().body).iter().find(|o| o["person"] == "ben").cloned();
    let his = his.filter(|o| o["ends_at"] == to).unwrap()["id"].as_str().unwrap().to_owned();
    assert_eq!(ends(&world, &ben, &his).await.status, 200);
    assert_eq!(form(&world, "/on-call/override", &ben, &once_more).await.status, 303);
    assert_eq!(on_call(&world).await, "ana", "a form sent once more takes nothing that was given back");

    // One that is to come is gone, and a change of one does not make it anew.
    let later = now + SignedDuration::from_hours(100);
    let (first, second) = (id(&puts(&world, &cho, "cho", later, 4).await), id(&puts(&world, ADMIN_TOKEN, "ben", later, 4).await));
    let change = json!({"schedule": "rota", "person": "cho", "starts_at": later, "ends_at": later + SignedDuration::from_hours(5), "made": 1_000_000});
    let request = world.client.put(world.at(&format!("/api/v1/org/override/{first}"))).bearer_auth(ADMIN_TOKEN).json(&change);
    assert_eq!(world.send(request).await.status, 200);
    let at = |hours: i64| (later + SignedDuration::from_hours(hours)).to_string();
    assert_eq!(items(&world.api(&format!("/oncall?at={}", at(1))).await)[0]["person"], "ben");
    let gone = ends(&world, &cho, &second).await;
    assert_eq!((gone.status, &gone.body["removed"]), (200, &json!(true)), "{}", gone.text);
    assert_eq!(items(&world.api(&format!("/oncall?at={}", at(1))).await)[0]["person"], "cho");
    let missing = ends(&world, &cho, &second).await;
    assert_eq!((missing.status, &missing.body["code"]), (404, &json!("no_such_override")), "{}", missing.text);

    // What cannot be is refused: no time at all, time that runs backwards, more than a year.
    for hours in [0, -3, 24 * 400] {
        let refused = puts(&world, &cho, "cho", now, hours).await;
        assert_eq!((refused.status, &refused.body["code"]), (422, &json!("invalid")), "{hours}: {}", refused.text);
    }
}

async fn sixty_five_overrides_at_once_leave_one_person_on_call_for_good(database: Database) {
    let mut world = world_of(database, organisation()).await;
    let now = world.now().await;
    let people = ["ben", "cho", "ana"];
    let all = (0..65).map(|n| puts(&world, ADMIN_TOKEN, people[n % 3], now, 8));
    let made = futures_util::future::join_all(all).await;
    assert!(made.iter().all(|one| one.status == 201), "{:?}", made.iter().map(|one| one.status).collect::<Vec<_>>());
    let on = on_call(&world).await;
    let listed = items(&world.api("/schedules/rota/overrides").await);
    assert_eq!(listed.len(), 65);
    world.kill().await;
    world.start_again(&[]).await;
    assert_eq!(on_call(&world).await, on, "the same after a start");
    // All but one ended: whoever is left is on, and then ana by the rotation.
    let ids: Vec<String> = made.iter().map(id).collect();
    for id in &ids[1..] {
        assert_eq!(ends(&world, ADMIN_TOKEN, id).await.status, 200);
    }
    assert_eq!(on_call(&world).await, "ben", "his is the first of the sixty-five");
    assert_eq!(ends(&world, ADMIN_TOKEN, &ids[0]).await.status, 200);
    assert_eq!(on_call(&world).await, "ana");
    assert_eq!(items(&world.api("/schedules/rota/overrides").await).len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_next_is_a_change_of_person_and_a_gap_is_said() {
    let world = world_of(Database::Sqlite, [org::PEOPLE, TWO_ROTAS, org::ESCALATIONS, org::SERVICES].concat()).await;
    let seen = async |at: &str, n: usize| {
        let one = items(&world.api(&format!("/oncall?at={at}")).await).remove(n);
        [&one["person"], &one["until"], &one["next"], &one["next_at"]].map(|value| value.as_str().unwrap_or("-").to_owned())
    };
    // A Saturday, and the Friday before.
    assert_eq!(seen("2026-12-05T12:00:00Z", 0).await, ["-", "2026-12-07T08:00:00Z", "ana", "2026-12-07T08:00:00Z"]);
    assert_eq!(seen("2026-12-04T12:00:00Z", 0).await, ["ana", "2026-12-04T16:00:00Z", "ana", "2026-12-07T08:00:00Z"]);
    // Ana by day and, in her week, by night: nothing changes until her week is over and the day after it.
    let week = seen("2026-12-07T12:00:00Z", 1).await;
    assert_eq!(week, ["ana", "2026-12-14T16:00:00Z", "ben", "2026-12-14T16:00:00Z"]);
    let ran = world.cli(&["oncall", "--at", "2026-12-04T12:00:00Z"]).await;
    assert!(ran.stdout.contains("nobody until") && ran.stdout.contains(", then ana"), "{}", ran.stdout);
    let ran = world.cli(&["oncall", "--at", "2026-12-05T12:00:00Z"]).await;
    assert!(ran.stdout.contains("NOBODY"), "{}", ran.stdout);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_the_file_says_who_is_on_call_at_once() {
    let rota = |people: &str| {
        organisation()
            .replace(org::CATCH_ALL, "")
            .replace("people: [ana], every: 1w, handoff: \"Mon 09:00\"", &format!("people: [{people}], every: 1d, handoff: \"00:00\""))
    };
    let world = world_of(Database::Sqlite, rota("ana, ben, cho")).await;
    let was = on_call(&world).await;
    let write = |text: &str| {
        let path = world.dir.path().join("next.yaml");
        std::fs::write(&path, org::filled(text, "http://127.0.0.1:1")).unwrap();
        path.display().to_string()
    };
    let mut told = 0;
    for gone in ["ana", "ben", "cho"].into_iter().filter(|id| was != *id) {
        let left: Vec<&str> = ["ana", "ben", "cho"].into_iter().filter(|id| *id != gone).collect();
        let file = write(&rota(&left.join(", ")));
        let diff = world.cli(&["config", "diff", &file]).await;
        assert!(diff.code == 0 && !diff.stderr.contains("no catch-all"), "what was so before is no news of a change: {}", diff.stderr);
        assert_eq!(world.cli(&["config", "apply", &file]).await.code, 0);
        let is = on_call(&world).await;
        let row = ["rota", was.as_str().unwrap(), is.as_str().unwrap()];
        assert_eq!(diff.stdout.contains("who is on call changes at once"), is != was, "{}", diff.stdout);
        assert!(is == was || diff.stdout.lines().any(|line| line.split_whitespace().eq(row)), "{}", diff.stdout);
        told += usize::from(is != was);
        assert_eq!(world.cli(&["config", "apply", &write(&rota("ana, ben, cho"))]).await.code, 0);
    }
    assert!(told <= 2);
    // What a check says offline of a rota: who is never on, and what `24h` is.
    let odd = rota("ana").replace("every: 1d, handoff: \"00:00\"", "every: 24h, handoff: \"00:00\"");
    let check = world.cli(&["config", "check", &write(&odd)]).await;
    assert!(check.code == 0 && check.stdout.contains("`24h` is read as `1d`") && check.stdout.contains("no catch-all"), "{}", check.stdout);
}
