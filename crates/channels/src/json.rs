//! Our own plain format, for scripts and for tools that can post JSON of any shape: kind `json`.
//!
//! `{title*, status, dedup_key, severity, description, source, service, links[], labels{},
//! starts_at}`, or an array of them. `status` is `firing` (also when absent), `acknowledged` or
//! `resolved`. Without `dedup_key` the name is made from title, source and service, so that a
//! resolve with the same three finds its alert. With a `dedup_key`, acknowledging and resolving
//! need no title.
//!
//! A severity or time that cannot be read is left out, not refused: an alarm outweighs a typing
//! mistake in its trimmings. Unknown fields are ignored.

use allclear_domain::wire::{Answer, Inbound, InboundContext, InboundRefusal, Labels, Parsed, SenderSeverity, Signal, SignalAction};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::text::{self, Loose, Members};

/// Most reasons named in one answer.
const REASONS_MAX: usize = 50;

/// The format.
#[derive(Debug)]
pub struct Json;

#[derive(Deserialize)]
struct WireAlert<'a> {
    #[serde(borrow, default)]
    title: Loose<'a>,
    #[serde(borrow, default)]
    status: Loose<'a>,
    #[serde(borrow, default)]
    dedup_key: Loose<'a>,
    #[serde(borrow, default)]
    severity: Loose<'a>,
    #[serde(borrow, default)]
    description: Loose<'a>,
    #[serde(borrow, default)]
    source: Loose<'a>,
    #[serde(borrow, default)]
    service: Loose<'a>,
    #[serde(borrow, default)]
    links: Option<&'a RawValue>,
    #[serde(borrow, default)]
    labels: Option<Members<'a>>,
    #[serde(borrow, default)]
    starts_at: Loose<'a>,
}

/// The name of a condition that came without one.
fn derived_key(title: &str, source: Option<&str>, service: Option<&str>) -> String {
    let mut hash = Sha256::new();
    for part in [title, source.unwrap_or_default(), service.unwrap_or_default()] {
        // The length keeps ("ab", "c") and ("a", "bc") apart.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    // 128 bits: chance collisions are out of reach within one integration.
    let digest = hash.finalize();
    digest.iter().take(16).fold(String::from("auto-"), |out, byte| out + &format!("{byte:02x}"))
}

fn labels_of(members: Option<&Members<'_>>) -> Result<Labels, String> {
    let mut labels = Labels::new();
    for (name, value) in members.map(|m| m.0.as_slice()).unwrap_or_default() {
        let value: Loose<'_> = serde_json::from_str(value.get()).map_err(|_| format!("label `{}` is not a text", text::cut(name, 64)))?;
        text::put_label(&mut labels, name, &value.0)?;
    }
    Ok(labels)
}

fn signal_of(alert: &WireAlert<'_>) -> Result<Signal, String> {
    let status = alert.status.filled().unwrap_or("firing");
    let action = match status.to_ascii_lowercase().as_str() {
        "firing" => SignalAction::Trigger,
        "acknowledged" => SignalAction::Acknowledge,
        "resolved" => SignalAction::Resolve,
        _ => return Err(format!("status `{}` is unknown; use firing, acknowledged or resolved", text::cut(status, 64))),
    };
    let key = alert.dedup_key.filled().map(text::clean).filter(|key| !key.is_empty());
    if key.as_ref().is_some_and(|key| key.len() > text::DEDUP_KEY_BYTES_MAX) {
        return Err(format!("dedup_key is longer than {} bytes", text::DEDUP_KEY_BYTES_MAX));
    }
    let title = alert.title.filled().map(text::title).filter(|title| !title.is_empty());
    let title = match (title, &key) {
        (Some(title), _) => title,
        (None, Some(key)) if action != SignalAction::Trigger => text::title(key),
        (None, _) => return Err("title is missing or empty".to_owned()),
    };
    let source = alert.source.filled().map(text::title);
    let service = alert.service.filled().map(text::title);
    let dedup_key = key.map_or_else(|| derived_key(&title, source.as_deref(), service.as_deref()), std::borrow::Cow::into_owned);
    Ok(Signal {
        action,
        dedup_key,
        title,
        description: text::description(&alert.description.0),
        source,
        service,
        severity: alert.severity.filled().and_then(SenderSeverity::from_word),
        labels: labels_of(alert.labels.as_ref())?,
        annotations: Labels::new(),
        starts_at: text::instant(&alert.starts_at.0),
        ends_at: None,
        links: alert.links.map(text::links).unwrap_or_default(),
    })
}

impl Inbound for Json {
    fn kind(&self) -> &'static str {
        "json"
    }

    fn parse(&self, body: &[u8], _context: InboundContext<'_>) -> Result<Parsed, InboundRefusal> {
        let body = text::without_bom(body);
        let is_list = body.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'[');
        let read = if is_list { serde_json::from_slice(body) } else { serde_json::from_slice(body).map(|alert| vec![alert]) };
        let alerts: Vec<WireAlert<'_>> =
            read.map_err(|error| InboundRefusal::Malformed(format!("the body is not a JSON alert or a list of them: {error}")))?;
        if alerts.is_empty() {
            return Err(InboundRefusal::Invalid(vec!["the list has no alert".to_owned()]));
        }
        if alerts.len() > text::ALERTS_MAX {
            let why = format!("{} alerts in one request; send at most {}", alerts.len(), text::ALERTS_MAX);
            return Err(InboundRefusal::Invalid(vec![why]));
        }
        let mut parsed = Parsed::default();
        for (index, alert) in alerts.iter().enumerate() {
            match signal_of(alert) {
                Ok(signal) => parsed.signals.push(signal),
                Err(why) if is_list => parsed.refused.push(format!("alert {}: {why}", index + 1)),
                Err(why) => parsed.refused.push(why),
            }
        }
        if parsed.signals.is_empty() {
            return Err(InboundRefusal::Invalid(parsed.refused));
        }
        Ok(parsed)
    }

    fn accepted(&self, parsed: &Parsed) -> Answer {
        let keys: Vec<&str> = parsed.signals.iter().map(|signal| signal.dedup_key.as_str()).collect();
        let mut body = json!({"status": "accepted", "dedup_keys": keys});
        if !parsed.refused.is_empty() {
            body["refused"] = json!(parsed.refused.iter().take(REASONS_MAX).collect::<Vec<_>>());
        }
        Answer { status: 202, body: body.to_string() }
    }

    fn refused(&self, refusal: &InboundRefusal) -> Answer {
        let errors = match refusal {
            InboundRefusal::Malformed(why) => std::slice::from_ref(why),
            InboundRefusal::Invalid(errors) => errors.as_slice(),
        };
        let errors = &errors[..errors.len().min(REASONS_MAX)];
        Answer { status: 400, body: json!({"status": "refused", "errors": errors}).to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: &str) -> Result<Parsed, InboundRefusal> {
        Json.parse(body.as_bytes(), InboundContext { now: jiff::Timestamp::UNIX_EPOCH, fresh_key: "unused" })
    }

    #[test]
    fn a_full_alert() {
        let parsed = parse(
            r#"{"title":"Disk full","status":"firing","severity":"Critical","description":"97 %","source":"db1","service":"checkout",
                "labels":{"zone":"a","tries":3,"off":"","on":true},"links":["https://rb.example"],"starts_at":"2026-11-21T03:00:00+0000","new":{}}"#,
        )
        .unwrap();
        let signal = &parsed.signals[0];
        assert_eq!(signal.severity, Some(SenderSeverity::Critical));
        assert_eq!(signal.service.as_deref(), Some("checkout"));
        assert_eq!(signal.labels, Labels::from([("on".into(), "true".into()), ("tries".into(), "3".into()), ("zone".into(), "a".into())]));
        assert_eq!(signal.links.len(), 1);
        assert!(signal.starts_at.is_some());
        let answer = Json.accepted(&parsed);
        assert_eq!((answer.status, answer.body), (202, format!(r#"{{"dedup_keys":["{}"],"status":"accepted"}}"#, signal.dedup_key)));
    }

    #[test]
    fn a_resolve_without_key_finds_its_alert() {
        let key = |body: &str| parse(body).unwrap().signals[0].dedup_key.clone();
        let fired = key(r#"{"title":" Disk full ","source":"db1","description":"97 %"}"#);
        assert_eq!(fired, key(r#"{"title":"Disk full","status":"resolved","source":"db1"}"#));
        assert_ne!(fired, key(r#"{"title":"Disk full","source":"db2"}"#));
        assert_ne!(key(r#"{"title":"x","source":"y"}"#), key(r#"{"title":"x","service":"y"}"#));
        assert_eq!(key(r#"{"status":"resolved","dedup_key":"k"}"#), "k");
    }

    #[test]
    fn a_list_keeps_what_is_valid() {
        let parsed = parse(r#"[{"title":"a"},{"status":"firing"},{"title":"b","status":"gone"}]"#).unwrap();
        assert_eq!((parsed.signals.len(), parsed.refused.len()), (1, 2));
        assert!(parsed.refused[0].starts_with("alert 2: title"));
        assert!(Json.accepted(&parsed).body.contains("refused"));
        for body in ["{}", "[]", "[{}]", r#"{"title":"x","labels":{"a":[]}}"#] {
            assert!(matches!(parse(body), Err(InboundRefusal::Invalid(_))), "{body}");
        }
        for body in ["", "1", r#"{"title":{}}"#, r#"{"title":"x","labels":7}"#] {
            assert!(matches!(parse(body), Err(InboundRefusal::Malformed(_))), "{body}");
        }
        let long = format!(r#"{{"title":"x","dedup_key":"{}"}}"#, "k".repeat(513));
        assert!(parse(&long).unwrap_err().to_string().contains("512 bytes"));
    }
}
