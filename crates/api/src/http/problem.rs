//! Errors of the control API as RFC 9457 writes them, and every code there is.
//!
//! A code is stable and has a page, which is built in and served under its `type`. The table is
//! made by a macro that includes the page, so that a code without one does not compile.

use allclear_domain::access::Denied;
use allclear_domain::time::Length;
use allclear_engine::core::Refusal;
use allclear_engine::identity::NotDone;
use allclear_engine::org::forms::FormError;
use allclear_engine::org::{FormProblem, OrgError};
use allclear_engine::read::NoAnswer;
use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

/// How long a client should wait after a 503, in seconds: a full disk or a restart of the database
/// takes seconds at least, and senders give up after minutes.
pub const RETRY_AFTER_S: &str = "5";

/// One error code.
#[derive(Debug)]
pub struct Code {
    /// Stable.
    pub code: &'static str,
    /// HTTP status.
    pub status: u16,
    /// One line, the same for every occurrence.
    pub title: &'static str,
    /// What it means and what to do, in Markdown.
    pub page: &'static str,
}

// Every code, made from the pages by `build.rs`: an error that is added is a page in `docs/errors`.
include!(concat!(env!("OUT_DIR"), "/codes.rs"));

/// The code of this name.
#[must_use]
pub fn find(code: &str) -> Option<&'static Code> {
    CODES.iter().find(|known| known.code == code)
}

/// One error.
#[derive(Debug)]
pub struct Problem {
    code: &'static Code,
    detail: String,
    errors: Vec<Value>,
    /// Where waiting alone helps.
    wait: Option<Length>,
}

impl Problem {
    /// With the words for this occurrence.
    #[must_use]
    pub fn new(code: &str, detail: impl Into<String>) -> Self {
        let found = find(code);
        debug_assert!(found.is_some(), "the code `{code}` is in the table");
        let code = found.unwrap_or(&CODES[CODES.len() - 1]);
        Self { code, detail: detail.into(), errors: Vec::new(), wait: None }
    }

    /// The same with a list of what is wrong.
    #[must_use]
    pub fn with(mut self, errors: Vec<Value>) -> Self {
        self.errors = errors;
        self
    }

    /// The same with what is wrong with forms.
    pub(crate) fn of_forms(self, problems: &[FormProblem]) -> Self {
        self.with(problems.iter().map(|problem| json!(FormFault::of(problem))).collect())
    }

    pub(crate) const fn code(&self) -> &'static str {
        self.code.code
    }

    pub(crate) const fn status(&self) -> u16 {
        self.code.status
    }

    /// The same for every occurrence.
    pub(crate) const fn title(&self) -> &'static str {
        self.code.title
    }

    /// A body or query that cannot be read.
    #[must_use]
    pub fn bad(detail: impl Into<String>) -> Self {
        Self::new("bad_request", detail)
    }

    /// A body over its limit.
    #[must_use]
    pub fn too_large(limit: usize) -> Self {
        Self::new("body_too_large", format!("the body is larger than {limit} bytes"))
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body = json!({
            "type": format!("/docs/errors/{}", self.code.code),
            "title": self.code.title,
            "status": self.code.status,
            "detail": self.detail,
            "code": self.code.code,
        });
        if !self.errors.is_empty() {
            body["errors"] = Value::Array(self.errors);
        }
        let mut response = Response::new(Body::from(body.to_string()));
        *response.status_mut() = StatusCode::from_u16(self.code.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        match self.code.status {
            401 => drop(headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))),
            429 => drop(self.wait.map(|wait| headers.insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs())))),
            503 => drop(headers.insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_S))),
            _ => {}
        }
        response
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self { wait: refusal.wait(), ..Self::new(refusal.code(), refusal.to_string()) }
    }
}

impl From<NoAnswer> for Problem {
    fn from(why: NoAnswer) -> Self {
        let code = match &why {
            NoAnswer::Store(_) => "store_unavailable".to_owned(),
            NoAnswer::Missing(what) => format!("no_such_{what}"),
            NoAnswer::Denied(no) => no.code().to_owned(),
            NoAnswer::Bad(_) => "invalid".to_owned(),
        };
        Self::new(&code, why.to_string())
    }
}

impl From<OrgError> for Problem {
    fn from(why: OrgError) -> Self {
        let code = match &why {
            OrgError::Store(_) => "store_unavailable".to_owned(),
            OrgError::Conflict => "org_conflict".to_owned(),
            OrgError::Stored(_) => "internal".to_owned(),
            OrgError::Limit(_) => "silence_limit".to_owned(),
            OrgError::Missing { kind, .. } => format!("no_such_{kind}"),
            OrgError::Wrong(_) => "invalid".to_owned(),
            OrgError::Denied(_) => "forbidden".to_owned(),
        };
        Self::new(&code, why.to_string())
    }
}

impl From<Denied> for Problem {
    fn from(no: Denied) -> Self {
        Self::new(no.code(), no.to_string())
    }
}

impl From<NotDone> for Problem {
    fn from(why: NotDone) -> Self {
        match why {
            NotDone::Denied(no) => no.into(),
            NotDone::Store(_) => Self::new("store_unavailable", why.to_string()),
        }
    }
}

impl From<FormError> for Problem {
    fn from(why: FormError) -> Self {
        let told = why.to_string();
        match why {
            FormError::Missing { .. } => Self::new("no_such_form", told),
            FormError::Exists { .. } => Self::new("form_exists", told),
            FormError::Changed { now, .. } => {
                Self::new("form_changed", format!("{told}; read it again, and ask again with `If-Match: \"{now}\"`"))
            }
            FormError::Removed => Self::new("form_changed", told),
            FormError::OfFile { .. } => Self::new("form_of_file", told),
            FormError::Invalid(problems) => Self::new("org_invalid", told).of_forms(&problems),
            FormError::Org(why) => why.into(),
        }
    }
}

/// The store did not answer one of the engine's other questions.
pub(crate) fn store(why: impl std::fmt::Display) -> Problem {
    Problem::new("store_unavailable", format!("the store does not answer: {why}"))
}

pub(crate) async fn wrong_method() -> Problem {
    Problem::new("method_not_allowed", "this address does not take this method; /api/docs lists what each takes")
}

pub(crate) async fn wrong_address() -> Problem {
    Problem::new("not_found", "there is nothing at this address; /api/docs lists what there is")
}

/// One thing that is wrong with a form.
#[derive(Serialize, ToSchema)]
pub(crate) struct FormFault {
    /// `error` or `warning`.
    weight: &'static str,
    /// The form on which it shows; it may be another than the one that changes.
    kind: &'static str,
    id: String,
    /// Within that form, as in `layers[0].people[1]`.
    key: String,
    message: String,
    hint: Option<String>,
}

impl FormFault {
    pub(crate) fn of(problem: &FormProblem) -> Self {
        Self {
            weight: if problem.is_error() { "error" } else { "warning" },
            kind: problem.kind.word(),
            id: problem.id.clone(),
            key: problem.key.clone(),
            message: problem.message.clone(),
            hint: problem.hint.clone(),
        }
    }
}
