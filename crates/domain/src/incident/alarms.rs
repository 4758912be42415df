//! What the alerts of an incident do to it beside opening and ending: silences hold them, and they come back.
//!
//! Held: every open alert of the incident is held by a silence. While that is so nobody is paged, and the
//! incident has an expectation at the end of the silence that ends first. An alert that comes back soon after
//! it ended joins the incident it had, which is opened again where it had ended by itself only; one that does
//! so again and again flaps, and holds its incident open until it has been quiet for a while.
//!
//! Not here: which alert is held by which silence (the alert knows), and whom a page calls ([`crate::paging`]).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::decide::{Refusal, fits};
use super::event::{AlertReturned, AlertsSilenced, AlertsUnsilenced, Event, Flapping, Steadied};
use super::lifecycle::Verb;
use super::types::{Incident, State};
use crate::ids::AlertId;
use crate::time::Length;

/// An alert that comes back this soon after it ended is the same trouble still, where its route says nothing
/// else. Alertmanager keeps its group for as long (`group_interval`: 5 min) before it tells anew.
pub const GRACE_DEFAULT: Length = Length::from_mins(5);
/// The longest grace that a route can give: what comes back after a day is looked at as something new.
pub const GRACE_MAX: Length = Length::from_mins(24 * 60);
/// An alert flaps when it has come back more often than this in a row.
pub const RETURNS_BEFORE_FLAPPING: u32 = 3;
/// Silences named in one event at most; more are counted by their alerts only.
const SILENCES_NAMED_MAX: usize = 10;

/// The folded part of an incident that its alerts make.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Alarms {
    /// While silences hold every open alert: when the first of them ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_until: Option<Timestamp>,
    /// Which silences those are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub held_by: Vec<String>,
    /// How often an alert of it came back.
    #[serde(skip_serializing_if = "is_zero")]
    pub returns: u32,
    /// Whether it ended by itself, so that an alert that comes back opens it again.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub by_itself: bool,
    /// While an alert of it flaps: how long it has to be quiet to count as steady.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flapping: Option<Length>,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde's way
const fn is_zero(n: &u32) -> bool {
    *n == 0
}

impl Alarms {
    /// Whether nobody is paged, since silences hold every open alert.
    #[must_use]
    pub const fn is_held(&self) -> bool {
        self.held_until.is_some()
    }
}

/// What became of an incident's alerts by its silences.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Silencing {
    /// Alerts that are held since now, and by which silences.
    pub silenced: u64,
    pub silences: Vec<String>,
    /// Alerts that were held, and are no more.
    pub unsilenced: u64,
    /// Whether silences hold every open alert now, and until when.
    pub held_until: Option<Timestamp>,
}

/// An alert that came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Return {
    pub alert: AlertId,
    pub title: String,
    /// How often in a row, with this time.
    pub returns: u32,
    /// How soon it must come back to count as the same trouble.
    pub grace: Length,
}

/// Whether an alert that comes back joins this incident: it is open, or it ended by itself alone.
#[must_use]
pub fn takes_back(incident: &Incident) -> bool {
    match incident.state {
        State::Resolved => incident.alarms.by_itself,
        // A candidate whose alerts recovered before anybody decided.
        State::Cancelled => incident.declared_at.is_none() && incident.recovered,
        State::Closed | State::Merged => false,
        State::Candidate | State::Declared | State::Investigating | State::Mitigated => true,
    }
}

pub(super) fn silencing(incident: &Incident, change: Silencing) -> Vec<Event> {
    if !incident.state.is_open() {
        return Vec::new();
    }
    let (was, is) = (incident.alarms.held_until, change.held_until);
    let mut events = Vec::new();
    if change.unsilenced > 0 || (was.is_some() && is.is_none()) {
        events.push(Event::AlertsUnsilenced(AlertsUnsilenced { alerts: change.unsilenced, held: is.is_some() }));
    }
    if change.silenced > 0 || (is.is_some() && was != is) {
        let mut silences = change.silences;
        silences.sort_unstable();
        silences.dedup();
        silences.truncate(SILENCES_NAMED_MAX);
        events.push(Event::AlertsSilenced(AlertsSilenced { alerts: change.silenced, silences, held_until: is }));
    }
    events
}

pub(super) fn returned(incident: &Incident, back: Return) -> Result<Vec<Event>, Refusal> {
    fits(incident, Verb::Return)?;
    if !takes_back(incident) {
        // Somebody ended it by hand: what comes after is new.
        return Err(if incident.state == State::Cancelled { Refusal::AlreadyCancelled } else { Refusal::AlreadyResolved });
    }
    let reopened = !incident.state.is_open();
    let Return { alert, title, returns, grace } = back;
    let mut events = vec![Event::AlertReturned(AlertReturned { alert, title: title.clone(), returns, reopened })];
    if returns > RETURNS_BEFORE_FLAPPING && incident.alarms.flapping.is_none() {
        events.push(Event::Flapping(Flapping { alert, title, returns, quiet_for: grace }));
    }
    Ok(events)
}

pub(super) fn steadied(incident: &Incident, open: u64) -> Vec<Event> {
    if incident.alarms.flapping.is_none() || !incident.state.is_open() {
        return Vec::new();
    }
    vec![Event::Steadied(Steadied { open })]
}
