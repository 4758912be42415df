//! What people read of what is found.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::find::{Piece, Thing};
use crate::incident::{Severity, State};
use crate::tlp::Tlp;

/// A hit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Found))]
pub struct FoundView {
    #[cfg_attr(feature = "schema", schema(inline))]
    pub kind: Thing,
    /// Of an incident its id; of what was written the number of its event; else the id of the thing.
    pub id: String,
    /// What it is of: the title of its incident, of an alert its own, the name of a person or a service.
    pub title: String,
    /// The incident that it is of: `INC-142`.
    #[cfg_attr(feature = "schema", schema(required))]
    pub incident: Option<String>,
    /// How that incident stands.
    #[cfg_attr(feature = "schema", schema(required, inline))]
    pub state: Option<State>,
    #[cfg_attr(feature = "schema", schema(required, inline))]
    pub severity: Option<Severity>,
    #[cfg_attr(feature = "schema", schema(required))]
    pub service: Option<String>,
    /// Whether it is of an exercise.
    pub exercise: bool,
    /// When it was written, or began.
    #[cfg_attr(feature = "schema", schema(required))]
    pub at: Option<Timestamp>,
    /// Who wrote it, as stored: `person:ana`.
    #[cfg_attr(feature = "schema", schema(required))]
    pub by: Option<String>,
    /// How far it may go; absent where nobody said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false, inline))]
    pub marking: Option<Tlp>,
    /// A piece of the text, plain, with the words that were looked for.
    pub snippet: Vec<Piece>,
}

/// Hits, and how much they were looked for in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = FoundPage))]
pub struct FoundPageView {
    pub items: Vec<FoundView>,
    /// Give it as `cursor` for what follows; null at the end.
    #[cfg_attr(feature = "schema", schema(required))]
    pub next: Option<String>,
    /// How much of the log was read for searches, in percent: less than 100 while an index is made anew, and then older things are found
    /// that newer ones are not.
    pub read_percent: u8,
    /// `false` where so many words begin as one of those that were given, that only the most used were looked for.
    pub all_words: bool,
}
