//! What people read of a token.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::access::Scope;

/// A token, without its secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Token))]
pub struct TokenView {
    pub id: String,
    pub name: String,
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub scope: Scope,
    pub person: Option<String>,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
}
