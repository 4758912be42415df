//! Who has an incident, and whether they still do: an acknowledgement that nobody is heard of after ages.
//!
//! Kept in the row, so that a renewal costs nothing beside the act itself: the look of
//! `incident.attended` judges from here, and arms again.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::types::{Incident, Severity, State};

/// What is known of whoever has it. All of it is forgotten when the incident is over.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Hold {
    /// Who acknowledged it, confirmed that they are on it, or took command last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// How bad it was then: what gets worse than this was acknowledged by nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// When a person last did anything about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acted_at: Option<Timestamp>,
    /// When its holder was asked whether they are still on it; nobody has done anything since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked_at: Option<Timestamp>,
    /// Somebody had it, and nobody is known to any more.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub lost: bool,
    /// It was declared without a page.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unpaged: bool,
}

impl Hold {
    /// Whether nothing is known.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Somebody has it as it is now.
    pub(super) fn take(&mut self, by: Option<&String>, severity: Severity, at: Timestamp) {
        if by.is_some() {
            self.by = by.cloned();
        }
        self.severity = Some(severity);
        self.lost = false;
        self.acts(at);
    }

    /// A person did something about it.
    pub(super) fn acts(&mut self, at: Timestamp) {
        self.acted_at = Some(at);
        self.asked_at = None;
    }
}

impl Incident {
    /// Whether somebody has it: acknowledged it or commands it, and was not lost since.
    #[must_use]
    pub fn is_held(&self) -> bool {
        let works = matches!(self.state, State::Declared | State::Investigating | State::Mitigated);
        works && !self.work.hold.lost && (self.acknowledged_at.is_some() || self.commander.is_some())
    }

    /// Whom to ask about it: the commander, else who acknowledged it first.
    #[must_use]
    pub fn holder(&self) -> Option<&str> {
        self.commander.as_deref().or(self.acknowledged_by.as_deref())
    }

    /// Everybody who may be on it: its holder, and who acknowledged or confirmed last.
    #[must_use]
    pub fn holders(&self) -> Vec<String> {
        let mut out: Vec<String> = self.holder().map(ToOwned::to_owned).into_iter().collect();
        out.extend(self.work.hold.by.iter().filter(|by| Some(by.as_str()) != self.holder()).cloned());
        out
    }
}
