//! Recovery objectives of an incident's services as they are folded and kept: how long each may be affected, from the impact's
//! start. The part `objectives` makes them so.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use crate::org::forms::service::ObjectiveKind;
use crate::time::Length;

/// Hundredths of its time after which whoever leads is told, before it is over.
pub const WARNED_AT: i64 = 80;

/// An objective of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Objective {
    pub service: String,
    pub kind: ObjectiveKind,
    pub within: Length,
    /// From when it counts: the impact's start.
    pub from: Timestamp,
    pub due_at: Timestamp,
    /// Whether somebody was told that most of it is over.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub warned: bool,
    /// When it was found to be missed. What was missed stays missed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missed_at: Option<Timestamp>,
    /// When it ended: the service recovered, or is no more; or the incident was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
}

impl Objective {
    /// Whether it counts.
    #[must_use]
    pub const fn is_live(&self) -> bool {
        self.ended_at.is_none()
    }

    /// Whether it is this one.
    #[must_use]
    pub fn is(&self, service: &str, kind: ObjectiveKind) -> bool {
        self.service == service && self.kind == kind
    }

    /// When most of it is over.
    #[must_use]
    pub fn warn_at(&self) -> Timestamp {
        let all = self.due_at.as_microsecond().saturating_sub(self.from.as_microsecond());
        crate::time::from_micros(self.from.as_microsecond().saturating_add(all / 100 * WARNED_AT))
    }
}
