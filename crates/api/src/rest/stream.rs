//! The log as it grows, as server-sent events: resumable, and ended with the program or with the token.
//!
//! Events are read from the store after the last one sent, so that a slow reader costs no memory
//! and misses nothing; the engine's tick only says when to look.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::time::Duration;

use allclear_domain::access::{Principal, Right};
use allclear_domain::view::EventView;
use allclear_engine::read::NoAnswer;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::Stream;
use futures_util::stream::unfold;
use serde::Deserialize;
use tokio::sync::watch;
use tokio::time::{Sleep, sleep};
use utoipa::IntoParams;

use crate::Api;
use crate::http::caller::{Read, Who, holder};
use crate::http::extract::Q;
use crate::http::problem::Problem;

/// A comment is sent after this much silence, so that proxies (nginx: 60 s) keep the connection.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Events read at once.
const BATCH: i64 = 200;
/// After a tick, so long is waited for more, so that a storm costs each follower at most this many
/// reads a second: twenty.
const GATHER: Duration = Duration::from_millis(50);
/// The backstop: it looks at least this often, and again after a fault of the store.
const LOOK_AT_LEAST_EVERY: Duration = Duration::from_secs(5);
/// A stream ends after this long, and clients come back by themselves: the backstop for a token that expires.
const LIFE: Duration = Duration::from_mins(5);

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct StreamQuery {
    /// Only events whose `seq` is greater; what happens from now on where neither this nor
    /// `Last-Event-ID` is given.
    after: Option<i64>,
}

struct Follower {
    api: Api,
    who: Principal,
    /// What was shown: a token or a cookie.
    shown: HeaderMap,
    after: i64,
    ready: VecDeque<EventView>,
    ticks: watch::Receiver<u64>,
    ways_in: watch::Receiver<u64>,
    life: Pin<Box<Sleep>>,
}

/// Every event of every log, as it happens: `id` is its `seq`, `event` its kind, `data` the event.
#[utoipa::path(get, path = "/api/v1/stream", operation_id = "follow", tag = "stream",
    params(StreamQuery, ("Last-Event-ID" = Option<i64>, Header, description = "The `seq` of the last event seen; wins over `after`")),
    responses((status = 200, body = EventView, content_type = "text/event-stream"),
        (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn follow(
    State(api): State<Api>,
    who: Who<Read>,
    headers: HeaderMap,
    Q(query): Q<StreamQuery>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let last = match headers.get("last-event-id").and_then(|value| value.to_str().ok()).map(str::trim).filter(|id| !id.is_empty()) {
        Some(id) => Some(id.parse().map_err(|_| Problem::bad("Last-Event-ID is the number of an event"))?),
        None => query.after,
    };
    // Subscribed before the first read, so that nothing falls between the two.
    let (ticks, ways_in) = (api.engine.watch(), api.engine.watch_ways_in());
    let after = match last {
        Some(seq) => seq,
        None => api.engine.queries(&who.0).newest_seq().await?,
    };
    let follower = Follower { api, who: who.0, shown: headers, after, ready: VecDeque::new(), ticks, ways_in, life: Box::pin(sleep(LIFE)) };
    let stream = unfold(follower, |mut follower| async move {
        let event = follower.next().await?;
        Some((Ok(event), follower))
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(HEARTBEAT)))
}

impl Follower {
    /// Whether the token or the session is still good, asked whenever any way in ended. What was read for who they were
    /// is read again for who they are.
    async fn is_still_in(&mut self) -> bool {
        if !self.ways_in.has_changed().unwrap_or(true) {
            return true;
        }
        self.ways_in.borrow_and_update();
        // A store that does not answer ends the stream: its reader comes back, and is asked again.
        let Ok(who) = holder(&self.shown, &self.api).await else { return false };
        self.ready.clear();
        self.who = who;
        self.api.engine.queries(&self.who).has(Right::See)
    }

    async fn next(&mut self) -> Option<Event> {
        let stopping = self.api.engine.stopping();
        loop {
            if !self.is_still_in().await {
                return None;
            }
            if let Some(view) = self.ready.pop_front() {
                self.after = view.seq;
                let event = Event::default().id(view.seq.to_string()).event(&view.kind);
                // A view always has a JSON form; an event without one would be skipped.
                match event.json_data(&view) {
                    Ok(event) => return Some(event),
                    Err(_) => continue,
                }
            }
            // A busy stream never waits below, and ends all the same.
            if stopping.is_cancelled() || self.life.is_elapsed() {
                return None;
            }
            self.ticks.borrow_and_update();
            let found = self.api.engine.queries(&self.who).events_after(self.after, BATCH).await;
            // Whoever may not read any more is shown out; a store that does not answer is asked again.
            if matches!(found, Err(NoAnswer::Denied(_))) {
                return None;
            }
            let failed = found.is_err();
            self.ready.extend(found.unwrap_or_default());
            if !self.ready.is_empty() {
                continue;
            }
            tokio::select! {
                changed = self.ticks.changed(), if !failed => {
                    changed.ok()?;
                    sleep(GATHER).await;
                }
                changed = self.ways_in.changed() => {
                    changed.ok()?;
                    // For the look at the head of the loop.
                    self.ways_in.mark_changed();
                }
                () = sleep(LOOK_AT_LEAST_EVERY) => {}
                () = stopping.cancelled() => return None,
                () = self.life.as_mut() => return None,
            }
        }
    }
}
