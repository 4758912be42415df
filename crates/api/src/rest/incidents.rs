//! Incidents: lists, one with its log, alerts, pages and what is due, and the declaration.

use allclear_domain::incident::{Severity, State};
use allclear_domain::org::model::Level;
use allclear_domain::view::{AlertView, BlastView, BriefingView, ChangeView, EventView, ExpectationView, IncidentView, PageView, RollView};
use allclear_engine::core::{Command, Declare, Known};
use allclear_engine::read::{AlertFilter, IncidentFilter, LIST_MAX, SEARCH_CHARS_MAX};
use axum::Json;
use axum::extract::State as Shared;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::asks::{shown, submit};
use super::{ListPage, cursor_of, limit_of};
use crate::http::caller::{Read, Who};
use crate::http::extract::{Once, P, Q, json};
use crate::http::problem::Problem;
use crate::{Api, schema};

/// Events of one answer where no limit is asked.
const EVENTS_DEFAULT: i64 = 200;
/// Events of one answer at most: the engine's own limit.
pub(crate) const EVENTS_MAX: i64 = 1000;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Only those in this state.
    #[param(inline)]
    state: Option<State>,
    /// `true`: only those that somebody still has to do something about.
    open: Option<bool>,
    /// Only those of this severity.
    #[param(inline)]
    severity: Option<Severity>,
    /// Only those of this service, by its id.
    service: Option<String>,
    /// Only those whose title has these words in it, as they stand there and whatever the case of their letters; at most
    /// 200 characters.
    #[param(min_length = 1, max_length = 200)]
    q: Option<String>,
    /// `true`: exercises and test pages as well, which have `exercise: true`; left out where absent.
    exercises: Option<bool>,
    /// `true`, with `open=true`: what several of them want at once (`contention`) and of which nothing is due (`nothing_due`). It reads
    /// all that a board has, up to 1,000 open incidents.
    standing: Option<bool>,
    /// From 1 to 200; 20 where absent.
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Incidents, newest first; with `q`, those whose title has these words.
#[utoipa::path(get, path = "/api/v1/incidents", operation_id = "list_incidents", tag = "incidents", params(ListQuery),
    responses((status = 200, body = schema::IncidentPage), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn list(
    Shared(api): Shared<Api>,
    who: Who<Read>,
    Q(query): Q<ListQuery>,
) -> Result<Json<ListPage<IncidentView>>, Problem> {
    if query.open == Some(false) {
        return Err(Problem::bad(
            "`open` takes only `true`; for those that are over give `state=resolved`, `closed`, `cancelled` or `merged`",
        ));
    }
    let limit = limit_of(query.limit)?;
    let filter = IncidentFilter {
        state: query.state,
        open: query.open.unwrap_or(false),
        over: false,
        severity: query.severity,
        service: query.service,
        before: cursor_of(query.cursor.as_deref())?,
        words: query.q.as_deref().map(words_of).transpose()?,
        real: !query.exercises.unwrap_or(false),
    };
    let (queries, standing) = (api.engine.queries(&who.0), filter.open && query.standing.unwrap_or(false));
    let mut items = queries.incidents(filter, limit).await?;
    if standing {
        queries.fill_standing(&mut items).await?;
    }
    Ok(Json(ListPage::of(items, limit, |incident| &incident.id)))
}

/// What is searched for. Without words it would be every incident, which is asked for without `q`.
fn words_of(asked: &str) -> Result<String, Problem> {
    match asked.trim() {
        "" => Err(Problem::bad("`q` has no words: give some of a title, or leave it out")),
        words if words.chars().count() > SEARCH_CHARS_MAX => Err(Problem::bad(format!("`q` has at most {SEARCH_CHARS_MAX} characters"))),
        words => Ok(words.to_owned()),
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeclareBody {
    /// One line for people.
    #[schema(min_length = 1)]
    title: String,
    /// How bad it is. Where absent it follows from `impact` and `urgency`; where those are absent too, from the type and from
    /// what it may become; else sev3.
    severity: Option<Severity>,
    /// How much is hit; with `urgency`, in the place of `severity`.
    impact: Option<Level>,
    /// How soon it hurts; with `impact`.
    urgency: Option<Level>,
    /// How bad it may become.
    potential: Option<Severity>,
    /// What it is of: the id of a type of incident.
    r#type: Option<String>,
    /// Answers to the questions of its type, by their ids: texts, numbers, true or false.
    #[schema(value_type = Option<std::collections::BTreeMap<String, String>>)]
    fields: Option<std::collections::BTreeMap<String, AnswerBody>>,
    /// The affected service, by its id; its escalation policy is who is paged.
    service: Option<String>,
    impact_started_at: Option<Timestamp>,
    /// Whether people are paged; true where absent.
    page: Option<bool>,
    /// Whether only those who are admitted see it; false where absent.
    private: Option<bool>,
    /// Whether it is only reported: a candidate, about which whoever responds decides; it needs `read` alone. False where absent.
    report: Option<bool>,
}

/// An answer as programs write it.
#[derive(Deserialize)]
#[serde(untagged)]
enum AnswerBody {
    Text(String),
    Number(serde_json::Number),
    YesNo(bool),
}

impl AnswerBody {
    fn text(self) -> String {
        match self {
            Self::Text(text) => allclear_domain::clean::cleaned(text),
            Self::Number(number) => number.to_string(),
            Self::YesNo(yes) => yes.to_string(),
        }
    }
}

/// What an incident hits, and what may be hit next: the services that depend on those.
#[utoipa::path(get, path = "/api/v1/incidents/{ref}/blast", operation_id = "show_incident_blast", tag = "incidents", params(("ref" = String, Path, description = "`INC-142`, or the id")),
    responses((status = 200, body = BlastView), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn blast(Shared(api): Shared<Api>, who: Who<Read>, P(reference): P<String>) -> Result<Json<BlastView>, Problem> {
    let queries = api.engine.queries(&who.0);
    let id = queries.incident_id(&reference).await?;
    Ok(Json(queries.blast(id).await?))
}

/// Declares an incident, and pages unless told not to; or reports one, for others to decide.
#[utoipa::path(post, path = "/api/v1/incidents", operation_id = "declare_incident", tag = "incidents", request_body = DeclareBody,
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key and request give the same incident")),
    responses((status = 201, body = IncidentView), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn declare(Shared(api): Shared<Api>, who: Who<Read>, once: Once) -> Result<Response, Problem> {
    let body: DeclareBody = json(&once.body)?;
    let declare = Declare {
        title: body.title,
        severity: body.severity,
        known: Known {
            impact: body.impact,
            urgency: body.urgency,
            potential: body.potential,
            kind: body.r#type,
            answers: body.fields.unwrap_or_default().into_iter().map(|(id, answer)| (id, answer.text())).collect(),
        },
        service: body.service,
        impact_started_at: body.impact_started_at.map(allclear_domain::time::whole_micros),
        page: body.page.unwrap_or(true),
        private: body.private.unwrap_or(false),
        report: body.report.unwrap_or(false),
    };
    let id = submit(&api, &who.0, &once, Command::Declare(declare)).await?;
    let view = api.engine.queries(&who.0).incident(id).await?;
    let location = HeaderValue::from_str(&format!("/api/v1/incidents/{}", view.reference));
    let mut response = shown(view);
    *response.status_mut() = StatusCode::CREATED;
    if let Ok(location) = location {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AsOfQuery {
    /// As it stood at this instant, from what was recorded by then; now where absent.
    at: Option<Timestamp>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ShowQuery {
    /// As it stood at this instant, from what was recorded by then; now where absent.
    at: Option<Timestamp>,
    /// `true`: what other open incidents want as well (`contention`) and whether nothing of it is due (`nothing_due`), as it is now. It
    /// reads all that a board has, up to 1,000 open incidents.
    standing: Option<bool>,
}

/// One incident. As of an earlier instant it says nothing of its alerts and of roles elsewhere.
#[utoipa::path(get, path = "/api/v1/incidents/{ref}", operation_id = "show_incident", tag = "incidents",
    params(("ref" = String, Path, description = "`INC-142`, or the id"), ShowQuery),
    responses((status = 200, body = IncidentView), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn show(
    Shared(api): Shared<Api>,
    who: Who<Read>,
    P(reference): P<String>,
    Q(asked): Q<ShowQuery>,
) -> Result<Response, Problem> {
    let queries = api.engine.queries(&who.0);
    let id = queries.incident_id(&reference).await?;
    Ok(match asked.at {
        // No version: what was is not to be changed.
        Some(at) => Json(queries.incident_at(id, at).await?).into_response(),
        None => {
            let mut found = queries.incident(id).await?;
            if asked.standing.unwrap_or(false) {
                queries.fill_standing(std::slice::from_mut(&mut found)).await?;
            }
            shown(found)
        }
    })
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventsQuery {
    /// Only events whose `seq` is greater.
    after: Option<i64>,
    /// From 1 to 1000; 200 where absent.
    limit: Option<i64>,
    /// Only key events: declaration, roles, severities, states, decisions, updates, merges, marked notes. All where absent.
    key: Option<bool>,
}

/// The log of an incident and its pages, oldest first.
#[utoipa::path(get, path = "/api/v1/incidents/{ref}/events", operation_id = "list_incident_events", tag = "incidents",
    params(("ref" = String, Path, description = "`INC-142`, or the id"), EventsQuery),
    responses((status = 200, body = schema::EventPage), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn events(
    Shared(api): Shared<Api>,
    who: Who<Read>,
    P(reference): P<String>,
    Q(query): Q<EventsQuery>,
) -> Result<Json<ListPage<EventView>>, Problem> {
    let limit = match query.limit.unwrap_or(EVENTS_DEFAULT) {
        limit if (1..=EVENTS_MAX).contains(&limit) => limit,
        _ => return Err(Problem::bad(format!("`limit` is a number from 1 to {EVENTS_MAX}"))),
    };
    let queries = api.engine.queries(&who.0);
    let id = queries.incident_id(&reference).await?;
    let after = query.after.unwrap_or(0);
    let items = match query.key {
        Some(true) => queries.key_events(id, after, limit).await?,
        _ => queries.events(id, after, limit).await?,
    };
    let full = i64::try_from(items.len()).is_ok_and(|n| n >= limit);
    let next = if full { items.last().map(|event| event.seq.to_string()) } else { None };
    Ok(Json(ListPage { items, next }))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PagedQuery {
    /// From 1 to 200; 200 where absent.
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// The alerts of an incident, newest first.
#[utoipa::path(get, path = "/api/v1/incidents/{ref}/alerts", operation_id = "list_incident_alerts", tag = "incidents",
    params(("ref" = String, Path, description = "`INC-142`, or the id"), PagedQuery),
    responses((status = 200, body = schema::AlertPage), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn alerts(
    Shared(api): Shared<Api>,
    who: Who<Read>,
    P(reference): P<String>,
    Q(query): Q<PagedQuery>,
) -> Result<Json<ListPage<AlertView>>, Problem> {
    let limit = limit_of(query.limit.or(Some(LIST_MAX)))?;
    let queries = api.engine.queries(&who.0);
    let incident = queries.incident_id(&reference).await?;
    let filter = AlertFilter { incident: Some(incident), before: cursor_of(query.cursor.as_deref())?, ..AlertFilter::default() };
    Ok(Json(ListPage::of(queries.alerts(filter, limit).await?, limit, |alert| &alert.id)))
}

/// Changes of its service, from eight hours before it began until it was over, the newest first.
#[utoipa::path(get, path = "/api/v1/incidents/{ref}/changes", operation_id = "list_incident_changes", tag = "incidents",
    params(("ref" = String, Path, description = "`INC-142`, or the id")),
    responses((status = 200, body = schema::ChangePage), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn changes(
    Shared(api): Shared<Api>,
    who: Who<Read>,
    P(reference): P<String>,
) -> Result<Json<ListPage<ChangeView>>, Problem> {
    let queries = api.engine.queries(&who.0);
    let id = queries.incident_id(&reference).await?;
    Ok(Json(ListPage { items: queries.changes_beside(id, LIST_MAX).await?, next: None }))
}

/// The pages of an incident, with their messages.
#[utoipa::path(get, path = "/api/v1/incidents/{ref}/pages", operation_id = "list_incident_pages", tag = "incidents", params(("ref" = String, Path, description = "`INC-142`, or the id")),
    responses((status = 200, body = schema::PagePage), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn pages(Shared(api): Shared<Api>, who: Who<Read>, P(reference): P<String>) -> Result<Json<ListPage<PageView>>, Problem> {
    let queries = api.engine.queries(&who.0);
    let id = queries.incident_id(&reference).await?;
    Ok(Json(ListPage { items: queries.pages(id).await?, next: None }))
}

/// The roll call of an incident: who was asked or paged, by whom, who took it, joined and left; whoever came first at its head.
#[utoipa::path(get, path = "/api/v1/incidents/{ref}/roll", operation_id = "list_incident_roll", tag = "incidents", params(("ref" = String, Path, description = "`INC-142`, or the id")),
    responses((status = 200, body = schema::RollPage), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn roll(Shared(api): Shared<Api>, who: Who<Read>, P(reference): P<String>) -> Result<Json<ListPage<RollView>>, Problem> {
    let queries = api.engine.queries(&who.0);
    let id = queries.incident_id(&reference).await?;
    Ok(Json(ListPage { items: queries.roll_call(id).await?, next: None }))
}

/// What whoever takes a role over has to know, made from the log as of now, or of an earlier instant.
#[utoipa::path(get, path = "/api/v1/incidents/{ref}/briefing", operation_id = "show_incident_briefing", tag = "incidents",
    params(("ref" = String, Path, description = "`INC-142`, or the id"), AsOfQuery),
    responses((status = 200, body = BriefingView), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn briefing(
    Shared(api): Shared<Api>,
    who: Who<Read>,
    P(reference): P<String>,
    Q(asked): Q<AsOfQuery>,
) -> Result<Json<BriefingView>, Problem> {
    let queries = api.engine.queries(&who.0);
    let id = queries.incident_id(&reference).await?;
    Ok(Json(match asked.at {
        Some(at) => queries.briefing_at(id, at).await?,
        None => {
            let mut told = queries.briefing(id).await?;
            told.contention = queries.contention_of(&told.reference).await?;
            told
        }
    }))
}

/// What is expected next and by when, and what was; of an earlier instant what was awaited then.
#[utoipa::path(get, path = "/api/v1/incidents/{ref}/expectations", operation_id = "list_incident_expectations", tag = "incidents",
    params(("ref" = String, Path, description = "`INC-142`, or the id"), AsOfQuery),
    responses((status = 200, body = schema::ExpectationPage), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn expectations(
    Shared(api): Shared<Api>,
    who: Who<Read>,
    P(reference): P<String>,
    Q(asked): Q<AsOfQuery>,
) -> Result<Json<ListPage<ExpectationView>>, Problem> {
    let queries = api.engine.queries(&who.0);
    let id = queries.incident_id(&reference).await?;
    let items = match asked.at {
        Some(at) => queries.expectations_at(id, at).await?,
        None => queries.expectations(id).await?,
    };
    Ok(Json(ListPage { items, next: None }))
}
