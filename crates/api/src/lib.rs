//! What the program speaks over HTTP to machines: intake of signals, Alertmanager's API, the
//! control API `/api/v1`, health and metrics, and the description of all that.
//!
//! Where to look: [`intake`] takes signals and is the hot path; `alertmanager` answers
//! Alertmanager's clients; `reply` takes what comes back over channels; `calendar` is who is on call for programs that fetch calendars; `rest` is the control API, one file a subject; [`problem`] has every
//! error code; `schema` describes the answers for `/api/v1/openapi.json`, of which `docs` makes a
//! page. Everything is asked of the engine. This crate knows no SQL and decides nothing.

mod alertmanager;
mod calendar;
mod docs;
mod health;
pub mod http;
pub mod intake;
pub mod reply;
mod rest;
mod schema;
mod stray;

pub use self::stray::Strays;

use std::sync::{Arc, Mutex};

use allclear_engine::Engine;
use allclear_engine::metrics::Gauges;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use axum::response::Response;
use jiff::Timestamp;

/// How the API is set up.
#[derive(Debug, Clone)]
pub struct ApiOptions {
    /// Shown in the description and to Alertmanager's clients.
    pub version: String,
}

impl Default for ApiOptions {
    fn default() -> Self {
        Self { version: env!("CARGO_PKG_VERSION").to_owned() }
    }
}

/// What every handler has.
#[derive(Clone)]
pub(crate) struct Api(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) engine: Engine,
    pub(crate) options: ApiOptions,
    pub(crate) started_at: Timestamp,
    /// What the gauges counted when the store last answered.
    pub(crate) gauges: Mutex<Gauges>,
    /// Room for large bodies of senders.
    pub(crate) room: http::body::Room,
}

impl std::ops::Deref for Api {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.0
    }
}

/// Everything that machines ask for, and what takes senders' requests that match no address. It has no fallback,
/// so that it can be merged with the pages for people: whoever merges it asks [`Strays`] first.
pub fn router(engine: Engine, options: ApiOptions) -> (Router, Strays) {
    let started_at = engine.now();
    let api = Api(Arc::new(Inner { engine, options, started_at, gauges: Mutex::default(), room: http::body::Room::default() }));
    let control =
        rest::routes().layer(DefaultBodyLimit::max(http::extract::BODY_BYTES_MAX)).method_not_allowed_fallback(http::problem::wrong_method);
    let senders = Router::new()
        .merge(intake::routes())
        .merge(alertmanager::routes())
        .layer(axum::middleware::map_response(secured))
        .with_state(api.clone());
    let others = Router::new()
        .merge(health::routes())
        .merge(docs::routes())
        .merge(reply::routes())
        .merge(calendar::routes())
        .merge(control)
        .merge(stray::routes())
        .layer(axum::middleware::map_response(secured))
        .with_state(api.clone());
    let strays = Strays::new(api, senders.clone());
    (senders.merge(others), strays)
}

/// Nothing that machines are answered is kept by caches, guessed at, framed or run by a browser. A page of ours has a
/// policy of its own, which stays.
async fn secured(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin"));
    response
}
