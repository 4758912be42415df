//! An incident against its table: every state × verb by `decide`, and laws over any sequence of
//! commands.

#![allow(clippy::unwrap_used)] // a test fails loudly, in its helpers too

#[path = "incident/attendance.rs"]
mod attendance;

use allclear_domain::access::Actor;
use allclear_domain::event::Mode;
use allclear_domain::expect::{Expectation, Rule, Standing};
use allclear_domain::ids::{AlertId, IncidentId, PageId};
use allclear_domain::incident::alarms::{GRACE_DEFAULT, RETURNS_BEFORE_FLAPPING, Return, Silencing};
use allclear_domain::incident::lifecycle::{Verb, next};
use allclear_domain::incident::{
    self, Command, Context, Declaration, Event, Incident, Instant, NOTE_CHARS_MAX, Refusal, Severity, State, TITLE_CHARS_MAX,
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

impl Default for World {
    fn default() -> Self {
        Self { actor: Actor::System, incident: None, seconds: 0, version: 0, expectations: Vec::new() }
    }
}

impl World {
    fn run(&mut self, command: Command) -> Result<Vec<Event>, Refusal> {
        self.seconds += 1;
        let now = after(start(), Length::from_secs(self.seconds));
        let events = incident::decide(
            self.incident.as_ref(),
            command,
            Context { now, org_version: 4, cadence: [Some(Length::from_mins(30)); 5], lasts: LASTS },
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
        let first = if state == State::Candidate { Command::Propose(declaration()) } else { Command::Declare(declaration()) };
        let mut path = vec![first];
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
    Command::Return(Return { alert: AlertId::from_bits(3), title: "5xx".into(), returns, grace: GRACE_DEFAULT })
}

fn silence(silenced: u64, unsilenced: u64, until: Option<u64>) -> Command {
    let held_until = until.map(|minutes| after(start(), Length::from_mins(minutes)));
    Command::Silence(Silencing { silenced, silences: vec!["maintenance".into()], unsilenced, held_until })
}

/// A command of this verb that has everything it needs.
fn command(verb: Verb) -> Command {
    let why = || "because".to_owned();
    match verb {
        Verb::Declare => Command::Promote { why: why() },
        Verb::Acknowledge => Command::Acknowledge { by: Some("ana".into()), via: "api".into() },
        Verb::Escalate => Command::Escalate { page: PageId::from_bits(9), why: why() },
        Verb::Severity => Command::SetSeverity { severity: Severity::Sev1, why: why() },
        Verb::Alerts => Command::TellAlerts { joined: 2, recovered: 1, open: 3 },
        Verb::Recover => Command::Recover,
        Verb::Return => back(1),
        Verb::Mitigate => Command::Mitigate { note: Some("rolled back".into()) },
        Verb::Resolve => Command::Resolve { note: None },
        Verb::Reopen => Command::Reopen { why: why() },
        Verb::Cancel => Command::Cancel { why: why() },
        Verb::Close => Command::Close,
        Verb::Merge => Command::Merge { into: OTHER, into_ref: "INC-2".into() },
        Verb::Note => Command::Note { text: "the graph fell at ten".into() },
        Verb::Restrict => Command::Restrict { why: why(), people: vec!["ana".into()] },
        Verb::OpenUp => Command::OpenUp { why: why() },
        Verb::Admit => Command::Admit { people: vec!["ben".into()], why: why() },
        Verb::Role => Command::OfferRole { role: "scribe".into(), to: "ben".into() },
        Verb::Task => Command::AddTask { text: "call the vendor".into(), owner: None, due_at: None },
        Verb::Update => Command::Update { audiences: vec!["customers".into()], text: "we are on it".into(), next_within: None },
        Verb::Decision => Command::Decide { text: "fail over".into(), reversible: Some(true) },
        Verb::Time => Command::CorrectTime { instant: Instant::ImpactStarted, at: Timestamp::from_second(1).ok(), why: why() },
        Verb::Link => Command::LinkAlert { alert: allclear_domain::ids::AlertId::from_bits(77), title: "5xx".into() },
        Verb::Rename => Command::Rename { title: "Card payments failing".into() },
        Verb::Review => Command::AskReview { review: allclear_domain::ids::ReviewId::from_bits(5), due_at: Timestamp::UNIX_EPOCH },
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
    let with_title = |title: String| World::default().run(Command::Declare(Declaration { title, ..declaration() }));
    assert_eq!(with_title("  ".into()), Err(Refusal::WordsMissing { what: "the title" }));
    assert!(with_title("ä".repeat(TITLE_CHARS_MAX)).is_ok(), "counted in characters");
    assert!(matches!(with_title("ä".repeat(TITLE_CHARS_MAX + 1)), Err(Refusal::TooLong { .. })));
    assert_eq!(World::at(State::Candidate).run(Command::Declare(declaration())), Err(Refusal::AlreadyDeclared));
    assert_eq!(World::default().run(command(Verb::Resolve)), Err(Refusal::NotDeclared));
}

#[test]
fn reasons_and_notes_are_words_of_a_bounded_length() {
    for verb in [Verb::Reopen, Verb::Cancel, Verb::Severity, Verb::Note] {
        let mut world = World::at(if verb == Verb::Reopen { State::Resolved } else { State::Investigating });
        let empty = match verb {
            Verb::Reopen => Command::Reopen { why: " ".into() },
            Verb::Cancel => Command::Cancel { why: String::new() },
            Verb::Severity => Command::SetSeverity { severity: Severity::Sev1, why: String::new() },
            _ => Command::Note { text: "\n".into() },
        };
        assert!(matches!(world.run(empty), Err(Refusal::WordsMissing { .. })), "{verb:?}");
    }
    let long = "x".repeat(NOTE_CHARS_MAX + 1);
    for command in
        [Command::Note { text: long.clone() }, Command::Mitigate { note: Some(long.clone()) }, Command::Resolve { note: Some(long) }]
    {
        assert!(matches!(World::at(State::Investigating).run(command), Err(Refusal::TooLong { .. })));
    }
}

#[test]
fn the_cadence_of_updates_runs_from_the_first_acknowledgement_and_gives_up_after_three() {
    let mut world = World::at(State::Declared);
    world.run(Command::SetSeverity { severity: Severity::Sev3, why: "one card brand only".into() }).unwrap();
    assert!(!world.live().contains(&Rule::UpdateDue), "nobody is there who could write one");
    world.run(command(Verb::Acknowledge)).unwrap();
    assert!(world.live().contains(&Rule::UpdateDue));
    world.run(command(Verb::Update)).unwrap();
    assert_eq!(world.live().iter().filter(|rule| **rule == Rule::UpdateDue).count(), 1, "met, and the next one is due");
    for missed in 1..=3 {
        for due in world.expectations.iter_mut().filter(|e| e.rule == Rule::UpdateDue && e.standing == Standing::Live) {
            due.standing = Standing::Missed;
        }
        world.run(Command::MissUpdate { due_at: start() }).unwrap();
        assert_eq!(world.live().contains(&Rule::UpdateDue), missed < 3, "missed {missed}");
    }
    world.run(command(Verb::Update)).unwrap();
    assert!(world.live().contains(&Rule::UpdateDue), "somebody tells people again");
    world.run(Command::SetSeverity { severity: Severity::Sev2, why: "worse".into() }).unwrap();
    for missed in 1..=9 {
        world.run(Command::MissUpdate { due_at: start() }).unwrap();
        assert!(world.live().contains(&Rule::UpdateDue), "of what is grave each one pages: missed {missed}");
    }
}

#[test]
fn a_role_has_one_holder_and_is_offered_before_it_is_taken() {
    let mut world = World::at(State::Investigating);
    let commander = |world: &World| world.incident.as_ref().unwrap().commander.clone();
    let first = commander(&world).expect("whoever acknowledged leads");
    world.run(Command::OfferRole { role: "commander".into(), to: "cho".into() }).unwrap();
    assert_eq!(commander(&world), Some(first.clone()), "an offer changes nothing yet");
    assert!(world.live().contains(&Rule::RoleAnswer));
    let taken = world.run(Command::TakeRole { role: "commander".into(), person: "cho".into() }).unwrap();
    assert!(matches!(&taken[..], [Event::RoleTaken(body)] if body.from == Some(first)));
    assert_eq!(commander(&world).as_deref(), Some("cho"));
    assert!(!world.live().contains(&Rule::RoleAnswer));
    world.run(Command::LeaveRole { role: "commander".into() }).unwrap();
    assert_eq!(commander(&world), None);
    assert!(world.live().contains(&Rule::RoleUnfilled), "somebody has to lead");
    assert!(matches!(world.run(Command::LeaveRole { role: "commander".into() }), Err(Refusal::NobodyHolds { .. })));
}

#[test]
fn a_severity_that_is_set_already_is_no_news() {
    let mut world = World::at(State::Declared);
    assert!(world.run(Command::SetSeverity { severity: Severity::Sev2, why: String::new() }).unwrap().is_empty());
}

#[test]
fn an_incident_is_merged_into_another_one_only() {
    let mut world = World::at(State::Declared);
    assert_eq!(world.run(Command::Merge { into: ID, into_ref: "INC-1".into() }), Err(Refusal::MergeIntoItself));
    assert_eq!(world.run(command(Verb::Merge)).unwrap().len(), 1);
    assert_eq!(world.run(command(Verb::Resolve)), Err(Refusal::AlreadyMerged(OTHER.to_string())));
    let absorb = || Command::Absorb { from: OTHER, from_ref: "INC-2".into() };
    assert!(World::at(State::Mitigated).run(absorb()).is_ok());
    assert_eq!(World::at(State::Resolved).run(absorb()), Err(Refusal::AlreadyResolved), "it would hide the other");
}

#[test]
fn a_recovery_resolves_what_nobody_took_and_asks_whoever_did() {
    let mut world = World::at(State::Declared);
    let said = world.run(Command::Recover).unwrap();
    assert!(matches!(said.as_slice(), [Event::Recovered(_), Event::Resolved(body)] if body.by_itself));
    assert_eq!(world.awaited(), [Rule::IncidentOver], "only that whoever was told hears so");

    let mut world = World::at(State::Investigating);
    let said = world.run(Command::Recover).unwrap();
    assert!(matches!(said.as_slice(), [Event::Recovered(body)] if body.ask.as_deref() == Some("ana")));
    assert_eq!(world.awaited(), [Rule::ConfirmRecovery]);
    assert!(world.run(Command::Recover).unwrap().is_empty(), "asked once");
    world.run(command(Verb::Alerts)).unwrap();
    assert!(world.awaited().is_empty(), "another alert joined");
    assert_eq!(world.run(Command::Recover).unwrap().len(), 1, "and asked again when that is over too");
    assert_eq!(world.run(Command::MissConfirmation).unwrap().len(), 1);
    world.run(command(Verb::Resolve)).unwrap();
    assert_eq!(world.awaited(), [Rule::IncidentOver]);
    assert!(world.run(Command::MissConfirmation).unwrap().is_empty());
}

#[test]
fn a_recovery_of_what_somebody_unnamed_took_is_asked_about_too() {
    let mut world = World::at(State::Declared);
    world.run(Command::Acknowledge { by: None, via: "sender".into() }).unwrap();
    world.run(Command::Recover).unwrap();
    assert_eq!(world.awaited(), [Rule::ConfirmRecovery], "or it would stay open and nobody would hear of it");
}

#[test]
fn the_first_acknowledgement_is_the_first_also_after_a_reopening() {
    let mut world = World::at(State::Declared);
    world.run(Command::Recover).unwrap();
    world.run(command(Verb::Reopen)).unwrap();
    let said = world.run(Command::Acknowledge { by: None, via: "sender".into() }).unwrap();
    assert!(matches!(said.as_slice(), [Event::Acknowledged(body)] if body.first), "{said:?}");
    assert!(world.incident.as_ref().unwrap().acknowledged_at.is_some());
    assert!(world.run(Command::Acknowledge { by: None, via: "sender".into() }).unwrap().is_empty());
    let said = world.run(command(Verb::Acknowledge)).unwrap();
    assert!(matches!(said.as_slice(), [Event::Acknowledged(body)] if !body.first));
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
    assert_eq!((incident.mitigated_at, incident.resolved_at, incident.closed_at), (None, None, None));
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
    world.run(Command::Declare(Declaration { group_wait: Length::from_secs(30), ..declaration() })).unwrap();
    assert_eq!(world.awaited(), [Rule::GroupWait]);
    world.run(command(Verb::Acknowledge)).unwrap();
    assert!(world.awaited().is_empty(), "nobody needs to be looked for");
}

#[test]
fn what_ended_by_itself_is_opened_again_by_an_alert_that_comes_back_and_by_nobodys_hand() {
    let mut world = World::at(State::Declared);
    world.run(Command::Recover).unwrap();
    assert_eq!(world.state(), State::Resolved);
    let said = world.run(back(1)).unwrap();
    assert!(matches!(said.as_slice(), [Event::AlertReturned(body)] if body.reopened));
    let incident = world.incident.clone().unwrap();
    assert_eq!((incident.state, incident.resolved_at, incident.recovered), (State::Declared, None, false));
    assert_eq!(world.run(Command::Recover).unwrap().len(), 2, "and it may recover again");

    let mut world = World::at(State::Candidate);
    world.run(Command::Recover).unwrap();
    assert_eq!(world.state(), State::Cancelled);
    world.run(back(1)).unwrap();
    assert_eq!((world.state(), world.awaited()), (State::Candidate, vec![Rule::Candidate]), "somebody still decides");

    for (state, by_hand) in [(State::Declared, Verb::Resolve), (State::Candidate, Verb::Cancel), (State::Declared, Verb::Cancel)] {
        let mut world = World::at(state);
        world.run(command(by_hand)).unwrap();
        assert!(world.run(back(1)).is_err(), "{state:?} ended by {by_hand:?}");
    }
    let mut world = World::at(State::Declared);
    world.run(Command::Recover).unwrap();
    world.run(Command::Close).unwrap();
    assert!(world.run(back(1)).is_err(), "somebody closed it");
}

#[test]
fn whoever_has_it_is_asked_no_more_whether_it_is_over_once_it_is_back() {
    let mut world = World::at(State::Investigating);
    world.run(Command::Recover).unwrap();
    assert_eq!(world.awaited(), [Rule::ConfirmRecovery]);
    let said = world.run(back(1)).unwrap();
    assert!(matches!(said.as_slice(), [Event::AlertReturned(body)] if !body.reopened));
    assert!(world.awaited().is_empty() && world.state() == State::Investigating);
}

#[test]
fn what_comes_back_more_than_three_times_flaps_until_it_has_been_quiet() {
    let mut world = World::at(State::Declared);
    for n in 1..=RETURNS_BEFORE_FLAPPING {
        assert_eq!(world.run(back(n)).unwrap().len(), 1, "{n}");
    }
    let said = world.run(back(RETURNS_BEFORE_FLAPPING + 1)).unwrap();
    assert!(matches!(said.as_slice(), [Event::AlertReturned(_), Event::Flapping(body)] if body.quiet_for == GRACE_DEFAULT), "{said:?}");
    assert_eq!(world.run(back(RETURNS_BEFORE_FLAPPING + 2)).unwrap().len(), 1, "said once");
    assert_eq!(world.awaited(), [Rule::Flapping]);
    world.run(Command::Steady { open: 0 }).unwrap();
    assert!(world.awaited().is_empty());
    assert!(world.run(Command::Steady { open: 0 }).unwrap().is_empty());
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
    world.run(Command::Recover).unwrap();
    assert!(!world.incident.as_ref().unwrap().alarms.is_held(), "what is over is held by nothing");
    assert!(world.run(silence(1, 0, Some(60))).unwrap().is_empty());
}

fn any_command() -> impl Strategy<Value = Command> {
    let who = prop_oneof![Just(None), Just(Some("ana".to_owned())), Just(Some("ben".to_owned()))];
    let words = prop_oneof![3 => Just("because".to_owned()), 1 => Just(" ".to_owned())];
    prop_oneof![
        1 => prop_oneof![
            Just(Command::StillOnIt { by: Some("ana".into()), via: "link".into() }),
            Just(Command::AskStillOnIt { people: vec!["ana".into()], within: Length::from_mins(10) }),
        ],
        6 => (0..Verb::ALL.len()).prop_map(|at| command(Verb::ALL[at])),
        2 => who.prop_map(|by| Command::Acknowledge { by, via: "link".into() }),
        1 => words.prop_map(|why| Command::Reopen { why }),
        1 => (0_usize..5).prop_map(|at| Command::SetSeverity { severity: Severity::ALL[at], why: "worse".into() }),
        1 => (0_u64..3, 0_u64..3).prop_map(|(joined, recovered)| Command::TellAlerts { joined, recovered, open: 1 }),
        2 => (0_u32..4, any::<bool>()).prop_map(|(task, done)| if done { Command::FinishTask { task, note: None } } else { Command::MissTask { task } }),
        1 => (0_i64..4).prop_map(|hours| Command::AddTask {
            text: "call".into(),
            owner: Some("ana".into()),
            due_at: Timestamp::from_second(4_000_000_000 + hours * 3600).ok(),
        }),
        2 => (0_usize..3, any::<bool>()).prop_map(|(at, take)| {
            let (role, person) = (["commander", "scribe", "deputy"][at].to_owned(), "cho".to_owned());
            if take { Command::TakeRole { role, person } } else { Command::OfferRole { role, to: person } }
        }),
        1 => Just(Command::LeaveRole { role: "commander".into() }),
        1 => Just(Command::MissUpdate { due_at: Timestamp::UNIX_EPOCH }),
        1 => Just(Command::MissConfirmation),
        2 => (1_u32..6).prop_map(back),
        2 => (0_u64..3, 0_u64..3, prop_oneof![Just(None), (1_u64..90).prop_map(Some)]).prop_map(|(a, b, until)| silence(a, b, until)),
        1 => (0_u64..3).prop_map(|open| Command::Steady { open }),
        1 => Just(Command::Absorb { from: OTHER, from_ref: "INC-2".into() }),
        1 => Just(Command::Declare(declaration())),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_life_keeps_the_invariants(candidate in any::<bool>(), commands in prop::collection::vec(any_command(), 0..40)) {
        let mut world = World::at(if candidate { State::Candidate } else { State::Declared });
        for command in commands {
            let before = world.incident.clone().unwrap();
            let reopens = matches!(command, Command::Reopen { .. });
            let clears = reopens || matches!(command, Command::Return(_));
            let Ok(events) = world.run(command) else {
                prop_assert_eq!(world.incident.as_ref(), Some(&before));
                continue;
            };
            let after = world.incident.clone().unwrap();
            if before.state == State::Closed && !reopens {
                prop_assert!(events.is_empty(), "closed accepts nothing but a reopening: {:?}", events);
            }
            // Instants are set once; a reopening alone clears, and only what it undoes.
            let instants = [
                (before.declared_at, after.declared_at, false),
                (before.acknowledged_at, after.acknowledged_at, false),
                (before.mitigated_at, after.mitigated_at, true),
                (before.resolved_at, after.resolved_at, true),
                (before.closed_at, after.closed_at, true),
            ];
            for (was, is, may_clear) in instants {
                prop_assert!(was.is_none() || was == is || (may_clear && clears && is.is_none()), "{:?} became {:?}", was, is);
            }
            prop_assert_eq!(after.alarms.is_held(), world.live().contains(&Rule::Silenced));
            prop_assert_eq!(after.alarms.flapping.is_some(), world.live().contains(&Rule::Flapping));
            prop_assert_eq!(after.created_at, before.created_at);
            prop_assert_eq!(after.resolved_at.is_some(), matches!(after.state, State::Resolved | State::Closed));
            prop_assert_eq!(after.closed_at.is_some(), matches!(after.state, State::Closed | State::Cancelled | State::Merged));
            prop_assert_eq!(after.merged_into.is_some(), after.state == State::Merged);
            prop_assert!(after.declared_at.is_some() || matches!(after.state, State::Candidate | State::Cancelled | State::Merged));
            let of_the_end = world.live().iter().all(|rule| *rule == Rule::IncidentOver);
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
    world.run(Command::Restrict { why: "a person is named".into(), people: vec!["ana".into()] }).unwrap();
    let incident = world.incident.clone().unwrap();
    assert!(incident.private && incident.admitted.contains("ana"));
    let update = |audiences: Vec<String>| Command::Update { audiences, text: "we are on it".into(), next_within: None };
    assert_eq!(world.run(update(vec!["customers".into()])).unwrap_err().code(), "private_to_audiences");
    world.run(update(Vec::new())).unwrap();
    world.run(Command::OfferRole { role: "scribe".into(), to: "dan".into() }).unwrap();
    world.run(Command::AddTask { text: "call".into(), owner: Some("eve".into()), due_at: None }).unwrap();
    world.run(Command::Admit { people: vec!["fay".into(), "fay".into(), "ana".into()], why: "helps".into() }).unwrap();
    let admitted = world.incident.clone().unwrap().admitted;
    assert!(["dan", "eve", "fay"].iter().all(|id| admitted.contains(*id)), "{admitted:?}");
    assert_eq!(world.run(Command::Admit { people: vec!["fay".into()], why: "again".into() }).unwrap(), []);
    world.run(Command::OpenUp { why: "it is known".into() }).unwrap();
    let incident = world.incident.clone().unwrap();
    assert!(!incident.private && incident.admitted == admitted, "who was admitted stays so");
}
