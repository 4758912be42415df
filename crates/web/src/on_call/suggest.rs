//! *Suggest overrides*, of a schedule: who could take which turns so that what people carry evens out, with what would come of it,
//! and one press that makes them ordinary overrides.
//!
//! Deliberately not here: how turns are chosen (`allclear_domain::org::suggest`).

use allclear_domain::access::{Principal, may_schedule};
use allclear_domain::org::load::Load;
use allclear_domain::org::model::{Effect, Override};
use allclear_domain::org::snapshot::Org;
use allclear_domain::org::suggest::{REST_MIN, SUGGEST_WEEKS_MAX, Suggested, Suggestions, Why, suggest};
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;
use maud::{Markup, html};

use super::{PLACE, told};
use crate::access::form_key;
use crate::access::form_key::once;
use crate::access::reader::{Asked, Fields, actor, answer, reader};
use crate::app::App;
use crate::frame::pieces;
use crate::frame::refused::{Refused, sentence};
use crate::frame::shell::{HtmlPage, framed, heading};
use crate::frame::time_text::When;
use crate::posted::{Draft, said};

/// Where it is.
pub(crate) const PATH: &str = "/on-call/schedules/{id}/suggest";

/// The address of a schedule's.
pub(super) fn address(schedule: &str) -> String {
    format!("/on-call/schedules/{}/suggest", pieces::escaped(schedule))
}

/// GET.
pub(crate) async fn show(State(app): State<App>, headers: HeaderMap, Path(id): Path<String>, Query(asked): Asked) -> Response {
    answer(async {
        let (who, when) = reader(&app, &headers).await?;
        shown(&app, &who, &when, &id, weeks(&asked), when.now, &Draft::default())
    })
    .await
}

/// POST: all that was proposed becomes overrides.
pub(crate) async fn accept(State(app): State<App>, headers: HeaderMap, Path(id): Path<String>, Form(fields): Form<Fields>) -> Response {
    answer(async {
        let (who, when) = actor(&app, &headers).await?;
        let (weeks, from) = (weeks(&fields), said(&fields, "from").and_then(|text| text.parse().ok()).unwrap_or(when.now));
        match Box::pin(made(&app, &who, &when, &id, weeks, from, &fields)).await {
            Ok(()) => Ok(Redirect::to(&format!("/on-call/schedules/{}", pieces::escaped(&id))).into_response()),
            Err(why) => {
                let draft = Draft { verb: String::new(), fields, refusal: Some(why) };
                let mut response = shown(&app, &who, &when, &id, weeks, when.now, &draft)?;
                *response.status_mut() = StatusCode::CONFLICT;
                Ok(response)
            }
        }
    })
    .await
}

fn weeks(fields: &Fields) -> u32 {
    let asked = said(fields, "weeks").and_then(|text| text.parse().ok());
    asked.unwrap_or(SUGGEST_WEEKS_MAX).clamp(1, SUGGEST_WEEKS_MAX)
}

/// What was proposed, as one text that another proposal does not have.
fn mark(found: &Suggestions) -> String {
    let parts: Vec<String> = found
        .suggested
        .iter()
        .map(|one| format!("{} {} {} {}", one.person, one.was.as_deref().unwrap_or_default(), one.starts_at, one.ends_at))
        .collect();
    form_key::mark(&parts.iter().map(String::as_str).collect::<Vec<_>>())
}

async fn made(app: &App, who: &Principal, when: &When, id: &str, weeks: u32, from: Timestamp, fields: &Fields) -> Result<(), String> {
    let org = app.engine.org();
    may_schedule(&org, who, id).map_err(|no| sentence(&no.to_string()))?;
    let key = form_key::id(&address(id), fields).unwrap_or_else(|| app.engine.fresh_id());
    // Pressed twice, the first of them is there already.
    let name = |at: usize| format!("ovr-{:x}", key.wrapping_add(at as u128));
    if org.overrides(id).iter().any(|one| one.id == name(0)) {
        return Ok(());
    }
    let found = suggest(&org, id, from, weeks).ok_or("This schedule cannot be read.")?;
    if form_key::saw_another(fields, &mark(&found)) {
        return Err(
            "The schedule or somebody’s absences changed since this was proposed. What is proposed now is shown; look at it again."
                .to_owned(),
        );
    }
    for (at, one) in found.suggested.into_iter().enumerate().filter(|(_, one)| one.ends_at > when.now) {
        let Suggested { person, starts_at, ends_at, .. } = one;
        let change = Override {
            id: name(at),
            schedule: id.to_owned(),
            effect: Effect::Replaces,
            person,
            starts_at,
            ends_at,
            made: 0,
            made_by: None,
        };
        app.engine.put_override(change, who).await.map_err(|why| format!("{} What was made before it stays.", told(&why)))?;
    }
    Ok(())
}

fn shown(app: &App, who: &Principal, when: &When, id: &str, weeks: u32, from: Timestamp, draft: &Draft) -> Result<Response, Refused> {
    let org = app.engine.queries(who).organisation()?;
    let missing = || Refused::missing("schedule", "Look for it under On call.");
    let form = org.schedule_form(id).ok_or_else(missing)?;
    let found = suggest(&org, id, from, weeks).ok_or_else(missing)?;
    let name = form.name.as_deref().unwrap_or(&form.id);
    let may = may_schedule(&org, who, id).is_ok();
    let body = html! {
        nav class="crumbs" aria-label="Where this is" {
            a href=(PLACE.path) { (PLACE.word) } " / " a href={ "/on-call/schedules/" (pieces::escaped(id)) } { bdi { (name) } }
        }
        (heading("Suggested overrides", &html! { (when.stamp(found.from)) " to " (when.stamp(found.to)) " " (when.zone()) }))
        p class="quiet prose" {
            "Turns that nobody has, turns of people who are away or have a public holiday, and weekends of whoever carries much more than \
             another. Each goes to whoever carries least, of eight weeks before and of these, who is not away and has "
            (REST_MIN.as_hours()) " hours of rest before and after. Nothing is kept until you press the button."
        }
        (draft.refused(&draft.verb))
        nav class="row-of" aria-label="Weeks" {
            @for weeks_of in [1, 2, 4, SUGGEST_WEEKS_MAX] {
                a class="may" href={ (address(id)) "?weeks=" (weeks_of) } aria-current=[(weeks_of == weeks).then_some("true")] {
                    (weeks_of) @if weeks_of == 1 { " week" } @else { " weeks" }
                }
            }
        }
        @if found.suggested.is_empty() { p { "Nothing would even out more than it does." } }
        @else { (proposed(&found, &org, when)) }
        @if !found.left.is_empty() {
            section class="section" {
                h2 class="late" { "Nobody can take these" }
                p class="quiet" { "Everybody is away, has the day off, or would be without rest." }
                ul class="list" {
                    @for one in &found.left {
                        li {
                            (when.stamp(one.starts_at)) " to " (when.stamp(one.ends_at))
                            @if let Some(was) = &one.was { span class="quiet" { ", " bdi { (pieces::name(&org, was)) } " has it" } }
                        }
                    }
                }
            }
        }
        @if found.cut { p class="quiet" { "There is more than is proposed at once. Accept these, and look again." } }
        @if !found.suggested.is_empty() { (carried(&found, &org)) }
        @if may && !found.suggested.is_empty() {
            form method="post" action=(address(id)) {
                (once(when)) (form_key::seen(&mark(&found)))
                input type="hidden" name="from" value=(found.from);
                input type="hidden" name="weeks" value=(weeks);
                div class="row-of" {
                    button class="do" type="submit" {
                        "Make " @if found.suggested.len() == 1 { "this override" } @else { "these " (found.suggested.len()) " overrides" }
                    }
                }
                p class="hint" { "Each is an ordinary override, and is ended as any other." }
            }
        } @else if !may { p class="quiet" { "Managers of the schedule’s team and administrators make them." } }
    };
    let (live, source) = (None, format!("{}?weeks={weeks}", address(id)));
    Ok(framed(app, &HtmlPage { title: "Suggested overrides", place: &PLACE, who, when, wall: false, live, source, body }))
}

fn proposed(found: &Suggestions, org: &Org, when: &When) -> Markup {
    let why = |one: &Suggested| match &one.why {
        Why::Open => "nobody has it".to_owned(),
        Why::Away(words) => words.clone(),
        Why::Weekend => "carries more".to_owned(),
    };
    html! {
        div class="wide-table" tabindex="0" role="group" aria-label="What is proposed" {
            table {
                thead { tr { th { "From" } th { "To" } th { "Takes it" } th { "Instead of" } th { "Because" } } }
                tbody {
                    @for one in &found.suggested {
                        tr {
                            td { (when.stamp(one.starts_at)) }
                            td { (when.stamp(one.ends_at)) }
                            td { bdi { (pieces::name(org, &one.person)) } }
                            td { @if let Some(was) = &one.was { bdi { (pieces::name(org, was)) } } @else { "nobody" } }
                            td { (why(one)) }
                        }
                    }
                }
            }
        }
    }
}

/// What each carries of the time, before and after.
fn carried(found: &Suggestions, org: &Org) -> Markup {
    let of = |all: &[Load], person: &str| all.iter().find(|one| one.person == person).cloned();
    let mut people: Vec<&str> = found.before.iter().chain(&found.after).map(|one| one.person.as_str()).collect();
    people.sort_unstable();
    people.dedup();
    let pair = |person: &str, what: fn(&Load) -> String| {
        let words = |all: &[Load]| of(all, person).as_ref().map_or_else(|| "0".to_owned(), what);
        let (before, after) = (words(&found.before), words(&found.after));
        if before == after { before } else { format!("{before} → {after}") }
    };
    html! {
        section class="section" {
            h2 { "What each would carry" }
            div class="wide-table" tabindex="0" role="group" aria-label="What each would carry" {
                table {
                    thead { tr { th { "Who" } th { "Hours" } th { "Nights" } th { "Weekend days" } th { "Holidays" } } }
                    tbody {
                        @for person in people {
                            tr {
                                th scope="row" { bdi { (pieces::name(org, person)) } }
                                td { (pair(person, |one| one.time.as_hours().to_string())) }
                                td { (pair(person, |one| one.nights.to_string())) }
                                td { (pair(person, |one| one.weekend_days.to_string())) }
                                td { (pair(person, |one| one.holidays.to_string())) }
                            }
                        }
                    }
                }
            }
        }
    }
}
