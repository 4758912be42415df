//! The organisation as code: read, check, compare, apply.

use allclear_channels::registry;
use allclear_domain::org::check::{self as rules, Against, Spoken};
use allclear_domain::org::diff::{self, ChangeKind};
use allclear_domain::org::export::masked;
use allclear_domain::org::handover::{self, Handover};
use allclear_domain::org::problem::Weight;
use allclear_domain::org::snapshot::Org;
use allclear_engine::org::MadeSecret;
use allclear_engine::org::file;
use allclear_engine::org::file::{FileProblem, Format, Loaded};
use axum::Json;
use axum::extract::State;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use crate::Api;
use crate::http::caller::{Admin, Who};
use crate::http::extract::{Q, Raw};
use crate::http::problem::Problem;

/// Longest name of a file, in characters; it is only shown.
const FILE_NAME_CHARS_MAX: usize = 200;

/// The organisation, secrets masked: YAML, or JSON where `Accept` asks for it.
#[utoipa::path(get, path = "/api/v1/org", operation_id = "show_organisation", tag = "organisation",
    responses((status = 200, content((Value = "application/yaml"), (Value = "application/json"))),
        (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn show(State(api): State<Api>, who: Who<Admin>, headers: HeaderMap) -> Result<Response, Problem> {
    let org = api.engine.queries(&who.0).whole_organisation()?;
    let wants_json = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).is_some_and(|value| value.contains("json"));
    if wants_json {
        return Ok(Json(masked(org.bundle(), org.channels())).into_response());
    }
    let text = file::to_yaml(org.bundle(), org.channels())
        .map_err(|why| Problem::new("internal", format!("the organisation cannot be written as YAML: {why}")))?;
    let mut response = text.into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/yaml"));
    Ok(response)
}

/// One thing that is wrong with a file.
#[derive(Serialize, ToSchema)]
pub(crate) struct OrgProblem {
    /// `error` or `warning`.
    weight: &'static str,
    file: Option<String>,
    line: Option<u32>,
    key: String,
    message: String,
    hint: Option<String>,
}

fn told(problem: &FileProblem) -> OrgProblem {
    OrgProblem {
        weight: if problem.weight == Weight::Error { "error" } else { "warning" },
        file: problem.file.clone(),
        line: problem.line,
        key: problem.key.clone(),
        message: problem.message.clone(),
        hint: problem.hint.clone(),
    }
}

/// One form that changes.
#[derive(Serialize, ToSchema)]
pub(crate) struct OrgChange {
    kind: &'static str,
    id: String,
    /// `add`, `change`, `remove`, or `kept_without_prune`.
    action: &'static str,
    /// Which outermost keys change.
    fields: Vec<String>,
}

fn change(change: diff::Change) -> OrgChange {
    let (action, fields) = match change.action {
        ChangeKind::Add => ("add", Vec::new()),
        ChangeKind::Change { fields } => ("change", fields),
        ChangeKind::Remove => ("remove", Vec::new()),
        ChangeKind::KeptWithoutPrune => ("kept_without_prune", Vec::new()),
    };
    OrgChange { kind: change.kind.word(), id: change.id, action, fields }
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct OrgQuery {
    /// `true`: forms that a file owns and that this one does not name are removed.
    #[serde(default)]
    prune: bool,
    /// The file's name, to be shown with what is wrong.
    file: Option<String>,
}

/// A text and what is wrong with it; nothing is loaded where it cannot even be read.
struct Judged {
    loaded: Option<Loaded>,
    found: Vec<FileProblem>,
}

impl Judged {
    fn errors(&self) -> usize {
        self.found.iter().filter(|problem| problem.weight == Weight::Error).count()
    }
}

/// The text as posted, read and judged against what is stored.
fn judged(api: &Api, headers: &HeaderMap, query: &OrgQuery, body: &[u8]) -> Result<Judged, Problem> {
    let said = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default().to_ascii_lowercase();
    let by_name = query.file.as_deref().and_then(|name| Format::of(std::path::Path::new(name)));
    let format = match said.split(';').next().unwrap_or_default().trim() {
        "application/json" => Format::Json,
        "application/toml" | "text/toml" | "text/x-toml" => Format::Toml,
        "application/yaml" | "application/x-yaml" | "text/yaml" | "text/x-yaml" => Format::Yaml,
        "" | "text/plain" | "application/octet-stream" => by_name.unwrap_or(Format::Yaml),
        _ => {
            return Err(Problem::new(
                "unsupported_media_type",
                "send a file as `application/yaml`, `application/json` or `application/toml`",
            ));
        }
    };
    let name = query.file.as_deref().map_or("org.yaml".to_owned(), |name| name.chars().take(FILE_NAME_CHARS_MAX).collect());
    // With `prune` an empty body would remove whatever a file owns.
    if body.trim_ascii().is_empty() {
        return Err(Problem::bad("the body is empty: send a file of the organisation; one that has nothing in it is `{}`"));
    }
    let text = std::str::from_utf8(body).map_err(|_| Problem::bad("the body is not UTF-8"))?;
    let loaded = match file::parse(text, format, &name) {
        Ok(loaded) => loaded,
        Err(why) => return Ok(Judged { loaded: None, found: why.problems }),
    };
    let kinds: Vec<_> = registry::kinds().collect();
    let found = loaded.check(api.engine.org().bundle(), query.prune, against(api, &kinds));
    Ok(Judged { loaded: Some(loaded), found })
}

fn against<'a>(api: &Api, kinds: &'a [Spoken]) -> Against<'a> {
    Against { now: api.engine.now(), kinds, channels: api.engine.channels() }
}

/// The same, where errors refuse it. What was so of the whole organisation before is no news of a change: checks and `doctor`
/// say it.
fn usable(api: &Api, headers: &HeaderMap, query: &OrgQuery, body: &[u8]) -> Result<(Loaded, Vec<OrgProblem>), Problem> {
    let mut judged = judged(api, headers, query, body)?;
    let is_of_all = |problem: &FileProblem| problem.weight == Weight::Warning && problem.line.is_none();
    if judged.found.iter().any(is_of_all) {
        let kinds: Vec<_> = registry::kinds().collect();
        let before = rules::check(api.engine.org().bundle(), against(api, &kinds));
        let was_so = |problem: &FileProblem| before.iter().any(|p| p.message == problem.message && p.place.to_string() == problem.key);
        judged.found.retain(|problem| !is_of_all(problem) || !was_so(problem));
    }
    let errors = judged.errors();
    match judged.loaded {
        Some(loaded) if errors == 0 => Ok((loaded, judged.found.iter().map(told).collect())),
        _ => {
            let listed = judged.found.iter().map(|problem| json!(told(problem))).collect();
            Err(Problem::new("org_invalid", format!("the organisation has {errors} errors; nothing was changed")).with(listed))
        }
    }
}

/// What a check found.
#[derive(Serialize, ToSchema)]
pub(crate) struct OrgChecked {
    /// Whether it could be applied.
    valid: bool,
    /// Who would be on call at once where it is somebody else.
    on_call: Vec<OrgHandover>,
    problems: Vec<OrgProblem>,
}

/// Everything wrong with the organisation that would result.
#[utoipa::path(post, path = "/api/v1/org/check", operation_id = "check_organisation", tag = "organisation", params(OrgQuery),
    request_body(content((Value = "application/yaml"), (Value = "application/json"), (String = "application/toml"))),
    responses((status = 200, body = OrgChecked), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn check(
    State(api): State<Api>,
    who: Who<Admin>,
    headers: HeaderMap,
    Q(query): Q<OrgQuery>,
    Raw(body): Raw,
) -> Result<Json<OrgChecked>, Problem> {
    let org = api.engine.queries(&who.0).whole_organisation()?;
    let judged = judged(&api, &headers, &query, &body)?;
    let valid = judged.loaded.is_some() && judged.errors() == 0;
    let on_call = judged.loaded.as_ref().filter(|_| valid).map_or_else(Vec::new, |loaded| handovers(&api, &org, loaded, query.prune));
    Ok(Json(OrgChecked { valid, on_call, problems: judged.found.iter().map(told).collect() }))
}

/// Somebody else is on call in a schedule as soon as it is applied.
#[derive(Serialize, ToSchema)]
pub(crate) struct OrgHandover {
    schedule: String,
    /// A person's id; null where nobody is on call.
    #[schema(required)]
    was: Option<String>,
    #[schema(required)]
    will_be: Option<String>,
}

/// Who is on call now and would not be any more, were it applied at this moment.
fn handovers(api: &Api, org: &Org, loaded: &Loaded, prune: bool) -> Vec<OrgHandover> {
    let after = diff::applied(org.bundle(), &loaded.bundle, prune, org.channels());
    let found = handover::handovers(org, after, api.engine.now());
    found.into_iter().map(|Handover { schedule, was, will_be }| OrgHandover { schedule, was, will_be }).collect()
}

/// What applying would change.
#[derive(Serialize, ToSchema)]
pub(crate) struct OrgDiff {
    changes: Vec<OrgChange>,
    /// Who is on call at once where it is somebody else.
    on_call: Vec<OrgHandover>,
    /// Warnings only.
    problems: Vec<OrgProblem>,
}

/// What applying would change; changes nothing.
#[utoipa::path(post, path = "/api/v1/org/diff", operation_id = "diff_organisation", tag = "organisation", params(OrgQuery),
    request_body(content((Value = "application/yaml"), (Value = "application/json"), (String = "application/toml"))),
    responses((status = 200, body = OrgDiff), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn diff(
    State(api): State<Api>,
    who: Who<Admin>,
    headers: HeaderMap,
    Q(query): Q<OrgQuery>,
    Raw(body): Raw,
) -> Result<Json<OrgDiff>, Problem> {
    let org = api.engine.queries(&who.0).whole_organisation()?;
    let (loaded, problems) = usable(&api, &headers, &query, &body)?;
    let changes = diff::diff(org.bundle(), &loaded.bundle, query.prune, org.channels()).into_iter().map(change).collect();
    let on_call = handovers(&api, &org, &loaded, query.prune);
    Ok(Json(OrgDiff { changes, on_call, problems }))
}

/// A secret that was made because the file leaves it out.
#[derive(Serialize, ToSchema)]
pub(crate) struct OrgSecret {
    /// `integration prom`, `contact ana/hook`.
    of: String,
    /// Shown this once.
    secret: String,
}

impl From<MadeSecret> for OrgSecret {
    fn from(made: MadeSecret) -> Self {
        Self { of: made.of, secret: made.secret }
    }
}

/// What applying changed.
#[derive(Serialize, ToSchema)]
pub(crate) struct OrgApplied {
    version: u64,
    changes: Vec<OrgChange>,
    /// Who is on call since then where it was somebody else.
    on_call: Vec<OrgHandover>,
    made: Vec<OrgSecret>,
    /// Warnings only.
    problems: Vec<OrgProblem>,
}

/// Applies a file; the same file again changes nothing.
#[utoipa::path(post, path = "/api/v1/org/apply", operation_id = "apply_organisation", tag = "organisation", params(OrgQuery),
    request_body(content((Value = "application/yaml"), (Value = "application/json"), (String = "application/toml"))),
    responses((status = 200, body = OrgApplied), (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn apply(
    State(api): State<Api>,
    who: Who<Admin>,
    headers: HeaderMap,
    Q(query): Q<OrgQuery>,
    Raw(body): Raw,
) -> Result<Json<OrgApplied>, Problem> {
    let org = api.engine.queries(&who.0).whole_organisation()?;
    let (loaded, problems) = usable(&api, &headers, &query, &body)?;
    let on_call = handovers(&api, &org, &loaded, query.prune);
    // Its digest is not kept as that of the file given at start, which stays the one compared.
    let done = api.engine.apply_org(loaded.bundle, None, query.prune, &who.0).await?;
    Ok(Json(OrgApplied {
        version: done.version,
        changes: done.changes.into_iter().map(change).collect(),
        on_call,
        made: done.made.into_iter().map(OrgSecret::from).collect(),
        problems,
    }))
}
