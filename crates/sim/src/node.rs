//! A node of a world: what its commits meet, and what its outbox holds. What it does is in [`crate::world`] and
//! [`crate::outbox`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use allclear_domain::ids::{MessageId, NodeId};
use allclear_domain::wire::Outcome;
use allclear_engine::outbox::machine::{self, Landed};
use allclear_engine::outbox::{OutboxSettings, PER_TARGET_DEFAULT};
use allclear_engine::run::decider::Decider;
use allclear_engine::windows::{Contact, Windows};
use allclear_store::FaultPlan;
use allclear_store::rows::message::StoredMessage;
use jiff::Timestamp;

/// What the next commits of a node meet.
#[derive(Debug, Default)]
pub(crate) struct Weather {
    /// At which commit from now, and what.
    pub(crate) strike: Option<(u32, Strike)>,
    /// The node is dead: nothing is written any more.
    pub(crate) dead: bool,
    pub(crate) injected: u64,
    pub(crate) commits: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strike {
    Refuse,
    LoseAnswer,
    CrashBefore,
    CrashAfter,
    /// Refuses every commit of the call.
    Outage,
}

pub(crate) struct Node {
    pub id: NodeId,
    pub run: u64,
    pub alive: bool,
    pub decider: Option<Decider>,
    pub outbox: Outbox,
    pub(crate) weather: Arc<Mutex<Weather>>,
    /// After a look that failed, the next comes no earlier.
    pub(crate) look_not_before: Timestamp,
}

impl Weather {
    pub(crate) fn meet(&mut self, writes: bool) -> FaultPlan {
        if self.dead {
            return FaultPlan::FailBefore;
        }
        self.commits += u64::from(writes);
        let Some((left, strike)) = self.strike else { return FaultPlan::None };
        if left > 0 {
            self.strike = Some((left - 1, strike));
            return FaultPlan::None;
        }
        self.injected += 1;
        if strike != Strike::Outage {
            self.strike = None;
        }
        match strike {
            Strike::Refuse | Strike::Outage => FaultPlan::FailBefore,
            Strike::LoseAnswer => FaultPlan::FailAfter,
            Strike::CrashBefore => {
                self.dead = true;
                FaultPlan::FailBefore
            }
            Strike::CrashAfter => {
                self.dead = true;
                FaultPlan::FailAfter
            }
        }
    }
}

/// A try under way: one or more messages that go out as one.
#[derive(Debug, Clone)]
pub struct Flight {
    /// Under which id.
    pub lead: MessageId,
    /// What is sent.
    pub messages: Vec<StoredMessage>,
    /// How it will end.
    pub outcome: Outcome,
}

/// A try that ended, and whose report the store does not have yet.
#[derive(Debug)]
pub struct Reporting {
    /// What it carried.
    pub carried: BTreeSet<MessageId>,
    pub(crate) contact: Contact,
    pub(crate) landed: Landed,
}

/// What a node's outbox holds in memory.
#[derive(Debug)]
pub struct Outbox {
    /// The real thing; out of its place while it is asked.
    pub(crate) machine: Option<machine::Outbox>,
    /// Begun, or ended and not reported yet, by the lead.
    pub flying: BTreeMap<MessageId, Flight>,
    /// By the lead.
    pub reporting: BTreeMap<MessageId, Reporting>,
    /// When the heaps are to be looked at, for what landed or failed.
    pub look_at: Option<Timestamp>,
    /// Who was told something a moment ago.
    pub windows: Arc<Windows>,
    /// The same, told by the simulator to itself: whom, when, and how bad the worst of it was.
    pub(crate) told: Vec<(Contact, Timestamp, String)>,
}

impl Outbox {
    /// One that holds nothing yet.
    pub fn new(node: NodeId, at_once: usize) -> Self {
        let windows: Arc<Windows> = Arc::default();
        let settings = OutboxSettings { per_target: PER_TARGET_DEFAULT, at_once, bundle: true };
        Self {
            machine: Some(machine::Outbox::new(node, settings, Some(windows.clone()), Arc::default())),
            flying: BTreeMap::new(),
            reporting: BTreeMap::new(),
            look_at: None,
            windows,
            told: Vec::new(),
        }
    }

    /// Whether it knows of a message.
    pub fn holds(&self, id: MessageId) -> bool {
        self.machine.as_ref().is_some_and(|machine| machine.holds(id))
            || self.flying.values().any(|flight| flight.messages.iter().any(|m| m.id == id))
    }

    pub(crate) fn is_idle(&self) -> bool {
        let (under_way, born) = self.machine.as_ref().map_or((0, 0), machine::Outbox::load);
        under_way == 0 && born == 0 && self.flying.is_empty() && self.reporting.is_empty() && !self.windows.hold_anything()
    }
}

/// What is true of one message, whatever anybody believes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Truth {
    /// Times it reached the person.
    pub arrived: u32,
    /// Tries whose answer nobody has.
    pub in_doubt: u32,
    /// Tries begun.
    pub begun: u32,
    /// The provider said never.
    pub rejected: bool,
    /// The lead of a try that may have arrived: every further one has the same.
    pub under: Option<MessageId>,
}
