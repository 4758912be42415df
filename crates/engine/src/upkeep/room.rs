//! When the disk is full: finds out when there is room again, and whether the store is damaged. Which commands may use what
//! is kept for a full disk is in `run/space.rs`.

use std::time::Duration;

use crate::engine::Engine;
use crate::shared::note_fault;
use crate::watch::trouble::Trouble;

/// How often the store is looked at: a second of waiting for room is less than a sender's next try.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Looks from one try to make a reserve that a start had no room for to the next: a minute. Nothing is refused meanwhile,
/// and who makes room on a disk takes minutes.
const LOOKS_PER_RESERVE: u32 = 60;

/// Looks for as long as the program runs.
pub(crate) async fn watch(engine: Engine) {
    let shared = engine.shared.clone();
    let mut looks = 0_u32;
    loop {
        looks = looks.wrapping_add(1);
        look(&engine, looks.is_multiple_of(LOOKS_PER_RESERVE)).await;
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = shared.stop.cancelled() => return,
        }
    }
}

async fn look(engine: &Engine, reserve_too: bool) {
    let shared = &engine.shared;
    if let Some(why) = shared.db.damage() {
        shared.troubles.raise(Trouble::StoreDamaged, &why, engine.now());
    }
    if !shared.db.is_short() {
        if reserve_too && let Err(fault) = shared.db.regain().await {
            tracing::warn!(%fault, "it could not be looked whether the reserve is whole");
        }
        return;
    }
    let detail = "new alarms are answered 503 and kept by their senders; acknowledgements count and pages go on, from a reserve";
    shared.troubles.raise(Trouble::DiskFull, detail, engine.now());
    if shared.db.regain().await.is_ok_and(|room| room) {
        shared.troubles.clear(&Trouble::DiskFull);
        note_fault(shared, None);
    }
}
