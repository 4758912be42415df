//! What comes back over a channel: `POST /reply/{channel}`, for receipts of providers and answers of people.
//!
//! The door knows no vendor: whether a channel hears anything, how it is read and whom it is from is the channel's, and what
//! follows the engine's; so is the form of the answer, where a vendor reads only one of its own. A 2xx follows the commit,
//! but that such a vendor is told in that form why nothing was done. No token is asked for, since a reply is signed as its
//! contact signs.

use allclear_domain::wire::{OwnAnswer, ReplyRequest, Told};
use allclear_engine::core::Refusal;
use allclear_engine::message_link::replies::NotReplied;
use allclear_engine::refusals::RefusedRequest;
use axum::extract::{Path, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::json;

use crate::Api;
use crate::http::body::{Unread, address_of, body_of};
use crate::http::problem::{Problem, wrong_method};

/// Characters of a channel's name that a refusal repeats.
const REPEATED_CHARS_MAX: usize = 64;

pub(crate) fn routes() -> Router<Api> {
    Router::new().route("/reply/{channel}", post(reply).fallback(wrong_method))
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
    let address = address_of(&request);
    let Refused { problem, own } = match take(&api, &channel, request).await {
        Ok(answer) => return answer,
        Err(refused) => refused,
    };
    // What is counted is what its sender got wrong; that somebody has it already is an answer.
    if problem.status() != 409 {
        let known = api.engine.hears(&channel).is_some();
        let format = format!("reply/{}", if known { channel.as_str() } else { "unknown" });
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

async fn take(api: &Api, channel: &str, request: Request) -> Result<Response, Refused> {
    let Some(replies) = api.engine.hears(channel) else {
        let channel: String = channel.chars().take(REPEATED_CHARS_MAX).collect();
        return Err(Problem::new("no_such_channel", format!("nothing is heard back over `{channel}`")).into());
    };
    let limit = replies.body_bytes_max();
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    let url = format!("{}{query}", api.engine.links().reply_url(channel));
    let came = body_of(api, request, limit).await.map_err(|why| unread(why, limit))?;
    let headers: Vec<(&str, &[u8])> = came.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    let request = ReplyRequest { url: &url, headers: &headers, body: &came.bytes };
    match api.engine.reply(channel, &request).await {
        Ok(replied) => {
            let said: Vec<&str> = replied.iter().filter_map(|one| one.became.says()).collect();
            let own = replies.answer(&request, Told::Taken(&said.join(" ")));
            Ok(own.map_or_else(|| Json(json!({ "replies": replied })).into_response(), own_form))
        }
        Err(why) => {
            let words = why.to_string();
            let own = match &why {
                // Whoever is not known to be the vendor learns nothing in its form.
                NotReplied::NoSuchChannel | NotReplied::Unreadable(_) | NotReplied::NotGenuine(_) => None,
                NotReplied::Refused(Refusal::Unavailable(_)) => replies.answer(&request, Told::NotNow),
                // Told often enough.
                NotReplied::Refused(Refusal::TooOften { .. }) => replies.answer(&request, Told::Taken("")),
                NotReplied::Settled(_)
                | NotReplied::Expired
                | NotReplied::NotUnderstood(_)
                | NotReplied::NotAsked(_)
                | NotReplied::Ambiguous(_)
                | NotReplied::Over(_)
                | NotReplied::NotWaiting(_)
                | NotReplied::Refused(_) => replies.answer(&request, Told::Refused(&words)),
            };
            Err(Refused { problem: why.into(), own })
        }
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
