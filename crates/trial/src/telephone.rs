//! A provider of text messages and calls over plain TCP, that speaks as Twilio does: it takes what the program asks for,
//! remembers it, and answers by a script. What phones do with it, and what the provider says of that, a story says.
//!
//! It signs by itself what it posts: HMAC-SHA1 over the address and the sorted fields.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use ring::hmac;
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::world::{Setup, client};

/// The variable of the account's token.
pub const TOKEN_VARIABLE: &str = "ALLCLEAR_TWILIO_TOKEN";
/// The account's SID and token.
pub const ACCOUNT: &str = "AC0123456789abcdef0123456789abcdef";
/// See [`ACCOUNT`].
pub const TOKEN: &str = "trial-token-of-the-telephone";
/// The number that the program has.
pub const OURS: &str = "+4930000000";
/// Longest body that is read.
const BODY_BYTES_MAX: usize = 1 << 16;
/// Longest text message, in characters as telephones count them, and longest `Twiml`: beyond them Twilio refuses.
const LENGTHS_MAX: [(&str, usize); 2] = [("Body", 1_600), ("Twiml", 4_000)];

/// How what is asked for a number is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// 201.
    Yes,
    /// This status, with this code of Twilio's.
    Error(u16, u32),
    /// 429 with `Retry-After` of so many seconds.
    Later(u64),
    /// 201 after a while.
    Slow(Duration),
    /// Reads the request and closes the connection without a word.
    DropAfterReading,
}

/// A text message or a call that was asked for.
#[derive(Debug, Clone)]
pub struct Asked {
    /// `Messages` or `Calls`.
    pub what: String,
    /// Its fields.
    pub fields: HashMap<String, String>,
    /// What was answered; 0 where nothing was.
    pub answered: u16,
}

impl Asked {
    /// A field; empty where there is none.
    #[must_use]
    pub fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }
    /// Whom it is for.
    #[must_use]
    pub fn to(&self) -> &str {
        self.field("To")
    }
    /// Where what becomes of it is posted.
    #[must_use]
    pub fn callback(&self) -> &str {
        self.field("StatusCallback")
    }
    /// Where a key is posted, as the call says it.
    #[must_use]
    pub fn action(&self) -> &str {
        let call = self.field("Twiml");
        call.split_once("action=\"").and_then(|(_, rest)| rest.split_once('"')).map_or("", |(action, _)| action)
    }
    /// The code that a text message says to answer with.
    #[must_use]
    pub fn code(&self) -> &str {
        let text = self.field("Body");
        text.rsplit_once("Answer ").and_then(|(_, rest)| rest.split_once(' ')).map_or("", |(code, _)| code)
    }
}

#[derive(Default)]
struct State {
    asked: Vec<Asked>,
    script: HashMap<String, Taken>,
    tokens: Vec<String>,
}

/// A running provider.
#[derive(Clone)]
pub struct Telephone {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    client: reqwest::Client,
}

/// What the program answered to the provider.
#[derive(Debug, Clone)]
pub struct Told {
    /// HTTP status.
    pub status: u16,
    /// Its form.
    pub media_type: String,
    /// The body.
    pub text: String,
}

impl Telephone {
    /// Listens on a free port of this machine.
    ///
    /// # Panics
    /// When there is none.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let state = Arc::new(Mutex::new(State { tokens: vec![TOKEN.to_owned()], ..State::default() }));
        let taken = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = Arc::clone(&taken);
                tokio::spawn(async move {
                    // A sender that dies in the middle is an ordinary event here.
                    let _ = serve(stream, &state).await;
                });
            }
        });
        Self { address, state, client: client() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A world whose program sends by this provider. The token is a secret, and so a variable.
    #[must_use]
    pub fn carries(&self, setup: Setup) -> Setup {
        let url = format!("http://{}", self.address);
        setup.args(&["--twilio-url", &url, "--twilio-account", ACCOUNT, "--twilio-from", OURS]).env(TOKEN_VARIABLE, TOKEN)
    }

    /// From now on what is asked for this number is answered so.
    pub fn script(&self, number: &str, taken: Taken) {
        self.state().script.insert(number.to_owned(), taken);
    }

    /// The account's token is another from now on.
    pub fn change_token(&self, token: &str) {
        self.state().tokens = vec![token.to_owned()];
    }

    /// What was asked for, in its order: `Messages` or `Calls`.
    #[must_use]
    pub fn asked(&self, what: &str) -> Vec<Asked> {
        self.state().asked.iter().filter(|one| one.what == what).cloned().collect()
    }

    /// Posts something to the program, signed with the account's token.
    ///
    /// # Panics
    /// When no answer comes.
    pub async fn post(&self, url: &str, fields: &[(&str, &str)]) -> Told {
        let token = self.state().tokens[0].clone();
        self.post_signed(url, fields, &signature(&token, url, fields)).await
    }

    /// The same with this signature.
    ///
    /// # Panics
    /// When no answer comes.
    pub async fn post_signed(&self, url: &str, fields: &[(&str, &str)], signature: &str) -> Told {
        let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let body: Vec<String> = fields.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
        let request = self.client.post(url).header("content-type", "application/x-www-form-urlencoded; charset=utf-8");
        let request = request.header("x-twilio-signature", signature).body(body.join("&"));
        let response = request.send().await.expect("an answer");
        let header = response.headers().get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        Told { status: response.status().as_u16(), media_type: header, text: response.text().await.expect("a whole answer") }
    }

    /// A text message from somebody's phone, which Twilio posts to this address.
    ///
    /// # Panics
    /// When no answer comes.
    pub async fn text(&self, url: &str, from: &str, body: &str) -> Told {
        self.post(url, &[("AccountSid", ACCOUNT), ("MessageSid", "SM1"), ("From", from), ("To", OURS), ("Body", body), ("NumMedia", "0")])
            .await
    }

    /// What became of a text message.
    ///
    /// # Panics
    /// When no answer comes.
    pub async fn status(&self, of: &Asked, status: &str) -> Told {
        let error = if status == "undelivered" { "30005" } else { "" };
        let fields = [
            ("AccountSid", ACCOUNT),
            ("MessageSid", "SM1"),
            ("MessageStatus", status),
            ("To", of.to()),
            ("From", OURS),
            ("ErrorCode", error),
        ];
        self.post(of.callback(), &fields).await
    }

    /// A key during a call.
    ///
    /// # Panics
    /// When no answer comes.
    pub async fn press(&self, call: &Asked, key: &str) -> Told {
        let fields = [
            ("AccountSid", ACCOUNT),
            ("CallSid", "CA1"),
            ("CallStatus", "in-progress"),
            ("Digits", key),
            ("To", call.to()),
            ("From", OURS),
        ];
        self.post(call.action(), &fields).await
    }

    /// How a call ended.
    ///
    /// # Panics
    /// When no answer comes.
    pub async fn ended(&self, call: &Asked, status: &str) -> Told {
        let fields = [("AccountSid", ACCOUNT), ("CallSid", "CA1"), ("CallStatus", status), ("To", call.to()), ("From", OURS)];
        self.post(call.callback(), &fields).await
    }

    /// Who picked up, as far as the provider's detector knows: it says no more of the call.
    ///
    /// # Panics
    /// When no answer comes.
    pub async fn answered_by(&self, call: &Asked, by: &str) -> Told {
        let fields = [("AccountSid", ACCOUNT), ("CallSid", "CA1"), ("AnsweredBy", by), ("MachineDetectionDuration", "3200")];
        self.post(call.field("AsyncAmdStatusCallback"), &fields).await
    }
}

/// The signature of what is posted.
#[must_use]
pub fn signature(token: &str, url: &str, fields: &[(&str, &str)]) -> String {
    let mut sorted = fields.to_vec();
    sorted.sort_unstable();
    let text: String = std::iter::once(url).chain(sorted.into_iter().flat_map(|(name, value)| [name, value])).collect();
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, token.as_bytes());
    BASE64.encode(hmac::sign(&key, text.as_bytes()))
}

async fn serve(stream: TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
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
        let fields = fields_of(&String::from_utf8_lossy(&body));
        let (taken, refused) = {
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            let refused = refused(&path, &headers, &fields, &state.tokens);
            let taken = fields.get("To").and_then(|to| state.script.get(to)).cloned().unwrap_or(Taken::Yes);
            let answered = match (&refused, &taken) {
                (Some((status, _)), _) | (None, Taken::Error(status, _)) => *status,
                (None, Taken::Yes | Taken::Slow(_)) => 201,
                (None, Taken::Later(_)) => 429,
                (None, Taken::DropAfterReading) => 0,
            };
            let what = path.rsplit('/').next().unwrap_or_default().trim_end_matches(".json").to_owned();
            state.asked.push(Asked { what, fields: fields.clone(), answered });
            (taken, refused)
        };
        let error = |status: u16, code: u32| {
            let to = fields.get("To").map_or("", String::as_str);
            (
                status,
                json!({"code": code, "message": format!("It is not sent to {to}."), "more_info": "https://www.twilio.com/docs", "status": status}),
                String::new(),
            )
        };
        let (status, answer, more) = match (refused, taken) {
            (Some((status, code)), _) | (None, Taken::Error(status, code)) => error(status, code),
            (None, Taken::Later(seconds)) => {
                let (status, answer, _) = error(429, 20_429);
                (status, answer, format!("retry-after: {seconds}\r\n"))
            }
            (None, Taken::DropAfterReading) => return Ok(()),
            (None, taken) => {
                if let Taken::Slow(pause) = taken {
                    tokio::time::sleep(pause).await;
                }
                (
                    201,
                    json!({"account_sid": ACCOUNT, "body": fields.get("Body"), "sid": "SM1", "status": "queued", "to": fields.get("To")}),
                    String::new(),
                )
            }
        };
        let text = answer.to_string();
        let answer =
            format!("HTTP/1.1 {status} Scripted\r\ncontent-type: application/json\r\n{more}content-length: {}\r\n\r\n{text}", text.len());
        stream.write_all(answer.as_bytes()).await?;
    }
}

fn fields_of(body: &str) -> HashMap<String, String> {
    let decoded = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    body.split('&').filter_map(|pair| pair.split_once('=')).map(|(name, value)| (decoded(name), decoded(value))).collect()
}

/// What Twilio refuses whatever the script says: status and code.
fn refused(path: &str, headers: &HashMap<String, String>, fields: &HashMap<String, String>, tokens: &[String]) -> Option<(u16, u32)> {
    let wanted = |token: &String| format!("Basic {}", BASE64.encode(format!("{ACCOUNT}:{token}")));
    if !headers.get("authorization").is_some_and(|given| tokens.iter().any(|token| *given == wanted(token))) {
        return Some((401, 20_003));
    }
    let needed: &[&str] = match path.strip_prefix(&format!("/2010-04-01/Accounts/{ACCOUNT}/")) {
        Some("Messages.json") => &["To", "From", "Body"],
        Some("Calls.json") => &["To", "From", "Twiml"],
        _ => return Some((404, 20_404)),
    };
    if needed.iter().any(|name| fields.get(*name).is_none_or(String::is_empty)) {
        return Some((400, 21_201));
    }
    let is_long = |(name, max): &(&str, usize)| fields.get(*name).is_some_and(|text| text.encode_utf16().count() > *max);
    LENGTHS_MAX.iter().any(is_long).then_some((400, 21_617))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_signs_as_the_vector_says_and_reads_what_it_is_sent() {
        let fields = [("From", "+491700000000"), ("CallSid", "CA1"), ("Digits", "4")];
        assert_eq!(signature("12345", "https://pager.example.org/twilio/gather", &fields), "IGjdmYjxdEGqJaYrIeCrWL4Nd+4=");
        let fields = fields_of("To=%2B491&Body=a+b%0AAnswer+4821+to+take+it%2C+4821+no&Twiml=%3CGather+action%3D%22http%3A%2F%2Fx%22%3E");
        let asked = Asked { what: "Messages".into(), fields, answered: 201 };
        assert_eq!((asked.to(), asked.code(), asked.action()), ("+491", "4821", "http://x"));
    }
}
