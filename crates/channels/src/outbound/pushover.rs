//! The way out to phones over Pushover: channel `pushover`.
//!
//! A message is a form posted to `/1/messages.json` (<https://pushover.net/api>). Where somebody is to be woken for the worst
//! severity it is one of Pushover's emergencies: the phone rings again and again until somebody acknowledges there, and that
//! calls back. Pushover signs nothing, so what it calls is the link of the message itself, which nobody can guess and which a
//! POST acknowledges; there is nothing else to be proved, and `/reply/pushover` is deliberately not there.
//!
//! What rings is not taken back when somebody acknowledges elsewhere, since nothing tells a channel that: it stops by itself
//! when others are asked. Pushover knows no id of ours: what may have arrived already says so in its first line.

use allclear_domain::channel::{Carriage, ChannelForm, Field, Kept, Limits, Server};
use allclear_domain::org::check::text::url_fault;
use allclear_domain::wire::{Channel, Message, Method, Outcome, Request, Response, Step, Target};
use jiff::Timestamp;
use serde_json::Value;

use super::answers::{Answer, plain_words};
use super::wording::{Button, Loudness, Words};

/// Longest title, in characters (<https://pushover.net/api#limits>).
const TITLE_CHARS_MAX: usize = 250;
/// Longest text, in bytes: Pushover takes as many characters, and none has less than a byte.
const TEXT_BYTES_MAX: usize = 1_024;
/// Longest link beside the text, in characters.
const URL_CHARS_MAX: usize = 512;
/// Characters of a key of a user, a group or an application.
const KEY_LEN: usize = 30;
/// How often an emergency rings, in seconds: as often as Pushover lets it.
const RING_EVERY_S: i64 = 30;
/// How long an emergency rings, in seconds, where the message does not say when others are asked: as long as a step usually
/// waits.
const RINGS_FOR_S: i64 = 300;
/// The shortest and the longest that it rings, in seconds: some times at least, and no longer than ten minutes where the step
/// waits for hours, since nothing takes it back. Pushover's own longest is 10,800.
const RINGS_FOR_S_MIN: i64 = 90;
const RINGS_FOR_S_MAX: i64 = 600;

/// The channel's name, and the key of the user.
const NAME: &str = "pushover";
/// The key of the application's token.
const APP: &str = "app";
/// The key of the server, and where it is unless said otherwise.
const SERVER: &str = "server";
const USUAL_SERVER: &str = "https://api.pushover.net";

/// What the channel says of itself.
pub static FORM: ChannelForm = ChannelForm {
    name: NAME,
    noun: "Pushover user",
    id_example: "pushover",
    fields: &[
        Field {
            key: NAME,
            label: "User key",
            hint: "The key of the person, or of a group, as Pushover shows it to them.",
            shape: "u…",
            example: "uQiRzpo4DXghDmr9QzzfQu27cmVRsG",
            needed: true,
            kept: Kept::Secret,
            check: |given| key(given, "key"),
        },
        Field {
            key: APP,
            label: "Application token",
            hint: "Of an application that is registered there for messages from here; not of a client or a user.",
            shape: "a…",
            example: "azGDORePK8gMaC0QOYAMyEEuzJnyUi",
            needed: true,
            kept: Kept::Secret,
            check: |given| key(given, "token"),
        },
        Field {
            key: SERVER,
            label: "Server",
            hint: "Another one that speaks the same; left out, it is the vendor's own.",
            shape: "https://…",
            example: "https://push.example.org",
            needed: false,
            kept: Kept::Plain,
            check: |given| endpoint(given).map(drop),
        },
    ],
    carriage: Carriage::Http(Server::Field { key: SERVER, usual: USUAL_SERVER }),
    limits: Limits { title_chars: Some(TITLE_CHARS_MAX), text_bytes: Some(TEXT_BYTES_MAX), text_chars: None, buttons: 0 },
};

/// What is wrong with a key or a token, which is not repeated.
fn key(given: &str, what: &str) -> Result<(), String> {
    let fits = given.len() == KEY_LEN && given.bytes().all(|b| b.is_ascii_alphanumeric());
    if fits { Ok(()) } else { Err(format!("the {what} is not {KEY_LEN} letters and digits")) }
}

/// Where messages are posted; or what is wrong with the server's address.
fn endpoint(given: &str) -> Result<String, String> {
    if let Some(fault) = url_fault(given) {
        return Err(format!("the address {fault}"));
    }
    if given.contains(['?', '#', '@']) {
        return Err("the address has a `?`, a `#` or a name in it; write the server's alone".to_owned());
    }
    Ok(format!("{}/1/messages.json", given.trim_end_matches('/')))
}

/// From 2, an emergency, to -1, which makes no sound.
const fn priority(loudness: Loudness) -> i8 {
    match loudness {
        Loudness::Alarm => 2,
        Loudness::High => 1,
        Loudness::Normal => 0,
        Loudness::Quiet => -1,
    }
}

/// How long an emergency rings, in seconds: until others are asked, whose phones ring then.
fn rings_for(message: &Message, now: Timestamp) -> i64 {
    let until = message.about.as_ref().and_then(|about| about.answer_by);
    let left = until.map_or(RINGS_FOR_S, |until| until.as_second() - now.as_second());
    left.clamp(RINGS_FOR_S_MIN, RINGS_FOR_S_MAX)
}

/// A form as browsers post it: what is no letter, digit or `-._~` in percent form.
fn form(pairs: &[(&str, &str)]) -> Vec<u8> {
    let mut out = String::new();
    for (name, value) in pairs {
        if !out.is_empty() {
            out.push('&');
        }
        out.push_str(name);
        out.push('=');
        for byte in value.bytes() {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
                out.push(char::from(byte));
            } else {
                out.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    out.into_bytes()
}

/// The channel.
#[derive(Debug)]
pub struct Pushover;

impl Pushover {
    /// # Errors
    /// Where no request can be made of it, in words.
    fn request(message: &Message, target: &Target, now: Timestamp) -> Result<Request, String> {
        let user = target.address.get(NAME).ok_or("the contact is no Pushover user")?;
        key(user, "key")?;
        let token = target.address.get(APP).ok_or("the contact has no token of an application")?;
        let url = endpoint(FORM.server(&target.address).unwrap_or(USUAL_SERVER))?;
        let words = Words::of(message, TITLE_CHARS_MAX).ok_or("the message has no notice")?;
        // Beside the text where it may stand there, else within.
        let (beside, within): (Vec<Button>, Vec<Button>) =
            words.links().into_iter().partition(|link| link.href.chars().count() <= URL_CHARS_MAX);
        let text = if within.is_empty() { words.short(TEXT_BYTES_MAX) } else { words.short_with_links(TEXT_BYTES_MAX) };
        let loudness = Loudness::of(message);
        let (priority, every) = (priority(loudness).to_string(), RING_EVERY_S.to_string());
        let rings_for = rings_for(message, now).to_string();
        let mut pairs = vec![("token", token), ("user", user), ("title", words.subject.as_str()), ("message", text.as_str())];
        pairs.push(("priority", priority.as_str()));
        if let Some(link) = beside.first() {
            pairs.extend([("url", link.href.as_str()), ("url_title", link.label)]);
        }
        let button = words.button();
        if loudness == Loudness::Alarm {
            pairs.extend([("retry", every.as_str()), ("expire", rings_for.as_str())]);
            if let Some(button) = &button {
                pairs.push(("callback", button.href.as_str()));
            }
        }
        let headers = vec![("content-type", "application/x-www-form-urlencoded".to_owned())];
        Ok(Request::Http { method: Method::Post, url, headers, body: form(&pairs) })
    }
}

/// What an answer means. Pushover says `"status":1` to what it has taken, and asks not to be asked again after a 4xx.
fn outcome(response: &Response) -> Outcome {
    let answer = match Answer::of(response, NAME) {
        Ok(answer) => answer,
        Err(none) => return none,
    };
    let said = answer.json();
    match (answer.is_yes(), said["status"].as_u64()) {
        (true, Some(1)) => answer.delivered(id_of(&said)),
        (true, Some(_)) => answer.rejected(errors(&said).as_deref().unwrap_or("Pushover does not take it")),
        (true, None) => answer.strange("Pushover"),
        (false, _) => answer.refused(errors(&said).as_deref()),
    }
}

/// What is wrong, as one line.
fn errors(said: &Value) -> Option<String> {
    let errors: Vec<&str> = said["errors"].as_array()?.iter().filter_map(Value::as_str).collect();
    plain_words(&errors.join("; "))
}

/// The request's id at Pushover, by which its people find it.
fn id_of(said: &Value) -> Option<&str> {
    said["request"].as_str().filter(|id| id.len() <= 64 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'))
}

impl Channel for Pushover {
    fn form(&self) -> &'static ChannelForm {
        &FORM
    }

    fn start<'a>(&'a self, message: &'a Message, target: &'a Target, now: Timestamp) -> Step<'a> {
        Self::request(message, target, now).map_or_else(Step::rejected, |request| Step::last(request, outcome))
    }
}

#[cfg(test)]
#[path = "pushover_tests.rs"]
mod tests;
