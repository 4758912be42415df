//! ICS 208: what endangers those who work on it. The record has nothing of it: it is written in.

use super::{Filing, Form, Sheet, room};

pub(super) const FORM: Form = Form { id: "ics-208", number: "ICS 208", title: "Safety Message/Plan", fill };

fn fill(filing: &Filing<'_>) -> Vec<Sheet> {
    vec![vec![
        filing.name("1"),
        filing.period("2"),
        room("3", "Safety message, expanded safety message, safety plan, site safety plan", 20),
        room("4", "Is a site safety plan required? Where is it kept?", 2),
        filing.prepared("5", "Prepared by"),
    ]]
}
