//! Further responders who were asked to an incident, as that is folded and kept.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::PageId;

/// A request for further responders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResponderRequest {
    /// From 1, within the incident.
    pub request: u32,
    /// Whom it asks: targets as in a step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<String>,
    /// The policy that it asks by instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalation: Option<String>,
    /// Whom the targets named then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<String>,
    /// Who asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    pub why: String,
    pub asked_at: Timestamp,
    /// By when an answer is wanted.
    pub due_at: Timestamp,
    /// The page that looks for them.
    pub page: PageId,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<ResponderAnswer>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancelled_at: Option<Timestamp>,
    /// Whether the time passed without all answers.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub late: bool,
}

/// What one of them answered; the last answer counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResponderAnswer {
    pub person: String,
    pub accepted: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    pub at: Timestamp,
}

impl ResponderRequest {
    /// What somebody answered.
    #[must_use]
    pub fn answer_of(&self, person: &str) -> Option<&ResponderAnswer> {
        self.answers.iter().find(|answer| answer.person == person)
    }

    /// Whom it asks by name and who has not answered.
    pub fn unanswered(&self) -> impl Iterator<Item = &String> {
        self.people.iter().filter(|person| self.answer_of(person).is_none())
    }

    /// Whether an answer is wanted still: of those by name of each, of a policy of anybody.
    #[must_use]
    pub fn is_open(&self) -> bool {
        let by_policy = self.escalation.is_some() && !self.answers.iter().any(|answer| answer.accepted);
        self.cancelled_at.is_none() && (by_policy || self.unanswered().next().is_some())
    }
}
