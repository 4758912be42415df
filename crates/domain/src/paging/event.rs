//! The facts of a page's log. Permanent formats, as in [`crate::incident`].

use serde::{Deserialize, Serialize};

use super::drill::Ask;
use crate::event::event_kinds;
use crate::ids::{AlertId, MessageId};
use crate::org::model::{Escalation, NotifyUrgency};
use crate::time::Length;
use crate::wire::{NoticeIncident, NoticeKind};

event_kinds! {
    /// A fact about a page; past tense.
    Event {
        Started(Started) = "page_started" [Follows],
        Told(Told) = "told" [Follows],
        StepReached(StepReached) = "step_reached" [Follows],
        StepEmpty(StepEmpty) = "step_empty" [Follows],
        NoticeRaised(NoticeRaised) = "notice_raised" [Machinery],
        SendAccepted(SendAccepted) = "send_accepted" [Machinery],
        Delivered(Delivered) = "delivered" [Machinery],
        SendDelayed(SendTrouble) = "send_delayed" [Machinery],
        SendFailed(SendTrouble) = "send_failed",
        SendInDoubt(SendInDoubt) = "send_in_doubt" [Machinery],
        Acknowledged(Acknowledged) = "page_acknowledged" [Follows],
        AcknowledgedInPart(AcknowledgedInPart) = "page_acknowledged_in_part" [Follows],
        TakenBack(TakenBack) = "page_acknowledgement_taken_back" [Follows],
        Declined(Declined) = "declined",
        Exhausted(Exhausted) = "page_exhausted" [Key, Follows],
        CameBack(CameBack) = "page_came_back",
        Stopped(Stopped) = "page_stopped" [Follows],
        ConfirmationAsked(ConfirmationAsked) = "confirmation_asked" [Machinery],
        Resumed(Resumed) = "page_resumed",
        LevelAnswered(LevelAnswered) = "drill_answered" [Follows],
        AnsweredLate(AnsweredLate) = "drill_answered_late",
        DrillEnded(DrillEnded) = "drill_ended" [Follows],
    }
}

/// Body of `page_started`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Started {
    pub incident: NoticeIncident,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalation: Option<String>,
    pub urgency: NotifyUrgency,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert: Option<AlertId>,
    pub because: String,
    pub org_version: u64,
    /// Whom it pages first, or where no policy says so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<String>,
    /// Whom it pages after those.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub then: Vec<String>,
    /// Whether nobody else is paged when they do not answer, and it never comes back: a test.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub alone: bool,
    /// The request for responders that it carries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<u32>,
    /// How long those who are named have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Length>,
    /// Its policy as it is now: what the page walks. Absent where it has none, and of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Escalation>,
    /// What it was asked for with, where it is a fire drill.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drill: Option<Ask>,
}

/// Body of `told`: people are told something, and nothing is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Told {
    pub incident: NoticeIncident,
    pub kind: NoticeKind,
    pub text: String,
    pub people: Vec<Reached>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passed_over: Vec<PassedOver>,
    pub because: String,
    pub org_version: u64,
    /// Which of a person's rules is used; low where absent.
    #[serde(default = "low", skip_serializing_if = "is_low")]
    pub urgency: NotifyUrgency,
}

const fn low() -> NotifyUrgency {
    NotifyUrgency::Low
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde hands a reference
fn is_low(urgency: &NotifyUrgency) -> bool {
    *urgency == NotifyUrgency::Low
}

/// Body of `step_reached`: who is told, how, and what comes later if they do not answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepReached {
    pub round: u32,
    pub step: u32,
    /// Whether this is the catch-all.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub catch_all: bool,
    /// Why this step, in words.
    pub because: String,
    pub people: Vec<Reached>,
    /// People who could not be told, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passed_over: Vec<PassedOver>,
    pub within: Length,
    /// Whether it comes after its time, because of a gap.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub late: bool,
    pub org_version: u64,
    /// When the step counts, in words; absent where it always does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// How many different people have to acknowledge, with those who have already; one where absent.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub wants: u32,
    /// The step of the policy in whose ring the one who is paged had their turn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<u32>,
}

const fn one() -> u32 {
    1
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde hands a reference
const fn is_one(many: &u32) -> bool {
    *many == 1
}

/// One person of a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reached {
    pub person: String,
    /// How they came to be named.
    pub via: String,
    pub entries: Vec<PlannedEntry>,
}

/// One entry of a person's rule, as planned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedEntry {
    pub contact: String,
    pub channel: String,
    #[serde(default, skip_serializing_if = "Length::is_zero")]
    pub after: Length,
    /// The message, where it goes out at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageId>,
}

/// Somebody who was named but could not be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassedOver {
    pub person: String,
    pub why: String,
}

/// Body of `step_empty`: nobody was notified, because.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepEmpty {
    pub round: u32,
    pub step: u32,
    pub why: String,
    /// Whether its condition does not hold, so that it was passed over.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub passed: bool,
}

/// Body of `notice_raised`: a later entry of a rule has its turn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NoticeRaised {
    pub round: u32,
    pub step: u32,
    pub person: String,
    pub entry: u32,
    pub contact: String,
    pub channel: String,
    pub message: MessageId,
    pub because: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub late: bool,
    pub org_version: u64,
}

/// Body of `send_accepted`: the provider has taken it, and says later whether it arrived.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SendAccepted {
    pub message: MessageId,
    pub person: String,
    pub contact: String,
    pub channel: String,
    pub receipt: String,
    pub attempts: u32,
    /// How long that is waited for.
    pub within: Length,
}

/// Body of `delivered`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Delivered {
    pub message: MessageId,
    pub person: String,
    pub contact: String,
    pub channel: String,
    pub receipt: String,
    pub attempts: u32,
    /// From the decision to the provider's answer.
    pub latency_ms: u64,
    /// Whether the page had ended while it was in flight.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub after_end: bool,
}

/// Body of `send_delayed` and `send_failed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SendTrouble {
    pub message: MessageId,
    pub person: String,
    pub contact: String,
    pub channel: String,
    pub why: String,
    pub attempts: u32,
    /// The step waits for it no longer, though it is tried again; later tries than three say so by their number.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub given_up: bool,
}

/// Body of `send_in_doubt`: it may have arrived, and is sent again under the same id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SendInDoubt {
    pub message: MessageId,
    pub person: String,
    pub contact: String,
    pub channel: String,
    pub why: String,
}

/// Body of `page_acknowledged`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Acknowledged {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    pub via: String,
}

/// Body of `page_acknowledged_in_part`: one of several who have to has acknowledged, and the others are asked still.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AcknowledgedInPart {
    pub by: String,
    pub via: String,
    /// How many have, with this one.
    pub so_far: u32,
    /// How many have to.
    pub wants: u32,
}

/// Body of `page_acknowledgement_taken_back`: one of several gives back what others have to acknowledge yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TakenBack {
    pub by: String,
    pub why: String,
}

/// Body of `declined`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Declined {
    pub by: String,
    pub via: String,
    /// Whether the step goes on without them: as many others may acknowledge as have to.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stays: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// Body of `page_exhausted`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Exhausted {
    pub why: String,
    /// When it comes back; absent where its policy says never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again_in: Option<Length>,
}

/// Body of `page_came_back`: everybody was paged, nobody answered, and nobody has it still.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CameBack {
    pub round: u32,
    pub why: String,
    /// Its policy as it is now, where it has one: what the page walks from here on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Escalation>,
}

/// Body of `page_stopped`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stopped {
    pub why: String,
}

/// Body of `page_resumed`: it was stopped, and goes on where it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Resumed {
    pub round: u32,
    pub step: u32,
    /// What is left of the step's time.
    pub left: Length,
    pub because: String,
    pub org_version: u64,
}

/// Body of `confirmation_asked`: the person on it is asked whether it is over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConfirmationAsked {
    pub person: String,
    pub contact: String,
    pub channel: String,
    pub message: MessageId,
    pub org_version: u64,
}

/// Body of `drill_answered`: somebody answered the level of a drill at which they are asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LevelAnswered {
    pub round: u32,
    pub step: u32,
    pub by: String,
    pub via: String,
    /// How many have, with this one.
    pub so_far: u32,
    /// How many have to.
    pub wants: u32,
}

/// Body of `drill_answered_late`: somebody answered a level of a drill that was over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnsweredLate {
    pub step: u32,
    pub by: String,
    pub via: String,
}

/// Body of `drill_ended`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DrillEnded {
    pub why: String,
}
