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

use super::Core;
use super::command::Refusal;
use super::need::{Decided, Loaded, Need, Stop};
use super::unit::Unit;

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

    fn of<S: ReadOnce>(state: S) -> Self {
        Self { state: Arc::new(state), row: |state, head| state.downcast_ref::<S>().map(|state| state.row(head)) }
    }

    fn as_own<S: ReadOnce>(&self) -> Option<&S> {
        self.state.downcast_ref()
    }

    /// The row, at the version of its log; always there, since it is of the type that it was made of.
    pub(super) fn row(&self, head: Head) -> Option<Write> {
        (self.row)(&*self.state, head)
    }
}

impl Core {
    /// A state that is read for the command at hand, with what this unit did to it.
    pub(super) fn read_once<S: ReadOnce>(&self, unit: &Unit, id: S::Id) -> Decided<(S, Head)> {
        let stream = S::stream(id);
        let own = |(state, head): &(AnyState, Head)| state.as_own::<S>().cloned().map(|state| (state, *head));
        if let Some(found) = unit.states.get(&stream).and_then(own) {
            return Ok(found);
        }
        let read = self.read.iter().find_map(|read| {
            if let Loaded::State(of, found) = read
                && *of == stream
            {
                Some(found)
            } else {
                None
            }
        });
        read.ok_or(Stop::Need(Need::State(stream)))?.as_ref().and_then(own).ok_or_else(|| S::absent().into())
    }
}

impl Unit {
    /// Folds events of such a stream, notes them for its log, and what they open and settle.
    pub(super) fn add_events<S: ReadOnce>(&mut self, id: S::Id, before: Option<(S, Head)>, events: &[S::Event]) {
        let stream = S::stream(id);
        let (mut state, head) = before.map_or((None, Head::EMPTY), |(state, head)| (Some(state), head));
        let mut version = head.version;
        for event in events {
            version += 1;
            let after = S::evolve(state.take(), id, event, &self.actor, self.now);
            let (kind, v, body) = S::encoded(event);
            self.begin_stream(&stream, head);
            self.draft(stream.clone(), after.incident(), kind, v, body);
            let (opened, settled) = S::react(&after, event, version, self.now);
            for settle in settled {
                self.settle(&settle);
            }
            for expectation in opened {
                self.expect(&expectation);
            }
            self.effects().changed.extend(after.incident());
            state = Some(after);
        }
        if let Some(state) = state {
            // The hash follows when the unit is sealed; the version counts meanwhile.
            self.states.insert(stream, (AnyState::of(state), Head { version, hash: head.hash }));
        }
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
