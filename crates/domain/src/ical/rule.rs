//! Rules by which an event comes back (RFC 5545 §3.3.10), asked a range at a time: the period in which a range begins is counted, not
//! walked to, so that a rule of forty years answers as fast as one of yesterday.
//!
//! Only a rule that ends after a number of times has to be walked from its start, and is once, when it is read.

use std::collections::BTreeSet;

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp, ToSpan as _};

use super::budget::Budget;
use super::value;
use super::{cut, lines::Line};

/// Most entries of one part of a rule.
const PART_MAX: usize = 400;
/// Longest interval: hours of some ten years.
const INTERVAL_MAX: i64 = 100_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Every {
    Hour,
    Day,
    Week,
    Month,
    Year,
}

/// Until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    Never,
    /// So many times.
    Count(u32),
    /// The last that may begin then: on the wall clock, or in UTC.
    Civil(DateTime),
    Utc(DateTime),
}

/// A rule, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rule {
    every: Every,
    interval: i64,
    pub until: Until,
    months: Vec<i8>,
    month_days: Vec<i8>,
    /// With the number within the month or year; 0 for each.
    days: Vec<(i16, Weekday)>,
    hours: Vec<i8>,
    minutes: Vec<i8>,
    positions: Vec<i16>,
    week_begins: Weekday,
}

impl Rule {
    /// Reads a rule; what it says that is not read here is told in a sentence without a full stop.
    pub(super) fn read(line: &Line) -> Result<Self, String> {
        let text = line.value.trim().to_ascii_uppercase();
        let mut every = None;
        let mut out = Self {
            every: Every::Day,
            interval: 1,
            until: Until::Never,
            months: Vec::new(),
            month_days: Vec::new(),
            days: Vec::new(),
            hours: Vec::new(),
            minutes: Vec::new(),
            positions: Vec::new(),
            week_begins: Weekday::Monday,
        };
        for part in text.split(';').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let bad = || format!("`{}` of its rule cannot be read", cut(part));
            match name {
                "FREQ" => {
                    every = Some(match value {
                        "YEARLY" => Every::Year,
                        "MONTHLY" => Every::Month,
                        "WEEKLY" => Every::Week,
                        "DAILY" => Every::Day,
                        "HOURLY" => Every::Hour,
                        other => return Err(format!("it comes back `{}`, which is not read: an hour is the least", cut(other))),
                    });
                }
                "INTERVAL" => {
                    out.interval = value.parse().ok().filter(|n| (1..=INTERVAL_MAX).contains(n)).ok_or_else(bad)?;
                }
                "COUNT" if out.until == Until::Never => {
                    out.until = Until::Count(u32::try_from(value.parse::<u64>().map_err(|_| bad())?).unwrap_or(u32::MAX));
                }
                "UNTIL" if out.until == Until::Never => {
                    let (is_utc, digits) = value.strip_suffix('Z').map_or((false, value), |rest| (true, rest));
                    let civil = value::civil(digits).ok_or_else(bad)?;
                    out.until = match (is_utc, digits.contains('T')) {
                        (true, _) => Until::Utc(civil),
                        (false, true) => Until::Civil(civil),
                        // The whole of its last day.
                        (false, false) => Until::Civil(civil.date().to_datetime(Time::constant(23, 59, 59, 0))),
                    };
                }
                "BYMONTH" => out.months = numbers(value, 1..=12).ok_or_else(bad)?,
                "BYMONTHDAY" => out.month_days = numbers(value, -31..=31).filter(|all| !all.contains(&0)).ok_or_else(bad)?,
                "BYHOUR" => out.hours = numbers(value, 0..=23).ok_or_else(bad)?,
                "BYMINUTE" => out.minutes = numbers(value, 0..=59).ok_or_else(bad)?,
                "BYSETPOS" => out.positions = numbers(value, -366..=366).filter(|all| !all.contains(&0)).ok_or_else(bad)?,
                "BYDAY" => {
                    let days: Option<Vec<_>> = value.split(',').take(PART_MAX).map(day).collect();
                    out.days = days.ok_or_else(bad)?;
                }
                "WKST" => out.week_begins = day(value).filter(|(nth, _)| *nth == 0).ok_or_else(bad)?.1,
                // As the event begins, which is all that programs write.
                "BYSECOND" if value == "0" || value == "00" => {}
                _ => return Err(format!("`{}` of its rule is not read", cut(part))),
            }
        }
        out.every = every.ok_or("its rule does not say how often")?;
        if out.every < Every::Month {
            for day in &mut out.days {
                // Means nothing within a week.
                day.0 = 0;
            }
        }
        out.months.sort_unstable();
        Ok(out)
    }

    /// The last instant at which it may begin, where a time says so.
    pub(super) fn until_instant(&self, zone: &TimeZone) -> Option<Timestamp> {
        match self.until {
            Until::Never | Until::Count(_) => None,
            Until::Civil(until) => Some(value::instant(zone, until)),
            Until::Utc(until) => Some(value::instant(&TimeZone::UTC, until)),
        }
    }

    /// Every beginning from one civil time until before another, in order, of an event that begins first at `start`; nothing of where
    /// the rule ends. Costs the budget a period each.
    pub(super) fn between(&self, start: DateTime, from: DateTime, to: DateTime, budget: &mut Budget, out: &mut Vec<DateTime>) {
        let mut period = self.period_of(start, from).max(0);
        let mut set = Vec::new();
        while let Some(begins) = self.begin(start, period) {
            if begins >= to || !budget.period() {
                return;
            }
            self.set(start, begins, budget, &mut set);
            out.extend(set.iter().copied().filter(|at| *at >= start && *at >= from && *at < to));
            period += 1;
        }
    }

    /// The first so many beginnings, or as many as the budget allows; and whether that is all.
    pub(super) fn first(&self, start: DateTime, count: usize, budget: &mut Budget) -> (Vec<DateTime>, bool) {
        let (mut out, mut set, mut period) = (Vec::new(), Vec::new(), 0);
        while out.len() < count {
            let Some(begins) = self.begin(start, period) else { return (out, true) };
            if !budget.period() {
                return (out, false);
            }
            self.set(start, begins, budget, &mut set);
            for at in set.iter().copied().filter(|at| *at >= start).take(count - out.len()) {
                if !budget.time() {
                    return (out, false);
                }
                out.push(at);
            }
            if budget.is_spent {
                return (out, false);
            }
            period += 1;
        }
        (out, true)
    }

    /// The period in which a civil time lies, or one before it.
    fn period_of(&self, start: DateTime, at: DateTime) -> i64 {
        let units = match self.every {
            Every::Year => i64::from(at.year()) - i64::from(start.year()),
            Every::Month => month_number(at.date()) - month_number(start.date()),
            Every::Week => day_number(at.date()).saturating_sub(day_number(self.week_of(start.date()))).div_euclid(7),
            Every::Day => day_number(at.date()) - day_number(start.date()),
            Every::Hour => hour_number(at) - hour_number(start),
        };
        units.div_euclid(self.interval)
    }

    /// When a period begins; nothing beyond what calendars have.
    fn begin(&self, start: DateTime, period: i64) -> Option<DateTime> {
        let ahead = period.checked_mul(self.interval)?;
        let date = match self.every {
            Every::Year => Date::new(i16::try_from(i64::from(start.year()).checked_add(ahead)?).ok()?, 1, 1).ok()?,
            Every::Month => {
                let month = month_number(start.date()).checked_add(ahead)?;
                Date::new(i16::try_from(month.div_euclid(12)).ok()?, i8::try_from(month.rem_euclid(12)).ok()? + 1, 1).ok()?
            }
            Every::Week => self.week_of(start.date()).checked_add(Span::new().try_days(ahead.checked_mul(7)?).ok()?).ok()?,
            Every::Day => start.date().checked_add(Span::new().try_days(ahead).ok()?).ok()?,
            Every::Hour => {
                let hour = start.date().to_datetime(Time::new(start.hour(), 0, 0, 0).ok()?);
                return hour.checked_add(SignedDuration::try_from_hours(ahead)?).ok();
            }
        };
        (date.year() < 2_400).then(|| date.to_datetime(Time::midnight()))
    }

    /// The first day of the week of a day.
    fn week_of(&self, date: Date) -> Date {
        let back = (date.weekday().to_monday_zero_offset() - self.week_begins.to_monday_zero_offset()).rem_euclid(7);
        date.saturating_sub(i64::from(back).days())
    }

    /// What of a period the rule names, in order. Each day that is looked at, and each time that is named, costs the budget as a period
    /// does: a year of every minute is a period, too.
    fn set(&self, start: DateTime, begins: DateTime, budget: &mut Budget, out: &mut Vec<DateTime>) {
        out.clear();
        let minutes: &[i8] = if self.minutes.is_empty() { &[start.minute()] } else { &self.minutes };
        let at = |date: Date, hour: i8, minute: i8| Time::new(hour, minute, start.second(), 0).ok().map(|time| date.to_datetime(time));
        if self.every == Every::Hour {
            if self.is_day(begins.date(), begins.date()) && (self.hours.is_empty() || self.hours.contains(&begins.hour())) {
                out.extend(minutes.iter().filter_map(|minute| at(begins.date(), begins.hour(), *minute)).take_while(|_| budget.period()));
            }
        } else {
            let hours: &[i8] = if self.hours.is_empty() { &[start.hour()] } else { &self.hours };
            let mut days = Vec::new();
            self.days_of(start, begins.date(), budget, &mut days);
            let named = days
                .iter()
                .flat_map(|date| hours.iter().flat_map(move |hour| minutes.iter().filter_map(move |minute| at(*date, *hour, *minute))));
            out.extend(named.take_while(|_| budget.period()));
        }
        out.sort_unstable();
        out.dedup();
        if !self.positions.is_empty() {
            let count = out.len();
            let place = |position: i16| {
                let position = isize::from(position);
                if position > 0 { usize::try_from(position - 1).ok() } else { count.checked_add_signed(position) }
            };
            let mut picked: Vec<DateTime> = self.positions.iter().filter_map(|position| out.get(place(*position)?).copied()).collect();
            picked.sort_unstable();
            picked.dedup();
            *out = picked;
        }
    }

    /// The days of a period of a day or more.
    fn days_of(&self, start: DateTime, first: Date, budget: &mut Budget, out: &mut Vec<Date>) {
        let next = |date: Date| date.tomorrow().ok();
        match self.every {
            Every::Hour => {}
            Every::Day => {
                if self.is_day(first, first) {
                    out.push(first);
                }
            }
            Every::Week => {
                let mut date = Some(first);
                for _ in 0..7 {
                    let Some(one) = date.filter(|_| budget.period()) else { return };
                    let is_it = if self.days.is_empty() { one.weekday() == start.weekday() } else { self.is_weekday(one, one) };
                    if is_it && self.is_month(one) && self.is_month_day(one) {
                        out.push(one);
                    }
                    date = next(one);
                }
            }
            Every::Month => self.days_of_month(start, first, first, budget, out),
            Every::Year => {
                // A year that says only the event's own month has its day there.
                let by_day_of_year = self.months.is_empty() && self.month_days.is_empty() && !self.days.is_empty();
                let months: Vec<i8> = match (self.months.is_empty(), by_day_of_year || !self.month_days.is_empty()) {
                    (false, _) => self.months.clone(),
                    (true, true) => (1..=12).collect(),
                    (true, false) => vec![start.month()],
                };
                for month in months {
                    let Ok(begins) = Date::new(first.year(), month, 1) else { continue };
                    // Numbers of weekdays count in the month where months are named, else in the year.
                    let within = if self.months.is_empty() { first } else { begins };
                    self.days_of_month(start, begins, within, budget, out);
                }
            }
        }
    }

    /// The days of a month; weekdays are numbered `within` the month, or the year, that begins then.
    fn days_of_month(&self, start: DateTime, month: Date, within: Date, budget: &mut Budget, out: &mut Vec<Date>) {
        if !self.months.is_empty() && !self.months.contains(&month.month()) {
            return;
        }
        for day in 1..=month.days_in_month() {
            if !budget.period() {
                return;
            }
            let Ok(date) = Date::new(month.year(), month.month(), day) else { continue };
            let is_it = match (self.month_days.is_empty(), self.days.is_empty()) {
                (true, true) => day == start.day(),
                _ => self.is_month_day(date) && (self.days.is_empty() || self.is_weekday(date, within)),
            };
            if is_it {
                out.push(date);
            }
        }
    }

    /// Whether a day is let through by what only limits.
    fn is_day(&self, date: Date, within: Date) -> bool {
        self.is_month(date) && self.is_month_day(date) && (self.days.is_empty() || self.is_weekday(date, within))
    }

    fn is_month(&self, date: Date) -> bool {
        self.months.is_empty() || self.months.contains(&date.month())
    }

    fn is_month_day(&self, date: Date) -> bool {
        let from_end = date.day() - date.days_in_month() - 1;
        self.month_days.is_empty() || self.month_days.iter().any(|day| *day == date.day() || *day == from_end)
    }

    fn is_weekday(&self, date: Date, within: Date) -> bool {
        self.days.iter().any(|(nth, weekday)| {
            if date.weekday() != *weekday {
                return false;
            }
            let is_year = self.every == Every::Year && self.months.is_empty();
            let (at, count) = if is_year {
                (date.day_of_year(), within.days_in_year())
            } else {
                (i16::from(date.day()), i16::from(date.days_in_month()))
            };
            match *nth {
                0 => true,
                nth if nth > 0 => (at - 1) / 7 + 1 == nth,
                nth => -((count - at) / 7 + 1) == nth,
            }
        })
    }
}

/// `MO`, `-1SU`, `+2TU`
fn day(text: &str) -> Option<(i16, Weekday)> {
    let text = text.trim();
    let at = text.len().checked_sub(2)?;
    let (nth, name) = (text.get(..at)?, text.get(at..)?);
    let weekday = match name {
        "MO" => Weekday::Monday,
        "TU" => Weekday::Tuesday,
        "WE" => Weekday::Wednesday,
        "TH" => Weekday::Thursday,
        "FR" => Weekday::Friday,
        "SA" => Weekday::Saturday,
        "SU" => Weekday::Sunday,
        _ => return None,
    };
    let nth = if nth.is_empty() { 0 } else { nth.parse::<i16>().ok().filter(|nth| *nth != 0 && (-53..=53).contains(nth))? };
    Some((nth, weekday))
}

fn numbers<T: std::str::FromStr + Ord>(text: &str, within: std::ops::RangeInclusive<T>) -> Option<Vec<T>> {
    let read = text.split(',').take(PART_MAX).map(|one| one.trim().parse::<T>().ok().filter(|n| within.contains(n)));
    // Once each: what is named twice is no more.
    Some(read.collect::<Option<BTreeSet<T>>>()?.into_iter().collect())
}

fn month_number(date: Date) -> i64 {
    i64::from(date.year()) * 12 + i64::from(date.month()) - 1
}

fn day_number(date: Date) -> i64 {
    date.since(Date::constant(1970, 1, 1)).map_or(0, |span| i64::from(span.get_days()))
}

fn hour_number(at: DateTime) -> i64 {
    day_number(at.date()) * 24 + i64::from(at.hour())
}
