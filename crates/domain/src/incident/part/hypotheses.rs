//! What may be the cause: what is supposed, what was tried, what came of it, and why it was given up or taken for true.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ask::{self, Ask, Asked, Came, Field, Given, Kind, May, Program, command};
use crate::event::event_kinds;
use crate::incident::lifecycle::{Verb, fits};
use crate::incident::words::{self, KEPT_CHARS_MAX};
use crate::incident::work::{Hypothesis, HypothesisState, Try};
use crate::incident::{self as whole, Decision, Incident, one};
use crate::names::{Names, with_text};

/// Hypotheses of one incident at most.
pub const HYPOTHESES_MAX: usize = 50;
/// What was tried of one hypothesis, at most.
pub const TRIES_MAX: usize = 20;

event_kinds! {
    /// A fact; past tense.
    Event {
        Raised(Raised) = "hypothesis_raised",
        Tried(Tried) = "hypothesis_tried",
        Judged(Judged) = "hypothesis_judged" [Key],
    }
}

/// Body of `hypothesis_raised`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Raised {
    /// From 1, within the incident.
    pub hypothesis: u32,
    pub text: String,
}

/// Body of `hypothesis_tried`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tried {
    pub hypothesis: u32,
    /// What was tried.
    pub tried: String,
    /// What came of it; absent: not known yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
}

/// Body of `hypothesis_judged`: it was taken for true, given up, or is open again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    pub hypothesis: u32,
    pub state: HypothesisState,
    pub why: String,
}

/// A command; imperative.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Something may be the cause.
    Raise { text: String },
    /// Something was tried.
    Try { hypothesis: u32, tried: String, result: Option<String> },
    /// It is the cause, is none, or may be after all.
    Judge { hypothesis: u32, state: HypothesisState, why: String },
}

impl Command {
    /// Whether people ask for it as it is; the rest follows from something else.
    pub(in crate::incident) const fn is_asked(&self) -> bool {
        match self {
            Self::Raise { .. } | Self::Try { .. } | Self::Judge { .. } => true,
        }
    }
}

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("there is no hypothesis {hypothesis} in this incident")]
    NoSuchHypothesis { hypothesis: u32 },
    #[error("hypothesis {hypothesis} is {state} already")]
    IsSo { hypothesis: u32, state: HypothesisState },
    #[error("at most {max} {what} are kept here: write the next as a note")]
    TooMany { what: &'static str, max: usize },
}

impl Refusal {
    /// The stable code of the API.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoSuchHypothesis { .. } => "no_such_hypothesis",
            Self::IsSo { .. } => "hypothesis_is_so",
            Self::TooMany { .. } => "too_many_hypotheses",
        }
    }
}

/// What people may ask.
pub(crate) const ASKS: &[Ask] = &[Ask {
    verb: Verb::Hypothesis,
    label: "Add a hypothesis",
    says: "What may be the cause, what was tried, and what came of it",
    press: "Add it",
    body: "HypothesisBody",
    programs: &[
        Program::of("hypothesis add").says("Add one").places(&["text"]).lacks(&["hypothesis"]),
        Program::of("hypothesis tried").says("Say what was tried, and what came of it").places(&["hypothesis", "tried"]),
        Program::of("hypothesis confirm").says("It is the cause").places(&["hypothesis"]).gives(&[("state", "confirmed")]),
        Program::of("hypothesis reject").says("It is not the cause").places(&["hypothesis"]).gives(&[("state", "rejected")]),
        Program::of("hypothesis reopen").says("It may be the cause after all").places(&["hypothesis"]).gives(&[("state", "open")]),
    ],
    may: May::Responder,
    fields: &[
        Field::may("text", "the hypothesis", "What may be the cause?", Kind::Words { max: KEPT_CHARS_MAX }).hint("What may be the cause"),
        Field::may("hypothesis", "the hypothesis", "Hypothesis", Kind::Number { of: "a hypothesis" }).hint("Its number, from 1"),
        Field::may("tried", "what was tried", "What was tried?", Kind::Words { max: KEPT_CHARS_MAX }).hint("What was tried"),
        Field::may("result", "what came of it", "What came of it?", Kind::Words { max: KEPT_CHARS_MAX }).hint("What came of it"),
        Field::may(
            "state",
            "how it stands",
            "How it stands",
            Kind::Choice { name: "HypothesisState", of: &["confirmed", "rejected", "open"] },
        ),
        Field::may("why", "the reason", "Why?", Kind::Reason).hint("The reason"),
    ],
    ways: &[&["text"], &["hypothesis", "tried", "result"], &["hypothesis", "state", "why"]],
    make: |given, _| asked(given),
    came: Came::Itself,
}];

fn asked(given: &Given) -> Result<Asked, ask::Refusal> {
    let state = given.as_text("state").and_then(HypothesisState::from_word);
    match (given.text("text"), given.number("hypothesis"), given.text("tried"), state) {
        (Some(text), None, None, None) => command(Command::Raise { text }),
        (None, Some(hypothesis), Some(tried), None) => command(Command::Try { hypothesis, tried, result: given.text("result") }),
        (None, Some(hypothesis), None, Some(state)) => match given.text("why") {
            Some(why) => command(Command::Judge { hypothesis, state, why }),
            None => Err(ask::Refusal::Together("say `why`: what was seen".into())),
        },
        _ => Err(ask::Refusal::Together(
            "give `text` to add a hypothesis, or `hypothesis`, its number, with what was `tried`, or with its `state` and `why`".into(),
        )),
    }
}

pub(in crate::incident) fn decide(incident: &Incident, command: Command) -> Decision {
    fits(incident, Verb::Hypothesis)?;
    match command {
        Command::Raise { text } => {
            words::needed(&text, "the hypothesis")?;
            words::at_most(&text, "the hypothesis", KEPT_CHARS_MAX)?;
            let so_far = incident.work.hypotheses.len();
            if so_far >= HYPOTHESES_MAX {
                return Err(Refusal::TooMany { what: "hypotheses", max: HYPOTHESES_MAX }.into());
            }
            one(Event::Raised(Raised { hypothesis: u32::try_from(so_far + 1).unwrap_or(u32::MAX), text }))
        }
        Command::Try { hypothesis, tried, result } => {
            let known = known(incident, hypothesis)?;
            words::needed(&tried, "what was tried")?;
            words::at_most(&tried, "what was tried", KEPT_CHARS_MAX)?;
            if known.tries.len() >= TRIES_MAX {
                return Err(Refusal::TooMany { what: "tries of a hypothesis", max: TRIES_MAX }.into());
            }
            let result = words::kept(result)?;
            one(Event::Tried(Tried { hypothesis, tried, result }))
        }
        Command::Judge { hypothesis, state, why } => {
            if known(incident, hypothesis)?.state == state {
                return Err(Refusal::IsSo { hypothesis, state }.into());
            }
            words::needed(&why, "the reason")?;
            words::at_most(&why, "the reason", KEPT_CHARS_MAX)?;
            one(Event::Judged(Judged { hypothesis, state, why }))
        }
    }
}

fn known(incident: &Incident, hypothesis: u32) -> Result<&Hypothesis, whole::Refusal> {
    incident.work.hypothesis(hypothesis).ok_or_else(|| Refusal::NoSuchHypothesis { hypothesis }.into())
}

pub(in crate::incident) fn evolve(incident: &mut Incident, event: &Event, at: Timestamp) {
    match event {
        Event::Raised(body) => incident.work.hypotheses.push(Hypothesis {
            hypothesis: body.hypothesis,
            text: body.text.clone(),
            state: HypothesisState::Open,
            why: None,
            tries: Vec::new(),
            raised_at: at,
        }),
        Event::Tried(body) => {
            if let Some(known) = incident.work.hypothesis_mut(body.hypothesis) {
                known.tries.push(Try { tried: body.tried.clone(), result: body.result.clone(), at });
            }
        }
        Event::Judged(body) => {
            if let Some(known) = incident.work.hypothesis_mut(body.hypothesis) {
                (known.state, known.why) = (body.state, Some(body.why.clone()));
            }
        }
    }
}

pub(in crate::incident) fn line(event: &Event, names: &Names<'_>) -> String {
    let who = names.who();
    match event {
        Event::Raised(body) => format!("{who} supposes (hypothesis {}): {}", body.hypothesis, body.text),
        Event::Tried(body) => {
            let line = format!("{who} tried for hypothesis {}: {}", body.hypothesis, body.tried);
            with_text(line, body.result.as_deref())
        }
        Event::Judged(body) => {
            let judged = match body.state {
                HypothesisState::Confirmed => "is the cause",
                HypothesisState::Rejected => "is not the cause",
                HypothesisState::Open => "may be the cause after all",
            };
            format!("{who}: hypothesis {} {judged}: {}", body.hypothesis, body.why)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::Sample;
    use super::*;

    #[test]
    fn a_hypothesis_is_tried_and_judged_with_a_reason() {
        let mut sample = Sample::declared().after(Command::Raise { text: "the disk is full".into() });
        sample.run(Command::Try { hypothesis: 1, tried: "df".into(), result: Some("12 % used".into()) }).unwrap();
        let judge = |state, why: &str| Command::Judge { hypothesis: 1, state, why: why.into() };
        assert_eq!(sample.refusal(judge(HypothesisState::Rejected, " ")), "words_missing");
        let long = Some("x".repeat(KEPT_CHARS_MAX + 1));
        assert_eq!(sample.refusal(Command::Try { hypothesis: 1, tried: "df".into(), result: long }), "too_long");
        sample.run(judge(HypothesisState::Rejected, "there is room")).unwrap();
        assert_eq!(sample.refusal(judge(HypothesisState::Rejected, "again")), "hypothesis_is_so");
        sample.run(judge(HypothesisState::Open, "another disk")).unwrap();
        let known = &sample.incident.work.hypotheses[0];
        assert_eq!((known.state, known.tries.len(), known.why.as_deref()), (HypothesisState::Open, 1, Some("another disk")));
        assert_eq!(sample.refusal(Command::Try { hypothesis: 2, tried: "df".into(), result: None }), "no_such_hypothesis");
    }
}
