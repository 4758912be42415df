//! What steps of plans do by themselves: begun by a person or once everything before the step is done, sent once at a time, and what was
//! answered. An answer that says yes is the end of the step; one that says no leaves it open, to be done by hand, to be tried
//! again, or to be skipped.
//!
//! Not here: what a plan says of it and how its body is made ([`crate::org::forms::plan_deed`]), and how it is carried, tried
//! again and given up (the engine's outbox).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::tasks::{self, Ended};
use crate::access::Actor;
use crate::event::{Mode, event_kinds};
use crate::ids::MessageId;
use crate::incident::lifecycle;
use crate::incident::running::{DeedOf, DeedRun, DeedState, StepOf};
use crate::incident::words::{self, KEPT_CHARS_MAX};
use crate::incident::work::{Task, TaskState};
use crate::incident::{Decision, Incident, nothing, one};
use crate::names::{Names, with_text};
use crate::org::forms::plan_deed::rendered;
use crate::time::{Length, after};

/// Most characters that are kept of what was answered: enough for a number of a job, or for why not.
pub const ANSWER_CHARS_MAX: usize = 500;
/// Why a step that was to be done by itself could not be begun.
const GONE: &str = "the plan does not say any more where it is sent";

event_kinds! {
    /// A fact; past tense.
    Event {
        Begun(Begun) = "step_begun",
        Answered(Answered) = "step_answered",
        Failed(Failed) = "step_failed",
        Withdrawn(Withdrawn) = "step_withdrawn",
    }
}

/// Body of `step_begun`: what is sent, and to whom.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Begun {
    pub task: u32,
    /// From 1: how often it was begun.
    pub run: u32,
    /// Under which it is sent, however often.
    pub message: MessageId,
    /// The server; the address and its secret are the plan's.
    pub host: String,
    /// The body, but for the address of the incident.
    pub body: String,
    /// Whether nobody pressed it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_itself: bool,
    /// Why, where whoever pressed it said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// Body of `step_answered`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answered {
    pub task: u32,
    pub run: u32,
    /// `HTTP 200`
    pub status: String,
    /// The beginning of what it said, cleaned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// How often it was tried.
    pub attempts: u32,
}

/// Body of `step_failed`: it was refused, or given up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failed {
    pub task: u32,
    pub run: u32,
    pub why: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    pub attempts: u32,
}

/// Body of `step_withdrawn`: what has not gone out does not go out any more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Withdrawn {
    pub task: u32,
    pub run: u32,
    pub why: String,
}

/// A command; imperative.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// It is sent under this id.
    Begin {
        task: u32,
        message: MessageId,
        /// The server; absent where the plan has it no more.
        host: Option<String>,
        by_itself: bool,
        why: Option<String>,
    },
    /// What went out under this id was answered with a yes.
    Answer { message: MessageId, status: String, answer: Option<String>, attempts: u32 },
    /// It was refused, or given up.
    Fail { message: MessageId, why: String, answer: Option<String>, attempts: u32 },
    /// Nobody waits for it any more.
    Withdraw { task: u32, why: String },
}

impl Command {
    /// Whether people ask for it as it is; the rest follows from something else.
    pub(in crate::incident) const fn is_asked(&self) -> bool {
        match self {
            Self::Begin { .. } | Self::Answer { .. } | Self::Fail { .. } | Self::Withdraw { .. } => false,
        }
    }
}

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("task {task} does nothing by itself: do it, and say that it is done")]
    NoDeed { task: u32 },
    #[error("task {task} is under way: wait for its answer, or say that it is done or skipped")]
    UnderWay { task: u32 },
    #[error("task {task} comes after {after}: let that be done or skipped first")]
    Waits { task: u32, after: String },
    #[error("the plan does not say any more where task {task} is sent: do it by hand, and say that it is done")]
    Gone { task: u32 },
}

impl Refusal {
    /// The stable code of the API.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoDeed { .. } => "no_deed",
            Self::UnderWay { .. } => "step_under_way",
            Self::Waits { .. } => "step_waits",
            Self::Gone { .. } => "deed_gone",
        }
    }
}

/// So long a request that was on its way when nobody waited for it any more may still arrive, and no other is sent: more than three
/// times what a receiver has to answer.
pub const WITHDRAWN_MAY_ARRIVE: Length = Length::from_secs(30);

/// The steps that are done by themselves, may begin, and were never begun. Of what is over or only practised there are none. What comes
/// after something that was skipped waits for somebody to press it: whoever skipped a check may have meant to stop.
#[must_use]
pub fn due(incident: &Incident) -> Vec<u32> {
    if !incident.state.is_open() || incident.mode != Mode::Live {
        return Vec::new();
    }
    let is_due = |task: &&Task| {
        let deed = task.step.as_ref().and_then(|step| step.deed.as_ref());
        let fresh = deed.is_some_and(|deed| deed.by_itself && deed.last.is_none());
        let is_done = |number: &u32| incident.work.task(*number).is_none_or(|before| before.state == TaskState::Done);
        fresh && task.state == TaskState::Open && task.step.iter().flat_map(|step| &step.after).all(is_done)
    };
    incident.work.tasks.iter().filter(is_due).map(|task| task.task).collect()
}

/// The steps that are under way.
pub fn under_way(incident: &Incident) -> impl Iterator<Item = u32> {
    let is_under_way = |task: &&Task| last_of(task).is_some_and(|last| last.state == DeedState::UnderWay);
    incident.work.tasks.iter().filter(is_under_way).map(|task| task.task)
}

/// Whether what goes out under this id is still waited for.
#[must_use]
pub fn is_wanted(incident: &Incident, message: MessageId) -> bool {
    run_of(incident, message).is_some_and(|(_, last)| last.state == DeedState::UnderWay)
}

/// Who pressed it last, where a person did.
#[must_use]
pub fn pressed_by(task: &Task) -> Option<&str> {
    last_of(task)?.by.as_deref()
}

/// The server that was asked to do it and has not been heard of, and since when. What was answered or refused is known.
pub(super) fn unheard(task: &Task) -> Option<(&str, Timestamp)> {
    last_of(task).filter(|last| last.state.is_unanswered()).map(|last| (last.host.as_str(), last.begun_at))
}

fn last_of(task: &Task) -> Option<&DeedRun> {
    task.step.as_ref()?.deed.as_ref()?.last.as_ref()
}

fn run_of(incident: &Incident, message: MessageId) -> Option<(&Task, &DeedRun)> {
    incident.work.tasks.iter().filter_map(|task| Some((task, last_of(task)?))).find(|(_, last)| last.message == Some(message))
}

/// What a step sends in this incident, but for the incident's address.
#[must_use]
pub fn body_of(incident: &Incident, task: &Task) -> Option<String> {
    let step = task.step.as_ref()?;
    let plan = incident.work.plans.iter().find(|running| running.plan == step.plan).map_or(step.plan.as_str(), |running| &running.name);
    let value = |name: &str| {
        Some(match name {
            "reference" => incident.reference.clone(),
            "title" => incident.title.clone(),
            "severity" => incident.severity.word().to_owned(),
            "service" => incident.service.clone().unwrap_or_default(),
            "task" => task.text.clone(),
            "plan" => plan.to_owned(),
            _ => return None,
        })
    };
    Some(rendered(&step.deed.as_ref()?.body, value))
}

pub(in crate::incident) fn decide(incident: &Incident, command: Command, now: Timestamp) -> Decision {
    match command {
        Command::Begin { task, message, host, by_itself, why } => {
            let (found, deed) = may_begin(incident, task, now)?;
            let run = deed.last.as_ref().map_or(0, |last| last.run).saturating_add(1);
            let why = words::note(why)?.filter(|why| !why.trim().is_empty());
            match host {
                Some(host) => {
                    let body = body_of(incident, found).unwrap_or_default();
                    one(Event::Begun(Begun { task, run, message, host, body, by_itself, why }))
                }
                None if by_itself => one(Event::Failed(Failed { task, run, why: GONE.to_owned(), answer: None, attempts: 0 })),
                None => Err(Refusal::Gone { task }.into()),
            }
        }
        Command::Answer { message, status, answer, attempts } => {
            let Some((task, last)) = run_of(incident, message).filter(|(_, last)| last.state.is_unanswered()) else { return nothing() };
            let note = with_text(status.clone(), answer.as_deref());
            let mut events = vec![Event::Answered(Answered { task: task.task, run: last.run, status, answer, attempts }).into()];
            // Of what somebody did by hand meanwhile the answer is written down, and no more.
            if last.state == DeedState::UnderWay && task.state == TaskState::Open {
                events.push(tasks::Event::Done(Ended { task: task.task, note: Some(note) }).into());
            }
            Ok(events)
        }
        Command::Fail { message, why, answer, attempts } => {
            match run_of(incident, message).filter(|(_, last)| last.state.is_unanswered()) {
                Some((task, last)) => one(Event::Failed(Failed { task: task.task, run: last.run, why, answer, attempts })),
                None => nothing(),
            }
        }
        Command::Withdraw { task, why } => match incident.work.task(task).and_then(last_of) {
            Some(last) if last.state == DeedState::UnderWay => one(Event::Withdrawn(Withdrawn { task, run: last.run, why })),
            _ => nothing(),
        },
    }
}

/// It is open, its turn has come, it does something, and nothing of it is under way.
fn may_begin(incident: &Incident, task: u32, now: Timestamp) -> Result<(&Task, &DeedOf), crate::incident::Refusal> {
    let found = tasks::open_task(incident, task)?;
    let deed = found.step.as_ref().and_then(|step: &StepOf| step.deed.as_ref()).ok_or(Refusal::NoDeed { task })?;
    if !incident.state.is_open() {
        return Err(lifecycle::Refusal::AlreadyResolved.into());
    }
    let may_arrive = |last: &DeedRun| last.ended_at.is_none_or(|at| now < after(at, WITHDRAWN_MAY_ARRIVE));
    let is_under_way = |last: &DeedRun| match last.state {
        DeedState::UnderWay => true,
        DeedState::Withdrawn => may_arrive(last),
        DeedState::Answered | DeedState::Failed => false,
    };
    if deed.last.as_ref().is_some_and(is_under_way) {
        return Err(Refusal::UnderWay { task }.into());
    }
    let before: Vec<String> = incident.work.waits_for(found).map(|number| number.to_string()).collect();
    if before.is_empty() { Ok((found, deed)) } else { Err(Refusal::Waits { task, after: before.join(", ") }.into()) }
}

pub(in crate::incident) fn evolve(incident: &mut Incident, event: &Event, actor: &Actor, at: Timestamp) {
    let pressed_by = if let Actor::Person(person) = actor { Some(person) } else { None };
    let mut change = |task: u32, change: &dyn Fn(&mut DeedOf)| {
        if let Some(deed) = incident.work.task_mut(task).and_then(|task| task.step.as_mut()?.deed.as_mut()) {
            change(deed);
        }
    };
    match event {
        Event::Begun(body) => change(body.task, &|deed| {
            deed.last = Some(DeedRun {
                run: body.run,
                message: Some(body.message),
                host: body.host.clone(),
                state: DeedState::UnderWay,
                begun_at: at,
                ended_at: None,
                said: None,
                answer: None,
                by: pressed_by.filter(|_| !body.by_itself).cloned(),
            });
        }),
        Event::Answered(body) => {
            change(body.task, &|deed| end(deed, DeedState::Answered, Some(&body.status), body.answer.as_ref(), (body.run, at)));
        }
        Event::Failed(body) => {
            change(body.task, &|deed| end(deed, DeedState::Failed, Some(&body.why), body.answer.as_ref(), (body.run, at)));
        }
        Event::Withdrawn(body) => {
            change(body.task, &|deed| end(deed, DeedState::Withdrawn, Some(&body.why), None, (body.run, at)));
        }
    }
}

fn end(deed: &mut DeedOf, state: DeedState, said: Option<&String>, answer: Option<&String>, (run, at): (u32, Timestamp)) {
    // One that could not be begun has never been under way.
    let mut last = deed.last.take().filter(|last| last.run == run).unwrap_or_else(|| DeedRun {
        run,
        message: None,
        host: deed.host.clone(),
        state,
        begun_at: at,
        ended_at: None,
        said: None,
        answer: None,
        by: None,
    });
    let kept = |text: &String| text.chars().take(KEPT_CHARS_MAX).collect();
    (last.state, last.ended_at, last.said, last.answer) = (state, Some(at), said.map(kept), answer.map(kept));
    deed.last = Some(last);
}

pub(in crate::incident) fn line(event: &Event, names: &Names<'_>) -> String {
    let again = |run: u32| if run > 1 { " again" } else { "" };
    match event {
        Event::Begun(body) if body.by_itself => {
            format!("Step {} is done by itself{}: a request to {}", body.task, again(body.run), body.host)
        }
        Event::Begun(body) => {
            let done = format!("{} lets step {} be done{} by a request to {}", names.who(), body.task, again(body.run), body.host);
            with_text(done, body.why.as_deref())
        }
        Event::Answered(body) => with_text(format!("Step {} was answered with {}", body.task, body.status), body.answer.as_deref()),
        Event::Failed(body) => with_text(format!("Step {} failed: {}", body.task, body.why), body.answer.as_deref()),
        Event::Withdrawn(body) => {
            format!("Step {} is not sent again: {}. A request that was on its way may arrive all the same", body.task, body.why)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::Sample;
    use super::*;
    use crate::incident::{ending, plans};

    fn begun() -> Sample {
        Sample::declared().after(plans::Command::Start { plan: "machine".into(), because: None })
    }
    fn id(bits: u128) -> MessageId {
        MessageId::from_bits(bits)
    }
    fn begin(task: u32, bits: u128) -> Command {
        Command::Begin { task, message: id(bits), host: Some("h.example".into()), by_itself: false, why: None }
    }
    fn yes(bits: u128) -> Command {
        Command::Answer { message: id(bits), status: "HTTP 200".into(), answer: Some("job 7".into()), attempts: 1 }
    }
    fn no(bits: u128) -> Command {
        Command::Fail { message: id(bits), why: "HTTP 400".into(), answer: None, attempts: 1 }
    }

    #[test]
    fn a_yes_ends_the_step_and_what_comes_after_it_is_due() {
        let mut sample = begun();
        assert_eq!(due(&sample.incident), [1], "the other waits for it");
        let went = sample.run(begin(1, 7)).unwrap();
        let [crate::incident::Event::Deeds(Event::Begun(body))] = &went.events[..] else { panic!("{went:?}") };
        assert_eq!(body.body, r#"{"t":"Checkout is slow","p":"machine"}"#);
        assert_eq!(due(&sample.incident), [0_u32; 0]);
        assert_eq!(sample.refusal(begin(1, 8)), "step_under_way", "once at a time");
        assert_eq!(sample.refusal(begin(2, 8)), "step_waits");
        assert_eq!(sample.run(yes(7)).unwrap().kinds(), ["step_answered", "task_done"]);
        assert_eq!(sample.incident.work.task(1).unwrap().note.as_deref(), Some("HTTP 200: job 7"));
        assert_eq!(sample.run(yes(7)).unwrap().kinds(), [""; 0], "heard once");
        assert_eq!((due(&sample.incident), sample.refusal(begin(1, 8))), (vec![], "task_ended"), "the second is pressed");
        assert_eq!(sample.refusal(begin(3, 8)), "no_deed");
        assert_eq!(sample.run(begin(2, 8)).unwrap().kinds(), ["step_begun"]);
    }

    #[test]
    fn what_comes_after_something_skipped_or_a_reopening_is_pressed() {
        let skipped = || tasks::Command::Drop { task: 1, note: Some("unsafe, stop here".into()) };
        let mut sample = Sample::declared().after(plans::Command::Start { plan: "alone".into(), because: None });
        assert_eq!(due(&sample.incident), [0_u32; 0], "it waits");
        sample.run(skipped()).unwrap();
        assert_eq!(due(&sample.incident), [0_u32; 0], "whoever skipped the check may have meant to stop");
        assert_eq!(sample.run(begin(2, 8)).unwrap().kinds(), ["step_begun"]);
        let mut done = Sample::declared().after(plans::Command::Start { plan: "alone".into(), because: None });
        done.run(tasks::Command::Finish { task: 1, note: None }).unwrap();
        assert_eq!(due(&done.incident), [2]);
    }

    #[test]
    fn a_no_leaves_the_step_open_to_be_tried_again() {
        let mut sample = begun();
        sample.run(begin(1, 7)).unwrap();
        assert_eq!(sample.run(no(7)).unwrap().kinds(), ["step_failed"]);
        assert_eq!((sample.incident.work.task(1).unwrap().state, due(&sample.incident)), (TaskState::Open, vec![]), "by a person alone");
        assert_eq!(sample.run(begin(1, 9)).unwrap().kinds(), ["step_begun"]);
        assert_eq!(sample.run(no(7)).unwrap().kinds(), [""; 0], "of the one before nothing is heard any more");
        assert_eq!(sample.run(yes(9)).unwrap().kinds(), ["step_answered", "task_done"]);
    }

    #[test]
    fn done_by_hand_meanwhile_its_answer_is_only_written_down() {
        let mut sample = begun();
        sample.run(begin(1, 7)).unwrap();
        sample.run(tasks::Command::Finish { task: 1, note: None }).unwrap();
        let withdraw = || Command::Withdraw { task: 1, why: "it was done by hand".into() };
        assert_eq!(sample.run(withdraw()).unwrap().kinds(), ["step_withdrawn"]);
        assert_eq!((sample.run(withdraw()).unwrap().kinds(), is_wanted(&sample.incident, id(7))), (vec![], false));
        assert_eq!(sample.run(yes(7)).unwrap().kinds(), ["step_answered"]);
        assert_eq!(sample.incident.work.task(1).unwrap().note, None);
    }

    #[test]
    fn of_what_is_over_or_practised_nothing_is_sent() {
        let mut sample = begun();
        sample.run(begin(1, 7)).unwrap();
        assert_eq!(under_way(&sample.incident).collect::<Vec<_>>(), [1]);
        sample.run(ending::Command::Resolve { note: None, waive: None }).unwrap();
        sample.run(Command::Withdraw { task: 1, why: "it is over".into() }).unwrap();
        assert_eq!(sample.refusal(begin(1, 8)), "already_resolved");
        sample.run(ending::Command::Reopen { why: "it is back".into() }).unwrap();
        assert_eq!(sample.refusal(begin(1, 8)), "step_under_way", "what was on its way may arrive still");
        sample.at = after(sample.at, WITHDRAWN_MAY_ARRIVE);
        assert_eq!(sample.run(begin(1, 8)).unwrap().kinds(), ["step_begun"], "by a person again");
        let mut practised = begun();
        practised.incident.mode = Mode::Exercise;
        assert_eq!((due(&practised.incident), practised.refusal(begin(1, 7))), (vec![], "is_a_test"));
    }

    #[test]
    fn what_the_plan_has_no_more_is_told() {
        let gone = |by_itself| Command::Begin { task: 1, message: id(7), host: None, by_itself, why: None };
        let mut sample = begun();
        assert_eq!(sample.refusal(gone(false)), "deed_gone");
        assert_eq!(sample.run(gone(true)).unwrap().kinds(), ["step_failed"]);
        assert_eq!(due(&sample.incident), [0_u32; 0], "told once");
    }

    #[test]
    fn who_pressed_it_is_known_and_of_what_is_done_by_itself_nobody() {
        let mut sample = begun();
        let by_itself = Command::Begin { task: 1, message: id(7), host: Some("h.example".into()), by_itself: true, why: None };
        sample.run(by_itself).unwrap();
        let pressed = |sample: &Sample| pressed_by(sample.incident.work.task(1).unwrap()).map(ToOwned::to_owned);
        assert_eq!(pressed(&sample), None);
        sample.run(no(7)).unwrap();
        sample.run(begin(1, 8)).unwrap();
        sample.run(no(8)).unwrap();
        assert_eq!(pressed(&sample).as_deref(), Some("ana"), "also once it has failed");
    }
}
