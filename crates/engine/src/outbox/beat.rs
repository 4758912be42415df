//! The sign of life of a node that shares its store: written only while the node holds messages.
//!
//! A claim is its node's while the node is heard of. A claim younger than [`DEAD_AFTER`] needs no sign, so that what
//! goes out promptly writes none; a longer one is kept by a sign every second. A node that cannot write it, because
//! the store is away from it, loses its claims to others, and begins nothing meanwhile: a send begins only right
//! after the store answered.

use allclear_domain::time::{Length, after};
use allclear_store::rows;
use std::sync::atomic::Ordering;

use crate::engine::Engine;

/// How often a node that holds messages says so.
const BEAT_EVERY: Length = Length::from_secs(1);
/// A node that was not heard of for this long is taken for dead: three signs were missed. What it had goes out within
/// five seconds of a kill, with the second after which others look.
pub(super) const DEAD_AFTER: Length = Length::from_millis(3_500);
/// Nodes are forgotten after this long.
const FORGET_AFTER: Length = Length::from_secs(3600);

/// Says so, for as long as the program runs.
pub(crate) async fn beats(engine: Engine) {
    let shared = engine.shared.clone();
    // Old ones are cleared away once in a run, by whoever starts.
    let old = engine.now().checked_sub(FORGET_AFTER.as_duration()).unwrap_or_default();
    if let Err(error) = shared.db.commit(vec![rows::node::forget_before(old)]).await {
        engine.note_fault(&error.to_string());
    }
    loop {
        tokio::select! {
            () = shared.ports.clock.sleep_until(after(engine.now(), BEAT_EVERY)) => {}
            () = shared.halt.cancelled() => return,
        }
        let holds = shared.busy.load(Ordering::SeqCst) > 0 || shared.windows.as_ref().is_some_and(|windows| windows.hold_anything());
        if holds && let Err(error) = shared.db.commit(vec![rows::node::beat(shared.node, engine.now())]).await {
            engine.note_fault(&error.to_string());
        }
    }
}
