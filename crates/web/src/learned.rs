//! Actions, reviews and trends: what is kept after an incident.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use maud::html;

use crate::App;
use crate::pages::{answer, reader};
use crate::shell::{Page, Place, framed, heading};

/// GET `/actions`.
pub(crate) async fn actions(State(app): State<App>, headers: HeaderMap) -> Response {
    nothing_yet(app, headers, "Actions", Place::Actions, "/actions", "Corrective actions appear here with owner and due date, the most overdue first.").await
}

/// GET `/reviews`.
pub(crate) async fn reviews(State(app): State<App>, headers: HeaderMap) -> Response {
    nothing_yet(app, headers, "Reviews", Place::Reviews, "/reviews", "A review is drafted from the log when an incident is resolved.").await
}

/// GET `/trends`.
pub(crate) async fn trends(State(app): State<App>, headers: HeaderMap) -> Response {
    nothing_yet(app, headers, "Trends", Place::Trends, "/trends", "Counts and durations appear here once incidents have been resolved.").await
}

async fn nothing_yet(app: App, headers: HeaderMap, title: &str, place: Place, source: &str, words: &str) -> Response {
    answer(async {
        let (who, when) = reader(&app, &headers).await?;
        let body = html! { (heading(title, &html! {})) p class="prose quiet" { (words) } };
        Ok(framed(&app, &Page { title, place, who: &who, when: &when, wall: false, live: None, source: source.to_owned(), body }))
    })
    .await
}
