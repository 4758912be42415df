//! Updates, reviews, corrective actions and trends.

use allclear_domain::access::Principal;
use allclear_domain::ids::{ActionId, ReviewId};
use allclear_domain::view::{ActionView, ReviewView, TrendView, UpdateView};
use allclear_domain::{action, review};
use allclear_engine::core::{Command, Reply, Versioned};
use allclear_engine::read::learning::ActionFilter;
use axum::Json;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::{ListPage, cursor_of, if_match, limit_of, tagged};
use crate::http::caller::{Read, Respond, Who};
use crate::http::extract::{Once, P, Q, json};
use crate::http::problem::Problem;
use crate::{Api, schema};

/// Days of trends where no period is asked.
const TRENDS_DAYS: i64 = 90;

/// What stakeholders were told, oldest first.
#[utoipa::path(get, path = "/api/v1/incidents/{ref}/updates", operation_id = "list_incident_updates", tag = "incidents",
    params(("ref" = String, Path, description = "`INC-142`, or the id")),
    responses((status = 200, body = schema::UpdatePage), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn updates(
    Shared(api): Shared<Api>,
    who: Who<Read>,
    P(reference): P<String>,
) -> Result<Json<ListPage<UpdateView>>, Problem> {
    let queries = api.engine.queries(&who.0);
    let id = queries.incident_id(&reference).await?;
    Ok(Json(ListPage { items: queries.updates(id).await?, next: None }))
}

/// The review of an incident, with its text.
#[utoipa::path(get, path = "/api/v1/incidents/{ref}/review", operation_id = "show_incident_review", tag = "reviews",
    params(("ref" = String, Path, description = "`INC-142`, or the id")),
    responses((status = 200, body = ReviewView), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn review_of(Shared(api): Shared<Api>, who: Who<Read>, P(reference): P<String>) -> Result<Json<ReviewView>, Problem> {
    let queries = api.engine.queries(&who.0);
    let id = queries.incident_id(&reference).await?;
    Ok(Json(queries.review_of(id).await?))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReviewsQuery {
    /// Only those in this state.
    #[param(inline)]
    state: Option<review::State>,
    /// From 1 to 200; 20 where absent.
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Reviews, newest first, without their texts.
#[utoipa::path(get, path = "/api/v1/reviews", operation_id = "list_reviews", tag = "reviews", params(ReviewsQuery),
    responses((status = 200, body = schema::ReviewPage), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn reviews(
    Shared(api): Shared<Api>,
    who: Who<Read>,
    Q(query): Q<ReviewsQuery>,
) -> Result<Json<ListPage<ReviewView>>, Problem> {
    let limit = limit_of(query.limit)?;
    let items = api.engine.queries(&who.0).reviews(query.state, cursor_of(query.cursor.as_deref())?, limit).await?;
    Ok(Json(ListPage::of(items, limit, |review| &review.id)))
}

/// One review; until somebody edits it, its text is drafted from the log.
#[utoipa::path(get, path = "/api/v1/reviews/{id}", operation_id = "show_review", tag = "reviews", params(("id" = String, Path, description = "A review's id")),
    responses((status = 200, body = ReviewView), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn review(Shared(api): Shared<Api>, who: Who<Read>, P(id): P<String>) -> Result<Response, Problem> {
    let view = api.engine.queries(&who.0).review(review_id(&id)?).await?;
    let version = view.version;
    Ok(tagged(view, version))
}

/// `edit` and `publish` take `text`, `assign` takes `owner`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReviewCommandBody {
    /// Markdown; `publish` without it publishes the text as it is.
    text: Option<String>,
    /// A person's id.
    owner: Option<String>,
}

/// Acts on a review: edit {text} · publish {text?} · assign {owner}.
#[utoipa::path(post, path = "/api/v1/reviews/{id}/{command}", operation_id = "command_review", tag = "reviews", request_body = ReviewCommandBody,
    params(("id" = String, Path, description = "A review's id"), ("command" = String, Path, description = "`edit`, `publish` or `assign`"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and request are carried out once"),
        ("If-Match" = Option<String>, Header, description = "The review's `version`, in quotation marks: refused where it has changed meanwhile")),
    responses((status = 200, body = ReviewView), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn command_review(
    Shared(api): Shared<Api>,
    who: Who<Respond>,
    P((id, command)): P<(String, String)>,
    once: Once,
) -> Result<Response, Problem> {
    let id = review_id(&id)?;
    let queries = api.engine.queries(&who.0);
    let now = queries.review(id).await?;
    let body: ReviewCommandBody = json(&once.body)?;
    let missing = |field: &str| Problem::bad(format!("`{field}` is missing"));
    let asked = match command.as_str() {
        "edit" => review::Command::Edit { text: body.text.clone().ok_or_else(|| missing("text"))? },
        "publish" => review::Command::Publish { text: body.text.clone().or(now.text).unwrap_or_default() },
        "assign" => review::Command::Assign { owner: body.owner.ok_or_else(|| missing("owner"))? },
        other => return Err(no_such_command(other, "edit, publish, assign")),
    };
    let of = Versioned::Review(id);
    let mut asked = if_match(&once, of, now.version, Command::Review { id, command: asked });
    if command == "publish" && body.text.is_none() {
        // The text as it was just read, and not over what somebody writes meanwhile.
        asked = Command::IfVersion { of, version: now.version, command: Box::new(asked) };
    }
    submit(&api, &who.0, &once, asked).await?;
    let view = queries.review(id).await?;
    let version = view.version;
    Ok(tagged(view, version))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ActionsQuery {
    /// Only those in this state.
    #[param(inline)]
    state: Option<action::State>,
    /// Only those of this person, by their id.
    owner: Option<String>,
    /// Only those of this incident: `INC-142`, or the id.
    incident: Option<String>,
    /// From 1 to 200; 20 where absent.
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Corrective actions, newest first.
#[utoipa::path(get, path = "/api/v1/actions", operation_id = "list_actions", tag = "actions", params(ActionsQuery),
    responses((status = 200, body = schema::ActionPage), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn actions(
    Shared(api): Shared<Api>,
    who: Who<Read>,
    Q(query): Q<ActionsQuery>,
) -> Result<Json<ListPage<ActionView>>, Problem> {
    let limit = limit_of(query.limit)?;
    let queries = api.engine.queries(&who.0);
    let incident = match &query.incident {
        Some(reference) => Some(queries.incident_id(reference).await?),
        None => None,
    };
    let filter = ActionFilter { state: query.state, owner: query.owner, incident, before: cursor_of(query.cursor.as_deref())? };
    let items = queries.actions(filter, limit).await?;
    Ok(Json(ListPage::of(items, limit, |action| &action.id)))
}

/// One action.
#[utoipa::path(get, path = "/api/v1/actions/{id}", operation_id = "show_action", tag = "actions", params(("id" = String, Path, description = "An action's id")),
    responses((status = 200, body = ActionView), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn action(Shared(api): Shared<Api>, who: Who<Read>, P(id): P<String>) -> Result<Response, Problem> {
    let view = api.engine.queries(&who.0).action(action_id(&id)?).await?;
    let version = view.version;
    Ok(tagged(view, version))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AddActionBody {
    /// What will be done.
    #[schema(min_length = 1)]
    text: String,
    /// A person's id.
    owner: String,
    /// Until which instant; or `due_on`.
    due_at: Option<Timestamp>,
    /// The last day for it, to its end where its owner is; or `due_at`.
    due_on: Option<Date>,
    /// The incident that taught it: `INC-142`, or the id.
    incident: String,
}

/// Adds an action.
#[utoipa::path(post, path = "/api/v1/actions", operation_id = "add_action", tag = "actions", request_body = AddActionBody,
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key and request give the same action")),
    responses((status = 201, body = ActionView), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn add_action(Shared(api): Shared<Api>, who: Who<Respond>, once: Once) -> Result<(StatusCode, Json<ActionView>), Problem> {
    let AddActionBody { text, owner, due_at, due_on, incident } = json(&once.body)?;
    let due = until(due_at, due_on)?;
    let queries = api.engine.queries(&who.0);
    let incident = queries.incident_id(&incident).await?;
    queries.incident(incident).await?;
    let id = submit(&api, &who.0, &once, Command::AddAction { incident, text, owner, due }).await?;
    Ok((StatusCode::CREATED, Json(queries.action(action_id(&id)?).await?)))
}

/// Until when: an instant, or a day.
fn until(at: Option<Timestamp>, on: Option<Date>) -> Result<action::Until, Problem> {
    match (at, on) {
        (Some(at), None) => Ok(action::Until::Instant(allclear_domain::time::whole_micros(at))),
        (None, Some(day)) => Ok(action::Until::Day(day)),
        (None, None) => Err(Problem::new("invalid", "`due_on` or `due_at` is missing: a day as 2026-12-24, or an instant")),
        (Some(_), Some(_)) => Err(Problem::new("invalid", "give `due_on` or `due_at`, not both")),
    }
}

/// `assign` takes `owner`, `due` takes `due_on` or `due_at`, and `why`, `done` takes `note`, `drop` takes `why`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ActionCommandBody {
    /// A person's id.
    owner: Option<String>,
    due_at: Option<Timestamp>,
    due_on: Option<Date>,
    why: Option<String>,
    note: Option<String>,
}

/// Acts on an action: assign {owner} · due {due_on or due_at, why} · done {note?} · drop {why}.
#[utoipa::path(post, path = "/api/v1/actions/{id}/{command}", operation_id = "command_action", tag = "actions", request_body = ActionCommandBody,
    params(("id" = String, Path, description = "An action's id"), ("command" = String, Path, description = "`assign`, `due`, `done` or `drop`"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and request are carried out once"),
        ("If-Match" = Option<String>, Header, description = "The action's `version`, in quotation marks: refused where it has changed meanwhile")),
    responses((status = 200, body = ActionView), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn command_action(
    Shared(api): Shared<Api>,
    who: Who<Respond>,
    P((id, command)): P<(String, String)>,
    once: Once,
) -> Result<Response, Problem> {
    let id = action_id(&id)?;
    let queries = api.engine.queries(&who.0);
    let now = queries.action(id).await?;
    let ActionCommandBody { owner, due_at, due_on, why, note } = json(&once.body)?;
    let missing = |field: &str| Problem::bad(format!("`{field}` is missing"));
    let asked = match command.as_str() {
        "assign" => action::Command::Assign { owner: owner.ok_or_else(|| missing("owner"))? },
        "due" => action::Command::ChangeDue { due: until(due_at, due_on)?, why: why.ok_or_else(|| missing("why"))? },
        "done" => action::Command::Finish { note },
        "drop" => action::Command::Drop { why: why.ok_or_else(|| missing("why"))? },
        other => return Err(no_such_command(other, "assign, due, done, drop")),
    };
    let asked = if_match(&once, Versioned::Action(id), now.version, Command::Action { id, command: asked });
    submit(&api, &who.0, &once, asked).await?;
    let view = queries.action(id).await?;
    let version = view.version;
    Ok(tagged(view, version))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct TrendsQuery {
    /// Where absent: 90 days before `to`.
    from: Option<Timestamp>,
    /// Now, where absent.
    to: Option<Timestamp>,
}

/// Counts and durations of the incidents that were declared in a period.
#[utoipa::path(get, path = "/api/v1/trends", operation_id = "show_trends", tag = "trends", params(TrendsQuery),
    responses((status = 200, body = TrendView), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn trends(Shared(api): Shared<Api>, who: Who<Read>, Q(query): Q<TrendsQuery>) -> Result<Json<TrendView>, Problem> {
    let to = query.to.unwrap_or_else(|| api.engine.now());
    let from = query.from.or_else(|| to.checked_sub(SignedDuration::from_hours(24 * TRENDS_DAYS)).ok());
    let from = from.ok_or_else(|| Problem::bad("give a `from` that is not before the beginning of time"))?;
    Ok(Json(api.engine.queries(&who.0).trends(from, to).await?))
}

fn review_id(id: &str) -> Result<ReviewId, Problem> {
    id.parse().map_err(|_| Problem::new("no_such_review", "a review's id begins with `rev_`"))
}

fn action_id(id: &str) -> Result<ActionId, Problem> {
    id.parse().map_err(|_| Problem::new("no_such_action", "an action's id begins with `act_`"))
}

fn no_such_command(given: &str, known: &str) -> Problem {
    Problem::new("no_such_command", format!("`{}` is no command; one of {known} is", super::cut(given)))
}

/// Asks the engine; gives the id of what it was about.
async fn submit(api: &Api, who: &Principal, once: &Once, command: Command) -> Result<String, Problem> {
    match super::ask(api, who, once, command).await? {
        Reply::Review { id } => Ok(id.to_string()),
        Reply::Action { id } => Ok(id.to_string()),
        Reply::Again { answer } => Ok(answer),
        _ => Err(Problem::new("internal", "the engine answered something else than was asked")),
    }
}
