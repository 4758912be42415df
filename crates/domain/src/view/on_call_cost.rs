//! What on-call cost people in a period, as they read it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::org::cost::{Carried, DEFINITIONS};
use crate::org::snapshot::Org;

/// What on-call cost people in a period: live pages alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = OnCallCost))]
pub struct OnCallCostView {
    /// Always `live`: drills and test pages are not in it.
    pub mode: String,
    pub from: Timestamp,
    pub to: Timestamp,
    /// Whether there was more than is read at once: then the figures are too low, and a shorter period has them whole.
    pub cut: bool,
    pub schedules: Vec<ScheduleCostView>,
    /// What each figure is.
    pub definitions: Vec<DefinitionView>,
}

/// A figure, and what it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = OnCallDefinition))]
pub struct DefinitionView {
    pub name: String,
    pub says: String,
}

/// What a schedule cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = ScheduleCost))]
pub struct ScheduleCostView {
    /// A schedule's id.
    pub schedule: String,
    pub name: String,
    pub team: Option<String>,
    /// How many people were on call or called: the population of its figures.
    pub people: u32,
    /// All of them together.
    pub total: CarriedView,
    /// Each of them, for whoever manages the team and for administrators; oneself alone, for everybody else.
    pub each: Vec<PersonCostView>,
}

/// What one person carried.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = PersonCost))]
pub struct PersonCostView {
    /// A person's id.
    pub person: String,
    pub name: String,
    pub carried: CarriedView,
}

/// The figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = OnCallCarried))]
pub struct CarriedView {
    pub shifts: u32,
    pub minutes: i64,
    pub nights: u32,
    pub weekend_days: u32,
    pub holidays: u32,
    pub calls: u32,
    /// To two decimals; null where there was no shift.
    pub calls_per_shift: Option<f64>,
    pub outside_hours: u32,
    pub interrupted_nights: u32,
    /// How many pages were acknowledged.
    pub acknowledged: u32,
    /// The median of how long those took, in seconds.
    pub acknowledge_s: Option<i64>,
}

impl OnCallCostView {
    /// The definitions of its figures.
    #[must_use]
    pub fn all_definitions() -> Vec<DefinitionView> {
        DEFINITIONS.iter().map(|(name, says)| DefinitionView { name: (*name).to_owned(), says: (*says).to_owned() }).collect()
    }
}

impl CarriedView {
    /// The figures as they are shown.
    #[must_use]
    pub fn of(carried: &Carried) -> Self {
        let per_shift = (f64::from(carried.calls) * 100.0 / f64::from(carried.shifts.max(1))).round() / 100.0;
        Self {
            shifts: carried.shifts,
            minutes: carried.time.as_mins(),
            nights: carried.nights,
            weekend_days: carried.weekend_days,
            holidays: carried.holidays,
            calls: carried.calls,
            calls_per_shift: (carried.shifts > 0).then_some(per_shift),
            outside_hours: carried.outside_hours,
            interrupted_nights: carried.interrupted_nights,
            acknowledged: carried.acknowledged,
            acknowledge_s: carried.acknowledge.map(|took| took.as_secs()),
        }
    }

    /// In the order of the definitions, each as it is shown.
    #[must_use]
    pub fn cells(&self) -> [String; 9] {
        let per_shift = self.calls_per_shift.map_or_else(String::new, |per| format!(" ({per} a shift)"));
        let took = self.acknowledge_s.map_or_else(
            || "none".to_owned(),
            |took| format!("{} (n = {})", crate::time::in_words(jiff::SignedDuration::from_secs(took), true), self.acknowledged),
        );
        [
            self.shifts.to_string(),
            (self.minutes / 60).to_string(),
            self.nights.to_string(),
            self.weekend_days.to_string(),
            self.holidays.to_string(),
            format!("{}{per_shift}", self.calls),
            self.outside_hours.to_string(),
            self.interrupted_nights.to_string(),
            took,
        ]
    }
}

impl PersonCostView {
    /// With the person's name.
    #[must_use]
    pub fn of(person: &str, carried: &Carried, org: &Org) -> Self {
        let name = org.person(person).map_or_else(|| person.to_owned(), |form| form.name.clone());
        Self { person: person.to_owned(), name, carried: CarriedView::of(carried) }
    }
}
