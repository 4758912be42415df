//! Open alerts that belong to no incident, to be linked to one.

use allclear_domain::view::{AlertView, IncidentView};
use allclear_engine::read::{AlertFilter, LIST_MAX, NoAnswer, Queries};
use maud::{Markup, html};

use crate::access::form_key::once;
use crate::app::App;
use crate::frame::pieces;
use crate::frame::time_text::When;

/// Characters of an alert's title.
const TITLE_CHARS_MAX: usize = 200;

/// The list of them, below those that the incident has.
pub(crate) async fn section(app: &App, queries: &Queries<'_>, incident: &IncidentView, when: &When) -> Result<Markup, NoAnswer> {
    let newest = queries.alerts(AlertFilter { open: Some(true), ..AlertFilter::default() }, LIST_MAX).await?;
    let full = newest.len() as i64 == LIST_MAX;
    let free: Vec<AlertView> = newest.into_iter().filter(|alert| alert.incident.is_none()).collect();
    let org = app.engine.org();
    let path = format!("/incidents/{}/link", incident.reference);
    Ok(html! {
        h2 id="link" { "Link an alert" }
        p class="prose" {
            "It then counts with the others of " bdi { (pieces::cut(&incident.title, TITLE_CHARS_MAX)) }
            ": once all have recovered, All Clear asks whether it is over."
        }
        @if free.is_empty() {
            p class="prose quiet" { "Every open alert" @if full { " of the newest " (LIST_MAX) } " has its incident." }
        }
        ul class="list" data-live="free" {
            @for alert in &free {
                li data-key=(alert.id) {
                    div {
                        p { (pieces::severity(alert.severity)) " " strong { bdi { (pieces::cut(&alert.title, TITLE_CHARS_MAX)) } } }
                        p class="quiet small" {
                            @if let Some(id) = &alert.service { bdi { (pieces::service(&org, id)) } " · " }
                            "open for " (when.time(alert.starts_at, &when.age(alert.starts_at)))
                            " · " (pieces::cut(&alert.because, TITLE_CHARS_MAX))
                        }
                    }
                    form class="at-once" method="post" action=(path) {
                        (once(when))
                        button class="may" type="submit" name="alert" value=(alert.id)
                            aria-label={ "Link: " (pieces::cut(&alert.title, TITLE_CHARS_MAX)) } {
                            "Link"
                        }
                    }
                }
            }
        }
        (by_id(&path, when))
    })
}

/// An alert that is not in the list: an older one, or one of an incident that is over.
fn by_id(path: &str, when: &When) -> Markup {
    html! {
        details class="behind" {
            summary { "Another one, by its id" }
            form class="row-of form" method="post" action=(path) {
                (once(when))
                label class="field" {
                    span { "Id" }
                    input name="alert" required placeholder="alt_…" autocomplete="off" autocapitalize="none" spellcheck="false";
                }
                button class="may" type="submit" { "Link" }
            }
        }
    }
}
