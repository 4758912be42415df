//! One round of looking at due expectations, free of tasks and of clocks: the program drives it with tokio, the simulator
//! with its own world.

use allclear_domain::expect::Expectation;
use allclear_domain::time::{Length, after};
use allclear_store::unread::Unread;
use allclear_store::{Db, Fault, Write, rows};
use jiff::Timestamp;

use crate::core::{Command, Input, Refusal, ours};

/// Due expectations looked at per round.
const LOOKS_PER_ROUND: i64 = 256;
/// The backstop: it is looked at least this often.
const LOOK_AT_LEAST_EVERY: Length = Length::from_secs(5);
/// How long a look that was refused is put off.
pub const LOOK_AGAIN_AFTER: Length = Length::from_secs(30);

/// What is due at an instant, worst first.
#[derive(Debug, Default)]
pub struct Round {
    pub due: Vec<Expectation>,
    /// Rows that this version cannot read; they stay due.
    pub unread: Vec<Unread>,
    /// When the store says that there is something to look at, where it says so.
    next: Option<Timestamp>,
    /// Whether there may be more that is due.
    full: bool,
}

impl Round {
    /// # Errors
    /// When the store does not answer.
    pub async fn read(db: &Db, now: Timestamp) -> Result<Self, Fault> {
        let found = rows::expectation::due(db, now, LOOKS_PER_ROUND).await?;
        // What does not read stays due, and is no reason to look again at once.
        let next = if found.read.is_empty() { rows::expectation::next_look_after(db, now).await? } else { Some(now) };
        let full = found.read.len() as i64 == LOOKS_PER_ROUND;
        Ok(Self { due: found.read, unread: found.unread, next, full })
    }

    /// What the store says of the next look.
    #[must_use]
    pub const fn next(&self) -> Option<Timestamp> {
        self.next
    }

    /// When the next round is: at once where there is more, else when something falls due or was opened for meanwhile;
    /// where a look failed only after a pause, since what failed is due still.
    #[must_use]
    pub fn then(&self, failed: bool, opened: Timestamp, now: Timestamp) -> Timestamp {
        if self.full && !failed {
            return now;
        }
        let at = self.next.unwrap_or(opened).min(opened).min(after(now, LOOK_AT_LEAST_EVERY));
        if failed { at.max(after(now, super::decider::RETRY_OWN_AFTER)) } else { at }
    }
}

/// The command that looks at one.
#[must_use]
pub fn look(expectation: Expectation) -> Input {
    let cause = format!("expectation:{}/{}/{}", expectation.owner, expectation.key, expectation.occurrence);
    ours(&cause, Command::Look(Box::new(expectation)))
}

/// A look that was refused is not forgotten, and does not take the place of others: it is looked at again a little later,
/// until whatever refuses it is mended. Nothing where the store is away: then it is due still.
#[must_use]
pub fn put_off(expectation: &Expectation, refusal: &Refusal, now: Timestamp) -> Option<Write> {
    (!matches!(refusal, Refusal::Unavailable(_))).then(|| rows::expectation::rearm(expectation, after(now, LOOK_AGAIN_AFTER)))
}
