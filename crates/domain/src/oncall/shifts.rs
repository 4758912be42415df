//! The answer over a range: shifts and gaps, from the same resolver as the answer at an instant.
//!
//! The range is walked from edge to edge (a hand-off, a window's opening or close, an override's
//! start or end) and the resolver is asked at each, so that a calendar can never disagree with a
//! page.

use jiff::Timestamp;

use super::{Because, CompiledSchedule, OnCall};
use crate::org::model::{Override, Slug};

/// Most shifts or gaps in one answer: a year of hourly turns. A longer range is cut; ask again
/// from the last end.
pub const SHIFTS_MAX: usize = 9_000;
/// Most edges walked for one answer; a layer restricted to some hours has edges that change
/// nobody.
pub const EDGES_MAX: usize = 40_000;

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
}

impl CompiledSchedule {
    /// Shifts between two instants, in order, cut to the range. Neighbouring turns of one person
    /// by the same rule are one shift. At most [`SHIFTS_MAX`].
    #[must_use]
    pub fn shifts(&self, overrides: &[Override], from: Timestamp, to: Timestamp) -> Vec<Shift> {
        self.stretches(overrides, from, to)
            .into_iter()
            .filter_map(|(on_call, starts_at, ends_at)| {
                Some(Shift { person: on_call.person?, starts_at, ends_at, because: on_call.because })
            })
            .collect()
    }

    /// Stretches of the range in which nobody is on call, in order. At most [`SHIFTS_MAX`].
    #[must_use]
    pub fn gaps(&self, overrides: &[Override], from: Timestamp, to: Timestamp) -> Vec<Gap> {
        self.stretches(overrides, from, to)
            .into_iter()
            .filter(|(on_call, _, _)| on_call.person.is_none())
            .map(|(_, starts_at, ends_at)| Gap { starts_at, ends_at })
            .collect()
    }

    /// The range cut where the answer changes.
    fn stretches(&self, overrides: &[Override], from: Timestamp, to: Timestamp) -> Vec<(OnCall, Timestamp, Timestamp)> {
        let mine: Vec<Override> =
            overrides.iter().filter(|o| o.schedule == self.id && o.starts_at < to && o.ends_at > from).cloned().collect();
        let mut out: Vec<(OnCall, Timestamp, Timestamp)> = Vec::new();
        let mut at = from;
        for _ in 0..EDGES_MAX {
            if at >= to {
                break;
            }
            let on_call = self.on_call_at(&mine, at);
            let next = self.next_edge(&mine, at).map_or(to, |edge| edge.min(to));
            let full = out.len() == SHIFTS_MAX;
            match out.last_mut() {
                Some(last) if last.0 == on_call => last.2 = next,
                _ if full => break,
                _ => out.push((on_call, at, next)),
            }
            at = next;
        }
        out
    }

    fn next_edge(&self, overrides: &[Override], at: Timestamp) -> Option<Timestamp> {
        self.layers
            .iter()
            .filter_map(|layer| layer.next_edge(&self.zone, at))
            .chain(overrides.iter().flat_map(|o| [o.starts_at, o.ends_at]))
            .filter(|edge| *edge > at)
            .min()
    }
}
