//! What people write about an incident: reasons, notes, titles, and their limits.

use crate::clean::says_something;
use serde::{Deserialize, Serialize};

/// Longest title, in characters; longer ones are cut when they arrive.
pub const TITLE_CHARS_MAX: usize = 1024;
/// Longest note, in characters.
pub const NOTE_CHARS_MAX: usize = 25_000;
/// Longest text that stays with what an incident is, in characters: all of that is read and written with each command. What is
/// longer is a note, which stands in the log alone.
pub const KEPT_CHARS_MAX: usize = 1_000;

/// A reason in words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Why {
    pub why: String,
}

/// Why words are not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("{what} is missing: say it in words")]
    Missing { what: &'static str },
    #[error("{what} is longer than {max} characters")]
    TooLong { what: &'static str, max: usize },
}

impl Refusal {
    /// The stable code of the API.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "words_missing",
            Self::TooLong { .. } => "too_long",
        }
    }
}

/// Something has to be said.
pub(crate) fn needed(text: &str, what: &'static str) -> Result<(), Refusal> {
    if says_something(text) { Ok(()) } else { Err(Refusal::Missing { what }) }
}

/// It must not be longer than this.
pub(crate) fn at_most(text: &str, what: &'static str, max: usize) -> Result<(), Refusal> {
    if text.chars().count() > max { Err(Refusal::TooLong { what, max }) } else { Ok(()) }
}

/// A note that stays with what the incident is; nothing where it says nothing.
pub(crate) fn kept(text: Option<String>) -> Result<Option<String>, Refusal> {
    let text = text.filter(|text| !text.trim().is_empty());
    if let Some(text) = &text {
        at_most(text, "the note", KEPT_CHARS_MAX)?;
    }
    Ok(text)
}

/// A note, as long as notes may be.
pub(crate) fn note(text: Option<String>) -> Result<Option<String>, Refusal> {
    if let Some(text) = &text {
        at_most(text, "the note", NOTE_CHARS_MAX)?;
    }
    Ok(text)
}
