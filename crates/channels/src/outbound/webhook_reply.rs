//! The way back of a webhook: a signed POST of JSON, after Standard Webhooks as well, under the secret of the contact.
//!
//! `{"message": "msg_…", "receipt": "delivered"}`, `{"message": "msg_…", "receipt": "failed", "why": "…"}`, or
//! `{"message": "msg_…", "answer": "acknowledge"}`; an answer may be any word that `wire::Reply` reads. `webhook-id` is of
//! the reply and fresh; it is signed, and nothing else is made of it.

use allclear_domain::channel::Address;
use allclear_domain::ids::MessageId;
use allclear_domain::wire::{Heard, NotGenuine, Of, Replies, ReplyRequest, Says, Unreadable};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::webhook::{SECRET, Webhook, is_signature};
use super::wording::one_line;
use crate::inbound::signed::FRESH_S;

/// Largest body of a reply, in bytes: an id, and a text message as the longest answer, many times over.
pub const REPLY_BYTES_MAX: usize = 16 * 1024;
/// Most that is kept of what a provider says of a delivery, and of an answer, in characters.
const WORDS_CHARS_MAX: usize = 200;
/// What is wanted of a body that is something else.
const WANTED: &str = "write `{\"message\": \"msg_…\", \"receipt\": \"delivered\"}`, or with `\"receipt\": \"failed\", \"why\": \"…\"`, or with \
     `\"answer\": \"acknowledge\"`";

/// A body as it is written; what it holds beside these is left alone.
#[derive(Deserialize)]
struct Body {
    message: String,
    receipt: Option<String>,
    why: Option<String>,
    /// A word, or the number of a key.
    answer: Option<Value>,
}

impl Replies for Webhook {
    fn body_bytes_max(&self) -> usize {
        REPLY_BYTES_MAX
    }

    fn read(&self, request: &ReplyRequest<'_>) -> Result<Vec<Heard>, Unreadable> {
        let unreadable = |why: &str| Unreadable(format!("{why}: {WANTED}"));
        let body: Body = serde_json::from_slice(request.body).map_err(|why| unreadable(&format!("the body does not read ({why})")))?;
        let message: MessageId = body.message.parse().map_err(|_| unreadable("`message` is no `webhook-id` of a message"))?;
        let why = body.why.map(|why| one_line(&why, WORDS_CHARS_MAX)).filter(|why| !why.is_empty());
        let says = match (body.receipt.as_deref(), body.answer) {
            (Some("delivered"), None) => Says::Delivered(why.unwrap_or_else(|| "the receiver says so".to_owned())),
            (Some("failed"), None) => Says::Failed(why.unwrap_or_else(|| "the receiver does not say why".to_owned())),
            (Some(_), None) => return Err(unreadable("`receipt` is neither `delivered` nor `failed`")),
            (None, Some(Value::String(answer))) => Says::Answer(one_line(&answer, WORDS_CHARS_MAX)),
            (None, Some(Value::Number(key))) => Says::Answer(key.to_string()),
            (None, Some(_)) => return Err(unreadable("`answer` is no text")),
            (None, None) => return Err(unreadable("there is neither a `receipt` nor an `answer`")),
            (Some(_), Some(_)) => return Err(unreadable("a `receipt` and an `answer` are two requests")),
        };
        Ok(vec![Heard { of: Of::Message(message), says }])
    }

    fn genuine(&self, request: &ReplyRequest<'_>, address: &Address, now: &[Timestamp]) -> Result<(), NotGenuine> {
        let header = |name| request.header(name).and_then(|value| std::str::from_utf8(value).ok()).ok_or(NotGenuine);
        let (id, time, signatures) = (header("webhook-id")?, header("webhook-timestamp")?, header("webhook-signature")?);
        let secret = address.get(SECRET).ok_or(NotGenuine)?;
        let signed_at: i64 = time.parse().map_err(|_| NotGenuine)?;
        // Signed with one of several secrets, while it is being changed.
        let is_signed = signatures.split(' ').any(|given| is_signature(given, secret, id, signed_at, request.body));
        let is_fresh = now.iter().any(|now| now.as_second().abs_diff(signed_at) <= FRESH_S);
        if is_signed && is_fresh && !id.is_empty() { Ok(()) } else { Err(NotGenuine) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<Says, String> {
        let request = ReplyRequest { url: "https://ac.example/reply/webhook", headers: &[], body: body.as_bytes() };
        Webhook.read(&request).map(|mut heard| heard.remove(0).says).map_err(|why| why.to_string())
    }

    #[test]
    fn what_bodies_say() {
        let about = |rest: &str| read(&format!(r#"{{"message":"{}",{rest}}}"#, MessageId::from_bits(3)));
        assert_eq!(about(r#""receipt":"delivered""#), Ok(Says::Delivered("the receiver says so".into())));
        assert_eq!(about(r#""receipt":"delivered","why":"by SMS","more":1"#), Ok(Says::Delivered("by SMS".into())));
        assert_eq!(about(r#""receipt":"failed","why":"the phone\nis off""#), Ok(Says::Failed("the phone is off".into())));
        assert_eq!(about(r#""receipt":"failed""#), Ok(Says::Failed("the receiver does not say why".into())));
        assert_eq!(about(r#""answer":"I can't""#), Ok(Says::Answer("I can't".into())));
        assert_eq!(about(r#""answer":1"#), Ok(Says::Answer("1".into())));
        assert!(matches!(about(&format!(r#""answer":"{}""#, "x".repeat(10_000))), Ok(Says::Answer(cut)) if cut.chars().count() <= 201));
        for (rest, why) in [
            (r#""receipt":"read""#, "neither `delivered`"),
            (r#""answer":true"#, "no text"),
            (r#""why":"x""#, "neither a `receipt`"),
            (r#""receipt":"failed","answer":"1""#, "two requests"),
        ] {
            let told = about(rest).unwrap_err();
            assert!(told.contains(why) && told.contains("\"answer\""), "{told}");
        }
        for body in ["", "[]", "{}", r#"{"message":"inc_1","answer":"1"}"#, r#"{"message":3}"#, "answer=1"] {
            assert!(read(body).unwrap_err().contains("write `{"), "{body}");
        }
    }
}
