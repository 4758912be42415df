//! The way out to a channel of Mattermost, by its incoming webhook: channel `mattermost`.
//!
//! A message is one attachment (<https://developers.mattermost.com/integrate/reference/message-attachments/>), whose colour is
//! the severity and whose title leads to the link of the message; the links stand beneath it in full. Rocket.Chat and Slack's
//! older webhooks take the same shape, and answer otherwise: `ok` in plain text or `{"success":true}`, so any yes that is not
//! a page for people counts.
//!
//! It deliberately has no buttons that call back: Mattermost does not sign them. Text from outside calls nobody and leads
//! nowhere (`plain`).

use allclear_domain::channel::{Carriage, ChannelForm, Field, Kept, Limits, Server};
use allclear_domain::org::check::text::url_fault;
use allclear_domain::wire::{Channel, Message, Method, NoticeKind, Outcome, Request, Response, Step, Target};
use jiff::Timestamp;
use serde::Serialize;

use super::answers::{Answer, plain_words, words};
use super::plain::inert;
use super::wording::{Words, fitted};

/// Longest title, in characters, before it is escaped: a line of a chat.
const TITLE_CHARS_MAX: usize = 250;
/// Longest text, in bytes, before it is escaped: more of it is folded away.
const TEXT_BYTES_MAX: usize = 4_000;
/// Longest body, in bytes: older servers of Mattermost take 7,900 characters of attachments, newer ones far more.
const BODY_BYTES_MAX: usize = 7_600;

/// The channel's name, and the key of its address.
const NAME: &str = "mattermost";

/// What the channel says of itself.
pub static FORM: ChannelForm = ChannelForm {
    name: NAME,
    noun: "Mattermost webhook",
    id_example: "chat",
    fields: &[Field {
        key: NAME,
        label: "Incoming webhook",
        hint: "Of Mattermost, or of a chat that takes the same; whoever has the address can write to its channel.",
        shape: "https://…/hooks/…",
        example: "https://chat.example.org/hooks/8xqk1rz5x3gq7kmb1o9w4tnh5e",
        needed: true,
        kept: Kept::Secret,
        check: |given| url_fault(given).map_or(Ok(()), |fault| Err(format!("the address {fault}"))),
    }],
    carriage: Carriage::Http(Server::Main),
    limits: Limits { title_chars: None, text_bytes: Some(BODY_BYTES_MAX), text_chars: None, buttons: 0 },
};

/// A message as an incoming webhook takes it.
#[derive(Serialize)]
struct Post<'a> {
    attachments: [Attachment<'a>; 1],
}

#[derive(Serialize)]
struct Attachment<'a> {
    /// What notifications of phones show.
    fallback: &'a str,
    color: &'static str,
    title: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    title_link: Option<&'a str>,
    text: String,
    fields: Vec<Pair<'a>>,
}

#[derive(Serialize)]
struct Pair<'a> {
    title: &'static str,
    value: &'a str,
    short: bool,
}

/// The colour at the message's side: what is over is green, and the worse the redder.
fn colour(kind: NoticeKind, severity: &str) -> &'static str {
    match (kind, severity) {
        (NoticeKind::Over, _) => "#2e7d32",
        (_, "sev1") => "#b00020",
        (_, "sev2") => "#d9480f",
        (_, "sev3") => "#e8a200",
        (_, "sev4") => "#2b78c5",
        _ => "#6b7280",
    }
}

/// Text from outside as these chats show it as it is: Slack reads `<!channel>`, and all of them read the three entities.
fn shown(text: &str) -> String {
    inert(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The channel.
#[derive(Debug)]
pub struct Mattermost;

impl Mattermost {
    /// # Errors
    /// Where no request can be made of it, in words.
    fn request(message: &Message, target: &Target) -> Result<Request, String> {
        let url = target.address.get(NAME).ok_or("the contact is no Mattermost webhook")?;
        if let Some(fault) = url_fault(url) {
            return Err(format!("the address {fault}"));
        }
        let no_notice = "the message has no notice";
        let words = Words::of(message, TITLE_CHARS_MAX).ok_or(no_notice)?;
        // The worst comes first.
        let worst = message.notices.first().ok_or(no_notice)?;
        let (title, links) = (shown(&words.subject), words.links());
        let body = fitted(TEXT_BYTES_MAX, BODY_BYTES_MAX, |room| {
            let attachment = Attachment {
                fallback: &title,
                color: colour(worst.kind, &worst.incident.severity),
                title: &title,
                title_link: links.first().map(|link| link.href.as_str()),
                text: shown(&words.short(room)),
                // By themselves, so that nothing in the text, as code that never ends, swallows them.
                fields: links.iter().map(|link| Pair { title: link.label, value: &link.href, short: false }).collect(),
            };
            serde_json::to_vec(&Post { attachments: [attachment] })
        })?;
        Ok(Request::Http {
            method: Method::Post,
            url: url.to_owned(),
            headers: vec![("content-type", "application/json".to_owned())],
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
    let said = answer.json();
    // Mattermost, Rocket.Chat, and Slack in plain text.
    let why = words(&said["message"]).or_else(|| words(&said["error"])).or_else(|| plain_words(answer.body).filter(|_| said.is_null()));
    match answer.status {
        200..=299 if said["success"] == false => answer.rejected(why.as_deref().unwrap_or("the chat does not take it")),
        200..=299 if answer.is_page() => answer.strange("a chat's webhook"),
        200..=299 => answer.delivered(None),
        _ => answer.refused(why.as_deref()),
    }
}

impl Channel for Mattermost {
    fn form(&self) -> &'static ChannelForm {
        &FORM
    }

    fn start<'a>(&'a self, message: &'a Message, target: &'a Target, _now: Timestamp) -> Step<'a> {
        Self::request(message, target).map_or_else(Step::rejected, |request| Step::last(request, outcome))
    }
}

#[cfg(test)]
#[path = "mattermost_tests.rs"]
mod tests;
