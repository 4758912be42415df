//! The way back from a browser: our worker there says that a message was shown, what was pressed on it, and that the browser is
//! reached at another address from now on.
//!
//! `{"message": "msg_…", "proof": "…", "receipt": "delivered"}`, or `"receipt": "failed", "why": "…"`, or
//! `"answer": "acknowledge"`, or `"moved": {"endpoint": "…", "p256dh": "…", "auth": "…"}`. The proof came sealed with the message,
//! and is made of the browser's secret: nobody else has it, and it is good for this message alone.

use allclear_domain::channel::Address;
use allclear_domain::ids::MessageId;
use allclear_domain::wire::{Heard, NotGenuine, Of, Replies, ReplyRequest, Says, Unreadable};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use ring::hmac;
use serde::Deserialize;

use super::super::wording::one_line;
use super::{AUTH, DEVICE, NAME, POINT, WebPush, auth};

/// Largest body, in bytes: an address of a browser, several times over.
const BODY_BYTES_MAX: usize = 16 * 1024;
/// Most that is kept of why something was not shown, in characters.
const WORDS_CHARS_MAX: usize = 200;
/// What the browser says that it showed.
const SHOWN: &str = "the browser shows it";

#[derive(Deserialize)]
struct Body {
    message: MessageId,
    proof: String,
    receipt: Option<String>,
    why: Option<String>,
    answer: Option<String>,
    moved: Option<Moved>,
}

#[derive(Deserialize)]
struct Moved {
    endpoint: String,
    p256dh: String,
    auth: String,
    device: Option<String>,
}

/// Under the browser's secret, of one message.
fn mac_of(auth: &[u8], message: MessageId) -> (hmac::Key, String) {
    (hmac::Key::new(hmac::HMAC_SHA256, auth), format!("allclear answer {message}"))
}

/// What the worker proves an answer with.
pub(super) fn proof(auth: &[u8], message: MessageId) -> String {
    let (key, said) = mac_of(auth, message);
    URL_SAFE_NO_PAD.encode(hmac::sign(&key, said.as_bytes()))
}

/// # Errors
/// Where it is something else.
fn read(body: &[u8]) -> Result<Body, Unreadable> {
    serde_json::from_slice(body).map_err(|_| Unreadable("the body is not what the worker of a browser says".to_owned()))
}

impl Replies for WebPush {
    fn body_bytes_max(&self) -> usize {
        BODY_BYTES_MAX
    }

    fn read(&self, request: &ReplyRequest<'_>) -> Result<Vec<Heard>, Unreadable> {
        let body = read(request.body)?;
        let why = body.why.map(|why| one_line(&why, WORDS_CHARS_MAX)).filter(|why| !why.is_empty());
        let says = match (body.receipt.as_deref(), body.answer, body.moved) {
            (Some("delivered"), None, None) => Says::Delivered(why.unwrap_or_else(|| SHOWN.to_owned())),
            (Some("failed"), None, None) => Says::Failed(why.unwrap_or_else(|| "the browser could not show it".to_owned())),
            (None, Some(answer), None) => Says::Answer(one_line(&answer, WORDS_CHARS_MAX)),
            (None, None, Some(moved)) => {
                let mut address = Address::of([(NAME, moved.endpoint), (POINT, moved.p256dh), (AUTH, moved.auth)]);
                if let Some(device) = moved.device {
                    address.set(DEVICE, device);
                }
                Says::Moved(address)
            }
            _ => return Err(Unreadable("it is neither a receipt nor an answer nor a new address".to_owned())),
        };
        Ok(vec![Heard { of: Of::Message(body.message), says }])
    }

    fn genuine(&self, request: &ReplyRequest<'_>, address: &Address, _now: &[Timestamp]) -> Result<(), NotGenuine> {
        let body = read(request.body).map_err(|_| NotGenuine)?;
        let own = address.get(AUTH).and_then(auth).ok_or(NotGenuine)?;
        let given = URL_SAFE_NO_PAD.decode(&body.proof).map_err(|_| NotGenuine)?;
        let (key, said) = mac_of(&own, body.message);
        // In constant time.
        hmac::verify(&key, said.as_bytes(), &given).map_err(|_| NotGenuine)
    }
}
