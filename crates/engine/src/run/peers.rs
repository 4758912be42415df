//! Other nodes on the same PostgreSQL: what they change is dropped from memory, and wakes whoever
//! watches. The version guard of every commit makes this a matter of freshness, not of safety.

use std::time::Duration;

use allclear_domain::access::Reach;
use allclear_store::rows;

use crate::engine::Engine;
use crate::shared::Control;
use crate::watch::stages::Measure;
use crate::watch::trouble::Stage;

/// Alerts of others read at a time; of more at once the first are not known to come back, and page.
const ENDED_MAX: i64 = 10_000;

/// A connection that listens can be lost without a word; then this finds what others did.
const POLL_EVERY: Duration = Duration::from_secs(2);

/// Times in a row that events are read before the rest of the round has its turn.
const ROUNDS_MAX: usize = 10;

pub(crate) async fn follow(engine: Engine) {
    let shared = engine.shared.clone();
    let mut heard = shared.db.notifications().await;
    let mut ways_in = rows::meta::get(&shared.db, rows::meta::WAYS_IN).await.unwrap_or_default();
    let mut seen = rows::event::newest_seq(&shared.db).await.unwrap_or(0);
    shared.stages.set(Measure::FollowRounds, 1);
    let mut ended_until = engine.now();
    loop {
        shared.stages.did(Measure::FollowRounds);
        shared.stages.gate(Stage::Follow).await;
        tokio::select! {
            word = async {
                match heard.as_mut() {
                    Some(heard) => heard.recv().await,
                    None => std::future::pending().await,
                }
            } => if word.is_none() { heard = None },
            () = tokio::time::sleep(POLL_EVERY) => {}
            () = shared.follow_wake.notified() => {}
            () = shared.stop.cancelled() => return,
        }
        // By its version rather than by an event, so that one that was missed is made up for.
        engine.reload_org().await;
        engine.follow_ways_in(&mut ways_in).await;
        if let Ok(mut ended) = rows::alert::ended_since(&shared.db, ended_until, ENDED_MAX).await
            && let Some(last) = ended.first()
        {
            ended_until = last.ended_at;
            ended.reverse();
            engine.control(Control::Ended(ended));
        }
        for round in 0.. {
            // Whoever reads all the time follows, and the organisation and revoked tokens have their turn all the same.
            shared.stages.did(Measure::FollowRounds);
            if round == ROUNDS_MAX {
                shared.follow_wake.notify_one();
                break;
            }
            let Ok(events) = rows::event::after(&shared.db, seen, 1000, &Reach::all()).await else { break };
            let Some(last) = events.last() else { break };
            seen = last.seq;
            for event in &events {
                if let Some(id) = event.incident.as_deref().and_then(|id| id.parse().ok()) {
                    engine.control(Control::Forget(id));
                }
            }
            shared.changed.send_modify(|n| *n += 1);
            engine.wake();
        }
    }
}
