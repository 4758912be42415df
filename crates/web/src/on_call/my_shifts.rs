//! When the reader is on call, over the weeks to come and over every schedule; where somebody covers for them; and where a
//! policy pages them by name, whatever the calendar says.
//!
//! It deliberately decides nothing: who is on is the resolver's answer, the same that pages.

use allclear_domain::access::{Principal, Resource, Right, may};
use allclear_domain::oncall::Because;
use allclear_domain::org::cover::{Stretch, covers};
use allclear_domain::org::model::Schedule;
use allclear_domain::org::snapshot::Org;
use allclear_domain::view::CoverView;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::get;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan};
use maud::{Markup, html};

use super::absences;
use super::cover::{self, Choice};
use super::feeds::{self, Calendars};
use crate::access::reader::{answer, reader};
use crate::app::{App, Lists, Place};
use crate::frame::pieces;
use crate::frame::refused::Refused;
use crate::frame::shell::{HtmlPage, framed, heading};
use crate::frame::time_text::{When, age};
use crate::posted::Draft;

/// Weeks that are looked ahead: two turns of most rotas.
const WEEKS: i64 = 8;
/// Shifts listed; a day of hourly turns for eight weeks is cut, and said to be.
const LISTED_MAX: usize = 200;

pub(crate) static PLACE: Place = Place {
    path: super::MY_SHIFTS,
    word: "My shifts",
    strokes: "M4 4.5h12V17H4zM4 8h12M7.5 3v3M12.5 3v3M10 10.5v2.5l1.8 1",
    key: Some('m'),
    lists: Lists::RAIL_MENU,
    leads: |app, who| who.person().is_some() && app.engine.queries(who).has(Right::SeeOrganisation),
    page: || get(show),
};

/// One time on call, by one schedule.
struct Mine<'a> {
    schedule: &'a Schedule,
    from: Timestamp,
    /// Nothing where it goes on beyond the weeks that are looked at.
    to: Option<Timestamp>,
    /// By an override, and not by the rota.
    by: Option<By>,
    /// Who is on after.
    then: Option<String>,
}

/// What an override has somebody on as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    /// In place of the rota.
    Replacement,
    /// Besides whoever has the turn.
    Addition,
}

impl By {
    const fn of(because: &Because) -> Option<Self> {
        match because {
            Because::Override { .. } => Some(Self::Replacement),
            Because::Added { .. } => Some(Self::Addition),
            Because::Layer { .. } | Because::Feed { .. } | Because::Temporary { .. } | Because::Off { .. } | Because::Nobody => None,
        }
    }
}

/// GET.
pub(crate) async fn show(State(app): State<App>, headers: HeaderMap) -> Response {
    answer(async {
        let (who, when) = reader(&app, &headers).await?;
        let (calendars, requests) = (Calendars::of(&app, &who).await?, cover::requests(&app, &who).await?);
        shown(&app, &who, &when, &calendars, &requests, &Draft::default())
    })
    .await
}

pub(super) fn shown(
    app: &App,
    who: &Principal,
    when: &When,
    calendars: &Calendars,
    requests: &[CoverView],
    draft: &Draft,
) -> Result<Response, Refused> {
    let org = app.engine.queries(who).organisation()?;
    let Some(me) = who.person().filter(|me| org.person(me).is_some()) else {
        return Err(Refused::missing("person of the organisation", "Only people have shifts; sign in as one."));
    };
    let today = when.day(when.now);
    let end = when.begins(today.checked_add((WEEKS * 7).days()).unwrap_or(today));
    let (mut mine, covered) = shifts(&org, me, when.now, end);
    let more = mine.len().saturating_sub(LISTED_MAX);
    mine.truncate(LISTED_MAX);
    let body = html! {
        (heading("My shifts", &html! { (when.stamp(when.now)) " " (when.zone()) }))
        section data-live="mine" {
            (now_and_next(&mine, when))
            (weeks(&mine, when))
            @if more > 0 { p class="quiet" { "and " (more) " more" } }
        }
        div class="cols" {
            (covered_for(&covered, when, &org))
            (by_name(&org, me))
            @if may(&org, who, Right::Respond, Resource::Installation).is_ok() {
                    @let (own, others) = turns(&org, me, when.now, end);
                    (absences::my_holidays(&app.engine.needs_cover(who).unwrap_or_default(), &org, me, when))
                    (absences::mine(&app.engine.absences(who).unwrap_or_default(), &org, me, when, draft))
                    (cover::section(requests, &org, me, when, draft, &own, &others))
                    (feeds::mine(calendars, who, when))
                }
        }
    };
    let page = HtmlPage {
        title: "My shifts",
        place: &PLACE,
        who,
        when,
        wall: false,
        live: Some("on=org".into()),
        source: PLACE.path.into(),
        body,
    };
    Ok(framed(app, &page))
}

/// Somebody else's replacement on what would be one's own turn.
struct Covered<'a> {
    schedule: &'a Schedule,
    person: String,
    from: Timestamp,
    to: Timestamp,
}

/// One's own shifts by their start, and what others have taken of one's turns.
fn shifts<'a>(org: &'a Org, me: &str, now: Timestamp, end: Timestamp) -> (Vec<Mine<'a>>, Vec<Covered<'a>>) {
    let (mut mine, mut covered) = (Vec::new(), Vec::new());
    for form in &org.bundle().schedules {
        let Some(schedule) = org.schedule(&form.id) else { continue };
        let overrides = org.overrides(&form.id);
        let all = schedule.shifts(overrides, now, end);
        let first = mine.len();
        for (at, shift) in all.iter().enumerate().filter(|(_, shift)| shift.person == me) {
            // Neighbouring turns by different rules are one shift to whoever is on.
            let joins = |last: &&mut Mine<'_>| last.to == Some(shift.starts_at);
            // Who begins as it ends; where nobody does, who goes on.
            let after = all[at + 1..].iter().find(|next| next.starts_at == shift.ends_at && next.person != me);
            let beside = || all.iter().find(|other| other.person != me && other.starts_at < shift.ends_at && shift.ends_at < other.ends_at);
            let then = after.or_else(beside).map(|next| pieces::name(org, &next.person));
            let to = (shift.ends_at < end).then_some(shift.ends_at);
            let by = By::of(&shift.because);
            match mine[first..].last_mut().filter(joins) {
                Some(last) => (last.to, last.then, last.by) = (to, then, last.by.or(by)),
                None => mine.push(Mine { schedule: form, from: shift.starts_at, to, by, then }),
            }
        }
        let turns = schedule.shifts(&[], now, end);
        for other in all.iter().filter(|shift| shift.person != me && matches!(shift.because, Because::Override { .. })) {
            for turn in turns.iter().filter(|turn| turn.person == me) {
                let (from, to) = (turn.starts_at.max(other.starts_at), turn.ends_at.min(other.ends_at));
                if from < to {
                    covered.push(Covered { schedule: form, person: other.person.clone(), from, to });
                }
            }
        }
    }
    mine.sort_by_key(|shift| shift.from);
    covered.sort_by_key(|shift| shift.from);
    (mine, covered)
}

/// Turns of the reader, and those of others that they could take in return: of schedules that they may cover.
fn turns(org: &Org, me: &str, now: Timestamp, end: Timestamp) -> (Vec<Choice>, Vec<Choice>) {
    let (mut own, mut others) = (Vec::new(), Vec::new());
    for form in &org.bundle().schedules {
        let Some(schedule) = org.schedule(&form.id) else { continue };
        let may_cover = covers(org, &form.id, me);
        // Whoever is only on besides has no turn to give away.
        let shifts = schedule.shifts(org.overrides(&form.id), now, end);
        for shift in shifts.into_iter().filter(|shift| By::of(&shift.because) != Some(By::Addition)) {
            let part = Stretch { schedule: form.id.clone(), starts_at: shift.starts_at, ends_at: shift.ends_at };
            let list = if shift.person == me { &mut own } else { &mut others };
            if shift.person == me || (may_cover && org.person(&shift.person).is_some()) {
                list.push(Choice { person: shift.person, part });
            }
        }
    }
    own.sort_by_key(|choice| choice.part.starts_at);
    others.sort_by_key(|choice| choice.part.starts_at);
    (own, others)
}

fn called(form: &Schedule) -> &str {
    form.name.as_deref().unwrap_or(&form.id)
}

/// What a look at the page is for: am I on, until when, and if not, when next.
fn now_and_next(mine: &[Mine<'_>], when: &When) -> Markup {
    let on: Vec<&Mine<'_>> = mine.iter().filter(|shift| shift.from <= when.now).collect();
    html! {
        ul class="shifts" {
            @for shift in &on {
                li {
                    p class="quiet" { bdi { (called(shift.schedule)) } }
                    p class="whom" { strong { "You are on call" } }
                    p class="quiet small" {
                        @match shift.to {
                            Some(to) => {
                                "until " (when.time(to, &when.minute(to)))
                                @if let Some(then) = &shift.then { ", then " bdi { (then) } }
                            }
                            None => { "for the next " (WEEKS) " weeks and on" },
                        }
                    }
                }
            }
            @if on.is_empty() {
                li {
                    p class="whom" { "You are not on call" }
                    p class="quiet small" {
                        @match mine.first() {
                            Some(next) => {
                                "next from " (when.time(next.from, &when.minute(next.from))) " for " bdi { (called(next.schedule)) }
                            }
                            None => { "and not in the next " (WEEKS) " weeks" },
                        }
                    }
                }
            }
        }
    }
}

/// The Monday of a day's week.
fn week_of(day: Date) -> Date {
    let back = i64::from(day.weekday().to_monday_zero_offset());
    day.checked_sub(back.days()).unwrap_or(day)
}

fn weeks(mine: &[Mine<'_>], when: &When) -> Markup {
    let mut by_week: Vec<(Date, Vec<&Mine<'_>>)> = Vec::new();
    for shift in mine {
        let week = week_of(when.day(shift.from.max(when.now)));
        match by_week.last_mut() {
            Some((last, shifts)) if *last == week => shifts.push(shift),
            _ => by_week.push((week, vec![shift])),
        }
    }
    html! {
        @for (week, shifts) in &by_week {
            section class="section" {
                h2 { "Week of " (when.day_words(*week)) }
                ul class="list" {
                    @for shift in shifts {
                        li {
                            span {
                                (when.time(shift.from, &when.minute(shift.from)))
                                @if let Some(to) = shift.to { " – " (when.time(to, &when.minute(to))) } @else { " and on" }
                            }
                            span class="quiet" {
                                bdi { (called(shift.schedule)) }
                                @match shift.by {
                                    Some(By::Replacement) => " · in place of the rota",
                                    Some(By::Addition) => " · besides the rota",
                                    None => {},
                                }
                                @if let Some(to) = shift.to { " · " (age(to.duration_since(shift.from).max(SignedDuration::ZERO))) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn covered_for(covered: &[Covered<'_>], when: &When, org: &Org) -> Markup {
    html! {
        section data-live="covered" {
            h2 { "Who covers for you" }
            @if covered.is_empty() {
                p class="quiet" {
                    "Nobody, as things are. Whoever is in a schedule’s team takes its shifts over under " a href="/on-call" { "On call" }
                    "; of a schedule without a team, administrators put somebody on there."
                }
            }
            ul class="list" {
                @for turn in covered {
                    li {
                        span { bdi { (pieces::name(org, &turn.person)) } span class="quiet" { " for " bdi { (called(turn.schedule)) } } }
                        span class="quiet" {
                            (when.time(turn.from, &when.minute(turn.from))) " – " (when.time(turn.to, &when.minute(turn.to)))
                        }
                    }
                }
            }
        }
    }
}

/// Steps that name somebody, or a team of theirs: they page whatever the calendar says.
fn by_name(org: &Org, me: &str) -> Markup {
    let teams = org.bundle().teams.iter().filter(|team| team.members.iter().any(|member| member == me));
    let mut names: Vec<String> = teams.map(|team| format!("team:{}", team.id)).collect();
    names.push(format!("person:{me}"));
    let named = |targets: &[String]| targets.iter().any(|target| names.contains(target));
    let mut steps: Vec<(String, usize)> = Vec::new();
    for policy in &org.bundle().escalations {
        let title = policy.name.clone().unwrap_or_else(|| policy.id.clone());
        steps.extend(policy.steps.iter().enumerate().filter(|(_, step)| named(&step.page)).map(|(at, _)| (title.clone(), at + 1)));
    }
    let last = named(&org.bundle().catch_all);
    html! {
        section data-live="named" {
            h2 { "Paged by name" span class="quiet" { " · whoever is on call" } }
            @if steps.is_empty() && !last { p class="quiet" { "No escalation policy names you or your teams." } }
            ul class="list" {
                @for (policy, step) in &steps { li { bdi { (policy) } span class="quiet" { "step " (step) } } }
                @if last { li { "When every round is through" span class="quiet" { "the catch-all" } } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_week_begins_on_its_monday() {
        let day = |text: &str| text.parse::<Date>().unwrap();
        assert_eq!(week_of(day("2026-11-28")), day("2026-11-23"));
        assert_eq!(week_of(day("2026-11-23")), day("2026-11-23"));
        assert_eq!(week_of(day("2027-01-01")), day("2026-12-28"), "over the year's end");
    }
}
