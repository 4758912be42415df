//! Alerts, pages, who is on call, and the requests of senders as they came.

use allclear_domain::access::Principal;
use allclear_domain::ids::{AuditId, IncidentId, PageId, RefusalId, SignalId};
use allclear_domain::paging;
use allclear_domain::view::{
    AlertView, AuditView, ChangeView, DeliveryView, HeartbeatView, OnCallView, PageView, ReadinessView, RefusedView, SignalView,
};
use allclear_engine::core::{Command, Input};
use allclear_engine::read::AlertFilter;
use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::{CAUSE, ListPage, cursor_of, limit_of, person_of};
use crate::http::caller::{Admin, Read, Respond, Who};
use crate::http::extract::{Asked, P, Q};
use crate::http::problem::Problem;
use crate::{Api, schema};

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AlertsQuery {
    /// `true`: only open ones; `false`: only those that ended.
    open: Option<bool>,
    /// Only those of this incident: `INC-142`, or the id.
    incident: Option<String>,
    /// Only those of this integration, by its id.
    integration: Option<String>,
    /// Only those of this service, by its id.
    service: Option<String>,
    /// From 1 to 200; 20 where absent.
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Alerts, newest first.
#[utoipa::path(get, path = "/api/v1/alerts", operation_id = "list_alerts", tag = "alerts", params(AlertsQuery),
    responses((status = 200, body = schema::AlertPage), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn alerts(State(api): State<Api>, who: Who<Read>, Q(query): Q<AlertsQuery>) -> Result<Json<ListPage<AlertView>>, Problem> {
    let limit = limit_of(query.limit)?;
    let queries = api.engine.queries(&who.0);
    let incident: Option<IncidentId> = match &query.incident {
        Some(reference) => Some(queries.incident_id(reference).await?),
        None => None,
    };
    let filter = AlertFilter {
        incident,
        integration: query.integration,
        service: query.service,
        open: query.open,
        before: cursor_of(query.cursor.as_deref())?,
    };
    Ok(Json(ListPage::of(queries.alerts(filter, limit).await?, limit, |alert| &alert.id)))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ChangesQuery {
    /// Only those of this service, by its id.
    service: Option<String>,
    /// Only those that happened before this instant; `at` of the last for what follows.
    before: Option<Timestamp>,
    /// From 1 to 200; 20 where absent.
    limit: Option<i64>,
}

/// Changes that senders told of, the newest first.
#[utoipa::path(get, path = "/api/v1/changes", operation_id = "list_changes", tag = "alerts", params(ChangesQuery),
    responses((status = 200, body = schema::ChangePage), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn changes(
    State(api): State<Api>,
    who: Who<Read>,
    Q(query): Q<ChangesQuery>,
) -> Result<Json<ListPage<ChangeView>>, Problem> {
    let limit = limit_of(query.limit)?;
    let items = api.engine.queries(&who.0).changes_of(query.service.as_deref(), query.before, limit).await?;
    Ok(Json(ListPage { items, next: None }))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct HeartbeatsQuery {
    /// Only those of this integration, by its id.
    integration: Option<String>,
    /// From 1 to 200; 20 where absent.
    limit: Option<i64>,
}

/// Who sends heartbeats: those first of which one is missing, then those that were heard last the longest ago.
#[utoipa::path(get, path = "/api/v1/heartbeats", operation_id = "list_heartbeats", tag = "alerts", params(HeartbeatsQuery),
    responses((status = 200, body = schema::HeartbeatPage), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn heartbeats(
    State(api): State<Api>,
    who: Who<Read>,
    Q(query): Q<HeartbeatsQuery>,
) -> Result<Json<ListPage<HeartbeatView>>, Problem> {
    let limit = limit_of(query.limit)?;
    let items = api.engine.queries(&who.0).heartbeats(query.integration.as_deref(), limit).await?;
    Ok(Json(ListPage { items, next: None }))
}

/// One alert.
#[utoipa::path(get, path = "/api/v1/alerts/{id}", operation_id = "show_alert", tag = "alerts", params(("id" = String, Path)),
    responses((status = 200, body = AlertView), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn alert(State(api): State<Api>, who: Who<Read>, P(id): P<String>) -> Result<Json<AlertView>, Problem> {
    let id = id.parse().map_err(|why| Problem::new("no_such_alert", format!("{why}")))?;
    Ok(Json(api.engine.queries(&who.0).alert(id).await?))
}

/// The id of a page.
pub(super) fn page_id(text: &str) -> Result<PageId, Problem> {
    text.parse().map_err(|why| Problem::new("no_such_page", format!("{why}")))
}

/// One page, with its messages.
#[utoipa::path(get, path = "/api/v1/pages/{id}", operation_id = "show_page", tag = "pages", params(("id" = String, Path)),
    responses((status = 200, body = PageView), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn page(State(api): State<Api>, who: Who<Read>, P(id): P<String>) -> Result<Json<PageView>, Problem> {
    Ok(Json(api.engine.queries(&who.0).page(page_id(&id)?).await?))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PageByBody {
    /// A person's id; the token's person where absent.
    by: Option<String>,
}

/// Acknowledges a page's incident; every page of it stops.
#[utoipa::path(post, path = "/api/v1/pages/{id}/acknowledge", operation_id = "acknowledge_page", tag = "pages", params(("id" = String, Path)), request_body = PageByBody,
    responses((status = 200, body = PageView), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn acknowledge_page(
    State(api): State<Api>,
    who: Who<Respond>,
    P(id): P<String>,
    Asked(body): Asked<PageByBody>,
) -> Result<Json<PageView>, Problem> {
    let by = person_of(&api, &who.0, body.by)?;
    act(&api, &who.0, page_id(&id)?, paging::Command::Acknowledge { by, via: CAUSE.into() }).await
}

/// "I can't": the next step is paged at once.
#[utoipa::path(post, path = "/api/v1/pages/{id}/decline", operation_id = "decline_page", tag = "pages", params(("id" = String, Path)), request_body = PageByBody,
    responses((status = 200, body = PageView), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn decline_page(
    State(api): State<Api>,
    who: Who<Respond>,
    P(id): P<String>,
    Asked(body): Asked<PageByBody>,
) -> Result<Json<PageView>, Problem> {
    let by = person_of(&api, &who.0, body.by)?
        .ok_or_else(|| Problem::new("person_needed", "say who declines, as `by`: this token stands for no person"))?;
    act(&api, &who.0, page_id(&id)?, paging::Command::Decline { by, via: CAUSE.into(), answers: None, why: None }).await
}

async fn act(api: &Api, who: &Principal, id: PageId, command: paging::Command) -> Result<Json<PageView>, Problem> {
    let input = Input { who: who.clone(), cause: CAUSE.into(), once: None, command: Command::Page { id, command } };
    api.engine.submit(input).await?;
    Ok(Json(api.engine.queries(who).page(id).await?))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AtQuery {
    /// RFC 3339; now where absent.
    at: Option<Timestamp>,
}

/// Who is on call in every schedule, and who is next.
#[utoipa::path(get, path = "/api/v1/oncall", operation_id = "list_on_call", tag = "on call", params(AtQuery),
    responses((status = 200, body = schema::OnCallPage), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn on_call(State(api): State<Api>, who: Who<Read>, Q(query): Q<AtQuery>) -> Result<Json<ListPage<OnCallView>>, Problem> {
    let at = query.at.unwrap_or_else(|| api.engine.now());
    Ok(Json(ListPage { items: api.engine.queries(&who.0).on_call(at)?, next: None }))
}

/// One message, from its decision to its end: each state with its time and try, and what its provider said. For those who see its
/// incident, and for whom it was for.
#[utoipa::path(get, path = "/api/v1/messages/{id}", operation_id = "show_message", tag = "pages", params(("id" = String, Path)),
    responses((status = 200, body = DeliveryView), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn message(State(api): State<Api>, who: Who<Read>, P(id): P<String>) -> Result<Json<DeliveryView>, Problem> {
    let id = id.parse().map_err(|why| Problem::new("no_such_message", format!("{why}")))?;
    Ok(Json(api.engine.queries(&who.0).message(id).await?))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReadinessQuery {
    /// Only members and managers of this team.
    team: Option<String>,
}

/// Whether pages would reach people, and what would keep them from it: those who are not ready first, and of them who is on call
/// soonest. One's own; of one's teams for managers; everybody's for administrators. At most 200.
#[utoipa::path(get, path = "/api/v1/readiness", operation_id = "list_readiness", tag = "on call", params(ReadinessQuery),
    responses((status = 200, body = schema::ReadinessPage), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn readiness(
    State(api): State<Api>,
    who: Who<Read>,
    Q(query): Q<ReadinessQuery>,
) -> Result<Json<ListPage<ReadinessView>>, Problem> {
    Ok(Json(ListPage { items: api.engine.queries(&who.0).readiness(query.team.as_deref()).await?, next: None }))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SignalsQuery {
    /// From 1 to 200; 20 where absent.
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Requests of senders that changed something, newest first.
#[utoipa::path(get, path = "/api/v1/signals", operation_id = "list_signals", tag = "signals", params(SignalsQuery),
    responses((status = 200, body = schema::SignalPage), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn signals(
    State(api): State<Api>,
    who: Who<Admin>,
    Q(query): Q<SignalsQuery>,
) -> Result<Json<ListPage<SignalView>>, Problem> {
    let limit = limit_of(query.limit)?;
    let before: Option<SignalId> = cursor_of(query.cursor.as_deref())?;
    Ok(Json(ListPage::of(api.engine.queries(&who.0).signals(before, limit).await?, limit, |signal| &signal.id)))
}

/// Requests of senders that were refused lately, newest first.
#[utoipa::path(get, path = "/api/v1/refused", operation_id = "list_refused", tag = "signals", params(SignalsQuery),
    responses((status = 200, body = schema::RefusedPage), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn refused(
    State(api): State<Api>,
    who: Who<Admin>,
    Q(query): Q<SignalsQuery>,
) -> Result<Json<ListPage<RefusedView>>, Problem> {
    let limit = limit_of(query.limit)?;
    let before: Option<RefusalId> = cursor_of(query.cursor.as_deref())?;
    Ok(Json(ListPage::of(api.engine.queries(&who.0).refused(before, limit).await?, limit, |refused| &refused.id)))
}

/// The audit log, newest first: every sign-in, token, invitation and change of access.
#[utoipa::path(get, path = "/api/v1/audit", operation_id = "list_audit", tag = "administration", params(SignalsQuery),
    responses((status = 200, body = schema::AuditPage), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn audit(
    State(api): State<Api>,
    who: Who<Admin>,
    Q(query): Q<SignalsQuery>,
) -> Result<Json<ListPage<AuditView>>, Problem> {
    let limit = limit_of(query.limit)?;
    let before: Option<AuditId> = cursor_of(query.cursor.as_deref())?;
    Ok(Json(ListPage::of(api.engine.queries(&who.0).audit(before, limit).await?, limit, |entry| &entry.id)))
}

/// One request of a sender.
#[utoipa::path(get, path = "/api/v1/signals/{id}", operation_id = "show_signal", tag = "signals", params(("id" = String, Path)),
    responses((status = 200, body = SignalView), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn signal(State(api): State<Api>, who: Who<Admin>, P(id): P<String>) -> Result<Json<SignalView>, Problem> {
    let id = id.parse().map_err(|why| Problem::new("no_such_signal", format!("{why}")))?;
    Ok(Json(api.engine.queries(&who.0).signal(id).await?))
}
