//! What is heard of a described vendor: receipts, and what people write back.
//!
//! An address for receipts names its message and is signed by ourselves, over the message and whom it went to, under the secrets of
//! the account: only whoever was told it can post there, whatever the vendor signs. The address for what people write is one for
//! the installation, with a key in it that the installation chooses and gives to the vendor. Neither signs a time: what was posted
//! once can be posted again, and does again what it did.

use allclear_domain::channel::Address;
use allclear_domain::hex::hex;
use allclear_domain::ids::MessageId;
use allclear_domain::wire::{Heard, NotGenuine, Of, OwnAnswer, Replies, ReplyRequest, Request, Says, Told, Unreadable};
use jiff::Timestamp;
use ring::hmac;
use serde_json::Value;

use super::account::Account;
use super::description::{SaysBack, To};
use super::{Described, at, digits, holds};
use crate::outbound::form::Fields;
use crate::outbound::sms::answer_of;
use crate::outbound::wording::one_line;

/// Largest body of what comes back, in bytes: as those of others that carry text messages, in JSON.
const REPLY_BYTES_MAX: usize = 64 * 1024;
/// Most that is kept of what a vendor says of a delivery, in characters.
const WORDS_CHARS_MAX: usize = 200;
/// Digits of a signature: 128 bits.
const SIGNATURE_DIGITS: usize = 32;
/// What stands between what is signed.
const BETWEEN: char = '\n';

/// Where what becomes of a message is told.
pub(super) fn receipt_url(reply_url: &str, account: &Account, message: MessageId, to: &str) -> String {
    format!("{reply_url}?m={message}&s={}", signature(account, message, to))
}

fn signature(account: &Account, message: MessageId, to: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, &account.signing);
    let mut digits = hex(hmac::sign(&key, format!("receipt{BETWEEN}{message}{BETWEEN}{to}").as_bytes()).as_ref());
    digits.truncate(SIGNATURE_DIGITS);
    digits
}

/// In constant time, whatever they are.
fn is_same(one: &str, other: &str) -> bool {
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"compared");
    hmac::verify(&key, one.as_bytes(), hmac::sign(&key, other.as_bytes()).as_ref()).is_ok()
}

/// What the address of a request says it is.
enum Kind {
    /// Of a message, with what it is signed by.
    Receipt { message: MessageId, signature: String },
    /// What somebody wrote, with the key.
    Written { key: String },
}

/// # Errors
/// Where it is neither.
fn kind_of(url: &str) -> Result<Kind, Unreadable> {
    let neither =
        || Unreadable("the address has neither the `m` and `s` that it was given with, nor the `k` of this installation".to_owned());
    let query = url.split_once('?').map(|(_, query)| query).ok_or_else(neither)?;
    let fields = Fields::read(query.as_bytes()).ok_or_else(neither)?;
    // Exactly these: what was added to an address is not what was given.
    match (fields.names().as_slice(), fields.get("m"), fields.get("s"), fields.get("k")) {
        (["m", "s"], Some(message), Some(signature), _) => {
            let message = message.parse().map_err(|_| Unreadable("`m` in the address is no id of a message".to_owned()))?;
            Ok(Kind::Receipt { message, signature: signature.to_owned() })
        }
        (["k"], _, _, Some(key)) => Ok(Kind::Written { key: key.to_owned() }),
        _ => Err(neither()),
    }
}

/// What a body says, whether it is JSON or a form.
fn said(body: &[u8]) -> Result<Value, Unreadable> {
    if let Ok(value @ (Value::Object(_) | Value::Array(_))) = serde_json::from_slice(body) {
        return Ok(value);
    }
    let fields = Fields::read(body).filter(|fields| !fields.names().is_empty());
    let fields = fields.ok_or_else(|| Unreadable("the body is neither JSON nor a form".to_owned()))?;
    Ok(fields.into_pairs().into_iter().map(|(name, value)| (name, Value::from(value))).collect())
}

impl Described {
    fn receipt(&self, message: MessageId, said: &Value) -> Result<Heard, Unreadable> {
        let receipt = self.account.as_ref().and_then(|account| account.description.receipt.as_ref());
        let receipt = receipt.ok_or_else(|| Unreadable("no receipts are heard".to_owned()))?;
        let state = at(said, &receipt.state).ok_or_else(|| Unreadable(format!("there is no state at `{}`", receipt.state)))?;
        let is = |list: &[String]| list.iter().any(|one| one.eq_ignore_ascii_case(&state));
        let why = receipt.why.as_deref().and_then(|pointer| at(said, pointer)).filter(|why| !why.is_empty() && *why != "0");
        let told = one_line(&why.map_or_else(|| state.to_string(), |why| format!("{state}, {why}")), WORDS_CHARS_MAX);
        let says = if is(&receipt.delivered) {
            Says::Delivered(one_line(&state, WORDS_CHARS_MAX))
        } else if is(&receipt.failed) {
            Says::Failed(told)
        } else if is(&receipt.under_way) {
            Says::Nothing
        } else {
            return Err(Unreadable(format!("`{}` is no state that the description knows", one_line(&state, 40))));
        };
        Ok(Heard { of: Of::Message(message), says })
    }

    fn written(&self, said: &Value) -> Result<Heard, Unreadable> {
        let (from, text) = self.who_wrote(said)?;
        let (code, words) = answer_of(&text);
        Ok(Heard { of: Of::Sender { from, code }, says: Says::Answer(words) })
    }

    /// From which address, as a contact has it, and what.
    fn who_wrote(&self, said: &Value) -> Result<(String, String), Unreadable> {
        let account = self.account.as_ref().ok_or_else(|| Unreadable("nothing is heard".to_owned()))?;
        let reply = account.description.reply.as_ref().ok_or_else(|| Unreadable("nothing that people write is heard".to_owned()))?;
        if reply.condition.as_ref().is_some_and(|condition| !holds(condition, said)) {
            return Err(Unreadable("it is nothing that somebody wrote".to_owned()));
        }
        let missing = |pointer: &str| Unreadable(format!("there is nothing at `{pointer}`"));
        let from = at(said, &reply.from).ok_or_else(|| missing(&reply.from))?;
        let text = at(said, &reply.text).ok_or_else(|| missing(&reply.text))?;
        let from = match account.description.to {
            // With its sign or without, as vendors write it.
            To::Number => format!("+{}", digits(&from)),
            To::Text => one_line(&from, WORDS_CHARS_MAX),
        };
        Ok((from, text.into_owned()))
    }
}

impl Replies for Described {
    fn body_bytes_max(&self) -> usize {
        REPLY_BYTES_MAX
    }

    fn read(&self, request: &ReplyRequest<'_>) -> Result<Vec<Heard>, Unreadable> {
        let kind = kind_of(request.url)?;
        let said = said(request.body)?;
        Ok(vec![match kind {
            Kind::Receipt { message, .. } => self.receipt(message, &said)?,
            Kind::Written { .. } => self.written(&said)?,
        }])
    }

    fn genuine(&self, request: &ReplyRequest<'_>, address: &Address, _now: &[Timestamp]) -> Result<(), NotGenuine> {
        let account = self.account.as_ref().ok_or(NotGenuine)?;
        let own = address.get(account.name()).ok_or(NotGenuine)?;
        let is_theirs = match kind_of(request.url).map_err(|_| NotGenuine)? {
            Kind::Receipt { message, signature: given } => is_same(&given, &signature(account, message, own)),
            Kind::Written { key } => {
                let is_key = account.reply_key.as_deref().is_some_and(|wanted| is_same(&key, wanted));
                let from = said(request.body).and_then(|said| self.who_wrote(&said)).map_err(|_| NotGenuine)?.0;
                is_key && from.eq_ignore_ascii_case(own)
            }
        };
        if is_theirs { Ok(()) } else { Err(NotGenuine) }
    }

    fn answer(&self, request: &ReplyRequest<'_>, told: Told<'_>) -> Option<OwnAnswer> {
        let says_back = self.account.as_ref()?.description.reply.as_ref().map(|reply| reply.says_back);
        let is_written = matches!(kind_of(request.url), Ok(Kind::Written { .. }));
        let words = match told {
            // A vendor posts again what was not taken.
            Told::NotNow | Told::Later => return None,
            Told::Taken(words) | Told::Refused(words) if is_written && says_back == Some(SaysBack::Body) => words,
            Told::Taken(_) | Told::Refused(_) => "",
        };
        Some(OwnAnswer { media_type: "text/plain; charset=utf-8", body: words.to_owned() })
    }

    fn says_back(&self, request: &ReplyRequest<'_>, told: Told<'_>) -> Option<Request> {
        let (Told::Taken(words) | Told::Refused(words)) = told else { return None };
        let says_back = self.account.as_ref()?.description.reply.as_ref()?.says_back;
        let Ok(Kind::Written { .. }) = kind_of(request.url) else { return None };
        if says_back != SaysBack::Message || words.is_empty() {
            return None;
        }
        let (to, _) = self.who_wrote(&said(request.body).ok()?).ok()?;
        (self.form.fields[0].check)(&to).ok()?;
        self.say(&to, words)
    }
}
