//! A field of what is asked: what it is called, what may stand in it, and what is said where that is wrong.

use jiff::Timestamp;

use super::given::{Given, Refusal};
use crate::ids::AlertId;
use crate::incident::{Instant, NOTE_CHARS_MAX, Severity, words};
use crate::time::Length;

/// Characters of what was given that a refusal shows.
const SHOWN_CHARS_MAX: usize = 40;

/// One field.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// In the API, and of the form's input.
    pub name: &'static str,
    /// What it is, in a sentence.
    pub what: &'static str,
    /// Above it, in a form.
    pub label: &'static str,
    pub kind: Kind,
    pub needed: bool,
    /// What to write, and what happens without; without a full stop.
    pub hint: &'static str,
    /// What the command line's option is called, where it has not the field's name.
    option: Option<&'static str>,
    /// What stands for its value in the help of the command line; empty where the field's name does.
    value: &'static str,
}

/// What may stand in a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Words on several lines, where they say something.
    Words {
        max: usize,
    },
    /// Words on one line.
    Line {
        max: usize,
    },
    /// Words that say something wherever they are given.
    Reason,
    Severity,
    /// Which time of an incident.
    Instant,
    /// One of these words; the name of the choice in the API's description.
    Choice {
        name: &'static str,
        of: &'static [&'static str],
    },
    /// A person's id.
    Person,
    /// A role's name.
    Role,
    /// An escalation policy's id.
    Escalation,
    /// A reference, or an id.
    Incident,
    /// An alert's id.
    Alert,
    /// Ids of audiences.
    Audiences,
    /// Targets as in a step: `person:ID`, `team:ID`, `schedule:ID`.
    Targets,
    /// A task's number.
    Task,
    /// A point in time.
    Time,
    /// A length of time, from now.
    Length,
    /// Yes or no.
    Flag,
}

/// Why; most of what is asked has one.
pub const REASON: Field = Field::needed("why", "the reason", "Why?", Kind::Reason).hint("The reason");

impl Field {
    /// One that cannot be left out.
    #[must_use]
    pub const fn needed(name: &'static str, what: &'static str, label: &'static str, kind: Kind) -> Self {
        Self { name, what, label, kind, needed: true, hint: "", option: None, value: kind.value() }
    }

    /// One that may be left out.
    #[must_use]
    pub const fn may(name: &'static str, what: &'static str, label: &'static str, kind: Kind) -> Self {
        Self { needed: false, ..Self::needed(name, what, label, kind) }
    }

    /// The same with what to write.
    #[must_use]
    pub const fn hint(self, hint: &'static str) -> Self {
        Self { hint, ..self }
    }

    /// The same with another label.
    #[must_use]
    pub const fn label(self, label: &'static str) -> Self {
        Self { label, ..self }
    }

    /// The same where it may be left out.
    #[must_use]
    pub const fn or_not(self) -> Self {
        Self { needed: false, ..self }
    }

    /// The same, whose option of the command line has another name, and this in the place of its value.
    #[must_use]
    pub const fn option(self, name: &'static str, value: &'static str) -> Self {
        Self { option: Some(name), value, ..self }
    }

    /// The name of its option on the command line, without the dashes.
    #[must_use]
    pub fn option_name(&self) -> String {
        self.option.unwrap_or(self.name).replace('_', "-")
    }

    /// What stands for its value in the help of the command line.
    #[must_use]
    pub fn value_name(&self) -> String {
        if self.value.is_empty() { self.name.to_uppercase() } else { self.value.to_owned() }
    }

    /// What to write, for somebody who asks for help: without a hint, what it is.
    #[must_use]
    pub fn help(&self) -> String {
        if !self.hint.is_empty() {
            return self.hint.to_owned();
        }
        let mut letters = self.what.chars();
        letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
    }

    /// Whether what a person wrote for it does, looked at alone.
    ///
    /// # Errors
    /// Why it does not.
    pub fn reads(&self, text: &str) -> Result<(), Refusal> {
        let mut given = Given::default();
        given.put_text(self, text);
        self.check(&given)
    }

    /// Whether what is given in it does.
    pub(super) fn check(&self, given: &Given) -> Result<(), Refusal> {
        if !given.has(self.name) {
            return match (self.needed, self.kind) {
                (false, Kind::Audiences) if given.is_null(self.name) => Err(self.wrong("it is a list; leave it out, or give `[]`")),
                (false, _) => Ok(()),
                (true, _) => Err(Refusal::Missing { field: self.name, what: self.what, hint: self.hint }),
            };
        }
        match self.kind {
            Kind::Words { max } | Kind::Line { max } => {
                let text = self.text(given)?;
                if self.needed {
                    words::needed(text, self.what)?;
                }
                Ok(words::at_most(text, self.what, max)?)
            }
            Kind::Reason => {
                let text = self.text(given)?;
                words::needed(text, self.what)?;
                Ok(words::at_most(text, self.what, NOTE_CHARS_MAX)?)
            }
            Kind::Severity => {
                let text = self.text(given)?;
                // As it is written everywhere; other letters are not.
                Severity::ALL
                    .iter()
                    .any(|severity| severity.word() == text)
                    .then_some(())
                    .ok_or_else(|| self.wrong(&format!("{} is not a severity; one of sev1, sev2, sev3, sev4, sev5 is", shown(text))))
            }
            Kind::Instant => self.one_of(given, &Instant::ALL.map(Instant::word)),
            Kind::Choice { of, .. } => self.one_of(given, of),
            Kind::Person | Kind::Role | Kind::Escalation | Kind::Incident => self.text(given).map(|_| ()),
            Kind::Alert => {
                let text = self.text(given)?;
                text.parse::<AlertId>().map(|_| ()).map_err(|_| Refusal::NoSuchAlert)
            }
            Kind::Audiences | Kind::Targets => match given.list(self.name) {
                Some(_) => Ok(()),
                None => Err(self.wrong("it is a list of texts")),
            },
            Kind::Task => match given.number(self.name) {
                Some(_) => Ok(()),
                None => Err(self.wrong("a task is named by its number, from 1")),
            },
            Kind::Time => {
                let text = self.text(given)?;
                let read = text.parse::<Timestamp>();
                read.map(|_| ()).map_err(|_| self.wrong(&format!("{} is no time; it looks like 2026-03-01T09:00:00Z", shown(text))))
            }
            Kind::Length => {
                let text = self.text(given)?;
                text.parse::<Length>().map(|_| ()).map_err(|why| self.wrong(&why.to_string()))
            }
            Kind::Flag => match given.flag(self.name) {
                Some(_) => Ok(()),
                None => Err(self.wrong("it is `true` or `false`")),
            },
        }
    }

    fn text<'a>(&self, given: &'a Given) -> Result<&'a str, Refusal> {
        given.as_text(self.name).ok_or_else(|| self.wrong("it is a text"))
    }

    fn one_of(&self, given: &Given, words: &[&str]) -> Result<(), Refusal> {
        let text = self.text(given)?;
        if words.contains(&text) {
            return Ok(());
        }
        Err(self.wrong(&format!("{} is none of {}", shown(text), words.join(", "))))
    }

    fn wrong(&self, why: &str) -> Refusal {
        Refusal::Wrong { field: self.name.to_owned(), why: why.to_owned() }
    }
}

impl Kind {
    /// What stands for its value in the help of the command line; empty where the name of the field does.
    const fn value(self) -> &'static str {
        match self {
            Self::Person | Self::Escalation => "ID",
            Self::Incident => "REF",
            Self::Targets => "TARGET",
            Self::Audiences => "AUDIENCE",
            Self::Length => "LENGTH",
            Self::Time => "INSTANT",
            Self::Words { .. }
            | Self::Line { .. }
            | Self::Reason
            | Self::Severity
            | Self::Instant
            | Self::Choice { .. }
            | Self::Role
            | Self::Alert
            | Self::Task
            | Self::Flag => "",
        }
    }

    /// The words that may stand in it, where there are only some.
    #[must_use]
    pub fn choices(self) -> Option<Vec<&'static str>> {
        match self {
            Self::Severity => Some(Severity::ALL.map(Severity::word).to_vec()),
            Self::Instant => Some(Instant::ALL.map(Instant::word).to_vec()),
            Self::Choice { of, .. } => Some(of.to_vec()),
            Self::Flag => Some(vec!["true", "false"]),
            Self::Words { .. }
            | Self::Line { .. }
            | Self::Reason
            | Self::Person
            | Self::Role
            | Self::Escalation
            | Self::Incident
            | Self::Alert
            | Self::Audiences
            | Self::Targets
            | Self::Task
            | Self::Time
            | Self::Length => None,
        }
    }

    /// Whether it is wrong or right whatever the server knows: a number, a time, a length. Words and names are the
    /// server's to judge.
    #[must_use]
    pub const fn is_measured(self) -> bool {
        matches!(self, Self::Task | Self::Time | Self::Length)
    }

    /// Whether it is a list, which several may be given for.
    #[must_use]
    pub const fn is_list(self) -> bool {
        matches!(self, Self::Audiences | Self::Targets)
    }

    /// Whether it is a text that may be long.
    #[must_use]
    pub const fn is_long(self) -> bool {
        matches!(self, Self::Words { .. })
    }

    /// Something that may stand in it, as a person would write it: for descriptions, and for trying every row.
    #[must_use]
    pub const fn example(self) -> &'static str {
        match self {
            Self::Words { .. } | Self::Line { .. } => "the graph fell at ten",
            Self::Reason => "all customers are affected",
            Self::Severity => "sev2",
            Self::Instant => "detected",
            Self::Choice { of, .. } => of[0],
            Self::Person => "ana",
            Self::Role => "scribe",
            Self::Escalation => "payments",
            Self::Incident => "INC-2",
            Self::Alert => "alt_00000000000000000000000001",
            Self::Audiences => "customers",
            Self::Targets => "person:ana",
            Self::Task => "1",
            Self::Time => "2026-03-01T09:00:00Z",
            Self::Length => "30m",
            Self::Flag => "true",
        }
    }
}

fn shown(text: &str) -> String {
    format!("`{}`", text.chars().take(SHOWN_CHARS_MAX).collect::<String>())
}
