//! The way in for everything with a PagerDuty output, Events API v2: kind `pagerduty`.
//!
//! One event a request: trigger, acknowledge or resolve, named by `dedup_key`. The labels are
//! `severity, source, component, group, class`; `custom_details` goes into the description, as
//! `name: value` lines for an object (nested values as JSON) or as it is for a text, cut at
//! [`text::DESCRIPTION_CHARS_MAX`]; it never becomes labels, since its names are not stable.
//! Change events ([`ChangeEvents`]) share the key and the answers.
//!
//! It deliberately does not check the routing key, which may come in a header: who takes the
//! request looks it up. What would lose a page for a trifle (a bad link, a bad timestamp, a
//! number where a text belongs, a severity that is no word of the four) is read leniently and named.
//! What PagerDuty itself requires and the sender leaves away is refused as PagerDuty does.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::fmt;

use allclear_domain::wire::{
    Answer, Inbound, InboundContext, InboundRefusal, KeyFault, KeyIn, Labels, Link, Parsed, Route, SenderSeverity, SetUp, Signal,
    SignalAction,
};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::json;
use serde_json::value::RawValue;

use crate::inbound::lenient;
use crate::inbound::lenient::{Element, Loose, Mended, lenient_object};
use crate::inbound::text;
use crate::inbound::text::Notes;

/// Longest `dedup_key`, in characters: PagerDuty's limit, which its senders keep to. Longer ones
/// are shortened.
pub const DEDUP_KEY_CHARS_MAX: usize = 255;

/// The header that carries the key where the body does not.
const ROUTING_KEY_HEADER: &str = "x-routing-key";

/// The format.
#[derive(Debug)]
pub struct PagerDuty;

/// Its change events (a deployment, a flag): kept beside the incidents of their service; they page nobody.
#[derive(Debug)]
pub struct ChangeEvents;

#[derive(Default)]
struct WireEvent<'a> {
    event_action: Loose<'a>,
    dedup_key: Loose<'a>,
    payload: Option<Element<WirePayload<'a>>>,
    links: Option<&'a RawValue>,
    images: Option<&'a RawValue>,
    client: Loose<'a>,
    client_url: Loose<'a>,
}

lenient_object!(WireEvent {
    event_action: "event_action",
    dedup_key: "dedup_key",
    payload: "payload",
    links: "links",
    images: "images",
    client: "client",
    client_url: "client_url",
});

impl<'a> WireEvent<'a> {
    /// The payload, where there is one.
    fn take_payload(&mut self) -> Option<WirePayload<'a>> {
        match self.payload.take() {
            Some(Element::Read(payload)) => Some(payload),
            Some(Element::Wrong(_)) | None => None,
        }
    }
}

#[derive(Default)]
struct WirePayload<'a> {
    summary: Loose<'a>,
    source: Loose<'a>,
    severity: Loose<'a>,
    timestamp: Loose<'a>,
    component: Loose<'a>,
    group: Loose<'a>,
    class: Loose<'a>,
    custom_details: Option<&'a RawValue>,
}

lenient_object!(WirePayload {
    summary: "summary",
    source: "source",
    severity: "severity",
    timestamp: "timestamp",
    component: "component",
    group: "group",
    class: "class",
    custom_details: "custom_details",
});

#[derive(Default)]
struct WireKey<'a> {
    routing_key: Loose<'a>,
}

lenient_object!(WireKey { routing_key: "routing_key" });

/// The members of an object in the order they came, values unread.
#[derive(Debug, Default)]
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((name, value)) = map.next_entry::<Loose<'de>, &'de RawValue>()? {
                    members.push((name.text, value));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

fn read<'a, T: Deserialize<'a>>(body: &'a [u8], mended: &'a OnceCell<Mended>) -> Result<T, InboundRefusal> {
    lenient::read(text::without_bom(body), mended)
        .map_err(|error| InboundRefusal::Malformed(format!("the body is not a JSON event: {error}")))
}

/// `custom_details` as lines for people.
fn details_as_text(raw: &RawValue) -> Option<String> {
    let Ok(Members(members)) = serde_json::from_str::<Members<'_>>(raw.get()) else {
        let plain = scalar(raw);
        return text::description(plain.as_deref().unwrap_or(raw.get()));
    };
    let mut out = String::new();
    for (name, value) in members {
        let plain = scalar(value);
        let value = plain.as_deref().unwrap_or(value.get());
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

/// A value as text, where it is a scalar.
fn scalar(raw: &RawValue) -> Option<Cow<'_, str>> {
    let plain: Loose<'_> = serde_json::from_str(raw.get()).ok()?;
    plain.wrong.is_none_or(|wrong| wrong == "null").then_some(plain.text)
}

/// The links, and those that lead nowhere.
fn links_of(event: &WireEvent<'_>) -> (Vec<Link>, Vec<String>) {
    let client = event.client.filled().unwrap_or("Monitor");
    let (mut links, mut bad) = event.links.map(lenient::links).unwrap_or_default();
    match event.client_url.filled().map(|href| text::link(href, client).ok_or(href)) {
        Some(Ok(link)) => links.push(link),
        Some(Err(href)) => bad.push(href.to_owned()),
        None => {}
    }
    let (images, bad_images) = event.images.map(lenient::links).unwrap_or_default();
    links.extend(images);
    bad.extend(bad_images);
    bad.extend(links.drain(text::LINKS_MAX.min(links.len())..).map(|link| link.href));
    (links, bad)
}

fn labels_of(payload: &WirePayload<'_>, notes: &mut Notes) -> Labels {
    let mut labels = Labels::new();
    for (name, value) in [
        ("severity", &payload.severity),
        ("source", &payload.source),
        ("component", &payload.component),
        ("group", &payload.group),
        ("class", &payload.class),
    ] {
        if !value.text.trim().is_empty() {
            text::read_label(&mut labels, name, &Loose { text: Cow::Borrowed(value.text.trim()), wrong: value.wrong }, notes);
        }
    }
    text::fitted_labels(labels, notes)
}

/// What PagerDuty requires of a trigger. What is there and not as it should be is a trifle, and named.
fn check_trigger(payload: Option<&WirePayload<'_>>, errors: &mut Vec<String>, notes: &mut Notes) {
    let Some(payload) = payload else {
        errors.push("payload is missing; a trigger needs payload.summary, payload.source and payload.severity".to_owned());
        return;
    };
    let is_left_away = |said: &Loose<'_>| said.wrong.is_none() && said.filled().is_none();
    match payload.summary.wrong {
        Some(wrong) => notes.add(format!("payload.summary is {wrong}: something else stands for it")),
        None if text::title(&payload.summary.text).is_empty() => errors.push("payload.summary is missing or empty".to_owned()),
        None => {}
    }
    if is_left_away(&payload.source) {
        errors.push("payload.source is missing or empty".to_owned());
    } else if payload.source.wrong == Some("null") {
        notes.add("payload.source is null");
    }
    if is_left_away(&payload.severity) {
        errors.push("payload.severity is missing; use critical, error, warning or info".to_owned());
    } else if severity_of(payload).is_none() {
        let said = text::clean(text::cut(&payload.severity.text, 64)).into_owned();
        notes.add(format!("payload.severity `{said}` is none of critical, error, warning and info, and was left out"));
    }
}

/// One line for people, before it is cut: the summary, or what else names the event.
fn title_of<'a>(payload: &'a WirePayload<'_>, dedup_key: &'a str) -> &'a str {
    let usable = |text: &&str| !text::title(text).is_empty();
    let said = [&payload.summary, &payload.source, &payload.component];
    said.into_iter().map(|said| said.text.as_ref()).find(usable).unwrap_or(dedup_key)
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

    fn set_up(&self) -> SetUp {
        SetUp {
            kind: self.kind(),
            address: "{base}/v2/enqueue",
            says: "Where the sender asks for the address of the Events API v2 (events.pagerduty.com), give it this one, and the key as its \
                   routing key or integration key. To try it from a terminal:",
            snippet: r#"curl -sS {base}/v2/enqueue -H 'content-type: application/json' -d '{
  "routing_key": "{key}", "event_action": "trigger",
  "payload": {"summary": "Disk of db1 is full", "source": "db1", "severity": "critical"}}'"#,
        }
    }

    fn routes(&self) -> &'static [Route] {
        &[
            Route { path: "/v2/enqueue", any_method: false, key: KeyIn::BodyOrHeader(ROUTING_KEY_HEADER), format: &PagerDuty },
            Route { path: "/v2/change/enqueue", any_method: false, key: KeyIn::BodyOrHeader(ROUTING_KEY_HEADER), format: &ChangeEvents },
        ]
    }

    fn body_bytes_max(&self) -> usize {
        text::EVENT_BYTES_MAX
    }

    fn parse(&self, body: &[u8], context: InboundContext<'_>) -> Result<Parsed, InboundRefusal> {
        let mended = OnceCell::new();
        let mut event: WireEvent<'_> = read(body, &mended)?;
        let (mut errors, mut notes) = (Vec::new(), Notes::default());
        let action = match event.event_action.filled().unwrap_or_default() {
            "trigger" => Some(SignalAction::Trigger),
            "acknowledge" => Some(SignalAction::Acknowledge),
            "resolve" => Some(SignalAction::Resolve),
            _ => None,
        };
        if action.is_none() {
            errors.push("event_action is missing or unknown; use trigger, acknowledge or resolve".to_owned());
        }
        let is_long = event.dedup_key.text.trim().chars().count() > DEDUP_KEY_CHARS_MAX;
        let bytes_max = if is_long { DEDUP_KEY_CHARS_MAX } else { usize::MAX };
        let given_key = text::said_key(&event.dedup_key, bytes_max, &mut notes);
        let payload = event.take_payload();
        match action {
            Some(SignalAction::Trigger) => check_trigger(payload.as_ref(), &mut errors, &mut notes),
            Some(_) if given_key.is_none() => errors.push("dedup_key is missing; acknowledge and resolve need it".to_owned()),
            _ => {}
        }
        let Some(action) = action.filter(|_| errors.is_empty()) else {
            return Err(InboundRefusal::Invalid(errors));
        };
        let (links, bad_links) = links_of(&event);
        let payload = payload.unwrap_or_default();
        let labels = labels_of(&payload, &mut notes);
        let mut annotations = Labels::new();
        text::keep_bad_links(bad_links, &mut annotations, &mut notes);
        let dedup_key = given_key.unwrap_or_else(|| context.fresh_key.to_owned());
        let details = payload.custom_details.and_then(details_as_text);
        if payload.custom_details.is_some_and(|raw| raw.get().len() > text::DESCRIPTION_CHARS_MAX)
            && details.as_ref().is_some_and(|text| text.chars().count() == text::DESCRIPTION_CHARS_MAX)
        {
            notes.add(format!("custom_details was cut to {} characters", text::DESCRIPTION_CHARS_MAX));
        }
        let (title, description) = text::title_and_rest(title_of(&payload, &dedup_key), details, &mut notes);
        let mut parsed = Parsed::default();
        let signal = Signal {
            action,
            title,
            dedup_key,
            description,
            source: Some(text::title(&payload.source.text)).filter(|text| !text.is_empty()),
            service: None,
            severity: severity_of(&payload),
            labels,
            annotations,
            starts_at: text::near_instant(&payload.timestamp, "payload.timestamp", context.now, &mut notes),
            ends_at: None,
            links,
            notes: notes.into_list(),
        };
        text::keep(&mut parsed, None, signal);
        text::name_mended(&mut parsed, mended.get());
        Ok(parsed)
    }

    fn key_in_body(&self, body: &[u8]) -> Option<String> {
        let mended = OnceCell::new();
        let wire: WireKey<'_> = read(body, &mended).ok()?;
        wire.routing_key.filled().map(str::to_owned)
    }

    fn accepted(&self, parsed: &Parsed) -> Answer {
        let key = parsed.signals.first().map(|signal| signal.dedup_key.as_str()).unwrap_or_default();
        let mut body = json!({"status": "success", "message": "Event processed", "dedup_key": key});
        if !parsed.notes.is_empty() {
            // Its senders log the message and read nothing else.
            body["message"] = json!(format!("Event processed, though its JSON was not as it should be: {}", parsed.notes.join("; ")));
            body["notes"] = json!(parsed.notes);
        }
        Answer { status: 202, body: body.to_string() }
    }

    fn refused(&self, status: u16, sentences: &[String]) -> Answer {
        let body = if status < 500 {
            json!({"status": "invalid event", "message": "Event object is invalid", "errors": sentences})
        } else {
            json!({"status": "try again later", "message": sentences.join("; "), "errors": sentences})
        };
        Answer { status, body: body.to_string() }
    }

    /// Its senders read 400 in its own shape, and never try again.
    fn key_refused(&self, fault: KeyFault<'_>) -> Option<Answer> {
        let why = match fault {
            KeyFault::Missing => "routing_key is missing",
            KeyFault::Unknown => "routing_key is unknown",
            KeyFault::OtherKind(why) => why,
        };
        Some(self.refused(400, &[why.to_owned()]))
    }
}

impl Inbound for ChangeEvents {
    fn kind(&self) -> &'static str {
        PagerDuty.kind()
    }

    fn set_up(&self) -> SetUp {
        PagerDuty.set_up()
    }

    fn name(&self) -> &'static str {
        "pagerduty-change"
    }

    fn body_bytes_max(&self) -> usize {
        PagerDuty.body_bytes_max()
    }

    fn key_in_body(&self, body: &[u8]) -> Option<String> {
        PagerDuty.key_in_body(body)
    }

    fn parse(&self, body: &[u8], context: InboundContext<'_>) -> Result<Parsed, InboundRefusal> {
        let mended = OnceCell::new();
        let mut event: WireEvent<'_> = read(body, &mended)?;
        let (links, _) = links_of(&event);
        let payload = event.take_payload().unwrap_or_default();
        let Some(title) = payload.summary.filled().map(text::title).filter(|summary| !summary.is_empty()) else {
            return Err(InboundRefusal::Invalid(vec!["payload.summary is missing or empty".to_owned()]));
        };
        let mut notes = Notes::default();
        let signal = Signal {
            action: SignalAction::Trigger,
            dedup_key: context.fresh_key.to_owned(),
            title,
            description: None,
            source: Some(text::title(&payload.source.text)).filter(|text| !text.is_empty()),
            service: None,
            severity: None,
            labels: labels_of(&payload, &mut notes),
            annotations: Labels::new(),
            starts_at: text::near_instant(&payload.timestamp, "payload.timestamp", context.now, &mut notes),
            ends_at: None,
            links,
            notes: Vec::new(),
        };
        Ok(Parsed { signals: vec![signal], keep_only: true, ..Parsed::default() })
    }

    fn accepted(&self, _parsed: &Parsed) -> Answer {
        Answer { status: 202, body: json!({"status": "success", "message": "Change event processed"}).to_string() }
    }

    fn refused(&self, status: u16, sentences: &[String]) -> Answer {
        PagerDuty.refused(status, sentences)
    }

    fn key_refused(&self, fault: KeyFault<'_>) -> Option<Answer> {
        PagerDuty.key_refused(fault)
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn now() -> Timestamp {
        "2026-11-21T03:00:00Z".parse().unwrap()
    }

    fn parse(body: &str) -> Result<Signal, InboundRefusal> {
        let context = InboundContext { now: now(), fresh_key: "made-by-us", instance: None };
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
        let answer = PagerDuty.accepted(&Parsed { signals: vec![Signal { notes: vec![], ..signal }], ..Parsed::default() });
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
        assert_eq!(errors(r#"{"event_action":"trigger","payload":{"summary":" "}}"#).len(), 3);
        let long = format!(r#"{{"event_action":"resolve","dedup_key":"{}"}}"#, "é".repeat(256));
        let signal = parse(&long).unwrap();
        assert!(signal.dedup_key.len() <= 255 && signal.notes.len() == 1, "{signal:?}");
        let fits = format!(r#"{{"event_action":"resolve","dedup_key":"{}"}}"#, "é".repeat(255));
        assert_eq!(parse(&fits).unwrap().dedup_key.chars().count(), 255);
        let answer = PagerDuty.refusal(&parse("{}").unwrap_err());
        assert_eq!(answer.status, 400);
        assert!(answer.body.contains(r#""message":"Event object is invalid""#) && answer.body.contains(r#""errors":["event_action"#));
        assert!(matches!(parse("["), Err(InboundRefusal::Malformed(_))));
    }

    #[test]
    fn a_trifle_is_named_and_loses_no_event() {
        let with = |fields: &str, payload: &str| {
            format!(
                r#"{{"event_action":"trigger","dedup_key":"k"{fields},"payload":{{"summary":"s","source":"h","severity":"critical"{payload}}}}}"#
            )
        };
        for (body, note) in [
            (with("", r#","severity":"terrible""#), "payload.severity `terrible` is none of"),
            (with("", r#","severity":null"#), "payload.severity `` is none of"),
            (with("", r#","severity":{"a":1}"#), "payload.severity"),
            (with("", r#","source":null"#), "payload.source is null"),
            (with("", r#","summary":{"a":1}"#), "payload.summary is an object"),
            (with("", r#","summary":null"#), "payload.summary is null"),
            (with("", r#","component":["a"]"#), "the value of `component` is a list"),
            (with("", r#","timestamp":"9999-12-31T23:59:59Z""#), "payload.timestamp"),
            (with("", r#","custom_details":{"v":NaN}"#), "NaN"),
            (with("", r#","class":"\ud800""#), "lone surrogate"),
            (with(r#","links":[{"href":"www.example.org/rb"}]"#, ""), "`www.example.org/rb` is no address"),
            (with(r#","client_url":"netmon""#, ""), "`netmon` is no address"),
        ] {
            let parsed = PagerDuty.parse(body.as_bytes(), InboundContext { now: now(), fresh_key: "", instance: None }).unwrap();
            assert!(parsed.signals[0].notes.iter().any(|said| said.contains(note)), "{body}: {:?}", parsed.signals[0].notes);
            let answer = PagerDuty.accepted(&parsed);
            assert!(answer.status == 202 && answer.body.contains(note.split('`').next().unwrap()), "{}", answer.body);
        }
        let linked = parse(&with(r#","links":[{"href":"www.example.org/rb"}]"#, "")).unwrap();
        assert_eq!(linked.annotations["link"], "www.example.org/rb");
        let key = PagerDuty.key_in_body(br#"{"routing_key":"k-1","payload":{"custom_details":{"v":NaN}}}"#);
        assert_eq!(key.as_deref(), Some("k-1"));
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
        let read = |body: &[u8]| ChangeEvents.parse(body, InboundContext { now: now(), fresh_key: "", instance: None });
        let change = read(br#"{"routing_key":"k","payload":{"summary":"Deploy 7","source":"ci","custom_details":{"sha":"abc"}}}"#).unwrap();
        let told: Vec<_> = change.signals.iter().map(|signal| (signal.title.as_str(), signal.source.as_deref())).collect();
        assert!(change.keep_only && told == [("Deploy 7", Some("ci"))], "{change:?}");
        assert!(matches!(read(b"{}"), Err(InboundRefusal::Invalid(_))) && matches!(read(b"{"), Err(InboundRefusal::Malformed(_))));
    }
}
