//! Whoever asked for it is told before a shift of theirs begins: when that is due is said in `allclear_domain::org::shift_notices`.
//!
//! There is one chain of looks for each version of the organisation. A look tells what was due since the one before it, and opens the
//! next; a change of the organisation opens a chain of its own, and that of the version before ends at its next look. So a rota that
//! changes is counted anew, and of two nodes one tells. A shift that comes nearer by a change than a lead time is told by the shorter
//! ones alone.

use allclear_domain::expect::{Expectation, Owner, Rule, Standing};
use allclear_domain::org::shift_notices::{anybody_asks, due_between, next_after};
use allclear_domain::org::snapshot::Org;
use allclear_domain::time::{Length, after};
use allclear_domain::wire::NoticeKind;
use allclear_store::{CommitError, Db, Fault, rows};
use jiff::Timestamp;

use super::Core;
use super::due::{note_look, settle};
use super::unit::Unit;

/// What begins the key of a look, before the organisation's version.
const KEY: &str = "shifts:";
/// Messages of one look: more come on call at one instant nowhere, and a commit stays short.
const TOLD_MAX: usize = 500;
/// A node that has not heard of the organisation that a look is about looks again after this time.
const ORG_ARRIVES_WITHIN: Length = Length::from_millis(250);

/// A look that was opened at an instant and is due at another.
fn look(version: u64, now: Timestamp, at: Timestamp) -> Expectation {
    let key = format!("{KEY}{version}:{}", at.as_microsecond());
    let mut expectation = Expectation::open(Owner::Org, key, Rule::ShiftNotice, None, "shifts".to_owned(), now, Length::between(now, at));
    expectation.next_look_at = at;
    expectation
}

/// Opens a chain of looks for the organisation as it is now, where anybody asks; says whether it did.
///
/// # Errors
/// When the store does not answer.
pub(crate) async fn changed(db: &Db, org: &Org, now: Timestamp) -> Result<bool, Fault> {
    if !anybody_asks(org) {
        return Ok(false);
    }
    match db.commit(vec![rows::expectation::open(&look(org.version, now, now))]).await {
        // Another node was first.
        Ok(()) | Err(CommitError::Conflict { .. }) => Ok(true),
        Err(CommitError::Fault(fault)) => Err(fault),
    }
}

/// The same at a start, where none is awaited.
///
/// # Errors
/// When the store does not answer.
pub(crate) async fn expect(db: &Db, org: &Org, now: Timestamp) -> Result<(), Fault> {
    if anybody_asks(org) && !rows::expectation::is_awaited(db, Rule::ShiftNotice).await? {
        changed(db, org, now).await?;
    }
    Ok(())
}

impl Core {
    pub(super) fn look_shifts(&mut self, unit: &mut Unit, given: &Expectation) {
        let of_version = given.key.strip_prefix(KEY).and_then(|rest| rest.split(':').next()?.parse::<u64>().ok());
        match of_version {
            Some(version) if version > self.org.version => {
                let at = after(unit.now, ORG_ARRIVES_WITHIN);
                unit.write(rows::expectation::rearm(given, at));
                note_look(unit, at);
                return;
            }
            Some(version) if version == self.org.version => {}
            Some(_) | None => {
                settle(unit, given, Standing::Void, "the organisation changed, and it is looked anew");
                return;
            }
        }
        let since = given.segments.first().map_or(unit.now, |segment| segment.from);
        let due = due_between(&self.org, since, unit.now);
        for one in due.iter().take(TOLD_MAX) {
            let key = format!("shift:{}:{}:{}:{}", one.person, one.schedule, one.starts_at.as_second(), one.lead);
            if self.tells(unit, &one.person, key, NoticeKind::Shift, one.says(&self.org, unit.now)).is_none() {
                tracing::debug!(person = %one.person, "nothing reaches whoever asked to be told before their shift");
            }
        }
        let (standing, why) = if due.is_empty() { (Standing::Met, "nobody had to be told") } else { (Standing::Missed, "they were told") };
        settle(unit, given, standing, why);
        if let Some(at) = next_after(&self.org, unit.now) {
            note_look(unit, at);
            unit.write(rows::expectation::open(&look(self.org.version, unit.now, at)));
        }
    }
}
