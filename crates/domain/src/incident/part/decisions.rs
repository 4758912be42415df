//! What was decided: the question, between what, by whom, whether it can be undone, and when it is looked at again.
//!
//! A decision has a number within its incident since it can be looked at again; those of before have none, and stand in the
//! log alone.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ask::{Ask, Came, Field, Given, Kind, May, Program, command};
use crate::event::event_kinds;
use crate::expect::{Key, Rule, Standing};
use crate::incident::awaited::Awaited;
use crate::incident::lifecycle::{self, Verb, fits};
use crate::incident::record::{HAPPENED_AT, happened, has_happened};
use crate::incident::words::{self, NOTE_CHARS_MAX};
use crate::incident::work::DecisionMade;
use crate::incident::{self as whole, Context, Decision, Incident, nothing, one};
use crate::names::{Names, with_text};

/// Numbered decisions of one incident at most; what is decided more often is no decision.
pub const DECISIONS_MAX: usize = 100;
/// Longest decision, in characters: all of an incident are read with it, each time; the reasoning behind one is a note.
pub const DECISION_CHARS_MAX: usize = 2000;
/// Longest question, in characters.
pub const QUESTION_CHARS_MAX: usize = 500;
/// Options of a decision at most: more than these nobody weighs against each other.
pub const OPTIONS_MAX: usize = 12;
/// Longest option, in characters.
pub const OPTION_CHARS_MAX: usize = 200;

event_kinds! {
    /// A fact; past tense.
    Event {
        Decided(Decided) = "decision_made" [Key] admits(by),
        Due(Due) = "decision_due",
        Revisited(Revisited) = "decision_revisited" [Key],
    }
}

/// Body of `decision_made`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decided {
    pub text: String,
    /// Whether it can be undone; absent where nobody said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reversible: Option<bool>,
    /// When it was made, where that was before it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub happened_at: Option<Timestamp>,
    /// From 1, within the incident; absent in what earlier versions wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<u32>,
    /// What was to be decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    /// Between what.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
    /// Who decided; absent where that was no person, or an earlier version wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// When it is looked at again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review_at: Option<Timestamp>,
}

/// Body of `decision_due`: the time has come to look at it again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Due {
    pub decision: u32,
}

/// Body of `decision_revisited`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Revisited {
    pub decision: u32,
    /// Whether it stands.
    pub stands: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// When it is looked at once more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review_at: Option<Timestamp>,
}

/// A command; imperative.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Something was decided.
    Decide(Decide),
    /// It was looked at again: it stands, or does not.
    Revisit { decision: u32, stands: bool, note: Option<String>, review_at: Option<Timestamp> },
    /// The time has come to look at it again.
    Remind { decision: u32 },
}

/// What was decided.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Decide {
    pub text: String,
    pub question: Option<String>,
    pub options: Vec<String>,
    /// Who decided; whoever asks, unless said.
    pub by: Option<String>,
    pub reversible: Option<bool>,
    pub review_at: Option<Timestamp>,
    pub happened_at: Option<Timestamp>,
}

impl Command {
    /// Whether people ask for it as it is; the rest follows from something else.
    pub(in crate::incident) const fn is_asked(&self) -> bool {
        match self {
            Self::Decide(_) | Self::Revisit { .. } => true,
            Self::Remind { .. } => false,
        }
    }
}

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("there is no decision {decision} in this incident")]
    NoSuchDecision { decision: u32 },
    #[error("decision {decision} does not stand any more: write down what was decided instead")]
    Withdrawn { decision: u32 },
    #[error("an incident has at most {max} decisions: write the next as a note")]
    TooMany { max: usize },
    #[error("a decision has at most {max} options: name those that were weighed")]
    TooManyOptions { max: usize },
    #[error("that time has passed: give one to come")]
    InThePast,
}

impl Refusal {
    /// The stable code of the API.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoSuchDecision { .. } => "no_such_decision",
            Self::Withdrawn { .. } => "decision_withdrawn",
            Self::TooMany { .. } | Self::TooManyOptions { .. } => "too_many_decisions",
            Self::InThePast => "in_the_past",
        }
    }
}

/// When it is looked at again.
const REVIEW_AT: Field = Field::may("review_at", "when it is looked at again", "Look at it again at", Kind::Time)
    .hint("When it is looked at again, as in 2026-12-24T18:00:00Z");
/// The same, from now.
const REVIEW_WITHIN: Field =
    Field::may("review_within", "when it is looked at again", "Look at it again in", Kind::Length).hint("The same from now, as in 30m");

/// What people may ask.
pub(crate) const ASKS: &[Ask] = &[
    Ask {
        verb: Verb::Decision,
        label: "Decision",
        says: "Writes a decision down: the question, between what, who decided, and when it is looked at again",
        press: "Decision",
        body: "DecisionBody",
        programs: &[Program::of("decide").places(&["text"])],
        may: May::Responder,
        fields: &[
            Field::needed("text", "the decision", "What was decided?", Kind::Words { max: DECISION_CHARS_MAX }).hint("What was decided"),
            Field::may("question", "the question", "What was the question?", Kind::Words { max: QUESTION_CHARS_MAX })
                .hint("What was to be decided"),
            Field::may("options", "the options", "Between what?", Kind::Words { max: OPTIONS_MAX * OPTION_CHARS_MAX })
                .hint("Between what, a line each"),
            Field::may("decided_by", "who decided", "Who decided", Kind::Person).hint("A person's id; you, unless said"),
            Field::may("reversible", "whether it can be undone", "can be undone", Kind::Flag).hint("Whether it can be undone"),
            REVIEW_AT,
            REVIEW_WITHIN,
            HAPPENED_AT,
        ],
        ways: &[
            &["text", "question", "options", "decided_by", "reversible", "review_at", "happened_at"],
            &["text", "question", "options", "decided_by", "reversible", "review_within", "happened_at"],
        ],
        make: |given, by| {
            command(Command::Decide(Decide {
                text: given.must("text"),
                question: given.text("question"),
                options: lines(given),
                by: given.text("decided_by").or_else(|| by.person.map(ToOwned::to_owned)),
                reversible: given.flag("reversible"),
                review_at: review_at(given, by.now),
                happened_at: given.time("happened_at"),
            }))
        },
        came: Came::Itself,
    },
    Ask {
        verb: Verb::Revisit,
        label: "Look at a decision again",
        says: "Says whether a decision stands, now that more is known",
        press: "Say so",
        body: "RevisitBody",
        programs: &[Program::of("revisit").places(&["decision", "outcome"])],
        may: May::Responder,
        fields: &[
            Field::needed("decision", "the decision", "Decision", Kind::Number { of: "a decision" }).hint("Its number, from 1"),
            Field::needed(
                "outcome",
                "what came of it",
                "What came of it",
                Kind::Choice { name: "RevisitOutcome", of: &["stands", "withdrawn"] },
            ),
            Field::may("note", "the note", "Note", Kind::Words { max: NOTE_CHARS_MAX }).hint("Why"),
            REVIEW_AT,
            REVIEW_WITHIN,
        ],
        ways: &[&["decision", "outcome", "note", "review_at"], &["decision", "outcome", "note", "review_within"]],
        make: |given, by| {
            command(Command::Revisit {
                decision: given.number("decision").unwrap_or_default(),
                stands: given.as_text("outcome") == Some("stands"),
                note: given.text("note"),
                review_at: review_at(given, by.now),
            })
        },
        came: Came::Itself,
    },
];

fn review_at(given: &Given, now: Timestamp) -> Option<Timestamp> {
    given.time("review_at").or_else(|| given.parsed("review_within").map(|length| crate::time::after(now, length)))
}

/// One option a line; blank lines are none.
fn lines(given: &Given) -> Vec<String> {
    let text = given.text("options").unwrap_or_default();
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(ToOwned::to_owned).collect()
}

pub(in crate::incident) fn decide(incident: &Incident, command: Command, context: Context) -> Decision {
    match command {
        Command::Decide(said) => made(incident, said, context.now),
        Command::Revisit { decision, stands, note, review_at } => {
            fits(incident, Verb::Revisit)?;
            let known = incident.work.decision(decision).ok_or(Refusal::NoSuchDecision { decision })?;
            if !known.stands {
                return Err(Refusal::Withdrawn { decision }.into());
            }
            let review_at = review_at.filter(|_| stands);
            may_be_due(incident, review_at, context.now)?;
            let note = words::note(note)?.filter(|note| !note.trim().is_empty());
            one(Event::Revisited(Revisited { decision, stands, note, review_at }))
        }
        Command::Remind { decision } => match incident.work.decision(decision) {
            Some(known) if known.stands && known.review_at.is_some() && !known.due && incident.state.is_open() => {
                one(Event::Due(Due { decision }))
            }
            _ => nothing(),
        },
    }
}

pub(in crate::incident) fn made(incident: &Incident, said: Decide, now: Timestamp) -> Decision {
    fits(incident, Verb::Decision)?;
    words::needed(&said.text, "the decision")?;
    words::at_most(&said.text, "the decision", DECISION_CHARS_MAX)?;
    let question = said.question.filter(|question| !question.trim().is_empty());
    if let Some(question) = &question {
        words::at_most(question, "the question", QUESTION_CHARS_MAX)?;
    }
    if said.options.len() > OPTIONS_MAX {
        return Err(Refusal::TooManyOptions { max: OPTIONS_MAX }.into());
    }
    for option in &said.options {
        words::at_most(option, "an option", OPTION_CHARS_MAX)?;
    }
    if let Some(at) = said.happened_at {
        has_happened(at, now)?;
    }
    may_be_due(incident, said.review_at, now)?;
    let so_far = incident.work.decisions.len();
    if so_far >= DECISIONS_MAX {
        return Err(Refusal::TooMany { max: DECISIONS_MAX }.into());
    }
    let decision = Some(u32::try_from(so_far + 1).unwrap_or(u32::MAX));
    let Decide { text, options, by, reversible, review_at, happened_at, .. } = said;
    one(Event::Decided(Decided { text, reversible, happened_at, decision, question, options, by, review_at }))
}

/// It is looked at again while somebody would be reminded, and not before it was made.
fn may_be_due(incident: &Incident, review_at: Option<Timestamp>, now: Timestamp) -> Result<(), whole::Refusal> {
    match review_at {
        None => Ok(()),
        Some(_) if !incident.state.is_open() => Err(lifecycle::Refusal::AlreadyResolved.into()),
        Some(at) if at <= now => Err(Refusal::InThePast.into()),
        Some(_) => Ok(()),
    }
}

pub(in crate::incident) fn evolve(incident: &mut Incident, event: &Event, at: Timestamp) {
    match event {
        Event::Decided(body) => {
            // Those of before have no number, and are no part of the state.
            if let Some(decision) = body.decision {
                incident.work.decisions.push(DecisionMade {
                    decision,
                    text: body.text.clone(),
                    question: body.question.clone(),
                    options: body.options.clone(),
                    reversible: body.reversible,
                    by: body.by.clone(),
                    at,
                    review_at: body.review_at,
                    due: false,
                    stands: true,
                });
            }
        }
        Event::Due(body) => {
            if let Some(known) = incident.work.decision_mut(body.decision) {
                known.due = true;
            }
        }
        Event::Revisited(body) => {
            if let Some(known) = incident.work.decision_mut(body.decision) {
                (known.stands, known.review_at, known.due) = (body.stands, body.review_at, false);
            }
        }
    }
}

fn key(decision: u32) -> String {
    Key::Decision(decision).to_string()
}

/// What was still to be looked at when it ended is awaited again.
pub(in crate::incident) fn await_again(incident: &Incident, awaited: &mut Awaited) {
    for known in incident.work.decisions.iter().filter(|known| known.stands && !known.due) {
        if let Some(at) = known.review_at {
            awaited.open_until(&key(known.decision), Rule::DecisionReview, at);
        }
    }
}

pub(in crate::incident) fn react(event: &Event, awaited: &mut Awaited) {
    match event {
        Event::Decided(body) => {
            if let (Some(decision), Some(at)) = (body.decision, body.review_at) {
                awaited.open_until(&key(decision), Rule::DecisionReview, at);
            }
        }
        Event::Revisited(body) => {
            awaited.settle(&key(body.decision), Standing::Met, "it was looked at again");
            if let Some(at) = body.review_at {
                awaited.open_until(&key(body.decision), Rule::DecisionReview, at);
            }
        }
        Event::Due(_) => {}
    }
}

pub(in crate::incident) fn line(event: &Event, names: &Names<'_>) -> String {
    let who = names.who();
    match event {
        Event::Decided(body) => {
            let undo = match body.reversible {
                Some(true) => " (reversible)",
                Some(false) => " (not reversible)",
                None => "",
            };
            let by = body.by.as_deref().map(|by| names.person(by)).filter(|by| *by != who);
            let wrote = by.as_ref().map_or_else(String::new, |_| format!("; written down by {who}"));
            let weighed = [
                body.question.as_ref().map(|question| format!("question: {question}")),
                (!body.options.is_empty()).then(|| format!("between: {}", body.options.join("; "))),
            ];
            let weighed: Vec<String> = weighed.into_iter().flatten().collect();
            let weighed = if weighed.is_empty() { String::new() } else { format!(" ({})", weighed.join("; ")) };
            let again = body.review_at.map_or_else(String::new, |at| format!("; to be looked at again at {}", names.clock(at)));
            let who = by.unwrap_or(who);
            format!("{who} decided{undo}: {}{weighed}{again}{wrote}{}", body.text, happened(body.happened_at, names))
        }
        Event::Due(body) => format!("Decision {} is to be looked at again", body.decision),
        Event::Revisited(body) => {
            let stands = if body.stands { "stands" } else { "does not stand any more" };
            let again = body.review_at.map_or_else(String::new, |at| format!("; again at {}", names.clock(at)));
            with_text(format!("{who}: decision {} {stands}{again}", body.decision), body.note.as_deref())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::Sample;
    use super::*;
    use crate::incident::{attendance, ending};
    use crate::time::{Length, after};

    fn said(text: &str) -> Decide {
        Decide { text: text.into(), ..Decide::default() }
    }

    #[test]
    fn a_decision_is_looked_at_again_once_it_is_time_and_stands_or_not() {
        let mut sample = Sample::declared().after(attendance::Command::Acknowledge { by: Some("ana".into()), via: "api".into() });
        let at = after(sample.at, Length::from_mins(30));
        let decide = Command::Decide(Decide { review_at: Some(at), ..said("fail over") });
        assert_eq!(sample.run(decide).unwrap().opened(), ["decision:1"]);
        sample.at = at;
        assert_eq!(sample.run(Command::Remind { decision: 1 }).unwrap().kinds(), ["decision_due"]);
        assert_eq!(sample.run(Command::Remind { decision: 1 }).unwrap().events, [], "once");
        let revisit = |stands| Command::Revisit { decision: 1, stands, note: None, review_at: None };
        sample.run(revisit(true)).unwrap();
        assert_eq!(sample.incident.work.decisions[0].review_at, None, "nothing more is awaited");
        sample.run(revisit(false)).unwrap();
        assert_eq!(sample.refusal(revisit(true)), "decision_withdrawn");
        assert_eq!(sample.refusal(Command::Revisit { decision: 2, stands: true, note: None, review_at: None }), "no_such_decision");
    }

    #[test]
    fn what_is_over_is_not_looked_at_and_what_opens_again_is() {
        let mut sample = Sample::declared().after(attendance::Command::Acknowledge { by: Some("ana".into()), via: "api".into() });
        let at = after(sample.at, Length::from_mins(30));
        assert_eq!(sample.refusal(Command::Decide(Decide { review_at: Some(sample.at), ..said("now") })), "in_the_past");
        let mut sample = sample.after(Command::Decide(Decide { review_at: Some(at), ..said("fail over") }));
        assert!(sample.run(ending::Command::Resolve { note: None, waive: None }).unwrap().settled().contains(&"*"));
        assert_eq!(sample.run(Command::Remind { decision: 1 }).unwrap().events, []);
        assert!(sample.run(ending::Command::Reopen { why: "again".into() }).unwrap().opened().contains(&"decision:1"));
    }

    #[test]
    fn options_are_weighed_and_not_listed_without_an_end() {
        let mut sample = Sample::declared();
        let many = |n| Command::Decide(Decide { options: vec!["one".into(); n], ..said("the first") });
        assert_eq!(sample.refusal(many(OPTIONS_MAX + 1)), "too_many_decisions");
        sample.run(many(OPTIONS_MAX)).unwrap();
        assert_eq!(sample.refusal(Command::Decide(said(" "))), "words_missing");
    }
}
