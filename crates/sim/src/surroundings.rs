//! What surrounds the program: somebody sets the machine's wall clock, and a newer version leaves deadlines that this
//! one does not know. Neither may make anything early, late or forgotten; the other checks see to the rest.

use allclear_domain::expect::{Expectation, Owner, Rule};
use allclear_domain::ids::{IdGen, IncidentId};
use allclear_domain::time::{Length, after, to_micros};
use allclear_engine::clock::SLEW_PPM;
use allclear_store::rows;

use crate::checks::FOR_EVER;
use crate::ports::block_on;
use crate::world::{Task, World};

/// Seconds between two settings of the clock, and between two visits of a newer version.
const EVERY_S: (u64, u64) = (600, 12_000);
/// By how many seconds somebody sets the clock: the end of summer time, a second of NTP's, a wrong date.
const SET_BY_S: [i64; 6] = [-3_600, 3_600, -2, 2, -86_400, 7_200];
/// How many deadlines a newer version leaves at once, at most.
const NEWER_MAX: u64 = 4;

impl World {
    /// Half of the worlds have a clock that somebody sets, and half a newer version beside them.
    pub(crate) fn plan_surroundings(&mut self) {
        if self.around.chance(500) {
            self.plan_around(Task::SetClock);
        }
        if self.around.chance(500) {
            self.plan_around(Task::Newer);
        }
    }

    fn plan_around(&mut self, task: Task) {
        let wait = self.around.between(EVERY_S.0, EVERY_S.1);
        self.plan(after(self.now, Length::from_secs(wait)), task);
    }

    pub(crate) fn set_clock(&mut self) {
        if self.draining {
            return;
        }
        let seconds = *self.around.pick(&SET_BY_S);
        self.say(|| format!("the wall clock is set forth by {seconds} s"));
        self.reached(if seconds < 0 { "the wall clock was set back" } else { "the wall clock was set forward" });
        self.clock.set_wall_forth(seconds * 1_000_000);
        self.plan_around(Task::SetClock);
    }

    /// I14: the clock of decisions goes by what has passed, within what it may make up for.
    pub(crate) fn check_time(&mut self) {
        let elapsed = self.clock.elapsed();
        let off = (to_micros(self.now) - to_micros(self.clock.start()) - elapsed).abs();
        if off > elapsed / 1_000_000 * SLEW_PPM + SLEW_PPM {
            self.fail("I14 time goes by what has passed", format!("it is off by {off} microseconds after {elapsed}"));
        }
    }

    pub(crate) fn leave_newer(&mut self) {
        if self.draining {
            return;
        }
        let many = self.around.between(1, NEWER_MAX);
        let mut writes = Vec::new();
        for _ in 0..many {
            let owner = Owner::Incident(IncidentId::from_bits(IdGen::new(self.around.number()).next(self.now)));
            let length = Length::from_secs(self.around.between(1, 3_600));
            let one = Expectation::open(owner, "newer".into(), Rule::PageAck, None, "newer".into(), self.now, length);
            writes.push(rows::expectation::open(&one));
        }
        writes.push(rows::expectation::as_a_newer_version("newer"));
        block_on(self.db.commit(writes)).expect("a store in memory takes rows");
        self.newer += usize::try_from(many).unwrap_or(0);
        self.say(|| format!("a newer version leaves {many} deadlines"));
        self.plan_around(Task::Newer);
    }

    /// I15: what a newer version left is left for it; that the rest goes on is I7's.
    pub(crate) fn check_newer(&mut self) {
        let left = block_on(rows::expectation::of_other_versions(&self.db, FOR_EVER, 100_000)).unwrap_or_default().len();
        if left != self.newer {
            self.fail("I15 what does not read is left as it is", format!("{left} of {} deadlines are left", self.newer));
        }
        if !block_on(rows::expectation::of_other_versions(&self.db, self.now, 1)).unwrap_or_default().is_empty() {
            self.reached("a deadline of a newer version was passed over");
        }
    }
}
