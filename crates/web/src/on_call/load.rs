//! What on-call cost people, under *On call*: a table for each schedule, with what each figure is.

use allclear_domain::access::Principal;
use allclear_domain::org::cost::LOAD_PERIOD;
use allclear_domain::view::{CarriedView, OnCallCostView, ScheduleCostView};
use allclear_engine::read::on_call_cost::CostFilter;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use jiff::Timestamp;
use maud::{Markup, html};

use super::PLACE;
use crate::access::reader::{Asked, Fields, answer, reader};
use crate::app::App;
use crate::frame::pieces;
use crate::frame::refused::Refused;
use crate::frame::shell::{HtmlPage, framed, heading};
use crate::frame::time_text::When;
use crate::posted::said;

/// Where it is.
pub(crate) const PATH: &str = "/on-call/load";

/// GET.
pub(crate) async fn show(State(app): State<App>, headers: HeaderMap, Query(asked): Asked) -> Response {
    answer(async {
        let (who, when) = reader(&app, &headers).await?;
        shown(&app, &who, &when, &asked).await
    })
    .await
}

async fn shown(app: &App, who: &Principal, when: &When, asked: &Fields) -> Result<Response, Refused> {
    let now = when.now;
    let typed = |name: &str| said(asked, name);
    let read = |name: &str, what: &str, otherwise: Timestamp| -> Result<Timestamp, String> {
        let Some(text) = typed(name) else { return Ok(otherwise) };
        let day = text.parse::<jiff::civil::Date>().map(|day| when.begins(day)).ok();
        day.or_else(|| text.parse().ok())
            .ok_or_else(|| format!("{what} cannot be read: `{}`. It looks like 2026-03-01.", pieces::cut(&text, 40)))
    };
    let mut wrong = None;
    let to = read("to", "The end", now).unwrap_or_else(|why| {
        wrong = Some(why);
        now
    });
    let before = to.checked_sub(LOAD_PERIOD).unwrap_or(Timestamp::MIN);
    let mut from = read("from", "The start", before).unwrap_or_else(|why| {
        wrong = Some(why);
        before
    });
    if from >= to {
        wrong = Some("The start is not before the end.".to_owned());
        from = before;
    }
    let filter = CostFilter { schedule: typed("schedule"), team: None };
    let found = app.engine.queries(who).on_call_cost(&filter, from, to).await?;
    let org = app.engine.org();
    let body = html! {
        nav class="crumbs" aria-label="Where this is" { a href=(PLACE.path) { (PLACE.word) } }
        (heading("What on-call costs", &html! { (when.stamp(found.from)) " to " (when.stamp(found.to)) " " (when.zone()) }))
        p class="quiet prose" {
            "Live pages alone: drills and test pages are not in it. The figures are of all people of a schedule together; each person \
             stands there for whoever manages the team, for administrators, and for themself."
        }
        form class="row-of" method="get" action=(PATH) {
            @if let Some(why) = &wrong { p class="refusal" role="alert" { strong { "This was not done" } (why) } }
            label class="field" { span { "From" } input type="date" name="from" value=(when.day(found.from)); }
            label class="field" {
                span { "To " span class="quiet" { "Left open, now" } }
                input type="date" name="to" value=(typed("to").unwrap_or_default());
            }
            label class="field" {
                span { "Schedule" }
                select name="schedule" {
                    (pieces::choice("", filter.schedule.is_none(), "All"))
                    @for form in &org.bundle().schedules {
                        @let chosen = filter.schedule.as_deref() == Some(form.id.as_str());
                        (pieces::choice(&form.id, chosen, form.name.as_deref().unwrap_or(&form.id)))
                    }
                }
            }
            button class="may" type="submit" { "Show" }
        }
        @if found.cut {
            p class="late" { "There is more than is read at once, so the figures are too low. Choose a shorter period, or one schedule." }
        }
        @if found.schedules.is_empty() { p class="quiet" { "There is no schedule." } }
        @for schedule in &found.schedules { (table(schedule, &found)) }
        section class="section" {
            h2 { "What each figure is" }
            dl class="facts figures" {
                @for one in &found.definitions { div { dt { (one.name) } dd { (pieces::capital(&one.says)) "." } } }
            }
        }
    };
    let (live, source) = (None, PATH.into());
    Ok(framed(app, &HtmlPage { title: "What on-call costs", place: &PLACE, who, when, wall: false, live, source, body }))
}

fn table(schedule: &ScheduleCostView, found: &OnCallCostView) -> Markup {
    let row = |name: &str, carried: &CarriedView, whole: bool| {
        html! {
            tr {
                th scope="row" { @if whole { (name) } @else { bdi { (name) } } }
                @for cell in carried.cells() { td { (cell) } }
            }
        }
    };
    html! {
        section class="section" {
            h2 { bdi { (schedule.name) } }
            @if schedule.people == 0 { p class="quiet" { "Nobody was on call in this period, and nobody was called." } }
            @else {
                div class="wide-table" tabindex="0" role="group" aria-label="Table" {
                    table {
                        thead { tr { th { "Who" } @for one in &found.definitions { th { (one.name) } } } }
                        tbody {
                            (row(&format!("All {}", schedule.people), &schedule.total, true))
                            @for one in &schedule.each { (row(&one.name, &one.carried, false)) }
                        }
                    }
                }
            }
        }
    }
}
