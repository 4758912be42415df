//! What people read of a heartbeat: when it was heard last, and when it is missed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// An instance that sends heartbeats.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Heartbeat))]
pub struct HeartbeatView {
    pub integration: String,
    /// The name behind the key; empty where its sender says none.
    pub instance: String,
    pub first_seen_at: Timestamp,
    pub last_seen_at: Timestamp,
    /// When the next one is missed; null where one is missing.
    pub missed_at: Option<Timestamp>,
    /// Whether one is missing.
    pub missing: bool,
}
