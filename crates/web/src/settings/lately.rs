//! What senders sent lately and was refused, with what was sent: where to look when an alarm did not come.

use allclear_domain::org::diff::FormKind;
use allclear_domain::view::RefusedView;
use allclear_engine::read::LIST_MAX;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use maud::{Markup, html};

use super::{administrator, crumbs, listing, path};
use crate::access::reader::{Asked, answer};
use crate::app::App;
use crate::frame::pieces;
use crate::frame::shell::heading;
use crate::frame::time_text::When;

/// Where it is.
pub(super) const PATH: &str = "/settings/refused";
/// Characters of a sentence that is shown.
const DETAIL_CHARS_MAX: usize = 1000;

/// GET; of one integration where it is named.
pub(crate) async fn refused(State(app): State<App>, headers: HeaderMap, Query(asked): Asked) -> Response {
    answer(async {
        let (who, when) = administrator(&app, &headers).await?;
        let only = asked.get("integration");
        let mut found = app.engine.queries(&who).refused(None, LIST_MAX).await?;
        found.retain(|request| only.is_none_or(|id| request.integration.as_ref() == Some(id)));
        let body = html! {
            (crumbs(None))
            @let whose = html! { @if let Some(id) = only { "of " code { (pieces::cut(id, 64)) } " · " a href=(PATH) { "all" } } };
            (heading("Refused lately", &whose))
            p class="prose quiet" {
                "What senders sent and was not taken, newest first, with secrets removed. The newest 200 are kept; of senders without a "
                "known key only that they came."
            }
            @if found.is_empty() { p class="prose" { "Nothing was refused lately." } }
            ol class="list" data-live="refused" { @for request in &found { (line(request, &when)) } }
        };
        Ok(listing(&app, &who, &when, "Refused lately", PATH, body))
    })
    .await
}

fn line(request: &RefusedView, when: &When) -> Markup {
    html! {
        li data-key=(request.id) {
            div {
                p { bdi { (pieces::cut(&request.detail, DETAIL_CHARS_MAX)) } }
                p class="quiet small" {
                    (when.stamp(request.at)) " · "
                    @match &request.integration {
                        Some(id) => a href=(path(FormKind::Integration, id)) { bdi { (id) } },
                        None if request.format.starts_with("reply/") => "an answer over a channel",
                        None => "no known key",
                    }
                    " · " (request.format) " · answered " (request.status)
                    @if request.status < 300 { ", and the rest was taken" }
                    @if let Some(address) = &request.address { " · from " code { (address) } }
                    @if request.unkept > 0 { " · " (request.unkept) " more before it" }
                }
                @if let Some(body) = &request.body {
                    details class="small" {
                        summary class="quiet" { "What was sent" }
                        pre dir="auto" { (body) }
                    }
                }
            }
        }
    }
}
