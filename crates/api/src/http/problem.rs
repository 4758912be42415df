//! Errors of the control API as RFC 9457 writes them, and every code there is.
//!
//! A code is stable and has a page, which is built in and served under its `type`. The table is
//! made by a macro that includes the page, so that a code without one does not compile.

use allclear_domain::access::Denied;
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

macro_rules! codes {
    ($($code:ident $status:literal $title:literal;)+) => {
        /// Every code, by subject.
        pub static CODES: &[Code] = &[$(Code {
            code: stringify!($code),
            status: $status,
            title: $title,
            page: include_str!(concat!("../../../../docs/errors/", stringify!($code), ".md")),
        }),+];
    };
}

codes! {
    unauthorized 401 "A good token is needed";
    forbidden 403 "The token may not do this";
    cross_site 403 "Another site asked with your session";
    bad_request 400 "The request cannot be read";
    bad_cursor 400 "The cursor is none of ours";
    not_found 404 "There is nothing at this address";
    method_not_allowed 405 "This address does not take this method";
    body_too_large 413 "The body is too large";
    unsupported_media_type 415 "The body is in a form that is not read here";
    no_such_incident 404 "There is no such incident";
    no_such_alert 404 "There is no such alert";
    no_such_page 404 "There is no such page";
    no_such_signal 404 "There is no such signal";
    no_such_token 404 "There is no such token";
    no_such_person 404 "There is no such person";
    no_such_schedule 404 "There is no such schedule";
    no_such_override 404 "There is no such override";
    no_such_service 404 "There is no such service";
    no_such_escalation 404 "There is no such escalation policy";
    no_such_integration 404 "There is no such integration";
    no_such_command 404 "There is no such command";
    no_such_form 404 "There is no such form";
    no_such_format 404 "There is no such format";
    unknown_key 401 "The integration key is unknown";
    wrong_kind 401 "The integration key is for another format";
    unsigned 401 "The request is not signed with the integration's secret";
    nobody_to_escalate_to 409 "No escalation policy is set";
    already_declared 409 "The incident is declared already";
    not_declared 409 "The incident is a candidate";
    already_resolved 409 "The incident is resolved";
    already_closed 409 "The incident is closed";
    already_cancelled 409 "The incident was cancelled";
    already_merged 409 "The incident was merged";
    not_resolved 409 "The incident is not resolved yet";
    already_mitigated 409 "The incident is mitigated already";
    group_has_another 409 "Its group has another open incident";
    private_to_audiences 409 "A private incident is told to no audience";
    merge_into_itself 409 "An incident cannot be merged into itself";
    page_unknown 404 "There is no such page";
    page_already_started 409 "The page runs already";
    page_over 409 "The page is over";
    no_such_role 404 "There is no such role";
    no_such_audience 404 "There is no such audience";
    nobody_named 409 "Nobody would be paged";
    alert_ended 409 "The alert has ended";
    alert_has_incident 409 "The alert belongs to another open incident";
    cannot_see 409 "Whoever it is given to may not see the incident";
    no_such_review 404 "There is no such review";
    no_such_action 404 "There is no such action";
    holds_it_already 409 "They hold the role already";
    not_acknowledged 409 "Nobody has the incident";
    not_the_holder 409 "Somebody else has the incident";
    snooze_too_short 422 "The time is too soon";
    snooze_too_long 422 "The time is too far ahead";
    nobody_holds_it 409 "Nobody holds the role";
    no_such_task 404 "There is no such task";
    task_ended 409 "The task has ended";
    too_many_tasks 409 "The incident has too many tasks";
    in_the_future 422 "The instant is still to come";
    in_the_past 422 "The time has passed";
    has_a_review 409 "The incident has a review already";
    action_over 409 "The action is over";
    words_missing 422 "Words are missing";
    too_long 422 "A text is too long";
    invalid 422 "The request does not make sense";
    person_needed 422 "A person has to be named";
    idempotency_key_reused 422 "The idempotency key was used for another request";
    version_mismatch 412 "It has changed meanwhile";
    org_invalid 422 "The organisation has errors";
    form_exists 412 "There is such a form already";
    form_changed 412 "The form has changed meanwhile";
    form_of_file 409 "A file owns the form";
    org_conflict 409 "The organisation was changed at the same time";
    silence_limit 400 "The silence is larger than the limits";
    too_many_alerts 503 "Too many alerts are open";
    store_unavailable 503 "The store does not answer";
    link_unknown 404 "This link does not work";
    link_expired 410 "This link has expired";
    link_person_gone 410 "This link does not work any more";
    no_such_channel 404 "Nothing is heard back over this channel";
    reply_unknown 401 "The reply is of no message that its sender got";
    reply_expired 410 "The message is too old to be answered";
    reply_not_understood 422 "The answer is not understood";
    not_waiting_for_you 409 "This cannot be passed on";
    internal 500 "Something failed inside";
}

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
}

impl Problem {
    /// With the words for this occurrence.
    #[must_use]
    pub fn new(code: &str, detail: impl Into<String>) -> Self {
        let found = find(code);
        debug_assert!(found.is_some(), "the code `{code}` is in the table");
        let code = found.unwrap_or(&CODES[CODES.len() - 1]);
        Self { code, detail: detail.into(), errors: Vec::new() }
    }

    /// The same with a list of what is wrong.
    #[must_use]
    pub fn with(mut self, errors: Vec<Value>) -> Self {
        self.errors = errors;
        self
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
            503 => drop(headers.insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_S))),
            _ => {}
        }
        response
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self::new(refusal.code(), refusal.to_string())
    }
}

impl From<NoAnswer> for Problem {
    fn from(why: NoAnswer) -> Self {
        let code = match &why {
            NoAnswer::Store(_) => "store_unavailable".to_owned(),
            NoAnswer::Missing(what) => format!("no_such_{what}"),
            NoAnswer::Denied(_) => "forbidden".to_owned(),
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
        Self::new("forbidden", no.to_string())
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
            FormError::Invalid(problems) => {
                Self::new("org_invalid", told).with(problems.iter().map(|problem| json!(FormFault::of(problem))).collect())
            }
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
