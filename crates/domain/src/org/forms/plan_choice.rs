//! Decisions that a plan asks for: a task with a question and its options. Whoever chooses one has done the task, and what the
//! option skips is not done.
//!
//! Deliberately not here: how one is chosen in an incident (`incident::choices`).

use std::collections::BTreeSet;
use std::fmt;

use serde::ser::SerializeMap as _;
use serde::{Deserialize, Serialize};

use super::Slug;
use super::about::{Input, Layout, Rows, needed, row};
use super::checker::Checker;
use crate::org::problem::Place;
use crate::org::words::meant;

/// Fewest options of a decision: with fewer there is nothing to decide.
pub const PLAN_OPTIONS_MIN: usize = 2;
/// Most options of a decision: more are no buttons that somebody weighs at night.
pub const PLAN_OPTIONS_MAX: usize = 6;
/// Most characters of an option: it stands on a button.
pub const PLAN_OPTION_CHARS_MAX: usize = 80;
/// Most characters of a question.
pub const PLAN_QUESTION_CHARS_MAX: usize = 300;
/// Most decisions of a plan: each stands with all of its options on the incident's page.
pub const PLAN_DECISIONS_MAX: usize = 12;

const UNDONE: &[(&str, &str)] = &[("true", "Can be undone"), ("false", "Cannot be undone")];

pub(super) const OPTIONS: Rows = Rows {
    one: "option",
    fields: &[
        needed("text", "Option", "", Input::Line),
        row("skips", "Skips", "Ids of tasks that are not done where it is chosen.", Input::Names),
        row("reversible", "Can it be undone?", "", Input::Word(UNDONE)),
    ],
    layout: Layout::OrBare("text"),
    first: 0,
    spare: 0,
    more: &[],
    fresh: &[],
    example: "- {text: Fail over, reversible: true}\n- {text: Wait, skips: [switch]}",
};

/// What may be chosen, as it is written: bare where it is no more than its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanOption {
    pub text: String,
    /// Ids of tasks of the same plan that are not done where it is chosen.
    pub skips: Vec<Slug>,
    /// Whether it can be undone, where somebody says so.
    pub reversible: Option<bool>,
}

impl Serialize for PlanOption {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if self.skips.is_empty() && self.reversible.is_none() {
            return to.serialize_str(&self.text);
        }
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("text", &self.text)?;
        if !self.skips.is_empty() {
            map.serialize_entry("skips", &self.skips)?;
        }
        if let Some(reversible) = self.reversible {
            map.serialize_entry("reversible", &reversible)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for PlanOption {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Shapes;
        impl<'de> serde::de::Visitor<'de> for Shapes {
            type Value = PlanOption;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an option such as `Fail over`, or `{text: Wait, skips: [switch]}`")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<PlanOption, E> {
                Ok(PlanOption { text: text.to_owned(), skips: Vec::new(), reversible: None })
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<PlanOption, A::Error> {
                #[derive(Deserialize)]
                #[serde(deny_unknown_fields)]
                struct Whole {
                    text: String,
                    #[serde(default)]
                    skips: Vec<Slug>,
                    #[serde(default)]
                    reversible: Option<bool>,
                }
                let Whole { text, skips, reversible } = Whole::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
                Ok(PlanOption { text, skips, reversible })
            }
        }
        from.deserialize_any(Shapes)
    }
}

/// What is looked at of a task.
pub(super) struct Asked<'a> {
    pub id: &'a str,
    pub after: &'a [Slug],
    pub question: Option<&'a str>,
    pub options: &'a [PlanOption],
}

/// Each decision has a question, its options are few and tell apart, and what one skips comes later.
pub(super) fn check(checker: &mut Checker<'_>, place: &Place, tasks: &[Asked<'_>]) {
    let place = place.key("tasks");
    let is_decision = |task: &&Asked<'_>| task.question.is_some() || !task.options.is_empty();
    let many = tasks.iter().filter(is_decision).count();
    if many > PLAN_DECISIONS_MAX {
        let words = format!("{many} of its tasks are decisions, which are more than {PLAN_DECISIONS_MAX}");
        checker.error(place.clone(), words, "keep those that change what is done next");
    }
    for (at, task) in tasks.iter().enumerate().filter(|(_, task)| is_decision(task)) {
        let place = place.index(at);
        match task.question {
            Some(question) => checker.line(place.key("question"), question, PLAN_QUESTION_CHARS_MAX),
            None => {
                let words = format!("`{}` has options and no question", task.id);
                checker.error(place.key("question"), words, "write what is decided, as in `question: Fail over, or wait?`");
            }
        }
        if !(PLAN_OPTIONS_MIN..=PLAN_OPTIONS_MAX).contains(&task.options.len()) {
            let words =
                format!("a decision has from {PLAN_OPTIONS_MIN} to {PLAN_OPTIONS_MAX} options, and this has {}", task.options.len());
            checker.error(place.key("options"), words, "write them as in `options: [Fail over, Wait]`");
        }
        let mut texts = BTreeSet::new();
        for (n, option) in task.options.iter().enumerate() {
            let place = place.key("options").index(n);
            checker.line(place.key("text"), &option.text, PLAN_OPTION_CHARS_MAX);
            if !texts.insert(option.text.trim().to_lowercase()) {
                checker.error(place.key("text"), "two options say the same", "write what tells them apart");
            }
            skips(checker, &place.key("skips"), tasks, task, option);
        }
    }
}

/// What an option skips is there, once, and does not come before it.
fn skips(checker: &mut Checker<'_>, place: &Place, tasks: &[Asked<'_>], task: &Asked<'_>, option: &PlanOption) {
    let before = before(tasks, task);
    let mut seen = BTreeSet::new();
    for (at, id) in option.skips.iter().enumerate() {
        let place = place.index(at);
        if !tasks.iter().any(|known| known.id == *id) {
            let shown: String = id.chars().take(64).collect();
            let hint = meant(id, tasks.iter().map(|known| known.id));
            checker.error(place, format!("`{shown}` is no task of this plan"), hint);
        } else if *id == task.id {
            checker.error(place, format!("`{id}` is done by choosing"), "name tasks that come later");
        } else if before.contains(id.as_str()) {
            checker.error(place, format!("`{id}` comes before `{}`", task.id), "name tasks that come later");
        } else if !seen.insert(id) {
            checker.error(place, format!("`{id}` is named twice"), "name it once");
        }
    }
}

/// Ids of everything that a task comes after.
fn before<'a>(tasks: &'a [Asked<'a>], task: &Asked<'a>) -> BTreeSet<&'a str> {
    let mut found: BTreeSet<&str> = BTreeSet::new();
    let mut ahead: Vec<&[Slug]> = vec![task.after];
    while let Some(after) = ahead.pop() {
        for id in after {
            if found.insert(id) {
                ahead.extend(tasks.iter().filter(|known| known.id == id).map(|known| known.after));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::org::check::{Against, check};
    use crate::org::model::Bundle;

    /// What is wrong with a plan of these tasks, by place.
    fn wrong(tasks: Value) -> Vec<String> {
        let bundle: Bundle = serde_json::from_value(json!({"plans": [{"id": "p", "tasks": tasks}]})).unwrap();
        let against = Against { now: "2026-03-01T12:00:00Z".parse().unwrap(), kinds: &[], channels: crate::channel::WaysOut::NONE };
        let problems = check(&bundle, against);
        let of_plans = problems.iter().map(|problem| problem.place.to_string()).filter(|place| place.starts_with("plans"));
        of_plans.map(|place| place.trim_start_matches("plans[0].").to_owned()).collect()
    }

    fn decision(options: Value) -> Value {
        json!([{"id": "first", "text": "x"}, {"id": "way", "text": "x", "after": ["first"], "question": "Which?", "options": options},
            {"id": "last", "text": "x", "after": ["way"]}])
    }

    #[test]
    fn a_decision_has_a_question_and_few_options_that_tell_apart() {
        assert_eq!(wrong(decision(json!(["Go", {"text": "Stay", "skips": ["last"], "reversible": true}]))), [""; 0]);
        assert_eq!(wrong(decision(json!(["Go"]))), ["tasks[1].options"]);
        assert_eq!(wrong(decision(json!(["a", "b", "c", "d", "e", "f", "g"]))), ["tasks[1].options"]);
        assert_eq!(wrong(decision(json!(["Go", "go "]))), ["tasks[1].options[1].text"]);
        assert_eq!(wrong(decision(json!(["Go", " "]))), ["tasks[1].options[1].text"]);
        assert_eq!(wrong(decision(json!(["Go", "x".repeat(PLAN_OPTION_CHARS_MAX + 1)]))), ["tasks[1].options[1].text"]);
        assert_eq!(wrong(json!([{"id": "way", "text": "x", "options": ["Go", "Stay"]}])), ["tasks[0].question"]);
        assert_eq!(wrong(json!([{"id": "way", "text": "x", "question": "Which?"}])), ["tasks[0].options"]);
        let many = |n: usize| -> Value {
            (0..n).map(|n| json!({"id": format!("t{n}"), "text": "x", "question": "Which?", "options": ["Go", "Stay"]})).collect()
        };
        assert_eq!((wrong(many(PLAN_DECISIONS_MAX)).len(), wrong(many(PLAN_DECISIONS_MAX + 1))), (0, vec!["tasks".to_owned()]));
    }

    #[test]
    fn what_an_option_skips_is_there_and_comes_later() {
        for id in ["first", "way", "gone"] {
            assert_eq!(wrong(decision(json!(["Go", {"text": "Stay", "skips": [id]}]))), ["tasks[1].options[1].skips[0]"], "{id}");
        }
        assert_eq!(wrong(decision(json!(["Go", {"text": "Stay", "skips": ["last", "last"]}]))), ["tasks[1].options[1].skips[1]"]);
    }

    #[test]
    fn an_option_is_written_bare_where_it_is_only_words() {
        for written in [json!("Go"), json!({"text": "Stay", "skips": ["last"]}), json!({"text": "Pay", "reversible": false})] {
            let read: PlanOption = serde_json::from_value(written.clone()).unwrap();
            assert_eq!(serde_json::to_value(read).unwrap(), written);
        }
    }
}
