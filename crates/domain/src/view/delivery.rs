//! One message from its decision to its end.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::paging::MessageState;

/// One message: to whom, what became of it, and when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Delivery))]
pub struct DeliveryView {
    pub id: String,
    /// `page`, `confirm_recovery`, `still_on_it`, `reminder`, `update`, `request`, `over`, `step`, `readiness` or `code`.
    pub kind: String,
    /// A person's id; an audience, another organisation or a plan by its kind and id.
    pub person: String,
    pub person_name: String,
    pub contact: String,
    pub channel: String,
    /// The incident that it is about; null of a code, and of what is of none.
    #[serde(rename = "ref")]
    pub reference: Option<String>,
    /// What it said: the incident and why, and the words for whoever they were for. Null of a code, and of words for somebody else.
    pub says: Option<String>,
    #[cfg_attr(feature = "schema", schema(inline))]
    pub state: MessageState,
    /// Tries so far.
    pub attempts: u32,
    /// Whether an earlier try may have arrived.
    pub in_doubt: bool,
    pub created_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// When it is tried next.
    pub next_attempt_at: Option<Timestamp>,
    /// Why it has not arrived.
    pub last_error: Option<String>,
    /// The id under which its provider and its reader have it, where it went out with others.
    pub sent_as: Option<String>,
    /// What became of it, in order.
    pub steps: Vec<DeliveryStep>,
}

/// One thing that became of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DeliveryStep {
    pub at: Timestamp,
    /// `decided`, `raised`, `accepted`, `delivered`, `delayed`, `failed`, `in_doubt` or `withdrawn`.
    pub state: String,
    /// In words, with what the provider said.
    pub says: String,
    /// The try that it is of.
    pub attempt: Option<u32>,
}
