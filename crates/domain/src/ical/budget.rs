//! What reading a calendar, and asking when it takes place, may cost.

/// Periods of all rules of one calendar that end after a number of times, which are walked once, when it is read.
const COUNT_PERIODS_MAX: u32 = 200_000;

/// What may still be spent: periods of rules, and times that are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    periods: u32,
    times: u32,
    /// Whether something was left out.
    pub is_spent: bool,
}

impl Budget {
    /// So many periods of rules, and so many times.
    #[must_use]
    pub const fn new(periods: u32, times: u32) -> Self {
        Self { periods, times, is_spent: false }
    }

    pub(super) const fn of_counts() -> Self {
        Self::new(COUNT_PERIODS_MAX, u32::MAX)
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
