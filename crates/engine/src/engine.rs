//! The engine's handle, which everybody uses: asks for commands, and knows the instant and the organisation in force.
//! What its tasks share is in `shared`, how they begin and end in `start`.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use allclear_domain::access::Principal;
use allclear_domain::channel::WaysOut;
use allclear_domain::ids::IdGen;
use allclear_domain::org::snapshot::Org;
use allclear_domain::time::after;
use allclear_store::{Db, Fault, rows};
use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::core::{Input, Once, Refusal, Reply};
use crate::message_link::Links;
use crate::metrics::Metrics;
use crate::ports::{OperatorAlarm, Ports};
use crate::shared::{Control, Shared, Tag, note_fault};
use crate::watch::stages::Measure;

/// The handle; cloning it shares the engine.
#[derive(Clone)]
pub struct Engine {
    pub(crate) shared: Arc<Shared>,
    pub(crate) commands: mpsc::Sender<(Input, Tag)>,
}

impl Engine {
    /// Asks for a command; the answer comes when it is durable.
    ///
    /// # Errors
    /// A refusal, in words.
    pub async fn submit(&self, input: Input) -> Result<Reply, Refusal> {
        let asking = self.shared.limits.count(&self.org(), &input, self.now())?;
        let answer = self.submit_counted(input).await;
        if matches!(answer, Err(_) | Ok(Reply::Again { .. })) {
            self.shared.limits.forget(&asking);
        }
        answer
    }

    async fn submit_counted(&self, input: Input) -> Result<Reply, Refusal> {
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
        let who = input.who.clone();
        if let Some(kept) = self.kept(&who, &once).await {
            return kept;
        }
        match self.submit(input).await {
            // The same command, a moment before this one, may be why there is nothing left to do.
            Err(refusal) if !matches!(refusal, Refusal::Unavailable(_)) => self.kept(&who, &once).await.unwrap_or(Err(refusal)),
            answer => answer,
        }
    }

    /// What was answered under a key, where it was given before: for whoever judges a command before it is asked.
    pub async fn kept(&self, who: &Principal, once: &Once) -> Option<Result<Reply, Refusal>> {
        match self.kept_answer(&who.actor.to_string(), &once.key).await {
            Ok(None) => None,
            Ok(Some((digest, answer))) if once.is_of(&digest) => Some(Ok(Reply::Again { answer })),
            Ok(Some(_)) => Some(Err(Refusal::KeyReused)),
            Err(fault) => Some(Err(Refusal::Unavailable(fault.to_string()))),
        }
    }

    /// One of our own commands: tried until the store has it or the program stops.
    pub(crate) async fn submit_until_done(&self, input: Input) {
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

    /// The channels that there are here.
    #[must_use]
    pub fn channels(&self) -> WaysOut {
        self.shared.ports.channels
    }

    /// The setting without which nothing is sent over a channel, where that is missing.
    #[must_use]
    pub fn lacks(&self, channel: &str) -> Option<&'static str> {
        self.shared.ports.transport.lacks(channel)
    }

    /// What a browser has to know before it gives an address of a channel; nothing where it gives none.
    #[must_use]
    pub fn public_key(&self, channel: &str) -> Option<&str> {
        self.shared.ports.transport.public_key(channel)
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
        let sent = {
            // What was read before a change of our own was made, and comes after it, would bring back who was on call before. The
            // decider hears of both in the same order.
            let mut known = self.shared.org.write().unwrap_or_else(PoisonError::into_inner);
            if org.version < known.version {
                return;
            }
            *known = org.clone();
            self.shared.control.send(Control::Org(org, told))
        };
        if sent.is_ok() {
            let _ = wait.await;
        }
        // Somebody may have been removed, or may see less from now on.
        self.tell_ways_in();
        self.shared.changed.send_modify(|n| *n += 1);
    }

    /// Pages that show the organisation are made again: what stands beside it has changed.
    pub(crate) fn org_shown_anew(&self) {
        self.shared.changed.send_modify(|n| *n += 1);
    }

    pub(crate) fn control(&self, control: Control) {
        // A decider that has stopped needs no control.
        let _ = self.shared.control.send(control);
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
