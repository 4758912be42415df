//! Requests of senders as they are shown: what came and was taken, and what was refused.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

/// A request of a sender, as kept.
#[derive(Serialize, ToSchema)]
pub(crate) struct Signal {
    pub(super) id: String,
    pub(super) integration: String,
    pub(super) format: String,
    pub(super) received_at: Timestamp,
    /// The organisation's version by which it was judged.
    pub(super) org_version: u64,
    /// Alerts that it opened or changed.
    pub(super) alerts: u64,
    /// With secrets removed.
    pub(super) body: String,
}

/// A request of a sender that was refused, or the refused part of one.
#[derive(Serialize, ToSchema)]
pub(crate) struct RefusedRequest {
    pub(super) id: String,
    pub(super) at: Timestamp,
    /// The word that `allclear_signals_refused_total` counts by.
    pub(super) reason: String,
    /// What was answered. Below 300 the rest of the request was taken.
    pub(super) status: u64,
    /// The integration whose key came with it; null where no key is known.
    #[schema(required)]
    pub(super) integration: Option<String>,
    /// The format of the address.
    pub(super) format: String,
    /// From where it came; a proxy's address where one stands in front.
    #[schema(required)]
    pub(super) address: Option<String>,
    /// Why, in words.
    pub(super) detail: String,
    /// What was sent, with secrets removed, cut; null where no key is known.
    #[schema(required)]
    pub(super) body: Option<String>,
    /// How many before it were counted and not kept.
    pub(super) unkept: u64,
}
