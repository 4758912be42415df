//! Decisions about the coordination of an incident: roles, tasks, updates, corrections.

use jiff::Timestamp;

use super::command::Command;
use super::decide::{Context, NOTE_CHARS_MAX, Refusal, TITLE_CHARS_MAX, fits, words};
use super::event::{
    AlertLinked, Decided, Event, Instant, Renamed, ReviewAsked, RoleLeft, RoleOffered, RoleTaken, RoleUnfilled, TaskAdded, TaskAssigned,
    TaskEnded, TaskLate, TimeCorrected, UpdateMissed, UpdateReminded, Updated,
};
use super::lifecycle::Verb;
use super::types::{Incident, State};
use super::work::{COMMANDER, TASK_CHARS_MAX, TASKS_MAX, Task, TaskState, UPDATE_CHARS_MAX};
use crate::time::{Length, after};

/// Decides a command of this module; the others are in `decide`.
pub(super) fn coordinate(incident: &Incident, command: Command, context: Context) -> Result<Vec<Event>, Refusal> {
    let one = |event| Ok(vec![event]);
    match command {
        Command::OfferRole { role, to } => {
            fits(incident, Verb::Role)?;
            let held = incident.work.roles.get(&role);
            if held.is_some_and(|held| held.person.as_deref() == Some(&to)) {
                return Err(Refusal::HoldsItAlready { role });
            }
            if held.is_some_and(|held| held.offered_to.as_deref() == Some(&to)) {
                return Ok(Vec::new());
            }
            one(Event::RoleOffered(RoleOffered { role, to }))
        }
        Command::TakeRole { role, person } => {
            fits(incident, Verb::Role)?;
            let from = incident.work.holder(&role).map(ToOwned::to_owned);
            if from.as_deref() == Some(&person) {
                return Ok(Vec::new());
            }
            let lasts = if role == COMMANDER { context.lasts(incident.severity) } else { None };
            one(Event::RoleTaken(RoleTaken { role, person, from, lasts }))
        }
        Command::LeaveRole { role } => {
            fits(incident, Verb::Role)?;
            let Some(held) = incident.work.roles.get(&role) else { return Err(Refusal::NobodyHolds { role }) };
            let Some(person) = held.person.clone().or_else(|| held.offered_to.clone()) else {
                return Err(Refusal::NobodyHolds { role });
            };
            one(Event::RoleLeft(RoleLeft { role, person }))
        }
        Command::MissRoleAnswer { role, to } => {
            let waits = incident.work.roles.get(&role).is_some_and(|held| held.offered_to.as_deref() == Some(&to));
            if !waits || !incident.state.is_open() {
                return Ok(Vec::new());
            }
            one(Event::RoleUnanswered(RoleOffered { role, to }))
        }
        Command::MissCommander => {
            if !incident.state.is_open() || incident.commander.is_some() {
                return Ok(Vec::new());
            }
            one(Event::RoleUnfilled(RoleUnfilled { role: COMMANDER.to_owned() }))
        }
        Command::AddTask { text, owner, due_at } => add_task(incident, text, owner, due_at, context.now),
        Command::AssignTask { task, owner } => {
            let now = open_task(incident, task)?;
            if now.owner.as_deref() == Some(&owner) {
                return Ok(Vec::new());
            }
            one(Event::TaskAssigned(TaskAssigned { task, owner }))
        }
        Command::FinishTask { task, note } => {
            open_task(incident, task)?;
            one(Event::TaskDone(TaskEnded { task, note: short(note)? }))
        }
        Command::DropTask { task, note } => {
            open_task(incident, task)?;
            one(Event::TaskDropped(TaskEnded { task, note: short(note)? }))
        }
        Command::MissTask { task } => match incident.work.task(task) {
            Some(found) if found.state == TaskState::Open && !found.late && incident.state.is_open() => {
                one(Event::TaskLate(TaskLate { task, owner: found.owner.clone() }))
            }
            _ => Ok(Vec::new()),
        },
        Command::Update { audiences, text, next_within } => update(incident, audiences, text, next_within, context),
        Command::RemindUpdate { due_at } => {
            if !incident.state.is_open() {
                Ok(Vec::new())
            } else {
                one(Event::UpdateReminded(UpdateReminded { due_at }))
            }
        }
        Command::MissUpdate { due_at } => {
            if !incident.state.is_open() {
                Ok(Vec::new())
            } else {
                one(Event::UpdateMissed(UpdateMissed { due_at }))
            }
        }
        Command::Decide { text, reversible } => {
            fits(incident, Verb::Decision)?;
            words(&text, "the decision")?;
            at_most(&text, "the decision", NOTE_CHARS_MAX)?;
            one(Event::Decided(Decided { text, reversible }))
        }
        Command::CorrectTime { instant, at, why } => {
            fits(incident, Verb::Time)?;
            words(&why, "the reason")?;
            at_most(&why, "the reason", NOTE_CHARS_MAX)?;
            if at.is_some_and(|at| at > context.now) {
                return Err(Refusal::InTheFuture);
            }
            if at == of(incident, instant) {
                return Ok(Vec::new());
            }
            one(Event::TimeCorrected(TimeCorrected { instant, at, why }))
        }
        Command::LinkAlert { alert, title } => {
            fits(incident, Verb::Link)?;
            one(Event::AlertLinked(AlertLinked { alert, title }))
        }
        Command::Rename { title } => {
            fits(incident, Verb::Rename)?;
            words(&title, "the title")?;
            at_most(&title, "the title", TITLE_CHARS_MAX)?;
            if title == incident.title {
                return Ok(Vec::new());
            }
            one(Event::Renamed(Renamed { from: incident.title.clone(), to: title }))
        }
        Command::AskReview { review, due_at } => {
            fits(incident, Verb::Review)?;
            if incident.work.review.is_some() {
                return Err(Refusal::HasAReview);
            }
            one(Event::ReviewAsked(ReviewAsked { review, due_at }))
        }
        // Decided before this is called.
        Command::Propose(_)
        | Command::Declare(_)
        | Command::Promote { .. }
        | Command::Acknowledge { .. }
        | Command::AskStillOnIt { .. }
        | Command::StillOnIt { .. }
        | Command::Lose { .. }
        | Command::Escalate { .. }
        | Command::SetSeverity { .. }
        | Command::TellAlerts { .. }
        | Command::Silence(_)
        | Command::Return(_)
        | Command::Steady { .. }
        | Command::Recover
        | Command::MissConfirmation
        | Command::Mitigate { .. }
        | Command::Resolve { .. }
        | Command::Reopen { .. }
        | Command::Cancel { .. }
        | Command::Close
        | Command::Merge { .. }
        | Command::Absorb { .. }
        | Command::Note { .. }
        | Command::Restrict { .. }
        | Command::OpenUp { .. }
        | Command::Admit { .. } => Ok(Vec::new()),
    }
}

/// What an instant is now.
fn of(incident: &Incident, instant: Instant) -> Option<Timestamp> {
    match instant {
        Instant::ImpactStarted => incident.impact_started_at,
        Instant::Detected => incident.detected_at,
        Instant::Mitigated => incident.mitigated_at,
    }
}

fn add_task(
    incident: &Incident,
    text: String,
    owner: Option<String>,
    due_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<Vec<Event>, Refusal> {
    fits(incident, Verb::Task)?;
    words(&text, "the task")?;
    at_most(&text, "the task", TASK_CHARS_MAX)?;
    if incident.work.tasks.len() >= TASKS_MAX {
        return Err(Refusal::TooManyTasks { max: TASKS_MAX });
    }
    if due_at.is_some() && !incident.state.is_open() {
        // Nobody would be reminded: what is left after the end is an action.
        return Err(Refusal::AlreadyResolved);
    }
    if due_at.is_some_and(|due_at| due_at <= now) {
        return Err(Refusal::InThePast);
    }
    let task = u32::try_from(incident.work.tasks.len()).unwrap_or(u32::MAX).saturating_add(1);
    Ok(vec![Event::TaskAdded(TaskAdded { task, text, owner, due_at })])
}

fn open_task(incident: &Incident, number: u32) -> Result<&Task, Refusal> {
    fits(incident, Verb::Task)?;
    let task = incident.work.task(number).ok_or(Refusal::NoSuchTask { task: number })?;
    if task.state == TaskState::Open { Ok(task) } else { Err(Refusal::TaskEnded { task: number, state: task.state.word() }) }
}

/// What is promised next: what the writer says, else the cadence; nothing once it is over.
fn update(
    incident: &Incident,
    audiences: Vec<String>,
    text: String,
    next_within: Option<Length>,
    context: Context,
) -> Result<Vec<Event>, Refusal> {
    fits(incident, Verb::Update)?;
    // Messages about it go to those who may see it, and an audience is more than that.
    if incident.private && !audiences.is_empty() {
        return Err(Refusal::PrivateToAudiences);
    }
    words(&text, "the update")?;
    at_most(&text, "the update", UPDATE_CHARS_MAX)?;
    let works = matches!(incident.state, State::Declared | State::Investigating | State::Mitigated);
    let next_by =
        next_within.or(incident.work.update_every).filter(|length| works && !length.is_zero()).map(|length| after(context.now, length));
    let number = incident.work.updates + 1;
    Ok(vec![Event::Updated(Updated { number, audiences, text, next_by, org_version: context.org_version })])
}

fn short(note: Option<String>) -> Result<Option<String>, Refusal> {
    if let Some(note) = &note {
        at_most(note, "the note", NOTE_CHARS_MAX)?;
    }
    Ok(note.filter(|note| !note.trim().is_empty()))
}

fn at_most(text: &str, what: &'static str, max: usize) -> Result<(), Refusal> {
    if text.chars().count() > max { Err(Refusal::TooLong { what, max }) } else { Ok(()) }
}
