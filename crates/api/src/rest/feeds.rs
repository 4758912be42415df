//! Addresses at which programs fetch who is on call as a calendar: made, listed, revoked. What stands there is `crate::calendar`.

use allclear_domain::view::FeedView;
use allclear_engine::identity::feeds::NoFeed;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ListPage;
use crate::http::caller::{Read, Respond, Who};
use crate::http::extract::{Asked, P};
use crate::http::problem::Problem;
use crate::{Api, schema};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FeedBody {
    /// A schedule's id; one's own shifts over every schedule, where absent.
    schedule: Option<String>,
}

/// An address with its secret.
#[derive(Serialize, ToSchema)]
pub(crate) struct MadeFeed {
    /// Told this once.
    url: String,
    #[serde(flatten)]
    view: FeedView,
}

impl From<NoFeed> for Problem {
    fn from(why: NoFeed) -> Self {
        let code = match &why {
            NoFeed::Denied(_) => "forbidden",
            NoFeed::NoPerson => "person_needed",
            NoFeed::NoSchedule(_) => "no_such_schedule",
            NoFeed::TooMany => "too_many_feeds",
            NoFeed::Missing(_) => "no_such_feed",
            NoFeed::Store(_) => "store_unavailable",
        };
        Self::new(code, why.to_string())
    }
}

/// The addresses that you made or may revoke, without their secrets, newest first.
#[utoipa::path(get, path = "/api/v1/calendar-feeds", operation_id = "list_calendar_feeds", tag = "on call",
    responses((status = 200, body = schema::FeedPage), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn list(State(api): State<Api>, who: Who<Read>) -> Result<Json<ListPage<FeedView>>, Problem> {
    Ok(Json(ListPage { items: api.engine.feeds(&who.0).await?, next: None }))
}

/// Makes an address at which calendars fetch a person's or a schedule's shifts; it is in the answer and nowhere else.
#[utoipa::path(post, path = "/api/v1/calendar-feeds", operation_id = "make_calendar_feed", tag = "on call", request_body = FeedBody,
    responses((status = 201, body = MadeFeed), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn make(
    State(api): State<Api>,
    who: Who<Respond>,
    Asked(body): Asked<FeedBody>,
) -> Result<(StatusCode, Json<MadeFeed>), Problem> {
    let (url, view) = api.engine.make_feed(&who.0, body.schedule.as_deref()).await?;
    Ok((StatusCode::CREATED, Json(MadeFeed { url, view })))
}

/// Revokes an address; it leads nowhere from now on. Whoever made it may, managers of the schedule's team and administrators.
#[utoipa::path(delete, path = "/api/v1/calendar-feeds/{id}", operation_id = "revoke_calendar_feed", tag = "on call", params(("id" = String, Path)),
    responses((status = 204), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn revoke(State(api): State<Api>, who: Who<Respond>, P(id): P<String>) -> Result<StatusCode, Problem> {
    api.engine.revoke_feed(&who.0, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
