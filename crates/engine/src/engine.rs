//! The engine: the handle that everybody uses, and what its tasks share. The tasks are `decide_loop`, `look_loop` and
//! `outbox`.

use std::collections::{BTreeSet, HashSet};
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use allclear_domain::access::Actor;
use allclear_domain::ids::{IdGen, IncidentId, MessageId, NodeId};
use allclear_domain::org::snapshot::Org;
use allclear_domain::time::{Length, after};
use allclear_store::{CommitError, Db, Dialect, Fault, rows};
use jiff::Timestamp;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::core::{Command, Core, Input, Once, Refusal, Reply, Setup};
use crate::identity::seal::SecretKey;
use crate::message_link::Links;
use crate::metrics::Metrics;
use crate::outbox::{Outbox, OutboxSettings, windows::Windows};
use crate::ports::{OperatorAlarm, Ports};
use crate::run::decide_loop::Loop;
use crate::run::decider::{Decider, is_ours};
use crate::run::due_loop::looks;
use crate::watch::stages::Measure;

/// Within this time the soft part of alerts seen again is written (design: 15 s).
pub const FLUSH_EVERY: Length = Length::from_secs(15);
/// Commands that may wait for the decider; beyond it callers wait for room.
const QUEUE_MAX: usize = 8192;
/// How long a stop waits for sends under way: longer than the total deadline of a webhook.
const STOP_WAITS_AT_MOST: Duration = Duration::from_secs(12);

pub(crate) type Tag = Option<oneshot::Sender<Result<Reply, Refusal>>>;

/// How an engine is set up.
#[derive(Clone)]
pub struct EngineSettings {
    /// Where people reach us, without a slash at the end.
    pub base_url: String,
    /// Nothing is sent.
    pub quarantine: bool,
    pub outbox: OutboxSettings,
    /// A token that is an administrator's, for automation and tests.
    pub admin_token: Option<String>,
}

/// What all parts share.
pub struct Shared {
    pub(crate) db: Db,
    pub(crate) ports: Ports,
    pub(crate) settings: EngineSettings,
    pub(crate) node: NodeId,
    pub(crate) org: RwLock<Arc<Org>>,
    pub(crate) key: SecretKey,
    pub(crate) links: Links,
    pub(crate) metrics: Metrics,
    pub(crate) changed: watch::Sender<u64>,
    pub(crate) ways_in: watch::Sender<u64>,
    /// For searches.
    pub(crate) titles: rows::title::Titles,
    pub(crate) quarantined: AtomicBool,
    /// Nothing new begins.
    pub(crate) stop: CancellationToken,
    /// The decider ends, after what was under way was written down.
    pub(crate) halt: CancellationToken,
    pub(crate) halted: CancellationToken,
    pub(crate) tasks: TaskTracker,
    /// Commands and sends under way, for tests that wait until all is quiet.
    pub(crate) busy: AtomicI64,
    /// Microseconds of the next look and the next try that memory knows of.
    pub(crate) next_look: AtomicI64,
    pub(crate) next_attempt: AtomicI64,
    /// Who was told something a moment ago; absent where every message goes out by itself.
    pub(crate) windows: Option<Arc<Windows>>,
    /// Leads of what is being sent.
    pub(crate) under_way: Mutex<HashSet<MessageId>>,
    pub(crate) look_wake: Notify,
    pub(crate) outbox_wake: Notify,
    pub(crate) follow_wake: Notify,
    /// Set when a loop ended though nobody stopped it: not ready any more.
    ended_early: AtomicBool,
    pub(crate) last_fault: RwLock<Option<(Timestamp, String)>>,
    pub(crate) commits: AtomicU64,
    control: mpsc::UnboundedSender<Control>,
    pub(crate) org_change: tokio::sync::Mutex<()>,
    pub(crate) makings: crate::org::Makings,
    seed: AtomicU64,
    pub(crate) sign_in: crate::identity::sessions::SignIn,
    pub(crate) troubles: crate::watch::trouble::Troubles,
    pub(crate) stages: crate::watch::stages::Stages,
    pub(crate) channels: crate::outbox::channel_health::ChannelHealth,
    pub(crate) watch: crate::watch::Watch,
    pub(crate) operators: OnceLock<Arc<dyn OperatorAlarm>>,
    pub(crate) refusals: crate::refusals::Gate,
    pub(crate) circuits: crate::outbox::circuit::Circuits,
}

/// What changes the decider itself, in order with the commands.
pub(crate) enum Control {
    Org(Arc<Org>, oneshot::Sender<()>),
    Quarantine(bool),
    Forget(IncidentId),
    /// Alerts that another node ended: they may come back here.
    Ended(Vec<rows::alert::EndedLately>),
}

/// The handle; cloning it shares the engine.
#[derive(Clone)]
pub struct Engine {
    pub(crate) shared: Arc<Shared>,
    commands: mpsc::Sender<(Input, Tag)>,
}

impl Engine {
    /// Starts on an open store: fills memory, takes over what earlier runs left, starts the loops.
    ///
    /// # Errors
    /// When the store does not answer or holds what this program cannot read.
    pub async fn start(db: Db, ports: Ports, settings: EngineSettings, key: SecretKey) -> Result<Self, StartError> {
        let booted_at = ports.clock.now();
        let mut seed = [0; 8];
        ports.rng.fill(&mut seed);
        let seed = u64::from_le_bytes(seed);
        let node = NodeId::from_bits(IdGen::new(seed).next(booted_at));
        let org = Arc::new(crate::org::load(&db, &key).await?);
        let quarantined = settings.quarantine || rows::meta::get(&db, rows::meta::QUARANTINE).await?.is_some();
        let setup = Setup { node, booted_at, shared: db.dialect() == Dialect::Postgres, quarantined, seed: seed.rotate_left(17) };
        let held = crate::upkeep::attendance::learn_who_has_what(&db).await?;
        let mut decider = Decider::new(Core::new(setup, org.clone()), db.clone(), ports.clone());
        let windows = crate::outbox::windows_of(settings.outbox);
        if let Some(windows) = &windows {
            decider.core_mut().gather(windows.clone());
        }
        crate::clock::set_back::mend(&db, booted_at).await?;
        decider.fill().await?;
        let circuits = crate::outbox::circuit::Circuits::default();
        circuits.replace(rows::circuit::all(&db).await?);

        let (commands, inbox) = mpsc::channel(QUEUE_MAX);
        let (control, controls) = mpsc::unbounded_channel();
        let (to_outbox, from_decider) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            links: Links::new(&key, &settings.base_url),
            sign_in: crate::identity::sessions::SignIn::new(&key),
            db,
            ports,
            node,
            org: RwLock::new(org),
            key,
            metrics: Metrics::new(),
            changed: watch::channel(0).0,
            ways_in: watch::channel(0).0,
            titles: rows::title::Titles::default(),
            quarantined: AtomicBool::new(quarantined),
            stop: CancellationToken::new(),
            halt: CancellationToken::new(),
            halted: CancellationToken::new(),
            tasks: TaskTracker::new(),
            busy: AtomicI64::new(0),
            next_look: AtomicI64::new(i64::MAX),
            next_attempt: AtomicI64::new(i64::MAX),
            windows,
            under_way: Mutex::new(HashSet::new()),
            look_wake: Notify::new(),
            outbox_wake: Notify::new(),
            follow_wake: Notify::new(),
            ended_early: AtomicBool::new(false),
            last_fault: RwLock::new(None),
            commits: AtomicU64::new(0),
            control,
            org_change: tokio::sync::Mutex::new(()),
            makings: crate::org::Makings::default(),
            seed: AtomicU64::new(seed.rotate_left(31)),
            settings,
            troubles: crate::watch::trouble::Troubles::default(),
            stages: crate::watch::stages::Stages::default(),
            channels: crate::outbox::channel_health::ChannelHealth::default(),
            watch: crate::watch::Watch::default(),
            operators: OnceLock::new(),
            refusals: crate::refusals::Gate::default(),
            circuits,
        });
        let mut unread = BTreeSet::new();
        shared.troubles.unread(&mut unread, decider.take_unread_alerts().unwrap_or_default(), booted_at);
        crate::watch::start(&shared).map_err(no_thread)?;
        let engine = Self { shared: shared.clone(), commands };
        let decide = Loop { shared: shared.clone(), decider, inbox, controls, to_outbox, no_progress_at: None, unread };
        // Outlives the other tasks: what they learn while stopping is still written down.
        #[allow(clippy::disallowed_methods)]
        // A thread of its own: between two commits it must not queue behind requests for a worker.
        let runtime = tokio::runtime::Handle::current();
        std::thread::Builder::new().name("decider".to_owned()).spawn(move || runtime.block_on(decide.run())).map_err(no_thread)?;
        shared.tasks.spawn(looks(engine.clone()));
        shared.tasks.spawn(crate::upkeep::attendance::watch(engine.clone(), held));
        shared.tasks.spawn(Outbox::new(engine.clone(), from_decider).run());
        shared.tasks.spawn(crate::upkeep::room::watch(engine.clone()));
        shared.tasks.spawn(crate::upkeep::checkpoints::keep_sealing(engine.clone()));
        if shared.db.dialect() == Dialect::Postgres {
            shared.tasks.spawn(crate::run::peers::follow(engine.clone()));
            // Not among the tasks that a stop waits for: it goes on until everything is given back.
            #[allow(clippy::disallowed_methods)]
            tokio::spawn(crate::outbox::beats(engine.clone()));
        }
        Ok(engine)
    }

    /// Asks for a command; the answer comes when it is durable.
    ///
    /// # Errors
    /// A refusal, in words.
    pub async fn submit(&self, input: Input) -> Result<Reply, Refusal> {
        let (answer, wait) = oneshot::channel();
        self.shared.busy.fetch_add(1, Ordering::SeqCst);
        if self.commands.send((input, Some(answer))).await.is_err() {
            self.shared.busy.fetch_sub(1, Ordering::SeqCst);
            return Err(Refusal::Unavailable("the program is stopping".into()));
        }
        self.shared.stages.add(Measure::Commands, 1);
        wait.await.unwrap_or_else(|_| Err(Refusal::Unavailable("the program is stopping".into())))
    }

    /// Asks for a command of a person, who may send it twice: under a key that was given before it is the answer of
    /// then, whatever the command would meet now.
    ///
    /// # Errors
    /// A refusal, in words.
    pub async fn ask(&self, input: Input) -> Result<Reply, Refusal> {
        let Some(once) = input.once.clone() else { return self.submit(input).await };
        if let Some(kept) = self.kept(&once).await {
            return kept;
        }
        match self.submit(input).await {
            // The same command, a moment before this one, may be why there is nothing left to do.
            Err(refusal) if !matches!(refusal, Refusal::Unavailable(_)) => self.kept(&once).await.unwrap_or(Err(refusal)),
            answer => answer,
        }
    }

    /// What was answered under a key, where it was given before: for whoever judges a command before it is asked.
    pub async fn kept(&self, once: &Once) -> Option<Result<Reply, Refusal>> {
        match self.kept_answer(&once.principal, &once.key).await {
            Ok(None) => None,
            Ok(Some((digest, answer))) if digest == once.digest => Some(Ok(Reply::Again { answer })),
            Ok(Some(_)) => Some(Err(Refusal::KeyReused)),
            Err(fault) => Some(Err(Refusal::Unavailable(fault.to_string()))),
        }
    }

    /// One of our own commands: tried until the store has it or the program stops.
    pub(crate) async fn insist(&self, input: Input) {
        loop {
            match self.submit(input.clone()).await {
                Err(Refusal::Unavailable(why)) if !self.shared.stop.is_cancelled() => {
                    tracing::warn!(%why, "a command of our own waits for the store");
                    self.note_fault(&why);
                    if !self.pause().await {
                        return;
                    }
                }
                Ok(_) => return,
                Err(refusal) => {
                    tracing::debug!(%refusal, cause = %input.cause, "a command of our own was refused");
                    return;
                }
            }
        }
    }

    /// Waits a moment for a store that was away; `false`: the program stops.
    pub(crate) async fn pause(&self) -> bool {
        let at = after(self.now(), crate::run::decider::RETRY_OWN_AFTER);
        tokio::select! {
            () = self.shared.ports.clock.sleep_until(at) => true,
            () = self.shared.stop.cancelled() => false,
        }
    }

    /// The instant by which decisions are made.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.shared.ports.clock.now()
    }

    /// The organisation in force.
    #[must_use]
    pub fn org(&self) -> Arc<Org> {
        self.shared.org.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The store, for the program's own upkeep. People's reading goes through
    /// [`queries`](crate::read).
    #[must_use]
    pub fn db(&self) -> &Db {
        &self.shared.db
    }

    /// Counters.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.shared.metrics
    }

    /// Message links.
    #[must_use]
    pub fn links(&self) -> &Links {
        &self.shared.links
    }

    /// Where people reach us.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.shared.settings.base_url
    }

    /// The ports.
    #[must_use]
    pub fn ports(&self) -> &Ports {
        &self.shared.ports
    }

    /// Ticks after each commit that changed something to see.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.shared.changed.subscribe()
    }

    /// A token that is cancelled when the program stops.
    #[must_use]
    pub fn stopping(&self) -> CancellationToken {
        self.shared.stop.clone()
    }

    /// The set of tasks that a stop waits for.
    #[must_use]
    pub fn tasks(&self) -> TaskTracker {
        self.shared.tasks.clone()
    }

    /// Whether nothing is sent.
    #[must_use]
    pub fn is_quarantined(&self) -> bool {
        self.shared.quarantined.load(Ordering::SeqCst)
    }

    /// Fresh 128 bits for an id.
    #[must_use]
    pub fn fresh_id(&self) -> u128 {
        let seed = self.shared.seed.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        IdGen::new(seed).next(self.now())
    }

    pub(crate) async fn put_org(&self, org: Arc<Org>) {
        let (told, wait) = oneshot::channel();
        *self.shared.org.write().unwrap_or_else(PoisonError::into_inner) = org.clone();
        if self.shared.control.send(Control::Org(org, told)).is_ok() {
            let _ = wait.await;
        }
        // Somebody may have been removed, or may see less from now on.
        self.tell_ways_in();
        self.shared.changed.send_modify(|n| *n += 1);
    }

    pub(crate) fn control(&self, control: Control) {
        // A decider that has stopped needs no control.
        let _ = self.shared.control.send(control);
    }

    /// Ends a copy's quarantine: what is due is looked at from present state.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn release(&self) -> Result<(), CommitError> {
        self.shared.db.commit(vec![rows::meta::remove(rows::meta::QUARANTINE)]).await?;
        self.shared.quarantined.store(false, Ordering::SeqCst);
        self.control(Control::Quarantine(false));
        self.shared.look_wake.notify_one();
        self.shared.outbox_wake.notify_one();
        Ok(())
    }

    /// Stops: no new commands, what is under way ends, soft parts are written.
    pub async fn stop(&self) {
        self.shared.stop.cancel();
        self.shared.tasks.close();
        // Sends under way end and are recorded, so that none of them is in doubt at the next start.
        let _ = tokio::time::timeout(STOP_WAITS_AT_MOST, self.shared.tasks.wait()).await;
        let flush = Input { actor: Actor::System, cause: "stop".into(), once: None, command: Command::Flush { keys: usize::MAX } };
        let _ = self.submit(flush).await;
        self.shared.halt.cancel();
        let _ = tokio::time::timeout(STOP_WAITS_AT_MOST, self.shared.halted.cancelled()).await;
        // After the last decision, which may have claimed something as well.
        crate::outbox::flight::give_everything_back(self).await;
        crate::clock::set_back::mark(&self.shared.db, self.now()).await;
        self.shared.db.close().await;
    }

    /// The store's last fault, if it came after the last commit that went well.
    #[must_use]
    pub fn fault(&self) -> Option<String> {
        if self.shared.ended_early.load(Ordering::SeqCst) {
            return Some("a part of the program ended by itself: restart it".to_owned());
        }
        self.shared.last_fault.read().unwrap_or_else(PoisonError::into_inner).as_ref().map(|(_, why)| why.clone())
    }

    /// What impairs paging on this node.
    #[must_use]
    pub fn troubles(&self) -> &crate::watch::trouble::Troubles {
        &self.shared.troubles
    }

    /// How many incidents are open, whoever may see them.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn open_incidents(&self) -> Result<i64, Fault> {
        rows::incident::count_open(&self.shared.db, &allclear_domain::access::Reach::all()).await
    }

    /// Whom to tell, outside of paging, when paging itself is impaired; once, at the start.
    pub fn set_operator_alarm(&self, alarm: Arc<dyn OperatorAlarm>) {
        // A second one would be a mistake of the program's start; the first stays.
        let _ = self.shared.operators.set(alarm);
    }

    /// How many addresses operators are told at.
    #[must_use]
    pub fn operator_addresses(&self) -> usize {
        self.shared.operators.get().map_or(0, |alarm| alarm.addresses().len())
    }

    /// Lets a stage stand still from its next piece of work on, or go on: for tests.
    #[cfg(feature = "failpoints")]
    pub fn freeze(&self, stage: crate::watch::trouble::Stage, still: bool) {
        self.shared.stages.freeze(stage, still);
    }

    /// Lets time pass for the watch over the stages: for tests, which cannot wait for a minute.
    #[cfg(feature = "failpoints")]
    pub async fn watch_passes(&self, by: Duration) {
        self.shared.watch.let_pass(&self.shared, by).await;
    }

    pub(crate) fn note_fault(&self, why: &str) {
        note_fault(&self.shared, Some(why));
    }

    /// When something of ours is due next: a look or a try; reads the store.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn next_due(&self) -> Result<Option<Timestamp>, Fault> {
        let look = rows::expectation::next_look(&self.shared.db).await?;
        let attempt = rows::message::next_attempt(&self.shared.db).await?;
        Ok(match (look, attempt) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        })
    }

    /// Returns when no command and no send is under way and nothing is due: for tests.
    pub async fn quiet(&self) {
        let mut calm = 0;
        while calm < 3 {
            tokio::time::sleep(Duration::from_millis(2)).await;
            let due = self.next_due().await.ok().flatten().is_some_and(|at| at <= self.now()) && !self.is_quarantined();
            if due {
                self.shared.look_wake.notify_one();
                self.shared.outbox_wake.notify_one();
            }
            calm = if self.shared.busy.load(Ordering::SeqCst) == 0 && !due { calm + 1 } else { 0 };
        }
    }

    /// Wakes the loops, after the clock was moved.
    pub fn wake(&self) {
        self.shared.look_wake.notify_one();
        self.shared.outbox_wake.notify_one();
    }
}

impl Shared {
    /// A try of a channel for a person ended.
    pub(crate) fn tried(&self, channel: &str, person: &str, delivered: bool) {
        self.stages.did(Measure::Sends);
        let elapsed = Duration::from_nanos(self.ports.clock.monotonic_ns());
        self.channels.note(&self.troubles, (channel, person), delivered, elapsed, self.ports.clock.now());
    }

    /// A part of the program ends: nobody asked it to, unless the program stops.
    pub(crate) fn ended(&self) {
        if !self.stop.is_cancelled() {
            self.ended_early.store(true, Ordering::SeqCst);
            tracing::error!("a part of the program ended by itself; it is not ready any more and has to be restarted");
        }
    }
    pub(crate) const fn next_attempt_micros(&self) -> &AtomicI64 {
        &self.next_attempt
    }
}

pub(crate) fn note_fault(shared: &Shared, why: Option<&str>) {
    let mut last = shared.last_fault.write().unwrap_or_else(PoisonError::into_inner);
    *last = why.map(|why| (shared.ports.clock.now(), why.to_owned()));
}

/// Why an engine did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the store does not answer")]
    Store(#[from] Fault),
    #[error("deadlines of a clock that was set back were not moved back with it")]
    SetBack(#[from] CommitError),
    #[error("the stored organisation does not read: {0}")]
    Org(String),
}

fn no_thread(error: std::io::Error) -> Fault {
    Fault::new(allclear_store::FaultKind::Other, format!("cannot start a thread: {error}"))
}

/// Held by a loop for as long as it runs: tells when it ended, even by a panic, though nobody stopped
/// the program. Whoever watches readiness restarts it then.
pub(crate) struct Ends(pub(crate) Arc<Shared>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.ended();
    }
}

/// A command of the program itself.
pub(crate) fn ours(cause: &str, command: Command) -> Input {
    let actor = if matches!(command, Command::Look(_)) { Actor::Clock } else { Actor::System };
    debug_assert!(is_ours(&command));
    Input { actor, cause: cause.to_owned(), once: None, command }
}

/// Runs futures together to their ends. They only wait for the decider, so one after another in the
/// order of starting is as fast as any.
pub(crate) async fn join<T>(futures: Vec<impl Future<Output = T>>) -> Vec<T> {
    let mut pinned: Vec<_> = futures.into_iter().map(Box::pin).collect();
    let mut out: Vec<Option<T>> = pinned.iter().map(|_| None).collect();
    std::future::poll_fn(|cx| {
        let mut left = false;
        for (future, slot) in pinned.iter_mut().zip(out.iter_mut()) {
            if slot.is_none() {
                match future.as_mut().poll(cx) {
                    std::task::Poll::Ready(value) => *slot = Some(value),
                    std::task::Poll::Pending => left = true,
                }
            }
        }
        if left { std::task::Poll::Pending } else { std::task::Poll::Ready(()) }
    })
    .await;
    out.into_iter().flatten().collect()
}
