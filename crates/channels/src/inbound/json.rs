//! Our own plain format, for scripts and for tools that can post JSON of any shape: kind `json`.
//!
//! `{title*, status, dedup_key, severity, description, source, service, links[], labels{},
//! starts_at}`, or an array of them. `status` is `firing` (also when absent), `acknowledged` or
//! `resolved`. Without `dedup_key` the name is made from title, source and service, so that a
//! resolve with the same three finds its alert. With a `dedup_key`, acknowledging and resolving
//! need no title.
//!
//! What cannot be read as it should be is left out, cut or kept as text, and named, not refused: an
//! alarm outweighs a typing mistake in its trimmings. Unknown fields are ignored.

use std::cell::OnceCell;

use allclear_domain::hex::hex;
use allclear_domain::wire::{
    Answer, Inbound, InboundContext, InboundRefusal, Labels, Parsed, RefusedElement, SenderSeverity, SetUp, Signal, SignalAction,
};
use jiff::Timestamp;
use serde_json::json;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::inbound::lenient;
use crate::inbound::lenient::{Element, Elements, Loose, Pairs, lenient_object};
use crate::inbound::text;
use crate::inbound::text::Notes;

/// The format.
#[derive(Debug)]
pub struct Json;

#[derive(Default)]
struct WireAlert<'a> {
    title: Loose<'a>,
    status: Loose<'a>,
    dedup_key: Loose<'a>,
    severity: Loose<'a>,
    description: Loose<'a>,
    source: Loose<'a>,
    service: Loose<'a>,
    links: Option<&'a RawValue>,
    labels: Pairs<'a>,
    starts_at: Loose<'a>,
}

lenient_object!(WireAlert {
    title: "title",
    status: "status",
    dedup_key: "dedup_key",
    severity: "severity",
    description: "description",
    source: "source",
    service: "service",
    links: "links",
    labels: "labels",
    starts_at: "starts_at",
});

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
    format!("auto-{}", hex(&digest[..16]))
}

fn labels_of(pairs: &Pairs<'_>, notes: &mut Notes) -> Labels {
    let mut labels = Labels::new();
    if let Some(wrong) = pairs.wrong {
        notes.add(format!("labels is {wrong} and was left out"));
    }
    for (name, value) in &pairs.list {
        text::read_label(&mut labels, name, value, notes);
    }
    labels
}

/// What a condition is called in one line: its title, or what else names it.
fn title_of<'a>(alert: &'a WireAlert<'_>, key: Option<&'a str>, action: SignalAction, notes: &mut Notes) -> Result<&'a str, String> {
    let usable = |text: &&str| !text::title(text).is_empty();
    if let Some(title) = alert.title.filled().filter(usable) {
        return Ok(title);
    }
    if action != SignalAction::Trigger
        && let Some(key) = key
    {
        return Ok(key);
    }
    let instead = alert.description.filled().and_then(|text| text.lines().next()).or(key).filter(usable);
    match (instead, alert.title.wrong) {
        (Some(instead), wrong) => {
            notes.add(format!("title is {}: something else stands for it", wrong.unwrap_or("missing or empty")));
            Ok(instead)
        }
        (None, Some(wrong)) if wrong != "null" => Err(format!("title is {wrong}, not a text")),
        (None, _) => Err("title is missing or empty".to_owned()),
    }
}

fn signal_of(alert: &WireAlert<'_>, now: Timestamp) -> Result<Signal, String> {
    let mut notes = Notes::default();
    if let Some(wrong) = alert.status.wrong.filter(|wrong| *wrong != "null") {
        notes.add(format!("status is {wrong}, so that it counts as firing"));
    }
    let status = alert.status.filled().unwrap_or("firing");
    let action = match status.to_ascii_lowercase().as_str() {
        "firing" => SignalAction::Trigger,
        "acknowledged" => SignalAction::Acknowledge,
        "resolved" => SignalAction::Resolve,
        _ => return Err(format!("status `{}` is unknown; use firing, acknowledged or resolved", text::cut(status, 64))),
    };
    let key = text::said_key(&alert.dedup_key, text::DEDUP_KEY_BYTES_MAX, &mut notes);
    let said_title = title_of(alert, key.as_deref(), action, &mut notes)?;
    let described = text::described(&alert.description.text, "description", &mut notes);
    text::note_wrong(&alert.description, "description", &mut notes);
    let (title, description) = text::title_and_rest(said_title, described, &mut notes);
    let one_line = |said: &Loose<'_>, field: &str, notes: &mut Notes| {
        text::note_wrong(said, field, notes);
        Some(text::title(&said.text)).filter(|text| !text.is_empty())
    };
    let source = one_line(&alert.source, "source", &mut notes);
    let service = one_line(&alert.service, "service", &mut notes);
    let dedup_key = key.unwrap_or_else(|| derived_key(&title, source.as_deref(), service.as_deref()));
    let severity = alert.severity.filled().and_then(SenderSeverity::from_word);
    if severity.is_none() && !alert.severity.text.trim().is_empty() {
        notes.add(format!("severity `{}` is unknown, and was left out", text::clean(text::cut(&alert.severity.text, 64))));
    }
    let labels = text::fitted_labels(labels_of(&alert.labels, &mut notes), &mut notes);
    let mut annotations = Labels::new();
    let (links, bad) = alert.links.map(lenient::links).unwrap_or_default();
    text::keep_bad_links(bad, &mut annotations, &mut notes);
    Ok(Signal {
        action,
        dedup_key,
        title,
        description,
        source,
        service,
        severity,
        labels,
        annotations,
        starts_at: text::near_instant(&alert.starts_at, "starts_at", now, &mut notes),
        ends_at: None,
        links,
        notes: notes.into_list(),
    })
}

impl Inbound for Json {
    fn kind(&self) -> &'static str {
        "json"
    }

    fn set_up(&self) -> SetUp {
        SetUp {
            kind: self.kind(),
            address: "{base}/in/json/{key}",
            says: "Anything that can post JSON: a script, a job, a tool with a webhook. This raises an alarm; the same with \"status\": \"resolved\" \
                   ends it.",
            snippet: r#"curl -sS {base}/in/json/{key} -H 'content-type: application/json' \
  -d '{"title": "Backup of db1 failed", "severity": "error", "source": "db1"}'"#,
        }
    }

    fn body_bytes_max(&self) -> usize {
        text::BATCH_BYTES_MAX
    }

    fn parse(&self, body: &[u8], context: InboundContext<'_>) -> Result<Parsed, InboundRefusal> {
        let body = text::without_bom(body);
        let is_list = body.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'[');
        let mended = OnceCell::new();
        let read = if is_list {
            lenient::read::<Elements<WireAlert<'_>>>(body, &mended).map(|alerts| (alerts.count, alerts.list))
        } else {
            lenient::read::<Element<WireAlert<'_>>>(body, &mended).map(|alert| (1, vec![alert]))
        };
        let (count, alerts) =
            read.map_err(|error| InboundRefusal::Malformed(format!("the body is not a JSON alert or a list of them: {error}")))?;
        if count == 0 {
            return Err(InboundRefusal::Invalid(vec!["the list has no alert".to_owned()]));
        }
        text::check_count(count)?;
        let mut parsed = Parsed { signals: Vec::with_capacity(alerts.len()), ..Parsed::default() };
        for (at, alert) in alerts.iter().enumerate() {
            let at = is_list.then_some(at);
            let read = match alert {
                Element::Read(alert) => signal_of(alert, context.now),
                Element::Wrong(what) if !is_list => {
                    return Err(InboundRefusal::Malformed(format!("the body is not a JSON alert or a list of them: it is {what}")));
                }
                Element::Wrong(what) => Err(format!("{what} is no alert")),
            };
            match read {
                Ok(signal) => text::keep(&mut parsed, at, signal),
                Err(why) => parsed.refused.push(RefusedElement { at, why }),
            }
        }
        if parsed.signals.is_empty() {
            return Err(InboundRefusal::Invalid(text::first_reasons(&parsed.refused)));
        }
        text::name_mended(&mut parsed, mended.get());
        Ok(parsed)
    }

    fn accepted(&self, parsed: &Parsed) -> Answer {
        let keys: Vec<&str> = parsed.signals.iter().map(|signal| signal.dedup_key.as_str()).collect();
        let mut body = json!({"status": "accepted", "dedup_keys": keys});
        if !parsed.refused.is_empty() {
            body["refused"] = json!(text::first_reasons(&parsed.refused));
        }
        if !parsed.notes.is_empty() {
            body["notes"] = json!(parsed.notes);
        }
        Answer { status: 202, body: body.to_string() }
    }

    fn refused(&self, status: u16, sentences: &[String]) -> Answer {
        Answer { status, body: json!({"status": "refused", "errors": sentences}).to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-21T03:00:00Z".parse().unwrap()
    }

    fn parse(body: &str) -> Result<Parsed, InboundRefusal> {
        Json.parse(body.as_bytes(), InboundContext { now: now(), fresh_key: "unused", instance: None })
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
        assert!(parsed.refused[0].to_string().starts_with("alert 2: title"));
        assert!(Json.accepted(&parsed).body.contains("refused"));
        for body in ["{}", "[]", "[{}]", r#"{"title":{}}"#, "[7]"] {
            assert!(matches!(parse(body), Err(InboundRefusal::Invalid(_))), "{body}");
        }
        for body in ["", "1", "{", "null"] {
            assert!(matches!(parse(body), Err(InboundRefusal::Malformed(_))), "{body}");
        }
    }

    #[test]
    fn a_trifle_is_named_and_loses_nothing() {
        for (body, note) in [
            (r#"{"title":"x","labels":{"a":["b"]}}"#, "the value of `a` is a list and was kept as text"),
            (r#"{"title":"x","labels":{"a":null}}"#, "the value of `a` is null and was left out"),
            (r#"{"title":"x","labels":7}"#, "labels is a number and was left out"),
            (r#"{"title":"x","description":{"a":1}}"#, "description is an object and was kept as text"),
            (r#"{"title":"x","source":["h"]}"#, "source is a list and was kept as text"),
            (r#"{"title":"x","severity":"terrible"}"#, "severity `terrible` is unknown, and was left out"),
            (r#"{"title":"x","status":[]}"#, "status is a list, so that it counts as firing"),
            (r#"{"title":"x","starts_at":"9999-12-31T23:59:59Z"}"#, "and was left out"),
            (r#"{"title":null,"description":"Disk full\nMore"}"#, "title is null: something else stands for it"),
            (r#"{"title":"x","links":["www.example.org/rb"]}"#, "`www.example.org/rb` is no address of the web, and is shown as text"),
            (r#"{"title":"x\ud800"}"#, "half of a character (a lone surrogate) was replaced"),
            (r#"{"title":"x","title":"y","labels":{"v":NaN}}"#, "a value that is no number (NaN, Infinity) was read as null"),
        ] {
            let parsed = parse(body).unwrap();
            let [signal] = parsed.signals.as_slice() else { panic!("{body}: {parsed:?}") };
            assert!(signal.notes.iter().any(|said| said.contains(note)), "{body}: {:?}", signal.notes);
            assert_eq!(parsed.notes.len(), signal.notes.len(), "{body}: {parsed:?}");
            assert!(Json.accepted(&parsed).body.contains("\"notes\":["), "{body}");
        }
        let long = format!(r#"{{"title":"{}","dedup_key":"{}"}}"#, "t".repeat(1500), "k".repeat(513));
        let signal = parse(&long).unwrap().signals.remove(0);
        assert_eq!((signal.title.len(), signal.dedup_key.len(), signal.notes.len()), (1024, 512, 2));
        assert_eq!(signal.description.map(|d| d.len()), Some(1500), "what was cut off the title is not lost");
        let stray = Json.parse(b"{\"title\":\"a\xff\"}", InboundContext { now: now(), fresh_key: "", instance: None }).unwrap();
        assert_eq!((stray.signals[0].title.as_str(), stray.notes.len()), ("a\u{fffd}", 1));
    }
}
