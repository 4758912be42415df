//! Joins what answers requests: the API and the pages.

use std::sync::Arc;

use allclear_domain::access::Principal;
use allclear_engine::Engine;
use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;

use crate::transport::Recorded;

/// What `serve` tells the pages.
#[derive(Clone, Default)]
pub struct Faces {
    /// Everybody who comes is this principal; the demo's commander.
    pub open_to: Option<Principal>,
    /// A command that raises a first alarm, to be copied.
    pub first_alarm_curl: Option<String>,
    /// What would have been sent.
    pub demo_outbox: Option<Arc<dyn Fn() -> Vec<Recorded> + Send + Sync>>,
}

/// Everything that answers requests.
pub fn router(engine: Engine, faces: Faces) -> Router {
    let Faces { open_to: _, first_alarm_curl: _, demo_outbox: _ } = faces;
    Router::new()
        .route("/-/healthy", get(|| async { StatusCode::OK }))
        .route("/-/ready", get(move || ready(engine.clone())))
}

async fn ready(engine: Engine) -> StatusCode {
    if engine.fault().is_some() { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK }
}
