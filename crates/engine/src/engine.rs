//! The engine: one decider task, the look loop, the outbox loop, and the handle that everybody uses.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use allclear_domain::access::Actor;
use allclear_domain::ids::{IdGen, IncidentId, NodeId};
use allclear_domain::org::snapshot::Org;
use allclear_domain::time::{Length, after};
use allclear_store::{CommitError, Db, Dialect, Fault, rows};
use jiff::Timestamp;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::core::{Command, Core, Effects, Input, Refusal, Reply, Setup};
use crate::decider::{Decider, Done, Group, is_ours};
use crate::links::Links;
use crate::metrics::Metrics;
use crate::outbox::{Outbox, OutboxSettings};
use crate::ports::Ports;
use crate::seal::SecretKey;

/// Within this time the soft part of alerts seen again is written (design: 15 s).
pub const FLUSH_EVERY: Length = Length::from_secs(15);
/// Commands that may wait for the decider; beyond it callers wait for room.
const QUEUE_MAX: usize = 8192;
/// Commands decided into one commit.
const GROUP_MAX: usize = 1024;
/// Due expectations looked at per round.
const LOOKS_PER_ROUND: i64 = 256;
/// The backstop of the look loop: it looks at least this often.
const LOOK_AT_LEAST_EVERY: Length = Length::from_secs(5);
/// How long a stop waits for sends under way: longer than the total deadline of a webhook.
const STOP_WAITS_AT_MOST: Duration = Duration::from_secs(12);
/// How long a look that was refused is put off.
const LOOK_AGAIN_AFTER: Length = Length::from_secs(30);
/// Alerts whose soft part is written in one commit.
const FLUSH_KEYS_MAX: usize = 1000;

type Tag = Option<oneshot::Sender<Result<Reply, Refusal>>>;

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
    /// For searches.
    pub(crate) titles: rows::title::Titles,
    pub(crate) quarantined: AtomicBool,
    /// Nothing new begins.
    pub(crate) stop: CancellationToken,
    /// The decider ends, after what was under way was written down.
    halt: CancellationToken,
    halted: CancellationToken,
    pub(crate) tasks: TaskTracker,
    /// Commands and sends under way, for tests that wait until all is quiet.
    pub(crate) busy: AtomicI64,
    /// Microseconds of the next look and the next try that memory knows of.
    next_look: AtomicI64,
    next_attempt: AtomicI64,
    look_wake: Notify,
    pub(crate) outbox_wake: Notify,
    /// Set when a loop ended though nobody stopped it: not ready any more.
    ended_early: AtomicBool,
    pub(crate) last_fault: RwLock<Option<(Timestamp, String)>>,
    pub(crate) commits: AtomicU64,
    control: mpsc::UnboundedSender<Control>,
    pub(crate) org_change: tokio::sync::Mutex<()>,
    seed: AtomicU64,
    pub(crate) sign_in: crate::sessions::SignIn,
}

/// What changes the decider itself, in order with the commands.
pub(crate) enum Control {
    Org(Arc<Org>, oneshot::Sender<()>),
    Quarantine(bool),
    Forget(IncidentId),
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
        let org = Arc::new(crate::orgs::load(&db, &key).await?);
        let quarantined = settings.quarantine || rows::meta::get(&db, rows::meta::QUARANTINE).await?.is_some();
        let setup = Setup { node, booted_at, shared: db.dialect() == Dialect::Postgres, quarantined, seed: seed.rotate_left(17) };
        let mut decider = Decider::new(Core::new(setup, org.clone()), db.clone(), ports.clone());
        decider.fill().await?;

        let (commands, inbox) = mpsc::channel(QUEUE_MAX);
        let (control, controls) = mpsc::unbounded_channel();
        let (to_outbox, from_decider) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            links: Links::new(&key, &settings.base_url),
            db,
            ports,
            node,
            org: RwLock::new(org),
            key,
            metrics: Metrics::new(),
            changed: watch::channel(0).0,
            titles: rows::title::Titles::default(),
            quarantined: AtomicBool::new(quarantined),
            stop: CancellationToken::new(),
            halt: CancellationToken::new(),
            halted: CancellationToken::new(),
            tasks: TaskTracker::new(),
            busy: AtomicI64::new(0),
            next_look: AtomicI64::new(i64::MAX),
            next_attempt: AtomicI64::new(i64::MAX),
            look_wake: Notify::new(),
            outbox_wake: Notify::new(),
            ended_early: AtomicBool::new(false),
            last_fault: RwLock::new(None),
            commits: AtomicU64::new(0),
            control,
            org_change: tokio::sync::Mutex::new(()),
            seed: AtomicU64::new(seed.rotate_left(31)),
            settings,
            sign_in: crate::sessions::SignIn::default(),
        });
        let engine = Self { shared: shared.clone(), commands };
        let decide = Loop { shared: shared.clone(), decider, inbox, controls, to_outbox };
        // Outlives the other tasks: what they learn while stopping is still written down.
        #[allow(clippy::disallowed_methods)]
        // A thread of its own: between two commits it must not queue behind requests for a worker.
        let runtime = tokio::runtime::Handle::current();
        std::thread::Builder::new()
            .name("decider".to_owned())
            .spawn(move || runtime.block_on(decide.run()))
            .map_err(|error| Fault::new(allclear_store::FaultKind::Other, format!("cannot start a thread: {error}")))?;
        shared.tasks.spawn(looks(engine.clone()));
        shared.tasks.spawn(Outbox::new(engine.clone(), from_decider).run());
        if shared.db.dialect() == Dialect::Postgres {
            shared.tasks.spawn(crate::peers::follow(engine.clone()));
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
        wait.await.unwrap_or_else(|_| Err(Refusal::Unavailable("the program is stopping".into())))
    }

    /// One of our own commands: tried until the store has it or the program stops.
    pub(crate) async fn insist(&self, input: Input) {
        loop {
            match self.submit(input.clone()).await {
                Err(Refusal::Unavailable(why)) if !self.shared.stop.is_cancelled() => {
                    tracing::warn!(%why, "a command of our own waits for the store");
                    self.note_fault(&why);
                    let at = after(self.now(), crate::decider::RETRY_OWN_AFTER);
                    tokio::select! {
                        () = self.shared.ports.clock.sleep_until(at) => {}
                        () = self.shared.stop.cancelled() => return,
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
    /// [`queries`](crate::queries).
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
    pub(crate) const fn next_attempt_micros(&self) -> &AtomicI64 {
        &self.next_attempt
    }
}

fn note_fault(shared: &Shared, why: Option<&str>) {
    let mut last = shared.last_fault.write().unwrap_or_else(PoisonError::into_inner);
    *last = why.map(|why| (shared.ports.clock.now(), why.to_owned()));
}

/// Why an engine did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the store does not answer")]
    Store(#[from] Fault),
    #[error("the stored organisation does not read: {0}")]
    Org(String),
}

/// Held by a loop for as long as it runs: tells when it ended, even by a panic, though nobody stopped
/// the program. Whoever watches readiness restarts it then.
pub(crate) struct Ends(pub(crate) Arc<Shared>);

impl Drop for Ends {
    fn drop(&mut self) {
        if !self.0.stop.is_cancelled() {
            self.0.ended_early.store(true, Ordering::SeqCst);
            tracing::error!("a part of the program ended by itself; it is not ready any more and has to be restarted");
        }
    }
}

/// What the decider hands to the outbox.
pub(crate) enum ToOutbox {
    Send(Box<rows::message::Stored>),
    Ended(allclear_domain::ids::PageId),
}

struct Loop {
    shared: Arc<Shared>,
    decider: Decider,
    inbox: mpsc::Receiver<(Input, Tag)>,
    controls: mpsc::UnboundedReceiver<Control>,
    to_outbox: mpsc::UnboundedSender<ToOutbox>,
}

type Flight = (Group<Tag>, Pin<Box<dyn Future<Output = Result<(), CommitError>> + Send>>);

impl Loop {
    async fn run(self) {
        let _ends = Ends(self.shared.clone());
        let halted = self.shared.halted.clone();
        self.decide().await;
        halted.cancel();
    }

    async fn decide(mut self) {
        let mut waiting: VecDeque<(Input, Tag)> = VecDeque::new();
        let mut group = Group::default();
        let mut flight: Option<Flight> = None;
        let mut incoming = Vec::with_capacity(GROUP_MAX);
        let mut flush_at = after(self.shared.ports.clock.now(), FLUSH_EVERY);
        loop {
            while let Ok(control) = self.controls.try_recv() {
                self.control(control);
            }
            // Decide what waits, unless something has to be durable first.
            let mut stuck = false;
            while group.len() < GROUP_MAX && !stuck {
                let Some((input, tag)) = waiting.pop_front() else { break };
                let first_of_all = group.is_empty() && flight.is_none();
                if let Some(back) = self.add(&mut group, &mut flight, input, tag, first_of_all).await {
                    waiting.push_front(back);
                    stuck = true;
                }
            }
            let found = self.decider.take_found();
            if !found.is_empty() {
                self.publish(Vec::new(), found);
            }
            if flight.is_none() && !group.is_empty() {
                flight = self.launch(std::mem::take(&mut group)).await;
                continue;
            }
            match &mut flight {
                Some((_, commit)) => {
                    tokio::select! {
                        biased;
                        result = commit.as_mut() => {
                            let Some((landed, _)) = flight.take() else { continue };
                            if let Some(lost) = self.land(landed, result, &mut group).await {
                                for pending in lost.into_iter().rev() {
                                    waiting.push_front(pending);
                                }
                            }
                        }
                        n = self.inbox.recv_many(&mut incoming, GROUP_MAX), if group.len() < GROUP_MAX && !stuck => {
                            if n == 0 { stuck_until_landed(&mut flight).await; }
                            waiting.extend(incoming.drain(..));
                        }
                    }
                }
                None => {
                    let flush = self.shared.ports.clock.sleep_until(flush_at);
                    tokio::select! {
                        biased;
                        control = self.controls.recv() => if let Some(control) = control { self.control(control) },
                        n = self.inbox.recv_many(&mut incoming, GROUP_MAX) => {
                            if n == 0 { return; }
                            waiting.extend(incoming.drain(..));
                        }
                        () = flush => {}
                        () = self.shared.halt.cancelled(), if self.inbox.is_empty() && waiting.is_empty() => {
                            self.inbox.close();
                            if self.inbox.is_empty() { return; }
                        }
                    }
                }
            }
            let now = self.shared.ports.clock.now();
            if now >= flush_at {
                flush_at = after(now, FLUSH_EVERY);
                self.decider.core_mut().tidy();
                for _ in 0..self.decider.core().dirty_alerts().div_ceil(FLUSH_KEYS_MAX) {
                    waiting.push_back((ours("flush", Command::Flush { keys: FLUSH_KEYS_MAX }), None));
                    self.shared.busy.fetch_add(1, Ordering::SeqCst);
                }
            }
        }
    }

    /// Decides one command into the group. What has to be read from rows that an undecided commit
    /// may change waits until everything before it is durable.
    async fn add(
        &mut self,
        group: &mut Group<Tag>,
        flight: &mut Option<Flight>,
        input: Input,
        tag: Tag,
        first_of_all: bool,
    ) -> Option<(Input, Tag)> {
        if first_of_all {
            return self.decider.add(group, input, tag).await;
        }
        self.decider.add_if_known(group, flight.is_some(), input, tag).await.err()
    }

    async fn launch(&mut self, mut group: Group<Tag>) -> Option<Flight> {
        let writes = group.take_writes();
        if writes.is_empty() {
            let (done, effects) = Decider::durable(group);
            self.publish(done, effects);
            return None;
        }
        let db = self.shared.db.clone();
        let mut commit: Pin<Box<dyn Future<Output = Result<(), CommitError>> + Send>> = Box::pin(async move { db.commit(writes).await });
        // The first poll hands the writes to the store's writer; deciding goes on meanwhile.
        match futures_poll_once(commit.as_mut()).await {
            Some(result) => {
                let mut none = Group::default();
                if let Some(lost) = self.land(group, result, &mut none).await {
                    debug_assert!(lost.is_empty(), "nothing was decided after it");
                }
                None
            }
            None => Some((group, commit)),
        }
    }

    /// A group landed. When it failed, what was decided after it is taken back to be decided again.
    async fn land(&mut self, group: Group<Tag>, result: Result<(), CommitError>, later: &mut Group<Tag>) -> Option<Vec<(Input, Tag)>> {
        self.shared.commits.fetch_add(1, Ordering::Relaxed);
        match result {
            Ok(()) => {
                if self.shared.last_fault.read().is_ok_and(|last| last.is_some()) {
                    note_fault(&self.shared, None);
                }
                let (done, effects) = Decider::durable(group);
                self.publish(done, effects);
                None
            }
            Err(error) => {
                if let CommitError::Fault(fault) = &error {
                    tracing::error!(%fault, commands = group.len(), "a commit failed; nothing of it was answered");
                    note_fault(&self.shared, Some(&fault.to_string()));
                }
                self.decider.also_touched(later);
                let (done, effects) = self.decider.again(group, error).await;
                self.publish(done, effects);
                let lost = std::mem::take(later);
                Some(lost.pending.into_iter().map(|p| (p.input, p.tag)).collect())
            }
        }
    }

    fn control(&mut self, control: Control) {
        match control {
            Control::Org(org, told) => {
                self.decider.core_mut().set_org(org);
                let _ = told.send(());
            }
            Control::Quarantine(on) => self.decider.core_mut().set_quarantined(on),
            Control::Forget(incident) => self.decider.core_mut().forget_stream(incident),
        }
    }

    fn publish(&self, done: Vec<Done<Tag>>, effects: Vec<Effects>) {
        let shared = &self.shared;
        let mut changed = false;
        for effect in effects {
            changed |= !effect.changed.is_empty() || effect.alerts_opened + effect.alerts_ended > 0;
            for page in effect.ended {
                let _ = self.to_outbox.send(ToOutbox::Ended(page));
            }
            for message in effect.send {
                shared.busy.fetch_add(1, Ordering::SeqCst);
                let _ = self.to_outbox.send(ToOutbox::Send(Box::new(message)));
            }
            if let Some(at) = effect.next_look_at {
                earlier(&shared.next_look, at, &shared.look_wake);
            }
            if let Some(at) = effect.next_attempt_at {
                earlier(&shared.next_attempt, at, &shared.outbox_wake);
            }
            for result in effect.page_results {
                shared.metrics.page_result(result);
            }
            shared.metrics.alerts(effect.alerts_opened, effect.alerts_ended);
        }
        for Done { tag, reply } in done {
            if let Err(Refusal::Unavailable(why)) = &reply {
                note_fault(shared, Some(why));
            }
            shared.busy.fetch_sub(1, Ordering::SeqCst);
            if let Some(answer) = tag {
                // Whoever asked may have gone; the deed is done all the same.
                let _ = answer.send(reply);
            }
        }
        if changed {
            shared.changed.send_modify(|n| *n += 1);
        }
    }
}

/// The inbox is closed: only the commit in flight is left.
async fn stuck_until_landed(flight: &mut Option<Flight>) {
    if flight.is_none() {
        tokio::task::yield_now().await;
    }
}

/// Polls a future once.
async fn futures_poll_once<T>(mut future: Pin<&mut (dyn Future<Output = T> + Send)>) -> Option<T> {
    std::future::poll_fn(|cx| match future.as_mut().poll(cx) {
        std::task::Poll::Ready(value) => std::task::Poll::Ready(Some(value)),
        std::task::Poll::Pending => std::task::Poll::Ready(None),
    })
    .await
}

/// Lowers a remembered instant, and wakes its loop when it got earlier.
fn earlier(next: &AtomicI64, at: Timestamp, wake: &Notify) {
    let micros = allclear_domain::time::to_micros(at);
    if next.fetch_min(micros, Ordering::SeqCst) > micros {
        wake.notify_one();
    }
}

/// A command of the program itself.
pub(crate) fn ours(cause: &str, command: Command) -> Input {
    let actor = if matches!(command, Command::Look(_)) { Actor::Clock } else { Actor::System };
    debug_assert!(is_ours(&command));
    Input { actor, cause: cause.to_owned(), once: None, command }
}

/// Looks at due expectations, worst first, for as long as the program runs.
async fn looks(engine: Engine) {
    let shared = engine.shared.clone();
    let _ends = Ends(shared.clone());
    loop {
        if shared.stop.is_cancelled() {
            return;
        }
        // Whatever is opened while we read lowers this again.
        shared.next_look.store(i64::MAX, Ordering::SeqCst);
        let now = engine.now();
        let (due, next) = if engine.is_quarantined() {
            (Vec::new(), None)
        } else {
            match read_due(&shared.db, now).await {
                Ok(found) => found,
                Err(fault) => {
                    tracing::error!(%fault, "due expectations cannot be read");
                    engine.note_fault(&fault.to_string());
                    (Vec::new(), None)
                }
            }
        };
        let full = due.len() as i64 == LOOKS_PER_ROUND;
        let mut looked = Vec::with_capacity(due.len());
        for expectation in due {
            shared.metrics.lateness(now.duration_since(expectation.next_look_at).as_secs_f64());
            let cause = format!("expectation:{}/{}/{}", expectation.owner, expectation.key, expectation.occurrence);
            let input = ours(&cause, Command::Look(Box::new(expectation.clone())));
            let engine = engine.clone();
            looked.push(async move { (expectation, engine.submit(input).await) });
        }
        let mut failed = false;
        for (expectation, reply) in join(looked).await {
            let Err(refusal) = reply else { continue };
            failed = true;
            if !matches!(refusal, Refusal::Unavailable(_)) {
                put_off(&engine, &expectation, &refusal).await;
            }
        }
        if full && !failed {
            continue;
        }
        if let Some(at) = next {
            shared.next_look.fetch_min(allclear_domain::time::to_micros(at), Ordering::SeqCst);
        }
        let backstop = after(engine.now(), LOOK_AT_LEAST_EVERY);
        let at = allclear_domain::time::from_micros(shared.next_look.load(Ordering::SeqCst)).min(backstop);
        // What failed is due still: not at once again, the store needs a moment.
        let at = if failed { at.max(after(engine.now(), crate::decider::RETRY_OWN_AFTER)) } else { at };
        tokio::select! {
            () = shared.ports.clock.sleep_until(at) => {}
            () = shared.look_wake.notified() => {}
            () = shared.stop.cancelled() => return,
        }
    }
}

/// A look that was refused is not forgotten, and does not take the place of others: it is looked at
/// again a little later, until whatever refuses it is mended.
async fn put_off(engine: &Engine, expectation: &allclear_domain::expect::Expectation, refusal: &Refusal) {
    tracing::error!(owner = %expectation.owner, key = %expectation.key, %refusal, "a due expectation was refused; it is looked at again");
    let write = rows::expectation::rearm(expectation, after(engine.now(), LOOK_AGAIN_AFTER));
    // Settled meanwhile, or a store that is away: the next look finds out.
    let _ = engine.db().commit(vec![write]).await;
}

async fn read_due(db: &Db, now: Timestamp) -> Result<(Vec<allclear_domain::expect::Expectation>, Option<Timestamp>), Fault> {
    let due = rows::expectation::due(db, now, LOOKS_PER_ROUND).await?;
    let next = if due.is_empty() { rows::expectation::next_look(db).await? } else { Some(now) };
    Ok((due, next))
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
