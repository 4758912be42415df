//! The rate at which refusals are logged and kept, so that a flood fills neither log nor store.

use std::sync::{Mutex, PoisonError};

use allclear_domain::time::{Length, after};
use jiff::Timestamp;

/// Refusals of known senders that are logged and kept in a second: far more than a person reads, and no load
/// for any store.
const PER_SECOND: u32 = 10;
/// The same of strangers.
const STRANGERS_PER_SECOND: u32 = 1;
const SECOND: Length = Length::from_secs(1);

/// How many were kept within this second, and how many were not since.
#[derive(Debug, Default)]
struct Window {
    began_at: Option<Timestamp>,
    kept: u32,
    unkept: u64,
}

impl Window {
    /// Whether one more is kept: then how many before it were not.
    fn admit(&mut self, most: u32, now: Timestamp) -> Option<u64> {
        if self.began_at.is_none_or(|began| now >= after(began, SECOND) || now < began) {
            (self.began_at, self.kept) = (Some(now), 0);
        }
        if self.kept >= most {
            self.unkept += 1;
            return None;
        }
        self.kept += 1;
        Some(std::mem::take(&mut self.unkept))
    }
}

/// The rate at which refusals are kept.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    known: Mutex<Window>,
    strangers: Mutex<Window>,
}

impl Gate {
    pub(super) fn admit(&self, is_known: bool, now: Timestamp) -> Option<u64> {
        let (window, most) = if is_known { (&self.known, PER_SECOND) } else { (&self.strangers, STRANGERS_PER_SECOND) };
        window.lock().unwrap_or_else(PoisonError::into_inner).admit(most, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_counted_and_a_few_of_it_are_kept() {
        let at = |second: i64| Timestamp::from_second(1_800_000_000 + second).unwrap();
        let gate = Gate::default();
        let kept = |n: usize, is_known, at| (0..n).filter_map(|_| gate.admit(is_known, at)).collect::<Vec<_>>();
        assert_eq!(kept(500, false, at(0)).len(), 1);
        assert_eq!(kept(500, true, at(0)).len(), 10, "strangers crowd out nobody");
        assert_eq!(kept(1, true, at(1)), [490], "how many were not kept is told with the next");
        assert_eq!(kept(1, true, at(-60)), [0], "a clock that was set back stops nothing");
    }
}
