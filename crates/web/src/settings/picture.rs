//! A schedule under its form: its next two weeks, drawn from what is typed or from what is stored; and its preview, eight weeks as they
//! would be with what is typed beside what stands, with the gaps first and every change in words.

use allclear_domain::access::Principal;
use allclear_domain::oncall::{Gap, Shift};
use allclear_domain::org::forms::schedule::Schedule;
use allclear_domain::org::preview::{Preview, preview};
use allclear_domain::org::snapshot::Org;
use jiff::{Timestamp, ToSpan};
use maud::{Markup, html};
use serde_json::Value;

use super::controls::marked;
use crate::frame::pieces;
use crate::frame::shifts_chart::{Row, draw, table};
use crate::frame::strips::{Bar, Budget, Days, Drawing, Lane, Shape, strip};
use crate::frame::time_text::When;

/// Days of the picture.
const DAYS: i64 = 14;
/// Gaps that a preview lists; a rota of office hours has one a night.
const GAPS_MAX: usize = 20;
/// Changes that a preview lists: eight weeks of turns of a day, on both sides of a hand-over.
const CHANGES_MAX: usize = 60;
/// Bars that a preview draws, and most of one lane on one day.
const BARS_MAX: usize = 600;
const A_DAY_MAX: usize = 4;
/// The form that is previewed, so that the button under the preview saves it.
pub(super) const FORM: &str = "of-form";

/// The picture of a schedule's body; a sentence where it cannot be drawn yet.
pub(crate) fn two_weeks(org: &Org, who: &Principal, when: &When, id: Option<&str>, body: Option<&Value>) -> Markup {
    let first = when.day(when.now);
    let (from, to) = (when.begins(first), when.begins(first.checked_add(DAYS.days()).unwrap_or(first)));
    let drawn = body.and_then(|body| schedule(body, id)).filter(|form| !form.layers.is_empty()).and_then(|form| {
        let schedule = org.compiled_as(&form).ok()?;
        let overrides = id.map_or(&[][..], |id| org.overrides(id));
        let rows = [Row {
            name: form.name.clone().unwrap_or_else(|| form.id.clone()),
            zone: form.time_zone.clone(),
            shifts: schedule.shifts(overrides, from, to),
            gaps: schedule.gaps(overrides, from, to),
        }];
        Some(html! { (draw(&rows, from, to, when, org, who.person())) (table(&rows, when, org)) })
    });
    html! {
        section class="section" id="two-weeks" {
            h2 { "Two weeks" span class="quiet" { " · days begin at midnight in " (when.zone()) } }
            @match drawn {
                Some(picture) => { (picture) },
                None => {
                    p class="quiet prose" { "Who would be on call stands here when the layers can be read: fill them in, then Look." }
                },
            }
        }
    }
}

/// A schedule whose id may not be chosen yet.
fn schedule(body: &Value, id: Option<&str>) -> Option<Schedule> {
    let mut body = body.as_object()?.clone();
    body.insert("id".to_owned(), id.unwrap_or("new").into());
    serde_json::from_value(Value::Object(body)).ok()
}

/// Eight weeks of what is typed, beside what stands.
pub(super) fn previewed(org: &Org, who: &Principal, when: &When, id: Option<&str>, body: Option<&Value>) -> Markup {
    let form = body.and_then(|body| schedule(body, id));
    let shown = form.as_ref().map_or_else(|| when.clone(), |form| When::new(when.now, Some(&form.time_zone)));
    html! {
        section class="section preview-of" id="preview" tabindex="-1" {
            h2 { "Eight weeks with this, beside what stands" span class="quiet" { " · times and days in " (shown.zone()) } }
            @match form.as_ref().map(|form| preview(org, form, when.now)) {
                None => p class="quiet prose" {
                    "What would be so stands here when the form can be read: fill in what is marked, then Preview."
                },
                Some(Err(problems)) => {
                    p class="refusal" { strong { "This cannot be read yet" } }
                    ul class="bullets" {
                        @for problem in problems.iter().take(GAPS_MAX) { li { (marked(&pieces::capital(&problem.message))) } }
                    }
                },
                Some(Ok(seen)) => {
                    (gaps(&seen, &shown))
                    (changes(&seen, org, &shown))
                    p class="row-of" { button class="do" type="submit" form=(FORM) { "Save this" } }
                    (weeks(&seen, org, &shown, who.person(), id.is_some()))
                },
            }
        }
    }
}

fn lasts(from: Timestamp, to: Timestamp, shown: &When) -> Markup {
    html! { (shown.time(from, &shown.minute(from))) " – " (shown.time(to, &shown.minute(to))) }
}

fn gaps(seen: &Preview, shown: &When) -> Markup {
    html! {
        h3 { "Nobody would be on call" }
        @if seen.gaps.is_empty() { p class="quiet" { "At no time in these weeks." } }
        ul class="list" {
            @for gap in seen.gaps.iter().take(GAPS_MAX) {
                li {
                    span { span class="late" { "nobody" } " " (lasts(gap.starts_at, gap.ends_at, shown)) }
                    span class="quiet" {
                        @if gap.by_override { "by an override; " }
                        @if seen.is_so_already(gap) { "as it stands as well" } @else { "not so as it stands" }
                    }
                }
            }
        }
        @if seen.gaps.len() > GAPS_MAX { p class="quiet small" { "and " (seen.gaps.len() - GAPS_MAX) " more times" } }
    }
}

fn changes(seen: &Preview, org: &Org, shown: &When) -> Markup {
    html! {
        h3 { "What changes" }
        @if seen.changes.is_empty() { p class="quiet" { "Nothing in these weeks: the same people are on call." } }
        ul class="list" {
            @for one in seen.changes.iter().take(CHANGES_MAX) {
                li {
                    span { (lasts(one.starts_at, one.ends_at, shown)) }
                    span { bdi { (one.says(|id| pieces::name(org, id))) } }
                }
            }
        }
        @if seen.changes.len() > CHANGES_MAX { p class="quiet small" { "and " (seen.changes.len() - CHANGES_MAX) " more changes" } }
        @if seen.is_cut() {
            p class="quiet small" { "Looked at until " (shown.time(seen.to, &shown.minute(seen.to))) ": there is more than a page holds." }
        }
    }
}

fn weeks(seen: &Preview, org: &Org, shown: &When, me: Option<&str>, stands: bool) -> Markup {
    let bars = |shifts: &[Shift], gaps: &[Gap]| {
        let mut bars: Vec<Bar> = shifts.iter().map(|shift| of_shift(shift, org, me)).chain(gaps.iter().map(of_gap)).collect();
        bars.sort_by_key(|bar| bar.from);
        bars
    };
    let mut lanes = vec![Lane { name: "With this".to_owned(), beneath: false, bars: bars(&seen.on_call, &seen.gaps) }];
    if stands {
        lanes.push(Lane { name: "As it stands".to_owned(), beneath: true, bars: bars(&seen.stands, &seen.stands_gaps) });
    }
    let with = Drawing { when: shown, hours: false, pick_s: None, a_day_max: A_DAY_MAX, day: None };
    let mut budget = Budget::of(BARS_MAX);
    let first = shown.day(seen.from);
    let all = (0..allclear_domain::org::preview::PREVIEW_WEEKS).filter_map(|week| first.checked_add((week * 7).days()).ok());
    let strips: Vec<Markup> = all
        .map(|first| Days { first, count: 7 })
        .filter(|days| days.lasts(shown).0 < seen.to)
        .map(|days| strip(days, &lanes, &with, &mut budget))
        .collect();
    html! {
        div class="strips" tabindex="0" role="group" aria-label="Eight weeks as a drawing" { @for drawn in &strips { (drawn) } }
        @if !budget.left_out.is_empty() { p class="quiet small" { "Not all weeks are drawn: there are more than " (BARS_MAX) " turns." } }
    }
}

fn of_shift(shift: &Shift, org: &Org, me: Option<&str>) -> Bar {
    let name = pieces::name(org, &shift.person);
    Bar {
        from: shift.starts_at,
        to: shift.ends_at,
        shape: Shape::Turn,
        says: format!("{name}, {}", shift.because),
        name,
        mine: me == Some(shift.person.as_str()),
        href: None,
    }
}

fn of_gap(gap: &Gap) -> Bar {
    Bar {
        from: gap.starts_at,
        to: gap.ends_at,
        shape: Shape::Nobody,
        name: "nobody".to_owned(),
        says: "Nobody".to_owned(),
        mine: false,
        href: None,
    }
}
