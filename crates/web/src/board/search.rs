//! Search over references and titles, and the page of a phone's menu.

use allclear_domain::access::Right;
use allclear_engine::read::{IncidentFilter, SEARCH_CHARS_MAX};
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::get;
use maud::html;

use crate::access::reader::{Asked, answer, reader};
use crate::app::{ALL, App, Lists, Place};
use crate::board::letters;
use crate::frame::pieces;
use crate::frame::shell;
use crate::frame::shell::{HtmlPage, framed, heading};
use crate::services::incidents;

pub(crate) static MENU: Place = Place {
    path: "/menu",
    word: "Me",
    strokes: "M10 3.5a3.2 3.2 0 1 1 0 6.4 3.2 3.2 0 0 1 0-6.4zM3.8 17a6.2 6.2 0 0 1 12.4 0",
    key: None,
    lists: Lists::DOCK,
    leads: ALL,
    page: || get(menu),
};

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
        if let Ok(id) = queries.incident_id(&reference).await
            && let Ok(incident) = queries.incident(id).await
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

/// GET `/menu`: me, what I have, and every other page: what a phone's bar has no room for.
pub(crate) async fn menu(State(app): State<App>, headers: HeaderMap) -> Response {
    answer(async {
        let (who, when) = reader(&app, &headers).await?;
        let (mine, cut) = app.engine.queries(&who).open_of_asker().await?;
        let name = who.person().map_or_else(|| "An API token".to_owned(), |id| pieces::name(&app.engine.org(), id));
        let body = html! {
            (heading(&name, &html! { (who.scope.word()) }))
            @if app.engine.queries(&who).has(Right::SeeOrganisation) {
                section data-live="shift-here" { (shell::shift(&app, &who, &when)) }
            }
            section data-live="mine" {
                h2 { "Mine" } (incidents(&mine, &when, "You have no open incident."))
                @if cut { p class="quiet" { "There may be more, none worse than these." } }
            }
            nav class="menu" aria-label="More pages" {
                @for place in shell::places(&app, &who, |lists| lists.menu) { a href=(place.path) { (place.word) } }
                @if app.options.open_to.is_none() { a href="/me" { "My account and sessions" } }
            }
            (letters::form(&headers))
            (shell::me(&app, &who))
        };
        Ok(framed(
            &app,
            &HtmlPage {
                title: "Me",
                place: &MENU,
                who: &who,
                when: &when,
                wall: false,
                live: Some("on=board".into()),
                source: "/menu".into(),
                body,
            },
        ))
    })
    .await
}
