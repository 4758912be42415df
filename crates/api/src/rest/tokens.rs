//! Tokens, and the end of a copy's quarantine: what only administrators do.

use allclear_domain::access::Scope;
use allclear_domain::time::Length;
use allclear_domain::view::TokenView;
use allclear_engine::identity::sessions::LinkKind;
use allclear_engine::identity::tokens::TOKEN_NAME_CHARS_MAX;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ListPage, known_person};
use crate::http::caller::{Admin, Who};
use crate::http::extract::{Asked, P};
use crate::http::problem::Problem;
use crate::{Api, schema};

/// All tokens, newest first, without their secrets.
#[utoipa::path(get, path = "/api/v1/tokens", operation_id = "list_tokens", tag = "administration",
    responses((status = 200, body = schema::TokenPage), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn list(State(api): State<Api>, who: Who<Admin>) -> Result<Json<ListPage<TokenView>>, Problem> {
    Ok(Json(ListPage { items: api.engine.tokens(&who.0).await?, next: None }))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenBody {
    /// What it is for.
    #[schema(min_length = 1)]
    name: String,
    /// `read`, `respond` or `admin`.
    scope: Scope,
    /// The person it stands for.
    person: Option<String>,
    /// How long it works, as in `90d`; a year where absent.
    #[schema(value_type = Option<String>, pattern = "^[1-9][0-9]?[smhdw]$")]
    expires_in: Option<Length>,
}

/// A token with its secret.
#[derive(Serialize, ToSchema)]
pub(crate) struct MadeToken {
    /// Shown this once.
    token: String,
    #[serde(flatten)]
    view: TokenView,
}

/// Makes a token; its text is in the answer and nowhere else.
#[utoipa::path(post, path = "/api/v1/tokens", operation_id = "create_token", tag = "administration", request_body = TokenBody,
    responses((status = 201, body = MadeToken), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn create(
    State(api): State<Api>,
    who: Who<Admin>,
    Asked(body): Asked<TokenBody>,
) -> Result<(StatusCode, Json<MadeToken>), Problem> {
    if body.name.trim().is_empty() {
        return Err(Problem::new("words_missing", "the token's name is missing: say what it is for"));
    }
    if body.name.chars().count() > TOKEN_NAME_CHARS_MAX {
        return Err(Problem::new("too_long", format!("the token's name is longer than {TOKEN_NAME_CHARS_MAX} characters")));
    }
    known_person(&api, body.person.as_deref())?;
    let (token, view) = api.engine.create_token(&who.0, &body.name, body.scope, body.person, body.expires_in).await?;
    Ok((StatusCode::CREATED, Json(MadeToken { token, view })))
}

/// Revokes a token; it works no more from now on.
#[utoipa::path(delete, path = "/api/v1/tokens/{id}", operation_id = "revoke_token", tag = "administration", params(("id" = String, Path)),
    responses((status = 204), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn revoke(State(api): State<Api>, who: Who<Admin>, P(id): P<String>) -> Result<StatusCode, Problem> {
    let missing = || Problem::new("no_such_token", "there is no token with this id");
    let id = id.parse().map_err(|_| missing())?;
    if api.engine.revoke_token(&who.0, id).await? { Ok(StatusCode::NO_CONTENT) } else { Err(missing()) }
}

/// A link with which somebody sets a password and is signed in.
#[derive(Serialize, ToSchema)]
pub(crate) struct Invitation {
    /// A person's id.
    person: String,
    /// The link; it works once, and is in this answer only.
    url: String,
    expires_at: jiff::Timestamp,
}

/// Invites a person: whoever opens the link sets their password.
#[utoipa::path(post, path = "/api/v1/people/{id}/invitation", operation_id = "invite_person", tag = "administration", params(("id" = String, Path)),
    responses((status = 201, body = Invitation), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn invite(
    State(api): State<Api>,
    who: Who<Admin>,
    P(person): P<String>,
) -> Result<(StatusCode, Json<Invitation>), Problem> {
    known_person(&api, Some(&person))?;
    let (url, expires_at) = api.engine.issue_link(&who.0, LinkKind::Invitation, Some(&person)).await?;
    Ok((StatusCode::CREATED, Json(Invitation { person, url, expires_at })))
}

/// Whether something is sent.
#[derive(Serialize, ToSchema)]
pub(crate) struct Released {
    quarantined: bool,
}

/// Ends the quarantine of a copy: from now on it sends.
#[utoipa::path(post, path = "/api/v1/release", operation_id = "release", tag = "administration",
    responses((status = 200, body = Released), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn release(State(api): State<Api>, who: Who<Admin>) -> Result<Json<Released>, Problem> {
    api.engine.release(&who.0).await?;
    Ok(Json(Released { quarantined: api.engine.is_quarantined() }))
}
