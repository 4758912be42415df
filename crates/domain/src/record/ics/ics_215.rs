//! ICS 215: which work needs which resources, what is there, and what is to be ordered.

use super::{Filing, Form, Sheet, room, table, words};
use crate::incident::resource::ResourceState;

pub(super) const FORM: Form = Form { id: "ics-215", number: "ICS 215", title: "Operational Planning Worksheet", fill };

fn fill(filing: &Filing<'_>) -> Vec<Sheet> {
    let incident = &filing.record.incident;
    let work: Vec<Vec<String>> =
        incident.tasks.iter().filter(|task| task.is_next()).map(|task| vec![filing.doer(task), task.text.clone()]).collect();
    let (mut required, mut have) = (0_u64, 0_u64);
    let mut rows = Vec::new();
    for one in filing.resources().filter(|one| one.state != ResourceState::Released) {
        let there = if one.state == ResourceState::Arrived { one.quantity } else { 0 };
        required += u64::from(one.quantity);
        have += u64::from(there);
        let counts = [one.quantity, there, one.quantity - there].map(|count| count.to_string());
        let place = one.place.clone().unwrap_or_default();
        rows.push([vec![one.what.clone()], counts.to_vec(), vec![place, filing.clock_or_nothing(one.due_at)]].concat());
    }
    // Totals of nothing are not written: nobody has counted.
    let total = |count: u64| (!rows.is_empty()).then(|| count.to_string());
    let totals = [total(required), total(have), total(required - have)];
    let [all, there, missing] = totals;
    vec![vec![
        filing.name("1"),
        filing.period("2"),
        room("3", "Branch", 1),
        room("4", "Division, group or other", 1),
        table("5", "Work assignment and special instructions", &["Who", "What"], work, 3),
        table("6, 9–10", "Resources", &["Resource", "Required", "Have", "Need", "9 Reporting location", "10 Requested arrival"], rows, 3),
        room("7", "Overhead positions", 1),
        room("8", "Special equipment and supplies", 1),
        words("11", "Total resources required", all),
        words("12", "Total resources on hand", there),
        words("13", "Total resources to order", missing),
        filing.prepared("14", "Prepared by"),
    ]]
}
