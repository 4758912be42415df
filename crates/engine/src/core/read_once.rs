//! States that are read from the store for each command that needs them ([`ReadOnce`]): how a command gets one, and how a
//! unit adds to its log.

use allclear_domain::event::Head;

use super::Core;
use super::need::{Decided, Loaded, Need, Stop};
use super::streams::{AnyState, ReadOnce};
use super::unit::Unit;

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
