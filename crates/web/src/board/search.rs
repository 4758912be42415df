//! Search over references and titles.

use allclear_engine::read::{IncidentFilter, SEARCH_CHARS_MAX};
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::get;
use maud::html;

use crate::access::reader::{Asked, answer, reader};
use crate::app::{ALL, App, Lists, Place};
use crate::frame::pieces;
use crate::frame::shell::{HtmlPage, framed, heading};
use crate::services::incidents;

pub(crate) static PLACE: Place = Place {
    path: "/search",
    word: "Search",
    strokes: "M9 3.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11zM13 13l4 4",
    key: None,
    lists: Lists::RAIL_DOCK,
    leads: ALL,
    page: || get(show),
};

/// Found ones that are shown.
const FOUND_MAX: i64 = 50;

/// GET `/search?q=`.
pub(crate) async fn show(State(app): State<App>, headers: HeaderMap, Query(asked): Asked) -> Response {
    answer(async {
        let (who, when) = reader(&app, &headers).await?;
        let words = pieces::cut(asked.get("q").map_or("", |q| q.trim()), SEARCH_CHARS_MAX);
        let filter = IncidentFilter { words: Some(words.clone()), ..IncidentFilter::default() };
        let queries = app.engine.queries(&who);
        let mut found = Vec::new();
        if words.is_empty() {
            // Whoever opens this page will search, and the first search reads every title.
            app.engine.prepare_search();
        } else {
            found = queries.incidents(filter, FOUND_MAX).await?;
        }
        // `INC-142`, `inc-142` or `142` is that one, before whatever has it in its title.
        let reference = if words.chars().all(|c| c.is_ascii_digit()) { format!("INC-{words}") } else { words.clone() };
        let reported = app.engine.incident_of_report(&words).await.ok().flatten();
        let named = match reported {
            Some(id) => Ok(id),
            None => queries.incident_id(&reference).await,
        };
        if let Ok(id) = named
            && let Ok(incident) = Box::pin(queries.incident(id)).await
        {
            found.retain(|other| other.id != incident.id);
            found.insert(0, incident);
        }
        let body = html! {
            (heading("Search", &html! {}))
            form class="searching" role="search" method="get" action="/search" {
                label class="vh" for="q" { "Words of a title, or a reference" }
                input id="q" type="search" name="q" value=(words) placeholder="INC-142, or words of a title" autofocus autocomplete="off";
                button class="do" type="submit" { "Search" }
            }
            @if !words.is_empty() {
                section {
                    @if found.len() as i64 == FOUND_MAX { p class="quiet" { "The newest " (FOUND_MAX) " are shown." } }
                    (incidents(&found, &when, "No reference and no title has these words in it."))
                }
            }
        };
        let source = format!("/search?q={}", pieces::escaped(&words));
        Ok(framed(&app, &HtmlPage { title: "Search", place: &PLACE, who: &who, when: &when, wall: false, live: None, source, body }))
    })
    .await
}
