//! What regulators are owed: the question whether a rule applies, above the parts of the page while nobody has answered it, and a
//! row an obligation with its reports, what each has to say, and the forms that write down what was decided and submitted.

use allclear_domain::incident::lifecycle::Verb;
use allclear_domain::incident::obliged::ObligationState;
use allclear_domain::org::snapshot::{ORGANISATION, Org};
use allclear_domain::view::{ObligationView, ReportView};
use maud::{Markup, html};

use crate::access::form_key::once;
use crate::frame::pieces::{self, LINE_CHARS_MAX};
use crate::incident::ask_forms::{fits, path, unfolding, words};
use crate::incident::{PageData, TAB};

/// Questions that are drawn above the parts; the others are counted, and stand in their section.
const ASKED_MAX: usize = 3;
/// What the name of a box of a checklist begins with.
pub(super) const ITEM: &str = "item:";
/// What every row says.
const NOT_ADVICE: &str = "An assumption to be checked against its source, and no legal advice.";

/// Name of the draft of a decision about an obligation.
pub(super) fn of_decision(number: impl std::fmt::Display) -> String {
    format!("awareness-{number}")
}

/// Name of the draft of a submission.
pub(super) fn of_submission(number: impl std::fmt::Display) -> String {
    format!("submission-{number}")
}

/// The questions that nobody has answered: among the first things on the page.
pub(super) fn asked(told: &PageData, org: &Org) -> Markup {
    let open: Vec<_> = told.incident.obligations.iter().filter(|one| one.state == ObligationState::MayApply).collect();
    if open.is_empty() || !fits(told, Verb::Awareness) {
        return html! {};
    }
    html! {
        section class="fitting" aria-label="May apply" data-live="may-apply" {
            @for one in open.iter().take(ASKED_MAX) {
                div data-key={ "may-apply-" (one.obligation) } {
                    p {
                        strong { bdi { (one.name) } } " may apply (" (one.status.words()) "): "
                        @if let Some(first) = one.reports.first() {
                            (first.name) " to " bdi { (recipient(one, org)) } " within " (first.within)
                        }
                        " from when " (one.starts_at) ". Does it?"
                    }
                    @if told.may_act { (decision(told, one, "Decide", "")) }
                }
            }
            @if open.len() > ASKED_MAX { p class="quiet" { (open.len() - ASKED_MAX) " more may apply, below." } }
        }
    }
}

fn recipient(one: &ObligationView, org: &Org) -> String {
    one.organisation.as_ref().map_or_else(|| one.recipient.clone(), |id| pieces::name(org, &format!("{ORGANISATION}{id}")))
}

/// Whether it applies, since when, and why. `place` keeps two forms of one obligation apart.
fn decision(told: &PageData, one: &ObligationView, label: &str, place: &str) -> Markup {
    let draft = of_decision(one.obligation);
    let since = told.draft.typed(&draft, "aware_at");
    html! {
        details class="act-one" name="act" open[told.draft.verb == draft] data-key={ (draft) (place) } {
            summary aria-label={ (label) ": " (one.name) } { (label) }
            form method="post" action=(path(told, Verb::Awareness.word())) {
                (told.draft.refused(&draft)) (once(&told.when))
                input type="hidden" name="obligation" value=(one.obligation);
                @if place.is_empty() { input type="hidden" name=(TAB) value=(told.tab); }
                (words(told, &draft, "why", "Why?", true))
                label class="field" {
                    span {
                        "Aware since"
                        span class="quiet" { " " (told.when.zone()) ", empty: " (if one.aware_at.is_some() { "as before" } else { "now" }) }
                    }
                    input type="datetime-local" step="1" name="aware_at" value=(since);
                }
                div class="row-of" {
                    button class="do" type="submit" name="decision" value="applies" { "It applies" }
                    button class="may" type="submit" name="decision" value="does_not_apply" { "It does not apply" }
                }
            }
        }
    }
}

/// One row an obligation; folded where there is none, and nothing where the organisation has adopted nothing.
pub(super) fn section(told: &PageData, org: &Org) -> Markup {
    let list = &told.incident.obligations;
    let may_propose = told.may_act && fits(told, Verb::Obligation) && !org.bundle().obligations.is_empty();
    if list.is_empty() && !may_propose {
        return html! {};
    }
    let open = list.iter().filter(|one| one.state.is_open()).count();
    html! {
        section class="part-people" {
            @if !list.is_empty() {
                div data-live="obligations" class="group tight" {
                    h2 { "Obligations" span class="quiet" { " · " (open) " open of " (list.len()) } }
                    p class="quiet small" { (NOT_ADVICE) }
                    ul class="tasks obligations" { @for one in list { (row(told, org, one)) } }
                }
            }
            @if may_propose { div class="acts stay" data-live="obligation-acts" { (propose(told, org)) } }
        }
    }
}

fn propose(told: &PageData, org: &Org) -> Markup {
    let word = Verb::Obligation.word();
    let typed = told.draft.typed(word, "rule");
    let fields = html! {
        label class="field" {
            span { "Which rule" }
            select name="rule" required {
                @for form in &org.bundle().obligations {
                    @let status = form.adopts().map_or("", |rule| rule.status.words());
                    (pieces::choice(&form.id, typed == form.id, &format!("{} ({status})", form.called())))
                }
            }
        }
    };
    unfolding(told, word, "A regulator may be owed something", "", &fields, "It may apply")
}

fn row(told: &PageData, org: &Org, one: &ObligationView) -> Markup {
    let when = &told.when;
    html! {
        li class=(if one.state.is_open() { "open" } else { "through" }) id={ "obligation-" (one.obligation) } data-key=(one.obligation) {
            p {
                span class="quiet" { (one.obligation) ". " } strong { bdi { (one.name) } } " · " (one.state.words())
                span class="quiet" { " · " (one.status.words()) }
            }
            p class="quiet small" {
                "To " bdi { (recipient(one, org)) }
                @if let Some(at) = one.aware_at { " · aware since " (when.stamp(at)) }
                @if let Some(by) = &one.decided_by { ", says " bdi { (pieces::name(org, by)) } }
                @if let Some(why) = &one.why { ": " bdi { (pieces::cut(why, LINE_CHARS_MAX)) } }
            }
            @for report in one.reports.iter().filter(|report| report.due_at.is_some()) { (report_line(told, org, one, report)) }
            details class="small" data-key="source" {
                summary aria-label={ "What " (one.name) " is" } { "What it is" }
                p { "Where there was " (one.trigger) ", from when " (one.starts_at) "." }
                p { "Source: " bdi { (one.source) } ", rule " code { (one.rule) } ", version " (one.version) "." }
                @if let Some(why) = &one.own_time { p { "A time of its own: " bdi { (why) } } }
                p { @if one.assumes.is_empty() { (NOT_ADVICE) } @else { "Assumed: " (one.assumes) } }
            }
            @if told.may_act {
                @if let Some(report) = one.owed().filter(|_| fits(told, Verb::Submission)) { (submission(told, org, one, report)) }
                @if fits(told, Verb::Awareness) && one.state != ObligationState::MayApply {
                    (decision(told, one, "Correct the decision", "-again"))
                } @else if fits(told, Verb::Awareness) && !is_asked_above(told, one) { (decision(told, one, "Decide", "")) }
            }
        }
    }
}

/// Whether the question stands above the parts.
fn is_asked_above(told: &PageData, one: &ObligationView) -> bool {
    let mut open = told.incident.obligations.iter().filter(|one| one.state == ObligationState::MayApply).take(ASKED_MAX);
    open.any(|other| other.obligation == one.obligation)
}

fn report_line(told: &PageData, org: &Org, one: &ObligationView, report: &ReportView) -> Markup {
    let when = &told.when;
    let said = report.content.iter().filter(|item| item.said).count();
    html! {
        p data-key={ "report-" (report.report) } {
            (pieces::capital(&report.name)) ": "
            @match (report.submitted_at, report.due_at) {
                (Some(at), _) => {
                    "submitted " (when.stamp(at))
                    @if let Some(by) = &report.submitted_by { " by " bdi { (pieces::name(org, by)) } }
                    @if report.late { " · " span class="late" { "too late" } }
                    @if let Some(reference) = &report.reference { " · their reference " bdi { (reference) } }
                    @if let Some(evidence) = &report.evidence { " · " (pieces::link_or_text(evidence)) }
                    span class="quiet" { " · says " (said) " of " (report.content.len()) }
                },
                (None, Some(at)) if one.state == ObligationState::Applies => {
                    @if report.late { span class="late" { "missed" } " " }
                    (when.counting(at)) span class="quiet" { ", by " (when.stamp(at)) " " (when.zone()) }
                },
                (None, _) => span class="quiet" { "not submitted" },
            }
        }
    }
}

fn submission(told: &PageData, org: &Org, one: &ObligationView, report: &ReportView) -> Markup {
    let draft = of_submission(one.obligation);
    let typed = |name: &str| told.draft.typed(&draft, name);
    html! {
        details class="act-one" name="act" open[told.draft.verb == draft] data-key=(draft) {
            summary aria-label={ "Submitted: " (report.name) " of " (one.name) } { "Submitted" }
            form method="post" action=(path(told, Verb::Submission.word())) {
                (told.draft.refused(&draft)) (once(&told.when))
                input type="hidden" name="obligation" value=(one.obligation); input type="hidden" name="report" value=(report.report);
                fieldset class="choice" {
                    legend { "What it says" }
                    @for item in &report.content {
                        @let name = format!("{ITEM}{}", item.item);
                        label class="check" {
                            input type="checkbox" name=(name) value="1" checked[!typed(&name).is_empty()]; span { (item.text) }
                        }
                    }
                }
                label class="field" {
                    span { "When" span class="quiet" { " " (told.when.zone()) ", empty: now" } }
                    input type="datetime-local" step="1" name="submitted_at" value=(typed("submitted_at"));
                }
                label class="field" {
                    span { "Who" } (pieces::person_choice(org, "submitted_by", Some(typed("submitted_by")), Some("I did")))
                }
                label class="field" {
                    span { "Their reference" span class="quiet" { " (may stay empty)" } } input name="reference" value=(typed("reference"));
                }
                (words(told, &draft, "evidence", "Evidence: a link, or where it is kept", false))
                button class="do" type="submit" { "Write it down" }
            }
        }
    }
}
