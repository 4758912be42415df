//! How the engine begins and ends: memory is filled, what earlier runs left is taken over, the tasks start; and at a stop
//! what is under way ends before the store is closed.

use std::collections::{BTreeSet, HashSet};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, RwLock};
use std::time::Duration;

use allclear_domain::access::{Actor, Principal};
use allclear_domain::ids::{IdGen, NodeId};
use allclear_store::{CommitError, Db, Dialect, Fault, rows};
use tokio::sync::{Notify, mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::core::{Command, Core, Input, Setup};
use crate::engine::Engine;
use crate::identity::NotDone;
use crate::identity::seal::SecretKey;
use crate::message_link::Links;
use crate::metrics::Metrics;
use crate::outbox::Driver;
use crate::ports::Ports;
use crate::run::decide_loop::Loop;
use crate::run::decider::Decider;
use crate::run::due_loop::looks;
use crate::shared::{Control, EngineSettings, Shared};

/// Commands that may wait for the decider; beyond it callers wait for room.
const QUEUE_MAX: usize = 8192;
/// How long a stop waits for sends under way: longer than the total deadline of a webhook.
const STOP_WAITS_AT_MOST: Duration = Duration::from_secs(12);

/// Why an engine did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the store does not answer")]
    Store(#[from] Fault),
    #[error("deadlines of a clock that was set back were not moved back with it")]
    SetBack(#[from] CommitError),
}

impl Engine {
    /// Ends a copy's quarantine: what is due is looked at from present state.
    ///
    /// # Errors
    /// When the asker may not, or the store does not answer.
    pub async fn release(&self, who: &Principal) -> Result<(), NotDone> {
        self.administers(who)?;
        self.shared.db.commit(vec![rows::meta::remove(rows::meta::QUARANTINE)]).await?;
        self.shared.quarantined.store(false, Ordering::SeqCst);
        self.control(Control::Quarantine(false));
        self.shared.look_wake.notify_one();
        self.shared.outbox_wake.notify_one();
        Ok(())
    }

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
        let (org, unread_forms) = crate::org::load(&db, &key, ports.channels).await?;
        let org = Arc::new(org);
        crate::core::ready::expect(&db, &org, booted_at).await?;
        crate::core::shifts::expect(&db, &org, booted_at).await?;
        crate::core::external_calendars::expect(&db, &org, booted_at).await?;
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
        let circuits = Arc::new(crate::outbox::circuit::Circuits::default());
        circuits.replace(rows::circuit::all(&db).await?);

        let (commands, inbox) = mpsc::channel(QUEUE_MAX);
        let (control, controls) = mpsc::unbounded_channel();
        let (to_outbox, from_decider) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            links: Links::new(&key, &settings.base_url),
            limits: crate::limits::Limits::default(),
            reporting: crate::reporting::Reporting::default(),
            sign_in: crate::identity::sign_in::SignIn::new(&key),
            db,
            ports,
            node,
            org: RwLock::new(org),
            key,
            metrics: Metrics::new(),
            changed: watch::channel(0).0,
            ways_in: watch::channel(0).0,
            boards: crate::boarded::Boards::default(),
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
            shown_once: crate::org::shown_once::ShownOnceLately::default(),
            seed: AtomicU64::new(seed.rotate_left(31)),
            settings,
            troubles: crate::watch::trouble::Troubles::default(),
            stages: crate::watch::stages::Stages::default(),
            channels: crate::outbox::channel_health::ChannelHealth::default(),
            watch: crate::watch::memory::Watch::default(),
            operators: OnceLock::new(),
            refusals: crate::refusals::gate::Gate::default(),
            circuits,
        });
        shared.troubles.set_aside(unread_forms, booted_at);
        let mut unread = BTreeSet::new();
        shared.troubles.unread(&mut unread, decider.take_unread_alerts().unwrap_or_default(), booted_at);
        crate::watch::start(&shared, commands.downgrade()).map_err(no_thread)?;
        let engine = Self { shared: shared.clone(), commands };
        let decide = Loop { shared: shared.clone(), decider, inbox, controls, to_outbox, no_progress_at: None, unread };
        // Outlives the other tasks: what they learn while stopping is still written down.
        #[allow(clippy::disallowed_methods)]
        // A thread of its own: between two commits it must not queue behind requests for a worker.
        let runtime = tokio::runtime::Handle::current();
        std::thread::Builder::new().name("decider".to_owned()).spawn(move || runtime.block_on(decide.run())).map_err(no_thread)?;
        shared.tasks.spawn(looks(engine.clone()));
        shared.tasks.spawn(crate::upkeep::attendance::watch(engine.clone(), held));
        shared.tasks.spawn(Driver::new(engine.clone(), from_decider).run());
        shared.tasks.spawn(crate::upkeep::room::watch(engine.clone()));
        shared.tasks.spawn(crate::upkeep::checkpoints::keep_sealing(engine.clone()));
        shared.tasks.spawn(crate::upkeep::words::keep_finding(engine.clone()));
        if shared.db.dialect() == Dialect::Postgres {
            shared.tasks.spawn(crate::run::peers::follow(engine.clone()));
            // Not among the tasks that a stop waits for: it goes on until everything is given back.
            #[allow(clippy::disallowed_methods)]
            tokio::spawn(crate::outbox::beats(engine.clone()));
        }
        Ok(engine)
    }

    /// Stops: no new commands, what is under way ends, soft parts are written.
    pub async fn stop(&self) {
        self.shared.stop.cancel();
        self.shared.tasks.close();
        // Sends under way end and are recorded, so that none of them is in doubt at the next start.
        let _ = tokio::time::timeout(STOP_WAITS_AT_MOST, self.shared.tasks.wait()).await;
        let flush =
            Input { who: Principal::own(Actor::System), cause: "stop".into(), once: None, command: Command::Flush { keys: usize::MAX } };
        let _ = self.submit(flush).await;
        self.shared.halt.cancel();
        let _ = tokio::time::timeout(STOP_WAITS_AT_MOST, self.shared.halted.cancelled()).await;
        // After the last decision, which may have claimed something as well.
        crate::outbox::flight::give_everything_back(self).await;
        crate::clock::set_back::mark(&self.shared.db, self.now()).await;
        self.shared.db.close().await;
    }
}

fn no_thread(error: std::io::Error) -> Fault {
    Fault::new(allclear_store::FaultKind::Other, format!("cannot start a thread: {error}"))
}
