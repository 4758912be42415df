//! Civil times: how they are written, and which instant they are.
//!
//! The whole treatment of clock changes is [`instant_of`]; nothing else in the module may turn a
//! civil time into an instant.

use jiff::civil::{DateTime, Time, Weekday};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp};

use crate::org::problem::{Place, Problem};

/// Why a text is not a civil time, weekday or zone, and what would work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct BadCivil {
    /// What is wrong.
    pub message: String,
    /// What would work.
    pub hint: &'static str,
}

impl BadCivil {
    fn new(given: &str, is_not: &str, hint: &'static str) -> Self {
        let given: String = given.chars().take(64).collect();
        Self { message: format!("`{given}` is not {is_not}"), hint }
    }
    /// The same as a problem of a form.
    #[must_use]
    pub fn problem(self, place: Place) -> Problem {
        Problem::error(place, self.message).hint(self.hint)
    }
}

/// When turns begin: a clock time, and for weeks a weekday, for months a day of the month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Handoff {
    /// Of turns counted in weeks.
    pub weekday: Option<Weekday>,
    /// Of turns counted in months, from 1 to 31; the last day of a month that has fewer.
    pub month_day: Option<i8>,
    /// On the wall clock of the schedule's zone.
    pub time: Time,
}

/// The first instant that shows this civil time, or the first after it where clocks skip it.
///
/// jiff's `compatible` reading moves a skipped 02:30 to 03:30; here it is the end of the gap
/// (03:00), so that no two hand-offs change places whatever the size of the gap.
pub(crate) fn instant_of(zone: &TimeZone, civil: DateTime) -> Timestamp {
    let ambiguous = zone.to_ambiguous_timestamp(civil);
    let Ok(instant) = ambiguous.compatible() else {
        return if civil.year() < 0 { Timestamp::MIN } else { Timestamp::MAX };
    };
    if !matches!(ambiguous.offset(), AmbiguousOffset::Gap { .. }) {
        return instant;
    }
    // Transitions strictly before are listed, and the gap may end at this very instant.
    let just_after = instant.saturating_add(SignedDuration::from_nanos(1)).unwrap_or(instant);
    zone.preceding(just_after).next().map_or(instant, |transition| transition.timestamp())
}

/// When a civil day begins: at midnight, or at the first instant after it where clocks skip midnight. A day that a zone skipped
/// altogether begins with the next one.
///
/// ```
/// use allclear_domain::oncall::day_begins;
/// use jiff::{civil::date, tz::TimeZone};
/// // The clocks of Sao Paulo went forward at midnight.
/// let zone = TimeZone::get("America/Sao_Paulo").unwrap();
/// assert_eq!(day_begins(&zone, date(2018, 11, 4)).to_string(), "2018-11-04T03:00:00Z");
/// ```
#[must_use]
pub fn day_begins(zone: &TimeZone, day: jiff::civil::Date) -> Timestamp {
    instant_of(zone, day.to_datetime(Time::midnight()))
}

/// Names of the database that are no place: what a machine says that was never told where it is.
const NO_PLACES: [&str; 2] = ["Factory", "Etc/Unknown"];

/// The zone of an IANA name.
pub(crate) fn zone(name: &str) -> Result<TimeZone, BadCivil> {
    let found = TimeZone::get(name).ok().filter(|_| !NO_PLACES.iter().any(|no| name.eq_ignore_ascii_case(no)));
    found.ok_or_else(|| {
        BadCivil::new(name, "a time zone that is known here", "write an IANA name such as `Europe/Madrid`, `America/New_York` or `Etc/UTC`")
    })
}

/// Reads `09:00`; `24:00` is not a time of day here (an end of day is written `00:00`).
///
/// # Errors
/// Says what would work.
pub fn parse_clock(text: &str) -> Result<Time, BadCivil> {
    let bad = || BadCivil::new(text, "a time of day", "write hours and minutes from `00:00` to `23:59`, as in `09:00`");
    let (hour, minute) = text.trim().split_once(':').ok_or_else(bad)?;
    let number = |digits: &str, lengths: std::ops::RangeInclusive<usize>| {
        (lengths.contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())).then(|| digits.parse::<i8>().ok()).flatten()
    };
    let (hour, minute) = number(hour, 1..=2).zip(number(minute, 2..=2)).ok_or_else(bad)?;
    Time::new(hour, minute, 0, 0).map_err(|_| bad())
}

/// Reads `Mon` or `Monday`, in any case.
///
/// # Errors
/// Says what would work.
pub fn parse_weekday(text: &str) -> Result<Weekday, BadCivil> {
    const NAMES: [(&str, Weekday); 7] = [
        ("monday", Weekday::Monday),
        ("tuesday", Weekday::Tuesday),
        ("wednesday", Weekday::Wednesday),
        ("thursday", Weekday::Thursday),
        ("friday", Weekday::Friday),
        ("saturday", Weekday::Saturday),
        ("sunday", Weekday::Sunday),
    ];
    let word = text.trim().to_ascii_lowercase();
    NAMES
        .into_iter()
        .find(|(name, _)| *name == word || name[..3] == word)
        .map(|(_, weekday)| weekday)
        .ok_or_else(|| BadCivil::new(text, "a weekday", "write one of Mon, Tue, Wed, Thu, Fri, Sat, Sun"))
}

/// Reads a day of the month, from `1` to `31`.
fn parse_month_day(text: &str) -> Result<i8, BadCivil> {
    text.parse()
        .ok()
        .filter(|day| (1..=31).contains(day))
        .ok_or_else(|| BadCivil::new(text, "a day of the month", "write `1` to `31`, as in `1 09:00`; `31` is the last day of every month"))
}

/// Reads `Mon 09:00`, `31 09:00` or `09:00`.
///
/// # Errors
/// Says what would work.
pub fn parse_handoff(text: &str) -> Result<Handoff, BadCivil> {
    let words: Vec<&str> = text.split_whitespace().collect();
    match words.as_slice() {
        [clock] => Ok(Handoff { weekday: None, month_day: None, time: parse_clock(clock)? }),
        [day, clock] if day.bytes().all(|byte| byte.is_ascii_digit()) => {
            Ok(Handoff { weekday: None, month_day: Some(parse_month_day(day)?), time: parse_clock(clock)? })
        }
        [day, clock] => Ok(Handoff { weekday: Some(parse_weekday(day)?), month_day: None, time: parse_clock(clock)? }),
        _ => Err(BadCivil::new(
            text,
            "a hand-off",
            "write `Mon 09:00` for turns of weeks, `1 09:00` for turns of months, `09:00` for all others",
        )),
    }
}
