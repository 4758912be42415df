//! An expectation is a rule with a deadline over the log: what must appear, by when, and which
//! command follows if it has not.
//!
//! One primitive for escalation steps, notification delays, group waits, candidates, recovery
//! confirmations, digests and lapsing alerts. `next_look_at` says when to look, not when to fire:
//! the look judges again from present state, arms again if all is well, and settles once.
//!
//! Deliberately not here: the retries of a message. They are not about something that must appear
//! in a log, and a row per try would double the writes of a page; the outbox keeps its own
//! `next_attempt_at`.

mod key;

pub use key::{BadKey, Key};

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{ActionId, AlertId, IncidentId, PageId, ReviewId};
use crate::time::{Length, after};

/// Who an expectation belongs to: a stream or a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Owner {
    Incident(IncidentId),
    Page(PageId),
    Alert(AlertId),
    Review(ReviewId),
    Action(ActionId),
    /// The organisation: what a change of its forms, or the time that one says, leads to.
    Org,
}

/// As stored, where an id of another owner stands.
const ORG: &str = "org";

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Incident(id) => id.fmt(f),
            Self::Page(id) => id.fmt(f),
            Self::Alert(id) => id.fmt(f),
            Self::Review(id) => id.fmt(f),
            Self::Action(id) => id.fmt(f),
            Self::Org => f.write_str(ORG),
        }
    }
}

impl std::str::FromStr for Owner {
    type Err = crate::ids::BadId;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == ORG {
            return Ok(Self::Org);
        }
        match text.split_once('_').map(|(prefix, _)| prefix) {
            Some(PageId::PREFIX) => text.parse().map(Self::Page),
            Some(AlertId::PREFIX) => text.parse().map(Self::Alert),
            Some(ReviewId::PREFIX) => text.parse().map(Self::Review),
            Some(ActionId::PREFIX) => text.parse().map(Self::Action),
            _ => text.parse().map(Self::Incident),
        }
    }
}

macro_rules! rules {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, version $version:literal, expects $expects:literal, else $or_else:literal;)*) => {
        /// The rules this version knows, each with a stored name, a version and two sentences from
        /// which "next, and when" and the documentation are made.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Rule { $($(#[$doc])* $variant,)* }

        impl Rule {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];
            /// As stored.
            #[must_use]
            pub const fn name(self) -> &'static str { match self { $(Self::$variant => $name,)* } }
            /// Version of the rule; instances cite it.
            #[must_use]
            pub const fn version(self) -> u32 { match self { $(Self::$variant => $version,)* } }
            /// What must appear.
            #[must_use]
            pub const fn expects(self) -> &'static str { match self { $(Self::$variant => $expects,)* } }
            /// What follows if it does not.
            #[must_use]
            pub const fn or_else(self) -> &'static str { match self { $(Self::$variant => $or_else,)* } }
            /// The rule with this stored name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> { match name { $($name => Some(Self::$variant),)* _ => None } }
        }
    };
}

rules! {
    /// Opened by a step; the length is the step's `within`.
    PageAck = "page.ack", version 1, expects "an acknowledgement", else "the next step is paged";
    /// Opened by a step for each later entry of a person's notification rule.
    PageNotify = "page.notify", version 1, expects "an acknowledgement", else "the person's next contact method is used";
    /// Opened when everybody was paged and nobody answered; the length is the policy's `again_every`.
    PageAgain = "page.again", version 1, expects "somebody to have it",
        else "the page comes back, to the catch-all and the team's managers";
    /// Opened when a provider has taken a message and says later whether it arrived.
    MessageReceipt = "message.receipt", version 1, expects "the provider to say that the message arrived",
        else "it counts as not delivered, and the person's next contact method is used";
    /// Opened by a declaration whose route sets `group_wait`.
    GroupWait = "incident.group_wait", version 1, expects "the end of the wait for more alerts", else "the page starts";
    /// Opened by a proposal.
    Candidate = "incident.candidate", version 1, expects "a decision whether this is an incident",
        else "it is declared, since nobody decided";
    /// Opened when all alerts have recovered while somebody is on the incident.
    ConfirmRecovery = "incident.confirm_recovery", version 1, expects "somebody to confirm that it is over",
        else "the log says that nobody confirmed";
    /// Opened when an alert joins or recovers; gathers what else does within its length.
    AlertsDigest = "incident.alerts_digest", version 1, expects "the end of ten seconds of gathering",
        else "one line says how many alerts joined and recovered";
    /// Opened by an alert whose sender promises to re-send it.
    AlertLapse = "alert.lapse", version 1, expects "the sender to send the alert again", else "the alert lapses";
    /// Opened by the first heartbeat of an instance, and by the first after one that was missing; a heartbeat renews it.
    Heartbeat = "org.heartbeat", version 1, expects "the next heartbeat", else "an alert says that it is missing";
    /// Opened by an alert that a silence suppresses.
    SilenceEnd = "alert.silence_end", version 1, expects "the alert to recover before its silence ends", else "the alert is judged again";
    /// Opened by a change of the silences, and by a silence that is planned.
    SilencesJudged = "org.silences", version 1, expects "the silences to change, or a planned one to begin",
        else "open alerts are judged again, and what a silence matches is held";
    /// Opened when silences hold every open alert of an incident.
    Silenced = "incident.silenced", version 1, expects "the alerts to recover before their silences end", else "the incident pages again";
    /// Opened when an alert of an incident flaps, and again by each of its changes.
    Flapping = "incident.flapping", version 1, expects "the alerts to change again",
        else "they count as steady, and the incident ends, or goes on, as any other";
    /// Opened by an offer of a role.
    RoleAnswer = "incident.role_answer", version 1, expects "an answer to the offer of a role", else "whoever offered it is told";
    /// Opened when an incident that somebody is on has no commander, and by a severity that needs somebody in a role; the
    /// length is then the role's `within`.
    RoleUnfilled = "incident.role", version 1, expects "somebody to take command, or a role that is needed",
        else "the team's managers are paged";
    /// Opened when somebody takes a role of which the catalogue says after how long relief is due.
    ReliefDue = "incident.relief", version 1, expects "relief for whoever has a role", else "they and the commander are reminded";
    /// Opened when somebody takes an incident whose severity has `acknowledgement_lasts`, and by a declaration without a
    /// page; any act of a person on the incident renews it.
    Attended = "incident.attended", version 1, expects "somebody to be at work on it",
        else "whoever has it is asked whether they still do, or it pages";
    /// Opened by that question.
    StillOnIt = "incident.still_on_it", version 1, expects "whoever has it to say that they are still on it",
        else "it pages again from the first step";
    /// Opened by a task with a due time.
    TaskDue = "incident.task", version 1, expects "the task to be done", else "its owner and the commander are told";
    /// Opened by a decision that is to be looked at again.
    DecisionReview = "incident.decision", version 1, expects "the decision to be looked at again",
        else "whoever decided and the commander are told";
    /// Opened when a service is hit or alerts join while somebody has it, not sooner than its severity says.
    Reassess = "incident.reassess", version 1, expects "somebody to judge again how bad it is",
        else "the log says that nobody did";
    /// Opened when somebody is on an incident whose severity asks for updates, and by each update.
    UpdateDue = "incident.update", version 1, expects "an update to the stakeholders",
        else "the commander and the team's managers are told";
    /// Opened when an incident is declared for which a target is set, and again by whatever moves its clocks.
    Target = "incident.target", version 1, expects "it to be dealt with in the time of its target",
        else "the commander and the team's managers are told";
    /// Opened by a request to another organisation with a time.
    RequestDue = "incident.request", version 1, expects "an answer of another organisation to a request",
        else "whoever speaks with them is told, else the commander";
    /// Opened when somebody decides that an obligation applies, and by each submission that another follows.
    ObligationDue = "incident.obligation", version 1, expects "a report to a regulator to be submitted",
        else "the commander and the team's managers are told";
    /// Opened when a service with a recovery objective is affected, and again by whatever moves its time.
    Objective = "incident.objective", version 1, expects "a service to recover in the time of its objective",
        else "the commander and the team's managers are told";
    /// Opened by an offer to another team, and again when that team is paged for it.
    TransferAnswer = "incident.transfer", version 1, expects "another team to accept it or give it back",
        else "that team is paged, and after that it stays with whoever has it";
    /// Opened by a resource that is wanted by a time, and by a word of when it comes.
    ResourceDue = "incident.resource", version 1, expects "a resource to arrive",
        else "whoever speaks with those who send it is told, else the commander";
    /// Opened when an incident is resolved or cancelled.
    IncidentOver = "incident.over", version 1, expects "it to stay over for a moment",
        else "whoever was paged or told of it is told that it is over";
    /// Opened with a review.
    ReviewDue = "review.due", version 1, expects "the review to be published", else "its owner and the team's managers are told";
    /// Opened each day while there are schedules.
    Readiness = "org.readiness", version 1, expects "everybody who is on call within two weeks to be reached by a page",
        else "they and the managers of the schedule's team are told";
    /// Opened by a request for cover of a shift.
    CoverAnswer = "org.cover", version 1, expects "an answer to a request for cover of a shift",
        else "whoever asked and the managers of the schedule's team are told";
    /// Opened while somebody asks to be told before their shifts, and again whenever the organisation changes.
    ShiftNotice = "org.shift_notice", version 1, expects "a shift of whoever asks to be told before it to be some time off still",
        else "they are told";
    /// Opened while an external calendar is read from an address, and again whenever the organisation changes.
    ExternalCalendars = "org.external_calendars", version 1, expects "external calendars to have been read a moment ago",
        else "they are read again";
    /// Opened each hour by each node, due at once: what proves that a page would go out goes on from its look.
    Canary = "org.canary", version 1, expects "to be looked at",
        else "a message to nobody follows, which the outbox takes; those who run the program are told when it does not arrive";
    /// Opened with an action.
    ActionDue = "action.due", version 1, expects "the action to be done", else "its owner and their team's managers are told";
}

impl Rule {
    /// Whether missing it leads to somebody being called: an open incident that nobody has awaits one of these.
    #[must_use]
    pub const fn calls_somebody(self) -> bool {
        match self {
            // Where nobody has the incident either, an unfilled command pages whoever is left.
            Self::PageAck
            | Self::PageAgain
            | Self::GroupWait
            | Self::Candidate
            | Self::Attended
            | Self::StillOnIt
            | Self::Silenced
            | Self::RoleUnfilled => true,
            Self::PageNotify
            | Self::MessageReceipt
            | Self::ConfirmRecovery
            | Self::AlertsDigest
            | Self::AlertLapse
            | Self::Heartbeat
            | Self::SilenceEnd
            | Self::SilencesJudged
            | Self::Flapping
            | Self::RoleAnswer
            | Self::ReliefDue
            | Self::TaskDue
            | Self::DecisionReview
            | Self::Reassess
            | Self::UpdateDue
            | Self::Target
            | Self::RequestDue
            | Self::ObligationDue
            | Self::Objective
            | Self::TransferAnswer
            | Self::ResourceDue
            | Self::IncidentOver
            | Self::ReviewDue
            | Self::Readiness
            | Self::CoverAnswer
            | Self::ShiftNotice
            | Self::ExternalCalendars
            | Self::Canary
            | Self::ActionDue => false,
        }
    }

    /// Whether missing it is something that a review talks about: somebody was waited for.
    #[must_use]
    pub const fn is_for_people(self) -> bool {
        match self {
            Self::AlertsDigest
            | Self::AlertLapse
            | Self::Heartbeat
            | Self::SilenceEnd
            | Self::PageNotify
            | Self::MessageReceipt
            | Self::ShiftNotice
            | Self::ExternalCalendars
            | Self::Canary
            | Self::GroupWait => false,
            Self::PageAck
            | Self::PageAgain
            | Self::Candidate
            | Self::ConfirmRecovery
            | Self::SilencesJudged
            | Self::Silenced
            | Self::Flapping
            | Self::RoleAnswer
            | Self::RoleUnfilled
            | Self::ReliefDue
            | Self::Attended
            | Self::StillOnIt
            | Self::TaskDue
            | Self::DecisionReview
            | Self::Reassess
            | Self::UpdateDue
            | Self::Target
            | Self::RequestDue
            | Self::ObligationDue
            | Self::Objective
            | Self::TransferAnswer
            | Self::ResourceDue
            | Self::IncidentOver
            | Self::ReviewDue
            | Self::Readiness
            | Self::CoverAnswer
            | Self::ActionDue => true,
        }
    }

    /// The share of its length, in hundredths, after which whoever can still meet it is reminded once. A target has several,
    /// which its clock counts.
    #[must_use]
    pub const fn mark(self) -> Option<u64> {
        match self {
            // 80 % is the and the practice's reminder: time is left to write.
            Self::UpdateDue | Self::ReviewDue | Self::ActionDue => Some(80),
            Self::PageAck
            | Self::PageNotify
            | Self::PageAgain
            | Self::MessageReceipt
            | Self::GroupWait
            | Self::Candidate
            | Self::ConfirmRecovery
            | Self::AlertsDigest
            | Self::AlertLapse
            | Self::Heartbeat
            | Self::SilenceEnd
            | Self::SilencesJudged
            | Self::Readiness
            | Self::CoverAnswer
            | Self::ShiftNotice
            | Self::ExternalCalendars
            | Self::Canary
            | Self::Silenced
            | Self::Flapping
            | Self::RoleAnswer
            | Self::RoleUnfilled
            | Self::ReliefDue
            | Self::Attended
            | Self::StillOnIt
            | Self::TaskDue
            | Self::DecisionReview
            | Self::Reassess
            | Self::Target
            | Self::RequestDue
            | Self::ObligationDue
            | Self::Objective
            | Self::TransferAnswer
            | Self::ResourceDue
            | Self::IncidentOver => None,
        }
    }
}

/// How long somebody has to answer the offer of a role, and an incident may be without a commander.
pub const ROLE_WITHIN: Length = Length::from_mins(5);
/// How long another team has to answer the offer of an incident, before it is paged for it and once more after that: as long as
/// an incident may be nobody's.
pub const TRANSFER_WITHIN: Length = Length::from_mins(10);
/// How long an incident may be nobody's where it was declared without a page or reopened: as long as a candidate waits
/// for a decision.
pub const ATTEND_WITHIN: Length = Length::from_mins(10);
/// The same where its severity wakes nobody: an hour is soon enough for what may wait for the morning.
pub const ATTEND_WITHIN_LOW: Length = Length::from_mins(60);
/// How long whoever has an incident has to say that they are still on it.
pub const STILL_ON_IT_WITHIN: Length = Length::from_mins(10);
/// How long a candidate waits for a person's decision.
pub const CANDIDATE_WITHIN: Length = Length::from_mins(10);
/// How long somebody has to confirm a recovery (contract: 15 min).
pub const CONFIRM_RECOVERY_WITHIN: Length = Length::from_mins(15);
/// How often at most a log tells of alerts that joined or recovered (design: 10 s).
pub const ALERTS_DIGEST_EVERY: Length = Length::from_secs(10);
/// An alert that comes back this soon after it ended is the same trouble still, where its route says nothing
/// else. Alertmanager keeps its group for as long (`group_interval`: 5 min) before it tells anew.
pub const GRACE_DEFAULT: Length = Length::from_mins(5);
/// How long an incident has to stay over before whoever was told of it hears so: as long as the log gathers alerts,
/// so that one that is reopened at once, or recovers among many others, costs no message of its own.
pub const OVER_TOLD_AFTER: Length = ALERTS_DIGEST_EVERY;
/// A look that comes this long after its time makes what follows *late*.
pub const LATE_AFTER: Length = Length::from_secs(60);

/// Where an expectation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Standing))]
pub enum Standing {
    /// Not settled.
    Live,
    /// It appeared in time.
    Met,
    /// It did not.
    Missed,
    /// It no longer matters.
    Void,
}

impl Standing {
    /// As stored.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Met => "met",
            Self::Missed => "missed",
            Self::Void => "void",
        }
    }
    /// The standing with this stored name.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Live, Self::Met, Self::Missed, Self::Void].into_iter().find(|s| s.word() == word)
    }
}

/// A stretch of an expectation's clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// When it began.
    pub from: Timestamp,
    /// Whether time counts.
    pub running: bool,
    /// Why it was paused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// The deadline that `length` and these segments give; `None` while paused.
#[must_use]
pub fn deadline(segments: &[Segment], length: Length) -> Option<Timestamp> {
    let mut left = length.as_duration();
    for (index, segment) in segments.iter().enumerate() {
        if !segment.running {
            continue;
        }
        let end = segment.from.checked_add(left).unwrap_or(Timestamp::MAX);
        match segments.get(index + 1) {
            Some(next) if next.from < end => left -= next.from.duration_since(segment.from),
            _ => return Some(end),
        }
    }
    None
}

/// One expectation, unique on (owner, key, occurrence).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expectation {
    /// Who it belongs to.
    pub owner: Owner,
    /// Which of the owner's: `ack:1:2`.
    pub key: String,
    /// Which time of the same.
    pub occurrence: u32,
    /// The rule.
    pub rule: Rule,
    /// The incident whose page shows it as "next, and when".
    pub incident: Option<IncidentId>,
    /// What opened it.
    pub opened_by: String,
    /// Its clock.
    pub segments: Vec<Segment>,
    /// How long it has.
    pub length: Length,
    /// When to look.
    pub next_look_at: Timestamp,
    /// Where it stands.
    pub standing: Standing,
    /// When it settled.
    pub settled_at: Option<Timestamp>,
    /// Why, in words.
    pub why: Option<String>,
}

impl Expectation {
    /// A live one whose clock starts at `from`.
    #[must_use]
    pub fn open(
        owner: Owner,
        key: String,
        rule: Rule,
        incident: Option<IncidentId>,
        opened_by: String,
        from: Timestamp,
        length: Length,
    ) -> Self {
        Self {
            owner,
            key,
            occurrence: 1,
            rule,
            incident,
            opened_by,
            segments: vec![Segment { from, running: true, why: None }],
            length,
            next_look_at: after(from, rule.mark().map_or(length, |mark| Length::from_millis(length.as_millis() / 100 * mark))),
            standing: Standing::Live,
            settled_at: None,
            why: None,
        }
    }

    /// When it is missed; `None` while paused.
    #[must_use]
    pub fn deadline_at(&self) -> Option<Timestamp> {
        deadline(&self.segments, self.length)
    }
}

/// How an expectation of the owner is settled by an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settle {
    /// Whose.
    pub owner: Owner,
    /// Which: one key, or all that are live when absent.
    pub key: Option<String>,
    /// How.
    pub standing: Standing,
    /// Why, in words.
    pub why: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }
    fn segment(second: i64, running: bool) -> Segment {
        Segment { from: at(second), running, why: None }
    }

    #[test]
    fn a_pause_moves_the_deadline_by_its_length() {
        let ten = Length::from_secs(10);
        assert_eq!(deadline(&[segment(100, true)], ten), Some(at(110)));
        assert_eq!(deadline(&[segment(100, true), segment(104, false)], ten), None, "paused");
        assert_eq!(deadline(&[segment(100, true), segment(104, false), segment(200, true)], ten), Some(at(206)));
        assert_eq!(deadline(&[segment(100, true), segment(150, false)], ten), Some(at(110)), "it was over before the pause");
        assert_eq!(deadline(&[], ten), None);
    }

    #[test]
    fn every_rule_reads_back_from_its_name() {
        for rule in Rule::ALL {
            assert_eq!(Rule::from_name(rule.name()), Some(*rule));
        }
    }
}
