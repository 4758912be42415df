//! Other organisations in an incident, as `show` prints them.

use allclear_domain::view::{IncidentView, PartyView, RequestView};
use jiff::Timestamp;

use super::terminal::{distance, table};

/// Who takes part, and what each was asked for; nothing where nobody is.
pub fn shown(incident: &IncidentView, now: Timestamp) -> String {
    let mut out = String::new();
    if !incident.parties.is_empty() {
        let party = |one: &PartyView| {
            let state = one.left_at.map_or_else(|| "takes part".to_owned(), |at| format!("left {}", distance(now, at)));
            let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
            vec![one.organisation.clone(), state, or_dash(&one.reference), or_dash(&one.liaison)]
        };
        let rows: Vec<_> = incident.parties.iter().map(party).collect();
        out.push('\n');
        out.push_str(&table(&["PARTNER", "STANDS", "THEIR REFERENCE", "LIAISON"], &rows));
    }
    if !incident.requests.is_empty() {
        let request = |one: &RequestView| {
            let due = one.due_at.filter(|_| one.state.is_open()).map_or_else(|| "-".to_owned(), |at| distance(now, at));
            let state = if one.late { format!("{} (late)", one.state.word()) } else { one.state.word().to_owned() };
            vec![one.request.to_string(), one.organisation.clone(), state, due, one.text.clone(), one.answer.clone().unwrap_or_default()]
        };
        let rows: Vec<_> = incident.requests.iter().map(request).collect();
        out.push('\n');
        out.push_str(&table(&["REQUEST", "OF", "STANDS", "DUE", "WHAT", "ANSWER"], &rows));
    }
    out
}
