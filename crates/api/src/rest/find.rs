//! Search over everything that whoever asks may see.

use allclear_domain::find::Thing;
use allclear_domain::incident::{Severity, State};
use allclear_domain::view::FoundPageView;
use allclear_engine::read::find::FindFilter;
use axum::Json;
use axum::extract::State as Shared;
use jiff::Timestamp;
use serde::Deserialize;
use utoipa::IntoParams;

use super::limit_of;
use crate::Api;
use crate::http::caller::{Read, Who};
use crate::http::extract::Q;
use crate::http::problem::Problem;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct FindQuery {
    /// Words that have to be there, all of them, whatever their case and their accents; of three letters or more also the beginning of a
    /// word. What stands between quotation marks stands so, word after word. A reference as `INC-142` is that incident. At most 200
    /// characters and 12 words.
    #[param(min_length = 1, max_length = 200)]
    q: String,
    /// Only what is of this kind.
    #[param(inline)]
    kind: Option<Thing>,
    /// Only what is of an incident in this state.
    #[param(inline)]
    state: Option<State>,
    /// `true`: only what is of an incident about which somebody still has to do something.
    open: Option<bool>,
    /// Only what is of an incident of this severity; of alerts, those of it.
    #[param(inline)]
    severity: Option<Severity>,
    /// Only what is of an incident of this service, by its id; of alerts, those of it.
    service: Option<String>,
    /// Only what was written down at this instant or later.
    from: Option<Timestamp>,
    /// Only what was written down before this instant.
    to: Option<Timestamp>,
    /// `true`: what is of exercises and test pages as well.
    exercises: Option<bool>,
    /// From 1 to 200; 20 where absent.
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// What has all of these words: titles, notes, updates, decisions, tasks, reviews, alerts, people, services. First what was named, then
/// names, then titles, then what was written, then alerts; each the newest first.
#[utoipa::path(get, path = "/api/v1/search", operation_id = "search", tag = "incidents", params(FindQuery),
    responses((status = 200, body = FoundPageView), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn search(Shared(api): Shared<Api>, who: Who<Read>, Q(query): Q<FindQuery>) -> Result<Json<FoundPageView>, Problem> {
    if query.open == Some(false) {
        return Err(Problem::bad("`open` takes only `true`; for what is over give `state=resolved`, `closed`, `cancelled` or `merged`"));
    }
    let limit = limit_of(query.limit)?;
    let asked = FindFilter {
        kind: query.kind,
        state: query.state,
        open: query.open.unwrap_or(false),
        severity: query.severity,
        service: query.service,
        from: query.from,
        to: query.to,
        real: !query.exercises.unwrap_or(false),
    };
    let found = Box::pin(api.engine.queries(&who.0).find(&query.q, &asked, query.cursor.as_deref(), limit)).await;
    Ok(Json(found?))
}
