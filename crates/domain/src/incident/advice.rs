//! Whether an incident is worse than it is said to be, or not as bad: by what is known of it and by nothing else. An advice changes
//! nothing and tells nobody; it is shown to whoever opens the incident, until it is taken or they say why not.
//!
//! Each reason is a fact with a key. Who keeps the severity keeps it against these facts: a fact that is the same is never said
//! again, and one that has changed has another key.

use jiff::Timestamp;

use super::types::{Incident, State};
use super::work::Impact;
use crate::org::model::Service;
use crate::severity::Severity;
use crate::time::{Length, after};

/// Services hit in part or in full that make it at least sev2: more than one team has to be led.
pub const SERVICES_MAJOR: usize = 3;
/// How long it may be unsolved before it is at least sev3: "unsolved after an hour of concentrated work" is a reason to declare
/// (Google's SRE book).
pub const UNSOLVED_AFTER: Length = Length::from_mins(60);
/// Alerts of one incident that make it at least sev3: ten in ten minutes are a flood (EEMUA 191, ISA-18.2).
pub const ALERTS_FLOOD: u64 = 10;
/// The tier of services on which most depends.
const CRITICAL_TIER: u8 = 1;

/// What is advised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    pub severity: Severity,
    pub reasons: Vec<Reason>,
}

/// A fact that speaks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// What it is kept by.
    pub key: String,
    /// In words, without a full stop.
    pub words: String,
    at_least: Severity,
}

impl Reason {
    fn new(at_least: Severity, key: impl Into<String>, words: impl Into<String>) -> Self {
        Self { key: key.into(), words: words.into(), at_least }
    }
}

/// What is advised of an incident now; nothing where its severity fits all that is known, or somebody kept it against just that.
#[must_use]
pub fn advice(incident: &Incident, services: &[Service], now: Timestamp) -> Option<Advice> {
    if !matches!(incident.state, State::Candidate | State::Declared | State::Investigating | State::Mitigated) {
        return None;
    }
    let kept = &incident.work.assessment.kept;
    let new = |reason: &Reason| !kept.contains(&reason.key);
    let all = worse(incident, services, now);
    let raise: Vec<Reason> = all.iter().filter(|reason| reason.at_least < incident.severity).filter(|one| new(one)).cloned().collect();
    if let Some(severity) = raise.iter().map(|reason| reason.at_least).min() {
        return Some(Advice { severity, reasons: raise });
    }
    // Never lower than what else is known speaks for, whatever was kept.
    let lowest = all.iter().map(|reason| reason.at_least).min().map_or(Severity::Sev3, |other| other.min(Severity::Sev3));
    let quiet = Reason::new(lowest, "quiet", "its alerts have stopped, and it is mitigated");
    let is_quiet = incident.recovered && incident.state == State::Mitigated && lowest > incident.severity;
    (is_quiet && new(&quiet)).then(|| Advice { severity: lowest, reasons: vec![quiet] })
}

/// Facts that make it at least so bad.
fn worse(incident: &Incident, services: &[Service], now: Timestamp) -> Vec<Reason> {
    let mut out = Vec::new();
    let unsolved = incident.state != State::Mitigated;
    let hit: Vec<(&String, Impact)> = incident
        .work
        .affected
        .iter()
        .map(|(service, impact)| (service, *impact))
        .filter(|(_, impact)| matches!(impact, Impact::Partial | Impact::Full))
        .collect();
    if hit.len() >= SERVICES_MAJOR {
        let words = format!("{} services are hit in part or in full", hit.len());
        out.push(Reason::new(Severity::Sev2, format!("services:{}", hit.len()), words));
    }
    for (id, impact) in &hit {
        let known = services.iter().find(|service| service.id == **id).filter(|service| service.tier == Some(CRITICAL_TIER));
        if let Some(service) = known {
            let words = format!("{}, on which most depends, is hit: {impact}", service.name);
            out.push(Reason::new(Severity::Sev2, format!("critical:{id}:{impact}"), words));
        }
    }
    if let Some(potential) = incident.work.assessment.potential.filter(|_| unsolved) {
        let words = format!("it may become {potential}, and is not mitigated");
        out.push(Reason::new(potential, format!("potential:{potential}"), words));
    }
    // Where it grows on after somebody kept it is said again at each doubling, and not for each alert.
    let mut flood = ALERTS_FLOOD;
    while flood.saturating_mul(2) <= incident.alerts_told {
        flood = flood.saturating_mul(2);
    }
    if incident.alerts_told >= ALERTS_FLOOD && !incident.recovered {
        out.push(Reason::new(Severity::Sev3, format!("alerts:{flood}"), format!("{} alerts came to it", incident.alerts_told)));
    }
    let began = incident.declared_at.filter(|_| unsolved && incident.is_held());
    if began.is_some_and(|at| after(at, UNSOLVED_AFTER) <= now) {
        out.push(Reason::new(Severity::Sev3, "unsolved", format!("it is unsolved after {UNSOLVED_AFTER}")));
    }
    out
}
