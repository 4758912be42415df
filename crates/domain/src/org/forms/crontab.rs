//! Times as crontab writes them, with a time zone behind: `30 2 * * 1-5 Europe/Madrid`. Reading and counting is the crate cronexpr's.

use cronexpr::{Crontab, FallbackTimezoneOption, MakeTimestamp, ParseOptions};
use jiff::Timestamp;

use crate::time::{Length, after};

/// Longest text, in bytes: each of the five fields as a list of all its values, and the longest name of a zone.
const CRON_LEN_MAX: usize = 512;
/// From here it is looked whether the times come often enough: behind a leap day, so that none is near.
const LOOKED_FROM: &str = "2025-01-01T00:00:00Z";
/// So many of its times are looked at.
const LOOKED_AT: usize = 4;

/// The times of an expression, in UTC where it names no zone.
///
/// # Errors
/// Why it does not read, in words.
fn read(text: &str) -> Result<Crontab, String> {
    if text.len() > CRON_LEN_MAX {
        return Err(format!("it has more than {CRON_LEN_MAX} bytes"));
    }
    let mut options = ParseOptions::default();
    options.fallback_timezone_option = FallbackTimezoneOption::UTC;
    cronexpr::parse_crontab_with(text.trim(), options).map_err(|error| {
        let error = error.to_string();
        // Behind a drawing of where it stands, which is for a terminal; of a zone an address follows that nobody needs.
        let why = error.rsplit("^ ").next().unwrap_or(&error);
        why.split(';').next().unwrap_or(why).to_owned()
    })
}

/// The first of its times after an instant; nothing where it does not read, or none comes within four years.
pub(super) fn next_after(text: &str, from: Timestamp) -> Option<Timestamp> {
    read(text).ok()?.find_next(MakeTimestamp(from)).ok().map(|at| at.timestamp())
}

/// Why an expression is none that somebody can wait for, where no more than this may lie between two of its times.
pub(super) fn fault(text: &str, longest: Length) -> Option<String> {
    let times = match read(text) {
        Ok(times) => times,
        Err(why) => return Some(why),
    };
    let mut last: Timestamp = LOOKED_FROM.parse().ok()?;
    for _ in 0..LOOKED_AT {
        let Ok(next) = times.find_next(MakeTimestamp(last)) else {
            return Some("none of its times ever comes".to_owned());
        };
        let next = next.timestamp();
        if next > after(last, longest) {
            return Some(format!("more than {longest} may lie between two of its times"));
        }
        last = next;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONGEST: Length = Length::from_secs(100 * 86_400);

    fn next(text: &str, from: &str) -> String {
        next_after(text, from.parse().unwrap()).unwrap().to_string()
    }

    #[test]
    fn times_are_those_of_the_zone_that_is_named() {
        assert_eq!(next("30 2 * * *", "2026-01-05T02:29:59.9Z"), "2026-01-05T02:30:00Z");
        assert_eq!(next("30 2 * * *", "2026-01-05T02:30:00Z"), "2026-01-06T02:30:00Z", "the time itself is over");
        assert_eq!(next("30 2 * * 1-5 Europe/Madrid", "2026-01-02T12:00:00Z"), "2026-01-05T01:30:00Z", "a Monday, in winter");
        assert_eq!(next("30 2 * * MON Europe/Madrid", "2026-07-01T12:00:00Z"), "2026-07-06T00:30:00Z", "and in summer");
    }

    #[test]
    fn a_change_of_clocks_leaves_out_a_time_or_has_it_twice_and_never_sticks() {
        // 2026-03-29, 02:00 to 03:00 is not there in Madrid; 2026-10-25, 02:00 to 03:00 comes twice.
        assert_eq!(next("30 2 * * * Europe/Madrid", "2026-03-28T12:00:00Z"), "2026-03-30T00:30:00Z");
        assert_eq!(next("0 3 * * * Europe/Madrid", "2026-03-28T12:00:00Z"), "2026-03-29T01:00:00Z");
        let first = next("30 2 * * * Europe/Madrid", "2026-10-24T12:00:00Z");
        assert_eq!(first, "2026-10-25T00:30:00Z");
        assert!(next("30 2 * * * Europe/Madrid", &first) > first);
    }

    #[test]
    fn what_nobody_can_wait_for_is_refused_with_the_reason() {
        for (text, says) in [
            ("", "."),
            ("every day", "."),
            ("61 * * * *", "range 0..=59"),
            ("* * * *", "."),
            ("0 3 * * * Mars/Base", "Mars/Base"),
            ("0 0 30 2 *", "ever comes"),
            ("0 0 1 1 *", "between two"),
            ("0 0 29 2 *", "between two"),
            ("H 3 * * *", "."),
            ("@daily", "."),
            ("🚒 * * * *", "."),
            (&"1,".repeat(300), "512 bytes"),
        ] {
            let why = fault(text, LONGEST).unwrap_or_else(|| panic!("{text} is taken"));
            assert!((says == "." && !why.is_empty()) || why.contains(says), "{text}: {why}");
            assert!(!why.contains('\n') && !why.contains("http"), "{text}: {why}");
        }
        for good in ["* * * * *", "*/5 8-18 * * 1-5 Asia/Kathmandu", "0 4 1 * *", "0 6 * * MON#1", "0 0 L * *"] {
            assert_eq!(fault(good, LONGEST), None, "{good}");
        }
    }
}
