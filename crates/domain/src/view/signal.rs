//! What people read of senders' requests: what came and was taken, and what was refused.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A request of a sender, as kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Signal))]
pub struct SignalView {
    pub id: String,
    pub integration: String,
    pub format: String,
    pub received_at: Timestamp,
    /// The organisation's version by which it was judged.
    pub org_version: u64,
    /// Alerts that it opened or changed.
    pub alerts: u64,
    /// With secrets removed.
    pub body: String,
}

/// A request of a sender that was refused, or the refused part of one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = RefusedRequest))]
pub struct RefusedView {
    pub id: String,
    pub at: Timestamp,
    /// The word that `allclear_signals_refused_total` counts by.
    pub reason: String,
    /// What was answered. Below 300 the rest of the request was taken.
    pub status: u64,
    /// The integration whose key came with it; null where no key is known.
    pub integration: Option<String>,
    /// The format of the address.
    pub format: String,
    /// From where it came; a proxy's address where one stands in front.
    pub address: Option<String>,
    /// Why, in words.
    pub detail: String,
    /// What was sent, with secrets removed, cut; null where no key is known.
    pub body: Option<String>,
    /// How many before it were counted and not kept.
    pub unkept: u64,
}
