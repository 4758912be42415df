//! Who is away: one's own absences under *My shifts*, and under *On call* the turns that need cover.

use allclear_domain::org::model::Absence;
use allclear_domain::org::snapshot::Org;
use allclear_domain::view::AbsenceView;
use allclear_engine::org::OrgError;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};

use super::feeds::Calendars;
use super::{cover, my_shifts};
use crate::access::form_key;
use crate::access::form_key::once;
use crate::access::reader::{Fields, actor, answer};
use crate::app::App;
use crate::frame::pieces;
use crate::frame::time_text::When;
use crate::posted::{Draft, said};

/// Enters one.
pub(crate) const ENTER: &str = "/my-shifts/absence";
/// Ends one.
pub(crate) const END: &str = "/my-shifts/absence/{id}/end";
/// The verb of the form, as drafts name it.
const AWAY: &str = "away";
/// Turns that are listed: as many as somebody looks through.
const LISTED_MAX: usize = 40;

/// POST.
pub(crate) async fn enter(State(app): State<App>, headers: HeaderMap, Form(fields): Form<Fields>) -> Response {
    answer(async {
        let (who, when) = actor(&app, &headers).await?;
        let done = match read(&app, who.person().unwrap_or_default(), &when, &fields) {
            Ok(absence) => app.engine.put_absence(absence, &who).await.map(drop).map_err(|why| super::told(&why)),
            Err(why) => Err(why),
        };
        let Err(why) = done else { return Ok(Redirect::to(my_shifts::PLACE.path).into_response()) };
        let draft = Draft { verb: AWAY.into(), fields, refusal: Some(why) };
        let (calendars, requests) = (Calendars::of(&app, &who).await?, cover::requests(&app, &who).await?);
        let mut response = my_shifts::shown(&app, &who, &when, &calendars, &requests, &draft)?;
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
        Ok(response)
    })
    .await
}

/// POST.
pub(crate) async fn end(State(app): State<App>, headers: HeaderMap, Path(id): Path<String>) -> Response {
    answer(async {
        let (who, when) = actor(&app, &headers).await?;
        match app.engine.end_absence(&id, &who).await {
            // A second press finds it gone, which is what was asked for.
            Ok(()) | Err(OrgError::Missing { .. }) => Ok(Redirect::to(my_shifts::PLACE.path).into_response()),
            Err(why) => {
                let draft = Draft { verb: AWAY.into(), fields: Fields::new(), refusal: Some(super::told(&why)) };
                let (calendars, requests) = (Calendars::of(&app, &who).await?, cover::requests(&app, &who).await?);
                let mut response = my_shifts::shown(&app, &who, &when, &calendars, &requests, &draft)?;
                *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
                Ok(response)
            }
        }
    })
    .await
}

fn read(app: &App, me: &str, when: &When, fields: &Fields) -> Result<Absence, String> {
    let instant = |name: &str, what: &str| {
        let text = said(fields, name).ok_or_else(|| format!("{what} is missing."))?;
        let read = text.parse().ok().or_else(|| when.of_field(&text));
        read.ok_or_else(|| format!("{what} cannot be read: `{}`. It looks like 2026-03-01T09:00.", pieces::cut(&text, 40)))
    };
    let id = form_key::id(ENTER, fields).unwrap_or_else(|| app.engine.fresh_id());
    Ok(Absence {
        id: format!("abs-{id:032x}"),
        person: me.to_owned(),
        starts_at: instant("from", "The start")?,
        ends_at: instant("to", "The end")?,
        reason: said(fields, "reason").unwrap_or_default(),
    })
}

fn schedule<'a>(org: &'a Org, id: &'a str) -> &'a str {
    org.schedule_form(id).and_then(|form| form.name.as_deref()).unwrap_or(id)
}

/// The part of *My shifts*.
pub(super) fn mine(absences: &[AbsenceView], org: &Org, me: &str, when: &When, draft: &Draft) -> Markup {
    let own: Vec<_> = absences.iter().filter(|absence| absence.person == me).collect();
    html! {
        section id="away" {
            h2 { "When you are away" }
            ul class="list" {
                @for absence in &own {
                    li {
                        span {
                            (when.time(absence.starts_at, &when.minute(absence.starts_at))) " – "
                            (when.time(absence.ends_at, &when.minute(absence.ends_at)))
                            @if let Some(reason) = &absence.reason { span class="quiet" { " · " bdi { (reason) } } }
                        }
                        @for turn in absence.needs_cover.iter().take(LISTED_MAX) {
                            span class="late" {
                                "needs cover: " bdi { (schedule(org, &turn.schedule)) } " "
                                (when.time(turn.starts_at, &when.minute(turn.starts_at))) " – " (when.time(turn.ends_at, &when.minute(turn.ends_at)))
                            }
                        }
                        @if absence.needs_cover.is_empty() { span class="quiet" { "no turn of yours" } }
                        form method="post" action={ (ENTER) "/" (pieces::escaped(&absence.id)) "/end" } {
                            @let what = if absence.starts_at <= when.now { "I am back" } else { "Remove" };
                            button class="plain" type="submit" aria-label={ (what) ": away from " (when.minute(absence.starts_at)) } { (what) }
                        }
                    }
                }
            }
            details class="act-one" open[draft.verb == AWAY] {
                summary { "Enter an absence" }
                form method="post" action=(ENTER) {
                    (draft.refused(AWAY)) (once(when))
                    div class="row-of" {
                        label class="field" {
                            span { "From" span class="quiet" { " " (when.zone()) } }
                            input type="datetime-local" name="from" value=(draft.typed(AWAY, "from")) required;
                        }
                        label class="field" {
                            span { "To" } input type="datetime-local" name="to" value=(draft.typed(AWAY, "to")) required;
                        }
                    }
                    label class="field" {
                        span { "Reason" span class="quiet" { " for you and administrators alone" } }
                        input name="reason" maxlength="200" value=(draft.typed(AWAY, "reason"));
                    }
                    p class="hint" { "You stay on call until somebody covers: ask for that here as well." }
                    button class="do" type="submit" { "Enter" }
                }
            }
        }
    }
}

/// The part of *On call*: turns of people who are away, while there are any.
pub(super) fn needs_cover(absences: &[AbsenceView], org: &Org, when: &When) -> Markup {
    let turns: Vec<_> = absences.iter().flat_map(|absence| absence.needs_cover.iter().map(move |turn| (absence, turn))).collect();
    html! {
        @if !turns.is_empty() {
            section data-live="uncovered" {
                h2 { "Needs cover" span class="quiet" { " · on call while they are away" } }
                ul class="list" {
                    @for (absence, turn) in turns.iter().take(LISTED_MAX) {
                        li {
                            span { bdi { (pieces::name(org, &absence.person)) } span class="quiet" { " for " bdi { (schedule(org, &turn.schedule)) } } }
                            span class="late" {
                                (when.time(turn.starts_at, &when.minute(turn.starts_at))) " – " (when.time(turn.ends_at, &when.minute(turn.ends_at)))
                            }
                        }
                    }
                }
                @if turns.len() > LISTED_MAX { p class="quiet" { "and " (turns.len() - LISTED_MAX) " more" } }
            }
        }
    }
}
