//! The plans of an incident: which fit it, the steps of those that run, where they were left, and what has to hold before the
//! incident is over. A step is done by one tap; what else is done with it unfolds.

use allclear_domain::incident::lifecycle::Verb;
use allclear_domain::incident::running::{DeedState, RecoveryState};
use allclear_domain::incident::work::TaskState;
use allclear_domain::org::snapshot::Org;
use allclear_domain::view::{DeedView, DeviationView, PlanView, RecoveryView, TaskView};
use maud::{Markup, html};

use crate::access::form_key::once;
use crate::frame::pieces::{self, LINE_CHARS_MAX};
use crate::incident::ask_forms::{drawn, fits, path, way_to, words};
use crate::incident::{PageData, aside_forms};

/// The field of a step's one button: the number of the task that is done.
pub(super) const DONE: &str = "done";
/// Most characters that are shown of what a step sends; the API has the whole.
const BODY_SHOWN_MAX: usize = 400;
/// Decisions that stand on the page with their buttons; of more that may be made at once the rest unfold, as a page stays light.
const CHOICES_SHOWN: usize = 3;

/// Plans that fit it: one line each, with the button that starts it.
pub(super) fn proposed(told: &PageData) -> Markup {
    html! {
        @if !told.incident.proposed.is_empty() {
            section class="fitting" aria-label="Plans that fit" data-live="fitting" {
                @for plan in &told.incident.proposed {
                    form method="post" action=(path(told, "plan")) class="at-once" data-key={ "plan-" (plan.plan) } {
                        (once(&told.when))
                        input type="hidden" name="plan" value=(plan.plan);
                        p {
                            "The plan " strong { bdi { (plan.name) } } " fits."
                            @if let Some(day) = plan.overdue_since {
                                " " span class="late" { "Overdue" } " It was to be looked through by " (day) "."
                            }
                        }
                        @if told.may_act {
                            button class="may" type="submit" aria-label={ "Start the plan " (plan.name) } { "Start it" }
                        }
                    }
                }
            }
        }
    }
}

/// The plans that run, what has to hold, and a way to start one.
pub(super) fn section(told: &PageData, org: &Org) -> Markup {
    let incident = &told.incident;
    let may_start = told.may_act && fits(told, Verb::Plan) && org.bundle().plans.len() > incident.plans.len();
    html! {
        @if !incident.plans.is_empty() || !incident.recovery.is_empty() || may_start {
            section class="part-tasks" {
                @for plan in &incident.plans {
                    div data-live={ "plan-" (plan.plan) } class="group tight" { (running(told, org, plan)) }
                }
                @if !incident.deviations.is_empty() { div data-live="deviations" class="group tight" { (deviations(told)) } }
                @if !incident.recovery.is_empty() { div data-live="recovery" class="group tight" { (recovery(told, org)) } }
                @if may_start { div class="acts stay" data-live="plan-acts" { (drawn(told, org, Verb::Plan)) } }
            }
        }
    }
}

fn running(told: &PageData, org: &Org, plan: &PlanView) -> Markup {
    html! {
        h2 { "Plan: " bdi { (plan.name) } span class="quiet" { " · " (plan.through) " of " (plan.steps) } }
        p class="quiet small" {
            "Version " (plan.version) ", started " (told.when.stamp(plan.started_at))
            @if let Some(because) = &plan.because { " by " bdi { (pieces::cut(because, LINE_CHARS_MAX)) } }
            @if let Some(day) = plan.overdue_since { " · " span class="late" { "Overdue" } ": it was to be looked through by " (day) }
            @for link in &plan.links { " · " (pieces::link_or_text(link)) }
        }
        ol class="tasks steps" {
            @for task in told.incident.tasks.iter().filter(|task| task.plan.as_ref() == Some(&plan.plan)) { (step(told, org, task)) }
        }
    }
}

/// Where a step stands, in a word.
fn stands(task: &TaskView) -> &'static str {
    match task.state {
        TaskState::Done => "done",
        TaskState::Dropped => "skipped",
        TaskState::Open if task.waits_for.is_empty() => "next",
        TaskState::Open => "waits",
    }
}

fn step(told: &PageData, org: &Org, task: &TaskView) -> Markup {
    let when = &told.when;
    // What an incident that is over left undone is counted for nobody.
    let works = task.state == TaskState::Open && told.incident.state.is_open();
    html! {
        li class=(if task.state == TaskState::Open { stands(task) } else { "through" }) id={ "task-" (task.task) } data-key=(task.task) {
            p {
                span class="quiet" { (task.task) ". " } span class="vh" { (stands(task)) ": " } bdi { (task.text) }
                @if let Some(link) = &task.link { " " (pieces::link_or_text(link)) }
            }
            p class="quiet small" {
                @match (task.owner.as_ref().or(task.doer.as_ref()), &task.role) {
                    (Some(id), Some(role)) => { bdi { (pieces::name(org, id)) } ", " (role) },
                    (Some(id), None) => bdi { (pieces::name(org, id)) },
                    (None, Some(role)) => { (pieces::capital(role)) @if works { " (nobody yet)" } },
                    (None, None) => { @if works { "anybody" } @else { "nobody in particular" } },
                }
                @if !task.waits_for.is_empty() { " · waits for " (aside_forms::numbers(&task.waits_for)) }
                @if let Some(due) = task.due_at.filter(|_| works) { " · " (when.counting(due)) }
                @if let Some(at) = task.ended_at { " · " (stands(task)) " " (when.time(at, &when.ago(at))) }
                @if let Some(note) = &task.note { ": " bdi { (pieces::cut(note, LINE_CHARS_MAX)) } }
            }
            @if let Some(deed) = &task.deed { (does(told, deed, works && stands_open(told, task))) }
            @if works && told.may_act && fits(told, Verb::Task) { (acts(told, org, task)) }
        }
    }
}

/// Whether what a step would send, and the button that sends it, stand on the page: of the first that may begin, and of the one
/// that was asked for. Of the others the button unfolds; sixty bodies are no page.
fn stands_open(told: &PageData, task: &TaskView) -> bool {
    let before = |other: &&TaskView| other.task < task.task && other.is_next() && other.deed.is_some();
    let is_first = told.incident.tasks.iter().filter(before).count() < CHOICES_SHOWN;
    task.is_next() && (is_first || told.draft.verb == format!("task-{}", task.task))
}

/// What a step does by itself, how it went, and behind a fold what it would send.
fn does(told: &PageData, deed: &DeedView, shows_body: bool) -> Markup {
    html! {
        p class="quiet small" {
            "POST to " bdi { (deed.host) } " · "
            @if deed.state == Some(DeedState::Failed) { span class="late" { "failed" } }
            @else if let Some(state) = deed.state { (state.words()) }
            @else if deed.by_itself { "is sent by itself" } @else { "is sent when somebody presses it" }
            @if deed.runs > 1 { " · " (deed.runs) " times" }
            @if let Some(at) = deed.ended_at.or(deed.begun_at) { " · " (told.when.time(at, &told.when.ago(at))) }
            @if let Some(said) = &deed.said { ": " bdi { (pieces::cut(said, LINE_CHARS_MAX)) } }
            @if let Some(answer) = &deed.answer { " (" bdi { (pieces::cut(answer, LINE_CHARS_MAX)) } ")" }
        }
        @if let Some(body) = deed.body.as_ref().filter(|_| shows_body && deed.may_begin()) {
            details class="behind" data-key="sends" {
                summary { "What would it send?" }
                pre class="small" tabindex="0" { code { (pieces::cut(body, BODY_SHOWN_MAX)) } }
            }
        }
    }
}

/// What is done with a step: one tap, and a way to the rest, which is drawn for the one that was asked for: sixty forms with
/// sixty choices of people are no page.
fn acts(told: &PageData, org: &Org, task: &TaskView) -> Markup {
    let verb = format!("task-{}", task.task);
    if told.draft.verb == verb {
        return aside_forms::task(told, org, task);
    }
    html! {
        div class="task-acts" {
            @if task.waits_for.is_empty() {
                @if task.options.is_empty() {
                    @if stands_open(told, task) && task.deed.as_ref().is_some_and(DeedView::may_begin) {
                        (aside_forms::perform(told, task))
                    }
                    (done(told, task))
                } @else if ahead(told, task) < CHOICES_SHOWN {
                    (aside_forms::choices(told, task, false))
                } @else {
                    (way_to("tasks", &verb, "Choose", &format!("Choose for step {}", task.task)))
                }
            }
            (way_to("tasks", &verb, "…", &format!("More for step {}", task.task)))
        }
    }
}

/// Decisions that may be made now and stand before this one.
fn ahead(told: &PageData, task: &TaskView) -> usize {
    told.incident.tasks.iter().filter(|other| other.task < task.task && other.is_next() && !other.options.is_empty()).count()
}

fn done(told: &PageData, task: &TaskView) -> Markup {
    html! {
        // Sixty of them are a page: the button says all of it.
        form method="post" action=(path(told, "task")) class="at-once" {
            (once(&told.when))
            button class="may" name=(DONE) value=(task.task) aria-label={ "Done: step " (task.task) } { "Done" }
        }
    }
}

/// Where the plans were left.
fn deviations(told: &PageData) -> Markup {
    let list = &told.incident.deviations;
    html! {
        details class="card" data-key="deviations" {
            summary { "Not as planned" span class="quiet" { " · " (list.len()) } }
            ul class="pairs" { @for one in list { (deviation(told, one)) } }
        }
    }
}

fn deviation(told: &PageData, one: &DeviationView) -> Markup {
    html! {
        li data-key={ @if let Some(task) = one.task { (task) } @else { (one.text) } (one.kind.words()) } {
            span { strong { (pieces::capital(one.kind.words())) } }
            span {
                @if let Some(task) = one.task { (task) ". " } bdi { (pieces::cut(&one.text, LINE_CHARS_MAX)) }
                span class="quiet small" {
                    " · " (told.when.time(one.at, &told.when.clock(one.at)))
                    @if let Some(why) = &one.why { ": " bdi { (pieces::cut(why, LINE_CHARS_MAX)) } }
                }
            }
        }
    }
}

/// What has to hold before it is over.
fn recovery(told: &PageData, org: &Org) -> Markup {
    let list = &told.incident.recovery;
    let through = list.iter().filter(|item| item.state != RecoveryState::Open).count();
    html! {
        h2 { "Before it is over" span class="quiet" { " · " (through) " of " (list.len()) } }
        ol class="tasks" { @for item in list { (recovery_item(told, org, item)) } }
    }
}

fn recovery_item(told: &PageData, org: &Org, item: &RecoveryView) -> Markup {
    let verb = format!("recovery-{}", item.item);
    let class = if item.state == RecoveryState::Open { "open" } else { "through" };
    html! {
        li class=(class) id=(verb) data-key=(item.item) {
            p { span class="quiet" { (item.item) ". " } span class="vh" { (item.state.word()) ": " } bdi { (item.text) } }
            @if let Some(at) = item.ended_at {
                p class="quiet small" {
                    (pieces::capital(item.state.word())) " " (told.when.time(at, &told.when.ago(at)))
                    @if let Some(by) = &item.by { " by " bdi { (pieces::name(org, by)) } }
                    @if let Some(note) = &item.note { ": " bdi { (pieces::cut(note, LINE_CHARS_MAX)) } }
                }
            }
            @if told.may_act && item.state == RecoveryState::Open && fits(told, Verb::Recovery) {
                div class="task-acts" {
                    form method="post" action=(path(told, "recovery")) class="at-once" data-key="holds" {
                        (once(&told.when))
                        input type="hidden" name="item" value=(item.item);
                        button class="may" type="submit" name="state" value="done" aria-label={ "It holds: item " (item.item) } {
                            "It holds"
                        }
                    }
                    details class="act-one" name="act" open[told.draft.verb == verb] data-key="more" {
                        summary aria-label={ "More for item " (item.item) } { "…" }
                        form method="post" action=(path(told, "recovery")) {
                            (told.draft.refused(&verb)) (once(&told.when))
                            input type="hidden" name="item" value=(item.item);
                            (words(told, &verb, "why", "Why need it not hold here?", true))
                            button class="do" type="submit" name="state" value="waived" { "Waive it" }
                        }
                    }
                }
            }
        }
    }
}
