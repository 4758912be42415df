//! Mail over SMTP: one recipient a transaction, a few pooled connections, a limit on each phase.
//!
//! The phases are driven one by one (lettre speaks the protocol), so that each has its own limit
//! and a failure knows whether the mail may have arrived: only after its last byte was on the way.
//!
//! `smtps://` is TLS from the start. `smtp://` takes STARTTLS where the server offers it, and
//! where a password is set it must, with a certificate that checks out. On loopback no TLS is used.
//! It deliberately does not retry and keeps no queue.

use std::fmt;
use std::future::Future;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

use allclear_domain::wire::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail as MailFrom, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use lettre::{Address, Message};
use reqwest::Url;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use crate::carry::deadlines::{Deadlines, TransportError};
use crate::inbound::text;

/// Most connections at once; relays commonly take 10 to 20 from one client before they slow down.
const CONNECTIONS_MAX: usize = 4;
/// Longest answer of the server that is kept, in characters.
const WORDS_CHARS_MAX: usize = 500;

/// Where mail goes out, from `smtp://host:port` or `smtps://user:password@host`.
#[derive(Clone, PartialEq, Eq)]
pub struct SmtpUrl {
    host: String,
    port: u16,
    tls_from_start: bool,
    login: Option<(String, String)>,
}

/// Why a text is not the address of a mail server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("--smtp cannot be read: {0}; write it as in `smtp://mail.example:25` or `smtps://user:password@mail.example`")]
pub struct BadSmtpUrl(&'static str);

impl fmt::Debug for SmtpUrl {
    /// Never shows the login.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls_from_start { "smtps" } else { "smtp" };
        let login = if self.login.is_some() { "[login]@" } else { "" };
        write!(f, "{scheme}://{login}{}:{}", self.host, self.port)
    }
}

impl FromStr for SmtpUrl {
    type Err = BadSmtpUrl;
    fn from_str(text: &str) -> Result<Self, BadSmtpUrl> {
        let url: Url = text.trim().parse().map_err(|_| BadSmtpUrl("it is not a URL"))?;
        let tls_from_start = match url.scheme() {
            "smtp" => false,
            "smtps" => true,
            _ => return Err(BadSmtpUrl("it starts with neither smtp:// nor smtps://")),
        };
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(BadSmtpUrl("the host is missing"))?;
        let host = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host).to_owned();
        let login = match (url.username(), url.password()) {
            ("", None) => None,
            (user, Some(password)) => Some((decoded(user)?, decoded(password)?)),
            (_, None) => return Err(BadSmtpUrl("there is a user without a password")),
        };
        // 465 is implicit TLS, 587 is submission with a login (RFC 8314), 25 is relay.
        let port = url.port().unwrap_or(if tls_from_start {
            465
        } else if login.is_some() {
            587
        } else {
            25
        });
        Ok(Self { host, port, tls_from_start, login })
    }
}

/// Undoes percent-encoding.
fn decoded(text: &str) -> Result<String, BadSmtpUrl> {
    let bad = BadSmtpUrl("a percent sign in the login is not followed by two hexadecimal digits of UTF-8");
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte == b'%' {
            let digits = rest.get(..2).and_then(|pair| std::str::from_utf8(pair).ok()).ok_or_else(|| bad.clone())?;
            out.push(u8::from_str_radix(digits, 16).map_err(|_| bad.clone())?);
            rest = &rest[2..];
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).map_err(|_| bad)
}

/// One mail to carry.
pub(crate) struct Mail {
    pub to: String,
    pub to_name: String,
    pub subject: String,
    pub message_id: String,
    pub reply_to: Option<String>,
    pub thread: Option<String>,
    pub text: String,
    pub html: String,
}

/// How a transaction stopped.
enum Stop {
    /// The server said no.
    Answer { code: u16, words: String },
    /// Something else, in our words.
    Broken { why: String, permanent: bool },
}

/// The mail server, with the connections that are free.
pub(crate) struct Smtp {
    server: SmtpUrl,
    from: Mailbox,
    hello: ClientId,
    tls: Option<TlsParameters>,
    permits: Semaphore,
    idle: Mutex<Vec<AsyncSmtpConnection>>,
    deadlines: Deadlines,
}

impl fmt::Debug for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Smtp({:?})", self.server)
    }
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The limits of one mail's phases: each its own, all together the mail's.
struct Clock {
    ends: Instant,
    phase: Duration,
}

impl Clock {
    async fn limit<T>(&self, phase: &str, work: impl Future<Output = Result<T, SmtpError>>) -> Result<T, Stop> {
        let until = self.ends.min(Instant::now() + self.phase);
        match timeout_at(until, work).await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(error)) => Err(stop_of(phase, &error)),
            Err(_) => Err(Stop::Broken { why: format!("the mail server was too slow ({phase})"), permanent: false }),
        }
    }
}

fn stop_of(phase: &str, error: &SmtpError) -> Stop {
    let cause = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    let cause = text::cut(&text::title(&cause), WORDS_CHARS_MAX).to_owned();
    match error.status() {
        Some(code) => Stop::Answer { code: code.into(), words: cause },
        None => Stop::Broken { why: format!("the mail server failed ({phase}): {cause}"), permanent: false },
    }
}

/// What the server says before it hears of a recipient is about itself or about us: never to be held against whom the
/// mail is for.
fn of_the_server(what: &str, stop: Stop) -> Stop {
    match stop {
        Stop::Answer { code, words } => {
            Stop::Broken { why: format!("the mail server refused {what} (SMTP {code} {words})"), permanent: false }
        }
        broken @ Stop::Broken { .. } => broken,
    }
}

/// The address with its domain as DNS has it: a server need not know how to read others (RFC 5891).
fn ascii_domain(address: &str) -> Result<String, String> {
    let Some((local, domain)) = address.trim().rsplit_once('@').filter(|(_, domain)| !domain.is_ascii()) else {
        return Ok(address.to_owned());
    };
    let domain = idna::domain_to_ascii(domain).map_err(|_| format!("`{domain}` is no domain that DNS could have"))?;
    Ok(format!("{local}@{domain}"))
}

/// Longest encoded word (RFC 2047 §2), and what of it is not text: `=?utf-8?B?` and `?=`.
const ENCODED_WORD_MAX: usize = 75;
const ENCODED_WORD_FRAME: usize = 12;

/// The subject. A title that looks like an encoded word would be shown as what it stands for, so it is encoded itself.
fn subject(text: &str) -> HeaderValue {
    let name = HeaderName::new_from_ascii_str("Subject");
    if !text.contains("=?") {
        return HeaderValue::new(name, text.to_owned());
    }
    // Three bytes are four letters of base64.
    let bytes_max = (ENCODED_WORD_MAX - ENCODED_WORD_FRAME) / 4 * 3;
    let mut words = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (word, others) = rest.split_at(rest.floor_char_boundary(bytes_max));
        words.push(format!("=?utf-8?B?{}?=", BASE64.encode(word)));
        rest = others;
    }
    HeaderValue::dangerous_new_pre_encoded(name, text.to_owned(), words.join("\r\n "))
}

impl Smtp {
    pub(crate) fn new(server: SmtpUrl, mail_from: &str, deadlines: Deadlines) -> Result<Self, TransportError> {
        let from: Mailbox = mail_from.trim().parse().map_err(|_| TransportError::MailFrom(mail_from.to_owned()))?;
        let email = ascii_domain(from.email.as_ref()).ok().and_then(|address| address.parse().ok()).unwrap_or(from.email);
        let from = Mailbox { name: from.name.or_else(|| Some("All Clear".to_owned())), email };
        let tls = if server.tls_from_start || !is_loopback(&server.host) {
            // Without a login, STARTTLS that cannot be checked is still better than the plain
            // text that would be sent if it were not offered at all (RFC 7435).
            let unchecked = !server.tls_from_start && server.login.is_none();
            let tls = TlsParameters::builder(server.host.clone())
                .dangerous_accept_invalid_certs(unchecked)
                .dangerous_accept_invalid_hostnames(unchecked)
                .build_rustls()
                .map_err(|error| TransportError::Smtp(error.into()))?;
            Some(tls)
        } else {
            None
        };
        let hello = ClientId::Domain(from.email.domain().to_owned());
        Ok(Self { server, from, hello, tls, permits: Semaphore::new(CONNECTIONS_MAX), idle: Mutex::default(), deadlines })
    }

    /// Carries one mail, once.
    pub(crate) async fn send(&self, mail: Mail) -> Response {
        let clock = Clock { ends: Instant::now() + self.deadlines.smtp_total, phase: self.deadlines.smtp_phase };
        let broken = |why: String, maybe_arrived, permanent| Response::Failed { why, maybe_arrived, permanent };
        let message = match self.message(&mail) {
            Ok(message) => message,
            Err(why) => return broken(why, false, true),
        };
        let Ok(Ok(_permit)) = timeout_at(clock.ends, self.permits.acquire()).await else {
            // Not a word of the server's: all our connections were in use.
            return Response::Busy { why: "no connection to the mail server became free in time".to_owned() };
        };
        let mut on_its_way = false;
        // Boxed: the protocol's future is large.
        match Box::pin(self.transact(&clock, &message, &mut on_its_way)).await {
            Ok((code, words)) | Err(Stop::Answer { code, words }) => Response::Smtp { code, text: words },
            Err(Stop::Broken { why, permanent }) => broken(why, on_its_way, permanent),
        }
    }

    async fn transact(&self, clock: &Clock, message: &Message, on_its_way: &mut bool) -> Result<(u16, String), Stop> {
        let mut connection = self.connection(clock).await?;
        let envelope = message.envelope();
        let bytes = message.formatted();
        let server = connection.server_info();
        let mut parameters = Vec::new();
        let addresses = envelope.to().iter().chain(envelope.from());
        if addresses.into_iter().any(|address| !AsRef::<str>::as_ref(address).is_ascii()) {
            if !server.supports_feature(Extension::SmtpUtfEight) {
                let why = "the mail server does not take addresses with letters beyond ASCII before the @ (SMTPUTF8)".to_owned();
                self.put_back(connection);
                return Err(Stop::Broken { why, permanent: true });
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        if !bytes.is_ascii() && server.supports_feature(Extension::EightBitMime) {
            parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        // A connection that stopped half-way is dropped, never put back.
        let sender = clock.limit("sender", connection.command(MailFrom::new(envelope.from().cloned(), parameters))).await;
        sender.map_err(|stop| of_the_server("the sender of --mail-from", stop))?;
        for to in envelope.to() {
            clock.limit("recipient", connection.command(Rcpt::new(to.clone(), Vec::new()))).await?;
        }
        clock.limit("data", connection.command(Data)).await?;
        *on_its_way = true;
        let answer = clock.limit("text", connection.message(&bytes)).await?;
        let words = answer.message().collect::<Vec<_>>().join(" ");
        self.put_back(connection);
        Ok((answer.code().into(), text::cut(&text::title(&words), WORDS_CHARS_MAX).to_owned()))
    }

    /// A free connection that still answers, or a new one.
    async fn connection(&self, clock: &Clock) -> Result<AsyncSmtpConnection, Stop> {
        while let Some(mut connection) = self.take_idle() {
            let until = clock.ends.min(Instant::now() + self.deadlines.connect);
            if timeout_at(until, connection.test_connected()).await == Ok(true) {
                return Ok(connection);
            }
        }
        self.connect(clock).await
    }

    async fn connect(&self, clock: &Clock) -> Result<AsyncSmtpConnection, Stop> {
        let wrapper = self.tls.clone().filter(|_| self.server.tls_from_start);
        let address = (self.server.host.as_str(), self.server.port);
        let connecting = AsyncSmtpConnection::connect_tokio1(address, Some(self.deadlines.connect), &self.hello, wrapper, None);
        let mut connection = clock.limit("connect", connecting).await.map_err(|stop| of_the_server("the connection", stop))?;
        if let Some(tls) = self.tls.clone().filter(|_| connection.can_starttls()) {
            let secured = clock.limit("STARTTLS", connection.starttls(tls, &self.hello)).await;
            secured.map_err(|stop| of_the_server("STARTTLS", stop))?;
        }
        if let Some((user, password)) = &self.server.login {
            if self.tls.is_some() && !connection.is_encrypted() {
                let why = "the mail server offers no TLS, and the password is not sent in the clear".to_owned();
                return Err(Stop::Broken { why, permanent: false });
            }
            let credentials = Credentials::new(user.clone(), password.clone());
            let login = connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials);
            clock.limit("login", login).await.map_err(|stop| of_the_server("the login of --smtp", stop))?;
        }
        Ok(connection)
    }

    fn take_idle(&self) -> Option<AsyncSmtpConnection> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn put_back(&self, connection: AsyncSmtpConnection) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
    }

    fn message(&self, mail: &Mail) -> Result<Message, String> {
        let to: Address = ascii_domain(&mail.to)?.parse().map_err(|_| "the mail address is not of the form name@host".to_owned())?;
        let name = Some(mail.to_name.clone()).filter(|name| !name.is_empty());
        // Line breaks cannot come here from our own channel; a second look costs nothing.
        if [&mail.subject, &mail.message_id, &mail.to_name].iter().any(|line| line.contains(['\r', '\n'])) {
            return Err("a header of the mail has a line break".to_owned());
        }
        let automatic = HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned());
        let mut builder = Message::builder()
            .from(self.from.clone())
            .to(Mailbox { name, email: to })
            .raw_header(subject(&mail.subject))
            .message_id(Some(format!("<{}>", mail.message_id)))
            .raw_header(automatic);
        if let Some(address) = &mail.reply_to {
            let address = ascii_domain(address)?.parse().map_err(|_| "the address for answers is not of the form name@host".to_owned())?;
            builder = builder.reply_to(Mailbox { name: None, email: address });
        }
        if let Some(thread) = &mail.thread {
            builder = builder.in_reply_to(format!("<{thread}>")).references(format!("<{thread}>"));
        }
        builder
            .multipart(MultiPart::alternative_plain_html(mail.text.clone(), mail.html.clone()))
            .map_err(|_| "the mail cannot be put together".to_owned())
    }
}

#[cfg(test)]
#[path = "smtp_tests.rs"]
mod tests;
