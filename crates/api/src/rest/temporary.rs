//! Temporary schedules: for a time their turns stand in the place of all layers of a schedule; they are taken back whole.

use allclear_domain::org::model::{Layer, TemporarySchedule};
use allclear_domain::time::whole_micros;
use allclear_domain::view::TemporaryView;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{ListPage, schedule_of};
use crate::http::caller::{Read, Respond, Who};
use crate::http::extract::{Asked, P};
use crate::http::problem::Problem;
use crate::{Api, schema};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TemporaryBody {
    /// What people call it.
    name: Option<String>,
    starts_at: Timestamp,
    ends_at: Timestamp,
    /// As those of a schedule in the organisation file: `people`, `every`, `handoff`, `starts`.
    layers: Vec<Value>,
}

/// What became of a temporary schedule that was taken back.
#[derive(Serialize, ToSchema)]
pub(crate) struct TemporaryEnded {
    id: String,
    /// It had not begun, and is gone; one that ran stays in the history.
    removed: bool,
    /// When it was over.
    ends_at: Timestamp,
}

/// The temporary schedules of a schedule that hold or are to come, by their start.
#[utoipa::path(get, path = "/api/v1/schedules/{id}/temporary-schedules", operation_id = "list_temporary_schedules", tag = "on call",
    params(("id" = String, Path)),
    responses((status = 200, body = schema::TemporaryPage), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn list(State(api): State<Api>, who: Who<Read>, P(schedule): P<String>) -> Result<Json<ListPage<TemporaryView>>, Problem> {
    let queries = api.engine.queries(&who.0);
    // Before it is said whether there is such a schedule.
    queries.organisation()?;
    schedule_of(&api, &schedule)?;
    Ok(Json(ListPage { items: queries.temporary(&schedule)?, next: None }))
}

/// Puts turns of its own in the place of all layers of a schedule for a time: by an administrator or a manager of its team. Overrides
/// hold over it. Of one schedule no two hold at once.
#[utoipa::path(post, path = "/api/v1/schedules/{id}/temporary-schedules", operation_id = "put_temporary_schedule", tag = "on call",
    params(("id" = String, Path)), request_body = TemporaryBody,
    responses((status = 201, body = TemporaryView), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn put(
    State(api): State<Api>,
    who: Who<Respond>,
    P(schedule): P<String>,
    Asked(body): Asked<TemporaryBody>,
) -> Result<(StatusCode, Json<TemporaryView>), Problem> {
    let mut layers: Vec<Layer> = Vec::with_capacity(body.layers.len());
    for (at, layer) in body.layers.into_iter().enumerate() {
        layers.push(serde_json::from_value(layer).map_err(|why| Problem::new("invalid", format!("`layers[{at}]` cannot be read: {why}")))?);
    }
    let form = TemporarySchedule {
        id: format!("tmp-{:032x}", api.engine.fresh_id()),
        schedule,
        name: body.name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()),
        starts_at: whole_micros(body.starts_at),
        ends_at: whole_micros(body.ends_at),
        layers,
    };
    Ok((StatusCode::CREATED, Json(api.engine.put_temporary(&form, &who.0).await?)))
}

/// Takes a temporary schedule back as a whole: one that runs is over now, one to come is gone, one that is over stays as it is.
#[utoipa::path(delete, path = "/api/v1/schedules/{id}/temporary-schedules/{temporary}", operation_id = "end_temporary_schedule", tag = "on call",
    params(("id" = String, Path), ("temporary" = String, Path)),
    responses((status = 200, body = TemporaryEnded), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn end(
    State(api): State<Api>,
    who: Who<Respond>,
    P((schedule, id)): P<(String, String)>,
) -> Result<Json<TemporaryEnded>, Problem> {
    schedule_of(&api, &schedule)?;
    let ended = api.engine.end_temporary(&schedule, &id, &who.0).await?;
    Ok(Json(TemporaryEnded { id, removed: ended.removed, ends_at: ended.ends_at }))
}
