//! The task that decides, one command after another: it gathers commands into groups, commits them, and answers,
//! sends and wakes when they are durable. While one group is on its way to the store the next is decided.

use std::collections::{BTreeSet, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use allclear_domain::time::{Length, after};
use allclear_store::{CommitError, Fault, FaultKind, rows};
use futures_util::FutureExt as _;
use jiff::Timestamp;
use tokio::sync::{Notify, mpsc};

use crate::core::{Command, Effects, Input, Refusal, is_ours, ours};
use crate::run::decider::{Decider, Done, Group};
use crate::shared::{Control, Ends, FLUSH_EVERY, Shared, Tag, note_fault};
use crate::watch::stages::Measure;
use crate::watch::trouble::{Stage, Trouble};

/// Commands decided into one commit, and what our own of them carry together: a message of many pages counts as many.
const GROUP_MAX: usize = 1024;
/// Signals are decided into one commit for this long; whoever comes meanwhile waits no longer than that and two syncs.
/// A tenth of the 200 ms that an acknowledgement may take while a storm is decided.
const SIGNALS_WITHIN: Duration = Duration::from_millis(20);
/// And at least for this long, once the commit before has landed: shorter groups would cost a sync for little. With a
/// fast disk groups are short.
const SIGNALS_AT_LEAST: Duration = Duration::from_millis(4);
/// What is decided besides signals before these get a turn again, in what each command carries: so much further
/// ahead than signals the others may be, and both share evenly from there on.
const OTHERS_BEFORE_SIGNALS: usize = 64;
/// Commands of people decided before our own get a turn again: a deadline waits for no more than these.
const PEOPLE_BEFORE_OURS: usize = 64;
/// A command that did not come further is shown for this long after the last one.
const NO_PROGRESS_SHOWN: Length = Length::from_mins(10);
/// Alerts whose soft part is written in one commit.
const FLUSH_KEYS_MAX: usize = 1000;

/// What the decider hands to the outbox.
pub(crate) enum ToOutbox {
    Send(Box<rows::message::StoredMessage>),
    Ended(allclear_domain::ids::PageId),
    /// Something is held back for company.
    Held,
}

/// The task and what it holds.
pub(crate) struct Loop {
    pub shared: Arc<Shared>,
    pub decider: Decider,
    pub inbox: mpsc::Receiver<(Input, Tag)>,
    pub controls: mpsc::UnboundedReceiver<Control>,
    pub to_outbox: mpsc::UnboundedSender<ToOutbox>,
    /// When a command was last given up.
    pub no_progress_at: Option<Timestamp>,
    /// Rows that did not read when memory was filled last.
    pub unread: BTreeSet<Trouble>,
}

/// A group on its way to the store.
struct Flight {
    group: Group<Tag>,
    commit: Pin<Box<dyn Future<Output = Result<(), CommitError>> + Send>>,
    /// How it ended, where that was seen already.
    result: Option<Result<(), CommitError>>,
}

impl Flight {
    fn has_landed(&mut self) -> bool {
        if self.result.is_none() {
            self.result = self.commit.as_mut().now_or_never();
        }
        self.result.is_some()
    }

    async fn landed(&mut self) -> Result<(), CommitError> {
        match self.result.take() {
            Some(result) => result,
            None => self.commit.as_mut().await,
        }
    }
}

/// What waits to be decided. Signals come in thousands, and what follows from deadlines and sends in hundreds: what people
/// do goes before both, and then our own commands before signals. Each line has its turn all the same.
#[derive(Default)]
struct Waiting {
    /// What waited for a commit. Before all, or whatever overtook it would make it wait for another one.
    stuck: Option<(Input, Tag)>,
    people: VecDeque<(Input, Tag)>,
    ours: VecDeque<(Input, Tag)>,
    signals: VecDeque<(Input, Tag)>,
    /// Commands of people that went before our own that wait.
    before_ours: usize,
    /// How much more than signals was decided since these wait.
    ahead_of_signals: usize,
}

/// How much a command carries: a message of many pages is decided page by page, and a request alarm by alarm.
fn load(command: &Command) -> usize {
    match command {
        Command::Signals(arrived) => arrived.signals.len().max(1),
        Command::Sent { tries, .. } => tries.len().max(1),
        Command::TakeOver { messages, .. } => messages.len().max(1),
        Command::IfVersion { command, .. } => load(command),
        Command::Declare(_)
        | Command::TestPage { .. }
        | Command::Drill { .. }
        | Command::StopDrill { .. }
        | Command::Incident { .. }
        | Command::Merge { .. }
        | Command::Relate { .. }
        | Command::Unrelate { .. }
        | Command::Split { .. }
        | Command::Order { .. }
        | Command::Move { .. }
        | Command::TakeApart { .. }
        | Command::Escalate { .. }
        | Command::PagePeople { .. }
        | Command::LinkAlert { .. }
        | Command::AskReview { .. }
        | Command::Review { .. }
        | Command::AddAction { .. }
        | Command::Action { .. }
        | Command::Page { .. }
        | Command::Attend { .. }
        | Command::Look(_)
        | Command::Withdraw { .. }
        | Command::Flush { .. }
        | Command::Canary { .. } => 1,
    }
}

impl Waiting {
    fn push(&mut self, command: (Input, Tag)) {
        self.line_of(&command).push_back(command);
    }
    fn push_first(&mut self, command: (Input, Tag)) {
        self.line_of(&command).push_front(command);
    }
    fn line_of(&mut self, (input, _): &(Input, Tag)) -> &mut VecDeque<(Input, Tag)> {
        if matches!(input.command, Command::Signals(_)) {
            &mut self.signals
        } else if is_ours(&input.command) {
            &mut self.ours
        } else {
            &mut self.people
        }
    }
    /// The next one, of what still fits into a commit; what people do always does.
    fn next(&mut self, signals_fit: bool, ours_fit: bool) -> Option<(Input, Tag)> {
        if self.stuck.is_some() {
            return self.stuck.take();
        }
        let ours_wait = ours_fit && !self.ours.is_empty();
        if self.signals.is_empty() {
            self.ahead_of_signals = 0;
        } else if signals_fit && (self.ahead_of_signals >= OTHERS_BEFORE_SIGNALS || (self.people.is_empty() && !ours_wait)) {
            let next = self.signals.pop_front();
            self.ahead_of_signals = self.ahead_of_signals.saturating_sub(next.as_ref().map_or(0, |(input, _)| load(&input.command)));
            return next;
        }
        let ours = ours_wait && (self.people.is_empty() || self.before_ours >= PEOPLE_BEFORE_OURS);
        self.before_ours = if ours { 0 } else { self.before_ours + 1 };
        let next = if ours { self.ours.pop_front() } else { self.people.pop_front() };
        self.ahead_of_signals += next.as_ref().map_or(0, |(input, _)| load(&input.command));
        next
    }
    fn is_empty(&self) -> bool {
        self.stuck.is_none() && self.people.is_empty() && self.ours.is_empty() && self.signals.is_empty()
    }
}

impl Loop {
    /// Runs until the program stops and nothing is left to decide.
    pub async fn run(self) {
        let _ends = Ends(self.shared.clone());
        let halted = self.shared.halted.clone();
        Box::pin(self.decide()).await;
        halted.cancel();
    }

    async fn decide(mut self) {
        let mut waiting = Waiting::default();
        let mut group = Group::default();
        // When the first signals of the group began to be decided, and what our own commands in it carry.
        let mut signals_since: Option<u64> = None;
        let mut carried = 0;
        let mut closed = false;
        let mut flight: Option<Flight> = None;
        let mut incoming = Vec::with_capacity(GROUP_MAX);
        let mut flush_at = after(self.shared.ports.clock.now(), FLUSH_EVERY);
        loop {
            self.shared.stages.gate(Stage::Decide).await;
            while let Ok(control) = self.controls.try_recv() {
                self.control(control);
            }
            // Decide what waits, unless something has to be durable first.
            let mut stuck = false;
            if group.is_empty() {
                (signals_since, carried) = (None, 0);
            }
            while group.len() < GROUP_MAX && !stuck {
                let now_ns = self.shared.ports.clock.monotonic_ns();
                let signals_fit = signals_since.is_none_or(|since| {
                    let decided_for = Duration::from_nanos(now_ns.saturating_sub(since));
                    let mut may_go = || flight.as_mut().is_none_or(Flight::has_landed);
                    decided_for < SIGNALS_AT_LEAST || (decided_for < SIGNALS_WITHIN && !may_go())
                });
                let Some((input, tag)) = waiting.next(signals_fit, carried < GROUP_MAX) else { break };
                if matches!(input.command, Command::Signals(_)) {
                    signals_since.get_or_insert(now_ns);
                } else if is_ours(&input.command) {
                    carried += load(&input.command);
                }
                let first_of_all = group.is_empty() && flight.is_none();
                if let Some(back) = self.add(&mut group, &mut flight, input, tag, first_of_all).await {
                    waiting.stuck = Some(back);
                    stuck = true;
                } else {
                    self.shared.stages.did(Measure::Commands);
                }
                // Whoever came while signals were decided goes before the next of them.
                while let Ok(command) = self.inbox.try_recv() {
                    waiting.push(command);
                }
            }
            self.tell_no_progress();
            self.tell_unread();
            let found = self.decider.take_found();
            if !found.is_empty() {
                self.publish(Vec::new(), found);
            }
            if flight.is_none() && !group.is_empty() {
                flight = self.launch(std::mem::take(&mut group)).await;
                continue;
            }
            match &mut flight {
                Some(under_way) => {
                    tokio::select! {
                        biased;
                        result = under_way.landed() => {
                            let Some(landed) = flight.take() else { continue };
                            if let Some(lost) = self.land(landed.group, result, &mut group).await {
                                for pending in lost.into_iter().rev() {
                                    waiting.push_first(pending);
                                }
                            }
                        }
                        // Once nobody can ask any more, only the commit in flight is left to wait for.
                        n = self.inbox.recv_many(&mut incoming, GROUP_MAX), if group.len() < GROUP_MAX && !stuck && !closed => {
                            closed = n == 0;
                            incoming.drain(..).for_each(|command| waiting.push(command));
                        }
                    }
                }
                None => {
                    let flush = self.shared.ports.clock.sleep_until(flush_at);
                    tokio::select! {
                        biased;
                        control = self.controls.recv() => if let Some(control) = control { self.control(control) },
                        n = self.inbox.recv_many(&mut incoming, GROUP_MAX) => {
                            if n == 0 { return; }
                            incoming.drain(..).for_each(|command| waiting.push(command));
                        }
                        () = flush => {}
                        () = self.shared.halt.cancelled(), if self.inbox.is_empty() && waiting.is_empty() => {
                            self.inbox.close();
                            if self.inbox.is_empty() { return; }
                        }
                    }
                }
            }
            let now = self.shared.ports.clock.now();
            if now >= flush_at {
                flush_at = after(now, FLUSH_EVERY);
                self.decider.core_mut().tidy();
                for _ in 0..self.decider.to_flush().div_ceil(FLUSH_KEYS_MAX) {
                    waiting.push((ours("flush", Command::Flush { keys: FLUSH_KEYS_MAX }), None));
                    self.shared.busy.fetch_add(1, Ordering::SeqCst);
                    self.shared.stages.add(Measure::Commands, 1);
                }
            }
        }
    }

    /// Decides one command into the group. What has to be read from rows that an undecided commit
    /// may change waits until everything before it is durable.
    async fn add(
        &mut self,
        group: &mut Group<Tag>,
        flight: &mut Option<Flight>,
        input: Input,
        tag: Tag,
        first_of_all: bool,
    ) -> Option<(Input, Tag)> {
        if first_of_all {
            return self.decider.add(group, input, tag).await;
        }
        self.decider.add_if_known(group, flight.is_some(), input, tag).await.err()
    }

    async fn launch(&mut self, mut group: Group<Tag>) -> Option<Flight> {
        let writes = group.take_writes();
        if writes.is_empty() {
            let (done, effects) = Decider::durable(group);
            self.publish(done, effects);
            return None;
        }
        let (shared, space) = (self.shared.clone(), group.space());
        let mut commit: Pin<Box<dyn Future<Output = Result<(), CommitError>> + Send>> = Box::pin(async move {
            shared.stages.gate(Stage::Commit).await;
            shared.db.commit_in(space, writes).await
        });
        self.shared.stages.set(Measure::Flights, 1);
        // The first poll hands the writes to the store's writer; deciding goes on meanwhile.
        match commit.as_mut().now_or_never() {
            Some(result) => {
                let mut none = Group::default();
                if let Some(lost) = self.land(group, result, &mut none).await {
                    debug_assert!(lost.is_empty(), "nothing was decided after it");
                }
                None
            }
            None => Some(Flight { group, commit, result: None }),
        }
    }

    /// A group landed. When it failed, what was decided after it is taken back to be decided again.
    async fn land(&mut self, group: Group<Tag>, result: Result<(), CommitError>, later: &mut Group<Tag>) -> Option<Vec<(Input, Tag)>> {
        self.shared.commits.fetch_add(1, Ordering::Relaxed);
        self.shared.stages.set(Measure::Flights, 0);
        self.shared.stages.did(Measure::Flights);
        match result {
            Ok(()) => {
                if self.shared.last_fault.read().is_ok_and(|last| last.is_some()) {
                    note_fault(&self.shared, None);
                    if !self.shared.db.is_short() {
                        self.shared.troubles.clear(&Trouble::DiskFull);
                    }
                }
                let (done, effects) = Decider::durable(group);
                self.publish(done, effects);
                None
            }
            Err(error) => {
                if let CommitError::Fault(fault) = &error {
                    tracing::error!(%fault, commands = group.len(), "a commit failed; nothing of it was answered");
                    self.note_failure(fault);
                }
                self.decider.also_touched(later);
                let (done, effects) = self.decider.again(group, error).await;
                self.publish(done, effects);
                let lost = std::mem::take(later);
                Some(lost.pending.into_iter().map(|p| (p.input, p.tag)).collect())
            }
        }
    }

    /// A full disk with a reserve is a trouble of its own, and leaves the node ready: acknowledgements still count here.
    fn note_failure(&self, fault: &Fault) {
        if fault.kind == FaultKind::Full {
            self.shared.troubles.raise(
                Trouble::DiskFull,
                "new alarms are answered 503 and kept by their senders",
                self.shared.ports.clock.now(),
            );
        }
        if !self.shared.db.is_short() {
            note_fault(&self.shared, Some(&fault.to_string()));
        }
    }

    /// What does not come further is told to whoever runs the program, and for a while shown.
    fn tell_no_progress(&mut self) {
        let given_up = self.decider.take_no_progress();
        if given_up.is_empty() && self.no_progress_at.is_none() {
            return;
        }
        let now = self.shared.ports.clock.now();
        for why in given_up {
            self.shared.metrics.no_progress();
            self.shared.troubles.raise(Trouble::NoProgress, &why, now);
            self.no_progress_at = Some(now);
        }
        if self.no_progress_at.is_some_and(|at| now > after(at, NO_PROGRESS_SHOWN)) {
            self.no_progress_at = None;
            self.shared.troubles.clear(&Trouble::NoProgress);
        }
    }

    /// Rows that memory goes without, since they do not read.
    fn tell_unread(&mut self) {
        for row in self.decider.take_unread() {
            self.shared.troubles.raise(Trouble::Unreadable(row.table, row.key), &row.why, self.shared.ports.clock.now());
        }
        if let Some(rows) = self.decider.take_unread_alerts() {
            self.shared.troubles.unread(&mut self.unread, rows, self.shared.ports.clock.now());
        }
    }

    fn control(&mut self, control: Control) {
        match control {
            Control::Org(org, told) => {
                self.decider.core_mut().set_org(org);
                let _ = told.send(());
            }
            Control::Quarantine(on) => self.decider.core_mut().set_quarantined(on),
            Control::Forget(incident) => self.decider.core_mut().forget_stream(incident),
            Control::Ended(ended) => self.decider.core_mut().load_ended(ended),
        }
    }

    fn publish(&self, done: Vec<Done<Tag>>, effects: Vec<Effects>) {
        let shared = &self.shared;
        let mut changed = false;
        for effect in effects {
            changed |= !effect.changed.is_empty() || effect.alerts_opened + effect.alerts_ended > 0;
            for page in effect.ended {
                // What follows from it is under way from now on, for whoever waits until all is quiet.
                shared.busy.fetch_add(1, Ordering::SeqCst);
                let _ = self.to_outbox.send(ToOutbox::Ended(page));
            }
            for message in effect.send {
                shared.busy.fetch_add(1, Ordering::SeqCst);
                let _ = self.to_outbox.send(ToOutbox::Send(Box::new(message)));
            }
            if effect.held {
                let _ = self.to_outbox.send(ToOutbox::Held);
            }
            if let Some(at) = effect.next_look_at {
                earlier(&shared.next_look, at, &shared.look_wake);
            }
            if let Some(at) = effect.next_attempt_at {
                earlier(&shared.next_attempt, at, &shared.outbox_wake);
            }
            for (reference, why) in effect.unanswered {
                shared.troubles.raise(Trouble::PageExhausted(reference), &why, shared.ports.clock.now());
            }
            for reference in effect.answered {
                shared.troubles.clear(&Trouble::PageExhausted(reference));
            }
            for result in effect.page_results {
                shared.metrics.page_result(result);
            }
            shared.metrics.alerts(effect.alerts_opened, effect.alerts_ended);
        }
        for Done { tag, reply } in done {
            if let Err(Refusal::Unavailable(why)) = &reply
                && !shared.db.is_short()
            {
                note_fault(shared, Some(why));
            }
            shared.busy.fetch_sub(1, Ordering::SeqCst);
            shared.stages.add(Measure::Commands, -1);
            shared.stages.did(Measure::Commands);
            if let Some(answer) = tag {
                // Whoever asked may have gone; the deed is done all the same.
                let _ = answer.send(reply);
            }
        }
        if changed {
            shared.changed.send_modify(|n| *n += 1);
        }
    }
}

/// Lowers a remembered instant, and wakes its loop when it got earlier.
fn earlier(next: &AtomicI64, at: Timestamp, wake: &Notify) {
    let micros = allclear_domain::time::to_micros(at);
    if next.fetch_min(micros, Ordering::SeqCst) > micros {
        wake.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use allclear_domain::access::{Actor, Principal};

    use super::*;
    use crate::core::Declare;

    fn flush() -> (Input, Tag) {
        (ours("test", Command::Flush { keys: 1 }), None)
    }

    fn declare() -> (Input, Tag) {
        let declare = Declare {
            title: "It burns".into(),
            severity: Some(allclear_domain::incident::Severity::Sev1),
            known: Default::default(),
            service: None,
            impact_started_at: None,
            page: false,
            private: false,
            report: false,
        };
        (Input { who: Principal::own(Actor::Administrator), cause: "api".into(), once: None, command: Command::Declare(declare) }, None)
    }

    fn is_a_persons(command: Option<&(Input, Tag)>) -> bool {
        command.is_some_and(|(input, _)| matches!(input.command, Command::Declare(_)))
    }

    #[test]
    fn people_go_before_our_own_commands_which_have_their_turn_all_the_same() {
        let mut waiting = Waiting::default();
        (0..256).for_each(|_| waiting.push(flush()));
        waiting.push(declare());
        assert!(is_a_persons(waiting.next(true, true).as_ref()), "it waits for no look");
        (0..1000).for_each(|_| waiting.push(declare()));
        let turns = (0..=PEOPLE_BEFORE_OURS).filter(|_| !is_a_persons(waiting.next(true, true).as_ref())).count();
        assert_eq!(turns, 1, "a deadline has its turn");
        assert!(is_a_persons(waiting.next(false, false).as_ref()), "where a commit is full, a person's command still fits");
        waiting.stuck = Some(flush());
        assert!(!is_a_persons(waiting.next(true, true).as_ref()), "what waited for a commit goes on");
    }

    /// A request of one alarm.
    fn alarm() -> (Input, Tag) {
        let arrived = crate::core::Arrived {
            integration: "prom".into(),
            format: "json",
            received_at: Timestamp::UNIX_EPOCH,
            body: String::new(),
            signals: Vec::new(),
            kept: None,
        };
        (Input { who: Principal::own(Actor::System), cause: "test".into(), once: None, command: Command::Signals(arrived) }, None)
    }

    #[test]
    fn alarms_that_come_one_by_one_are_not_held_up_by_what_our_own_commands_carry() {
        let mut waiting = Waiting::default();
        (0..1000).for_each(|_| waiting.push(alarm()));
        (0..1000).for_each(|_| waiting.push(flush()));
        let first: Vec<bool> = (0..OTHERS_BEFORE_SIGNALS + 100)
            .map(|_| waiting.next(true, true).is_some_and(|(input, _)| matches!(input.command, Command::Signals(_))))
            .collect();
        let (before, after) = first.split_at(OTHERS_BEFORE_SIGNALS);
        assert!(before.iter().all(|signals| !signals), "our own go first");
        assert_eq!(after.iter().filter(|signals| **signals).count(), 50, "and both share from there on");
    }
}
