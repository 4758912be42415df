//! Nouns of a page.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::drill::Drill;
use crate::ids::{AlertId, IncidentId, MessageId, PageId};
use crate::org::model::{Escalation, NotifyUrgency};
use crate::time::Length;
use crate::wire::{NoticeIncident, NoticeKind};

/// After this many tries without an answer a step stops waiting for the provider: with the
/// outbox's back-off that is under half a minute.
pub const TRIES_BEFORE_A_SEND_COUNTS_AS_FAILED: u32 = 3;
/// How long the catch-all has before the page is exhausted. The contract leaves it open; it is
/// the last call, so it gets more time than a usual step of five minutes.
pub const CATCH_ALL_WITHIN: crate::time::Length = crate::time::Length::from_mins(10);
/// How long people who are paged by name, without a policy, have to acknowledge before the catch-all: a
/// usual step of a policy.
pub const TARGETS_WITHIN: crate::time::Length = crate::time::Length::from_mins(5);
/// How long after it was exhausted a page of high urgency comes back, where its policy says nothing: as often as
/// stakeholders are told of the worst incidents.
pub const AGAIN_EVERY_HIGH: crate::time::Length = crate::time::Length::from_mins(30);
/// The same for low urgency: what wakes nobody is brought up again the next day, and not forgotten.
pub const AGAIN_EVERY_LOW: crate::time::Length = crate::time::Length::from_mins(24 * 60);
/// People paged by one step at most; a team larger than this is paged in part, and the log says so.
pub const PEOPLE_PER_STEP_MAX: usize = 200;

/// Where a message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = MessageState))]
pub enum MessageState {
    /// It waits for its turn, or for the next try.
    Queued,
    /// A node sends it.
    Claimed,
    /// Its provider took it, and says later whether it arrived.
    Accepted,
    /// Its receiver took it.
    Delivered,
    /// It cannot be delivered.
    Rejected,
    /// It was not needed any more.
    Withdrawn,
}

impl MessageState {
    /// As stored.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Claimed => "claimed",
            Self::Accepted => "accepted",
            Self::Delivered => "delivered",
            Self::Rejected => "rejected",
            Self::Withdrawn => "withdrawn",
        }
    }
    /// The state with this stored name.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Queued, Self::Claimed, Self::Accepted, Self::Delivered, Self::Rejected, Self::Withdrawn]
            .into_iter()
            .find(|s| s.word() == word)
    }
}

/// Where a page stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = PageStatus))]
pub enum Status {
    /// Somebody is being looked for.
    Running,
    /// Somebody has it.
    Acknowledged,
    /// It is not needed any more.
    Stopped,
    /// Nobody answered, and nobody is left to page.
    Exhausted,
    /// It asked nothing: people were told something.
    Told,
}

impl Status {
    /// As stored.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Acknowledged => "acknowledged",
            Self::Stopped => "stopped",
            Self::Exhausted => "exhausted",
            Self::Told => "told",
        }
    }
    /// The status with this stored name.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Running, Self::Acknowledged, Self::Stopped, Self::Exhausted, Self::Told].into_iter().find(|s| s.word() == word)
    }
}

/// By the link of a message: the `via` of an answer.
pub const VIA_LINK: &str = "link";
/// On a page of the program's own, by whoever is signed in there.
pub const VIA_WEB: &str = "web";
/// With a token.
pub const VIA_API: &str = "api";

/// Whether an answer came by the message itself, with its link or as a reply, whose `via` is its channel: only that shows
/// that the message arrived.
#[must_use]
pub fn is_by_message(via: &str) -> bool {
    !matches!(via, VIA_WEB | VIA_API)
}

/// Where one notice of the current step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Telling {
    /// Its time has not come.
    Planned,
    /// A message exists.
    Raised,
    /// The provider has taken it; whether it arrived it says later.
    Accepted,
    /// The provider has it.
    Delivered,
    /// The provider does not answer; tries go on.
    Delayed,
    /// It will not be delivered this way.
    Failed,
}

/// One entry of one person's rule in the current step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub person: String,
    /// From 0, in the order of the person's rule.
    pub entry: u32,
    pub contact: String,
    pub channel: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageId>,
    pub telling: Telling,
    /// When it has its turn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
}

/// The folded state of a page's log; also its row.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    pub id: PageId,
    pub incident: NoticeIncident,
    pub escalation: Option<String>,
    pub urgency: NotifyUrgency,
    /// Alert that started it, so that its sender may acknowledge it.
    pub alert: Option<AlertId>,
    pub because: String,
    pub status: Status,
    pub round: u32,
    /// From 1; the number after the last step is the catch-all.
    pub step: u32,
    /// Whether the catch-all has been paged.
    pub catch_all: bool,
    pub entries: Vec<Entry>,
    pub acknowledged_by: Option<String>,
    /// Of a test: who is known to be reached, since they answered it themselves by its message.
    pub reached: Option<String>,
    pub started_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    /// Whom it pages first, or where no policy says so: targets as in a step.
    pub targets: Vec<String>,
    /// Whom it pages after those.
    pub then: Vec<String>,
    /// Whether nobody else is paged when those do not answer, and it never comes back: a test.
    pub alone: bool,
    /// The round in which it started or came back last: rounds go on counting, and a policy's further ones count from
    /// here.
    pub since_round: u32,
    /// What it tells, where it asks nothing.
    pub tells: Option<Tells>,
    /// Until when its step may be acknowledged; absent before the first and after the last.
    pub due_at: Option<Timestamp>,
    /// How often it was stopped and went on.
    pub resumed: u32,
    /// Its policy as it was when the page started, or came back: what it walks whatever becomes of the policy meanwhile. Absent
    /// where it has none, and of pages of earlier versions, which walk it as it is.
    pub policy: Option<Arc<Escalation>>,
    /// The request for responders that it carries: it pages nobody else, and never comes back.
    pub request: Option<u32>,
    /// How long those who are named have; a usual step, where nothing is said.
    pub within: Option<Length>,
    /// How many different people have to acknowledge, at the step where it is.
    pub wants: u32,
    /// Who has, while that is not enough; those who have it once it is.
    pub answered: Vec<String>,
    /// Who of the present step passed it on, or took their acknowledgement back, while the others are asked still.
    pub passed_on: Vec<String>,
    /// How far it has come, where it is a fire drill.
    pub drill: Option<Drill>,
}

/// What people are told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tells {
    /// A reminder or an update.
    pub kind: NoticeKind,
    pub text: String,
}

/// A step of a page, in one of its rounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AtStep {
    pub round: u32,
    pub step: u32,
}

impl Page {
    /// The step at which it is.
    #[must_use]
    pub const fn at_step(&self) -> AtStep {
        AtStep { round: self.round, step: self.step }
    }

    /// Whether somebody has answered it and it looks for others still.
    #[must_use]
    pub fn is_answered_in_part(&self) -> bool {
        self.status != Status::Acknowledged && !self.answered.is_empty()
    }

    /// Whether somebody has answered at the present step, one way or the other, while others are asked still.
    #[must_use]
    pub fn asks_no_more(&self, person: &str) -> bool {
        self.answered.iter().chain(&self.passed_on).any(|other| other == person)
    }

    /// People of the present step who may acknowledge yet: told by some way that has not failed, or about to be. `lost` is a
    /// message that has failed a moment ago.
    #[must_use]
    pub fn may_yet_answer(&self, lost: Option<MessageId>) -> BTreeSet<&str> {
        let can = |entry: &&Entry| entry.telling != Telling::Failed && !(lost.is_some() && entry.message == lost);
        let asked = self.entries.iter().filter(can).map(|entry| entry.person.as_str());
        asked.filter(|person| !self.asks_no_more(person)).collect()
    }

    /// Whether each who is named answers for themself: nobody's answer ends it for the others.
    #[must_use]
    pub const fn asks_each(&self) -> bool {
        self.request.is_some() && self.escalation.is_none()
    }

    /// Whether as many can acknowledge at the present step as have to.
    #[must_use]
    pub fn can_be_answered(&self, lost: Option<MessageId>) -> bool {
        if self.asks_each() {
            return !self.may_yet_answer(lost).is_empty();
        }
        self.answered.len() + self.may_yet_answer(lost).len() >= self.wants as usize
    }

    /// Its incident.
    #[must_use]
    pub const fn incident_id(&self) -> IncidentId {
        self.incident.id
    }
}

/// The key of a notice: unique for ever. A page that goes on may tell somebody of the same step anew.
#[must_use]
pub fn notice_key(page: PageId, round: u32, step: u32, person: &str, entry: u32, resumed: u32) -> String {
    match resumed {
        0 => format!("{page}:{round}:{step}:{person}:{entry}"),
        resumed => format!("{page}:{round}:{step}:{person}:{entry}:{resumed}"),
    }
}
