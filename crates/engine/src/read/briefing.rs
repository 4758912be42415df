//! The briefing of an incident: what whoever takes a role over or joins late reads, made from its log.

use allclear_domain::ids::IncidentId;
use allclear_domain::view::{BriefingView, ExpectationView, IncidentView, PageView, next};
use jiff::Timestamp;

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
        let (pages, awaited) = (self.pages(id).await?, self.expectations(id).await?);
        self.briefing_of(id, &incident, &pages, &awaited).await
    }

    /// The same for whoever has read this of it already.
    ///
    /// # Errors
    /// As [`Self::briefing`].
    pub async fn briefing_of(
        &self,
        id: IncidentId,
        incident: &IncidentView,
        pages: &[PageView],
        awaited: &[ExpectationView],
    ) -> Result<BriefingView, NoAnswer> {
        let key = self.key_events(id, 0, KEY_EVENTS_MAX).await?;
        let due = next(incident, pages, awaited, &|person| self.name(person));
        let last_update = if incident.last_update_at.is_some() { self.updates(id).await?.pop() } else { None };
        Ok(BriefingView::of(incident, &key, &due, last_update, self.engine().now()))
    }

    /// The same as of an earlier instant: what was recorded by then.
    ///
    /// # Errors
    /// As [`Self::incident_at`].
    pub async fn briefing_at(&self, id: IncidentId, at: Timestamp) -> Result<BriefingView, NoAnswer> {
        let (incident, awaited) = Box::pin(self.both_at(id, at)).await?;
        let mut key = self.key_events(id, 0, KEY_EVENTS_MAX).await?;
        key.retain(|event| event.recorded_at <= at);
        let due = next(&incident, &[], &awaited, &|person| self.name(person));
        let mut updates = if incident.last_update_at.is_some() { self.updates(id).await? } else { Vec::new() };
        updates.retain(|update| update.at <= at);
        Ok(BriefingView::of(&incident, &key, &due, updates.pop(), at))
    }

    fn name(&self, person: &str) -> String {
        let org = self.engine().org();
        org.person(person).map_or_else(|| person.to_owned(), |known| known.name.clone())
    }
}
