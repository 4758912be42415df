//! ICS 206: where the injured are helped. The record has nothing of it: it is written in.

use super::{Filing, Form, Sheet, room, signature, table};

pub(super) const FORM: Form = Form { id: "ics-206", number: "ICS 206", title: "Medical Plan", fill };

fn fill(filing: &Filing<'_>) -> Vec<Sheet> {
    vec![vec![
        filing.name("1"),
        filing.period("2"),
        table("3", "Medical aid stations", &["Name", "Location", "Contact", "Paramedics on site?"], Vec::new(), 4),
        table("4", "Transportation", &["Ambulance service", "Location", "Contact", "Level of service"], Vec::new(), 4),
        table("5", "Hospitals", &["Name", "Address", "Contact", "Travel time", "Trauma center", "Burn center", "Helipad"], Vec::new(), 4),
        room("6", "Special medical emergency procedures", 5),
        filing.prepared("7", "Prepared by (medical unit leader)"),
        signature("8", "Approved by (safety officer)"),
    ]]
}
