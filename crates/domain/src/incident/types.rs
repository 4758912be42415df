//! Nouns of an incident.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::work::{Snooze, Work};
use crate::time::Length;

pub use super::state::State;
pub use crate::severity::Severity;

/// The folded state of an incident's log; also its row for lists.
#[derive(Debug, Clone, PartialEq)]
pub struct Incident {
    pub id: crate::ids::IncidentId,
    /// `INC-142`
    pub reference: String,
    pub state: State,
    pub title: String,
    pub severity: Severity,
    pub service: Option<String>,
    /// The escalation policy that its pages run.
    pub escalation: Option<String>,
    /// Alerts with the same key join it while it is open.
    pub group_key: Option<String>,
    /// Why it exists: the route, a person.
    pub because: String,
    pub mode: crate::event::Mode,
    pub commander: Option<String>,
    /// First who acknowledged.
    pub acknowledged_by: Option<String>,
    pub merged_into: Option<crate::ids::IncidentId>,
    /// The page that runs or ran last.
    pub page: Option<crate::ids::PageId>,
    /// Alerts told of in the log so far.
    pub alerts_told: u64,
    /// Recoveries of alerts told of in the log so far.
    pub recoveries_told: u64,
    /// Whether all its alerts have recovered.
    pub recovered: bool,
    pub reopened: u32,
    pub impact_started_at: Option<Timestamp>,
    pub detected_at: Option<Timestamp>,
    pub declared_at: Option<Timestamp>,
    pub acknowledged_at: Option<Timestamp>,
    pub mitigated_at: Option<Timestamp>,
    pub resolved_at: Option<Timestamp>,
    pub closed_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// Roles, tasks and updates.
    pub work: Work,
    /// What silences hold, and what comes back.
    pub alarms: Alarms,
    /// Whether only administrators, managers of its team and those admitted see it.
    pub private: bool,
    /// Who was admitted; it only grows.
    pub admitted: std::collections::BTreeSet<String>,
}

/// The folded part of an incident that its alerts make.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Alarms {
    /// While silences hold every open alert: when the first of them ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_until: Option<Timestamp>,
    /// Which silences those are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub held_by: Vec<String>,
    /// How often an alert of it came back.
    #[serde(skip_serializing_if = "is_zero")]
    pub returns: u32,
    /// Whether it ended by itself, so that an alert that comes back opens it again.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub by_itself: bool,
    /// While an alert of it flaps: how long it has to be quiet to count as steady.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flapping: Option<Length>,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde's way
const fn is_zero(n: &u32) -> bool {
    *n == 0
}

impl Alarms {
    /// Whether nobody is paged, since silences hold every open alert.
    #[must_use]
    pub const fn is_held(&self) -> bool {
        self.held_until.is_some()
    }
}

/// Why an incident was declared that a person declared. Logs hold it: it never changes.
pub const BY_A_PERSON: &str = "declared by a person";
/// The same of what somebody reported who does not declare.
pub const REPORTED: &str = "reported by a person";

impl Incident {
    /// Whether it stands on what somebody said, or has come to, and not on its alerts: no silence of these holds it, and their
    /// recovery ends nothing.
    #[must_use]
    pub fn is_a_persons_word(&self) -> bool {
        self.because == BY_A_PERSON || self.because == REPORTED || !self.work.said.is_empty()
    }
    /// What decides who may see it.
    #[must_use]
    pub fn facts(&self) -> crate::access::Facts<'_> {
        crate::access::Facts { id: self.id, private: self.private, service: self.service.as_deref(), admitted: &self.admitted }
    }

    /// Whether somebody has it: acknowledged it or commands it, and was not lost since.
    #[must_use]
    pub fn is_held(&self) -> bool {
        let works = matches!(self.state, State::Declared | State::Investigating | State::Mitigated);
        works && !self.work.hold.lost && (self.acknowledged_at.is_some() || self.commander.is_some())
    }

    /// Who asked to be reminded and when, while nobody is asked before; also when that time has come, until they are told.
    #[must_use]
    pub fn snoozed(&self) -> Option<&Snooze> {
        self.work.hold.snoozed.as_ref().filter(|snooze| snooze.void_at.is_none() && self.is_held())
    }

    /// Whom to ask about it: the commander, else who acknowledged it first and was not moved elsewhere since.
    #[must_use]
    pub fn holder(&self) -> Option<&str> {
        let first = self.acknowledged_by.as_deref().filter(|by| !self.work.away.contains(*by));
        self.commander.as_deref().or(first)
    }

    /// Everybody who may be on it: its holder, and who acknowledged or confirmed last.
    #[must_use]
    pub fn holders(&self) -> Vec<String> {
        let mut out: Vec<String> = self.holder().map(ToOwned::to_owned).into_iter().collect();
        out.extend(self.work.hold.by.iter().filter(|by| Some(by.as_str()) != self.holder()).cloned());
        out
    }
}
