//! Telling people something about an incident that asks nothing of them, or a question.

use allclear_domain::access::Actor;
use allclear_domain::ids::{IncidentId, PageId};
use allclear_domain::incident::Incident;
use allclear_domain::incident::roles;
use allclear_domain::incident::work::Task;
use allclear_domain::org::model::NotifyUrgency;
use allclear_domain::paging::{self, Page};
use allclear_domain::wire::{NoticeIncident, NoticeKind};
use jiff::Timestamp;

use super::unit::Unit;
use super::{Core, Decided};

impl Core {
    /// Tells people something of an incident, and asks nothing; nobody named is nobody told.
    pub(super) fn tell(
        &mut self,
        unit: &mut Unit,
        id: IncidentId,
        kind: NoticeKind,
        targets: &[String],
        text: String,
        because: &str,
    ) -> Decided<()> {
        self.tell_at(unit, id, kind, targets, text, because, NotifyUrgency::Low)?;
        Ok(())
    }

    /// The same at an urgency; what was told, and whom.
    #[allow(clippy::too_many_arguments)] // each is one part of what is told
    pub(super) fn tell_at(
        &mut self,
        unit: &mut Unit,
        id: IncidentId,
        kind: NoticeKind,
        targets: &[String],
        text: String,
        because: &str,
        urgency: NotifyUrgency,
    ) -> Decided<Option<Page>> {
        if targets.is_empty() {
            return Ok(None);
        }
        let (incident, _) = self.incident(unit, id)?;
        let page = PageId::from_bits(unit.id());
        let command = paging::Command::Tell(paging::Tell {
            incident: notice_of(&incident),
            kind,
            text,
            targets: targets.to_vec(),
            because: because.to_owned(),
            urgency,
        });
        self.page_command(unit, page, None, command)?;
        unit.new_pages.push((id, page));
        Ok(Some(self.page(unit, page)?.0))
    }

    /// An owner hears of a task, unless they took it themselves.
    pub(super) fn tell_of_task(&mut self, unit: &mut Unit, id: IncidentId, task: u32, text: &str, owner: &str) -> Decided<()> {
        if unit.actor == Actor::Person(owner.to_owned()) {
            return Ok(());
        }
        self.tell(unit, id, NoticeKind::Reminder, &[person(owner)], format!("Task {task} is yours: {text}"), "a task was assigned")
    }

    /// What somebody is called; their id where nobody has it any more.
    pub(super) fn name_of_person(&self, id: &str) -> String {
        self.org.person(id).map_or_else(|| id.to_owned(), |person| person.name.clone())
    }

    /// Why a page starts that somebody asked for, with their words.
    pub(super) fn asks_for_help(&self, unit: &Unit, why: &str) -> String {
        if let Actor::Person(by) = &unit.actor {
            return format!("{} asks for help: {why}", self.name_of_person(by));
        }
        format!("help is asked for: {why}")
    }

    /// Who had a role and who has it are told where another did that; what somebody does themself they know.
    pub(super) fn tell_of_change_of_hands(&mut self, unit: &mut Unit, id: IncidentId, taken: &roles::Taken) -> Decided<()> {
        let why = taken.why.as_ref().map_or_else(String::new, |why| format!(": {why}"));
        let by = if let Actor::Person(by) = &unit.actor { Some(by.clone()) } else { None };
        let (role, holder) = (&taken.role, self.name_of_person(&taken.person));
        let others = by.as_ref().filter(|by| **by != taken.person && taken.from.as_ref() != Some(*by)).map(|by| self.name_of_person(by));
        let text = match (&taken.from, others) {
            (None, Some(by)) => format!("{by} made you {role}{why}"),
            (None, None) => format!("You are {role} now{why}"),
            (Some(from), None) => format!("{holder} is {role} now, in the place of {}{why}", self.name_of_person(from)),
            (Some(from), Some(by)) => format!("{by} made {holder} {role}, in the place of {}{why}", self.name_of_person(from)),
        };
        let told = [Some(&taken.person), taken.from.as_ref()].into_iter().flatten().filter(|one| by.as_ref() != Some(*one));
        let targets: Vec<String> = told.map(|one| person(one)).collect();
        self.tell(unit, id, NoticeKind::Reminder, &targets, text, "a role changed hands")
    }

    /// Who had a role is told where another ended that.
    pub(super) fn tell_of_end_of_role(&mut self, unit: &mut Unit, id: IncidentId, left: &roles::Left) -> Decided<()> {
        if left.offered || unit.actor == Actor::Person(left.person.clone()) {
            return Ok(());
        }
        let by = if let Actor::Person(by) = &unit.actor { self.org.person(by).map(|person| person.name.clone()) } else { None };
        let by = by.map_or_else(String::new, |name| format!(" {name} ended that."));
        let why = left.why.as_ref().map_or_else(String::new, |why| format!(" {why}"));
        let text = format!("You are not {} any more.{by}{why}", left.role);
        self.tell(unit, id, NoticeKind::Reminder, &[person(&left.person)], text, "a role was ended by another")
    }

    /// Whoever does it is told that it has other words, or another time.
    pub(super) fn tell_of_change(&mut self, unit: &mut Unit, id: IncidentId, task: &Task) -> Decided<()> {
        let Some(owner) = task.owner.as_ref().filter(|owner| unit.actor != Actor::Person((*owner).clone())) else { return Ok(()) };
        let until = task.due_at.map_or_else(String::new, |due_at| format!(", until {}", clock(due_at)));
        let text = format!("Task {} has changed: {}{until}", task.task, task.text);
        self.tell(unit, id, NoticeKind::Reminder, &[person(owner)], text, "a task was changed")
    }
}

/// An incident as a message shows it.
pub(super) fn notice_of(incident: &Incident) -> NoticeIncident {
    NoticeIncident {
        id: incident.id,
        reference: incident.reference.clone(),
        title: incident.title.clone(),
        severity: incident.severity.word().to_owned(),
        service: incident.service.clone(),
        guest: None,
    }
}

pub(super) fn person(id: &str) -> String {
    format!("person:{id}")
}

pub(super) fn each_once<const N: usize>(people: [Option<String>; N]) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for target in people.iter().flatten().map(|id| person(id)) {
        if !out.contains(&target) {
            out.push(target);
        }
    }
    out
}

pub(super) fn clock(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
