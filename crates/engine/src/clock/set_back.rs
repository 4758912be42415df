//! A clock that was set back while the program was stopped: what was opened by the clock of then is moved back with it.
//!
//! The newest event, or a mark made at a stop and about once a minute while something is awaited, tells how far the clock
//! had come. Where that lies in the future, deadlines opened in that future would come late by the jump; they are moved
//! back by it, so that each has left what it had then. Only where the machine's clock is the only one: on PostgreSQL it is
//! the database's.
//!
//! Deliberately not: deadlines opened before the instant that the clock was set back to, and a clock that was set
//! forward, which looks like a longer stop.

use allclear_domain::time::{Length, after, from_micros, to_micros};
use allclear_store::{CommitError, Db, Dialect, rows};
use jiff::Timestamp;

use crate::clock::JUMP_MIN;

/// From one mark to the next while something is awaited: by so much a deadline can be late after a kill and a clock that
/// was set back, and a write a minute is no load.
const MARK_EVERY: Length = Length::from_mins(1);

/// Notes how far the clock has come. What fails is left: the next mark or the newest event says nearly the same.
pub(crate) async fn mark(db: &Db, now: Timestamp) {
    if db.dialect() == Dialect::Sqlite
        && let Err(why) = db.commit(vec![rows::meta::put(rows::meta::CLOCK, &to_micros(now).to_string())]).await
    {
        tracing::debug!(%why, "how far the clock has come could not be noted");
    }
}

/// Marks now and then.
#[derive(Default)]
pub(crate) struct Marks(Option<Timestamp>);

impl Marks {
    /// Something is awaited.
    pub(crate) async fn awaiting(&mut self, db: &Db, now: Timestamp) {
        // A clock that was set back is marked anew at once.
        if self.0.is_none_or(|last| now < last || now >= after(last, MARK_EVERY)) {
            self.0 = Some(now);
            mark(db, now).await;
        }
    }
}

/// Looks, and moves what has to be moved.
pub(crate) async fn mend(db: &Db, now: Timestamp) -> Result<(), CommitError> {
    if db.dialect() != Dialect::Sqlite {
        return Ok(());
    }
    let marked = rows::meta::get(db, rows::meta::CLOCK).await?.and_then(|micros| micros.parse().ok()).map(from_micros);
    let Some(came_to) = rows::event::newest_at(db).await?.max(marked) else { return Ok(()) };
    let by = came_to.duration_since(now);
    if by < JUMP_MIN {
        return Ok(());
    }
    let ahead = rows::expectation::opened_after(db, now).await?.read;
    let mut writes: Vec<_> = ahead.iter().map(|expectation| rows::expectation::move_back(expectation, by)).collect();
    writes.push(rows::message::try_what_is_of_the_future(now));
    db.commit(writes).await?;
    tracing::warn!(
        by_s = by.as_secs(),
        deadlines = ahead.len(),
        "the clock was set back while the program was stopped; deadlines of the future were moved back with it"
    );
    Ok(())
}
