//! Whether a form was posted by one of our own pages.
//!
//! Browsers say where a request comes from (`Sec-Fetch-Site`, `Origin`) and pages cannot change
//! what they say. A request that says nothing comes from a program, which carries its own proof.

use axum::http::header::{AUTHORIZATION, HOST, ORIGIN};
use axum::http::{HeaderMap, StatusCode};
use maud::html;

use crate::refused::Refused;

/// Refuses what another site made a browser send.
pub(crate) fn same_origin(headers: &HeaderMap, base_url: &str) -> Result<(), Refused> {
    // A token in a header is never sent by a browser of its own accord.
    if headers.contains_key(AUTHORIZATION) {
        return Ok(());
    }
    let said = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let ours = match said("sec-fetch-site") {
        Some(site) => matches!(site, "same-origin" | "none"),
        None => said(ORIGIN.as_str()).is_none_or(|origin| is_ours(origin, said(HOST.as_str()), base_url)),
    };
    if ours {
        return Ok(());
    }
    let detail = "Another site sent this form, so nothing was changed.";
    let works = html! { p { "Open the page here and ask again." } p { a href="/" { "Board" } } };
    Err(Refused::new(StatusCode::FORBIDDEN, "cross_site", "This did not come from All Clear", detail, works))
}

fn is_ours(origin: &str, host: Option<&str>, base_url: &str) -> bool {
    let authority = |url: &str| url.split_once("://").map(|(_, rest)| rest.split('/').next().unwrap_or(rest).to_ascii_lowercase());
    let Some(from) = authority(origin) else { return false };
    host.is_some_and(|host| host.eq_ignore_ascii_case(&from)) || authority(base_url) == Some(from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(pairs: &[(&'static str, &str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, value.parse().unwrap());
        }
        same_origin(&headers, "https://clear.example.org").is_ok()
    }

    #[test]
    fn only_our_own_pages_and_programs_post() {
        assert!(judged(&[("sec-fetch-site", "same-origin")]) && judged(&[("sec-fetch-site", "none")]));
        assert!(!judged(&[("sec-fetch-site", "cross-site")]) && !judged(&[("sec-fetch-site", "same-site")]));
        assert!(judged(&[("origin", "https://clear.example.org")]));
        assert!(judged(&[("origin", "http://10.0.0.1:8080"), ("host", "10.0.0.1:8080")]));
        assert!(!judged(&[("origin", "https://clear.example.org.evil.example"), ("host", "clear.example.org")]));
        assert!(!judged(&[("origin", "null"), ("host", "clear.example.org")]));
        assert!(judged(&[]) && judged(&[("origin", "https://evil.example"), ("authorization", "Bearer x")]));
    }
}
