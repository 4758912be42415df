//! One rotation: who has which turn, and when it is on. When turns begin is said in `turns.rs`.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::civil::{self, instant_of};
use super::turns::Turns;
use super::window::Window;
use crate::org::forms::calendar::Calendars;
use crate::org::model::{Layer, Slug};
use crate::org::problem::{Place, Problem};

/// A layer, read.
#[derive(Debug, Clone)]
pub(super) struct CompiledLayer {
    pub(super) name: Option<String>,
    people: Vec<Slug>,
    turns: Turns,
    first_at: Timestamp,
    ends_at: Option<Timestamp>,
    only: Vec<Window>,
}

impl CompiledLayer {
    pub(super) fn compile(form: &Layer, zone: &TimeZone, calendars: &Calendars) -> Result<Self, Vec<Problem>> {
        let root = Place::root();
        let mut problems = Vec::new();
        if form.people.is_empty() {
            problems.push(
                Problem::error(root.key("people"), "a layer needs at least one person").hint("name people in turn, as in `[ana, ben]`"),
            );
        }
        let handoff = civil::parse_handoff(&form.handoff).map_err(|bad| problems.push(bad.problem(root.key("handoff")))).ok();
        let turns = handoff.and_then(|handoff| Turns::read(form, handoff, zone, calendars).map_err(|found| problems.extend(found)).ok());
        let mut only = Vec::with_capacity(form.only.len());
        for (index, restriction) in form.only.iter().enumerate() {
            let place = root.key("only").index(index);
            match Window::compile(restriction) {
                Ok(window) => only.push(window),
                Err(found) => problems.extend(found.into_iter().map(|p| p.below(&place))),
            }
        }
        let (Some(handoff), Some(turns)) = (handoff, turns) else { return Err(problems) };
        let first_at = turns.start_of(zone, 0);
        let ends_at = form.ends.map(|date| instant_of(zone, date.to_datetime(handoff.time)));
        if ends_at.is_some_and(|ends_at| ends_at <= first_at) {
            problems.push(
                Problem::error(root.key("ends"), "the layer ends before its first hand-off")
                    .hint("give a later date, or leave `ends` away for a layer that goes on"),
            );
        }
        if problems.is_empty() {
            Ok(Self { name: form.name.clone(), people: form.people.clone(), turns, first_at, ends_at, only })
        } else {
            Err(problems)
        }
    }

    /// Who has the turn, where the layer is on.
    pub(super) fn person_at(&self, zone: &TimeZone, at: Timestamp) -> Option<&Slug> {
        if self.ends_at.is_some_and(|ends_at| ends_at <= at) {
            return None;
        }
        if !self.only.is_empty() && !self.only.iter().any(|window| window.is_open(zone, at)) {
            return None;
        }
        let turn = self.turn_at(zone, at)?;
        let index = usize::try_from(turn).ok()? % self.people.len();
        self.people.get(index)
    }

    /// The next instant after `at` at which the layer's answer may change.
    pub(super) fn next_edge(&self, zone: &TimeZone, at: Timestamp) -> Option<Timestamp> {
        let Some(turn) = self.turn_at(zone, at) else { return Some(self.first_at) };
        if self.ends_at.is_some_and(|ends_at| ends_at <= at) {
            return None;
        }
        let turn_ends = self.next_of_another(turn).map(|next| self.turns.start_of(zone, next));
        self.only.iter().filter_map(|window| window.next_edge(zone, at)).chain(self.ends_at).chain(turn_ends).min()
    }

    /// The people in turn.
    pub(super) fn people(&self) -> &[Slug] {
        &self.people
    }

    /// From its first hand-off until its end, where it has one.
    pub(super) fn lasts(&self) -> (Timestamp, Option<Timestamp>) {
        (self.first_at, self.ends_at)
    }

    /// Hours after which turns fall on the same days of the week and times of day again; nothing where that is not known.
    pub(super) fn comes_round(&self) -> Option<i64> {
        self.turns.comes_round(self.people.len())
    }

    /// The next turn after this one that is somebody else's; none where all are one person's.
    fn next_of_another(&self, turn: i64) -> Option<i64> {
        let count = self.people.len();
        let now = usize::try_from(turn).ok()? % count;
        (1..count)
            .find(|ahead| self.people[(now + ahead) % count] != self.people[now])
            .and_then(|ahead| Some(turn + i64::try_from(ahead).ok()?))
    }

    /// The greatest turn that has begun. Of turns that begin at one instant (a skipped hour or day)
    /// it is the last, so the others have no time.
    fn turn_at(&self, zone: &TimeZone, at: Timestamp) -> Option<i64> {
        (at >= self.first_at).then(|| self.turns.turn_at(zone, at))
    }
}
