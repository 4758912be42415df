//! Periods of regulators against another way to count them: minute by minute and day by day, over every zone whose clocks change
//! between 2024 and 2037, with holidays and weekends.

#![allow(clippy::unwrap_used)] // tests

use std::collections::BTreeSet;

use allclear_domain::obligation::{Days, Period, Unit};
use jiff::civil::{Date, Weekday, date};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp, ToSpan as _};

/// Zones whose offset changes in these years, by their names.
fn zones() -> Vec<TimeZone> {
    let (from, to) = (date(2024, 1, 1), date(2037, 12, 31));
    let mut seen = BTreeSet::new();
    let mut out = Vec::new();
    for name in TimeZoneDatabase::bundled().available() {
        let zone = TimeZone::get(name.as_str()).unwrap();
        let first = from.to_zoned(zone.clone()).unwrap().timestamp();
        let last = to.to_zoned(zone.clone()).unwrap().timestamp();
        let changes: Vec<String> = zone
            .following(first)
            .take_while(|one| one.timestamp() < last)
            .map(|one| format!("{} {}", one.timestamp(), one.offset()))
            .collect();
        // Zones that change alike are one.
        if !changes.is_empty() && seen.insert((zone.to_offset(first).seconds(), changes)) {
            out.push(zone);
        }
    }
    assert!(out.len() > 30, "{}", out.len());
    out
}

/// Days in each of those years around which something happens: changes of the clocks, ends of months, leap days, holidays.
fn instants(zone: &TimeZone) -> Vec<Timestamp> {
    let mut out = Vec::new();
    let first = date(2024, 1, 1).to_zoned(zone.clone()).unwrap().timestamp();
    let last = date(2037, 12, 31).to_zoned(zone.clone()).unwrap().timestamp();
    for change in zone.following(first).take_while(|one| one.timestamp() < last) {
        for minutes in [-2881, -1441, -61, -1, 0, 1, 29, 61, 1441] {
            out.push(change.timestamp() + SignedDuration::from_mins(minutes) + SignedDuration::from_secs(17));
        }
    }
    for (year, month, day) in [(2024, 1, 31), (2024, 2, 29), (2025, 1, 31), (2026, 12, 24), (2027, 12, 31), (2028, 4, 13), (2026, 4, 2)] {
        out.push(date(year, month, day).at(17, 30, 0, 0).to_zoned(zone.clone()).unwrap().timestamp());
    }
    out
}

/// Christmas, New Year, and Easter of two years.
fn is_holiday(day: Date) -> bool {
    matches!((day.month(), day.day()), (12, 25 | 26) | (1, 1))
        || [date(2026, 4, 3), date(2026, 4, 6), date(2028, 4, 14), date(2028, 4, 17)].contains(&day)
}

fn is_working(day: Date) -> bool {
    day.weekday() != Weekday::Saturday && day.weekday() != Weekday::Sunday && !is_holiday(day)
}

fn local_day(zone: &TimeZone, at: Timestamp) -> Date {
    at.to_zoned(zone.clone()).date()
}

/// The last second of a day, found by walking back from noon of the day after.
fn last_second(zone: &TimeZone, day: Date) -> Timestamp {
    let mut low = day.at(12, 0, 0, 0).to_zoned(zone.clone()).unwrap().timestamp().as_second();
    let mut high = low + 36 * 3600;
    assert!(local_day(zone, Timestamp::from_second(high).unwrap()) > day);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if local_day(zone, Timestamp::from_second(middle).unwrap()) > day { high = middle } else { low = middle }
    }
    Timestamp::from_second(low).unwrap()
}

/// Days one after another from the day after that of an instant, of the local calendar.
fn days_after(day: Date) -> impl Iterator<Item = Date> {
    (1..).map(move |n: i64| day.checked_add(n.days()).unwrap())
}

#[test]
fn hours_run_through_nights_weekends_and_changes_of_the_clocks() {
    for zone in zones() {
        let days = Days { zone: &zone, is_holiday: &is_holiday, is_open: &is_working };
        for from in instants(&zone) {
            for hours in [1_u16, 4, 24, 72] {
                let ends = Period::hours(hours).ends(from, &days);
                assert_eq!(ends.as_second() - from.as_second(), i64::from(hours) * 3600, "{from} {zone:?}");
            }
        }
    }
}

#[test]
fn the_hour_of_the_event_is_not_counted() {
    for zone in zones() {
        let days = Days { zone: &zone, is_holiday: &|_| false, is_open: &|_| true };
        for from in instants(&zone) {
            // Where the clocks change by less than an hour meanwhile, the hour has no one beginning.
            let minute_of = |at: Timestamp| at.to_zoned(zone.clone()).minute();
            let seconds = |at: Timestamp| i64::from(zone.to_offset(at).seconds());
            let hour_later = from + SignedDuration::from_hours(1);
            if (seconds(hour_later) - seconds(from - SignedDuration::from_hours(1))) % 3600 != 0 {
                continue;
            }
            let mut begins = Timestamp::from_second(from.as_second() / 60 * 60).unwrap();
            loop {
                begins += SignedDuration::from_mins(1);
                if minute_of(begins) == 0 {
                    break;
                }
            }
            for hours in [4_u16, 24, 36] {
                let ends = Period::hours(hours).eu().ends(from, &days);
                assert_eq!(ends, begins + SignedDuration::from_hours(i64::from(hours)), "{from} {zone:?}");
            }
        }
    }
}

#[test]
fn days_and_months_of_the_regulation_end_with_a_working_day_and_hold_two() {
    for zone in zones() {
        let days = Days { zone: &zone, is_holiday: &is_holiday, is_open: &is_working };
        for from in instants(&zone) {
            let event = local_day(&zone, from);
            for period in [Period::days(1).eu(), Period::days(2).eu(), Period::days(3).eu(), Period::days(14).eu(), Period::months(1).eu()]
            {
                let nominal = match period.unit {
                    Unit::Months => event.checked_add(1.month()).unwrap(),
                    Unit::Hours | Unit::Days | Unit::BusinessDays => days_after(event).nth(usize::from(period.length) - 1).unwrap(),
                };
                let mut working = 0;
                let last = days_after(event)
                    .find(|day| {
                        working += usize::from(is_working(*day));
                        let enough = working >= 2 || period == Period::days(1).eu();
                        *day >= nominal && is_working(*day) && enough
                    })
                    .unwrap();
                assert_eq!(period.ends(from, &days), last_second(&zone, last), "{period} from {from} {zone:?}");
            }
        }
    }
}

#[test]
fn a_period_of_seventy_two_hours_holds_two_working_days() {
    let zone = TimeZone::get("Europe/Brussels").unwrap();
    let days = Days { zone: &zone, is_holiday: &is_holiday, is_open: &is_working };
    let ends = |from: &str| Period::hours(72).eu().ends(from.parse().unwrap(), &days).to_string();
    assert_eq!(ends("2026-03-02T09:20:00Z"), "2026-03-05T10:00:00Z", "from Monday to Thursday");
    assert_eq!(ends("2026-03-06T16:30:00Z"), "2026-03-09T17:00:00Z", "a weekend, with part of Friday and of Monday");
    // Thursday before Easter: Friday to Monday are free.
    assert_eq!(ends("2026-04-02T15:30:00Z"), "2026-04-07T21:59:59Z", "Tuesday is the second working day");
    // The summer begins on the Sunday between.
    assert_eq!(ends("2026-03-27T09:20:00Z"), "2026-03-30T10:00:00Z");
}

#[test]
fn business_days_are_those_on_which_the_place_is_open() {
    for zone in zones() {
        let days = Days { zone: &zone, is_holiday: &is_holiday, is_open: &is_working };
        for from in instants(&zone) {
            let event = local_day(&zone, from);
            for length in [1_u16, 4] {
                let last = days_after(event).filter(|day| is_working(*day)).nth(usize::from(length) - 1).unwrap();
                assert_eq!(Period::business_days(length).ends(from, &days), last_second(&zone, last), "{length} from {from} {zone:?}");
            }
        }
    }
    // A place that is never open: every day counts, and nothing waits for ever.
    let days = Days { zone: &TimeZone::UTC, is_holiday: &|_| true, is_open: &|_| false };
    let from = "2026-03-02T09:20:00Z".parse().unwrap();
    assert_eq!(Period::business_days(4).ends(from, &days).to_string(), "2026-03-06T23:59:59Z");
    assert_eq!(Period::days(2).eu().ends(from, &days).to_string(), "2026-03-04T23:59:59Z");
}

#[test]
fn plain_days_and_months_end_at_the_same_time_of_day() {
    let zone = TimeZone::get("Europe/Madrid").unwrap();
    let days = Days { zone: &zone, is_holiday: &is_holiday, is_open: &is_working };
    let ends = |period: Period, from: &str| period.ends(from.parse().unwrap(), &days).to_string();
    assert_eq!(ends(Period::months(1), "2025-01-31T09:20:00Z"), "2025-02-28T09:20:00Z", "the last of February");
    assert_eq!(ends(Period::months(1), "2024-01-31T09:20:00Z"), "2024-02-29T09:20:00Z");
    assert_eq!(ends(Period::months(1).eu(), "2025-01-31T09:20:00Z"), "2025-02-28T22:59:59Z");
    assert_eq!(ends(Period::days(60), "2026-02-01T09:20:00Z"), "2026-04-02T08:20:00Z", "in summer, at the same time of the wall clock");
    assert_eq!(ends(Period::days(3), "2026-03-06T09:20:00Z"), "2026-03-09T09:20:00Z", "through a weekend");
}
