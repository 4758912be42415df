//! What on-call costs people: what each carried of a schedule over a period, and how often they were called for it.
//!
//! Turns are the resolver's answer, the same that pages; calls are what the logs of live pages say. Drills, test pages and what only
//! tells are in no figure. Every clock is the person's own.
//!
//! Invariant: a median is of the values themselves (nearest rank), and its `n` says of how many.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, Time, Weekday};
use jiff::{SignedDuration, Timestamp};

use super::load::{NIGHT_FROM, NIGHT_TO, load};
use super::snapshot::Org;
use crate::ids::PageId;
use crate::oncall::Shift;

/// The period where none is asked: four weeks, in which most rotas have come round once.
pub const LOAD_PERIOD: SignedDuration = SignedDuration::from_hours(28 * 24);
/// The longest period: a year.
pub const LOAD_PERIOD_MAX: SignedDuration = SignedDuration::from_hours(366 * 24);
/// Working hours are from nine in the morning until five in the afternoon, Monday to Friday.
const WORK_FROM: Time = Time::constant(9, 0, 0, 0);
const WORK_TO: Time = Time::constant(17, 0, 0, 0);

/// What each figure is, in the order in which they are shown: its name, and its definition.
pub const DEFINITIONS: [(&str, &str); 9] = [
    ("Shifts", "turns of one person in a row, by the schedule as it stands with its overrides, as far as they are in the period"),
    ("Hours", "how long somebody was on call; of several at once each counts"),
    ("Nights", "from 22:00 to 06:00 of the person's own clock, where they were on call for an hour of it or more"),
    ("Weekend days", "Saturdays and Sundays, the same way"),
    ("Holidays", "public holidays that the person has off, the same way"),
    (
        "Calls",
        "steps of live pages that asked somebody because they were on call in the schedule; several messages of one step are one call",
    ),
    ("Outside working hours", "calls before 9:00, from 17:00 on, at a weekend or on a public holiday of the person, on their own clock"),
    ("Interrupted nights", "nights from 22:00 to 06:00 of the person's own clock with at least one call"),
    (
        "Time to acknowledge",
        "from the start of a live page until somebody acknowledged it: the median, of the pages that made a call and were acknowledged",
    ),
];

/// Somebody was called because they were on call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    pub schedule: String,
    pub person: String,
    pub at: Timestamp,
    pub page: PageId,
}

/// What somebody carried and was called for, or everybody of a schedule together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Carried {
    pub shifts: u32,
    pub time: SignedDuration,
    pub nights: u32,
    pub weekend_days: u32,
    pub holidays: u32,
    pub calls: u32,
    pub outside_hours: u32,
    pub interrupted_nights: u32,
    /// How many pages were acknowledged.
    pub acknowledged: u32,
    /// The median time of those.
    pub acknowledge: Option<SignedDuration>,
}

/// What a schedule cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleCost {
    pub total: Carried,
    /// Each person who was on call or called, who was called most first.
    pub people: Vec<(String, Carried)>,
}

/// What a schedule cost, by its shifts and the calls of the period; `answered` is how long each page that was acknowledged took.
#[must_use]
pub fn cost(org: &Org, shifts: &[Shift], calls: &[Call], answered: &BTreeMap<PageId, SignedDuration>) -> ScheduleCost {
    let mut of: BTreeMap<String, Carried> = BTreeMap::new();
    for carried in &load(org, shifts) {
        of.insert(
            carried.person.clone(),
            Carried {
                shifts: turns(shifts, &carried.person),
                time: carried.time,
                nights: carried.nights,
                weekend_days: carried.weekend_days,
                holidays: carried.holidays,
                ..Carried::default()
            },
        );
    }
    let mut calls_of: BTreeMap<&str, Vec<&Call>> = BTreeMap::new();
    for call in calls {
        calls_of.entry(call.person.as_str()).or_default().push(call);
    }
    for (person, calls) in &calls_of {
        let carried = of.entry((*person).to_owned()).or_default();
        let zone = org.zone_of(person);
        let mut nights: BTreeSet<Date> = BTreeSet::new();
        for call in calls {
            let local = zone.to_datetime(call.at);
            let weekend = matches!(local.date().weekday(), Weekday::Saturday | Weekday::Sunday);
            let works = !weekend && local.time() >= WORK_FROM && local.time() < WORK_TO && org.holiday_of(person, local.date()).is_none();
            carried.outside_hours += u32::from(!works);
            nights.extend(night_of(local.date(), local.time()));
        }
        carried.calls = count(calls.len());
        carried.interrupted_nights = count(nights.len());
        (carried.acknowledged, carried.acknowledge) = acknowledged(calls.iter().map(|call| call.page), answered);
    }
    let mut total = Carried::default();
    for carried in of.values() {
        total.shifts += carried.shifts;
        total.time += carried.time;
        total.nights += carried.nights;
        total.weekend_days += carried.weekend_days;
        total.holidays += carried.holidays;
        total.calls += carried.calls;
        total.outside_hours += carried.outside_hours;
        total.interrupted_nights += carried.interrupted_nights;
    }
    (total.acknowledged, total.acknowledge) = acknowledged(calls.iter().map(|call| call.page), answered);
    let mut people: Vec<(String, Carried)> = of.into_iter().collect();
    people.sort_by(|a, b| (b.1.calls, b.1.time, &a.0).cmp(&(a.1.calls, a.1.time, &b.0)));
    ScheduleCost { total, people }
}

/// Turns in a row of one person, whichever rule says so: a hand-over to oneself is none.
fn turns(shifts: &[Shift], person: &str) -> u32 {
    let mut until: Option<Timestamp> = None;
    let mut turns = 0;
    for shift in shifts.iter().filter(|shift| shift.person == person) {
        if until.is_none_or(|until| shift.starts_at > until) {
            turns += 1;
        }
        until = Some(until.map_or(shift.ends_at, |until| until.max(shift.ends_at)));
    }
    turns
}

/// The night in which an instant is, by the day on which it begins.
fn night_of(day: Date, time: Time) -> Option<Date> {
    if time >= NIGHT_FROM {
        Some(day)
    } else if time < NIGHT_TO {
        day.yesterday().ok()
    } else {
        None
    }
}

/// How many different pages were acknowledged, and the median of how long they took.
fn acknowledged(pages: impl Iterator<Item = PageId>, answered: &BTreeMap<PageId, SignedDuration>) -> (u32, Option<SignedDuration>) {
    let pages: BTreeSet<PageId> = pages.collect();
    let mut took: Vec<SignedDuration> = pages.iter().filter_map(|page| answered.get(page)).copied().collect();
    took.sort();
    let median = took.len().checked_sub(1).and_then(|last| took.get(last / 2)).copied();
    (count(took.len()), median)
}

fn count(found: usize) -> u32 {
    u32::try_from(found).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::channel::WaysOut;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn org() -> Org {
        let bundle = json!({
            "people": [
                {"id": "ana", "name": "A", "time_zone": "Europe/Madrid", "public_holidays": ["es"]},
                {"id": "ben", "name": "B", "time_zone": "America/New_York"}],
            "public_holidays": [{"id": "es", "days": ["2026-03-27"]}],
            "schedules": [{"id": "s", "time_zone": "Europe/Madrid", "layers": [
                {"people": ["ana", "ben"], "every": "1w", "handoff": "Mon 09:00", "starts": "2026-03-23"}]}],
        });
        Org::build(1, serde_json::from_value(bundle).unwrap(), WaysOut::NONE)
    }

    fn call(person: &str, instant: &str, page: u128) -> Call {
        Call { schedule: "s".into(), person: person.into(), at: at(instant), page: PageId::from_bits(page) }
    }

    #[test]
    fn calls_are_counted_on_the_clock_of_whoever_was_called_also_in_the_night_of_a_change() {
        let org = org();
        let shifts = org.schedule("s").unwrap().shifts(&[], at("2026-03-23T08:00:00Z"), at("2026-04-06T07:00:00Z"));
        let calls = [
            // Wednesday at eleven in Madrid: within working hours.
            call("ana", "2026-03-25T10:00:00Z", 1),
            // Friday at noon, her public holiday.
            call("ana", "2026-03-27T11:00:00Z", 2),
            // The night in which her clocks go forward: half past one, and half past three an hour later, are one night.
            call("ana", "2026-03-29T00:30:00Z", 3),
            call("ana", "2026-03-29T01:30:00Z", 4),
            // Eleven in the evening of New York, which is a morning in Madrid.
            call("ben", "2026-04-01T03:00:00Z", 5),
        ];
        let minutes = SignedDuration::from_mins;
        let answered =
            BTreeMap::from([(PageId::from_bits(1), minutes(2)), (PageId::from_bits(2), minutes(9)), (PageId::from_bits(5), minutes(4))]);
        let found = cost(&org, &shifts, &calls, &answered);
        let of = |person: &str| found.people.iter().find(|(id, _)| id == person).unwrap().1.clone();
        let ana = of("ana");
        assert_eq!((ana.shifts, ana.calls, ana.outside_hours, ana.interrupted_nights), (1, 4, 3, 1));
        assert_eq!((ana.acknowledged, ana.acknowledge), (2, Some(minutes(2))));
        assert_eq!(ana.time, SignedDuration::from_hours(7 * 24 - 1), "a week with a change of the clock");
        let ben = of("ben");
        assert_eq!((ben.shifts, ben.calls, ben.outside_hours, ben.interrupted_nights), (1, 1, 1, 1));
        assert_eq!((found.total.calls, found.total.acknowledged, found.total.acknowledge), (5, 3, Some(minutes(4))));
        assert_eq!(found.people[0].0, "ana", "who was called most stands first");
    }

    #[test]
    fn nobody_and_nothing_are_figures_too() {
        let org = org();
        let found = cost(&org, &[], &[], &BTreeMap::new());
        assert_eq!(found, ScheduleCost { total: Carried::default(), people: Vec::new() });
        let gone = cost(&org, &[], &[call("gone", "2026-03-25T02:00:00Z", 1)], &BTreeMap::new());
        assert_eq!((gone.total.calls, gone.total.interrupted_nights, gone.total.acknowledge), (1, 1, None), "who left is counted on UTC");
    }
}
