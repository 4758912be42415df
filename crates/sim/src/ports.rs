//! The ports of a simulated node: a clock that moves only when the world moves it, randomness from
//! the seed, and no way out (the simulated outbox sends instead), plus a runtime of three lines.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use allclear_domain::ids::IdGen;
use allclear_domain::time::to_micros;
use allclear_domain::wire::{Message, Outcome, Target};
use allclear_engine::clock::{SLEW_PPM, SystemClock};
use allclear_engine::ports::{BoxFuture, Clock, Ports, Rng, Transport};
use jiff::{SignedDuration, Timestamp};

/// Random choices of one world, all from its seed.
#[derive(Debug, Clone)]
pub struct Dice(IdGen);

impl Dice {
    /// Dice whose throws are decided by `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(IdGen::new(seed))
    }
    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.0.next_u64()
    }
    /// A number below `n`; 0 where `n` is 0.
    pub fn below(&mut self, n: u64) -> u64 {
        if n == 0 { 0 } else { self.0.next_u64() % n }
    }
    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }
    /// True in `per_mille` of a thousand throws.
    pub fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }
    /// One of a list that is not empty.
    pub fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        let at = usize::try_from(self.below(list.len() as u64)).unwrap_or(0);
        &list[at]
    }
}

/// The one clock of a world: the product's own, over a machine whose wall clock somebody may set.
pub struct SimClock {
    start: Timestamp,
    machine: Arc<Machine>,
    clock: SystemClock,
}

#[derive(Debug)]
struct Machine {
    wall: AtomicI64,
    elapsed: AtomicI64,
}

impl SimClock {
    /// A clock that is right at `start`.
    #[must_use]
    pub fn starting(start: Timestamp) -> Self {
        let machine = Arc::new(Machine { wall: AtomicI64::new(to_micros(start)), elapsed: AtomicI64::new(0) });
        let (wall, elapsed) = (machine.clone(), machine.clone());
        let clock = SystemClock::reading(
            Box::new(move || wall.wall.load(Ordering::SeqCst)),
            Box::new(move || elapsed.elapsed.load(Ordering::SeqCst)),
        );
        Self { start, machine, clock }
    }

    /// Lets time pass until it shows `at`, or a microsecond more.
    pub fn pass_until(&self, at: Timestamp) {
        loop {
            let left = to_micros(at) - to_micros(self.now());
            if left <= 0 {
                return;
            }
            // While it makes up for a wall clock that is ahead it goes that much faster.
            let micros = i64::try_from(i128::from(left) * 1_000_000 / i128::from(1_000_000 + SLEW_PPM)).unwrap_or(left).max(1);
            self.machine.wall.fetch_add(micros, Ordering::SeqCst);
            self.machine.elapsed.fetch_add(micros, Ordering::SeqCst);
        }
    }

    /// Somebody sets the wall clock forth by so much; no time passes.
    pub fn set_wall_forth(&self, micros: i64) {
        self.machine.wall.fetch_add(micros, Ordering::SeqCst);
    }

    /// When it started.
    #[must_use]
    pub const fn start(&self) -> Timestamp {
        self.start
    }

    /// Microseconds that have passed since.
    #[must_use]
    pub fn elapsed(&self) -> i64 {
        self.machine.elapsed.load(Ordering::SeqCst)
    }
}

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }
    fn monotonic_ns(&self) -> u64 {
        self.clock.monotonic_ns()
    }
    fn wall_ahead(&self) -> SignedDuration {
        self.clock.wall_ahead()
    }
    fn sleep_until(&self, _at: Timestamp) -> BoxFuture<'_, ()> {
        Box::pin(std::future::pending())
    }
}

struct SeededRng(Mutex<IdGen>);

impl Rng for SeededRng {
    fn fill(&self, buffer: &mut [u8]) {
        let mut numbers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for chunk in buffer.chunks_mut(8) {
            chunk.copy_from_slice(&numbers.next_u64().to_le_bytes()[..chunk.len()]);
        }
    }
}

struct NoWayOut;

impl Transport for NoWayOut {
    fn send<'a>(&'a self, _channel: &'a str, _message: &'a Message, _target: &'a Target, _now: Timestamp) -> BoxFuture<'a, Outcome> {
        Box::pin(async { Outcome::Rejected { why: "the simulated outbox sends".into() } })
    }
}

/// The ports of one node.
#[must_use]
pub fn ports(clock: Arc<SimClock>, seed: u64) -> Ports {
    Ports {
        clock,
        rng: Arc::new(SeededRng(Mutex::new(IdGen::new(seed)))),
        transport: Arc::new(NoWayOut),
        channels: allclear_channels::registry::WAYS_OUT,
    }
}

/// Runs a future that is ready when first polled, as all are over a store run by its caller.
///
/// # Panics
/// When it is not: then something waits for a runtime, and the simulation would not replay.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a future of the simulation waited; nothing in it may"),
    }
}
