//! How far each stage of the program comes, and the judgement whether one stands still.
//!
//! A stage counts what it gets done, and what waits for it. Whoever watches compares two readings: work that waits
//! while nothing gets done is a stage that stands still, whatever holds it up. Time is what passed between readings,
//! by a clock that nobody sets, so that a test that moves the other one by hours accuses nobody.
//!
//! Deliberately not here: what follows (`watch`), and any way to help the stage along.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use crate::watch::trouble::Stage;

/// How often the stages are read.
pub const WATCH_EVERY: Duration = Duration::from_secs(5);
/// A stage that has work and gets nothing done for so long stands still. With two readings more this is well within
/// the promised minute; the longest that a healthy stage may wait for the world is a mail's 30 s (`MAIL_DEADLINE`), and
/// hundreds of mails do not all take that.
pub const STILL_AFTER: Duration = Duration::from_secs(35);
/// Of the time between two readings only so much counts: a program that was itself stopped accuses no stage.
pub(super) const PASSED_MAX: Duration = WATCH_EVERY.saturating_mul(2);

/// What is counted of a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Commands that wait for an answer; commands decided.
    Commands,
    /// Groups on their way to the store; groups that landed.
    Flights,
    /// The look loop goes round, whether or not something is due.
    LookRounds,
    /// The outbox goes round, whether or not something waits.
    SendRounds,
    /// Messages that could be sent now; tries that ended, well or not.
    Sends,
    /// The task that follows other nodes goes round; on PostgreSQL only.
    FollowRounds,
}

impl Measure {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Commands, Self::Flights, Self::LookRounds, Self::SendRounds, Self::Sends, Self::FollowRounds];

    /// Whose it is.
    #[must_use]
    pub const fn stage(self) -> Stage {
        match self {
            Self::Commands => Stage::Decide,
            Self::Flights => Stage::Commit,
            Self::LookRounds => Stage::Look,
            Self::SendRounds | Self::Sends => Stage::Send,
            Self::FollowRounds => Stage::Follow,
        }
    }
}

/// The counters of all stages.
#[derive(Debug, Default)]
pub struct Stages {
    waits: [AtomicI64; Measure::ALL.len()],
    done: [AtomicU64; Measure::ALL.len()],
    #[cfg(feature = "failpoints")]
    frozen: Frozen,
}

impl Stages {
    /// So much more waits; less where negative.
    pub fn add(&self, measure: Measure, pieces: i64) {
        self.waits[measure as usize].fetch_add(pieces, Ordering::SeqCst);
    }

    /// So much waits.
    pub fn set(&self, measure: Measure, pieces: usize) {
        self.waits[measure as usize].store(i64::try_from(pieces).unwrap_or(i64::MAX), Ordering::SeqCst);
    }

    /// A piece of work is done, or a loop went round.
    pub fn did(&self, measure: Measure) {
        self.done[measure as usize].fetch_add(1, Ordering::SeqCst);
    }

    /// All counters now.
    #[must_use]
    pub fn read(&self) -> Readings {
        std::array::from_fn(|at| Reading { waits: self.waits[at].load(Ordering::SeqCst) > 0, done: self.done[at].load(Ordering::SeqCst) })
    }

    /// Where a test may let a stage stand still: passes at once, and always in builds without the feature.
    #[cfg(not(feature = "failpoints"))]
    #[allow(clippy::unused_async)] // the other one waits
    pub async fn gate(&self, _stage: Stage) {}

    /// Waits for as long as a test lets this stage stand still.
    #[cfg(feature = "failpoints")]
    pub async fn gate(&self, stage: Stage) {
        self.frozen.wait(stage).await;
    }

    /// Lets a stage stand still from its next piece of work on, or go on.
    #[cfg(feature = "failpoints")]
    pub fn freeze(&self, stage: Stage, still: bool) {
        self.frozen.set(stage, still);
    }
}

/// What a measure says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// Whether there is work.
    pub waits: bool,
    /// How much has been done, ever.
    pub done: u64,
}

/// Of each measure, in the order of [`Measure::ALL`].
pub type Readings = [Reading; Measure::ALL.len()];

/// Compares readings.
#[derive(Debug, Default)]
pub struct Judge {
    known: [(u64, Duration); Measure::ALL.len()],
}

impl Judge {
    /// Takes a reading, `passed` after the last, and says of each stage for how long it has stood still, where that is
    /// too long. A stage that only waits for another that stands still is not accused.
    pub fn judge(&mut self, readings: &Readings, passed: Duration) -> Vec<(Stage, Duration)> {
        for ((known, still), reading) in self.known.iter_mut().zip(readings) {
            if reading.waits && reading.done == *known {
                *still += passed.min(PASSED_MAX);
            } else {
                (*known, *still) = (reading.done, Duration::ZERO);
            }
        }
        Stage::ALL
            .into_iter()
            .filter(|stage| !self.waits_for_another(*stage))
            .map(|stage| (stage, self.still(stage)))
            .filter(|(_, still)| *still >= STILL_AFTER)
            .collect()
    }

    fn still(&self, stage: Stage) -> Duration {
        let of_stage = Measure::ALL.into_iter().zip(&self.known).filter(|(measure, _)| measure.stage() == stage);
        of_stage.map(|(_, (_, still))| *still).max().unwrap_or_default()
    }

    /// Half the time is enough to suspect the other one: both stopped at about the same moment.
    fn waits_for_another(&self, stage: Stage) -> bool {
        stage.waits_for().is_some_and(|other| self.still(other) >= STILL_AFTER / 2 || self.waits_for_another(other))
    }
}

/// Stages that tests let stand still.
#[cfg(feature = "failpoints")]
#[derive(Debug)]
struct Frozen(tokio::sync::watch::Sender<Vec<Stage>>);

#[cfg(feature = "failpoints")]
impl Default for Frozen {
    fn default() -> Self {
        Self(tokio::sync::watch::channel(Vec::new()).0)
    }
}

#[cfg(feature = "failpoints")]
impl Frozen {
    fn set(&self, stage: Stage, still: bool) {
        self.0.send_modify(|frozen| {
            frozen.retain(|other| *other != stage);
            if still {
                frozen.push(stage);
            }
        });
    }

    async fn wait(&self, stage: Stage) {
        let mut frozen = self.0.subscribe();
        // The sender lives as long as we do.
        let _ = frozen.wait_for(|frozen| !frozen.contains(&stage)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Readings after each of which five seconds pass; the stages accused after the last.
    fn judged(rounds: usize, step: impl Fn(&Stages, usize)) -> Vec<Stage> {
        let (stages, mut judge) = (Stages::default(), Judge::default());
        let mut accused = Vec::new();
        for round in 0..rounds {
            step(&stages, round);
            accused = judge.judge(&stages.read(), WATCH_EVERY).into_iter().map(|(stage, _)| stage).collect();
        }
        accused
    }

    #[test]
    fn work_that_waits_while_nothing_gets_done_is_a_stage_that_stands_still() {
        for measure in Measure::ALL {
            let still = |stages: &Stages, _| stages.set(measure, 1);
            assert_eq!(judged(6, still), [], "{measure:?} may take half a minute");
            assert_eq!(judged(7, still), [measure.stage()], "{measure:?}");
            assert_eq!(
                judged(60, |stages, _| {
                    stages.set(measure, 1);
                    stages.did(measure);
                }),
                [],
                "{measure:?} goes on"
            );
            assert_eq!(judged(60, |stages, _| stages.set(measure, 0)), [], "{measure:?} has nothing to do");
            assert_eq!(
                judged(60, |stages, round| {
                    stages.set(measure, 1);
                    if round == 59 {
                        stages.did(measure);
                    }
                }),
                [],
                "{measure:?} goes on again"
            );
        }
    }

    #[test]
    fn whoever_waits_for_a_stage_that_stands_still_is_not_accused() {
        let all = |stages: &Stages, _| Measure::ALL.into_iter().for_each(|measure| stages.set(measure, 1));
        assert_eq!(judged(10, all), [Stage::Commit, Stage::Follow]);
        let without_commit = |stages: &Stages, round| {
            all(stages, round);
            stages.set(Measure::Flights, 0);
        };
        assert_eq!(judged(10, without_commit), [Stage::Decide, Stage::Follow]);
    }

    #[test]
    fn a_program_that_was_itself_stopped_accuses_nobody() {
        let (stages, mut judge) = (Stages::default(), Judge::default());
        stages.set(Measure::LookRounds, 1);
        assert_eq!(judge.judge(&stages.read(), Duration::from_secs(3_600)), []);
    }
}
