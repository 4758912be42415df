//! Pages and files are packed (gzip) for whoever takes them so.
//!
//! What is packed can be measured: whoever makes a browser ask for a page with words of their choice in it, and sees how
//! long the answer is, learns letter by letter what else is on it (BREACH). So a page is packed only where the browser
//! itself says (`Sec-Fetch-Site`) that its reader or a page of ours asked for it. What another site's page asks for, a
//! browser that does not say, and a program that does not, get it as it is. The header cannot be set by a page.
//!
//! Never packed: `/live`, whose events have to leave at once; what is not a page; what is too small to gain.

use std::io::Write as _;

use axum::body::{Body, HttpBody as _, to_bytes};
use axum::extract::Request;
use axum::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, VARY};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;

/// As the header names it.
pub(crate) const GZIP: &str = "gzip";
/// Bytes below which packing gains nothing: an answer of this size fits one packet as it is.
const LEAST: u64 = 1_200;
/// A page is made and packed while somebody waits: most of what level 9 gains, in a third of its time.
const LEVEL: u32 = 4;

/// Whether an answer may be packed for whoever asks.
pub(crate) fn takes_gzip(headers: &HeaderMap) -> bool {
    let said = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    said.flat_map(|line| line.split(',')).any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(GZIP));
        let refused = |weight: &str| weight.strip_prefix("q=").is_some_and(|q| q.parse::<f32>().is_ok_and(|q| q <= 0.0));
        named && !parts.any(refused)
    })
}

/// Whether the reader or a page of ours asked, and no page of another site.
fn is_asked_here(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_some_and(|site| site == "same-origin" || site == "none")
}

/// Packs.
pub(crate) fn pack(content: &[u8], level: Compression) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::with_capacity(content.len() / 3), level);
    // Writing to memory does not fail; were it to, nothing packed is given, and whoever asked gets the page as it is.
    if packed.write_all(content).is_err() {
        return Vec::new();
    }
    packed.finish().unwrap_or_default()
}

/// The layer around all pages.
pub(crate) async fn packed(request: Request, next: Next) -> Response {
    let may = request.method() != Method::HEAD && takes_gzip(request.headers()) && is_asked_here(request.headers());
    let mut response = next.run(request).await;
    let headers = response.headers();
    let is_page = headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if !is_page || headers.contains_key(CONTENT_ENCODING) {
        return response;
    }
    response.headers_mut().append(VARY, HeaderValue::from_static("accept-encoding, sec-fetch-site"));
    // A page is whole in memory, and says how long it is; what does not is a stream.
    if !may || response.body().size_hint().exact().is_none_or(|bytes| bytes < LEAST) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(plain) = to_bytes(body, usize::MAX).await else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    let packed = pack(&plain, Compression::new(LEVEL));
    if packed.is_empty() || packed.len() >= plain.len() {
        return Response::from_parts(parts, Body::from(plain));
    }
    parts.headers.remove(CONTENT_LENGTH);
    parts.headers.insert(CONTENT_ENCODING, HeaderValue::from_static(GZIP));
    Response::from_parts(parts, Body::from(packed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_says_so_is_given_what_is_packed() {
        let takes = |said: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(said));
            takes_gzip(&headers)
        };
        for yes in ["gzip", "gzip, deflate, br", "br;q=1.0, GZIP;q=0.5", "deflate,gzip"] {
            assert!(takes(yes), "{yes}");
        }
        for no in ["", "br", "gzip;q=0", "gzip; q=0.0", "identity", "xgzip"] {
            assert!(!takes(no), "{no}");
        }
        assert!(!takes_gzip(&HeaderMap::new()));
    }
}
