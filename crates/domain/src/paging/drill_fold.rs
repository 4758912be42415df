//! What an event says of how far a fire drill has come.

use jiff::Timestamp;

use super::drill::{Answer, Drill, Level, Outcome};
use super::event::Event;
use super::types::{Page, Telling};

/// Folds what an event says of a drill, before the event is folded into the page itself.
pub(super) fn fold(page: &mut Page, event: &Event, at: Timestamp) {
    let Some(mut drill) = page.drill.take() else { return };
    match event {
        Event::StepReached(body) => {
            close(&mut drill, page, at);
            drill.asked.extend(body.people.iter().map(|reached| (reached.person.clone(), body.step)));
            drill.levels.push(Level {
                step: body.step,
                began_at: at,
                due_at: Some(crate::time::after(at, body.within)),
                over_at: None,
                outcome: None,
                asked: u32::try_from(body.people.len()).unwrap_or(u32::MAX),
                wants: body.wants,
                answers: Vec::new(),
                why: None,
            });
        }
        Event::StepEmpty(body) => {
            close(&mut drill, page, at);
            drill.levels.push(Level {
                step: body.step,
                began_at: at,
                due_at: None,
                over_at: Some(at),
                outcome: Some(if body.passed { Outcome::PassedOver } else { Outcome::Nobody }),
                asked: 0,
                wants: 0,
                answers: Vec::new(),
                why: Some(body.why.clone()),
            });
        }
        Event::LevelAnswered(body) => {
            drill.asked.remove(&body.by);
            if let Some(level) = drill.levels.last_mut() {
                level.answers.push(Answer { by: body.by.clone(), via: body.via.clone(), at, late: false });
                if body.so_far >= body.wants {
                    (level.outcome, level.over_at) = (Some(Outcome::Answered), Some(at));
                }
            }
        }
        Event::AnsweredLate(body) => {
            drill.asked.remove(&body.by);
            if let Some(level) = drill.levels.iter_mut().rev().find(|level| level.step == body.step) {
                level.answers.push(Answer { by: body.by.clone(), via: body.via.clone(), at, late: true });
            }
        }
        Event::Declined(body) => {
            drill.asked.remove(&body.by);
            if !body.stays
                && let Some(level) = drill.levels.last_mut().filter(|level| level.outcome.is_none())
            {
                (level.outcome, level.over_at) = (Some(Outcome::PassedOn), Some(at));
            }
        }
        Event::DrillEnded(body) => {
            close(&mut drill, page, at);
            drill.ended = Some(body.why.clone());
        }
        Event::Stopped(body) => {
            if let Some(level) = drill.levels.last_mut().filter(|level| level.outcome.is_none()) {
                (level.outcome, level.over_at) = (Some(Outcome::Stopped), Some(at));
            }
            drill.ended = Some(body.why.clone());
        }
        Event::Started(_)
        | Event::Told(_)
        | Event::NoticeRaised(_)
        | Event::SendAccepted(_)
        | Event::Delivered(_)
        | Event::SendDelayed(_)
        | Event::SendFailed(_)
        | Event::SendInDoubt(_)
        | Event::Acknowledged(_)
        | Event::AcknowledgedInPart(_)
        | Event::TakenBack(_)
        | Event::Exhausted(_)
        | Event::CameBack(_)
        | Event::ConfirmationAsked(_)
        | Event::Resumed(_) => {}
    }
    page.drill = Some(drill);
}

/// The level that went on is over: nobody answered, or nobody could.
fn close(drill: &mut Drill, page: &Page, at: Timestamp) {
    let Some(level) = drill.levels.last_mut().filter(|level| level.outcome.is_none()) else { return };
    let reached = page.entries.iter().any(|entry| entry.telling != Telling::Failed);
    (level.outcome, level.over_at) = (Some(if reached { Outcome::Missed } else { Outcome::Unreached }), Some(at));
}
