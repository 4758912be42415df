//! The outbox loop: what was decided is sent, and how that ended becomes a command.
//!
//! The store is the heap: what waits is a row, whatever number of them, and a contact's heap is read when there is
//! room to send something of it. In memory is only what was decided a moment ago, claimed by its decision, and what
//! is under way. [`windows`] says what waits for company, [`choose`] what goes out together, [`flight`] carries it.
//!
//! A send begins only under a claim that is fresh by monotonic time, so that nothing is begun for a page that ended
//! meanwhile. What a node that died had claimed is in doubt and sent again, as it was, under its id.

pub(crate) mod about;
mod beat;
pub(crate) mod channel_health;
pub mod choose;
pub(crate) mod circuit;
pub(crate) mod flight;
pub mod windows;

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use allclear_domain::channel::Carriage;
use allclear_domain::ids::{MessageId, PageId};
use allclear_domain::time::{Length, after, from_micros};
use allclear_domain::wire::NoticeKind;
use allclear_store::rows::message::Stored;
use allclear_store::{Dialect, Space, rows};
use jiff::Timestamp;
use tokio::sync::mpsc;

pub(crate) use beat::beats;

use allclear_store::rows::circuit::Open;

use self::choose::sets;
use self::flight::{Landed, Work, fly};
use self::windows::{BUNDLE_MAX, Contact};
use crate::core::Command;
use crate::core::ours;
use crate::engine::Engine;
use crate::outbox::circuit::Gate;
use crate::run::decide_loop::ToOutbox;
use crate::watch::stages::Measure;
use crate::watch::trouble::Stage;

/// A claim is good for this long before the first byte.
const CLAIM_FRESH_NS: u64 = 2_000_000_000;
/// A claim that became known later than this after its decision is given back.
const CLAIM_HEARD_WITHIN: Length = Length::from_secs(1);
/// The backstop: waiting and stranded messages are looked for at least this often.
const LOOK_AT_LEAST_EVERY: Length = Length::from_secs(5);
/// The same where nodes share a store: what another node gave back or left behind goes out within seconds.
const LOOK_AT_OTHERS_EVERY: Length = Length::from_secs(1);
/// After this many tries a way counts as failed for its step.
const COUNTS_AS_FAILED: u32 = allclear_domain::paging::TRIES_BEFORE_A_SEND_COUNTS_AS_FAILED;
/// Contacts, and messages of nodes that died, read at a time.
const READ_MAX: i64 = 512;
/// After a fault of the store the heaps are looked at again this much later.
const PUT_OFF: Length = Length::from_millis(500);

/// While there is no room for something that is due, the heaps are looked at no oftener than this, but for landings.
const BLOCKED_FOR: Length = Length::from_millis(100);

/// Limits of the outbox.
#[derive(Debug, Clone, Copy)]
pub struct OutboxSettings {
    /// Sends under way at once to one contact; 0 is no limit.
    pub per_target: usize,
    /// Sends under way at once in all.
    pub at_once: usize,
    /// Whether messages that wait for the same contact are sent as one.
    pub bundle: bool,
}

/// Contacts whose heaps are claimed from at once. Reading and claiming a heap takes the store's time and nobody else's:
/// the decider must find its turn among them while hundreds of people are told of a storm.
const CLAIMS_AT_ONCE: usize = 4;
/// A contact of which all that waits knows that its target does not answer is asked about again after this time, or when
/// another number waits.
const ALL_TOLD_FOR: Length = Length::from_secs(30);

/// Sends under way at once to one contact, unless set otherwise.
pub const PER_TARGET_DEFAULT: usize = 4;
/// Sends under way at once in all, unless set otherwise.
pub const AT_ONCE_DEFAULT: usize = 512;

impl Default for OutboxSettings {
    fn default() -> Self {
        Self { per_target: PER_TARGET_DEFAULT, at_once: AT_ONCE_DEFAULT, bundle: true }
    }
}

/// A message claimed by its decision, not begun.
struct Job {
    message: Box<Stored>,
    /// When the claim was heard of; absent where it was old by then.
    claimed_ns: Option<u64>,
}

/// What a flight tells the loop.
enum Event {
    /// What it takes of the contact's heap is taken.
    Claimed(Contact),
    Landed(Contact, Option<MessageId>, Landed),
}

/// See the module.
pub(crate) struct Outbox {
    engine: Engine,
    inbox: mpsc::UnboundedReceiver<ToOutbox>,
    born: HashMap<Contact, VecDeque<Job>>,
    /// Contacts that have something born, in the order of their first.
    turn: VecDeque<Contact>,
    flying: HashMap<Contact, usize>,
    /// Contacts whose heap is being taken from: not read meanwhile.
    claiming: HashMap<Contact, usize>,
    /// Contacts of which all that waits for a target that does not answer was told so: how many, and when.
    all_told: HashMap<Contact, (u64, Timestamp)>,
    /// Leads under way that were another node's.
    taking: HashSet<MessageId>,
    /// Claims that grew old before there was room: they wait in the store instead.
    stale: Vec<MessageId>,
    /// Whether earlier runs may have left messages claimed that nobody took over yet.
    stranded_left: bool,
    /// Whether something was due and there was no room: looked at again when something lands.
    blocked: bool,
    under_way: usize,
    events: (mpsc::UnboundedSender<Event>, mpsc::UnboundedReceiver<Event>),
}

impl Outbox {
    pub(crate) fn new(engine: Engine, inbox: mpsc::UnboundedReceiver<ToOutbox>) -> Self {
        Self {
            engine,
            inbox,
            born: HashMap::new(),
            turn: VecDeque::new(),
            flying: HashMap::new(),
            claiming: HashMap::new(),
            all_told: HashMap::new(),
            taking: HashSet::new(),
            stale: Vec::new(),
            stranded_left: true,
            blocked: false,
            under_way: 0,
            events: mpsc::unbounded_channel(),
        }
    }

    pub(crate) async fn run(mut self) {
        let shared = self.engine.shared.clone();
        let _ends = crate::shared::Ends(shared.clone());
        let mut look_at = self.engine.now();
        let mut looked_at = Timestamp::MIN;
        shared.stages.set(Measure::SendRounds, 1);
        loop {
            shared.stages.did(Measure::SendRounds);
            shared.stages.gate(Stage::Send).await;
            if self.engine.now() >= look_at {
                looked_at = self.engine.now();
                look_at = self.look().await;
            }
            // Every end that was committed is heard before anything is begun.
            while let Ok(told) = self.inbox.try_recv() {
                self.hear(told);
            }
            self.start_what_was_born();
            shared.stages.set(Measure::Sends, self.under_way + self.born.len());
            if !self.stale.is_empty() {
                self.return_stale().await;
            }
            let early = shared.windows.as_ref().and_then(|windows| windows.next_early()).unwrap_or(Timestamp::MAX);
            let pause = pause(self.blocked, early, looked_at);
            let probe = shared.circuits.next_probe(self.engine.now()).unwrap_or(Timestamp::MAX);
            let known = from_micros(shared.next_attempt_at()).min(early).min(probe).max(after(self.engine.now(), pause));
            tokio::select! {
                biased;
                Some(event) = self.events.1.recv() => {
                    if let Some(at) = self.heard_of_a_flight(event) {
                        look_at = look_at.min(at);
                    }
                }
                taken = self.inbox.recv() => match taken {
                    Some(told) => self.hear(told),
                    None => return,
                },
                () = shared.outbox_wake.notified() => look_at = self.engine.now(),
                () = shared.ports.clock.sleep_until(look_at.min(known)) => look_at = self.engine.now(),
                () = shared.stop.cancelled() => return,
            }
        }
    }

    /// Reads what is due in the store, and starts what fits; gives the instant of the next look.
    async fn look(&mut self) -> Timestamp {
        let shared = self.engine.shared.clone();
        let now = self.engine.now();
        let alone = shared.db.dialect() == Dialect::Sqlite;
        let backstop = after(now, if alone { LOOK_AT_LEAST_EVERY } else { LOOK_AT_OTHERS_EVERY });
        shared.set_next_attempt(i64::MAX);
        if self.engine.is_quarantined() {
            return backstop;
        }
        let looked = async {
            self.blocked = false;
            if self.stranded_left || !alone {
                self.take_what_is_stranded(now, alone).await?;
            }
            let early = shared.windows.as_ref().map(|windows| windows.early(now)).unwrap_or_default();
            for contact in early {
                self.take_from_heap(contact, None, now).await?;
            }
            if !alone {
                shared.circuits.replace(rows::circuit::all(&shared.db).await?);
            }
            shared.circuits.tell(&shared.troubles, now);
            // Those whose target does not answer stand before others as well, and take no room.
            let mut skip = 0;
            loop {
                let due = rows::message::due_contacts(&shared.db, now, READ_MAX, skip).await?;
                let full = due.len() as i64 == READ_MAX;
                for due in due {
                    self.take_from_heap((due.person, due.contact), Some(due.waiting), now).await?;
                }
                if !full || self.under_way >= shared.settings.outbox.at_once {
                    self.blocked |= full;
                    break;
                }
                skip += READ_MAX;
            }
            rows::message::next_attempt_after(&shared.db, now).await
        };
        match looked.await {
            Ok(next) => {
                // What is decided later for a later instant need not wake the loop.
                let next = next.map_or(backstop, |at| at.min(backstop)).max(after(now, Length::from_millis(1)));
                shared.next_attempt_micros().fetch_min(allclear_domain::time::to_micros(next), Ordering::SeqCst);
                next
            }
            Err(fault) => {
                self.engine.note_fault(&fault.to_string());
                after(now, PUT_OFF)
            }
        }
    }

    /// What nodes that are not heard of any more had under way or held back. On SQLite nobody else can be alive, so
    /// all of it is ours at once, also where the clock was set back since.
    async fn take_what_is_stranded(&mut self, now: Timestamp, alone: bool) -> Result<(), allclear_store::Fault> {
        let shared = self.engine.shared.clone();
        let before = if alone { Timestamp::MAX } else { now.checked_sub(beat::DEAD_AFTER.as_duration()).unwrap_or(now) };
        let stranded = rows::message::stranded(&shared.db, shared.node, before, READ_MAX).await?;
        self.stranded_left = stranded.len() as i64 == READ_MAX;
        for stranded in stranded {
            if self.under_way >= shared.settings.outbox.at_once {
                self.stranded_left = true;
                self.blocked = true;
                break;
            }
            if !self.taking.contains(&stranded.lead) && shared.under_way_leads().contains(&stranded.lead) {
                // What this node has of it lands first.
                self.stranded_left = true;
                self.blocked = true;
            } else if self.taking.insert(stranded.lead) {
                self.start((stranded.person, stranded.contact), Work::Stranded(stranded.lead, before));
            }
        }
        if rows::message::others_hold(&shared.db, shared.node).await? {
            match shared.db.commit_in(Space::Reserved, vec![rows::message::release_held(shared.node, before, now)]).await {
                Ok(()) | Err(allclear_store::CommitError::Conflict { .. }) => {}
                Err(allclear_store::CommitError::Fault(fault)) => {
                    self.stranded_left = true;
                    return Err(fault);
                }
            }
        }
        Ok(())
    }

    /// Starts what there is room for of a contact's heap, together with what this node holds back for it. `waiting` says
    /// how many are due, where that is known.
    async fn take_from_heap(&mut self, contact: Contact, waiting: Option<u64>, now: Timestamp) -> Result<(), allclear_store::Fault> {
        let shared = self.engine.shared.clone();
        let settings = shared.settings.outbox;
        let flying = self.flying.get(&contact).copied().unwrap_or(0);
        let own = if settings.per_target > 0 { settings.per_target.saturating_sub(flying) } else { usize::MAX };
        let room = own.min(settings.at_once.saturating_sub(self.under_way));
        if room == 0 || self.claiming.contains_key(&contact) || self.claiming.len() >= CLAIMS_AT_ONCE {
            self.blocked = true;
            return Ok(());
        }
        let Some(probes) = self.may_go(&contact, waiting, now).await? else {
            // What is held back falls due by itself, as a row; there is nothing to go early for.
            if let Some(windows) = &shared.windows {
                windows.nothing_held(&contact);
            }
            return Ok(());
        };
        // A probe is one message, not the whole heap.
        let limit = if probes { 1 } else { i64::try_from(BUNDLE_MAX).unwrap_or(i64::MAX) };
        let held_until = shared.windows.as_ref().and_then(|windows| windows.until(&contact));
        let heap = rows::message::heap(&shared.db, (&contact.0, &contact.1), now, shared.node, held_until, limit).await?;
        let full = heap.len() == BUNDLE_MAX;
        let worst = heap.iter().filter(|waiting| waiting.pages).map(|waiting| waiting.severity.as_str()).min();
        match (&shared.windows, worst) {
            (Some(windows), Some(worst)) => windows.told(&contact, worst, now),
            (Some(windows), None) => windows.nothing_held(&contact),
            (None, _) => {}
        }
        let chosen = sets(&heap, settings.bundle, room);
        // What there was no room for, or what did not fit into one message, is looked at when this has gone.
        self.blocked |= !probes && (full || chosen.len() == room);
        let under_way = shared.under_way_leads();
        for set in chosen {
            // Some of what is under way under this lead was reported and waits again: two flights never share a lead.
            if set.lead().is_some_and(|lead| under_way.contains(&lead)) {
                self.blocked = true;
                continue;
            }
            *self.claiming.entry(contact.clone()).or_default() += 1;
            self.start(contact.clone(), Work::Heap(set));
        }
        Ok(())
    }

    /// Whether something may go to a contact's target, and then whether it is the probe.
    async fn may_go(&mut self, contact: &Contact, waiting: Option<u64>, now: Timestamp) -> Result<Option<bool>, allclear_store::Fault> {
        let shared = self.engine.shared.clone();
        if !shared.circuits.any() {
            self.all_told.clear();
            return Ok(Some(false));
        }
        let Some(target) = target_of(&self.engine, contact) else { return Ok(Some(false)) };
        match shared.circuits.gate(&target, now) {
            Gate::Free => Ok(Some(false)),
            Gate::Shut(open) => {
                self.tell_who_waits(contact, &open, waiting, now).await?;
                Ok(None)
            }
            Gate::Probe { before, after } => {
                match shared.db.commit_in(Space::Reserved, vec![rows::circuit::probe(&before, &after)]).await {
                    Ok(()) => {
                        shared.circuits.taken(after);
                        Ok(Some(true))
                    }
                    Err(allclear_store::CommitError::Conflict { .. }) => {
                        // Another node took it, or heard an answer.
                        shared.circuits.replace(rows::circuit::all(&shared.db).await?);
                        Ok(None)
                    }
                    Err(allclear_store::CommitError::Fault(fault)) => Err(fault),
                }
            }
        }
    }

    /// Nothing leaves for a target that does not answer: the pages that wait for it hear so once, so that the next way
    /// or step follows at once.
    async fn tell_who_waits(
        &mut self,
        contact: &Contact,
        open: &Open,
        waiting: Option<u64>,
        now: Timestamp,
    ) -> Result<(), allclear_store::Fault> {
        let all_told = |(told, at): &(u64, Timestamp)| waiting == Some(*told) && *at <= now && now < after(*at, ALL_TOLD_FOR);
        if self.all_told.get(contact).is_some_and(all_told) {
            return Ok(());
        }
        let db = &self.engine.shared.db;
        if rows::message::untried(db, (&contact.0, &contact.1), COUNTS_AS_FAILED, now, 1).await?.is_empty() {
            if let Some(waiting) = waiting {
                self.all_told.insert(contact.clone(), (waiting, now));
            }
            return Ok(());
        }
        self.all_told.remove(contact);
        let why = format!("{} does not answer since {}: {}", open.target, open.since.strftime("%H:%M:%S UTC"), open.why);
        *self.claiming.entry(contact.clone()).or_default() += 1;
        let (engine, contact, said) = (self.engine.clone(), contact.clone(), self.events.0.clone());
        self.engine.shared.busy.fetch_add(1, Ordering::SeqCst);
        self.engine.shared.tasks.spawn(async move {
            flight::waits(&engine, &contact, &why, now).await;
            // The loop may have stopped.
            let _ = said.send(Event::Claimed(contact));
            engine.shared.busy.fetch_sub(1, Ordering::SeqCst);
        });
        Ok(())
    }

    /// What was born for a target that does not answer waits in the store with the rest.
    fn is_shut(&self, contact: &Contact) -> bool {
        let circuits = &self.engine.shared.circuits;
        circuits.any() && target_of(&self.engine, contact).is_some_and(|target| circuits.gate(&target, self.engine.now()) != Gate::Free)
    }

    fn hear(&mut self, told: ToOutbox) {
        match told {
            ToOutbox::Send(message) => self.take(message),
            ToOutbox::Ended(page) => self.ended(page),
            // The loop goes round, and sees when what is held goes.
            ToOutbox::Held => {}
        }
    }

    fn take(&mut self, message: Box<Stored>) {
        let contact = (message.person.clone(), message.contact.clone());
        let age = message.claimed_at.map(|at| self.engine.now().duration_since(at));
        let heard_late = age.is_none_or(|age| age > CLAIM_HEARD_WITHIN.as_duration());
        let claimed_ns = (!heard_late).then(|| self.engine.shared.ports.clock.monotonic_ns());
        let queue = self.born.entry(contact.clone()).or_default();
        if queue.is_empty() {
            self.turn.push_back(contact);
        }
        queue.push_back(Job { message, claimed_ns });
    }

    /// A page ended: what of it has not begun is not begun.
    fn ended(&mut self, page: PageId) {
        let mut dropped = Vec::new();
        let now = self.engine.now();
        for (contact, queue) in &mut self.born {
            let before = dropped.len();
            queue.retain(|job| {
                let keep = job.message.page != page || job.message.notice.kind != NoticeKind::Page;
                if !keep {
                    dropped.push(job.message.id);
                }
                keep
            });
            if dropped.len() > before
                && let Some(windows) = &self.engine.shared.windows
            {
                windows.not_told(contact, now);
            }
        }
        self.born.retain(|_, queue| !queue.is_empty());
        self.turn.retain(|contact| self.born.contains_key(contact));
        for message in dropped {
            self.withdraw(message);
        }
    }

    fn withdraw(&self, message: MessageId) {
        let engine = self.engine.clone();
        self.engine.shared.tasks.spawn(async move {
            engine.insist(ours("page ended", Command::Withdraw { message })).await;
            engine.shared.busy.fetch_sub(1, Ordering::SeqCst);
        });
    }

    /// Claims that grew old go back to the heap, many at once: there they are claimed anew when there is room.
    async fn return_stale(&mut self) {
        let shared = self.engine.shared.clone();
        let now = self.engine.now();
        let writes = self.stale.iter().map(|id| rows::message::give_back(*id, shared.node, now)).collect();
        match shared.db.commit_in(Space::Reserved, writes).await {
            Ok(()) => {
                shared.busy.fetch_sub(i64::try_from(self.stale.len()).unwrap_or(0), Ordering::SeqCst);
                self.stale.clear();
                shared.outbox_wake.notify_one();
            }
            Err(error) => {
                self.engine.note_fault(&error.to_string());
                // Tried again at the next round, which comes with the next look at the latest.
                shared.set_next_attempt(allclear_domain::time::to_micros(after(now, PUT_OFF)));
            }
        }
    }

    fn start_what_was_born(&mut self) {
        let settings = self.engine.shared.settings.outbox;
        let clock = self.engine.shared.ports.clock.clone();
        let is_fresh = |job: &Job| job.claimed_ns.is_some_and(|ns| clock.monotonic_ns().saturating_sub(ns) <= CLAIM_FRESH_NS);
        let mut tried = 0;
        while tried < self.turn.len() {
            let Some(contact) = self.turn.pop_front() else { return };
            if self.is_shut(&contact) {
                self.stale.extend(self.born.remove(&contact).into_iter().flatten().map(|job| job.message.id));
                continue;
            }
            let Some(queue) = self.born.get_mut(&contact) else { continue };
            while let Some(job) = queue.pop_front_if(|job| !is_fresh(job)) {
                self.stale.push(job.message.id);
            }
            let flying = self.flying.get(&contact).copied().unwrap_or(0);
            let room = self.under_way < settings.at_once && (settings.per_target == 0 || flying < settings.per_target);
            let job = if room { queue.pop_front() } else { None };
            if queue.is_empty() {
                self.born.remove(&contact);
            } else {
                self.turn.push_back(contact.clone());
            }
            match job {
                Some(job) => {
                    tried = 0;
                    self.start(contact, Work::Born(job.message));
                    // Counted as busy since it was decided.
                    self.engine.shared.busy.fetch_sub(1, Ordering::SeqCst);
                }
                None => tried += 1,
            }
        }
    }

    fn start(&mut self, contact: Contact, work: Work) {
        let shared = &self.engine.shared;
        self.under_way += 1;
        *self.flying.entry(contact.clone()).or_default() += 1;
        shared.busy.fetch_add(1, Ordering::SeqCst);
        let lead = work.lead();
        shared.send_begins(lead);
        let said = self.events.0.clone();
        let engine = self.engine.clone();
        let tasks = shared.tasks.clone();
        shared.tasks.spawn(async move {
            let (shared, whom, tells) = (engine.shared.clone(), contact.clone(), said.clone());
            // A task of its own, so that a panic in a channel frees the contact's place.
            let landed = tasks.spawn(async move { fly(&engine, work, &whom, &tells).await }).await.unwrap_or_else(|_| {
                tracing::error!("a send panicked; its message stays claimed and is in doubt at the next start");
                Landed::default()
            });
            shared.send_ended(lead);
            // The loop may have stopped; then nobody counts.
            let _ = said.send(Event::Landed(contact, lead, landed));
            shared.busy.fetch_sub(1, Ordering::SeqCst);
        });
    }

    /// Gives when the heaps are to be looked at for it.
    fn heard_of_a_flight(&mut self, event: Event) -> Option<Timestamp> {
        let now = self.engine.now();
        match event {
            Event::Claimed(contact) => {
                count_down(&mut self.claiming, &contact);
                // Looking costs more than claiming where many wait: once for half of them.
                if self.claiming.len() > CLAIMS_AT_ONCE / 2 {
                    return None;
                }
            }
            Event::Landed(contact, lead, landed) => {
                self.under_way -= 1;
                count_down(&mut self.flying, &contact);
                if let Some(lead) = lead {
                    self.taking.remove(&lead);
                }
                if landed.failed
                    && let Some(windows) = &self.engine.shared.windows
                {
                    windows.not_told(&contact, now);
                }
                if landed.put_off {
                    self.stranded_left = true;
                    return Some(after(now, PUT_OFF));
                }
                if landed.missed {
                    return Some(now);
                }
            }
        }
        self.blocked.then_some(now)
    }
}

/// What fails as a whole where a contact does not answer; nothing where there is no such contact any more.
fn target_of(engine: &Engine, (person, contact): &Contact) -> Option<String> {
    let org = engine.org();
    let (contact, _) = org.contact(person, contact)?;
    let (ways, address) = (org.channels(), &contact.address);
    match ways.of(address)?.carriage {
        Carriage::Http => ways.main_of(address).map(circuit::host_of),
        Carriage::Mail => Some(circuit::MAIL.to_owned()),
    }
}

/// How long the next look waits at least. With no room, what is held waits for a landing, or for this; and so does what
/// the last look did not take though it was to go by then.
fn pause(blocked: bool, early: Timestamp, looked_at: Timestamp) -> Length {
    if blocked || early <= looked_at { BLOCKED_FOR } else { Length::from_millis(1) }
}

/// One less; none is no entry.
fn count_down(counts: &mut HashMap<Contact, usize>, contact: &Contact) {
    if let Some(count) = counts.get_mut(contact) {
        *count = count.saturating_sub(1);
        if *count == 0 {
            counts.remove(contact);
        }
    }
}

impl crate::shared::Shared {
    pub(crate) fn next_attempt_at(&self) -> i64 {
        self.next_attempt_micros().load(Ordering::SeqCst)
    }
    pub(crate) fn set_next_attempt(&self, micros: i64) {
        self.next_attempt_micros().store(micros, Ordering::SeqCst);
    }
    fn leads(&self) -> std::sync::MutexGuard<'_, HashSet<MessageId>> {
        self.under_way.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
    fn send_begins(&self, lead: Option<MessageId>) {
        self.leads().extend(lead);
    }
    fn send_ended(&self, lead: Option<MessageId>) {
        if let Some(lead) = lead {
            self.leads().remove(&lead);
        }
    }
    /// What is being sent now: nobody knows yet how it ends.
    pub(crate) fn under_way_leads(&self) -> HashSet<MessageId> {
        self.leads().clone()
    }
}

/// Windows, where messages gather at all.
pub(crate) fn windows_of(settings: OutboxSettings) -> Option<Arc<windows::Windows>> {
    settings.bundle.then(Arc::default)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_last_look_left_is_not_looked_at_each_millisecond() {
        let at = |ms: i64| Timestamp::from_millisecond(1_800_000_000_000 + ms).unwrap();
        assert_eq!(pause(false, at(5), at(4)), Length::from_millis(1), "it came after the look");
        assert_eq!(pause(false, at(4), at(4)), BLOCKED_FOR);
        assert_eq!(pause(false, Timestamp::MAX, at(4)), Length::from_millis(1), "nothing is held");
        assert_eq!(pause(true, Timestamp::MAX, at(4)), BLOCKED_FOR);
    }
}
