//! How far the services of an incident are back, and what those outside who reported it say.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::incident::Incident;
use crate::incident::reporting::{Word, WordOf};
use crate::incident::running::ServiceBack;

/// How far a service is back, as somebody said last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = ServiceBack))]
pub struct ServiceBackView {
    /// Its id.
    pub service: String,
    /// Of what it gives when all is well: 0 to 100.
    pub percent: u8,
    /// What is left of its backlog; 0 where it is cleared, absent where nobody said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub backlog: Option<u64>,
    /// Whether nothing of it holds up the end any more.
    pub through: bool,
    /// Whether it is to be said again, since the incident was reopened.
    pub again: bool,
    pub said_at: Timestamp,
    /// Whose word that is: a person's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub note: Option<String>,
    /// Why it may stay so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub waived: Option<String>,
}

/// What those outside who reported an incident say and are told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Reports))]
pub struct ReportsView {
    /// For how many of them it is fixed.
    pub agreed: usize,
    /// How often they reopened it.
    pub reopened: u32,
    /// In the order of time.
    pub words: Vec<ReportWordView>,
}

/// What was said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = ReportWord))]
pub struct ReportWordView {
    /// The report whose sender said it: an alert's id; absent where everybody was told it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub report: Option<String>,
    pub text: String,
    pub at: Timestamp,
}

pub(super) fn restored_of(incident: &Incident) -> Vec<ServiceBackView> {
    let view = |one: &ServiceBack| ServiceBackView {
        service: one.service.clone(),
        percent: one.percent,
        backlog: one.backlog,
        through: one.is_through(),
        again: one.again,
        said_at: one.said_at,
        by: one.by.clone(),
        note: one.note.clone(),
        waived: one.waived.clone(),
    };
    incident.work.restored.iter().map(view).collect()
}

pub(super) fn reports_of(incident: &Incident) -> Option<ReportsView> {
    let reports = &incident.work.reports;
    let word = |word: &Word| ReportWordView {
        report: if let WordOf::Report(id) = word.of { Some(id.to_string()) } else { None },
        text: word.text.clone(),
        at: word.at,
    };
    incident.is_reported().then(|| ReportsView {
        agreed: reports.agreed.len(),
        reopened: reports.reopened,
        words: reports.words.iter().map(word).collect(),
    })
}
