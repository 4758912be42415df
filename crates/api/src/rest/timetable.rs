//! A schedule over a range of days, and what it would be with a change that is not saved.

use allclear_channels::registry;
use allclear_domain::org::cost::LOAD_PERIOD;
use allclear_domain::org::diff::{Form, FormKind};
use allclear_domain::view::{ExternalCalendarView, OnCallCostView, SchedulePreviewView, TimetableView};
use allclear_engine::read::on_call_cost::CostFilter;
use axum::Json;
use axum::extract::State;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::Api;
use crate::http::caller::{Admin, Read, Who};
use crate::http::extract::{Asked, P, Q};
use crate::http::problem::{FormFault, Problem};

/// Where no end is asked, a week is told.
const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RangeQuery {
    /// RFC 3339; now where absent.
    from: Option<Timestamp>,
    /// RFC 3339; a week later where absent, and at most 62 days later.
    to: Option<Timestamp>,
}

/// A schedule between two instants: who is on call, each layer by itself, overrides, and who is away.
///
/// Longer ranges, and turns so short that there are more than 1,500, are cut: `cut` says so, and `to` is where to go on.
#[utoipa::path(get, path = "/api/v1/schedules/{id}/timetable", operation_id = "show_timetable", tag = "on call",
    params(("id" = String, Path), RangeQuery),
    responses((status = 200, body = TimetableView), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn show(
    State(api): State<Api>,
    who: Who<Read>,
    P(id): P<String>,
    Q(query): Q<RangeQuery>,
) -> Result<Json<TimetableView>, Problem> {
    let from = query.from.unwrap_or_else(|| api.engine.now());
    let to = query.to.unwrap_or_else(|| from.checked_add(WEEK).unwrap_or(Timestamp::MAX));
    if to <= from {
        return Err(Problem::new("invalid", "`to` is not after `from`: give a later one, or leave it out for a week"));
    }
    Ok(Json(api.engine.queries(&who.0).timetable(&id, from, to)?))
}

/// The calendars that others keep and a schedule names.
#[derive(Serialize, ToSchema)]
pub(crate) struct ExternalCalendars {
    items: Vec<ExternalCalendarView>,
}

/// The external calendars of a schedule: when each was read, why it cannot be, and what it says of people who are not known, within
/// eight weeks. Addresses are never told.
#[utoipa::path(get, path = "/api/v1/schedules/{id}/external-calendars", operation_id = "list_external_calendars", tag = "on call",
    params(("id" = String, Path)),
    responses((status = 200, body = ExternalCalendars), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn external_calendars(
    State(api): State<Api>,
    who: Who<Read>,
    P(id): P<String>,
) -> Result<Json<ExternalCalendars>, Problem> {
    Ok(Json(ExternalCalendars { items: api.engine.queries(&who.0).external_calendars(&id).await? }))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct CostQuery {
    /// RFC 3339; four weeks before `to` where absent.
    from: Option<Timestamp>,
    /// RFC 3339; now where absent. At most 366 days after `from`.
    to: Option<Timestamp>,
    /// Only this schedule, by its id.
    schedule: Option<String>,
    /// Only schedules of this team, by its id.
    team: Option<String>,
}

/// What on-call cost people in a period, for each schedule: what was carried, how often it called somebody, and how soon they answered.
/// Live pages alone. All people of a schedule together; each of them for whoever manages its team and for administrators, and oneself.
#[utoipa::path(get, path = "/api/v1/on-call/load", operation_id = "show_on_call_load", tag = "on call", params(CostQuery),
    responses((status = 200, body = OnCallCostView), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn load(State(api): State<Api>, who: Who<Read>, Q(query): Q<CostQuery>) -> Result<Json<OnCallCostView>, Problem> {
    let to = query.to.unwrap_or_else(|| api.engine.now());
    let from = query.from.unwrap_or_else(|| to.checked_sub(LOAD_PERIOD).unwrap_or(Timestamp::MIN));
    if to <= from {
        return Err(Problem::new("invalid", "`to` is not after `from`: give a later one, or leave both out for the last four weeks"));
    }
    let filter = CostFilter { schedule: query.schedule, team: query.team };
    Ok(Json(api.engine.queries(&who.0).on_call_cost(&filter, from, to).await?))
}

/// What a schedule would be.
#[derive(Serialize, ToSchema)]
pub(crate) struct SchedulePreviewed {
    preview: SchedulePreviewView,
    /// Warnings only: what would be refused is refused here.
    problems: Vec<FormFault>,
}

/// What a schedule would be with this body, beside what stands: eight weeks, and where other people or nobody would be on call.
///
/// The body is that of `PUT /api/v1/org/schedule/{id}`, and is judged as there. Nothing is kept.
#[utoipa::path(post, path = "/api/v1/schedules/{id}/preview", operation_id = "preview_schedule", tag = "on call",
    params(("id" = String, Path)), request_body = Value,
    responses((status = 200, body = SchedulePreviewed), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn preview(
    State(api): State<Api>,
    who: Who<Admin>,
    P(id): P<String>,
    Asked(body): Asked<Value>,
) -> Result<Json<SchedulePreviewed>, Problem> {
    let kinds: Vec<_> = registry::kinds().collect();
    let (preview, problems) = api.engine.preview_schedule(Form { kind: FormKind::Schedule, id, body }, &kinds, &who.0).await?;
    Ok(Json(SchedulePreviewed { preview, problems: problems.iter().map(FormFault::of).collect() }))
}
