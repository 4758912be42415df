//! Time as people read it: how long ago, how long until, and the exact civil time in a named zone.
//!
//! The instant "now" is handed in once per page, so that all of a page agrees with itself.

use allclear_domain::time::in_words;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Zoned};
use maud::{Markup, html};

/// The zone of people who named none.
const ZONE_DEFAULT: &str = "Etc/UTC";

/// Below this many seconds nobody counts.
const JUST_NOW_S: i64 = 5;

const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// One page's clock: its instant, and the reader's zone.
#[derive(Debug, Clone)]
pub(crate) struct When {
    pub now: Timestamp,
    zone: TimeZone,
    name: String,
}

impl When {
    /// For a reader in the zone of this IANA name; UTC where there is none or it is unknown.
    pub(crate) fn new(now: Timestamp, zone: Option<&str>) -> Self {
        let name = zone.unwrap_or(ZONE_DEFAULT);
        match TimeZone::get(name) {
            Ok(zone) => Self { now, zone, name: name.to_owned() },
            Err(_) => Self { now, zone: TimeZone::UTC, name: ZONE_DEFAULT.to_owned() },
        }
    }

    /// For the same reader, who reads what was then: what is due is counted from that instant.
    pub(crate) fn as_of(&self, at: Timestamp) -> Self {
        Self { now: at, ..self.clone() }
    }

    /// The name of the reader's zone, without the `Etc/` that says nothing.
    pub(crate) fn zone(&self) -> &str {
        self.name.strip_prefix("Etc/").unwrap_or(&self.name)
    }

    /// The IANA name of the reader's zone, as a form takes it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The reader's zone, for whoever writes times into lines.
    pub(crate) const fn tz(&self) -> &TimeZone {
        &self.zone
    }

    fn local(&self, at: Timestamp) -> Zoned {
        at.to_zoned(self.zone.clone())
    }

    /// `14:03:22`, with the day where it is not today's and the year where it is not this one's.
    pub(crate) fn exact(&self, at: Timestamp) -> String {
        let (local, now) = (self.local(at), self.local(self.now));
        let form = if local.date() == now.date() {
            "%H:%M:%S"
        } else if local.year() == now.year() {
            "%a %-d %b %H:%M:%S"
        } else {
            "%-d %b %Y %H:%M:%S"
        };
        local.strftime(form).to_string()
    }

    /// `14:03`, for hand-overs and other plans, with the day where it is not today's.
    pub(crate) fn minute(&self, at: Timestamp) -> String {
        let (local, now) = (self.local(at), self.local(self.now));
        let form = if local.date() == now.date() { "%H:%M" } else { "%a %-d %b %H:%M" };
        local.strftime(form).to_string()
    }

    /// `14:03`, beside a time that names the day.
    pub(crate) fn clock(&self, at: Timestamp) -> String {
        self.local(at).strftime("%H:%M").to_string()
    }

    /// A `<time>` that shows the exact time; pointing at it shows date and zone.
    pub(crate) fn stamp(&self, at: Timestamp) -> Markup {
        self.time(at, &self.exact(at))
    }

    /// A `<time>` with these words; pointing at it shows date, time and zone.
    pub(crate) fn time(&self, at: Timestamp, words: &str) -> Markup {
        html! { time datetime=(Instant(at)) title=(self.full(at)) { (words) } }
    }

    /// How long ago, in words: `12 min`.
    pub(crate) fn age(&self, at: Timestamp) -> String {
        age(self.now.duration_since(at))
    }

    /// How long ago, as part of a sentence: `12 min ago`.
    pub(crate) fn ago(&self, at: Timestamp) -> String {
        if self.now.duration_since(at).as_secs() < JUST_NOW_S { "just now".into() } else { format!("{} ago", self.age(at)) }
    }

    /// How long it has been so, as a `<time>` that goes on where scripts run.
    pub(crate) fn aging(&self, at: Timestamp) -> Markup {
        html! { time datetime=(Instant(at)) data-tick="age" title=(self.full(at)) { (self.age(at)) } }
    }

    /// A deadline as a `<time>` that counts down where scripts run, and shouts once it is late.
    pub(crate) fn counting(&self, due: Timestamp) -> Markup {
        let class = if self.is_late(due) { "due late" } else { "due" };
        html! { time class=(class) datetime=(Instant(due)) data-tick="due" title=(self.full(due)) { (self.due(due)) } }
    }

    /// `nobody for 9:12` as a `<time>` that counts up where scripts run, and shouts from an instant on.
    pub(crate) fn unanswered(&self, since: Timestamp, late_at: Timestamp) -> Markup {
        let class = if self.is_late(late_at) { "due late" } else { "due" };
        html! {
            time class=(class) datetime=(Instant(since)) data-tick="for" data-late=(Instant(late_at))
                title={ "since " (self.full(since)) } {
                "nobody for " (countdown(self.now.duration_since(since)))
            }
        }
    }

    /// `Sat 21 Nov 2026 14:03:22 Europe/Madrid`.
    pub(crate) fn full(&self, at: Timestamp) -> String {
        // By hand: a board says it two thousand times, and a format that is parsed each time shows.
        let (date, time) = (self.local(at).date(), self.local(at).time());
        let weekday = WEEKDAYS[usize::from(date.weekday().to_monday_zero_offset().unsigned_abs())];
        let month = MONTHS[usize::from(date.month().unsigned_abs()) - 1];
        let (hour, minute, second) = (time.hour(), time.minute(), time.second());
        format!("{weekday} {} {month} {} {hour:02}:{minute:02}:{second:02} {}", date.day(), date.year(), self.zone())
    }

    /// `14:03:22` alone: for a log that names its days between its lines and its zone at its head, so
    /// that two hundred lines need not repeat them.
    pub(crate) fn second(&self, at: Timestamp) -> Markup {
        let time = self.local(at).time();
        html! { time datetime=(Instant(at)) { (format_args!("{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second())) } }
    }

    /// The civil day in the reader's zone.
    pub(crate) fn day(&self, at: Timestamp) -> jiff::civil::Date {
        self.local(at).date()
    }

    /// `Today`, or `Fri 20 Nov`, with the year where it is not this one's.
    pub(crate) fn day_words(&self, day: jiff::civil::Date) -> String {
        let today = self.day(self.now);
        if day == today {
            return "Today".to_owned();
        }
        let form = if day.year() == today.year() { "%a %-d %b" } else { "%a %-d %b %Y" };
        day.strftime(form).to_string()
    }

    /// The instant at which a civil day begins here.
    pub(crate) fn begins(&self, day: jiff::civil::Date) -> Timestamp {
        day.to_zoned(self.zone.clone()).map_or(self.now, |zoned| zoned.timestamp())
    }

    /// What a `datetime-local` field says, read in the reader's zone.
    pub(crate) fn of_field(&self, text: &str) -> Option<Timestamp> {
        let civil: jiff::civil::DateTime = text.trim().parse().ok()?;
        civil.to_zoned(self.zone.clone()).ok().map(|zoned| zoned.timestamp())
    }

    /// What a `datetime-local` field is filled with.
    pub(crate) fn as_field(&self, at: Timestamp) -> String {
        self.local(at).strftime("%Y-%m-%dT%H:%M").to_string()
    }

    /// Whether it should have happened by now.
    pub(crate) fn is_late(&self, due: Timestamp) -> bool {
        due < self.now
    }

    /// How long until then: `3:10`.
    pub(crate) fn left(&self, due: Timestamp) -> String {
        countdown(due.duration_since(self.now))
    }

    /// `in 3:10`, or `late 0:40`.
    pub(crate) fn due(&self, due: Timestamp) -> String {
        let left = due.duration_since(self.now);
        if left.is_negative() { format!("late {}", countdown(-left)) } else { format!("in {}", countdown(left)) }
    }
}

/// An instant for `datetime`, to the second, as times are shown: HTML has no more than three digits of a
/// fraction, and nothing on a page is counted finer. The API has all of it.
struct Instant(Timestamp);

impl maud::Render for Instant {
    fn render_to(&self, out: &mut String) {
        use std::fmt::Write as _;
        // Writing to a text does not fail.
        let _ = write!(out, "{:.0}", self.0);
    }
}

/// A length in words, as everywhere.
pub(crate) fn age(length: SignedDuration) -> String {
    in_words(length, false)
}

/// A length that runs: `3:10` below an hour, else as [`age`].
fn countdown(length: SignedDuration) -> String {
    let seconds = length.as_secs().max(0);
    if seconds < 3600 { format!("{}:{:02}", seconds / 60, seconds % 60) } else { age(length) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn what_is_due_counts_down_and_what_is_late_counts_up() {
        let when = When::new(at("2026-03-01T12:00:00Z"), None);
        assert_eq!(when.due(at("2026-03-01T12:03:10Z")), "in 3:10");
        assert_eq!(when.due(at("2026-03-01T11:59:20Z")), "late 0:40");
        assert_eq!(when.due(at("2026-03-01T14:05:00Z")), "in 2 h 05 min");
        assert!(!when.is_late(when.now), "what is due now is not late yet");
    }

    #[test]
    fn the_reader_s_day_decides_whether_the_date_is_shown() {
        let when = When::new(at("2026-03-01T23:30:00Z"), Some("Europe/Madrid"));
        assert_eq!(when.exact(at("2026-03-01T23:10:00Z")), "00:10:00", "the same day in Madrid");
        assert_eq!(when.exact(at("2026-03-01T22:10:00Z")), "Sun 1 Mar 23:10:00");
        assert_eq!(when.exact(at("2025-12-31T22:10:00Z")), "31 Dec 2025 23:10:00");
        assert_eq!(
            when.stamp(at("2026-03-01T22:10:00.123456Z")).into_string(),
            r#"<time datetime="2026-03-01T22:10:00Z" title="Sun 1 Mar 2026 23:10:00 Europe/Madrid">Sun 1 Mar 23:10:00</time>"#
        );
        assert_eq!(When::new(when.now, Some("Mars/Olympus")).zone(), "UTC");
    }
}
