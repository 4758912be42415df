//! Examples on real clock changes, and laws against an oracle that walks.

use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use proptest::prelude::*;

use super::*;
use crate::org::forms::calendar::{Calendars, HolidayLists, readable};
use crate::org::model::{Effect, Layer, Restriction, TemporarySchedule};

const ZONES: [&str; 9] = [
    "Europe/Madrid",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "Africa/Casablanca",
    "America/St_Johns",
    "Asia/Beirut",
    "Etc/UTC",
];

fn layer(people: &[&str], every: &str, handoff: &str, starts: &str) -> Layer {
    Layer {
        name: None,
        people: people.iter().map(|p| (*p).to_owned()).collect(),
        every: every.parse().unwrap(),
        elapsed: false,
        calendar: None,
        handoff: handoff.into(),
        starts: starts.parse().unwrap(),
        ends: None,
        only: vec![],
    }
}

fn schedule(zone: &str, layers: Vec<Layer>) -> Schedule {
    Schedule { id: "s".into(), name: None, team: None, time_zone: zone.into(), layers, external_calendars: Vec::new() }
}

fn compiled(zone: &str, layers: Vec<Layer>) -> CompiledSchedule {
    CompiledSchedule::compile(&schedule(zone, layers), &Calendars::new()).unwrap()
}

fn ts(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn who(schedule: &CompiledSchedule, at: &str) -> String {
    schedule.on_call_at(&[], ts(at)).person.unwrap_or_else(|| "-".into())
}

#[test]
fn hand_offs_over_clock_changes() {
    // zone, every, hand-off, starts, instant of a hand-off; `a` has the turn just before it, `b` at it.
    for (zone, every, handoff, starts, at) in [
        // A week that lost an hour on 2026-03-29, and one that gained one on 2026-10-25.
        ("Europe/Madrid", "1w", "Mon 09:00", "2026-03-23", "2026-03-30T07:00:00Z"),
        ("Europe/Madrid", "1w", "Mon 09:00", "2026-10-19", "2026-10-26T08:00:00Z"),
        // 02:30 does not exist on 2026-03-08: the first instant after the gap is 03:00 EDT.
        ("America/New_York", "1d", "02:30", "2026-03-07", "2026-03-08T07:00:00Z"),
        // 01:30 exists twice on 2026-11-01: the first is EDT.
        ("America/New_York", "1d", "01:30", "2026-10-31", "2026-11-01T05:30:00Z"),
        // Half an hour is skipped on 2026-10-04 at 02:00 (+10:30 to +11): 02:15 is 02:30 (+11).
        ("Australia/Lord_Howe", "1d", "02:15", "2026-10-03", "2026-10-03T15:30:00Z"),
        // 01:45 exists twice on 2026-04-05; the first is +11.
        ("Australia/Lord_Howe", "1d", "01:45", "2026-04-04", "2026-04-04T14:45:00Z"),
        // +05:45, no changes.
        ("Asia/Kathmandu", "1d", "09:00", "2026-05-01", "2026-05-02T03:15:00Z"),
        // 2011-12-30 does not exist: the turn of that date begins with the 31st (+14).
        ("Pacific/Apia", "1d", "09:00", "2011-12-29", "2011-12-30T10:00:00Z"),
        // Morocco leaves +01 for Ramadan (2026-02-15) and comes back on 2026-03-22.
        ("Africa/Casablanca", "1w", "Mon 09:00", "2026-03-16", "2026-03-23T08:00:00Z"),
        // Hours are those of the wall clock: the night in which an hour is lost ends at 09:00 too.
        ("Europe/Madrid", "12h", "21:00", "2026-03-28", "2026-03-29T07:00:00Z"),
        // A day and a half from Saturday 21:00 is Monday 09:00.
        ("Europe/Madrid", "36h", "21:00", "2026-03-28", "2026-03-30T07:00:00Z"),
        // The turn of 02:00 has no time on the day that skips it: the next is 03:00, its own.
        ("America/New_York", "2h", "01:00", "2026-03-08", "2026-03-08T07:00:00Z"),
        // The first hand-off is the first Monday on or after `starts`.
        ("Europe/Madrid", "1w", "Mon 09:00", "2025-12-30", "2026-01-12T08:00:00Z"),
    ] {
        let schedule = compiled(zone, vec![layer(&["a", "b"], every, handoff, starts)]);
        let at = ts(at);
        let before = schedule.on_call_at(&[], at - SignedDuration::from_micros(1)).person;
        assert_eq!(before.as_deref(), Some("a"), "just before {at} in {zone}, {handoff} from {starts}");
        assert_eq!(schedule.on_call_at(&[], at).person.as_deref(), Some("b"), "{at} in {zone}, {handoff} from {starts}");
    }
}

#[test]
fn a_turn_that_a_skipped_day_left_without_time_does_not_happen() {
    let schedule = compiled("Pacific/Apia", vec![layer(&["a", "b", "c"], "1d", "00:00", "2011-12-29")]);
    let shifts = schedule.shifts(&[], ts("2011-12-29T10:00:00Z"), ts("2012-01-01T10:00:00Z"));
    let people: Vec<&str> = shifts.iter().map(|s| s.person.as_str()).collect();
    assert_eq!(people, ["a", "c", "a"], "b's turn was the 30th, which Samoa skipped");
}

#[test]
fn layers_restrictions_ends_and_overrides() {
    let mut nights = layer(&["night"], "1d", "20:00", "2026-01-05");
    nights.name = Some("nights".into());
    nights.only = vec![Restriction { days: vec!["Fri".into(), "saturday".into()], from: "20:00".into(), to: "08:00".into() }];
    let mut base = layer(&["ana", "ben"], "1w", "Mon 09:00", "2026-01-05");
    base.ends = Some("2026-02-02".parse().unwrap());
    let schedule = compiled("Etc/UTC", vec![base, nights]);
    assert_eq!(who(&schedule, "2026-01-05T08:59:59Z"), "-", "before the first hand-off");
    assert_eq!(who(&schedule, "2026-01-09T19:59:59Z"), "ana");
    assert_eq!(who(&schedule, "2026-01-09T20:00:00Z"), "night", "the last layer wins");
    assert_eq!(who(&schedule, "2026-01-11T07:59:59Z"), "night", "Saturday's window runs into Sunday");
    assert_eq!(who(&schedule, "2026-01-11T08:00:00Z"), "ana");
    assert_eq!(who(&schedule, "2026-02-02T09:00:00Z"), "-", "the base layer is over");
    assert_eq!(schedule.on_call_at(&[], ts("2026-01-09T20:00:00Z")).because.to_string(), "layer 2 \"nights\"");

    let mut overrides = vec![
        over(1, "cho", "2026-01-06T00:00:00Z", "2026-01-08T00:00:00Z"),
        over(2, "dan", "2026-01-07T00:00:00Z", "2026-01-07T12:00:00Z"),
    ];
    overrides.push(Override { schedule: "other".into(), ..over(3, "eve", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z") });
    let shifts = schedule.shifts(&overrides, ts("2026-01-05T00:00:00Z"), ts("2026-01-09T00:00:00Z"));
    let told: Vec<String> = shifts.iter().map(|s| format!("{} {} {}", s.starts_at, s.person, s.because)).collect();
    assert_eq!(
        told,
        [
            "2026-01-05T09:00:00Z ana layer 1",
            "2026-01-06T00:00:00Z cho override o1",
            "2026-01-07T00:00:00Z dan override o2",
            "2026-01-07T12:00:00Z cho override o1",
            "2026-01-08T00:00:00Z ana layer 1",
        ]
    );
    let gaps = schedule.gaps(&overrides, ts("2026-01-05T00:00:00Z"), ts("2026-01-09T00:00:00Z"));
    assert_eq!(gaps, [Gap { starts_at: ts("2026-01-05T00:00:00Z"), ends_at: ts("2026-01-05T09:00:00Z"), by_override: false }]);
}

fn over(made: u64, who: &str, from: &str, to: &str) -> Override {
    Override {
        id: format!("o{made}"),
        schedule: "s".into(),
        effect: Effect::Replaces,
        person: who.into(),
        starts_at: ts(from),
        ends_at: ts(to),
        made,
        made_by: None,
    }
}

#[test]
fn of_overrides_that_overlap_the_one_made_last_wins() {
    let schedule = compiled("Europe/Madrid", vec![layer(&["ana"], "1w", "Mon 09:00", "2026-01-05")]);
    let (from, to) = ("2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z"); // over the hour that Madrid skips
    let at = ts("2026-03-29T01:00:00Z");
    // A correction has the same times as the slip; ids say nothing, and neither does the order in a list.
    let mut slip = over(7, "ben", from, to);
    let mut right = over(8, "cho", from, to);
    for (first, second) in [("a", "b"), ("b", "a")] {
        (slip.id, right.id) = (first.into(), second.into());
        for overrides in [[slip.clone(), right.clone()], [right.clone(), slip.clone()]] {
            assert_eq!(schedule.on_call_at(&overrides, at).person.as_deref(), Some("cho"));
        }
    }
    // One made later wins although it starts earlier, for as long as it lasts and no longer.
    let overrides = [over(3, "ben", from, to), over(4, "cho", "2026-03-28T00:00:00Z", "2026-03-29T01:00:00Z")];
    assert_eq!(schedule.on_call_at(&overrides, ts(from)).person.as_deref(), Some("cho"));
    assert_eq!(schedule.on_call_at(&overrides, at).person.as_deref(), Some("ben"));
    // Those of no length and those that end before they start are as if they were not there.
    let odd = [over(9, "ben", from, from), over(10, "cho", to, from)];
    for at in [from, "2026-03-29T01:00:00Z", to] {
        assert_eq!(schedule.on_call_at(&odd, ts(at)).person.as_deref(), Some("ana"));
    }
    let whole = (ts("2026-03-28T00:00:00Z"), ts("2026-03-30T00:00:00Z"));
    let shifts = schedule.shifts(&odd, whole.0, whole.1);
    assert_eq!(shifts.iter().map(|s| (s.starts_at, s.ends_at)).collect::<Vec<_>>(), [whole]);
    // Sixty-five at once: the last, wherever it stands in the list.
    let many: Vec<Override> = (0..65).map(|n| over((n * 37) % 65, &format!("p{}", (n * 37) % 65), from, to)).collect();
    assert_eq!(schedule.on_call_at(&many, at).person.as_deref(), Some("p64"));
}

/// Everybody who is on, and why the first is.
fn all(schedule: &CompiledSchedule, overrides: &[Override], at: &str) -> String {
    let on_call = schedule.on_call_at(overrides, ts(at));
    let people: Vec<&str> = on_call.people().map(String::as_str).collect();
    format!("{}: {}", people.join(" "), on_call.because)
}

#[test]
fn overrides_that_add_and_those_that_have_nobody_on() {
    let schedule = compiled("Etc/UTC", vec![layer(&["ana"], "1w", "Mon 09:00", "2026-01-05")]);
    let day = ("2026-02-02T00:00:00Z", "2026-02-03T00:00:00Z");
    let with = |made: u64, effect: Effect, who: &str| Override { effect, ..over(made, who, day.0, day.1) };
    let (adds, nobody, replaces) = (Effect::Adds, Effect::Nobody, Effect::Replaces);
    for (overrides, told) in [
        (vec![with(1, adds, "ben")], "ana ben: layer 1"),
        // In the order of making, each once, whatever the ids and the order in the list.
        (vec![with(3, adds, "cho"), with(2, adds, "ben"), with(4, adds, "cho"), with(5, adds, "ana")], "ana ben cho: layer 1"),
        // Whoever is added is on besides whoever replaces, also who was added first.
        (vec![with(1, adds, "ben"), with(2, replaces, "cho")], "cho ben: override o2"),
        (vec![with(1, adds, "ben"), with(2, replaces, "ben")], "ben: override o2"),
        // Nobody is nobody; who was added before is off too, who is added after is on.
        (vec![with(1, nobody, "")], ": override o1 has nobody on"),
        (vec![with(1, adds, "ben"), with(2, nobody, "")], ": override o2 has nobody on"),
        (vec![with(1, nobody, ""), with(2, adds, "ben"), with(3, adds, "cho")], "ben cho: added by override o2"),
        (vec![with(1, nobody, ""), with(2, replaces, "cho")], "cho: override o2"),
        (vec![with(1, replaces, "cho"), with(2, nobody, "")], ": override o2 has nobody on"),
        (vec![with(1, adds, "ben"), with(2, nobody, ""), with(3, replaces, "cho"), with(4, adds, "dan")], "cho dan: override o3"),
    ] {
        assert_eq!(all(&schedule, &overrides, "2026-02-02T12:00:00Z"), told, "{overrides:?}");
        assert_eq!(all(&schedule, &overrides, day.1), "ana: layer 1");
    }
    // Sixty-five at once.
    let many: Vec<Override> = (0..65).rev().map(|n| with(n, adds, &format!("p{n}"))).collect();
    let on_call = schedule.on_call_at(&many, ts("2026-02-02T12:00:00Z"));
    assert_eq!(on_call.people().count(), 66);
    assert_eq!(on_call.people().nth(65).map(String::as_str), Some("p64"));

    // Shifts of each, and a gap that says why.
    let short = Override { effect: adds, ..over(1, "ben", "2026-02-02T12:00:00Z", "2026-02-02T13:00:00Z") };
    let off = Override { effect: nobody, ..over(2, "", "2026-02-02T20:00:00Z", "2026-02-02T21:00:00Z") };
    let overrides = [short, off];
    let (from, to) = (ts(day.0), ts(day.1));
    let shifts: Vec<String> =
        schedule.shifts(&overrides, from, to).iter().map(|s| format!("{} {} {}", s.person, s.starts_at, s.ends_at)).collect();
    assert_eq!(
        shifts,
        [
            "ana 2026-02-02T00:00:00Z 2026-02-02T20:00:00Z",
            "ben 2026-02-02T12:00:00Z 2026-02-02T13:00:00Z",
            "ana 2026-02-02T21:00:00Z 2026-02-03T00:00:00Z"
        ]
    );
    let gaps = schedule.gaps(&overrides, from, to);
    assert_eq!(gaps, [Gap { starts_at: ts("2026-02-02T20:00:00Z"), ends_at: ts("2026-02-02T21:00:00Z"), by_override: true }]);
    // A change is one of the people; how long somebody stays is their own.
    assert_eq!(told(&schedule, &overrides, "2026-02-02T06:00:00Z"), "ana until 2026-02-02T12:00:00Z, then ana from 2026-02-02T12:00:00Z");
    assert_eq!(told(&schedule, &overrides, "2026-02-02T13:00:00Z"), "ana until 2026-02-02T20:00:00Z, then ana from 2026-02-02T21:00:00Z");
    let until = |who: &str, at: &str| schedule.on_until(&overrides, who, ts(at), to).map(|until| until.to_string());
    assert_eq!(until("ana", "2026-02-02T06:00:00Z").as_deref(), Some("2026-02-02T20:00:00Z"));
    assert_eq!(until("ben", "2026-02-02T12:00:00Z").as_deref(), Some("2026-02-02T13:00:00Z"));
    assert_eq!(until("ben", "2026-02-02T06:00:00Z"), None, "he is not on then");
}

#[test]
fn whoever_comes_on_next_is_not_on_already() {
    let next = |schedule: &CompiledSchedule, overrides: &[Override], at: &str| {
        let found = schedule.next_on_call(overrides, ts(at));
        found.map(|(next, from)| format!("{} {from}", next.people().map(String::as_str).collect::<Vec<_>>().join(" "))).unwrap_or_default()
    };
    let weeks = compiled("Etc/UTC", vec![layer(&["ana", "ben"], "1w", "Mon 09:00", "2026-01-05")]);
    assert_eq!(next(&weeks, &[], "2026-01-06T00:00:00Z"), "ben 2026-01-12T09:00:00Z");
    assert_eq!(next(&weeks, &[], "2026-01-01T00:00:00Z"), "ana 2026-01-05T09:00:00Z");
    // Ana goes on by an override, so that the one after Ben's turn is no news; and whoever is added comes on.
    let longer = over(1, "ana", "2026-01-12T00:00:00Z", "2026-01-13T00:00:00Z");
    assert_eq!(next(&weeks, std::slice::from_ref(&longer), "2026-01-06T00:00:00Z"), "ben 2026-01-13T00:00:00Z");
    let besides = Override { effect: Effect::Adds, ..over(2, "cho", "2026-01-12T09:00:00Z", "2026-01-12T10:00:00Z") };
    assert_eq!(next(&weeks, &[besides], "2026-01-06T00:00:00Z"), "ben cho 2026-01-12T09:00:00Z");
    let alone = compiled("Etc/UTC", vec![layer(&["ana"], "1h", "09:00", "2026-01-05")]);
    assert_eq!(next(&alone, &[], "2026-01-06T00:00:00Z"), "");
}

#[test]
fn turns_of_months_of_working_days_and_of_hours_that_pass() {
    let hand_overs = |schedule: &CompiledSchedule, from: &str, to: &str| {
        schedule.shifts(&[], ts(from), ts(to)).iter().map(|shift| format!("{} {}", shift.person, shift.starts_at)).collect::<Vec<_>>()
    };
    // The 31st is the last day, also of a leap year's February, and the turns go on for years.
    let months = compiled("Europe/Madrid", vec![layer(&["a", "b", "c"], "1mo", "31 09:00", "2028-01-15")]);
    assert_eq!(
        hand_overs(&months, "2028-01-30T00:00:00Z", "2028-05-01T00:00:00Z"),
        ["a 2028-01-31T08:00:00Z", "b 2028-02-29T08:00:00Z", "c 2028-03-31T07:00:00Z", "a 2028-04-30T07:00:00Z"]
    );
    let quarters = compiled("Etc/UTC", vec![layer(&["a", "b"], "3mo", "1 00:00", "2026-01-02")]);
    assert_eq!(hand_overs(&quarters, "2026-02-01T00:00:00Z", "2026-06-01T00:00:00Z"), ["a 2026-02-01T00:00:00Z", "b 2026-05-01T00:00:00Z"]);
    assert_eq!(who(&quarters, "2226-02-01T00:00:00Z"), "a", "eight hundred turns later");

    // Friday's turn lasts over the weekend; a calendar has days of its own.
    let days = compiled("Europe/Madrid", vec![layer(&["a", "b", "c", "d", "e", "f"], "1wd", "09:00", "2026-03-26")]);
    assert_eq!(
        hand_overs(&days, "2026-03-26T08:00:00Z", "2026-03-31T12:00:00Z"),
        ["a 2026-03-26T08:00:00Z", "b 2026-03-27T08:00:00Z", "c 2026-03-30T07:00:00Z", "d 2026-03-31T07:00:00Z"]
    );
    let calendars = readable(
        &serde_json::from_value::<Vec<_>>(serde_json::json!([{"id": "c", "time_zone": "Europe/Madrid",
            "hours": [{"days": ["Mon", "Tue", "Wed", "Thu", "Sat"], "from": "09:00", "to": "14:00"}],
            "holidays": ["2026-04-02"],
            "ics": "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20200406\r\nRRULE:FREQ=YEARLY\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"}]))
        .unwrap(),
        &HolidayLists::new(),
    );
    let form = Layer { calendar: Some("c".into()), ..layer(&["a", "b", "c"], "1wd", "09:00", "2026-03-29") };
    let days = CompiledSchedule::compile(&schedule("Europe/Madrid", vec![form]), &calendars).unwrap();
    // Mondays to Thursdays and Saturdays, but for the 2nd of April and, every year, the 6th.
    let begun: Vec<String> = hand_overs(&days, "2026-03-29T00:00:00Z", "2026-04-08T00:00:00Z");
    assert_eq!(
        begun,
        ["a 2026-03-30T07:00:00Z", "b 2026-03-31T07:00:00Z", "c 2026-04-01T07:00:00Z", "a 2026-04-04T07:00:00Z", "b 2026-04-07T07:00:00Z"]
    );

    // Twelve hours that pass: an hour earlier on the wall clock after it was put forward.
    let elapsed = |elapsed: bool| compiled("Europe/Madrid", vec![Layer { elapsed, ..layer(&["a", "b"], "12h", "09:00", "2026-03-28") }]);
    let (from, to) = ("2026-03-28T08:00:00Z", "2026-03-29T21:00:00Z");
    assert_eq!(
        hand_overs(&elapsed(true), from, to),
        ["a 2026-03-28T08:00:00Z", "b 2026-03-28T20:00:00Z", "a 2026-03-29T08:00:00Z", "b 2026-03-29T20:00:00Z"]
    );
    assert_eq!(hand_overs(&elapsed(false), from, to)[2..], ["a 2026-03-29T07:00:00Z", "b 2026-03-29T19:00:00Z"]);
    for schedule in [&months, &quarters, &days, &elapsed(true)] {
        assert!(schedule.on_call_at(&[], ts("2500-01-01T00:00:00Z")).person.is_some());
        assert!(schedule.on_call_at(&[], Timestamp::MAX).person.is_some());
        assert!(schedule.on_call_at(&[], Timestamp::MIN).person.is_none());
    }
}

#[test]
fn turns_of_hours_hand_over_at_the_same_times_all_year() {
    let zone = TimeZone::get("Europe/Madrid").unwrap();
    let schedule = compiled("Europe/Madrid", vec![layer(&["day", "night"], "12h", "09:00", "2026-01-05")]);
    let shifts = schedule.shifts(&[], ts("2026-01-05T08:00:00Z"), ts("2027-01-05T08:00:00Z"));
    for shift in &shifts {
        let begins = zone.to_datetime(shift.starts_at).time().strftime("%H:%M").to_string();
        assert_eq!(begins, if shift.person == "day" { "09:00" } else { "21:00" }, "{shift:?}");
    }
    assert_eq!(shifts.len(), 730);
    // `24h` and `1d` are one thing.
    for at in ["2026-03-29T06:59:59Z", "2026-03-29T07:00:00Z", "2026-10-25T07:59:59Z", "2026-10-25T08:00:00Z"] {
        let who = |every| who(&compiled("Europe/Madrid", vec![layer(&["a", "b", "c"], every, "09:00", "2026-01-05")]), at);
        assert_eq!(who("24h"), who("1d"), "{at}");
    }
}

/// `who until WHEN, then WHO from WHEN`, in UTC.
fn told(schedule: &CompiledSchedule, overrides: &[Override], at: &str) -> String {
    let at = ts(at);
    let found = schedule.changes(overrides, at, at + SignedDuration::from_hours(24 * 60));
    let until = found.until.map_or("-".to_owned(), |until| until.to_string());
    let next = found.next_person().map_or("-".to_owned(), |(who, from)| format!("{who} from {from}"));
    format!("{} until {until}, then {next}", found.now.person.as_deref().unwrap_or("nobody"))
}

#[test]
fn only_a_change_of_person_is_a_change() {
    let office =
        Restriction { days: ["Mon", "Tue", "Wed", "Thu", "Fri"].map(str::to_owned).to_vec(), from: "09:00".into(), to: "17:00".into() };
    let hours = |people: &[&str]| Layer { only: vec![office.clone()], ..layer(people, "1d", "09:00", "2026-01-05") };
    let base = |people: &[&str]| layer(people, "1w", "Mon 09:00", "2026-01-05");

    // Ana by day and by night: that another layer says so is no hand-over.
    let one = compiled("Etc/UTC", vec![base(&["ana", "ben"]), hours(&["ana"])]);
    assert_eq!(told(&one, &[], "2026-01-06T12:00:00Z"), "ana until 2026-01-12T17:00:00Z, then ben from 2026-01-12T17:00:00Z");
    // Nobody at night, and over the weekend.
    let days = compiled("Etc/UTC", vec![hours(&["ana"])]);
    assert_eq!(told(&days, &[], "2026-01-09T12:00:00Z"), "ana until 2026-01-09T17:00:00Z, then ana from 2026-01-12T09:00:00Z");
    assert_eq!(told(&days, &[], "2026-01-10T12:00:00Z"), "nobody until 2026-01-12T09:00:00Z, then ana from 2026-01-12T09:00:00Z");
    // Turns that stay with one person, and an end after which nobody comes.
    let alone = compiled("Etc/UTC", vec![layer(&["ana", "ana"], "1h", "00:00", "2026-01-05")]);
    assert_eq!(told(&alone, &[], "2026-01-06T12:00:00Z"), "ana until -, then -");
    let ends =
        compiled("Etc/UTC", vec![Layer { ends: Some("2026-01-12".parse().unwrap()), ..layer(&["ana"], "1d", "09:00", "2026-01-05") }]);
    assert_eq!(told(&ends, &[], "2026-01-06T12:00:00Z"), "ana until 2026-01-12T09:00:00Z, then -");
    // An override by whoever is on anyway moves only the end; one by another is a change and a return.
    let week = compiled("Etc/UTC", vec![base(&["ana", "ben"])]);
    let longer = [over(1, "ana", "2026-01-11T00:00:00Z", "2026-01-13T00:00:00Z")];
    assert_eq!(told(&week, &longer, "2026-01-06T12:00:00Z"), "ana until 2026-01-13T00:00:00Z, then ben from 2026-01-13T00:00:00Z");
    let lunch =
        [over(1, "cho", "2026-01-06T12:00:00Z", "2026-01-06T13:00:00Z"), over(2, "ben", "2026-01-06T13:00:00Z", "2026-01-06T13:00:00Z")];
    assert_eq!(told(&week, &lunch, "2026-01-06T12:00:00Z"), "cho until 2026-01-06T13:00:00Z, then ana from 2026-01-06T13:00:00Z");
}

#[test]
fn an_answer_takes_few_steps_whatever_the_layers() {
    let at = ts("2026-06-03T12:00:00Z");
    let to = at + SignedDuration::from_hours(24 * 60);
    let steps = |schedule: &CompiledSchedule| {
        let found = schedule.changes(&[], at, to);
        schedule.walk(&[], at, found.next.map_or(to, |(_, from)| from), EDGES_MAX).count()
    };
    // Hourly turns of one person have no edge at all; those beneath a layer that is always on have none either.
    let alone = layer(&["ana"], "1h", "00:00", "2020-01-06");
    assert_eq!(steps(&compiled("Europe/Madrid", vec![alone.clone()])), 1);
    let hourly = layer(&["ana", "ben"], "1h", "00:00", "2020-01-06");
    assert_eq!(steps(&compiled("Europe/Madrid", vec![hourly.clone(), alone])), 1);
    assert_eq!(steps(&compiled("Europe/Madrid", vec![hourly])), 1);
}

#[test]
fn whoever_is_never_on_is_named() {
    let days = |to: &str| {
        vec![Restriction { days: ["Mon", "Tue", "Wed", "Thu", "Fri"].map(str::to_owned).to_vec(), from: "09:00".into(), to: to.into() }]
    };
    let never = |layers: Vec<Layer>| compiled("Europe/Madrid", layers).never_on(ts("2026-06-01T00:00:00Z"));
    let seven = ["a", "b", "c", "d", "e", "f", "g"];
    // From Thursday 2026-01-01: c and d have Saturdays and Sundays for ever.
    let seven_days = Layer { only: days("19:00"), ..layer(&seven, "1d", "09:00", "2026-01-01") };
    assert_eq!(never(vec![seven_days.clone()]), ["c", "d"]);
    // Six come round to every weekday, seven do in weeks, and beneath somebody who is always on nobody is.
    assert_eq!(never(vec![Layer { people: seven[..6].iter().map(|p| (*p).to_owned()).collect(), ..seven_days.clone() }]), [""; 0]);
    assert_eq!(never(vec![layer(&seven, "1w", "Mon 09:00", "2026-01-01")]), [""; 0]);
    assert_eq!(never(vec![layer(&["x", "y"], "1w", "Mon 09:00", "2026-01-01"), layer(&["z"], "1d", "09:00", "2026-01-01")]), ["x", "y"]);
    // Somebody who is passed over in one layer and on in another is on.
    assert_eq!(never(vec![layer(&["c", "d"], "1w", "Mon 09:00", "2026-01-01"), seven_days.clone()]), [""; 0]);
    // A layer that is over leaves nobody out; one that ends before their turn does.
    let over = Layer { ends: Some("2026-05-01".parse().unwrap()), ..seven_days.clone() };
    assert_eq!(never(vec![over]), [""; 0]);
    let short = Layer { ends: Some("2026-06-15".parse().unwrap()), ..layer(&["a", "b", "c"], "1w", "Mon 09:00", "2026-06-01") };
    assert_eq!(never(vec![short]), ["c"]);
    // Beneath a layer that is always on and ends in half a year they are on after that.
    let above = Layer { ends: Some("2026-12-01".parse().unwrap()), ..layer(&["z"], "1d", "09:00", "2026-01-01") };
    assert_eq!(never(vec![layer(&["x", "y"], "1w", "Mon 09:00", "2026-01-01"), above]), [""; 0]);
    // What takes more than three years to come round is not claimed.
    let many: Vec<String> = (0..200).map(|n| format!("p{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(never(vec![Layer { only: days("19:00"), ..layer(&many, "1w", "Mon 09:00", "2026-01-01") }]), [""; 0]);
    // One that begins later is looked at from its beginning.
    let later = Layer { starts: "2027-01-01".parse().unwrap(), ..layer(&["a", "b"], "1w", "Mon 09:00", "2026-01-01") };
    assert_eq!(never(vec![later]), [""; 0]);
}

#[test]
fn what_cannot_be_read_is_refused_with_its_place() {
    for (change, place, says) in [
        (("90m", "09:00"), "layers[0].every", "not whole hours"),
        (("0", "09:00"), "layers[0].every", "needs a length"),
        (("2d", "Mon 09:00"), "layers[0].handoff", "do not begin on one weekday"),
        (("1w", "Mon 9am"), "layers[0].handoff", "not a time of day"),
        (("1w", "Mxn 09:00"), "layers[0].handoff", "not a weekday"),
        (("1w", ""), "layers[0].handoff", "not a hand-off"),
        (("1d", "24:00"), "layers[0].handoff", "not a time of day"),
        (("0mo", "1 09:00"), "layers[0].every", "needs a length"),
        (("1mo", "09:00"), "layers[0].handoff", "this names none"),
        (("1mo", "Mon 09:00"), "layers[0].handoff", "this names none"),
        (("1mo", "32 09:00"), "layers[0].handoff", "not a day of the month"),
        (("1mo", "0 09:00"), "layers[0].handoff", "not a day of the month"),
        (("1w", "1 09:00"), "layers[0].handoff", "one day of the month"),
        (("0wd", "09:00"), "layers[0].every", "needs a length"),
        (("1wd", "Mon 09:00"), "layers[0].handoff", "name the time alone"),
        (("1wd", "1 09:00"), "layers[0].handoff", "name the time alone"),
    ] {
        let form = schedule("Etc/UTC", vec![layer(&["a"], change.0, change.1, "2026-01-05")]);
        let problems = CompiledSchedule::compile(&form, &Calendars::new()).unwrap_err();
        assert_eq!(problems[0].place.to_string(), place, "{change:?}");
        assert!(problems[0].message.contains(says), "{}", problems[0]);
        assert!(problems[0].hint.is_some());
    }
    for (form, place) in [
        (Layer { elapsed: true, ..layer(&["a"], "1mo", "1 09:00", "2026-01-05") }, "layers[0].elapsed"),
        (Layer { calendar: Some("c".into()), ..layer(&["a"], "1w", "Mon 09:00", "2026-01-05") }, "layers[0].calendar"),
        (Layer { calendar: Some("gone".into()), ..layer(&["a"], "1wd", "09:00", "2026-01-05") }, "layers[0].calendar"),
        (Layer { calendar: Some("shut".into()), ..layer(&["a"], "1wd", "09:00", "2026-01-05") }, "layers[0].calendar"),
    ] {
        let calendars = readable(
            &serde_json::from_value::<Vec<_>>(serde_json::json!([{"id": "shut", "time_zone": "Etc/UTC"}])).unwrap(),
            &HolidayLists::new(),
        );
        let problems = CompiledSchedule::compile(&schedule("Etc/UTC", vec![form]), &calendars).unwrap_err();
        assert_eq!((problems.len(), problems[0].place.to_string().as_str()), (1, place), "{problems:?}");
        assert!(problems[0].hint.is_some());
    }
    let problems = CompiledSchedule::compile(&schedule("Mars/Olympus", vec![]), &Calendars::new()).unwrap_err();
    assert_eq!(problems.len(), 2, "everything wrong is told at once");
}

#[test]
fn an_answer_far_from_the_start_and_an_answer_at_the_end_of_time() {
    let schedule = compiled("Europe/Madrid", vec![layer(&["a", "b"], "1h", "09:00", "1970-01-01")]);
    assert!(schedule.on_call_at(&[], ts("2400-01-01T00:00:00Z")).person.is_some());
    assert!(schedule.on_call_at(&[], Timestamp::MAX).person.is_some());
    assert!(schedule.on_call_at(&[], Timestamp::MIN).person.is_none());
    let daily = compiled("Pacific/Apia", vec![layer(&["a"], "1d", "00:00", "2011-01-01")]);
    assert!(daily.on_call_at(&[], Timestamp::MAX).person.is_some());
    let shifts = schedule.shifts(&[], ts("2000-01-01T00:00:00Z"), ts("2400-01-01T00:00:00Z"));
    assert_eq!(shifts.len(), SHIFTS_MAX, "a long range is cut");
}

/// The instant of a civil time, found by looking at minutes one after another rather than by
/// asking for the kind of ambiguity.
fn oracle_instant(zone: &TimeZone, civil: DateTime) -> Timestamp {
    let guess = TimeZone::UTC.to_timestamp(civil).unwrap();
    let mut at = guess - SignedDuration::from_hours(15);
    loop {
        // All transitions of our time fall on whole minutes.
        if zone.to_datetime(at) >= civil {
            return at;
        }
        at += SignedDuration::from_mins(1);
    }
}

/// Every hand-off until an instant, found by walking the wall clock hour by hour from the first.
fn walls(zone: &TimeZone, form: &Layer, until: Timestamp) -> Vec<Timestamp> {
    let words: Vec<&str> = form.handoff.split(' ').collect();
    let time: jiff::civil::Time = words[words.len() - 1].parse().unwrap();
    let mut date = form.starts;
    while words.len() == 2 && date.weekday() != Weekday::Monday {
        date = date.tomorrow().unwrap();
    }
    let hours = i64::try_from(form.every.length().unwrap().as_secs() / 3600).unwrap();
    let mut wall = date.to_datetime(time);
    let mut out = Vec::new();
    loop {
        let starts_at = oracle_instant(zone, wall);
        if starts_at > until {
            return out;
        }
        out.push(starts_at);
        for _ in 0..hours {
            let (day, hour, minute) = (wall.date(), wall.hour(), wall.minute());
            wall = if hour == 23 { day.tomorrow().unwrap().at(0, minute, 0, 0) } else { day.at(hour + 1, minute, 0, 0) };
        }
    }
}

/// Who has the turn.
fn oracle(zone: &TimeZone, form: &Layer, at: Timestamp) -> Option<Slug> {
    oracle_of(zone, form, &walls(zone, form, at), at)
}

fn oracle_of(zone: &TimeZone, form: &Layer, walls: &[Timestamp], at: Timestamp) -> Option<Slug> {
    let begun = walls.iter().filter(|starts_at| **starts_at <= at).count();
    let on = begun.checked_sub(1).map(|turn| form.people[turn % form.people.len()].clone());
    let open = form.only.is_empty()
        || form.only.iter().any(|only| {
            (-3..3).any(|ahead: i64| {
                let day = zone.to_datetime(at).date().checked_add(ahead.days()).unwrap();
                let named = format!("{:?}", day.weekday());
                if !only.days.is_empty() && !only.days.iter().any(|d| named.starts_with(d.as_str())) {
                    return false;
                }
                let clock = |text: &str| text.parse::<jiff::civil::Time>().unwrap();
                let (from, to) = (clock(&only.from), clock(&only.to));
                let close = if to <= from { day.tomorrow().unwrap() } else { day };
                oracle_instant(zone, day.to_datetime(from)) <= at && at < oracle_instant(zone, close.to_datetime(to))
            })
        });
    on.filter(|_| open)
}

fn any_layer() -> impl Strategy<Value = Layer> {
    let handoff = (0_i8..24, prop::sample::select(vec![0_i8, 15, 30, 45]));
    let every = prop::sample::select(vec!["1w", "2w", "1d", "2d", "3d", "5h", "12h", "36h"]);
    let only = prop::collection::vec((prop::sample::subsequence(vec!["Mon", "Wed", "Fri", "Sat", "Sun"], 0..4), 0_u8..24, 0_u8..24), 0..3);
    (1_usize..4, every, handoff, 0_i64..40, only).prop_map(|(people, every, (hour, minute), ahead, only)| {
        let clock = format!("{hour:02}:{minute:02}");
        let weekly = every.ends_with('w');
        let mut form = layer(&["a", "b", "c"][..people], every, &clock, "2026-01-01");
        if weekly {
            form.handoff = format!("Mon {clock}");
        }
        form.starts = Date::constant(2026, 1, 1).checked_add(ahead.days()).unwrap();
        form.only = only
            .into_iter()
            .map(|(days, from, to)| Restriction {
                days: days.into_iter().map(str::to_owned).collect(),
                from: format!("{from:02}:30"),
                to: format!("{to:02}:00"),
            })
            .collect();
        form
    })
}

/// Minutes within a year and a bit of 2026, often near a clock change.
fn any_instant() -> impl Strategy<Value = Timestamp> {
    let start = ts("2026-01-01T00:00:00Z");
    prop_oneof![
        2 => (0_i64..400 * 1440).prop_map(move |m| start + SignedDuration::from_mins(m)),
        1 => (prop::sample::select(vec!["2026-03-08", "2026-03-22", "2026-03-29", "2026-04-04", "2026-10-03", "2026-10-25", "2026-11-01"]), 0_i64..2880)
            .prop_map(|(day, m)| ts(&format!("{day}T00:00:00Z")) - SignedDuration::from_mins(720 - m)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn the_answer_agrees_with_a_walk(zone in prop::sample::select(&ZONES[..]), form in any_layer(), at in any_instant()) {
        let schedule = compiled(zone, vec![form.clone()]);
        let zone = TimeZone::get(zone).unwrap();
        prop_assert_eq!(schedule.on_call_at(&[], at).person, oracle(&zone, &form, at));
    }

    #[test]
    fn shifts_and_gaps_tile_the_range_and_agree_with_the_answer(
        zone in prop::sample::select(&ZONES[..]),
        forms in prop::collection::vec(any_layer(), 1..4),
        from in any_instant(),
        days in 1_i64..20,
        probes in prop::collection::vec(0.0_f64..1.0, 20),
    ) {
        let schedule = compiled(zone, forms);
        let to = from + SignedDuration::from_hours(days * 24);
        let shifts = schedule.shifts(&[], from, to);
        let gaps = schedule.gaps(&[], from, to);
        let mut pieces: Vec<_> = shifts.iter().map(|s| (s.starts_at, s.ends_at, Some(s.person.clone()))).collect();
        pieces.extend(gaps.iter().map(|g| (g.starts_at, g.ends_at, None)));
        pieces.sort();
        let mut at = from;
        for (starts_at, ends_at, _) in &pieces {
            prop_assert_eq!(*starts_at, at, "no hole and no overlap");
            prop_assert!(ends_at > starts_at);
            at = *ends_at;
        }
        prop_assert_eq!(at, to);
        for probe in probes {
            #[allow(clippy::cast_possible_truncation)] // a fraction of a range of days
            let at = from + SignedDuration::from_millis(((to.as_millisecond() - from.as_millisecond()) as f64 * probe) as i64);
            let piece = pieces.iter().find(|(s, e, _)| *s <= at && at < *e).unwrap();
            prop_assert_eq!(&schedule.on_call_at(&[], at).person, &piece.2);
        }
    }

    #[test]
    fn overrides_and_changes_agree_with_a_walk_in_quarters_of_an_hour(
        zone in prop::sample::select(&ZONES[..]),
        forms in prop::collection::vec(any_layer(), 1..4),
        // Near the start of the rotations and over the changes of clocks in March.
        first in 0_i64..6000,
        overrides in prop::collection::vec((0_i64..200, -4_i64..120, 0_usize..3, 0_u64..1000, 0_usize..4), 0..10),
        // For a time other layers stand in the place of these.
        season in prop::option::of((0_i64..200, 1_i64..160, prop::collection::vec(any_layer(), 1..3))),
    ) {
        // Not before the first hand-offs, and on a quarter, as all edges are.
        let start = ts("2026-02-10T00:00:00Z");
        let at = start + SignedDuration::from_mins(15 * first);
        let mut overrides: Vec<Override> = overrides
            .into_iter()
            .map(|(begins, lasts, who, made, effect)| {
                let effect = [Effect::Replaces, Effect::Replaces, Effect::Adds, Effect::Nobody][effect];
                let starts_at = at + SignedDuration::from_mins(15 * (begins - 100));
                Override {
                    id: format!("o{}", 1000 - made),
                    schedule: "s".into(),
                    effect,
                    person: if effect == Effect::Nobody { String::new() } else { ["a", "x", "y"][who].into() },
                    starts_at,
                    ends_at: starts_at + SignedDuration::from_mins(15 * lasts),
                    made,
                    made_by: None,
                }
            })
            .collect();
        // A number is given once.
        overrides.sort_by_key(|o| o.made);
        overrides.dedup_by_key(|o| o.made);
        let until = at + SignedDuration::from_hours(72);
        let walls: Vec<_> = forms.iter().map(|form| walls(&TimeZone::get(zone).unwrap(), form, until)).collect();
        let season = season.map(|(begins, lasts, layers)| {
            let starts_at = at + SignedDuration::from_mins(15 * (begins - 100));
            let ends_at = starts_at + SignedDuration::from_mins(15 * lasts);
            TemporarySchedule { id: "t".into(), schedule: "s".into(), name: None, starts_at, ends_at, layers }
        });
        let of_season: Vec<(Layer, Vec<Timestamp>)> = season
            .iter()
            .flat_map(|season| &season.layers)
            .map(|form| (form.clone(), self::walls(&TimeZone::get(zone).unwrap(), form, until)))
            .collect();
        let mut schedule = compiled(zone, forms.clone());
        if let Some(season) = &season {
            schedule.take(season, &Calendars::new()).unwrap();
        }
        let zone = TimeZone::get(zone).unwrap();
        let oracle_at = |instant: Timestamp| -> Vec<Slug> {
            let is_season = season.as_ref().is_some_and(|season| season.starts_at <= instant && instant < season.ends_at);
            let by_forms = || forms.iter().zip(&walls).rev().find_map(|(form, walls)| oracle_of(&zone, form, walls, instant));
            let by_season = || of_season.iter().rev().find_map(|(form, walls)| oracle_of(&zone, form, walls, instant));
            let mut turn: Vec<Slug> = if is_season { by_season() } else { by_forms() }.into_iter().collect();
            let mut added: Vec<Slug> = Vec::new();
            // One after another, in the order of making.
            for change in overrides.iter().filter(|o| o.starts_at <= instant && instant < o.ends_at) {
                match change.effect {
                    Effect::Replaces => turn = vec![change.person.clone()],
                    Effect::Adds => added.push(change.person.clone()),
                    Effect::Nobody => (turn, added) = (vec![], vec![]),
                }
            }
            let mut seen = std::collections::HashSet::new();
            turn.into_iter().chain(added).filter(|who| seen.insert(who.clone())).collect()
        };
        let now = oracle_at(at);
        let (mut until, mut next) = (None, None);
        for quarter in 1..4 * 48 {
            let instant = at + SignedDuration::from_mins(15 * quarter);
            let who = oracle_at(instant);
            if until.is_none() && who != now {
                until = Some(instant);
            }
            if until.is_some() && next.is_none() && !who.is_empty() {
                next = Some((who, instant));
            }
        }
        let found = schedule.changes(&overrides, at, at + SignedDuration::from_hours(48));
        let people = |on_call: &OnCall| on_call.people().cloned().collect::<Vec<_>>();
        let found_next = found.next.as_ref().map(|(next, from)| (people(next), *from));
        prop_assert_eq!((people(&found.now), found.until, found_next), (now, until, next));
        // Shifts are of the same people.
        let shifts = schedule.shifts(&overrides, at, at + SignedDuration::from_hours(48));
        for quarter in [0, 1, 50, 100, 150] {
            let instant = at + SignedDuration::from_mins(15 * quarter);
            let on: std::collections::BTreeSet<Slug> =
                shifts.iter().filter(|s| s.starts_at <= instant && instant < s.ends_at).map(|s| s.person.clone()).collect();
            prop_assert_eq!(on, oracle_at(instant).into_iter().collect());
        }
        // What the overrides change is told where they change something, and nowhere else.
        let end = at + SignedDuration::from_hours(48);
        let side = |overrides| Some(Side { schedule: &schedule, overrides });
        let found = differences(side(&[]), side(&overrides), at, end);
        prop_assert_eq!(found.until, end);
        for quarter in 0..4 * 48 {
            let instant = at + SignedDuration::from_mins(15 * quarter);
            let told = found.list.iter().find(|one| one.starts_at <= instant && instant < one.ends_at);
            let (was, will_be) = (people(&schedule.on_call_at(&[], instant)), people(&schedule.on_call_at(&overrides, instant)));
            prop_assert_eq!(told.map(|one| (one.was.clone(), one.will_be.clone())), (was != will_be).then_some((was, will_be)));
        }
    }

    #[test]
    fn a_rotation_without_restriction_covers_everything_after_its_first_hand_off(
        zone in prop::sample::select(&ZONES[..]), form in any_layer(), start in any_instant(),
    ) {
        let form = Layer { only: vec![], ..form };
        let schedule = compiled(zone, vec![form]);
        let from = start.max(ts("2026-03-01T00:00:00Z"));
        prop_assert_eq!(schedule.gaps(&[], from, from + SignedDuration::from_hours(24 * 60)), vec![]);
    }
}
