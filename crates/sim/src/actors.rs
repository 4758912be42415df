//! What monitors and people do.
//!
//! A monitor tells its integration's queue what it sees; the queue sends one request after another
//! and repeats what was not accepted, as real senders do. A person who is told acts after a while,
//! or does not.

use allclear_domain::access::Reach;
use allclear_domain::access::{Actor, Held, Principal, Scope};
use allclear_domain::ids::{IncidentId, PageId};
use allclear_domain::incident::{Severity, attendance, declaration, ending, record};
use allclear_domain::paging;
use allclear_domain::time::{Length, after};
use allclear_domain::wire::{NoticeKind, SenderSeverity, Signal, SignalAction};
use allclear_engine::core::{Arrived, Command, Declare, Input, Once, REFERENCE_BLOCK, Refusal, Reply, SignalReply};
use allclear_store::rows;
use allclear_store::rows::message::StoredMessage;

use crate::monitor::{Accepted, Act, Request};
use crate::orgs::INTEGRATIONS;
use crate::ports::block_on;
use crate::world::{Task, World};

/// Signals of the largest request: more of them declare than references are drawn at a time.
const BURST: u64 = REFERENCE_BLOCK + 6;
/// Times a person tries to act while no node answers.
const TRIES_OF_A_PERSON: u32 = 20;

impl World {
    pub(crate) fn tick(&mut self, n: usize) {
        let now = self.now;
        let mut monitor = self.monitors[n].clone();
        let mut out = Vec::new();
        let dice = &mut self.dice;
        if monitor.quiet_until > now {
            // It has nothing to say, or cannot.
        } else if monitor.fires {
            match dice.below(100) {
                0..=11 => {
                    monitor.fires = false;
                    out.push(monitor.signal(SignalAction::Resolve, now));
                    if dice.chance(200) {
                        // A flap within one request.
                        monitor.fires = true;
                        out.push(monitor.signal(SignalAction::Trigger, now));
                    }
                }
                12..=16 => {
                    monitor.severity = Some(*dice.pick(&[SenderSeverity::Critical, SenderSeverity::Error, SenderSeverity::Warning]));
                    out.push(monitor.signal(SignalAction::Trigger, now));
                    if dice.chance(200) {
                        monitor.severity = Some(SenderSeverity::Critical);
                        out.push(monitor.signal(SignalAction::Trigger, now));
                    }
                }
                17..=20 => out.push(monitor.signal(SignalAction::Acknowledge, now)),
                21..=24 => {
                    out.push(monitor.signal(SignalAction::Trigger, now));
                    out.push(monitor.signal(SignalAction::Trigger, now));
                }
                25..=28 => {
                    // It stops re-sending without a word, and comes back firing or not.
                    monitor.quiet_until = after(now, Length::from_mins(dice.between(10, 90)));
                    monitor.fires = dice.chance(500);
                }
                29..=30 => {
                    // It ends and says so once more.
                    monitor.fires = false;
                    out.push(monitor.signal(SignalAction::Resolve, now));
                    out.push(monitor.signal(SignalAction::Resolve, now));
                }
                _ => out.push(monitor.signal(SignalAction::Trigger, now)),
            }
        } else if dice.chance(90) {
            monitor.fires = true;
            out.push(monitor.signal(SignalAction::Trigger, now));
            if dice.chance(60) {
                monitor.fires = false;
                out.push(monitor.signal(SignalAction::Resolve, now));
            }
        }
        if monitor.fires && self.dice.chance(1) {
            // Everything behind one switch is gone, and back before the sender sends.
            for action in [SignalAction::Trigger, SignalAction::Resolve] {
                out.extend((0..BURST).map(|part| {
                    let mut signal = monitor.signal(action, now);
                    signal.dedup_key = format!("{} behind {}", part, signal.dedup_key);
                    signal
                }));
            }
        }
        // What waits already of this integration goes along sometimes, as in a webhook of a group.
        let at = monitor.integration;
        let every = monitor.every;
        self.monitors[n] = monitor;
        if !out.is_empty() {
            let along = self.requests[at].len() > 1 || (!self.requests[at].is_empty() && self.dice.chance(500));
            if along && let Some(last) = self.requests[at].back_mut() {
                last.signals.extend(out);
            } else {
                self.requests[at].push_back(Request { signals: out });
                // A pause, so that others may come along.
                let wait = *self.dice.pick(&[0, 0, 20, 90]);
                self.plan(after(now, Length::from_secs(wait)), Task::Request(at));
            }
        }
        let jitter = Length::from_millis(self.dice.below(1_500));
        self.plan(after(after(now, every), jitter), Task::Tick(n));
    }

    /// Everything breaks that a monitor watches and that works: a storm for whoever is on call.
    pub(crate) fn storm(&mut self) {
        let now = self.now;
        for n in 0..self.monitors.len() {
            let mut monitor = self.monitors[n].clone();
            if monitor.fires || monitor.quiet_until > now {
                continue;
            }
            monitor.fires = true;
            let signal = monitor.signal(SignalAction::Trigger, now);
            let at = monitor.integration;
            self.monitors[n] = monitor;
            self.requests[at].push_back(Request { signals: vec![signal] });
            let wait = Length::from_millis(self.side.below(900));
            self.plan(after(now, wait), Task::Request(at));
        }
    }

    /// Sends the first waiting request of an integration.
    pub(crate) fn send_request(&mut self, at: usize) {
        let Some(request) = self.requests[at].front().cloned() else { return };
        let again = after(self.now, Length::from_secs(self.dice.between(5, 40)));
        let Some(node) = self.any_node() else {
            self.plan(again, Task::Request(at));
            return;
        };
        if request.signals.len() > 1 {
            self.reached("a request carried several signals");
        }
        for signal in request.signals.iter().filter(|s| s.action != SignalAction::Acknowledge) {
            self.oracle_condition(at, &signal.dedup_key).unsure = true;
        }
        let arrived = Arrived {
            integration: INTEGRATIONS[at].to_owned(),
            format: "json",
            received_at: self.now,
            body: "{}".into(),
            signals: request.signals.clone(),
            kept: None,
        };
        let input = Input {
            who: Principal::own(Actor::Integration(INTEGRATIONS[at].to_owned())),
            cause: format!("signal:{}", INTEGRATIONS[at]),
            once: None,
            command: Command::Signals(arrived),
        };
        match self.process(node, vec![input]).and_then(|mut replies| replies.pop()) {
            Some(Ok(Reply::Signals { replies, .. })) => {
                if replies.iter().filter(|reply| **reply == SignalReply::Opened).count() as u64 > REFERENCE_BLOCK {
                    self.reached("a request opened more alerts than references are drawn at a time");
                }
                self.requests[at].pop_front();
                self.accepted(at, &request.signals, &replies);
                if !self.requests[at].is_empty() {
                    self.plan(self.now, Task::Request(at));
                }
            }
            Some(Err(Refusal::Unavailable(_))) | None => self.plan(again, Task::Request(at)),
            Some(other) => self.fail("I2 a signal is accepted", format!("{other:?}")),
        }
    }

    pub(crate) fn oracle_condition(&mut self, at: usize, key: &str) -> &mut Accepted {
        self.conditions.entry((at, key.to_owned())).or_default()
    }

    fn accepted(&mut self, at: usize, signals: &[Signal], replies: &[SignalReply]) {
        let now = self.now;
        for signal in signals.iter().filter(|s| s.action != SignalAction::Acknowledge) {
            let condition = self.oracle_condition(at, &signal.dedup_key);
            condition.unsure = false;
            match signal.action {
                SignalAction::Trigger => {
                    condition.fires = true;
                    condition.at = now;
                    condition.ends_at = signal.ends_at;
                }
                SignalAction::Resolve => condition.fires = false,
                SignalAction::Acknowledge | SignalAction::Beat => {}
            }
        }
        self.check_accepted(at, signals, replies);
    }

    /// A message reached somebody.
    pub(crate) fn person_is_told(&mut self, message: &StoredMessage) {
        if self.draining {
            return;
        }
        if message.notice.kind == NoticeKind::Request {
            self.party_is_told(message);
            return;
        }
        if message.notice.kind.tells() {
            self.person_is_reminded(message);
            return;
        }
        if message.notice.kind == NoticeKind::StillOnIt {
            self.person_is_asked(message);
            return;
        }
        let by = message.person.clone();
        let page = message.page;
        let incident = message.notice.incident.id;
        let wait = Length::from_secs(*self.dice.pick(&[8, 20, 60, 150, 400, 1_200]));
        let throw = self.dice.below(100);
        let command = if message.notice.kind == NoticeKind::ConfirmRecovery {
            match throw {
                0..=49 => Command::incident(incident, ending::Command::Resolve { note: None, waive: None }),
                _ => return,
            }
        } else {
            let acknowledge =
                Command::Page { id: page, command: paging::Command::Acknowledge { by: Some(by.clone()), via: "link".into() } };
            match throw {
                0..=34 => acknowledge,
                35..=49 => Command::Page {
                    id: page,
                    command: paging::Command::Decline { by: by.clone(), via: "link".into(), answers: None, why: None },
                },
                50..=55 => Command::incident(
                    incident,
                    ending::Command::Resolve { note: Some("restarted".into()), waive: Some("it is obvious".into()) },
                ),
                56..=59 => Command::incident(incident, ending::Command::Mitigate { note: None }),
                60..=62 => Command::incident(incident, record::Command::Note { text: "looking".into(), happened_at: None, marking: None }),
                63..=65 => Command::Escalate { id: incident, escalation: None, why: "more hands".into() },
                66..=67 => Command::incident(incident, ending::Command::Cancel { why: "a test".into() }),
                68..=72 => {
                    // Two taps, the second much later: links are old.
                    let late = Length::from_secs(self.dice.between(300, 3_000));
                    let again = by_link(message, acknowledge.clone());
                    self.plan(after(self.now, late), Task::Act(Box::new(Act::new(again))));
                    acknowledge
                }
                _ => return,
            }
        };
        let input = by_link(message, command);
        self.plan(after(self.now, wait), Task::Act(Box::new(Act::new(input))));
    }

    pub(crate) fn input_of(&self, by: &str, cause: &str, command: Command) -> Input {
        Input { who: Principal::new(Actor::Person(by.to_owned()), Scope::Respond), cause: cause.to_owned(), once: None, command }
    }

    pub(crate) fn act(&mut self, act: Act) {
        let Some(node) = self.any_node() else {
            self.act_again(act);
            return;
        };
        let Some(reply) = self.process(node, vec![act.input.clone()]).and_then(|mut replies| replies.pop()) else {
            self.act_again(act);
            return;
        };
        if self.is_unavailable(&reply) {
            self.act_again(act);
            return;
        }
        if matches!(reply, Ok(Reply::Again { .. })) {
            self.reached("an idempotency key was used again");
        }
        if reply.is_ok() {
            self.check_acted(&act.input.command);
        }
        if let (Some(once), Ok(Reply::Incident { id, .. })) = (&act.input.once, &reply)
            && let Some(earlier) = self.once.insert(once.key.clone(), *id)
        {
            self.fail("I3 once for a key", format!("{} declared {earlier} and {id}", once.key));
        }
    }

    fn act_again(&mut self, mut act: Act) {
        act.tries += 1;
        if act.tries < TRIES_OF_A_PERSON {
            let wait = self.dice.between(3, 30);
            self.plan(after(self.now, Length::from_secs(wait)), Task::Act(Box::new(act)));
        }
    }

    /// Somebody does something that no message asked for.
    pub(crate) fn interfere(&mut self) {
        let all = block_on(rows::incident::list(
            &self.db,
            &rows::incident::Filter { reach: Reach::all(), ..rows::incident::Filter::default() },
            12,
        ))
        .unwrap_or_default();
        let ids: Vec<IncidentId> = all.iter().map(|(incident, _)| incident.id).collect();
        let throw = self.dice.below(if ids.is_empty() { 2 } else { 14 });
        let pick = |world: &mut Self| *world.dice.pick(&ids);
        let command = match throw {
            0 | 1 => {
                let declare = Declare {
                    title: "something is wrong".into(),
                    severity: Some(*self.dice.pick(&Severity::ALL)),
                    known: Default::default(),
                    service: self.dice.chance(700).then(|| format!("svc{}", self.dice.below(3))),
                    impact_started_at: None,
                    page: self.dice.chance(800),
                    // Some of them, without a throw, so that seeds saved before go on meaning the same.
                    private: self.keys_given % 4 == 3,
                    report: false,
                };
                let mut input = self.input_of("p0", "api", Command::Declare(declare));
                if self.dice.chance(600) {
                    self.keys_given += 1;
                    input.once = Some(Once { key: format!("key{}", self.keys_given), digest: "d".into(), digest_before: None });
                    if self.dice.chance(400) {
                        let twice = Act::new(input.clone());
                        let wait = Length::from_secs(self.dice.below(40));
                        self.plan(after(self.now, wait), Task::Act(Box::new(twice)));
                    }
                }
                self.plan(self.now, Task::Act(Box::new(Act::new(input))));
                return;
            }
            2 | 3 => Command::incident(pick(self), ending::Command::Reopen { why: "it is back".into() }),
            4 => Command::incident(pick(self), declaration::Command::Promote { why: "it is one".into() }),
            5 | 6 => Command::Merge { from: pick(self), into: pick(self) },
            7 => Command::incident(
                pick(self),
                declaration::Command::SetSeverity { severity: *self.dice.pick(&Severity::ALL), why: "worse than thought".into() },
            ),
            8 => Command::incident(pick(self), ending::Command::Close { waive: None }),
            9 => Command::incident(pick(self), attendance::Command::Acknowledge { by: Some("p1".into()), via: "api".into() }),
            10 => Command::Escalate {
                id: pick(self),
                escalation: self.dice.chance(500).then(|| format!("pol{}", self.dice.below(3))),
                why: "more hands".into(),
            },
            11 => Command::incident(pick(self), ending::Command::Cancel { why: "none".into() }),
            12 => Command::incident(pick(self), ending::Command::Mitigate { note: None }),
            _ => Command::incident(pick(self), ending::Command::Resolve { note: None, waive: None }),
        };
        let input = self.input_of("p1", "api", command);
        self.plan(self.now, Task::Act(Box::new(Act::new(input))));
    }

    /// After an answer, what was answered must stand in the store.
    fn check_acted(&mut self, command: &Command) {
        if let Command::Page { id, command: paging::Command::Acknowledge { by, .. } } = command {
            let id: PageId = *id;
            if self.oracle.pages.get(&id).is_some_and(|page| page.tells && !page.question) {
                self.fail("I12 what only tells asks for nothing", format!("{id} was acknowledged"));
            }
            let stored = block_on(rows::page::get(&self.db, id)).ok().flatten();
            // Where several have to acknowledge, the page goes on for the others, and a drill for its further levels.
            let counts =
                |page: &paging::Page| page.drill.is_some() || page.wants > 1 && by.as_ref().is_none_or(|by| page.answered.contains(by));
            if stored.is_none_or(|(page, _)| paging::may_send(page.status) && !counts(&page)) {
                self.fail("I4 an acknowledgement answered is an acknowledgement kept", format!("{id}"));
            }
        }
    }
}

/// What somebody does who was told by this message: its link is good for its page; the rest they do signed in.
pub(crate) fn by_link(message: &StoredMessage, command: Command) -> Input {
    let who = match &command {
        Command::Page { id, .. } => Principal::of_link(&message.person, Held { page: *id, incident: message.notice.incident.id }),
        _ => Principal::new(Actor::Person(message.person.clone()), Scope::Respond),
    };
    Input { who, cause: "link".to_owned(), once: None, command }
}
