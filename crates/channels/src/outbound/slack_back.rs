//! The way back from Slack: buttons that were pressed, and lines that were typed behind `/allclear`.
//!
//! Both come as a form, posted by Slack or over a connection that we opened to it (`slack_socket`). What is posted is signed with the app's signing secret over the time and the bytes
//! (<https://docs.slack.dev/authentication/verifying-requests-from-slack>). A button names its message, and the payload who
//! pressed it: whoever holds the address that the message went to, or somebody in the channel that it went to. What became of it
//! is whispered to whoever pressed (`chat.postEphemeral`), since Slack shows no answer to a button; a line is answered at once, and
//! only whoever typed it reads that. Slack waits three seconds: what takes longer is said by the line's `response_url`.

use allclear_domain::channel::Address;
use allclear_domain::hex::hex;
use allclear_domain::ids::MessageId;
use allclear_domain::incident::NOTE_CHARS_MAX;
use allclear_domain::time::Length;
use allclear_domain::wire::{Heard, Line, Method, NotGenuine, Of, OwnAnswer, Replies, ReplyRequest, Request, Says, Told, Unreadable};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use serde_json::Value;
use sha2::Sha256;

use super::form::Fields;
use super::slack::{NAME, OPEN, Slack, is_shared, said};
use super::wording::one_line;
use crate::inbound::signed::FRESH_S;
use crate::inbound::text::{clean, cut};

/// Largest body of what comes back, in bytes: a payload repeats its message, whose text is short, and what Slack adds to it.
pub const REPLY_BYTES_MAX: usize = 128 * 1024;
/// How long we take for an answer at most: Slack waits for three seconds, and the way there and back is part of them.
const PATIENCE: Length = Length::from_millis(2_500);
/// Characters of what names a request; a signature has 67, what names an invocation some 60.
const KEY_CHARS_MAX: usize = 128;
/// Longest line that is looked at, in characters: a note and the words before it; a longer one is refused as too long a note is.
const LINE_CHARS_MAX: usize = NOTE_CHARS_MAX + 100;
/// The headers of the time and of the signature.
const TIME: &str = "x-slack-request-timestamp";
const SIGNATURE: &str = "x-slack-signature";
/// What a signature begins with.
const VERSION: &str = "v0";
/// What is said where it cannot be kept in time.
const NOT_NOW: &str = "That could not be written down. Look whether it was taken, and try again in a minute.";
/// What is said where it takes longer than Slack waits.
const LATER: &str = "That takes a moment; what became of it will stand here.";
/// Longest address of an answer that is given later, in characters; Slack's have some 100.
const URL_CHARS_MAX: usize = 2_000;

/// What a signature of these bytes is, with what stands before its digits.
#[must_use]
pub fn signature(secret: &str, time: &str, body: &[u8]) -> String {
    format!("{VERSION}={}", hex(&mac(secret, time, body).finalize().into_bytes()))
}

fn mac(secret: &str, time: &str, body: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(format!("{VERSION}:{time}:").as_bytes());
    mac.update(body);
    mac
}

/// The bytes that these digits say; nothing where they are not 32 bytes.
fn bytes_of(digits: &str) -> Option<Vec<u8>> {
    let digit = |b: u8| char::from(b).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let pairs = (digits.len() == 64).then(|| digits.as_bytes().chunks_exact(2))?;
    pairs.map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

/// What a request says, whichever of the two it is.
enum Brought {
    Press(Press),
    Line(Typed),
}

/// A line that was typed.
struct Typed {
    /// The member's ID.
    from: String,
    words: String,
    /// What names the invocation, which Slack makes anew for each.
    trigger: Option<String>,
    /// Where it is answered later.
    url: Option<String>,
}

/// A button that was pressed.
struct Press {
    /// The member's ID.
    by: String,
    /// The channel's, where the payload names one.
    channel: Option<String>,
    /// The button's word.
    word: String,
    message: Option<MessageId>,
}

fn text(value: &Value) -> Option<String> {
    Some(one_line(value.as_str()?, 64)).filter(|text| !text.is_empty())
}

/// # Errors
/// Why it is neither.
fn brought(request: &ReplyRequest<'_>) -> Result<Brought, Unreadable> {
    let unreadable = |why: &str| Unreadable(why.to_owned());
    let fields = Fields::read(request.body).ok_or_else(|| unreadable("the body is no form"))?;
    if fields.get("command").is_some() {
        let from = fields.get("user_id").filter(|from| !from.is_empty()).ok_or_else(|| unreadable("a command has a `user_id`"))?;
        // A note may have several lines.
        let typed = fields.get("text").unwrap_or_default().replace("\r\n", "\n");
        let words = cut(clean(&typed).trim(), LINE_CHARS_MAX).to_owned();
        let given = |name| fields.get(name).map(|text| one_line(text, URL_CHARS_MAX)).filter(|text| !text.is_empty());
        let (trigger, url) = (given("trigger_id"), given("response_url"));
        return Ok(Brought::Line(Typed { from: one_line(from, 64), words: unescaped(&words), trigger, url }));
    }
    let payload = fields.get("payload").ok_or_else(|| unreadable("a form of Slack has a `payload`, or is of a `command`"))?;
    let payload: Value = serde_json::from_str(payload).map_err(|_| unreadable("the `payload` is no JSON"))?;
    if payload["type"] != "block_actions" {
        return Err(unreadable("only buttons that were pressed are heard: the `type` of the payload is not `block_actions`"));
    }
    let by = text(&payload["user"]["id"]).ok_or_else(|| unreadable("the payload has no `user`"))?;
    let action = &payload["actions"][0];
    let word = text(&action["action_id"]).ok_or_else(|| unreadable("the payload has no `actions`"))?;
    let message = action["value"].as_str().and_then(|value| value.parse().ok());
    let channel = text(&payload["channel"]["id"]).or_else(|| text(&payload["container"]["channel_id"]));
    Ok(Brought::Press(Press { by, channel, word, message }))
}

/// What somebody typed, as they typed it: Slack escapes three signs.
fn unescaped(words: &str) -> String {
    words.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// An answer that only whoever typed the line reads.
fn to_them_alone(words: &str) -> String {
    let mut body = said(words);
    body["response_type"] = "ephemeral".into();
    body.to_string()
}

impl Slack {
    /// What is whispered to whoever pressed.
    fn whispered(&self, press: &Press, words: &str) -> Option<Request> {
        let channel = press.channel.as_ref().filter(|_| !words.is_empty() && !press.word.starts_with(OPEN))?;
        Some(self.workspace.as_ref()?.whisper(channel, &press.by, words))
    }

    /// In constant time for each secret. The time is signed as well, so it is looked at last.
    fn is_signed(&self, request: &ReplyRequest<'_>, now: &[Timestamp]) -> bool {
        // We opened that connection ourselves, to Slack, by TLS and with a token.
        if request.over_connection().is_some() && self.workspace.as_ref().is_some_and(|own| own.app.is_some()) {
            return true;
        }
        let header = |name| request.header(name).and_then(|value| std::str::from_utf8(value).ok());
        let (Some(time), Some(given), Some(workspace)) = (header(TIME), header(SIGNATURE), &self.workspace) else { return false };
        let Some(given) = given.strip_prefix(VERSION).and_then(|rest| rest.strip_prefix('=')).and_then(bytes_of) else { return false };
        let is_signed = workspace.signing.iter().any(|secret| mac(secret, time, request.body).verify_slice(&given).is_ok());
        let is_fresh = time.parse::<i64>().is_ok_and(|signed_at| now.iter().any(|now| now.as_second().abs_diff(signed_at) <= FRESH_S));
        is_signed && is_fresh
    }
}

impl Replies for Slack {
    fn body_bytes_max(&self) -> usize {
        REPLY_BYTES_MAX
    }

    fn read(&self, request: &ReplyRequest<'_>) -> Result<Vec<Heard>, Unreadable> {
        let Press { by, word, message, .. } = match brought(request)? {
            Brought::Press(press) => press,
            Brought::Line(_) => return Err(Unreadable("a line is about no message".to_owned())),
        };
        let message = message.ok_or_else(|| Unreadable("the button's `value` is no id of a message".to_owned()))?;
        // A link that was followed is told as well.
        let says = if word.starts_with(OPEN) { Says::Nothing } else { Says::Answer(word) };
        Ok(vec![Heard { of: Of::Pressed { message, by }, says }])
    }

    fn genuine(&self, request: &ReplyRequest<'_>, address: &Address, now: &[Timestamp]) -> Result<(), NotGenuine> {
        let own = address.get(NAME).ok_or(NotGenuine)?;
        let is_theirs = match brought(request).map_err(|_| NotGenuine)? {
            Brought::Press(press) if is_shared(own) => press.channel.as_deref() == Some(own),
            // The chat between a member and the app has an ID of its own; who pressed is who holds the address.
            Brought::Press(press) => press.by == own,
            Brought::Line(line) => line.from == own,
        };
        if is_theirs && self.is_signed(request, now) { Ok(()) } else { Err(NotGenuine) }
    }

    fn answer(&self, request: &ReplyRequest<'_>, told: Told<'_>) -> Option<OwnAnswer> {
        let words = match told {
            Told::Taken(words) | Told::Refused(words) => words,
            Told::NotNow => NOT_NOW,
            Told::Later => LATER,
        };
        match brought(request).ok()? {
            // Slack shows nothing of it.
            Brought::Press(_) => Some(OwnAnswer { media_type: "text/plain; charset=utf-8", body: String::new() }),
            Brought::Line(_) => Some(OwnAnswer { media_type: "application/json", body: to_them_alone(words) }),
        }
    }

    fn line(&self, request: &ReplyRequest<'_>) -> Option<Line> {
        let by_request = || {
            let name = request.over_connection().map(str::as_bytes).or_else(|| request.header(SIGNATURE)).unwrap_or_default();
            String::from_utf8_lossy(name).into_owned()
        };
        match brought(request).ok()? {
            Brought::Line(Typed { from, words, trigger, .. }) => {
                let key = trigger.unwrap_or_else(by_request).chars().take(KEY_CHARS_MAX).collect();
                Some(Line { from, words, key })
            }
            Brought::Press(_) => None,
        }
    }

    fn is_of_vendor(&self, request: &ReplyRequest<'_>, now: &[Timestamp]) -> bool {
        self.is_signed(request, now)
    }

    fn says_back(&self, request: &ReplyRequest<'_>, told: Told<'_>) -> Option<Request> {
        let words = match told {
            Told::Taken(words) | Told::Refused(words) => words,
            Told::NotNow => NOT_NOW,
            // What became of it is whispered when it is known.
            Told::Later => return None,
        };
        let Brought::Press(press) = brought(request).ok()? else { return None };
        self.whispered(&press, words)
    }

    fn says_later(&self, request: &ReplyRequest<'_>, told: Told<'_>) -> Option<Request> {
        let words = match told {
            Told::Taken(words) | Told::Refused(words) => words,
            Told::NotNow => NOT_NOW,
            Told::Later => LATER,
        };
        match brought(request).ok()? {
            // It has no answer of its own anyway.
            Brought::Press(press) => self.whispered(&press, words),
            Brought::Line(line) => {
                let url = line.url?;
                // As secret as what is asked of Slack itself.
                let in_the_clear = self.workspace.as_ref()?.url.starts_with("http://");
                let is_one = url.starts_with("https://") || (in_the_clear && url.starts_with("http://"));
                is_one.then(|| Request::Http {
                    method: Method::Post,
                    url,
                    headers: vec![("content-type", "application/json; charset=utf-8".to_owned())],
                    body: to_them_alone(words).into_bytes(),
                })
            }
        }
    }

    fn patience(&self) -> Option<Length> {
        Some(PATIENCE)
    }
}
