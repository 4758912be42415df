//! The coordination of an incident, its review and actions: commands, and what follows when nobody did
//! what was expected.
//!
//! Not here: what may happen in which state and what opens which expectation (`domain::incident`, `review`,
//! `action`), and how people are reached (`domain::paging`).

use allclear_domain::access::Actor;
use allclear_domain::action;
use allclear_domain::event::Head;
use allclear_domain::expect::{Expectation, ROLE_WITHIN, Standing};
use allclear_domain::ids::{ActionId, AlertId, IncidentId, PageId, ReviewId};
use allclear_domain::incident::work::COMMANDER;
use allclear_domain::incident::{self, Incident};
use allclear_domain::org::model::NotifyUrgency;
use allclear_domain::org::snapshot::{AUDIENCE, ReviewWithin};
use allclear_domain::paging::{self, Page};
use allclear_domain::review;
use allclear_domain::time::after;
use allclear_domain::wire::{NoticeIncident, NoticeKind};
use allclear_store::rows;
use jiff::Timestamp;

use super::command::{Refusal, Reply};
use super::incidents::Whom;
use super::neglect::{NO_COMMANDER, NO_UPDATE, is_about_offer, no_answer};
use super::unit::{AlertChange, Unit};
use super::{Core, Decided, Need, Stop};
use crate::core::due::note_look;

/// How long a review has that somebody asks for where its severity asks for none.
const REVIEW_ASKED_WITHIN: ReviewWithin = ReviewWithin::BusinessDays(allclear_domain::org::snapshot::REVIEW_BUSINESS_DAYS);

/// Why whoever has to do something about an incident may see it.
const OWNS_AN_ACTION: &str = "owns an action";

impl Core {
    /// Whoever a command names must exist.
    pub(super) fn check_names(&self, command: &incident::Command) -> Decided<()> {
        use incident::Command as C;
        let person = match command {
            C::OfferRole { to: person, .. } | C::TakeRole { person, .. } | C::AssignTask { owner: person, .. } => Some(person),
            C::AddTask { owner, .. } => owner.as_ref(),
            _ => None,
        };
        if let Some(person) = person {
            self.known_person(person)?;
        }
        if let C::OfferRole { role, .. } | C::TakeRole { role, .. } = command
            && !self.org.roles().any(|known| known == role)
        {
            let known: Vec<&str> = self.org.roles().collect();
            return Err(Refusal::NoSuchRole { role: role.clone(), known: known.join(", ") }.into());
        }
        if let C::Update { audiences, .. } = command {
            for audience in audiences {
                self.org.audience(audience).ok_or_else(|| Refusal::NoSuchAudience(audience.clone()))?;
            }
        }
        Ok(())
    }

    fn known_person(&self, person: &str) -> Decided<()> {
        self.org.person(person).ok_or_else(|| Refusal::NoSuchPerson(person.to_owned()))?;
        Ok(())
    }

    /// What follows from events of coordination, beside their expectations.
    pub(super) fn after_coordination(&mut self, unit: &mut Unit, id: IncidentId, event: &incident::Event) -> Decided<()> {
        use incident::Event as E;
        match event {
            E::RoleOffered(body) => {
                self.stop_pages_about(unit, id, |because| is_about_offer(because, &body.role), "it was offered again")?;
                let text = format!("You are asked to be {}. Open the incident to take it.", body.role);
                self.tell(unit, id, NoticeKind::Reminder, &[person(&body.to)], text, "a role was offered")
            }
            E::TaskAdded(incident::TaskAdded { task, text, owner: Some(owner), .. }) => self.tell_of_task(unit, id, *task, text, owner),
            E::TaskAssigned(body) => {
                let (state, _) = self.incident(unit, id)?;
                let text = state.work.task(body.task).map(|task| task.text.clone()).unwrap_or_default();
                self.tell_of_task(unit, id, body.task, &text, &body.owner)
            }
            E::Updated(body) => {
                self.stop_pages_about(unit, id, |because| because == NO_UPDATE, "an update was sent")?;
                let targets: Vec<String> = body.audiences.iter().map(|audience| format!("{AUDIENCE}{audience}")).collect();
                self.tell(unit, id, NoticeKind::Update, &targets, body.text.clone(), "an update")
            }
            E::RoleTaken(body) => {
                self.stop_pages_about(unit, id, |because| is_about_offer(because, &body.role), "somebody took the role")?;
                if body.role == COMMANDER {
                    self.stop_pages_about(unit, id, |because| because == NO_COMMANDER, "somebody took command")?;
                }
                Ok(())
            }
            E::Resolved(body) if !body.by_itself => self.ask_review_if_due(unit, id),
            _ => Ok(()),
        }
    }

    /// An owner hears of a task, unless they took it themselves.
    fn tell_of_task(&mut self, unit: &mut Unit, id: IncidentId, task: u32, text: &str, owner: &str) -> Decided<()> {
        if unit.actor == Actor::Person(owner.to_owned()) {
            return Ok(());
        }
        self.tell(unit, id, NoticeKind::Reminder, &[person(owner)], format!("Task {task} is yours: {text}"), "a task was assigned")
    }

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
        self.page_people(unit, id, targets.to_vec(), why)?;
        self.named(unit, id)
    }

    /// An open alert goes to an incident.
    pub(super) fn link_alert(&mut self, unit: &mut Unit, id: IncidentId, alert: AlertId) -> Decided<Reply> {
        let Some(mut stored) = self.whole_alert(alert)? else { return Err(Stop::Need(Need::Alert(alert))) };
        if stored.ended.is_some() {
            return Err(Refusal::AlertEnded.into());
        }
        if stored.incident == Some(id) {
            return self.named(unit, id);
        }
        if let Some(other) = stored.incident {
            let (other, _) = self.incident(unit, other)?;
            if other.state.is_open() {
                return Err(Refusal::AlertHasIncident(self.name_of(unit, &other)).into());
            }
        }
        self.change_incident(unit, id, incident::Command::LinkAlert { alert, title: stored.title.clone() })?;
        let key = super::AlertKey::new(&stored.integration, &stored.dedup_key);
        let mut open = self.freshest(&stored);
        unit.note_alert(&open);
        stored.incident = Some(id);
        open.incident = Some(id);
        unit.write(rows::alert::judged(&stored));
        unit.alerts.push(AlertChange::Set(key, open));
        // The log counts it with the others that joined: what had recovered has not any more.
        self.digest(unit, id);
        let (state, _) = self.incident(unit, id)?;
        if stored.suppressed.is_some() || self.may_be_held(&state) {
            unit.silenced.entry(id).or_default();
            self.tell_silences(unit)?;
        }
        self.named(unit, id)
    }

    pub(super) fn named(&self, unit: &Unit, id: IncidentId) -> Decided<Reply> {
        let (state, _) = self.incident(unit, id)?;
        Ok(Reply::Incident { id, reference: state.reference })
    }

    // Reviews.

    fn ask_review_if_due(&mut self, unit: &mut Unit, id: IncidentId) -> Decided<()> {
        let (incident, _) = self.incident(unit, id)?;
        match self.org.severity(incident.severity).review_within {
            Some(within) if incident.work.review.is_none() => self.ask_review(unit, id, within),
            _ => Ok(()),
        }
    }

    /// A person asks for a review.
    pub(super) fn review_of(&mut self, unit: &mut Unit, id: IncidentId) -> Decided<Reply> {
        let (incident, _) = self.incident(unit, id)?;
        let within = self.org.severity(incident.severity).review_within.unwrap_or(REVIEW_ASKED_WITHIN);
        self.ask_review(unit, id, within)?;
        self.named(unit, id)
    }

    fn ask_review(&mut self, unit: &mut Unit, id: IncidentId, within: ReviewWithin) -> Decided<()> {
        let before = self.incident(unit, id)?;
        let review = ReviewId::from_bits(unit.id());
        let due_at = within.due_at(unit.now);
        let opened = review::Opened {
            incident: id,
            reference: before.0.reference.clone(),
            owner: before.0.commander.clone().or_else(|| before.0.acknowledged_by.clone()),
            due_at,
        };
        self.incident_command(unit, id, Some(before), incident::Command::AskReview { review, due_at })?;
        self.review_command(unit, review, None, review::Command::Open(opened))
    }

    fn review_command(
        &mut self,
        unit: &mut Unit,
        id: ReviewId,
        before: Option<(review::Review, Head)>,
        command: review::Command,
    ) -> Decided<()> {
        let events = review::decide(before.as_ref().map(|(state, _)| state), command).map_err(Refusal::from)?;
        unit.review_events(id, before, &events);
        Ok(())
    }

    /// A person's command on a review.
    pub(super) fn act_on_review(&mut self, unit: &mut Unit, id: ReviewId, command: &review::Command) -> Decided<Reply> {
        if let review::Command::Assign { owner } = command {
            self.known_person(owner)?;
        }
        let before = self.review(unit, id)?;
        let (incident, reference) = (before.0.incident, before.0.reference.clone());
        if let review::Command::Assign { owner } = command {
            self.admit_or_refuse(unit, incident, owner, "writes the review")?;
        }
        self.review_command(unit, id, Some(before), command.clone())?;
        if let review::Command::Assign { owner } = command
            && unit.actor != Actor::Person(owner.clone())
        {
            let text = format!("The review of {reference} is yours to write.");
            self.tell(unit, incident, NoticeKind::Reminder, &[person(owner)], text, "a review was assigned")?;
        }
        Ok(Reply::Review { id })
    }

    // Actions.

    /// A person adds an action.
    pub(super) fn add_action(
        &mut self,
        unit: &mut Unit,
        incident: IncidentId,
        text: &str,
        owner: &str,
        due_at: Timestamp,
    ) -> Decided<Reply> {
        self.known_person(owner)?;
        let reference = self.incident(unit, incident)?.0.reference;
        let id = ActionId::from_bits(unit.id());
        self.admit_or_refuse(unit, incident, owner, OWNS_AN_ACTION)?;
        let added =
            action::Added { incident: Some(incident), reference: Some(reference), text: text.to_owned(), owner: owner.to_owned(), due_at };
        self.action_command(unit, id, None, action::Command::Add(added))?;
        Ok(Reply::Action { id })
    }

    fn action_command(
        &mut self,
        unit: &mut Unit,
        id: ActionId,
        before: Option<(action::Action, Head)>,
        command: action::Command,
    ) -> Decided<()> {
        let events = action::decide(before.as_ref().map(|(state, _)| state), command, unit.now).map_err(Refusal::from)?;
        unit.action_events(id, before, &events);
        Ok(())
    }

    /// A person's command on an action.
    pub(super) fn act_on_action(&mut self, unit: &mut Unit, id: ActionId, command: &action::Command) -> Decided<Reply> {
        if let action::Command::Assign { owner } = command {
            self.known_person(owner)?;
        }
        let before = self.action(unit, id)?;
        if let (action::Command::Assign { owner }, Some(incident)) = (command, before.0.incident) {
            self.admit_or_refuse(unit, incident, owner, OWNS_AN_ACTION)?;
        }
        self.action_command(unit, id, Some(before), command.clone())?;
        Ok(Reply::Action { id })
    }

    // What was expected and did not come.

    pub(super) fn look_role_answer(&mut self, unit: &mut Unit, expectation: &Expectation, id: IncidentId) -> Decided<Standing> {
        let role = expectation.key.trim_start_matches("role:").to_owned();
        let (incident, _) = self.incident(unit, id)?;
        let Some(held) = incident.work.roles.get(&role).cloned() else { return Ok(Standing::Void) };
        let Some(to) = held.offered_to else { return Ok(Standing::Void) };
        self.change_incident(unit, id, incident::Command::MissRoleAnswer { role: role.clone(), to: to.clone() })?;
        let name = self.org.person(&to).map_or(to.clone(), |person| person.name.clone());
        if incident.severity.is_grave() {
            // Without a commander the search for one goes on, and pages.
            if role != COMMANDER || incident.commander.is_some() {
                let first = each_once([incident.holder().filter(|who| *who != to).map(ToOwned::to_owned)]);
                let managers = self.org.managers_of(incident.service.as_deref());
                self.page_neglect(unit, id, first, managers, &no_answer(&name, &role))?;
            }
            return Ok(Standing::Missed);
        }
        let asker = incident.commander.filter(|who| *who != to);
        let targets: Vec<String> = asker.iter().map(|who| person(who)).collect();
        let text = format!("{name} has not answered the offer to be {role}. Ask somebody else.");
        self.tell(unit, id, NoticeKind::Reminder, &targets, text, "nobody answered the offer of a role")?;
        Ok(Standing::Missed)
    }

    /// `None`: it is looked at again, since silences hold the incident and nobody is paged meanwhile.
    pub(super) fn look_commander(&mut self, unit: &mut Unit, expectation: &Expectation, id: IncidentId) -> Decided<Option<Standing>> {
        let (incident, _) = self.incident(unit, id)?;
        if incident.commander.is_some() || !incident.state.is_open() {
            return Ok(Some(Standing::Void));
        }
        if incident.alarms.is_held() {
            let at = after(unit.now, ROLE_WITHIN);
            unit.write(rows::expectation::rearm(expectation, at));
            note_look(unit, at);
            return Ok(None);
        }
        self.change_incident(unit, id, incident::Command::MissCommander)?;
        let managers = self.org.managers_of(incident.service.as_deref());
        if incident.severity.is_grave() || !incident.is_held() {
            let holder = each_once([incident.holder().map(ToOwned::to_owned)]);
            self.page_neglect(unit, id, managers, holder, NO_COMMANDER)?;
        } else if !managers.is_empty() {
            self.page_people(unit, id, managers, NO_COMMANDER)?;
        }
        Ok(Some(Standing::Missed))
    }

    pub(super) fn look_task(&mut self, unit: &mut Unit, expectation: &Expectation, id: IncidentId) -> Decided<Standing> {
        let Ok(task) = expectation.key.trim_start_matches("task:").parse() else { return Ok(Standing::Void) };
        let (incident, _) = self.incident(unit, id)?;
        let Some(found) = incident.work.task(task).cloned() else { return Ok(Standing::Void) };
        self.change_incident(unit, id, incident::Command::MissTask { task })?;
        let text = format!("Task {task} is late: {}", found.text);
        let targets = each_once([found.owner, incident.commander]);
        self.tell(unit, id, NoticeKind::Reminder, &targets, text, "a task is late")?;
        Ok(Standing::Missed)
    }

    /// At its mark somebody is reminded and the look comes again; at its time it is missed.
    pub(super) fn look_update(&mut self, unit: &mut Unit, expectation: &Expectation, id: IncidentId) -> Decided<Option<Standing>> {
        let due_at = expectation.deadline_at().unwrap_or(expectation.next_look_at);
        let (incident, _) = self.incident(unit, id)?;
        if !incident.state.is_open() {
            return Ok(Some(Standing::Void));
        }
        let whoever = each_once([incident.work.holder("communications").map(ToOwned::to_owned), incident.commander.clone()]);
        if unit.now < due_at {
            self.change_incident(unit, id, incident::Command::RemindUpdate { due_at })?;
            let text = format!("An update to the stakeholders is due by {}.", clock(due_at));
            self.tell(unit, id, NoticeKind::Reminder, &whoever, text, "an update is due soon")?;
            return Ok(None);
        }
        if incident.severity.is_grave() {
            self.change_incident(unit, id, incident::Command::MissUpdate { due_at })?;
            let first = if incident.commander.is_some() { whoever } else { each_once([incident.holder().map(ToOwned::to_owned)]) };
            self.page_neglect(unit, id, first, self.org.managers_of(incident.service.as_deref()), NO_UPDATE)?;
            return Ok(Some(Standing::Missed));
        }
        let mut targets = whoever;
        targets.extend(self.org.managers_of(incident.service.as_deref()));
        targets.sort();
        targets.dedup();
        let text = format!("No update to the stakeholders came by {}.", clock(due_at));
        self.change_incident(unit, id, incident::Command::MissUpdate { due_at })?;
        self.tell(unit, id, NoticeKind::Reminder, &targets, text, "an update was missed")?;
        Ok(Some(Standing::Missed))
    }

    pub(super) fn look_review(&mut self, unit: &mut Unit, expectation: &Expectation, id: ReviewId) -> Decided<Option<Standing>> {
        let due_at = expectation.deadline_at().unwrap_or(expectation.next_look_at);
        let before = self.review(unit, id)?;
        let (incident, owner, reference) = (before.0.incident, before.0.owner.clone(), before.0.reference.clone());
        if before.0.state == review::State::Published {
            return Ok(Some(Standing::Void));
        }
        let (state, _) = self.incident(unit, incident)?;
        let mut targets = each_once([owner]);
        if unit.now < due_at {
            self.review_command(unit, id, Some(before), review::Command::Remind)?;
            let text = format!("The review of {reference} is due by {}.", clock(due_at));
            self.tell(unit, incident, NoticeKind::Reminder, &targets, text, "a review is due soon")?;
            return Ok(None);
        }
        self.review_command(unit, id, Some(before), review::Command::Miss)?;
        targets.extend(self.org.managers_of(state.service.as_deref()));
        targets.sort();
        targets.dedup();
        let text = format!("The review of {reference} was due by {} and is not published.", clock(due_at));
        self.tell(unit, incident, NoticeKind::Reminder, &targets, text, "a review is late")?;
        Ok(Some(Standing::Missed))
    }

    pub(super) fn look_action(&mut self, unit: &mut Unit, expectation: &Expectation, id: ActionId) -> Decided<Option<Standing>> {
        let due_at = expectation.deadline_at().unwrap_or(expectation.next_look_at);
        let before = self.action(unit, id)?;
        let found = before.0.clone();
        if found.state != action::State::Open {
            return Ok(Some(Standing::Void));
        }
        let soon = unit.now < due_at;
        let command = if soon { action::Command::Remind } else { action::Command::Miss };
        self.action_command(unit, id, Some(before), command)?;
        let mut targets = vec![person(&found.owner)];
        let text = if soon {
            format!("This action is due by {}: {}", clock(due_at), found.text)
        } else {
            // Of a private incident only those hear who may see it: the managers of its own team.
            let hidden = found.incident.map(|id| self.incident(unit, id)).transpose()?.map(|(state, _)| state).filter(|i| i.private);
            targets.extend(match hidden {
                Some(incident) => self.org.managers_of(incident.service.as_deref()),
                None => self.org.managers_of_person(&found.owner),
            });
            format!("This action was due by {}: {}", clock(due_at), found.text)
        };
        // Every action that is added has an incident, in whose log stands whom it was told.
        if let Some(incident) = found.incident {
            let because = if soon { "an action is due soon" } else { "an action is late" };
            self.tell(unit, incident, NoticeKind::Reminder, &targets, text, because)?;
        }
        Ok((!soon).then_some(Standing::Missed))
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
    }
}

pub(super) fn person(id: &str) -> String {
    format!("person:{id}")
}

fn each_once<const N: usize>(people: [Option<String>; N]) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for target in people.iter().flatten().map(|id| person(id)) {
        if !out.contains(&target) {
            out.push(target);
        }
    }
    out
}

fn clock(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
