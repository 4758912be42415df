//! A fire drill as people read it: each level, and what became of everybody who was asked there.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::org::snapshot::Org;
use crate::paging::drill::{Level, Outcome};
use crate::paging::drill_report::{LevelReport, PersonReport, WayReport};
use crate::paging::{Drill, Page, Status};
use crate::time::Length;

/// Where a drill stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum DrillState {
    /// It walks its levels.
    Running,
    /// Every level was walked.
    Walked,
    /// It ended before its last level.
    Stopped,
}

/// A fire drill of an escalation policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Drill))]
pub struct DrillView {
    /// The id of its page.
    pub id: String,
    /// Always `exercise`: a drill is in no count of what is real.
    pub mode: String,
    /// Of the incident under which its log stands.
    #[serde(rename = "ref")]
    pub reference: String,
    /// The policy's id.
    pub escalation: String,
    /// What the policy was called.
    pub name: String,
    pub state: DrillState,
    pub started_at: Timestamp,
    /// A person's id.
    pub started_by: Option<String>,
    /// The longest that a level has, where that was asked.
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>))]
    pub wait: Option<Length>,
    pub ended_at: Option<Timestamp>,
    /// Why it ended.
    pub ended: Option<String>,
    /// How many levels the policy had when it started.
    pub of: u32,
    /// How many of them were answered in time.
    pub passed: u32,
    /// Those that it has come to.
    pub levels: Vec<DrillLevelView>,
}

/// A level of a drill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = DrillLevel))]
pub struct DrillLevelView {
    /// From 1.
    pub step: u32,
    /// Null while it goes on.
    pub outcome: Option<Outcome>,
    pub began_at: Timestamp,
    /// Until when it could be answered.
    pub due_at: Option<Timestamp>,
    pub over_at: Option<Timestamp>,
    /// How many people were asked, and how many have to answer.
    pub asked: u32,
    pub wants: u32,
    /// How long it took until as many had answered as have to.
    pub after_ms: Option<u64>,
    /// Why nobody was asked.
    pub why: Option<String>,
    /// Who, in one drill that is read; in a list nobody is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<DrillPersonView>,
}

/// Somebody at a level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = DrillPerson))]
pub struct DrillPersonView {
    /// A person's id.
    pub person: String,
    pub name: String,
    /// How they came to be named, as in `schedule:payments-primary`.
    pub via: Option<String>,
    pub answered_at: Option<Timestamp>,
    pub answered_after_ms: Option<u64>,
    /// `link`, `web`, `api`, or the channel of a reply.
    pub answered_via: Option<String>,
    /// Whether the level was over by then.
    pub late: bool,
    pub passed_on: bool,
    /// Why they were not asked.
    pub not_asked: Option<String>,
    pub ways: Vec<DrillWayView>,
    /// What became of it, in words.
    pub says: String,
}

/// One way to somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = DrillWay))]
pub struct DrillWayView {
    pub contact: String,
    pub channel: String,
    /// The message's id.
    pub message: Option<String>,
    pub sent_at: Option<Timestamp>,
    /// When its provider took it, where it says later whether it arrived.
    pub accepted_at: Option<Timestamp>,
    pub delivered_at: Option<Timestamp>,
    pub receipt: Option<String>,
    /// What went wrong, in the vendor's words.
    pub failed: Option<String>,
    /// What became of it, in words.
    pub says: String,
}

fn ms(from: Timestamp, to: Timestamp) -> u64 {
    Length::between(from, to).as_millis()
}

impl DrillView {
    /// A drill as its row has it, and with `levels` what its events say of people; nothing of a page that is no drill.
    #[must_use]
    pub fn of(page: &Page, org: &Org, levels: &[LevelReport]) -> Option<Self> {
        let drill = page.drill.as_ref()?;
        let escalation = page.escalation.clone().unwrap_or_default();
        let policy = page.policy.as_deref();
        let name = policy.and_then(|policy| policy.name.clone()).unwrap_or_else(|| escalation.clone());
        let of = policy.map_or(0, |policy| u32::try_from(policy.steps.len()).unwrap_or(u32::MAX));
        let level = |(index, level): (usize, &Level)| {
            let people = levels.get(index).map_or(&[] as &[_], |report| &report.people);
            level_view(level, people, org)
        };
        Some(Self {
            id: page.id.to_string(),
            mode: crate::event::Mode::Exercise.word().to_owned(),
            reference: page.incident.reference.clone(),
            name,
            state: state(page, drill, of),
            started_at: page.started_at,
            started_by: drill.ask.by.clone(),
            wait: drill.ask.wait,
            ended_at: page.ended_at,
            ended: drill.ended.clone(),
            of,
            passed: u32::try_from(drill.passed()).unwrap_or(u32::MAX),
            levels: drill.levels.iter().enumerate().map(level).collect(),
            escalation,
        })
    }

    /// How far it came, in words.
    #[must_use]
    pub fn says(&self) -> String {
        let passed = format!("{} of {} levels answered", self.passed, self.of);
        match self.state {
            DrillState::Running => format!("{passed}, and it goes on"),
            DrillState::Walked => passed,
            DrillState::Stopped => format!("{passed}, and it was ended early"),
        }
    }
}

fn state(page: &Page, drill: &Drill, of: u32) -> DrillState {
    if page.status == Status::Running {
        return DrillState::Running;
    }
    let is_whole = drill.levels.len() as u64 == u64::from(of);
    let was_stopped = drill.levels.iter().any(|level| level.outcome == Some(Outcome::Stopped));
    if is_whole && !was_stopped { DrillState::Walked } else { DrillState::Stopped }
}

fn level_view(level: &Level, people: &[PersonReport], org: &Org) -> DrillLevelView {
    let answered = level.outcome == Some(Outcome::Answered);
    DrillLevelView {
        step: level.step,
        outcome: level.outcome,
        began_at: level.began_at,
        due_at: level.due_at,
        over_at: level.over_at,
        asked: level.asked,
        wants: level.wants,
        after_ms: level.over_at.filter(|_| answered).map(|over| ms(level.began_at, over)),
        why: level.why.clone(),
        people: people.iter().map(|one| person_view(level, one, org)).collect(),
    }
}

fn person_view(level: &Level, one: &PersonReport, org: &Org) -> DrillPersonView {
    let answer = one.answer.as_ref();
    let took = answer.map(|answer| ms(level.began_at, answer.at));
    let says = match (&one.not_asked, answer, one.passed_on, level.outcome) {
        (Some(why), ..) => format!("not asked: {why}"),
        (None, Some(answer), ..) => {
            let after = Length::from_millis(took.unwrap_or_default()).in_words();
            let late = if answer.late { ", when the level was over" } else { "" };
            format!("answered after {after} ({}){late}", answer.via)
        }
        (None, None, true, _) => "passed it on".to_owned(),
        (None, None, false, None) => "asked".to_owned(),
        (None, None, false, Some(_)) => "did not answer".to_owned(),
    };
    DrillPersonView {
        person: one.person.clone(),
        name: org.person(&one.person).map_or_else(|| one.person.clone(), |form| form.name.clone()),
        via: Some(one.via.clone()).filter(|via| !via.is_empty()),
        answered_at: answer.map(|answer| answer.at),
        answered_after_ms: took,
        answered_via: answer.map(|answer| answer.via.clone()),
        late: answer.is_some_and(|answer| answer.late),
        passed_on: one.passed_on,
        not_asked: one.not_asked.clone(),
        ways: one.ways.iter().map(way_view).collect(),
        says,
    }
}

fn way_view(way: &WayReport) -> DrillWayView {
    DrillWayView {
        contact: way.contact.clone(),
        channel: way.channel.clone(),
        message: way.message.map(|id| id.to_string()),
        sent_at: way.sent_at,
        accepted_at: way.accepted_at,
        delivered_at: way.delivered_at,
        receipt: way.receipt.clone(),
        failed: way.failed.clone(),
        says: way.words(),
    }
}
