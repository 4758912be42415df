//! Calendars that others keep and the schedule names: how old what is here of each is, and what of it has nobody on though it means
//! to. What they say is text, whatever it looks like.

use allclear_domain::view::ExternalCalendarView;
use maud::{Markup, html};

use crate::frame::pieces;
use crate::frame::time_text::When;

/// Most events of each that are listed.
const LISTED_MAX: usize = 10;
/// Most characters of what an event is called.
const CALLED_CHARS_MAX: usize = 80;

/// The section; nothing where the schedule names none.
pub(super) fn section(calendars: &[ExternalCalendarView], when: &When) -> Markup {
    html! {
        @if !calendars.is_empty() {
            section class="section" data-live="external-calendars" {
                h2 { "External calendars" }
                @for one in calendars { (of(one, when)) }
            }
        }
    }
}

fn of(one: &ExternalCalendarView, when: &When) -> Markup {
    html! {
        p {
            strong { bdi { (pieces::cut(&one.name, CALLED_CHARS_MAX)) } }
            @if let Some(at) = one.read_at { span class="quiet" { " · read " (when.time(at, &when.ago(at))) } }
            @else if one.is_read { span class="quiet" { " · not read yet" } }
            @else { span class="quiet" { " · a text that was given" } }
        }
        @if let Some(since) = one.failing_since {
            p class="refusal" {
                strong { "It cannot be read since " (when.time(since, &when.minute(since))) }
                @if let Some(why) = &one.why { (pieces::cut(why, 200)) ". " }
                @if one.read_at.is_some() { "What was read before counts, and goes on." } @else { "Nobody is on call by it." }
            }
        }
        @if let Some(why) = one.unreadable.as_ref().filter(|_| one.failing_since.is_none()) {
            p class="refusal" { strong { "Nobody is on call by it" } (pieces::cut(why, 200)) }
        }
        @if one.is_cut {
            p class="refusal" {
                strong { "More than is read" }
                "It has more turns in four weeks than are read; some of them have nobody on."
            }
        }
        @if !one.strangers.is_empty() {
            p { "These events mean nobody who is known here, so that nobody is on by them:" }
            ul {
                @for stranger in one.strangers.iter().take(LISTED_MAX) {
                    li {
                        (when.time(stranger.starts_at, &when.minute(stranger.starts_at))) " – "
                        (when.time(stranger.ends_at, &when.minute(stranger.ends_at))) ": "
                        bdi { (pieces::cut(&stranger.summary, CALLED_CHARS_MAX)) }
                        @if stranger.said.iter().any(|said| *said != stranger.summary) {
                            span class="quiet" { " (" bdi { (pieces::cut(&stranger.said.join(", "), CALLED_CHARS_MAX)) } ")" }
                        }
                    }
                }
                @if one.strangers.len() > LISTED_MAX { li class="quiet" { "and " (one.strangers.len() - LISTED_MAX) " more" } }
            }
        }
        @if one.faults_count > 0 {
            p { "These events cannot be read, so that nobody is on by them:" }
            ul {
                @for fault in one.faults.iter().take(LISTED_MAX) { li { bdi { (pieces::cut(fault, 300)) } } }
                @if one.faults_count as usize > LISTED_MAX { li class="quiet" { "and " (one.faults_count as usize - LISTED_MAX) " more" } }
            }
        }
    }
}
