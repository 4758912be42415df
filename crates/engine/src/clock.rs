//! Clocks: the system's, and one that can be moved for tests of the real binary.

use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use allclear_domain::time::{from_micros, to_micros, whole_micros};
use jiff::Timestamp;
use tokio::sync::watch;

use crate::ports::{BoxFuture, Clock};

/// Longest sleep before the clock is asked again: a wall clock that was set back or forth, or a
/// machine that slept, is noticed within this time.
const SLEEP_MAX: Duration = Duration::from_secs(1);

/// The system's clock, with an offset (the database's on PostgreSQL, the tests' in tests).
pub struct SystemClock {
    start: Instant,
    offset_micros: AtomicI64,
    moved: watch::Sender<u64>,
    /// The greatest instant given so far: time does not run backwards for decisions.
    latest: Mutex<Timestamp>,
}

impl Default for SystemClock {
    #[allow(clippy::disallowed_methods)] // this is the clock's edge
    fn default() -> Self {
        Self {
            start: Instant::now(),
            offset_micros: AtomicI64::new(0),
            moved: watch::channel(0).0,
            latest: Mutex::new(Timestamp::UNIX_EPOCH),
        }
    }
}

impl SystemClock {
    /// Sets how far this clock is ahead of the system's.
    pub fn set_offset_micros(&self, micros: i64) {
        self.offset_micros.store(micros, Ordering::SeqCst);
        self.moved.send_modify(|count| *count += 1);
    }

    /// How far this clock is ahead of the system's.
    pub fn offset_micros(&self) -> i64 {
        self.offset_micros.load(Ordering::SeqCst)
    }
}

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods)] // this is the clock's edge
    fn now(&self) -> Timestamp {
        let wall = to_micros(Timestamp::now()).saturating_add(self.offset_micros.load(Ordering::SeqCst));
        let now = whole_micros(from_micros(wall));
        let mut latest = self.latest.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // A small step back (NTP) is smoothed over; a large one is believed, or nothing would
        // ever be due again after a wrong date was corrected.
        if now > *latest || latest.duration_since(now).as_secs() > 5 {
            *latest = now;
        }
        *latest
    }

    #[allow(clippy::disallowed_methods)] // this is the clock's edge
    fn monotonic_ns(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX)
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
