//! ICS 214: what was done, minute by minute.

use super::{Filing, Form, Sheet, pairs, table, words};

pub(super) const FORM: Form = Form { id: "ics-214", number: "ICS 214", title: "Activity Log", fill };

fn fill(filing: &Filing<'_>) -> Vec<Sheet> {
    let (record, incident) = (filing.record, &filing.record.incident);
    let assigned = incident
        .roles
        .iter()
        .filter_map(|role| Some(vec![record.person(role.person.as_deref()?), filing.role_name(&role.role), String::new()]));
    let position = filing.by.and_then(|by| filing.roles_of(by));
    vec![vec![
        filing.name("1"),
        filing.period("2"),
        words("3", "Name", filing.by.map(|by| record.person(by))),
        words("4", "ICS position", position),
        words("5", "Home agency and unit", []),
        table("6", "Resources assigned", &["Name", "ICS position", "Home agency and unit"], assigned.collect(), 1),
        table("7", "Activity log", &["Date and time", "Notable activities"], pairs(filing.activities()), 3),
        filing.prepared("8", "Prepared by"),
    ]]
}
