//! The forms of what goes on behind a message's link once the incident is its person's.

use allclear_domain::org::model::NotifyUrgency;
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

/// The value of whom the policy would call next.
const NEXT_STEP: &str = "next";

/// Somebody whom help is called from.
pub(super) struct Helper {
    /// What the form sends.
    pub value: String,
    /// What it is called.
    pub words: String,
    /// Whom that is: targets as in a step.
    pub targets: Vec<String>,
}

/// Whom help is called from: the next step of the page's policy, schedules and teams, since a link that was passed on tells no
/// names of people. Those that reach nobody but the asker come apart, as what does not help.
pub(super) fn helpers(org: &Org, story: &Story) -> (Vec<Helper>, Vec<Helper>) {
    let bundle = org.bundle();
    let policy = story.page.escalation.as_deref().and_then(|id| org.escalation(id));
    let next = policy.map(|policy| Helper {
        value: NEXT_STEP.to_owned(),
        words: format!("The next step of {}", policy.name.as_deref().unwrap_or(&policy.id)),
        targets: story.steps_on.iter().map(|id| format!("person:{id}")).collect(),
    });
    let one = |target: String, words: String| Helper { value: target.clone(), words, targets: vec![target] };
    let schedules = bundle.schedules.iter().map(|schedule| {
        let name = schedule.name.as_deref().unwrap_or(&schedule.id);
        one(format!("schedule:{}", schedule.id), format!("On call: {name}"))
    });
    let teams = bundle.teams.iter().map(|team| one(format!("team:{}", team.id), format!("Team {}", team.name)));
    let reaches_another = |helper: &Helper| {
        let people = helper.targets.iter().flat_map(|target| org.people_for(target, story.when.now).people);
        people.into_iter().any(|(id, _)| id != story.person && !org.reach(&id, NotifyUrgency::High).is_empty())
    };
    next.into_iter().chain(schedules).chain(teams).partition(reaches_another)
}

/// Whom the asker chose, or why nobody comes of it, with what would work.
pub(super) fn chosen(org: &Org, story: &Story, value: Option<&str>) -> Result<Vec<String>, String> {
    let (mut help, none) = helpers(org, story);
    if let Some(at) = help.iter().position(|helper| Some(helper.value.as_str()) == value) {
        return Ok(help.swap_remove(at).targets);
    }
    let works = help.iter().map(|helper| helper.words.as_str()).collect::<Vec<_>>().join("; ");
    Err(match none.iter().find(|helper| Some(helper.value.as_str()) == value) {
        Some(chosen) if works.is_empty() => format!("{} reaches nobody but you now, and nobody else can be paged from here.", chosen.words),
        Some(chosen) => format!("{} reaches nobody but you now. What works: {works}.", chosen.words),
        None => "Choose whom to page from the list.".to_owned(),
    })
}

fn help(org: &Org, story: &Story, to: &str, draft: &Draft) -> Markup {
    let (helpers, _) = helpers(org, story);
    html! {
        @if helpers.is_empty() { p { "No schedule and no team reaches anybody but you. Give it back, and it is paged by its policy." } }
        form method="post" action=(to) {
            (draft.refused(HELP)) (once(&story.when))
            label {
                span { "Whom?" }
                select name="page" required {
                    option value="" { "Choose" }
                    @for one in &helpers { option value=(one.value) selected[draft.typed(HELP, "page") == one.value] { (one.words) } }
                }
            }
            label { span { "Why? They read this." } textarea name="why" rows="2" required { (draft.typed(HELP, "why")) } }
            button class="secondary" type="submit" { "Page them" }
            p class="hint" { "You keep it; they are paged besides." }
        }
    }
}
