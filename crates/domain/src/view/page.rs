//! What people read of a page and its messages.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::IncidentId;
use crate::ids::PageId;
use crate::incident::Incident;
use crate::incident::State;
use crate::paging::AtStep;
use crate::paging::Entry;
use crate::paging::Facts;
use crate::paging::MessageState;
use crate::paging::Page;
use crate::paging::Status;
use crate::paging::Telling;
use crate::severity::Severity;

/// A page with its messages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Page))]
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
    /// While it looks for somebody: how else people of its step are told, and when, if nobody acknowledges.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub planned: Vec<PlannedView>,
    /// While it looks for somebody: whom it calls when its step is over, by the organisation as it is now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calls_next: Vec<String>,
    /// How many different people have to acknowledge its step; absent where one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub wants: Option<u32>,
    /// Who has acknowledged, where several have to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answered: Vec<String>,
    /// Whom it pages first, where it was asked for by name: targets as in a step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<String>,
}

/// What conditions of steps ask of an incident.
#[must_use]
pub fn facts_of(incident: &Incident) -> Facts {
    let kind = incident.work.typed.as_ref().map(|typed| typed.kind.clone());
    Facts { severity: incident.severity, service: incident.service.clone(), kind }
}

impl PageView {
    /// Of a folded page, and whom it calls when its step is over.
    #[must_use]
    pub fn of(p: &Page, messages: Vec<MessageView>, calls_next: Vec<String>) -> Self {
        let looks = p.status == Status::Running;
        let planned = p.entries.iter().filter(|entry| looks && entry.telling == Telling::Planned).filter_map(PlannedView::of).collect();
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
            planned,
            calls_next,
            wants: Some(p.wants).filter(|wants| *wants > 1),
            answered: p.answered.clone(),
            targets: p.targets.clone(),
        }
    }
}

/// A way of a person that has its turn later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Planned))]
pub struct PlannedView {
    pub person: String,
    pub contact: String,
    pub channel: String,
    /// Its place in the person's rule, from 0.
    pub entry: u32,
    pub due_at: Timestamp,
}

impl PlannedView {
    /// None where it has its turn only once another failed.
    fn of(entry: &Entry) -> Option<Self> {
        let (person, contact, channel) = (entry.person.clone(), entry.contact.clone(), entry.channel.clone());
        entry.due_at.map(|due_at| Self { person, contact, channel, entry: entry.entry, due_at })
    }
}

/// A message of a page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Message))]
pub struct MessageView {
    pub id: String,
    pub person: String,
    pub contact: String,
    pub channel: String,
    pub round: u32,
    pub step: u32,
    #[cfg_attr(feature = "schema", schema(inline))]
    pub state: MessageState,
    pub in_doubt: bool,
    pub attempts: u32,
    pub created_at: Timestamp,
    pub next_attempt_at: Option<Timestamp>,
    pub last_error: Option<String>,
}

/// One of many pages that went out as one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundledPage {
    pub page: PageId,
    pub incident: IncidentId,
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
