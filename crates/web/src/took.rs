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

/// The line, where there is something to say. What cannot be read is not said: the page itself says how things stand.
pub(crate) async fn strip(app: &App, who: &Principal, when: &When, asked: &Fields, to_board: bool) -> Markup {
    let queries = app.engine.queries(who);
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
