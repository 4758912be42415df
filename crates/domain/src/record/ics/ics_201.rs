//! ICS 201: what whoever takes over has to know first.

use super::{Filing, Form, Sheet, pairs, room, table, words, words_or_room};

pub(super) const FORM: Form = Form { id: "ics-201", number: "ICS 201", title: "Incident Briefing", fill };

fn fill(filing: &Filing<'_>) -> Vec<Sheet> {
    let (record, incident) = (filing.record, &filing.record.incident);
    let affected = incident.affected.iter().map(|one| format!("{}: {}", record.service(&one.service), one.impact));
    let situation = [format!("{}, {}", incident.severity.word(), incident.state.word()), incident.because.clone()];
    let last_told = record.updates.iter().rfind(|update| update.at < filing.to).map(|update| update.text.clone());
    let tasks = incident.tasks.iter().map(|task| {
        let at = filing.clock_or_nothing(task.ended_at.or(task.due_at));
        vec![at, format!("{} ({}): {}", filing.doer(task), task.state.word(), task.text)]
    });
    let roles = incident.roles.iter().filter_map(|role| Some(vec![filing.role_name(&role.role), record.person(role.person.as_deref()?)]));
    let resources = filing.resources().map(|one| {
        let times = [one.ordered_at, one.expected_at].map(|at| filing.clock_or_nothing(at));
        let [ordered, expected] = times;
        let arrived = filing.clock_or_nothing(one.arrived_at);
        let notes = [one.place.clone(), Some(one.state.words().to_owned()), one.note.clone()].into_iter().flatten().collect::<Vec<_>>();
        vec![one.called(), one.reference.clone().unwrap_or_default(), ordered, expected, arrived, notes.join("; ")]
    });
    let done = pairs(filing.key_events());
    vec![vec![
        filing.name("1"),
        filing.number("2"),
        words("3", "Date and time initiated", [filing.clock(incident.began())]),
        room("4", "Map or sketch", 12),
        words_or_room("5", "Situation summary, and health and safety briefing", situation.into_iter().chain(affected).chain(last_told), 6),
        filing.prepared("6", "Prepared by"),
        words_or_room("7", "Current and planned objectives", filing.objectives(), 4),
        table("8", "Current and planned actions, strategies and tactics", &["Time", "Action"], done.into_iter().chain(tasks).collect(), 3),
        table("9", "Current organization", &["Position", "Name"], roles.collect(), 3),
        table("10", "Resource summary", &["Resource", "Identifier", "Ordered", "Expected", "Arrived", "Notes"], resources.collect(), 3),
    ]]
}
