//! Joins what answers requests: the API and the pages.

use std::sync::Arc;

use allclear_api::ApiOptions;
use allclear_channels::carry::ranges::Ranges;
use allclear_channels::registry;
use allclear_domain::access::Principal;
use allclear_engine::Engine;
use allclear_web::{DemoMessage, WebOptions};
use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::STRICT_TRANSPORT_SECURITY;
use axum::response::Response;

use crate::proxies;
use crate::transport::Recorded;

/// For how long browsers use HTTPS only: a year (ASVS 3.4.1). Hosts below ours are not ours to speak for.
const HTTPS_FOR: &str = "max-age=31536000";

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

/// Everything that answers requests; pages look past the proxies that are trusted, to throttle who signs in.
pub fn router(engine: Engine, faces: Faces, trusted: Ranges) -> Router {
    let demo_outbox = faces.demo_outbox.map(|recorded| -> allclear_web::DemoOutbox {
        Arc::new(move || {
            recorded()
                .into_iter()
                .map(|r| DemoMessage {
                    at: r.at,
                    incident: r.incident,
                    person: r.person,
                    channel: r.channel,
                    text: r.text,
                    ack_url: r.ack_url,
                })
                .collect()
        })
    });
    let options = WebOptions {
        open_to: faces.open_to,
        first_alarm_curl: faces.first_alarm_curl,
        demo_outbox,
        formats: registry::kinds().collect(),
        set_ups: registry::set_ups().collect(),
    };
    let is_https = engine.base_url().get(..8).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://"));
    let (machines, strays) = allclear_api::router(engine.clone(), ApiOptions::default());
    let router = machines
        .merge(allclear_web::router(engine, options).layer(axum::middleware::from_fn_with_state(trusted, proxies::seen_through)))
        .fallback(move |request: axum::extract::Request| async move {
            let headers = request.headers().clone();
            match strays.take(request).await {
                Some(response) => response,
                None => allclear_web::not_found(&headers),
            }
        });
    if is_https { router.layer(axum::middleware::map_response(by_https_only)) } else { router }
}

/// People reach us by HTTPS: browsers are told to use nothing else for this host.
async fn by_https_only(mut response: Response) -> Response {
    response.headers_mut().insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(HTTPS_FOR));
    response
}
