//! The coordination of an incident as it is folded and kept: who has it, who holds which role, what is to be done, who was
//! told when. The parts make it so, and decide by it; nothing here knows how it came about.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{AlertId, IncidentId, ReviewId};
use crate::incident::clock::Clocks;
use crate::incident::judged::{Assessment, Typed};
use crate::incident::objective::Objective;
use crate::incident::obliged::Obligation;
use crate::incident::partners::Partners;
use crate::incident::related::{Related, Relation, Transfers};
use crate::incident::reporting::Reports;
use crate::incident::resource::Resource;
use crate::incident::responder::ResponderRequest;
use crate::incident::running::{RecoveryItem, RecoveryState, Running, ServiceBack, StepOf};
use crate::incident::state::State;
use crate::severity::Severity;
use crate::time::Length;
use crate::tlp::Tlp;

/// The folded coordination of an incident.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Work {
    /// By name of the role.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub roles: BTreeMap<String, Role>,
    /// Roles that somebody has to have, and how long each may be nobody's.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub needed: BTreeMap<String, Length>,
    /// In the order in which they were added; the number is the place, from 1.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<Task>,
    /// How often stakeholders are told, as its severity says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub update_every: Option<Length>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_update_at: Option<Timestamp>,
    /// Updates so far.
    pub updates: u32,
    /// Updates that did not come, in a row.
    pub updates_missed: u32,
    /// Who has it, and since when nothing was heard of them.
    #[serde(skip_serializing_if = "Hold::is_default")]
    pub hold: Hold,
    /// Services of which somebody said how much they are affected.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub affected: BTreeMap<String, Impact>,
    /// Since when, of those that were not affected from the impact's start on.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub affected_since: BTreeMap<String, Timestamp>,
    /// Incidents that were merged into it and stand on what somebody said.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub said: BTreeSet<IncidentId>,
    /// Notes that somebody marked as key events: their numbers in the incident's own log.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub key_notes: BTreeSet<u64>,
    /// Decisions that may be looked at again; the number is the place, from 1.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<DecisionMade>,
    /// What may be the cause; the number is the place, from 1.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hypotheses: Vec<Hypothesis>,
    /// While it is merged: what it was, and what went with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merge: Option<Merge>,
    /// How soon it is to be dealt with, and how it stands.
    #[serde(skip_serializing_if = "Clocks::is_empty")]
    pub clocks: Clocks,
    /// Other organisations that take part.
    #[serde(skip_serializing_if = "Partners::is_empty")]
    pub partners: Partners,
    /// What it needs from elsewhere, in the order in which it was asked for; the number is the place, from 1.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<Resource>,
    /// Further responders who were asked to it, in that order; the number is the place, from 1.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub responders: Vec<ResponderRequest>,
    /// How far what it is may go, and what is written without a marking of its own; nothing where nobody said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marking: Option<Tlp>,
    /// Plans that were started here, in that order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub plans: Vec<Running>,
    /// While it is a candidate: plans that start once it is declared, by what rule.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub intended: Vec<(String, String)>,
    /// What has to hold before it is over, by its number, from 1; what went back where a merge was taken apart is gone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub recovery: Vec<RecoveryItem>,
    /// How far its services are back, each once, in the order in which that was said first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub restored: Vec<ServiceBack>,
    /// What those outside who reported it said and were told.
    #[serde(skip_serializing_if = "Reports::is_empty")]
    pub reports: Reports,
    /// What it is of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub typed: Option<Typed>,
    /// What is known of how bad it is.
    #[serde(skip_serializing_if = "Assessment::is_default")]
    pub assessment: Assessment,
    /// What regulators may be owed, by its number, from 1; what went back where a merge was taken apart is gone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub obligations: Vec<Obligation>,
    /// How long its services may be affected, and how that stands; each once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub objectives: Vec<Objective>,
    /// Its review.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub review: Option<ReviewId>,
    /// How it stands to other incidents, in the order in which that was said.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub relations: Vec<Related>,
    /// Which of its parts comes first: those that somebody gave a place, in that order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub order: Vec<IncidentId>,
    /// People who were moved here from another incident.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub came: BTreeSet<String>,
    /// People who were moved to another incident, and have taken nothing here since.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub away: BTreeSet<String>,
    /// Whether its next update was promised by the parent that it follows.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub promised_above: bool,
    /// Audiences that its own last update went to, to whom the next was promised; unknown where an earlier version sent it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub told: Option<BTreeSet<String>>,
    /// Hand-overs to other teams.
    #[serde(skip_serializing_if = "Transfers::is_empty")]
    pub transfers: Transfers,
}

impl Work {
    /// Who holds a role.
    #[must_use]
    pub fn holder(&self, role: &str) -> Option<&str> {
        self.roles.get(role)?.person.as_deref()
    }
    /// The incident of which this is a part.
    #[must_use]
    pub fn parent(&self) -> Option<&Related> {
        self.relations.iter().find(|one| one.is == Relation::Parent)
    }
    /// A task by its number.
    #[must_use]
    pub fn task(&self, number: u32) -> Option<&Task> {
        self.tasks.iter().find(|task| task.task == number)
    }
    pub(super) fn task_mut(&mut self, number: u32) -> Option<&mut Task> {
        self.tasks.iter_mut().find(|task| task.task == number)
    }
    /// A decision by its number.
    #[must_use]
    pub fn decision(&self, number: u32) -> Option<&DecisionMade> {
        self.decisions.iter().find(|one| one.decision == number)
    }
    pub(super) fn decision_mut(&mut self, number: u32) -> Option<&mut DecisionMade> {
        self.decisions.iter_mut().find(|one| one.decision == number)
    }
    /// A hypothesis by its number.
    #[must_use]
    pub fn hypothesis(&self, number: u32) -> Option<&Hypothesis> {
        self.hypotheses.iter().find(|one| one.hypothesis == number)
    }
    pub(super) fn hypothesis_mut(&mut self, number: u32) -> Option<&mut Hypothesis> {
        self.hypotheses.iter_mut().find(|one| one.hypothesis == number)
    }
    /// A resource by its number.
    #[must_use]
    pub fn resource(&self, number: u32) -> Option<&Resource> {
        self.resources.iter().find(|one| one.resource == number)
    }
    pub(super) fn resource_mut(&mut self, number: u32) -> Option<&mut Resource> {
        self.resources.iter_mut().find(|one| one.resource == number)
    }
    /// A request for responders by its number.
    #[must_use]
    pub fn responder_request(&self, number: u32) -> Option<&ResponderRequest> {
        self.responders.iter().find(|one| one.request == number)
    }
    pub(super) fn responder_request_mut(&mut self, number: u32) -> Option<&mut ResponderRequest> {
        self.responders.iter_mut().find(|one| one.request == number)
    }
    /// How often stakeholders are told: as its severity says, or a plan that asks for more.
    #[must_use]
    pub fn cadence(&self) -> Option<Length> {
        self.plans.iter().flat_map(|plan| &plan.updates).map(|update| update.every).chain(self.update_every).min()
    }
    /// What nobody has said of yet that it holds.
    pub fn open_recovery(&self) -> impl Iterator<Item = &RecoveryItem> {
        self.recovery.iter().filter(|item| item.state == RecoveryState::Open)
    }
    /// Services that are not wholly back, or have a backlog.
    pub fn not_back(&self) -> impl Iterator<Item = &ServiceBack> {
        self.restored.iter().filter(|one| !one.is_through())
    }
    /// The number that the next item of recovery gets.
    #[must_use]
    pub fn next_item(&self) -> u32 {
        self.recovery.iter().map(|item| item.item).max().unwrap_or(0).saturating_add(1)
    }
    /// An obligation by its number.
    #[must_use]
    pub fn obligation(&self, number: u32) -> Option<&Obligation> {
        self.obligations.iter().find(|one| one.obligation == number)
    }
    pub(super) fn obligation_mut(&mut self, number: u32) -> Option<&mut Obligation> {
        self.obligations.iter_mut().find(|one| one.obligation == number)
    }
    /// What nobody has decided yet, or is still to be submitted.
    pub fn open_obligations(&self) -> impl Iterator<Item = &Obligation> {
        self.obligations.iter().filter(|one| one.state.is_open())
    }
    /// The number that the next obligation gets.
    #[must_use]
    pub fn next_obligation(&self) -> u32 {
        self.obligations.iter().map(|one| one.obligation).max().unwrap_or(0).saturating_add(1)
    }
    /// The tasks that come before a step and are not through.
    pub fn waits_for<'a>(&'a self, task: &'a Task) -> impl Iterator<Item = u32> + 'a {
        let before = task.step.iter().flat_map(|step| &step.after).copied();
        before.filter(|number| self.task(*number).is_some_and(|other| other.state == TaskState::Open))
    }
    /// Who does a task: its owner, else whoever has the role that it is for.
    #[must_use]
    pub fn doer<'a>(&'a self, task: &'a Task) -> Option<&'a str> {
        task.owner.as_deref().or_else(|| self.holder(task.step.as_ref()?.role.as_deref()?))
    }
    /// Tasks that are not done.
    #[must_use]
    pub fn open_tasks(&self) -> usize {
        self.tasks.iter().filter(|task| task.state == TaskState::Open).count()
    }
    /// Ids of those who hold a role.
    #[must_use]
    pub fn leads(&self) -> Vec<&str> {
        self.roles.values().filter_map(|role| role.person.as_deref()).collect()
    }
    /// Somebody has it as it is now; whoever was moved elsewhere is here again.
    pub(super) fn take_by(&mut self, by: Option<&String>, severity: Severity, at: Timestamp) {
        if let Some(by) = by {
            self.away.remove(by);
        }
        self.hold.take(by, severity, at);
    }
    /// Gives a role to somebody.
    pub(super) fn give(&mut self, role: &str, person: &str, relief_after: Option<Length>, at: Timestamp) {
        let held = self.roles.entry(role.to_owned()).or_default();
        *held = Role { person: Some(person.to_owned()), since: Some(at), relief_after, ..Role::default() };
    }
}

/// A role: one holder at most.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Role {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Who was asked to take it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offered_to: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offered_at: Option<Timestamp>,
    /// Who asked them: its holder agrees to hand it over by that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offered_by: Option<String>,
    /// Who asked its holder to hand it over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked_at: Option<Timestamp>,
    /// After how long its holder is reminded of relief, each time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relief_after: Option<Length>,
}

/// How much a service is affected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Impact))]
pub enum Impact {
    /// Not any more, or not as was thought.
    None,
    /// It answers, slowly or with mistakes.
    Degraded,
    /// A part of it, or some of its users, have nothing.
    Partial,
    /// Nobody can use it.
    Full,
}

impl Impact {
    /// All of them, the least first, as written.
    pub const WORDS: [&'static str; 4] = ["none", "degraded", "partial", "full"];

    /// As written.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Degraded => "degraded",
            Self::Partial => "partial",
            Self::Full => "full",
        }
    }

    /// The one with this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::None, Self::Degraded, Self::Partial, Self::Full].into_iter().find(|impact| impact.word() == word)
    }
}

impl fmt::Display for Impact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionMade {
    /// From 1.
    pub decision: u32,
    pub text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    /// Between what.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
    /// Whether it can be undone; absent where nobody said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reversible: Option<bool>,
    /// Who decided, where that was a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// When it was written down.
    pub at: Timestamp,
    /// When it is looked at again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review_at: Option<Timestamp>,
    /// Whether that time has come.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub due: bool,
    /// Whether it stands.
    pub stands: bool,
}

/// What may be the cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hypothesis {
    /// From 1.
    pub hypothesis: u32,
    pub text: String,
    pub state: HypothesisState,
    /// Why it was judged so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tries: Vec<Try>,
    pub raised_at: Timestamp,
}

/// Something that was tried of a hypothesis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = HypothesisTry))]
pub struct Try {
    pub tried: String,
    /// What came of it, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub result: Option<String>,
    pub at: Timestamp,
}

/// Where a hypothesis stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = HypothesisState))]
pub enum HypothesisState {
    Open,
    Confirmed,
    Rejected,
}

impl HypothesisState {
    /// As shown.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Confirmed => "confirmed",
            Self::Rejected => "rejected",
        }
    }

    /// The one with this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Open, Self::Confirmed, Self::Rejected].into_iter().find(|state| state.word() == word)
    }
}

impl fmt::Display for HypothesisState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Where a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = TaskState))]
pub enum TaskState {
    Open,
    Done,
    Dropped,
}

impl TaskState {
    /// As shown.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Done => "done",
            Self::Dropped => "dropped",
        }
    }
}

/// A task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// From 1.
    pub task: u32,
    pub text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    pub state: TaskState,
    pub added_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// Whether its time passed while it was open.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub late: bool,
    /// Where it came from, with an incident that was merged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// What it is of a plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<StepOf>,
    /// What somebody wrote when it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A task as another incident has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    pub incident: IncidentId,
    pub task: u32,
}

/// What an incident was before it was merged, and what went with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merge {
    pub at: Timestamp,
    pub state: State,
    #[serde(default)]
    pub tasks: Vec<u32>,
    #[serde(default)]
    pub alerts: Vec<AlertId>,
    /// Whether it was made private for this alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub was_public: bool,
}

/// Whoever has it asked to be reminded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snooze {
    pub until: Timestamp,
    pub by: String,
    /// When that was void: what it was said of is not so any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub void_at: Option<Timestamp>,
}

/// What is known of whoever has it. All of it is forgotten when the incident is over.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Hold {
    /// Who acknowledged it, confirmed that they are on it, or took command last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// How bad it was then: what gets worse than this was acknowledged by nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// When a person last did anything about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acted_at: Option<Timestamp>,
    /// When its holder was asked whether they are still on it; nobody has done anything since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked_at: Option<Timestamp>,
    /// Since when pages of it call somebody and nobody has taken it, whichever page is the newest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub called_since: Option<Timestamp>,
    /// Somebody had it, and nobody is known to any more.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub lost: bool,
    /// It was declared without a page.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unpaged: bool,
    /// Until when nobody is asked, since whoever has it is reminded then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snoozed: Option<Snooze>,
}

impl Hold {
    /// Whether nothing is known.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Somebody has it as it is now.
    pub(in crate::incident) fn take(&mut self, by: Option<&String>, severity: Severity, at: Timestamp) {
        if by.is_some() {
            self.by = by.cloned();
            // What somebody else takes is theirs from now on.
            self.snoozed = self.snoozed.take().filter(|snooze| Some(&snooze.by) == by);
        }
        self.severity = Some(severity);
        (self.lost, self.called_since) = (false, None);
        self.acts(at);
    }

    /// A person did something about it.
    pub(in crate::incident) fn acts(&mut self, at: Timestamp) {
        self.acted_at = Some(at);
        self.asked_at = None;
    }
}
