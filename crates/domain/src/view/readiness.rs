//! Whether a page would reach somebody.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Whether a page would reach somebody, and what would keep it from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Readiness))]
pub struct ReadinessView {
    /// A person's id.
    pub person: String,
    pub name: String,
    /// Whether a page is known to arrive: nothing is `never` or `doubtful`.
    pub ready: bool,
    /// When they are on call next, within two weeks; now, where they are.
    pub on_call_at: Option<Timestamp>,
    /// The schedule of that.
    pub schedule: Option<String>,
    /// The worst first.
    pub findings: Vec<ReadinessFinding>,
}

/// One thing that would keep a page from arriving.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ReadinessFinding {
    /// `no_contact`, `none_verified`, `not_carried`, `all_fail`, `test_failed`, `test_unanswered`, `never_tested`, `contact_fails`,
    /// `contact_not_carried`, `contact_unverified`, `only_one` or `no_rule`.
    pub kind: String,
    /// `never`: no page arrives; `doubtful`: nobody knows whether one does; `weak`: one does, while nothing fails.
    pub gravity: String,
    /// The contact that it is about.
    pub contact: Option<String>,
    /// In words.
    pub says: String,
    /// What would mend it.
    pub works: String,
}
