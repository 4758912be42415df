//! Times as strips of days: one strip a week or a day, lanes below each other, bars in the lanes; drawn on the server.
//!
//! What a bar is, is told by its shape and by its words, never by colour alone: a turn has round corners, what stands above the layers
//! a dashed edge, an absence slanted ends, and a time in which nobody is on square corners and the word. A day in which the clocks
//! change is as much narrower or wider as it is shorter or longer, and says so.
//!
//! Deliberately not here: the same in words. Whoever draws strips lists their bars as well, so that the drawing is hidden from
//! screen readers, and nothing in it has a place in the order of tabs.

use allclear_domain::oncall::day_begins;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};

use crate::frame::shell::drawn;
use crate::frame::shifts_chart::{CHAR, label, written};
use crate::frame::time_text::When;

/// Units of the names of the lanes, at the left.
const LEFT: f64 = 120.0;
/// Units of the days: a pixel each where it is shown at its least width.
const WIDTH: f64 = 1000.0;
/// Units above the first lane, for the days: as high as a finger needs, since a time is picked there.
const HEAD: f64 = 44.0;
/// Units of a bar of a lane that counts, and of one that lies beneath.
const BAR: f64 = 30.0;
const BAR_BENEATH: f64 = 22.0;
/// Units between two bars below each other.
const BETWEEN: f64 = 5.0;
/// Most bars of one lane below each other; who has none is in the list.
const ROWS_MAX: usize = 6;
/// Units by which the ends of an absence lean.
const SLANT: f64 = 6.0;
/// Hours are looked for in steps of a quarter of one: no zone of today is off by less.
const HOUR_STEP: SignedDuration = SignedDuration::from_mins(15);
/// Steps of a day, with two hours for clocks that go back.
const HOUR_STEPS_MAX: usize = 26 * 4;
/// What a day usually has.
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// What a bar is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Somebody has the turn.
    Turn,
    /// Somebody is on by what stands above the layers.
    Above,
    /// Nobody is on.
    Nobody,
    /// Somebody is away.
    Away,
    /// So many that they are not told apart.
    Many,
}

impl Shape {
    const fn class(self) -> &'static str {
        match self {
            Self::Turn => "turn",
            Self::Above => "above",
            Self::Nobody => "gap",
            Self::Away => "away",
            Self::Many => "many",
        }
    }
}

/// One bar.
#[derive(Debug, Clone)]
pub(crate) struct Bar {
    pub from: Timestamp,
    pub to: Timestamp,
    pub shape: Shape,
    /// What it is called; cut to what fits.
    pub name: String,
    /// Said where somebody points at it, before its times.
    pub says: String,
    /// It is the reader's own.
    pub mine: bool,
    /// Where it leads.
    pub href: Option<String>,
}

/// Bars that stand in one line, as far as they do not overlap.
#[derive(Debug, Clone)]
pub(crate) struct Lane {
    pub name: String,
    /// It lies beneath what counts, and is drawn smaller.
    pub beneath: bool,
    pub bars: Vec<Bar>,
}

/// What strips are drawn with.
pub(crate) struct Drawing<'a> {
    /// In the zone whose days are drawn.
    pub when: &'a When,
    /// A day is drawn with its hours.
    pub hours: bool,
    /// A time may be picked, in steps of so many seconds.
    pub pick_s: Option<u32>,
    /// Most bars of one lane that begin on one day; more of them are one.
    pub a_day_max: usize,
    /// Where such a bar leads: to its day.
    pub day: Option<&'a dyn Fn(Date) -> String>,
}

/// Bars that may still be drawn; what is left out is said by whoever draws.
pub(crate) struct Budget {
    left: usize,
    /// Lanes that were left out in some strip, each once, by their names.
    pub left_out: Vec<String>,
}

impl Budget {
    pub(crate) const fn of(bars: usize) -> Self {
        Self { left: bars, left_out: Vec::new() }
    }
}

/// The days of a strip: the first, and how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Days {
    pub first: Date,
    pub count: i64,
}

impl Days {
    /// The days in order.
    pub(crate) fn each(self) -> impl Iterator<Item = Date> {
        (0..self.count).map_while(move |more| self.first.checked_add(jiff::Span::new().days(more)).ok())
    }

    /// When they begin and when they are over.
    pub(crate) fn lasts(self, when: &When) -> (Timestamp, Timestamp) {
        let end = self.first.saturating_add(jiff::Span::new().days(self.count));
        (day_begins(when.tz(), self.first), day_begins(when.tz(), end))
    }
}

/// One strip.
pub(crate) fn strip(days: Days, lanes: &[Lane], with: &Drawing<'_>, budget: &mut Budget) -> Markup {
    let when = with.when;
    let (from, to) = days.lasts(when);
    let whole = to.duration_since(from).as_secs_f64().max(1.0);
    let x = |at: Timestamp| LEFT + (at.duration_since(from).as_secs_f64() / whole * WIDTH).clamp(0.0, WIDTH);
    let mut shown: Vec<(&Lane, Vec<(Bar, usize)>)> = Vec::new();
    for lane in lanes {
        let bars = in_rows(gathered(lane, from, to, with));
        if bars.len() > budget.left {
            if !budget.left_out.contains(&lane.name) {
                budget.left_out.push(lane.name.clone());
            }
            continue;
        }
        budget.left -= bars.len();
        shown.push((lane, bars));
    }
    let mut body = String::new();
    let mut top = HEAD;
    for (lane, bars) in &shown {
        let high = if lane.beneath { BAR_BENEATH } else { BAR };
        let rows = bars.iter().map(|(_, row)| row + 1).max().unwrap_or(1).min(ROWS_MAX);
        let class = if lane.beneath { "lane beneath" } else { "lane" };
        let name = label(&lane.name, LEFT - 8.0).unwrap_or_default();
        body.push_str(&format!(r#"<g class="{class}"><title>{}</title>"#, written(&lane.name)));
        body.push_str(&format!(r#"<text class="of-lane" x="0" y="{:.1}">{}</text></g>"#, top + high / 2.0 + 4.5, written(&name)));
        body.push_str(&format!(r#"<g class="{class}">"#));
        for (bar, row) in bars.iter().filter(|(_, row)| *row < ROWS_MAX) {
            push_bar(&mut body, bar, x(bar.from), x(bar.to), top + (high + BETWEEN) * *row as f64, high, when);
        }
        body.push_str("</g>");
        top += (high + BETWEEN) * rows as f64;
    }
    let height = top;
    let mut svg = format!(
        r#"<svg class="strip" viewBox="0 0 {:.0} {height:.1}" width="{:.0}" height="{height:.1}" aria-hidden="true" "#,
        LEFT + WIDTH,
        LEFT + WIDTH
    );
    if let Some(step) = with.pick_s {
        svg.push_str(&format!(r#"data-pick="{step}" data-from="{}" data-to="{}" data-left="{LEFT}" "#, from.as_second(), to.as_second()));
    }
    svg.push('>');
    heads(&mut svg, days, with, height, x);
    svg.push_str(&body);
    if from <= when.now && when.now < to {
        let now = x(when.now);
        svg.push_str(&format!(r#"<path class="now" d="M{now:.1} 20V{height:.1}"/>"#));
    }
    svg.push_str("</svg>");
    html! { (drawn(svg)) }
}

/// The bars of a lane within a strip; where more begin on a day than can be told apart, they are one.
fn gathered(lane: &Lane, from: Timestamp, to: Timestamp, with: &Drawing<'_>) -> Vec<Bar> {
    let within = lane.bars.iter().filter(|bar| bar.from < to && from < bar.to);
    let cut = within.map(|bar| Bar { from: bar.from.max(from), to: bar.to.min(to), ..bar.clone() });
    let mut by_day: Vec<(Date, Vec<Bar>)> = Vec::new();
    for bar in cut {
        let day = with.when.day(bar.from);
        match by_day.last_mut().filter(|(last, _)| *last == day) {
            Some((_, bars)) => bars.push(bar),
            None => by_day.push((day, vec![bar])),
        }
    }
    let mut out = Vec::new();
    for (day, bars) in by_day {
        if bars.len() <= with.a_day_max {
            out.extend(bars);
            continue;
        }
        // What nobody has stays told apart: it is what one looks for.
        let (nobody, others): (Vec<Bar>, Vec<Bar>) = bars.into_iter().partition(|bar| bar.shape == Shape::Nobody);
        let end = others.iter().map(|bar| bar.to).max();
        if let (Some(first), Some(to)) = (others.first(), end) {
            let name = format!("{} turns", others.len());
            let href = with.day.map(|leads| leads(day));
            out.push(Bar { from: first.from, to, shape: Shape::Many, says: name.clone(), name, mine: false, href });
        }
        out.extend(nobody.into_iter().take(with.a_day_max));
    }
    out
}

/// Each bar with how many stand above it, which run at the same time.
fn in_rows(bars: Vec<Bar>) -> Vec<(Bar, usize)> {
    let mut taken: Vec<Timestamp> = Vec::new();
    let mut out = Vec::with_capacity(bars.len());
    for bar in bars {
        let row = taken.iter().position(|until| *until <= bar.from).unwrap_or(taken.len());
        match taken.get_mut(row) {
            Some(until) => *until = bar.to,
            None => taken.push(bar.to),
        }
        out.push((bar, row));
    }
    out
}

fn push_bar(out: &mut String, bar: &Bar, left: f64, right: f64, top: f64, high: f64, when: &When) {
    let wide = (right - left - 1.5).max(1.5);
    let left = left + 0.75;
    let said = format!("{}, {} – {}", bar.says, when.minute(bar.from), when.minute(bar.to));
    let class = if bar.mine { format!("{} own", bar.shape.class()) } else { bar.shape.class().to_owned() };
    match &bar.href {
        Some(href) => out.push_str(&format!(r#"<a class="{class}" href="{}" tabindex="-1">"#, written(href))),
        None => out.push_str(&format!(r#"<g class="{class}">"#)),
    }
    out.push_str(&format!("<title>{}</title>", written(&said)));
    match bar.shape {
        Shape::Away => {
            let lean = SLANT.min(wide / 2.0);
            let (r, b) = (left + wide, top + high);
            let (inner_left, inner_right) = (left + lean, r - lean);
            out.push_str(&format!(r#"<path d="M{inner_left:.1} {top:.1}H{r:.1}L{inner_right:.1} {b:.1}H{left:.1}z"/>"#));
        }
        Shape::Nobody => out.push_str(&format!(r#"<rect x="{left:.1}" y="{top:.1}" width="{wide:.1}" height="{high}"/>"#)),
        Shape::Turn | Shape::Above | Shape::Many => {
            out.push_str(&format!(r#"<rect x="{left:.1}" y="{top:.1}" width="{wide:.1}" height="{high}" rx="6"/>"#));
        }
    }
    let room = wide - if bar.shape == Shape::Away { SLANT * 2.0 + 4.0 } else { 10.0 };
    if let Some(words) = label(&bar.name, room) {
        let inset = if bar.shape == Shape::Away { SLANT + 4.0 } else { 6.0 };
        out.push_str(&format!(r#"<text x="{:.1}" y="{:.1}">{}</text>"#, left + inset, top + high / 2.0 + 4.5, written(&words)));
    } else if bar.shape == Shape::Nobody && wide > CHAR {
        out.push_str(&format!(r#"<text x="{:.1}" y="{:.1}">!</text>"#, left + wide / 2.0 - 2.0, top + high / 2.0 + 4.5));
    }
    out.push_str(if bar.href.is_some() { "</a>" } else { "</g>" });
}

/// Days, and the hours of one that is drawn with them.
fn heads(out: &mut String, days: Days, with: &Drawing<'_>, height: f64, x: impl Fn(Timestamp) -> f64) {
    let when = with.when;
    let today = when.day(when.now);
    out.push_str(&format!(r#"<rect class="ruler" x="{LEFT}" y="0" width="{WIDTH}" height="{HEAD}"/>"#));
    for day in days.each() {
        let (begins, ends) = Days { first: day, count: 1 }.lasts(when);
        // A zone that crossed the date line had no such day.
        if begins >= ends {
            continue;
        }
        let left = x(begins);
        let class = if day == today { "day today" } else { "day" };
        let odd = odd_length(ends.duration_since(begins)).map(|words| format!(" · {words}")).unwrap_or_default();
        out.push_str(&format!(r#"<text class="{class}" x="{:.1}" y="16">{}{odd}</text>"#, left + 4.0, day.strftime("%a %-d")));
        out.push_str(&format!(r#"<path class="midnight" d="M{left:.1} 20V{height:.1}"/>"#));
        if with.hours {
            hours(out, begins, ends, when, &x);
        }
    }
}

fn hours(out: &mut String, begins: Timestamp, ends: Timestamp, when: &When, x: impl Fn(Timestamp) -> f64) {
    let mut at = begins;
    for _ in 0..HOUR_STEPS_MAX {
        if at >= ends {
            break;
        }
        let clock = when.clock(at);
        if let Some(hour) = clock.strip_suffix(":00") {
            let left = x(at);
            out.push_str(&format!(r#"<path class="midnight" d="M{left:.1} 34V{HEAD}"/>"#));
            out.push_str(&format!(r#"<text class="day" x="{:.1}" y="36">{hour}</text>"#, left + 3.0));
        }
        at = at.saturating_add(HOUR_STEP).unwrap_or(ends);
    }
}

/// How long a day is in which the clocks change: `23 h`, `24 h 30 min`; nothing of any other.
pub(crate) fn odd_length(day: SignedDuration) -> Option<String> {
    (day != DAY).then(|| match (day.as_hours(), day.as_mins() % 60) {
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn bar(from: &str, to: &str, name: &str) -> Bar {
        Bar { from: at(from), to: at(to), shape: Shape::Turn, name: name.into(), says: name.into(), mine: false, href: None }
    }

    fn drawing(when: &When, a_day_max: usize) -> Drawing<'_> {
        Drawing { when, hours: true, pick_s: Some(900), a_day_max, day: None }
    }

    fn day_of(zone: &str, day: &str) -> String {
        let when = When::new(at("2026-01-01T00:00:00Z"), Some(zone));
        let lanes = [Lane { name: "On call".into(), beneath: false, bars: vec![] }];
        let days = Days { first: day.parse().unwrap(), count: 1 };
        strip(days, &lanes, &drawing(&when, 9), &mut Budget::of(100)).into_string()
    }

    #[test]
    fn days_in_which_the_clocks_change_are_drawn_as_long_as_they_are() {
        let hours = |svg: &str| svg.matches(r#"y="36">"#).count();
        let plain = day_of("Europe/Madrid", "2026-03-30");
        assert!(hours(&plain) == 24 && !plain.contains(" h</text>"), "{plain}");
        let short = day_of("Europe/Madrid", "2026-03-29");
        assert!(hours(&short) == 23 && short.contains("Sun 29 · 23 h") && !short.contains(">02<"), "{short}");
        let long = day_of("Europe/Madrid", "2026-10-25");
        assert!(hours(&long) == 25 && long.contains("Sun 25 · 25 h") && long.matches(">02<").count() == 2, "{long}");
        let half = day_of("Australia/Lord_Howe", "2026-04-05");
        assert!(half.contains("24 h 30 min") && hours(&half) == 24, "{half}");
        // Midnight itself was skipped: the day begins at one.
        let late = day_of("America/Sao_Paulo", "2018-11-04");
        assert!(late.contains("Sun 4 · 23 h") && hours(&late) == 23 && !late.contains(">00<"), "{late}");
        // A day that a zone never had.
        assert!(!day_of("Pacific/Apia", "2011-12-30").contains("Fri 30"));
        assert_eq!(odd_length(SignedDuration::from_hours(24)), None);
    }

    #[test]
    fn many_turns_of_a_day_are_one_bar_and_nobody_is_never_among_them() {
        let when = When::new(at("2026-01-01T00:00:00Z"), None);
        let mut bars: Vec<Bar> = (0..23)
            .map(|hour| bar(&format!("2026-03-02T{hour:02}:00:00Z"), &format!("2026-03-02T{:02}:00:00Z", hour + 1), "Ana Ruiz"))
            .collect();
        bars.push(Bar { shape: Shape::Nobody, name: "nobody".into(), ..bar("2026-03-02T23:00:00Z", "2026-03-03T00:00:00Z", "Nobody") });
        let lanes = [Lane { name: "On call".into(), beneath: false, bars }];
        let days = Days { first: "2026-03-02".parse().unwrap(), count: 7 };
        let told = strip(days, &lanes, &drawing(&when, 6), &mut Budget::of(100)).into_string();
        assert!(told.contains(">23 turns<") && told.matches(r#"class="gap""#).count() == 1, "{told}");
        assert_eq!(strip(days, &lanes, &drawing(&when, 24), &mut Budget::of(100)).into_string().matches(r#"class="turn""#).count(), 23);
        let mut budget = Budget::of(5);
        let left = strip(days, &lanes, &drawing(&when, 24), &mut budget).into_string();
        assert!(!left.contains(r#"class="turn""#) && budget.left_out == ["On call"], "{left}");
    }

    #[test]
    fn what_people_wrote_is_text_in_a_drawing() {
        let when = When::new(at("2026-03-02T12:00:00Z"), None);
        let name = "<script>alert(1)</script>";
        let mut one = bar("2026-03-02T00:00:00Z", "2026-03-09T00:00:00Z", name);
        one.href = Some("?a=1&b=\"2\"".into());
        let lanes = [Lane { name: name.into(), beneath: true, bars: vec![one] }];
        let told =
            strip(Days { first: "2026-03-02".parse().unwrap(), count: 7 }, &lanes, &drawing(&when, 6), &mut Budget::of(9)).into_string();
        assert!(!told.contains("<script>") && told.contains("&lt;script&gt;"), "{told}");
        assert!(told.contains(r#"href="?a=1&amp;b=&quot;2&quot;""#) && told.contains(r#"class="now""#), "{told}");
    }

    #[test]
    fn those_who_are_on_at_once_stand_below_each_other() {
        let bars = vec![
            bar("2026-03-02T00:00:00Z", "2026-03-02T08:00:00Z", "a"),
            bar("2026-03-02T02:00:00Z", "2026-03-02T04:00:00Z", "b"),
            bar("2026-03-02T08:00:00Z", "2026-03-02T09:00:00Z", "c"),
        ];
        let rows: Vec<usize> = in_rows(bars).into_iter().map(|(_, row)| row).collect();
        assert_eq!(rows, [0, 1, 0]);
    }
}
