//! Periods of regulators, counted: hours that run through nights and weekends, days, business days and months, plainly or as
//! Regulation (EEC, Euratom) 1182/71 counts them.
//!
//! Under that regulation the hour, or the day, of the event is not counted; a period in days or months ends with the last hour of
//! its last day, and where that is a Saturday, a Sunday or a holiday, of the next working day; a period of two days or more holds
//! at least two working days.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};

use crate::plants::planted;

/// Longest period of each unit, in months of 31 days: ten years, as the longest length there is.
const MONTHS_MAX: u16 = 120;
/// Days that are looked through for working days: a place that is closed for a whole year has no calendar that could count.
const LOOK_DAYS_MAX: i64 = 366;
/// Hours from which on a period is one of two days.
const TWO_DAYS_HOURS: u16 = 48;

/// What a period counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// As they pass, through nights and weekends.
    Hours,
    Days,
    /// Days on which the place is open.
    BusinessDays,
    /// By the calendar: 31 January and a month is the last of February.
    Months,
}

/// How it is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counting {
    /// From the instant itself; days and months end at the same time of day, business days at the end of the last.
    #[default]
    Plain,
    /// As Regulation 1182/71 has it.
    Eu1182,
}

/// How long somebody has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    pub length: u16,
    pub unit: Unit,
    #[serde(default, skip_serializing_if = "is_plain")]
    pub counting: Counting,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde's way
fn is_plain(counting: &Counting) -> bool {
    *counting == Counting::Plain
}

/// The days of a place.
#[derive(Clone, Copy)]
pub struct Days<'a> {
    pub zone: &'a TimeZone,
    /// Whether a day is a holiday there.
    pub is_holiday: &'a dyn Fn(Date) -> bool,
    /// Whether business is done on a day.
    pub is_open: &'a dyn Fn(Date) -> bool,
}

impl Days<'_> {
    /// Neither Saturday nor Sunday, and no holiday.
    fn is_working(&self, day: Date) -> bool {
        !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) && !(self.is_holiday)(day)
    }

    fn date(&self, at: Timestamp) -> Date {
        self.zone.to_datetime(at).date()
    }

    /// The last second of a day: who reads midnight may think of the day after.
    fn end_of(&self, day: Date) -> Timestamp {
        let next = day.tomorrow().ok().and_then(|next| next.to_zoned(self.zone.clone()).ok());
        next.and_then(|next| next.timestamp().checked_sub(SignedDuration::from_secs(1)).ok()).unwrap_or(Timestamp::MAX)
    }

    /// The first day after one that does; the day itself where none does within a year.
    fn next(&self, day: Date, does: &dyn Fn(Date) -> bool) -> Option<Date> {
        (1..=LOOK_DAYS_MAX).filter_map(|ahead| later(day, ahead)).find(|day| does(*day))
    }

    /// A last day as the regulation moves it: to a working day, and until the period holds two of them.
    fn moved(&self, first: Date, last: Date, holds_two: bool) -> Date {
        let working = |day: Date| self.is_working(day);
        let mut last = if working(last) || planted("last-day-is-not-moved") { last } else { self.next(last, &working).unwrap_or(last) };
        if holds_two {
            let ahead = i64::from(last.since(first).map_or(0, |span| span.get_days()));
            // More than this is never needed.
            let mut found = (0..=ahead).filter_map(|n| later(first, n)).filter(|day| working(*day)).take(2).count();
            while found < 2 {
                let Some(next) = self.next(last, &working) else { break };
                (last, found) = (next, found + 1);
            }
        }
        last
    }
}

fn later(day: Date, days: i64) -> Option<Date> {
    day.checked_add(Span::new().days(days)).ok()
}

impl Period {
    /// So many hours.
    #[must_use]
    pub const fn hours(length: u16) -> Self {
        Self { length, unit: Unit::Hours, counting: Counting::Plain }
    }
    /// So many days.
    #[must_use]
    pub const fn days(length: u16) -> Self {
        Self { length, unit: Unit::Days, counting: Counting::Plain }
    }
    /// So many business days.
    #[must_use]
    pub const fn business_days(length: u16) -> Self {
        Self { length, unit: Unit::BusinessDays, counting: Counting::Plain }
    }
    /// So many months.
    #[must_use]
    pub const fn months(length: u16) -> Self {
        Self { length, unit: Unit::Months, counting: Counting::Plain }
    }
    /// The same, as Regulation 1182/71 counts.
    #[must_use]
    pub const fn eu(self) -> Self {
        Self { counting: Counting::Eu1182, ..self }
    }

    /// Whether which days are free matters to it.
    #[must_use]
    pub const fn asks_for_days(self) -> bool {
        match (self.unit, self.counting) {
            (Unit::BusinessDays, _) => true,
            (Unit::Hours, Counting::Eu1182) => self.length >= TWO_DAYS_HOURS,
            (Unit::Days | Unit::Months, Counting::Eu1182) => true,
            (Unit::Hours | Unit::Days | Unit::Months, Counting::Plain) => false,
        }
    }

    /// When it is over, where it began at an instant.
    ///
    /// ```
    /// use allclear_domain::obligation::{Days, Period};
    /// use jiff::tz::TimeZone;
    /// let (zone, none) = (TimeZone::get("Europe/Brussels").unwrap(), |_| false);
    /// let days = Days { zone: &zone, is_holiday: &none, is_open: &|_| true };
    /// // A Wednesday at 10:20: the hour of the event is not counted, and the rest runs through nights.
    /// let ends = Period::hours(24).eu().ends("2026-03-04T09:20:00Z".parse().unwrap(), &days);
    /// assert_eq!(ends, "2026-03-05T10:00:00Z".parse().unwrap());
    /// ```
    #[must_use]
    pub fn ends(self, from: Timestamp, days: &Days<'_>) -> Timestamp {
        let (n, begun) = (i64::from(self.length), from.to_zoned(days.zone.clone()));
        let never = Timestamp::MAX;
        match (self.unit, self.counting) {
            (Unit::Hours, Counting::Plain) => from.checked_add(SignedDuration::from_hours(n)).unwrap_or(never),
            (Unit::Hours, Counting::Eu1182) => self.hours_after_the_hour(from, days),
            (Unit::Days, Counting::Plain) => begun.checked_add(n.days()).map_or(never, |end| end.timestamp()),
            (Unit::Months, Counting::Plain) => begun.checked_add(n.months()).map_or(never, |end| end.timestamp()),
            (Unit::BusinessDays, _) => {
                let mut last = begun.date();
                for _ in 0..n {
                    // Where nothing is ever open, every day counts: sooner is safe.
                    let next = days.next(last, days.is_open).or_else(|| later(last, 1));
                    let Some(next) = next else { return never };
                    last = next;
                }
                days.end_of(last)
            }
            (Unit::Days | Unit::Months, Counting::Eu1182) => {
                let span = if self.unit == Unit::Days { n.days() } else { n.months() };
                let ends = (begun.date().tomorrow(), begun.date().checked_add(span));
                let (Ok(first), Ok(last)) = ends else { return never };
                days.end_of(days.moved(first, last, self.unit == Unit::Months || n >= 2))
            }
        }
    }

    /// From the first full hour after the one of the event. A period of two days holds two working days, or ends with the second.
    fn hours_after_the_hour(self, from: Timestamp, days: &Days<'_>) -> Timestamp {
        let local = days.zone.to_datetime(from);
        let into = SignedDuration::from_secs(i64::from(local.minute()) * 60 + i64::from(local.second()))
            + SignedDuration::from_nanos(i64::from(local.subsec_nanosecond()));
        let begins = from.checked_sub(into).and_then(|hour| hour.checked_add(SignedDuration::from_hours(1)));
        let Ok(begins) = begins else { return Timestamp::MAX };
        let Ok(ends) = begins.checked_add(SignedDuration::from_hours(i64::from(self.length))) else { return Timestamp::MAX };
        if self.length < TWO_DAYS_HOURS {
            return ends;
        }
        // The second before its end is the last that is within it.
        let last_day = days.date(ends.checked_sub(SignedDuration::from_secs(1)).unwrap_or(ends));
        let first_day = days.date(begins);
        let ahead = i64::from(last_day.since(first_day).map_or(0, |span| span.get_days()));
        let held = (0..=ahead).filter_map(|n| later(first_day, n)).filter(|day| days.is_working(*day)).take(2).count();
        if held >= 2 {
            return ends;
        }
        let mut last = last_day;
        for _ in held..2 {
            let Some(next) = days.next(last, &|day| days.is_working(day)) else { return ends };
            last = next;
        }
        days.end_of(last)
    }

    /// Whether it is longer than another, as far as that can be said of different units.
    #[must_use]
    pub const fn is_longer_than(self, other: Self) -> bool {
        self.about_hours() > other.about_hours()
    }

    const fn about_hours(self) -> u32 {
        let each = match self.unit {
            Unit::Hours => 1,
            Unit::Days | Unit::BusinessDays => 24,
            Unit::Months => 31 * 24,
        };
        self.length as u32 * each
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (one, many) = match self.unit {
            Unit::Hours => ("hour", "hours"),
            Unit::Days => ("day", "days"),
            Unit::BusinessDays => ("business day", "business days"),
            Unit::Months => ("month", "months"),
        };
        write!(f, "{} {}", self.length, if self.length == 1 { one } else { many })
    }
}

/// Why a text is no period.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is no period; write a number and a unit, as in `24 hours`, `3 days`, `4 business days`, `1 month` (at most ten years)")]
pub struct BadPeriod {
    /// What was given, cut at 40 characters.
    pub given: String,
}

impl FromStr for Period {
    type Err = BadPeriod;

    fn from_str(text: &str) -> Result<Self, BadPeriod> {
        let bad = || BadPeriod { given: text.chars().filter(|c| !c.is_control()).take(40).collect() };
        let (number, unit) = text.trim().split_once(' ').ok_or_else(bad)?;
        let length: u16 = number.parse().map_err(|_| bad())?;
        let unit = match unit.trim() {
            "hour" | "hours" => Unit::Hours,
            "day" | "days" => Unit::Days,
            "business day" | "business days" => Unit::BusinessDays,
            "month" | "months" => Unit::Months,
            _ => return Err(bad()),
        };
        let period = Self { length, unit, counting: Counting::Plain };
        if length == 0 || period.is_longer_than(Self::months(MONTHS_MAX)) { Err(bad()) } else { Ok(period) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_reads_as_it_is_written() {
        for text in ["1 hour", "72 hours", "1 day", "60 days", "4 business days", "1 business day", "1 month", "120 months"] {
            assert_eq!(text.parse::<Period>().unwrap().to_string(), text);
        }
        for bad in ["", "72", "72h", "0 hours", "-1 days", "121 months", "65536 hours", "3 weeks", "☃ days", "1.5 hours"] {
            assert!(bad.parse::<Period>().is_err(), "{bad}");
        }
    }
}
