//! How an incident stands to others: parent and child, cause and effect, related, split.
//!
//! What is said of one is said of the other in the same commit, so that both logs have it. A child may follow its parent: an
//! update of that is an update of this then. Whether two may stand so to each other (no circles, not too many levels) needs all
//! that stand above and below, which the engine reads; here is what one incident alone can say.
//!
//! Not here: what a merge does with the relations of the one that ends, and how an update goes down (`engine::core::relating`).

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ask::{self, Ask, Asked, Came, Field, Kind, May, Program, command};
use crate::event::event_kinds;
use crate::expect::{Key, Rule, Standing};
use crate::ids::IncidentId;
use crate::incident::awaited::{Awaited, KEY_UPDATE};
use crate::incident::lifecycle::{Verb, fits};
use crate::incident::links::{self, Carried};
use crate::incident::related::{Related, Relation};
use crate::incident::words::TITLE_CHARS_MAX;
use crate::incident::work::{Origin, Task, TaskState};
use crate::incident::{Decision, Incident, State, along, nothing, one, tasks, updates};
use crate::names::{Names, with_text};
use crate::plants::planted;

/// Incidents that one has to do with at most: a page shows no more, and each update is handed to each child.
pub const RELATIONS_MAX: usize = 50;
/// Levels of parents and children, or of causes and effects, at most: who reads an update has to know where it comes from.
pub const LEVELS_MAX: usize = 5;
/// Incidents that stand above and below each other at most, all levels together: an update of the topmost is one decision over
/// all of them.
pub const FAMILY_MAX: usize = 100;

event_kinds! {
    /// A fact; past tense.
    Event {
        Tied(Tied) = "related" [Key],
        Untied(Untied) = "unrelated" [Key],
        Followed(Follows) = "parent_followed",
        Unfollowed(Follows) = "parent_unfollowed",
    }
}

/// Body of `related`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tied {
    pub incident: IncidentId,
    #[serde(rename = "ref")]
    pub reference: String,
    /// What that one is to this.
    pub is: Relation,
    /// Whether its updates are updates of this from now on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub followed: bool,
    /// As in [`Related`]: the side of the part agreed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub agreed: bool,
    /// As in [`Related`]: which person did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreed_by: Option<String>,
    /// Why, where nobody said so: what it stood to before was merged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// What went from the one to the other, where one was split from the other.
    #[serde(default, skip_serializing_if = "Moved::is_empty")]
    pub moved: Moved,
}

/// What goes where a part of an incident becomes one of its own.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Moved {
    /// How many alerts, all of them open.
    #[serde(skip_serializing_if = "is_zero")]
    pub alerts: u64,
    /// Tasks, with their numbers in both.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<Carried>,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde's way
const fn is_zero(n: &u64) -> bool {
    *n == 0
}

impl Moved {
    /// Whether nothing does.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// So many alerts, and these tasks in the order in which they stood.
    ///
    /// # Errors
    /// Where one is not there, has ended, or is a step of a plan.
    pub fn of(incident: &Incident, alerts: u64, tasks: &BTreeSet<u32>) -> Result<Self, crate::incident::Refusal> {
        let mut moved = Self { alerts, tasks: Vec::new() };
        for number in tasks {
            let task = incident.work.task(*number).ok_or(tasks::Refusal::NoSuchTask { task: *number })?;
            if task.state != TaskState::Open {
                return Err(tasks::Refusal::Ended { task: *number, state: task.state.word() }.into());
            }
            // What comes before and after it stays here, and so do their times.
            if task.step.is_some() {
                return Err(Refusal::StepStays { task: *number }.into());
            }
            let here = u32::try_from(moved.tasks.len()).unwrap_or(u32::MAX).saturating_add(1);
            moved.tasks.push(links::carried(here, task.clone()));
        }
        Ok(moved)
    }

    /// `: with one alert and tasks 1 and 3`.
    fn words(&self, number: impl Fn(&Carried) -> u32) -> String {
        let numbers: Vec<u32> = self.tasks.iter().map(number).collect();
        if self.is_empty() { String::new() } else { format!(", with {}", along::apart(self.alerts, &numbers, &[], "")) }
    }
}

/// Body of `unrelated`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Untied {
    pub incident: IncidentId,
    #[serde(rename = "ref")]
    pub reference: String,
    /// What that one was to this.
    pub was: Relation,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Whether the promise of an update was that one's, so that this owes one of its own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub owes: bool,
}

/// Body of `parent_followed` and `parent_unfollowed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Follows {
    pub incident: IncidentId,
    #[serde(rename = "ref")]
    pub reference: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// As in [`Untied`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub owes: bool,
}

/// A command; imperative.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Another is this to it; the other is told the same.
    Tie(Tied),
    /// It is so no more.
    Untie { from: IncidentId, why: Option<String> },
    /// Updates of its parent are its own.
    Follow,
    /// They are not any more.
    Unfollow { why: Option<String> },
}

impl Command {
    /// Whether people ask for it as it is; the rest follows from something else.
    pub(in crate::incident) const fn is_asked(&self) -> bool {
        match self {
            Self::Follow | Self::Unfollow { .. } => true,
            Self::Tie(_) | Self::Untie { .. } => false,
        }
    }
}

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("an incident has nothing to do with itself: name another one")]
    ToItself,
    #[error("that one is {is} this already: end that first")]
    Otherwise { is: &'static str },
    #[error("this incident has a parent already: end that relation first")]
    HasAParent,
    #[error("that one stands on the other side of this already, so that they would stand in a circle")]
    Circle,
    #[error("incidents stand at most {max} levels above each other: relate it to one further up")]
    TooDeep { max: usize },
    #[error("{what} are at most {max}: end some relations first, or merge what is the same")]
    TooMany { what: &'static str, max: usize },
    #[error("these two have nothing to do with each other, as far as anybody said")]
    NotRelated,
    #[error("this incident has no parent to follow: relate it to one first")]
    NoParent,
    #[error("its parent is over, and no updates come from there")]
    ParentIsOver,
    #[error("one of them is private and the other is not, and the log of the one would name the other: make both private, or open it up")]
    AcrossSight,
    #[error("what is told of a private incident stays with those who see it: write the update here as well")]
    ParentIsPrivate,
    #[error("name what goes with it: alerts, tasks or services of this incident")]
    NothingToSplit,
    #[error("task {task} is a step of a plan, and stays with those that come before and after it: drop it here and add a task there")]
    StepStays { task: u32 },
    #[error("alert `{alert}` is none of this incident, or has ended: name open ones of it")]
    NotItsAlert { alert: String },
    #[error("this incident does not affect `{service}`: name services that it affects")]
    NotAffected { service: String },
    #[error("`{service}` is this incident’s own service and stays so: name others that it affects")]
    OwnService { service: String },
}

impl Refusal {
    /// The stable code of the API.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::ToItself => "relate_to_itself",
            Self::Otherwise { .. } => "related_otherwise",
            Self::HasAParent => "has_a_parent",
            Self::Circle => "relation_circle",
            Self::TooDeep { .. } => "relation_too_deep",
            Self::TooMany { .. } => "too_many_relations",
            Self::NotRelated => "not_related",
            Self::NoParent => "no_parent",
            Self::ParentIsOver => "parent_is_over",
            Self::AcrossSight => "relation_across_sight",
            Self::ParentIsPrivate => "parent_is_private",
            Self::NothingToSplit => "nothing_to_split",
            Self::StepStays { .. } => "step_stays",
            Self::NotItsAlert { .. } => "not_its_alert",
            Self::OwnService { .. } => "own_service",
            Self::NotAffected { .. } => "not_affected",
        }
    }
}

/// Longest list of what goes with a part that is split off, in characters.
const LIST_CHARS_MAX: usize = 5_000;

const TO: Field = Field::needed("to", "the other incident", "The other incident", Kind::Incident).hint("Which: INC-142, or the id");

/// What people may ask.
pub(crate) const ASKS: &[Ask] = &[
    Ask {
        verb: Verb::Relate,
        label: "Relate to another",
        says: "Says what another incident is to this one: its parent, a child, a cause, an effect, or related",
        press: "Relate them",
        body: "RelateBody",
        programs: &[Program::of("relate").places(&["to", "is"])],
        may: May::Responder,
        fields: &[
            TO,
            Field::needed("is", "what that one is to this", "That one is", Kind::Choice { name: "RelationSaid", of: &Relation::WORDS })
                .hint("What that one is to this: parent, child, related, cause or effect"),
            Field::may("follow", "that updates of the parent count here", "Its updates are updates of this one", Kind::Flag)
                .hint("Whether updates of the parent are updates of this one"),
        ],
        ways: &[],
        make: |given, _| {
            let is = given.as_text("is").and_then(Relation::from_word).unwrap_or(Relation::Related);
            let follow = given.flag("follow").unwrap_or(false);
            if follow && is != Relation::Parent {
                return Err(ask::Refusal::Together(
                    "`follow` goes with `is`: `parent`; a child follows its parent and nothing else".into(),
                ));
            }
            Ok(Asked::Relate { to: given.must("to"), is, follow })
        },
        came: Came::Itself,
    },
    Ask {
        verb: Verb::Unrelate,
        label: "End a relation",
        says: "Another incident is nothing to this one any more",
        press: "End it",
        body: "UnrelateBody",
        // A neighbour says whether a parent is followed; this ends that as well.
        programs: &[Program::of("unrelate").places(&["to"]).lacks(&["follow"])],
        may: May::Responder,
        fields: &[TO],
        ways: &[],
        make: |given, _| Ok(Asked::Unrelate { to: given.must("to") }),
        came: Came::Itself,
    },
    Ask {
        verb: Verb::Split,
        label: "Split a part off",
        says: "A part of it becomes an incident of its own: some of its alerts, tasks and services",
        press: "Split it off",
        body: "SplitBody",
        programs: &[Program::of("split").places(&["title"])],
        may: May::Responder,
        fields: &[
            Field::needed("title", "the title", "What is that one?", Kind::Line { max: TITLE_CHARS_MAX })
                .hint("The title of the new incident"),
            Field::may("alerts", "the alerts that go", "Alerts that go with it", Kind::Line { max: LIST_CHARS_MAX })
                .hint("Ids of open alerts, with commas between them"),
            Field::may("tasks", "the tasks that go", "Tasks that go with it", Kind::Line { max: LIST_CHARS_MAX })
                .hint("Numbers of open tasks, as in 1, 3"),
            Field::may("services", "the services that go", "Services that go with it", Kind::Line { max: LIST_CHARS_MAX })
                .hint("Ids of affected services, with commas between them"),
            Field::may("severity", "how bad it is", "Severity", Kind::Severity).hint("As bad as this one unless said"),
            Field::may("to", "who leads it", "Who leads it", Kind::Person)
                .hint("A person's id: command is offered to them; who splits it off has it unless said"),
        ],
        ways: &[],
        make: |given, _| {
            let list = |name: &str| -> Vec<String> {
                let text = given.text(name).unwrap_or_default();
                text.split(',').map(str::trim).filter(|one| !one.is_empty()).map(ToOwned::to_owned).collect()
            };
            Ok(Asked::Split(ask::Split {
                title: given.must("title"),
                severity: given.parsed("severity"),
                alerts: list("alerts"),
                tasks: list("tasks"),
                services: list("services"),
                to: given.text("to"),
            }))
        },
        came: Came::Itself,
    },
    Ask {
        verb: Verb::Follow,
        label: "Follow the parent",
        says: "Updates of its parent are updates of this one, or are not any more",
        press: "Save it",
        body: "FollowBody",
        programs: &[
            Program::of("follow").says("Updates of its parent are updates of this one").lacks(&["state"]),
            Program::of("unfollow")
                .says("They are not any more, and it owes its own next update from now on")
                .gives(&[("state", "stopped")]),
        ],
        may: May::Responder,
        fields: &[Field::may(
            "state",
            "that it follows no more",
            "It follows no more",
            Kind::Choice { name: "FollowEnd", of: &["stopped"] },
        )
        .hint("`stopped` where it follows no more")],
        ways: &[&[], &["state"]],
        make: |given, _| command(if given.has("state") { Command::Unfollow { why: None } } else { Command::Follow }),
        came: Came::Itself,
    },
];

/// What another incident is to this one, as people said.
fn said(incident: &Incident, other: IncidentId) -> Option<&Related> {
    incident.work.relations.iter().find(|one| one.incident == other && one.is.is_said())
}

/// Whether its next update was promised by its parent, and not by itself.
const fn owes(incident: &Incident) -> bool {
    incident.work.promised_above
}

pub(in crate::incident) fn decide(incident: &Incident, command: Command) -> Decision {
    match command {
        Command::Tie(tied) => tie(incident, tied),
        Command::Untie { from, why } => {
            fits(incident, Verb::Unrelate)?;
            let Some(found) = said(incident, from) else { return Err(Refusal::NotRelated.into()) };
            let (reference, was) = (found.reference.clone(), found.is);
            one(Event::Untied(Untied { incident: from, reference, was, why, owes: found.followed && owes(incident) }))
        }
        Command::Follow => {
            fits(incident, Verb::Follow)?;
            let Some(parent) = incident.work.parent() else { return Err(Refusal::NoParent.into()) };
            if parent.followed {
                return nothing();
            }
            one(Event::Followed(Follows { incident: parent.incident, reference: parent.reference.clone(), why: None, owes: false }))
        }
        Command::Unfollow { why } => {
            let Some(parent) = incident.work.parent().filter(|parent| parent.followed) else {
                // Who asks for it twice has it already; who has no parent is told so.
                return if incident.work.parent().is_some() { nothing() } else { Err(Refusal::NoParent.into()) };
            };
            let (of, reference) = (parent.incident, parent.reference.clone());
            one(Event::Unfollowed(Follows { incident: of, reference, why, owes: owes(incident) }))
        }
    }
}

fn tie(incident: &Incident, tied: Tied) -> Decision {
    // What a merge leads to is said of what is over as well: its log would point to nothing.
    if tied.why.is_none() {
        fits(incident, if tied.is == Relation::SplitInto { Verb::Split } else { Verb::Relate })?;
    }
    if tied.incident == incident.id {
        return Err(Refusal::ToItself.into());
    }
    if tied.is.is_said()
        && let Some(known) = said(incident, tied.incident)
    {
        if known.is != tied.is {
            return Err(Refusal::Otherwise { is: known.is.words() }.into());
        }
        let mut events = if tied.followed { decide(incident, Command::Follow)? } else { Vec::new() };
        if tied.agreed && (!known.agreed || known.agreed_by != tied.agreed_by) {
            // Who stands there agrees to what others said, or now in the place of whoever did.
            events.push(Event::Tied(Tied { followed: false, ..tied }).into());
        }
        return Ok(events);
    }
    if tied.is == Relation::Parent && incident.work.parent().is_some() {
        return Err(Refusal::HasAParent.into());
    }
    if tied.is.is_said() && said_ones(incident) >= RELATIONS_MAX {
        return Err(Refusal::TooMany { what: "relations of an incident", max: RELATIONS_MAX }.into());
    }
    one(Event::Tied(tied))
}

/// Relations that people said, and may end.
#[must_use]
pub fn said_ones(incident: &Incident) -> usize {
    incident.work.relations.iter().filter(|known| known.is.is_said()).count()
}

pub(in crate::incident) fn evolve(incident: &mut Incident, event: &Event, at: Timestamp) {
    match event {
        Event::Tied(body) => {
            if agree(incident, body) {
                return;
            }
            incident.work.relations.push(Related {
                incident: body.incident,
                reference: body.reference.clone(),
                is: body.is,
                since: at,
                followed: body.followed,
                rank: None,
                agreed: body.agreed,
                agreed_by: body.agreed_by.clone(),
            });
            match body.is {
                // What went is told of there, and is not over here.
                Relation::SplitInto => incident.alerts_told = incident.alerts_told.saturating_sub(body.moved.alerts),
                Relation::SplitFrom if planted("split-forgets-tasks") => {}
                Relation::SplitFrom => incident.work.tasks.extend(body.moved.tasks.iter().map(|task| came(body.incident, task, at))),
                Relation::Parent | Relation::Child | Relation::Related | Relation::Cause | Relation::Effect => {}
            }
        }
        Event::Untied(body) => {
            incident.work.relations.retain(|one| one.incident != body.incident || one.is != body.was);
            if body.was == Relation::Child {
                incident.work.order.retain(|one| *one != body.incident);
            }
            incident.work.promised_above &= !body.owes;
        }
        Event::Followed(body) => follow(incident, body.incident, true),
        Event::Unfollowed(body) => {
            follow(incident, body.incident, false);
            incident.work.promised_above &= !body.owes;
        }
    }
}

/// Of what is known already: the side of the part agreed to it, whoever did so last.
fn agree(incident: &mut Incident, body: &Tied) -> bool {
    let is_it = |one: &&mut Related| one.incident == body.incident && one.is == body.is && one.is.is_said();
    let known = incident.work.relations.iter_mut().find(is_it);
    let Some(known) = known else { return false };
    if body.agreed {
        (known.agreed, known.agreed_by) = (true, body.agreed_by.clone());
    }
    true
}

/// A task as it stood in the incident that this was split from.
fn came(from: IncidentId, task: &Carried, at: Timestamp) -> Task {
    Task {
        task: task.task,
        text: task.text.clone(),
        owner: task.owner.clone(),
        due_at: task.due_at,
        state: TaskState::Open,
        added_at: at,
        ended_at: None,
        late: task.late,
        origin: Some(Origin { incident: from, task: task.was }),
        step: None,
        note: None,
    }
}

fn follow(incident: &mut Incident, parent: IncidentId, follows: bool) {
    for one in incident.work.relations.iter_mut().filter(|one| one.incident == parent && one.is == Relation::Parent) {
        one.followed = follows;
    }
}

pub(in crate::incident) fn react(incident: &Incident, event: &Event, awaited: &mut Awaited) {
    match event {
        // What another promised, who may take long, is nobody's promise here any more: it owes its own from now on.
        Event::Untied(Untied { owes: true, .. }) | Event::Unfollowed(Follows { owes: true, .. }) => {
            awaited.settle(KEY_UPDATE, Standing::Void, "the parent whose promise it was is not followed any more");
            if matches!(incident.state, State::Declared | State::Investigating | State::Mitigated) {
                updates::await_next(incident.work.cadence(), awaited);
            }
        }
        Event::Tied(Tied { is: Relation::SplitFrom, moved, .. }) => {
            for (task, due_at) in moved.tasks.iter().filter(|task| !task.late).filter_map(|task| Some((task.task, task.due_at?))) {
                awaited.open_until(&Key::Task(task).to_string(), Rule::TaskDue, due_at);
            }
        }
        // Its own promise stands, until an update of its parent meets it.
        Event::Tied(_) | Event::Untied(_) | Event::Followed(_) | Event::Unfollowed(_) => {}
    }
}

pub(in crate::incident) fn line(event: &Event, names: &Names<'_>) -> String {
    let who = names.who();
    match event {
        Event::Tied(body) => {
            let follows = if body.followed { "; its updates are updates of this one" } else { "" };
            let agreed = match body.is {
                Relation::Parent if body.agreed => "; whoever commands it may move people from here",
                Relation::Child if body.agreed => "; whoever commands this may move people from there",
                Relation::Parent
                | Relation::Child
                | Relation::Related
                | Relation::Cause
                | Relation::Effect
                | Relation::SplitFrom
                | Relation::SplitInto => "",
            };
            let line = match (body.is, body.why.is_some()) {
                (Relation::SplitFrom, _) => format!("Split from {}{}", body.reference, body.moved.words(|task| task.task)),
                (Relation::SplitInto, _) => format!("{} was split from this{}", body.reference, body.moved.words(|task| task.was)),
                (is, true) => format!("{} is {} this now{follows}{agreed}", body.reference, is.words()),
                (is, false) => format!("{who}: {} is {} this{follows}{agreed}", body.reference, is.words()),
            };
            with_text(line, body.why.as_deref())
        }
        Event::Untied(body) => with_text(format!("{} is not {} this any more", body.reference, body.was.words()), body.why.as_deref()),
        Event::Followed(body) => format!("{who}: updates of {} are updates of this one", body.reference),
        Event::Unfollowed(body) => {
            let owes = if body.owes { "; the next one is owed here" } else { "" };
            with_text(format!("Updates of {} are not updates of this one any more{owes}", body.reference), body.why.as_deref())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::Sample;
    use super::*;
    use crate::time::{Length, after};

    fn tied(other: u128, is: Relation, followed: bool) -> Command {
        let incident = IncidentId::from_bits(other);
        Command::Tie(Tied {
            incident,
            reference: format!("INC-{other}"),
            is,
            followed,
            agreed: false,
            agreed_by: None,
            why: None,
            moved: Moved::default(),
        })
    }

    fn of_parent(sample: &Sample, audiences: &[&str], mins: Option<u64>) -> updates::Command {
        updates::Command::Hear(updates::Posted {
            number: 4,
            audiences: audiences.iter().map(|id| (*id).to_owned()).collect(),
            text: "we failed over".into(),
            next_by: mins.map(|mins| after(sample.at, Length::from_mins(mins))),
            org_version: 1,
            marking: None,
            of: Some(updates::Of { incident: IncidentId::from_bits(2), reference: "INC-2".into(), beside: false }),
            remembered: false,
        })
    }

    #[test]
    fn two_stand_to_each_other_in_one_way_and_never_to_themselves() {
        let mut sample = Sample::declared().after(tied(2, Relation::Parent, false));
        assert_eq!(sample.run(tied(2, Relation::Parent, false)).unwrap().events, [], "said once");
        assert_eq!(sample.refusal(tied(2, Relation::Cause, false)), "related_otherwise");
        assert_eq!(sample.refusal(tied(3, Relation::Parent, false)), "has_a_parent");
        assert_eq!(sample.refusal(tied(1, Relation::Related, false)), "relate_to_itself");
        assert_eq!(sample.run(tied(2, Relation::Parent, true)).unwrap().kinds(), ["parent_followed"], "said again, with more");
        sample.run(Command::Untie { from: IncidentId::from_bits(2), why: None }).unwrap();
        assert_eq!(sample.refusal(Command::Untie { from: IncidentId::from_bits(2), why: None }), "not_related");
        assert_eq!(sample.refusal(Command::Follow), "no_parent");
        for other in 2..2 + RELATIONS_MAX as u128 {
            sample.run(tied(other, Relation::Child, false)).unwrap();
        }
        assert_eq!(sample.refusal(tied(99, Relation::Child, false)), "too_many_relations");
    }

    #[test]
    fn an_update_of_the_parent_is_one_of_the_child_and_its_own_is_owed_once_it_follows_no_more() {
        let mut sample = Sample::declared().after(tied(2, Relation::Parent, true));
        let heard = sample.run(of_parent(&sample, &["customers"], Some(300))).unwrap();
        assert_eq!((heard.settled(), heard.opened()), (vec![KEY_UPDATE], vec![KEY_UPDATE]));
        let own = after(sample.at, Length::from_mins(30));
        assert_eq!(heard.due_at(KEY_UPDATE).map(|at| at <= own), Some(true), "its own cadence is nearer than that promise");
        sample.at = after(sample.at, Length::from_mins(10));
        let stopped = sample.run(Command::Unfollow { why: None }).unwrap();
        assert_eq!((stopped.settled(), stopped.opened()), (vec![KEY_UPDATE], vec![KEY_UPDATE]), "from now on");
        assert_eq!(sample.run(Command::Unfollow { why: None }).unwrap().events, [], "once");
    }

    #[test]
    fn a_promise_of_its_own_stands_where_nobody_told_those_who_had_it() {
        let post = |audiences: &[&str]| updates::Command::Post {
            audiences: audiences.iter().map(|id| (*id).to_owned()).collect(),
            text: "we are on it".into(),
            next_within: Some(Length::from_mins(5)),
            marking: None,
        };
        let mut sample = Sample::declared().after(post(&["customers"])).after(tied(2, Relation::Parent, true));
        let heard = sample.run(of_parent(&sample, &["board"], Some(600))).unwrap();
        assert_eq!((heard.settled(), heard.opened()), (vec![], vec![]), "customers were told nothing");
        let stopped = sample.run(Command::Unfollow { why: None }).unwrap();
        assert_eq!((stopped.settled(), stopped.opened()), (vec![], vec![]), "its own promise goes on");
        sample.run(Command::Follow).unwrap();
        let heard = sample.run(of_parent(&sample, &["board", "customers"], None)).unwrap();
        assert_eq!((heard.settled(), heard.opened()), (vec![KEY_UPDATE], vec![KEY_UPDATE]), "and its own cadence goes on");
    }

    #[test]
    fn the_side_of_a_part_agrees_later_and_once() {
        let agreed = |is| {
            let Command::Tie(tied) = tied(7, is, false) else { panic!("it is one") };
            Command::Tie(Tied { agreed: true, ..tied })
        };
        for is in [Relation::Parent, Relation::Child] {
            let mut sample = Sample::declared();
            sample.run(tied(7, is, false)).unwrap();
            assert_eq!(sample.run(agreed(is)).unwrap().kinds(), ["related"]);
            assert_eq!(sample.run(agreed(is)).unwrap().events, [], "it has");
            assert_eq!(sample.run(tied(7, is, false)).unwrap().events, [], "who says it without that takes nothing back");
            let relations = &sample.incident.work.relations;
            assert_eq!((relations.len(), relations[0].agreed), (1, true), "and they stand to each other once");
        }
    }
}
