//! What people read of an incident's clocks.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::expect::Standing;
use crate::incident::Incident;
use crate::incident::clock::{Clock, Timed, WaitingFor};
use crate::incident::clocks::{met_at, standing};
use crate::time::Length;

/// One clock of an incident. Instants are null where unknown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Clock))]
pub struct ClockView {
    /// What is to happen in time.
    #[cfg_attr(feature = "schema", schema(inline))]
    pub clock: Clock,
    /// *live* while it counts or is paused, *met*, *missed*, or *void*: it was over before.
    pub state: Standing,
    /// The id of the target that set it.
    pub target: String,
    /// How much time there is, as in `1h`.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub within: Length,
    /// The calendar whose open hours count; null where every hour does.
    pub calendar: Option<String>,
    /// When its time is over; null while it is paused, and where its calendar does not open for so long.
    pub due_at: Option<Timestamp>,
    /// Seconds that counted, until it was met or until now.
    pub elapsed_s: i64,
    /// Seconds that are left; none where all of its time is over.
    pub left_s: i64,
    pub met_at: Option<Timestamp>,
    /// When it was found to be missed; null also where its time is over and nobody has looked yet.
    pub missed_at: Option<Timestamp>,
    /// For whom work waits while it is paused.
    pub waiting_for: Option<WaitingFor>,
    /// What somebody wrote to that.
    pub why: Option<String>,
}

impl ClockView {
    /// All clocks of an incident; `ran` says how much of the time of one is over.
    #[must_use]
    pub fn all(i: &Incident, ran: &dyn Fn(&Timed) -> SignedDuration) -> Vec<Self> {
        i.work.clocks.list.iter().map(|timed| Self::of(i, timed, ran(timed))).collect()
    }

    fn of(i: &Incident, timed: &Timed, elapsed: SignedDuration) -> Self {
        let clocks = &i.work.clocks;
        let state = standing(i, timed);
        let left = timed.within.as_duration().saturating_sub(elapsed).max(SignedDuration::ZERO);
        let paused = clocks.paused().filter(|_| timed.clock.may_pause() && state == Standing::Live);
        Self {
            clock: timed.clock,
            state,
            target: timed.target.clone(),
            within: timed.within,
            calendar: timed.calendar.clone(),
            due_at: timed.due_at,
            elapsed_s: elapsed.as_secs(),
            left_s: left.as_secs(),
            met_at: met_at(i, timed.clock),
            missed_at: timed.missed_at,
            waiting_for: paused.and_then(|stop| stop.waiting_for),
            why: paused.and_then(|stop| stop.why.clone()),
        }
    }
}
