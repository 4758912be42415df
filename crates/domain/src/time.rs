//! Time as a value: instants to the microsecond, lengths as people write them (`5m`, `1w`).

use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Microseconds since 1970, as stored. An instant is truncated to this on entry, so that what is
/// read back equals what was written.
#[must_use]
pub fn to_micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

/// The instant of stored microseconds; the range ends of [`Timestamp`] where they are beyond it.
#[must_use]
pub fn from_micros(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(if micros < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

/// The instant cut to whole microseconds.
#[must_use]
pub fn whole_micros(at: Timestamp) -> Timestamp {
    from_micros(to_micros(at))
}

/// The first instant that is taken for one of ours: 1990, before anything that people watch today; an earlier one is a slip
/// of the hand, or a zero that somebody's program sent.
pub const EARLIEST: Timestamp = Timestamp::constant(631_152_000, 0);

/// What the reader of dates says in its own words where it cannot read one, and nobody else says.
const OF_READER: [&str; 14] = [
    "failed to parse",
    "failed to find time",
    "failed to find offset",
    "expected `",
    "expected one digit",
    "expected two digit",
    "expected four digit",
    "expected six digit",
    "expected UTC",
    "expected no separator",
    "no time component",
    "parsed date",
    "parsed value",
    "year zero",
];
/// What works wherever a day or an instant is asked for.
pub const DATE_HINT: &str = "a day is written as in 2026-03-01, an instant as in 2026-03-01T09:00:00Z";

/// What a reader of JSON says where a sign is missing: of no date, though it begins as a complaint of one does.
const OF_JSON: [&str; 5] = ["expected `:`", "expected `,`", "expected `\"`", "expected `]`", "expected `}`"];

/// A complaint of a reader about a date or an instant, in our words; what stands before it, as the field's name, stays. Nothing
/// where it is about something else.
#[must_use]
pub fn unread(words: &str) -> Option<String> {
    let at = OF_READER.iter().filter_map(|of_reader| words.find(of_reader)).min()?;
    if OF_JSON.iter().any(|of_json| words[at..].starts_with(of_json)) {
        return None;
    }
    let before = words[..at].trim_end().trim_end_matches(|c: char| !matches!(c, ':' | ' ') && !c.is_alphanumeric()).trim_end();
    let before = if before.is_empty() { String::new() } else { format!("{before} ") };
    Some(format!("{before}this is no date or time that can be read; {DATE_HINT}"))
}

/// A day as somebody types it.
///
/// # Errors
/// In words: what it is, and what would work.
pub fn day(text: &str) -> Result<jiff::civil::Date, String> {
    text.trim().parse().map_err(|_| format!("this is no day; {DATE_HINT}"))
}

/// An instant as somebody types it.
///
/// # Errors
/// In words: what it is, and what would work.
pub fn instant(text: &str) -> Result<Timestamp, String> {
    text.trim().parse().map_err(|_| format!("this is no instant; {DATE_HINT}"))
}

/// `at + length`, held at the end of time where it would overflow.
#[must_use]
pub fn after(at: Timestamp, length: Length) -> Timestamp {
    at.checked_add(length.as_duration()).unwrap_or(Timestamp::MAX)
}

/// `at - length`, held at the beginning of time.
#[must_use]
pub fn before(at: Timestamp, length: Length) -> Timestamp {
    at.checked_sub(length.as_duration()).unwrap_or(Timestamp::MIN)
}

/// How long something took or will take, in words, the same wherever it is read: in at most two units, `47 s`, `12 min`,
/// `2 h 05 min`, `3 d 4 h`; below ten minutes with its seconds, `4 min 05 s`, where `exact` asks for them. None is negative.
#[must_use]
pub fn in_words(length: SignedDuration, exact: bool) -> String {
    /// From here on seconds say nothing.
    const EXACT_BELOW_MIN: i64 = 10;
    let seconds = length.as_secs().max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match () {
        () if minutes == 0 => format!("{seconds} s"),
        () if exact && minutes < EXACT_BELOW_MIN => format!("{minutes} min {:02} s", seconds % 60),
        () if hours == 0 => format!("{minutes} min"),
        () if days == 0 => format!("{hours} h {:02} min", minutes % 60),
        () => format!("{days} d {} h", hours % 24),
    }
}

/// A length of time of at least zero, written `90s`, `5m`, `1h30m`, `2d`, `1w`.
///
/// Days and weeks are 24 h and 7 × 24 h here; where the civil calendar matters (rotations), the
/// user of the length says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Length {
    millis: u64,
}

/// Ten years: longer lengths are mistakes.
const LENGTH_MAX_MS: u64 = 10 * 366 * 86_400 * 1000;

/// Why a text is not a length.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not a length of time; write a number and a unit, as in `90s`, `5m`, `1h30m`, `2d`, `1w` (at most ten years)")]
pub struct BadLength {
    /// What was given, cut at 64 characters.
    pub given: String,
}

impl Length {
    /// No time at all.
    pub const ZERO: Self = Self { millis: 0 };

    /// A length of whole seconds.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self { millis: secs * 1000 }
    }
    /// A length of whole minutes.
    #[must_use]
    pub const fn from_mins(mins: u64) -> Self {
        Self::from_secs(mins * 60)
    }
    /// From one instant to a later one, to the next whole millisecond, so that nothing is due early;
    /// none where it is not later.
    #[must_use]
    pub fn between(from: Timestamp, to: Timestamp) -> Self {
        let micros = u64::try_from(to.duration_since(from).as_micros()).unwrap_or(0);
        Self { millis: micros.div_ceil(1000) }
    }
    /// A length of milliseconds.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self { millis }
    }
    /// In milliseconds.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.millis
    }
    /// In whole seconds.
    #[must_use]
    pub const fn as_secs(self) -> u64 {
        self.millis / 1000
    }
    /// As a jiff duration.
    #[must_use]
    pub fn as_duration(self) -> SignedDuration {
        SignedDuration::from_millis(i64::try_from(self.millis).unwrap_or(i64::MAX))
    }
    /// As people read it, where it is what was left or what went by: `1 min 51 s`, `5 min`. What somebody wrote is shown as they
    /// wrote it.
    #[must_use]
    pub fn in_words(self) -> String {
        in_words(self.as_duration(), !self.as_secs().is_multiple_of(60))
    }
    /// Whether it is no time at all.
    #[must_use]
    pub const fn is_zero(&self) -> bool {
        self.millis == 0
    }
}

impl FromStr for Length {
    type Err = BadLength;
    fn from_str(text: &str) -> Result<Self, BadLength> {
        let bad = || BadLength { given: text.chars().take(64).collect() };
        let mut rest = text.trim();
        if rest == "0" {
            return Ok(Self::ZERO);
        }
        let mut millis: u64 = 0;
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(bad)?;
            let number: u64 = rest[..digits].parse().map_err(|_| bad())?;
            rest = &rest[digits..];
            let unit = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
            let unit_ms = match &rest[..unit] {
                "ms" => 1,
                "s" => 1000,
                "m" | "min" => 60_000,
                "h" => 3_600_000,
                "d" => 86_400_000,
                "w" => 7 * 86_400_000,
                _ => return Err(bad()),
            };
            rest = rest[unit..].trim_start();
            millis = number.checked_mul(unit_ms).and_then(|ms| ms.checked_add(millis)).ok_or_else(bad)?;
        }
        if text.trim().is_empty() || millis > LENGTH_MAX_MS {
            return Err(bad());
        }
        Ok(Self { millis })
    }
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.millis == 0 {
            return f.write_str("0s");
        }
        let mut rest = self.millis;
        for (unit, ms) in [("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)] {
            if rest >= ms {
                write!(f, "{}{unit}", rest / ms)?;
                rest %= ms;
            }
        }
        Ok(())
    }
}

impl Serialize for Length {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Length {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// How long a turn of a rotation is. It is written again as it was read, so that whoever judges it can say what `24h` means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Every {
    /// `1w`, `2d`, `12h`.
    Length {
        /// How long.
        length: Length,
        /// It was written `24h` or `48h`, which are read as days.
        days_in_hours: bool,
    },
    /// `1mo`: months of the calendar, whatever their lengths.
    Months(u32),
    /// `5wd`: working days, which are counted as a calendar has them open.
    WorkingDays(u32),
}

/// One hour, in milliseconds.
const HOUR_MS: u64 = 3_600_000;
/// Most months of a turn: ten years, as of a length.
const TURN_MONTHS_MAX: u32 = 10 * 12;
/// Most working days of a turn: ten years of five a week.
const TURN_WORKING_DAYS_MAX: u32 = 10 * 261;

impl Every {
    /// Its length, where it is one.
    #[must_use]
    pub const fn length(self) -> Option<Length> {
        match self {
            Self::Length { length, .. } => Some(length),
            Self::Months(_) | Self::WorkingDays(_) => None,
        }
    }
}

impl From<Length> for Every {
    fn from(length: Length) -> Self {
        Self::Length { length, days_in_hours: false }
    }
}

impl FromStr for Every {
    type Err = BadLength;
    fn from_str(text: &str) -> Result<Self, BadLength> {
        let bad = || BadLength { given: text.chars().take(64).collect() };
        let count = |digits: &str, most: u32| {
            let digits = digits.trim_end();
            let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            plain.then(|| digits.parse::<u32>().ok()).flatten().filter(|count| *count <= most).ok_or_else(bad)
        };
        if let Some(digits) = text.trim().strip_suffix("mo") {
            return count(digits, TURN_MONTHS_MAX).map(Self::Months);
        }
        if let Some(digits) = text.trim().strip_suffix("wd") {
            return count(digits, TURN_WORKING_DAYS_MAX).map(Self::WorkingDays);
        }
        let length: Length = text.parse()?;
        let whole_days = !length.is_zero() && length.as_millis().is_multiple_of(24 * HOUR_MS);
        Ok(Self::Length { length, days_in_hours: whole_days && text.contains('h') })
    }
}

impl fmt::Display for Every {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { length, days_in_hours: true } => write!(f, "{}h", length.as_millis() / HOUR_MS),
            Self::Length { length, days_in_hours: false } => length.fmt(f),
            Self::Months(count) => write!(f, "{count}mo"),
            Self::WorkingDays(count) => write!(f, "{count}wd"),
        }
    }
}

impl Serialize for Every {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Every {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A length that may be turned off: `never` is kept as no time at all.
pub mod or_never {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use super::Length;

    /// As people write it.
    pub const NEVER: &str = "never";

    /// # Errors
    /// Where the serializer has one.
    #[allow(clippy::ref_option, clippy::missing_errors_doc)] // serde hands a reference
    pub fn serialize<S: Serializer>(length: &Option<Length>, s: S) -> Result<S::Ok, S::Error> {
        match length {
            Some(length) if length.is_zero() => s.serialize_str(NEVER),
            Some(length) => s.collect_str(length),
            None => s.serialize_none(),
        }
    }

    /// # Errors
    /// Where it is neither a length nor `never`.
    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Length>, D::Error> {
        let Some(text) = Option::<String>::deserialize(d)? else { return Ok(None) };
        if text.trim().eq_ignore_ascii_case(NEVER) {
            return Ok(Some(Length::ZERO));
        }
        text.parse().map(Some).map_err(|bad: super::BadLength| D::Error::custom(format!("{bad}, or `never`")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_the_reader_of_dates_says_is_said_in_our_words() {
        for text in [
            "",
            "soon",
            "2026",
            "2026-",
            "2026-1-1",
            "2026-13-01",
            "2026-02-30",
            "2026-03-01x",
            "01.03.2026",
            "20260301T",
            "2026-03-01T",
            "2026-03-01T9",
            "2026-03-01T25:00:00Z",
            "2026-03-01T09:00:00",
            "2026-03-01T09:00:00+",
            "2026-03-01T09:61Z",
            "-1",
            "9999999-01-01",
        ] {
            for (what, why) in [("day", text.parse::<jiff::civil::Date>().err()), ("instant", text.parse::<Timestamp>().err())] {
                let Some(why) = why else { continue };
                let said = unread(&format!("due_on: {why} at line 1 column 9"));
                assert!(said.is_some_and(|said| said.starts_with("due_on: this is no date")), "{what} {text:?}: {why}");
            }
        }
        assert_eq!(unread("title: invalid type: integer `7`, expected a string"), None);
    }

    #[test]
    fn days_that_are_written_in_hours_are_told_apart_and_kept() {
        for (text, shown, in_hours) in [
            ("24h", "24h", true),
            ("48h", "48h", true),
            ("1d", "1d", false),
            ("1d24h", "48h", true),
            ("12h", "12h", false),
            ("7d", "1w", false),
        ] {
            let every: Every = text.parse().unwrap();
            let days_in_hours = matches!(every, Every::Length { days_in_hours: true, .. });
            assert_eq!((every.to_string().as_str(), days_in_hours), (shown, in_hours), "{text}");
            assert_eq!(serde_json::from_value::<Every>(serde_json::to_value(every).unwrap()).unwrap(), every);
        }
        for (text, every) in [("1mo", Every::Months(1)), ("3 mo", Every::Months(3)), ("5wd", Every::WorkingDays(5))] {
            assert_eq!(text.parse::<Every>().unwrap(), every);
            assert_eq!(every.to_string().parse::<Every>().unwrap(), every);
        }
        for text in ["mo", "wd", "1.5mo", "-1wd", "121mo", "2611wd", "1w1mo", "1mo2d", "99999999999mo"] {
            assert!(text.parse::<Every>().is_err(), "{text}");
        }
    }

    #[test]
    fn lengths_are_said_in_two_units_and_never_negative() {
        for (seconds, words) in [(-5, "0 s"), (59, "59 s"), (60, "1 min"), (3599, "59 min"), (7500, "2 h 05 min"), (90_000, "1 d 1 h")] {
            assert_eq!(in_words(SignedDuration::from_secs(seconds), false), words);
        }
        for (seconds, words) in [(59, "59 s"), (245, "4 min 05 s"), (600, "10 min")] {
            assert_eq!(in_words(SignedDuration::from_secs(seconds), true), words);
        }
    }

    #[test]
    fn lengths_read_as_people_write_them() {
        for (text, secs) in
            [("90s", 90), ("5m", 300), ("1h30m", 5400), ("1h 30m", 5400), ("2d", 172_800), ("1w", 604_800), ("0", 0), ("0s", 0)]
        {
            let length: Length = text.parse().unwrap();
            assert_eq!(length.as_secs(), secs, "{text}");
            assert_eq!(length.to_string().parse::<Length>().unwrap(), length);
        }
        for text in ["", "5", "m", "5 parsecs", "-5m", "99999999999999999999w", "20000d"] {
            assert!(text.parse::<Length>().is_err(), "{text}");
        }
    }
}
