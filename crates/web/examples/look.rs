//! Serves the pages over a small made-up world whose clock stands still, to look at them:
//! `cargo run -p allclear-web --example look -- busy 8090` (or `late`, `empty`, `flood`, `closed`).
//!
//! It prints the links that people would have been sent.

#![allow(clippy::unwrap_used)] // an example that cannot go on stops

#[path = "../tests/world/mod.rs"]
mod world;

use std::sync::Arc;

use allclear_domain::access::Actor;
use allclear_domain::incident::{self, Severity};
use allclear_engine::core::Command;
use allclear_web::{DemoMessage, DemoOutbox, WebOptions};
use world::{World, everybody};

const CURL: &str = "curl -X POST http://127.0.0.1:8080/in/json/demo-key -H 'Content-Type: application/json' \\\n  -d '{\"title\": \"Card payments failing\", \"severity\": \"critical\"}'";

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> std::io::Result<()> {
    let mut words = std::env::args().skip(1);
    let scene = words.next().unwrap_or_else(|| "busy".into());
    let port = words.next().unwrap_or_else(|| "8090".into());
    let world = World::at("2026-03-02T12:50:10Z").await;
    match scene.as_str() {
        "busy" => busy(&world).await,
        "late" => {
            world.declare("Nobody is home", Severity::Sev2, "reports").await;
            for _ in 0..40 {
                world.pass(60).await;
            }
            busy(&world).await;
            world.slip(3 * 60 + 40);
        }
        "flood" => {
            for n in 0..260 {
                world.declare(&format!("Row {n} of a very bad day"), Severity::ALL[n % 5], "search").await;
            }
        }
        _ => {}
    }
    let open_to = (scene != "closed").then(everybody);
    let options = WebOptions {
        open_to,
        first_alarm_curl: Some(CURL.into()),
        formats: allclear_channels::registry::kinds().collect(),
        set_ups: allclear_channels::registry::set_ups().collect(),
        demo_outbox: (scene != "closed").then(|| outbox(&world)),
    };
    let app = allclear_web::router(world.engine.clone(), options);
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    println!("{scene}: http://{}/", listener.local_addr()?);
    axum::serve(listener, app).await
}

async fn busy(world: &World) {
    let by = |id: &str| Actor::Person(id.into());
    let (old, _) = world.declare("Certificates of the staging cluster expired", Severity::Sev5, "search").await;
    world.pass(200).await;
    let resolve = Command::incident(
        old,
        incident::ending::Command::Resolve { note: Some("Renewed by hand; the timer is repaired".into()), waive: None },
    );
    world.act(by("ben"), resolve).await.unwrap();
    let acknowledge =
        |id, person: &str| Command::incident(id, incident::attendance::Command::Acknowledge { by: Some(person.into()), via: "api".into() });
    let (reports, _) = world.declare("Nightly export missing", Severity::Sev4, "reports").await;
    world.act(by("ben"), acknowledge(reports, "ben")).await.unwrap();
    let mitigate = Command::incident(reports, incident::ending::Command::Mitigate { note: Some("Yesterday's export is served".into()) });
    world.act(by("ben"), mitigate).await.unwrap();
    world.pass(3600).await;
    let (search, _) = world
        .declare(
            "Search slow for signed-in customers, results time out after eight seconds in two of three regions",
            Severity::Sev3,
            "search",
        )
        .await;
    world.act(by("cho"), acknowledge(search, "cho")).await.unwrap();
    let note = Command::incident(
        search,
        incident::record::Command::Note {
            text: "Replica lag of 40 s in eu-west; reads moved to the primary".into(),
            happened_at: None,
            marking: None,
        },
    );
    world.act(by("cho"), note).await.unwrap();
    world.pass(500).await;
    let signal = |key: &str, title: &str, severity: &str| {
        serde_json::json!({"action": "trigger", "dedup_key": key, "title": title, "source": "checkout-7f9c", "severity": severity,
            "labels": {"severity": severity, "alertname": key},
            "annotations": {"runbook_url": "https://runbooks.example.org/checkout/5xx"},
            "links": [{"href": "https://graphs.example.org/d/1", "text": "Graph"}]})
    };
    world.signals(serde_json::json!([signal("checkout-5xx", "Card payments failing: 12 % of checkouts answer 5xx", "critical")])).await;
    world.pass(360).await;
    let (exhausted, _) = world.declare("Database replica down", Severity::Sev2, "search").await;
    world.pass(130).await;
    for incident in world.engine.queries(&everybody()).incidents(Default::default(), 20).await.unwrap() {
        let id = incident.id.parse().unwrap();
        for person in ["ana", "ben", "cho"] {
            println!("{} {person} {}", incident.reference, world.link(id, person).await);
        }
    }
    let _ = exhausted;
}

fn outbox(world: &World) -> DemoOutbox {
    let at = world.engine.now();
    let url = |person: &str| format!("{}/a/x-{person}", world.engine.base_url());
    let sent: Vec<DemoMessage> = ["ana", "cho", "ana", "ben", "ana", "cho"]
        .iter()
        .map(|person| DemoMessage {
            at,
            // The example's reader sees everything.
            incident: Some(allclear_domain::ids::IncidentId::from_bits(1)),
            person: (*person).into(),
            channel: "email".into(),
            text: "SEV1 INC-4 Card payments failing: 12 % of checkouts answer 5xx\nCheckout. You are the first to be paged.".into(),
            ack_url: url(person),
        })
        .collect();
    Arc::new(move || sent.clone())
}
