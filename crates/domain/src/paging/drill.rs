//! A fire drill: a page that walks every level of its policy once and ends by itself.
//!
//! It goes the way of any page: the same targets are resolved at the same instant, by the same rules, with the same messages and the
//! same answers. What differs is here, and is asked for where a page decides: an answer ends its level and not the page, so that the
//! next level is proved as well; a level has its own time or a shorter one; conditions that ask how bad an incident is hold, since
//! there is none; turns of a ring are used and not taken; nobody is asked who is being paged for something real; there is one round,
//! no catch-all, and nothing comes back.
//!
//! Invariant: what is told of a drill is read from its events, and its row is their fold.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::decide::TOO_FEW;
use super::event::{AnsweredLate, DrillEnded, Event, LevelAnswered, Reached};
use super::evolve::evolve;
use super::steps::{Context, Refusal, advance};
use super::types::{Page, Status, Telling};
use crate::ids::{MessageId, PageId};
use crate::time::Length;

/// The shortest time that a level of a drill may be given: a message takes seconds, and so does finding a telephone.
pub const DRILL_WAIT_MIN: Length = Length::from_secs(10);
/// Drills that run at once in the whole house: each rings people, and several would ring the same.
pub const DRILLS_RUNNING_MAX: usize = 5;
/// Drills of one policy within [`DRILL_DAY`]: tried, put right and tried again, by day and by night.
pub const DRILLS_PER_DAY_MAX: usize = 6;
/// In this time drills of a policy are counted.
pub const DRILL_DAY: Length = Length::from_mins(24 * 60);
/// Running pages that are looked through for who is being paged for something real. With more of them nobody is drilled at all.
pub const LIVE_PAGES_MAX: usize = 2_000;

/// Why somebody is not asked.
pub const LIVE_FIRST: &str = "they are being paged for something real, which comes first";
/// Why a drill ends at its last level.
pub const EVERY_LEVEL: &str = "every level was walked";
/// Why it ends before.
const TOO_MANY_LIVE: &str = "so many pages run for something real that nobody is drilled now";

/// Who is being paged for something real.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Busy {
    pub people: BTreeSet<String>,
    /// Whether there are more pages than are looked through.
    pub too_many: bool,
}

/// Nobody is.
pub static NOBODY_BUSY: Busy = Busy { people: BTreeSet::new(), too_many: false };

/// What a drill is asked for with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// How long each level has at most; its own time, where that is shorter or nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait: Option<Length>,
    /// Who asked for it, by their id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// How far a drill has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drill {
    #[serde(flatten)]
    pub ask: Ask,
    /// Its levels so far, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<Level>,
    /// Who was asked at a level and has not answered, with the last of these levels: who answers late is known by it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub asked: BTreeMap<String, u32>,
    /// Why it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<String>,
}

/// How a level ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = DrillOutcome))]
pub enum Outcome {
    /// As many answered as have to.
    Answered,
    /// Too few did within its time.
    Missed,
    /// Somebody passed it on.
    PassedOn,
    /// No message reached anybody.
    Unreached,
    /// Nobody could be asked.
    Nobody,
    /// It does not count at this hour.
    PassedOver,
    /// The drill was stopped meanwhile.
    Stopped,
}

impl Outcome {
    /// As people read it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Missed => "missed",
            Self::PassedOn => "passed on",
            Self::Unreached => "nobody was reached",
            Self::Nobody => "nobody could be asked",
            Self::PassedOver => "passed over",
            Self::Stopped => "stopped",
        }
    }
}

/// A level of a drill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level {
    /// The step of the policy, from 1.
    pub step: u32,
    pub began_at: Timestamp,
    /// Until when it could be answered; absent where nobody was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over_at: Option<Timestamp>,
    /// Absent while it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// How many were asked.
    pub asked: u32,
    /// How many have to answer.
    pub wants: u32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<Answer>,
    /// Why nobody was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// Somebody answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    pub by: String,
    pub via: String,
    pub at: Timestamp,
    /// Whether the level was over by then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub late: bool,
}

impl Drill {
    /// One that begins.
    #[must_use]
    pub const fn new(ask: Ask) -> Self {
        Self { ask, levels: Vec::new(), asked: BTreeMap::new(), ended: None }
    }

    /// How many levels were answered in their time.
    #[must_use]
    pub fn passed(&self) -> usize {
        self.levels.iter().filter(|level| level.outcome == Some(Outcome::Answered)).count()
    }

    /// The time that a level has.
    pub(super) fn within(&self, own: Length) -> Length {
        self.ask.wait.map_or(own, |wait| wait.min(own))
    }
}

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

/// The end of a drill after its last level, or before where it may not go on.
pub(super) fn end(why: &str) -> Event {
    Event::DrillEnded(DrillEnded { why: why.to_owned() })
}

/// Why a drill may not go on to a further level now.
pub(super) fn holds_back(context: &Context<'_>) -> Option<Event> {
    context.busy.too_many.then(|| end(TOO_MANY_LIVE))
}

/// Folds what an event says of a drill. `before` is the page as it was.
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

/// A level, with what became of everybody who was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LevelReport {
    pub level: Level,
    pub people: Vec<PersonReport>,
}

/// Somebody at a level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonReport {
    pub person: String,
    /// How they came to be named.
    pub via: String,
    pub ways: Vec<WayReport>,
    pub answer: Option<Answer>,
    pub passed_on: bool,
    /// Why they were not asked.
    pub not_asked: Option<String>,
}

/// One way to somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WayReport {
    pub contact: String,
    pub channel: String,
    pub message: Option<MessageId>,
    /// When its message was made; absent where it never had its turn.
    pub sent_at: Option<Timestamp>,
    /// When its provider took it, where that says later whether it arrived.
    pub accepted_at: Option<Timestamp>,
    pub delivered_at: Option<Timestamp>,
    pub receipt: Option<String>,
    /// What went wrong, in the vendor's words.
    pub failed: Option<String>,
    pub in_doubt: bool,
}

impl WayReport {
    /// What became of it, in a line.
    #[must_use]
    pub fn words(&self) -> String {
        let doubt = if self.in_doubt { ", perhaps twice" } else { "" };
        match (&self.delivered_at, &self.failed, &self.accepted_at, &self.sent_at) {
            (Some(_), ..) => format!("delivered{doubt}"),
            (None, Some(why), ..) => format!("failed: {why}"),
            (None, None, Some(_), _) => "taken by its provider, no receipt".to_owned(),
            (None, None, None, Some(_)) => "sent, no answer of its provider".to_owned(),
            (None, None, None, None) => "not used in time".to_owned(),
        }
    }
}

/// What became of a drill, read from the events of its page; the levels are those of the fold.
#[must_use]
pub fn report(id: PageId, events: &[(Timestamp, Event)]) -> (Option<Page>, Vec<LevelReport>) {
    let mut page: Option<Page> = None;
    // Of each level its people; levels begin with an event each, in the same order as in the fold.
    let mut people: Vec<Vec<PersonReport>> = Vec::new();
    for (at, event) in events {
        page = Some(evolve(page.take(), id, event, *at));
        match event {
            Event::StepReached(body) => {
                let mut asked: Vec<PersonReport> = body.people.iter().map(|reached| asked(reached, *at)).collect();
                asked.extend(body.passed_over.iter().map(|over| not_asked(&over.person, &over.why)));
                people.push(asked);
            }
            Event::StepEmpty(_) => people.push(Vec::new()),
            Event::NoticeRaised(body) => {
                let named = people.last_mut().and_then(|level| level.iter_mut().find(|one| one.person == body.person));
                if let Some(way) = named.and_then(|one| one.ways.get_mut(body.entry as usize)) {
                    (way.message, way.sent_at) = (Some(body.message), Some(*at));
                }
            }
            Event::SendAccepted(body) => on_way(&mut people, body.message, |way| way.accepted_at = Some(*at)),
            Event::Delivered(body) => on_way(&mut people, body.message, |way| {
                (way.delivered_at, way.receipt, way.failed) = (Some(*at), Some(body.receipt.clone()), None);
            }),
            Event::SendDelayed(body) | Event::SendFailed(body) => {
                on_way(&mut people, body.message, |way| way.failed = Some(body.why.clone()).filter(|_| way.delivered_at.is_none()));
            }
            Event::SendInDoubt(body) => on_way(&mut people, body.message, |way| way.in_doubt = true),
            Event::LevelAnswered(body) => {
                let answer = Answer { by: body.by.clone(), via: body.via.clone(), at: *at, late: false };
                on_person(people.last_mut(), &body.by, |one| one.answer = Some(answer.clone()));
            }
            Event::AnsweredLate(body) => {
                let level = page
                    .as_ref()
                    .and_then(|page| page.drill.as_ref())
                    .and_then(|drill| drill.levels.iter().rposition(|level| level.step == body.step));
                let answer = Answer { by: body.by.clone(), via: body.via.clone(), at: *at, late: true };
                on_person(level.and_then(|at| people.get_mut(at)), &body.by, |one| one.answer = Some(answer.clone()));
            }
            Event::Declined(body) => on_person(people.last_mut(), &body.by, |one| one.passed_on = true),
            Event::Started(_)
            | Event::Told(_)
            | Event::Acknowledged(_)
            | Event::AcknowledgedInPart(_)
            | Event::TakenBack(_)
            | Event::Exhausted(_)
            | Event::CameBack(_)
            | Event::Stopped(_)
            | Event::DrillEnded(_)
            | Event::ConfirmationAsked(_)
            | Event::Resumed(_) => {}
        }
    }
    let levels = page.as_ref().and_then(|page| page.drill.as_ref()).map(|drill| drill.levels.clone()).unwrap_or_default();
    (page, levels.into_iter().zip(people).map(|(level, people)| LevelReport { level, people }).collect())
}

fn asked(reached: &Reached, at: Timestamp) -> PersonReport {
    let way = |planned: &super::event::PlannedEntry| WayReport {
        contact: planned.contact.clone(),
        channel: planned.channel.clone(),
        message: planned.message,
        sent_at: planned.message.map(|_| at),
        accepted_at: None,
        delivered_at: None,
        receipt: None,
        failed: None,
        in_doubt: false,
    };
    PersonReport {
        person: reached.person.clone(),
        via: reached.via.clone(),
        ways: reached.entries.iter().map(way).collect(),
        answer: None,
        passed_on: false,
        not_asked: None,
    }
}

fn not_asked(person: &str, why: &str) -> PersonReport {
    PersonReport {
        person: person.to_owned(),
        via: String::new(),
        ways: Vec::new(),
        answer: None,
        passed_on: false,
        not_asked: Some(why.to_owned()),
    }
}

fn on_way(people: &mut [Vec<PersonReport>], message: MessageId, change: impl FnOnce(&mut WayReport)) {
    let mut ways = people.iter_mut().flatten().flat_map(|one| &mut one.ways);
    if let Some(way) = ways.find(|way| way.message == Some(message)) {
        change(way);
    }
}

fn on_person(level: Option<&mut Vec<PersonReport>>, person: &str, change: impl FnOnce(&mut PersonReport)) {
    if let Some(one) = level.and_then(|level| level.iter_mut().find(|one| one.person == person && one.not_asked.is_none())) {
        change(one);
    }
}
