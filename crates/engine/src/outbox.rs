//! The outbox loop: what was decided is sent, and how that ended becomes a command.
//!
//! A message is born claimed; its send starts at once if there is room. A claim older than
//! [`CLAIM_FRESH_NS`] is renewed before the first byte, so that nothing is begun for a page that
//! ended meanwhile. What a node that died had claimed is in doubt and sent again under its id.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::Ordering;

use allclear_domain::expect::LATE_AFTER;
use allclear_domain::ids::{MessageId, PageId};
use allclear_domain::time::{Length, after, from_micros};
use allclear_domain::wire::{Message, Notice, NoticeKind, Outcome, Target};
use allclear_store::rows::message::Stored;
use allclear_store::{Dialect, rows};
use tokio::sync::mpsc;

use crate::core::Command;
use crate::decide_loop::ToOutbox;
use crate::engine::{Engine, ours};
use crate::stages::Measure;
use crate::trouble::Stage;

/// A claim is good for this long before the first byte.
const CLAIM_FRESH_NS: u64 = 2_000_000_000;
/// A claim that became known later than this after its decision is renewed.
const CLAIM_HEARD_WITHIN: Length = Length::from_secs(1);
/// On PostgreSQL, a claim of another node is in doubt after this long: longer than the longest
/// send (a mail may take 30 s) and its report.
const LEASE: Length = Length::from_secs(60);
/// The backstop: waiting and orphaned messages are looked for at least this often.
const LOOK_AT_LEAST_EVERY: Length = Length::from_secs(5);
/// Messages read at a time.
const READ_MAX: i64 = 512;
/// Notices in one bundled message: what fits into 20 KB.
const BUNDLE_MAX: usize = 30;

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

/// Sends under way at once to one contact, unless set otherwise.
pub const PER_TARGET_DEFAULT: usize = 4;
/// Sends under way at once in all, unless set otherwise.
pub const AT_ONCE_DEFAULT: usize = 512;

impl Default for OutboxSettings {
    fn default() -> Self {
        Self { per_target: PER_TARGET_DEFAULT, at_once: AT_ONCE_DEFAULT, bundle: true }
    }
}

struct Job {
    message: Box<Stored>,
    /// When the claim was heard of; absent where it was old by then.
    claimed_ns: Option<u64>,
}

/// Whom a message goes to: person and contact.
type Contact = (String, String);

/// See the module.
pub(crate) struct Outbox {
    engine: Engine,
    inbox: mpsc::UnboundedReceiver<ToOutbox>,
    waiting: HashMap<Contact, VecDeque<Job>>,
    flying: HashMap<Contact, usize>,
    /// Contacts that have waiting messages, in the order of their first.
    turn: VecDeque<Contact>,
    /// Whether earlier runs may have left messages claimed that nobody took over yet.
    orphans_left: bool,
    /// Claims whose answer is not known: tried again first.
    again: Vec<(Stored, Option<String>)>,
    under_way: usize,
    done: (mpsc::UnboundedSender<Contact>, mpsc::UnboundedReceiver<Contact>),
}

impl Outbox {
    pub(crate) fn new(engine: Engine, inbox: mpsc::UnboundedReceiver<ToOutbox>) -> Self {
        Self {
            engine,
            inbox,
            waiting: HashMap::new(),
            flying: HashMap::new(),
            turn: VecDeque::new(),
            orphans_left: true,
            again: Vec::new(),
            under_way: 0,
            done: mpsc::unbounded_channel(),
        }
    }

    pub(crate) async fn run(mut self) {
        let shared = self.engine.shared.clone();
        let _ends = crate::engine::Ends(shared.clone());
        let mut look_at = self.engine.now();
        shared.stages.set(Measure::SendRounds, 1);
        loop {
            shared.stages.did(Measure::SendRounds);
            shared.stages.gate(Stage::Send).await;
            if self.engine.now() >= look_at {
                look_at = self.look().await;
            }
            // Every end that was committed is heard before anything is begun.
            while let Ok(told) = self.inbox.try_recv() {
                self.hear(told);
            }
            self.start_what_fits();
            shared.stages.set(Measure::Sends, self.under_way + self.waiting.len());
            let known = from_micros(shared.next_attempt_at());
            tokio::select! {
                biased;
                Some(contact) = self.done.1.recv() => self.landed(&contact),
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

    /// Reads what waits in the store; gives the instant of the next look.
    async fn look(&mut self) -> jiff::Timestamp {
        let shared = self.engine.shared.clone();
        let now = self.engine.now();
        let backstop = after(now, LOOK_AT_LEAST_EVERY);
        shared.set_next_attempt(i64::MAX);
        if self.engine.is_quarantined() {
            return backstop;
        }
        let own_store = shared.db.dialect() == Dialect::Sqlite;
        // On SQLite nobody else can have claimed: what earlier runs left is in doubt at once, also
        // where the clock was set back since.
        let before = if own_store { jiff::Timestamp::MAX } else { now.checked_sub(LEASE.as_duration()).unwrap_or(now) };
        let again = std::mem::take(&mut self.again);
        if !again.is_empty() {
            self.claim(again).await;
        }
        if self.orphans_left || !own_store {
            match rows::message::orphaned(&shared.db, shared.node, before, READ_MAX).await {
                Ok(orphans) => {
                    let more = orphans.len() as i64 == READ_MAX;
                    let doubt = || Some("its sender stopped while it was under way".to_owned());
                    let all = self.claim(orphans.into_iter().map(|orphan| (orphan, doubt())).collect()).await;
                    // What could not be claimed, or not even read, is looked for again.
                    self.orphans_left = more || !all;
                    if more && all {
                        return now;
                    }
                }
                Err(fault) => self.engine.note_fault(&fault.to_string()),
            }
        }
        match rows::message::due(&shared.db, now, READ_MAX).await {
            Ok(due) => {
                let more = due.len() as i64 == READ_MAX;
                self.claim(due.into_iter().map(|message| (message, None)).collect()).await;
                if more {
                    return now;
                }
            }
            Err(fault) => self.engine.note_fault(&fault.to_string()),
        }
        match rows::message::next_attempt(&shared.db).await {
            Ok(Some(at)) => at.max(now).min(backstop).max(after(now, Length::from_millis(1))),
            _ => backstop,
        }
    }

    /// Claims messages together, so that they share a commit. Whether the store has all of them, or
    /// they are not to be had; where that is not known they are claimed again at the next look.
    async fn claim(&mut self, messages: Vec<(Stored, Option<String>)>) -> bool {
        let asked = messages.into_iter().map(|(message, doubt)| {
            let engine = self.engine.clone();
            async move {
                let command = Command::Claim { message: Box::new(message.clone()), doubt: doubt.clone() };
                let reply = engine.submit(ours(&format!("message:{}", message.id), command)).await;
                // A lost race is another node's claim.
                matches!(reply, Err(crate::core::Refusal::Unavailable(_))).then_some((message, doubt))
            }
        });
        let unknown: Vec<_> = crate::engine::join(asked.collect()).await.into_iter().flatten().collect();
        let all = unknown.is_empty();
        self.again.extend(unknown);
        all
    }

    fn hear(&mut self, told: ToOutbox) {
        match told {
            ToOutbox::Send(message) => self.take(message),
            ToOutbox::Ended(page) => self.ended(page),
        }
    }

    fn take(&mut self, message: Box<Stored>) {
        let contact = (message.person.clone(), message.contact.clone());
        // Its claim may have become known late: then it is renewed before the first byte.
        let age = message.claimed_at.map(|at| self.engine.now().duration_since(at));
        let heard_late = age.is_none_or(|age| age > CLAIM_HEARD_WITHIN.as_duration());
        let claimed_ns = (!heard_late).then(|| self.engine.shared.ports.clock.monotonic_ns());
        let queue = self.waiting.entry(contact.clone()).or_default();
        if queue.is_empty() {
            self.turn.push_back(contact);
        }
        queue.push_back(Job { message, claimed_ns });
    }

    /// A page ended: what of it has not begun is not begun.
    fn ended(&mut self, page: PageId) {
        let mut dropped = Vec::new();
        for queue in self.waiting.values_mut() {
            queue.retain(|job| {
                let keep = job.message.page != page || job.message.notice.kind != NoticeKind::Page;
                if !keep {
                    dropped.push(job.message.id);
                }
                keep
            });
        }
        self.waiting.retain(|_, queue| !queue.is_empty());
        self.turn.retain(|contact| self.waiting.contains_key(contact));
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

    fn start_what_fits(&mut self) {
        let settings = self.engine.shared.settings.outbox;
        let mut tried = 0;
        while self.under_way < settings.at_once && tried < self.turn.len() {
            let Some(contact) = self.turn.pop_front() else { return };
            let flying = self.flying.get(&contact).copied().unwrap_or(0);
            if settings.per_target > 0 && flying >= settings.per_target {
                self.turn.push_back(contact);
                tried += 1;
                continue;
            }
            let Some(queue) = self.waiting.get_mut(&contact) else { continue };
            // Only what had to wait is bundled: a page alone never waits for company.
            let backlog = settings.per_target > 0 && settings.bundle && flying + 1 >= settings.per_target;
            let many = if backlog { BUNDLE_MAX } else { 1 };
            // A question is never mixed with pages.
            let pages = queue.iter().take(many).take_while(|job| job.message.notice.kind == NoticeKind::Page).count();
            let jobs: Vec<Job> = queue.drain(..pages.max(1).min(queue.len())).collect();
            if queue.is_empty() {
                self.waiting.remove(&contact);
            } else {
                self.turn.push_back(contact.clone());
            }
            if jobs.is_empty() {
                continue;
            }
            tried = 0;
            self.under_way += 1;
            *self.flying.entry(contact.clone()).or_default() += 1;
            let done = self.done.0.clone();
            let engine = self.engine.clone();
            let tasks = self.engine.shared.tasks.clone();
            self.engine.shared.tasks.spawn(async move {
                // A task of its own, so that a panic in a channel frees the contact's place.
                if tasks.spawn(async move { send(&engine, jobs).await }).await.is_err() {
                    tracing::error!("a send panicked; its message stays claimed and is in doubt at the next start");
                }
                // The loop may have stopped; then nobody counts.
                let _ = done.send(contact);
            });
        }
    }

    fn landed(&mut self, contact: &Contact) {
        self.under_way -= 1;
        if let Some(flying) = self.flying.get_mut(contact) {
            *flying -= 1;
            if *flying == 0 {
                self.flying.remove(contact);
            }
        }
    }
}

/// Sends one or more messages to one contact as one, and reports on each.
async fn send(engine: &Engine, jobs: Vec<Job>) {
    let shared = &engine.shared;
    let mut fresh = Vec::with_capacity(jobs.len());
    for job in jobs {
        let fresh_enough =
            job.claimed_ns.is_some_and(|claimed| shared.ports.clock.monotonic_ns().saturating_sub(claimed) <= CLAIM_FRESH_NS);
        if !fresh_enough {
            let cause = format!("message:{}", job.message.id);
            engine.insist(ours(&cause, Command::Claim { message: job.message, doubt: None })).await;
            shared.busy.fetch_sub(1, Ordering::SeqCst);
        } else {
            fresh.push(job.message);
        }
    }
    let Some(lead) = fresh.first() else { return };
    let outcome = match target(engine, &lead.person, &lead.contact) {
        Ok(target) => {
            let message = render(engine, &fresh);
            shared.ports.transport.send(&lead.channel, &message, &target, engine.now()).await
        }
        Err(why) => Outcome::Rejected { why },
    };
    shared.stages.did(Measure::Sends);
    let lead_id = lead.id;
    for message in fresh {
        let now = engine.now();
        let attempts = message.attempts + 1;
        let latency_ms = u64::try_from(now.duration_since(message.created_at).as_millis()).unwrap_or(0);
        if matches!(outcome, Outcome::Delivered { .. }) {
            shared.metrics.latency(now.duration_since(message.created_at).as_secs_f64());
        }
        let outcome = match &outcome {
            Outcome::Delivered { receipt } if message.id != lead_id => Outcome::Delivered { receipt: format!("{receipt}, with {lead_id}") },
            other => other.clone(),
        };
        let cause = format!("message:{}", message.id);
        engine.insist(ours(&cause, Command::Sent { message, attempts, outcome, latency_ms })).await;
        shared.busy.fetch_sub(1, Ordering::SeqCst);
    }
}

fn render(engine: &Engine, messages: &[Box<Stored>]) -> Message {
    let links = engine.links();
    let now = engine.now();
    let lead = &messages[0];
    // Decided in time and begun after a gap is late as well.
    let notice = |m: &Stored| Notice { late: m.notice.late || now > after(m.created_at, LATE_AFTER), ..m.notice.clone() };
    Message {
        id: lead.id,
        created_at: lead.created_at,
        in_doubt: messages.iter().any(|m| m.in_doubt),
        notices: messages.iter().map(|m| notice(m)).collect(),
        ack_urls: messages.iter().map(|m| links.ack_url(m.page, &m.person, m.created_at)).collect(),
        incident_urls: messages.iter().map(|m| links.incident_url(&m.notice.incident.reference)).collect(),
    }
}

/// The address behind a contact, as the organisation has it now.
fn target(engine: &Engine, person: &str, contact: &str) -> Result<Target, String> {
    let org = engine.org();
    let (contact, name) = org.contact(person, contact).ok_or_else(|| format!("`{person}` has no contact method `{contact}` any more"))?;
    if let Some(url) = &contact.webhook {
        return Ok(Target::Webhook { url: url.clone(), secret: contact.secret.clone() });
    }
    match &contact.email {
        Some(address) => Ok(Target::Email { address: address.clone(), name: name.to_owned() }),
        None => Err(format!("contact method `{}` of `{person}` has no address", contact.id)),
    }
}

impl crate::engine::Shared {
    pub(crate) fn next_attempt_at(&self) -> i64 {
        self.next_attempt_micros().load(Ordering::SeqCst)
    }
    pub(crate) fn set_next_attempt(&self, micros: i64) {
        self.next_attempt_micros().store(micros, Ordering::SeqCst);
    }
}
