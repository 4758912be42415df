//! What belongs to an incident: another one that was merged, an alert, its review.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ask::{self, Ask, Asked, Came, Field, Kind, May, Program};
use crate::event::event_kinds;
use crate::expect::{ATTEND_WITHIN, CANDIDATE_WITHIN, Key, Rule, Standing};
use crate::ids::{AlertId, IncidentId, ReviewId};
use crate::incident::along::{self, Along, Unawaited};
use crate::incident::awaited::{Awaited, KEY_ATTENDED, KEY_CANDIDATE, KEY_UPDATE};
use crate::incident::clock::WaitingFor;
use crate::incident::lifecycle::{Verb, fits};
use crate::incident::obliged::{Obligation, ObligationState};
use crate::incident::running::{RecoveryItem, RecoveryState, ServiceBack};
use crate::incident::tasks;
use crate::incident::work::{Hold, Merge, Origin, Task, TaskState};
use crate::incident::{Context, Decision, Incident, State, ending, obligations, one};
use crate::names::Names;
use crate::time::{Length, after};

event_kinds! {
    /// A fact; past tense.
    Event {
        Merged(Merged) = "merged" [Key, Ends],
        Absorbed(Absorbed) = "absorbed" [Key],
        TakenApart(TakenApart) = "taken_apart" [Key],
        Released(Released) = "released" [Key],
        AlertLinked(AlertLinked) = "alert_linked",
        ReviewAsked(ReviewAsked) = "review_asked" [Follows],
    }
}

/// How long a merge can be taken apart: what was a slip shows within a day, and what is worked on for longer as one is one.
pub const TAKE_APART_WITHIN: Length = Length::from_mins(24 * 60);
/// Alerts that a merge remembers by their ids, the newest; a storm has more, and those stay where they went.
pub const MERGED_ALERTS_MAX: usize = 1000;

/// Body of `merged`: into which, and what went with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Merged {
    pub incident: IncidentId,
    #[serde(rename = "ref")]
    pub reference: String,
    /// What it was; absent in what earlier versions wrote, which cannot be taken apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// Its open tasks, by their numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<u32>,
    /// Its alerts, at most [`MERGED_ALERTS_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alerts: Vec<AlertId>,
    /// Its promise of an update, where that was nearer than the other's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update_by: Option<Timestamp>,
    /// Whether everybody saw it until then: it was made private for this alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub was_public: bool,
    /// Its open items of recovery that went along, by their numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recovery: Vec<u32>,
    /// What a regulator is owed, by its numbers here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub obligations: Vec<u32>,
    /// What is not awaited any more.
    #[serde(default, skip_serializing_if = "Unawaited::is_empty")]
    pub ended: Unawaited,
}

/// Body of `absorbed`: which, and what came with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Absorbed {
    pub incident: IncidentId,
    #[serde(rename = "ref")]
    pub reference: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<Carried>,
    /// When the next update is due, where the other had promised one sooner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update_by: Option<Timestamp>,
    /// Whether the other stands on what somebody said.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub said: bool,
    /// What has to hold before the end as well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recovery: Vec<CarriedItem>,
    /// Services of the other that are not wholly back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub restored: Vec<ServiceBack>,
    /// Whether somebody outside reported the other.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reported: bool,
    /// What a regulator is owed, with its numbers here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub obligations: Vec<Obligation>,
    /// What is not awaited of the other any more, by its numbers there.
    #[serde(default, skip_serializing_if = "Unawaited::is_empty")]
    pub ended: Unawaited,
}

/// An item of recovery that came from another incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CarriedItem {
    /// Its number here.
    pub item: u32,
    /// The plan that asks for it, by its id.
    pub plan: String,
    pub text: String,
}

/// A task that came from another incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Carried {
    /// Its number here.
    pub task: u32,
    /// Its number there.
    pub was: u32,
    pub text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub late: bool,
}

/// Body of `taken_apart`: what came back from the incident that it was merged into, and what stayed there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TakenApart {
    pub incident: IncidentId,
    #[serde(rename = "ref")]
    pub reference: String,
    /// How many alerts came back.
    #[serde(default)]
    pub alerts: u64,
    /// Tasks that came back as they went, by their numbers here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<u32>,
    /// Tasks that were done, dropped or changed there, and stay there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stayed: Vec<u32>,
    /// For whom work waited when it was merged, as it does again: its clocks stay paused. Never in what earlier versions wrote,
    /// whose clocks ran from here on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<WaitingFor>,
    /// What a regulator is owed, with its numbers here, as it stood there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub obligations: Vec<Obligation>,
}

/// Body of `released`: what went back to the incident that was merged into this.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Released {
    pub incident: IncidentId,
    #[serde(rename = "ref")]
    pub reference: String,
    #[serde(default)]
    pub alerts: u64,
    /// Tasks that went back, by their numbers here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<u32>,
    /// Tasks that stay here, since they were done, dropped or changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stayed: Vec<u32>,
    /// Items of recovery that went back, by their numbers here: nobody had said of them that they hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recovery: Vec<u32>,
    /// What a regulator is owed, by its numbers here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub obligations: Vec<u32>,
}

/// Body of `alert_linked`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlertLinked {
    pub alert: AlertId,
    pub title: String,
}

/// Body of `review_asked`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReviewAsked {
    pub review: ReviewId,
    pub due_at: Timestamp,
}

/// A command; imperative.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// `into` has it now, with these alerts, and with a promise of an update where that is nearer than its own.
    /// `was_public`: it is private for this alone.
    Merge { into: IncidentId, into_ref: String, alerts: Vec<AlertId>, update_by: Option<Timestamp>, was_public: bool, along: Along },
    /// The other side of a merge.
    Absorb { from: IncidentId, from_ref: String, along: Along, update_by: Option<Timestamp>, said: bool },
    /// The merge was none: it is an incident of its own again.
    TakeApart { into_ref: String, back: Back },
    /// The other side of that.
    Release { from: IncidentId, from_ref: String, back: Back },
    /// An open alert belongs to this.
    LinkAlert { alert: AlertId, title: String },
    /// A review is to be written.
    AskReview { review: ReviewId, due_at: Timestamp },
}

impl Command {
    /// Whether people ask for it as it is; the rest follows from something else.
    pub(in crate::incident) const fn is_asked(&self) -> bool {
        match self {
            Self::Merge { .. }
            | Self::Absorb { .. }
            | Self::TakeApart { .. }
            | Self::Release { .. }
            | Self::LinkAlert { .. }
            | Self::AskReview { .. } => false,
        }
    }
}

/// What comes back where a merge is taken apart.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Back {
    pub alerts: u64,
    /// As they went: the number where they came from, and the one where they went.
    pub tasks: Vec<(u32, u32)>,
    /// Ended or changed since; as above.
    pub stayed: Vec<(u32, u32)>,
    /// Items of recovery that are open still, by their numbers where they went.
    pub recovery: Vec<u32>,
    /// What a regulator is owed, as it stands where it went; its origin says its number where it came from.
    pub obligations: Vec<Obligation>,
}

impl Back {
    /// The tasks that went with a merge, by what became of them since.
    #[must_use]
    pub fn of(merged: &Incident, into: &Incident) -> Self {
        let came = into.work.open_recovery().filter(|item| item.origin == Some(merged.id));
        let is_its = |one: &&Obligation| one.origin.is_some_and(|(origin, _)| origin == merged.id);
        let obligations = into.work.obligations.iter().filter(is_its).cloned().collect();
        let mut back = Self { recovery: came.map(|item| item.item).collect(), obligations, ..Self::default() };
        let went = merged.work.merge.as_ref().map_or(&[][..], |merge| &merge.tasks);
        for task in went.iter().filter_map(|number| merged.work.task(*number)) {
            let is_it = |other: &&Task| other.origin == Some(Origin { incident: merged.id, task: task.task });
            // What was merged, taken apart and merged again stands there twice: the last is what went this time.
            let Some(there) = into.work.tasks.iter().rev().find(is_it) else { continue };
            // It was added there when this was merged. Before steps had their time from then, one that waited went without.
            let is_due_so = there.due_at == task.due_at || there.due_at == along::due_with_it(task, there.added_at);
            let is_as_it_went =
                there.state == TaskState::Open && is_due_so && along::is_called_so(there, task) && there.owner == task.owner;
            let pair = (task.task, there.task);
            if is_as_it_went { back.tasks.push(pair) } else { back.stayed.push(pair) }
        }
        back
    }
}

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("an incident cannot be merged into itself")]
    MergeIntoItself,
    #[error("a test or an exercise and a real incident are never one: choose an incident of the same kind")]
    AcrossModes,
    #[error("it was merged more than {most} ago, and what went with it is worked on there: declare a new one, or link its alerts")]
    MergedTooLongAgo { most: Length },
    #[error("an earlier version merged it and did not keep what went with it: declare a new one, or link its alerts")]
    MergeNotKept,
    #[error("{into} was merged itself: take that apart first")]
    IntoWasMerged { into: String },
    #[error("this incident has a review already")]
    HasAReview,
}

impl Refusal {
    /// The stable code of the API.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::MergeIntoItself => "merge_into_itself",
            Self::AcrossModes => "across_modes",
            Self::MergedTooLongAgo { .. } => "merged_too_long_ago",
            Self::MergeNotKept => "merge_not_kept",
            Self::IntoWasMerged { .. } => "into_was_merged",
            Self::HasAReview => "has_a_review",
        }
    }
}

/// What people may ask.
pub(crate) const ASKS: &[Ask] = &[
    Ask {
        verb: Verb::Merge,
        label: "Merge into another",
        says: "Another incident has it",
        press: "Merge into it",
        body: "MergeBody",
        programs: &[Program::of("merge")],
        may: May::Responder,
        fields: &[
            Field::needed("into", "the other incident", "Into which incident?", Kind::Incident).hint("Into which: INC-142, or the id")
        ],
        ways: &[],
        make: |given, _| Ok(Asked::Merge { into: given.must("into") }),
        came: Came::Itself,
    },
    Ask {
        verb: Verb::TakeApart,
        label: "Take apart",
        says: "The merge was none: within a day it is an incident of its own again",
        press: "Take apart",
        body: "TakeApartBody",
        programs: &[Program::of("take-apart")],
        may: May::Responder,
        fields: &[],
        ways: &[],
        make: |_, _| Ok(Asked::TakeApart),
        came: Came::Itself,
    },
    Ask {
        verb: Verb::Link,
        label: "Link an alert",
        says: "An open alert belongs to an incident",
        press: "Link",
        body: "LinkBody",
        programs: &[Program::of("link").places(&["alert"])],
        may: May::Responder,
        fields: &[Field::needed("alert", "the alert", "Alert", Kind::Alert).hint("An open alert's id")],
        ways: &[],
        make: |given, _| given.parsed("alert").map(|alert| Asked::LinkAlert { alert }).ok_or(ask::Refusal::NoSuchAlert),
        came: Came::Itself,
    },
    Ask {
        verb: Verb::Review,
        label: "Ask for a review",
        says: "Asks for a review where the severity asks for none",
        press: "Ask for a review",
        body: "ReviewBody",
        programs: &[Program::of("review ask").says("Ask for one where the severity asks for none")],
        may: May::Responder,
        fields: &[],
        ways: &[],
        make: |_, _| Ok(Asked::AskReview),
        came: Came::Itself,
    },
];

pub(in crate::incident) fn decide(incident: &Incident, command: Command, context: Context) -> Decision {
    match command {
        Command::Merge { into, into_ref, alerts, update_by, was_public, along } => {
            fits(incident, Verb::Merge)?;
            if into == incident.id {
                return Err(Refusal::MergeIntoItself.into());
            }
            let tasks = along.tasks.iter().map(|task| task.task).collect();
            let recovery = along.recovery.iter().map(|item| item.item).collect();
            let obligations = along.obligations.iter().map(|one| one.obligation).collect();
            let (state, ended, reference) = (Some(incident.state), along.ended, into_ref);
            let merged = Merged { incident: into, reference, state, tasks, alerts, update_by, was_public, recovery, obligations, ended };
            one(Event::Merged(merged))
        }
        Command::Absorb { from, from_ref, along, update_by, said } => {
            // The other must be open: merging into something that is over would hide this one.
            fits(incident, Verb::Alerts)?;
            tasks::room_for(incident, along.tasks.len())?;
            let first = u32::try_from(incident.work.tasks.len()).unwrap_or(u32::MAX).saturating_add(1);
            let tasks = (first..).zip(along.tasks).map(|(number, task)| carried(number, task)).collect();
            let items = (incident.work.next_item()..).zip(along.recovery);
            let recovery = items.map(|(item, asked)| CarriedItem { item, plan: asked.plan, text: asked.text }).collect();
            let owed = (incident.work.next_obligation()..).zip(along.obligations);
            let obligations =
                owed.map(|(number, one)| Obligation { obligation: number, origin: Some((from, one.obligation)), ..one }).collect();
            let (reference, ended, restored, reported) = (from_ref, along.ended, along.restored, along.reported);
            let absorbed = Absorbed { incident: from, reference, tasks, update_by, said, recovery, restored, reported, obligations, ended };
            one(Event::Absorbed(absorbed))
        }
        Command::TakeApart { into_ref, back } => {
            fits(incident, Verb::TakeApart)?;
            // What was merged before this was kept does not know what went with it.
            let (Some(merge), Some(into)) = (&incident.work.merge, incident.merged_into) else { return Err(Refusal::MergeNotKept.into()) };
            if context.now > after(merge.at, TAKE_APART_WITHIN) {
                return Err(Refusal::MergedTooLongAgo { most: TAKE_APART_WITHIN }.into());
            }
            let own = |pairs: &[(u32, u32)]| pairs.iter().map(|(own, _)| *own).collect();
            let (tasks, stayed) = (own(&back.tasks), own(&back.stayed));
            let paused = incident.work.clocks.paused_at_the_end().and_then(|stop| stop.waiting_for);
            let own = |one: Obligation| {
                let obligation = one.origin.map_or(one.obligation, |(_, own)| own);
                // What it had from a third goes back there once it is taken apart from that as well.
                let origin = incident.work.obligation(obligation).and_then(|known| known.origin);
                let mut back = Obligation { obligation, origin, ..one };
                // What ended with the other alone is owed here still.
                if back.state == ObligationState::Ended {
                    back.stand_again();
                }
                back
            };
            let (reference, obligations) = (into_ref, back.obligations.into_iter().map(own).collect());
            one(Event::TakenApart(TakenApart { incident: into, reference, alerts: back.alerts, tasks, stayed, paused, obligations }))
        }
        Command::Release { from, from_ref, back } => {
            let own = |pairs: &[(u32, u32)]| pairs.iter().map(|(_, own)| *own).collect();
            let (tasks, stayed) = (own(&back.tasks), own(&back.stayed));
            let Back { alerts, recovery, obligations, .. } = back;
            let obligations = obligations.iter().map(|one| one.obligation).collect();
            one(Event::Released(Released { incident: from, reference: from_ref, alerts, tasks, stayed, recovery, obligations }))
        }
        Command::LinkAlert { alert, title } => {
            fits(incident, Verb::Link)?;
            one(Event::AlertLinked(AlertLinked { alert, title }))
        }
        Command::AskReview { review, due_at } => {
            fits(incident, Verb::Review)?;
            if incident.work.review.is_some() {
                return Err(Refusal::HasAReview.into());
            }
            one(Event::ReviewAsked(ReviewAsked { review, due_at }))
        }
    }
}

/// A task with the number that it has here.
pub(super) fn carried(number: u32, task: Task) -> Carried {
    Carried { task: number, was: task.task, text: task.text, owner: task.owner, due_at: task.due_at, late: task.late }
}

pub(in crate::incident) fn evolve(incident: &mut Incident, event: &Event, at: Timestamp) {
    match event {
        Event::Merged(link) => {
            incident.work.hold = Hold::default();
            let merge = |state| Merge { at, state, tasks: link.tasks.clone(), alerts: link.alerts.clone(), was_public: link.was_public };
            incident.work.merge = link.state.map(merge);
            incident.state = State::Merged;
            incident.merged_into = Some(link.incident);
            incident.closed_at = Some(at);
        }
        Event::Absorbed(body) => {
            if body.said {
                incident.work.said.insert(body.incident);
            }
            incident.work.tasks.extend(body.tasks.iter().map(|carried| Task {
                task: carried.task,
                text: carried.text.clone(),
                owner: carried.owner.clone(),
                due_at: carried.due_at,
                state: TaskState::Open,
                added_at: at,
                ended_at: None,
                late: carried.late,
                origin: Some(Origin { incident: body.incident, task: carried.was }),
                step: None,
                note: None,
            }));
            incident.work.recovery.extend(body.recovery.iter().map(|carried| RecoveryItem {
                item: carried.item,
                plan: carried.plan.clone(),
                text: carried.text.clone(),
                state: RecoveryState::Open,
                ended_at: None,
                by: None,
                note: None,
                origin: Some(body.incident),
            }));
            let there = |one: &&ServiceBack| !incident.work.restored.iter().any(|other| other.service == one.service);
            let restored: Vec<ServiceBack> = body.restored.iter().filter(there).cloned().collect();
            incident.work.restored.extend(restored);
            incident.work.reports.reported |= body.reported;
            incident.work.obligations.extend(body.obligations.iter().cloned());
        }
        Event::TakenApart(body) => {
            let merge = incident.work.merge.take();
            incident.state = merge.map_or(State::Declared, |merge| merge.state);
            (incident.merged_into, incident.closed_at) = (None, None);
            // Whoever had it went on with the other.
            incident.work.hold = Hold { lost: true, ..Hold::default() };
            drop_tasks(incident, &body.stayed, at);
            if body.paused.is_some() {
                incident.work.clocks.pause_again(at);
            }
            for back in &body.obligations {
                if let Some(known) = incident.work.obligation_mut(back.obligation) {
                    known.clone_from(back);
                }
            }
        }
        Event::Released(body) => {
            incident.work.said.remove(&body.incident);
            drop_tasks(incident, &body.tasks, at);
            incident.work.recovery.retain(|item| !body.recovery.contains(&item.item));
            incident.work.obligations.retain(|one| !body.obligations.contains(&one.obligation));
        }
        Event::AlertLinked(_) => {}
        Event::ReviewAsked(body) => incident.work.review = Some(body.review),
    }
}

/// They are another incident's now.
fn drop_tasks(incident: &mut Incident, numbers: &[u32], at: Timestamp) {
    for task in incident.work.tasks.iter_mut().filter(|task| numbers.contains(&task.task) && task.state == TaskState::Open) {
        (task.state, task.ended_at) = (TaskState::Dropped, Some(at));
    }
    for number in numbers {
        tasks::begin_behind(incident, *number, at);
    }
}

pub(in crate::incident) fn react(incident: &Incident, event: &Event, awaited: &mut Awaited) {
    match event {
        Event::Merged(_) => awaited.settle_all("it was merged"),
        Event::Absorbed(body) => {
            for (task, due_at) in body.tasks.iter().filter(|task| !task.late).filter_map(|task| Some((task.task, task.due_at?))) {
                awaited.open_until(&Key::Task(task).to_string(), Rule::TaskDue, due_at);
            }
            if let Some(due_at) = body.update_by {
                awaited.settle(KEY_UPDATE, Standing::Void, "what was merged into it had promised an update sooner");
                awaited.open_until(KEY_UPDATE, Rule::UpdateDue, due_at);
            }
            obligations::await_these(&body.obligations, awaited);
        }
        Event::TakenApart(_) if incident.state == State::Candidate => awaited.open(KEY_CANDIDATE, Rule::Candidate, CANDIDATE_WITHIN),
        Event::TakenApart(_) => {
            awaited.open(KEY_ATTENDED, Rule::Attended, ATTEND_WITHIN);
            // Where nobody was on it, nobody had promised an update.
            let was_worked_on = matches!(incident.state, State::Investigating | State::Mitigated);
            ending::await_again(incident, incident.work.cadence().filter(|_| was_worked_on), awaited);
            obligations::await_again(incident, awaited);
        }
        Event::Released(body) => {
            for task in &body.tasks {
                awaited.settle(&Key::Task(*task).to_string(), Standing::Void, "its incident was taken apart from this");
            }
            obligations::go_back(&body.obligations, awaited);
        }
        Event::AlertLinked(_) | Event::ReviewAsked(_) => {}
    }
}

pub(in crate::incident) fn line(event: &Event, names: &Names<'_>) -> String {
    match event {
        Event::Merged(body) => {
            let ended = body.ended.words("", &format!("in {}", body.reference), names);
            format!(
                "Merged into {}{}{ended}",
                body.reference,
                along::words(&body.tasks, &body.recovery, &body.obligations, body.update_by, names)
            )
        }
        Event::Absorbed(body) => {
            let tasks: Vec<u32> = body.tasks.iter().map(|task| task.task).collect();
            let recovery: Vec<u32> = body.recovery.iter().map(|carried| carried.item).collect();
            let owed: Vec<u32> = body.obligations.iter().map(|one| one.obligation).collect();
            let ended = body.ended.words(&format!(" of {}", body.reference), "here", names);
            format!("{} was merged into this{}{ended}", body.reference, along::words(&tasks, &recovery, &owed, body.update_by, names))
        }
        Event::TakenApart(body) => {
            let back = along::apart(body.alerts, &body.tasks, &body.stayed, &format!("stayed with {}", body.reference));
            let paused = body.paused.map_or_else(String::new, |waits| format!("; its clocks stay paused, {}", waits.words()));
            let owed: Vec<u32> = body.obligations.iter().map(|one| one.obligation).collect();
            let owed = if owed.is_empty() { String::new() } else { format!(" and {}", along::obligations_of(&owed)) };
            format!("{} took it apart from {}: back came {back}{owed}{paused}", names.who(), body.reference)
        }
        Event::Released(body) => {
            let back = along::apart(body.alerts, &body.tasks, &body.stayed, "stayed here");
            let recovery =
                if body.recovery.is_empty() { String::new() } else { format!("; {} went with it", along::items(&body.recovery)) };
            let owed = if body.obligations.is_empty() {
                String::new()
            } else {
                format!("; {} went with it", along::obligations_of(&body.obligations))
            };
            format!("{} took {} apart from this: back went {back}{recovery}{owed}", names.who(), body.reference)
        }
        Event::AlertLinked(body) => format!("{} linked an alert: {}", names.who(), body.title),
        Event::ReviewAsked(body) => format!("A review is due by {}", names.clock(body.due_at)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::Sample;
    use super::*;

    #[test]
    fn nothing_is_merged_into_itself_and_a_review_is_asked_for_once() {
        let mut sample = Sample::declared();
        let merge = |into| Command::Merge {
            into: IncidentId::from_bits(into),
            into_ref: "INC-2".into(),
            alerts: Vec::new(),
            update_by: None,
            was_public: false,
            along: Along::default(),
        };
        assert_eq!(sample.refusal(merge(1)), "merge_into_itself");
        let review = || Command::AskReview { review: ReviewId::from_bits(5), due_at: Timestamp::UNIX_EPOCH };
        assert_eq!(sample.refusal(review()), "not_resolved");
        let mut merged = Sample::declared();
        assert_eq!(merged.run(merge(2)).unwrap().settled(), ["*"]);
        assert_eq!(merged.refusal(merge(3)), "already_merged");
        let mut resolved = sample.after(crate::incident::ending::Command::Resolve { note: None, waive: None }).after(review());
        assert_eq!(resolved.refusal(review()), "has_a_review");
    }

    #[test]
    fn a_merge_takes_open_tasks_along_and_gives_back_those_that_are_as_they_went() {
        let add = |text: &str| tasks::Command::Add { text: text.into(), owner: None, due_at: None };
        let mut from = Sample::declared().after(add("one")).after(add("two")).after(add("three"));
        from.run(tasks::Command::Finish { task: 3, note: None }).unwrap();
        let mut into = Sample::declared().after(add("its own"));
        into.incident.id = IncidentId::from_bits(2);
        let due = after(into.at, Length::from_mins(7));
        let along = Along::of(&from.incident, &into.incident, from.at);
        let id = IncidentId::from_bits(1);
        let absorbed = into
            .run(Command::Absorb { from: id, from_ref: "INC-1".into(), along: along.clone(), update_by: Some(due), said: false })
            .unwrap();
        assert_eq!((absorbed.opened(), into.incident.work.open_tasks()), (vec![KEY_UPDATE], 3));
        let (into_id, into_ref) = (into.incident.id, "INC-2".to_owned());
        let merge = |update_by, along| Command::Merge {
            into: into_id,
            into_ref: into_ref.clone(),
            alerts: Vec::new(),
            update_by,
            was_public: false,
            along,
        };
        from.run(merge(Some(due), along)).unwrap();
        into.run(tasks::Command::Finish { task: 2, note: None }).unwrap();
        let back = Back::of(&from.incident, &into.incident);
        assert_eq!((&back.tasks[..], &back.stayed[..]), (&[(2, 3)][..], &[(1, 2)][..]), "one was done there");
        into.run(Command::Release { from: id, from_ref: "INC-1".into(), back: back.clone() }).unwrap();
        assert_eq!(into.incident.work.open_tasks(), 1);
        from.at = after(from.at, Length::from_mins(24 * 60 + 1));
        let apart = || Command::TakeApart { into_ref: "INC-2".into(), back: back.clone() };
        assert_eq!(from.refusal(apart()), "merged_too_long_ago");
        from.at = crate::time::before(from.at, Length::from_mins(60));
        assert!(from.run(apart()).unwrap().opened().contains(&KEY_ATTENDED));
        assert_eq!((from.incident.state, from.incident.work.open_tasks()), (State::Declared, 1));
        assert_eq!(from.refusal(apart()), "not_merged");

        // Once more: what went this time comes back, and not what went the time before.
        let along = Along::of(&from.incident, &into.incident, from.at);
        into.run(Command::Absorb { from: id, from_ref: "INC-1".into(), along: along.clone(), update_by: None, said: false }).unwrap();
        from.run(merge(None, along)).unwrap();
        let back = Back::of(&from.incident, &into.incident);
        assert_eq!((&back.tasks[..], &back.stayed[..]), (&[(2, 4)][..], &[][..]));
    }

    #[test]
    fn what_an_earlier_version_merged_is_not_said_to_be_too_long_ago() {
        let mut sample = Sample::declared();
        (sample.incident.state, sample.incident.merged_into) = (State::Merged, Some(IncidentId::from_bits(2)));
        assert_eq!(sample.refusal(Command::TakeApart { into_ref: "INC-2".into(), back: Back::default() }), "merge_not_kept");
    }
}
