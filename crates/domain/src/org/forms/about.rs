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
    /// What is usually made after one of it: the kind, and the query that fills in what is known, with `{id}` for its id.
    pub then: &'static [(FormKind, &'static str)],
    /// Its fields without the id, in the order in which they are asked for.
    pub fields: &'static [Field],
}

/// How the id of a new form is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdOf {
    /// It is typed.
    Typed,
    /// It is one of these, under this label: as written, and as shown.
    OneOf(&'static str, &'static [(&'static str, &'static str)]),
    /// It is a channel, as contacts name it.
    Channel,
    /// It is made.
    Made,
    /// There is one form of the kind.
    Only,
}

/// One field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

impl Field {
    /// The keys of the secrets of a part.
    pub fn secrets_within(&self) -> impl Iterator<Item = &'static str> {
        let fields = if let Input::Part(fields, _) = self.input { fields } else { &[] };
        fields.iter().filter(|field| field.input == Input::Secret).map(|field| field.key)
    }
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
    /// Some of these words, each to be ticked.
    Ticks(&'static [(&'static str, &'static str)]),
    /// Names, with commas between them.
    Names,
    /// A civil date.
    Date,
    /// How long a turn of a rotation is: `1w`.
    Turn,
    /// Whom to page: a schedule, a person or a team, as `schedule:ID`.
    Target,
    /// The id of one of the contacts of the same form.
    Contact,
    /// A channel that there is here.
    Channel,
    /// Several of one input, in order; of a new one so many are offered.
    Several(&'static Self, usize),
    /// A list, a row of fields for each entry.
    Rows(&'static Rows),
    /// An object with fields of its own; with an example of it as YAML.
    Part(&'static [Field], &'static str),
    /// Contacts, a row each; the channels say which fields there are, and which of them are secrets.
    Contacts,
}

/// A list that is asked for in rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rows {
    /// One entry, within a sentence: `step`.
    pub one: &'static str,
    /// The fields of a row.
    pub fields: &'static [Field],
    /// How the entries are written.
    pub layout: Layout,
    /// Rows that are shown at least.
    pub first: usize,
    /// Empty rows behind those that are filled.
    pub spare: usize,
    /// Keys of fields that are unfolded, unless they say something.
    pub more: &'static [&'static str],
    /// What an empty row says already. A row that says no more is none.
    pub fresh: &'static [(&'static str, &'static str)],
    /// As YAML.
    pub example: &'static str,
}

/// How the entries of a list are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// A list of objects.
    Objects,
    /// A list of objects, of which one with nothing but this key may be the bare value.
    OrBare(&'static str),
    /// An object of lists; the field of this key says in which of them an entry stands.
    ByWord(&'static str),
    /// A list of contacts: the address stands under the name of its channel.
    Contacts,
}

/// What an empty row says of a date: the Monday of the last hand-off at 09:00, so that the turn of whoever is first has begun.
pub const THIS_MONDAY: &str = "this monday";

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
