//! What an answer to "who is on call, until when, and who is next" costs, a schedule: the usual rotas, and
//! the ones with the most edges. `cargo run --release -p allclear-domain --example oncall_cost`.

#![allow(clippy::unwrap_used, clippy::disallowed_methods)] // measures by the machine's own clock

use std::time::Instant;

use allclear_domain::oncall::CompiledSchedule;
use allclear_domain::org::forms::calendar::Calendars;
use allclear_domain::org::model::{Effect, Override};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// Answers a schedule, at instants spread over a year.
const ANSWERS: u32 = 500;

fn main() {
    let week = json!({"people": ["a", "b", "c"], "every": "1w", "handoff": "Mon 09:00", "starts": "2020-01-06"});
    let office = json!([{"days": ["Mon", "Tue", "Wed", "Thu", "Fri"], "from": "09:00", "to": "17:00"}]);
    let with_hours = |people: Value| json!({"people": people, "every": "1d", "handoff": "09:00", "starts": "2020-01-06", "only": office});
    let sun = |who: &str, from: &str, to: &str| json!({"people": [who], "every": "1d", "handoff": "00:00", "starts": "2020-01-06", "only": [{"from": from, "to": to}]});
    let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let overrides: Vec<Override> = (0..65)
        .map(|n| Override {
            id: format!("o{n}"),
            schedule: "s".into(),
            effect: Effect::Replaces,
            person: ["a", "b"][n % 2].into(),
            starts_at: start + SignedDuration::from_hours(i64::try_from(n).unwrap() * 100),
            ends_at: start + SignedDuration::from_hours(i64::try_from(n).unwrap() * 100 + 200),
            made: n as u64,
            made_by: None,
        })
        .collect();
    for (name, layers, overrides) in [
        ("three people in weeks", json!([week]), &[][..]),
        ("three people in weeks, 65 overrides", json!([week]), &overrides[..]),
        ("one person in office hours", json!([with_hours(json!(["a"]))]), &[]),
        ("weeks, office hours on top", json!([week, with_hours(json!(["a", "b", "c", "d"]))]), &[]),
        ("following the sun", json!([week, sun("x", "00:00", "08:00"), sun("y", "08:00", "16:00"), sun("z", "16:00", "00:00")]), &[]),
        ("turns of an hour", json!([{"people": ["a", "b"], "every": "1h", "handoff": "09:00", "starts": "2020-01-06"}]), &[]),
        (
            "one person, by day and by night",
            json!([{"people": ["a"], "every": "1h", "handoff": "09:00", "starts": "2020-01-06"}, with_hours(json!(["a"]))]),
            &[],
        ),
    ] {
        let schedule = json!({"id": "s", "time_zone": "Europe/Madrid", "layers": layers});
        let schedule = CompiledSchedule::compile(&serde_json::from_value(schedule).unwrap(), &Calendars::new()).unwrap();
        let began = Instant::now();
        for n in 0..ANSWERS {
            let at = start + SignedDuration::from_hours(i64::from(n) * 17);
            std::hint::black_box(schedule.changes(overrides, at, at + SignedDuration::from_hours(24 * 60)));
        }
        println!("{:>9.1} µs  {name}", began.elapsed().as_secs_f64() * 1e6 / f64::from(ANSWERS));
    }
}
