//! A field of what is asked: what it is called, and what may stand in it. Whether what was given does is judged in
//! `check.rs`.

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
    pub arg: Arg,
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

/// How the command line takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arg {
    /// By its place, after the incident.
    Place,
    /// As an option, with what is written for its value.
    Option { name: &'static str, value: &'static str },
    /// Not at all.
    Not,
}

/// Why; most of what is asked has one.
pub const REASON: Field = Field::needed("why", "the reason", "Why?", Kind::Reason).hint("The reason");

impl Field {
    /// One that cannot be left out.
    #[must_use]
    pub const fn needed(name: &'static str, what: &'static str, label: &'static str, kind: Kind) -> Self {
        Self { name, what, label, kind, needed: true, hint: "", arg: Arg::Option { name, value: kind.value() } }
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

    /// The same, which the command line takes by its place.
    #[must_use]
    pub const fn in_place(self) -> Self {
        Self { arg: Arg::Place, ..self }
    }

    /// The same, which the command line takes as this option.
    #[must_use]
    pub const fn option(self, name: &'static str, value: &'static str) -> Self {
        Self { arg: Arg::Option { name, value }, ..self }
    }

    /// The same, which the command line has not.
    #[must_use]
    pub const fn not_as_argument(self) -> Self {
        Self { arg: Arg::Not, ..self }
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
            Self::Words { .. }
            | Self::Line { .. }
            | Self::Reason
            | Self::Severity
            | Self::Instant
            | Self::Choice { .. }
            | Self::Role
            | Self::Alert
            | Self::Task
            | Self::Time
            | Self::Flag => "",
        }
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
