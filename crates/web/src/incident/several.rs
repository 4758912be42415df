//! How an incident stands to others, and whose it is: the relations with their forms, and an offer to another team.

use allclear_domain::ask::{self, Ask};
use allclear_domain::incident::lifecycle::Verb;
use allclear_domain::incident::related::Relation;
use allclear_domain::incident::transfers::{SERVICE, TEAM};
use allclear_domain::incident::work::TaskState;
use allclear_domain::org::snapshot::Org;
use allclear_domain::view::{RelatedView, TransfersView};
use maud::{Markup, html};

use crate::access::form_key::once;
use crate::frame::pieces;
use crate::incident::PageData;
use crate::incident::ask_forms::{asks_for, field_of, fits, folded, path, pick, unfolding, words};

/// Relations that are drawn with their forms; more of them stand in the terminal.
const SHOWN_MAX: usize = 20;
/// Characters of the title of another incident.
const TITLE_CHARS_MAX: usize = 90;

/// The relations, where there are any.
pub(super) fn section(told: &PageData, org: &Org) -> Markup {
    let relations = &told.incident.relations;
    html! {
        @if !relations.is_empty() {
            section class="part-people" {
                div data-live="relations" class="group tight" {
                    h2 { "Other incidents" span class="quiet" { " · " (relations.len()) } }
                    ul class="tasks" { @for one in relations.iter().take(SHOWN_MAX) { (row(told, one, org)) } }
                    @if relations.len() > SHOWN_MAX { p class="quiet small" { (relations.len() - SHOWN_MAX) " more are not shown." } }
                }
            }
        }
    }
}

fn row(told: &PageData, one: &RelatedView, org: &Org) -> Markup {
    let is_part = one.is == Relation::Child && one.state.is_open();
    html! {
        li data-key=(one.reference) {
            p {
                span class="quiet" { (one.is.heading()) " " @if let Some(rank) = one.rank.filter(|_| is_part) { (rank) " " } }
                a href={ "/incidents/" (one.reference) } {
                    span class="ref" { (one.reference) } " " bdi { (pieces::cut(&one.title, TITLE_CHARS_MAX)) }
                }
            }
            p class="quiet small" {
                (pieces::severity(one.severity)) " " (pieces::state(one.state))
                @if one.followed { " · its updates are updates of this one" }
                @if one.is == Relation::Parent && one.agreed {
                    " · whoever commands it may move people from here"
                    @if let Some(by) = &one.agreed_by { ", as " bdi { (pieces::name(org, by)) } " agreed" }
                }
                @if is_part {
                    " · "
                    @match &one.holder { Some(id) => bdi { (pieces::name(org, id)) }, None => span class="late" { "nobody has it" } }
                    " · "
                    @match one.next_due { Some(at) => { "due " (told.when.counting(at)) }, None => "nothing is due" }
                }
            }
            @if told.may_act {
                div class="task-acts" {
                    @if one.is == Relation::Parent && fits(told, Verb::Follow) {
                        form method="post" action=(path(told, "follow")) class="at-once" {
                            (told.draft.refused("follow")) (once(&told.when))
                            @if one.followed {
                                input type="hidden" name="state" value="stopped";
                                button class="may" type="submit" { "Stop following " span class="vh" { (one.reference) } }
                            } @else { button class="may" type="submit" { "Follow its updates" } }
                        }
                    }
                    @if is_part && fits(told, Verb::Order) {
                        @match one.rank {
                            Some(1) => {},
                            Some(rank) => (place(told, one, rank - 1, "Earlier")),
                            None => (place(told, one, ordered(told) + 1, "Give it a place")),
                        }
                    }
                    @if one.is.is_said() && fits(told, Verb::Unrelate) {
                        form method="post" action=(path(told, "unrelate")) class="at-once" {
                            (told.draft.refused("unrelate")) (once(&told.when))
                            input type="hidden" name="to" value=(one.reference);
                            button class="may" type="submit" { "End the relation" span class="vh" { " to " (one.reference) } }
                        }
                    }
                }
            }
        }
    }
}

/// How many parts have a place.
fn ordered(told: &PageData) -> u32 {
    told.incident.relations.iter().filter(|one| one.is == Relation::Child).filter_map(|one| one.rank).max().unwrap_or(0)
}

/// A button that gives a part this place.
fn place(told: &PageData, part: &RelatedView, rank: u32, words: &str) -> Markup {
    html! {
        form method="post" action=(path(told, "order")) class="at-once" {
            (once(&told.when))
            input type="hidden" name="part" value=(part.reference); input type="hidden" name="rank" value=(rank);
            button class="may" type="submit" { (words) span class="vh" { " " (part.reference) } }
        }
    }
}

/// People who were moved, at the head of what they came to or left.
pub(super) fn moved(label: &str, people: &[String], org: &Org) -> Markup {
    html! {
        div { dt { (label) } dd { @for (n, id) in people.iter().enumerate() { @if n > 0 { ", " } bdi { (pieces::name(org, id)) } } } }
    }
}

/// Which of its parts, and which place.
fn order(told: &PageData) -> Markup {
    let typed = |name: &str| told.draft.typed("order", name);
    let parts = || told.incident.relations.iter().filter(|one| one.is == Relation::Child && one.state.is_open());
    html! {
        label class="field" {
            span { "The part" }
            select name="part" required {
                @for one in parts() {
                    @let words = match one.rank { Some(rank) => format!("{rank}. {}", one.reference), None => one.reference.clone() };
                    (pieces::choice(&one.reference, typed("part") == one.reference, &words))
                }
            }
        }
        label class="field" {
            span { "Its place" span class="quiet" { " (1 comes first)" } }
            input name="rank" type="number" min="1" max=(ordered(told) + 1) value=(typed("rank"));
        }
        label class="check" {
            input type="checkbox" name="state" value="unordered" checked[!typed("state").is_empty()];
            span { "It has no place any more" }
        }
        (words(told, "order", "why", "Why?", false))
    }
}

/// Who goes where, and who has it instead.
fn move_somebody(told: &PageData, org: &Org, ask: &Ask) -> Markup {
    html! {
        @for field in ask.fields {
            @if field.name == "to" {
                (pick(told, "move", "To which incident?"))
                (field_of(told, org, ask.verb, &field.label("Another one’s reference").or_not()))
            } @else { (field_of(told, org, ask.verb, field)) }
        }
    }
}

/// An offer that waits for an answer, above the parts, with the buttons of whoever answers.
pub(super) fn offered(told: &PageData, org: &Org) -> Markup {
    let Some((transfers, team)) = told.incident.transfers.as_ref().and_then(|one| Some((one, one.offered_to.as_deref()?))) else {
        return html! {};
    };
    let mine = told.me.as_ref().is_some_and(|me| org.is_of_team(me, team));
    let name = org.team(team).map_or(team, |form| &form.name);
    html! {
        section class="once" data-live="transfer" {
            p {
                strong { "Offered to team " bdi { (name) } }
                @if let Some(id) = &transfers.service { " for " bdi { (pieces::service(org, id)) } }
                @if let Some(by) = &transfers.offered_by { " by " bdi { (pieces::name(org, by)) } }
                @if let Some(at) = transfers.offered_at { " " (told.when.time(at, &told.when.ago(at))) }
                @if transfers.paged { span class="late" { " nobody answered, the team is paged" } }
            }
            @if let Some(why) = &transfers.why { p { bdi { (why) } } }
            @if told.may_act {
                div class="acts stay" {
                    @if mine {
                        form method="post" action=(path(told, "transfer")) class="at-once" {
                            (told.draft.refused("transfer")) (once(&told.when))
                            input type="hidden" name="state" value="accepted";
                            button class="do" type="submit" { "Accept it" }
                        }
                        (ends(told, "returned", "Give it back", true))
                    } @else { (ends(told, "withdrawn", "Take the offer back", false)) }
                }
            }
        }
    }
}

fn ends(told: &PageData, state: &str, label: &str, needed: bool) -> Markup {
    let fields = html! {
        input type="hidden" name="state" value=(state);
        (words(told, "transfer", "why", "Why?", needed))
    };
    unfolding(told, "transfer", label, "", &fields, label)
}

/// How often it was handed over, beside its people.
pub(super) fn counts(transfers: &TransfersView, org: &Org) -> Markup {
    html! {
        @if transfers.hand_overs + transfers.returned > 0 {
            div {
                dt { "Team" }
                dd {
                    @if let Some(team) = &transfers.team { bdi { (org.team(team).map_or(team.as_str(), |form| form.name.as_str())) } " " }
                    span class="quiet small" {
                        "handed over " (transfers.hand_overs) " times"
                        @if transfers.ping_pongs > 0 { ", " (transfers.ping_pongs) " of them back to a team that had it" }
                        @if transfers.returned > 0 { "; not taken " (transfers.returned) " times" }
                    }
                }
            }
        }
    }
}

/// What is asked for less often: a form is drawn for the one that asks for it, since its choices are long.
pub(super) fn acts(told: &PageData, org: &Org) -> Markup {
    html! {
        @for verb in [Verb::Relate, Verb::Split, Verb::Order, Verb::Move, Verb::Transfer] {
            @let may = fits(told, verb) && !is_offered(told, verb) && has_parts(told, verb);
            @if let Some(ask) = ask::of(verb).filter(|_| may) {
                @let word = verb.word();
                @if told.draft.verb != word { (asks_for(told, word, ask.label)) }
                @else if verb == Verb::Relate { (folded(told, word, ask.label, &relate(told, org, ask), ask.press)) }
                @else if verb == Verb::Order { (folded(told, word, ask.label, &order(told), ask.press)) }
                @else if verb == Verb::Move { (folded(told, word, ask.label, &move_somebody(told, org, ask), ask.press)) }
                @else if verb == Verb::Split { (folded(told, word, ask.label, &split(told, org), ask.press)) }
                @else {
                    (folded(told, word, ask.label, &html! { (whom(told, org)) (words(told, word, "why", "Why?", true)) }, ask.press))
                }
            }
        }
    }
}

/// Only parts are put in an order.
fn has_parts(told: &PageData, verb: Verb) -> bool {
    verb != Verb::Order || told.incident.relations.iter().any(|one| one.is == Relation::Child && one.state.is_open())
}

/// What is offered already has its own place, with the answers.
fn is_offered(told: &PageData, verb: Verb) -> bool {
    verb == Verb::Transfer && told.incident.transfers.as_ref().is_some_and(|one| one.offered_to.is_some())
}

fn relate(told: &PageData, org: &Org, ask: &Ask) -> Markup {
    html! {
        (pick(told, "relate", "Which incident?"))
        @for field in ask.fields {
            @if field.name == "to" { (field_of(told, org, ask.verb, &field.label("Another one’s reference").or_not())) }
            @else { (field_of(told, org, ask.verb, field)) }
        }
    }
}

/// A box for each thing that may go with a part that is split off, and who leads that.
fn split(told: &PageData, org: &Org) -> Markup {
    let typed = |name: &str| told.draft.typed("split", name);
    let boxed = |name: String, words: Markup| {
        html! { label class="check" { input type="checkbox" name=(name) value="1" checked[!typed(&name).is_empty()]; span { (words) } } }
    };
    let alerts: Vec<_> = told.alerts.iter().filter(|alert| alert.ended_at.is_none()).take(SHOWN_MAX).collect();
    let tasks: Vec<_> = told.incident.tasks.iter().filter(|task| task.state == TaskState::Open && task.plan.is_none()).collect();
    let services: Vec<_> = told.incident.affected.iter().filter(|one| Some(&one.service) != told.incident.service.as_ref()).collect();
    html! {
        label class="field" { span { "What is that one?" } input name="title" required value=(typed("title")); }
        @if !alerts.is_empty() {
            fieldset class="choice" {
                legend { "Alerts that go with it" }
                @for alert in alerts {
                    (boxed(format!("alerts:{}", alert.id), html! { bdi { (pieces::cut(&alert.title, TITLE_CHARS_MAX)) } }))
                }
            }
        }
        @if !tasks.is_empty() {
            fieldset class="choice" {
                legend { "Tasks that go with it" }
                @for task in tasks.iter().take(SHOWN_MAX) {
                    @let what = html! { (task.task) ". " bdi { (pieces::cut(&task.text, TITLE_CHARS_MAX)) } };
                    (boxed(format!("tasks:{}", task.task), what))
                }
            }
        }
        @if !services.is_empty() {
            fieldset class="choice" {
                legend { "Services that go with it" }
                @for one in services {
                    (boxed(format!("services:{}", one.service), html! { bdi { (pieces::service(org, &one.service)) } }))
                }
            }
        }
        label class="field" {
            span { "Who leads it" span class="quiet" { " (you, unless you ask somebody)" } }
            (pieces::person_choice(org, "to", Some(typed("to")), Some("You")))
        }
        p class="hint" { "Steps of a plan, decisions and requests stay here. Its targets count from when this one was declared." }
    }
}

/// A team, or a service whose team it is.
fn whom(told: &PageData, org: &Org) -> Markup {
    let typed = told.draft.typed("transfer", "to");
    html! {
        label class="field" {
            span { "To" }
            select name="to" required {
                (pieces::choice("", typed.is_empty(), "Choose"))
                optgroup label="Teams" {
                    @for team in &org.bundle().teams {
                        @let value = format!("{TEAM}{}", team.id);
                        (pieces::choice(&value, typed == value, &team.name))
                    }
                }
                optgroup label="The team of a service" {
                    @for service in org.bundle().services.iter().filter(|service| service.team.is_some()) {
                        @let value = format!("{SERVICE}{}", service.id);
                        (pieces::choice(&value, typed == value, &service.name))
                    }
                }
            }
        }
    }
}
