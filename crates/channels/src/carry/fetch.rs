//! Reads a text that others keep: through the same guard as everything that goes out, at every redirect anew, whole or not at all.
//!
//! Deliberately not here: what the text is, and when it is read again.

use allclear_domain::wire::{Fetch, Fetched};
use reqwest::header::{ACCEPT, ETAG, HeaderMap, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, LOCATION};
use reqwest::{Client, Response, StatusCode, Url};
use tokio::time::{Duration, timeout};

use super::guard::Guard;

/// Longest that one reading takes, with its redirects: nobody waits for it, and the one before counts meanwhile.
const DEADLINE: Duration = Duration::from_secs(20);
/// Most redirects: a short link, one to `https`, one to where the file lies.
const REDIRECTS_MAX: usize = 3;
/// Longest version that is kept of an answer, in bytes.
const VERSION_BYTES_MAX: usize = 256;

/// Says why a request was not answered, without its address.
type WhyNot = fn(&reqwest::Error) -> String;

/// One reading.
pub(super) async fn fetch(client: &Client, guard: &Guard, ask: &Fetch, why_not: WhyNot) -> Fetched {
    match timeout(DEADLINE, followed(client, guard, ask, why_not)).await {
        Ok(Ok(fetched)) => fetched,
        Ok(Err(why)) => Fetched::Failed { why },
        Err(_) => Fetched::Failed { why: format!("it did not come whole within {} s", DEADLINE.as_secs()) },
    }
}

async fn followed(client: &Client, guard: &Guard, ask: &Fetch, why_not: WhyNot) -> Result<Fetched, String> {
    let mut url = ask.url.parse::<Url>().map_err(|_| "the address is not a URL".to_owned())?;
    for _ in 0..=REDIRECTS_MAX {
        if !matches!(url.scheme(), "http" | "https") {
            return Err("the address is neither http nor https".to_owned());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("the address has a name or a password, which are not sent".to_owned());
        }
        guard.check_url(&url).map_err(|blocked| blocked.to_string())?;
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("text/calendar, text/plain;q=0.5, */*;q=0.1"));
        for (name, said) in [(IF_NONE_MATCH, &ask.etag), (IF_MODIFIED_SINCE, &ask.modified)] {
            if let Some(value) = said.as_deref().and_then(|said| HeaderValue::from_str(said).ok()) {
                headers.insert(name, value);
            }
        }
        let sent = Box::pin(client.get(url.clone()).headers(headers).send()).await;
        let response = sent.map_err(|error| why_not(&error))?;
        let status = response.status();
        if status == StatusCode::NOT_MODIFIED {
            return Ok(Fetched::NotModified);
        }
        if status.is_redirection() {
            let to = response.headers().get(LOCATION).and_then(|to| to.to_str().ok()).and_then(|to| url.join(to).ok());
            let to = to.ok_or_else(|| format!("it answered HTTP {} without saying where to", status.as_u16()))?;
            if url.scheme() == "https" && to.scheme() != "https" {
                return Err("it leads from https to an address that is not".to_owned());
            }
            url = to;
            continue;
        }
        if status != StatusCode::OK {
            return Err(format!("it answered HTTP {}", status.as_u16()));
        }
        return read(response, ask.bytes_max).await;
    }
    Err(format!("it leads on more than {REDIRECTS_MAX} times"))
}

async fn read(mut response: Response, bytes_max: usize) -> Result<Fetched, String> {
    let version = |name| {
        let value = response.headers().get(name).and_then(|value| value.to_str().ok())?;
        (value.len() <= VERSION_BYTES_MAX).then(|| value.to_owned())
    };
    let (etag, modified) = (version(ETAG), version(LAST_MODIFIED));
    let too_long = || format!("it has more than {} KiB", bytes_max / 1024);
    let said = response.content_length();
    if said.is_some_and(|length| length > bytes_max as u64) {
        return Err(too_long());
    }
    let mut bytes: Vec<u8> = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|_| "it broke off".to_owned())? {
        if bytes.len() + chunk.len() > bytes_max {
            return Err(too_long());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(Fetched::Text { text: String::from_utf8_lossy(&bytes).into_owned(), etag, modified })
}
