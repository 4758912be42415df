//! The way out over signed HTTP, after Standard Webhooks 1.0: channel `webhook`.
//!
//! The body is the contract's page (`"type":"page"`), or a list of them (`"type":"pages"`), whose first are whole and
//! whose others in brief; asking whether an incident is over has the same data under `"type":"confirm_recovery"`, and
//! whether somebody is still on it under `"type":"still_on_it"`. What only tells and had to wait goes together as
//! `"type":"told"`. The page itself is the same on every try, as is `webhook-id`; `about`, the timestamp and so the
//! signature are the try's. A receiver that only takes it says so: `{"accepted": true}`. What it says later is read in
//! `webhook_reply`.
//!
//! What a step of a plan does is sent with the body that the plan gives it, and with `idempotency-key` beside `webhook-id`.
//!
//! It deliberately does not follow redirects, and does not decide when to try again: it says what
//! the answer means.

use std::borrow::Cow;

use allclear_domain::channel::{Carriage, ChannelForm, Field, Kept, Limits, Server};
use allclear_domain::incident::deeds::ANSWER_CHARS_MAX;
use allclear_domain::org::check::text::url_fault;
use allclear_domain::org::forms::plan_deed::with_url;
use allclear_domain::time::Length;
use allclear_domain::wire::{
    About, CODE_LIFE, Channel, Message, NoticeKind, Outcome, Replies, Request, Response, Step, Target, WRITTEN_OUT_MAX,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use serde::Serialize;
use sha2::Sha256;

use super::wording::{self, code_of};
use crate::inbound::text;

/// Longest body, in bytes: Standard Webhooks asks to stay under 20 KB.
pub const BODY_BYTES_MAX: usize = 20_000;
/// Longest body of a message of a storm, in bytes: a list of thousands, just below the megabyte that web servers take
/// unless told otherwise.
pub const STORM_BYTES_MAX: usize = 1_000_000;
/// Titles of pages in brief, in characters.
const BRIEF_TITLE_CHARS_MAX: [usize; 2] = [80, 24];
/// Titles of a message with many notices are cut to the first of these lengths, in characters,
/// with which the body fits.
const TITLE_CUTS: [usize; 4] = [text::TITLE_CHARS_MAX, 240, 80, 24];
/// Where it does not fit, the alarm's description is cut to this many characters, then what is said about it is left out.
const DESCRIPTION_CUT: usize = 1_000;
/// What is told is cut to this many characters, with the link to the whole: at four bytes each it fits.
const TEXT_CUT: usize = 3_000;
/// Why a page goes out is cut to this many characters: the incident's log has the whole.
const BECAUSE_CHARS_MAX: usize = 300;
/// What receivers see as our name.
const USER_AGENT: &str = concat!("allclear/", env!("CARGO_PKG_VERSION"));
/// What a secret starts with, in Standard Webhooks.
const SECRET_PREFIX: &str = "whsec_";
/// What a signature starts with: the version that is HMAC-SHA256.
const VERSION: &str = "v1,";
/// Bytes of a secret: Standard Webhooks 1.0 asks for 24 to 64.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;
/// Random bytes of one that is made here.
const SECRET_BYTES_MADE: usize = 32;
/// How long a receipt is waited for: a text message or a call gets there in seconds, its provider gives up on a phone that is
/// off no sooner, and of a step's usual five minutes four are left for others.
const RECEIPT_WITHIN: Length = Length::from_secs(60);
/// The channel's name, and the key of its address.
const NAME: &str = "webhook";
/// The key of its secret.
pub(super) const SECRET: &str = "secret";

/// What the channel says of itself.
pub static FORM: ChannelForm = ChannelForm {
    name: NAME,
    noun: "webhook",
    id_example: "hook",
    fields: &[
        Field {
            key: NAME,
            label: "Address",
            hint: "Where a signed POST of JSON goes; any 2xx is delivery, unless it says that a receipt comes later.",
            shape: "https://…",
            example: "https://hooks.example.org/ana",
            needed: true,
            kept: Kept::Plain,
            check: |given| url_fault(given).map_or(Ok(()), |fault| Err(format!("the address {fault}"))),
        },
        Field {
            key: SECRET,
            label: "Secret",
            hint: "Signs what is sent, after Standard Webhooks.",
            shape: "whsec_…",
            example: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            needed: false,
            kept: Kept::Made { bytes: SECRET_BYTES_MADE, text: |random| format!("{SECRET_PREFIX}{}", BASE64.encode(random)) },
            check: |given| {
                if is_secret(given) { Ok(()) } else { Err("the secret is not `whsec_` and base64 of 24 to 64 bytes".to_owned()) }
            },
        },
    ],
    carriage: Carriage::Http(Server::Main),
    limits: Limits { title_chars: None, text_bytes: Some(STORM_BYTES_MAX), text_chars: None, buttons: 0 },
};

/// Whether a text is `whsec_` and base64 of as many bytes as a secret has.
fn is_secret(text: &str) -> bool {
    let Some(encoded) = text.strip_prefix(SECRET_PREFIX) else { return false };
    let letters = encoded.trim_end_matches('=');
    let padding = encoded.len() - letters.len();
    encoded.len().is_multiple_of(4)
        && padding <= 2
        && letters.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/'))
        && SECRET_BYTES.contains(&(letters.len() * 3 / 4))
}

/// The channel.
#[derive(Debug)]
pub struct Webhook;

#[derive(Serialize)]
struct Body<'a, T> {
    r#type: &'static str,
    timestamp: Timestamp,
    data: T,
    /// Where a receipt or an answer to this message is sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_url: Option<&'a str>,
}

#[derive(Serialize)]
struct PagePayload<'a> {
    key: &'a str,
    page: String,
    step: u32,
    round: u32,
    late: bool,
    person: &'a str,
    /// What is told, where nothing is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<Cow<'a, str>>,
    /// Why it pages, where the title does not say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    because: Option<&'a str>,
    /// Absent where nothing is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    ack_url: Option<&'a str>,
    incident: PageIncident<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<&'a About>,
}

#[derive(Serialize)]
struct PageIncident<'a> {
    id: String,
    r#ref: &'a str,
    title: &'a str,
    severity: &'a str,
    service: Option<&'a str>,
    url: &'a str,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde hands a reference
fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`, under the decoded secret.
///
/// # Errors
/// When the secret is not base64 of at least one byte.
pub fn signature(secret: &str, id: &str, unix_s: i64, body: &[u8]) -> Result<String, String> {
    Ok(format!("{VERSION}{}", BASE64.encode(mac(secret, id, unix_s, body)?.finalize().into_bytes())))
}

/// Whether a text is that signature; in constant time.
pub(super) fn is_signature(given: &str, secret: &str, id: &str, unix_s: i64, body: &[u8]) -> bool {
    let Some(given) = given.strip_prefix(VERSION).and_then(|encoded| BASE64.decode(encoded).ok()) else { return false };
    mac(secret, id, unix_s, body).is_ok_and(|mac| mac.verify_slice(&given).is_ok())
}

fn mac(secret: &str, id: &str, unix_s: i64, body: &[u8]) -> Result<Hmac<Sha256>, String> {
    let encoded = secret.trim();
    let key = BASE64
        .decode(encoded.strip_prefix(SECRET_PREFIX).unwrap_or(encoded))
        .ok()
        .filter(|key| !key.is_empty())
        .ok_or("the webhook's secret is not `whsec_` and base64")?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|_| "the webhook's secret cannot be a key")?;
    mac.update(format!("{id}.{unix_s}.").as_bytes());
    mac.update(body);
    Ok(mac)
}

fn page_of(message: &Message, index: usize, title_chars_max: usize) -> Option<PagePayload<'_>> {
    let notice = message.notices.get(index)?;
    let ack_url = message.ack_urls.get(index).map_or("", String::as_str);
    let url = message.incident_urls.get(index).map_or("", String::as_str);
    Some(PagePayload {
        key: &notice.key,
        page: notice.page.to_string(),
        step: notice.step,
        round: notice.round,
        late: notice.late,
        person: &notice.person,
        text: notice.text.as_deref().map(|whole| told(whole, url, title_chars_max)),
        because: notice.because.as_deref().map(|because| text::cut(because, BECAUSE_CHARS_MAX)),
        ack_url: (!notice.kind.tells()).then_some(ack_url),
        incident: PageIncident {
            id: notice.incident.id.to_string(),
            r#ref: &notice.incident.reference,
            title: text::cut(&notice.incident.title, title_chars_max),
            severity: &notice.incident.severity,
            service: notice.incident.service.as_deref(),
            url,
        },
        about: message.about.as_ref().filter(|_| index == 0),
    })
}

/// What is told: whole where it fits, else its beginning and where the whole stands.
fn told<'a>(whole: &'a str, url: &str, title_chars_max: usize) -> Cow<'a, str> {
    if title_chars_max == text::TITLE_CHARS_MAX {
        return Cow::Borrowed(whole);
    }
    wording::beginning(whole, TEXT_CUT, url).map_or(Cow::Borrowed(whole), Cow::Owned)
}

/// What only names a page, of a message that carries more than are written out.
#[derive(Serialize)]
struct Brief<'a> {
    key: &'a str,
    incident: BriefIncident<'a>,
}

#[derive(Serialize)]
struct BriefIncident<'a> {
    r#ref: &'a str,
    title: &'a str,
    severity: &'a str,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Listed<'a> {
    Whole(Box<PagePayload<'a>>),
    Brief(Brief<'a>),
}

/// A message of several pages.
#[derive(Serialize)]
struct Pages<'a> {
    r#type: &'static str,
    timestamp: Timestamp,
    /// How many pages, listed or not.
    count: usize,
    /// The worst severity of them.
    worst: &'a str,
    /// Shows all of them, and acknowledges all.
    #[serde(skip_serializing_if = "Option::is_none")]
    ack_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_url: Option<&'a str>,
    data: Vec<Listed<'a>>,
    /// How many are not listed; only said when some are not.
    #[serde(skip_serializing_if = "is_zero")]
    omitted: usize,
}

/// A message with a code.
#[derive(Serialize)]
struct CodeBody<'a> {
    r#type: &'static str,
    timestamp: Timestamp,
    data: Code<'a>,
}

#[derive(Serialize)]
struct Code<'a> {
    code: &'a str,
    person: &'a str,
    expires_at: Timestamp,
}

fn written(body: &impl Serialize) -> Result<Vec<u8>, String> {
    serde_json::to_vec(body).map_err(|_| "the page cannot be written as JSON".to_owned())
}

/// A code, to prove that whoever gave this address reads what comes here.
fn code_body(message: &Message) -> Result<Vec<u8>, String> {
    let notice = &message.notices[0];
    let data =
        Code { code: &code_of(notice), person: &notice.person, expires_at: allclear_domain::time::after(message.created_at, CODE_LIFE) };
    written(&CodeBody { r#type: "contact_code", timestamp: message.created_at, data })
}

/// A page alone, with its title cut so far.
fn one_body(message: &Message, title_chars_max: usize) -> Result<Vec<u8>, String> {
    if message.notices[0].kind == NoticeKind::Code {
        return code_body(message);
    }
    let r#type = match message.notices[0].kind {
        NoticeKind::Page => "page",
        NoticeKind::ConfirmRecovery => "confirm_recovery",
        NoticeKind::StillOnIt => "still_on_it",
        NoticeKind::Reminder => "reminder",
        NoticeKind::Update => "update",
        NoticeKind::Request => "request",
        NoticeKind::Over => "over",
        // Each has a body of its own.
        NoticeKind::Step => "plan_step",
        NoticeKind::Code => "contact_code",
        NoticeKind::Readiness => "readiness",
        NoticeKind::Shift => "shift",
    };
    let data = page_of(message, 0, title_chars_max);
    written(&Body { r#type, timestamp: message.created_at, data, reply_url: message.reply_url.as_deref() })
}

/// Several pages: the first `whole` of them whole, the others in brief, `listed` in all.
fn several_body(
    message: &Message,
    (whole, title_max): (usize, usize),
    (listed, brief_title_max): (usize, usize),
) -> Result<Vec<u8>, String> {
    let brief = |index: usize| {
        let notice = message.notices.get(index)?;
        let incident = &notice.incident;
        let title = text::cut(&incident.title, brief_title_max);
        Some(Listed::Brief(Brief {
            key: &notice.key,
            incident: BriefIncident { r#ref: &incident.reference, title, severity: &incident.severity },
        }))
    };
    let first = (0..whole).filter_map(|index| page_of(message, index, title_max).map(|page| Listed::Whole(Box::new(page))));
    let data: Vec<Listed<'_>> = first.chain((whole..listed).filter_map(brief)).collect();
    written(&Pages {
        r#type: if message.notices.iter().all(|notice| notice.kind == NoticeKind::Page) { "pages" } else { "told" },
        timestamp: message.created_at,
        count: message.notices.len(),
        worst: message.notices.iter().map(|notice| notice.incident.severity.as_str()).min().unwrap_or_default(),
        ack_url: message.bundle_url.as_deref(),
        reply_url: message.reply_url.as_deref(),
        omitted: message.notices.len() - data.len(),
        data,
    })
}

fn body_of(message: &Message) -> Result<Vec<u8>, String> {
    let all = message.notices.len();
    if all == 0 {
        return Err("the message has no notice".to_owned());
    }
    let whole = if all == 1 { one_body(message, TITLE_CUTS[0])? } else { Vec::new() };
    if all == 1 && whole.len() <= BODY_BYTES_MAX {
        return Ok(whole);
    }
    let mut message = message.clone();
    if let Some(description) = message.about.as_mut().and_then(|about| about.description.as_mut()).filter(|_| all == 1) {
        *description = format!("{}…", text::cut(description, DESCRIPTION_CUT));
        let body = one_body(&message, TITLE_CUTS[0])?;
        if body.len() <= BODY_BYTES_MAX {
            return Ok(body);
        }
    }
    // What one alarm says would stand for all of them.
    message.about = None;
    let message = &message;
    // As much as fits of what is written out, with titles cut as far as it takes, then with fewer of them.
    let mut whole = all.min(WRITTEN_OUT_MAX);
    let mut fits = None;
    while fits.is_none() {
        for title_max in TITLE_CUTS {
            let body = if all == 1 { one_body(message, title_max)? } else { several_body(message, (whole, title_max), (whole, 0))? };
            if body.len() <= BODY_BYTES_MAX {
                fits = Some((body, title_max));
                break;
            }
        }
        if fits.is_none() && whole == 1 {
            return Err(format!("one page is longer than {BODY_BYTES_MAX} bytes"));
        }
        if fits.is_none() {
            whole = (whole * 3 / 4).max(1);
        }
    }
    let Some((body, title_max)) = fits else { return Err("the message has no notice".to_owned()) };
    if whole == all {
        return Ok(body);
    }
    for brief_title_max in BRIEF_TITLE_CHARS_MAX {
        let body = several_body(message, (whole, title_max), (all, brief_title_max))?;
        if body.len() <= STORM_BYTES_MAX {
            return Ok(body);
        }
    }
    let mut listed = all;
    while listed > whole {
        listed = (listed * 3 / 4).max(whole);
        let body = several_body(message, (whole, title_max), (listed, BRIEF_TITLE_CHARS_MAX[1]))?;
        if body.len() <= STORM_BYTES_MAX {
            return Ok(body);
        }
    }
    Ok(body)
}

impl Webhook {
    /// # Errors
    /// Where no request can be made of it, in words.
    fn request(message: &Message, target: &Target, now: Timestamp) -> Result<Request, String> {
        let url = target.address.get(NAME).ok_or("the contact is not a webhook")?;
        let url = text::link(url, "").ok_or("the webhook's address is not an http or https URL")?.href;
        let step = step_of(message);
        let is_step = step.is_some();
        let body = step.map_or_else(|| body_of(message), |body| Ok(body.into_bytes()))?;
        let id = message.id.to_string();
        let mut headers = vec![
            ("content-type", "application/json".to_owned()),
            ("user-agent", USER_AGENT.to_owned()),
            ("webhook-id", id.clone()),
            ("webhook-timestamp", now.as_second().to_string()),
        ];
        if is_step {
            // As programs that do something know it: the same on every try.
            headers.push(("idempotency-key", id.clone()));
        }
        if let Some(secret) = target.address.get(SECRET) {
            headers.push(("webhook-signature", signature(secret, &id, now.as_second(), &body)?));
        }
        Ok(Request::Http { url, headers, body })
    }
}

/// What a step of a plan sends, where that is what the message is: as the plan says it, with the incident's address.
fn step_of(message: &Message) -> Option<String> {
    let notice = message.notices.first().filter(|notice| notice.kind == NoticeKind::Step)?;
    Some(with_url(notice.text.as_deref()?, message.incident_urls.first().map_or("", String::as_str)))
}

/// What the answer to a step means: as to any message, but that a yes is a yes, and that the beginning of what was said goes
/// along, on a line of its own.
fn outcome_of_step(response: &Response) -> Outcome {
    let said = if let Response::Http { body, .. } = response { wording::one_line(body, ANSWER_CHARS_MAX) } else { String::new() };
    let with = |why: String| if said.is_empty() { why } else { format!("{why}\n{said}") };
    match outcome(response) {
        Outcome::Delivered { receipt } => Outcome::Delivered { receipt: with(receipt) },
        Outcome::Accepted { .. } => {
            let status = if let Response::Http { status, .. } = response { *status } else { 0 };
            Outcome::Delivered { receipt: with(format!("HTTP {status}")) }
        }
        Outcome::Rejected { why } => Outcome::Rejected { why: with(why) },
        Outcome::Retry { after, why, maybe_arrived, down, unanswered } => {
            Outcome::Retry { after, why: with(why), maybe_arrived, down, unanswered }
        }
    }
}

/// What an answer means.
fn outcome(response: &Response) -> Outcome {
    match response {
        Response::Http { status, retry_after, body } => {
            let why = format!("HTTP {status}");
            match status {
                200..=299 if is_only_accepted(body) => Outcome::Accepted { receipt: format!("{why}, accepted"), within: RECEIPT_WITHIN },
                200..=299 => Outcome::Delivered { receipt: why },
                300..=399 => Outcome::Rejected { why: format!("{why}: redirects are not followed; set the address it leads to") },
                410 => Outcome::Rejected { why: format!("{why}: the receiver is gone for good") },
                // Too slow, too early, too many: the receiver asks to be asked again.
                408 | 425 | 429 => Outcome::Retry { after: *retry_after, why, maybe_arrived: false, down: false, unanswered: false },
                400..=499 => Outcome::Rejected { why },
                // The receiver's own failure may have come after it took the page.
                _ => Outcome::Retry { after: *retry_after, why, maybe_arrived: *status != 503, down: false, unanswered: false },
            }
        }
        Response::Busy { why } => Outcome::busy(why),
        Response::Failed { why, maybe_arrived, permanent } => Outcome::failed(why, *maybe_arrived, *permanent),
        Response::Smtp { .. } => Outcome::Rejected { why: "a mail server answered for a webhook".to_owned() },
    }
}

/// Whether an answer says that the message is taken and no more. Many receivers answer 202, or anything, to everything: only
/// these words promise a receipt.
fn is_only_accepted(body: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(body).is_ok_and(|said| said["accepted"] == true)
}

impl Channel for Webhook {
    fn form(&self) -> &'static ChannelForm {
        &FORM
    }

    fn start<'a>(&'a self, message: &'a Message, target: &'a Target, now: Timestamp) -> Step<'a> {
        Self::request(message, target, now).map_or_else(Step::rejected, |request| {
            let is_step = message.notices.first().is_some_and(|notice| notice.kind == NoticeKind::Step);
            Step::last(request, if is_step { outcome_of_step } else { outcome })
        })
    }

    fn replies(&self) -> Option<&dyn Replies> {
        Some(self)
    }
}

#[cfg(test)]
#[path = "webhook_tests.rs"]
pub(crate) mod tests;
