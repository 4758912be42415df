//! Where an incident stands: the states of its life. What leads from one to another is `lifecycle.rs`.

use serde::{Deserialize, Serialize};

/// Where an incident stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = State))]
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
