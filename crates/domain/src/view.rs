//! What people read: plain structs, the same for API, web and command line.

mod came;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::access::Scope;
use crate::action::{self, Action};
use crate::expect::Standing;
use crate::ids::PageId;
use crate::incident::roles::ROLES;
use crate::incident::tasks::{Task, TaskState};
use crate::incident::{Incident, Severity, State};
use crate::paging::{AtStep, MessageState, Page, Status};
use crate::review::{self, Review};
use crate::signal::AlertState;

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
    /// Whether only some may see it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub private: bool,
    /// Who holds which role, and who was asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<RoleView>,
    /// In the order in which they were added.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<TaskView>,
    /// When stakeholders were last told.
    #[serde(default)]
    pub last_update_at: Option<Timestamp>,
    /// Its review, once there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<String>,
    /// Whether its last page ended without an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unanswered: Option<bool>,
    /// While silences hold every open alert, and nobody is paged: when the first of them ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_until: Option<Timestamp>,
    /// Ids of these silences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held_by: Vec<String>,
    /// Whether an alert of it comes and goes, and counts as firing until it has been quiet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flapping: Option<bool>,
    /// When whoever has it asked to be reminded; nobody is asked before.
    #[serde(default)]
    pub snoozed_until: Option<Timestamp>,
    /// Who asked so.
    #[serde(default)]
    pub snoozed_by: Option<String>,
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
            private: i.private,
            roles: roles_of(i),
            tasks: i.work.tasks.iter().map(TaskView::of).collect(),
            last_update_at: i.work.last_update_at,
            review: i.work.review.map(|id| id.to_string()),
            unanswered: None,
            held_until: i.alarms.held_until,
            held_by: i.alarms.held_by.clone(),
            flapping: i.alarms.flapping.map(|_| true),
            snoozed_until: i.snoozed().map(|snooze| snooze.until),
            snoozed_by: i.snoozed().map(|snooze| snooze.by.clone()),
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

    /// Whether somebody commands it, took it, holds a role or was asked to, or owns an open task of it.
    #[must_use]
    pub fn is_of(&self, person: &str) -> bool {
        let is = |who: &Option<String>| who.as_deref() == Some(person);
        is(&self.commander)
            || is(&self.acknowledged_by)
            || self.roles.iter().any(|role| is(&role.person) || is(&role.offered_to))
            || self.tasks.iter().any(|task| is(&task.owner) && task.state == TaskState::Open)
    }
}

/// Roles that are held or offered, in the order of [`ROLES`], then others by name.
fn roles_of(i: &Incident) -> Vec<RoleView> {
    let place = |role: &str| ROLES.iter().position(|known| *known == role).unwrap_or(ROLES.len());
    let mut roles: Vec<RoleView> = i
        .work
        .roles
        .iter()
        .map(|(role, held)| RoleView {
            role: role.clone(),
            person: held.person.clone(),
            since: held.since,
            offered_to: held.offered_to.clone(),
            offered_at: held.offered_at,
        })
        .collect();
    roles.sort_by(|a, b| (place(&a.role), &a.role).cmp(&(place(&b.role), &b.role)));
    roles
}

impl TaskView {
    fn of(task: &Task) -> Self {
        Self {
            task: task.task,
            text: task.text.clone(),
            owner: task.owner.clone(),
            due_at: task.due_at,
            state: task.state,
            added_at: task.added_at,
            ended_at: task.ended_at,
            late: task.late,
        }
    }
}

impl ActionView {
    /// Of a folded action.
    #[must_use]
    pub fn of(a: &Action, version: u64) -> Self {
        Self {
            id: a.id.to_string(),
            incident: a.incident.map(|id| id.to_string()),
            reference: a.reference.clone(),
            text: a.text.clone(),
            owner: a.owner.clone(),
            due_at: a.due_at,
            state: a.state,
            added_at: a.added_at,
            ended_at: a.ended_at,
            note: a.note.clone(),
            late: a.late,
            version,
        }
    }
}

impl ReviewView {
    /// Of a folded review and its incident, with its text as kept.
    #[must_use]
    pub fn of(r: &Review, incident: &Incident, version: u64) -> Self {
        Self {
            id: r.id.to_string(),
            incident: r.incident.to_string(),
            reference: r.reference.clone(),
            title: incident.title.clone(),
            severity: incident.severity,
            service: incident.service.clone(),
            state: r.state,
            owner: r.owner.clone(),
            due_at: r.due_at,
            opened_at: r.opened_at,
            published_at: r.published_at,
            edited: r.text.is_some(),
            text: r.text.clone(),
            late: r.late,
            version,
        }
    }
}

/// A role of an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleView {
    /// `commander`, `deputy`, `scribe`, …
    pub role: String,
    /// Who holds it: a person's id.
    pub person: Option<String>,
    pub since: Option<Timestamp>,
    /// Who was asked to take it and has not answered.
    pub offered_to: Option<String>,
    pub offered_at: Option<Timestamp>,
}

/// A task of an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskView {
    /// From 1, within its incident.
    pub task: u32,
    pub text: String,
    /// A person's id.
    pub owner: Option<String>,
    pub due_at: Option<Timestamp>,
    pub state: TaskState,
    pub added_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    /// Whether its time passed while it was open.
    pub late: bool,
}

/// What stakeholders were told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UpdateView {
    pub at: Timestamp,
    pub actor: String,
    /// Ids of audiences.
    pub audiences: Vec<String>,
    pub text: String,
    /// When the next one was promised.
    pub next_by: Option<Timestamp>,
    /// Where the incident stood.
    pub state: State,
}

/// A post-incident review.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReviewView {
    pub id: String,
    pub incident: String,
    #[serde(rename = "ref")]
    pub reference: String,
    pub title: String,
    pub severity: Severity,
    pub service: Option<String>,
    pub state: review::State,
    /// A person's id.
    pub owner: Option<String>,
    pub due_at: Timestamp,
    pub opened_at: Timestamp,
    pub published_at: Option<Timestamp>,
    /// Markdown; until somebody edits it, drafted from the log. Null in lists.
    pub text: Option<String>,
    /// Whether somebody has edited it.
    pub edited: bool,
    pub late: bool,
    pub version: u64,
}

/// A corrective action.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActionView {
    pub id: String,
    /// The incident it came from.
    pub incident: Option<String>,
    #[serde(rename = "ref")]
    pub reference: Option<String>,
    pub text: String,
    /// A person's id.
    pub owner: String,
    pub due_at: Timestamp,
    pub state: action::State,
    pub added_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    /// How it was done, or why it was dropped.
    pub note: Option<String>,
    pub late: bool,
    pub version: u64,
}

/// Counts and durations of incidents that were declared in a period. Durations are of those whose
/// two instants are both known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrendView {
    pub from: Timestamp,
    pub to: Timestamp,
    /// Declared in the period; cancelled and merged ones are left out.
    pub incidents: u64,
    /// Declared per week, oldest first: the week's Monday (UTC) and how many of each severity.
    pub weeks: Vec<TrendWeek>,
    /// By severity, then by service.
    pub by_severity: Vec<TrendRow>,
    pub by_service: Vec<TrendRow>,
}

/// One week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrendWeek {
    pub monday: jiff::civil::Date,
    /// sev1 … sev5.
    pub counts: [u64; 5],
}

/// One group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrendRow {
    pub name: String,
    pub incidents: u64,
    /// Declared to acknowledged.
    pub acknowledge: DurationSummary,
    /// Impact start, or declared where that is unknown, to mitigated.
    pub mitigate: DurationSummary,
    /// Declared to resolved.
    pub resolve: DurationSummary,
}

/// How long something took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DurationSummary {
    /// How many are known.
    pub n: u64,
    pub median_s: Option<i64>,
    pub p90_s: Option<i64>,
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

/// One of many pages that went out as one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundledPage {
    pub page: PageId,
    /// Whether it still looks for somebody.
    pub looking: bool,
    /// The step that asks whoever was sent the message, where it still waits at that step: they may pass it on.
    pub asks_at: Option<AtStep>,
    /// `INC-142`
    pub reference: String,
    pub title: String,
    pub severity: Severity,
    /// Of its incident.
    pub state: State,
}

/// An alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlertView {
    pub id: String,
    pub integration: String,
    pub dedup_key: String,
    pub state: AlertState,
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
    pub state: MessageState,
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
    pub state: Standing,
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
    /// When somebody else comes on, or nobody is any more; null where neither happens soon.
    pub until: Option<Timestamp>,
    /// Who comes on after that.
    pub next: Option<String>,
    pub next_name: Option<String>,
    /// When they do: later than `until` where nobody is on in between.
    #[serde(default)]
    pub next_at: Option<Timestamp>,
}

/// Somebody takes a schedule for a time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OverrideView {
    pub id: String,
    pub schedule: String,
    pub person: String,
    pub person_name: Option<String>,
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    /// `person:ana`; null where it is not known.
    pub made_by: Option<String>,
    /// Whether the asker may end it.
    pub may_end: bool,
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
    pub scope: Scope,
    pub person: Option<String>,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
}
