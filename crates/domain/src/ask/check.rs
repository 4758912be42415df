//! Whether what was given for a field does, and what is said where it does not.

use jiff::Timestamp;

use super::field::{Field, Kind};
use super::given::{Given, Refusal};
use crate::ids::AlertId;
use crate::incident::{Instant, NOTE_CHARS_MAX, Severity, words};
use crate::time::Length;

/// Characters of what was given that a refusal shows.
const SHOWN_CHARS_MAX: usize = 40;

impl Kind {
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
            | Self::Service
            | Self::Escalation
            | Self::Incident
            | Self::Alert
            | Self::Organisation
            | Self::Audiences
            | Self::Targets
            | Self::Task
            | Self::Number { .. }
            | Self::Plan
            | Self::Entry
            | Self::Time
            | Self::Length => None,
        }
    }
}

impl Field {
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
            Kind::Person | Kind::Role | Kind::Service | Kind::Escalation | Kind::Plan | Kind::Incident | Kind::Organisation => {
                self.text(given).map(|_| ())
            }
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
            Kind::Number { of } => match given.number(self.name) {
                Some(_) => Ok(()),
                None => Err(self.wrong(&format!("{of} is named by its number, from 1"))),
            },
            Kind::Entry => match given.number(self.name) {
                Some(_) => Ok(()),
                None => Err(self.wrong("an entry of the log is named by its number, `seq`")),
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

fn shown(text: &str) -> String {
    format!("`{}`", text.chars().take(SHOWN_CHARS_MAX).collect::<String>())
}
