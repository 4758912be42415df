//! What a severity means here.

use serde::{Deserialize, Serialize};

use super::about::{About, IdOf, Input, row};
use super::checker::Checker;
use super::{Bundle, Entry, FormKind};
use crate::org::problem::Place;
use crate::severity::Severity;
use crate::time::Length;

const URGENCIES: &[(&str, &str)] = &[("high", "High"), ("low", "Low")];
/// The severities that a form may be for, with what they are called.
pub const SEVERITIES: &[(&str, &str)] = &[("sev1", "SEV1"), ("sev2", "SEV2"), ("sev3", "SEV3"), ("sev4", "SEV4"), ("sev5", "SEV5")];

/// What the settings and the file say of it.
pub const ABOUT: About = About {
    word: "severity",
    plural: "Severities",
    one: "severity",
    purpose: "What SEV1 to SEV5 mean here: name, urgency, how often to update. Without any, the defaults hold.",
    id: IdOf::OneOf("Severity", SEVERITIES),
    then: &[],
    fields: &[
        row("name", "Name", "Shown beside SEV1 to SEV5.", Input::Line),
        row("notify", "Notification urgency", "High for SEV1 to SEV3, where left open.", Input::Word(URGENCIES)),
        row("update_every", "Updates every", "How often stakeholders are told.", Input::Length),
        row("review_within", "Review within", "How long a review may take after the end.", Input::Length),
        row(
            "acknowledgement_lasts",
            "Acknowledgement lasts",
            "While nobody does anything about the incident; then its holder is asked, and without an answer it pages again. 30m for SEV1, 1h for SEV2, else never, where left open.",
            Input::Length,
        ),
    ],
};

/// What a severity means here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeverityForm {
    pub id: Severity,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Notification urgency; high for sev1–sev3, low for sev4–sev5 where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notify: Option<NotifyUrgency>,
    /// How often stakeholders are told; sev1 and sev2 30 min, sev3 1 h, else never where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update_every: Option<Length>,
    /// How long a review may take after the end; sev1 and sev2 five business days, else none where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review_within: Option<Length>,
    /// How long an acknowledgement lasts while nobody does anything about the incident; `never` (zero): it does not age.
    /// sev1 30 min, sev2 1 h, else never where absent.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::time::or_never")]
    pub acknowledgement_lasts: Option<Length>,
    /// Refused: a target says it. Read, since earlier versions kept it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledge_within: Option<Length>,
    /// The same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolve_within: Option<Length>,
}

/// Notification urgency: which list of a person's rules is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotifyUrgency {
    High,
    Low,
}

impl NotifyUrgency {
    /// As written.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Low => "low",
        }
    }

    /// Of a severity of which nothing is said: sev1–sev3 wake people.
    #[must_use]
    pub const fn usual(severity: Severity) -> Self {
        match severity {
            Severity::Sev1 | Severity::Sev2 | Severity::Sev3 => Self::High,
            Severity::Sev4 | Severity::Sev5 => Self::Low,
        }
    }
}

impl Entry for SeverityForm {
    fn id(&self) -> Option<&str> {
        Some(self.id.word())
    }
    fn title(&self, _: &Bundle) -> Option<String> {
        let name = self.name.as_ref().map_or_else(String::new, |name| format!(" {name}"));
        Some(format!("{}{name}", self.id.word().to_uppercase()))
    }

    fn check<'a>(kind: FormKind, list: &'a [Self], checker: &mut Checker<'a>) {
        let mut seen = Vec::new();
        for (at, form) in list.iter().enumerate() {
            let place = Place::root().key(kind.list()).index(at);
            if seen.contains(&form.id) {
                checker.error(place.key("id"), format!("`{}` is listed twice", form.id), "keep one of the two");
            }
            seen.push(form.id);
            for (key, given) in [("acknowledge_within", form.acknowledge_within), ("resolve_within", form.resolve_within)] {
                if given.is_some() {
                    let verb = key.trim_end_matches("_within");
                    let hint = format!("write `targets: [{{id: {id}, severity: {id}, {verb}: 5m}}]`", id = form.id.word());
                    checker.elsewhere(place.key(key), &format!("`{key}` of a severity is a target"), hint);
                }
            }
            if let Some(lasts) = form.acknowledgement_lasts {
                checker.length_or_never(place.key("acknowledgement_lasts"), lasts);
            }
        }
    }
}
