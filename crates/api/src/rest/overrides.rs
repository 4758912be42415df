//! Overrides: somebody takes a schedule for a time, is on besides, or nobody is on; and it is ended again.

use allclear_domain::org::model::{Effect, Override};
use allclear_domain::time::whole_micros;
use allclear_domain::view::OverrideView;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Api;
use crate::http::caller::{Read, Respond, Who};
use crate::http::extract::{Asked, P};
use crate::http::problem::Problem;
use crate::rest::{ListPage, schedule_of};
use crate::schema;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OverrideBody {
    /// Whether the person takes the schedule over, is on call besides whoever is, or nobody is on call.
    #[serde(default)]
    effect: Effect,
    /// A person's id; needed unless nobody is on call.
    #[serde(default)]
    person: String,
    starts_at: Timestamp,
    ends_at: Timestamp,
}

/// An override that was made.
#[derive(Serialize, ToSchema)]
pub(crate) struct OverrideMade {
    id: String,
    schedule: String,
    effect: Effect,
    /// Empty where nobody is on call.
    person: String,
    starts_at: Timestamp,
    ends_at: Timestamp,
}

/// What became of an override that was ended.
#[derive(Serialize, ToSchema)]
pub(crate) struct OverrideEnded {
    id: String,
    /// It had not begun, and is gone; one that ran stays in the history.
    removed: bool,
    /// When it was over.
    ends_at: Timestamp,
}

/// The overrides of a schedule that run or are to come. Of those that replace at once, the one made last counts; those that add are on
/// besides.
#[utoipa::path(get, path = "/api/v1/schedules/{id}/overrides", operation_id = "list_overrides", tag = "on call", params(("id" = String, Path)),
    responses((status = 200, body = schema::OverridePage), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn list(State(api): State<Api>, who: Who<Read>, P(schedule): P<String>) -> Result<Json<ListPage<OverrideView>>, Problem> {
    let queries = api.engine.queries(&who.0);
    // Before it is said whether there is such a schedule.
    queries.organisation()?;
    schedule_of(&api, &schedule)?;
    Ok(Json(ListPage { items: queries.overrides(&schedule)?, next: None }))
}

/// Puts a person on a schedule for a time, in place of whoever its layers say or besides: anybody by an administrator or a manager of
/// its team; themself by everyone of that team. Or has nobody on, by those managers and administrators.
#[utoipa::path(post, path = "/api/v1/schedules/{id}/overrides", operation_id = "put_override", tag = "on call", params(("id" = String, Path)), request_body = OverrideBody,
    responses((status = 201, body = OverrideMade), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn put(
    State(api): State<Api>,
    who: Who<Respond>,
    P(schedule): P<String>,
    Asked(body): Asked<OverrideBody>,
) -> Result<(StatusCode, Json<OverrideMade>), Problem> {
    let id = format!("ovr-{:032x}", api.engine.fresh_id());
    let made = Override {
        id: id.clone(),
        schedule: schedule.clone(),
        effect: body.effect,
        person: body.person.clone(),
        starts_at: whole_micros(body.starts_at),
        ends_at: whole_micros(body.ends_at),
        made: 0,
        made_by: None,
    };
    if let Some(why) = made.fault() {
        return Err(Problem::new("invalid", why));
    }
    schedule_of(&api, &schedule)?;
    let (starts_at, ends_at) = (made.starts_at, made.ends_at);
    api.engine.put_override(made, &who.0).await?;
    Ok((StatusCode::CREATED, Json(OverrideMade { id, schedule, effect: body.effect, person: body.person, starts_at, ends_at })))
}

/// Ends an override: one that runs is over now, one to come is gone, one that is over stays as it is. Whoever made it, is named
/// in it or manages the team may, and administrators.
#[utoipa::path(delete, path = "/api/v1/schedules/{id}/overrides/{override}", operation_id = "end_override", tag = "on call",
    params(("id" = String, Path), ("override" = String, Path)),
    responses((status = 200, body = OverrideEnded), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn end(
    State(api): State<Api>,
    who: Who<Respond>,
    P((schedule, id)): P<(String, String)>,
) -> Result<Json<OverrideEnded>, Problem> {
    schedule_of(&api, &schedule)?;
    let ended = api.engine.end_override(&schedule, &id, &who.0).await?;
    Ok(Json(OverrideEnded { id, removed: ended.removed, ends_at: ended.ends_at }))
}
