//! The way back of mail: an answer to a message is a mail to an address that names it, handed in whole by whatever takes mails for
//! that address, as bytes of RFC 5322.
//!
//! The address is `reply+TOKEN@host`: the token is the message's id, and what proves that we wrote it; it is good for this message
//! and for nothing else. Whoever answers need not write from the address that the mail went to, since mails are forwarded. The
//! first line that is not quoted is the answer, and is read as the answers of every other channel are; a line that says nothing
//! takes nothing, since nobody is taken to have a page by a guess.
//!
//! What a machine sent is left alone (RFC 3834), or a notice of absence would take pages: so are our own mails that come back, and
//! bounces. Deliberately not here: fetching mails from a mailbox, attachments, and telling anybody anything by mail, which would be
//! a mail to an address that somebody may have forged.

use allclear_domain::channel::Address;
use allclear_domain::ids::MessageId;
use allclear_domain::org::check::text::is_email;
use allclear_domain::wire::{Heard, NotGenuine, Of, OwnAnswer, Replies, ReplyRequest, Says, Told, Unreadable};
use jiff::Timestamp;
use mail_parser::decoders::html::html_to_text;
use mail_parser::{MessageParser, PartType};
use ring::hmac;

use super::wording::one_line;

/// Largest mail, in bytes: an answer with a picture in its signature, and more than most servers take for one.
pub const MAIL_BYTES_MAX: usize = 10 * 1024 * 1024;
/// Characters of the secret in the address that mails are posted to.
const KEY_LEN: std::ops::RangeInclusive<usize> = 20..=128;
/// Characters before an `@` (RFC 5321 §4.5.3.1.1).
const LOCAL_CHARS_MAX: usize = 64;
/// Stands between the mailbox and the token.
const DELIMITER: char = '+';
/// Bytes of an id, and of what proves it: 80 bits cannot be guessed by mail.
const ID_BYTES: usize = 16;
const MAC_BYTES: usize = 10;
/// Characters of a token: five bits each, in letters that no mail server tells from capitals.
const TOKEN_CHARS: usize = ((ID_BYTES + MAC_BYTES) * 8).div_ceil(5);
const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
/// Headers that are read, in bytes: those of a mail that went far are some ten thousand.
const HEADERS_BYTES_MAX: usize = 128 * 1024;
/// Of a text, so much is looked at for its first line, in bytes.
const TEXT_BYTES_MAX: usize = 64 * 1024;
/// Longest answer that is looked at, in characters.
const WORDS_CHARS_MAX: usize = 200;
/// Headers that say to whom a mail went.
const TO: [&str; 8] = ["to", "cc", "delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "x-forwarded-to", "resent-to"];

/// Where answers by mail go.
#[derive(Clone)]
pub struct MailReplies {
    local: String,
    domain: String,
    /// In the address that mails are posted to.
    key: String,
    /// Of the tokens.
    secret: [u8; 32],
}

impl std::fmt::Debug for MailReplies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MailReplies").field("local", &self.local).field("domain", &self.domain).finish_non_exhaustive()
    }
}

/// What is wrong with an address for answers; its parts where nothing is.
fn parts(address: &str) -> Result<(&str, &str), String> {
    let longest = LOCAL_CHARS_MAX - TOKEN_CHARS - 1;
    let (local, domain) = address.trim().rsplit_once('@').unwrap_or_default();
    let plain = local.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
    if !is_email(address.trim()) || !plain || domain.is_empty() {
        return Err("write one address of plain letters, as in `reply@example.org`; what names a message is put behind a `+`".to_owned());
    }
    if local.len() > longest {
        return Err(format!("before its `@` it may have {longest} characters, so that what names a message has room"));
    }
    Ok((local, domain))
}

/// What is wrong with a setting of `--mail-replies-to`.
///
/// # Errors
/// In words.
pub fn check_address(address: &str) -> Result<(), String> {
    parts(address).map(drop)
}

/// The same of `--mail-replies-key`.
///
/// # Errors
/// In words.
pub fn check_key(key: &str) -> Result<(), String> {
    let is_one = KEY_LEN.contains(&key.len()) && key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    if is_one { Ok(()) } else { Err("it is not 20 to 128 letters, digits, `-` and `_`: `openssl rand -hex 16` makes one".to_owned()) }
}

fn letters(bytes: &[u8]) -> String {
    let (mut out, mut held, mut bits) = (String::with_capacity(TOKEN_CHARS), 0_u32, 0_u32);
    let letter = |five: u32| char::from(LETTERS[(five & 31) as usize]);
    for byte in bytes {
        held = (held << 8 | u32::from(*byte)) & 0xffff;
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            out.push(letter(held >> bits));
        }
    }
    if bits > 0 {
        out.push(letter(held << (5 - bits)));
    }
    out
}

fn bytes_of(token: &str) -> Option<Vec<u8>> {
    let (mut out, mut held, mut bits) = (Vec::with_capacity(ID_BYTES + MAC_BYTES), 0_u32, 0_u32);
    for letter in token.bytes() {
        let five = LETTERS.iter().position(|own| *own == letter.to_ascii_lowercase())?;
        held = (held << 5 | u32::try_from(five).ok()?) & 0xffff;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            out.push(u8::try_from(held >> bits & 0xff).ok()?);
        }
    }
    Some(out)
}

impl MailReplies {
    /// Answers to this mailbox, posted with this key; `secret` is the key of the tokens.
    ///
    /// # Errors
    /// What is wrong with the address or the key, in words.
    pub fn read(address: &str, key: &str, secret: [u8; 32]) -> Result<Self, String> {
        check_key(key)?;
        let (local, domain) = parts(address)?;
        Ok(Self { local: local.to_ascii_lowercase(), domain: domain.to_ascii_lowercase(), key: key.to_owned(), secret })
    }

    fn mac(&self, id: &[u8]) -> [u8; MAC_BYTES] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.secret);
        let mut cut = [0; MAC_BYTES];
        cut.copy_from_slice(&hmac::sign(&key, id).as_ref()[..MAC_BYTES]);
        cut
    }

    /// Where an answer to this message goes.
    pub(super) fn address_of(&self, message: MessageId) -> String {
        let id = message.bits().to_be_bytes();
        let token = letters(&[&id[..], &self.mac(&id)].concat());
        format!("{}{DELIMITER}{token}@{}", self.local, self.domain)
    }

    /// The message that a token names.
    fn named(&self, token: &str) -> Option<MessageId> {
        // Read back it is the same: the last letter has two bits to spare, and one message has one token.
        let bytes = bytes_of(token).filter(|bytes| letters(bytes).eq_ignore_ascii_case(token))?;
        let (id, mac) = bytes.split_first_chunk::<ID_BYTES>()?;
        // Compared whole, whatever differs first.
        let differs = self.mac(id).iter().zip(mac).fold(0_u8, |differs, (a, b)| differs | (a ^ b));
        (differs == 0 && mac.len() == MAC_BYTES).then(|| MessageId::from_bits(u128::from_be_bytes(*id)))
    }

    /// The message that a line with addresses names.
    fn named_in(&self, line: &str) -> Option<MessageId> {
        let line = line.to_ascii_lowercase();
        let beginning = format!("{}{DELIMITER}", self.local);
        line.match_indices(&beginning).find_map(|(at, found)| {
            let rest = &line[at + found.len()..];
            let (token, domain) = rest.split_once('@')?;
            domain.starts_with(&self.domain).then(|| self.named(token)).flatten()
        })
    }
}

/// The headers of a mail, unfolded: names in lower case.
fn headers(mail: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(&mail[..mail.len().min(HEADERS_BYTES_MAX)]);
    let mut out: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        // A mailbox file begins each mail with a line of its own.
        if line.starts_with("From ") && out.is_empty() {
            continue;
        }
        if line.is_empty() {
            break;
        }
        match (line.starts_with([' ', '\t']), out.last_mut()) {
            (true, Some((_, value))) => {
                value.push(' ');
                value.push_str(line.trim());
            }
            (true, None) => {}
            (false, _) => {
                if let Some((name, value)) = line.split_once(':') {
                    out.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
                }
            }
        }
    }
    out
}

/// Why a mail is none that a person wrote; nothing of one that is.
fn automatic(headers: &[(String, String)]) -> Option<String> {
    let all = |name: &'static str| headers.iter().filter(move |(own, _)| own == name).map(|(_, value)| value.to_ascii_lowercase());
    let word = |value: String| value.split([';', ' ', '(']).next().unwrap_or_default().to_owned();
    if let Some(value) = all("auto-submitted").map(word).find(|value| value != "no") {
        return Some(format!("a machine sent it (Auto-Submitted: {})", one_line(&value, 40)));
    }
    if let Some(value) = all("precedence").map(word).find(|value| matches!(value.as_str(), "bulk" | "junk" | "auto_reply")) {
        return Some(format!("a machine sent it (Precedence: {value})"));
    }
    if let Some(name) = ["x-autoreply", "x-autorespond"].into_iter().find(|name| all(name).any(|value| value != "no")) {
        return Some(format!("a machine sent it ({name})"));
    }
    if all("content-type").any(|value| value.starts_with("multipart/report")) {
        return Some("it is a report of a mail server, as of a mail that could not be delivered".to_owned());
    }
    if all("return-path").any(|value| value.split_whitespace().collect::<String>() == "<>") {
        return Some("it has no sender, as what mail servers send by themselves".to_owned());
    }
    None
}

/// Tags behind which another line begins, as a browser shows them.
const BLOCKS: [&str; 10] = ["div", "blockquote", "table", "tr", "hr", "li", "ul", "h1", "h2", "p"];

/// HTML as text, each block on lines of its own.
fn text_of_html(html: &str) -> String {
    let mut broken = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let (before, tag) = rest.split_at(at);
        broken.push_str(before);
        let name = tag[1..].trim_start_matches('/');
        let end = name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len());
        if BLOCKS.iter().any(|block| name[..end].eq_ignore_ascii_case(block)) {
            broken.push_str("<br>");
        }
        broken.push('<');
        rest = &tag[1..];
    }
    broken.push_str(rest);
    html_to_text(&broken)
}

/// The line that is the answer: the first that is not quoted, and does not say whose words are quoted beneath it.
fn first_line(text: &str) -> Option<&str> {
    let is_quoted = |line: &str| line.starts_with(['>', '|']);
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| line.chars().any(|c| !c.is_control() && !c.is_whitespace())).collect();
    let mut left = lines.as_slice();
    while let [line, rest @ ..] = left {
        let says_who = line.ends_with(':') && rest.first().is_some_and(|next| is_quoted(next));
        if !is_quoted(line) && !says_who {
            // Dashes, as a program begins what it quotes or signs, are no answer either.
            return line.chars().any(|c| c.is_alphanumeric() || !c.is_ascii()).then_some(*line);
        }
        left = rest;
    }
    None
}

/// What the mail answers; empty where it says nothing of its own.
fn answer_of(mail: &[u8]) -> Result<String, Unreadable> {
    let parsed = MessageParser::default().parse(mail).ok_or_else(|| Unreadable("it is no mail as RFC 5322 has them".to_owned()))?;
    let part = parsed.text_body.first().and_then(|at| parsed.parts.get(*at as usize));
    let text = match part.map(|part| &part.body) {
        Some(PartType::Text(said)) => said[..said.floor_char_boundary(TEXT_BYTES_MAX)].to_owned(),
        Some(PartType::Html(said)) => text_of_html(&said[..said.floor_char_boundary(TEXT_BYTES_MAX)]),
        _ => String::new(),
    };
    Ok(first_line(&text).map(|line| one_line(line, WORDS_CHARS_MAX)).unwrap_or_default())
}

impl MailReplies {
    /// The message that a request is about: the envelope says so surest, then what the mail says of whom it is for.
    fn message_of(&self, request: &ReplyRequest<'_>) -> Option<MessageId> {
        let query = request.url.split_once('?').map(|(_, query)| query).unwrap_or_default();
        let envelope = query.split('&').find_map(|pair| pair.strip_prefix("to="));
        let envelope = envelope.map(|to| percent_encoding::percent_decode_str(to).decode_utf8_lossy().replace(' ', "+"));
        let by_envelope = envelope.and_then(|to| self.named_in(&to));
        by_envelope
            .or_else(|| headers(request.body).iter().filter(|(name, _)| TO.contains(&name.as_str())).find_map(|(_, to)| self.named_in(to)))
    }
}

impl Replies for MailReplies {
    fn body_bytes_max(&self) -> usize {
        MAIL_BYTES_MAX
    }

    fn read(&self, request: &ReplyRequest<'_>) -> Result<Vec<Heard>, Unreadable> {
        let message = self
            .message_of(request)
            .ok_or_else(|| Unreadable("it is to no address that a message of ours names for answers".to_owned()))?;
        Ok(vec![Heard { of: Of::Message(message), says: Says::Answer(answer_of(request.body)?) }])
    }

    /// The token is the proof, whatever address the mail went to and comes from.
    fn genuine(&self, request: &ReplyRequest<'_>, _address: &Address, _now: &[Timestamp]) -> Result<(), NotGenuine> {
        self.message_of(request).map(drop).ok_or(NotGenuine)
    }

    /// Whoever hands mails in reads no more than that this one is done with: a mail server would send it back else.
    fn answer(&self, _request: &ReplyRequest<'_>, told: Told<'_>) -> Option<OwnAnswer> {
        let words = match told {
            Told::Taken(words) | Told::Refused(words) => words,
            // Handed in again it may be taken.
            Told::NotNow | Told::Later => return None,
        };
        Some(OwnAnswer { media_type: "text/plain; charset=utf-8", body: format!("{}\n", one_line(words, WORDS_CHARS_MAX)) })
    }

    /// The key of the door has told so.
    fn is_of_vendor(&self, _request: &ReplyRequest<'_>, _now: &[Timestamp]) -> bool {
        true
    }

    fn key(&self) -> Option<&str> {
        Some(&self.key)
    }

    fn left_alone(&self, request: &ReplyRequest<'_>) -> Option<String> {
        automatic(&headers(request.body))
    }
}

#[cfg(test)]
#[path = "mail_back_tests.rs"]
mod tests;
