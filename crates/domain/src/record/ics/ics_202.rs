//! ICS 202: what is to be reached in the period.

use super::{Filing, Form, Sheet, room, signature, words_or_room};

pub(super) const FORM: Form = Form { id: "ics-202", number: "ICS 202", title: "Incident Objectives", fill };

fn fill(filing: &Filing<'_>) -> Vec<Sheet> {
    let incident = &filing.record.incident;
    let decided = incident.decisions.iter().filter(|one| one.stands && one.at < filing.to).map(|one| one.text.clone());
    let plans = incident.plans.iter().map(|plan| format!("{}, version {}", plan.name, plan.version));
    vec![vec![
        filing.name("1"),
        filing.period("2"),
        words_or_room("3", "Objectives", filing.objectives(), 8),
        words_or_room("4", "Command emphasis for the period, and general situational awareness", decided, 6),
        room("5", "Is a site safety plan required? Where is it kept?", 2),
        words_or_room("6", "Incident action plan: what is attached", plans, 3),
        filing.prepared("7", "Prepared by"),
        signature("8", "Approved by incident commander"),
    ]]
}
