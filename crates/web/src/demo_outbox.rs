//! The messages that a demonstration would have sent, each with the link to click; and of one person, their telephone: what it would
//! have rung and shown, so that one feels it without an account anywhere.

use std::collections::{BTreeSet, HashSet};

use allclear_domain::access::Principal;
use allclear_domain::org::snapshot::Org;
use allclear_engine::read::NoAnswer;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::get;
use maud::{Markup, html};

use crate::access::reader::{Asked, answer, reader};
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
pub(crate) async fn show(State(app): State<App>, headers: HeaderMap, Query(asked): Asked) -> Response {
    answer(async {
        let (who, when) = reader(&app, &headers).await?;
        if app.options.demo_outbox.is_none() {
            return Err(Refused::missing("page", "Messages are shown with the incident that they are about."));
        }
        let sent = seen(&app, &who).await?;
        let org = app.engine.org();
        let of = asked.get(FOR).filter(|id| org.person(id).is_some());
        let body = page(&sent, &org, of.map(String::as_str), &when);
        let page = HtmlPage {
            title: "Messages",
            place: &PLACE,
            who: &who,
            when: &when,
            wall: false,
            live: Some("on=board".into()),
            source: of.map_or_else(|| "/outbox".to_owned(), |id| telephone_of(id)),
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

/// Those that the reader may see: a private incident does not show by what is said of it. What is of none is shown to everybody: nobody
/// is reached by a demonstration, and a code that nobody reads could prove nothing.
pub(crate) async fn seen(app: &App, who: &Principal) -> Result<Vec<DemoMessage>, NoAnswer> {
    let sent = app.options.demo_outbox.as_ref().map(|sent| sent()).unwrap_or_default();
    let mut about: Vec<_> = sent.iter().filter_map(|message| message.incident).collect();
    about.sort_unstable();
    about.dedup();
    let mut seen = HashSet::new();
    for some in about.chunks(ASKED_TOGETHER) {
        seen.extend(app.engine.queries(who).seen_of(some).await?);
    }
    Ok(sent.into_iter().filter(|message| message.incident.is_none_or(|incident| seen.contains(&incident))).collect())
}

/// To whom, by name.
fn to(org: &Org, id: &str) -> String {
    let audience = id.strip_prefix("audience:").and_then(|id| org.audience(id));
    audience.map_or_else(|| pieces::name(org, id), |form| form.name.clone().unwrap_or_else(|| form.id.clone()))
}

/// The field of the address that says whose telephone is shown.
const FOR: &str = "for";
/// Messages on a telephone: what one would scroll through.
const ON_TELEPHONE_MAX: usize = 20;

fn telephone_of(id: &str) -> String {
    format!("/outbox?{FOR}={}", pieces::escaped(id))
}

/// The page's body; of one person, their telephone.
pub(crate) fn page(sent: &[DemoMessage], org: &Org, of: Option<&str>, when: &When) -> Markup {
    html! {
        div class="wide" {
            h1 { "Messages" }
            p class="quiet" {
                "This demonstration sends none. These would have gone out, the newest first; each link does what it would do on a phone."
            }
            (whose(sent, org, of))
            @match of {
                Some(id) => (telephone(sent, org, id, when)),
                None => {
                    (list(sent, org, when, SHOWN_MAX))
                    @if sent.len() > SHOWN_MAX { p class="quiet" { (sent.len() - SHOWN_MAX) " older ones are not shown." } }
                }
            }
        }
    }
}

/// Whose telephone to look at: whoever was sent something.
fn whose(sent: &[DemoMessage], org: &Org, of: Option<&str>) -> Markup {
    let people: BTreeSet<&str> = sent.iter().map(|message| message.person.as_str()).filter(|id| org.person(id).is_some()).collect();
    html! {
        @if !people.is_empty() {
            nav class="row-of phones" aria-label="Whose telephone" {
                @for id in people {
                    a class="press" href=(telephone_of(id)) aria-current=[(of == Some(id)).then_some("page")] {
                        bdi { (pieces::name(org, id)) } "’s phone"
                    }
                }
                @if of.is_some() { a class="press" href="/outbox" { "All messages" } }
            }
        }
    }
}

/// What a person's telephone would have rung and shown, the newest first.
fn telephone(sent: &[DemoMessage], org: &Org, id: &str, when: &When) -> Markup {
    let mine: Vec<&DemoMessage> = sent.iter().rev().filter(|message| message.person == id).collect();
    html! {
        section class="telephone" aria-label={ "The phone of " (pieces::name(org, id)) } {
            p class="clock" { (when.stamp(when.now)) }
            @if mine.is_empty() { p class="quiet" { "It is quiet." } }
            ol {
                @for message in mine.iter().take(ON_TELEPHONE_MAX) {
                    li data-key={ (message.at.as_microsecond()) "-" (message.channel) } {
                        p class="quiet small" {
                            strong { (over(org, &message.channel)) } " · " (when.time(message.at, &when.ago(message.at)))
                        }
                        p class="said" { bdi { (pieces::cut(&message.text, TEXT_CHARS_MAX)) } }
                        @if let Some(href) = pieces::followable(&message.ack_url) { a class="press" href=(href) { "Open" } }
                    }
                }
            }
            @if mine.len() > ON_TELEPHONE_MAX { p class="quiet small" { (mine.len() - ON_TELEPHONE_MAX) " older ones are not shown." } }
        }
    }
}

/// Over what it came, as the channel calls what it reaches.
fn over(org: &Org, channel: &str) -> String {
    pieces::capital(org.channels().iter().find(|form| form.name == channel).map_or(channel, |form| form.noun))
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
