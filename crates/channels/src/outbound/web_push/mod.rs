//! The way out to browsers, on a phone or a desk, also where no page of ours is open: channel `web_push`.
//!
//! A message is one push (RFC 8030) to the service that the browser named, sealed for that browser alone ([`seal`]) and signed as
//! ours ([`vapid`]). The service says that it has it, not that anybody saw it: that is told by our worker in the browser, which
//! shows it, and without its word the message counts as not delivered (`back`). Where a page is shown again, or is over, the new
//! one takes the place of the old, in the service by its topic and in the browser by its tag.
//!
//! The address is made by the browser when somebody presses *Ring this browser* there, and is as good as a key: whoever has it can
//! read nothing, but only with our key may anybody push to it. Deliberately not here: pushes without a text, and what a browser
//! may show over *do not disturb*, which is nothing.

mod back;
mod seal;
pub mod vapid;

use std::sync::Arc;

use allclear_domain::channel::{Address, Carriage, ChannelForm, Field, Kept, Limits, Server};
use allclear_domain::org::check::text::url_fault;
use allclear_domain::time::Length;
use allclear_domain::wire::{CODE_LIFE, Channel, Message, Method, NoticeKind, Outcome, Replies, Request, Response, Retired, Step, Target};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use ring::digest;
use serde::Serialize;

use super::answers::{Answer, plain_words};
use super::wording::{Loudness, Words, fitted, one_line};
use vapid::Vapid;

/// Longest title, in characters: no browser shows more.
const TITLE_CHARS_MAX: usize = 200;
/// Longest text, in bytes: more than any shows, and the page behind it has the whole.
const TEXT_BYTES_MAX: usize = 1_500;
/// Characters of a topic (RFC 8030 §5.4).
const TOPIC_CHARS: usize = 32;
/// Longest name of a browser, in characters.
const DEVICE_CHARS_MAX: usize = 60;
/// How long the worker's word is waited for: it comes in seconds, and of a step's usual five minutes four are left for others.
const RECEIPT_WITHIN: Length = Length::from_secs(60);
/// How long a service keeps a page for a browser that is not there, in seconds: until others are asked, but some minutes at least
/// and an hour at most.
const PAGE_TTL_S: std::ops::RangeInclusive<i64> = 300..=3_600;
/// The same of what only tells: it may be read when the day begins.
const TELLS_TTL_S: i64 = 4 * 3_600;

/// The channel's name, and the key of the address.
const NAME: &str = "web_push";
/// The keys of what a browser gives beside it, as it calls them.
const POINT: &str = "p256dh";
const AUTH: &str = "auth";
/// The key of what the browser is called.
const DEVICE: &str = "device";
/// Whoever answers, in a sentence.
const VENDOR: &str = "a push service";

/// What the channel says of itself.
pub static FORM: ChannelForm = ChannelForm {
    name: NAME,
    noun: "browser",
    id_example: "browser",
    fields: &[
        Field {
            key: NAME,
            label: "Push address",
            hint: "As the browser gave it, when somebody pressed *Ring this browser* there.",
            shape: "https://…",
            example: "https://push.example.net/send/f0Rx8zVq2mB",
            needed: true,
            kept: Kept::Secret,
            check: |given| endpoint(given).map(drop),
        },
        Field {
            key: POINT,
            label: "Key of the browser",
            hint: "What messages to it are sealed with; the browser gives it.",
            shape: "B…",
            example: "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
            needed: true,
            kept: Kept::Secret,
            check: |given| point(given).map(drop).ok_or_else(|| "the key is none that a browser gives".to_owned()),
        },
        Field {
            key: AUTH,
            label: "Secret of the browser",
            hint: "What its answers are known by; the browser gives it.",
            shape: "…",
            example: "BTBZMqHH6r4Tts7J_aSIgg",
            needed: true,
            kept: Kept::Secret,
            check: |given| auth(given).map(drop).ok_or_else(|| "the secret is none that a browser gives".to_owned()),
        },
        Field {
            key: DEVICE,
            label: "Name of the browser",
            hint: "For you, to tell it from others.",
            shape: "…",
            example: "Firefox on my phone",
            needed: false,
            kept: Kept::Plain,
            check: |given| {
                let fits = (1..=DEVICE_CHARS_MAX).contains(&given.chars().count()) && !given.chars().any(char::is_control);
                if fits { Ok(()) } else { Err(format!("the name is not 1 to {DEVICE_CHARS_MAX} characters on one line")) }
            },
        },
    ],
    carriage: Carriage::Http(Server::Browser),
    limits: Limits { title_chars: Some(TITLE_CHARS_MAX), text_bytes: Some(seal::RECORD_BYTES), text_chars: None, buttons: 2 },
};

/// The service's origin, of the address that a browser gave; or what is wrong with that.
fn endpoint(given: &str) -> Result<String, String> {
    if let Some(fault) = url_fault(given) {
        return Err(format!("the address {fault}"));
    }
    let (scheme, rest) = given.split_once("://").unwrap_or_default();
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default().to_ascii_lowercase();
    let host = authority.rsplit_once(':').map_or(authority.as_str(), |(host, _)| host);
    // As browsers do: what stays on this machine needs no TLS. Such a one is reached only where an operator admits it.
    let is_here = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
    if authority.contains('@') || !(scheme.eq_ignore_ascii_case("https") || is_here) {
        return Err("the address is none that a browser gives: it begins with `https://`".to_owned());
    }
    Ok(format!("{}://{authority}", scheme.to_ascii_lowercase()))
}

/// The point that messages are sealed for.
fn point(given: &str) -> Option<Vec<u8>> {
    let bytes = URL_SAFE_NO_PAD.decode(given.trim_end_matches('=')).ok()?;
    (bytes.len() == seal::POINT_BYTES && bytes[0] == 4).then_some(bytes)
}

/// The browser's secret.
fn auth(given: &str) -> Option<Vec<u8>> {
    let bytes = URL_SAFE_NO_PAD.decode(given.trim_end_matches('=')).ok()?;
    (bytes.len() == seal::AUTH_BYTES).then_some(bytes)
}

/// What the worker in the browser reads. Addresses are without our host: the worker has come from it.
#[derive(Serialize)]
struct Pushed<'a> {
    title: &'a str,
    body: &'a str,
    /// One is shown of each.
    tag: &'a str,
    /// What the button says that acknowledges.
    #[serde(skip_serializing_if = "Option::is_none")]
    asks: Option<&'static str>,
    /// Where a press leads.
    #[serde(skip_serializing_if = "Option::is_none")]
    open: Option<&'a str>,
    /// It stays until somebody presses.
    urgent: bool,
    /// It makes no sound.
    silent: bool,
    /// What was asked is not asked any more.
    over: bool,
    /// It brings a code, which is typed where one looks after how one is reached.
    code: bool,
    /// When it was decided, in milliseconds.
    at: i64,
    /// How the worker answers; nothing where nothing is heard.
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<HowToAnswer<'a>>,
}

/// How the worker says that it was shown, and what was pressed.
#[derive(Serialize)]
struct HowToAnswer<'a> {
    to: &'a str,
    message: String,
    /// What nobody knows but this browser and whoever it came from.
    proof: String,
}

/// Without scheme and host.
fn path_of(url: &str) -> &str {
    url.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..])).unwrap_or(url)
}

/// Under what something is one thing, to the service and in the browser.
fn topic_of(about: &str) -> String {
    let mut topic = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, about.as_bytes()));
    topic.truncate(TOPIC_CHARS);
    topic
}

/// A page that is sent again is the same page; of several it is the message.
fn topic(message: &Message) -> String {
    match message.notices.as_slice() {
        [one] if one.kind == NoticeKind::Page => topic_of(&one.page.to_string()),
        _ => topic_of(&message.id.to_string()),
    }
}

/// How long a service keeps it, in seconds.
fn ttl(message: &Message, now: Timestamp) -> i64 {
    match message.notices.first().map(|notice| notice.kind) {
        Some(NoticeKind::Code) => i64::try_from(CODE_LIFE.as_secs()).unwrap_or(i64::MAX),
        Some(kind) if !kind.tells() => {
            let until = message.about.as_ref().and_then(|about| about.answer_by);
            until.map_or(*PAGE_TTL_S.end(), |until| (until.as_second() - now.as_second()).clamp(*PAGE_TTL_S.start(), *PAGE_TTL_S.end()))
        }
        Some(_) | None => TELLS_TTL_S,
    }
}

/// What a service is told beside the body.
struct Posting<'a> {
    topic: &'a str,
    ttl: i64,
    urgency: &'static str,
}

/// The channel.
#[derive(Debug, Clone)]
pub struct WebPush {
    vapid: Option<Arc<Vapid>>,
}

impl WebPush {
    /// With this installation's key, where it has one.
    #[must_use]
    pub const fn new(vapid: Option<Arc<Vapid>>) -> Self {
        Self { vapid }
    }

    /// # Errors
    /// Where no request can be made of it, in words.
    fn push(&self, address: &Address, said: &[u8], posting: &Posting<'_>, now: Timestamp) -> Result<Request, String> {
        let vapid = self.vapid.as_ref().ok_or("this server has no key for pushes")?;
        let url = address.get(NAME).ok_or("the contact is no browser")?;
        let origin = endpoint(url)?;
        let point = address.get(POINT).and_then(point).ok_or("the contact has no key of a browser")?;
        let auth = address.get(AUTH).and_then(auth).ok_or("the contact has no secret of a browser")?;
        let body = seal::sealed(said, &point, &auth)?;
        let headers = vec![
            ("content-type", "application/octet-stream".to_owned()),
            ("content-encoding", "aes128gcm".to_owned()),
            ("authorization", vapid.authorization(&origin, now)?),
            ("ttl", posting.ttl.to_string()),
            ("urgency", posting.urgency.to_owned()),
            ("topic", posting.topic.to_owned()),
        ];
        Ok(Request::Http { method: Method::Post, url: url.to_owned(), headers, body })
    }

    /// # Errors
    /// Where no request can be made of it, in words.
    fn request(&self, message: &Message, target: &Target, now: Timestamp) -> Result<Request, String> {
        let words = Words::of(message, TITLE_CHARS_MAX).ok_or("the message has no notice")?;
        let auth = target.address.get(AUTH).and_then(auth).ok_or("the contact has no secret of a browser")?;
        let (links, button, loudness) = (words.links(), words.button(), Loudness::of(message));
        let (topic, id) = (topic(message), message.id.to_string());
        let kind = message.notices.first().map(|notice| notice.kind);
        let said = fitted(TEXT_BYTES_MAX, seal::PLAIN_BYTES_MAX, |room| {
            serde_json::to_vec(&Pushed {
                title: &words.subject,
                body: &words.short(room),
                tag: &topic,
                asks: button.as_ref().map(|button| button.label),
                // The page behind the message's link needs no sign-in.
                open: links.first().map(|link| path_of(&link.href)),
                urgent: matches!(loudness, Loudness::High | Loudness::Alarm),
                silent: loudness == Loudness::Quiet,
                over: false,
                code: kind == Some(NoticeKind::Code),
                at: message.created_at.as_millisecond(),
                answer: message.reply_url.as_deref().map(|to| HowToAnswer {
                    to: path_of(to),
                    message: id.clone(),
                    proof: back::proof(&auth, message.id),
                }),
            })
        })?;
        let urgency = match loudness {
            Loudness::High | Loudness::Alarm => "high",
            Loudness::Normal => "normal",
            Loudness::Quiet => "low",
        };
        self.push(&target.address, &said, &Posting { topic: &topic, ttl: ttl(message, now), urgency }, now)
    }
}

/// What an answer means. A service says 201 to what it has taken, and nothing of whether anybody saw it.
fn outcome(response: &Response, hears: bool) -> Outcome {
    let answer = match Answer::of(response, VENDOR) {
        Ok(answer) => answer,
        Err(none) => return none,
    };
    let why = plain_words(answer.body);
    match answer.status {
        201 | 202 if hears => Outcome::Accepted { receipt: format!("HTTP {}", answer.status), within: RECEIPT_WITHIN },
        201 | 202 => answer.delivered(None),
        200..=299 => answer.strange(VENDOR),
        404 | 410 => answer.rejected("this browser is not rung any more: add it again there, with *Ring this browser*"),
        401 | 403 => answer.rejected(&format!(
            "{}; the browser was added to another installation, or with another key: add it again there",
            why.as_deref().unwrap_or("not allowed")
        )),
        _ => answer.refused(why.as_deref()),
    }
}

impl Channel for WebPush {
    fn form(&self) -> &'static ChannelForm {
        &FORM
    }

    fn start<'a>(&'a self, message: &'a Message, target: &'a Target, now: Timestamp) -> Step<'a> {
        let hears = message.reply_url.is_some();
        self.request(message, target, now)
            .map_or_else(Step::rejected, |request| Step::last(request, move |response| outcome(response, hears)))
    }

    fn replies(&self) -> Option<&dyn Replies> {
        Some(self)
    }

    fn lacks(&self) -> Option<&'static str> {
        self.vapid.is_none().then_some("key for pushes")
    }

    fn retires(&self) -> bool {
        true
    }

    fn retire(&self, sent: &Retired<'_>) -> Option<Request> {
        let incident = &sent.notice.incident;
        let more = if sent.several { " and others" } else { "" };
        let title = format!("[{}] {} {}{more}", incident.severity.to_uppercase(), incident.reference, incident.title);
        let topic = if sent.several { topic_of(&sent.id.to_string()) } else { topic_of(&sent.notice.page.to_string()) };
        let pushed = Pushed {
            title: &one_line(sent.says, TITLE_CHARS_MAX),
            body: &one_line(&title, TITLE_CHARS_MAX),
            tag: &topic,
            asks: None,
            open: Some(path_of(sent.incident_url)),
            urgent: false,
            silent: true,
            over: true,
            code: false,
            at: sent.now.as_millisecond(),
            answer: None,
        };
        let said = serde_json::to_vec(&pushed).ok()?;
        // As long as the page itself may wait there, which this takes the place of.
        let posting = Posting { topic: &topic, ttl: *PAGE_TTL_S.end(), urgency: "normal" };
        self.push(sent.address, &said, &posting, sent.now).ok()
    }

    fn public_key(&self) -> Option<&str> {
        self.vapid.as_deref().map(Vapid::public_key)
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
