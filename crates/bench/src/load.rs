//! The load: closed loop for the highest rate, open loop for latency at a given rate.
//!
//! In a closed loop each connection sends its next request when the last was answered. In an open
//! loop every request has an intended instant, and its latency counts from there even when its
//! connection was still busy, so a stall is charged to every request it delayed (no coordinated
//! omission). The timer ticks in milliseconds, so an open loop reads up to 1 ms high, against the
//! server. One thread carries all connections.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use hdrhistogram::Histogram;
use tokio::task::LocalSet;

use crate::http::Connection;
use crate::shape::Shape;

/// How long after its end a run may still wait for answers before it is given up.
const STRAGGLERS: Duration = Duration::from_secs(60);
/// Pause after a refused or failed request, so that a closed loop does not spin on refusals.
const AFTER_REFUSAL: Duration = Duration::from_millis(2);
/// Longest latency a histogram tells apart, in microseconds: ten minutes.
const LONGEST_US: u64 = 600_000_000;
/// Significant digits of a histogram.
const DIGITS: u8 = 3;

/// When the next request is sent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pace {
    /// When the last one was answered.
    Closed,
    /// So many requests a second, whatever the answers.
    Open(f64),
}

/// When a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// After a time.
    After(Duration),
    /// After so many requests.
    Requests(u64),
}

/// One run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Where to.
    pub address: SocketAddr,
    /// What.
    pub shape: Shape,
    /// Over how many connections.
    pub connections: usize,
    /// How fast.
    pub pace: Pace,
    /// How long.
    pub stop: Stop,
    /// Number of the first alert.
    pub first: u64,
    /// Numbers begin again after so many alerts: repeats of known ones.
    pub cycle: Option<u64>,
    /// Whether the instant of each send is kept, to be paired with its arrival at the sink.
    pub stamped: bool,
}

/// What came of a run.
#[derive(Debug, Clone)]
pub struct Run {
    /// Requests answered 2xx.
    pub accepted: u64,
    /// Requests answered otherwise.
    pub refused: u64,
    /// Requests without an answer.
    pub failed: u64,
    /// Alerts in the accepted requests.
    pub alerts: u64,
    /// From the first send to the last answer.
    pub elapsed: Duration,
    /// Microseconds.
    pub latency: Histogram<u64>,
    /// Alert's number and the instant just before its request was written.
    pub stamps: Vec<(u64, Instant)>,
    /// The first refusal or failure, in words.
    pub complaint: Option<String>,
    /// The number after the last alert sent.
    pub next: u64,
}

impl Run {
    /// Accepted alerts a second.
    pub fn rate(&self) -> f64 {
        per_second(self.alerts, self.elapsed)
    }

    /// Latency at a quantile, in milliseconds.
    pub fn ms(&self, quantile: f64) -> f64 {
        at_ms(&self.latency, quantile)
    }
}

/// A count over a time.
#[allow(clippy::cast_precision_loss)] // counts here stay far below 2^52
pub fn per_second(count: u64, elapsed: Duration) -> f64 {
    count as f64 / elapsed.as_secs_f64().max(f64::EPSILON)
}

/// An empty histogram of microseconds.
pub fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LONGEST_US, DIGITS).expect("the bounds are constants that fit")
}

/// Counts a duration in a histogram of microseconds.
pub fn note(histogram: &mut Histogram<u64>, duration: Duration) {
    histogram.saturating_record(u64::try_from(duration.as_micros()).unwrap_or(LONGEST_US).max(1));
}

/// A quantile of a histogram of microseconds, in milliseconds.
#[allow(clippy::cast_precision_loss)] // at most ten minutes of microseconds
pub fn at_ms(histogram: &Histogram<u64>, quantile: f64) -> f64 {
    histogram.value_at_quantile(quantile) as f64 / 1_000.0
}

/// Runs a plan to its end.
///
/// # Errors
/// When no connection can be opened, or answers are still missing long after the end.
pub async fn run(plan: Plan) -> anyhow::Result<Run> {
    let mut connections = Vec::with_capacity(plan.connections);
    for _ in 0..plan.connections {
        let connection = Connection::open(plan.address).await;
        connections.push(connection.with_context(|| format!("connecting to {}", plan.address))?);
    }
    let longest = match plan.stop {
        Stop::After(time) => time + STRAGGLERS,
        Stop::Requests(_) => STRAGGLERS * 10,
    };
    let shared = Rc::new(Shared {
        start: Instant::now(),
        requests: Cell::new(0),
        run: RefCell::new(Run {
            accepted: 0,
            refused: 0,
            failed: 0,
            alerts: 0,
            elapsed: Duration::ZERO,
            latency: histogram(),
            stamps: Vec::new(),
            complaint: None,
            next: plan.first,
        }),
        plan,
    });
    let local = LocalSet::new();
    for connection in connections {
        local.spawn_local(send_in_turn(Rc::clone(&shared), connection));
    }
    tokio::time::timeout(longest, local).await.with_context(|| format!("answers were still missing after {longest:?}"))?;
    let mut run = shared.run.borrow().clone();
    run.next = shared.plan.first + shared.requests.get() * shared.plan.shape.batch;
    Ok(run)
}

/// What the connections of a run share; all are on one thread.
struct Shared {
    plan: Plan,
    start: Instant,
    requests: Cell<u64>,
    run: RefCell<Run>,
}

impl Shared {
    /// The index of the next request and its intended instant; `None` when the run is over.
    fn take(&self) -> Option<(u64, Option<Instant>)> {
        let index = self.requests.get();
        let intended = match self.plan.pace {
            Pace::Closed => None,
            #[allow(clippy::cast_precision_loss)] // far below 2^52 requests
            Pace::Open(rate) => Some(self.start + Duration::from_secs_f64(index as f64 / rate.max(0.001))),
        };
        let over = match self.plan.stop {
            Stop::Requests(count) => index >= count,
            Stop::After(time) => intended.map_or_else(|| self.start.elapsed(), |at| at - self.start) >= time,
        };
        if over {
            return None;
        }
        self.requests.set(index + 1);
        Some((index, intended))
    }

    fn first_alert(&self, index: u64) -> u64 {
        let alert = index * self.plan.shape.batch;
        self.plan.first + self.plan.cycle.map_or(alert, |cycle| alert % cycle.max(1))
    }
}

async fn send_in_turn(shared: Rc<Shared>, mut connection: Connection) {
    let batch = shared.plan.shape.batch;
    let mut request = shared.plan.shape.copy();
    while let Some((index, intended)) = shared.take() {
        let mut from = None;
        if let Some(at) = intended {
            if Instant::now() < at {
                tokio::time::sleep_until(at.into()).await;
            } else {
                // Its connection was busy: the wait counts as if it had been sent in time.
                from = Some(at);
            }
        }
        let first = shared.first_alert(index);
        shared.plan.shape.patch(&mut request, first);
        let written = Instant::now();
        let outcome = connection.exchange(&request).await;
        let answered = Instant::now();
        {
            let mut run = shared.run.borrow_mut();
            run.elapsed = answered - shared.start;
            match &outcome {
                Ok(200..=299) => {
                    run.accepted += 1;
                    run.alerts += batch;
                    note(&mut run.latency, answered - intended.unwrap_or(written));
                    if shared.plan.stamped {
                        let from = from.unwrap_or(written);
                        run.stamps.extend((first..first + batch).map(|number| (number, from)));
                    }
                    continue;
                }
                Ok(status) => {
                    run.refused += 1;
                    let body = String::from_utf8_lossy(connection.body()).into_owned();
                    let start: String = body.chars().take(200).collect();
                    run.complaint.get_or_insert_with(|| format!("answered {status}: {start}"));
                }
                Err(error) => {
                    run.failed += 1;
                    run.complaint.get_or_insert_with(|| format!("no answer: {error}"));
                }
            }
        }
        tokio::time::sleep(AFTER_REFUSAL).await;
        if outcome.is_err() {
            match Connection::open(shared.plan.address).await {
                Ok(fresh) => connection = fresh,
                Err(_) => return,
            }
        }
    }
}
