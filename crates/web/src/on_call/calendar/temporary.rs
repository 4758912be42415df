//! Temporary schedules of a calendar's schedule: those that hold or are to come, the button that takes one back whole, and the form of
//! one with a single rotation. More rotations are added under the settings.

use allclear_domain::access::may_schedule;
use allclear_domain::oncall::{Difference, begun_at};
use allclear_domain::org::model::{Layer, TemporarySchedule};
use allclear_domain::time::Every;
use allclear_domain::view::TemporaryView;
use allclear_engine::org::OrgError;
use allclear_engine::org::forms::FormError;
use maud::{Markup, html};

use super::take::{Here, filled, place, times};
use super::view::At;
use crate::access::form_key;
use crate::access::form_key::once;
use crate::access::reader::Fields;
use crate::app::App;
use crate::frame::pieces;
use crate::frame::refused::sentence;
use crate::frame::time_text::When;
use crate::posted::{Draft, said};

/// The verbs of the forms, as drafts name them.
pub(super) const MAKES: &str = "makes";
pub(super) const ENDS: &str = "ends";
/// People that the form has room for; the settings take more.
const PEOPLE_MAX: usize = 6;
/// Changes that are listed before it is made.
const LISTED_MAX: usize = 24;

/// What a form says, on the clock that is shown.
pub(super) fn read(app: &App, at: &At<'_>, shown: &When, fields: &Fields) -> Result<TemporarySchedule, String> {
    let people: Vec<String> = (0..PEOPLE_MAX).filter_map(|place| said(fields, &format!("people.{place}"))).collect();
    if people.is_empty() {
        return Err("Choose at least one person.".to_owned());
    }
    let every = said(fields, "every").unwrap_or_default();
    let every =
        every.parse::<Every>().map_err(|why| format!("How long a turn lasts cannot be read: {why}. Write it as in 1d, 12h or 1w."))?;
    let starts_at = super::super::instant(fields, "from", "The start", shown)?;
    let ends_at = super::super::instant(fields, "to", "The end", shown)?;
    let handoff = said(fields, "handoff").ok_or("The hand-off is missing. It looks like 09:00.")?;
    let id = form_key::id(&format!("{}/temporary", at.path()), fields).unwrap_or_else(|| app.engine.fresh_id());
    let org = app.engine.org();
    let zone = org.schedule_form(at.id).map_or("Etc/UTC", |form| form.time_zone.as_str());
    let starts = shown.day(starts_at);
    let layer = Layer { name: None, people, every, elapsed: false, calendar: None, handoff, starts, ends: None, only: Vec::new() };
    Ok(TemporarySchedule {
        id: format!("tmp-{id:032x}"),
        schedule: at.id.to_owned(),
        name: said(fields, "name"),
        starts_at,
        ends_at,
        layers: vec![begun_at(&layer, zone, starts_at, org.calendars())],
    })
}

/// Why it was not made, in a sentence.
pub(super) fn told(why: &FormError) -> String {
    match why {
        FormError::Invalid(problems) => {
            let said: Vec<String> =
                problems.iter().filter(|problem| problem.is_error()).map(|problem| sentence(&problem.message)).collect();
            said.join(" ")
        }
        FormError::Org(OrgError::Store(_)) => "The store did not answer, so nothing was recorded. Ask again in a few seconds.".to_owned(),
        FormError::Org(OrgError::Wrong(why)) => sentence(why),
        _ => sentence(&why.to_string()),
    }
}

/// The part of the page.
pub(super) fn section(here: &Here<'_>, listed: &[TemporaryView], seen: Option<&[Difference]>, draft: &Draft) -> Markup {
    let Here { org, at, shown, who, form, .. } = here;
    let may = may_schedule(org, who, &form.id).is_ok();
    let time = |at| shown.time(at, &shown.minute(at));
    html! {
        section class="section" id="temporary" {
            h2 { "Temporary schedules" span class="quiet" { " · turns in the place of all layers for a time" } }
            (draft.refused(ENDS))
            @if listed.is_empty() { p class="quiet" { "None. The layers count." } }
            ul class="list" {
                @for one in listed {
                    li {
                        @let called = one.name.as_deref().unwrap_or(&one.id);
                        span { bdi { (called) } span class="quiet" { " · " bdi { (names(here, &one.people)) } } }
                        span class="quiet" { (time(one.starts_at)) " – " (time(one.ends_at)) }
                        @if one.may_end {
                            form method="post" action={ (at.path()) "/temporary/" (pieces::escaped(&one.id)) "/end" } {
                                (place(here))
                                button class="plain" type="submit" aria-label={ "Take back: " (called) } { "Take back" }
                            }
                        }
                    }
                }
            }
            @if may { (make(here, seen, draft)) }
        }
    }
}

fn names(here: &Here<'_>, people: &[String]) -> String {
    pieces::list(&people.iter().map(|id| pieces::name(here.org, id)).collect::<Vec<_>>(), 4)
}

fn make(here: &Here<'_>, seen: Option<&[Difference]>, draft: &Draft) -> Markup {
    let Here { org, at, shown, fields, .. } = here;
    let value = |name: &str, usual: &str| fields.get(name).cloned().unwrap_or_else(|| usual.to_owned());
    let time = |at| shown.time(at, &shown.minute(at));
    html! {
        details class="act-one wide" open[draft.verb == MAKES] {
            summary { "Make one" }
            form method="post" action={ (at.path()) "/temporary" } {
                (draft.refused(MAKES)) (once(shown)) (place(here))
                label class="field" { span { "Name" } input name="name" maxlength="100" value=(value("name", "")); }
                (times(here, &filled(here)))
                fieldset class="group tight bare" {
                    legend { "People in turn" }
                    @for place in 0..PEOPLE_MAX {
                        @let field = format!("people.{place}");
                        label class="field" {
                            span class="vh" { "Person " (place + 1) }
                            (pieces::person_choice(org, &field, fields.get(&field).map(String::as_str), Some("–")))
                        }
                    }
                }
                div class="row-of" {
                    label class="field" { span { "A turn lasts" } input name="every" value=(value("every", "1d")) required; }
                    label class="field" { span { "Hand-off" } input name="handoff" value=(value("handoff", "09:00")) required; }
                }
                p class="hint" { "1w with Mon 09:00, 1d or 12h with 09:00. Whoever stands first has the first turn." }
                @if let Some(seen) = seen {
                    div class="group tight" aria-live="polite" {
                        h3 { "What it changes" }
                        @if seen.is_empty() { p class="quiet" { "Nothing: the same people are on call." } }
                        ul class="list" {
                            @for one in seen.iter().take(LISTED_MAX) {
                                li {
                                    span { (time(one.starts_at)) " – " (time(one.ends_at)) }
                                    @let class = if one.will_be.is_empty() { "late" } else { "" };
                                    span class=(class) { bdi { (one.says(|id| pieces::name(org, id))) } }
                                }
                            }
                        }
                        @if seen.len() > LISTED_MAX { p class="quiet small" { "and " (seen.len() - LISTED_MAX) " more changes" } }
                    }
                }
                div class="row-of" {
                    button class="do" type="submit" { "Make it" }
                    button class="may" type="submit" name="look" value="1" { "Show what it changes" }
                }
            }
        }
    }
}
