//! ICS 209: how it stands, for those above and outside.

use super::{Block, Filing, Form, Sheet, room, signature, table, words, words_or_room};
use crate::incident::resource::ResourceState;

pub(super) const FORM: Form = Form { id: "ics-209", number: "ICS 209", title: "Incident Status Summary", fill };

fn fill(filing: &Filing<'_>) -> Vec<Sheet> {
    let head = identity(filing);
    vec![head.into_iter().chain(place()).chain(summary(filing)).chain(decisions(filing)).collect()]
}

fn identity(filing: &Filing<'_>) -> Vec<Block> {
    let (record, incident) = (filing.record, &filing.record.incident);
    // The first of a period that began with it; the last once it is over.
    let version = match (filing.from <= incident.began(), incident.state.is_open()) {
        (true, true) => "Initial",
        (true, false) => "Initial and final",
        (false, true) => "Update",
        (false, false) => "Final",
    };
    let kind = incident.kind.as_ref().map(|kind| kind.name.clone());
    vec![
        filing.name("1"),
        filing.number("2"),
        words("3", "Report version", [version.to_owned()]),
        words("4", "Incident commander and organization", filing.holder("commander")),
        room("5", "Incident management organization", 1),
        words("6", "Incident start", [filing.clock(incident.began())]),
        words_or_room("7", "Current size or area involved", affected(filing), 1),
        words(
            "8",
            "Percent contained or completed",
            incident.restored.iter().map(|one| format!("{}: {} %", record.service(&one.service), one.percent)),
        ),
        words("9", "Incident definition", kind),
        words("10", "Incident complexity", [incident.severity.word().to_owned()]),
        Block { title: "For time period", ..filing.period("11") },
        filing.prepared("12", "Prepared by"),
        words("13", "Date and time submitted", []),
        signature("14", "Approved by"),
        room("15", "Sent to: location, organization or agency", 1),
    ]
}

/// Where it is: a record of services has no map.
fn place() -> Vec<Block> {
    vec![
        room("16", "State", 1),
        room("17", "County, parish or borough", 1),
        room("18", "City", 1),
        room("19", "Unit or other", 1),
        room("20", "Incident jurisdiction", 1),
        room("21", "Ownership of the location", 1),
        room("22", "Longitude and latitude", 1),
        room("23", "US national grid reference", 1),
        room("24", "Legal description", 1),
        room("25", "Short description of the location or area", 1),
        room("26", "UTM coordinates", 1),
        room("27", "Geospatial data that is included or attached", 1),
    ]
}

fn summary(filing: &Filing<'_>) -> Vec<Block> {
    let events = filing.key_events().into_iter().map(|(at, line)| format!("{at} {line}"));
    let people = |title, number| table(number, title, &["Status", "This period", "Total"], Vec::new(), 6);
    vec![
        words_or_room("28", "Significant events of the period", events, 6),
        room("29", "Primary materials or hazards involved", 2),
        words_or_room("30", "Damage assessment", affected(filing), 2),
        people("Public status", "31"),
        people("Responder status", "32"),
        room("33", "Life, safety and health: remarks", 2),
        room("34", "Life, safety and health: threat management", 2),
        room("35", "Weather concerns", 1),
        room("36", "Projected activity, potential, movement or spread in 12, 24, 48, 72 hours and beyond", 5),
        words_or_room("37", "Strategic objectives", filing.objectives(), 3),
    ]
}

fn decisions(filing: &Filing<'_>) -> Vec<Block> {
    let (record, incident) = (filing.record, &filing.record.incident);
    let needs = filing.resources().filter(|one| one.state == ResourceState::Wanted).map(|one| {
        let until = one.due_at.map_or_else(String::new, |at| format!(", by {}", filing.clock(at)));
        format!("{}{until}", one.called())
    });
    let discussed = incident.decisions.iter().filter(|one| one.stands && filing.is_within(one.at)).map(|one| one.text.clone());
    let planned = incident.tasks.iter().filter(|task| task.is_next()).map(|task| task.text.clone());
    let told = record
        .updates
        .iter()
        .filter(|update| filing.is_within(update.at))
        .map(|update| format!("{} {}", filing.clock(update.at), update.text));
    let resources = filing.resources().filter(|one| one.state == ResourceState::Arrived);
    let resources = resources.map(|one| vec![filing.source(one), one.called(), String::new(), String::new()]);
    vec![
        room("38", "Threat summary and risk in 12, 24, 48, 72 hours and beyond", 5),
        words_or_room("39", "Critical resource needs", needs, 3),
        words_or_room("40", "Strategic discussion", discussed, 3),
        words_or_room("41", "Planned actions for the next operational period", planned, 3),
        room("42", "Projected final size or area", 1),
        room("43", "Anticipated completion date", 1),
        room("44", "Projected start of significant demobilization", 1),
        room("45", "Estimated costs to date", 1),
        room("46", "Projected final cost", 1),
        words_or_room("47", "Remarks", told, 3),
        table(
            "48–52",
            "Resources: organization, resource, personnel, totals",
            &["Organization", "Resources", "Additional personnel", "Total"],
            resources.collect(),
            3,
        ),
        words_or_room(
            "53",
            "Other cooperating and assisting organizations",
            filing.parties().map(|party| record.organisation(&party.organisation)),
            2,
        ),
    ]
}

fn affected(filing: &Filing<'_>) -> Vec<String> {
    filing.record.incident.affected.iter().map(|one| format!("{}: {}", filing.record.service(&one.service), one.impact)).collect()
}
