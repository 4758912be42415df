//! Calendars as others publish them (iCalendar, RFC 5545): their events, and when these take place.
//!
//! Read for the sake of who is on call, so that an hour that a calendar means is never lost silently: what cannot be read of an event
//! is a [`Fault`] that names it, and all others stand. A text that is torn is refused whole, since what is missing of it is not known.
//!
//! Invariants:
//! - Whatever the text, reading and asking cost no more than the bounds below, and what a bound cuts off is said.
//! - Times are civil times of the event's zone, by its name in the IANA database; what a calendar says itself of a zone's offsets is
//!   used only where that is one offset. Times without a zone, and whole days, are of the zone that the reader gives.
//! - Lengths are counted on the wall clock, so that an event from 20:00 to 08:00 meets the one from 08:00 in the night in which clocks
//!   change too; RFC 5545 would have elapsed time for `DTEND`, and programs do not do it. A start that clocks skip is read with
//!   the offset before the change, and takes place, where the RFC would pass it over.
//!
//! Deliberately not here: who is meant by an event ([`crate::oncall`]), to-dos, journals, alarms, and rules by week number, by day of
//! the year or by less than an hour, which are refused event by event.

mod budget;
mod lines;
mod rule;
mod series;
#[cfg(test)]
mod tests;
mod value;
mod zones;

use std::collections::HashMap;

use jiff::tz::TimeZone;

pub use self::budget::Budget;
use self::lines::{Component, Line};
pub use self::series::{Attendee, Event, Occurrence, Series};

/// Longest text, in bytes: a calendar of a company's rota over some years has about 300 KiB.
pub const TEXT_BYTES_MAX: usize = 1024 * 1024;
/// Most events: ten years of a rota with a change each day, and as many exceptions.
pub const EVENTS_MAX: usize = 5_000;
/// Most faults that are kept; more are counted.
pub const FAULTS_MAX: usize = 20;
/// Longest event: a year that one person is on call.
pub const EVENT_DAYS_MAX: i64 = 366;
/// Most characters that are kept of a summary or an address.
pub const SAID_CHARS_MAX: usize = 200;

/// A calendar, read for a zone.
#[derive(Debug, Clone, Default)]
pub struct Calendar {
    /// By their identifiers; an event that has none is a series of its own.
    pub series: Vec<Series>,
    /// What could not be read, the first of it.
    pub faults: Vec<Fault>,
    /// How much could not be read at all.
    pub faults_count: usize,
}

/// What cannot be read of one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Of the text, from 1.
    pub line: usize,
    /// What the event is called; empty where it says nothing.
    pub summary: String,
    /// In a sentence without a full stop.
    pub message: String,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { line, summary, message } = self;
        if summary.is_empty() { write!(f, "line {line}: {message}") } else { write!(f, "line {line}, \"{summary}\": {message}") }
    }
}

/// Why a text is no calendar, in a sentence without a full stop.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(pub String);

impl Calendar {
    /// Reads a text. `home` is the zone of times that name none.
    ///
    /// # Errors
    /// Where it is torn, is no calendar, or is more than the bounds allow.
    ///
    /// ```
    /// use allclear_domain::ical::Calendar;
    /// let text = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20260105T090000Z\nDURATION:PT8H\nSUMMARY:Ana\nEND:VEVENT\nEND:VCALENDAR";
    /// let calendar = Calendar::read(text, &jiff::tz::TimeZone::UTC).unwrap();
    /// assert_eq!((calendar.series.len(), calendar.faults.len()), (1, 0));
    /// ```
    pub fn read(text: &str, home: &TimeZone) -> Result<Self, Unreadable> {
        let components = lines::components(text)?;
        let zones = zones::Zones::of(&components, home);
        let mut out = Self::default();
        let mut by_uid: HashMap<String, usize> = HashMap::new();
        for component in components.iter().filter(|component| component.name == "VEVENT") {
            let (uid, event) = match Event::read(component, &zones) {
                Ok(read) => read,
                Err(fault) => {
                    out.fault(fault);
                    continue;
                }
            };
            match uid.as_ref().and_then(|uid| by_uid.get(uid)) {
                Some(at) => out.series[*at].take(event),
                None => {
                    by_uid.extend(uid.map(|uid| (uid, out.series.len())));
                    out.series.push(Series::of(event));
                }
            }
        }
        let mut budget = Budget::of_counts();
        for at in 0..out.series.len() {
            for fault in out.series[at].settle(&mut budget) {
                out.fault(fault);
            }
        }
        Ok(out)
    }

    fn fault(&mut self, fault: Fault) {
        self.faults_count += 1;
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(fault);
        }
    }

    /// Whether it has no event that takes place at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.series.iter().all(Series::is_empty)
    }
}

/// What is kept of a text: events, with what of them is read here, and what zones are called. Two texts that mean the same are alike,
/// whatever else of them was written anew, and what nobody on call needs, as descriptions, is not kept.
///
/// # Errors
/// As for [`Calendar::read`].
pub fn reduced(text: &str) -> Result<String, Unreadable> {
    const KEPT: [&str; 13] = [
        "UID",
        "DTSTART",
        "DTEND",
        "DURATION",
        "RRULE",
        "RDATE",
        "EXDATE",
        "RECURRENCE-ID",
        "STATUS",
        "SEQUENCE",
        "SUMMARY",
        "ATTENDEE",
        "EXRULE",
    ];
    const KEPT_OF_ZONES: [&str; 3] = ["TZID", "X-LIC-LOCATION", "TZOFFSETTO"];
    let mut out = String::from("BEGIN:VCALENDAR\n");
    let mut put = |component: &Component, kept: &[&str]| {
        out.push_str("BEGIN:");
        out.push_str(&component.name);
        out.push('\n');
        for line in component.lines.iter().filter(|line| kept.contains(&line.name.as_str())) {
            out.push_str(&line.text);
            out.push('\n');
        }
        for inner in &component.inner {
            out.push_str(&format!("BEGIN:{0}\n", inner.name));
            for line in inner.lines.iter().filter(|line| kept.contains(&line.name.as_str())) {
                out.push_str(&line.text);
                out.push('\n');
            }
            out.push_str(&format!("END:{0}\n", inner.name));
        }
        out.push_str(&format!("END:{}\n", component.name));
    };
    for component in lines::components(text)? {
        match component.name.as_str() {
            "VTIMEZONE" => put(&component, &KEPT_OF_ZONES),
            "VEVENT" => put(&Component { inner: Vec::new(), ..component }, &KEPT),
            _ => {}
        }
    }
    out.push_str("END:VCALENDAR\n");
    Ok(out)
}

/// A fault of an event, at a line.
fn fault_at(line: &Line, message: String) -> Fault {
    Fault { line: line.at, summary: String::new(), message }
}

/// So much of what somebody wrote as fits in a sentence.
fn cut(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(64).collect()
}
