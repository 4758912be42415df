//! What follows where a plan starts: its roles are looked for, whom it asks for help is paged, and who does steps of it in
//! person hears which. And how one starts by a rule.
//!
//! Not here: what a plan is once it runs (`domain::incident::plans`).

use std::collections::BTreeMap;

use allclear_domain::actor::Actor;
use allclear_domain::ids::IncidentId;
use allclear_domain::incident::State;
use allclear_domain::incident::plans::{Command, Event, Started};
use allclear_domain::wire::NoticeKind;

use super::notices::person;
use super::unit::Unit;
use super::{Core, Decided};

/// Why whoever does a step of it is told.
const STEPS_OF_A_PLAN: &str = "steps of a plan are theirs";

impl Core {
    pub(super) fn follow_plans(&mut self, unit: &mut Unit, id: IncidentId, event: &Event) -> Decided<()> {
        let Event::Started(body) = event else { return Ok(()) };
        self.staff(unit, id)?;
        if !body.involve.is_empty() {
            self.page_people(unit, id, body.involve.clone(), &asks_for_you(body))?;
        }
        let mut theirs: BTreeMap<&String, Vec<String>> = BTreeMap::new();
        for step in &body.steps {
            if let Some(owner) = step.owner.as_ref().filter(|owner| unit.actor != Actor::Person((*owner).clone())) {
                theirs.entry(owner).or_default().push(format!("{}. {}", step.task, step.text));
            }
        }
        for (owner, steps) in theirs {
            let text = format!("The plan {} started. Yours: {}", body.name, steps.join("; "));
            self.tell(unit, id, NoticeKind::Reminder, &[person(owner)], text, STEPS_OF_A_PLAN)?;
        }
        Ok(())
    }

    /// A rule says that it starts: at once, or when the candidate is declared.
    pub(super) fn start_by_rule(&mut self, unit: &mut Unit, id: IncidentId, plan: &str, rule: &str) -> Decided<()> {
        let (incident, _) = self.incident(unit, id)?;
        let (plan, because) = (plan.to_owned(), rule.to_owned());
        let command = if incident.state == State::Candidate {
            Command::Intend { plan, because }
        } else {
            Command::Start { plan, because: Some(because) }
        };
        self.change_incident(unit, id, command)
    }

    /// What was to start once it is declared. What the organisation has no more is not asked for any more either.
    pub(super) fn start_intended(&mut self, unit: &mut Unit, id: IncidentId) -> Decided<()> {
        let (incident, _) = self.incident(unit, id)?;
        for (plan, because) in incident.work.intended {
            if self.org.plan(&plan).is_some() {
                self.start_by_rule(unit, id, &plan, &because)?;
            }
        }
        Ok(())
    }
}

fn asks_for_you(body: &Started) -> String {
    format!("the plan {} asks for help", body.name)
}
