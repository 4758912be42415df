//! What regulators are owed of an incident, and how long its services may be affected, as `show` prints it.

use allclear_domain::view::{IncidentView, ObligationView, ReportView};
use jiff::Timestamp;

use super::terminal::{distance, instant, table};

/// How long its services may be affected; nothing where none has an objective.
pub fn objectives(incident: &IncidentView, now: Timestamp) -> String {
    if incident.objectives.is_empty() {
        return String::new();
    }
    let rows = incident.objectives.iter().map(|one| {
        let stands = match (one.missed_at, one.ended_at) {
            (Some(_), _) => "missed",
            (None, Some(_)) => "ended in time",
            (None, None) => "runs",
        };
        vec![
            one.called(&one.service),
            one.within.to_string(),
            stands.to_owned(),
            format!("{} ({})", instant(one.due_at), distance(now, one.due_at)),
        ]
    });
    format!("\n{}", table(&["RECOVERY OBJECTIVE", "WITHIN", "STANDS", "DUE"], &rows.collect::<Vec<_>>()))
}

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
