//! Signals come in: the addresses that the formats say, the integration's key, the answers that their senders expect.
//!
//! The hot path of the program: no layer, no span, and nothing is copied that need not be. A 2xx
//! is given only after the engine said that the signals are durable. Everything that is one vendor's stands in its format
//! (`channels`), what follows from a signal in the engine; nothing here names a vendor.

use std::collections::HashMap;
use std::net::IpAddr;

use allclear_channels::inbound::{lenient, redact, signed, text};
use allclear_channels::registry;
use allclear_domain::org::model::Integration;
use allclear_domain::wire::{Answer, Inbound, InboundContext, InboundRefusal, KeyFault, KeyIn, Parsed, Route, Signal, SignalAction};
use allclear_engine::clock::JUMP_MIN;
use allclear_engine::core::{Arrived, Refusal};
use allclear_engine::refusals::{BODY_BYTES_MAX as REFUSED_BYTES_MAX, RefusedRequest};
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, post};
use jiff::{SignedDuration, Timestamp};

use crate::Api;
use crate::http::body::{Came, Unread, address_of, body_of};
use crate::http::caller::key_in_headers;
use crate::http::problem::{Problem, RETRY_AFTER_S};

pub use crate::http::body::{BODIES_BYTES_MAX, BODY_WITHIN};

/// What is answered to a request that is not signed as it has to be.
const UNSIGNED: u16 = 401;
/// How many of the elements that were refused are kept to be looked at.
const PICKED_MAX: usize = 3;

pub(crate) fn routes() -> Router<Api> {
    registry::routes().fold(Router::new().route("/in/{kind}/{key}", post(by_kind)), |router, route| {
        let handler = move |State(api): State<Api>, named: Option<Path<HashMap<String, String>>>, request: Request| async move {
            by_route(&api, route, &named.map(|Path(named)| named).unwrap_or_default(), request).await
        };
        router.route(route.path, if route.any_method { any(handler) } else { post(handler) })
    })
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

async fn by_kind(State(api): State<Api>, Path((kind, key)): Path<(String, String)>, request: Request) -> Response {
    let Some(format) = registry::format(&kind) else {
        let known: Vec<_> = registry::kinds().map(|spoken| spoken.kind).collect();
        let why = format!("`{}` is no format; one of {} is", kind.chars().take(64).collect::<String>(), known.join(", "));
        let from = Sender { format: "unknown", integration: None, address: address_of(&request) };
        from.refused(&api, "no_such_format", 404, &why, None).await;
        return Problem::new("no_such_format", why).into_response();
    };
    receive(&api, format, &key, None, request).await
}

/// A request at an address of a vendor's own.
async fn by_route(api: &Api, route: &'static Route, named: &HashMap<String, String>, request: Request) -> Response {
    let (format, instance) = (route.format, named.get("instance").map(String::as_str));
    match (route.key, named.get("key")) {
        (KeyIn::Path, Some(key)) => receive(api, format, key, instance, request).await,
        (KeyIn::Path | KeyIn::Authorization, _) => match key_in_headers(request.headers()) {
            Some(key) => receive(api, format, &key, instance, request).await,
            None => keyless(api, format, address_of(&request)).await,
        },
        (KeyIn::BodyOrHeader(header), _) => key_after_body(api, format, header, request).await,
    }
}

/// A request whose key is known before its body is, and of which instance it is, where the address says so.
async fn receive(api: &Api, format: &'static dyn Inbound, key: &str, instance: Option<&str>, request: Request) -> Response {
    let address = address_of(&request);
    match body_of(api, request, format.body_bytes_max()).await {
        Ok(came) => take(api, format, key, instance, &came).await,
        Err(why) => unread(api, format, Some(key), address, why).await,
    }
}

/// A request whose key may be in its body. Where there is none and the body cannot be read at all, that is why.
async fn key_after_body(api: &Api, format: &'static dyn Inbound, header: &str, request: Request) -> Response {
    let address = address_of(&request);
    let came = match body_of(api, request, format.body_bytes_max()).await {
        Ok(came) => came,
        Err(why) => return unread(api, format, None, address, why).await,
    };
    let in_header = |headers: &HeaderMap| Some(headers.get(header)?.to_str().ok()?.to_owned());
    if let Some(key) = format.key_in_body(&came.bytes).or_else(|| in_header(&came.headers)) {
        return take(api, format, &key, None, &came).await;
    }
    match format.parse(&came.bytes, InboundContext { now: api.engine.now(), fresh_key: "", instance: None }) {
        Err(refusal @ InboundRefusal::Malformed(_)) => {
            let from = Sender { format: format.name(), integration: None, address };
            from.refused(api, "malformed", refusal.status(), &refusal.to_string(), None).await;
            reply(format.refusal(&refusal))
        }
        Err(InboundRefusal::Invalid(_) | InboundRefusal::TooMany(_)) | Ok(_) => keyless(api, format, address).await,
    }
}

/// A request without a key.
async fn keyless(api: &Api, format: &'static dyn Inbound, address: Option<IpAddr>) -> Response {
    let answer = format.key_refused(KeyFault::Missing);
    let status = answer.as_ref().map_or(401, |answer| answer.status);
    let from = Sender { format: format.name(), integration: None, address };
    from.refused(api, "unknown_key", status, "no key came with the request", None).await;
    answer.map_or_else(|| no_key(format).into_response(), reply)
}

/// What is answered where a key has to be in `Authorization` or in the path, and is not.
pub(crate) fn no_key(format: &dyn Inbound) -> Problem {
    let in_path = format
        .routes()
        .iter()
        .find(|route| route.key == KeyIn::Path)
        .map_or_else(|| format!("/in/{}/KEY", format.kind()), |route| route.path.replace("{key}", "KEY"));
    Problem::new("unknown_key", format!("send the integration's key as `Authorization: Bearer KEY`, or in the path: {in_path}"))
}

/// One request of a sender whose key is `key`.
async fn take(api: &Api, format: &'static dyn Inbound, key: &str, instance: Option<&str>, came: &Came) -> Response {
    let engine = &api.engine;
    let org = engine.org();
    let Some(integration) = org.integration_by_key(key) else {
        return unknown_key(api, format, came.address).await;
    };
    let from = Sender { format: format.name(), integration: Some(&integration.id), address: came.address };
    if integration.kind != format.kind() {
        let why = format!("this key is of an integration of the kind `{}`, not `{}`", integration.kind, format.kind());
        let answer = format.key_refused(KeyFault::OtherKind(&why));
        from.refused(api, "wrong_kind", answer.as_ref().map_or(401, |answer| answer.status), &why, Some(&came.bytes)).await;
        return answer.map_or_else(|| Problem::new("wrong_kind", why).into_response(), reply);
    }
    let now = engine.now();
    if let Err(why) = from_its_sender(format, integration, came, [now, now.checked_add(engine.ports().clock.wall_ahead()).unwrap_or(now)]) {
        from.refused(api, "unsigned", UNSIGNED, &why, Some(&came.bytes)).await;
        return shaped(format, UNSIGNED, &why);
    }
    let fresh_key = format!("{:032x}", engine.fresh_id());
    let (judged_by, behind) = sender_time(now, engine.ports().clock.wall_ahead());
    let mut parsed = match format.parse(&came.bytes, InboundContext { now: judged_by, fresh_key: &fresh_key, instance }) {
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
            return reply(format.refusal(&refusal));
        }
    };
    let answer = format.accepted(&parsed);
    if !parsed.refused.is_empty() {
        tell_refused(api, from, &parsed, &came.bytes, answer.status).await;
    }
    if parsed.keep_only {
        return kept(api, format, from, (&came.bytes, &parsed.signals), answer).await;
    }
    if parsed.signals.is_empty() {
        return reply(answer);
    }
    let count = parsed.signals.len() as u64;
    let arrived = Arrived {
        integration: integration.id.clone(),
        format: format.name(),
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
                Refusal::TooManyHeartbeats(_) => 409,
                _ => 500,
            };
            from.refused(api, refusal.code(), status, &refusal.to_string(), Some(&came.bytes)).await;
            shaped(format, status, &refusal.to_string())
        }
    }
}

/// Whether the request is signed as its integration asks. After a jump of the wall clock a sender may agree with either of
/// our two clocks; what is forged agrees with none.
fn from_its_sender(format: &dyn Inbound, integration: &Integration, came: &Came, now: [Timestamp; 2]) -> Result<(), String> {
    let Some(secret) = &integration.secret else { return Ok(()) };
    // The organisation's check holds a secret to formats that sign; what is stored may be older than the format.
    let signature =
        format.signature().ok_or_else(|| format!("senders of `{}` do not sign: take the integration's secret away", format.name()))?;
    let header = |name: &str| came.headers.get(name).map(|value| value.as_bytes());
    signed::check(signature, header, &came.bytes, secret, &now).map_err(|why| why.to_string())
}

/// What pages nobody is kept among the signals, where people find it.
async fn kept(api: &Api, format: &'static dyn Inbound, from: Sender<'_>, (body, changes): (&[u8], &[Signal]), answer: Answer) -> Response {
    let integration = from.integration.unwrap_or_default();
    match api.engine.keep_request(integration, format.name(), redact::redact(body), changes).await {
        Ok(_) => {
            api.engine.metrics().accepted(integration, 1);
            reply(answer)
        }
        Err(why) => {
            from.refused(api, "store_unavailable", 503, &why.to_string(), None).await;
            shaped(format, 503, &why.to_string())
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
    Sender { format: format.name(), integration, address }.refused(api, reason, status, &detail, None).await;
    shaped(format, status, &detail)
}

async fn unknown_key(api: &Api, format: &dyn Inbound, address: Option<IpAddr>) -> Response {
    let answer = format.key_refused(KeyFault::Unknown);
    let status = answer.as_ref().map_or(401, |answer| answer.status);
    let from = Sender { format: format.name(), integration: None, address };
    from.refused(api, "unknown_key", status, "no integration has this key", None).await;
    let problem = || Problem::new("unknown_key", "no integration has this key; `allclear config export` lists the integrations");
    answer.map_or_else(|| problem().into_response(), reply)
}

pub(crate) fn reply(answer: Answer) -> Response {
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// An error in the shape that the format's senders log.
fn shaped(format: &dyn Inbound, status: u16, why: &str) -> Response {
    let mut response = reply(format.refused(status, &[why.to_owned()]));
    if status == 503 {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_S));
    }
    response
}
