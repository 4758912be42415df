//! What people read of who is on call.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::org::model::Effect;

/// Who is on call in a schedule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = OnCall))]
pub struct OnCallView {
    pub schedule: String,
    pub name: String,
    pub team: Option<String>,
    pub time_zone: String,
    /// A person's id, the first where several are on; null where nobody is on call.
    pub person: Option<String>,
    pub person_name: Option<String>,
    /// The layer or the override that has them on, or the override that has nobody on.
    pub because: String,
    /// Everybody who is on call: who has the turn, then who is on besides, in the order in which that was made.
    #[serde(default)]
    pub people: Vec<OnCallPerson>,
    /// When other people come on, or nobody is any more; null where neither happens soon.
    pub until: Option<Timestamp>,
    /// Who is on after that, the first where several are.
    pub next: Option<String>,
    pub next_name: Option<String>,
    /// When they do: later than `until` where nobody is on in between.
    #[serde(default)]
    pub next_at: Option<Timestamp>,
    /// Everybody who is on then.
    #[serde(default)]
    pub next_people: Vec<OnCallPerson>,
}

impl OnCallView {
    /// What people call everybody who is on, in order; ids of those who are not there any more.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        self.people.iter().map(OnCallPerson::called).collect()
    }

    /// The same of those who are on next.
    #[must_use]
    pub fn next_names(&self) -> Vec<&str> {
        self.next_people.iter().map(OnCallPerson::called).collect()
    }

    /// Whether somebody is on call by it.
    #[must_use]
    pub fn has(&self, person: &str) -> bool {
        self.people.iter().any(|on| on.person == person)
    }
}

impl OnCallPerson {
    /// Their name, or their id.
    #[must_use]
    pub fn called(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.person)
    }
}

/// Somebody who is on call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct OnCallPerson {
    pub person: String,
    /// Null where there is no such person any more.
    pub name: Option<String>,
    /// The layer or the override.
    pub because: String,
}

/// What changes who is on call in a schedule for a time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Override))]
pub struct OverrideView {
    pub id: String,
    pub schedule: String,
    /// Whether its person takes the schedule over, is on besides, or nobody is on.
    #[serde(default)]
    pub effect: Effect,
    /// Empty where nobody is on.
    pub person: String,
    pub person_name: Option<String>,
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    /// `person:ana`; null where it is not known.
    pub made_by: Option<String>,
    /// Whether the asker may end it.
    pub may_end: bool,
}
