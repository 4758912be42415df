//! What a browser runs and reads so that it can be rung: the worker that shows what is pushed, and what a phone reads that puts
//! this site on its home screen.
//!
//! The worker stands at an address that does not change, since browsers ask there for the newest; it has a scope of its own, so
//! that it is between no page and the server. Neither holds anything of anybody.

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::response::IntoResponse;
use axum::routing::get;

use crate::frame::assets::MARK_PATH;

const WORKER: &str = include_str!("../js/worker.js");
/// The worker asks nothing but us.
const POLICY: &str = "default-src 'none'; connect-src 'self'";
/// Where the description for home screens is.
pub(crate) const MANIFEST_PATH: &str = "/push/site.webmanifest";
/// A new worker is there with the next message, a new description within an hour.
const WORKER_KEPT: &str = "no-cache";
const MANIFEST_KEPT: &str = "public, max-age=3600";

pub(crate) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/push/worker.js", get(worker)).route(MANIFEST_PATH, get(manifest))
}

async fn worker() -> impl IntoResponse {
    let about = [
        (CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (CACHE_CONTROL, WORKER_KEPT),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (about, WORKER)
}

async fn manifest() -> impl IntoResponse {
    let icon = serde_json::json!({"src": *MARK_PATH, "type": "image/svg+xml", "sizes": "any"});
    let said = serde_json::json!({
        "name": "All Clear",
        "short_name": "All Clear",
        "id": "/",
        "start_url": "/",
        // Without it an iPhone rings no site.
        "display": "standalone",
        "icons": [icon],
    });
    let about = [(CONTENT_TYPE, "application/manifest+json"), (CACHE_CONTROL, MANIFEST_KEPT), (X_CONTENT_TYPE_OPTIONS, "nosniff")];
    (about, said.to_string())
}
