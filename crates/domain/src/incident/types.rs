//! Nouns of an incident.

use serde::{Deserialize, Serialize};

pub use crate::severity::Severity;

/// Where an incident stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Proposed; a person decides whether it is an incident.
    Candidate,
    /// An incident, and nobody has acknowledged it.
    Declared,
    /// Somebody is on it.
    Investigating,
    /// The impact is reduced; the work goes on.
    Mitigated,
    /// Service is normal.
    Resolved,
    /// Nothing is left to do.
    Closed,
    /// It was none.
    Cancelled,
    /// Another incident has it.
    Merged,
}

impl State {
    /// All of them, in the order of a life.
    pub const ALL: [Self; 8] = [
        Self::Candidate,
        Self::Declared,
        Self::Investigating,
        Self::Mitigated,
        Self::Resolved,
        Self::Closed,
        Self::Cancelled,
        Self::Merged,
    ];

    /// As stored and shown.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Candidate => "candidate",
            Self::Declared => "declared",
            Self::Investigating => "investigating",
            Self::Mitigated => "mitigated",
            Self::Resolved => "resolved",
            Self::Closed => "closed",
            Self::Cancelled => "cancelled",
            Self::Merged => "merged",
        }
    }

    /// The state with this stored name.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.word() == word)
    }

    /// Whether somebody still has to do something about it.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Candidate | Self::Declared | Self::Investigating | Self::Mitigated)
    }
}

/// The folded state of an incident's log; also its row for lists.
#[derive(Debug, Clone, PartialEq)]
pub struct Incident {
    pub id: crate::ids::IncidentId,
    /// `INC-142`
    pub reference: String,
    pub state: State,
    pub title: String,
    pub severity: Severity,
    pub service: Option<String>,
    /// The escalation policy that its pages run.
    pub escalation: Option<String>,
    /// Alerts with the same key join it while it is open.
    pub group_key: Option<String>,
    /// Why it exists: the route, a person.
    pub because: String,
    pub mode: crate::event::Mode,
    pub commander: Option<String>,
    /// First who acknowledged.
    pub acknowledged_by: Option<String>,
    pub merged_into: Option<crate::ids::IncidentId>,
    /// The page that runs or ran last.
    pub page: Option<crate::ids::PageId>,
    /// Alerts told of in the log so far.
    pub alerts_told: u64,
    /// Recoveries of alerts told of in the log so far.
    pub recoveries_told: u64,
    /// Whether all its alerts have recovered.
    pub recovered: bool,
    pub reopened: u32,
    pub impact_started_at: Option<jiff::Timestamp>,
    pub detected_at: Option<jiff::Timestamp>,
    pub declared_at: Option<jiff::Timestamp>,
    pub acknowledged_at: Option<jiff::Timestamp>,
    pub mitigated_at: Option<jiff::Timestamp>,
    pub resolved_at: Option<jiff::Timestamp>,
    pub closed_at: Option<jiff::Timestamp>,
    pub created_at: jiff::Timestamp,
    pub updated_at: jiff::Timestamp,
    /// Roles, tasks and updates.
    pub work: super::work::Work,
    /// What silences hold, and what comes back.
    pub alarms: super::alarms::Alarms,
    /// Whether only administrators, managers of its team and those admitted see it.
    pub private: bool,
    /// Who was admitted; it only grows.
    pub admitted: std::collections::BTreeSet<String>,
}

/// Why an incident was declared that a person declared. Logs hold it: it never changes.
pub const BY_A_PERSON: &str = "declared by a person";

impl Incident {
    /// Whether it stands on what somebody said, and not on its alerts: no silence of these holds it.
    #[must_use]
    pub fn is_a_persons_word(&self) -> bool {
        self.because == BY_A_PERSON
    }
    /// What decides who may see it.
    #[must_use]
    pub fn facts(&self) -> crate::access::Facts<'_> {
        crate::access::Facts { id: self.id, private: self.private, service: self.service.as_deref(), admitted: &self.admitted }
    }
}
