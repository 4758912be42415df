//! Forms of coordination: roles, tasks, updates to stakeholders, instants, decisions.

use allclear_domain::incident::Instant;
use allclear_domain::incident::lifecycle::{Verb, next};
use allclear_domain::org::snapshot::Org;
use allclear_domain::view::TaskView;
use maud::{Markup, html};

use crate::access::form_key::once;
use crate::frame::pieces;
use crate::incident::Told;
use crate::incident::ask_forms::{folded, path, unfolding, words};

/// Until when the next update may be promised: the cadences that people use, from minutes to a day.
const PROMISES: [(&str, &str); 6] = [
    ("15m", "in 15 minutes"),
    ("30m", "in 30 minutes"),
    ("1h", "in an hour"),
    ("2h", "in 2 hours"),
    ("4h", "in 4 hours"),
    ("1d", "tomorrow"),
];
/// By when a task may be due.
const DUE_IN: [(&str, &str); 5] = [("15m", "15 minutes"), ("30m", "30 minutes"), ("1h", "an hour"), ("4h", "4 hours"), ("1d", "a day")];

fn fits(told: &Told, verb: Verb) -> bool {
    next(told.incident.state, verb).is_ok()
}

/// Commands that are asked for less often.
pub(crate) fn bar(told: &Told, org: &Org) -> Markup {
    let field = html! {
        label class="field" {
            span { "Title" }
            input name="title" required value=(if told.draft.verb == "rename" { told.draft.typed("rename", "title") } else { &told.incident.title });
        }
    };
    html! {
        @if fits(told, Verb::Review) && told.incident.review.is_none() {
            form method="post" action=(path(told, "review")) class="at-once" data-key="review" { (told.draft.refused("review")) (once(&told.when)) button class="may" type="submit" { "Ask for a review" } }
        }
        @if told.incident.private {
            @if fits(told, Verb::Admit) {
                (folded(told, "admit", "Admit", &html! {
                    label class="field" { span { "Who may see it, too" } (pieces::person_choice(org, "person", Some(told.draft.typed("admit", "person")), None)) }
                    (words(told, "admit", "why", "Why?", true))
                }, "Admit"))
            }
            @if fits(told, Verb::OpenUp) { (folded(told, "open_up", "Open up", &words(told, "open_up", "why", "Why may everybody see it?", true), "Open it up")) }
        } @else if fits(told, Verb::Restrict) {
            (folded(told, "restrict", "Make private", &words(told, "restrict", "why", "Why may only few see it?", true), "Make it private"))
        }
        @if fits(told, Verb::Rename) { (folded(told, "rename", "Rename", &field, "Rename")) }
    }
}

/// Further buttons of the composer.
pub(crate) fn say_as(told: &Told) -> Markup {
    html! {
        @if fits(told, Verb::Decision) {
            button class="may" type="submit" formaction=(path(told, "decision")) { "Decision" }
            label class="check small" { input type="checkbox" name="reversible" value="1" checked[!told.draft.typed("decision", "reversible").is_empty()]; span { "can be undone" } }
        }
    }
}

/// Who takes which role: one press to take command, a form for the rest.
pub(crate) fn roles(told: &Told, org: &Org) -> Markup {
    if !fits(told, Verb::Role) {
        return html! {};
    }
    let offered: Vec<_> = told.incident.roles.iter().filter(|role| role.offered_to.is_some() && role.offered_to == told.me).collect();
    let mine: Vec<_> = told.incident.roles.iter().filter(|role| role.person.is_some() && role.person == told.me).collect();
    let leads = mine.iter().any(|role| role.role == "commander");
    let typed = |name: &str| told.draft.typed("role", name);
    let press = |role: &str, deed: &str, class: &str, words: &str| {
        html! {
            form method="post" action=(path(told, "role")) class="at-once" data-key={ (deed) (role) } {
                (once(&told.when))
                input type="hidden" name="role" value=(role);
                button class=(class) type="submit" name="do" value=(deed) { (words) }
            }
        }
    };
    html! {
        div class="acts stay" data-live="role-acts" {
            @for role in &offered { (press(&role.role, "take", "do", &format!("Accept: {}", role.role))) }
            @if !leads && told.me.is_some() && !offered.iter().any(|role| role.role == "commander") { (press("commander", "take", "may", "Take command")) }
            @for role in &mine { (press(&role.role, "leave", "may", &format!("Leave: {}", role.role))) }
            (unfolding(told, "role", "Give a role", "", &html! {
                label class="field" {
                    span { "Role" }
                    select name="role" { @for role in org.roles() { option value=(role) selected[typed("role") == role] { (pieces::capital(role)) } } }
                }
                label class="field" { span { "Who" } (pieces::person_choice(org, "person", Some(typed("person")), None)) }
                label class="check" { input type="radio" name="do" value="offer" checked[typed("do") != "take"]; span { "Ask them: they have it once they accept" } }
                label class="check" { input type="radio" name="do" value="take" checked[typed("do") == "take"]; span { "They have it from now on" } }
            }, "Give it"))
        }
    }
}

/// Corrections of what is known of when.
pub(crate) fn times(told: &Told) -> Markup {
    if !fits(told, Verb::Time) {
        return html! {};
    }
    let typed = |name: &str| told.draft.typed("time", name);
    html! {
        div class="acts stay" {
            (unfolding(told, "time", "Correct a time", "", &html! {
                label class="field" {
                    span { "Which" }
                    select name="instant" {
                        @for instant in Instant::ALL { option value=(instant.word()) selected[typed("instant") == instant.word()] { (pieces::capital(&instant.word().replace('_', " "))) } }
                    }
                }
                label class="field" { span { "When" span class="quiet" { " " (told.when.zone()) ", empty where it is not known" } } input type="datetime-local" step="1" name="at" value=(typed("at")); }
                label class="field" { span { "Why?" } textarea name="why" rows="2" required { (typed("why")) } }
            }, "Correct it"))
        }
    }
}

/// A further task.
pub(crate) fn add_task(told: &Told, org: &Org) -> Markup {
    if !fits(told, Verb::Task) {
        return html! {};
    }
    let typed = |name: &str| told.draft.typed("task", name);
    html! {
        div class="acts stay" {
            (unfolding(told, "task", "Add a task", "", &html! {
                label class="field" { span { "What is to be done?" } textarea name="text" rows="2" required { (typed("text")) } }
                div class="row-of" {
                    label class="field" { span { "Who" } (pieces::person_choice(org, "owner", Some(typed("owner")), Some("Nobody yet"))) }
                    label class="field" {
                        span { "Within" }
                        select name="within" { option value="" { "No time is set" } @for (value, words) in DUE_IN { option value=(value) selected[typed("within") == value] { (words) } } }
                    }
                }
            }, "Add it"))
        }
    }
}

/// What is done with one task.
pub(crate) fn task(told: &Told, org: &Org, task: &TaskView) -> Markup {
    let verb = format!("task-{}", task.task);
    html! {
        div class="task-acts" {
            form method="post" action=(path(told, "task")) class="at-once" data-key="done" {
                (once(&told.when))
                input type="hidden" name="task" value=(task.task);
                button class="may" type="submit" name="state" value="done" aria-label={ "Done: task " (task.task) } { "Done" }
            }
            details class="act-one" name="act" open[told.draft.verb == verb] data-key="more" {
                summary aria-label={ "More for task " (task.task) } { "…" }
                form method="post" action=(path(told, "task")) {
                    (told.draft.refused(&verb)) (once(&told.when))
                    input type="hidden" name="task" value=(task.task);
                    label class="field" { span { "Give it to" } (pieces::person_choice(org, "owner", task.owner.as_deref(), Some("Nobody else"))) }
                    label class="field" { span { "Note" span class="quiet" { " (may stay empty)" } } textarea name="note" rows="2" { (told.draft.typed(&verb, "note")) } }
                    div class="row-of" {
                        button class="do" type="submit" name="state" value="" { "Give it" }
                        button class="may" type="submit" name="state" value="done" { "Done" }
                        button class="may" type="submit" name="state" value="dropped" { "Drop it" }
                    }
                }
            }
        }
    }
}

/// A word to stakeholders, with the promise of the next.
pub(crate) fn update(told: &Told, org: &Org) -> Markup {
    let typed = |name: &str| told.draft.typed("update", name);
    let cadence = org.severity(told.incident.severity).update_every;
    unfolding(
        told,
        "update",
        "Update",
        "",
        &html! {
                label class="field" { span { "What do they need to know?" } textarea name="text" rows="4" required { (typed("text")) } }
                fieldset class="choice" {
                    legend { "To" }
                    @if org.bundle().audiences.is_empty() { p class="hint" { "No audience is set, so it stands in the log only." } }
                    @for audience in &org.bundle().audiences {
                        @let field = format!("to:{}", audience.id);
                        label class="check" {
                            input type="checkbox" name=(field) value="1" checked[told.draft.verb != "update" || !typed(&field).is_empty()];
                            span { (audience.name.as_deref().unwrap_or(&audience.id)) }
                        }
                    }
                }
                label class="field" {
                    span { "The next one" }
                    select name="next_within" {
                        option value="" { @match cadence { Some(every) => { "As usual for its severity: in " (every) }, None => "Nothing is promised" } }
                        @for (value, words) in PROMISES { option value=(value) selected[typed("next_within") == value] { (words) } }
                    }
                }
        },
        "Send it",
    )
}
