//! ICS 221: how something goes home. A sheet for each resource that is there or was released in the period; an empty one where there
//! is none.

use super::{Filing, Form, Sheet, room, table, words, words_or_room};
use crate::incident::resource::ResourceState;
use crate::view::ResourceView;

pub(super) const FORM: Form = Form { id: "ics-221", number: "ICS 221", title: "Demobilization Check-Out", fill };

/// Who says that they have nothing left with it.
const SIGN_OFFS: [&str; 5] =
    ["Logistics section", "Finance and administration section", "Other section or staff", "Planning section", "Other"];

fn fill(filing: &Filing<'_>) -> Vec<Sheet> {
    let leaves = |one: &&ResourceView| match one.state {
        ResourceState::Arrived => true,
        ResourceState::Released => one.ended_at.is_some_and(|at| filing.is_within(at)),
        ResourceState::Wanted | ResourceState::Ordered | ResourceState::OnTheWay | ResourceState::Withdrawn => false,
    };
    let sheets: Vec<Sheet> = filing.resources().filter(leaves).map(|one| sheet(filing, Some(one))).collect();
    if sheets.is_empty() { vec![sheet(filing, None)] } else { sheets }
}

fn sheet(filing: &Filing<'_>, of: Option<&ResourceView>) -> Sheet {
    let released = of.and_then(|one| one.ended_at).map(|at| filing.clock(at));
    let sign_offs = SIGN_OFFS.map(|section| vec![section.to_owned(), String::new(), String::new(), String::new()]);
    let home = of.map(|one| filing.source(one));
    vec![
        filing.name("1"),
        filing.number("2"),
        words("3", "Planned release date and time", released),
        words("4", "Resource or personnel released", of.map(ResourceView::called)),
        words("5", "Order request number", of.and_then(|one| one.reference.clone())),
        table("6", "Released by", &["Section", "Remarks", "Name", "Signature"], sign_offs.to_vec(), 0),
        words_or_room("7", "Remarks", of.and_then(|one| one.note.clone()), 3),
        words_or_room("8", "Travel: departure, destination, arrival, method, contact, manifest", home, 4),
        room("9", "Reassignment: incident, location, order request", 3),
        filing.prepared("10", "Prepared by"),
    ]
}
