//! The record of an incident, to be kept: the links to its formats, folded, and the files behind them.

use std::collections::HashMap;

use allclear_domain::record::{self, FORMATS};
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use crate::access::reader::{answer, reader};
use crate::app::App;
use crate::frame::refused::Refused;
use crate::incident::PageData;

/// What stands beside the way to the page that is printed.
const ON_PAPER: &str = "To print, or for a PDF; also as forms of the Incident Command System";

/// GET: one file (`format`).
pub(crate) async fn file(
    State(app): State<App>,
    headers: HeaderMap,
    Path(reference): Path<String>,
    Query(asked): Query<HashMap<String, String>>,
) -> Response {
    answer(async {
        let (who, _) = reader(&app, &headers).await?;
        let queries = app.engine.queries(&who);
        let id = queries.incident_id(&reference).await?;
        let format = record::format(asked.get("format").map_or(FORMATS[0].name, String::as_str))
            .ok_or_else(|| Refused::missing("format", "The page of the incident has a link to each that there is."))?;
        let made = Box::pin(queries.export(id, format)).await?;
        let place = format!("attachment; filename=\"{}\"", made.file);
        Ok(([(CONTENT_TYPE, made.media.to_owned()), (CONTENT_DISPOSITION, place)], made.text).into_response())
    })
    .await
}

/// Below the log: what one may take away of it.
pub(crate) fn section(told: &PageData) -> Markup {
    let base = format!("/incidents/{}", told.incident.reference);
    html! {
        details class="record only-screen" data-key="record" {
            summary { "Take the record with you" }
            ul class="plain" {
                li { a href={ (base) "/print" } { "paper" } span class="quiet" { " · " (ON_PAPER) } }
                @for format in FORMATS {
                    li {
                        a href={ (base) "/record?format=" (format.name) } download { (format.name) }
                        span class="quiet" { " · " (format.says) }
                    }
                }
            }
        }
    }
}
