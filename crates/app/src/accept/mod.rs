//! The accept loop: HTTP/1.1 and HTTP/2 on one port, with a limit on everything that a stranger
//! could make us hold or wait for.
//!
//! axum's own loop sets no deadlines, so this one is built on hyper. Deadlines of heads and idle
//! connections are kept by [`pulse`], below the protocol, so that they hold before the protocol is
//! known; bodies have theirs in [`service`], and who may hold a connection is said in [`places`]. It deliberately knows no route but the two that tell
//! whether we are ready, which say no while stopping, and speaks no TLS: that is the proxy's.

mod places;
mod pulse;
mod service;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use allclear_channels::carry::ranges::Ranges;
use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use places::{HeldPlace, Places};
use pulse::{ConnectionState, Watched};

/// Connections at once, unless set otherwise: each holds some 20 KiB, so 200 MiB at worst.
pub const CONNECTIONS_MAX: usize = 10_000;
/// How long the head of a request may take, from its first byte; and how long the first byte of a
/// connection may. A phone on a bad line needs a second or two.
pub const HEADER_DEADLINE: Duration = Duration::from_secs(10);
/// How long the whole body of a request may take: 512 KiB at 140 kbit/s.
pub const BODY_DEADLINE: Duration = Duration::from_secs(30);
/// How long a connection may wait for its next request: above the 60 s after which common proxies
/// let go, so that it is they who close and no request is lost in between.
pub const IDLE_DEADLINE: Duration = Duration::from_secs(75);
/// How long a stop waits for what is under way: Kubernetes kills after 30 s, Docker after 10 s.
pub const DRAIN_DEADLINE: Duration = Duration::from_secs(10);
/// How long an answer may be stuck because the other side reads nothing. A live stream says
/// something every 15 s.
pub const WRITE_DEADLINE: Duration = Duration::from_secs(30);
/// Largest head of a request, in bytes.
const HEADER_BYTES_MAX: usize = 64 * 1024;
/// Requests at once on one HTTP/2 connection; what RFC 9113 §6.5.2 recommends at least.
const STREAMS_MAX: u32 = 100;
/// Streams that may be opened and reset before we have accepted them, and that we may have reset
/// ourselves: beyond it the connection ends (rapid reset, CVE-2023-44487; made-you-reset,
/// CVE-2025-8671).
const RESETS_MAX: usize = 20;
/// An HTTP/2 connection whose other side is gone is noticed by a ping after this time …
const PING_EVERY: Duration = Duration::from_secs(20);
/// … that is not answered within this.
const PING_DEADLINE: Duration = Duration::from_secs(10);
/// Connections that the kernel holds for us until we take them.
const BACKLOG: u32 = 4096;
/// How long a connection that was asked to leave for a newcomer may take to do so: a round trip to anywhere. One that
/// asked for something at that very moment gets its answer first.
const LEAVE_DEADLINE: Duration = Duration::from_secs(1);
/// A pause when the machine has no more descriptors, so that we do not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How often a stop looks whether every request has its answer.
const STOP_LOOK: Duration = Duration::from_millis(5);

/// Limits that an operator may set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    pub connections: usize,
    pub header: Duration,
    pub body: Duration,
    pub idle: Duration,
    pub write: Duration,
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: CONNECTIONS_MAX,
            header: HEADER_DEADLINE,
            body: BODY_DEADLINE,
            idle: IDLE_DEADLINE,
            write: WRITE_DEADLINE,
            drain: DRAIN_DEADLINE,
        }
    }
}

/// What all connections share.
struct Shared {
    limits: Limits,
    builder: Builder<TokioExecutor>,
    /// Requests without an answer yet.
    asked: AtomicUsize,
    stopping: AtomicBool,
    /// No new connection and no further request on an old one.
    closing: CancellationToken,
    /// Whoever is still there is cut off.
    cut: CancellationToken,
    tasks: TaskTracker,
}

/// A running accept loop.
pub struct Listeners {
    shared: Arc<Shared>,
    tasks: TaskTracker,
}

/// Takes the address; connections wait in the kernel until [`Listeners::open`].
///
/// # Errors
/// When the address is in use or not ours.
pub fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A restart need not wait until connections of the last run are forgotten.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

impl Listeners {
    /// Starts answering; `proxies` stand for many people each.
    #[must_use]
    pub fn open(listener: TcpListener, router: Router, limits: Limits, proxies: Ranges) -> Self {
        let mut builder = Builder::new(TokioExecutor::new());
        // hyper counts the wait for the next request as part of its head, so its own deadline
        // would close idle connections early: ours is in `pulse`.
        builder.http1().timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(HEADER_BYTES_MAX).half_close(false);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS_MAX)
            .max_header_list_size(HEADER_BYTES_MAX as u32)
            .max_pending_accept_reset_streams(RESETS_MAX)
            .max_local_error_reset_streams(RESETS_MAX)
            .keep_alive_interval(PING_EVERY)
            .keep_alive_timeout(PING_DEADLINE);
        let tasks = TaskTracker::new();
        let shared = Arc::new(Shared {
            limits,
            builder,
            asked: AtomicUsize::new(0),
            stopping: AtomicBool::new(false),
            closing: CancellationToken::new(),
            cut: CancellationToken::new(),
            tasks: tasks.clone(),
        });
        let places = Arc::new(Places::new(limits.connections, proxies));
        tasks.spawn(accept(listener, router, Arc::clone(&shared), places));
        Self { shared, tasks }
    }

    /// Begins to stop: not ready any more, no new connections, idle ones are closed, and each other
    /// one after its answer.
    pub fn close(&self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        self.shared.closing.cancel();
        self.tasks.close();
    }

    /// Waits until every request that came has its answer; streams count as answered.
    pub async fn answered(&self) {
        while self.shared.asked.load(Ordering::SeqCst) > 0 {
            tokio::time::sleep(STOP_LOOK).await;
        }
    }

    /// Waits until the last connection is closed.
    pub async fn empty(&self) {
        self.tasks.wait().await;
    }

    /// Cuts off whoever is still there.
    pub async fn cut(&self) {
        self.shared.cut.cancel();
        self.tasks.wait().await;
    }
}

async fn accept(listener: TcpListener, router: Router, shared: Arc<Shared>, places: Arc<Places>) {
    let mut failed: u64 = 0;
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shared.closing.cancelled() => return,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(why) if is_of_one_connection(&why) => continue,
            Err(why) => {
                failed += 1;
                let made_room = places.make_room();
                // Told at 1, 2, 4, 8 …: without descriptors this comes round twenty times a second.
                if failed.is_power_of_two() {
                    tracing::error!(%why, failed, made_room, "no connection can be taken now");
                }
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let pulse = Arc::new(ConnectionState::new(&shared.limits));
        let Some(place) = places.take(peer.ip(), Arc::clone(&pulse)) else { continue };
        let connection = hold(stream, peer, router.clone(), Arc::clone(&shared), pulse, place);
        shared.tasks.spawn(connection);
    }
}

/// The other side left before we took it.
fn is_of_one_connection(why: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(why.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

/// One connection from first to last.
async fn hold(stream: TcpStream, peer: SocketAddr, router: Router, shared: Arc<Shared>, pulse: Arc<ConnectionState>, place: HeldPlace) {
    // Small answers leave at once; a socket that refuses this works all the same.
    let _ = stream.set_nodelay(true);
    let io = TokioIo::new(Watched::new(stream, Arc::clone(&pulse)));
    let service = service::service(router, Arc::clone(&pulse), Arc::clone(&shared), peer);
    let connection = shared.builder.serve_connection(io, service);
    let mut connection = std::pin::pin!(connection);
    // How a connection ended is the other side's business.
    let leaves = tokio::select! {
        biased;
        _ = connection.as_mut() => return,
        () = place.asked_to_leave() => true,
        () = shared.closing.cancelled() => false,
    };
    connection.as_mut().graceful_shutdown();
    tokio::select! {
        biased;
        _ = connection => {}
        () = done(&pulse), if leaves => {}
        () = shared.cut.cancelled() => {}
    }
}

/// Returns when a connection that was asked to leave had its time and has nothing under way.
async fn done(pulse: &ConnectionState) {
    loop {
        tokio::time::sleep(LEAVE_DEADLINE).await;
        if !pulse.is_busy() {
            return;
        }
    }
}
