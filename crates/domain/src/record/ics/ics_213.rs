//! ICS 213: a message. A sheet for each request to another organisation in the period, with its answer, and for each update to
//! stakeholders; an empty one where there was none.

use super::{Filing, Form, Sheet, room, signature, words, words_or_room};
use crate::view::{RequestView, UpdateView};

pub(super) const FORM: Form = Form { id: "ics-213", number: "ICS 213", title: "General Message", fill };

/// Sheets at most: as many as somebody staples.
const SHEETS_MAX: usize = 50;

fn fill(filing: &Filing<'_>) -> Vec<Sheet> {
    let incident = &filing.record.incident;
    let requests = incident.requests.iter().filter(|one| filing.is_within(one.asked_at)).map(|one| (one.asked_at, request(filing, one)));
    let updates = filing.record.updates.iter().filter(|one| filing.is_within(one.at)).map(|one| (one.at, update(filing, one)));
    let mut sheets: Vec<_> = requests.chain(updates).collect();
    sheets.sort_by_key(|(at, _)| *at);
    sheets.truncate(SHEETS_MAX);
    if sheets.is_empty() {
        return vec![vec![
            filing.name("1"),
            room("2", "To (name and position)", 1),
            room("3", "From (name and position)", 1),
            room("4", "Subject", 1),
            room("5", "Date", 1),
            room("6", "Time", 1),
            room("7", "Message", 10),
            signature("8", "Approved by"),
            room("9", "Reply", 8),
            signature("10", "Replied by"),
        ]];
    }
    sheets.into_iter().map(|(_, sheet)| sheet).collect()
}

fn request(filing: &Filing<'_>, one: &RequestView) -> Sheet {
    let subject = format!("Request {} of {}", one.request, filing.record.incident.reference);
    let liaison = filing
        .record
        .incident
        .parties
        .iter()
        .find(|party| party.organisation == one.organisation)
        .and_then(|party| party.liaison.as_deref());
    let from = liaison.map(|id| filing.record.person(id));
    let mut sheet = message(filing, filing.record.organisation(&one.organisation), from, (subject, one.asked_at), one.text.clone());
    let answered = one.answered_at.or(one.declined_at).map(|at| format!("{} {}", one.state.word(), filing.clock(at)));
    sheet.push(words_or_room("9", "Reply", one.answer.clone().into_iter().chain(answered), 6));
    sheet.push(signature("10", "Replied by"));
    sheet
}

fn update(filing: &Filing<'_>, one: &UpdateView) -> Sheet {
    let to: Vec<String> = one
        .audiences
        .iter()
        .map(|id| filing.record.org.audience(id).and_then(|known| known.name.clone()).unwrap_or_else(|| id.clone()))
        .collect();
    let subject = format!("Update on {}", filing.record.incident.reference);
    let mut sheet = message(filing, to.join(", "), Some(filing.record.actor(&one.actor)), (subject, one.at), one.text.clone());
    sheet.push(room("9", "Reply", 6));
    sheet.push(signature("10", "Replied by"));
    sheet
}

fn message(filing: &Filing<'_>, to: String, from: Option<String>, (subject, at): (String, jiff::Timestamp), text: String) -> Sheet {
    let (day, time) = filing.clock(at).split_once(' ').map(|(day, time)| (day.to_owned(), time.to_owned())).unwrap_or_default();
    vec![
        filing.name("1"),
        words("2", "To (name and position)", [to]),
        words("3", "From (name and position)", from),
        words("4", "Subject", [subject]),
        words("5", "Date", [day]),
        words("6", "Time", [time]),
        words_or_room("7", "Message", [text], 6),
        signature("8", "Approved by"),
    ]
}
