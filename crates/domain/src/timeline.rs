//! One line for people per event: a reading of the log, never parsed back. Each stream, and each part of an incident,
//! has the words for its own events; here is what they share, and which stream an event is of.

use serde::Deserialize;

use crate::event::{BadEvent, Kind, Mark};
use crate::{action, incident, paging, review};

pub use crate::names::Names;

/// The log of a form has one kind of event; its body is the organisation's own.
const FORM_CHANGED: &str = "form_changed";

/// The part of it that a line tells.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct FormChanged {
    #[serde(default)]
    version: u64,
}

/// A stored event of whichever stream.
#[derive(Debug, Clone, PartialEq)]
pub enum Logged {
    Incident(incident::Event),
    Page(paging::Event),
    Review(review::Event),
    Action(action::Event),
    Form(FormChanged),
}

impl Logged {
    /// Reads it back; no two streams share the name of a kind.
    ///
    /// # Errors
    /// When the kind is not known, or the body does not fit it.
    pub fn decode(kind: &str, v: u16, body: &str) -> Result<Self, BadEvent> {
        if kind == FORM_CHANGED {
            let why = |why: serde_json::Error| BadEvent::Body { kind: kind.to_owned(), why: why.to_string() };
            return serde_json::from_str(body).map(Self::Form).map_err(why);
        }
        let is_of = |kinds: &[Kind]| kinds.iter().any(|known| known.name == kind);
        if is_of(paging::Event::KINDS) {
            paging::Event::decode(kind, v, body).map(Self::Page)
        } else if is_of(review::Event::KINDS) {
            review::Event::decode(kind, v, body).map(Self::Review)
        } else if is_of(action::Event::KINDS) {
            action::Event::decode(kind, v, body).map(Self::Action)
        } else {
            incident::Event::decode(kind, v, body).map(Self::Incident)
        }
    }

    /// The line.
    #[must_use]
    pub fn line(&self, names: &Names<'_>) -> String {
        match self {
            Self::Incident(event) => incident::line(event, names),
            Self::Page(event) => paging::line(event, names),
            Self::Review(event) => review::line(event, names),
            Self::Action(event) => action::line(event, names),
            Self::Form(body) => format!("{} changed the organisation (version {})", names.who(), body.version),
        }
    }
}

/// The line of a stored event; of one that this program does not know, or that does not read, its kind. The body is
/// absent after a redaction.
#[must_use]
pub fn line(names: &Names<'_>, kind: &str, v: u16, body: Option<&str>) -> String {
    let Some(body) = body else { return "redacted".into() };
    Logged::decode(kind, v, body).map_or_else(|_| kind.replace('_', " "), |event| event.line(names))
}

/// Every kind of every stream that stands on a timeline.
pub fn kinds() -> impl Iterator<Item = &'static Kind> {
    let others = [paging::Event::KINDS, review::Event::KINDS, action::Event::KINDS];
    incident::Event::kinds().chain(others.into_iter().flatten())
}

/// What an event is called that is a note.
pub const NOTED: &str = "noted";

/// Whether it is one that people look for first: by its kind, or since somebody marked the note, of which `key_notes` are
/// the numbers in the incident's own log.
#[must_use]
pub fn is_key(kind: &str, version: u64, key_notes: &[u64]) -> bool {
    is(kind, Mark::Key) || (kind == NOTED && key_notes.contains(&version))
}

/// Whether a kind of event has a mark; one that this program does not know has none.
#[must_use]
pub fn is(kind: &str, mark: Mark) -> bool {
    kinds().any(|known| known.name == kind && known.is(mark))
}
