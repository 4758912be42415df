//! What an incident is of: its type, and what was answered to the questions of that. What was set stays as it was, so that it reads
//! when the type has left the organisation.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ask::{Ask, Came, Field, Kind, May, Program, REASON, command};
use crate::event::event_kinds;
use crate::incident::judged::{Answer, Typed};
use crate::incident::lifecycle::{Verb, fits};
use crate::incident::words::{self, KEPT_CHARS_MAX, NOTE_CHARS_MAX};
use crate::incident::{Context, Decision, Incident, nothing, one};
use crate::names::{Names, with_text};
use crate::org::model::{AnswerKind, CustomField, IncidentType, Required};
use crate::org::words::meant;

/// Longest link, in characters.
const LINK_CHARS_MAX: usize = 2_000;
/// Characters of an id or an answer that a refusal repeats.
const SHOWN_CHARS_MAX: usize = 64;

event_kinds! {
    /// A fact; past tense.
    Event {
        TypeSet(TypeSet) = "type_set" [Key],
        AnswerSet(AnswerSet) = "answer_set",
    }
}

/// Body of `type_set`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TypeSet {
    /// What it was called; absent where it had none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Its id.
    #[serde(rename = "type")]
    pub kind: String,
    pub name: String,
    /// Answers of the type before that are none of this one: the log keeps them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drops: Vec<String>,
    /// The rule that says so; absent where somebody does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// Body of `answer_set`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnswerSet {
    /// The id of its question.
    pub field: String,
    pub label: String,
    pub kind: AnswerKind,
    /// Absent where there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Absent where it is taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// A command; imperative.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// It is of this type.
    SetType {
        kind: String,
        /// The rule that says so; nothing where a person does.
        because: Option<String>,
        why: Option<String>,
    },
    /// A question of its type is answered, or is not any more.
    Answer { field: String, value: Option<String>, why: Option<String> },
}

impl Command {
    /// Whether people ask for it as it is; the rest follows from something else.
    pub(in crate::incident) const fn is_asked(&self) -> bool {
        match self {
            Self::SetType { because, .. } => because.is_none(),
            Self::Answer { .. } => true,
        }
    }
}

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("there is no type of incident `{kind}`: {hint}")]
    NoSuchType { kind: String, hint: String },
    #[error("this incident has no type, so nothing is asked of it: set its type first")]
    HasNoType,
    #[error("the type `{kind}` asks nothing by `{field}`: {hint}")]
    NoSuchField { kind: String, field: String, hint: String },
    #[error("`{field}`: {why}")]
    Wrong { field: String, why: String },
    #[error("incidents of the type {kind} are declared with answers to: {fields}")]
    NeededToDeclare { kind: String, fields: String },
    #[error("before it is closed these are to be answered: {fields}")]
    NeededToClose { fields: String },
}

impl Refusal {
    /// The stable code of the API.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoSuchType { .. } => "no_such_type",
            Self::HasNoType => "has_no_type",
            Self::NoSuchField { .. } => "no_such_field",
            Self::Wrong { .. } => "answer_wrong",
            Self::NeededToDeclare { .. } => "answers_missing",
            Self::NeededToClose { .. } => "answers_open",
        }
    }
}

/// What people may ask.
pub(crate) const ASKS: &[Ask] = &[
    Ask {
        verb: Verb::Type,
        label: "Type of incident",
        says: "It is of a type, whose questions are asked from then on",
        press: "Set it",
        body: "TypeBody",
        programs: &[Program::of("type").places(&["type"])],
        may: May::Responder,
        fields: &[Field::needed("type", "the type", "Type", Kind::Line { max: SHOWN_CHARS_MAX }).hint("A type's id"), REASON.or_not()],
        ways: &[],
        make: |given, _| command(Command::SetType { kind: given.must("type"), because: None, why: given.text("why") }),
        came: Came::Itself,
    },
    Ask {
        verb: Verb::Field,
        label: "Answer a question",
        says: "Answers a question of its type, or takes an answer back",
        press: "Keep it",
        body: "FieldBody",
        programs: &[
            Program::of("field set").says("Answers a question of its type").places(&["field", "value"]),
            Program::of("field clear").says("Takes an answer back").places(&["field"]).lacks(&["value"]),
        ],
        may: May::Responder,
        fields: &[
            Field::needed("field", "the question", "Question", Kind::Line { max: SHOWN_CHARS_MAX }).hint("The question's id"),
            Field::may("value", "the answer", "Answer", Kind::Words { max: KEPT_CHARS_MAX })
                .hint("The answer: words, a number, one of the choices, yes or no, a time as in 2026-03-01T09:00:00Z, or an address"),
            REASON.or_not(),
        ],
        ways: &[&["field", "value", "why"], &["field", "why"]],
        make: |given, _| command(Command::Answer { field: given.must("field"), value: given.text("value"), why: given.text("why") }),
        came: Came::Itself,
    },
];

pub(in crate::incident) fn decide(incident: &Incident, command: Command, context: Context) -> Decision {
    match command {
        Command::SetType { kind, because, why } => {
            fits(incident, Verb::Type)?;
            let form = known(&kind, context.types)?;
            let before = incident.work.typed.as_ref();
            if before.is_some_and(|typed| typed.kind == form.id) {
                return nothing();
            }
            let stays = |id: &String, answer: &Answer| {
                form.field(id).is_some_and(|field| field.kind == answer.kind && read(field, &answer.value).is_ok())
            };
            let drops = before.iter().flat_map(|typed| &typed.answers).filter(|(id, answer)| !stays(id, answer));
            one(Event::TypeSet(TypeSet {
                from: before.map(|typed| typed.name.clone()),
                kind: form.id.clone(),
                name: form.name.clone(),
                drops: drops.map(|(id, _)| id.clone()).collect(),
                because,
                why: reason(why)?,
            }))
        }
        Command::Answer { field, value, why } => {
            fits(incident, Verb::Field)?;
            let typed = incident.work.typed.as_ref().ok_or(Refusal::HasNoType)?;
            let form = known(&typed.kind, context.types)?;
            let question = asked(form, &field)?;
            let to = match value.filter(|text| !text.trim().is_empty()) {
                Some(text) => Some(read(question, &text)?),
                None => None,
            };
            let from = typed.answers.get(&field).map(|answer| answer.value.clone());
            if from == to {
                return nothing();
            }
            let (label, kind) = (question.label.clone(), question.kind);
            one(Event::AnswerSet(AnswerSet { field, label, kind, from, to, why: reason(why)? }))
        }
    }
}

/// A type that there is; else the one that was meant.
///
/// # Errors
/// When there is none.
pub fn known<'a>(kind: &str, types: &'a [IncidentType]) -> Result<&'a IncidentType, Refusal> {
    types.iter().find(|form| form.id == kind).ok_or_else(|| {
        let hint = if types.is_empty() {
            "none is set up, which administrators do in the settings".to_owned()
        } else {
            meant(kind, types.iter().map(|form| form.id.as_str()))
        };
        Refusal::NoSuchType { kind: shown(kind), hint }
    })
}

/// A question of a type; else the one that was meant.
///
/// # Errors
/// When it asks no such thing.
pub fn asked<'a>(form: &'a IncidentType, field: &str) -> Result<&'a CustomField, Refusal> {
    form.field(field).ok_or_else(|| {
        let hint = if form.fields.is_empty() {
            "it asks nothing".to_owned()
        } else {
            meant(field, form.fields.iter().map(|field| field.id.as_str()))
        };
        Refusal::NoSuchField { kind: form.id.clone(), field: shown(field), hint }
    })
}

/// An answer as it is kept.
///
/// # Errors
/// When it is not of the question's kind.
pub fn read(field: &CustomField, text: &str) -> Result<String, Refusal> {
    let wrong = |why: String| Refusal::Wrong { field: field.id.clone(), why };
    let text = text.trim();
    let long = |max: usize| text.chars().count() > max;
    match field.kind {
        AnswerKind::Text if !crate::clean::says_something(text) => Err(wrong("it says nothing".into())),
        AnswerKind::Text if long(KEPT_CHARS_MAX) => Err(wrong(format!("it has more than {KEPT_CHARS_MAX} characters"))),
        AnswerKind::Text => Ok(text.to_owned()),
        AnswerKind::Number => match text.parse::<f64>() {
            Ok(number) if number.is_finite() && !long(SHOWN_CHARS_MAX) => Ok(text.to_owned()),
            _ => Err(wrong(format!("`{}` is no number; write it as in 12 or 0.5", shown(text)))),
        },
        // As it is set up: whoever chooses may have sent it through a form that trims.
        AnswerKind::Choice => field.choices.iter().find(|choice| choice.trim() == text).cloned().ok_or_else(|| {
            let known: Vec<String> = field.choices.iter().map(|choice| format!("`{choice}`")).collect();
            wrong(format!("`{}` is none of {}", shown(text), known.join(", ")))
        }),
        AnswerKind::YesNo => match text.to_ascii_lowercase().as_str() {
            "yes" | "true" => Ok("yes".into()),
            "no" | "false" => Ok("no".into()),
            _ => Err(wrong(format!("`{}` is neither yes nor no", shown(text)))),
        },
        AnswerKind::DateTime => match text.parse::<Timestamp>() {
            Ok(at) => Ok(crate::time::whole_micros(at).to_string()),
            Err(_) => Err(wrong(format!("`{}` is no time; it looks like 2026-03-01T09:00:00Z", shown(text)))),
        },
        AnswerKind::Link => {
            let is_link = ["http://", "https://"].iter().any(|scheme| {
                text.len() > scheme.len() && text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
            });
            if is_link && !long(LINK_CHARS_MAX) && !text.contains(|c: char| c.is_whitespace() || c.is_control()) {
                Ok(text.to_owned())
            } else {
                Err(wrong(format!("`{}` is no address that can be followed; it looks like https://wiki.example.org/x", shown(text))))
            }
        }
    }
}

/// Holds that an incident of a type is declared with what the type asks for that, and every answer is of its kind.
///
/// # Errors
/// What is missing or wrong.
pub fn may_declare(form: &IncidentType, answers: &std::collections::BTreeMap<String, String>) -> Result<(), Refusal> {
    for (field, value) in answers {
        let question = asked(form, field)?;
        if !value.trim().is_empty() {
            read(question, value)?;
        }
    }
    let given = |field: &CustomField| answers.get(&field.id).is_some_and(|value| !value.trim().is_empty());
    let missing = form.fields.iter().filter(|field| field.required == Some(Required::Declare) && !given(field));
    let missing: Vec<String> = missing.map(|field| format!("{} (`{}`)", field.label, field.id)).collect();
    if missing.is_empty() { Ok(()) } else { Err(Refusal::NeededToDeclare { kind: form.name.clone(), fields: missing.join("; ") }) }
}

/// Holds that everything is answered that has to be before the end. What has left the organisation asks nothing.
pub(in crate::incident) fn before_closing(incident: &Incident, types: &[IncidentType]) -> Result<(), Refusal> {
    let Some(typed) = &incident.work.typed else { return Ok(()) };
    let Some(form) = types.iter().find(|form| form.id == typed.kind) else { return Ok(()) };
    let open = form.fields.iter().filter(|field| field.required.is_some() && !typed.answers.contains_key(&field.id));
    let open: Vec<String> = open.map(|field| format!("{} (`{}`)", field.label, field.id)).collect();
    if open.is_empty() { Ok(()) } else { Err(Refusal::NeededToClose { fields: open.join("; ") }) }
}

fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(SHOWN_CHARS_MAX).collect()
}

fn reason(why: Option<String>) -> Result<Option<String>, words::Refusal> {
    if let Some(why) = &why {
        words::at_most(why, "the reason", NOTE_CHARS_MAX)?;
    }
    Ok(why.filter(|why| !why.trim().is_empty()))
}

pub(in crate::incident) fn evolve(incident: &mut Incident, event: &Event) {
    match event {
        Event::TypeSet(body) => {
            let mut answers = incident.work.typed.take().map(|typed| typed.answers).unwrap_or_default();
            answers.retain(|field, _| !body.drops.contains(field));
            incident.work.typed = Some(Typed { kind: body.kind.clone(), name: body.name.clone(), answers });
        }
        Event::AnswerSet(body) => {
            let Some(typed) = &mut incident.work.typed else { return };
            match &body.to {
                Some(value) => {
                    let answer = Answer { label: body.label.clone(), kind: body.kind, value: value.clone() };
                    typed.answers.insert(body.field.clone(), answer);
                }
                None => drop(typed.answers.remove(&body.field)),
            }
        }
    }
}

pub(in crate::incident) fn line(event: &Event, names: &Names<'_>) -> String {
    let who = names.who();
    match event {
        Event::TypeSet(body) => {
            let was = body.from.as_ref().map_or_else(String::new, |from| format!(" (it was: {from})"));
            match &body.because {
                Some(because) => format!("It is of the type {}{was}, by {because}", body.name),
                None => with_text(format!("{who}: it is of the type {}{was}", body.name), body.why.as_deref()),
            }
        }
        Event::AnswerSet(body) => {
            let was = body.from.as_ref().map_or_else(String::new, |from| format!(" (it was: {from})"));
            let to = body.to.as_deref().unwrap_or("not answered any more");
            with_text(format!("{who}: {} – {to}{was}", body.label), body.why.as_deref())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::sample::Sample;
    use super::*;
    use crate::incident::ending;

    fn set(kind: &str) -> Command {
        Command::SetType { kind: kind.into(), because: None, why: None }
    }

    fn answer(field: &str, value: &str) -> Command {
        Command::Answer { field: field.into(), value: Some(value.into()), why: None }
    }

    fn question(json: serde_json::Value) -> CustomField {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn an_answer_is_of_its_kind_and_odd_choices_are_choices() {
        let odd = ["a, b", "\"quoted\" & <b>", "ja: 100 %", "  spaced ", "🔥", "`tick`"];
        let choice = question(serde_json::json!({"id": "c", "label": "C", "kind": "choice", "choices": odd}));
        for one in odd {
            assert_eq!(read(&choice, one).unwrap(), one);
        }
        for (kind, good, kept, bad) in [
            ("number", " 12.5 ", "12.5", "NaN"),
            ("yes_no", "TRUE", "yes", "maybe"),
            ("date_time", "2026-03-01T10:00:00+01:00", "2026-03-01T09:00:00Z", "yesterday"),
            ("link", "https://x.example/a", "https://x.example/a", "javascript:alert(1)"),
            ("text", " ward 3 ", "ward 3", "\u{200b}"),
        ] {
            let field = question(serde_json::json!({"id": "f", "label": "F", "kind": kind}));
            assert_eq!(read(&field, good).unwrap(), kept, "{kind}");
            assert_eq!(read(&field, bad).unwrap_err().code(), "answer_wrong", "{kind}");
        }
    }

    #[test]
    fn a_type_is_set_once_and_what_its_successor_asks_alike_stays() {
        let mut sample = Sample::declared();
        assert_eq!(sample.refusal(answer("cause", "Change")), "has_no_type");
        assert_eq!(sample.refusal(set("outrage")), "no_such_type");
        assert_eq!(sample.run(set("ward")).unwrap().kinds(), ["type_set"]);
        assert_eq!(sample.run(set("ward")).unwrap().events, []);
        assert_eq!(sample.refusal(answer("causes", "Change")), "no_such_field");
        assert_eq!(sample.run(answer("cause", "Change")).unwrap().kinds(), ["answer_set"]);
        assert_eq!(sample.run(answer("cause", "Change")).unwrap().events, []);
        sample.run(answer("patients", "12")).unwrap();
        sample.run(set("plain")).unwrap();
        let typed = sample.incident.work.typed.clone().unwrap();
        assert_eq!((typed.name.as_str(), typed.answers.keys().map(String::as_str).collect::<Vec<_>>()), ("Plain", vec!["cause"]));
    }

    #[test]
    fn nothing_is_closed_while_an_answer_is_missing_and_nothing_declared_without_its_own() {
        let mut sample = Sample::declared().after(set("ward"));
        sample.run(ending::Command::Resolve { note: None, waive: None }).unwrap();
        assert_eq!(sample.refusal(ending::Command::Close { waive: None }), "answers_open");
        sample.run(answer("cause", "Change")).unwrap();
        assert_eq!(sample.refusal(ending::Command::Close { waive: None }), "answers_open", "what a rule declared is answered late");
        sample.run(answer("patients", "0")).unwrap();
        assert_eq!(sample.run(ending::Command::Close { waive: None }).unwrap().kinds(), ["closed"]);
        let form = Sample::types().iter().find(|form| form.id == "ward").unwrap();
        let given = |pairs: &[(&str, &str)]| pairs.iter().map(|(id, text)| ((*id).to_owned(), (*text).to_owned())).collect();
        let code = |answers: BTreeMap<String, String>| may_declare(form, &answers).map_err(|no| no.code());
        assert_eq!(code(given(&[])), Err("answers_missing"));
        assert_eq!(code(given(&[("patients", "many")])), Err("answer_wrong"));
        assert_eq!(code(given(&[("patients", "3"), ("colour", "red")])), Err("no_such_field"));
        assert_eq!(code(given(&[("patients", "3")])), Ok(()));
    }
}
