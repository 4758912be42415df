//! The briefing on the page of an incident, for whoever has a role or was asked to take one over.

use allclear_domain::org::snapshot::{ORGANISATION, Org};
use allclear_domain::view::BriefingView;
use maud::{Markup, html};

use crate::frame::pieces::{self, LINE_CHARS_MAX};
use crate::incident::PageData;

/// Its parts in the order in which a role is handed over; open for whoever is asked to take one from somebody.
pub(crate) fn section(told: &PageData, briefing: &BriefingView, org: &Org) -> Markup {
    let when = &told.when;
    let asked = told.incident.roles.iter().any(|role| role.person.is_some() && role.offered_to.is_some() && role.offered_to == told.me);
    html! {
        details class="card" data-key="briefing" open[asked] {
            summary { "Briefing" span class="quiet" { " · as of " (when.time(briefing.at, &when.clock(briefing.at))) } }
            (part("What happened", &html! {
                @for one in &briefing.history { li { (when.stamp(one.at)) " " bdi { (pieces::cut(&one.line, LINE_CHARS_MAX)) } } }
                @if briefing.left_out > 0 { li class="quiet" { (briefing.left_out) " key events are left out; the log has them" } }
            }, briefing.history.is_empty()))
            (part("Decided", &html! {
                @for one in &briefing.decisions { li { bdi { (pieces::cut(&one.line, LINE_CHARS_MAX)) } } }
            }, briefing.decisions.is_empty()))
            (part("Affected", &html! {
                @for one in &briefing.affected { li { bdi { (one.service) } ": " (one.impact.word()) } }
            }, briefing.affected.is_empty()))
            (part("To do", &html! {
                @for task in &briefing.tasks {
                    li {
                        @match task.owner.as_ref().or(task.doer.as_ref()) {
                            Some(id) => bdi { (pieces::name(org, id)) },
                            None => "nobody yet",
                        }
                        ": " bdi { (task.text) }
                        @if let Some(due) = task.due_at { " · " (when.counting(due)) }
                    }
                }
            }, briefing.tasks.is_empty()))
            (part("May be the cause", &html! {
                @for one in &briefing.hypotheses {
                    li {
                        bdi { (one.text) } " · " (one.state.word())
                        @for tried in &one.tries {
                            " · tried " bdi { (tried.tried) } @if let Some(result) = &tried.result { ": " bdi { (result) } }
                        }
                    }
                }
            }, briefing.hypotheses.is_empty()))
            (part("Asked of others", &html! {
                @for one in &briefing.requests {
                    li {
                        bdi { (pieces::name(org, &format!("{ORGANISATION}{}", one.organisation))) } ": " bdi { (one.text) }
                        @if let Some(due) = one.due_at { " · " (when.counting(due)) }
                    }
                }
            }, briefing.requests.is_empty()))
            (part("Before it is over", &html! {
                @for item in &briefing.recovery { li { bdi { (item.text) } } }
            }, briefing.recovery.is_empty()))
            (part("Told outside last", &html! {
                @if let Some(update) = &briefing.last_update {
                    li { (when.stamp(update.at)) " " bdi { (pieces::cut(&update.text, LINE_CHARS_MAX)) } }
                }
            }, briefing.last_update.is_none()))
            (part("Promised and awaited", &html! {
                @for one in &briefing.promises {
                    li {
                        (when.counting(one.due_at)) " · " bdi { (one.what) }
                        @if let Some(or_else) = &one.or_else { " (else " (or_else) ")" }
                    }
                }
            }, briefing.promises.is_empty()))
            (part("To watch", &html! {
                @for risk in &briefing.risks { li { bdi { (risk) } } }
            }, briefing.risks.is_empty()))
        }
    }
}

fn part(heading: &str, lines: &Markup, is_empty: bool) -> Markup {
    html! { @if !is_empty { p class="small" { strong { (heading) } } ul { (lines) } } }
}
