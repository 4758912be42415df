//! The same as the strips in words: a list by day, beside them on a laptop and in their place on a telephone.

use allclear_domain::org::snapshot::Org;
use allclear_domain::org::timetable::Timetable;
use jiff::Timestamp;
use jiff::civil::Date;
use maud::{Markup, html};

use super::lanes::{is_above, layer_name, rule, why_nobody};
use super::take::Picked;
use super::view::{At, View};
use crate::frame::pieces;
use crate::frame::strips::{Days, odd_length};
use crate::frame::time_text::When;

impl View {
    /// Lines of a day; the rest is a number that leads to the day.
    const fn lines_max(self) -> usize {
        match self {
            Self::Month => 6,
            Self::Week => 16,
            Self::Day => 120,
        }
    }
}

/// One line of a day.
struct Line {
    from: Timestamp,
    to: Timestamp,
    says: Markup,
    /// A time that may be picked: who is on call, and nobody.
    picks: bool,
}

/// Everything of a schedule that touches these days.
pub(super) fn list(table: &Timetable, org: &Org, at: &At<'_>, shown: &When, me: Option<&str>, picked: Option<&Picked>) -> Markup {
    let today = shown.day(shown.now);
    html! {
        ol class={ "days " (at.view.word()) } {
            @for strip in at.strips() {
                @for day in strip.each() { (of_day(table, org, at, shown, day, day == today, me, picked)) }
            }
        }
    }
}

#[allow(clippy::too_many_arguments)] // what a day is drawn from, handed down once
fn of_day(
    table: &Timetable,
    org: &Org,
    at: &At<'_>,
    shown: &When,
    day: Date,
    is_today: bool,
    me: Option<&str>,
    picked: Option<&Picked>,
) -> Markup {
    let (begins, ends) = Days { first: day, count: 1 }.lasts(shown);
    // A zone that crossed the date line had no such day; and what was cut away is not told as empty.
    if begins >= ends || begins >= table.to {
        return html! {};
    }
    let lines = lines_of(table, org, at.view, begins, ends, me);
    let other_month = at.view == View::Month && day.first_of_month() != at.day.first_of_month();
    let class = if other_month { "other" } else { "" };
    html! {
        li class=(class) {
            h3 {
                a href=(at.on(View::Day, day).href()) aria-current=[is_today.then_some("date")] { (day.strftime("%a %-d %b")) }
                @if let Some(odd) = odd_length(ends.duration_since(begins)) { span class="quiet" { " · " (odd) } }
                @if is_today { span class="quiet" { " · today" } }
            }
            ul {
                @for line in lines.iter().take(at.view.lines_max()) {
                    li {
                        @if line.picks {
                            a href=(at.picking(line.from, line.to)) { (range(line, begins, ends, shown)) }
                        } @else { span class="quiet" { (range(line, begins, ends, shown)) } }
                        " " (line.says)
                        @if let Some(picked) = picked.filter(|picked| line.picks && picked.from < line.from) {
                            " " a class="small" href=(at.picking(picked.from, line.to)) { "to here" }
                        }
                    }
                }
            }
            @if lines.len() > at.view.lines_max() {
                p class="small" { a href=(at.on(View::Day, day).href()) { "and " (lines.len() - at.view.lines_max()) " more" } }
            }
        }
    }
}

/// `09:00 – 17:00`, or where it goes beyond the day, from or until when.
fn range(line: &Line, begins: Timestamp, ends: Timestamp, shown: &When) -> Markup {
    let clock = |at: Timestamp| shown.time(at, &shown.clock(at));
    html! {
        @match (line.from < begins, line.to > ends) {
            (true, true) => "all day",
            (true, false) => { "until " (clock(line.to)) },
            (false, true) => { "from " (clock(line.from)) },
            (false, false) => { (clock(line.from)) " – " (clock(line.to)) },
        }
    }
}

fn lines_of(table: &Timetable, org: &Org, view: View, begins: Timestamp, ends: Timestamp, me: Option<&str>) -> Vec<Line> {
    let touches = |from: Timestamp, to: Timestamp| from < ends && begins < to;
    let name = |person: &str| {
        html! { @if me == Some(person) { strong { bdi { (pieces::name(org, person)) } } } @else { bdi { (pieces::name(org, person)) } } }
    };
    let mut counts: Vec<Line> = table
        .on_call
        .iter()
        .filter(|shift| touches(shift.starts_at, shift.ends_at))
        .map(|shift| Line {
            from: shift.starts_at,
            to: shift.ends_at,
            picks: true,
            says: html! {
                (name(&shift.person))
                @if is_above(&shift.because) { span class="quiet small" { " · " bdi { (rule(&shift.because)) } } }
            },
        })
        .chain(table.gaps.iter().filter(|gap| touches(gap.starts_at, gap.ends_at)).map(|gap| Line {
            from: gap.starts_at,
            to: gap.ends_at,
            picks: true,
            says: html! { span class="late" { "nobody" } span class="quiet small" { " · " (why_nobody(gap)) } },
        }))
        .collect();
    counts.sort_by_key(|line| (line.from, line.to));
    let away = table.away.iter().filter(|one| touches(one.starts_at, one.ends_at)).map(|one| Line {
        from: one.starts_at,
        to: one.ends_at,
        picks: false,
        says: html! {
            (name(&one.person)) span class="quiet" { " " (one.says()) }
            @if one.needs_cover { " " span class="late" { "needs cover" } }
        },
    });
    counts.extend(away);
    // A month has room for what counts alone; its layers stand in the week and the day.
    if view != View::Month {
        for layer in table.layers.iter().rev() {
            let of_layer = || layer_name(layer.index, layer.name.as_deref());
            counts.extend(layer.turns.iter().filter(|turn| touches(turn.starts_at, turn.ends_at)).map(|turn| Line {
                from: turn.starts_at,
                to: turn.ends_at,
                picks: false,
                says: html! { span class="quiet small" { (name(&turn.person)) " · " bdi { (of_layer()) } } },
            }));
        }
    }
    counts
}
