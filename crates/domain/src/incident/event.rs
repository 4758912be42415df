//! The facts of an incident's log. Each kind is a permanent format: a changed body is a new
//! version with its own reader, and `golden/event/` holds one file per kind and version.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::types::Severity;
use crate::event::event_kinds;
use crate::ids::{AlertId, IncidentId, PageId, ReviewId};
use crate::time::Length;

event_kinds! {
    /// A fact about an incident; past tense.
    Event {
        Proposed(Declared) = "proposed",
        Declared(Declared) = "declared",
        Promoted(Why) = "promoted",
        Acknowledged(Acknowledged) = "acknowledged",
        StillOnItAsked(StillOnItAsked) = "still_on_it_asked",
        StillOnIt(StillOnIt) = "still_on_it",
        Lost(Why) = "acknowledgement_aged",
        Escalated(Escalated) = "escalated",
        SeverityChanged(SeverityChanged) = "severity_changed",
        AlertsTold(AlertsTold) = "alerts_told",
        Recovered(Recovered) = "recovered",
        ConfirmationMissed(ConfirmationMissed) = "confirmation_missed",
        Mitigated(Noted) = "mitigated",
        Resolved(Resolved) = "resolved",
        Reopened(Why) = "reopened",
        Cancelled(Why) = "cancelled",
        Closed(Closed) = "closed",
        Merged(Link) = "merged",
        Absorbed(Link) = "absorbed",
        Noted(Noted) = "noted",
        Restricted(Restricted) = "restricted",
        OpenedUp(Why) = "opened_up",
        Admitted(Admitted) = "admitted",
        RoleOffered(RoleOffered) = "role_offered",
        RoleTaken(RoleTaken) = "role_taken",
        RoleLeft(RoleLeft) = "role_left",
        RoleUnanswered(RoleOffered) = "role_unanswered",
        RoleUnfilled(RoleUnfilled) = "role_unfilled",
        TaskAdded(TaskAdded) = "task_added",
        TaskAssigned(TaskAssigned) = "task_assigned",
        TaskDone(TaskEnded) = "task_done",
        TaskDropped(TaskEnded) = "task_dropped",
        TaskLate(TaskLate) = "task_late",
        Updated(Updated) = "update_posted",
        UpdateReminded(UpdateReminded) = "update_reminded",
        UpdateMissed(UpdateMissed) = "update_missed",
        Decided(Decided) = "decision_made",
        TimeCorrected(TimeCorrected) = "time_corrected",
        AlertLinked(AlertLinked) = "alert_linked",
        Renamed(Renamed) = "renamed",
        ReviewAsked(ReviewAsked) = "review_asked",
        AlertsSilenced(AlertsSilenced) = "alerts_silenced",
        AlertsUnsilenced(AlertsUnsilenced) = "alerts_unsilenced",
        AlertReturned(AlertReturned) = "alert_returned",
        Flapping(Flapping) = "flapping",
        Steadied(Steadied) = "steadied",
    }
}

/// Body of `declared` and `proposed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Declared {
    #[serde(rename = "ref")]
    pub reference: String,
    pub title: String,
    pub severity: Severity,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalation: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert: Option<AlertId>,
    pub because: String,
    /// Version of the organisation that decided.
    pub org_version: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub impact_started_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detected_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Length::is_zero")]
    pub group_wait: Length,
    /// How often its severity asks for updates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update_every: Option<Length>,
    /// How long it may be nobody's, where it was declared without a page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attend_within: Option<Length>,
}

/// A reason in words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Why {
    pub why: String,
}

/// Body of `acknowledged`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Acknowledged {
    /// A person's id; absent where a sender acknowledged without saying who.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// `link`, `api`, `sender`, …
    pub via: String,
    /// Whether nobody had before.
    pub first: bool,
    /// How long it lasts while nobody does anything about the incident.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lasts: Option<Length>,
}

/// Body of `still_on_it_asked`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StillOnItAsked {
    pub people: Vec<String>,
    /// How long they have before it pages again.
    pub within: Length,
}

/// Body of `still_on_it`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StillOnIt {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    pub via: String,
    /// How long that lasts while nobody does anything about the incident.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lasts: Option<Length>,
}

/// Body of `escalated`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Escalated {
    pub page: PageId,
    pub why: String,
}

/// Body of `severity_changed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeverityChanged {
    pub from: Severity,
    pub to: Severity,
    pub why: String,
    /// How often the new severity asks for updates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update_every: Option<Length>,
    /// How long an acknowledgement of the new severity lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lasts: Option<Length>,
}

/// Body of `alerts_told`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlertsTold {
    /// Joined since the log last told.
    pub joined: u64,
    /// Recovered since the log last told.
    pub recovered: u64,
    /// Open now.
    pub open: u64,
}

/// Body of `recovered`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recovered {
    /// Who is asked to confirm, where somebody is on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ask: Option<String>,
}

/// Body of `confirmation_missed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConfirmationMissed {}

/// Body of `resolved`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Resolved {
    /// Whether it recovered with nobody on it.
    pub by_itself: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Body of `closed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Closed {}

/// Body of `restricted`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Restricted {
    pub why: String,
    /// Ids of those who are admitted from the start: paged people, and whoever restricts it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<String>,
}

/// Body of `admitted`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Admitted {
    /// Ids.
    pub people: Vec<String>,
    pub why: String,
}

/// The other incident of a merge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Link {
    pub incident: IncidentId,
    #[serde(rename = "ref")]
    pub reference: String,
}

/// Body of `noted` and `mitigated`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Noted {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// Body of `role_offered` and `role_unanswered`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RoleOffered {
    pub role: String,
    /// A person's id.
    pub to: String,
}

/// Body of `role_taken`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RoleTaken {
    pub role: String,
    pub person: String,
    /// Who had it until now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Of command: how long it lasts while nobody does anything about the incident.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lasts: Option<Length>,
}

/// Body of `role_left`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RoleLeft {
    pub role: String,
    pub person: String,
}

/// Body of `role_unfilled`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RoleUnfilled {
    pub role: String,
}

/// Body of `task_added`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskAdded {
    /// From 1, within the incident.
    pub task: u32,
    pub text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
}

/// Body of `task_assigned`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskAssigned {
    pub task: u32,
    pub owner: String,
}

/// Body of `task_done` and `task_dropped`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskEnded {
    pub task: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Body of `task_late`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskLate {
    pub task: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

/// Body of `update_posted`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Updated {
    /// From 1, within the incident.
    pub number: u32,
    /// Ids of audiences; empty: it only stands in the log.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub audiences: Vec<String>,
    pub text: String,
    /// When the next one is promised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_by: Option<Timestamp>,
    pub org_version: u64,
}

/// Body of `update_reminded`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UpdateReminded {
    /// When it is due.
    pub due_at: Timestamp,
}

/// Body of `update_missed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UpdateMissed {
    /// When it was due.
    pub due_at: Timestamp,
}

/// Body of `decision_made`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decided {
    pub text: String,
    /// Whether it can be undone; absent where nobody said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reversible: Option<bool>,
}

/// An instant of an incident that people may correct.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Instant {
    ImpactStarted,
    Detected,
    Mitigated,
}

impl Instant {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::ImpactStarted, Self::Detected, Self::Mitigated];

    /// As written in the API.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::ImpactStarted => "impact_started",
            Self::Detected => "detected",
            Self::Mitigated => "mitigated",
        }
    }
}

/// Body of `time_corrected`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TimeCorrected {
    pub instant: Instant,
    /// Absent: it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    pub why: String,
}

/// Body of `alert_linked`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlertLinked {
    pub alert: AlertId,
    pub title: String,
}

/// Body of `renamed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Renamed {
    pub from: String,
    pub to: String,
}

/// Body of `review_asked`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReviewAsked {
    pub review: ReviewId,
    pub due_at: Timestamp,
}

/// Body of `alerts_silenced`: silences hold alerts of it from now on, or hold all that are left.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlertsSilenced {
    /// How many are held since now.
    pub alerts: u64,
    /// Ids of the silences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub silences: Vec<String>,
    /// Where no open alert is left that fires freely: nobody is paged until then at the earliest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_until: Option<Timestamp>,
}

/// Body of `alerts_unsilenced`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlertsUnsilenced {
    /// How many are held no more.
    pub alerts: u64,
    /// Whether silences hold all that is open even so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub held: bool,
}

/// Body of `alert_returned`: an alert that had ended came back within its grace.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlertReturned {
    pub alert: AlertId,
    pub title: String,
    /// How often in a row, with this time.
    pub returns: u32,
    /// Whether the incident had ended by itself, and is open again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reopened: bool,
}

/// Body of `flapping`: it comes and goes, and counts as firing until it has been quiet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Flapping {
    pub alert: AlertId,
    pub title: String,
    pub returns: u32,
    /// How long it has to stay as it is.
    pub quiet_for: Length,
}

/// Body of `steadied`: nothing changed for that long.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Steadied {
    /// Alerts that are open: it fires steadily.
    pub open: u64,
}
