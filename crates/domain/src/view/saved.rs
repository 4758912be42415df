//! What people read of saved views.

use serde::{Deserialize, Serialize};

/// A board or a search under a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = SavedView))]
pub struct SavedView {
    pub id: String,
    pub name: String,
    /// The page with what narrows it: `/search?q=failover&kind=note`.
    pub address: String,
    /// The team that it is shared with, by its id; null where it is your own.
    #[cfg_attr(feature = "schema", schema(required))]
    pub team: Option<String>,
}
