//! Types of incident: what each is for, the questions that belong to it, and what is usual of one. A type helps whoever declares;
//! it decides nothing by itself that they have not seen.
//!
//! Deliberately not here: how an incident keeps its type when this form is gone, and how an answer is judged (`incident::types`).

use std::collections::BTreeSet;
use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::about::{About, CALLED, IdOf, Input, Layout, Rows, needed, row};
use super::checker::Checker;
use super::severity::SEVERITIES;
use super::{Entry, FormKind, Slug};
use crate::org::problem::Place;
use crate::severity::Severity;

/// Questions of one type at most: whoever declares at night answers no more.
pub const TYPE_FIELDS_MAX: usize = 20;
/// Choices of one question at most: more is a list that nobody reads through.
pub const CHOICES_MAX: usize = 30;
/// Most characters of a choice, and of the label of a question.
pub const CHOICE_CHARS_MAX: usize = 100;
/// Most characters of what a type is for.
pub const PURPOSE_CHARS_MAX: usize = 300;

const KINDS: &[(&str, &str)] = &[
    ("text", "Text"),
    ("number", "Number"),
    ("choice", "One of the choices"),
    ("yes_no", "Yes or no"),
    ("date_time", "Date and time"),
    ("link", "Link"),
];
const REQUIRED: &[(&str, &str)] = &[("declare", "To declare"), ("close", "Before it is closed")];
const FIELDS: Rows = Rows {
    one: "question",
    fields: &[
        needed("id", "Id", "By which programs give it.", Input::Line),
        needed("label", "Label", "What people read.", Input::Line),
        needed("kind", "Kind", "", Input::Word(KINDS)),
        row("required", "Required", "Left open, it need not be answered.", Input::Word(REQUIRED)),
        row("choices", "Choices", "Where it is one of them.", Input::Several(&Input::Line, 2)),
    ],
    layout: Layout::Objects,
    first: 2,
    spare: 1,
    more: &[],
    fresh: &[],
    example: "- {id: ward, label: Which ward?, kind: text, required: declare}\n- {id: cause, label: What was it?, kind: choice, required: close, choices: [Change, Capacity, Other]}",
};

/// What the settings and the file say of it.
pub const ABOUT: About = About {
    word: "type",
    plural: "Types of incident",
    one: "type of incident",
    purpose: "Kinds of incident that are dealt with alike: what each is for, what is asked of one when it is declared or before it is closed, and what is usual.",
    id: IdOf::Typed,
    then: &[],
    fields: &[
        CALLED,
        row("purpose", "What it is for", "Shown where a type is chosen.", Input::Line),
        row("severity", "Usual severity", "Holds where whoever declares does not say how bad it is.", Input::Word(SEVERITIES)),
        row("private", "Private", "Whether one is seen only by those who are admitted.", Input::Word(&[("true", "Yes"), ("false", "No")])),
        row("plan", "Plan", "Proposed in each of them.", Input::One(FormKind::Plan)),
        row("fields", "Questions", "", Input::Rows(&FIELDS)),
    ],
};

/// A type of incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IncidentType {
    pub id: Slug,
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// Holds where whoever declares does not say how bad it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// Whether one is seen only by those who are admitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private: Option<bool>,
    /// The id of the plan that is proposed in each of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Slug>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<CustomField>,
}

/// A question of a type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustomField {
    pub id: Slug,
    pub label: String,
    pub kind: AnswerKind,
    /// For which part of life it has to be answered; never, where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required: Option<Required>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
}

/// What an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = AnswerKind))]
pub enum AnswerKind {
    Text,
    Number,
    Choice,
    YesNo,
    DateTime,
    Link,
}

/// For which part of life an answer has to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = AnswerRequired))]
pub enum Required {
    /// Whoever declares answers it.
    Declare,
    /// Nothing is closed without it.
    Close,
}

impl IncidentType {
    /// A question by its id.
    #[must_use]
    pub fn field(&self, id: &str) -> Option<&CustomField> {
        self.fields.iter().find(|field| field.id == id)
    }
}

impl Entry for IncidentType {
    fn id(&self) -> Option<&str> {
        Some(&self.id)
    }
    fn name(&self) -> Option<&str> {
        Some(&self.name)
    }

    fn check<'a>(kind: FormKind, list: &'a [Self], checker: &mut Checker<'a>) {
        checker.each(kind, list, |checker, place, form| {
            checker.name(place, &form.name);
            if let Some(plan) = &form.plan {
                checker.refers(place.key("plan"), FormKind::Plan, plan);
            }
            if form.purpose.as_ref().is_some_and(|text| text.chars().count() > PURPOSE_CHARS_MAX) {
                let words = format!("it has more than {PURPOSE_CHARS_MAX} characters");
                checker.error(place.key("purpose"), words, "say in a sentence what it is for");
            }
            if form.fields.len() > TYPE_FIELDS_MAX {
                let words = format!("{} questions are more than {TYPE_FIELDS_MAX}", form.fields.len());
                checker.error(place.key("fields"), words, "keep what somebody acts on, or make two types of it");
            }
            let mut seen = HashMap::new();
            for (at, field) in form.fields.iter().enumerate() {
                question(checker, &place.key("fields").index(at), field, &mut seen);
            }
        });
    }
}

fn question<'a>(checker: &mut Checker<'a>, place: &Place, field: &'a CustomField, seen: &mut HashMap<&'a str, Place>) {
    checker.own_id(place, "question of this type", &field.id, seen);
    one_line(checker, place.key("label"), &field.label);
    let choices = place.key("choices");
    match (field.kind, field.choices.len()) {
        (AnswerKind::Choice, 0) => {
            checker.error(choices, "there is nothing to choose from", "give it `choices`, as in `[Change, Capacity]`");
            return;
        }
        (AnswerKind::Choice, many) if many > CHOICES_MAX => {
            checker.error(choices.clone(), format!("{many} choices are more than {CHOICES_MAX}"), "keep those that are told apart");
        }
        (AnswerKind::Choice, _) | (_, 0) => {}
        (AnswerKind::Text | AnswerKind::Number | AnswerKind::YesNo | AnswerKind::DateTime | AnswerKind::Link, _) => {
            checker.error(choices, "only a `choice` has choices", "take them away, or write `kind: choice`");
            return;
        }
    }
    let mut known = BTreeSet::new();
    for (at, choice) in field.choices.iter().enumerate() {
        one_line(checker, choices.index(at), choice);
        if !known.insert(choice.trim()) {
            checker.error(choices.index(at), "it is one of the choices already", "keep one of the two");
        }
    }
}

fn one_line(checker: &mut Checker<'_>, place: Place, text: &str) {
    if text.trim().is_empty() || text.chars().any(char::is_control) {
        checker.error(place, "it is one line that says something", "write what is meant, in one line");
    } else if text.chars().count() > CHOICE_CHARS_MAX {
        checker.error(place, format!("it has more than {CHOICE_CHARS_MAX} characters"), "say it shorter");
    }
}
