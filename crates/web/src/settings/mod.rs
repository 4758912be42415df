//! Settings: every form of the organisation by kind; each with its fields, its version and its
//! history, to be changed unless a file owns it.
//!
//! What a kind is called and which fields it has is said by the kind (`domain::org::forms`). `typed` and `typed_rows` go from a body to
//! their texts and back, `fields`, `rows` and `controls` draw them, `wrongs` says where a problem is, `picture` draws a schedule, `page` is the page of one form, `sender` its part about a sender, `told` what a line of a list says, `change` takes what was posted. Secrets are
//! masked as in an export. Everything here is an administrator's.

pub(crate) mod adopt;
pub(crate) mod audit;
mod change;
mod controls;
mod fields;
#[cfg(test)]
mod forms_tests;
mod invite;
mod lately;
mod page;
mod picture;
mod plans;
mod report_form;
mod rows;
mod sender;
mod titles;
mod told;
mod typed;
mod typed_rows;
mod wrongs;

use std::sync::Arc;

use allclear_domain::access::{Principal, Right};
use allclear_domain::org::diff::{CATCH_ALL_ID, FormKind};
use allclear_domain::org::forms::about::IdOf;
use allclear_domain::org::snapshot::Org;
use allclear_engine::read::screens::FormLine;
use allclear_engine::read::tried::TestView;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use maud::{Markup, html};

pub(crate) use self::change::{add, detach, remove, save};
pub(crate) use self::invite::invite;
pub(crate) use self::lately::refused;
pub(crate) use self::sender::test as test_alarm;

use self::page::{FormState, shown};
use crate::access::reader::{Asked, answer, reader};
use crate::app::{App, Lists, Place};
use crate::first;
use crate::frame::pieces;
use crate::frame::refused::Refused;
use crate::frame::shell;
use crate::frame::shell::{HtmlPage, framed, heading};
use crate::frame::time_text::When;

pub(crate) static PLACE: Place = Place {
    path: "/settings",
    word: "Settings",
    strokes: "M3 6h7m4 0h3M3 14h3m4 0h7M12 4v4M8 12v4",
    key: None,
    lists: Lists::RAIL_MENU,
    leads: shell::may_set,
    page: || get(list),
};

/// Forms of a kind that the page of all kinds lists; the kind's own page has all.
const LISTED_MAX: usize = 12;
/// The last part of the address at which a form is added.
const NEW: &str = "new";

/// Forms hold addresses of people, so that only administrators look at them.
async fn administrator(app: &App, headers: &HeaderMap) -> Result<(Principal, When), Refused> {
    let (who, when) = reader(app, headers).await?;
    if app.engine.queries(&who).has(Right::Administer) {
        return Ok((who, when));
    }
    let detail = "Settings hold the addresses of people. Ask an administrator.";
    Err(Refused::new(
        StatusCode::FORBIDDEN,
        "forbidden",
        "Only administrators look at settings",
        detail,
        html! { p { a href="/" { "Board" } } },
    ))
}

/// The kind that a part of an address names.
fn kind_of(word: &str) -> Result<FormKind, Refused> {
    FormKind::from_word(word).ok_or_else(|| Refused::missing("kind of form", "Look for it among the settings."))
}

/// The name of a kind, one of it.
const fn name_of(kind: FormKind) -> &'static str {
    kind.about().one
}

/// The address of a form. One that is called as the address of new ones is says that it is there.
fn path(kind: FormKind, id: &str) -> String {
    format!("/settings/{}/{}{}", kind.word(), pieces::escaped(id), if id == NEW { "?stored" } else { "" })
}

/// The address at which one of a kind is added.
fn path_of_new(kind: FormKind) -> String {
    format!("/settings/{}/{NEW}", kind.word())
}

/// GET of all kinds.
pub(crate) async fn list(State(app): State<App>, headers: HeaderMap) -> Response {
    answer(async {
        let (who, when) = administrator(&app, &headers).await?;
        let found = app.engine.queries(&who).forms().await?;
        let around = Around { org: app.engine.org(), tests: app.engine.queries(&who).tests().await?, when: &when };
        let body = html! {
            (heading("Settings", &html! { "version " (app.engine.org().version) }))
            p class="prose quiet" {
                "The organisation, form by form. What a file owns is changed in the file, with " code { "allclear config apply FILE" }
                ", until you take it from the file."
            }
            p { a href=(lately::PATH) { "Refused lately" } span class="quiet" { ": what senders sent and was not taken." } }
            p { a href=(audit::PATH) { "Audit log" } span class="quiet" { ": every sign-in, token, invitation and change of access." } }
            div class="kinds" data-live="forms" {
                @for kind in FormKind::ALL.into_iter().filter(|kind| !kind.is_made_by_itself()) {
                    @let of_kind: Vec<_> = found.iter().filter(|form| form.kind == kind).collect();
                    section class="section" id=(kind.word()) {
                        header class="with" {
                            h2 {
                                a class="quietly" href={ "/settings/" (kind.word()) } { (kind.about().plural) }
                                @if !of_kind.is_empty() { span class="quiet" { " · " (of_kind.len()) } }
                            }
                            (new_link(kind, of_kind.len()))
                        }
                        @if of_kind.is_empty() { p class="quiet prose" { (kind.about().purpose) } }
                        @else { (lines(kind, &of_kind, &around, LISTED_MAX)) }
                    }
                }
            }
        };
        Ok(framed(
            &app,
            &HtmlPage {
                title: "Settings",
                place: &PLACE,
                who: &who,
                when: &when,
                wall: false,
                live: Some("on=org".into()),
                source: "/settings".into(),
                body,
            },
        ))
    })
    .await
}

/// GET of one kind.
pub(crate) async fn of_kind(State(app): State<App>, headers: HeaderMap, Path(kind): Path<String>, Query(asked): Asked) -> Response {
    answer(async {
        let (who, when) = administrator(&app, &headers).await?;
        let kind = kind_of(&kind)?;
        let found = app.engine.queries(&who).forms().await?;
        let around = Around { org: app.engine.org(), tests: app.engine.queries(&who).tests().await?, when: &when };
        let of_kind: Vec<_> = found.iter().filter(|form| form.kind == kind).collect();
        let body = html! {
            (crumbs(None))
            (heading(kind.about().plural, &html! { @if !of_kind.is_empty() { (of_kind.len()) } }))
            @if let Some(gone) = asked.get("removed") {
                p class="done" role="status" { "The " (name_of(kind)) " " code { (pieces::cut(gone, 64)) } " was removed." }
            }
            p class="prose" { (kind.about().purpose) }
            div data-live="forms" class="group tight" { (lines(kind, &of_kind, &around, usize::MAX)) (new_link(kind, of_kind.len())) }
            @if kind == FormKind::Plan { (plans::shipped(&around.org, &when)) }
        };
        let source = format!("/settings/{}", kind.word());
        Ok(framed(
            &app,
            &HtmlPage {
                title: kind.about().plural,
                place: &PLACE,
                who: &who,
                when: &when,
                wall: false,
                live: Some("on=org".into()),
                source,
                body,
            },
        ))
    })
    .await
}

/// GET of one, or of the form that adds one.
pub(crate) async fn one(
    State(app): State<App>,
    headers: HeaderMap,
    Path((kind, id)): Path<(String, String)>,
    Query(asked): Asked,
) -> Response {
    answer(async {
        let (who, when) = administrator(&app, &headers).await?;
        let kind = kind_of(&kind)?;
        if id == NEW && !asked.contains_key("stored") {
            let only = kind.about().id == IdOf::Only && app.engine.form_view(kind, CATCH_ALL_ID, &[], &who).await.is_ok();
            if only {
                return Ok(Redirect::to(&path(kind, CATCH_ALL_ID)).into_response());
            }
            let focus = kind.about().fields.first().map(|first| first.key.to_owned());
            let first = first::is_step(&asked);
            let fresh =
                FormState { first, fields: Some(page::fresh(&app.engine.org(), kind, &who, &when, asked)), focus, ..FormState::default() };
            return Box::pin(shown(&app, &who, &when, kind, None, fresh)).await;
        }
        let (saved, first) = (asked.contains_key("saved"), first::is_step(&asked));
        Box::pin(shown(&app, &who, &when, kind, Some(&id), FormState { saved, first, ..FormState::default() })).await
    })
    .await
}

/// GET of an address that only takes POST.
pub(crate) async fn back(Path((kind, id)): Path<(String, String)>) -> Response {
    match FormKind::from_word(&kind) {
        Some(kind) => Redirect::to(&path(kind, &id)).into_response(),
        None => Redirect::to("/settings").into_response(),
    }
}

/// What lines of a list are told by.
struct Around<'a> {
    org: Arc<Org>,
    tests: Vec<TestView>,
    when: &'a When,
}

fn lines(kind: FormKind, found: &[&FormLine], around: &Around<'_>, max: usize) -> Markup {
    let org = &around.org;
    html! {
        ul class="list" {
            @for form in found.iter().take(max) {
                li {
                    a class="main" href=(path(kind, &form.id)) { bdi { (titles::title(org, kind, &form.id)) } }
                    span class="quiet" {
                        (told::of(org, kind, &form.id, &around.tests, around.when).unwrap_or_else(|| html! { "version " (form.version) }))
                        @if form.managed.is_some() { " · from the file" }
                    }
                }
            }
        }
        @if found.len() > max { p { a href={ "/settings/" (kind.word()) } { "All " (found.len()) } } }
    }
}

/// The way to one more of a kind, where there may be one.
fn new_link(kind: FormKind, there: usize) -> Markup {
    let full = match kind.about().id {
        IdOf::Only => there > 0,
        IdOf::OneOf(_, all) => there >= all.len(),
        IdOf::Typed | IdOf::Made | IdOf::Channel => kind.is_made_by_itself(),
    };
    html! { @if !full { a class="add" href=(path_of_new(kind)) { "New " (name_of(kind)) } } }
}

/// A page of the settings that lists what happened; it stands still.
fn listing(app: &App, who: &Principal, when: &When, title: &str, path: &str, body: Markup) -> Response {
    framed(app, &HtmlPage { title, place: &PLACE, who, when, wall: false, live: None, source: path.to_owned(), body })
}

/// The way back from a form or a kind.
fn crumbs(kind: Option<FormKind>) -> Markup {
    html! {
        nav class="crumbs" aria-label="Where this is" {
            a href="/settings" { "Settings" }
            @if let Some(kind) = kind { span aria-hidden="true" { "›" } a href={ "/settings/" (kind.word()) } { (kind.about().plural) } }
        }
    }
}
