//! The coordination of an incident: who holds which role, what is to be done, who was told when.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::ReviewId;
use crate::time::Length;

/// Roles there are without configuration, in the order in which they are shown (NIMS and the
/// practice of large operators name them so).
pub const ROLES: [&str; 6] = ["commander", "deputy", "scribe", "communications", "liaison", "operations"];
/// The role whose holder decides.
pub const COMMANDER: &str = "commander";
/// Tasks of one incident at most; a longer list is nobody's plan.
pub const TASKS_MAX: usize = 200;
/// Longest text of a task, in characters.
pub const TASK_CHARS_MAX: usize = 500;
/// Longest update, in characters: what a mail program shows without folding it away.
pub const UPDATE_CHARS_MAX: usize = 5_000;
/// After so many updates in a row that did not come, nobody is reminded any more until one comes: the people
/// who could were told three times. Of what is grave (sev1, sev2) each one that is missed pages.
pub const UPDATES_MISSED_MAX: u32 = 3;

/// The folded coordination of an incident.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Work {
    /// By name of the role.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub roles: BTreeMap<String, Role>,
    /// In the order in which they were added; the number is the place, from 1.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<Task>,
    /// How often stakeholders are told, as its severity says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub update_every: Option<Length>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_update_at: Option<Timestamp>,
    /// Updates so far.
    pub updates: u32,
    /// Updates that did not come, in a row.
    pub updates_missed: u32,
    /// Who has it, and since when nothing was heard of them.
    #[serde(skip_serializing_if = "super::hold::Hold::is_default")]
    pub hold: super::hold::Hold,
    /// Its review.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub review: Option<ReviewId>,
}

/// A role: one holder at most.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Role {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Who was asked to take it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offered_to: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offered_at: Option<Timestamp>,
}

/// Where a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskState {
    Open,
    Done,
    Dropped,
}

impl TaskState {
    /// As shown.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Done => "done",
            Self::Dropped => "dropped",
        }
    }
}

/// A task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// From 1.
    pub task: u32,
    pub text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    pub state: TaskState,
    pub added_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// Whether its time passed while it was open.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub late: bool,
}

impl Work {
    /// Who holds a role.
    #[must_use]
    pub fn holder(&self, role: &str) -> Option<&str> {
        self.roles.get(role)?.person.as_deref()
    }
    /// A task by its number.
    #[must_use]
    pub fn task(&self, number: u32) -> Option<&Task> {
        self.tasks.iter().find(|task| task.task == number)
    }
    pub(super) fn task_mut(&mut self, number: u32) -> Option<&mut Task> {
        self.tasks.iter_mut().find(|task| task.task == number)
    }
    /// Tasks that are not done.
    #[must_use]
    pub fn open_tasks(&self) -> usize {
        self.tasks.iter().filter(|task| task.state == TaskState::Open).count()
    }
    /// Gives a role to somebody.
    pub(super) fn give(&mut self, role: &str, person: &str, at: Timestamp) {
        let held = self.roles.entry(role.to_owned()).or_default();
        *held = Role { person: Some(person.to_owned()), since: Some(at), ..Role::default() };
    }
}
