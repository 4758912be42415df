//! What an event of an incident opens and settles, as its part says it.

use jiff::Timestamp;

use super::types::Incident;
use crate::expect::{Expectation, Owner, Rule, Settle, Standing};
use crate::ids::IncidentId;
use crate::time::Length;

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

    /// Is awaited no more.
    pub fn settle(&mut self, key: &str, standing: Standing, why: &'static str) {
        self.settled.push(Settle { owner: self.owner(), key: Some(key.to_owned()), standing, why });
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
