//! The task that looks at due expectations, worst first.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

use allclear_domain::expect::Expectation;
use allclear_domain::time::{Length, after};
use allclear_store::rows::Found;
use allclear_store::{Db, Fault, rows};
use jiff::Timestamp;

use crate::clock::set_back::Marks;
use crate::core::ours;
use crate::core::{Command, Refusal};
use crate::engine::Engine;
use crate::shared::Ends;
use crate::watch::stages::Measure;
use crate::watch::trouble::{Stage, Trouble, Troubles};

/// Due expectations looked at per round.
const LOOKS_PER_ROUND: i64 = 256;
/// The backstop of the look loop: it looks at least this often.
const LOOK_AT_LEAST_EVERY: Length = Length::from_secs(5);
/// How long a look that was refused is put off.
const LOOK_AGAIN_AFTER: Length = Length::from_secs(30);

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
        let (due, next) = if engine.is_quarantined() {
            (Vec::new(), None)
        } else {
            match read_due(&shared.db, now).await {
                Ok((found, next)) => {
                    shared.troubles.unread(&mut unread, found.unread, now);
                    (found.read, next)
                }
                Err(fault) => {
                    tracing::error!(%fault, "due expectations cannot be read");
                    engine.note_fault(&fault.to_string());
                    (Vec::new(), None)
                }
            }
        };
        let full = due.len() as i64 == LOOKS_PER_ROUND;
        let mut looked = Vec::with_capacity(due.len());
        for expectation in due {
            shared.metrics.lateness(now.duration_since(expectation.next_look_at).as_secs_f64());
            let cause = format!("expectation:{}/{}/{}", expectation.owner, expectation.key, expectation.occurrence);
            let input = ours(&cause, Command::Look(Box::new(expectation.clone())));
            let engine = engine.clone();
            looked.push(async move { (expectation, engine.submit(input).await) });
        }
        let mut failed = false;
        for (expectation, reply) in futures_util::future::join_all(looked).await {
            let Err(refusal) = reply else { continue };
            failed = true;
            if !matches!(refusal, Refusal::Unavailable(_)) {
                put_off(&engine, &expectation, &refusal).await;
                refused.note(&shared.troubles, &expectation, &refusal, now);
            }
        }
        refused.forget(&shared.troubles, now);
        // After the looks, which nothing may hold up.
        if next.is_some() {
            marks.awaiting(&shared.db, now).await;
        }
        if full && !failed {
            continue;
        }
        if let Some(at) = next {
            shared.next_look.fetch_min(allclear_domain::time::to_micros(at), Ordering::SeqCst);
        }
        let backstop = after(engine.now(), LOOK_AT_LEAST_EVERY);
        let at = allclear_domain::time::from_micros(shared.next_look.load(Ordering::SeqCst)).min(backstop);
        // What failed is due still: not at once again, the store needs a moment.
        let at = if failed { at.max(after(engine.now(), crate::run::decider::RETRY_OWN_AFTER)) } else { at };
        tokio::select! {
            () = shared.ports.clock.sleep_until(at) => {}
            () = shared.look_wake.notified() => {}
            () = shared.stop.cancelled() => return,
        }
    }
}

/// A look that was refused is not forgotten, and does not take the place of others: it is looked at
/// again a little later, until whatever refuses it is mended.
async fn put_off(engine: &Engine, expectation: &Expectation, refusal: &Refusal) {
    tracing::error!(owner = %expectation.owner, key = %expectation.key, %refusal, "a due expectation was refused; it is looked at again");
    let write = rows::expectation::rearm(expectation, after(engine.now(), LOOK_AGAIN_AFTER));
    // Settled meanwhile, or a store that is away: the next look finds out.
    let _ = engine.db().commit(vec![write]).await;
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

async fn read_due(db: &Db, now: Timestamp) -> Result<(Found<Expectation>, Option<Timestamp>), Fault> {
    let due = rows::expectation::due(db, now, LOOKS_PER_ROUND).await?;
    // What does not read stays due, and is no reason to look again at once.
    let next = if due.read.is_empty() { rows::expectation::next_look_after(db, now).await? } else { Some(now) };
    Ok((due, next))
}
