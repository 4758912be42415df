//! Watches the program itself: whether a stage stands still, deadlines are late, the clock jumped; and sees that
//! whoever runs the program hears of what impairs paging.
//!
//! On a thread of its own with a runtime of its own, since what it watches may be what blocks the others. It reads
//! counters and, within a deadline, the store; it writes nothing there, decides nothing, and nothing waits for it.

pub(crate) mod canary;
mod in_flight;
pub(crate) mod memory;
pub mod operator;
pub mod stages;
pub mod trouble;

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, Weak};
use std::time::Duration;

use allclear_domain::access::Reach;
use allclear_domain::expect::LATE_AFTER;
use allclear_store::{Dialect, Fault, rows};
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::clock::JUMP_MIN;
use crate::core::Input;
use crate::engine::Engine;
use crate::shared::{Shared, Tag};
use crate::watch::memory::{State, Watch};
use crate::watch::operator::tell;
use crate::watch::stages::WATCH_EVERY;
use crate::watch::trouble::{Alarm, Stage, Trouble};

/// How often the store is asked: often enough for a promise of a minute, seldom enough to cost nothing.
const ASK_EVERY: Duration = Duration::from_secs(15);
/// How often a watch outside hears that paging works: it is told within two minutes by most that it does not.
const BEAT_EVERY: Duration = Duration::from_secs(60);
/// How long the store may take to answer; then the stages alone are watched.
const ASK_WITHIN: Duration = Duration::from_secs(5);
/// Rows of other versions that are named one by one.
const UNREAD_NAMED_MAX: i64 = 20;
/// Alarms that may be on their way to operators at once; more would only repeat each other.
const ALARMS_AT_ONCE: usize = 16;

/// Starts the thread. It ends with the program.
pub(crate) fn start(shared: &Arc<Shared>, commands: mpsc::WeakSender<(Input, Tag)>) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (weak, stop, ends) = (Arc::downgrade(shared), shared.stop.clone(), EndsWatch(Arc::downgrade(shared)));
    std::thread::Builder::new().name("watch".to_owned()).spawn(move || {
        let _ends = ends;
        runtime.block_on(async {
            tokio::select! {
                () = run(weak, commands) => {}
                () = stop.cancelled() => {}
            }
        });
        // A name that is being looked up for an alarm must not hold up the stop.
        runtime.shutdown_background();
    })?;
    Ok(())
}

/// Tells when the thread ended though nobody stopped the program, without keeping the engine alive.
struct EndsWatch(Weak<Shared>);

impl Drop for EndsWatch {
    fn drop(&mut self) {
        if let Some(shared) = self.0.upgrade() {
            shared.ended();
        }
    }
}

async fn run(shared: Weak<Shared>, commands: mpsc::WeakSender<(Input, Tag)>) {
    let mut alarms = JoinSet::new();
    let mut beats = JoinSet::new();
    let mut canaries = JoinSet::new();
    let mut last = elapsed(&shared);
    loop {
        // Without the engine's handles there is nothing left to watch.
        let Some(now) = shared.upgrade() else { return };
        let at = now.ports.clock.monotonic_ns();
        now.watch.tick(&now, Duration::from_nanos(at.saturating_sub(last)));
        last = at;
        let mut answers = true;
        if now.watch.asks() {
            answers = match tokio::time::timeout(ASK_WITHIN, ask(&now)).await {
                Ok(Ok(())) => true,
                Ok(Err(fault)) => {
                    tracing::debug!(%fault, "the watch could not ask the store");
                    false
                }
                Err(_) => {
                    tracing::debug!("the store does not answer the watch");
                    false
                }
            };
        }
        while canaries.try_join_next().is_some() {}
        if let Some(commands) = commands.upgrade()
            && let engine = (Engine { shared: Arc::clone(&now), commands })
            && let Some(message) = canary::due(&engine)
        {
            canaries.spawn(canary::begin(engine, message));
        }
        if tokio::time::timeout(ASK_WITHIN, canary::look_for(&now)).await.is_err() {
            tracing::debug!("the store does not say where the canary is");
        }
        while beats.try_join_next().is_some() {}
        // Silence is the alarm: nothing is said while anything impairs paging, nor where the last word is still on its way.
        if beats.is_empty()
            && answers
            && !now.quarantined.load(std::sync::atomic::Ordering::SeqCst)
            && !now.troubles.list().iter().any(|present| present.trouble.silences_heartbeat())
            && let Some(operators) = now.operators.get().map(Arc::clone)
            && now.watch.beats()
        {
            beats.spawn(async move {
                if let Some(beat) = operators.beat()
                    && let Err(why) = beat.await
                {
                    tracing::warn!(%why, "the watch outside did not take a heartbeat");
                }
            });
        }
        while alarms.try_join_next().is_some() {}
        if let (Some(operators), true) = (now.operators.get(), alarms.len() < ALARMS_AT_ONCE)
            && let Some(alarm) = now.watch.alarm(&now)
        {
            let shared = Arc::downgrade(&now);
            let count = move |told| {
                if let Some(shared) = shared.upgrade() {
                    shared.metrics.operator_alarm(told);
                }
            };
            alarms.spawn(tell(Arc::clone(operators), alarm, count));
        }
        let woken = Arc::clone(&now.watch.wake);
        drop(now);
        tokio::select! {
            () = tokio::time::sleep(WATCH_EVERY) => {}
            () = woken.notified() => {}
        }
    }
}

fn elapsed(shared: &Weak<Shared>) -> u64 {
    shared.upgrade().map_or(0, |shared| shared.ports.clock.monotonic_ns())
}

impl Watch {
    /// Reads the counters, `passed` after the last reading.
    fn tick(&self, shared: &Shared, passed: Duration) {
        shared.troubles.set_aside(shared.db.take_unread(), shared.ports.clock.now());
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.watched += passed;
        state.canary.passes(passed);
        let still = state.judge.judge(&shared.stages.read(), passed);
        let now = shared.ports.clock.now();
        for stage in Stage::ALL {
            match still.iter().find(|(other, _)| *other == stage) {
                Some((_, length)) => {
                    let detail = format!("it has work and has got nothing done for {} s", length.as_secs());
                    shared.troubles.raise(Trouble::StageStill(stage), &detail, now);
                }
                None => {
                    shared.troubles.clear(&Trouble::StageStill(stage));
                }
            }
        }
        state.look_at_the_clock(shared, now);
        shared.channels.forget(&shared.troubles, Duration::from_nanos(shared.ports.clock.monotonic_ns()));
        let present: BTreeSet<Trouble> = shared.troubles.list().into_iter().map(|p| p.trouble).collect();
        if present != state.seen {
            state.seen = present;
            // Whoever looks at a screen sees it without asking for the page again.
            shared.changed.send_modify(|n| *n += 1);
        }
    }

    /// Whether it is time to ask the store.
    fn asks(&self) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let due = state.asked.is_none_or(|asked| state.watched >= asked + ASK_EVERY);
        if due {
            state.asked = Some(state.watched);
        }
        due
    }

    /// Whether it is time to tell a watch outside that paging works.
    fn beats(&self) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // Not right after a start either: what dies and starts again and again does not work.
        let due = state.watched >= state.beaten.unwrap_or_default() + BEAT_EVERY;
        if due {
            state.beaten = Some(state.watched);
        }
        due
    }

    /// What operators are to be told now.
    fn alarm(&self, shared: &Shared) -> Option<Alarm> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let watched = state.watched;
        state.telling.due(&shared.troubles.list(), watched, shared.ports.clock.now())
    }

    /// Time passes for the watch alone, in tests: it reads the counters as often as it would, and wakes whoever goes
    /// round by a clock in between.
    #[cfg(feature = "failpoints")]
    pub(crate) async fn let_pass(&self, shared: &Shared, by: Duration) {
        /// Long enough for a loop to go round once.
        const ROUND: Duration = Duration::from_millis(50);
        let mut left = by;
        while !left.is_zero() {
            shared.look_wake.notify_one();
            shared.outbox_wake.notify_one();
            shared.follow_wake.notify_one();
            tokio::time::sleep(ROUND).await;
            let step = left.min(WATCH_EVERY);
            self.tick(shared, step);
            self.wake.notify_one();
            left -= step;
        }
    }
}

impl State {
    /// Tells a jump of the wall clock, once for each.
    fn look_at_the_clock(&mut self, shared: &Shared, now: Timestamp) {
        let ahead = shared.ports.clock.wall_ahead();
        shared.metrics.clock_difference(ahead.as_secs_f64());
        if ahead.abs() < JUMP_MIN {
            if self.told_ahead.take().is_some() {
                shared.troubles.clear(&Trouble::ClockJumped);
            }
            return;
        }
        // To the nearest second: a millisecond has been made up for already.
        let ahead = ahead.round(jiff::Unit::Second).unwrap_or(ahead);
        let seconds = ahead.abs().as_secs();
        let by_database = shared.db.dialect() == Dialect::Postgres;
        if self.told_ahead.is_none_or(|told| (ahead - told).abs() >= JUMP_MIN) {
            self.told_ahead = Some(ahead);
            let which = if ahead.is_negative() { "back" } else { "forward" };
            if by_database {
                tracing::warn!(
                    ahead_s = ahead.as_secs(),
                    "the wall clock of this machine was set {which} by {seconds} s; deadlines go by the database's clock and by elapsed time, and are not touched"
                );
                // Nothing here goes by that clock, so there is nothing to follow or to mend.
                shared.ports.clock.forgive_wall();
                self.told_ahead = None;
                return;
            }
            tracing::warn!(
                ahead_s = ahead.as_secs(),
                "the wall clock was set {which} by {seconds} s; deadlines go on by elapsed time, and the clock is followed once no incident is open"
            );
        }
        let detail = format!(
            "it is {seconds} s {} the clock of deadlines, which goes on by elapsed time",
            if ahead.is_negative() { "behind" } else { "ahead of" }
        );
        shared.troubles.raise(Trouble::ClockJumped, &detail, now);
    }
}

/// What only the store can tell.
async fn ask(shared: &Shared) -> Result<(), Fault> {
    let now = shared.ports.clock.now();
    let quarantined = shared.quarantined.load(std::sync::atomic::Ordering::SeqCst);
    let long_ago = now.checked_sub(LATE_AFTER.as_duration()).unwrap_or(now);
    let late = if quarantined { None } else { rows::expectation::due(&shared.db, long_ago, 1).await?.read.pop() };
    let newer = rows::expectation::of_other_versions(&shared.db, now, UNREAD_NAMED_MAX).await?;
    // Twice in a row: after a start or a sleep all of them are late for a moment.
    let again = {
        let mut state = shared.watch.state.lock().unwrap_or_else(PoisonError::into_inner);
        shared.troubles.unread(&mut state.unread, newer, now);
        std::mem::replace(&mut state.were_late, late.is_some())
    };
    match late {
        Some(late) if again => {
            let detail = format!("one was due at {} and nobody has looked at it", late.next_look_at);
            shared.troubles.raise(Trouble::LooksLate, &detail, now);
        }
        Some(_) => {}
        None => {
            shared.troubles.clear(&Trouble::LooksLate);
        }
    }
    if shared.ports.clock.wall_ahead().abs() >= JUMP_MIN
        && shared.db.dialect() == Dialect::Sqlite
        && rows::incident::count_open(&shared.db, &Reach::all()).await? == 0
    {
        shared.ports.clock.follow_wall();
        tracing::info!("no incident is open: the wall clock is followed");
        shared.look_wake.notify_one();
        shared.outbox_wake.notify_one();
    }
    Ok(())
}
