//! A connection that stays open, against a server that also says too much, something else, and nothing.

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::TcpListener;
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite::Message;

use super::*;
use crate::carry::guard::Guard;
use crate::carry::http::TransportConfig;

fn transports(allow: &str) -> Transports {
    let guard = Guard::allowing(allow).unwrap();
    Transports::new(TransportConfig { guard, smtp: None, mail_from: "allclear@example.org".into() }).unwrap()
}

/// A server for one connection, which sends these and then waits for what comes.
async fn server(says: Vec<Message>) -> (String, tokio::task::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/link?ticket=hush", listener.local_addr().unwrap());
    #[allow(clippy::disallowed_methods)]
    let task = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut socket = accept_async(stream).await.unwrap();
        for one in says {
            if socket.send(one).await.is_err() {
                break;
            }
        }
        let mut came = Vec::new();
        while let Some(Ok(message)) = socket.next().await {
            if let Message::Text(text) = message {
                came.push(text.as_str().to_owned());
            }
        }
        came
    });
    (url, task)
}

#[tokio::test]
async fn texts_come_and_go_and_all_else_is_left_alone() {
    let says =
        vec![Message::Ping(Bytes::new()), Message::Binary(Bytes::from_static(b"\x00\xff")), Message::text("one"), Message::text("火🔥")];
    let (url, task) = server(says).await;
    let mut socket = transports("127.0.0.0/8").open_socket(&url).await.unwrap();
    assert_eq!(socket.next().await, Ok(Some("one".into())));
    assert_eq!(socket.next().await, Ok(Some("火🔥".into())));
    socket.say("taken".into()).await.unwrap();
    socket.close().await;
    assert_eq!(task.await.unwrap(), ["taken"]);
}

#[tokio::test]
async fn what_is_too_large_ends_the_connection_and_an_end_is_told() {
    let (url, _task) = server(vec![Message::text("x".repeat(MESSAGE_BYTES_MAX + 1))]).await;
    let mut socket = transports("127.0.0.0/8").open_socket(&url).await.unwrap();
    assert_eq!(socket.next().await, Err(Broken("a message is too large".into())));
    let (url, _task) = server(vec![Message::Close(None)]).await;
    let mut socket = transports("127.0.0.0/8").open_socket(&url).await.unwrap();
    assert_eq!(socket.next().await, Ok(None));
}

#[tokio::test]
async fn what_may_not_be_reached_is_not_and_no_error_has_the_address() {
    let (url, _task) = server(Vec::new()).await;
    let dead = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("ws://{}/link?ticket=hush", listener.local_addr().unwrap())
    };
    for (allow, url, why) in [
        ("", url.as_str(), "private"),
        ("127.0.0.0/8", dead.as_str(), "could not connect"),
        ("127.0.0.0/8", "https://slack.example/?ticket=hush", "neither wss nor ws"),
        ("127.0.0.0/8", "hush", "not a URL"),
    ] {
        let told = transports(allow).open_socket(url).await.unwrap_err().to_string();
        assert!(told.contains(why) && !told.contains("hush"), "{told}");
    }
}
