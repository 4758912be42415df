//! That somebody's way in ended: a token was revoked, a session ended, or the organisation says something else of people.
//!
//! What stays open, a stream or a page that follows, was let in once and asks again when this changes, so that whoever
//! was shut out hears nothing more. On this node that is at once; other nodes find the mark in the store at their next
//! look, within two seconds.

use allclear_store::{Write, rows};
use tokio::sync::watch;

use crate::engine::Engine;

impl Engine {
    /// Ticks whenever somebody's way in may have ended.
    #[must_use]
    pub fn watch_ways_in(&self) -> watch::Receiver<u64> {
        self.shared.ways_in.subscribe()
    }

    /// The mark by which other nodes know: part of the commit that ends a way in.
    pub(crate) fn mark_ways_in(&self) -> Write {
        rows::meta::put(rows::meta::WAYS_IN, &format!("{:032x}", self.fresh_id()))
    }

    /// Tells whoever follows here.
    pub(crate) fn tell_ways_in(&self) {
        self.shared.ways_in.send_modify(|n| *n += 1);
    }

    /// Tells whoever follows here where another node made a mark since `seen`.
    pub(crate) async fn follow_ways_in(&self, seen: &mut Option<String>) {
        // A store that does not answer is asked again in a moment, and gives nothing to follow meanwhile.
        let Ok(mark) = rows::meta::get(self.db(), rows::meta::WAYS_IN).await else { return };
        if mark != *seen {
            *seen = mark;
            self.tell_ways_in();
        }
    }
}
