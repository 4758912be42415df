//! What impairs paging on the node that is asked; for administrators.

use crate::http::problem::Problem;
use allclear_engine::watch::trouble::Present;
use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::Api;
use crate::http::caller::{Admin, Who};

/// Something that impairs paging.
#[derive(Serialize, ToSchema)]
pub(crate) struct Impairment {
    /// `stage_still`, `looks_late`, `page_exhausted`, `channel_fails`, `not_heard`, `unreadable`, `clock_jumped`, `canary_lost`, `no_progress` and others.
    kind: &'static str,
    /// In words.
    what: String,
    /// What is known of it.
    detail: String,
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// What can be done.
    advice: &'static str,
    /// Whether this node is not ready for as long as it lasts.
    unready: bool,
}

/// What impairs paging.
#[derive(Serialize, ToSchema)]
pub(crate) struct Impairments {
    impaired: Vec<Impairment>,
    /// How many addresses are told of it outside of paging.
    operator_addresses: usize,
}

impl From<Present> for Impairment {
    fn from(Present { trouble, detail, since }: Present) -> Self {
        let (kind, advice, unready) = (trouble.kind(), trouble.advice(), trouble.is_unready());
        Self { kind, what: trouble.to_string(), detail, since, advice, unready }
    }
}

/// What impairs paging on this node now, and since when.
#[utoipa::path(get, path = "/api/v1/troubles", operation_id = "list_troubles", tag = "administration",
    responses((status = 200, body = Impairments), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn list(State(api): State<Api>, who: Who<Admin>) -> Result<Json<Impairments>, Problem> {
    let impaired = api.engine.queries(&who.0).troubles()?.into_iter().map(Impairment::from).collect();
    Ok(Json(Impairments { impaired, operator_addresses: api.engine.operator_addresses() }))
}
