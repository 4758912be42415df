//! The forms of what goes on behind a message's link once the incident is its person's.

use allclear_domain::org::snapshot::Org;
use maud::{Markup, html};

use crate::access::form_key::once;
use crate::message_link;
use crate::message_link::story::{Standing, Story};
use crate::posted::Draft;

/// Writes to the log.
pub(super) const NOTE: &str = "note";
/// The part of the address that says that a note was taken.
pub(super) const NOTED: &str = "noted";
/// Pages others besides.
pub(super) const HELP: &str = "help";
/// It is over.
pub(super) const RESOLVE: &str = "resolve";
/// Somebody else shall have it.
pub(super) const GIVE_BACK: &str = "give-back";

/// The forms, for whoever has it; nothing for anybody else.
pub(super) fn goes_on(org: &Org, story: &Story, token: &str, draft: &Draft, noted: bool) -> Markup {
    let Standing::Taken { mine: true, .. } = story.standing else { return html! {} };
    let to = |verb: &str| format!("{}/{verb}", message_link::path(token));
    html! {
        section class="act on" {
            @if noted { p class="noted" role="status" { "Your note is in the log of " (story.incident.reference) "." } }
            form method="post" action=(to(NOTE)) {
                (draft.refused(NOTE)) (once(&story.when))
                label class="vh" for="note" { "Write to the log" }
                textarea id="note" name="text" rows="2" placeholder="What do you see? It is written to the log" required {
                    (draft.typed(NOTE, "text"))
                }
                button class="secondary" type="submit" { "Note" }
            }
            @if !story.incident.exercise {
                details open[draft.verb == HELP] { summary { "Get help" } (help(org, story, &to(HELP), draft)) }
            }
            details open[draft.verb == RESOLVE] {
                summary { "It is over" }
                form method="post" action=(to(RESOLVE)) {
                    (draft.refused(RESOLVE)) (once(&story.when))
                    label {
                        span { "What was it? " span class="quiet" { "May be left blank" } }
                        textarea name="note" rows="2" { (draft.typed(RESOLVE, "note")) }
                    }
                    button class="primary" type="submit" { "Resolve " (story.incident.reference) }
                }
            }
            details open[draft.verb == GIVE_BACK] {
                summary { "Give it back" }
                form method="post" action=(to(GIVE_BACK)) {
                    (draft.refused(GIVE_BACK)) (once(&story.when))
                    p { "It is nobody’s then, and paging goes on where it stopped." }
                    button class="secondary" type="submit" { "Give it back: page the next" }
                }
            }
        }
    }
}

/// Whom help is called from, with what they are called: teams and schedules, since a link that was passed on tells no names
/// of people.
pub(super) fn helpers(org: &Org) -> impl Iterator<Item = (String, String)> {
    let bundle = org.bundle();
    let teams = bundle.teams.iter().map(|team| (format!("team:{}", team.id), format!("Team {}", team.name)));
    let schedules = bundle.schedules.iter().map(|schedule| {
        let name = schedule.name.as_deref().unwrap_or(&schedule.id);
        (format!("schedule:{}", schedule.id), format!("On call: {name}"))
    });
    schedules.chain(teams)
}

fn help(org: &Org, story: &Story, to: &str, draft: &Draft) -> Markup {
    html! {
        form method="post" action=(to) {
            (draft.refused(HELP)) (once(&story.when))
            label {
                span { "Whom?" }
                select name="page" required {
                    option value="" { "Choose" }
                    @for (target, words) in helpers(org) { option value=(target) selected[draft.typed(HELP, "page") == target] { (words) } }
                }
            }
            label { span { "Why? They read this." } textarea name="why" rows="2" required { (draft.typed(HELP, "why")) } }
            button class="secondary" type="submit" { "Page them" }
            p class="hint" { "You keep it; they are paged besides." }
        }
    }
}
