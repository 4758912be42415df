//! Socket Mode of the workspace: connections as Slack opens, uses and ends them. An address is good for one connection; each
//! envelope goes over one of those that are open, in turn, and its receipt is waited for. It also says junk, says too much, goes
//! without a word, and sends the same again.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_tungstenite::accept_hdr_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};

/// How long a receipt is waited for: what Slack waits.
const RECEIPT_WITHIN: Duration = Duration::from_secs(3);

/// What is done with a connection.
enum Does {
    Says(String),
    /// Ends without a word.
    Cuts,
    /// Says goodbye.
    Closes,
}

#[derive(Default)]
struct State {
    tickets: BTreeSet<String>,
    given: u64,
    /// Those that are open, oldest first.
    open: BTreeMap<u64, mpsc::UnboundedSender<Does>>,
    /// How many there were.
    opened: u64,
    sent: u64,
    receipts: Vec<(u64, Value)>,
    /// Whether nothing is said when one is opened.
    mute: bool,
    /// How many goodbyes were said to us.
    goodbyes: u64,
}

/// The connections.
#[derive(Clone)]
pub struct Sockets {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Sockets {
    /// Listens on a free port of this machine.
    ///
    /// # Panics
    /// When there is none.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let own = Self { address, state: Arc::default() };
        let sockets = own.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(sockets.clone().serve(stream));
            }
        });
        own
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An address for one connection.
    #[must_use]
    pub fn ticket(&self) -> String {
        let mut state = self.state();
        state.given += 1;
        let ticket = format!("ticket-{}", state.given);
        let url = format!("ws://{}/link/?ticket={ticket}&app_id=A0001", self.address);
        state.tickets.insert(ticket);
        url
    }

    // A refusal of the handshake is as large as the library makes it.
    #[allow(clippy::result_large_err)]
    async fn serve(self, stream: TcpStream) {
        let own = self.clone();
        let admit = move |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
            let query = request.uri().query().unwrap_or_default();
            let ticket = query.split('&').find_map(|pair| pair.strip_prefix("ticket=")).unwrap_or_default();
            if own.state().tickets.remove(ticket) { Ok(response) } else { Err(ErrorResponse::new(Some("no such ticket".to_owned()))) }
        };
        let Ok(mut socket) = accept_hdr_async(stream, admit).await else { return };
        let (does, mut todo) = mpsc::unbounded_channel();
        let (id, is_mute) = {
            let mut state = self.state();
            state.opened += 1;
            let id = state.opened;
            if !state.mute {
                state.open.insert(id, does);
            }
            (id, state.mute)
        };
        if !is_mute {
            let hello = json!({
                "type": "hello", "num_connections": 1, "connection_info": {"app_id": "A0001"},
                "debug_info": {"host": "applink-1", "started": "2026-01-01 00:00:00.000", "build_number": 10, "approximate_connection_time": 18060}
            });
            let _ = socket.send(Message::text(hello.to_string())).await;
        }
        loop {
            tokio::select! {
                what = todo.recv(), if !is_mute => match what {
                    Some(Does::Says(text)) => {
                        if socket.send(Message::text(text)).await.is_err() {
                            break;
                        }
                    }
                    Some(Does::Closes) => {
                        let _ = socket.close(None).await;
                    }
                    Some(Does::Cuts) | None => break,
                },
                came = socket.next() => match came {
                    Some(Ok(Message::Text(text))) => {
                        let receipt = serde_json::from_str(text.as_str()).unwrap_or(Value::Null);
                        self.state().receipts.push((id, receipt));
                    }
                    Some(Ok(Message::Close(_))) => {
                        self.state().goodbyes += 1;
                    }
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => break,
                },
            }
        }
        self.state().open.remove(&id);
    }

    /// How many are open, how many there were, and how often we were said goodbye to.
    #[must_use]
    pub fn counts(&self) -> (usize, u64, u64) {
        let state = self.state();
        (state.open.len(), state.opened, state.goodbyes)
    }

    /// Waits until this holds of the counts; false when it does not within the time.
    pub async fn wait(&self, within: Duration, holds: impl Fn((usize, u64, u64)) -> bool) -> bool {
        let look = async {
            while !holds(self.counts()) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(within, look).await.is_ok()
    }

    /// From now on nothing is said when a connection is opened, or it is again.
    pub fn mute(&self, is_mute: bool) {
        self.state().mute = is_mute;
    }

    fn with(&self, which: usize, does: Does) -> bool {
        let state = self.state();
        let open = state.open.values().nth(which);
        open.is_some_and(|open| open.send(does).is_ok())
    }

    /// Sends a text over one of those that are open, the oldest first.
    ///
    /// # Panics
    /// When there are not so many.
    pub fn says(&self, which: usize, text: &str) {
        assert!(self.with(which, Does::Says(text.to_owned())), "connection {which} is open");
    }

    /// Ends one without a word.
    pub fn cuts(&self, which: usize) {
        self.with(which, Does::Cuts);
    }

    /// Ends one with a goodbye.
    pub fn closes(&self, which: usize) {
        self.with(which, Does::Closes);
    }

    /// Says that one is going to end.
    pub fn disconnects(&self, which: usize, reason: &str) {
        self.says(which, &json!({"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-1"}}).to_string());
    }

    /// An envelope with an id of its own.
    #[must_use]
    pub fn envelope(&self, kind: &str, payload: &Value) -> Value {
        let mut state = self.state();
        state.sent += 1;
        let id = format!("57d6a792-4d35-4d0b-b6aa-{:012}", state.sent);
        json!({"type": kind, "envelope_id": id, "payload": payload, "accepts_response_payload": kind == "slash_commands"})
    }

    /// Sends an envelope over one of those that are open, and waits for its receipt; nothing where none comes in time.
    pub async fn send(&self, which: usize, envelope: &Value) -> Option<Value> {
        let before = self.state().receipts.len();
        self.says(which, &envelope.to_string());
        let id = envelope["envelope_id"].clone();
        let look = async {
            loop {
                let found = self.state().receipts.iter().skip(before).find(|(_, one)| one["envelope_id"] == id).map(|(_, one)| one.clone());
                if let Some(found) = found {
                    return found;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(RECEIPT_WITHIN, look).await.ok()
    }
}
