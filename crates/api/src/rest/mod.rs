//! The control API, `/api/v1`: one file a subject. Handlers read what is asked, ask the engine, and
//! say what it said; nothing is decided here.

mod asks;
mod explain;
mod incidents;
mod learning;
mod lists;
mod me;
mod org;
mod org_forms;
mod overrides;
mod plans;
mod stream;
mod tokens;
mod troubles;

pub(crate) use asks::describe as describe_asks;
pub(crate) use incidents::EVENTS_MAX;

use allclear_domain::access::Principal;
use allclear_engine::core::{Command, Input, Reply, Versioned};
use axum::Json;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use serde::Serialize;
use utoipa::OpenApi as _;
use utoipa::ToSchema;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Api;
use crate::http::extract::Once;
use crate::http::problem::{Problem, wrong_address};

/// Where a person's command comes from, in the log.
const CAUSE: &str = allclear_domain::paging::VIA_API;
/// Items of a list where no limit is asked.
pub(crate) const LIMIT_DEFAULT: i64 = allclear_engine::read::LIST_DEFAULT;

/// Characters of what was given that an error shows.
const SHOWN_CHARS_MAX: usize = 64;

/// A list and where it goes on.
#[derive(Debug, Serialize)]
pub(crate) struct ListPage<T> {
    items: Vec<T>,
    /// Give it as `cursor` for what follows; null at the end.
    next: Option<String>,
}

impl<T> ListPage<T> {
    /// A list newest first that was read up to `limit`; it goes on where it is full.
    fn of(items: Vec<T>, limit: i64, id: impl Fn(&T) -> &str) -> Self {
        let full = i64::try_from(items.len()).is_ok_and(|n| n >= limit);
        let next = if full { items.last().map(|last| id(last).to_owned()) } else { None };
        Self { items, next }
    }
}

/// How many items are asked, within what is allowed.
fn limit_of(asked: Option<i64>) -> Result<i64, Problem> {
    let max = allclear_engine::read::LIST_MAX;
    match asked.unwrap_or(LIMIT_DEFAULT) {
        limit if (1..=max).contains(&limit) => Ok(limit),
        _ => Err(Problem::bad(format!("`limit` is a number from 1 to {max}"))),
    }
}

/// The id behind a cursor.
fn cursor_of<T: std::str::FromStr>(cursor: Option<&str>) -> Result<Option<T>, Problem> {
    let Some(cursor) = cursor else { return Ok(None) };
    let bad = || Problem::new("bad_cursor", "give the `next` of the page before, as it is");
    cursor.parse().map(Some).map_err(|_| bad())
}

/// Asks the engine for a person's command, which it carries out once for a key.
async fn ask(api: &Api, who: &Principal, once: &Once, command: Command) -> Result<Reply, Problem> {
    let input = Input { who: who.clone(), cause: CAUSE.into(), once: once.key.clone(), command };
    Ok(api.engine.ask(input).await?)
}

/// The command, held against the version that `If-Match` names where it is decided, since others act meanwhile;
/// `now` is the version that stands. Absent and `*` fit every version.
fn if_match(once: &Once, of: Versioned, now: u64, command: Command) -> Command {
    let Some(value) = once.headers.get(header::IF_MATCH) else { return command };
    let said = value.to_str().unwrap_or_default();
    if said.split(',').any(|tag| tag.trim() == "*") {
        return command;
    }
    let current = now.to_string();
    // A version that is not the present one is held against nothing that could still come true.
    let version = if said.split(',').any(|tag| tag.trim().trim_matches('"') == current) { now } else { VERSION_NONE };
    Command::IfVersion { of, version, command: Box::new(command) }
}

/// No log stands at this version: one that is read has an event.
const VERSION_NONE: u64 = 0;

/// Something with its version as the entity tag.
fn tagged<T: Serialize>(view: T, version: u64) -> Response {
    let mut response = Json(view).into_response();
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{version}\"")) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// What was given, short enough to be shown.
fn cut(text: &str) -> String {
    text.chars().take(SHOWN_CHARS_MAX).collect()
}

/// Refuses a person whom the organisation does not have.
fn known_person(api: &Api, person: Option<&str>) -> Result<(), Problem> {
    match person.filter(|person| api.engine.org().person(person).is_none()) {
        Some(unknown) => Err(Problem::new("no_such_person", format!("there is no person `{}`", cut(unknown)))),
        None => Ok(()),
    }
}

/// For whom a command is: who is named, else the token's person.
fn person_of(api: &Api, who: &Principal, by: Option<String>) -> Result<Option<String>, Problem> {
    known_person(api, by.as_deref())?;
    Ok(by.or_else(|| who.person().map(ToOwned::to_owned)))
}

/// The error of every route, for the description.
#[derive(ToSchema)]
#[allow(dead_code)] // describes what `problem::Problem` writes
pub(crate) struct ProblemDetails {
    /// The address of the code's page.
    r#type: String,
    title: String,
    status: u16,
    detail: String,
    /// Stable; programs branch on it.
    code: String,
    /// What is wrong, one by one, where there is more than one thing.
    errors: Option<Vec<serde_json::Value>>,
}

#[derive(utoipa::OpenApi)]
#[openapi(components(schemas(ProblemDetails)))]
struct Description;

/// All routes, and their description.
pub(crate) fn routes(version: &str) -> OpenApiRouter<Api> {
    let mut description = Description::openapi();
    "All Clear".clone_into(&mut description.info.title);
    version.clone_into(&mut description.info.version);
    description.info.description = Some("Incidents, alerts, pages, who is on call, and the organisation. See docs/api.md.".to_owned());
    let mut license = utoipa::openapi::License::new("Apache License 2.0");
    license.identifier = Some("Apache-2.0".to_owned());
    description.info.license = Some(license);
    // Where this very document was fetched.
    description.servers = Some(vec![utoipa::openapi::Server::new("/")]);
    let bearer = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
    description.components.get_or_insert_default().add_security_scheme("bearer", bearer);
    description.security = Some(vec![utoipa::openapi::security::SecurityRequirement::new("bearer", Vec::<String>::new())]);
    OpenApiRouter::with_openapi(description)
        .routes(routes!(incidents::list, incidents::declare))
        .routes(routes!(incidents::show))
        .routes(routes!(incidents::events))
        .routes(routes!(incidents::alerts))
        .routes(routes!(incidents::pages))
        .routes(routes!(incidents::roll))
        .routes(routes!(incidents::briefing))
        .routes(routes!(incidents::blast))
        .routes(routes!(incidents::changes))
        .routes(routes!(incidents::expectations))
        .routes(routes!(asks::command))
        .routes(routes!(learning::updates))
        .routes(routes!(learning::review_of, asks::ask_review))
        .routes(routes!(learning::reviews))
        .routes(routes!(learning::review))
        .routes(routes!(learning::command_review))
        .routes(routes!(learning::actions, learning::add_action))
        .routes(routes!(learning::action))
        .routes(routes!(learning::command_action))
        .routes(routes!(learning::trends))
        .routes(routes!(lists::alerts))
        .routes(routes!(lists::alert))
        .routes(routes!(lists::changes))
        .routes(routes!(lists::page))
        .routes(routes!(lists::acknowledge_page))
        .routes(routes!(lists::decline_page))
        .routes(routes!(lists::on_call))
        .routes(routes!(lists::readiness))
        .routes(routes!(lists::message))
        .routes(routes!(lists::signals))
        .routes(routes!(lists::signal))
        .routes(routes!(lists::refused))
        .routes(routes!(lists::audit))
        .routes(routes!(tokens::list, tokens::create))
        .routes(routes!(tokens::revoke))
        .routes(routes!(tokens::release))
        .routes(routes!(tokens::invite))
        .routes(routes!(troubles::list))
        .routes(routes!(org::show))
        .routes(routes!(org::check))
        .routes(routes!(org::diff))
        .routes(routes!(org::apply))
        .routes(routes!(org_forms::list))
        .routes(routes!(org_forms::show, org_forms::put, org_forms::remove))
        .routes(routes!(org_forms::detach))
        .routes(routes!(overrides::list, overrides::put))
        .routes(routes!(overrides::end))
        .routes(routes!(plans::shipped))
        .routes(routes!(plans::adopt))
        .routes(routes!(plans::try_one))
        .routes(routes!(me::contacts, me::add))
        .routes(routes!(me::change, me::remove))
        .routes(routes!(me::send_code))
        .routes(routes!(me::verify))
        .routes(routes!(me::put_rules, me::remove_rules))
        .routes(routes!(me::verified_by_hand))
        .routes(routes!(explain::signal))
        .routes(routes!(explain::page))
        .routes(routes!(stream::follow))
        .route("/api/v1/{*rest}", any(|| async { wrong_address().await.into_response() }))
}
