//! What an event of an incident opens and settles, as its part says it.

use jiff::Timestamp;

use super::types::Incident;
use crate::expect::{Expectation, Owner, Rule, Settle, Standing};
use crate::ids::IncidentId;
use crate::time::Length;

/// Expected: somebody decides whether it is an incident.
pub const KEY_CANDIDATE: &str = "candidate";
/// Expected: more alerts, before its page starts.
pub const KEY_GROUP_WAIT: &str = "group_wait";
/// Expected: somebody has it, or does something about it.
pub const KEY_ATTENDED: &str = "attended";
/// Expected: an answer to the question whether its holder is still on it.
pub const KEY_STILL_ON_IT: &str = "still_on_it";
/// Expected: whoever is on it confirms that it is over.
pub const KEY_CONFIRM: &str = "confirm_recovery";
/// Expected: the log is told of alerts that joined.
pub const KEY_DIGEST: &str = "alerts_digest";
/// Expected: the first of the silences that hold it ends.
pub const KEY_SILENCED: &str = "silenced";
/// Expected: what flaps is quiet for a while.
pub const KEY_FLAPPING: &str = "flapping";
/// Expected: somebody judges again how bad it is.
pub const KEY_REASSESS: &str = "reassess";
/// Expected: another team takes it or gives it back.
pub const KEY_TRANSFER: &str = "transfer";
/// Expected: the next update.
pub const KEY_UPDATE: &str = "update";
/// Expected: senders may forget what they were told of it.
pub const KEY_OVER: &str = "over";

/// Collects it.
pub(super) struct Awaited {
    /// When the event happened.
    pub at: Timestamp,
    id: IncidentId,
    version: u64,
    opened: Vec<Expectation>,
    settled: Vec<Settle>,
}

impl Awaited {
    /// By the event with this number.
    pub fn of(incident: &Incident, version: u64, at: Timestamp) -> Self {
        Self { at, id: incident.id, version, opened: Vec::new(), settled: Vec::new() }
    }

    const fn owner(&self) -> Owner {
        Owner::Incident(self.id)
    }

    /// From now on this is awaited.
    pub fn open(&mut self, key: &str, rule: Rule, within: Length) {
        let owner = self.owner();
        let cause = format!("{owner}@{}", self.version);
        let mut expectation = Expectation::open(owner, key.to_owned(), rule, Some(self.id), cause, self.at, within);
        // A recovery may be asked about more than once; the version keeps the times apart.
        expectation.occurrence = u32::try_from(self.version).unwrap_or(u32::MAX);
        self.opened.push(expectation);
    }

    /// Until then, where it is to come.
    pub fn open_until(&mut self, key: &str, rule: Rule, until: Timestamp) {
        self.open(key, rule, Length::between(self.at, until));
    }

    /// Until then, and looked at before.
    pub fn open_looked(&mut self, key: &str, rule: Rule, until: Timestamp, look_at: Timestamp) {
        self.open_until(key, rule, until);
        // At its end by its own length, which is whole milliseconds: nothing settles before that.
        if let Some(opened) = self.opened.last_mut().filter(|_| look_at < until) {
            opened.next_look_at = look_at;
        }
    }

    /// Is awaited no more.
    pub fn settle(&mut self, key: &str, standing: Standing, why: &'static str) {
        self.settled.push(Settle { owner: self.owner(), key: Some(key.to_owned()), standing, why });
    }

    /// From now on a sign of work is awaited anew of whoever has it: within this long, or never; where they asked to be
    /// reminded, then.
    pub fn sign(&mut self, incident: &Incident, lasts: Option<Length>, standing: Standing, why: &'static str) {
        if !incident.is_held() {
            return;
        }
        self.settle(KEY_ATTENDED, standing, why);
        if let Some(snooze) = incident.snoozed() {
            self.open_until(KEY_ATTENDED, Rule::Attended, snooze.until);
        } else if let Some(lasts) = lasts {
            self.open(KEY_ATTENDED, Rule::Attended, lasts);
        }
    }

    /// Nothing is awaited any more.
    pub fn settle_all(&mut self, why: &'static str) {
        self.settled.push(Settle { owner: self.owner(), key: None, standing: Standing::Void, why });
    }

    /// All of it.
    pub fn done(self) -> (Vec<Expectation>, Vec<Settle>) {
        (self.opened, self.settled)
    }
}
