//! The coordination of an incident, and what is promised with a date, as the log tells them.

use std::collections::{BTreeMap, BTreeSet};

use allclear_domain::incident::Severity;
use allclear_domain::incident::clock::Clock;
use allclear_domain::time::{Length, after};
use jiff::Timestamp;

/// A reminder comes no earlier than after this share of the time (contract), in hundredths.
const REMINDER_AFTER: u64 = 80;
/// What rounding to whole milliseconds, and of shares of them, may take away.
const ROUNDING: Length = Length::from_millis(200);

/// Something that is due, and whether it was said to be.
#[derive(Debug, Clone)]
pub struct Promise {
    pub(crate) from: Timestamp,
    pub(crate) due: Timestamp,
    /// Still to be done.
    pub(crate) open: bool,
    pub(crate) late: bool,
    pub(crate) reminded: bool,
}

impl Promise {
    pub(crate) fn new(from: Timestamp, due: Timestamp) -> Self {
        Self { from, due, open: true, late: false, reminded: false }
    }
    /// Before this nobody is reminded.
    pub(crate) fn mark(&self) -> Timestamp {
        let length = Length::between(self.from, self.due).as_millis() * REMINDER_AFTER / 100;
        after(self.from, Length::from_millis(length.saturating_sub(ROUNDING.as_millis())))
    }
    pub(crate) fn waits(&self) -> bool {
        self.open && !self.late
    }
}

/// A request to another organisation as its incident's log tells it.
#[derive(Debug, Clone)]
pub struct RequestModel {
    /// Until when an answer is wanted.
    pub(crate) due: Option<Timestamp>,
    pub(crate) open: bool,
    pub(crate) missed: bool,
}

/// The coordination of an incident as its log tells it.
#[derive(Debug, Clone)]
pub struct WorkModel {
    /// How often its severity asked for updates when that was said; a later change of the organisation
    /// is for what is said later.
    pub(crate) every: Option<Length>,
    pub(crate) open: bool,
    pub(crate) severity: Severity,
    /// What is grave about it is missed without an end.
    pub(crate) grave: bool,
    /// Somebody is on it: investigated or mitigated.
    pub(crate) worked_on: bool,
    pub(crate) acknowledged: bool,
    pub holders: BTreeMap<String, String>,
    pub(crate) offers: BTreeMap<String, (String, Timestamp)>,
    /// Who asked for a role that somebody holds, and when.
    pub(crate) asks: BTreeMap<String, (String, Timestamp)>,
    /// Roles that somebody has to have: the time each may be nobody's, and until when one that nobody has is looked for.
    pub(crate) needed: BTreeMap<String, (Length, Option<Timestamp>)>,
    pub(crate) tasks: BTreeMap<u32, Task>,
    /// Roles that the plans which run ask for.
    pub(crate) of_plans: BTreeSet<String>,
    /// The plans that were started.
    pub(crate) plans: BTreeSet<String>,
    pub(crate) update: Option<Promise>,
    pub(crate) missed: u32,
    /// The earliest time at which it was said to be declared.
    pub(crate) declared: Option<Timestamp>,
    pub(crate) clocks_missed: Vec<Clock>,
    /// What other organisations were asked for, by number.
    pub(crate) requests: BTreeMap<u32, RequestModel>,
    /// Resources, by their numbers.
    pub(crate) resources: BTreeMap<u32, ResourceModel>,
    /// Stakeholders were told something.
    pub(crate) told: bool,
    /// Whether somebody was on it when it was merged.
    pub(crate) was_worked_on: bool,
}

/// A task as the log tells it; `due` is absent where nothing was said.
#[derive(Debug, Clone)]
pub(crate) struct Task {
    pub(crate) due: Option<Timestamp>,
    pub(crate) open: bool,
    pub(crate) late: bool,
    /// Of a step: its time, from when everything before it is through.
    pub(crate) within: Option<Length>,
    pub(crate) after: Vec<u32>,
}

impl Task {
    /// An open one.
    pub(crate) fn new(due: Option<Timestamp>) -> Self {
        Self { due, open: true, late: false, within: None, after: Vec::new() }
    }
}

impl WorkModel {
    /// A task is done or dropped: the steps whose time begins by that.
    pub(crate) fn end_task(&mut self, number: u32, at: Timestamp) -> usize {
        if let Some(task) = self.tasks.get_mut(&number) {
            task.open = false;
        }
        let open: Vec<u32> = self.tasks.iter().filter(|(_, task)| task.open).map(|(number, _)| *number).collect();
        let waits = |task: &Task| task.after.iter().any(|before| open.contains(before));
        let mut begun = 0;
        for task in self.tasks.values_mut().filter(|task| task.open && task.due.is_none() && task.after.contains(&number) && !waits(task)) {
            task.due = task.within.map(|within| after(at, within));
            begun += usize::from(task.due.is_some());
        }
        begun
    }

    /// Nobody has a role, or somebody does: from when on it is looked for, where somebody has to have it.
    pub(crate) fn looks_for(&mut self, role: &str, from: Option<Timestamp>) {
        if let Some((within, due)) = self.needed.get_mut(role) {
            *due = from.map(|from| after(from, *within));
        }
    }

    pub(crate) fn new(every: Option<Length>, severity: Severity) -> Self {
        Self {
            every,
            severity,
            grave: severity <= Severity::Sev2,
            open: true,
            worked_on: false,
            acknowledged: false,
            holders: BTreeMap::new(),
            needed: BTreeMap::new(),
            offers: BTreeMap::new(),
            asks: BTreeMap::new(),
            tasks: BTreeMap::new(),
            of_plans: BTreeSet::new(),
            plans: BTreeSet::new(),
            update: None,
            missed: 0,
            declared: None,
            clocks_missed: Vec::new(),
            requests: BTreeMap::new(),
            resources: BTreeMap::new(),
            told: false,
            was_worked_on: false,
        }
    }
}

/// A resource, as the log says it: the times that are still to pass, and whether it is to come.
#[derive(Debug, Clone)]
pub(crate) struct ResourceModel {
    pub(crate) needed: Option<Timestamp>,
    pub(crate) comes: Option<Timestamp>,
    pub(crate) awaited: bool,
}
