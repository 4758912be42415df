//! A page that was stopped goes on where it was: at its step, for what was left of the step's time.
//!
//! Its alerts had recovered, or were held, and burn again; or whoever acknowledged it gave it back. Whoever was told keeps what they have; what had not
//! reached anybody when it was stopped is told now, under a key of its own, since its message was withdrawn.
//! A page that had come to its end does not go on: another one starts.

use super::event::{Event, Resumed};
use super::evolve::evolve;
use super::steps::{Context, Refusal, advance, raise};
use super::types::{Page, Status, Telling};
use crate::time::Length;

/// Why a page that was stopped before it reached anybody, or after it had reached everybody, does not go on.
const NO_STEP: &str = "it was stopped at none of its steps";

pub(super) fn decide(page: &Page, because: String, context: &mut Context<'_>) -> Result<Vec<Event>, Refusal> {
    match page.status {
        // It goes on already.
        Status::Running => return Ok(Vec::new()),
        Status::Stopped => {}
        Status::Acknowledged => return Err(Refusal::Over("somebody has acknowledged it")),
        Status::Exhausted => return Err(Refusal::Over("everybody was paged")),
        Status::Told => return Err(Refusal::Over("it asked for nothing")),
    }
    go_on(page, because, context)
}

/// Whoever acknowledged it gives it back; what ended otherwise was not theirs.
pub(super) fn given_back(page: &Page, because: String, context: &mut Context<'_>) -> Result<Vec<Event>, Refusal> {
    match page.status {
        Status::Acknowledged => go_on(page, because, context),
        Status::Running => Ok(Vec::new()),
        Status::Stopped | Status::Exhausted | Status::Told => Err(Refusal::Over("nobody has acknowledged it")),
    }
}

fn go_on(page: &Page, because: String, context: &mut Context<'_>) -> Result<Vec<Event>, Refusal> {
    let (Some(due_at), Some(ended_at)) = (page.due_at, page.ended_at) else { return Err(Refusal::Over(NO_STEP)) };
    let left = Length::between(ended_at, due_at);
    let resumed =
        Event::Resumed(Resumed { round: page.round, step: page.step, left, because: because.clone(), org_version: context.org.version });
    let page = evolve(Some(page.clone()), page.id, &resumed, context.now);
    let mut events = vec![resumed];
    let hope_is_left = page.can_be_answered(None);
    if left.is_zero() || !hope_is_left {
        let why = if left.is_zero() { "the time of the step was over" } else { "nobody of the step could be reached" };
        events.extend(advance(&page, page.round, page.step + 1, why, false, context));
        return Ok(events);
    }
    let now = context.now;
    let is_due = |entry: &&super::types::Entry| entry.telling == Telling::Planned && entry.due_at.is_some_and(|at| at <= now);
    let due: Vec<(String, u32)> = page.entries.iter().filter(is_due).map(|entry| (entry.person.clone(), entry.entry)).collect();
    for (person, entry) in due {
        events.extend(raise(&page, &person, entry, &because, false, context));
    }
    Ok(events)
}
