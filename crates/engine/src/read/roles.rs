//! Who has an exclusive role in another open incident, of those that the reader may see; and the roll call of an incident.

use std::collections::BTreeSet;

use allclear_domain::ids::IncidentId;
use allclear_domain::incident::Incident;
use allclear_domain::view::{Elsewhere, EventView, IncidentView, PageView, ROLL_KINDS, RollView, roll_call};
use allclear_store::rows;

use super::{IncidentFilter, NoAnswer, Queries};

/// Other incidents of one person that are looked at.
const OTHERS_MAX: i64 = 20;

/// Events that a roll call is read from; what comes after so many changes nobody's place on it for a reader.
const ROLL_EVENTS_MAX: i64 = 1000;

impl Queries<'_> {
    /// The roll call of an incident: who was asked, by whom, and what became of it.
    ///
    /// # Errors
    /// When there is no such incident, or the store does not answer.
    pub async fn roll_call(&self, id: IncidentId) -> Result<Vec<RollView>, NoAnswer> {
        let (incident, pages) = (self.incident(id).await?, self.pages(id).await?);
        self.roll_of(id, &incident, &pages).await
    }

    /// The same of what was read already.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn roll_of(&self, id: IncidentId, incident: &IncidentView, pages: &[PageView]) -> Result<Vec<RollView>, NoAnswer> {
        self.sees(id, "incident").await?;
        let events = rows::event::key_of_incident(self.db(), id, 0, ROLL_EVENTS_MAX, &ROLL_KINDS, ("", &[])).await?;
        let events: Vec<EventView> = events.iter().map(|event| self.event_view(event)).collect();
        Ok(roll_call(incident, pages, &events))
    }

    /// Of whoever has an exclusive role of this incident, or was asked to take it. The store is asked only where there is one.
    pub(super) async fn exclusive_elsewhere(&self, incident: &IncidentView) -> Result<Vec<Elsewhere>, NoAnswer> {
        let org = self.engine().org();
        let is_exclusive = |role: &str| org.role(role).is_some_and(|setting| setting.exclusive);
        let asked = incident.roles.iter().filter(|role| incident.state.is_open() && is_exclusive(&role.role));
        let people: BTreeSet<&String> = asked.flat_map(|role| [&role.person, &role.offered_to]).flatten().collect();
        if people.is_empty() {
            return Ok(Vec::new());
        }
        let held_by = |person: &String, other: &Incident| -> Vec<Elsewhere> {
            let held = other.work.roles.iter().filter(|(role, held)| held.person.as_ref() == Some(person) && is_exclusive(role));
            let here = other.reference == incident.reference;
            let elsewhere = |role: &String| Elsewhere { person: person.clone(), role: role.clone(), reference: other.reference.clone() };
            held.filter(|_| !here).map(|(role, _)| elsewhere(role)).collect()
        };
        // What a board has is known already; where more is open, each person is looked for among all of it.
        let open = IncidentFilter { open: true, real: true, ..IncidentFilter::default() };
        let (all, cut) = self.listed(&self.on_board(&IncidentFilter::default())?).await?;
        let mut out = Vec::new();
        for person in people {
            if cut {
                let filter = rows::incident::Filter { naming: Some(person.clone()), ..self.stored_filter(&open) };
                let found = rows::incident::list(self.db(), &filter, OTHERS_MAX).await?;
                out.extend(found.iter().flat_map(|(other, _)| held_by(person, other)));
            } else {
                out.extend(all.iter().flat_map(|other| held_by(person, &other.incident)));
            }
        }
        Ok(out)
    }
}
