//! What a connection is doing, and how long it may: below the protocol, by bytes and requests.
//!
//! [`Watched`] sits around the socket and looks, whenever it has to wait for bytes, how long that
//! may last: until the head of a request is complete, or until the next request begins. While a
//! request is being answered it does not limit reading: the body has its own deadline. There is
//! one timer a connection, moved only when it fires or must fire earlier, so that a busy
//! connection pays next to nothing.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::task::AtomicWaker;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

use super::Limits;

/// What a connection does that could leave, in the order in which they are asked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Spare {
    /// It waits for its next request since then.
    Idle(Instant),
    /// The head of a request has been awaited since then.
    Head(Instant),
}

/// The beginning of every HTTP/2 connection (RFC 9113 §3.4), as far as no HTTP/1 method shares it.
const HTTP2_BEGINS: &[u8; 3] = b"PRI";
/// A write of more than this is no answer to a ping and no acknowledgement of settings, 17 and 9 bytes (RFC 9113 §6.5,
/// §6.7): something of an answer gets on.
const CONTROL_BYTES: usize = 64;

/// What a connection is doing; shared by its socket and its requests.
pub struct ConnectionState {
    began: Instant,
    header: Duration,
    idle: Duration,
    write: Duration,
    pub(super) body: Duration,
    is_http2: AtomicBool,
    /// Requests being answered, their answers' bodies included.
    active: AtomicU32,
    /// Whether bytes of a head have come that is not complete.
    in_head: AtomicBool,
    /// Since when, in microseconds after `began`.
    since: AtomicU64,
    /// Answers of which the other side has to take something before they get on.
    owed: AtomicU32,
    /// When an answer got on last, in microseconds after `began`.
    got_on: AtomicU64,
    /// Whether a body came too late.
    pub(super) late_body: AtomicBool,
    /// Who reads while requests are being answered: once they are, its time begins to run.
    reader: AtomicWaker,
}

impl ConnectionState {
    pub fn new(limits: &Limits) -> Self {
        Self {
            began: Instant::now(),
            header: limits.header,
            idle: limits.idle,
            write: limits.write,
            body: limits.body,
            is_http2: AtomicBool::new(false),
            active: AtomicU32::new(0),
            // The first byte has as long as a head.
            in_head: AtomicBool::new(true),
            since: AtomicU64::new(0),
            owed: AtomicU32::new(0),
            got_on: AtomicU64::new(0),
            late_body: AtomicBool::new(false),
            reader: AtomicWaker::new(),
        }
    }

    fn elapsed_micros(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    fn instant(&self, micros: &AtomicU64) -> Instant {
        self.began + Duration::from_micros(micros.load(Ordering::Acquire))
    }

    fn mark(&self, in_head: bool) {
        self.in_head.store(in_head, Ordering::Release);
        self.since.store(self.elapsed_micros(), Ordering::Release);
    }

    /// Until when more bytes may be waited for; `None` while a request is being answered and its reader reads.
    fn deadline(&self) -> Option<Instant> {
        if self.active.load(Ordering::Acquire) > 0 {
            let stuck = self.is_http2.load(Ordering::Acquire) && self.owed.load(Ordering::Acquire) > 0;
            return stuck.then(|| self.instant(&self.got_on) + self.write);
        }
        Some(self.instant(&self.since) + if self.in_head.load(Ordering::Acquire) { self.header } else { self.idle })
    }

    /// Whether a request is under way.
    pub fn is_busy(&self) -> bool {
        self.active.load(Ordering::Acquire) > 0
    }

    /// Since when it has been doing nothing that would be missed.
    pub fn spare(&self) -> Option<Spare> {
        if self.is_busy() {
            return None;
        }
        let since = self.instant(&self.since);
        Some(if self.in_head.load(Ordering::Acquire) { Spare::Head(since) } else { Spare::Idle(since) })
    }

    /// An answer got on.
    pub(super) fn gets_on(&self) {
        self.got_on.store(self.elapsed_micros(), Ordering::Release);
    }

    /// The other side has to take something of an answer.
    pub(super) fn owes(&self) {
        self.gets_on();
        if self.owed.fetch_add(1, Ordering::AcqRel) == 0 && self.is_http2.load(Ordering::Acquire) {
            // Whoever waits for bytes waited without a limit until now.
            self.reader.wake();
        }
    }

    /// It took it, or the answer is over.
    pub(super) fn owes_no_more(&self) {
        self.owed.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A request that is being answered; dropped with the last byte of its answer.
pub struct Asked(Arc<ConnectionState>);

impl Asked {
    pub fn new(pulse: Arc<ConnectionState>) -> Self {
        pulse.active.fetch_add(1, Ordering::AcqRel);
        Self(pulse)
    }

    pub fn pulse(&self) -> &Arc<ConnectionState> {
        &self.0
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        // Marked before it counts as over, or the time of the head would seem to be running.
        if self.0.active.load(Ordering::Acquire) == 1 {
            self.0.mark(false);
        }
        if self.0.active.fetch_sub(1, Ordering::AcqRel) == 1 {
            // Whoever waits for bytes waited without a limit until now.
            self.0.reader.wake();
        }
    }
}

/// A socket with deadlines.
pub struct Watched {
    io: TcpStream,
    pulse: Arc<ConnectionState>,
    /// The first bytes, until the protocol is known.
    first: [u8; HTTP2_BEGINS.len()],
    seen: usize,
    reading: Pin<Box<Sleep>>,
    /// Set while the other side takes nothing.
    writing: Option<Pin<Box<Sleep>>>,
}

impl Watched {
    pub fn new(io: TcpStream, pulse: Arc<ConnectionState>) -> Self {
        let reading = Box::pin(tokio::time::sleep_until(pulse.began + pulse.header));
        Self { io, pulse, first: [0; HTTP2_BEGINS.len()], seen: 0, reading, writing: None }
    }

    fn arrived(&mut self, bytes: &[u8]) {
        if self.seen < self.first.len() {
            let many = bytes.len().min(self.first.len() - self.seen);
            self.first[self.seen..self.seen + many].copy_from_slice(&bytes[..many]);
            self.seen += many;
            if &self.first == HTTP2_BEGINS {
                // Its frames are not heads; until a first request is whole its time is that of a head, and then what
                // counts is when one was last answered.
                self.pulse.is_http2.store(true, Ordering::Release);
            }
        } else if !self.pulse.is_http2.load(Ordering::Acquire)
            && !self.pulse.in_head.load(Ordering::Acquire)
            && self.pulse.active.load(Ordering::Acquire) == 0
        {
            self.pulse.mark(true);
        }
    }

    fn wait(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.pulse.reader.register(cx.waker());
        let Some(deadline) = self.pulse.deadline() else { return Poll::Pending };
        if deadline < self.reading.deadline() {
            self.reading.as_mut().reset(deadline);
        }
        while self.reading.as_mut().poll(cx).is_ready() {
            if Instant::now() >= deadline {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            self.reading.as_mut().reset(deadline);
        }
        Poll::Pending
    }

    /// A write that waits may do so for a while; one that goes on starts the time anew.
    fn judge(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(done) = &written {
            self.writing = None;
            if done.as_ref().is_ok_and(|many| *many > CONTROL_BYTES) && self.pulse.owed.load(Ordering::Acquire) > 0 {
                self.pulse.gets_on();
            }
            return written;
        }
        let write = self.pulse.write;
        let sleep = self.writing.get_or_insert_with(|| Box::pin(tokio::time::sleep(write)));
        if sleep.as_mut().poll(cx).is_ready() { Poll::Ready(Err(io::ErrorKind::TimedOut.into())) } else { Poll::Pending }
    }
}

impl AsyncRead for Watched {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        match Pin::new(&mut self.io).poll_read(cx, buf) {
            Poll::Ready(Ok(())) => {
                let bytes = &buf.filled()[before..];
                if !bytes.is_empty() {
                    self.arrived(bytes);
                }
                Poll::Ready(Ok(()))
            }
            Poll::Pending => self.wait(cx),
            failed => failed,
        }
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(cx, bytes);
        self.judge(cx, written)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, parts: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(cx, parts);
        self.judge(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
