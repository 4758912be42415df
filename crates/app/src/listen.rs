//! Keeps the connections open over which channels hear what their vendors cannot post to us.
//!
//! One task for each channel that [listens](allclear_domain::wire::Listens) opens a connection, and another one as soon as the
//! vendor says that it is going to end it: the old one is read until it ends, so that nothing falls between them. One that broke is
//! opened again, ever later and never at the same moment as other nodes. What comes takes the path of what is posted
//! ([`allclear_api::reply`]); it is taken by its receipt when that is through.
//!
//! Every node keeps a connection of its own, and the vendor chooses over which it sends: each node answers for all, since what
//! an answer changes is in the store. In quarantine nothing is opened: a copy must not take away what is for the original.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use allclear_channels::carry::socket::Socket;
use allclear_domain::time::Length;
use allclear_domain::wire::{Envelope, Frame, Listens, NotOpened};
use allclear_engine::Engine;
use allclear_engine::watch::trouble::Trouble;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::sync::oneshot;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::transport::Carrier;

/// How long a vendor may take to say that a connection is ready.
const READY_WITHIN: Duration = Duration::from_secs(10);
/// The wait after the first connection that did not come about, and the longest: doubled each time.
const WAIT_FIRST: Duration = Duration::from_secs(1);
const WAIT_MAX: Duration = Duration::from_secs(30);
/// The wait after a refusal that only somebody's change of the settings mends, and the longest that a vendor may ask for.
const WAIT_LASTING: Duration = Duration::from_secs(60);
const WAIT_ASKED_MAX: Duration = Duration::from_secs(300);
/// A connection that lived so long was one: what broke it begins to be counted anew.
const LIVED: Duration = Duration::from_secs(30);
/// How long there may be none before it is told as a trouble: longer than a vendor's restart, shorter than anybody waits for a button.
const TOLD_AFTER: Duration = Duration::from_secs(30);
/// How long one that the vendor is going to end is read at most; it ends it within some ten seconds.
const LEAVING_MAX: Duration = Duration::from_secs(60);
/// Envelopes of one connection that are under way at once; the next waits unread.
const AT_ONCE_MAX: usize = 32;
/// Receipts that are kept, for envelopes that come again.
const RECEIPTS_MAX: usize = 64;
/// How often we look whether we may begin, in quarantine.
const QUARANTINE_EVERY: Duration = Duration::from_secs(2);
/// How long a stop waits for what is under way.
const STOP_WITHIN: Duration = Duration::from_secs(2);

/// Starts a task for each channel that listens; none where none does.
pub fn start(engine: &Engine, carrier: &Arc<Carrier>) {
    for channel in carrier.listening() {
        let listener =
            Listener { engine: engine.clone(), carrier: Arc::clone(carrier), channel, stop: engine.stopping(), receipts: Arc::default() };
        engine.tasks().spawn(listener.keep());
    }
}

/// Receipts of envelopes, oldest first: one that comes again is taken again, and nothing is done twice.
#[derive(Default)]
struct Receipts(Mutex<VecDeque<(String, String)>>);

impl Receipts {
    fn of(&self, id: &str) -> Option<String> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|(own, _)| own == id).map(|(_, receipt)| receipt.clone())
    }

    fn keep(&self, id: &str, receipt: &str) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= RECEIPTS_MAX {
            kept.pop_front();
        }
        kept.push_back((id.to_owned(), receipt.to_owned()));
    }
}

/// Why a connection is opened anew.
enum Left {
    /// The vendor is going to end it.
    Soon,
    /// It broke.
    Broke(String),
    /// The vendor opens no other.
    Refused(String),
}

/// How long to wait: half of it by chance, so that nodes that lost theirs together do not come back together; never less than was
/// asked.
fn wait_after(not: &NotOpened, tried: u32, chance: u16) -> Duration {
    let doubled = WAIT_FIRST.saturating_mul(1 << tried.saturating_sub(1).min(16)).min(WAIT_MAX);
    let asked = not.after.map_or(Duration::ZERO, |after: Length| Duration::from_millis(after.as_millis()).min(WAIT_ASKED_MAX));
    let full = asked.max(if not.is_lasting { WAIT_LASTING } else { doubled });
    let by_chance = full.mul_f64(f64::from(chance) / f64::from(u16::MAX) / 2.0);
    asked.max(full / 2) + by_chance
}

#[derive(Clone)]
struct Listener {
    engine: Engine,
    carrier: Arc<Carrier>,
    channel: &'static str,
    stop: CancellationToken,
    receipts: Arc<Receipts>,
}

impl Listener {
    /// Opens one connection after another until the program stops.
    async fn keep(self) {
        let (mut tried, mut down_since) = (0, Instant::now());
        loop {
            if !self.is_let().await {
                return;
            }
            let opened = tokio::select! {
                opened = self.open() => opened,
                () = self.stop.cancelled() => return,
            };
            let not = match opened {
                Ok(socket) => {
                    let since = Instant::now();
                    self.heard_again();
                    let (tell, left) = oneshot::channel();
                    self.engine.tasks().spawn(self.clone().read(socket, tell));
                    // A reader that ended without a word was stopped, or panicked.
                    let left = left.await.unwrap_or_else(|_| Left::Broke("it is not read any more".to_owned()));
                    // One that ends at once was hardly heard: it neither begins the count of tries anew nor that of the silence.
                    if since.elapsed() >= LIVED {
                        (tried, down_since) = (0, Instant::now());
                    }
                    match left {
                        Left::Soon if since.elapsed() >= LIVED || tried == 0 => {
                            tried += u32::from(since.elapsed() < LIVED);
                            continue;
                        }
                        Left::Soon => {
                            NotOpened { why: "the vendor ends each connection at once".to_owned(), after: None, is_lasting: false }
                        }
                        Left::Broke(why) => NotOpened { why, after: None, is_lasting: false },
                        Left::Refused(why) => NotOpened { why, after: None, is_lasting: true },
                    }
                }
                Err(not) => not,
            };
            tried += 1;
            self.not_heard(&not, down_since.elapsed());
            tokio::select! {
                () = tokio::time::sleep(self.pause(&not, tried)) => {}
                () = self.stop.cancelled() => return,
            }
        }
    }

    /// Whether we may begin: not in quarantine. `false` when the program stops.
    async fn is_let(&self) -> bool {
        while self.engine.is_quarantined() && !self.stop.is_cancelled() {
            tokio::select! {
                () = tokio::time::sleep(QUARANTINE_EVERY) => {}
                () = self.stop.cancelled() => {}
            }
        }
        !self.stop.is_cancelled()
    }

    fn listens(&self) -> Result<&dyn Listens, NotOpened> {
        let none = || NotOpened { why: "the channel keeps no connection".to_owned(), after: None, is_lasting: true };
        self.carrier.listens(self.channel).ok_or_else(none)
    }

    /// One connection, ready.
    async fn open(&self) -> Result<Socket, NotOpened> {
        use allclear_engine::ports::Transport as _;
        let listens = self.listens()?;
        let response = self.carrier.carry(listens.ask()).await;
        let address = listens.address(&response)?;
        let not = |why: String| NotOpened { why, after: None, is_lasting: false };
        let mut socket = self.carrier.open(&address).await.map_err(|why| not(why.to_string()))?;
        let ready = async {
            loop {
                match socket.next().await {
                    Ok(Some(text)) => match listens.frame(&text) {
                        Frame::Ready => return Ok(()),
                        Frame::Refused { why } => return Err(NotOpened { why, after: None, is_lasting: true }),
                        Frame::Leaving { why } => return Err(not(format!("it ends at once: {why}"))),
                        // Nothing comes before it is ready.
                        Frame::Brought(_) | Frame::Nothing => {}
                    },
                    Ok(None) => return Err(not("it was closed at once".to_owned())),
                    Err(why) => return Err(not(why.to_string())),
                }
            }
        };
        match tokio::time::timeout(READY_WITHIN, ready).await {
            Ok(ready) => ready.map(|()| socket),
            Err(_) => Err(not(format!("the vendor did not say within {} s that it is ready", READY_WITHIN.as_secs()))),
        }
    }

    fn heard_again(&self) {
        self.engine.troubles().clear(&Trouble::NotHeard(self.channel.to_owned()));
        tracing::info!(channel = self.channel, "a connection is open; what comes over it is heard");
    }

    fn not_heard(&self, not: &NotOpened, down: Duration) {
        tracing::warn!(channel = self.channel, why = %not.why, "there is no connection that is heard by; it is opened again");
        if not.is_lasting || down >= TOLD_AFTER {
            self.engine.troubles().raise(Trouble::NotHeard(self.channel.to_owned()), &not.why, self.engine.now());
        }
    }

    fn pause(&self, not: &NotOpened, tried: u32) -> Duration {
        let mut chance = [0; 2];
        self.engine.ports().rng.fill(&mut chance);
        wait_after(not, tried, u16::from_le_bytes(chance))
    }

    /// Reads a connection to its end, and tells once why another one is to be opened.
    async fn read(self, mut socket: Socket, tell: oneshot::Sender<Left>) {
        let Ok(listens) = self.listens() else { return };
        let mut tell = Some(tell);
        let mut tell_once = |left: Left| {
            if let Some(tell) = tell.take() {
                // Whoever opens them is there as long as the program is.
                let _ = tell.send(left);
            }
        };
        let mut under_way = FuturesUnordered::new();
        let mut until = None;
        let broke = loop {
            let ends = async {
                match until {
                    Some(until) => tokio::time::sleep_until(until).await,
                    None => std::future::pending().await,
                }
            };
            let came = tokio::select! {
                biased;
                () = self.stop.cancelled() => break None,
                Some(receipt) = under_way.next() => {
                    if let Err(why) = socket.say(receipt).await {
                        break Some(why.to_string());
                    }
                    continue;
                }
                () = ends => break Some("the vendor did not end it".to_owned()),
                came = socket.next(), if under_way.len() < AT_ONCE_MAX => came,
            };
            match came {
                Ok(Some(text)) => match listens.frame(&text) {
                    Frame::Brought(envelope) => under_way.push(Box::pin(self.take(listens, envelope))),
                    Frame::Leaving { why } => {
                        tracing::debug!(channel = self.channel, %why, "a connection is going to end; another one is opened");
                        until = until.or(Some(Instant::now() + LEAVING_MAX));
                        tell_once(Left::Soon);
                    }
                    Frame::Refused { why } => {
                        tell_once(Left::Refused(why.clone()));
                        break Some(why);
                    }
                    Frame::Ready | Frame::Nothing => {}
                },
                Ok(None) => break Some("the vendor closed it".to_owned()),
                Err(why) => break Some(why.to_string()),
            }
        };
        // What is under way is done all the same; its receipt is for a connection that may still be there.
        let finish = async {
            while let Some(receipt) = under_way.next().await {
                let _ = socket.say(receipt).await;
            }
        };
        if let Some(why) = broke {
            // Another one is opened meanwhile.
            tell_once(Left::Broke(why));
            let _ = tokio::time::timeout(STOP_WITHIN, finish).await;
        } else {
            let _ = tokio::time::timeout(STOP_WITHIN, finish).await;
            socket.close().await;
        }
    }

    /// Takes an envelope, and makes its receipt.
    async fn take(&self, listens: &dyn Listens, envelope: Envelope) -> String {
        if let Some(receipt) = self.receipts.of(&envelope.id) {
            return receipt;
        }
        let answer = allclear_api::reply::over_connection(&self.engine, self.channel, &envelope).await;
        let receipt = listens.taken(&envelope, answer.as_ref());
        self.receipts.keep(&envelope.id, &receipt);
        receipt
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_to_half_a_minute_and_are_never_shorter_than_was_asked() {
        let not = |after: Option<u64>, is_lasting| NotOpened { why: String::new(), after: after.map(Length::from_secs), is_lasting };
        let wait = |not: &NotOpened, tried, chance| wait_after(not, tried, chance).as_millis();
        let broke = not(None, false);
        let waits: Vec<u128> = (1..=7).map(|tried| wait(&broke, tried, u16::MAX)).collect();
        assert_eq!(waits, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
        assert_eq!((wait(&broke, 1, 0), wait(&broke, u32::MAX, 0), wait(&broke, 0, 0)), (500, 15_000, 500));
        assert_eq!((wait(&not(None, true), 1, 0), wait(&not(None, true), 9, u16::MAX)), (30_000, 60_000));
        assert_eq!(wait(&not(Some(90), false), 1, 0), 90_000, "not before its time");
        assert_eq!(wait(&not(Some(86_400), true), 1, 0), 300_000, "and no day long");
    }

    #[test]
    fn a_receipt_is_kept_for_an_envelope_that_comes_again_and_no_end_of_them() {
        let receipts = Receipts::default();
        for n in 0..=RECEIPTS_MAX {
            receipts.keep(&format!("e{n}"), &n.to_string());
        }
        assert_eq!((receipts.of("e0"), receipts.of("e1")), (None, Some("1".to_owned())));
        assert_eq!(receipts.of(&format!("e{RECEIPTS_MAX}")), Some(RECEIPTS_MAX.to_string()));
    }
}
