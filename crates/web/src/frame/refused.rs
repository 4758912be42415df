//! What is answered when there is no page to show: why, and what would work; as a page for
//! browsers, as problem details (RFC 9457) for programs.

use allclear_domain::access::{Denied, Scope};
use allclear_engine::core::Refusal;
use allclear_engine::identity::NotDone;
use allclear_engine::read::NoAnswer;
use axum::Json;
use axum::http::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use maud::{Markup, html};

use crate::frame::document::{Frame, document};

/// How long we ask to wait when the store does not answer: its writer tries again within a second,
/// and a person reads the page for about as long.
const RETRY_AFTER_S: &str = "5";

/// Why not, and what would work.
#[derive(Debug)]
pub(crate) struct Refused {
    status: StatusCode,
    code: &'static str,
    title: String,
    detail: String,
    works: Markup,
    /// Seconds to wait, where that alone helps.
    wait_s: Option<u64>,
}

impl Refused {
    pub(crate) fn new(status: StatusCode, code: &'static str, title: impl Into<String>, detail: impl Into<String>, works: Markup) -> Self {
        Self { status, code, title: title.into(), detail: detail.into(), works, wait_s: None }
    }

    /// There is no such thing.
    pub(crate) fn missing(what: &str, works: &str) -> Self {
        let works = html! { p { (works) } p { a href="/" { "Board" } } };
        Self::new(StatusCode::NOT_FOUND, "not_found", format!("There is no such {what}"), "It may have been mistyped or cut short.", works)
    }

    /// The store does not answer.
    pub(crate) fn store(again: Option<Markup>) -> Self {
        let works = again.unwrap_or_else(|| html! { p { "Load this page again in a few seconds." } });
        let detail = "The store did not answer, so nothing was recorded and nothing was changed.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "store_unavailable", "This cannot be done right now", detail, works)
    }

    /// A token is needed.
    pub(crate) fn token(given: bool) -> Self {
        let (title, detail) = if given {
            ("This token does not work", "It is not one of ours, has expired, or was revoked.")
        } else {
            ("This page needs a token", "What it shows is for people of this organisation.")
        };
        let works = html! {
            h2 { "What works" }
            ul class="works" {
                li { "Were you paged? Open the link in the message. It needs nothing else." }
                li { "On the machine that runs All Clear, make a token:" pre { code { "allclear token create --name me --scope read" } } }
                li { "With the token, from a terminal:" pre { code { "ALLCLEAR_TOKEN=… allclear list" } } }
                li { "Or send it with the request:" pre { code { "Authorization: Bearer …" } } }
            }
        };
        Self::new(StatusCode::UNAUTHORIZED, "token_needed", title, detail, works)
    }

    /// Whether it came too late, rather than wrongly.
    pub(crate) fn is_conflict(&self) -> bool {
        self.status == StatusCode::CONFLICT
    }

    /// The answer, for a browser or for a program.
    pub(crate) fn answer(self, html: bool) -> Response {
        let mut response = if html { self.page().into_response() } else { self.problem() };
        *response.status_mut() = self.status;
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_S));
        }
        if let Some(wait) = self.wait_s {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }

    fn page(&self) -> Html<String> {
        let body = html! {
            main class="narrow refused" {
                h1 { (self.title) }
                p { (self.detail) }
                (self.works)
            }
        };
        document(&Frame { title: &self.title, class: "plain", refresh_s: None, bar: None }, &body)
    }

    fn problem(&self) -> Response {
        let body = serde_json::json!({
            "type": format!("/docs/errors/{}", self.code),
            "title": self.title,
            "status": self.status.as_u16(),
            "code": self.code,
            "detail": self.detail,
        });
        let mut response = Json(body).into_response();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        response
    }
}

impl From<NoAnswer> for Refused {
    fn from(why: NoAnswer) -> Self {
        match why {
            NoAnswer::Store(fault) => {
                tracing::error!(%fault, "a page could not be shown");
                Self::store(None)
            }
            NoAnswer::Missing(what) => Self::missing(what, "Look for it on the board."),
            NoAnswer::Denied(no) => no.into(),
            NoAnswer::Bad(why) => Self::new(StatusCode::BAD_REQUEST, "bad_request", "This cannot be read", why, html! {}),
        }
    }
}

impl From<Denied> for Refused {
    fn from(no: Denied) -> Self {
        let (title, detail) = match no {
            Denied::Unseen => return Self::missing("page", "Look for it on the board."),
            Denied::Scope { needs: Scope::Read, .. } => ("You may not see that", sentence(&no.to_string())),
            Denied::Scope { needs: Scope::Respond, .. } => {
                ("You may read here, and not act", format!("{} Nothing was changed.", sentence(&no.to_string())))
            }
            Denied::Scope { needs: Scope::Admin, .. } => ("This is for administrators", sentence(&no.to_string())),
            Denied::Guest => (
                "Guests do not see this",
                "You see the incidents to which you were admitted. Who is on call, services and policies are for people of the house."
                    .to_owned(),
            ),
            Denied::NotWhole => ("A part of this is not for you", sentence(&no.to_string())),
            Denied::Link
            | Denied::Schedule
            | Denied::Drill
            | Denied::Override
            | Denied::WouldNotSeeIt
            | Denied::Ours
            | Denied::AnothersName
            | Denied::Silence
            | Denied::NotTheirs => ("This is not yours to do", format!("{} Nothing was changed.", sentence(&no.to_string()))),
        };
        Self::new(StatusCode::FORBIDDEN, no.code(), title, detail, html! { p { a href="/" { "Board" } } })
    }
}

impl From<NotDone> for Refused {
    fn from(why: NotDone) -> Self {
        match why {
            NotDone::Denied(no) => no.into(),
            NotDone::Store(why) => {
                tracing::error!(%why, "a link or a token could not be kept");
                Self::store(None)
            }
        }
    }
}

/// A command that was refused; `again` is the form that asks for it once more.
pub(crate) fn of_command(refusal: &Refusal, again: Markup) -> Refused {
    match refusal {
        Refusal::Unavailable(_) => Refused::store(Some(again)),
        Refusal::Broken => {
            let detail = "All Clear failed inside; its operator has been told. Nothing was changed.";
            Refused::new(StatusCode::INTERNAL_SERVER_ERROR, refusal.code(), "This could not be done", detail, again)
        }
        Refusal::TooOften { wait, .. } => {
            let (title, why) = ("This was asked for too often", sentence(&refusal.to_string()));
            let no = Refused::new(StatusCode::TOO_MANY_REQUESTS, refusal.code(), title, why, html! {});
            Refused { wait_s: Some(wait.as_secs()), ..no }
        }
        Refusal::Denied(no) => (*no).into(),
        Refusal::NoSuchIncident | Refusal::NoSuchPage => Refused::missing("page", "Open the newest message."),
        _ => Refused::new(StatusCode::CONFLICT, refusal.code(), "This cannot be done any more", sentence(&refusal.to_string()), html! {}),
    }
}

pub(crate) fn sentence(words: &str) -> String {
    let mut chars = words.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}

/// Whether the asker is a browser.
pub(crate) fn wants_html(headers: &HeaderMap) -> bool {
    headers.get_all(ACCEPT).iter().filter_map(|v| v.to_str().ok()).any(|v| v.to_ascii_lowercase().contains("text/html"))
}
