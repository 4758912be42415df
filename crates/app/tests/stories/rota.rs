//! Who is on call: somebody takes a shift over, a slip is corrected, an override ends, and a change of the
//! file says what it does to who is on call now.

use allclear_trial::org::{self, ADMIN_TOKEN};
use allclear_trial::world::{Answer, items};
use allclear_trial::{Database, World};
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{on_both, world_of};

on_both!(
    a_shift_is_taken_over_corrected_and_given_back,
    sixty_five_overrides_at_once_leave_one_person_on_call_for_good,
    several_are_on_at_once_and_nobody_where_an_override_says_so,
    whoever_comes_on_next_is_a_target,
    a_calendar_is_fetched_from_an_address_until_it_is_revoked,
    a_shift_is_covered_or_swapped_by_whoever_accepts,
    turns_of_whoever_is_away_need_cover_until_somebody_has_them,
);

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

pub(crate) fn organisation() -> String {
    let paged = org::ESCALATIONS.replace("person:ana", "schedule:rota");
    [org::PEOPLE, ROTA, &paged, org::SERVICES, org::CATCH_ALL].concat()
}

pub(crate) async fn token(world: &World, person: &str) -> String {
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

pub(crate) async fn puts(world: &World, token: &str, person: &str, from: Timestamp, hours: i64) -> Answer {
    let body = json!({"person": person, "starts_at": from, "ends_at": from + SignedDuration::from_hours(hours)});
    asks(world, Method::POST, "", token, Some(body)).await
}

pub(crate) fn id(made: &Answer) -> String {
    assert_eq!(made.status, 201, "{}", made.text);
    made.body["id"].as_str().unwrap().to_owned()
}

async fn ends(world: &World, token: &str, id: &str) -> Answer {
    asks(world, Method::DELETE, &format!("/{id}"), token, None).await
}

pub(crate) async fn form(world: &World, path: &str, token: &str, fields: &[(&str, &str)]) -> Answer {
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

/// Puts an override of an effect from an instant on, for so many hours.
async fn puts_with(world: &World, token: &str, effect: &str, person: &str, from: Timestamp, hours: i64) -> Answer {
    let mut body = json!({"effect": effect, "starts_at": from, "ends_at": from + SignedDuration::from_hours(hours)});
    if !person.is_empty() {
        body["person"] = person.into();
    }
    asks(world, Method::POST, "", token, Some(body)).await
}

/// Everybody who is on call, by the API.
async fn people(world: &World) -> Vec<String> {
    let on = items(&world.api("/oncall").await).remove(0);
    let people: Vec<String> = items_of(&on["people"]).iter().map(|one| one["person"].as_str().unwrap().to_owned()).collect();
    assert_eq!(on["person"].as_str(), people.first().map(String::as_str), "the first is who was told of before: {on}");
    people
}

fn items_of(list: &Value) -> Vec<Value> {
    list.as_array().unwrap().clone()
}

async fn several_are_on_at_once_and_nobody_where_an_override_says_so(database: Database) {
    let mut world = world_of(database, organisation()).await;
    let (ben, cho) = (token(&world, "ben").await, token(&world, "cho").await);
    let now = world.now().await;
    assert_eq!(people(&world).await, ["ana"]);

    // Ben is on besides, which he may himself; both are paged, and both see it.
    let besides = id(&puts_with(&world, &ben, "adds", "ben", now, 8).await);
    assert_eq!(people(&world).await, ["ana", "ben"]);
    let on = items(&world.api("/oncall").await).remove(0);
    assert_eq!(on["people"][1]["because"], format!("added by override {besides}"), "{on}");
    world.fire("disk").await;
    assert_eq!((world.hook.to("ana").len(), world.hook.to("ben").len(), world.hook.to("cho").len()), (1, 1, 0));
    let seen = page(&world, &ben).await;
    assert!(seen.contains("Ana Ruiz</bdi> and <bdi>Ben Okafor") && seen.contains("you are among them"), "{seen}");
    let request = world.client.get(world.at("/my-shifts")).bearer_auth(&ben).header("accept", "text/html");
    let shifts = world.send(request).await.ok().text;
    assert!(shifts.contains("You are on call") && shifts.contains("besides the rota"), "{shifts}");
    let ran = world.cli(&["oncall"]).await;
    assert!(ran.stdout.contains("ana, ben"), "{}", ran.stdout);

    // That nobody is on is for whoever manages the schedule, and names nobody.
    let refused = puts_with(&world, &ben, "nobody", "", now, 2).await;
    assert_eq!((refused.status, &refused.body["code"]), (403, &json!("forbidden")), "{}", refused.text);
    for (effect, who) in [("nobody", "ana"), ("replaces", ""), ("adds", "")] {
        let refused = puts_with(&world, &cho, effect, who, now, 2).await;
        assert_eq!((refused.status, &refused.body["code"]), (422, &json!("invalid")), "{effect}: {}", refused.text);
    }
    assert_eq!(puts_with(&world, &cho, "sometimes", "ana", now, 2).await.status, 400);

    // The schedule is off while a page runs: whoever was told stays told, and the next alarm finds the next step at once.
    let off = id(&puts_with(&world, &cho, "nobody", "", now, 2).await);
    assert_eq!(people(&world).await, [""; 0]);
    let on = items(&world.api("/oncall").await).remove(0);
    assert_eq!((&on["because"], &on["person"]), (&json!(format!("override {off} has nobody on")), &Value::Null), "{on}");
    let (before, of_ben) = (world.hook.to("ana").len(), world.hook.to("ben").len());
    world.signal_with(org::OTHER_KEY, json!({"title": "queue", "severity": "critical"})).await;
    world.quiet().await;
    assert_eq!(world.hook.to("ana").len(), before, "nobody of the schedule is paged");
    assert_eq!(world.hook.to("ben").len(), of_ben + 1, "the second step follows at once");
    let queue = world.incidents("").await.into_iter().find(|one| one["title"] == "queue").unwrap();
    let log = allclear_trial::world::lines(&world.events(&queue).await);
    assert!(log.contains(&format!("override `{off}` has nobody on")), "{log}");
    let seen = page(&world, &cho).await;
    assert!(seen.contains("an override has nobody on") && seen.contains("End it now: nobody, Rota"), "{seen}");

    // A check warns of the gap, and says what it is; who is added after it is on.
    let form = world.send(world.client.get(world.at("/settings/schedule/rota")).bearer_auth(ADMIN_TOKEN).header("accept", "text/html"));
    assert!(form.await.ok().text.contains("an override has nobody on then"));
    let later = id(&puts_with(&world, &ben, "adds", "ben", now, 1).await);
    assert_eq!(people(&world).await, ["ben"]);
    world.kill().await;
    world.start_again(&[]).await;
    assert_eq!(people(&world).await, ["ben"], "the same after a start");
    let listed = items(&world.api("/schedules/rota/overrides").await);
    let mut told: Vec<(&str, &str)> = listed.iter().map(|one| (one["effect"].as_str().unwrap(), one["person"].as_str().unwrap())).collect();
    told.sort_unstable();
    assert_eq!(told, [("adds", "ben"), ("adds", "ben"), ("nobody", "")]);
    assert_eq!(ends(&world, &ben, &off).await.status, 403, "who does not manage it does not switch it on either");
    for one in [&later, &off] {
        assert_eq!(ends(&world, &cho, one).await.status, 200);
    }
    assert_eq!(people(&world).await, ["ana", "ben"]);
    // By the form too, which works without a script.
    let to = (now + SignedDuration::from_hours(4)).to_string();
    let fields = [("once", "7"), ("schedule", "rota"), ("effect", "nobody"), ("person", "cho"), ("to", to.as_str())];
    assert_eq!(form_of(&world, &ben, &fields).await.status, 422);
    assert_eq!(form_of(&world, &cho, &fields).await.status, 303);
    assert_eq!(people(&world).await, [""; 0]);
}

async fn form_of(world: &World, token: &str, fields: &[(&str, &str)]) -> Answer {
    form(world, "/on-call/override", token, fields).await
}

async fn whoever_comes_on_next_is_a_target(database: Database) {
    let rota = r#"
schedules:
  - {id: rota, name: Rota, team: payments, time_zone: Europe/Madrid, layers: [{people: [ana, ben], every: 1mo, handoff: "31 09:00", starts: 2026-01-05}]}
escalations:
  - {id: payments, steps: [{page: ["schedule:rota"], within: 5m}, {page: ["next:rota"], within: 5m}]}
"#;
    let mut world = world_of(database, [org::PEOPLE, rota, org::SERVICES, org::CATCH_ALL].concat()).await;
    let on = people(&world).await.remove(0);
    let next = if on == "ana" { "ben" } else { "ana" };
    world.fire("disk").await;
    assert_eq!((world.hook.to(&on).len(), world.hook.to(next).len()), (1, 0));
    world.advance(310).await;
    assert_eq!((world.hook.to(&on).len(), world.hook.to(next).len()), (1, 1), "the second step pages who comes on next");
    let log = allclear_trial::world::lines(&world.events(&world.incident().await).await);
    assert!(log.contains("next on call in rota from"), "{log}");
    // A month's last day, in the schedule's zone; and what a calendar, months and hours that pass are refused for.
    let seen = items(&world.api("/oncall?at=2027-02-20T12:00:00Z").await).remove(0);
    assert_eq!(seen["until"], "2027-02-28T08:00:00Z", "{seen}");
    for (layer, says) in [
        (r#"{people: [ana], every: 1mo, handoff: "09:00", starts: 2026-01-05}"#, "day of the month"),
        (r#"{people: [ana], every: 1wd, handoff: "09:00", calendar: offce, starts: 2026-01-05}"#, "calendar"),
        (r#"{people: [ana], every: 1mo, handoff: "1 09:00", elapsed: true, starts: 2026-01-05}"#, "elapsed"),
    ] {
        let path = world.dir.path().join("wrong.yaml");
        let text = format!("schedules:\n  - {{id: x, time_zone: Europe/Madrid, layers: [{layer}]}}\n");
        std::fs::write(&path, org::filled(&[org::PEOPLE, &text].concat(), "http://127.0.0.1:1")).unwrap();
        let ran = world.cli(&["config", "check", &path.display().to_string()]).await;
        assert!(ran.code != 0 && [ran.stdout.as_str(), &ran.stderr].concat().contains(says), "{} {}", ran.stdout, ran.stderr);
    }
}

/// Fetches a calendar as a program does: without a token.
async fn fetched(world: &World, url: &str) -> Answer {
    world.send(world.client.get(url)).await
}

/// The values of a property, unfolded, of a calendar that a strict reader takes.
fn values(text: &str, wanted: &str) -> Vec<String> {
    assert!(text.ends_with("\r\n") && !text.replace("\r\n", "").contains(['\r', '\n']));
    assert!(text.split("\r\n").all(|line| line.len() <= 75));
    let unfolded = text.replace("\r\n ", "");
    let lines = unfolded.trim_end_matches("\r\n").split("\r\n").map(|line| line.split_once(':').unwrap());
    lines.filter(|(name, _)| *name == wanted).map(|(_, value)| value.to_owned()).collect()
}

async fn makes_feed(world: &World, token: &str, body: Value) -> Answer {
    world.send(world.client.post(world.at("/api/v1/calendar-feeds")).bearer_auth(token).json(&body)).await
}

async fn a_calendar_is_fetched_from_an_address_until_it_is_revoked(database: Database) {
    let people = org::PEOPLE.replace("name: Ana Ruiz", "name: \"Ana; Ruiz 🚒🚒🚒🚒🚒🚒🚒🚒🚒🚒🚒🚒🚒🚒🚒🚒🚒🚒🚒🚒\"");
    let people =
        people.replace("teams:", "  - {id: dan, name: Dan, email: dan@example.org}\n  - {id: gus, name: Gus, access: guest}\nteams:");
    let paged = org::ESCALATIONS.replace("person:ana", "schedule:rota");
    let world = world_of(database, [&people, ROTA, &paged, org::SERVICES, org::CATCH_ALL].concat()).await;
    let (ana, ben, cho, dan) =
        (token(&world, "ana").await, token(&world, "ben").await, token(&world, "cho").await, token(&world, "dan").await);
    let now = world.now().await;

    // Made once, and not told again.
    let made = makes_feed(&world, &ana, json!({})).await;
    assert_eq!((made.status, &made.body["person"], &made.body["schedule"]), (201, &json!("ana"), &Value::Null), "{}", made.text);
    let url = made.body["url"].as_str().unwrap().to_owned();
    let path = format!("/cal/{}", url.rsplit('/').next().unwrap());
    let at = world.at(&path);
    let listed = items(&world.send(world.client.get(world.at("/api/v1/calendar-feeds")).bearer_auth(&ana)).await.ok().body);
    assert!(listed.len() == 1 && listed[0].get("url").is_none() && listed[0].get("hash").is_none(), "{listed:?}");

    // Without a token, and with what a client keeps.
    let first = fetched(&world, &at).await.ok();
    assert_eq!(first.header("content-type"), Some("text/calendar; charset=utf-8"));
    assert!(values(&first.text, "X-WR-CALNAME")[0].starts_with("On call: Ana\\; Ruiz 🚒"), "{}", first.text);
    assert_eq!(values(&first.text, "SUMMARY"), ["On call: Rota"], "her weeks are hers alone: one shift");
    let tag = first.header("etag").unwrap().to_owned();
    let head = world.send(world.client.head(&at)).await;
    assert_eq!((head.status, head.header("etag"), head.text.as_str()), (200, Some(tag.as_str()), ""));
    let again = world.send(world.client.get(&at).header("if-none-match", format!("\"x\", W/{tag}"))).await;
    assert_eq!((again.status, again.text.as_str()), (304, ""));
    // Ben takes eight hours of next week: what was there is changed, and nothing is doubled.
    let later = now + SignedDuration::from_hours(7 * 24);
    puts(&world, &ben, "ben", later, 8).await;
    let changed = world.send(world.client.get(&at).header("if-none-match", &tag)).await.ok();
    let (before, after) = (values(&first.text, "UID"), values(&changed.text, "UID"));
    assert!(after.len() == 2 && before.iter().all(|uid| after.contains(uid)), "{before:?} {after:?}");
    // A schedule's has everybody, and the time in which nobody is on.
    let of_rota = makes_feed(&world, &dan, json!({"schedule": "rota"})).await;
    let of_rota_at = world.at(&format!("/cal/{}", of_rota.ok().body["url"].as_str().unwrap().rsplit('/').next().unwrap()));
    puts_with(&world, &cho, "nobody", "", later + SignedDuration::from_hours(48), 2).await;
    let whole = fetched(&world, &of_rota_at).await.ok();
    let summaries = values(&whole.text, "SUMMARY");
    assert!(summaries.contains(&"Ben Okafor: Rota".to_owned()) && summaries.contains(&"Nobody on call: Rota".to_owned()), "{summaries:?}");

    // Nobody else's, no guest's, and not without end.
    assert_eq!(makes_feed(&world, &token(&world, "gus").await, json!({"schedule": "rota"})).await.status, 403);
    let refused = makes_feed(&world, &ana, json!({"schedule": "gone"})).await;
    assert_eq!((refused.status, &refused.body["code"]), (404, &json!("no_such_schedule")));
    let refused = makes_feed(&world, ADMIN_TOKEN, json!({})).await;
    assert_eq!((refused.status, &refused.body["code"]), (422, &json!("person_needed")), "{}", refused.text);
    for _ in 1..20 {
        makes_feed(&world, &ana, json!({})).await.ok();
    }
    let refused = makes_feed(&world, &ana, json!({})).await;
    assert_eq!((refused.status, &refused.body["code"]), (422, &json!("too_many_feeds")), "{}", refused.text);
    for wrong in ["/cal/x.ics", &path[..path.len() - 4], &format!("{path}x"), "/cal/.ics"] {
        assert_eq!(fetched(&world, &world.at(wrong)).await.status, 404, "{wrong}");
    }
    let id = made.body["id"].as_str().unwrap();
    let revoke = async |token: &str, id: &str| {
        world.send(world.client.delete(world.at(&format!("/api/v1/calendar-feeds/{id}"))).bearer_auth(token)).await
    };
    let not_his = revoke(&ben, id).await;
    assert_eq!((not_his.status, &not_his.body["code"]), (404, &json!("no_such_feed")), "{}", not_his.text);
    assert_eq!(revoke(&ana, id).await.status, 204);
    let gone = fetched(&world, &at).await;
    assert_eq!((gone.status, &gone.body["code"]), (404, &json!("no_such_feed")), "{}", gone.text);
    assert_eq!(revoke(&ana, id).await.status, 404);

    // By the pages, without a script; whoever manages the team revokes what others made of its schedule.
    let shown = form(&world, "/my-shifts/calendar", &ben, &[]).await.ok().text;
    let address = shown.split("/cal/").nth(1).and_then(|rest| rest.split(".ics").next()).unwrap();
    let of_ben = fetched(&world, &world.at(&format!("/cal/{address}.ics"))).await.ok();
    assert_eq!(values(&of_ben.text, "SUMMARY"), ["On call: Rota"]);
    let request = world.client.get(world.at("/my-shifts")).bearer_auth(&ben).header("accept", "text/html");
    assert!(!world.send(request).await.ok().text.contains(address), "it is shown once");
    assert_eq!(form(&world, "/on-call/calendar", &ben, &[("schedule", "gone")]).await.status, 422);
    assert!(form(&world, "/on-call/calendar", &ben, &[("schedule", "rota")]).await.ok().text.contains(".ics"));
    let of_dan = items(&world.send(world.client.get(world.at("/api/v1/calendar-feeds")).bearer_auth(&dan)).await.ok().body);
    let of_dan = of_dan[0]["id"].as_str().unwrap();
    assert!(page(&world, &cho).await.contains(of_dan) && !page(&world, &ben).await.contains(of_dan));
    let pressed = form(&world, &format!("/calendar-feeds/{of_dan}/revoke"), &cho, &[("back", "/on-call")]).await;
    assert_eq!((pressed.status, pressed.header("location")), (303, Some("/on-call")));
    assert_eq!(fetched(&world, &of_rota_at).await.status, 404);

    // Whoever is removed takes theirs along, also where somebody of that id comes again.
    let mine = makes_feed(&world, &dan, json!({})).await.ok().body["url"].as_str().unwrap().to_owned();
    let mine = world.at(&format!("/cal/{}", mine.rsplit('/').next().unwrap()));
    assert_eq!(values(&fetched(&world, &mine).await.ok().text, "UID").len(), 0, "he has no shift");
    world.command("/org/person/dan/detach", json!({})).await.ok();
    assert_eq!(world.delete("/api/v1/org/person/dan").await.status, 200);
    assert_eq!(fetched(&world, &mine).await.status, 404);
    let request = world.client.put(world.at("/api/v1/org/person/dan")).bearer_auth(ADMIN_TOKEN).json(&json!({"name": "Dan"}));
    assert!(world.send(request).await.status < 300);
    assert_eq!(fetched(&world, &mine).await.status, 404);
}

/// Asks for cover, as somebody.
async fn cover(world: &World, token: &str, body: Value) -> Answer {
    world.send(world.client.post(world.at("/api/v1/cover-requests")).bearer_auth(token).json(&body)).await
}

async fn answers(world: &World, token: &str, id: &str, word: &str) -> Answer {
    world.send(world.client.post(world.at(&format!("/api/v1/cover-requests/{id}/{word}"))).bearer_auth(token)).await
}

async fn covers(world: &World, token: &str) -> Vec<Value> {
    items(&world.send(world.client.get(world.at("/api/v1/cover-requests")).bearer_auth(token)).await.ok().body)
}

pub(crate) async fn on_at(world: &World, at: Timestamp) -> String {
    items(&world.api(&format!("/oncall?at={at}")).await)[0]["person"].as_str().unwrap_or("-").to_owned()
}

async fn my_shifts(world: &World, token: &str) -> String {
    world.send(world.client.get(world.at("/my-shifts")).bearer_auth(token).header("accept", "text/html")).await.ok().text
}

/// What somebody was told of their turns, the words of each.
async fn notes(world: &mut World, who: &str) -> Vec<String> {
    world.quiet().await;
    let notes = world.hook.told(who).into_iter().filter(|told| told.kind() == "note");
    notes.map(|told| told.body["data"]["text"].as_str().unwrap().to_owned()).collect()
}

async fn a_shift_is_covered_or_swapped_by_whoever_accepts(database: Database) {
    let rota = ROTA.replace("people: [ana]", "people: [ana, ben]");
    let people = org::PEOPLE.replace("teams:", "  - {id: dan, name: Dan}\nteams:");
    let paged = org::ESCALATIONS.replace("person:ana", "schedule:rota");
    let mut world = world_of(database, [&people, &rota, &paged, org::SERVICES, org::CATCH_ALL].concat()).await;
    let on = items(&world.api("/oncall").await).remove(0);
    let (mine, theirs) = if on["person"] == "ana" { ("ana", "ben") } else { ("ben", "ana") };
    let (me, other) = (token(&world, mine).await, token(&world, theirs).await);
    let (cho, dan) = (token(&world, "cho").await, token(&world, "dan").await);
    // The next turn of the other begins at the hand-over, one of mine a week later.
    let over: Timestamp = on["until"].as_str().unwrap().parse().unwrap();
    let hours = SignedDuration::from_hours;
    let my_turn = over + hours(7 * 24 + 24);
    let ask = |from: Timestamp, lasts: i64| json!({"schedule": "rota", "starts_at": from, "ends_at": from + hours(lasts)});

    // Somebody is asked, and it stays mine until they accept.
    let mut body = ask(my_turn, 4);
    (body["asked"], body["words"]) = (theirs.into(), "A wedding; sorry".into());
    let asked = cover(&world, &me, body.clone()).await;
    assert_eq!((asked.status, &asked.body["state"], &asked.body["waits_for"]), (201, &json!("open"), &json!([theirs])), "{}", asked.text);
    let id = asked.body["id"].as_str().unwrap();
    let told = notes(&mut world, theirs).await;
    assert!(
        told.len() == 1 && told[0].contains("asks you to cover") && told[0].contains("A wedding") && told[0].contains("/my-shifts"),
        "{told:?}"
    );
    assert_eq!(on_at(&world, my_turn).await, mine);
    let seen = my_shifts(&world, &other).await;
    assert!(seen.contains("asks you to cover") && seen.contains("A wedding; sorry") && seen.contains(&format!("{id}/accept")), "{seen}");
    assert!(my_shifts(&world, &me).await.contains("no answer yet"));
    assert_eq!((covers(&world, &cho).await.len(), covers(&world, &dan).await.len()), (1, 0), "her team's manager sees it");
    for (token, word) in [(&dan, "accept"), (&cho, "accept"), (&me, "accept"), (&other, "withdraw"), (&other, "perhaps")] {
        let refused = answers(&world, token, id, word).await;
        assert_eq!((refused.status, &refused.body["code"]), (404, &json!("no_such_cover")), "{word}: {}", refused.text);
    }
    let accepted = answers(&world, &other, id, "accept").await.ok();
    assert_eq!((&accepted.body["state"], &accepted.body["ended_by"]), (&json!("accepted"), &json!(theirs)));
    assert_eq!((on_at(&world, my_turn).await.as_str(), on_at(&world, my_turn + hours(4)).await.as_str()), (theirs, mine));
    assert_eq!(answers(&world, &other, id, "accept").await.ok().body["state"], "accepted", "once more it is so already");
    let told = notes(&mut world, mine).await;
    assert!(told.len() == 1 && told[0].contains("covers your turn"), "once, and not of the override as well: {told:?}");
    let late = answers(&world, &me, id, "withdraw").await;
    assert_eq!((late.status, &late.body["code"]), (409, &json!("cover_ended")), "{}", late.text);
    let made = items(&world.api("/schedules/rota/overrides").await);
    assert!(made.len() == 1 && made[0]["made_by"] == format!("person:{theirs}"), "{made:?}");
    // Whoever covers gives it back by ending the override: whose turn it is again is told.
    let given_up = made[0]["id"].as_str().unwrap();
    ends(&world, &other, given_up).await.ok();
    let told = notes(&mut world, mine).await;
    assert!(told.len() == 2 && told[1].contains("changed who is on call") && told[1].contains("You are on call"), "{told:?}");
    assert_eq!(notes(&mut world, theirs).await.len(), 1, "and nobody of what they did themself");
    puts(&world, &other, theirs, my_turn, 4).await;
    let told = notes(&mut world, mine).await;
    assert!(told.len() == 3 && told[2].contains("You are not on call any more"), "{told:?}");

    // A swap, accepted by the page; both are made at once.
    let (give, back) = (my_turn + hours(8), over + hours(24));
    let fields = [
        ("once", "4711".to_owned()),
        ("shift", format!("{mine} rota {give} {}", give + hours(4))),
        ("return", format!("{theirs} rota {back} {}", back + hours(4))),
    ];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    for _ in 0..2 {
        assert_eq!(form(&world, "/my-shifts/cover", &me, &fields).await.status, 303, "the same form once more is the same request");
    }
    let open: Vec<Value> = covers(&world, &other).await.into_iter().filter(|one| one["state"] == "open").collect();
    assert!(open.len() == 1 && open[0]["in_return"]["schedule"] == "rota", "{open:?}");
    let swap = open[0]["id"].as_str().unwrap();
    assert_eq!(form(&world, &format!("/my-shifts/cover/{swap}/accept"), &other, &[]).await.status, 303);
    assert_eq!((on_at(&world, give).await.as_str(), on_at(&world, back).await.as_str()), (theirs, mine));
    let refused = form(&world, "/my-shifts/cover", &me, &[("shift", "nonsense"), ("words", "kept")]).await;
    assert!(
        refused.status == 422 && refused.text.contains("Choose a shift") && refused.text.contains("value=\"kept\""),
        "{}",
        refused.text
    );

    // The whole team is asked: who declines is out, and of two who accept at once the first has it.
    let part = my_turn + hours(24);
    let team = cover(&world, &me, ask(part, 4)).await;
    let team = team.ok().body["id"].as_str().unwrap().to_owned();
    let (one, two) = tokio::join!(answers(&world, &other, &team, "accept"), answers(&world, &cho, &team, "accept"));
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409], "{} {}", one.text, two.text);
    let winner = if one.status == 200 { theirs } else { "cho" };
    assert_eq!(on_at(&world, part).await, winner);
    assert_eq!(items(&world.api("/schedules/rota/overrides").await).len(), 4, "one more, and no second");
    let part = my_turn + hours(32);
    let both = cover(&world, &me, ask(part, 4)).await.ok().body["id"].as_str().unwrap().to_owned();
    assert_eq!(answers(&world, &other, &both, "decline").await.ok().body["waits_for"], json!(["cho"]));
    assert_eq!(answers(&world, &cho, &both, "decline").await.ok().body["state"], "declined");

    // What is not mine to give, and what cannot be kept any more.
    for (body, says) in [
        (ask(over + hours(48), 4), "does not have the turn"),
        (ask(my_turn, 4), "does not have the turn"),
        (ask(my_turn + hours(40), 0), "not after the start"),
        (json!({"schedule": "rota", "starts_at": my_turn + hours(40), "ends_at": my_turn + hours(42), "asked": "dan"}), "team"),
        (json!({"schedule": "rota", "starts_at": my_turn + hours(40), "ends_at": my_turn + hours(42), "asked": mine}), "themself"),
    ] {
        let refused = cover(&world, &me, body).await;
        assert!(refused.status == 422 && refused.text.contains(says), "{says}: {}", refused.text);
    }
    let part = my_turn + hours(48);
    let lapses = cover(&world, &me, ask(part, 4)).await.ok().body["id"].as_str().unwrap().to_owned();
    puts(&world, &cho, "cho", part, 1).await;
    let listed = covers(&world, &me).await.into_iter().find(|one| one["id"] == lapses.as_str()).unwrap();
    assert_eq!(listed["state"], "withdrawn", "{listed}");
    let gone = answers(&world, &other, &lapses, "accept").await;
    assert_eq!((gone.status, &gone.body["code"]), (409, &json!("cover_ended")), "{}", gone.text);
    assert!(gone.text.contains("does not have the turn"), "{}", gone.text);

    // Without an answer it says so, to whoever asked and to the team's manager.
    let now = world.now().await;
    let mut body = ask(my_turn + hours(56), 4);
    (body["asked"], body["answer_by"]) = (theirs.into(), (now + hours(1)).to_string().into());
    let waits = cover(&world, &me, body).await.ok().body["id"].as_str().unwrap().to_owned();
    world.advance(3_700).await;
    let listed = covers(&world, &me).await.into_iter().find(|one| one["id"] == waits.as_str()).unwrap();
    assert_eq!((&listed["state"], &listed["unanswered"]), (&json!("open"), &json!(true)), "{listed}");
    for who in [mine, "cho"] {
        let told = notes(&mut world, who).await;
        assert!(told.last().is_some_and(|told| told.contains("answered")), "{who}: {told:?}");
    }
    assert!(my_shifts(&world, &me).await.contains("nobody answered in time") && my_shifts(&world, &cho).await.contains("has no answer"));
    world.kill().await;
    world.start_again(&[]).await;
    assert_eq!(answers(&world, &me, &waits, "withdraw").await.ok().body["state"], "withdrawn");
    for n in 0..20 {
        let asked = cover(&world, &me, ask(my_turn + hours(60) + SignedDuration::from_mins(10 * n), 1)).await;
        assert_eq!(asked.status, 201, "{}", asked.text);
    }
    let refused = cover(&world, &me, ask(my_turn + hours(60), 1)).await;
    assert_eq!((refused.status, &refused.body["code"]), (422, &json!("too_many_covers")), "{}", refused.text);
}

async fn turns_of_whoever_is_away_need_cover_until_somebody_has_them(database: Database) {
    let world = world_of(database, organisation()).await;
    let (ana, ben, cho) = (token(&world, "ana").await, token(&world, "ben").await, token(&world, "cho").await);
    let now = world.now().await;
    let hours = SignedDuration::from_hours;
    let away = async |token: &str, person: Option<&str>, from: i64, to: i64| {
        let mut body = json!({"starts_at": now + hours(from), "ends_at": now + hours(to), "reason": "a private matter"});
        if let Some(person) = person {
            body["person"] = person.into();
        }
        world.send(world.client.post(world.at("/api/v1/absences")).bearer_auth(token).json(&body)).await
    };
    let listed = async |token: &str| items(&world.send(world.client.get(world.at("/api/v1/absences")).bearer_auth(token)).await.ok().body);

    // Ana's own, with the turn that needs cover; why is read by her and by administrators.
    let made = away(&ana, None, 24, 32).await;
    assert_eq!((made.status, &made.body["reason"]), (201, &json!("a private matter")), "{}", made.text);
    assert_eq!(made.body["needs_cover"][0]["schedule"], "rota", "{}", made.text);
    let seen = listed(&ben).await;
    assert_eq!((&seen[0]["reason"], &seen[0]["person"], &seen[0]["may_end"]), (&Value::Null, &json!("ana"), &json!(false)));
    assert!(!page(&world, &ben).await.contains("a private matter") && !page(&world, &cho).await.contains("a private matter"));
    assert_eq!(items(&world.api("/absences").await)[0]["reason"], "a private matter");
    let on_call = page(&world, &ben).await;
    assert!(on_call.contains("Needs cover") && on_call.contains("on call while they are away"), "{on_call}");
    let shifts = my_shifts(&world, &ana).await;
    assert!(shifts.contains("needs cover") && shifts.contains("a private matter"), "{shifts}");
    // A check names it, and nobody was taken off.
    let form = world.client.get(world.at("/settings/absence")).bearer_auth(ADMIN_TOKEN).header("accept", "text/html");
    assert!(world.send(form).await.ok().text.contains("Ana Ruiz"));
    let path = world.dir.path().join("away.yaml");
    let text = format!(
        "{}absences:\n  - {{id: a, person: ana, starts_at: \"2026-12-07T09:00:00Z\", ends_at: \"2099-12-09T09:00:00Z\"}}\n",
        organisation()
    );
    std::fs::write(&path, org::filled(&text, "http://127.0.0.1:1")).unwrap();
    let check = world.cli(&["config", "check", &path.display().to_string()]).await;
    assert!(check.code != 0 && [check.stdout, check.stderr].concat().contains("longer than a year"));
    std::fs::write(&path, org::filled(&text.replace("2099-", "2026-"), "http://127.0.0.1:1")).unwrap();
    assert_eq!(world.cli(&["config", "check", &path.display().to_string()]).await.code, 0);
    assert_eq!(on_at(&world, now + hours(25)).await, "ana");

    // Whoever covers settles it.
    let body = json!({"schedule": "rota", "starts_at": now + hours(24), "ends_at": now + hours(32), "asked": "ben"});
    let asked = cover(&world, &ana, body).await.ok().body["id"].as_str().unwrap().to_owned();
    answers(&world, &ben, &asked, "accept").await.ok();
    assert_eq!(listed(&ana).await[0]["needs_cover"], json!([]));
    assert!(!page(&world, &ben).await.contains("on call while they are away"));

    // One's own, a manager's for the team, and nobody else's; and what cannot be.
    assert_eq!(away(&ben, Some("ana"), 1, 2).await.status, 403);
    assert_eq!(away(&cho, Some("ben"), 1, 2).await.status, 201);
    for (from, to) in [(5, 5), (5, 4), (-5, -4), (1, 24 * 400)] {
        let refused = away(&ana, None, from, to).await;
        assert_eq!((refused.status, &refused.body["code"]), (422, &json!("invalid")), "{from} {to}: {}", refused.text);
    }
    let id = listed(&ana).await.into_iter().find(|one| one["person"] == "ana").unwrap()["id"].as_str().unwrap().to_owned();
    let ends = async |token: &str| world.send(world.client.delete(world.at(&format!("/api/v1/absences/{id}"))).bearer_auth(token)).await;
    let not_his = ends(&ben).await;
    assert_eq!((not_his.status, &not_his.body["code"]), (404, &json!("no_such_absence")), "{}", not_his.text);
    assert_eq!(ends(&ana).await.status, 204);
    assert!(listed(&ana).await.iter().all(|one| one["person"] == "ben"));
    // By the page, in her own clock, and back again.
    let (from, to) = ("2036-02-01T09:00", "2036-02-08T09:00");
    let fields = [("once", "1"), ("from", from), ("to", to), ("reason", "Ski")];
    for _ in 0..2 {
        assert_eq!(self::form(&world, "/my-shifts/absence", &ana, &fields).await.status, 303);
    }
    let own: Vec<Value> = listed(&ana).await.into_iter().filter(|one| one["person"] == "ana").collect();
    assert!(own.len() == 1 && own[0]["starts_at"] == "2036-02-01T08:00:00Z", "{own:?}");
    let refused = self::form(&world, "/my-shifts/absence", &ana, &[("from", to), ("to", from), ("reason", "Ski")]).await;
    assert!(refused.status == 422 && refused.text.contains("not after the start") && refused.text.contains("value=\"Ski\""));
    let path = format!("/my-shifts/absence/{}/end", own[0]["id"].as_str().unwrap());
    for _ in 0..2 {
        assert_eq!(self::form(&world, &path, &ana, &[]).await.status, 303);
    }
    assert!(listed(&ana).await.iter().all(|one| one["person"] == "ben"));
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
