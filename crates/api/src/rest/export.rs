//! The record of an incident as a file, in any format of the table ([`allclear_domain::record`]).

use allclear_domain::record::{self, FORMATS, Format};
use axum::extract::State as Shared;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::IntoParams;

use super::cut;
use crate::Api;
use crate::http::caller::{Read, Who};
use crate::http::extract::{P, Q};
use crate::http::problem::Problem;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ExportQuery {
    /// `md`, `json`, `csv`, `xes` or `bundle`; `md` where absent.
    #[param(pattern = "^(md|json|csv|xes|bundle)$")]
    format: Option<String>,
}

/// The record of an incident as a file: what the reader may read of it, or with `bundle` the whole stored log, signed, for whoever may
/// read all of it.
#[utoipa::path(get, path = "/api/v1/incidents/{ref}/export", operation_id = "export_incident", tag = "incidents",
    params(("ref" = String, Path, description = "`INC-142`, or the id"), ExportQuery),
    responses(
        (status = 200, description = "The file, under the media type of its format", content(
            (String = "text/markdown"), (serde_json::Value = "application/json"), (String = "text/csv"), (String = "application/xml"),
            (String = "application/x-ndjson"))),
        (status = "default", body = super::ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn record(
    Shared(api): Shared<Api>,
    who: Who<Read>,
    P(reference): P<String>,
    Q(asked): Q<ExportQuery>,
) -> Result<Response, Problem> {
    let queries = api.engine.queries(&who.0);
    let id = queries.incident_id(&reference).await?;
    let made = queries.export(id, format_of(asked.format.as_deref())?).await?;
    let place = format!("attachment; filename=\"{}\"", made.file);
    Ok(([(header::CONTENT_TYPE, made.media.to_owned()), (header::CONTENT_DISPOSITION, place)], made.text).into_response())
}

fn format_of(asked: Option<&str>) -> Result<&'static Format, Problem> {
    let name = asked.unwrap_or(FORMATS[0].name);
    record::format(name).ok_or_else(|| Problem::bad(format!("`{}` is no format of a record: it is one of {}", cut(name), record::NAMES)))
}
