//! Intake in each sender's format, with the exact answers that its clients expect.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use allclear_api::intake::BODY_BYTES_MAX;
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
    // One bad alert in a batch: the good one is kept, the answer is 400 with the reason as a text.
    let mixed = r#"[{"labels":{"alertname":"Other"}},{"labels":{}}]"#;
    let back = w.ask("POST", &format!("/prom/{PROM_KEY}/api/v2/alerts"), &[], mixed).await;
    assert_eq!((back.status, back.json()), (400, json!("at least one label pair required")));
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
    let bomb = packed(&vec![b' '; BODY_BYTES_MAX + 1]);
    assert!(bomb.len() < 2000);
    assert_eq!(w.ask("POST", &path, &gzip, bomb).await.status, 413);
    assert_eq!(w.ask("POST", &path, &[], vec![b' '; BODY_BYTES_MAX + 1]).await.status, 413);
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

fn fault_when(broken: Arc<AtomicBool>) -> FaultHook {
    Arc::new(move |_| if broken.load(Ordering::SeqCst) { FaultPlan::FailBefore } else { FaultPlan::None })
}
