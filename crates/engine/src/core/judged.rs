//! How bad something is that a person declares, and what it is: what they say, else what follows from impact and urgency, else the
//! higher of what is known. And when somebody is asked to judge again.
//!
//! Not here: what is advised, which nobody is told (`domain::incident::advice`).

use allclear_domain::expect::{Expectation, Standing};
use allclear_domain::ids::IncidentId;
use allclear_domain::incident::answers::{self, known, may_declare};
use allclear_domain::incident::judged::Basis;
use allclear_domain::incident::{self, Severity, affected, alarms, assessment};
use allclear_domain::org::snapshot::Org;

use super::command::{Declare, Known, Refusal};
use super::due::settle;
use super::unit::Unit;
use super::{Core, Decided};

/// What holds where nothing is known at all: somebody looks at it now, and nobody more is woken.
const UNKNOWN: Severity = Severity::Sev3;

/// How bad it is, and from what that follows.
pub(super) struct Judged {
    pub severity: Severity,
    pub basis: Option<Basis>,
    /// From what, where nobody said how bad it is; in words.
    pub assumed: Option<String>,
}

/// Whether only some may see what is declared: as whoever declares says, or its type.
pub(super) fn is_private(org: &Org, declare: &Declare) -> bool {
    let of_type = declare.known.kind.as_deref().and_then(|kind| org.incident_type(kind)?.private);
    declare.private || of_type.unwrap_or(false)
}

fn refused(why: impl Into<incident::Refusal>) -> Refusal {
    Refusal::from(why.into())
}

impl Core {
    /// What whoever declares says of it, held against the organisation.
    pub(super) fn judged(&self, declare: &Declare) -> Decided<Judged> {
        let said = &declare.known;
        let form = said.kind.as_deref().map(|kind| known(kind, &self.org.bundle().types)).transpose().map_err(refused)?;
        match form {
            Some(form) => may_declare(form, &said.answers).map_err(refused)?,
            None if said.answers.is_empty() => {}
            None => return Err(refused(answers::Refusal::HasNoType).into()),
        }
        let basis = match (said.impact, said.urgency) {
            (Some(impact), Some(urgency)) => Some(Basis { impact, urgency }),
            (None, None) => None,
            (impact, _) => {
                let missing = if impact.is_none() { "impact" } else { "urgency" };
                return Err(refused(assessment::Refusal::Half { missing }).into());
            }
        };
        match (declare.severity, basis) {
            (Some(_), Some(_)) => Err(refused(assessment::Refusal::Twice).into()),
            (Some(severity), None) => Ok(Judged { severity, basis: None, assumed: None }),
            (None, Some(basis)) => {
                let severity = self.org.severity_of(basis.impact, basis.urgency);
                Ok(Judged { severity, basis: Some(basis), assumed: None })
            }
            (None, None) => {
                let usual = form.and_then(|form| Some((form.severity?, format!("the type {}", form.name))));
                let potential = said.potential.map(|severity| (severity, "what it may become".to_owned()));
                let all: Vec<(Severity, String)> = usual.into_iter().chain(potential).collect();
                let severity = all.iter().map(|(severity, _)| *severity).min().unwrap_or(UNKNOWN);
                let from: Vec<String> = all.iter().map(|(severity, what)| format!("{what} ({severity})")).collect();
                let assumed = if from.is_empty() {
                    format!("nobody said how bad it is: {severity} until somebody does")
                } else {
                    format!("nobody said how bad it is: the higher of what is known, {}", from.join(" and "))
                };
                Ok(Judged { severity, basis: None, assumed: Some(assumed) })
            }
        }
    }

    /// What it is, as whoever declared it said.
    pub(super) fn set_known(&mut self, unit: &mut Unit, id: IncidentId, said: &Known) -> Decided<()> {
        if let Some(kind) = &said.kind {
            self.change_incident(unit, id, answers::Command::SetType { kind: kind.clone(), because: None, why: None })?;
        }
        for (field, value) in &said.answers {
            let answer = answers::Command::Answer { field: field.clone(), value: Some(value.clone()), why: None };
            self.change_incident(unit, id, answer)?;
        }
        if let Some(severity) = said.potential {
            self.change_incident(unit, id, assessment::Command::SetPotential { severity, why: None })?;
        }
        Ok(())
    }

    /// A rule says what it is. What the organisation has no more is not said.
    pub(super) fn type_by_rule(&mut self, unit: &mut Unit, id: IncidentId, kind: &str, rule: &str) -> Decided<()> {
        if self.org.incident_type(kind).is_none() {
            return Ok(());
        }
        self.change_incident(unit, id, answers::Command::SetType { kind: kind.to_owned(), because: Some(rule.to_owned()), why: None })
    }

    /// A service that was not hit is: how bad it is may be another now.
    pub(super) fn follow_affected(&mut self, unit: &mut Unit, id: IncidentId, event: &affected::Event) -> Decided<()> {
        let because = match event {
            affected::Event::ServiceChanged(_) => "it is of another service",
            affected::Event::ImpactChanged(body) if body.to == affected::Impact::None => "a service is not affected any more",
            affected::Event::ImpactChanged(_) => "a service is affected otherwise",
        };
        self.change_incident(unit, id, assessment::Command::Ask { because: because.to_owned() })
    }

    /// Alerts came to it.
    pub(super) fn follow_told(&mut self, unit: &mut Unit, id: IncidentId, event: &alarms::Event) -> Decided<()> {
        match event {
            alarms::Event::Told(body) if body.joined > 0 => {
                self.change_incident(unit, id, assessment::Command::Ask { because: "further alerts came to it".to_owned() })
            }
            alarms::Event::Told(_)
            | alarms::Event::Recovered(_)
            | alarms::Event::ConfirmationMissed(_)
            | alarms::Event::Silenced(_)
            | alarms::Event::Unsilenced(_) => Ok(()),
        }
    }

    /// Nobody judged it again: the log says so, and nobody is told.
    pub(super) fn look_reassess(&mut self, unit: &mut Unit, expectation: &Expectation, id: IncidentId) -> Decided<()> {
        let (state, _) = self.incident(unit, id)?;
        if state.work.assessment.due_at.is_none() {
            settle(unit, expectation, Standing::Void, "it was judged again");
            return Ok(());
        }
        settle(unit, expectation, Standing::Missed, "nobody judged it again in time");
        self.change_incident(unit, id, assessment::Command::Miss)
    }
}
