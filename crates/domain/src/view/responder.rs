//! What people read of a request for further responders.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::incident::responder::ResponderRequest;

/// A request for further responders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = ResponderRequest))]
pub struct ResponderRequestView {
    /// From 1, within its incident.
    pub request: u32,
    /// Whom it asks: targets as in a step.
    pub targets: Vec<String>,
    /// The policy that it asks by instead.
    pub escalation: Option<String>,
    /// Whom the targets named.
    pub people: Vec<String>,
    /// Who asks.
    pub by: Option<String>,
    pub why: String,
    pub asked_at: Timestamp,
    /// By when an answer is wanted.
    pub due_at: Timestamp,
    /// The page that looks for them.
    pub page: String,
    pub answers: Vec<ResponderAnswerView>,
    pub cancelled_at: Option<Timestamp>,
    /// Whether the time passed without all answers.
    pub late: bool,
    /// Whether an answer is wanted still.
    pub open: bool,
}

/// What one of them answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = ResponderAnswer))]
pub struct ResponderAnswerView {
    pub person: String,
    pub accepted: bool,
    pub why: Option<String>,
    pub at: Timestamp,
}

impl ResponderRequestView {
    pub(super) fn of(request: &ResponderRequest) -> Self {
        let answer = |answer: &crate::incident::responder::ResponderAnswer| ResponderAnswerView {
            person: answer.person.clone(),
            accepted: answer.accepted,
            why: answer.why.clone(),
            at: answer.at,
        };
        Self {
            request: request.request,
            targets: request.targets.clone(),
            escalation: request.escalation.clone(),
            people: request.people.clone(),
            by: request.by.clone(),
            why: request.why.clone(),
            asked_at: request.asked_at,
            due_at: request.due_at,
            page: request.page.to_string(),
            answers: request.answers.iter().map(answer).collect(),
            cancelled_at: request.cancelled_at,
            late: request.late,
            open: request.is_open(),
        }
    }

    /// What somebody answered.
    #[must_use]
    pub fn answer_of(&self, person: &str) -> Option<&ResponderAnswerView> {
        self.answers.iter().find(|answer| answer.person == person)
    }
}
