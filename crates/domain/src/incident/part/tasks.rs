//! What is to be done about an incident, by whom, until when.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ask::{self, Ask, Asked, By, Came, Field, Given, Kind, May, Program, command};
use crate::event::event_kinds;
use crate::expect::{Key, Rule, Standing};
use crate::incident::awaited::Awaited;
use crate::incident::choices::{self, Chosen};
use crate::incident::lifecycle::{self, Verb, fits};
use crate::incident::words::{self, KEPT_CHARS_MAX, NOTE_CHARS_MAX};
use crate::incident::work::{Task, TaskState};
use crate::incident::{self as whole, Context, Decision, Incident, nothing, one};
use crate::names::{Names, with_text};
use crate::plants::planted;
use crate::time::after;

/// Open tasks of one incident at most; a longer list is nobody's plan.
pub const TASKS_MAX: usize = 200;
/// Tasks of one incident at most, those that ended with it: what is merged and taken apart leaves ended ones behind.
pub const TASKS_KEPT_MAX: usize = 2000;
/// Longest option that is given, in characters: longer than one can be is not looked for.
const OPTION_GIVEN_CHARS_MAX: usize = 200;
/// Longest text of a task, in characters.
pub const TASK_CHARS_MAX: usize = 500;

event_kinds! {
    /// A fact; past tense.
    Event {
        Added(Added) = "task_added" admits(owner),
        Assigned(Assigned) = "task_assigned" admits(owner),
        Unassigned(Assigned) = "task_unassigned",
        Changed(Changed) = "task_changed",
        Done(Ended) = "task_done",
        Dropped(Ended) = "task_dropped",
        Late(Late) = "task_late",
    }
}

/// Body of `task_added`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Added {
    /// From 1, within the incident.
    pub task: u32,
    pub text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
}

/// Body of `task_assigned`; of `task_unassigned`, with whose it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Assigned {
    pub task: u32,
    pub owner: String,
}

/// Body of `task_changed`: what is new of it, and what was there. Absent: that stays as it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Changed {
    pub task: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was_text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    /// Absent as well where it had no time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was_due_at: Option<Timestamp>,
}

/// Body of `task_done` and `task_dropped`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ended {
    pub task: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Body of `task_late`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Late {
    pub task: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

/// A command; imperative.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Something to do.
    Add { text: String, owner: Option<String>, due_at: Option<Timestamp> },
    /// Somebody else does it.
    Assign { task: u32, owner: String },
    /// Whoever does it goes, and nobody does it for now.
    Release { task: u32 },
    /// Other words, or another time.
    Change { task: u32, text: Option<String>, due_at: Option<Timestamp> },
    /// It is a decision of a plan, and this was chosen.
    Choose(Chosen),
    /// It is let to do what it does by itself; the engine makes a step that begins of it, since it knows where that goes.
    Perform { task: u32, why: Option<String> },
    /// It is done.
    Finish { task: u32, note: Option<String> },
    /// It is not to be done any more.
    Drop { task: u32, note: Option<String> },
    /// Its time has passed.
    Miss { task: u32 },
}

impl Command {
    /// Whether people ask for it as it is; the rest follows from something else.
    pub(in crate::incident) const fn is_asked(&self) -> bool {
        match self {
            Self::Add { .. } | Self::Assign { .. } | Self::Change { .. } => true,
            Self::Choose(_) | Self::Perform { .. } | Self::Finish { .. } | Self::Drop { .. } => true,
            Self::Release { .. } | Self::Miss { .. } => false,
        }
    }
}

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("there is no task {task} in this incident")]
    NoSuchTask { task: u32 },
    #[error("task {task} is {state} already")]
    Ended { task: u32, state: &'static str },
    #[error("an incident has at most {max} open tasks: finish some, or keep the plan elsewhere and link it")]
    TooMany { max: usize },
    #[error("that time has passed: give one to come")]
    InThePast,
    #[error("task {task} is a decision: choose one of its options ({options}), or skip it with a reason")]
    Undecided { task: u32, options: String },
    #[error("task {task} has no such option: give one of {options}, by its number or its words")]
    NoSuchOption { task: u32, options: String },
    #[error("task {task} is no decision: say that it is done, or why it is not")]
    NoDecision { task: u32 },
}

impl Refusal {
    /// The stable code of the API.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoSuchTask { .. } => "no_such_task",
            Self::Ended { .. } => "task_ended",
            Self::TooMany { .. } => "too_many_tasks",
            Self::InThePast => "in_the_past",
            Self::Undecided { .. } => "step_undecided",
            Self::NoSuchOption { .. } => "no_such_option",
            Self::NoDecision { .. } => "no_decision",
        }
    }
}

/// What people may ask.
pub(crate) const ASKS: &[Ask] = &[Ask {
    verb: Verb::Task,
    label: "Add a task",
    says: "What is to be done, by whom, until when",
    press: "Add it",
    body: "TaskBody",
    programs: &[
        Program::of("task add").says("Add one").places(&["text"]).lacks(&["task"]),
        Program::of("task assign").says("Give one to somebody").places(&["task", "owner"]),
        Program::of("task change").says("Other words, or another time").places(&["task"]).lacks(&["owner", "state", "option"]),
        Program::of("task choose").says("Choose an option of a step that is a decision").places(&["task", "option"]),
        Program::of("task perform").says("Let a step do what it does by itself").places(&["task"]).gives(&[("state", "perform")]),
        Program::of("task done").says("It is done").places(&["task"]).gives(&[("state", "done")]),
        Program::of("task drop").says("It is not to be done any more").places(&["task"]).gives(&[("state", "dropped")]),
    ],
    may: May::Responder,
    fields: &[
        Field::may("text", "the task", "What is to be done?", Kind::Words { max: TASK_CHARS_MAX }).hint("What is to be done"),
        Field::may("task", "the task", "Task", Kind::Task).hint("Its number, from 1"),
        Field::may("owner", "who does it", "Who", Kind::Person).hint("A person's id"),
        Field::may("due_at", "when it is due", "Until", Kind::Time).hint("Until when, as in 2026-03-01T09:00:00Z"),
        Field::may("within", "when it is due", "Within", Kind::Length).hint("Until when, from now, as in 30m"),
        Field::may("state", "how it ended", "How it ended", Kind::Choice { name: "TaskEnd", of: &["done", "dropped", "perform"] })
            .hint("How it ended; perform: let a step that does something by itself do it"),
        Field::may("option", "what is chosen", "What is chosen", Kind::Line { max: OPTION_GIVEN_CHARS_MAX })
            .hint("An option of a step that is a decision: its number, from 1, or its words"),
        Field::may("note", "the note", "Note", Kind::Words { max: NOTE_CHARS_MAX })
            .hint("How it ended, or why it was chosen or is performed, in words"),
    ],
    ways: &[
        &["text", "owner", "due_at"],
        &["text", "owner", "within"],
        &["task", "owner"],
        &["task", "text", "due_at"],
        &["task", "text", "within"],
        &["task", "state", "note"],
        &["task", "option", "note"],
    ],
    make: asked,
    came: Came::Task,
}];

/// With words one is added; with a number one is given to somebody, or ends.
fn asked(given: &Given, by: &By<'_>) -> Result<Asked, ask::Refusal> {
    let (owner, note) = (given.text("owner"), given.text("note"));
    let due_at = given.time("due_at").or_else(|| given.parsed("within").map(|length| after(by.now, length)));
    if let Some(option) = given.text("option") {
        return match (given.number("task"), given.has("text") || owner.is_some() || due_at.is_some() || given.has("state")) {
            (Some(task), false) => command(Command::Choose(Chosen { task, option, why: note, by: by.person.map(ToOwned::to_owned) })),
            _ => Err(ask::Refusal::Together(
                "give `option` with `task`, the number of a step that is a decision, and nothing but a `note`".into(),
            )),
        };
    }
    match (given.text("text"), given.number("task")) {
        (Some(text), None) => command(Command::Add { text, owner, due_at }),
        (text, Some(task)) => match (owner, given.as_text("state"), text.is_some() || due_at.is_some()) {
            (None, None, true) => command(Command::Change { task, text, due_at }),
            (Some(owner), None, false) => command(Command::Assign { task, owner }),
            (None, Some("perform"), false) => command(Command::Perform { task, why: note }),
            (None, Some("done"), false) => command(Command::Finish { task, note }),
            (None, Some(_), false) => command(Command::Drop { task, note }),
            _ => Err(ask::Refusal::Together(
                "with `task` give its new `owner`, or its new `text` and time, or its `state`: `done`, `dropped` or `perform`".into(),
            )),
        },
        (None, None) => Err(ask::Refusal::Together("give `text` to add a task, or `task`, its number, to change one".into())),
    }
}

pub(in crate::incident) fn decide(incident: &Incident, command: Command, context: Context) -> Decision {
    match command {
        Command::Add { text, owner, due_at } => add(incident, text, owner, due_at, context.now),
        Command::Assign { task, owner } => {
            let now = open_task(incident, task)?;
            if now.owner.as_deref() == Some(&owner) {
                return nothing();
            }
            one(Event::Assigned(Assigned { task, owner }))
        }
        Command::Release { task } => match open_task(incident, task)?.owner.clone() {
            Some(owner) => one(Event::Unassigned(Assigned { task, owner })),
            None => nothing(),
        },
        Command::Change { task, text, due_at } => change(incident, task, text, due_at, context.now),
        Command::Perform { task, .. } => open_task(incident, task).and_then(|_| nothing()),
        Command::Choose(chosen) => choose(incident, chosen, context.now),
        Command::Finish { task, note } => {
            let found = open_task(incident, task)?;
            if let Some(step) = found.step.as_ref().filter(|step| !step.options.is_empty()) {
                return Err(Refusal::Undecided { task, options: choices::listed(&step.options) }.into());
            }
            one(Event::Done(Ended { task, note: note_of_end(note)? }))
        }
        Command::Drop { task, note } => {
            let found = open_task(incident, task)?;
            let note = note_of_end(note)?;
            // What a plan asks for is not left out without a word.
            if found.step.is_some() && note.is_none() {
                words::needed("", "the reason why this step is skipped")?;
            }
            one(Event::Dropped(Ended { task, note }))
        }
        Command::Miss { task } => match incident.work.task(task) {
            Some(found) if found.state == TaskState::Open && !found.late && incident.state.is_open() => {
                one(Event::Late(Late { task, owner: found.owner.clone() }))
            }
            _ => nothing(),
        },
    }
}

/// An option of an open step is chosen: the decision, what it skips, and that the step is done.
fn choose(incident: &Incident, chosen: Chosen, now: Timestamp) -> Decision {
    let number = chosen.task;
    let found = open_task(incident, number)?;
    let step = found.step.as_ref().filter(|step| !step.options.is_empty()).ok_or(Refusal::NoDecision { task: number })?;
    let no_such = || Refusal::NoSuchOption { task: number, options: choices::listed(&step.options) };
    let option = choices::meant(step, &chosen.option).ok_or_else(no_such)?;
    let mut events = choices::made(incident, step, option, chosen, now)?;
    let ended = |task| Ended { task, note: Some(format!("decided: {}", option.text)) };
    let is_open = |number: &&u32| incident.work.task(**number).is_some_and(|task| task.state == TaskState::Open);
    // Before the step itself is done: what is skipped does not begin for a moment.
    let skips = if planted("choice-leaves-step") { &[] } else { option.skips.as_slice() };
    events.extend(skips.iter().filter(is_open).map(|skipped| Event::Dropped(ended(*skipped)).into()));
    events.push(Event::Done(ended(number)).into());
    Ok(events)
}

fn add(incident: &Incident, text: String, owner: Option<String>, due_at: Option<Timestamp>, now: Timestamp) -> Decision {
    fits(incident, Verb::Task)?;
    words::needed(&text, "the task")?;
    words::at_most(&text, "the task", TASK_CHARS_MAX)?;
    room_for(incident, 1)?;
    may_be_due(incident, due_at, now)?;
    let task = u32::try_from(incident.work.tasks.len()).unwrap_or(u32::MAX).saturating_add(1);
    one(Event::Added(Added { task, text, owner, due_at }))
}

/// Whether so many more find room.
pub(in crate::incident) fn room_for(incident: &Incident, more: usize) -> Result<(), Refusal> {
    let (open, all) = (incident.work.open_tasks(), incident.work.tasks.len());
    let fits = open + more <= TASKS_MAX && all + more <= TASKS_KEPT_MAX;
    if fits { Ok(()) } else { Err(Refusal::TooMany { max: TASKS_MAX }) }
}

/// A task is due while somebody would be reminded, and not before it was added.
fn may_be_due(incident: &Incident, due_at: Option<Timestamp>, now: Timestamp) -> Result<(), whole::Refusal> {
    match due_at {
        None => Ok(()),
        // What is left after the end is an action.
        Some(_) if !incident.state.is_open() => Err(lifecycle::Refusal::AlreadyResolved.into()),
        Some(due_at) if due_at <= now => Err(Refusal::InThePast.into()),
        Some(_) => Ok(()),
    }
}

/// What is as it was is not changed.
fn change(incident: &Incident, task: u32, text: Option<String>, due_at: Option<Timestamp>, now: Timestamp) -> Decision {
    let found = open_task(incident, task)?;
    if let Some(text) = &text {
        words::needed(text, "the task")?;
        words::at_most(text, "the task", TASK_CHARS_MAX)?;
    }
    let text = text.filter(|text| *text != found.text);
    let due_at = due_at.filter(|due_at| Some(*due_at) != found.due_at);
    may_be_due(incident, due_at, now)?;
    if text.is_none() && due_at.is_none() {
        return nothing();
    }
    let was_text = text.as_ref().map(|_| found.text.clone());
    one(Event::Changed(Changed { task, text, was_text, due_at, was_due_at: due_at.and(found.due_at) }))
}

pub(in crate::incident) fn open_task(incident: &Incident, number: u32) -> Result<&Task, whole::Refusal> {
    fits(incident, Verb::Task)?;
    let task = incident.work.task(number).ok_or(Refusal::NoSuchTask { task: number })?;
    if task.state == TaskState::Open { Ok(task) } else { Err(Refusal::Ended { task: number, state: task.state.word() }.into()) }
}

fn note_of_end(note: Option<String>) -> Result<Option<String>, words::Refusal> {
    Ok(words::note(note)?.filter(|note| !note.trim().is_empty()))
}

pub(in crate::incident) fn evolve(incident: &mut Incident, event: &Event, at: Timestamp) {
    let mut change = |number: u32, change: &dyn Fn(&mut Task)| {
        if let Some(task) = incident.work.task_mut(number) {
            change(task);
        }
    };
    match event {
        Event::Added(body) => incident.work.tasks.push(Task {
            task: body.task,
            text: body.text.clone(),
            owner: body.owner.clone(),
            due_at: body.due_at,
            state: TaskState::Open,
            added_at: at,
            ended_at: None,
            late: false,
            origin: None,
            step: None,
            note: None,
        }),
        Event::Assigned(body) => change(body.task, &|task| task.owner = Some(body.owner.clone())),
        Event::Unassigned(body) => change(body.task, &|task| task.owner = None),
        Event::Changed(body) => change(body.task, &|task| {
            if let Some(text) = &body.text {
                task.text.clone_from(text);
            }
            if let Some(due_at) = body.due_at {
                (task.due_at, task.late) = (Some(due_at), false);
            }
        }),
        Event::Done(body) => end(incident, body, TaskState::Done, at),
        Event::Dropped(body) => end(incident, body, TaskState::Dropped, at),
        Event::Late(body) => change(body.task, &|task| task.late = true),
    }
}

fn end(incident: &mut Incident, body: &Ended, state: TaskState, at: Timestamp) {
    if let Some(task) = incident.work.task_mut(body.task) {
        (task.state, task.ended_at) = (state, Some(at));
        // Of a step alone: why a plan was left is asked of it; of another task the log has it, as of those of earlier versions.
        task.note = body.note.as_ref().filter(|_| task.step.is_some()).map(|note| note.chars().take(KEPT_CHARS_MAX).collect());
    }
    begin_behind(incident, body.task, at);
}

/// What comes after this one and waits for nothing more has its time from now on; what somebody gave a time keeps it.
pub(in crate::incident) fn begin_behind(incident: &mut Incident, ended: u32, at: Timestamp) {
    let begins: Vec<(u32, Timestamp)> = behind(incident, ended)
        .filter(|task| task.due_at.is_none())
        .filter_map(|task| Some((task.task, after(at, task.step.as_ref()?.within?))))
        .collect();
    for (number, due_at) in begins {
        if let Some(task) = incident.work.task_mut(number) {
            task.due_at = Some(due_at);
        }
    }
}

/// The open steps that come after this one and wait for nothing more.
fn behind(incident: &Incident, ended: u32) -> impl Iterator<Item = &Task> {
    let follows = move |task: &&Task| task.step.as_ref().is_some_and(|step| step.after.contains(&ended));
    let steps = incident.work.tasks.iter().filter(|task| task.state == TaskState::Open).filter(follows);
    steps.filter(|task| incident.work.waits_for(task).next().is_none())
}

fn key(task: u32) -> String {
    Key::Task(task).to_string()
}

/// What was still to be done when it ended is awaited again.
pub(in crate::incident) fn await_again(incident: &Incident, awaited: &mut Awaited) {
    for task in incident.work.tasks.iter().filter(|task| task.state == TaskState::Open && !task.late) {
        if let Some(due_at) = task.due_at {
            awaited.open_until(&key(task.task), Rule::TaskDue, due_at);
        }
    }
}

pub(in crate::incident) fn react(incident: &Incident, event: &Event, awaited: &mut Awaited) {
    match event {
        Event::Added(body) => {
            if let Some(due_at) = body.due_at.filter(|_| incident.state.is_open()) {
                awaited.open_until(&key(body.task), Rule::TaskDue, due_at);
            }
        }
        Event::Changed(body) => {
            if let Some(due_at) = body.due_at.filter(|_| incident.state.is_open()) {
                awaited.settle(&key(body.task), Standing::Void, "it has another time");
                awaited.open_until(&key(body.task), Rule::TaskDue, due_at);
            }
        }
        Event::Done(_) if planted("task-done-leaves-timer") => {}
        Event::Done(body) => {
            awaited.settle(&key(body.task), Standing::Met, "it was done");
            await_behind(incident, body.task, awaited);
        }
        Event::Dropped(body) => {
            awaited.settle(&key(body.task), Standing::Void, "it was dropped");
            await_behind(incident, body.task, awaited);
        }
        // Its time stands, whoever does it.
        Event::Assigned(_) | Event::Unassigned(_) | Event::Late(_) => {}
    }
}

/// What has its time from now on; what has had one before is awaited already.
fn await_behind(incident: &Incident, ended: u32, awaited: &mut Awaited) {
    for task in behind(incident, ended).filter(|_| incident.state.is_open()) {
        let begins = task.step.as_ref().and_then(|step| step.within).map(|within| after(awaited.at, within));
        if let Some(due_at) = begins.filter(|begins| task.due_at == Some(*begins)) {
            awaited.settle(&key(task.task), Standing::Void, "its time begins");
            awaited.open_until(&key(task.task), Rule::TaskDue, due_at);
        }
    }
}

pub(in crate::incident) fn line(event: &Event, names: &Names<'_>) -> String {
    let who = names.who();
    match event {
        Event::Added(body) => match body.owner.as_deref() {
            None | Some("") => format!("{who} added task {}: {}", body.task, body.text),
            Some(owner) => format!("{who} added task {} for {}: {}", body.task, names.person(owner), body.text),
        },
        Event::Assigned(body) => format!("Task {} is {}'s", body.task, names.by(Some(&body.owner))),
        Event::Unassigned(body) => format!("Task {} is nobody's; it was {}'s", body.task, names.by(Some(&body.owner))),
        Event::Changed(body) => changed_line(body, names),
        Event::Done(body) => with_text(format!("{who} finished task {}", body.task), body.note.as_deref()),
        Event::Dropped(body) => with_text(format!("{who} dropped task {}", body.task), body.note.as_deref()),
        Event::Late(body) => format!("Task {} is late", body.task),
    }
}

/// What is new, and what it was.
fn changed_line(body: &Changed, names: &Names<'_>) -> String {
    let who = names.who();
    let mut news: Vec<String> = Vec::new();
    if let Some(text) = &body.text {
        news.push(format!("{text} (it was: {})", body.was_text.as_deref().unwrap_or_default()));
    }
    if let Some(due_at) = body.due_at {
        let was = body.was_due_at.map_or_else(|| "it had no time".to_owned(), |was| format!("it was due at {}", names.clock(was)));
        news.push(format!("due at {} ({was})", names.clock(due_at)));
    }
    format!("{who} changed task {}: {}", body.task, news.join("; "))
}

#[cfg(test)]
mod tests {
    use super::super::sample::Sample;
    use super::*;

    #[test]
    fn a_task_is_late_once_and_ends_once() {
        let mut sample = Sample::declared();
        let add = |due_at| Command::Add { text: "call the vendor".into(), owner: None, due_at };
        assert_eq!(sample.refusal(add(Some(sample.at))), "in_the_past");
        let due_at = after(sample.at, crate::time::Length::from_mins(5));
        assert_eq!(sample.run(add(Some(due_at))).unwrap().opened(), ["task:1"]);
        assert_eq!(sample.run(Command::Miss { task: 1 }).unwrap().kinds(), ["task_late"]);
        assert_eq!(sample.run(Command::Miss { task: 1 }).unwrap().events, []);
        let change = |text: Option<&str>, due_at| Command::Change { task: 1, text: text.map(Into::into), due_at };
        assert_eq!(sample.run(change(Some("call the vendor"), None)).unwrap().events, [], "that is what it says");
        assert_eq!(sample.refusal(change(None, Some(sample.at))), "in_the_past");
        let later = after(sample.at, crate::time::Length::from_mins(9));
        let changed = sample.run(change(Some("write to the vendor"), Some(later))).unwrap();
        assert_eq!((changed.settled(), changed.due_at("task:1")), (vec!["task:1"], Some(later)));
        assert!(!sample.incident.work.tasks[0].late, "it is not late before its new time");
        let done = sample.run(Command::Finish { task: 1, note: Some(" ".into()) }).unwrap();
        assert_eq!(done.events, [Event::Done(Ended { task: 1, note: None }).into()]);
        assert_eq!(sample.refusal(Command::Drop { task: 1, note: None }), "task_ended");
        assert_eq!(sample.refusal(Command::Drop { task: 2, note: None }), "no_such_task");
    }
}
