//! Whether the program is alive, whether it can accept and page, and its counters.

use std::sync::PoisonError;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::Api;

/// How long the store may take to answer; a balancer gives up after a few seconds.
const STORE_WITHIN: Duration = Duration::from_secs(2);
/// The version of the text format, as Prometheus' scrapers expect it.
const METRICS_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route("/-/healthy", get(healthy))
        .route("/-/ready", get(ready))
        .route("/healthz", get(ready))
        .route("/metrics", get(metrics))
}

pub(crate) async fn healthy() -> &'static str {
    "alive\n"
}

/// Ready is: no commit failed since the last that went well, and the store answers a read.
pub(crate) async fn ready(State(api): State<Api>) -> Response {
    let no = |why: String| (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {why}\n")).into_response();
    if let Some(why) = api.engine.fault() {
        return no(why);
    }
    match tokio::time::timeout(STORE_WITHIN, api.engine.org_digest()).await {
        Ok(Ok(_)) => "ready\n".into_response(),
        Ok(Err(fault)) => no(fault.to_string()),
        Err(_) => no("the store does not answer in time".to_owned()),
    }
}

/// Counters always; where the store does not answer, the gauges keep what they said last, since it
/// is then that the counters are needed.
async fn metrics(State(api): State<Api>) -> Response {
    if let Ok(Ok(gauges)) = tokio::time::timeout(STORE_WITHIN, api.engine.gauges()).await {
        *api.gauges.lock().unwrap_or_else(PoisonError::into_inner) = gauges;
    }
    let text = api.engine.metrics().text(&api.gauges.lock().unwrap_or_else(PoisonError::into_inner));
    ([(CONTENT_TYPE, METRICS_TYPE)], text).into_response()
}
