//! The least HTTP/1.1 that a load generator needs: one request at a time over a kept connection.
//!
//! It reads a status, a length or chunks, and keeps the body. It deliberately does not follow
//! redirects, pipeline, decompress or check anything else, since every instruction here is taken
//! from the server under test.

use std::io;
use std::net::SocketAddr;

use anyhow::Context as _;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::shape::find;

/// First size of the buffer that answers are read into; it grows for long lists.
const BUFFER: usize = 16 * 1024;
/// The end of a chunked body.
const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// A kept connection.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    filled: usize,
    body_at: usize,
}

/// How the end of a body is known.
enum Body {
    Length(usize),
    Chunked,
}

impl Connection {
    /// Opens it.
    ///
    /// # Errors
    /// When nobody listens there.
    pub async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: vec![0; BUFFER], filled: 0, body_at: 0 })
    }

    /// Sends a request and reads its answer to the end; gives the status.
    ///
    /// # Errors
    /// When the connection breaks or what comes back is not HTTP/1.1.
    pub async fn exchange(&mut self, request: &[u8]) -> io::Result<u16> {
        self.stream.write_all(request).await?;
        self.filled = 0;
        let mut head: Option<(u16, usize, Body)> = None;
        loop {
            if self.filled == self.buffer.len() {
                self.buffer.resize(self.buffer.len() * 2, 0);
            }
            let read = self.stream.read(&mut self.buffer[self.filled..]).await?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.filled += read;
            let bytes = &self.buffer[..self.filled];
            if head.is_none() {
                let Some(end) = find(bytes, b"\r\n\r\n") else {
                    continue;
                };
                let (status, body) = read_head(&bytes[..end])?;
                head = Some((status, end + 4, body));
            }
            if let Some((status, body_at, body)) = &head {
                let whole = match body {
                    Body::Length(length) => self.filled >= body_at + length,
                    Body::Chunked => bytes[*body_at..].ends_with(LAST_CHUNK),
                };
                if whole {
                    self.body_at = *body_at;
                    return Ok(*status);
                }
            }
        }
    }

    /// The body of the last answer; chunk sizes stand between its parts where it was chunked.
    pub fn body(&self) -> &[u8] {
        &self.buffer[self.body_at..self.filled]
    }
}

/// A GET as bytes.
pub fn get(path: &str, bearer: Option<&str>) -> Vec<u8> {
    let authorization = bearer.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
    format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{authorization}\r\n").into_bytes()
}

/// A POST of JSON as bytes.
pub fn post(path: &str, bearer: &str, body: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {bearer}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// One GET on a connection of its own that must be answered 200; gives the body.
///
/// # Errors
/// When it cannot be sent, or another status comes back.
pub async fn fetch(address: SocketAddr, path: &str) -> anyhow::Result<Vec<u8>> {
    let mut connection = Connection::open(address).await.with_context(|| format!("connecting to {address}"))?;
    let status = connection.exchange(&get(path, None)).await?;
    anyhow::ensure!(status == 200, "GET {path} at {address} was answered {status}, not 200");
    Ok(connection.body().to_vec())
}

fn read_head(head: &[u8]) -> io::Result<(u16, Body)> {
    let malformed = || io::Error::new(io::ErrorKind::InvalidData, "the answer is not HTTP/1.1");
    let status = head
        .get(9..12)
        .filter(|_| head.starts_with(b"HTTP/1.1 "))
        .and_then(|digits| std::str::from_utf8(digits).ok())
        .and_then(|digits| digits.parse().ok())
        .ok_or_else(malformed)?;
    let mut body = Body::Length(0);
    for line in head.split(|byte| *byte == b'\n').skip(1) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            continue;
        };
        let value = line[colon + 1..].trim_ascii();
        if line[..colon].eq_ignore_ascii_case(b"content-length") {
            let length = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
            body = Body::Length(length.ok_or_else(malformed)?);
        } else if line[..colon].eq_ignore_ascii_case(b"transfer-encoding") {
            body = Body::Chunked;
        }
    }
    Ok((status, body))
}
