//! Plans that are started in an incident: its steps are tasks of the incident, its roles are needed as those of the severity
//! are, and what it asks of the end is its recovery. What runs is as it was when it was started.
//!
//! Not here: how a step is done or skipped, and when its time begins ([`super::tasks`]), what has to hold before the end
//! ([`super::recovery`]), and how whoever a plan asks for is paged (the engine).

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::ask::{Ask, Came, Field, Kind, May, Program, command};
use crate::event::event_kinds;
use crate::expect::{Key, Rule, Standing};
use crate::incident::awaited::{Awaited, KEY_UPDATE};
use crate::incident::lifecycle::{Verb, fits};
use crate::incident::running::{self, Cadence, Choice, DeedOf, RecoveryItem, RecoveryState, Running, StepOf};
use crate::incident::work::{Task, TaskState};
use crate::incident::{Context, Decision, Incident, State, nothing, one, tasks, updates};
use crate::names::Names;
use crate::org::forms::plan::{Plan, PlanAsk, PlanTask};
use crate::org::forms::plan_choice::PlanOption;
use crate::org::words::meant;
use crate::time::{Length, after};

event_kinds! {
    /// A fact; past tense.
    Event {
        Intended(Intended) = "plan_intended",
        Started(Started) = "plan_started" [Key],
        LeftOut(LeftOut) = "plan_left_out" [Key],
    }
}

/// Body of `plan_intended`: it starts once the candidate is declared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Intended {
    pub plan: String,
    /// By which rule.
    pub because: String,
}

/// Body of `plan_started`: all of the plan as it was then.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Started {
    pub plan: String,
    pub name: String,
    pub version: u32,
    /// The rule that started it; absent where somebody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
    /// The day by which it was to be looked through, where that was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overdue_since: Option<Date>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// Who is asked for help, and which organisations take part from then on, as targets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub involve: Vec<String>,
    /// What other organisations are asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ask: Vec<Wanted>,
    /// Ids of the obligations that are proposed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub obligations: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub updates: Vec<Cadence>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recovery: Vec<Asked>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<String>,
    /// Version of the organisation that it was read from.
    pub org_version: u64,
}

/// A step, as a task of the incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    pub task: u32,
    /// Its id in the plan.
    pub step: String,
    pub text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Its time, from when everything before it is through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Length>,
    /// Numbers of the tasks that come before it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<u32>,
    /// Where it comes after nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// What is decided here, where it is a decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<Choice>,
    /// What it does by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deed: Option<Deed>,
}

/// What a step does by itself: the rest of it is the plan's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Deed {
    /// The server that it goes to.
    pub host: String,
    /// The template of what is sent.
    pub body: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_itself: bool,
}

/// What another organisation is asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Wanted {
    pub organisation: String,
    pub text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Length>,
}

/// Body of `plan_left_out`: what a plan could not do, and goes on without.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LeftOut {
    pub plan: String,
    /// What people call the plan.
    pub name: String,
    /// `organisation:cert`, `obligation:gdpr`.
    pub what: String,
    pub why: String,
}

/// What has to hold before it is over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    /// From 1, within the incident.
    pub item: u32,
    pub text: String,
}

/// A command; imperative.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// It starts, once.
    Start {
        /// Its id.
        plan: String,
        /// The rule that says so; nothing where a person does.
        because: Option<String>,
    },
    /// It starts once the candidate is declared.
    Intend { plan: String, because: String },
    /// It goes on without something that it could not do.
    LeaveOut { plan: String, what: String, why: String },
}

impl Command {
    /// Whether people ask for it as it is; the rest follows from something else.
    pub(in crate::incident) const fn is_asked(&self) -> bool {
        match self {
            Self::Start { because, .. } => because.is_none(),
            Self::Intend { .. } | Self::LeaveOut { .. } => false,
        }
    }
}

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("there is no plan `{plan}`: {hint}")]
    NoSuchPlan { plan: String, hint: String },
    #[error("the plan {0} was started here already")]
    StartedAlready(String),
}

impl Refusal {
    /// The stable code of the API.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoSuchPlan { .. } => "no_such_plan",
            Self::StartedAlready(_) => "plan_started",
        }
    }
}

/// Characters of a plan's id that a refusal repeats: as long as an id may be.
const SHOWN_CHARS_MAX: usize = 64;

/// What people may ask.
pub(crate) const ASKS: &[Ask] = &[Ask {
    verb: Verb::Plan,
    label: "Start a plan",
    says: "Starts a response plan: its tasks, the roles that it needs, whom it asks for help, and what it proposes",
    press: "Start it",
    body: "PlanBody",
    programs: &[Program::of("plan").places(&["plan"])],
    may: May::Responder,
    fields: &[Field::needed("plan", "the plan", "Which plan?", Kind::Plan).hint("A plan's id")],
    ways: &[],
    make: |given, _| command(Command::Start { plan: given.must("plan"), because: None }),
    came: Came::Plan,
}];

pub(in crate::incident) fn decide(incident: &Incident, command: Command, context: Context) -> Decision {
    match command {
        Command::Start { plan, because } => start(incident, &plan, because, context),
        Command::Intend { plan, because } if incident.state == State::Candidate => one(Event::Intended(Intended { plan, because })),
        Command::Intend { .. } => nothing(),
        Command::LeaveOut { plan, what, why } => match incident.work.plans.iter().find(|running| running.plan == plan) {
            Some(running) => one(Event::LeftOut(LeftOut { name: running.name.clone(), plan, what, why })),
            None => nothing(),
        },
    }
}

fn start(incident: &Incident, id: &str, because: Option<String>, context: Context) -> Decision {
    fits(incident, Verb::Plan)?;
    let Some(plan) = context.plans.iter().find(|plan| plan.id == id) else {
        let hint = if context.plans.is_empty() {
            "none is set up, which administrators do in the settings".to_owned()
        } else {
            meant(id, context.plans.iter().map(|plan| plan.id.as_str()))
        };
        return Err(Refusal::NoSuchPlan { plan: id.chars().take(SHOWN_CHARS_MAX).collect(), hint }.into());
    };
    if incident.work.plans.iter().any(|running| running.plan == plan.id) {
        return Err(Refusal::StartedAlready(plan.called().to_owned()).into());
    }
    tasks::room_for(incident, plan.tasks.len())?;
    one(Event::Started(started(incident, plan, because, context)))
}

/// The plan as it is now, with the numbers that its steps have here.
fn started(incident: &Incident, plan: &Plan, because: Option<String>, context: Context) -> Started {
    let number = |before: usize, at: usize| u32::try_from(before + at).unwrap_or(u32::MAX).saturating_add(1);
    let (tasks, next_item) = (incident.work.tasks.len(), incident.work.next_item());
    let place = |id: &String| plan.tasks.iter().position(|task| task.id == *id);
    let choice = |option: &PlanOption| Choice {
        text: option.text.clone(),
        skips: option.skips.iter().filter_map(place).map(|at| number(tasks, at)).collect(),
        reversible: option.reversible,
    };
    let wanted = |ask: &PlanAsk| Wanted { organisation: ask.organisation.clone(), text: ask.text.clone(), within: ask.within };
    let step = |(at, task): (usize, &PlanTask)| {
        let before: Vec<u32> = task.after.iter().filter_map(place).map(|at| number(tasks, at)).collect();
        Step {
            task: number(tasks, at),
            step: task.id.clone(),
            text: task.text.clone(),
            owner: task.person.clone(),
            role: task.role.clone(),
            within: task.within,
            due_at: task.within.filter(|_| before.is_empty()).map(|within| after(context.now, within)),
            after: before,
            link: task.link.clone(),
            question: task.question.clone(),
            options: task.options.iter().map(choice).collect(),
            deed: task.deed.as_ref().map(|deed| Deed {
                host: deed.host().to_owned(),
                body: deed.template().to_owned(),
                by_itself: deed.by_itself,
            }),
        }
    };
    Started {
        plan: plan.id.clone(),
        name: plan.called().to_owned(),
        version: plan.numbered(),
        because,
        overdue_since: plan.overdue_since(context.now),
        steps: plan.tasks.iter().enumerate().map(step).collect(),
        roles: plan.roles.clone(),
        involve: plan.involve.clone(),
        ask: plan.ask.iter().map(wanted).collect(),
        obligations: plan.obligations.clone(),
        updates: plan.updates.iter().map(|one| Cadence { audience: one.audience.clone(), every: one.every }).collect(),
        recovery: (next_item..).zip(&plan.recovery).map(|(item, text)| Asked { item, text: text.clone() }).collect(),
        links: plan.links.clone(),
        org_version: context.org_version,
    }
}

pub(in crate::incident) fn evolve(incident: &mut Incident, event: &Event, at: Timestamp) {
    match event {
        Event::Intended(body) => incident.work.intended.push((body.plan.clone(), body.because.clone())),
        Event::Started(body) => {
            incident.work.intended.retain(|(plan, _)| *plan != body.plan);
            incident.work.tasks.extend(body.steps.iter().map(|step| task_of(body, step, at)));
            incident.work.recovery.extend(body.recovery.iter().map(|asked| RecoveryItem {
                item: asked.item,
                plan: body.plan.clone(),
                text: asked.text.clone(),
                state: RecoveryState::Open,
                ended_at: None,
                by: None,
                note: None,
                origin: None,
            }));
            incident.work.plans.push(Running {
                plan: body.plan.clone(),
                name: body.name.clone(),
                version: body.version,
                started_at: at,
                because: body.because.clone(),
                overdue_since: body.overdue_since,
                roles: body.roles.clone(),
                updates: body.updates.clone(),
                links: body.links.clone(),
                left_out: Vec::new(),
            });
        }
        Event::LeftOut(body) => {
            if let Some(running) = incident.work.plans.iter_mut().find(|running| running.plan == body.plan) {
                running.left_out.push(running::LeftOut { what: body.what.clone(), why: body.why.clone(), at });
            }
        }
    }
}

fn task_of(body: &Started, step: &Step, at: Timestamp) -> Task {
    Task {
        task: step.task,
        text: step.text.clone(),
        owner: step.owner.clone(),
        due_at: step.due_at,
        state: TaskState::Open,
        added_at: at,
        ended_at: None,
        late: false,
        origin: None,
        step: Some(StepOf {
            plan: body.plan.clone(),
            step: step.step.clone(),
            role: step.role.clone(),
            within: step.within,
            after: step.after.clone(),
            link: step.link.clone(),
            question: step.question.clone(),
            options: step.options.clone(),
            deed: step.deed.as_ref().map(|deed| DeedOf {
                host: deed.host.clone(),
                body: deed.body.clone(),
                by_itself: deed.by_itself,
                last: None,
            }),
        }),
        note: None,
    }
}

pub(in crate::incident) fn react(incident: &Incident, event: &Event, awaited: &mut Awaited) {
    let Event::Started(body) = event else { return };
    for (task, due_at) in body.steps.iter().filter_map(|step| Some((step.task, step.due_at?))) {
        awaited.open_until(&Key::Task(task).to_string(), Rule::TaskDue, due_at);
    }
    // Where its severity asks for updates, one is awaited already: what was promised stands, and the next comes sooner.
    let is_worked_on = matches!(incident.state, State::Investigating | State::Mitigated);
    if is_worked_on && incident.work.update_every.is_none() && !body.updates.is_empty() {
        awaited.settle(KEY_UPDATE, Standing::Void, "a plan asks for updates");
        updates::await_next(incident.work.cadence(), awaited);
    }
}

pub(in crate::incident) fn line(event: &Event, names: &Names<'_>) -> String {
    match event {
        Event::Intended(body) => format!("The plan {} starts once it is declared ({})", body.plan, body.because),
        Event::Started(body) => {
            let how = match &body.because {
                Some(because) => format!("The plan {} (version {}) started by {because}", body.name, body.version),
                None => format!("{} started the plan {} (version {})", names.who(), body.name, body.version),
            };
            let steps = match body.steps.len() {
                0 => String::new(),
                1 => ": 1 task".to_owned(),
                many => format!(": {many} tasks"),
            };
            let overdue = body.overdue_since.map_or_else(String::new, |day| format!(". It was to be looked through by {day}"));
            format!("{how}{steps}{overdue}")
        }
        Event::LeftOut(body) => format!("The plan {} goes on without {}: {}", body.name, body.what, body.why),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::Sample;
    use super::*;
    use crate::incident::{ending, recovery};

    fn start(plan: &str) -> Command {
        Command::Start { plan: plan.into(), because: None }
    }

    fn finish(task: u32) -> tasks::Command {
        tasks::Command::Finish { task, note: None }
    }

    #[test]
    fn a_step_has_its_time_from_when_everything_before_it_is_done_or_skipped() {
        let mut sample = Sample::declared().after(tasks::Command::Add { text: "own".into(), owner: None, due_at: None });
        let started = sample.run(start("outage")).unwrap();
        assert_eq!((started.kinds(), started.opened()), (vec!["plan_started"], vec!["task:2"]), "the others wait");
        let told: Vec<(u32, Vec<u32>)> =
            sample.incident.work.tasks.iter().map(|task| (task.task, sample.incident.work.waits_for(task).collect())).collect();
        assert_eq!(told, [(1, vec![]), (2, vec![]), (3, vec![2]), (4, vec![2, 3])]);
        assert_eq!(sample.run(finish(2)).unwrap().opened(), ["task:3"]);
        sample.at = after(sample.at, Length::from_mins(3));
        let skipped = sample.run(tasks::Command::Drop { task: 3, note: Some("none there".into()) }).unwrap();
        assert_eq!(skipped.due_at("task:4"), Some(after(sample.at, Length::from_mins(5))));
        assert_eq!(sample.incident.work.task(3).unwrap().note.as_deref(), Some("none there"));
    }

    #[test]
    fn a_step_that_somebody_gave_a_time_keeps_it_and_one_after_two_begins_once() {
        let mut sample = Sample::declared().after(start("outage"));
        let own = after(sample.at, Length::from_mins(90));
        sample.run(tasks::Command::Change { task: 2, text: None, due_at: Some(own) }).unwrap();
        assert_eq!(sample.run(finish(1)).unwrap().opened(), [""; 0], "it has a time, and is awaited by it");
        assert_eq!(sample.incident.work.task(2).unwrap().due_at, Some(own));
        assert_eq!(sample.run(finish(2)).unwrap().opened(), ["task:3"]);
        // Out of its order it is done all the same.
        let mut early = Sample::declared().after(start("outage"));
        assert_eq!(early.run(finish(3)).unwrap().settled(), ["task:3"]);
        assert_eq!(early.run(finish(1)).unwrap().opened(), ["task:2"], "what is done does not begin");
    }

    #[test]
    fn a_plan_starts_once_and_another_may_join() {
        let mut sample = Sample::declared().after(start("outage"));
        assert_eq!(sample.refusal(start("outage")), "plan_started");
        assert_eq!(sample.refusal(start("outrage")), "no_such_plan");
        let second = sample.run(start("breach")).unwrap();
        assert_eq!(second.opened(), ["task:4"], "its steps come after those that there are");
        assert_eq!(sample.incident.work.recovery.iter().map(|item| item.item).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(sample.incident.work.cadence(), Some(Length::from_mins(15)), "the shortest counts");
        let waive = ending::Command::Resolve { note: None, waive: Some("the world ends".into()) };
        let mut over = sample.after(waive);
        assert_eq!(over.refusal(start("other")), "already_resolved");
    }

    #[test]
    fn a_reopening_awaits_what_was_begun_and_asks_for_its_recovery_again() {
        let mut sample = Sample::declared().after(start("outage"));
        for item in [1, 2] {
            sample.run(recovery::Command::Confirm { item, note: None }).unwrap();
        }
        let resolve = ending::Command::Resolve { note: None, waive: None };
        assert_eq!(sample.run(resolve.clone()).unwrap().kinds(), ["resolved"]);
        // A task may still be ticked off; what follows begins, and is awaited once it is open again.
        assert_eq!(sample.run(finish(1)).unwrap().opened(), [""; 0]);
        let reopened = sample.run(ending::Command::Reopen { why: "it is back".into() }).unwrap();
        assert!(reopened.opened().contains(&"task:2") && !reopened.opened().contains(&"task:3"), "{:?}", reopened.opened());
        assert_eq!(sample.refusal(resolve), "recovery_open");
    }
}
