//! What the watch remembers from one reading to the next.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::SignedDuration;
use tokio::sync::Notify;

use crate::watch::in_flight::Canary;
use crate::watch::operator::Telling;
use crate::watch::stages::Judge;
use crate::watch::trouble::Trouble;

/// What the watch remembers.
#[derive(Default)]
pub(crate) struct Watch {
    pub(super) state: Mutex<State>,
    pub(super) wake: Arc<Notify>,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) judge: Judge,
    pub(super) telling: Telling,
    /// How long it has watched.
    pub(super) watched: Duration,
    pub(super) asked: Option<Duration>,
    /// When a watch outside was last told that paging works.
    pub(super) beaten: Option<Duration>,
    pub(super) canary: Canary,
    /// Whether deadlines were late when the store was last asked.
    pub(super) were_late: bool,
    pub(super) unread: BTreeSet<Trouble>,
    /// What was wrong at the last reading.
    pub(super) seen: BTreeSet<Trouble>,
    /// By how much the wall clock was ahead when that was last told.
    pub(super) told_ahead: Option<SignedDuration>,
}
