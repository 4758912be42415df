//! What one tap did, said for a moment with the way back: *You have INC-19 · Undo*.
//!
//! Without a script too: the browser comes back from the form to an address that asks for it, and what is offered is
//! read from the incident as it stands, never from the address. The script takes it away when its time is over.

use allclear_domain::access::Principal;
use jiff::SignedDuration;
use maud::{Markup, html};

use crate::access::form_key::once;
use crate::access::reader::Fields;
use crate::app::App;
use crate::board::at_once;
use crate::frame::pieces;
use crate::frame::time_text::When;

/// The last part of the path of the form that takes an acknowledgement back.
pub(crate) const UNDO: &str = "undo";
/// Asks for the word after an acknowledgement.
const TOOK: &str = "took";
/// Asks for the word after it was taken back.
const GAVE: &str = "gave";
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

/// The line of what one press took: those that are the reader's now, and came to be so a moment ago.
async fn took_all(app: &App, who: &Principal, when: &When, named: &[&str]) -> Markup {
    let queries = app.engine.queries(who);
    let held = futures_util::future::join_all(named.iter().map(|named| queries.held_by_asker(named))).await;
    let held: Vec<_> = held.into_iter().filter_map(|held| held.ok().flatten()).collect();
    let lately = |at: jiff::Timestamp| OFFERED - when.now.duration_since(at);
    let taken: Vec<(String, SignedDuration)> =
        held.into_iter().map(|(reference, at)| (reference, lately(at))).filter(|(_, left)| left.is_positive()).collect();
    let Some(left) = taken.iter().map(|(_, left)| *left).max() else { return html! {} };
    let taken: Vec<String> = taken.into_iter().map(|(reference, _)| reference).collect();
    at_once::took_all(&taken, when.now + left, when)
}

/// The line, where there is something to say. What cannot be read is not said: the page itself says how things stand.
pub(crate) async fn strip(app: &App, who: &Principal, when: &When, asked: &Fields, to_board: bool) -> Markup {
    let queries = app.engine.queries(who);
    if let Some(named) = asked.get(TOOK).map(|named| at_once::references(named)).filter(|named| named.len() > 1) {
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
