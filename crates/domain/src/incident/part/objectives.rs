//! How long the services of an incident may be affected: their recovery time objective and maximum tolerable period, counted from
//! the impact's start, or from when they were hit themselves where that is known, so that a breach is seen before it happens.
//!
//! An objective counts while the incident is open and its service is affected; what ends it otherwise is said in the log. What was
//! missed stays missed. It is counted anew after whatever moves it ([`moves`]), by the organisation as it is then.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::event::{Mode, event_kinds};
use crate::expect::{Key, Rule, Standing};
use crate::incident::awaited::Awaited;
use crate::incident::objective::{Objective, ObjectiveKind};
use crate::incident::work::Impact;
use crate::incident::{
    Context, Decision, Event as Any, Incident, State, affected, declaration, ending, flapping, links, nothing, one, record,
};
use crate::names::Names;
use crate::org::snapshot::Org;
use crate::plants::planted;
use crate::time::{Length, after};

event_kinds! {
    /// A fact; past tense.
    Event {
        Set(Set) = "objectives_set",
        Ended(Ended) = "objectives_ended",
        Warned(Warned) = "objective_warned",
        Missed(Missed) = "objective_missed" [Key],
    }
}

/// Body of `objectives_set`: what counts from now on, or counts otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Set {
    pub objectives: Vec<Counted>,
}

/// An objective of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    pub service: String,
    pub kind: ObjectiveKind,
    pub within: Length,
    pub from: Timestamp,
    pub due_at: Timestamp,
}

/// Body of `objectives_ended`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ended {
    pub ended: Vec<Named>,
}

/// Which one ended, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Named {
    pub service: String,
    pub kind: ObjectiveKind,
    pub because: Because,
}

/// Why an objective ended before the incident did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Because {
    /// The service is not affected any more.
    Recovered,
    /// The organisation has no such service any more.
    Gone,
    /// The service has no such objective, or the incident is of another.
    NotSet,
}

impl Because {
    const fn words(self) -> &'static str {
        match self {
            Self::Recovered => "it is not affected any more",
            Self::Gone => "the organisation has no such service any more",
            Self::NotSet => "none is set for what is affected",
        }
    }
}

/// Body of `objective_warned`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Warned {
    pub service: String,
    pub kind: ObjectiveKind,
    pub due_at: Timestamp,
}

/// Body of `objective_missed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Missed {
    pub service: String,
    pub kind: ObjectiveKind,
    pub within: Length,
    pub due_at: Timestamp,
}

/// A command; imperative. Nobody asks for one: they follow.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// What is affected, or since when, is otherwise.
    Count,
    /// Most of the time is over.
    Warn { service: String, kind: ObjectiveKind },
    /// All of it is.
    Miss { service: String, kind: ObjectiveKind },
}

impl Command {
    /// Whether people ask for it as it is.
    pub(in crate::incident) const fn is_asked(&self) -> bool {
        match self {
            Self::Count | Self::Warn { .. } | Self::Miss { .. } => false,
        }
    }
}

/// Whether objectives are counted anew after an event.
#[must_use]
pub const fn moves(event: &Any) -> bool {
    matches!(
        event,
        Any::Declaration(declaration::Event::Declared(_) | declaration::Event::Promoted(_))
            | Any::Affected(affected::Event::ServiceChanged(_) | affected::Event::ImpactChanged(_))
            | Any::Ending(ending::Event::Reopened(_))
            | Any::Record(record::Event::TimeCorrected(_))
            | Any::Links(links::Event::TakenApart(_))
            | Any::Flapping(flapping::Event::Returned(_))
    )
}

const fn counts(state: State) -> bool {
    matches!(state, State::Declared | State::Investigating | State::Mitigated)
}

/// What counts for an incident now, by the organisation.
fn counted(org: &Org, incident: &Incident) -> Vec<Counted> {
    let began = incident.impact_started_at.or(incident.declared_at).filter(|_| counts(incident.state) && incident.mode == Mode::Live);
    let Some(began) = began else { return Vec::new() };
    let said = &incident.work.affected;
    let own = incident.service.as_ref().filter(|own| said.get(*own) != Some(&Impact::None));
    let affected: BTreeSet<&String> = said.iter().filter(|(_, impact)| **impact != Impact::None).map(|(id, _)| id).chain(own).collect();
    let mut out = Vec::new();
    for service in affected.into_iter().filter_map(|id| org.service(id)) {
        let from = incident.work.affected_since.get(&service.id).copied().unwrap_or(began);
        for (kind, within) in service.objectives() {
            out.push(Counted { service: service.id.clone(), kind, within, from, due_at: after(from, within) });
        }
    }
    out
}

pub(in crate::incident) fn decide(incident: &Incident, command: Command, context: Context) -> Decision {
    let live = |service: &str, kind| incident.work.objectives.iter().find(|one| one.is_live() && one.is(service, kind));
    match command {
        Command::Count => Ok(count(incident, context.org)),
        Command::Warn { service, kind } => {
            match live(&service, kind).filter(|one| !one.warned && one.missed_at.is_none() && one.warn_at() <= context.now) {
                Some(due) => one(Event::Warned(Warned { due_at: due.due_at, service, kind })),
                None => nothing(),
            }
        }
        Command::Miss { service, kind } => match live(&service, kind).filter(|one| one.missed_at.is_none() && one.due_at <= context.now) {
            Some(due) => one(Event::Missed(Missed { within: due.within, due_at: due.due_at, service, kind })),
            None => nothing(),
        },
    }
}

fn count(incident: &Incident, org: &Org) -> Vec<Any> {
    let list = counted(org, incident);
    let known = &incident.work.objectives;
    let is_known = |one: &Counted| {
        known
            .iter()
            .any(|other| other.is_live() && other.is(&one.service, one.kind) && (other.within, other.from) == (one.within, one.from))
    };
    let ends = |one: &&Objective| one.is_live() && !list.iter().any(|other| one.is(&other.service, other.kind));
    let because = |service: &String| match () {
        () if org.service(service).is_none() => Because::Gone,
        () if incident.work.affected.get(service) == Some(&Impact::None) => Because::Recovered,
        () => Because::NotSet,
    };
    let named = |one: &Objective| Named { service: one.service.clone(), kind: one.kind, because: because(&one.service) };
    let ended: Vec<Named> = known.iter().filter(ends).map(named).collect();
    let objectives: Vec<Counted> = list.into_iter().filter(|one| !is_known(one)).collect();
    let mut events = Vec::new();
    if !ended.is_empty() {
        events.push(Event::Ended(Ended { ended }).into());
    }
    if !objectives.is_empty() {
        events.push(Event::Set(Set { objectives }).into());
    }
    events
}

/// Whatever ends an incident ends what counts.
pub(in crate::incident) fn hear(incident: &mut Incident, at: Timestamp) {
    if counts(incident.state) {
        return;
    }
    for one in incident.work.objectives.iter_mut().filter(|one| one.is_live()) {
        // Nobody may have looked yet.
        if one.due_at < at {
            one.missed_at.get_or_insert(at);
        }
        one.ended_at = Some(at);
    }
}

pub(in crate::incident) fn evolve(incident: &mut Incident, event: &Event, at: Timestamp) {
    let list = &mut incident.work.objectives;
    match event {
        Event::Set(body) => {
            for one in &body.objectives {
                let known = list.iter().find(|known| known.is(&one.service, one.kind)).cloned();
                list.retain(|known| !known.is(&one.service, one.kind));
                let Counted { service, kind, within, from, due_at } = one.clone();
                let missed_at = known.as_ref().and_then(|known| known.missed_at);
                // Of a time that ends when it did nobody is told twice.
                let warned = known.is_some_and(|known| known.warned && known.due_at == due_at);
                list.push(Objective { service, kind, within, from, due_at, warned, missed_at, ended_at: None });
            }
        }
        Event::Ended(body) => {
            for named in &body.ended {
                for one in list.iter_mut().filter(|one| one.is(&named.service, named.kind)) {
                    one.ended_at.get_or_insert(at);
                }
            }
        }
        Event::Warned(body) => list.iter_mut().filter(|one| one.is(&body.service, body.kind)).for_each(|one| one.warned = true),
        Event::Missed(body) => {
            for one in list.iter_mut().filter(|one| one.is(&body.service, body.kind)) {
                one.missed_at.get_or_insert(at);
            }
        }
    }
}

fn key(service: &str, kind: ObjectiveKind) -> String {
    Key::Objective { kind: kind.word().to_owned(), service: service.to_owned() }.to_string()
}

pub(in crate::incident) fn react(incident: &Incident, event: &Event, awaited: &mut Awaited) {
    match event {
        Event::Set(body) => {
            for one in &body.objectives {
                let key = key(&one.service, one.kind);
                awaited.settle(&key, Standing::Void, "its time was counted anew");
                let known = incident.work.objectives.iter().find(|known| known.is(&one.service, one.kind));
                if let Some(known) = known.filter(|known| known.missed_at.is_none()) {
                    let look_at = if known.warned { known.due_at } else { known.warn_at() };
                    awaited.open_looked(&key, Rule::Objective, known.due_at, look_at);
                }
            }
        }
        Event::Ended(_) if planted("objective-recovered-leaves-timer") => {}
        Event::Ended(body) => {
            for named in &body.ended {
                let standing = if named.because == Because::Recovered { Standing::Met } else { Standing::Void };
                awaited.settle(&key(&named.service, named.kind), standing, named.because.words());
            }
        }
        Event::Warned(_) => {}
        Event::Missed(body) => awaited.settle(&key(&body.service, body.kind), Standing::Missed, "it did not recover in time"),
    }
}

pub(in crate::incident) fn line(event: &Event, names: &Names<'_>) -> String {
    match event {
        Event::Set(body) => {
            let one = |one: &Counted| format!("{} of {} by {}", one.kind, names.service(&one.service), names.clock(one.due_at));
            body.objectives.iter().map(one).collect::<Vec<_>>().join("; ")
        }
        Event::Ended(body) => {
            let one = |one: &Named| format!("{} of {} ends: {}", one.kind, names.service(&one.service), one.because.words());
            body.ended.iter().map(one).collect::<Vec<_>>().join("; ")
        }
        Event::Warned(body) => {
            format!("{} of {}: 80 % of it is over; by {}", body.kind, names.service(&body.service), names.clock(body.due_at))
        }
        Event::Missed(body) => {
            let service = names.service(&body.service);
            format!("{} of {service} missed: {}, which ended at {}", body.kind, body.within, names.clock(body.due_at))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::Sample;
    use super::*;

    fn affect(service: &str, impact: Impact) -> affected::Command {
        affected::Command::SetImpact { service: service.into(), impact, since: None, why: None }
    }

    /// A command, and the count that the engine makes after it.
    fn act(sample: &mut Sample, command: impl Into<crate::incident::Command>) -> Vec<&'static str> {
        let happened = sample.run(command).unwrap();
        if happened.events.iter().any(moves) { sample.run(Command::Count).unwrap().kinds() } else { Vec::new() }
    }

    fn pay() -> (String, ObjectiveKind) {
        ("pay".into(), ObjectiveKind::Rto)
    }

    #[test]
    fn an_objective_counts_from_the_impact_while_its_service_is_affected() {
        let mut sample = Sample::declared();
        assert_eq!(act(&mut sample, affect("pay", Impact::Full)), ["objectives_set"]);
        assert_eq!(act(&mut sample, affect("pay", Impact::Partial)), [""; 0], "as affected as before, for as long");
        assert_eq!(sample.incident.work.objectives.len(), 2);
        let due_at = sample.incident.work.objectives[0].due_at;
        assert_eq!(due_at, after(sample.incident.declared_at.unwrap(), Length::from_mins(60)));
        let earlier = crate::time::before(sample.at, Length::from_mins(30));
        let correct = record::Command::CorrectTime { instant: record::Instant::ImpactStarted, at: Some(earlier), why: "the graph".into() };
        assert_eq!(act(&mut sample, correct), ["objectives_set"]);
        assert_eq!(sample.incident.work.objectives[0].due_at, after(earlier, Length::from_mins(60)));
        assert_eq!(act(&mut sample, affect("pay", Impact::None)), ["objectives_ended"]);
        assert!(sample.incident.work.objectives.iter().all(|one| !one.is_live()));
        assert_eq!(act(&mut sample, affect("pay", Impact::Full)), ["objectives_set"], "it is affected again");
        sample.run(ending::Command::Resolve { note: None, waive: None }).unwrap();
        assert!(sample.incident.work.objectives.iter().all(|one| !one.is_live() && one.missed_at.is_none()));
        assert_eq!(act(&mut sample, ending::Command::Reopen { why: "it is back".into() }), ["objectives_set"]);
    }

    #[test]
    fn a_breach_is_told_once_and_stays() {
        let mut sample = Sample::declared();
        act(&mut sample, affect("pay", Impact::Full));
        let (service, kind) = pay();
        let warn = || Command::Warn { service: service.clone(), kind };
        let miss = || Command::Miss { service: service.clone(), kind };
        assert_eq!(sample.run(warn()).unwrap().events, [], "never early");
        assert_eq!(sample.run(miss()).unwrap().events, []);
        sample.at = after(sample.at, Length::from_mins(48));
        assert_eq!(sample.run(warn()).unwrap().kinds(), ["objective_warned"]);
        assert_eq!(sample.run(warn()).unwrap().events, []);
        sample.at = after(sample.at, Length::from_mins(12));
        assert_eq!(sample.run(miss()).unwrap().kinds(), ["objective_missed"]);
        assert_eq!(sample.run(miss()).unwrap().events, []);
        act(&mut sample, affect("pay", Impact::None));
        act(&mut sample, affect("pay", Impact::Full));
        let missed = sample.incident.work.objectives.iter().find(|one| one.is(&service, kind)).unwrap();
        assert!(missed.missed_at.is_some(), "also where it is counted anew");
    }
}
