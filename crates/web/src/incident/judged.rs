//! What an incident is of and how bad it is: what is advised at its head, its type with the questions of that, and the matrix of
//! impact and urgency as a table to choose from.

use allclear_domain::ask;
use allclear_domain::incident::lifecycle::Verb;
use allclear_domain::org::model::{AnswerKind, CustomField, Level, Required};
use allclear_domain::org::snapshot::Org;
use allclear_domain::view::AnswerView;
use maud::{Markup, html};

use crate::access::form_key::once;
use crate::frame::pieces::{self, LINE_CHARS_MAX};
use crate::frame::time_text::When;
use crate::incident::PageData;
use crate::incident::ask_forms::{asks_for, fits, folded, path, unfolding, words};

/// What the name of the field of an answer begins with, where a form has several.
pub(crate) const ANSWER: &str = "answer:";
/// Says that an answer is a time on the clock of whoever fills it in.
pub(crate) const CLOCK: &str = "clock";
/// Says that whoever declares does not know how bad it is.
pub(crate) const UNSURE: &str = "unsure";

/// What is advised, once: to take, or to keep what is with a reason.
pub(super) fn advised(told: &PageData) -> Markup {
    let keep = Verb::Keep.word();
    let refused = told.draft.refused(keep);
    let Some(advice) = &told.incident.advice else { return refused };
    let (now, to) = (told.incident.severity.word().to_uppercase(), advice.severity.word().to_uppercase());
    let deed = if advice.severity < told.incident.severity { "raise" } else { "lower" };
    html! {
        section class="once advice" aria-label="Advice" data-live="advice" {
            p { strong { "Perhaps " (to) } ", not " (now) ": " bdi { (pieces::cut(&advice.why(), LINE_CHARS_MAX)) } "." }
            @if told.may_act && fits(told, Verb::Severity) {
                div class="acts stay" {
                    form method="post" action=(path(told, "severity")) class="at-once" data-key="take-advice" {
                        (once(&told.when))
                        input type="hidden" name="severity" value=(advice.severity); input type="hidden" name="why" value=(advice.why());
                        button class="may" type="submit" { "Take it: " (deed) " to " (to) }
                    }
                    (unfolding(told, keep, &format!("Keep {now}"), "", &words(told, keep, "why", "Why does it stay?", true), "Keep it"))
                }
            } @else { (refused) }
        }
    }
}

/// How alarms come, in a line.
pub(super) fn alarms(told: &PageData) -> Markup {
    let when = &told.when;
    html! {
        @if let Some(alarms) = &told.incident.alarms {
            p class="small quiet" {
                "First " (when.stamp(alarms.first_at)) ", last " (when.stamp(alarms.last_at)) ", " (alarms.lately) " in the last 10 minutes"
            }
            @for value in &alarms.values { p class="small" { bdi { (value) } } }
        }
    }
}

/// Its type, with what was answered and what is not yet.
pub(super) fn section(told: &PageData, org: &Org) -> Markup {
    let Some(kind) = &told.incident.kind else { return html! {} };
    let may = told.may_act && fits(told, Verb::Field) && org.incident_type(&kind.kind).is_some();
    html! {
        section {
            div data-live="type" class="group tight" {
                h2 { bdi { (kind.name) } }
                @if kind.fields.is_empty() { p class="quiet" { "This type asks nothing." } }
                dl class="roles" {
                    @for field in &kind.fields {
                        div {
                            dt { bdi { (field.label) } }
                            dd {
                                @match &field.value {
                                    Some(value) => (answered(field, value, &told.when)),
                                    None => span class="quiet" { (not_yet(field.required)) },
                                }
                            }
                        }
                    }
                }
            }
            @if may {
                div class="sheet-like" {
                    @for field in kind.fields.iter().filter(|field| field.asked) { (answer(told, field)) }
                }
            }
        }
    }
}

const fn not_yet(required: Option<Required>) -> &'static str {
    match required {
        Some(Required::Declare) => "not answered: it is needed",
        Some(Required::Close) => "not answered: it is needed before it is closed",
        None => "not answered",
    }
}

fn answered(field: &AnswerView, value: &str, when: &When) -> Markup {
    match (field.kind, value.parse()) {
        (AnswerKind::Link, _) => pieces::link_or_text(value),
        (AnswerKind::DateTime, Ok(at)) => html! { (when.stamp(at)) " " span class="quiet" { (when.zone()) } },
        _ => html! { bdi { (pieces::cut(value, LINE_CHARS_MAX)) } },
    }
}

/// The form of one question.
fn answer(told: &PageData, field: &AnswerView) -> Markup {
    let verb = format!("field-{}", field.field);
    let typed = told.draft.typed(&verb, "value");
    let value = if typed.is_empty() { field.value.as_deref().unwrap_or_default() } else { typed };
    html! {
        details class="act-one" name="act" open[told.draft.verb == verb] data-key=(verb) {
            summary { @if field.value.is_some() { "Change: " } @else { "Answer: " } bdi { (field.label) } }
            form method="post" action=(path(told, Verb::Field.word())) {
                (told.draft.refused(&verb)) (once(&told.when))
                input type="hidden" name="field" value=(field.field);
                @if field.kind == AnswerKind::DateTime { input type="hidden" name=(CLOCK) value="1"; }
                (asked("value", &field.label, field.kind, &field.choices, value, false, &told.when))
                button class="do" type="submit" { "Keep it" }
            }
        }
    }
}

/// The questions of a type where it is declared.
pub(super) fn questions<'a>(fields: &[CustomField], typed: impl Fn(&str) -> &'a str, when: &When) -> Markup {
    html! {
        @for field in fields.iter().filter(|field| field.required != Some(Required::Close)) {
            @let name = format!("{ANSWER}{}", field.id);
            @let said = typed(&name);
            (asked(&name, &field.label, field.kind, &field.choices, said, field.required.is_some(), when))
        }
    }
}

/// One question, by the kind of its answer.
fn asked(name: &str, label: &str, kind: AnswerKind, choices: &[String], value: &str, needed: bool, when: &When) -> Markup {
    let input = |kind: &str, value: &str| html! { input type=(kind) name=(name) value=(value) required[needed] autocomplete="off"; };
    html! {
        label class="field" {
            span {
                bdi { (label) }
                @if kind == AnswerKind::DateTime { span class="quiet" { " " (when.zone()) } }
                @if !needed { span class="quiet" { " (may stay empty)" } }
            }
            @match kind {
                AnswerKind::Choice => select name=(name) required[needed] {
                    (pieces::choice("", value.is_empty(), "Choose one"))
                    @for choice in choices { (pieces::choice(choice, choice.trim() == value.trim(), choice)) }
                },
                AnswerKind::YesNo => select name=(name) required[needed] {
                    (pieces::choice("", value.is_empty(), "Choose one")) (pieces::choice("yes", value == "yes", "Yes"))
                    (pieces::choice("no", value == "no", "No"))
                },
                AnswerKind::DateTime => (input("datetime-local", &value.parse().map_or_else(|_| value.to_owned(), |at| when.as_field(at)))),
                AnswerKind::Link => (input("url", value)),
                AnswerKind::Number => input name=(name) value=(value) required[needed] inputmode="decimal" autocomplete="off";,
                AnswerKind::Text => (input("text", value)),
            }
        }
    }
}

/// The form by which an incident gets its type.
pub(super) fn set_type(told: &PageData, org: &Org) -> Markup {
    let Some(ask) = ask::of(Verb::Type).filter(|ask| fits(told, ask.verb) && !org.bundle().types.is_empty()) else { return html! {} };
    if told.draft.verb != ask.verb.word() {
        return asks_for(told, ask.verb.word(), ask.label);
    }
    let typed = told.draft.typed("type", "type");
    let chosen = if typed.is_empty() { told.incident.kind.as_ref().map_or("", |kind| kind.kind.as_str()) } else { typed };
    let fields = html! {
        label class="field" { span { "Type" } (types(org, chosen, "Choose one")) }
        (words(told, "type", "why", "Why?", false))
    };
    folded(told, "type", ask.label, &fields, ask.press)
}

/// Types to choose from, by name.
pub(super) fn types(org: &Org, chosen: &str, nothing: &str) -> Markup {
    html! {
        select name="type" {
            (pieces::choice("", chosen.is_empty(), nothing))
            @for form in &org.bundle().types {
                @let words = form.purpose.as_ref().map_or_else(|| form.name.clone(), |purpose| format!("{}: {purpose}", form.name));
                (pieces::choice(&form.id, form.id == chosen, &words))
            }
        }
    }
}

/// The value of a cell, in the place of a severity.
pub(super) fn cell(impact: Level, urgency: Level) -> String {
    format!("{}:{}", impact.word(), urgency.word())
}

/// A cell by its value.
pub(super) fn of_cell(text: &str) -> Option<(Level, Level)> {
    let (impact, urgency) = text.split_once(':')?;
    Some((Level::from_word(impact)?, Level::from_word(urgency)?))
}

/// The matrix, each of its cells to choose instead of a severity; the one that is chosen is marked by the style alone.
pub(super) fn matrix(org: &Org, chosen: &str) -> Markup {
    html! {
        table class="matrix" {
            caption { "Or by how much is hit and how soon it hurts" }
            thead { tr { td {} @for urgency in Level::ALL { th scope="col" { (pieces::capital(urgency.word())) " urgency" } } } }
            tbody {
                @for impact in Level::ALL {
                    tr {
                        th scope="row" {
                            (pieces::capital(impact.word())) " impact"
                            @if let Some(means) = org.matrix().means(impact) { span class="quiet small" { " " bdi { (means) } } }
                        }
                        @for urgency in Level::ALL {
                            @let value = cell(impact, urgency);
                            td {
                                label {
                                    input type="radio" name="severity" value=(value) checked[value == chosen];
                                    span class="vh" { "Impact " (impact.word()) ", urgency " (urgency.word()) ": " }
                                    (pieces::severity(org.severity_of(impact, urgency)))
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
