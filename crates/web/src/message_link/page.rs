//! The page behind a message's link, for one glance at 3 a.m.: what broke, since when, who else
//! knows, what happens next, and one large button.

use allclear_domain::org::snapshot::Org;
use allclear_domain::paging::{Status, reason};
use allclear_domain::signal::AlertState;
use allclear_domain::view;
use axum::response::Html;
use maud::{Markup, html};

use crate::frame::alarm_words;
use crate::frame::document::{Frame, LINK, document};
use crate::frame::pieces;
use crate::message_link::forms;
use crate::message_link::story::{Standing, Story};
use crate::posted::Draft;

/// People named on the page; a team of two hundred would push the button off the screen.
const PEOPLE_SHOWN_MAX: usize = 6;
/// Characters of an alert's title; the incident's own is shown whole and cut by the style sheet.
const ALERT_TITLE_CHARS_MAX: usize = 160;

/// Characters of what an alarm says beside its title: the first sentences say what is wrong.
const WORDS_CHARS_MAX: usize = 300;
/// Characters of why a page looks for somebody; its log has the whole.
const BECAUSE_CHARS_MAX: usize = 300;
/// Links of one alarm.
const LINKS_MAX: usize = 3;

/// The page; `noted` where a note of its reader was just taken.
pub(crate) fn page(org: &Org, story: &Story, token: &str, draft: &Draft, noted: bool) -> Html<String> {
    let incident = &story.incident;
    let title = format!("{} {}", incident.reference, incident.title);
    let body = html! {
        main class="narrow" {
            (outcome(org, story))
            header class="what" {
                p class="top" { (pieces::severity(incident.severity)) span class="ref" { (incident.reference) } }
                h1 class="clamp" title=(incident.title) { bdi { (incident.title) } }
            }
            (why(story))
            (facts(story))
            @if story.standing == Standing::Open { (actions(story, token)) }
            (forms::goes_on(org, story, token, draft, noted))
            (alerts(story))
            (foot(story))
        }
    };
    document(&Frame { title: &title, class: LINK, refresh_s: None, bar: None }, &body)
}

/// Whoever is asked as a responder accepts, or says why not.
fn come_or_not(token: &str) -> Markup {
    html! {
        form method="post" action={ "/a/" (token) } { button class="primary" type="submit" { "Accept" } }
        form method="post" action={ "/a/" (token) "/decline" } {
            label { span { "If you cannot come: why?" } input name="why" maxlength="300"; }
            button class="secondary" type="submit" { "Decline" }
        }
    }
}

/// One large button.
pub(crate) fn acknowledge_form(token: &str) -> Markup {
    html! { form method="post" action={ "/a/" (token) } { button class="primary" type="submit" { "Acknowledge" } } }
}

/// Whether the person is still on it, and the two answers.
fn question(story: &Story, token: &str) -> Markup {
    html! {
        @if let Some(tells) = &story.page.tells { p class="next" { (tells.text) } }
        form method="post" action={ "/a/" (token) } { button class="primary" type="submit" { "I am still on it" } }
        form method="post" action={ "/a/" (token) "/decline" } {
            button class="secondary" type="submit" { "I am not: page the others" }
            p class="hint" { "It is paged again from the first step." }
        }
    }
}

/// The quieter one; `whom` says who is paged then.
pub(crate) fn decline_form(token: &str, whom: Option<&str>) -> Markup {
    html! {
        form method="post" action={ "/a/" (token) "/decline" } {
            button class="secondary" type="submit" { "I can’t: page the next" }
            @if let Some(whom) = whom { p class="hint" { (whom) } }
        }
    }
}

/// What became of it, above everything else; nothing while nobody has it.
fn outcome(org: &Org, story: &Story) -> Markup {
    let when = &story.when;
    html! {
        @match &story.standing {
            Standing::Taken { who, at, mine, .. } => {
                section class="outcome" role="status" {
                    p class="verdict" {
                        span class="tick" aria-hidden="true" { "✓" }
                        @if story.page.request.is_some() {
                            @if story.accepted() { "You have accepted" } @else { bdi { (who) } " has accepted" }
                        }
                        @else if story.part().is_some() { "You have acknowledged it" }
                        @else if *mine { "You have it" } @else { bdi { (who) } " has it" }
                    }
                    p class="quiet" {
                        @if let Some(at) = at { "Acknowledged " (since(story, *at)) ". " }
                        @if story.page.request.is_some() { "Whoever has the incident keeps it: tell them that you come." }
                        @else if let Some(part) = part(story) { (part) }
                        @else if story.others.is_empty() { "Paging has stopped; nobody else is called." }
                    }
                    (besides(story))
                    (afterwards(org, story, *mine))
                }
            }
            Standing::Over { what, who, at } => {
                section class="outcome" role="status" {
                    p class="verdict" { span class="tick" aria-hidden="true" { "✓" } (what) }
                    p class="quiet" {
                        @if let Some(who) = who { "By " bdi { (who) } @if at.is_some() { ", " } }
                        @if let Some(at) = at { (since(story, *at)) }
                    }
                    p { "There is nothing for you to do." }
                }
            }
            Standing::Open => {
                @if let Some(lost) = &story.lost {
                    section class="outcome" role="status" {
                        p class="verdict" { bdi { (lost.who) } " had it: " span class="late" { "nobody has it now" } }
                        @if let Some(why) = &lost.why { p class="quiet" { bdi { (pieces::capital(why)) } "." } }
                        (besides(story))
                    }
                } @else if story.page.status == Status::Exhausted {
                    section class="outcome" role="status" {
                        p class="verdict" { span class="late" { "Nobody answered" } }
                        p { "Everybody was paged, and it is nobody’s until somebody takes it." }
                    }
                } @else if let Some(at) = story.declined_at.filter(|_| !story.may_pass_on()) {
                    section class="outcome" role="status" {
                        p class="verdict" { "You passed it on" }
                        p class="quiet" { (when.ago(at)) ", " (when.stamp(at)) ". You can still take it." }
                        @if story.is_asked_now() {
                            p { "You are asked again by a later step: a newer message has its own link." }
                        }
                    }
                }
            }
        }
    }
}

/// How many have acknowledged, where several have to.
fn part(story: &Story) -> Option<String> {
    let (so_far, wants) = story.part()?;
    let others = if story.page.status == Status::Running { ": the others are asked still." } else { ", and nobody is left to ask." };
    Some(format!("{so_far} of {wants} have acknowledged{others}"))
}

/// Why it looks for somebody, where the title does not say it.
fn why(story: &Story) -> Markup {
    let open = story.page.tells.is_none() && story.standing == Standing::Open;
    html! {
        @if let Some(because) = reason::told(&story.page.because).filter(|_| open) {
            p class="why" { strong { bdi { (pieces::capital(&pieces::cut(because, BECAUSE_CHARS_MAX))) } "." } }
        }
    }
}

/// Whom other pages of the incident look for, and why.
fn besides(story: &Story) -> Markup {
    html! {
        @for other in &story.others {
            p class="quiet" {
                "Paged besides: " bdi { (pieces::list(&other.people, PEOPLE_SHOWN_MAX)) } "."
                @if let Some(because) = &other.because { " " bdi { (pieces::capital(&pieces::cut(because, BECAUSE_CHARS_MAX))) } "." }
            }
        }
    }
}

/// What comes next once somebody has it.
fn afterwards(org: &Org, story: &Story, mine: bool) -> Markup {
    let when = &story.when;
    html! {
        @for next in view::next(&story.incident, &[], &story.expectations, &|id| pieces::name(org, id)) {
            @for (words, at) in &next.parts {
                p {
                    "Next: " bdi { (words) } " " (when.time(*at, &when.due(*at))) " (" (when.exact(*at)) ")"
                    @if let Some(or_else) = &next.or_else { ", else " (or_else) } "."
                }
            }
        }
        @if story.expectations.is_empty() && mine {
            p {
                @if story.alerts.is_empty() { "Next: say when it is resolved." }
                @else { "Next: when all alerts have recovered, you are asked whether it is over." }
            }
        }
        @if mine && story.incident.recovered { p { strong { "All alerts have recovered: is it over?" } } }
    }
}

fn facts(story: &Story) -> Markup {
    let incident = &story.incident;
    let when = &story.when;
    let began = incident.began();
    let shown = story.paged.len().min(PEOPLE_SHOWN_MAX);
    html! {
        dl class="facts" {
            div { dt { "Since" } dd { strong { (when.age(began)) } span class="quiet" { " · " (when.stamp(began)) " " (when.zone()) } } }
            div {
                dt { "Affected" }
                dd { @if let Some(name) = &story.service_name { bdi { (name) } } @else { span class="quiet" { "no service is named" } } }
            }
            div {
                dt { "Paged" }
                dd {
                    ul class="people" {
                        @for paged in &story.paged[..shown] {
                            li {
                                @if paged.id == story.person { "you" } @else { bdi { (paged.name) } }
                                span class="quiet" { " · " (paged.words) }
                            }
                        }
                        @if story.paged.len() > shown { li class="quiet" { "and " (story.paged.len() - shown) " more" } }
                        @if story.paged.is_empty() { li class="quiet" { "nobody yet" } }
                    }
                }
            }
            @if !story.runbooks.is_empty() {
                div {
                    dt { "Runbook" }
                    dd { @for href in &story.runbooks { p class="line" { (pieces::link_or_text(href)) } } }
                }
            }
        }
    }
}

/// What follows by itself, and the two buttons.
fn actions(story: &Story, token: &str) -> Markup {
    let when = &story.when;
    let next = pieces::list(&story.next_people, PEOPLE_SHOWN_MAX);
    let verb = if story.next_people.len() == 1 { "is" } else { "are" };
    let whom = (!next.is_empty()).then(|| format!("{next} {verb} paged at once."));
    html! {
        section class="act" {
            @if let Some((so_far, wants)) = story.part().filter(|_| story.page.request.is_none()) {
                p class="next" { (so_far) " of " (wants) " have acknowledged." }
            }
            @if let Some(due) = story.step_due_at {
                @if story.page.request.is_some() {
                    p class="next" { "An answer is wanted " strong { (when.left(due)) } " (by " (when.stamp(due)) ")." }
                }
                @else { p class="next" {
                    @if story.part().is_some() { "If not as many acknowledge " } @else { "If nobody acknowledges " }
                    @if when.is_late(due) { "now" }
                    @else { "within " strong { (when.left(due)) } " (by " (when.stamp(due)) ")" }
                    ", "
                    @if next.is_empty() { "nobody is left to page." }
                    @else { bdi { (next) } " " (verb) " paged." }
                } }
            }
            @if story.is_question() { (question(story, token)) }
            @else if story.page.request.is_some() { (come_or_not(token)) }
            @else { (acknowledge_form(token)) }
            @if story.may_pass_on() && story.page.request.is_none() {
                (decline_form(token, Some(whom.as_deref().unwrap_or("Nobody is left: the log will say that nobody answered."))))
            }
        }
    }
}

fn alerts(story: &Story) -> Markup {
    let when = &story.when;
    html! {
        @if !story.alerts.is_empty() {
            section {
                h2 { "Alerts" }
                ul class="alerts" {
                    @for alert in &story.alerts {
                        li {
                            p class="clamp" { bdi { (pieces::cut(&alert.title, ALERT_TITLE_CHARS_MAX)) } }
                            @if let Some(words) = alarm_words::description(alert) {
                                p class="said" { bdi { (pieces::cut(words, WORDS_CHARS_MAX)) } }
                            }
                            @for (href, caption) in alarm_words::links(alert).into_iter().take(LINKS_MAX) {
                                p class="line" { (pieces::link(href, caption)) }
                            }
                            p class="quiet" {
                                @if alert.state == AlertState::Open { "Open for " (when.age(alert.starts_at)) }
                                @else { (pieces::ended(alert.state)) }
                                @if let Some(source) = &alert.source { " · " bdi { (pieces::cut(source, ALERT_TITLE_CHARS_MAX)) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn foot(story: &Story) -> Markup {
    let when = &story.when;
    html! {
        footer class="quiet" {
            p { "Shown " (when.stamp(when.now)) " " (when.zone()) " for " bdi { (story.person_name) } ". "
                "This link works until " (when.time(story.expires_at, &when.minute(story.expires_at))) ", for this one page." }
            p { a href={ "/incidents/" (story.incident.reference) } { "The log of " (story.incident.reference) } }
        }
    }
}

fn since(story: &Story, at: jiff::Timestamp) -> Markup {
    html! { (story.when.ago(at)) ", " (story.when.stamp(at)) " " (story.when.zone()) }
}
