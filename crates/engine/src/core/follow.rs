//! What follows from the events of an incident beside their expectations: for its pages, its alerts, and whom to tell.
//! Every kind of event stands here once, in one list.

use allclear_domain::ids::IncidentId;
use allclear_domain::incident;
use allclear_domain::incident::work::COMMANDER;
use allclear_domain::org::snapshot::AUDIENCE;
use allclear_domain::paging;
use allclear_domain::wire::NoticeKind;
use allclear_store::rows;

use super::neglect::{NO_COMMANDER, NO_UPDATE, is_about_offer};
use super::notices::person;
use super::unit::{AlertChange, Unit};
use super::{Core, Decided};

impl Core {
    /// A command on an incident that exists, with what follows from its events.
    pub(super) fn change_incident(&mut self, unit: &mut Unit, id: IncidentId, command: incident::Command) -> Decided<()> {
        let before = self.incident(unit, id)?;
        let events = self.incident_command(unit, id, Some(before), command)?;
        for event in &events {
            self.follow(unit, id, event)?;
        }
        Ok(())
    }

    fn follow(&mut self, unit: &mut Unit, id: IncidentId, event: &incident::Event) -> Decided<()> {
        use incident::Event as E;
        match event {
            E::Resolved(body) if body.by_itself => self.stop_pages(unit, id, "the incident recovered by itself"),
            E::Resolved(_) => {
                self.stop_pages(unit, id, "the incident was resolved")?;
                // A later trigger is a new alert: what still burns pages again.
                unit.write(rows::alert::end_of_incident(id, unit.now));
                unit.alerts.push(AlertChange::EndOfIncident(id));
                self.ask_review_if_due(unit, id)
            }
            E::SeverityChanged(body) if body.to < body.from => self.page_anew_if_worse(unit, id, body.from, body.to),
            E::Cancelled(_) => {
                let (state, _) = self.incident(unit, id)?;
                let by_itself = state.recovered && state.declared_at.is_none();
                self.stop_pages(unit, id, if by_itself { "the candidate recovered" } else { "the incident was cancelled" })
            }
            E::Merged(_) => self.stop_pages(unit, id, "the incident was merged"),
            E::Recovered(body) => {
                let (state, _) = self.incident(unit, id)?;
                if let (Some(person), Some(page)) = (&body.ask, state.page) {
                    self.change_page(unit, page, paging::Command::AskConfirmation { person: person.clone() })?;
                }
                Ok(())
            }
            E::RoleOffered(body) => {
                self.stop_pages_about(unit, id, |because| is_about_offer(because, &body.role), "it was offered again")?;
                let text = format!("You are asked to be {}. Open the incident to take it.", body.role);
                self.tell(unit, id, NoticeKind::Reminder, &[person(&body.to)], text, "a role was offered")
            }
            E::RoleTaken(body) => {
                self.stop_pages_about(unit, id, |because| is_about_offer(because, &body.role), "somebody took the role")?;
                if body.role == COMMANDER {
                    self.stop_pages_about(unit, id, |because| because == NO_COMMANDER, "somebody took command")?;
                }
                Ok(())
            }
            E::TaskAdded(body) => match &body.owner {
                Some(owner) => self.tell_of_task(unit, id, body.task, &body.text, owner),
                None => Ok(()),
            },
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
            E::Proposed(_)
            | E::Declared(_)
            | E::Promoted(_)
            | E::Acknowledged(_)
            | E::StillOnItAsked(_)
            | E::StillOnIt(_)
            | E::Lost(_)
            | E::Escalated(_)
            | E::SeverityChanged(_)
            | E::AlertsTold(_)
            | E::ConfirmationMissed(_)
            | E::Mitigated(_)
            | E::Reopened(_)
            | E::Closed(_)
            | E::Absorbed(_)
            | E::Noted(_)
            | E::Restricted(_)
            | E::OpenedUp(_)
            | E::Admitted(_)
            | E::RoleLeft(_)
            | E::RoleUnanswered(_)
            | E::RoleUnfilled(_)
            | E::TaskDone(_)
            | E::TaskDropped(_)
            | E::TaskLate(_)
            | E::UpdateReminded(_)
            | E::UpdateMissed(_)
            | E::Decided(_)
            | E::TimeCorrected(_)
            | E::AlertLinked(_)
            | E::Renamed(_)
            | E::ReviewAsked(_)
            | E::AlertsSilenced(_)
            | E::AlertsUnsilenced(_)
            | E::AlertReturned(_)
            | E::Flapping(_)
            | E::Steadied(_) => Ok(()),
        }
    }
}
