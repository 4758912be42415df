//! What stands beside an incident's log: people and their roles, tasks; alerts, pages, updates,
//! and what happened to the same service before.

use allclear_domain::incident::work::TaskState;
use allclear_domain::org::snapshot::Org;
use allclear_domain::paging::{MessageState, Status};
use allclear_domain::view::{MessageView, RoleView, card};
use maud::{Markup, html};

use crate::frame::pieces::{self, LINE_CHARS_MAX};
use crate::frame::time_text::When;
use crate::incident::PageData;
use crate::incident::alerts;
use crate::incident::aside_forms;
use crate::incident::blast;
use crate::incident::briefing;
use crate::incident::clocks;
use crate::incident::judged;
use crate::incident::reasoning;
use crate::incident::several;

/// Messages shown of one page, the newest.
const MESSAGES_SHOWN: usize = 30;
/// Characters of the title of another incident.
const TITLE_CHARS_MAX: usize = 90;

/// Who does what, and what is known of when.
pub(crate) fn people(told: &PageData, org: &Org) -> Markup {
    let (incident, when) = (&told.incident, &told.when);
    let known = [
        ("Impact began", incident.impact_started_at),
        ("Detected", incident.detected_at),
        ("Declared", incident.declared_at),
        ("Acknowledged", incident.acknowledged_at),
        ("Mitigated", incident.mitigated_at),
        ("Resolved", incident.resolved_at),
        ("Closed", incident.closed_at),
    ];
    html! {
        section class="part-people" {
            div data-live="people" class="group tight" {
                h2 { "People" }
                dl class="roles" {
                    @for role in &incident.roles {
                        div {
                            dt { (pieces::capital(role.name.as_ref().unwrap_or(&role.role))) }
                            dd {
                                @match &role.person { Some(id) => bdi { (pieces::name(org, id)) }, None => span class="quiet" { "nobody" } }
                                @if let Some(since) = role.since {
                                    span class="quiet small" { " since " (when.time(since, &when.clock(since))) }
                                }
                                @if let Some(by) = role.asked_by.as_ref().filter(|_| incident.state.is_open()) {
                                    span class="small" { " · " bdi { (pieces::name(org, by)) } " asks to take over" }
                                }
                                @if let Some(asked) = role.offered_to.as_ref().filter(|_| incident.state.is_open()) {
                                    span class="small" {
                                        " · " bdi { (pieces::name(org, asked)) } " was asked"
                                        @if let Some(at) = role.offered_at { " " (when.time(at, &when.ago(at))) }
                                        ", no answer yet"
                                    }
                                }
                                (notes(role))
                                (aside_forms::take_it(told, role))
                            }
                            (duty_card(role))
                        }
                    }
                    @if !incident.roles.iter().any(|role| role.role == "commander") {
                        div {
                            dt { "Commander" }
                            dd {
                                @match &incident.commander {
                                    Some(id) => bdi { (pieces::name(org, id)) },
                                    None => span class="quiet" { "nobody" },
                                }
                            }
                        }
                    }
                    @if let Some(transfers) = &incident.transfers { (several::counts(transfers, org)) }
                    @if let Some(id) = &incident.acknowledged_by { div { dt { "First on it" } dd { bdi { (pieces::name(org, id)) } } } }
                }
            }
            @if told.may_act { (aside_forms::roles(told, org)) }
            (clocks::table(told, org))
            @if let Some(known) = &told.briefing {
                div id="briefing" data-live="briefing" class="group tight" { (briefing::section(told, known, org)) }
            }
            @if !told.roll.is_empty() { div data-live="roll" class="group tight" { (roll(told, org)) } }
            div data-live="times" class="group tight" {
                h2 { "Times" span class="quiet" { " · " (when.zone()) } }
                dl class="roles" {
                    @for (word, at) in known {
                        @if let Some(at) = at { div { dt { (word) } dd { (when.stamp(at)) } } }
                    }
                    div { dt { "Why it exists" } dd { bdi { (pieces::cut(&incident.because, LINE_CHARS_MAX)) } } }
                }
            }
            @if told.may_act { (aside_forms::times(told, org)) }
        }
    }
}

/// The roll call: a line for each person.
fn roll(told: &PageData, org: &Org) -> Markup {
    let when = &told.when;
    html! {
        details class="card" data-key="roll" {
            summary { "Roll call" span class="quiet" { " · " (told.roll.len()) } }
            ul class="pairs" {
                @for one in &told.roll {
                    li data-key=(one.person) {
                        span { bdi { (pieces::name(org, &one.person)) } }
                        span {
                            strong { (one.stands()) }
                            @for role in &one.roles { " · " (role) }
                            span class="quiet small" {
                                @if let Some(at) = one.asked_at {
                                    " · " @if one.paged { "paged" } @else { "asked" } " " (when.time(at, &when.clock(at)))
                                    @if let Some(by) = &one.asked_by { " by " bdi { (pieces::name(org, by)) } }
                                    @if let Some(why) = &one.because { ": " bdi { (pieces::cut(why, LINE_CHARS_MAX)) } }
                                }
                                @if let Some(at) = one.joined_at { " · joined " (when.time(at, &when.clock(at))) }
                                @if let Some(at) = one.left_at { " · left " (when.time(at, &when.clock(at))) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// That a role is needed, and what is worth knowing of who has it.
fn notes(role: &RoleView) -> Markup {
    html! {
        @if role.needed && role.person.is_none() { span class="small" { " · needed" } }
        @for words in &role.warnings { p class="small warned" { strong { "Note: " } bdi { (words) } } }
    }
}

/// What whoever has a role does.
fn duty_card(role: &RoleView) -> Markup {
    html! {
        @if !role.duties.is_empty() {
            dd class="whole" {
                details class="card" data-key={ "card-" (role.role) } {
                    summary { "What to do" span class="vh" { " as " (role.role) } }
                    @for (heading, texts) in card(&role.duties) {
                        p class="small" { strong { (heading) } }
                        ul { @for text in texts { li { bdi { (text) } } } }
                    }
                }
            }
        }
    }
}

/// What is to be done.
pub(crate) fn tasks(told: &PageData, org: &Org) -> Markup {
    let (incident, when) = (&told.incident, &told.when);
    // The steps of a plan stand with it.
    let own: Vec<_> = incident.tasks.iter().filter(|task| task.plan.is_none()).collect();
    let open = own.iter().filter(|task| task.state == TaskState::Open).count();
    html! {
        section class="part-tasks" {
            div data-live="tasks" class="group tight" {
                h2 { "Tasks" @if !own.is_empty() { span class="quiet" { " · " (open) " open of " (own.len()) } } }
                @if own.is_empty() { p class="quiet" { @if incident.plans.is_empty() { "None yet." } @else { "None beside the plan." } } }
                ul class="tasks" {
                    @for task in own {
                        @let class = if task.state == TaskState::Open { "open" } else { "through" };
                        li class=(class) id={ "task-" (task.task) } data-key=(task.task) {
                            p { span class="vh" { (task.state.word()) ": " } bdi { (task.text) } }
                            p class="quiet small" {
                                @match &task.owner { Some(id) => bdi { (pieces::name(org, id)) }, None => "nobody yet" }
                                @if let Some(due) = task.due_at.filter(|_| task.state == TaskState::Open) { " · " (when.counting(due)) }
                                @if let Some(at) = task.ended_at { " · " (task.state.word()) " " (when.time(at, &when.ago(at))) }
                            }
                            @if told.may_act && task.state == TaskState::Open { (aside_forms::task(told, org, task)) }
                        }
                    }
                }
            }
            @if told.may_act && incident.state.is_open() { (aside_forms::add_task(told, org)) }
        }
    }
}

/// The right column.
pub(crate) fn more(told: &PageData, org: &Org) -> Markup {
    html! {
        div class="right part-more" {
            section data-live="pages" { (pages(told, org)) }
            section data-live="alerts" { (alerts::beside(told)) (judged::alarms(told)) }
            (judged::section(told, org))
            (blast::section(told))
            @if !told.changes.is_empty() { section data-live="changes" { h2 { "Changes" } (pieces::changes(&told.changes, &told.when)) } }
            (reasoning::sections(told, org))
            (updates(told, org))
            (actions(told, org))
            @if !told.similar.is_empty() { section data-live="similar" { (similar(told)) } }
        }
    }
}

fn updates(told: &PageData, org: &Org) -> Markup {
    let when = &told.when;
    html! {
        section {
            div data-live="updates" class="group tight" {
                h2 { "Updates to stakeholders" }
                @if told.updates.is_empty() { p class="quiet" { "None so far." } }
                ol class="updates" {
                    @for update in &told.updates {
                        li {
                            p class="quiet small" {
                                (when.stamp(update.at))
                                @if update.audiences.is_empty() { " · log only" } @else { " · to " (pieces::list(&update.audiences, 3)) }
                                @if let Some(by) = pieces::actor(org, &update.actor) { " · " bdi { (by) } }
                                @if let Some(at) = update.next_by { " · next by " (when.stamp(at)) }
                            }
                            p class="said clamp" { bdi { (update.text) } }
                        }
                    }
                }
            }
        }
    }
}

/// What will be done so that it does not happen again: promised once it is over, or before.
fn actions(told: &PageData, org: &Org) -> Markup {
    let when = &told.when;
    let over = !told.incident.state.is_open();
    html! {
        @if over || !told.actions.is_empty() {
            section data-live="promised" {
                h2 { "Corrective actions" }
                @if told.actions.is_empty() { p class="quiet" { "None so far." } }
                ul class="tasks" { @for action in &told.actions { (pieces::action_line(action, org, when)) } }
                @if told.may_act { p class="only-screen" { a href={ "/actions?incident=" (told.incident.reference) } { "Add an action" } } }
            }
        }
    }
}

fn similar(told: &PageData) -> Markup {
    let when = &told.when;
    html! {
        h2 { "Same service before" }
        ul class="ended" {
            @for other in &told.similar {
                li {
                    (pieces::severity(other.severity))
                    a href={ "/incidents/" (other.reference) } {
                        span class="ref" { (other.reference) } " " bdi { (pieces::cut(&other.title, TITLE_CHARS_MAX)) }
                    }
                    span class="quiet" { (pieces::state(other.state)) " · " (when.time(other.created_at, &when.ago(other.created_at))) }
                }
            }
        }
    }
}

/// People named who acknowledged a page that several had to.
const ANSWERED_SHOWN: usize = 6;

fn pages(told: &PageData, org: &Org) -> Markup {
    let when = &told.when;
    html! {
            h2 { "Pages" }
            @if told.pages.is_empty() { p class="quiet" { "Nobody was paged." } }
            @for page in told.pages.iter().filter(|page| page.status != Status::Told) {
                div class="page" {
                    p {
                        @match page.status {
                            Status::Running => {
                                strong { "Looking for somebody" } " · round " (page.round) ", "
                                @if page.catch_all { "catch-all" } @else { "step " (page.step) }
                                @if let Some(wants) = page.wants { " · " (page.answered.len()) " of " (wants) " have acknowledged" }
                            }
                            Status::Acknowledged => {
                                strong { "Acknowledged" }
                                @if page.wants.is_some() && !page.answered.is_empty() {
                                    @let names: Vec<String> = page.answered.iter().map(|id| pieces::name(org, id)).collect();
                                    " by " bdi { (pieces::list(&names, ANSWERED_SHOWN)) }
                                } @else if let Some(id) = &page.acknowledged_by { " by " bdi { (pieces::name(org, id)) } }
                            }
                            Status::Stopped => strong { "Stopped" },
                            Status::Exhausted => {
                                @match page.wants.filter(|_| !page.answered.is_empty()) {
                                    Some(wants) => span class="late" { "Only " (page.answered.len()) " of " (wants) " acknowledged" },
                                    None => span class="late" { "Nobody answered" },
                                }
                            }
                            Status::Told => strong { "Told" },
                        }
                    }
                    p class="quiet" {
                        "Started " (when.stamp(page.started_at))
                        @if let Some(at) = page.ended_at { ", ended " (when.stamp(at)) }
                        @if let Some(policy) = &page.escalation { " · policy " bdi { (policy) } } @else { " · no policy" }
                    }
                    @let hidden = page.messages.len().saturating_sub(MESSAGES_SHOWN);
                    @if hidden > 0 { p class="quiet" { (hidden) " earlier messages are not shown" } }
                    ul class="pairs" {
                        @for message in page.messages.iter().skip(hidden) {
                            (message_line(message, told.answer_of(page, &message.person), org, when))
                        }
                    }
                }
            }
            @if told.pages.iter().any(|page| page.status == Status::Told) {
                div class="page" {
                    p { strong { "Told, without a page" } }
                    ul class="pairs" {
                        @for page in told.pages.iter().filter(|page| page.status == Status::Told) {
                            @for message in &page.messages { (message_line(message, None, org, when)) }
                        }
                    }
                }
            }
    }
}

fn message_line(message: &MessageView, answer: Option<&str>, org: &Org, when: &When) -> Markup {
    let words = match message.state {
        MessageState::Delivered => "told",
        MessageState::Rejected => "could not be reached",
        MessageState::Withdrawn => "not told, no longer needed",
        MessageState::Queued | MessageState::Claimed if message.last_error.is_some() => "not reached yet, still trying",
        MessageState::Queued | MessageState::Claimed | MessageState::Accepted => "being told",
    };
    html! {
        li {
            span { bdi { (pieces::name(org, &message.person)) } }
            span {
                @if let Some(answer) = answer { strong { (answer) } " · " }
                (words)
                span class="quiet" {
                    " by " a class="quietly" href={ "/messages/" (message.id) } { bdi { (message.contact) } }
                    " · " (when.stamp(message.created_at))
                    @if message.in_doubt { " · may have arrived twice" }
                    @if message.attempts > 1 { " · try " (message.attempts) }
                }
                @if let Some(why) = message.last_error.as_ref().filter(|_| message.state != MessageState::Delivered) {
                    span class="quiet" { " · " bdi { (pieces::cut(why, LINE_CHARS_MAX)) } }
                }
            }
        }
    }
}
