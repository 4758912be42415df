//! What a server does now and then: examines its database, and forgets what is kept for a while.

use std::time::Duration;

use allclear_domain::time::Length;
use allclear_engine::Engine;
use allclear_engine::watch::trouble::Trouble;
use allclear_store::rows;

/// After the start, so that readiness and the first storm do not wait for it.
const EXAMINE_AFTER: Duration = Duration::from_secs(60);
/// How often old things are forgotten.
const FORGET_EVERY: Duration = Duration::from_secs(3600);
/// How long the answer to an idempotency key is kept: a day, as is common.
const ANSWERS_KEPT: Length = Length::from_secs(86_400);

/// Starts both.
pub fn start(engine: &Engine) {
    engine.tasks().spawn(examine(engine.clone()));
    engine.tasks().spawn(forget(engine.clone()));
}

/// Waits; `false` when the program stops meanwhile.
async fn wait(engine: &Engine, length: Duration) -> bool {
    tokio::select! {
        () = tokio::time::sleep(length) => true,
        () = engine.stopping().cancelled_owned() => false,
    }
}

async fn examine(engine: Engine) {
    if !wait(&engine, EXAMINE_AFTER).await {
        return;
    }
    let stopping = engine.stopping();
    let checked = tokio::select! {
        checked = engine.db().check() => checked,
        () = stopping.cancelled() => return,
    };
    match checked {
        Ok(wrong) if wrong.is_empty() => tracing::debug!("the database is sound"),
        Ok(wrong) => {
            engine.troubles().raise(Trouble::StoreDamaged, &wrong.join("; "), engine.now());
            for line in wrong {
                tracing::error!(found = %line, "the database is damaged; make a copy of the file, then restore the last good backup");
            }
        }
        Err(fault) => tracing::warn!(%fault, "the database could not be examined"),
    }
}

fn forget_writes(before: jiff::Timestamp) -> Vec<allclear_store::Write> {
    let mut writes = vec![rows::token::forget_answers(before)];
    writes.extend(allclear_engine::identity::sessions::forget(before));
    writes
}

async fn forget(engine: Engine) {
    while wait(&engine, FORGET_EVERY).await {
        let before = engine.now().checked_sub(ANSWERS_KEPT.as_duration()).unwrap_or(jiff::Timestamp::MIN);
        if let Err(why) = engine.db().commit(forget_writes(before)).await {
            tracing::warn!(%why, "old idempotency keys and sessions were not forgotten; tried again in an hour");
        }
    }
}
