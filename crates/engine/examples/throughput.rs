//! Signals a second through the decider alone, without HTTP: `cargo run --release --example
//! throughput -p allclear-engine -- PATH CALLERS PER_REQUEST SECONDS (record|declare)`.

#![allow(clippy::unwrap_used, clippy::disallowed_methods)] // measures

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use allclear_domain::access::{Actor, Principal};
use allclear_domain::org::model::Bundle;
use allclear_domain::wire::{Message, Outcome, Signal, SignalAction, Target};
use allclear_engine::clock::SystemClock;
use allclear_engine::core::{Arrived, Command, Input};
use allclear_engine::identity::seal::SecretKey;
use allclear_engine::outbox::OutboxSettings;
use allclear_engine::ports::{BoxFuture, Ports, SystemRng, Transport};
use allclear_engine::{Engine, EngineSettings};
use allclear_store::schema::{MIGRATIONS, TABLES};
use allclear_store::{Db, OpenOptions};
use jiff::Timestamp;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

struct Nowhere;
impl Transport for Nowhere {
    fn send<'a>(&'a self, _: &'a str, _: &'a Message, _: &'a Target, _: Timestamp) -> BoxFuture<'a, Outcome> {
        Box::pin(async { Outcome::Delivered { receipt: "200".into() } })
    }
}

const ORG: &str = r#"{"people":[{"id":"ana","name":"Ana","contacts":[{"id":"hook","webhook":"http://x.example/ana"}]}],
 "escalations":[{"id":"main","steps":[{"page":["person:ana"],"within":"5m"}]}],
 "services":[{"id":"shop","name":"Shop","escalation":"main"}],
 "integrations":[{"id":"prom","kind":"alertmanager","key":"prom-key-1","service":"shop"}],
 "routes":[{"match":"kind=\"record\"","declare":"record"}]}"#;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [path, callers, per_request, seconds, kind] = args.as_slice() else { panic!("see the file's head") };
    let (callers, per_request, seconds): (usize, usize, u64) =
        (callers.parse().unwrap(), per_request.parse().unwrap(), seconds.parse().unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(run(path, callers, per_request, seconds, kind));
}

async fn run(path: &str, callers: usize, per_request: usize, seconds: u64, kind: &str) {
    let url = if path.starts_with("postgres") { path.to_owned() } else { format!("sqlite:{path}") };
    let db = Db::open(&url, OpenOptions::new(MIGRATIONS, TABLES)).await.unwrap();
    let ports = Ports {
        clock: Arc::new(SystemClock::default()),
        rng: Arc::new(SystemRng),
        transport: Arc::new(Nowhere),
        channels: allclear_channels::registry::WAYS_OUT,
    };
    let outbox = OutboxSettings { per_target: 0, ..OutboxSettings::default() };
    let settings = EngineSettings { base_url: "http://localhost:1".into(), quarantine: false, outbox, admin_token: None };
    let engine = Engine::start(db, ports, settings, SecretKey::from_bytes([1; 32])).await.unwrap();
    let bundle: Bundle = serde_json::from_str(ORG).unwrap();
    engine.apply_org(bundle, None, false, &Principal::own(Actor::System)).await.unwrap();
    let count = Arc::new(AtomicU64::new(0));
    let next = Arc::new(AtomicU64::new(0));
    let until = Instant::now() + Duration::from_secs(seconds);
    let mut tasks = Vec::new();
    for _ in 0..callers {
        let (engine, count, next, kind) = (engine.clone(), count.clone(), next.clone(), kind.to_owned());
        tasks.push(tokio::spawn(async move {
            while Instant::now() < until {
                let signals = (0..per_request).map(|_| signal(next.fetch_add(1, Ordering::Relaxed), &kind)).collect();
                let arrived = Arrived {
                    integration: "prom".into(),
                    format: "alertmanager",
                    received_at: engine.now(),
                    body: "[{\"labels\":{\"alertname\":\"x\"}}]".repeat(per_request),
                    signals,
                    kept: None,
                };
                let input = Input {
                    who: Principal::own(Actor::Integration("prom".into())),
                    cause: "signal".into(),
                    once: None,
                    command: Command::Signals(arrived),
                };
                engine.submit(input).await.unwrap();
                count.fetch_add(per_request as u64, Ordering::Relaxed);
            }
        }));
    }
    let start = Instant::now();
    for task in tasks {
        task.await.unwrap();
    }
    println!("{:.0} signals/s", count.load(Ordering::Relaxed) as f64 / start.elapsed().as_secs_f64());
    engine.stop().await;
}

fn signal(n: u64, kind: &str) -> Signal {
    Signal {
        action: SignalAction::Trigger,
        // Scattered, as the fingerprints of label sets are.
        dedup_key: format!("{:016x}", (n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)),
        title: format!("alert number {n} is firing"),
        description: None,
        source: Some("host-1".into()),
        service: None,
        severity: None,
        labels: [("alertname".to_owned(), "Bench".to_owned()), ("kind".to_owned(), kind.to_owned()), ("n".to_owned(), n.to_string())]
            .into(),
        annotations: BTreeMap::new(),
        starts_at: Some(Timestamp::UNIX_EPOCH),
        ends_at: Timestamp::from_second(4_000_000_000).ok(),
        links: Vec::new(),
        notes: Vec::new(),
    }
}
