//! Alerts and webhooks of Prometheus and Alertmanager, as they come, and what is refused.

use allclear_domain::wire::{Inbound, InboundContext, InboundRefusal, Labels, Parsed, SenderSeverity, SignalAction};
use jiff::Timestamp;

use super::{Alertmanager, fingerprint};

fn now() -> Timestamp {
    "2026-11-21T17:08:00Z".parse().unwrap()
}

fn try_parse(body: &str) -> Result<Parsed, InboundRefusal> {
    Alertmanager.parse(body.as_bytes(), InboundContext { now: now(), fresh_key: "fresh", instance: None })
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
    assert_eq!(parsed.notes, ["alert 2: generatorURL `javascript:alert(1)` is no address of the web, and is shown as text"]);
    assert_eq!(parsed.signals[1].annotations["generatorURL"], "javascript:alert(1)");
    let clean = parse(r#"[{"labels":{"alertname":"Demo"},"generatorURL":"http://prom/graph"}]"#);
    assert_eq!(Alertmanager.accepted(&clean).body, "");
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

/// A sender whose clock is ahead: nothing lasts less than nothing, and the log says why it began when it did.
#[test]
fn what_is_still_to_come_began_now() {
    let parsed = parse(
        r#"[{"labels":{"a":"1"},"startsAt":"2026-11-21T19:08:00Z"},{"labels":{"a":"2"},"startsAt":"2026-11-21T17:08:30Z"},
            {"labels":{"a":"3"},"startsAt":"2026-11-21T19:08:00Z","endsAt":"2026-11-21T19:07:00Z"}]"#,
    );
    assert_eq!(parsed.signals.iter().map(|signal| signal.starts_at).collect::<Vec<_>>(), [Some(now()); 3]);
    assert_eq!(parsed.signals[0].notes, ["startsAt `2026-11-21T19:08:00Z` is still to come: it counts from its arrival"]);
    assert_eq!(parsed.signals[1].notes, [""; 0], "half a minute is what clocks differ by");
}

#[test]
fn a_partial_failure_keeps_the_valid_ones() {
    let parsed = parse(r#"[{"labels":{"x":""}},{"labels":{"alertname":"Good"}},7,null]"#);
    assert_eq!(parsed.signals.len(), 1);
    let answer = Alertmanager.accepted(&parsed);
    let said: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!((answer.status, &said["status"]), (200, &"success".into()));
    assert_eq!(
        said["refused"],
        serde_json::json!(["alert 1: at least one label pair required", "alert 3: a number is no alert", "alert 4: null is no alert"])
    );
    // Where nothing could be kept, the sender is told so.
    let parsed = parse(r#"[{},{"labels":[]}]"#);
    assert_eq!((parsed.signals.len(), parsed.refused.len()), (0, 2));
    assert_eq!(Alertmanager.accepted(&parsed).status, 400);
    assert_eq!(Alertmanager.accepted(&parse("[]")).status, 200);
}

#[test]
fn times_that_make_no_sense_lose_no_alert() {
    let parsed = parse(
        r#"[{"labels":{"a":"1"},"startsAt":"tomorrow"},
            {"labels":{"a":"2"},"startsAt":"2026-11-21T18:00:00Z","endsAt":"2026-11-21T17:00:00Z"},
            {"labels":{"a":"3"},"startsAt":"9999-01-01T00:00:00Z","endsAt":"9999-12-31T23:59:59Z"},
            {"labels":{"a":"4"},"startsAt":"1970-01-01T00:00:00Z","endsAt":"1970-01-01T00:00:00Z"},
            {"labels":{"a":"5"},"startsAt":{},"endsAt":7}]"#,
    );
    let actions: Vec<_> = parsed.signals.iter().map(|s| (s.action, s.starts_at, s.notes.len())).collect();
    assert_eq!(
        actions,
        [
            (SignalAction::Trigger, Some(now()), 1),
            (SignalAction::Resolve, at("2026-11-21T17:00:00Z"), 2),
            (SignalAction::Trigger, Some(now()), 2),
            (SignalAction::Trigger, Some(now()), 2),
            (SignalAction::Trigger, Some(now()), 2),
        ]
    );
    assert_eq!(parsed.signals[2].ends_at, at("2027-11-22T17:08:00Z"), "never is a year");
}

#[test]
fn what_passes_a_limit_is_cut_and_named() {
    let many: Vec<String> = (0..65).map(|n| format!(r#""l{n}":"v""#)).collect();
    for (body, why) in [
        (format!(r#"[{{"labels":{{{}}}}}]"#, many.join(",")), "of 65 labels 64 were kept"),
        (format!(r#"[{{"labels":{{"a":"{}"}}}}]"#, "x".repeat(4097)), "cut to 4096 bytes of 4097"),
        (format!(r#"[{{"labels":{{"b":"x","{}":"x"}}}}]"#, "n".repeat(257)), "longer than 256 bytes"),
        (r#"[{"labels":{"a":"x"},"annotations":{"runbook_url":null}}]"#.into(), "the value of `runbook_url` is null"),
        (r#"[{"labels":{"a":"x"},"annotations":{"runbook":"www.example.org/rb"}}]"#.into(), "runbook `www.example.org/rb` is no address"),
        (r#"[{"labels":{"a":"x"},"annotations":[1]}]"#.into(), "annotations is a list"),
        (r#"[{"labels":{"a":"x","b":{"c":1}}}]"#.into(), "the value of `b` is an object and was kept as text"),
        (r#"[{"labels":{"a":"x\ud800"}}]"#.into(), "lone surrogate"),
    ] {
        let parsed = parse(&body);
        assert!(parsed.signals[0].notes.iter().any(|note| note.contains(why)), "{why}: {:?}", parsed.signals[0].notes);
        let answer = Alertmanager.accepted(&parsed);
        assert!(answer.status == 200 && answer.body.contains("\"notes\":["), "{}", answer.body);
    }
    assert_eq!(parse(r#"[{"labels":{"a":1}}]"#).signals[0].labels["a"], "1", "a number is a text");
    let flood = format!("[{}]", vec!["{}"; 10_001].join(","));
    let refusal = try_parse(&flood).unwrap_err();
    assert!(refusal.to_string().contains("at most 10000"));
    assert_eq!(Alertmanager.refusal(&refusal).status, 413);
}

#[test]
fn what_names_a_condition_is_all_of_its_labels() {
    let labels = |last: &str| {
        let many: Vec<String> = (0..70).map(|n| format!(r#""l{n:02}":"v""#)).collect();
        format!(r#"[{{"labels":{{{},"z":"{last}"}}}}]"#, many.join(","))
    };
    let key = |body: &str| parse(body).signals[0].dedup_key.clone();
    assert_eq!(key(&labels("1")), key(&labels("1")));
    assert_ne!(key(&labels("1")), key(&labels("2")), "a label that is cut away tells two conditions apart all the same");
    assert_ne!(key(r#"[{"labels":{"a":["1"]}}]"#), key(r#"[{"labels":{"a":["2"]}}]"#));
}

#[test]
fn nonsense_is_400_with_code_and_never_a_crash() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let deep_unknown = format!(r#"[{{"labels":{{"a":"b"}},"unknown":{}{}}}]"#, "[".repeat(100_000), "]".repeat(100_000));
    for body in ["", "nonsense", "{}", "null", "[1", r#"{"alerts":7}"#, r#"[{"labels":{"a":"b"}}"#] {
        let refusal = try_parse(body).unwrap_err();
        let answer = Alertmanager.refusal(&refusal);
        assert_eq!(answer.status, 400);
        let read: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(read["code"], 400);
        assert!(read["message"].is_string());
    }
    // What is no alert is passed over without recursion, however deep.
    assert!(try_parse(&deep).map_or(true, |parsed| parsed.signals.is_empty()));
    assert_eq!(parse(&deep_unknown).signals.len(), 1);
    let deep_label = format!(r#"[{{"labels":{{"a":{}{}}}}}]"#, "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(parse(&deep_label).signals.len(), 1);
    let stray =
        Alertmanager.parse(b"[{\"labels\":{\"a\":\"\xff\"}}]", InboundContext { now: now(), fresh_key: "", instance: None }).unwrap();
    assert_eq!((stray.signals.len(), stray.notes.len()), (1, 1));
    assert_eq!(parse("\u{feff}[{\"labels\":{\"a\":\"b\"}}]").signals.len(), 1);
}

#[test]
fn a_webhooks_word_decides_and_never_its_end() {
    let parsed = parse(
        r#"{"status":"firing","version":"4","alerts":[
            {"status":"firing","labels":{"alertname":"A"},"startsAt":"2026-11-21T17:00:00Z","endsAt":"2026-11-21T17:07:59Z"},
            {"status":"resolved","labels":{"alertname":"B"},"endsAt":"2026-11-21T18:00:00Z"},
            {"labels":{"alertname":"C"},"endsAt":"2026-11-21T17:00:00Z"},
            {"status":"odd","labels":{"alertname":"D"}}]}"#,
    );
    use SignalAction::{Resolve, Trigger};
    let said: Vec<_> = parsed.signals.iter().map(|s| (s.action, s.ends_at)).collect();
    assert_eq!(said, [(Trigger, None), (Resolve, None), (Trigger, None), (Trigger, None)]);
    assert_eq!(parsed.notes.len(), 1, "{:?}", parsed.notes);
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

#[test]
fn a_name_of_blanks_says_as_little_as_none() {
    for blank in ["", " ", "\u{a0}", "\u{2003}", "\u{3000}\u{2028}"] {
        let body = serde_json::json!([{"labels": {"alertname": blank, "severity": "critical"}}, {"labels": {"alertname": blank, "instance": "db1"}}]);
        let parsed = parse(&body.to_string());
        let titles: Vec<&str> = parsed.signals.iter().map(|signal| signal.title.as_str()).collect();
        assert_eq!(titles, ["severity=critical", "instance=db1"], "{blank:?}");
        assert!(parsed.refused.is_empty());
    }
    let nothing = parse(&serde_json::json!([{"labels": {"alertname": " "}}]).to_string());
    assert!(!nothing.signals[0].title.trim().is_empty(), "{nothing:?}");
}
