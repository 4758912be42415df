//! The log of an incident as it stands on its page: a line for each thing that happened, with what belongs to it folded under it.

use allclear_domain::event::Mark;
use allclear_domain::org::snapshot::Org;
use allclear_domain::timeline::{self, NOTED};
use allclear_domain::view::{Came, EventView, LogLine, Told, ToldStep};
use maud::{Markup, html};

use crate::frame::pieces::{self, LINE_CHARS_MAX};
use crate::incident::{PageData, ask_forms, log, record};

/// Characters that a line unfolds to.
const UNFOLDED_CHARS_MAX: usize = 8000;
/// People that the line of a step names; a team of two hundred unfolds.
const PEOPLE_NAMED_MAX: usize = 8;

/// The column of the log, with what is written to it.
pub(crate) fn section(told: &PageData, org: &Org) -> Markup {
    let base = format!("/incidents/{}", told.incident.reference);
    let shown = &told.log;
    let key = if told.part.key { "&key" } else { "" };
    let when = &told.when;
    html! {
        section class="log part-log" id="log" aria-label="Log" {
            header {
                h2 { "Log" span class="quiet" { " · times in " (when.zone()) } }
                p class="only-screen" {
                    @if told.part.key { a href={ (base) "?all" } { "Everything" } strong { "Key events" } }
                    @else if shown.whole_from.is_some() {
                        a href={ (base) "?all" } { "Everything" } strong { "Key events, newest " (log::NEWEST_SHOWN) }
                    }
                    @else { strong { "Everything" } a href={ (base) "?key" } { "Key events" } }
                    a href={ (base) "/briefing" } { "Briefing" }
                }
            }
            div class="log-box" tabindex="0" role="region" aria-label="Log, oldest first" {
                div class="log-in" {
                    @if shown.before {
                        p class="quiet" { "There is more before this. " a href={ (base) "?from=0" (key) } { "From the beginning" } }
                    }
                    ol data-live="log" data-grows { (lines(told, org)) }
                    @if let Some(seq) = shown.after {
                        p { a href={ (base) "?from=" (seq) (key) } { "Later" } " · " a href=(base) { "The end" } }
                    }
                }
            }
            @if told.may_act { (ask_forms::marks(told)) (ask_forms::say(told)) }
            (record::section(told))
        }
    }
}

fn lines(told: &PageData, org: &Org) -> Markup {
    let when = &told.when;
    let mut day = None;
    let today = when.day(when.now);
    html! {
        @for line in &told.log.lines {
            @if told.log.whole_from == Some(line.event.seq) {
                li class="day" data-key="whole" { "The newest lines, all of them" }
            }
            @let its = when.day(line.event.at);
            @let before = day.replace(its);
            @if before != Some(its) && (its != today || before.is_some()) {
                li class="day" data-key={ "d" (its) } { (when.day_words(its)) }
            }
            (one(told, line, org))
        }
    }
}

fn one(told: &PageData, line: &LogLine, org: &Org) -> Markup {
    let event = &line.event;
    let is_key = log::is_key(event, &told.incident);
    let by = pieces::actor(org, &event.actor).filter(|name| shows_actor(&event.kind) && !event.line.contains(name.as_str()));
    let words = html! {
        @match line.told.as_ref().filter(|told| !told.people.is_empty()) {
            Some(told) => (whom(told, org)),
            None => bdi { (pieces::cut(&event.line, LINE_CHARS_MAX)) },
        }
    };
    let more = unfolded(told, line);
    html! {
        li class=[is_key.then_some("key")] data-key=(event.seq) {
            (told.when.second(event.at))
            div {
                @match more { Some(more) => details { summary { (words) } (more) }, None => (words) }
                @if let Some(by) = by { small { " · by " bdi { (by) } } }
                @if told.may_act && event.kind == NOTED { (ask_forms::mark(told, event, is_key)) }
            }
        }
    }
}

/// What a line unfolds to: its own words where they were cut or said shorter, and what belongs to it.
fn unfolded(told: &PageData, line: &LogLine) -> Option<Markup> {
    let long = line.told.is_some() || line.event.line.chars().count() > LINE_CHARS_MAX;
    if !long && line.under.is_empty() {
        return None;
    }
    let said = |event: &EventView| html! { bdi { (pieces::cut(&event.line, UNFOLDED_CHARS_MAX)) } };
    Some(html! {
        @if long { p class="said" { (said(&line.event)) } }
        @for event in &line.under { p { (told.when.second(event.at)) " " (said(event)) } }
    })
}

/// `Told Cho ✓ mail ✓ hook · step 2, 5m to acknowledge`.
fn whom(told: &Told, org: &Org) -> Markup {
    let hidden = told.people.len().saturating_sub(PEOPLE_NAMED_MAX);
    html! {
        @match told.came() { Came::Arrived => "Told", Came::OnItsWay => "Telling", Came::Failed => "Could not tell" }
        @for (n, one) in told.people.iter().take(PEOPLE_NAMED_MAX).enumerate() {
            @if n > 0 { "," } " " bdi { (pieces::name(org, &one.person)) }
            @for (contact, came) in &one.ways {
                " "
                @match came {
                    Came::Arrived => { span aria-hidden="true" { "✓" } span class="vh" { "arrived: " } },
                    Came::OnItsWay => { span aria-hidden="true" { "…" } span class="vh" { "on its way: " } },
                    Came::Failed => { span aria-hidden="true" { "✗" } span class="vh" { "failed: " } },
                }
                bdi { (contact) }
            }
        }
        @if hidden > 0 { " and " (hidden) " more" }
        @for one in &told.passed_over { "; not " bdi { (pieces::name(org, &one.person)) } ": " (pieces::cut(&one.why, LINE_CHARS_MAX)) }
        @if let Some(step) = &told.step { small { " · " (of_step(step)) } }
    }
}

fn of_step(step: &ToldStep) -> Markup {
    html! {
        @if step.catch_all { "catch-all" } @else { "step " (step.step) }
        @if step.round > 1 { " of round " (step.round) }
        @if step.late { ", late" }
        ", " (step.within) " to acknowledge"
    }
}

/// Whether who did it is worth a word.
fn shows_actor(kind: &str) -> bool {
    !timeline::is(kind, Mark::Machinery) && !timeline::is(kind, Mark::Follows)
}
