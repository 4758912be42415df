//! The only I/O of the ways out: carries a [`Request`] and brings back a [`Response`].
//!
//! HTTP goes through the [`guard`](crate::carry::guard), follows no redirect, uses no proxy of the
//! environment, and ends within a deadline whatever the other side does. Mail is in
//! [`smtp`](crate::carry::smtp), and connections that stay open in [`socket`](crate::carry::socket). Nothing is retried here and no body is logged: what a failure means is
//! for the channel, when to try again is for the engine.

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use allclear_domain::time::Length;
use allclear_domain::wire::{Fetch, Fetched, Method, Request, Response};
use jiff::Timestamp;
use reqwest::header::{DATE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Url};

use crate::carry::deadlines::Deadlines;
use crate::carry::guard::{Blocked, Guard, GuardedResolver, NotFound};
use crate::carry::smtp::{Mail, Smtp, SmtpUrl};

pub use crate::carry::deadlines::{BODY_PATIENCE, CONNECT_TIMEOUT, HTTP_DEADLINE, TransportError};
use crate::inbound::text;

/// Most of an answer's body that is read, in bytes; reading it lets the connection be used again.
pub const BODY_READ_MAX: usize = 64 * 1024;
/// Most of it that is kept, in bytes, as [`Response::Http`] promises.
pub const BODY_KEPT_MAX: usize = 8 * 1024;
/// How long an idle connection is kept: below the shortest common keep-alive (15 s and more), so
/// that a page seldom meets a connection that is just being closed.
const IDLE_TIMEOUT: Duration = Duration::from_secs(12);
/// Most idle connections to one host.
const IDLE_PER_HOST_MAX: usize = 4;
/// Longest wait that an answer may ask for: a week; beyond it is a mistake.
const RETRY_AFTER_MAX_S: u64 = 7 * 86_400;

/// What the transports are made from.
#[derive(Debug)]
pub struct TransportConfig {
    /// Which addresses HTTP may reach.
    pub guard: Guard,
    /// The mail server, if there is one.
    pub smtp: Option<SmtpUrl>,
    /// Who mails come from: `name@host` or `Name <name@host>`.
    pub mail_from: String,
}

/// HTTP and SMTP, each with its pool of connections. Made once, shared by all sends.
#[derive(Debug)]
pub struct Transports {
    http: Client,
    pub(super) guard: Arc<Guard>,
    smtp: Option<Smtp>,
    pub(super) deadlines: Deadlines,
}

impl Transports {
    /// Sets both transports up; connects to nothing yet.
    ///
    /// # Errors
    /// When the sender's address is none or TLS cannot be set up.
    pub fn new(config: TransportConfig) -> Result<Self, TransportError> {
        Self::with_deadlines(config, Deadlines::default())
    }

    pub(crate) fn with_deadlines(config: TransportConfig, deadlines: Deadlines) -> Result<Self, TransportError> {
        let guard = Arc::new(config.guard);
        let http = http_client(Arc::clone(&guard), deadlines)?;
        let smtp = config.smtp.map(|url| Smtp::new(url, &config.mail_from, deadlines)).transpose()?;
        Ok(Self { http, guard, smtp, deadlines })
    }

    /// Carries the request, once.
    pub async fn send(&self, request: Request) -> Response {
        match request {
            Request::Http { method, url, headers, body } => self.ask(method, &url, headers, body).await,
            Request::Mail { to, to_name, subject, message_id, reply_to, thread, text, html } => match &self.smtp {
                Some(smtp) => smtp.send(Mail { to, to_name, subject, message_id, reply_to, thread, text, html }).await,
                None => refused("no --smtp is set"),
            },
        }
    }

    /// Reads a text that others keep, once.
    pub async fn fetch(&self, ask: &Fetch) -> Fetched {
        Box::pin(crate::carry::fetch::fetch(&self.http, &self.guard, ask, why_not)).await
    }

    async fn ask(&self, method: Method, url: &str, headers: Vec<(&'static str, String)>, body: Vec<u8>) -> Response {
        let Ok(url) = url.parse::<Url>() else { return refused("the address is not a URL") };
        if !matches!(url.scheme(), "http" | "https") {
            return refused("the address is neither http nor https");
        }
        if let Err(blocked) = self.guard.check_url(&url) {
            return refused(&blocked.to_string());
        }
        let mut map = HeaderMap::with_capacity(headers.len());
        for (name, value) in headers {
            let Ok(value) = HeaderValue::from_str(&value) else {
                return refused(&format!("the header {name} has a character that headers cannot carry"));
            };
            map.insert(HeaderName::from_static(name), value);
        }
        let asked = match method {
            Method::Post => self.http.post(url).body(body),
            Method::Put => self.http.put(url).body(body),
            Method::Get => self.http.get(url),
        };
        // Boxed: the client's future is large, and one allocation is nothing beside a request.
        let sent = Box::pin(tokio::time::timeout(self.deadlines.http, asked.headers(map).send())).await;
        match sent {
            Ok(Ok(response)) => self.read(response).await,
            Ok(Err(error)) => failed(&error),
            Err(_) => Response::Failed {
                why: format!("no answer within {} s", self.deadlines.http.as_secs()),
                maybe_arrived: true,
                permanent: false,
            },
        }
    }

    async fn read(&self, mut response: reqwest::Response) -> Response {
        let status = response.status().as_u16();
        let retry_after = retry_after(response.headers());
        let mut kept = Vec::new();
        // Whatever happens to the body, the status stands.
        let _ = tokio::time::timeout(self.deadlines.body, async {
            let mut read = 0;
            while read < BODY_READ_MAX
                && let Ok(Some(chunk)) = response.chunk().await
            {
                read += chunk.len();
                let room = BODY_KEPT_MAX - kept.len();
                kept.extend_from_slice(&chunk[..chunk.len().min(room)]);
            }
        })
        .await;
        Response::Http { status, retry_after, body: kept_text(&kept) }
    }
}

fn http_client(guard: Arc<Guard>, deadlines: Deadlines) -> Result<Client, TransportError> {
    let tls = tls_config().map_err(|error| TransportError::Http(error.into()))?;
    Client::builder()
        .tls_backend_preconfigured(tls)
        // HTTP/1.1: a connection carries one page at a time, so a stuck one holds up no other.
        .http1_only()
        .dns_resolver(GuardedResolver::new(guard))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .referer(false)
        .connect_timeout(deadlines.connect)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_max_idle_per_host(IDLE_PER_HOST_MAX)
        .build()
        .map_err(|error| TransportError::Http(error.into()))
}

/// TLS towards whoever is asked: the roots of the web, and one crypto provider.
pub(super) fn tls_config() -> Result<rustls::ClientConfig, rustls::Error> {
    let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    Ok(rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

fn refused(why: &str) -> Response {
    Response::Failed { why: why.to_owned(), maybe_arrived: false, permanent: true }
}

/// The same as a sentence.
fn why_not(error: &reqwest::Error) -> String {
    match failed(error) {
        Response::Failed { why, .. } => why,
        Response::Http { .. } | Response::Smtp { .. } | Response::Busy { .. } => "no answer".to_owned(),
    }
}

/// What the client's error means. Its own text is not used, since it shows the address, which is
/// often a secret.
fn failed(error: &reqwest::Error) -> Response {
    let mut innermost = None;
    let mut next = error.source();
    while let Some(source) = next {
        if let Some(blocked) = source.downcast_ref::<Blocked>() {
            return refused(&blocked.to_string());
        }
        if let Some(not_found) = source.downcast_ref::<NotFound>() {
            return Response::Failed { why: not_found.to_string(), maybe_arrived: false, permanent: false };
        }
        innermost = Some(source.to_string());
        next = source.source();
    }
    let cause = innermost.unwrap_or_else(|| "no reason given".to_owned());
    let why = if error.is_connect() { format!("could not connect: {cause}") } else { format!("no answer: {cause}") };
    // A connection that was never made carried nothing; after that, who knows.
    Response::Failed { why, maybe_arrived: !error.is_connect() && !error.is_builder(), permanent: error.is_builder() }
}

/// `Retry-After` in seconds, or as a date, which counts from the answer's own `Date`: the
/// receiver's clock is measured against itself.
fn retry_after(headers: &HeaderMap) -> Option<Length> {
    let said = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let secs = match said.parse::<u64>() {
        Ok(secs) => secs,
        Err(_) => {
            let at = http_date(said)?;
            let sent = http_date(headers.get(DATE)?.to_str().ok()?)?;
            u64::try_from(at.as_second() - sent.as_second()).unwrap_or(0)
        }
    };
    Some(Length::from_secs(secs.min(RETRY_AFTER_MAX_S)))
}

fn http_date(text: &str) -> Option<Timestamp> {
    Some(jiff::fmt::rfc2822::parse(text.trim()).ok()?.timestamp())
}

/// The first bytes of an answer as text for the log.
fn kept_text(bytes: &[u8]) -> String {
    let lossy = String::from_utf8_lossy(bytes);
    let cleaned = text::clean(&lossy);
    // Replacement characters are longer than what they replace.
    let end = cleaned.floor_char_boundary(BODY_KEPT_MAX);
    cleaned[..end].to_owned()
}

#[cfg(test)]
#[path = "http_tests.rs"]
mod tests;
