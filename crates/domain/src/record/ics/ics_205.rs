//! ICS 205: over which channels people speak. The record has no radio channels: they are written in.

use super::{Filing, Form, Sheet, room, table, words};

pub(super) const FORM: Form = Form { id: "ics-205", number: "ICS 205", title: "Incident Radio Communications Plan", fill };

fn fill(filing: &Filing<'_>) -> Vec<Sheet> {
    let head =
        &["Zone, group", "Channel", "Function", "Name or talkgroup", "Assignment", "Receives", "Tone", "Sends", "Tone", "Mode", "Remarks"];
    vec![vec![
        filing.name("1"),
        words("2", "Date and time prepared", [filing.clock(filing.record.made_at)]),
        filing.period("3"),
        table("4", "Basic radio channel use", head, Vec::new(), 8),
        room("5", "Special instructions", 4),
        filing.prepared("6", "Prepared by (communications unit leader)"),
    ]]
}
