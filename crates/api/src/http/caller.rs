//! Who asks: a bearer token or the cookie of a session, and the right a handler needs, as an extractor that comes before the
//! body is read, so that a refusal tells nothing about the rest of the request.

use std::marker::PhantomData;

use allclear_domain::access::{Principal, Resource, Right, may};
use allclear_engine::identity::cookies;
use axum::extract::FromRequestParts;
use axum::http::header::{AUTHORIZATION, COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::Api;
use crate::http::problem::{Problem, store};

/// A right as a type.
pub(crate) trait Needs: Send {
    const RIGHT: Right;
}
/// To see.
pub(crate) struct Read;
/// To act.
pub(crate) struct Respond;
/// To administer.
pub(crate) struct Admin;

impl Needs for Read {
    const RIGHT: Right = Right::See;
}
impl Needs for Respond {
    const RIGHT: Right = Right::Respond;
}
impl Needs for Admin {
    const RIGHT: Right = Right::Administer;
}

/// A principal who has this right here.
pub(crate) struct Who<S: Needs>(pub Principal, PhantomData<S>);

impl<S: Needs> FromRequestParts<Api> for Who<S> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let principal = principal(parts, api).await?;
        // The same is held again where the command is decided or the answer read; here, before the body is.
        may(&api.engine.org(), &principal, S::RIGHT, Resource::Installation)?;
        Ok(Self(principal, PhantomData))
    }
}

/// Whoever holds the token, or is signed in. A token that does not work is told so, even beside a
/// cookie that does.
async fn principal(parts: &Parts, api: &Api) -> Result<Principal, Problem> {
    let principal = holder(&parts.headers, api).await?;
    // A browser sends the cookie whoever wrote the page that asks.
    let said = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let by_cookie = !parts.headers.contains_key(AUTHORIZATION);
    let is_own_site = || cookies::is_own_site(said("sec-fetch-site"), said("origin"), said("host"), api.engine.base_url());
    if by_cookie && !parts.method.is_safe() && !is_own_site() {
        return Err(Problem::new("cross_site", "another site's page asked for this with your session; nothing was done"));
    }
    Ok(principal)
}

/// Who shows these headers, as things are now: for whoever stays and is looked at again.
pub(crate) async fn holder(headers: &HeaderMap, api: &Api) -> Result<Principal, Problem> {
    let needed = || Problem::new("unauthorized", "send `Authorization: Bearer TOKEN` with a token that is neither revoked nor expired");
    if headers.contains_key(AUTHORIZATION) {
        let token = bearer(headers).ok_or_else(needed)?;
        return api.engine.authenticate(token).await.map_err(store)?.ok_or_else(needed);
    }
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let token = cookies::token(api.engine.base_url(), cookies).ok_or_else(needed)?;
    let signed_in = api.engine.session(token).await.map_err(store)?.ok_or_else(needed)?;
    Ok(signed_in.principal)
}

/// `scheme value`, where the scheme is this one in any case.
fn credentials<'a>(value: &'a HeaderValue, scheme: &str) -> Option<&'a str> {
    let (said, rest) = value.to_str().ok()?.split_once(' ')?;
    said.eq_ignore_ascii_case(scheme).then(|| rest.trim())
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    credentials(headers.get(AUTHORIZATION)?, "bearer")
}

/// An integration key in `Authorization`: a bearer, or the password of Basic.
pub(crate) fn key_in_headers(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(AUTHORIZATION)?;
    if let Some(key) = credentials(value, "bearer") {
        return Some(key.to_owned());
    }
    let decoded = STANDARD.decode(credentials(value, "basic")?).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    text.split_once(':').map(|(_, password)| password.to_owned())
}
