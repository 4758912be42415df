//! Drives a world from its seed to its end: the earliest of the agenda and of what the store says is due happens, and after
//! every step the oracle reads what was added to the log. At last the world stops, and whatever was begun must end.

use std::sync::Arc;

use allclear_channels::registry::WAYS_OUT;
use allclear_domain::org::snapshot::Org;
use allclear_domain::time::{Length, after};
use allclear_engine::core::{Command, Input};
use allclear_engine::run::due_round::{self, Round};
use allclear_store::rows;

use crate::orgs;
use crate::ports::block_on;
use crate::world::{Failure, Report, Task, World};

/// Steps of a world before it is left to run out.
const STEPS: u64 = 520;
/// How many times as many where many incidents stand beside each other.
const MANY: u64 = 2;
/// Steps of running out; more means that something never ends.
const DRAIN_STEPS_MAX: u64 = 20_000;
/// How long what is open at the end is left alone: long enough for pages to come back twice and acknowledgements to age.
const LEFT_ALONE: Length = Length::from_mins(240);

/// Runs one seed.
///
/// # Errors
/// The first promise that was not kept.
pub fn run(seed: u64, trace: bool) -> Result<Report, Box<Failure>> {
    let mut world = World::new(seed, trace);
    // Where much goes on at once less time passes with each step.
    let steps = if crate::many::is_here(seed) { STEPS * MANY } else { STEPS };
    for _ in 0..steps {
        if world.failure.is_some() {
            break;
        }
        world.step();
    }
    world.run_out();
    match world.failure.take() {
        Some(mut failure) => {
            failure.trace = world.trace.take().unwrap_or_default();
            Err(Box::new(failure))
        }
        None => Ok(world.report()),
    }
}

/// Runs one seed twice: the two logs must be the same to the last bit.
///
/// # Errors
/// The first promise that was not kept.
pub fn run_twice(seed: u64) -> Result<Report, Box<Failure>> {
    let first = run(seed, false)?;
    let second = run(seed, false)?;
    if first.digest != second.digest {
        let what = format!("{} and {} events, {} and {}", first.events, second.events, first.digest, second.digest);
        return Err(Box::new(Failure { seed, invariant: "I8 one seed, one log", what, trace: Vec::new() }));
    }
    Ok(first)
}

impl World {
    /// One thing happens.
    pub(crate) fn step(&mut self) -> bool {
        let due = self.next_due();
        let planned = self.agenda.first_key_value().map(|((at, _), _)| *at);
        match (due, planned) {
            (Some(at), planned) if planned.is_none_or(|p| at <= p) => {
                self.move_to(at);
                self.do_what_is_due();
            }
            (_, Some(at)) => {
                self.move_to(at);
                if let Some((_, task)) = self.agenda.pop_first() {
                    self.carry_out(task);
                }
            }
            _ => return false,
        }
        self.observe();
        true
    }

    fn do_what_is_due(&mut self) {
        let ready: Vec<usize> =
            (0..self.nodes.len()).filter(|n| self.nodes[*n].alive && self.nodes[*n].look_not_before <= self.now).collect();
        if ready.is_empty() {
            return;
        }
        let node = *self.dice.pick(&ready);
        self.beat();
        let mut due = block_on(Round::read(&self.db, self.now)).unwrap_or_default().due;
        if self.shared && self.dice.chance(200) {
            // Another node read the same and was first.
            let other = self.any_node().unwrap_or(node);
            self.look(other, due.clone());
            due.truncate(3);
        }
        if self.nodes[node].alive {
            self.look(node, due);
        }
        if self.nodes[node].alive {
            self.read_due_messages(node);
        }
        let still = block_on(rows::expectation::due(&self.db, self.now, 1)).map_or(true, |d| !d.read.is_empty())
            || block_on(rows::message::due_contacts(&self.db, self.now, 1, 0)).is_ok_and(|d| !d.is_empty())
            || self.nodes.iter().any(|n| n.alive && n.outbox.windows.next_early().is_some_and(|at| at <= self.now))
            || self.nodes.iter().any(|n| n.alive && n.outbox.look_at.is_some_and(|at| at <= self.now));
        if still {
            self.nodes[node].look_not_before = after(self.now, Length::from_millis(500));
        }
    }

    fn look(&mut self, node: usize, due: Vec<allclear_domain::expect::Expectation>) {
        let together = self.dice.chance(500);
        // One look may settle what the next was read for.
        self.stale = due.len() > 1;
        let inputs: Vec<Input> = due.iter().cloned().map(due_round::look).collect();
        let mut replies = Vec::new();
        if together {
            replies = self.process(node, inputs).unwrap_or_default();
        } else {
            for input in inputs {
                let Some(reply) = self.process(node, vec![input]) else { break };
                replies.extend(reply);
            }
        }
        for (expectation, reply) in due.iter().zip(replies) {
            let Err(refusal) = reply else { continue };
            if let Some(write) = due_round::put_off(expectation, &refusal, self.now) {
                self.commit_beside_commands(node, vec![write]);
            }
        }
        self.stale = false;
    }

    fn carry_out(&mut self, task: Task) {
        let lives = |world: &Self, node: usize, run: u64| world.nodes[node].alive && world.nodes[node].run == run;
        match task {
            Task::Tick(n) => self.tick(n),
            Task::Request(n) => self.send_request(n),
            Task::Act(act) => self.act(*act),
            Task::Meddle => {
                self.interfere();
                if !self.draining {
                    self.plan_later(120, 1_800, Task::Meddle);
                }
            }
            Task::Coordinate => {
                self.coordinate();
                self.think_again();
                self.do_with_several();
                if !self.draining {
                    self.plan_coordination();
                }
            }
            Task::CloseUp => self.close_up(),
            Task::Storm => {
                self.storm();
                if !self.draining {
                    self.plan_storm();
                }
            }
            Task::Orphans { node, run } if lives(self, node, run) => self.read_due_messages(node),
            Task::Begin { node, run } if lives(self, node, run) => self.begin(node),
            Task::Answer { node, run, message } if lives(self, node, run) => self.answered(node, message),
            Task::SubmitUntilDone { node, run, cause, command } if lives(self, node, run) => self.submit_until_done(node, &cause, *command),
            Task::Boot(node) if !self.nodes[node].alive => self.boot(node),
            Task::Flush(node) if self.nodes[node].alive => {
                if self.nodes[node].decider.as_ref().is_some_and(|d| d.to_flush() > 0) {
                    self.ours(node, "flush", Command::Flush { keys: 1000 });
                }
                // While the world runs out a review may be days away: a flush with nothing to come stops.
                let more = self.agenda.values().any(|task| !matches!(task, Task::Flush(_)))
                    || self.nodes[node].decider.as_ref().is_some_and(|d| d.to_flush() > 0);
                if self.nodes[node].alive && (!self.draining || more) {
                    self.plan(after(self.now, Length::from_secs(15)), Task::Flush(node));
                }
            }
            Task::Forget { node, run, incident } if lives(self, node, run) => {
                if let Some(decider) = &mut self.nodes[node].decider {
                    decider.core_mut().forget_stream(incident);
                }
            }
            Task::OrgChange => self.change_org(),
            Task::Crash => {
                if let Some(node) = self.any_node() {
                    self.reached("a crash came between two steps");
                    self.crash(node);
                }
                if !self.draining {
                    self.plan_later(1_200, 12_000, Task::Crash);
                }
            }
            Task::CrashOf { node, run } if lives(self, node, run) => self.crash(node),
            Task::Jump => {
                let secs = *self.dice.pick(&[90, 600, 3_600, 6 * 3_600]);
                self.say(|| format!("the machine sleeps for {secs} s"));
                let at = after(self.now, Length::from_secs(secs));
                self.move_to(at);
                self.steady_since = at;
                if !self.draining {
                    self.plan_later(3_000, 30_000, Task::Jump);
                }
            }
            Task::SetClock => self.set_clock(),
            Task::Newer => self.leave_newer(),
            Task::Check => {
                self.check_all();
                if !self.draining {
                    self.plan_later(600, 1_800, Task::Check);
                }
            }
            // Of a run that is over.
            _ => {}
        }
    }

    fn change_org(&mut self) {
        let version = self.org.version + 1;
        let (bundle, what) = orgs::changed(&mut self.dice, self.org.bundle(), self.now, version);
        let mut bundle = bundle;
        if self.side.chance(200) {
            orgs::coordinated(&mut self.side, &mut bundle);
        }
        orgs::plan_silences(&mut self.side, &mut bundle, self.now);
        self.say(|| format!("the organisation changes: {what}"));
        let writes = orgs::writes_of_silences(self.org.bundle(), &bundle, version, self.now);
        if !writes.is_empty() {
            block_on(self.db.commit(writes)).expect("a store in memory answers");
        }
        self.org = Arc::new(Org::build(version, bundle, WAYS_OUT));
        if self.oracle.a_page_runs() {
            self.reached("the organisation changed while a page ran");
        }
        self.oracle.new_org(self.org.clone());
        for node in &mut self.nodes {
            if let Some(decider) = &mut node.decider {
                decider.core_mut().set_org(self.org.clone());
            }
        }
        if !self.draining {
            self.plan_later(1_800, 9_000, Task::OrgChange);
        }
    }

    /// The world stops: no new conditions, no people, no trouble. Whatever was begun must end, and
    /// then nothing may happen any more.
    fn run_out(&mut self) {
        if self.failure.is_some() {
            return;
        }
        self.say(|| "the world stops; what was begun runs out".into());
        self.draining = true;
        self.agenda.retain(|_, task| {
            !matches!(
                task,
                Task::Tick(_)
                    | Task::Storm
                    | Task::Act(_)
                    | Task::Meddle
                    | Task::Coordinate
                    | Task::OrgChange
                    | Task::Crash
                    | Task::CrashOf { .. }
                    | Task::Jump
                    | Task::Check
            )
        });
        self.plan(after(self.now, LEFT_ALONE), Task::CloseUp);
        let mut steps = 0;
        while self.failure.is_none() {
            let only_flushes = self.agenda.values().all(|task| matches!(task, Task::Flush(_)));
            let dirty = self.nodes.iter().any(|n| n.decider.as_ref().is_some_and(|d| d.to_flush() > 0));
            if only_flushes && self.next_due().is_none() && !dirty {
                break;
            }
            if !self.step() {
                break;
            }
            steps += 1;
            if steps > DRAIN_STEPS_MAX {
                self.fail("I7 everything ends", format!("after {DRAIN_STEPS_MAX} steps something is still due"));
            }
        }
        self.check_all();
        self.check_end();
        if self.failure.is_some() {
            return;
        }
        // A day of quiet.
        let commits = self.commits();
        let until = after(self.now, Length::from_secs(86_400));
        for _ in 0..50 {
            let next = self.agenda.first_key_value().map(|((at, _), _)| *at);
            if self.next_due().is_some_and(|at| at < until) || next.is_some_and(|at| at < until) {
                self.step();
            }
        }
        if self.commits() != commits {
            let n = self.commits() - commits;
            self.fail("I7 a quiet system stays quiet", format!("{n} commits with nothing to do"));
        }
        self.move_to(until);
    }

    fn report(&mut self) -> Report {
        let (events, digest) = self.oracle.digest();
        Report { digest, events, reached: std::mem::take(&mut self.reached) }
    }
}
