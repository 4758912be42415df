//! The answer over a range: shifts and gaps, from the same resolver as the answer at an instant.
//!
//! The range is walked from edge to edge (a hand-off, a window's opening or close, an override's
//! start or end) and the resolver is asked at each, so that a calendar can never disagree with a
//! page. Of several who are on at once each has shifts of their own, which may overlap. Edges that cannot change the answer are passed over: those of layers beneath the one that
//! decides, and turns that stay with one person.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::layer::CompiledLayer;
use super::{Because, CompiledSchedule, OnCall};
use crate::org::model::{Effect, Override, Slug};

/// Most shifts or gaps in one answer: a year of hourly turns. A longer range is cut; ask again
/// from the last end.
pub const SHIFTS_MAX: usize = 9_000;
/// Most edges walked for one answer; a layer restricted to some hours has edges that change
/// nobody.
pub const EDGES_MAX: usize = 40_000;

/// How far ahead the next hand-over is looked for: two months, more than the turns of usual rotas.
pub const NEXT_AHEAD: SignedDuration = SignedDuration::from_hours(24 * 60);

/// How far ahead it is looked whether everybody of a rotation is ever on, at most: three years.
const NEVER_ON_AHEAD_MAX: SignedDuration = SignedDuration::from_hours(3 * 366 * 24);
/// Most edges walked for that; what was not looked at is not claimed.
const NEVER_ON_EDGES_MAX: usize = 20_000;

/// Somebody is on call from `starts_at` until just before `ends_at`, both within the range asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shift {
    /// Who.
    pub person: Slug,
    /// From, inclusive.
    pub starts_at: Timestamp,
    /// To, exclusive; later than `starts_at`.
    pub ends_at: Timestamp,
    /// Which rule says so.
    pub because: Because,
}

/// Nobody is on call from `starts_at` until just before `ends_at`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// From, inclusive.
    pub starts_at: Timestamp,
    /// To, exclusive; later than `starts_at`.
    pub ends_at: Timestamp,
    /// By an override that has nobody on, and not for want of a layer.
    pub by_override: bool,
}

/// Who is on call at an instant, and the changes of people that follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    /// At the instant.
    pub now: OnCall,
    /// When that ends, by other people or by nobody; none where nothing changes in the time looked at.
    pub until: Option<Timestamp>,
    /// Who is on after that, and since when: later than `until` where nobody is on in between.
    pub next: Option<(OnCall, Timestamp)>,
}

impl Changes {
    /// The first who is on after that, and since when.
    #[must_use]
    pub fn next_person(&self) -> Option<(Slug, Timestamp)> {
        self.next.as_ref().and_then(|(next, at)| Some((next.person.clone()?, *at)))
    }
}

impl CompiledSchedule {
    /// Shifts between two instants by their start, cut to the range. Neighbouring turns of one person
    /// by the same rule are one shift. Where several are on at once each has their own. At most
    /// [`SHIFTS_MAX`].
    #[must_use]
    pub fn shifts(&self, overrides: &[Override], from: Timestamp, to: Timestamp) -> Vec<Shift> {
        let mut out: Vec<Shift> = Vec::new();
        // Those that go on, by their place in `out`.
        let mut running: Vec<usize> = Vec::new();
        for (on_call, starts_at, ends_at) in self.stretches(overrides, from, to) {
            let mut on = Vec::with_capacity(1 + on_call.besides.len());
            for (person, because) in on_call.with_rules() {
                let goes_on = |at: &usize| out[*at].person == *person && out[*at].because == *because && out[*at].ends_at == starts_at;
                match running.iter().copied().find(|at| goes_on(at)) {
                    Some(at) => {
                        out[at].ends_at = ends_at;
                        on.push(at);
                    }
                    None if out.len() == SHIFTS_MAX => return out,
                    None => {
                        on.push(out.len());
                        out.push(Shift { person: person.clone(), starts_at, ends_at, because: because.clone() });
                    }
                }
            }
            running = on;
        }
        out
    }

    /// Stretches of the range in which nobody is on call, in order. At most [`SHIFTS_MAX`].
    #[must_use]
    pub fn gaps(&self, overrides: &[Override], from: Timestamp, to: Timestamp) -> Vec<Gap> {
        self.stretches(overrides, from, to)
            .into_iter()
            .filter(|(on_call, _, _)| on_call.person.is_none())
            .map(|(on_call, starts_at, ends_at)| {
                let by_override = matches!(on_call.because, Because::Off { .. });
                Gap { starts_at, ends_at, by_override }
            })
            .collect()
    }

    /// Who is on call, until when, and who is on next: changes of people alone, looked for until
    /// `to`. That another rule says the same is none.
    #[must_use]
    pub fn changes(&self, overrides: &[Override], at: Timestamp, to: Timestamp) -> Changes {
        let mut now: Option<OnCall> = None;
        let (mut until, mut next) = (None, None);
        for (on_call, starts_at, _) in self.walk(overrides, at, to, EDGES_MAX) {
            let Some(now) = &now else {
                now = Some(on_call);
                continue;
            };
            let same = on_call.same_people(now) && !(crate::plants::planted("next-layer-is-a-hand-over") && on_call != *now);
            if until.is_none() && same {
                continue;
            }
            until.get_or_insert(starts_at);
            if on_call.person.is_some() {
                next = Some((on_call, starts_at));
                break;
            }
        }
        // An empty range has no stretch, and an answer nevertheless.
        let now = now.unwrap_or_else(|| self.on_call_at(overrides, at));
        Changes { now, until, next }
    }

    /// Until when somebody who is on call at an instant stays so, whoever comes and goes beside them; nothing where they are not
    /// on, or where it does not end before `to`.
    #[must_use]
    pub fn on_until(&self, overrides: &[Override], person: &str, at: Timestamp, to: Timestamp) -> Option<Timestamp> {
        let mut walk = self.walk(overrides, at, to, EDGES_MAX);
        walk.next().filter(|(now, ..)| now.has(person))?;
        walk.find(|(on_call, ..)| !on_call.has(person)).map(|(_, starts_at, _)| starts_at)
    }

    /// Whether somebody has the turn from an instant until another without a break; who is only on besides has none.
    #[must_use]
    pub fn has_turn_throughout(&self, overrides: &[Override], person: &str, from: Timestamp, to: Timestamp) -> bool {
        let mut until = from;
        for (on_call, _, ends_at) in self.walk(overrides, from, to, EDGES_MAX) {
            let besides = matches!(on_call.because, Because::Added { .. });
            if besides || on_call.person.as_deref() != Some(person) {
                return false;
            }
            until = ends_at;
        }
        until == to
    }

    /// Who comes on next, and is not on call at the instant: those of the next people on of whom that is so, in their order, and
    /// since when. Looked for over [`NEXT_AHEAD`].
    #[must_use]
    pub fn next_on_call(&self, overrides: &[Override], at: Timestamp) -> Option<(OnCall, Timestamp)> {
        let now = self.on_call_at(overrides, at);
        let to = at.checked_add(NEXT_AHEAD).unwrap_or(Timestamp::MAX);
        self.walk(overrides, at, to, EDGES_MAX).find_map(|(then, starts_at, _)| {
            let mut come =
                then.with_rules().filter(|(person, _)| !now.has(person)).map(|(person, because)| (person.clone(), because.clone()));
            let (person, because) = come.next()?;
            Some((OnCall { person: Some(person), because, besides: come.collect() }, starts_at))
        })
    }

    /// Whose turns all fall where their layer is off, or where another layer is on, in order of the
    /// alphabet. It is looked for until every layer has begun or is over and turns and weekdays have
    /// come round once after that; who would need a longer look is not named. Overrides do not count,
    /// and layers that are over do not.
    #[must_use]
    pub fn never_on(&self, from: Timestamp) -> Vec<Slug> {
        // What stands in the place of the layers for a time says nothing of them.
        if !self.temporary.is_empty() {
            return self.without_temporary().never_on(from);
        }
        // What others keep may have anybody off at any time.
        if !self.feeds.is_empty() {
            return Vec::new();
        }
        let living = || self.layers.iter().filter(|layer| layer.lasts().1.is_none_or(|ends_at| ends_at > from));
        // Which layers there are changes with these; from the last of them on, nothing but turns and weekdays does.
        let settled = living().flat_map(|layer| [Some(layer.lasts().0), layer.lasts().1]).flatten().fold(from, Timestamp::max);
        let mut round = SignedDuration::ZERO;
        for layer in living() {
            let Some(hours) = layer.comes_round().and_then(SignedDuration::try_from_hours) else { return Vec::new() };
            round = round.max(hours);
        }
        let latest = from.checked_add(NEVER_ON_AHEAD_MAX).unwrap_or(Timestamp::MAX);
        let Some(until) = settled.checked_add(round).ok().filter(|until| *until <= latest) else { return Vec::new() };
        let mut waiting: BTreeSet<&Slug> = living().flat_map(CompiledLayer::people).collect();
        let mut looked_at = from;
        for (on_call, _, ends_at) in self.walk(&[], from, until, NEVER_ON_EDGES_MAX) {
            for person in on_call.people() {
                waiting.remove(person);
            }
            looked_at = ends_at;
            if waiting.is_empty() {
                break;
            }
        }
        if looked_at == until { waiting.into_iter().cloned().collect() } else { Vec::new() }
    }

    /// The range cut where the answer changes.
    fn stretches(&self, overrides: &[Override], from: Timestamp, to: Timestamp) -> Vec<(OnCall, Timestamp, Timestamp)> {
        let mut out: Vec<(OnCall, Timestamp, Timestamp)> = Vec::new();
        for (on_call, starts_at, ends_at) in self.walk(overrides, from, to, EDGES_MAX) {
            let full = out.len() == SHIFTS_MAX;
            match out.last_mut() {
                Some(last) if last.0 == on_call => last.2 = ends_at,
                _ if full => break,
                _ => out.push((on_call, starts_at, ends_at)),
            }
        }
        out
    }

    /// The range from edge to edge. Neighbours may be alike.
    pub(super) fn walk<'a>(&'a self, overrides: &'a [Override], from: Timestamp, to: Timestamp, edges_left: usize) -> Walk<'a> {
        let mine = overrides.iter().filter(|o| o.schedule == self.id && o.starts_at < to && o.ends_at > from).collect();
        Walk { schedule: self, mine, at: from, to, edges_left }
    }
}

/// A range that is walked.
pub(super) struct Walk<'a> {
    schedule: &'a CompiledSchedule,
    mine: Vec<&'a Override>,
    at: Timestamp,
    to: Timestamp,
    edges_left: usize,
}

impl Iterator for Walk<'_> {
    type Item = (OnCall, Timestamp, Timestamp);

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.to || self.edges_left == 0 {
            return None;
        }
        self.edges_left -= 1;
        let on_call = self.schedule.decided(self.mine.iter().copied(), self.at);
        let next = self.next_edge(&on_call.because).map_or(self.to, |edge| edge.min(self.to));
        let stretch = (on_call, self.at, next);
        self.at = next;
        Some(stretch)
    }
}

impl Walk<'_> {
    /// What may change the answer next: whatever stands above the rule that decides, and its own end.
    fn next_edge(&self, because: &Because) -> Option<Timestamp> {
        let (schedule, at) = (self.schedule, self.at);
        let of_overrides = self.mine.iter().flat_map(|o| [o.starts_at, o.ends_at]).filter(|edge| *edge > at).min();
        let overridden = self.mine.iter().any(|change| change.effect != Effect::Adds && change.holds_at(at));
        let lowest = match because {
            _ if overridden => usize::MAX,
            Because::Layer { index, .. } | Because::Temporary { index, .. } => *index,
            Because::Feed { index, .. } => schedule.layers.len() + index,
            Because::Override { .. } | Because::Added { .. } | Because::Off { .. } | Because::Nobody => 0,
        };
        schedule.next_edge_of_layers(lowest, at).into_iter().chain(of_overrides).filter(|edge| *edge > at).min()
    }
}
