//! What an incident needs from elsewhere: a row each, where it stands and when it comes, with the form that says what became of it.

use allclear_domain::incident::lifecycle::Verb;
use allclear_domain::incident::resource::ResourceState;
use allclear_domain::org::snapshot::{ORGANISATION, Org};
use allclear_domain::view::ResourceView;
use maud::{Markup, html};

use crate::access::form_key::once;
use crate::frame::pieces;
use crate::incident::PageData;
use crate::incident::ask_forms::{DRAWN_MAX, drawn, fits, path, resources_stand, way_to};

/// Resources that are drawn, those that are still to come first; the log has the others, and a page stays light.
const RESOURCES_SHOWN: usize = 20;
/// Characters of a note that are drawn.
const SHORT_CHARS_MAX: usize = 160;

/// What may be said of one that is still to come, and of one that is there, with what is pressed for it.
const COMES: [(&str, &str); 5] = [
    ("ordered", "Ordered"),
    ("on_the_way", "On the way"),
    ("arrived", "It is here"),
    ("declined", "They decline"),
    ("withdrawn", "Not wanted"),
];
const THERE: [(&str, &str); 2] = [("released", "Give it back"), ("ordered", "It is not here yet")];

/// One row a resource.
pub(super) fn section(told: &PageData, org: &Org) -> Markup {
    let resources = &told.incident.resources;
    let wants = told.may_act && fits(told, Verb::Want);
    if !resources_stand(told, org) || (resources.is_empty() && !wants) {
        return html! {};
    }
    let awaited = resources.iter().filter(|one| one.state.is_awaited()).count();
    let mut shown: Vec<&ResourceView> = resources.iter().collect();
    shown.sort_by_key(|one| (!one.state.is_open(), !one.state.is_awaited()));
    let rest = shown.len().saturating_sub(RESOURCES_SHOWN);
    html! {
        section class="part-people" {
            @if !resources.is_empty() {
                div data-live="resources" class="group tight" {
                    h2 { "Resources" span class="quiet" { " · " (awaited) " to come of " (resources.len()) } }
                    ul class="tasks partners" {
                        @for (n, one) in shown.into_iter().take(RESOURCES_SHOWN).enumerate() { (row(told, org, one, n < DRAWN_MAX)) }
                    }
                    @if rest > 0 { p class="quiet small" { (rest) " more stand in the log." } }
                }
            }
            @if wants { div class="acts stay" data-live="resource-acts" { (drawn(told, org, Verb::Want)) } }
        }
    }
}

/// `draws`: whether its form is drawn with it.
fn row(told: &PageData, org: &Org, one: &ResourceView, draws: bool) -> Markup {
    let when = &told.when;
    let of = one.organisation.as_ref().map(|id| pieces::name(org, &format!("{ORGANISATION}{id}")));
    let since = match one.state {
        ResourceState::Wanted => one.wanted_at,
        ResourceState::Ordered => one.ordered_at.unwrap_or(one.wanted_at),
        ResourceState::OnTheWay => one.sent_at.unwrap_or(one.wanted_at),
        ResourceState::Arrived => one.arrived_at.unwrap_or(one.wanted_at),
        ResourceState::Released | ResourceState::Withdrawn => one.ended_at.unwrap_or(one.wanted_at),
    };
    html! {
        li class=[(!one.state.is_open()).then_some("dropped")] id={ "resource-" (one.resource) } data-key={ "resource-" (one.resource) } {
            p { span class="vh" { "Resource " } (one.resource) ". " strong { bdi { (one.called()) } } }
            p class="quiet small" {
                strong { (one.state.words()) } " " (when.time(since, &when.ago(since)))
                @if let Some(of) = &of { " · " @if one.state == ResourceState::Wanted { "of " } @else { "from " } bdi { (of) } }
                @if let Some(place) = &one.place { " · to " bdi { (place) } }
                @if let Some(reference) = &one.reference { " · their reference " bdi { (reference) } }
            }
            @if one.state.is_awaited() && (one.due_at.is_some() || one.expected_at.is_some()) {
                p class="small" {
                    @if let Some(due) = one.due_at { "needed " (when.counting(due)) }
                    @if one.due_at.is_some() && one.expected_at.is_some() { " · " }
                    @if let Some(at) = one.expected_at { "comes " (when.counting(at)) }
                }
            } @else if one.late { p class="small" { span class="late" { "came late" } } }
            @if let Some(note) = &one.note { p class="said clamp" { bdi { (pieces::cut(note, SHORT_CHARS_MAX)) } } }
            @if told.may_act && one.state.is_open() && fits(told, Verb::Resource) {
                @let draft = format!("resource-{}", one.resource);
                @if draws || told.draft.verb == draft { (say(told, org, one)) }
                @else {
                    p { (way_to("people", &draft, "What became of it", &format!("What became of it: resource {}", one.resource))) }
                }
            }
        }
    }
}

/// What became of one: the button says it.
fn say(told: &PageData, org: &Org, one: &ResourceView) -> Markup {
    let verb = format!("resource-{}", one.resource);
    let typed = |name: &str| told.draft.typed(&verb, name);
    let awaited = one.state.is_awaited();
    let buttons: &[(&str, &str)] = if awaited { &COMES } else { &THERE };
    html! {
        details class="act-one" name="act" open[told.draft.verb == verb] data-verb="resource" data-key="resource" {
            summary { "What became of it" span class="vh" { ": resource " (one.resource) } }
            form method="post" action=(path(told, "resource")) {
                (told.draft.refused(&verb)) (once(&told.when))
                input type="hidden" name="resource" value=(one.resource);
                @if awaited {
                    label class="field" {
                        span { "Comes within" span class="quiet" { " (may stay empty)" } }
                        input name="within" placeholder="40m" value=(typed("within"));
                    }
                    label class="field" {
                        span { "By whom" }
                        select name="organisation" {
                            (pieces::choice("", typed("organisation").is_empty(), "As it stands"))
                            @for form in &org.bundle().organisations {
                                (pieces::choice(&form.id, form.id == typed("organisation"), &form.name))
                            }
                        }
                    }
                    label class="field" {
                        span { "Their reference" span class="quiet" { " (may stay empty)" } }
                        input name="reference" value=(typed("reference"));
                    }
                }
                label class="field" {
                    span { "Note" span class="quiet" { " (may stay empty)" } }
                    textarea name="text" rows="2" { (typed("text")) }
                }
                label class="field" {
                    span { "When" span class="quiet" { " " (told.when.zone()) ", now where it stays empty" } }
                    input type="datetime-local" step="1" name="happened_at" value=(typed("happened_at"));
                }
                div class="row-of" {
                    @for (state, words) in buttons.iter().filter(|(state, _)| *state != one.state.word() && may(one, state)) {
                        @let class = if matches!(*state, "arrived" | "released") { "do" } else { "may" };
                        button class=(class) type="submit" name="state" value=(state) { (words) }
                    }
                }
            }
        }
    }
}

/// Nobody declines what nobody was asked for.
fn may(one: &ResourceView, state: &str) -> bool {
    state != "declined" || one.organisation.is_some()
}
