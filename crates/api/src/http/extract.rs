//! What is asked: bodies, queries and paths, with refusals in words.

use std::borrow::Cow;

use allclear_domain::hex::hex;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Json, Path, Query, Request};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

use crate::Api;
use crate::http::problem::Problem;

/// Largest body of the control API: the engine's limit for one file of the organisation, which is
/// the largest thing that is posted.
pub(crate) const BODY_BYTES_MAX: usize = 1024 * 1024;
/// Longest `Idempotency-Key`, in characters.
pub(crate) const IDEMPOTENCY_KEY_CHARS_MAX: usize = 255;

/// A query string.
pub(crate) struct Q<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<Api> for Q<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Self, Problem> {
        let read = Query::<T>::try_from_uri(&parts.uri).map_err(|why| unread(&why.body_text()))?;
        Ok(Self(read.0))
    }
}

/// The variable parts of a path.
pub(crate) struct P<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequestParts<Api> for P<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let read = Path::<T>::from_request_parts(parts, api).await.map_err(|why| unread(&why.body_text()))?;
        Ok(Self(read.0))
    }
}

/// A refusal of what was asked, without the words of a library where we have our own.
fn unread(words: &str) -> Problem {
    Problem::bad(allclear_domain::time::unread(words).unwrap_or_else(|| words.to_owned()))
}

/// The bytes of a body, up to [`BODY_BYTES_MAX`].
pub(crate) struct Raw(pub Bytes);

impl FromRequest<Api> for Raw {
    type Rejection = Problem;
    async fn from_request(request: Request, api: &Api) -> Result<Self, Problem> {
        let bytes = Bytes::from_request(request, api)
            .await
            .map_err(|why| if why.status() == 413 { Problem::too_large(BODY_BYTES_MAX) } else { unread(&why.body_text()) })?;
        Ok(Self(bytes))
    }
}

/// Refuses a body that says it is something else than JSON; one that says nothing is taken for it. Senders of alarms are
/// read more leniently, and not through this.
pub(crate) fn says_json(headers: &HeaderMap, body: &[u8]) -> Result<(), Problem> {
    let Some(said) = headers.get(CONTENT_TYPE).filter(|_| !body.trim_ascii().is_empty()) else { return Ok(()) };
    let kind = said.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_json = kind.strip_prefix("application/").is_some_and(|sub| sub == "json" || sub.ends_with("+json"));
    if is_json { Ok(()) } else { Err(Problem::new("unsupported_media_type", "send the body as `Content-Type: application/json`")) }
}

/// A JSON body; an empty one is an empty object.
pub(crate) struct Asked<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Api> for Asked<T> {
    type Rejection = Problem;
    async fn from_request(request: Request, api: &Api) -> Result<Self, Problem> {
        let headers = request.headers().clone();
        let Raw(bytes) = Raw::from_request(request, api).await?;
        says_json(&headers, &bytes)?;
        json(&bytes).map(Self)
    }
}

/// Reads JSON; an error names the field and the place.
pub(crate) fn json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let bytes = if bytes.trim_ascii().is_empty() { b"{}" } else { bytes };
    Json::<T>::from_bytes(bytes).map(|Json(value)| value).map_err(|why| unread(&why.body_text()))
}

/// A body that is answered once for an `Idempotency-Key`: the bytes, the key, and a digest of
/// method, path and what the body says.
pub(crate) struct Once {
    pub headers: HeaderMap,
    pub body: Bytes,
    pub key: Option<allclear_engine::core::Once>,
}

impl FromRequest<Api> for Once {
    type Rejection = Problem;
    async fn from_request(request: Request, api: &Api) -> Result<Self, Problem> {
        let headers = request.headers().clone();
        let asked = format!("{} {}\n", request.method(), request.uri().path());
        let Raw(body) = Raw::from_request(request, api).await?;
        says_json(&headers, &body)?;
        let key = match headers.get("idempotency-key") {
            None => None,
            Some(value) => {
                let key = value.to_str().map_err(|_| Problem::bad("the Idempotency-Key has characters other than printable ASCII"))?;
                if key.is_empty() || key.len() > IDEMPOTENCY_KEY_CHARS_MAX {
                    return Err(Problem::bad(format!("an Idempotency-Key has 1 to {IDEMPOTENCY_KEY_CHARS_MAX} characters")));
                }
                let digest = |body: &[u8]| hex(&Sha256::new().chain_update(asked.as_bytes()).chain_update(body).finalize());
                // Earlier versions compared a body by its bytes, and what they answered is kept for a while.
                let digest_before = Some(digest(&body));
                Some(allclear_engine::core::Once { key: key.to_owned(), digest: digest(&said(&body)), digest_before })
            }
        };
        Ok(Self { headers, body, key })
    }
}

/// What a body says, the same for the same JSON however its keys are ordered and its lines are broken: a client that tries
/// again may write it anew. A body that is no JSON is its bytes.
fn said(body: &Bytes) -> Cow<'_, [u8]> {
    // A map of `serde_json` is in the order of its keys.
    let value = serde_json::from_slice::<serde_json::Value>(body).ok();
    value.and_then(|value| serde_json::to_vec(&value).ok()).map_or(Cow::Borrowed(body), Cow::Owned)
}
