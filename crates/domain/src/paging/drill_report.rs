//! What became of everybody whom a fire drill asked, read from the events of its page.

use jiff::Timestamp;

use super::drill::{Answer, Level};
use super::event::{Event, Reached};
use super::evolve::evolve;
use super::types::Page;
use crate::ids::{MessageId, PageId};

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
