//! What an incident needs of things and people from elsewhere, as it is folded and kept: a pump, two ambulances, a crew.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Where a resource stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = ResourceState))]
pub enum ResourceState {
    /// Nobody is known to send it.
    Wanted,
    /// Somebody sends it.
    Ordered,
    OnTheWay,
    /// It is there, and in use.
    Arrived,
    /// It is given back.
    Released,
    /// It is not wanted any more.
    Withdrawn,
}

impl ResourceState {
    /// As stored.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Wanted => "wanted",
            Self::Ordered => "ordered",
            Self::OnTheWay => "on_the_way",
            Self::Arrived => "arrived",
            Self::Released => "released",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// As shown.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::OnTheWay => "on the way",
            Self::Wanted | Self::Ordered | Self::Arrived | Self::Released | Self::Withdrawn => self.word(),
        }
    }

    /// Whether it is still to come.
    #[must_use]
    pub const fn is_awaited(self) -> bool {
        match self {
            Self::Wanted | Self::Ordered | Self::OnTheWay => true,
            Self::Arrived | Self::Released | Self::Withdrawn => false,
        }
    }

    /// Whether something is still to be done about it: what has arrived is still to be given back.
    #[must_use]
    pub const fn is_open(self) -> bool {
        match self {
            Self::Wanted | Self::Ordered | Self::OnTheWay | Self::Arrived => true,
            Self::Released | Self::Withdrawn => false,
        }
    }
}

/// Something that an incident needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    /// From 1, within the incident.
    pub resource: u32,
    pub what: String,
    pub quantity: u32,
    pub state: ResourceState,
    /// The organisation that is asked for it, or sends it: its id; none where that is not known, or where it is ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation: Option<String>,
    /// Where it is to come to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    pub wanted_at: Timestamp,
    /// When it has to be there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    /// When whoever sends it says that it comes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ordered_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrived_at: Option<Timestamp>,
    /// When it was released or withdrawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// What whoever sends it calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// What was said of it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Whether the time by which it had to be there passed without it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub late: bool,
    /// Whether the time passed at which it was said to come.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub overdue: bool,
}

impl Resource {
    /// When somebody has to look after it next: it had to be there, or was said to come, whichever is first and did not
    /// pass already.
    #[must_use]
    pub fn looked_at(&self) -> Option<Timestamp> {
        let due_at = self.due_at.filter(|_| !self.late);
        let expected_at = self.expected_at.filter(|_| !self.overdue);
        [due_at, expected_at].into_iter().flatten().min().filter(|_| self.state.is_awaited())
    }

    /// `pump`, `3 × pump`.
    #[must_use]
    pub fn called(&self) -> String {
        called(self.quantity, &self.what)
    }
}

/// `pump`, `3 × pump`.
#[must_use]
pub fn called(quantity: u32, what: &str) -> String {
    if quantity == 1 { what.to_owned() } else { format!("{quantity} × {what}") }
}
