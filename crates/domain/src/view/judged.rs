//! What people read of what an incident is of and how bad it is: its type with the questions, what is advised, and how its alarms
//! come.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::incident::judged::Typed;
use crate::org::model::{AnswerKind, IncidentType, Required};
use crate::severity::Severity;
use crate::time::{Length, after};
use crate::view::AlertView;

/// How far back alarms count as coming now: a flood is counted in ten minutes (EEMUA 191).
const LATELY: Length = Length::from_mins(10);
/// What senders call what they measured.
const MEASURED: [&str; 3] = ["value", "current_value", "__value_string__"];
/// Values that are shown.
const VALUES_MAX: usize = 3;
/// Characters of a value that are shown.
const VALUE_CHARS_MAX: usize = 120;

/// The type of an incident, with what was answered and what is not yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = TypeOfIncident))]
pub struct TypeView {
    /// Its id.
    #[serde(rename = "type")]
    pub kind: String,
    /// What people called it when it was set.
    pub name: String,
    /// What was answered; where one incident is asked for, with what is not yet, in the order of the type.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<AnswerView>,
}

/// A question of a type, and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = AnswerOfIncident))]
pub struct AnswerView {
    /// The id of the question.
    pub field: String,
    pub label: String,
    #[cfg_attr(feature = "schema", schema(inline))]
    pub kind: AnswerKind,
    /// Null where it is not answered.
    pub value: Option<String>,
    /// For which part of life it has to be answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false, inline))]
    pub required: Option<Required>,
    /// What there is to choose from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
    /// Whether the type asks it still.
    pub asked: bool,
}

impl TypeView {
    /// As it is kept.
    #[must_use]
    pub fn of(typed: &Typed) -> Self {
        let one = |(field, answer): (&String, &crate::incident::judged::Answer)| AnswerView {
            field: field.clone(),
            label: answer.label.clone(),
            kind: answer.kind,
            value: Some(answer.value.clone()),
            required: None,
            choices: Vec::new(),
            asked: false,
        };
        Self { kind: typed.kind.clone(), name: typed.name.clone(), fields: typed.answers.iter().map(one).collect() }
    }

    /// With what the type asks now; nothing more where it has left the organisation.
    pub fn fill(&mut self, form: Option<&IncidentType>) {
        let Some(form) = form else { return };
        let mut kept = std::mem::take(&mut self.fields);
        for field in &form.fields {
            let value = kept.iter().position(|one| one.field == field.id).and_then(|at| kept.remove(at).value);
            self.fields.push(AnswerView {
                field: field.id.clone(),
                label: field.label.clone(),
                kind: field.kind,
                value,
                required: field.required,
                choices: field.choices.clone(),
                asked: true,
            });
        }
        self.fields.extend(kept);
    }
}

/// What is advised of a severity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Advice))]
pub struct AdviceView {
    pub severity: Severity,
    /// What speaks for it, in words.
    pub reasons: Vec<String>,
}

impl AdviceView {
    /// All of it in one line.
    #[must_use]
    pub fn why(&self) -> String {
        self.reasons.join("; ")
    }
}

/// How the alarms of an incident come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = AlarmsOfIncident))]
pub struct AlarmsView {
    pub first_at: Timestamp,
    /// When one was last seen.
    pub last_at: Timestamp,
    /// How many of the newest ones came in the last ten minutes.
    pub lately: usize,
    /// What their senders measured, where they say so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
}

impl AlarmsView {
    /// Of the newest alerts; `first_at` is of the oldest that there is.
    #[must_use]
    pub fn of(newest: &[AlertView], first_at: Option<Timestamp>, now: Timestamp) -> Option<Self> {
        let last_at = newest.iter().map(|alert| alert.last_seen_at).max()?;
        let first = newest.iter().map(|alert| alert.opened_at).min()?;
        let lately = newest.iter().filter(|alert| after(alert.opened_at, LATELY) > now).count();
        let mut values: Vec<String> = Vec::new();
        for alert in newest {
            let said = ["annotations", "labels"].into_iter().flat_map(|of| alert.texts(of));
            let measured = said.into_iter().find(|(name, text)| MEASURED.contains(name) && !text.trim().is_empty());
            if let Some((_, text)) = measured {
                let cut: String = text.trim().chars().take(VALUE_CHARS_MAX).collect();
                let words = format!("{}: {cut}", alert.title);
                if values.len() < VALUES_MAX && !values.contains(&words) {
                    values.push(words);
                }
            }
        }
        Some(Self { first_at: first_at.map_or(first, |at| at.min(first)), last_at, lately, values })
    }
}
