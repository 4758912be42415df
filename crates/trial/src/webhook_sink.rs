//! A webhook receiver over plain TCP that records what it got and answers by a script.
//!
//! It verifies the signature of Standard Webhooks 1.0 by itself: `id.timestamp.body` under
//! HMAC-SHA256 with the decoded secret.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};

/// The secret of every webhook of the trial organisations.
pub const SECRET: &str = "whsec_dHJpYWwtc2VjcmV0LW9mLTI0LWJ5dGVzIQ==";
/// Longest body that is read; the product promises to stay below a megabyte in a storm, and below 20 KB else.
const BODY_BYTES_MAX: usize = 1 << 20;

/// How a path answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// 200.
    Ok,
    /// 200, and that the message is taken: what becomes of it comes later.
    Accepted,
    /// This status, with an empty body.
    Status(u16),
    /// This status, with this body.
    Says(u16, String),
    /// 429 with `Retry-After` of so many seconds.
    Later(u64),
    /// 200 after a while.
    Slow(Duration),
    /// Reads the request and closes the connection without a word.
    DropAfterReading,
    /// 302 to this address.
    Redirect(String),
}

/// One request as it came.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Path, as `/ana`.
    pub path: String,
    /// `webhook-id`.
    pub id: String,
    /// `webhook-timestamp`, seconds since 1970 by the sender's clock.
    pub timestamp: i64,
    /// `idempotency-key`; empty where there is none.
    pub idempotency_key: String,
    /// `authorization`; empty where there is none.
    pub authorization: String,
    /// `x-gotify-key`; empty where there is none.
    pub gotify_key: String,
    /// Whether the signature fits [`SECRET`].
    pub signed: bool,
    /// The body; of a form an object of texts; null where it is neither that nor JSON.
    pub body: Value,
    /// When its first byte was read.
    pub began: Instant,
    /// Status that was answered; 0 where the connection was dropped.
    pub answered: u16,
}

impl Delivery {
    /// Whether it pages somebody; the others ask about a recovery, or only tell.
    #[must_use]
    pub fn is_page(&self) -> bool {
        matches!(self.kind(), "page" | "pages")
    }
    /// Whether it only tells: a reminder, an update, a request to another organisation, that it is over.
    #[must_use]
    pub fn tells(&self) -> bool {
        matches!(self.kind(), "reminder" | "update" | "request" | "over" | "told" | "readiness" | "note" | "shift")
    }
    /// `type`
    #[must_use]
    pub fn kind(&self) -> &str {
        self.body["type"].as_str().unwrap_or_default()
    }
    /// The pages it carries: one, or the list of a bundle.
    #[must_use]
    pub fn pages(&self) -> Vec<&Value> {
        match &self.body["data"] {
            Value::Array(list) => list.iter().collect(),
            Value::Null => Vec::new(),
            one => vec![one],
        }
    }
    /// The one page of an unbundled delivery.
    #[must_use]
    pub fn page(&self) -> &Value {
        &self.body["data"]
    }
    /// Path of the acknowledgement link.
    #[must_use]
    pub fn ack_path(&self) -> String {
        path_of(self.page()["ack_url"].as_str().unwrap_or_default())
    }
}

/// The path of an absolute address: the port changes with every start.
#[must_use]
pub fn path_of(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').map_or("/", |at| &rest[at..]).to_owned()
}

#[derive(Default)]
struct State {
    deliveries: Vec<Delivery>,
    /// What only tells.
    told: Vec<Delivery>,
    script: HashMap<String, Reply>,
}

struct Shared {
    state: Mutex<State>,
    arrived: Notify,
    /// Connections that are open now.
    open: watch::Sender<usize>,
}

/// A running receiver.
#[derive(Clone)]
pub struct WebhookSink {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl WebhookSink {
    /// Listens on a free port of this machine.
    ///
    /// # Panics
    /// When there is none.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let shared = Arc::new(Shared { state: Mutex::default(), arrived: Notify::new(), open: watch::Sender::new(0) });
        let taken = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = Arc::clone(&taken);
                shared.open.send_modify(|open| *open += 1);
                tokio::spawn(async move {
                    // A sender that dies in the middle is an ordinary event here.
                    let _ = serve(stream, &shared).await;
                    shared.open.send_modify(|open| *open -= 1);
                });
            }
        });
        Self { address, shared }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `http://127.0.0.1:PORT`
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on this path answers so.
    pub fn script(&self, path: &str, reply: Reply) {
        self.state().script.insert(path.to_owned(), reply);
    }

    /// What only told one person, or an audience: reminders and updates, in the order of their last byte.
    #[must_use]
    pub fn told(&self, path: &str) -> Vec<Delivery> {
        self.state().told.iter().filter(|d| d.path.trim_start_matches('/') == path).cloned().collect()
    }

    /// All requests so far that ask something of somebody, in the order of their last byte: pages, and
    /// questions whether it is over. [`Self::told`] has the others.
    #[must_use]
    pub fn all(&self) -> Vec<Delivery> {
        self.state().deliveries.clone()
    }

    /// Requests after the first `seen`.
    #[must_use]
    pub fn after(&self, seen: usize) -> Vec<Delivery> {
        self.state().deliveries.get(seen..).unwrap_or_default().to_vec()
    }

    /// Requests to one person's path (`ana` for `/ana`).
    #[must_use]
    pub fn to(&self, person: &str) -> Vec<Delivery> {
        self.all().into_iter().filter(|d| d.path.trim_start_matches('/') == person).collect()
    }

    /// Waits until every connection is closed: what a dead program had sent is recorded then.
    pub async fn drained(&self) {
        // The sender lives as long as this handle, so the wait cannot fail.
        let _ = self.shared.open.subscribe().wait_for(|open| *open == 0).await;
    }

    /// Waits until `wanted` holds for what arrived and asks something; false when it does not within the time.
    pub async fn wait(&self, within: Duration, wanted: impl Fn(&[Delivery]) -> bool) -> bool {
        let look = async {
            loop {
                let arrived = self.shared.arrived.notified();
                tokio::pin!(arrived);
                arrived.as_mut().enable();
                if wanted(&self.state().deliveries) {
                    return;
                }
                arrived.await;
            }
        };
        tokio::time::timeout(within, look).await.is_ok()
    }
}

async fn serve(stream: TcpStream, shared: &Shared) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let began = Instant::now();
        let path = line.split(' ').nth(1).unwrap_or("/").to_owned();
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
        let reply = {
            let state = shared.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.script.get(&path).cloned().unwrap_or(Reply::Ok)
        };
        let status = match &reply {
            Reply::Ok | Reply::Accepted | Reply::Slow(_) => 200,
            Reply::Status(status) | Reply::Says(status, _) => *status,
            Reply::Later(_) => 429,
            Reply::DropAfterReading => 0,
            Reply::Redirect(_) => 302,
        };
        let delivery = read(path, &headers, &body, began, status);
        {
            let mut state = shared.state.lock().unwrap_or_else(PoisonError::into_inner);
            if delivery.tells() { state.told.push(delivery) } else { state.deliveries.push(delivery) }
        }
        shared.arrived.notify_waiters();
        let says = match &reply {
            Reply::Accepted => r#"{"accepted": true}"#.to_owned(),
            Reply::Says(_, body) => body.clone(),
            _ => String::new(),
        };
        let more = match reply {
            Reply::DropAfterReading => return Ok(()),
            Reply::Slow(pause) => {
                tokio::time::sleep(pause).await;
                String::new()
            }
            Reply::Redirect(to) => format!("location: {to}\r\n"),
            Reply::Later(seconds) => format!("retry-after: {seconds}\r\n"),
            Reply::Ok | Reply::Accepted | Reply::Status(_) | Reply::Says(..) => String::new(),
        };
        let answer = format!("HTTP/1.1 {status} Scripted\r\n{more}content-length: {}\r\n\r\n{says}", says.len());
        stream.write_all(answer.as_bytes()).await?;
    }
}

fn read(path: String, headers: &HashMap<String, String>, body: &[u8], began: Instant, answered: u16) -> Delivery {
    let header = |name: &str| headers.get(name).map_or("", String::as_str);
    let (id, timestamp) = (header("webhook-id"), header("webhook-timestamp"));
    let wanted = signature(SECRET, id, timestamp, body);
    Delivery {
        path,
        id: id.to_owned(),
        timestamp: timestamp.parse().unwrap_or(0),
        idempotency_key: header("idempotency-key").to_owned(),
        authorization: header("authorization").to_owned(),
        gotify_key: header("x-gotify-key").to_owned(),
        signed: header("webhook-signature").split(' ').any(|given| given == wanted),
        body: if header("content-type") == "application/x-www-form-urlencoded" {
            reqwest::Url::parse(&format!("http://x/?{}", String::from_utf8_lossy(body)))
                .map_or(Value::Null, |url| url.query_pairs().map(|(name, value)| (name.into_owned(), Value::from(value))).collect())
        } else {
            serde_json::from_slice(body).unwrap_or(Value::Null)
        },
        began,
        answered,
    }
}

/// The signature of Standard Webhooks 1.0, as whoever has the secret makes it.
///
/// # Panics
/// When the secret is not base64.
#[must_use]
pub fn signature(secret: &str, id: &str, timestamp: &str, body: &[u8]) -> String {
    let key = BASE64.decode(secret.trim_start_matches("whsec_")).expect("a secret of trials is base64");
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("HMAC takes a key of any length");
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    format!("v1,{}", BASE64.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_links() {
        assert_eq!(path_of("http://127.0.0.1:80/a/b?c"), "/a/b?c");
        assert_eq!(path_of("http://host"), "/");
        assert_eq!(path_of("/a/b"), "/a/b");
    }

    #[tokio::test]
    async fn records_verifies_and_follows_its_script() {
        let sink = WebhookSink::start().await;
        sink.script("/ana", Reply::Status(503));
        let body = br#"{"type":"page","data":{"ack_url":"http://h:1/a/x"}}"#;
        for signature in [signature(SECRET, "msg_1", "1795230000", body), "v1,bm8=".to_owned()] {
            let mut stream = TcpStream::connect(sink.address).await.unwrap();
            let head = format!(
                "POST /ana HTTP/1.1\r\nWebhook-Id: msg_1\r\nwebhook-timestamp: 1795230000\r\nwebhook-signature: v1,eA== {signature}\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            stream.write_all(head.as_bytes()).await.unwrap();
            stream.write_all(body).await.unwrap();
            let mut answer = [0; 12];
            stream.read_exact(&mut answer).await.unwrap();
            assert_eq!(&answer, b"HTTP/1.1 503");
        }
        assert!(sink.wait(Duration::from_secs(5), |all| all.len() == 2).await);
        let all = sink.to("ana");
        assert_eq!((all[0].signed, all[1].signed), (true, false));
        assert_eq!((all[0].id.as_str(), all[0].timestamp, all[0].ack_path().as_str()), ("msg_1", 1_795_230_000, "/a/x"));
    }
}
