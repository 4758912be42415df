//! A real engine over a database in memory, a transport that delivers nothing anywhere, and the
//! router asked in-process.

use std::sync::Arc;

use allclear_api::ApiOptions;
use allclear_domain::access::{Actor, Principal};
use allclear_domain::wire::{Message, Outcome, Target};
use allclear_engine::clock::SystemClock;
use allclear_engine::identity::seal::SecretKey;
use allclear_engine::org::file;
use allclear_engine::org::file::Format;
use allclear_engine::outbox::OutboxSettings;
use allclear_engine::ports::{BoxFuture, Ports, SystemRng, Transport};
use allclear_engine::{Engine, EngineSettings};
use allclear_store::{Db, OpenOptions, schema};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::IntoResponse as _;
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use serde_json::Value;
use tower::ServiceExt as _;

pub const ADMIN: &str = "the-administrators-token";
pub const PROM_KEY: &str = "prom-key-0001";
pub const PD_KEY: &str = "0123456789abcdef0123456789abcdef";

pub const ORG: &str = r#"
people:
  - {id: ana, name: Ana, email: ana@example.org, contacts: [{id: mail, email: ana@example.org}], notify: {high: [{contact: mail}], low: [{contact: mail}]}}
  - {id: ben, name: Ben, email: ben@example.org, contacts: [{id: mail, email: ben@example.org}], notify: {high: [{contact: mail}], low: [{contact: mail}]}}
schedules:
  - {id: primary, time_zone: Etc/UTC, layers: [{people: [ana], every: 1w, handoff: "Mon 09:00", starts: 2026-01-05}]}
escalations:
  - {id: first, steps: [{page: ["schedule:primary"], within: 5m}, {page: ["person:ben"], within: 5m}]}
services:
  - {id: checkout, name: Checkout, escalation: first}
integrations:
  - {id: prom, kind: alertmanager, key: "prom-key-0001", service: checkout}
  - {id: pd, kind: pagerduty, key: "0123456789abcdef0123456789abcdef", service: checkout}
  - {id: script, kind: json, key: "json-key-0001", service: checkout}
  - {id: graf, kind: grafana, key: "grafana-key-0001", service: checkout}
  - {id: backup, kind: heartbeat, key: "heartbeat-key-01", every: 1h, service: checkout}
catch_all: ["person:ben"]
"#;

struct Delivers;

impl Transport for Delivers {
    fn send<'a>(&'a self, _: &'a str, _: &'a Message, _: &'a Target, _: Timestamp) -> BoxFuture<'a, Outcome> {
        Box::pin(async { Outcome::Delivered { receipt: "250".into() } })
    }
}

pub struct World {
    pub engine: Engine,
    pub router: Router,
}

/// What came back.
#[derive(Debug)]
pub struct Back {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Back {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|why| panic!("{why}: {}", self.text()))
    }
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

impl World {
    pub async fn new() -> Self {
        let db = Db::open("sqlite::memory:", OpenOptions::new(schema::MIGRATIONS, schema::TABLES)).await.unwrap();
        Self::over(db).await
    }

    pub async fn over(db: Db) -> Self {
        let ports = Ports {
            clock: Arc::new(SystemClock::default()),
            rng: Arc::new(SystemRng),
            transport: Arc::new(Delivers),
            channels: allclear_channels::registry::WAYS_OUT,
        };
        let settings = EngineSettings {
            base_url: "http://127.0.0.1:8080".into(),
            quarantine: false,
            outbox: OutboxSettings::default(),
            admin_token: Some(ADMIN.into()),
        };
        let engine = Engine::start(db, ports, settings, SecretKey::from_bytes([7; 32])).await.unwrap();
        let loaded = file::parse(ORG, Format::Yaml, "org.yaml").unwrap();
        engine.apply_org(loaded.bundle, None, false, &Principal::own(Actor::Administrator)).await.unwrap();
        let (router, strays) = allclear_api::router(engine.clone(), ApiOptions::default());
        let router = router.fallback(async move |request: Request<Body>| match strays.take(request).await {
            Some(response) => response,
            None => StatusCode::NOT_FOUND.into_response(),
        });
        Self { engine, router }
    }

    pub async fn token(&self, scope: &str, person: Option<&str>) -> String {
        let person = person.map(ToOwned::to_owned);
        self.engine.create_token(&Principal::own(Actor::System), "test", scope.parse().unwrap(), person, None).await.unwrap().0
    }

    pub async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Back {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.router.clone().oneshot(request.body(body.into()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        Back { status: parts.status.as_u16(), headers: parts.headers, body: body.collect().await.unwrap().to_bytes() }
    }

    pub async fn get(&self, path: &str, token: &str) -> Back {
        self.ask("GET", path, &[("authorization", &format!("Bearer {token}"))], "").await
    }

    pub async fn post(&self, path: &str, token: &str, body: &str) -> Back {
        self.ask("POST", path, &[("authorization", &format!("Bearer {token}"))], body.to_owned()).await
    }
}
