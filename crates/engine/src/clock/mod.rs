//! The system's clock: it goes by elapsed time, and takes from the wall clock only what it may.
//!
//! Deadlines are instants. Were they read off the wall clock, setting it back by an hour would make every step an
//! hour late, and setting it forth would skip whole escalations. So this clock is set by the wall clock once, at the
//! start; from there it adds the time that has passed since, also while the machine slept. What it is off by then is
//! made up for slowly ([`SLEW_PPM`]); a jump is told (`watch`), and followed when no incident is open
//! ([`Clock::follow_wall`]). The decision is in `docs/adr/0021-elapsed-time.md`.
//!
//! Deliberately not here: what time the database has, which is added as an offset, and who is told of a jump.

pub(crate) mod set_back;

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use allclear_domain::time::{from_micros, to_micros, whole_micros};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

use crate::ports::{BoxFuture, Clock};

/// Longest sleep before the clock is asked again: a machine that slept is noticed within this time.
const SLEEP_MAX: Duration = Duration::from_secs(1);
/// How fast a difference from the wall clock is made up for, in millionths of the time that passes: what NTP's
/// daemons and `adjtime` use at most (RFC 5905, 500 ppm). A step of five minutes is off by 150 ms then.
pub const SLEW_PPM: i64 = 500;
/// A difference of this much is a jump, told and not followed at once. Below it lie leap seconds and the steps with
/// which NTP corrects a machine's drift (`chrony`'s usual `makestep 1.0`).
pub const JUMP_MIN: SignedDuration = SignedDuration::from_secs(5);
/// A millionth.
const MILLION: i64 = 1_000_000;

/// Gives microseconds.
pub type Reading = Box<dyn Fn() -> i64 + Send + Sync>;

/// The system's clock, with an offset (the database's on PostgreSQL, the tests' in tests).
pub struct SystemClock {
    wall: Reading,
    elapsed: Reading,
    offset_micros: AtomicI64,
    /// How far tests have set the wall clock forth.
    wall_set_micros: AtomicI64,
    moved: watch::Sender<u64>,
    kept: Mutex<Kept>,
}

/// What the clock has come to.
#[derive(Debug)]
struct Kept {
    /// The instant in microseconds, without the offset.
    micros: i64,
    /// Elapsed time at its reading.
    elapsed: i64,
    /// By how much the wall clock is right though it differs.
    forgiven: i64,
    /// Of a slew: millionths of a microsecond that are allowed and too few to be used yet.
    rest: i64,
    /// The greatest instant given so far: time does not run backwards for decisions.
    latest: Timestamp,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::reading(Box::new(wall_micros), Box::new(elapsed_micros()))
    }
}

#[allow(clippy::disallowed_methods)] // this is the clock's edge
fn wall_micros() -> i64 {
    to_micros(Timestamp::now())
}

/// Time since the machine started, in which its sleep counts.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn elapsed_micros() -> impl Fn() -> i64 + Send + Sync {
    || {
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        now.tv_sec.saturating_mul(MILLION).saturating_add(now.tv_nsec / 1_000)
    }
}

/// Time since the program started; what the machine slept of it may be missing.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
#[allow(clippy::disallowed_methods)] // this is the clock's edge
fn elapsed_micros() -> impl Fn() -> i64 + Send + Sync {
    let start = std::time::Instant::now();
    move || i64::try_from(start.elapsed().as_micros()).unwrap_or(i64::MAX)
}

impl SystemClock {
    /// A clock over these two, each in microseconds: the machine's, or a world's that is simulated.
    pub fn reading(wall: Reading, elapsed: Reading) -> Self {
        let kept = Kept { micros: wall(), elapsed: elapsed(), forgiven: 0, rest: 0, latest: Timestamp::UNIX_EPOCH };
        Self {
            wall,
            elapsed,
            offset_micros: AtomicI64::new(0),
            wall_set_micros: AtomicI64::new(0),
            moved: watch::channel(0).0,
            kept: Mutex::new(kept),
        }
    }

    /// Sets how far this clock is ahead of the system's.
    pub fn set_offset_micros(&self, micros: i64) {
        self.offset_micros.store(micros, Ordering::SeqCst);
        self.moved.send_modify(|count| *count += 1);
    }

    /// How far this clock is ahead of the system's.
    pub fn offset_micros(&self) -> i64 {
        self.offset_micros.load(Ordering::SeqCst)
    }

    /// The system's wall clock is set forth by so much, as an operator would, and no time has passed: for tests.
    pub fn set_wall_forth(&self, micros: i64) {
        self.wall_set_micros.fetch_add(micros, Ordering::SeqCst);
    }

    fn wall(&self) -> i64 {
        (self.wall)().saturating_add(self.wall_set_micros.load(Ordering::SeqCst))
    }

    /// Adds what has passed since the last reading; gives by how much the wall clock is ahead.
    fn go_on(&self, kept: &mut Kept) -> i64 {
        if allclear_domain::plants::planted("clock-follows-wall") {
            kept.micros = self.wall();
            return 0;
        }
        let elapsed = (self.elapsed)();
        let passed = elapsed.saturating_sub(kept.elapsed).max(0);
        kept.elapsed = elapsed.max(kept.elapsed);
        kept.micros = kept.micros.saturating_add(passed);
        let ahead = self.wall().saturating_sub(kept.micros).saturating_sub(kept.forgiven);
        let allowed = passed.saturating_mul(SLEW_PPM).saturating_add(kept.rest);
        let slewed = ahead.clamp(-(allowed / MILLION), allowed / MILLION);
        // Only what is too little to be used is kept: a year without a difference saves up nothing.
        kept.rest = allowed % MILLION;
        kept.micros = kept.micros.saturating_add(slewed);
        ahead - slewed
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        self.go_on(&mut kept);
        let now = whole_micros(from_micros(kept.micros.saturating_add(self.offset_micros.load(Ordering::SeqCst))));
        // The database's clock may be a little behind what we took it for: that is smoothed over. A large step back
        // is an offset that was set on purpose.
        if now > kept.latest || kept.latest.duration_since(now) > JUMP_MIN {
            kept.latest = now;
        }
        kept.latest
    }

    fn monotonic_ns(&self) -> u64 {
        u64::try_from((self.elapsed)()).unwrap_or(0).saturating_mul(1_000)
    }

    fn wall_ahead(&self) -> SignedDuration {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        SignedDuration::from_micros(self.go_on(&mut kept))
    }

    fn follow_wall(&self) {
        {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            self.go_on(&mut kept);
            kept.micros = self.wall();
            kept.forgiven = 0;
            kept.latest = Timestamp::UNIX_EPOCH;
        }
        self.moved.send_modify(|count| *count += 1);
    }

    fn forgive_wall(&self) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let ahead = self.go_on(&mut kept);
        kept.forgiven += ahead;
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let mut moved = self.moved.subscribe();
            loop {
                let left = at.duration_since(self.now());
                if left.is_negative() || left.is_zero() {
                    return;
                }
                let nap = Duration::try_from(left).unwrap_or(SLEEP_MAX).min(SLEEP_MAX);
                tokio::select! {
                    () = tokio::time::sleep(nap) => {}
                    _ = moved.changed() => return,
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    const SECOND: i64 = MILLION;
    const HOUR: i64 = 3_600 * SECOND;
    const START: i64 = 1_790_000_000 * SECOND;

    /// A machine whose wall clock and elapsed time are set by hand.
    #[derive(Default)]
    struct Machine {
        wall: AtomicI64,
        elapsed: AtomicI64,
    }

    impl Machine {
        fn new() -> (Arc<Self>, SystemClock) {
            let machine = Arc::new(Self { wall: AtomicI64::new(START), elapsed: AtomicI64::new(0) });
            let (wall, elapsed) = (machine.clone(), machine.clone());
            let clock = SystemClock::reading(
                Box::new(move || wall.wall.load(Ordering::SeqCst)),
                Box::new(move || elapsed.elapsed.load(Ordering::SeqCst)),
            );
            (machine, clock)
        }
        fn pass(&self, micros: i64) {
            self.wall.fetch_add(micros, Ordering::SeqCst);
            self.elapsed.fetch_add(micros, Ordering::SeqCst);
        }
        fn set_forth(&self, micros: i64) {
            self.wall.fetch_add(micros, Ordering::SeqCst);
        }
    }

    fn micros_since_start(clock: &SystemClock) -> i64 {
        to_micros(clock.now()) - START
    }

    #[test]
    fn time_goes_by_what_has_passed_wherever_the_wall_clock_jumps() {
        for jump in [-HOUR, HOUR, -365 * 24 * HOUR, -10 * SECOND, 10 * SECOND] {
            let (machine, clock) = Machine::new();
            machine.pass(5 * SECOND);
            machine.set_forth(jump);
            assert_eq!(micros_since_start(&clock), 5 * SECOND + jump.signum() * 2_500, "at most 500 ppm of five seconds");
            machine.pass(15 * SECOND);
            let off = micros_since_start(&clock) - 20 * SECOND;
            assert_eq!(off, jump.signum() * 10_000, "20 s are 20 s and 10 ms after a jump of {jump}");
            assert_eq!(clock.wall_ahead().as_micros(), i128::from(jump - off), "what is left of it is told");
        }
    }

    #[test]
    fn a_clock_that_is_read_all_the_time_slews_as_fast_as_one_that_is_read_seldom() {
        let (machine, clock) = Machine::new();
        machine.set_forth(HOUR);
        for _ in 0..20_000 {
            machine.pass(50);
            clock.now();
        }
        assert_eq!(micros_since_start(&clock), SECOND + 500);
    }

    #[test]
    fn a_quiet_year_saves_up_nothing_for_a_jump() {
        let (machine, clock) = Machine::new();
        machine.pass(365 * 24 * HOUR);
        clock.now();
        machine.set_forth(HOUR);
        machine.pass(SECOND);
        assert_eq!(micros_since_start(&clock), 365 * 24 * HOUR + SECOND + 500);
    }

    #[test]
    fn sleep_counts_since_the_machine_counts_it() {
        let (machine, clock) = Machine::new();
        machine.pass(8 * HOUR);
        assert_eq!((micros_since_start(&clock), clock.wall_ahead()), (8 * HOUR, SignedDuration::ZERO));
    }

    #[test]
    fn a_jump_is_followed_when_that_is_asked_for() {
        let (machine, clock) = Machine::new();
        machine.pass(SECOND);
        clock.now();
        machine.set_forth(-HOUR);
        assert_eq!(clock.wall_ahead(), SignedDuration::from_hours(-1));
        clock.follow_wall();
        assert_eq!((micros_since_start(&clock), clock.wall_ahead()), (SECOND - HOUR, SignedDuration::ZERO));
    }

    #[test]
    fn a_wall_clock_that_nothing_goes_by_is_forgiven() {
        let (machine, clock) = Machine::new();
        machine.set_forth(-HOUR);
        clock.forgive_wall();
        machine.pass(HOUR);
        assert_eq!((micros_since_start(&clock), clock.wall_ahead()), (HOUR, SignedDuration::ZERO));
        machine.set_forth(HOUR);
        assert_eq!(clock.wall_ahead(), SignedDuration::from_hours(1));
    }

    #[test]
    fn the_system_has_both_clocks() {
        let clock = SystemClock::default();
        assert!(clock.now().duration_since(from_micros(wall_micros())).abs() < SignedDuration::from_secs(1));
        assert!(clock.monotonic_ns() > 0 && clock.wall_ahead().abs() < SignedDuration::from_secs(1));
    }
}
