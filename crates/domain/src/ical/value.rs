//! Values of lines: days, times and lengths.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::lines::Line;
use super::zones::Zones;
use super::{Fault, cut, fault_at};

/// Years that are read: what lies outside is a mistake, or is meant to be one.
const YEARS: std::ops::RangeInclusive<i16> = 1900..=2199;
/// Most dates of one line.
pub(super) const DATES_MAX: usize = 2_000;

/// A civil time in a zone.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct When {
    pub civil: DateTime,
    pub zone: TimeZone,
    /// A whole day.
    pub is_date: bool,
}

impl When {
    pub(super) fn instant(&self) -> Timestamp {
        instant(&self.zone, self.civil)
    }
}

/// The instant of a civil time: the first of two, and one that clocks skip with the offset before the change.
pub(super) fn instant(zone: &TimeZone, civil: DateTime) -> Timestamp {
    zone.to_ambiguous_timestamp(civil).compatible().unwrap_or(if civil.year() < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

/// A day or a time, as a line says it.
pub(super) fn when(line: &Line, zones: &Zones) -> Result<When, Fault> {
    one(line, line.value.trim(), zones)
}

/// Several, with commas between them.
pub(super) fn several(line: &Line, zones: &Zones) -> Result<Vec<(When, Option<End>)>, Fault> {
    let mut out = Vec::new();
    for text in line.value.split(',').map(str::trim).filter(|text| !text.is_empty()) {
        if out.len() >= DATES_MAX {
            return Err(fault_at(line, format!("`{}` has more than {DATES_MAX} dates", line.name)));
        }
        match text.split_once('/') {
            Some((start, end)) => {
                let start = one(line, start, zones)?;
                let end = if end.starts_with(['P', '+', 'p']) { End::After(length(line, end)?) } else { End::At(one(line, end, zones)?) };
                out.push((start, Some(end)));
            }
            None => out.push((one(line, text, zones)?, None)),
        }
    }
    Ok(out)
}

/// How an event ends.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum End {
    At(When),
    After(SignedDuration),
}

fn one(line: &Line, text: &str, zones: &Zones) -> Result<When, Fault> {
    let bad = || fault_at(line, format!("`{}` of `{}` is neither a day nor a time", cut(text), line.name));
    let text_upper = text.to_ascii_uppercase();
    let (is_utc, digits) = match text_upper.strip_suffix('Z') {
        Some(rest) => (true, rest),
        None => (false, text_upper.as_str()),
    };
    let is_date = !digits.contains('T');
    let civil = civil(digits).ok_or_else(bad)?;
    if !YEARS.contains(&civil.year()) {
        return Err(fault_at(line, format!("`{}` lies outside of the years {} to {}", cut(text), YEARS.start(), YEARS.end())));
    }
    let zone = if is_utc {
        TimeZone::UTC
    } else if is_date {
        zones.home.clone()
    } else {
        match line.param("TZID") {
            None => zones.home.clone(),
            Some(name) => {
                zones.named(name).ok_or_else(|| fault_at(line, format!("no time zone is known that is called \"{}\"", cut(name))))?
            }
        }
    };
    Ok(When { civil, zone, is_date })
}

/// `20261225` or `20261225T090000`
pub(super) fn civil(text: &str) -> Option<DateTime> {
    let number = |part: &str| part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse::<i16>().ok()).flatten();
    let small = |part: &str| number(part).and_then(|n| i8::try_from(n).ok());
    let (date, time) = text.split_once('T').map_or((text, None), |(date, time)| (date, Some(time)));
    if date.len() != 8 || !date.is_ascii() {
        return None;
    }
    let date = Date::new(number(&date[..4])?, small(&date[4..6])?, small(&date[6..])?).ok()?;
    let Some(time) = time else { return Some(date.to_datetime(Time::midnight())) };
    if time.len() != 6 || !time.is_ascii() {
        return None;
    }
    // A leap second is the second before it.
    let time = Time::new(small(&time[..2])?, small(&time[2..4])?, small(&time[4..])?.min(59), 0).ok()?;
    Some(date.to_datetime(time))
}

/// `P1DT12H`, `P2W`: on the wall clock.
pub(super) fn length(line: &Line, text: &str) -> Result<SignedDuration, Fault> {
    let bad = || fault_at(line, format!("`{}` is not a length", cut(text)));
    let upper = text.trim().to_ascii_uppercase();
    let rest = upper.strip_prefix('+').unwrap_or(&upper).strip_prefix('P').ok_or_else(bad)?;
    let (mut seconds, mut number, mut in_time, mut any) = (0_i64, String::new(), false, false);
    for c in rest.chars() {
        let unit = match (c, in_time) {
            ('0'..='9', _) if number.len() < 9 => {
                number.push(c);
                continue;
            }
            ('T', false) if number.is_empty() => {
                in_time = true;
                continue;
            }
            ('W', false) => 7 * 86_400,
            ('D', false) => 86_400,
            ('H', true) => 3_600,
            ('M', true) => 60,
            ('S', true) => 1,
            _ => return Err(bad()),
        };
        let more = number.parse::<i64>().ok().and_then(|number| number.checked_mul(unit));
        seconds = more.and_then(|more| seconds.checked_add(more)).ok_or_else(bad)?;
        (number, any) = (String::new(), true);
    }
    if any && number.is_empty() { Ok(SignedDuration::from_secs(seconds)) } else { Err(bad()) }
}

/// What a text says, on one line, without what only a calendar means.
pub(super) fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n' | 'N') => out.push(' '),
                Some(other) if !other.is_control() => out.push(other),
                _ => {}
            },
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out.trim().chars().take(super::SAID_CHARS_MAX).collect()
}
