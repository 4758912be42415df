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

/// How long a turn of a rotation is, and whether whole days were written in hours. It is written
/// again as it was read, so that whoever judges it can say what `24h` means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Every {
    /// How long.
    pub length: Length,
    /// It was written `24h` or `48h`, which are read as days.
    pub days_in_hours: bool,
}

/// One hour, in milliseconds.
const HOUR_MS: u64 = 3_600_000;

impl From<Length> for Every {
    fn from(length: Length) -> Self {
        Self { length, days_in_hours: false }
    }
}

impl FromStr for Every {
    type Err = BadLength;
    fn from_str(text: &str) -> Result<Self, BadLength> {
        let length: Length = text.parse()?;
        let whole_days = !length.is_zero() && length.as_millis().is_multiple_of(24 * HOUR_MS);
        Ok(Self { length, days_in_hours: whole_days && text.contains('h') })
    }
}

impl fmt::Display for Every {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.days_in_hours { write!(f, "{}h", self.length.as_millis() / HOUR_MS) } else { self.length.fmt(f) }
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
            assert_eq!((every.to_string().as_str(), every.days_in_hours), (shown, in_hours), "{text}");
            assert_eq!(serde_json::from_value::<Every>(serde_json::to_value(every).unwrap()).unwrap(), every);
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
