//! The briefing of an incident: what whoever takes a role over reads, made from its log.

use allclear_domain::ids::IncidentId;
use allclear_domain::view::{BriefingView, next};

use super::{NoAnswer, Queries};

/// Key events that are read for one: the store reads no more at once.
const KEY_EVENTS_MAX: i64 = 1000;

impl Queries<'_> {
    /// What whoever takes a role over has to know, as of now.
    ///
    /// # Errors
    /// When there is no such incident, or the store does not answer.
    pub async fn briefing(&self, id: IncidentId) -> Result<BriefingView, NoAnswer> {
        let incident = self.incident(id).await?;
        let key = self.key_events(id, 0, KEY_EVENTS_MAX).await?;
        let (pages, awaited) = (self.pages(id).await?, self.expectations(id).await?);
        let org = self.engine().org();
        let name = |person: &str| org.person(person).map_or_else(|| person.to_owned(), |known| known.name.clone());
        let due = next(&incident, &pages, &awaited, &name);
        let last_update = if incident.last_update_at.is_some() { self.updates(id).await?.pop() } else { None };
        Ok(BriefingView::of(&incident, &key, &due, last_update, self.engine().now()))
    }
}
