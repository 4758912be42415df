//! A schedule over a range of days, as a calendar draws it: who is on call, and what lies beneath that: each layer by itself,
//! overrides, and who of its people is away.
//!
//! Invariants:
//! - Who is on is the resolver's answer, the same that pages.
//! - An answer is bounded: a range that has more is cut at one instant for all of its parts, and says so.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::away::days_off;
use super::forms::overrides::Override;
use super::model::Slug;
use super::snapshot::Org;
use crate::oncall::{Gap, Lane, Shift, TemporaryLane};

/// Longest range: two months, which is a month's calendar with the days around it, or eight weeks.
pub const TIMETABLE_MAX: SignedDuration = SignedDuration::from_hours(62 * 24);
/// Most shifts, and most turns of each layer: two months of turns of an hour.
pub const TIMETABLE_SPANS_MAX: usize = 1_500;
/// Most absences of a range: several of each of a large team.
pub const TIMETABLE_AWAY_MAX: usize = 500;

/// A schedule over a range.
#[derive(Debug, Clone, PartialEq)]
pub struct Timetable {
    pub from: Timestamp,
    /// The end of what is told.
    pub to: Timestamp,
    /// There was more than is told, so that it ends before the end that was asked for.
    pub cut: bool,
    pub on_call: Vec<Shift>,
    pub gaps: Vec<Gap>,
    /// The lowest first.
    pub layers: Vec<Lane>,
    /// Those that touch the range, by their start, whole.
    pub overrides: Vec<Override>,
    /// What stands in the place of the layers for a time, by its start.
    pub temporary: Vec<TemporaryLane>,
    /// Those who have turns in the schedule and are away or have a public holiday, by when that begins, cut to the range.
    pub away: Vec<Away>,
}

/// Somebody who has turns in the schedule is away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Away {
    pub person: Slug,
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    /// They are on call for some of it, and nobody has it instead.
    pub needs_cover: bool,
    /// It is a public holiday that they have off, by its name; empty, where it has none.
    pub holiday: Option<String>,
}

impl Away {
    fn of(person: &str, starts_at: Timestamp, ends_at: Timestamp, holiday: Option<String>, on_call: &[Shift]) -> Self {
        let on = |shift: &Shift| shift.person == person && shift.starts_at < ends_at && starts_at < shift.ends_at;
        Self { person: person.to_owned(), starts_at, ends_at, needs_cover: on_call.iter().any(on), holiday }
    }

    /// In a few words after the person's name: `is away`, `has Christmas Day off`.
    #[must_use]
    pub fn says(&self) -> String {
        match self.holiday.as_deref() {
            None => "is away".to_owned(),
            Some("") => "has a public holiday".to_owned(),
            Some(name) => format!("has {name} off"),
        }
    }
}

/// A schedule between two instants; nothing where there is none that can be read. A range longer than [`TIMETABLE_MAX`] is cut.
#[must_use]
pub fn timetable(org: &Org, id: &str, from: Timestamp, to: Timestamp) -> Option<Timetable> {
    let (schedule, form) = (org.schedule(id)?, org.schedule_form(id)?);
    let longest = from.checked_add(TIMETABLE_MAX).unwrap_or(Timestamp::MAX);
    let asked = to.max(from);
    let overrides = org.overrides(id);
    let mut layers = schedule.lanes(from, asked.min(longest), TIMETABLE_SPANS_MAX);
    let mut to = layers.iter().map(|lane| lane.until).fold(asked.min(longest), Timestamp::min);
    let mut on_call = schedule.shifts(overrides, from, to);
    if let Some(first_too_many) = on_call.get(TIMETABLE_SPANS_MAX) {
        to = first_too_many.starts_at;
    }
    on_call.retain(|shift| shift.starts_at < to);
    for shift in &mut on_call {
        shift.ends_at = shift.ends_at.min(to);
    }
    for lane in &mut layers {
        lane.turns.retain(|turn| turn.starts_at < to);
        for turn in &mut lane.turns {
            turn.ends_at = turn.ends_at.min(to);
        }
        lane.until = to;
    }
    let mut touching: Vec<Override> = overrides.iter().filter(|one| one.starts_at < to && one.ends_at > from).cloned().collect();
    touching.sort_by(|a, b| (a.starts_at, a.made, &a.id).cmp(&(b.starts_at, b.made, &b.id)));
    let of_it: BTreeSet<&str> = form
        .layers
        .iter()
        .chain(org.temporary(id).into_iter().filter(|one| one.starts_at < to && from < one.ends_at).flat_map(|one| &one.layers))
        .flat_map(|layer| layer.people.iter().map(String::as_str))
        .chain(touching.iter().filter_map(|one| one.whom().map(String::as_str)))
        .collect();
    let mut away: Vec<Away> = Vec::new();
    for absence in org.bundle().absences.iter().filter(|absence| of_it.contains(absence.person.as_str())) {
        let (starts_at, ends_at) = (absence.starts_at.max(from), absence.ends_at.min(to));
        if starts_at < ends_at {
            away.push(Away::of(&absence.person, starts_at, ends_at, None, &on_call));
        }
    }
    for person in &of_it {
        let off = days_off(org, person, from, to).into_iter();
        away.extend(off.map(|(name, starts_at, ends_at)| Away::of(person, starts_at, ends_at, Some(name), &on_call)));
    }
    away.sort_by(|a, b| (a.starts_at, &a.person, a.ends_at).cmp(&(b.starts_at, &b.person, b.ends_at)));
    away.truncate(TIMETABLE_AWAY_MAX);
    Some(Timetable {
        from,
        to,
        cut: to < asked,
        gaps: schedule.gaps(overrides, from, to),
        on_call,
        layers,
        temporary: schedule.temporary_lanes(from, to, TIMETABLE_SPANS_MAX),
        overrides: touching,
        away,
    })
}
