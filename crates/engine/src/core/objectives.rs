//! How long services may be affected: counted after whatever moves it, and looked at when most of the time is over. What is counted
//! is the domain's (`incident::objectives`).

use allclear_domain::expect::{Expectation, Key, Standing};
use allclear_domain::ids::IncidentId;
use allclear_domain::incident::objective::{Objective, ObjectiveKind};
use allclear_domain::incident::objectives::{self, Command, Event};
use allclear_domain::incident::{self, Incident};
use allclear_domain::wire::NoticeKind;
use allclear_store::rows;

use super::due::{note_look, settle};
use super::notices::clock;
use super::obligations::whoever;
use super::unit::Unit;
use super::{Core, Decided};

impl Core {
    /// What happened, and what that does to the objectives of its services.
    pub(super) fn count_objectives(
        &mut self,
        unit: &mut Unit,
        id: IncidentId,
        mut events: Vec<incident::Event>,
    ) -> Decided<Vec<incident::Event>> {
        if events.iter().any(objectives::moves) {
            events.extend(self.count_anew(unit, id)?);
        }
        Ok(events)
    }

    fn count_anew(&mut self, unit: &mut Unit, id: IncidentId) -> Decided<Vec<incident::Event>> {
        let before = self.incident(unit, id)?;
        self.incident_command(unit, id, Some(before), Command::Count)
    }

    /// Most of the time of an objective is over, or all of it. The organisation may have changed since it was counted, and its
    /// service may be no more.
    pub(super) fn look_objective(&mut self, unit: &mut Unit, expectation: &Expectation, id: IncidentId) -> Decided<()> {
        let key = if let Ok(Key::Objective { kind, service }) = expectation.key.parse() { Some((kind, service)) } else { None };
        let Some((kind, service)) = key.and_then(|(kind, service)| Some((ObjectiveKind::from_word(&kind)?, service))) else {
            settle(unit, expectation, Standing::Void, "its key does not read");
            return Ok(());
        };
        if !self.count_anew(unit, id)?.is_empty() {
            return Ok(());
        }
        let (state, _) = self.incident(unit, id)?;
        let Some(due) = live(&state, &service, kind) else {
            settle(unit, expectation, Standing::Void, "it does not count");
            return Ok(());
        };
        if due.due_at <= unit.now {
            settle(unit, expectation, Standing::Missed, "it did not recover in time");
            return self.change_incident(unit, id, Command::Miss { service, kind });
        }
        let next = expectation.deadline_at().unwrap_or(due.due_at);
        self.change_incident(unit, id, Command::Warn { service, kind })?;
        unit.write(rows::expectation::rearm(expectation, next));
        note_look(unit, next);
        Ok(())
    }

    /// Whoever leads hears that time runs out; when it has, their managers do as well.
    pub(super) fn follow_objectives(&mut self, unit: &mut Unit, id: IncidentId, event: &Event) -> Decided<()> {
        let (state, _) = self.incident(unit, id)?;
        match event {
            Event::Warned(body) => {
                let name = self.name_of_service(&body.service);
                let text = format!("80 % of the {} of {name} is over: by {}.", in_a_sentence(body.kind), clock(body.due_at));
                self.tell(unit, id, NoticeKind::Reminder, &whoever(&state), text, "a recovery objective is due soon")
            }
            Event::Missed(body) => {
                let mut targets = whoever(&state);
                targets.extend(self.org.managers_of(Some(&body.service)));
                targets.sort();
                targets.dedup();
                let name = self.name_of_service(&body.service);
                let text = format!("The {} of {name} was missed: {}, by {}.", in_a_sentence(body.kind), body.within, clock(body.due_at));
                let urgency = self.org.severity(state.severity).notify;
                self.tell_at(unit, id, NoticeKind::Reminder, &targets, text, "a recovery objective was missed", urgency)?;
                Ok(())
            }
            Event::Set(_) | Event::Ended(_) => Ok(()),
        }
    }

    fn name_of_service(&self, id: &str) -> String {
        self.org.service(id).map_or_else(|| id.to_owned(), |service| service.name.clone())
    }
}

fn live<'a>(incident: &'a Incident, service: &str, kind: ObjectiveKind) -> Option<&'a Objective> {
    incident.work.objectives.iter().find(|one| one.is_live() && one.missed_at.is_none() && one.is(service, kind))
}

fn in_a_sentence(kind: ObjectiveKind) -> String {
    kind.words().to_lowercase()
}
