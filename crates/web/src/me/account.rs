//! One's own account: where one is signed in, the way out everywhere, and another password. Only of whoever has a session.

use allclear_engine::identity::sessions::NotSignedIn;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Form, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use maud::html;
use serde::Deserialize;

use crate::access::sign_in::{FORM_BYTES_MAX, enter, leave, must_be_signed_in, new_password, person, sentence, status, wrong};
use crate::access::visitor::Caller;
use crate::app::App;
use crate::frame::refused::Refused;
use crate::frame::shell::{HtmlPage, framed, heading};
use crate::frame::time_text::When;

/// Where it is.
const PATH: &str = "/me";
/// What the list of sessions calls a browser that does not say what it is.
const UNKNOWN_AGENT: &str = "a program that does not say its name";

/// The page and its forms.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route(PATH, get(show))
        .route("/me/password", post(change_password))
        .route("/me/sign-out-everywhere", post(sign_out_everywhere))
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
}

async fn show(State(app): State<App>, headers: HeaderMap) -> Response {
    page(&app, &headers, None).await.unwrap_or_else(|refused| refused.answer(true))
}

async fn sign_out_everywhere(State(app): State<App>, headers: HeaderMap) -> Response {
    let found = match must_be_signed_in(&app, &headers).await {
        Ok(found) => found,
        Err(refused) => return refused.answer(true),
    };
    match app.engine.sign_out_everywhere(person(&found)).await {
        Ok(()) => leave(&app),
        Err(why) => {
            tracing::error!(%why, "sessions were not ended");
            Refused::store(None).answer(true)
        }
    }
}

#[derive(Deserialize)]
struct ChangeForm {
    #[serde(default)]
    old: String,
    #[serde(default)]
    password: String,
}

async fn change_password(State(app): State<App>, headers: HeaderMap, caller: Caller, Form(form): Form<ChangeForm>) -> Response {
    let found = match must_be_signed_in(&app, &headers).await {
        Ok(found) => found,
        Err(refused) => return refused.answer(true),
    };
    let changed = app.engine.change_password(person(&found), &form.old, &form.password, &caller.visitor()).await;
    let why = match changed {
        Ok(begun) => return enter(&app, &begun, PATH),
        Err(why) => why,
    };
    // A slip is no reason to be signed out, so this is no 401.
    let status = if matches!(why, NotSignedIn::Wrong) { StatusCode::UNPROCESSABLE_ENTITY } else { status(&why) };
    let words = if matches!(why, NotSignedIn::Wrong) { "The old password is another one.".to_owned() } else { sentence(&why, &app) };
    let mut answer = page(&app, &headers, Some(&words)).await.unwrap_or_else(|refused| refused.answer(true));
    if answer.status() == StatusCode::OK {
        *answer.status_mut() = status;
    }
    answer.into_response()
}

async fn page(app: &App, headers: &HeaderMap, words: Option<&str>) -> Result<Response, Refused> {
    let found = must_be_signed_in(app, headers).await?;
    let who = &found.principal;
    let sessions = app.engine.sessions_of(person(&found)).await.map_err(|fault| {
        tracing::error!(%fault, "sessions cannot be read");
        Refused::store(None)
    })?;
    let org = app.engine.org();
    let form = org.person(person(&found));
    let when = When::new(app.engine.now(), form.and_then(|form| form.time_zone.as_deref()));
    let body = html! {
        nav class="crumbs" aria-label="Where this is" { a href=(super::PLACE.path) { (super::PLACE.word) } }
        (heading("My account", &html! { (when.zone()) }))
        p { "You are signed in as " strong { (person(&found)) } "." }
        form method="post" action="/sign-out" { button class="may" type="submit" { "Sign out" } }
        section class="section" {
            h2 { "Where you are signed in" }
            ul class="list" {
                @for session in &sessions {
                    li {
                        span {
                            bdi { (session.agent.as_deref().unwrap_or(UNKNOWN_AGENT)) }
                            @if session.id == found.session { strong { " (here)" } }
                        }
                        span class="quiet" { "since " (when.stamp(session.created_at)) ", used " (when.stamp(session.seen_at)) }
                    }
                }
            }
            form method="post" action="/me/sign-out-everywhere" { button class="may" type="submit" { "Sign out everywhere" } }
        }
        section class="section entry" {
            h2 { "Change the password" }
            (wrong(words))
            form class="form" method="post" action="/me/password" {
                p {
                    label for="old" { "The old one" } " "
                    input id="old" name="old" type="password" autocomplete="current-password" required;
                }
                (new_password())
                p { button type="submit" { "Change it, and sign out everywhere else" } }
            }
        }
    };
    let page = HtmlPage { title: "My account", place: &super::PLACE, who, when: &when, wall: false, live: None, source: PATH.into(), body };
    Ok(framed(app, &page))
}
