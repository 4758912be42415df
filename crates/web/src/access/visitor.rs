//! Who visits: a bearer token, the cookie of a session, or everybody where the program is open to
//! all; and what every page that changes something asks of the browser first.
//!
//! [`guarded`] is one layer around all pages, so that a page added later cannot forget it: a request
//! that changes something comes from our own pages, and who has no session is shown where to sign in.
//! The link in a message (`/a/…`) needs neither: its token is the proof, and push apps send no origin.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

use allclear_domain::access::Principal;
use allclear_engine::identity::cookies;
use allclear_engine::identity::sessions::{SignedIn, Visitor};
use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::header::{AUTHORIZATION, COOKIE, HOST, ORIGIN, REFERER, USER_AGENT};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use maud::html;

use crate::app::App;
use crate::frame::pieces;
use crate::frame::refused::{Refused, wants_html};

/// Paths that answer for themselves when nobody is signed in.
const OPEN: [&str; 7] = ["/a/", "/sign-in", "/set-up/", "/invite/", "/guest/", "/report", "/receipt/"];
/// Longest address that is gone back to after signing in.
const NEXT_LEN_MAX: usize = 512;

/// From where a request comes and what it shows, for the throttle and the list of sessions.
pub(crate) struct Caller {
    address: Option<IpAddr>,
    agent: Option<String>,
    session: Option<String>,
    device: Option<String>,
}

impl Caller {
    /// As the engine takes it.
    pub(crate) fn visitor(&self) -> Visitor<'_> {
        Visitor { address: self.address, agent: self.agent.as_deref(), session: self.session.as_deref(), device: self.device.as_deref() }
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let address = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
        let agent = parts.headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).map(ToOwned::to_owned);
        let said = || parts.headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
        let session = cookies::token(app.engine.base_url(), said()).map(ToOwned::to_owned);
        let device = cookies::device(app.engine.base_url(), said()).map(ToOwned::to_owned);
        Ok(Self { address, agent, session, device })
    }
}

/// Whoever is signed in by a cookie; a session that is over is none.
pub(crate) async fn signed_in(app: &App, headers: &HeaderMap) -> Result<Option<SignedIn>, Refused> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let Some(token) = cookies::token(app.engine.base_url(), cookies) else { return Ok(None) };
    app.engine.session(token).await.map_err(|fault| {
        tracing::error!(%fault, "a session cannot be checked");
        Refused::store(None)
    })
}

/// Who reads a page. A token that does not work is told so, even where none is needed.
pub(crate) async fn visitor(app: &App, headers: &HeaderMap) -> Result<Principal, Refused> {
    if let Some(given) = headers.get(AUTHORIZATION) {
        let bearer = given.to_str().ok().and_then(|value| {
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
        });
        let bearer = bearer.ok_or_else(|| Refused::token(true))?;
        let found = app.engine.authenticate(bearer).await.map_err(|fault| {
            tracing::error!(%fault, "a token cannot be checked");
            Refused::store(None)
        })?;
        return found.ok_or_else(|| Refused::token(true));
    }
    if let Some(found) = signed_in(app, headers).await? {
        return Ok(found.principal);
    }
    app.options.open_to.clone().ok_or_else(|| Refused::token(false))
}

/// The layer around all pages.
pub(crate) async fn guarded(State(app): State<App>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let path = request.uri().path();
    let is_link = path.starts_with(OPEN[0]);
    let said = |name: axum::http::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let fetch_site = headers.get("sec-fetch-site").and_then(|value| value.to_str().ok());
    if !is_link
        && !request.method().is_safe()
        && !headers.contains_key(AUTHORIZATION)
        && !cookies::is_own_site(fetch_site, said(ORIGIN), said(HOST), app.engine.base_url())
    {
        let detail = "Your browser says that a page of another site asked for this. Nothing was done.";
        let works = html! { p { a href="/" { "Go to the board" } ", and do it there." } };
        return Refused::new(StatusCode::FORBIDDEN, "cross_site", "This did not come from All Clear", detail, works)
            .answer(wants_html(headers));
    }
    let answers_itself = OPEN.iter().any(|open| path.starts_with(open)) || headers.contains_key(AUTHORIZATION);
    let back = if request.method().is_safe() {
        sign_in_path(request.uri().path_and_query().map_or("/", axum::http::uri::PathAndQuery::as_str))
    } else {
        // What was sent leads nowhere by itself: the page that its form stands on does.
        sign_in_path(page_of(said(REFERER), said(HOST)).unwrap_or("/"))
    };
    let answer = next.run(request).await;
    if answer.status() == StatusCode::UNAUTHORIZED && !answers_itself { Redirect::to(&back).into_response() } else { answer }
}

/// Where to sign in, and to come back from there.
fn sign_in_path(here: &str) -> String {
    if here == "/" { "/sign-in".to_owned() } else { format!("/sign-in?next={}", pieces::escaped_path(here)) }
}

/// The page of ours that a request came from, as its path.
fn page_of<'a>(referer: Option<&'a str>, host: Option<&str>) -> Option<&'a str> {
    let (_, rest) = referer?.split_once("://")?;
    let at = rest.find('/')?;
    Some(&rest[at..]).filter(|_| Some(&rest[..at]) == host)
}

/// Where to go on after signing in: a path of ours, never another host.
pub(crate) fn local(next: Option<&str>) -> &str {
    let next = next.unwrap_or("/");
    let is_path = next.starts_with('/') && !next.starts_with("//");
    let sane = next.len() <= NEXT_LEN_MAX && !next.contains('\\') && next.bytes().all(|byte| byte.is_ascii_graphic());
    if is_path && sane { next } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_signing_in_nobody_is_led_away_from_here() {
        for good in ["/", "/incidents/INC-1?log=key", "/me"] {
            assert_eq!(local(Some(good)), good);
        }
        for bad in ["//evil.example", "/\\evil.example", "https://evil.example", "evil", "", "/\n/evil", "/ x", "/\t/evil.example"] {
            assert_eq!(local(Some(bad)), "/", "{bad}");
        }
        assert_eq!(local(None), "/");
        assert_eq!(sign_in_path("/incidents/INC-1?a=b&c=d"), "/sign-in?next=/incidents/INC-1%3Fa%3Db%26c%3Dd");
    }
}
