//! Requests for cover of a shift: asked, listed, answered, taken back.

use allclear_domain::org::cover::Stretch;
use allclear_domain::view::CoverView;
use allclear_engine::org::cover::{Answer, Asked as Wanted, CoverError};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{ListPage, cut};
use crate::http::caller::{Read, Respond, Who};
use crate::http::extract::{Asked, P};
use crate::http::problem::Problem;
use crate::{Api, schema};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CoverBody {
    /// A schedule in which you have the turn.
    schedule: String,
    starts_at: Timestamp,
    ends_at: Timestamp,
    /// A person of the schedule's team; everybody of it, where absent.
    asked: Option<String>,
    /// A shift of theirs that you take in return.
    in_return: Option<Stretch>,
    /// Words to whoever is asked, at most 200 characters.
    words: Option<String>,
    /// When an answer is wanted; a day before the shift begins, where absent.
    answer_by: Option<Timestamp>,
}

impl From<CoverError> for Problem {
    fn from(why: CoverError) -> Self {
        let said = why.to_string();
        match why {
            CoverError::Denied(no) => no.into(),
            CoverError::NoPerson => Self::new("person_needed", said),
            CoverError::Cannot(_) => Self::new("invalid", said),
            CoverError::TooMany => Self::new("too_many_covers", said),
            CoverError::Missing(_) => Self::new("no_such_cover", said),
            CoverError::Ended(_) | CoverError::Lapsed(_) => Self::new("cover_ended", said),
            CoverError::Org(why) => why.into(),
        }
    }
}

/// Open requests that you made, are asked, or that are of a schedule you manage; and the newest of your own that ended.
#[utoipa::path(get, path = "/api/v1/cover-requests", operation_id = "list_cover_requests", tag = "on call",
    responses((status = 200, body = schema::CoverPage), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn list(State(api): State<Api>, who: Who<Read>) -> Result<Json<ListPage<CoverView>>, Problem> {
    Ok(Json(ListPage { items: api.engine.cover_requests(&who.0).await?, next: None }))
}

/// Asks somebody, or the whole team, to cover a shift of yours or a part of it, or to swap it for one of theirs.
#[utoipa::path(post, path = "/api/v1/cover-requests", operation_id = "ask_for_cover", tag = "on call", request_body = CoverBody,
    responses((status = 201, body = CoverView), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn ask(
    State(api): State<Api>,
    who: Who<Respond>,
    Asked(body): Asked<CoverBody>,
) -> Result<(StatusCode, Json<CoverView>), Problem> {
    let CoverBody { schedule, starts_at, ends_at, asked, in_return, words, answer_by } = body;
    let wanted = Wanted { shift: Stretch { schedule, starts_at, ends_at }, asked, in_return, words, answer_by };
    Ok((StatusCode::CREATED, Json(api.engine.ask_for_cover(&who.0, None, wanted).await?)))
}

/// `accept` or `decline` what you are asked, or `withdraw` what you asked. Accepting makes the overrides.
#[utoipa::path(post, path = "/api/v1/cover-requests/{id}/{answer}", operation_id = "answer_cover_request", tag = "on call",
    params(("id" = String, Path), ("answer" = String, Path)),
    responses((status = 200, body = CoverView), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn answer(
    State(api): State<Api>,
    who: Who<Respond>,
    P((id, answer)): P<(String, String)>,
) -> Result<Json<CoverView>, Problem> {
    let known = Answer::from_word(&answer)
        .ok_or_else(|| Problem::new("no_such_cover", format!("`{}` is no answer; `accept`, `decline` and `withdraw` are", cut(&answer))))?;
    Ok(Json(api.engine.answer_cover(&who.0, &id, known).await?))
}
