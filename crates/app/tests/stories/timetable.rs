//! The calendar of a schedule: who is on call over days, what lies beneath, a time that is picked, and what a change would do
//! before it is saved.

use allclear_trial::org::{self, ADMIN_TOKEN};
use allclear_trial::world::{Answer, items};
use allclear_trial::{Database, World};
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};

use crate::rota::{form, id, on_at, organisation, puts, token};
use crate::{on_both, world_of};

on_both!(
    a_calendar_shows_who_is_on_call_and_puts_somebody_on,
    a_change_of_a_schedule_is_seen_for_eight_weeks_before_it_is_saved,
    turns_on_public_holidays_of_their_people_need_cover,
    for_a_time_other_turns_stand_in_the_place_of_all_layers,
    whoever_asks_is_told_before_each_of_their_shifts,
);

/// A rota with a layer on top in office hours, and one of turns of an hour.
const ROTAS: &str = r#"
schedules:
  - id: rota
    name: "Rota 🚨 مناوبة"
    team: payments
    time_zone: Europe/Madrid
    layers:
      - {name: nights, people: [ana, ben], every: 1w, handoff: "Mon 09:00", starts: 2026-01-05}
      - {name: days, people: [cho], every: 1d, handoff: "09:00", starts: 2026-01-05, only: [{days: [Mon, Tue, Wed, Thu, Fri], from: "09:00", to: "17:00"}]}
  - {id: hourly, team: payments, time_zone: America/New_York, layers: [{people: [ana, ben, cho], every: 1h, handoff: "00:00", starts: 2026-01-05}]}
  - {id: island, team: payments, time_zone: Australia/Lord_Howe, layers: [{people: [ana], every: 1d, handoff: "09:00", starts: 2026-01-05, only: [{from: "09:00", to: "17:00"}]}]}
"#;

async fn get(world: &World, path: &str, token: &str) -> Answer {
    world.send(world.client.get(world.at(path)).bearer_auth(token).header("accept", "text/html")).await
}

async fn page(world: &World, path: &str, token: &str) -> String {
    get(world, path, token).await.ok().text
}

async fn a_calendar_shows_who_is_on_call_and_puts_somebody_on(database: Database) {
    let paged = org::ESCALATIONS.replace("person:ana", "schedule:rota");
    let world = world_of(database, [org::PEOPLE, ROTAS, &paged, org::SERVICES, org::CATCH_ALL].concat()).await;
    let (ana, ben, cho) = (token(&world, "ana").await, token(&world, "ben").await, token(&world, "cho").await);

    // A month, a week and a day, by links alone; the page of who is on call leads there.
    assert!(page(&world, "/on-call", &ben).await.contains("/on-call/schedules/rota"));
    let week = page(&world, "/on-call/schedules/rota?view=week&at=2036-12-03", &ben).await;
    assert!(week.contains("1 Dec – 7 Dec 2036"), "{week}");
    assert!(week.contains("Rota 🚨 مناوبة") && week.contains("Cho Min-ji") && week.contains("nights") && week.contains("days"), "{week}");
    assert!(week.contains("view=week&amp;at=2036-11-26") && week.contains("view=week&amp;at=2036-12-10"), "{week}");
    assert!(week.contains("Europe/Madrid") && week.contains("Show my zone, UTC"), "{week}");
    let month = page(&world, "/on-call/schedules/rota?view=month&at=2036-12-03&zone=mine", &ben).await;
    assert!(month.contains("December 2036") && month.contains("Show the schedule’s zone, Europe/Madrid"), "{month}");
    assert_eq!(month.matches("<svg class=\"strip\"").count(), 5, "a strip a week");
    // The day on which the clocks go forward has 23 hours, in Lord Howe half an hour less.
    assert!(page(&world, "/on-call/schedules/rota?view=day&at=2036-03-30", &ben).await.contains("23 h"));
    assert!(page(&world, "/on-call/schedules/island?view=day&at=2036-04-06", &ben).await.contains("24 h 30 min"));
    let island = page(&world, "/on-call/schedules/island", &ben).await;
    assert!(island.contains("nobody") && island.contains("no layer is on"), "{island}");
    // Turns of an hour are gathered, and a page stays small enough for a telephone.
    let hours = page(&world, "/on-call/schedules/hourly?view=month&at=2036-11-02", &ben).await;
    assert!(hours.contains("24 turns") && hours.contains("and 18 more") && hours.len() < 200_000, "{}: {hours}", hours.len());
    assert!(hours.contains("25 h"), "the day on which the clocks go back has an hour more: {hours}");
    // What is no day is told, and today is shown; who is there is told of nothing that is not.
    for (query, says) in [("at=2036-13-40", "looks like 2026-11-30"), ("view=year", "a month, a week or a day"), ("at=0001-01-01", "1990")]
    {
        let told = get(&world, &format!("/on-call/schedules/rota?{query}"), &ben).await;
        assert!(told.status == 422 && told.text.contains(says), "{query}: {}", told.text);
    }
    assert_eq!(get(&world, "/on-call/schedules/gone", &ben).await.status, 404);

    // A picked time says who is on then, and what it would change; a click on a turn picks that turn.
    let (from, to) = ("2036-12-03T08:00:00Z", "2036-12-03T10:00:00Z");
    let picked = format!("/on-call/schedules/rota?view=week&at=2036-12-03&from={from}&to={to}&person=ben&effect=replaces");
    let seen = page(&world, &picked, &cho).await;
    assert!(seen.contains("On call then") && seen.contains("Ben Okafor instead of Cho Min-ji"), "{seen}");
    assert!(seen.contains("value=\"2036-12-03T09:00\"") && week.contains("to=2036-12-03T16:00:00Z#take"), "{seen}");
    assert!(page(&world, &picked.replace("replaces", "adds"), &cho).await.contains("Ben Okafor besides Cho Min-ji"));
    let nobody = page(&world, &picked.replace("replaces", "nobody"), &cho).await;
    assert!(nobody.contains("instead of <bdi>Cho Min-ji"), "{nobody}");
    let backwards = page(&world, &format!("/on-call/schedules/rota?from={to}&to={from}"), &ben).await;
    assert!(backwards.contains("The end is not after the start"), "{backwards}");
    // Nothing was made by looking.
    assert_eq!(items(&world.api("/schedules/rota/overrides").await).len(), 0);

    let fields = |from: &'static str, to: &'static str, person: &'static str| {
        [
            ("once", "1790000000001"),
            ("view", "week"),
            ("at", "2036-12-03"),
            ("effect", "replaces"),
            ("from", from),
            ("to", to),
            ("person", person),
        ]
    };
    let path = "/on-call/schedules/rota/override";
    let refused = form(&world, path, &ben, &fields("2036-12-03T09:00", "2036-12-03T11:00", "ana")).await;
    assert!(refused.status == 422 && refused.text.contains("This was not done"), "he puts nobody else on: {}", refused.text);
    for _ in 0..2 {
        let put = form(&world, path, &cho, &fields("2036-12-03T09:00", "2036-12-03T11:00", "ben")).await;
        assert_eq!((put.status, put.header("location")), (303, Some("/on-call/schedules/rota?view=week&at=2036-12-03")), "{}", put.text);
    }
    let at: Timestamp = "2036-12-03T09:00:00Z".parse().unwrap();
    assert_eq!(on_at(&world, at).await, "ben", "in the schedule's zone");
    let made = items(&world.api("/schedules/rota/overrides").await);
    assert_eq!(
        (made.len(), made[0]["starts_at"].as_str()),
        (1, Some("2036-12-03T08:00:00Z")),
        "the same form once more is the same override"
    );
    let week = page(&world, "/on-call/schedules/rota?view=week&at=2036-12-03", &ana).await;
    assert!(
        week.contains("Overrides") && week.contains("class=\"above\"") && week.contains(&format!("override {}", id_of(&made[0]))),
        "{week}"
    );
    // An hour that the clocks show twice is the one that was picked.
    let second = ("2036-10-26T01:15:00Z", "2036-10-26T01:45:00Z");
    let seen = page(&world, &format!("/on-call/schedules/rota?from={}&to={}", second.0, second.1), &cho).await;
    assert!(seen.contains("value=\"2036-10-26T02:15\"") && seen.contains(&format!("value=\"{}\"", second.0)), "{seen}");
    let twice = [
        ("effect", "replaces"),
        ("person", "ben"),
        ("from", "2036-10-26T02:15"),
        ("from_at", second.0),
        ("to", "2036-10-26T02:45"),
        ("to_at", second.1),
    ];
    assert_eq!(form(&world, path, &cho, &twice).await.status, 303);
    let later = items(&world.api("/schedules/rota/overrides").await);
    assert!(later.iter().any(|one| one["starts_at"] == second.0), "{later:?}");

    // The API says the same as who is on call at each instant, and is bounded.
    let told = world.api("/schedules/rota/timetable?from=2036-12-01T00:00:00Z&to=2036-12-08T00:00:00Z").await;
    assert_eq!((&told["cut"], told["layers"].as_array().unwrap().len()), (&json!(false), 2));
    assert_eq!(told["overrides"].as_array().unwrap().len(), 1);
    for shift in told["on_call"].as_array().unwrap() {
        let from: Timestamp = shift["starts_at"].as_str().unwrap().parse().unwrap();
        assert_eq!(on_at(&world, from).await, shift["person"].as_str().unwrap(), "{shift}");
    }
    let hours = world.api("/schedules/hourly/timetable?from=2036-01-01T00:00:00Z&to=2037-01-01T00:00:00Z").await;
    assert_eq!(hours["cut"], json!(true));
    let last = hours["on_call"].as_array().unwrap().last().unwrap()["ends_at"].clone();
    assert_eq!(last, hours["to"], "it goes on from where it was cut");
    for (query, status) in [("from=2036-12-02T00:00:00Z&to=2036-12-01T00:00:00Z", 422), ("from=tomorrow", 400)] {
        let path = format!("/api/v1/schedules/rota/timetable?{query}");
        assert_eq!(world.send(world.client.get(world.at(&path)).bearer_auth(ADMIN_TOKEN)).await.status, status, "{query}");
    }

    // Somebody of the schedule is away: it stands in the calendar, without the reason.
    let away = json!({"starts_at": "2036-12-03T12:00:00Z", "ends_at": "2036-12-03T14:00:00Z", "reason": "a private matter"});
    assert_eq!(world.send(world.client.post(world.at("/api/v1/absences")).bearer_auth(&cho).json(&away)).await.status, 201);
    let week = page(&world, "/on-call/schedules/rota?view=week&at=2036-12-03", &ana).await;
    assert!(week.contains("is away") && week.contains("needs cover") && !week.contains("private matter"), "{week}");
    let path = "/on-call/schedules/rota?from=2036-12-03T11:00:00Z&to=2036-12-03T13:00:00Z&person=cho";
    assert!(page(&world, path, &cho).await.contains("is away for some of that time"));
}

fn id_of(one: &Value) -> &str {
    one["id"].as_str().unwrap()
}

async fn asks(world: &World, token: &str, schedule: &str, body: &Value) -> Answer {
    let path = world.at(&format!("/api/v1/schedules/{schedule}/preview"));
    world.send(world.client.request(Method::POST, path).bearer_auth(token).json(body)).await
}

async fn a_change_of_a_schedule_is_seen_for_eight_weeks_before_it_is_saved(database: Database) {
    let world = world_of(database, organisation()).await;
    let ben = token(&world, "ben").await;
    let now = world.now().await;
    let stored = world.api("/org/schedule/rota").await["body"].clone();

    // Nothing changes, by the same body; another order is told by whom it puts on, from now on.
    let same = asks(&world, ADMIN_TOKEN, "rota", &stored).await.ok().body;
    assert_eq!((&same["preview"]["changes"], &same["preview"]["gaps"]), (&json!([]), &json!([])), "{same}");
    let mut two = stored.clone();
    two["layers"][0]["people"] = json!(["ana", "ben"]);
    let seen = asks(&world, ADMIN_TOKEN, "rota", &two).await.ok().body;
    let changes = seen["preview"]["changes"].as_array().unwrap();
    assert!((4..=5).contains(&changes.len()), "every second of eight weeks: {changes:?}");
    assert!(changes.iter().all(|one| one["says"] == "Ben Okafor instead of Ana Ruiz" && one["was"] == json!(["ana"])), "{changes:?}");
    let first: Timestamp = changes[0]["starts_at"].as_str().unwrap().parse().unwrap();
    assert!(first >= now && first < now + SignedDuration::from_hours(14 * 24));
    // It is what is so once it is saved, and looking saved nothing.
    let somewhere = first + SignedDuration::from_mins(10);
    assert_eq!(on_at(&world, somewhere).await, "ana");
    // Hours alone leave gaps; what is not readable is refused as it would be when it is saved.
    let mut office = stored.clone();
    office["layers"][0]["only"] = json!([{"days": ["Mon"], "from": "09:00", "to": "17:00"}]);
    let gaps = asks(&world, ADMIN_TOKEN, "rota", &office).await.ok().body;
    assert!(gaps["preview"]["gaps"].as_array().unwrap().len() >= 7 && !gaps["problems"].as_array().unwrap().is_empty(), "{gaps}");
    for (key, value) in [("handoff", json!("soon")), ("people", json!(["nobody-known"])), ("people", json!([]))] {
        let mut wrong = stored.clone();
        wrong["layers"][0][key] = value;
        let refused = asks(&world, ADMIN_TOKEN, "rota", &wrong).await;
        assert_eq!(refused.status, 422, "{key}: {}", refused.text);
    }
    assert_eq!(asks(&world, &ben, "rota", &two).await.status, 403);
    let mut new = two.clone();
    new["id"] = "fresh".into();
    let fresh = asks(&world, ADMIN_TOKEN, "fresh", &new).await.ok().body;
    assert!(fresh["preview"]["changes"][0]["says"].as_str().unwrap().ends_with("instead of nobody"), "{fresh}");

    // By the form: Preview shows it and keeps what was typed; the button under it saves.
    world.command("/org/schedule/rota/detach", json!({})).await.ok();
    let path = "/settings/schedule/rota";
    let html = page(&world, path, ADMIN_TOKEN).await;
    let seen = html.split("name=\"seen\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let typed = [
        ("name", "Rota"),
        ("team", "payments"),
        ("time_zone", "Europe/Madrid"),
        ("layers.#", "1"),
        ("layers.0.people.0", "ana"),
        ("layers.0.people.1", "ben"),
        ("layers.0.every", "1w"),
        ("layers.0.handoff", "Mon 09:00"),
        ("layers.0.starts", "2026-01-05"),
        ("seen", &seen),
    ];
    let look = [&typed[..], &[("do.look", "")]].concat();
    let shown = form(&world, path, ADMIN_TOKEN, &look).await;
    assert_eq!(shown.status, 200, "{}", shown.text);
    let preview = shown.text.split("id=\"preview\"").nth(1).unwrap();
    assert!(preview.contains("Ben Okafor instead of Ana Ruiz") && preview.contains("As it stands"), "{preview}");
    let gaps_first = preview.find("Nobody would be on call").unwrap() < preview.find("What changes").unwrap();
    assert!(gaps_first && preview.contains("form=\"of-form\""), "{preview}");
    assert_eq!(on_at(&world, somewhere).await, "ana", "nothing is kept");
    // Saved; where somebody else is on at once it says so on a page of its own.
    assert!([200, 303].contains(&form(&world, path, ADMIN_TOKEN, &typed).await.status));
    assert_eq!(on_at(&world, somewhere).await, "ben");
    // An override goes on holding: what is previewed stands under it.
    let made = id(&puts(&world, ADMIN_TOKEN, "cho", first, 24 * 7).await);
    let back = asks(&world, ADMIN_TOKEN, "rota", &stored).await.ok().body;
    let under = back["preview"]["changes"].as_array().unwrap();
    assert!(under.iter().all(|one| one["starts_at"].as_str().unwrap().parse::<Timestamp>().unwrap() > first), "{made}: {under:?}");
}

async fn puts_form(world: &World, path: &str, body: &Value) -> Answer {
    world.send(world.client.put(world.at(&format!("/api/v1/org/{path}"))).bearer_auth(ADMIN_TOKEN).json(body)).await
}

async fn needs_cover(world: &World, token: &str) -> Vec<Value> {
    items(&world.send(world.client.get(world.at("/api/v1/needs-cover")).bearer_auth(token)).await.ok().body)
}

async fn turns_on_public_holidays_of_their_people_need_cover(database: Database) {
    let mut world = world_of(database, organisation()).await;
    let (ana, ben, cho) = (token(&world, "ana").await, token(&world, "ben").await, token(&world, "cho").await);
    let now = world.now().await;
    let day = |days: i64| (now + SignedDuration::from_hours(24 * days)).to_zoned(jiff::tz::TimeZone::get("Europe/Madrid").unwrap()).date();
    // A list of one day, and one from the text of a calendar; ana names both.
    let soon = json!({"name": "Here", "days": [{"date": day(3).to_string(), "name": "Fiesta 🎉 del pueblo"}]});
    assert_eq!(puts_form(&world, "holidays/here", &soon).await.status, 201);
    let digits = day(20).to_string().replace('-', "");
    let text =
        format!("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:{digits}\r\nSUMMARY:Later\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n");
    assert_eq!(puts_form(&world, "holidays/there", &json!({"ics": text})).await.status, 201);
    for (body, says) in [
        (json!({"days": ["2026-12-25T09:00"]}), "days"),
        (json!({"ics": "hello"}), "ics"),
        (json!({"ics": "x".repeat(300 * 1024)}), "bytes"),
        (json!({"days": (0..700).map(|n| day(n).to_string()).collect::<Vec<_>>()}), "more than 600"),
    ] {
        let refused = puts_form(&world, "holidays/wrong", &body).await;
        assert!(refused.status == 422 && refused.text.contains(says), "{says}: {}", refused.text);
    }
    world.command("/org/person/ana/detach", json!({})).await.ok();
    let mut person = world.api("/org/person/ana").await["body"].clone();
    person["public_holidays"] = json!(["here", "gone"]);
    let refused = puts_form(&world, "person/ana", &person).await;
    assert!(refused.status == 422 && refused.text.contains("`gone` is not a"), "{}", refused.text);
    person["public_holidays"] = json!(["here", "there"]);
    let kept = puts_form(&world, "person/ana", &person).await;
    assert!(kept.status == 200 && kept.text.contains("Fiesta"), "a check says so at once: {}", kept.text);

    // Both days need cover, from midnight to midnight of her own clock.
    let turns = needs_cover(&world, &ben).await;
    assert_eq!(
        turns.iter().map(|one| one["holiday"].as_str().unwrap()).collect::<Vec<_>>(),
        ["Fiesta 🎉 del pueblo", "Later"],
        "{turns:?}"
    );
    let begins = day(3).to_zoned(jiff::tz::TimeZone::get("Europe/Madrid").unwrap()).unwrap().timestamp();
    assert_eq!((turns[0]["person"].as_str(), turns[0]["starts_at"].as_str()), (Some("ana"), Some(begins.to_string().as_str())));
    assert!(page(&world, "/on-call", &ben).await.contains("has Fiesta 🎉 del pueblo off"));
    assert!(page(&world, "/my-shifts", &ana).await.contains("On your public holidays"));
    let calendar = page(&world, &format!("/on-call/schedules/rota?view=day&at={}", day(3)), &ben).await;
    assert!(calendar.contains("has Fiesta 🎉 del pueblo off") && calendar.contains("needs cover"), "{calendar}");
    // She and her team's manager are told before it, once a day at most, and not after somebody has it.
    assert_eq!((world.hook.told("ana").len(), world.hook.told("cho").len()), (0, 0));
    world.advance(3 * 24 * 3600 - 3600).await;
    world.quiet().await;
    let told = world.hook.told("ana").len();
    assert!(told >= 1 && !world.hook.told("cho").is_empty(), "{told}");
    assert!(world.hook.told("ana").iter().any(|message| message.body.to_string().contains("Fiesta")), "what it is about is said");
    let made = puts(&world, &cho, "ben", begins, 24).await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert!(needs_cover(&world, &ben).await.iter().all(|one| one["holiday"] == "Later"));
    // A calendar that names the list is closed on it.
    let office = json!({"time_zone": "Europe/Madrid", "hours": [{"from": "00:00", "to": "00:00"}], "public_holidays": ["there"]});
    assert_eq!(puts_form(&world, "calendar/office", &office).await.status, 201);
    let gone = world.client.delete(world.at("/api/v1/org/holidays/there")).bearer_auth(ADMIN_TOKEN);
    let refused = world.send(gone).await;
    assert!(
        refused.status == 422 && refused.text.contains("office") && refused.text.contains("ana"),
        "what names it keeps it: {}",
        refused.text
    );
}

async fn for_a_time_other_turns_stand_in_the_place_of_all_layers(database: Database) {
    let mut world = world_of(database, organisation()).await;
    let (ben, cho) = (token(&world, "ben").await, token(&world, "cho").await);
    let (from, to): (Timestamp, Timestamp) = ("2036-12-24T09:00:00Z".parse().unwrap(), "2036-12-27T09:00:00Z".parse().unwrap());
    let layer = json!({"people": ["ben", "cho"], "every": "1d", "handoff": "10:00", "starts": "2036-12-24"});
    let path = "/api/v1/schedules/rota/temporary-schedules";
    let asks = async |method: Method, path: &str, token: &str, body: Option<Value>| {
        let mut request = world.client.request(method, world.at(path)).bearer_auth(token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        world.send(request).await
    };
    let body = json!({"name": "Christmas 🎄", "starts_at": from, "ends_at": to, "layers": [layer]});
    let refused = asks(Method::POST, path, &ben, Some(body.clone())).await;
    assert_eq!((refused.status, &refused.body["code"]), (403, &json!("forbidden")), "only whoever changes the schedule: {}", refused.text);
    let made = asks(Method::POST, path, &cho, Some(body.clone())).await;
    assert_eq!((made.status, &made.body["people"], &made.body["may_end"]), (201, &json!(["ben", "cho"]), &json!(true)), "{}", made.text);
    let id = made.body["id"].as_str().unwrap().to_owned();
    let hour = SignedDuration::from_hours;
    for (after, who) in [(-1, "ana"), (1, "ben"), (25, "cho"), (49, "ben"), (73, "ana")] {
        assert_eq!(on_at(&world, from + hour(after)).await, who, "{after}");
    }
    let because = world.api(&format!("/oncall?at={}", from + hour(1))).await;
    assert_eq!(items(&because)[0]["because"], "temporary schedule \"Christmas 🎄\"");

    // No second at the same time, and nothing that cannot be.
    let with = |key: &str, value: Value| {
        let mut body = body.clone();
        body[key] = value;
        body
    };
    for (body, says) in [
        (body.clone(), "in that time already"),
        (with("ends_at", json!(from)), "not after the start"),
        (with("ends_at", json!("2038-12-24T09:00:00Z")), "longer than a year"),
        (with("layers", json!([])), "no layer"),
        (
            with("layers", json!([{"people": ["gone"], "every": "1d", "handoff": "10:00", "starts": "2036-12-24"}])),
            "`gone` is not a person",
        ),
        (with("layers", json!([{"people": ["ben"], "every": "1d", "handoff": "soon", "starts": "2036-12-24"}])), "not a time of day"),
    ] {
        let refused = asks(Method::POST, path, &cho, Some(body)).await;
        assert!(refused.status == 422 && refused.text.contains(says), "{says}: {}", refused.text);
    }
    assert_eq!(asks(Method::POST, path, &cho, Some(with("layers", json!([{"every": 3}])))).await.status, 422);
    assert_eq!(asks(Method::GET, "/api/v1/schedules/gone/temporary-schedules", &ben, None).await.status, 404);

    // An override holds over it and is no part of it; a start anew changes nothing.
    let over = puts(&world, &cho, "ana", from + hour(2), 2).await.body["id"].as_str().unwrap().to_owned();
    world.kill().await;
    world.start_again(&[]).await;
    assert_eq!((on_at(&world, from + hour(3)).await.as_str(), on_at(&world, from + hour(5)).await.as_str()), ("ana", "ben"));
    let seen = page(&world, "/on-call/schedules/rota?view=week&at=2036-12-24", &ben).await;
    assert!(seen.contains("Christmas 🎄") && seen.contains(&format!("override {over}")) && !seen.contains("Take back"), "{seen}");
    let told = world.api("/schedules/rota/timetable?from=2036-12-24T00:00:00Z&to=2036-12-28T00:00:00Z").await;
    assert_eq!((told["temporary"][0]["turns"].as_array().unwrap().len(), told["overrides"].as_array().unwrap().len()), (3, 1));

    // Taken back whole: the layers count again, and the override stays.
    let asks =
        async |method: Method, path: &str, token: &str| world.send(world.client.request(method, world.at(path)).bearer_auth(token)).await;
    let one = format!("{path}/{id}");
    assert_eq!(asks(Method::DELETE, &one, &ben).await.status, 403);
    let ended = asks(Method::DELETE, &one, &cho).await;
    assert_eq!((ended.status, &ended.body["removed"]), (200, &json!(true)), "{}", ended.text);
    assert_eq!((on_at(&world, from + hour(1)).await.as_str(), on_at(&world, from + hour(25)).await.as_str()), ("ana", "ana"));
    assert_eq!(items(&world.api("/schedules/rota/overrides").await).len(), 1);
    let missing = asks(Method::DELETE, &one, &cho).await;
    assert_eq!((missing.status, &missing.body["code"]), (404, &json!("no_such_temporary_schedule")), "{}", missing.text);

    // By the page: what it changes is seen before it is made; whoever stands first has the first turn; a second press makes no second.
    let at = "/on-call/schedules/rota/temporary";
    let fields = [
        ("once", "1790000000002"),
        ("view", "week"),
        ("at", "2036-12-24"),
        ("name", "Release"),
        ("from", "2036-12-24T12:00"),
        ("to", "2036-12-26T12:00"),
        ("people.0", "cho"),
        ("people.1", "ben"),
        ("every", "1d"),
        ("handoff", "09:00"),
    ];
    let looked = form(&world, at, &cho, &[&fields[..], &[("look", "1")]].concat()).await;
    assert!(
        looked.status == 200 && looked.text.contains("Cho Min-ji instead of Ana Ruiz") && looked.text.contains("value=\"Release\""),
        "{}",
        looked.text
    );
    assert_eq!(items(&world.api("/schedules/rota/temporary-schedules").await).len(), 0);
    for _ in 0..2 {
        assert_eq!(form(&world, at, &cho, &fields).await.status, 303);
    }
    let made = items(&world.api("/schedules/rota/temporary-schedules").await);
    assert_eq!((made.len(), made[0]["name"].as_str(), made[0]["starts_at"].as_str()), (1, Some("Release"), Some("2036-12-24T11:00:00Z")));
    let noon: Timestamp = "2036-12-24T13:30:00Z".parse().unwrap();
    assert_eq!((on_at(&world, noon).await.as_str(), on_at(&world, noon + hour(24)).await.as_str()), ("cho", "ben"));
    for (key, value, says) in [("people.0", "", "instead"), ("every", "soon", "cannot be read"), ("to", "never", "The end cannot be read")]
    {
        let mut wrong: Vec<(&str, &str)> = fields.iter().map(|(name, old)| (*name, if *name == key { value } else { *old })).collect();
        if key == "people.0" {
            wrong.retain(|(name, _)| !name.starts_with("people."));
        }
        let refused = form(&world, at, &cho, &wrong).await;
        let says = if key == "people.0" { "at least one person" } else { says };
        assert!(
            refused.status == 422 && refused.text.contains(says) && refused.text.contains("value=\"Release\""),
            "{key}: {}",
            refused.text
        );
    }
    let refused = form(&world, at, &ben, &fields).await;
    assert_eq!(refused.status, 422, "not his to make: {}", refused.text);
    let end = format!("{at}/{}/end", made[0]["id"].as_str().unwrap());
    for _ in 0..2 {
        assert_eq!(form(&world, &end, &cho, &[]).await.status, 303);
    }
    assert_eq!(on_at(&world, noon).await, "ana");
}

/// Moves the clock to an instant, where that is to come.
async fn until(world: &mut World, at: Timestamp) {
    let left = at.duration_since(world.now().await).as_secs();
    if left > 0 {
        world.advance(u64::try_from(left).unwrap()).await;
    }
    world.quiet().await;
}

async fn whoever_asks_is_told_before_each_of_their_shifts(database: Database) {
    let rota = organisation().replace(
        "people: [ana], every: 1w, handoff: \"Mon 09:00\", starts: 2026-01-05",
        "people: [ana, ben], every: 1d, handoff: \"09:00\", starts: 2026-01-05",
    );
    let mut world = world_of(database, rota).await;
    let (ana, ben, cho) = (token(&world, "ana").await, token(&world, "ben").await, token(&world, "cho").await);
    let mine = async |method: Method, token: &str, body: Value| {
        world.send(world.client.request(method, world.at("/api/v1/me/shift-notices")).bearer_auth(token).json(&body)).await
    };
    for (body, status) in [
        (json!({"before": ["1m"]}), 422),
        (json!({"before": ["40d"]}), 422),
        (json!({"before": ["1h", "2h", "3h", "4h", "5h"]}), 422),
        (json!({"before": ["soon"]}), 400),
        (json!({"before": "1h"}), 400),
    ] {
        let refused = mine(Method::PUT, &ben, body.clone()).await;
        assert_eq!(refused.status, status, "{body}: {}", refused.text);
    }
    assert_eq!(mine(Method::PUT, &ben, json!({"before": ["1h", "3h", "1h"]})).await.status, 200);
    let kept = world.send(world.client.get(world.at("/api/v1/me/contacts")).bearer_auth(&ben)).await.ok().body;
    assert_eq!((&kept["shift_notices"], &kept["shift_notices_are_own"]), (&json!(["3h", "1h"]), &json!(true)));
    assert!(page(&world, "/me/reached", &ben).await.contains("value=\"3h, 1h\""));

    let next = async |world: &World, who: &str| -> Timestamp {
        let now = world.now().await;
        let told = world.api(&format!("/schedules/rota/timetable?from={now}&to={}", now + SignedDuration::from_hours(72))).await;
        let shifts = told["on_call"].as_array().unwrap().clone();
        let theirs =
            shifts.into_iter().filter(|shift| shift["person"] == who).map(|shift| shift["starts_at"].as_str().unwrap().parse().unwrap());
        theirs.filter(|at: &Timestamp| *at > now + SignedDuration::from_hours(5)).min().unwrap()
    };
    let told = |world: &World, who: &str| {
        let of = world.hook.told(who);
        of.iter().map(|one| one.body.to_string()).filter(|body| body.contains("Your shift in Rota begins")).collect::<Vec<_>>()
    };
    let hours = SignedDuration::from_hours;
    let begins = next(&world, "ben").await;
    until(&mut world, begins - hours(4)).await;
    let before = told(&world, "ben").len();
    until(&mut world, begins - hours(3) + SignedDuration::from_mins(1)).await;
    let first = told(&world, "ben");
    assert_eq!(first.len(), before + 1, "{first:?}");
    assert!(first.last().unwrap().contains("\"shift\""), "of a type of its own: {first:?}");
    // A start anew tells nothing twice, and loses nothing.
    world.kill().await;
    world.start_again(&[]).await;
    until(&mut world, begins - SignedDuration::from_mins(90)).await;
    assert_eq!(told(&world, "ben").len(), before + 1);
    until(&mut world, begins - SignedDuration::from_mins(59)).await;
    assert_eq!(told(&world, "ben").len(), before + 2);
    until(&mut world, begins + hours(1)).await;
    assert_eq!((told(&world, "ben").len(), told(&world, "ana").len()), (before + 2, 0), "and nobody who did not ask");

    // The rota changes: whose shift it is not any more is not told, and whose it is now is, by the times that are left.
    assert_eq!(form(&world, "/me/reached/shifts", &ana, &[("before", "30m")]).await.status, 303);
    let refused = form(&world, "/me/reached/shifts", &ana, &[("before", "soon")]).await;
    assert!(
        refused.status == 422 && refused.text.contains("no length of time") && refused.text.contains("value=\"soon\""),
        "{}",
        refused.text
    );
    let begins = next(&world, "ben").await;
    until(&mut world, begins - hours(2)).await;
    let (of_ben, of_ana) = (told(&world, "ben").len(), told(&world, "ana").len());
    let made = puts(&world, &cho, "ana", begins, 24).await;
    assert_eq!(made.status, 201, "{}", made.text);
    until(&mut world, begins + SignedDuration::from_mins(5)).await;
    assert_eq!(told(&world, "ben").len(), of_ben, "his hour before was for a shift that is hers now");
    // She is on until his turn begins: hers goes on, and begins no shift.
    assert_eq!(told(&world, "ana").len(), of_ana);
    assert_eq!(mine_gone(&world, &ben).await, json!(false));
}

async fn mine_gone(world: &World, token: &str) -> Value {
    let path = world.at("/api/v1/me/shift-notices");
    assert_eq!(world.send(world.client.delete(path).bearer_auth(token)).await.status, 200);
    world.send(world.client.get(world.at("/api/v1/me/contacts")).bearer_auth(token)).await.ok().body["shift_notices_are_own"].clone()
}
