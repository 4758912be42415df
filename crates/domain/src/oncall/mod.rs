//! Who is on call: the one resolver, for the page, the screen, the API and the calendar feed.
//!
//! A schedule has layers; a layer is a rotation of people whose turns begin at civil hand-offs in
//! the schedule's zone. Of several layers the last with someone on has the turn. Overrides change
//! that for a time: of those that replace, or have nobody on, the one made last decides instead of
//! the layers; those that add have their people on besides.
//!
//! Several may be on at once, in one order: who has the turn, then who was added, in the order in
//! which those overrides were made; each person once. Where nobody has the turn the first who was
//! added stands first. An override that has nobody on switches off what was made before it: who was
//! added before is off too, who is added after it is on.
//!
//! Invariants:
//! - At every instant there is one answer, and it is reached in time independent of how long the
//!   rotation has run: the turn's number is estimated from the calendar and corrected.
//! - Turn `k` begins at the hand-off `k × every` after the first hand-off on or after `starts`. How
//!   hand-offs are counted is said in `turns.rs`: on the wall clock, in months, in working days, or
//!   in hours that pass. Turns of `12h` from 09:00 hand over at 09:00 and 21:00 all year, and the
//!   turn in which the clocks change is an hour shorter or longer, unless they count what passes.
//! - A civil time that does not exist (clocks go forward) is the first instant after the gap; one
//!   that exists twice (clocks go back) is its first occurrence. So a day that a zone skipped
//!   altogether, or an hour for turns of hours, may leave a turn without any time: that turn does
//!   not happen, its person is passed over, and no shift of no length is ever reported.
//! - A restriction switches its layer off; it does not move the turns.
//! - Calendars that others keep stand above the layers (`feed.rs`): where one has several on, the first of them has the turn.
//! - While a temporary schedule holds, its layers stand in the place of all of the schedule's (`temporary.rs`); overrides hold over
//!   them alike.
//!
//! It does not check that people exist ([`crate::org::check`] does) and knows no contact methods.

pub(crate) mod civil;
mod compare;
mod feed;
mod lanes;
mod layer;
mod moved;
mod names;
mod shifts;
mod temporary;
#[cfg(test)]
mod tests;
mod turns;
pub(crate) mod window;

use jiff::Timestamp;
use jiff::tz::TimeZone;

pub use civil::{BadCivil, Handoff, day_begins, parse_clock, parse_handoff, parse_weekday};
pub use compare::{DIFFERENCES_MAX, Difference, Differences, Side, differences};
pub use feed::{FeedState, Feeds, STRANGERS_MAX, Source, Stranger};
pub use lanes::{Lane, Turn};
pub use moved::{Moved, Span};
pub use names::Names;
pub use shifts::{Changes, EDGES_MAX, Gap, NEXT_AHEAD, SHIFTS_MAX, Shift};
pub use temporary::{TemporaryLane, begun_at};

use crate::org::forms::calendar::Calendars;
use crate::org::model::{Effect, Override, Schedule, Slug};
use crate::org::problem::{Place, Problem};
use feed::FeedLayer;
use layer::CompiledLayer;
use temporary::Temporary;

/// A schedule, read and ready to answer.
#[derive(Debug, Clone)]
pub struct CompiledSchedule {
    id: Slug,
    zone: TimeZone,
    layers: Vec<CompiledLayer>,
    /// Above the layers; of several the last with someone on counts.
    feeds: Vec<FeedLayer>,
    /// By their start.
    temporary: Vec<Temporary>,
}

/// Who is on call, and why they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnCall {
    /// The first; nobody is on, where absent.
    pub person: Option<Slug>,
    /// Which rule says so.
    pub because: Because,
    /// Who is on besides, by which rule: whom overrides add, and of a calendar that others keep all but the first.
    pub besides: Vec<(Slug, Because)>,
}

impl OnCall {
    /// Everybody who is on, each once, in order.
    pub fn people(&self) -> impl Iterator<Item = &Slug> {
        self.with_rules().map(|(person, _)| person)
    }

    /// The same, with the rule that has them on.
    pub fn with_rules(&self) -> impl Iterator<Item = (&Slug, &Because)> {
        self.person.iter().map(|person| (person, &self.because)).chain(self.besides.iter().map(|(person, because)| (person, because)))
    }

    /// Whether somebody is among them.
    #[must_use]
    pub fn has(&self, person: &str) -> bool {
        self.people().any(|on| on == person)
    }

    /// Whether the same people are on, in the same order, whatever the rules.
    #[must_use]
    pub fn same_people(&self, other: &Self) -> bool {
        self.people().eq(other.people())
    }
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
    /// A calendar that others keep.
    Feed {
        /// Its position above the layers, from 0.
        index: usize,
        /// What it is called.
        name: String,
    },
    /// A layer of a temporary schedule.
    Temporary {
        /// Its id.
        id: Slug,
        /// Its name, where it has one.
        name: Option<String>,
        /// The position of the layer, from 0.
        index: usize,
    },
    /// An override that replaces.
    Override {
        /// Its id.
        id: Slug,
    },
    /// An override that adds.
    Added {
        /// Its id.
        id: Slug,
    },
    /// An override that has nobody on.
    Off {
        /// Its id.
        id: Slug,
    },
    /// No layer is on and nobody took over.
    Nobody,
}

impl std::fmt::Display for Because {
    /// `layer 1`, `layer 2 "nights"`, `calendar "Rota"`, `temporary schedule "Christmas"`, `override OVR-1`, `added by override OVR-2`, `override OVR-3 has nobody on`, `nobody is on`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Layer { index, name: None } => write!(f, "layer {}", index + 1),
            Self::Layer { index, name: Some(name) } => write!(f, "layer {} \"{name}\"", index + 1),
            Self::Feed { name, .. } => write!(f, "calendar \"{name}\""),
            Self::Temporary { id, name, index } => {
                match name {
                    Some(name) => write!(f, "temporary schedule \"{name}\"")?,
                    None => write!(f, "temporary schedule {id}")?,
                }
                if *index == 0 { Ok(()) } else { write!(f, ", layer {}", index + 1) }
            }
            Self::Override { id } => write!(f, "override {id}"),
            Self::Added { id } => write!(f, "added by override {id}"),
            Self::Off { id } => write!(f, "override {id} has nobody on"),
            Self::Nobody => f.write_str("nobody is on"),
        }
    }
}

impl CompiledSchedule {
    /// Reads a schedule. `calendars` are those whose open days its turns of working days may count.
    ///
    /// # Errors
    /// Everything that is wrong with it, at places counted from the schedule.
    ///
    /// ```
    /// use allclear_domain::oncall::CompiledSchedule;
    /// use allclear_domain::org::{forms::calendar::Calendars, model::Schedule};
    /// let schedule: Schedule = serde_json::from_value(serde_json::json!({
    ///     "id": "primary", "time_zone": "Europe/Madrid",
    ///     "layers": [{"people": ["ana", "ben"], "every": "1w", "handoff": "Mon 09:00", "starts": "2026-01-05"}],
    /// })).unwrap();
    /// let schedule = CompiledSchedule::compile(&schedule, &Calendars::new()).unwrap();
    /// let at = "2026-01-12T08:00:00Z".parse().unwrap(); // Monday 09:00 in Madrid
    /// assert_eq!(schedule.on_call_at(&[], at).person.as_deref(), Some("ben"));
    /// ```
    pub fn compile(schedule: &Schedule, calendars: &Calendars) -> Result<Self, Vec<Problem>> {
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
            match CompiledLayer::compile(form, &zone, calendars) {
                Ok(layer) => layers.push(layer),
                Err(found) => {
                    let place = Place::root().key("layers").index(index);
                    problems.extend(found.into_iter().map(|problem| problem.below(&place)));
                }
            }
        }
        if schedule.layers.is_empty() && schedule.external_calendars.is_empty() {
            problems.push(
                Problem::error(Place::root().key("layers"), "a schedule without layers has nobody on call")
                    .hint("give at least one layer: `{people: [ana], every: 1w, handoff: \"Mon 09:00\", starts: 2026-01-05}`"),
            );
        }
        if problems.is_empty() {
            Ok(Self { id: schedule.id.clone(), zone, layers, feeds: Vec::new(), temporary: Vec::new() })
        } else {
            Err(problems)
        }
    }

    /// Takes in the calendars that others keep and the schedule names; one that is not there is passed over, and a check names it.
    #[must_use]
    pub fn fed(mut self, schedule: &Schedule, feeds: &Feeds) -> Self {
        let named = schedule.external_calendars.iter().filter_map(|id| feeds.sources.get(id));
        self.feeds = named.map(|source| FeedLayer::read(source, &feeds.names, &self.zone)).collect();
        self
    }

    /// What there is of each of the calendars that others keep, in their order.
    #[must_use]
    pub fn feed_states(&self) -> Vec<FeedState> {
        self.feeds.iter().map(FeedLayer::state).collect()
    }

    /// What those calendars say between two instants of people who are not known, in order; and whether more takes place than is read.
    #[must_use]
    pub fn strangers(&self, from: Timestamp, to: Timestamp) -> (Vec<Stranger>, bool) {
        let (mut out, mut is_cut) = (Vec::new(), false);
        for feed in &self.feeds {
            let (found, cut) = feed.strangers(from, to);
            out.extend(found);
            is_cut |= cut;
        }
        out.sort_by_key(|one| one.starts_at);
        out.truncate(STRANGERS_MAX);
        (out, is_cut)
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
    /// several that replace at once the one made last wins, whatever its times and its id.
    #[must_use]
    pub fn on_call_at(&self, overrides: &[Override], at: Timestamp) -> OnCall {
        self.decided(overrides.iter().filter(|o| o.schedule == self.id), at)
    }

    /// The same, of overrides that are all this schedule's.
    fn decided<'a>(&self, overrides: impl Iterator<Item = &'a Override>, at: Timestamp) -> OnCall {
        let mut holding: Vec<&Override> = overrides.filter(|change| change.holds_at(at)).collect();
        holding.sort_by(|a, b| a.by_making(b));
        let taken = holding.iter().rposition(|change| change.effect != Effect::Adds);
        let off = holding.iter().rposition(|change| change.effect == Effect::Nobody);
        let mut besides = Vec::new();
        let (person, because) = match taken.map(|place| holding[place]) {
            Some(change) => match change.whom() {
                Some(person) => (Some(person.clone()), Because::Override { id: change.id.clone() }),
                None => (None, Because::Off { id: change.id.clone() }),
            },
            None => {
                let (mut people, because) = self.by_layers(at);
                let first = if people.is_empty() { None } else { Some(people.remove(0)) };
                besides = people.into_iter().map(|person| (person, because.clone())).collect();
                (first, because)
            }
        };
        let mut on_call = OnCall { person, because, besides };
        // What was made before the schedule was switched off is off with it.
        for change in holding[off.map_or(0, |place| place + 1)..].iter().filter(|change| change.effect == Effect::Adds) {
            if on_call.has(&change.person) {
                continue;
            }
            let because = Because::Added { id: change.id.clone() };
            if on_call.person.is_none() {
                (on_call.person, on_call.because) = (Some(change.person.clone()), because);
            } else {
                on_call.besides.push((change.person.clone(), because));
            }
        }
        on_call
    }
}
