//! Whether pages would reach people: oneself, on *Me*, and those whom one answers for, on a page of its own.

use allclear_domain::org::readiness::runs;
use allclear_domain::org::snapshot::Org;
use allclear_domain::view::ReadinessView;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use maud::{Markup, html};

use super::reached;
use crate::access::reader::{answer, reader};
use crate::app::App;
use crate::frame::pieces;
use crate::frame::shell::{HtmlPage, framed, heading};
use crate::frame::time_text::When;
use crate::on_call::{PLACE as ON_CALL, drills};

/// Where the page of everybody is.
pub(crate) const PATH: &str = "/on-call/ready";

/// GET.
pub(crate) async fn show(State(app): State<App>, headers: HeaderMap) -> Response {
    answer(async {
        let (who, when) = reader(&app, &headers).await?;
        let found = app.engine.queries(&who).readiness(None).await?;
        let drills = drills::of_readiness(&app, &who, &when).await?;
        let org = app.engine.org();
        let (not, are): (Vec<&ReadinessView>, Vec<&ReadinessView>) = found.iter().partition(|view| !view.ready);
        let body = html! {
            nav class="crumbs" aria-label="Where this is" { a href=(ON_CALL.path) { (ON_CALL.word) } }
            (heading("Who would be reached", &html! { (when.stamp(when.now)) " " (when.zone()) }))
            p class="quiet prose" {
                "Yourself, and the people of the teams that you manage; everybody, where you are an administrator. What keeps a page from \
                 arriving stands first, and of those people who is on call soonest."
            }
            div data-live="ready" class="group" {
                @if not.is_empty() { p class="done" { "Everybody here is known to be reached." } }
                @for view in &not {
                    section class="section" {
                        h2 { bdi { (view.name) } }
                        (shift(view, &org, &when))
                        (findings(view))
                    }
                }
                (drills)
                @if !are.is_empty() {
                    section class="section" {
                        h2 { "Known to be reached" }
                        ul class="list" {
                            @for view in &are {
                                li {
                                    span { bdi { (view.name) } }
                                    span class="quiet" { (view.findings.first().map_or("", |weak| weak.says.as_str())) }
                                }
                            }
                        }
                    }
                }
            }
        };
        let live = Some("on=org".into());
        let page = HtmlPage {
            title: "Who would be reached",
            place: &ON_CALL,
            who: &who,
            when: &when,
            wall: false,
            live,
            source: PATH.into(),
            body,
        };
        Ok(framed(&app, &page))
    })
    .await
}

/// When they are on call next.
fn shift(view: &ReadinessView, org: &Org, when: &When) -> Markup {
    let name = |id: &str| org.schedule_form(id).and_then(|form| form.name.clone()).unwrap_or_else(|| id.to_owned());
    html! {
        @if let (Some(at), Some(schedule)) = (view.on_call_at, &view.schedule) {
            p class="quiet" {
                @if runs(at, when.now) { "On call now in " bdi { (name(schedule)) } }
                @else { "On call in " bdi { (name(schedule)) } " from " (when.stamp(at)) }
            }
        }
    }
}

/// What would keep a page from arriving, the worst first, each with what would mend it.
fn findings(view: &ReadinessView) -> Markup {
    html! {
        ul class="list" {
            @for finding in &view.findings {
                li {
                    span class={ @if finding.gravity == "never" { "late" } } { (pieces::capital(&finding.says)) "." }
                    span class="quiet" { (pieces::capital(&finding.works)) "." }
                }
            }
        }
    }
}

/// The same of oneself, on *Me*.
pub(crate) fn of_me(view: &ReadinessView, org: &Org, when: &When) -> Markup {
    html! {
        section class="section" id="ready" data-live="ready" {
            h2 { @if view.ready { "A page reaches me" } @else { "Would a page reach me?" } }
            @if !view.ready { (shift(view, org, when)) }
            @if view.findings.is_empty() { p class="quiet" { "Nothing is known that would keep it from arriving." } }
            @else { (findings(view)) p { a href=(reached::PATH) { "Look after how I am reached" } } }
        }
    }
}
