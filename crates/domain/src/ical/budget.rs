//! What reading a calendar, and asking when it takes place, may cost.

/// Steps of all rules of one calendar that end after a number of times, which are walked once, when it is read.
const COUNT_STEPS_MAX: u32 = 500_000;
/// Times of all of those rules, which are kept.
const COUNT_TIMES_MAX: u32 = 100_000;

/// What may still be spent: steps of rules, which are periods, days that are looked at and times that are named; and times that are
/// found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    periods: u32,
    times: u32,
    /// Whether something was left out.
    pub is_spent: bool,
}

impl Budget {
    /// So many steps of rules, and so many times.
    #[must_use]
    pub const fn new(periods: u32, times: u32) -> Self {
        Self { periods, times, is_spent: false }
    }

    pub(super) const fn of_counts() -> Self {
        Self::new(COUNT_STEPS_MAX, COUNT_TIMES_MAX)
    }

    pub(super) fn period(&mut self) -> bool {
        Self::take(&mut self.periods, &mut self.is_spent)
    }

    pub(super) fn time(&mut self) -> bool {
        Self::take(&mut self.times, &mut self.is_spent)
    }

    fn take(from: &mut u32, is_spent: &mut bool) -> bool {
        match from.checked_sub(1) {
            Some(left) => *from = left,
            None => *is_spent = true,
        }
        !*is_spent
    }
}
