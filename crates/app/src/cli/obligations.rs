//! What regulators are owed of an incident, as `show` prints it.

use allclear_domain::view::{IncidentView, ObligationView, ReportView};
use jiff::Timestamp;

use super::terminal::{distance, instant, table};

/// Every obligation with its reports; nothing where there is none.
pub fn shown(incident: &IncidentView, now: Timestamp) -> String {
    if incident.obligations.is_empty() {
        return String::new();
    }
    let mut rows = Vec::new();
    for one in &incident.obligations {
        let counted: Vec<&ReportView> = one.reports.iter().filter(|report| report.due_at.is_some()).collect();
        if counted.is_empty() {
            rows.push(row(one, None, now));
        }
        rows.extend(counted.into_iter().map(|report| row(one, Some(report), now)));
    }
    let table = table(&["OBLIGATION", "RULE", "STANDS", "REPORT", "DUE", "SUBMITTED"], &rows);
    format!("\n{table}assumptions to be checked against their sources, and no legal advice\n")
}

fn row(one: &ObligationView, report: Option<&ReportView>, now: Timestamp) -> Vec<String> {
    let submitted = report.and_then(|report| report.submitted_at);
    let late = if report.is_some_and(|report| report.late) { " (late)" } else { "" };
    let due = report.and_then(|report| report.due_at).filter(|_| submitted.is_none() && one.state.is_open());
    let reference = report.and_then(|report| report.reference.as_ref()).map_or_else(String::new, |text| format!(", {text}"));
    vec![
        one.obligation.to_string(),
        format!("{} ({})", one.name, one.status.words()),
        one.state.words().to_owned(),
        report.map_or_else(|| "-".to_owned(), |report| format!("{}. {}", report.report, report.name)),
        due.map_or_else(|| "-".to_owned(), |at| format!("{} ({}){late}", instant(at), distance(now, at))),
        submitted.map_or_else(|| "-".to_owned(), |at| format!("{}{reference}{late}", instant(at))),
    ]
}
