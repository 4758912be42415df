//! What somebody outside reported, beyond what any alarm does: where nobody answers, the whole team is paged; where it is not fixed
//! for whoever reported it, it is reopened, and whoever had it is paged.

use allclear_domain::ids::{AlertId, IncidentId};
use allclear_domain::incident::{Incident, reports};

use super::pages::Whom;
use super::unit::Unit;
use super::{Core, Decided};

/// Why a whole team is paged: nobody of the policy and of the catch-all answered.
pub const WHOLE_TEAM: &str = "nobody answered what was reported from outside";
/// Why whoever had an incident is paged again.
const NOT_FIXED: &str = "whoever reported it says that it is not fixed";

impl Core {
    /// The last level of a report is everybody of the team: by its form, else by its service. Once for an incident; that page
    /// comes back by itself, as any that was not answered.
    pub(super) fn page_whole_team(&mut self, unit: &mut Unit, incident: &Incident) -> Decided<()> {
        let Some(form) = incident.report_form().and_then(|id| self.org.report_form(id)) else { return Ok(()) };
        let of_service = || incident.service.as_deref().and_then(|id| self.org.service(id)).and_then(|service| service.team.clone());
        let Some(team) = form.team.clone().or_else(of_service) else { return Ok(()) };
        for page in self.pages_of(unit, incident.id) {
            if self.page(unit, page)?.0.because == WHOLE_TEAM {
                return Ok(());
            }
        }
        let whom = Whom::People { first: vec![format!("team:{team}")], then: Vec::new(), escalation: None };
        self.start_page_of(unit, incident.id, whom, None, WHOLE_TEAM, false)
    }

    /// It is not fixed for whoever reported it: it is reopened, and whoever had it is paged, then whom its policy names.
    pub(super) fn dispute(&mut self, unit: &mut Unit, id: IncidentId, report: AlertId, text: Option<String>) -> Decided<()> {
        let (before, _) = self.incident(unit, id)?;
        self.room_in_group(unit, &before)?;
        self.change_incident(unit, id, reports::Command::Dispute { report, text })?;
        let had: Vec<String> = before.holders().into_iter().filter(|id| self.org.person(id).is_some()).collect();
        if had.is_empty() {
            return self.start_page(unit, id, None, None, NOT_FIXED, false);
        }
        let first = had.iter().map(|person| format!("person:{person}")).collect();
        let whom = Whom::People { first, then: Vec::new(), escalation: before.escalation };
        self.start_page_of(unit, id, whom, None, NOT_FIXED, false)
    }
}
