//! Sends the canary (`core/canary.rs`) on its way, and says where it is when it does not arrive.

use std::sync::{Arc, PoisonError};

use allclear_domain::expect::{Owner, Standing};
use allclear_domain::ids::MessageId;
use allclear_store::{Fault, rows};

use crate::core::{Command, key_of, ours};
use crate::engine::Engine;
use crate::shared::Shared;
use crate::watch::in_flight::Canary;
use crate::watch::trouble::Trouble;

fn remembered<T>(shared: &Shared, work: impl FnOnce(&mut Canary) -> T) -> T {
    work(&mut shared.watch.state.lock().unwrap_or_else(PoisonError::into_inner).canary)
}

/// Whether something is told already by which a page may not go out.
fn says_more(shared: &Shared) -> bool {
    shared.troubles.list().iter().any(|present| present.trouble != Trouble::CanaryLost && present.trouble.silences_heartbeat())
}

/// The id of another, where it is time for one.
pub(super) fn due(engine: &Engine) -> Option<MessageId> {
    let shared = &engine.shared;
    // While something is known to be wrong it proves nothing, and is one more that waits.
    if says_more(shared) || engine.is_quarantined() || !remembered(shared, |canary| canary.is_due()) {
        return None;
    }
    let message = MessageId::from_bits(engine.fresh_id());
    remembered(shared, |canary| canary.begin(message, shared.ports.clock.monotonic_ns()));
    Some(message)
}

/// It arrived, on this node or another one.
pub(crate) fn arrived(shared: &Shared, message: MessageId) {
    if let Some(took) = remembered(shared, |canary| canary.arrived(message, shared.ports.clock.monotonic_ns())) {
        shared.metrics.canary_arrived(shared.ports.clock.now(), took);
        shared.troubles.clear(&Trouble::CanaryLost);
    }
}

/// Begins one.
pub(super) async fn begin(engine: Engine, message: MessageId) {
    let answer = engine.submit(ours("canary", Command::Canary { message })).await;
    let accepted = answer.map(drop).map_err(|refusal| refusal.to_string());
    remembered(&engine.shared, |canary| canary.accepted(message, accepted));
}

/// Looks for the one that has not arrived. Where something is told already that says more, it is left to that.
pub(super) async fn look_for(shared: &Arc<Shared>) {
    let Some((message, accepted)) = remembered(shared, |canary| canary.overdue()) else { return };
    let place = match accepted {
        None => "it waits to be decided and committed".to_owned(),
        Some(Err(why)) => format!("it was refused: {why}"),
        Some(Ok(())) => match place_of(shared, message).await {
            Ok(Some(place)) => place,
            // Another node has seen it off.
            Ok(None) => return arrived(shared, message),
            Err(fault) => format!("the store does not say where it is: {fault}"),
        },
    };
    if !says_more(shared) {
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
