//! Who is on call: the one resolver, for the page, the screen, the API and the calendar feed.
//!
//! A schedule has layers; a layer is a rotation of people whose turns begin at civil hand-offs in
//! the schedule's zone. Of several layers the last with someone on wins; an override wins over
//! all layers, and of several overrides the one that was made last.
//!
//! Invariants:
//! - At every instant there is at most one answer, and it is reached in time independent of how
//!   long the rotation has run: the turn's number is estimated from the calendar and corrected.
//! - Turn `k` begins at the civil hand-off `k × every` after the first hand-off on or after
//!   `starts`. Weeks, days and hours are those of the wall clock: turns of `12h` from 09:00 hand
//!   over at 09:00 and 21:00 all year, and the turn in which the clocks change is an hour shorter
//!   or longer.
//! - A civil time that does not exist (clocks go forward) is the first instant after the gap; one
//!   that exists twice (clocks go back) is its first occurrence. So a day that a zone skipped
//!   altogether, or an hour for turns of hours, may leave a turn without any time: that turn does
//!   not happen, its person is passed over, and no shift of no length is ever reported.
//! - A restriction switches its layer off; it does not move the turns.
//!
//! It does not check that people exist ([`crate::org::check`] does) and knows no contact methods.

pub(crate) mod civil;
mod layer;
mod shifts;
#[cfg(test)]
mod tests;
pub(crate) mod window;

use jiff::Timestamp;
use jiff::tz::TimeZone;

pub use civil::{BadCivil, Handoff, parse_clock, parse_handoff, parse_weekday};
pub use shifts::{Changes, EDGES_MAX, Gap, SHIFTS_MAX, Shift};

use crate::org::model::{Override, Schedule, Slug};
use crate::org::problem::{Place, Problem};
use layer::CompiledLayer;

/// A schedule, read and ready to answer.
#[derive(Debug, Clone)]
pub struct CompiledSchedule {
    id: Slug,
    zone: TimeZone,
    layers: Vec<CompiledLayer>,
}

/// Who is on call, and why they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnCall {
    /// Nobody, where absent.
    pub person: Option<Slug>,
    /// Which rule says so.
    pub because: Because,
}

/// The rule that decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Because {
    /// A layer.
    Layer {
        /// Its position, from 0.
        index: usize,
        /// Its name, where it has one.
        name: Option<String>,
    },
    /// An override.
    Override {
        /// Its id.
        id: Slug,
    },
    /// No layer is on and nobody took over.
    Nobody,
}

impl std::fmt::Display for Because {
    /// `layer 1`, `layer 2 "nights"`, `override OVR-1`, `nobody is on`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Layer { index, name: None } => write!(f, "layer {}", index + 1),
            Self::Layer { index, name: Some(name) } => write!(f, "layer {} \"{name}\"", index + 1),
            Self::Override { id } => write!(f, "override {id}"),
            Self::Nobody => f.write_str("nobody is on"),
        }
    }
}

impl CompiledSchedule {
    /// Reads a schedule.
    ///
    /// # Errors
    /// Everything that is wrong with it, at places counted from the schedule.
    ///
    /// ```
    /// use allclear_domain::{oncall::CompiledSchedule, org::model::Schedule};
    /// let schedule: Schedule = serde_json::from_value(serde_json::json!({
    ///     "id": "primary", "time_zone": "Europe/Madrid",
    ///     "layers": [{"people": ["ana", "ben"], "every": "1w", "handoff": "Mon 09:00", "starts": "2026-01-05"}],
    /// })).unwrap();
    /// let schedule = CompiledSchedule::compile(&schedule).unwrap();
    /// let at = "2026-01-12T08:00:00Z".parse().unwrap(); // Monday 09:00 in Madrid
    /// assert_eq!(schedule.on_call_at(&[], at).person.as_deref(), Some("ben"));
    /// ```
    pub fn compile(schedule: &Schedule) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let zone = match civil::zone(&schedule.time_zone) {
            Ok(_) if crate::plants::planted("zone-is-utc") => TimeZone::UTC,
            Ok(zone) => zone,
            Err(bad) => {
                problems.push(bad.problem(Place::root().key("time_zone")));
                // The rest is still read, so that everything wrong is told at once.
                TimeZone::UTC
            }
        };
        let mut layers = Vec::with_capacity(schedule.layers.len());
        for (index, form) in schedule.layers.iter().enumerate() {
            match CompiledLayer::compile(form, &zone) {
                Ok(layer) => layers.push(layer),
                Err(found) => {
                    let place = Place::root().key("layers").index(index);
                    problems.extend(found.into_iter().map(|problem| problem.below(&place)));
                }
            }
        }
        if schedule.layers.is_empty() {
            problems.push(
                Problem::error(Place::root().key("layers"), "a schedule without layers has nobody on call")
                    .hint("give at least one layer: `{people: [ana], every: 1w, handoff: \"Mon 09:00\", starts: 2026-01-05}`"),
            );
        }
        if problems.is_empty() { Ok(Self { id: schedule.id.clone(), zone, layers }) } else { Err(problems) }
    }

    /// The schedule's id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The zone in which hand-offs are civil times.
    #[must_use]
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// Who is on call at an instant. Overrides of other schedules may be among those given; of
    /// several that overlap the one made last wins, whatever its times and its id.
    #[must_use]
    pub fn on_call_at(&self, overrides: &[Override], at: Timestamp) -> OnCall {
        self.decided(overrides.iter().filter(|o| o.schedule == self.id), at)
    }

    /// The same, of overrides that are all this schedule's.
    fn decided<'a>(&self, overrides: impl Iterator<Item = &'a Override>, at: Timestamp) -> OnCall {
        let taken = overrides.filter(|o| o.starts_at <= at && at < o.ends_at).max_by(|a, b| {
            let made = if crate::plants::planted("override-by-start") { std::cmp::Ordering::Equal } else { a.made.cmp(&b.made) };
            // One version makes one override; the rest is for forms that were never stored.
            made.then_with(|| (a.starts_at, &a.id).cmp(&(b.starts_at, &b.id)))
        });
        if let Some(o) = taken {
            return OnCall { person: Some(o.person.clone()), because: Because::Override { id: o.id.clone() } };
        }
        for (index, layer) in self.layers.iter().enumerate().rev() {
            if let Some(person) = layer.person_at(&self.zone, at) {
                return OnCall { person: Some(person.clone()), because: Because::Layer { index, name: layer.name.clone() } };
            }
        }
        OnCall { person: None, because: Because::Nobody }
    }
}
