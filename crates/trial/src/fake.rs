//! A server of a vendor over plain TCP, for the fakes that speak a real protocol: it reads whole requests, remembers them, and
//! answers as the fake decides, or as a script says instead: wrongly, late, or never.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// Longest body that is read.
const BODY_BYTES_MAX: usize = 1 << 20;

/// A request as it came.
#[derive(Debug, Clone, Default)]
pub struct Came {
    /// `POST`
    pub method: String,
    /// With its query.
    pub path: String,
    /// Names in lower case.
    pub headers: HashMap<String, String>,
    /// As text.
    pub body: String,
    /// The bytes.
    pub raw: Vec<u8>,
    /// The status that was answered; 0 where nothing was.
    pub answered: u16,
}

impl Came {
    /// A header; empty where there is none.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
    /// The body as JSON, and a form as an object of texts; null where it is neither.
    #[must_use]
    pub fn json(&self) -> Value {
        if self.header("content-type").starts_with("application/x-www-form-urlencoded") {
            return fields_of(&self.body).into_iter().map(|(name, value)| (name, Value::from(value))).collect();
        }
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }
}

/// What is answered instead of what the fake would answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Instead {
    /// This status, with these headers and this body; what was asked is not done.
    Says(u16, Vec<(&'static str, String)>, String),
    /// What the fake would, after a while.
    Slow(Duration),
    /// What was asked is done, and the connection ends without a word.
    Silent,
}

/// What a fake answers.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// `Content-Type`.
    pub kind: &'static str,
    /// The body.
    pub body: String,
}

impl Answer {
    /// JSON.
    #[must_use]
    pub fn json(status: u16, body: &Value) -> Self {
        Self { status, kind: "application/json; charset=utf-8", body: body.to_string() }
    }
}

/// Decides an answer, and does what was asked.
pub type Decide = dyn Fn(&Came) -> Answer + Send + Sync;

#[derive(Default)]
struct State {
    came: Vec<Came>,
    instead: Vec<(String, Instead)>,
}

/// A running server.
#[derive(Clone)]
pub struct Fake {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Fake {
    /// Listens on a free port of this machine.
    ///
    /// # Panics
    /// When there is none.
    pub async fn start(decide: impl Fn(&Came) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let state = Arc::new(Mutex::new(State::default()));
        let (taken, decide): (_, Arc<Decide>) = (Arc::clone(&state), Arc::new(decide));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (state, decide) = (Arc::clone(&taken), Arc::clone(&decide));
                tokio::spawn(async move {
                    // A sender that dies in the middle is an ordinary event here.
                    let _ = serve(stream, &state, &*decide).await;
                });
            }
        });
        Self { address, state }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `http://127.0.0.1:PORT`
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on requests whose path or body has this in it are answered so.
    pub fn instead(&self, of: &str, instead: Instead) {
        self.state().instead.push((of.to_owned(), instead));
    }

    /// No script any more.
    pub fn as_ever(&self) {
        self.state().instead.clear();
    }

    /// Everything that came, in its order.
    #[must_use]
    pub fn came(&self) -> Vec<Came> {
        self.state().came.clone()
    }

    /// Waits until as many requests with this in their path came; false when they do not within the time.
    pub async fn wait(&self, within: Duration, path: &str, many: usize) -> bool {
        let look = async {
            while self.came().iter().filter(|one| one.path.contains(path)).count() < many {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(within, look).await.is_ok()
    }
}

/// Pairs as a form.
#[must_use]
pub fn form(fields: &[(&str, &str)]) -> String {
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    fields.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect::<Vec<_>>().join("&")
}

/// The pairs of a form.
#[must_use]
pub fn fields_of(body: &str) -> HashMap<String, String> {
    let decoded = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    body.split('&').filter_map(|pair| pair.split_once('=')).map(|(name, value)| (decoded(name), decoded(value))).collect()
}

async fn serve(stream: TcpStream, state: &Mutex<State>, decide: &Decide) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let mut words = line.split(' ');
        let method = words.next().unwrap_or_default().to_owned();
        let path = words.next().unwrap_or("/").to_owned();
        let mut headers = HashMap::new();
        loop {
            line.clear();
            if stream.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
        let length: usize = headers.get("content-length").and_then(|v| v.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length.min(BODY_BYTES_MAX)];
        stream.read_exact(&mut body).await?;
        let mut came = Came { method, path, headers, body: String::from_utf8_lossy(&body).into_owned(), raw: body, answered: 0 };
        let instead = {
            let state = state.lock().unwrap_or_else(PoisonError::into_inner);
            state.instead.iter().rev().find(|(of, _)| came.path.contains(of) || came.body.contains(of)).map(|(_, what)| what.clone())
        };
        let (answer, more, pause) = match &instead {
            Some(Instead::Says(status, more, body)) => {
                (Answer { status: *status, kind: "text/plain", body: body.clone() }, more.clone(), None)
            }
            Some(Instead::Slow(pause)) => (decide(&came), Vec::new(), Some(*pause)),
            Some(Instead::Silent) | None => (decide(&came), Vec::new(), None),
        };
        came.answered = if instead == Some(Instead::Silent) { 0 } else { answer.status };
        state.lock().unwrap_or_else(PoisonError::into_inner).came.push(came);
        if instead == Some(Instead::Silent) {
            return Ok(());
        }
        if let Some(pause) = pause {
            tokio::time::sleep(pause).await;
        }
        let more: String = more.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let Answer { status, kind, body } = answer;
        let answer = format!("HTTP/1.1 {status} Scripted\r\ncontent-type: {kind}\r\n{more}content-length: {}\r\n\r\n{body}", body.len());
        stream.write_all(answer.as_bytes()).await?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_read_as_they_are_written() {
        let fields = fields_of(&form(&[("a b", "ü&="), ("c", "+1 2")]));
        assert_eq!((fields["a b"].as_str(), fields["c"].as_str()), ("ü&=", "+1 2"));
        let came = Came {
            body: "a=1".into(),
            headers: [("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned())].into(),
            ..Came::default()
        };
        assert_eq!((came.json()["a"].as_str(), came.header("x")), (Some("1"), ""));
    }
}
