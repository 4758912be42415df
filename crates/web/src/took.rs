//! What one tap did, said for a moment with the way back: *You have INC-19 · Undo*.
//!
//! Without a script too: the browser comes back from the form to an address that asks for it, and what is offered is
//! read from the incident as it stands, never from the address. The script takes it away when its time is over.

use std::collections::BTreeSet;

use allclear_domain::access::Principal;
use jiff::SignedDuration;
use maud::{Markup, html};

use crate::access::form_key::once;
use crate::access::reader::Fields;
use crate::app::App;
use crate::frame::pieces;
use crate::frame::time_text::When;

/// The last part of the path of the form that takes an acknowledgement back.
pub(crate) const UNDO: &str = "undo";
/// Asks for the word after an acknowledgement.
const TOOK: &str = "took";
/// Asks for the word after it was taken back.
const GAVE: &str = "gave";
/// Incidents taken, or given back, by one press; of more the most urgent. Their references fit an address.
pub(crate) const AT_ONCE_MAX: usize = 200;
/// Where it is taken back.
pub(crate) const UNDO_ALL: &str = "/board/undo";
/// Which incidents, with commas between.
pub(crate) const REFS: &str = "refs";
/// How long it is offered: time to read a line and to see that it was the wrong one.
const OFFERED: SignedDuration = SignedDuration::from_secs(10);

/// What is asked for after a verb; nothing after most.
pub(crate) fn after(verb: &str) -> Option<&'static str> {
    match verb {
        "acknowledge" => Some(TOOK),
        UNDO => Some(GAVE),
        _ => None,
    }
}

/// The board's address that says what one press took.
pub(crate) fn address_of_all(references: &[String]) -> String {
    let references: Vec<String> = references.iter().map(|reference| pieces::escaped(reference)).collect();
    if references.is_empty() { "/".to_owned() } else { format!("/?{TOOK}={}", references.join(",")) }
}

/// The references of a field or an address, each once, at most [`AT_ONCE_MAX`].
pub(crate) fn references(text: &str) -> Vec<&str> {
    let mut seen = BTreeSet::new();
    let named = text.split(',').map(str::trim).filter(|reference| !reference.is_empty());
    named.filter(|reference| seen.insert(*reference)).take(AT_ONCE_MAX).collect()
}

/// What was taken by one press, and the way back.
fn taken_line(taken: &[String], ends: jiff::Timestamp, when: &When) -> Markup {
    html! {
        form class="took" role="status" method="post" action=(UNDO_ALL) data-ends=(ends) {
            (once(when))
            input type="hidden" name=(REFS) value=(taken.join(","));
            p { "You have " strong { (taken.len()) " incidents" } ". Nobody else is paged." }
            button class="may" type="submit" aria-label={ "Undo: page for these " (taken.len()) " again" } { "Undo" }
        }
    }
}

/// The line of what one press took: those that are the reader's now, and came to be so a moment ago.
async fn took_all(app: &App, who: &Principal, when: &When, named: &[&str]) -> Markup {
    let Ok(held) = app.engine.queries(who).all_held_by_asker(named).await else { return html! {} };
    let lately = |at: jiff::Timestamp| OFFERED - when.now.duration_since(at);
    let taken: Vec<(String, SignedDuration)> =
        held.into_iter().map(|(reference, at)| (reference, lately(at))).filter(|(_, left)| left.is_positive()).collect();
    let Some(left) = taken.iter().map(|(_, left)| *left).max() else { return html! {} };
    let taken: Vec<String> = taken.into_iter().map(|(reference, _)| reference).collect();
    taken_line(&taken, when.now + left, when)
}

/// The line, where there is something to say. What cannot be read is not said: the page itself says how things stand.
pub(crate) async fn strip(app: &App, who: &Principal, when: &When, asked: &Fields, to_board: bool) -> Markup {
    let queries = app.engine.queries(who);
    if let Some(named) = asked.get(TOOK).map(|named| references(named)).filter(|named| named.len() > 1) {
        return took_all(app, who, when, &named).await;
    }
    if let Some(named) = asked.get(TOOK)
        && let Ok(Some((reference, at))) = queries.held_by_asker(named).await
    {
        let left = OFFERED - when.now.duration_since(at);
        if left.is_positive() {
            return html! {
                form class="took" role="status" method="post" action={ "/incidents/" (reference) "/" (UNDO) } data-ends=(when.now + left) {
                    (once(when))
                    @if to_board { input type="hidden" name="back" value="/"; }
                    p { "You have " strong { (reference) } ". Nobody else is paged." }
                    button class="may" type="submit" aria-label={ "Undo: page for " (reference) " again" } { "Undo" }
                }
            };
        }
    }
    if let Some(named) = asked.get(GAVE)
        && let Ok(id) = queries.incident_id(named).await
        && let Ok(incident) = queries.incident(id).await
        && let Ok(None) = queries.held_by_asker(named).await
    {
        return html! {
            p class="took" role="status" data-ends=(when.now + OFFERED) {
                "You gave " strong { (incident.reference) } " back: somebody is looked for again."
            }
        };
    }
    html! {}
}
