//! A corrective action: what will be done so that it does not happen again, by whom, until when.
//!
//! ```text
//!  add ─► open ──finish──► done
//!            └───drop────► dropped
//! ```
//!
//! Invariants: an open action has an owner and a due date; one whose date has passed is late once and
//! says so; what is over stays over.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::event::event_kinds;
use crate::expect::{Expectation, Owner, Rule, Settle, Standing};
use crate::ids::{ActionId, IncidentId};
use crate::names::{Names, with_text};
use crate::plants::planted;
use crate::time::Length;

/// Longest text of an action, in characters.
pub const TEXT_CHARS_MAX: usize = 2_000;
/// Longest note at its end, in characters.
pub const NOTE_CHARS_MAX: usize = 5_000;
/// Key of the expectation that it is done.
pub const KEY_DUE: &str = "due";

event_kinds! {
    /// A fact about an action; past tense.
    Event {
        Added(Added) = "action_added",
        Assigned(Assigned) = "action_assigned",
        DueChanged(DueChanged) = "action_due_changed",
        Done(Ended) = "action_done",
        Dropped(Ended) = "action_dropped",
        Reminded(Due) = "action_reminded",
        Missed(Due) = "action_missed",
    }
}

/// Body of `action_added`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Added {
    /// The incident that it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<IncidentId>,
    #[serde(rename = "ref", default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    pub text: String,
    /// A person's id.
    pub owner: String,
    /// From when on it is late.
    pub due_at: Timestamp,
    /// The last day for it, where a day was promised: the same day for every reader.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_on: Option<Date>,
}

/// Body of `action_assigned`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Assigned {
    pub owner: String,
}

/// Body of `action_due_changed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DueChanged {
    pub from: Timestamp,
    pub to: Timestamp,
    /// The last day for it, where a day was promised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_on: Option<Date>,
    pub why: String,
}

/// Body of `action_done` and `action_dropped`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ended {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Body of `action_reminded` and `action_missed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Due {
    pub due_at: Timestamp,
}

/// Until when something is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    Instant(Timestamp),
    /// To the end of this day, where its owner is. A reader elsewhere is told the day, not that instant.
    Day(Date),
}

impl Until {
    /// The instant at which it is late, for an owner in this zone, and the day where one was said.
    fn in_zone(self, owner: &TimeZone) -> (Timestamp, Option<Date>) {
        match self {
            Self::Instant(at) => (at, None),
            // The last day that there is has no next one: its own beginning is near enough.
            Self::Day(day) => {
                let end = day.tomorrow().unwrap_or(day).to_zoned(owner.clone());
                (end.map_or(Timestamp::MAX, |end| end.timestamp()), Some(day))
            }
        }
    }
}

/// Where an action stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = ActionState))]
pub enum State {
    Open,
    Done,
    Dropped,
}

impl State {
    /// As stored.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Done => "done",
            Self::Dropped => "dropped",
        }
    }
    /// The state with this stored name.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Open, Self::Done, Self::Dropped].into_iter().find(|state| state.word() == word)
    }
}

/// The folded state of an action's log; also its row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    pub id: ActionId,
    pub incident: Option<IncidentId>,
    pub reference: Option<String>,
    pub text: String,
    pub owner: String,
    pub due_at: Timestamp,
    pub due_on: Option<Date>,
    pub state: State,
    pub note: Option<String>,
    pub late: bool,
    pub added_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    pub updated_at: Timestamp,
}

/// A command; imperative.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    Add { incident: Option<IncidentId>, reference: Option<String>, text: String, owner: String, due: Until },
    Assign { owner: String },
    ChangeDue { due: Until, why: String },
    Finish { note: Option<String> },
    Drop { why: String },
    Remind,
    Miss,
}

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("there is no such action")]
    Unknown,
    #[error("this action is {0} already")]
    Over(&'static str),
    #[error("this action exists already")]
    AlreadyAdded,
    #[error("{0} is missing: say it in words")]
    WordsMissing(&'static str),
    #[error("{what} has at most {max} characters")]
    TooLong { what: &'static str, max: usize },
    #[error("that time has passed: give one to come")]
    InThePast,
}

impl Refusal {
    /// The stable code of the API.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "no_such_action",
            Self::Over(_) => "action_over",
            Self::AlreadyAdded => "action_over",
            Self::WordsMissing(_) => "words_missing",
            Self::TooLong { .. } => "too_long",
            Self::InThePast => "in_the_past",
        }
    }
}

/// Decides. An empty list means that there is nothing to do. A day ends in the zone of whoever owns the action when
/// the day is said.
///
/// # Errors
/// Where it cannot be done.
pub fn decide(state: Option<&Action>, command: Command, zone: &TimeZone, now: Timestamp) -> Result<Vec<Event>, Refusal> {
    let (action, command) = match (state, command) {
        (None, Command::Add { incident, reference, text, owner, due }) => {
            words(&text, "what is to be done", TEXT_CHARS_MAX)?;
            let (due_at, due_on) = due.in_zone(zone);
            if due_at <= now {
                return Err(Refusal::InThePast);
            }
            return Ok(vec![Event::Added(Added { incident, reference, text, owner, due_at, due_on })]);
        }
        (None, _) => return Err(Refusal::Unknown),
        (Some(action), command) => (action, command),
    };
    let is_open = action.state == State::Open;
    match command {
        Command::Add { .. } => Err(Refusal::AlreadyAdded),
        Command::Remind if is_open => Ok(vec![Event::Reminded(Due { due_at: action.due_at })]),
        Command::Miss if is_open && !action.late => Ok(vec![Event::Missed(Due { due_at: action.due_at })]),
        Command::Remind | Command::Miss => Ok(Vec::new()),
        _ if !is_open => Err(Refusal::Over(action.state.word())),
        Command::Assign { owner } if owner == action.owner => Ok(Vec::new()),
        Command::Assign { owner } => Ok(vec![Event::Assigned(Assigned { owner })]),
        Command::ChangeDue { due, why } => {
            words(&why, "the reason", NOTE_CHARS_MAX)?;
            let (to, to_on) = due.in_zone(zone);
            if to <= now {
                return Err(Refusal::InThePast);
            }
            Ok(vec![Event::DueChanged(DueChanged { from: action.due_at, to, to_on, why })])
        }
        Command::Finish { note } => {
            if let Some(note) = &note {
                at_most(note, "the note", NOTE_CHARS_MAX)?;
            }
            Ok(vec![Event::Done(Ended { note: note.filter(|note| !note.trim().is_empty()) })])
        }
        Command::Drop { why } => {
            words(&why, "the reason", NOTE_CHARS_MAX)?;
            Ok(vec![Event::Dropped(Ended { note: Some(why) })])
        }
    }
}

fn words(text: &str, what: &'static str, max: usize) -> Result<(), Refusal> {
    if text.trim().is_empty() {
        return Err(Refusal::WordsMissing(what));
    }
    at_most(text, what, max)
}

fn at_most(text: &str, what: &'static str, max: usize) -> Result<(), Refusal> {
    if text.chars().count() > max { Err(Refusal::TooLong { what, max }) } else { Ok(()) }
}

/// Folds one event.
///
/// # Panics
/// When the first event of a stream is not `action_added`.
#[must_use]
pub fn evolve(state: Option<Action>, id: ActionId, event: &Event, at: Timestamp) -> Action {
    let Some(mut action) = state else {
        let Event::Added(body) = event else {
            panic!("the log of {id} begins with `{}`, which begins no action", event.kind());
        };
        return Action {
            id,
            incident: body.incident,
            reference: body.reference.clone(),
            text: body.text.clone(),
            owner: body.owner.clone(),
            due_at: body.due_at,
            due_on: body.due_on,
            state: State::Open,
            note: None,
            late: false,
            added_at: at,
            ended_at: None,
            updated_at: at,
        };
    };
    action.updated_at = at;
    match event {
        Event::Added(_) | Event::Reminded(_) => {}
        Event::Assigned(body) => action.owner.clone_from(&body.owner),
        Event::DueChanged(body) => {
            action.due_at = body.to;
            action.due_on = body.to_on;
            action.late = false;
        }
        Event::Done(body) => end(&mut action, State::Done, body, at),
        Event::Dropped(body) => end(&mut action, State::Dropped, body, at),
        Event::Missed(_) => action.late = true,
    }
    action
}

fn end(action: &mut Action, state: State, body: &Ended, at: Timestamp) {
    action.state = state;
    action.note.clone_from(&body.note);
    action.ended_at = Some(at);
}

/// What an event opens and settles.
#[must_use]
pub fn react(action: &Action, event: &Event, version: u64, at: Timestamp) -> (Vec<Expectation>, Vec<Settle>) {
    let owner = Owner::Action(action.id);
    let settle = |standing, why| Settle { owner, key: Some(KEY_DUE.to_owned()), standing, why };
    let due = || {
        let length = Length::between(at, action.due_at);
        let mut due = Expectation::open(owner, KEY_DUE.to_owned(), Rule::ActionDue, None, format!("{owner}@{version}"), at, length);
        due.occurrence = u32::try_from(version).unwrap_or(u32::MAX);
        due
    };
    match event {
        Event::Added(_) => (vec![due()], Vec::new()),
        Event::DueChanged(_) if planted("action-date-leaves-timer") => (vec![due()], Vec::new()),
        Event::DueChanged(_) => (vec![due()], vec![settle(Standing::Void, "its date was changed")]),
        Event::Done(_) => (Vec::new(), vec![settle(Standing::Met, "it was done")]),
        Event::Dropped(_) => (Vec::new(), vec![settle(Standing::Void, "it was dropped")]),
        Event::Assigned(_) | Event::Reminded(_) | Event::Missed(_) => (Vec::new(), Vec::new()),
    }
}

/// The line for people.
#[must_use]
pub fn line(event: &Event, names: &Names<'_>) -> String {
    let who = names.who();
    match event {
        Event::Added(body) => format!("{who} added an action for {}: {}", names.by(Some(&body.owner)), body.text),
        Event::Assigned(body) => format!("An action is {}'s now", names.by(Some(&body.owner))),
        Event::DueChanged(body) => format!("{who} moved the date of an action: {}", body.why),
        Event::Done(body) => with_text(format!("{who} finished an action"), body.note.as_deref()),
        Event::Dropped(body) => with_text(format!("{who} dropped an action"), body.note.as_deref()),
        Event::Reminded(_) => "An action is due soon".into(),
        Event::Missed(_) => "An action was not done in time".into(),
    }
}
