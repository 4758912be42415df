//! An alert: a deduplicated condition with a lifetime.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{AlertId, IncidentId, SignalId};
use crate::org::model::Declare;
use crate::severity::Severity;
use crate::wire::SenderSeverity;

/// How an alert ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// Its sender said so.
    Resolved,
    /// Its sender promised to send it again and did not.
    Lapsed,
    /// Its incident was resolved by a person; a later trigger is a new alert.
    WithIncident,
}

impl Ended {
    /// As stored.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Resolved => "resolved",
            Self::Lapsed => "lapsed",
            Self::WithIncident => "with_incident",
        }
    }
    /// The way with this stored name; `None` for `open` and anything else.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Resolved, Self::Lapsed, Self::WithIncident].into_iter().find(|e| e.word() == word)
    }
}

/// Where an alert stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = AlertState))]
pub enum AlertState {
    /// It goes on.
    Open,
    /// Its sender said that it is over.
    Resolved,
    /// Its sender promised to send it again and did not.
    Lapsed,
    /// Its incident was resolved by a person.
    WithIncident,
}

impl AlertState {
    /// As shown.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Resolved => "resolved",
            Self::Lapsed => "lapsed",
            Self::WithIncident => "with_incident",
        }
    }
}

impl From<Option<Ended>> for AlertState {
    fn from(ended: Option<Ended>) -> Self {
        match ended {
            None => Self::Open,
            Some(Ended::Resolved) => Self::Resolved,
            Some(Ended::Lapsed) => Self::Lapsed,
            Some(Ended::WithIncident) => Self::WithIncident,
        }
    }
}

/// Why an alert tells nobody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppression {
    /// The silence's id.
    pub silence: String,
    /// When it ends.
    pub until: Timestamp,
}

/// An alert as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    pub id: AlertId,
    pub integration: String,
    pub dedup_key: String,
    /// Absent while open.
    pub ended: Option<Ended>,
    pub title: String,
    pub severity: Severity,
    pub sender_severity: Option<SenderSeverity>,
    pub service: Option<String>,
    pub source: Option<String>,
    /// JSON of labels, annotations, description and links, as [`crate::wire::Signal`] has them.
    pub detail: String,
    pub decision: Declare,
    /// The route, or the default, that decided.
    pub because: String,
    pub suppressed: Option<Suppression>,
    pub incident: Option<IncidentId>,
    /// The request that opened it.
    pub signal: SignalId,
    pub org_version: u64,
    /// When the condition began, as the sender says, else when it arrived.
    pub starts_at: Timestamp,
    /// When it lapses unless sent again; soft.
    pub ends_at: Option<Timestamp>,
    pub opened_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    /// Soft.
    pub last_seen_at: Timestamp,
    /// Times it was sent; soft.
    pub count: u64,
    /// Over title and detail as stored, to know a repetition that says something else; absent where an earlier
    /// version stored it.
    pub text: Option<u64>,
    /// How often in a row it had ended and come back within its grace.
    pub returns: u32,
}
