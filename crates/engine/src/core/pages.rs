//! Pages of an incident: answered, called by name, stopped, and what those see who are given something. How one starts is
//! `alarm.rs`.

use allclear_domain::access::{self, Actor, Principal, Scope};
use allclear_domain::expect::Standing;
use allclear_domain::ids::{IncidentId, PageId};
use allclear_domain::incident;
use allclear_domain::incident::lifecycle::{self, Verb};
use allclear_domain::org::model::Access;
use allclear_domain::org::snapshot::AUDIENCE;
use allclear_domain::paging::reason::WAIT_IS_OVER;
use allclear_domain::paging::{self, Page};
use allclear_domain::time::Length;
use allclear_domain::wire::NoticeKind;

use super::command::{Refusal, Reply};
use super::unit::Unit;
use super::{Core, Decided};

/// What stands in a refusal for an incident that whoever asks may not see.
const UNNAMED: &str = "an incident that you may not see";

/// Whom a page calls.
pub(super) enum Whom {
    /// The steps of this policy.
    Policy(Option<String>),
    /// This one, as the target of a step, and nobody else when they do not answer: a test.
    Alone(String),
    /// The levels of this policy, one after another: a fire drill.
    Drill { escalation: String, ask: paging::drill::Ask },
    /// These, or whom this policy names, by a request for responders.
    Asked { request: u32, targets: Vec<String>, escalation: Option<String>, within: Option<Length> },
    /// These, as targets of a step, then those, then the steps of this policy where one is given.
    People { first: Vec<String>, then: Vec<String>, escalation: Option<String> },
}

impl Core {
    /// Admits those who would not see an incident otherwise, as long as it can be told in its log.
    pub(super) fn admit_if_hidden(&mut self, unit: &mut Unit, id: IncidentId, mut people: Vec<String>, why: &str) -> Decided<()> {
        let before = self.incident(unit, id)?;
        let (private, org) = (before.0.private, self.org.clone());
        people.retain(|person| org.person(person).is_some_and(|form| private || form.access == Some(Access::Guest)));
        // Whoever sees it for an offer alone is not admitted by hearing of that.
        people.retain(|person| !before.0.admitted.contains(person));
        if people.is_empty() || lifecycle::next(before.0.state, Verb::Admit).is_err() {
            return Ok(());
        }
        self.incident_command(unit, id, Some(before), incident::access::Command::Admit { people, why: why.to_owned() })?;
        Ok(())
    }

    /// What is given to somebody they must see: they are admitted, or, where nobody can be admitted any more, it
    /// is not given.
    pub(super) fn admit_or_refuse(&mut self, unit: &mut Unit, id: IncidentId, person: &str, why: &str) -> Decided<()> {
        self.admit_if_hidden(unit, id, vec![person.to_owned()], why)?;
        let (incident, _) = self.incident(unit, id)?;
        if self.sees(&Actor::Person(person.to_owned()), &incident) {
            return Ok(());
        }
        Err(Refusal::CannotSee { person: person.to_owned(), reference: incident.reference }.into())
    }

    /// Whether somebody sees an incident, whatever their token is good for. A token without a person is taken for a
    /// responder's.
    pub(super) fn sees(&self, who: &Actor, incident: &incident::Incident) -> bool {
        let who = Principal::new(who.clone(), Scope::Respond);
        access::reach(&self.org, &who).admits(&incident.facts())
    }

    /// The reference of an incident in a refusal; of one that whoever asks may not see, no name.
    pub(super) fn name_of(&self, unit: &Unit, incident: &incident::Incident) -> String {
        if self.sees(&unit.actor, incident) { incident.reference.clone() } else { UNNAMED.to_owned() }
    }

    /// A command on a page that exists.
    pub(super) fn change_page(&mut self, unit: &mut Unit, id: PageId, command: paging::Command) -> Decided<Vec<paging::Event>> {
        let before = self.page(unit, id)?;
        self.page_command(unit, id, Some(before), command)
    }

    /// Somebody acts on a page: an acknowledgement is one of its incident, and stops every page.
    pub(super) fn act_on_page(&mut self, unit: &mut Unit, id: PageId, command: &paging::Command) -> Decided<Reply> {
        let (page, _) = self.page(unit, id)?;
        match command {
            // A drill is answered level by level, and is nobody's to take.
            paging::Command::Acknowledge { .. } if page.drill.is_some() => {
                self.change_page(unit, id, command.clone())?;
            }
            // Whoever is asked as a responder answers for themself, and takes nothing from whoever has it.
            paging::Command::Acknowledge { by: Some(by), via } if page.request.is_some() => {
                let request = (page.request.unwrap_or_default(), true);
                self.answer_request(unit, page.incident_id(), request, by, via, None)?;
            }
            paging::Command::Decline { by, via, why, .. } if page.request.is_some() => {
                let request = (page.request.unwrap_or_default(), false);
                self.answer_request(unit, page.incident_id(), request, by, via, why.clone())?;
            }
            // What only tells is no way to take an incident: its page refuses.
            paging::Command::Acknowledge { by, via } if page.status != paging::Status::Told => {
                self.acknowledge(unit, page.incident_id(), by.clone(), via)?;
            }
            paging::Command::Acknowledge { by, via } if asks_still_on_it(&page) => {
                let (incident, _) = self.incident(unit, page.incident_id())?;
                if incident.is_held() || !incident.state.is_open() {
                    let command = incident::attendance::Command::StillOnIt { by: by.clone(), via: via.clone() };
                    self.change_incident(unit, incident.id, command)?;
                } else {
                    self.acknowledge(unit, incident.id, by.clone(), via)?;
                }
            }
            paging::Command::Decline { by, .. } if asks_still_on_it(&page) => {
                let (incident, _) = self.incident(unit, page.incident_id())?;
                // Only an answer to the question that stands counts.
                if incident.work.hold.asked_at.is_some() {
                    let name = self.name_of_person(by);
                    self.lose(unit, incident.id, &format!("{name} is not on it any more"))?;
                }
            }
            paging::Command::Acknowledge { .. }
            | paging::Command::Decline { .. }
            | paging::Command::Start(_)
            | paging::Command::Tell(_)
            | paging::Command::StepTimedOut { .. }
            | paging::Command::EntryDue { .. }
            | paging::Command::ComeBack { .. }
            | paging::Command::RecordSend(_)
            | paging::Command::Stop { .. }
            | paging::Command::Resume { .. }
            | paging::Command::GiveBack { .. }
            | paging::Command::TakeBack { .. }
            | paging::Command::AskConfirmation { .. } => {
                self.change_page(unit, id, command.clone())?;
            }
        }
        Ok(Reply::Page { id })
    }

    /// Pages people by name: a page of its own, with the catch-all behind it.
    pub(super) fn page_people(&mut self, unit: &mut Unit, id: IncidentId, targets: Vec<String>, because: &str) -> Decided<()> {
        self.start_page_of(unit, id, Whom::People { first: targets, then: Vec::new(), escalation: None }, None, because, false)
    }

    /// A person pages others by name.
    pub(super) fn page_by_name(&mut self, unit: &mut Unit, id: IncidentId, targets: &[String], why: &str) -> Decided<Reply> {
        for target in targets {
            let resolved = self.org.people_for(target, unit.now);
            if target.starts_with(AUDIENCE) || resolved.people.is_empty() {
                return Err(Refusal::NobodyNamed(resolved.why_nobody.unwrap_or_else(|| target.clone())).into());
            }
        }
        let because = self.asks_for_help(unit, why);
        self.page_people(unit, id, targets.to_vec(), &because)?;
        self.named(unit, id)
    }

    pub(super) fn stop_pages(&mut self, unit: &mut Unit, id: IncidentId, why: &str) -> Decided<()> {
        for page in self.pages_of(unit, id) {
            self.change_page(unit, page, paging::Command::Stop { why: why.to_owned() })?;
        }
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
        let because = self.asks_for_help(unit, why);
        self.start_page_of(unit, id, Whom::Policy(policy), None, &because, false)?;
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
        self.start_page(unit, id, None, None, WAIT_IS_OVER, late)?;
        Ok(Standing::Met)
    }
}

/// Whether a page is the question whether somebody is still on it.
fn asks_still_on_it(page: &Page) -> bool {
    page.tells.as_ref().is_some_and(|tells| tells.kind == NoticeKind::StillOnIt)
}
