//! What a kind of form says of itself: what it is called, what it is for, and its fields. The settings' pages are made from
//! it, what was typed is read by it, and what it calls a secret is sealed and masked.

use super::FormKind;

/// A kind of form, as it describes itself.
#[derive(Debug, Clone, Copy)]
pub struct About {
    /// As stored and shown.
    pub word: &'static str,
    /// Its name, many of it.
    pub plural: &'static str,
    /// Its name, one of it, within a sentence.
    pub one: &'static str,
    /// What forms of it are for: one or two sentences, for the page that has none yet.
    pub purpose: &'static str,
    /// How the id of a new one is found.
    pub id: IdOf,
    /// Its fields without the id, in the order in which they are asked for.
    pub fields: &'static [Field],
}

/// How the id of a new form is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdOf {
    /// It is typed.
    Typed,
    /// It is one of the severities.
    Severity,
    /// It is made.
    Made,
    /// There is one form of the kind.
    Only,
}

/// One field.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// The key of the organisation file.
    pub key: &'static str,
    /// For people.
    pub label: &'static str,
    /// One sentence; empty where the label says all.
    pub hint: &'static str,
    /// How it is asked for.
    pub input: Input,
    /// Whether the browser asks for it.
    pub needed: bool,
}

/// How a field is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// One line.
    Line,
    /// Several lines.
    Text,
    /// A whole number.
    Number,
    /// `5m`.
    Length,
    /// An IANA name.
    Zone,
    /// An instant, in the reader's zone.
    Instant,
    /// A secret: what is stored is sealed, and never shown.
    Secret,
    /// Yes or no; `true` where yes is what is meant when nothing is said.
    Check,
    /// A word of these; nothing where it may be left open.
    Word(&'static [(&'static str, &'static str)]),
    /// A format of integrations that is spoken here.
    Format,
    /// A form of this kind.
    One(FormKind),
    /// Forms of this kind.
    Many(FormKind),
    /// Words, one a line; with an example.
    Lines(&'static str),
    /// A part as YAML; with an example.
    Yaml(&'static str),
    /// Contacts as YAML; what the channels say of themselves is the example, and which of their fields are secrets.
    Contacts,
    /// Everything else of the form as YAML.
    Rest,
}

/// A field that may be left open.
pub(super) const fn row(key: &'static str, label: &'static str, hint: &'static str, input: Input) -> Field {
    Field { key, label, hint, input, needed: false }
}

/// A field that the browser asks for.
pub(super) const fn needed(key: &'static str, label: &'static str, hint: &'static str, input: Input) -> Field {
    Field { key, label, hint, input, needed: true }
}

/// A name where the id would do.
pub(super) const NAME: Field = row("name", "Name", "What people call it; its id where empty.", Input::Line);
/// A name that is needed.
pub(super) const CALLED: Field = needed("name", "Name", "What people call it.", Input::Line);
/// The team that has it.
pub(super) const TEAM: Field = row("team", "Team", "Who answers for it; its managers may change more.", Input::One(FormKind::Team));
