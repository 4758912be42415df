//! What follows where a plan starts: its roles are looked for, whom it asks for help is paged, organisations are brought in and
//! asked, obligations are proposed, and who does steps of it in person hears which. And how one starts by a rule.
//!
//! Not here: what a plan is once it runs (`domain::incident::plans`).

use std::collections::BTreeMap;

use allclear_domain::actor::Actor;
use allclear_domain::event::Mode;
use allclear_domain::ids::IncidentId;
use allclear_domain::incident::plans::{Command, Event, Started, Wanted};
use allclear_domain::incident::{self, State, obligations, parties};
use allclear_domain::org::snapshot::ORGANISATION;
use allclear_domain::wire::NoticeKind;

use super::command::Refusal;
use super::need::Stop;
use super::notices::person;
use super::unit::Unit;
use super::{Core, Decided};

/// What stands before the id of an obligation that a plan goes on without.
const OBLIGATION: &str = "obligation:";
/// Why whoever does a step of it is told.
const STEPS_OF_A_PLAN: &str = "steps of a plan are theirs";

impl Core {
    pub(super) fn follow_plans(&mut self, unit: &mut Unit, id: IncidentId, event: &Event) -> Decided<()> {
        let Event::Started(body) = event else { return Ok(()) };
        self.staff(unit, id)?;
        let (organisations, people): (Vec<String>, Vec<String>) =
            body.involve.iter().cloned().partition(|target| target.starts_with(ORGANISATION));
        if !people.is_empty() {
            self.page_people(unit, id, people, &asks_for_you(body))?;
        }
        self.bring_in(unit, id, body, &organisations)?;
        self.propose_of(unit, id, body)?;
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
        self.begin_due_steps(unit, id)
    }

    /// Organisations take part from now on, and are asked for what the plan says. Without one that is gone it goes on, and says so.
    fn bring_in(&mut self, unit: &mut Unit, id: IncidentId, body: &Started, organisations: &[String]) -> Decided<()> {
        let mut commands = Vec::new();
        for organisation in organisations.iter().filter_map(|target| target.strip_prefix(ORGANISATION)) {
            commands.push((organisation, parties::Command::Join { organisation: organisation.to_owned(), reference: None, liaison: None }));
        }
        for wanted in &body.ask {
            let Wanted { organisation, text, within } = wanted.clone();
            let asked = parties::Command::Ask { organisation, text, within, due_at: None, marking: None };
            commands.push((&wanted.organisation, self.as_asked(unit, &asked)));
        }
        for (organisation, command) in commands {
            let events = match self.check_partners(&command) {
                Ok(()) => self.unless_refused(unit, id, command)?,
                Err(Stop::Refused(why)) => Err(why),
                Err(stop) => return Err(stop),
            };
            match events {
                Ok(events) => {
                    for event in &events {
                        self.follow(unit, id, event)?;
                    }
                }
                Err(why) => self.leave_out(unit, id, body, format!("{ORGANISATION}{organisation}"), why)?,
            }
        }
        Ok(())
    }

    /// What may be owed to a regulator is proposed; of what is tried out or practised nothing is.
    fn propose_of(&mut self, unit: &mut Unit, id: IncidentId, body: &Started) -> Decided<()> {
        let (incident, _) = self.incident(unit, id)?;
        if incident.mode != Mode::Live {
            return Ok(());
        }
        for form in &body.obligations {
            let because = Some(format!("the plan {}", body.name));
            let command = obligations::Command::Propose { form: form.clone(), because };
            if let Err(why) = self.unless_refused(unit, id, command)? {
                self.leave_out(unit, id, body, format!("{OBLIGATION}{form}"), why)?;
            }
        }
        Ok(())
    }

    /// A command with its events, or why it was refused: nothing was staged then.
    fn unless_refused(
        &mut self,
        unit: &mut Unit,
        id: IncidentId,
        command: impl Into<incident::Command>,
    ) -> Decided<Result<Vec<incident::Event>, Refusal>> {
        let before = self.incident(unit, id)?;
        match self.incident_command(unit, id, Some(before), command) {
            Ok(events) => Ok(Ok(events)),
            Err(Stop::Refused(why)) => Ok(Err(why)),
            Err(stop) => Err(stop),
        }
    }

    fn leave_out(&mut self, unit: &mut Unit, id: IncidentId, body: &Started, what: String, why: Refusal) -> Decided<()> {
        self.change_incident(unit, id, Command::LeaveOut { plan: body.plan.clone(), what, why: why.to_string() })
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
