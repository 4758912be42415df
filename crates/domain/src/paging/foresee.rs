//! What a page would do, were it to start at an instant and nobody ever to answer: the very decisions of a page, asked one
//! after another, so that whoever asks beforehand is told what would happen and no second rule can drift from the first.

use jiff::Timestamp;

use super::condition::Facts;
use super::decide::{Command, Start, decide};
use super::drill::NOBODY_BUSY;
use super::event::Event;
use super::evolve::evolve;
use super::steps::Context;
use super::turns::Turns;
use super::types::{Page, Status};
use crate::ids::{IdGen, IncidentId, PageId};
use crate::org::snapshot::Org;
use crate::wire::NoticeIncident;

/// Steps that are looked ahead: the hundred of the longest policy, several times over. More say nothing new.
const STEPS_AHEAD_MAX: usize = 1_000;

/// The events of such a page of an incident that stays as it is, each with its instant, until it is exhausted. Its ids are made
/// up; `turns` are those that were taken so far in the steps of the policy.
#[must_use]
pub fn foresee(org: &Org, escalation: Option<&str>, facts: &Facts, turns: &Turns, start: Timestamp) -> Vec<(Timestamp, Event)> {
    let (id, mut ids, mut turns) = (PageId::from_bits(0), IdGen::new(0), turns.clone());
    let incident = NoticeIncident {
        id: IncidentId::from_bits(0),
        reference: String::new(),
        title: String::new(),
        severity: facts.severity.to_string(),
        service: facts.service.clone(),
        guest: None,
    };
    let mut command = Command::Start(Start {
        id,
        incident,
        escalation: escalation.map(str::to_owned),
        urgency: org.severity(facts.severity).notify,
        alert: None,
        because: "it is asked what would happen".to_owned(),
        late: false,
        targets: Vec::new(),
        then: Vec::new(),
        alone: false,
        request: None,
        within: None,
        drill: None,
    });
    let (mut page, mut now, mut out): (Option<Page>, _, _) = (None, start, Vec::new());
    for _ in 0..STEPS_AHEAD_MAX {
        let mut context = Context { now, org, ids: &mut ids, facts: Some(facts.clone()), turns: &turns, busy: &NOBODY_BUSY };
        let Ok(events) = decide(page.as_ref(), command, &mut context) else { break };
        for event in events {
            turns.taken(&event);
            page = Some(evolve(page.take(), id, &event, now));
            out.push((now, event));
        }
        let Some((due_at, next)) = page.as_ref().and_then(timed_out) else { break };
        (now, command) = (due_at, next);
    }
    out
}

/// Whom a running page calls next, if nobody acknowledges: the people of the first step to come that reaches somebody, by
/// the organisation as it is now, the incident as `facts` has it (as the page says, where absent), and the turns that were taken
/// in its policy. Nobody where none does any more.
#[must_use]
pub fn called_next(org: &Org, page: &Page, facts: Option<Facts>, turns: &Turns) -> Vec<String> {
    let mut ids = IdGen::new(0);
    let Some((now, command)) = timed_out(page) else { return Vec::new() };
    let Ok(events) = decide(Some(page), command, &mut Context { now, org, ids: &mut ids, facts, turns, busy: &NOBODY_BUSY }) else {
        return Vec::new();
    };
    let called = events.into_iter().find_map(|event| if let Event::StepReached(body) = event { Some(body.people) } else { None });
    called.into_iter().flatten().map(|reached| reached.person).collect()
}

/// When the step of a running page is over, and what is decided then.
fn timed_out(page: &Page) -> Option<(Timestamp, Command)> {
    let due_at = page.due_at.filter(|_| page.status == Status::Running)?;
    Some((due_at, Command::StepTimedOut { round: page.round, step: page.step, late: false }))
}
