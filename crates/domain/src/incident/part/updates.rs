//! What stakeholders were told of an incident, and when they are told next.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ask::{Ask, Came, Field, Kind, MARKING, May, Program, command};
use crate::event::event_kinds;
use crate::expect::{Rule, Standing};
use crate::ids::IncidentId;
use crate::incident::awaited::{Awaited, KEY_UPDATE};
use crate::incident::lifecycle::{Verb, fits};
use crate::incident::{Context, Decision, Incident, State, nothing, one, words};
use crate::names::Names;
use crate::plants::planted;
use crate::time::{Length, after};
use crate::tlp::Tlp;

/// Longest update, in characters: what a mail program shows without folding it away.
pub const UPDATE_CHARS_MAX: usize = 5_000;
/// After so many updates in a row that did not come, nobody is reminded any more until one comes: the people
/// who could were told three times. Each one that pages when it is missed does so without end ([`pages_when_missed`]).
pub const UPDATES_MISSED_MAX: u32 = 3;

event_kinds! {
    /// A fact; past tense.
    Event {
        Posted(Posted) = "update_posted" [Key],
        Reminded(Reminded) = "update_reminded",
        Missed(Missed) = "update_missed" [Key],
    }
}

/// Body of `update_posted`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Posted {
    /// From 1, within the incident.
    pub number: u32,
    /// Ids of audiences; empty: it only stands in the log.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub audiences: Vec<String>,
    pub text: String,
    /// When the next one is promised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_by: Option<Timestamp>,
    pub org_version: u64,
    /// How far it may go; as the incident where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marking: Option<Tlp>,
    /// The parent whose update it is, where this follows one; nothing of it was sent from here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<Of>,
    /// Whether whom it went to is remembered: the next is promised to them. Never of what earlier versions wrote.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub remembered: bool,
}

/// The incident that an update came from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Of {
    pub incident: IncidentId,
    #[serde(rename = "ref")]
    pub reference: String,
    /// Whether somebody was promised an update here whom this one did not go to: it meets no promise then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub beside: bool,
}

impl Posted {
    /// Whether it is an update of this incident: what somebody wrote here, or what its parent told those who wait for one.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.of.as_ref().is_none_or(|of| !of.beside)
    }
}

/// Body of `update_reminded`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reminded {
    /// When it is due.
    pub due_at: Timestamp,
}

/// Body of `update_missed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Missed {
    /// When it was due.
    pub due_at: Timestamp,
}

/// A command; imperative.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Tells stakeholders.
    Post { audiences: Vec<String>, text: String, next_within: Option<Length>, marking: Option<Tlp> },
    /// Its parent, which it follows, told this.
    Hear(Posted),
    /// An update is due soon.
    Remind { due_at: Timestamp },
    /// No update came in time.
    Miss { due_at: Timestamp },
}

impl Command {
    /// Whether people ask for it as it is; the rest follows from something else.
    pub(in crate::incident) const fn is_asked(&self) -> bool {
        match self {
            Self::Post { .. } => true,
            Self::Hear(_) | Self::Remind { .. } | Self::Miss { .. } => false,
        }
    }
}

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("this incident is private, so no audience is told: leave the audiences out, page people by name, or open it up first")]
    PrivateToAudiences,
    #[error("what is TLP:RED is for those who are named, and an audience is more than that: leave the audiences out")]
    RedToAudiences,
}

impl Refusal {
    /// The stable code of the API.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::PrivateToAudiences => "private_to_audiences",
            Self::RedToAudiences => "red_to_audiences",
        }
    }
}

/// Whether an update that does not come pages people: of something grave that somebody outside could still be told of. Where
/// no audience is set, or all its alerts have recovered and nobody said it was more than these, its people are only told.
#[must_use]
pub fn pages_when_missed(incident: &Incident, has_audiences: bool) -> bool {
    incident.severity.is_grave() && has_audiences && (!incident.recovered || incident.is_a_persons_word())
}

/// What people may ask.
pub(crate) const ASKS: &[Ask] = &[Ask {
    verb: Verb::Update,
    label: "Update",
    says: "Tells stakeholders how it stands",
    press: "Send it",
    body: "UpdateBody",
    programs: &[Program::of("update").places(&["text"])],
    may: May::Responder,
    fields: &[
        Field::needed("text", "the update", "What do they need to know?", Kind::Words { max: UPDATE_CHARS_MAX })
            .hint("What stakeholders are told"),
        Field::may("audiences", "who is told", "To", Kind::Audiences)
            .hint("Ids of audiences; with none it stands in the log only")
            .option("to", "AUDIENCE"),
        Field::may("next_within", "when the next one is promised", "The next one", Kind::Length)
            .hint("When the next one is promised, as in 30m; the severity's cadence unless said")
            .option("next", "LENGTH"),
        MARKING,
    ],
    ways: &[],
    make: |given, _| {
        let audiences = given.list("audiences").unwrap_or_default();
        command(Command::Post {
            audiences,
            text: given.must("text"),
            next_within: given.parsed("next_within"),
            marking: given.parsed("marking"),
        })
    },
    came: Came::Audiences,
}];

pub(in crate::incident) fn decide(incident: &Incident, command: Command, context: Context) -> Decision {
    match command {
        Command::Post { audiences, text, next_within, marking } => {
            let posted =
                Posted { number: 0, audiences, text, next_by: None, org_version: context.org_version, marking, of: None, remembered: true };
            post(incident, posted, next_within, context)
        }
        Command::Hear(posted) => hear(incident, posted, context),
        Command::Remind { due_at } if incident.state.is_open() => one(Event::Reminded(Reminded { due_at })),
        Command::Miss { due_at } if incident.state.is_open() => one(Event::Missed(Missed { due_at })),
        Command::Remind { .. } | Command::Miss { .. } => nothing(),
    }
}

/// What is promised next: what the writer says, else the cadence; nothing once it is over.
fn post(incident: &Incident, posted: Posted, next_within: Option<Length>, context: Context) -> Decision {
    fits(incident, Verb::Update)?;
    // Messages about it go to those who may see it, and an audience is more than that.
    if posted.marking == Some(Tlp::Red) && !posted.audiences.is_empty() {
        return Err(Refusal::RedToAudiences.into());
    }
    if incident.private && !posted.audiences.is_empty() {
        return Err(Refusal::PrivateToAudiences.into());
    }
    words::needed(&posted.text, "the update")?;
    words::at_most(&posted.text, "the update", UPDATE_CHARS_MAX)?;
    let works = matches!(incident.state, State::Declared | State::Investigating | State::Mitigated);
    let next_by =
        next_within.or(incident.work.cadence()).filter(|length| works && !length.is_zero()).map(|length| after(context.now, length));
    let number = incident.work.updates + 1;
    one(Event::Posted(Posted { number, next_by, ..posted }))
}

/// What its parent told is told of this as well, where it went to everybody who was promised something here. The next is due as
/// its parent says, and no later than by its own cadence.
fn hear(incident: &Incident, heard: Posted, context: Context) -> Decision {
    let works = matches!(incident.state, State::Declared | State::Investigating | State::Mitigated);
    let Some(of) = heard.of.clone().filter(|_| works) else { return nothing() };
    let reached = |told: &BTreeSet<String>| told.iter().all(|audience| heard.audiences.contains(audience));
    // Of what an earlier version sent nobody knows whom it went to.
    let beside = incident.work.told.as_ref().map_or(incident.work.last_update_at.is_some(), |told| !reached(told));
    let own = incident.work.cadence().filter(|every| !every.is_zero()).map(|every| after(context.now, every));
    let next_by = heard.next_by.into_iter().chain(own).min().filter(|_| !beside);
    let number = incident.work.updates + u32::from(!beside);
    one(Event::Posted(Posted { number, next_by, of: Some(Of { beside, ..of }), remembered: false, ..heard }))
}

pub(in crate::incident) fn evolve(incident: &mut Incident, event: &Event, at: Timestamp) {
    match event {
        Event::Posted(body) if !body.counts() => {}
        Event::Posted(body) => {
            incident.work.updates = body.number;
            incident.work.updates_missed = 0;
            incident.work.last_update_at = Some(at);
            incident.work.promised_above = body.of.is_some();
            if body.remembered {
                incident.work.told = Some(body.audiences.iter().cloned().collect());
            }
        }
        Event::Reminded(_) => {}
        Event::Missed(_) => incident.work.updates_missed += 1,
    }
}

/// The next update is due as soon as this, where anything says how often.
pub(in crate::incident) fn await_next(every: Option<Length>, awaited: &mut Awaited) {
    if let Some(every) = every {
        awaited.open(KEY_UPDATE, Rule::UpdateDue, every);
    }
}

pub(in crate::incident) fn react(incident: &Incident, event: &Event, awaited: &mut Awaited) {
    match event {
        Event::Posted(body) if !body.counts() => {}
        Event::Posted(body) => {
            if !planted("update-leaves-timer") {
                awaited.settle(KEY_UPDATE, Standing::Met, "an update was sent");
            }
            if let Some(next_by) = body.next_by {
                awaited.open_until(KEY_UPDATE, Rule::UpdateDue, next_by);
            }
        }
        // The look settles what was missed; the next one is due as soon again.
        Event::Missed(_) if incident.severity.is_grave() || incident.work.updates_missed < UPDATES_MISSED_MAX => {
            await_next(incident.work.cadence(), awaited);
        }
        Event::Missed(_) | Event::Reminded(_) => {}
    }
}

pub(in crate::incident) fn line(event: &Event, names: &Names<'_>) -> String {
    match event {
        Event::Posted(body) => {
            let to: Vec<&str> = body.audiences.iter().map(|id| names.audience(id)).collect();
            let to = if to.is_empty() { "the log only".to_owned() } else { to.join(", ") };
            if let Some(of) = &body.of {
                let owed = if of.beside { " (what was promised here is still owed)" } else { "" };
                return format!("Update of {} to {to}{owed}: {}", of.reference, body.text);
            }
            format!("{} sent update {} to {to}: {}", names.who(), body.number, body.text)
        }
        Event::Reminded(_) => "An update to the stakeholders is due soon".into(),
        Event::Missed(_) => "No update to the stakeholders came in time".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::Sample;
    use super::*;
    use crate::incident::access;

    #[test]
    fn a_missed_update_wakes_people_only_where_somebody_could_be_told() {
        let mut incident = Sample::declared().incident;
        incident.severity = crate::severity::Severity::Sev1;
        "an alert of prom".clone_into(&mut incident.because);
        assert_eq!([true, false].map(|audiences| pages_when_missed(&incident, audiences)), [true, false]);
        incident.recovered = true;
        assert!(!pages_when_missed(&incident, true), "nothing is wrong any more");
        crate::incident::BY_A_PERSON.clone_into(&mut incident.because);
        assert!(pages_when_missed(&incident, true), "somebody said that it is more than its alerts");
        (incident.recovered, incident.severity) = (false, crate::severity::Severity::Sev3);
        assert!(!pages_when_missed(&incident, true));
    }

    #[test]
    fn an_update_promises_the_next_and_three_that_do_not_come_are_enough() {
        let mut sample = Sample::declared();
        let post = |audiences| Command::Post { audiences, text: "we are on it".into(), next_within: None, marking: None };
        let posted = sample.run(post(Vec::new())).unwrap();
        assert_eq!((posted.settled(), posted.opened()), (vec![KEY_UPDATE], vec![KEY_UPDATE]));
        let due_at = sample.at;
        let missed = [1, 2, 3].map(|_| sample.run(Command::Miss { due_at }).unwrap().opened().len());
        assert_eq!(missed, [1, 1, 0]);
        let restrict = access::Command::Restrict { why: "a person is named".into(), people: Vec::new() };
        assert_eq!(sample.after(restrict).refusal(post(vec!["customers".into()])), "private_to_audiences");
    }
}
