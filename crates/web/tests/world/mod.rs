//! A small organisation on a real engine over a store in memory, a clock that tests set, and a
//! transport that delivers everything: what tests and the example of the pages run on.
#![allow(dead_code, clippy::unwrap_used)] // each of them uses a part; what fails here fails a test

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use allclear_domain::access::{Actor, Principal, Scope};
use allclear_domain::ids::{IncidentId, PageId};
use allclear_domain::incident::Severity;
use allclear_domain::time::{from_micros, to_micros};
use allclear_domain::wire::{Message, Outcome, Target};
use allclear_engine::core::{Arrived, Command, Declare, Input, Refusal, Reply};
use allclear_engine::identity::seal::SecretKey;
use allclear_engine::org::file;
use allclear_engine::org::file::Format;
use allclear_engine::ports::{BoxFuture, Clock, Ports, SystemRng, Transport};
use allclear_engine::{Engine, EngineSettings};
use allclear_store::schema::{MIGRATIONS, TABLES};
use allclear_store::{Db, FaultPlan, OpenOptions};
use jiff::{Timestamp, ToSpan};
use tokio::sync::watch;

/// Time stands still until it is set.
pub struct HandClock {
    micros: AtomicI64,
    ticks: AtomicU64,
    moved: watch::Sender<()>,
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        from_micros(self.micros.load(Ordering::SeqCst))
    }
    fn monotonic_ns(&self) -> u64 {
        self.ticks.fetch_add(1, Ordering::SeqCst)
    }
    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let mut moved = self.moved.subscribe();
            if self.now() < at {
                let _ = moved.changed().await;
            }
        })
    }
}

/// Delivers at once.
struct Delivers;

impl Transport for Delivers {
    fn send<'a>(&'a self, _: &'a str, _: &'a Message, _: &'a Target, _: Timestamp) -> BoxFuture<'a, Outcome> {
        Box::pin(async { Outcome::Delivered { receipt: "200".into() } })
    }
}

/// The organisation: the documented example, with a runbook and further services.
pub const ORG: &str = r#"
people:
  - {id: ana, name: Ana Ruiz, time_zone: Europe/Madrid, contacts: [{id: mail, email: ana@example.org}], notify: {high: [{contact: mail}], low: [{contact: mail}]}}
  - {id: ben, name: Ben Okafor, time_zone: Europe/Madrid, contacts: [{id: mail, email: ben@example.org}], notify: {high: [{contact: mail}], low: [{contact: mail}]}}
  - {id: cho, name: Cho Min-ji, contacts: [{id: mail, email: cho@example.org}], notify: {high: [{contact: mail}], low: [{contact: mail}]}}
teams:
  - {id: payments, name: Payments, members: [ana, ben], managers: [cho]}
schedules:
  - {id: payments-primary, name: Payments, team: payments, time_zone: Europe/Madrid, layers: [{people: [ana, ben], every: 1w, handoff: "Mon 09:00", starts: 2026-01-05}]}
  - {id: database, name: Database, time_zone: Europe/Madrid, layers: [{people: [ben], every: 1w, handoff: "Mon 09:00", starts: 2026-01-05}]}
escalations:
  - {id: payments, steps: [{page: ["person:ana"], within: 5m}, {page: ["person:cho"], within: 10m}, {page: ["person:ben"], within: 10m}]}
services:
  - {id: checkout, name: Checkout, team: payments, escalation: payments, tier: 1, runbook: "https://wiki.example.org/checkout"}
  - {id: search, name: Search, escalation: payments}
  - {id: reports, name: Reports, escalation: payments}
integrations:
  - {id: prom, kind: alertmanager, key: "prom-key-0001", service: checkout}
routes:
  - {match: 'group=~".+"', set: {severity: sev2, group_by: [group]}, declare: true}
  - {match: 'severity="critical"', set: {severity: sev1}, declare: true}
catch_all: ["team:payments"]
"#;

/// Everything together.
pub struct World {
    pub engine: Engine,
    full_disk: Arc<AtomicBool>,
    clock: Arc<HandClock>,
}

impl World {
    /// At this instant.
    pub async fn at(now: &str) -> Self {
        Self::begin(now, false).await
    }

    /// A copy, which sends nothing.
    pub async fn quarantined(now: &str) -> Self {
        Self::begin(now, true).await
    }

    async fn begin(now: &str, quarantine: bool) -> Self {
        let clock = Arc::new(HandClock {
            micros: AtomicI64::new(to_micros(now.parse().unwrap())),
            ticks: AtomicU64::new(0),
            moved: watch::channel(()).0,
        });
        let full_disk = Arc::new(AtomicBool::new(false));
        let decides = full_disk.clone();
        let db = Db::open("sqlite::memory:", OpenOptions::new(MIGRATIONS, TABLES))
            .await
            .unwrap()
            .with_faults(Arc::new(move |_| if decides.load(Ordering::SeqCst) { FaultPlan::FailBefore } else { FaultPlan::None }));
        let ports = Ports {
            clock: clock.clone(),
            rng: Arc::new(SystemRng),
            transport: Arc::new(Delivers),
            channels: allclear_channels::registry::WAYS_OUT,
        };
        let settings = EngineSettings {
            base_url: "http://127.0.0.1:8080".into(),
            quarantine,
            outbox: Default::default(),
            admin_token: Some("letmein".into()),
        };
        let engine = Engine::start(db, ports, settings, SecretKey::from_bytes([7; 32])).await.unwrap();
        let org = file::parse(ORG, Format::Yaml, "org.yaml").unwrap();
        engine.apply_org(org.bundle, None, false, &Principal::own(Actor::Administrator)).await.unwrap();
        Self { engine, full_disk, clock }
    }

    /// Moves time, and waits until everything that became due is done.
    pub async fn pass(&self, seconds: i64) {
        let later = self.clock.now() + seconds.seconds();
        self.clock.micros.store(to_micros(later), Ordering::SeqCst);
        self.clock.moved.send_replace(());
        self.engine.wake();
        self.engine.quiet().await;
    }

    /// Whether commits fail from now on.
    pub fn fill_disk(&self, full: bool) {
        self.full_disk.store(full, Ordering::SeqCst);
    }

    /// Moves time while nobody looks, so that what is due is late.
    pub fn slip(&self, seconds: i64) {
        let later = self.clock.now() + seconds.seconds();
        self.clock.micros.store(to_micros(later), Ordering::SeqCst);
    }

    /// Somebody declares, and everybody who is to be told at once has been.
    pub async fn declare(&self, title: &str, severity: Severity, service: &str) -> (IncidentId, String) {
        let declare = Declare {
            title: title.into(),
            severity: Some(severity),
            known: Default::default(),
            service: Some(service.into()),
            impact_started_at: None,
            page: true,
            private: false,
            report: false,
        };
        let Ok(Reply::Incident { id, reference }) = self.act(Actor::Administrator, Command::Declare(declare)).await else {
            panic!("a declaration is answered with its incident")
        };
        self.engine.quiet().await;
        (id, reference)
    }

    /// A command, as from the API.
    pub async fn act(&self, actor: Actor, command: Command) -> Result<Reply, Refusal> {
        let reply =
            self.engine.submit(Input { who: Principal::new(actor, Scope::Respond), cause: "api".into(), once: None, command }).await;
        self.engine.quiet().await;
        reply
    }

    /// Signals of the integration `prom`, as its parser would give them.
    pub async fn signals(&self, signals: serde_json::Value) {
        let signals = serde_json::from_value(signals).unwrap();
        let arrived = Arrived {
            integration: "prom".into(),
            format: "alertmanager",
            received_at: self.clock.now(),
            body: "{}".into(),
            signals,
            kept: None,
        };
        self.act(Actor::Integration("prom".into()), Command::Signals(arrived)).await.unwrap();
    }

    /// The page that runs or ran last for this incident.
    pub async fn page(&self, id: IncidentId) -> PageId {
        let who = everybody();
        let pages = self.engine.queries(&who).pages(id).await.unwrap();
        pages.last().expect("it was paged").id.parse().unwrap()
    }

    /// The path of a person's link for an incident's page, as in a message of the step at which it is.
    pub async fn link(&self, id: IncidentId, person: &str) -> String {
        let pages = self.engine.queries(&everybody()).pages(id).await.unwrap();
        let page = pages.last().expect("it was paged");
        let at = allclear_domain::paging::AtStep { round: page.round, step: page.step };
        format!("/a/{}", self.engine.links().token(page.id.parse().unwrap(), at, person, self.clock.now()))
    }
}

/// A reader of everything.
pub fn everybody() -> Principal {
    Principal::new(Actor::Person("cho".into()), Scope::Respond)
}
