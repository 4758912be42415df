//! Calendars that others keep: whoever their events mean is on call and is paged, through changes of clocks and exceptions; what was
//! read last goes on when their server does not, and what they say of strangers, or to do harm, takes nobody off call.

use std::sync::{Arc, Mutex};

use allclear_trial::fake::{Answer, Came, Fake, Instead};
use allclear_trial::{Database, World, org};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use serde_json::{Value, json};

use crate::{on_both, world_of};

on_both!(
    a_calendar_pages_whoever_it_means_through_a_change_of_clocks_and_a_moved_turn,
    what_was_read_last_pages_while_its_server_is_gone_and_the_team_is_told_once,
    somebody_who_is_not_known_is_told_and_the_layer_below_is_paged,
);

/// What nobody may read of the address.
const SECRET: &str = "f00dcafe-secret-of-the-address";
const MINUTE: u64 = 60;

/// A server of one calendar, whose text may be changed.
struct Server {
    fake: Fake,
    text: Arc<Mutex<String>>,
}

impl Server {
    async fn start(text: &str) -> Self {
        let text = Arc::new(Mutex::new(text.to_owned()));
        let now = text.clone();
        let fake = Fake::start(move |came: &Came| {
            if came.header("if-none-match") == "\"first\"" {
                return Answer { status: 304, kind: "text/calendar", body: String::new() };
            }
            Answer { status: 200, kind: "text/calendar; charset=utf-8", body: now.lock().unwrap().clone() }
        })
        .await;
        Self { fake, text }
    }

    fn url(&self) -> String {
        format!("{}/{SECRET}/rota.ics", self.fake.url())
    }

    fn says(&self, text: &str) {
        text.clone_into(&mut self.text.lock().unwrap());
    }
}

fn calendar(events: &[String]) -> String {
    let events: String = events.iter().map(|event| format!("BEGIN:VEVENT\r\n{event}\r\nEND:VEVENT\r\n")).collect();
    format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//a//b\r\n{events}END:VCALENDAR\r\n")
}

fn utc(at: Timestamp) -> String {
    at.strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// Whoever is on call in the rota is paged; cho is beneath the calendar, and manages the team.
fn organisation(url: &str) -> String {
    let layer = "{people: [cho], every: 1w, handoff: \"Mon 09:00\", starts: 2026-01-05}";
    let schedule = format!(
        "external_calendars:\n  - {{id: outside, name: Outside, url: \"{url}\"}}\nschedules:\n  - {{id: rota, name: Rota, team: payments, time_zone: Europe/Madrid, layers: [{layer}], external_calendars: [outside]}}\n"
    );
    org::with_escalation("escalations:\n  - {id: payments, steps: [{page: [\"schedule:rota\"], within: 5m}]}\n")
        .replace("escalations:\n", &format!("{schedule}escalations:\n"))
}

async fn on_call(world: &World, at: Timestamp) -> Vec<String> {
    let on = world.api(&format!("/oncall?at={at}")).await;
    let rota = on["items"].as_array().unwrap().iter().find(|one| one["schedule"] == "rota").unwrap().clone();
    rota["people"].as_array().unwrap().iter().map(|one| one["person"].as_str().unwrap().to_owned()).collect()
}

/// Fires an alarm, which recovers again; who was paged by it.
async fn paged(world: &mut World, alarm: &str) -> String {
    // What was told a moment ago gathers with nothing.
    world.advance(15).await;
    let before = rung(world);
    world.fire(alarm).await;
    world.quiet().await;
    let after = rung(world);
    world.recover(alarm).await;
    world.quiet().await;
    let people = ["ana", "ben", "cho"].into_iter().zip(before.iter().zip(&after));
    people.filter(|(_, (before, after))| after > before).map(|(who, _)| who).collect::<Vec<_>>().join(" ")
}

fn rung(world: &World) -> Vec<usize> {
    ["ana", "ben", "cho"].iter().map(|who| world.hook.to(who).len()).collect()
}

async fn go_to(world: &mut World, at: Timestamp) {
    let now = world.now().await;
    world.jump(at.duration_since(now).as_secs()).await;
    world.quiet().await;
}

/// What cho was told, as text.
fn told(world: &World, words: &str) -> usize {
    let all = world.hook.told("cho");
    all.iter().filter(|one| one.body.to_string().contains(words)).count()
}

async fn page_of_schedule(world: &World) -> String {
    let request = world.client.get(world.at("/on-call/schedules/rota")).bearer_auth(org::ADMIN_TOKEN).header("accept", "text/html");
    world.send(request).await.ok().text
}

async fn a_calendar_pages_whoever_it_means_through_a_change_of_clocks_and_a_moved_turn(database: Database) {
    let madrid = TimeZone::get("Europe/Madrid").unwrap();
    let server = Server::start("").await;
    // The change of clocks after today decides what the calendar says.
    let today = Timestamp::now();
    let change = madrid.following(today + SignedDuration::from_hours(24 * 5)).next().unwrap().timestamp();
    let day = change.to_zoned(madrid.clone()).date();
    let (first, next) = (day.checked_sub(3.days()).unwrap().strftime("%Y%m%d").to_string(), day.tomorrow().unwrap());
    let zoned = |text: &str| format!("TZID=Europe/Madrid:{text}");
    let moved = next.strftime("%Y%m%d").to_string();
    server.says(&calendar(&[
        format!(
            "UID:nights\r\nSUMMARY:On call: ANA RUIZ\r\nDTSTART;{}\r\nDURATION:PT12H\r\nRRULE:FREQ=DAILY",
            zoned(&format!("{first}T203000"))
        ),
        format!(
            "UID:days\r\nSUMMARY:days\r\nATTENDEE;CN=B:mailto:Ben@Example.org\r\nDTSTART;{}\r\nDURATION:PT12H\r\nRRULE:FREQ=DAILY",
            zoned(&format!("{first}T083000"))
        ),
        format!(
            "UID:days\r\nSUMMARY:later\r\nATTENDEE:mailto:ben@example.org\r\nRECURRENCE-ID;{}\r\nDTSTART;{}\r\nDURATION:PT10H",
            zoned(&format!("{moved}T083000")),
            zoned(&format!("{moved}T103000"))
        ),
    ]));
    let mut world = world_of(database, organisation(&server.url())).await;
    world.quiet().await;
    let at = |date: jiff::civil::Date, hour: i8, minute: i8| date.at(hour, minute, 0, 0).to_zoned(madrid.clone()).unwrap().timestamp();
    // The night in which the clocks change begins at its time and ends at its time.
    for (when, who) in [
        (at(day.yesterday().unwrap(), 20, 29), "ben"),
        (at(day.yesterday().unwrap(), 20, 31), "ana"),
        (change, "ana"),
        (at(day, 8, 29), "ana"),
        (at(day, 8, 31), "ben"),
        (at(next, 8, 29), "ana"),
        // Moved to two hours later: the layer beneath has the time between.
        (at(next, 8, 31), "cho"),
        (at(next, 10, 31), "ben"),
    ] {
        assert_eq!(on_call(&world, when).await, [who], "{when}");
    }
    go_to(&mut world, at(day, 8, 20)).await;
    assert_eq!(paged(&mut world, "before").await, "ana");
    go_to(&mut world, at(day, 8, 35)).await;
    assert_eq!(paged(&mut world, "after").await, "ben");
    go_to(&mut world, at(next, 9, 0)).await;
    assert_eq!(paged(&mut world, "between").await, "cho");
    go_to(&mut world, at(next, 10, 40)).await;
    assert_eq!(paged(&mut world, "moved").await, "ben");
    let shown = page_of_schedule(&world).await;
    assert!(shown.contains("External calendars") && shown.contains("Outside") && !shown.contains(SECRET), "{shown}");
    // Several in one event are several on call, in their order; what was read is in force without a restart.
    server.says(&calendar(&[format!("SUMMARY:ben, ana\r\nDTSTART:{}\r\nDURATION:P7D", utc(at(next, 12, 0)))]));
    go_to(&mut world, at(next, 12, 30)).await;
    world.advance(12 * MINUTE).await;
    world.quiet().await;
    assert_eq!(on_call(&world, at(next, 13, 0)).await, ["ben", "ana"]);
    assert_eq!(paged(&mut world, "both").await, "ana ben");
    assert!(!world.log().contains(SECRET), "the address is in the log");
}

async fn what_was_read_last_pages_while_its_server_is_gone_and_the_team_is_told_once(database: Database) {
    let from = Timestamp::now() - SignedDuration::from_hours(24);
    let server = Server::start("").await;
    let ana = calendar(&[format!("SUMMARY:ana\r\nDTSTART:{}\r\nDURATION:P14D", utc(from))]);
    server.fake.instead(SECRET, Instead::Says(200, vec![("etag", "\"first\"".to_owned())], ana.clone()));
    let mut world = world_of(database, organisation(&server.url())).await;
    world.quiet().await;
    assert_eq!(on_call(&world, world.now().await).await, ["ana"]);
    // Asked whether there is another version, the server says no.
    server.fake.as_ever();
    world.advance(12 * MINUTE).await;
    world.quiet().await;
    let last = server.fake.came().pop().unwrap();
    assert_eq!((last.answered, last.header("if-none-match")), (304, "\"first\""));
    // Then it says nothing whole: each in turn.
    for answer in [
        Instead::Says(500, Vec::new(), "down".to_owned()),
        Instead::Says(200, Vec::new(), String::new()),
        Instead::Says(200, Vec::new(), "<html><script>alert(1)</script>".to_owned()),
        Instead::Says(200, Vec::new(), ana[..ana.len() - 10].to_owned()),
        Instead::Says(200, Vec::new(), calendar(&[])),
        Instead::Says(200, Vec::new(), format!("{ana}{}", "x".repeat(2 << 20))),
        Instead::Says(302, vec![("location", "/elsewhere-f00dcafe".to_owned())], String::new()),
        Instead::Says(302, vec![("location", "file:///etc/passwd".to_owned())], String::new()),
        Instead::Silent,
    ] {
        server.fake.instead("f00dcafe", answer.clone());
        world.advance(12 * MINUTE).await;
        world.quiet().await;
        assert_eq!(on_call(&world, world.now().await).await, ["ana"], "{answer:?}");
    }
    assert_eq!(told(&world, "Outside cannot be read"), 0, "not yet two hours");
    world.advance(40 * MINUTE).await;
    world.quiet().await;
    assert_eq!(told(&world, "Outside cannot be read"), 1, "{:?}", world.hook.told("cho"));
    world.kill().await;
    world.start_again(&[]).await;
    world.quiet().await;
    assert_eq!(paged(&mut world, "disk").await, "ana", "after a start too");
    world.advance(60 * MINUTE).await;
    world.quiet().await;
    assert_eq!(told(&world, "Outside cannot be read"), 1, "once");
    let shown = page_of_schedule(&world).await;
    assert!(shown.contains("It cannot be read since") && shown.contains("What was read before counts"), "{shown}");
    let kept = world.api("/schedules/rota/external-calendars").await;
    assert!(kept["items"][0]["failing_since"].is_string() && kept["items"][0]["read_at"].is_string(), "{kept}");
    // It comes back with another.
    server.fake.as_ever();
    server.says(&calendar(&[format!("SUMMARY:ben\r\nDTSTART:{}\r\nDURATION:P14D", utc(from))]));
    world.advance(12 * MINUTE).await;
    world.quiet().await;
    assert_eq!(on_call(&world, world.now().await).await, ["ben"]);
    assert_eq!(told(&world, "Outside is read again"), 1);
    assert!(!world.log().contains(SECRET), "the address is in the log");
}

async fn somebody_who_is_not_known_is_told_and_the_layer_below_is_paged(database: Database) {
    let hours = SignedDuration::from_hours;
    let server = Server::start("").await;
    let mut world = world_of(database, organisation(&server.url())).await;
    // Past the daily look, which at 08:00 UTC tells of the same.
    if matches!(Timestamp::now().to_zoned(TimeZone::UTC).hour(), 7 | 8) {
        world.advance(2 * 60 * MINUTE).await;
    }
    let now = world.now().await;
    let script = "<script>alert(1)</script> Zed";
    server.says(&calendar(&[
        format!("UID:1\r\nSUMMARY:{script}\r\nDTSTART:{}\r\nDURATION:PT10H", utc(now - hours(1))),
        format!("UID:2\r\nSUMMARY:ana and Zoe\r\nDTSTART:{}\r\nDURATION:PT10H", utc(now + hours(12))),
        "UID:3\r\nSUMMARY:ben\r\nDTSTART;TZID=Mars/Base:20260105T090000\r\nDURATION:PT10H".to_owned(),
    ]));
    world.advance(12 * MINUTE).await;
    world.quiet().await;
    assert_eq!(paged(&mut world, "disk").await, "cho", "who is in the layer beneath");
    assert_eq!(on_call(&world, now + hours(13)).await, ["ana"], "whom the event names beside a stranger");
    assert_eq!(told(&world, "an external calendar means somebody who is not known here"), 1, "{:?}", world.hook.told("cho"));
    let shown = page_of_schedule(&world).await;
    assert!(shown.contains("&lt;script&gt;alert(1)&lt;/script&gt; Zed") && !shown.contains(script), "{shown}");
    assert!(shown.contains("Zoe") && shown.contains("Mars/Base"), "{shown}");
    // Read again it is the same, and is told no second time; the daily look tells.
    world.advance(12 * MINUTE).await;
    world.quiet().await;
    assert_eq!(told(&world, "an external calendar means somebody"), 1);
    world.advance(25 * 60 * MINUTE).await;
    world.quiet().await;
    // Renamed there, it is ana.
    server.says(&calendar(&[format!("UID:1\r\nSUMMARY:Ana Ruiz\r\nDTSTART:{}\r\nDURATION:P30D", utc(now - hours(1)))]));
    world.advance(12 * MINUTE).await;
    world.quiet().await;
    assert_eq!(on_call(&world, world.now().await).await, ["ana"]);
    assert_eq!(paged(&mut world, "cable").await, "ana");

    // By the forms: what is saved is read at once, its address is shown to nobody, and what is wrong is said.
    let puts = |path: &str, body: &Value| {
        let request = world.client.put(world.at(&format!("/api/v1/org/{path}"))).bearer_auth(org::ADMIN_TOKEN).json(body);
        world.send(request)
    };
    let made = puts("external_calendar/second", &json!({"url": server.url(), "people_by": "summary"})).await;
    assert!(made.status == 201 && !made.text.contains(SECRET), "{}", made.text);
    let layers = json!({"time_zone": "Europe/Madrid", "external_calendars": ["second"]});
    let preview = world.command("/schedules/other/preview", layers.clone()).await;
    assert!(preview.text.contains("ana"), "{}", preview.text);
    assert_eq!(puts("schedule/other", &layers).await.status, 201);
    for (body, says) in [
        (json!({"url": "https://user:pass@x.example/a.ics"}), "password"),
        (json!({"url": "webcal://x.example/a.ics"}), "https://"),
        (json!({"ics": "hello"}), "no calendar"),
        (json!({"name": "nothing"}), "neither an address nor a text"),
    ] {
        let refused = puts("external_calendar/wrong", &body).await;
        assert!(refused.status == 422 && refused.text.contains(says), "{says}: {}", refused.text);
    }
    let away = puts("external_calendar/away", &json!({"url": format!("{}/gone-{SECRET}", "http://127.0.0.1:1")})).await;
    assert!(away.status == 201 && away.text.contains("could not be read") && !away.text.contains(SECRET), "{}", away.text);
    let pasted = calendar(&[format!("SUMMARY:Zed\r\nDTSTART:{}\r\nDURATION:P3D", utc(now))]);
    assert_eq!(puts("external_calendar/pasted", &json!({"ics": pasted})).await.status, 201);
    let warned = puts("schedule/third", &json!({"time_zone": "UTC", "external_calendars": ["pasted"]})).await;
    assert!(warned.status == 201 && warned.text.contains("names nobody who is known"), "{}", warned.text);
    // Public holidays of a region, from where it publishes them.
    let day = (now + hours(72)).to_zoned(TimeZone::UTC).date();
    let text = calendar(&[format!("SUMMARY:Fiesta\r\nDTSTART;VALUE=DATE:{}\r\nRRULE:FREQ=YEARLY", day.strftime("%Y%m%d"))]);
    assert_eq!(puts("external_calendar/region", &json!({"ics": text})).await.status, 201);
    assert_eq!(puts("holidays/region", &json!({"external_calendar": "region"})).await.status, 201);
    let office = json!({"time_zone": "UTC", "hours": [{"from": "00:00", "to": "00:00"}], "public_holidays": ["region"]});
    assert_eq!(puts("calendar/office", &office).await.status, 201);
    assert!(!world.log().contains(SECRET), "the address is in the log");
    world.advance(12 * MINUTE).await;
}
