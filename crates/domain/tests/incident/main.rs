//! An incident against its table: every state × verb by `decide`, and laws over any sequence of
//! commands.

#![allow(clippy::unwrap_used)] // a test fails loudly, in its helpers too

mod attendance;

use allclear_domain::access::Actor;
use allclear_domain::event::Mode;
use allclear_domain::expect::{Expectation, GRACE_DEFAULT, Rule, Standing};
use allclear_domain::ids::{AlertId, IncidentId, PageId};
use allclear_domain::incident::alarms::Silencing;
use allclear_domain::incident::flapping::{RETURNS_BEFORE_FLAPPING, Return};
use allclear_domain::incident::lifecycle::{Verb, next};
use allclear_domain::incident::{
    self, Command, Context, Declaration, Event, Incident, Instant, NOTE_CHARS_MAX, Refusal, Severity, State, TITLE_CHARS_MAX, access,
    affected, alarms, along, answers, assessment, attendance as hold, clocks, decisions, declaration, ending, flapping, hypotheses,
    lifecycle, links, moves, obligations, ordering, parties, plans, record, recovery, related, relations, reports, resources, responders,
    roles, sharing, tasks, transfers, updates, words,
};
use allclear_domain::time::{Length, after};
use jiff::Timestamp;
use proptest::prelude::*;

const ID: IncidentId = IncidentId::from_bits(1);
/// Acknowledgements of the two worst age.
const LASTS: [Option<Length>; 5] = [Some(Length::from_mins(30)), Some(Length::from_mins(60)), None, None, None];
const OTHER: IncidentId = IncidentId::from_bits(2);

fn start() -> Timestamp {
    "2026-01-05T10:00:00Z".parse().unwrap()
}

fn declaration() -> Declaration {
    Declaration {
        id: ID,
        reference: "INC-1".into(),
        title: "Checkout is slow".into(),
        severity: Severity::Sev2,
        service: Some("checkout".into()),
        escalation: Some("e".into()),
        group_key: None,
        alert: Some(AlertId::from_bits(3)),
        because: "no route matched".into(),
        impact_started_at: None,
        detected_at: Some(start()),
        group_wait: Length::ZERO,
        attend_within: None,
        exercise: false,
        basis: None,
        assumed: None,
    }
}

/// The engine's part without its store: fold, and what is expected.
struct World {
    /// Who does what follows.
    actor: Actor,
    incident: Option<Incident>,
    seconds: u64,
    version: u64,
    expectations: Vec<Expectation>,
}

/// One of a single step.
static PLANS: std::sync::LazyLock<[allclear_domain::org::model::Plan; 1]> = std::sync::LazyLock::new(|| {
    [serde_json::from_value(serde_json::json!({"id": "outage", "tasks": [{"id": "scope", "text": "Say what is affected"}]})).unwrap()]
});

/// It adopted one rule.
static ORG: std::sync::LazyLock<allclear_domain::org::snapshot::Org> = std::sync::LazyLock::new(|| {
    let bundle = serde_json::json!({"obligations": [{"id": "gdpr", "rule": "gdpr-33"}]});
    let ways = allclear_domain::channel::WaysOut::NONE;
    allclear_domain::org::snapshot::Org::build(4, serde_json::from_value(bundle).unwrap(), ways)
});

impl Default for World {
    fn default() -> Self {
        Self { actor: Actor::System, incident: None, seconds: 0, version: 0, expectations: Vec::new() }
    }
}

impl World {
    fn run(&mut self, command: impl Into<Command>) -> Result<Vec<Event>, Refusal> {
        self.seconds += 1;
        let now = after(start(), Length::from_secs(self.seconds));
        let events = incident::decide(
            self.incident.as_ref(),
            command.into(),
            Context {
                now,
                org_version: 4,
                cadence: [Some(Length::from_mins(30)); 5],
                lasts: LASTS,
                roles: &[],
                plans: PLANS.as_slice(),
                types: &[],
                services: &[],
                matrix: &allclear_domain::org::matrix::Matrix::of(&[]),
                org: &ORG,
                review_open: false,
            },
        )?;
        for event in &events {
            self.version += 1;
            let incident = incident::evolve(self.incident.take(), ID, event, &self.actor, now, Mode::Live);
            let (opened, settled) = incident::react(&incident, event, self.version, now);
            for settle in settled {
                for expectation in &mut self.expectations {
                    let meant = settle.key.as_ref().is_none_or(|key| *key == expectation.key);
                    if meant && expectation.standing == Standing::Live {
                        expectation.standing = settle.standing;
                    }
                }
            }
            for expectation in opened {
                let taken = |other: &Expectation| other.key == expectation.key && other.occurrence == expectation.occurrence;
                assert!(!self.expectations.iter().any(taken), "`{}` is opened twice", expectation.key);
                self.expectations.push(expectation);
            }
            self.incident = Some(incident);
        }
        Ok(events)
    }

    fn state(&self) -> State {
        self.incident.as_ref().unwrap().state
    }

    fn live(&self) -> Vec<Rule> {
        self.expectations.iter().filter(|e| e.standing == Standing::Live).map(|e| e.rule).collect()
    }

    /// The same without what coordination waits for.
    fn awaited(&self) -> Vec<Rule> {
        self.live()
            .into_iter()
            .filter(|rule| !matches!(rule, Rule::UpdateDue | Rule::RoleUnfilled | Rule::Attended | Rule::StillOnIt))
            .collect()
    }

    /// A world whose incident stands in this state, reached by commands.
    fn at(state: State) -> Self {
        let mut world = Self::default();
        let first = if state == State::Candidate {
            declaration::Command::Propose(declaration()).into()
        } else {
            declaration::Command::Declare(declaration()).into()
        };
        let mut path = vec![first];
        if state != State::Candidate {
            // There is one to look at again.
            path.push(command(Verb::Decision));
        }
        match state {
            State::Candidate | State::Declared => {}
            State::Investigating => path.push(command(Verb::Acknowledge)),
            State::Mitigated => path.extend([command(Verb::Acknowledge), command(Verb::Mitigate)]),
            State::Resolved => path.push(command(Verb::Resolve)),
            State::Closed => path.extend([command(Verb::Resolve), command(Verb::Close)]),
            State::Cancelled => path.push(command(Verb::Cancel)),
            State::Merged => path.push(command(Verb::Merge)),
        }
        for command in path {
            world.run(command).unwrap();
        }
        assert_eq!(world.state(), state);
        world
    }
}

/// An alert that comes back for the nth time in a row.
fn back(returns: u32) -> Command {
    flapping::Command::Return(Return { alert: AlertId::from_bits(3), title: "5xx".into(), returns, grace: GRACE_DEFAULT }).into()
}

fn silence(silenced: u64, unsilenced: u64, until: Option<u64>) -> Command {
    let held_until = until.map(|minutes| after(start(), Length::from_mins(minutes)));
    alarms::Command::Silence(Silencing { silenced, silences: vec!["maintenance".into()], unsilenced, held_until }).into()
}

/// A command of this verb that has everything it needs.
fn command(verb: Verb) -> Command {
    let why = || "because".to_owned();
    match verb {
        Verb::Declare => declaration::Command::Promote { why: why() }.into(),
        Verb::Acknowledge => hold::Command::Acknowledge { by: Some("ana".into()), via: "api".into() }.into(),
        Verb::GiveBack => hold::Command::GiveBack { by: "ana".into(), why: why() }.into(),
        Verb::Escalate => hold::Command::Escalate { page: PageId::from_bits(9), why: why() }.into(),
        Verb::Snooze => hold::Command::Snooze { until: after(start(), Length::from_mins(30)), by: "ana".into() }.into(),
        Verb::Service => affected::Command::SetService { service: "search".into(), escalation: None, why: None }.into(),
        Verb::Affect => {
            affected::Command::SetImpact { service: "search".into(), impact: affected::Impact::Full, since: None, why: None }.into()
        }
        Verb::Type => answers::Command::SetType { kind: "ward".into(), because: None, why: None }.into(),
        Verb::Field => answers::Command::Answer { field: "cause".into(), value: Some("change".into()), why: None }.into(),
        Verb::Assess => {
            let (impact, urgency) = (allclear_domain::org::model::Level::High, allclear_domain::org::model::Level::Low);
            assessment::Command::Assess { impact, urgency, why: Some(why()) }.into()
        }
        Verb::Potential => assessment::Command::SetPotential { severity: Severity::Sev1, why: None }.into(),
        Verb::Keep => assessment::Command::Keep { why: why() }.into(),
        Verb::Severity => declaration::Command::SetSeverity { severity: Severity::Sev1, why: why() }.into(),
        Verb::Alerts => alarms::Command::Tell { joined: 2, recovered: 1, open: 3 }.into(),
        Verb::Recover => alarms::Command::Recover.into(),
        Verb::Return => back(1),
        Verb::Mitigate => ending::Command::Mitigate { note: Some("rolled back".into()) }.into(),
        Verb::Resolve => ending::Command::Resolve { note: None, waive: None }.into(),
        Verb::Reopen => ending::Command::Reopen { why: why() }.into(),
        Verb::Cancel => ending::Command::Cancel { why: why() }.into(),
        Verb::Close => ending::Command::Close { waive: None }.into(),
        Verb::Merge => links::Command::Merge {
            into: OTHER,
            into_ref: "INC-2".into(),
            alerts: Vec::new(),
            update_by: None,
            was_public: false,
            along: along::Along::default(),
        }
        .into(),
        Verb::TakeApart => links::Command::TakeApart { into_ref: "INC-2".into(), back: links::Back::default() }.into(),
        Verb::Relate => {
            let (incident, is) = (OTHER, related::Relation::Parent);
            relations::Command::Tie(relations::Tied {
                incident,
                reference: "INC-2".into(),
                is,
                followed: false,
                agreed: false,
                agreed_by: None,
                why: None,
                moved: relations::Moved::default(),
            })
            .into()
        }
        Verb::Split => {
            let (incident, is) = (OTHER, related::Relation::SplitInto);
            let moved = relations::Moved { alerts: 2, tasks: Vec::new() };
            relations::Command::Tie(relations::Tied {
                incident,
                reference: "INC-2".into(),
                is,
                followed: false,
                agreed: false,
                agreed_by: None,
                why: None,
                moved,
            })
            .into()
        }
        Verb::Unrelate => relations::Command::Untie { from: OTHER, why: None }.into(),
        Verb::Follow => relations::Command::Follow.into(),
        Verb::Order => ordering::Command::Order { part: OTHER, reference: "INC-2".into(), rank: Some(1), why: None, ended: false }.into(),
        Verb::Move => {
            let (person, reference) = ("ana".to_owned(), "INC-2".to_owned());
            let (roles, tasks) = (Vec::new(), Vec::new());
            let away = moves::Away { person, incident: OTHER, reference, why: why(), instead: None, roles, tasks };
            moves::Command::Leave(away).into()
        }
        Verb::Transfer => {
            let (team, from) = ("disks".to_owned(), Some("shop".to_owned()));
            let offered = transfers::Offered { team, service: None, from, by: None, why: String::new(), people: Vec::new() };
            transfers::Command::Offer { to: "team:disks".into(), why: why(), offered: Some(offered) }.into()
        }
        Verb::Note => record::Command::Note { text: "the graph fell at ten".into(), happened_at: None, marking: None }.into(),
        Verb::Mark => record::Command::Mark { note: 1, written_at: start(), key: true }.into(),
        Verb::Restrict => access::Command::Restrict { why: why(), people: vec!["ana".into()] }.into(),
        Verb::OpenUp => access::Command::OpenUp { why: why() }.into(),
        Verb::Admit => access::Command::Admit { people: vec!["ben".into()], why: why() }.into(),
        Verb::Role => roles::Command::Offer { role: "scribe".into(), to: "ben".into(), by: None, why: None }.into(),
        Verb::Task => tasks::Command::Add { text: "call the vendor".into(), owner: None, due_at: None }.into(),
        Verb::Plan => plans::Command::Start { plan: "outage".into(), because: None }.into(),
        Verb::Recovery => recovery::Command::Confirm { item: 1, note: None }.into(),
        Verb::Restored => recovery::Command::Restore { service: "shop".into(), percent: 60, backlog: None, note: None }.into(),
        Verb::Tell => reports::Command::Tell { text: "we look".into() }.into(),
        Verb::Update => {
            updates::Command::Post { audiences: vec!["customers".into()], text: "we are on it".into(), next_within: None, marking: None }
                .into()
        }
        Verb::Decision => {
            decisions::Command::Decide(decisions::Decide { text: "fail over".into(), reversible: Some(true), ..Default::default() }).into()
        }
        Verb::Revisit => decisions::Command::Revisit { decision: 1, stands: true, note: None, review_at: None }.into(),
        Verb::Hypothesis => hypotheses::Command::Raise { text: "the disk is full".into() }.into(),
        Verb::Time => {
            let at = Some(allclear_domain::time::before(start(), Length::from_mins(5)));
            record::Command::CorrectTime { instant: Instant::ImpactStarted, at, why: why() }.into()
        }
        Verb::Link => links::Command::LinkAlert { alert: allclear_domain::ids::AlertId::from_bits(77), title: "5xx".into() }.into(),
        Verb::PauseClock => clocks::Command::Pause { waiting_for: allclear_domain::incident::clock::WaitingFor::Vendor, why: None }.into(),
        Verb::ResumeClock => clocks::Command::Resume.into(),
        Verb::Party => parties::Command::Join { organisation: "cert".into(), reference: None, liaison: None }.into(),
        Verb::Request => {
            parties::Command::Ask { organisation: "cert".into(), text: "help".into(), within: None, due_at: None, marking: None }.into()
        }
        Verb::Marking => sharing::Command::Mark { marking: allclear_domain::tlp::Tlp::Amber, why: "they help".into() }.into(),
        Verb::Guest => sharing::Command::MakeLink { organisation: "cert".into(), within: None }.into(),
        Verb::Export => sharing::Command::Export { organisation: "cert".into() }.into(),
        Verb::Responders => responders::Command::Ask {
            targets: vec!["person:ben".into()],
            escalation: None,
            why: why(),
            within: None,
            found: Some(responders::Found { people: vec!["ben".into()], by: None, page: allclear_domain::ids::PageId::from_bits(9) }),
        }
        .into(),
        Verb::Responder => {
            responders::Command::Say { request: 1, said: responders::Said::Accepted, person: Some("ben".into()), why: None }.into()
        }
        Verb::Want => resources::Command::Want { what: "pump".into(), quantity: 2, organisation: None, place: None, within: None }.into(),
        Verb::Resource => resources::Command::Move {
            resource: 1,
            said: resources::Said::Arrived,
            organisation: None,
            within: None,
            reference: None,
            text: None,
            happened_at: None,
        }
        .into(),
        Verb::Answer => parties::Command::Hear {
            request: 1,
            state: allclear_domain::incident::partners::RequestState::Answered,
            text: None,
            reference: None,
            happened_at: None,
        }
        .into(),
        Verb::Obligation => obligations::Command::Propose { form: "gdpr".into(), because: None }.into(),
        Verb::Awareness => obligations::Command::Decide { obligation: 1, applies: true, why: why(), aware_at: None, by: None }.into(),
        Verb::Submission => obligations::Command::Submit(obligations::Submit { obligation: 1, report: 1, ..Default::default() }).into(),
        Verb::Rename => declaration::Command::Rename { title: "Card payments failing".into() }.into(),
        Verb::Review => {
            links::Command::AskReview { review: allclear_domain::ids::ReviewId::from_bits(5), due_at: Timestamp::UNIX_EPOCH }.into()
        }
    }
}

#[test]
fn decide_says_what_the_table_says_for_every_state_and_verb() {
    for state in State::ALL {
        for verb in Verb::ALL {
            let mut world = World::at(state);
            let before = world.incident.clone();
            let said = world.run(command(verb));
            match (next(state, verb), said) {
                // Alerts are not people: where nothing can follow, nothing does, and nobody is told off.
                (Err(_), Ok(events)) if !verb.is_for_people() => assert!(events.is_empty(), "{state:?} {verb:?}: {events:?}"),
                (Err(_), Err(refusal)) => {
                    assert_eq!(world.incident, before, "a refusal changes nothing");
                    assert!(!refusal.code().is_empty() && !refusal.to_string().is_empty());
                }
                // All alerts over and nobody on it: the one case in which more follows than the verb says.
                (Ok(_), Ok(_)) if verb == Verb::Recover && state == State::Declared => assert_eq!(world.state(), State::Resolved),
                (Ok(_), Ok(_)) if verb == Verb::Recover && state == State::Candidate => assert_eq!(world.state(), State::Cancelled),
                // Ended by hand: the table allows it for what ended by itself.
                (Ok(_), Err(_)) if verb == Verb::Return && !state.is_open() => assert_eq!(world.incident, before),
                // There is no type, and nothing is advised.
                (Ok(_), Err(_)) if matches!(verb, Verb::Type | Verb::Field | Verb::Keep) => assert_eq!(world.incident, before),
                // No target set a clock, no plan asks for anything, nothing was asked or wanted, and nobody takes part or reported it.
                (Ok(_), Err(_))
                    if matches!(
                        verb,
                        Verb::PauseClock
                            | Verb::ResumeClock
                            | Verb::Recovery
                            | Verb::Tell
                            | Verb::Answer
                            | Verb::Unrelate
                            | Verb::Follow
                            | Verb::Order
                            | Verb::Resource
                            | Verb::Responder
                            | Verb::Export
                    ) =>
                {
                    assert_eq!(world.incident, before)
                }
                // Nothing was proposed.
                (Ok(_), Err(_)) if matches!(verb, Verb::Awareness | Verb::Submission) => assert_eq!(world.incident, before),
                // Where nothing can be answered nobody joins and no link is made; who is there leaves.
                (Ok(_), Err(_)) if matches!(verb, Verb::Party | Verb::Guest) && next(state, Verb::Answer).is_err() => {
                    assert_eq!(world.incident, before);
                }
                // It is open to everybody already.
                (Ok(after), Ok(events)) if verb == Verb::OpenUp => assert!(events.is_empty() && world.state() == after),
                // Whoever is on it already says nothing new.
                (Ok(after), Ok(events)) if verb == Verb::Acknowledge && state != State::Declared => {
                    assert!(events.is_empty() && world.state() == after);
                }
                (Ok(after), Ok(events)) => {
                    assert!(!events.is_empty(), "{state:?} {verb:?}");
                    assert_eq!(world.state(), after, "{state:?} {verb:?}");
                }
                (table, said) => panic!("{state:?} {verb:?}: the table says {table:?}, decide says {said:?}"),
            }
        }
    }
}

#[test]
fn a_beginning_needs_a_title_of_a_bounded_length_and_happens_once() {
    let with_title = |title: String| World::default().run(declaration::Command::Declare(Declaration { title, ..declaration() }));
    assert_eq!(with_title("  ".into()), Err(Refusal::Words(words::Refusal::Missing { what: "the title" })));
    assert!(with_title("ä".repeat(TITLE_CHARS_MAX)).is_ok(), "counted in characters");
    assert!(matches!(with_title("ä".repeat(TITLE_CHARS_MAX + 1)), Err(Refusal::Words(words::Refusal::TooLong { .. }))));
    assert_eq!(
        World::at(State::Candidate).run(declaration::Command::Declare(declaration())),
        Err(Refusal::State(lifecycle::Refusal::AlreadyDeclared))
    );
    assert_eq!(World::default().run(command(Verb::Resolve)), Err(Refusal::State(lifecycle::Refusal::NotDeclared)));
}

#[test]
fn reasons_and_notes_are_words_of_a_bounded_length() {
    for verb in [Verb::Reopen, Verb::Cancel, Verb::Severity, Verb::Note] {
        let mut world = World::at(if verb == Verb::Reopen { State::Resolved } else { State::Investigating });
        let empty: Command = match verb {
            Verb::Reopen => ending::Command::Reopen { why: " ".into() }.into(),
            Verb::Cancel => ending::Command::Cancel { why: String::new() }.into(),
            Verb::Severity => declaration::Command::SetSeverity { severity: Severity::Sev1, why: String::new() }.into(),
            _ => record::Command::Note { text: "\n".into(), happened_at: None, marking: None }.into(),
        };
        assert!(matches!(world.run(empty), Err(Refusal::Words(words::Refusal::Missing { .. }))), "{verb:?}");
    }
    let long = "x".repeat(NOTE_CHARS_MAX + 1);
    for command in [
        Command::from(record::Command::Note { text: long.clone(), happened_at: None, marking: None }),
        ending::Command::Mitigate { note: Some(long.clone()) }.into(),
        ending::Command::Resolve { note: Some(long), waive: None }.into(),
    ] {
        assert!(matches!(World::at(State::Investigating).run(command), Err(Refusal::Words(words::Refusal::TooLong { .. }))));
    }
}

#[test]
fn the_cadence_of_updates_runs_from_the_first_acknowledgement_and_gives_up_after_three() {
    let mut world = World::at(State::Declared);
    world.run(declaration::Command::SetSeverity { severity: Severity::Sev3, why: "one card brand only".into() }).unwrap();
    assert!(!world.live().contains(&Rule::UpdateDue), "nobody is there who could write one");
    world.run(command(Verb::Acknowledge)).unwrap();
    assert!(world.live().contains(&Rule::UpdateDue));
    world.run(command(Verb::Update)).unwrap();
    assert_eq!(world.live().iter().filter(|rule| **rule == Rule::UpdateDue).count(), 1, "met, and the next one is due");
    for missed in 1..=3 {
        for due in world.expectations.iter_mut().filter(|e| e.rule == Rule::UpdateDue && e.standing == Standing::Live) {
            due.standing = Standing::Missed;
        }
        world.run(updates::Command::Miss { due_at: start() }).unwrap();
        assert_eq!(world.live().contains(&Rule::UpdateDue), missed < 3, "missed {missed}");
    }
    world.run(command(Verb::Update)).unwrap();
    assert!(world.live().contains(&Rule::UpdateDue), "somebody tells people again");
    world.run(declaration::Command::SetSeverity { severity: Severity::Sev2, why: "worse".into() }).unwrap();
    for missed in 1..=9 {
        world.run(updates::Command::Miss { due_at: start() }).unwrap();
        assert!(world.live().contains(&Rule::UpdateDue), "of what is grave each one pages: missed {missed}");
    }
}

#[test]
fn a_role_has_one_holder_and_is_offered_before_it_is_taken() {
    let mut world = World::at(State::Investigating);
    let commander = |world: &World| world.incident.as_ref().unwrap().commander.clone();
    let first = commander(&world).expect("whoever acknowledged leads");
    world.run(roles::Command::Offer { role: "commander".into(), to: "cho".into(), by: None, why: None }).unwrap();
    assert_eq!(commander(&world), Some(first.clone()), "an offer changes nothing yet");
    assert!(world.live().contains(&Rule::RoleAnswer));
    let taken = world.run(roles::Command::Take { role: "commander".into(), person: "cho".into(), why: None }).unwrap();
    assert!(matches!(&taken[..], [Event::Roles(roles::Event::Taken(body))] if body.from == Some(first)));
    assert_eq!(commander(&world).as_deref(), Some("cho"));
    assert!(!world.live().contains(&Rule::RoleAnswer));
    world.run(roles::Command::Leave { role: "commander".into(), why: None }).unwrap();
    assert_eq!(commander(&world), None);
    assert!(world.live().contains(&Rule::RoleUnfilled), "somebody has to lead");
    assert!(matches!(
        world.run(roles::Command::Leave { role: "commander".into(), why: None }),
        Err(Refusal::Roles(roles::Refusal::NobodyHolds { .. }))
    ));
}

#[test]
fn a_severity_that_is_set_already_is_no_news() {
    let mut world = World::at(State::Declared);
    assert!(world.run(declaration::Command::SetSeverity { severity: Severity::Sev2, why: String::new() }).unwrap().is_empty());
}

#[test]
fn an_incident_is_merged_into_another_one_only() {
    let mut world = World::at(State::Declared);
    assert_eq!(
        world.run(links::Command::Merge {
            into: ID,
            into_ref: "INC-1".into(),
            alerts: Vec::new(),
            update_by: None,
            was_public: false,
            along: along::Along::default()
        }),
        Err(Refusal::Links(links::Refusal::MergeIntoItself))
    );
    assert_eq!(world.run(command(Verb::Merge)).unwrap().len(), 1);
    assert_eq!(world.run(command(Verb::Resolve)), Err(Refusal::State(lifecycle::Refusal::AlreadyMerged(OTHER.to_string()))));
    let absorb =
        || links::Command::Absorb { from: OTHER, from_ref: "INC-2".into(), along: along::Along::default(), update_by: None, said: false };
    assert!(World::at(State::Mitigated).run(absorb()).is_ok());
    assert_eq!(
        World::at(State::Resolved).run(absorb()),
        Err(Refusal::State(lifecycle::Refusal::AlreadyResolved)),
        "it would hide the other"
    );
}

#[test]
fn a_recovery_resolves_what_nobody_took_and_asks_whoever_did() {
    let mut world = World::at(State::Declared);
    let said = world.run(alarms::Command::Recover).unwrap();
    assert!(
        matches!(said.as_slice(), [Event::Alarms(alarms::Event::Recovered(_)), Event::Ending(ending::Event::Resolved(body))] if body.by_itself)
    );
    assert_eq!(world.awaited(), [Rule::IncidentOver], "only that whoever was told hears so");

    let mut world = World::at(State::Investigating);
    let said = world.run(alarms::Command::Recover).unwrap();
    assert!(matches!(said.as_slice(), [Event::Alarms(alarms::Event::Recovered(body))] if body.ask.as_deref() == Some("ana")));
    assert_eq!(world.awaited(), [Rule::ConfirmRecovery]);
    assert!(world.run(alarms::Command::Recover).unwrap().is_empty(), "asked once");
    world.run(command(Verb::Alerts)).unwrap();
    assert!(world.awaited().is_empty(), "another alert joined");
    assert_eq!(world.run(alarms::Command::Recover).unwrap().len(), 1, "and asked again when that is over too");
    assert_eq!(world.run(alarms::Command::MissConfirmation).unwrap().len(), 1);
    world.run(command(Verb::Resolve)).unwrap();
    assert_eq!(world.awaited(), [Rule::IncidentOver]);
    assert!(world.run(alarms::Command::MissConfirmation).unwrap().is_empty());
}

#[test]
fn a_recovery_of_what_somebody_unnamed_took_is_asked_about_too() {
    let mut world = World::at(State::Declared);
    world.run(hold::Command::Acknowledge { by: None, via: "sender".into() }).unwrap();
    world.run(alarms::Command::Recover).unwrap();
    assert_eq!(world.awaited(), [Rule::ConfirmRecovery], "or it would stay open and nobody would hear of it");
}

#[test]
fn the_first_acknowledgement_is_the_first_also_after_a_reopening() {
    let mut world = World::at(State::Declared);
    world.run(alarms::Command::Recover).unwrap();
    world.run(command(Verb::Reopen)).unwrap();
    let said = world.run(hold::Command::Acknowledge { by: None, via: "sender".into() }).unwrap();
    assert!(matches!(said.as_slice(), [Event::Attendance(hold::Event::Acknowledged(body))] if body.first), "{said:?}");
    assert!(world.incident.as_ref().unwrap().acknowledged_at.is_some());
    assert!(world.run(hold::Command::Acknowledge { by: None, via: "sender".into() }).unwrap().is_empty());
    let said = world.run(command(Verb::Acknowledge)).unwrap();
    assert!(matches!(said.as_slice(), [Event::Attendance(hold::Event::Acknowledged(body))] if !body.first));
    assert_eq!(world.incident.as_ref().unwrap().commander.as_deref(), Some("ana"));
}

#[test]
fn a_reopening_undoes_what_it_undoes() {
    let mut world = World::at(State::Mitigated);
    world.run(command(Verb::Resolve)).unwrap();
    world.run(command(Verb::Close)).unwrap();
    world.run(command(Verb::Reopen)).unwrap();
    let incident = world.incident.as_ref().unwrap();
    assert_eq!((incident.state, incident.reopened), (State::Investigating, 1));
    assert_eq!((incident.resolved_at, incident.closed_at), (None, None));
    assert!(incident.mitigated_at.is_some(), "the first mitigation is the one that counts");
    assert!(incident.acknowledged_at.is_some() && incident.declared_at.is_some());
}

#[test]
fn a_candidate_waits_for_a_decision_and_a_group_for_its_time() {
    let mut world = World::at(State::Candidate);
    assert_eq!(world.awaited(), [Rule::Candidate]);
    assert_eq!(world.incident.as_ref().unwrap().declared_at, None);
    world.run(command(Verb::Declare)).unwrap();
    assert!(world.awaited().is_empty());
    assert!(world.incident.as_ref().unwrap().declared_at.is_some());

    let mut world = World::default();
    world.run(declaration::Command::Declare(Declaration { group_wait: Length::from_secs(30), ..declaration() })).unwrap();
    assert_eq!(world.awaited(), [Rule::GroupWait]);
    world.run(command(Verb::Acknowledge)).unwrap();
    assert!(world.awaited().is_empty(), "nobody needs to be looked for");
}

#[test]
fn what_ended_by_itself_is_opened_again_by_an_alert_that_comes_back_and_by_nobodys_hand() {
    let mut world = World::at(State::Declared);
    world.run(alarms::Command::Recover).unwrap();
    assert_eq!(world.state(), State::Resolved);
    let said = world.run(back(1)).unwrap();
    assert!(matches!(said.as_slice(), [Event::Flapping(flapping::Event::Returned(body))] if body.reopened));
    let incident = world.incident.clone().unwrap();
    assert_eq!((incident.state, incident.resolved_at, incident.recovered), (State::Declared, None, false));
    assert_eq!(world.run(alarms::Command::Recover).unwrap().len(), 2, "and it may recover again");

    let mut world = World::at(State::Candidate);
    world.run(alarms::Command::Recover).unwrap();
    assert_eq!(world.state(), State::Cancelled);
    world.run(back(1)).unwrap();
    assert_eq!((world.state(), world.awaited()), (State::Candidate, vec![Rule::Candidate]), "somebody still decides");

    for (state, by_hand) in [(State::Declared, Verb::Resolve), (State::Candidate, Verb::Cancel), (State::Declared, Verb::Cancel)] {
        let mut world = World::at(state);
        world.run(command(by_hand)).unwrap();
        assert!(world.run(back(1)).is_err(), "{state:?} ended by {by_hand:?}");
    }
    let mut world = World::at(State::Declared);
    world.run(alarms::Command::Recover).unwrap();
    world.run(ending::Command::Close { waive: None }).unwrap();
    assert!(world.run(back(1)).is_err(), "somebody closed it");
}

#[test]
fn whoever_has_it_is_asked_no_more_whether_it_is_over_once_it_is_back() {
    let mut world = World::at(State::Investigating);
    world.run(alarms::Command::Recover).unwrap();
    assert_eq!(world.awaited(), [Rule::ConfirmRecovery]);
    let said = world.run(back(1)).unwrap();
    assert!(matches!(said.as_slice(), [Event::Flapping(flapping::Event::Returned(body))] if !body.reopened));
    assert!(world.awaited().is_empty() && world.state() == State::Investigating);
}

#[test]
fn what_comes_back_more_than_three_times_flaps_until_it_has_been_quiet() {
    let mut world = World::at(State::Declared);
    for n in 1..=RETURNS_BEFORE_FLAPPING {
        assert_eq!(world.run(back(n)).unwrap().len(), 1, "{n}");
    }
    let said = world.run(back(RETURNS_BEFORE_FLAPPING + 1)).unwrap();
    assert!(
        matches!(said.as_slice(), [Event::Flapping(flapping::Event::Returned(_)), Event::Flapping(flapping::Event::Flapping(body))] if body.quiet_for == GRACE_DEFAULT),
        "{said:?}"
    );
    assert_eq!(world.run(back(RETURNS_BEFORE_FLAPPING + 2)).unwrap().len(), 1, "said once");
    assert_eq!(world.awaited(), [Rule::Flapping]);
    world.run(flapping::Command::Steady { open: 0 }).unwrap();
    assert!(world.awaited().is_empty());
    assert!(world.run(flapping::Command::Steady { open: 0 }).unwrap().is_empty());
}

#[test]
fn an_incident_is_held_while_silences_hold_all_of_its_alerts() {
    let mut world = World::at(State::Declared);
    world.run(silence(1, 0, None)).unwrap();
    assert!(!world.incident.as_ref().unwrap().alarms.is_held() && world.awaited().is_empty(), "another alert burns freely");
    world.run(silence(1, 0, Some(60))).unwrap();
    assert_eq!(world.awaited(), [Rule::Silenced], "or nobody would look at it again");
    assert_eq!(world.incident.as_ref().unwrap().alarms.held_by, ["maintenance"]);
    assert!(world.run(silence(0, 0, Some(60))).unwrap().is_empty(), "nothing changed");
    assert_eq!(world.run(silence(0, 1, None)).unwrap().len(), 1);
    assert!(!world.incident.as_ref().unwrap().alarms.is_held() && world.awaited().is_empty());

    world.run(silence(2, 0, Some(60))).unwrap();
    world.run(alarms::Command::Recover).unwrap();
    assert!(!world.incident.as_ref().unwrap().alarms.is_held(), "what is over is held by nothing");
    assert!(world.run(silence(1, 0, Some(60))).unwrap().is_empty());
}

fn any_command() -> impl Strategy<Value = Command> {
    let who = prop_oneof![Just(None), Just(Some("ana".to_owned())), Just(Some("ben".to_owned()))];
    let words = prop_oneof![3 => Just("because".to_owned()), 1 => Just(" ".to_owned())];
    prop_oneof![
        1 => prop_oneof![
            Just(hold::Command::StillOnIt { by: Some("ana".into()), via: "link".into() }.into()),
            Just(hold::Command::AskStillOnIt { people: vec!["ana".into()], within: Length::from_mins(10) }.into()),
        ],
        6 => (0..Verb::ALL.len()).prop_map(|at| command(Verb::ALL[at])),
        2 => who.prop_map(|by| hold::Command::Acknowledge { by, via: "link".into() }.into()),
        1 => words.prop_map(|why| ending::Command::Reopen { why }.into()),
        1 => (0_usize..5).prop_map(|at| declaration::Command::SetSeverity { severity: Severity::ALL[at], why: "worse".into() }.into()),
        1 => (0_u64..3, 0_u64..3).prop_map(|(joined, recovered)| Command::Alarms(alarms::Command::Tell { joined, recovered, open: 1 })),
        2 => (0_u32..4, any::<bool>()).prop_map(|(task, done)| if done { tasks::Command::Finish { task, note: None }.into() } else { tasks::Command::Miss { task }.into() }),
        1 => (0_i64..4).prop_map(|hours| tasks::Command::Add {
            text: "call".into(),
            owner: Some("ana".into()),
            due_at: Timestamp::from_second(4_000_000_000 + hours * 3600).ok(),
        }.into()),
        2 => (0_usize..3, any::<bool>()).prop_map(|(at, take)| {
            let (role, person) = (["commander", "scribe", "deputy"][at].to_owned(), "cho".to_owned());
            if take { roles::Command::Take { role, person, why: None }.into() } else { roles::Command::Offer { role, to: person, by: None, why: None }.into() }
        }),
        1 => Just(roles::Command::Leave { role: "commander".into(), why: None }.into()),
        1 => Just(updates::Command::Miss { due_at: Timestamp::UNIX_EPOCH }.into()),
        1 => Just(alarms::Command::MissConfirmation.into()),
        2 => (1_u32..6).prop_map(back),
        2 => (0_u64..3, 0_u64..3, prop_oneof![Just(None), (1_u64..90).prop_map(Some)]).prop_map(|(a, b, until)| silence(a, b, until)),
        1 => (0_u64..3).prop_map(|open| flapping::Command::Steady { open }.into()),
        1 => Just(links::Command::Absorb { from: OTHER, from_ref: "INC-2".into(), along: along::Along::default(), update_by: None, said: false }.into()),
        1 => Just(declaration::Command::Declare(declaration()).into()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_life_keeps_the_invariants(candidate in any::<bool>(), commands in prop::collection::vec(any_command(), 0..40)) {
        let mut world = World::at(if candidate { State::Candidate } else { State::Declared });
        for command in commands {
            let before = world.incident.clone().unwrap();
            let reopens = matches!(command, Command::Ending(ending::Command::Reopen { .. }));
            let apart = matches!(command, Command::Links(links::Command::TakeApart { .. }));
            let gives_back = matches!(command, Command::Attendance(hold::Command::GiveBack { .. }));
            let clears = reopens || apart || matches!(command, Command::Flapping(flapping::Command::Return(_)));
            let Ok(events) = world.run(command) else {
                prop_assert_eq!(world.incident.as_ref(), Some(&before));
                continue;
            };
            let after = world.incident.clone().unwrap();
            if before.state == State::Closed && !reopens {
                // Whoever looks on leaves or reads less, and nobody comes; what was related is so no more.
                let less = ["unrelated", "incident_marked", "guest_link_revoked", "party_left", "request_withdrawn"];
                let late = |event: &Event| matches!(event, Event::Record(_)) || less.contains(&event.kind());
                prop_assert!(events.iter().all(late), "closed accepts late facts and a reopening: {:?}", events);
            }
            // Instants are set once; only what undoes something clears, and only what it undoes.
            let instants = [
                (before.declared_at, after.declared_at, false),
                (before.acknowledged_at, after.acknowledged_at, gives_back),
                (before.mitigated_at, after.mitigated_at, true),
                (before.resolved_at, after.resolved_at, true),
                (before.closed_at, after.closed_at, true),
            ];
            for (was, is, may_clear) in instants {
                let cleared = may_clear && (clears || gives_back) && is.is_none();
                prop_assert!(was.is_none() || was == is || cleared, "{:?} became {:?}", was, is);
            }
            prop_assert_eq!(after.alarms.is_held(), world.live().contains(&Rule::Silenced));
            prop_assert_eq!(after.alarms.flapping.is_some(), world.live().contains(&Rule::Flapping));
            prop_assert_eq!(after.created_at, before.created_at);
            prop_assert_eq!(after.resolved_at.is_some(), matches!(after.state, State::Resolved | State::Closed));
            prop_assert_eq!(after.closed_at.is_some(), matches!(after.state, State::Closed | State::Cancelled | State::Merged));
            prop_assert_eq!(after.merged_into.is_some(), after.state == State::Merged);
            prop_assert!(after.declared_at.is_some() || matches!(after.state, State::Candidate | State::Cancelled | State::Merged));
            // What a regulator is owed is owed also when it is resolved.
            let is_owed = |rule: &Rule| *rule == Rule::ObligationDue && after.state == State::Resolved;
            let of_the_end = world.live().iter().all(|rule| *rule == Rule::IncidentOver || is_owed(rule));
            prop_assert!(after.state.is_open() || of_the_end, "{:?} waits for {:?}", after.state, world.live());
            // A fold of what was stored is the same as the fold of what was decided.
            let version = world.version;
            let mut read = Some(before);
            for event in &events {
                let stored = Event::decode(event.kind(), event.v(), &event.body()).unwrap();
                prop_assert_eq!(&stored, event);
                read = Some(incident::evolve(read, ID, &stored, &Actor::System, after.updated_at, Mode::Live));
            }
            prop_assert_eq!(read, world.incident.clone());
            prop_assert_eq!(version, world.version);
        }
    }
}

#[test]
fn a_private_incident_admits_who_has_to_do_with_it_and_tells_no_audience() {
    let mut world = World::at(State::Investigating);
    world.run(access::Command::Restrict { why: "a person is named".into(), people: vec!["ana".into()] }).unwrap();
    let incident = world.incident.clone().unwrap();
    assert!(incident.private && incident.admitted.contains("ana"));
    let update = |audiences: Vec<String>| {
        Command::Updates(updates::Command::Post { audiences, text: "we are on it".into(), next_within: None, marking: None })
    };
    assert_eq!(world.run(update(vec!["customers".into()])).unwrap_err().code(), "private_to_audiences");
    world.run(update(Vec::new())).unwrap();
    world.run(roles::Command::Offer { role: "scribe".into(), to: "dan".into(), by: None, why: None }).unwrap();
    world.run(tasks::Command::Add { text: "call".into(), owner: Some("eve".into()), due_at: None }).unwrap();
    world.run(access::Command::Admit { people: vec!["fay".into(), "fay".into(), "ana".into()], why: "helps".into() }).unwrap();
    let admitted = world.incident.clone().unwrap().admitted;
    assert!(["dan", "eve", "fay"].iter().all(|id| admitted.contains(*id)), "{admitted:?}");
    assert_eq!(world.run(access::Command::Admit { people: vec!["fay".into()], why: "again".into() }).unwrap(), []);
    world.run(access::Command::OpenUp { why: "it is known".into() }).unwrap();
    let incident = world.incident.clone().unwrap();
    assert!(!incident.private && incident.admitted == admitted, "who was admitted stays so");
}
