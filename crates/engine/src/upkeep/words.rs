//! Follows the log and the alerts, and keeps the index of words: see `allclear_store::rows::find`.
//!
//! Beside everything else: it reads what is settled, some thousand events at a time, writes in small commits and rests between two rounds,
//! so that neither pages nor screens wait for it. What was written is found within a second or two. A kill leaves it where its last commit
//! was; of nodes that share a store, whoever comes first writes, and the others look again later.

use std::collections::BTreeSet;
use std::time::Duration;

use allclear_domain::ids::AlertId;
use allclear_store::rows::find::{self, FORMAT, Progress, follow, write};
use allclear_store::{CommitError, Db, Dialect, rows};

use super::checkpoints::Settling;
use crate::engine::Engine;

/// What comes together is read together.
const GATHER: Duration = Duration::from_millis(250);
/// How often it is looked where nothing was heard: what other nodes and commands beside the server wrote.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Between two rounds while much is to be read: a quarter of the time goes to it at most.
const REST: Duration = Duration::from_millis(30);
/// After another node was first, and after the store did not answer.
const LATER: Duration = Duration::from_secs(1);

/// Events that may wait to be read before `doctor` tells of it: more than a burst leaves.
pub const BEHIND_MAX: i64 = 20_000;

/// Ids of alerts sort by their millisecond, and one may be committed after one of a later millisecond: so much before the last is looked at
/// again. On PostgreSQL nodes decide by clocks that differ a little, and a commit may take its time.
const fn again_ms(dialect: Dialect) -> u128 {
    match dialect {
        Dialect::Sqlite => 1_000,
        Dialect::Postgres => 10_000,
    }
}

/// What a round came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Round {
    /// There is more.
    More,
    /// Something is written that is not settled yet.
    Soon,
    /// All is read.
    Done,
    /// A newer release makes it.
    NotOurs,
}

/// Follows; several may, each for itself.
#[derive(Debug, Default)]
pub struct Follower {
    settling: Settling,
    /// Alerts around the last that were read already.
    recent: BTreeSet<AlertId>,
}

impl Follower {
    /// Reads on, and writes what it read.
    ///
    /// # Errors
    /// When the store does not answer, or somebody else wrote meanwhile: then nothing is lost, and it is read again.
    pub async fn round(&mut self, db: &Db) -> Result<Round, CommitError> {
        let progress = match find::progress(db).await? {
            Some(progress) if progress.format == FORMAT => progress,
            Some(newer) if newer.format > FORMAT => return Ok(Round::NotOurs),
            old => {
                db.commit(find::begin(old.as_ref())).await?;
                self.recent.clear();
                return Ok(Round::More);
            }
        };
        let settled = self.settling.look(db).await?.unwrap_or(progress.seq).max(progress.seq);
        let to = settled.min(progress.seq.saturating_add(follow::EVENTS_TOGETHER));
        let mut batch = write::Batch::default();
        if to > progress.seq {
            follow::events(db, &mut batch, progress.seq, to).await?;
        }
        let (read, more_alerts) = self.alerts(db, &progress, &mut batch).await?;
        let alert = read.last().map(ToString::to_string).filter(|last| *last > progress.alert).unwrap_or_else(|| progress.alert.clone());
        let next = Progress { seq: to, alert, ..progress.clone() };
        if !batch.is_empty() || next != progress {
            write::put(db, &progress, batch, &next).await?;
        }
        self.recent.extend(read);
        self.forget(db.dialect());
        if to < settled || more_alerts {
            return Ok(Round::More);
        }
        Ok(if rows::event::newest_seq(db).await? > to { Round::Soon } else { Round::Done })
    }

    /// Reads alerts on; gives their ids, and whether there may be more.
    async fn alerts(&self, db: &Db, progress: &Progress, batch: &mut write::Batch) -> Result<(Vec<AlertId>, bool), allclear_store::Fault> {
        let mut after = match progress.alert.parse::<AlertId>() {
            Ok(last) => before(last, again_ms(db.dialect())).to_string(),
            Err(_) => String::new(),
        };
        let mut read = Vec::new();
        loop {
            let ids = follow::alerts(db, batch, &after, |id| self.recent.contains(&id)).await?;
            let full = i64::try_from(ids.len()).is_ok_and(|n| n >= follow::ALERTS_TOGETHER);
            let Some(last) = ids.last() else { return Ok((read, false)) };
            after = last.to_string();
            let is_new = ids.iter().any(|id| !self.recent.contains(id));
            read.extend(ids);
            if !full || is_new {
                return Ok((read, full));
            }
        }
    }

    fn forget(&mut self, dialect: Dialect) {
        if let Some(last) = self.recent.last() {
            self.recent = self.recent.split_off(&before(*last, again_ms(dialect)));
        }
    }
}

/// The first id that could be made so much earlier.
fn before(id: AlertId, ms: u128) -> AlertId {
    AlertId::from_bits((id.bits() >> 80).saturating_sub(ms) << 80)
}

/// Follows for as long as the program runs.
pub(crate) async fn keep_finding(engine: Engine) {
    let shared = engine.shared.clone();
    let mut changed = shared.changed.subscribe();
    let mut follower = Follower::default();
    loop {
        let rest = match follower.round(&shared.db).await {
            Ok(Round::More) => REST,
            Ok(Round::Soon) => GATHER,
            Ok(Round::NotOurs) => {
                tracing::info!("a newer release keeps the index of words; this node leaves it alone");
                return;
            }
            Ok(Round::Done) => {
                tokio::select! {
                    _ = changed.changed() => {}
                    () = tokio::time::sleep(LOOK_EVERY) => {}
                    () = shared.stop.cancelled() => return,
                }
                GATHER
            }
            Err(CommitError::Conflict { .. }) => LATER,
            Err(CommitError::Fault(why)) => {
                tracing::debug!(%why, "what was written is not read for searches now; it is tried again");
                LATER
            }
        };
        tokio::select! {
            () = tokio::time::sleep(rest) => {}
            () = shared.stop.cancelled() => return,
        }
    }
}
