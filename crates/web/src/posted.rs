//! What the forms of all subjects have in common: what was typed, asking the engine once for each form that was sent, and
//! why it was not done, for the page that shows the form again.
//!
//! Not here: who sent it ([`crate::access`]), and what any form means, which is its subject's.

use allclear_domain::access::Principal;
use allclear_domain::incident::{self, NOTE_CHARS_MAX, words};
use allclear_domain::time::Length;
use allclear_engine::core::{Command, Input, Once, Refusal, Reply};
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use maud::{Markup, html};

use crate::access::reader::Fields;
use crate::app::App;
use crate::frame::refused::{Refused, sentence};

/// Where a command of a form comes from, in the log.
pub(crate) const VIA: &str = allclear_domain::paging::VIA_WEB;

/// Why a form was not carried out.
pub(crate) enum No {
    /// What was typed does not do; why, in words.
    Typed(String),
    /// Somebody else changed this meanwhile: what it is.
    Changed(&'static str),
    /// The rules say no, or the store does not answer.
    Refusal(Refusal),
    /// There is no page to show it on.
    Page(Refused),
}

impl No {
    /// How long to wait, where that alone helps.
    pub(crate) fn wait(&self) -> Option<Length> {
        if let Self::Refusal(refusal) = self { refusal.wait() } else { None }
    }
}

impl From<Refusal> for No {
    fn from(refusal: Refusal) -> Self {
        Self::Refusal(refusal)
    }
}

/// What somebody asked for that was not done, or is about to ask for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Draft {
    /// The verb of its form; empty where there is none.
    pub verb: String,
    /// What was typed.
    pub fields: Fields,
    /// Why it was not done: the reason, and what would work.
    pub refusal: Option<String>,
}

impl Draft {
    /// What was typed in a field of a form.
    pub(crate) fn typed(&self, verb: &str, field: &str) -> &str {
        if self.verb == verb { self.fields.get(field).map_or("", String::as_str) } else { "" }
    }

    /// The refusal, where it is of this form.
    pub(crate) fn refused(&self, verb: &str) -> Markup {
        html! {
            @if let Some(why) = self.refusal.as_ref().filter(|_| self.verb == verb) {
                p class="refusal" role="alert" { strong { "This was not done" } (why) }
            }
        }
    }
}

/// Whether this very form was carried out before. Asked before what its writer saw is held against what stands now,
/// since that is what the form made of it.
pub(crate) async fn done_before(app: &App, who: &Principal, once: Option<&Once>) -> Result<bool, No> {
    let Some(once) = once else { return Ok(false) };
    Ok(app.engine.kept(who, once).await.transpose()?.is_some())
}

/// Asks the engine, once for each form that was sent.
pub(crate) async fn ask(app: &App, who: &Principal, once: Option<Once>, command: Command) -> Result<Reply, No> {
    let input = Input { who: who.clone(), cause: VIA.into(), once, command };
    app.engine.ask(input).await.map_err(No::Refusal)
}

/// Says in the answer how long to wait, where a form came too often.
pub(crate) fn told_to_wait(response: &mut Response, wait: Option<Length>) {
    if let Some(wait) = wait {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait.as_secs()));
    }
}

/// Why it was not done, for the page that shows the form again; or the page that says so alone.
pub(crate) fn worded(no: No) -> Result<(StatusCode, String), Refused> {
    match no {
        No::Refusal(Refusal::Unavailable(_)) => Ok((
            StatusCode::SERVICE_UNAVAILABLE,
            "The store did not answer, so nothing was recorded. Ask again in a few seconds.".to_owned(),
        )),
        No::Refusal(Refusal::VersionMismatch { of, .. }) => worded(No::Changed(of.noun())),
        No::Changed(noun) => Ok((
            StatusCode::CONFLICT,
            format!(
                "Somebody changed this {noun} since you opened the page. What they wrote is shown; what you wrote is kept. Send it again \
                 if it still holds."
            ),
        )),
        No::Refusal(refusal @ Refusal::Denied(_)) => Ok((StatusCode::FORBIDDEN, sentence(&refusal.to_string()))),
        No::Refusal(refusal @ Refusal::TooOften { .. }) => Ok((StatusCode::TOO_MANY_REQUESTS, sentence(&refusal.to_string()))),
        No::Refusal(refusal) => Ok((StatusCode::CONFLICT, sentence(&refusal.to_string()))),
        No::Typed(why) => Ok((StatusCode::UNPROCESSABLE_ENTITY, why)),
        No::Page(refused) => Err(refused),
    }
}

/// What was typed in a field; nothing where it is blank.
pub(crate) fn said(fields: &Fields, name: &str) -> Option<String> {
    fields.get(name).map(|text| text.trim()).filter(|text| !text.is_empty()).map(ToOwned::to_owned)
}

/// The same, where it cannot be left out.
pub(crate) fn needed(fields: &Fields, name: &str, what: &'static str) -> Result<String, No> {
    let text = said(fields, name).ok_or(Refusal::from(incident::Refusal::Words(words::Refusal::Missing { what })))?;
    if text.chars().count() > NOTE_CHARS_MAX {
        return Err(Refusal::from(incident::Refusal::Words(words::Refusal::TooLong { what, max: NOTE_CHARS_MAX })).into());
    }
    Ok(text)
}
