//! Other organisations in an incident: when a request is due by their own hours, what goes out to them over the agreed way,
//! and who of ours hears what they say, or that they say nothing.
//!
//! Not here: what may be asked and answered when (`domain::incident::parties`), and how an organisation is reached
//! (`domain::org`).

use allclear_domain::access::{Actor, Principal};
use allclear_domain::expect::{Expectation, Key, Standing};
use allclear_domain::ids::{IncidentId, PageId};
use allclear_domain::incident::parties::{Asked, Command, Event, Heard};
use allclear_domain::incident::{self, Incident, roles, sharing};
use allclear_domain::org::forms::target::Target;
use allclear_domain::org::model::NotifyUrgency;
use allclear_domain::org::snapshot::ORGANISATION;
use allclear_domain::org::words::meant;
use allclear_domain::paging;
use allclear_domain::view::notice_for;
use allclear_domain::wire::NoticeKind;

use super::command::{NAMED_CHARS_MAX, Refusal};
use super::notices::{clock, person};
use super::unit::Unit;
use super::{Core, Decided};

/// The role as whose holder a liaison is looked at.
const LIAISON: &str = "liaison";

impl Core {
    /// Whoever joins and is asked is an organisation that there is, and its liaison a person. What was heard, and that one
    /// leaves, is written down also of one that is not there any more.
    pub(super) fn check_partners(&self, command: &Command) -> Decided<()> {
        let (organisation, liaison) = match command {
            Command::Join { organisation, liaison, .. } => (organisation, liaison.as_ref()),
            Command::Ask { organisation, .. } => (organisation, None),
            Command::Leave { .. } | Command::Hear { .. } | Command::Miss { .. } => return Ok(()),
        };
        self.known_organisation(organisation)?;
        liaison.map_or(Ok(()), |liaison| self.known_person(liaison))
    }

    /// An organisation that there is; else the one that was meant.
    pub(super) fn known_organisation(&self, organisation: &str) -> Decided<()> {
        if self.org.organisation(organisation).is_some() {
            return Ok(());
        }
        let hint = meant(organisation, self.org.bundle().organisations.iter().map(|known| known.id.as_str()));
        Err(Refusal::NoSuchOrganisation { organisation: organisation.chars().take(NAMED_CHARS_MAX).collect(), hint }.into())
    }

    pub(super) fn follow_sharing(&mut self, unit: &mut Unit, id: IncidentId, event: &sharing::Event) -> Decided<()> {
        use sharing::Event as E;
        match event {
            E::Said(body) => {
                let (incident, _) = self.incident(unit, id)?;
                let targets = self.who_hears_of(&incident, &body.organisation);
                let text = format!("{} writes: {}", self.name_of_organisation(&body.organisation), body.text);
                self.tell(unit, id, NoticeKind::Reminder, &targets, text, "an organisation wrote something")
            }
            E::Marked(_) | E::LinkMade(_) | E::LinkRevoked(_) | E::Exported(_) => Ok(()),
        }
    }

    /// What is asked, with the time that the hours of the organisation make of it.
    pub(super) fn as_asked(&self, unit: &Unit, command: &Command) -> Command {
        let mut given = command.clone();
        if let Command::Ask { organisation, within: Some(within), due_at: due_at @ None, .. } = &mut given {
            *due_at = Some(self.org.due_in_hours_of(organisation, unit.now, *within));
        }
        given
    }

    pub(super) fn follow_partners(&mut self, unit: &mut Unit, id: IncidentId, event: &Event) -> Decided<()> {
        match event {
            Event::Asked(body) => {
                let text = self.request_text(unit, id, body)?;
                self.tell_party(unit, id, &body.organisation, text, "a request to another organisation")
            }
            Event::Withdrawn(body) => {
                let why = body.text.as_ref().map_or_else(String::new, |why| format!(": {why}"));
                let text = format!("Request {} is withdrawn, nothing is to be done about it{why}", body.request);
                self.tell_party(unit, id, &body.organisation, text, "a request was withdrawn")
            }
            Event::Acknowledged(body) => self.tell_of_answer(unit, id, body, "has acknowledged"),
            Event::Answered(body) => self.tell_of_answer(unit, id, body, "has answered"),
            Event::Declined(body) => self.tell_of_answer(unit, id, body, "has declined"),
            Event::Joined(_) | Event::Changed(_) | Event::Left(_) | Event::Missed(_) => Ok(()),
        }
    }

    /// What an organisation reads: what is wanted, by whom, until when, and the numbers that each side knows it by.
    fn request_text(&mut self, unit: &Unit, id: IncidentId, asked: &Asked) -> Decided<String> {
        let (incident, _) = self.incident(unit, id)?;
        let label = asked.marking.map_or_else(String::new, |marking| format!("{} ", marking.label()));
        let mut text = format!("{label}Request {}: {}", asked.request, asked.text.trim());
        if let Actor::Person(by) = &unit.actor {
            text.push_str(&format!("\nAsked by {}.", self.name_of_person(by)));
        }
        if let Some(due_at) = asked.due_at {
            text.push_str(&format!("\nPlease answer by {}.", clock(due_at)));
        }
        let theirs = incident.work.partners.party(&asked.organisation).and_then(|party| party.reference.as_ref());
        if let Some(reference) = theirs {
            text.push_str(&format!("\nYour reference: {reference}."));
        }
        if let Some(reference) = self.org.organisation(&asked.organisation).and_then(|form| form.reference.as_ref()) {
            text.push_str(&format!("\nAgreement: {reference}."));
        }
        Ok(text)
    }

    /// Tells an organisation something, with of the incident no more than it may be told.
    pub(super) fn tell_party(&mut self, unit: &mut Unit, id: IncidentId, organisation: &str, text: String, because: &str) -> Decided<()> {
        let (incident, _) = self.incident(unit, id)?;
        let page = PageId::from_bits(unit.id());
        let command = paging::Command::Tell(paging::Tell {
            incident: notice_for(&self.org, &incident, organisation, unit.now),
            kind: NoticeKind::Request,
            text,
            targets: vec![format!("{ORGANISATION}{organisation}")],
            because: because.to_owned(),
            urgency: NotifyUrgency::High,
        });
        self.page_command(unit, page, None, command)?;
        unit.new_pages.push((id, page));
        Ok(())
    }

    /// Whoever speaks with them hears what they say, where somebody else wrote it down.
    fn tell_of_answer(&mut self, unit: &mut Unit, id: IncidentId, heard: &Heard, what: &str) -> Decided<()> {
        let (incident, _) = self.incident(unit, id)?;
        let mut targets = self.who_hears_of(&incident, &heard.organisation);
        if let Actor::Person(by) = &unit.actor {
            targets.retain(|target| *target != person(by));
        }
        let said = heard.text.as_ref().map_or_else(|| ".".to_owned(), |text| format!(": {text}"));
        let text = format!("{} {what} request {}{said}", self.name_of_organisation(&heard.organisation), heard.request);
        self.tell(unit, id, NoticeKind::Reminder, &targets, text, "an organisation answered")
    }

    pub(super) fn look_request(&mut self, unit: &mut Unit, expectation: &Expectation, id: IncidentId) -> Decided<Standing> {
        let Ok(Key::Request(request)) = expectation.key.parse() else { return Ok(Standing::Void) };
        let (incident, _) = self.incident(unit, id)?;
        let Some(found) = incident.work.partners.request(request).filter(|found| found.is_open()).cloned() else {
            return Ok(Standing::Void);
        };
        self.change_incident(unit, id, Command::Miss { request })?;
        let targets = self.who_hears_of(&incident, &found.organisation);
        let due = found.due_at.map_or_else(String::new, |due_at| format!(" by {}", clock(due_at)));
        let name = self.name_of_organisation(&found.organisation);
        let text = format!("{name} has not answered request {request}{due}: {}", found.text);
        let urgency = self.org.severity(incident.severity).notify;
        self.tell_at(unit, id, NoticeKind::Reminder, &targets, text, "a request was not answered", urgency)?;
        Ok(Standing::Missed)
    }

    /// Who of ours hears what an organisation says, or that it says nothing, as targets: its liaison, else whoever commands or
    /// has it, or had it when it ended; where none of them can be told, the managers of its service's team, else the catch-all.
    pub(super) fn who_hears_of(&self, incident: &Incident, organisation: &str) -> Vec<String> {
        let reached = |id: &&str| !self.org.reach(id, NotifyUrgency::Low).is_empty();
        let liaison = incident.work.partners.parties.get(organisation).and_then(|party| party.liaison.as_deref());
        let holder = incident.holder().filter(|_| incident.is_held() || !incident.state.is_open());
        if let Some(one) = [liaison, holder].into_iter().flatten().find(reached) {
            return vec![person(one)];
        }
        let mut managers = self.managers_of(incident);
        managers.retain(|target| matches!(Target::parse(target), Some(Target::Person(id)) if reached(&id)));
        if managers.is_empty() { self.org.catch_all().to_vec() } else { managers }
    }

    /// Whoever is made liaison by another may act on the incident and hears of it: as with a role.
    pub(super) fn check_liaison(&self, who: &Principal, incident: &Incident, command: &Command) -> Decided<()> {
        let Command::Join { organisation, liaison: Some(liaison), .. } = command else { return Ok(()) };
        let before = incident.work.partners.party(organisation).and_then(|party| party.liaison.as_ref());
        if who.person() == Some(liaison) || before == Some(liaison) {
            return Ok(());
        }
        Ok(roles::may_be_given(&self.org, LIAISON, liaison).map_err(|no| Refusal::from(incident::Refusal::from(no)))?)
    }

    fn name_of_organisation(&self, id: &str) -> String {
        self.org.organisation(id).map_or_else(|| id.to_owned(), |form| form.name.clone())
    }
}
