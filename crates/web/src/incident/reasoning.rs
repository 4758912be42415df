//! What may be the cause, and what was decided: what stands first, what was given up folded below it with its reason, and one
//! press to say more.

use allclear_domain::incident::decisions::OPTIONS_MAX;
use allclear_domain::incident::lifecycle::Verb;
use allclear_domain::incident::work::HypothesisState;
use allclear_domain::org::snapshot::Org;
use allclear_domain::view::{DecisionView, HypothesisView};
use maud::{Markup, html};

use crate::access::form_key::once;
use crate::frame::pieces;
use crate::incident::PageData;
use crate::incident::ask_forms::{DECIDE, DRAWN_MAX, asks_for, fits, folded, is_left_out, path, unfolding, way_to, words};

/// Field by which the whole form says that it is the one that was sent.
pub(super) const WHOLE: &str = "whole";
/// Decisions and hypotheses of a list that are drawn, the newest: the log has the others, and a page stays light.
const SHOWN_MAX: usize = 10;
/// What was tried of a hypothesis that is drawn, the newest.
const TRIES_SHOWN: usize = 3;
/// Characters of a text that are drawn: enough to know it by.
const SHORT_CHARS_MAX: usize = 160;
/// What the whole form of a decision is asked for by.
const WRITE_DOWN: &str = "Write a decision down";
/// What is pressed to say more of a hypothesis.
const MORE: &str = "Tried, or judged";
/// What is pressed to look at a decision again.
const AGAIN: &str = "Look at it again";
/// In which time a decision may be looked at again.
const AGAIN_IN: [(&str, &str); 5] = [("15m", "15 minutes"), ("30m", "30 minutes"), ("1h", "an hour"), ("4h", "4 hours"), ("1d", "a day")];

/// Both sections; nothing where there is nothing to read.
pub(super) fn sections(told: &PageData, org: &Org) -> Markup {
    let (decisions, hypotheses) = (&told.incident.decisions, &told.incident.hypotheses);
    let (given_up, mut kept): (Vec<_>, Vec<_>) = hypotheses.iter().partition(|one| one.state == HypothesisState::Rejected);
    // The newest first, and before them what is known to be the cause.
    kept.sort_by_key(|one| one.state == HypothesisState::Confirmed);
    html! {
        @if !hypotheses.is_empty() {
            section {
                div data-live="hypotheses" class="group tight" {
                    h2 { "What may be the cause" }
                    @if kept.is_empty() { p class="quiet" { "Nothing that was not given up." } }
                    ul class="reasons" {
                        @for (n, one) in newest(&kept).iter().rev().enumerate() { (hypothesis(told, one, n < DRAWN_MAX)) }
                    }
                    (others(kept.len()))
                    @if !given_up.is_empty() {
                        @let typed = given_up.iter().any(|one| told.draft.verb == of_hypothesis(one.hypothesis));
                        details class="act-one" data-key="given-up" open[typed] {
                            summary { "Given up: " (given_up.len()) }
                            ul class="reasons" { @for one in newest(&given_up) { (hypothesis(told, one, false)) } }
                            (others(given_up.len()))
                        }
                    }
                }
                @if fits(told, Verb::Hypothesis) { div class="acts stay" { (raise(told, "What else may be the cause?")) } }
            }
        }
        @if !decisions.is_empty() {
            section {
                div data-live="decisions" class="group tight" {
                    h2 { "Decisions" }
                    ol class="reasons" reversed {
                        @for (n, one) in decisions.iter().rev().take(SHOWN_MAX).enumerate() { (decision(told, org, one, n < DRAWN_MAX)) }
                    }
                    (others(decisions.len()))
                }
                @if fits(told, Verb::Decision) { div class="acts stay" { (unfolding_decision(told, org, "act")) } }
            }
        }
    }
}

fn newest<T>(all: &[T]) -> &[T] {
    &all[all.len().saturating_sub(SHOWN_MAX)..]
}

/// That there are more than are drawn.
fn others(all: usize) -> Markup {
    html! { @if all > SHOWN_MAX { p class="quiet small" { (all - SHOWN_MAX) " older ones stand in the log." } } }
}

/// A text as it is drawn: the log has the whole of it.
fn short(text: &str) -> String {
    pieces::cut(text, SHORT_CHARS_MAX)
}

/// Where there are none yet, the first is asked for among what is asked for less often.
pub(super) fn first_ones(told: &PageData, org: &Org) -> Markup {
    html! {
        @if told.incident.hypotheses.is_empty() && fits(told, Verb::Hypothesis) {
            (folded(told, Verb::Hypothesis.word(), "What may be the cause?", &raised(told), "Add it"))
        }
        @if told.incident.decisions.is_empty() && fits(told, Verb::Decision) {
            (unfolding_decision(told, org, "rare"))
        }
    }
}

/// Name of the draft of a hypothesis.
pub(super) fn of_hypothesis(number: impl std::fmt::Display) -> String {
    format!("hypothesis-{number}")
}

/// Name of the draft of a decision that is looked at again.
pub(super) fn of_decision(number: impl std::fmt::Display) -> String {
    format!("revisit-{number}")
}

fn raised(told: &PageData) -> Markup {
    words(told, Verb::Hypothesis.word(), "text", "What may be the cause?", true)
}

fn raise(told: &PageData, label: &str) -> Markup {
    unfolding(told, Verb::Hypothesis.word(), label, "", &raised(told), "Add it")
}

/// `draws`: whether its forms are drawn with it.
fn hypothesis(told: &PageData, one: &HypothesisView, draws: bool) -> Markup {
    let state = match one.state {
        HypothesisState::Confirmed => "is the cause",
        HypothesisState::Rejected => "is not the cause",
        HypothesisState::Open => "may be the cause after all",
    };
    html! {
        li class=(one.state.word()) id=(of_hypothesis(one.hypothesis)) data-key={ "h" (one.hypothesis) } {
            p { span class="quiet" { (one.hypothesis) ". " } bdi { (short(&one.text)) } }
            @if let Some(why) = &one.why { p class="quiet small" { (state) ": " bdi { (short(why)) } } }
            @if !one.tries.is_empty() {
                ul class="tries small" {
                    @for (n, tried) in one.tries.iter().enumerate().skip(one.tries.len().saturating_sub(TRIES_SHOWN)) {
                        li data-key=(n) {
                            span class="quiet" { (told.when.time(tried.at, &told.when.ago(tried.at))) " " }
                            bdi { (short(&tried.tried)) }
                            @match &tried.result {
                                Some(result) => { ": " bdi { (short(result)) } },
                                None => span class="quiet" { ": no result yet" },
                            }
                        }
                    }
                }
            }
            @if fits(told, Verb::Hypothesis) {
                @let draft = of_hypothesis(one.hypothesis);
                @if draws || told.draft.verb == draft { (more_of(told, one)) }
                @else { p { (way_to("more", &draft, MORE, &format!("{MORE}: hypothesis {}", one.hypothesis))) } }
            }
        }
    }
}

/// What was tried of it, and how it stands.
fn more_of(told: &PageData, one: &HypothesisView) -> Markup {
    let draft = of_hypothesis(one.hypothesis);
    let press = |state: HypothesisState, label: &str| {
        html! {
            @if one.state != state { button class="may" type="submit" name="state" value=(state.word()) { (label) } }
        }
    };
    html! {
        details class="act-one" name="act" open[told.draft.verb == draft] data-key="more" {
            summary aria-label={ (MORE) ": hypothesis " (one.hypothesis) } { (MORE) }
            div class="sheet" {
                form method="post" action=(path(told, Verb::Hypothesis.word())) {
                    (told.draft.refused(&draft)) (once(&told.when))
                    input type="hidden" name="hypothesis" value=(one.hypothesis);
                    (words(told, &draft, "tried", "What was tried?", true))
                    (words(told, &draft, "result", "What came of it?", false))
                    button class="do" type="submit" { "Write it down" }
                }
                form method="post" action=(path(told, Verb::Hypothesis.word())) {
                    (once(&told.when))
                    input type="hidden" name="hypothesis" value=(one.hypothesis);
                    (words(told, &draft, "why", "How is that known?", true))
                    div class="row-of" {
                        (press(HypothesisState::Confirmed, "It is the cause"))
                        (press(HypothesisState::Rejected, "It is not"))
                        (press(HypothesisState::Open, "It may be after all"))
                    }
                }
            }
        }
    }
}

fn decision(told: &PageData, org: &Org, one: &DecisionView, draws: bool) -> Markup {
    let when = &told.when;
    html! {
        @let (stands, id) = (if one.stands { "stands" } else { "withdrawn" }, of_decision(one.decision));
        li class=(stands) id=(id) data-key={ "d" (one.decision) } value=(one.decision) {
            @if let Some(question) = &one.question { p class="quiet small" { bdi { (short(question)) } } }
            p { bdi { (short(&one.text)) } }
            @if !one.options.is_empty() { p class="quiet small" { "Of: " bdi { (short(&one.options.join(" · "))) } } }
            p class="quiet small" {
                @if let Some(by) = &one.by { bdi { (pieces::name(org, by)) } " · " }
                (when.time(one.at, &when.ago(one.at)))
                @match one.reversible { Some(true) => " · can be undone", Some(false) => " · cannot be undone", None => "" }
                @if !one.stands { " · does not stand any more" }
            }
            @if let Some(at) = one.review_at.filter(|_| one.stands) {
                p class="small" {
                    "Look at it again: "
                    @if one.due { span class="late" { "now" } } @else { (when.counting(at)) }
                }
            }
            @if one.stands && fits(told, Verb::Revisit) {
                @let draft = of_decision(one.decision);
                @if draws || one.due || told.draft.verb == draft { (revisit(told, one)) }
                @else { p { (way_to("more", &draft, AGAIN, &format!("{AGAIN}: decision {}", one.decision))) } }
            }
        }
    }
}

fn revisit(told: &PageData, one: &DecisionView) -> Markup {
    let draft = of_decision(one.decision);
    html! {
        details class="act-one" name="act" open[told.draft.verb == draft] data-key="again" {
            summary aria-label={ (AGAIN) ": decision " (one.decision) } { (AGAIN) }
            form method="post" action=(path(told, Verb::Revisit.word())) {
                (told.draft.refused(&draft)) (once(&told.when))
                input type="hidden" name="decision" value=(one.decision);
                (words(told, &draft, "note", "What is known now?", false))
                (again_in(told, &draft))
                div class="row-of" {
                    button class="do" type="submit" name="outcome" value="stands" { "It stands" }
                    button class="may" type="submit" name="outcome" value="withdrawn" { "It does not stand" }
                }
            }
        }
    }
}

fn again_in(told: &PageData, draft: &str) -> Markup {
    html! {
        label class="field" {
            span { "Look at it again in" }
            select name="review_within" {
                option value="" { "Not unless somebody does" }
                @for (value, words) in AGAIN_IN { (pieces::choice(value, told.draft.typed(draft, "review_within") == value, words)) }
            }
        }
    }
}

/// `group` is what of the page it is one of, of which one is unfolded at a time.
fn unfolding_decision(told: &PageData, org: &Org, group: &str) -> Markup {
    let whole = whole_decision(told, org);
    if is_left_out(told, DECIDE, &whole) {
        return asks_for(told, DECIDE, WRITE_DOWN);
    }
    html! {
        details class="act-one" name=(group) open[told.draft.verb == DECIDE] data-verb=(DECIDE) data-key=(DECIDE) {
            summary { (WRITE_DOWN) }
            (whole)
        }
    }
}

fn whole_decision(told: &PageData, org: &Org) -> Markup {
    let typed = |name: &str| told.draft.typed(DECIDE, name);
    html! {
        form method="post" action=(path(told, Verb::Decision.word())) {
            (told.draft.refused(DECIDE)) (once(&told.when))
            input type="hidden" name=(WHOLE) value="1";
            (words(told, DECIDE, "question", "What was the question?", false))
            label class="field" {
                span { "Between what?" span class="quiet" { " (a line each, " (OPTIONS_MAX) " at most; may stay empty)" } }
                textarea name="options" rows="2" { (typed("options")) }
            }
            (words(told, DECIDE, "text", "What was decided?", true))
            label class="field" {
                span { "Who decided?" } (pieces::person_choice(org, "decided_by", Some(typed("decided_by")), Some("I did")))
            }
            label class="check" {
                input type="checkbox" name="reversible" value="1" checked[!typed("reversible").is_empty()];
                span { "It can be undone" }
            }
            (again_in(told, DECIDE))
            button class="do" type="submit" { "Write it down" }
        }
    }
}
