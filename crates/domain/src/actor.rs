//! Who acts, and how much whoever asks may. What somebody may see and do in an organisation is [`crate::access`].

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ids::{IncidentId, PageId, TokenId};

/// Who did something. Events carry this and never a name or an address.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Actor {
    /// A person of the organisation, by id.
    Person(String),
    /// An API token that stands for no person.
    Token(TokenId),
    /// A sender, by its integration's id.
    Integration(String),
    /// Another organisation that takes part, by its id.
    Organisation(String),
    /// A missed expectation.
    Clock,
    /// All Clear itself: start, repair, delivery.
    System,
    /// Whoever holds the administrator's token or the machine's shell.
    Administrator,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(id) => write!(f, "person:{id}"),
            Self::Token(id) => write!(f, "token:{id}"),
            Self::Integration(id) => write!(f, "integration:{id}"),
            Self::Organisation(id) => write!(f, "organisation:{id}"),
            Self::Clock => f.write_str("clock"),
            Self::System => f.write_str("system"),
            Self::Administrator => f.write_str("administrator"),
        }
    }
}

impl FromStr for Actor {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("person", id)) => Ok(Self::Person(id.to_owned())),
            Some(("token", id)) => id.parse().map(Self::Token).map_err(|e| format!("{e}")),
            Some(("integration", id)) => Ok(Self::Integration(id.to_owned())),
            Some(("organisation", id)) => Ok(Self::Organisation(id.to_owned())),
            None if text == "clock" => Ok(Self::Clock),
            None if text == "system" => Ok(Self::System),
            None if text == "administrator" => Ok(Self::Administrator),
            _ => Err(format!("`{text}` names no actor")),
        }
    }
}

impl Serialize for Actor {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Actor {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// What a token may do. A wider scope holds the narrower: admin ⊃ respond ⊃ read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Scope))]
pub enum Scope {
    /// See incidents, alerts, pages, who is on call.
    Read,
    /// Also declare, acknowledge and act on incidents.
    Respond,
    /// Also the organisation, tokens, raw signals.
    Admin,
}

impl Scope {
    /// As written on the command line.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Respond => "respond",
            Self::Admin => "admin",
        }
    }

    /// Whether a holder of `self` may do what needs `wanted`.
    #[must_use]
    pub fn admits(self, wanted: Self) -> bool {
        self >= wanted
    }
}

impl FromStr for Scope {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "read" => Ok(Self::Read),
            "respond" => Ok(Self::Respond),
            "admin" => Ok(Self::Admin),
            _ => Err(format!("`{text}` is not a scope; one of read, respond, admin is")),
        }
    }
}

/// What a link in a message admits to, whatever else its holder may see and do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// May be seen and answered.
    pub page: PageId,
    /// May be seen.
    pub incident: IncidentId,
}

/// What a guest link admits to: one organisation's part of one incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guest {
    pub incident: IncidentId,
    /// Its id.
    pub organisation: String,
}

/// Somebody who asks: who, and how much they may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// Who.
    pub actor: Actor,
    /// How much.
    pub scope: Scope,
    /// Where they come by a link in a message: what it admits to, and nothing else is.
    pub link: Option<Held>,
    /// Where they are an organisation that takes part: what it is admitted to, and nothing else is.
    pub guest: Option<Guest>,
}

impl Principal {
    /// Somebody whose token or session is good for this scope.
    #[must_use]
    pub const fn new(actor: Actor, scope: Scope) -> Self {
        Self { actor, scope, link: None, guest: None }
    }

    /// Ourselves: the clock, the program, the machine's shell.
    #[must_use]
    pub const fn own(actor: Actor) -> Self {
        Self::new(actor, Scope::Admin)
    }

    /// Whoever holds the link that was sent to this person.
    #[must_use]
    pub fn of_link(person: &str, link: Held) -> Self {
        Self { actor: Actor::Person(person.to_owned()), scope: Scope::Read, link: Some(link), guest: None }
    }

    /// Whoever holds the link of an organisation.
    #[must_use]
    pub fn of_guest(guest: Guest) -> Self {
        Self { actor: Actor::Organisation(guest.organisation.clone()), scope: Scope::Read, link: None, guest: Some(guest) }
    }

    /// The organisation that it is, where it is another one.
    #[must_use]
    pub fn party(&self) -> Option<&str> {
        self.guest.as_ref().map(|guest| guest.organisation.as_str())
    }

    /// The person behind it, where there is one.
    #[must_use]
    pub fn person(&self) -> Option<&str> {
        match &self.actor {
            Actor::Person(id) => Some(id),
            Actor::Token(_) | Actor::Integration(_) | Actor::Organisation(_) | Actor::Clock | Actor::System | Actor::Administrator => None,
        }
    }
}
