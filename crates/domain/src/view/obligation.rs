//! What people read of what regulators are owed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::incident::Incident;
use crate::incident::obliged::{Obligation, ObligationState, Report};
use crate::obligation::Status;

/// An obligation of an incident: an assumption to be checked against its source, and no legal advice. Instants are null where
/// unknown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Obligation))]
pub struct ObligationView {
    /// From 1, within its incident.
    pub obligation: u32,
    /// Its id in the organisation file.
    pub form: String,
    /// What people call it.
    pub name: String,
    #[cfg_attr(feature = "schema", schema(inline))]
    pub state: ObligationState,
    pub regime: String,
    /// The shipped rule, and the version with which it began here.
    pub rule: String,
    pub version: String,
    /// How the rule stands.
    #[cfg_attr(feature = "schema", schema(inline))]
    pub status: Status,
    pub source: String,
    /// What has to have happened, and from when its time counts.
    pub trigger: String,
    pub starts_at: String,
    /// Whom it is reported to, in the rule's words.
    pub recipient: String,
    /// The organisation that this is, where one was chosen.
    pub organisation: Option<String>,
    /// The calendar whose days count.
    pub calendar: Option<String>,
    /// What is assumed.
    pub assumes: String,
    /// Why its first report has a time of its own.
    pub own_time: Option<String>,
    /// Why it may apply, where a rule found so.
    pub because: Option<String>,
    pub proposed_at: Timestamp,
    /// Since when somebody was aware, as was decided last.
    pub aware_at: Option<Timestamp>,
    pub decided_at: Option<Timestamp>,
    /// Who decided: a person's id.
    pub decided_by: Option<String>,
    pub why: Option<String>,
    /// What it asks for, in that order.
    pub reports: Vec<ReportView>,
}

/// A report that a rule asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = ObligationReport))]
pub struct ReportView {
    /// From 1, within its obligation.
    pub report: u32,
    pub name: String,
    /// How long it may take, as in `72 hours`: the first from awareness, each other from the submission before it.
    pub within: String,
    /// Null before its time counts.
    pub due_at: Option<Timestamp>,
    /// Whether it was missed, or submitted too late.
    pub late: bool,
    pub missed_at: Option<Timestamp>,
    pub submitted_at: Option<Timestamp>,
    /// A person's id.
    pub submitted_by: Option<String>,
    pub reference: Option<String>,
    pub evidence: Option<String>,
    /// What it has to say.
    pub content: Vec<ContentView>,
}

/// Something that a report has to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = ObligationContent))]
pub struct ContentView {
    /// From 1, within its report.
    pub item: u32,
    pub text: String,
    /// Whether somebody said, submitting it, that it says so.
    pub said: bool,
}

impl ObligationView {
    /// The report that is to be submitted next.
    #[must_use]
    pub fn owed(&self) -> Option<&ReportView> {
        let next = || self.reports.iter().find(|report| report.submitted_at.is_none() && report.due_at.is_some());
        if self.state == ObligationState::Applies { next() } else { None }
    }

    fn of(one: &Obligation) -> Self {
        let (rule, awareness) = (&one.rule, one.awareness.as_ref());
        let reports = (1_u32..).zip(&rule.reports).map(|(number, asked)| {
            let found = one.report(number);
            let submitted = found.and_then(|report| report.submitted.as_ref());
            let said = |item: u32| submitted.is_some_and(|done| done.items.contains(&item));
            let content = (1_u32..).zip(&asked.content).map(|(item, text)| ContentView { item, text: text.clone(), said: said(item) });
            ReportView {
                report: number,
                name: asked.name.clone(),
                within: asked.within.to_string(),
                due_at: found.map(|report| report.due_at),
                late: found.is_some_and(Report::is_late),
                missed_at: found.and_then(|report| report.missed_at),
                submitted_at: submitted.map(|done| done.at),
                submitted_by: submitted.and_then(|done| done.by.clone()),
                reference: submitted.and_then(|done| done.reference.clone()),
                evidence: submitted.and_then(|done| done.evidence.clone()),
                content: content.collect(),
            }
        });
        Self {
            obligation: one.obligation,
            form: one.form.clone(),
            name: rule.name.clone(),
            state: one.state,
            regime: rule.regime.clone(),
            rule: rule.rule.clone(),
            version: rule.version.clone(),
            status: rule.status,
            source: rule.source.clone(),
            trigger: rule.trigger.clone(),
            starts_at: rule.starts_at.clone(),
            recipient: rule.recipient.clone(),
            organisation: rule.organisation.clone(),
            calendar: rule.calendar.clone(),
            assumes: rule.assumes.clone(),
            own_time: rule.own_time.clone(),
            because: one.because.clone(),
            proposed_at: one.proposed_at,
            aware_at: awareness.map(|one| one.aware_at),
            decided_at: awareness.map(|one| one.decided_at),
            decided_by: awareness.and_then(|one| one.by.clone()),
            why: awareness.map(|one| one.why.clone()),
            reports: reports.collect(),
        }
    }
}

/// Obligations of an incident, in the order in which they were proposed.
pub(super) fn obligations_of(incident: &Incident) -> Vec<ObligationView> {
    incident.work.obligations.iter().map(ObligationView::of).collect()
}
