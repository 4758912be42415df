//! Who asks and what their clock is: what every page that needs a reader begins with, and how each
//! answers. The pages themselves are one file each.

use std::collections::HashMap;

use allclear_domain::access::{Principal, Resource, Right, may};
use axum::extract::Query;
use axum::http::HeaderMap;
use axum::response::Response;

use crate::access::visitor::visitor;
use crate::app::App;
use crate::frame::refused::Refused;
use crate::frame::time_text::When;

/// What a query or a form says, by name.
pub(crate) type Fields = HashMap<String, String>;
/// The query of a page.
pub(crate) type Asked = Query<Fields>;

/// A page, or why there is none.
pub(crate) async fn answer(page: impl Future<Output = Result<Response, Refused>>) -> Response {
    page.await.unwrap_or_else(|refused| refused.answer(true))
}

/// Who reads, and their clock.
pub(crate) async fn reader(app: &App, headers: &HeaderMap) -> Result<(Principal, When), Refused> {
    let who = visitor(app, headers).await?;
    let org = app.engine.org();
    let zone = who.person().and_then(|id| org.person(id)).and_then(|person| person.time_zone.as_deref());
    let when = When::new(app.engine.now(), zone);
    Ok((who, when))
}

/// Who acts by a form of ours, and their clock. That the form is ours is asked of every page at once,
/// in [`crate::access::visitor::guarded`].
pub(crate) async fn actor(app: &App, headers: &HeaderMap) -> Result<(Principal, When), Refused> {
    let (who, when) = reader(app, headers).await?;
    // The same is held again where the command is decided; here, before its fields are read.
    may(&app.engine.org(), &who, Right::Respond, Resource::Installation)?;
    Ok((who, when))
}
