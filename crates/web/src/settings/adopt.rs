//! POST: a plan that is shipped is adopted.

use allclear_domain::org::diff::FormKind;
use allclear_engine::org::forms::FormError;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};

use super::page::refused;
use super::{administrator, path};
use crate::access::reader::answer;
use crate::app::App;
use crate::frame::refused::Refused;

/// POST: a shipped plan becomes one of the organisation. One that is there already is shown.
pub(crate) async fn adopt(State(app): State<App>, headers: HeaderMap, Path(id): Path<String>) -> Response {
    answer(async {
        let (who, _) = administrator(&app, &headers).await?;
        match Box::pin(app.engine.adopt_plan(&id, &app.options.formats, &who)).await {
            Ok(_) | Err(FormError::Exists { .. }) => Ok(Redirect::to(&format!("{}?saved", path(FormKind::Plan, &id))).into_response()),
            Err(FormError::Missing { .. }) => Err(Refused::missing("shipped plan", "Look for it among the plans of the settings.")),
            Err(why) => Err(refused(why)),
        }
    })
    .await
}
