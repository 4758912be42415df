//! What people read of a change: a deployment, a flag, a migration.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::wire::Link;

/// A change that a sender told of; it pages nobody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Change))]
pub struct ChangeView {
    pub id: String,
    /// When it happened, as its sender says, else when it was told.
    pub at: Timestamp,
    /// The service that it changed, by the routes as they were then.
    pub service: Option<String>,
    pub integration: String,
    pub title: String,
    pub source: Option<String>,
    #[cfg_attr(feature = "schema", schema(value_type = Vec<Object>))]
    pub links: Vec<Link>,
}
