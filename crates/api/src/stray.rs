//! Addresses of senders that are nearly right: a slash at the end, a doubled one, or the version of Alertmanager's API
//! before this one.
//!
//! An alarm is not lost for a slash: such a request goes where it was meant to. Only what matched no address comes
//! here, so that it costs the others nothing; and only the addresses of senders are read so, no page for people.

use std::net::IpAddr;

use allclear_channels::registry;
use allclear_domain::wire::Inbound;
use allclear_engine::refusals::RefusedRequest;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{Method, Uri, uri::PathAndQuery};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use tower::ServiceExt as _;

use crate::Api;
use crate::alertmanager;
use crate::http::body::address_of;
use crate::http::caller::key_in_headers;
use crate::http::problem::{wrong_address, wrong_method};

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
        if !is_of_senders(&straight) {
            return None;
        }
        let whence = Whence::of(api, &request);
        if alertmanager::is_old(&straight) {
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
    format!("/{}", parts(path).collect::<Vec<_>>().join("/"))
}

fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|part| !part.is_empty())
}

/// What stands before the key, or the last word, of a vendor's own address: `/prom`, `/v2`, `/api/v2`.
fn starts() -> impl Iterator<Item = (&'static str, &'static dyn Inbound)> {
    registry::routes().filter_map(|route| {
        let end = route.path.find("/{key}").or_else(|| route.path.rfind('/'))?;
        Some((&route.path[..end], route.format))
    })
}

/// Whether a request may have been meant for a sender's address.
fn is_of_senders(straight: &str) -> bool {
    let is_below = |start: &str| straight.strip_prefix(start).is_some_and(|rest| rest.starts_with('/'));
    is_below("/in") || starts().any(|(start, _)| is_below(start))
}

/// The format that an address was meant for.
fn format_of(path: &str) -> &'static str {
    let mut first = parts(path);
    if first.next() == Some("in") {
        return first.next().and_then(registry::format).map_or("unknown", Inbound::kind);
    }
    let straight = straightened(path);
    let meant = starts().find(|(start, _)| straight.starts_with(start));
    meant.map_or("unknown", |(_, format)| format.kind())
}

/// A path as an administrator may read it: words of ours, and of everything else, which may be a key, that it is there.
fn shown(path: &str) -> String {
    let is_word = |part: &str| WORDS.contains(&part) || registry::routes().any(|route| parts(route.path).any(|word| word == part));
    let shown = |part: &str| if is_word(part) || registry::format(part).is_some() { part.to_owned() } else { "…".to_owned() };
    format!("/{}", parts(path).take(PARTS_SHOWN).map(shown).collect::<Vec<_>>().join("/"))
}

/// Words that stand in senders' addresses, beside those of the vendors' own.
const WORDS: [&str; 4] = ["in", "v1", "silences", "webhook"];
/// Parts of a path that are shown.
const PARTS_SHOWN: usize = 8;

/// `POST /api/v1/alerts` of a sender, whose key is in `Authorization`; to everybody else it is an address of the control
/// API that takes no POST.
async fn old_by_header(State(api): State<Api>, request: Request) -> Response {
    let is_sender = key_in_headers(request.headers()).is_some_and(|key| api.engine.org().integration_by_key(&key).is_some());
    let whence = Whence::of(&api, &request);
    if is_sender { old(&api, whence).await } else { wrong_method().await.into_response() }
}

async fn old(api: &Api, whence: Whence) -> Response {
    whence.tell(api, "old_api", 410, alertmanager::OLD_API).await;
    alertmanager::old_api()
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
        // A key stands second, or third below `/in`.
        let in_path = parts(request.uri().path()).skip(1).take(2).map(str::to_owned);
        let keys = in_path.map(Some).chain([key_in_headers(request.headers())]);
        let integration = keys.flatten().find_map(|key| org.integration_by_key(&key).map(|form| form.id.clone()));
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
    fn addresses_of_senders_are_told_from_those_for_people() {
        for path in ["/in/json", "/v2/enqueu", "/v2/x", "/prom/KEY/x", "/api/v2/alert"] {
            assert!(is_of_senders(path), "{path}");
        }
        for path in ["/", "/in", "/incidents/INC-1", "/promenade/x", "/api/v1/incidents", "/v2", "/api/v21/x"] {
            assert!(!is_of_senders(path), "{path}");
        }
    }

    #[test]
    fn slashes_are_straightened() {
        assert_eq!(straightened("//in///json/KEY/"), "/in/json/KEY");
        assert!(
            alertmanager::is_old(&straightened("/prom/KEY//api/v1/alerts/"))
                && !alertmanager::is_old("/prom/KEY/api/v2/alerts")
                && !alertmanager::is_old("/prom/api/v1/x")
        );
    }
}
