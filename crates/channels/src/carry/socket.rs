//! Connections that stay open, which we open to a vendor so that it can say something without reaching us: WebSocket (RFC 6455)
//! over TLS.
//!
//! The same [`guard`](crate::carry::guard) as for requests, the same roots, no proxy and no redirect; what comes is bounded, and a
//! connection that says nothing for a while is asked whether it still lives. What a text means is for the channel, when to open
//! another for whoever keeps it. The address is a secret and stands in no error.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use reqwest::Url;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Bytes, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::carry::http::{Transports, tls_config};

/// Largest message that is read, in bytes: many times what a vendor sends of one button.
pub const MESSAGE_BYTES_MAX: usize = 512 * 1024;
/// Bytes that are read at once, and so what a quiet connection keeps.
const READ_BYTES: usize = 8 * 1024;
/// After how much silence we ask whether the other side still lives.
pub const ASK_AFTER: Duration = Duration::from_secs(20);
/// After how much silence it does not.
pub const DEAD_AFTER: Duration = Duration::from_secs(60);
/// How long writing may take, and saying goodbye.
const WRITE_TIMEOUT: Duration = Duration::from_secs(5);

/// What a connection goes over.
trait Line: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Line for T {}

/// Why there is no connection, or none any more; in words, without its address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Broken(pub String);

fn broken(why: impl fmt::Display) -> Broken {
    Broken(why.to_string())
}

/// A connection.
pub struct Socket {
    stream: WebSocketStream<Box<dyn Line>>,
    /// When something came last.
    heard: Instant,
    /// Whether we asked since.
    asked: bool,
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Socket")
    }
}

impl Transports {
    /// Opens a connection at this address.
    ///
    /// # Errors
    /// Where none comes about in time.
    pub async fn open_socket(&self, url: &str) -> Result<Socket, Broken> {
        let deadline = Instant::now() + self.deadlines.http;
        // Boxed: TLS and its handshake are large futures.
        let opened = Box::pin(timeout_at(deadline, self.connect(url))).await;
        opened.map_err(|_| broken(format!("no connection within {} s", self.deadlines.http.as_secs())))?
    }

    async fn connect(&self, url: &str) -> Result<Socket, Broken> {
        let parsed: Url = url.parse().map_err(|_| broken("the address is not a URL"))?;
        let is_secure = match parsed.scheme() {
            "wss" => true,
            "ws" => false,
            _ => return Err(broken("the address is neither wss nor ws")),
        };
        self.guard.check_url(&parsed).map_err(broken)?;
        let host = parsed.host_str().unwrap_or_default();
        let name = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host).to_owned();
        let port = parsed.port().unwrap_or(if is_secure { 443 } else { 80 });
        let connected = timeout(self.deadlines.connect, async {
            let found = tokio::net::lookup_host((name.as_str(), port)).await.map_err(|_| broken("the name of the address is not found"))?;
            // What was looked up is what is connected to.
            let admitted = self.guard.screen(&name, found).map_err(broken)?;
            TcpStream::connect(admitted.as_slice()).await.map_err(|why| broken(format!("could not connect: {}", why.kind())))
        });
        let plain = connected.await.map_err(|_| broken("could not connect in time"))??;
        // What is not sent at once is sent a moment later all the same.
        let _ = plain.set_nodelay(true);
        let line: Box<dyn Line> = if is_secure {
            let config = tls_config().map_err(|_| broken("TLS cannot be set up"))?;
            let server = ServerName::try_from(name).map_err(|_| broken("the address has no name that TLS knows"))?;
            let secured = TlsConnector::from(Arc::new(config)).connect(server, plain).await;
            Box::new(secured.map_err(|why| broken(format!("TLS: {why}")))?)
        } else {
            Box::new(plain)
        };
        let request = url.into_client_request().map_err(|_| broken("the address makes no request"))?;
        let config = WebSocketConfig::default()
            .max_message_size(Some(MESSAGE_BYTES_MAX))
            .max_frame_size(Some(MESSAGE_BYTES_MAX))
            .read_buffer_size(READ_BYTES)
            .write_buffer_size(0);
        let upgraded = client_async_with_config(request, line, Some(config)).await;
        let (stream, _) = upgraded.map_err(|why| broken(format!("it is no WebSocket: {}", kind_of(&why))))?;
        Ok(Socket { stream, heard: Instant::now(), asked: false })
    }
}

/// What went wrong, without anything that the other side wrote or that the address holds.
fn kind_of(why: &tokio_tungstenite::tungstenite::Error) -> String {
    use tokio_tungstenite::tungstenite::Error;
    match why {
        Error::ConnectionClosed | Error::AlreadyClosed => "it was closed".to_owned(),
        Error::Io(why) => why.kind().to_string(),
        Error::Capacity(_) => "a message is too large".to_owned(),
        Error::Protocol(why) => why.to_string(),
        Error::Utf8(_) => "a text is no UTF-8".to_owned(),
        Error::Http(answer) => format!("HTTP {}", answer.status().as_u16()),
        _ => "it broke".to_owned(),
    }
}

impl Socket {
    /// The next text; nothing where the other side closed the connection. It may be given up and asked for again: nothing is lost.
    ///
    /// # Errors
    /// Where the connection is no more.
    pub async fn next(&mut self) -> Result<Option<String>, Broken> {
        loop {
            let until = self.heard + if self.asked { DEAD_AFTER } else { ASK_AFTER };
            let Ok(came) = timeout_at(until, self.stream.next()).await else {
                if self.asked {
                    return Err(broken(format!("nothing came for {} s", DEAD_AFTER.as_secs())));
                }
                self.asked = true;
                self.write(Message::Ping(Bytes::new())).await?;
                continue;
            };
            (self.heard, self.asked) = (Instant::now(), false);
            match came {
                Some(Ok(Message::Text(text))) => return Ok(Some(text.as_str().to_owned())),
                // A ping is answered when the stream is read on.
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Binary(_) | Message::Frame(_))) => {}
                Some(Ok(Message::Close(_))) | None => return Ok(None),
                Some(Err(why)) => return Err(broken(kind_of(&why))),
            }
        }
    }

    async fn write(&mut self, message: Message) -> Result<(), Broken> {
        match timeout(WRITE_TIMEOUT, self.stream.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(why)) => Err(broken(kind_of(&why))),
            Err(_) => Err(broken("it takes nothing")),
        }
    }

    /// Sends a text.
    ///
    /// # Errors
    /// Where the connection is no more.
    pub async fn say(&mut self, text: String) -> Result<(), Broken> {
        self.write(Message::Text(text.into())).await
    }

    /// Says goodbye, as far as the other side takes it.
    pub async fn close(mut self) {
        let _ = timeout(WRITE_TIMEOUT, self.stream.close(None)).await;
    }
}

#[cfg(test)]
#[path = "socket_tests.rs"]
mod tests;
