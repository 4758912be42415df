//! What people read of reviews, actions and trends.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::action;
use crate::action::Action;
use crate::incident::Incident;
use crate::incident::clock::Clock;
use crate::review;
use crate::review::Review;
use crate::severity::Severity;

/// A post-incident review.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Review))]
pub struct ReviewView {
    pub id: String,
    pub incident: String,
    #[serde(rename = "ref")]
    pub reference: String,
    pub title: String,
    pub severity: Severity,
    pub service: Option<String>,
    pub state: review::State,
    /// A person's id.
    pub owner: Option<String>,
    pub due_at: Timestamp,
    pub opened_at: Timestamp,
    pub published_at: Option<Timestamp>,
    /// Markdown; until somebody edits it, drafted from the log. Null in lists.
    pub text: Option<String>,
    /// Whether somebody has edited it.
    pub edited: bool,
    pub late: bool,
    pub version: u64,
}

impl ReviewView {
    /// Of a folded review and its incident, with its text as kept.
    #[must_use]
    pub fn of(r: &Review, incident: &Incident, version: u64) -> Self {
        Self {
            id: r.id.to_string(),
            incident: r.incident.to_string(),
            reference: r.reference.clone(),
            title: incident.title.clone(),
            severity: incident.severity,
            service: incident.service.clone(),
            state: r.state,
            owner: r.owner.clone(),
            due_at: r.due_at,
            opened_at: r.opened_at,
            published_at: r.published_at,
            edited: r.text.is_some(),
            text: r.text.clone(),
            late: r.late,
            version,
        }
    }
}

/// A corrective action.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Action))]
pub struct ActionView {
    pub id: String,
    /// The incident it came from.
    pub incident: Option<String>,
    #[serde(rename = "ref")]
    pub reference: Option<String>,
    pub text: String,
    /// A person's id.
    pub owner: String,
    /// From when on it is late.
    pub due_at: Timestamp,
    /// The last day for it, where a day was promised and not an instant: the same for every reader. It ends where
    /// the owner is.
    pub due_on: Option<Date>,
    pub state: action::State,
    pub added_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    /// How it was done, or why it was dropped.
    pub note: Option<String>,
    pub late: bool,
    pub version: u64,
}

impl ActionView {
    /// Of a folded action.
    #[must_use]
    pub fn of(a: &Action, version: u64) -> Self {
        Self {
            id: a.id.to_string(),
            incident: a.incident.map(|id| id.to_string()),
            reference: a.reference.clone(),
            text: a.text.clone(),
            owner: a.owner.clone(),
            due_at: a.due_at,
            due_on: a.due_on,
            state: a.state,
            added_at: a.added_at,
            ended_at: a.ended_at,
            note: a.note.clone(),
            late: a.late,
            version,
        }
    }
}

/// Counts and durations of incidents that were declared in a period. Durations are of those whose
/// two instants are both known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Trend))]
pub struct TrendView {
    pub from: Timestamp,
    pub to: Timestamp,
    /// Declared in the period; cancelled and merged ones are left out.
    pub incidents: u64,
    /// How often a team took one of them over from another.
    #[serde(default)]
    pub hand_overs: u64,
    /// How often that was a team that had had it before.
    #[serde(default)]
    pub ping_pongs: u64,
    /// How many of them were reopened, by us or by whoever had reported them.
    #[serde(default)]
    pub reopened: u64,
    /// How often that was, all together.
    #[serde(default)]
    pub reopenings: u64,
    /// Declared per week, oldest first: the week's Monday (UTC) and how many of each severity.
    pub weeks: Vec<TrendWeek>,
    /// By severity, then by service.
    pub by_severity: Vec<TrendRow>,
    pub by_service: Vec<TrendRow>,
    /// How often each clock of each target was kept and missed, the worst severity first; what was over before it could be
    /// met, and what still runs, is left out.
    #[serde(default)]
    pub targets: Vec<TrendTarget>,
}

/// A clock of a target, of incidents of one severity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TrendTarget {
    pub severity: Severity,
    /// The target's id.
    pub target: String,
    #[cfg_attr(feature = "schema", schema(inline))]
    pub clock: Clock,
    pub kept: u64,
    pub missed: u64,
}

/// One week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TrendWeek {
    pub monday: jiff::civil::Date,
    /// sev1 … sev5.
    pub counts: [u64; 5],
}

/// One group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TrendRow {
    pub name: String,
    pub incidents: u64,
    /// Declared to acknowledged.
    pub acknowledge: DurationSummary,
    /// Impact start, or declared where that is unknown, to mitigated.
    pub mitigate: DurationSummary,
    /// Declared to resolved.
    pub resolve: DurationSummary,
}

/// How long something took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DurationSummary {
    /// How many are known.
    pub n: u64,
    pub median_s: Option<i64>,
    pub p90_s: Option<i64>,
}
