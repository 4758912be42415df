//! What people read of a schedule over a range, and of what a change of it would do.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::OverrideView;
use crate::oncall::{Difference, Gap, Lane, Shift, TemporaryLane, Turn};
use crate::org::load::Load;
use crate::org::snapshot::Org;

/// A schedule between two instants: who is on call, and what lies beneath that.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Timetable))]
pub struct TimetableView {
    pub schedule: String,
    pub name: String,
    pub time_zone: String,
    pub from: Timestamp,
    /// The end of what is told: earlier than asked where there is more than one answer holds.
    pub to: Timestamp,
    /// Whether there was more; ask again from `to`.
    pub cut: bool,
    /// By their start. Of several who are on at once each has a shift.
    pub on_call: Vec<ShiftView>,
    pub gaps: Vec<GapView>,
    /// Each layer by itself, the lowest first; the last with somebody on has the turn.
    pub layers: Vec<LaneView>,
    /// Temporary schedules that hold in the range, in the place of the layers.
    pub temporary: Vec<TemporaryLaneView>,
    /// Overrides that touch the range, whole.
    pub overrides: Vec<OverrideView>,
    /// Who of the schedule is away, as far as it is in the range.
    pub away: Vec<AwayView>,
    /// What each carries of the range, who carries most first.
    pub load: Vec<LoadView>,
}

/// Somebody is on call for a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Shift))]
pub struct ShiftView {
    pub person: String,
    /// Null where there is no such person any more.
    pub name: Option<String>,
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    /// The layer or the override.
    pub because: String,
}

/// Nobody is on call for a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Gap))]
pub struct GapView {
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    /// An override has nobody on; else no layer is on.
    pub by_override: bool,
}

/// A layer by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Lane))]
pub struct LaneView {
    /// Its number, from 1.
    pub layer: usize,
    pub name: Option<String>,
    pub turns: Vec<TurnView>,
}

/// What stands in the place of the layers for a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = TemporaryLane))]
pub struct TemporaryLaneView {
    pub id: String,
    pub name: Option<String>,
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    /// Those of the range.
    pub turns: Vec<TurnView>,
}

/// A temporary schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = TemporarySchedule))]
pub struct TemporaryView {
    pub id: String,
    pub schedule: String,
    pub name: Option<String>,
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    /// Whose turns it has.
    pub people: Vec<String>,
    /// Whether the asker may take it back.
    pub may_end: bool,
}

/// A turn of a layer, whether or not something stands above it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Turn))]
pub struct TurnView {
    pub person: String,
    pub name: Option<String>,
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
}

/// Somebody of the schedule is away for a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Away))]
pub struct AwayView {
    pub person: String,
    pub name: Option<String>,
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    /// Whether they are on call for some of it.
    pub needs_cover: bool,
    /// What the public holiday is called that they have off; null where they are away.
    pub holiday: Option<String>,
}

/// What somebody carries of a range, whether or not they were called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = OnCallLoad))]
pub struct LoadView {
    pub person: String,
    pub name: Option<String>,
    /// Minutes on call.
    pub minutes: i64,
    /// Nights of their own clock, from 22:00 to 06:00, of which they are on call for an hour or more.
    pub nights: u32,
    /// The same of Saturdays and Sundays.
    pub weekend_days: u32,
    /// The same of public holidays that they have off.
    pub holidays: u32,
}

impl LoadView {
    /// With the person's name.
    #[must_use]
    pub fn of(load: &Load, org: &Org) -> Self {
        Self {
            person: load.person.clone(),
            name: name(org, &load.person),
            minutes: load.time.as_mins(),
            nights: load.nights,
            weekend_days: load.weekend_days,
            holidays: load.holidays,
        }
    }
}

/// Other people are on call than before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = OnCallDifference))]
pub struct DifferenceView {
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    /// Ids of who is on call as it stands; nobody, where empty.
    pub was: Vec<String>,
    pub will_be: Vec<String>,
    /// The same in words: `Ben instead of Ana`.
    pub says: String,
}

/// What a schedule would be with a change that is not saved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = SchedulePreview))]
pub struct SchedulePreviewView {
    pub schedule: String,
    pub from: Timestamp,
    /// How far it was looked: earlier than eight weeks where turns are very short.
    pub to: Timestamp,
    /// Where nobody would be on call.
    pub gaps: Vec<GapView>,
    /// Where other people would be on call than as it stands.
    pub changes: Vec<DifferenceView>,
    /// Who would be on call.
    pub on_call: Vec<ShiftView>,
}

fn name(org: &Org, person: &str) -> Option<String> {
    org.person(person).map(|form| form.name.clone())
}

impl ShiftView {
    /// With the person's name.
    #[must_use]
    pub fn of(shift: &Shift, org: &Org) -> Self {
        Self {
            person: shift.person.clone(),
            name: name(org, &shift.person),
            starts_at: shift.starts_at,
            ends_at: shift.ends_at,
            because: shift.because.to_string(),
        }
    }
}

impl From<&Gap> for GapView {
    fn from(gap: &Gap) -> Self {
        Self { starts_at: gap.starts_at, ends_at: gap.ends_at, by_override: gap.by_override }
    }
}

impl LaneView {
    /// With the people's names.
    #[must_use]
    pub fn of(lane: &Lane, org: &Org) -> Self {
        Self { layer: lane.index + 1, name: lane.name.clone(), turns: lane.turns.iter().map(|turn| TurnView::of(turn, org)).collect() }
    }
}

impl TurnView {
    fn of(turn: &Turn, org: &Org) -> Self {
        Self { person: turn.person.clone(), name: name(org, &turn.person), starts_at: turn.starts_at, ends_at: turn.ends_at }
    }
}

impl TemporaryLaneView {
    /// With the people's names.
    #[must_use]
    pub fn of(lane: &TemporaryLane, org: &Org) -> Self {
        Self {
            id: lane.id.clone(),
            name: lane.name.clone(),
            starts_at: lane.starts_at,
            ends_at: lane.ends_at,
            turns: lane.turns.iter().map(|turn| TurnView::of(turn, org)).collect(),
        }
    }
}

impl DifferenceView {
    /// With the people's names in its words.
    #[must_use]
    pub fn of(difference: &Difference, org: &Org) -> Self {
        let called = |id: &str| name(org, id).unwrap_or_else(|| id.to_owned());
        Self {
            starts_at: difference.starts_at,
            ends_at: difference.ends_at,
            was: difference.was.clone(),
            will_be: difference.will_be.clone(),
            says: difference.says(called),
        }
    }
}
