//! Fire drills of escalation policies: started, listed, read, stopped.

use allclear_domain::ids::PageId;
use allclear_domain::time::Length;
use allclear_domain::view::DrillView;
use allclear_engine::core::{Command, Reply};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::{ListPage, ask};
use crate::http::caller::{Read, Respond, Who};
use crate::http::extract::{Once, P, Q, json as read_json};
use crate::http::problem::Problem;
use crate::{Api, schema};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DrillBody {
    /// An escalation policy's id.
    escalation: String,
    /// The longest that a level has, as in `2m`; its own time, where that is shorter or nothing is said.
    #[schema(value_type = Option<String>, pattern = "^[1-9][0-9]?[smhdw]$")]
    wait: Option<Length>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DrillsQuery {
    /// Only those of this escalation policy, by its id.
    escalation: Option<String>,
    /// From 1 to 200; 20 where absent.
    limit: Option<i64>,
}

fn no_such(id: &str) -> Problem {
    Problem::new("no_such_drill", format!("there is no fire drill `{}`", super::cut(id)))
}

/// Starts a fire drill: everybody whom the policy would page is asked over the same ways, level after level, each answered or missed,
/// and it ends by itself. Whoever is being paged for something real is not asked.
///
/// By administrators, and by managers of a team whose policy it is.
#[utoipa::path(post, path = "/api/v1/drills", operation_id = "start_drill", tag = "on call", request_body = DrillBody,
    responses((status = 201, body = DrillView), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn start(State(api): State<Api>, who: Who<Respond>, once: Once) -> Result<(StatusCode, Json<DrillView>), Problem> {
    let DrillBody { escalation, wait } = read_json(&once.body)?;
    let id = match ask(&api, &who.0, &once, Command::Drill { escalation, wait }).await? {
        Reply::Page { id } => id,
        Reply::Again { answer } => answer.parse().map_err(|_| no_such(&answer))?,
        Reply::Incident { .. }
        | Reply::Review { .. }
        | Reply::Action { .. }
        | Reply::Signals { .. }
        | Reply::Done
        | Reply::ReadCalendars => {
            return Err(Problem::new("internal", "a drill answers with its page"));
        }
    };
    Ok((StatusCode::CREATED, Json(api.engine.queries(&who.0).drill(id).await?)))
}

/// Fire drills, newest first, without names.
#[utoipa::path(get, path = "/api/v1/drills", operation_id = "list_drills", tag = "on call", params(DrillsQuery),
    responses((status = 200, body = schema::DrillPage), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn list(State(api): State<Api>, who: Who<Read>, Q(query): Q<DrillsQuery>) -> Result<Json<ListPage<DrillView>>, Problem> {
    let limit = super::limit_of(query.limit)?;
    let items = api.engine.queries(&who.0).drills(query.escalation.as_deref(), limit).await?;
    Ok(Json(ListPage { items, next: None }))
}

/// One fire drill: each level, and of everybody there over which contact they were asked, whether it arrived, and when they answered.
#[utoipa::path(get, path = "/api/v1/drills/{id}", operation_id = "show_drill", tag = "on call", params(("id" = String, Path)),
    responses((status = 200, body = DrillView), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn show(State(api): State<Api>, who: Who<Read>, P(id): P<String>) -> Result<Json<DrillView>, Problem> {
    let page: PageId = id.parse().map_err(|_| no_such(&id))?;
    Ok(Json(api.engine.queries(&who.0).drill(page).await?))
}

/// Ends a fire drill before its last level; one that has ended stays as it is. By whoever started it, and by whoever may start it.
#[utoipa::path(post, path = "/api/v1/drills/{id}/stop", operation_id = "stop_drill", tag = "on call", params(("id" = String, Path)),
    responses((status = 200, body = DrillView), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn stop(State(api): State<Api>, who: Who<Respond>, P(id): P<String>, once: Once) -> Result<Json<DrillView>, Problem> {
    let page: PageId = id.parse().map_err(|_| no_such(&id))?;
    ask(&api, &who.0, &once, Command::StopDrill { page }).await?;
    Ok(Json(api.engine.queries(&who.0).drill(page).await?))
}
