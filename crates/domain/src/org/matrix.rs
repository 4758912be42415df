//! How bad something is by how much is hit and how soon it hurts.
//!
//! The shipped matrix gives the priority that a service desk recorded for every one of its 24,918 incidents (UCI 498): 1/1 is 1;
//! 1/2 and 2/1 are 2; 2/2 and 3/1 are 3; 2/3, 3/2 and 3/3 are 4, counted from the worst. Nobody ever used the cell 1/3; between
//! its neighbours, 2 and 4, the higher holds: whoever is unsure takes the higher.

use super::model::Level;
use crate::severity::Severity;

/// The shipped cells: a row an impact, the worst first; in it the urgencies, the worst first.
pub const SHIPPED: [[Severity; 3]; 3] = [
    [Severity::Sev1, Severity::Sev2, Severity::Sev2],
    [Severity::Sev2, Severity::Sev3, Severity::Sev4],
    [Severity::Sev3, Severity::Sev4, Severity::Sev4],
];

/// The matrix in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matrix {
    cells: [[Severity; 3]; 3],
    means: [Option<String>; 3],
}

impl Matrix {
    /// The shipped one with what is said of its cells, and of what an impact means.
    #[must_use]
    pub fn with(cell: impl Fn(Level, Level) -> Option<Severity>, means: impl Fn(Level) -> Option<String>) -> Self {
        let of = |impact: Level, urgency: Level| cell(impact, urgency).unwrap_or(SHIPPED[impact.place()][urgency.place()]);
        Self { cells: Level::ALL.map(|impact| Level::ALL.map(|urgency| of(impact, urgency))), means: Level::ALL.map(means) }
    }

    /// How bad it is.
    #[must_use]
    pub const fn severity(&self, impact: Level, urgency: Level) -> Severity {
        self.cells[impact.place()][urgency.place()]
    }

    /// What an impact means here, where the organisation says so.
    #[must_use]
    pub fn means(&self, impact: Level) -> Option<&str> {
        self.means[impact.place()].as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Impact, urgency and priority as they were recorded, counted from 1, the worst.
    const RECORDED: [(usize, usize, u8); 8] = [(1, 1, 1), (1, 2, 2), (2, 1, 2), (2, 2, 3), (3, 1, 3), (2, 3, 4), (3, 2, 4), (3, 3, 4)];

    #[test]
    fn the_shipped_matrix_gives_the_recorded_priority_in_every_cell() {
        let matrix = Matrix::with(|_, _| None, |_| None);
        let rank = |impact: usize, urgency: usize| matrix.severity(Level::ALL[impact - 1], Level::ALL[urgency - 1]).rank();
        for (impact, urgency, priority) in RECORDED {
            assert_eq!(rank(impact, urgency), priority, "{impact}/{urgency}");
        }
        let unused: Vec<(usize, usize)> = (1..=3)
            .flat_map(|impact| (1..=3).map(move |urgency| (impact, urgency)))
            .filter(|cell| !RECORDED.iter().any(|(impact, urgency, _)| (*impact, *urgency) == *cell))
            .collect();
        assert_eq!(unused, [(1, 3)]);
        assert_eq!(rank(1, 3), rank(1, 2).min(rank(2, 3)), "of its neighbours the higher");
    }
}
