//! What people read of an alert.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::severity::Severity;
use crate::signal::AlertState;

/// An alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Alert))]
pub struct AlertView {
    pub id: String,
    pub integration: String,
    pub dedup_key: String,
    #[cfg_attr(feature = "schema", schema(inline))]
    pub state: AlertState,
    pub title: String,
    pub severity: Severity,
    pub service: Option<String>,
    pub source: Option<String>,
    /// Labels, annotations, description, links.
    pub detail: serde_json::Value,
    /// `declare`, `candidate`, `record`.
    pub decision: String,
    pub because: String,
    pub silenced_by: Option<String>,
    pub incident: Option<String>,
    pub signal: String,
    pub starts_at: Timestamp,
    pub ends_at: Option<Timestamp>,
    pub opened_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    pub last_seen_at: Timestamp,
    pub count: u64,
}
