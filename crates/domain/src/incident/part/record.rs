//! What people write down about an incident: notes, decisions, and when things really were.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ask::{Ask, Came, Field, Kind, May, Program, REASON, command};
use crate::event::event_kinds;
use crate::incident::lifecycle::{Verb, fits};
use crate::incident::words::{self, NOTE_CHARS_MAX, Noted};
use crate::incident::{Context, Decision, Incident, nothing, one};
use crate::names::{Names, clock};

event_kinds! {
    /// A fact; past tense.
    Event {
        Noted(Noted) = "noted" [Key],
        Decided(Decided) = "decision_made" [Key],
        TimeCorrected(TimeCorrected) = "time_corrected" [Key],
    }
}

/// Body of `decision_made`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decided {
    pub text: String,
    /// Whether it can be undone; absent where nobody said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reversible: Option<bool>,
}

/// An instant of an incident that people may correct.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Instant))]
pub enum Instant {
    ImpactStarted,
    Detected,
    Mitigated,
}

impl Instant {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::ImpactStarted, Self::Detected, Self::Mitigated];

    /// As written in the API.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::ImpactStarted => "impact_started",
            Self::Detected => "detected",
            Self::Mitigated => "mitigated",
        }
    }
}

/// Body of `time_corrected`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TimeCorrected {
    pub instant: Instant,
    /// Absent: it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    pub why: String,
}

/// A command; imperative.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Something worth keeping.
    Note { text: String },
    /// A decision, with whether it can be undone.
    Decide { text: String, reversible: Option<bool> },
    /// An instant was another one, or is not known.
    CorrectTime { instant: Instant, at: Option<Timestamp>, why: String },
}

impl Command {
    /// Whether people ask for it as it is; the rest follows from something else.
    pub(in crate::incident) const fn is_asked(&self) -> bool {
        match self {
            Self::Note { .. } | Self::Decide { .. } | Self::CorrectTime { .. } => true,
        }
    }
}

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("that instant is still to come: give one that has passed")]
    InTheFuture,
}

impl Refusal {
    /// The stable code of the API.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::InTheFuture => "in_the_future",
        }
    }
}

/// What people may ask.
pub(crate) const ASKS: &[Ask] = &[
    Ask {
        verb: Verb::Note,
        label: "Note",
        says: "Adds a note to an incident's log",
        press: "Note",
        body: "TextBody",
        programs: &[Program::of("note").places(&["text"])],
        may: May::Responder,
        fields: &[Field::needed("text", "the note", "Note", Kind::Words { max: NOTE_CHARS_MAX }).hint("The note")],
        ways: &[],
        make: |given, _| command(Command::Note { text: given.must("text") }),
        came: Came::Itself,
    },
    Ask {
        verb: Verb::Decision,
        label: "Decision",
        says: "Writes a decision down",
        press: "Decision",
        body: "DecisionBody",
        programs: &[Program::of("decide").places(&["text"])],
        may: May::Responder,
        fields: &[
            Field::needed("text", "the decision", "What was decided?", Kind::Words { max: NOTE_CHARS_MAX }).hint("What was decided"),
            Field::may("reversible", "whether it can be undone", "can be undone", Kind::Flag).hint("Whether it can be undone"),
        ],
        ways: &[],
        make: |given, _| command(Command::Decide { text: given.must("text"), reversible: given.flag("reversible") }),
        came: Came::Itself,
    },
    Ask {
        verb: Verb::Time,
        label: "Correct a time",
        says: "Corrects when the impact started, was detected or mitigated",
        press: "Correct it",
        body: "TimeBody",
        programs: &[Program::of("time").places(&["instant"])],
        may: May::Responder,
        fields: &[
            Field::needed("instant", "which time it is", "Which", Kind::Instant),
            Field::may("at", "when it was", "When", Kind::Time).hint("As in 2026-12-24T18:00:00Z; without it, it is not known"),
            REASON,
        ],
        ways: &[],
        make: |given, _| {
            let instant = Instant::ALL.into_iter().find(|instant| Some(instant.word()) == given.as_text("instant"));
            let instant = instant.unwrap_or(Instant::ImpactStarted);
            command(Command::CorrectTime { instant, at: given.time("at"), why: given.must("why") })
        },
        came: Came::Itself,
    },
];

pub(in crate::incident) fn decide(incident: &Incident, command: Command, context: Context) -> Decision {
    match command {
        Command::Note { text } => {
            fits(incident, Verb::Note)?;
            words::needed(&text, "the note")?;
            one(Event::Noted(Noted { text: words::note(Some(text))? }))
        }
        Command::Decide { text, reversible } => {
            fits(incident, Verb::Decision)?;
            words::needed(&text, "the decision")?;
            words::at_most(&text, "the decision", NOTE_CHARS_MAX)?;
            one(Event::Decided(Decided { text, reversible }))
        }
        Command::CorrectTime { instant, at, why } => {
            fits(incident, Verb::Time)?;
            words::needed(&why, "the reason")?;
            words::at_most(&why, "the reason", NOTE_CHARS_MAX)?;
            if at.is_some_and(|at| at > context.now) {
                return Err(Refusal::InTheFuture.into());
            }
            if at == now(incident, instant) {
                return nothing();
            }
            one(Event::TimeCorrected(TimeCorrected { instant, at, why }))
        }
    }
}

pub(in crate::incident) fn evolve(incident: &mut Incident, event: &Event) {
    match event {
        Event::Noted(_) | Event::Decided(_) => {}
        Event::TimeCorrected(body) => match body.instant {
            Instant::ImpactStarted => incident.impact_started_at = body.at,
            Instant::Detected => incident.detected_at = body.at,
            Instant::Mitigated => incident.mitigated_at = body.at,
        },
    }
}

/// What an instant is now.
const fn now(incident: &Incident, instant: Instant) -> Option<Timestamp> {
    match instant {
        Instant::ImpactStarted => incident.impact_started_at,
        Instant::Detected => incident.detected_at,
        Instant::Mitigated => incident.mitigated_at,
    }
}

pub(in crate::incident) fn line(event: &Event, names: &Names<'_>) -> String {
    let who = names.who();
    match event {
        Event::Noted(body) => format!("{who}: {}", body.text.as_deref().unwrap_or_default()),
        Event::Decided(body) => {
            let undo = match body.reversible {
                Some(true) => " (reversible)",
                Some(false) => " (not reversible)",
                None => "",
            };
            format!("{who} decided{undo}: {}", body.text)
        }
        Event::TimeCorrected(body) => {
            let at = body.at.map_or_else(|| "not known".to_owned(), clock);
            format!("{who} corrected {} to {at}: {}", body.instant.word().replace('_', " "), body.why)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::Sample;
    use super::*;

    #[test]
    fn an_instant_is_corrected_to_one_that_has_passed() {
        let mut sample = Sample::declared();
        let correct = |at| Command::CorrectTime { instant: Instant::Detected, at, why: "the first ticket".into() };
        assert_eq!(sample.run(correct(None)).unwrap().events, [], "that is not known already");
        let late = crate::time::after(sample.at, crate::time::Length::from_secs(1));
        assert_eq!(sample.refusal(correct(Some(late))), "in_the_future");
        assert_eq!(sample.run(correct(Some(sample.at))).unwrap().kinds(), ["time_corrected"]);
        assert_eq!(sample.incident.detected_at, Some(sample.at));
        assert_eq!(sample.refusal(Command::Decide { text: "x".repeat(NOTE_CHARS_MAX + 1), reversible: None }), "too_long");
    }
}
