//! How an incident stands to others, and to whom it was offered, as it is folded and kept.

use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::IncidentId;

/// What another incident is to this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Relation))]
pub enum Relation {
    /// The whole of which this is a part.
    Parent,
    /// A part of this.
    Child,
    /// They have to do with each other.
    Related,
    /// This comes of it.
    Cause,
    /// It comes of this.
    Effect,
    /// This was a part of it once.
    SplitFrom,
    /// It was a part of this once.
    SplitInto,
}

impl Relation {
    /// Those that people say, as written.
    pub const WORDS: [&'static str; 5] = ["parent", "child", "related", "cause", "effect"];

    /// As written.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Parent => "parent",
            Self::Child => "child",
            Self::Related => "related",
            Self::Cause => "cause",
            Self::Effect => "effect",
            Self::SplitFrom => "split_from",
            Self::SplitInto => "split_into",
        }
    }

    /// The one that people say with this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Parent, Self::Child, Self::Related, Self::Cause, Self::Effect].into_iter().find(|one| one.word() == word)
    }

    /// What this incident is to the other.
    #[must_use]
    pub const fn turned(self) -> Self {
        match self {
            Self::Parent => Self::Child,
            Self::Child => Self::Parent,
            Self::Related => Self::Related,
            Self::Cause => Self::Effect,
            Self::Effect => Self::Cause,
            Self::SplitFrom => Self::SplitInto,
            Self::SplitInto => Self::SplitFrom,
        }
    }

    /// Whether the other stands above this one: what is above may not stand below as well.
    #[must_use]
    pub const fn is_above(self) -> bool {
        matches!(self, Self::Parent | Self::Cause)
    }

    /// Whether somebody said so. What was split stays so.
    #[must_use]
    pub const fn is_said(self) -> bool {
        !matches!(self, Self::SplitFrom | Self::SplitInto)
    }

    /// `parent of this`, before the word for this.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Parent => "the parent of",
            Self::Child => "a child of",
            Self::Related => "related to",
            Self::Cause => "a cause of",
            Self::Effect => "an effect of",
            Self::SplitFrom => "what this was split from:",
            Self::SplitInto => "split from",
        }
    }

    /// Above a list of them.
    #[must_use]
    pub const fn heading(self) -> &'static str {
        match self {
            Self::Parent => "Parent",
            Self::Child => "Child",
            Self::Related => "Related",
            Self::Cause => "Cause",
            Self::Effect => "Effect",
            Self::SplitFrom => "Split from",
            Self::SplitInto => "Split off",
        }
    }
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Another incident that this one has to do with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Related {
    pub incident: IncidentId,
    #[serde(rename = "ref")]
    pub reference: String,
    /// What it is to this one.
    pub is: Relation,
    pub since: Timestamp,
    /// Whether its updates are updates of this one; of a parent alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub followed: bool,
    /// Of a parent alone: the place among its parts that it told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rank: Option<u32>,
    /// Of parent and child: whether whoever commanded the part, or answered for its team, said so, so that whoever commands the whole
    /// moves people out of the part.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub agreed: bool,
    /// Which person agreed: it counts while they command the part or answer for its team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreed_by: Option<String>,
}

/// What was handed over to other teams, and what is offered.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Transfers {
    /// What is offered and not answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offer: Option<Offer>,
    /// Whose it is by the last hand-over; nothing before it was first offered, and where its service changed since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// Teams that had it, and have it.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub had: BTreeSet<String>,
    /// How often a team took it.
    pub hand_overs: u32,
    /// How often that was a team that had had it before.
    pub ping_pongs: u32,
    /// How often one gave it back instead, or did not answer.
    pub returned: u32,
}

impl Transfers {
    /// Whether it was never offered to anybody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// An offer to another team.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    pub team: String,
    /// The service that it was offered to, whose policy it then runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Who offered it, where that was a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    pub why: String,
    pub at: Timestamp,
    /// Whether nobody answered, and the team is paged.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub paged: bool,
    /// Of what is private: who saw it before, so that others see it no more where it comes back.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub saw: BTreeSet<String>,
    /// The same: who was let in for it, and has done nothing here yet. They see it no longer than it is offered.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub lent: BTreeSet<String>,
}
