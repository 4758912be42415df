//! The style sheet, the script and the mark, each under a name made from its content and kept for
//! ever by browsers; and the headers that every page carries.
//!
//! Style and script are written in parts by subject and served whole: one request each, no build
//! step. Deliberately no fonts: `default-src 'none'` is the whole policy for them.

use std::sync::LazyLock;

use allclear_domain::hex::hex;
use axum::Router;
use axum::extract::Path;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, REFERRER_POLICY, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use flate2::Compression;
use sha2::{Digest, Sha256};

use crate::frame::packing::{GZIP, pack, takes_gzip};

/// The sheet of the page behind a message's link: what that page uses and nothing else, since it is fetched at night over
/// a bad line.
const LINK_STYLE: &str = concat!(include_str!("../css/tokens.css"), include_str!("../css/base.css"), include_str!("../css/link.css"));
const STYLE: &str = concat!(
    include_str!("../css/tokens.css"),
    include_str!("../css/base.css"),
    include_str!("../css/link.css"),
    include_str!("../css/frame.css"),
    include_str!("../css/forms.css"),
    include_str!("../css/board.css"),
    include_str!("../css/incident.css"),
    include_str!("../css/oncall.css"),
    include_str!("../css/calendar.css"),
    include_str!("../css/plain.css"),
    include_str!("../css/settings.css"),
    include_str!("../css/wall.css"),
    include_str!("../css/print.css"),
    include_str!("../css/paper.css"),
);
const SCRIPT: &str = concat!(
    include_str!("../js/clock.js"),
    include_str!("../js/patch.js"),
    include_str!("../js/hold.js"),
    include_str!("../js/held.js"),
    include_str!("../js/typed.js"),
    include_str!("../js/live.js"),
    include_str!("../js/keys.js"),
    include_str!("../js/took.js"),
    include_str!("../js/pick.js"),
    include_str!("../js/ics.js"),
    include_str!("../js/zone.js"),
    include_str!("../js/ring.js")
);
/// What the page of the first administrator runs, and nothing else.
const ZONE: &str = include_str!("../js/zone.js");
const MARK: &str = include_str!("../mark.svg");

/// What a page without a script may load and do: our own style and mark, forms to ourselves.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/// The same for a page with our own script, which follows what happens, and that a phone may put on its home screen.
const POLICY_LIVE: &str = "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; manifest-src 'self'; \
    form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
/// Bytes of the digest in a name: 48 bits tell every edition of one file apart.
const NAME_BYTES: usize = 6;
/// A year, the longest that RFC 9111's ancestors advised; the name changes with the content.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// A file as it is served.
struct Asset {
    path: String,
    kind: &'static str,
    plain: &'static str,
    /// Packed as well as can be, once; empty where that gains nothing.
    packed: Vec<u8>,
}

impl Asset {
    fn new(content: &'static str, extension: &str, kind: &'static str) -> Self {
        let digest = Sha256::digest(content.as_bytes());
        let mut packed = pack(content.as_bytes(), Compression::best());
        if packed.len() >= content.len() {
            packed.clear();
        }
        Self { path: format!("/assets/allclear-{}.{extension}", hex(&digest[..NAME_BYTES])), kind, plain: content, packed }
    }
}

static STYLE_FILE: LazyLock<Asset> = LazyLock::new(|| Asset::new(STYLE, "css", "text/css; charset=utf-8"));
static LINK_STYLE_FILE: LazyLock<Asset> = LazyLock::new(|| Asset::new(LINK_STYLE, "css", "text/css; charset=utf-8"));
static SCRIPT_FILE: LazyLock<Asset> = LazyLock::new(|| Asset::new(SCRIPT, "js", "text/javascript; charset=utf-8"));
static ZONE_FILE: LazyLock<Asset> = LazyLock::new(|| Asset::new(ZONE, "js", "text/javascript; charset=utf-8"));
static MARK_FILE: LazyLock<Asset> = LazyLock::new(|| Asset::new(MARK, "svg", "image/svg+xml"));

/// Where the style sheet is.
pub(crate) static STYLE_PATH: LazyLock<String> = LazyLock::new(|| STYLE_FILE.path.clone());
/// Where that of the page behind a link is.
pub(crate) static LINK_STYLE_PATH: LazyLock<String> = LazyLock::new(|| LINK_STYLE_FILE.path.clone());
/// Where the script is.
pub(crate) static SCRIPT_PATH: LazyLock<String> = LazyLock::new(|| SCRIPT_FILE.path.clone());
/// Where the script that fills a time zone is.
pub(crate) static ZONE_PATH: LazyLock<String> = LazyLock::new(|| ZONE_FILE.path.clone());
/// Where the mark is.
pub(crate) static MARK_PATH: LazyLock<String> = LazyLock::new(|| MARK_FILE.path.clone());

/// The files.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/assets/{name}", get(file))
}

async fn file(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let path = format!("/assets/{name}");
    let files: [&Asset; 5] = [&STYLE_FILE, &LINK_STYLE_FILE, &SCRIPT_FILE, &ZONE_FILE, &MARK_FILE];
    let Some(asset) = files.into_iter().find(|asset| asset.path == path) else { return StatusCode::NOT_FOUND.into_response() };
    let about = [
        (CONTENT_TYPE, asset.kind),
        (CACHE_CONTROL, FOR_EVER),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (RESOURCE_POLICY, "same-origin"),
        (VARY, "accept-encoding"),
    ];
    // Nothing of anybody is in them: whoever asks for them packed gets them so.
    if !asset.packed.is_empty() && takes_gzip(&headers) {
        return (about, [(CONTENT_ENCODING, GZIP)], asset.packed.as_slice()).into_response();
    }
    (about, asset.plain).into_response()
}

/// Lets a page run our own script.
pub(crate) fn with_script(mut response: Response) -> Response {
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY_LIVE));
    response
}

/// Puts the headers of a page on an answer; a policy that it has already stays.
pub(crate) fn secure(mut response: Response) -> Response {
    response.headers_mut().entry(CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(POLICY));
    for (name, value) in [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Not `no-referrer`: browsers would then send `Origin: null` with our own forms.
        (REFERRER_POLICY, "same-origin"),
        (CACHE_CONTROL, "no-store"),
        // No window of another site holds on to ours, and no page of another site draws what is ours.
        (OPENER_POLICY, "same-origin"),
        (RESOURCE_POLICY, "same-origin"),
        (HeaderName::from_static("x-robots-tag"), "noindex, nofollow"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// The same as a layer.
pub(crate) async fn secured(response: Response) -> Response {
    secure(response)
}
