//! HTTP requests to receivers that answer, hang, redirect or hide behind private addresses.

use std::time::Duration;

use allclear_domain::wire::{Method, Request, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;

/// Short enough for tests, long enough for loopback under load.
const SHORT: Duration = Duration::from_millis(400);

fn transports(allowed: &str) -> Transports {
    let config = TransportConfig { guard: Guard::allowing(allowed).unwrap(), smtp: None, mail_from: "a@b.example".into() };
    let deadlines = Deadlines { http: SHORT, body: SHORT, ..Deadlines::default() };
    Transports::with_deadlines(config, deadlines).unwrap()
}

fn request(host: &str, port: u16) -> Request {
    Request::Http {
        method: Method::Post,
        url: format!("http://{host}:{port}/hook?secret=1"),
        headers: vec![("content-type", "application/json".into()), ("webhook-id", "msg_1".into())],
        body: br#"{"type":"page"}"#.to_vec(),
    }
}

async fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// Reads one request, to the end of its body.
async fn read_request(stream: &mut TcpStream) -> String {
    let mut seen = Vec::new();
    let mut buffer = [0; 1024];
    while !String::from_utf8_lossy(&seen).ends_with(r#"{"type":"page"}"#) {
        let read = stream.read(&mut buffer).await.unwrap();
        assert_ne!(read, 0, "the request was cut");
        seen.extend_from_slice(&buffer[..read]);
    }
    String::from_utf8(seen).unwrap()
}

/// Serves one request with these bytes, then waits for the client to close.
async fn serve(listener: &TcpListener, answer: &str) -> String {
    let (mut stream, _) = listener.accept().await.unwrap();
    let seen = read_request(&mut stream).await;
    stream.write_all(answer.as_bytes()).await.unwrap();
    seen
}

async fn answered(answer: &str) -> (String, Response) {
    let (listener, port) = listener().await;
    let transports = transports("127.0.0.0/8");
    tokio::join!(serve(&listener, answer), transports.send(request("127.0.0.1", port)))
}

#[tokio::test]
async fn a_request_arrives_and_its_answer_comes_back() {
    let (seen, response) = answered("HTTP/1.1 202 Accepted\r\nContent-Length: 4\r\nConnection: close\r\n\r\nok\x1b!").await;
    assert!(seen.starts_with("POST /hook?secret=1 HTTP/1.1\r\n"), "{seen}");
    assert!(seen.contains("webhook-id: msg_1\r\n") && seen.contains("content-type: application/json\r\n"));
    assert_eq!(response, Response::Http { status: 202, retry_after: None, body: "ok!".into() });
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_retry_after_is_read() {
    let (_, response) = answered("HTTP/1.1 307 No\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n").await;
    assert!(matches!(response, Response::Http { status: 307, .. }));
    let (_, response) = answered("HTTP/1.1 429 Slow\r\nRetry-After: 17\r\nContent-Length: 0\r\n\r\n").await;
    assert_eq!(response, Response::Http { status: 429, retry_after: Some(Length::from_secs(17)), body: String::new() });
    let dated =
        "HTTP/1.1 503 No\r\nDate: Sat, 21 Nov 2026 03:00:00 GMT\r\nRetry-After: Sat, 21 Nov 2026 03:01:30 GMT\r\nContent-Length: 0\r\n\r\n";
    let (_, response) = answered(dated).await;
    assert!(matches!(response, Response::Http { retry_after: Some(after), .. } if after.as_secs() == 90), "{response:?}");
}

#[tokio::test]
async fn an_endless_body_is_cut_and_a_stuck_one_is_left() {
    let long = format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}", "é".repeat(10_000));
    let (_, response) = answered(&long).await;
    let Response::Http { status: 200, body, .. } = response else { panic!("{response:?}") };
    assert!(body.len() <= BODY_KEPT_MAX && body.len() > BODY_KEPT_MAX - 8);

    // The head is there, the body never ends: the status counts.
    let (listener, port) = listener().await;
    let transports = transports("127.0.0.0/8");
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\npart").await.unwrap();
        let _ = stream.read(&mut [0; 16]).await;
    };
    let (response, ()) = tokio::join!(transports.send(request("127.0.0.1", port)), server);
    assert_eq!(response, Response::Http { status: 200, retry_after: None, body: "part".into() });
}

#[tokio::test]
async fn silence_and_hanging_up_are_in_doubt_and_a_refusal_is_not() {
    let (listener, port) = listener().await;
    let transports = transports("127.0.0.0/8");
    let silent = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_request(&mut stream).await;
        let _ = stream.read(&mut [0; 16]).await;
    };
    let (response, ()) = tokio::join!(transports.send(request("127.0.0.1", port)), silent);
    assert!(matches!(&response, Response::Failed { maybe_arrived: true, permanent: false, .. }), "{response:?}");

    let (_, response) = tokio::join!(serve(&listener, ""), transports.send(request("127.0.0.1", port)));
    assert!(
        matches!(&response, Response::Failed { maybe_arrived: true, permanent: false, why } if !why.contains("secret=1")),
        "{response:?}"
    );

    drop(listener);
    let response = transports.send(request("127.0.0.1", port)).await;
    assert!(
        matches!(&response, Response::Failed { maybe_arrived: false, permanent: false, why } if why.contains("refused")),
        "{response:?}"
    );
}

#[tokio::test]
async fn private_targets_see_nothing() {
    let (listener, port) = listener().await;
    let closed = transports("");
    // By literal, in several dresses, and by a name that resolves to loopback at connect time.
    for host in ["127.0.0.1", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "localhost", "LOCALHOST"] {
        let response = closed.send(request(host, port)).await;
        assert!(
            matches!(&response, Response::Failed { maybe_arrived: false, permanent: true, why } if why.contains("--allow-private-targets")),
            "{host}: {response:?}"
        );
    }
    let nothing = tokio::time::timeout(Duration::from_millis(20), listener.accept()).await;
    assert!(nothing.is_err(), "the listener saw a connection");

    let open = transports("127.0.0.0/8");
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    let (_, response) = tokio::join!(serve(&listener, answer), open.send(request("localhost", port)));
    assert!(matches!(response, Response::Http { status: 200, .. }), "{response:?}");
}

#[tokio::test]
async fn an_unknown_name_and_bad_requests_are_told_apart() {
    let transports = transports("");
    let response = transports.send(request("no-such-host.invalid", 80)).await;
    assert!(matches!(&response, Response::Failed { permanent: false, why, .. } if why.contains("not found")), "{response:?}");
    for url in ["not a url", "ftp://1.1.1.1/", "file:///etc/passwd"] {
        let response = transports.send(Request::Http { method: Method::Post, url: url.into(), headers: vec![], body: vec![] }).await;
        assert!(matches!(response, Response::Failed { permanent: true, .. }), "{url}");
    }
    let mail = Request::Mail {
        to: "a@b.example".into(),
        to_name: String::new(),
        subject: String::new(),
        message_id: "m".into(),
        reply_to: None,
        thread: None,
        text: String::new(),
        html: String::new(),
    };
    assert_eq!(transports.send(mail).await, Response::Failed { why: "no --smtp is set".into(), maybe_arrived: false, permanent: true });
}
