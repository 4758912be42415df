//! Other organisations in an incident as they are folded and kept: who has joined, and what each was asked.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The other organisations of an incident.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Partners {
    /// By id of the organisation; those that left stay.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub parties: BTreeMap<String, Party>,
    /// In the order in which they were asked; the number is the place, from 1.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub requests: Vec<Request>,
    /// Links by which they look on; those that work no more are gone when the next is made.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Guest>,
    /// How many there were.
    #[serde(skip_serializing_if = "is_zero")]
    pub links_made: u32,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde's way
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Partners {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// A party that is in it now.
    #[must_use]
    pub fn party(&self, organisation: &str) -> Option<&Party> {
        self.parties.get(organisation).filter(|party| party.left_at.is_none())
    }

    /// A link that works at an instant, by its number.
    #[must_use]
    pub fn link(&self, number: u32, at: Timestamp) -> Option<&Guest> {
        self.links.iter().find(|link| link.number == number && link.works(at))
    }

    /// The newest link of an organisation that works.
    #[must_use]
    pub fn link_of(&self, organisation: &str, at: Timestamp) -> Option<&Guest> {
        self.links.iter().rev().find(|link| link.organisation == organisation && link.works(at))
    }

    /// A request by its number.
    #[must_use]
    pub fn request(&self, number: u32) -> Option<&Request> {
        self.requests.iter().find(|request| request.request == number)
    }

    pub(super) fn request_mut(&mut self, number: u32) -> Option<&mut Request> {
        self.requests.iter_mut().find(|request| request.request == number)
    }

    /// Requests that nobody has answered, of one organisation or of all.
    pub fn open_requests<'a>(&'a self, of: Option<&'a str>) -> impl Iterator<Item = &'a Request> {
        self.requests.iter().filter(move |request| request.is_open() && of.is_none_or(|of| request.organisation == of))
    }
}

/// An organisation in an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    pub joined_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_at: Option<Timestamp>,
    /// What it calls this incident.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Who of ours speaks with it: a person's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub liaison: Option<String>,
}

/// Where a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = RequestState))]
pub enum RequestState {
    /// Nothing was heard of it.
    Asked,
    /// The organisation has it, and works on it.
    Acknowledged,
    Answered,
    /// The organisation does not do it.
    Declined,
    /// It is not wanted any more.
    Withdrawn,
}

impl RequestState {
    /// As written and shown.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Acknowledged => "acknowledged",
            Self::Answered => "answered",
            Self::Declined => "declined",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Whether an answer is still to come.
    #[must_use]
    pub const fn is_open(self) -> bool {
        match self {
            Self::Asked | Self::Acknowledged => true,
            Self::Answered | Self::Declined | Self::Withdrawn => false,
        }
    }
}

/// Something that an organisation was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// From 1, within the incident.
    pub request: u32,
    pub organisation: String,
    pub text: String,
    pub state: RequestState,
    pub asked_at: Timestamp,
    /// Until when an answer is wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged_at: Option<Timestamp>,
    /// When it was answered, declined or withdrawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// What was heard last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// What the organisation calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Whether its time passed without an answer; that stays so, unless one came in time that was written down late.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub late: bool,
}

impl Request {
    /// Whether an answer is still to come.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.state.is_open()
    }
}

/// A link by which an organisation looks on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guest {
    /// From 1, within the incident.
    pub number: u32,
    pub organisation: String,
    pub expires_at: Timestamp,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub revoked: bool,
    /// Whether it was made in the place of one that worked.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub replaces: bool,
}

impl Guest {
    /// Whether it works at an instant.
    #[must_use]
    pub fn works(&self, at: Timestamp) -> bool {
        !self.revoked && self.expires_at > at
    }
}
