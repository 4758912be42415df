//! Saved views: boards and searches under names, of oneself and of one's teams.

use allclear_domain::view::SavedView;
use allclear_engine::saved::NoView;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use super::ListPage;
use crate::http::caller::{Read, Respond, Who};
use crate::http::extract::{Asked, P};
use crate::http::problem::Problem;
use crate::{Api, schema};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SavedViewBody {
    #[schema(min_length = 1, max_length = 60)]
    name: String,
    /// The board or a search with what narrows it: `/?severity=sev1`, `/search?q=failover&kind=note`.
    #[schema(max_length = 600)]
    address: String,
    /// A team that you are in: all of it has the view. Your own where absent.
    team: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SavedViewNameBody {
    #[schema(min_length = 1, max_length = 60)]
    name: String,
}

impl From<NoView> for Problem {
    fn from(why: NoView) -> Self {
        let code = match &why {
            NoView::Denied(_) => "forbidden",
            NoView::NoPerson => "person_needed",
            NoView::Bad(_) => "invalid",
            NoView::NoTeam(_) => "no_such_team",
            NoView::Taken => "view_exists",
            NoView::TooMany => "too_many_views",
            NoView::Missing(_) => "no_such_view",
            NoView::Store(_) => "store_unavailable",
        };
        Self::new(code, why.to_string())
    }
}

/// Your saved views and those of your teams, by their names.
#[utoipa::path(get, path = "/api/v1/me/saved-views", operation_id = "list_saved_views", tag = "me",
    responses((status = 200, body = schema::SavedViewPage), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn list(State(api): State<Api>, who: Who<Read>) -> Result<Json<ListPage<SavedView>>, Problem> {
    Ok(Json(ListPage { items: api.engine.saved_views(&who.0).await?, next: None }))
}

/// Saves a board or a search under a name.
#[utoipa::path(post, path = "/api/v1/me/saved-views", operation_id = "save_view", tag = "me", request_body = SavedViewBody,
    responses((status = 201, body = SavedView), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn save(
    State(api): State<Api>,
    who: Who<Respond>,
    Asked(body): Asked<SavedViewBody>,
) -> Result<(StatusCode, Json<SavedView>), Problem> {
    let made = api.engine.save_view(&who.0, &body.name, &body.address, body.team.as_deref()).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// Gives a view another name.
#[utoipa::path(put, path = "/api/v1/me/saved-views/{id}", operation_id = "rename_view", tag = "me", params(("id" = String, Path)), request_body = SavedViewNameBody,
    responses((status = 200, body = SavedView), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn rename(
    State(api): State<Api>,
    who: Who<Respond>,
    P(id): P<String>,
    Asked(body): Asked<SavedViewNameBody>,
) -> Result<Json<SavedView>, Problem> {
    Ok(Json(api.engine.rename_view(&who.0, &id, &body.name).await?))
}

/// Takes a view away.
#[utoipa::path(delete, path = "/api/v1/me/saved-views/{id}", operation_id = "remove_view", tag = "me", params(("id" = String, Path)),
    responses((status = 204), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn remove(State(api): State<Api>, who: Who<Respond>, P(id): P<String>) -> Result<StatusCode, Problem> {
    api.engine.remove_view(&who.0, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
