//! What was given for the fields of what is asked, whatever door it came through, and why it does not do.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::field::{Field, Kind};
use crate::clean::cleaned;
use crate::incident::words;
use crate::time::whole_micros;

/// Values by the names of their fields; each stands once.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Given(BTreeMap<String, Value>);

/// Why what was given makes no command. What the rules say of one that does is theirs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is not there.
    #[error("{what} is missing: {}", instead(hint, field))]
    Missing { field: &'static str, what: &'static str, hint: &'static str },
    /// It does not read.
    #[error("{why}")]
    Wrong { field: String, why: String },
    /// Each does, and not all of them together.
    #[error("{0}")]
    Together(String),
    /// Words that say nothing, or too many.
    #[error(transparent)]
    Words(#[from] words::Refusal),
    #[error("an alert's id begins with `alt_`")]
    NoSuchAlert,
}

/// What to do about it.
fn instead(hint: &str, field: &str) -> String {
    if hint.is_empty() { format!("give `{field}`") } else { format!("give `{field}` ({})", hint.to_lowercase()) }
}

impl Refusal {
    /// The stable code of the API.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } | Self::Wrong { .. } | Self::Together(_) => "bad_request",
            Self::Words(refusal) => refusal.code(),
            Self::NoSuchAlert => "no_such_alert",
        }
    }

    /// Which field, where the words do not name it.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::Wrong { field, .. } => Some(field),
            Self::Missing { .. } | Self::Together(_) | Self::Words(_) | Self::NoSuchAlert => None,
        }
    }
}

impl Given {
    /// Sets a field; a text without what would turn the words around it or steer a terminal.
    pub fn put(&mut self, name: &str, value: impl Into<Value>) {
        let value = value.into();
        let value = if let Value::String(text) = value { Value::String(cleaned(text)) } else { value };
        self.0.insert(name.to_owned(), value);
    }

    /// Sets a field to what a person wrote for it; where it is a list, adds it. What does not read as its kind stays as it
    /// was written, for the refusal to show.
    pub fn put_text(&mut self, field: &Field, text: &str) {
        let value = match field.kind {
            Kind::Task | Kind::Number { .. } | Kind::Entry => text.parse::<u32>().map_or_else(|_| text.into(), Value::from),
            Kind::Flag => text.parse::<bool>().map_or_else(|_| text.into(), Value::from),
            Kind::Audiences | Kind::Targets => {
                let mut list = self.list(field.name).unwrap_or_default();
                list.push(text.to_owned());
                list.into()
            }
            Kind::Words { .. }
            | Kind::Line { .. }
            | Kind::Reason
            | Kind::Severity
            | Kind::Instant
            | Kind::Choice { .. }
            | Kind::Person
            | Kind::Role
            | Kind::Service
            | Kind::Escalation
            | Kind::Plan
            | Kind::Incident
            | Kind::Alert
            | Kind::Organisation
            | Kind::Time
            | Kind::Length => text.into(),
        };
        self.put(field.name, value);
    }

    /// Whether something is given; `null` is nothing.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|value| !value.is_null())
    }

    /// Takes a field away.
    pub fn leave_out(&mut self, name: &str) {
        self.0.remove(name);
    }

    pub(super) fn is_null(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(Value::is_null)
    }

    pub(super) fn holds_only(&self, fields: &[Field]) -> Result<(), Refusal> {
        let Some(unknown) = self.0.keys().find(|name| !fields.iter().any(|field| field.name == name.as_str())) else { return Ok(()) };
        let known: Vec<String> = fields.iter().map(|field| format!("`{}`", field.name)).collect();
        let there_are = if known.is_empty() { "there is none".to_owned() } else { format!("there are {}", known.join(", ")) };
        let cut: String = unknown.chars().take(64).collect();
        Err(Refusal::Wrong { why: format!("there is no such field; {there_are}"), field: cut })
    }

    /// What is given as a text.
    #[must_use]
    pub fn as_text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    /// The same, owned.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        self.as_text(name).map(ToOwned::to_owned)
    }

    /// The text of a field that is needed: it was found there before a row makes its command.
    #[must_use]
    pub fn must(&self, name: &str) -> String {
        self.text(name).unwrap_or_default()
    }

    /// A text that reads as this; its kind was found to fit before.
    #[must_use]
    pub fn parsed<T: FromStr>(&self, name: &str) -> Option<T> {
        self.as_text(name).and_then(|text| text.parse().ok())
    }

    /// A point in time, as exact as it is stored.
    #[must_use]
    pub fn time(&self, name: &str) -> Option<Timestamp> {
        self.parsed(name).map(whole_micros)
    }

    /// A number.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<u32> {
        self.0.get(name).and_then(Value::as_u64).and_then(|number| number.try_into().ok())
    }

    /// Yes or no.
    #[must_use]
    pub fn flag(&self, name: &str) -> Option<bool> {
        self.0.get(name).and_then(Value::as_bool)
    }

    /// A list of texts.
    #[must_use]
    pub fn list(&self, name: &str) -> Option<Vec<String>> {
        self.0.get(name)?.as_array()?.iter().map(|one| one.as_str().map(ToOwned::to_owned)).collect()
    }
}

impl<'de> Deserialize<'de> for Given {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Given;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of fields")
            }
            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Given, M::Error> {
                let mut given = Given::default();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    // Of two of a name one would be lost in silence.
                    if given.0.contains_key(&name) {
                        return Err(M::Error::custom(format_args!("duplicate field `{}`", name.chars().take(64).collect::<String>())));
                    }
                    given.put(&name, value);
                }
                Ok(given)
            }
        }
        d.deserialize_map(Fields)
    }
}
