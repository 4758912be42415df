//! The task that looks at due expectations, worst first.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

use allclear_domain::expect::Expectation;
use allclear_domain::time::after;
use jiff::Timestamp;

use super::due_round::{LOOK_AGAIN_AFTER, Round, look, put_off};
use crate::clock::set_back::Marks;
use crate::core::{Refusal, Reply};
use crate::engine::Engine;
use crate::shared::Ends;
use crate::watch::stages::Measure;
use crate::watch::trouble::{Stage, Trouble, Troubles};

/// Looks at due expectations, worst first, for as long as the program runs.
pub(crate) async fn looks(engine: Engine) {
    let shared = engine.shared.clone();
    let _ends = Ends(shared.clone());
    shared.stages.set(Measure::LookRounds, 1);
    let (mut unread, mut refused, mut marks) = (BTreeSet::new(), Refused::default(), Marks::default());
    loop {
        if shared.stop.is_cancelled() {
            return;
        }
        shared.stages.did(Measure::LookRounds);
        shared.stages.gate(Stage::Look).await;
        // Whatever is opened while we read lowers this again.
        shared.next_look.store(i64::MAX, Ordering::SeqCst);
        let now = engine.now();
        let round = match read(&engine, now).await {
            Some(round) => {
                shared.troubles.unread(&mut unread, round.unread.clone(), now);
                round
            }
            None => Round::default(),
        };
        let looked = round.due.iter().cloned().map(|expectation| {
            shared.metrics.lateness(now.duration_since(expectation.next_look_at).as_secs_f64());
            let engine = engine.clone();
            async move { (expectation.clone(), engine.submit(look(expectation)).await) }
        });
        let mut failed = false;
        for (expectation, reply) in futures_util::future::join_all(looked).await {
            let refusal = match reply {
                Ok(Reply::ReadCalendars) => {
                    engine.read_external_calendars_soon();
                    continue;
                }
                Ok(_) => continue,
                Err(refusal) => refusal,
            };
            failed = true;
            if let Some(write) = put_off(&expectation, &refusal, engine.now()) {
                tracing::error!(owner = %expectation.owner, key = %expectation.key, %refusal, "a due expectation was refused; it is looked at again");
                // Settled meanwhile, or a store that is away: the next look finds out.
                let _ = engine.db().commit(vec![write]).await;
                refused.note(&shared.troubles, &expectation, &refusal, now);
            }
        }
        refused.forget(&shared.troubles, now);
        // After the looks, which nothing may hold up.
        if round.next().is_some() {
            marks.awaiting(&shared.db, now).await;
        }
        if let Some(at) = round.next() {
            shared.next_look.fetch_min(allclear_domain::time::to_micros(at), Ordering::SeqCst);
        }
        let opened = allclear_domain::time::from_micros(shared.next_look.load(Ordering::SeqCst));
        let at = round.then(failed, opened, engine.now());
        if at <= now {
            continue;
        }
        tokio::select! {
            () = shared.ports.clock.sleep_until(at) => {}
            () = shared.look_wake.notified() => {}
            () = shared.stop.cancelled() => return,
        }
    }
}

/// What is due, unless nothing may be done about it, or the store does not answer.
async fn read(engine: &Engine, now: Timestamp) -> Option<Round> {
    if engine.is_quarantined() {
        return None;
    }
    match Round::read(engine.db(), now).await {
        Ok(round) => Some(round),
        Err(fault) => {
            tracing::error!(%fault, "due expectations cannot be read");
            engine.note_fault(&fault.to_string());
            None
        }
    }
}

/// Looks that were refused, each with when it was last and how often in a row. The second time it is a trouble: the
/// first may have lost a race.
#[derive(Default)]
struct Refused(BTreeMap<String, (Timestamp, u32)>);

impl Refused {
    fn note(&mut self, troubles: &Troubles, expectation: &Expectation, refusal: &Refusal, now: Timestamp) {
        let what = format!("{}/{}/{}", expectation.owner, expectation.key, expectation.occurrence);
        let (last, times) = self.0.entry(what.clone()).or_insert((now, 0));
        (*last, *times) = (now, *times + 1);
        if *times > 1 {
            troubles.raise(Trouble::LookRefused(what), &refusal.to_string(), now);
        }
    }

    /// What was not refused again when its time came has been done, or is wanted no more.
    fn forget(&mut self, troubles: &Troubles, now: Timestamp) {
        self.0.retain(|what, (last, _)| {
            let kept = now <= after(after(*last, LOOK_AGAIN_AFTER), LOOK_AGAIN_AFTER);
            if !kept {
                troubles.clear(&Trouble::LookRefused(what.clone()));
            }
            kept
        });
    }
}
