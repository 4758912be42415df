//! Settings: every form of the organisation by kind, and one with its content, version and history.
//!
//! Read-only here: a file or the API changes them. Secrets are masked as in an export.

use allclear_domain::org::diff::{FormKind, forms};
use allclear_domain::org::export::masked;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use maud::html;

use crate::incident::actor;
use crate::pages::{answer, reader};
use crate::refused::Refused;
use crate::shell::{Page, Place, framed, heading};
use crate::{App, parts};

/// GET of the list.
pub(crate) async fn list(State(app): State<App>, headers: HeaderMap) -> Response {
    answer(async {
        let (who, when) = reader(&app, &headers).await?;
        let org = app.engine.org();
        let found = app.engine.queries(&who).forms().await?;
        let body = html! {
            (heading("Settings", &html! { "version " (org.version) }))
            p class="prose quiet" { "What a file owns is changed in the file: edit it, then run " code { "allclear config apply FILE" } "." }
            div class="kinds" data-live="forms" {
                @for kind in FormKind::ALL {
                    @let of_kind: Vec<_> = found.iter().filter(|form| form.kind == kind).collect();
                    @if !of_kind.is_empty() {
                        section class="section" {
                            h2 { (plural(kind)) span class="quiet" { " · " (of_kind.len()) } }
                            ul class="list" {
                                @for form in of_kind {
                                    li {
                                        a class="main" href={ "/settings/" (kind.word()) "/" (parts::escaped(&form.id)) } { (form.id) }
                                        span class="quiet" { "version " (form.version) @if form.managed.is_some() { " · from the file" } }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        };
        Ok(framed(&app, &Page { title: "Settings", place: Place::Settings, who: &who, when: &when, wall: false, live: Some("on=org".into()), source: "/settings".into(), body }))
    })
    .await
}

/// GET of one.
pub(crate) async fn one(State(app): State<App>, headers: HeaderMap, Path((kind, id)): Path<(String, String)>) -> Response {
    answer(async {
        let (who, when) = reader(&app, &headers).await?;
        let missing = || Refused::missing("form", "Look for it among the settings.");
        let kind = FormKind::from_word(&kind).ok_or_else(missing)?;
        let queries = app.engine.queries(&who);
        let line = queries.forms().await?.into_iter().find(|form| form.kind == kind && form.id == id).ok_or_else(missing)?;
        let org = app.engine.org();
        let content = forms(&masked(org.bundle())).into_iter().find(|form| form.kind == kind && form.id == id);
        let text = content.and_then(|form| serde_json::to_string_pretty(&form.body).ok()).unwrap_or_default();
        let history = queries.form_history(kind, &id).await?;
        let body = html! {
            (heading(&format!("{} {}", parts::capital(&kind.word().replace('_', " ")), line.id), &html! { "version " (line.version) }))
            @if line.managed.is_some() {
                p class="prose" { "A file owns it, so it is read-only here. Change the file, then run " code { "allclear config apply FILE" } "." }
            } @else {
                p class="prose" { "Made by people, not by a file. It is changed over the API." }
            }
            section class="section" { h2 { "Content" span class="quiet" { " · secrets are masked" } } pre tabindex="0" { code { (text) } } }
            section class="section" {
                h2 { "Changes" }
                ul class="list" {
                    @for change in &history {
                        li { span { "version " (change.version) } span class="quiet" { (actor(&org, &change.actor).unwrap_or_else(|| "All Clear".to_owned())) " · " (when.stamp(change.at)) } }
                    }
                }
            }
        };
        let source = format!("/settings/{}/{}", kind.word(), parts::escaped(&id));
        Ok(framed(&app, &Page { title: &line.id, place: Place::Settings, who: &who, when: &when, wall: false, live: Some("on=org".into()), source, body }))
    })
    .await
}

fn plural(kind: FormKind) -> String {
    match kind {
        FormKind::Person => "People".to_owned(),
        FormKind::CatchAll => "Catch-all".to_owned(),
        FormKind::Severity => "Severities".to_owned(),
        other => format!("{}s", parts::capital(other.word())),
    }
}
