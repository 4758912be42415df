//! Who is on call as a calendar that people's own programs fetch (RFC 5545): somebody's shifts over every schedule, or all shifts of
//! one schedule.
//!
//! Invariants:
//! - Who is on is the resolver's answer, the same that pages. Nothing of incidents is in it.
//! - A shift keeps its `UID` from one fetch to the next, for as long as its schedule, its person and its begin stay, so that a
//!   program that fetches again changes an event and makes no second one. That the window of the feed moves changes none.
//! - Lines end in CR LF and have at most 75 octets; what people wrote is escaped and has no control characters.
//!
//! Deliberately not here: who may fetch one, and what its address is.

use std::fmt::Write as _;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};

use super::model::{Override, Schedule};
use super::snapshot::Org;
use crate::hex::hex;
use crate::oncall::{Because, CompiledSchedule, Shift};

/// How much of the past a feed has: four weeks.
const PAST: SignedDuration = SignedDuration::from_hours(4 * 7 * 24);
/// How much of what is to come: six months, of at most 31 days.
const AHEAD: SignedDuration = SignedDuration::from_hours(6 * 31 * 24);
/// Most events of a feed, the first of them by their start; six months of turns of an hour between two are half as many.
pub const FEED_EVENTS_MAX: usize = 5_000;
/// How far back the begin of a shift is looked for that runs when the feed begins, one after another: turns of hours begin
/// within a day, and one that began more than a year before is told to run since before.
const LOOK_BACK: [SignedDuration; 4] = [
    SignedDuration::from_hours(24),
    SignedDuration::from_hours(8 * 24),
    SignedDuration::from_hours(64 * 24),
    SignedDuration::from_hours(400 * 24),
];
/// Octets of a line without its end (RFC 5545, 3.1).
const LINE_OCTETS_MAX: usize = 75;
/// Digits of a `UID`: 128 bits, so that no two are alike.
const UID_DIGITS: usize = 32;

/// A calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed {
    /// What programs call it.
    pub name: String,
    /// By their start.
    pub events: Vec<Event>,
}

/// One shift, or a time in which nobody is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pub uid: String,
    pub summary: String,
    pub detail: String,
    pub url: String,
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
}

/// One after another, whatever the rules.
struct Run {
    person: String,
    because: Because,
    starts_at: Timestamp,
    ends_at: Timestamp,
}

impl Feed {
    /// Somebody's shifts over every schedule. `base_url` is where the pages are.
    #[must_use]
    pub fn of_person(org: &Org, person: &str, now: Timestamp, base_url: &str) -> Self {
        let name = org.person(person).map_or(person, |form| form.name.as_str());
        let url = format!("{base_url}/my-shifts");
        let mut events = Vec::new();
        for form in &org.bundle().schedules {
            let Some(schedule) = org.schedule(&form.id) else { continue };
            let summary = |_: &Run| format!("On call: {}", called(form));
            let mine = shifts_of(schedule, org.overrides(&form.id), now).into_iter().filter(|run| run.person == person);
            events.extend(mine.map(|run| event(form, schedule, org, now, &run, summary(&run), &url)));
        }
        Self::of(format!("On call: {name}"), events)
    }

    /// Everybody's shifts in a schedule, and the times in which nobody is on.
    #[must_use]
    pub fn of_schedule(org: &Org, form: &Schedule, now: Timestamp, base_url: &str) -> Self {
        let url = format!("{base_url}/on-call");
        let mut events = Vec::new();
        if let Some(schedule) = org.schedule(&form.id) {
            let overrides = org.overrides(&form.id);
            for run in shifts_of(schedule, overrides, now) {
                let name = org.person(&run.person).map_or(run.person.as_str(), |person| person.name.as_str());
                let summary = format!("{name}: {}", called(form));
                events.push(event(form, schedule, org, now, &run, summary, &url));
            }
            let (from, to) = window(now);
            for gap in schedule.gaps(overrides, from, to) {
                // What is cut by the window is known by its other end.
                let known_by = match (gap.starts_at > from, gap.ends_at < to) {
                    (true, _) => gap.starts_at.to_string(),
                    (false, true) => format!("until {}", gap.ends_at),
                    (false, false) => "always".to_owned(),
                };
                let detail = if gap.by_override { "An override has nobody on." } else { "No layer is on." };
                events.push(Event {
                    uid: uid(&[&form.id, "", &known_by]),
                    summary: format!("Nobody on call: {}", called(form)),
                    detail: detail.to_owned(),
                    url: url.clone(),
                    starts_at: gap.starts_at,
                    ends_at: gap.ends_at,
                });
            }
        }
        Self::of(called(form).to_owned(), events)
    }

    fn of(name: String, mut events: Vec<Event>) -> Self {
        events.sort_by(|a, b| (a.starts_at, &a.uid).cmp(&(b.starts_at, &b.uid)));
        events.truncate(FEED_EVENTS_MAX);
        Self { name, events }
    }

    /// A mark of what it says, whenever it is written: the same text without the instant at which it was made.
    #[must_use]
    pub fn mark(&self) -> String {
        hex(&Sha256::digest(self.text(Timestamp::UNIX_EPOCH)))[..UID_DIGITS].to_owned()
    }

    /// As it is fetched at an instant.
    #[must_use]
    pub fn text(&self, at: Timestamp) -> String {
        let mut out = String::new();
        for (name, value) in
            [("BEGIN", "VCALENDAR"), ("VERSION", "2.0"), ("PRODID", "-//All Clear//On call//EN"), ("CALSCALE", "GREGORIAN")]
        {
            line(&mut out, name, value);
        }
        line(&mut out, "X-WR-CALNAME", &escaped(&self.name));
        // Fetched by whoever reads it, every hour where their program asks us how often.
        line(&mut out, "REFRESH-INTERVAL;VALUE=DURATION", "PT1H");
        line(&mut out, "X-PUBLISHED-TTL", "PT1H");
        for event in &self.events {
            line(&mut out, "BEGIN", "VEVENT");
            line(&mut out, "UID", &event.uid);
            line(&mut out, "DTSTAMP", &utc(at));
            line(&mut out, "DTSTART", &utc(event.starts_at));
            line(&mut out, "DTEND", &utc(event.ends_at));
            line(&mut out, "SUMMARY", &escaped(&event.summary));
            line(&mut out, "DESCRIPTION", &escaped(&event.detail));
            line(&mut out, "URL", &event.url);
            // To be on call is no meeting: nobody is busy by it.
            line(&mut out, "TRANSP", "TRANSPARENT");
            line(&mut out, "END", "VEVENT");
        }
        line(&mut out, "END", "VCALENDAR");
        out
    }
}

fn called(form: &Schedule) -> &str {
    form.name.as_deref().unwrap_or(&form.id)
}

/// From when until when, by whole days, so that two fetches of one day say the same.
fn window(now: Timestamp) -> (Timestamp, Timestamp) {
    let today = now.to_zoned(TimeZone::UTC).start_of_day().map_or(now, |day| day.timestamp());
    (today.checked_sub(PAST).unwrap_or(today), today.checked_add(AHEAD).unwrap_or(today))
}

/// Neighbouring shifts of one person by different rules are one to whoever is on.
fn joined(shifts: Vec<Shift>) -> Vec<Run> {
    let mut out: Vec<Run> = Vec::new();
    for shift in shifts {
        // Few are on at once, so that it is among the last.
        match out.iter_mut().rev().take(LANES_LOOKED_AT).find(|run| run.person == shift.person && run.ends_at == shift.starts_at) {
            Some(run) => run.ends_at = shift.ends_at,
            None => {
                out.push(Run { person: shift.person, because: shift.because, starts_at: shift.starts_at, ends_at: shift.ends_at });
            }
        }
    }
    out
}

/// Among how many shifts before it one is looked for that a shift goes on from.
const LANES_LOOKED_AT: usize = 200;

fn shifts_of(schedule: &CompiledSchedule, overrides: &[Override], now: Timestamp) -> Vec<Run> {
    let (from, to) = window(now);
    joined(schedule.shifts(overrides, from, to))
}

/// When a shift began that runs as the feed begins; nothing where that was long before.
fn began(schedule: &CompiledSchedule, overrides: &[Override], person: &str, from: Timestamp) -> Option<Timestamp> {
    let just_after = from.checked_add(SignedDuration::from_secs(1)).ok()?;
    LOOK_BACK.into_iter().find_map(|back| {
        let earliest = from.checked_sub(back).ok()?;
        let runs = joined(schedule.shifts(overrides, earliest, just_after));
        let run = runs.into_iter().rev().find(|run| run.person == person && run.starts_at <= from && from < run.ends_at)?;
        (run.starts_at > earliest).then_some(run.starts_at)
    })
}

fn event(form: &Schedule, schedule: &CompiledSchedule, org: &Org, now: Timestamp, run: &Run, summary: String, url: &str) -> Event {
    let (from, _) = window(now);
    let starts_at = if run.starts_at > from { Some(run.starts_at) } else { began(schedule, org.overrides(&form.id), &run.person, from) };
    let since = starts_at.map_or_else(|| "long before".to_owned(), |at| at.to_string());
    Event {
        uid: uid(&[&form.id, &run.person, &since]),
        summary,
        detail: format!("By {}. {}", run.because, form.time_zone),
        url: url.to_owned(),
        starts_at: starts_at.unwrap_or(run.starts_at),
        ends_at: run.ends_at,
    }
}

fn uid(parts: &[&str]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(format!("{} ", part.len()));
        digest.update(part);
    }
    format!("{}@all-clear", &hex(&digest.finalize())[..UID_DIGITS])
}

/// An instant as RFC 5545 writes it, to the second.
fn utc(at: Timestamp) -> String {
    at.strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// Text as RFC 5545 has it (3.3.11).
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | ';' | ',' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            _ if c.is_control() => {}
            _ => out.push(c),
        }
    }
    out
}

/// A line, folded where it is too long: never within a character.
fn line(out: &mut String, name: &str, value: &str) {
    let mut octets = 0;
    let _ = write!(out, "{name}:");
    octets += name.len() + 1;
    for c in value.chars() {
        if octets + c.len_utf8() > LINE_OCTETS_MAX {
            out.push_str("\r\n ");
            octets = 1;
        }
        out.push(c);
        octets += c.len_utf8();
    }
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::{Value, json};

    use super::*;
    use crate::channel::WaysOut;
    use crate::org::model::{Bundle, Effect};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn org(layer: &Value, overrides: Vec<Override>) -> Org {
        let mut bundle: Bundle = serde_json::from_value(json!({
            "people": [{"id": "ana", "name": "Ana, \"the; one\" 🚒🚒🚒🚒🚒🚒🚒🚒🚒🚒🚒🚒🚒🚒🚒🚒🚒🚒🚒🚒🚒🚒\\"}, {"id": "ben", "name": "Ben"}],
            "schedules": [{"id": "s", "name": "Night; day", "time_zone": "Europe/Madrid", "layers": [layer]}],
        }))
        .unwrap();
        bundle.overrides = overrides;
        Org::build(1, bundle, WaysOut::NONE)
    }

    fn weeks() -> Value {
        json!({"people": ["ana", "ben"], "every": "1w", "handoff": "Mon 09:00", "starts": "2026-01-05"})
    }

    /// Lines as a strict reader has them: unfolded, each with its name and value.
    fn read(text: &str) -> Vec<(String, String)> {
        assert!(text.ends_with("\r\n") && !text.replace("\r\n", "").contains(['\r', '\n']), "every line ends in CR LF");
        assert!(text.split("\r\n").all(|line| line.len() <= 75), "no line is too long");
        let unfolded = text.replace("\r\n ", "");
        let lines = unfolded.trim_end_matches("\r\n").split("\r\n");
        lines.map(|line| line.split_once(':').unwrap()).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    #[test]
    fn a_calendar_is_as_the_standard_has_it() {
        let now = at("2026-06-03T12:34:56.789Z");
        let org = org(&weeks(), vec![]);
        let feed = Feed::of_person(&org, "ana", now, "https://ops.example.org");
        let lines = read(&feed.text(now));
        let of = |name: &str| lines.iter().filter(|(n, _)| n == name).map(|(_, value)| value.as_str()).collect::<Vec<_>>();
        assert_eq!((lines[0].1.as_str(), lines.last().unwrap().1.as_str()), ("VCALENDAR", "VCALENDAR"));
        assert_eq!((of("VERSION"), of("PRODID").len()), (vec!["2.0"], 1));
        assert!(of("X-WR-CALNAME")[0].starts_with("On call: Ana\\, \"the\\; one\" 🚒") && of("X-WR-CALNAME")[0].ends_with("🚒\\\\"));
        let events = of("UID").len();
        // Every other week of 4 + 26 and a bit.
        assert!((14..=17).contains(&events), "{events}");
        for name in ["DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "URL"] {
            assert_eq!(of(name).len(), events, "{name}");
        }
        assert!(of("SUMMARY").iter().all(|summary| *summary == "On call: Night\\; day"));
        assert!(of("DTSTAMP").iter().all(|stamp| *stamp == "20260603T123456Z"));
        assert!(of("DTSTART").contains(&"20260608T070000Z"), "{:?}", of("DTSTART"));
        assert_eq!(of("UID").iter().collect::<BTreeSet<_>>().len(), events, "each has its own");
    }

    #[test]
    fn a_shift_keeps_its_uid_while_days_go_by_and_what_changes_makes_no_second_one() {
        let feed = |org: &Org, now: &str| Feed::of_schedule(org, &org.bundle().schedules[0].clone(), at(now), "https://x");
        let known = |feed: &Feed| feed.events.iter().map(|event| (event.uid.clone(), event.starts_at)).collect::<BTreeSet<_>>();
        let plain = org(&weeks(), vec![]);
        let first = feed(&plain, "2026-06-03T12:00:00Z");
        assert_eq!(first.mark(), feed(&plain, "2026-06-03T23:59:59Z").mark(), "the same all day");
        // Also of the shift that runs when the feed begins, wherever in it that is.
        for day in 4..10 {
            let later = known(&feed(&plain, &format!("2026-06-{day:02}T00:30:00Z")));
            let gone: Vec<_> = known(&first).difference(&later).cloned().collect();
            assert!(gone.iter().all(|(_, starts_at)| *starts_at < at("2026-05-06T00:00:00Z")), "{day}: {gone:?}");
        }
        // Ben takes a day in the middle of Ana's week: its first half is the event that was there.
        let taken = Override {
            id: "o".into(),
            schedule: "s".into(),
            effect: Effect::Replaces,
            person: "ben".into(),
            starts_at: at("2026-06-10T00:00:00Z"),
            ends_at: at("2026-06-11T00:00:00Z"),
            made: 1,
            made_by: None,
        };
        let changed = org(&weeks(), vec![taken]);
        let after = feed(&changed, "2026-06-03T12:00:00Z");
        assert_eq!(known(&after).difference(&known(&first)).count(), 2, "his day, and the rest of her week");
        assert_eq!(known(&first).difference(&known(&after)).count(), 0);
        assert_ne!(after.mark(), first.mark());
        // Somebody who is always on has one event.
        let alone = org(&json!({"people": ["ben"], "every": "1h", "handoff": "00:00", "starts": "2020-01-05"}), vec![]);
        let always = feed(&alone, "2026-06-03T12:00:00Z");
        assert_eq!((always.events.len(), &always.events[0].uid), (1, &feed(&alone, "2026-07-03T12:00:00Z").events[0].uid));
    }

    #[test]
    fn turns_of_an_hour_and_times_without_anybody_have_their_place_and_a_feed_ends() {
        let hourly = json!({"people": ["ana", "ben"], "every": "1h", "handoff": "00:00", "starts": "2020-01-05"});
        let org_of_hours = org(&hourly, vec![]);
        let feed = Feed::of_person(&org_of_hours, "ben", at("2026-06-03T12:00:00Z"), "https://x");
        // But for the hour that October has twice.
        assert_eq!(feed.events.len(), 12 * (28 + 186) - 1);
        assert!(read(&feed.text(at("2026-06-03T12:00:00Z"))).len() > 9 * feed.events.len());
        let office = json!({"people": ["ana"], "every": "1w", "handoff": "Mon 09:00", "starts": "2026-01-05",
            "only": [{"from": "09:00", "to": "17:00"}]});
        let office = org(&office, vec![]);
        let feed = Feed::of_schedule(&office, &office.bundle().schedules[0].clone(), at("2026-06-03T12:00:00Z"), "https://x");
        assert!(feed.events.iter().filter(|event| event.summary == "Nobody on call: Night; day").count() > 200);
        assert!(Feed::of_person(&office, "gone", at("2026-06-03T12:00:00Z"), "https://x").events.is_empty());
    }
}
