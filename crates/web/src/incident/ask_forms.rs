//! Every command of an incident as a plain form, the likeliest next one first.
//!
//! A form unfolds from its button without a script. What was refused is shown with the refusal at
//! its head and everything that was typed still in it.

use allclear_domain::incident::lifecycle::{Verb, next};
use allclear_domain::incident::{Severity, State};
use allclear_domain::org::snapshot::Org;
use maud::{Markup, html};

use crate::access::form_key::once;
use crate::access::reader::Fields;
use crate::frame::pieces;
use crate::incident::Told;

/// What somebody asked for that was not done, or is about to ask for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Draft {
    /// The verb of its form; empty where there is none.
    pub verb: String,
    /// What was typed.
    pub fields: Fields,
    /// Why it was not done: the reason, and what would work.
    pub refusal: Option<String>,
}

impl Draft {
    /// What was typed in a field of a form.
    pub(crate) fn typed(&self, verb: &str, field: &str) -> &str {
        if self.verb == verb { self.fields.get(field).map_or("", String::as_str) } else { "" }
    }

    /// The refusal, where it is of this form.
    pub(crate) fn refused(&self, verb: &str) -> Markup {
        html! {
            @if let Some(why) = self.refusal.as_ref().filter(|_| self.verb == verb) {
                p class="refusal" role="alert" { strong { "This was not done" } (why) }
            }
        }
    }
}

/// Whether the lifecycle lets people ask for it now.
fn fits(told: &Told, verb: Verb) -> bool {
    next(told.incident.state, verb).is_ok()
}

pub(crate) fn path(told: &Told, verb: &str) -> String {
    format!("/incidents/{}/{verb}", told.incident.reference)
}

/// A button that unfolds a form.
pub(crate) fn unfolding(told: &Told, verb: &str, label: &str, class: &str, fields: &Markup, press: &str) -> Markup {
    html! {
        details class={ "act-one " (class) } name="act" open[told.draft.verb == verb] data-verb=(verb) data-key=(verb) {
            summary { (label) }
            form method="post" action=(path(told, verb)) {
                (told.draft.refused(verb)) (once(&told.when))
                (fields)
                button class="do" type="submit" { (press) }
            }
        }
    }
}

/// Verbs that are folded away, since they are asked for less often.
const RARE: [&str; 7] = ["merge", "cancel", "rename", "restrict", "open_up", "admit", "review"];

/// A form among those that are folded away.
pub(crate) fn folded(told: &Told, verb: &str, label: &str, fields: &Markup, press: &str) -> Markup {
    html! {
        details class="act-one" name="rare" open[told.draft.verb == verb] data-verb=(verb) data-key=(verb) {
            summary { (label) }
            form method="post" action=(path(told, verb)) {
                (told.draft.refused(verb)) (once(&told.when))
                (fields)
                button class="do" type="submit" { (press) }
            }
        }
    }
}

/// A form that is only its button.
fn at_once(told: &Told, verb: &str, label: &str, class: &str) -> Markup {
    html! {
        form method="post" action=(path(told, verb)) class="at-once" data-key={ "at-once-" (verb) } {
            (told.draft.refused(verb)) (once(&told.when))
            button class=(class) type="submit" data-verb=(verb) { (label) }
        }
    }
}

pub(crate) fn words(told: &Told, verb: &str, name: &str, label: &str, needed: bool) -> Markup {
    html! {
        label class="field" {
            span { (label) @if !needed { span class="quiet" { " (may stay empty)" } } }
            textarea name=(name) rows="2" required[needed] { (told.draft.typed(verb, name)) }
        }
    }
}

/// The bar of commands below the header.
pub(crate) fn bar(told: &Told, org: &Org) -> Markup {
    let state = told.incident.state;
    let recovered = told.incident.recovered && state.is_open() && state != State::Candidate;
    html! {
        div class="acts" data-live="acts" {
            @if fits(told, Verb::Declare) { (at_once(told, "declare", "Declare", "do")) }
            @if state == State::Declared { (at_once(told, "acknowledge", "Acknowledge", "do")) }
            @if matches!(state, State::Investigating | State::Mitigated) && told.incident.acknowledged_by != told.me && told.me.is_some() {
                (at_once(told, "acknowledge", "I am on it too", "may"))
            }
            @if fits(told, Verb::Mitigate) {
                (unfolding(told, "mitigate", "Mitigated", "", &words(told, "mitigate", "note", "What reduced the impact?", false), "Mark as mitigated"))
            }
            @if fits(told, Verb::Resolve) {
                (unfolding(told, "resolve", "Resolve", if state == State::Mitigated || recovered { "likely" } else { "" }, &words(told, "resolve", "note", "What made it normal again?", false), "Resolve"))
            }
            @if fits(told, Verb::Update) && state.is_open() { (update(told, org)) }
            @if fits(told, Verb::Close) { (at_once(told, "close", "Close", "do")) }
            @if fits(told, Verb::Reopen) { (unfolding(told, "reopen", "Reopen", "", &words(told, "reopen", "why", "Why is it not over?", true), "Reopen")) }
            @if fits(told, Verb::Severity) { (unfolding(told, "severity", "Severity", "", &severity(told), "Change severity")) }
            @if fits(told, Verb::Escalate) { (unfolding(told, "escalate", "Page again", "", &escalate(told, org), "Page")) }
            @if state == State::Candidate { (unfolding(told, "cancel", "Not an incident", "", &words(told, "cancel", "why", "Why is it none?", true), "Not an incident")) }
            @if told.incident.state != State::Closed || fits(told, Verb::Rename) {
                details class="act-one far" name="act" open[RARE.contains(&told.draft.verb.as_str())] data-key="more" {
                    summary { "More" }
                    div class="sheet" {
                        (crate::incident::coordination_forms::bar(told, org))
                        @if fits(told, Verb::Merge) { (folded(told, "merge", "Merge into another", &merge(told), "Merge into it")) }
                        @if fits(told, Verb::Cancel) && state != State::Candidate {
                            (folded(told, "cancel", "Cancel: it was no incident", &words(told, "cancel", "why", "Why is it no incident?", true), "Cancel it"))
                        }
                    }
                }
            }
        }
    }
}

fn severity(told: &Told) -> Markup {
    let typed = told.draft.typed("severity", "severity");
    let chosen = typed.parse().unwrap_or(told.incident.severity);
    html! {
        fieldset class="choice" {
            legend { "Severity" }
            @for severity in Severity::ALL {
                label class="check" { input type="radio" name="severity" value=(severity) checked[severity == chosen]; (pieces::severity(severity)) }
            }
        }
        (words(told, "severity", "why", "Why?", true))
    }
}

fn escalate(told: &Told, org: &Org) -> Markup {
    let chosen = told.draft.typed("escalate", "escalation");
    html! {
        label class="field" {
            span { "Whom" }
            select name="escalation" {
                (pieces::choice("", false, "The incident’s own policy"))
                @for form in &org.bundle().escalations { (pieces::choice(&form.id, form.id == chosen, form.name.as_deref().unwrap_or(&form.id))) }
            }
        }
        (words(told, "escalate", "why", "Why? They read this.", true))
    }
}

fn merge(told: &Told) -> Markup {
    html! {
        label class="field" {
            span { "Into which incident?" }
            input name="into" value=(told.draft.typed("merge", "into")) placeholder="INC-142" autocomplete="off" autocapitalize="characters" required;
        }
        p class="hint" { "That one goes on; this one ends, and its alerts go with it." }
    }
}

/// The composer at the foot of the log: one text, and what it is.
pub(crate) fn say(told: &Told) -> Markup {
    let verb = if told.draft.verb == "decision" { "decision" } else { "note" };
    html! {
        @if fits(told, Verb::Note) {
            form class="say" id="say" method="post" action=(path(told, "note")) {
                (told.draft.refused(verb)) (once(&told.when))
                label class="vh" for="say-text" { "Write to the log" }
                textarea id="say-text" name="text" rows="1" placeholder="Write to the log" required { (told.draft.typed(verb, "text")) }
                div class="say-as" {
                    button class="do" type="submit" { "Note" }
                    (crate::incident::coordination_forms::say_as(told))
                }
            }
        } @else { p class="quiet" { "It is over: nothing more is written here by hand." } }
    }
}

pub(crate) use crate::incident::coordination_forms::{add_task, roles, task, times, update};
