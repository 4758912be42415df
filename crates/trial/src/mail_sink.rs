//! A mail server over plain TCP that records what it got and answers by a script.
//!
//! It speaks the few commands that a sender needs, one transaction after the other, without TLS
//! and without extensions.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What a transaction ends with when nothing else is scripted.
const QUEUED: &str = "250 2.0.0 queued as trial";

/// A mail, or an attempt at one.
#[derive(Debug, Clone)]
pub struct Mail {
    /// Recipient's address.
    pub to: String,
    /// Headers and body as sent.
    pub raw: String,
    /// The answer to the recipient's name or to the text.
    pub answered: String,
}

impl Mail {
    /// Whether the sender was told that it is delivered.
    #[must_use]
    pub fn accepted(&self) -> bool {
        self.answered.starts_with('2')
    }
    /// `Message-ID` with its brackets.
    #[must_use]
    pub fn message_id(&self) -> &str {
        self.raw.lines().find_map(|line| line.strip_prefix("Message-ID: ")).unwrap_or_default().trim()
    }
    /// The text with its transfer encodings undone as far as reading links and words needs.
    #[must_use]
    pub fn text(&self) -> String {
        let quoted = quoted_printable(&self.raw);
        let mut decoded = String::new();
        let mut block = String::new();
        for line in self.raw.lines().chain([""]) {
            let is_base64 = line.len() >= 4 && line.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(&b));
            if is_base64 {
                block.push_str(line);
            } else if !block.is_empty() {
                let bytes = BASE64.decode(&block).unwrap_or_default();
                decoded.push_str(&String::from_utf8_lossy(&bytes));
                block.clear();
            }
        }
        format!("{quoted}\n{decoded}")
    }
    /// Path of the first acknowledgement link.
    #[must_use]
    pub fn ack_path(&self) -> Option<String> {
        let text = self.text();
        let at = text.find("/a/")?;
        let end = text[at..].find(|c: char| c.is_whitespace() || "\"'<>)".contains(c)).unwrap_or(text.len() - at);
        Some(text[at..at + end].to_owned())
    }
}

/// `=XX` and soft line breaks.
fn quoted_printable(raw: &str) -> String {
    let joined = raw.replace("=\r\n", "").replace("=\n", "");
    let bytes = joined.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = (bytes[at] == b'=').then(|| joined.get(at + 1..at + 3)).flatten().and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match hex {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[derive(Default)]
struct State {
    mails: Vec<Mail>,
    script: HashMap<String, String>,
}

/// A running mail server.
#[derive(Clone)]
pub struct MailSink {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl MailSink {
    /// Listens on a free port of this machine.
    ///
    /// # Panics
    /// When there is none.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let sink = Self { address, state: Arc::default() };
        let taken = sink.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let sink = taken.clone();
                tokio::spawn(async move {
                    let _ = sink.converse(stream).await;
                });
            }
        });
        sink
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `smtp://127.0.0.1:PORT`
    #[must_use]
    pub fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// From now on mail to this address ends so, as in `451 4.3.0 try later`.
    pub fn script(&self, address: &str, answer: &str) {
        self.state().script.insert(address.to_owned(), answer.to_owned());
    }

    /// Mail to this address is accepted again.
    pub fn friendly(&self, address: &str) {
        self.state().script.remove(address);
    }

    /// All attempts so far.
    #[must_use]
    pub fn all(&self) -> Vec<Mail> {
        self.state().mails.clone()
    }

    /// Mails that were accepted for an address.
    #[must_use]
    pub fn delivered_to(&self, address: &str) -> Vec<Mail> {
        self.all().into_iter().filter(|mail| mail.to == address && mail.accepted()).collect()
    }

    async fn converse(&self, stream: TcpStream) -> std::io::Result<()> {
        let mut stream = BufReader::new(stream);
        stream.write_all(b"220 trial\r\n").await?;
        let mut to = String::new();
        let mut line = String::new();
        loop {
            line.clear();
            if stream.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
            let answer = match verb.as_str() {
                "RCPT" => {
                    to = line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
                    "250 ok".to_owned()
                }
                "DATA" => {
                    stream.write_all(b"354 go on\r\n").await?;
                    let mut raw = String::new();
                    loop {
                        line.clear();
                        if stream.read_line(&mut line).await? == 0 {
                            return Ok(());
                        }
                        if line.trim_end() == "." {
                            break;
                        }
                        raw.push_str(line.strip_prefix('.').unwrap_or(&line));
                    }
                    let mut state = self.state();
                    let answered = state.script.get(&to).cloned().unwrap_or_else(|| QUEUED.to_owned());
                    state.mails.push(Mail { to: to.clone(), raw, answered: answered.clone() });
                    answered
                }
                "QUIT" => {
                    stream.write_all(b"221 bye\r\n").await?;
                    return Ok(());
                }
                _ => "250 ok".to_owned(),
            };
            stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_links_through_transfer_encodings() {
        let mail = |raw: &str| Mail { to: String::new(), raw: raw.to_owned(), answered: QUEUED.into() };
        let quoted = mail("Message-ID: <m1@x>\r\n\r\nAcknowledge: http://h/a/ab=\r\nc=3Dd now=20\r\n");
        assert_eq!(quoted.ack_path().as_deref(), Some("/a/abc=d"));
        assert_eq!(quoted.message_id(), "<m1@x>");
        let encoded = mail(&format!("Content-Transfer-Encoding: base64\r\n\r\n{}\r\n", BASE64.encode("see http://h/a/xyz\n")));
        assert_eq!(encoded.ack_path().as_deref(), Some("/a/xyz"));
    }
}
