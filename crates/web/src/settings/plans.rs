//! Plans among the settings: those that are shipped, each with the button that adopts it, and what one would do.

use allclear_domain::org::shipped::SHIPPED;
use allclear_domain::org::snapshot::Org;
use allclear_domain::severity::Severity;
use allclear_domain::view::{PlanTryView, TriedTarget};
use jiff::Timestamp;
use maud::{Markup, html};

use crate::access::form_key::once;
use crate::frame::pieces;
use crate::frame::time_text::When;

/// The severity that a plan is tried at: whom it pages is reached as for something grave.
const TRIED_AT: Severity = Severity::Sev2;

/// Those that are shipped and not adopted yet.
pub(super) fn shipped(org: &Org, when: &When) -> Markup {
    let rest: Vec<_> = SHIPPED.iter().filter(|shipped| org.plan(shipped.id).is_none()).collect();
    html! {
        @if !rest.is_empty() {
            section class="section" id="shipped" {
                h2 { "Ready to adopt" }
                p class="quiet prose" { "Plans to begin with. What is adopted is yours: change it as you need it." }
                ul class="tasks" {
                    @for plan in rest {
                        li {
                            form method="post" action={ "/settings/plan/" (plan.id) "/adopt" } class="at-once"
                                data-key={ "adopt-" (plan.id) } {
                                (once(when))
                                p { strong { (plan.name) } span class="quiet" { ": " (plan.purpose) } }
                                button class="may" type="submit" aria-label={ "Adopt the plan " (plan.name) } { "Adopt it" }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// What the stored plan would do, were it to start now.
pub(super) fn tried(org: &Org, when: &When, id: &str) -> Markup {
    let Some(plan) = org.plan(id) else { return html! {} };
    let told = PlanTryView::of(org, plan, None, TRIED_AT, when.now);
    html! {
        section class="section" id="tried" {
            h2 { "What would it do?" span class="quiet" { " · as it is saved, were it to start now" } }
            @if let Some(day) = told.overdue_since {
                p { span class="late" { "Overdue" } " It was to be looked through by " (day) "." }
            }
            ol class="tasks" {
                @for task in &told.tasks {
                    li {
                        p { bdi { (task.text) } }
                        p class="quiet small" {
                            @match (&task.person, &task.role) {
                                (Some(id), _) => bdi { (pieces::name(org, id)) },
                                (None, Some(role)) => (pieces::capital(role)),
                                (None, None) => "anybody",
                            }
                            @if !task.after.is_empty() { " · after " (task.after.join(", ")) }
                            @if let Some(due) = task.due_at { " · due " (after_start(when.now, due)) " after the start" }
                        }
                        @if let Some(question) = &task.question {
                            p class="quiet small" { bdi { (question) } " " (task.options.join("; ")) }
                        }
                        @if let Some(deed) = &task.deed {
                            p class="quiet small" {
                                "POST to " bdi { (deed.host) } @if deed.by_itself { " by itself" } @else { " when somebody presses it" }
                            }
                            pre class="small" tabindex="0" { code { (deed.body) } }
                        }
                    }
                }
            }
            @for role in &told.roles {
                p {
                    (pieces::capital(&role.role)) " is needed within " (role.within) ": "
                    @match &role.asked { Some(id) => { bdi { (pieces::name(org, id)) } " is asked" }, None => "nobody is asked" } "."
                }
            }
            @for target in &told.asks { (paged(org, target)) }
            @for request in &told.requests { p { "Asks " bdi { (request) } "." } }
            @for id in &told.obligations { p { "Proposes the obligation " code { (id) } "." } }
        }
    }
}

fn after_start(now: Timestamp, due: Timestamp) -> String {
    allclear_domain::time::in_words(due.duration_since(now), false)
}

fn paged(org: &Org, target: &TriedTarget) -> Markup {
    html! {
        p {
            code { (target.target) }
            @if target.is_organisation() { " takes part, by " } @else { " pages " }
            @match &target.why_nobody {
                Some(why) => { "nobody: " (why) },
                None => {
                    @for (n, one) in target.people.iter().enumerate() {
                        @if n > 0 { ", " }
                        bdi { (pieces::name(org, &one.person)) } span class="quiet" { " (" (one.contacts.join(", ")) ")" }
                    }
                },
            }
            "."
        }
    }
}
