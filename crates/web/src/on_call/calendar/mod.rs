//! The calendar of a schedule: a month, a week or a day, in its zone or in the reader's. Who is on call stands over what lies beneath
//! it: overrides, absences, and each layer by itself. A time that is picked fills the form that puts somebody on.
//!
//! Invariants: everything is links and plain forms; a page is bounded whatever the rota is, and says what it leaves out; who is on
//! call is the resolver's answer.

mod days;
mod external;
mod lanes;
mod take;
mod temporary;
mod view;

use allclear_domain::access::{Principal, Right};
use allclear_domain::oncall::Difference;
use allclear_domain::org::load::load;
use allclear_domain::org::snapshot::Org;
use allclear_domain::org::timetable::{Timetable, timetable};
use allclear_engine::org::OrgError;
use allclear_engine::org::forms::FormError;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};

pub(crate) use self::view::path_of;

use self::take::{Here, Picked, TAKES};
use self::view::{At, View, day_of};
use super::{PLACE, put};
use crate::access::reader::{Asked, Fields, actor, answer, reader};
use crate::app::App;
use crate::frame::pieces;
use crate::frame::refused::Refused;
use crate::frame::shell::{HtmlPage, framed, heading};
use crate::frame::strips::{Budget, Drawing, strip};
use crate::frame::time_text::{When, age};
use crate::posted::{Draft, said};

/// GET.
pub(crate) const PATH: &str = "/on-call/schedules/{id}";
/// POST.
pub(crate) const OVERRIDE: &str = "/on-call/schedules/{id}/override";
/// POST: makes a temporary schedule, or shows what one would change.
pub(crate) const TEMPORARY: &str = "/on-call/schedules/{id}/temporary";
/// POST: takes one back.
pub(crate) const TEMPORARY_END: &str = "/on-call/schedules/{id}/temporary/{temporary}/end";

/// Most bars of a page: a week of turns of an hour in three lanes, and no more than a telephone fetches in a moment.
const BARS_MAX: usize = 600;
/// Most people whose load is listed: more than take turns in one schedule.
const CARRIED_MAX: usize = 100;
/// A time is picked in steps of half an hour, and in a day of a quarter.
const PICK_S: u32 = 1800;
const PICK_OF_DAY_S: u32 = 900;

impl View {
    /// Most bars of one lane that begin on one day: those that a day of this width can name.
    const fn a_day_max(self) -> usize {
        match self {
            Self::Month => 4,
            Self::Week => 6,
            Self::Day => 100,
        }
    }
}

/// GET.
pub(crate) async fn show(State(app): State<App>, headers: HeaderMap, Path(id): Path<String>, Query(asked): Asked) -> Response {
    answer(async {
        let (who, when) = reader(&app, &headers).await?;
        page(&app, &who, &when, &id, &asked, &Draft::default(), None).await
    })
    .await
}

/// POST: somebody is put on for a time that was picked.
pub(crate) async fn take(State(app): State<App>, headers: HeaderMap, Path(id): Path<String>, Form(mut fields): Form<Fields>) -> Response {
    answer(async {
        let (who, when) = actor(&app, &headers).await?;
        let org = app.engine.queries(&who).organisation()?;
        let (at, shown, _) = place(&org, &when, &id, &fields)?;
        let back = at.href();
        fields.insert("schedule".to_owned(), id.clone());
        match Box::pin(put(&app, &who, &shown, &fields)).await {
            Ok(()) => Ok(Redirect::to(&back).into_response()),
            Err(why) => {
                let draft = Draft { verb: TAKES.into(), fields: fields.clone(), refusal: Some(why) };
                let mut response = page(&app, &who, &when, &id, &fields, &draft, None).await?;
                *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
                Ok(response)
            }
        }
    })
    .await
}

/// POST: a temporary schedule is made, or only looked at.
pub(crate) async fn make_temporary(
    State(app): State<App>,
    headers: HeaderMap,
    Path(id): Path<String>,
    Form(fields): Form<Fields>,
) -> Response {
    answer(async {
        let (who, when) = actor(&app, &headers).await?;
        let org = app.engine.queries(&who).organisation()?;
        let (at, shown, _) = place(&org, &when, &id, &fields)?;
        let back = at.href();
        let mut seen = None;
        let refusal = match temporary::read(&app, &at, &shown, &fields) {
            Err(why) => Some(why),
            Ok(form) if fields.contains_key("look") => match app.engine.preview_temporary(&form, &who) {
                Ok(found) => {
                    seen = Some(found);
                    None
                }
                Err(why) => Some(temporary::told(&why)),
            },
            Ok(form) => match Box::pin(app.engine.put_temporary(&form, &who)).await {
                // A form that was taken back meanwhile stays so.
                Ok(_) | Err(FormError::Removed) => return Ok(Redirect::to(&back).into_response()),
                Err(why) => Some(temporary::told(&why)),
            },
        };
        let refused = refusal.is_some();
        let draft = Draft { verb: temporary::MAKES.into(), fields: Fields::new(), refusal };
        let mut response = page(&app, &who, &when, &id, &fields, &draft, seen.as_deref()).await?;
        if refused {
            *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
        }
        Ok(response)
    })
    .await
}

/// POST: a temporary schedule is taken back whole.
pub(crate) async fn end_temporary(
    State(app): State<App>,
    headers: HeaderMap,
    Path((id, temporary)): Path<(String, String)>,
    Form(fields): Form<Fields>,
) -> Response {
    answer(async {
        let (who, when) = actor(&app, &headers).await?;
        let org = app.engine.queries(&who).organisation()?;
        let (at, ..) = place(&org, &when, &id, &fields)?;
        match Box::pin(app.engine.end_temporary(&id, &temporary, &who)).await {
            // A second press finds it gone, which is what was asked for.
            Ok(_) | Err(OrgError::Missing { .. }) => Ok(Redirect::to(&at.href()).into_response()),
            Err(why) => {
                let draft = Draft { verb: temporary::ENDS.into(), fields: Fields::new(), refusal: Some(super::told(&why)) };
                let mut response = page(&app, &who, &when, &id, &fields, &draft, None).await?;
                *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
                Ok(response)
            }
        }
    })
    .await
}

/// GET of what a form of a calendar leads to.
pub(crate) async fn back_of_temporary(Path((id, _)): Path<(String, String)>) -> Response {
    Redirect::to(&path_of(&id)).into_response()
}

/// GET of the form's address, as after signing in: the calendar.
pub(crate) async fn back(Path(id): Path<String>) -> Response {
    Redirect::to(&path_of(&id)).into_response()
}

/// Which calendar is asked for, in which zone, and what of the address could not be read.
fn place<'a>(org: &Org, when: &When, id: &'a str, asked: &Fields) -> Result<(At<'a>, When, Option<String>), Refused> {
    let form = org.schedule_form(id).ok_or_else(|| Refused::missing("schedule", "Look for it under On call."))?;
    let mine = asked.get("zone").is_some_and(|zone| zone == "mine");
    let shown = When::new(when.now, Some(if mine { when.name() } else { &form.time_zone }));
    let today = shown.day(shown.now);
    let (view, wrong_view) = match said(asked, "view").map(|word| View::from_word(&word).ok_or(word)) {
        None => (View::Week, None),
        Some(Ok(view)) => (view, None),
        Some(Err(word)) => (View::Week, Some(format!("`{}` is not shown here: a month, a week or a day is.", pieces::cut(&word, 40)))),
    };
    let (day, wrong_day) = match said(asked, "at").map(|text| day_of(&text)) {
        None => (today, None),
        Some(Ok(day)) => (day, None),
        Some(Err(why)) => (today, Some(why)),
    };
    Ok((At { id, view, day, mine }, shown, wrong_day.or(wrong_view)))
}

async fn page(
    app: &App,
    who: &Principal,
    when: &When,
    id: &str,
    asked: &Fields,
    draft: &Draft,
    seen: Option<&[Difference]>,
) -> Result<Response, Refused> {
    let queries = app.engine.queries(who);
    let org = queries.organisation()?;
    let (at, shown, wrong) = place(&org, when, id, asked)?;
    let form = org.schedule_form(id).ok_or_else(|| Refused::missing("schedule", "Look for it under On call."))?;
    let name = form.name.as_deref().unwrap_or(&form.id);
    let (from, to) = at.lasts(&shown);
    // What is typed into the form of a temporary schedule is no time that was picked.
    let is_other = [temporary::MAKES, temporary::ENDS].contains(&draft.verb.as_str());
    let picked = if is_other { None } else { Picked::read(asked, &shown) };
    let chosen = picked.as_ref().and_then(|picked| picked.as_ref().ok());
    let table = timetable(&org, id, from, to);
    let calendars = queries.external_calendars(id).await?;
    let body = html! {
        (heading(name, &html! { (shown.stamp(shown.now)) " " (shown.zone()) }))
        p {
            a href=(PLACE.path) { "On call" }
            " · " a href=(super::suggest::address(id)) { "Suggest overrides" }
            @if queries.has(Right::Administer) { " · " a href={ "/settings/schedule/" (pieces::escaped(id)) } { "Its settings" } }
        }
        @if let Some(why) = &wrong { p class="refusal" role="alert" { strong { "Not all of this address can be read" } (why) } }
        (ways(&at, &shown, when, &form.time_zone))
        @match (&table, org.schedule(id)) {
            (Some(table), Some(schedule)) => {
                (drawing(table, &org, &at, &shown, who.person(), chosen))
                @let here = Here { org: &org, form, schedule, at, shown: &shown, who, fields: asked };
                (external::section(&calendars, when))
                (take::section(&here, picked.as_ref(), draft))
                (temporary::section(&here, &queries.temporary(id)?, seen, draft))
            },
            _ => p class="prose" {
                "This schedule cannot be read, so nobody is on call by it. Its settings say what is wrong."
            },
        }
    };
    let live = Some("on=org".to_owned());
    let page = HtmlPage { title: name, place: &PLACE, who, when, wall: false, live, source: source(&at, chosen), body };
    let mut response = framed(app, &page);
    if wrong.is_some() {
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    Ok(response)
}

/// The address whose GET gives the page again.
fn source(at: &At<'_>, picked: Option<&Picked>) -> String {
    match picked {
        Some(picked) => at.picking(picked.from, picked.to).split('#').next().unwrap_or_default().to_owned(),
        None => at.href(),
    }
}

/// What leads to other days, to another width, and to the other zone.
fn ways(at: &At<'_>, shown: &When, when: &When, zone: &str) -> Markup {
    let [before, after] = at.around();
    let today = at.on(at.view, shown.day(shown.now));
    html! {
        nav class="ways" aria-label="Days" {
            div class="row-of" {
                a class="may" href=(before.href()) rel="prev" aria-label={ "Earlier " (at.view.word()) } { "‹ Earlier" }
                a class="may" href=(today.href()) { "Today" }
                a class="may" href=(after.href()) rel="next" aria-label={ "Later " (at.view.word()) } { "Later ›" }
            }
            h2 { (at.words()) }
            div class="row-of" {
                @for view in View::ALL {
                    @let is_shown = (view == at.view).then_some("true");
                    a class="may" href=(at.on(view, at.day).href()) aria-current=[is_shown] { (pieces::capital(view.word())) }
                }
            }
        }
        p class="quiet" {
            "Days begin at midnight in " (shown.zone()) "."
            @if when.name() != zone {
                " "
                @let other = At { mine: !at.mine, ..*at };
                a href=(other.href()) {
                    @if at.mine { "Show the schedule’s zone, " (When::new(when.now, Some(zone)).zone()) }
                    @else { "Show my zone, " (when.zone()) }
                }
            }
        }
    }
}

/// What each carries of the days that are shown.
fn carried(table: &Timetable, org: &Org) -> Markup {
    let found = load(org, &table.on_call);
    html! {
        @if found.len() > 1 {
            details class="behind" {
                summary { "What each carries of these days" }
                div class="wide-table" tabindex="0" role="group" aria-label="What each carries" {
                    table {
                        thead {
                            tr {
                                th scope="col" { "Who" } th scope="col" class="num" { "On call" } th scope="col" class="num" { "Nights" }
                                th scope="col" class="num" { "Weekend days" } th scope="col" class="num" { "Public holidays" }
                            }
                        }
                        tbody {
                            @for one in found.iter().take(CARRIED_MAX) {
                                tr {
                                    td { bdi { (pieces::name(org, &one.person)) } } td class="num" { (age(one.time)) }
                                    td class="num" { (one.nights) } td class="num" { (one.weekend_days) } td class="num" { (one.holidays) }
                                }
                            }
                        }
                    }
                }
                p class="quiet small" {
                    "On each one’s own clock: a night is from 22:00 to 06:00, and counts from an hour on call. Whether anybody was called \
                     is not counted."
                }
            }
        }
    }
}

fn drawing(table: &Timetable, org: &Org, at: &At<'_>, shown: &When, me: Option<&str>, picked: Option<&Picked>) -> Markup {
    let lanes = lanes::lanes(table, org, at, me);
    let pick = if at.view == View::Day { PICK_OF_DAY_S } else { PICK_S };
    let day = |day| at.on(View::Day, day).href();
    let with = Drawing { when: shown, hours: at.view == View::Day, pick_s: Some(pick), a_day_max: at.view.a_day_max(), day: Some(&day) };
    let mut budget = Budget::of(BARS_MAX);
    let strips: Vec<Markup> = at.strips().into_iter().map(|days| strip(days, &lanes, &with, &mut budget)).collect();
    let layers_left_out = lanes::layers_left_out(table);
    html! {
        div data-live="timetable" class="group" {
            @if table.cut {
                p class="refusal" {
                    strong { "Cut at " (shown.time(table.to, &shown.minute(table.to))) }
                    "There are more turns than a page holds. Look at a week or a day."
                }
            }
            div class="strips" data-pick-at=(at.href()) tabindex="0" role="group" aria-label="The same as a drawing" {
                @for drawn in &strips { (drawn) }
            }
            @if !budget.left_out.is_empty() {
                p class="quiet small" {
                    "Not drawn everywhere: " (pieces::list(&budget.left_out, 4)) ". There are more than " (BARS_MAX)
                    " turns; look at a week or a day."
                }
            }
            @if layers_left_out > 0 { p class="quiet small" { "and " (layers_left_out) " layers beneath" } }
            p class="of-strips quiet small" {
                "Round corners: on call. Dashed edge: an override, or a temporary schedule. Slanted: away. Square corners and the word: \
                 nobody. Lanes beneath are the layers; the upper one counts."
            }
            (days::list(table, org, at, shown, me, picked))
            (carried(table, org))
        }
    }
}
