//! The coordination of an incident: who holds which role, what is to be done, who was told when.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::awaited::Awaited;
use super::part::attendance::Hold;
use super::part::roles::{self, Role};
use super::part::tasks::{self, Task, TaskState};
use super::part::updates;
use super::types::Incident;
use crate::ids::ReviewId;
use crate::time::Length;

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
    #[serde(skip_serializing_if = "Hold::is_default")]
    pub hold: Hold,
    /// Its review.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub review: Option<ReviewId>,
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

/// What was still to be done, or to be answered, when an incident ended is awaited again; what was due meanwhile is late
/// at once.
pub(super) fn awaited_again(incident: &Incident, update: Option<Length>, awaited: &mut Awaited) {
    updates::await_next(update, awaited);
    tasks::await_again(incident, awaited);
    roles::await_again(incident, awaited);
}
