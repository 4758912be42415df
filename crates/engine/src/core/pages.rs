//! Commands on pages.

use allclear_domain::access::{self, Actor, Principal, Scope};
use allclear_domain::event::Head;
use allclear_domain::ids::{IncidentId, PageId};
use allclear_domain::incident;
use allclear_domain::incident::lifecycle::{self, Verb};
use allclear_domain::org::model::Access;
use allclear_domain::paging::{self, Page};
use allclear_domain::wire::NoticeKind;

use super::command::{Refusal, Reply};
use super::unit::Unit;
use super::{Core, Decided};

/// Why somebody who was paged may see the incident.
const PAGED: &str = "was paged or told";
/// What stands in a refusal for an incident that whoever asks may not see.
const UNNAMED: &str = "an incident that you may not see";

impl Core {
    /// Decides a command on a page and folds its events; messages go to the outbox with them.
    pub(super) fn page_command(
        &mut self,
        unit: &mut Unit,
        id: PageId,
        before: Option<(Page, Head)>,
        command: paging::Command,
    ) -> Decided<Vec<paging::Event>> {
        let mut ids = unit.ids.clone();
        let mut context = paging::Context { now: unit.now, org: &self.org, ids: &mut ids };
        let events = paging::decide(before.as_ref().map(|(state, _)| state), command, &mut context).map_err(Refusal::from)?;
        unit.ids = ids;
        let node = (!self.setup.quarantined).then_some(self.setup.node);
        unit.page_events(id, before, &events, node);
        self.admit_paged(unit, id, &events)?;
        for event in &events {
            if let paging::Event::Exhausted(body) = event {
                let (page, _) = self.page(unit, id)?;
                let (incident, _) = self.incident(unit, page.incident_id())?;
                if !incident.is_held() {
                    unit.effects().unanswered.push((incident.reference, body.why.clone()));
                }
            }
        }
        Ok(events)
    }

    /// Who is paged for what they could not see otherwise is admitted: people for a private
    /// incident, guests for any.
    fn admit_paged(&mut self, unit: &mut Unit, id: PageId, events: &[paging::Event]) -> Decided<()> {
        let mut people: Vec<String> = Vec::new();
        for event in events {
            match event {
                paging::Event::StepReached(body) => people.extend(body.people.iter().map(|reached| reached.person.clone())),
                paging::Event::Told(body) => people.extend(body.people.iter().map(|reached| reached.person.clone())),
                paging::Event::ConfirmationAsked(body) => people.push(body.person.clone()),
                _ => {}
            }
        }
        if people.is_empty() {
            return Ok(());
        }
        let (page, _) = self.page(unit, id)?;
        self.admit_if_hidden(unit, page.incident_id(), people, PAGED)
    }

    /// Admits those who would not see an incident otherwise, as long as it can be told in its log.
    pub(super) fn admit_if_hidden(&mut self, unit: &mut Unit, id: IncidentId, mut people: Vec<String>, why: &str) -> Decided<()> {
        let before = self.incident(unit, id)?;
        let (private, org) = (before.0.private, self.org.clone());
        people.retain(|person| org.person(person).is_some_and(|form| private || form.access == Some(Access::Guest)));
        if people.is_empty() || lifecycle::next(before.0.state, Verb::Admit).is_err() {
            return Ok(());
        }
        self.incident_command(unit, id, Some(before), incident::Command::Admit { people, why: why.to_owned() })?;
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
        let who = Principal { actor: who.clone(), scope: Scope::Respond };
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
            // What only tells is no way to take an incident: its page refuses.
            paging::Command::Acknowledge { by, via } if page.status != paging::Status::Told => {
                self.acknowledge(unit, page.incident_id(), by.clone(), via)?;
            }
            paging::Command::Acknowledge { by, via } if asks_still_on_it(&page) => {
                let (incident, _) = self.incident(unit, page.incident_id())?;
                if incident.is_held() || !incident.state.is_open() {
                    let command = incident::Command::StillOnIt { by: by.clone(), via: via.clone() };
                    self.change_incident(unit, incident.id, command)?;
                } else {
                    self.acknowledge(unit, incident.id, by.clone(), via)?;
                }
            }
            paging::Command::Decline { by, .. } if asks_still_on_it(&page) => {
                let (incident, _) = self.incident(unit, page.incident_id())?;
                // Only an answer to the question that stands counts.
                if incident.work.hold.asked_at.is_some() {
                    let name = self.org.person(by).map_or(by.clone(), |person| person.name.clone());
                    self.lose(unit, incident.id, &format!("{name} is not on it any more"))?;
                }
            }
            other => {
                self.change_page(unit, id, other.clone())?;
            }
        }
        Ok(Reply::Page { id })
    }
}

/// Whether a page is the question whether somebody is still on it.
fn asks_still_on_it(page: &Page) -> bool {
    page.tells.as_ref().is_some_and(|tells| tells.kind == NoticeKind::StillOnIt)
}
