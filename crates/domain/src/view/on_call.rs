//! What people read of who is on call.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Who is on call in a schedule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = OnCall))]
pub struct OnCallView {
    pub schedule: String,
    pub name: String,
    pub team: Option<String>,
    pub time_zone: String,
    /// A person's id; null where nobody is on call.
    pub person: Option<String>,
    pub person_name: Option<String>,
    /// The layer or the override.
    pub because: String,
    /// When somebody else comes on, or nobody is any more; null where neither happens soon.
    pub until: Option<Timestamp>,
    /// Who comes on after that.
    pub next: Option<String>,
    pub next_name: Option<String>,
    /// When they do: later than `until` where nobody is on in between.
    #[serde(default)]
    pub next_at: Option<Timestamp>,
}

/// Somebody takes a schedule for a time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Override))]
pub struct OverrideView {
    pub id: String,
    pub schedule: String,
    pub person: String,
    pub person_name: Option<String>,
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    /// `person:ana`; null where it is not known.
    pub made_by: Option<String>,
    /// Whether the asker may end it.
    pub may_end: bool,
}
