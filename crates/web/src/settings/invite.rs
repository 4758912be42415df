//! An administrator invites somebody: a link with which they choose a password, shown once.

use allclear_domain::org::diff::FormKind;
use allclear_engine::identity::sessions::LinkKind;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use maud::{Markup, html};

use super::{administrator, crumbs, path};
use crate::access::reader::answer;
use crate::app::App;
use crate::frame::pieces;
use crate::frame::refused::Refused;
use crate::frame::shell::{HtmlPage, framed, heading};

/// On the page of a person.
pub(super) fn form(id: &str) -> Markup {
    html! {
        form method="post" action={ "/settings/person/" (pieces::escaped(id)) "/invite" } class="row-of" {
            button class="may" type="submit" { "Make a link to sign in" }
        }
        p class="hint" { "With it they choose a password, once. For whoever forgot theirs it makes a new one and ends their sessions." }
    }
}

/// POST.
pub(crate) async fn invite(State(app): State<App>, headers: HeaderMap, Path(id): Path<String>) -> Response {
    answer(async {
        let (who, when) = administrator(&app, &headers).await?;
        let org = app.engine.org();
        let person = org.person(&id).ok_or_else(|| Refused::missing("person", "Look among the settings."))?;
        let (link, until) = app.engine.issue_link(&who, LinkKind::Invitation, Some(&id)).await?;
        let body = html! {
            (crumbs(Some(FormKind::Person)))
            (heading(&format!("A link for {}", person.name), &html! {}))
            p class="prose" {
                "Copy it now and pass it on privately: it is not shown again. It works once, until " (when.stamp(until)) " " (when.zone())
                "."
            }
            pre tabindex="0" { code { (link) } }
            p { a href=(path(FormKind::Person, &id)) { "Back to " bdi { (person.name) } } }
        };
        let source = path(FormKind::Person, &id);
        Ok(framed(
            &app,
            &HtmlPage {
                title: "A link to sign in",
                place: &crate::settings::PLACE,
                who: &who,
                when: &when,
                wall: false,
                live: None,
                source,
                body,
            },
        ))
    })
    .await
}
