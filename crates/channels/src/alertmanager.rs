//! The way in for Prometheus and everything that speaks to an Alertmanager: kind `alertmanager`.
//!
//! Takes the array of alerts of `POST /api/v2/alerts` (Prometheus, vmalert, Loki's and Mimir's
//! rulers, `amtool`) and also the object that Alertmanager's own webhook receiver posts. Rules
//! are those of Alertmanager's API v2: what is valid is kept, what is not is named, and the
//! answer is 400 all the same.
//!
//! The difference between the two shapes is a promise: a ruler re-sends a firing alert, so that
//! it lapses when it stops; a webhook does not, so that its alerts last until resolved.
//!
//! It deliberately does not group, route or silence: that is triage.

use std::borrow::Cow;
use std::fmt;

use allclear_domain::time::{Length, after};
use allclear_domain::wire::{Answer, Inbound, InboundContext, InboundRefusal, Labels, Parsed, SenderSeverity, Signal, SignalAction};
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::json;

use crate::text;

/// How long a firing alert without `endsAt` lasts unless it is sent again: Alertmanager's default
/// `resolve_timeout`.
pub const RESOLVE_TIMEOUT: Length = Length::from_mins(5);
/// 0002-01-01T00:00:00Z. Go writes its zero time as year 1, and `amtool` sends that for "unset".
const YEAR_TWO_S: i64 = -62_104_060_800;
/// Most reasons named in one answer; ten thousand bad alerts need not make a book.
const REASONS_MAX: usize = 50;

/// The format.
#[derive(Debug)]
pub struct Alertmanager;

/// One alert as sent. Times are texts, so that one bad time refuses one alert, not the batch.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireAlert<'a> {
    #[serde(default)]
    labels: LabelSet,
    #[serde(default)]
    annotations: LabelSet,
    #[serde(borrow, default)]
    starts_at: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    ends_at: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "generatorURL")]
    generator_url: Option<Cow<'a, str>>,
    /// Only the webhook's alerts say it.
    #[serde(borrow, default)]
    status: Option<Cow<'a, str>>,
}

/// What Alertmanager's webhook receiver posts, as far as it is used.
#[derive(Deserialize)]
struct WireWebhook<'a> {
    #[serde(borrow)]
    alerts: Vec<WireAlert<'a>>,
}

/// Names and values, cleaned, without empty values; `null` is empty. Of a name given twice the
/// last counts, as in Go's decoder.
#[derive(Default)]
struct LabelSet(Labels);

impl<'de> Deserialize<'de> for LabelSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = LabelSet;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of texts")
            }
            fn visit_unit<E>(self) -> Result<LabelSet, E> {
                Ok(LabelSet::default())
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<LabelSet, A::Error> {
                let mut labels = Labels::new();
                while let Some((name, value)) = map.next_entry::<String, String>()? {
                    let (name, value) = (text::cleaned(name), text::cleaned(value));
                    if value.is_empty() {
                        labels.remove(&name);
                    } else {
                        labels.insert(name, value);
                    }
                }
                Ok(LabelSet(labels))
            }
        }
        deserializer.deserialize_any(Pairs)
    }
}

/// Alertmanager's identity of a label set: FNV-1a (64 bit) over `name FF value FF` in the order
/// of the names, as 16 hexadecimal digits.
#[must_use]
pub fn fingerprint(labels: &Labels) -> String {
    /// Offset basis and prime of FNV-1a, 64 bit (Fowler, Noll, Vo).
    const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let mut hash = BASIS;
    let mut eat = |bytes: &[u8]| {
        for byte in bytes.iter().chain(&[0xff]) {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(PRIME);
        }
    };
    for (name, value) in labels {
        eat(name.as_bytes());
        eat(value.as_bytes());
    }
    format!("{hash:016x}")
}

/// An instant, where year 1, the empty text and absence mean unset.
fn set_instant(text: Option<&str>, field: &str) -> Result<Option<Timestamp>, String> {
    let Some(text) = text.filter(|t| !t.is_empty()) else { return Ok(None) };
    let at = text::instant(text).ok_or_else(|| format!("{field} `{}` is not an RFC 3339 time", text::cut(text, 64)))?;
    Ok((at.as_second() >= YEAR_TWO_S).then_some(at))
}

fn title_of(labels: &Labels, annotations: &Labels) -> String {
    let first_line = |name: &str| {
        let line = annotations.get(name)?.trim().lines().next()?;
        Some(text::title(line)).filter(|t| !t.is_empty())
    };
    if let Some(said) = annotations.get("summary").map(|s| text::title(s)).filter(|t| !t.is_empty()) {
        return said;
    }
    if let Some(said) = first_line("title").or_else(|| first_line("description")) {
        return said;
    }
    let name = labels
        .get("alertname")
        .map_or_else(|| labels.first_key_value().map(|(name, value)| format!("{name}={value}")).unwrap_or_default(), Clone::clone);
    match labels.get("instance") {
        Some(instance) if labels.contains_key("alertname") => text::title(&format!("{name} on {instance}")),
        _ => text::title(&name),
    }
}

/// Keeps what is shown within its limits: annotations are cut, never a reason to refuse.
fn trimmed_annotations(annotations: Labels) -> Labels {
    annotations
        .into_iter()
        .filter(|(name, _)| !name.is_empty() && name.len() <= text::LABEL_NAME_BYTES_MAX)
        .take(text::LABELS_MAX)
        .map(|(name, value)| {
            let end = text::cut(&value, text::DESCRIPTION_CHARS_MAX).len();
            let mut value = value;
            value.truncate(end);
            (name, value)
        })
        .collect()
}

fn signal_of(alert: WireAlert<'_>, from_webhook: bool, now: Timestamp) -> Result<Signal, String> {
    let LabelSet(labels) = alert.labels;
    if labels.is_empty() {
        return Err("at least one label pair required".to_owned());
    }
    text::check_label_count(labels.len())?;
    for (name, value) in &labels {
        text::check_label(name, value)?;
    }
    let stated_end = set_instant(alert.ends_at.as_deref(), "endsAt")?;
    let stated_start = set_instant(alert.starts_at.as_deref(), "startsAt")?;
    let starts_at = stated_start.or(stated_end).unwrap_or(now);
    if stated_end.is_some_and(|end| end < starts_at) {
        return Err("start time must be before end time".to_owned());
    }
    let resolved = if from_webhook {
        alert.status.as_deref() == Some("resolved") || stated_end.is_some_and(|end| end <= now)
    } else {
        stated_end.is_some_and(|end| end <= now)
    };
    let ends_at = match stated_end {
        None if from_webhook => None,
        None => Some(after(now, RESOLVE_TIMEOUT)),
        stated => stated,
    };
    let annotations = trimmed_annotations(alert.annotations.0);
    let mut links = Vec::new();
    links.extend(annotations.get("runbook_url").and_then(|href| text::link(href, "Runbook")));
    links.extend(alert.generator_url.as_deref().and_then(|href| text::link(href, "Source")));
    Ok(Signal {
        action: if resolved { SignalAction::Resolve } else { SignalAction::Trigger },
        dedup_key: fingerprint(&labels),
        title: title_of(&labels, &annotations),
        description: annotations.get("description").or_else(|| annotations.get("message")).and_then(|d| text::description(d)),
        source: labels.get("instance").cloned(),
        service: None,
        severity: labels.get("severity").and_then(|word| SenderSeverity::from_word(word)),
        labels,
        annotations,
        starts_at: Some(starts_at),
        ends_at,
        links,
    })
}

impl Inbound for Alertmanager {
    fn kind(&self) -> &'static str {
        "alertmanager"
    }

    fn parse(&self, body: &[u8], context: InboundContext<'_>) -> Result<Parsed, InboundRefusal> {
        let body = text::without_bom(body);
        let from_webhook = body.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'{');
        let read = if from_webhook {
            serde_json::from_slice::<WireWebhook<'_>>(body).map(|webhook| webhook.alerts)
        } else {
            serde_json::from_slice::<Vec<WireAlert<'_>>>(body)
        };
        let alerts = read.map_err(|error| InboundRefusal::Malformed(format!("parsing alerts body failed: {error}")))?;
        if alerts.len() > text::ALERTS_MAX {
            return Err(InboundRefusal::Malformed(format!("{} alerts in one request; send at most {}", alerts.len(), text::ALERTS_MAX)));
        }
        let mut parsed = Parsed { signals: Vec::with_capacity(alerts.len()), refused: Vec::new() };
        for alert in alerts {
            match signal_of(alert, from_webhook, context.now) {
                Ok(signal) => parsed.signals.push(signal),
                Err(why) => parsed.refused.push(why),
            }
        }
        Ok(parsed)
    }

    fn accepted(&self, parsed: &Parsed) -> Answer {
        if parsed.refused.is_empty() {
            // Exactly 200: amtool takes 202 and 204 for errors.
            return Answer { status: 200, body: String::new() };
        }
        let mut reasons = parsed.refused.iter().take(REASONS_MAX).map(String::as_str).collect::<Vec<_>>().join("; ");
        if parsed.refused.len() > REASONS_MAX {
            reasons.push_str(&format!("; and {} more", parsed.refused.len() - REASONS_MAX));
        }
        Answer { status: 400, body: json!(reasons).to_string() }
    }

    fn refused(&self, refusal: &InboundRefusal) -> Answer {
        Answer { status: 400, body: json!({"code": 400, "message": refusal.to_string()}).to_string() }
    }
}

#[cfg(test)]
#[path = "alertmanager_tests.rs"]
mod tests;
