//! A test page: the real path to one person, and to nobody else.
//!
//! It is an incident that is an exercise, so that all of it stands in a log: it is on no board and in no trend, and ends with
//! its page, answered or not.

use allclear_domain::event::Mode;
use allclear_domain::ids::IncidentId;
use allclear_domain::incident::{Declaration, Severity, declaration, ending};
use allclear_domain::org::model::NotifyUrgency;
use allclear_domain::paging::reason::TEST;
use allclear_domain::time::Length;

use super::command::{Refusal, Reply};
use super::pages::Whom;
use super::unit::Unit;
use super::{Core, Decided};

/// Why its incident ends once it was answered.
pub(super) const ANSWERED: &str = "the test page was answered";
/// Why it ends where nobody answered.
pub(super) const UNANSWERED: &str = "nobody answered the test page";

impl Core {
    /// Pages somebody as if something were wrong, by the rule of high urgency, and says that it is a test.
    pub(super) fn test_page(&mut self, unit: &mut Unit, person: &str) -> Decided<Reply> {
        let org = self.org.clone();
        let form = org.person(person).ok_or_else(|| Refusal::NoSuchPerson(person.to_owned()))?;
        if org.reach(person, NotifyUrgency::High).is_empty() {
            return Err(Refusal::NobodyNamed(format!("{} has no contact that can be paged", form.name)).into());
        }
        let (id, reference) = self.exercise(unit, format!("Test page for {}: nothing is wrong", form.name), TEST)?;
        self.start_page_of(unit, id, Whom::Alone(format!("person:{person}")), None, TEST, false)?;
        Ok(Reply::Incident { id, reference })
    }

    /// The incident of a page that is none in earnest: an exercise of the least severity and of no service.
    pub(super) fn exercise(&mut self, unit: &mut Unit, title: String, because: &str) -> Decided<(IncidentId, String)> {
        let id = IncidentId::from_bits(unit.id());
        let reference = self.reference(unit)?;
        let declare = declaration::Command::Declare(Declaration {
            id,
            reference: reference.clone(),
            title,
            severity: Severity::Sev5,
            service: None,
            escalation: None,
            group_key: None,
            alert: None,
            because: because.to_owned(),
            impact_started_at: None,
            detected_at: None,
            group_wait: Length::ZERO,
            attend_within: None,
            exercise: true,
            basis: None,
            assumed: None,
        });
        self.incident_command(unit, id, None, declare)?;
        Ok((id, reference))
    }

    /// A test is over once its page is.
    pub(super) fn end_test(&mut self, unit: &mut Unit, id: IncidentId, why: &str) -> Decided<()> {
        let (incident, _) = self.incident(unit, id)?;
        if incident.mode == Mode::Exercise && incident.state.is_open() {
            self.change_incident(unit, id, ending::Command::Cancel { why: why.to_owned() })?;
        }
        Ok(())
    }
}
