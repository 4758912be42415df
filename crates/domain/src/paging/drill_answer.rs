//! Somebody answers a fire drill.

use super::drill::Drill;
use super::event::{AnsweredLate, Event, LevelAnswered};
use super::evolve::evolve;
use super::steps::{Context, Refusal, TOO_FEW, advance};
use super::types::{Page, Status};

/// Somebody answers a drill: their level, or one that is over.
pub(super) fn answer(
    page: &Page,
    drill: &Drill,
    by: Option<String>,
    via: String,
    context: &mut Context<'_>,
) -> Result<Vec<Event>, Refusal> {
    if page.status != Status::Running {
        return Err(Refusal::Over("the drill has ended"));
    }
    let by = by.ok_or(Refusal::NotAsked)?;
    if page.asks_no_more(&by) {
        return Ok(Vec::new());
    }
    if !page.entries.iter().any(|entry| entry.person == by) {
        let step = *drill.asked.get(&by).ok_or(Refusal::NotAsked)?;
        return Ok(vec![Event::AnsweredLate(AnsweredLate { step, by, via })]);
    }
    let so_far = u32::try_from(page.answered.len()).unwrap_or(u32::MAX).saturating_add(1);
    let event = Event::LevelAnswered(LevelAnswered { round: page.round, step: page.step, by, via, so_far, wants: page.wants });
    let page = evolve(Some(page.clone()), page.id, &event, context.now);
    let mut events = vec![event];
    if so_far >= page.wants {
        events.extend(advance(&page, page.round, page.step + 1, "the level before was answered", false, context));
    } else if !page.can_be_answered(None) {
        events.extend(advance(&page, page.round, page.step + 1, TOO_FEW, false, context));
    }
    Ok(events)
}
