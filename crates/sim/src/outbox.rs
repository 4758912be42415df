//! The simulated outbox of a node: the contract of the engine's outbox over the same rows and
//! commands, with providers made up from dice.
//!
//! A message is begun only with a claim younger than two seconds; what belongs to a page that
//! ended is handed back; how a try ended is reported until the store has it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use allclear_domain::ids::{MessageId, PageId};
use allclear_domain::time::{Length, after};
use allclear_domain::wire::{NoticeKind, Outcome};
use allclear_engine::core::Command;
use allclear_store::rows;
use allclear_store::rows::message::Stored;
use jiff::Timestamp;

use crate::ports::block_on;
use crate::world::{Task, World};

/// A claim is good for this long before the first byte (as in the engine's outbox).
const CLAIM_FRESH: Length = Length::from_secs(2);
/// A claim of another node is in doubt after this long (as in the engine's outbox).
const LEASE: Length = Length::from_secs(60);
/// Messages read at a time.
const READ_MAX: i64 = 512;

/// A try under way.
#[derive(Debug, Clone)]
pub struct Flight {
    /// What is sent.
    pub message: Stored,
    /// How it will end.
    pub outcome: Outcome,
}

/// What a node's outbox holds in memory.
#[derive(Debug, Default)]
pub struct Outbox {
    /// Claimed, not begun.
    pub waiting: VecDeque<(Stored, Timestamp)>,
    /// Begun, or ended and not reported yet.
    pub flying: BTreeMap<MessageId, Flight>,
    /// Ended, and the store does not have the report yet.
    pub reporting: BTreeSet<MessageId>,
    /// Claims that failed and are asked for again: those of runs that died.
    pub orphans: Vec<Stored>,
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
}

impl World {
    /// Takes over what runs that died left; at start, and where other nodes are by their lease.
    pub(crate) fn read_orphans(&mut self, node: usize) {
        let before = if self.shared { self.now.checked_sub(LEASE.as_duration()).unwrap_or(self.now) } else { self.now };
        let found = block_on(rows::message::orphaned(&self.db, self.nodes[node].id, before, READ_MAX)).unwrap_or_default();
        self.nodes[node].outbox.orphans = found;
        self.claim_orphans(node);
    }

    pub(crate) fn claim_orphans(&mut self, node: usize) {
        let orphans = std::mem::take(&mut self.nodes[node].outbox.orphans);
        for orphan in orphans {
            if self.shared {
                self.reached("a message was taken over from another node");
            }
            let doubt = Some("its sender stopped while it was under way".to_owned());
            let command = Command::Claim { message: Box::new(orphan.clone()), doubt };
            let Some(reply) = self.ours(node, &format!("message:{}", orphan.id), command) else { return };
            if self.is_unavailable(&reply) {
                self.nodes[node].outbox.orphans.push(orphan);
            }
        }
    }

    /// Claims what waits for its next try.
    pub(crate) fn read_due_messages(&mut self, node: usize) {
        self.claim_orphans(node);
        if !self.nodes[node].alive {
            return;
        }
        if self.shared {
            self.read_orphans(node);
            if !self.nodes[node].alive {
                return;
            }
        }
        let due = block_on(rows::message::due(&self.db, self.now, READ_MAX)).unwrap_or_default();
        for message in due {
            let command = Command::Claim { message: Box::new(message.clone()), doubt: None };
            if self.ours(node, &format!("message:{}", message.id), command).is_none() {
                return;
            }
        }
    }

    pub(crate) fn take_messages(&mut self, node: usize, messages: Vec<Stored>) {
        for message in messages {
            self.nodes[node].outbox.waiting.push_back((message, self.now));
        }
        // Beginning is a step of its own: other commands may come in between.
        let wait = if self.dice.chance(800) { 0 } else { self.dice.between(1, 4_000) };
        self.plan(after(self.now, Length::from_millis(wait)), Task::Begin { node, run: self.nodes[node].run });
    }

    pub(crate) fn page_ended(&mut self, node: usize, page: PageId) {
        let mut dropped = Vec::new();
        self.nodes[node].outbox.waiting.retain(|(message, _)| {
            let keep = message.page != page || message.notice.kind != NoticeKind::Page;
            if !keep {
                dropped.push(message.id);
            }
            keep
        });
        for message in dropped {
            self.reached("a message was not begun because its page had ended");
            self.insist(node, "page ended", Command::Withdraw { message });
        }
    }

    /// Begins what fits.
    pub(crate) fn begin(&mut self, node: usize) {
        while self.nodes[node].alive && self.failure.is_none() && self.nodes[node].outbox.flying.len() < self.at_once {
            let Some((message, claimed_at)) = self.nodes[node].outbox.waiting.pop_front() else { return };
            if self.now > after(claimed_at, CLAIM_FRESH) {
                self.reached("a claim was renewed before its first byte");
                self.insist(node, &format!("message:{}", message.id), Command::Claim { message: Box::new(message), doubt: None });
            } else {
                self.first_byte(node, message, claimed_at);
            }
        }
    }

    fn first_byte(&mut self, node: usize, message: Stored, claimed_at: Timestamp) {
        self.check_first_byte(&message, claimed_at);
        let known = self.org.contact(&message.person, &message.contact).is_some();
        let throw = self.dice.below(1000);
        let trouble = if self.draining { 0 } else { self.trouble };
        let (outcome, arrives) = if !known {
            (Outcome::Rejected { why: "there is no such contact any more".into() }, false)
        } else if throw < trouble {
            let why = "the provider is slow".to_owned();
            match self.dice.below(4) {
                0 => (Outcome::Rejected { why: "the address does not exist".into() }, false),
                1 => {
                    let arrives = self.dice.chance(500);
                    (Outcome::Retry { after: None, why, maybe_arrived: true }, arrives)
                }
                2 => (Outcome::Retry { after: Some(Length::from_secs(30)), why, maybe_arrived: false }, false),
                _ => (Outcome::Retry { after: None, why, maybe_arrived: false }, false),
            }
        } else {
            (Outcome::Delivered { receipt: "202".into() }, true)
        };
        let truth = self.truth.entry(message.id).or_default();
        truth.begun += 1;
        truth.rejected |= matches!(outcome, Outcome::Rejected { .. });
        let wait = *self.dice.pick(&[20, 80, 300, 300, 2_500, 20_000]);
        self.say(|| format!("send {} of {} to {} begins, will be {outcome:?}", message.id, message.notice.key, message.person));
        let id = message.id;
        if arrives {
            self.arrives(&message);
        }
        self.nodes[node].outbox.flying.insert(id, Flight { message, outcome });
        self.plan(after(self.now, Length::from_millis(wait)), Task::Answer { node, run: self.nodes[node].run, message: id });
    }

    fn arrives(&mut self, message: &Stored) {
        let truth = self.truth.entry(message.id).or_default();
        truth.arrived += 1;
        let arrived = truth.arrived;
        // Where a node slept past its lease another one sends again, and says so.
        let leases = if self.shared { self.oracle.doubted.get(&message.id).copied().unwrap_or(0) } else { 0 };
        let in_doubt = self.truth.get(&message.id).map_or(0, |t| t.in_doubt) + leases;
        if arrived > 1 + in_doubt {
            self.fail("I3 delivered twice", format!("{} arrived {arrived} times, {in_doubt} tries were in doubt", message.id));
        }
        self.person_is_told(message);
    }

    /// A try ended: the answer is a command like any other.
    pub(crate) fn answered(&mut self, node: usize, id: MessageId) {
        let Some(flight) = self.nodes[node].outbox.flying.get(&id).cloned() else { return };
        let attempts = flight.message.attempts + 1;
        let latency_ms = u64::try_from(self.now.duration_since(flight.message.created_at).as_millis()).unwrap_or(0);
        if matches!(flight.outcome, Outcome::Retry { maybe_arrived: true, .. }) {
            self.reached("an answer said later that it had arrived");
            self.truth.entry(id).or_default().in_doubt += 1;
        }
        let command = Command::Sent { message: Box::new(flight.message), attempts, outcome: flight.outcome, latency_ms };
        // Off the list before the report is made: the report may queue the message again, here or
        // on another node.
        self.nodes[node].outbox.flying.remove(&id);
        self.nodes[node].outbox.reporting.insert(id);
        self.insist(node, &format!("message:{id}"), command);
        if self.nodes[node].alive {
            self.begin(node);
        }
    }

    /// The node is gone: nobody knows how its tries ended.
    pub(crate) fn forget_outbox(&mut self, node: usize) {
        let outbox = std::mem::take(&mut self.nodes[node].outbox);
        for id in outbox.flying.keys() {
            self.truth.entry(*id).or_default().in_doubt += 1;
        }
        for id in &outbox.reporting {
            // A report that was kept before the crash leaves nothing in doubt.
            if block_on(rows::message::get(&self.db, *id)).ok().flatten().is_none_or(|m| m.state != "claimed") {
                continue;
            }
            self.truth.entry(*id).or_default().in_doubt += 1;
        }
    }
}
