//! The description of a vendor: how it is asked for a message, and what its answers, receipts and replies mean. It is data, in
//! TOML; the shipped ones are read by the same code as one's own.
//!
//! Everything in it is bounded, every name is checked when it is read, and what does not read is refused with where and why.

use std::collections::BTreeMap;
use std::fmt;

use allclear_domain::org::check::text::{is_slug, url_fault};
use allclear_domain::time::Length;
use allclear_domain::wire::Method;
use serde::Deserialize;
use serde_json::Value;

use super::template::{Place, Template, is_name};

/// Largest description, in bytes: the shipped ones have some two thousand.
pub const DESCRIPTION_BYTES_MAX: usize = 32 * 1024;
/// Most settings and secrets of one.
const NAMES_MAX: usize = 16;
/// Most headers of a request, and values in a list.
const LISTED_MAX: usize = 64;
/// How deep the JSON of a request goes.
const DEPTH_MAX: usize = 8;
/// Values of a request's body, lists and objects within.
const VALUES_MAX: usize = 64;
/// Longest pointer into an answer, in bytes.
const POINTER_BYTES_MAX: usize = 200;
/// Longest text of a message that a description may ask for, in characters: ten parts of a text message.
const TEXT_CHARS: std::ops::RangeInclusive<usize> = 70..=1_600;
/// How long a receipt may be waited for.
const WITHIN: std::ops::RangeInclusive<u64> = 5..=600;
/// Names that settings of an account have anyway.
pub(super) const RESERVED: &[&str] = &["server", "description", "reply_key"];

/// Why a description is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {why}")]
pub struct BadDescription {
    /// Where in it.
    pub at: String,
    /// What is wrong, and what would work.
    pub why: String,
}

fn bad<T>(at: impl Into<String>, why: impl Into<String>) -> Result<T, BadDescription> {
    Err(BadDescription { at: at.into(), why: why.into() })
}

/// As it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    vendor: String,
    #[serde(default)]
    documentation: String,
    #[serde(default = "number")]
    to: String,
    text_chars: Option<usize>,
    server: String,
    #[serde(default)]
    settings: BTreeMap<String, String>,
    #[serde(default)]
    secrets: BTreeMap<String, String>,
    request: WrittenRequest,
    auth: Option<WrittenAuth>,
    #[serde(default)]
    taken: WrittenTaken,
    #[serde(default)]
    refused: WrittenRefused,
    receipt: Option<WrittenReceipt>,
    reply: Option<WrittenReply>,
}

fn number() -> String {
    "number".to_owned()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRequest {
    #[serde(default = "post")]
    method: String,
    path: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    json: Option<Value>,
    form: Option<BTreeMap<String, String>>,
    query: Option<BTreeMap<String, String>>,
}

fn post() -> String {
    "POST".to_owned()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenAuth {
    basic: Option<[String; 2]>,
    bearer: Option<String>,
    header: Option<WrittenHeader>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenHeader {
    name: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenWhere {
    at: String,
    is: Option<Vec<String>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct WrittenTaken {
    status: Option<[u16; 2]>,
    #[serde(default, rename = "where")]
    conditions: Vec<WrittenWhere>,
    id: Option<String>,
    #[serde(default)]
    any_body: bool,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct WrittenRefused {
    code: Option<String>,
    words: Option<String>,
    #[serde(default)]
    passing: Vec<String>,
    #[serde(default, rename = "final")]
    final_: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenReceipt {
    within: String,
    state: String,
    #[serde(default)]
    delivered: Vec<String>,
    #[serde(default)]
    failed: Vec<String>,
    #[serde(default)]
    under_way: Vec<String>,
    why: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenReply {
    from: String,
    text: String,
    #[serde(rename = "where")]
    condition: Option<WrittenWhere>,
    #[serde(default = "nothing")]
    says_back: String,
}

fn nothing() -> String {
    "nothing".to_owned()
}

/// What addresses are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum To {
    /// A telephone number as E.164 writes it.
    Number,
    /// Any short line.
    Text,
}

/// A value of a body, with places in its texts.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shape {
    Text(Template),
    /// A number, true, false or null, as it is.
    As(Value),
    List(Vec<Shape>),
    Object(Vec<(String, Shape)>),
}

/// What a request carries.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Body {
    Json(Shape),
    Form(Vec<(String, Template)>),
    /// Nothing: all of it is in the address.
    None,
}

/// How it says whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Auth {
    Basic(Template, Template),
    /// A header, `authorization` for most.
    Header(&'static str, Template),
    None,
}

/// A place in an answer: a pointer of RFC 6901.
pub(super) type Pointer = String;

/// What has to hold of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Where {
    pub at: Pointer,
    /// One of these; where there is none, anything that is there.
    pub is: Option<Vec<String>>,
}

/// What receipts say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Receipt {
    pub within: Length,
    pub state: Pointer,
    pub delivered: Vec<String>,
    pub failed: Vec<String>,
    pub under_way: Vec<String>,
    pub why: Option<Pointer>,
}

/// How whoever answered is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SaysBack {
    /// The vendor sends what we answer to it.
    Body,
    /// By a message of its own.
    Message,
    Nothing,
}

/// What somebody wrote back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FromPeople {
    pub from: Pointer,
    pub text: Pointer,
    pub condition: Option<Where>,
    pub says_back: SaysBack,
}

/// A description, read and checked. It lives as long as the program.
#[derive(Debug, Clone, PartialEq)]
pub struct Description {
    /// The channel's name, and the key of its address.
    pub name: String,
    /// Whoever answers, in a sentence.
    pub vendor: String,
    /// The page of the vendor that it was made from.
    pub documentation: String,
    pub(super) to: To,
    pub(super) text_chars: usize,
    pub(super) server: Template,
    pub(super) settings: BTreeMap<String, String>,
    pub(super) secrets: BTreeMap<String, String>,
    pub(super) method: Method,
    pub(super) path: Template,
    pub(super) query: Vec<(String, Template)>,
    pub(super) headers: Vec<(&'static str, Template)>,
    pub(super) body: Body,
    pub(super) auth: Auth,
    pub(super) taken: (u16, u16),
    pub(super) conditions: Vec<Where>,
    pub(super) id: Option<Pointer>,
    pub(super) any_body: bool,
    pub(super) code: Option<Pointer>,
    pub(super) words: Option<Pointer>,
    pub(super) passing: Vec<String>,
    pub(super) final_: Vec<String>,
    pub(super) receipt: Option<Receipt>,
    pub(super) reply: Option<FromPeople>,
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.vendor)
    }
}

impl Description {
    /// Reads one.
    ///
    /// # Errors
    /// The first that does not read, with where it is and what would work.
    pub fn read(text: &str) -> Result<Self, BadDescription> {
        if text.len() > DESCRIPTION_BYTES_MAX {
            return bad("the description", format!("it has {} bytes, and {DESCRIPTION_BYTES_MAX} are the most", text.len()));
        }
        let written: Written = toml::from_str(text).map_err(|why| {
            let line = why.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
            BadDescription { at: format!("line {line}"), why: why.message().to_owned() }
        })?;
        checked(written)
    }

    /// The settings and secrets that an account has to have.
    pub fn asked_for(&self) -> impl Iterator<Item = &str> {
        self.settings.keys().chain(self.secrets.keys()).map(String::as_str)
    }

    /// Every text with places, each with where it stands.
    pub(super) fn templates(&self) -> Vec<(String, &Template)> {
        fn of_shape<'a>(at: &str, shape: &'a Shape, all: &mut Vec<(String, &'a Template)>) {
            match shape {
                Shape::Text(template) => all.push((at.to_owned(), template)),
                Shape::As(_) => {}
                Shape::List(list) => list.iter().enumerate().for_each(|(n, one)| of_shape(&format!("{at}[{n}]"), one, all)),
                Shape::Object(fields) => fields.iter().for_each(|(name, one)| of_shape(&format!("{at}.{name}"), one, all)),
            }
        }
        let mut all = vec![("server".to_owned(), &self.server), ("request.path".to_owned(), &self.path)];
        all.extend(self.query.iter().map(|(name, template)| (format!("request.query.{name}"), template)));
        all.extend(self.headers.iter().map(|(name, template)| (format!("request.headers.{name}"), template)));
        match &self.body {
            Body::Json(shape) => of_shape("request.json", shape, &mut all),
            Body::Form(fields) => all.extend(fields.iter().map(|(name, template)| (format!("request.form.{name}"), template))),
            Body::None => {}
        }
        match &self.auth {
            Auth::Basic(user, password) => all.extend([("auth.basic".to_owned(), user), ("auth.basic".to_owned(), password)]),
            Auth::Header(_, value) => all.push(("auth".to_owned(), value)),
            Auth::None => {}
        }
        all
    }
}

fn template(at: &str, text: &str) -> Result<Template, BadDescription> {
    Template::read(text).map_err(|why| BadDescription { at: at.to_owned(), why: why.to_string() })
}

fn templates(at: &str, fields: BTreeMap<String, String>) -> Result<Vec<(String, Template)>, BadDescription> {
    if fields.len() > VALUES_MAX {
        return bad(at, format!("it has more than {VALUES_MAX} values"));
    }
    fields.into_iter().map(|(name, text)| Ok((name.clone(), template(&format!("{at}.{name}"), &text)?))).collect()
}

fn shape(at: &str, value: Value, depth: usize, left: &mut usize) -> Result<Shape, BadDescription> {
    if depth > DEPTH_MAX {
        return bad(at, format!("it goes deeper than {DEPTH_MAX}"));
    }
    *left = match left.checked_sub(1) {
        Some(left) => left,
        None => return bad("request.json", format!("it has more than {VALUES_MAX} values")),
    };
    Ok(match value {
        Value::String(text) => Shape::Text(template(at, &text)?),
        Value::Array(list) => {
            let one = |(n, value)| shape(&format!("{at}[{n}]"), value, depth + 1, left);
            Shape::List(list.into_iter().enumerate().map(one).collect::<Result<_, _>>()?)
        }
        Value::Object(fields) => {
            let one = |(name, value): (String, Value)| Ok((name.clone(), shape(&format!("{at}.{name}"), value, depth + 1, left)?));
            Shape::Object(fields.into_iter().map(one).collect::<Result<_, BadDescription>>()?)
        }
        other => Shape::As(other),
    })
}

fn pointer(at: &str, text: String) -> Result<Pointer, BadDescription> {
    if text.len() > POINTER_BYTES_MAX || !text.starts_with('/') {
        return bad(
            at,
            format!("it is no pointer into an answer: write it as in `/messages/0/status`, in at most {POINTER_BYTES_MAX} bytes"),
        );
    }
    Ok(text)
}

fn pointed(at: &str, text: Option<String>) -> Result<Option<Pointer>, BadDescription> {
    text.map(|text| pointer(at, text)).transpose()
}

fn condition(at: &str, written: WrittenWhere) -> Result<Where, BadDescription> {
    Ok(Where { at: pointer(&format!("{at}.at"), written.at)?, is: written.is.map(|is| listed(&format!("{at}.is"), is)).transpose()? })
}

fn listed(at: &str, values: Vec<String>) -> Result<Vec<String>, BadDescription> {
    if values.len() > LISTED_MAX || values.iter().any(|value| value.len() > 100) {
        return bad(at, format!("it is a list of at most {LISTED_MAX} values of at most 100 bytes"));
    }
    Ok(values)
}

/// A header's name, which lives as long as the program, as descriptions do.
fn header(at: &str, name: &str) -> Result<&'static str, BadDescription> {
    const OURS: &[&str] = &["host", "content-length", "content-type", "transfer-encoding", "connection", "expect", "upgrade"];
    let lower = name.to_ascii_lowercase();
    let is_token = (1..=64).contains(&lower.len()) && lower.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !is_token || OURS.contains(&lower.as_str()) {
        return bad(
            at,
            "it is no name of a header that may be set: letters, digits and `-`, and none of those that the request has by itself",
        );
    }
    Ok(Box::leak(lower.into_boxed_str()))
}

fn checked(written: Written) -> Result<Description, BadDescription> {
    let Written { name, vendor, documentation, to, text_chars, server, settings, secrets, request, auth, taken, refused, receipt, reply } =
        written;
    if !is_slug(&name) {
        return bad("name", "it is the key of a contact: small letters, digits and `-`, as in `my-gateway`");
    }
    if vendor.trim().is_empty() || vendor.chars().count() > 40 || vendor.chars().any(char::is_control) {
        return bad("vendor", "it is what the vendor is called in a sentence, in at most 40 characters");
    }
    let to = match to.as_str() {
        "number" => To::Number,
        "text" => To::Text,
        _ => return bad("to", "it is `number`, for telephone numbers, or `text`"),
    };
    let text_chars = text_chars.unwrap_or(*TEXT_CHARS.end());
    if !TEXT_CHARS.contains(&text_chars) {
        return bad("text_chars", format!("it is from {} to {}", TEXT_CHARS.start(), TEXT_CHARS.end()));
    }
    for (at, names) in [("settings", &settings), ("secrets", &secrets)] {
        for (name, hint) in names {
            let at = format!("{at}.{name}");
            if !is_name(name) || RESERVED.contains(&name.as_str()) {
                return bad(at, "a name has small letters, digits and `_`, and is none of `server`, `description` and `reply_key`");
            }
            if hint.chars().count() > 200 || hint.chars().any(char::is_control) {
                return bad(at, "it says in one line of at most 200 characters what it is");
            }
        }
        if names.len() > NAMES_MAX {
            return bad(at, format!("there are at most {NAMES_MAX}"));
        }
    }
    if let Some(twice) = settings.keys().find(|name| secrets.contains_key(*name)) {
        return bad(format!("secrets.{twice}"), "a setting has that name");
    }
    let described = Description {
        to,
        text_chars,
        server: template("server", &server)?,
        method: match request.method.to_ascii_uppercase().as_str() {
            "POST" => Method::Post,
            "PUT" => Method::Put,
            "GET" => Method::Get,
            _ => return bad("request.method", "it is `POST`, `PUT` or `GET`"),
        },
        path: template("request.path", &request.path)?,
        query: templates("request.query", request.query.unwrap_or_default())?,
        headers: {
            if request.headers.len() > LISTED_MAX {
                return bad("request.headers", format!("there are at most {LISTED_MAX}"));
            }
            let one = |(name, value): (String, String)| {
                let at = format!("request.headers.{name}");
                Ok((header(&at, &name)?, template(&at, &value)?))
            };
            request.headers.into_iter().map(one).collect::<Result<_, BadDescription>>()?
        },
        body: match (request.json, request.form) {
            (Some(json), None) => {
                let mut left = VALUES_MAX;
                Body::Json(shape("request.json", json, 0, &mut left)?)
            }
            (None, Some(form)) => Body::Form(templates("request.form", form)?),
            (None, None) => Body::None,
            (Some(_), Some(_)) => return bad("request", "a body is `json` or `form`, and not both"),
        },
        auth: match auth {
            None => Auth::None,
            Some(WrittenAuth { basic: Some([user, password]), bearer: None, header: None }) => {
                Auth::Basic(template("auth.basic", &user)?, template("auth.basic", &password)?)
            }
            Some(WrittenAuth { basic: None, bearer: Some(token), header: None }) => {
                Auth::Header("authorization", template("auth.bearer", &format!("Bearer {token}"))?)
            }
            Some(WrittenAuth { basic: None, bearer: None, header: Some(one) }) => {
                Auth::Header(header("auth.header.name", &one.name)?, template("auth.header.value", &one.value)?)
            }
            Some(_) => return bad("auth", "it is one of `basic`, `bearer` and `header`"),
        },
        taken: match taken.status {
            None => (200, 299),
            Some([from, to]) if (200..300).contains(&from) && (from..300).contains(&to) => (from, to),
            Some(_) => return bad("taken.status", "it is the first and the last status that say yes, from 200 to 299"),
        },
        conditions: taken
            .conditions
            .into_iter()
            .enumerate()
            .map(|(n, one)| condition(&format!("taken.where[{n}]"), one))
            .collect::<Result<_, _>>()?,
        id: pointed("taken.id", taken.id)?,
        any_body: taken.any_body,
        code: pointed("refused.code", refused.code)?,
        words: pointed("refused.words", refused.words)?,
        passing: listed("refused.passing", refused.passing)?,
        final_: listed("refused.final", refused.final_)?,
        receipt: receipt.map(of_receipt).transpose()?,
        reply: reply.map(of_reply).transpose()?,
        name,
        vendor,
        documentation,
        settings,
        secrets,
    };
    hold_together(&described)?;
    Ok(described)
}

fn of_receipt(written: WrittenReceipt) -> Result<Receipt, BadDescription> {
    let within: Length = match written.within.parse() {
        Ok(within) => within,
        Err(_) => return bad("receipt.within", "it is no time, as in `60s`"),
    };
    if !WITHIN.contains(&within.as_secs()) {
        return bad("receipt.within", format!("it is from {} to {} seconds: the next way waits for it", WITHIN.start(), WITHIN.end()));
    }
    if written.delivered.is_empty() || written.failed.is_empty() {
        return bad("receipt", "it says by which states a message is `delivered` and by which it has `failed`");
    }
    Ok(Receipt {
        within,
        state: pointer("receipt.state", written.state)?,
        delivered: listed("receipt.delivered", written.delivered)?,
        failed: listed("receipt.failed", written.failed)?,
        under_way: listed("receipt.under_way", written.under_way)?,
        why: pointed("receipt.why", written.why)?,
    })
}

fn of_reply(written: WrittenReply) -> Result<FromPeople, BadDescription> {
    Ok(FromPeople {
        from: pointer("reply.from", written.from)?,
        text: pointer("reply.text", written.text)?,
        condition: written.condition.map(|one| condition("reply.where", one)).transpose()?,
        says_back: match written.says_back.as_str() {
            "body" => SaysBack::Body,
            "message" => SaysBack::Message,
            "nothing" => SaysBack::Nothing,
            _ => return bad("reply.says_back", "it is `body`, `message` or `nothing`"),
        },
    })
}

/// What each part may need of the others.
fn hold_together(described: &Description) -> Result<(), BadDescription> {
    let (mut says, mut goes, mut hears) = (false, false, false);
    for (at, template) in described.templates() {
        for place in template.places() {
            let in_address = at == "server" || at == "request.path";
            match place {
                Place::Text => says = true,
                Place::To | Place::ToDigits => goes = true,
                Place::ReceiptUrl => hears = true,
                Place::Setting(name) if !described.settings.contains_key(name) => {
                    return bad(at, format!("`{{setting.{name}}}` is not among the `settings`"));
                }
                Place::Secret(name) if !described.secrets.contains_key(name) => {
                    return bad(at, format!("`{{secret.{name}}}` is not among the `secrets`"));
                }
                Place::Secret(_) if in_address || at.starts_with("request.query") => {
                    return bad(at, "a secret does not belong into an address, which many logs keep: use `auth`, a header or the body");
                }
                Place::Setting(_) | Place::Secret(_) | Place::Key | Place::Link => {}
            }
            if at == "server" && !matches!(place, Place::Setting(_)) {
                return bad(at, "only settings of the installation decide whom is asked: use `{setting.NAME}`");
            }
        }
    }
    if !says || !goes {
        return bad("request", "it has to say `{to}` (or `{to.digits}`) and `{text}` somewhere");
    }
    if matches!(described.method, Method::Get) && described.body != Body::None {
        return bad("request.method", "a GET has no body: write what it says under `request.query`");
    }
    if !described.path.filled(|_| Some(String::new())).is_some_and(|path| path.starts_with('/')) {
        return bad("request.path", "it begins with `/`");
    }
    let server = described.server.filled(|_| Some("x".to_owned())).unwrap_or_default();
    if let Some(fault) = url_fault(&server) {
        return bad("server", format!("it {fault}; write the scheme and the host, as in `https://api.example.org`"));
    }
    if server.contains(['?', '#', '@']) || server.ends_with('/') {
        return bad("server", "it is the scheme, the host and perhaps a path, without a `/` at its end");
    }
    if described.receipt.is_some() != hears {
        return bad("receipt", "`{receipt_url}` in the request and what `receipt` says of it go together");
    }
    if described.receipt.is_some() && described.secrets.is_empty() {
        return bad("receipt", "without a secret nobody could tell a receipt from a forged one");
    }
    if described.reply.as_ref().is_some_and(|reply| reply.says_back == SaysBack::Message) && described.to == To::Text {
        return bad("reply.says_back", "only to a number can a message of its own be sent back");
    }
    Ok(())
}
