//! Calendars that others keep are read every some minutes: when that is due. How they are read is in `org/external_calendars.rs`.
//!
//! There is one chain of looks for each version of the organisation, as for shifts: a change opens a chain of its own, so that a new
//! address is read at once, and that of the version before ends at its next look. Of several nodes the one whose look is committed
//! reads.

use allclear_domain::expect::{Expectation, Owner, Rule, Standing};
use allclear_domain::org::snapshot::Org;
use allclear_domain::time::{Length, after};
use allclear_store::{CommitError, Db, Fault, rows};
use jiff::Timestamp;

use super::Core;
use super::command::Reply;
use super::due::{note_look, settle};
use super::unit::Unit;

/// What begins the key of a look, before the organisation's version.
const KEY: &str = "calendars:";
/// How often each is read: half as long as a rota is changed in a hurry, and six times an hour at a server that is not ours.
pub(crate) const READ_EVERY: Length = Length::from_mins(10);
/// A reading comes up to so much later, so that not all who read one server do so at one instant.
const JITTER_S: u128 = 60;
/// A node that has not heard of the organisation that a look is about looks again after this time.
const ORG_ARRIVES_WITHIN: Length = Length::from_millis(250);

/// Whether any is read from an address.
fn is_read(org: &Org) -> bool {
    // A copy of one that is gone is taken away by the same look.
    org.bundle().external_calendars.iter().any(|form| form.url.is_some()) || !org.bundle().calendar_copies.is_empty()
}

/// Opens a chain of looks for the organisation as it is now; says whether it did.
///
/// # Errors
/// When the store does not answer.
pub(crate) async fn changed(db: &Db, org: &Org, now: Timestamp) -> Result<bool, Fault> {
    if !is_read(org) {
        return Ok(false);
    }
    let key = format!("{KEY}{}", org.version);
    let mut look = Expectation::open(Owner::Org, key, Rule::ExternalCalendars, None, "external calendars".to_owned(), now, Length::ZERO);
    look.next_look_at = now;
    match db.commit(vec![rows::expectation::open(&look)]).await {
        // Another node was first.
        Ok(()) | Err(CommitError::Conflict { .. }) => Ok(true),
        Err(CommitError::Fault(fault)) => Err(fault),
    }
}

/// The same at a start. Whether one of an earlier version is awaited says nothing: it ends at its next look.
///
/// # Errors
/// When the store does not answer.
pub(crate) async fn expect(db: &Db, org: &Org, now: Timestamp) -> Result<(), Fault> {
    changed(db, org, now).await.map(drop)
}

impl Core {
    pub(super) fn look_external_calendars(&mut self, unit: &mut Unit, given: &Expectation) -> Reply {
        match given.key.strip_prefix(KEY).and_then(|version| version.parse::<u64>().ok()) {
            Some(version) if version > self.org.version => {
                let at = after(unit.now, ORG_ARRIVES_WITHIN);
                unit.write(rows::expectation::rearm(given, at));
                note_look(unit, at);
                return Reply::Done;
            }
            Some(version) if version == self.org.version && is_read(&self.org) => {}
            Some(_) | None => {
                settle(unit, given, Standing::Void, "the organisation changed, and it is looked anew");
                return Reply::Done;
            }
        }
        let jitter = Length::from_secs(u64::try_from(unit.id() % JITTER_S).unwrap_or(0));
        let at = after(after(unit.now, READ_EVERY), jitter);
        unit.write(rows::expectation::rearm(given, at));
        note_look(unit, at);
        Reply::ReadCalendars
    }
}
