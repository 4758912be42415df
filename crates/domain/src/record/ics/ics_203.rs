//! ICS 203: who has which position.

use super::{Filing, Form, Sheet, table};

pub(super) const FORM: Form = Form { id: "ics-203", number: "ICS 203", title: "Organization Assignment List", fill };

/// The head of a list of positions.
const POSITIONS: &[&str] = &["Position", "Name"];

/// Roles that stand in a block of their own; every other is one of operations, where the work is.
const COMMAND: &[(&str, &str)] = &[
    ("commander", "Incident commander"),
    ("deputy", "Deputy"),
    ("safety", "Safety officer"),
    ("communications", "Public information officer"),
    ("liaison", "Liaison officer"),
];
const PLANNING: &[(&str, &str)] = &[("planning", "Section chief"), ("scribe", "Documentation unit")];
const LOGISTICS: &[(&str, &str)] = &[("logistics", "Section chief")];
const OPERATIONS: &[(&str, &str)] = &[("operations", "Section chief")];
const FINANCE: &[(&str, &str)] = &[("finance", "Section chief")];

fn fill(filing: &Filing<'_>) -> Vec<Sheet> {
    let parties = filing.parties().map(|party| {
        let liaison = party.liaison.as_deref().map(|id| format!("our liaison: {}", filing.record.person(id))).unwrap_or_default();
        vec![filing.record.organisation(&party.organisation), liaison]
    });
    vec![vec![
        filing.name("1"),
        filing.period("2"),
        table("3", "Incident commander and command staff", POSITIONS, positions(filing, COMMAND), 0),
        table("4", "Representatives of agencies and organizations", &["Organization", "Name"], parties.collect(), 2),
        table("5", "Planning section", POSITIONS, positions(filing, PLANNING), 2),
        table("6", "Logistics section", POSITIONS, positions(filing, LOGISTICS), 2),
        table("7", "Operations section", POSITIONS, operations(filing), 2),
        table("8", "Finance and administration section", POSITIONS, positions(filing, FINANCE), 2),
        filing.prepared("9", "Prepared by"),
    ]]
}

/// Each position with whoever has it; one that nobody has is room for a name.
fn positions(filing: &Filing<'_>, of: &[(&str, &str)]) -> Vec<Vec<String>> {
    of.iter().map(|(role, position)| vec![(*position).to_owned(), filing.holder(role).unwrap_or_default()]).collect()
}

fn operations(filing: &Filing<'_>) -> Vec<Vec<String>> {
    let elsewhere = [COMMAND, PLANNING, LOGISTICS, OPERATIONS, FINANCE].concat();
    let others = filing.record.incident.roles.iter().filter(|role| !elsewhere.iter().any(|(known, _)| *known == role.role));
    let others = others.filter_map(|role| Some(vec![filing.role_name(&role.role), filing.record.person(role.person.as_deref()?)]));
    positions(filing, OPERATIONS).into_iter().chain(others).collect()
}
