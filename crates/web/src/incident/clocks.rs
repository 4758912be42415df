//! The clocks of an incident: how much time its target gives, how much of it is over, and a way to pause them while work waits
//! for somebody else.

use allclear_domain::expect::Standing;
use allclear_domain::incident::lifecycle::Verb;
use allclear_domain::org::snapshot::Org;
use allclear_domain::time::in_words;
use allclear_domain::view::ClockView;
use jiff::SignedDuration;
use maud::{Markup, html};

use crate::frame::pieces;
use crate::incident::PageData;
use crate::incident::ask_forms::{drawn, fits};

/// One small table; nothing where no target set a clock.
pub(super) fn table(told: &PageData, org: &Org) -> Markup {
    let clocks = &told.incident.clocks;
    if clocks.is_empty() {
        return html! {};
    }
    let paused = clocks.iter().find_map(|clock| Some((clock.waiting_for?, clock.why.as_deref())));
    let runs = clocks.iter().any(|clock| clock.clock.may_pause() && clock.state == Standing::Live && clock.waiting_for.is_none());
    html! {
        div data-live="clocks" class="group tight" {
            h2 { "Targets" }
            table class="clocks" {
                thead {
                    tr {
                        th scope="col" { "Clock" } th scope="col" { "Elapsed" } th scope="col" { "Left" }
                    }
                }
                tbody { @for clock in clocks { (row(told, clock)) } }
            }
            @if let Some((waits, why)) = paused {
                p class="quiet small" {
                    "Paused, " (waits.words())
                    @if let Some(why) = why { ": " bdi { (pieces::cut(why, pieces::LINE_CHARS_MAX)) } }
                }
            }
        }
        @if told.may_act && (paused.is_some() || runs) {
            div class="acts stay" data-live="clock-acts" {
                @if runs && fits(told, Verb::PauseClock) { (drawn(told, org, Verb::PauseClock)) }
                @if paused.is_some() && fits(told, Verb::ResumeClock) { (drawn(told, org, Verb::ResumeClock)) }
            }
        }
    }
}

fn row(told: &PageData, clock: &ClockView) -> Markup {
    let words = |seconds: i64| in_words(SignedDuration::from_secs(seconds), false);
    let by = format!(
        "By the target {}{}",
        clock.target,
        clock.calendar.as_ref().map_or_else(String::new, |id| format!(", in the open hours of {id}"))
    );
    html! {
        tr data-key=(clock.clock.word()) {
            th scope="row" title=(by) { (pieces::capital(clock.clock.word())) }
            td { (words(clock.elapsed_s)) span class="quiet" { " of " (clock.within) } }
            td {
                @match (clock.state, clock.due_at) {
                    (Standing::Met, _) => "kept",
                    (Standing::Missed, Some(due)) if clock.met_at.is_none() => {
                        span class="late" { "missed" } " " (told.when.counting(due))
                    },
                    (Standing::Missed, _) => "missed",
                    (Standing::Void, _) => span class="quiet" { "was over before" },
                    (Standing::Live, Some(due)) => (told.when.counting(due)),
                    (Standing::Live, None) => span class="quiet" { "paused, " (words(clock.left_s)) " left" },
                }
            }
        }
    }
}
