//! A field of what is asked: what it is called, and what may stand in it. Whether what was given does is judged in
//! `check.rs`.

use crate::tlp::Tlp;

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
    /// A service's id.
    Service,
    /// An escalation policy's id.
    Escalation,
    /// A reference, or an id.
    Incident,
    /// An alert's id.
    Alert,
    /// Another organisation's id.
    Organisation,
    /// Ids of audiences.
    Audiences,
    /// Targets as in a step: `person:ID`, `team:ID`, `schedule:ID`.
    Targets,
    /// A task's number.
    Task,
    /// The number of another thing of the incident, as in `a decision`.
    Number {
        of: &'static str,
    },
    /// A plan's id.
    Plan,
    /// The number of an entry of the log.
    Entry,
    /// A point in time.
    Time,
    /// A length of time, from now.
    Length,
    /// Yes or no.
    Flag,
}

/// Why; most of what is asked has one.
pub const REASON: Field = Field::needed("why", "the reason", "Why?", Kind::Reason).hint("The reason");

/// How far what is written may go, of what has a marking of its own.
pub const MARKING: Field =
    Field::may("marking", "how far it may go", "How far it may go", Kind::Choice { name: "Marking", of: &Tlp::WORDS })
        .hint("TLP 2.0; the incident's own unless said");

/// The same of what more than those who are named read.
pub const MARKING_NOT_RED: Field = Field::may(
    "marking",
    "how far it may go",
    "How far it may go",
    Kind::Choice { name: "MarkingNotRed", of: &["clear", "green", "amber", "amber+strict"] },
);

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

    /// The same where it cannot be left out.
    #[must_use]
    pub const fn always(self) -> Self {
        Self { needed: true, ..self }
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
}

impl Kind {
    /// What stands for its value in the help of the command line; empty where the name of the field does.
    const fn value(self) -> &'static str {
        match self {
            Self::Person | Self::Service | Self::Escalation | Self::Plan | Self::Organisation => "ID",
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
            | Self::Number { .. }
            | Self::Entry
            | Self::Flag => "",
        }
    }

    /// Whether it is wrong or right whatever the server knows: a number, a time, a length. Words and names are the
    /// server's to judge.
    #[must_use]
    pub const fn is_measured(self) -> bool {
        matches!(self, Self::Task | Self::Number { .. } | Self::Entry | Self::Time | Self::Length)
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
            Self::Service => "shop",
            Self::Escalation => "payments",
            Self::Incident => "INC-2",
            Self::Alert => "alt_00000000000000000000000001",
            Self::Audiences => "customers",
            Self::Targets => "person:ana",
            Self::Organisation => "cert",
            Self::Task | Self::Number { .. } => "1",
            Self::Plan => "outage",
            Self::Entry => "12",
            Self::Time => "2026-03-01T09:00:00Z",
            Self::Length => "30m",
            Self::Flag => "true",
        }
    }
}
