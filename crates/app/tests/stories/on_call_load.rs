//! What on-call cost people: shifts, calls and nights of a schedule, all together by default.

use allclear_trial::{Database, World, org};
use serde_json::{Value, json};

use crate::{on_both, world_of};

on_both!(what_on_call_costs_is_told_of_all_together_and_of_each_to_whoever_may_know);

/// Seconds of a minute.
const MINUTE: u64 = 60;

fn organisation() -> String {
    let schedule = "schedules:\n  - {id: rota, team: payments, time_zone: Etc/UTC, layers: [{people: [ana], every: 1w, handoff: \"Mon 09:00\", starts: 2026-01-05}]}\n  - {id: idle, time_zone: Etc/UTC, layers: [{people: [ben], every: 1w, handoff: \"Mon 09:00\", starts: 2040-01-02}]}\n";
    let steps =
        "escalations:\n  - {id: payments, steps: [{page: [\"schedule:rota\"], within: 5m}, {page: [\"person:ben\"], within: 5m}]}\n";
    org::with_escalation(steps).replace("escalations:\n", &format!("{schedule}escalations:\n"))
}

async fn token(world: &World, person: &str) -> String {
    let made = world.command("/tokens", json!({"name": person, "scope": "read", "person": person})).await.ok().body;
    made["token"].as_str().unwrap().to_owned()
}

async fn load(world: &World, token: &str, query: &str) -> Value {
    world.send(world.client.get(world.at(&format!("/api/v1/on-call/load{query}"))).bearer_auth(token)).await.ok().body
}

fn of<'a>(found: &'a Value, schedule: &str) -> &'a Value {
    found["schedules"].as_array().unwrap().iter().find(|one| one["schedule"] == schedule).unwrap()
}

async fn what_on_call_costs_is_told_of_all_together_and_of_each_to_whoever_may_know(database: Database) {
    let mut world = world_of(database, organisation()).await;
    let [ana, ben, cho] = [token(&world, "ana").await, token(&world, "ben").await, token(&world, "cho").await];
    // A page that is acknowledged after a minute, one that is not, and a drill, which is in no figure.
    world.fire("disk").await;
    world.advance(MINUTE).await;
    world.press(&world.hook.to("ana")[0].ack_path()).await.ok();
    world.quiet().await;
    world.fire("cable").await;
    world.advance(5 * MINUTE + 5).await;
    world.command("/drills", json!({"escalation": "payments", "wait": "10s"})).await.ok();
    world.quiet().await;
    world.advance(MINUTE).await;

    let all = load(&world, &cho, "").await;
    assert_eq!((all["mode"].as_str(), all["cut"].as_bool()), (Some("live"), Some(false)));
    let rota = of(&all, "rota");
    assert_eq!(
        (rota["people"].as_u64(), rota["total"]["calls"].as_u64()),
        (Some(1), Some(2)),
        "what named ben himself is no call of the schedule: {rota:#}"
    );
    assert_eq!(rota["total"]["acknowledged"], 1);
    assert!((60..70).contains(&rota["total"]["acknowledge_s"].as_i64().unwrap()), "{rota:#}");
    assert_eq!(rota["total"]["minutes"], 28 * 24 * 60, "four weeks, by default");
    assert_eq!(rota["each"][0]["person"], "ana", "whoever manages the team sees each");
    let idle = of(&all, "idle");
    assert_eq!((idle["people"].as_u64(), idle["total"]["calls_per_shift"].is_null()), (Some(0), true), "nobody, and no shift: {idle:#}");

    // Others see all together, and themselves.
    assert_eq!(of(&load(&world, &ana, "").await, "rota")["each"].as_array().unwrap().len(), 1);
    let others = load(&world, &ben, "?schedule=rota").await;
    assert!(of(&others, "rota")["each"].as_array().unwrap().is_empty(), "{others:#}");
    assert_eq!(of(&others, "rota")["total"]["calls"], 2);
    assert_eq!(others["schedules"].as_array().unwrap().len(), 1);
    let gone = world.get("/api/v1/on-call/load?schedule=nothing").await;
    assert_eq!(gone.status, 404, "{}", gone.text);
    let wrong = world.get("/api/v1/on-call/load?from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z").await;
    assert_eq!(wrong.status, 422, "{}", wrong.text);
    let long = load(&world, &cho, "?from=2026-01-05T09:00:00Z&to=2036-01-01T00:00:00Z").await;
    assert!(long["cut"].as_bool().unwrap(), "a year at most, and it says so");

    // A private incident counts for whoever may see it.
    world.fire("secret").await;
    let secret = world.incidents("limit=1").await.remove(0);
    world.act(secret["ref"].as_str().unwrap(), "restrict", json!({"why": "people"})).await;
    world.quiet().await;
    let (seen, not) = (load(&world, &ana, "?schedule=rota").await, load(&world, &ben, "?schedule=rota").await);
    assert_eq!((of(&seen, "rota")["total"]["calls"].as_u64(), of(&not, "rota")["total"]["calls"].as_u64()), (Some(3), Some(2)));

    let shown = |path: &str| world.client.get(world.at(path)).bearer_auth(&ben).header("accept", "text/html");
    let page = world.send(shown("/on-call/load")).await.ok().text;
    for words in ["What on-call costs", "All 1", "Interrupted nights", "the person’s own clock", "Nobody was on call"] {
        assert!(
            page.contains(words) || page.contains(&words.replace('’', "'")) || page.contains(&words.replace('’', "&#39;")),
            "{words}: {page}"
        );
    }
    assert!(!page.contains("Ana Ruiz"), "{page}");
    let odd = world.send(shown("/on-call/load?from=yesterday")).await.ok().text;
    assert!(odd.contains("The start cannot be read"), "{odd}");
    let ran = world.cli(&["oncall", "load", "--schedule", "rota"]).await;
    assert!(ran.code == 0 && ran.stdout.contains("rota (1 people)") && ran.stdout.contains("ana"), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_suggested_is_seen_first_and_made_by_one_press() {
    let world = world_of(
        Database::Sqlite,
        organisation()
            .replace("people: [ana], every: 1w, handoff: \"Mon 09:00\"", "people: [ana, ben, cho], every: 1d, handoff: \"09:00\""),
    )
    .await;
    // Whoever is on call the day after tomorrow is away then.
    let day = world.now().await + jiff::SignedDuration::from_hours(48);
    let on = world.api(&format!("/oncall?at={day}")).await;
    let holder =
        on["items"].as_array().unwrap().iter().find(|one| one["schedule"] == "rota").unwrap()["person"].as_str().unwrap().to_owned();
    let (from, to) = (day - jiff::SignedDuration::from_hours(1), day + jiff::SignedDuration::from_hours(1));
    world.command("/absences", json!({"person": holder, "starts_at": from, "ends_at": to})).await.ok();
    let made = world.command("/tokens", json!({"name": "cho", "scope": "respond", "person": "cho"})).await.ok().body;
    let cho = made["token"].as_str().unwrap().to_owned();
    let path = "/on-call/schedules/rota/suggest";
    let page =
        world.send(world.client.get(world.at(&format!("{path}?weeks=1"))).bearer_auth(&cho).header("accept", "text/html")).await.ok().text;
    assert!(page.contains("is away") && page.contains("What each would carry"), "{page}");
    let field = |name: &str| {
        let from = page.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap_or_else(|| panic!("{name}: {page}"));
        from.split('"').next().unwrap().to_owned()
    };
    let fields = |seen: &str| {
        let escaped = |text: &str| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
        format!("once={}&from={}&weeks={}&seen={}", field("once"), escaped(&field("from")), field("weeks"), seen)
    };
    let post = |body: String| {
        let request =
            world.client.post(world.at(path)).bearer_auth(&cho).header("accept", "text/html").header("sec-fetch-site", "same-origin");
        world.send(request.header("content-type", "application/x-www-form-urlencoded").body(body))
    };
    let stale = post(fields("0000000000")).await;
    assert!(stale.status == 409 && stale.text.contains("changed since this was proposed"), "{} {}", stale.status, stale.text);
    let accepted = post(fields(&field("seen"))).await;
    assert_eq!(accepted.status, 303, "{}", accepted.text);
    assert_eq!(post(fields(&field("seen"))).await.status, 303, "pressed twice it is made once");
    let overrides = allclear_trial::world::items(&world.api("/schedules/rota/overrides").await);
    assert!(!overrides.is_empty() && overrides.iter().all(|one| one["person"] != holder.as_str()), "{overrides:?}");
    let on = world.api(&format!("/oncall?at={day}")).await;
    let now = on["items"].as_array().unwrap().iter().find(|one| one["schedule"] == "rota").unwrap()["person"].as_str().unwrap().to_owned();
    assert_ne!(now, holder, "somebody else has it");
}
