//! Incidents: lists, one with its log, alerts, pages and what is due, and the commands of people.

use std::borrow::Cow;

use allclear_domain::access::Principal;
use allclear_domain::ids::IncidentId;
use allclear_domain::incident::lifecycle::Verb;
use allclear_domain::incident::{self, NOTE_CHARS_MAX, Severity, State, access, attendance, declaration, ending, record, words};
use allclear_domain::view::{AlertView, EventView, ExpectationView, IncidentView, PageView};
use allclear_engine::core::{Command, Declare, Refusal, Reply, Versioned};
use allclear_engine::read::{AlertFilter, IncidentFilter, LIST_MAX, SEARCH_CHARS_MAX};
use axum::Json;
use axum::extract::State as Shared;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use jiff::Timestamp;
use serde::Deserialize;
use utoipa::openapi::schema::{AnyOfBuilder, Schema};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{IntoParams, PartialSchema, ToSchema};

use super::{Page, cursor_of, known_person, limit_of, person_of};
use crate::http::caller::{Read, Respond, Who};
use crate::http::extract::{Once, P, Q, json};
use crate::http::problem::Problem;
use crate::{Api, schema};

/// Where a person's command comes from, in the log.
pub(super) const CAUSE: &str = "api";
/// Events of one answer where no limit is asked.
const EVENTS_DEFAULT: i64 = 200;
/// Events of one answer at most: the engine's own limit.
pub(crate) const EVENTS_MAX: i64 = 1000;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Only those in this state.
    #[param(value_type = Option<schema::State>, inline)]
    state: Option<State>,
    /// `true`: only those that somebody still has to do something about.
    open: Option<bool>,
    /// Only those of this severity.
    #[param(value_type = Option<schema::Severity>, inline)]
    severity: Option<Severity>,
    /// Only those of this service, by its id.
    service: Option<String>,
    /// Only those whose title has these words in it, as they stand there and whatever the case of their letters; at most
    /// 200 characters.
    #[param(min_length = 1, max_length = 200)]
    q: Option<String>,
    /// From 1 to 200; 20 where absent.
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Incidents, newest first; with `q`, those whose title has these words.
#[utoipa::path(get, path = "/api/v1/incidents", operation_id = "list_incidents", tag = "incidents", params(ListQuery),
    responses((status = 200, body = schema::IncidentPage), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn list(Shared(api): Shared<Api>, who: Who<Read>, Q(query): Q<ListQuery>) -> Result<Json<Page<IncidentView>>, Problem> {
    if query.open == Some(false) {
        return Err(Problem::bad(
            "`open` takes only `true`; for those that are over give `state=resolved`, `closed`, `cancelled` or `merged`",
        ));
    }
    let limit = limit_of(query.limit)?;
    let filter = IncidentFilter {
        state: query.state,
        open: query.open.unwrap_or(false),
        severity: query.severity,
        service: query.service,
        before: cursor_of(query.cursor.as_deref())?,
        words: query.q.as_deref().map(words_of).transpose()?,
    };
    let items = api.engine.queries(&who.0).incidents(filter, limit).await?;
    Ok(Json(Page::of(items, limit, |incident| &incident.id)))
}

/// What is searched for. Without words it would be every incident, which is asked for without `q`.
fn words_of(asked: &str) -> Result<String, Problem> {
    match asked.trim() {
        "" => Err(Problem::bad("`q` has no words: give some of a title, or leave it out")),
        words if words.chars().count() > SEARCH_CHARS_MAX => Err(Problem::bad(format!("`q` has at most {SEARCH_CHARS_MAX} characters"))),
        words => Ok(words.to_owned()),
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeclareBody {
    /// One line for people.
    #[schema(min_length = 1)]
    title: String,
    /// sev3 where absent.
    #[schema(value_type = Option<schema::Severity>)]
    severity: Option<Severity>,
    /// The affected service, by its id; its escalation policy is who is paged.
    service: Option<String>,
    impact_started_at: Option<Timestamp>,
    /// Whether people are paged; true where absent.
    page: Option<bool>,
    /// Whether only those who are admitted see it; false where absent.
    private: Option<bool>,
}

/// Declares an incident, and pages unless told not to.
#[utoipa::path(post, path = "/api/v1/incidents", operation_id = "declare_incident", tag = "incidents", request_body = DeclareBody,
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key and request give the same incident")),
    responses((status = 201, body = schema::Incident), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn declare(Shared(api): Shared<Api>, who: Who<Respond>, once: Once) -> Result<Response, Problem> {
    let body: DeclareBody = json(&once.body)?;
    if body.private == Some(true) {
        must_see_it(&who.0)?;
    }
    let declare = Declare {
        title: body.title,
        severity: body.severity.unwrap_or(Severity::Sev3),
        service: body.service,
        impact_started_at: body.impact_started_at.map(allclear_domain::time::whole_micros),
        page: body.page.unwrap_or(true),
        private: body.private.unwrap_or(false),
    };
    let id = submit(&api, &who.0, &once, Command::Declare(declare)).await?;
    let view = api.engine.queries(&who.0).incident(id).await?;
    let location = HeaderValue::from_str(&format!("/api/v1/incidents/{}", view.reference));
    let mut response = shown(view);
    *response.status_mut() = StatusCode::CREATED;
    if let Ok(location) = location {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// One incident.
#[utoipa::path(get, path = "/api/v1/incidents/{ref}", operation_id = "show_incident", tag = "incidents", params(("ref" = String, Path, description = "`INC-142`, or the id")),
    responses((status = 200, body = schema::Incident), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn show(Shared(api): Shared<Api>, who: Who<Read>, P(reference): P<String>) -> Result<Response, Problem> {
    let queries = api.engine.queries(&who.0);
    let id = queries.incident_id(&reference).await?;
    Ok(shown(queries.incident(id).await?))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventsQuery {
    /// Only events whose `seq` is greater.
    after: Option<i64>,
    /// From 1 to 1000; 200 where absent.
    limit: Option<i64>,
}

/// The log of an incident and its pages, oldest first.
#[utoipa::path(get, path = "/api/v1/incidents/{ref}/events", operation_id = "list_incident_events", tag = "incidents",
    params(("ref" = String, Path, description = "`INC-142`, or the id"), EventsQuery),
    responses((status = 200, body = schema::EventPage), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn events(
    Shared(api): Shared<Api>,
    who: Who<Read>,
    P(reference): P<String>,
    Q(query): Q<EventsQuery>,
) -> Result<Json<Page<EventView>>, Problem> {
    let limit = match query.limit.unwrap_or(EVENTS_DEFAULT) {
        limit if (1..=EVENTS_MAX).contains(&limit) => limit,
        _ => return Err(Problem::bad(format!("`limit` is a number from 1 to {EVENTS_MAX}"))),
    };
    let queries = api.engine.queries(&who.0);
    let id = queries.incident_id(&reference).await?;
    let items = queries.events(id, query.after.unwrap_or(0), limit).await?;
    let full = i64::try_from(items.len()).is_ok_and(|n| n >= limit);
    let next = if full { items.last().map(|event| event.seq.to_string()) } else { None };
    Ok(Json(Page { items, next }))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PagedQuery {
    /// From 1 to 200; 200 where absent.
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// The alerts of an incident, newest first.
#[utoipa::path(get, path = "/api/v1/incidents/{ref}/alerts", operation_id = "list_incident_alerts", tag = "incidents",
    params(("ref" = String, Path, description = "`INC-142`, or the id"), PagedQuery),
    responses((status = 200, body = schema::AlertPage), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn alerts(
    Shared(api): Shared<Api>,
    who: Who<Read>,
    P(reference): P<String>,
    Q(query): Q<PagedQuery>,
) -> Result<Json<Page<AlertView>>, Problem> {
    let limit = limit_of(query.limit.or(Some(LIST_MAX)))?;
    let queries = api.engine.queries(&who.0);
    let incident = queries.incident_id(&reference).await?;
    let filter = AlertFilter { incident: Some(incident), before: cursor_of(query.cursor.as_deref())?, ..AlertFilter::default() };
    Ok(Json(Page::of(queries.alerts(filter, limit).await?, limit, |alert| &alert.id)))
}

/// The pages of an incident, with their messages.
#[utoipa::path(get, path = "/api/v1/incidents/{ref}/pages", operation_id = "list_incident_pages", tag = "incidents", params(("ref" = String, Path, description = "`INC-142`, or the id")),
    responses((status = 200, body = schema::PagePage), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn pages(Shared(api): Shared<Api>, who: Who<Read>, P(reference): P<String>) -> Result<Json<Page<PageView>>, Problem> {
    let queries = api.engine.queries(&who.0);
    let id = queries.incident_id(&reference).await?;
    Ok(Json(Page { items: queries.pages(id).await?, next: None }))
}

/// What is expected next and by when, and what was.
#[utoipa::path(get, path = "/api/v1/incidents/{ref}/expectations", operation_id = "list_incident_expectations", tag = "incidents",
    params(("ref" = String, Path, description = "`INC-142`, or the id")),
    responses((status = 200, body = schema::ExpectationPage), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn expectations(
    Shared(api): Shared<Api>,
    who: Who<Read>,
    P(reference): P<String>,
) -> Result<Json<Page<ExpectationView>>, Problem> {
    let queries = api.engine.queries(&who.0);
    let id = queries.incident_id(&reference).await?;
    Ok(Json(Page { items: queries.expectations(id).await?, next: None }))
}

/// `acknowledge`
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ByBody {
    /// A person's id; the token's person where absent.
    by: Option<String>,
}
/// `escalate`
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EscalateBody {
    /// A policy's id; the incident's where absent.
    escalation: Option<String>,
    /// In place of a policy: whom to page by name, as `person:ID`, `team:ID`, `schedule:ID`.
    page: Option<Vec<String>>,
    why: String,
}
/// `severity`
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SeverityBody {
    #[schema(value_type = schema::Severity)]
    severity: Severity,
    why: String,
}
/// `mitigate`, `resolve`
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoteBody {
    note: Option<String>,
}
/// `reopen`, `cancel`
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WhyBody {
    why: String,
}
/// `declare`
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PromoteBody {
    why: Option<String>,
}
/// `close`
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CloseBody {}
/// `merge`
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MergeBody {
    /// `INC-142`, or the id.
    into: String,
}
/// `note`
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TextBody {
    text: String,
}

/// `admit`
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AdmitBody {
    /// A person's id.
    person: String,
    why: Option<String>,
}

/// The body of a command: any of those above. Not one of: `{}` is several of them.
pub(crate) struct AnyBody;

/// The description of each, by its name.
macro_rules! any_body {
    ($($body:ident),+) => {
        impl PartialSchema for AnyBody {
            fn schema() -> RefOr<Schema> {
                AnyOfBuilder::new()$(.item(Ref::from_schema_name(stringify!($body))))+.into()
            }
        }
        impl ToSchema for AnyBody {
            fn name() -> Cow<'static, str> {
                "CommandBody".into()
            }
            fn schemas(known: &mut Vec<(String, RefOr<Schema>)>) {
                $(
                    known.push((stringify!($body).to_owned(), $body::schema()));
                    $body::schemas(known);
                )+
            }
        }
    };
}

use super::coordination::{DecisionBody, LinkBody, RenameBody, ReviewBody, RoleBody, TaskBody, TimeBody, UpdateBody};

any_body!(
    ByBody,
    EscalateBody,
    SeverityBody,
    NoteBody,
    WhyBody,
    PromoteBody,
    CloseBody,
    MergeBody,
    TextBody,
    RoleBody,
    TaskBody,
    UpdateBody,
    DecisionBody,
    TimeBody,
    LinkBody,
    RenameBody,
    ReviewBody,
    AdmitBody
);

/// Acts on an incident; the answer is the incident after it.
///
/// role {role, person?, do?} · task {text, owner?, due_at? or within?} or {task, owner} or {task, state, note?} ·
/// update {text, audiences?, next_within?} · decision {text, reversible?} · time {instant, at?, why} · link {alert} · rename {title} · review {} ·
/// acknowledge {by?} · escalate {escalation? or page?, why} · severity {severity, why} · mitigate {note?} · resolve {note?} · reopen {why} ·
/// cancel {why} · close {} · merge {into} · note {text} · declare {why?} (a candidate) · restrict {why} · open_up {why} ·
/// admit {person, why?}
#[utoipa::path(post, path = "/api/v1/incidents/{ref}/{command}", operation_id = "command_incident", tag = "incidents", request_body = AnyBody,
    params(("ref" = String, Path, description = "`INC-142`, or the id"), ("command" = String, Path, description = "A verb of the lifecycle"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and request are carried out once"),
        ("If-Match" = Option<String>, Header, description = "The incident's `version`, in quotation marks: refused where it has changed meanwhile")),
    responses((status = 200, body = schema::Incident), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn command(
    Shared(api): Shared<Api>,
    who: Who<Respond>,
    P((reference, command)): P<(String, String)>,
    once: Once,
) -> Result<Response, Problem> {
    let verb = Verb::ALL.into_iter().find(|verb| verb.is_for_people() && verb.word() == command).ok_or_else(|| {
        let known: Vec<_> = Verb::ALL.into_iter().filter(|verb| verb.is_for_people()).map(Verb::word).collect();
        Problem::new("no_such_command", format!("`{}` is no command; one of {} is", super::cut(&command), known.join(", ")))
    })?;
    carry_out(&api, &who, &reference, verb, &once).await
}

/// Asks for a review of the incident: the command `review`, at the address where the review is read.
// A router that has an address for reading does not look for its other methods at `{command}`.
#[utoipa::path(post, path = "/api/v1/incidents/{ref}/review", operation_id = "ask_incident_review", tag = "incidents", request_body = ReviewBody,
    params(("ref" = String, Path, description = "`INC-142`, or the id"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and request are carried out once"),
        ("If-Match" = Option<String>, Header, description = "The incident's `version`, in quotation marks: refused where it has changed meanwhile")),
    responses((status = 200, body = schema::Incident), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn ask_review(
    Shared(api): Shared<Api>,
    who: Who<Respond>,
    P(reference): P<String>,
    once: Once,
) -> Result<Response, Problem> {
    carry_out(&api, &who, &reference, Verb::Review, &once).await
}

async fn carry_out(api: &Api, who: &Who<Respond>, reference: &str, verb: Verb, once: &Once) -> Result<Response, Problem> {
    let queries = api.engine.queries(&who.0);
    let id = queries.incident_id(reference).await?;
    let asked = read(api, &who.0, id, verb, &once.body).await?;
    if let Command::LinkAlert { alert, .. } = &asked {
        // Of an alert of an incident that they may not see nobody is told anything.
        queries.alert(*alert).await?;
    }
    let now = queries.incident(id).await?;
    let asked = super::if_match(once, Versioned::Incident(id), now.version, asked);
    let id = submit(api, &who.0, once, asked).await?;
    Ok(shown(queries.incident(id).await?))
}

/// The command that a verb and its body mean.
async fn read(api: &Api, who: &Principal, id: IncidentId, verb: Verb, body: &[u8]) -> Result<Command, Problem> {
    if let Some(command) = super::coordination::read(api, who, id, verb, body)? {
        return Ok(command);
    }
    Ok(match verb {
        Verb::Acknowledge => {
            let by = person_of(api, who, json::<ByBody>(body)?.by)?;
            Command::incident(id, attendance::Command::Acknowledge { by, via: CAUSE.into() })
        }
        Verb::Escalate => {
            let EscalateBody { escalation, page, why } = json(body)?;
            let why = in_words(why)?;
            match page {
                Some(_) if escalation.is_some() => return Err(Problem::bad("give either `escalation` or `page`")),
                Some(targets) if targets.is_empty() => {
                    return Err(Problem::bad("`page` names nobody: give `person:ID`, `team:ID` or `schedule:ID`"));
                }
                Some(targets) => Command::PagePeople { id, targets, why },
                None => Command::Escalate { id, escalation, why },
            }
        }
        Verb::Severity => {
            let SeverityBody { severity, why } = json(body)?;
            Command::incident(id, declaration::Command::SetSeverity { severity, why: in_words(why)? })
        }
        Verb::Mitigate => Command::incident(id, ending::Command::Mitigate { note: json::<NoteBody>(body)?.note }),
        Verb::Resolve => Command::incident(id, ending::Command::Resolve { note: json::<NoteBody>(body)?.note }),
        Verb::Reopen => Command::incident(id, ending::Command::Reopen { why: in_words(json::<WhyBody>(body)?.why)? }),
        Verb::Cancel => Command::incident(id, ending::Command::Cancel { why: in_words(json::<WhyBody>(body)?.why)? }),
        Verb::Close => {
            let CloseBody {} = json(body)?;
            Command::incident(id, ending::Command::Close)
        }
        Verb::Merge => {
            let into = json::<MergeBody>(body)?.into;
            Command::Merge { from: id, into: api.engine.queries(who).incident_id(&into).await? }
        }
        Verb::Note => Command::incident(id, record::Command::Note { text: json::<TextBody>(body)?.text }),
        Verb::Declare => {
            let why = json::<PromoteBody>(body)?.why.map_or_else(|| Ok("declared by a person".to_owned()), in_words)?;
            Command::incident(id, declaration::Command::Promote { why })
        }
        Verb::Restrict => {
            must_see_it(who)?;
            Command::incident(id, access::Command::Restrict { why: in_words(json::<WhyBody>(body)?.why)?, people: Vec::new() })
        }
        Verb::OpenUp => Command::incident(id, access::Command::OpenUp { why: in_words(json::<WhyBody>(body)?.why)? }),
        Verb::Admit => {
            let AdmitBody { person, why } = json(body)?;
            known_person(api, Some(&person))?;
            let why = why.map_or_else(|| Ok("admitted by a person".to_owned()), in_words)?;
            Command::incident(id, access::Command::Admit { people: vec![person], why })
        }
        Verb::Role | Verb::Task | Verb::Update | Verb::Decision | Verb::Time | Verb::Link | Verb::Rename | Verb::Review => {
            return Err(Problem::new("internal", "a command of coordination was not read"));
        }
        Verb::Alerts | Verb::Recover | Verb::Return => {
            return Err(Problem::new("no_such_command", "this follows from alerts, and nobody asks for it"));
        }
    })
}

/// What is made private is seen by those it concerns: a token that stands for nobody would shut itself out.
fn must_see_it(who: &Principal) -> Result<(), Problem> {
    if who.person().is_some() || who.scope.admits(allclear_domain::access::Scope::Admin) {
        return Ok(());
    }
    Err(Problem::new("forbidden", "this token stands for no person, so it could not see a private incident: use a person's token"))
}

/// A reason: some words, and not a book.
fn in_words(why: String) -> Result<String, Problem> {
    let refusal = if why.trim().is_empty() {
        incident::Refusal::Words(words::Refusal::Missing { what: "the reason" })
    } else if why.chars().count() > NOTE_CHARS_MAX {
        incident::Refusal::Words(words::Refusal::TooLong { what: "the reason", max: NOTE_CHARS_MAX })
    } else {
        return Ok(why);
    };
    Err(Refusal::from(refusal).into())
}

/// Asks the engine for a command on an incident; gives the incident it was about.
async fn submit(api: &Api, who: &Principal, once: &Once, command: Command) -> Result<IncidentId, Problem> {
    match super::ask(api, who, once, command).await? {
        Reply::Incident { id, .. } => Ok(id),
        Reply::Again { answer } => answer.parse().map_err(|_| Problem::new("internal", "the answer kept under this key names no incident")),
        _ => Err(Problem::new("internal", "the engine answered something else than was asked")),
    }
}

/// An incident with its version as the entity tag.
fn shown(view: IncidentView) -> Response {
    let version = view.version;
    super::tagged(view, version)
}
