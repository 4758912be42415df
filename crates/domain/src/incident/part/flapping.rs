//! Alerts that come back soon after they ended.
//!
//! One that does joins the incident it had, which is opened again where it had ended by itself only; one that does
//! so again and again flaps, and holds its incident open until it has been quiet for a while.

use serde::{Deserialize, Serialize};

use crate::event::event_kinds;
use crate::expect::{CANDIDATE_WITHIN, Rule, Standing};
use crate::ids::AlertId;
use crate::incident::awaited::{Awaited, KEY_CANDIDATE, KEY_CONFIRM, KEY_FLAPPING, KEY_OVER};
use crate::incident::ending;
use crate::incident::lifecycle::{self, Refusal, Verb, fits};
use crate::incident::work::Hold;
use crate::incident::{Decision, Incident, State, nothing, one};
use crate::time::Length;

/// An alert flaps when it has come back more often than this in a row.
pub const RETURNS_BEFORE_FLAPPING: u32 = 3;

event_kinds! {
    /// A fact; past tense.
    Event {
        Returned(Returned) = "alert_returned",
        Flapping(Flapping) = "flapping",
        Steadied(Steadied) = "steadied",
    }
}

/// Body of `alert_returned`: an alert that had ended came back within its grace.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Returned {
    pub alert: AlertId,
    pub title: String,
    /// How often in a row, with this time.
    pub returns: u32,
    /// Whether the incident had ended by itself, and is open again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reopened: bool,
}

/// Body of `flapping`: it comes and goes, and counts as firing until it has been quiet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Flapping {
    pub alert: AlertId,
    pub title: String,
    pub returns: u32,
    /// How long it has to stay as it is.
    pub quiet_for: Length,
}

/// Body of `steadied`: nothing changed for that long.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Steadied {
    /// Alerts that are open: it fires steadily.
    pub open: u64,
}

/// A command; imperative.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// An alert that had ended came back.
    Return(Return),
    /// Nothing changed for as long as what flaps has to be quiet; so many alerts are open.
    Steady { open: u64 },
}

impl Command {
    /// Whether people ask for it as it is; the rest follows from something else.
    pub(in crate::incident) const fn is_asked(&self) -> bool {
        match self {
            Self::Return(_) | Self::Steady { .. } => false,
        }
    }
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

pub(in crate::incident) fn decide(incident: &Incident, command: Command) -> Decision {
    match command {
        Command::Return(back) => returned(incident, back),
        Command::Steady { open } => {
            if incident.alarms.flapping.is_none() || !incident.state.is_open() {
                return nothing();
            }
            one(Event::Steadied(Steadied { open }))
        }
    }
}

fn returned(incident: &Incident, back: Return) -> Decision {
    fits(incident, Verb::Return)?;
    if !takes_back(incident) {
        // Somebody ended it by hand: what comes after is new.
        let ended = if incident.state == State::Cancelled { Refusal::AlreadyCancelled } else { Refusal::AlreadyResolved };
        return Err(ended.into());
    }
    let reopened = !incident.state.is_open();
    let Return { alert, title, returns, grace } = back;
    let mut events = vec![Event::Returned(Returned { alert, title: title.clone(), returns, reopened }).into()];
    if returns > RETURNS_BEFORE_FLAPPING && incident.alarms.flapping.is_none() {
        events.push(Event::Flapping(Flapping { alert, title, returns, quiet_for: grace }).into());
    }
    Ok(events)
}

pub(in crate::incident) fn evolve(incident: &mut Incident, event: &Event) {
    match event {
        Event::Returned(body) => {
            if body.reopened {
                incident.state = lifecycle::after(incident, Verb::Return);
                (incident.resolved_at, incident.closed_at) = (None, None);
                incident.work.updates_missed = 0;
                // Whoever had command when it ended thinks it is over.
                incident.work.hold = Hold { lost: incident.commander.is_some(), ..Hold::default() };
            }
            incident.alarms.by_itself = false;
            incident.alarms.returns += 1;
            incident.recovered = false;
            // This line is what the log is told of it.
            incident.alerts_told += 1;
        }
        Event::Flapping(body) => incident.alarms.flapping = Some(body.quiet_for),
        Event::Steadied(_) => incident.alarms.flapping = None,
    }
}

pub(in crate::incident) fn react(incident: &Incident, event: &Event, awaited: &mut Awaited) {
    match event {
        Event::Returned(body) => {
            awaited.settle(KEY_CONFIRM, Standing::Void, "an alert came back");
            awaited.settle(KEY_OVER, Standing::Void, "an alert came back");
            if body.reopened && incident.state == State::Candidate {
                awaited.open(KEY_CANDIDATE, Rule::Candidate, CANDIDATE_WITHIN);
            } else if body.reopened {
                // Where stakeholders were told of it they wait for more.
                let every = incident.work.cadence().filter(|_| incident.work.last_update_at.is_some());
                ending::await_again(incident, every, awaited);
            }
            if let Some(quiet_for) = incident.alarms.flapping {
                awaited.settle(KEY_FLAPPING, Standing::Void, "an alert came back");
                awaited.open(KEY_FLAPPING, Rule::Flapping, quiet_for);
            }
        }
        Event::Flapping(body) => awaited.open(KEY_FLAPPING, Rule::Flapping, body.quiet_for),
        Event::Steadied(_) => awaited.settle(KEY_FLAPPING, Standing::Met, "it was quiet for long enough"),
    }
}

pub(in crate::incident) fn line(event: &Event) -> String {
    match event {
        Event::Returned(body) => {
            let times = if body.returns > 1 { format!(" for the {} time in a row", nth(body.returns)) } else { String::new() };
            let opened = if body.reopened { "; the incident is open again" } else { "" };
            format!("{} came back{times}{opened}", body.title)
        }
        Event::Flapping(body) => format!(
            "{} flaps: it came back {} times in a row, and counts as firing until it has been quiet for {}",
            body.title, body.returns, body.quiet_for
        ),
        Event::Steadied(body) => match body.open {
            0 => "It flaps no more: it has been quiet for long enough".into(),
            n => format!("It flaps no more: it fires steadily, {n} open"),
        },
    }
}

/// `2nd`, `11th`.
fn nth(n: u32) -> String {
    let ending = match (n % 10, n % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{n}{ending}")
}

#[cfg(test)]
mod tests {
    use super::super::sample::Sample;
    use super::*;
    use crate::expect::GRACE_DEFAULT;
    use crate::incident::{alarms, ending};

    #[test]
    fn the_eleventh_time_is_not_the_11st() {
        assert_eq!([1, 2, 3, 4, 11, 12, 13, 21, 112].map(nth), ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "112th"]);
    }

    #[test]
    fn what_ended_by_itself_is_opened_again_and_flaps_after_three_returns() {
        let mut sample = Sample::declared().after(alarms::Command::Recover);
        let back = |returns| Command::Return(Return { alert: AlertId::from_bits(3), title: "5xx".into(), returns, grace: GRACE_DEFAULT });
        assert_eq!(sample.run(back(1)).unwrap().kinds(), ["alert_returned"]);
        assert_eq!(sample.incident.state, State::Declared);
        let flaps = sample.run(back(RETURNS_BEFORE_FLAPPING + 1)).unwrap();
        assert_eq!(flaps.kinds(), ["alert_returned", "flapping"]);
        assert_eq!(flaps.opened(), [KEY_FLAPPING]);
        let mut ended = sample.after(ending::Command::Resolve { note: None, waive: None });
        assert_eq!(ended.refusal(back(1)), "already_resolved", "somebody ended it: what comes after is new");
    }
}
