//! A clock that was set back while the program was stopped: what was opened by the clock of then is moved back with it.
//!
//! The newest event tells how far the clock had come. Where that lies in the future, deadlines opened in that future
//! would come late by the jump; they are moved back by it, so that each has left what it had at that event. Only where
//! the machine's clock is the only one: on PostgreSQL it is the database's.

use allclear_store::{CommitError, Db, Dialect, rows};
use jiff::Timestamp;

use crate::clock::JUMP_MIN;

/// Looks, and moves what has to be moved.
pub(crate) async fn mend(db: &Db, now: Timestamp) -> Result<(), CommitError> {
    if db.dialect() != Dialect::Sqlite {
        return Ok(());
    }
    let Some(newest) = rows::event::newest_at(db).await? else { return Ok(()) };
    let by = newest.duration_since(now);
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
