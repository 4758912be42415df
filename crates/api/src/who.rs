//! Who asks: a bearer token, and the scope a handler needs, as an extractor that comes before the
//! body is read, so that a refusal tells nothing about the rest of the request.

use std::marker::PhantomData;

use allclear_domain::access::{Principal, Scope};
use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::Api;
use crate::problem::{Problem, store};

/// A scope as a type.
pub(crate) trait Needs: Send {
    const SCOPE: Scope;
}
/// To see.
pub(crate) struct Read;
/// To act.
pub(crate) struct Respond;
/// To administer.
pub(crate) struct Admin;

impl Needs for Read {
    const SCOPE: Scope = Scope::Read;
}
impl Needs for Respond {
    const SCOPE: Scope = Scope::Respond;
}
impl Needs for Admin {
    const SCOPE: Scope = Scope::Admin;
}

/// A principal whose scope is wide enough.
pub(crate) struct Who<S: Needs>(pub Principal, PhantomData<S>);

impl<S: Needs> FromRequestParts<Api> for Who<S> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let needed = || Problem::new("unauthorized", "send `Authorization: Bearer TOKEN` with a token that is neither revoked nor expired");
        let token = bearer(&parts.headers).ok_or_else(needed)?;
        let principal = api.engine.authenticate(token).await.map_err(store)?.ok_or_else(needed)?;
        if !principal.scope.admits(S::SCOPE) {
            let (has, needs) = (principal.scope.word(), S::SCOPE.word());
            return Err(Problem::new("forbidden", format!("this token has the scope `{has}`; this needs `{needs}`")));
        }
        Ok(Self(principal, PhantomData))
    }
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
