//! The forms that stand beside the log, by what they are about: who has which role, what is known of when, tasks.
//!
//! They are drawn by hand, since one press does what is likeliest; their fields are those of the table
//! ([`allclear_domain::ask`]).

use allclear_domain::incident::lifecycle::Verb;
use allclear_domain::incident::roles::COMMANDER;
use allclear_domain::org::snapshot::Org;
use allclear_domain::view::{DeedView, RoleView, TaskView};
use maud::{Markup, html};

use crate::access::form_key::once;
use crate::frame::pieces;
use crate::incident::ask_forms::{drawn, fits, path, unfolding};
use crate::incident::{PageData, TAB};

/// That a role is given by the form in which one chooses whether they are asked.
pub(super) const GIVES: &str = "gives";
/// The field of the button of a step that does something by itself: the number of the task.
pub(super) const PERFORM: &str = "perform";

/// By when a task may be due.
const DUE_IN: [(&str, &str); 5] = [("15m", "15 minutes"), ("30m", "30 minutes"), ("1h", "an hour"), ("4h", "4 hours"), ("1d", "a day")];

/// The roles that whoever reads was asked to take.
fn of_reader(told: &PageData) -> impl Iterator<Item = &RoleView> {
    let asked = |role: &&RoleView| role.offered_to.is_some() && role.offered_to == told.me;
    told.incident.roles.iter().filter(asked)
}

/// What whoever reads was asked to take: one line each, with the button that takes it and the way to what they have to know.
pub(super) fn asked_of_reader(told: &PageData, org: &Org) -> Markup {
    if !told.may_act || !fits(told, Verb::Role) || of_reader(told).next().is_none() {
        return html! {};
    }
    html! {
        section class="fitting" aria-label="You are asked" data-live="asked" {
            @for role in of_reader(told) {
                @let what = if role.role == COMMANDER { "command" } else { role.name.as_ref().unwrap_or(&role.role) };
                form method="post" action=(path(told, "role")) class="at-once" data-key={ "asked-" (role.role) } {
                    (once(&told.when))
                    input type="hidden" name="role" value=(role.role); input type="hidden" name=(TAB) value=(told.tab);
                    p {
                        @match &role.offered_by {
                            Some(by) => { strong { bdi { (pieces::name(org, by)) } } " asks you to take " },
                            None => "You are asked to take ",
                        }
                        bdi { (what) }
                        @if told.briefing.is_some() { ". " a href="?tab=people#briefing" { "Read the briefing" } }
                    }
                    button class="do" type="submit" name="do" value="take" aria-label={ "Accept: " (what) } { "Accept" }
                    // Where somebody has it they keep it, and the offer is left to lapse.
                    @if role.person.is_none() {
                        " " button class="may" type="submit" name="do" value="leave" aria-label={ "Decline: " (what) } { "Decline" }
                    }
                }
            }
        }
    }
}

/// The button by which whoever reads takes a role that is needed and that nobody has. Command has its own.
pub(super) fn take_it(told: &PageData, role: &RoleView) -> Markup {
    let is_wanted = role.needed && role.person.is_none() && role.role != COMMANDER;
    if !is_wanted || !told.may_act || told.me.is_none() || role.offered_to == told.me || !fits(told, Verb::Role) {
        return html! {};
    }
    html! {
        form method="post" action=(path(told, "role")) class="at-once" data-key={ "take-" (role.role) } {
            (once(&told.when))
            input type="hidden" name="role" value=(role.role);
            button class="may" type="submit" name="do" value="take" aria-label={ "Take it: " (role.role) } { "Take it" }
        }
    }
}

/// Who takes which role: one press to take command, a form for the rest.
pub(crate) fn roles(told: &PageData, org: &Org) -> Markup {
    if !fits(told, Verb::Role) {
        return html! {};
    }
    let mine: Vec<_> = told.incident.roles.iter().filter(|role| role.person.is_some() && role.person == told.me).collect();
    let leads = mine.iter().any(|role| role.role == COMMANDER);
    let typed = |name: &str| told.draft.typed("role", name);
    let press = |role: &str, deed: &str, words: &str| {
        html! {
            form method="post" action=(path(told, "role")) class="at-once" data-key={ (deed) (role) } {
                (once(&told.when))
                input type="hidden" name="role" value=(role);
                button class="may" type="submit" name="do" value=(deed) { (words) }
            }
        }
    };
    // Those that somebody has to have and nobody has stand first.
    let wanted = |id: &str| told.incident.roles.iter().any(|role| role.role == id && role.needed && role.person.is_none());
    let mut choice: Vec<_> = org.roles().iter().collect();
    choice.sort_by_key(|role| !wanted(&role.id));
    html! {
        div class="acts stay" data-live="role-acts" {
            @for role in &mine {
                @if let Some(by) = &role.asked_by { (hand_over(told, org, &role.role, by)) }
            }
            @if !leads && told.me.is_some() && !of_reader(told).any(|role| role.role == COMMANDER) {
                @match told.incident.commander.as_ref().filter(|_| told.is_held()) {
                    None => (press(COMMANDER, "take", "Take command")),
                    Some(_) => (press(COMMANDER, "ask", "Ask for command")),
                }
            }
            @for role in &mine { (press(&role.role, "leave", &format!("Leave: {}", role.role))) }
            (unfolding(told, "role", "Give a role", "", &html! {
                input type="hidden" name=(GIVES) value="1";
                label class="field" {
                    span { "Role" }
                    select name="role" {
                        @for role in &choice {
                            option value=(role.id) selected[typed("role") == role.id] { (pieces::capital(&role.name)) }
                        }
                    }
                }
                label class="field" { span { "Who" } (pieces::able_choice(org, "person", Some(typed("person")), None)) }
                label class="check" {
                    input type="radio" name="do" value="offer" checked[typed("do") != "take"];
                    span { "Ask them: they have it once they accept" }
                }
                label class="check" {
                    input type="radio" name="do" value="take" checked[typed("do") == "take"];
                    span { "They have it from now on: managers and administrators, with a reason" }
                }
                label class="field" {
                    span { "Why?" span class="quiet" { " (they read it with the question)" } }
                    input name="why" value=(typed("why"));
                }
            }, "Give it"))
        }
    }
}

/// One press gives a role to who asked for it.
fn hand_over(told: &PageData, org: &Org, role: &str, by: &str) -> Markup {
    html! {
        form method="post" action=(path(told, "role")) class="at-once" data-key={ "hand-over-" (role) } {
            (once(&told.when))
            input type="hidden" name="role" value=(role); input type="hidden" name="person" value=(by);
            button class="may" type="submit" name="do" value="take" { "Hand over " (role) " to " bdi { (pieces::name(org, by)) } }
        }
    }
}

/// Corrections of what is known of when.
pub(crate) fn times(told: &PageData, org: &Org) -> Markup {
    if !fits(told, Verb::Time) {
        return html! {};
    }
    html! { div class="acts stay" { (drawn(told, org, Verb::Time)) } }
}

/// A further task.
pub(crate) fn add_task(told: &PageData, org: &Org) -> Markup {
    if !fits(told, Verb::Task) {
        return html! {};
    }
    let typed = |name: &str| told.draft.typed("task", name);
    html! {
        div class="acts stay" {
            (unfolding(told, "task", "Add a task", "", &html! {
                label class="field" { span { "What is to be done?" } textarea name="text" rows="2" required { (typed("text")) } }
                div class="row-of" {
                    label class="field" { span { "Who" } (pieces::able_choice(org, "owner", Some(typed("owner")), Some("Nobody yet"))) }
                    label class="field" {
                        span { "Within" }
                        select name="within" {
                            option value="" { "No time is set" }
                            @for (value, words) in DUE_IN { option value=(value) selected[typed("within") == value] { (words) } }
                        }
                    }
                }
            }, "Add it"))
        }
    }
}

/// The question of a step that is a decision, and a button for each of its options; with room for the reason where somebody
/// unfolded it.
pub(super) fn choices(told: &PageData, task: &TaskView, with_reason: bool) -> Markup {
    let question = task.question.as_deref().unwrap_or(&task.text);
    let form = format!("task-{}", task.task);
    html! {
        form method="post" action=(path(told, "task")) class="at-once" data-key="choose" {
            @if with_reason { (told.draft.refused(&form)) }
            (once(&told.when))
            input type="hidden" name="task" value=(task.task);
            div role="group" aria-labelledby={ "question-" (task.task) } {
                p class="small" id={ "question-" (task.task) } { strong { bdi { (question) } } }
                @if with_reason {
                    label class="field" {
                        span { "Why" span class="quiet" { " (may stay empty)" } }
                        textarea name="note" rows="2" { (told.draft.typed(&form, "note")) }
                    }
                }
                @for (at, option) in task.options.iter().enumerate() {
                    button class="may" type="submit" name="option" value=(at + 1) { (option.text) } " "
                }
                @for option in task.options.iter().filter(|option| !option.skips.is_empty() || option.reversible == Some(false)) {
                    p class="quiet small" {
                        bdi { (option.text) } ":"
                        @if !option.skips.is_empty() { " skips " (numbers(&option.skips)) }
                        @if option.reversible == Some(false) { " cannot be undone" }
                    }
                }
            }
        }
    }
}

/// `2 and 3`.
pub(super) fn numbers(tasks: &[u32]) -> String {
    let numbers: Vec<String> = tasks.iter().map(u32::to_string).collect();
    match numbers.as_slice() {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        _ => numbers.concat(),
    }
}

/// Lets a step do what it does by itself; again where that did not go well.
pub(super) fn perform(told: &PageData, task: &TaskView) -> Markup {
    let again = task.deed.as_ref().is_some_and(|deed| deed.state.is_some());
    let words = if again { "Do it again" } else { "Do it" };
    html! {
        form method="post" action=(path(told, "task")) class="at-once" data-key="perform" {
            (once(&told.when))
            button class="may" name=(PERFORM) value=(task.task) aria-label={ (words) ": step " (task.task) } { (words) }
        }
    }
}

/// What is done with one task.
pub(crate) fn task(told: &PageData, org: &Org, task: &TaskView) -> Markup {
    let verb = format!("task-{}", task.task);
    let typed = |name: &str| told.draft.typed(&verb, name);
    // What is a decision is done by choosing.
    let decides = !task.options.is_empty();
    let (note, drop) = if task.plan.is_some() { (" (why, where it is skipped)", "Skip it") } else { (" (may stay empty)", "Drop it") };
    let words = if told.draft.verb == verb && !typed("text").is_empty() { typed("text") } else { &task.text };
    html! {
        div class="task-acts" {
            @if task.is_next() && task.deed.as_ref().is_some_and(DeedView::may_begin) { (perform(told, task)) }
            @if !decides {
                form method="post" action=(path(told, "task")) class="at-once" data-key="done" {
                    (once(&told.when))
                    input type="hidden" name="task" value=(task.task);
                    button class="may" type="submit" name="state" value="done" aria-label={ "Done: task " (task.task) } { "Done" }
                }
            }
            details class="act-one" name="act" open[told.draft.verb == verb] data-key="more" {
                summary aria-label={ "More for task " (task.task) } { "…" }
                div class="sheet" {
                    @if decides { (choices(told, task, true)) }
                    form method="post" action=(path(told, "task")) {
                        @if !decides { (told.draft.refused(&verb)) } (once(&told.when))
                        input type="hidden" name="task" value=(task.task);
                        label class="field" {
                            span { "Give it to" } (pieces::able_choice(org, "owner", task.owner.as_deref(), Some("Nobody else")))
                        }
                        label class="field" {
                            span { "Note" span class="quiet" { (note) } }
                            textarea name="note" rows="2" { (told.draft.typed(&verb, "note")) }
                        }
                        div class="row-of" {
                            button class="do" type="submit" name="state" value="" { "Give it" }
                            @if !decides { button class="may" type="submit" name="state" value="done" { "Done" } }
                            button class="may" type="submit" name="state" value="dropped" { (drop) }
                        }
                    }
                    form method="post" action=(path(told, "task")) {
                        (once(&told.when))
                        input type="hidden" name="task" value=(task.task);
                        label class="field" { span { "What is to be done?" } textarea name="text" rows="2" required { (words) } }
                        label class="field" {
                            span { "Within" }
                            select name="within" {
                                option value="" { "Its time stays" }
                                @for (value, words) in DUE_IN { option value=(value) selected[typed("within") == value] { (words) } }
                            }
                        }
                        button class="may" type="submit" { "Change it" }
                    }
                }
            }
        }
    }
}
