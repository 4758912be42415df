//! ICS 207: who stands under whom. Drawn as a list of positions, each under the one above it.

use super::{Filing, Form, Sheet, table};

pub(super) const FORM: Form = Form { id: "ics-207", number: "ICS 207", title: "Incident Organization Chart", fill };

/// A position, the role that fills it, and the position above.
const CHART: &[(&str, &str, &str)] = &[
    ("Incident commander", "commander", ""),
    ("Deputy", "deputy", "Incident commander"),
    ("Liaison officer", "liaison", "Incident commander"),
    ("Safety officer", "safety", "Incident commander"),
    ("Public information officer", "communications", "Incident commander"),
    ("Operations section chief", "operations", "Incident commander"),
    ("Planning section chief", "planning", "Incident commander"),
    ("Documentation unit", "scribe", "Planning section chief"),
    ("Logistics section chief", "logistics", "Incident commander"),
    ("Finance and administration section chief", "finance", "Incident commander"),
];

fn fill(filing: &Filing<'_>) -> Vec<Sheet> {
    let usual = CHART
        .iter()
        .map(|(position, role, above)| vec![(*position).to_owned(), filing.holder(role).unwrap_or_default(), (*above).to_owned()]);
    let others = filing.record.incident.roles.iter().filter(|role| !CHART.iter().any(|(_, known, _)| *known == role.role));
    let others = others.filter_map(|role| {
        let person = filing.record.person(role.person.as_deref()?);
        Some(vec![filing.role_name(&role.role), person, "Operations section chief".to_owned()])
    });
    vec![vec![
        filing.name("1"),
        filing.period("2"),
        table("3", "Organization chart", &["Position", "Name", "Reports to"], usual.chain(others).collect(), 4),
        filing.prepared("4", "Prepared by"),
    ]]
}
