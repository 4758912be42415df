//! What follows from the events of an incident beside their expectations: for its pages, its alerts, and whom to tell.
//! Every part of an incident stands here once, in one list, and every kind of a part in its own.

use allclear_domain::ids::IncidentId;
use allclear_domain::incident::{self, Event, access, affected, alarms, declaration, ending, links, roles, tasks, updates};
use allclear_domain::org::snapshot::AUDIENCE;
use allclear_domain::paging;
use allclear_domain::wire::NoticeKind;
use allclear_store::rows;

use super::neglect::{NO_UPDATE, is_about_offer};
use super::notices::person;
use super::unit::{AlertChange, Unit};
use super::{Core, Decided};

impl Core {
    /// A command on an incident that exists, with what follows from its events.
    pub(super) fn change_incident(&mut self, unit: &mut Unit, id: IncidentId, command: impl Into<incident::Command>) -> Decided<()> {
        let before = self.incident(unit, id)?;
        let events = self.incident_command(unit, id, Some(before), command)?;
        for event in &events {
            self.follow(unit, id, event)?;
        }
        Ok(())
    }

    pub(super) fn follow(&mut self, unit: &mut Unit, id: IncidentId, event: &Event) -> Decided<()> {
        match event {
            Event::Declaration(event) => self.follow_declaration(unit, id, event),
            Event::Affected(event) => {
                if let affected::Event::ServiceChanged(body) = event
                    && !body.held
                {
                    self.page_anew_for_service(unit, id)?;
                }
                self.follow_affected(unit, id, event)
            }
            Event::Alarms(event) => self.follow_alarms(unit, id, event),
            Event::Ending(event) => self.follow_ending(unit, id, event),
            Event::Roles(event) => self.follow_roles(unit, id, event),
            Event::Tasks(event) => self.follow_tasks(unit, id, event),
            Event::Updates(event) => self.follow_updates(unit, id, event),
            Event::Clocks(event) => self.follow_clocks(unit, id, event),
            Event::Plans(event) => self.follow_plans(unit, id, event),
            Event::Deeds(event) => self.follow_deeds(unit, id, event),
            Event::Partners(event) => self.follow_partners(unit, id, event),
            Event::Resources(event) => self.follow_resources(unit, id, event),
            Event::Sharing(event) => self.follow_sharing(unit, id, event),
            Event::Obligations(event) => self.follow_obligations(unit, id, event),
            Event::Objectives(event) => self.follow_objectives(unit, id, event),
            Event::Links(links::Event::Merged(_)) => {
                self.withdraw_steps(unit, id, "the incident was merged")?;
                self.stop_pages(unit, id, "the incident was merged")
            }
            Event::Transfers(event) => self.follow_transfers(unit, id, event),
            Event::Links(links::Event::TakenApart(_)) => self.staff(unit, id),
            Event::Links(links::Event::Released(_)) => Ok(()),
            Event::Links(links::Event::Absorbed(_) | links::Event::AlertLinked(_) | links::Event::ReviewAsked(_)) => Ok(()),
            // Nothing beside their expectations.
            Event::Attendance(_)
            | Event::Flapping(_)
            | Event::Staffing(_)
            | Event::Relations(_)
            | Event::Ordering(_)
            | Event::Moves(_)
            | Event::Responders(_)
            | Event::Record(_)
            | Event::Recovery(_)
            | Event::Reports(_)
            | Event::Decisions(_)
            | Event::Hypotheses(_)
            | Event::Answers(_)
            | Event::Assessment(_)
            | Event::Access(access::Event::OpenedUp(_) | access::Event::Admitted(_)) => Ok(()),
            Event::Access(access::Event::Restricted(_)) => self.hide_from_order(unit, id),
        }
    }

    fn follow_declaration(&mut self, unit: &mut Unit, id: IncidentId, event: &declaration::Event) -> Decided<()> {
        use declaration::Event as E;
        match event {
            E::SeverityChanged(body) => {
                if body.to < body.from {
                    self.page_anew_if_worse(unit, id, body.from, body.to)?;
                }
                self.staff(unit, id)
            }
            E::Promoted(_) => {
                self.staff(unit, id)?;
                self.start_intended(unit, id)
            }
            E::Proposed(_) | E::Declared(_) | E::Renamed(_) => Ok(()),
        }
    }

    fn follow_alarms(&mut self, unit: &mut Unit, id: IncidentId, event: &alarms::Event) -> Decided<()> {
        use alarms::Event as E;
        match event {
            E::Recovered(body) => {
                let (state, _) = self.incident(unit, id)?;
                if let (Some(person), Some(page)) = (&body.ask, state.page) {
                    self.change_page(unit, page, paging::Command::AskConfirmation { person: person.clone() })?;
                }
                Ok(())
            }
            E::Told(_) => self.follow_told(unit, id, event),
            E::ConfirmationMissed(_) | E::Silenced(_) | E::Unsilenced(_) => Ok(()),
        }
    }

    fn follow_ending(&mut self, unit: &mut Unit, id: IncidentId, event: &ending::Event) -> Decided<()> {
        use ending::Event as E;
        match event {
            E::Resolved(body) if body.by_itself => {
                self.withdraw_steps(unit, id, "the incident recovered by itself")?;
                self.stop_pages(unit, id, "the incident recovered by itself")?;
                self.let_go(unit, id, false, "was resolved")
            }
            E::Resolved(_) => {
                self.withdraw_steps(unit, id, "the incident was resolved")?;
                self.stop_pages(unit, id, "the incident was resolved")?;
                // A later trigger is a new alert: what still burns pages again.
                unit.write(rows::alert::end_of_incident(id, unit.now));
                unit.alerts.push(AlertChange::EndOfIncident(id));
                self.let_go(unit, id, false, "was resolved")?;
                self.ask_review_if_due(unit, id)
            }
            E::Cancelled(_) => {
                self.withdraw_steps(unit, id, "the incident was cancelled")?;
                let (state, _) = self.incident(unit, id)?;
                let by_itself = state.recovered && state.declared_at.is_none();
                self.stop_pages(unit, id, if by_itself { "the candidate recovered" } else { "the incident was cancelled" })?;
                self.let_go(unit, id, true, "was cancelled")
            }
            // What does something by itself waits to be pressed: it may have been right an hour ago.
            E::Reopened(_) => self.staff(unit, id),
            E::Mitigated(_) | E::Closed(_) => Ok(()),
        }
    }

    fn follow_roles(&mut self, unit: &mut Unit, id: IncidentId, event: &roles::Event) -> Decided<()> {
        use roles::Event as E;
        match event {
            E::Offered(body) => {
                self.stop_pages_about(unit, id, |because| is_about_offer(because, &body.role), "it was offered again")?;
                let asks =
                    body.by.as_ref().map_or_else(|| "You are asked".to_owned(), |by| format!("{} asks you", self.name_of_person(by)));
                let why = body.why.as_ref().map_or_else(String::new, |why| format!(": {why}"));
                let first = self.first_duties(&body.role);
                let text = format!("{asks} to be {}{why}. Open the incident to take it.{first}", body.role);
                self.tell(unit, id, NoticeKind::Reminder, &[person(&body.to)], text, "a role was offered")
            }
            E::Asked(body) => {
                let name = self.name_of_person(&body.by);
                let text = format!("{name} asks to take over from you as {}. Open the incident to hand over.", body.role);
                self.tell(unit, id, NoticeKind::Reminder, &[person(&body.of)], text, "a role was asked for")
            }
            E::Taken(body) => {
                self.tell_of_change_of_hands(unit, id, body)?;
                self.stop_pages_about(unit, id, |because| is_about_offer(because, &body.role), "somebody took the role")?;
                self.stop_pages_about(unit, id, |because| because == roles::nobody_took(&body.role), "somebody took it")
            }
            E::Left(body) => self.tell_of_end_of_role(unit, id, body),
            E::Unanswered(_) | E::AskMissed(_) | E::Unfilled(_) => Ok(()),
        }
    }

    fn follow_tasks(&mut self, unit: &mut Unit, id: IncidentId, event: &tasks::Event) -> Decided<()> {
        use tasks::Event as E;
        match event {
            E::Added(body) => match &body.owner {
                Some(owner) => self.tell_of_task(unit, id, body.task, &body.text, owner),
                None => Ok(()),
            },
            E::Assigned(body) => {
                let (state, _) = self.incident(unit, id)?;
                let text = state.work.task(body.task).map(|task| task.text.clone()).unwrap_or_default();
                self.tell_of_task(unit, id, body.task, &text, &body.owner)
            }
            E::Changed(body) => {
                let (state, _) = self.incident(unit, id)?;
                match state.work.task(body.task) {
                    Some(task) => self.tell_of_change(unit, id, task),
                    None => Ok(()),
                }
            }
            E::Done(body) => self.after_step(unit, id, body.task, "it was done by hand"),
            E::Dropped(body) => self.after_step(unit, id, body.task, "it was skipped"),
            E::Unassigned(_) | E::Late(_) => Ok(()),
        }
    }

    fn follow_updates(&mut self, unit: &mut Unit, id: IncidentId, event: &updates::Event) -> Decided<()> {
        use updates::Event as E;
        match event {
            // It was sent from there already.
            E::Posted(body) if body.of.is_some() && !body.counts() => Ok(()),
            E::Posted(body) if body.of.is_some() => {
                self.stop_pages_about(unit, id, |because| because == NO_UPDATE, "its parent sent an update")
            }
            E::Posted(body) => {
                self.stop_pages_about(unit, id, |because| because == NO_UPDATE, "an update was sent")?;
                let targets: Vec<String> = body.audiences.iter().map(|audience| format!("{AUDIENCE}{audience}")).collect();
                let text = body.marking.map_or_else(|| body.text.clone(), |marking| format!("{}\n{}", marking.label(), body.text));
                self.tell(unit, id, NoticeKind::Update, &targets, text, "an update")?;
                self.hand_down(unit, id, body)
            }
            E::Reminded(_) | E::Missed(_) => Ok(()),
        }
    }
}
