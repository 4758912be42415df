//! What an incident keeps of those outside who reported it, as it is folded.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Incident;
use crate::ids::AlertId;

/// What a group of reports begins with; no route is called so, since no id has a space.
pub const GROUP: &str = "report form|";

/// What is said between reporters and those who deal with it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Reports {
    /// In the order of time.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<Word>,
    /// Reports for whose senders it is fixed.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub agreed: BTreeSet<AlertId>,
    /// How often reporters reopened it.
    #[serde(skip_serializing_if = "is_zero")]
    pub reopened: u32,
    /// Whether an incident that was merged into it was reported from outside.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub reported: bool,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde's way
const fn is_zero(n: &u32) -> bool {
    *n == 0
}

/// What somebody said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Word {
    pub of: WordOf,
    pub text: String,
    pub at: Timestamp,
}

/// Whose word it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WordOf {
    /// Of those who deal with it; every reporter reads it.
    Us,
    /// Of whoever sent this report.
    Report(AlertId),
}

impl Reports {
    /// Whether nothing was said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
    /// What whoever sent a report reads: what they said, and what all are told.
    pub fn read_by(&self, report: AlertId) -> impl Iterator<Item = &Word> {
        self.words.iter().filter(move |word| word.of == WordOf::Us || word.of == WordOf::Report(report))
    }
}

impl Incident {
    /// The form by which it was reported from outside, where a report began it.
    #[must_use]
    pub fn report_form(&self) -> Option<&str> {
        form_of(self.group_key.as_deref())
    }
    /// Whether somebody outside reported it, or what was merged into it.
    #[must_use]
    pub fn is_reported(&self) -> bool {
        self.report_form().is_some() || self.work.reports.reported
    }
}

/// The form whose group this is.
#[must_use]
pub fn form_of(group_key: Option<&str>) -> Option<&str> {
    group_key?.strip_prefix(GROUP)?.split('|').next()
}
