//! When a clock of business hours is due, against a calculation of another make: time is walked through in quarters of an hour,
//! and of each the wall clock of the place says whether it counts. Over every zone there is, around each of its changes of
//! 2024 to 2037, with holidays and pauses.

#![allow(clippy::unwrap_used)] // a test fails loudly, in its helpers too

use allclear_domain::expect::Segment;
use allclear_domain::incident::clocks::{due, elapsed};
use allclear_domain::org::forms::calendar::{Calendar, CalendarForm};
use allclear_domain::time::Length;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use serde_json::json;

/// All hours, changes and lengths here are whole quarters.
const QUARTER: SignedDuration = SignedDuration::from_mins(15);
/// Quarters that are walked through at most: longer than any length here takes.
const STEPS_MAX: u32 = 40 * 96;
/// Around how many changes of one zone at most: 2024 to 2037 has 28 where clocks change twice a year.
const CHANGES_MAX: usize = 64;

/// Repeats itself: what fails fails again.
struct Dice(u64);

impl Dice {
    fn upto(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

/// Weekdays by day, every night, or Friday nights.
#[derive(Debug, Clone, Copy)]
enum Hours {
    Office,
    Nights,
    FridayNights,
}

impl Hours {
    fn written(self) -> serde_json::Value {
        match self {
            Self::Office => json!([{"days": ["Mon", "Tue", "Wed", "Thu", "Fri"], "from": "09:00", "to": "17:00"}]),
            Self::Nights => json!([{"from": "22:00", "to": "06:00"}]),
            Self::FridayNights => {
                json!([{"days": ["Fri"], "from": "22:00", "to": "06:00"}, {"days": ["Tue"], "from": "10:00", "to": "12:00"}])
            }
        }
    }

    /// Whether a moment counts, by what the clock on the wall says.
    fn counts(self, zone: &TimeZone, at: Timestamp, holidays: &[Date]) -> bool {
        let local = zone.to_datetime(at);
        let (today, hour) = (local.date(), local.hour());
        let closed = |date: Date| holidays.contains(&date);
        if closed(today) {
            return false;
        }
        let yesterday = today.yesterday().unwrap();
        let weekday = |date: Date| date.weekday();
        match self {
            Self::Office => !matches!(weekday(today), Weekday::Saturday | Weekday::Sunday) && (9..17).contains(&hour),
            Self::Nights => hour >= 22 || (hour < 6 && !closed(yesterday)),
            Self::FridayNights => {
                let friday = |date: Date| weekday(date) == Weekday::Friday;
                (hour >= 22 && friday(today))
                    || (hour < 6 && friday(yesterday) && !closed(yesterday))
                    || (weekday(today) == Weekday::Tuesday && (10..12).contains(&hour))
            }
        }
    }
}

fn runs(segments: &[Segment], at: Timestamp) -> bool {
    segments.iter().rev().find(|segment| segment.from <= at).is_some_and(|segment| segment.running)
}

/// When so many quarters have counted.
fn walked(segments: &[Segment], mut quarters: u64, counts: impl Fn(Timestamp) -> bool) -> Option<Timestamp> {
    let mut at = segments[0].from;
    for _ in 0..STEPS_MAX {
        let counted = runs(segments, at) && counts(at);
        at = at.checked_add(QUARTER).unwrap();
        if counted {
            quarters -= 1;
            if quarters == 0 {
                return Some(at);
            }
        }
    }
    None
}

/// From here it counts, but for a pause or two.
fn segments(dice: &mut Dice, from: Timestamp) -> Vec<Segment> {
    let mut out = vec![Segment { from, running: true, why: None }];
    let mut at = from;
    for _ in 0..dice.upto(3) {
        for running in [false, true] {
            at = at.checked_add(SignedDuration::from_mins(15 * (1 + i64::try_from(dice.upto(200)).unwrap()))).unwrap();
            out.push(Segment { from: at, running, why: None });
        }
    }
    out
}

#[test]
fn a_clock_of_business_hours_is_due_when_as_much_has_been_open() {
    let (first, last): (Timestamp, Timestamp) = ("2024-01-01T00:00:00Z".parse().unwrap(), "2038-01-01T00:00:00Z".parse().unwrap());
    let (mut dice, mut zones, mut tried) = (Dice(7), 0, 0);
    // `Factory` is what a machine has where nobody set a zone: the organisation takes it for none.
    for name in jiff::tz::db().available().filter(|name| name.as_str() != "Factory") {
        let zone = TimeZone::get(name.as_str()).unwrap();
        zones += 1;
        let changes: Vec<Timestamp> =
            zone.following(first).map(|change| change.timestamp()).take_while(|at| *at < last).take(CHANGES_MAX).collect();
        // Without a change a day like any other.
        for change in if changes.is_empty() { vec!["2028-02-29T12:00:00Z".parse().unwrap()] } else { changes } {
            let whole = Timestamp::from_second(change.as_second().div_euclid(900) * 900).unwrap();
            let from = whole.checked_sub(SignedDuration::from_mins(15 * i64::try_from(dice.upto(400)).unwrap())).unwrap();
            let hours = [Hours::Office, Hours::Nights, Hours::FridayNights][usize::try_from(dice.upto(3)).unwrap()];
            let today = zone.to_datetime(from).date();
            let holidays: Vec<Date> =
                (0..dice.upto(3)).map(|_| today.checked_add(i64::try_from(dice.upto(9)).unwrap().days()).unwrap()).collect();
            let form: CalendarForm = serde_json::from_value(json!({"id": "c", "time_zone": name.as_str(), "hours": hours.written(),
                "holidays": holidays.iter().map(ToString::to_string).collect::<Vec<_>>()}))
            .unwrap();
            let calendar = Calendar::compile(&form, &Default::default()).unwrap();
            let (segments, quarters) = (segments(&mut dice, from), 1 + dice.upto(80));
            let length = Length::from_mins(15 * quarters);
            let expected = walked(&segments, quarters, |at| hours.counts(&zone, at, &holidays));
            let told = due(&segments, length, Some(&calendar));
            assert_eq!(told, expected, "{name:?} {hours:?} {holidays:?} {segments:?} {length}");
            assert!(expected.is_some(), "{name:?}: so much is open within forty days");
            let ran = expected.map(|at| elapsed(&segments, at, Some(&calendar)));
            assert_eq!(ran, Some(length.as_duration()), "{name:?} {hours:?} {holidays:?} {segments:?}");
            // Where every hour counts the zone does not matter.
            let plain = walked(&segments, quarters, |_| true);
            assert_eq!(due(&segments, length, None), plain, "{segments:?} {length}");
            tried += 1;
        }
    }
    assert!(zones > 300 && tried > 3_000, "{zones} zones, {tried} changes");
}
