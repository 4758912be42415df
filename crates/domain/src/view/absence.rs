//! What people read of who is away.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::org::cover::Stretch;

/// Somebody is away, and which of their turns need cover.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Absence))]
pub struct AbsenceView {
    pub id: String,
    pub person: String,
    pub person_name: Option<String>,
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    /// Null to everybody but themself and administrators, and where none was given.
    pub reason: Option<String>,
    /// Turns of theirs in that time that nobody else has, half a year ahead.
    pub needs_cover: Vec<Stretch>,
    /// Whether the asker may end it.
    pub may_end: bool,
}

/// A turn of somebody who is away, or has a public holiday off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = NeedsCover))]
pub struct NeedsCoverView {
    pub person: String,
    pub person_name: Option<String>,
    pub schedule: String,
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    /// What the public holiday is called; empty where it has no name, and null where they are away.
    pub holiday: Option<String>,
}
