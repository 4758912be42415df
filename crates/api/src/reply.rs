//! What comes back over a channel: `POST /reply/{channel}`, for receipts of providers and answers of people.
//!
//! The door knows no vendor: whether a channel hears anything, how it is read and whom it is from is the channel's, and what
//! follows the engine's; so is the form of the answer, where a vendor reads only one of its own. A 2xx follows the commit,
//! but that such a vendor is told in that form why nothing was done. No token is asked for, since a reply is signed as its
//! contact signs; where a channel takes large bodies, a key in the address turns strangers away before one is read.

use std::net::IpAddr;
use std::time::Duration;

use allclear_domain::wire::{Envelope, OwnAnswer, Replies, ReplyRequest, Told};
use allclear_engine::Engine;
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
use tokio::sync::{Semaphore, oneshot};

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
    count(&api.engine, channel, &problem, address).await;
    own.map_or_else(|| problem.into_response(), own_form)
}

/// What is counted is what its sender got wrong; that somebody has it already is an answer.
async fn count(engine: &Engine, channel: &str, problem: &Problem, address: Option<IpAddr>) {
    if problem.status() == 409 {
        return;
    }
    let known = engine.hears(channel).is_some();
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
    engine.refused(refusal).await;
}

/// What came over a connection that a channel keeps open, which is what would have been posted here: one path judges both. What
/// is answered, in the vendor's form; nothing where the vendor is only told that it was taken.
pub async fn over_connection(engine: &Engine, channel: &str, envelope: &Envelope) -> Option<OwnAnswer> {
    let replies = engine.hears(channel)?;
    let limit = replies.body_bytes_max();
    if envelope.body.len() > limit {
        count(engine, channel, &Problem::too_large(limit), None).await;
        return None;
    }
    let url = engine.links().reply_url(channel);
    let request = ReplyRequest { url: &url, headers: &envelope.headers(), body: &envelope.body };
    // Boxed: what a reply may lead to is a large future.
    match Box::pin(judged(engine, channel, replies, &request)).await {
        Ok((_, own)) => own,
        Err(Refused { problem, own }) => {
            count(engine, channel, &problem, None).await;
            own
        }
    }
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
    let (done, own) = judged(&api.engine, channel, replies, &request).await?;
    Ok(own.map_or_else(|| done.into_json(), own_form))
}

/// Takes a request, whichever way it came: what became of it, and how that is told in the vendor's form.
async fn judged(
    engine: &Engine,
    channel: &str,
    replies: &dyn Replies,
    request: &ReplyRequest<'_>,
) -> Result<(Done, Option<OwnAnswer>), Refused> {
    if let Some(why) = engine.left_alone(channel, request) {
        let own = replies.answer(request, Told::Taken(&format!("left alone: {why}")));
        return Ok((Done::LeftAlone(why), own));
    }
    let Some(became) = in_time(engine, channel, replies, request).await else {
        return Ok((Done::Later, replies.answer(request, Told::Later)));
    };
    let tell = |what: Told<'_>| {
        say_back(engine, replies, request, what);
        replies.answer(request, what)
    };
    match became {
        Ok(done) => {
            let own = tell(Told::Taken(&done.says()));
            Ok((done, own))
        }
        Err(why) => {
            let own = told(engine, channel, replies, request, &why, tell);
            Err(Refused { problem: why.into(), own })
        }
    }
}

/// Requests that go on after their vendor was answered, at most: with the longest bodies they are 8 MiB. Beyond it one is given up
/// when its vendor waits no longer, and that is said.
const GO_ON_MAX: usize = 64;
/// Those that may still begin.
static GO_ON: Semaphore = Semaphore::const_new(GO_ON_MAX);

/// What became of a request within the time that its vendor waits; nothing where that is said later.
async fn in_time(engine: &Engine, channel: &str, replies: &dyn Replies, request: &ReplyRequest<'_>) -> Option<Result<Done, NotReplied>> {
    let Some(patience) = replies.patience() else { return Some(done(engine, channel, replies, request).await) };
    let not_in_time = || Err(Refusal::Unavailable("it could not be written down in time".to_owned()).into());
    let Ok(place) = GO_ON.try_acquire() else {
        let within = Duration::from_millis(patience.as_millis());
        return Some(
            tokio::time::timeout(within, Box::pin(done(engine, channel, replies, request))).await.unwrap_or_else(|_| not_in_time()),
        );
    };
    let can_say_later = replies.says_later(request, Told::Later).is_some();
    // What was begun goes on, and whoever asks is told of it when it is known.
    let (tell, mut told_of) = oneshot::channel();
    let (own, name) = (engine.clone(), channel.to_owned());
    let (url, body) = (request.url.to_owned(), request.body.to_vec());
    let headers: Vec<(String, Vec<u8>)> = request.headers.iter().map(|(name, value)| ((*name).to_owned(), value.to_vec())).collect();
    engine.tasks().spawn(async move {
        let _place = place;
        let Some(replies) = own.hears(&name) else { return };
        let headers: Vec<(&str, &[u8])> = headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
        let request = ReplyRequest { url: &url, headers: &headers, body: &body };
        let became = Box::pin(done(&own, &name, replies, &request)).await;
        let Err(became) = tell.send(became) else { return };
        let later = |what: Told<'_>| {
            if let Some(request) = replies.says_later(&request, what) {
                own.carry_aside(request);
            }
        };
        match &became {
            Ok(done) => later(Told::Taken(&done.says())),
            Err(why) => {
                told(&own, &name, replies, &request, why, |what| {
                    later(what);
                    None
                });
            }
        }
    });
    match tokio::time::timeout(Duration::from_millis(patience.as_millis()), &mut told_of).await {
        Ok(became) => Some(became.unwrap_or_else(|_| not_in_time())),
        Err(_) => {
            // From here on it is the task that tells it.
            told_of.close();
            match told_of.try_recv() {
                Ok(became) => Some(became),
                Err(_) if can_say_later => None,
                Err(_) => Some(not_in_time()),
            }
        }
    }
}

/// How it is told in the vendor's form why nothing was done, where it is.
fn told(
    engine: &Engine,
    channel: &str,
    replies: &dyn Replies,
    request: &ReplyRequest<'_>,
    why: &NotReplied,
    tell: impl Fn(Told<'_>) -> Option<OwnAnswer>,
) -> Option<OwnAnswer> {
    match why {
        // The vendor itself says who it is, and they learn that it is not theirs.
        NotReplied::NotGenuine(_) if engine.is_of_vendor(channel, request) => tell(Told::Refused(NOT_YOURS)),
        // What the vendor sends beside what is heard is taken from it, so that it does not come again.
        NotReplied::Unreadable(_) if engine.is_of_vendor(channel, request) => replies.answer(request, Told::Taken("")),
        // Whoever is not known to be the vendor learns nothing in its form.
        NotReplied::NoSuchChannel | NotReplied::Unreadable(_) | NotReplied::NotGenuine(_) => None,
        NotReplied::Refused(Refusal::Unavailable(_)) => tell(Told::NotNow),
        // Told often enough.
        NotReplied::Refused(Refusal::TooOften { .. }) => tell(Told::Taken("")),
        NotReplied::Settled(_)
        | NotReplied::Expired
        | NotReplied::NotUnderstood(_)
        | NotReplied::NotAsked(_)
        | NotReplied::Ambiguous(_)
        | NotReplied::Over(_)
        | NotReplied::NotWaiting(_)
        | NotReplied::Refused(_) => tell(Told::Refused(&why.to_string())),
    }
}

/// What became of a request.
enum Done {
    /// Of what was heard of messages.
    Replied(Vec<Replied>),
    /// Of a line that somebody typed.
    Said(String),
    /// It was heard, and nothing is made of it; why.
    LeftAlone(String),
    /// It is told when it is known.
    Later,
}

impl Done {
    fn says(&self) -> String {
        match self {
            Self::Replied(replied) => replied.iter().filter_map(|one| one.became.says()).collect::<Vec<_>>().join(" "),
            Self::Said(words) => words.clone(),
            Self::LeftAlone(_) | Self::Later => String::new(),
        }
    }

    fn into_json(self) -> Response {
        match self {
            Self::Replied(replied) => Json(json!({ "replies": replied })).into_response(),
            Self::Said(words) => Json(json!({ "says": words })).into_response(),
            Self::LeftAlone(why) => Json(json!({ "left_alone": why })).into_response(),
            Self::Later => Json(json!({})).into_response(),
        }
    }
}

async fn done(engine: &Engine, channel: &str, replies: &dyn Replies, request: &ReplyRequest<'_>) -> Result<Done, NotReplied> {
    match replies.line(request) {
        Some(line) => engine.line(channel, request, &line).await.map(Done::Said),
        None => engine.reply(channel, request).await.map(Done::Replied),
    }
}

fn say_back(engine: &Engine, replies: &dyn Replies, request: &ReplyRequest<'_>, told: Told<'_>) {
    if let Some(request) = replies.says_back(request, told) {
        engine.carry_aside(request);
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
