//! What people read of the addresses at which calendars are fetched.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// An address at which a calendar is fetched, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = CalendarFeed))]
pub struct FeedView {
    pub id: String,
    /// The schedule whose shifts it has; null where it has a person's.
    pub schedule: Option<String>,
    /// The person whose shifts it has; null where it has a schedule's.
    pub person: Option<String>,
    /// `person:ana`.
    pub made_by: String,
    pub created_at: Timestamp,
}
