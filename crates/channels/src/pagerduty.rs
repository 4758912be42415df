//! The way in for everything with a PagerDuty output, Events API v2: kind `pagerduty`.
//!
//! One event a request: trigger, acknowledge or resolve, named by `dedup_key`. The labels are
//! `severity, source, component, group, class`; `custom_details` goes into the description, as
//! `name: value` lines for an object (nested values as JSON) or as it is for a text, cut at
//! [`text::DESCRIPTION_CHARS_MAX`]; it never becomes labels, since its names are not stable.
//! Change events share the key and the answers; [`parse_change`] reads them.
//!
//! It deliberately does not check the routing key, which may come in a header: who takes the
//! request looks it up. What would lose a page for a trifle (a bad link, a bad timestamp, a
//! number where a text belongs) is read leniently.

use allclear_domain::wire::{Answer, Inbound, InboundContext, InboundRefusal, Labels, Link, Parsed, SenderSeverity, Signal, SignalAction};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use crate::text::{self, Loose, Members};

/// Longest `dedup_key`, in characters: PagerDuty's limit, which its senders keep to.
pub const DEDUP_KEY_CHARS_MAX: usize = 255;

/// The format.
#[derive(Debug)]
pub struct PagerDuty;

#[derive(Deserialize)]
struct WireEvent<'a> {
    #[serde(borrow, default)]
    event_action: Loose<'a>,
    #[serde(borrow, default)]
    dedup_key: Loose<'a>,
    #[serde(borrow, default)]
    payload: Option<WirePayload<'a>>,
    #[serde(borrow, default)]
    links: Option<&'a RawValue>,
    #[serde(borrow, default)]
    images: Option<&'a RawValue>,
    #[serde(borrow, default)]
    client: Loose<'a>,
    #[serde(borrow, default)]
    client_url: Loose<'a>,
}

#[derive(Deserialize, Default)]
struct WirePayload<'a> {
    #[serde(borrow, default)]
    summary: Loose<'a>,
    #[serde(borrow, default)]
    source: Loose<'a>,
    #[serde(borrow, default)]
    severity: Loose<'a>,
    #[serde(borrow, default)]
    timestamp: Loose<'a>,
    #[serde(borrow, default)]
    component: Loose<'a>,
    #[serde(borrow, default)]
    group: Loose<'a>,
    #[serde(borrow, default)]
    class: Loose<'a>,
    #[serde(borrow, default)]
    custom_details: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct WireKey<'a> {
    #[serde(borrow, default)]
    routing_key: Loose<'a>,
}

/// A change of the sender's systems (a deployment, a flag): shown beside incidents, never paging.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// One line for people.
    pub summary: String,
    /// Where it happened.
    pub source: Option<String>,
    /// When, if the sender says.
    pub at: Option<Timestamp>,
    /// `custom_details`, as text.
    pub description: Option<String>,
    /// Links and images.
    pub links: Vec<Link>,
}

/// Reads the body of `POST /v2/change/enqueue`.
///
/// # Errors
/// When it is not JSON or has no summary.
pub fn parse_change(body: &[u8]) -> Result<Change, InboundRefusal> {
    let event: WireEvent<'_> = read(body)?;
    let links = links_of(&event);
    let payload = event.payload.unwrap_or_default();
    let Some(summary) = payload.summary.filled().map(text::title).filter(|t| !t.is_empty()) else {
        return Err(InboundRefusal::Invalid(vec!["payload.summary is missing or empty".to_owned()]));
    };
    Ok(Change {
        summary,
        source: payload.source.filled().map(text::title),
        at: text::instant(&payload.timestamp.0),
        description: payload.custom_details.and_then(details_as_text),
        links,
    })
}

/// What the sender of a change event expects once it is kept.
#[must_use]
pub fn change_accepted() -> Answer {
    Answer { status: 202, body: json!({"status": "success", "message": "Change event processed"}).to_string() }
}

fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, InboundRefusal> {
    serde_json::from_slice(text::without_bom(body))
        .map_err(|error| InboundRefusal::Malformed(format!("the body is not a JSON event: {error}")))
}

/// `custom_details` as lines for people.
fn details_as_text(raw: &RawValue) -> Option<String> {
    if let Ok(plain) = serde_json::from_str::<Loose<'_>>(raw.get()) {
        return text::description(&plain.0);
    }
    let Ok(Members(members)) = serde_json::from_str::<Members<'_>>(raw.get()) else {
        return text::description(raw.get());
    };
    let mut out = String::new();
    for (name, value) in members {
        let plain = serde_json::from_str::<Loose<'_>>(value.get());
        let value = plain.as_ref().map_or(value.get(), |plain| &plain.0);
        out.push_str(&name);
        out.push_str(if value.contains('\n') { ":\n" } else { ": " });
        out.push_str(value.trim_end());
        out.push('\n');
        if out.len() > text::DESCRIPTION_CHARS_MAX * 4 {
            // Four bytes are the longest character: what follows would be cut anyway.
            break;
        }
    }
    text::description(&out)
}

fn links_of(event: &WireEvent<'_>) -> Vec<Link> {
    let client = event.client.filled().unwrap_or("Monitor");
    let mut links: Vec<Link> = event.links.map(text::links).unwrap_or_default();
    links.extend(event.client_url.filled().and_then(|href| text::link(href, client)));
    links.extend(event.images.map(text::links).unwrap_or_default());
    links.truncate(text::LINKS_MAX);
    links
}

fn labels_of(payload: &WirePayload<'_>, errors: &mut Vec<String>) -> Labels {
    let mut labels = Labels::new();
    for (name, value) in [
        ("severity", &payload.severity),
        ("source", &payload.source),
        ("component", &payload.component),
        ("group", &payload.group),
        ("class", &payload.class),
    ] {
        if let Some(value) = value.filled()
            && let Err(why) = text::put_label(&mut labels, name, value)
        {
            errors.push(format!("payload: {why}"));
        }
    }
    labels
}

fn check_trigger(payload: Option<&WirePayload<'_>>, errors: &mut Vec<String>) {
    let Some(payload) = payload else {
        errors.push("payload is missing; a trigger needs payload.summary, payload.source and payload.severity".to_owned());
        return;
    };
    if payload.summary.filled().is_none_or(|summary| text::title(summary).is_empty()) {
        errors.push("payload.summary is missing or empty".to_owned());
    }
    if payload.source.filled().is_none() {
        errors.push("payload.source is missing or empty".to_owned());
    }
    if severity_of(payload).is_none() {
        errors.push("payload.severity is missing or unknown; use critical, error, warning or info".to_owned());
    }
}

/// Exactly PagerDuty's four words, in any case.
fn severity_of(payload: &WirePayload<'_>) -> Option<SenderSeverity> {
    match payload.severity.filled()?.to_ascii_lowercase().as_str() {
        "critical" => Some(SenderSeverity::Critical),
        "error" => Some(SenderSeverity::Error),
        "warning" => Some(SenderSeverity::Warning),
        "info" => Some(SenderSeverity::Info),
        _ => None,
    }
}

impl Inbound for PagerDuty {
    fn kind(&self) -> &'static str {
        "pagerduty"
    }

    fn parse(&self, body: &[u8], context: InboundContext<'_>) -> Result<Parsed, InboundRefusal> {
        let event: WireEvent<'_> = read(body)?;
        let mut errors = Vec::new();
        let action = match event.event_action.filled().unwrap_or_default() {
            "trigger" => Some(SignalAction::Trigger),
            "acknowledge" => Some(SignalAction::Acknowledge),
            "resolve" => Some(SignalAction::Resolve),
            _ => None,
        };
        if action.is_none() {
            errors.push("event_action is missing or unknown; use trigger, acknowledge or resolve".to_owned());
        }
        let given_key = event.dedup_key.filled().map(text::clean).filter(|key| !key.is_empty());
        if given_key.as_ref().is_some_and(|key| key.chars().count() > DEDUP_KEY_CHARS_MAX) {
            errors.push(format!("dedup_key is longer than {DEDUP_KEY_CHARS_MAX} characters"));
        }
        match action {
            Some(SignalAction::Trigger) => check_trigger(event.payload.as_ref(), &mut errors),
            Some(_) if given_key.is_none() => errors.push("dedup_key is missing; acknowledge and resolve need it".to_owned()),
            _ => {}
        }
        let links = links_of(&event);
        let payload = event.payload.unwrap_or_default();
        let labels = labels_of(&payload, &mut errors);
        let Some(action) = action.filter(|_| errors.is_empty()) else {
            return Err(InboundRefusal::Invalid(errors));
        };
        let dedup_key = given_key.map_or_else(|| context.fresh_key.to_owned(), std::borrow::Cow::into_owned);
        let title = payload.summary.filled().map(text::title).filter(|t| !t.is_empty());
        let signal = Signal {
            action,
            title: title.unwrap_or_else(|| text::title(&dedup_key)),
            dedup_key,
            description: payload.custom_details.and_then(details_as_text),
            source: payload.source.filled().map(text::title),
            service: None,
            severity: severity_of(&payload),
            labels,
            annotations: Labels::new(),
            starts_at: text::instant(&payload.timestamp.0),
            ends_at: None,
            links,
        };
        Ok(Parsed { signals: vec![signal], refused: Vec::new() })
    }

    fn key_in_body(&self, body: &[u8]) -> Option<String> {
        let wire: WireKey<'_> = serde_json::from_slice(text::without_bom(body)).ok()?;
        wire.routing_key.filled().map(str::to_owned)
    }

    fn accepted(&self, parsed: &Parsed) -> Answer {
        let key = parsed.signals.first().map(|signal| signal.dedup_key.as_str()).unwrap_or_default();
        Answer { status: 202, body: json!({"status": "success", "message": "Event processed", "dedup_key": key}).to_string() }
    }

    fn refused(&self, refusal: &InboundRefusal) -> Answer {
        let errors = match refusal {
            InboundRefusal::Malformed(why) => std::slice::from_ref(why),
            InboundRefusal::Invalid(errors) => errors.as_slice(),
        };
        Answer { status: 400, body: json!({"status": "invalid event", "message": "Event object is invalid", "errors": errors}).to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: &str) -> Result<Signal, InboundRefusal> {
        let context = InboundContext { now: Timestamp::UNIX_EPOCH, fresh_key: "made-by-us" };
        PagerDuty.parse(body.as_bytes(), context).map(|mut parsed| parsed.signals.remove(0))
    }

    fn errors(body: &str) -> Vec<String> {
        match parse(body) {
            Err(InboundRefusal::Invalid(errors)) => errors,
            other => panic!("{body} gave {other:?}"),
        }
    }

    const FULL: &str = r#"{"routing_key":"0123456789abcdef0123456789abcdef","event_action":"trigger","dedup_key":"db1/disk","client":"netmon",
        "client_url":"https://netmon.example/a/7","payload":{"summary":"Disk /var 97% on db1","source":"db1.example","severity":"critical",
        "component":"disk","group":"","timestamp":"2026-11-21T03:00:00.000+0000","custom_details":{"free_mb":412,"deep":{"a":[1]},"note":"x\u0000y"}},
        "links":[{"href":"https://rb.example/disk","text":"Runbook"},{"href":"javascript:x"},7],"images":[{"src":"https://img.example/g.png","alt":"Graph"}]}"#;

    #[test]
    fn a_full_trigger() {
        let signal = parse(FULL).unwrap();
        assert_eq!(signal.action, SignalAction::Trigger);
        assert_eq!(signal.dedup_key, "db1/disk");
        assert_eq!(signal.title, "Disk /var 97% on db1");
        assert_eq!(signal.description.as_deref(), Some("free_mb: 412\ndeep: {\"a\":[1]}\nnote: xy"));
        assert_eq!(signal.labels.keys().collect::<Vec<_>>(), ["component", "severity", "source"]);
        assert_eq!(signal.starts_at, Some("2026-11-21T03:00:00Z".parse().unwrap()));
        assert_eq!(
            signal.links.iter().map(|l| (l.href.as_str(), l.text.as_str())).collect::<Vec<_>>(),
            [("https://rb.example/disk", "Runbook"), ("https://netmon.example/a/7", "netmon"), ("https://img.example/g.png", "Graph")]
        );
        assert_eq!(PagerDuty.key_in_body(FULL.as_bytes()).as_deref(), Some("0123456789abcdef0123456789abcdef"));
        let answer = PagerDuty.accepted(&Parsed { signals: vec![signal], refused: vec![] });
        assert_eq!(answer.status, 202);
        assert_eq!(answer.body, r#"{"dedup_key":"db1/disk","message":"Event processed","status":"success"}"#);
    }

    #[test]
    fn a_trigger_without_key_gets_ours_and_a_resolve_needs_one() {
        let payload = r#""payload":{"summary":"s","source":"h","severity":"ERROR","custom_details":"plain"}"#;
        let signal = parse(&format!(r#"{{"event_action":"trigger","dedup_key":null,{payload}}}"#)).unwrap();
        assert_eq!((signal.dedup_key.as_str(), signal.description.as_deref()), ("made-by-us", Some("plain")));
        let signal = parse(&format!(r#"{{"event_action":"resolve","dedup_key":"k",{payload}}}"#)).unwrap();
        assert_eq!((signal.action, signal.title.as_str(), signal.severity), (SignalAction::Resolve, "s", Some(SenderSeverity::Error)));
        let signal = parse(r#"{"event_action":"acknowledge","dedup_key":42}"#).unwrap();
        assert_eq!((signal.action, signal.title.as_str(), signal.dedup_key.as_str()), (SignalAction::Acknowledge, "42", "42"));
        assert_eq!(errors(r#"{"event_action":"resolve"}"#).len(), 1);
    }

    #[test]
    fn everything_wrong_is_listed() {
        assert_eq!(errors("{}").len(), 1);
        assert_eq!(errors(r#"{"event_action":"trigger"}"#).len(), 1);
        assert_eq!(errors(r#"{"event_action":"trigger","payload":{"summary":" ","severity":"bad"}}"#).len(), 3);
        let long = format!(r#"{{"event_action":"resolve","dedup_key":"{}"}}"#, "é".repeat(256));
        assert_eq!(errors(&long), ["dedup_key is longer than 255 characters"]);
        let fits = format!(r#"{{"event_action":"resolve","dedup_key":"{}"}}"#, "é".repeat(255));
        assert!(parse(&fits).is_ok());
        let answer = PagerDuty.refused(&parse("{}").unwrap_err());
        assert_eq!(answer.status, 400);
        assert!(answer.body.contains(r#""message":"Event object is invalid""#) && answer.body.contains(r#""errors":["event_action"#));
        assert!(matches!(parse("["), Err(InboundRefusal::Malformed(_))));
    }

    #[test]
    fn deep_or_huge_details_are_cut_not_fatal() {
        let deep = format!("{}1{}", r#"{"a":"#.repeat(10_000), "}".repeat(10_000));
        let body =
            format!(r#"{{"event_action":"trigger","payload":{{"summary":"s","source":"h","severity":"info","custom_details":{deep}}}}}"#);
        let described = parse(&body).unwrap().description.unwrap();
        assert_eq!(described.chars().count(), text::DESCRIPTION_CHARS_MAX);
    }

    #[test]
    fn changes_need_a_summary_only() {
        let change =
            parse_change(br#"{"routing_key":"k","payload":{"summary":"Deploy 7","source":"ci","custom_details":{"sha":"abc"}}}"#).unwrap();
        assert_eq!((change.summary.as_str(), change.description.as_deref()), ("Deploy 7", Some("sha: abc")));
        assert!(parse_change(b"{}").is_err());
    }
}
