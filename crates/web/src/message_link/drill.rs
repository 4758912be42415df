//! The page behind the link of a fire drill: that it is one, before all else, and one large button.

use allclear_domain::org::snapshot::Org;
use allclear_domain::paging::{Drill, Status};
use axum::response::Html;
use maud::{Markup, html};

use crate::frame::document::{Frame, LINK, document};
use crate::frame::pieces;
use crate::message_link::story::Story;

/// The page.
pub(super) fn page(org: &Org, story: &Story, drill: &Drill, token: &str) -> Html<String> {
    let body = html! {
        main class="narrow" {
            (outcome(story, drill))
            header class="what" {
                p class="top" { span class="ref" { "DRILL" } }
                h1 class="clamp" title=(story.incident.title) { bdi { (story.incident.title) } }
            }
            p class="next" { "This is a fire drill. Nothing is wrong, and nothing is to be done but to show that you are reached." }
            @if is_asked(story) { (actions(story, token)) }
            (facts(org, story, drill))
        }
    };
    document(&Frame { title: &story.incident.title, class: LINK, refresh_s: None, bar: None }, &body)
}

/// Whether an answer of this person counts, in time or late.
fn is_asked(story: &Story) -> bool {
    let waits = story.page.drill.as_ref().is_some_and(|drill| drill.asked.contains_key(&story.person));
    story.page.status == Status::Running && waits && !story.page.asks_no_more(&story.person)
}

fn outcome(story: &Story, drill: &Drill) -> Markup {
    let answers = drill.levels.iter().flat_map(|level| level.answers.iter().map(move |answer| (level, answer)));
    let own = answers.rev().find(|(_, answer)| answer.by == story.person);
    html! {
        @if let Some((level, answer)) = own {
            section class="outcome" role="status" {
                p class="verdict" { span class="tick" aria-hidden="true" { "✓" } "Your answer is kept" }
                p class="quiet" {
                    "Level " (level.step) ", " (story.when.stamp(answer.at))
                    @if answer.late { ", when the level was over" }
                    ". There is nothing for you to do."
                }
            }
        } @else if story.page.status != Status::Running {
            section class="outcome" role="status" {
                p class="verdict" { "The drill is over" }
                p { "There is nothing for you to do." }
            }
        }
    }
}

fn actions(story: &Story, token: &str) -> Markup {
    html! {
        section class="act" {
            form method="post" action={ "/a/" (token) } { button class="primary" type="submit" { "Acknowledge the drill" } }
            @if story.may_pass_on() {
                form method="post" action={ "/a/" (token) "/decline" } {
                    button class="secondary" type="submit" { "I can’t: ask the next" }
                }
            }
        }
    }
}

fn facts(org: &Org, story: &Story, drill: &Drill) -> Markup {
    html! {
        dl class="facts" {
            div { dt { "Since" } dd { (story.when.stamp(story.page.started_at)) " " (story.when.zone()) } }
            @if let Some(by) = &drill.ask.by { div { dt { "Started by" } dd { bdi { (pieces::name(org, by)) } } } }
        }
    }
}
