//! What people read of what an incident needs from elsewhere.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::incident::resource::{Resource, ResourceState, called};

/// Something that an incident needs from elsewhere. Instants are null where unknown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Resource))]
pub struct ResourceView {
    /// From 1, within its incident.
    pub resource: u32,
    pub what: String,
    pub quantity: u32,
    #[cfg_attr(feature = "schema", schema(inline))]
    pub state: ResourceState,
    /// The id of the organisation that is asked for it, or sends it.
    pub organisation: Option<String>,
    /// Where it is to come to.
    pub place: Option<String>,
    pub wanted_at: Timestamp,
    /// When it has to be there.
    pub due_at: Option<Timestamp>,
    /// When whoever sends it says that it comes.
    pub expected_at: Option<Timestamp>,
    pub ordered_at: Option<Timestamp>,
    pub sent_at: Option<Timestamp>,
    pub arrived_at: Option<Timestamp>,
    /// When it was released or withdrawn.
    pub ended_at: Option<Timestamp>,
    /// What whoever sends it calls it.
    pub reference: Option<String>,
    /// What was said of it last.
    pub note: Option<String>,
    /// Whether the time by which it had to be there passed without it.
    pub late: bool,
    /// Whether the time passed at which it was said to come.
    pub overdue: bool,
}

impl ResourceView {
    pub(super) fn of(resource: &Resource) -> Self {
        Self {
            resource: resource.resource,
            what: resource.what.clone(),
            quantity: resource.quantity,
            state: resource.state,
            organisation: resource.organisation.clone(),
            place: resource.place.clone(),
            wanted_at: resource.wanted_at,
            due_at: resource.due_at,
            expected_at: resource.expected_at,
            ordered_at: resource.ordered_at,
            sent_at: resource.sent_at,
            arrived_at: resource.arrived_at,
            ended_at: resource.ended_at,
            reference: resource.reference.clone(),
            note: resource.note.clone(),
            late: resource.late,
            overdue: resource.overdue,
        }
    }

    /// `pump`, `3 × pump`.
    #[must_use]
    pub fn called(&self) -> String {
        called(self.quantity, &self.what)
    }
}
