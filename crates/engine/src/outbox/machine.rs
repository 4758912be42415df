//! What an outbox does, free of tasks and of clocks: the program drives it with tokio, the simulator with its own world.
//!
//! The store is the heap: what waits is a row, whatever number of them, and a contact's heap is read when there is
//! room to send something of it. In memory is only what was decided a moment ago, claimed by its decision, and what
//! is under way. [`crate::windows`] says what waits for company, [`super::choose`] what goes out together. What is to be
//! done about it stands in [`Order`]s, which whoever drives it carries out, and tells how each ended.
//!
//! A send begins only under a claim that is fresh by monotonic time, so that nothing is begun for a page that ended
//! meanwhile. What a node that died had claimed is in doubt and sent again, as it was, under its id.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use allclear_domain::channel::Carriage;
use allclear_domain::ids::{MessageId, NodeId, PageId};
use allclear_domain::org::snapshot::Org;
use allclear_domain::time::{Length, after};
use allclear_store::rows::circuit::Open;
use allclear_store::rows::message::StoredMessage;
use allclear_store::{CommitError, Db, Fault, Space, rows};
use jiff::Timestamp;

use super::OutboxSettings;
use super::beat;
use super::choose::{Set, sets};
use super::circuit::{self, Circuits, Gate};
use crate::windows::{BUNDLE_MAX, Contact, Windows};

/// A claim is good for this long before the first byte.
pub const CLAIM_FRESH_NS: u64 = 2_000_000_000;
/// A claim that became known later than this after its decision is given back.
const CLAIM_HEARD_WITHIN: Length = Length::from_secs(1);
/// The backstop: waiting and stranded messages are looked for at least this often.
const LOOK_AT_LEAST_EVERY: Length = Length::from_secs(5);
/// The same where nodes share a store: what another node gave back or left behind goes out within seconds.
const LOOK_AT_OTHERS_EVERY: Length = Length::from_secs(1);
/// After this many tries a way counts as failed for its step.
pub(super) const COUNTS_AS_FAILED: u32 = allclear_domain::paging::TRIES_BEFORE_A_SEND_COUNTS_AS_FAILED;
/// Contacts, and messages of nodes that died, read at a time.
const READ_MAX: i64 = 512;
/// After a fault of the store the heaps are looked at again this much later.
pub const PUT_OFF: Length = Length::from_millis(500);
/// Contacts whose heaps are claimed from at once. Reading and claiming a heap takes the store's time and nobody else's:
/// the decider must find its turn among them while hundreds of people are told of a storm.
const CLAIMS_AT_ONCE: usize = 4;
/// A contact of which all that waits knows that its target does not answer is asked about again after this time, or when
/// another number waits.
const ALL_TOLD_FOR: Length = Length::from_secs(30);

/// What surrounds the outbox at an instant.
#[derive(Clone, Copy)]
pub struct Around<'a> {
    pub db: &'a Db,
    pub now: Timestamp,
    /// The same by a clock that nobody sets.
    pub monotonic_ns: u64,
    /// The organisation in force.
    pub org: &'a Org,
    /// Whether no other node writes to the store.
    pub alone: bool,
}

/// What is to be sent.
#[derive(Debug)]
pub enum Work {
    /// Claimed by the commit that decided it, a moment ago.
    Born(Box<StoredMessage>),
    /// Out of a contact's heap.
    Heap(Set),
    /// What a node that is not heard of any more had under way, with claims from before this instant.
    Stranded(MessageId, Timestamp),
}

impl Work {
    /// The id under which it goes out.
    #[must_use]
    pub fn lead(&self) -> Option<MessageId> {
        match self {
            Self::Born(message) => Some(message.id),
            Self::Heap(set) => set.lead(),
            Self::Stranded(lead, _) => Some(*lead),
        }
    }
}

/// How it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Landed {
    /// The provider has it.
    pub delivered: bool,
    /// Something was tried and did not arrive.
    pub failed: bool,
    /// The store did not answer: not at once again.
    pub put_off: bool,
    /// Nothing could be claimed of what had waited: another node was faster, or a page ended. What is left still waits.
    pub missed: bool,
}

/// What is to be done.
#[derive(Debug)]
pub enum Order {
    /// Claim it, send it, and say [`Outbox::claimed`] (of a heap) and [`Outbox::landed`].
    Fly(Contact, Work),
    /// Tell those who wait for the contact why nothing leaves for it, and say [`Outbox::claimed`].
    Waits(Contact, String),
    /// A page ended: the message that was claimed for it is not begun.
    Withdraw(MessageId),
}

/// A message claimed by its decision, not begun.
#[derive(Debug)]
struct Job {
    message: Box<StoredMessage>,
    /// When the claim was heard of; absent where it was old by then.
    claimed_ns: Option<u64>,
}

/// See the module.
#[derive(Debug)]
pub struct Outbox {
    node: NodeId,
    settings: OutboxSettings,
    /// Who was told something a moment ago; absent where every message goes out by itself.
    windows: Option<Arc<Windows>>,
    circuits: Arc<Circuits>,
    born: HashMap<Contact, VecDeque<Job>>,
    /// Contacts that have something born, in the order of their first.
    turn: VecDeque<Contact>,
    flying: HashMap<Contact, usize>,
    /// Contacts whose heap is being taken from: not read meanwhile.
    claiming: HashMap<Contact, usize>,
    /// Contacts of which all that waits for a target that does not answer was told so: how many, and when.
    all_told: HashMap<Contact, (u64, Timestamp)>,
    /// What is under way, by its lead: nobody knows yet how it ends.
    leads: HashSet<MessageId>,
    /// Leads under way that were another node's.
    taking: HashSet<MessageId>,
    /// Claims that grew old before there was room: they wait in the store instead.
    stale: Vec<MessageId>,
    /// Whether earlier runs may have left messages claimed that nobody took over yet.
    stranded_left: bool,
    /// Whether something was due and there was no room: looked at again when something lands.
    blocked: bool,
    under_way: usize,
    orders: Vec<Order>,
}

impl Outbox {
    #[must_use]
    pub fn new(node: NodeId, settings: OutboxSettings, windows: Option<Arc<Windows>>, circuits: Arc<Circuits>) -> Self {
        Self {
            node,
            settings,
            windows,
            circuits,
            born: HashMap::new(),
            turn: VecDeque::new(),
            flying: HashMap::new(),
            claiming: HashMap::new(),
            all_told: HashMap::new(),
            leads: HashSet::new(),
            taking: HashSet::new(),
            stale: Vec::new(),
            stranded_left: true,
            blocked: false,
            under_way: 0,
            orders: Vec::new(),
        }
    }

    /// What is to be done, in this order; to be asked after everything it is told.
    #[must_use]
    pub fn orders(&mut self) -> Vec<Order> {
        std::mem::take(&mut self.orders)
    }

    /// How many messages are under way, and how many contacts have something that is not begun.
    #[must_use]
    pub fn load(&self) -> (usize, usize) {
        (self.under_way, self.born.len())
    }

    /// Whether something was due and there was no room.
    #[must_use]
    pub const fn is_blocked(&self) -> bool {
        self.blocked
    }

    /// Whether it holds a message that is not begun.
    #[must_use]
    pub fn holds(&self, id: MessageId) -> bool {
        self.born.values().flatten().any(|job| job.message.id == id) || self.stale.contains(&id)
    }

    /// When the store is looked at again, unless something wakes it before.
    #[must_use]
    pub fn backstop(around: Around<'_>) -> Timestamp {
        after(around.now, if around.alone { LOOK_AT_LEAST_EVERY } else { LOOK_AT_OTHERS_EVERY })
    }

    /// Reads what is due in the store, and starts what fits; gives the instant of the next look.
    ///
    /// # Errors
    /// When the store does not answer; then the next look is a little later.
    pub async fn look(&mut self, around: Around<'_>) -> Result<Timestamp, Fault> {
        let now = around.now;
        self.blocked = false;
        if self.stranded_left || !around.alone {
            self.take_what_is_stranded(around).await?;
        }
        let early = self.windows.as_ref().map(|windows| windows.early(now)).unwrap_or_default();
        for contact in early {
            self.take_from_heap(contact, None, around).await?;
        }
        if !around.alone {
            self.circuits.replace(rows::circuit::all(around.db).await?);
        }
        // Those whose target does not answer stand before others as well, and take no room.
        let mut skip = 0;
        loop {
            let due = rows::message::due_contacts(around.db, now, READ_MAX, skip).await?;
            let full = due.len() as i64 == READ_MAX;
            for due in due {
                self.take_from_heap((due.person, due.contact), Some(due.waiting), around).await?;
            }
            if !full || self.under_way >= self.settings.at_once {
                self.blocked |= full;
                break;
            }
            skip += READ_MAX;
        }
        let next = rows::message::next_attempt_after(around.db, now).await?;
        let backstop = Self::backstop(around);
        // What is decided later for a later instant need not wake anybody.
        Ok(next.map_or(backstop, |at| at.min(backstop)).max(after(now, Length::from_millis(1))))
    }

    /// What nodes that are not heard of any more had under way or held back. On a store of its own nobody else can be
    /// alive, so all of it is ours at once, also where the clock was set back since.
    async fn take_what_is_stranded(&mut self, around: Around<'_>) -> Result<(), Fault> {
        let Around { db, now, .. } = around;
        let before = if around.alone { Timestamp::MAX } else { now.checked_sub(beat::DEAD_AFTER.as_duration()).unwrap_or(now) };
        let stranded = rows::message::stranded(db, self.node, before, READ_MAX).await?;
        self.stranded_left = stranded.len() as i64 == READ_MAX;
        for stranded in stranded {
            if self.under_way >= self.settings.at_once {
                self.stranded_left = true;
                self.blocked = true;
                break;
            }
            if !self.taking.contains(&stranded.lead) && self.leads.contains(&stranded.lead) {
                // What this node has of it lands first.
                self.stranded_left = true;
                self.blocked = true;
            } else if self.taking.insert(stranded.lead) {
                self.start((stranded.person, stranded.contact), Work::Stranded(stranded.lead, before));
            }
        }
        if rows::message::others_hold(db, self.node).await? {
            match db.commit_in(Space::Reserved, vec![rows::message::release_held(self.node, before, now)]).await {
                Ok(()) | Err(CommitError::Conflict { .. }) => {}
                Err(CommitError::Fault(fault)) => {
                    self.stranded_left = true;
                    return Err(fault);
                }
            }
        }
        Ok(())
    }

    /// Starts what there is room for of a contact's heap, together with what this node holds back for it. `waiting` says
    /// how many are due, where that is known.
    async fn take_from_heap(&mut self, contact: Contact, waiting: Option<u64>, around: Around<'_>) -> Result<(), Fault> {
        let (now, settings) = (around.now, self.settings);
        let flying = self.flying.get(&contact).copied().unwrap_or(0);
        let own = if settings.per_target > 0 { settings.per_target.saturating_sub(flying) } else { usize::MAX };
        let room = own.min(settings.at_once.saturating_sub(self.under_way));
        if room == 0 || self.claiming.contains_key(&contact) || self.claiming.len() >= CLAIMS_AT_ONCE {
            self.blocked = true;
            return Ok(());
        }
        let Some(probes) = self.may_go(&contact, waiting, around).await? else {
            // What is held back falls due by itself, as a row; there is nothing to go early for.
            if let Some(windows) = &self.windows {
                windows.nothing_held(&contact);
            }
            return Ok(());
        };
        // A probe is one message, not the whole heap.
        let limit = if probes { 1 } else { i64::try_from(BUNDLE_MAX).unwrap_or(i64::MAX) };
        let held_until = self.windows.as_ref().and_then(|windows| windows.until(&contact));
        let heap = rows::message::heap(around.db, (&contact.0, &contact.1), now, self.node, held_until, limit).await?;
        let full = heap.len() == BUNDLE_MAX;
        let worst = heap.iter().filter(|waiting| waiting.pages).map(|waiting| waiting.severity.as_str()).min();
        match (&self.windows, worst) {
            (Some(windows), Some(worst)) => windows.told(&contact, worst, now),
            (Some(windows), None) => windows.nothing_held(&contact),
            (None, _) => {}
        }
        // What the store has back already, where only the answer was lost, is not given back once more: that would take it from under
        // whoever sends it now, and a crash would then repeat it unsaid.
        self.stale.retain(|id| heap.iter().all(|waiting| waiting.id != *id));
        let chosen = sets(&heap, settings.bundle, room);
        // What there was no room for, or what did not fit into one message, is looked at when this has gone.
        self.blocked |= !probes && (full || chosen.len() == room);
        for set in chosen {
            // Some of what is under way under this lead was reported and waits again: two flights never share a lead.
            if set.lead().is_some_and(|lead| self.leads.contains(&lead)) {
                self.blocked = true;
                continue;
            }
            *self.claiming.entry(contact.clone()).or_default() += 1;
            self.start(contact.clone(), Work::Heap(set));
        }
        Ok(())
    }

    /// Whether something may go to a contact's target, and then whether it is the probe.
    async fn may_go(&mut self, contact: &Contact, waiting: Option<u64>, around: Around<'_>) -> Result<Option<bool>, Fault> {
        if !self.circuits.any() {
            self.all_told.clear();
            return Ok(Some(false));
        }
        let Some(target) = target_of(around.org, contact) else { return Ok(Some(false)) };
        match self.circuits.gate(&target, around.now) {
            Gate::Free => Ok(Some(false)),
            Gate::Shut(open) => {
                self.tell_who_waits(contact, &open, waiting, around).await?;
                Ok(None)
            }
            Gate::Probe { before, after } => {
                match around.db.commit_in(Space::Reserved, vec![rows::circuit::probe(&before, &after)]).await {
                    Ok(()) => {
                        self.circuits.taken(after);
                        Ok(Some(true))
                    }
                    Err(CommitError::Conflict { .. }) => {
                        // Another node took it, or heard an answer.
                        self.circuits.replace(rows::circuit::all(around.db).await?);
                        Ok(None)
                    }
                    Err(CommitError::Fault(fault)) => Err(fault),
                }
            }
        }
    }

    /// Nothing leaves for a target that does not answer: the pages that wait for it hear so once, so that the next way
    /// or step follows at once.
    async fn tell_who_waits(&mut self, contact: &Contact, open: &Open, waiting: Option<u64>, around: Around<'_>) -> Result<(), Fault> {
        let now = around.now;
        let all_told = |(told, at): &(u64, Timestamp)| waiting == Some(*told) && *at <= now && now < after(*at, ALL_TOLD_FOR);
        if self.all_told.get(contact).is_some_and(all_told) {
            return Ok(());
        }
        if rows::message::untried(around.db, (&contact.0, &contact.1), COUNTS_AS_FAILED, now, 1).await?.is_empty() {
            if let Some(waiting) = waiting {
                self.all_told.insert(contact.clone(), (waiting, now));
            }
            return Ok(());
        }
        self.all_told.remove(contact);
        let why = format!("{} does not answer since {}: {}", open.target, open.since.strftime("%H:%M:%S UTC"), open.why);
        *self.claiming.entry(contact.clone()).or_default() += 1;
        self.orders.push(Order::Waits(contact.clone(), why));
        Ok(())
    }

    /// What was born for a target that does not answer waits in the store with the rest.
    fn is_shut(&self, contact: &Contact, around: Around<'_>) -> bool {
        self.circuits.any() && target_of(around.org, contact).is_some_and(|target| self.circuits.gate(&target, around.now) != Gate::Free)
    }

    /// A message was decided, and is claimed by its decision.
    pub fn take(&mut self, message: Box<StoredMessage>, around: Around<'_>) {
        let contact = (message.person.clone(), message.contact.clone());
        let age = message.claimed_at.map(|at| around.now.duration_since(at));
        let heard_late = age.is_none_or(|age| age > CLAIM_HEARD_WITHIN.as_duration());
        let claimed_ns = (!heard_late).then_some(around.monotonic_ns);
        let queue = self.born.entry(contact.clone()).or_default();
        if queue.is_empty() {
            self.turn.push_back(contact);
        }
        queue.push_back(Job { message, claimed_ns });
    }

    /// A page ended: what of it has not begun is not begun.
    pub fn ended(&mut self, page: PageId, now: Timestamp) {
        for (contact, queue) in &mut self.born {
            let before = self.orders.len();
            queue.retain(|job| {
                let keep = job.message.page != page || !job.message.notice.kind.looks();
                if !keep {
                    self.orders.push(Order::Withdraw(job.message.id));
                }
                keep
            });
            if self.orders.len() > before
                && let Some(windows) = &self.windows
            {
                windows.not_told(contact, now);
            }
        }
        self.born.retain(|_, queue| !queue.is_empty());
        self.turn.retain(|contact| self.born.contains_key(contact));
    }

    /// Claims that grew old go back to the heap, many at once: there they are claimed anew when there is room. Gives how
    /// many went back.
    ///
    /// # Errors
    /// When the store does not answer: they are given back at the next round.
    pub async fn return_stale(&mut self, around: Around<'_>) -> Result<usize, CommitError> {
        if self.stale.is_empty() {
            return Ok(0);
        }
        let writes = self.stale.iter().map(|id| rows::message::give_back(*id, self.node, around.now)).collect();
        around.db.commit_in(Space::Reserved, writes).await?;
        Ok(self.stale.drain(..).len())
    }

    /// Whether claims grew old that the store does not have back yet.
    #[must_use]
    pub fn has_stale(&self) -> bool {
        !self.stale.is_empty()
    }

    /// Starts what there is room for of what was decided a moment ago, contact after contact.
    pub fn start_what_was_born(&mut self, around: Around<'_>) {
        let is_fresh = |job: &Job| job.claimed_ns.is_some_and(|ns| around.monotonic_ns.saturating_sub(ns) <= CLAIM_FRESH_NS);
        let mut tried = 0;
        while tried < self.turn.len() {
            let Some(contact) = self.turn.pop_front() else { return };
            if self.is_shut(&contact, around) {
                self.stale.extend(self.born.remove(&contact).into_iter().flatten().map(|job| job.message.id));
                continue;
            }
            let Some(queue) = self.born.get_mut(&contact) else { continue };
            while let Some(job) = queue.pop_front_if(|job| !is_fresh(job)) {
                self.stale.push(job.message.id);
            }
            let flying = self.flying.get(&contact).copied().unwrap_or(0);
            let room = self.under_way < self.settings.at_once && (self.settings.per_target == 0 || flying < self.settings.per_target);
            let job = if room { queue.pop_front() } else { None };
            let is_done = queue.is_empty();
            if is_done {
                self.born.remove(&contact);
            } else {
                self.turn.push_back(contact.clone());
            }
            match job {
                Some(job) => {
                    tried = 0;
                    self.start(contact, Work::Born(job.message));
                }
                // Who left the turn is not counted among those who stand in it still.
                None => tried += usize::from(!is_done),
            }
        }
    }

    fn start(&mut self, contact: Contact, work: Work) {
        self.under_way += 1;
        *self.flying.entry(contact.clone()).or_default() += 1;
        self.leads.extend(work.lead());
        self.orders.push(Order::Fly(contact, work));
    }

    /// What a flight takes of the contact's heap is taken, or all who wait were told. Gives when the heaps are to be
    /// looked at for it.
    pub fn claimed(&mut self, contact: &Contact, now: Timestamp) -> Option<Timestamp> {
        count_down(&mut self.claiming, contact);
        // Looking costs more than claiming where many wait: once for half of them.
        (self.claiming.len() <= CLAIMS_AT_ONCE / 2 && self.blocked).then_some(now)
    }

    /// A flight ended. Gives when the heaps are to be looked at for it.
    pub fn landed(&mut self, contact: &Contact, lead: Option<MessageId>, landed: Landed, now: Timestamp) -> Option<Timestamp> {
        self.under_way -= 1;
        count_down(&mut self.flying, contact);
        if let Some(lead) = lead {
            self.taking.remove(&lead);
            self.leads.remove(&lead);
        }
        if landed.failed
            && let Some(windows) = &self.windows
        {
            windows.not_told(contact, now);
        }
        if landed.put_off {
            self.stranded_left = true;
            return Some(after(now, PUT_OFF));
        }
        (landed.missed || self.blocked).then_some(now)
    }
}

/// What fails as a whole where a contact does not answer; nothing where there is no such contact any more.
pub(crate) fn target_of(org: &Org, (person, contact): &Contact) -> Option<String> {
    let (contact, _) = org.contact(person, contact)?;
    let form = org.channels().of(&contact.address)?;
    match form.carriage {
        Carriage::Http(_) => form.server(&contact.address).map(circuit::host_of),
        Carriage::Mail => Some(circuit::MAIL.to_owned()),
        Carriage::Telephone => Some(circuit::TELEPHONE.to_owned()),
        Carriage::Vendor { name, .. } => Some(name.to_owned()),
    }
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
