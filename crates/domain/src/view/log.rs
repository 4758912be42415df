//! What people read of a log, and of what is awaited.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::expect::Standing;
use crate::tlp::Tlp;

/// One event of a log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Event))]
pub struct EventView {
    pub seq: i64,
    pub stream: String,
    pub version: u64,
    pub incident: Option<String>,
    pub kind: String,
    pub at: Timestamp,
    pub recorded_at: Timestamp,
    pub actor: String,
    pub cause: String,
    /// Null after a redaction.
    #[cfg_attr(feature = "schema", schema(required))]
    pub body: Option<serde_json::Value>,
    /// One line for people.
    pub line: String,
    /// How far it may go, by TLP 2.0; absent where nobody said: it stays in the house.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false, inline))]
    pub marking: Option<Tlp>,
}

/// "Next, and when."
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Expectation))]
pub struct ExpectationView {
    pub owner: String,
    pub key: String,
    pub rule: String,
    #[cfg_attr(feature = "schema", schema(inline))]
    pub state: Standing,
    /// What must appear.
    pub expects: String,
    /// What follows if it does not.
    #[serde(rename = "else")]
    pub or_else: String,
    pub opened_at: Option<Timestamp>,
    pub due_at: Timestamp,
    pub settled_at: Option<Timestamp>,
    pub why: Option<String>,
}
