//! The way out to ntfy, a push service that people run themselves: channel `ntfy`.
//!
//! A message is published as JSON, which ntfy takes at its root alone, with the topic within
//! (<https://docs.ntfy.sh/publish/#publish-as-json>). Its first button POSTs to the link of the message, without a body,
//! and so acknowledges from the lock screen; what it asks of the phone, a ring or nothing, is its priority.
//!
//! ntfy knows no id of ours: what may have arrived already says so in its first line. It deliberately uses no templates,
//! no attachments and no mail of ntfy.

use allclear_domain::channel::{Carriage, ChannelForm, Field, Kept, Limits, Server};
use allclear_domain::org::check::text::url_fault;
use allclear_domain::wire::{Channel, Message, Method, NoticeKind, Outcome, Request, Response, Step, Target};
use jiff::Timestamp;
use serde::Serialize;

use super::answers::{Answer, words};
use super::wording::{Loudness, Words, fitted};

/// Longest title, in characters: ntfy takes 1 KB, and a character has at most four bytes.
const TITLE_CHARS_MAX: usize = 250;
/// Longest text, in bytes: at 4,096 ntfy begins to make an attachment of it.
const TEXT_BYTES_MAX: usize = 4_000;
/// Longest body, in bytes: ntfy reads twice the longest text.
const BODY_BYTES_MAX: usize = 8_192;
/// Longest name of a topic, and of its letters, digits, `-` and `_`.
const TOPIC_LEN_MAX: usize = 64;
/// Longest access token that is sent; ntfy's own have 32 characters.
const TOKEN_LEN_MAX: usize = 256;

/// The channel's name, and the key of its address.
const NAME: &str = "ntfy";
/// The key of its access token.
const TOKEN: &str = "token";

/// What the channel says of itself.
pub static FORM: ChannelForm = ChannelForm {
    name: NAME,
    noun: "ntfy topic",
    id_example: "phone",
    fields: &[
        Field {
            key: NAME,
            label: "Topic",
            hint: "The ntfy server and the topic that the phone has subscribed to; who knows its name can read it, unless the server asks for a token.",
            shape: "https://…/topic",
            example: "https://ntfy.example.org/ana-k3v9",
            needed: true,
            kept: Kept::Plain,
            check: |given| place(given).map(drop),
        },
        Field {
            key: TOKEN,
            label: "Access token",
            hint: "Where the server lets nobody else publish.",
            shape: "tk_…",
            example: "tk_AgQdq7mVBoFD37zQVN29RhuMzNIz2",
            needed: false,
            kept: Kept::Secret,
            check: |given| {
                let fits = (1..=TOKEN_LEN_MAX).contains(&given.len()) && given.bytes().all(|b| b.is_ascii_graphic());
                if fits { Ok(()) } else { Err(format!("the token is not 1 to {TOKEN_LEN_MAX} letters, digits and signs")) }
            },
        },
    ],
    carriage: Carriage::Http(Server::Main),
    limits: Limits { title_chars: Some(TITLE_CHARS_MAX), text_bytes: Some(TEXT_BYTES_MAX), text_chars: None, buttons: 3 },
};

/// The server's root, and the topic; or what is wrong with the address.
fn place(given: &str) -> Result<(&str, &str), String> {
    if let Some(fault) = url_fault(given) {
        return Err(format!("the address {fault}"));
    }
    let start = given.find("://").map_or(0, |at| at + 3);
    let (authority, topic) = given[start..].split_once('/').ok_or("the address names no topic")?;
    if authority.contains('@') {
        return Err("the address has a name or a password in it; write a `token` instead".to_owned());
    }
    let is_topic =
        (1..=TOPIC_LEN_MAX).contains(&topic.len()) && topic.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    if !is_topic {
        return Err(format!("the address ends in no topic: letters, digits, `-` and `_`, at most {TOPIC_LEN_MAX}"));
    }
    Ok((&given[..start + authority.len() + 1], topic))
}

/// A message as ntfy publishes it.
#[derive(Serialize)]
struct Publish<'a> {
    topic: &'a str,
    title: &'a str,
    message: String,
    priority: u8,
    tags: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    click: Option<&'a str>,
    actions: Vec<Button<'a>>,
}

#[derive(Serialize)]
struct Button<'a> {
    action: &'static str,
    label: &'static str,
    url: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<&'static str>,
    /// Whether the notification goes when it is done.
    clear: bool,
}

/// From 5, which rings through, to 2, which makes no sound.
const fn priority(loudness: Loudness) -> u8 {
    match loudness {
        Loudness::Alarm => 5,
        Loudness::High => 4,
        Loudness::Normal => 3,
        Loudness::Quiet => 2,
    }
}

/// A word that ntfy shows as a sign.
const fn sign(kind: NoticeKind) -> &'static str {
    match kind {
        NoticeKind::Page => "rotating_light",
        NoticeKind::StillOnIt | NoticeKind::ConfirmRecovery => "question",
        NoticeKind::Reminder | NoticeKind::Readiness | NoticeKind::Note | NoticeKind::Shift => "bell",
        NoticeKind::Update => "loudspeaker",
        NoticeKind::Request => "incoming_envelope",
        NoticeKind::Over | NoticeKind::Step => "white_check_mark",
        NoticeKind::Code => "key",
        NoticeKind::Drill => "fire_extinguisher",
    }
}

/// The channel.
#[derive(Debug)]
pub struct Ntfy;

impl Ntfy {
    /// # Errors
    /// Where no request can be made of it, in words.
    fn request(message: &Message, target: &Target) -> Result<Request, String> {
        let (url, topic) = place(target.address.get(NAME).ok_or("the contact is no ntfy topic")?)?;
        let no_notice = "the message has no notice";
        let words = Words::of(message, TITLE_CHARS_MAX).ok_or(no_notice)?;
        // The worst comes first.
        let worst = message.notices.first().ok_or(no_notice)?;
        let button = words.button();
        let press = button.as_ref().map(|button| Button {
            action: "http",
            label: button.label,
            url: &button.href,
            method: Some("POST"),
            clear: true,
        });
        let open = words.page().map(|url| Button { action: "view", label: "Open", url, method: None, clear: false });
        let mut publish = Publish {
            topic,
            title: &words.subject,
            message: String::new(),
            priority: priority(Loudness::of(message)),
            tags: [sign(worst.kind), worst.incident.severity.as_str()].into_iter().filter(|tag| !tag.is_empty()).collect(),
            click: words.page(),
            actions: press.into_iter().chain(open).collect(),
        };
        let body = fitted(TEXT_BYTES_MAX, BODY_BYTES_MAX, |room| {
            publish.message = words.short(room);
            // Signs that JSON writes twice.
            serde_json::to_vec(&publish)
        })?;
        let mut headers = vec![("content-type", "application/json".to_owned())];
        if let Some(token) = target.address.get(TOKEN) {
            headers.push(("authorization", format!("Bearer {token}")));
        }
        Ok(Request::Http { method: Method::Post, url: url.to_owned(), headers, body })
    }
}

/// What an answer means.
fn outcome(response: &Response) -> Outcome {
    let answer = match Answer::of(response, NAME) {
        Ok(answer) => answer,
        Err(none) => return none,
    };
    match answer.status {
        200..=299 => answer.delivered(id_of(answer.body)),
        401 => answer.rejected("the ntfy server does not take this contact's token, or wants one"),
        403 => answer.rejected("this contact may not publish to its topic"),
        404 => answer.rejected("no ntfy server answers at this address"),
        _ => answer.refused(words(&answer.json()["error"]).as_deref()),
    }
}

/// The message's id at the server, which an answer begins with; the rest of a long one is cut.
fn id_of(body: &str) -> Option<&str> {
    let (id, _) = body.strip_prefix("{\"id\":\"")?.split_once('"')?;
    (!id.is_empty() && id.len() <= 64 && id.bytes().all(|b| b.is_ascii_alphanumeric())).then_some(id)
}

impl Channel for Ntfy {
    fn form(&self) -> &'static ChannelForm {
        &FORM
    }

    fn start<'a>(&'a self, message: &'a Message, target: &'a Target, _now: Timestamp) -> Step<'a> {
        Self::request(message, target).map_or_else(Step::rejected, |request| Step::last(request, outcome))
    }
}

#[cfg(test)]
#[path = "ntfy_tests.rs"]
mod tests;
