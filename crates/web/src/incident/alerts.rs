//! The alerts of an incident: how many, what they share and in what they differ, each with its own words; the newest beside
//! the log, all of them on a page of their own.

use std::collections::HashMap;

use allclear_domain::access::Right;
use allclear_domain::incident::lifecycle::{Verb, next};
use allclear_domain::signal::AlertState;
use allclear_domain::view::{AlertView, IncidentView, Labels, labels_of};
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use maud::{Markup, html};

use crate::access::reader::{answer, reader};
use crate::app::App;
use crate::frame::alarm_words;
use crate::frame::pieces::{self, LINE_CHARS_MAX};
use crate::frame::shell::{HtmlPage, framed, heading};
use crate::frame::time_text::When;
use crate::incident::{PageData, link_alert};

/// Alerts that are read for the incident's page: what they share is judged by these.
pub(crate) const ALERTS_READ: i64 = 200;
/// Alerts that stand beside the log.
const ALERTS_BESIDE: usize = 8;
/// Alerts of one page of the list.
const ALERTS_A_PAGE: i64 = 50;
/// Characters of a description, of a label's value, and of an annotation.
const DESCRIPTION_CHARS_MAX: usize = 2000;
const VALUE_CHARS_MAX: usize = 120;
/// Labels, and values of one that differs, that are named.
const LABELS_MAX: usize = 20;
const VALUES_MAX: usize = 5;
/// Links of one alert.
const LINKS_MAX: usize = 5;
/// Characters of its own words at the head of an incident.
const HEAD_CHARS_MAX: usize = 300;

/// Beside the log.
pub(crate) fn beside(told: &PageData) -> Markup {
    let incident = &told.incident;
    let all = format!("/incidents/{}/alerts", incident.reference);
    html! {
        h2 { "Alerts" @if let Some(words) = counted(incident) { span class="quiet" { " · " (words) } } }
        @if told.alerts.is_empty() { p class="quiet" { "None: a person declared it." } }
        @if told.alerts.len() > 1 { (labels(&labels_of(&told.alerts), told.alerts.len())) }
        ul class="alerts" { @for alert in told.alerts.iter().take(ALERTS_BESIDE) { (one(alert, &told.when)) } }
        @if told.alerts.len() > ALERTS_BESIDE { p { a href=(all) { "All " (incident.alerts.unwrap_or_default()) " alerts" } } }
        @if told.may_act && next(incident.state, Verb::Link).is_ok() {
            (told.draft.refused("link"))
            p class="only-screen" { a href={ (all) "#link" } { "Link an alert" } }
        }
    }
}

/// `200, 12 open`; nothing where there are none.
pub(crate) fn counted(incident: &IncidentView) -> Option<String> {
    match (incident.alerts?, incident.alerts_open?) {
        (0, _) => None,
        (1, open) => Some(if open == 1 { "1, open" } else { "1, ended" }.to_owned()),
        (all, 0) => Some(format!("{all}, none open")),
        (all, open) => Some(format!("{all}, {open} open")),
    }
}

/// What broke, in the words of the alarm: at the head of an incident, where they fit a glance.
pub(crate) fn in_its_words(alerts: &[AlertView]) -> Markup {
    let said = alerts.iter().filter(|alert| alert.state == AlertState::Open).find_map(alarm_words::description);
    html! { @if let Some(words) = said { p class="said words" { bdi { (pieces::cut(words, HEAD_CHARS_MAX)) } } } }
}

fn chip(name: &str, value: &str) -> Markup {
    html! { span class="chip" { bdi { (pieces::cut(name, VALUE_CHARS_MAX)) } "=" bdi { (pieces::cut(value, VALUE_CHARS_MAX)) } } }
}

/// What all of them share, then in what they differ.
fn labels(labels: &Labels, of: usize) -> Markup {
    html! {
        @if !labels.shared.is_empty() {
            p class="chips" {
                span class="quiet small" { "All " (of) ":" }
                @for (name, value) in labels.shared.iter().take(LABELS_MAX) { " " (chip(name, value)) }
            }
        }
        @if !labels.differ.is_empty() {
            p class="chips" {
                span class="quiet small" { "They differ in:" }
                @for (name, values) in labels.differ.iter().take(LABELS_MAX) {
                    @let shown: Vec<String> = values.iter().map(|value| pieces::cut(value, VALUE_CHARS_MAX)).collect();
                    " " (chip(name, &pieces::list(&shown, VALUES_MAX)))
                }
            }
        }
    }
}

/// One alert: its title, since when, and what else it says folded under it.
fn one(alert: &AlertView, when: &When) -> Markup {
    html! {
        li data-key=(alert.id) {
            div {
                p class="clamp" { bdi { (pieces::cut(&alert.title, LINE_CHARS_MAX)) } }
                p class="quiet" {
                    @if alert.state == AlertState::Open { "Open for " (when.time(alert.starts_at, &when.age(alert.starts_at))) }
                    @else { (pieces::ended(alert.state)) @if let Some(at) = alert.ended_at { " " (when.stamp(at)) } }
                    @if alert.count > 1 { " · sent " (alert.count) " times" }
                    @if let Some(source) = &alert.source { " · " bdi { (pieces::cut(source, LINE_CHARS_MAX)) } }
                }
                (details(alert))
            }
        }
    }
}

fn details(alert: &AlertView) -> Markup {
    let description = alarm_words::description(alert);
    let (labels, annotations, links) = (alert.texts("labels"), alert.texts("annotations"), alarm_words::links(alert));
    let notes: Vec<&str> =
        alert.detail.get("notes").and_then(|notes| notes.as_array()).into_iter().flatten().filter_map(|note| note.as_str()).collect();
    let links: Vec<&(&str, &str)> = links.iter().filter(|(href, _)| pieces::followable(href).is_some()).take(LINKS_MAX).collect();
    html! {
        @if description.is_some() || !labels.is_empty() || !annotations.is_empty() || !links.is_empty() || !notes.is_empty() {
            details class="small behind" data-key="details" {
                summary { "Details" }
                @if let Some(words) = description { p class="said" { bdi { (pieces::cut(words, DESCRIPTION_CHARS_MAX)) } } }
                @if !links.is_empty() { p class="links" { @for (href, words) in links { (pieces::link(href, words)) " " } } }
                @if !labels.is_empty() {
                    p class="chips" { @for (name, value) in labels.iter().take(LABELS_MAX) { (chip(name, value)) " " } }
                }
                @if !annotations.is_empty() {
                    dl class="roles" {
                        @for (name, value) in annotations.iter().take(LABELS_MAX) {
                            div { dt { bdi { (pieces::cut(name, VALUE_CHARS_MAX)) } } dd { bdi { (pieces::cut(value, LINE_CHARS_MAX)) } } }
                        }
                    }
                }
                @if !notes.is_empty() {
                    p class="quiet" { "Not all of it was as it should be:" }
                    ul { @for note in notes { li { bdi { (pieces::cut(note, LINE_CHARS_MAX)) } } } }
                }
            }
        }
    }
}

/// Which of them are listed, by the word in the address.
const WHICH: [(&str, &str, Option<bool>); 3] = [("all", "All", None), ("open", "Open", Some(true)), ("ended", "Ended", Some(false))];

/// GET: all of them, a page at a time; then, for those who may act, the open ones that belong to no incident.
pub(crate) async fn show(
    State(app): State<App>,
    headers: HeaderMap,
    Path(reference): Path<String>,
    Query(asked): Query<HashMap<String, String>>,
) -> Response {
    answer(async {
        let (who, when) = reader(&app, &headers).await?;
        let queries = app.engine.queries(&who);
        let id = queries.incident_id(&reference).await?;
        let incident = Box::pin(queries.incident(id)).await?;
        let which = WHICH.iter().find(|(word, ..)| asked.get("which").is_some_and(|which| which == word)).unwrap_or(&WHICH[0]);
        let skip = asked.get("from").and_then(|from| from.parse::<i64>().ok()).unwrap_or(0).max(0);
        let alerts = queries.alerts_of(id, which.2, skip, ALERTS_A_PAGE).await?;
        let link = if queries.has(Right::Respond) { Some(link_alert::section(&app, &queries, &incident, &when).await?) } else { None };
        let base = format!("/incidents/{}/alerts", incident.reference);
        let (all, open) = (incident.alerts.unwrap_or_default(), incident.alerts_open.unwrap_or_default());
        let of = |only: Option<bool>| match only {
            None => all,
            Some(true) => open,
            Some(false) => all.saturating_sub(open),
        };
        let list = html! {
            nav class="filter" aria-label="Which alerts" {
                @for (word, words, only) in WHICH {
                    a href={ (base) "?which=" (word) } aria-current=[(word == which.0).then_some("true")] {
                        (words) " " span class="n" { (of(only)) }
                    }
                }
            }
            (turn(&base, which.0, skip, of(which.2)))
            @if alerts.is_empty() { p class="prose quiet" { "There are none." } }
            ul class="list alerts" data-live="alerts" { @for alert in &alerts { (one(alert, &when)) } }
            @if alerts.len() as i64 == ALERTS_A_PAGE { (turn(&base, which.0, skip, of(which.2))) }
        };
        let body = html! {
            (heading("Alerts", &html! {
                a href={ "/incidents/" (incident.reference) } {
                    (incident.reference) " " bdi { (pieces::cut(&incident.title, VALUE_CHARS_MAX)) }
                }
            }))
            @if alerts.len() > 1 { (labels(&labels_of(&alerts), alerts.len())) }
            (list)
            @if let Some(link) = link { (link) }
        };
        let page = HtmlPage {
            title: &format!("Alerts of {}", incident.reference),
            place: &crate::board::PLACE,
            who: &who,
            when: &when,
            wall: false,
            live: Some(format!("on=incident&id={}", incident.id)),
            source: format!("{base}?which={}&from={skip}", which.0),
            body,
        };
        Ok(framed(&app, &page))
    })
    .await
}

/// Which part of them it is, and where the others are.
fn turn(base: &str, which: &str, skip: i64, of: u64) -> Markup {
    let of = i64::try_from(of).unwrap_or(i64::MAX);
    let to = |from: i64| format!("{base}?which={which}&from={from}");
    let next = skip.saturating_add(ALERTS_A_PAGE);
    html! {
        @if of > ALERTS_A_PAGE {
            p class="links" {
                span class="quiet" { (skip.saturating_add(1).min(of)) " to " (next.min(of)) " of " (of) " · " }
                @if skip > 0 { a href=(to((skip - ALERTS_A_PAGE).max(0))) { "Back" } }
                @if next < of { a href=(to(next)) { "On" } }
            }
        }
    }
}
