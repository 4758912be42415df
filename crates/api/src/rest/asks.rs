//! Commands on an incident: the address of every verb, the bodies with their description, all of it from the table of
//! what may be asked ([`allclear_domain::ask`]).

use std::borrow::Cow;
use std::collections::BTreeMap;

use allclear_domain::access::Principal;
use allclear_domain::ask::{self, Ask, Field, Given, Kind};
use allclear_domain::ids::IncidentId;
use allclear_domain::incident::lifecycle::Verb;
use allclear_domain::incident::record::Instant;
use allclear_domain::severity::Severity;
use allclear_domain::view::IncidentView;
use allclear_engine::asks::NotAsked;
use allclear_engine::core::{Command, Reply, Versioned};
use allclear_engine::read::NoAnswer;
use axum::extract::State as Shared;
use axum::response::Response;
use serde_json::{Value, json};
use utoipa::openapi::schema::{AnyOfBuilder, Schema};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use super::CAUSE;
use crate::Api;
use crate::http::caller::{Respond, Who};
use crate::http::extract::{Once, P, json as read_json};
use crate::http::problem::Problem;

/// The body of a command: any of those in the table. Not one of: `{}` is several of them.
pub(crate) struct AnyBody;

impl PartialSchema for AnyBody {
    fn schema() -> RefOr<Schema> {
        let mut names: Vec<&str> = Vec::new();
        for ask in ask::all() {
            if !names.contains(&ask.body) {
                names.push(ask.body);
            }
        }
        names.into_iter().fold(AnyOfBuilder::new(), |any, name| any.item(Ref::from_schema_name(name))).into()
    }
}

impl ToSchema for AnyBody {
    fn name() -> Cow<'static, str> {
        "CommandBody".into()
    }
    fn schemas(known: &mut Vec<(String, RefOr<Schema>)>) {
        known.push(("Severity".to_owned(), Severity::schema()));
        known.push(("Instant".to_owned(), Instant::schema()));
        let mut bodies: BTreeMap<&str, Vec<&Ask>> = BTreeMap::new();
        for ask in ask::all() {
            bodies.entry(ask.body).or_default().push(ask);
            for field in ask.fields {
                if let Kind::Choice { name, of } = field.kind {
                    known.push((name.to_owned(), written(json!({"type": "string", "enum": of}))));
                }
            }
        }
        known.extend(bodies.into_iter().map(|(name, asks)| (name.to_owned(), written(body(&asks)))));
    }
}

/// The body of the command `review`.
pub(crate) struct ReviewBody;

impl PartialSchema for ReviewBody {
    fn schema() -> RefOr<Schema> {
        written(body(&ask::of(Verb::Review).into_iter().collect::<Vec<_>>()))
    }
}

impl ToSchema for ReviewBody {}

/// The body of the command `export`.
pub(crate) struct ExportBody;

impl PartialSchema for ExportBody {
    fn schema() -> RefOr<Schema> {
        written(body(&ask::of(Verb::Export).into_iter().collect::<Vec<_>>()))
    }
}

impl ToSchema for ExportBody {}

/// The description of a body, whose fields these rows share.
fn body(asks: &[&Ask]) -> Value {
    let verbs: Vec<String> = asks.iter().map(|ask| format!("`{}`: {}.", ask.verb.word(), ask.says)).collect();
    let mut schema = json!({"type": "object", "additionalProperties": false, "description": verbs.join(" ")});
    let fields = asks.first().map_or(&[][..], |ask| ask.fields);
    if !fields.is_empty() {
        schema["properties"] =
            fields.iter().map(|field| (field.name.to_owned(), property(field))).collect::<serde_json::Map<_, _>>().into();
    }
    let needed: Vec<&str> = fields.iter().filter(|field| field.needed).map(|field| field.name).collect();
    if !needed.is_empty() {
        schema["required"] = json!(needed);
    }
    schema
}

/// The description of a field. What may be left out may be `null` as well.
fn property(field: &Field) -> Value {
    let named = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    let mut schema = match field.kind {
        Kind::Severity => named("Severity"),
        Kind::Instant => named("Instant"),
        Kind::Choice { name, .. } => named(name),
        Kind::Task | Kind::Number { .. } | Kind::Entry => json!({"type": "integer", "format": "int32", "minimum": 0}),
        Kind::Time => json!({"type": "string", "format": "date-time"}),
        Kind::Flag => json!({"type": "boolean"}),
        Kind::Audiences | Kind::Targets => json!({"type": "array", "items": {"type": "string"}}),
        Kind::Words { .. }
        | Kind::Line { .. }
        | Kind::Reason
        | Kind::Person
        | Kind::Role
        | Kind::Service
        | Kind::Escalation
        | Kind::Plan
        | Kind::Incident
        | Kind::Alert
        | Kind::Organisation
        | Kind::Length => json!({"type": "string"}),
    };
    if !field.needed && field.kind != Kind::Audiences {
        schema = match schema.get("type").cloned() {
            Some(kind) => {
                schema["type"] = json!([kind, "null"]);
                schema
            }
            None => json!({"oneOf": [{"type": "null"}, schema]}),
        };
    }
    if !field.hint.is_empty() && schema.get("$ref").is_none() {
        schema["description"] = format!("{}.", field.hint).into();
    }
    schema
}

fn written(schema: Value) -> RefOr<Schema> {
    serde_json::from_value(schema).unwrap_or_else(|why| panic!("a schema of the table is one: {why}"))
}

/// Says in the description of the command what there is.
pub(crate) fn describe(spec: &mut Value) {
    let operation = spec.pointer_mut("/paths/~1api~1v1~1incidents~1{ref}~1{command}/post");
    if let Some(operation) = operation {
        operation["description"] = format!("{}.", ask::in_short()).into();
    }
}

/// Acts on an incident; the answer is the incident after it.
#[utoipa::path(post, path = "/api/v1/incidents/{ref}/{command}", operation_id = "command_incident", tag = "incidents", request_body = AnyBody,
    params(("ref" = String, Path, description = "`INC-142`, or the id"), ("command" = String, Path, description = "A verb of the lifecycle"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and request are carried out once"),
        ("If-Match" = Option<String>, Header, description = "The incident's `version`, in quotation marks: refused where it has changed meanwhile")),
    responses((status = 200, body = IncidentView), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn command(
    Shared(api): Shared<Api>,
    who: Who<Respond>,
    P((reference, command)): P<(String, String)>,
    once: Once,
) -> Result<Response, Problem> {
    let ask = ask::named(&command).ok_or_else(|| {
        let known: Vec<_> = ask::all().map(|ask| ask.verb.word()).collect();
        Problem::new("no_such_command", format!("`{}` is no command; one of {} is", super::cut(&command), known.join(", ")))
    })?;
    carry_out(&api, &who, &reference, ask, &once).await
}

/// Asks for a review of the incident: the command `review`, at the address where the review is read.
// A router that has an address for reading does not look for its other methods at `{command}`.
#[utoipa::path(post, path = "/api/v1/incidents/{ref}/review", operation_id = "ask_incident_review", tag = "incidents", request_body = ReviewBody,
    params(("ref" = String, Path, description = "`INC-142`, or the id"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and request are carried out once"),
        ("If-Match" = Option<String>, Header, description = "The incident's `version`, in quotation marks: refused where it has changed meanwhile")),
    responses((status = 200, body = IncidentView), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn ask_review(
    Shared(api): Shared<Api>,
    who: Who<Respond>,
    P(reference): P<String>,
    once: Once,
) -> Result<Response, Problem> {
    let ask = ask::of(Verb::Review).ok_or_else(|| Problem::new("no_such_command", "nobody asks for reviews"))?;
    carry_out(&api, &who, &reference, ask, &once).await
}

/// Makes what one organisation may be told, signed: the command `export`, at the address where the record is read.
#[utoipa::path(post, path = "/api/v1/incidents/{ref}/export", operation_id = "export_incident_to_party", tag = "incidents", request_body = ExportBody,
    params(("ref" = String, Path, description = "`INC-142`, or the id"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and request are carried out once"),
        ("If-Match" = Option<String>, Header, description = "The incident's `version`, in quotation marks: refused where it has changed meanwhile")),
    responses((status = 200, body = IncidentView), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn ask_export(
    Shared(api): Shared<Api>,
    who: Who<Respond>,
    P(reference): P<String>,
    once: Once,
) -> Result<Response, Problem> {
    let ask = ask::of(Verb::Export).ok_or_else(|| Problem::new("no_such_command", "nobody asks for exports"))?;
    carry_out(&api, &who, &reference, ask, &once).await
}

async fn carry_out(api: &Api, who: &Who<Respond>, reference: &str, ask: &Ask, once: &Once) -> Result<Response, Problem> {
    let queries = api.engine.queries(&who.0);
    let id = queries.incident_id(reference).await?;
    let given: Given = read_json(&once.body)?;
    let asked = api.engine.asked(&who.0, id, ask, &given, CAUSE).await?;
    let now = queries.incident(id).await?;
    let guest = guest_of(ask, &given);
    let asked = super::if_match(once, Versioned::Incident(id), now.version, asked);
    let id = submit(api, &who.0, once, asked).await?;
    let mut view = match queries.incident(id).await {
        // Who gives back what is private sees it no more: the answer is what they saw last.
        Err(NoAnswer::Missing(_)) if ask.verb == Verb::Transfer => now,
        after => after?,
    };
    if let Some(organisation) = guest
        && let Some(made) = api.engine.guest_url(&who.0, id, &organisation).await?
    {
        (view.guest_url, view.guest_replaced) = (Some(made.url), made.replaced);
    }
    if let Some(organisation) = (ask.verb == Verb::Export).then(|| given.text("organisation")).flatten() {
        view.export = Some(api.engine.party_export(&who.0, id, &organisation).await?);
    }
    Ok(shown(view))
}

/// For which organisation a link is made, where one is.
fn guest_of(ask: &Ask, given: &Given) -> Option<String> {
    (ask.verb == Verb::Guest && !given.has("state")).then(|| given.text("organisation")).flatten()
}

impl From<NotAsked> for Problem {
    fn from(why: NotAsked) -> Self {
        match why {
            NotAsked::Fields(refusal) => {
                let place = refusal.field().map_or_else(String::new, |field| format!("`{field}`: "));
                Self::new(refusal.code(), format!("{place}{refusal}"))
            }
            NotAsked::Denied(no) => no.into(),
            NotAsked::NotThere { why, .. } => why.into(),
        }
    }
}

/// Asks the engine for a command on an incident; gives the incident it was about.
pub(super) async fn submit(api: &Api, who: &Principal, once: &Once, command: Command) -> Result<IncidentId, Problem> {
    match super::ask(api, who, once, command).await? {
        Reply::Incident { id, .. } => Ok(id),
        Reply::Again { answer } => answer.parse().map_err(|_| Problem::new("internal", "the answer kept under this key names no incident")),
        _ => Err(Problem::new("internal", "the engine answered something else than was asked")),
    }
}

/// An incident with its version as the entity tag.
pub(super) fn shown(view: IncidentView) -> Response {
    let version = view.version;
    super::tagged(view, version)
}
