//! What comes back over a channel: `POST /reply/{channel}`, for receipts of providers and answers of people.
//!
//! The door knows no vendor: whether a channel hears anything, how it is read and whom it is from is the channel's, and what
//! follows the engine's; so is the form of the answer, where a vendor reads only one of its own. A 2xx follows the commit,
//! but that such a vendor is told in that form why nothing was done. No token is asked for, since a reply is signed as its
//! contact signs; where a channel takes large bodies, a key in the address turns strangers away before one is read.

use std::time::Duration;

use allclear_domain::wire::{OwnAnswer, Replies, ReplyRequest, Told};
use allclear_engine::core::Refusal;
use allclear_engine::message_link::replies::{NotReplied, Replied};
use allclear_engine::refusals::RefusedRequest;
use axum::extract::{Path, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::json;
use subtle::ConstantTimeEq as _;

use crate::Api;
use crate::http::body::{Unread, address_of, body_of};
use crate::http::problem::{Problem, wrong_method};

/// What whoever presses a button is told that is not theirs.
const NOT_YOURS: &str = "Nothing was done: this message was for somebody else, or is known here no more.";
/// Characters of a channel's name that a refusal repeats.
const REPEATED_CHARS_MAX: usize = 64;

pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route("/reply/{channel}", post(reply).fallback(wrong_method))
        .route("/reply/{channel}/{key}", post(reply_by_key).fallback(wrong_method))
}

/// A reply that did nothing.
struct Refused {
    problem: Problem,
    /// Where its vendor reads nothing but a form of its own.
    own: Option<OwnAnswer>,
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self { problem, own: None }
    }
}

async fn reply(State(api): State<Api>, Path(channel): Path<String>, request: Request) -> Response {
    // Boxed: what a reply may lead to is a large future.
    Box::pin(answered(&api, &channel, None, request)).await
}

async fn reply_by_key(State(api): State<Api>, Path((channel, key)): Path<(String, String)>, request: Request) -> Response {
    Box::pin(answered(&api, &channel, Some(&key), request)).await
}

async fn answered(api: &Api, channel: &str, key: Option<&str>, request: Request) -> Response {
    let address = address_of(&request);
    let Refused { problem, own } = match take(api, channel, key, request).await {
        Ok(answer) => return answer,
        Err(refused) => refused,
    };
    // What is counted is what its sender got wrong; that somebody has it already is an answer.
    if problem.status() != 409 {
        let known = api.engine.hears(channel).is_some();
        let format = format!("reply/{}", if known { channel } else { "unknown" });
        let refusal = RefusedRequest {
            reason: problem.code(),
            status: problem.status(),
            integration: None,
            format: &format,
            address,
            // What a stranger wrote, or somebody at night, is repeated to them alone.
            detail: problem.title(),
            body: None,
        };
        api.engine.refused(refusal).await;
    }
    own.map_or_else(|| problem.into_response(), own_form)
}

/// Whether the address has the key that its channel asks for, and none where it asks for none.
fn is_let_in(replies: &dyn Replies, key: Option<&str>) -> bool {
    match (replies.key(), key) {
        (None, None) => true,
        (Some(own), Some(given)) => bool::from(own.as_bytes().ct_eq(given.as_bytes())),
        (None, Some(_)) | (Some(_), None) => false,
    }
}

async fn take(api: &Api, channel: &str, key: Option<&str>, request: Request) -> Result<Response, Refused> {
    let Some(replies) = api.engine.hears(channel) else {
        let channel: String = channel.chars().take(REPEATED_CHARS_MAX).collect();
        return Err(Problem::new("no_such_channel", format!("nothing is heard back over `{channel}`")).into());
    };
    if !is_let_in(replies, key) {
        return Err(Problem::new("reply_unknown", "the address of this request is not the one that answers of this channel come to").into());
    }
    let limit = replies.body_bytes_max();
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    let url = format!("{}{query}", api.engine.links().reply_url(channel));
    let came = body_of(api, request, limit).await.map_err(|why| unread(why, limit))?;
    let headers: Vec<(&str, &[u8])> = came.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    let request = ReplyRequest { url: &url, headers: &headers, body: &came.bytes };
    if let Some(why) = api.engine.left_alone(channel, &request) {
        let own = replies.answer(&request, Told::Taken(&format!("left alone: {why}")));
        return Ok(own.map_or_else(|| Json(json!({ "left_alone": why })).into_response(), own_form));
    }
    let became = match replies.patience() {
        // What was begun goes on; whoever asks is told that it is not known yet.
        Some(patience) => tokio::time::timeout(Duration::from_millis(patience.as_millis()), done(api, channel, replies, &request)).await,
        None => Ok(done(api, channel, replies, &request).await),
    };
    let became = became.unwrap_or_else(|_| Err(Refusal::Unavailable("it could not be written down in time".to_owned()).into()));
    match became {
        Ok(done) => {
            let said = done.says();
            say_back(api, replies, &request, Told::Taken(&said));
            let own = replies.answer(&request, Told::Taken(&said));
            Ok(own.map_or_else(|| done.into_json(), own_form))
        }
        Err(why) => {
            let words = why.to_string();
            let own = match &why {
                // The vendor itself says who it is, and they learn that it is not theirs.
                NotReplied::NotGenuine(_) if api.engine.is_of_vendor(channel, &request) => {
                    told(api, replies, &request, Told::Refused(NOT_YOURS))
                }
                // What the vendor sends beside what is heard is taken from it, so that it does not come again.
                NotReplied::Unreadable(_) if api.engine.is_of_vendor(channel, &request) => replies.answer(&request, Told::Taken("")),
                // Whoever is not known to be the vendor learns nothing in its form.
                NotReplied::NoSuchChannel | NotReplied::Unreadable(_) | NotReplied::NotGenuine(_) => None,
                NotReplied::Refused(Refusal::Unavailable(_)) => told(api, replies, &request, Told::NotNow),
                // Told often enough.
                NotReplied::Refused(Refusal::TooOften { .. }) => told(api, replies, &request, Told::Taken("")),
                NotReplied::Settled(_)
                | NotReplied::Expired
                | NotReplied::NotUnderstood(_)
                | NotReplied::NotAsked(_)
                | NotReplied::Ambiguous(_)
                | NotReplied::Over(_)
                | NotReplied::NotWaiting(_)
                | NotReplied::Refused(_) => told(api, replies, &request, Told::Refused(&words)),
            };
            Err(Refused { problem: why.into(), own })
        }
    }
}

/// What became of a request.
enum Done {
    /// Of what was heard of messages.
    Replied(Vec<Replied>),
    /// Of a line that somebody typed.
    Said(String),
}

impl Done {
    fn says(&self) -> String {
        match self {
            Self::Replied(replied) => replied.iter().filter_map(|one| one.became.says()).collect::<Vec<_>>().join(" "),
            Self::Said(words) => words.clone(),
        }
    }

    fn into_json(self) -> Response {
        match self {
            Self::Replied(replied) => Json(json!({ "replies": replied })).into_response(),
            Self::Said(words) => Json(json!({ "says": words })).into_response(),
        }
    }
}

async fn done(api: &Api, channel: &str, replies: &dyn Replies, request: &ReplyRequest<'_>) -> Result<Done, NotReplied> {
    match replies.line(request) {
        Some(line) => api.engine.line(channel, request, &line).await.map(Done::Said),
        None => api.engine.reply(channel, request).await.map(Done::Replied),
    }
}

/// Tells whoever asked, in the answer and beside it.
fn told(api: &Api, replies: &dyn Replies, request: &ReplyRequest<'_>, what: Told<'_>) -> Option<OwnAnswer> {
    say_back(api, replies, request, what);
    replies.answer(request, what)
}

fn say_back(api: &Api, replies: &dyn Replies, request: &ReplyRequest<'_>, told: Told<'_>) {
    if let Some(request) = replies.says_back(request, told) {
        api.engine.carry_aside(request);
    }
}

fn own_form(own: OwnAnswer) -> Response {
    ([(CONTENT_TYPE, own.media_type)], own.body).into_response()
}

fn unread(why: Unread, limit: usize) -> Problem {
    let (_, _, told) = why.told(limit);
    match why {
        Unread::TooLarge => Problem::too_large(limit),
        Unread::Late | Unread::Broken => Problem::bad(told),
        Unread::Busy => Problem::new("store_unavailable", told),
        Unread::Encoding => Problem::new("unsupported_media_type", told),
    }
}

impl From<NotReplied> for Problem {
    fn from(why: NotReplied) -> Self {
        match why {
            NotReplied::Refused(Refusal::Unavailable(why)) => crate::http::problem::store(why),
            why => Self::new(why.code(), why.to_string()),
        }
    }
}
