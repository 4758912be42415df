//! Who is away, and which of their turns need cover.

use allclear_domain::org::model::Absence;
use allclear_domain::time::whole_micros;
use allclear_domain::view::{AbsenceView, NeedsCoverView};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{ListPage, person_of};
use crate::http::caller::{Read, Respond, Who};
use crate::http::extract::{Asked, P};
use crate::http::problem::Problem;
use crate::{Api, schema};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AbsenceBody {
    /// A person's id; yourself, where absent.
    person: Option<String>,
    starts_at: Timestamp,
    ends_at: Timestamp,
    /// Read by themself and by administrators alone.
    #[serde(default)]
    reason: String,
}

/// Who is away or will be, with the turns that need cover.
#[utoipa::path(get, path = "/api/v1/absences", operation_id = "list_absences", tag = "on call",
    responses((status = 200, body = schema::AbsencePage), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn list(State(api): State<Api>, who: Who<Read>) -> Result<Json<ListPage<AbsenceView>>, Problem> {
    Ok(Json(ListPage { items: api.engine.absences(&who.0)?, next: None }))
}

/// Enters an absence: your own, of a member of a team you manage, or as an administrator anybody's.
#[utoipa::path(post, path = "/api/v1/absences", operation_id = "enter_absence", tag = "on call", request_body = AbsenceBody,
    responses((status = 201, body = AbsenceView), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn enter(
    State(api): State<Api>,
    who: Who<Respond>,
    Asked(body): Asked<AbsenceBody>,
) -> Result<(StatusCode, Json<AbsenceView>), Problem> {
    let person = person_of(&api, &who.0, body.person)?.ok_or_else(|| Problem::new("person_needed", "say who is away, as `person`"))?;
    let absence = Absence {
        id: format!("abs-{:032x}", api.engine.fresh_id()),
        person,
        starts_at: whole_micros(body.starts_at),
        ends_at: whole_micros(body.ends_at),
        reason: body.reason.trim().to_owned(),
    };
    Ok((StatusCode::CREATED, Json(api.engine.put_absence(absence, &who.0).await?)))
}

/// Ends an absence: one that runs is over now, one to come is gone.
#[utoipa::path(delete, path = "/api/v1/absences/{id}", operation_id = "end_absence", tag = "on call", params(("id" = String, Path)),
    responses((status = 204), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn end(State(api): State<Api>, who: Who<Respond>, P(id): P<String>) -> Result<StatusCode, Problem> {
    api.engine.end_absence(&id, &who.0).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Turns that need cover, half a year ahead: of whoever is away, and of whoever has a public holiday off.
#[utoipa::path(get, path = "/api/v1/needs-cover", operation_id = "list_needs_cover", tag = "on call",
    responses((status = 200, body = schema::NeedsCoverPage), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn needs_cover(State(api): State<Api>, who: Who<Read>) -> Result<Json<ListPage<NeedsCoverView>>, Problem> {
    Ok(Json(ListPage { items: api.engine.needs_cover(&who.0)?, next: None }))
}
