//! ICS 211: who and what came.

use super::{Filing, Form, Sheet, room, table, words};

pub(super) const FORM: Form = Form { id: "ics-211", number: "ICS 211", title: "Incident Check-In List", fill };

fn fill(filing: &Filing<'_>) -> Vec<Sheet> {
    let (record, incident) = (filing.record, &filing.record.incident);
    let blank = String::new;
    let resources = filing.resources().filter_map(|one| {
        let arrived = one.arrived_at.filter(|at| *at < filing.to)?;
        Some(vec![
            one.called(),
            one.reference.clone().unwrap_or_default(),
            filing.clock(arrived),
            blank(),
            one.quantity.to_string(),
            blank(),
            filing.source(one),
            one.place.clone().unwrap_or_default(),
            blank(),
        ])
    });
    let people = incident.roles.iter().filter_map(|role| {
        let person = role.person.as_deref()?;
        let since = role.since.filter(|at| *at < filing.to);
        Some(vec![
            record.person(person),
            blank(),
            filing.clock_or_nothing(since),
            blank(),
            "1".to_owned(),
            blank(),
            blank(),
            filing.role_name(&role.role),
            blank(),
        ])
    });
    let head = &[
        "5 Resource or person",
        "6 Order request",
        "7 Checked in",
        "8 Leader",
        "9 Personnel",
        "10 Contact",
        "11 Home unit or agency",
        "14 Assignment",
        "15 Qualifications",
    ];
    vec![vec![
        filing.name("1"),
        filing.number("2"),
        room("3", "Check-in location", 1),
        words("4", "Start date and time", [filing.clock(filing.from)]),
        table("5–11, 14–15", "Check-in information", head, people.chain(resources).collect(), 4),
        table("12–13", "Departure and travel", &["12 Departure point, date and time", "13 Method of travel"], Vec::new(), 3),
        room("16", "Data provided to resources unit", 1),
        filing.prepared("17", "Prepared by"),
    ]]
}
