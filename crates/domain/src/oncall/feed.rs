//! A layer whose turns are the events of a calendar that others keep: whoever an event means is on call while it takes place.
//!
//! Invariants: an answer is looked up, not worked out: what a calendar says of four weeks is worked out once, when somebody first asks
//! of them, and kept beside the calendar. Events that mean nobody who is known have nobody on, and are told with what they say; so is
//! what a bound leaves out. Several at once are in the order in which their events begin.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::names::{Meant, Names, PEOPLE_MAX};
use crate::ical::{Budget, Calendar, Fault, Occurrence};
use crate::org::forms::external_calendar::PeopleBy;
use crate::org::model::{CalendarCopy, ExternalCalendar, Person, Slug};

/// Length of what is worked out at once.
const BLOCK_S: i64 = 28 * 86_400;
/// Blocks that are kept: three years, more than any screen shows.
const BLOCKS_MAX: usize = 40;
/// Blocks ahead in which the next change is looked for; after that it is looked for anew.
const BLOCKS_AHEAD: i64 = 27;
/// Most times of one block: six people by the hour.
const TIMES_MAX: u32 = 4_000;
/// Most periods of rules that are looked at for one block: a rule by the hour has seven hundred.
const PERIODS_MAX: u32 = 200_000;
/// Most events that name nobody who are told of at once.
pub const STRANGERS_MAX: usize = 50;

/// Calendars that others keep, by their ids, and who is called how.
#[derive(Debug, Clone, Default)]
pub struct Feeds {
    /// Who is called how.
    pub names: Arc<Names>,
    /// What there is of each calendar.
    pub sources: HashMap<Slug, Source>,
}

/// A calendar that others keep, as far as it is here.
#[derive(Debug, Clone)]
pub struct Source {
    /// What people call it.
    pub name: String,
    /// How people are recognised.
    pub by: PeopleBy,
    /// Its text; absent until it was read the first time.
    pub text: Option<Arc<str>>,
}

impl Feeds {
    /// What there is of these calendars, for these people.
    #[must_use]
    pub fn of<'a>(forms: &[ExternalCalendar], copies: &[CalendarCopy], people: impl IntoIterator<Item = &'a Person>) -> Self {
        if forms.is_empty() {
            return Self::default();
        }
        let mut sources = HashMap::new();
        for form in forms {
            let by = form.people_by.unwrap_or_default();
            let source = || Source { name: form.called().to_owned(), by, text: form.text(copies).map(Arc::from) };
            sources.entry(form.id.clone()).or_insert_with(source);
        }
        Self { names: Arc::new(Names::of(people)), sources }
    }
}

/// An event that means somebody who is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stranger {
    /// What the calendar is called.
    pub calendar: String,
    /// What the event is called.
    pub summary: String,
    /// What it says of whom nobody is known.
    pub said: Vec<String>,
    /// Whether others of it are known and on call.
    pub others: bool,
    /// From, inclusive.
    pub starts_at: Timestamp,
    /// To, exclusive.
    pub ends_at: Timestamp,
}

impl std::fmt::Display for Stranger {
    /// In a sentence without a full stop, with times in UTC: whoever knows the reader's zone says them otherwise.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { calendar, summary, said, others, starts_at, .. } = self;
        let at = starts_at.strftime("%Y-%m-%d %H:%M");
        write!(f, "\"{summary}\" on {at} UTC in calendar \"{calendar}\" names nobody who is known: {}", said.join(", "))?;
        if *others { f.write_str("; the others of it are on call") } else { Ok(()) }
    }
}

/// What a calendar is, apart from who is on when.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FeedState {
    /// What people call it.
    pub name: String,
    /// Why it has nobody on, where it cannot be read at all.
    pub unreadable: Option<String>,
    /// Events that cannot be read, the first of them.
    pub faults: Vec<Fault>,
    /// How many.
    pub faults_count: usize,
}

/// The layer, ready to answer.
#[derive(Debug, Clone)]
pub(super) struct FeedLayer {
    pub(super) name: String,
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    calendar: Calendar,
    unreadable: Option<String>,
    /// By the line of the event.
    meant: HashMap<usize, Meant>,
    people: BTreeSet<Slug>,
    blocks: RwLock<BTreeMap<i64, Arc<Block>>>,
}

/// Four weeks.
#[derive(Debug, Default)]
struct Block {
    /// Who is on from when, in order; from the begin of the block on.
    edges: Vec<(Timestamp, Vec<Slug>)>,
    /// Times of events of which somebody is not known: the line of the event, from, to.
    strangers: Vec<(usize, Timestamp, Timestamp)>,
    /// Whether there was more than the bounds allow.
    is_cut: bool,
}

impl FeedLayer {
    /// Reads what there is of a calendar, for a zone.
    pub(super) fn read(source: &Source, names: &Names, zone: &TimeZone) -> Self {
        let mut inner = Inner::default();
        match source.text.as_deref().map(|text| Calendar::read(text, zone)) {
            None => inner.unreadable = Some("it was not read yet".to_owned()),
            Some(Err(why)) => inner.unreadable = Some(why.to_string()),
            Some(Ok(calendar)) => {
                for event in calendar.series.iter().flat_map(crate::ical::Series::events) {
                    let meant = names.meant(event, source.by);
                    inner.people.extend(meant.people.iter().cloned());
                    inner.meant.insert(event.line, meant);
                }
                inner.calendar = calendar;
            }
        }
        Self { name: source.name.clone(), inner: Arc::new(inner) }
    }

    pub(super) fn state(&self) -> FeedState {
        FeedState {
            name: self.name.clone(),
            unreadable: self.inner.unreadable.clone(),
            faults: self.inner.calendar.faults.clone(),
            faults_count: self.inner.calendar.faults_count,
        }
    }

    /// Everybody whom it ever means.
    pub(super) fn people(&self) -> &BTreeSet<Slug> {
        &self.inner.people
    }

    /// Who is on, in order.
    pub(super) fn people_at(&self, at: Timestamp) -> Vec<Slug> {
        let block = self.block(number_of(at));
        let place = block.edges.partition_point(|(edge, _)| *edge <= at);
        place.checked_sub(1).and_then(|place| block.edges.get(place)).map_or_else(Vec::new, |(_, people)| people.clone())
    }

    /// When that may change next.
    pub(super) fn next_edge(&self, at: Timestamp) -> Option<Timestamp> {
        if self.inner.calendar.is_empty() {
            return None;
        }
        let first = number_of(at);
        let now = self.people_at(at);
        for number in first..=first + BLOCKS_AHEAD {
            let block = self.block(number);
            if let Some((edge, _)) = block.edges.iter().find(|(edge, people)| *edge > at && *people != now) {
                return Some(*edge);
            }
        }
        begin_of(first + BLOCKS_AHEAD + 1)
    }

    /// Events that mean somebody who is not known, between two instants, in order; and whether more takes place than is read.
    pub(super) fn strangers(&self, from: Timestamp, to: Timestamp) -> (Vec<Stranger>, bool) {
        let (mut out, mut is_cut) = (Vec::<Stranger>::new(), false);
        let mut number = number_of(from);
        while let Some(begin) = begin_of(number).filter(|begin| *begin < to) {
            let block = self.block(number);
            is_cut |= block.is_cut;
            for (line, starts_at, ends_at) in block.strangers.iter().filter(|(_, starts_at, ends_at)| *starts_at < to && from < *ends_at) {
                let Some(meant) = self.inner.meant.get(line) else { continue };
                let is_told = *starts_at < begin
                    && out.iter().any(|one| one.starts_at == *starts_at && one.ends_at == *ends_at && one.said == meant.unknown);
                if is_told || out.len() >= STRANGERS_MAX {
                    continue;
                }
                let event = self.inner.calendar.series.iter().flat_map(crate::ical::Series::events).find(|event| event.line == *line);
                out.push(Stranger {
                    calendar: self.name.clone(),
                    summary: event.map_or_else(String::new, |event| event.summary.clone()),
                    said: meant.unknown.clone(),
                    others: !meant.people.is_empty(),
                    starts_at: *starts_at,
                    ends_at: *ends_at,
                });
            }
            number += 1;
        }
        (out, is_cut)
    }

    fn block(&self, number: i64) -> Arc<Block> {
        let blocks = self.inner.blocks.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(block) = blocks.get(&number) {
            return block.clone();
        }
        drop(blocks);
        let block = Arc::new(self.inner.work_out(number));
        let mut blocks = self.inner.blocks.write().unwrap_or_else(PoisonError::into_inner);
        if blocks.len() >= BLOCKS_MAX {
            blocks.clear();
        }
        blocks.insert(number, block.clone());
        block
    }
}

impl Inner {
    fn work_out(&self, number: i64) -> Block {
        let (Some(from), Some(to)) = (begin_of(number), begin_of(number + 1)) else { return Block::default() };
        let mut budget = Budget::new(PERIODS_MAX, TIMES_MAX);
        let mut times: Vec<Occurrence<'_>> = Vec::new();
        for series in &self.calendar.series {
            series.between(from, to, &mut budget, &mut times);
        }
        times.sort_by_key(|time| (time.starts_at, time.event.line));
        let is_stranger = |time: &&Occurrence<'_>| self.meant.get(&time.event.line).is_some_and(|meant| !meant.unknown.is_empty());
        let strangers = times.iter().filter(is_stranger).map(|time| (time.event.line, time.starts_at, time.ends_at)).collect();
        let mut instants: Vec<Timestamp> =
            times.iter().flat_map(|time| [time.starts_at, time.ends_at]).filter(|at| from < *at && *at < to).collect();
        instants.push(from);
        instants.sort_unstable();
        instants.dedup();
        let mut edges: Vec<(Timestamp, Vec<Slug>)> = Vec::new();
        let (mut begun, mut on): (usize, Vec<&Occurrence<'_>>) = (0, Vec::new());
        for at in instants {
            on.retain(|time| time.ends_at > at);
            while let Some(time) = times.get(begun).filter(|time| time.starts_at <= at) {
                on.extend((time.ends_at > at).then_some(time));
                begun += 1;
            }
            let mut people: Vec<Slug> = Vec::new();
            for person in on.iter().filter_map(|time| self.meant.get(&time.event.line)).flat_map(|meant| &meant.people) {
                if people.len() < PEOPLE_MAX && !people.contains(person) {
                    people.push(person.clone());
                }
            }
            if edges.last().is_none_or(|(_, before)| *before != people) {
                edges.push((at, people));
            }
        }
        Block { edges, strangers, is_cut: budget.is_spent }
    }
}

fn number_of(at: Timestamp) -> i64 {
    at.as_second().div_euclid(BLOCK_S)
}

fn begin_of(number: i64) -> Option<Timestamp> {
    Timestamp::UNIX_EPOCH.checked_add(SignedDuration::from_secs(number.checked_mul(BLOCK_S)?)).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::oncall::{Because, CompiledSchedule};
    use crate::org::forms::calendar::Calendars;
    use crate::org::model::{Effect, Override, Schedule};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn schedule(events: &[&str], layers: serde_json::Value) -> CompiledSchedule {
        let events: String = events.iter().map(|event| format!("BEGIN:VEVENT\n{event}\nEND:VEVENT\n")).collect();
        let form: ExternalCalendar =
            serde_json::from_value(json!({"id": "c", "name": "Rota", "ics": format!("BEGIN:VCALENDAR\n{events}END:VCALENDAR")})).unwrap();
        let people: Vec<Person> =
            serde_json::from_value(json!([{"id": "ana", "name": "Ana"}, {"id": "ben", "name": "Ben"}, {"id": "cho", "name": "Cho"}]))
                .unwrap();
        let written: Schedule =
            serde_json::from_value(json!({"id": "s", "time_zone": "Europe/Madrid", "layers": layers, "external_calendars": ["c"]}))
                .unwrap();
        CompiledSchedule::compile(&written, &Calendars::new()).unwrap().fed(&written, &Feeds::of(&[form], &[], &people))
    }

    #[test]
    fn events_are_turns_above_the_layers_and_below_overrides() {
        let layer = json!([{"people": ["cho"], "every": "1w", "handoff": "Mon 09:00", "starts": "2026-01-05"}]);
        let events = [
            // Longer than what is worked out at once, and over it one that comes back.
            "UID:1\nSUMMARY:Ana\nDTSTART:20260301T080000Z\nDURATION:P90D",
            "UID:2\nSUMMARY:Ben, Ana\nDTSTART;TZID=Europe/Madrid:20260328T203000\nDURATION:PT12H\nRRULE:FREQ=WEEKLY;COUNT=2",
            "UID:3\nSUMMARY:Zed\nDTSTART:20260310T080000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY",
        ];
        let schedule = schedule(&events, layer);
        let (from, to) = (at("2026-02-28T00:00:00Z"), at("2026-06-02T00:00:00Z"));
        let told: Vec<String> = schedule
            .shifts(&[], from, to)
            .iter()
            .map(|one| format!("{} {} {} {}", one.person, one.starts_at, one.ends_at, one.because))
            .collect();
        assert_eq!(
            told,
            [
                "cho 2026-02-28T00:00:00Z 2026-03-01T08:00:00Z layer 1",
                "ana 2026-03-01T08:00:00Z 2026-05-30T08:00:00Z calendar \"Rota\"",
                // The night that has eleven hours.
                "ben 2026-03-28T19:30:00Z 2026-03-29T06:30:00Z calendar \"Rota\"",
                "ben 2026-04-04T18:30:00Z 2026-04-05T06:30:00Z calendar \"Rota\"",
                "cho 2026-05-30T08:00:00Z 2026-06-02T00:00:00Z layer 1",
            ]
        );
        // Each instant by itself says the same as the range, whoever asks first.
        for hour in 0..24 * 90 {
            let instant = from.checked_add(SignedDuration::from_hours(hour)).unwrap();
            let there = schedule.shifts(&[], instant, instant.checked_add(SignedDuration::from_secs(1)).unwrap());
            let on = schedule.on_call_at(&[], instant);
            assert!(there.iter().map(|one| &one.person).eq(on.people()), "{instant}");
        }
        let ovr = Override {
            id: "o".into(),
            schedule: "s".into(),
            effect: Effect::Replaces,
            person: "ben".into(),
            starts_at: from,
            ends_at: to,
            made: 1,
            made_by: None,
        };
        assert_eq!(schedule.on_call_at(&[ovr], at("2026-03-29T00:00:00Z")).people().collect::<Vec<_>>(), ["ben"]);
        let both = schedule.on_call_at(&[], at("2026-03-29T00:00:00Z"));
        assert_eq!((both.people().count(), matches!(both.because, Because::Feed { index: 0, .. })), (2, true));
        assert!(schedule.names("ana") && schedule.names("cho") && schedule.never_on(from).is_empty());
        let (strangers, is_cut) = schedule.strangers(from, to);
        assert_eq!((strangers.len(), strangers[0].said.as_slice(), is_cut), (STRANGERS_MAX, ["Zed".to_owned()].as_slice(), false));
        assert_eq!(strangers[0].to_string(), "\"Zed\" on 2026-03-10 08:00 UTC in calendar \"Rota\" names nobody who is known: Zed");
        let lanes = schedule.lanes(from, to, 100);
        assert_eq!((lanes.len(), lanes[1].index, lanes[1].name.as_deref(), lanes[1].turns.len()), (2, 1, Some("Rota"), 3));
    }

    #[test]
    fn a_calendar_that_is_not_there_or_says_nothing_leaves_the_layers_or_nobody() {
        let none = schedule(&[], json!([]));
        let (from, to) = (at("2026-02-28T00:00:00Z"), at("2026-06-02T00:00:00Z"));
        assert_eq!((none.gaps(&[], from, to).len(), none.shifts(&[], from, to).len()), (1, 0));
        let far = schedule(&["SUMMARY:Ana\nDTSTART:20400101T080000Z\nDURATION:P1D"], json!([]));
        assert_eq!(far.gaps(&[], from, to).len(), 1);
        // More than the bound: what is worked out stands, and it is said.
        let hourly: Vec<String> = (0..200)
            .map(|n| format!("UID:{n}\nSUMMARY:Ana\nDTSTART:20260101T0{}0000Z\nDURATION:PT30M\nRRULE:FREQ=HOURLY", n % 10))
            .collect();
        let hourly: Vec<&str> = hourly.iter().map(String::as_str).collect();
        let much = schedule(&hourly, json!([]));
        assert!(much.strangers(from, to).1);
        assert!(!much.shifts(&[], from, to).is_empty());
    }
}
