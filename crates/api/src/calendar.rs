//! Who is on call as a calendar, for programs that fetch one address again and again: `GET /cal/{secret}.ics`.
//!
//! The address is the proof. Where it leads nowhere it says no more than that, whether it never was one, was revoked, or whoever made
//! it may not look any more.

use allclear_engine::identity::feeds::{FEED_PATH, FEED_SUFFIX};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

use crate::Api;
use crate::http::problem::{Problem, store};

/// Longest secret that is looked up: ours have 43 characters.
const SECRET_LEN_MAX: usize = 64;

pub(crate) fn routes() -> Router<Api> {
    Router::new().route(&format!("{FEED_PATH}{{file}}"), get(fetch))
}

async fn fetch(State(api): State<Api>, Path(file): Path<String>, headers: HeaderMap) -> Result<Response, Problem> {
    let missing =
        || Problem::new("no_such_feed", "no calendar is at this address: it may have been revoked; make another one under My shifts");
    let secret = file.strip_suffix(FEED_SUFFIX).filter(|secret| secret.len() <= SECRET_LEN_MAX).ok_or_else(missing)?;
    let feed = api.engine.fetch_feed(secret).await.map_err(|fault| store(&fault))?.ok_or_else(missing)?;
    let tag = format!("\"{}\"", feed.mark());
    let known = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    let is_known = known.map(|known| known.trim().trim_start_matches("W/")).any(|known| known == tag || known == "*");
    let mut response = if is_known { StatusCode::NOT_MODIFIED.into_response() } else { feed.text(api.engine.now()).into_response() };
    let headers = response.headers_mut();
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(ETAG, tag);
    }
    // Kept by whoever reads it, and asked for again before it is believed.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    if !is_known {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/calendar; charset=utf-8"));
        headers.insert(CONTENT_DISPOSITION, HeaderValue::from_static("inline; filename=\"on-call.ics\""));
    }
    Ok(response)
}
