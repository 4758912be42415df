//! A part of an incident becomes one of its own: alerts, tasks and services go over, what was decided and asked stays where it was.
//!
//! The new one is counted from when the old one was declared: a target does not begin anew since a part of it has another name.
//!
//! Not here: what each log says of it (`domain::incident::relations`).

use allclear_domain::access::Actor;
use allclear_domain::clean::clean;
use allclear_domain::expect::ATTEND_WITHIN;
use allclear_domain::ids::IncidentId;
use allclear_domain::incident::affected::{self, Impact};
use allclear_domain::incident::related::Relation;
use allclear_domain::incident::relations::{Command, Moved, Refusal as No, Tied};
use allclear_domain::incident::roles::{self, COMMANDER};
use allclear_domain::incident::{self, Declaration, Incident, Instant, declaration, record, tasks};
use allclear_domain::paging::reason::DECLARED;
use allclear_domain::time::Length;
use allclear_store::rows;
use allclear_store::rows::alert::Belonging;

use super::command::{Refusal, Reply, Split};
use super::merging::Held;
use super::unit::{AlertChange, Unit};
use super::{Core, Decided, Stop};

/// Why it exists, where it stands on its alerts. It names no other: that one may be private.
const BECAUSE: &str = "split from another incident";
/// Why it is counted from before it was made.
const SINCE: &str = "counted from when the incident that it was split from was declared";

fn no(why: No) -> Stop {
    Refusal::from(incident::Refusal::from(why)).into()
}

impl Core {
    /// A part of an incident becomes one of its own; the answer is the new one.
    pub(super) fn split(&mut self, unit: &mut Unit, id: IncidentId, split: &Split) -> Decided<Reply> {
        let (old, _) = self.incident(unit, id)?;
        let gone = self.what_goes(&old, split)?;
        let alerts = u64::try_from(gone.len()).unwrap_or(u64::MAX);
        let moved = Moved::of(&old, alerts, &split.tasks).map_err(Refusal::from)?;
        let (new, reference) = (IncidentId::from_bits(unit.id()), self.reference(unit)?);
        self.begin_part(unit, &old, split, new, reference.clone())?;
        let tied = |incident, reference: &str, is| Tied {
            incident,
            reference: reference.to_owned(),
            is,
            followed: false,
            agreed: false,
            agreed_by: None,
            why: None,
            moved: moved.clone(),
        };
        self.change_incident(unit, id, Command::Tie(tied(new, &reference, Relation::SplitInto)))?;
        self.change_incident(unit, new, Command::Tie(tied(id, &old.reference, Relation::SplitFrom)))?;
        for task in &moved.tasks {
            let note = Some(format!("it is task {} of {reference} now", task.task));
            self.change_incident(unit, id, tasks::Command::Drop { task: task.was, note })?;
        }
        let owners = moved.tasks.iter().filter_map(|task| task.owner.clone()).collect();
        self.admit_if_hidden(unit, new, owners, "has a task of it")?;
        self.move_services(unit, &old, new, &reference, split)?;
        self.move_alerts(unit, id, new, &gone)?;
        if let Some(at) = old.declared_at.filter(|at| *at < unit.now) {
            let command = record::Command::CorrectTime { instant: Instant::Declared, at: Some(at), why: SINCE.to_owned() };
            self.change_incident(unit, new, command)?;
        }
        self.staff(unit, new)?;
        self.hold_apart(unit, new, Held::of(&gone))?;
        self.lead_part(unit, &old, new, split)?;
        Ok(Reply::Incident { id: new, reference })
    }

    /// The alerts that go; and whether all that is named is there and may go.
    fn what_goes(&self, old: &Incident, split: &Split) -> Decided<Vec<Belonging>> {
        if split.alerts.is_empty() && split.tasks.is_empty() && split.services.is_empty() {
            return Err(no(No::NothingToSplit));
        }
        for service in &split.services {
            self.known_service(service)?;
            if old.service.as_ref() == Some(service) {
                return Err(no(No::OwnService { service: service.clone() }));
            }
            if old.work.affected.get(service).is_none_or(|impact| *impact == Impact::None) {
                return Err(no(No::NotAffected { service: service.clone() }));
            }
        }
        if let Some(to) = &split.to {
            self.known_person(to)?;
            roles::may_be_given(&self.org, COMMANDER, to).map_err(|no| Refusal::from(incident::Refusal::from(no)))?;
        }
        if split.alerts.is_empty() {
            return Ok(Vec::new());
        }
        let (of_it, _) = self.belongs(old.id)?;
        let gone: Vec<Belonging> = of_it.into_iter().filter(|alert| alert.open && split.alerts.contains(&alert.id)).collect();
        match split.alerts.iter().find(|id| gone.iter().all(|alert| alert.id != **id)) {
            Some(alert) => Err(no(No::NotItsAlert { alert: alert.to_string() })),
            None => Ok(gone),
        }
    }

    fn begin_part(&mut self, unit: &mut Unit, old: &Incident, split: &Split, new: IncidentId, reference: String) -> Decided<()> {
        let service = split.services.first().cloned().or_else(|| old.service.clone());
        let escalation = service.as_ref().and_then(|service| self.org.escalation_of(service)).map(|policy| policy.id.clone());
        let declaration = Declaration {
            id: new,
            reference,
            title: clean(&split.title).into_owned(),
            severity: split.severity.unwrap_or(old.severity),
            service,
            escalation,
            group_key: None,
            alert: None,
            because: if split.alerts.is_empty() { incident::BY_A_PERSON } else { BECAUSE }.into(),
            impact_started_at: old.impact_started_at,
            detected_at: old.detected_at,
            group_wait: Length::ZERO,
            // Where nobody takes it, it pages.
            attend_within: Some(ATTEND_WITHIN),
            exercise: false,
            basis: None,
            assumed: None,
        };
        self.incident_command(unit, new, None, declaration::Command::Declare(declaration))?;
        if old.private {
            // Who saw it as a part sees it still, and nobody besides.
            self.restrict(unit, new, "it was split from a private incident", old.admitted.iter().cloned().collect())?;
        }
        Ok(())
    }

    fn move_services(&mut self, unit: &mut Unit, old: &Incident, new: IncidentId, reference: &str, split: &Split) -> Decided<()> {
        for service in &split.services {
            let known = old.work.affected.get(service).copied();
            let set = |impact, since, why| affected::Command::SetImpact { service: service.clone(), impact, since, why };
            let since = old.work.affected_since.get(service).copied();
            self.change_incident(unit, new, set(known.unwrap_or(Impact::Degraded), since, None))?;
            if known.is_some_and(|known| known != Impact::None) {
                self.change_incident(unit, old.id, set(Impact::None, None, Some(format!("it is {reference}’s now"))))?;
            }
        }
        Ok(())
    }

    /// They are told as new there; here nothing is over since they went.
    fn move_alerts(&mut self, unit: &mut Unit, from: IncidentId, into: IncidentId, gone: &[Belonging]) -> Decided<()> {
        if gone.is_empty() {
            return Ok(());
        }
        for alert in gone {
            unit.write(rows::alert::give_one(alert.id, from, into));
        }
        unit.alerts.push(AlertChange::GiveThese { alerts: gone.iter().map(|alert| alert.id).collect(), from, into });
        self.digest(unit, into);
        Ok(())
    }

    /// Whoever is named is asked to lead it; else whoever split it off has it, and where that is nobody, it pages.
    fn lead_part(&mut self, unit: &mut Unit, old: &Incident, new: IncidentId, split: &Split) -> Decided<()> {
        let by = if let Actor::Person(by) = &unit.actor { Some(by.clone()) } else { None };
        let to = split.to.clone().or_else(|| old.commander.clone().filter(|_| by.is_none() && old.is_held()));
        match (to, by) {
            (Some(to), by) if Some(&to) != by.as_ref() => {
                self.admit_if_hidden(unit, new, vec![to.clone()], "is asked to lead it")?;
                let offer = roles::Command::Offer { role: COMMANDER.to_owned(), to, by, why: Some("it was split off".to_owned()) };
                self.change_incident(unit, new, offer)
            }
            (_, Some(by)) => self.acknowledge(unit, new, Some(by), "splitting it off"),
            (_, None) => self.start_page(unit, new, None, None, DECLARED, false),
        }
    }
}
