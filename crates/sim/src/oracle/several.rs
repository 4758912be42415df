//! How incidents stand to each other, and what runs beside them, as their logs tell it.

use std::collections::BTreeSet;

use jiff::Timestamp;

/// What an incident's log tells of offers, reports to regulators and recovery objectives.
#[derive(Debug, Clone, Default)]
pub struct SeveralModel {
    /// To which team it is offered, since when, and whether that team was paged.
    pub(crate) offer: Option<(String, Timestamp, bool)>,
    /// How often a team took it.
    pub(crate) taken: u32,
    /// Reports and times of theirs that were missed.
    pub(crate) missed_reports: BTreeSet<(u32, u32, Timestamp)>,
    /// Objectives of services and times of theirs that were missed.
    pub(crate) missed_objectives: BTreeSet<(String, String, Timestamp)>,
}
