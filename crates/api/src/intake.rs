//! Signals come in: each vendor's addresses, the integration's key, the format's own answers.
//!
//! The hot path of the program: no layer, no span, and nothing is copied that need not be. A 2xx
//! is given only after the engine said that the signals are durable. What a format's request means
//! is judged in `channels`, what follows from it in the engine.

use std::io::Read as _;
use std::time::Duration;

use allclear_channels::alertmanager::Alertmanager;
use allclear_channels::pagerduty::{self, PagerDuty};
use allclear_channels::{redact, registry};
use allclear_domain::wire::{Answer, Inbound, InboundContext};
use allclear_engine::core::{Arrived, Refusal};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Request, State};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde_json::json;

use crate::Api;
use crate::problem::{Problem, RETRY_AFTER_S};
use crate::who::key_in_headers;

/// Largest body, before and after unpacking. PagerDuty's limit is 512 KB, and Prometheus sends at
/// most 256 alerts (about 100 KB) at once.
pub const BODY_BYTES_MAX: usize = 512 * 1024;
/// How long a sender may take for its body.
pub const BODY_WITHIN: Duration = Duration::from_secs(30);
/// The header that carries PagerDuty's key where the body does not.
const ROUTING_KEY_HEADER: &str = "x-routing-key";
/// How change events are kept among the signals.
const CHANGE_FORMAT: &str = "pagerduty-change";

pub(crate) fn routes() -> Router<Api> {
    Router::new().route("/v2/enqueue", post(enqueue)).route("/v2/change/enqueue", post(change)).route("/in/{kind}/{key}", post(by_kind))
}

/// `POST /prom/{key}/api/v2/alerts`
pub(crate) async fn prom(State(api): State<Api>, Path(key): Path<String>, request: Request) -> Response {
    match body_of(request).await {
        Ok((_, body)) => take(&api, &Alertmanager, &key, &body).await,
        Err(why) => why.answer(&api, &Alertmanager),
    }
}

/// `POST /api/v2/alerts`, with the key in `Authorization`.
pub(crate) async fn prom_by_header(State(api): State<Api>, request: Request) -> Response {
    let Some(key) = key_in_headers(request.headers()) else {
        api.engine.metrics().refused("unknown_key", false);
        return no_key().into_response();
    };
    match body_of(request).await {
        Ok((_, body)) => take(&api, &Alertmanager, &key, &body).await,
        Err(why) => why.answer(&api, &Alertmanager),
    }
}

/// What is answered where a key has to be in `Authorization` and is not.
pub(crate) fn no_key() -> Problem {
    Problem::new("unknown_key", "send the integration's key as `Authorization: Bearer KEY`, or in the path: /prom/KEY/api/v2/alerts")
}

async fn by_kind(State(api): State<Api>, Path((kind, key)): Path<(String, String)>, request: Request) -> Response {
    let Some(format) = registry::inbound(&kind) else {
        let known: Vec<_> = registry::kinds().collect();
        api.engine.metrics().refused("no_such_format", false);
        return Problem::new("no_such_format", format!("`{kind}` is no format; one of {} is", known.join(", "))).into_response();
    };
    match body_of(request).await {
        Ok((_, body)) => take(&api, format, &key, &body).await,
        Err(why) => why.answer(&api, format),
    }
}

async fn enqueue(State(api): State<Api>, request: Request) -> Response {
    match body_of(request).await {
        Ok((headers, body)) => match routing_key(&headers, &body) {
            Some(key) => take(&api, &PagerDuty, &key, &body).await,
            None => unknown_key(&api, &PagerDuty, "routing_key is missing"),
        },
        Err(why) => why.answer(&api, &PagerDuty),
    }
}

/// A change event pages nobody; it is kept among the signals, where people find it.
async fn change(State(api): State<Api>, request: Request) -> Response {
    let (headers, body) = match body_of(request).await {
        Ok(read) => read,
        Err(why) => return why.answer(&api, &PagerDuty),
    };
    let Some(key) = routing_key(&headers, &body) else { return unknown_key(&api, &PagerDuty, "routing_key is missing") };
    let org = api.engine.org();
    let Some(integration) = org.integration_by_key(&key).filter(|form| form.kind == PagerDuty.kind()) else {
        return unknown_key(&api, &PagerDuty, "routing_key is unknown");
    };
    if let Err(refusal) = pagerduty::parse_change(&body) {
        api.engine.metrics().refused("invalid", false);
        return reply(PagerDuty.refused(&refusal));
    }
    match api.engine.keep_request(&integration.id, CHANGE_FORMAT, redact::redact(&body)).await {
        Ok(_) => {
            api.engine.metrics().accepted(&integration.id, 1);
            reply(pagerduty::change_accepted())
        }
        Err(why) => {
            api.engine.metrics().refused("store_unavailable", true);
            shaped(&PagerDuty, 503, &why.to_string())
        }
    }
}

fn routing_key(headers: &HeaderMap, body: &[u8]) -> Option<String> {
    PagerDuty.key_in_body(body).or_else(|| Some(headers.get(ROUTING_KEY_HEADER)?.to_str().ok()?.to_owned()))
}

/// One request of a sender whose key is `key`.
async fn take(api: &Api, format: &'static dyn Inbound, key: &str, body: &[u8]) -> Response {
    let engine = &api.engine;
    let org = engine.org();
    let Some(integration) = org.integration_by_key(key) else {
        return unknown_key(api, format, "routing_key is unknown");
    };
    if integration.kind != format.kind() {
        engine.metrics().refused("wrong_kind", false);
        let why = format!("this key is of an integration of the kind `{}`, not `{}`", integration.kind, format.kind());
        return if is_pagerduty(format) { shaped(format, 400, &why) } else { Problem::new("wrong_kind", why).into_response() };
    }
    let now = engine.now();
    let fresh_key = format!("{:032x}", engine.fresh_id());
    let mut parsed = match format.parse(body, InboundContext { now, fresh_key: &fresh_key }) {
        Ok(parsed) => parsed,
        Err(refusal) => {
            engine.metrics().refused("invalid", false);
            return reply(format.refused(&refusal));
        }
    };
    let answer = format.accepted(&parsed);
    if !parsed.refused.is_empty() {
        engine.metrics().refused("invalid", false);
    }
    if parsed.signals.is_empty() {
        return reply(answer);
    }
    let count = parsed.signals.len() as u64;
    let arrived = Arrived {
        integration: integration.id.clone(),
        format: format.kind(),
        received_at: now,
        body: redact::redact(body),
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
            engine.metrics().refused(refusal.code(), status >= 500);
            shaped(format, status, &refusal.to_string())
        }
    }
}

fn is_pagerduty(format: &dyn Inbound) -> bool {
    format.kind() == PagerDuty.kind()
}

/// PagerDuty's senders read 400 in its own shape and never try again; everybody else gets 401.
fn unknown_key(api: &Api, format: &dyn Inbound, why: &str) -> Response {
    api.engine.metrics().refused("unknown_key", false);
    if is_pagerduty(format) {
        return shaped(format, 400, why);
    }
    Problem::new("unknown_key", "no integration has this key; `allclear config export` lists the integrations").into_response()
}

fn reply(answer: Answer) -> Response {
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

/// Why a body was not read.
#[derive(Debug, Clone, Copy)]
enum Unread {
    TooLarge,
    Late,
    Broken,
    Encoding,
}

impl Unread {
    fn answer(self, api: &Api, format: &dyn Inbound) -> Response {
        let (reason, status, why) = match self {
            Self::TooLarge => ("body_too_large", 413, format!("the body is larger than {BODY_BYTES_MAX} bytes")),
            Self::Late => ("body_late", 408, "the body did not arrive in time".to_owned()),
            Self::Broken => ("body_broken", 400, "the body broke off, or is not the gzip it says it is".to_owned()),
            Self::Encoding => ("unsupported_media_type", 415, "send the body plain, or with `Content-Encoding: gzip`".to_owned()),
        };
        api.engine.metrics().refused(reason, false);
        shaped(format, status, &why)
    }
}

async fn body_of(request: Request) -> Result<(HeaderMap, Bytes), Unread> {
    let (parts, body) = request.into_parts();
    // What is in the buffer already needs no timer: the body is polled first.
    let read = tokio::time::timeout(BODY_WITHIN, Limited::new(body, BODY_BYTES_MAX).collect()).await;
    let bytes = match read {
        Ok(Ok(collected)) => collected.to_bytes(),
        Ok(Err(why)) => return Err(if why.is::<LengthLimitError>() { Unread::TooLarge } else { Unread::Broken }),
        Err(_) => return Err(Unread::Late),
    };
    let bytes = match parts.headers.get(CONTENT_ENCODING).map(HeaderValue::as_bytes) {
        None | Some(b"" | b"identity") => bytes,
        Some(said) if said.eq_ignore_ascii_case(b"gzip") || said.eq_ignore_ascii_case(b"x-gzip") => unpacked(&bytes)?,
        Some(_) => return Err(Unread::Encoding),
    };
    Ok((parts.headers, bytes))
}

/// Unpacks no more than the limit, however small the packed body is.
fn unpacked(packed: &[u8]) -> Result<Bytes, Unread> {
    let mut out = Vec::new();
    let limit = BODY_BYTES_MAX as u64 + 1;
    flate2::read::MultiGzDecoder::new(packed).take(limit).read_to_end(&mut out).map_err(|_| Unread::Broken)?;
    if out.len() > BODY_BYTES_MAX { Err(Unread::TooLarge) } else { Ok(out.into()) }
}
