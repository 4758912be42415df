//! What an incident is of and how bad it may become, as it is folded and kept: its type with the answers as they were given, so
//! that they read when the type has left the organisation; what its severity came from; and what was kept against an advice.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::org::model::{AnswerKind, Level};
use crate::severity::Severity;

/// The type of an incident, and what was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Typed {
    /// Its id.
    #[serde(rename = "type")]
    pub kind: String,
    /// What people called it when it was set.
    pub name: String,
    /// Answers by the ids of their questions.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub answers: BTreeMap<String, Answer>,
}

/// An answer, with the question as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    pub label: String,
    pub kind: AnswerKind,
    pub value: String,
}

/// What a severity came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Basis {
    pub impact: Level,
    pub urgency: Level,
}

impl Basis {
    /// `SEV2 from impact high × urgency medium`.
    #[must_use]
    pub fn words(&self, severity: Severity) -> String {
        format!("{} from impact {} × urgency {}", severity.word().to_uppercase(), self.impact.word(), self.urgency.word())
    }
}

/// What is known of how bad it is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Assessment {
    /// Where impact and urgency gave its severity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub basis: Option<Basis>,
    /// How bad it may become.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub potential: Option<Severity>,
    /// Facts that somebody saw and kept the severity all the same; none of them is said again.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub kept: BTreeSet<String>,
    /// Until when somebody is asked to judge it again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    /// When somebody was last asked to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked_at: Option<Timestamp>,
}

impl Assessment {
    /// Whether nothing is known.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}
