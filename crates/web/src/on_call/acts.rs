//! The forms of *My shifts* and *On call* that are answered by a page of these: addresses of calendars, cover, absences.
//!
//! Deliberately not here: what the parts show, which is their files'.

use allclear_domain::access::Principal;
use allclear_engine::org::OrgError;
use allclear_engine::org::cover::Answer;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};

use super::absences::{AWAY, read};
use super::cover::{ANSWERS, ASK, ASKS, requests, told, wanted};
use super::feeds::{Calendars, make};
use super::my_shifts;
use crate::access::form_key;
use crate::access::reader::{Fields, actor, answer};
use crate::app::App;
use crate::frame::refused::Refused;
use crate::frame::time_text::When;
use crate::posted::{Draft, said};

/// *My shifts*, where something was done; the page with the reason by its form, where it was not.
async fn after(app: &App, who: &Principal, when: &When, done: Result<(), String>, draft: Draft) -> Result<Response, Refused> {
    let Err(why) = done else { return Ok(Redirect::to(super::MY_SHIFTS).into_response()) };
    let draft = Draft { refusal: Some(why), ..draft };
    let (calendars, requests) = (Calendars::of(app, who).await?, requests(app, who).await?);
    let mut response = my_shifts::shown(app, who, when, &calendars, &requests, &draft)?;
    *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    Ok(response)
}

/// POST.
pub(crate) async fn make_calendar(State(app): State<App>, headers: HeaderMap) -> Response {
    answer(async {
        let (who, when) = actor(&app, &headers).await?;
        let made = make(&app, &who, None).await;
        let (calendars, status) = Calendars::of(&app, &who).await?.answered(made);
        let requests = requests(&app, &who).await?;
        let mut response = my_shifts::shown(&app, &who, &when, &calendars, &requests, &Draft::default())?;
        *response.status_mut() = status;
        Ok(response)
    })
    .await
}

/// POST.
pub(crate) async fn make_calendar_of_schedule(State(app): State<App>, headers: HeaderMap, Form(fields): Form<Fields>) -> Response {
    answer(async {
        let (who, when) = actor(&app, &headers).await?;
        let made = match said(&fields, "schedule") {
            Some(schedule) => make(&app, &who, Some(&schedule)).await,
            None => Err("Choose a schedule.".to_owned()),
        };
        let (calendars, status) = Calendars::of(&app, &who).await?.answered(made);
        let mut response = super::shown(&app, &who, &when, &Draft::default(), &calendars).await?;
        *response.status_mut() = status;
        Ok(response)
    })
    .await
}

/// POST.
pub(crate) async fn ask_for_cover(State(app): State<App>, headers: HeaderMap, Form(fields): Form<Fields>) -> Response {
    answer(async {
        let (who, when) = actor(&app, &headers).await?;
        let asked = match wanted(&fields, &when) {
            Ok(wanted) => app.engine.ask_for_cover(&who, form_key::id(ASK, &fields), wanted).await.map(drop).map_err(|why| told(&why)),
            Err(why) => Err(why),
        };
        after(&app, &who, &when, asked, Draft { verb: ASKS.into(), fields, refusal: None }).await
    })
    .await
}

/// POST.
pub(crate) async fn answer_cover(State(app): State<App>, headers: HeaderMap, Path((id, word)): Path<(String, String)>) -> Response {
    answer(async {
        let (who, when) = actor(&app, &headers).await?;
        let Some(known) = Answer::from_word(&word) else {
            return Err(Refused::missing("answer", "Accept, decline, or take it back."));
        };
        let done = Box::pin(app.engine.answer_cover(&who, &id, known)).await.map(drop).map_err(|why| told(&why));
        Box::pin(after(&app, &who, &when, done, Draft { verb: ANSWERS.into(), fields: Fields::new(), refusal: None })).await
    })
    .await
}

/// POST.
pub(crate) async fn enter_absence(State(app): State<App>, headers: HeaderMap, Form(fields): Form<Fields>) -> Response {
    answer(async {
        let (who, when) = actor(&app, &headers).await?;
        let done = match read(&app, who.person().unwrap_or_default(), &when, &fields) {
            Ok(absence) => Box::pin(app.engine.put_absence(absence, &who)).await.map(drop).map_err(|why| super::told(&why)),
            Err(why) => Err(why),
        };
        Box::pin(after(&app, &who, &when, done, Draft { verb: AWAY.into(), fields, refusal: None })).await
    })
    .await
}

/// POST.
pub(crate) async fn end_absence(State(app): State<App>, headers: HeaderMap, Path(id): Path<String>) -> Response {
    answer(async {
        let (who, when) = actor(&app, &headers).await?;
        let done = match app.engine.end_absence(&id, &who).await {
            // A second press finds it gone, which is what was asked for.
            Ok(()) | Err(OrgError::Missing { .. }) => Ok(()),
            Err(why) => Err(super::told(&why)),
        };
        Box::pin(after(&app, &who, &when, done, Draft { verb: AWAY.into(), fields: Fields::new(), refusal: None })).await
    })
    .await
}
