//! The simulated outbox of a node: the contract of the engine's outbox over the same rows and commands, with the same
//! windows and the same choice of what goes out together, and providers made up from dice.
//!
//! What was decided a moment ago is begun under the claim of its decision; what waits is claimed when it is begun, and
//! goes out as one message with what waits for the same contact. What belongs to a page that ended is handed back; how
//! a try ended is reported until the store has it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use allclear_domain::ids::{MessageId, PageId};
use allclear_domain::paging::MessageState;
use allclear_domain::time::{Length, after};
use allclear_domain::wire::{NoticeKind, Outcome};
use allclear_engine::core::{Command, Refusal, Tried};
use allclear_engine::outbox::choose::{Set, sets};
use allclear_engine::outbox::windows::{BUNDLE_MAX, Contact, WINDOW, Windows};
use allclear_store::rows;
use allclear_store::rows::message::{Stored, Stranded};
use jiff::Timestamp;

use crate::ports::block_on;
use crate::world::{Task, World};

/// A claim is good for this long before the first byte (as in the engine's outbox).
const CLAIM_FRESH: Length = Length::from_secs(2);
/// A node that holds something is taken for dead after this long (as in the engine's outbox).
const DEAD_AFTER: Length = Length::from_millis(3_500);
/// Contacts, and messages of runs that died, read at a time.
const READ_MAX: i64 = 512;
/// Of a thousand messages of many, those during which their node crashes.
const CRASHES_UNDER_WAY: u64 = 600;
/// Messages to one contact under way at once (as in the engine's outbox).
const PER_CONTACT: usize = 4;

/// A try under way: one or more messages that go out as one.
#[derive(Debug, Clone)]
pub struct Flight {
    /// Under which id.
    pub lead: MessageId,
    /// What is sent.
    pub messages: Vec<Stored>,
    /// How it will end.
    pub outcome: Outcome,
}

/// What a node's outbox holds in memory.
#[derive(Debug, Default)]
pub struct Outbox {
    /// Claimed, not begun.
    pub waiting: VecDeque<(Stored, Timestamp)>,
    /// Begun, or ended and not reported yet, by the lead.
    pub flying: BTreeMap<MessageId, Flight>,
    /// Ended, and the store does not have the report yet: by the lead, what it carried.
    pub reporting: BTreeMap<MessageId, BTreeSet<MessageId>>,
    /// Takings-over that failed and are asked for again: those of runs that died.
    pub orphans: Vec<Stranded>,
    /// Who was told something a moment ago.
    pub windows: Arc<Windows>,
    /// The same, told by the simulator to itself: whom, when, and how bad the worst of it was.
    pub told: Vec<(Contact, Timestamp, String)>,
}

impl Outbox {
    /// Whether it knows of a message.
    pub fn holds(&self, id: MessageId) -> bool {
        self.waiting.iter().any(|(message, _)| message.id == id)
            || self.flying.values().any(|flight| flight.messages.iter().any(|m| m.id == id))
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

impl World {
    /// Takes over what runs that died left; at start, and where other nodes are when they were not heard of.
    pub(crate) fn read_orphans(&mut self, node: usize) {
        let before = self.dead_before();
        let found = block_on(rows::message::stranded(&self.db, self.nodes[node].id, before, READ_MAX)).unwrap_or_default();
        self.nodes[node].outbox.orphans = found;
        self.claim_orphans(node);
        if self.nodes[node].alive {
            let held = rows::message::release_held(self.nodes[node].id, before, self.now);
            if block_on(rows::message::others_hold(&self.db, self.nodes[node].id)).unwrap_or(true) {
                self.write(node, vec![held]);
            }
        }
    }

    fn dead_before(&self) -> Timestamp {
        if self.shared { self.now.checked_sub(DEAD_AFTER.as_duration()).unwrap_or(self.now) } else { Timestamp::MAX }
    }

    /// A node that holds something on a shared store says that it lives, right before anybody looks.
    pub(crate) fn beat(&mut self) {
        if !self.shared {
            return;
        }
        for node in self.nodes.iter().filter(|node| node.alive) {
            let outbox = &node.outbox;
            if !outbox.waiting.is_empty() || !outbox.flying.is_empty() || !outbox.reporting.is_empty() || outbox.windows.hold_anything() {
                // Beside the weather: a sign that is not written is a machine that slept, which the world has.
                block_on(self.db.commit(vec![rows::node::beat(node.id, self.now)])).expect("a store in memory answers");
            }
        }
    }

    pub(crate) fn claim_orphans(&mut self, node: usize) {
        let orphans = std::mem::take(&mut self.nodes[node].outbox.orphans);
        for orphan in orphans {
            let known = |world: &Self| {
                world.nodes[node].outbox.flying.contains_key(&orphan.lead) || world.nodes[node].outbox.reporting.contains_key(&orphan.lead)
            };
            if known(self) {
                continue;
            }
            if self.shared {
                self.reached("a message was taken over from another node");
            }
            let before = self.dead_before();
            let messages = block_on(rows::message::stranded_of(&self.db, orphan.lead, self.nodes[node].id, before)).unwrap_or_default();
            if messages.len() > 1 {
                self.reached("what went out as one message was sent again as one after a crash");
            }
            let why = "its sender stopped while it was under way".to_owned();
            let command = Command::TakeOver { lead: orphan.lead, messages: messages.into(), why };
            let Some(reply) = self.ours(node, &format!("message:{}", orphan.lead), command) else { return };
            if matches!(reply, Err(Refusal::Unavailable(_))) {
                self.nodes[node].outbox.orphans.push(orphan);
            } else {
                self.begin_claimed(node, orphan.lead);
            }
        }
    }

    /// Claims what is due, and begins it.
    pub(crate) fn read_due_messages(&mut self, node: usize) {
        self.claim_orphans(node);
        if self.shared && self.nodes[node].alive {
            self.read_orphans(node);
        }
        if !self.nodes[node].alive {
            return;
        }
        for contact in self.nodes[node].outbox.windows.early(self.now) {
            self.reached("what was held back went out before its time, since all was quiet");
            self.take_from_heap(node, contact);
        }
        let due = block_on(rows::message::due_contacts(&self.db, self.now, READ_MAX, 0)).unwrap_or_default();
        for due in due {
            self.take_from_heap(node, (due.person, due.contact));
        }
    }

    fn take_from_heap(&mut self, node: usize, contact: Contact) {
        if !self.nodes[node].alive || self.failure.is_some() {
            return;
        }
        let to = |flight: &&Flight| flight.messages.first().is_some_and(|m| m.person == contact.0 && m.contact == contact.1);
        let flying = self.nodes[node].outbox.flying.values().filter(to).count();
        let room = PER_CONTACT.saturating_sub(flying).min(self.at_once.saturating_sub(self.nodes[node].outbox.flying.len()));
        let limit = i64::try_from(BUNDLE_MAX).unwrap_or(i64::MAX);
        let id = self.nodes[node].id;
        if room == 0 {
            return;
        }
        let held_until = self.nodes[node].outbox.windows.until(&contact);
        let heap = block_on(rows::message::heap(&self.db, (&contact.0, &contact.1), self.now, id, held_until, limit)).unwrap_or_default();
        if let Some(worst) = heap.iter().filter(|waiting| waiting.pages).map(|waiting| waiting.severity.as_str()).min() {
            self.nodes[node].outbox.windows.told(&contact, worst, self.now);
            let worst = worst.to_owned();
            self.note_told(node, &contact, &worst);
        } else {
            self.nodes[node].outbox.windows.nothing_held(&contact);
        }
        for set in sets(&heap, true, room) {
            let claim = match set {
                Set::New(_) => rows::message::claim_with_lead,
                Set::Again(_) => rows::message::claim,
            };
            let (lead, ids) = match set {
                Set::New(ids) => (ids.first().copied().unwrap_or_else(|| MessageId::from_bits(0)), ids),
                Set::Again(lead) => {
                    let ids = block_on(rows::message::set_of(&self.db, lead)).unwrap_or_default();
                    if ids.len() > 1 {
                        self.reached("what went out as one message was sent again as one");
                    }
                    (lead, ids)
                }
            };
            let claims = ids.iter().map(|message| claim(*message, lead, id, self.now));
            let writes = claims.chain(ids.iter().map(|message| rows::message::withdraw_unwanted(*message, self.now))).collect();
            if !self.write(node, writes) {
                return;
            }
            if ids.len() > 1 {
                self.reached("pages for one person went out as one message");
            }
            self.begin_claimed(node, lead);
        }
    }

    /// Writes of the outbox's own, which meet the weather as commands do. Whether the node lives.
    fn write(&mut self, node: usize, writes: Vec<allclear_store::Write>) -> bool {
        self.commit_beside_commands(node, writes);
        self.nodes[node].alive
    }

    /// Begins what this node has claimed under a lead, as the store says right now.
    fn begin_claimed(&mut self, node: usize, lead: MessageId) {
        if !self.nodes[node].alive || self.nodes[node].outbox.flying.contains_key(&lead) {
            return;
        }
        let limit = i64::try_from(BUNDLE_MAX).unwrap_or(i64::MAX);
        let claimed = block_on(rows::message::of_claim(&self.db, lead, self.nodes[node].id, limit)).unwrap_or_default();
        for message in claimed.unwanted {
            self.insist(node, "page ended", Command::Withdraw { message });
        }
        if self.nodes[node].alive && !claimed.wanted.is_empty() {
            self.first_byte(node, lead, claimed.wanted, self.now);
        }
    }

    fn note_told(&mut self, node: usize, contact: &Contact, worst: &str) {
        let since = self.now.checked_sub(WINDOW.as_duration()).unwrap_or(self.now);
        let told = &mut self.nodes[node].outbox.told;
        told.retain(|(_, at, _)| *at > since);
        told.push((contact.clone(), self.now, worst.to_owned()));
    }

    /// What was held back a moment ago is no worse than what its person was told in the window.
    pub(crate) fn check_held(&mut self, node: usize, incidents: &[allclear_domain::ids::IncidentId]) {
        let since = self.now.checked_sub(WINDOW.as_duration()).unwrap_or(self.now);
        for incident in incidents {
            for (page, _) in block_on(rows::page::of_incident(&self.db, *incident)).unwrap_or_default().read {
                for message in block_on(rows::message::of_page(&self.db, page.id)).unwrap_or_default() {
                    let held = message.state == MessageState::Queued
                        && message.claimed_by == Some(self.nodes[node].id)
                        && message.next_attempt_at > self.now;
                    if !held || message.created_at != self.now {
                        continue;
                    }
                    self.reached("a page waited for company");
                    let severity = &message.notice.incident.severity;
                    let told = &self.nodes[node].outbox.told;
                    let as_bad = |(contact, at, worst): &(Contact, Timestamp, String)| {
                        contact.0 == message.person && contact.1 == message.contact && *at > since && worst <= severity
                    };
                    if !told.iter().any(as_bad) {
                        self.fail("I13 what is worse is never held back", format!("{} is {severity}", message.id));
                    }
                }
            }
        }
    }

    pub(crate) fn take_messages(&mut self, node: usize, messages: Vec<Stored>) {
        for message in messages {
            if message.notice.kind == NoticeKind::Page {
                let contact = (message.person.clone(), message.contact.clone());
                self.note_told(node, &contact, &message.notice.incident.severity);
            }
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
                dropped.push((message.id, (message.person.clone(), message.contact.clone())));
            }
            keep
        });
        for (message, contact) in dropped {
            self.nodes[node].outbox.windows.not_told(&contact, self.now);
            self.reached("a message was not begun because its page had ended");
            self.insist(node, "page ended", Command::Withdraw { message });
        }
    }

    /// Begins what fits of what was decided a moment ago; what is older than its claim waits in the store.
    pub(crate) fn begin(&mut self, node: usize) {
        while self.nodes[node].alive && self.failure.is_none() && self.nodes[node].outbox.flying.len() < self.at_once {
            let Some((message, claimed_at)) = self.nodes[node].outbox.waiting.pop_front() else { return };
            if self.now > after(claimed_at, CLAIM_FRESH) {
                self.reached("a claim that grew old was given back");
                let back = rows::message::give_back(message.id, self.nodes[node].id, self.now);
                // Where it is not known whether the store has it, it is given back again.
                if !self.commit_beside_commands(node, vec![back]) && self.nodes[node].alive {
                    self.nodes[node].outbox.waiting.push_back((message, claimed_at));
                    let again = after(self.now, Length::from_millis(500));
                    self.plan(again, Task::Begin { node, run: self.nodes[node].run });
                    return;
                }
            } else {
                self.first_byte(node, message.id, vec![message], claimed_at);
            }
        }
    }

    fn first_byte(&mut self, node: usize, lead: MessageId, messages: Vec<Stored>, claimed_at: Timestamp) {
        for message in &messages {
            self.check_first_byte(message, lead, claimed_at);
        }
        let Some(first) = messages.first() else { return };
        let known = self.org.contact(&first.person, &first.contact).is_some();
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
                    (Outcome::Retry { after: None, why, maybe_arrived: true, down: false, unanswered: false }, arrives)
                }
                2 => (
                    Outcome::Retry { after: Some(Length::from_secs(30)), why, maybe_arrived: false, down: false, unanswered: false },
                    false,
                ),
                _ => (Outcome::Retry { after: None, why, maybe_arrived: false, down: false, unanswered: false }, false),
            }
        } else {
            (Outcome::Delivered { receipt: "202".into() }, true)
        };
        let wait = *self.dice.pick(&[20, 80, 300, 300, 2_500, 20_000]);
        for message in &messages {
            let truth = self.truth.entry(message.id).or_default();
            truth.begun += 1;
            truth.rejected |= matches!(outcome, Outcome::Rejected { .. });
            truth.under = Some(lead);
            self.say(|| {
                format!("send {} of {} to {} under {lead} begins, will be {outcome:?}", message.id, message.notice.key, message.person)
            });
        }
        if arrives {
            for message in &messages {
                self.arrives(message);
            }
        }
        // A crash seldom comes while a message of many is under way: now and then it does so on purpose.
        if messages.len() > 1 && self.crashes > 0 && !self.draining && self.side.chance(CRASHES_UNDER_WAY) {
            self.plan(after(self.now, Length::from_millis(10)), Task::CrashOf { node, run: self.nodes[node].run });
        }
        self.nodes[node].outbox.flying.insert(lead, Flight { lead, messages, outcome });
        self.plan(after(self.now, Length::from_millis(wait)), Task::Answer { node, run: self.nodes[node].run, message: lead });
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
    pub(crate) fn answered(&mut self, node: usize, lead: MessageId) {
        let Some(flight) = self.nodes[node].outbox.flying.remove(&lead) else { return };
        let doubt = matches!(flight.outcome, Outcome::Retry { maybe_arrived: true, .. });
        if doubt {
            self.reached("an answer said later that it had arrived");
        }
        let contact = flight.messages.first().map(|message| (message.person.clone(), message.contact.clone()));
        if let Some(contact) = contact.filter(|_| !matches!(flight.outcome, Outcome::Delivered { .. })) {
            self.nodes[node].outbox.windows.not_told(&contact, self.now);
        }
        let mut tries = Vec::new();
        for message in &flight.messages {
            let truth = self.truth.entry(message.id).or_default();
            truth.in_doubt += u32::from(doubt);
            if !doubt && truth.in_doubt == 0 {
                // It certainly did not arrive, or certainly did: nothing binds it to this lead any more.
                truth.under = None;
            }
            let latency_ms = u64::try_from(self.now.duration_since(message.created_at).as_millis()).unwrap_or(0);
            tries.push(Tried { attempts: message.attempts + 1, message: message.envelope(), lead, latency_ms });
        }
        // Off the list before the report is made: the report may queue the message again, here or
        // on another node.
        let carried = flight.messages.iter().map(|message| message.id).collect();
        self.nodes[node].outbox.reporting.insert(lead, carried);
        self.insist(node, &format!("message:{lead}"), Command::Sent { tries: tries.into(), outcome: flight.outcome });
        if self.nodes[node].alive {
            self.begin(node);
        }
    }

    /// The node is gone: nobody knows how its tries ended.
    pub(crate) fn forget_outbox(&mut self, node: usize) {
        let outbox = std::mem::take(&mut self.nodes[node].outbox);
        for message in outbox.flying.values().flat_map(|flight| &flight.messages) {
            self.truth.entry(message.id).or_default().in_doubt += 1;
        }
        for id in outbox.reporting.values().flatten() {
            // A report that was kept before the crash leaves nothing in doubt.
            if block_on(rows::message::get(&self.db, *id)).ok().flatten().is_none_or(|m| m.state != MessageState::Claimed) {
                continue;
            }
            self.truth.entry(*id).or_default().in_doubt += 1;
        }
    }
}
