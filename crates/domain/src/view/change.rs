//! What people read of a change: a deployment, a flag, a migration.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

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
    #[cfg_attr(feature = "schema", schema(inline))]
    pub links: Vec<LinkView>,
}

/// Where a sender says more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Link))]
pub struct LinkView {
    /// `http` or `https`.
    pub href: String,
    /// What the sender calls it; may be empty.
    pub text: String,
}
