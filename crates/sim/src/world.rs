//! One world: its nodes over one store, its agenda, its crashes.
//!
//! What happens in it, step by step, is driven by `drive.rs`; here is what there is, and how a node starts, crashes and
//! decides a command in whatever its commits meet.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use allclear_channels::registry::WAYS_OUT;
use allclear_domain::access::{Actor, Principal};
use allclear_domain::ids::{IdGen, IncidentId, MessageId, NodeId};
use allclear_domain::org::snapshot::Org;
use allclear_domain::time::{Length, after};
use allclear_engine::core::{Command, Core, Input, Refusal, Reply, Setup};
use allclear_engine::run::decider::Decider;
use allclear_engine::upkeep;
use allclear_engine::upkeep::checkpoints;
use allclear_store::schema::MIGRATIONS;
use allclear_store::{Db, rows};
use jiff::Timestamp;

use crate::monitor::{Accepted, Act, Monitor, Request};
use crate::node::{Node, Outbox, Strike, Truth, Weather};
use crate::oracle::Oracle;
use crate::orgs;
use crate::ports::{Dice, SimClock, block_on, ports};
use crate::sometimes::Reached;
use allclear_engine::ports::Clock as _;

/// Seconds between two acts of coordination, from and to: often enough that an incident of half an hour meets
/// several.
const COORDINATION_S: (u64, u64) = (40, 400);
/// How many times as often they do something in worlds of many incidents.
const QUICKER: u64 = 8;
/// Seconds between two storms, from and to.
const STORM_S: (u64, u64) = (900, 5_400);

/// When every world starts: a Monday before a change of clocks in Europe and America.
const START_S: i64 = 1_772_409_600;

/// How a run ended.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Over everything in the log.
    pub digest: String,
    /// Events in the log.
    pub events: u64,
    /// Rare paths.
    pub reached: Reached,
}

/// A promise that was not kept.
#[derive(Debug, Clone)]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// Which invariant.
    pub invariant: &'static str,
    /// What was found.
    pub what: String,
    /// What happened before, newest last.
    pub trace: Vec<String>,
}

/// Something on the agenda.
#[derive(Debug, Clone)]
pub(crate) enum Task {
    /// A monitor looks at its condition.
    Tick(usize),
    /// The first waiting request of an integration is sent.
    Request(usize),
    /// A person does something.
    Act(Box<Act>),
    /// Somebody does something out of the blue.
    Meddle,
    /// Somebody coordinates.
    Coordinate,
    /// What is open at the end is ended.
    CloseUp,
    /// Much breaks at once.
    Storm,
    Begin {
        node: usize,
        run: u64,
    },
    Answer {
        node: usize,
        run: u64,
        message: MessageId,
    },
    SubmitUntilDone {
        node: usize,
        run: u64,
        cause: String,
        command: Box<Command>,
    },
    Boot(usize),
    /// What runs that died left is taken over.
    Orphans {
        node: usize,
        run: u64,
    },
    Flush(usize),
    Forget {
        node: usize,
        run: u64,
        incident: IncidentId,
    },
    OrgChange,
    Crash,
    /// This run crashes, if it is still the one.
    CrashOf {
        node: usize,
        run: u64,
    },
    Jump,
    /// Somebody sets the wall clock.
    SetClock,
    /// A newer version leaves a deadline that this one does not know.
    Newer,
    Check,
}

/// See the module.
pub struct World {
    pub(crate) seed: u64,
    pub(crate) dice: Dice,
    /// Throws about coordination come from here, so that they shift no other throw.
    pub(crate) side: Dice,
    /// Of what surrounds the program: its machine's clock, other versions.
    pub(crate) around: Dice,
    /// Deadlines of a newer version that lie in the store.
    pub(crate) newer: usize,
    pub(crate) now: Timestamp,
    pub(crate) clock: Arc<SimClock>,
    pub(crate) db: Db,
    pub(crate) nodes: Vec<Node>,
    pub(crate) shared: bool,
    pub(crate) agenda: BTreeMap<(Timestamp, u64), Task>,
    pub(crate) planned: u64,
    pub(crate) runs: u64,
    pub(crate) org: Arc<Org>,
    pub(crate) monitors: Vec<Monitor>,
    pub(crate) requests: Vec<std::collections::VecDeque<Request>>,
    pub(crate) oracle: Oracle,
    pub(crate) truth: BTreeMap<MessageId, Truth>,
    /// What was accepted, by integration and name.
    pub(crate) conditions: BTreeMap<(usize, String), Accepted>,
    /// Incidents declared under an idempotency key.
    pub(crate) once: BTreeMap<String, IncidentId>,
    /// When nodes started.
    pub(crate) starts: Vec<Timestamp>,
    /// When nodes crashed.
    pub(crate) crashed: Vec<Timestamp>,
    /// A command that is given may be overtaken by one that was given with it.
    pub(crate) stale: bool,
    pub(crate) at_once: usize,
    /// Sends in trouble, of a thousand.
    pub(crate) trouble: u64,
    /// Commands that meet a failing commit, of a thousand.
    pub(crate) faults: u64,
    /// Crashes at commits, of a thousand commands.
    pub(crate) crashes: u64,
    pub(crate) draining: bool,
    pub(crate) keys_given: u64,
    pub(crate) reached: Reached,
    pub(crate) trace: Option<Vec<String>>,
    pub(crate) failure: Option<Failure>,
    /// The machine has run without a gap since.
    pub(crate) steady_since: Timestamp,
}

impl World {
    pub(crate) fn new(seed: u64, trace: bool) -> Self {
        let mut dice = Dice::new(seed.wrapping_mul(0x9e37_79b9).wrapping_add(17));
        let now = after(Timestamp::from_second(START_S).unwrap_or(Timestamp::UNIX_EPOCH), Length::from_mins(dice.below(60 * 24 * 30)));
        let clock = Arc::new(SimClock::starting(now));
        let db = Db::open_inline(MIGRATIONS).expect("a store in memory opens");
        let mut side = Dice::new(seed.wrapping_mul(0x2545_f491).wrapping_add(29));
        let mut bundle = orgs::organisation(&mut dice, now);
        orgs::coordinated(&mut side, &mut bundle);
        crate::many::furnish(seed, &mut bundle);
        let org = Arc::new(Org::build(1, bundle, WAYS_OUT));
        let monitors = (0..dice.between(3, 9)).map(|n| Monitor::new(&mut dice, n)).collect::<Vec<_>>();
        let shared = dice.chance(250);
        let calm = dice.chance(250);
        let mut world = Self {
            seed,
            now,
            clock,
            db,
            nodes: Vec::new(),
            shared,
            agenda: BTreeMap::new(),
            planned: 0,
            runs: 0,
            oracle: Oracle::new(org.clone()),
            org,
            requests: vec![Default::default(); orgs::INTEGRATIONS.len()],
            truth: BTreeMap::new(),
            conditions: BTreeMap::new(),
            once: BTreeMap::new(),
            starts: Vec::new(),
            crashed: Vec::new(),
            stale: false,
            at_once: usize::try_from(*dice.pick(&[1, 2, 8, 64])).unwrap_or(8),
            trouble: *dice.pick(&[0, 100, 300, 700]),
            faults: if calm { 0 } else { *dice.pick(&[0, 20, 60]) },
            crashes: if calm { 0 } else { *dice.pick(&[0, 5, 20]) },
            draining: false,
            keys_given: 0,
            reached: Reached::new(),
            trace: trace.then(Vec::new),
            failure: None,
            steady_since: now,
            monitors: Vec::new(),
            dice,
            side,
            around: Dice::new(seed.wrapping_mul(0x9e37_79b1).wrapping_add(31)),
            newer: 0,
        };
        let nodes = if shared { 2 } else { 1 };
        if shared {
            // As on PostgreSQL: the store itself refuses a second open alert of a condition.
            block_on(world.db.commit(vec![allclear_store::schema::one_open_alert_per_condition()]))
                .expect("a store in memory takes an index");
        }
        for node in 0..nodes {
            world.nodes.push(Node {
                id: NodeId::from_bits(0),
                run: 0,
                alive: false,
                decider: None,
                outbox: Outbox::new(NodeId::from_bits(0), world.at_once),
                weather: Arc::default(),
                look_not_before: now,
            });
            world.boot(node);
        }
        for n in 0..monitors.len() {
            let wait = world.dice.below(600);
            world.plan(after(now, Length::from_secs(wait)), Task::Tick(n));
        }
        world.monitors = monitors;
        world.plan_later(600, 3_000, Task::Meddle);
        world.plan_later(1_800, 9_000, Task::OrgChange);
        world.plan_coordination();
        world.plan_storm();
        if !calm {
            world.plan_later(3_000, 20_000, Task::Jump);
            if world.crashes > 0 {
                world.plan_later(600, 6_000, Task::Crash);
            }
        }
        world.plan_later(600, 900, Task::Check);
        world.plan_surroundings();
        world
    }

    pub(crate) fn plan(&mut self, at: Timestamp, task: Task) {
        self.planned += 1;
        self.agenda.insert((at.max(self.now), self.planned), task);
    }

    pub(crate) fn plan_later(&mut self, low_s: u64, high_s: u64, task: Task) {
        let wait = self.dice.between(low_s, high_s);
        self.plan(after(self.now, Length::from_secs(wait)), task);
    }

    pub(crate) fn plan_storm(&mut self) {
        let wait = self.side.between(STORM_S.0, STORM_S.1);
        self.plan(after(self.now, Length::from_secs(wait)), Task::Storm);
    }

    pub(crate) fn plan_coordination(&mut self) {
        let wait = self.side.between(COORDINATION_S.0, COORDINATION_S.1);
        // Where much goes on at once people are quicker.
        let wait = if crate::many::is_here(self.seed) { wait / QUICKER } else { wait };
        self.plan(after(self.now, Length::from_secs(wait)), Task::Coordinate);
    }

    pub(crate) fn say(&mut self, text: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{} {}", self.now, text()));
        }
    }

    pub(crate) fn reached(&mut self, point: &'static str) {
        *self.reached.entry(point).or_default() += 1;
    }

    pub(crate) fn fail(&mut self, invariant: &'static str, what: String) {
        self.say(|| format!("VIOLATED {invariant}: {what}"));
        if self.failure.is_none() {
            self.failure = Some(Failure { seed: self.seed, invariant, what, trace: Vec::new() });
        }
    }

    pub(crate) fn boot(&mut self, node: usize) {
        self.runs += 1;
        self.starts.push(self.now);
        let seed = self.dice.number();
        let weather = Arc::new(Mutex::new(Weather::default()));
        let hook = weather.clone();
        let db = self.db.clone().with_faults(Arc::new(move |writes| {
            let mut weather = hook.lock().unwrap_or_else(PoisonError::into_inner);
            weather.meet(!writes.is_empty())
        }));
        let id = NodeId::from_bits(IdGen::new(seed).next(self.now));
        let setup = Setup { node: id, booted_at: self.now, shared: self.shared, quarantined: false, seed: seed.rotate_left(17) };
        let mut decider = Decider::new(Core::new(setup, self.org.clone()), db, ports(self.clock.clone(), seed.rotate_left(5)));
        block_on(decider.fill()).expect("a store in memory answers");
        let outbox = Outbox::new(id, self.at_once);
        decider.core_mut().gather(outbox.windows.clone());
        self.nodes[node] = Node { id, run: self.runs, alive: true, decider: Some(decider), outbox, weather, look_not_before: self.now };
        self.say(|| format!("node {node} starts as {id}"));
        self.plan(after(self.now, Length::from_secs(15)), Task::Flush(node));
        // The loops start beside the first commands: a page may end before its messages are read.
        if self.dice.chance(400) {
            self.read_due_messages(node);
        } else {
            let wait = Length::from_secs(self.dice.between(1, 300));
            self.plan(after(self.now, wait), Task::Orphans { node, run: self.runs });
        }
    }

    pub(crate) fn crash(&mut self, node: usize) {
        self.say(|| format!("node {node} crashes"));
        self.crashed.push(self.now);
        self.forget_outbox(node);
        self.nodes[node].alive = false;
        self.nodes[node].decider = None;
        let down = match self.dice.below(6) {
            0 => self.dice.between(600, 7_200),
            1 => 0,
            _ => self.dice.between(1, 90),
        };
        self.steady_since = after(self.now, Length::from_secs(down));
        self.plan(after(self.now, Length::from_secs(down)), Task::Boot(node));
    }

    /// A node that runs, if any.
    pub(crate) fn any_node(&mut self) -> Option<usize> {
        let alive: Vec<usize> = (0..self.nodes.len()).filter(|n| self.nodes[*n].alive).collect();
        if alive.is_empty() { None } else { Some(*self.dice.pick(&alive)) }
    }

    /// Whether a report or a withdrawal of this message waits for the store.
    pub(crate) fn is_on_the_agenda(&self, wanted: u64, id: MessageId) -> bool {
        self.agenda.values().any(|task| match task {
            Task::SubmitUntilDone { run, command, .. } if *run == wanted => match command.as_ref() {
                Command::Sent { tries, .. } => tries.iter().any(|tried| tried.message.id == id),
                Command::Withdraw { message } => *message == id,
                _ => false,
            },
            _ => false,
        })
    }

    pub(crate) fn move_to(&mut self, at: Timestamp) {
        if at > self.now {
            self.clock.pass_until(at);
            self.now = self.clock.now();
            self.check_time();
        }
    }

    /// When a node has something to do, by what the store says.
    pub(crate) fn next_due(&mut self) -> Option<Timestamp> {
        let free = self.nodes.iter().filter(|n| n.alive).map(|n| n.look_not_before).min()?;
        let look = block_on(rows::expectation::next_look(&self.db)).ok().flatten();
        let attempt = block_on(rows::message::next_attempt(&self.db)).ok().flatten();
        let landed = self.nodes.iter().filter(|n| n.alive).filter_map(|n| n.outbox.look_at).min();
        let early = self.nodes.iter().filter(|n| n.alive).filter_map(|n| n.outbox.windows.next_early()).min();
        [look, attempt, landed, early].into_iter().flatten().min().map(|at| at.max(free).max(self.now))
    }

    /// One of our own commands, once. `None`: the node crashed.
    pub(crate) fn ours(&mut self, node: usize, cause: &str, command: Command) -> Option<Result<Reply, Refusal>> {
        let input = Input { who: Principal::own(Actor::System), cause: cause.to_owned(), once: None, command };
        self.process(node, vec![input]).and_then(|mut replies| replies.pop())
    }

    /// One of our own commands, until the store has it.
    pub(crate) fn submit_until_done(&mut self, node: usize, cause: &str, command: Command) {
        let Some(reply) = self.ours(node, cause, command.clone()) else { return };
        if self.is_unavailable(&reply) {
            let at = after(self.now, Length::from_millis(500));
            let run = self.nodes[node].run;
            self.plan(at, Task::SubmitUntilDone { node, run, cause: cause.to_owned(), command: Box::new(command) });
        } else if let Command::Sent { tries, .. } = &command
            && let Some(tried) = tries.first()
        {
            self.reported(node, tried.lead);
        }
    }

    /// Writes beside the commands, in the same weather. Whether the store certainly has them; the node may have crashed.
    pub(crate) fn commit_beside_commands(&mut self, node: usize, writes: Vec<allclear_store::Write>) -> bool {
        if !self.nodes[node].alive || self.failure.is_some() {
            return false;
        }
        let db = self.in_weather(node);
        let kept = block_on(db.commit(writes)).is_ok();
        self.weather_is_over(node);
        kept
    }

    /// The store, as a node meets it now beside its commands.
    pub(crate) fn in_weather(&mut self, node: usize) -> Db {
        self.brew(node);
        let hook = self.nodes[node].weather.clone();
        self.db.clone().with_faults(Arc::new(move |writes| hook.lock().unwrap_or_else(PoisonError::into_inner).meet(!writes.is_empty())))
    }

    /// What a node met is behind it. Whether it crashed.
    pub(crate) fn weather_is_over(&mut self, node: usize) -> bool {
        let dead = {
            let mut weather = self.nodes[node].weather.lock().unwrap_or_else(PoisonError::into_inner);
            weather.strike = None;
            weather.injected = 0;
            weather.dead
        };
        if dead {
            self.crash(node);
        }
        dead
    }

    pub(crate) fn is_unavailable(&self, reply: &Result<Reply, Refusal>) -> bool {
        matches!(reply, Err(Refusal::Unavailable(_)))
    }

    /// Commands through a node's decider, with whatever its commits meet. `None`: it crashed, and
    /// nobody got an answer.
    pub(crate) fn process(&mut self, node: usize, inputs: Vec<Input>) -> Option<Vec<Result<Reply, Refusal>>> {
        if self.failure.is_some() {
            return None;
        }
        self.brew(node);
        let reuse = inputs.iter().any(|i| i.once.is_some());
        if self.trace.is_some() {
            for input in &inputs {
                let text = format!("node {node}: {} {:?}", input.cause, input.command);
                self.say(|| text);
            }
        }
        let wanted = inputs.len();
        let decider = self.nodes[node].decider.as_mut()?;
        let before = (decider.conflicts(), decider.panics());
        let tagged = inputs.into_iter().enumerate().map(|(n, input)| (input, n)).collect();
        let (done, effects) = block_on(decider.process(tagged));
        let (conflicts, panics) = (decider.conflicts() - before.0, decider.panics() - before.1);
        let (dead, injected) = {
            let mut weather = self.nodes[node].weather.lock().unwrap_or_else(PoisonError::into_inner);
            weather.strike = None;
            (weather.dead, std::mem::take(&mut weather.injected))
        };
        if panics > 0 {
            self.fail("I0 no rule panics", "a command panicked".into());
        }
        if conflicts > 0 {
            self.say(|| format!("  {conflicts} lost races"));
            self.reached("a lost race was decided again");
            if !self.shared && injected == 0 && !reuse && !self.stale {
                self.fail("I0 a node alone never loses a race", format!("{conflicts} conflicts"));
            }
        }
        if dead {
            self.crash(node);
            self.observe();
            return None;
        }
        let mut replies: Vec<(usize, Result<Reply, Refusal>)> = done.into_iter().map(|d| (d.tag, d.reply)).collect();
        replies.sort_by_key(|(tag, _)| *tag);
        if replies.len() != wanted {
            self.fail("I0 every command is answered", format!("{} of {wanted} answers", replies.len()));
        }
        for (_, reply) in &replies {
            let text = shorten(&format!("{reply:?}"));
            self.say(|| format!("  answer {text}"));
            match reply {
                Err(Refusal::Unavailable(why)) if injected == 0 => {
                    let why = why.clone();
                    self.fail("I0 503 only when the store is away", why);
                }
                Err(Refusal::Unavailable(_)) => self.reached("a commit failed and the sender tried again"),
                Err(Refusal::Broken) => self.fail("I0 no rule breaks", "a command was refused as broken".into()),
                _ => {}
            }
        }
        let mut held = Vec::new();
        for effect in effects {
            for page in effect.ended {
                self.page_ended(node, page);
            }
            if !effect.send.is_empty() {
                self.take_messages(node, effect.send);
            }
            if effect.held {
                held.extend(effect.changed.iter().copied());
            }
            if self.shared {
                self.tell_what_ended(node);
                self.tell_peers(node, effect.changed);
            }
        }
        // Of one commit: what went at once for one of its commands stands for all of them.
        self.check_held(node, &held);
        self.observe();
        Some(replies.into_iter().map(|(_, reply)| reply).collect())
    }

    /// Other nodes hear of alerts that ended.
    fn tell_what_ended(&mut self, from: usize) {
        let ended = block_on(rows::alert::ended_since(&self.db, self.now, 1_000)).unwrap_or_default();
        for (n, node) in self.nodes.iter_mut().enumerate().filter(|(n, _)| *n != from) {
            debug_assert_ne!(n, from);
            if let Some(decider) = &mut node.decider {
                decider.core_mut().load_ended(ended.clone());
            }
        }
    }

    /// Other nodes hear of a change a little later, or not at all.
    fn tell_peers(&mut self, from: usize, changed: Vec<IncidentId>) {
        for incident in changed {
            for node in (0..self.nodes.len()).filter(|n| *n != from) {
                if self.dice.chance(800) {
                    let wait = self.dice.below(3_000);
                    let run = self.nodes[node].run;
                    self.plan(after(self.now, Length::from_millis(wait)), Task::Forget { node, run, incident });
                }
            }
        }
    }

    /// Decides what the commits of the next call meet.
    fn brew(&mut self, node: usize) {
        let strike = if self.draining {
            None
        } else if self.dice.chance(self.crashes) {
            let before = self.dice.chance(500);
            Some(if before { Strike::CrashBefore } else { Strike::CrashAfter })
        } else if self.dice.chance(self.faults) {
            Some(*self.dice.pick(&[Strike::Refuse, Strike::LoseAnswer, Strike::LoseAnswer, Strike::Outage]))
        } else {
            None
        };
        let nth = u32::try_from(self.dice.below(2)).unwrap_or(0);
        let mut weather = self.nodes[node].weather.lock().unwrap_or_else(PoisonError::into_inner);
        weather.strike = strike.map(|strike| (nth, strike));
        drop(weather);
        match strike {
            Some(Strike::CrashBefore) => self.reached("a crash came before the commit"),
            Some(Strike::CrashAfter) => self.reached("a crash came after the commit"),
            Some(Strike::LoseAnswer) => self.reached("a commit took effect and its answer was lost"),
            _ => {}
        }
        if let Some(strike) = strike {
            self.say(|| format!("node {node} will meet {strike:?} at its commit {nth} from now"));
        }
    }

    /// Commits of all nodes that run.
    pub(crate) fn commits(&self) -> u64 {
        self.nodes.iter().map(|n| n.weather.lock().unwrap_or_else(PoisonError::into_inner).commits).sum()
    }

    /// Rows against logs, and the chain.
    pub(crate) fn check_logs(&mut self) {
        let to = block_on(rows::event::newest_seq(&self.db)).unwrap_or(0);
        if let Err(why) = block_on(checkpoints::seal_next(&self.db, to, checkpoints::Rest::Too, self.now)) {
            self.fail("I6 the log is sealed", why.to_string());
        }
        match block_on(upkeep::verify(&self.db)) {
            Ok(verified) if verified.is_whole() => {}
            found => self.fail("I6 the record is what was written", format!("{found:?}")),
        }
    }
}

fn shorten(text: &str) -> String {
    text.chars().take(400).collect()
}
