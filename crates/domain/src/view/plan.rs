//! What people read of the plans that run in an incident: how each stands, where it was left, and what has to hold before the
//! incident is over.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::incident::Incident;
use crate::incident::running::{Choice, LeftOut, RecoveryItem, RecoveryState, Running};
use crate::incident::work::{Task, TaskState};
use crate::org::forms::plan::Plan;
use crate::org::shipped::Shipped;

/// A plan that was started in an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = RunningPlan))]
pub struct PlanView {
    /// Its id.
    pub plan: String,
    pub name: String,
    /// The version that it said it was.
    pub version: u32,
    pub started_at: Timestamp,
    /// The rule that started it; null where somebody did.
    pub because: Option<String>,
    /// The day by which it was to be looked through, where that was over when it was started.
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>, format = Date))]
    pub overdue_since: Option<Date>,
    /// Its steps: all, and those that are done or skipped.
    pub steps: usize,
    pub through: usize,
    /// Runbooks and pages that help.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<String>,
}

/// What may be chosen in a step that is a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = StepOption))]
pub struct ChoiceView {
    pub text: String,
    /// Numbers of the tasks that are not done where it is chosen.
    pub skips: Vec<u32>,
    /// Whether it can be undone; null where the plan does not say so.
    pub reversible: Option<bool>,
}

impl ChoiceView {
    /// Of a step's option.
    #[must_use]
    pub fn of(choice: &Choice) -> Self {
        Self { text: choice.text.clone(), skips: choice.skips.clone(), reversible: choice.reversible }
    }
}

/// Where a plan was left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Deviation))]
pub struct DeviationView {
    #[cfg_attr(feature = "schema", schema(inline))]
    pub kind: DeviationKind,
    /// The number of the task; null where it is about the plan itself.
    pub task: Option<u32>,
    /// What the task says; of what was left out what that is, as in `organisation:cert`.
    pub text: String,
    pub at: Timestamp,
    /// Why, where somebody said so.
    pub why: Option<String>,
}

/// How a plan was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = DeviationKind))]
pub enum DeviationKind {
    /// A step that was not done.
    Skipped,
    /// A task that no plan has, added while one ran.
    Added,
    /// A step whose time passed while it was open.
    Late,
    /// A step that was done before one that comes before it was through.
    OutOfOrder,
    /// Something of the plan itself that could not be done.
    LeftOut,
}

impl DeviationKind {
    /// As shown.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Skipped => "skipped",
            Self::Added => "added",
            Self::Late => "late",
            Self::OutOfOrder => "out of order",
            Self::LeftOut => "left out",
        }
    }
}

/// What has to hold before an incident is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = RecoveryItem))]
pub struct RecoveryView {
    /// From 1, within its incident.
    pub item: u32,
    pub text: String,
    /// The id of the plan that asks for it.
    pub plan: String,
    #[cfg_attr(feature = "schema", schema(inline))]
    pub state: RecoveryState,
    pub ended_at: Option<Timestamp>,
    /// Who said so: a person's id.
    pub by: Option<String>,
    /// Why it was waived, or what somebody wrote to it.
    pub note: Option<String>,
}

/// A plan that fits an incident and was not started there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = ProposedPlan))]
pub struct ProposedPlanView {
    /// Its id.
    pub plan: String,
    pub name: String,
    /// The day by which it was to be looked through, where that is over.
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>, format = Date))]
    pub overdue_since: Option<Date>,
}

impl ProposedPlanView {
    /// Of a plan, at an instant.
    #[must_use]
    pub fn of(plan: &Plan, at: Timestamp) -> Self {
        Self { plan: plan.id.clone(), name: plan.called().to_owned(), overdue_since: plan.overdue_since(at) }
    }
}

/// A plan that is shipped, to be adopted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = ShippedPlan))]
pub struct ShippedPlanView {
    /// The id that it gets.
    pub plan: String,
    pub name: String,
    /// For what it is: half a sentence.
    pub purpose: String,
    /// Whether the organisation has a plan of this id.
    pub adopted: bool,
}

impl ShippedPlanView {
    /// Of a shipped plan.
    #[must_use]
    pub fn of(shipped: &Shipped, adopted: bool) -> Self {
        Self { plan: shipped.id.to_owned(), name: shipped.name.to_owned(), purpose: shipped.purpose.to_owned(), adopted }
    }
}

/// The plans that run in an incident, in the order in which they were started.
#[must_use]
pub fn plans_of(incident: &Incident) -> Vec<PlanView> {
    let view = |running: &Running| {
        let steps = || incident.work.tasks.iter().filter(|task| task.step.as_ref().is_some_and(|step| step.plan == running.plan));
        PlanView {
            plan: running.plan.clone(),
            name: running.name.clone(),
            version: running.version,
            started_at: running.started_at,
            because: running.because.clone(),
            overdue_since: running.overdue_since,
            steps: steps().count(),
            through: steps().filter(|task| task.state != TaskState::Open).count(),
            links: running.links.clone(),
        }
    };
    incident.work.plans.iter().map(view).collect()
}

/// What has to hold before an incident is over.
#[must_use]
pub fn recovery_of(incident: &Incident) -> Vec<RecoveryView> {
    let view = |item: &RecoveryItem| RecoveryView {
        item: item.item,
        text: item.text.clone(),
        plan: item.plan.clone(),
        state: item.state,
        ended_at: item.ended_at,
        by: item.by.clone(),
        note: item.note.clone(),
    };
    incident.work.recovery.iter().map(view).collect()
}

/// Where the plans of an incident were left, in the order of time.
#[must_use]
pub fn deviations_of(incident: &Incident) -> Vec<DeviationView> {
    let Some(first) = incident.work.plans.first() else { return Vec::new() };
    let left_out = |one: &LeftOut| DeviationView {
        kind: DeviationKind::LeftOut,
        task: None,
        text: one.what.clone(),
        at: one.at,
        why: Some(one.why.clone()),
    };
    let mut out: Vec<DeviationView> = incident.work.plans.iter().flat_map(|plan| &plan.left_out).map(left_out).collect();
    for task in &incident.work.tasks {
        let mut say = |kind, at: Option<Timestamp>| {
            let why = task.note.clone().filter(|_| kind != DeviationKind::Added);
            out.push(DeviationView { kind, task: Some(task.task), text: task.text.clone(), at: at.unwrap_or(task.added_at), why });
        };
        if task.step.is_none() {
            if task.origin.is_none() && task.added_at >= first.started_at && task.task > first_step(incident) {
                say(DeviationKind::Added, None);
            }
            continue;
        }
        if task.state == TaskState::Dropped {
            say(DeviationKind::Skipped, task.ended_at);
        }
        if task.late {
            say(DeviationKind::Late, task.due_at);
        }
        if is_out_of_order(incident, task) {
            say(DeviationKind::OutOfOrder, task.ended_at);
        }
    }
    out.sort_by_key(|one| (one.at, one.task));
    out
}

/// The number of the first step of the first plan: what was added at the same instant stands before it where it was there.
fn first_step(incident: &Incident) -> u32 {
    incident.work.tasks.iter().find(|task| task.step.is_some()).map_or(0, |task| task.task)
}

/// Whether it was done before one that comes before it was through.
fn is_out_of_order(incident: &Incident, task: &Task) -> bool {
    let before = task.step.iter().flat_map(|step| &step.after).filter_map(|number| incident.work.task(*number));
    let was_open = |other: &Task| other.state == TaskState::Open || other.ended_at > task.ended_at;
    task.state == TaskState::Done && before.into_iter().any(was_open)
}
