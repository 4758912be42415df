//! What people read of other organisations in an incident.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::incident::Incident;
use crate::incident::partners::{Party, Request, RequestState};

/// An organisation in an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Party))]
pub struct PartyView {
    /// Its id.
    pub organisation: String,
    pub joined_at: Timestamp,
    /// When it left; null while it takes part.
    pub left_at: Option<Timestamp>,
    /// What it calls this incident.
    pub reference: Option<String>,
    /// Who of ours speaks with it: a person's id.
    pub liaison: Option<String>,
}

impl PartyView {
    pub(super) fn of((organisation, party): (&String, &Party)) -> Self {
        Self {
            organisation: organisation.clone(),
            joined_at: party.joined_at,
            left_at: party.left_at,
            reference: party.reference.clone(),
            liaison: party.liaison.clone(),
        }
    }
}

/// Something that an organisation was asked for. Instants are null where unknown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Request))]
pub struct RequestView {
    /// From 1, within its incident.
    pub request: u32,
    /// The organisation's id.
    pub organisation: String,
    pub text: String,
    #[cfg_attr(feature = "schema", schema(inline))]
    pub state: RequestState,
    pub asked_at: Timestamp,
    /// Until when an answer is wanted.
    pub due_at: Option<Timestamp>,
    pub acknowledged_at: Option<Timestamp>,
    pub answered_at: Option<Timestamp>,
    pub declined_at: Option<Timestamp>,
    pub withdrawn_at: Option<Timestamp>,
    /// What was heard last.
    pub answer: Option<String>,
    /// What the organisation calls it.
    pub reference: Option<String>,
    /// Whether its time passed without an answer.
    pub late: bool,
}

impl RequestView {
    pub(super) fn of(request: &Request) -> Self {
        let ended = |state: RequestState| request.ended_at.filter(|_| request.state == state);
        Self {
            request: request.request,
            organisation: request.organisation.clone(),
            text: request.text.clone(),
            state: request.state,
            asked_at: request.asked_at,
            due_at: request.due_at,
            acknowledged_at: request.acknowledged_at,
            answered_at: ended(RequestState::Answered),
            declined_at: ended(RequestState::Declined),
            withdrawn_at: ended(RequestState::Withdrawn),
            answer: request.answer.clone(),
            reference: request.reference.clone(),
            late: request.late,
        }
    }
}

/// Those that take part, and took part.
pub(super) fn parties(incident: &Incident) -> Vec<PartyView> {
    incident.work.partners.parties.iter().map(PartyView::of).collect()
}

/// What they were asked for, in that order.
pub(super) fn requests(incident: &Incident) -> Vec<RequestView> {
    incident.work.partners.requests.iter().map(RequestView::of).collect()
}
