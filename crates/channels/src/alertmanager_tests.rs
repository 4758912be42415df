//! Alerts and webhooks of Prometheus and Alertmanager, as they come, and what is refused.

use allclear_domain::wire::{Inbound, InboundContext, InboundRefusal, Labels, Parsed, SenderSeverity, SignalAction};
use jiff::Timestamp;

use super::{Alertmanager, fingerprint};

fn now() -> Timestamp {
    "2026-11-21T17:08:00Z".parse().unwrap()
}

fn try_parse(body: &str) -> Result<Parsed, InboundRefusal> {
    Alertmanager.parse(body.as_bytes(), InboundContext { now: now(), fresh_key: "fresh" })
}

fn parse(body: &str) -> Parsed {
    try_parse(body).unwrap()
}

fn at(text: &str) -> Option<Timestamp> {
    Some(text.parse().unwrap())
}

#[test]
fn fingerprints_are_alertmanagers() {
    let mut labels = Labels::from([("severity".into(), "critical".into()), ("alertname".into(), "Demo".into())]);
    assert_eq!(fingerprint(&labels), "1a0aca3de49ca79f");
    labels.insert("cluster".into(), "test".into());
    assert_eq!(fingerprint(&labels), "4e7f87eddccd55d5");
}

#[test]
fn what_prometheus_sends() {
    let parsed = parse(
        r#"[{"labels":{"alertname":"Demo","severity":"critical","empty":"","instance":"db1:9100"},
             "annotations":{"summary":"Disk\u0000 full","description":"More.\nLines.","runbook_url":"https://rb.example/d"},
             "startsAt":"2026-11-21T17:07:41.632Z","endsAt":"2026-11-21T17:11:41.632Z","generatorURL":"http://prom/graph?g0.expr=up"},
            {"labels":{"alertname":"Demo","severity":"page","instance":"db2"},"annotations":{},
             "startsAt":"2026-11-21T16:00:00Z","endsAt":"2026-11-21T17:08:00Z","generatorURL":"javascript:alert(1)"}]"#,
    );
    assert_eq!(Alertmanager.accepted(&parsed).status, 200);
    assert_eq!(Alertmanager.accepted(&parsed).body, "");
    let [firing, over] = parsed.signals.as_slice() else { panic!("two signals") };
    assert_eq!(firing.action, SignalAction::Trigger);
    assert_eq!(firing.title, "Disk full");
    assert_eq!(firing.description.as_deref(), Some("More.\nLines."));
    assert_eq!(firing.severity, Some(SenderSeverity::Critical));
    assert_eq!(firing.source.as_deref(), Some("db1:9100"));
    assert!(!firing.labels.contains_key("empty"));
    assert_eq!(firing.starts_at, at("2026-11-21T17:07:41.632Z"));
    assert_eq!(firing.ends_at, at("2026-11-21T17:11:41.632Z"));
    assert_eq!(firing.links.iter().map(|l| l.href.as_str()).collect::<Vec<_>>(), ["https://rb.example/d", "http://prom/graph?g0.expr=up"]);
    assert_eq!(over.action, SignalAction::Resolve, "endsAt equal to now is over");
    assert_eq!(over.title, "Demo on db2");
    assert!(over.links.is_empty());
}

#[test]
fn unset_times_take_alertmanagers_defaults() {
    let zero = "0001-01-01T00:00:00.000Z";
    let parsed = parse(&format!(
        r#"[{{"labels":{{"a":"1"}},"startsAt":"{zero}","endsAt":"{zero}"}},
            {{"labels":{{"a":"2"}},"endsAt":"2026-11-21T17:00:00Z"}},
            {{"labels":{{"a":"3"}},"annotations":null,"startsAt":"2026-11-21T17:00:00+0000"}}]"#
    ));
    let times: Vec<_> = parsed.signals.iter().map(|s| (s.action, s.starts_at, s.ends_at)).collect();
    assert_eq!(
        times,
        [
            (SignalAction::Trigger, Some(now()), at("2026-11-21T17:13:00Z")),
            (SignalAction::Resolve, at("2026-11-21T17:00:00Z"), at("2026-11-21T17:00:00Z")),
            (SignalAction::Trigger, at("2026-11-21T17:00:00Z"), at("2026-11-21T17:13:00Z")),
        ]
    );
    assert_eq!(parsed.signals[0].title, "a=1");
}

#[test]
fn a_partial_failure_keeps_the_valid_ones() {
    let parsed = parse(r#"[{"labels":{"x":""}},{"labels":{"alertname":"Good"}}]"#);
    assert_eq!(parsed.signals.len(), 1);
    let answer = Alertmanager.accepted(&parsed);
    assert_eq!((answer.status, answer.body.as_str()), (400, r#""at least one label pair required""#));
    let parsed = parse(
        r#"[{"labels":{"a":"1"},"startsAt":"tomorrow"},{"labels":{"a":"1"},"startsAt":"2026-11-21T18:00:00Z","endsAt":"2026-11-21T17:00:00Z"},{}]"#,
    );
    assert!(parsed.signals.is_empty());
    assert_eq!(parsed.refused.len(), 3);
    assert!(parsed.refused[1].contains("start time must be before end time"));
    assert_eq!(Alertmanager.accepted(&parse("[]")).status, 200);
}

#[test]
fn limits_are_named() {
    let many: Vec<String> = (0..65).map(|n| format!(r#""l{n}":"v""#)).collect();
    let cases = [
        (format!(r#"[{{"labels":{{{}}}}}]"#, many.join(",")), "more than 64 labels"),
        (format!(r#"[{{"labels":{{"a":"{}"}}}}]"#, "x".repeat(4097)), "longer than 4096 bytes"),
        (format!(r#"[{{"labels":{{"{}":"x"}}}}]"#, "n".repeat(257)), "longer than 256 bytes"),
    ];
    for (body, why) in cases {
        assert!(parse(&body).refused[0].contains(why), "{why}");
    }
    let flood = format!("[{}]", vec!["{}"; 10_001].join(","));
    assert!(try_parse(&flood).unwrap_err().to_string().contains("at most 10000"));
}

#[test]
fn nonsense_is_400_with_code_and_never_a_crash() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let deep_unknown = format!(r#"[{{"labels":{{"a":"b"}},"unknown":{}{}}}]"#, "[".repeat(100_000), "]".repeat(100_000));
    for body in ["", "nonsense", "{}", "null", "[1]", r#"[{"labels":{"a":1}}]"#, r#"[{"labels":{"a":"\ud800"}}]"#, &deep] {
        let refusal = try_parse(body).unwrap_err();
        let answer = Alertmanager.refused(&refusal);
        assert_eq!(answer.status, 400);
        let read: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(read["code"], 400);
        assert!(read["message"].is_string());
    }
    // Unknown fields are skipped without recursion.
    let _ = try_parse(&deep_unknown);
    assert!(Alertmanager.parse(b"[{\"labels\":{\"a\":\"\xff\"}}]", InboundContext { now: now(), fresh_key: "" }).is_err());
    assert_eq!(parse("\u{feff}[{\"labels\":{\"a\":\"b\"}}]").signals.len(), 1);
}

#[test]
fn a_webhooks_alerts_last_until_resolved() {
    let parsed = parse(
        r#"{"receiver":"x","status":"firing","version":"4","groupKey":"{}","truncatedAlerts":0,"alerts":[
            {"status":"firing","labels":{"alertname":"A"},"annotations":{},"startsAt":"2026-11-21T17:00:00Z","endsAt":"0001-01-01T00:00:00Z","generatorURL":"","fingerprint":"x"},
            {"status":"resolved","labels":{"alertname":"B"},"annotations":{},"startsAt":"2026-11-21T17:00:00Z","endsAt":"2026-11-21T17:09:00Z"}]}"#,
    );
    assert_eq!(parsed.signals[0].action, SignalAction::Trigger);
    assert_eq!(parsed.signals[0].ends_at, None);
    assert_eq!(parsed.signals[1].action, SignalAction::Resolve, "the sender's word counts, its clock may be ahead");
}
