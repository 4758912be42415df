//! Handlers of the pages that need a reader: who asks, what is read, which frame it is shown in.

use std::collections::HashMap;

use allclear_domain::access::Principal;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::{Html, IntoResponse, Response};
use maud::{Markup, html};

use crate::assets::MARK_PATH;
use crate::frame::{Frame, document};
use crate::refused::Refused;
use crate::session::visitor;
use crate::when::When;
use crate::{App, board, incident, messages};

/// How often a page is asked for again while anybody may look: the demonstration.
const REFRESH_S: u32 = 5;

type Asked = Query<HashMap<String, String>>;

/// The board.
pub(crate) async fn board(State(app): State<App>, headers: HeaderMap, Query(asked): Asked) -> Response {
    answer(async {
        let (who, when) = reader(&app, &headers).await?;
        let board = board::read(&app.engine, &who, when.clone()).await?;
        let sent = app.options.demo_outbox.as_ref().map(|sent| sent()).unwrap_or_default();
        let body = board::page(&board, &app.engine.org(), &app.options, &sent);
        Ok(framed(&app, "Board", "/", &when, asked.contains_key("wall"), &body))
    })
    .await
}

/// One incident.
pub(crate) async fn incident(State(app): State<App>, headers: HeaderMap, Path(reference): Path<String>, Query(asked): Asked) -> Response {
    answer(async {
        let (who, when) = reader(&app, &headers).await?;
        let part = incident::Part {
            key: asked.get("log").is_some_and(|log| log == "key"),
            from: asked.get("from").and_then(|from| from.parse().ok()),
        };
        let told = incident::read(&app.engine, &who, when.clone(), &reference, part).await?;
        let title = format!("{} {}", told.incident.reference, told.incident.title);
        let body = incident::page(&told, &app.engine.org());
        Ok(framed(&app, &title, "", &when, asked.contains_key("wall"), &body))
    })
    .await
}

/// The messages of a demonstration.
pub(crate) async fn outbox(State(app): State<App>, headers: HeaderMap) -> Response {
    answer(async {
        let (_, when) = reader(&app, &headers).await?;
        let Some(sent) = app.options.demo_outbox.as_ref().map(|sent| sent()) else {
            return Err(Refused::missing("page", "Messages are shown with the incident that they are about."));
        };
        let body = messages::page(&sent, &app.engine.org(), &when);
        Ok(framed(&app, "Messages", "/outbox", &when, false, &body))
    })
    .await
}

async fn answer(page: impl Future<Output = Result<Html<String>, Refused>>) -> Response {
    match page.await {
        Ok(page) => page.into_response(),
        Err(refused) => refused.answer(true),
    }
}

/// Who reads, and their clock.
async fn reader(app: &App, headers: &HeaderMap) -> Result<(Principal, When), Refused> {
    let who = visitor(app, headers).await?;
    let org = app.engine.org();
    let zone = who.person().and_then(|id| org.person(id)).and_then(|person| person.time_zone.as_deref());
    let when = When::new(app.engine.now(), zone);
    Ok((who, when))
}

/// What everybody has to know before they rely on a page.
fn notices(app: &App) -> Markup {
    html! {
        @if app.engine.is_quarantined() {
            p class="notice" role="status" { strong { "This copy sends nothing." } " It is quarantined until its operator runs " code { "allclear release" } "." }
        }
        @if app.engine.fault().is_some() {
            p class="notice" role="status" { strong { "Nothing can be recorded at the moment." } " The store does not take what it is given; senders are asked to try again." }
        }
    }
}

fn framed(app: &App, title: &str, at: &str, when: &When, wall: bool, body: &Markup) -> Html<String> {
    let demo = app.options.open_to.is_some();
    let current = |path: &str| (path == at).then_some("page");
    let bar = html! {
        header class="bar" {
            nav aria-label="Pages" {
                a class="home" href="/" { img src=(*MARK_PATH) width="24" height="24" alt="All Clear"; }
                a href="/" aria-current=[current("/")] { "Board" }
                @if app.options.demo_outbox.is_some() { a href="/outbox" aria-current=[current("/outbox")] { "Messages" } }
                a href="/me" { "You" }
            }
            p class="quiet" { (when.stamp(when.now)) " " (when.zone()) }
        }
    };
    let bar = html! { (bar) (notices(app)) };
    let frame = Frame { title, class: if wall { "app wall" } else { "app" }, refresh_s: demo.then_some(REFRESH_S), bar: Some(bar) };
    document(&frame, body)
}
