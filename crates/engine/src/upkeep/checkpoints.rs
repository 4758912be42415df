//! Seals the order of the log now and then: see `allclear_domain::checkpoint`.
//!
//! Behind everything else: it reads a thousand events at a time and rests between two readings, so that neither pages
//! nor screens wait for it. What it has not come to yet is told by `verify`.

use std::time::Duration;

use allclear_domain::checkpoint::Checkpoint;
use allclear_domain::time::to_micros;
use allclear_store::{CommitError, Db, rows};
use jiff::Timestamp;

use crate::engine::Engine;

/// Events of one checkpoint: as many as are read at a time, and few enough that a finding says where to look.
const EVENTS: i64 = 1_000;
/// How often it is looked whether there are so many.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// Looks until fewer are sealed as well: an hour of them.
const LOOKS_UNTIL_ALL: u32 = 60;
/// Checkpoints written with one sync.
const TOGETHER: usize = 16;
/// Rest between two commits: about as long as the reading took, so that a million events of an older release take
/// some ten seconds.
const REST: Duration = Duration::from_millis(50);

/// Whether what fills no checkpoint of its own is sealed too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    /// Yes.
    Too,
    /// It waits for more.
    Waits,
}

/// Seals the next events up to and with `to`; false where there is nothing (more) to seal.
///
/// # Errors
/// When the store does not answer, or another node was first.
pub async fn seal_next(db: &Db, to: i64, rest: Rest, now: Timestamp) -> Result<bool, CommitError> {
    let mut before = rows::checkpoint::newest(db).await?;
    let mut writes = Vec::new();
    for _ in 0..TOGETHER {
        let covered = before.as_ref().map_or(0, |before| before.to_seq);
        let Some((last, range)) = rows::checkpoint::next_range(db, covered, to, EVENTS).await? else { break };
        let is_full = range.events() == EVENTS.unsigned_abs();
        if !is_full && rest == Rest::Waits {
            break;
        }
        let made = Checkpoint::after(before.as_ref(), last, range, to_micros(now));
        writes.extend(rows::checkpoint::put(&made));
        before = Some(made);
        if !is_full {
            break;
        }
    }
    if writes.is_empty() {
        return Ok(false);
    }
    db.commit(writes).await.map(|()| true)
}

/// How far the log is settled: nothing can arrive at or before that any more.
///
/// On SQLite what is read is committed, in its order. On PostgreSQL a transaction that took its number earlier may
/// commit later. So how far the log reached is noted at one look; at the next, when whoever had taken a number by then
/// has long begun to write, which transactions run; and once all of those have ended, it is settled.
#[derive(Debug, Default)]
pub(crate) struct Settling {
    reached: Option<i64>,
    marked: Option<(i64, String)>,
}

impl Settling {
    pub(crate) async fn look(&mut self, db: &Db) -> Result<Option<i64>, allclear_store::Fault> {
        let (reached, mark) = rows::checkpoint::reach(db).await?;
        let Some(mark) = mark else { return Ok(Some(reached)) };
        let settled = match &self.marked {
            Some((to, begun)) if rows::checkpoint::is_past(db, begun).await? => Some(*to),
            Some(_) => return Ok(None),
            None => None,
        };
        self.marked = self.reached.replace(reached).map(|to| (to, mark));
        Ok(settled)
    }
}

/// Seals for as long as the program runs.
pub(crate) async fn keep_sealing(engine: Engine) {
    let shared = engine.shared.clone();
    let mut settling = Settling::default();
    let mut looks = 0;
    loop {
        looks += 1;
        let rest = if looks % LOOKS_UNTIL_ALL == 0 { Rest::Too } else { Rest::Waits };
        if let Ok(Some(to)) = settling.look(&shared.db).await {
            while let Ok(true) = seal_next(&shared.db, to, rest, engine.now()).await {
                tokio::time::sleep(REST).await;
                if shared.stop.is_cancelled() {
                    return;
                }
            }
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = shared.stop.cancelled() => return,
        }
    }
}
