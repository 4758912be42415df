//! How far the services of an incident are back, a bar each, and what those outside who reported it say and are told.

use allclear_domain::incident::lifecycle::Verb;
use allclear_domain::incident::running::PERCENT_MAX;
use allclear_domain::org::snapshot::Org;
use allclear_domain::view::{ReportsView, ServiceBackView};
use maud::{Markup, html};

use crate::frame::pieces;
use crate::incident::PageData;
use crate::incident::ask_forms::{drawn, fits};

/// Characters of a note, and of what somebody outside said; the log has all of it.
const LINE_CHARS_MAX: usize = 300;
/// Words of reporters that are drawn, the newest.
const WORDS_SHOWN: usize = 10;
/// Width and height of a bar.
const BAR: (u32, u32) = (100, 8);

/// Both, where there is something of them.
pub(super) fn section(told: &PageData, org: &Org) -> Markup {
    let incident = &told.incident;
    html! {
        @if !incident.restored.is_empty() || incident.reports.is_some() {
            section class="part-tasks" {
                @if !incident.restored.is_empty() { div data-live="restored" class="group tight" { (table(told, org)) } }
                @if let Some(reports) = &incident.reports {
                    div data-live="reports" class="group tight" { (words(told, reports)) }
                    @if told.may_act && fits(told, Verb::Tell) {
                        div class="acts stay" data-live="reports-acts" { (drawn(told, org, Verb::Tell)) }
                    }
                }
            }
        }
    }
}

fn table(told: &PageData, org: &Org) -> Markup {
    let list = &told.incident.restored;
    let through = list.iter().filter(|one| one.through).count();
    html! {
        h2 { "Back to normal" span class="quiet" { " · " (through) " of " (list.len()) } }
        ul class="pairs" { @for one in list { (row(told, org, one)) } }
    }
}

fn row(told: &PageData, org: &Org, one: &ServiceBackView) -> Markup {
    html! {
        li data-key=(one.service) {
            span { bdi { (pieces::service(org, &one.service)) } }
            span {
                (bar(one.percent)) " " strong { (one.percent) " %" }
                @match one.backlog {
                    None => {},
                    Some(0) => " · backlog cleared",
                    Some(left) => { " · " (left) " left of the backlog" },
                }
                @if one.again { " · to be looked at again" }
                span class="quiet small" {
                    " · " (told.when.time(one.said_at, &told.when.ago(one.said_at)))
                    @if let Some(by) = &one.by { " by " bdi { (pieces::name(org, by)) } }
                    @if let Some(note) = &one.note { ": " bdi { (pieces::cut(note, LINE_CHARS_MAX)) } }
                    @if let Some(why) = &one.waived { " · waived: " bdi { (pieces::cut(why, LINE_CHARS_MAX)) } }
                }
            }
        }
    }
}

/// A bar, beside which its number stands as text.
fn bar(percent: u8) -> Markup {
    let (width, height) = BAR;
    html! {
        svg width=(width) height=(height) viewBox={ "0 0 " (width) " " (height) } aria-hidden="true" focusable="false" {
            rect width=(width) height=(height) rx="4" fill="currentColor" opacity="0.15" {}
            rect width=(u32::from(percent.min(PERCENT_MAX))) height=(height) rx="4" fill="currentColor" {}
        }
    }
}

fn words(told: &PageData, reports: &ReportsView) -> Markup {
    let hidden = reports.words.len().saturating_sub(WORDS_SHOWN);
    html! {
        h2 {
            "Reported from outside"
            @if reports.reopened > 0 {
                span class="quiet" { " · reopened by them " (reports.reopened) @if reports.reopened == 1 { " time" } @else { " times" } }
            }
        }
        @if reports.agreed > 0 { p class="quiet small" { "Fixed for " (reports.agreed) " of them." } }
        @if hidden > 0 { p class="quiet small" { (hidden) " earlier words stand in the log." } }
        ul class="pairs" {
            @for word in reports.words.iter().skip(hidden) {
                li {
                    span { @if word.report.is_some() { "A reporter" } @else { "To all of them" } }
                    span {
                        bdi { (pieces::cut(&word.text, LINE_CHARS_MAX)) }
                        span class="quiet small" { " · " (told.when.time(word.at, &told.when.ago(word.at))) }
                    }
                }
            }
        }
    }
}
