//! Why somebody would be paged, and why somebody was.

use serde::{Deserialize, Serialize};

use super::log::EventView;
use super::page::PageView;
use crate::severity::Severity;

/// Who would be paged for a payload, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SignalExplanation {
    pub integration: String,
    pub dedup_key: String,
    pub title: String,
    /// Every step of the triage.
    pub steps: Vec<String>,
    pub decision: String,
    pub severity: Severity,
    pub service: Option<String>,
    pub escalation: Option<String>,
    pub silenced_by: Option<String>,
    /// Steps of the policy, were it to start now.
    pub pages: Vec<StepExplanation>,
}

/// Whom one step would page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct StepExplanation {
    /// `step 1`, `round 2, step 1`, `catch-all`.
    pub name: String,
    /// From 1; a policy that repeats has further ones. The catch-all's is the last.
    pub round: u32,
    /// Minutes and seconds after the page starts, if nobody acknowledges.
    pub after: String,
    pub people: Vec<PersonExplanation>,
    pub why_nobody: Option<String>,
}

/// How one person would be told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PersonExplanation {
    pub person: String,
    pub via: String,
    /// `webhook hook at once`, `email mail after 1m`.
    pub contacts: Vec<String>,
}

/// Why somebody was, or was not, paged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PageExplanation {
    pub page: PageView,
    /// One sentence per fact, in the log's order.
    pub lines: Vec<EventView>,
}
