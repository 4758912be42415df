//! The organisation one form at a time: read, put, remove, take from a file. What a whole file does
//! is in `org`.
//!
//! A form's version is its entity tag: `If-Match: "7"` changes what was read and nothing newer,
//! `If-None-Match: *` only adds.

use allclear_channels::registry;
use allclear_domain::org::diff::{Form, FormKind};
use allclear_engine::org::FormProblem;
use allclear_engine::org::forms::{Changed, FormView, Seen};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::Api;
use crate::http::caller::{Admin, Who};
use crate::http::extract::{Asked, P};
use crate::http::problem::{FormFault, Problem};
use crate::rest::org::OrgSecret;

/// One form of the organisation.
#[derive(Serialize, ToSchema)]
pub(crate) struct OrgForm {
    /// `person`, `team`, `schedule`, …
    kind: &'static str,
    id: String,
    /// For `If-Match`: the organisation's version that changed it last.
    version: u64,
    /// `file` where a file owns it; such a form is changed in the file.
    managed: Option<String>,
    /// With the keys of the organisation file; secrets as `********`. A route has `order` besides.
    body: Value,
}

impl From<FormView> for OrgForm {
    fn from(view: FormView) -> Self {
        Self { kind: view.kind.word(), id: view.id, version: view.version, managed: view.managed, body: view.body }
    }
}

/// The forms of one kind.
#[derive(Serialize, ToSchema)]
pub(crate) struct OrgForms {
    items: Vec<OrgForm>,
}

/// A form as it is after it was put.
#[derive(Serialize, ToSchema)]
pub(crate) struct OrgFormPut {
    form: OrgForm,
    made: Vec<OrgSecret>,
    /// Warnings only.
    problems: Vec<FormFault>,
}

/// What removing a form did.
#[derive(Serialize, ToSchema)]
pub(crate) struct OrgFormRemoved {
    /// The organisation's.
    version: u64,
    /// Warnings only.
    problems: Vec<FormFault>,
}

fn kind_of(word: &str) -> Result<FormKind, Problem> {
    FormKind::from_word(word).ok_or_else(|| {
        let known: Vec<_> = FormKind::ALL.into_iter().map(FormKind::word).collect();
        Problem::new("no_such_form", format!("`{}` is no kind of form; one of {} is", super::cut(word), known.join(", ")))
    })
}

/// What the asker says that they saw. Without a word, and for `*`, whatever there is.
fn seen(headers: &HeaderMap) -> Result<Seen, Problem> {
    if let Some(said) = headers.get(header::IF_NONE_MATCH) {
        let is_any = said.to_str().is_ok_and(|said| said.trim() == "*");
        return if is_any { Ok(Seen::Nothing) } else { Err(Problem::bad("`If-None-Match` is `*` here: it only adds")) };
    }
    let Some(said) = headers.get(header::IF_MATCH) else { return Ok(Seen::Whatever) };
    let said = said.to_str().unwrap_or_default().trim();
    if said == "*" {
        return Ok(Seen::Whatever);
    }
    let version = said.trim_matches('"').parse().map_err(|_| Problem::bad("`If-Match` is a form's `version` in quotation marks"))?;
    Ok(Seen::Version(version))
}

fn tagged(status: StatusCode, version: u64, body: impl Serialize) -> Response {
    let mut response = (status, Json(body)).into_response();
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{version}\"")) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

fn faults(problems: &[FormProblem]) -> Vec<FormFault> {
    problems.iter().map(FormFault::of).collect()
}

/// The forms of one kind, secrets masked.
#[utoipa::path(get, path = "/api/v1/org/{kind}", operation_id = "list_forms", tag = "organisation",
    params(("kind" = String, Path, description = "`person`, `team`, `schedule`, …")),
    responses((status = 200, body = OrgForms), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn list(State(api): State<Api>, who: Who<Admin>, P(kind): P<String>) -> Result<Json<OrgForms>, Problem> {
    let found = api.engine.form_views(Some(kind_of(&kind)?), &who.0).await?;
    Ok(Json(OrgForms { items: found.into_iter().map(OrgForm::from).collect() }))
}

/// One form, secrets masked, with its version as the entity tag.
#[utoipa::path(get, path = "/api/v1/org/{kind}/{id}", operation_id = "show_form", tag = "organisation",
    params(("kind" = String, Path, description = "`person`, `team`, `schedule`, …"), ("id" = String, Path)),
    responses((status = 200, body = OrgForm), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn show(State(api): State<Api>, who: Who<Admin>, P((kind, id)): P<(String, String)>) -> Result<Response, Problem> {
    let kinds: Vec<_> = registry::kinds().collect();
    let (view, _) = api.engine.form_view(kind_of(&kind)?, &id, &kinds, &who.0).await?;
    Ok(tagged(StatusCode::OK, view.version, OrgForm::from(view)))
}

/// Adds or changes one form; the body has the keys of the organisation file.
///
/// The whole form is given: a key that is left out is gone, except that a secret that is left out or `********` stays as it is,
/// and one that is needed and missing is made and is in this answer only. What a file owns is refused.
#[utoipa::path(put, path = "/api/v1/org/{kind}/{id}", operation_id = "put_form", tag = "organisation", request_body = Value,
    params(("kind" = String, Path, description = "`person`, `team`, `schedule`, …"), ("id" = String, Path),
        ("If-Match" = Option<String>, Header, description = "The form's `version`, in quotation marks: refused where it has changed meanwhile"),
        ("If-None-Match" = Option<String>, Header, description = "`*`: refused where there is such a form")),
    responses((status = 200, body = OrgFormPut), (status = 201, body = OrgFormPut, description = "It is new"),
        (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn put(
    State(api): State<Api>,
    who: Who<Admin>,
    P((kind, id)): P<(String, String)>,
    headers: HeaderMap,
    Asked(body): Asked<Value>,
) -> Result<Response, Problem> {
    let kind = kind_of(&kind)?;
    let kinds: Vec<_> = registry::kinds().collect();
    let seen = seen(&headers)?;
    let is_new = !api.engine.form_views(Some(kind), &who.0).await?.iter().any(|form| form.id == id);
    let done = api.engine.change_form(Form { kind, id, body }, seen, None, &kinds, &who.0).await?;
    let Changed { form: Some(form), made, problems, .. } = done else {
        return Err(Problem::new("internal", "the form was put and is not there"));
    };
    let made = made.into_iter().map(OrgSecret::from).collect();
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok(tagged(status, form.version, OrgFormPut { form: form.into(), made, problems: faults(&problems) }))
}

/// Removes one form. Refused where something still names it, with the places.
#[utoipa::path(delete, path = "/api/v1/org/{kind}/{id}", operation_id = "remove_form", tag = "organisation",
    params(("kind" = String, Path, description = "`person`, `team`, `schedule`, …"), ("id" = String, Path),
        ("If-Match" = Option<String>, Header, description = "The form's `version`, in quotation marks: refused where it has changed meanwhile")),
    responses((status = 200, body = OrgFormRemoved), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn remove(
    State(api): State<Api>,
    who: Who<Admin>,
    P((kind, id)): P<(String, String)>,
    headers: HeaderMap,
) -> Result<Json<OrgFormRemoved>, Problem> {
    let kinds: Vec<_> = registry::kinds().collect();
    let done = api.engine.remove_form(kind_of(&kind)?, &id, seen(&headers)?, &kinds, &who.0).await?;
    Ok(Json(OrgFormRemoved { version: done.version, problems: faults(&done.problems) }))
}

/// Takes one form from the file that owns it, so that it can be changed here.
///
/// A file that still names the form takes it back when it is applied the next time. Of a form that no file owns nothing changes.
#[utoipa::path(post, path = "/api/v1/org/{kind}/{id}/detach", operation_id = "detach_form", tag = "organisation",
    params(("kind" = String, Path, description = "`person`, `team`, `schedule`, …"), ("id" = String, Path),
        ("If-Match" = Option<String>, Header, description = "The form's `version`, in quotation marks: refused where it has changed meanwhile")),
    responses((status = 200, body = OrgForm), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn detach(
    State(api): State<Api>,
    who: Who<Admin>,
    P((kind, id)): P<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let view = api.engine.detach_form(kind_of(&kind)?, &id, seen(&headers)?, &who.0).await?;
    Ok(tagged(StatusCode::OK, view.version, OrgForm::from(view)))
}
