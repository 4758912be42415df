//! Heartbeats, as people read them.

use allclear_domain::access::Right;
use allclear_domain::org::model::HEARTBEAT;
use allclear_domain::view::HeartbeatView;
use allclear_store::rows;

use crate::read::{LIST_MAX, NoAnswer, Queries};

impl Queries<'_> {
    /// Instances that send heartbeats, of one integration or of all: those first of which one is missing, then those that were
    /// heard last the longest ago.
    ///
    /// # Errors
    /// When whoever asks may not see the organisation, or the store does not answer.
    pub async fn heartbeats(&self, integration: Option<&str>, limit: i64) -> Result<Vec<HeartbeatView>, NoAnswer> {
        self.may(Right::SeeOrganisation)?;
        let found = rows::heartbeat::list(self.db(), integration, limit.clamp(1, LIST_MAX)).await?;
        let org = self.engine().org();
        let view = |found: rows::heartbeat::StoredHeartbeat| {
            let missing = found.awaited.is_none();
            let integration = org.integration(&found.integration).filter(|_| !missing);
            HeartbeatView {
                missed_at: integration.and_then(|form| form.missed_at(found.counts_from)),
                missing,
                integration: found.integration,
                instance: found.instance,
                first_seen_at: found.first_seen_at,
                last_seen_at: found.last_seen_at,
            }
        };
        // Of an integration that is gone nobody waits for anything.
        let awaited =
            |found: &rows::heartbeat::StoredHeartbeat| org.integration(&found.integration).is_some_and(|form| form.kind == HEARTBEAT);
        Ok(found.into_iter().filter(awaited).map(view).collect())
    }
}
