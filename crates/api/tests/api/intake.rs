//! Intake in each sender's format, with the exact answers that its clients expect.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use allclear_channels::inbound::text::{BATCH_BYTES_MAX, EVENT_BYTES_MAX};
use allclear_store::faulty::{FaultHook, FaultPlan};
use allclear_store::{Db, OpenOptions, schema};
use serde_json::json;

use crate::world::{ADMIN, PD_KEY, PROM_KEY, World};

const TRIGGER: &str = r#"{"routing_key":"0123456789abcdef0123456789abcdef","event_action":"trigger","dedup_key":"k1",
    "payload":{"summary":"Disk full","source":"db1","severity":"critical"}}"#;
const FIRING: &str = r#"[{"labels":{"alertname":"HighLoad","instance":"a:1","severity":"critical"},"annotations":{"summary":"Load"}}]"#;

#[tokio::test]
async fn each_format_gets_exactly_its_own_answer() {
    let w = World::new().await;
    let back = w.ask("POST", &format!("/prom/{PROM_KEY}/api/v2/alerts"), &[], FIRING).await;
    assert_eq!((back.status, back.text().as_str(), back.header("content-type")), (200, "", "application/json"));
    let basic = "Basic dXNlcjpwcm9tLWtleS0wMDAx"; // user:prom-key-0001
    for auth in [format!("Bearer {PROM_KEY}").as_str(), basic] {
        let back = w.ask("POST", "/api/v2/alerts", &[("authorization", auth)], FIRING).await;
        assert_eq!((back.status, back.body.len()), (200, 0), "{auth}");
    }
    // One bad alert in a batch: the good one is kept, and the bad one named.
    let mixed = r#"[{"labels":{"alertname":"Other"}},{"labels":{}}]"#;
    let back = w.ask("POST", &format!("/prom/{PROM_KEY}/api/v2/alerts"), &[], mixed).await;
    let said = json!({"status": "success", "refused": ["alert 2: at least one label pair required"], "notes": []});
    assert_eq!((back.status, back.json()), (200, said));
    let none = w.ask("POST", &format!("/prom/{PROM_KEY}/api/v2/alerts"), &[], r#"[{"labels":{}}]"#).await;
    assert_eq!((none.status, none.json()), (400, json!("alert 1: at least one label pair required")));
    let back = w.ask("POST", &format!("/prom/{PROM_KEY}/api/v2/alerts"), &[], "{").await;
    assert_eq!((back.status, back.json()["code"].clone()), (400, json!(400)));

    let back = w.ask("POST", "/v2/enqueue", &[("content-type", "text/plain")], TRIGGER).await;
    assert_eq!((back.status, back.json()), (202, json!({"status":"success","message":"Event processed","dedup_key":"k1"})));
    let nobody =
        w.ask("POST", "/v2/enqueue", &[("x-routing-key", PD_KEY)], r#"{"event_action":"resolve","dedup_key":"nobody-knows"}"#).await;
    assert_eq!(nobody.status, 202, "resolving what is not open is success");
    let change = r#"{"routing_key":"0123456789abcdef0123456789abcdef","payload":{"summary":"Deployed 7"}}"#;
    let back = w.ask("POST", "/v2/change/enqueue", &[], change).await;
    assert_eq!((back.status, back.json()["message"].clone()), (202, json!("Change event processed")));
    let kept = w.get("/api/v1/signals", ADMIN).await.json();
    let change = kept["items"].as_array().unwrap().iter().find(|signal| signal["format"] == "pagerduty-change").unwrap();
    assert!(change["body"].as_str().unwrap().contains("Deployed 7"));
    assert!(!kept.to_string().contains(PD_KEY), "keys are not kept: {kept}");

    let back = w.ask("POST", "/in/json/json-key-0001", &[], r#"{"title":"Odd","dedup_key":"j1"}"#).await;
    assert_eq!((back.status, back.json()), (202, json!({"status":"accepted","dedup_keys":["j1"]})));
    let open = w.get("/api/v1/alerts?open=true", ADMIN).await.json();
    assert_eq!(open["items"].as_array().unwrap().len(), 4, "{open}");
    let metrics = w.ask("GET", "/metrics", &[], "").await.text();
    assert!(metrics.contains(r#"allclear_signals_accepted_total{integration="prom"} 4"#), "{metrics}");
    assert!(metrics.contains("allclear_alerts_stored 4"), "{metrics}");
}

#[tokio::test]
async fn a_group_of_grafana_s_alerts_begins_and_ends() {
    let w = World::new().await;
    let sent =
        |name: &str| std::fs::read_to_string(format!("{}/../channels/golden/grafana/{name}.json", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let back = w.ask("POST", "/in/grafana/grafana-key-0001", &[], sent("firing")).await;
    assert_eq!((back.status, back.json()), (200, json!({"status": "accepted", "alerts": 2})));
    let back = w.ask("POST", "/in/grafana/grafana-key-0001", &[], sent("resolved")).await;
    assert_eq!((back.status, back.json()["alerts"].clone()), (200, json!(1)));
    let open = w.get("/api/v1/alerts?open=true", ADMIN).await.json();
    let titles: Vec<_> = open["items"].as_array().unwrap().iter().map(|alert| alert["title"].as_str().unwrap()).collect();
    assert_eq!(titles, ["Orders per minute: DatasourceNoData"], "{open}");
    let back = w.ask("POST", "/in/grafana/grafana-key-0001", &[], r#"{"ruleId":1}"#).await;
    assert!(back.status == 400 && back.json()["message"].as_str().unwrap().contains("before Grafana 9"), "{}", back.text());
}

#[tokio::test]
async fn a_wrong_key_or_kind_is_refused_in_words_the_sender_logs() {
    let w = World::new().await;
    for (path, auth) in [("/prom/nope/api/v2/alerts", ""), ("/in/json/nope", ""), ("/api/v2/alerts", "Bearer nope"), ("/api/v2/alerts", "")]
    {
        let back = w.ask("POST", path, &[("authorization", auth)], FIRING).await;
        assert_eq!((back.status, back.json()["code"].clone()), (401, json!("unknown_key")), "{path}");
    }
    let wrong = w.ask("POST", &format!("/in/json/{PROM_KEY}"), &[], r#"{"title":"x"}"#).await;
    assert_eq!((wrong.status, wrong.json()["code"].clone()), (401, json!("wrong_kind")));
    assert_eq!(w.ask("POST", "/in/pigeon/x", &[], "").await.json()["code"], "no_such_format");
    for body in [r#"{"event_action":"trigger"}"#, r#"{"routing_key":"nope","event_action":"trigger"}"#] {
        let back = w.ask("POST", "/v2/enqueue", &[], body).await;
        assert_eq!((back.status, back.json()["status"].clone()), (400, json!("invalid event")), "{body}");
    }
}

#[tokio::test]
async fn bodies_are_unpacked_and_bounded_both_ways() {
    let w = World::new().await;
    let packed = |text: &[u8]| {
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        gz.write_all(text).unwrap();
        gz.finish().unwrap()
    };
    let path = format!("/prom/{PROM_KEY}/api/v2/alerts");
    let gzip = [("content-encoding", "gzip")];
    assert_eq!(w.ask("POST", &path, &gzip, packed(FIRING.as_bytes())).await.status, 200);
    let bomb = packed(&vec![b' '; BATCH_BYTES_MAX + 1]);
    assert!(bomb.len() < 20_000);
    assert_eq!(w.ask("POST", &path, &gzip, bomb).await.status, 413);
    let back = w.ask("POST", &path, &[], vec![b' '; BATCH_BYTES_MAX + 1]).await;
    assert_eq!((back.status, back.json()["code"].clone()), (413, json!(413)), "in the sender's own format");
    let back = w.ask("POST", "/v2/enqueue", &[], vec![b' '; EVENT_BYTES_MAX + 1]).await;
    assert_eq!((back.status, back.json()["status"].clone()), (413, json!("invalid event")));
    // What fits is taken, plain and packed, however it comes.
    let mut large = FIRING.as_bytes().to_vec();
    large.resize(BATCH_BYTES_MAX, b' ');
    assert_eq!(w.ask("POST", &path, &gzip, packed(&large)).await.status, 200);
    let chunks = large.chunks(1 << 20).map(|chunk| Ok::<_, std::io::Error>(chunk.to_vec())).collect::<Vec<_>>();
    let stream = axum::body::Body::from_stream(futures_util::stream::iter(chunks));
    assert_eq!(w.ask("POST", &path, &[], stream).await.status, 200);
    assert_eq!(w.ask("POST", &path, &gzip, "not gzip").await.status, 400);
    assert_eq!(w.ask("POST", &path, &[("content-encoding", "br")], "x").await.status, 415);
}

#[tokio::test]
async fn what_is_not_durable_is_answered_503_with_when_to_return() {
    let broken = Arc::new(AtomicBool::new(false));
    let hook = broken.clone();
    let db = Db::open("sqlite::memory:", OpenOptions::new(schema::MIGRATIONS, schema::TABLES)).await.unwrap().with_faults(fault_when(hook));
    let w = World::over(db).await;
    w.ask("POST", "/in/json/json-key-0001", &[], r#"{"title":"Before"}"#).await;
    broken.store(true, Ordering::SeqCst);
    for (path, body) in [
        (format!("/prom/{PROM_KEY}/api/v2/alerts"), FIRING),
        ("/v2/enqueue".into(), TRIGGER),
        ("/in/json/json-key-0001".into(), r#"{"title":"x"}"#),
    ] {
        let back = w.ask("POST", &path, &[], body).await;
        assert_eq!((back.status, back.header("retry-after")), (503, "5"), "{path}: {}", back.text());
    }
    assert_eq!(w.ask("GET", "/-/ready", &[], "").await.status, 503);
    assert_eq!(w.ask("GET", "/-/healthy", &[], "").await.status, 200);
    broken.store(false, Ordering::SeqCst);
    assert_eq!(w.ask("POST", "/v2/enqueue", &[], TRIGGER).await.status, 202);
    assert_eq!(w.ask("GET", "/healthz", &[], "").await.status, 200);
}

#[tokio::test]
async fn alertmanagers_clients_read_alerts_and_set_silences() {
    let w = World::new().await;
    let at = |path: &str| format!("/prom/{PROM_KEY}/api/v2{path}");
    w.ask("POST", &at("/alerts"), &[], FIRING).await;
    w.ask("POST", "/v2/enqueue", &[], TRIGGER).await;
    let alerts = w.ask("GET", &at("/alerts?filter=alertname%3D%22HighLoad%22&active=true"), &[], "").await.json();
    assert_eq!(alerts.as_array().unwrap().len(), 1, "another integration's alert is not shown: {alerts}");
    assert_eq!((&alerts[0]["status"]["state"], &alerts[0]["receivers"][0]["name"]), (&json!("active"), &json!("first")));
    assert_eq!(w.ask("GET", &at("/alerts?filter=alertname%3Dnone"), &[], "").await.json(), json!([]));
    let groups = w.ask("GET", &at("/alerts/groups"), &[], "").await.json();
    assert_eq!(groups[0]["labels"], json!({"alertname": "HighLoad"}));
    assert_eq!(w.ask("GET", &at("/receivers"), &[], "").await.json()[1]["name"], "first");
    assert_eq!(w.ask("GET", &at("/status"), &[], "").await.json()["cluster"]["status"], "disabled");

    let silence = |id: &str, value: &str| {
        let (from, to) = (w.engine.now(), w.engine.now() + jiff::SignedDuration::from_hours(2));
        json!({"id": id, "matchers": [{"name": "alertname", "value": value, "isRegex": false, "isEqual": true}],
            "startsAt": from, "endsAt": to, "createdBy": "ana", "comment": "work"})
        .to_string()
    };
    let made = w.ask("POST", &at("/silences"), &[], silence("", "HighLoad")).await.json();
    let id = made["silenceID"].as_str().unwrap().to_owned();
    let same = w.ask("POST", &at("/silences"), &[], silence(&id, "HighLoad")).await.json();
    assert_eq!(same["silenceID"], id.as_str(), "the same matchers change it");
    let other = w.ask("POST", &at("/silences"), &[], silence(&id, "Other")).await.json();
    assert_ne!(other["silenceID"], id.as_str(), "other matchers make a new one");
    assert_eq!(w.ask("GET", &at(&format!("/silence/{id}")), &[], "").await.json()["status"]["state"], "expired");
    let other = other["silenceID"].as_str().unwrap();
    assert_eq!(w.ask("DELETE", &at(&format!("/silence/{other}")), &[], "").await.status, 200);
    assert_eq!(w.ask("GET", &at("/silences?active=true&expired=false&pending=false"), &[], "").await.json(), json!([]));
    assert_eq!(w.ask("DELETE", &at("/silence/no-such"), &[], "").await.status, 404);
    assert_eq!(
        w.ask("GET", "/api/v2/silences", &[("authorization", &format!("Bearer {PROM_KEY}"))], "").await.json().as_array().unwrap().len(),
        2
    );
}

#[tokio::test]
async fn a_slash_too_many_loses_no_alarm_and_an_old_address_says_which_is_new() {
    let w = World::new().await;
    let bearer = format!("Bearer {PROM_KEY}");
    for (n, path) in [
        format!("/prom/{PROM_KEY}/api/v2/alerts/"),
        format!("/prom//{PROM_KEY}/api/v2//alerts"),
        format!("//prom/{PROM_KEY}/api/v2/alerts"),
        "/api/v2/alerts/".into(),
        "/api//v2/alerts".into(),
    ]
    .into_iter()
    .enumerate()
    {
        let body = format!(r#"[{{"labels":{{"alertname":"Slash{n}"}}}}]"#);
        assert_eq!(w.ask("POST", &path, &[("authorization", &bearer)], body).await.status, 200, "{path}");
    }
    assert_eq!(w.ask("POST", "/v2/enqueue/", &[], TRIGGER).await.status, 202);
    assert_eq!(w.ask("POST", "/in/json/json-key-0001/", &[], r#"{"title":"slash"}"#).await.status, 202);
    assert_eq!(w.ask("POST", "/in//json/json-key-0001?a=b", &[], r#"{"title":"slashes"}"#).await.status, 202);
    let read = w.ask("GET", &format!("/prom/{PROM_KEY}/api/v2/alerts/?filter=alertname%3DSlash1"), &[], "").await.json();
    assert_eq!(read.as_array().unwrap().len(), 1);

    for (path, auth) in [(format!("/prom/{PROM_KEY}/api/v1/alerts"), ""), ("/api/v1/alerts".into(), bearer.as_str())] {
        let back = w.ask("POST", &path, &[("authorization", auth)], FIRING).await;
        assert!(back.status == 410 && back.text().contains("/api/v2/alerts"), "{path}: {}", back.text());
    }
    assert_eq!(w.post("/api/v1/alerts", ADMIN, FIRING).await.status, 405, "it stays an address of the control API");
    assert_eq!(w.get("/api/v1/alerts", ADMIN).await.status, 200);
    assert_eq!(w.ask("POST", &format!("/prom/{PROM_KEY}/api/v3/alerts"), &[], FIRING).await.status, 404);
    let refused = w.get("/api/v1/refused", ADMIN).await.json();
    let reasons: Vec<_> = refused["items"].as_array().unwrap().iter().map(|r| (r["reason"].clone(), r["integration"].clone())).collect();
    for reason in ["old_api", "no_such_address"] {
        assert!(reasons.contains(&(json!(reason), json!("prom"))), "{reasons:?}");
    }
}

#[tokio::test]
async fn what_is_refused_is_counted_and_kept_without_its_secrets() {
    let w = World::new().await;
    let nan = r#"{"routing_key":"0123456789abcdef0123456789abcdef","event_action":"trigger","payload":{"summary":"s","source":"h","severity":"critical","custom_details":{"v":NaN}}}"#;
    let taken = w.ask("POST", "/v2/enqueue", &[], nan).await;
    assert!(taken.status == 202 && taken.json()["message"].as_str().unwrap().contains("NaN"), "{}", taken.text());
    // A body that is no JSON says so, and does not blame the key.
    let broken = w.ask("POST", "/v2/enqueue", &[], &nan[..nan.len() - 3]).await;
    assert!(broken.status == 400 && broken.text().contains("JSON") && !broken.text().contains("routing_key"), "{}", broken.text());

    let prom = format!("/prom/{PROM_KEY}/api/v2/alerts");
    w.ask("POST", &prom, &[], r#"[{"labels":{"alertname":"Good"}},{"labels":{},"annotations":{"token":"hunter2","at":"second"}}]"#).await;
    w.ask("POST", "/in/json/json-key-0001", &[], r#"{"status":"gone","title":"\u202eodd"}"#).await;
    w.ask("POST", "/prom/nope/api/v2/alerts", &[], r#"[{"labels":{"alertname":"Secret"}}]"#).await;
    let found = w.get("/api/v1/refused", ADMIN).await.json();
    let items = found["items"].as_array().unwrap();
    let of = |reason: &str, integration: serde_json::Value| {
        items.iter().find(|r| r["reason"] == reason && r["integration"] == integration).unwrap_or_else(|| panic!("{reason}: {found:#}"))
    };
    let part = of("invalid", json!("prom"));
    assert_eq!((&part["status"], part["detail"].as_str()), (&json!(200), Some("alert 2: at least one label pair required")));
    let body = part["body"].as_str().unwrap();
    assert!(body.contains("second") && !body.contains("Good") && !body.contains("hunter2"), "the refused part alone, redacted: {body}");
    assert!(of("invalid", json!("script"))["detail"].as_str().unwrap().contains("status `gone` is unknown"));
    assert!(items.iter().all(|r| r["integration"] != json!(null) || r["body"] == json!(null)), "a stranger's text is not kept: {found:#}");
    assert!(!found.to_string().contains(PROM_KEY) && !found.to_string().contains(PD_KEY));
    let metrics = w.ask("GET", "/metrics", &[], "").await.text();
    for reason in ["invalid", "malformed", "unknown_key"] {
        assert!(metrics.contains(&format!(r#"allclear_signals_refused_total{{reason="{reason}"}}"#)), "{reason}: {metrics}");
    }
    assert_eq!(w.get("/api/v1/refused", &w.token("read", None).await).await.status, 403);
}

#[tokio::test]
async fn a_flood_of_refusals_fills_no_store() {
    let w = World::new().await;
    for _ in 0..60 {
        w.ask("POST", "/prom/nope/api/v2/alerts", &[], FIRING).await;
        w.ask("POST", "/in/json/json-key-0001", &[], "{").await;
    }
    let found = w.get("/api/v1/refused?limit=200", ADMIN).await.json();
    let items = found["items"].as_array().unwrap();
    // A second has ten of known senders and one of strangers; the machine may need some seconds for all.
    assert!(items.len() < 100, "{}", items.len());
    let metrics = w.ask("GET", "/metrics", &[], "").await.text();
    assert!(metrics.contains(r#"allclear_signals_refused_total{reason="unknown_key"} 60"#), "{metrics}");
}

fn fault_when(broken: Arc<AtomicBool>) -> FaultHook {
    Arc::new(move |_| if broken.load(Ordering::SeqCst) { FaultPlan::FailBefore } else { FaultPlan::None })
}
