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

/// Ready is: no commit failed since the last that went well, no stage stands still, and the store answers a read.
/// What impairs paging without that is said by its kind alone, since anybody may ask here.
pub(crate) async fn ready(State(api): State<Api>) -> Response {
    let no = |why: String| (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {why}\n")).into_response();
    if let Some(why) = api.engine.fault() {
        return no(why);
    }
    let troubles = api.engine.troubles().list();
    let unready: Vec<String> = troubles.iter().filter(|p| p.trouble.is_unready()).map(|p| p.trouble.to_string()).collect();
    if !unready.is_empty() {
        return no(unready.join("; "));
    }
    let mut kinds: Vec<&str> = troubles.iter().map(|p| p.trouble.kind()).collect();
    kinds.dedup();
    let impaired = if kinds.is_empty() { String::new() } else { format!("impaired: {}\n", kinds.join(", ")) };
    match tokio::time::timeout(STORE_WITHIN, api.engine.org_digest()).await {
        Ok(Ok(_)) => format!("ready\n{impaired}").into_response(),
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
    api.engine.metrics().troubles(&api.engine.troubles().list());
    let text = api.engine.metrics().text(&api.gauges.lock().unwrap_or_else(PoisonError::into_inner), api.engine.channels());
    ([(CONTENT_TYPE, METRICS_TYPE)], text).into_response()
}
