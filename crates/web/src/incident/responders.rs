//! Further responders: whom this incident asked for, by whom, since when, and what each answered; and the form that asks.

use allclear_domain::incident::lifecycle::Verb;
use allclear_domain::org::snapshot::Org;
use allclear_domain::view::ResponderRequestView;
use maud::{Markup, html};

use crate::access::form_key::once;
use crate::frame::pieces;
use crate::incident::ask_forms::{fits, path};
use crate::incident::{PageData, TAB};

/// Requests that are drawn, the newest of those that are open first; the log has the others.
const REQUESTS_SHOWN: usize = 10;
/// People of one request who are drawn.
const PEOPLE_SHOWN: usize = 12;
/// Characters of a reason that are drawn.
const WHY_CHARS_MAX: usize = 160;

/// Requests that wait for whoever reads.
fn of_reader(told: &PageData) -> impl Iterator<Item = &ResponderRequestView> {
    let me = told.me.as_deref();
    told.incident.responders.iter().filter(move |one| {
        let asked = me.is_some_and(|me| one.people.iter().any(|person| person == me) && one.answer_of(me).is_none());
        one.open && asked
    })
}

/// Whoever reads is asked: two buttons, above everything else.
pub(super) fn asked(told: &PageData, org: &Org) -> Markup {
    if !told.may_act || !fits(told, Verb::Responder) || of_reader(told).next().is_none() {
        return html! {};
    }
    html! {
        section class="fitting" aria-label="You are asked to come" data-live="asked-to-come" {
            @for one in of_reader(told) {
                form method="post" action=(path(told, "responder")) class="at-once" data-key={ "asked-to-come-" (one.request) } {
                    (once(&told.when))
                    input type="hidden" name="request" value=(one.request); input type="hidden" name=(TAB) value=(told.tab);
                    p {
                        @match &one.by {
                            Some(by) => { strong { bdi { (pieces::name(org, by)) } } " asks you to come: " },
                            None => "You are asked to come: ",
                        }
                        bdi { (pieces::cut(&one.why, WHY_CHARS_MAX)) }
                    }
                    label class="field" { span { "If you cannot: why?" } input name="why" maxlength="300"; }
                    button class="do" type="submit" name="answer" value="accept" { "Accept" }
                    " " button class="may" type="submit" name="answer" value="decline" { "Decline" }
                }
            }
        }
    }
}

/// One row a request.
pub(super) fn section(told: &PageData, org: &Org) -> Markup {
    let all = &told.incident.responders;
    if all.is_empty() {
        return html! {};
    }
    let mut shown: Vec<&ResponderRequestView> = all.iter().rev().collect();
    shown.sort_by_key(|one| !one.open);
    let rest = shown.len().saturating_sub(REQUESTS_SHOWN);
    let accepted = all.iter().flat_map(|one| &one.answers).filter(|answer| answer.accepted).count();
    html! {
        section class="part-people" {
            div data-live="responders" class="group tight" {
                h2 { "Responders asked for" span class="quiet" { " · " (accepted) " accepted" } }
                ul class="tasks partners" { @for one in shown.into_iter().take(REQUESTS_SHOWN) { (row(told, org, one)) } }
                @if rest > 0 { p class="quiet small" { (rest) " more stand in the log." } }
            }
        }
    }
}

fn row(told: &PageData, org: &Org, one: &ResponderRequestView) -> Markup {
    let when = &told.when;
    let draft = format!("responder-{}", one.request);
    let others = one.answers.iter().map(|answer| &answer.person).filter(|person| !one.people.contains(person));
    let people: Vec<&String> = one.people.iter().chain(others).collect();
    let more = people.len().saturating_sub(PEOPLE_SHOWN);
    html! {
        li class=[(!one.open).then_some("dropped")] id=(draft) data-key=(draft) {
            p {
                span class="vh" { "Request " } (one.request) ". " bdi { (pieces::cut(&one.why, WHY_CHARS_MAX)) }
                @if let Some(policy) = &one.escalation { span class="quiet" { " · by the policy " bdi { (policy) } } }
            }
            p class="quiet small" {
                "Asked " (when.time(one.asked_at, &when.ago(one.asked_at)))
                @if let Some(by) = &one.by { " by " bdi { (pieces::name(org, by)) } }
                @if let Some(at) = one.cancelled_at { " · " strong { "cancelled" } " " (when.time(at, &when.ago(at))) }
                @else if one.open && !one.late { " · an answer is wanted " (when.counting(one.due_at)) }
                @else if one.open { " · " span class="late" { "no answer in time" } }
            }
            ul class="pairs" {
                @for person in people.iter().take(PEOPLE_SHOWN) {
                    li {
                        span { bdi { (pieces::name(org, person)) } }
                        @match one.answer_of(person) {
                            Some(answer) => {
                                span {
                                    @if answer.accepted { strong { "accepted" } } @else { "declined" }
                                    @if let Some(why) = &answer.why { ": " bdi { (pieces::cut(why, WHY_CHARS_MAX)) } }
                                    span class="quiet" { " " (when.time(answer.at, &when.ago(answer.at))) }
                                }
                            }
                            None => span class="quiet" { "no answer yet" },
                        }
                    }
                }
                @if more > 0 { li class="quiet" { "and " (more) " more" } }
            }
            @if told.may_act && one.open && fits(told, Verb::Responder) {
                form method="post" action=(path(told, "responder")) class="at-once" {
                    (told.draft.refused(&draft)) (once(when))
                    input type="hidden" name="request" value=(one.request);
                    button class="may" type="submit" name="answer" value="cancel"
                        aria-label={ "Cancel request " (one.request) } { "Cancel" }
                }
            }
        }
    }
}
