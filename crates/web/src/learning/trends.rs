//! Trends: how many incidents a week, and how long they took, by severity and by service. Two
//! drawings with axes and captions, and the same as tables.

use allclear_domain::incident::Severity;
use allclear_domain::time::in_words;
use allclear_domain::view::{DurationSummary, TrendRow, TrendTarget, TrendView};
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::get;
use jiff::SignedDuration;
use maud::{Markup, html};

use crate::access::reader::{Asked, answer, reader};
use crate::app::{ALL, App, Lists, Place};
use crate::frame::pieces;
use crate::frame::shell::{HtmlPage, drawn, framed, heading};

pub(crate) static PLACE: Place = Place {
    path: "/trends",
    word: "Trends",
    strokes: "M3 3v14h14M6 13l3.5-4 3 2.5L17 6",
    key: Some('t'),
    lists: Lists::RAIL_MENU,
    leads: ALL,
    page: || get(show),
};

/// Periods to choose from, in days.
const PERIODS: [i64; 3] = [30, 90, 365];
/// The period where none is asked.
const PERIOD_DEFAULT: i64 = 90;
/// Units of a drawing: near a phone's width, so that its words stay readable there.
const WIDTH: f64 = 480.0;
const HEIGHT: f64 = 220.0;
/// Units left of the first bar, for the scale, and below the bars, for the weeks.
const LEFT: f64 = 36.0;
const FOOT: f64 = 28.0;
/// Units of one row of durations: two bars and air.
const ROW: f64 = 44.0;
/// Units of a group's name beside its bars.
const NAMES: f64 = 92.0;
/// Units to the right of the longest bar, for its words.
const WORDS: f64 = 92.0;
/// Labels of weeks at most; more would touch.
const LABELS_MAX: usize = 6;

/// GET.
pub(crate) async fn show(State(app): State<App>, headers: HeaderMap, Query(asked): Asked) -> Response {
    answer(async {
        let (who, when) = reader(&app, &headers).await?;
        let days = asked.get("days").and_then(|days| days.parse().ok()).filter(|days| PERIODS.contains(days)).unwrap_or(PERIOD_DEFAULT);
        let from = when.now.checked_sub(SignedDuration::from_hours(24 * days)).unwrap_or(when.now);
        let trend = app.engine.queries(&who).trends(from, when.now).await?;
        let org = app.engine.org();
        let names = |row: &TrendRow| pieces::service(&org, &row.name);
        let body = html! {
            (heading("Trends", &html! { "the last " (days) " days" }))
            nav class="filter" aria-label="Period" {
                @for period in PERIODS {
                    a href={ "/trends?days=" (period) } aria-current=[(period == days).then_some("true")] { (period) " days" }
                }
            }
            section class="section" data-live="weeks" {
                h2 { "Incidents a week" }
                @if trend.incidents == 0 { p class="quiet" { "None was declared in this time." } }
                @else {
                    figure class="chart" {
                        (drawn(weeks(&trend)))
                        p class="legend" { @for severity in Severity::ALL { (pieces::severity(severity)) " " } }
                        figcaption class="quiet small" {
                            "n = " (trend.incidents) " declared in the last " (days)
                            " days; cancelled and merged ones are left out. Weeks begin on Monday, UTC."
                        }
                    }
                    (weeks_table(&trend))
                }
            }
            section class="section" data-live="durations" {
                h2 { "Time to resolve, by severity" span class="quiet" { " · median, and nine of ten" } }
                @if trend.by_severity.iter().all(|row| row.resolve.n == 0) { p class="quiet" { "Nothing was resolved in this time." } }
                @else {
                    figure class="chart" {
                        (drawn(durations(&trend.by_severity)))
                        figcaption class="quiet small" {
                            "From when the impact started, or it was declared, until it was resolved, of those whose two instants are \
                             known: n beside each."
                        }
                    }
                }
                (rows_table("By severity", &trend.by_severity, &|row| row.name.to_uppercase()))
                (rows_table("By service", &trend.by_service, &names))
            }
            @if trend.hand_overs > 0 {
                section class="section" data-live="hand-overs" {
                    h2 { "Hand-overs between teams" }
                    p {
                        (trend.hand_overs) " in " (trend.incidents) " incidents; "
                        (trend.ping_pongs) " of them went back to a team that had had it"
                    }
                }
            }
            @if trend.reopenings > 0 {
                section class="section" data-live="reopenings" {
                    h2 { "Reopened" }
                    p {
                        (trend.reopened) " of " (trend.incidents) " incidents, "
                        @if trend.reopenings == 1 { "once" } @else { (trend.reopenings) " times" }
                        " in all: they were not over when they were resolved"
                    }
                }
            }
            @if !trend.targets.is_empty() {
                section class="section" data-live="targets" {
                    h2 { "Targets" span class="quiet" { " · kept and missed" } }
                    (targets_table(&trend.targets))
                }
            }
        };
        let source = format!("/trends?days={days}");
        Ok(framed(
            &app,
            &HtmlPage { title: "Trends", place: &PLACE, who: &who, when: &when, wall: false, live: Some("on=board".into()), source, body },
        ))
    })
    .await
}

fn weeks(trend: &TrendView) -> String {
    let most = trend.weeks.iter().map(|week| week.counts.iter().sum::<u64>()).max().unwrap_or(0).max(4);
    let step = most.div_ceil(4);
    let top = step * 4;
    let y = |count: u64| HEIGHT - FOOT - (count as f64 / top as f64) * (HEIGHT - FOOT - 12.0);
    let slot = (WIDTH - LEFT) / trend.weeks.len().max(1) as f64;
    let bar = (slot * 0.7).min(40.0);
    let every = trend.weeks.len().div_ceil(LABELS_MAX).max(1);
    let mut svg =
        format!(r#"<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="Incidents a week by severity; the same as a table below">"#);
    for line in 0..=4 {
        let at = y(line * step);
        svg.push_str(&format!(
            r#"<path class="axis" d="M{LEFT} {at:.1}H{WIDTH}"/><text x="{}" y="{:.1}" text-anchor="end">{}</text>"#,
            LEFT - 8.0,
            at + 4.0,
            line * step
        ));
    }
    for (index, week) in trend.weeks.iter().enumerate() {
        let left = LEFT + slot * index as f64 + (slot - bar) / 2.0;
        let mut below = 0;
        for (severity, count) in week.counts.iter().enumerate().rev().filter(|(_, count)| **count > 0) {
            let (low, high) = (y(below), y(below + count));
            svg.push_str(&format!(
                r#"<rect class="s{}" x="{left:.1}" y="{high:.1}" width="{bar:.1}" height="{:.1}"><title>Week of {}: {count} SEV{}</title></rect>"#,
                severity + 1, low - high, week.monday, severity + 1
            ));
            below += count;
        }
        if index % every == 0 {
            svg.push_str(&format!(
                r#"<text x="{:.1}" y="{}" text-anchor="middle">{}</text>"#,
                left + bar / 2.0,
                HEIGHT - 8.0,
                week.monday.strftime("%-d %b")
            ));
        }
    }
    svg.push_str("</svg>");
    svg
}

fn durations(rows: &[TrendRow]) -> String {
    let rows: Vec<&TrendRow> = rows.iter().filter(|row| row.resolve.n > 0).collect();
    let most = rows.iter().filter_map(|row| row.resolve.p90_s.or(row.resolve.median_s)).max().unwrap_or(1).max(1) as f64;
    let height = ROW * rows.len() as f64;
    let x = |seconds: i64| seconds as f64 / most * (WIDTH - NAMES - WORDS);
    let mut svg =
        format!(r#"<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="Time to resolve by severity; the same as a table below">"#);
    for (index, row) in rows.iter().enumerate() {
        let top = ROW * index as f64;
        svg.push_str(&format!(r#"<text x="0" y="{:.1}">{} · n {}</text>"#, top + 24.0, row.name.to_uppercase(), row.resolve.n));
        for (class, at, seconds) in [("median", 8.0, row.resolve.median_s), ("p90", 22.0, row.resolve.p90_s)] {
            let Some(seconds) = seconds else { continue };
            let width = x(seconds).max(2.0);
            svg.push_str(&format!(
                r#"<rect class="{class}" x="{NAMES}" y="{:.1}" width="{width:.1}" height="10"/><text x="{:.1}" y="{:.1}">{}</text>"#,
                top + at,
                NAMES + width + 6.0,
                top + at + 9.5,
                length(seconds)
            ));
        }
    }
    svg.push_str("</svg>");
    svg
}

fn weeks_table(trend: &TrendView) -> Markup {
    html! {
        details class="behind" {
            summary { "The same as a table" }
            div class="wide-table" tabindex="0" role="group" aria-label="Incidents by week and severity" {
                table {
                    thead { tr { th scope="col" { "Week of" } @for severity in 1..=5 { th scope="col" class="num" { "SEV" (severity) } } } }
                    tbody {
                        @for week in &trend.weeks { tr { td { (week.monday) } @for count in week.counts { td class="num" { (count) } } } }
                    }
                }
            }
        }
    }
}

fn rows_table(caption: &str, rows: &[TrendRow], name: &dyn Fn(&TrendRow) -> String) -> Markup {
    let cell = |summary: &DurationSummary| {
        html! {
            td class="num" { (summary.n) }
            td class="num" { @match summary.median_s { Some(s) => (length(s)), None => span class="quiet" { "–" } } }
            td class="num" { @match summary.p90_s { Some(s) => (length(s)), None => span class="quiet" { "–" } } }
        }
    };
    html! {
        @if !rows.is_empty() {
            div class="wide-table" tabindex="0" role="group" aria-label=(caption) {
                table {
                    caption { (caption) }
                    thead {
                        tr {
                            td {} td {}
                            @for what in ["acknowledge", "mitigate", "resolve"] {
                                th scope="colgroup" colspan="3" class="num" { "To " (what) }
                            }
                        }
                        tr {
                            td {} th scope="col" class="num" { "Incidents" }
                            @for _ in 0..3 {
                                th scope="col" class="num" { "n" } th scope="col" class="num" { "median" }
                                th scope="col" class="num" { "9 of 10" }
                            }
                        }
                    }
                    tbody {
                        @for row in rows {
                            tr {
                                th scope="row" { (name(row)) } td class="num" { (row.incidents) } (cell(&row.acknowledge))
                                (cell(&row.mitigate)) (cell(&row.resolve))
                            }
                        }
                    }
                }
            }
        }
    }
}

fn targets_table(targets: &[TrendTarget]) -> Markup {
    html! {
        div class="wide-table" tabindex="0" role="group" aria-label="Targets kept and missed" {
            table {
                thead {
                    tr {
                        th scope="col" { "Severity" } th scope="col" { "Target" } th scope="col" { "Clock" }
                        th scope="col" class="num" { "Kept" } th scope="col" class="num" { "Missed" }
                    }
                }
                tbody {
                    @for one in targets {
                        tr {
                            td { (one.severity.word().to_uppercase()) } td { bdi { (one.target) } }
                            td { (pieces::capital(one.clock.word())) }
                            td class="num" { (one.kept) } td class="num" { (one.missed) }
                        }
                    }
                }
            }
        }
    }
}

/// A length in words.
fn length(seconds: i64) -> String {
    in_words(SignedDuration::from_secs(seconds), true)
}
