//! The way out to Gotify, a push service that people run themselves: channel `gotify`.
//!
//! A message is published as JSON at `/message`, with the token of an application in a header
//! (<https://gotify.net/docs/pushmsg>). A tap on it opens the link of the message, whose page acknowledges; the links stand
//! in the text as well, since other clients have no tap.
//!
//! Gotify knows no id of ours, and has neither buttons nor receipts: what may have arrived already says so in its first line.
//! It deliberately sends plain text, no Markdown: a text from outside would draw in it.

use allclear_domain::channel::{Carriage, ChannelForm, Field, Kept, Limits, Server};
use allclear_domain::org::check::text::url_fault;
use allclear_domain::wire::{Channel, Message, Method, Outcome, Request, Response, Step, Target};
use jiff::Timestamp;
use serde::Serialize;

use super::answers::{Answer, words};
use super::wording::{Loudness, Words};

/// Longest title, in characters: Gotify takes any, and a phone shows less.
const TITLE_CHARS_MAX: usize = 250;
/// Longest text, in bytes: Gotify takes any, and nobody reads more of it on a phone.
const TEXT_BYTES_MAX: usize = 4_000;
/// Longest token of an application that is sent; Gotify's own have 15 characters.
const TOKEN_LEN_MAX: usize = 256;
/// Digits of a message's number that are kept: as many as a number of 64 bits has.
const ID_LEN_MAX: usize = 20;

/// The channel's name, and the key of its address.
const NAME: &str = "gotify";
/// The key of the application's token.
const APP: &str = "app";

/// What the channel says of itself.
pub static FORM: ChannelForm = ChannelForm {
    name: NAME,
    noun: "Gotify server",
    id_example: "gotify",
    fields: &[
        Field {
            key: NAME,
            label: "Server",
            hint: "The address of the Gotify server, as the person's app has it.",
            shape: "https://…",
            example: "https://gotify.example.org",
            needed: true,
            kept: Kept::Plain,
            check: |given| endpoint(given).map(drop),
        },
        Field {
            key: APP,
            label: "Application token",
            hint: "Of an application that is registered there for messages from here; not of a client or a user.",
            shape: "A…",
            example: "A3kQvN9xT_p2LrW",
            needed: true,
            kept: Kept::Secret,
            check: |given| {
                let fits = (1..=TOKEN_LEN_MAX).contains(&given.len()) && given.bytes().all(|b| b.is_ascii_graphic());
                if fits { Ok(()) } else { Err(format!("the token is not 1 to {TOKEN_LEN_MAX} letters, digits and signs")) }
            },
        },
    ],
    carriage: Carriage::Http(Server::Main),
    limits: Limits { title_chars: Some(TITLE_CHARS_MAX), text_bytes: Some(TEXT_BYTES_MAX), text_chars: None, buttons: 0 },
};

/// Where messages are posted; or what is wrong with the server's address. A server may live in a folder of its host.
fn endpoint(given: &str) -> Result<String, String> {
    if let Some(fault) = url_fault(given) {
        return Err(format!("the address {fault}"));
    }
    if given.contains(['?', '#']) {
        return Err("the address has a `?` or a `#` in it; write the server's alone".to_owned());
    }
    if given.contains('@') {
        return Err(format!("the address has a name or a password in it; write the application's token as `{APP}` instead"));
    }
    Ok(format!("{}/message", given.trim_end_matches('/')))
}

/// A message as Gotify takes it.
#[derive(Serialize)]
struct Push<'a> {
    title: &'a str,
    message: String,
    priority: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    extras: Option<Extras<'a>>,
}

#[derive(Serialize)]
struct Extras<'a> {
    #[serde(rename = "client::notification")]
    notification: Notification<'a>,
}

#[derive(Serialize)]
struct Notification<'a> {
    click: Click<'a>,
}

#[derive(Serialize)]
struct Click<'a> {
    url: &'a str,
}

/// As its Android app rings: from 8 loud, from 4 with a sound, below without (<https://github.com/gotify/android#message-priorities>).
const fn priority(loudness: Loudness) -> u8 {
    match loudness {
        Loudness::Alarm => 10,
        Loudness::High => 8,
        Loudness::Normal => 5,
        Loudness::Quiet => 2,
    }
}

/// The channel.
#[derive(Debug)]
pub struct Gotify;

impl Gotify {
    /// # Errors
    /// Where no request can be made of it, in words.
    fn request(message: &Message, target: &Target) -> Result<Request, String> {
        let url = endpoint(target.address.get(NAME).ok_or("the contact is no Gotify server")?)?;
        let token = target.address.get(APP).ok_or("the contact has no token of an application")?;
        let words = Words::of(message, TITLE_CHARS_MAX).ok_or("the message has no notice")?;
        let links = words.links();
        let push = Push {
            title: &words.subject,
            message: words.short_with_links(TEXT_BYTES_MAX),
            priority: priority(Loudness::of(message)),
            extras: links.first().map(|link| Extras { notification: Notification { click: Click { url: &link.href } } }),
        };
        let body = serde_json::to_vec(&push).map_err(|_| "the message cannot be written as JSON".to_owned())?;
        Ok(Request::Http {
            method: Method::Post,
            url,
            headers: vec![("content-type", "application/json".to_owned()), ("x-gotify-key", token.to_owned())],
            body,
        })
    }
}

/// What an answer means.
fn outcome(response: &Response) -> Outcome {
    let answer = match Answer::of(response, NAME) {
        Ok(answer) => answer,
        Err(none) => return none,
    };
    match answer.status {
        200..=299 => match id_of(&answer) {
            Some(id) => answer.delivered(Some(id)),
            None => answer.strange("a Gotify server"),
        },
        401 => answer.rejected("the Gotify server does not take this contact's token: it is the one of an application, not of a client"),
        404 => answer.rejected("no Gotify server answers at this address"),
        _ => answer.refused(words(&answer.json()["errorDescription"]).as_deref()),
    }
}

/// The message's number at the server, with which its answer begins: the message follows, and may be cut.
fn id_of<'a>(answer: &Answer<'a>) -> Option<&'a str> {
    let rest = answer.begins_with("id")?;
    let end = rest.find(|c: char| !c.is_ascii_digit())?;
    (1..=ID_LEN_MAX).contains(&end).then(|| &rest[..end])
}

impl Channel for Gotify {
    fn form(&self) -> &'static ChannelForm {
        &FORM
    }

    fn start<'a>(&'a self, message: &'a Message, target: &'a Target, _now: Timestamp) -> Step<'a> {
        Self::request(message, target).map_or_else(Step::rejected, |request| Step::last(request, outcome))
    }
}

#[cfg(test)]
#[path = "gotify_tests.rs"]
mod tests;
