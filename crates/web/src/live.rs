//! `/live`: server-sent events that say only *that* something changed, so that a page asks for
//! itself again. What changed is read once for everybody ([`crate::hub`]), and an idle page costs one comment
//! every 25 seconds.
//!
//! No content travels here: what a reader may see is decided where the page is read.

use std::convert::Infallible;
use std::time::Duration;

use allclear_domain::access::Principal;
use allclear_domain::time::{Length, after};
use allclear_engine::read::NoAnswer;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::unfold;
use jiff::Timestamp;
use tokio::sync::{broadcast, watch as watched};

use crate::access::reader::{Asked, reader};
use crate::access::visitor::visitor;
use crate::app::App;
use crate::hub::Change;

/// A comment is sent after this much silence: proxies close after 60 s (nginx) or 30 s (some balancers).
const KEEP_ALIVE: Duration = Duration::from_secs(25);
/// A page that is told of a change shows again who it is after this long, since sessions and tokens also end by
/// themselves; whoever is shut out is at once.
const KNOWN_FOR: Length = Length::from_secs(60);
/// What a page follows.
enum Follows {
    /// Every incident, and the organisation.
    All,
    /// One incident.
    Incident(String),
    /// The organisation, and who is on call.
    Org,
}

impl Follows {
    fn concerns(&self, change: &Change) -> bool {
        match self {
            Self::All => true,
            Self::Incident(id) => change.incidents.as_ref().is_none_or(|ids| ids.contains(id)),
            Self::Org => change.org,
        }
    }
}

/// A page that follows.
struct Following {
    changes: broadcast::Receiver<Change>,
    ways_in: watched::Receiver<u64>,
    follows: Follows,
    stopping: allclear_engine::CancellationToken,
    app: App,
    who: Principal,
    /// What the page showed when it began to follow: its cookie or its token.
    headers: HeaderMap,
    /// When that was looked at last.
    known_at: Timestamp,
}

impl Following {
    /// Whether the session or the token is still good. A quiet page asks nothing of the store, and is told nothing.
    async fn is_still_in(&mut self) -> bool {
        let now = self.app.engine.now();
        if now < after(self.known_at, KNOWN_FOR) && !self.ways_in.has_changed().unwrap_or(true) {
            return true;
        }
        self.ways_in.borrow_and_update();
        match visitor(&self.app, &self.headers).await {
            Ok(who) => {
                (self.who, self.known_at) = (who, now);
                true
            }
            Err(_) => false,
        }
    }

    /// Whether the reader sees any of what changed: a private incident does not show by its stirring.
    async fn may_know(&self, change: &Change) -> bool {
        let ids: Vec<_> = match (&self.follows, &change.incidents) {
            // It may have become private since the page was opened.
            (Follows::Incident(id), _) => id.parse().into_iter().collect(),
            (Follows::All, Some(ids)) if !change.org => ids.iter().filter_map(|id| id.parse().ok()).collect(),
            _ => return true,
        };
        match self.app.engine.queries(&self.who).seen_of(&ids).await {
            Ok(seen) => !seen.is_empty(),
            // A page that asks for itself in vain does no harm.
            Err(NoAnswer::Store(_)) => true,
            Err(NoAnswer::Missing(_) | NoAnswer::Denied(_) | NoAnswer::Bad(_)) => false,
        }
    }
}

/// GET `/live?on=board`, `on=org`, `on=incident&id=…`.
pub(crate) async fn follow(State(app): State<App>, headers: HeaderMap, Query(asked): Asked) -> Response {
    let who = match reader(&app, &headers).await {
        Ok((who, _)) => who,
        Err(refused) => return refused.answer(false),
    };
    let follows = match asked.get("on").map(String::as_str) {
        Some("incident") => {
            let id = asked.get("id").cloned().unwrap_or_default();
            // Whoever may not see it does not learn when it changes either.
            let seen = async {
                let queries = app.engine.queries(&who);
                let id = queries.incident_id(&id).await?;
                queries.incident(id).await
            };
            match seen.await {
                Ok(incident) => Follows::Incident(incident.id),
                Err(why) => return crate::frame::refused::Refused::from(why).answer(false),
            }
        }
        Some("org") => Follows::Org,
        _ => Follows::All,
    };
    let (changes, ways_in) = (app.hub.follow(&app.engine), app.engine.watch_ways_in());
    let stopping = app.engine.stopping();
    let known_at = app.engine.now();
    let start = Following { changes, ways_in, follows, stopping, app, who, headers, known_at };
    let stream = unfold((start, true), |(mut page, first)| async move {
        if first {
            // Says at once that the way is open, so that a page knows it is live.
            let event = Event::default().event("open").data("");
            return Some((Ok::<_, Infallible>(event), (page, false)));
        }
        loop {
            let version = tokio::select! {
                change = page.changes.recv() => match change {
                    Ok(change) if !page.follows.concerns(&change) => continue,
                    // The browser asks again, and is shown where to sign in.
                    Ok(_) if !page.is_still_in().await => return None,
                    Ok(change) if page.may_know(&change).await => change.version,
                    Ok(_) => continue,
                    Err(broadcast::error::RecvError::Lagged(_)) if page.is_still_in().await => 0,
                    Err(broadcast::error::RecvError::Lagged(_)) => return None,
                    Err(broadcast::error::RecvError::Closed) => return None,
                },
                changed = page.ways_in.changed() => {
                    page.ways_in.mark_changed();
                    if changed.is_err() || !page.is_still_in().await {
                        return None;
                    }
                    continue;
                }
                () = page.stopping.cancelled() => return None,
            };
            let event = Event::default().event("changed").data(version.to_string());
            return Some((Ok(event), (page, false)));
        }
    });
    Sse::new(stream).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response()
}
