//! What forms of an incident ask of its plans: which one is started, and what has to hold yet where something ends.

use allclear_domain::incident::running::{RecoveryState, back_in_words};
use allclear_domain::org::snapshot::Org;
use maud::{Markup, html};

use crate::frame::pieces;
use crate::incident::PageData;

/// Whether something has to hold yet before it is over.
pub(super) fn is_open(told: &PageData) -> bool {
    told.incident.recovery.iter().any(|item| item.state == RecoveryState::Open)
        || told.incident.restored.iter().any(|one| !one.through)
        || is_owed(told)
        || told.awaits_review
}

/// Whether a regulator may be owed something still, where it is over but for that.
fn is_owed(told: &PageData) -> bool {
    !told.incident.state.is_open() && told.incident.obligations.iter().any(|one| one.state.is_open())
}

/// What that is.
pub(super) fn still_open(told: &PageData) -> Markup {
    html! {
        @if is_owed(told) {
            p {
                strong { "A regulator may be owed still; closing ends these clocks, and nobody is reminded of them unless it is reopened:" }
            }
            ul {
                @for one in told.incident.obligations.iter().filter(|one| one.state.is_open()) {
                    li { bdi { (one.name) } ", " (one.state.words()) }
                }
            }
        }
        @if let Some(review) = told.incident.review.as_ref().filter(|_| told.awaits_review) {
            p { strong { a href={ "/reviews/" (review) } { "Its review" } " is not published yet" } }
        }
        @if told.incident.recovery.iter().any(|item| item.state == RecoveryState::Open) { p { strong { "Not yet said to hold:" } } }
        @if told.incident.restored.iter().any(|one| !one.through) { p { strong { "Not wholly back:" } } }
        ul {
            @for one in told.incident.restored.iter().filter(|one| !one.through) {
                li { bdi { (one.service) } ", " (back_in_words(one.percent, one.backlog)) }
            }
        }
        ul { @for item in told.incident.recovery.iter().filter(|item| item.state == RecoveryState::Open) { li { bdi { (item.text) } } } }
    }
}

/// The plans that can be started here.
pub(super) fn choice(told: &PageData, org: &Org, name: &str, typed: &str) -> Markup {
    let runs = |id: &str| told.incident.plans.iter().any(|running| running.plan == id);
    html! {
        select name=(name) required {
            @for plan in org.bundle().plans.iter().filter(|plan| !runs(&plan.id)) {
                @let overdue = plan.overdue_since(told.when.now);
                @let overdue = overdue.map_or_else(String::new, |day| format!(" (to be looked through by {day})"));
                (pieces::choice(&plan.id, typed == plan.id, &format!("{}{overdue}", plan.called())))
            }
        }
    }
}
