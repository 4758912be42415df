//! The way out to a channel or a chat of Microsoft Teams, by the address of a workflow: channel `teams`.
//!
//! A message is an Adaptive Card 1.4 in the envelope that the workflow *When a Teams webhook request is received* posts, with
//! a button for each link (<https://learn.microsoft.com/en-us/connectors/teams/>). A workflow only takes: what is acknowledged
//! is acknowledged behind the link. The older connectors, which took another shape, are gone.
//!
//! 202 says that the workflow has it, not that it is posted: a workflow that fails after that fails unseen. It deliberately
//! mentions nobody. Text from outside calls nobody and leads nowhere (`plain`).

use allclear_domain::channel::{Carriage, ChannelForm, Field, Kept, Limits, Server};
use allclear_domain::org::check::text::url_fault;
use allclear_domain::wire::{Channel, Message, Method, NoticeKind, Outcome, Request, Response, Step, Target};
use jiff::Timestamp;
use serde::Serialize;

use super::answers::{Answer, words};
use super::plain::inert;
use super::wording::{Words, fitted};

/// Longest title, in characters: a line or two of a card.
const TITLE_CHARS_MAX: usize = 250;
/// Longest text, in bytes.
const TEXT_BYTES_MAX: usize = 4_000;
/// Longest body, in bytes: Teams takes about 28 KB, and has been seen to count two bytes for each letter.
const BODY_BYTES_MAX: usize = 14_000;

/// The channel's name, and the key of its address.
const NAME: &str = "teams";

/// What the channel says of itself.
pub static FORM: ChannelForm = ChannelForm {
    name: NAME,
    noun: "Teams workflow",
    id_example: "teams",
    fields: &[Field {
        key: NAME,
        label: "Workflow address",
        hint: "Of the workflow that posts what a webhook receives; whoever has the address can write to its channel.",
        shape: "https://…",
        example: "https://prod-01.westeurope.logic.azure.com/workflows/4f6c0d1e2b3a/triggers/manual/paths/invoke?api-version=2016-06-01&sv=1.0&sig=pXw3kQ9vN2xT7LrWb5cYz8",
        needed: true,
        kept: Kept::Secret,
        check: |given| url_fault(given).map_or(Ok(()), |fault| Err(format!("the address {fault}"))),
    }],
    carriage: Carriage::Http(Server::Main),
    limits: Limits { title_chars: None, text_bytes: Some(BODY_BYTES_MAX), text_chars: None, buttons: 2 },
};

/// The envelope.
#[derive(Serialize)]
struct Post<'a> {
    r#type: &'static str,
    attachments: [Attachment<'a>; 1],
}

#[derive(Serialize)]
struct Attachment<'a> {
    #[serde(rename = "contentType")]
    content_type: &'static str,
    #[serde(rename = "contentUrl")]
    content_url: Option<&'static str>,
    content: Card<'a>,
}

#[derive(Serialize)]
struct Card<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    r#type: &'static str,
    version: &'static str,
    body: Vec<Block>,
    actions: Vec<Action<'a>>,
}

/// One line: a card knows no line breaks that all clients show.
#[derive(Serialize)]
struct Block {
    r#type: &'static str,
    text: String,
    wrap: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    weight: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    color: Option<&'static str>,
    spacing: &'static str,
}

impl Block {
    fn line(text: &str) -> Self {
        Self { r#type: "TextBlock", text: inert(text), wrap: true, weight: None, color: None, spacing: "None" }
    }
}

#[derive(Serialize)]
struct Action<'a> {
    r#type: &'static str,
    title: &'static str,
    url: &'a str,
}

/// The colour of the title: what is over is good, and the worst stands out.
fn colour(kind: NoticeKind, severity: &str) -> Option<&'static str> {
    match (kind, severity) {
        (NoticeKind::Over, _) => Some("Good"),
        (_, "sev1" | "sev2") => Some("Attention"),
        (_, "sev3") => Some("Warning"),
        _ => None,
    }
}

/// The channel.
#[derive(Debug)]
pub struct Teams;

impl Teams {
    /// # Errors
    /// Where no request can be made of it, in words.
    fn request(message: &Message, target: &Target) -> Result<Request, String> {
        let url = target.address.get(NAME).ok_or("the contact is no Teams workflow")?;
        if let Some(fault) = url_fault(url) {
            return Err(format!("the address {fault}"));
        }
        let no_notice = "the message has no notice";
        let words = Words::of(message, TITLE_CHARS_MAX).ok_or(no_notice)?;
        // The worst comes first.
        let worst = message.notices.first().ok_or(no_notice)?;
        let links = words.links();
        let body = fitted(TEXT_BYTES_MAX, BODY_BYTES_MAX, |room| {
            let text = words.short(room);
            let title = Block {
                weight: Some("Bolder"),
                color: colour(worst.kind, &worst.incident.severity),
                spacing: "Default",
                ..Block::line(&words.subject)
            };
            let lines = text.lines().filter(|line| !line.trim().is_empty()).map(Block::line);
            let card = Card {
                schema: "http://adaptivecards.io/schemas/adaptive-card.json",
                r#type: "AdaptiveCard",
                version: "1.4",
                body: std::iter::once(title).chain(lines).collect(),
                actions: links.iter().map(|link| Action { r#type: "Action.OpenUrl", title: link.label, url: &link.href }).collect(),
            };
            let attachment = Attachment { content_type: "application/vnd.microsoft.card.adaptive", content_url: None, content: card };
            // Many short lines: each is a block of its own.
            serde_json::to_vec(&Post { r#type: "message", attachments: [attachment] })
        })?;
        Ok(Request::Http {
            method: Method::Post,
            url: url.to_owned(),
            headers: vec![("content-type", "application/json; charset=utf-8".to_owned())],
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
    let why = words(&said["error"]["message"]).or_else(|| words(&said["error"]["code"]));
    match answer.status {
        200..=299 if answer.is_page() => answer.strange("a workflow"),
        200..=299 => answer.delivered(None),
        404 => answer.rejected(why.as_deref().unwrap_or("there is no workflow at this address any more")),
        _ => answer.refused(why.as_deref()),
    }
}

impl Channel for Teams {
    fn form(&self) -> &'static ChannelForm {
        &FORM
    }

    fn start<'a>(&'a self, message: &'a Message, target: &'a Target, _now: Timestamp) -> Step<'a> {
        Self::request(message, target).map_or_else(Step::rejected, |request| Step::last(request, outcome))
    }
}

#[cfg(test)]
#[path = "teams_tests.rs"]
mod tests;
