//! Somebody is moved from one incident to another, in one decision: what they had in the one is offered, given or left to be taken, and
//! they are paged for the other.
//!
//! Nobody is moved out of an incident so that nobody is called for it: where they were the last who had it, it pages again. A page that
//! runs is not touched: it ends and goes on as any other.
//!
//! Not here: what each log says of it (`domain::incident::moves`), and who may (`may.rs`).

use allclear_domain::access::{Actor, Principal};
use allclear_domain::event::Mode;
use allclear_domain::ids::IncidentId;
use allclear_domain::incident::attendance::Command as Attendance;
use allclear_domain::incident::moves::{Away, Command, Here, Refusal as No, Stake};
use allclear_domain::incident::{self, Incident, State, links, relations, roles, tasks};
use allclear_domain::org::model::NotifyUrgency;
use allclear_domain::paging::{self, Status};
use allclear_domain::wire::NoticeKind;

use super::command::{Move, Refusal, Reply};
use super::notices::person;
use super::pages::Whom;
use super::unit::Unit;
use super::{Core, Decided, Stop};

/// What stands in the reason of a page that calls whoever somebody moved here, after the name.
const MOVES_YOU: &str = "moves you here from";
/// With what it begins where nobody in person did.
const ARE_MOVED: &str = "you are moved here from";

/// Whether a page calls somebody who was moved.
fn is_about_move(because: &str) -> bool {
    // What somebody wrote stands after the first colon, and may say anything.
    let ours = because.split(':').next().unwrap_or_default();
    ours.starts_with(ARE_MOVED) || ours.contains(MOVES_YOU)
}

fn no(why: impl Into<incident::Refusal>) -> Stop {
    Refusal::from(why.into()).into()
}

impl Core {
    /// Somebody goes from `id` to another incident.
    pub(super) fn move_person(&mut self, unit: &mut Unit, who: &Principal, id: IncidentId, asked: &Move) -> Decided<Reply> {
        let ((from, _), (into, _)) = (self.incident(unit, id)?, self.incident(unit, asked.to)?);
        let stake = self.may_be_moved(unit, &from, &into, asked)?;
        let away = Away {
            person: asked.person.clone(),
            incident: into.id,
            reference: into.reference.clone(),
            why: asked.why.clone(),
            instead: asked.instead.clone(),
            roles: stake.roles.clone(),
            tasks: stake.tasks.clone(),
        };
        self.change_incident(unit, id, Command::Leave(away))?;
        let why = format!("{} was moved to {}: {}", self.name_of_person(&asked.person), into.reference, asked.why);
        if stake.last {
            self.change_incident(unit, id, Attendance::Lose { why: why.clone() })?;
        }
        self.leave_what_they_had(unit, who, id, asked, &stake, &why)?;
        let was_called = stake.came && self.withdraw_call(unit, id, &asked.person, &why)?;
        if stake.last || was_called {
            self.page_in_their_place(unit, id, asked, &why)?;
        }
        self.call_there(unit, asked, &from)?;
        self.named(unit, id)
    }

    /// What they have there, where they may go.
    fn may_be_moved(&self, unit: &Unit, from: &Incident, into: &Incident, asked: &Move) -> Decided<Stake> {
        let name = || self.name_of_person(&asked.person);
        self.known_person(&asked.person)?;
        if from.id == into.id {
            return Err(no(No::ToItself));
        }
        if from.mode != into.mode || from.mode != Mode::Live {
            return Err(no(links::Refusal::AcrossModes));
        }
        // Each log names the other incident.
        if from.private != into.private {
            return Err(no(relations::Refusal::AcrossSight));
        }
        if !into.state.is_open() {
            return Err(no(No::ToWhatIsOver { reference: into.reference.clone() }));
        }
        if !self.sees(&Actor::Person(asked.person.clone()), into) {
            return Err(no(No::Unseen { person: name(), reference: into.reference.clone() }));
        }
        if from.private && from.admitted != into.admitted {
            return Err(no(No::SeenByOthers { reference: into.reference.clone() }));
        }
        if self.org.reach(&asked.person, NotifyUrgency::High).is_empty() {
            return Err(no(No::Unreached { person: name() }));
        }
        let stake = Stake::of(from, &asked.person);
        // What is over or only a candidate is refused as such where it is decided.
        let is_open = from.state.is_open() && from.state != State::Candidate;
        // Whoever was moved away is not there again because the page goes on.
        let asked_there = !from.work.away.contains(&asked.person) && self.is_asked(unit, from.id, &asked.person)?;
        if is_open && stake.is_none() && !asked_there {
            return Err(no(No::NotInIt { person: name(), reference: into.reference.clone() }));
        }
        if let Some(instead) = &asked.instead {
            self.known_person(instead)?;
            if *instead == asked.person {
                return Err(no(No::InsteadOfThemself { person: name() }));
            }
            let role = stake.roles.first().map_or("responder", String::as_str);
            roles::may_be_given(&self.org, role, instead).map_err(no)?;
        } else if let Some(what) = stake.to_cover().filter(|_| !asked.uncovered) {
            return Err(no(No::Uncovered { person: name(), what }));
        }
        Ok(stake)
    }

    /// Whether a page that looks for somebody asks them.
    fn is_asked(&self, unit: &Unit, id: IncidentId, person: &str) -> Decided<bool> {
        for page in self.pages_of(unit, id) {
            let (page, _) = self.page(unit, page)?;
            if page.status == Status::Running && page.entries.iter().any(|entry| entry.person == person) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Roles are vacant, and offered to whoever is named; tasks are theirs, or nobody's.
    fn leave_what_they_had(
        &mut self,
        unit: &mut Unit,
        who: &Principal,
        id: IncidentId,
        asked: &Move,
        stake: &Stake,
        why: &str,
    ) -> Decided<()> {
        for role in stake.offered.iter().chain(&stake.roles) {
            self.change_incident(unit, id, roles::Command::Leave { role: role.clone(), why: Some(why.to_owned()) })?;
        }
        for role in &stake.roles {
            let Some(to) = asked.instead.clone() else { continue };
            let (incident, _) = self.incident(unit, id)?;
            let by = who.person().map(ToOwned::to_owned);
            let offer = roles::Command::Offer { role: role.clone(), to, by, why: Some(why.to_owned()) };
            // Who names themself has it.
            let given = roles::as_given(&incident, offer, who.person(), false);
            self.change_incident(unit, id, given)?;
        }
        for task in &stake.tasks {
            let command = match &asked.instead {
                Some(owner) => tasks::Command::Assign { task: *task, owner: owner.clone() },
                None => tasks::Command::Release { task: *task },
            };
            self.change_incident(unit, id, command)?;
        }
        Ok(())
    }

    /// Whoever was called here by a move and goes on is not called here any more; whether they were.
    fn withdraw_call(&mut self, unit: &mut Unit, id: IncidentId, who: &str, why: &str) -> Decided<bool> {
        let mut was_called = false;
        for page in self.pages_of(unit, id) {
            let (found, _) = self.page(unit, page)?;
            if paging::may_send(found.status) && is_about_move(&found.because) && found.targets == [person(who)] {
                self.change_page(unit, page, paging::Command::Stop { why: why.to_owned() })?;
                was_called = true;
            }
        }
        Ok(was_called)
    }

    /// Nobody has it: it pages, whoever is named instead first. Who named themself and has command now has it.
    fn page_in_their_place(&mut self, unit: &mut Unit, id: IncidentId, asked: &Move, why: &str) -> Decided<()> {
        let (incident, _) = self.incident(unit, id)?;
        if incident.is_held() {
            return Ok(());
        }
        if incident.alarms.is_held() {
            // Silences hold it: what they let through is decided where a page starts.
            return self.start_page(unit, id, None, None, why, false);
        }
        let (first, then) = match &asked.instead {
            Some(instead) if self.is_asked(unit, id, instead)? => return Ok(()),
            Some(instead) => (vec![person(instead)], self.managers_of(&incident)),
            None if self.its_policy_calls_others(unit, &incident)? => return Ok(()),
            None => match self.first_but_away(unit, &incident) {
                Some(others) => (others, Vec::new()),
                None => return self.start_page(unit, id, None, None, why, false),
            },
        };
        self.start_page_of(unit, id, Whom::People { first, then, escalation: incident.escalation }, None, why, false)
    }

    /// Whether a page by the incident's own policy asks somebody who was not moved elsewhere.
    fn its_policy_calls_others(&self, unit: &Unit, incident: &Incident) -> Decided<bool> {
        for page in self.pages_of(unit, incident.id) {
            let (page, _) = self.page(unit, page)?;
            let others = page.entries.iter().any(|entry| !incident.work.away.contains(&entry.person));
            if page.status == Status::Running && page.escalation.is_some() && page.escalation == incident.escalation && others {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whom the first step of its policy would page but for those who were moved elsewhere; where that is nobody, those who answer for it.
    /// Nothing where the step pages none of the former, or nobody else is left.
    fn first_but_away(&self, unit: &Unit, incident: &Incident) -> Option<Vec<String>> {
        let policy = incident.escalation.as_deref().and_then(|id| self.org.escalation(id))?;
        let step = self.org.people_for_all(&policy.steps.first()?.page, unit.now);
        let is_away = |id: &str| incident.work.away.iter().any(|away| away == id);
        if !step.people.iter().any(|(id, _)| is_away(id)) {
            return None;
        }
        let mut others: Vec<String> = step.people.iter().filter(|(id, _)| !is_away(id)).map(|(id, _)| person(id)).collect();
        if others.is_empty() {
            others = self.managers_of(incident);
            others.retain(|target| !incident.work.away.iter().any(|away| *target == person(away)));
        }
        Some(others).filter(|others| !others.is_empty())
    }

    /// They are paged there, unless they have it already; where a page asks them already, they are told that they are moved.
    fn call_there(&mut self, unit: &mut Unit, asked: &Move, from: &Incident) -> Decided<()> {
        let (into, _) = self.incident(unit, asked.to)?;
        let here = Here { person: asked.person.clone(), incident: from.id, reference: from.reference.clone(), why: asked.why.clone() };
        self.change_incident(unit, asked.to, Command::Arrive(here))?;
        if Stake::of(&into, &asked.person).has_it {
            return Ok(());
        }
        let by = if let Actor::Person(by) = &unit.actor { Some(self.name_of_person(by)) } else { None };
        let because = match by {
            Some(by) => format!("{by} {MOVES_YOU} {}: {}", from.reference, asked.why),
            None => format!("{ARE_MOVED} {}: {}", from.reference, asked.why),
        };
        if self.is_asked(unit, asked.to, &asked.person)? {
            let text = format!("{because}. It is asking you already: acknowledge it.");
            let urgency = self.org.severity(into.severity).notify;
            self.tell_at(unit, asked.to, NoticeKind::Reminder, &[person(&asked.person)], text, "somebody was moved here", urgency)?;
            return Ok(());
        }
        self.page_people(unit, asked.to, vec![person(&asked.person)], &because)
    }
}
