//! A time that was picked in a calendar: who is on call then, what putting somebody on would change, and the form that does it.

use allclear_domain::access::{Principal, may_schedule, may_take};
use allclear_domain::oncall::{CompiledSchedule, Difference, Side, differences};
use allclear_domain::org::forms::overrides::EFFECTS;
use allclear_domain::org::model::{Effect, OVERRIDE_MAX, Override, Schedule};
use allclear_domain::org::snapshot::Org;
use jiff::Timestamp;
use maud::{Markup, html};

use super::lanes::{rule, why_nobody};
use super::view::At;
use crate::access::form_key::once;
use crate::access::reader::Fields;
use crate::frame::pieces;
use crate::frame::time_text::{When, age};
use crate::posted::{Draft, said};

/// Turns and changes that are listed of a picked time: as many as somebody reads before they press.
const LISTED_MAX: usize = 12;
/// The verb of the form, as drafts name it.
pub(super) const TAKES: &str = "takes";

/// A time that was picked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Picked {
    pub from: Timestamp,
    pub to: Timestamp,
}

impl Picked {
    /// What an address or a form says; nothing where it says none.
    pub(super) fn read(fields: &Fields, shown: &When) -> Option<Result<Self, String>> {
        if said(fields, "from").is_none() && said(fields, "to").is_none() {
            return None;
        }
        let read = || {
            let from = super::super::instant(fields, "from", "The start", shown)?;
            let to = super::super::instant(fields, "to", "The end", shown)?;
            if to <= from {
                return Err("The end is not after the start.".to_owned());
            }
            if to.duration_since(from) > OVERRIDE_MAX.as_duration() {
                return Err("That is longer than a year; change the schedule's layers instead.".to_owned());
            }
            Ok(Self { from, to })
        };
        Some(read())
    }
}

/// Whose calendar it is, and who looks at it.
pub(super) struct Here<'a> {
    pub org: &'a Org,
    pub form: &'a Schedule,
    pub schedule: &'a CompiledSchedule,
    pub at: At<'a>,
    /// In the zone that is shown.
    pub shown: &'a When,
    pub who: &'a Principal,
    /// What was asked, or typed.
    pub fields: &'a Fields,
}

/// The part of the page.
pub(super) fn section(here: &Here<'_>, picked: Option<&Result<Picked, String>>, draft: &Draft) -> Markup {
    let me = here.who.person().unwrap_or_default();
    let may = may_take(here.org, here.who, &here.form.id, me).is_ok();
    html! {
        section class="section take" id="take" {
            h2 { @if may { "Put somebody on" } @else { "Who is on at a time" } }
            @match picked {
                Some(Ok(picked)) => {
                    (on_then(here, *picked))
                    @if may { (form(here, *picked, me, draft)) } @else { (ask(here, picked_fields(here, *picked))) }
                },
                Some(Err(why)) => {
                    p class="refusal" role="alert" { strong { "This time cannot be read" } (why) }
                    (ask(here, typed(here)))
                },
                None => {
                    p class="quiet prose" {
                        "Choose a turn above, drag over the days with the mouse, or touch a begin and an end on their edge; or say a time:"
                    }
                    (ask(here, typed(here)))
                },
            }
            @if !may {
                p class="quiet small" {
                    "Whoever is in the schedule’s team takes its shifts over here; its managers and administrators put others on."
                }
            }
        }
    }
}

fn typed(here: &Here<'_>) -> [String; 2] {
    ["from", "to"].map(|name| here.fields.get(name).cloned().unwrap_or_default())
}

/// What fields of a time are filled with: what was typed, or the time that an address picks.
pub(super) fn filled(here: &Here<'_>) -> [String; 2] {
    match Picked::read(here.fields, here.shown) {
        Some(Ok(picked)) => picked_fields(here, picked),
        Some(Err(_)) | None => typed(here),
    }
}

fn picked_fields(here: &Here<'_>, picked: Picked) -> [String; 2] {
    [picked.from, picked.to].map(|at| here.shown.as_field(at))
}

/// What every form of the page says besides: where it is.
pub(super) fn place(here: &Here<'_>) -> Markup {
    html! {
        input type="hidden" name="view" value=(here.at.view.word());
        input type="hidden" name="at" value=(here.at.day);
        @if here.at.mine { input type="hidden" name="zone" value="mine"; }
    }
}

pub(super) fn times(here: &Here<'_>, [from, to]: &[String; 2]) -> Markup {
    html! {
        div class="row-of" {
            label class="field" {
                span { "From" span class="quiet" { " " (here.shown.zone()) } }
                input type="datetime-local" name="from" value=(from) required;
            }
            label class="field" { span { "To" } input type="datetime-local" name="to" value=(to) required; }
        }
    }
}

/// The two fields with which a time is picked without a mouse.
fn ask(here: &Here<'_>, values: [String; 2]) -> Markup {
    html! {
        form class="form" method="get" action={ (here.at.path()) "#take" } {
            (place(here)) (times(here, &values))
            button class="may" type="submit" { "Show who is on then" }
        }
    }
}

/// Who is on call in a picked time.
fn on_then(here: &Here<'_>, picked: Picked) -> Markup {
    let Here { org, schedule, shown, form, .. } = here;
    let overrides = org.overrides(&form.id);
    let shifts = schedule.shifts(overrides, picked.from, picked.to);
    let gaps = schedule.gaps(overrides, picked.from, picked.to);
    let time = |at: Timestamp| shown.time(at, &shown.minute(at));
    let mut lines: Vec<(Timestamp, Timestamp, Markup)> = shifts
        .iter()
        .map(|shift| {
            let who = html! { bdi { (pieces::name(org, &shift.person)) } span class="quiet" { " · " bdi { (rule(&shift.because)) } } };
            (shift.starts_at, shift.ends_at, who)
        })
        .chain(gaps.iter().map(|gap| {
            (gap.starts_at, gap.ends_at, html! { span class="late" { "nobody" } span class="quiet" { " · " (why_nobody(gap)) } })
        }))
        .collect();
    lines.sort_by_key(|line| line.0);
    html! {
        p {
            strong { (time(picked.from)) " – " (time(picked.to)) }
            span class="quiet" { " " (shown.zone()) " · " (age(picked.to.duration_since(picked.from))) }
        }
        h3 { "On call then" }
        ul class="list" {
            @for (from, to, who) in lines.iter().take(LISTED_MAX) {
                li { span { (who) } span class="quiet" { (time(*from)) " – " (time(*to)) } }
            }
        }
        @if lines.len() > LISTED_MAX { p class="quiet small" { "and " (lines.len() - LISTED_MAX) " more turns" } }
    }
}

fn form(here: &Here<'_>, picked: Picked, me: &str, draft: &Draft) -> Markup {
    let Here { org, form, shown, who, fields, at, .. } = here;
    let others = may_schedule(org, who, &form.id).is_ok();
    let effect = said(fields, "effect").and_then(|word| Effect::from_word(&word)).unwrap_or_default();
    let person = said(fields, "person").filter(|_| others).unwrap_or_else(|| me.to_owned());
    html! {
        form class="form" method="post" action={ (at.path()) "/override" } {
            (draft.refused(TAKES)) (once(shown)) (place(here))
            input type="hidden" name="schedule" value=(form.id);
            // What the fields were filled with, to the second: an hour that the clocks show twice is still the one that was picked.
            input type="hidden" name="from_at" value=(picked.from);
            input type="hidden" name="to_at" value=(picked.to);
            @if others {
                label class="field" { span { "Who" } (pieces::person_choice(org, "person", Some(&person), Some("Choose somebody"))) }
            } @else { input type="hidden" name="person" value=(me); }
            label class="field" {
                span { "What it does" }
                select name="effect" {
                    @for (word, words) in EFFECTS.iter().filter(|(word, _)| others || *word != Effect::Nobody.word()) {
                        option value=(word) selected[effect.word() == *word] { (words) }
                    }
                }
            }
            (times(here, &picked_fields(here, picked)))
            (changes(here, picked, effect, &person))
            div class="row-of" {
                button class="do" type="submit" { "Put them on" }
                button class="may" type="submit" formmethod="get" formaction={ (at.path()) "#take" } formnovalidate {
                    "Show what it changes"
                }
            }
        }
    }
}

/// What an override would change, before it is made.
fn changes(here: &Here<'_>, picked: Picked, effect: Effect, person: &str) -> Markup {
    let Here { org, form, schedule, shown, .. } = here;
    if effect != Effect::Nobody && person.is_empty() {
        return html! { p class="hint" { "Choose who, then see what it changes." } };
    }
    let stands = org.overrides(&form.id);
    let mut with = stands.to_vec();
    with.push(Override {
        id: "preview".to_owned(),
        schedule: form.id.clone(),
        effect,
        person: if effect == Effect::Nobody { String::new() } else { person.to_owned() },
        starts_at: picked.from,
        ends_at: picked.to,
        // The one made last.
        made: u64::MAX,
        made_by: None,
    });
    let side = |overrides| Some(Side { schedule, overrides });
    let found = differences(side(stands), side(&with), picked.from, picked.to);
    let called = |id: &str| pieces::name(org, id);
    let names = |people: &[String]| pieces::list(&people.iter().map(|id| called(id)).collect::<Vec<_>>(), LISTED_MAX);
    let time = |at: Timestamp| shown.time(at, &shown.minute(at));
    let is_away = effect != Effect::Nobody
        && org.bundle().absences.iter().any(|one| one.person == person && one.starts_at < picked.to && picked.from < one.ends_at);
    let line = |one: &Difference| {
        html! {
            li {
                span { (time(one.starts_at)) " – " (time(one.ends_at)) }
                span {
                    @if one.will_be.is_empty() { span class="late" { "nobody" } " instead of " bdi { (names(&one.was)) } }
                    @else { bdi { (one.says(called)) } }
                }
            }
        }
    };
    html! {
        div class="group tight" aria-live="polite" {
            h3 { "What it changes" }
            @if found.list.is_empty() { p class="quiet" { "Nothing: the same people are on call." } }
            ul class="list" { @for one in found.list.iter().take(LISTED_MAX) { (line(one)) } }
            @if found.list.len() > LISTED_MAX { p class="quiet small" { "and " (found.list.len() - LISTED_MAX) " more changes" } }
            @if is_away { p { span class="late" { "away" } " " bdi { (called(person)) } " is away for some of that time." } }
        }
    }
}
