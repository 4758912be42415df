//! What is known of a calendar that others keep: how old what is here of it is, and what of it cannot be read.

use jiff::Timestamp;
use serde::Serialize;

/// A calendar that others keep, of a schedule that names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = ExternalCalendar))]
pub struct ExternalCalendarView {
    pub id: String,
    pub name: String,
    /// Whether it is read from an address; else its text was given.
    pub is_read: bool,
    /// When it was read last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_at: Option<Timestamp>,
    /// Since when it cannot be read; what was read before counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failing_since: Option<Timestamp>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Why nobody is on call by it at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<String>,
    /// Events that cannot be read, the first of them.
    pub faults: Vec<String>,
    /// How many.
    pub faults_count: u32,
    /// Events of the next eight weeks that mean nobody who is known, the first of them.
    pub strangers: Vec<StrangerView>,
    /// Whether more takes place than is read.
    pub is_cut: bool,
}

/// An event that means nobody who is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Stranger))]
pub struct StrangerView {
    /// What it is called.
    pub summary: String,
    /// What it says of whom nobody is known.
    pub said: Vec<String>,
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
}
