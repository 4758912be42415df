//! The page behind the one link of a message that carries many pages: the worst of them, how many there are, and one
//! button for all. As small as the page of one, however many there are.

use allclear_domain::view::BundledPage;
use allclear_engine::message_link::LinkFor;
use allclear_engine::message_link::bundles::ToAll;
use axum::Json;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use maud::{Markup, html};

use crate::app::App;
use crate::frame::document::{Frame, LINK, document};
use crate::frame::pieces;
use crate::frame::refused;
use crate::frame::refused::Refused;
use crate::frame::time_text::When;
use crate::message_link;
use crate::message_link::page;

/// Pages listed; the others are counted. Twenty titles keep the page below 10 KB.
const LISTED_MAX: usize = 20;
/// Characters of a title in the list.
const TITLE_CHARS_MAX: usize = 80;

/// GET: shows, and changes nothing.
pub(crate) async fn show(app: &App, link: &LinkFor, token: &str) -> Result<Response, Refused> {
    let pages = app.engine.bundle_of_link(link).await.map_err(|why| message_link::unread(why, token))?;
    Ok(page(app, link, &pages, token).into_response())
}

/// POST: answers all that look for somebody. Once more does nothing new.
pub(crate) async fn answer(app: &App, link: &LinkFor, token: &str, answer: ToAll, html: bool) -> Result<Response, Refused> {
    let pages = app.engine.bundle_of_link(link).await.map_err(|why| message_link::unread(why, token))?;
    let again = || match answer {
        ToAll::Acknowledge => page::acknowledge_form(token),
        ToAll::Decline => page::decline_form(token, None),
    };
    let answered = app.engine.answer_bundle(&pages, &link.person, message_link::VIA, answer).await;
    let took = answered.map_err(|refusal| refused::of_command(&refusal, again()))?;
    if answer == ToAll::Decline && took == 0 && !html {
        let detail = "None of these pages is waiting for you, so there is nothing to pass on.";
        return Err(Refused::new(StatusCode::CONFLICT, "not_waiting_for_you", "This cannot be passed on", detail, html! {}));
    }
    if html {
        return Ok(Redirect::to(&message_link::path(token)).into_response());
    }
    let what = if answer == ToAll::Acknowledge { "acknowledged" } else { "declined" };
    Ok(Json(serde_json::json!({ what: true, "count": took, "pages": pages.len() })).into_response())
}

fn page(app: &App, link: &LinkFor, pages: &[BundledPage], token: &str) -> Html<String> {
    let org = app.engine.org();
    let when = When::new(app.engine.now(), org.person(&link.person).and_then(|person| person.time_zone.as_deref()));
    let open = pages.iter().filter(|page| page.looking).count();
    let ask = pages.iter().filter(|page| page.asks_at.is_some()).count();
    let incidents = if pages.len() == 1 { "1 incident".to_owned() } else { format!("{} incidents", pages.len()) };
    let body = html! {
        main class="narrow" {
            @if open == 0 {
                section class="outcome" role="status" {
                    p class="verdict" { span class="tick" aria-hidden="true" { "✓" } "None of them waits for anybody" }
                    p class="quiet" { "Each is acknowledged or over. What became of it stands in its log." }
                }
            }
            header class="what" {
                @if let Some(worst) = pages.iter().map(|page| page.severity).min() { p class="top" { (pieces::severity(worst)) } }
                h1 { (incidents) @if open > 0 && open < pages.len() { ", " (open) " of them wait for somebody" } }
            }
            @if open > 0 {
                section class="act" {
                    (page::acknowledge_form(token))
                    p class="hint" { "All " (open) " at once. Paging stops for each of them." }
                    @if ask == open {
                        (page::decline_form(token, Some("For all of them the next are paged at once.")))
                    } @else if ask > 0 {
                        @let what = format!("For the {ask} of them that wait for you by this message the next are paged at once.");
                        (page::decline_form(token, Some(&what)))
                    }
                }
            }
            (list(app, link, pages))
            footer class="quiet" {
                p { "Shown " (when.stamp(when.now)) " " (when.zone()) " for " bdi { (pieces::name(&org, &link.person)) } ". "
                    "This link works until " (when.time(link.expires_at, &when.minute(link.expires_at))) ", for these pages." }
                p { a href="/" { "Board" } }
            }
        }
    };
    document(&Frame { title: &incidents, class: LINK, refresh_s: None, bar: None }, &body)
}

/// Each with its own page, where it goes on for whoever has it.
fn list(app: &App, link: &LinkFor, pages: &[BundledPage]) -> Markup {
    html! {
        section {
            ul class="alerts" {
                @for page in pages.iter().take(LISTED_MAX) {
                    li {
                        p class="clamp" {
                            a href=(message_link::path(&app.engine.links().token_within(link, page.page, page.asks_at))) { (page.reference) } " "
                            bdi { (pieces::cut(&page.title, TITLE_CHARS_MAX)) }
                        }
                        p class="quiet" { (page.severity.word().to_uppercase()) " · " (pieces::state(page.state)) }
                    }
                }
                @if pages.len() > LISTED_MAX { li class="quiet" { "and " (pages.len() - LISTED_MAX) " more" } }
            }
        }
    }
}
