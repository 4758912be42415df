//! The facts of an incident's log. Each kind is a permanent format: a changed body is a new
//! version with its own reader, and `golden/event/` holds one file per kind and version.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::types::Severity;
use crate::event::event_kinds;
use crate::ids::{AlertId, IncidentId, PageId};
use crate::time::Length;

event_kinds! {
    /// A fact about an incident; past tense.
    Event {
        Proposed(Declared) = "proposed",
        Declared(Declared) = "declared",
        Promoted(Why) = "promoted",
        Acknowledged(Acknowledged) = "acknowledged",
        Escalated(Escalated) = "escalated",
        SeverityChanged(SeverityChanged) = "severity_changed",
        AlertsTold(AlertsTold) = "alerts_told",
        Recovered(Recovered) = "recovered",
        ConfirmationMissed(ConfirmationMissed) = "confirmation_missed",
        Mitigated(Noted) = "mitigated",
        Resolved(Resolved) = "resolved",
        Reopened(Why) = "reopened",
        Cancelled(Why) = "cancelled",
        Closed(Closed) = "closed",
        Merged(Link) = "merged",
        Absorbed(Link) = "absorbed",
        Noted(Noted) = "noted",
        Restricted(Restricted) = "restricted",
        OpenedUp(Why) = "opened_up",
        Admitted(Admitted) = "admitted",
    }
}

/// Body of `declared` and `proposed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Declared {
    #[serde(rename = "ref")]
    pub reference: String,
    pub title: String,
    pub severity: Severity,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalation: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert: Option<AlertId>,
    pub because: String,
    /// Version of the organisation that decided.
    pub org_version: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub impact_started_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detected_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Length::is_zero")]
    pub group_wait: Length,
}

/// A reason in words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Why {
    pub why: String,
}

/// Body of `acknowledged`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Acknowledged {
    /// A person's id; absent where a sender acknowledged without saying who.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// `link`, `api`, `sender`, …
    pub via: String,
    /// Whether nobody had before.
    pub first: bool,
}

/// Body of `escalated`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Escalated {
    pub page: PageId,
    pub why: String,
}

/// Body of `severity_changed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeverityChanged {
    pub from: Severity,
    pub to: Severity,
    pub why: String,
}

/// Body of `alerts_told`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlertsTold {
    /// Joined since the log last told.
    pub joined: u64,
    /// Recovered since the log last told.
    pub recovered: u64,
    /// Open now.
    pub open: u64,
}

/// Body of `recovered`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recovered {
    /// Who is asked to confirm, where somebody is on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ask: Option<String>,
}

/// Body of `confirmation_missed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConfirmationMissed {}

/// Body of `resolved`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Resolved {
    /// Whether it recovered with nobody on it.
    pub by_itself: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Body of `closed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Closed {}

/// Body of `restricted`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Restricted {
    pub why: String,
    /// Ids of those who are admitted from the start: paged people, and whoever restricts it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<String>,
}

/// Body of `admitted`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Admitted {
    /// Ids.
    pub people: Vec<String>,
    pub why: String,
}

/// The other incident of a merge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Link {
    pub incident: IncidentId,
    #[serde(rename = "ref")]
    pub reference: String,
}

/// Body of `noted` and `mitigated`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Noted {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}
