//! What the alerts of an incident do to it beside opening and ending it: they join, they recover, silences hold them.
//!
//! Held: every open alert of the incident is held by a silence. While that is so nobody is paged, and the
//! incident has an expectation at the end of the silence that ends first.
//!
//! Not here: which alert is held by which silence (the alert knows), whom a page calls ([`crate::paging`]), and alerts
//! that come back ([`super::flapping`]).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::event::event_kinds;
use crate::expect::{CONFIRM_RECOVERY_WITHIN, Rule, Standing};
use crate::incident::awaited::{Awaited, KEY_CONFIRM, KEY_SILENCED};
use crate::incident::words::Why;
use crate::incident::{self as whole, Decision, Incident, State, ending, nothing, one};
use crate::names::Names;

/// Silences named in one event at most; more are counted by their alerts only.
const SILENCES_NAMED_MAX: usize = 10;

event_kinds! {
    /// A fact; past tense.
    Event {
        Told(Digest) = "alerts_told" [Machinery],
        Recovered(Recovered) = "recovered" [Key],
        ConfirmationMissed(ConfirmationMissed) = "confirmation_missed",
        Silenced(Silenced) = "alerts_silenced",
        Unsilenced(Unsilenced) = "alerts_unsilenced",
    }
}

/// Body of `alerts_told`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Digest {
    /// Joined since the log last told.
    pub joined: u64,
    /// Recovered since the log last told.
    pub recovered: u64,
    /// Open now.
    pub open: u64,
}

/// Body of `recovered`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recovered {
    /// Who is asked to confirm, where somebody is on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ask: Option<String>,
}

/// Body of `confirmation_missed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConfirmationMissed {}

/// Body of `alerts_silenced`: silences hold alerts of it from now on, or hold all that are left.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Silenced {
    /// How many are held since now.
    pub alerts: u64,
    /// Ids of the silences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub silences: Vec<String>,
    /// Where no open alert is left that fires freely: nobody is paged until then at the earliest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_until: Option<Timestamp>,
}

/// Body of `alerts_unsilenced`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Unsilenced {
    /// How many are held no more.
    pub alerts: u64,
    /// Whether silences hold all that is open even so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub held: bool,
}

/// A command; imperative.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Since the log last told of them, this many alerts joined and recovered.
    Tell { joined: u64, recovered: u64, open: u64 },
    /// No alert of it is open any more.
    Recover,
    /// Nobody confirmed the recovery in time.
    MissConfirmation,
    /// Silences hold alerts of it, or hold them no more.
    Silence(Silencing),
}

impl Command {
    /// Whether people ask for it as it is; the rest follows from something else.
    pub(in crate::incident) const fn is_asked(&self) -> bool {
        match self {
            Self::Tell { .. } | Self::Recover | Self::MissConfirmation | Self::Silence(_) => false,
        }
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

pub(in crate::incident) fn decide(incident: &Incident, command: Command) -> Decision {
    match command {
        Command::Tell { joined, recovered, open } => {
            if !incident.state.is_open() || (joined == 0 && recovered == 0) {
                return nothing();
            }
            one(Event::Told(Digest { joined, recovered, open }))
        }
        Command::Recover => Ok(recover(incident)),
        Command::MissConfirmation => {
            if !incident.state.is_open() || !incident.recovered {
                return nothing();
            }
            one(Event::ConfirmationMissed(ConfirmationMissed {}))
        }
        Command::Silence(change) => Ok(silence(incident, change)),
    }
}

/// All alerts are over. Nobody on it: it resolves as recovered by itself. Somebody on it: it
/// stays, and that person is asked to confirm (contract, "Defaults that decide").
fn recover(incident: &Incident) -> Vec<whole::Event> {
    // Whoever was asked gave it back: it counts as never taken, and its end is all that is missing.
    let was_given_back = incident.state == State::Declared;
    if !incident.state.is_open() || (incident.recovered && !was_given_back) {
        return Vec::new();
    }
    let recovered = |ask| Event::Recovered(Recovered { ask }).into();
    match incident.state {
        // What somebody said is theirs to end.
        State::Candidate | State::Declared if incident.is_a_persons_word() => {
            if incident.recovered {
                Vec::new()
            } else {
                vec![recovered(None)]
            }
        }
        State::Candidate => {
            let why = "its alerts recovered before anybody decided".into();
            vec![recovered(None), ending::Event::Cancelled(Why { why }).into()]
        }
        State::Declared => {
            let resolved = ending::Event::Resolved(ending::Resolved { by_itself: true, note: None }).into();
            if incident.recovered { vec![resolved] } else { vec![recovered(None), resolved] }
        }
        // The closed ones are not open, and were sent back above.
        State::Investigating | State::Mitigated | State::Resolved | State::Closed | State::Cancelled | State::Merged => {
            vec![recovered(incident.commander.clone().or_else(|| incident.acknowledged_by.clone()))]
        }
    }
}

/// What silences hold since now, and what they hold no more.
fn silence(incident: &Incident, change: Silencing) -> Vec<whole::Event> {
    if !incident.state.is_open() {
        return Vec::new();
    }
    let (was, is) = (incident.alarms.held_until, change.held_until);
    let mut events = Vec::new();
    if change.unsilenced > 0 || (was.is_some() && is.is_none()) {
        events.push(Event::Unsilenced(Unsilenced { alerts: change.unsilenced, held: is.is_some() }).into());
    }
    if change.silenced > 0 || (is.is_some() && was != is) {
        let mut silences = change.silences;
        silences.sort_unstable();
        silences.dedup();
        silences.truncate(SILENCES_NAMED_MAX);
        events.push(Event::Silenced(Silenced { alerts: change.silenced, silences, held_until: is }).into());
    }
    events
}

pub(in crate::incident) fn evolve(incident: &mut Incident, event: &Event) {
    match event {
        Event::Told(body) => {
            incident.alerts_told += body.joined;
            incident.recoveries_told += body.recovered;
            // What joined and ended meanwhile leaves a recovery a recovery.
            if body.joined > 0 && body.open > 0 {
                incident.recovered = false;
            }
        }
        Event::Recovered(_) => {
            incident.recovered = true;
            // No alert is left that could be held.
            (incident.alarms.held_until, incident.alarms.held_by) = (None, Vec::new());
        }
        Event::ConfirmationMissed(_) => {}
        Event::Silenced(body) => {
            incident.alarms.held_until = body.held_until;
            if body.held_until.is_none() {
                incident.alarms.held_by = Vec::new();
            } else if !body.silences.is_empty() {
                incident.alarms.held_by.clone_from(&body.silences);
            }
        }
        Event::Unsilenced(body) if body.held => {}
        Event::Unsilenced(_) => (incident.alarms.held_until, incident.alarms.held_by) = (None, Vec::new()),
    }
}

pub(in crate::incident) fn react(incident: &Incident, event: &Event, awaited: &mut Awaited) {
    match event {
        Event::Told(body) if body.joined > 0 && body.open > 0 => {
            awaited.settle(KEY_CONFIRM, Standing::Void, "another alert joined");
        }
        // Also where a sender acknowledged without a name and nobody can be asked: the log says
        // then that nobody confirmed. What resolves by itself is resolved by the next event.
        Event::Recovered(_) if matches!(incident.state, State::Investigating | State::Mitigated) => {
            awaited.settle(KEY_SILENCED, Standing::Met, "all alerts have recovered");
            awaited.open(KEY_CONFIRM, Rule::ConfirmRecovery, CONFIRM_RECOVERY_WITHIN);
        }
        Event::Silenced(body) => {
            awaited.settle(KEY_SILENCED, Standing::Void, "other silences hold it");
            if let Some(until) = body.held_until {
                awaited.open_until(KEY_SILENCED, Rule::Silenced, until);
            }
        }
        Event::Unsilenced(body) if !body.held => awaited.settle(KEY_SILENCED, Standing::Met, "an alert is open that no silence holds"),
        Event::Told(_) | Event::Recovered(_) | Event::ConfirmationMissed(_) | Event::Unsilenced(_) => {}
    }
}

pub(in crate::incident) fn line(event: &Event, names: &Names<'_>) -> String {
    match event {
        Event::Told(body) => format!("{} more alerts joined, {} recovered, {} open", body.joined, body.recovered, body.open),
        Event::Recovered(body) => match body.ask.as_deref() {
            None | Some("") => "All alerts have recovered".into(),
            Some(person) => format!("All alerts have recovered; {} is asked to confirm", names.person(person)),
        },
        Event::ConfirmationMissed(_) => "Nobody confirmed the recovery in time".into(),
        Event::Silenced(body) => silenced(body, names),
        Event::Unsilenced(body) => {
            let what = match body.alerts {
                0 => "An alert is open that no silence holds".to_owned(),
                1 => "An alert is held by a silence no more".to_owned(),
                n => format!("{n} alerts are held by a silence no more"),
            };
            if body.held { format!("{what}; silences hold all that is open even so") } else { what }
        }
    }
}

/// What silences hold, and whether anybody is paged.
fn silenced(body: &Silenced, names: &Names<'_>) -> String {
    let by = match body.silences.as_slice() {
        [] => "a silence".to_owned(),
        [one] => format!("silence {one}"),
        many => format!("silences {}", many.join(", ")),
    };
    let held = match body.held_until {
        Some(until) => format!("nobody is paged until {}, while silences hold all that is open", names.clock(until)),
        None => "other alerts fire freely".to_owned(),
    };
    match body.alerts {
        0 => format!("Every open alert is held by {by}; {held}"),
        1 => format!("An alert is held by {by}; {held}"),
        n => format!("{n} alerts are held by {by}; {held}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::Sample;
    use super::*;
    use crate::incident::attendance;

    #[test]
    fn what_nobody_has_resolves_by_itself_and_whoever_has_it_is_asked() {
        let mut nobodys = Sample::declared();
        assert_eq!(nobodys.run(Command::Recover).unwrap().kinds(), ["recovered", "resolved"]);
        let acknowledge = attendance::Command::Acknowledge { by: Some("ana".into()), via: "link".into() };
        let mut anas = Sample::declared().after(acknowledge);
        assert_eq!(anas.run(Command::Recover).unwrap().opened(), [KEY_CONFIRM]);
        let joined = anas.run(Command::Tell { joined: 1, recovered: 0, open: 1 }).unwrap();
        assert_eq!((joined.settled(), anas.incident.recovered), (vec![KEY_CONFIRM], false));
    }

    #[test]
    fn silences_hold_it_until_the_first_of_them_ends() {
        let mut sample = Sample::declared();
        let until = crate::time::after(sample.at, crate::time::Length::from_mins(60));
        let held = Silencing { silenced: 2, silences: vec!["b".into(), "a".into(), "a".into()], unsilenced: 0, held_until: Some(until) };
        assert_eq!(sample.run(Command::Silence(held)).unwrap().opened(), [KEY_SILENCED]);
        assert_eq!(sample.incident.alarms.held_by, ["a", "b"]);
        let over = sample.run(Command::Silence(Silencing::default())).unwrap();
        assert_eq!((over.kinds(), over.settled()), (vec!["alerts_unsilenced"], vec![KEY_SILENCED]));
        assert!(!sample.incident.alarms.is_held());
    }
}
