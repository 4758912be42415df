//! Who would be paged for a payload, and why somebody was or was not.

use allclear_channels::registry;
use allclear_domain::view::{PageExplanation, SignalExplanation};
use allclear_domain::wire::InboundContext;
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use super::lists::page_id;
use crate::Api;
use crate::http::caller::{Read, Who};
use crate::http::extract::{P, Q, Raw};
use crate::http::problem::Problem;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct IntegrationQuery {
    /// The integration's id; the body is in its format.
    integration: String,
}

/// What would become of a payload.
#[derive(Serialize, ToSchema)]
pub(crate) struct PayloadExplanation {
    signals: Vec<SignalExplanation>,
    /// What of it would be refused, one sentence each.
    refused: Vec<String>,
    /// What of it would be cut or left out, one sentence each.
    notes: Vec<String>,
}

/// Who would be paged if this arrived now, and why; nothing is kept and nobody is paged.
#[utoipa::path(post, path = "/api/v1/explain/signal", operation_id = "explain_signal", tag = "explain", params(IntegrationQuery), request_body = Value,
    responses((status = 200, body = PayloadExplanation), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn signal(
    State(api): State<Api>,
    who: Who<Read>,
    Q(query): Q<IntegrationQuery>,
    Raw(body): Raw,
) -> Result<Json<PayloadExplanation>, Problem> {
    let queries = api.engine.queries(&who.0);
    let org = queries.organisation()?;
    let id = query.integration;
    let form = org
        .integration(&id)
        .ok_or_else(|| Problem::new("no_such_integration", format!("there is no integration `{}`", super::cut(&id))))?;
    let format = registry::format(&form.kind)
        .ok_or_else(|| Problem::new("no_such_format", format!("nothing here reads the format `{}` of this integration", form.kind)))?;
    let fresh_key = format!("{:032x}", api.engine.fresh_id());
    let context = InboundContext { now: api.engine.now(), fresh_key: &fresh_key, instance: None };
    let parsed = format.parse(&body, context).map_err(|refusal| {
        let errors = refusal.sentences().iter().map(|why| json!(why)).collect();
        // It was read, as whatever it is; what it lacks is the format's.
        Problem::new("invalid", format!("this is not what the format `{}` is: {refusal}", form.kind)).with(errors)
    })?;
    let signals = queries.explain_signals(&id, &parsed.signals).await?;
    let refused = parsed.refused.iter().map(ToString::to_string).collect();
    Ok(Json(PayloadExplanation { signals, refused, notes: parsed.notes }))
}

/// Why somebody was, or was not, paged: the facts of a page's log, a sentence each.
#[utoipa::path(get, path = "/api/v1/explain/page/{id}", operation_id = "explain_page", tag = "explain", params(("id" = String, Path)),
    responses((status = 200, body = PageExplanation), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn page(State(api): State<Api>, who: Who<Read>, P(id): P<String>) -> Result<Json<PageExplanation>, Problem> {
    Ok(Json(api.engine.queries(&who.0).explain_page(page_id(&id)?).await?))
}
