//! Points at which the process kills itself, for the kill loop: `ALLCLEAR_FAILPOINT` is
//! `before_commit:N`, `after_commit:N`, `before_send:N`, `after_send:N` (the N-th such point, from
//! 1), or `random:SEED:RATE` (each point with this probability, the same for the same seed).
//!
//! Release builds lack this module.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use allclear_domain::ids::IdGen;
use allclear_domain::wire::{Message, Outcome, Replies, Request, Response, Retired, Target};
use allclear_engine::ports::{BoxFuture, Transport};
use allclear_store::{CommitPoint, Db};
use jiff::Timestamp;

/// Where a process may die.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Point {
    BeforeCommit,
    AfterCommit,
    BeforeSend,
    AfterSend,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum When {
    Nth(Point, u64),
    /// A seed, and how many of 2^53 points kill.
    Random(u64, u64),
}

/// When to die.
#[derive(Debug)]
pub struct Failpoint {
    when: When,
    reached: AtomicU64,
}

/// 2^53: a probability as a whole number without loss.
const WHOLE: f64 = 9_007_199_254_740_992.0;

impl Failpoint {
    /// Reads the variable's text.
    ///
    /// # Errors
    /// In words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let bad = || {
            format!(
                "ALLCLEAR_FAILPOINT `{text}` is none; write `before_commit:17`, `after_commit:17`, `before_send:1`, `after_send:1` or `random:SEED:RATE`"
            )
        };
        let (name, rest) = text.split_once(':').ok_or_else(bad)?;
        let point = match name {
            "before_commit" => Some(Point::BeforeCommit),
            "after_commit" => Some(Point::AfterCommit),
            "before_send" => Some(Point::BeforeSend),
            "after_send" => Some(Point::AfterSend),
            "random" => None,
            _ => return Err(bad()),
        };
        let when = match point {
            Some(point) => When::Nth(point, rest.parse().ok().filter(|n| *n > 0).ok_or_else(bad)?),
            None => {
                let (seed, rate) = rest.split_once(':').ok_or_else(bad)?;
                let rate: f64 = rate.parse().ok().filter(|rate| (0.0..=1.0).contains(rate)).ok_or_else(bad)?;
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // at most 2^53
                When::Random(seed.parse().map_err(|_| bad())?, (rate * WHOLE) as u64)
            }
        };
        Ok(Self { when, reached: AtomicU64::new(0) })
    }

    fn dies_at(&self, point: Point) -> bool {
        match self.when {
            When::Nth(at, n) => at == point && self.reached.fetch_add(1, Ordering::SeqCst) + 1 == n,
            When::Random(seed, rate) => {
                let count = self.reached.fetch_add(1, Ordering::SeqCst);
                IdGen::new(seed ^ count.wrapping_mul(0x9e37_79b9_7f4a_7c15)).next_u64() >> 11 < rate
            }
        }
    }

    fn reach(&self, point: Point) {
        if self.dies_at(point) {
            // Nothing may be tidied up: the signal that cannot be caught.
            let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
            loop {
                std::thread::park();
            }
        }
    }

    /// Dies at this store's commits.
    pub fn watch(self: &Arc<Self>, db: &Db) {
        let failpoint = Arc::clone(self);
        db.on_commit(Some(Box::new(move |point| {
            failpoint.reach(match point {
                CommitPoint::BeforeCommit => Point::BeforeCommit,
                CommitPoint::AfterCommit => Point::AfterCommit,
            });
        })));
    }

    /// Dies around this transport's sends.
    pub fn wrap(self: &Arc<Self>, inner: Arc<dyn Transport>) -> Arc<dyn Transport> {
        Arc::new(Deadly { failpoint: Arc::clone(self), inner })
    }
}

struct Deadly {
    failpoint: Arc<Failpoint>,
    inner: Arc<dyn Transport>,
}

impl Transport for Deadly {
    fn send<'a>(&'a self, channel: &'a str, message: &'a Message, target: &'a Target, now: Timestamp) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            self.failpoint.reach(Point::BeforeSend);
            let outcome = self.inner.send(channel, message, target, now).await;
            self.failpoint.reach(Point::AfterSend);
            outcome
        })
    }

    fn replies(&self, channel: &str) -> Option<&dyn Replies> {
        self.inner.replies(channel)
    }

    fn lacks(&self, channel: &str) -> Option<&'static str> {
        self.inner.lacks(channel)
    }

    fn retires(&self, channel: &str) -> bool {
        self.inner.retires(channel)
    }

    fn retire(&self, channel: &str, sent: &Retired<'_>) -> Option<Request> {
        self.inner.retire(channel, sent)
    }

    fn carry(&self, request: Request) -> BoxFuture<'_, Response> {
        self.inner.carry(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nth_point_of_its_kind_and_no_other() {
        let failpoint = Failpoint::parse("after_commit:2").unwrap();
        let points = [Point::BeforeCommit, Point::AfterCommit, Point::BeforeSend, Point::AfterCommit, Point::AfterCommit];
        assert_eq!(points.map(|point| failpoint.dies_at(point)), [false, false, false, true, false]);
        for bad in ["", "after_commit", "after_commit:0", "somewhere:1", "random:1", "random:1:2", "random:x:0.1"] {
            assert!(Failpoint::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn random_is_the_same_for_the_same_seed_and_about_as_often_as_asked() {
        let deaths = |text: &str| {
            let failpoint = Failpoint::parse(text).unwrap();
            (0..10_000).map(|_| failpoint.dies_at(Point::AfterSend)).collect::<Vec<_>>()
        };
        assert_eq!(deaths("random:7:0.1"), deaths("random:7:0.1"));
        assert_ne!(deaths("random:7:0.1"), deaths("random:8:0.1"));
        let many = deaths("random:7:0.1").into_iter().filter(|dies| *dies).count();
        assert!((800..1200).contains(&many), "{many}");
        assert!(deaths("random:7:0").iter().all(|dies| !dies));
    }
}
