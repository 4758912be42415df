//! What people write down about an incident: notes, and when things really were.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ask::{Ask, Asked, Came, Field, Kind, MARKING, May, Program, REASON, command};
use crate::event::event_kinds;
use crate::incident::lifecycle::{Verb, fits};
use crate::incident::words::{self, NOTE_CHARS_MAX};
use crate::incident::{Context, Decision, Incident, State, nothing, one};
use crate::names::{Names, clock};
use crate::time::EARLIEST;
use crate::tlp::Tlp;

event_kinds! {
    /// A fact; past tense.
    Event {
        Noted(Noted) = "noted" [Follows],
        NoteMarked(NoteMarked) = "note_marked",
        TimeCorrected(TimeCorrected) = "time_corrected",
    }
}

/// Body of `noted`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Noted {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// When it happened, where that was before it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub happened_at: Option<Timestamp>,
    /// Whether the incident was closed by then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub later: bool,
    /// How far it may go; as the incident where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marking: Option<Tlp>,
}

/// Body of `note_marked`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NoteMarked {
    /// The number of the note in the incident's own log.
    pub note: u64,
    /// When it was written.
    pub written_at: Timestamp,
    /// Whether it is a key event from now on.
    pub key: bool,
}

/// An instant of an incident that people may correct.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Instant))]
pub enum Instant {
    ImpactStarted,
    Detected,
    Declared,
    Acknowledged,
    Mitigated,
    Resolved,
}

impl Instant {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::ImpactStarted, Self::Detected, Self::Declared, Self::Acknowledged, Self::Mitigated, Self::Resolved];

    /// As written in the API.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::ImpactStarted => "impact_started",
            Self::Detected => "detected",
            Self::Declared => "declared",
            Self::Acknowledged => "acknowledged",
            Self::Mitigated => "mitigated",
            Self::Resolved => "resolved",
        }
    }

    /// As people read it.
    fn words(self) -> String {
        self.word().replace('_', " ")
    }

    /// Its place in a life. Whoever mitigates need not have acknowledged, so neither of the two comes first.
    const fn place(self) -> u8 {
        match self {
            Self::ImpactStarted => 0,
            Self::Detected => 1,
            Self::Declared => 2,
            Self::Acknowledged | Self::Mitigated => 3,
            Self::Resolved => 4,
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
    /// What it was until now; absent: it was not known, or the log is older than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<Timestamp>,
    pub why: String,
}

/// A command; imperative.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Something worth keeping.
    Note { text: String, happened_at: Option<Timestamp>, marking: Option<Tlp> },
    /// A note that was written then is a key event from now on, or is none any more.
    Mark { note: u64, written_at: Timestamp, key: bool },
    /// An instant was another one, or is not known.
    CorrectTime { instant: Instant, at: Option<Timestamp>, why: String },
}

impl Command {
    /// Whether people ask for it as it is; the rest follows from something else.
    pub(in crate::incident) const fn is_asked(&self) -> bool {
        match self {
            Self::Note { .. } | Self::Mark { .. } | Self::CorrectTime { .. } => true,
        }
    }
}

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("that instant is still to come: give one that has passed")]
    InTheFuture,
    #[error("that instant is before 1990: give the right year")]
    BeforeAll,
    #[error("{what} cannot be after {next}, which was at {at}: give an earlier time, or correct that one first")]
    AfterWhatFollows { what: String, next: String, at: String },
    #[error("{what} cannot be before {last}, which was at {at}: give a later time, or correct that one first")]
    BeforeWhatLed { what: String, last: String, at: String },
    #[error("it is not {what} yet: what has not happened has no time")]
    NotYet { what: String },
    #[error("it is known when it was {what}: give the right time instead of none")]
    Known { what: String },
}

impl Refusal {
    /// The stable code of the API.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::InTheFuture => "in_the_future",
            Self::BeforeAll => "before_1990",
            Self::AfterWhatFollows { .. } | Self::BeforeWhatLed { .. } => "out_of_order",
            Self::NotYet { .. } => "not_happened",
            Self::Known { .. } => "time_is_known",
        }
    }
}

/// When it was, of what is written down late.
pub(super) const HAPPENED_AT: Field = Field::may("happened_at", "when it happened", "When it happened", Kind::Time)
    .hint("When it happened, where that is not now, as in 2026-12-24T18:00:00Z");

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
        fields: &[Field::needed("text", "the note", "Note", Kind::Words { max: NOTE_CHARS_MAX }).hint("The note"), HAPPENED_AT, MARKING],
        ways: &[],
        make: |given, _| {
            command(Command::Note { text: given.must("text"), happened_at: given.time("happened_at"), marking: given.parsed("marking") })
        },
        came: Came::Itself,
    },
    Ask {
        verb: Verb::Mark,
        label: "Mark as key event",
        says: "Marks a note as a key event, or takes the mark away",
        press: "Mark it",
        body: "MarkBody",
        programs: &[Program::of("mark").places(&["entry"])],
        may: May::Responder,
        fields: &[
            Field::needed("entry", "the note", "Note", Kind::Entry).hint("The note's number, `seq`, as the log has it"),
            Field::may("unmark", "whether it is none any more", "no key event any more", Kind::Flag).hint("Takes the mark away"),
        ],
        ways: &[],
        make: |given, _| {
            let entry = given.number("entry").unwrap_or_default();
            Ok(Asked::Mark { entry: i64::from(entry), key: !given.flag("unmark").unwrap_or(false) })
        },
        came: Came::Itself,
    },
    Ask {
        verb: Verb::Time,
        label: "Correct a time",
        says: "Corrects when it really began, was detected, declared, acknowledged, mitigated or resolved",
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
        Command::Note { text, happened_at, marking } => {
            fits(incident, Verb::Note)?;
            words::needed(&text, "the note")?;
            if let Some(at) = happened_at {
                has_happened(at, context.now)?;
            }
            one(Event::Noted(Noted { text: words::note(Some(text))?, happened_at, later: incident.state == State::Closed, marking }))
        }
        Command::Mark { note, written_at, key } => {
            fits(incident, Verb::Mark)?;
            if incident.work.key_notes.contains(&note) == key {
                return nothing();
            }
            one(Event::NoteMarked(NoteMarked { note, written_at, key }))
        }
        Command::CorrectTime { instant, at, why } => {
            fits(incident, Verb::Time)?;
            words::needed(&why, "the reason")?;
            words::at_most(&why, "the reason", NOTE_CHARS_MAX)?;
            let was = now(incident, instant);
            if at == was {
                return nothing();
            }
            match at {
                Some(at) => may_be(incident, instant, at, context.now)?,
                None if stands_on(incident, instant) => return Err(Refusal::Known { what: instant.words() }.into()),
                None => {}
            }
            one(Event::TimeCorrected(TimeCorrected { instant, at, was, why }))
        }
    }
}

/// What people say that happened has happened, and not before anything did.
///
/// # Errors
/// Where it is to come, or before [`EARLIEST`].
pub fn has_happened(at: Timestamp, now: Timestamp) -> Result<(), Refusal> {
    match at {
        at if at > now => Err(Refusal::InTheFuture),
        at if at < EARLIEST => Err(Refusal::BeforeAll),
        _ => Ok(()),
    }
}

/// Whether the incident is what it is because that happened: then it has a time.
fn stands_on(incident: &Incident, instant: Instant) -> bool {
    match instant {
        Instant::ImpactStarted | Instant::Detected => false,
        Instant::Mitigated => incident.state == State::Mitigated,
        Instant::Declared | Instant::Acknowledged | Instant::Resolved => now(incident, instant).is_some(),
    }
}

/// An instant stands between those of what led to it and of what followed: no length of time is less than nothing.
fn may_be(incident: &Incident, instant: Instant, at: Timestamp, today: Timestamp) -> Result<(), Refusal> {
    has_happened(at, today)?;
    let known_by_happening = matches!(instant, Instant::Declared | Instant::Acknowledged | Instant::Resolved);
    if known_by_happening && now(incident, instant).is_none() {
        return Err(Refusal::NotYet { what: instant.words() });
    }
    for other in Instant::ALL {
        let Some(then) = now(incident, other) else { continue };
        if other.place() > instant.place() && at > then {
            return Err(Refusal::AfterWhatFollows { what: instant.words(), next: other.words(), at: clock(then) });
        }
        if other.place() < instant.place() && at < then {
            return Err(Refusal::BeforeWhatLed { what: instant.words(), last: other.words(), at: clock(then) });
        }
    }
    match incident.closed_at.filter(|closed| at > *closed) {
        Some(closed) => Err(Refusal::AfterWhatFollows { what: instant.words(), next: "its end".to_owned(), at: clock(closed) }),
        None => Ok(()),
    }
}

pub(in crate::incident) fn evolve(incident: &mut Incident, event: &Event) {
    match event {
        Event::Noted(_) => {}
        Event::NoteMarked(body) if body.key => {
            incident.work.key_notes.insert(body.note);
        }
        Event::NoteMarked(body) => {
            incident.work.key_notes.remove(&body.note);
        }
        Event::TimeCorrected(body) => match body.instant {
            Instant::ImpactStarted => incident.impact_started_at = body.at,
            Instant::Detected => incident.detected_at = body.at,
            Instant::Declared => incident.declared_at = body.at,
            Instant::Acknowledged => incident.acknowledged_at = body.at,
            Instant::Mitigated => incident.mitigated_at = body.at,
            Instant::Resolved => incident.resolved_at = body.at,
        },
    }
}

/// What an instant is now.
const fn now(incident: &Incident, instant: Instant) -> Option<Timestamp> {
    match instant {
        Instant::ImpactStarted => incident.impact_started_at,
        Instant::Detected => incident.detected_at,
        Instant::Declared => incident.declared_at,
        Instant::Acknowledged => incident.acknowledged_at,
        Instant::Mitigated => incident.mitigated_at,
        Instant::Resolved => incident.resolved_at,
    }
}

/// Beside when it was written, which the log shows.
pub(super) fn happened(at: Option<Timestamp>, names: &Names<'_>) -> String {
    at.map_or_else(String::new, |at| format!(" (happened at {})", names.clock(at)))
}

pub(in crate::incident) fn line(event: &Event, names: &Names<'_>) -> String {
    let who = names.who();
    match event {
        Event::Noted(body) => {
            let later = if body.later { ", after it was closed" } else { "" };
            format!("{who}{later}: {}{}", body.text.as_deref().unwrap_or_default(), happened(body.happened_at, names))
        }
        Event::NoteMarked(body) => {
            let deed = if body.key { "marked the note of" } else { "took the mark of a key event from the note of" };
            let what = if body.key { " as a key event" } else { "" };
            format!("{who} {deed} {}{what}", names.clock(body.written_at))
        }
        Event::TimeCorrected(body) => {
            let at = body.at.map_or_else(|| "not known".to_owned(), |at| names.clock(at));
            let was = body.was.map_or_else(String::new, |was| format!(" from {}", names.clock(was)));
            format!("{who} corrected {}{was} to {at}: {}", body.instant.words(), body.why)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::Sample;
    use super::*;
    use crate::incident::{attendance, ending};
    use crate::time::{Length, after, before};

    #[test]
    fn an_instant_is_corrected_to_one_that_has_passed() {
        let mut sample = Sample::declared();
        let correct = |at| Command::CorrectTime { instant: Instant::Detected, at, why: "the first ticket".into() };
        assert_eq!(sample.run(correct(None)).unwrap().events, [], "that is not known already");
        let late = crate::time::after(sample.at, crate::time::Length::from_secs(1));
        assert_eq!(sample.refusal(correct(Some(late))), "in_the_future");
        assert_eq!(sample.run(correct(Some(sample.at))).unwrap().kinds(), ["time_corrected"]);
        assert_eq!(sample.incident.detected_at, Some(sample.at));
        assert_eq!(sample.refusal(correct(Some(Timestamp::UNIX_EPOCH))), "before_1990");
        assert_eq!(sample.refusal(Command::Note { text: "x".repeat(NOTE_CHARS_MAX + 1), happened_at: None, marking: None }), "too_long");
    }

    #[test]
    fn no_instant_comes_after_what_follows_it_and_what_it_stands_on_has_one() {
        let mut sample = Sample::declared().after(attendance::Command::Acknowledge { by: Some("ana".into()), via: "api".into() });
        let begun = sample.at;
        sample.at = after(begun, Length::from_mins(20));
        sample.run(ending::Command::Resolve { note: None, waive: None }).unwrap();
        let minute = |n| after(begun, Length::from_mins(n));
        let correct = |instant, at| Command::CorrectTime { instant, at, why: "the graphs".into() };
        assert_eq!(sample.refusal(correct(Instant::Mitigated, Some(minute(21)))), "in_the_future");
        sample.at = minute(60);
        assert_eq!(sample.refusal(correct(Instant::Mitigated, Some(minute(21)))), "out_of_order");
        assert_eq!(sample.refusal(correct(Instant::Resolved, Some(before(begun, Length::from_mins(1))))), "out_of_order");
        assert_eq!(sample.refusal(correct(Instant::Resolved, None)), "time_is_known");
        assert_eq!(sample.refusal(correct(Instant::ImpactStarted, Some(minute(1)))), "out_of_order", "it was declared before");
        for (instant, at) in [(Instant::Resolved, 15), (Instant::Mitigated, 10), (Instant::Acknowledged, 5)] {
            sample.run(correct(instant, Some(minute(at)))).unwrap();
        }
        let incident = &sample.incident;
        assert_eq!((incident.acknowledged_at, incident.resolved_at), (Some(minute(5)), Some(minute(15))));
        let mut open = Sample::declared();
        assert_eq!(open.refusal(correct(Instant::Resolved, Some(open.at))), "not_happened");
    }

    #[test]
    fn a_note_of_what_is_closed_is_a_later_one_and_a_mark_is_set_once() {
        let note = |happened_at| Command::Note { text: "the graph fell".into(), happened_at, marking: None };
        let mut sample =
            Sample::declared().after(ending::Command::Resolve { note: None, waive: None }).after(ending::Command::Close { waive: None });
        let late = after(sample.at, Length::from_mins(1));
        assert_eq!(sample.refusal(note(Some(late))), "in_the_future");
        let earlier = before(sample.at, Length::from_mins(5));
        let noted = Noted { text: Some("the graph fell".into()), happened_at: Some(earlier), later: true, marking: None };
        assert_eq!(sample.run(note(Some(earlier))).unwrap().events, [Event::Noted(noted).into()]);
        let mark = |key| Command::Mark { note: 4, written_at: Timestamp::UNIX_EPOCH, key };
        assert_eq!(sample.run(mark(true)).unwrap().kinds(), ["note_marked"]);
        assert_eq!(sample.run(mark(true)).unwrap().events, []);
        assert!(sample.incident.work.key_notes.contains(&4));
        sample.run(mark(false)).unwrap();
        assert!(sample.incident.work.key_notes.is_empty());
    }
}
