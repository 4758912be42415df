//! Asks a running server over its API, as any other program would.
//!
//! The address is in `ALLCLEAR_URL` and the token in `ALLCLEAR_TOKEN`: a token on the command line
//! would be seen by everybody on the machine. Nothing is retried: the person sees what happened.

use std::time::Duration;

use anyhow::Context as _;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Method, RequestBuilder, Response, Url};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::cli::args::{Remote, Usage};
use crate::config::environment;

/// Where a server is unless something is said.
pub const URL_DEFAULT: &str = "http://127.0.0.1:8080";
/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How long an answer may take; applying a large organisation takes a second or two.
const ANSWER: Duration = Duration::from_secs(30);
/// A stream that says nothing for so long is gone: the server says something every 15 s.
pub const STREAM_SILENCE: Duration = Duration::from_secs(45);

/// Why a server refused (RFC 9457).
#[derive(Debug, Deserialize)]
struct Problem {
    #[serde(default)]
    title: String,
    #[serde(default)]
    detail: Option<String>,
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    errors: Vec<serde_json::Value>,
}

/// One page of a list.
#[derive(Debug, Deserialize)]
pub struct Items<T> {
    pub items: Vec<T>,
    #[serde(default)]
    pub next: Option<String>,
}

/// A server, and the token to ask it with.
pub struct Client {
    http: reqwest::Client,
    base: Url,
    token: Option<String>,
}

impl Client {
    /// A client for the server that flag or environment name.
    ///
    /// # Errors
    /// When the address is none.
    pub fn new(remote: &Remote) -> anyhow::Result<Self> {
        let given = remote.url.clone().or_else(|| environment("ALLCLEAR_URL")).unwrap_or_else(|| URL_DEFAULT.to_owned());
        let base: Url = given
            .trim_end_matches('/')
            .parse()
            .ok()
            .filter(|url: &Url| matches!(url.scheme(), "http" | "https"))
            .ok_or_else(|| Usage(format!("`{given}` is not the address of a server; write it as in {URL_DEFAULT}")))?;
        // A failure means that somebody else has installed one, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let is_here = base.host_str().is_some_and(|host| matches!(host, "127.0.0.1" | "localhost" | "[::1]"));
        let builder = || {
            let builder = reqwest::Client::builder().connect_timeout(CONNECT).redirect(reqwest::redirect::Policy::none());
            if is_here { builder.no_proxy() } else { builder }
        };
        // A machine without any certificate of an authority still reaches servers without TLS.
        let http = builder()
            .build()
            .or_else(|why| if base.scheme() == "http" { builder().tls_backend_preconfigured(without_roots()).build() } else { Err(why) })?;
        Ok(Self { http, base, token: environment("ALLCLEAR_TOKEN") })
    }

    /// Whether there is a token to ask with.
    #[must_use]
    pub const fn has_token(&self) -> bool {
        self.token.is_some()
    }

    /// A request to `/api/v1`, the path given in parts, so that what people type stays one part.
    pub fn request(&self, method: Method, parts: &[&str], query: &[(&str, &str)]) -> RequestBuilder {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(["api", "v1"]).extend(parts);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let request = self.http.request(method, url);
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Sends; an answer that is not a success is an error in the server's words.
    ///
    /// # Errors
    /// When there is no answer, or a refusal.
    pub async fn send(&self, request: RequestBuilder) -> anyhow::Result<Response> {
        let answer = request.send().await.map_err(|why| self.unreachable(&why))?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let status = answer.status();
        let text = answer.text().await.unwrap_or_default();
        let Ok(problem) = serde_json::from_str::<Problem>(&text) else {
            anyhow::bail!("{} answered {status}; is it All Clear that runs there?", self.base);
        };
        for error in &problem.errors {
            eprintln!("{}", error_line(error));
        }
        let by_scope = problem.code.as_deref() == Some("forbidden");
        let code = problem.code.map(|code| format!(" ({code})")).unwrap_or_default();
        let words = problem.detail.filter(|detail| !detail.is_empty()).unwrap_or(problem.title);
        let hint = match (status.as_u16(), self.has_token()) {
            (401, false) => "; set ALLCLEAR_TOKEN, which `allclear token create` makes",
            (401, true) => "; the token in ALLCLEAR_TOKEN is unknown, expired or revoked",
            (403, true) if by_scope => "; that is the scope of the token in ALLCLEAR_TOKEN",
            _ => "",
        };
        anyhow::bail!("{}{code}{hint}", crate::cli::terminal::clean(&words))
    }

    fn unreachable(&self, why: &reqwest::Error) -> anyhow::Error {
        let mut cause: &dyn std::error::Error = why;
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        anyhow::anyhow!("{} cannot be reached: {cause}; is the server running, and is ALLCLEAR_URL right?", self.base)
    }

    /// Asks for JSON within the usual time.
    ///
    /// # Errors
    /// As [`Self::send`], and when the answer is not what was expected.
    pub async fn json<T: DeserializeOwned>(&self, request: RequestBuilder) -> anyhow::Result<T> {
        let answer = self.send(request.timeout(ANSWER).header(ACCEPT, "application/json")).await?;
        answer.json().await.context("the answer is not what this version of the command line expects")
    }

    /// GET of JSON.
    ///
    /// # Errors
    /// As [`Self::json`].
    pub async fn get<T: DeserializeOwned>(&self, parts: &[&str], query: &[(&str, &str)]) -> anyhow::Result<T> {
        self.json(self.request(Method::GET, parts, query)).await
    }

    /// GET of a file, as it is.
    ///
    /// # Errors
    /// As [`Self::send`], and when it breaks off.
    pub async fn file(&self, parts: &[&str], query: &[(&str, &str)]) -> anyhow::Result<Vec<u8>> {
        let answer = self.send(self.request(Method::GET, parts, query).timeout(ANSWER)).await?;
        Ok(answer.bytes().await.context("the answer broke off")?.to_vec())
    }

    /// POST of JSON.
    ///
    /// # Errors
    /// As [`Self::json`].
    pub async fn post<T: DeserializeOwned>(&self, parts: &[&str], body: &impl Serialize) -> anyhow::Result<T> {
        self.json(self.request(Method::POST, parts, &[]).json(body)).await
    }

    /// POST of bytes of a type.
    ///
    /// # Errors
    /// As [`Self::json`].
    pub async fn post_bytes<T: DeserializeOwned>(
        &self,
        parts: &[&str],
        query: &[(&str, &str)],
        kind: &str,
        body: Vec<u8>,
    ) -> anyhow::Result<T> {
        self.json(self.request(Method::POST, parts, query).header(CONTENT_TYPE, kind).body(body)).await
    }
}

/// One of a problem's errors as an editor reads it.
fn error_line(error: &serde_json::Value) -> String {
    let text = |key: &str| error.get(key).and_then(serde_json::Value::as_str);
    let Some(message) = text("message") else {
        return crate::cli::terminal::clean(error.as_str().map_or_else(|| error.to_string(), ToOwned::to_owned).as_str());
    };
    let line = error.get("line").and_then(serde_json::Value::as_u64).map(|line| format!(":{line}")).unwrap_or_default();
    let key = text("key").filter(|key| !key.is_empty()).map(|key| format!("{key}: ")).unwrap_or_default();
    let hint = text("hint").map(|hint| format!("; {hint}")).unwrap_or_default();
    crate::cli::terminal::clean(&format!(
        "{}{line}: {}: {key}{message}{hint}",
        text("file").unwrap_or("(stored)"),
        text("weight").unwrap_or("error")
    ))
}

/// A client for servers on this machine, without TLS.
///
/// # Errors
/// When the system gives none.
pub fn plain_http(deadline: Duration) -> reqwest::Result<reqwest::Client> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().timeout(deadline).tls_backend_preconfigured(without_roots()).build()
}

fn without_roots() -> rustls::ClientConfig {
    rustls::ClientConfig::builder().with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth()
}
