//! Addresses of senders that are nearly right: a slash at the end, a doubled one, or the version of Alertmanager's API
//! before this one.
//!
//! An alarm is not lost for a slash: such a request goes where it was meant to. Only what matched no address comes
//! here, so that it costs the others nothing; and only the addresses of senders are read so, no page for people.

use std::net::IpAddr;

use allclear_channels::inbound::alertmanager::Alertmanager;
use allclear_channels::inbound::pagerduty::PagerDuty;
use allclear_channels::registry;
use allclear_domain::wire::{Answer, Inbound};
use allclear_engine::refusals::RefusedRequest;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{Method, Uri, uri::PathAndQuery};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use serde_json::json;
use tower::ServiceExt as _;

use crate::Api;
use crate::http::caller::key_in_headers;
use crate::http::problem::{wrong_address, wrong_method};
use crate::intake::{address_of, reply};

/// What Alertmanager itself says of its version 1, with where ours is.
const OLD_API: &str = "Alertmanager's API v1 was removed in version 0.27: send to the same address with /api/v2/alerts";

/// Addresses that a sender's request may have been meant for.
const OF_SENDERS: [&str; 4] = ["/in/", "/v2/", "/prom/", "/api/v2/"];

/// The old address that is one of the control API's as well.
pub(crate) fn routes() -> Router<Api> {
    Router::new().route("/api/v1/alerts", post(old_by_header))
}

/// Takes what matched no address.
#[derive(Clone)]
pub struct Strays {
    api: Api,
    /// The right addresses.
    known: Router,
}

impl Strays {
    pub(crate) fn new(api: Api, known: Router) -> Self {
        Self { api, known }
    }

    /// Answers a request that matched no address, where it is a sender's.
    pub async fn take(&self, request: Request) -> Option<Response> {
        match self.answered(request).await {
            Some(response) => Some(crate::secured(response).await),
            None => None,
        }
    }

    async fn answered(&self, request: Request) -> Option<Response> {
        let api = &self.api;
        let path = request.uri().path();
        let straight = straightened(path);
        if !OF_SENDERS.iter().any(|start| straight.starts_with(start)) {
            return None;
        }
        let whence = Whence::of(api, &request);
        if is_old(&straight) {
            return Some(old(api, whence).await);
        }
        if straight != path {
            let (mut parts, body) = request.into_parts();
            let query = parts.uri.query().map_or(String::new(), |query| format!("?{query}"));
            let mut uri = parts.uri.into_parts();
            uri.path_and_query = Some(format!("{straight}{query}").parse::<PathAndQuery>().ok()?);
            parts.uri = Uri::from_parts(uri).ok()?;
            return match self.known.clone().oneshot(Request::from_parts(parts, body)).await {
                Ok(response) => Some(response),
                Err(never) => match never {},
            };
        }
        if request.method() != Method::POST {
            return None;
        }
        let detail = format!("no sender's address is spelt so: POST {}", shown(request.uri().path()));
        drop(request);
        whence.tell(api, "no_such_address", 404, &detail).await;
        Some(wrong_address().await.into_response())
    }
}

/// The path with single slashes, and none at its end.
fn straightened(path: &str) -> String {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    format!("/{}", parts.join("/"))
}

/// A path as an administrator may read it: words of ours, and of everything else, which may be a key, that it is there.
fn shown(path: &str) -> String {
    let shown = |part: &str| {
        let of_ours = WORDS.contains(&part) || registry::inbound(part).is_some();
        if of_ours { part.to_owned() } else { "…".to_owned() }
    };
    format!("/{}", path.split('/').filter(|part| !part.is_empty()).take(PARTS_SHOWN).map(shown).collect::<Vec<_>>().join("/"))
}

/// Words that stand in senders' addresses.
const WORDS: [&str; 9] = ["in", "prom", "api", "v1", "v2", "alerts", "silences", "enqueue", "webhook"];
/// Parts of a path that are shown.
const PARTS_SHOWN: usize = 8;

/// The format that an address was meant for.
fn format_of(path: &str) -> &'static str {
    let mut parts = path.split('/').filter(|part| !part.is_empty());
    match (parts.next(), parts.next()) {
        (Some("in"), Some(kind)) => registry::inbound(kind).map_or("unknown", Inbound::kind),
        (Some("v2"), _) => PagerDuty.kind(),
        _ => Alertmanager.kind(),
    }
}

/// `/prom/KEY/api/v1/…`
fn is_old(path: &str) -> bool {
    let mut parts = path.split('/').skip(1);
    parts.next() == Some("prom") && parts.nth(1) == Some("api") && parts.next() == Some("v1")
}

/// `POST /api/v1/alerts` of a sender, whose key is in `Authorization`; to everybody else it is an address of the control
/// API that takes no POST.
async fn old_by_header(State(api): State<Api>, request: Request) -> Response {
    let is_sender = key_in_headers(request.headers()).is_some_and(|key| api.engine.org().integration_by_key(&key).is_some());
    let whence = Whence::of(&api, &request);
    if is_sender { old(&api, whence).await } else { wrong_method().await.into_response() }
}

async fn old(api: &Api, whence: Whence) -> Response {
    whence.tell(api, "old_api", 410, OLD_API).await;
    reply(Answer { status: 410, body: json!({"status": "deprecated", "error": OLD_API}).to_string() })
}

/// Who sent something to a wrong address, as far as its key says.
struct Whence {
    integration: Option<String>,
    address: Option<IpAddr>,
    format: &'static str,
}

impl Whence {
    fn of(api: &Api, request: &Request) -> Self {
        let org = api.engine.org();
        let in_path = request.uri().path().split('/').filter(|part| !part.is_empty()).nth(1).map(str::to_owned);
        let in_json = request.uri().path().split('/').filter(|part| !part.is_empty()).nth(2).map(str::to_owned);
        let keys = [in_path, in_json, key_in_headers(request.headers())];
        let integration = keys.into_iter().flatten().find_map(|key| org.integration_by_key(&key).map(|form| form.id.clone()));
        Self { integration, address: address_of(request), format: format_of(request.uri().path()) }
    }

    async fn tell(&self, api: &Api, reason: &str, status: u16, detail: &str) {
        let (integration, format) = (self.integration.as_deref(), self.format);
        api.engine.refused(RefusedRequest { reason, status, integration, format, address: self.address, detail, body: None }).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_what_may_be_a_key() {
        assert_eq!(shown("/in/json/extra/s3cret"), "/in/json/…/…");
        assert_eq!(shown("/prom/s3cret/api/v2/alert"), "/prom/…/api/v2/…");
        assert_eq!((format_of("/in/json"), format_of("/in/nagios/x"), format_of("/v2/enqueu")), ("json", "unknown", "pagerduty"));
        assert_eq!(format_of("/prom/KEY/api/v2/alert"), "alertmanager");
    }

    #[test]
    fn slashes_are_straightened() {
        assert_eq!(straightened("//in///json/KEY/"), "/in/json/KEY");
        assert!(is_old(&straightened("/prom/KEY//api/v1/alerts/")) && !is_old("/prom/KEY/api/v2/alerts") && !is_old("/prom/api/v1/x"));
    }
}
