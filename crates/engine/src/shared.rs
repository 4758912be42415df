//! What all tasks of the engine share. Each subject owns the type of its part; here they only stand together.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use allclear_domain::ids::{IncidentId, MessageId, NodeId};
use allclear_domain::org::snapshot::Org;
use allclear_domain::time::Length;
use allclear_store::{Db, rows};
use jiff::Timestamp;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::core::{Refusal, Reply};
use crate::identity::seal::SecretKey;
use crate::message_link::Links;
use crate::metrics::Metrics;
use crate::outbox::settings::OutboxSettings;
use crate::ports::{OperatorAlarm, Ports};
use crate::watch::stages::Measure;
use crate::windows::Windows;

/// Within this time the soft part of alerts seen again is written (design: 15 s).
pub const FLUSH_EVERY: Length = Length::from_secs(15);
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
    /// For boards.
    pub(crate) boards: crate::boarded::Boards,
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
    pub(crate) ended_early: AtomicBool,
    pub(crate) last_fault: RwLock<Option<(Timestamp, String)>>,
    pub(crate) commits: AtomicU64,
    pub(crate) control: mpsc::UnboundedSender<Control>,
    pub(crate) org_change: tokio::sync::Mutex<()>,
    pub(crate) shown_once: crate::org::shown_once::ShownOnceLately,
    pub(crate) seed: AtomicU64,
    pub(crate) limits: crate::limits::Limits,
    pub(crate) reporting: crate::reporting::Reporting,
    pub(crate) sign_in: crate::identity::sign_in::SignIn,
    pub(crate) troubles: crate::watch::trouble::Troubles,
    pub(crate) stages: crate::watch::stages::Stages,
    pub(crate) channels: crate::outbox::channel_health::ChannelHealth,
    pub(crate) watch: crate::watch::memory::Watch,
    pub(crate) operators: OnceLock<Arc<dyn OperatorAlarm>>,
    pub(crate) refusals: crate::refusals::gate::Gate,
    pub(crate) circuits: std::sync::Arc<crate::outbox::circuit::Circuits>,
}

/// What changes the decider itself, in order with the commands.
pub(crate) enum Control {
    Org(Arc<Org>, oneshot::Sender<()>),
    Quarantine(bool),
    Forget(IncidentId),
    /// Alerts that another node ended: they may come back here.
    Ended(Vec<rows::alert::EndedLately>),
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

/// Held by a loop for as long as it runs: tells when it ended, even by a panic, though nobody stopped
/// the program. Whoever watches readiness restarts it then.
pub(crate) struct Ends(pub(crate) Arc<Shared>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.ended();
    }
}
