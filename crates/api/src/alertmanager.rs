//! Alertmanager's API v2 as its clients read and write it (amtool, Karma, Grafana): under
//! `/prom/{key}/api/v2` and, with the key in `Authorization`, under `/api/v2`.
//!
//! A client sees the open alerts of its own integration, and the silences that act on them. What
//! it posts as alerts goes to [`crate::intake`].

use allclear_channels::inbound::alertmanager::{Alertmanager, RESOLVE_TIMEOUT};
use allclear_channels::inbound::alertmanager_read as am;
use allclear_channels::inbound::alertmanager_read::{AmAlert, AmAlertState, AmQuery, AmRefusal, AmSilence, AmSilenceState, AmStatus};
use allclear_domain::access::{Actor, Principal, Scope};
use allclear_domain::org::model::{Integration, Silence};
use allclear_domain::org::snapshot::{CompiledSilence, Org};
use allclear_domain::time::after;
use allclear_domain::view::AlertView;
use allclear_domain::wire::{Answer, Inbound as _, Labels};
use allclear_engine::org::OrgError;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequestParts, Path, Query, State};
use axum::http::HeaderValue;
use axum::http::header::RETRY_AFTER;
use axum::http::request::Parts;
use axum::response::Response;
use axum::routing::{delete, get, post};
use serde_json::json;

use crate::Api;
use crate::health;
use crate::http::caller::key_in_headers;
use crate::http::extract::BODY_BYTES_MAX;
use crate::http::problem::{Problem, RETRY_AFTER_S};
use crate::intake::{no_key, reply};

/// The receiver of alerts whose service has no escalation policy.
const RECEIVER_DEFAULT: &str = "allclear";
/// Without `groupBy` of its own to follow, groups are by this label, as in Alertmanager's example.
const GROUP_BY: &[&str] = &["alertname"];

pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .nest("/prom/{key}/api/v2", reads().route("/alerts", get(alerts)))
        .nest("/api/v2", reads().route("/alerts", get(alerts)))
        .route("/prom/{key}/-/healthy", get(health::healthy))
        .route("/prom/{key}/-/ready", get(health::ready))
}

/// What Alertmanager itself says of its version 1, with where ours is.
pub(crate) const OLD_API: &str = "Alertmanager's API v1 was removed in version 0.27: send to the same address with /api/v2/alerts";

/// `/prom/KEY/api/v1/…`
pub(crate) fn is_old(path: &str) -> bool {
    let mut parts = path.split('/').skip(1);
    parts.next() == Some("prom") && parts.nth(1) == Some("api") && parts.next() == Some("v1")
}

/// The answer at an address of version 1.
pub(crate) fn old_api() -> Response {
    say(410, json!({"status": "deprecated", "error": OLD_API}).to_string())
}

fn reads() -> Router<Api> {
    Router::new()
        .route("/status", get(status))
        .route("/alerts/groups", get(groups))
        .route("/receivers", get(receivers))
        .route("/silences", get(silences).merge(post(put_silence).layer(DefaultBodyLimit::max(BODY_BYTES_MAX))))
        .route("/silence/{id}", get(silence).merge(delete(expire_silence)))
}

/// The integration whose key came in the path, or in `Authorization`.
pub(crate) struct Caller {
    form: Integration,
    who: Principal,
}

impl FromRequestParts<Api> for Caller {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let params = Path::<std::collections::HashMap<String, String>>::from_request_parts(parts, api).await;
        let in_path = params.ok().and_then(|Path(mut params)| params.remove("key"));
        let key = in_path.or_else(|| key_in_headers(&parts.headers)).ok_or_else(|| no_key(&Alertmanager))?;
        let org = api.engine.org();
        let form = org
            .integration_by_key(&key)
            .ok_or_else(|| Problem::new("unknown_key", "no integration has this key; `allclear config export` lists the integrations"))?;
        if form.kind != Alertmanager.kind() {
            return Err(Problem::new("wrong_kind", format!("this key is of an integration of the kind `{}`", form.kind)));
        }
        let who = Principal::new(Actor::Integration(form.id.clone()), Scope::Read);
        Ok(Self { form: form.clone(), who })
    }
}

fn say(status: u16, body: String) -> Response {
    reply(Answer { status, body })
}

fn refused(refusal: &AmRefusal) -> Response {
    reply(refusal.answer())
}

fn no_such_silence(id: &str) -> Response {
    say(404, json!(format!("silence {} not found", id.chars().take(64).collect::<String>())).to_string())
}

fn not_kept(why: &OrgError) -> Response {
    if let OrgError::Limit(why) = why {
        return refused(&AmRefusal::Invalid(why.clone()));
    }
    if let OrgError::Denied(no) = why {
        return say(403, json!({"code": 403, "message": no.to_string()}).to_string());
    }
    let mut response = say(503, json!({"code": 503, "message": why.to_string()}).to_string());
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_S));
    response
}

type Pairs = Query<Vec<(String, String)>>;

fn query_of(pairs: &Pairs) -> Result<AmQuery, AmRefusal> {
    AmQuery::from_pairs(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())))
}

async fn status(State(api): State<Api>, _: Caller) -> Response {
    let config = format!("route:\n  receiver: {RECEIVER_DEFAULT}\nreceivers:\n- name: {RECEIVER_DEFAULT}\n");
    say(200, am::status_body(&AmStatus { version: &api.options.version, started_at: api.started_at, config: &config }))
}

/// Who is told of an alert: its service's escalation policy.
fn receiver_of(org: &Org, service: Option<&str>) -> String {
    let policy = service.and_then(|service| org.escalation_of(service));
    policy.map_or_else(|| RECEIVER_DEFAULT.to_owned(), |policy| policy.id.clone())
}

fn am_alert(org: &Org, view: AlertView) -> AmAlert {
    let texts = |name: &str| -> Labels {
        let found = view.detail.get(name).and_then(serde_json::Value::as_object);
        found.into_iter().flatten().filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect()
    };
    let labels = texts("labels");
    let link = view.detail.get("links").and_then(|links| links.get(0)?.get("href")?.as_str()).unwrap_or_default().to_owned();
    AmAlert {
        // Made of all labels, also those that were cut away.
        fingerprint: view.dedup_key.clone(),
        annotations: texts("annotations"),
        labels,
        starts_at: view.starts_at,
        ends_at: view.ends_at.unwrap_or_else(|| after(view.last_seen_at, RESOLVE_TIMEOUT)),
        updated_at: view.last_seen_at,
        generator_url: link,
        receiver: receiver_of(org, view.service.as_deref()),
        state: if view.silenced_by.is_some() { AmAlertState::Suppressed } else { AmAlertState::Active },
        silenced_by: view.silenced_by.into_iter().collect(),
    }
}

async fn open_alerts(api: &Api, caller: &Caller, pairs: &Pairs) -> Result<Vec<AmAlert>, Response> {
    use axum::response::IntoResponse as _;
    let query = query_of(pairs).map_err(|refusal| refused(&refusal))?;
    let found = api.engine.queries(&caller.who).open_alerts(&caller.form.id).await.map_err(|why| Problem::from(why).into_response())?;
    let org = api.engine.org();
    Ok(found.into_iter().map(|view| am_alert(&org, view)).filter(|alert| query.wants_alert(alert)).collect())
}

async fn alerts(State(api): State<Api>, caller: Caller, pairs: Pairs) -> Response {
    match open_alerts(&api, &caller, &pairs).await {
        Ok(found) => say(200, am::alerts_body(&found)),
        Err(response) => response,
    }
}

async fn groups(State(api): State<Api>, caller: Caller, pairs: Pairs) -> Response {
    match open_alerts(&api, &caller, &pairs).await {
        Ok(found) => say(200, am::groups_body(&found, GROUP_BY)),
        Err(response) => response,
    }
}

async fn receivers(State(api): State<Api>, _: Caller) -> Response {
    let org = api.engine.org();
    let mut names: Vec<&str> = vec![RECEIVER_DEFAULT];
    names.extend(org.bundle().escalations.iter().map(|policy| policy.id.as_str()).filter(|id| *id != RECEIVER_DEFAULT));
    say(200, am::receivers_body(&names))
}

/// Whether a silence acts on the alerts of an integration.
fn acts_on(silence: &Silence, integration: &str) -> bool {
    silence.integration.as_deref().is_none_or(|id| id == integration)
}

fn am_silence(api: &Api, compiled: &CompiledSilence) -> AmSilence {
    let form = &compiled.silence;
    AmSilence {
        id: form.id.clone(),
        state: AmSilenceState::at(form.starts_at, form.ends_at, api.engine.now()),
        // When it was changed last stands in its versions, which clients only show.
        updated_at: form.starts_at,
        comment: form.comment.clone(),
        created_by: form.created_by.clone(),
        starts_at: form.starts_at,
        ends_at: form.ends_at,
        matchers: compiled.matchers.0.clone(),
    }
}

fn find<'a>(org: &'a Org, caller: &Caller, id: &str) -> Option<&'a CompiledSilence> {
    org.silences().iter().find(|compiled| compiled.silence.id == id && acts_on(&compiled.silence, &caller.form.id))
}

async fn silences(State(api): State<Api>, caller: Caller, pairs: Pairs) -> Response {
    let query = match query_of(&pairs) {
        Ok(query) => query,
        Err(refusal) => return refused(&refusal),
    };
    let org = api.engine.org();
    let found: Vec<AmSilence> = org
        .silences()
        .iter()
        .filter(|compiled| acts_on(&compiled.silence, &caller.form.id))
        .map(|compiled| am_silence(&api, compiled))
        .filter(|silence| query.wants_silence(silence))
        .collect();
    say(200, am::silences_body(&found))
}

/// The last variable part of the path, under either prefix.
fn last(params: &[(String, String)]) -> &str {
    params.last().map_or("", |(_, value)| value)
}

async fn silence(State(api): State<Api>, caller: Caller, Path(params): Path<Vec<(String, String)>>) -> Response {
    let org = api.engine.org();
    match find(&org, &caller, last(&params)) {
        Some(compiled) => say(200, am::silence_body(&am_silence(&api, compiled))),
        None => no_such_silence(last(&params)),
    }
}

/// A new silence, or a change of one of this integration's own. As in Alertmanager, other matchers,
/// or one that is over, make a new one, and the old one ends with it or holds on.
async fn put_silence(State(api): State<Api>, caller: Caller, body: Bytes) -> Response {
    let now = api.engine.now();
    let posted = match am::parse_silence(&body, now) {
        Ok(posted) => posted,
        Err(refusal) => return refused(&refusal),
    };
    let matches = posted.matchers.to_string();
    let mut silence = Silence {
        id: String::new(),
        matches,
        starts_at: posted.starts_at,
        ends_at: posted.ends_at,
        comment: posted.comment,
        created_by: posted.created_by,
        integration: Some(caller.form.id.clone()),
    };
    let mut instead_of = None;
    if let Some(id) = posted.id {
        let org = api.engine.org();
        let Some(known) = find(&org, &caller, &id) else { return no_such_silence(&id) };
        if let Err(refusal) = own(&known.silence, &caller) {
            return refused(&refusal);
        }
        let over = now >= known.silence.ends_at;
        if !over && known.matchers.to_string() == silence.matches {
            silence.id = id;
        } else if !over {
            instead_of = Some(id);
        }
    }
    let kept = match instead_of {
        Some(old) => api.engine.replace_silence(&old, silence, &caller.who).await,
        None => api.engine.put_silence(silence, &caller.who).await,
    };
    match kept {
        Ok(id) => say(200, am::silence_made_body(&id)),
        Err(why) => not_kept(&why),
    }
}

/// A sender's key changes nothing that holds back the alerts of others.
fn own(silence: &Silence, caller: &Caller) -> Result<(), AmRefusal> {
    if silence.integration.as_deref() == Some(caller.form.id.as_str()) {
        return Ok(());
    }
    Err(AmRefusal::Invalid("this silence belongs to the organisation: change it in the organisation file".to_owned()))
}

async fn end(api: &Api, caller: &Caller, silence: &Silence) -> Result<(), Response> {
    let now = api.engine.now();
    let mut ended = silence.clone();
    ended.ends_at = now;
    // One that has not begun would end before it starts.
    ended.starts_at = ended.starts_at.min(now);
    api.engine.put_silence(ended, &caller.who).await.map(|_| ()).map_err(|why| not_kept(&why))
}

async fn expire_silence(State(api): State<Api>, caller: Caller, Path(params): Path<Vec<(String, String)>>) -> Response {
    let org = api.engine.org();
    let Some(known) = find(&org, &caller, last(&params)) else { return no_such_silence(last(&params)) };
    if let Err(refusal) = own(&known.silence, &caller) {
        return refused(&refusal);
    }
    if api.engine.now() >= known.silence.ends_at {
        return say(500, json!("silence already expired").to_string());
    }
    match end(&api, &caller, &known.silence).await {
        Ok(()) => say(200, String::new()),
        Err(response) => response,
    }
}
