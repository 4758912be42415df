//! The audit log: who came in, and who was given a way in or more to do.

use allclear_engine::read::LIST_MAX;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use maud::html;

use super::{administrator, crumbs, listing};
use crate::access::reader::{Asked, answer};
use crate::app::App;
use crate::frame::pieces;
use crate::frame::refused::Refused;
use crate::frame::shell::heading;

/// Where it is.
pub(super) const PATH: &str = "/settings/audit";

/// GET; `before` goes on further back.
pub(crate) async fn show(State(app): State<App>, headers: HeaderMap, Query(asked): Asked) -> Response {
    answer(async {
        let (who, when) = administrator(&app, &headers).await?;
        let before = asked.get("before").map(|id| id.parse()).transpose();
        let before = before.map_err(|_| Refused::missing("line", "Begin with the newest."))?;
        let found = app.engine.queries(&who).audit(before, LIST_MAX).await?;
        let body = html! {
            (crumbs(None))
            (heading("Audit log", &html! { (when.zone()) }))
            p class="prose quiet" {
                "Every sign-in, token, invitation and change of access. It is kept without an end. To take it elsewhere: "
                code { "allclear audit --json" } "."
            }
            @if found.is_empty() { p class="prose" { "Nothing so far." } }
            ol class="list" {
                @for entry in &found {
                    li data-key=(entry.id) {
                        p { bdi { (pieces::cut(&entry.line, 300)) } }
                        p class="quiet small" {
                            (when.stamp(entry.at)) @if let Some(address) = &entry.address { " · from " code { (address) } }
                        }
                    }
                }
            }
            @if let Some(last) = found.last().filter(|_| i64::try_from(found.len()).is_ok_and(|len| len == LIST_MAX)) {
                p { a href={ (PATH) "?before=" (last.id) } { "Before that" } }
            }
        };
        Ok(listing(&app, &who, &when, "Audit log", PATH, body))
    })
    .await
}
