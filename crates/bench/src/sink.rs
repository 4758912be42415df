//! A webhook sink that notes when each alert's number first arrived, and how often.
//!
//! It answers 200 to everything at once, on a thread of its own. It deliberately checks no
//! signatures and keeps no bodies, so that what it costs is as near to nothing as can be.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use anyhow::Context as _;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::shape::{find, numbers_in};

/// First size of a connection's buffer; it grows for long messages.
const BUFFER: usize = 8 * 1024;
/// The answer to every request.
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

/// What arrived since it was last emptied.
#[derive(Debug, Default)]
pub struct Arrivals {
    /// First arrival of each alert's number.
    pub first: HashMap<u64, Instant>,
    /// Requests received.
    pub messages: u64,
    /// Numbers that arrived again in a later message.
    pub again: u64,
}

/// The running sink.
#[derive(Debug, Clone)]
pub struct Sink {
    /// Where it listens.
    pub address: SocketAddr,
    arrivals: Arc<Mutex<Arrivals>>,
}

impl Sink {
    /// Starts it on a free port of the loopback; it ends with the process.
    ///
    /// # Errors
    /// When no port or no thread can be had.
    pub fn start() -> anyhow::Result<Self> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").context("binding the sink")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let arrivals = Arc::new(Mutex::new(Arrivals::default()));
        let sink = Self { address, arrivals: Arc::clone(&arrivals) };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::Builder::new().name("sink".to_owned()).spawn(move || {
            runtime.block_on(async move {
                let Ok(listener) = TcpListener::from_std(listener) else {
                    return;
                };
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(receive(stream, Arc::clone(&arrivals)));
                }
            });
        })?;
        Ok(sink)
    }

    /// Gives what arrived and begins anew.
    pub fn take(&self) -> Arrivals {
        std::mem::take(&mut *lock(&self.arrivals))
    }

    /// Distinct alerts that arrived since it was last emptied.
    pub fn count(&self) -> u64 {
        lock(&self.arrivals).first.len() as u64
    }
}

async fn receive(mut stream: TcpStream, arrivals: Arc<Mutex<Arrivals>>) {
    let _ = stream.set_nodelay(true);
    let mut buffer = vec![0; BUFFER];
    let mut filled = 0;
    loop {
        if filled == buffer.len() {
            buffer.resize(buffer.len() * 2, 0);
        }
        match stream.read(&mut buffer[filled..]).await {
            Ok(0) | Err(_) => return,
            Ok(read) => filled += read,
        }
        while let Some(end) = request_end(&buffer[..filled]) {
            let now = Instant::now();
            let numbers = numbers_in(&buffer[..end]);
            {
                let mut arrivals = lock(&arrivals);
                arrivals.messages += 1;
                for number in numbers {
                    if let Entry::Vacant(first) = arrivals.first.entry(number) {
                        first.insert(now);
                    } else {
                        arrivals.again += 1;
                    }
                }
            }
            if stream.write_all(ANSWER).await.is_err() {
                return;
            }
            buffer.copy_within(end..filled, 0);
            filled -= end;
        }
    }
}

/// Where the first request in `bytes` ends, once it is whole.
fn request_end(bytes: &[u8]) -> Option<usize> {
    let head = find(bytes, b"\r\n\r\n")?;
    let body = head + 4;
    for line in bytes[..head].split(|byte| *byte == b'\n').skip(1) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            continue;
        };
        let value = line[colon + 1..].trim_ascii();
        if line[..colon].eq_ignore_ascii_case(b"content-length") {
            let length: usize = std::str::from_utf8(value).ok()?.parse().ok()?;
            return (bytes.len() >= body + length).then_some(body + length);
        }
        if line[..colon].eq_ignore_ascii_case(b"transfer-encoding") {
            return find(&bytes[body..], b"0\r\n\r\n").map(|last| body + last + 5);
        }
    }
    Some(body)
}

fn lock(arrivals: &Mutex<Arrivals>) -> MutexGuard<'_, Arrivals> {
    arrivals.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn requests_cut_anywhere_on_one_connection_are_all_noted() {
        let sink = Sink::start().unwrap();
        let one = |number: u64| {
            let body = format!("{{\"title\":\"bench-no-{number:010}\"}}");
            format!("POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}", body.len())
        };
        let stream = format!("{}{}{}", one(1), one(2), one(1)).into_bytes();
        let mut connection = TcpStream::connect(sink.address).await.unwrap();
        let (start, end) = stream.split_at(one(1).len() + 40);
        connection.write_all(start).await.unwrap();
        let mut answer = vec![0; ANSWER.len()];
        connection.read_exact(&mut answer).await.unwrap();
        connection.write_all(end).await.unwrap();
        connection.read_exact(&mut answer).await.unwrap();
        connection.read_exact(&mut answer).await.unwrap();
        let arrivals = sink.take();
        assert_eq!((arrivals.first.len(), arrivals.messages, arrivals.again), (2, 3, 1));
    }
}
