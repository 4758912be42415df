//! Batches of alarms with any defect in any of them: what is good is kept, what is not is named, and both databases say
//! the same. And whatever bytes come, the answer is never a fault of ours.

use std::collections::BTreeSet;

use allclear_store::{Db, OpenOptions, schema};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::world::{ADMIN, PROM_KEY, World};

/// Batches that are tried.
const BATCHES: usize = 12;
/// Most alarms of one; a few have as many, as rulers have after an outage.
const ALARMS_MAX: usize = 3000;
/// Bodies that nobody would send on purpose.
const BODIES: usize = 400;

/// How an alarm is spelt: what is around its name. `NAME` and `WORD` are filled in.
#[derive(Debug, Clone, Copy)]
struct Spelling {
    text: &'static str,
    is_kept: bool,
}

const fn kept(text: &'static str) -> Spelling {
    Spelling { text, is_kept: true }
}

const fn lost(text: &'static str) -> Spelling {
    Spelling { text, is_kept: false }
}

/// Alerts as rulers and Alertmanager's webhook spell them; what names them is the label `alertname`.
const ALERTS: &[Spelling] = &[
    kept(r#"{"labels":{"alertname":"NAME","severity":"info"},"annotations":{"summary":"s"},"status":"firing"}"#),
    kept(r#"{"labels":{"alertname":"NAME","severity":"info","code":500,"on":true},"annotations":{"runbook_url":null}}"#),
    kept(r#"{"labels":{"alertname":"NAME","severity":"info","tags":["a",{"b":[1]}]},"annotations":[1,2]}"#),
    kept(r#"{"labels":{"alertname":"NAME","severity":"info","null":null},"annotations":null,"startsAt":null,"endsAt":{}}"#),
    kept(r#"{"labels":{"alertname":"NAME","severity":"info","long":"LONG"},"annotations":{"summary":"LONG"},"unknown":[[[[]]]]}"#),
    kept(r#"{"labels":{"alertname":"NAME","severity":"info",MANY},"generatorURL":"nowhere","status":7}"#),
    kept(r#"{"labels":{"alertname":"NAME","severity":"info"},"startsAt":"9999-12-31T23:59:59Z","endsAt":"9999-12-31T23:59:59Z"}"#),
    kept(r#"{"labels":{"alertname":"NAME","severity":"info"},"startsAt":"1970-01-01T00:00:00Z","endsAt":"yesterday"}"#),
    kept(r#"{"labels":{"alertname":"NAME","severity":"info","half":"a\ud800b"},"annotations":{"d":"C:\data"},"value":NaN}"#),
    kept("{\"labels\":{\"alertname\":\"NAME\",\"severity\":\"info\",\"raw\":\"a\u{1}\nb\"},\"value\":1e999}"),
    kept(r#"{"labels":{"alertname":"x"},"labels":{"alertname":"NAME","severity":"info"},"annotations":{"a":"1","a":"2"}}"#),
    kept("{\"labels\":{\"alertname\":\"NAME\",\"severity\":\"info\",\"bidi\":\"\u{202e}x\",\"\":\"v\"}}"),
    lost("7"),
    lost("null"),
    lost("[]"),
    lost(r#""text""#),
    lost("{}"),
    lost(r#"{"labels":{}}"#),
    lost(r#"{"labels":null,"annotations":{"summary":"s"}}"#),
    lost(r#"{"labels":"x"}"#),
    lost(r#"{"labels":{"x":""}}"#),
];

/// Alarms in our own format; what names them is the title.
const PLAIN: &[Spelling] = &[
    kept(r#"{"title":"NAME","severity":"info"}"#),
    kept(r#"{"title":"NAME","severity":"info","description":{"a":1},"labels":{"a":["b"],"c":null},"source":["h"]}"#),
    kept(r#"{"title":"NAME","severity":"info","labels":7,"links":"nowhere","starts_at":"9999-01-01","status":null}"#),
    kept(r#"{"title":"NAME","severity":"info","dedup_key":"NAMELONG","labels":{"long":"LONG",MANY},"description":"a\ud800"}"#),
    kept(r#"{"title":"x","title":"NAME","severity":"info","service":{"id":"checkout"},"value":-Infinity}"#),
    lost(r#"{"title":{"a":1}}"#),
    lost(r#"{"status":"firing"}"#),
    lost(r#"{"title":"NAME","status":"gone"}"#),
    lost("null"),
    lost("[[]]"),
];

fn spelt(spelling: Spelling, name: &str) -> String {
    let many: Vec<String> = (0..70).map(|n| format!(r#""l{n:02}":"v""#)).collect();
    spelling
        .text
        .replace("NAMELONG", &format!("{name}{}", "k".repeat(600)))
        .replace("NAME", name)
        .replace("LONG", &"x".repeat(5000))
        .replace("MANY", &many.join(","))
}

/// The address, the spellings, and what is around the list.
type Shape = (String, &'static [Spelling], &'static str, &'static str);

fn shapes() -> Vec<Shape> {
    vec![
        (format!("/prom/{PROM_KEY}/api/v2/alerts"), ALERTS, "[", "]"),
        (format!("/in/alertmanager/{PROM_KEY}"), ALERTS, r#"{"status":"firing","alerts":["#, "]}"),
        ("/in/json/json-key-0001/".to_owned(), PLAIN, "[", "]"),
    ]
}

async fn titles(w: &World) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut cursor = String::new();
    loop {
        let page = w.get(&format!("/api/v1/alerts?limit=200{cursor}"), ADMIN).await.json();
        for alert in page["items"].as_array().unwrap() {
            let name = alert["detail"]["labels"]["alertname"].as_str().or(alert["title"].as_str()).unwrap();
            assert!(found.insert(name.to_owned()), "{name} is kept once");
        }
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

/// What a batch gave: the statuses, the answers, and what is kept in the end.
async fn outcome(w: &World, batches: &[(usize, Vec<usize>)]) -> (Vec<(u16, Value)>, BTreeSet<String>) {
    let shapes = shapes();
    let (mut answers, mut wanted) = (Vec::new(), BTreeSet::new());
    for (batch, (shape, picks)) in batches.iter().enumerate() {
        let (path, spellings, before, after) = &shapes[*shape];
        let mut alarms = Vec::with_capacity(picks.len());
        for (n, pick) in picks.iter().enumerate() {
            let spelling = spellings[pick % spellings.len()];
            let name = format!("B{batch}N{n}");
            alarms.push(spelt(spelling, &name));
            if spelling.is_kept {
                wanted.insert(name);
            }
        }
        let good = picks.iter().filter(|pick| spellings[**pick % spellings.len()].is_kept).count();
        let back = w.ask("POST", path, &[], format!("{before}{}{after}", alarms.join(","))).await;
        let said = if back.body.is_empty() { Value::Null } else { back.json() };
        match good {
            0 => assert_eq!(back.status, 400, "{path}: {said}"),
            _ => assert!(matches!(back.status, 200 | 202), "{path}: {} {said}", back.status),
        }
        if good > 0 && good < picks.len() {
            let first = picks.iter().position(|pick| !spellings[*pick % spellings.len()].is_kept).unwrap();
            assert!(said["refused"][0].as_str().unwrap().starts_with(&format!("alert {}:", first + 1)), "named by its place: {said}");
        }
        answers.push((back.status, said));
    }
    let found = titles(w).await;
    assert_eq!(found.symmetric_difference(&wanted).collect::<Vec<_>>(), Vec::<&String>::new(), "every good one is kept, and nothing else");
    (answers, found)
}

#[tokio::test]
async fn whatever_is_wrong_with_one_alarm_the_others_are_kept_on_both_databases() {
    let mut runner = TestRunner::deterministic();
    let size = prop_oneof![4 => 1..20_usize, 1 => 20..ALARMS_MAX];
    let one = (0..3_usize, size).prop_flat_map(|(shape, size)| (Just(shape), prop::collection::vec(0..210_usize, size)));
    let mut batches = prop::collection::vec(one, BATCHES).new_tree(&mut runner).unwrap().current();
    // One as large as it gets, whatever was drawn.
    batches.push((0, (0..ALARMS_MAX).collect()));
    let on_sqlite = outcome(&World::new().await, &batches).await;
    let url = allclear_store::testing::fresh_database().await.unwrap();
    let db = Db::open(&url, OpenOptions::new(schema::MIGRATIONS, schema::TABLES)).await.unwrap();
    let on_postgres = outcome(&World::over(db).await, &batches).await;
    // Keys that are made for alarms without one are the only thing that may differ, and there are none in these.
    assert_eq!(on_sqlite, on_postgres);
}

/// JSON of any shape, with the words of the formats among its keys and values.
fn anything() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(vec![
        "labels",
        "annotations",
        "alerts",
        "status",
        "startsAt",
        "endsAt",
        "generatorURL",
        "title",
        "dedup_key",
        "severity",
        "description",
        "source",
        "service",
        "links",
        "starts_at",
        "routing_key",
        "event_action",
        "payload",
        "summary",
        "timestamp",
        "custom_details",
        "images",
        "client_url",
        "href",
        "text",
        "alertname",
        "trigger",
        "resolved",
        "firing",
        "critical",
        "0123456789abcdef0123456789abcdef",
        "2026-11-21T03:00:00Z",
        "9999-12-31T23:59:59Z",
        "",
    ]);
    let text = prop_oneof![word.prop_map(str::to_owned), any::<String>()].boxed();
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((text.clone(), inner), 0..8).prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

#[tokio::test]
async fn whatever_comes_the_answer_is_no_fault_of_ours() {
    let w = World::new().await;
    let mut runner = TestRunner::deterministic();
    let addresses = [
        format!("/prom/{PROM_KEY}/api/v2/alerts"),
        format!("/in/alertmanager/{PROM_KEY}"),
        "/in/json/json-key-0001".to_owned(),
        "/in/pagerduty/0123456789abcdef0123456789abcdef".to_owned(),
        "/v2/enqueue".to_owned(),
        "/v2/change/enqueue".to_owned(),
        format!("/prom/{PROM_KEY}/api/v2/silences"),
    ];
    let cut = (anything(), 0..40_usize, any::<u8>(), any::<bool>());
    for _ in 0..BODIES {
        let (value, at, byte, is_broken) = cut.new_tree(&mut runner).unwrap().current();
        let mut body = value.to_string().into_bytes();
        if is_broken && at < body.len() {
            body[at] = byte;
        }
        for address in &addresses {
            let back = w.ask("POST", address, &[], body.clone()).await;
            assert!(back.status < 500, "{address} answers {} to {}", back.status, String::from_utf8_lossy(&body));
        }
    }
    let whole = w.ask("POST", &addresses[0], &[], json!([{"labels": {"alertname": "After"}}]).to_string()).await;
    assert_eq!(whole.status, 200);
}
