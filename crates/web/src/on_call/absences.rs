//! Who is away: one's own absences under *My shifts*, and under *On call* the turns that need cover.

use allclear_domain::org::cover::Stretch;
use allclear_domain::org::model::Absence;
use allclear_domain::org::snapshot::Org;
use allclear_domain::view::{AbsenceView, NeedsCoverView};
use maud::{Markup, html};

use crate::access::form_key;
use crate::access::form_key::once;
use crate::access::reader::Fields;
use crate::app::App;
use crate::frame::pieces;
use crate::frame::time_text::When;
use crate::posted::{Draft, said};

/// Enters one.
pub(crate) const ENTER: &str = "/my-shifts/absence";
/// Ends one.
pub(crate) const END: &str = "/my-shifts/absence/{id}/end";
/// The verb of the form, as drafts name it.
pub(super) const AWAY: &str = "away";
/// Turns that are listed: as many as somebody looks through.
const LISTED_MAX: usize = 40;

/// The absence that a form says.
pub(super) fn read(app: &App, me: &str, when: &When, fields: &Fields) -> Result<Absence, String> {
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

fn times(turn: &Stretch, when: &When) -> Markup {
    html! { (when.time(turn.starts_at, &when.minute(turn.starts_at))) " – " (when.time(turn.ends_at, &when.minute(turn.ends_at))) }
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
                                (times(turn, when))
                            }
                        }
                        @if absence.needs_cover.is_empty() { span class="quiet" { "no turn of yours" } }
                        form method="post" action={ (ENTER) "/" (pieces::escaped(&absence.id)) "/end" } {
                            @let what = if absence.starts_at <= when.now { "I am back" } else { "Remove" };
                            @let from = when.minute(absence.starts_at);
                            button class="plain" type="submit" aria-label={ (what) ": away from " (from) } { (what) }
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

/// Why a turn needs cover, in a few words after its person's name.
fn why(turn: &NeedsCoverView) -> String {
    match turn.holiday.as_deref() {
        None => "is away".to_owned(),
        Some("") => "has a public holiday".to_owned(),
        Some(name) => format!("has {name} off"),
    }
}

fn lasts(turn: &NeedsCoverView, when: &When) -> Markup {
    html! { (when.time(turn.starts_at, &when.minute(turn.starts_at))) " – " (when.time(turn.ends_at, &when.minute(turn.ends_at))) }
}

/// The part of *My shifts*: one's own turns on public holidays, while there are any.
pub(super) fn my_holidays(turns: &[NeedsCoverView], org: &Org, me: &str, when: &When) -> Markup {
    let mine: Vec<_> = turns.iter().filter(|turn| turn.person == me && turn.holiday.is_some()).collect();
    html! {
        @if !mine.is_empty() {
            section id="holidays" {
                h2 { "On your public holidays" }
                ul class="list" {
                    @for turn in mine.iter().take(LISTED_MAX) {
                        li {
                            span {
                                bdi { (schedule(org, &turn.schedule)) }
                                span class="quiet" { " · " bdi { (turn.holiday.as_deref().unwrap_or_default()) } }
                            }
                            span class="late" { "needs cover: " (lasts(turn, when)) }
                        }
                    }
                }
                @if mine.len() > LISTED_MAX { p class="quiet" { "and " (mine.len() - LISTED_MAX) " more" } }
            }
        }
    }
}

/// The part of *On call*: turns of people who are away or have a public holiday off, while there are any.
pub(super) fn needs_cover(turns: &[NeedsCoverView], org: &Org, when: &When) -> Markup {
    html! {
        @if !turns.is_empty() {
            section data-live="uncovered" {
                h2 { "Needs cover" span class="quiet" { " · on call while they are away or have the day off" } }
                ul class="list" {
                    @for turn in turns.iter().take(LISTED_MAX) {
                        li {
                            span {
                                bdi { (pieces::name(org, &turn.person)) }
                                span class="quiet" { " " bdi { (why(turn)) } ", for " bdi { (schedule(org, &turn.schedule)) } }
                            }
                            span class="late" { (lasts(turn, when)) }
                        }
                    }
                }
                @if turns.len() > LISTED_MAX { p class="quiet" { "and " (turns.len() - LISTED_MAX) " more" } }
            }
        }
    }
}
