//! What comes back over a channel: `POST /reply/{channel}`, for receipts of providers and answers of people.
//!
//! The door knows no vendor: whether a channel hears anything, how it is read and whom it is from is the channel's, and what
//! follows the engine's. A 2xx follows the commit. No token is asked for, since a reply is signed as its contact signs.

use allclear_domain::wire::ReplyRequest;
use allclear_engine::core::Refusal;
use allclear_engine::message_link::replies::{NotReplied, Replied};
use allclear_engine::refusals::RefusedRequest;
use axum::extract::{Path, Request, State};
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

async fn reply(State(api): State<Api>, Path(channel): Path<String>, request: Request) -> Response {
    let address = address_of(&request);
    let refused = match take(&api, &channel, request).await {
        Ok(replied) => return Json(json!({ "replies": replied })).into_response(),
        Err(problem) => problem,
    };
    // What is counted is what its sender got wrong; that somebody has it already is an answer.
    if refused.status() != 409 {
        let known = api.engine.hears(&channel).is_some();
        let format = format!("reply/{}", if known { channel.as_str() } else { "unknown" });
        let refusal = RefusedRequest {
            reason: refused.code(),
            status: refused.status(),
            integration: None,
            format: &format,
            address,
            // What a stranger wrote, or somebody at night, is repeated to them alone.
            detail: refused.title(),
            body: None,
        };
        api.engine.refused(refusal).await;
    }
    refused.into_response()
}

async fn take(api: &Api, channel: &str, request: Request) -> Result<Vec<Replied>, Problem> {
    let Some(replies) = api.engine.hears(channel) else {
        let channel: String = channel.chars().take(REPEATED_CHARS_MAX).collect();
        return Err(Problem::new("no_such_channel", format!("nothing is heard back over `{channel}`")));
    };
    let limit = replies.body_bytes_max();
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    let url = format!("{}{query}", api.engine.links().reply_url(channel));
    let came = body_of(api, request, limit).await.map_err(|why| unread(why, limit))?;
    let headers: Vec<(&str, &[u8])> = came.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    let request = ReplyRequest { url: &url, headers: &headers, body: &came.bytes };
    api.engine.reply(channel, &request).await.map_err(Problem::from)
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
