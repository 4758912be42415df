//! Streams: logs whose folded state is a row. What all of them have in common is said once; what is one stream's own stands
//! in its impl, beside its commands.
//!
//! Incidents and pages stay in memory and have stores of their own. A state that is rare enough to be read for each command
//! that needs it ([`ReadOnce`]: a review, a corrective action) needs no more than its impl, and a line where it is read
//! (`run/decider.rs`) and where its row is held against its log (`upkeep`).

use std::any::Any;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use allclear_domain::access::Actor;
use allclear_domain::event::{Head, Mode, Stream};
use allclear_domain::expect::{Expectation, Settle};
use allclear_domain::ids::{IncidentId, PageId};
use allclear_domain::incident::{self, Incident};
use allclear_domain::paging::{self, Page};
use allclear_store::schema::{INCIDENT, PAGE};
use allclear_store::{Table, Write, rows};
use jiff::Timestamp;

use super::command::Refusal;

/// What a log folds to.
pub(crate) trait State: Sized {
    type Id: Copy + FromStr;
    type Event;
    /// Where the folded state is kept.
    const TABLE: &'static Table;
    /// # Errors
    /// A stored event that does not read.
    fn decode(kind: &str, v: u16, body: &str) -> Result<Self::Event, String>;
    fn evolve(state: Option<Self>, id: Self::Id, event: &Self::Event, actor: &Actor, at: Timestamp) -> Self;
    /// The row, at the version of its log.
    fn row(&self, head: Head) -> Write;
}

/// A state that is read from the store for each command that needs it.
pub(crate) trait ReadOnce: State + Clone + Send + Sync + 'static {
    fn stream(id: Self::Id) -> Stream;
    /// Why nothing can be done where there is none.
    fn absent() -> Refusal;
    /// In whose timeline its events stand.
    fn incident(&self) -> Option<IncidentId>;
    /// Kind, version and body, as stored.
    fn encoded(event: &Self::Event) -> (&'static str, u16, String);
    /// What an event opens and settles.
    fn react(after: &Self, event: &Self::Event, version: u64, at: Timestamp) -> (Vec<Expectation>, Vec<Settle>);
}

/// A state of any of these streams, as it is handed about.
#[derive(Clone)]
pub struct AnyState {
    state: Arc<dyn Any + Send + Sync>,
    row: fn(&(dyn Any + Send + Sync), Head) -> Option<Write>,
}

impl fmt::Debug for AnyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AnyState")
    }
}

impl AnyState {
    /// What was read of a stream.
    pub(crate) fn found<S: ReadOnce>(found: Option<(S, Head)>) -> Option<(Self, Head)> {
        found.map(|(state, head)| (Self::of(state), head))
    }

    pub(super) fn of<S: ReadOnce>(state: S) -> Self {
        Self { state: Arc::new(state), row: |state, head| state.downcast_ref::<S>().map(|state| state.row(head)) }
    }

    pub(super) fn as_own<S: ReadOnce>(&self) -> Option<&S> {
        self.state.downcast_ref()
    }

    /// The row, at the version of its log; always there, since it is of the type that it was made of.
    pub(super) fn row(&self, head: Head) -> Option<Write> {
        (self.row)(&*self.state, head)
    }
}

impl State for Incident {
    type Id = IncidentId;
    type Event = incident::Event;
    const TABLE: &'static Table = &INCIDENT;
    fn decode(kind: &str, v: u16, body: &str) -> Result<Self::Event, String> {
        incident::Event::decode(kind, v, body).map_err(|why| why.to_string())
    }
    fn evolve(state: Option<Self>, id: IncidentId, event: &Self::Event, actor: &Actor, at: Timestamp) -> Self {
        incident::evolve(state, id, event, actor, at, Mode::Live)
    }
    fn row(&self, head: Head) -> Write {
        rows::incident::put(self, head)
    }
}

impl State for Page {
    type Id = PageId;
    type Event = paging::Event;
    const TABLE: &'static Table = &PAGE;
    fn decode(kind: &str, v: u16, body: &str) -> Result<Self::Event, String> {
        paging::Event::decode(kind, v, body).map_err(|why| why.to_string())
    }
    fn evolve(state: Option<Self>, id: PageId, event: &Self::Event, _: &Actor, at: Timestamp) -> Self {
        paging::evolve(state, id, event, at)
    }
    fn row(&self, head: Head) -> Write {
        rows::page::put(self, head)
    }
}
