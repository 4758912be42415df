//! An incident for the tests of the parts, made by commands as in the product.

use std::sync::LazyLock;

use jiff::Timestamp;

use crate::access::Actor;
use crate::channel::WaysOut;
use crate::event::Mode;
use crate::expect::{Expectation, Settle};
use crate::ids::IncidentId;
use crate::incident::{Command, Context, Declaration, Event, Incident, Refusal, Severity, decide, declaration, evolve, react};
use crate::org::forms::plan::Plan;
use crate::org::matrix::Matrix;
use crate::org::model::{IncidentType, Service};
use crate::org::roles::RoleSetting;
use crate::org::snapshot::Org;
use crate::time::{EARLIEST, Length, after};

/// An incident, by whom its commands come.
pub(super) struct Sample {
    pub incident: Incident,
    pub at: Timestamp,
    version: u64,
}

fn context(now: Timestamp) -> Context<'static> {
    let (cadence, lasts) = ([Some(Length::from_mins(30)); 5], [Some(Length::from_mins(60)); 5]);
    Context {
        now,
        org_version: 1,
        cadence,
        lasts,
        roles: ROLES.as_slice(),
        plans: PLANS.as_slice(),
        types: TYPES.as_slice(),
        services: SERVICES.as_slice(),
        matrix: &MATRIX,
        org: &ORG,
        review_open: false,
    }
}

/// As it is shipped.
static MATRIX: LazyLock<Matrix> = LazyLock::new(|| Matrix::of(&[]));

/// One on which most depends.
static SERVICES: LazyLock<[Service; 1]> =
    LazyLock::new(|| [serde_json::from_value(serde_json::json!({"id": "vital", "name": "Vital", "tier": 1})).expect("it is a service")]);

/// One that asks something of each part of life, and one that asks less.
static TYPES: LazyLock<[IncidentType; 2]> = LazyLock::new(|| {
    let read = |json| serde_json::from_value(json).expect("it is a type");
    let cause =
        serde_json::json!({"id": "cause", "label": "What was it?", "kind": "choice", "required": "close", "choices": ["Change", "Other"]});
    [
        read(serde_json::json!({"id": "ward", "name": "Ward", "fields": [cause.clone(),
            {"id": "patients", "label": "How many patients?", "kind": "number", "required": "declare"}]})),
        read(serde_json::json!({"id": "plain", "name": "Plain", "fields": [cause]})),
    ]
});

/// It adopted two rules, one of them with reports that follow.
static ORG: LazyLock<Org> = LazyLock::new(|| {
    let bundle = serde_json::json!({"services": [{"id": "pay", "name": "Pay", "rto": "1h", "mtpd": "4h"}], "obligations": [{"id": "gdpr", "rule": "gdpr-33"}, {"id": "dora", "rule": "dora-initial"}]});
    Org::build(1, serde_json::from_value(bundle).expect("it is one"), WaysOut::NONE)
});

/// One of its roles has a time after which relief is due.
static ROLES: LazyLock<[RoleSetting; 1]> = LazyLock::new(|| {
    [RoleSetting {
        id: "medic".into(),
        name: "Medic".into(),
        duties: Vec::new(),
        exclusive: false,
        needed_from: None,
        within: Length::from_mins(5),
        from: None,
        deputy: None,
        relief_after: Some(Length::from_mins(60)),
        reminds_after: Some(Length::from_mins(60)),
    }]
});

/// One of three steps and two items, one that tells people more often than the severity, one that begins with a decision, and
/// two whose steps do something.
static PLANS: LazyLock<[Plan; 5]> = LazyLock::new(|| {
    let read = |json| serde_json::from_value(json).expect("it is a plan");
    [
        read(serde_json::json!({"id": "outage", "name": "Service outage", "tasks": [
            {"id": "scope", "text": "Say what is affected", "role": "commander", "within": "10m"},
            {"id": "failover", "text": "Fail over", "after": ["scope"], "within": "20m"},
            {"id": "check", "text": "Check", "after": ["scope", "failover"], "within": "5m"}],
            "recovery": ["Errors are normal", "The backlog is cleared"]})),
        read(serde_json::json!({"id": "breach", "tasks": [{"id": "lock", "text": "Lock it", "person": "ben", "within": "1h"}],
            "updates": [{"audience": "board", "every": "15m"}], "recovery": ["Nobody is in"]})),
        read(serde_json::json!({"id": "fork", "tasks": [
            {"id": "way", "text": "Decide on the other site", "question": "Fail over?", "options": [
                {"text": "Fail over", "reversible": false}, {"text": "Wait", "skips": ["switch"]}]},
            {"id": "switch", "text": "Fail over", "after": ["way"], "within": "20m"},
            {"id": "check", "text": "Check", "after": ["way", "switch"], "within": "5m"}]})),
        read(serde_json::json!({"id": "machine", "tasks": [
            {"id": "first", "text": "Fail over", "do": {"webhook": "https://h.example/x", "by_itself": true,
                "body": "{\"t\":\"{{title}}\",\"p\":\"{{plan}}\"}"}},
            {"id": "second", "text": "Drain", "after": ["first"], "do": {"webhook": "https://h.example/y"}},
            {"id": "third", "text": "Look"}]})),
        read(serde_json::json!({"id": "alone", "tasks": [
            {"id": "check", "text": "Check"},
            {"id": "go", "text": "Fail over", "after": ["check"], "do": {"webhook": "https://h.example/x", "by_itself": true}}]})),
    ]
});

impl Sample {
    /// The types that there are.
    pub fn types() -> &'static [IncidentType] {
        TYPES.as_slice()
    }

    /// The services that there are.
    pub fn services() -> &'static [Service] {
        SERVICES.as_slice()
    }

    /// Declared, and nobody has it.
    pub fn declared() -> Self {
        let new = Declaration {
            id: IncidentId::from_bits(1),
            reference: "INC-1".into(),
            title: "Checkout is slow".into(),
            severity: Severity::Sev3,
            service: None,
            escalation: None,
            group_key: None,
            alert: None,
            because: "a test".into(),
            impact_started_at: None,
            detected_at: None,
            group_wait: Length::ZERO,
            attend_within: None,
            exercise: false,
            basis: None,
            assumed: None,
        };
        let at = after(EARLIEST, Length::from_mins(60));
        let events = decide(None, declaration::Command::Declare(new).into(), context(at)).expect("its title is one");
        let incident = evolve(None, IncidentId::from_bits(1), &events[0], &Actor::System, at, Mode::Live);
        Self { incident, at, version: 1 }
    }

    /// The same after a command that is not refused.
    pub fn after(mut self, command: impl Into<Command>) -> Self {
        self.run(command).expect("the test says that it fits");
        self
    }

    /// Ana asks it: what happened, with what is awaited from then on and what no more.
    pub fn run(&mut self, command: impl Into<Command>) -> Result<Happened, Refusal> {
        let mut happened = Happened { events: decide(Some(&self.incident), command.into(), context(self.at))?, ..Happened::default() };
        for event in &happened.events {
            self.version += 1;
            let ana = Actor::Person("ana".into());
            self.incident = evolve(Some(self.incident.clone()), self.incident.id, event, &ana, self.at, Mode::Live);
            let (opened, settled) = react(&self.incident, event, self.version, self.at);
            happened.opened.extend(opened);
            happened.settled.extend(settled);
        }
        Ok(happened)
    }

    /// The code of the refusal.
    pub fn refusal(&mut self, command: impl Into<Command>) -> &'static str {
        self.run(command).unwrap_err().code()
    }
}

/// What a command led to.
#[derive(Debug, Default)]
pub(super) struct Happened {
    pub events: Vec<Event>,
    opened: Vec<Expectation>,
    settled: Vec<Settle>,
}

impl Happened {
    /// The kinds of the events.
    pub fn kinds(&self) -> Vec<&'static str> {
        self.events.iter().map(Event::kind).collect()
    }

    /// Keys of what is awaited from now on.
    pub fn opened(&self) -> Vec<&str> {
        self.opened.iter().map(|one| one.key.as_str()).collect()
    }

    /// Until when this is awaited, where it is from now on.
    pub fn due_at(&self, key: &str) -> Option<Timestamp> {
        self.opened.iter().find(|one| one.key == key).map(|one| one.next_look_at)
    }

    /// Keys of what is awaited no more; `*` is all of it.
    pub fn settled(&self) -> Vec<&str> {
        self.settled.iter().map(|one| one.key.as_deref().unwrap_or("*")).collect()
    }
}
