//! The ports: time, randomness, and the way to providers. Everything else in the engine is the same
//! in production, in tests and in the simulator.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use allclear_domain::channel::WaysOut;
use allclear_domain::wire::{Fetch, Fetched, Message, Outcome, Replies, Request, Response, Retired, Target};
use jiff::{SignedDuration, Timestamp};

use crate::watch::trouble::Alarm;

/// A future that may cross threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The one clock.
pub trait Clock: Send + Sync {
    /// The instant by which decisions are made, cut to microseconds.
    fn now(&self) -> Timestamp;
    /// Nanoseconds on a clock that never jumps, for the age of claims.
    fn monotonic_ns(&self) -> u64;
    /// By how much the wall clock is ahead of this one: nothing where it is the wall clock itself.
    fn wall_ahead(&self) -> SignedDuration {
        SignedDuration::ZERO
    }
    /// Takes the wall clock's time at once, whatever jump that is.
    fn follow_wall(&self) {}
    /// Goes on as it does, and takes the wall clock as it is now for right.
    fn forgive_wall(&self) {}
    /// Returns when `at` has come on this clock, or the clock was moved.
    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'_, ()>;
}

/// Randomness that may not be guessed.
pub trait Rng: Send + Sync {
    /// Fills the buffer.
    fn fill(&self, buffer: &mut [u8]);
}

/// Carries one message to one target over one channel: renders, sends, and judges the answer.
pub trait Transport: Send + Sync {
    /// One try; `now` is its instant.
    fn send<'a>(&'a self, channel: &'a str, message: &'a Message, target: &'a Target, now: Timestamp) -> BoxFuture<'a, Outcome>;
    /// How what comes back over a channel is read, where it hears anything.
    fn replies(&self, _channel: &str) -> Option<&dyn Replies> {
        None
    }
    /// The setting without which nothing is sent over a channel, where that is missing.
    fn lacks(&self, _channel: &str) -> Option<&'static str> {
        None
    }
    /// What a browser has to know before it gives an address of a channel.
    fn public_key(&self, _channel: &str) -> Option<&str> {
        None
    }
    /// Whether messages of a channel can be shown as done where they went.
    fn retires(&self, _channel: &str) -> bool {
        false
    }
    /// What is asked so that one is.
    fn retire(&self, _channel: &str, _sent: &Retired<'_>) -> Option<Request> {
        None
    }
    /// Reads a text that others keep, once.
    fn fetch(&self, _ask: Fetch) -> BoxFuture<'_, Fetched> {
        Box::pin(std::future::ready(Fetched::Failed { why: "nothing is read from elsewhere here".to_owned() }))
    }
    /// Carries a request that is no message: nothing depends on how it ends.
    fn carry(&self, _request: Request) -> BoxFuture<'_, Response> {
        Box::pin(std::future::ready(Response::Failed { why: "nothing is carried here".to_owned(), maybe_arrived: false, permanent: true }))
    }
}

/// Tells whoever runs the program, by other means than people are paged by.
pub trait OperatorAlarm: Send + Sync {
    /// The addresses, as they may be shown.
    fn addresses(&self) -> Vec<String>;
    /// One try to tell one of them, within a deadline of its own.
    fn tell<'a>(&'a self, address: usize, alarm: &'a Alarm) -> BoxFuture<'a, Result<(), String>>;
    /// Says to a watch outside that paging works, within a deadline of its own; nothing where there is none.
    fn beat(&self) -> Option<BoxFuture<'_, Result<(), String>>>;
}

/// The ports together.
#[derive(Clone)]
pub struct Ports {
    pub clock: Arc<dyn Clock>,
    pub rng: Arc<dyn Rng>,
    pub transport: Arc<dyn Transport>,
    /// What that transport speaks, each as it describes itself.
    pub channels: WaysOut,
}

/// The operating system's randomness.
#[derive(Debug, Default)]
pub struct SystemRng;

impl Rng for SystemRng {
    fn fill(&self, buffer: &mut [u8]) {
        getrandom::fill(buffer).expect("the operating system gives random bytes");
    }
}
