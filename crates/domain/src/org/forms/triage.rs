//! The matrix of impact and urgency, a form for each impact: how bad it is at each urgency. What is not said holds as shipped
//! ([`crate::org::matrix`]).

use serde::{Deserialize, Serialize};

use super::about::{About, IdOf, Input, row};
use super::checker::Checker;
use super::severity::SEVERITIES;
use super::{Bundle, Entry, FormKind, Slug};
use crate::org::matrix::Matrix;
use crate::org::model::Level;
use crate::org::words::meant;
use crate::severity::Severity;

/// Most characters of what an impact means.
pub const MEANS_CHARS_MAX: usize = 200;

/// As they are written and shown.
const IMPACTS: &[(&str, &str)] = &[("high", "High"), ("medium", "Medium"), ("low", "Low")];

/// What the settings and the file say of it.
pub const ABOUT: About = About {
    word: "triage",
    plural: "Impact and urgency",
    one: "row of the matrix",
    purpose: "The matrix of impact and urgency: a row for each impact, `high`, `medium` or `low`, with how bad it is at each urgency. What is left open holds as shipped.",
    id: IdOf::OneOf("Impact", IMPACTS),
    then: &[],
    fields: &[
        row("means", "This impact means", "In the words of your house, as in more than one site.", Input::Line),
        row("high", "At high urgency", "", Input::Word(SEVERITIES)),
        row("medium", "At medium urgency", "", Input::Word(SEVERITIES)),
        row("low", "At low urgency", "", Input::Word(SEVERITIES)),
    ],
};

/// A row of the matrix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TriageRow {
    /// The impact: `high`, `medium`, `low`.
    pub id: Slug,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub means: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<Severity>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub medium: Option<Severity>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<Severity>,
}

impl TriageRow {
    /// What it says of an urgency.
    #[must_use]
    pub const fn at(&self, urgency: Level) -> Option<Severity> {
        match urgency {
            Level::High => self.high,
            Level::Medium => self.medium,
            Level::Low => self.low,
        }
    }
}

impl Matrix {
    /// The shipped one with what the organisation says. Of two rows of one impact the first counts; what is no impact is none.
    #[must_use]
    pub fn of(rows: &[TriageRow]) -> Self {
        let said = |impact: Level| rows.iter().find(|row| row.id == impact.word());
        Self::with(|impact, urgency| said(impact)?.at(urgency), |impact| said(impact)?.means.clone().filter(|text| !text.trim().is_empty()))
    }
}

impl Entry for TriageRow {
    fn id(&self) -> Option<&str> {
        Some(&self.id)
    }
    fn title(&self, _: &Bundle) -> Option<String> {
        Some(format!("Impact {}", self.id))
    }

    fn check<'a>(kind: FormKind, list: &'a [Self], checker: &mut Checker<'a>) {
        let matrix = Matrix::of(list);
        checker.each(kind, list, |checker, place, form| {
            let Some(impact) = Level::from_word(&form.id) else {
                let shown: String = form.id.chars().filter(|c| !c.is_control()).take(64).collect();
                let hint = meant(&form.id, Level::ALL.into_iter().map(Level::word));
                checker.error(place.key("id"), format!("`{shown}` is not an impact"), hint);
                return;
            };
            if form.means.as_ref().is_some_and(|text| text.chars().any(char::is_control) || text.chars().count() > MEANS_CHARS_MAX) {
                let words = format!("it is one line of at most {MEANS_CHARS_MAX} characters");
                checker.error(place.key("means"), words, "say shortly what this impact is");
            }
            for urgency in Level::ALL {
                let here = matrix.severity(impact, urgency);
                let lesser = Level::ALL.into_iter().filter(|other| *other > impact).map(|other| matrix.severity(other, urgency));
                if lesser.into_iter().any(|other| other < here) {
                    let words = format!("at {} urgency a lesser impact is worse than this one, which is {here}", urgency.word());
                    checker.warning(place.key(urgency.word()), words, "give it a severity at least as bad");
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_organisation_says_of_a_cell_holds_and_the_rest_stays() {
        let rows: Vec<TriageRow> = serde_json::from_value(serde_json::json!([{"id": "low", "low": "sev5", "means": "one desk"}])).unwrap();
        let matrix = Matrix::of(&rows);
        assert_eq!(matrix.severity(Level::Low, Level::Low), Severity::Sev5);
        assert_eq!(matrix.severity(Level::Low, Level::High), Severity::Sev3);
        assert_eq!((matrix.means(Level::Low), matrix.means(Level::High)), (Some("one desk"), None));
    }
}
