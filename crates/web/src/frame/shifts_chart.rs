//! Shifts as a picture: one bar row per schedule over civil days, drawn on the server, with the
//! same facts as a table behind it.
//!
//! People are told apart by name, never by colour: colour means severity or lateness. One's own
//! shifts are darker, and a gap shouts. Who is on besides somebody else has a bar of their own below.

use allclear_domain::oncall::{Gap, Shift};
use allclear_domain::org::snapshot::Org;
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};

use crate::frame::pieces;
use crate::frame::shell::drawn;
use crate::frame::time_text::When;

/// Units of the drawing's width: a pixel each where it is shown at its least width.
const WIDTH: f64 = 1120.0;
/// Units of one schedule: its name above its bar.
const ROW: f64 = 60.0;
/// Units of a bar: a comfortable line of text in it.
const BAR: f64 = 30.0;
/// Units from one bar of a schedule to the one below it, where several are on at once.
const LANE: f64 = BAR + 4.0;
/// Most bars of one schedule below each other; who has none is in the table.
const LANES_MAX: usize = 6;
/// Units above the first schedule, for the days.
const HEAD: f64 = 28.0;
/// Units that a character of a name takes in a bar at 13 px, on the safe side.
pub(super) const CHAR: f64 = 7.6;
/// Shifts listed in the table; a follow-the-sun rotation has three a day.
const LISTED_MAX: usize = 60;
/// A day in seconds, to step from midnight to midnight and be corrected by the calendar.
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// One schedule.
pub(crate) struct Row {
    pub name: String,
    pub zone: String,
    pub shifts: Vec<Shift>,
    pub gaps: Vec<Gap>,
}

/// The picture.
pub(crate) fn draw(rows: &[Row], from: Timestamp, to: Timestamp, when: &When, org: &Org, me: Option<&str>) -> Markup {
    let whole = to.duration_since(from).as_secs_f64().max(1.0);
    let x = |at: Timestamp| (at.duration_since(from).as_secs_f64() / whole * WIDTH).clamp(0.0, WIDTH);
    let drawn_rows: Vec<Vec<Bar<'_>>> = rows.iter().map(bars).collect();
    let lanes = |bars: &[Bar<'_>]| bars.iter().map(|bar| bar.lane + 1).max().unwrap_or(1).min(LANES_MAX);
    let height = HEAD + drawn_rows.iter().map(|bars| ROW + LANE * (lanes(bars) - 1) as f64).sum::<f64>();
    let mut svg = format!(
        r#"<svg viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img" aria-label="Who is on call in the next two weeks; the same as a table below">"#
    );
    let mut day = when.day(from);
    let mut at = from;
    while at < to {
        let left = x(at);
        let class = if at <= when.now && when.now < when.begins(day.tomorrow().unwrap_or(day)) { "day today" } else { "day" };
        svg.push_str(&format!(r#"<text class="{class}" x="{:.1}" y="16">{}</text>"#, left + 4.0, day.strftime("%a %-d")));
        svg.push_str(&format!(r#"<path class="midnight" d="M{left:.1} 22V{height}"/>"#));
        day = match day.tomorrow() {
            Ok(next) => next,
            Err(_) => break,
        };
        let next = when.begins(day);
        at = if next > at { next } else { at.checked_add(DAY).unwrap_or(to) };
    }
    let mut top = HEAD;
    for (row, bars) in rows.iter().zip(&drawn_rows) {
        let bar = top + 24.0;
        svg.push_str(&format!(r#"<text class="name" x="4" y="{:.1}">{}</text>"#, top + 17.0, written(&row.name)));
        for (place, Bar { person, starts_at, ends_at, lane }) in bars.iter().enumerate().filter(|(_, bar)| bar.lane < LANES_MAX) {
            let (left, right) = (x(*starts_at), x(*ends_at));
            let bar = bar + LANE * *lane as f64;
            let name = pieces::name(org, person);
            let class = match (me == Some(*person), place % 2) {
                (true, _) => "mine",
                (false, 0) => "turn",
                _ => "turn odd",
            };
            let said = format!("{name}, {} – {}", when.minute(*starts_at), when.minute(*ends_at));
            svg.push_str(&format!(
                r#"<g class="{class}"><title>{}</title><rect x="{:.1}" y="{bar}" width="{:.1}" height="{BAR}" rx="4"/>"#,
                written(&said),
                left + 0.75,
                (right - left - 1.5).max(1.0)
            ));
            if let Some(label) = label(&name, right - left - 8.0) {
                svg.push_str(&format!(r#"<text x="{:.1}" y="{:.1}">{}</text>"#, left + 6.0, bar + 20.0, written(&label)));
            }
            svg.push_str("</g>");
        }
        for gap in &row.gaps {
            let (left, right) = (x(gap.starts_at), x(gap.ends_at));
            let said = format!("Nobody, {} – {}", when.minute(gap.starts_at), when.minute(gap.ends_at));
            svg.push_str(&format!(
                r#"<g class="gap"><title>{}</title><rect x="{left:.1}" y="{bar}" width="{:.1}" height="{BAR}"/>"#,
                written(&said),
                (right - left).max(2.0)
            ));
            if right - left > CHAR * 7.0 {
                svg.push_str(&format!(r#"<text x="{:.1}" y="{:.1}">nobody</text>"#, left + 6.0, bar + 20.0));
            }
            svg.push_str("</g>");
        }
        top += ROW + LANE * (lanes(bars) - 1) as f64;
    }
    let now = x(when.now);
    svg.push_str(&format!(r#"<path class="now" d="M{now:.1} 22V{height}"/></svg>"#));
    html! { div class="picture" tabindex="0" role="region" aria-label="Two weeks of shifts" { (drawn(svg)) } }
}

/// One bar.
struct Bar<'a> {
    person: &'a str,
    starts_at: Timestamp,
    ends_at: Timestamp,
    /// How many bars stand above it, which run at the same time.
    lane: usize,
}

/// The bars of a schedule, by their start. Neighbouring turns of one person by different rules are one shift to whoever reads.
fn bars(row: &Row) -> Vec<Bar<'_>> {
    let mut out: Vec<Bar<'_>> = Vec::new();
    // Where each lane is taken until, and by which bar.
    let mut taken: Vec<usize> = Vec::new();
    for shift in &row.shifts {
        let goes_on = |at: &&usize| out[**at].person == shift.person && out[**at].ends_at == shift.starts_at;
        if let Some(at) = taken.iter().find(goes_on).copied() {
            out[at].ends_at = shift.ends_at;
            continue;
        }
        let bar = |lane| Bar { person: &shift.person, starts_at: shift.starts_at, ends_at: shift.ends_at, lane };
        match taken.iter().position(|at| out[*at].ends_at <= shift.starts_at) {
            Some(lane) => {
                taken[lane] = out.len();
                out.push(bar(lane));
            }
            None => {
                taken.push(out.len());
                out.push(bar(taken.len() - 1));
            }
        }
    }
    out
}

/// As much of a name as fits: whole, the first word, its initials, or nothing.
pub(super) fn label(name: &str, room: f64) -> Option<String> {
    let first = name.split_whitespace().next().unwrap_or(name).to_owned();
    let initials: String = name.split_whitespace().filter_map(|word| word.chars().next()).take(2).collect();
    [name.to_owned(), first, initials].into_iter().find(|words| words.chars().count() as f64 * CHAR <= room)
}

/// Text within a drawing.
pub(super) fn written(text: &str) -> String {
    html! { (text) }.into_string()
}

/// The same facts in words.
pub(crate) fn table(rows: &[Row], when: &When, org: &Org) -> Markup {
    html! {
        details class="behind" {
            summary { "The same as a table" }
            @for row in rows {
                div class="wide-table" tabindex="0" role="group" aria-label={ "Shifts of " (row.name) } {
                    table {
                        caption { (row.name) span class="quiet" { " · " (row.zone) } }
                        thead { tr { th scope="col" { "Who" } th scope="col" { "From" } th scope="col" { "To" } th scope="col" { "By" } } }
                        tbody {
                            @for gap in &row.gaps {
                                tr {
                                    td { span class="late" { "nobody" } } td { (when.time(gap.starts_at, &when.minute(gap.starts_at))) }
                                    td { (when.time(gap.ends_at, &when.minute(gap.ends_at))) }
                                    td { @if gap.by_override { "an override has nobody on" } @else { "no layer is on" } }
                                }
                            }
                            @for shift in row.shifts.iter().take(LISTED_MAX) {
                                tr {
                                    td { bdi { (pieces::name(org, &shift.person)) } }
                                    td { (when.time(shift.starts_at, &when.minute(shift.starts_at))) }
                                    td { (when.time(shift.ends_at, &when.minute(shift.ends_at))) }
                                    td class="quiet" { (shift.because) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_who_are_on_at_once_have_bars_below_each_other() {
        let shift = |person: &str, from: i64, to: i64| Shift {
            person: person.into(),
            starts_at: Timestamp::from_second(from * 3600).unwrap(),
            ends_at: Timestamp::from_second(to * 3600).unwrap(),
            because: allclear_domain::oncall::Because::Nobody,
        };
        let shifts = vec![shift("a", 0, 10), shift("b", 2, 4), shift("c", 3, 5), shift("d", 4, 6), shift("d", 6, 7), shift("a", 10, 12)];
        let row = Row { name: "s".into(), zone: "Etc/UTC".into(), shifts, gaps: vec![] };
        let told: Vec<String> = bars(&row).iter().map(|bar| format!("{}{} {}", bar.person, bar.lane, bar.ends_at)).collect();
        let at = |hour: i64| Timestamp::from_second(hour * 3600).unwrap();
        assert_eq!(
            told,
            [format!("a0 {}", at(12)), format!("b1 {}", at(4)), format!("c2 {}", at(5)), format!("d1 {}", at(7))],
            "neighbours are one, and a lane is free again"
        );
    }

    #[test]
    fn a_bar_holds_as_much_of_a_name_as_fits() {
        assert_eq!(label("Ana Ruiz", 200.0).as_deref(), Some("Ana Ruiz"));
        assert_eq!(label("Ana Ruiz", 30.0).as_deref(), Some("Ana"));
        assert_eq!(label("Ana Ruiz", 18.0).as_deref(), Some("AR"));
        assert_eq!(label("Ana Ruiz", 3.0), None);
        assert_eq!(written("<b>&"), "&lt;b&gt;&amp;");
    }
}
