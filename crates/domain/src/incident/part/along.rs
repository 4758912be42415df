//! What goes along where an incident is merged into another, and what is not awaited any more since it does not.
//!
//! Open tasks, what has to hold before the end, and what a regulator is owed go along. What another organisation was asked for, and when a decision is
//! looked at again, stays with the one that was merged: the logs of both say so, and it is awaited again where the merge is
//! taken apart.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::deeds;
use crate::incident::Incident;
use crate::incident::obliged::{Obligation, ObligationState};
use crate::incident::partners::Request;
use crate::incident::running::{RecoveryItem, ServiceBack};
use crate::incident::work::{DecisionMade, Task, TaskState};
use crate::names::Names;
use crate::plants::planted;
use crate::time::after;

/// What goes along, by its numbers where it comes from, and what does not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Along {
    /// Open tasks. A step of a plan that waited for another has its time from now on.
    pub tasks: Vec<Task>,
    /// Open items of recovery, each text once.
    pub recovery: Vec<RecoveryItem>,
    /// Services that are not wholly back, of which nothing is said in the other.
    pub restored: Vec<ServiceBack>,
    /// Whether somebody outside reported it.
    pub reported: bool,
    /// What a regulator is owed or may be; of what nobody decided yet each rule once.
    pub obligations: Vec<Obligation>,
    /// What is not awaited any more.
    pub ended: Unawaited,
}

/// What a merge ends: nobody awaits it there, nor in the other.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Unawaited {
    /// What other organisations were asked for and have not answered.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub requests: Vec<UnawaitedRequest>,
    /// What was wanted from elsewhere and has not arrived, by its numbers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<u32>,
    /// Decisions that were to be looked at again, by their numbers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<u32>,
}

/// A request by its number, and whom it went to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnawaitedRequest {
    pub request: u32,
    pub organisation: String,
}

impl Along {
    /// What goes with an incident that is merged into another at an instant.
    #[must_use]
    pub fn of(merged: &Incident, into: &Incident, now: Timestamp) -> Self {
        let open = |task: &&Task| task.state == TaskState::Open;
        let of_plan = |task: &Task| task.step.as_ref().map(|step| (step.plan.clone(), step.step.clone()));
        let there: BTreeSet<_> = into.work.tasks.iter().filter(open).filter_map(of_plan).collect();
        let goes = |task: &&Task| of_plan(task).is_none_or(|step| !there.contains(&step));
        let timed = |task: &Task| Task { due_at: due_with_it(task, now), text: text_with_it(task, &merged.reference), ..task.clone() };
        let mut texts: BTreeSet<&str> = into.work.open_recovery().map(|item| item.text.as_str()).collect();
        let there_too = |one: &Obligation| into.work.obligations.iter().any(|other| other.form == one.form && other.state.is_open());
        let owed = |one: &&Obligation| one.state == ObligationState::Applies || !there_too(one);
        let again = |made: &DecisionMade| made.stands && made.review_at.is_some();
        let request = |asked: &Request| UnawaitedRequest { request: asked.request, organisation: asked.organisation.clone() };
        Self {
            tasks: merged.work.tasks.iter().filter(open).filter(goes).map(timed).collect(),
            recovery: merged.work.open_recovery().filter(|item| texts.insert(&item.text)).cloned().collect(),
            restored: merged
                .work
                .not_back()
                .filter(|one| !into.work.restored.iter().any(|other| other.service == one.service))
                .cloned()
                .collect(),
            reported: merged.is_reported(),
            obligations: if planted("obligation-stays-with-merged") {
                Vec::new()
            } else {
                merged.work.open_obligations().filter(owed).cloned().collect()
            },
            ended: Unawaited {
                requests: merged.work.partners.open_requests(None).map(request).collect(),
                resources: merged.work.resources.iter().filter(|one| one.state.is_awaited()).map(|one| one.resource).collect(),
                decisions: merged.work.decisions.iter().filter(|made| again(made)).map(|made| made.decision).collect(),
            },
        }
    }
}

/// Until when a task is due in the incident that it goes to: nothing comes before a step there, so that its time begins.
pub(in crate::incident) fn due_with_it(task: &Task, merged_at: Timestamp) -> Option<Timestamp> {
    task.due_at.or_else(|| Some(after(merged_at, task.step.as_ref()?.within?)))
}

/// Before what is said of a task whose step was under way.
const SENT: &str = " (a request to ";

/// What a task is called in the incident that it goes to: what its step had sent may have been done, and its answer comes to the log of
/// the one that was merged, so that nobody does it again unknowingly.
fn text_with_it(task: &Task, merged: &str) -> String {
    let Some((host, at)) = deeds::unheard(task) else { return task.text.clone() };
    let at = at.strftime("%Y-%m-%d %H:%M UTC");
    format!("{}{SENT}{host} was begun at {at} and may have arrived: its answer stands in the log of {merged})", task.text)
}

/// Whether a task is called there as it was when it went.
pub(super) fn is_called_so(there: &Task, task: &Task) -> bool {
    there.text.strip_prefix(&task.text).is_some_and(|more| more.is_empty() || (task.step.is_some() && more.starts_with(SENT)))
}

impl Unawaited {
    /// Whether nothing is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// `; not awaited any more: request 1 to National CERT, and whether decision 2 stands: ask again in INC-2`. `of` is whose
    /// they were and `again` where they are asked again, in words.
    pub(in crate::incident) fn words(&self, of: &str, again: &str, names: &Names<'_>) -> String {
        if self.is_empty() {
            return String::new();
        }
        let request = |one: &UnawaitedRequest| format!("request {} to {}", one.request, names.organisation(&one.organisation));
        let decision = |number: &u32| format!("whether decision {number} stands");
        let resource = |number: &u32| format!("resource {number}");
        let what: Vec<String> = self
            .requests
            .iter()
            .map(request)
            .chain(self.resources.iter().map(resource))
            .chain(self.decisions.iter().map(decision))
            .collect();
        format!("; not awaited any more{of}: {}. Ask again {again}", what.join(", "))
    }
}

/// What went along: tasks, what has to hold before the end, what a regulator is owed, and a promise.
pub(super) fn words(tasks: &[u32], recovery: &[u32], obligations: &[u32], update_by: Option<Timestamp>, names: &Names<'_>) -> String {
    let tasks = if tasks.is_empty() { String::new() } else { format!("; with {}", numbered(tasks)) };
    let recovery = if recovery.is_empty() { String::new() } else { format!("; with {}", items(recovery)) };
    let update = update_by.map_or_else(String::new, |due_at| format!("; the next update is due by {}", names.clock(due_at)));
    let owed = if obligations.is_empty() { String::new() } else { format!("; with {}", obligations_of(obligations)) };
    tasks + &recovery + &owed + &update
}

/// `task 1`, `tasks 1 and 3`.
fn numbered(tasks: &[u32]) -> String {
    format!("{} {}", if tasks.len() == 1 { "task" } else { "tasks" }, listed(tasks))
}

/// `item 1 of recovery`, `items 1 and 3 of recovery`.
pub(super) fn items(numbers: &[u32]) -> String {
    format!("{} {} of recovery", if numbers.len() == 1 { "item" } else { "items" }, listed(numbers))
}

/// `obligation 1`, `obligations 1 and 3`.
pub(super) fn obligations_of(numbers: &[u32]) -> String {
    format!("{} {}", if numbers.len() == 1 { "obligation" } else { "obligations" }, listed(numbers))
}

fn listed(numbers: &[u32]) -> String {
    numbers.iter().map(u32::to_string).collect::<Vec<_>>().join(" and ")
}

/// What went back where a merge is taken apart, and what did not.
pub(super) fn apart(alerts: u64, tasks: &[u32], stayed: &[u32], stays: &str) -> String {
    let alerts = if alerts == 1 { "one alert".to_owned() } else { format!("{alerts} alerts") };
    let tasks = if tasks.is_empty() { String::new() } else { format!(" and {}", numbered(tasks)) };
    let stayed = if stayed.is_empty() { String::new() } else { format!("; {} {stays}", numbered(stayed)) };
    format!("{alerts}{tasks}{stayed}")
}

#[cfg(test)]
mod tests {
    use super::super::sample::Sample;
    use super::*;
    use crate::ids::{IncidentId, MessageId};
    use crate::incident::links::{self, Back};
    use crate::incident::{decisions, ending, plans, recovery, tasks};
    use crate::time::Length;

    fn plan(plan: &str) -> plans::Command {
        plans::Command::Start { plan: plan.into(), because: None }
    }

    fn other() -> Sample {
        let mut into = Sample::declared();
        into.incident.id = IncidentId::from_bits(2);
        into
    }

    fn merge(from: &mut Sample, into: &mut Sample) {
        let along = Along::of(&from.incident, &into.incident, from.at);
        let absorb =
            links::Command::Absorb { from: from.incident.id, from_ref: "INC-1".into(), along: along.clone(), update_by: None, said: false };
        let merge = links::Command::Merge {
            into: into.incident.id,
            into_ref: "INC-2".into(),
            alerts: Vec::new(),
            update_by: None,
            was_public: false,
            along,
        };
        from.run(merge).unwrap();
        into.run(absorb).unwrap();
    }

    fn take_apart(from: &mut Sample, into: &mut Sample) {
        let back = Back::of(&from.incident, &into.incident);
        from.run(links::Command::TakeApart { into_ref: "INC-2".into(), back: back.clone() }).unwrap();
        into.run(links::Command::Release { from: from.incident.id, from_ref: "INC-1".into(), back }).unwrap();
    }

    fn texts(of: &Sample) -> Vec<(u32, &str)> {
        of.incident.work.open_recovery().map(|item| (item.item, item.text.as_str())).collect()
    }

    #[test]
    fn what_has_to_hold_before_the_end_goes_along_once_each_and_back() {
        let mut from = Sample::declared().after(plan("outage")).after(plan("breach"));
        from.run(recovery::Command::Confirm { item: 2, note: None }).unwrap();
        let mut into = other().after(plan("breach"));
        merge(&mut from, &mut into);
        assert_eq!(texts(&into), [(1, "Nobody is in"), (2, "Errors are normal")]);
        let resolve = || ending::Command::Resolve { note: None, waive: None };
        into.run(recovery::Command::Confirm { item: 1, note: None }).unwrap();
        assert_eq!(into.refusal(resolve()), "recovery_open", "the guard of the merged one stands");
        take_apart(&mut from, &mut into);
        assert_eq!((texts(&from), texts(&into)), (vec![(1, "Errors are normal"), (3, "Nobody is in")], vec![]));
        assert_eq!(into.run(resolve()).unwrap().kinds(), ["resolved"]);
        // Once more: it goes, and one that was said to hold there stays there and is open here again.
        let mut into = other();
        merge(&mut from, &mut into);
        into.run(recovery::Command::Confirm { item: 1, note: None }).unwrap();
        take_apart(&mut from, &mut into);
        assert_eq!(into.incident.work.recovery.iter().map(|item| item.item).collect::<Vec<_>>(), [1]);
        assert_eq!(texts(&from).len(), 2);
    }

    #[test]
    fn a_step_that_waited_has_its_time_from_the_merge_and_none_is_there_twice() {
        let mut from = Sample::declared().after(plan("outage"));
        let mut into = other();
        merge(&mut from, &mut into);
        let due: Vec<_> = into.incident.work.tasks.iter().map(|task| task.due_at).collect();
        let within = |minutes| Some(after(from.at, Length::from_mins(minutes)));
        assert_eq!(due, [within(10), within(20), within(5)]);
        take_apart(&mut from, &mut into);
        assert_eq!((into.incident.work.open_tasks(), from.incident.work.open_tasks()), (0, 3), "as they went, and so they come back");
        assert_eq!(from.incident.work.task(2).unwrap().due_at, None, "it waits again");

        let mut into = other().after(plan("outage"));
        into.run(tasks::Command::Finish { task: 1, note: None }).unwrap();
        merge(&mut from, &mut into);
        let open: Vec<&str> =
            into.incident.work.tasks.iter().filter(|task| task.state == TaskState::Open).map(|task| task.text.as_str()).collect();
        assert_eq!(open, ["Fail over", "Check", "Say what is affected"], "one was done there: it goes along");
        take_apart(&mut from, &mut into);
        assert_eq!((into.incident.work.open_tasks(), from.incident.work.open_tasks()), (2, 3));
    }

    #[test]
    fn what_is_not_awaited_any_more_is_said_and_awaited_again_where_it_is_taken_apart() {
        let mut from = Sample::declared();
        let review_at = Some(after(from.at, Length::from_mins(30)));
        let decide = decisions::Decide { text: "fail over".into(), review_at, ..decisions::Decide::default() };
        from.run(decisions::Command::Decide(decide)).unwrap();
        let mut into = other();
        let along = Along::of(&from.incident, &into.incident, from.at);
        assert_eq!(along.ended, Unawaited { decisions: vec![1], ..Unawaited::default() });
        merge(&mut from, &mut into);
        let back = Back::of(&from.incident, &into.incident);
        let apart = from.run(links::Command::TakeApart { into_ref: "INC-2".into(), back }).unwrap();
        assert!(apart.opened().contains(&"decision:1"), "{:?}", apart.opened());
    }

    #[test]
    fn a_step_that_was_sent_says_so_where_it_goes_and_comes_back_as_it_was() {
        let mut from = Sample::declared().after(plan("machine"));
        let message = MessageId::from_bits(7);
        let begin = deeds::Command::Begin { task: 1, message, host: Some("h.example".into()), by_itself: false, why: None };
        from.run(begin).unwrap();
        let own: Vec<String> = from.incident.work.tasks.iter().map(|task| task.text.clone()).collect();
        let mut into = other();
        merge(&mut from, &mut into);
        let there: Vec<&str> = into.incident.work.tasks.iter().map(|task| task.text.as_str()).collect();
        assert!(there[0].starts_with(&format!("{} (a request to h.example was begun at ", own[0])), "{there:?}");
        assert!(there[0].ends_with(&format!("in the log of {})", from.incident.reference)), "{there:?}");
        assert_eq!(there[1..], own[1..], "what was not begun is called as it was");
        take_apart(&mut from, &mut into);
        assert_eq!((into.incident.work.open_tasks(), from.incident.work.open_tasks()), (0, own.len()));
        assert_eq!(from.incident.work.task(1).unwrap().text, own[0]);
    }
}
