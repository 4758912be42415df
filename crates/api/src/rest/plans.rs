//! Response plans: what one would do, and those that are shipped. The plans of the organisation are forms of it.

use allclear_channels::registry;
use allclear_domain::severity::Severity;
use allclear_domain::view::{PlanTryView, ShippedPlanView};
use allclear_engine::org::plans::Adopted;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::ListPage;
use crate::http::caller::{Admin, Read, Who};
use crate::http::extract::{P, Q};
use crate::http::problem::Problem;
use crate::{Api, schema};

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct TryQuery {
    /// In an incident of this service, by its id.
    service: Option<String>,
    /// And this severity; sev2 where absent.
    #[param(inline)]
    severity: Option<Severity>,
}

/// What a plan would do, were it to start now: its tasks with their times, and who would be asked and paged. Nothing is started.
#[utoipa::path(get, path = "/api/v1/plans/{id}/try", operation_id = "try_plan", tag = "plans", params(("id" = String, Path), TryQuery),
    responses((status = 200, body = PlanTryView), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn try_one(
    State(api): State<Api>,
    who: Who<Read>,
    P(id): P<String>,
    Q(query): Q<TryQuery>,
) -> Result<Json<PlanTryView>, Problem> {
    let queries = api.engine.queries(&who.0);
    let org = queries.organisation()?;
    if let Some(service) = query.service.as_deref().filter(|service| org.service(service).is_none()) {
        return Err(Problem::new("no_such_service", format!("there is no service `{}`", super::cut(service))));
    }
    if org.plan(&id).is_none() {
        return Err(Problem::new("no_such_plan", format!("there is no plan `{}`", super::cut(&id))));
    }
    Ok(Json(queries.try_plan(&id, query.service.as_deref(), query.severity.unwrap_or(Severity::Sev2))?))
}

/// The plans that are shipped, to be adopted.
#[utoipa::path(get, path = "/api/v1/plans/shipped", operation_id = "list_shipped_plans", tag = "plans",
    responses((status = 200, body = schema::ShippedPlanPage), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn shipped(State(api): State<Api>, who: Who<Read>) -> Result<Json<ListPage<ShippedPlanView>>, Problem> {
    Ok(Json(ListPage { items: api.engine.queries(&who.0).shipped_plans()?, next: None }))
}

/// A plan that was adopted.
#[derive(Serialize, ToSchema)]
pub(crate) struct AdoptedPlan {
    /// Its id.
    plan: String,
    /// The organisation's version.
    version: u64,
    /// Ids of audiences that it tells and that are not there: nobody is told by it instead.
    left_out: Vec<String>,
}

/// Makes a shipped plan one of the organisation, to be changed as any other.
#[utoipa::path(post, path = "/api/v1/plans/shipped/{id}/adopt", operation_id = "adopt_plan", tag = "plans", params(("id" = String, Path)),
    responses((status = 201, body = AdoptedPlan), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn adopt(State(api): State<Api>, who: Who<Admin>, P(id): P<String>) -> Result<Response, Problem> {
    let kinds: Vec<_> = registry::kinds().collect();
    let Adopted { changed, left_out } = api.engine.adopt_plan(&id, &kinds, &who.0).await?;
    Ok((StatusCode::CREATED, Json(AdoptedPlan { plan: id, version: changed.version, left_out })).into_response())
}
