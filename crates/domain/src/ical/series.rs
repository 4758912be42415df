//! Events of one identifier together: the one that comes back, and what was said of single times of it. When they take place.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::budget::Budget;
use super::lines::{Component, Line};
use super::rule::{Rule, Until};
use super::value::{self, End, When};
use super::zones::Zones;
use super::{EVENT_DAYS_MAX, Fault, SAID_CHARS_MAX, fault_at};

/// Most times of a rule that ends after a number of them: hours of more than a year.
const COUNT_MAX: u32 = 10_000;
/// Most people of one event.
const ATTENDEES_MAX: usize = 50;
/// By so much an end may lie from where the wall clock has it: the widest change of an offset that there was.
const OFFSETS: SignedDuration = SignedDuration::from_hours(48);

/// Whom an event invites.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attendee {
    /// The address, in lower case; empty where there is none.
    pub mail: String,
}

/// An event, or what is said of one time of it.
#[derive(Debug, Clone)]
pub struct Event {
    /// Of the text, from 1.
    pub line: usize,
    /// What it is called.
    pub summary: String,
    /// Whom it invites; rooms and devices are nobody.
    pub attendees: Vec<Attendee>,
    start: When,
    /// On the wall clock.
    length: SignedDuration,
    rules: Vec<Rule>,
    /// Further times, some with a length of their own.
    more: Vec<(When, Option<SignedDuration>)>,
    /// Times that do not take place, and days of which none does.
    except: BTreeSet<Timestamp>,
    except_days: BTreeSet<Date>,
    /// The time of which it says something else.
    instead_of: Option<When>,
    is_cancelled: bool,
    sequence: i64,
    /// Of a rule that ends after a number of times, all of them.
    counted: Vec<DateTime>,
}

/// An event takes place.
#[derive(Debug, Clone, Copy)]
pub struct Occurrence<'a> {
    /// From, inclusive.
    pub starts_at: Timestamp,
    /// To, exclusive; later.
    pub ends_at: Timestamp,
    /// What it is.
    pub event: &'a Event,
}

impl Event {
    /// Reads an event; with its identifier.
    pub(super) fn read(component: &Component, zones: &Zones) -> Result<(Option<String>, Self), Fault> {
        let line = |name: &str| component.lines.iter().find(|line| line.name == name);
        let summary = line("SUMMARY").map_or_else(String::new, |line| value::unescaped(&line.value));
        let read = Self::parts(component, zones, &summary).map_err(|fault| Fault { summary, ..fault })?;
        Ok((line("UID").map(|line| line.value.trim().to_owned()).filter(|uid| !uid.is_empty()), read))
    }

    fn parts(component: &Component, zones: &Zones, summary: &str) -> Result<Self, Fault> {
        let line = |name: &str| component.lines.iter().find(|line| line.name == name);
        let of_all = |name: &'static str| component.lines.iter().filter(move |line| line.name == name);
        let start_line = line("DTSTART").ok_or_else(|| Fault {
            line: component.at,
            summary: String::new(),
            message: "the event does not say when it begins".into(),
        })?;
        let start = value::when(start_line, zones)?;
        let is_cancelled = line("STATUS").is_some_and(|line| line.value.trim().eq_ignore_ascii_case("CANCELLED"));
        let instead_of = line("RECURRENCE-ID").map(|line| read_instead(line, zones)).transpose()?;
        let length = match (line("DTEND"), line("DURATION")) {
            (Some(line), _) => between(&start, &value::when(line, zones)?),
            (None, Some(line)) => value::length(line, &line.value)?,
            (None, None) if start.is_date => SignedDuration::from_hours(24),
            (None, None) => SignedDuration::ZERO,
        };
        // One that is called off needs no length.
        if !is_cancelled && length <= SignedDuration::ZERO {
            return Err(fault_at(start_line, "the event has no end, or none after its begin".to_owned()));
        }
        if length.as_hours() > EVENT_DAYS_MAX * 24 {
            return Err(fault_at(start_line, format!("the event lasts longer than {EVENT_DAYS_MAX} days")));
        }
        if let Some(line) = line("EXRULE") {
            return Err(fault_at(line, "`EXRULE` is not read".to_owned()));
        }
        let rules = of_all("RRULE").map(|line| Rule::read(line).map_err(|why| fault_at(line, why))).collect::<Result<Vec<_>, _>>()?;
        let mut more = Vec::new();
        for line in of_all("RDATE") {
            for (at, end) in value::several(line, zones)? {
                let length = end.map(|end| match end {
                    End::At(end) => between(&at, &end),
                    End::After(length) => length,
                });
                let too_long = |length: &SignedDuration| *length <= SignedDuration::ZERO || length.as_hours() > EVENT_DAYS_MAX * 24;
                if length.as_ref().is_some_and(too_long) {
                    return Err(fault_at(line, "a period of `RDATE` ends before it begins, or lasts too long".to_owned()));
                }
                more.push((in_zone(&at, &start), length));
            }
        }
        let (mut except, mut except_days) = (BTreeSet::new(), BTreeSet::new());
        for line in of_all("EXDATE") {
            for (at, _) in value::several(line, zones)? {
                let _ = if at.is_date { except_days.insert(at.civil.date()) } else { except.insert(at.instant()) };
            }
        }
        if more.len() > value::DATES_MAX || except.len() + except_days.len() > value::DATES_MAX {
            return Err(fault_at(start_line, format!("the event has more than {} dates of its own", value::DATES_MAX)));
        }
        let attendees = of_all("ATTENDEE").filter(|line| is_somebody(line)).take(ATTENDEES_MAX).map(attendee).collect();
        let sequence = line("SEQUENCE").and_then(|line| line.value.trim().parse().ok()).unwrap_or(0);
        let summary = summary.to_owned();
        let line = component.at;
        Ok(Self {
            line,
            summary,
            attendees,
            start,
            length,
            rules,
            more,
            except,
            except_days,
            instead_of,
            is_cancelled,
            sequence,
            counted: Vec::new(),
        })
    }

    /// Whether it is of whole days.
    #[must_use]
    pub fn is_whole_days(&self) -> bool {
        self.start.is_date
    }

    fn longest(&self) -> SignedDuration {
        self.more.iter().filter_map(|(_, length)| *length).chain([self.length]).max().unwrap_or(self.length)
    }

    fn at(&self, civil: DateTime, length: SignedDuration) -> (Timestamp, Timestamp) {
        if crate::plants::planted("lengths-elapse") {
            let starts = value::instant(&self.start.zone, civil);
            return (starts, starts.saturating_add(length).unwrap_or(starts));
        }
        let ends = civil.checked_add(length).map_or(Timestamp::MAX, |end| value::instant(&self.start.zone, end));
        (value::instant(&self.start.zone, civil), ends)
    }
}

/// How long it is from one to the other on the wall clock of the first.
fn between(start: &When, end: &When) -> SignedDuration {
    let end = if end.zone == start.zone || end.is_date { end.civil } else { start.zone.to_datetime(end.instant()) };
    end.duration_since(start.civil)
}

/// A further time on the wall clock of the event's zone; a day has the event's time of day.
fn in_zone(at: &When, start: &When) -> When {
    let civil = match (at.is_date, start.is_date) {
        (true, false) => at.civil.date().to_datetime(start.civil.time()),
        (true, true) => at.civil,
        (false, _) if at.zone == start.zone => at.civil,
        (false, _) => start.zone.to_datetime(at.instant()),
    };
    When { civil, zone: start.zone.clone(), is_date: start.is_date }
}

fn read_instead(line: &Line, zones: &Zones) -> Result<When, Fault> {
    if line.param("RANGE").is_some() {
        return Err(fault_at(line, "a change of one time and all that follow (`RANGE`) is not read".to_owned()));
    }
    value::when(line, zones)
}

fn is_somebody(line: &Line) -> bool {
    !line.param("CUTYPE").is_some_and(|kind| ["ROOM", "RESOURCE"].iter().any(|thing| kind.eq_ignore_ascii_case(thing)))
}

fn attendee(line: &Line) -> Attendee {
    let value = line.value.trim();
    let address = value.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("mailto:")).and_then(|_| value.get(7..));
    // Exchange writes the address beside what is none.
    let mail = address.or_else(|| line.param("EMAIL")).unwrap_or(value);
    Attendee { mail: mail.trim().chars().filter(|c| !c.is_control()).take(SAID_CHARS_MAX).collect::<String>().to_lowercase() }
}

/// Events of one identifier.
#[derive(Debug, Clone)]
pub struct Series {
    events: Vec<Event>,
    /// Of those that come back, which times something else is said of; in days, where days are said.
    said: BTreeSet<Timestamp>,
    said_days: BTreeSet<Date>,
}

impl Series {
    pub(super) fn of(event: Event) -> Self {
        Self { events: vec![event], said: BTreeSet::new(), said_days: BTreeSet::new() }
    }

    pub(super) fn take(&mut self, event: Event) {
        self.events.push(event);
    }

    /// Its events.
    pub fn events(&self) -> impl Iterator<Item = &Event> {
        self.events.iter().filter(|event| !event.is_cancelled)
    }

    /// Whether none of it takes place.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events().next().is_none()
    }

    /// Of what was said several times of one, what was said last counts; rules that end after a number of times are walked.
    pub(super) fn settle(&mut self, budget: &mut Budget) -> Vec<Fault> {
        let mut kept: BTreeMap<(Option<Timestamp>, Option<DateTime>), Event> = BTreeMap::new();
        let newest = self.events.iter().filter(|event| event.instead_of.is_none()).map(|event| event.sequence).max();
        let mut faults = Vec::new();
        for event in std::mem::take(&mut self.events) {
            let key = match &event.instead_of {
                Some(at) => (Some(at.instant()), None),
                // Some programs give every event one identifier: what begins at another time is another event.
                None if Some(event.sequence) == newest => (None, Some(event.start.civil)),
                None => {
                    // Programs that give all events one identifier count the changes of each: what is left out is told.
                    if !event.is_cancelled {
                        let message = "another event has its identifier and a later `SEQUENCE`, so that this one does not count".to_owned();
                        faults.push(Fault { line: event.line, summary: event.summary.clone(), message });
                    }
                    continue;
                }
            };
            match kept.get(&key) {
                Some(other) if other.sequence > event.sequence => {}
                _ => drop(kept.insert(key, event)),
            }
        }
        self.events = kept.into_values().collect();
        // In the order of the text.
        self.events.sort_by_key(|event| event.line);
        for at in self.events.iter().filter_map(|event| event.instead_of.as_ref()) {
            if at.is_date {
                self.said_days.insert(at.civil.date());
            } else {
                self.said.insert(at.instant());
            }
        }
        for event in &mut self.events {
            let counts: Vec<(Rule, u32)> = event
                .rules
                .iter()
                .filter_map(|rule| if let Until::Count(n) = rule.until { Some((rule.clone(), n)) } else { None })
                .collect();
            for (rule, count) in counts {
                let (times, all) = rule.first(event.start.civil, count.min(COUNT_MAX) as usize, budget);
                if !all || count > COUNT_MAX {
                    let last = times.last().map_or_else(String::new, |last| format!(": the last that is read is on {}", last.date()));
                    let message = format!("its rule has more times than are read{last}");
                    faults.push(Fault { line: event.line, summary: event.summary.clone(), message });
                }
                event.counted.extend(times);
            }
        }
        faults
    }

    /// When it takes place between two instants, in no order.
    pub fn between<'a>(&'a self, from: Timestamp, to: Timestamp, budget: &mut Budget, out: &mut Vec<Occurrence<'a>>) {
        for event in self.events() {
            let mut put = |(starts_at, ends_at): (Timestamp, Timestamp), budget: &mut Budget| {
                if starts_at < to && from < ends_at && starts_at < ends_at && budget.time() {
                    out.push(Occurrence { starts_at, ends_at, event });
                }
            };
            if event.instead_of.is_some() {
                put(event.at(event.start.civil, event.length), budget);
                continue;
            }
            let civil = |at: Timestamp| event.start.zone.to_datetime(at);
            let earliest = civil(from).saturating_sub(event.longest()).saturating_sub(OFFSETS);
            let latest = civil(to).saturating_add(OFFSETS);
            if event.start.civil > latest && event.more.is_empty() {
                continue;
            }
            // A series that was cut off before its begin does not take place at all.
            let is_cut_off = event.rules.iter().any(|rule| rule.until_instant(&event.start.zone).is_some())
                && event.rules.iter().filter_map(|rule| rule.until_instant(&event.start.zone)).all(|until| until < event.start.instant());
            let mut times: Vec<(DateTime, Option<SignedDuration>)> = Vec::new();
            times.extend((!is_cut_off).then_some((event.start.civil, None)));
            times.extend(event.more.iter().map(|(at, length)| (at.civil, *length)));
            times.extend(event.counted.iter().filter(|at| **at >= earliest && **at < latest).map(|at| (*at, None)));
            let mut found = Vec::new();
            for rule in &event.rules {
                found.clear();
                match rule.until {
                    Until::Count(_) => continue,
                    Until::Never => rule.between(event.start.civil, earliest, latest, budget, &mut found),
                    Until::Civil(until) if event.start.civil > until => {}
                    Until::Civil(until) => {
                        rule.between(event.start.civil, earliest, latest, budget, &mut found);
                        found.retain(|at| *at <= until);
                    }
                    Until::Utc(until) => {
                        let until = value::instant(&TimeZone::UTC, until);
                        rule.between(event.start.civil, earliest, latest, budget, &mut found);
                        found.retain(|at| value::instant(&event.start.zone, *at) <= until);
                    }
                }
                times.extend(found.iter().map(|at| (*at, None)));
            }
            // One time is one, whatever says it; the one with a length of its own counts.
            times.sort_by_key(|(at, length)| (*at, length.is_none()));
            times.dedup_by_key(|(at, _)| *at);
            for (civil, length) in times {
                if civil < earliest || civil >= latest {
                    continue;
                }
                let (starts_at, ends_at) = event.at(civil, length.unwrap_or(event.length));
                let is_except = event.except.contains(&starts_at) || event.except_days.contains(&civil.date());
                let is_said = self.said.contains(&starts_at) || self.said_days.contains(&civil.date());
                if (is_said && !crate::plants::planted("moved-turn-stays")) || is_except {
                    continue;
                }
                put((starts_at, ends_at), budget);
            }
        }
    }
}
