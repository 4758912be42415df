//! The outbox of a node: the engine's own machine, with providers made up from dice and a store that fails.
//!
//! The world carries out what the machine orders: it claims what is to be claimed, begins the send, lets time pass, and
//! reports how it ended until the store has it. What belongs to a page that ended is handed back.

use allclear_domain::ids::{MessageId, PageId};
use allclear_domain::paging::MessageState;
use allclear_domain::time::{Length, after};
use allclear_domain::wire::{NoticeKind, Outcome};
use allclear_engine::core::{Command, Refusal, Tried};
use allclear_engine::outbox::choose::Set;
use allclear_engine::outbox::machine::{self, Around, Landed, Order, PUT_OFF, Work};
use allclear_engine::ports::Clock as _;
use allclear_engine::windows::{BUNDLE_MAX, Contact, WINDOW};
use allclear_store::rows;
use allclear_store::rows::message::StoredMessage;
use jiff::Timestamp;

use crate::node::{Flight, Outbox, Reporting};
use crate::ports::{Dice, block_on};
use crate::world::{Task, World};

/// Of a thousand messages of many, those during which their node crashes.
const CRASHES_UNDER_WAY: u64 = 600;
/// Of a thousand messages of many in a world with trouble, those of which nobody knows whether they arrived.
const DOUBTED_OF_MANY: u64 = 400;

impl World {
    /// Tells a node's machine something, and does what it orders.
    fn tell<T>(&mut self, node: usize, what: impl FnOnce(&mut machine::Outbox, Around<'_>) -> T) -> Option<T> {
        let mut machine = self.nodes[node].outbox.machine.take()?;
        let monotonic_ns = self.clock.monotonic_ns();
        let told = what(&mut machine, Around { db: &self.db, now: self.now, monotonic_ns, org: &self.org, alone: !self.shared });
        self.nodes[node].outbox.machine = Some(machine);
        self.carry_out_orders(node);
        Some(told)
    }

    /// Asks a node's machine something for which it goes to the store, in whatever weather there is. `None`: the node
    /// crashed.
    fn ask_the_store<T>(&mut self, node: usize, what: impl AsyncFnOnce(&mut machine::Outbox, Around<'_>) -> T) -> Option<T> {
        if !self.nodes[node].alive || self.failure.is_some() {
            return None;
        }
        let mut machine = self.nodes[node].outbox.machine.take()?;
        let db = self.in_weather(node);
        let monotonic_ns = self.clock.monotonic_ns();
        let around = Around { db: &db, now: self.now, monotonic_ns, org: &self.org, alone: !self.shared };
        let told = block_on(what(&mut machine, around));
        self.nodes[node].outbox.machine = Some(machine);
        if self.weather_is_over(node) {
            return None;
        }
        self.carry_out_orders(node);
        Some(told)
    }

    fn carry_out_orders(&mut self, node: usize) {
        let run = self.nodes[node].run;
        let orders = self.nodes[node].outbox.machine.as_mut().map(machine::Outbox::orders).unwrap_or_default();
        for order in orders {
            if !self.nodes[node].alive || self.nodes[node].run != run || self.failure.is_some() {
                return;
            }
            match order {
                Order::Fly(contact, work) => self.fly(node, contact, work),
                Order::Waits(_, why) => self.fail("I0 every target answers here", why),
                Order::Withdraw(message) => {
                    self.reached("a message was not begun because its page had ended");
                    self.submit_until_done(node, "page ended", Command::Withdraw { message });
                }
            }
        }
    }

    /// From claim to first byte.
    fn fly(&mut self, node: usize, contact: Contact, work: Work) {
        let Some(lead) = work.lead() else { return };
        let (mut put_off, mut anew, of_heap) = (false, false, matches!(work, Work::Heap(_)));
        let (messages, claimed_at) = match work {
            Work::Born(message) => {
                let claimed_at = message.claimed_at.unwrap_or(self.now);
                (vec![*message], claimed_at)
            }
            Work::Heap(set) => {
                anew = matches!(set, Set::New(_));
                put_off = !self.claim_set(node, &contact, set);
                (self.what_is_ours(node, lead), self.now)
            }
            Work::Stranded(lead, before) => {
                put_off = !self.take_over(node, lead, before);
                (self.what_is_ours(node, lead), self.now)
            }
        };
        if !self.nodes[node].alive {
            return;
        }
        if of_heap {
            let now = self.now;
            let look_at = self.tell(node, |machine, _| machine.claimed(&contact, now)).flatten();
            self.look_again(node, look_at);
        }
        if messages.is_empty() {
            self.land(node, &contact, lead, Landed { put_off, missed: anew && !put_off, ..Landed::default() });
        } else if self.nodes[node].alive {
            self.first_byte(node, lead, messages, claimed_at);
        }
    }

    /// Claims what is to go out as one message; whether the store certainly has it.
    fn claim_set(&mut self, node: usize, contact: &Contact, set: Set) -> bool {
        let claim = match set {
            Set::New(_) => rows::message::claim_with_lead,
            Set::Again(_) => rows::message::claim,
        };
        let lead = set.lead();
        let ids = match set {
            Set::New(ids) => ids,
            Set::Again(lead) => {
                let ids = block_on(rows::message::set_of(&self.db, lead)).unwrap_or_default();
                if ids.len() > 1 {
                    self.reached("what went out as one message was sent again as one");
                }
                ids
            }
        };
        let of = |id: &MessageId| block_on(rows::message::get(&self.db, *id)).ok().flatten();
        let pages = ids.iter().filter_map(of).filter(|message| message.notice.kind == NoticeKind::Page);
        if let Some(worst) = pages.map(|message| message.notice.incident.severity).min() {
            self.note_told(node, contact, &worst);
        }
        let Some(lead) = lead else { return true };
        if ids.len() > 1 {
            self.reached("pages for one person went out as one message");
        }
        let (id, now) = (self.nodes[node].id, self.now);
        let claims = ids.iter().map(|message| claim(*message, lead, id, now));
        let writes = claims.chain(ids.iter().map(|message| rows::message::withdraw_unwanted(*message, now))).collect();
        self.commit_beside_commands(node, writes)
    }

    /// Takes over what another run had under way; whether the store has all of it.
    fn take_over(&mut self, node: usize, lead: MessageId, before: Timestamp) -> bool {
        if self.shared {
            self.reached("a message was taken over from another node");
        }
        let messages = block_on(rows::message::stranded_of(&self.db, lead, self.nodes[node].id, before)).unwrap_or_default();
        if messages.len() > 1 {
            self.reached("what went out as one message was sent again as one after a crash");
        }
        let why = "its sender stopped while it was under way".to_owned();
        let command = Command::TakeOver { lead, messages: messages.into(), why };
        !matches!(self.ours(node, &format!("message:{lead}"), command), None | Some(Err(Refusal::Unavailable(_))))
    }

    /// What this node has claimed under a lead, as the store says right now; what of it nobody wants is let go.
    fn what_is_ours(&mut self, node: usize, lead: MessageId) -> Vec<StoredMessage> {
        if !self.nodes[node].alive {
            return Vec::new();
        }
        let limit = i64::try_from(BUNDLE_MAX).unwrap_or(i64::MAX);
        let claimed = block_on(rows::message::of_claim(&self.db, lead, self.nodes[node].id, limit)).unwrap_or_default();
        for message in claimed.unwanted {
            self.submit_until_done(node, "page ended", Command::Withdraw { message });
        }
        claimed.wanted
    }

    fn land(&mut self, node: usize, contact: &Contact, lead: MessageId, landed: Landed) {
        let now = self.now;
        let look_at = self.tell(node, |machine, _| machine.landed(contact, Some(lead), landed, now)).flatten();
        self.look_again(node, look_at);
    }

    fn look_again(&mut self, node: usize, at: Option<Timestamp>) {
        let outbox = &mut self.nodes[node].outbox;
        outbox.look_at = outbox.look_at.into_iter().chain(at).min();
    }

    /// A node that holds something on a shared store says that it lives, right before anybody looks.
    pub(crate) fn beat(&mut self) {
        if !self.shared {
            return;
        }
        for node in self.nodes.iter().filter(|node| node.alive && !node.outbox.is_idle()) {
            // Beside the weather: a sign that is not written is a machine that slept, which the world has.
            block_on(self.db.commit(vec![rows::node::beat(node.id, self.now)])).expect("a store in memory answers");
        }
    }

    /// The look of the outbox: what is due or stranded is claimed, and begun.
    pub(crate) fn read_due_messages(&mut self, node: usize) {
        if self.nodes[node].outbox.windows.next_early().is_some_and(|at| at <= self.now) {
            self.reached("what was held back went out before its time, since all was quiet");
        }
        self.nodes[node].outbox.look_at = None;
        match self.ask_the_store(node, async |machine, around| machine.look(around).await) {
            None => {}
            // The world stands still where nothing is due; what another node has, this one looks for again and again.
            Some(Ok(next)) if self.others_have_something(node) => self.look_again(node, Some(next)),
            Some(Ok(_)) => {}
            Some(Err(_)) => self.look_again(node, Some(after(self.now, PUT_OFF))),
        }
        // A round of the loop goes on with what was born.
        if self.nodes[node].alive {
            self.begin(node);
        }
    }

    fn others_have_something(&self, node: usize) -> bool {
        let id = self.nodes[node].id;
        block_on(rows::message::others_hold(&self.db, id)).unwrap_or(true)
            || block_on(rows::message::stranded(&self.db, id, Timestamp::MAX, 1)).map_or(true, |found| !found.is_empty())
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
                        self.fail(
                            "I13 what is worse is never held back",
                            format!("{} is {severity}, its person was told {told:?}", message.id),
                        );
                    }
                }
            }
        }
    }

    pub(crate) fn take_messages(&mut self, node: usize, messages: Vec<StoredMessage>) {
        for message in messages {
            if message.notice.kind == NoticeKind::Page {
                let contact = (message.person.clone(), message.contact.clone());
                self.note_told(node, &contact, &message.notice.incident.severity);
            }
            self.tell(node, |machine, around| machine.take(Box::new(message), around));
        }
        // Beginning is a step of its own: other commands may come in between.
        let wait = if self.dice.chance(800) { 0 } else { self.dice.between(1, 4_000) };
        self.plan(after(self.now, Length::from_millis(wait)), Task::Begin { node, run: self.nodes[node].run });
    }

    pub(crate) fn page_ended(&mut self, node: usize, page: PageId) {
        let now = self.now;
        self.tell(node, |machine, _| machine.ended(page, now));
    }

    /// Begins what fits of what was decided a moment ago; what is older than its claim waits in the store.
    pub(crate) fn begin(&mut self, node: usize) {
        self.tell(node, |machine, around| machine.start_what_was_born(around));
        if !self.nodes[node].outbox.machine.as_ref().is_some_and(machine::Outbox::has_stale) {
            return;
        }
        self.reached("a claim that grew old was given back");
        match self.ask_the_store(node, async |machine, around| machine.return_stale(around).await) {
            None => {}
            Some(Ok(_)) => self.look_again(node, Some(self.now)),
            // Where it is not known whether the store has it, it is given back again.
            Some(Err(_)) => self.plan(after(self.now, PUT_OFF), Task::Begin { node, run: self.nodes[node].run }),
        }
    }

    fn first_byte(&mut self, node: usize, lead: MessageId, messages: Vec<StoredMessage>, claimed_at: Timestamp) {
        for message in &messages {
            self.check_first_byte(message, lead, claimed_at);
        }
        let Some(first) = messages.first() else { return };
        let known = self.org.contact(&first.person, &first.contact).is_some();
        let throw = self.dice.below(1000);
        let trouble = if self.draining { 0 } else { self.trouble };
        let (outcome, arrives) = if !known {
            (Outcome::Rejected { why: "there is no such contact any more".into() }, false)
        } else if messages.len() > 1 && trouble > 0 && Dice::new(lead.bits() as u64).chance(DOUBTED_OF_MANY) {
            // Seldom enough by the dice of the world; these are the message's own, so that they shift no other throw.
            let why = "the provider did not answer in time".to_owned();
            (Outcome::Retry { after: None, why, maybe_arrived: true, down: false, unanswered: false }, throw.is_multiple_of(2))
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

    fn arrives(&mut self, message: &StoredMessage) {
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
        let contact = flight.messages.first().map(|message| (message.person.clone(), message.contact.clone())).unwrap_or_default();
        let delivered = matches!(flight.outcome, Outcome::Delivered { .. });
        let landed = Landed { delivered, failed: !delivered, ..Landed::default() };
        self.nodes[node].outbox.reporting.insert(lead, Reporting { carried, contact, landed });
        self.submit_until_done(node, &format!("message:{lead}"), Command::Sent { tries: tries.into(), outcome: flight.outcome });
    }

    /// The store has the report of a try: only now has it landed.
    pub(crate) fn reported(&mut self, node: usize, lead: MessageId) {
        if let Some(Reporting { contact, landed, .. }) = self.nodes[node].outbox.reporting.remove(&lead) {
            self.land(node, &contact, lead, landed);
            if self.nodes[node].alive {
                self.begin(node);
            }
        }
    }

    /// The node is gone: nobody knows how its tries ended.
    pub(crate) fn forget_outbox(&mut self, node: usize) {
        let empty = Outbox::new(self.nodes[node].id, self.at_once);
        let outbox = std::mem::replace(&mut self.nodes[node].outbox, empty);
        for message in outbox.flying.values().flat_map(|flight| &flight.messages) {
            self.truth.entry(message.id).or_default().in_doubt += 1;
        }
        for id in outbox.reporting.values().flat_map(|report| &report.carried) {
            // A report that was kept before the crash leaves nothing in doubt.
            if block_on(rows::message::get(&self.db, *id)).ok().flatten().is_none_or(|m| m.state != MessageState::Claimed) {
                continue;
            }
            self.truth.entry(*id).or_default().in_doubt += 1;
        }
    }
}
