//! Whether the program is alive, whether it can accept and page, and its counters.

use std::collections::BTreeSet;
use std::sync::PoisonError;
use std::time::Duration;

use axum::extract::State;
use axum::http::header::{ACCEPT, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};

use crate::Api;

/// How long the store may take to answer; a balancer gives up after a few seconds.
const STORE_WITHIN: Duration = Duration::from_secs(2);
/// The formats of the counters: that of OpenMetrics for whoever asks for it, else Prometheus' older text, which everything
/// reads.
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const PROMETHEUS_TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Where keys are looked for by programs that read JSON Web Signatures.
const EXPORT_KEYS: &str = "/.well-known/jwks.json";

pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route("/-/healthy", get(healthy))
        .route("/-/ready", get(ready))
        .route("/healthz", get(ready))
        .route("/metrics", get(metrics))
        .route(EXPORT_KEYS, get(export_keys))
}

/// The public keys by which exports for other organisations are checked; anybody may have them.
async fn export_keys(State(api): State<Api>) -> Json<serde_json::Value> {
    Json(api.engine.export_keys())
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
async fn metrics(State(api): State<Api>, headers: HeaderMap) -> Response {
    if let Ok(Ok(gauges)) = tokio::time::timeout(STORE_WITHIN, api.engine.gauges()).await {
        *api.gauges.lock().unwrap_or_else(PoisonError::into_inner) = gauges;
    }
    api.engine.metrics().troubles(&api.engine.troubles().list());
    let text = api.engine.metrics().text(&api.gauges.lock().unwrap_or_else(PoisonError::into_inner), api.engine.channels());
    let asked: Vec<&str> = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
    if likes_openmetrics(&asked.join(",")) {
        return ([(CONTENT_TYPE, OPENMETRICS), (VARY, "accept")], text).into_response();
    }
    ([(CONTENT_TYPE, PROMETHEUS_TEXT), (VARY, "accept")], prometheus_text(&text)).into_response()
}

/// Whether an `Accept` (RFC 9110, 12.5.1) prefers OpenMetrics to plain text. What asks for neither is given plain text, since a
/// scraper that is refused watches nothing.
fn likes_openmetrics(accept: &str) -> bool {
    let weight = |range: &str| {
        let q = range.split(';').skip(1).find_map(|part| part.trim().to_ascii_lowercase().strip_prefix("q=").map(ToOwned::to_owned));
        q.map_or(Some(1.0), |q| q.trim().parse::<f32>().ok()).unwrap_or(0.0)
    };
    let best = |kind: &str| {
        let of_kind = accept.split(',').filter(|range| range.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(kind));
        of_kind.map(weight).fold(0.0, f32::max)
    };
    let open = best("application/openmetrics-text");
    open > 0.0 && open >= best("text/plain")
}

/// OpenMetrics as Prometheus' older text (version 0.0.4): without an end and units, with a counter called as its samples are.
fn prometheus_text(openmetrics: &str) -> String {
    let mut out = String::with_capacity(openmetrics.len());
    let mut counters = BTreeSet::new();
    for line in openmetrics.lines() {
        if let Some(("counter", name)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')).map(|(name, kind)| (kind, name))
        {
            counters.insert(name);
        }
    }
    for line in openmetrics.lines().filter(|line| *line != "# EOF" && !line.starts_with("# UNIT ")) {
        let named = ["# HELP ", "# TYPE "].iter().find_map(|start| Some((*start, line.strip_prefix(start)?.split_once(' ')?)));
        match named {
            Some((start, (name, rest))) if counters.contains(name) => out.extend([start, name, "_total ", rest]),
            // What a metric is called, means and counts may have that word in it.
            Some(("# TYPE ", (name, "unknown"))) => out.extend(["# TYPE ", name, " untyped"]),
            Some(_) | None => out.push_str(line),
        }
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_is_the_one_that_is_asked_for() {
        for (accept, open) in [
            ("", false),
            ("*/*", false),
            ("text/plain", false),
            ("application/openmetrics-text", true),
            ("application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.2,*/*;q=0.1", true),
            ("application/openmetrics-text;q=0.1, text/plain", false),
            ("application/openmetrics-text;q=0", false),
            ("application/json", false),
        ] {
            assert_eq!(likes_openmetrics(accept), open, "{accept}");
        }
    }

    #[test]
    fn the_older_text_calls_a_counter_as_its_samples() {
        let text = "# HELP a_b Words of it.\n# TYPE a_b counter\na_b_total{x=\"y\"} 1\n# HELP c D.\n# TYPE c gauge\n# UNIT c seconds\nc 2\n# EOF\n";
        let older = "# HELP a_b_total Words of it.\n# TYPE a_b_total counter\na_b_total{x=\"y\"} 1\n# HELP c D.\n# TYPE c gauge\nc 2\n";
        assert_eq!(prometheus_text(text), older);
        let text = "# HELP e What is unknown here.\n# TYPE e unknown\ne{why=\"an unknown key\"} 1\n# EOF\n";
        let older = "# HELP e What is unknown here.\n# TYPE e untyped\ne{why=\"an unknown key\"} 1\n";
        assert_eq!(prometheus_text(text), older);
    }
}
