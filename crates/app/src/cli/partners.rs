//! Other organisations in an incident, and what it needs from elsewhere, as `show` prints them.

use allclear_domain::view::{IncidentView, PartyView, RequestView, ResourceView};
use jiff::Timestamp;

use super::terminal::{distance, table};

/// Who takes part, what each was asked for, and what is needed; nothing where there is none.
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
    if !incident.resources.is_empty() {
        let resource = |one: &ResourceView| {
            let state = if one.late { format!("{} (late)", one.state.words()) } else { one.state.words().to_owned() };
            let at = |at: Option<Timestamp>| at.filter(|_| one.state.is_awaited()).map_or_else(|| "-".to_owned(), |at| distance(now, at));
            let of = one.organisation.clone().unwrap_or_else(|| "-".to_owned());
            vec![
                one.resource.to_string(),
                one.called(),
                of,
                state,
                at(one.due_at),
                at(one.expected_at),
                one.place.clone().unwrap_or_default(),
            ]
        };
        let rows: Vec<_> = incident.resources.iter().map(resource).collect();
        out.push('\n');
        out.push_str(&table(&["RESOURCE", "WHAT", "OF", "STANDS", "NEEDED", "COMES", "TO"], &rows));
    }
    out
}
