//! The decider: a core, its store, and the rule that nothing decided is answered before it is
//! durable.
//!
//! Commands are decided one after another against the running state and committed in groups: while
//! one group is being synced the next is decided. A group that fails is forgotten and decided
//! again, each command in a commit of its own, reading what memory may have wrong. Needs no
//! runtime, so that the simulator drives the very same code.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use allclear_domain::event::Stream;
use allclear_domain::expect::{Expectation, Owner, Standing};
use allclear_domain::incident::KEY_UPDATE;
use allclear_domain::plants::planted;
use allclear_domain::time::{Length, before};
use allclear_store::unread::{Found, Unread};
use allclear_store::{CommitError, Db, Fault, FaultKind, Space, Write, rows};

use crate::core::silences;
use crate::core::{
    AlertKey, AnyState, Core, Effects, Input, Loaded, Need, OpenAlert, RECENT_MAX, REFERENCE_BLOCK, REFERENCE_BLOCK_MAX, Refusal, Reply,
    Stop, Unit, Witness, horizon,
};
use crate::ports::Ports;
use crate::read::ready;
use crate::run::space::space;

/// Alerts of an incident that are read where it is merged or taken apart: ten times what a merge remembers.
const BELONGS_MAX: i64 = 10_000;
/// A lost race is decided again this often before the answer is 503.
const TRIES_MAX: u32 = 5;
/// Needs of one command: a portion of signals has some for each of them. More means a bug.
const NEEDS_MAX: usize = 4_000;
/// Rows read at a time when memory is filled.
const FILL_ROWS: i64 = 5_000;
/// First number of `INC-…`.
const REFERENCE_FIRST: u64 = 1;
/// Random bytes drawn at a time for salts.
const SALT_POOL: usize = 4096;

/// A command that is decided and waits to become durable.
pub struct Pending<T> {
    pub(crate) input: Input,
    pub(crate) tag: T,
    pub(crate) reply: Result<Reply, Refusal>,
}

/// What was learned of a commit whose answer was lost.
enum Kept {
    /// It is durable: its answers and effects hold.
    Yes,
    /// The store does not answer. Callers are told to try again, and what follows it waits.
    Unknown,
}

/// What is decided and not durable yet.
pub struct Group<T> {
    pub(crate) pending: Vec<Pending<T>>,
    writes: Vec<Write>,
    effects: Vec<Effects>,
    /// Alerts that memory would have to read again if this group failed; `None`: all of them.
    touched: Option<Vec<AlertKey>>,
    /// An event of it, by which its commit can be recognised; all of it is one commit.
    witness: Option<Witness>,
}

impl<T> Default for Group<T> {
    fn default() -> Self {
        Self { pending: Vec::new(), writes: Vec::new(), effects: Vec::new(), touched: Some(Vec::new()), witness: None }
    }
}

impl<T> Group<T> {
    /// Commands in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pending.len()
    }
    /// Whether it is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }
    /// What its commit may take of the disk: only where each of its commands may take the reserve.
    #[must_use]
    pub(crate) fn space(&self) -> Space {
        let mut decided = self.pending.iter().filter(|pending| pending.reply.is_ok());
        if decided.all(|pending| space(&pending.input.command) == Space::Reserved) { Space::Reserved } else { Space::Free }
    }
    fn take(&mut self, unit: Unit, input: Input, tag: T, reply: Reply) {
        match (unit.touched(), &mut self.touched) {
            (Some(keys), Some(all)) => all.extend(keys),
            (None, touched) => *touched = None,
            (_, None) => {}
        }
        if self.witness.is_none() {
            self.witness = unit.witness();
        }
        let (mut writes, effects) = unit.into_parts();
        self.writes.append(&mut writes);
        self.effects.push(effects);
        self.pending.push(Pending { input, tag, reply: Ok(reply) });
    }
    /// Takes the writes out, to commit them.
    pub(crate) fn take_writes(&mut self) -> Vec<Write> {
        std::mem::take(&mut self.writes)
    }
}

/// A command that is answered, with what follows.
pub struct Done<T> {
    pub tag: T,
    pub reply: Result<Reply, Refusal>,
}

/// See the module.
pub struct Decider {
    pub(crate) core: Core,
    db: Db,
    ports: Ports,
    salts: Vec<u8>,
    /// Set after a fault: memory is filled again before the next decision.
    cold: bool,
    /// Commands that panicked, for the operator.
    pub(crate) panics: u64,
    /// Commits that lost a race.
    conflicts: u64,
    /// What did not come further however often it was decided, for the operator.
    no_progress: Vec<String>,
    /// What would follow commits of which nobody knows yet whether they took effect.
    unsure: Vec<(Witness, Vec<Effects>)>,
    /// What follows commits of which that was learned later.
    found: Vec<Effects>,
    unread: Vec<Unread>,
    /// The same of all alerts, when memory was filled last.
    unread_alerts: Option<Vec<Unread>>,
    /// The block of references that was drawn last.
    drawn: Option<Drawn>,
}

struct Drawn {
    /// The first that was not drawn.
    to: u64,
    block: u64,
    at_ns: u64,
}

impl Decider {
    /// Over an empty core; [`fill`](Self::fill) it before the first decision.
    #[must_use]
    pub fn new(core: Core, db: Db, ports: Ports) -> Self {
        Self {
            core,
            db,
            ports,
            salts: Vec::new(),
            cold: true,
            panics: 0,
            conflicts: 0,
            no_progress: Vec::new(),
            unsure: Vec::new(),
            found: Vec::new(),
            unread: Vec::new(),
            unread_alerts: None,
            drawn: None,
        }
    }

    /// The core, to look at.
    #[must_use]
    pub fn core(&self) -> &Core {
        &self.core
    }

    /// The core, to change what is in force.
    pub fn core_mut(&mut self) -> &mut Core {
        &mut self.core
    }

    /// Commands that panicked in a rule and were refused.
    #[must_use]
    pub const fn panics(&self) -> u64 {
        self.panics
    }

    /// Whether memory is to be filled again before the next decision.
    #[must_use]
    pub const fn is_cold(&self) -> bool {
        self.cold
    }

    /// Alerts whose soft part waits to be written: after a commit that failed at least one, since memory that is cold does not
    /// know what the commit took with it. Where nodes share a store another looks at the rows meanwhile.
    #[must_use]
    pub fn to_flush(&self) -> usize {
        self.core.dirty_alerts().max(usize::from(self.cold))
    }

    /// Commits that lost a race; on a store of one node's own there are none but repeated
    /// idempotency keys.
    #[must_use]
    pub const fn conflicts(&self) -> u64 {
        self.conflicts
    }

    /// Commands that were given up since the last call, since deciding them again did not come further.
    pub fn take_no_progress(&mut self) -> Vec<String> {
        std::mem::take(&mut self.no_progress)
    }

    /// Fills the memory of open alerts from the store.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn fill(&mut self) -> Result<(), Fault> {
        self.core.forget();
        self.core.forget_alerts();
        let mut after = String::new();
        let mut unread = Vec::new();
        loop {
            let (page, last) = rows::alert::open_after(&self.db, &after, FILL_ROWS).await?;
            let Some(last) = last else { break };
            after = last;
            unread.extend(page.unread);
            for open in page.read {
                let alert = OpenAlert {
                    id: open.id,
                    incident: open.incident,
                    severity: open.severity,
                    sender_severity: open.sender_severity,
                    silenced_until: open.silenced_until,
                    ends_at: open.ends_at,
                    last_seen_at: open.last_seen_at,
                    count: open.count,
                    text: open.text.unwrap_or(0),
                    returns: open.returns,
                };
                self.core.load_open(&open.integration, &open.dedup_key, alert);
            }
        }
        // All of them: what was mended or is gone is not among them any more.
        self.unread_alerts = Some(unread);
        self.core.end_of_loading();
        let since = before(self.ports.clock.now(), horizon(self.core.org()));
        let mut ended = rows::alert::ended_since(&self.db, since, RECENT_MAX as i64).await?;
        ended.reverse();
        self.core.load_ended(ended);
        for incident in rows::expectation::running_digests(&self.db).await? {
            self.core.load_digest(incident);
        }
        while let Some((witness, _)) = self.unsure.last() {
            let took = self.is_kept(&witness.clone()).await?;
            if let Some((_, effects)) = self.unsure.pop()
                && took
            {
                self.found.extend(effects);
            }
        }
        self.cold = false;
        Ok(())
    }

    /// Rows that did not read when memory was filled: memory goes without them.
    pub fn take_unread(&mut self) -> Vec<Unread> {
        std::mem::take(&mut self.unread)
    }

    /// All alerts that did not read when memory was filled, once after each filling: those of before that are not among
    /// them were mended, or are gone.
    pub fn take_unread_alerts(&mut self) -> Option<Vec<Unread>> {
        self.unread_alerts.take()
    }

    /// What follows commits whose answer was lost and that turned out to be durable: messages of
    /// theirs are claimed by this node, and nobody else would send them.
    pub fn take_found(&mut self) -> Vec<Effects> {
        std::mem::take(&mut self.found)
    }

    async fn is_kept(&self, witness: &Witness) -> Result<bool, Fault> {
        let after = witness.version - 1;
        let events = rows::event::of_stream(&self.db, &witness.stream.to_string(), after, 1).await?;
        Ok(events.first().is_some_and(|event| event.version == witness.version && event.hash == witness.hash))
    }

    /// A commit ended and nobody knows how: looks whether it took effect. `None`: it did not, or
    /// deciding it again does no harm.
    async fn after_all<T>(&mut self, group: &mut Group<T>) -> Option<Kept> {
        self.cold = true;
        let witness = group.witness.clone()?;
        match self.is_kept(&witness).await {
            Ok(true) => Some(Kept::Yes),
            Ok(false) => None,
            Err(_) => {
                self.unsure.push((witness, std::mem::take(&mut group.effects)));
                Some(Kept::Unknown)
            }
        }
    }

    /// Decides one command into a group. Gives back the command when what is decided so far must be
    /// durable first, since the store has to be read.
    pub(crate) async fn add<T>(&mut self, group: &mut Group<T>, input: Input, tag: T) -> Option<(Input, T)> {
        if self.cold && self.has_room_for(&input) {
            if !group.is_empty() {
                return Some((input, tag));
            }
            if let Err(fault) = self.fill().await {
                group.pending.push(Pending { input, tag, reply: Err(unavailable(&fault)) });
                return None;
            }
        }
        self.add_if_known(group, false, input, tag).await.err()
    }

    /// The same, with a commit in flight or commands decided before it: only where nothing has to
    /// be read that those may change.
    pub(crate) async fn add_if_known<T>(&mut self, group: &mut Group<T>, flying: bool, input: Input, tag: T) -> Result<(), (Input, T)> {
        if !self.has_room_for(&input) {
            group.pending.push(Pending { input, tag, reply: Err(Refusal::Unavailable("the disk is full".into())) });
            return Ok(());
        }
        if self.cold {
            return Err((input, tag));
        }
        let mut asked = HashSet::new();
        loop {
            match self.attempt(&input) {
                Err(Stop::Need(need)) if reads_what_may_wait(&need) && (flying || !group.writes.is_empty()) => {
                    self.core.clear_read();
                    return Err((input, tag));
                }
                // What was read once is there: asked for again, deciding would go on for ever.
                Err(Stop::Need(need)) if asked.len() == NEEDS_MAX || !asked.insert(need.clone()) => {
                    self.core.clear_read();
                    self.gives_up(&input, &format!("{need:?} is asked for again after {} readings", asked.len()));
                    group.pending.push(Pending { input, tag, reply: Err(Refusal::Broken) });
                    return Ok(());
                }
                Err(Stop::Need(need)) => match self.read(&need).await {
                    Ok(loaded) => self.core.load(loaded),
                    Err(fault) => {
                        self.core.clear_read();
                        let refusal = if fault.kind == FaultKind::Column { unread(&input, &fault) } else { unavailable(&fault) };
                        group.pending.push(Pending { input, tag, reply: Err(refusal) });
                        return Ok(());
                    }
                },
                Err(Stop::Refused(refusal)) => {
                    self.core.clear_read();
                    group.pending.push(Pending { input, tag, reply: Err(refusal) });
                    return Ok(());
                }
                Ok((reply, unit)) => {
                    group.take(unit, input, tag, reply);
                    return Ok(());
                }
            }
        }
    }

    /// On a full disk what would be refused by the store is refused before it costs anything.
    fn has_room_for(&self, input: &Input) -> bool {
        !self.db.is_short() || space(&input.command) == Space::Reserved
    }

    fn gives_up(&mut self, input: &Input, why: &str) {
        tracing::error!(cause = %input.cause, why, "a command does not come further and was refused; other commands go on");
        self.no_progress.push(format!("{}: {why}", input.cause));
    }

    /// What was decided after a group that failed is not durable either: memory reads it again.
    pub(crate) fn also_touched<T>(&mut self, later: &Group<T>) {
        match &later.touched {
            Some(keys) if keys.is_empty() => {}
            _ => self.cold = true,
        }
    }

    /// One attempt; a panic in a rule is a refusal, and stops nothing else.
    fn attempt(&mut self, input: &Input) -> Result<(Reply, Unit), Stop> {
        let now = self.ports.clock.now();
        let rng = self.ports.rng.clone();
        let pool = &mut self.salts;
        let mut salt = || {
            if pool.len() < 16 {
                pool.resize(SALT_POOL, 0);
                rng.fill(pool);
            }
            let mut salt = [0; 16];
            salt.copy_from_slice(&pool[pool.len() - 16..]);
            pool.truncate(pool.len() - 16);
            salt
        };
        let core = &mut self.core;
        catch_unwind(AssertUnwindSafe(|| core.decide(input, now, &mut salt))).unwrap_or_else(|_| {
            self.core.clear_read();
            self.panics += 1;
            tracing::error!(cause = %input.cause, "a command panicked and was refused; other commands go on");
            Err(Stop::Refused(Refusal::Broken))
        })
    }

    /// The group is durable: answers and effects may go out.
    pub(crate) fn durable<T>(group: Group<T>) -> (Vec<Done<T>>, Vec<Effects>) {
        let done = group.pending.into_iter().map(|p| Done { tag: p.tag, reply: p.reply }).collect();
        (done, group.effects)
    }

    /// The group failed: forget it, and decide each command again in a commit of its own.
    pub(crate) async fn again<T>(&mut self, mut group: Group<T>, error: CommitError) -> (Vec<Done<T>>, Vec<Effects>) {
        self.core.forget();
        if let CommitError::Fault(fault) = &error
            && fault.outcome_unknown
        {
            match self.after_all(&mut group).await {
                Some(Kept::Yes) => return Self::durable(group),
                Some(Kept::Unknown) => {
                    for pending in &mut group.pending {
                        if pending.reply.is_ok() {
                            pending.reply = Err(unavailable(fault));
                        }
                    }
                    return Self::durable(group);
                }
                None => {}
            }
        }
        let mut done = Vec::new();
        let mut effects = Vec::new();
        let conflict = matches!(error, CommitError::Conflict { .. });
        self.conflicts += u64::from(conflict);
        match (&group.touched, conflict && self.core.is_shared()) {
            (Some(keys), true) => {
                for key in keys {
                    self.core.forget_alert(key);
                }
                if self.refresh(keys).await.is_err() {
                    self.cold = true;
                }
            }
            _ => self.cold = true,
        }
        let fault = match error {
            CommitError::Fault(fault) if !fault.outcome_unknown => Some(fault),
            CommitError::Fault(_) | CommitError::Conflict { .. } => None,
        };
        // What may use the reserve was refused only because it shared a commit with what may not.
        let shared_it = group.space() == Space::Free && fault.as_ref().is_some_and(|fault| fault.kind == FaultKind::Full);
        for pending in group.pending {
            let once_more = shared_it && space(&pending.input.command) == Space::Reserved;
            if let (Some(fault), Ok(_), false) = (&fault, &pending.reply, once_more) {
                // The store said no to all of it: say so at once rather than queue behind a disk
                // that is full. Senders try again; our own loops do too.
                done.push(Done { tag: pending.tag, reply: Err(unavailable(fault)) });
                continue;
            }
            if pending.reply.is_err() && fault.is_some() {
                done.push(Done { tag: pending.tag, reply: pending.reply });
                continue;
            }
            let (reply, follows) = self.alone(pending.input).await;
            effects.extend(follows);
            done.push(Done { tag: pending.tag, reply });
        }
        (done, effects)
    }

    /// One command in a commit of its own, reading what memory may have wrong.
    async fn alone(&mut self, input: Input) -> (Result<Reply, Refusal>, Vec<Effects>) {
        let mut why = String::new();
        for _ in 0..TRIES_MAX {
            self.core.set_careful(true);
            let mut group = Group::default();
            // The group is empty, so nothing can have to be durable first.
            let back = self.add(&mut group, input.clone(), ()).await;
            self.core.set_careful(false);
            debug_assert!(back.is_none(), "an empty group never waits");
            let failed = match self.db.commit_in(group.space(), group.take_writes()).await {
                Ok(()) => {
                    let (mut done, effects) = Self::durable(group);
                    return (done.pop().map_or(Err(Refusal::Broken), |d| d.reply), effects);
                }
                Err(error) => error,
            };
            self.core.forget();
            if let CommitError::Fault(fault) = &failed
                && fault.outcome_unknown
            {
                match self.after_all(&mut group).await {
                    Some(Kept::Yes) => {
                        let (mut done, effects) = Self::durable(group);
                        return (done.pop().map_or(Err(Refusal::Broken), |d| d.reply), effects);
                    }
                    Some(Kept::Unknown) => return (Err(unavailable(fault)), Vec::new()),
                    None => {}
                }
            }
            self.conflicts += u64::from(matches!(failed, CommitError::Conflict { .. }));
            match (&failed, &group.touched) {
                (CommitError::Conflict { .. }, Some(keys)) if self.core.is_shared() => {
                    for key in keys {
                        self.core.forget_alert(key);
                    }
                    if self.refresh(keys).await.is_err() {
                        self.cold = true;
                    }
                }
                _ => self.cold = true,
            }
            if let CommitError::Fault(fault) = &failed
                && !fault.outcome_unknown
            {
                return (Err(unavailable(fault)), Vec::new());
            }
            why = failed.to_string();
        }
        self.gives_up(&input, &format!("it lost {TRIES_MAX} races in a row, the last with: {why}"));
        // Our own look at a deadline comes again by itself: it is this row's trouble, and not the store's.
        let refusal = if matches!(input.command, crate::core::Command::Look(_)) { Refusal::Broken } else { Refusal::Unavailable(why) };
        (Err(refusal), Vec::new())
    }

    /// Reads these conditions again. Only where nodes share a store: alone, memory is filled as a
    /// whole instead, since the store keeps no index of open conditions then.
    async fn refresh(&mut self, keys: &[AlertKey]) -> Result<(), Fault> {
        for key in keys {
            let (integration, dedup_key) = key.parts();
            if let Some(alert) = rows::alert::open_by_key(&self.db, integration, dedup_key).await? {
                self.core.load_open(integration, dedup_key, OpenAlert::of(&alert));
            }
        }
        self.core.end_of_loading();
        Ok(())
    }

    /// Decides and commits commands one group at a time: the simulator's way, and the kill loop's
    /// where order matters.
    pub async fn process<T>(&mut self, inputs: Vec<(Input, T)>) -> (Vec<Done<T>>, Vec<Effects>) {
        let mut done = Vec::new();
        let mut effects = Vec::new();
        let mut group = Group::default();
        for (input, tag) in inputs {
            let mut next = Some((input, tag));
            while let Some((input, tag)) = next {
                next = self.add(&mut group, input, tag).await;
                if next.is_some() {
                    let (more, follows) = self.finish(std::mem::take(&mut group)).await;
                    done.extend(more);
                    effects.extend(follows);
                }
            }
        }
        let (more, follows) = self.finish(group).await;
        done.extend(more);
        effects.extend(follows);
        effects.extend(self.take_found());
        (done, effects)
    }

    async fn finish<T>(&mut self, mut group: Group<T>) -> (Vec<Done<T>>, Vec<Effects>) {
        let writes = group.take_writes();
        if writes.is_empty() {
            return Self::durable(group);
        }
        if allclear_domain::plants::planted("answer-before-commit") {
            return Self::durable(group);
        }
        match self.db.commit_in(group.space(), writes).await {
            Ok(()) => Self::durable(group),
            Err(error) => self.again(group, error).await,
        }
    }

    async fn read(&mut self, need: &Need) -> Result<Loaded, Fault> {
        let db = &self.db;
        Ok(match need {
            Need::Incident(id) => {
                let found = rows::incident::get(db, *id).await?.map(Box::new);
                let pages = if found.is_some() { rows::page::of_incident(db, *id).await? } else { Found::default() };
                self.unread.extend(pages.unread);
                Loaded::Incident(*id, found, pages.read)
            }
            Need::Page(id) => Loaded::Page(*id, rows::page::get(db, *id).await?.map(Box::new)),
            Need::Group(key) => Loaded::Group(key.clone(), rows::incident::by_group(db, key).await?),
            Need::AlertByKey(key) => {
                let (integration, dedup_key) = key.parts();
                Loaded::AlertByKey(key.clone(), rows::alert::open_by_key(db, integration, dedup_key).await?.map(Box::new))
            }
            Need::Alert(id) => Loaded::Alert(*id, rows::alert::get(db, *id).await?.map(Box::new)),
            Need::Totals(id) => {
                let (all, open) = rows::alert::totals(db, *id).await?;
                Loaded::Totals(*id, all, open)
            }
            Need::Expectation(owner, key, occurrence) => {
                let found = match owner.parse::<Owner>() {
                    Ok(parsed) => rows::expectation::get(db, parsed, key, *occurrence).await?.map(Box::new),
                    Err(_) => None,
                };
                Loaded::Expectation(owner.clone(), key.clone(), *occurrence, found)
            }
            Need::Answer(principal, key) => Loaded::Answer(principal.clone(), key.clone(), rows::token::answer(db, principal, key).await?),
            Need::State(stream) => {
                let found = match stream {
                    Stream::Review(id) => AnyState::found(rows::review::get(db, *id).await?),
                    Stream::Action(id) => AnyState::found(rows::action::get(db, *id).await?),
                    // These have needs of their own, or no state.
                    Stream::Incident(_) | Stream::Page(_) | Stream::Form(_) | Stream::Store => None,
                };
                Loaded::State(stream.clone(), found)
            }
            Need::Pages(ids) => Loaded::Pages(ids.clone(), rows::page::get_all(db, ids).await?),
            Need::Holders(ids) => Loaded::Holders(rows::message::holders(db, ids).await?),
            Need::Reached(id) => Loaded::Reached(*id, rows::message::reached(db, *id).await?),
            Need::Belongs(id) => {
                let alerts = rows::alert::newest_of(db, *id, BELONGS_MAX).await?;
                let awaited = rows::expectation::of_owner(db, Owner::Incident(*id)).await?;
                let live = awaited.iter().find(|one| one.key == KEY_UPDATE && one.standing == Standing::Live);
                Loaded::Belongs(*id, alerts, live.and_then(Expectation::deadline_at))
            }
            Need::Involved(id) => Loaded::Involved(*id, rows::reader::involved(db, *id).await?),
            Need::References { wanted } => self.draw_references(*wanted).await?,
            Need::Held(id) => {
                let (open, held, until) = rows::alert::held(db, *id).await?;
                Loaded::Held(*id, open, held, until)
            }
            Need::Heartbeat(integration, instance) => {
                let (found, many) = rows::heartbeat::get(db, integration, instance).await?;
                Loaded::Heartbeat(integration.clone(), instance.clone(), found, many)
            }
            Need::Turns(policy) => {
                let (turns, version) = rows::turn::get(db, policy).await?;
                Loaded::Turns(policy.clone(), turns, version)
            }
            Need::Drills(policy) => Loaded::Drills(policy.clone(), rows::page::drills_for(db, policy, self.ports.clock.now()).await?),
            Need::Busy => Loaded::Busy(rows::page::busy(db).await?),
            Need::Unready => {
                let transport = self.ports.transport.clone();
                Loaded::Unready(
                    ready::on_call_soon(db, self.core.org(), &|channel| transport.lacks(channel), self.ports.clock.now()).await?,
                )
            }
            Need::Cover(id) => {
                let found = rows::cover::by_id(db, id).await?;
                Loaded::Cover(id.clone(), found.map(|found| Box::new(found.request)))
            }
            Need::Misjudged(after) => {
                let (alerts, next) = silences::misjudged(db, self.core.org(), after, self.ports.clock.now()).await?;
                self.unread.extend(alerts.unread);
                Loaded::Misjudged(after.clone(), alerts.read, next)
            }
        })
    }

    /// Draws the next block of references in a commit of its own, as large as the command at hand
    /// needs: gaps are allowed, reuse is not.
    async fn draw_references(&mut self, wanted: u64) -> Result<Loaded, Fault> {
        let at_ns = self.ports.clock.monotonic_ns();
        let soon = self.drawn.as_ref().is_some_and(|drawn| Duration::from_nanos(at_ns.saturating_sub(drawn.at_ns)) < DRAWS_ARE_FREQUENT);
        let block = self.drawn.as_ref().filter(|_| soon).map_or(REFERENCE_BLOCK, |drawn| (drawn.block * 2).min(REFERENCE_BLOCK_MAX));
        let wanted = wanted.saturating_sub(self.core.references_left()).max(block);
        let many = if planted("references-replaced") { REFERENCE_BLOCK } else { wanted };
        let mut last = None;
        // Nobody else draws where this node is alone, so that what was drawn last is where the next begins.
        let mut known = self.drawn.take().filter(|_| !self.core.is_shared()).map(|drawn| drawn.to.to_string());
        for _ in 0..TRIES_MAX {
            let now = match known.take() {
                Some(known) => Some(known),
                None => rows::meta::get(&self.db, rows::meta::NEXT_REFERENCE).await?,
            };
            let from = now.as_deref().and_then(|n| n.parse().ok()).unwrap_or(REFERENCE_FIRST);
            let to = from + many;
            let write = match &now {
                Some(old) => rows::meta::swap(rows::meta::NEXT_REFERENCE, old, &to.to_string()),
                None => rows::meta::first(rows::meta::NEXT_REFERENCE, &to.to_string()),
            };
            match self.db.commit(vec![write]).await {
                Ok(()) => {
                    self.drawn = Some(Drawn { to, block, at_ns });
                    return Ok(Loaded::References { from, to });
                }
                Err(CommitError::Fault(fault)) if !fault.outcome_unknown => return Err(fault),
                Err(CommitError::Fault(fault)) => last = Some(fault),
                Err(CommitError::Conflict { .. }) => {}
            }
        }
        Err(last.unwrap_or_else(|| Fault::new(allclear_store::FaultKind::Injected, "other nodes draw references all the time")))
    }
}

/// Whether a need reads rows that an undecided commit may still change; what memory holds of
/// streams, groups and references is always ahead of the store. Whom an incident reached is asked some seconds after its
/// end: what was sent to them is durable by then, and a storm that ends would make a commit of each.
const fn reads_what_may_wait(need: &Need) -> bool {
    !matches!(need, Need::Incident(_) | Need::Page(_) | Need::Pages(_) | Need::Group(_) | Need::References { .. } | Need::Reached(_))
}

/// A row does not read, now or later: trying again would not help, and must hold up nobody else.
fn unread(input: &Input, fault: &Fault) -> Refusal {
    tracing::error!(cause = %input.cause, %fault, "a command needs a row that does not read, and was refused; other commands go on");
    Refusal::Broken
}

fn unavailable(fault: &Fault) -> Refusal {
    Refusal::Unavailable(fault.to_string())
}

/// Draws of references that follow within this time are for a storm: the next block is twice as large.
const DRAWS_ARE_FREQUENT: Duration = Duration::from_secs(1);

/// How long our own commands wait before they are tried again.
pub const RETRY_OWN_AFTER: Length = Length::from_millis(500);
