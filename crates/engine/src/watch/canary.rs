//! Sends the canary (`core/canary.rs`) on its way, and says where it is when it does not arrive.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use allclear_domain::expect::{Owner, Standing};
use allclear_domain::ids::MessageId;
use allclear_store::{Fault, rows};

use crate::core::{Command, key_of, ours};
use crate::engine::Engine;
use crate::shared::Shared;
use crate::watch::memory::Watch;
use crate::watch::stages::PASSED_MAX;
use crate::watch::trouble::Trouble;

/// How often one is sent: each hour of a quiet night is proved.
const EVERY: Duration = Duration::from_hours(1);
/// The first one after a start: whoever has just changed something soon knows that a page would go out.
const FIRST_AFTER: Duration = Duration::from_mins(5);
/// How long it may take: with the time between two looks of the watch it is told within a minute.
const WITHIN: Duration = Duration::from_secs(45);

/// What the watch remembers of canaries.
#[derive(Debug, Default)]
pub(super) struct Canary {
    /// How long the program was watched: hours that a machine slept through, or that a test leaps over, are none.
    watched: Duration,
    /// When the last one was begun, on that clock.
    begun: Option<Duration>,
    /// The one that is on its way.
    flying: Option<Flying>,
}

impl Canary {
    /// Time passes.
    pub(super) fn passes(&mut self, by: Duration) {
        self.watched += by.min(PASSED_MAX);
    }
}

#[derive(Debug)]
struct Flying {
    message: MessageId,
    since: Duration,
    since_ns: u64,
    /// Whether the store has it, or why it was not begun.
    accepted: Option<Result<(), String>>,
}

/// When the next one is to be begun.
fn due(last: Option<Duration>) -> Duration {
    last.map_or(FIRST_AFTER, |last| last + EVERY)
}

impl Watch {
    /// Whether it is time for another; its message's id.
    pub(super) fn canary(&self, engine: &Engine) -> Option<MessageId> {
        let shared = &engine.shared;
        // While something is known to be wrong it proves nothing, and is one more that waits.
        let is_impaired = shared.troubles.list().iter().any(|present| present.trouble.silences_heartbeat());
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let watched = state.canary.watched;
        if watched < due(state.canary.begun) || is_impaired || engine.is_quarantined() {
            return None;
        }
        state.canary.begun = Some(watched);
        let message = MessageId::from_bits(engine.fresh_id());
        state.canary.flying = Some(Flying { message, since: watched, since_ns: shared.ports.clock.monotonic_ns(), accepted: None });
        Some(message)
    }

    /// It is in the store, or it is not, and why.
    fn accepted(&self, message: MessageId, accepted: Result<(), String>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flying) = state.canary.flying.as_mut().filter(|flying| flying.message == message) {
            flying.accepted = Some(accepted);
        }
    }

    /// It arrived, on this node or another one.
    pub(crate) fn arrived(&self, shared: &Shared, message: MessageId) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(flying) = state.canary.flying.take_if(|flying| flying.message == message) else { return };
        let took = Duration::from_nanos(shared.ports.clock.monotonic_ns().saturating_sub(flying.since_ns));
        shared.metrics.canary_arrived(shared.ports.clock.now(), took);
        shared.troubles.clear(&Trouble::CanaryLost);
    }

    /// The one that should have arrived by now.
    fn overdue(&self) -> Option<(MessageId, Option<Result<(), String>>)> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let flying = state.canary.flying.as_ref()?;
        (state.canary.watched >= flying.since + WITHIN).then(|| (flying.message, flying.accepted.clone()))
    }
}

/// Begins one.
pub(super) async fn begin(engine: Engine, message: MessageId) {
    let answer = engine.submit(ours("canary", Command::Canary { message })).await;
    engine.shared.watch.accepted(message, answer.map(drop).map_err(|refusal| refusal.to_string()));
}

/// Looks for the one that has not arrived. Where something is told already that says more, it is left to that.
pub(super) async fn look_for(shared: &Arc<Shared>) {
    let Some((message, accepted)) = shared.watch.overdue() else { return };
    let place = match accepted {
        None => "it waits to be decided and committed".to_owned(),
        Some(Err(why)) => format!("it was refused: {why}"),
        Some(Ok(())) => match place_of(shared, message).await {
            Ok(Some(place)) => place,
            // Another node has seen it off.
            Ok(None) => return shared.watch.arrived(shared, message),
            Err(fault) => format!("the store does not say where it is: {fault}"),
        },
    };
    let is_told = shared.troubles.list().iter().any(|present| present.trouble != Trouble::CanaryLost && present.trouble.silences_heartbeat());
    if !is_told {
        let detail = format!("a message to nobody, sent each hour to see that pages would go out, has not arrived: {place}");
        shared.troubles.raise(Trouble::CanaryLost, &detail, shared.ports.clock.now());
    }
}

/// Where one is that is in the store; nothing where it has arrived.
async fn place_of(shared: &Shared, message: MessageId) -> Result<Option<String>, Fault> {
    let look = rows::expectation::get(&shared.db, Owner::Org, &key_of(message), 1).await?;
    if look.is_some_and(|look| look.standing == Standing::Live) {
        return Ok(Some("it waits to be looked at".to_owned()));
    }
    let waits = rows::message::get(&shared.db, message).await?;
    Ok(waits.map(|waits| format!("it waits to be sent ({})", waits.state.word())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::stages::WATCH_EVERY;

    #[test]
    fn one_comes_soon_after_a_start_and_then_each_hour_that_the_program_was_awake() {
        let mut canary = Canary::default();
        let mut begun = Vec::new();
        for minute in 0..150_u64 {
            for _ in 0..12 {
                canary.passes(Duration::from_secs(5));
            }
            if minute == 90 {
                canary.passes(Duration::from_hours(8));
            }
            if canary.watched >= due(canary.begun) {
                canary.begun = Some(canary.watched);
                begun.push(canary.watched.as_secs() / 60);
            }
        }
        assert_eq!(begun, [5, 65, 125], "a machine that slept for eight hours sends none for them");
        assert!(WITHIN + WATCH_EVERY + WATCH_EVERY < Duration::from_mins(1), "it is told within a minute");
    }
}
