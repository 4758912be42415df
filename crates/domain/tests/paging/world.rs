//! One page in a small world: the organisation, the clock, what was sent and what is expected.
//!
//! It plays the engine's part (fold, react, look) without its store, and checks after every
//! command what must always hold. It does not decide anything itself.

#[path = "../../src/channel/sample.rs"]
mod channels;

use std::collections::{BTreeMap, HashSet};

use allclear_domain::expect::{Expectation, Key, LATE_AFTER, Rule, Standing};
use allclear_domain::ids::{AlertId, IdGen, IncidentId, MessageId, PageId};
use allclear_domain::org::model::{Bundle, NotifyUrgency};
use allclear_domain::org::snapshot::Org;
use allclear_domain::paging::Busy;
use allclear_domain::paging::{
    self, Command, Context, Event, Facts, MessageDraft, Page, Reaction, Refusal, SendReport, SendResult, Start, Status, Telling, Turns,
};
use allclear_domain::time::after;
use allclear_domain::wire::NoticeIncident;
use jiff::Timestamp;
use serde_json::{Value, json};

/// Ana is on call in `rota` from here to the next morning at nine, then Ben.
pub const MONDAY_TEN: &str = "2026-01-05T10:00:00Z";

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The people of every test, and one policy `e`.
///
/// Ana: hook at once, mail after a minute. Ben: mail. Cho: hook. Dan: nothing. Eve: unverified.
pub fn org(version: u64, policy: Option<Value>, catch_all: &[&str]) -> Org {
    // Two hundred people slow the laws down: they are there only where they are paged.
    let many =
        if policy.as_ref().is_some_and(|policy| policy.to_string().contains("team:crowd")) { paging::PEOPLE_PER_STEP_MAX + 1 } else { 0 };
    let crowd: Vec<Value> =
        (0..many).map(|n| json!({"id": format!("p{n:03}"), "name": "P", "contacts": [{"id": "mail", "email": "p@x.example"}]})).collect();
    let mut people = vec![
        json!({"id": "ana", "name": "Ana", "contacts": [{"id": "hook", "webhook": "https://x.example/ana"}, {"id": "mail", "email": "a@x.example"}],
            "notify": {"high": [{"contact": "hook"}, {"contact": "mail", "after": "1m"}], "low": [{"contact": "mail"}]}}),
        json!({"id": "ben", "name": "Ben", "contacts": [{"id": "mail", "email": "b@x.example"}], "notify": {"high": [{"contact": "mail", "after": "2m"}]}}),
        json!({"id": "cho", "name": "Cho", "contacts": [{"id": "hook", "webhook": "https://x.example/cho"}]}),
        json!({"id": "dan", "name": "Dan"}),
        json!({"id": "eve", "name": "Eve", "contacts": [{"id": "mail", "email": "e@x.example", "verified": false}]}),
    ];
    let everybody: Vec<Value> = crowd.iter().map(|person| person["id"].clone()).collect();
    people.extend(crowd);
    let bundle: Bundle = serde_json::from_value(json!({
        "people": people,
        "teams": [
            {"id": "pair", "name": "Pair", "members": ["ana", "cho"]},
            {"id": "ghosts", "name": "Ghosts", "members": ["dan", "eve"]},
            {"id": "crowd", "name": "Crowd", "members": everybody},
        ],
        "schedules": [
            {"id": "rota", "time_zone": "Etc/UTC", "layers": [{"people": ["ana", "ben"], "every": "1d", "handoff": "09:00", "starts": "2026-01-05"}]},
            {"id": "later", "time_zone": "Etc/UTC", "layers": [{"people": ["ana"], "every": "1d", "handoff": "09:00", "starts": "2030-01-01"}]},
        ],
        "escalations": policy.map(|mut policy| { policy["id"] = json!("e"); vec![policy] }).unwrap_or_default(),
        "catch_all": catch_all,
    }))
    .unwrap();
    Org::build(version, bundle, channels::WAYS)
}

/// A policy of steps of five minutes.
pub fn policy(steps: &[&[&str]], repeat: u32) -> Option<Value> {
    let steps: Vec<Value> = steps.iter().map(|page| json!({"page": page, "within": "5m"})).collect();
    Some(json!({"steps": steps, "repeat": repeat}))
}

pub struct World {
    pub org: Org,
    pub now: Timestamp,
    pub page: Option<Page>,
    pub sent: Vec<MessageDraft>,
    pub events: Vec<Event>,
    /// Whom an exhausted page comes back to beside the catch-all.
    pub managers: Vec<String>,
    /// Most rounds that any organisation so far allowed.
    pub rounds_max: u32,
    pub expectations: BTreeMap<String, Expectation>,
    /// How the incident is, where that is not as the page says.
    pub facts: Option<Facts>,
    /// Whom a drill does not ask.
    pub busy: Busy,
    /// Turns that were taken, of this page and of others.
    pub turns: Turns,
    id: PageId,
    ids: IdGen,
    attempts: BTreeMap<MessageId, u32>,
}

impl World {
    pub fn new(org: Org) -> Self {
        let mut world = Self {
            org: org.clone(),
            now: at(MONDAY_TEN),
            page: None,
            sent: Vec::new(),
            events: Vec::new(),
            managers: Vec::new(),
            rounds_max: 0,
            expectations: BTreeMap::new(),
            facts: None,
            turns: Turns::default(),
            busy: Busy::default(),
            id: PageId::from_bits(7),
            ids: IdGen::new(1),
            attempts: BTreeMap::new(),
        };
        world.reorganise(org);
        world
    }

    /// A world in which the page has started.
    pub fn started(org: Org) -> Self {
        let mut world = Self::new(org);
        world.run(world.start()).unwrap();
        world
    }

    pub fn reorganise(&mut self, org: Org) {
        self.rounds_max = self.rounds_max.max(org.escalation("e").map_or(1, |policy| policy.repeat + 1));
        self.org = org;
    }

    pub fn start(&self) -> Command {
        Command::Start(Start {
            id: self.id,
            incident: NoticeIncident {
                id: IncidentId::from_bits(1),
                reference: "INC-1".into(),
                title: "Checkout is slow".into(),
                severity: "sev2".into(),
                service: Some("checkout".into()),
                guest: None,
            },
            escalation: Some("e".into()),
            urgency: NotifyUrgency::High,
            alert: Some(AlertId::from_bits(2)),
            because: "an alert opened".into(),
            late: false,
            targets: Vec::new(),
            then: Vec::new(),
            alone: false,
            request: None,
            within: None,
            drill: None,
        })
    }

    /// Decides, folds, reacts, and checks. What it says is one line an event.
    pub fn run(&mut self, command: Command) -> Result<Vec<String>, Refusal> {
        let mut context =
            Context { now: self.now, org: &self.org, ids: &mut self.ids, facts: self.facts.clone(), turns: &self.turns, busy: &self.busy };
        let events = paging::decide(self.page.as_ref(), command, &mut context)?;
        for event in &events {
            self.turns.taken(event);
            let before = self.page.clone();
            let page = paging::evolve(before.clone(), self.id, event, self.now);
            let version = self.events.len() as u64 + 1;
            for reaction in paging::react(before.as_ref(), &page, event, version, self.now) {
                self.follow(reaction, &page);
            }
            self.page = Some(page);
            self.events.push(event.clone());
        }
        self.check();
        Ok(events.iter().map(line).collect())
    }

    fn follow(&mut self, reaction: Reaction, page: &Page) {
        match reaction {
            Reaction::Open(expectation) => {
                let key = expectation.key.clone();
                let again = self.expectations.insert(key.clone(), expectation.clone());
                // A page that goes on waits for the same step again, as another occurrence.
                let is_another = again.is_none_or(|e| e.standing != Standing::Live && e.occurrence != expectation.occurrence);
                assert!(is_another, "`{key}` is opened twice: the second would be lost");
            }
            Reaction::Settle(settle) => {
                for expectation in self.expectations.values_mut() {
                    let meant = settle.key.as_ref().is_none_or(|key| *key == expectation.key);
                    if meant && expectation.standing == Standing::Live {
                        expectation.standing = settle.standing;
                    }
                }
            }
            Reaction::Send(draft) => {
                assert!(self.sent.iter().all(|other| other.notice.key != draft.notice.key), "`{}` is told twice", draft.notice.key);
                assert!(self.sent.iter().all(|other| other.id != draft.id), "a message id is used twice");
                if draft.notice.kind.looks() {
                    assert_eq!(page.status, Status::Running, "a message of a page that is over");
                }
                self.sent.push(draft);
            }
            // Of a drill the messages of a level that is over are withdrawn.
            Reaction::WithdrawOf(person) => {
                assert!(page.asks_no_more(&person) || page.drill.is_some(), "messages of {person} are withdrawn, who is asked still")
            }
            Reaction::Withdraw => assert_ne!(page.status, Status::Running, "messages of a running page are withdrawn"),
        }
    }

    /// What holds between any two commands.
    fn check(&self) {
        let Some(page) = &self.page else { return };
        let live: HashSet<&str> = self.expectations.values().filter(|e| e.standing == Standing::Live).map(|e| e.key.as_str()).collect();
        if page.status != Status::Running {
            let comes_back = page.status == Status::Exhausted && paging::again_in(page, &self.org).is_some();
            let again = comes_back.then(|| Key::Again { round: page.round }.to_string());
            assert_eq!(live, again.iter().map(String::as_str).collect(), "a page that is {}", page.status.word());
            assert!(page.ended_at.is_some());
            return;
        }
        assert!(page.ended_at.is_none());
        assert!(page.step > 0, "a running page has paged somebody");
        let rounds = page.round - page.since_round + 1;
        assert!(rounds <= self.rounds_max, "round {rounds} of at most {}", self.rounds_max);
        let mut expected = vec![Key::Ack { round: page.round, step: page.step }.to_string()];
        let planned = page.entries.iter().filter(|entry| entry.telling == Telling::Planned);
        expected.extend(
            planned.map(|entry| {
                Key::Notify { round: page.round, step: page.step, person: entry.person.clone(), entry: entry.entry }.to_string()
            }),
        );
        let taken = page.entries.iter().filter(|entry| entry.telling == Telling::Accepted).filter_map(|entry| entry.message);
        expected.extend(taken.map(|message| Key::Receipt { message }.to_string()));
        assert_eq!(live, expected.iter().map(String::as_str).collect(), "what the page waits for");
        assert!(page.answered.len() < page.wants as usize, "as many as have to have acknowledged");
        assert_eq!(page.answered.iter().collect::<HashSet<_>>().len(), page.answered.len(), "somebody counts twice");
        assert!(page.can_be_answered(None), "the step waits for more people than can acknowledge: {page:?}");
        assert!(page.entries.iter().all(|entry| entry.telling != Telling::Planned || !page.asks_no_more(&entry.person)));
        for entry in &page.entries {
            assert_eq!(entry.message.is_some(), entry.telling != Telling::Planned, "{entry:?}");
        }
    }

    pub fn status(&self) -> Status {
        self.page.as_ref().unwrap().status
    }

    /// The live expectations, soonest first.
    pub fn live(&self) -> Vec<&Expectation> {
        let mut live: Vec<&Expectation> = self.expectations.values().filter(|e| e.standing == Standing::Live).collect();
        live.sort_by_key(|expectation| expectation.next_look_at);
        live
    }

    /// Lets the time of the soonest expectation come and looks at it, as the engine does.
    pub fn look(&mut self, late: bool) -> Vec<String> {
        let Some(due) = self.live().first().map(|due| (*due).clone()) else { return Vec::new() };
        self.now = self.now.max(due.next_look_at);
        if late {
            self.now = after(after(due.next_look_at, LATE_AFTER), LATE_AFTER).max(self.now);
        }
        let late = self.now > after(due.next_look_at, LATE_AFTER);
        let parts: Vec<&str> = due.key.split(':').collect();
        let number = |at: usize| parts[at].parse::<u32>().unwrap();
        let command = match due.rule {
            Rule::PageAck => Command::StepTimedOut { round: number(1), step: number(2), late },
            Rule::PageAgain => Command::ComeBack { managers: self.managers.clone(), late },
            Rule::PageNotify => Command::EntryDue { round: number(1), step: number(2), person: parts[3].into(), entry: number(4), late },
            Rule::MessageReceipt => {
                let message = parts[1].parse().unwrap();
                let draft = self.sent.iter().find(|draft| draft.id == message).unwrap().clone();
                let (person, contact, channel) = (draft.person, draft.contact, draft.channel);
                Command::RecordSend(SendReport { message, person, contact, channel, attempts: 1, result: failed() })
            }
            other => panic!("a page expects `{}`", other.name()),
        };
        self.expectations.get_mut(&due.key).unwrap().standing = Standing::Missed;
        self.run(command).unwrap()
    }

    /// The result of a further try of the message sent last to this person over this contact.
    pub fn report(&mut self, person: &str, contact: &str, result: SendResult) -> Vec<String> {
        let index = self.sent.iter().rposition(|draft| draft.person == person && draft.contact == contact).unwrap();
        self.report_of(index, result)
    }

    pub fn report_of(&mut self, index: usize, result: SendResult) -> Vec<String> {
        let draft = self.sent[index].clone();
        let attempts = self.attempts.entry(draft.id).or_insert(0);
        *attempts += u32::from(!matches!(result, SendResult::InDoubt { .. }));
        let attempts = *attempts;
        let report =
            SendReport { message: draft.id, person: draft.person, contact: draft.contact, channel: draft.channel, attempts, result };
        self.run(Command::RecordSend(report)).unwrap()
    }
}

pub fn delivered() -> SendResult {
    SendResult::Delivered { receipt: "200".into(), latency_ms: 40 }
}
pub fn accepted() -> SendResult {
    SendResult::Accepted { receipt: "202".into(), within: allclear_domain::time::Length::from_secs(30) }
}
pub fn failed() -> SendResult {
    SendResult::Failed { why: "410".into() }
}
pub fn delayed() -> SendResult {
    SendResult::Delayed { why: "503".into(), maybe_arrived: false, wait: allclear_domain::time::Length::from_secs(1) }
}
pub fn in_doubt() -> SendResult {
    SendResult::InDoubt { why: "the node stopped".into() }
}
pub fn acknowledge(by: &str) -> Command {
    Command::Acknowledge { by: Some(by.into()), via: "link".into() }
}
pub fn decline(by: &str) -> Command {
    Command::Decline { by: by.into(), via: "link".into(), answers: None, why: None }
}

/// An event as a test compares it.
fn line(event: &Event) -> String {
    let late = |late: bool| if late { " late" } else { "" };
    match event {
        Event::Started(_) => "started".into(),
        Event::Told(_) => "told".into(),
        Event::StepReached(body) => {
            let people: Vec<String> = body
                .people
                .iter()
                .map(|reached| {
                    let ways: Vec<String> = reached
                        .entries
                        .iter()
                        .map(|entry| {
                            if entry.message.is_some() {
                                format!("{} now", entry.contact)
                            } else {
                                format!("{} in {}", entry.contact, entry.after)
                            }
                        })
                        .collect();
                    format!("{} ({})", reached.person, ways.join(", "))
                })
                .collect();
            let what = if body.catch_all { "catch-all" } else { "step" };
            format!("{what} {}.{}{}: {}; {}", body.round, body.step, late(body.late), people.join(", "), body.because)
        }
        Event::StepEmpty(body) if body.passed => format!("passed {}.{}: {}", body.round, body.step, body.why),
        Event::StepEmpty(body) => format!("empty {}.{}: {}", body.round, body.step, body.why),
        Event::NoticeRaised(body) => format!("raised{}: {} {}; {}", late(body.late), body.person, body.contact, body.because),
        Event::Delivered(body) => {
            format!("delivered{}: {} {}", if body.after_end { " after the end" } else { "" }, body.person, body.contact)
        }
        Event::SendAccepted(body) => format!("accepted: {} {}", body.person, body.contact),
        Event::SendDelayed(body) => format!("delayed {}: {} {}", body.attempts, body.person, body.contact),
        Event::SendFailed(body) => format!("failed: {} {}", body.person, body.contact),
        Event::SendInDoubt(body) => format!("in doubt: {} {}", body.person, body.contact),
        Event::AcknowledgedInPart(body) => format!("acknowledged {} of {}: {}", body.so_far, body.wants, body.by),
        Event::TakenBack(body) => format!("taken back: {}", body.by),
        Event::Acknowledged(body) => format!("acknowledged: {}", body.by.as_deref().unwrap_or("somebody")),
        Event::Declined(body) if body.stays => format!("declined, and the others are asked: {}", body.by),
        Event::Declined(body) => format!("declined: {}", body.by),
        Event::Exhausted(body) => format!("exhausted: {}", body.why),
        Event::CameBack(body) => format!("came back in round {}", body.round),
        Event::Stopped(body) => format!("stopped: {}", body.why),
        Event::ConfirmationAsked(body) => format!("asked: {} {}", body.person, body.contact),
        Event::LevelAnswered(body) => format!("level {} answered by {}, {} of {}", body.step, body.by, body.so_far, body.wants),
        Event::AnsweredLate(body) => format!("level {} answered late by {}", body.step, body.by),
        Event::DrillEnded(body) => format!("drill ended: {}", body.why),
        Event::Resumed(body) => format!("resumed {}.{} for {}: {}", body.round, body.step, body.left, body.because),
    }
}
