//! The messages that a demonstration would have sent, each with the link to click.

use std::collections::HashSet;

use allclear_domain::access::Principal;
use allclear_domain::org::snapshot::Org;
use allclear_engine::read::NoAnswer;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::get;
use maud::{Markup, html};

use crate::access::reader::{answer, reader};
use crate::app::{App, DemoMessage, Lists, Place};
use crate::frame::pieces;
use crate::frame::refused::Refused;
use crate::frame::shell::{HtmlPage, framed};
use crate::frame::time_text::When;

pub(crate) static PLACE: Place = Place {
    path: "/outbox",
    word: "Messages",
    strokes: "M3 4.5h14v9.5H8l-3.5 3v-3H3z",
    key: None,
    lists: Lists::RAIL_MENU,
    leads: |app, _| app.options.demo_outbox.is_some(),
    page: || get(show),
};

/// The messages of a demonstration.
pub(crate) async fn show(State(app): State<App>, headers: HeaderMap) -> Response {
    answer(async {
        let (who, when) = reader(&app, &headers).await?;
        if app.options.demo_outbox.is_none() {
            return Err(Refused::missing("page", "Messages are shown with the incident that they are about."));
        }
        let sent = seen(&app, &who).await?;
        let body = page(&sent, &app.engine.org(), &when);
        let page = HtmlPage {
            title: "Messages",
            place: &PLACE,
            who: &who,
            when: &when,
            wall: false,
            live: Some("on=board".into()),
            source: "/outbox".into(),
            body,
        };
        Ok(framed(&app, &page))
    })
    .await
}

/// Incidents of one question: what the store takes at once.
const ASKED_TOGETHER: usize = 200;

/// Messages on their page.
const SHOWN_MAX: usize = 200;
/// Characters of one message.
const TEXT_CHARS_MAX: usize = 600;

/// Those that the reader may see: a private incident does not show by what is said of it.
pub(crate) async fn seen(app: &App, who: &Principal) -> Result<Vec<DemoMessage>, NoAnswer> {
    let sent = app.options.demo_outbox.as_ref().map(|sent| sent()).unwrap_or_default();
    let mut about: Vec<_> = sent.iter().map(|message| message.incident).collect();
    about.sort_unstable();
    about.dedup();
    let mut seen = HashSet::new();
    for some in about.chunks(ASKED_TOGETHER) {
        seen.extend(app.engine.queries(who).seen_of(some).await?);
    }
    Ok(sent.into_iter().filter(|message| seen.contains(&message.incident)).collect())
}

/// To whom, by name.
fn to(org: &Org, id: &str) -> String {
    let audience = id.strip_prefix("audience:").and_then(|id| org.audience(id));
    audience.map_or_else(|| pieces::name(org, id), |form| form.name.clone().unwrap_or_else(|| form.id.clone()))
}

/// The page's body.
pub(crate) fn page(sent: &[DemoMessage], org: &Org, when: &When) -> Markup {
    html! {
        div class="wide" {
            h1 { "Messages" }
            p class="quiet" {
                "This demonstration sends none. These would have gone out, the newest first; each link does what it would do on a phone."
            }
            (list(sent, org, when, SHOWN_MAX))
            @if sent.len() > SHOWN_MAX { p class="quiet" { (sent.len() - SHOWN_MAX) " older ones are not shown." } }
        }
    }
}

/// The newest `max`, newest first.
pub(crate) fn list(sent: &[DemoMessage], org: &Org, when: &When, max: usize) -> Markup {
    html! {
        @if sent.is_empty() { p class="quiet" { "None so far. The first follows the first alarm." } }
        ol class="messages" {
            @for message in sent.iter().rev().take(max) {
                li {
                    p class="quiet" {
                        (when.stamp(message.at)) " · " strong { bdi { (to(org, &message.person)) } } " · " (message.channel)
                    }
                    p class="said" { bdi { (pieces::cut(&message.text, TEXT_CHARS_MAX)) } }
                    @if let Some(href) = pieces::followable(&message.ack_url) {
                        a class="press" href=(href) { span { "Open the link as " bdi { (pieces::name(org, &message.person)) } } }
                    }
                }
            }
        }
    }
}
