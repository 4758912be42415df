//! What people read of how long services may be affected.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::incident::Incident;
use crate::incident::objective::{Objective, ObjectiveKind};
use crate::time::Length;

/// A recovery objective of an affected service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Objective))]
pub struct ObjectiveView {
    /// Its id.
    pub service: String,
    /// `rto`: the recovery time objective; `mtpd`: the maximum tolerable period.
    #[cfg_attr(feature = "schema", schema(inline))]
    pub kind: ObjectiveKind,
    /// How long it may be affected, as in `4h`.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub within: Length,
    /// From when it counts: the impact's start.
    pub from: Timestamp,
    pub due_at: Timestamp,
    /// When it was found to be missed.
    pub missed_at: Option<Timestamp>,
    /// When it ended: its service recovered, or is no more; or the incident was over.
    pub ended_at: Option<Timestamp>,
}

impl ObjectiveView {
    /// `Recovery time objective of Payments`.
    #[must_use]
    pub fn called(&self, service: &str) -> String {
        format!("{} of {service}", self.kind.words())
    }

    fn of(one: &Objective) -> Self {
        Self {
            service: one.service.clone(),
            kind: one.kind,
            within: one.within,
            from: one.from,
            due_at: one.due_at,
            missed_at: one.missed_at,
            ended_at: one.ended_at,
        }
    }
}

/// Objectives of an incident's services, the soonest first.
pub(super) fn objectives_of(incident: &Incident) -> Vec<ObjectiveView> {
    let mut all: Vec<ObjectiveView> = incident.work.objectives.iter().map(ObjectiveView::of).collect();
    all.sort_by(|one, other| (one.due_at, &one.service, one.kind).cmp(&(other.due_at, &other.service, other.kind)));
    all
}
