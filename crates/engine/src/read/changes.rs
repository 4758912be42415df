//! Changes that senders told of, as people read them.

use allclear_domain::access::Right;
use allclear_domain::ids::IncidentId;
use allclear_domain::time::{Length, before};
use allclear_domain::view::{ChangeView, LinkView};
use allclear_store::rows;
use jiff::Timestamp;

use crate::read::{LIST_MAX, NoAnswer, Queries};

/// Changes from so long before an incident began stand beside it: a shift, within which most of what breaks was changed.
pub const CHANGES_BEFORE: Length = Length::from_mins(8 * 60);

impl Queries<'_> {
    /// Changes of an incident's service from [`CHANGES_BEFORE`] it began until it was over, the newest first; none for whoever
    /// sees this incident alone.
    ///
    /// # Errors
    /// When there is no such incident, or the store does not answer.
    pub async fn changes_beside(&self, id: IncidentId, limit: i64) -> Result<Vec<ChangeView>, NoAnswer> {
        let (incident, _) = self.stored_incident(id).await?;
        let Some(service) = incident.service.as_deref().filter(|_| self.has(Right::SeeOrganisation)) else { return Ok(Vec::new()) };
        let began = incident.impact_started_at.or(incident.declared_at).unwrap_or(incident.created_at);
        let over = incident.resolved_at.or(incident.closed_at).filter(|_| !incident.state.is_open());
        self.changes_between(Some(service), before(began, CHANGES_BEFORE), over.unwrap_or(Timestamp::MAX), limit).await
    }

    /// Changes of a service, or of all, that happened before an instant, the newest first.
    ///
    /// # Errors
    /// When whoever asks may not see the organisation, or the store does not answer.
    pub async fn changes_of(&self, service: Option<&str>, to: Option<Timestamp>, limit: i64) -> Result<Vec<ChangeView>, NoAnswer> {
        self.may(Right::SeeOrganisation)?;
        self.changes_between(service, Timestamp::MIN, to.unwrap_or(Timestamp::MAX), limit).await
    }

    async fn changes_between(
        &self,
        service: Option<&str>,
        from: Timestamp,
        to: Timestamp,
        limit: i64,
    ) -> Result<Vec<ChangeView>, NoAnswer> {
        let found = rows::change::list(self.db(), service, from, to, limit.clamp(1, LIST_MAX)).await?;
        Ok(found.into_iter().map(view).collect())
    }
}

fn view(change: rows::change::StoredChange) -> ChangeView {
    let rows::change::StoredChange { id, at, received_at: _, service, integration, title, source, links } = change;
    let links = links.into_iter().map(|link| LinkView { href: link.href, text: link.text }).collect();
    ChangeView { id: id.to_string(), at, service, integration, title, source, links }
}
