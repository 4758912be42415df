//! What people read of the audit log.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One line of the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = AuditEntry))]
pub struct AuditView {
    pub id: String,
    pub at: Timestamp,
    /// `signed_in`, `signed_out`, `signed_out_everywhere`, `password_changed`, `invitation_made`, `invitation_used`, `set_up_link_made`,
    /// `set_up`, `token_made`, `token_revoked`, `access_changed`, `managers_changed`, `person_removed`, `contacts_changed`; more may come.
    pub kind: String,
    /// Who did it: `person:ana`, `token:tok_…`, `administrator`.
    pub actor: String,
    /// Whom or what it is about, beside who did it: the id of a person, a team or a token.
    pub about: Option<String>,
    /// What of it, in words.
    pub detail: Option<String>,
    /// From where; null where nobody came over the network.
    pub address: Option<String>,
    /// The line for people.
    pub line: String,
}
