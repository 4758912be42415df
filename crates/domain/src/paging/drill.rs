//! A fire drill: a page that walks every level of its policy once and ends by itself.
//!
//! It goes the way of any page: the same targets are resolved at the same instant, by the same rules, with the same messages and the
//! same answers. What differs: an answer ends its level and not the page, so that the next level is proved as well; a level has its own
//! time or a shorter one; conditions that ask how bad an incident is hold, since there is none; turns of a ring are used and not taken;
//! nobody is asked who is being paged for something real; there is one round, no catch-all, and nothing comes back.
//!
//! Here are its nouns. `drill_answer.rs` decides on answers, `steps.rs` asks where a page walks, `drill_fold.rs` folds, and
//! `drill_report.rs` reads what became of everybody.
//!
//! Invariant: what is told of a drill is read from its events, and its row is their fold.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::time::Length;

/// The shortest time that a level of a drill may be given: a message takes seconds, and so does finding a telephone.
pub const DRILL_WAIT_MIN: Length = Length::from_secs(10);
/// Drills that run at once in the whole house: each rings people, and several would ring the same.
pub const DRILLS_RUNNING_MAX: usize = 5;
/// Drills of one policy within [`DRILL_DAY`]: tried, put right and tried again, by day and by night.
pub const DRILLS_PER_DAY_MAX: usize = 6;
/// In this time drills of a policy are counted.
pub const DRILL_DAY: Length = Length::from_mins(24 * 60);
/// Running pages that are looked through for who is being paged for something real. With more of them nobody is drilled at all.
pub const LIVE_PAGES_MAX: usize = 2_000;

/// Why somebody is not asked.
pub const LIVE_FIRST: &str = "they are being paged for something real, which comes first";
/// Why a drill ends at its last level.
pub const EVERY_LEVEL: &str = "every level was walked";
/// Why it ends before.
pub const TOO_MANY_LIVE: &str = "so many pages run for something real that nobody is drilled now";

/// Who is being paged for something real.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Busy {
    pub people: BTreeSet<String>,
    /// Whether there are more pages than are looked through.
    pub too_many: bool,
}

/// Nobody is.
pub static NOBODY_BUSY: Busy = Busy { people: BTreeSet::new(), too_many: false };

/// What a drill is asked for with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// How long each level has at most; its own time, where that is shorter or nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait: Option<Length>,
    /// Who asked for it, by their id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// How far a drill has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drill {
    #[serde(flatten)]
    pub ask: Ask,
    /// Its levels so far, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<Level>,
    /// Who was asked at a level and has not answered, with the last of these levels: who answers late is known by it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub asked: BTreeMap<String, u32>,
    /// Why it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<String>,
}

/// How a level ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = DrillOutcome))]
pub enum Outcome {
    /// As many answered as have to.
    Answered,
    /// Too few did within its time.
    Missed,
    /// Somebody passed it on.
    PassedOn,
    /// No message reached anybody.
    Unreached,
    /// Nobody could be asked.
    Nobody,
    /// It does not count at this hour.
    PassedOver,
    /// The drill was stopped meanwhile.
    Stopped,
}

impl Outcome {
    /// As people read it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Missed => "missed",
            Self::PassedOn => "passed on",
            Self::Unreached => "nobody was reached",
            Self::Nobody => "nobody could be asked",
            Self::PassedOver => "passed over",
            Self::Stopped => "stopped",
        }
    }
}

/// A level of a drill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level {
    /// The step of the policy, from 1.
    pub step: u32,
    pub began_at: Timestamp,
    /// Until when it could be answered; absent where nobody was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over_at: Option<Timestamp>,
    /// Absent while it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// How many were asked.
    pub asked: u32,
    /// How many have to answer.
    pub wants: u32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<Answer>,
    /// Why nobody was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// Somebody answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    pub by: String,
    pub via: String,
    pub at: Timestamp,
    /// Whether the level was over by then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub late: bool,
}

impl Drill {
    /// One that begins.
    #[must_use]
    pub const fn new(ask: Ask) -> Self {
        Self { ask, levels: Vec::new(), asked: BTreeMap::new(), ended: None }
    }

    /// How many levels were answered in their time.
    #[must_use]
    pub fn passed(&self) -> usize {
        self.levels.iter().filter(|level| level.outcome == Some(Outcome::Answered)).count()
    }

    /// The time that a level has.
    pub(super) fn within(&self, own: Length) -> Length {
        self.ask.wait.map_or(own, |wait| wait.min(own))
    }
}
