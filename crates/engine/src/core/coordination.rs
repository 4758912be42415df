//! Coordination of an incident: whom its commands may name, and what follows when a role, a task or an update that was
//! expected did not come.
//!
//! Not here: what may happen in which state and what opens which expectation (`domain::incident`), and how people are
//! reached (`domain::paging`).

use allclear_domain::expect::{Expectation, Key, ROLE_WITHIN, Standing};
use allclear_domain::ids::IncidentId;
use allclear_domain::incident::Incident;
use allclear_domain::incident::roles::{COMMANDER, nobody_took};
use allclear_domain::incident::{self, access, affected, attendance, decisions, obligations, roles, sharing, tasks, updates};
use allclear_domain::org::words::meant;
use allclear_domain::time::after;
use allclear_domain::wire::NoticeKind;
use allclear_store::rows;

use super::command::{NAMED_CHARS_MAX, Refusal};
use super::due::note_look;
use super::neglect::{NO_UPDATE, no_answer};
use super::notices::{clock, each_once, person};
use super::unit::Unit;
use super::{Core, Decided};

impl Core {
    /// Whoever a command names must exist.
    pub(super) fn check_names(&self, command: &incident::Command) -> Decided<()> {
        use incident::Command as C;
        match command {
            C::Roles(
                roles::Command::Offer { role, to: person, .. }
                | roles::Command::Take { role, person, .. }
                | roles::Command::Ask { role, by: person },
            ) => {
                self.known_person(person)?;
                if self.org.role(role).is_none() {
                    let known: Vec<&str> = self.org.roles().iter().map(|known| known.id.as_str()).collect();
                    return Err(Refusal::NoSuchRole { role: role.clone(), known: known.join(", ") }.into());
                }
            }
            C::Tasks(tasks::Command::Assign { owner, .. } | tasks::Command::Add { owner: Some(owner), .. }) => self.known_person(owner)?,
            C::Attendance(attendance::Command::Acknowledge { by: Some(by), .. } | attendance::Command::TakeFree { by, .. }) => {
                self.known_person(by)?;
            }
            C::Decisions(decisions::Command::Decide(decisions::Decide { by: Some(by), .. })) => self.known_person(by)?,
            C::Access(access::Command::Admit { people, .. }) => {
                for person in people {
                    self.known_person(person)?;
                }
            }
            C::Updates(updates::Command::Post { audiences, .. }) => {
                for audience in audiences {
                    self.org.audience(audience).ok_or_else(|| Refusal::NoSuchAudience(audience.clone()))?;
                }
            }
            C::Affected(affected::Command::SetService { service, .. } | affected::Command::SetImpact { service, .. }) => {
                self.known_service(service)?;
            }
            C::Obligations(obligations::Command::Submit(obligations::Submit { by: Some(by), .. })) => self.known_person(by)?,
            C::Partners(command) => self.check_partners(command)?,
            C::Resources(command) => self.check_resources(command)?,
            C::Sharing(sharing::Command::MakeLink { organisation, .. } | sharing::Command::Export { organisation }) => {
                self.known_organisation(organisation)?
            }
            C::Roles(_)
            | C::Decisions(_)
            | C::Hypotheses(_)
            | C::Answers(_)
            | C::Assessment(_)
            | C::Tasks(_)
            | C::Deeds(_)
            | C::Updates(_)
            | C::Declaration(_)
            | C::Attendance(_)
            | C::Alarms(_)
            | C::Flapping(_)
            | C::Staffing(_)
            | C::Ending(_)
            | C::Record(_)
            | C::Links(_)
            | C::Relations(_)
            | C::Ordering(_)
            | C::Moves(_)
            | C::Transfers(_)
            | C::Responders(_)
            | C::Clocks(_)
            | C::Plans(_)
            | C::Recovery(_)
            | C::Reports(_)
            | C::Obligations(_)
            | C::Objectives(_)
            | C::Sharing(_)
            | C::Access(_) => {}
        }
        Ok(())
    }

    /// A service that there is; else the one that was meant.
    pub(super) fn known_service(&self, service: &str) -> Decided<()> {
        if self.org.service(service).is_some() {
            return Ok(());
        }
        let hint = meant(service, self.org.bundle().services.iter().map(|known| known.id.as_str()));
        Err(Refusal::NoSuchService { service: service.chars().take(NAMED_CHARS_MAX).collect(), hint }.into())
    }

    pub(super) fn known_person(&self, person: &str) -> Decided<()> {
        self.org.person(person).ok_or_else(|| Refusal::NoSuchPerson(person.chars().take(NAMED_CHARS_MAX).collect()))?;
        Ok(())
    }

    pub(super) fn look_role_answer(&mut self, unit: &mut Unit, expectation: &Expectation, id: IncidentId) -> Decided<Standing> {
        let Ok(Key::Role(role)) = expectation.key.parse() else { return Ok(Standing::Void) };
        let (incident, _) = self.incident(unit, id)?;
        let Some(held) = incident.work.roles.get(&role).cloned() else { return Ok(Standing::Void) };
        if let Some(by) = held.asked_by {
            self.miss_ask(unit, &incident, &role, &by)?;
            if held.offered_to.is_none() {
                return Ok(Standing::Missed);
            }
        }
        let Some(to) = held.offered_to else { return Ok(Standing::Void) };
        self.change_incident(unit, id, roles::Command::MissAnswer { role: role.clone(), to: to.clone() })?;
        let name = self.name_of_person(&to);
        if incident.severity.is_grave() {
            // Of what somebody has to have the search goes on, and pages.
            if !self.is_searched(&incident, &role) {
                let first = each_once([incident.holder().filter(|who| *who != to).map(ToOwned::to_owned)]);
                let managers = self.managers_of(&incident);
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

    /// Whoever asked for a role hears that its holder did not answer, with those who may give it to them.
    fn miss_ask(&mut self, unit: &mut Unit, incident: &Incident, role: &str, by: &str) -> Decided<()> {
        self.change_incident(unit, incident.id, roles::Command::MissAsk { role: role.to_owned(), by: by.to_owned() })?;
        let holder = incident.work.holder(role).map(|id| self.name_of_person(id)).unwrap_or_default();
        let text = format!(
            "{holder} has not answered {}, who asked to be {role}. A manager can give it to them, with a reason.",
            self.name_of_person(by)
        );
        let mut targets = self.managers_of(incident);
        targets.push(person(by));
        targets.sort();
        targets.dedup();
        self.tell(unit, incident.id, NoticeKind::Reminder, &targets, text, "nobody answered who asked for a role")
    }

    /// `None`: it is looked at again, since silences hold the incident and nobody is paged meanwhile.
    pub(super) fn look_role(&mut self, unit: &mut Unit, expectation: &Expectation, id: IncidentId) -> Decided<Option<Standing>> {
        let Ok(Key::Role(role) | Key::Needed(role)) = expectation.key.parse() else { return Ok(Some(Standing::Void)) };
        let (incident, _) = self.incident(unit, id)?;
        if incident.work.holder(&role).is_some() || !incident.state.is_open() {
            return Ok(Some(Standing::Void));
        }
        if incident.alarms.is_held() {
            let at = after(unit.now, ROLE_WITHIN);
            unit.write(rows::expectation::rearm(expectation, at));
            note_look(unit, at);
            return Ok(None);
        }
        self.change_incident(unit, id, roles::Command::MissRole { role: role.clone() })?;
        // Whoever has the role that stands in is called before the managers.
        let deputy = self.org.role(&role).and_then(|setting| setting.deputy.as_deref()).and_then(|deputy| incident.work.holder(deputy));
        let mut first = each_once([deputy.map(ToOwned::to_owned)]);
        first.extend(self.managers_of(&incident).into_iter().filter(|manager| Some(manager) != deputy.map(person).as_ref()));
        let because = nobody_took(&role);
        if incident.severity.is_grave() || !incident.is_held() {
            let holder = each_once([incident.holder().map(ToOwned::to_owned)]);
            self.page_neglect(unit, id, first, holder, &because)?;
        } else if !first.is_empty() {
            self.page_people(unit, id, first, &because)?;
        }
        Ok(Some(Standing::Missed))
    }

    /// Whether nobody has a role that somebody has to have, so that it is looked for.
    fn is_searched(&self, incident: &Incident, role: &str) -> bool {
        incident.work.holder(role).is_none() && (role == COMMANDER || incident.work.needed.contains_key(role))
    }

    pub(super) fn look_task(&mut self, unit: &mut Unit, expectation: &Expectation, id: IncidentId) -> Decided<Standing> {
        let Ok(Key::Task(task)) = expectation.key.parse() else { return Ok(Standing::Void) };
        let (incident, _) = self.incident(unit, id)?;
        let Some(found) = incident.work.task(task).cloned() else { return Ok(Standing::Void) };
        self.change_incident(unit, id, tasks::Command::Miss { task })?;
        let text = format!("Task {task} is late: {}", found.text);
        let doer = incident.work.doer(&found).map(ToOwned::to_owned);
        let targets = each_once([doer, incident.commander]);
        self.tell(unit, id, NoticeKind::Reminder, &targets, text, "a task is late")?;
        Ok(Standing::Missed)
    }

    pub(super) fn look_decision(&mut self, unit: &mut Unit, expectation: &Expectation, id: IncidentId) -> Decided<Standing> {
        let Ok(Key::Decision(decision)) = expectation.key.parse() else { return Ok(Standing::Void) };
        let (incident, _) = self.incident(unit, id)?;
        let Some(found) = incident.work.decision(decision).cloned() else { return Ok(Standing::Void) };
        self.change_incident(unit, id, decisions::Command::Remind { decision })?;
        let text = format!("It is time to look at decision {decision} again. Does it stand? {}", found.text);
        let targets = each_once([found.by, incident.commander]);
        self.tell(unit, id, NoticeKind::Reminder, &targets, text, "a decision is to be looked at again")?;
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
        let pages = updates::pages_when_missed(&incident, !self.org.bundle().audiences.is_empty());
        // Of what is grave the log goes on saying so: where an alert fires again, the next one pages.
        let told_enough = incident.work.updates_missed >= updates::UPDATES_MISSED_MAX;
        if unit.now < due_at {
            self.change_incident(unit, id, updates::Command::Remind { due_at })?;
            if !pages && told_enough {
                return Ok(None);
            }
            let text = format!("An update to the stakeholders is due by {}.", clock(due_at));
            self.tell(unit, id, NoticeKind::Reminder, &whoever, text, "an update is due soon")?;
            return Ok(None);
        }
        self.change_incident(unit, id, updates::Command::Miss { due_at })?;
        if pages {
            let first = if incident.commander.is_some() { whoever } else { each_once([incident.holder().map(ToOwned::to_owned)]) };
            self.page_neglect(unit, id, first, self.managers_of(&incident), NO_UPDATE)?;
            return Ok(Some(Standing::Missed));
        }
        if told_enough {
            return Ok(Some(Standing::Missed));
        }
        let mut targets = whoever;
        targets.extend(self.managers_of(&incident));
        targets.sort();
        targets.dedup();
        let text = format!("No update to the stakeholders came by {}.", clock(due_at));
        self.tell(unit, id, NoticeKind::Reminder, &targets, text, "an update was missed")?;
        Ok(Some(Standing::Missed))
    }
}
