//! icalendar, the Python library that reads and checks RFC 5545: takes the calendar that is fetched.

use std::path::{Path, PathBuf};

use allclear_trial::org::{self, ADMIN_TOKEN};
use allclear_trial::{Database, Setup, World};
use serde_json::json;

use crate::run;

const SCRIPT: &str = r#"
import sys, urllib.request
from icalendar import Calendar
with urllib.request.urlopen(sys.argv[1]) as answer:
    assert answer.headers.get_content_type() == "text/calendar", answer.headers
    data = answer.read()
calendar = Calendar.from_ical(data)
assert not calendar.errors, calendar.errors
assert str(calendar["version"]) == "2.0" and calendar["prodid"]
events = list(calendar.walk("VEVENT"))
uids = [str(event["uid"]) for event in events]
assert len(set(uids)) == len(uids)
for event in events:
    assert not event.errors, event.errors
    assert event["dtstart"].dt.tzinfo and event["dtend"].dt > event["dtstart"].dt and event["dtstamp"].dt
    assert str(event["url"]).startswith("http")
again = Calendar.from_ical(calendar.to_ical())
assert [str(event["uid"]) for event in again.walk("VEVENT")] == uids
for summary in sorted({str(event["summary"]) for event in events}):
    print(summary)
print(len(events))
"#;

/// Ana has office hours, with a name that needs every kind of escaping; at night nobody is on.
const ROTA: &str = r#"
schedules:
  - {id: rota, name: "Rota; day, \\ night 🚒🚒🚒🚒🚒🚒🚒🚒🚒🚒🚒🚒🚒🚒🚒🚒🚒🚒🚒🚒🚒🚒🚒🚒", team: payments, time_zone: Europe/Madrid, layers: [{people: [ana, ben], every: 1d, handoff: "09:00", starts: 2026-01-05, only: [{from: "09:00", to: "17:00"}]}]}
"#;

/// Python with the library, where `cargo xtask test` put it.
fn python() -> Option<PathBuf> {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/icalendar-venv/bin/python");
    let has_it = std::process::Command::new(&python).args(["-c", "import icalendar"]).output().is_ok_and(|run| run.status.success());
    if !has_it {
        let why = "it is not installed in target/icalendar-venv; `cargo xtask test` installs it where it may";
        allclear_trial::skip::skipped("icalendar", why);
    }
    has_it.then_some(python)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn takes_a_calendar_and_finds_nothing_wrong() {
    let Some(python) = python() else { return };
    let organisation = [org::PEOPLE, ROTA, org::ESCALATIONS, org::SERVICES, org::CATCH_ALL].concat();
    let world = World::start(Setup::new(Some(env!("CARGO_BIN_EXE_allclear")), Database::Sqlite).org(organisation)).await;
    let request = world.client.post(world.at("/api/v1/calendar-feeds")).bearer_auth(ADMIN_TOKEN).json(&json!({"schedule": "rota"}));
    let made = world.send(request).await.ok().body;
    let secret = made["url"].as_str().unwrap().rsplit('/').next().unwrap();
    let said = run(&python, &["-W", "ignore", "-c", SCRIPT, &world.at(&format!("/cal/{secret}"))]).await;
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 4, "{said}");
    assert!(lines[0].starts_with("Ana Ruiz: Rota; day, \\ night 🚒") && lines[2].starts_with("Nobody on call: Rota; day"), "{said}");
    assert!(lines[3].parse::<u32>().unwrap() > 400, "{said}");
}
