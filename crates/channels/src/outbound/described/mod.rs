//! Ways out that are data: a vendor with an interface over HTTP is a description, and needs no code.
//!
//! [`description`] is what one says, `template` its texts with places, [`account`] an installation's accounts and descriptions of
//! its own, [`shipped`] those that come with the program, `back` what is heard of it. Each is a channel of its own name, whose
//! address is one field: where a message goes. What is said is what a text message says (`sms`).
//!
//! Deliberately not here: conditions and loops in texts, several requests for one message, vendors that call back by GET, and
//! pictures.

pub mod account;
mod back;
pub mod description;
pub mod shipped;
mod template;

use allclear_domain::channel::{Carriage, ChannelForm, Field, Kept, Limits};
use allclear_domain::wire::{Channel, Message, Outcome, Replies, Request, Response, Step, Target};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use self::account::Account;
use self::description::{Auth, Body, Description, Shape, To, Where};
use self::template::{Place, Template};
use super::answers::{Answer, plain_words};
use super::form::form;
use super::sms;
use super::twilio::check_number;
use super::wording::Words;

/// The setting that names the file of accounts.
pub const SETTING: &str = "--vendors";
/// Longest text, in characters: as long as a text message's.
const TEXT_CHARS_MAX: usize = 1_600;
/// Longest address that is no number, in characters.
const ADDRESS_CHARS_MAX: usize = 200;
/// Largest body of a request, in bytes: the text, escaped as badly as can be, and what a description says around it.
const BODY_BYTES_MAX: usize = 64 * 1024;
/// Fewest digits of a number that are hidden where a vendor says it back.
const HIDDEN_DIGITS: usize = 7;
/// What stands as it is in a path and in a query.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The field of a channel whose addresses are telephone numbers.
pub(super) const fn number_field(name: &'static str) -> Field {
    Field {
        key: name,
        label: "Number for text messages",
        hint: "Of a mobile phone, with its country.",
        shape: "+…",
        example: "+491700000000",
        needed: true,
        kept: Kept::Plain,
        check: check_number,
    }
}

/// The field of one whose addresses are something else.
fn text_field(name: &'static str) -> Field {
    Field {
        key: name,
        label: "Address",
        hint: "As the vendor of the description takes it.",
        shape: "…",
        example: "ana",
        needed: true,
        kept: Kept::Plain,
        check: |given| {
            let is_line = (1..=ADDRESS_CHARS_MAX).contains(&given.chars().count()) && !given.chars().any(char::is_control);
            if is_line { Ok(()) } else { Err(format!("the address is not one line of at most {ADDRESS_CHARS_MAX} characters")) }
        },
    }
}

/// What the table of channels says of a description.
pub(super) const LIMITS: Limits = Limits { title_chars: None, text_bytes: None, text_chars: Some(TEXT_CHARS_MAX), buttons: 0 };

/// What the table of channels says of an installation's own description; it lives as long as the program.
#[must_use]
pub fn own_form(description: &'static Description) -> &'static ChannelForm {
    let field = match description.to {
        To::Number => number_field(&description.name),
        To::Text => text_field(&description.name),
    };
    Box::leak(Box::new(ChannelForm {
        name: &description.name,
        noun: &description.vendor,
        id_example: "own",
        fields: Box::leak(Box::new([field])),
        carriage: Carriage::Vendor { name: &description.vendor, setting: SETTING },
        limits: Limits { text_chars: Some(description.text_chars), ..LIMITS },
    }))
}

/// A vendor as a channel.
#[derive(Debug)]
pub struct Described {
    form: &'static ChannelForm,
    account: Option<Account>,
}

/// What fills the places of one request.
struct Filling<'a> {
    account: &'a Account,
    to: &'a str,
    text: &'a str,
    key: &'a str,
    link: &'a str,
    /// Nothing where no receipt is wanted: what would say it is left out.
    receipt_url: Option<&'a str>,
}

impl Filling<'_> {
    fn fill(&self, place: &Place) -> Option<String> {
        Some(match place {
            Place::To => self.to.to_owned(),
            Place::ToDigits => digits(self.to),
            Place::Text => self.text.to_owned(),
            Place::Key => self.key.to_owned(),
            Place::Link => self.link.to_owned(),
            Place::ReceiptUrl => self.receipt_url?.to_owned(),
            Place::Setting(name) => self.account.settings.get(name)?.clone(),
            Place::Secret(name) => self.account.secrets.get(name)?.clone(),
        })
    }

    fn text(&self, template: &Template) -> Option<String> {
        template.filled(|place| self.fill(place))
    }

    /// In a path or a query: what is filled in is part of one segment and never the end of it.
    fn in_address(&self, template: &Template) -> Option<String> {
        template.filled(|place| self.fill(place).map(|text| utf8_percent_encode(&text, PLAIN).to_string()))
    }

    /// JSON, without the fields for which there is nothing.
    fn json(&self, shape: &Shape) -> Option<Value> {
        Some(match shape {
            Shape::Text(template) => Value::String(self.text(template)?),
            Shape::As(value) => value.clone(),
            Shape::List(list) => Value::Array(list.iter().filter_map(|one| self.json(one)).collect()),
            Shape::Object(fields) => Value::Object(fields.iter().filter_map(|(name, one)| Some((name.clone(), self.json(one)?))).collect()),
        })
    }

    fn pairs(&self, pairs: &[(String, Template)]) -> Vec<(String, String)> {
        pairs.iter().filter_map(|(name, template)| Some((name.clone(), self.text(template)?))).collect()
    }

    /// # Errors
    /// Where it would be too long.
    fn request(&self) -> Result<Request, String> {
        let description = self.account.description;
        let nothing = || "the description asks for something that the account has not".to_owned();
        let server = match &self.account.server {
            Some(server) => server.clone(),
            None => self.text(&description.server).ok_or_else(nothing)?,
        };
        let path = self.in_address(&description.path).ok_or_else(nothing)?;
        let encoded = |text: &str| utf8_percent_encode(text, PLAIN).to_string();
        let query: Vec<String> =
            self.pairs(&description.query).iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
        let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
        let mut headers = Vec::new();
        let body = match &description.body {
            Body::Json(shape) => {
                headers.push(("content-type", "application/json; charset=utf-8".to_owned()));
                serde_json::to_vec(&self.json(shape).ok_or_else(nothing)?)
                    .map_err(|_| "the message cannot be written as JSON".to_owned())?
            }
            Body::Form(fields) => {
                headers.push(("content-type", "application/x-www-form-urlencoded".to_owned()));
                let pairs = self.pairs(fields);
                form(&pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect::<Vec<_>>())
            }
            Body::None => Vec::new(),
        };
        if body.len() > BODY_BYTES_MAX {
            return Err(format!("the request would be longer than {BODY_BYTES_MAX} bytes"));
        }
        for (name, template) in &description.headers {
            headers.push((*name, one_header(&self.text(template).ok_or_else(nothing)?)));
        }
        match &description.auth {
            Auth::Basic(user, password) => {
                let (user, password) = (self.text(user).ok_or_else(nothing)?, self.text(password).ok_or_else(nothing)?);
                headers.push(("authorization", format!("Basic {}", BASE64.encode(format!("{user}:{password}")))));
            }
            Auth::Header(name, template) => headers.push((*name, one_header(&self.text(template).ok_or_else(nothing)?))),
            Auth::None => {}
        }
        Ok(Request::Http { method: description.method, url: format!("{server}{path}{query}"), headers, body })
    }
}

/// A header has one line, whatever is filled in.
fn one_header(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// What stands at a pointer, as a text; nothing where nothing does, or something that is no single value.
fn at<'a>(said: &'a Value, pointer: &str) -> Option<std::borrow::Cow<'a, str>> {
    match said.pointer(pointer)? {
        Value::String(text) => Some(text.as_str().into()),
        Value::Number(number) => Some(number.to_string().into()),
        Value::Bool(yes) => Some(if *yes { "true" } else { "false" }.into()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn holds(condition: &Where, said: &Value) -> bool {
    let found = at(said, &condition.at);
    match &condition.is {
        Some(wanted) => found.is_some_and(|found| wanted.iter().any(|one| *one == found)),
        None => found.is_some_and(|found| !found.is_empty()),
    }
}

/// What an answer means.
fn outcome(response: &Response, account: &Account, to: &str) -> Outcome {
    let description = account.description;
    let vendor = description.vendor.as_str();
    let answer = match Answer::of(response, vendor) {
        Ok(answer) => answer,
        Err(none) => return none,
    };
    let said = answer.healed();
    let code = description.code.as_deref().and_then(|pointer| at(&said, pointer));
    let words = description.words.as_deref().and_then(|pointer| at(&said, pointer));
    // Whatever it is that refuses says something at least.
    let words = words.and_then(|words| plain_words(&words)).or_else(|| plain_words(answer.body).filter(|_| said.is_null()));
    let words = match (code.as_deref().filter(|_| !answer.is_yes() || description.passing.len() + description.final_.len() > 0), words) {
        (Some(code), Some(words)) => Some(format!("{}: {words}", plain_words(code).unwrap_or_default())),
        (Some(code), None) => plain_words(code),
        (None, words) => words,
    };
    let words = words.map(|words| without_number(&words, to));
    let is_in = |list: &[String]| code.as_deref().is_some_and(|code| list.iter().any(|one| one == code));
    if is_in(&description.passing) {
        return answer.retry(words.as_deref(), false);
    }
    if is_in(&description.final_) {
        return answer.rejected(words.as_deref().unwrap_or("it is refused"));
    }
    let (from, until) = description.taken;
    match answer.status {
        status if (from..=until).contains(&status) => {
            let is_theirs = (description.any_body && !answer.is_page()) || said.is_object() || said.is_array();
            if !is_theirs || !description.conditions.iter().all(|condition| holds(condition, &said)) {
                return answer.strange(vendor);
            }
            let id = description.id.as_deref().and_then(|pointer| at(&said, pointer)).and_then(|id| plain_words(&id));
            let receipt = match id {
                Some(id) => format!("HTTP {status}, {}", without_number(&id, to)),
                None => format!("HTTP {status}"),
            };
            match &description.receipt {
                Some(own) => Outcome::Accepted { receipt, within: own.within },
                None => Outcome::Delivered { receipt },
            }
        }
        // A yes of another kind than the description knows.
        200..=299 => answer.strange(vendor),
        401 | 403 => answer.rejected(&format!("{}; compare {SETTING} with the account", words.as_deref().unwrap_or("not allowed"))),
        _ => answer.refused(words.as_deref()),
    }
}

/// The same words without whom it was for: the log is read by more than an address is.
fn without_number(words: &str, to: &str) -> String {
    let bare = digits(to);
    let hidden = words.replace(to, "…");
    if bare.len() < HIDDEN_DIGITS { hidden } else { hidden.replace(&bare, "…") }
}

impl Described {
    /// A vendor as these accounts have it.
    #[must_use]
    pub fn new(form: &'static ChannelForm, accounts: &[Account]) -> Self {
        Self { form, account: accounts.iter().find(|account| account.name() == form.name).cloned() }
    }

    /// # Errors
    /// Where no request can be made of it, in words.
    fn request(&self, message: &Message, target: &Target) -> Result<Request, String> {
        let field = &self.form.fields[0];
        let to = target.address.get(field.key).ok_or_else(|| format!("the contact has no `{}`", field.key))?;
        (field.check)(to)?;
        let account = self.account.as_ref().ok_or_else(|| format!("no account with {} is in {SETTING}", self.form.name))?;
        let text = sms::text_of(message, account.description.text_chars, account.reply_key.is_some())?;
        let receipt_url = match account.description.receipt {
            Some(_) => {
                Some(back::receipt_url(message.reply_url.as_deref().ok_or("the message says nowhere to answer")?, account, message.id, to))
            }
            None => None,
        };
        let words = Words::of(message, TEXT_CHARS_MAX).ok_or("the message has no notice")?;
        let link = words.button().map(|button| button.href).or_else(|| words.page().map(ToOwned::to_owned)).unwrap_or_default();
        let key = message.id.to_string();
        Filling { account, to, text: &text, key: &key, link: &link, receipt_url: receipt_url.as_deref() }.request()
    }

    /// A message of these words alone, to whoever wrote.
    fn say(&self, to: &str, words: &str) -> Option<Request> {
        let account = self.account.as_ref()?;
        Filling { account, to, text: words, key: "reply", link: "", receipt_url: None }.request().ok()
    }
}

impl Channel for Described {
    fn form(&self) -> &'static ChannelForm {
        self.form
    }

    fn start<'a>(&'a self, message: &'a Message, target: &'a Target, _now: Timestamp) -> Step<'a> {
        let (Some(account), Some(to)) = (&self.account, target.address.get(self.form.name)) else {
            return Step::rejected(self.request(message, target).err().unwrap_or_default());
        };
        self.request(message, target)
            .map_or_else(Step::rejected, |request| Step::last(request, move |response| outcome(response, account, to)))
    }

    fn replies(&self) -> Option<&dyn Replies> {
        let account = self.account.as_ref()?;
        let hears = account.description.receipt.is_some() || account.reply_key.is_some();
        hears.then_some(self as &dyn Replies)
    }

    fn lacks(&self) -> Option<&'static str> {
        self.account.is_none().then_some(SETTING)
    }

    fn secrets(&self) -> Vec<&str> {
        self.account.iter().flat_map(Account::all_secrets).collect()
    }
}

#[cfg(test)]
mod tests;
