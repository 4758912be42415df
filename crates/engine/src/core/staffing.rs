//! Roles that the catalogue needs in an incident, and those of the plans that run in it: they are looked for from its
//! declaration on, and again where its severity changes, a plan starts or it is open again; whom the catalogue names is asked to take them.
//!
//! Not here: what follows where nobody took one in time ([`super::coordination`]).

use allclear_domain::event::Mode;
use allclear_domain::expect::{Expectation, Key, Standing};
use allclear_domain::ids::IncidentId;
use allclear_domain::incident::staffing::{self, Need};
use allclear_domain::incident::{Incident, roles};
use allclear_domain::org::forms::role::DutyWhen;
use allclear_domain::org::snapshot::RoleSetting;
use allclear_domain::wire::NoticeKind;

use super::notices::{clock, each_once};
use super::unit::Unit;
use super::{Core, Decided};

impl Core {
    /// Holds an incident against the catalogue. An exercise looks for nobody.
    pub(super) fn staff(&mut self, unit: &mut Unit, id: IncidentId) -> Decided<()> {
        let (incident, _) = self.incident(unit, id)?;
        let org = self.org.clone();
        let of_plan = |role: &RoleSetting| incident.work.plans.iter().any(|plan| plan.roles.contains(&role.id));
        let is_needed = |role: &&RoleSetting| role.is_needed(incident.severity) || of_plan(role);
        let needed: Vec<&RoleSetting> = org.roles().iter().filter(is_needed).collect();
        if incident.mode == Mode::Exercise || (needed.is_empty() && incident.work.needed.is_empty()) {
            return Ok(());
        }
        let roles = needed.iter().map(|role| Need { role: role.id.clone(), within: role.within }).collect();
        self.change_incident(unit, id, staffing::Command::Need { roles, org_version: org.version })?;
        let (now_needed, _) = self.incident(unit, id)?;
        let is_new = |role: &str| now_needed.work.needed.contains_key(role) && !incident.work.needed.contains_key(role);
        for role in needed.iter().filter(|role| is_new(&role.id)) {
            if let Some(to) = self.whom_to_ask(unit, &now_needed, role) {
                let offer = roles::Command::Offer { role: role.id.clone(), to, by: None, why: Some(roles::NEEDED.to_owned()) };
                self.change_incident(unit, id, offer)?;
            }
        }
        Ok(())
    }

    /// Somebody has had a role for as long as one person should: they and the commander hear of it.
    pub(super) fn look_relief(&mut self, unit: &mut Unit, expectation: &Expectation, id: IncidentId) -> Decided<Standing> {
        let Ok(Key::Relief(role)) = expectation.key.parse() else { return Ok(Standing::Void) };
        let (incident, _) = self.incident(unit, id)?;
        let Some(holder) = incident.work.holder(&role).map(ToOwned::to_owned) else { return Ok(Standing::Void) };
        self.change_incident(unit, id, staffing::Command::AskRelief { role: role.clone() })?;
        let since =
            incident.work.roles.get(&role).and_then(|held| held.since).map_or_else(String::new, |at| format!(" since {}", clock(at)));
        let text = format!("{} has been {role}{since}. Relief is due: ask somebody to take over.", self.name_of_person(&holder));
        let targets = each_once([Some(holder), incident.commander]);
        self.tell(unit, id, NoticeKind::Reminder, &targets, text, "relief is due")?;
        Ok(Standing::Missed)
    }

    /// What whoever takes a role does first, as a message says it after the rest.
    pub(super) fn first_duties(&self, role: &str) -> String {
        let duties = self.org.role(role).map_or(&[] as &[_], |role| role.duties.as_slice());
        let first: Vec<&str> = duties.iter().filter(|duty| duty.when == Some(DutyWhen::First)).map(|duty| duty.text.as_str()).collect();
        if first.is_empty() { String::new() } else { format!(" First: {}.", first.join("; ")) }
    }

    /// The first whom the catalogue names and who can have it, where nobody has it and nobody is asked.
    fn whom_to_ask(&self, unit: &Unit, incident: &Incident, role: &RoleSetting) -> Option<String> {
        let from = role.from.as_deref()?;
        if incident.work.roles.get(&role.id).is_some_and(|held| held.person.is_some() || held.offered_to.is_some()) {
            return None;
        }
        let named = self.org.people_for(from, unit.now).people.into_iter().map(|(person, _)| person);
        named.into_iter().find(|person| roles::may_be_given(&self.org, &role.id, person).is_ok())
    }
}
