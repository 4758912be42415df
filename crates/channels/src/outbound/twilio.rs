//! What text messages and calls share: an account with Twilio, or with whoever speaks as Twilio does; how it is asked, what its
//! answers mean, and how what comes from it is known to be its own.
//!
//! Twilio knows no id of ours, so that what was sent again may arrive twice; each message tells where its receipts go, with its
//! id in that address. What comes from Twilio is signed over that address and its fields with the account's token, without a
//! time: what was signed once may be sent again for as long as a message can be answered, and does again what it did.
//!
//! Deliberately not here: which number a person has (`sms`, `voice`), and Twilio's answers to anything but a message.

use std::fmt;

use allclear_domain::channel::Address;
use allclear_domain::ids::MessageId;
use allclear_domain::org::check::text::url_fault;
use allclear_domain::time::Length;
use allclear_domain::wire::{Method, NotGenuine, Outcome, OwnAnswer, ReplyRequest, Request, Response, Unreadable};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::hmac;

use super::form::{Fields, form};
use super::setting::{BadSetting, bad, listed};
use super::wording::one_line;

/// Where Twilio is.
pub const URL_DEFAULT: &str = "https://api.twilio.com";
/// The setting without which nothing is sent.
pub(super) const SETTING: &str = "--twilio-account";
/// Largest body of what comes back, in bytes: Twilio's have some 1 KiB, and a long text message four more.
pub const REPLY_BYTES_MAX: usize = 16 * 1024;
/// Longest SID of an account; Twilio's have 34 characters.
const SID_LEN_MAX: usize = 64;
/// Longest token; Twilio's have 32 characters.
const TOKEN_LEN_MAX: usize = 256;
/// Tokens at once: the one that is used, and the one before or after it while it is being changed.
const TOKENS_MAX: usize = 2;
/// Digits of a telephone number after the `+`: E.164 has at most 15, and no subscriber can be reached with fewer than 7.
const DIGITS: std::ops::RangeInclusive<usize> = 7..=15;
/// Most of an error's words that the log keeps, in characters.
const WORDS_CHARS_MAX: usize = 200;
/// Digits in a row that are taken for a telephone number, which no log has.
const HIDDEN_DIGITS: usize = 7;
/// Errors of status 400 that pass by: too much waits for our number.
const PASSING: &[u64] = &[21611];
/// The header of the signature.
const SIGNATURE: &str = "x-twilio-signature";
/// The field in an address of ours that names the message.
const MESSAGE: &str = "m";
/// What an answer in Twilio's form begins with.
const XML: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";

/// An account, as the settings say it.
#[derive(Clone)]
pub struct Account {
    /// Without a slash at the end.
    url: String,
    sid: String,
    /// The first is sent with; what comes back may be signed with any.
    tokens: Vec<String>,
    /// The number that text messages and calls come from.
    number: Option<String>,
    /// The messaging service that text messages come from instead.
    service: Option<String>,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("url", &self.url).field("sid", &self.sid).finish_non_exhaustive()
    }
}

impl Account {
    /// An account of these settings.
    ///
    /// # Errors
    /// The first that does not read.
    pub fn read(url: &str, sid: &str, tokens: &str, from: &str) -> Result<Self, BadSetting> {
        let url = url.trim().trim_end_matches('/');
        if let Some(fault) = url_fault(url) {
            return Err(bad("twilio-url", format!("it {fault}; write it as in `{URL_DEFAULT}`")));
        }
        if url.contains(['?', '#', '@']) {
            return Err(bad("twilio-url", format!("it is more than a host and a path; write it as in `{URL_DEFAULT}`")));
        }
        let sid = sid.trim();
        let is_sid = (1..=SID_LEN_MAX).contains(&sid.len()) && sid.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        if !is_sid {
            return Err(bad("twilio-account", format!("it is no account's SID: letters and digits, at most {SID_LEN_MAX}, as in `AC…`")));
        }
        let tokens: Vec<String> = listed(tokens).map(ToOwned::to_owned).collect();
        let is_token = |token: &String| token.len() <= TOKEN_LEN_MAX && token.bytes().all(|b| b.is_ascii_graphic() && b != b':');
        if tokens.is_empty() || tokens.len() > TOKENS_MAX || !tokens.iter().all(is_token) {
            let want = "it is no token of letters and digits; while it is being changed, write the new one, a comma, and the one before";
            return Err(bad("twilio-token", want));
        }
        let (mut number, mut service) = (None, None);
        for one in listed(from) {
            let place = if is_number(one) { &mut number } else { &mut service };
            let is_service = one.starts_with("MG") && one.len() <= SID_LEN_MAX && one.bytes().all(|b| b.is_ascii_alphanumeric());
            if !(is_number(one) || is_service) || place.is_some() {
                number = None;
                service = None;
                break;
            }
            *place = Some(one.to_owned());
        }
        if number.is_none() && service.is_none() {
            let want = "write a number of the account as in `+4930000000`, the SID of a messaging service `MG…`, or both with a comma \
                        between; a name instead of a number could not be answered";
            return Err(bad("twilio-from", want));
        }
        Ok(Self { url: url.to_owned(), sid: sid.to_owned(), tokens, number, service })
    }

    /// The number that calls come from.
    pub(super) fn number(&self) -> Option<&str> {
        self.number.as_deref()
    }

    /// Who text messages come from, as a field of a request.
    pub(super) fn sender(&self) -> (&'static str, &str) {
        match (&self.service, &self.number) {
            (Some(service), _) => ("MessagingServiceSid", service),
            (None, number) => ("From", number.as_deref().unwrap_or_default()),
        }
    }

    /// A request for something of this account: `Messages`, `Calls`.
    pub(super) fn request(&self, what: &str, fields: &[(&str, &str)]) -> Request {
        let token = self.tokens.first().map_or("", String::as_str);
        Request::Http {
            method: Method::Post,
            url: format!("{}/2010-04-01/Accounts/{}/{what}.json", self.url, self.sid),
            headers: vec![
                ("content-type", "application/x-www-form-urlencoded".to_owned()),
                ("authorization", format!("Basic {}", BASE64.encode(format!("{}:{token}", self.sid)))),
            ],
            body: form(fields),
        }
    }

    /// Whether what comes back is of this account, and about a number: what names its message tells whom that went to, if it
    /// tells that at all, and what names none comes from the number.
    pub(super) fn genuine(&self, request: &ReplyRequest<'_>, address: &Address, channel: &str) -> Result<(), NotGenuine> {
        let number = address.get(channel).ok_or(NotGenuine)?;
        let fields = Fields::read(request.body).ok_or(NotGenuine)?;
        let is_about = match query(request.url) {
            Some(_) => fields.get("To").is_none_or(|to| to == number),
            None => fields.get("From") == Some(number),
        };
        let given = request.header(SIGNATURE).and_then(|given| BASE64.decode(given).ok()).ok_or(NotGenuine)?;
        if is_about && self.has_signed(request.url, &fields, &given) { Ok(()) } else { Err(NotGenuine) }
    }

    /// In constant time for each token and each way to write the address.
    fn has_signed(&self, url: &str, fields: &Fields, given: &[u8]) -> bool {
        let urls = written(url);
        self.tokens.iter().any(|token| {
            let key = key(token);
            urls.iter().any(|url| hmac::verify(&key, signed(url, fields).as_bytes(), given).is_ok())
        })
    }
}

fn key(token: &str) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, token.as_bytes())
}

/// What is signed: the address and the fields sorted by name, each name with its value, without anything between.
fn signed(url: &str, fields: &Fields) -> String {
    let mut sorted: Vec<&(String, String)> = fields.pairs().iter().collect();
    sorted.sort();
    sorted.dedup();
    sorted.into_iter().fold(url.to_owned(), |text, (name, value)| text + name + value)
}

/// What Twilio writes into its header; a body that is no form signs as an empty one.
#[must_use]
pub fn signature(token: &str, url: &str, body: &[u8]) -> String {
    let fields = Fields::read(body).unwrap_or_default();
    BASE64.encode(hmac::sign(&key(token), signed(url, &fields).as_bytes()))
}

/// An address as Twilio may have written it for its signature: with its port and without, and with the one that goes without
/// saying. Twilio's own libraries try the same.
fn written(url: &str) -> Vec<String> {
    let mut all = vec![url.to_owned()];
    if let Some((scheme, rest)) = url.split_once("://") {
        let (host, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let port = host.rfind(':').filter(|at| host[at + 1..].bytes().all(|b| b.is_ascii_digit()));
        all.push(match port {
            Some(at) => format!("{scheme}://{}{path}", &host[..at]),
            None => format!("{scheme}://{host}:{}{path}", if scheme == "https" { 443 } else { 80 }),
        });
    }
    all
}

/// The query of an address of ours.
fn query(url: &str) -> Option<&str> {
    url.split_once('?').map(|(_, query)| query)
}

/// Where what is heard of a message comes back.
pub(super) fn back(reply_url: Option<&str>, message: MessageId) -> Result<String, String> {
    Ok(format!("{}?{MESSAGE}={message}", reply_url.ok_or("the message says nowhere to answer")?))
}

/// The message that such an address names, if it names one.
pub(super) fn message_of(url: &str) -> Result<Option<MessageId>, Unreadable> {
    let Some(query) = query(url) else { return Ok(None) };
    let unreadable = || Unreadable(format!("`{MESSAGE}` in the address is no id of a message"));
    let fields = Fields::read(query.as_bytes()).ok_or_else(unreadable)?;
    fields.get(MESSAGE).and_then(|id| id.parse().ok()).map(Some).ok_or_else(unreadable)
}

/// What an answer to a request means. What was taken owes a receipt within this time.
pub(super) fn outcome(response: &Response, within: Length) -> Outcome {
    match response {
        Response::Http { status, retry_after, body } => {
            let said: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
            let code = said["code"].as_u64();
            let words = said["message"].as_str().map(|words| without_numbers(&one_line(words, WORDS_CHARS_MAX))).unwrap_or_default();
            let mut why = format!("HTTP {status}");
            if let Some(code) = code {
                why.push_str(&format!(", {code}"));
            }
            if !words.is_empty() {
                why.push_str(&format!(": {words}"));
            }
            match status {
                200..=299 => {
                    let sid = said["sid"].as_str().filter(|sid| sid.len() <= SID_LEN_MAX && sid.bytes().all(|b| b.is_ascii_alphanumeric()));
                    Outcome::Accepted {
                        receipt: sid.map_or_else(|| format!("HTTP {status}"), |sid| format!("HTTP {status}, {sid}")),
                        within,
                    }
                }
                300..=399 => Outcome::Rejected { why: format!("{why}: redirects are not followed; set --twilio-url to where it leads") },
                401 | 403 => Outcome::Rejected { why: format!("{why}; compare --twilio-account and --twilio-token with the account") },
                408 | 425 | 429 => Outcome::Retry { after: *retry_after, why, maybe_arrived: false, down: false, unanswered: false },
                400..=499 if code.is_some_and(|code| PASSING.contains(&code)) => {
                    Outcome::Retry { after: *retry_after, why, maybe_arrived: false, down: false, unanswered: false }
                }
                400..=499 => Outcome::Rejected { why },
                // Its own failure may have come after it took the message.
                _ => Outcome::Retry { after: *retry_after, why, maybe_arrived: *status != 503, down: false, unanswered: false },
            }
        }
        Response::Busy { why } => Outcome::busy(why),
        Response::Failed { why, maybe_arrived, permanent } => Outcome::failed(why, *maybe_arrived, *permanent),
        Response::Smtp { code, .. } => Outcome::Rejected { why: format!("a mail server answered for a telephone: {code}") },
    }
}

/// The same words without telephone numbers: Twilio repeats them in its errors, and the log is read by more than an address is.
fn without_numbers(words: &str) -> String {
    let mut out = String::with_capacity(words.len());
    let mut rest = words;
    while let Some(at) = rest.find('+') {
        let (before, number) = rest.split_at(at + 1);
        let digits = number.bytes().take_while(u8::is_ascii_digit).count();
        out.push_str(before);
        if digits >= HIDDEN_DIGITS {
            out.push('…');
            rest = &number[digits..];
        } else {
            rest = number;
        }
    }
    out + rest
}

fn is_number(given: &str) -> bool {
    given
        .strip_prefix('+')
        .is_some_and(|digits| DIGITS.contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0'))
}

/// Whether it is a telephone number as E.164 writes it.
pub(super) fn check_number(given: &str) -> Result<(), String> {
    if is_number(given) {
        return Ok(());
    }
    let shown: String = given.chars().filter(|c| !c.is_control()).take(32).collect();
    Err(format!(
        "`{shown}` is no telephone number with its country: write `+`, the country's code and the number in digits alone, as in `+491700000000`"
    ))
}

/// Text between the tags of XML, without what cannot stand there.
pub(super) fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\n' => out.push('\n'),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// An answer in Twilio's own form: what stands in `<Response>`.
pub(super) fn twiml(verbs: &str) -> OwnAnswer {
    OwnAnswer { media_type: "text/xml; charset=utf-8", body: document(verbs) }
}

/// The same as a text.
pub(super) fn document(verbs: &str) -> String {
    format!("{XML}<Response>{verbs}</Response>")
}

#[cfg(test)]
#[path = "twilio_tests.rs"]
pub(crate) mod tests;
