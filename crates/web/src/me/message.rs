//! What became of one message: its states with their times and tries, and what its provider said.

use allclear_domain::ids::MessageId;
use allclear_domain::org::snapshot::Org;
use allclear_domain::paging::MessageState;
use allclear_domain::view::DeliveryView;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use maud::{Markup, html};

use crate::access::reader::{answer, reader};
use crate::app::App;
use crate::frame::pieces;
use crate::frame::refused::Refused;
use crate::frame::shell::{HtmlPage, framed, heading};
use crate::frame::time_text::When;

/// Longest words of a provider that are shown, in characters.
const WORDS_CHARS_MAX: usize = 1_000;

/// The address of a message's page.
pub(crate) fn path(id: &str) -> String {
    format!("/messages/{}", pieces::escaped(id))
}

/// GET.
pub(crate) async fn show(State(app): State<App>, headers: HeaderMap, Path(id): Path<String>) -> Response {
    answer(async {
        let (who, when) = reader(&app, &headers).await?;
        let missing = || Refused::missing("message", "Look for it in the log of its incident.");
        let id: MessageId = id.parse().map_err(|_| missing())?;
        let message = app.engine.queries(&who).message(id).await?;
        let body = html! {
            nav class="crumbs" aria-label="Where this is" {
                @match &message.reference {
                    Some(reference) => a href={ "/incidents/" (reference) } { (reference) },
                    None => a href="/me/reached" { "How I am reached" },
                }
            }
            (heading("One message", &html! { (when.stamp(when.now)) " " (when.zone()) }))
            section class="section" data-live="message" {
                ul class="pairs" {
                    li { span { "To" } span { bdi { (message.person_name) } " by " bdi { (message.contact) } " (" (message.channel) ")" } }
                    li { span { "It said" } span { bdi { (said(&message)) } } }
                    li { span { "State" } span { strong { (state(message.state)) } (tries(&message, &when)) } }
                    @if let Some(why) = message.last_error.as_ref().filter(|_| message.state != MessageState::Delivered) {
                        li { span { "Why not" } span { bdi { (pieces::cut(why, WORDS_CHARS_MAX)) } } }
                    }
                    @if let Some(lead) = &message.sent_as { li { span { "Sent as" } span { code { (lead) } ", together with others" } } }
                    li { span { "Its id" } span { code { (message.id) } } }
                }
                h2 { "What became of it" }
                ol class="list" {
                    @for step in &message.steps {
                        li {
                            span {
                                strong { (pieces::capital(&step.state.replace('_', " "))) }
                                @if let Some(attempt) = step.attempt { " · try " (attempt) }
                                " · " bdi { (pieces::cut(&step.says, WORDS_CHARS_MAX)) }
                            }
                            span class="quiet" { (when.second(step.at)) }
                        }
                    }
                }
            }
        };
        let source = path(&message.id);
        let live = Some("on=board".into());
        Ok(framed(&app, &HtmlPage { title: "One message", place: &super::PLACE, who: &who, when: &when, wall: false, live, source, body }))
    })
    .await
}

fn said(message: &DeliveryView) -> String {
    match &message.says {
        Some(says) => pieces::cut(says, WORDS_CHARS_MAX),
        None if message.kind == "code" => "a code, which is shown nowhere".to_owned(),
        None => "words for whoever it was sent to; what was said to all stands in the log".to_owned(),
    }
}

fn tries(message: &DeliveryView, when: &When) -> Markup {
    html! {
        @if message.attempts > 0 { " · " (message.attempts) @if message.attempts == 1 { " try" } @else { " tries" } }
        @if message.in_doubt { " · may have arrived twice" }
        @if let Some(at) = message.next_attempt_at.filter(|_| message.attempts > 0) { " · tried again " (when.stamp(at)) }
    }
}

const fn state(state: MessageState) -> &'static str {
    match state {
        MessageState::Queued => "waits",
        MessageState::Claimed => "on its way",
        MessageState::Accepted => "taken by the provider, not yet known to have arrived",
        MessageState::Delivered => "delivered",
        MessageState::Rejected => "not delivered",
        MessageState::Withdrawn => "not sent: it was not needed any more",
    }
}

/// The last messages to oneself, each with the way to its page.
pub(crate) fn lately(messages: &[DeliveryView], org: &Org, when: &When) -> Markup {
    html! {
        @if !messages.is_empty() {
            section class="section" id="lately" {
                h2 { "Sent to me lately" }
                ul class="list" {
                    @for message in messages {
                        li {
                            a class="main" href=(path(&message.id)) { bdi { (pieces::cut(&said(message), 120)) } }
                            span class="quiet" {
                                (message.contact) " · " (state(message.state)) " · "
                                (when.time(message.created_at, &when.ago(message.created_at)))
                                @if org.contact(&message.person, &message.contact).is_none() { " · that contact is gone" }
                            }
                        }
                    }
                }
            }
        }
    }
}
