//! The briefing: on the page of an incident for whoever has a role or was asked to take one over, and on a page of its own for
//! everybody who joins late or asks how it stood earlier.

use std::collections::HashMap;

use allclear_domain::org::snapshot::{ORGANISATION, Org};
use allclear_domain::view::BriefingView;
use allclear_engine::read::NoAnswer;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use maud::{Markup, html};

use crate::access::reader::{answer, reader};
use crate::app::App;
use crate::frame::pieces::{self, LINE_CHARS_MAX};
use crate::frame::shell::{HtmlPage, framed, heading};
use crate::frame::time_text::When;
use crate::incident::PageData;

/// Parts of an incident that are told: the first of them are what whoever takes command has to know.
const PARTS_MAX: usize = 20;

/// Its parts folded; open for whoever is asked to take a role over from somebody.
pub(crate) fn section(told: &PageData, briefing: &BriefingView, org: &Org) -> Markup {
    let when = &told.when;
    let asked = told.incident.roles.iter().any(|role| role.person.is_some() && role.offered_to.is_some() && role.offered_to == told.me);
    html! {
        details class="card" data-key="briefing" open[asked] {
            summary { "Briefing" span class="quiet" { " · as of " (when.time(briefing.at, &when.clock(briefing.at))) } }
            (parts(briefing, when, org))
        }
    }
}

/// GET: the briefing for whoever joins late, as of now or of an earlier time (`at`, in the reader's zone).
pub(crate) async fn show(
    State(app): State<App>,
    headers: HeaderMap,
    Path(reference): Path<String>,
    Query(asked): Query<HashMap<String, String>>,
) -> Response {
    answer(async {
        let (who, when) = reader(&app, &headers).await?;
        let zone = when.tz().clone();
        let queries = app.engine.queries(&who).in_zone(&zone);
        let id = queries.incident_id(&reference).await?;
        let mut now = Box::pin(queries.briefing(id)).await?;
        now.contention = Box::pin(queries.contention_of(&now.reference)).await?;
        let typed = asked.get("at").map_or("", String::as_str);
        let (earlier, wrong) = match when.of_field(typed) {
            _ if typed.is_empty() => (None, None),
            None => (None, Some("This is no time: choose a day and a time.".to_owned())),
            Some(at) => match Box::pin(queries.briefing_at(id, at)).await {
                Ok(then) => (Some(then), None),
                Err(NoAnswer::Bad(why)) => (None, Some(why)),
                Err(other) => return Err(other.into()),
            },
        };
        let base = format!("/incidents/{}/briefing", now.reference);
        let title = format!("Briefing {}", now.reference);
        let source = if typed.is_empty() { base.clone() } else { format!("{base}?at={}", pieces::escaped(typed)) };
        let body = html! {
            (heading("Briefing", &html! {
                a href={ "/incidents/" (now.reference) } { (now.reference) " " bdi { (pieces::cut(&now.title, LINE_CHARS_MAX)) } }
            }))
            form class="form row-of as-of only-screen" action=(base) {
                label class="field" {
                    span { "As it stood at, in " (when.zone()) }
                    input type="datetime-local" step="1" name="at" value=(typed);
                }
                button class="may" type="submit" { "Show" }
                @if !typed.is_empty() { a href=(base) { "Now" } }
            }
            @if let Some(wrong) = &wrong { p class="late" role="alert" { (wrong) } }
            @else {
                @let told = earlier.as_ref().unwrap_or(&now);
                (whole(told, &when.as_of(told.at), &when.stamp(told.at), &app.engine.org()))
            }
        };
        let live = typed.is_empty().then(|| format!("on=incident&id={id}"));
        let page = HtmlPage { title: &title, place: &crate::board::PLACE, who: &who, when: &when, wall: false, live, source, body };
        Ok(framed(&app, &page))
    })
    .await
}

/// On a page of its own: what it is first, then its parts.
fn whole(briefing: &BriefingView, when: &When, as_of: &Markup, org: &Org) -> Markup {
    html! {
        article class="briefing prose" data-live="briefing" {
            p {
                (pieces::severity(briefing.severity)) " " (briefing.state.word())
                span class="quiet" { " · as of " (as_of) }
            }
            ul {
                @for role in &briefing.roles {
                    li {
                        (role.role) ": "
                        @match (&role.person, &role.offered_to) {
                            (Some(person), _) => bdi { (pieces::name(org, person)) },
                            (None, Some(asked)) => { "nobody, " bdi { (pieces::name(org, asked)) } " was asked" },
                            (None, None) => "nobody",
                        }
                    }
                }
            }
            (parts(briefing, when, org))
        }
    }
}

/// In the order in which a role is handed over.
fn parts(briefing: &BriefingView, when: &When, org: &Org) -> Markup {
    let name = |id: &str| pieces::name(org, id);
    html! {
        @if let Some(under) = &briefing.under { p class="small" { "Part of: " bdi { (under.words(&name)) } } }
        (part("What happened", &html! {
            @for one in &briefing.history { li { (when.stamp(one.at)) " " bdi { (pieces::cut(&one.line, LINE_CHARS_MAX)) } } }
            @if briefing.left_out > 0 { li class="quiet" { (briefing.left_out) " key events are left out; the log has them" } }
        }, briefing.history.is_empty()))
        (part("Decided", &html! {
            @for one in &briefing.decisions { li { bdi { (pieces::cut(&one.line, LINE_CHARS_MAX)) } } }
        }, briefing.decisions.is_empty()))
        (part("Its parts", &html! {
            @for one in briefing.parts.iter().take(PARTS_MAX) {
                li {
                    @if let Some(rank) = one.rank { (rank) ". " }
                    (one.reference) " " bdi { (pieces::cut(&one.title, LINE_CHARS_MAX)) } " · " (one.state.word()) " · "
                    @match &one.holder { Some(id) => bdi { (pieces::name(org, id)) }, None => "nobody has it" }
                    @if let Some(at) = one.next_due { " · " (when.counting(at)) }
                }
            }
            @if briefing.parts.len() > PARTS_MAX { li class="quiet" { (briefing.parts.len() - PARTS_MAX) " more are not shown" } }
        }, briefing.parts.is_empty()))
        (part("Wanted elsewhere as well", &html! {
            @for line in briefing.contention.iter().flat_map(|found| found.sentences(&name)) { li { bdi { (line) } } }
        }, briefing.contention.is_none()))
        (part("Affected", &html! {
            @for one in &briefing.affected { li { bdi { (one.service) } ": " (one.impact.word()) } }
        }, briefing.affected.is_empty()))
        (part("To do", &html! {
            @for task in &briefing.tasks {
                li {
                    @match task.owner.as_ref().or(task.doer.as_ref()) {
                        Some(id) => bdi { (pieces::name(org, id)) },
                        None => "nobody yet",
                    }
                    ": " bdi { (task.text) }
                    @if let Some(due) = task.due_at { " · " (when.counting(due)) }
                }
            }
        }, briefing.tasks.is_empty()))
        (part("May be the cause", &html! {
            @for one in &briefing.hypotheses {
                li {
                    bdi { (one.text) } " · " (one.state.word())
                    @for tried in &one.tries {
                        " · tried " bdi { (tried.tried) } @if let Some(result) = &tried.result { ": " bdi { (result) } }
                    }
                }
            }
        }, briefing.hypotheses.is_empty()))
        (part("Asked of others", &html! {
            @for one in &briefing.requests {
                li {
                    bdi { (pieces::name(org, &format!("{ORGANISATION}{}", one.organisation))) } ": " bdi { (one.text) }
                    @if let Some(due) = one.due_at { " · " (when.counting(due)) }
                }
            }
        }, briefing.requests.is_empty()))
        (part("Resources", &html! {
            @for one in &briefing.resources {
                li {
                    bdi { (one.called()) } " · " (one.state.words())
                    @if let Some(of) = &one.organisation { " · " bdi { (pieces::name(org, &format!("{ORGANISATION}{of}"))) } }
                    @if let Some(at) = one.expected_at.or(one.due_at).filter(|_| one.state.is_awaited()) { " · " (when.counting(at)) }
                }
            }
        }, briefing.resources.is_empty()))
        (part("Before it is over", &html! {
            @for item in &briefing.recovery { li { bdi { (item.text) } } }
        }, briefing.recovery.is_empty()))
        (part("Told outside last", &html! {
            @if let Some(update) = &briefing.last_update {
                li { (when.stamp(update.at)) " " bdi { (pieces::cut(&update.text, LINE_CHARS_MAX)) } }
            }
        }, briefing.last_update.is_none()))
        (part("Promised and awaited", &html! {
            @for one in &briefing.promises {
                li {
                    (when.counting(one.due_at)) " · " bdi { (one.what) }
                    @if let Some(or_else) = &one.or_else { " (else " (or_else) ")" }
                }
            }
        }, briefing.promises.is_empty()))
        (part("To watch", &html! {
            @for risk in &briefing.risks { li { bdi { (risk) } } }
        }, briefing.risks.is_empty()))
    }
}

fn part(heading: &str, lines: &Markup, is_empty: bool) -> Markup {
    html! { @if !is_empty { p class="small" { strong { (heading) } } ul { (lines) } } }
}
