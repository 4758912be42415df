//! A signal becomes a page, a page an escalation or an acknowledgement, over the real store, with
//! only the provider and the clock faked.

#![allow(clippy::unwrap_used)] // a test that fails here has failed

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use allclear_domain::access::{Actor, Principal, Scope};
use allclear_domain::incident::{self, Severity, State};
use allclear_domain::org::model::Bundle;
use allclear_domain::paging;
use allclear_domain::paging::MessageState;
use allclear_domain::time::{Length, from_micros};
use allclear_domain::view::IncidentView;
use allclear_domain::wire::{Message, NoticeKind, Outcome, Signal, SignalAction, Target};
use allclear_engine::core::{Arrived, Command, Input, Once, Refusal, Reply};
use allclear_engine::engine::Engine;
use allclear_engine::identity::seal::SecretKey;
use allclear_engine::outbox::OutboxSettings;
use allclear_engine::ports::{BoxFuture, Clock, Ports, Rng, Transport};
use allclear_engine::read::IncidentFilter;
use allclear_engine::watch::trouble::Trouble;
use allclear_engine::{EngineSettings, upkeep};
use allclear_store::schema::{MIGRATIONS, TABLES};
use allclear_store::{Db, FaultPlan, OpenOptions};
use jiff::Timestamp;
use tokio::sync::watch;

mod gate;
mod nobody;
mod tamper;

struct HandClock {
    micros: AtomicI64,
    moved: watch::Sender<()>,
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        from_micros(self.micros.load(Ordering::SeqCst))
    }
    fn monotonic_ns(&self) -> u64 {
        0
    }
    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let mut moved = self.moved.subscribe();
            while self.now() < at {
                if moved.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        })
    }
}

struct Counting(Mutex<u8>);
impl Rng for Counting {
    fn fill(&self, buffer: &mut [u8]) {
        let mut n = self.0.lock().unwrap();
        for byte in buffer {
            *n = n.wrapping_mul(31).wrapping_add(7);
            *byte = *n;
        }
    }
}

type Told = (String, String, String, bool);

#[derive(Default)]
struct Sink {
    told: Mutex<Vec<Told>>,
    answers: Mutex<BTreeMap<String, Vec<Outcome>>>,
}
impl Transport for Sink {
    fn send<'a>(&'a self, channel: &'a str, message: &'a Message, _: &'a Target, _: Timestamp) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            // What coordination reminds people of is not what these are about.
            for notice in message.notices.iter().filter(|n| matches!(n.kind, NoticeKind::Page | NoticeKind::ConfirmRecovery)) {
                let line = (notice.person.clone(), channel.to_owned(), notice.incident.reference.clone(), notice.late);
                self.told.lock().unwrap().push(line);
            }
            let scripted =
                self.answers.lock().unwrap().get_mut(channel).and_then(|list| if list.is_empty() { None } else { Some(list.remove(0)) });
            scripted.unwrap_or(Outcome::Delivered { receipt: "200".into() })
        })
    }
}

struct World {
    engine: Engine,
    clock: Arc<HandClock>,
    sink: Arc<Sink>,
}

const ORG: &str = r#"{
  "people": [
    {"id":"ana","name":"Ana","contacts":[{"id":"hook","webhook":"http://x.example/ana"},{"id":"mail","email":"ana@example.org"}],
     "notify":{"high":[{"contact":"hook"},{"contact":"mail","after":"1m"}]}},
    {"id":"ben","name":"Ben","contacts":[{"id":"hook","webhook":"http://x.example/ben"}]},
    {"id":"cho","name":"Cho","contacts":[{"id":"mail","email":"cho@example.org"}]}],
  "schedules":[{"id":"primary","time_zone":"Etc/UTC","layers":[{"people":["ana"],"every":"1w","handoff":"Mon 09:00","starts":"2026-01-05"}]}],
  "escalations":[{"id":"main","steps":[{"page":["schedule:primary"],"within":"5m"},{"page":["person:ben"],"within":"10m"}]}],
  "services":[{"id":"shop","name":"Shop","escalation":"main"}],
  "integrations":[{"id":"prom","kind":"alertmanager","key":"prom-key-1","service":"shop"}],
  "routes":[{"match":"group=\"yes\"","set":{"group_by":["alertname"]}}],
  "catch_all":["person:cho"]}"#;

impl World {
    /// Each page is a message by itself.
    async fn new(url: &str) -> Self {
        Self::with(url, OutboxSettings { bundle: false, ..OutboxSettings::default() }).await
    }

    async fn with(url: &str, outbox: OutboxSettings) -> Self {
        Self::over(Db::open(url, OpenOptions::new(MIGRATIONS, TABLES)).await.unwrap(), outbox).await
    }

    async fn over(db: Db, outbox: OutboxSettings) -> Self {
        let clock = Arc::new(HandClock { micros: AtomicI64::new(1_790_000_000_000_000), moved: watch::channel(()).0 });
        let sink = Arc::new(Sink::default());
        let ports = Ports {
            clock: clock.clone(),
            rng: Arc::new(Counting(Mutex::new(3))),
            transport: sink.clone(),
            channels: allclear_channels::registry::WAYS_OUT,
        };
        let settings = EngineSettings { base_url: "http://localhost:1".into(), quarantine: false, outbox, admin_token: None };
        let engine = Engine::start(db, ports, settings, SecretKey::from_bytes([1; 32])).await.unwrap();
        let bundle: Bundle = serde_json::from_str(ORG).unwrap();
        engine.apply_org(bundle, Some("d"), false, &Principal::own(Actor::System)).await.unwrap();
        Self { engine, clock, sink }
    }

    async fn advance(&self, seconds: i64) {
        let target = self.clock.micros.load(Ordering::SeqCst) + seconds * 1_000_000;
        loop {
            self.engine.quiet().await;
            let due = self.engine.next_due().await.unwrap().map(|at| at.as_microsecond()).filter(|at| *at <= target);
            let Some(at) = due else { break };
            self.clock.micros.fetch_max(at, Ordering::SeqCst);
            self.clock.moved.send_replace(());
            self.engine.wake();
        }
        self.clock.micros.store(target, Ordering::SeqCst);
        self.clock.moved.send_replace(());
        self.engine.wake();
        self.engine.quiet().await;
    }

    async fn signal(&self, action: SignalAction, key: &str, labels: &[(&str, &str)]) -> Result<Reply, Refusal> {
        let signal = Signal {
            action,
            dedup_key: key.into(),
            title: format!("{key} is broken"),
            description: None,
            source: None,
            service: None,
            severity: Some(allclear_domain::wire::SenderSeverity::Critical),
            labels: labels.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect(),
            annotations: BTreeMap::new(),
            starts_at: None,
            ends_at: None,
            links: Vec::new(),
            notes: Vec::new(),
        };
        let arrived = Arrived {
            integration: "prom".into(),
            format: "alertmanager",
            received_at: self.engine.now(),
            body: "[]".into(),
            signals: vec![signal],
            kept: None,
        };
        let input = Input {
            who: Principal::own(Actor::Integration("prom".into())),
            cause: "signal".into(),
            once: None,
            command: Command::Signals(arrived),
        };
        let reply = self.engine.submit(input).await;
        self.engine.quiet().await;
        reply
    }

    async fn command(&self, id: &IncidentView, command: impl Into<incident::Command>) -> Result<Reply, Refusal> {
        let input = Input {
            who: Principal::new(Actor::Person("ana".into()), Scope::Respond),
            cause: "api".into(),
            once: None,
            command: Command::incident(id.id.parse().unwrap(), command),
        };
        let reply = self.engine.submit(input).await;
        self.engine.quiet().await;
        reply
    }

    async fn incidents(&self) -> Vec<IncidentView> {
        let who = Principal::new(Actor::Administrator, Scope::Admin);
        self.engine.queries(&who).incidents(IncidentFilter::default(), 50).await.unwrap()
    }

    fn told(&self) -> Vec<(String, String)> {
        self.sink.told.lock().unwrap().iter().map(|(who, how, _, _)| (who.clone(), how.clone())).collect()
    }

    async fn healthy(&self) {
        let verified = upkeep::verify(self.engine.db()).await.unwrap();
        assert_eq!(verified.findings(), Vec::<String>::new());
    }
}

fn pair(who: &str, how: &str) -> (String, String) {
    (who.to_owned(), how.to_owned())
}

async fn nobody_answers_and_the_page_walks_to_its_end(url: &str) {
    let world = World::new(url).await;
    world.signal(SignalAction::Trigger, "disk", &[]).await.unwrap();
    assert_eq!(world.told(), [pair("ana", "webhook")]);
    world.advance(59).await;
    assert_eq!(world.told().len(), 1, "the mail is not due yet");
    world.advance(1).await;
    assert_eq!(world.told()[1..], [pair("ana", "email")]);
    world.advance(239).await;
    assert_eq!(world.told().len(), 2, "the second step is not due yet");
    world.advance(1).await;
    assert_eq!(world.told()[2..], [pair("ben", "webhook")]);
    world.advance(600).await;
    assert_eq!(world.told()[3..], [pair("cho", "email")], "the catch-all");
    world.advance(2399).await;
    assert_eq!(world.told().len(), 4, "ten minutes for the catch-all, and half an hour");
    world.advance(1201).await;
    assert_eq!(world.told()[4..], [pair("cho", "email")], "then it comes back");
    let who = Principal::new(Actor::Administrator, Scope::Admin);
    let incident = &world.incidents().await[0];
    let pages = world.engine.queries(&who).pages(incident.id.parse().unwrap()).await.unwrap();
    assert_eq!(pages[0].status, paging::Status::Exhausted);
    assert_eq!(world.engine.queries(&who).incident(incident.id.parse().unwrap()).await.unwrap().unanswered, Some(true));
    world.healthy().await;
}

async fn an_acknowledgement_stops_everything(url: &str) {
    let world = World::new(url).await;
    world.signal(SignalAction::Trigger, "disk", &[]).await.unwrap();
    let incident = world.incidents().await.remove(0);
    assert_eq!((incident.state, incident.severity, incident.reference.as_str()), (State::Declared, Severity::Sev2, "INC-1"));
    world.command(&incident, incident::attendance::Command::Acknowledge { by: Some("ana".into()), via: "api".into() }).await.unwrap();
    world.advance(1500).await;
    assert_eq!(world.told(), [pair("ana", "webhook")]);
    assert_eq!(world.incidents().await[0].state, State::Investigating);
    // Somebody is on it: a recovery asks and does not resolve.
    world.signal(SignalAction::Resolve, "disk", &[]).await.unwrap();
    let now = world.incidents().await.remove(0);
    assert_eq!((now.state, now.recovered), (State::Investigating, true));
    assert_eq!(world.told()[1..], [pair("ana", "webhook")], "she is asked, by her rule for high urgency since she has none for low");
    world.healthy().await;
}

async fn what_recovers_with_nobody_on_it_resolves_by_itself(url: &str) {
    let world = World::new(url).await;
    for label in [("group", "yes"), ("group", "yes")] {
        let n = world.engine.now().as_microsecond();
        world.signal(SignalAction::Trigger, &format!("disk{n}"), &[label]).await.unwrap();
        world.advance(1).await;
    }
    let incidents = world.incidents().await;
    assert_eq!(incidents.len(), 1, "both are of one group");
    world.advance(20).await;
    let first = 1_790_000_000_000_000_i64;
    world.signal(SignalAction::Resolve, &format!("disk{first}"), &[]).await.unwrap();
    assert_eq!(world.incidents().await[0].state, State::Declared, "one still burns");
    world.signal(SignalAction::Resolve, &format!("disk{}", first + 1_000_000), &[]).await.unwrap();
    assert_eq!(world.incidents().await[0].state, State::Resolved);
    world.advance(3000).await;
    assert_eq!(world.told().len(), 1);
    // The same condition again is a new incident.
    world.signal(SignalAction::Trigger, &format!("disk{first}"), &[("group", "yes")]).await.unwrap();
    assert_eq!(world.incidents().await.len(), 2);
    world.healthy().await;
}

async fn a_send_that_fails_pulls_the_next_way_and_then_the_next_step_forward(url: &str) {
    let world = World::new(url).await;
    let no = Outcome::Rejected { why: "410".into() };
    world.sink.answers.lock().unwrap().insert("webhook".into(), vec![no.clone()]);
    world.sink.answers.lock().unwrap().insert("email".into(), vec![no]);
    world.signal(SignalAction::Trigger, "disk", &[]).await.unwrap();
    assert_eq!(world.told(), [pair("ana", "webhook"), pair("ana", "email"), pair("ben", "webhook")]);
    world.healthy().await;
}

async fn what_a_provider_took_is_delivered_by_its_receipt(url: &str) {
    let world = World::new(url).await;
    let accepted = Outcome::Accepted { receipt: "202 SM1".into(), within: Length::from_secs(30) };
    world.sink.answers.lock().unwrap().insert("webhook".into(), vec![accepted.clone(), accepted.clone(), accepted]);
    let who = Principal::new(Actor::Administrator, Scope::Admin);
    let messages = async |key: &str| {
        let incident = world.incidents().await.into_iter().find(|one| one.title.starts_with(key)).unwrap();
        let pages = world.engine.queries(&who).pages(incident.id.parse().unwrap()).await.unwrap();
        pages.into_iter().flat_map(|page| page.messages).map(|one| (one.id.parse().unwrap(), one.state)).collect::<Vec<_>>()
    };
    let kinds = async |key: &str| {
        let incident = world.incidents().await.into_iter().find(|one| one.title.starts_with(key)).unwrap();
        let events = world.engine.queries(&who).events(incident.id.parse().unwrap(), 0, 1000).await.unwrap();
        events.into_iter().map(|event| event.kind).collect::<Vec<_>>()
    };
    // The receipt comes in time.
    world.signal(SignalAction::Trigger, "arrived", &[]).await.unwrap();
    let (message, state) = messages("arrived").await.remove(0);
    assert_eq!(state, MessageState::Accepted);
    world.engine.receipt(message, Ok("delivered to +34…".into())).await.unwrap();
    // Once more, as providers do.
    world.engine.receipt(message, Ok("delivered to +34…".into())).await.unwrap();
    assert_eq!(messages("arrived").await[0].1, MessageState::Delivered);
    world.advance(59).await;
    assert_eq!(world.told(), [pair("ana", "webhook")], "nobody waits for it any more");
    let log = kinds("arrived").await;
    assert_eq!(log.iter().filter(|kind| *kind == "delivered").count(), 1, "{log:?}");
    assert!(log.contains(&"send_accepted".to_owned()) && !log.contains(&"send_failed".to_owned()), "{log:?}");

    // None comes: it failed, and the next way has its turn before its minute.
    world.signal(SignalAction::Trigger, "silent", &[]).await.unwrap();
    world.advance(29).await;
    let before = world.told().len();
    world.advance(1).await;
    assert_eq!(world.told()[before..], [pair("ana", "email")]);
    assert_eq!(messages("silent").await.iter().filter(|(_, state)| *state == MessageState::Rejected).count(), 1);
    assert!(kinds("silent").await.contains(&"send_failed".to_owned()), "the log says so");

    // One that says no: the same, at once.
    world.signal(SignalAction::Trigger, "refused", &[]).await.unwrap();
    let before = world.told().len();
    let (message, _) = messages("refused").await.remove(0);
    world.engine.receipt(message, Err("the phone is off".into())).await.unwrap();
    world.engine.quiet().await;
    assert_eq!(world.told()[before..], [pair("ana", "email")]);
    // One that comes while it is in doubt whether the try arrived: it did, and is not sent again.
    let lost = Outcome::Retry { after: None, why: "no answer".into(), maybe_arrived: true, down: false, unanswered: true };
    world.sink.answers.lock().unwrap().insert("webhook".into(), vec![lost]);
    world.signal(SignalAction::Trigger, "doubted", &[]).await.unwrap();
    // The mail has arrived meanwhile.
    let (message, _) = messages("doubted").await.into_iter().find(|(_, state)| *state == MessageState::Queued).unwrap();
    world.engine.receipt(message, Ok("it rang".into())).await.unwrap();
    assert!(messages("doubted").await.iter().all(|(_, state)| *state == MessageState::Delivered));
    let to_ana = || world.told().iter().filter(|told| **told == pair("ana", "webhook")).count();
    let before = to_ana();
    world.advance(30).await;
    assert_eq!(to_ana(), before, "it is known to have arrived");
    // A receipt of something else changes nothing.
    world.engine.receipt(allclear_domain::ids::MessageId::from_bits(1), Ok("x".into())).await.unwrap();
    world.healthy().await;
}

#[tokio::test]
async fn a_restart_keeps_the_time_and_sends_in_doubt_once_more() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("x.db").display());
    let world = World::new(&url).await;
    world.signal(SignalAction::Trigger, "disk", &[]).await.unwrap();
    world.advance(120).await;
    world.engine.stop().await;
    drop(world);
    let world = World::new(&url).await;
    world.clock.micros.fetch_add(120_000_000, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(20)).await;
    world.advance(179).await;
    assert_eq!(world.told(), [], "delivered before, and not due yet");
    world.advance(1).await;
    assert_eq!(world.told(), [pair("ben", "webhook")]);
    // A repeat of what was open before the restart opens nothing.
    world.signal(SignalAction::Trigger, "disk", &[]).await.unwrap();
    assert_eq!(world.incidents().await.len(), 1);
    world.healthy().await;
}

/// Nothing happened for minutes, then the program was stopped and the clock set back by an hour: what had passed counts.
#[tokio::test]
async fn a_clock_set_back_during_a_stop_is_judged_by_when_the_program_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("x.db").display());
    let world = World::new(&url).await;
    world.advance(3_600).await;
    world.signal(SignalAction::Trigger, "disk", &[]).await.unwrap();
    // Ana's mail is the newest event, three minutes before the stop.
    world.advance(240).await;
    world.engine.stop().await;
    // A clock of hand starts an hour and four minutes earlier.
    let world = World::new(&url).await;
    world.advance(59).await;
    assert_eq!(world.told(), [], "one minute of five was left");
    world.advance(1).await;
    assert_eq!(world.told(), [pair("ben", "webhook")]);
    world.healthy().await;
}

async fn a_key_given_twice_does_it_once(url: &str) {
    let world = World::new(url).await;
    let declare = |digest: &str, before: Option<&str>| Input {
        who: Principal::new(Actor::Person("ana".into()), Scope::Respond),
        cause: "api".into(),
        once: Some(Once { key: "k".into(), digest: digest.into(), digest_before: before.map(Into::into) }),
        command: Command::Declare(allclear_engine::core::Declare {
            title: "Shop is down".into(),
            severity: Some(Severity::Sev1),
            known: Default::default(),
            service: Some("shop".into()),
            impact_started_at: None,
            page: true,
            private: false,
            report: false,
        }),
    };
    let (one, two) = tokio::join!(world.engine.submit(declare("a", None)), world.engine.submit(declare("a", None)));
    let Reply::Incident { id, .. } = one.unwrap() else { panic!("an incident") };
    assert_eq!(two.unwrap(), Reply::Again { answer: id.to_string() });
    assert_eq!(world.engine.submit(declare("b", None)).await, Err(Refusal::KeyReused));
    assert_eq!(world.engine.submit(declare("b", Some("c"))).await, Err(Refusal::KeyReused));
    // An earlier version made another digest of the same request: it is that request, at both doors of the engine.
    let again = Reply::Again { answer: id.to_string() };
    assert_eq!(world.engine.submit(declare("b", Some("a"))).await, Ok(again.clone()));
    assert_eq!(world.engine.ask(declare("b", Some("a"))).await, Ok(again));
    assert_eq!(world.incidents().await.len(), 1);
}

/// The disk is full: what is new is refused, an acknowledgement counts though it came in one commit with alarms, and
/// pages go on. Then there is room, and all is as before.
async fn on_a_full_disk_an_acknowledgement_counts_and_pages_go_on(url: &str) {
    let full = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let asked = full.clone();
    let db = Db::open(url, OpenOptions::new(MIGRATIONS, TABLES)).await.unwrap();
    let plan = move |_: &[allclear_store::Write]| if asked.load(Ordering::SeqCst) { FaultPlan::Full } else { FaultPlan::None };
    let world = World::over(db.with_faults(Arc::new(plan)), OutboxSettings { bundle: false, ..OutboxSettings::default() }).await;
    world.signal(SignalAction::Trigger, "disk", &[]).await.unwrap();
    world.signal(SignalAction::Trigger, "fan", &[]).await.unwrap();
    full.store(true, Ordering::SeqCst);
    let [fan, disk] = &world.incidents().await[..] else { panic!("two incidents") };
    let acknowledge = incident::attendance::Command::Acknowledge { by: Some("ana".into()), via: "api".into() };
    let (one, two, three, acknowledged) = tokio::join!(
        world.signal(SignalAction::Trigger, "new 1", &[]),
        world.signal(SignalAction::Trigger, "new 2", &[]),
        world.signal(SignalAction::Trigger, "new 3", &[]),
        world.command(disk, acknowledge),
    );
    for refused in [one, two, three] {
        assert!(matches!(&refused, Err(Refusal::Unavailable(why)) if why.contains("full")), "{refused:?}");
    }
    acknowledged.unwrap();
    let noted = world.command(fan, incident::record::Command::Note { text: "hm".into(), happened_at: None, marking: None }).await;
    assert!(matches!(noted, Err(Refusal::Unavailable(_))), "{noted:?}");
    assert!(world.engine.troubles().list().iter().any(|present| present.trouble == Trouble::DiskFull));
    // Nobody has the other one: its next step pages, with the disk as full as before.
    world.advance(301).await;
    assert!(world.told().contains(&pair("ben", "webhook")), "{:?}", world.told());
    full.store(false, Ordering::SeqCst);
    world.signal(SignalAction::Trigger, "new 1", &[]).await.unwrap();
    assert_eq!(world.incidents().await.len(), 3);
    assert!(!world.engine.troubles().list().iter().any(|present| present.trouble == Trouble::DiskFull));
    world.healthy().await;
}

/// What waits in the store goes out on a full disk as well: held pages, and what is tried again.
async fn on_a_full_disk_what_was_held_back_and_every_retry_go_out(url: &str) {
    let full = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let asked = full.clone();
    let db = Db::open(url, OpenOptions::new(MIGRATIONS, TABLES)).await.unwrap();
    let plan = move |_: &[allclear_store::Write]| if asked.load(Ordering::SeqCst) { FaultPlan::Full } else { FaultPlan::None };
    let world = World::over(db.with_faults(Arc::new(plan)), OutboxSettings::default()).await;
    let busy = Outcome::Retry { after: None, why: "HTTP 503".into(), maybe_arrived: false, down: false, unanswered: false };
    world.signal(SignalAction::Trigger, "disk", &[]).await.unwrap();
    world.signal(SignalAction::Trigger, "fan", &[]).await.unwrap();
    world.signal(SignalAction::Trigger, "fuse", &[]).await.unwrap();
    assert_eq!(world.told(), [pair("ana", "webhook")], "the others wait for company");
    world.sink.answers.lock().unwrap().insert("webhook".into(), vec![busy]);
    full.store(true, Ordering::SeqCst);
    world.advance(30).await;
    let by_webhook = world.told().iter().filter(|told| **told == pair("ana", "webhook")).count();
    assert_eq!(by_webhook, 5, "one, two together, and those once more");
    full.store(false, Ordering::SeqCst);
    world.healthy().await;
}

/// Two nodes on one PostgreSQL: one condition sent to both at once is one alert and one page; what
/// one node acknowledges the other escalates no more; what is due is done once.
#[tokio::test]
async fn two_nodes_are_one() {
    let url = allclear_store::testing::fresh_database().await.unwrap();
    let (a, b) = (World::new(&url).await, World::new(&url).await);
    for n in 0..20 {
        let key = format!("disk{n}");
        let (one, two) = tokio::join!(a.signal(SignalAction::Trigger, &key, &[]), b.signal(SignalAction::Trigger, &key, &[]));
        one.unwrap();
        two.unwrap();
    }
    let incidents = a.incidents().await;
    assert_eq!(incidents.len(), 20, "each condition once");
    let who = Principal::new(Actor::Administrator, Scope::Admin);
    let log = b.engine.queries(&who).events_after(0, 1000).await.unwrap();
    let seqs: Vec<i64> = log.iter().map(|e| e.seq).collect();
    assert!(seqs.len() >= 60 && seqs.is_sorted(), "the whole log in its order");
    let told = |world: &World| world.told().iter().filter(|(who, how)| who == "ana" && how == "webhook").count();
    assert_eq!(told(&a) + told(&b), 20, "each page once");
    for incident in &incidents[..10] {
        let other = if told(&a) % 2 == 0 { &a } else { &b };
        other.command(incident, incident::attendance::Command::Acknowledge { by: Some("ana".into()), via: "api".into() }).await.unwrap();
    }
    let target = a.clock.micros.load(Ordering::SeqCst) + 301_000_000;
    for world in [&a, &b] {
        world.clock.micros.store(target, Ordering::SeqCst);
        world.clock.moved.send_replace(());
        world.engine.wake();
    }
    a.engine.quiet().await;
    b.engine.quiet().await;
    a.engine.quiet().await;
    let ben = |world: &World| world.told().iter().filter(|(who, _)| who == "ben").count();
    assert_eq!(ben(&a) + ben(&b), 10, "only what nobody acknowledged goes on, and each once");
    a.healthy().await;
}

/// Each story on both databases.
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test] async fn $name() { super::$name("sqlite::memory:").await })*
        }
        mod postgres {
            $(#[tokio::test] async fn $name() {
                let url = allclear_store::testing::fresh_database().await.unwrap();
                super::$name(&url).await
            })*
        }
    };
}

on_both! {
    nobody_answers_and_the_page_walks_to_its_end,
    an_acknowledgement_stops_everything,
    what_recovers_with_nobody_on_it_resolves_by_itself,
    a_send_that_fails_pulls_the_next_way_and_then_the_next_step_forward,
    what_a_provider_took_is_delivered_by_its_receipt,
    a_key_given_twice_does_it_once,
    on_a_full_disk_an_acknowledgement_counts_and_pages_go_on,
    on_a_full_disk_what_was_held_back_and_every_retry_go_out,
}

#[tokio::test]
async fn a_row_that_does_not_read_is_set_aside_alone() {
    let world = World::with("sqlite::memory:", OutboxSettings::default()).await;
    for key in ["a", "b", "c"] {
        world.signal(SignalAction::Trigger, key, &[]).await.unwrap();
    }
    world.engine.quiet().await;
    assert_eq!(world.sink.told.lock().unwrap().len(), 1, "two are held back for company");
    let spoil = allclear_store::Write::Exec {
        table: &allclear_store::schema::MESSAGE,
        sql: "update message set notice = '{\"kind\":\"of_a_newer_version\"}' where id = (select max(id) from message where state = 'queued')",
        args: vec![],
        expect: Some(1),
    };
    world.engine.db().commit(vec![spoil]).await.unwrap();
    world.advance(15).await;
    assert_eq!(world.sink.told.lock().unwrap().len(), 2, "the other goes out");
    let troubles = world.engine.troubles().list();
    assert!(troubles.iter().any(|present| matches!(present.trouble, Trouble::Unreadable("message", _))), "{troubles:?}");
    assert!(world.engine.next_due().await.unwrap().is_some_and(|at| at > world.engine.now()), "it is tried again later, not all the time");
}
