//! The outbox: what was decided is sent, and how that ended becomes a command.
//!
//! [`machine`] decides what is sent when, [`flight`] carries one message, [`crate::windows`] says what waits for company,
//! [`choose`] what goes out together, [`circuit`] which targets do not answer, and `retire` shows as done what asks nothing any more. Here is the task that drives the machine.

pub(crate) mod about;
mod beat;
pub(crate) mod channel_health;
pub mod choose;
pub mod circuit;
pub(crate) mod flight;
pub mod machine;
mod retire;
pub(crate) mod settings;

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use allclear_domain::ids::MessageId;
use allclear_domain::time::{Length, after, from_micros};
use allclear_store::Dialect;
use jiff::Timestamp;
use tokio::sync::mpsc;

pub(crate) use beat::beats;
pub use settings::{AT_ONCE_DEFAULT, OutboxSettings, PER_TARGET_DEFAULT};

use self::flight::fly;
use self::machine::{Around, Landed, Order, Outbox, PUT_OFF, Work};
use self::retire::Retiring;
use crate::core::{Command, ours};
use crate::engine::Engine;
use crate::run::decide_loop::ToOutbox;
use crate::watch::stages::Measure;
use crate::watch::trouble::Stage;
use crate::windows::{Contact, Windows};

/// While there is no room for something that is due, the heaps are looked at no oftener than this, but for landings.
const BLOCKED_FOR: Length = Length::from_millis(100);

/// What a flight tells the loop.
enum Event {
    /// What it takes of the contact's heap is taken.
    Claimed(Contact),
    Landed(Contact, Option<MessageId>, Landed),
}

/// The task that drives the machine.
pub(crate) struct Driver {
    engine: Engine,
    inbox: mpsc::UnboundedReceiver<ToOutbox>,
    machine: Outbox,
    retiring: Retiring,
    events: (mpsc::UnboundedSender<Event>, mpsc::UnboundedReceiver<Event>),
}

impl Driver {
    pub(crate) fn new(engine: Engine, inbox: mpsc::UnboundedReceiver<ToOutbox>) -> Self {
        let shared = &engine.shared;
        let machine = Outbox::new(shared.node, shared.settings.outbox, shared.windows.clone(), shared.circuits.clone());
        let retiring = Retiring::start(&engine);
        Self { engine, inbox, machine, retiring, events: mpsc::unbounded_channel() }
    }

    pub(crate) async fn run(mut self) {
        let shared = self.engine.shared.clone();
        let _ends = crate::shared::Ends(shared.clone());
        let mut look_at = self.engine.now();
        let mut looked_at = Timestamp::MIN;
        shared.stages.set(Measure::SendRounds, 1);
        loop {
            shared.stages.did(Measure::SendRounds);
            shared.stages.gate(Stage::Send).await;
            if self.engine.now() >= look_at {
                looked_at = self.engine.now();
                look_at = self.look().await;
            }
            // Every end that was committed is heard before anything is begun.
            while let Ok(told) = self.inbox.try_recv() {
                self.take_up(told);
            }
            self.tell(|machine, around| machine.start_what_was_born(around));
            let (under_way, born) = self.machine.load();
            shared.stages.set(Measure::Sends, under_way + born);
            if self.machine.has_stale() {
                self.return_stale().await;
            }
            let early = shared.windows.as_ref().and_then(|windows| windows.next_early()).unwrap_or(Timestamp::MAX);
            let pause = pause(self.machine.is_blocked(), early, looked_at);
            let probe = shared.circuits.next_probe(self.engine.now()).unwrap_or(Timestamp::MAX);
            let known = from_micros(shared.next_attempt_at()).min(early).min(probe).max(after(self.engine.now(), pause));
            tokio::select! {
                biased;
                Some(event) = self.events.1.recv() => {
                    if let Some(at) = self.heard_of_a_flight(event) {
                        look_at = look_at.min(at);
                    }
                }
                taken = self.inbox.recv() => match taken {
                    Some(told) => self.take_up(told),
                    None => return,
                },
                () = shared.outbox_wake.notified() => look_at = self.engine.now(),
                () = shared.ports.clock.sleep_until(look_at.min(known)) => look_at = self.engine.now(),
                () = shared.stop.cancelled() => return,
            }
        }
    }

    /// Tells the machine something, and does what it orders.
    fn tell<T>(&mut self, what: impl FnOnce(&mut Outbox, Around<'_>) -> T) -> T {
        let (engine, org) = (self.engine.clone(), self.engine.org());
        let told = what(&mut self.machine, around(&engine, &org));
        self.carry_out();
        told
    }

    async fn look(&mut self) -> Timestamp {
        let (engine, org) = (self.engine.clone(), self.engine.org());
        let (shared, around) = (&engine.shared, around(&engine, &org));
        shared.set_next_attempt(i64::MAX);
        if engine.is_quarantined() {
            return Outbox::backstop(around);
        }
        let looked = self.machine.look(around).await;
        shared.circuits.tell(&shared.troubles, around.now);
        // What there was room for before a fault has begun.
        self.carry_out();
        match looked {
            Ok(next) => {
                shared.next_attempt_micros().fetch_min(allclear_domain::time::to_micros(next), Ordering::SeqCst);
                next
            }
            Err(fault) => {
                engine.note_fault(&fault.to_string());
                after(around.now, PUT_OFF)
            }
        }
    }

    async fn return_stale(&mut self) {
        let (engine, org) = (self.engine.clone(), self.engine.org());
        let (shared, around) = (&engine.shared, around(&engine, &org));
        match self.machine.return_stale(around).await {
            Ok(count) => {
                shared.busy.fetch_sub(i64::try_from(count).unwrap_or(0), Ordering::SeqCst);
                shared.outbox_wake.notify_one();
            }
            Err(error) => {
                engine.note_fault(&error.to_string());
                // Tried again at the next round, which comes with the next look at the latest.
                shared.set_next_attempt(allclear_domain::time::to_micros(after(around.now, PUT_OFF)));
            }
        }
    }

    fn take_up(&mut self, told: ToOutbox) {
        match told {
            ToOutbox::Send(message) => self.tell(|machine, around| machine.take(message, around)),
            ToOutbox::Ended(page) => {
                self.tell(|machine, around| machine.ended(page, around.now));
                self.retiring.ended(&self.engine, page);
                self.engine.shared.busy.fetch_sub(1, Ordering::SeqCst);
            }
            // The loop goes round, and sees when what is held goes.
            ToOutbox::Held => {}
        }
    }

    /// Gives when the heaps are to be looked at for it.
    fn heard_of_a_flight(&mut self, event: Event) -> Option<Timestamp> {
        let now = self.engine.now();
        match event {
            Event::Claimed(contact) => self.machine.claimed(&contact, now),
            Event::Landed(contact, lead, landed) => self.machine.landed(&contact, lead, landed, now),
        }
    }

    fn carry_out(&mut self) {
        for order in self.machine.orders() {
            match order {
                Order::Fly(contact, work) => self.start(contact, work),
                Order::Waits(contact, why) => self.tell_who_waits(contact, why),
                Order::Withdraw(message) => self.withdraw(message),
            }
        }
    }

    fn tell_who_waits(&self, contact: Contact, why: String) {
        let (engine, said) = (self.engine.clone(), self.events.0.clone());
        let now = engine.now();
        engine.shared.busy.fetch_add(1, Ordering::SeqCst);
        self.engine.shared.tasks.spawn(async move {
            flight::waits(&engine, &contact, &why, now).await;
            // The loop may have stopped.
            let _ = said.send(Event::Claimed(contact));
            engine.shared.busy.fetch_sub(1, Ordering::SeqCst);
        });
    }

    fn withdraw(&self, message: MessageId) {
        let engine = self.engine.clone();
        self.engine.shared.tasks.spawn(async move {
            engine.submit_until_done(ours("page ended", Command::Withdraw { message })).await;
            engine.shared.busy.fetch_sub(1, Ordering::SeqCst);
        });
    }

    fn start(&self, contact: Contact, work: Work) {
        let shared = &self.engine.shared;
        let counted_before = matches!(work, Work::Born(_));
        shared.busy.fetch_add(1, Ordering::SeqCst);
        let lead = work.lead();
        shared.send_begins(lead);
        let said = self.events.0.clone();
        let engine = self.engine.clone();
        let tasks = shared.tasks.clone();
        shared.tasks.spawn(async move {
            let (shared, whom, tells) = (engine.shared.clone(), contact.clone(), said.clone());
            // A task of its own, so that a panic in a channel frees the contact's place.
            let landed = tasks.spawn(async move { fly(&engine, work, &whom, &tells).await }).await.unwrap_or_else(|_| {
                tracing::error!("a send panicked; its message stays claimed and is in doubt at the next start");
                Landed::default()
            });
            shared.send_ended(lead);
            // The loop may have stopped; then nobody counts.
            let _ = said.send(Event::Landed(contact, lead, landed));
            shared.busy.fetch_sub(1, Ordering::SeqCst);
        });
        if counted_before {
            // Counted as busy since it was decided.
            shared.busy.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

/// What surrounds the machine now.
fn around<'a>(engine: &'a Engine, org: &'a allclear_domain::org::snapshot::Org) -> Around<'a> {
    let shared = &engine.shared;
    let alone = shared.db.dialect() == Dialect::Sqlite;
    Around { db: &shared.db, now: engine.now(), monotonic_ns: shared.ports.clock.monotonic_ns(), org, alone }
}

/// How long the next look waits at least. With no room, what is held waits for a landing, or for this; and so does what
/// the last look did not take though it was to go by then.
fn pause(blocked: bool, early: Timestamp, looked_at: Timestamp) -> Length {
    if blocked || early <= looked_at { BLOCKED_FOR } else { Length::from_millis(1) }
}

impl crate::shared::Shared {
    pub(crate) fn next_attempt_at(&self) -> i64 {
        self.next_attempt_micros().load(Ordering::SeqCst)
    }
    pub(crate) fn set_next_attempt(&self, micros: i64) {
        self.next_attempt_micros().store(micros, Ordering::SeqCst);
    }
    fn leads(&self) -> std::sync::MutexGuard<'_, HashSet<MessageId>> {
        self.under_way.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
    fn send_begins(&self, lead: Option<MessageId>) {
        self.leads().extend(lead);
    }
    fn send_ended(&self, lead: Option<MessageId>) {
        if let Some(lead) = lead {
            self.leads().remove(&lead);
        }
    }
    /// What is being sent now: nobody knows yet how it ends.
    pub(crate) fn under_way_leads(&self) -> HashSet<MessageId> {
        self.leads().clone()
    }
}

/// Windows, where messages gather at all.
pub(crate) fn windows_of(settings: OutboxSettings) -> Option<Arc<Windows>> {
    settings.bundle.then(Arc::default)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_last_look_left_is_not_looked_at_each_millisecond() {
        let at = |ms: i64| Timestamp::from_millisecond(1_800_000_000_000 + ms).unwrap();
        assert_eq!(pause(false, at(5), at(4)), Length::from_millis(1), "it came after the look");
        assert_eq!(pause(false, at(4), at(4)), BLOCKED_FOR);
        assert_eq!(pause(false, Timestamp::MAX, at(4)), Length::from_millis(1), "nothing is held");
        assert_eq!(pause(true, Timestamp::MAX, at(4)), BLOCKED_FOR);
    }
}
