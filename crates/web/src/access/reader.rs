//! Who asks and what their clock is: what every page that needs a reader begins with, and how each
//! answers. The pages themselves are one file each.

use std::collections::HashMap;

use allclear_domain::access::{Principal, Scope};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use maud::html;

use crate::access::visitor::visitor;
use crate::frame::refused::Refused;
use crate::frame::shell::{Page, Place, framed};
use crate::frame::time_text::When;
use crate::{App, demo_outbox};

/// What a query or a form says, by name.
pub(crate) type Fields = HashMap<String, String>;
/// The query of a page.
pub(crate) type Asked = Query<Fields>;

/// The messages of a demonstration.
pub(crate) async fn outbox(State(app): State<App>, headers: HeaderMap) -> Response {
    answer(async {
        let (who, when) = reader(&app, &headers).await?;
        if app.options.demo_outbox.is_none() {
            return Err(Refused::missing("page", "Messages are shown with the incident that they are about."));
        }
        let sent = demo_outbox::seen(&app, &who).await?;
        let body = demo_outbox::page(&sent, &app.engine.org(), &when);
        let page = Page {
            title: "Messages",
            place: Place::Messages,
            who: &who,
            when: &when,
            wall: false,
            live: Some("on=board".into()),
            source: "/outbox".into(),
            body,
        };
        Ok(framed(&app, &page))
    })
    .await
}

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
    if !who.scope.admits(Scope::Respond) {
        let detail = "It needs the scope `respond`. Nothing was changed.";
        return Err(Refused::new(StatusCode::FORBIDDEN, "scope_too_narrow", "You may read here, and not act", detail, html! {}));
    }
    Ok((who, when))
}
