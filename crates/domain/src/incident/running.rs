//! A plan that runs in an incident, as it is folded and kept: what it was when it was started, which of the incident's tasks
//! are its steps, and what has to hold before the incident is over.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::ids::{IncidentId, MessageId};
use crate::time::Length;

/// A plan as it was when it was started here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// Its id.
    pub plan: String,
    /// What people called it.
    pub name: String,
    /// The version that it said it was.
    pub version: u32,
    pub started_at: Timestamp,
    /// The rule that started it; nothing where somebody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
    /// The day by which it was to be looked through, where that was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overdue_since: Option<Date>,
    /// Somebody has to have these while it runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// Whom it tells, and how often.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub updates: Vec<Cadence>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<String>,
    /// What it could not do here, and went on without.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
}

/// What a plan could not do, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// `organisation:cert`, `obligation:gdpr`.
    pub what: String,
    pub why: String,
    pub at: Timestamp,
}

/// What may be chosen in a step that is a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    pub text: String,
    /// Numbers of the tasks that are not done where it is chosen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skips: Vec<u32>,
    /// Whether it can be undone, where the plan says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reversible: Option<bool>,
}

/// Whom a plan tells, and how often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cadence {
    /// The id of an audience.
    pub audience: String,
    pub every: Length,
}

/// What a task is of the plan that it came with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepOf {
    /// The plan's id.
    pub plan: String,
    /// Its own within that.
    pub step: String,
    /// Whoever has this role does it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Its time, from when everything before it is through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Length>,
    /// Numbers of the tasks that come before it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// What is decided here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    /// Between what; empty where it is no decision.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<Choice>,
    /// What it does by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deed: Option<DeedOf>,
}

/// What a step does by itself, as the plan said it when it was started; where it goes is the plan's as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeedOf {
    /// The server that it went to then.
    pub host: String,
    /// The template of what is sent.
    pub body: String,
    /// Whether it is done once everything before the step is done.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_itself: bool,
    /// How it went last; absent while it was never begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<DeedRun>,
}

/// How what a step does went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeedRun {
    /// From 1.
    pub run: u32,
    /// What it was sent as; absent where it could not be begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageId>,
    /// The server that it went to.
    pub host: String,
    pub state: DeedState,
    pub begun_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// `HTTP 200`, or why it failed or was withdrawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
    /// The beginning of what was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// Who pressed it: a person's id. Absent where it was done by itself, or by no person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// Where what a step does stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = DeedState))]
pub enum DeedState {
    /// It is sent, and nobody knows yet how it ends.
    UnderWay,
    /// The answer was a yes.
    Answered,
    /// It was refused, or given up.
    Failed,
    /// Nobody waited for it any more.
    Withdrawn,
}

impl DeedState {
    /// As shown.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::UnderWay => "under way",
            Self::Answered => "answered",
            Self::Failed => "failed",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Whether an answer may still be heard.
    #[must_use]
    pub const fn is_unanswered(self) -> bool {
        matches!(self, Self::UnderWay | Self::Withdrawn)
    }
}

/// What has to hold before an incident is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoveryItem {
    /// From 1, within the incident.
    pub item: u32,
    /// The id of the plan that asks for it.
    pub plan: String,
    pub text: String,
    pub state: RecoveryState,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// Whose word that is: a person's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Why it was waived, or what somebody wrote to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The incident that it came with, where that was merged into this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<IncidentId>,
}

/// Where an item of recovery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = RecoveryState))]
pub enum RecoveryState {
    /// Nobody said so yet.
    Open,
    /// It holds.
    Done,
    /// It need not hold here.
    Waived,
}

impl RecoveryState {
    /// As shown.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Done => "done",
            Self::Waived => "waived",
        }
    }
}

/// All of what a service gives when all is well, in per cent.
pub const PERCENT_MAX: u8 = 100;

/// How far a service is back, as somebody said last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceBack {
    pub service: String,
    /// 0 to [`PERCENT_MAX`].
    pub percent: u8,
    /// What is left to be worked off; nothing where nobody said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backlog: Option<u64>,
    pub said_at: Timestamp,
    /// Whose word that is: a person's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Why it may stay so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waived: Option<String>,
    /// Whether the incident was reopened since: it is to be said again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
}

impl ServiceBack {
    /// Whether nothing of it holds up the end.
    #[must_use]
    pub fn is_through(&self) -> bool {
        self.waived.is_some() || (!self.again && self.percent >= PERCENT_MAX && self.backlog.unwrap_or(0) == 0)
    }
    /// As in a sentence: `back at 60 %, with 12 left of its backlog`.
    #[must_use]
    pub fn words(&self) -> String {
        let again = if self.again { ", and to be looked at again since it was reopened" } else { "" };
        back_in_words(self.percent, self.backlog) + again
    }
}

/// `back at 60 %, with 12 left of its backlog`.
#[must_use]
pub fn back_in_words(percent: u8, backlog: Option<u64>) -> String {
    let backlog = match backlog {
        None => String::new(),
        Some(0) => ", its backlog cleared".to_owned(),
        Some(left) => format!(", with {left} left of its backlog"),
    };
    format!("back at {percent} %{backlog}")
}
