//! What an incident needs from elsewhere: the organisation that is asked for it is told, and somebody of ours hears what it says,
//! or that nothing has come.
//!
//! Not here: what may become of a resource when (`domain::incident::resources`).

use allclear_domain::access::Actor;
use allclear_domain::expect::{Expectation, Key, Standing};
use allclear_domain::ids::IncidentId;
use allclear_domain::incident::resource::Resource;
use allclear_domain::incident::resources::{Command, Event, Moved, Said, Wanted};
use allclear_domain::wire::NoticeKind;

use super::due::settle;
use super::notices::{clock, person};
use super::unit::Unit;
use super::{Core, Decided};

impl Core {
    /// Whoever is asked for something or sends it is an organisation that there is; what one declined is written down also of
    /// one that is not there any more.
    pub(super) fn check_resources(&self, command: &Command) -> Decided<()> {
        match command {
            Command::Want { organisation: Some(organisation), .. } => self.known_organisation(organisation),
            Command::Move { organisation: Some(organisation), said, .. } if *said != Said::Declined => {
                self.known_organisation(organisation)
            }
            Command::Want { .. } | Command::Move { .. } | Command::Miss { .. } => Ok(()),
        }
    }

    pub(super) fn follow_resources(&mut self, unit: &mut Unit, id: IncidentId, event: &Event) -> Decided<()> {
        match event {
            Event::Wanted(body) => {
                let Some(organisation) = &body.organisation else { return Ok(()) };
                let text = self.wanted_text(unit, body);
                self.tell_party(unit, id, organisation, text, "a resource was asked for")
            }
            Event::Withdrawn(body) => {
                let found = self.resource(unit, id, body.resource)?;
                let Some((found, organisation)) = found.and_then(|found| found.organisation.clone().map(|of| (found, of))) else {
                    return Ok(());
                };
                let why = body.text.as_ref().map_or_else(String::new, |why| format!(": {why}"));
                let text = format!("Resource {} ({}) is not wanted any more, nothing is to be sent{why}", found.resource, found.called());
                self.tell_party(unit, id, &organisation, text, "a resource is not wanted any more")
            }
            Event::Ordered(body) => self.tell_of_resource(unit, id, body, "is ordered"),
            Event::Sent(body) => self.tell_of_resource(unit, id, body, "is on the way"),
            Event::Arrived(body) => self.tell_of_resource(unit, id, body, "has arrived"),
            Event::Declined(body) => self.tell_of_resource(unit, id, body, "was declined, and is wanted still"),
            Event::Released(_) | Event::Missed(_) => Ok(()),
        }
    }

    /// What an organisation reads: what is wanted, where and until when, and by whom.
    fn wanted_text(&self, unit: &Unit, wanted: &Wanted) -> String {
        let called = allclear_domain::incident::resource::called(wanted.quantity, wanted.what.trim());
        let mut text = format!("Resource {}: {called}", wanted.resource);
        if let Some(place) = &wanted.place {
            text.push_str(&format!("\nTo: {place}."));
        }
        if let Actor::Person(by) = &unit.actor {
            text.push_str(&format!("\nAsked for by {}.", self.name_of_person(by)));
        }
        if let Some(due_at) = wanted.due_at {
            text.push_str(&format!("\nNeeded by {}.", clock(due_at)));
        }
        text
    }

    fn resource(&mut self, unit: &Unit, id: IncidentId, number: u32) -> Decided<Option<Resource>> {
        Ok(self.incident(unit, id)?.0.work.resource(number).cloned())
    }

    /// Whoever speaks with them hears what became of it, where somebody else wrote it down.
    fn tell_of_resource(&mut self, unit: &mut Unit, id: IncidentId, moved: &Moved, what: &str) -> Decided<()> {
        let (incident, _) = self.incident(unit, id)?;
        let Some(found) = incident.work.resource(moved.resource) else { return Ok(()) };
        let of = moved.organisation.clone().or_else(|| found.organisation.clone()).unwrap_or_default();
        let mut targets = self.who_hears_of(&incident, &of);
        if let Actor::Person(by) = &unit.actor {
            targets.retain(|target| *target != person(by));
        }
        let comes = moved.expected_at.map_or_else(String::new, |at| format!(", comes at {}", clock(at)));
        let said = moved.text.as_ref().map_or_else(|| ".".to_owned(), |text| format!(": {text}"));
        let text = format!("Resource {} ({}) {what}{comes}{said}", found.resource, found.called());
        self.tell(unit, id, NoticeKind::Reminder, &targets, text, "a resource")
    }

    pub(super) fn look_resource(&mut self, unit: &mut Unit, expectation: &Expectation, id: IncidentId) -> Decided<()> {
        let number = if let Ok(Key::Resource(number)) = expectation.key.parse() { number } else { 0 };
        let (incident, _) = self.incident(unit, id)?;
        let Some(found) = incident.work.resource(number).filter(|found| found.state.is_awaited()).cloned() else {
            settle(unit, expectation, Standing::Void, "it is not awaited any more");
            return Ok(());
        };
        // Before what it leads to: its other time is awaited under the same key.
        settle(unit, expectation, Standing::Missed, "it did not arrive in time");
        self.change_incident(unit, id, Command::Miss { resource: number })?;
        let targets = self.who_hears_of(&incident, found.organisation.as_deref().unwrap_or_default());
        let due = found.due_at.filter(|at| *at <= unit.now).map(|at| format!("was needed by {}", clock(at)));
        let comes = found.expected_at.filter(|at| *at <= unit.now).map(|at| format!("was said to come at {}", clock(at)));
        let when = [due, comes].into_iter().flatten().collect::<Vec<_>>().join(" and ");
        let text = format!("Resource {number} ({}) has not arrived, and {when}.", found.called());
        let urgency = self.org.severity(incident.severity).notify;
        self.tell_at(unit, id, NoticeKind::Reminder, &targets, text, "a resource has not arrived", urgency)?;
        Ok(())
    }
}
