//! What people read of requests for cover.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::org::cover::{CoverRequest, State, Stretch};
use crate::org::snapshot::Org;

/// Somebody asks for cover of a shift, and how that stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = CoverRequest))]
pub struct CoverView {
    pub id: String,
    /// Whose shift it is.
    pub asker: String,
    pub asker_name: Option<String>,
    pub shift: Stretch,
    /// Who is asked alone; null where everybody of the schedule's team is.
    pub asked: Option<String>,
    /// Who may still answer.
    pub waits_for: Vec<String>,
    /// What the asker takes in return.
    pub in_return: Option<Stretch>,
    pub words: Option<String>,
    pub state: State,
    /// Why it was withdrawn, where it could not be kept any more.
    pub because: Option<String>,
    /// Without an answer by then it has none.
    pub answer_by: Timestamp,
    /// Whether that time is over and nobody answered.
    pub unanswered: bool,
    /// Who accepted, declined alone, or took it back.
    pub ended_by: Option<String>,
    pub made_at: Timestamp,
    pub ended_at: Option<Timestamp>,
}

impl CoverView {
    /// As it stands at an instant.
    #[must_use]
    pub fn of(request: &CoverRequest, org: &Org, now: Timestamp) -> Self {
        let state = request.stands(org, now);
        Self {
            id: request.id.to_string(),
            asker: request.asker.clone(),
            asker_name: org.person(&request.asker).map(|form| form.name.clone()),
            shift: request.shift.clone(),
            asked: request.asked.clone(),
            waits_for: if state == State::Open { request.whom(org) } else { Vec::new() },
            in_return: request.in_return.clone(),
            words: request.words.clone(),
            state,
            because: request.lapsed(org, now).map(|why| why.to_string()),
            answer_by: request.answer_by,
            unanswered: request.is_unanswered(org, now),
            ended_by: request.ended_by.clone(),
            made_at: request.made_at,
            ended_at: request.ended_at,
        }
    }
}
