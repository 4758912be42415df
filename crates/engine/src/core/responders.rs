//! Further responders: each request has a page that looks for those who are asked, and each answers for themself.
//!
//! Invariant: an answer takes nothing from whoever has the incident. Where nobody has it, whoever accepts has it.
//!
//! Not here: what a request is to the incident itself (`domain::incident::responders`).

use allclear_domain::access::Principal;
use allclear_domain::ids::{IncidentId, PageId};
use allclear_domain::incident::responder::ResponderRequest;
use allclear_domain::incident::responders::{Command, Found, Refusal as No, Said};
use allclear_domain::incident::{self};
use allclear_domain::org::snapshot::{AUDIENCE, ORGANISATION};
use allclear_domain::paging::{self, Page};
use allclear_domain::wire::NoticeKind;

use super::command::Refusal;
use super::notices::person;
use super::pages::Whom;
use super::unit::Unit;
use super::{Core, Decided};

/// Why a request's page stops.
const CANCELLED: &str = "the request was cancelled";

impl Core {
    /// A person asks for responders, answers for themself, or cancels a request.
    pub(super) fn responders(&mut self, unit: &mut Unit, who: &Principal, id: IncidentId, command: &Command) -> Decided<()> {
        match command {
            Command::Ask { targets, escalation, why, within, .. } => {
                let people = self.responders_named(unit, targets, escalation.as_deref())?;
                let page = PageId::from_bits(unit.id());
                let found = Found { people, by: who.person().map(ToOwned::to_owned), page };
                let request = u32::try_from(self.incident(unit, id)?.0.work.responders.len()).unwrap_or(u32::MAX).saturating_add(1);
                let asked = Command::Ask {
                    targets: targets.clone(),
                    escalation: escalation.clone(),
                    why: why.clone(),
                    within: *within,
                    found: Some(found),
                };
                self.change_incident(unit, id, asked)?;
                let by = self.asks_for_help(unit, why);
                let whom = Whom::Asked { request, targets: targets.clone(), escalation: escalation.clone(), within: *within };
                self.start_page_with(unit, id, page, whom, None, &by, false)
            }
            Command::Say { request, said: Said::Cancelled, .. } => {
                self.change_incident(unit, id, command.clone())?;
                let page = self.responder_request(unit, id, *request)?.page;
                self.change_page(unit, page, paging::Command::Stop { why: CANCELLED.to_owned() })?;
                Ok(())
            }
            Command::Say { request, said, person: Some(by), why } => {
                let via = unit.cause.clone();
                self.answer_request(unit, id, (*request, *said == Said::Accepted), by, &via, why.clone())
            }
            Command::Say { .. } | Command::Miss { .. } => self.change_incident(unit, id, command.clone()),
        }
    }

    /// Whom targets name, each once; nobody by name where a policy is asked.
    fn responders_named(&self, unit: &Unit, targets: &[String], escalation: Option<&str>) -> Decided<Vec<String>> {
        if let Some(policy) = escalation {
            return match self.org.escalation(policy) {
                Some(_) => Ok(Vec::new()),
                None => Err(Refusal::NoSuchEscalation(policy.to_owned()).into()),
            };
        }
        for target in targets {
            let resolved = self.org.people_for(target, unit.now);
            let is_no_person = target.starts_with(AUDIENCE) || target.starts_with(ORGANISATION);
            if is_no_person || resolved.people.is_empty() {
                return Err(Refusal::NobodyNamed(resolved.why_nobody.unwrap_or_else(|| target.clone())).into());
            }
        }
        Ok(self.org.people_for_all(targets, unit.now).people.into_iter().map(|(person, _)| person).collect())
    }

    fn responder_request(&self, unit: &Unit, id: IncidentId, request: u32) -> Decided<ResponderRequest> {
        let (incident, _) = self.incident(unit, id)?;
        let found = incident.work.responder_request(request).cloned();
        found.ok_or_else(|| Refusal::from(incident::Refusal::from(No::NoSuchRequest { request })).into())
    }

    /// One of them answers, wherever: by the link of the message, on the incident's page, over the API.
    pub(super) fn answer_request(
        &mut self,
        unit: &mut Unit,
        id: IncidentId,
        (request, accepted): (u32, bool),
        by: &str,
        via: &str,
        why: Option<String>,
    ) -> Decided<()> {
        let said = if accepted { Said::Accepted } else { Said::Declined };
        self.change_incident(unit, id, Command::Say { request, said, person: Some(by.to_owned()), why: why.clone() })?;
        let page = self.responder_request(unit, id, request)?.page;
        let (state, _) = self.page(unit, page)?;
        if accepted {
            self.admit_if_hidden(unit, id, vec![by.to_owned()], "comes as a responder")?;
            if paging::may_send(state.status) {
                self.change_page(unit, page, paging::Command::Acknowledge { by: Some(by.to_owned()), via: via.to_owned() })?;
            }
            if !self.incident(unit, id)?.0.is_held() {
                return self.acknowledge(unit, id, Some(by.to_owned()), via);
            }
        } else if state.status == paging::Status::Running {
            let command = paging::Command::Decline { by: by.to_owned(), via: via.to_owned(), answers: None, why };
            self.change_page(unit, page, command)?;
        }
        Ok(())
    }

    /// The page of a request looks for nobody any more, and not all have answered: whoever asked hears of it.
    pub(super) fn miss_request(&mut self, unit: &mut Unit, page: &Page, request: u32) -> Decided<()> {
        let id = page.incident_id();
        let Some(before) = self.incident(unit, id)?.0.work.responder_request(request).cloned() else { return Ok(()) };
        self.change_incident(unit, id, Command::Miss { request })?;
        let (incident, _) = self.incident(unit, id)?;
        let is_late = incident.work.responder_request(request).is_some_and(|found| found.late) && !before.late;
        let declined = before.cancelled_at.is_none() && !before.is_open() && !before.answers.iter().any(|answer| answer.accepted);
        if !(is_late || declined) || !incident.state.is_open() {
            return Ok(());
        }
        let names: Vec<String> = before.unanswered().map(|id| self.name_of_person(id)).collect();
        let whom = match (declined, names.is_empty()) {
            (true, _) => "everybody declined".to_owned(),
            (false, true) => "nobody of the policy accepted".to_owned(),
            (false, false) => format!("no answer from {}", names.join(", ")),
        };
        let text = format!("Your request {request} for responders ({}): {whom}. Ask somebody else, or cancel it.", before.why);
        let targets = match &before.by {
            Some(by) => vec![person(by)],
            None => incident.holders().iter().map(|id| person(id)).collect(),
        };
        let urgency = self.org.severity(incident.severity).notify;
        self.tell_at(unit, id, NoticeKind::Reminder, &targets, text, "responders did not answer", urgency)?;
        Ok(())
    }
}
