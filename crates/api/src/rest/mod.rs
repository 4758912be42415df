//! The control API, `/api/v1`: one file a subject. Handlers read what is asked, ask the engine, and
//! say what it said; nothing is decided here.

mod absences;
mod asks;
mod cover;
mod drills;
mod explain;
mod export;
mod feeds;
mod find;
mod incidents;
mod learning;
mod lists;
mod me;
mod org;
mod org_forms;
mod overrides;
mod plans;
mod saved;
mod stream;
mod temporary;
mod timetable;
mod tokens;
mod troubles;

pub(crate) use asks::describe as describe_asks;
pub(crate) use incidents::EVENTS_MAX;

use allclear_domain::access::Principal;
use allclear_engine::core::{Command, Input, Reply, Versioned};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, any};
use axum::{Json, Router};
use serde::Serialize;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{OpenApi as _, Path as _, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::{PathItemExt as _, routes};

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

/// Refuses a schedule that the organisation does not have.
fn schedule_of(api: &Api, schedule: &str) -> Result<(), Problem> {
    match api.engine.org().schedule_form(schedule) {
        Some(_) => Ok(()),
        None => Err(Problem::new("no_such_schedule", format!("there is no schedule `{}`", cut(schedule)))),
    }
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

/// What the control API answers, each once: [`routes`] answers with it, and [`described`] says of it what its handler says of itself.
macro_rules! operations {
    ($($module:ident::$name:ident),* $(,)?) => {
        /// All routes. Nothing is described here: that takes more memory than answering does, and few ask.
        pub(crate) fn routes() -> Router<Api> {
            let mut router = Router::new();
            utoipa_axum::paste! {$({
                type Operation = $module::[<__path_ $name>];
                let methods = Operation::methods();
                let answers = methods.iter().fold(MethodRouter::new(), |on, method| on.on(method.to_method_filter(), $module::$name));
                router = router.route(&Operation::path(), answers);
            })*}
            router.route("/api/v1/{*rest}", any(|| async { wrong_address().await.into_response() }))
        }

        fn all(description: utoipa::openapi::OpenApi) -> utoipa::openapi::OpenApi {
            OpenApiRouter::<Api>::with_openapi(description)$(.routes(routes!($module::$name)))*.into_openapi()
        }
    };
}

operations! {
    find::search,
    incidents::list,
    incidents::declare,
    incidents::show,
    incidents::events,
    incidents::alerts,
    incidents::pages,
    incidents::roll,
    incidents::briefing,
    incidents::blast,
    incidents::changes,
    incidents::expectations,
    export::record,
    asks::ask_export,
    asks::command,
    learning::updates,
    learning::review_of,
    asks::ask_review,
    learning::reviews,
    learning::review,
    learning::command_review,
    learning::actions,
    learning::add_action,
    learning::action,
    learning::command_action,
    learning::trends,
    lists::alerts,
    lists::alert,
    lists::changes,
    lists::heartbeats,
    lists::page,
    lists::acknowledge_page,
    lists::decline_page,
    lists::on_call,
    lists::readiness,
    lists::message,
    lists::signals,
    lists::signal,
    lists::refused,
    lists::audit,
    tokens::list,
    tokens::create,
    tokens::revoke,
    tokens::release,
    tokens::invite,
    troubles::list,
    org::show,
    org::check,
    org::diff,
    org::apply,
    org_forms::list,
    org_forms::show,
    org_forms::put,
    org_forms::remove,
    org_forms::detach,
    overrides::list,
    overrides::put,
    overrides::end,
    temporary::list,
    temporary::put,
    temporary::end,
    timetable::show,
    timetable::preview,
    timetable::external_calendars,
    timetable::load,
    absences::list,
    absences::enter,
    absences::end,
    absences::needs_cover,
    cover::list,
    cover::ask,
    cover::answer,
    drills::start,
    drills::list,
    drills::show,
    drills::stop,
    feeds::list,
    feeds::make,
    feeds::revoke,
    plans::shipped,
    plans::adopt,
    plans::try_one,
    me::contacts,
    me::add,
    me::change,
    me::remove,
    me::send_code,
    me::verify,
    me::put_rules,
    me::remove_rules,
    me::put_shift_notices,
    me::remove_shift_notices,
    me::verified_by_hand,
    saved::list,
    saved::save,
    saved::rename,
    saved::remove,
    explain::signal,
    explain::page,
    stream::follow,
}

/// Their description.
pub(crate) fn described(version: &str) -> utoipa::openapi::OpenApi {
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
    all(description)
}
