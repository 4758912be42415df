//! The way back from Telegram: buttons of a message that were pressed, and what somebody wrote to the bot.
//!
//! Telegram posts updates (<https://core.telegram.org/bots/api#setwebhook>) with the secret in a header that the webhook was set up
//! with; the contact holds the same. A button names its message. What is written in the chat between a person and the bot is an
//! answer as a text message is, by its code or alone; in a group it is talk, and nothing is made of it. Telegram sends again for a
//! day what is not taken, and holds back the rest: whatever it sends is taken, heard or not. The answer may itself be a request of
//! the Bot API, so nothing is asked beside it.

use allclear_domain::channel::Address;
use allclear_domain::ids::MessageId;
use allclear_domain::wire::{Heard, NotGenuine, Of, OwnAnswer, Replies, ReplyRequest, Says, Told, Unreadable};
use jiff::Timestamp;
use ring::hmac;
use serde_json::{Value, json};

use super::sms::answer_of;
use super::telegram::{NAME, SECRET, Telegram};
use super::wording::one_line;

/// Largest body of an update, in bytes: it repeats the message that a button was of.
const UPDATE_BYTES_MAX: usize = 64 * 1024;
/// Longest text that is looked at, in characters.
const WORDS_CHARS_MAX: usize = 200;
/// Longest text that Telegram shows over a button, in characters.
const OVER_CHARS_MAX: usize = 190;
/// The header of the secret.
const HEADER: &str = "x-telegram-bot-api-secret-token";
/// What is said where an answer cannot be kept.
const NOT_NOW: &str = "That could not be written down. Try again in a minute, or use the link.";

/// In constant time, whatever they are.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"compared");
    hmac::verify(&key, one, hmac::sign(&key, other).as_ref()).is_ok()
}

/// What an update says.
enum Update {
    Pressed {
        /// What the answer names.
        query: String,
        by: String,
        chat: String,
        word: String,
        message: MessageId,
    },
    Wrote {
        chat: String,
        text: String,
    },
}

fn number(value: &Value) -> Option<String> {
    value.as_i64().map(|number| number.to_string())
}

/// # Errors
/// Where it is something else.
fn update(body: &[u8]) -> Result<Update, Unreadable> {
    let unreadable = |why: &str| Unreadable(why.to_owned());
    let said: Value = serde_json::from_slice(body).map_err(|_| unreadable("the body is no JSON"))?;
    let pressed = &said["callback_query"];
    if pressed.is_object() {
        let data =
            pressed["data"].as_str().and_then(|data| data.split_once(':')).ok_or_else(|| unreadable("the button is none of ours"))?;
        let message = data.1.parse().map_err(|_| unreadable("the button names no message"))?;
        let (by, chat) = (number(&pressed["from"]["id"]), number(&pressed["message"]["chat"]["id"]));
        let (Some(by), Some(chat)) = (by, chat) else { return Err(unreadable("it does not say who pressed and where")) };
        let query = pressed["id"].as_str().unwrap_or_default().to_owned();
        return Ok(Update::Pressed { query, by, chat, word: one_line(data.0, 40), message });
    }
    let wrote = &said["message"];
    if wrote["chat"]["type"] != "private" {
        return Err(unreadable("only what a person writes to the bot alone is heard"));
    }
    match (number(&wrote["chat"]["id"]), wrote["text"].as_str()) {
        (Some(chat), Some(text)) => Ok(Update::Wrote { chat, text: text.to_owned() }),
        _ => Err(unreadable("there is no text")),
    }
}

impl Telegram {
    fn holds(request: &ReplyRequest<'_>, address: &Address) -> bool {
        match (request.header(HEADER), address.get(SECRET)) {
            (Some(given), Some(secret)) => is_same(given, secret.as_bytes()),
            _ => false,
        }
    }
}

impl Replies for Telegram {
    fn body_bytes_max(&self) -> usize {
        UPDATE_BYTES_MAX
    }

    fn read(&self, request: &ReplyRequest<'_>) -> Result<Vec<Heard>, Unreadable> {
        Ok(vec![match update(request.body)? {
            Update::Pressed { by, word, message, .. } => Heard { of: Of::Pressed { message, by }, says: Says::Answer(word) },
            Update::Wrote { chat, text } => {
                let (code, words) = answer_of(&one_line(&text, WORDS_CHARS_MAX));
                Heard { of: Of::Sender { from: chat, code }, says: Says::Answer(words) }
            }
        }])
    }

    fn genuine(&self, request: &ReplyRequest<'_>, address: &Address, _now: &[Timestamp]) -> Result<(), NotGenuine> {
        let own = address.get(NAME).ok_or(NotGenuine)?;
        let (Update::Pressed { chat, .. } | Update::Wrote { chat, .. }) = update(request.body).map_err(|_| NotGenuine)?;
        if chat == own && Self::holds(request, address) { Ok(()) } else { Err(NotGenuine) }
    }

    fn answer(&self, request: &ReplyRequest<'_>, told: Told<'_>) -> Option<OwnAnswer> {
        let words = match told {
            Told::Taken(words) | Told::Refused(words) => words,
            Told::NotNow | Told::Later => NOT_NOW,
        };
        let body = match update(request.body) {
            Ok(Update::Pressed { query, .. }) => {
                let text = one_line(words, OVER_CHARS_MAX);
                json!({"method": "answerCallbackQuery", "callback_query_id": query, "text": text, "show_alert": !text.is_empty()})
            }
            Ok(Update::Wrote { chat, .. }) if !words.is_empty() => json!({"method": "sendMessage", "chat_id": chat, "text": words}),
            Ok(Update::Wrote { .. }) | Err(_) => json!({}),
        };
        Some(OwnAnswer { media_type: "application/json", body: body.to_string() })
    }

    fn is_by(&self, request: &ReplyRequest<'_>, address: &Address) -> bool {
        Self::holds(request, address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbound::webhook::tests::message;

    const OWN: &str = "q7Vd2kX9nT4mZ8rB3wLc";

    fn address(chat: &str) -> Address {
        Address::of([(NAME, chat), (SECRET, OWN)])
    }

    fn pressed(by: i64, chat: i64, data: &str) -> Vec<u8> {
        json!({"update_id": 1, "callback_query": {"id": "q1", "from": {"id": by}, "message": {"message_id": 42, "chat": {"id": chat}}, "data": data}})
            .to_string()
            .into_bytes()
    }

    fn wrote(chat: i64, kind: &str, text: &str) -> Vec<u8> {
        json!({"update_id": 1, "message": {"message_id": 43, "from": {"id": 5}, "chat": {"id": chat, "type": kind}, "text": text}})
            .to_string()
            .into_bytes()
    }

    #[test]
    fn a_button_names_its_message_and_a_text_its_code() {
        let id = message(1, "x").id;
        let read = |body: &[u8]| Telegram.read(&ReplyRequest { url: "", headers: &[], body });
        let of = Of::Pressed { message: id, by: "5".into() };
        assert_eq!(read(&pressed(5, 5, &format!("acknowledge:{id}"))), Ok(vec![Heard { of, says: Says::Answer("acknowledge".into()) }]));
        let of = Of::Sender { from: "5".into(), code: allclear_domain::wire::ReplyCode::read("4821") };
        assert_eq!(read(&wrote(5, "private", "4821 no")), Ok(vec![Heard { of, says: Says::Answer("no".into()) }]));
        for body in [
            pressed(5, 5, "acknowledge"),
            pressed(5, 5, "acknowledge:INC-1"),
            wrote(-100, "supergroup", "1"),
            br#"{"update_id":1,"edited_message":{}}"#.to_vec(),
            br#"{"update_id":1,"message":{"chat":{"id":5,"type":"private"},"sticker":{}}}"#.to_vec(),
            b"x".to_vec(),
        ] {
            assert!(read(&body).is_err(), "{}", String::from_utf8_lossy(&body));
            let own = Telegram.answer(&ReplyRequest { url: "", headers: &[], body: &body }, Told::Taken("")).unwrap();
            assert!(own.media_type == "application/json", "it is taken all the same");
        }
    }

    #[test]
    fn it_is_telegrams_where_the_header_has_the_contacts_secret() {
        let body = pressed(7, -100, &format!("acknowledge:{}", message(1, "x").id));
        let genuine = |secret: &str, address: &Address| {
            let headers = [(HEADER, secret.as_bytes())];
            Telegram.genuine(&ReplyRequest { url: "", headers: &headers, body: &body }, address, &[]).is_ok()
        };
        assert!(genuine(OWN, &address("-100")));
        assert!(!genuine(OWN, &address("-101")) && !genuine("", &address("-100")) && !genuine(&OWN[1..], &address("-100")));
        assert!(!genuine("", &Address::of([(NAME, "-100")])), "without a secret nothing is heard");
        let said = |told: Told<'_>| Telegram.answer(&ReplyRequest { url: "", headers: &[], body: &body }, told).unwrap().body;
        assert!(said(Told::Taken("You have INC-1.")).contains(r#""method":"answerCallbackQuery""#));
        assert!(said(Told::NotNow).contains("minute"));
    }
}
