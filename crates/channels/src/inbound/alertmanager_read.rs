//! What Alertmanager's clients read and write beside alerts: `/status`, `/alerts`,
//! `/alerts/groups`, `/silences`, `/receivers` of API v2 (amtool, Karma, Grafana's data source).
//!
//! Pure: plain structs in, JSON bodies out, and back for a posted silence and for queries. It
//! deliberately knows nothing of how silences or alerts are kept; who answers fills the structs.

use std::collections::BTreeMap;

use allclear_domain::matcher::{BadMatcher, MATCHERS_LEN_MAX, MATCHERS_MAX, Matcher, Matchers};
use allclear_domain::time::whole_micros;
use allclear_domain::wire::{Answer, Labels};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::inbound::text;

/// Longest comment and author of a silence, in characters.
pub const SILENCE_TEXT_CHARS_MAX: usize = 1024;

/// State of an alert in Alertmanager's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AmAlertState {
    /// Firing, and nothing holds it back.
    Active,
    /// Silenced.
    Suppressed,
    /// Not looked at yet.
    Unprocessed,
}

/// An alert to be shown to Alertmanager's clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AmAlert {
    /// What it is.
    pub labels: Labels,
    /// What is shown with it.
    pub annotations: Labels,
    /// Since when.
    pub starts_at: Timestamp,
    /// Until when, unless sent again.
    pub ends_at: Timestamp,
    /// Last sent.
    pub updated_at: Timestamp,
    /// The sender's link; empty where unknown.
    pub generator_url: String,
    /// [`crate::inbound::alertmanager::fingerprint`] of the labels.
    pub fingerprint: String,
    /// Who is told: the escalation or service, as a receiver's name.
    pub receiver: String,
    /// Its state.
    pub state: AmAlertState,
    /// Ids of the silences that hold it back.
    pub silenced_by: Vec<String>,
}

/// State of a silence in Alertmanager's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AmSilenceState {
    /// Not begun.
    Pending,
    /// In force.
    Active,
    /// Over.
    Expired,
}

impl AmSilenceState {
    /// The state at `now` of a silence with these bounds.
    #[must_use]
    pub fn at(starts_at: Timestamp, ends_at: Timestamp, now: Timestamp) -> Self {
        if now >= ends_at {
            Self::Expired
        } else if now < starts_at {
            Self::Pending
        } else {
            Self::Active
        }
    }
}

/// A silence to be shown.
#[derive(Debug, Clone)]
pub struct AmSilence {
    /// A hyphenated UUID, which is what clients check for.
    pub id: String,
    /// Its state now.
    pub state: AmSilenceState,
    /// Last changed.
    pub updated_at: Timestamp,
    /// Why it was set.
    pub comment: String,
    /// Who set it.
    pub created_by: String,
    /// From when.
    pub starts_at: Timestamp,
    /// Until when.
    pub ends_at: Timestamp,
    /// What it holds back.
    pub matchers: Vec<Matcher>,
}

/// What `/status` tells.
#[derive(Debug, Clone)]
pub struct AmStatus<'a> {
    /// Our version. amtool warns where major and minor differ from its own, and goes on.
    pub version: &'a str,
    /// When the program started.
    pub started_at: Timestamp,
    /// Shown by `amtool config show`; YAML.
    pub config: &'a str,
}

fn rfc3339(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

fn alert_json(alert: &AmAlert) -> serde_json::Value {
    json!({
        "labels": alert.labels,
        "annotations": alert.annotations,
        "startsAt": rfc3339(alert.starts_at),
        "endsAt": rfc3339(alert.ends_at),
        "updatedAt": rfc3339(alert.updated_at),
        "generatorURL": alert.generator_url,
        "fingerprint": alert.fingerprint,
        "receivers": [{"name": alert.receiver}],
        "status": {"state": alert.state, "silencedBy": alert.silenced_by, "inhibitedBy": [], "mutedBy": []},
    })
}

fn silence_json(silence: &AmSilence) -> serde_json::Value {
    let matchers: Vec<_> = silence
        .matchers
        .iter()
        .map(|matcher| {
            let (is_regex, is_equal) = matcher.flags();
            json!({"name": matcher.name, "value": matcher.value(), "isRegex": is_regex, "isEqual": is_equal})
        })
        .collect();
    json!({
        "id": silence.id,
        "status": {"state": silence.state},
        "updatedAt": rfc3339(silence.updated_at),
        "comment": silence.comment,
        "createdBy": silence.created_by,
        "startsAt": rfc3339(silence.starts_at),
        "endsAt": rfc3339(silence.ends_at),
        "matchers": matchers,
        "annotations": {},
    })
}

/// Body of `GET /status`. `cluster.status` is `disabled`: nodes here need no gossip.
#[must_use]
pub fn status_body(status: &AmStatus<'_>) -> String {
    json!({
        "cluster": {"status": "disabled", "peers": []},
        "versionInfo": {
            "version": status.version, "revision": "", "branch": "", "buildUser": "", "buildDate": "", "goVersion": "",
        },
        "config": {"original": status.config},
        "uptime": rfc3339(status.started_at),
    })
    .to_string()
}

/// Body of `GET /alerts`.
#[must_use]
pub fn alerts_body<'a>(alerts: impl IntoIterator<Item = &'a AmAlert>) -> String {
    serde_json::Value::Array(alerts.into_iter().map(alert_json).collect()).to_string()
}

/// Body of `GET /alerts/groups`: by receiver and the values of the labels in `group_by`.
#[must_use]
pub fn groups_body<'a>(alerts: impl IntoIterator<Item = &'a AmAlert>, group_by: &[&str]) -> String {
    let mut groups: BTreeMap<(Labels, &str), Vec<&AmAlert>> = BTreeMap::new();
    for alert in alerts {
        let labels = group_by
            .iter()
            .filter_map(|name| alert.labels.get_key_value(*name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        groups.entry((labels, &alert.receiver)).or_default().push(alert);
    }
    let groups: Vec<_> = groups
        .into_iter()
        .map(|((labels, receiver), members)| {
            json!({
                "labels": labels,
                "receiver": {"name": receiver},
                "routeLabels": {},
                "alerts": members.into_iter().map(alert_json).collect::<Vec<_>>(),
            })
        })
        .collect();
    json!(groups).to_string()
}

/// Body of `GET /silences`.
#[must_use]
pub fn silences_body<'a>(silences: impl IntoIterator<Item = &'a AmSilence>) -> String {
    serde_json::Value::Array(silences.into_iter().map(silence_json).collect()).to_string()
}

/// Body of `GET /silence/{id}`.
#[must_use]
pub fn silence_body(silence: &AmSilence) -> String {
    silence_json(silence).to_string()
}

/// Body of the answer to `POST /silences`.
#[must_use]
pub fn silence_made_body(id: &str) -> String {
    json!({"silenceID": id}).to_string()
}

/// Body of `GET /receivers`.
#[must_use]
pub fn receivers_body(names: &[&str]) -> String {
    json!(names.iter().map(|name| json!({"name": name})).collect::<Vec<_>>()).to_string()
}

/// Why a request of Alertmanager's clients was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AmRefusal {
    /// Not the JSON of the API.
    #[error("{0}")]
    Malformed(String),
    /// Read, but not possible.
    #[error("{0}")]
    Invalid(String),
}

impl AmRefusal {
    /// The answer in the shape that the clients show: an object for what the API's own decoder
    /// refuses, a bare text for what its rules refuse.
    #[must_use]
    pub fn answer(&self) -> Answer {
        let body = match self {
            Self::Malformed(why) => json!({"code": 400, "message": why}),
            Self::Invalid(why) => json!(why),
        };
        Answer { status: 400, body: body.to_string() }
    }
}

/// A silence as posted.
#[derive(Debug, Clone)]
pub struct PostedSilence {
    /// The silence to change; absent for a new one.
    pub id: Option<String>,
    /// What it holds back; at least one.
    pub matchers: Matchers,
    /// From when.
    pub starts_at: Timestamp,
    /// Until when.
    pub ends_at: Timestamp,
    /// Who sets it, as the client says.
    pub created_by: String,
    /// Why.
    pub comment: String,
}

/// Reads the body of `POST /silences`.
///
/// # Errors
/// When it is not JSON of that form, ends before it starts or before `now`, or would match an
/// alert without any label (and so, everything).
pub fn parse_silence(body: &[u8], now: Timestamp) -> Result<PostedSilence, AmRefusal> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct WireMatcher {
        name: String,
        value: String,
        is_regex: bool,
        /// Absent or null: yes.
        #[serde(default)]
        is_equal: Option<bool>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct WireSilence {
        #[serde(default)]
        id: Option<String>,
        matchers: Vec<WireMatcher>,
        starts_at: Timestamp,
        ends_at: Timestamp,
        created_by: String,
        comment: String,
    }
    let wire: WireSilence = serde_json::from_slice(text::without_bom(body))
        .map_err(|error| AmRefusal::Malformed(format!("parsing silence body failed: {error}")))?;
    let invalid = |why: &str| AmRefusal::Invalid(why.to_owned());
    if wire.matchers.is_empty() {
        return Err(invalid("invalid silence: at least one matcher required"));
    }
    if wire.matchers.len() > MATCHERS_MAX {
        return Err(AmRefusal::Invalid(format!("invalid silence: more than {} matchers", MATCHERS_MAX)));
    }
    let mut matchers = Vec::with_capacity(wire.matchers.len());
    for matcher in &wire.matchers {
        let made =
            Matcher::new(&text::clean(&matcher.name), &text::clean(&matcher.value), matcher.is_regex, matcher.is_equal.unwrap_or(true))
                .map_err(|why| AmRefusal::Invalid(format!("invalid silence: {why}")))?;
        matchers.push(made);
    }
    let matchers = Matchers(matchers);
    // It is kept as this text, and has to be the same when it is read again.
    let written = matchers.to_string();
    if written.len() > MATCHERS_LEN_MAX {
        return Err(AmRefusal::Invalid(format!("invalid silence: its matchers are longer than {MATCHERS_LEN_MAX} bytes")));
    }
    if Matchers::parse(&written).map_or(true, |read| read.to_string() != written) {
        return Err(invalid("invalid silence: its matchers cannot be kept as they are"));
    }
    if matchers.0.iter().all(|matcher| matcher.fits("")) {
        return Err(invalid("invalid silence: at least one matcher must not match the empty string"));
    }
    if wire.ends_at <= wire.starts_at {
        return Err(invalid("Failed to create silence: start time must be before end time"));
    }
    if wire.ends_at <= now {
        return Err(invalid("Failed to create silence: end time can't be in the past"));
    }
    Ok(PostedSilence {
        id: wire.id.filter(|id| !id.is_empty()),
        matchers,
        starts_at: whole_micros(wire.starts_at),
        ends_at: whole_micros(wire.ends_at),
        created_by: text::cut(&text::clean(&wire.created_by), SILENCE_TEXT_CHARS_MAX).to_owned(),
        comment: text::cut(&text::clean(&wire.comment), SILENCE_TEXT_CHARS_MAX).to_owned(),
    })
}

/// What a query of `/alerts`, `/alerts/groups` or `/silences` asks for.
#[derive(Debug, Clone)]
pub struct AmQuery {
    /// All must fit; from every `filter=`.
    pub filter: Matchers,
    /// Fits the receiver's name.
    receiver: Option<Matcher>,
    active: bool,
    silenced: bool,
    unprocessed: bool,
    pending: bool,
    expired: bool,
}

impl AmQuery {
    /// Reads decoded query pairs; unknown names are ignored.
    ///
    /// # Errors
    /// When a matcher, an expression or a boolean cannot be read.
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, AmRefusal> {
        let mut query = Self {
            filter: Matchers::default(),
            receiver: None,
            active: true,
            silenced: true,
            unprocessed: true,
            pending: true,
            expired: true,
        };
        for (name, value) in pairs {
            match name {
                "filter" => {
                    query.filter.0.extend(filter(value).map_err(|error| {
                        AmRefusal::Invalid(format!("bad matcher format in filter `{}`: {error}", text::cut(value, 200)))
                    })?);
                }
                "receiver" if !value.is_empty() => {
                    let made = Matcher::new("receiver", value, true, true)
                        .map_err(|why| AmRefusal::Invalid(format!("failed to parse receiver param: {why}")))?;
                    query.receiver = Some(made);
                }
                "active" => query.active = read_bool(name, value)?,
                "silenced" => query.silenced = read_bool(name, value)?,
                "unprocessed" => query.unprocessed = read_bool(name, value)?,
                "pending" => query.pending = read_bool(name, value)?,
                "expired" => query.expired = read_bool(name, value)?,
                // Nothing is ever inhibited or muted by a time interval here, so that hiding
                // those hides nothing.
                _ => {}
            }
        }
        Ok(query)
    }

    /// Whether the alert is asked for.
    #[must_use]
    pub fn wants_alert(&self, alert: &AmAlert) -> bool {
        let by_state = match alert.state {
            AmAlertState::Active => self.active,
            AmAlertState::Suppressed => self.silenced,
            AmAlertState::Unprocessed => self.unprocessed,
        };
        by_state
            && self.receiver.as_ref().is_none_or(|matcher| matcher.fits(&alert.receiver))
            && self.filter.fit(|name| alert.labels.get(name).map_or("", String::as_str))
    }

    /// Whether the silence is asked for; its matchers' names and values stand in for labels, as
    /// in Alertmanager.
    #[must_use]
    pub fn wants_silence(&self, silence: &AmSilence) -> bool {
        let by_state = match silence.state {
            AmSilenceState::Active => self.active,
            AmSilenceState::Pending => self.pending,
            AmSilenceState::Expired => self.expired,
        };
        by_state && self.filter.fit(|name| silence.matchers.iter().find(|m| m.name == name).map_or("", |m| m.value()))
    }
}

/// One `filter=`: a single matcher, as Alertmanager reads it, or a list of them.
fn filter(text: &str) -> Result<Vec<Matcher>, BadMatcher> {
    if text.trim_start().starts_with('{') {
        return Ok(Matchers::parse(text)?.0);
    }
    Matcher::parse(text).map(|one| vec![one]).or_else(|why| Matchers::parse(text).map(|list| list.0).map_err(|_| why))
}

fn read_bool(name: &str, value: &str) -> Result<bool, AmRefusal> {
    match value {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(AmRefusal::Malformed(format!("{name} in query must be of type boolean: `{}`", text::cut(value, 64)))),
    }
}

#[cfg(test)]
#[path = "alertmanager_read_tests.rs"]
mod tests;
