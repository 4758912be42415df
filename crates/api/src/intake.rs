//! Signals come in: each vendor's addresses, the integration's key, the format's own answers.
//!
//! The hot path of the program: no layer, no span, and nothing is copied that need not be. A 2xx
//! is given only after the engine said that the signals are durable. What a format's request means
//! is judged in `channels`, what follows from it in the engine.

use std::net::{IpAddr, SocketAddr};

use allclear_channels::inbound::alertmanager::Alertmanager;
use allclear_channels::inbound::pagerduty;
use allclear_channels::inbound::pagerduty::PagerDuty;
use allclear_channels::inbound::{lenient, redact, text};
use allclear_channels::registry;
use allclear_domain::wire::{Answer, Inbound, InboundContext, InboundRefusal, Parsed, SignalAction};
use allclear_engine::clock::JUMP_MIN;
use allclear_engine::core::{Arrived, Refusal};
use allclear_engine::refusals::{BODY_BYTES_MAX as REFUSED_BYTES_MAX, RefusedRequest};
use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Path, Request, State};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::Api;
use crate::http::body::{Came, Unread, body_of};
use crate::http::caller::key_in_headers;
use crate::http::problem::{Problem, RETRY_AFTER_S};

pub use crate::http::body::{BODIES_BYTES_MAX, BODY_WITHIN};

/// The header that carries PagerDuty's key where the body does not.
const ROUTING_KEY_HEADER: &str = "x-routing-key";
/// How change events are kept among the signals.
const CHANGE_FORMAT: &str = "pagerduty-change";
/// How many of the elements that were refused are kept to be looked at.
const PICKED_MAX: usize = 3;

pub(crate) fn routes() -> Router<Api> {
    Router::new().route("/v2/enqueue", post(enqueue)).route("/v2/change/enqueue", post(change)).route("/in/{kind}/{key}", post(by_kind))
}

/// Where a request comes from, as far as the connection says.
pub(crate) fn address_of(request: &Request) -> Option<IpAddr> {
    request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip().to_canonical())
}

/// Who sends, as far as it is known yet: for what is refused.
#[derive(Clone, Copy)]
struct Sender<'a> {
    format: &'a str,
    integration: Option<&'a str>,
    address: Option<IpAddr>,
}

impl Sender<'_> {
    async fn refused(self, api: &Api, reason: &str, status: u16, detail: &str, body: Option<&[u8]>) {
        let body = body.map(|body| text::cleaned(redact::redact_to(body, REFUSED_BYTES_MAX)));
        let (format, integration, address) = (self.format, self.integration, self.address);
        api.engine.refused(RefusedRequest { reason, status, integration, format, address, detail, body: body.as_deref() }).await;
    }
}

/// `POST /prom/{key}/api/v2/alerts`
pub(crate) async fn prom(State(api): State<Api>, Path(key): Path<String>, request: Request) -> Response {
    receive(&api, &Alertmanager, &key, request).await
}

/// `POST /api/v2/alerts`, with the key in `Authorization`.
pub(crate) async fn prom_by_header(State(api): State<Api>, request: Request) -> Response {
    let Some(key) = key_in_headers(request.headers()) else {
        let from = Sender { format: Alertmanager.kind(), integration: None, address: address_of(&request) };
        from.refused(&api, "unknown_key", 401, "no key came with the request", None).await;
        return no_key().into_response();
    };
    receive(&api, &Alertmanager, &key, request).await
}

/// A request whose key is known before its body is.
async fn receive(api: &Api, format: &'static dyn Inbound, key: &str, request: Request) -> Response {
    let address = address_of(&request);
    match body_of(api, request, format.body_bytes_max()).await {
        Ok(came) => take(api, format, key, &came).await,
        Err(why) => unread(api, format, Some(key), address, why).await,
    }
}

/// What is answered where a key has to be in `Authorization` and is not.
pub(crate) fn no_key() -> Problem {
    Problem::new("unknown_key", "send the integration's key as `Authorization: Bearer KEY`, or in the path: /prom/KEY/api/v2/alerts")
}

async fn by_kind(State(api): State<Api>, Path((kind, key)): Path<(String, String)>, request: Request) -> Response {
    let Some(format) = registry::inbound(&kind) else {
        let known: Vec<_> = registry::kinds().collect();
        let why = format!("`{}` is no format; one of {} is", kind.chars().take(64).collect::<String>(), known.join(", "));
        let from = Sender { format: "unknown", integration: None, address: address_of(&request) };
        from.refused(&api, "no_such_format", 404, &why, None).await;
        return Problem::new("no_such_format", why).into_response();
    };
    receive(&api, format, &key, request).await
}

async fn enqueue(State(api): State<Api>, request: Request) -> Response {
    let address = address_of(&request);
    match body_of(&api, request, PagerDuty.body_bytes_max()).await {
        Ok(came) => match routing_key(&came.headers, &came.bytes) {
            Some(key) => take(&api, &PagerDuty, &key, &came).await,
            None => keyless(&api, &came).await,
        },
        Err(why) => unread(&api, &PagerDuty, None, address, why).await,
    }
}

/// PagerDuty's events without a key: where the body cannot be read at all, that is why.
async fn keyless(api: &Api, came: &Came) -> Response {
    let malformed = pagerduty::parse_change(&came.bytes).err().filter(|why| matches!(why, InboundRefusal::Malformed(_)));
    match malformed {
        Some(refusal) => {
            let from = Sender { format: PagerDuty.kind(), integration: None, address: came.address };
            from.refused(api, "malformed", refusal.status(), &refusal.to_string(), None).await;
            reply(PagerDuty.refused(&refusal))
        }
        None => unknown_key(api, &PagerDuty, came.address, "routing_key is missing").await,
    }
}

/// A change event pages nobody; it is kept among the signals, where people find it.
async fn change(State(api): State<Api>, request: Request) -> Response {
    let address = address_of(&request);
    let came = match body_of(&api, request, PagerDuty.body_bytes_max()).await {
        Ok(came) => came,
        Err(why) => return unread(&api, &PagerDuty, None, address, why).await,
    };
    let Some(key) = routing_key(&came.headers, &came.bytes) else { return keyless(&api, &came).await };
    let org = api.engine.org();
    let Some(integration) = org.integration_by_key(&key).filter(|form| form.kind == PagerDuty.kind()) else {
        return unknown_key(&api, &PagerDuty, came.address, "routing_key is unknown").await;
    };
    let from = Sender { format: CHANGE_FORMAT, integration: Some(&integration.id), address: came.address };
    if let Err(refusal) = pagerduty::parse_change(&came.bytes) {
        from.refused(&api, "invalid", refusal.status(), &refusal.to_string(), Some(&came.bytes)).await;
        return reply(PagerDuty.refused(&refusal));
    }
    match api.engine.keep_request(&integration.id, CHANGE_FORMAT, redact::redact(&came.bytes)).await {
        Ok(_) => {
            api.engine.metrics().accepted(&integration.id, 1);
            reply(pagerduty::change_accepted())
        }
        Err(why) => {
            from.refused(&api, "store_unavailable", 503, &why.to_string(), None).await;
            shaped(&PagerDuty, 503, &why.to_string())
        }
    }
}

fn routing_key(headers: &HeaderMap, body: &[u8]) -> Option<String> {
    PagerDuty.key_in_body(body).or_else(|| Some(headers.get(ROUTING_KEY_HEADER)?.to_str().ok()?.to_owned()))
}

/// One request of a sender whose key is `key`.
async fn take(api: &Api, format: &'static dyn Inbound, key: &str, came: &Came) -> Response {
    let engine = &api.engine;
    let org = engine.org();
    let Some(integration) = org.integration_by_key(key) else {
        return unknown_key(api, format, came.address, "routing_key is unknown").await;
    };
    let from = Sender { format: format.kind(), integration: Some(&integration.id), address: came.address };
    if integration.kind != format.kind() {
        let why = format!("this key is of an integration of the kind `{}`, not `{}`", integration.kind, format.kind());
        from.refused(api, "wrong_kind", if is_pagerduty(format) { 400 } else { 401 }, &why, Some(&came.bytes)).await;
        return if is_pagerduty(format) { shaped(format, 400, &why) } else { Problem::new("wrong_kind", why).into_response() };
    }
    let now = engine.now();
    let fresh_key = format!("{:032x}", engine.fresh_id());
    let (judged_by, behind) = sender_time(now, engine.ports().clock.wall_ahead());
    let mut parsed = match format.parse(&came.bytes, InboundContext { now: judged_by, fresh_key: &fresh_key }) {
        Ok(mut parsed) => {
            brought_forth(&mut parsed, now, behind);
            parsed
        }
        Err(refusal) => {
            let reason = match refusal {
                InboundRefusal::Malformed(_) => "malformed",
                InboundRefusal::Invalid(_) => "invalid",
                InboundRefusal::TooMany(_) => "too_many",
            };
            from.refused(api, reason, refusal.status(), &refusal.to_string(), Some(&came.bytes)).await;
            return reply(format.refused(&refusal));
        }
    };
    let answer = format.accepted(&parsed);
    if !parsed.refused.is_empty() {
        tell_refused(api, from, &parsed, &came.bytes, answer.status).await;
    }
    if parsed.signals.is_empty() {
        return reply(answer);
    }
    let count = parsed.signals.len() as u64;
    let arrived = Arrived {
        integration: integration.id.clone(),
        format: format.kind(),
        received_at: now,
        body: redact::redact(&came.bytes),
        signals: std::mem::take(&mut parsed.signals),
        kept: None,
    };
    let refused = match engine.accept(arrived).await {
        Ok(accepted) => {
            let refused: Vec<Refusal> = accepted.into_iter().filter_map(Result::err).collect();
            engine.metrics().accepted(&integration.id, count - refused.len() as u64);
            // Whoever sends all of it again loses nothing: what is kept is a repetition then.
            refused.into_iter().next()
        }
        Err(refusal) => Some(refusal),
    };
    match refused {
        None => reply(answer),
        Some(refusal) => {
            let status = match &refusal {
                Refusal::Unavailable(_) | Refusal::TooManyAlerts(_) => 503,
                Refusal::NoSuchIntegration(_) => 401,
                _ => 500,
            };
            from.refused(api, refusal.code(), status, &refusal.to_string(), Some(&came.bytes)).await;
            shaped(format, status, &refusal.to_string())
        }
    }
}

/// By which instant a sender's times are judged, and by how much that is behind ours. After a jump of the wall clock one of
/// the two clocks is wrong, and a sender may agree with either: what has not ended by both is taken for firing, since a
/// page too many is better than none.
fn sender_time(now: Timestamp, wall_ahead: SignedDuration) -> (Timestamp, SignedDuration) {
    if wall_ahead > -JUMP_MIN {
        return (now, SignedDuration::ZERO);
    }
    (now.checked_add(wall_ahead).unwrap_or(now), -wall_ahead)
}

/// What ends later than its sender's now, and earlier than ours, ends as much later than ours: else it would lapse at once.
fn brought_forth(parsed: &mut Parsed, now: Timestamp, behind: SignedDuration) {
    if behind.is_zero() {
        return;
    }
    for signal in parsed.signals.iter_mut().filter(|signal| signal.action == SignalAction::Trigger) {
        signal.ends_at = signal.ends_at.map(|end| if end <= now { end.checked_add(behind).unwrap_or(end) } else { end });
    }
}

/// What of a request was refused, while the rest was taken.
async fn tell_refused(api: &Api, from: Sender<'_>, parsed: &Parsed, body: &[u8], status: u16) {
    let first = &parsed.refused[..parsed.refused.len().min(PICKED_MAX)];
    let at: Vec<usize> = first.iter().filter_map(|refused| refused.at).collect();
    let picked = lenient::picked(body, &at);
    let mut detail: String = first.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    if parsed.refused.len() > first.len() {
        detail.push_str(&format!("; and {} more", parsed.refused.len() - first.len()));
    }
    from.refused(api, "invalid", status, &detail, Some(picked.as_deref().map_or(body, str::as_bytes))).await;
}

/// A body that was not read. Whose it is, is said where the key came before it.
async fn unread(api: &Api, format: &dyn Inbound, key: Option<&str>, address: Option<IpAddr>, why: Unread) -> Response {
    let (reason, status, detail) = why.told(format.body_bytes_max());
    let org = api.engine.org();
    let integration = key.and_then(|key| org.integration_by_key(key)).map(|form| form.id.as_str());
    Sender { format: format.kind(), integration, address }.refused(api, reason, status, &detail, None).await;
    shaped(format, status, &detail)
}

fn is_pagerduty(format: &dyn Inbound) -> bool {
    format.kind() == PagerDuty.kind()
}

/// PagerDuty's senders read 400 in its own shape and never try again; everybody else gets 401.
async fn unknown_key(api: &Api, format: &dyn Inbound, address: Option<IpAddr>, why: &str) -> Response {
    let status = if is_pagerduty(format) { 400 } else { 401 };
    Sender { format: format.kind(), integration: None, address }
        .refused(api, "unknown_key", status, "no integration has this key", None)
        .await;
    if is_pagerduty(format) {
        return shaped(format, status, why);
    }
    Problem::new("unknown_key", "no integration has this key; `allclear config export` lists the integrations").into_response()
}

pub(crate) fn reply(answer: Answer) -> Response {
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// An error in the shape that the format's senders log.
fn shaped(format: &dyn Inbound, status: u16, why: &str) -> Response {
    let body = match format.kind() {
        "alertmanager" => json!({"code": status, "message": why}),
        "pagerduty" if status < 500 => json!({"status": "invalid event", "message": "Event object is invalid", "errors": [why]}),
        "pagerduty" => json!({"status": "try again later", "message": why, "errors": [why]}),
        _ => json!({"status": "refused", "errors": [why]}),
    };
    let mut response = reply(Answer { status, body: body.to_string() });
    if status == 503 {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_S));
    }
    response
}
