//! What is marked, for whoever may read it: the lines of a log, and what an organisation that takes part sees.

use std::collections::HashMap;

use allclear_domain::access::{Denied, Marked, Resource, Right, may, may_read};
use allclear_domain::ids::IncidentId;
use allclear_domain::incident::Incident;
use allclear_domain::tlp::Tlp;
use allclear_domain::view::{EventView, GuestView};
use allclear_store::rows;
use allclear_store::rows::event::StoredEvent;

use super::{NoAnswer, Queries};

/// Events of an incident's own log that are looked at for an organisation, the newest: more than its page shows.
const GUEST_EVENTS: u64 = 300;
/// What stands in the place of what somebody may not read.
const FOR_OTHERS: &str = "TLP:RED: only those who lead this incident, and whoever wrote it, read this entry";

impl Queries<'_> {
    /// Events as this reader may read them.
    pub(crate) async fn told(&self, events: &[StoredEvent]) -> Result<Vec<EventView>, NoAnswer> {
        let mut known: HashMap<IncidentId, Option<Incident>> = HashMap::new();
        let mut out = Vec::with_capacity(events.len());
        for event in events {
            let view = self.event_view(event);
            // Nothing else is kept from anybody who sees the incident.
            let id = event.incident.as_deref().and_then(|id| id.parse().ok()).filter(|_| event.marking == Some(Tlp::Red));
            let Some(id) = id else {
                out.push(view);
                continue;
            };
            if let std::collections::hash_map::Entry::Vacant(entry) = known.entry(id) {
                entry.insert(rows::incident::get(self.db(), id).await?.map(|(incident, _)| incident));
            }
            let reads = known.get(&id).and_then(Option::as_ref).is_some_and(|incident| self.reads(incident, event.marking, &event.actor));
            out.push(if reads { view } else { EventView { line: FOR_OTHERS.to_owned(), body: None, ..view } });
        }
        Ok(out)
    }

    /// Whether this reader reads something of an incident that they see.
    pub(crate) fn reads(&self, incident: &Incident, marking: Option<Tlp>, by: &str) -> bool {
        may_read(&self.engine().org(), self.who(), &incident.facts(), &incident.work.leads(), Marked { marking, by })
    }

    /// The incident as the organisation that asks sees it.
    ///
    /// # Errors
    /// When it takes no part in it, or the store does not answer.
    pub async fn as_guest(&self, id: IncidentId) -> Result<GuestView, NoAnswer> {
        const GONE: NoAnswer = NoAnswer::Missing("incident");
        let (incident, head) = rows::incident::get(self.db(), id).await?.ok_or(GONE)?;
        let organisation = self.who().party().ok_or(GONE)?;
        let org = self.engine().org();
        may(&org, self.who(), Right::See, Resource::Party(incident.facts(), organisation))
            .map_err(|no| if no == Denied::Unseen { GONE } else { no.into() })?;
        let after = head.version.saturating_sub(GUEST_EVENTS);
        let events = rows::event::of_stream(self.db(), &id.to_string(), after, i64::try_from(GUEST_EVENTS).unwrap_or(i64::MAX)).await?;
        let events: Vec<EventView> = events.iter().map(|event| self.event_view(event)).collect();
        GuestView::of(&org, self.who(), &incident, &events).ok_or(GONE)
    }
}
