//! Commands on incidents, and what they do to the incident's pages and alerts.

use std::collections::BTreeSet;

use allclear_domain::access::Actor;
use allclear_domain::expect::{ATTEND_WITHIN, ATTEND_WITHIN_LOW, Standing};
use allclear_domain::ids::{IncidentId, PageId};
use allclear_domain::incident::{self, Declaration, Incident, Severity};
use allclear_domain::org::model::NotifyUrgency;
use allclear_domain::paging;
use allclear_domain::time::Length;
use allclear_store::rows;

use super::command::{Declare, Refusal, Reply};
use super::coordination::notice_of;
use super::unit::{AlertChange, Unit};
use super::{Core, Decided, Loaded, Need, Stop};

/// Whom a page calls.
pub(super) enum Whom {
    /// The steps of this policy.
    Policy(Option<String>),
    /// These, as targets of a step, then those, then the steps of this policy where one is given.
    People { first: Vec<String>, then: Vec<String>, escalation: Option<String> },
}

impl Core {
    fn incident_context(&self, unit: &Unit) -> incident::Context {
        let cadence = Severity::ALL.map(|severity| self.org.severity(severity).update_every);
        let lasts = Severity::ALL.map(|severity| self.org.severity(severity).acknowledgement_lasts);
        incident::Context { now: unit.now, org_version: self.org.version, cadence, lasts }
    }

    /// Decides a command on an incident and folds its events; nothing else follows here.
    pub(super) fn incident_command(
        &mut self,
        unit: &mut Unit,
        id: IncidentId,
        before: Option<(Incident, allclear_domain::event::Head)>,
        command: incident::Command,
    ) -> Decided<Vec<incident::Event>> {
        let context = self.incident_context(unit);
        let events = incident::decide(before.as_ref().map(|(state, _)| state), command, context).map_err(Refusal::from)?;
        unit.incident_events(id, before, &events);
        Ok(events)
    }

    /// A command on an incident that exists, with what follows for its pages and alerts.
    pub(super) fn change_incident(&mut self, unit: &mut Unit, id: IncidentId, command: incident::Command) -> Decided<()> {
        let before = self.incident(unit, id)?;
        let events = self.incident_command(unit, id, Some(before), command)?;
        let followed = events.clone();
        for event in events {
            match event {
                incident::Event::Resolved(body) => {
                    let why = if body.by_itself { "the incident recovered by itself" } else { "the incident was resolved" };
                    self.stop_pages(unit, id, why)?;
                    if !body.by_itself {
                        // A later trigger is a new alert: what still burns pages again.
                        unit.write(rows::alert::end_of_incident(id, unit.now));
                        unit.alerts.push(AlertChange::EndOfIncident(id));
                    }
                }
                incident::Event::SeverityChanged(body) if body.to < body.from => self.page_anew_if_worse(unit, id, body.from, body.to)?,
                incident::Event::Cancelled(_) => self.stop_pages(unit, id, "the incident was cancelled")?,
                incident::Event::Merged(_) => self.stop_pages(unit, id, "the incident was merged")?,
                _ => {}
            }
        }
        for event in &followed {
            self.after_coordination(unit, id, event)?;
        }
        Ok(())
    }

    pub(super) fn stop_pages(&mut self, unit: &mut Unit, id: IncidentId, why: &str) -> Decided<()> {
        for page in self.pages_of(unit, id) {
            self.change_page(unit, page, paging::Command::Stop { why: why.to_owned() })?;
        }
        Ok(())
    }

    /// A person declares.
    pub(super) fn declare(&mut self, unit: &mut Unit, declare: &Declare) -> Decided<Reply> {
        if declare.impact_started_at.is_some_and(|at| at > unit.now) {
            return Err(Refusal::from(incident::Refusal::InTheFuture).into());
        }
        let org = self.org.clone();
        let escalation = match &declare.service {
            Some(service) => {
                org.service(service).ok_or_else(|| Refusal::NoSuchService(service.clone()))?;
                org.escalation_of(service).map(|policy| policy.id.clone())
            }
            None => None,
        };
        let id = IncidentId::from_bits(unit.id());
        let reference = self.reference(unit)?;
        let declaration = Declaration {
            id,
            reference: reference.clone(),
            title: declare.title.clone(),
            severity: declare.severity,
            service: declare.service.clone(),
            escalation: escalation.clone(),
            group_key: None,
            alert: None,
            because: incident::BY_A_PERSON.into(),
            impact_started_at: declare.impact_started_at,
            detected_at: Some(unit.now),
            group_wait: Length::ZERO,
            attend_within: (!declare.page).then(|| match org.severity(declare.severity).notify {
                NotifyUrgency::High => ATTEND_WITHIN,
                NotifyUrgency::Low => ATTEND_WITHIN_LOW,
            }),
        };
        self.incident_command(unit, id, None, incident::Command::Declare(declaration))?;
        if declare.private {
            self.restrict(unit, id, "declared as private", Vec::new())?;
        }
        if declare.page {
            self.start_page(unit, id, None, None, "an incident was declared", false)?;
        }
        Ok(Reply::Incident { id, reference })
    }

    /// A person's command on an incident.
    pub(super) fn act_on(&mut self, unit: &mut Unit, id: IncidentId, command: &incident::Command) -> Decided<Reply> {
        let (state, _) = self.incident(unit, id)?;
        self.check_names(command)?;
        match command {
            incident::Command::Acknowledge { by, via } => self.acknowledge(unit, id, by.clone(), via)?,
            incident::Command::Promote { why } => self.promote(unit, id, why)?,
            incident::Command::Reopen { why } => self.reopen(unit, id, why)?,
            incident::Command::Restrict { why, people } => {
                let mut people = people.clone();
                people.extend(self.involved(id)?);
                people.extend(state.commander.clone());
                // The store does not have the messages of the commit in flight yet.
                for page in self.pages_of(unit, id) {
                    people.extend(self.page(unit, page)?.0.entries.into_iter().map(|entry| entry.person));
                }
                self.restrict(unit, id, why, people)?;
            }
            other => self.change_incident(unit, id, other.clone())?,
        }
        Ok(Reply::Incident { id, reference: state.reference })
    }

    /// Only some may see it from now on; whoever restricts it is among them.
    pub(super) fn restrict(&mut self, unit: &mut Unit, id: IncidentId, why: &str, mut people: Vec<String>) -> Decided<()> {
        if let Actor::Person(person) = &unit.actor {
            people.push(person.clone());
        }
        self.change_incident(unit, id, incident::Command::Restrict { why: why.to_owned(), people })
    }

    /// Who was paged for it so far, and who declared it.
    fn involved(&self, id: IncidentId) -> Decided<BTreeSet<String>> {
        let found = self.read.iter().find_map(|read| match read {
            Loaded::Involved(of, people) if *of == id => Some(people.clone()),
            _ => None,
        });
        found.ok_or(Stop::Need(Need::Involved(id)))
    }

    /// Acknowledges an incident and every page of it that looks for somebody.
    pub(super) fn acknowledge(&mut self, unit: &mut Unit, id: IncidentId, by: Option<String>, via: &str) -> Decided<()> {
        self.change_incident(unit, id, incident::Command::Acknowledge { by: by.clone(), via: via.to_owned() })?;
        let mut takes = false;
        for page in self.pages_of(unit, id) {
            let (state, _) = self.page(unit, page)?;
            if paging::may_send(state.status) {
                self.change_page(unit, page, paging::Command::Acknowledge { by: by.clone(), via: via.to_owned() })?;
                takes = true;
            }
        }
        // Who has it already and answers another page of it is on it still.
        let (state, _) = self.incident(unit, id)?;
        if takes && state.work.hold.acted_at != Some(unit.now) {
            self.change_incident(unit, id, incident::Command::StillOnIt { by, via: via.to_owned() })?;
        }
        Ok(())
    }

    /// It is not over: whoever reopens it is on it; where that is nobody in person, it pages.
    fn reopen(&mut self, unit: &mut Unit, id: IncidentId, why: &str) -> Decided<()> {
        // Of a group one incident is open: alerts would not know where to go.
        let (state, _) = self.incident(unit, id)?;
        if let Some(key) = &state.group_key
            && let Some(other) = self.group(unit, key)?
            && other != id
        {
            let (other, _) = self.incident(unit, other)?;
            return Err(Refusal::from(incident::Refusal::GroupHasAnother(self.name_of(unit, &other))).into());
        }
        self.change_incident(unit, id, incident::Command::Reopen { why: why.to_owned() })?;
        match unit.actor.clone() {
            Actor::Person(person) => self.acknowledge(unit, id, Some(person), "reopening"),
            _ => self.start_page(unit, id, None, None, "the incident was reopened", false),
        }
    }

    /// A candidate becomes an incident, and pages.
    pub(super) fn promote(&mut self, unit: &mut Unit, id: IncidentId, why: &str) -> Decided<()> {
        self.change_incident(unit, id, incident::Command::Promote { why: why.to_owned() })?;
        self.start_page(unit, id, None, None, why, false)
    }

    /// Merges: the alerts go over, the pages of the merged one stop.
    pub(super) fn merge(&mut self, unit: &mut Unit, from: IncidentId, into: IncidentId) -> Decided<Reply> {
        let (loser, _) = self.incident(unit, from)?;
        let (winner, _) = self.incident(unit, into)?;
        // The log of the one names the other: a public log must not name a private incident.
        if winner.private && !loser.private {
            let mut people: Vec<String> = self.involved(from)?.into_iter().collect();
            people.extend(winner.admitted.iter().cloned());
            people.extend(loser.commander.clone());
            self.restrict(unit, from, "it was merged into a private incident", people)?;
        }
        let absorb = incident::Command::Absorb { from, from_ref: loser.reference.clone() };
        let merge = incident::Command::Merge { into, into_ref: winner.reference.clone() };
        self.change_incident(unit, from, merge)?;
        self.change_incident(unit, into, absorb)?;
        // What is told of the one is told of the other from now on, to nobody new.
        if loser.private && !winner.private {
            let mut people: Vec<String> = self.involved(into)?.into_iter().collect();
            people.extend(loser.admitted.iter().cloned());
            people.extend(winner.commander.clone());
            self.restrict(unit, into, &format!("{} was merged into it, which is private", loser.reference), people)?;
        }
        unit.write(rows::alert::give(from, into));
        unit.alerts.push(AlertChange::Give { from, into });
        self.digest(unit, into);
        if winner.alarms.is_held() && !loser.alarms.is_held() {
            // What comes to it fires freely, or is a person's word.
            self.silence_incident(unit, into, incident::alarms::Silencing::default())?;
        }
        Ok(Reply::Incident { id: from, reference: loser.reference })
    }

    /// All alerts are over: resolves by itself, or asks whoever is on it.
    pub(super) fn recover(&mut self, unit: &mut Unit, id: IncidentId) -> Decided<()> {
        let before = self.incident(unit, id)?;
        let page = before.0.page;
        let was_silenced = before.0.alarms.is_held();
        let events = {
            let context = self.incident_context(unit);
            incident::decide(Some(&before.0), incident::Command::Recover, context).map_err(Refusal::from)?
        };
        unit.incident_events(id, Some(before), &events);
        for event in &events {
            match event {
                incident::Event::Resolved(_) => self.stop_pages(unit, id, "the incident recovered by itself")?,
                incident::Event::SeverityChanged(body) if body.to < body.from => self.page_anew_if_worse(unit, id, body.from, body.to)?,
                incident::Event::Cancelled(_) => self.stop_pages(unit, id, "the candidate recovered")?,
                incident::Event::Recovered(body) => {
                    if let (Some(person), Some(page)) = (&body.ask, page) {
                        self.change_page(unit, page, paging::Command::AskConfirmation { person: person.clone() })?;
                    }
                }
                _ => {}
            }
        }
        if was_silenced {
            // Where nobody has it any more nobody would hear that it may be over.
            self.page_after_hold(unit, id)?;
        }
        Ok(())
    }

    /// Starts a page for an incident, by its own policy or another one, unless silences hold it.
    pub(super) fn start_page(
        &mut self,
        unit: &mut Unit,
        id: IncidentId,
        escalation: Option<String>,
        alert: Option<allclear_domain::ids::AlertId>,
        because: &str,
        late: bool,
    ) -> Decided<()> {
        let (incident, _) = self.incident(unit, id)?;
        if incident.alarms.is_held() {
            // Silences hold every alert of it: whom it pages is decided when one of them fires freely.
            return Ok(());
        }
        let escalation = escalation.or_else(|| incident.escalation.clone());
        self.start_page_of(unit, id, Whom::Policy(escalation), alert, because, late)
    }

    /// Starts a page for an incident: by a policy, or of people by name.
    pub(super) fn start_page_of(
        &mut self,
        unit: &mut Unit,
        id: IncidentId,
        whom: Whom,
        alert: Option<allclear_domain::ids::AlertId>,
        because: &str,
        late: bool,
    ) -> Decided<()> {
        let before = self.incident(unit, id)?;
        let (incident, _) = &before;
        let page = PageId::from_bits(unit.id());
        let (escalation, targets, then) = match whom {
            Whom::Policy(escalation) => (escalation, Vec::new(), Vec::new()),
            Whom::People { first, then, escalation } => (escalation, first, then),
        };
        let start = paging::Start {
            id: page,
            incident: notice_of(incident),
            escalation,
            targets,
            then,
            urgency: self.org.severity(incident.severity).notify,
            alert,
            because: because.to_owned(),
            late,
        };
        self.incident_command(unit, id, Some(before), incident::Command::Escalate { page, why: because.to_owned() })?;
        self.page_command(unit, page, None, paging::Command::Start(start))?;
        unit.new_pages.push((id, page));
        Ok(())
    }

    /// Pages again, by the incident's policy or another one.
    pub(super) fn escalate(&mut self, unit: &mut Unit, id: IncidentId, escalation: Option<&String>, why: &str) -> Decided<Reply> {
        let (incident, _) = self.incident(unit, id)?;
        if let Some(policy) = escalation {
            self.org.escalation(policy).ok_or_else(|| Refusal::NoSuchEscalation(policy.clone()))?;
        } else if incident.escalation.is_none() {
            return Err(Refusal::NobodyToEscalateTo.into());
        }
        // A person asks for it, whatever silences hold.
        let policy = escalation.cloned().or_else(|| incident.escalation.clone());
        self.start_page_of(unit, id, Whom::Policy(policy), None, why, false)?;
        Ok(Reply::Incident { id, reference: incident.reference })
    }

    /// Whether a page may start for an incident whose group wait is over.
    pub(super) fn end_group_wait(&mut self, unit: &mut Unit, id: IncidentId, late: bool) -> Decided<Standing> {
        let (incident, _) = self.incident(unit, id)?;
        if !incident.state.is_open() || incident.is_held() {
            return Ok(Standing::Void);
        }
        // Whom a person paged by name meanwhile is not whom the policy would call.
        for page in self.pages_of(unit, id) {
            let (page, _) = self.page(unit, page)?;
            if page.targets.is_empty() && page.tells.is_none() {
                return Ok(Standing::Void);
            }
        }
        self.start_page(unit, id, None, None, "the wait for more alerts is over", late)?;
        Ok(Standing::Met)
    }
}
