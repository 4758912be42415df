//! ICS 204: what is to be done, by whom, with what.

use super::{Filing, Form, Sheet, room, table, words};
use crate::incident::work::TaskState;

pub(super) const FORM: Form = Form { id: "ics-204", number: "ICS 204", title: "Assignment List", fill };

fn fill(filing: &Filing<'_>) -> Vec<Sheet> {
    let (record, incident) = (filing.record, &filing.record.incident);
    let team = incident.service.as_deref().and_then(|id| record.org.service(id)?.team.as_deref()).and_then(|id| record.org.team(id));
    let personnel = [("operations", "Operations section chief"), ("commander", "Incident commander")]
        .map(|(role, position)| vec![position.to_owned(), filing.holder(role).unwrap_or_default(), String::new()]);
    let resources = filing
        .resources()
        .map(|one| vec![one.called(), String::new(), String::new(), filing.source(one), one.place.clone().unwrap_or_default()]);
    // What was given in the period, and what was open when it began.
    let tasks = incident.tasks.iter().filter(|task| task.added_at < filing.to && task.ended_at.is_none_or(|at| at >= filing.from));
    let tasks = tasks.map(|task| {
        let due = if task.state == TaskState::Open { filing.clock_or_nothing(task.due_at) } else { task.state.word().to_owned() };
        vec![filing.doer(task), task.text.clone(), due]
    });
    vec![vec![
        filing.name("1"),
        filing.period("2"),
        words("3", "Branch, division, group or staging area", team.map(|team| team.name.clone())),
        table("4", "Operations personnel", &["Position", "Name", "Contact"], personnel.to_vec(), 1),
        table(
            "5",
            "Resources assigned",
            &["Resource", "Leader", "Persons", "Contact", "Reporting place, equipment, remarks"],
            resources.collect(),
            3,
        ),
        table("6", "Work assignments", &["Who", "What", "Until"], tasks.collect(), 3),
        room("7", "Special instructions", 4),
        table("8", "Communications", &["Name or function", "Contact"], Vec::new(), 4),
        filing.prepared("9", "Prepared by"),
    ]]
}
