//! The store against what must be true.

use std::collections::BTreeMap;

use allclear_domain::access::Reach;
use allclear_domain::expect::{Owner, Rule, Standing};
use allclear_domain::ids::{IncidentId, MessageId};
use allclear_domain::incident::State;
use allclear_domain::org::model::Declare;
use allclear_domain::paging::{MessageState, Page, Status, may_send};
use allclear_domain::signal::Ended;
use allclear_domain::time::{Length, after};
use allclear_domain::wire::{NoticeKind, Signal, SignalAction};
use allclear_engine::core::{AlertKey, OpenAlert, SignalReply};
use allclear_store::rows;
use allclear_store::rows::message::StoredMessage;
use jiff::Timestamp;

use crate::orgs::{INTEGRATIONS, expected};
use crate::ports::block_on;
use crate::world::World;

/// With a machine that runs steadily, what is due is done within this time.
const OVERDUE: Length = Length::from_mins(3);
/// Where several nodes share a store, a claim this young may still be begun (promise 3).
const CLAIM_FRESH: Length = Length::from_secs(2);
/// The soft part of an alert is written within this time (promise of the design).
const FLUSH_EVERY: Length = Length::from_secs(15);
/// The end of time, for reading everything that is live.
pub(crate) const FOR_EVER: Timestamp = Timestamp::MAX;

impl World {
    /// I1, I9, I10 of one incident.
    pub(crate) fn check_incident(&mut self, id: IncidentId) {
        let Some((incident, _)) = block_on(rows::incident::get(&self.db, id)).ok().flatten() else {
            self.fail("I6 rows are what their logs say", format!("{id} has a log and no row"));
            return;
        };
        let pages = block_on(rows::page::of_incident(&self.db, id)).unwrap_or_default().read;
        let expectations = block_on(rows::expectation::of_incident(&self.db, id)).unwrap_or_default();
        let live = |owner: Owner, rule: Rule| {
            expectations.iter().filter(|e| e.owner == owner && e.rule == rule && e.standing == Standing::Live).count()
        };
        for e in &expectations {
            if e.standing != Standing::Missed || e.rule == Rule::PageNotify {
                continue;
            }
            let (Some(settled), Some(deadline)) = (e.settled_at, e.deadline_at()) else { continue };
            if settled < deadline && e.why.as_deref() != Some("nobody is left to page") {
                self.fail("I9 no expectation settles early", format!("{}/{} at {settled}, its time was {deadline}", e.owner, e.key));
            }
        }
        let readers = block_on(rows::reader::of(&self.db, id)).unwrap_or_default();
        if readers != incident.admitted {
            self.fail("I6 rows are what their logs say", format!("{id} admits {:?}, its rows say {readers:?}", incident.admitted));
        }
        for (page, _) in &pages {
            let owner = Owner::Page(page.id);
            let acks = live(owner, Rule::PageAck);
            let wanted = usize::from(page.status == Status::Running);
            if acks != wanted {
                self.fail(
                    "I1 a running page waits for exactly one acknowledgement",
                    format!("{} is {:?} and has {acks}", page.id, page.status),
                );
            }
            if page.status != Status::Running && live(owner, Rule::PageNotify) > 0 {
                self.fail("I5 no escalation after the end", format!("{} is {:?} and has later ways planned", page.id, page.status));
            }
            if page.status == Status::Running && !incident.state.is_open() {
                self.fail("I4 the end of an incident stops its pages", format!("{} runs, {id} is {:?}", page.id, incident.state));
            }
        }
        let owner = Owner::Incident(id);
        self.check_work(&incident, &expectations);
        let folded: Vec<Page> = pages.into_iter().map(|(page, _)| page).collect();
        self.check_attendance(&incident, &folded, &expectations);
        self.check_several(&incident, &expectations);
        let looks = folded.iter().any(|page| matches!(page.status, Status::Running | Status::Exhausted));
        self.check_owned(&incident, looks, &expectations);
        self.check_silenced(id, &incident);
        if incident.state == State::Candidate && live(owner, Rule::Candidate) != 1 {
            self.fail("I1 a candidate waits for a decision", format!("{id}"));
        }
        let (all, open) = block_on(rows::alert::totals(&self.db, id)).unwrap_or_default();
        // What a person declared is not over because alerts that were merged into it had ended, nor that into which it was merged.
        let by_alerts = incident.because != "declared by a person" && incident.work.said.is_empty();
        let flaps = incident.alarms.flapping.is_some();
        if all > 0 && open == 0 && by_alerts && !flaps && matches!(incident.state, State::Declared | State::Candidate) {
            self.fail("I10 an incident whose alerts ended recovers", format!("{id} is {:?}, all {all} alerts ended", incident.state));
        }
        let held = by_alerts && matches!(incident.state, State::Investigating | State::Mitigated) && incident.reopened == 0;
        if held && all > 0 && open == 0 && !flaps && !incident.recovered && live(owner, Rule::AlertsDigest) == 0 {
            self.fail("I10 a recovery under somebody's hands is told", format!("{id} is {:?}, all {all} alerts ended", incident.state));
        }
        if open > 0 && matches!(incident.state, State::Resolved | State::Closed | State::Merged) {
            self.fail("I2 a firing condition is never hidden", format!("{id} is {:?} and has {open} open alerts", incident.state));
        }
    }

    /// I4 and the label of I3, right before the first byte.
    pub(crate) fn check_first_byte(&mut self, message: &StoredMessage, lead: MessageId, claimed_at: Timestamp) {
        let Some(stored) = block_on(rows::message::get(&self.db, message.id)).ok().flatten() else {
            self.fail("I2 what is sent is written down", format!("{} is not in the store", message.id));
            return;
        };
        let truth = self.truth.get(&message.id).copied().unwrap_or_default();
        if truth.in_doubt > 0 && !message.in_doubt {
            self.fail("I3 a repeat says so", format!("{} may have arrived before and does not say so", message.id));
        }
        if truth.in_doubt > 0 && truth.under.is_some_and(|under| under != lead) {
            self.fail(
                "I3 a repeat has its id",
                format!("{} may have arrived under {:?}, and goes out under {lead}", message.id, truth.under),
            );
        }
        if stored.state != MessageState::Claimed {
            self.fail("I4 a send starts with a claim", format!("{} is {}", message.id, stored.state.word()));
        }
        let page = block_on(rows::page::get(&self.db, message.page)).ok().flatten();
        let wanted = page.is_some_and(|(page, _)| may_send(page.status)) || message.notice.kind != NoticeKind::Page;
        let young = self.shared && self.now <= after(claimed_at, CLAIM_FRESH);
        if !wanted && !young {
            self.fail("I4 nothing is begun after the end", format!("{} for {}", message.id, message.page));
        }
        if truth.begun > 0
            && self
                .nodes
                .iter()
                .any(|n| n.alive && n.outbox.flying.values().any(|flight| flight.messages.iter().any(|m| m.id == message.id)))
            && !self.shared
        {
            self.fail("I3 delivered twice", format!("{} is under way already", message.id));
        }
    }

    /// I2 right after signals were accepted.
    pub(crate) fn check_accepted(&mut self, at: usize, signals: &[Signal], replies: &[SignalReply]) {
        let mut last: BTreeMap<&str, (&Signal, SignalReply)> = BTreeMap::new();
        for (signal, reply) in signals.iter().zip(replies) {
            if signal.action != SignalAction::Acknowledge {
                last.insert(&signal.dedup_key, (signal, *reply));
            }
        }
        for (key, (signal, reply)) in last {
            let open = block_on(rows::alert::open_by_key(&self.db, INTEGRATIONS[at], key)).ok().flatten();
            let Some(alert) = open else {
                // Where nodes share a store, a sender that sends again and again is heard anew with
                // its next repetition at the latest.
                let soft = self.shared && signal.ends_at.is_some() && reply == SignalReply::Repeated;
                if signal.action == SignalAction::Trigger && soft {
                    self.oracle_condition(at, key).unsure = true;
                } else if signal.action == SignalAction::Trigger {
                    self.fail("I2 an accepted condition is kept", format!("{key} of {} fires and has no open alert", INTEGRATIONS[at]));
                }
                continue;
            };
            if signal.action == SignalAction::Resolve {
                self.fail("I2 an accepted end is kept", format!("{key} of {} ended and has an open alert", INTEGRATIONS[at]));
                continue;
            }
            if !matches!(reply, SignalReply::Opened | SignalReply::Changed) {
                continue;
            }
            let wanted = expected(self.org.bundle(), INTEGRATIONS[at], signal, self.now);
            let found = (alert.decision, alert.severity, alert.suppressed.is_some());
            if found != (wanted.decision, wanted.severity, wanted.silenced) {
                self.fail("I2 triage says what the contract says", format!("{key}: {found:?}, wanted {wanted:?}"));
            }
            if wanted.silenced {
                self.reached("a silence held an alert back");
                continue;
            }
            if wanted.decision == Declare::Record {
                continue;
            }
            let Some(id) = alert.incident else {
                self.fail("I2 a condition that declares has an incident", format!("{key} of {} has none", INTEGRATIONS[at]));
                continue;
            };
            let Some((incident, _)) = block_on(rows::incident::get(&self.db, id)).ok().flatten() else {
                self.fail("I2 a condition that declares has an incident", format!("{id} does not exist"));
                continue;
            };
            if reply == SignalReply::Opened {
                self.check_return(&alert, &wanted);
                self.check_opened(&incident, &wanted, key, alert.returns > 0);
            }
        }
    }

    fn check_opened(&mut self, incident: &allclear_domain::incident::Incident, wanted: &crate::orgs::Expected, key: &str, returned: bool) {
        let id = incident.id;
        if !incident.state.is_open() {
            self.fail("I2 a firing condition is never hidden", format!("{key} opened into {id}, which is {:?}", incident.state));
        }
        if wanted.severity < incident.severity {
            self.fail("I2 a worse alert raises its incident", format!("{key} is {}, {id} is {}", wanted.severity, incident.severity));
        }
        if incident.created_at < self.now {
            self.reached("an alert joined an open incident");
            if wanted.group.is_none() && !returned {
                self.fail("I2 without a group each alert has its own incident", format!("{key} joined {id}"));
            }
        } else if wanted.decision == Declare::Declare && wanted.wait.is_zero() && incident.page.is_none() {
            self.fail("I2 what is declared pages", format!("{id} has no page"));
        }
        if wanted.decision == Declare::Declare && incident.state == State::Candidate {
            self.fail("I2 what is declared pages", format!("{id} is only a candidate"));
        }
    }

    /// Everything that can be compared at any time.
    pub(crate) fn check_all(&mut self) {
        if self.failure.is_some() {
            return;
        }
        self.check_conditions();
        self.check_relations();
        self.check_silences();
        self.check_due();
        self.check_newer();
        self.check_messages();
        self.check_memory();
        self.check_logs();
    }

    /// I2: nothing accepted is lost, and nothing ends that was not said to end.
    fn check_conditions(&mut self) {
        let alerts =
            block_on(rows::alert::list(&self.db, &rows::alert::Filter { reach: Reach::all(), ..rows::alert::Filter::default() }, 100_000))
                .unwrap_or_default();
        let mut newest = BTreeMap::new();
        for alert in &alerts {
            let last = newest.entry((alert.integration.clone(), alert.dedup_key.clone())).or_insert(alert);
            let order = |a: &allclear_domain::signal::Alert| (a.ended.is_none(), a.opened_at, a.ended != Some(Ended::Resolved), a.ended_at);
            if order(alert) > order(last) {
                *last = alert;
            }
        }
        let live = block_on(rows::expectation::due(&self.db, FOR_EVER, 100_000)).unwrap_or_default().read;
        let lives = |owner: Owner, rule: Rule| live.iter().filter(|e| e.owner == owner && e.rule == rule).count();
        for alert in alerts.iter().filter(|a| a.ended.is_none()) {
            let owner = Owner::Alert(alert.id);
            if alert.ends_at.is_some() && lives(owner, Rule::AlertLapse) != 1 {
                self.fail("I1 an alert that may lapse is looked at", format!("{} has {}", alert.id, lives(owner, Rule::AlertLapse)));
            }
            if alert.suppressed.is_some() && lives(owner, Rule::SilenceEnd) == 0 {
                self.fail("I1 a silence that ends is looked at", format!("{}", alert.id));
            }
            let judged = alert.suppressed.is_none() && alert.decision != Declare::Record;
            if judged && alert.incident.is_none() {
                self.fail("I2 a condition that declares has an incident", format!("{} has none", alert.id));
            }
        }
        for ((at, key), condition) in self.conditions.clone() {
            if condition.unsure || !condition.fires {
                continue;
            }
            let Some(alert) = newest.get(&(INTEGRATIONS[at].to_owned(), key.clone())) else {
                self.fail("I2 an accepted condition is kept", format!("{key} of {}", INTEGRATIONS[at]));
                continue;
            };
            match alert.ended {
                None => {}
                Some(Ended::Resolved) => {
                    self.fail("I2 nothing ends that was not said to end", format!("{key} of {} was resolved", INTEGRATIONS[at]));
                }
                Some(Ended::WithIncident) => {
                    let by_hand = alert.incident.and_then(|id| self.oracle.incidents.get(&id)).and_then(|i| i.resolved_by_hand);
                    if by_hand.is_none() || alert.ended_at < Some(condition.at) {
                        self.fail("I2 nothing ends that was not said to end", format!("{key} ended with {:?}", alert.incident));
                    }
                }
                Some(Ended::Lapsed) => self.check_lapsed(&key, &condition, alert.ended_at.unwrap_or(self.now)),
            }
        }
    }

    fn check_lapsed(&mut self, key: &str, condition: &crate::monitor::Accepted, ended_at: Timestamp) {
        self.reached("an alert lapsed");
        let Some(ends_at) = condition.ends_at else {
            self.fail("I9 an alert that promised nothing does not lapse", key.to_owned());
            return;
        };
        // Where nodes share a store, what a node that died had seen and not written is not known.
        if self.shared && self.crashed.iter().any(|at| *at >= condition.at && *at <= ended_at) {
            return;
        }
        // A repetition is soft: what a node that died had not written yet is lost with it.
        if self.crashed.iter().any(|at| *at >= condition.at && *at <= after(condition.at, FLUSH_EVERY)) {
            return;
        }
        if ended_at < ends_at {
            self.fail(
                "I9 an alert lapses no earlier than its sender said",
                format!("{key} at {ended_at}, sent at {} with end {ends_at}", condition.at),
            );
        }
        let interval = ends_at.duration_since(condition.at);
        // The node that let it lapse had started when it did, at the latest.
        let started: Vec<Timestamp> = self.starts.iter().copied().filter(|at| *at <= ended_at && *at > condition.at).collect();
        if !self.shared
            && let Some(booted) = started.last()
        {
            self.reached("an alert lapsed after a restart");
            // The interval is counted from the arrival; what was delayed on its way is shorter.
            let soonest = booted.checked_add(interval).unwrap_or(*booted);
            if after(ended_at, OVERDUE) < soonest {
                self.fail("I9 no alert lapses within an interval of a start", format!("{key} at {ended_at}, started at {booted}"));
            }
        }
    }

    /// I7, the other half: with a machine that runs, what is due is done.
    fn check_due(&mut self) {
        let alive = self.nodes.iter().all(|n| n.alive);
        if !alive || self.now < after(self.steady_since, OVERDUE) {
            return;
        }
        if let Ok(Some(at)) = block_on(rows::expectation::next_look(&self.db))
            && after(at, OVERDUE) < self.now
        {
            self.fail("I7 what is due is done", format!("an expectation was due at {at}"));
        }
        if let Ok(Some(at)) = block_on(rows::message::next_attempt(&self.db))
            && after(at, OVERDUE) < self.now
        {
            self.fail("I7 what is due is done", format!("a message was due at {at}"));
        }
    }

    /// I2: every message is where something will come of it, and every planned one exists.
    fn check_messages(&mut self) {
        for incident in self.oracle.incidents.keys().copied().collect::<Vec<_>>() {
            for (page, _) in block_on(rows::page::of_incident(&self.db, incident)).unwrap_or_default().read {
                let messages = block_on(rows::message::of_page(&self.db, page.id)).unwrap_or_default();
                let mut keys = std::collections::BTreeSet::new();
                for message in &messages {
                    if !keys.insert(message.notice.key.clone()) {
                        self.fail("I3 one notice a key", message.notice.key.clone());
                    }
                    self.check_message(message);
                }
                for entry in &page.entries {
                    if let Some(id) = entry.message
                        && !messages.iter().any(|m| m.id == id)
                    {
                        self.fail("I2 what was decided is in the outbox", format!("{id} of {} is not", page.id));
                    }
                }
            }
        }
    }

    fn check_message(&mut self, message: &StoredMessage) {
        if message.state != MessageState::Claimed {
            return;
        }
        let Some(owner) = self.nodes.iter().find(|n| n.alive && Some(n.id) == message.claimed_by) else { return };
        let (run, node) = (owner.run, &owner.outbox);
        let held = node.holds(message.id) || self.is_on_the_agenda(run, message.id);
        if !held {
            self.fail("I2 no page is lost", format!("{} is claimed by a node that does not know of it", message.id));
        }
    }

    /// I11.
    fn check_memory(&mut self) {
        if self.shared {
            return;
        }
        let Some(decider) = self.nodes[0].decider.as_ref() else { return };
        if decider.is_cold() {
            return;
        }
        let exact = decider.core().dirty_alerts() == 0;
        let mut memory = decider.core().open_alerts();
        let mut wrong = Vec::new();
        for row in block_on(rows::alert::open_after(&self.db, "", 100_000)).unwrap_or_default().0.read {
            let key = AlertKey::new(&row.integration, &row.dedup_key);
            let Some(mut known) = memory.remove(&key) else {
                wrong.push(format!("{} is in the store only", row.id));
                continue;
            };
            let stored = OpenAlert {
                id: row.id,
                incident: row.incident,
                severity: row.severity,
                sender_severity: row.sender_severity,
                silenced_until: row.silenced_until,
                ends_at: row.ends_at,
                last_seen_at: row.last_seen_at,
                count: row.count,
                text: row.text.unwrap_or(0),
                returns: row.returns,
            };
            if !exact {
                (known.ends_at, known.last_seen_at, known.count) = (stored.ends_at, stored.last_seen_at, stored.count);
                known.text = stored.text;
            }
            if known != stored {
                wrong.push(format!("memory {known:?}, store {stored:?}"));
            }
        }
        wrong.extend(memory.values().map(|a| format!("{} is in memory only", a.id)));
        if !wrong.is_empty() {
            self.fail("I11 memory is what the store holds", wrong.join("; "));
        }
    }

    /// When the world has run out.
    pub(crate) fn check_end(&mut self) {
        if self.failure.is_some() {
            return;
        }
        for page in self.oracle.pages.keys().copied().collect::<Vec<_>>() {
            let Some(model) = self.oracle.pages.get(&page).cloned() else { continue };
            for message in block_on(rows::message::of_page(&self.db, page)).unwrap_or_default() {
                // Whoever has answered is told no more, though others are asked still.
                self.check_final(&message, model.over || model.heard.contains(&message.person));
            }
        }
    }

    fn check_final(&mut self, message: &StoredMessage, page_is_over: bool) {
        let id: MessageId = message.id;
        let truth = self.truth.get(&id).copied().unwrap_or_default();
        match message.state {
            MessageState::Delivered if truth.arrived == 0 => {
                self.fail("I2 no page is lost", format!("{id} says delivered and never arrived"))
            }
            MessageState::Rejected if !truth.rejected => {
                self.fail("I3 in doubt never becomes failed", format!("{id} was rejected by nobody"))
            }
            MessageState::Withdrawn if !page_is_over && message.notice.kind == NoticeKind::Page => {
                self.fail("I2 no page is lost", format!("{id} was withdrawn while its page looked for somebody"));
            }
            MessageState::Queued | MessageState::Claimed => {
                self.fail("I2 no page is lost", format!("{id} is {} at the end of the world", message.state.word()))
            }
            _ => {}
        }
    }
}
