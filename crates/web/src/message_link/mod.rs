//! `/a/{token}`: GET shows, POST acts. No login and no Origin check, since the token in the path is
//! the proof: it is for one page, or one message of many, and one person, and push apps send no Origin.
//!
//! A repeated POST does nothing new: who already has it is answered, and a second "I can't" never
//! passes over the next person.

pub(crate) mod bundle;
mod drill;
pub(crate) mod forms;
pub(crate) mod goes_on;
pub(crate) mod page;
pub(crate) mod story;

use allclear_domain::ids::PageId;
use allclear_domain::paging;
use allclear_engine::core::{Command, Input};
use allclear_engine::message_link::bundles::ToAll;
use allclear_engine::message_link::{About, BadLink, LinkFor};
use allclear_engine::read::NoAnswer;
use axum::extract::rejection::FormRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Form, Json};
use maud::{Markup, html};

use crate::access::reader::{Asked, Fields};
use crate::app::App;
use crate::frame::refused;
use crate::frame::refused::{Refused, wants_html};
use crate::message_link::story::Standing;
use crate::posted::{Draft, said};

/// Characters of why a responder declines; more is a note.
const WHY_CHARS_MAX: usize = 300;

/// Where an action over a link came from, in the log.
pub(crate) const VIA: &str = allclear_domain::paging::VIA_LINK;

/// GET: shows, and changes nothing.
pub(crate) async fn show(State(app): State<App>, Path(token): Path<String>, Query(asked): Asked) -> Response {
    let shown = async {
        let link = read(&app, &token)?;
        let page = match link.about {
            About::Page(page) => page,
            About::Bundle(_) => return bundle::show(&app, &link, &token).await,
        };
        let story = story::read(&app.engine, &link, page).await.map_err(|why| unread(why, &token))?;
        if let Some(found) = &story.page.drill {
            return Ok(drill::page(&app.engine.org(), &story, found, &token).into_response());
        }
        Ok(page::page(&app.engine.org(), &story, &token, &Draft::default(), asked.contains_key(forms::NOTED)).into_response())
    };
    shown.await.unwrap_or_else(|refused: Refused| refused.answer(true))
}

/// GET of an address that only takes POST: somebody reloaded, or a scanner followed it.
pub(crate) async fn back(Path(token): Path<String>) -> Response {
    Redirect::to(&path(&token)).into_response()
}

/// The same of what goes on.
pub(crate) async fn back_of_verb(Path((token, _)): Path<(String, String)>) -> Response {
    Redirect::to(&path(&token)).into_response()
}

/// POST: acknowledges. What the body says does not matter.
pub(crate) async fn acknowledge(State(app): State<App>, Path(token): Path<String>, headers: HeaderMap) -> Response {
    let html = wants_html(&headers);
    let acted = async {
        let link = read(&app, &token)?;
        let page = match link.about {
            About::Page(page) => page,
            About::Bundle(_) => return bundle::answer(&app, &link, &token, ToAll::Acknowledge, html).await,
        };
        let story = story::read(&app.engine, &link, page).await.map_err(|why| unread(why, &token))?;
        if !matches!(story.standing, Standing::Taken { .. }) {
            let command = paging::Command::Acknowledge { by: Some(link.person.clone()), via: VIA.into() };
            submit(&app, &link, page, command, page::acknowledge_form(&token)).await?;
        }
        if html {
            return Ok(Redirect::to(&path(&token)).into_response());
        }
        // It is durable: when the store does not answer this, what we know of it is enough.
        let story = story::read(&app.engine, &link, page).await.unwrap_or(story);
        let (by, at) = match &story.standing {
            Standing::Taken { by, at, .. } => (by.clone(), *at),
            _ => (Some(link.person.clone()), None),
        };
        Ok(Json(serde_json::json!({
            "acknowledged": true,
            "ref": story.incident.reference,
            "title": story.incident.title,
            "state": story.incident.state,
            "acknowledged_by": by,
            "acknowledged_at": at,
        }))
        .into_response())
    };
    finish(acted.await, html, &token)
}

/// POST: "I can't: page the next."
pub(crate) async fn decline(
    State(app): State<App>,
    Path(token): Path<String>,
    headers: HeaderMap,
    form: Result<Form<Fields>, FormRejection>,
) -> Response {
    let html = wants_html(&headers);
    // A button alone may come without a body; a reason is asked of responders alone.
    let why = form.ok().and_then(|Form(fields)| said(&fields, "why")).map(|why| why.chars().take(WHY_CHARS_MAX).collect());
    let acted = async {
        let link = read(&app, &token)?;
        let page = match link.about {
            About::Page(page) => page,
            About::Bundle(_) => return bundle::answer(&app, &link, &token, ToAll::Decline, html).await,
        };
        let story = story::read(&app.engine, &link, page).await.map_err(|why| unread(why, &token))?;
        let may = story.may_pass_on() || (story.is_question() && story.standing == Standing::Open);
        if may {
            let answers = story.answers;
            let command = paging::Command::Decline { by: link.person.clone(), via: VIA.into(), answers, why };
            submit(&app, &link, page, command, page::decline_form(&token, None)).await?;
        } else if !html && story.declined_at.is_none() {
            let detail = "The page is not waiting for you, so there is nothing to pass on.";
            return Err(Refused::new(StatusCode::CONFLICT, "not_waiting_for_you", "This cannot be passed on", detail, html! {}));
        }
        if html {
            return Ok(Redirect::to(&path(&token)).into_response());
        }
        Ok(Json(serde_json::json!({ "declined": true, "ref": story.incident.reference, "title": story.incident.title })).into_response())
    };
    finish(acted.await, html, &token)
}

/// A browser that asked for what is over is shown what became of it.
fn finish(acted: Result<Response, Refused>, html: bool, token: &str) -> Response {
    match acted {
        Ok(response) => response,
        Err(refused) if html && refused.is_conflict() => Redirect::to(&path(token)).into_response(),
        Err(refused) => refused.answer(html),
    }
}

async fn submit(app: &App, link: &LinkFor, page: PageId, command: paging::Command, again: Markup) -> Result<(), Refused> {
    let who = app.engine.holder(link).await?;
    let input = Input { who, cause: VIA.into(), once: None, command: Command::Page { id: page, command } };
    app.engine.submit(input).await.map(|_| ()).map_err(|refusal| refused::of_command(&refusal, again))
}

pub(crate) fn path(token: &str) -> String {
    format!("/a/{token}")
}

/// What the token is for, if it works, and if the person is still one of us.
fn read(app: &App, token: &str) -> Result<LinkFor, Refused> {
    let works = || {
        html! {
            p { "Open the link in the newest message about it. Where you have a token, a terminal works too:" }
            pre { code { "allclear list" } }
            p { a href="/" { "Board" } }
        }
    };
    let link = app.engine.open_link(token).map_err(|bad| match bad {
        BadLink::Unknown => {
            let detail = "It is not one of ours, or it was cut short on its way to you.";
            Refused::new(StatusCode::NOT_FOUND, "link_unknown", "This link does not work", detail, works())
        }
        BadLink::Expired => {
            let detail = "Links in messages work for 48 hours. Nothing was changed.";
            Refused::new(StatusCode::GONE, "link_expired", "This link has expired", detail, works())
        }
        BadLink::PersonGone => {
            let detail = "The person it was sent to is not in the organisation any more. Nothing was changed.";
            Refused::new(StatusCode::GONE, "link_person_gone", "This link does not work any more", detail, works())
        }
    })?;
    Ok(link)
}

/// The store does not answer, or what the link is about is gone. An acknowledgement can be tried
/// all the same: the button is on the page.
pub(crate) fn unread(why: NoAnswer, token: &str) -> Refused {
    match why {
        NoAnswer::Store(fault) => {
            tracing::error!(%fault, "the page behind a message's link cannot be read");
            Refused::store(Some(page::acknowledge_form(token)))
        }
        why => why.into(),
    }
}
