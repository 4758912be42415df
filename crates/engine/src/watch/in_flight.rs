//! What the watch remembers of its canaries: when the next is due, and which one is on its way.

use std::time::Duration;

use allclear_domain::ids::MessageId;

use crate::watch::stages::PASSED_MAX;

/// How often one is sent: each hour of a quiet night is proved.
const EVERY: Duration = Duration::from_hours(1);
/// The first one after a start: whoever has just changed something soon knows that a page would go out.
const FIRST_AFTER: Duration = Duration::from_mins(5);
/// How long it may take: with the time between two looks of the watch it is told within a minute.
const WITHIN: Duration = Duration::from_secs(45);

/// Whether the store has one, or why it was not begun; nothing until it is known.
pub(super) type Accepted = Option<Result<(), String>>;

/// What is remembered.
#[derive(Debug, Default)]
pub(super) struct Canary {
    /// How long the program was watched: hours that a machine slept through, or that a test leaps over, are none.
    watched: Duration,
    /// When the last one was begun, on that clock.
    begun: Option<Duration>,
    /// The one that is on its way.
    flying: Option<Flying>,
}

#[derive(Debug)]
struct Flying {
    message: MessageId,
    since: Duration,
    since_ns: u64,
    accepted: Accepted,
}

impl Canary {
    /// Time passes.
    pub(super) fn passes(&mut self, by: Duration) {
        self.watched += by.min(PASSED_MAX);
    }

    /// Whether it is time for another.
    pub(super) fn is_due(&self) -> bool {
        self.watched >= self.begun.map_or(FIRST_AFTER, |last| last + EVERY)
    }

    /// One is begun, `now_ns` by the clock that never jumps.
    pub(super) fn begin(&mut self, message: MessageId, now_ns: u64) {
        self.begun = Some(self.watched);
        self.flying = Some(Flying { message, since: self.watched, since_ns: now_ns, accepted: None });
    }

    /// It is in the store, or it is not, and why.
    pub(super) fn accepted(&mut self, message: MessageId, accepted: Result<(), String>) {
        if let Some(flying) = self.flying.as_mut().filter(|flying| flying.message == message) {
            flying.accepted = Some(accepted);
        }
    }

    /// It arrived; how long it took, where it is the one that is awaited.
    pub(super) fn arrived(&mut self, message: MessageId, now_ns: u64) -> Option<Duration> {
        let flying = self.flying.take_if(|flying| flying.message == message)?;
        Some(Duration::from_nanos(now_ns.saturating_sub(flying.since_ns)))
    }

    /// The one that should have arrived by now.
    pub(super) fn overdue(&self) -> Option<(MessageId, Accepted)> {
        let flying = self.flying.as_ref()?;
        (self.watched >= flying.since + WITHIN).then(|| (flying.message, flying.accepted.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::stages::WATCH_EVERY;

    #[test]
    fn one_comes_soon_after_a_start_and_then_each_hour_that_the_program_was_awake() {
        let mut canary = Canary::default();
        let mut begun = Vec::new();
        for minute in 0..150_u64 {
            for _ in 0..12 {
                canary.passes(Duration::from_secs(5));
            }
            if minute == 90 {
                canary.passes(Duration::from_hours(8));
            }
            if canary.is_due() {
                canary.begin(MessageId::from_bits(u128::from(minute)), 0);
                begun.push(canary.watched.as_secs() / 60);
            }
        }
        assert_eq!(begun, [5, 65, 125], "a machine that slept for eight hours sends none for them");
        assert!(WITHIN + WATCH_EVERY + WATCH_EVERY < Duration::from_mins(1), "it is told within a minute");
    }

    #[test]
    fn only_the_one_that_is_awaited_arrives_and_none_is_overdue_before_its_time() {
        let (mut canary, one, other) = (Canary::default(), MessageId::from_bits(1), MessageId::from_bits(2));
        canary.begin(one, 1_000);
        for _ in 0..8 {
            canary.passes(WATCH_EVERY);
        }
        assert_eq!(canary.overdue(), None);
        canary.accepted(other, Err("no".into()));
        canary.passes(WATCH_EVERY);
        assert_eq!(canary.overdue(), Some((one, None)));
        canary.accepted(one, Ok(()));
        assert_eq!(canary.overdue(), Some((one, Some(Ok(())))));
        assert_eq!(canary.arrived(other, 9_000), None, "another node's");
        assert_eq!(canary.arrived(one, 9_000), Some(Duration::from_nanos(8_000)));
        assert_eq!((canary.overdue(), canary.arrived(one, 9_000)), (None, None));
    }
}
