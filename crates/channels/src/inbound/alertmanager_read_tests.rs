//! What `amtool`, Karma and Prometheus read over the Alertmanager API.

use serde_json::{Value, json};

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn alert(name: &str, state: AmAlertState) -> AmAlert {
    let labels = Labels::from([("alertname".into(), name.into()), ("severity".into(), "critical".into())]);
    AmAlert {
        fingerprint: crate::inbound::alertmanager::fingerprint(&labels),
        labels,
        annotations: Labels::new(),
        starts_at: at("2026-11-21T17:00:00Z"),
        ends_at: at("2026-11-21T17:05:00.5Z"),
        updated_at: at("2026-11-21T17:00:01Z"),
        generator_url: String::new(),
        receiver: "payments".into(),
        state,
        silenced_by: vec![],
    }
}

#[test]
fn alerts_have_every_required_key() {
    let body: Value = serde_json::from_str(&alerts_body([&alert("Demo", AmAlertState::Active)])).unwrap();
    assert_eq!(
        body,
        json!([{
            "labels": {"alertname": "Demo", "severity": "critical"}, "annotations": {}, "generatorURL": "",
            "startsAt": "2026-11-21T17:00:00.000Z", "endsAt": "2026-11-21T17:05:00.500Z", "updatedAt": "2026-11-21T17:00:01.000Z",
            "fingerprint": "1a0aca3de49ca79f", "receivers": [{"name": "payments"}],
            "status": {"state": "active", "silencedBy": [], "inhibitedBy": [], "mutedBy": []},
        }])
    );
    let alerts = [alert("A", AmAlertState::Active), alert("B", AmAlertState::Suppressed), alert("A", AmAlertState::Active)];
    let groups: Value = serde_json::from_str(&groups_body(&alerts, &["alertname"])).unwrap();
    assert_eq!(groups.as_array().unwrap().len(), 2);
    assert_eq!(groups[0]["alerts"].as_array().unwrap().len(), 2);
    assert_eq!((&groups[0]["routeLabels"], &groups[0]["receiver"]["name"]), (&json!({}), &json!("payments")));
    let status: Value =
        serde_json::from_str(&status_body(&AmStatus { version: "0.1.0", started_at: at("2026-11-21T17:00:00Z"), config: "" })).unwrap();
    for key in ["cluster", "versionInfo", "config", "uptime"] {
        assert!(!status[key].is_null(), "{key}");
    }
    assert_eq!(receivers_body(&["a"]), r#"[{"name":"a"}]"#);
}

#[test]
fn amtools_query_shows_active_alerts_only() {
    let query = AmQuery::from_pairs([
        ("active", "true"),
        ("inhibited", "false"),
        ("silenced", "false"),
        ("unprocessed", "false"),
        ("filter", "alertname=~\"De.*\""),
    ])
    .unwrap();
    assert!(query.wants_alert(&alert("Demo", AmAlertState::Active)));
    assert!(!query.wants_alert(&alert("Demo", AmAlertState::Suppressed)));
    assert!(!query.wants_alert(&alert("Other", AmAlertState::Active)));
    let query = AmQuery::from_pairs([("receiver", "pay.*")]).unwrap();
    assert!(query.wants_alert(&alert("Demo", AmAlertState::Suppressed)));
    assert!(!AmQuery::from_pairs([("receiver", "pay")]).unwrap().wants_alert(&alert("Demo", AmAlertState::Active)), "anchored");
    for (filter, name) in [
        ("alertname=Disk full", "Disk full"),
        ("alertname=x,y", "x,y"),
        (r#"{alertname="Demo",job=""}"#, "Demo"),
        (r#"alertname="Demo",job="""#, "Demo"),
    ] {
        assert!(AmQuery::from_pairs([("filter", filter)]).unwrap().wants_alert(&alert(name, AmAlertState::Active)), "{filter}");
    }
    for bad in [("filter", "a~b"), ("active", "maybe"), ("receiver", "(")] {
        assert_eq!(AmQuery::from_pairs([bad]).unwrap_err().answer().status, 400);
    }
}

#[test]
fn a_silence_goes_in_and_out() {
    let now = at("2026-11-21T17:00:00Z");
    let body = r#"{"matchers":[{"isEqual":true,"isRegex":false,"name":"alertname","value":"Demo"},{"isRegex":true,"isEqual":false,"name":"job","value":"a|b"}],
        "startsAt":"2026-11-21T16:59:00.000Z","endsAt":"2026-11-21T18:00:00.000Z","createdBy":"ana","comment":"works"}"#;
    let posted = parse_silence(body.as_bytes(), now).unwrap();
    assert_eq!((posted.id, posted.matchers.to_string().as_str()), (None, r#"alertname="Demo",job!~"a|b""#));
    let silence = AmSilence {
        id: "0190a1b2-0000-7000-8000-000000000000".into(),
        state: AmSilenceState::at(posted.starts_at, posted.ends_at, now),
        updated_at: now,
        comment: posted.comment,
        created_by: posted.created_by,
        starts_at: posted.starts_at,
        ends_at: posted.ends_at,
        matchers: posted.matchers.0,
    };
    let shown: Value = serde_json::from_str(&silence_body(&silence)).unwrap();
    assert_eq!(shown["status"]["state"], "active");
    assert_eq!(shown["matchers"][1], json!({"name": "job", "value": "a|b", "isRegex": true, "isEqual": false}));
    let query = |filter| AmQuery::from_pairs([("filter", filter), ("expired", "false")]).unwrap();
    assert!(query(r#"alertname="Demo""#).wants_silence(&silence));
    assert!(!query(r#"alertname="Else""#).wants_silence(&silence));
    let over = AmSilence { state: AmSilenceState::Expired, ..silence };
    assert!(!query(r#"alertname="Demo""#).wants_silence(&over));
}

#[test]
fn a_silence_reads_back_whatever_its_names_and_values_hold() {
    let now = at("2026-11-21T17:00:00Z");
    for (name, value, is_regex) in
        [("label with space", "v", false), ("a\"b", "x\\y\n", false), ("größe", "foo{bar", true), ("a", "\\Qa.b\\E", true)]
    {
        let body = json!({"matchers": [{"name": name, "value": value, "isRegex": is_regex}], "startsAt": "2026-11-21T16:59:00Z",
            "endsAt": "2026-11-21T18:00:00Z", "createdBy": "ana", "comment": ""});
        let posted = parse_silence(body.to_string().as_bytes(), now).unwrap();
        let read = Matchers::parse(&posted.matchers.to_string()).unwrap();
        assert_eq!((read.0[0].name.as_str(), read.0[0].value()), (name, value));
    }
}

#[test]
fn a_silence_that_would_silence_everything_is_refused() {
    let now = at("2026-11-21T17:00:00Z");
    let with = |matchers: &str, ends: &str| {
        let body =
            format!(r#"{{"matchers":{matchers},"startsAt":"2026-11-21T16:00:00Z","endsAt":"{ends}","createdBy":"a","comment":"c"}}"#);
        parse_silence(body.as_bytes(), now).unwrap_err().answer().body
    };
    let good = r#"[{"name":"a","value":"b","isRegex":false}]"#;
    assert!(with("[]", "2026-11-21T18:00:00Z").contains("at least one matcher required"));
    assert!(with(r#"[{"name":"a","value":".*","isRegex":true}]"#, "2026-11-21T18:00:00Z").contains("empty string"));
    assert!(with(r#"[{"name":"a","value":"(","isRegex":true}]"#, "2026-11-21T18:00:00Z").contains("regular expression"));
    assert!(with(r#"[{"name":"a","value":"x)|(y","isRegex":true}]"#, "2026-11-21T18:00:00Z").contains("regular expression"));
    assert!(with(r#"[{"name":"","value":"x","isRegex":false}]"#, "2026-11-21T18:00:00Z").contains("name of a label is missing"));
    let long = format!(r#"[{{"name":"a","value":"{}","isRegex":false}}]"#, "x".repeat(65 * 1024));
    assert!(with(&long, "2026-11-21T18:00:00Z").contains("longer than 65536 bytes"));
    assert!(with(good, "2026-11-21T16:30:00Z").contains("in the past"));
    assert!(with(good, "2026-11-21T15:00:00Z").contains("before end time"));
    assert!(parse_silence(b"{", now).unwrap_err().answer().body.contains(r#""code":400"#));
}
