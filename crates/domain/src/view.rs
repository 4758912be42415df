//! What people read: plain structs, the same for API, web and command line.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::incident::{Incident, Severity, State};
use crate::paging::{Page, Status};

/// An incident as lists and its page show it. Instants are null where unknown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IncidentView {
    pub id: String,
    #[serde(rename = "ref")]
    pub reference: String,
    pub title: String,
    pub state: State,
    pub severity: Severity,
    pub service: Option<String>,
    pub commander: Option<String>,
    pub acknowledged_by: Option<String>,
    /// Why it exists.
    pub because: String,
    pub merged_into: Option<String>,
    /// Whether all its alerts have recovered.
    pub recovered: bool,
    /// Whether its last page ended without an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unanswered: Option<bool>,
    pub impact_started_at: Option<Timestamp>,
    pub detected_at: Option<Timestamp>,
    pub declared_at: Option<Timestamp>,
    pub acknowledged_at: Option<Timestamp>,
    pub mitigated_at: Option<Timestamp>,
    pub resolved_at: Option<Timestamp>,
    pub closed_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// When something is due next.
    pub next_due: Option<Timestamp>,
    /// Number of events in its log; the version for `If-Match`.
    pub version: u64,
}

impl IncidentView {
    /// Of a folded incident.
    #[must_use]
    pub fn of(i: &Incident, version: u64, next_due: Option<Timestamp>) -> Self {
        Self {
            id: i.id.to_string(),
            reference: i.reference.clone(),
            title: i.title.clone(),
            state: i.state,
            severity: i.severity,
            service: i.service.clone(),
            commander: i.commander.clone(),
            acknowledged_by: i.acknowledged_by.clone(),
            because: i.because.clone(),
            merged_into: i.merged_into.map(|id| id.to_string()),
            recovered: i.recovered,
            unanswered: None,
            impact_started_at: i.impact_started_at,
            detected_at: i.detected_at,
            declared_at: i.declared_at,
            acknowledged_at: i.acknowledged_at,
            mitigated_at: i.mitigated_at,
            resolved_at: i.resolved_at,
            closed_at: i.closed_at,
            created_at: i.created_at,
            updated_at: i.updated_at,
            next_due,
            version,
        }
    }
}

/// One event of a log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventView {
    pub seq: i64,
    pub stream: String,
    pub version: u64,
    pub incident: Option<String>,
    pub kind: String,
    pub at: Timestamp,
    pub recorded_at: Timestamp,
    pub actor: String,
    pub cause: String,
    /// Null after a redaction.
    pub body: Option<serde_json::Value>,
    /// One line for people.
    pub line: String,
}

/// An alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlertView {
    pub id: String,
    pub integration: String,
    pub dedup_key: String,
    /// `open`, `resolved`, `lapsed`, `with_incident`.
    pub state: String,
    pub title: String,
    pub severity: Severity,
    pub service: Option<String>,
    pub source: Option<String>,
    /// Labels, annotations, description, links.
    pub detail: serde_json::Value,
    /// `declare`, `candidate`, `record`.
    pub decision: String,
    pub because: String,
    pub silenced_by: Option<String>,
    pub incident: Option<String>,
    pub signal: String,
    pub starts_at: Timestamp,
    pub ends_at: Option<Timestamp>,
    pub opened_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    pub last_seen_at: Timestamp,
    pub count: u64,
}

/// A page with its messages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PageView {
    pub id: String,
    pub incident: String,
    #[serde(rename = "ref")]
    pub reference: String,
    pub status: Status,
    pub escalation: Option<String>,
    pub because: String,
    pub round: u32,
    pub step: u32,
    pub catch_all: bool,
    pub acknowledged_by: Option<String>,
    pub started_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    pub messages: Vec<MessageView>,
}

impl PageView {
    /// Of a folded page.
    #[must_use]
    pub fn of(p: &Page, messages: Vec<MessageView>) -> Self {
        Self {
            id: p.id.to_string(),
            incident: p.incident.id.to_string(),
            reference: p.incident.reference.clone(),
            status: p.status,
            escalation: p.escalation.clone(),
            because: p.because.clone(),
            round: p.round,
            step: p.step,
            catch_all: p.catch_all,
            acknowledged_by: p.acknowledged_by.clone(),
            started_at: p.started_at,
            ended_at: p.ended_at,
            messages,
        }
    }
}

/// A message of a page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MessageView {
    pub id: String,
    pub person: String,
    pub contact: String,
    pub channel: String,
    pub round: u32,
    pub step: u32,
    /// `queued`, `claimed`, `delivered`, `rejected`, `withdrawn`.
    pub state: String,
    pub in_doubt: bool,
    pub attempts: u32,
    pub created_at: Timestamp,
    pub next_attempt_at: Option<Timestamp>,
    pub last_error: Option<String>,
}

/// "Next, and when."
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExpectationView {
    pub owner: String,
    pub key: String,
    pub rule: String,
    /// `live`, `met`, `missed`, `void`.
    pub state: String,
    /// What must appear.
    pub expects: String,
    /// What follows if it does not.
    #[serde(rename = "else")]
    pub or_else: String,
    pub opened_at: Option<Timestamp>,
    pub due_at: Timestamp,
    pub settled_at: Option<Timestamp>,
    pub why: Option<String>,
}

/// Who is on call in a schedule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    pub until: Option<Timestamp>,
    pub next: Option<String>,
    pub next_name: Option<String>,
}

/// Who would be paged for a payload, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
pub struct StepExplanation {
    /// From 1; the catch-all says so in `name`.
    pub name: String,
    /// Minutes and seconds after the page starts, if nobody acknowledges.
    pub after: String,
    pub people: Vec<PersonExplanation>,
    pub why_nobody: Option<String>,
}

/// How one person would be told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PersonExplanation {
    pub person: String,
    pub via: String,
    /// `webhook hook at once`, `email mail after 1m`.
    pub contacts: Vec<String>,
}

/// Why somebody was, or was not, paged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PageExplanation {
    pub page: PageView,
    /// One sentence per fact, in the log's order.
    pub lines: Vec<EventView>,
}

/// A token, without its secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TokenView {
    pub id: String,
    pub name: String,
    pub scope: String,
    pub person: Option<String>,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
}
