//! State and event to the next state: the only producer of a page's row.

use std::sync::Arc;

use jiff::Timestamp;

use super::drill::Drill;
use super::drill_fold;
use super::event::{Acknowledged, Event, PlannedEntry, Reached, Resumed, Told};
use super::types::{Entry, Page, Status, TRIES_BEFORE_A_SEND_COUNTS_AS_FAILED, Telling, Tells, is_by_message};
use crate::ids::{MessageId, PageId};
use crate::time::{Length, after};

/// Folds one event.
///
/// # Panics
/// When the first event of a stream is not `page_started`.
#[must_use]
pub fn evolve(state: Option<Page>, id: PageId, event: &Event, at: Timestamp) -> Page {
    let Some(mut page) = state else {
        if let Event::Told(body) = event {
            return told(id, body, at);
        }
        let Event::Started(body) = event else {
            panic!("the log of {id} begins with `{}`, which begins no page", event.kind());
        };
        return Page {
            id,
            incident: body.incident.clone(),
            escalation: body.escalation.clone(),
            urgency: body.urgency,
            alert: body.alert,
            because: body.because.clone(),
            status: Status::Running,
            round: 1,
            step: 0,
            catch_all: false,
            entries: Vec::new(),
            acknowledged_by: None,
            reached: None,
            started_at: at,
            ended_at: None,
            targets: body.targets.clone(),
            then: body.then.clone(),
            alone: body.alone,
            since_round: 1,
            tells: None,
            due_at: None,
            resumed: 0,
            policy: body.policy.clone().map(Arc::new),
            request: body.request,
            within: body.within,
            wants: 1,
            answered: Vec::new(),
            passed_on: Vec::new(),
            drill: body.drill.clone().map(Drill::new),
        };
    };
    drill_fold::fold(&mut page, event, at);
    match event {
        Event::AnsweredLate(_) => {}
        Event::LevelAnswered(body) => {
            page.answered.push(body.by.clone());
            forget_plans(&mut page, &body.by);
        }
        Event::DrillEnded(_) => {
            page.status = Status::Stopped;
            page.ended_at = Some(at);
            page.due_at = None;
        }
        Event::Started(_) | Event::Told(_) | Event::StepEmpty(_) | Event::SendInDoubt(_) | Event::ConfirmationAsked(_) => {}
        Event::Declined(body) if body.stays => leaves(&mut page, &body.by),
        Event::Declined(_) => {}
        Event::StepReached(body) => {
            page.round = body.round;
            page.step = body.step;
            page.catch_all = body.catch_all;
            page.entries = entries(&body.people, at);
            page.due_at = Some(after(at, body.within));
            page.wants = body.wants;
            page.passed_on.clear();
            // Each level of a drill is proved by itself.
            if page.drill.is_some() {
                page.answered.clear();
            }
        }
        Event::Resumed(body) => resumed(&mut page, body, at),
        Event::NoticeRaised(body) => {
            for entry in page.entries.iter_mut().filter(|e| e.person == body.person && e.entry == body.entry) {
                entry.message = Some(body.message);
                entry.telling = Telling::Raised;
            }
        }
        // Once: what is known to have arrived, or not to, is not waited for again where a second try is taken.
        Event::SendAccepted(body) => {
            let is_open = |entry: &&mut Entry| matches!(entry.telling, Telling::Raised | Telling::Delayed);
            for entry in page.entries.iter_mut().filter(|e| e.message == Some(body.message)).filter(is_open) {
                entry.telling = Telling::Accepted;
            }
        }
        Event::Delivered(body) => tell(&mut page, body.message, Telling::Delivered),
        Event::SendDelayed(body) => {
            // Tries go on, but the step does not wait for them any longer.
            let given_up = body.given_up || body.attempts >= TRIES_BEFORE_A_SEND_COUNTS_AS_FAILED;
            tell(&mut page, body.message, if given_up { Telling::Failed } else { Telling::Delayed });
        }
        Event::SendFailed(body) => tell(&mut page, body.message, Telling::Failed),
        Event::Acknowledged(body) => {
            page.status = Status::Acknowledged;
            page.acknowledged_by.clone_from(&body.by);
            page.reached = reached(&page, body);
            page.ended_at = Some(at);
            if page.wants > 1
                && let Some(by) = &body.by
            {
                page.answered.push(by.clone());
            }
        }
        Event::AcknowledgedInPart(body) => {
            page.answered.push(body.by.clone());
            forget_plans(&mut page, &body.by);
        }
        Event::TakenBack(body) => {
            page.answered.retain(|other| *other != body.by);
            leaves(&mut page, &body.by);
        }
        Event::Exhausted(_) => {
            page.status = Status::Exhausted;
            page.ended_at = Some(at);
            page.due_at = None;
        }
        Event::CameBack(body) => {
            page.status = Status::Running;
            page.ended_at = None;
            (page.round, page.since_round, page.step) = (body.round, body.round, 0);
            page.catch_all = false;
            page.entries.clear();
            page.wants = 1;
            page.answered.clear();
            page.passed_on.clear();
            if let Some(policy) = &body.policy {
                page.policy = Some(Arc::new(policy.clone()));
            }
        }
        Event::Stopped(_) => {
            page.status = Status::Stopped;
            if page.drill.is_some() {
                // A drill does not go on where it was stopped.
                page.due_at = None;
            }
            page.ended_at = Some(at);
        }
    }
    page
}

/// Whom a test proves to be reached: an answer by somebody else, or past the message, says nothing of its ways.
fn reached(page: &Page, body: &Acknowledged) -> Option<String> {
    let by = body.by.as_ref().filter(|_| page.alone && is_by_message(&body.via))?;
    matches!(page.targets.as_slice(), [one] if one.strip_prefix("person:") == Some(by)).then(|| by.clone())
}

/// Somebody of the present step is asked no more, and the others are.
fn leaves(page: &mut Page, person: &str) {
    if page.entries.iter().any(|entry| entry.person == person) && !page.passed_on.iter().any(|other| other == person) {
        page.passed_on.push(person.to_owned());
    }
    forget_plans(page, person);
}

/// Whoever has answered is not told by their later ways.
fn forget_plans(page: &mut Page, person: &str) {
    page.entries.retain(|entry| entry.person != person || entry.telling != Telling::Planned);
}

fn told(id: PageId, body: &Told, at: Timestamp) -> Page {
    Page {
        id,
        incident: body.incident.clone(),
        escalation: None,
        urgency: body.urgency,
        alert: None,
        because: body.because.clone(),
        status: Status::Told,
        round: 1,
        step: 1,
        catch_all: false,
        entries: entries(&body.people, at),
        acknowledged_by: None,
        reached: None,
        started_at: at,
        ended_at: Some(at),
        targets: Vec::new(),
        then: Vec::new(),
        alone: false,
        since_round: 1,
        tells: Some(Tells { kind: body.kind, text: body.text.clone() }),
        due_at: None,
        resumed: 0,
        policy: None,
        request: None,
        within: None,
        wants: 1,
        answered: Vec::new(),
        passed_on: Vec::new(),
        drill: None,
    }
}

fn entries(people: &[Reached], at: Timestamp) -> Vec<Entry> {
    let of = |reached: &Reached| {
        let person = reached.person.clone();
        let entry = move |(index, planned): (usize, &PlannedEntry)| Entry {
            person: person.clone(),
            entry: u32::try_from(index).unwrap_or(u32::MAX),
            contact: planned.contact.clone(),
            channel: planned.channel.clone(),
            message: planned.message,
            telling: if planned.message.is_some() { Telling::Raised } else { Telling::Planned },
            due_at: planned.message.is_none().then(|| after(at, planned.after)),
        };
        reached.entries.iter().enumerate().map(entry).collect::<Vec<_>>()
    };
    people.iter().flat_map(of).collect()
}

fn tell(page: &mut Page, message: MessageId, telling: Telling) {
    for entry in page.entries.iter_mut().filter(|e| e.message == Some(message)) {
        entry.telling = telling;
    }
}

/// It goes on for what was left of its step's time.
fn resumed(page: &mut Page, body: &Resumed, at: Timestamp) {
    let stood = page.ended_at.map_or(Length::ZERO, |ended| Length::between(ended, at));
    page.status = Status::Running;
    page.ended_at = None;
    if let Some(by) = page.acknowledged_by.take().filter(|_| page.wants > 1) {
        page.answered.retain(|other| *other != by);
        leaves(page, &by);
    }
    page.reached = None;
    page.due_at = Some(after(at, body.left));
    page.resumed += 1;
    // Whoever has answered is not told anew of what had not reached them.
    let answered: Vec<String> = page.answered.iter().chain(&page.passed_on).cloned().collect();
    page.entries.retain(|entry| matches!(entry.telling, Telling::Delivered | Telling::Failed) || !answered.contains(&entry.person));
    for entry in &mut page.entries {
        match entry.telling {
            Telling::Planned => entry.due_at = entry.due_at.map(|due| after(due, stood)),
            // Its message was withdrawn, or nobody knows yet what became of it.
            Telling::Raised | Telling::Delayed | Telling::Accepted => {
                (entry.telling, entry.due_at, entry.message) = (Telling::Planned, Some(at), None)
            }
            Telling::Delivered | Telling::Failed => {}
        }
    }
}
