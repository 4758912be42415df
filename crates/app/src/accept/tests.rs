//! Strangers on raw sockets: slow, silent, too large, too many; and a stop under way.
#![allow(clippy::disallowed_methods)] // strangers have clocks and tasks of their own

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::{get, post};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::mpsc;

use super::{HEADER_BYTES_MAX, Limits, Listeners, listen};

/// Longer than any deadline here, shorter than any of production.
const PATIENCE: Duration = Duration::from_secs(8);
const LIMITS: Limits = Limits {
    connections: 40,
    header: Duration::from_millis(300),
    body: Duration::from_millis(300),
    idle: Duration::from_millis(1200),
    write: Duration::from_millis(400),
    drain: Duration::from_secs(2),
};

/// What one address may hold of them: a tenth.
const SHARE: usize = 4;
/// Stands for many people.
const PROXY: &str = "127.0.0.99";

/// A handler that answers when it is told to, and tells when it was asked.
struct World {
    address: SocketAddr,
    doors: Listeners,
    asked: mpsc::UnboundedReceiver<()>,
    go: mpsc::UnboundedSender<()>,
    tick: mpsc::UnboundedSender<()>,
}

fn world() -> World {
    let listener = listen("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, asked) = mpsc::unbounded_channel();
    let (go, gone) = mpsc::unbounded_channel::<()>();
    let gone = std::sync::Arc::new(tokio::sync::Mutex::new(gone));
    let (tick, ticked) = mpsc::unbounded_channel::<()>();
    let ticked = std::sync::Arc::new(tokio::sync::Mutex::new(ticked));
    let router = Router::new()
        .route("/", get(|| async { "hello" }))
        .route("/-/ready", get(|| async { "ready" }))
        .route("/broken", get(async || -> &'static str { panic!("a fault in a handler") }))
        .route("/echo", post(|body: Bytes| async move { body }))
        .route(
            "/slow",
            get(move || {
                let gone = gone.clone();
                let tell = tell.clone();
                async move {
                    let _ = tell.send(());
                    gone.lock().await.recv().await;
                    "at last"
                }
            }),
        )
        .route(
            "/stream",
            get(move || {
                let ticked = ticked.clone();
                async move {
                    let chunks = futures_util::stream::unfold(0, move |n| {
                        let ticked = ticked.clone();
                        async move {
                            if n > 0 {
                                ticked.lock().await.recv().await?;
                            }
                            Some((Ok::<_, std::io::Error>(Bytes::from_static(b"tick")), n + 1))
                        }
                    });
                    Body::from_stream(chunks)
                }
            }),
        );
    World { address, doors: Listeners::open(listener, router, LIMITS, PROXY.parse().unwrap()), asked, go, tick }
}

async fn connect(world: &World) -> TcpStream {
    TcpStream::connect(world.address).await.unwrap()
}

/// A connection from another address of this machine.
async fn connect_from(world: &World, address: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::new(address.parse().unwrap(), 0)).unwrap();
    socket.connect(world.address).await.unwrap()
}

/// One that asked something, has its answer, and is kept.
async fn idle_from(world: &World, address: &str) -> TcpStream {
    let mut stream = connect_from(world, address).await;
    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    until(&mut stream, "hello").await;
    stream
}

/// Everything until the other side closes, and how long that took.
async fn until_closed(stream: &mut TcpStream) -> (String, Duration) {
    let begun = Instant::now();
    let mut bytes = Vec::new();
    // A reset is a close as well.
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("the connection was not closed");
    (String::from_utf8_lossy(&bytes).into_owned(), begun.elapsed())
}

/// What comes until `end` has come.
async fn until(stream: &mut TcpStream, end: &str) -> String {
    let mut text = String::new();
    let mut buffer = [0; 4096];
    while !text.contains(end) {
        let read = tokio::time::timeout(PATIENCE, stream.read(&mut buffer)).await.expect("no answer").unwrap();
        assert!(read > 0, "closed after {text:?}");
        text.push_str(&String::from_utf8_lossy(&buffer[..read]));
    }
    text
}

fn about(took: Duration, deadline: Duration) {
    assert!(took >= deadline.mul_f32(0.9) && took < deadline + Duration::from_millis(700), "{took:?} instead of {deadline:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn heads_have_a_deadline_from_the_first_byte_on_and_before_it() {
    let world = world();
    let mut silent = connect(&world).await;
    let mut slow = connect(&world).await;
    slow.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n").await.unwrap();
    let mut undecided = connect(&world).await;
    undecided.write_all(b"PR").await.unwrap();
    let ends = tokio::join!(until_closed(&mut silent), until_closed(&mut slow), until_closed(&mut undecided));
    for (text, took) in [ends.0, ends.1, ends.2] {
        assert_eq!(text, "");
        about(took, LIMITS.header);
    }
    // The second request of a connection has no more time than the first, whatever trickles in.
    let mut second = connect(&world).await;
    second.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    until(&mut second, "hello").await;
    let (mut read, mut write) = second.into_split();
    let begun = Instant::now();
    let trickle = tokio::spawn(async move {
        let _ = write.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nx: ").await;
        while write.write_all(b"y").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let mut rest = Vec::new();
    let _ = tokio::time::timeout(PATIENCE, read.read_to_end(&mut rest)).await.expect("a trickled head was never cut off");
    about(begun.elapsed(), LIMITS.header);
    trickle.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_connection_is_closed_in_its_own_time_and_a_busy_one_is_not() {
    let mut world = world();
    let mut idle = connect(&world).await;
    idle.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    until(&mut idle, "hello").await;
    let mut http2 = connect(&world).await;
    http2.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    let mut busy = connect(&world).await;
    busy.write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    world.asked.recv().await.unwrap();
    let mut stream = connect(&world).await;
    stream.write_all(b"GET /stream HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    until(&mut stream, "tick").await;
    let (idle, http2) = tokio::join!(until_closed(&mut idle), until_closed(&mut http2));
    about(idle.1, LIMITS.idle);
    // Without a whole request it has no more time than a head.
    about(http2.1, LIMITS.header);
    // By now the others have waited longer than an idle one may.
    world.go.send(()).unwrap();
    world.tick.send(()).unwrap();
    assert!(until(&mut busy, "at last").await.starts_with("HTTP/1.1 200"));
    until(&mut stream, "tick").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_have_a_deadline_even_when_they_trickle() {
    let world = world();
    let mut stuck = connect(&world).await;
    stuck.write_all(b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc").await.unwrap();
    let (text, took) = until_closed(&mut stuck).await;
    assert!(text.starts_with("HTTP/1.1 408"), "{text}");
    about(took, LIMITS.body);
    let trickling = connect(&world).await;
    let (mut read, mut write) = trickling.into_split();
    let begun = Instant::now();
    let trickle = tokio::spawn(async move {
        let _ = write.write_all(b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n").await;
        while write.write_all(b"y").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    let mut rest = [0; 12];
    tokio::time::timeout(PATIENCE, read.read_exact(&mut rest)).await.expect("a trickled body was never cut off").unwrap();
    assert_eq!(&rest, b"HTTP/1.1 408");
    about(begun.elapsed(), LIMITS.body);
    trickle.abort();
    // One that arrives in time, in pieces, is whole.
    let mut good = connect(&world).await;
    good.write_all(b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc").await.unwrap();
    good.write_all(b"defghij").await.unwrap();
    assert!(until(&mut good, "abcdefghij").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_in_one_answer_says_so_and_the_connection_goes_on() {
    let world = world();
    let mut one = connect(&world).await;
    one.write_all(b"GET /broken HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let said = until(&mut one, "in the log").await;
    assert!(said.starts_with("HTTP/1.1 500"), "{said}");
    one.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    until(&mut one, "hello").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_that_is_too_large_is_refused() {
    let world = world();
    let mut large = connect(&world).await;
    let head = format!("GET / HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n", "y".repeat(HEADER_BYTES_MAX + 1));
    // The other side may close before all is written.
    let _ = large.write_all(head.as_bytes()).await;
    let mut first = [0; 12];
    large.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 431");
    let mut fits = connect(&world).await;
    let head = format!("GET / HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n", "y".repeat(HEADER_BYTES_MAX / 2));
    fits.write_all(head.as_bytes()).await.unwrap();
    until(&mut fits, "hello").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_holds_their_share_busy_is_refused_and_others_are_not() {
    let mut world = world();
    let mut held = Vec::new();
    for _ in 0..SHARE {
        let mut stream = connect(&world).await;
        stream.write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
        world.asked.recv().await.unwrap();
        held.push(stream);
    }
    let (text, took) = until_closed(&mut connect(&world).await).await;
    assert!(text.is_empty() && took < LIMITS.header, "{text} {took:?}");
    idle_from(&world, "127.0.0.2").await;
    world.go.send(()).unwrap();
    let begun = Instant::now();
    loop {
        let mut stream = connect(&world).await;
        let _ = stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
        if until_closed(&mut stream).await.0.contains("hello") {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "one that ended made no room");
    }
    for _ in 1..SHARE {
        world.go.send(()).unwrap();
    }
    for mut stream in held {
        assert!(until_closed(&mut stream).await.0.contains("at last"), "nobody with a request under way had to leave");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_longest_idle_leaves_for_a_newcomer_of_a_full_share_and_of_a_full_house() {
    let world = world();
    let mut stream = connect(&world).await;
    stream.write_all(b"GET /stream HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    until(&mut stream, "tick").await;
    let mut first = idle_from(&world, "127.0.0.1").await;
    let mut others = Vec::new();
    for _ in 2..SHARE {
        others.push(idle_from(&world, "127.0.0.1").await);
    }
    others.push(idle_from(&world, "127.0.0.1").await);
    assert!(until_closed(&mut first).await.1 < LIMITS.header, "the longest idle one of the address left");
    // From ten addresses the house is full; whoever comes from an eleventh gets in all the same.
    for n in 2..=(LIMITS.connections / SHARE) {
        for _ in 0..SHARE {
            others.push(idle_from(&world, &format!("127.0.0.{n}")).await);
        }
    }
    let mut newcomer = idle_from(&world, "127.0.0.77").await;
    assert!(until_closed(&mut others[0]).await.1 < LIMITS.header, "the longest idle one of all left");
    newcomer.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    until(&mut newcomer, "hello").await;
    world.tick.send(()).unwrap();
    until(&mut stream, "tick").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trusted_proxy_has_no_share() {
    let world = world();
    let mut held = Vec::new();
    for _ in 0..3 * SHARE {
        held.push(idle_from(&world, PROXY).await);
    }
    for stream in &mut held {
        stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        until(stream, "hello").await;
    }
}

/// An HTTP/2 frame.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut out = u32::try_from(payload.len()).unwrap().to_be_bytes()[1..].to_vec();
    out.extend([kind, flags]);
    out.extend(stream.to_be_bytes());
    out.extend(payload);
    out
}

/// GET of a path, as the header block of HTTP/2: indexed `:method` and `:scheme`, the others written out.
fn head_of(path: &str, more: &[(&str, &str)]) -> Vec<u8> {
    let mut block = vec![0x82, 0x86];
    let text = |block: &mut Vec<u8>, text: &str| {
        block.push(u8::try_from(text.len()).unwrap());
        block.extend(text.as_bytes());
    };
    block.push(0x04);
    text(&mut block, path);
    block.push(0x01);
    text(&mut block, "x");
    for (name, value) in more {
        block.push(0x00);
        text(&mut block, name);
        text(&mut block, value);
    }
    frame(1, 5, 1, &block)
}

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_of_http2_who_opens_no_window_is_cut_off_and_one_who_waits_for_us_is_not() {
    let world = world();
    let mut stalled = connect(&world).await;
    // SETTINGS_INITIAL_WINDOW_SIZE is 0.
    stalled.write_all(&[PREFACE, &frame(4, 0, 0, &[0, 4, 0, 0, 0, 0]), &head_of("/", &[])].concat()).await.unwrap();
    let mut follows = connect(&world).await;
    follows.write_all(&[PREFACE, &frame(4, 0, 0, &[]), &head_of("/stream", &[])].concat()).await.unwrap();
    until(&mut follows, "tick").await;
    about(until_closed(&mut stalled).await.1, LIMITS.write);
    tokio::time::sleep(LIMITS.write * 2).await;
    world.tick.send(()).unwrap();
    until(&mut follows, "tick").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_over_the_cap_has_its_answer_read_by_whoever_writes_it_whole() {
    let world = world();
    let mut large = connect(&world).await;
    // Far more than the two sockets hold between them.
    let many = 16 * 1024 * 1024;
    large.write_all(format!("POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: {many}\r\n\r\n").as_bytes()).await.unwrap();
    for _ in 0..256 {
        large.write_all(&vec![b'x'; many / 256]).await.expect("the other side reads on, or the answer would be lost");
    }
    assert!(until(&mut large, "\r\n\r\n").await.starts_with("HTTP/1.1 413"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_says_once_for_which_host_it_is() {
    let world = world();
    for (head, status) in [
        ("GET / HTTP/1.1\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\nhost: a\r\nHost: a\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\nhost: a b/c\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\nhost: a:80\r\n\r\n", "200"),
        ("GET / HTTP/1.1\r\nhost: [::1]:80\r\n\r\n", "200"),
        ("GET / HTTP/1.1\r\nhost:\r\n\r\n", "200"),
        ("GET / HTTP/1.0\r\n\r\n", "200"),
    ] {
        let mut stream = connect(&world).await;
        stream.write_all(head.as_bytes()).await.unwrap();
        let said = until(&mut stream, "\r\n\r\n").await;
        assert_eq!(said.split(' ').nth(1), Some(status), "{head:?}: {said}");
    }
    for (more, is_refused) in [(&[][..], false), (&[("host", "x")][..], false), (&[("host", "y")][..], true)] {
        let mut stream = connect(&world).await;
        stream.write_all(&[PREFACE, &frame(4, 0, 0, &[]), &head_of("/", more)].concat()).await.unwrap();
        let wanted = if is_refused { "two hosts" } else { "hello" };
        until(&mut stream, wanted).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_answers_what_was_asked_and_takes_nothing_new() {
    let mut world = world();
    let mut idle = connect(&world).await;
    idle.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    until(&mut idle, "hello").await;
    let mut stream = connect(&world).await;
    stream.write_all(b"GET /stream HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    until(&mut stream, "tick").await;
    let mut busy = connect(&world).await;
    busy.write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    world.asked.recv().await.unwrap();
    world.doors.close();
    assert!(until_closed(&mut idle).await.1 < LIMITS.header, "an idle connection is closed at once");
    assert!(tokio::time::timeout(Duration::from_millis(30), world.doors.answered()).await.is_err(), "one is not answered yet");
    world.go.send(()).unwrap();
    assert!(until_closed(&mut busy).await.0.contains("at last"));
    // The stream goes on, and does not keep us from counting all as answered.
    tokio::time::timeout(PATIENCE, world.doors.answered()).await.unwrap();
    assert!(TcpStream::connect(world.address).await.is_err(), "nothing listens any more");
    world.doors.cut().await;
    until_closed(&mut stream).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readiness_says_no_while_stopping() {
    let mut world = world();
    let mut stream = connect(&world).await;
    // Two requests on one connection: the second is read while we stop.
    stream.write_all(b"GET /-/ready HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    assert!(until(&mut stream, "ready").await.starts_with("HTTP/1.1 200"));
    let mut late = connect(&world).await;
    late.write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\nGET /-/ready HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    world.asked.recv().await.unwrap();
    world.doors.shared.stopping.store(true, std::sync::atomic::Ordering::SeqCst);
    world.go.send(()).unwrap();
    let text = until(&mut late, "stopping").await;
    assert!(text.contains("at last") && text.contains("HTTP/1.1 503"), "{text}");
}
