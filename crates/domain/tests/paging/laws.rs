//! Laws of a page: whatever happens to it, in any order, [`World`] finds nothing amiss.

use allclear_domain::incident::Severity;
use allclear_domain::org::snapshot::Org;
use allclear_domain::paging::{Command, Event, Facts, NO_TURNS, Status, foresee};
use proptest::prelude::*;
use serde_json::json;

use super::world::{World, accepted, acknowledge, decline, delayed, delivered, failed, in_doubt, org, policy};

/// Something that happens to a page.
#[derive(Debug, Clone)]
enum Happening {
    Look {
        late: bool,
    },
    /// A result of the nth message so far.
    Report {
        which: usize,
        result: u8,
    },
    Acknowledge {
        who: usize,
    },
    TakeBack {
        who: usize,
    },
    Decline {
        who: usize,
    },
    Stop,
    Resume,
    Ask {
        who: usize,
    },
    /// Somebody changes the organisation meanwhile.
    Reorganise {
        which: usize,
    },
    /// Something that a faulty node might ask.
    Stray {
        round: u32,
        step: u32,
    },
    StartAgain,
}

const PEOPLE: [&str; 5] = ["ana", "ben", "cho", "dan", "zoe"];

/// Organisations that differ in every way that matters to a page.
fn organisations() -> Vec<Org> {
    let short: &[&[&str]] = &[&["schedule:rota"]];
    let long: &[&[&str]] = &[&["team:pair"], &["person:ben"], &["team:ghosts"], &["person:cho", "schedule:rota"]];
    let empty: &[&[&str]] = &[&["schedule:later"], &["person:dan"]];
    let same: &[&[&str]] = &[&["person:ana"], &["person:ana"], &["person:ana"]];
    let mut out = Vec::new();
    for catch_all in [&[] as &[&str], &["person:ana"], &["team:ghosts"]] {
        for policy in [policy(short, 0), policy(short, 2), policy(long, 1), policy(empty, 2), policy(same, 1), policy(&[], 1), None] {
            out.push(org(out.len() as u64 + 1, policy, catch_all));
        }
        for steps in [
            json!([{"page": ["team:pair", "person:ben"], "within": "5m", "acknowledged_by": 2}, {"page": ["team:pair"], "within": "5m"}]),
            json!([{"page": ["team:pair", "person:ben", "team:ghosts"], "within": "5m", "acknowledged_by": 9}, {"page": ["person:ana"], "within": "5m"}]),
            json!([{"page": ["team:pair", "person:ben"], "within": "5m", "one_of": "round_robin"}, {"page": ["person:dan"], "within": "5m", "one_of": "round_robin"}]),
            json!([{"page": ["person:ana"], "within": "5m", "when": {"severity": "sev1"}}, {"page": ["person:ben"], "within": "5m", "when": {"urgency": "high"}}]),
            json!([{"page": ["person:ana"], "within": "5m", "when": {"match": "service=\"other\""}}]),
        ] {
            out.push(org(out.len() as u64 + 1, Some(json!({"steps": steps, "repeat": 1})), catch_all));
        }
    }
    out
}

thread_local!(static ORGANISATIONS: Vec<Org> = organisations());

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        6 => any::<bool>().prop_map(|late| Happening::Look { late }),
        6 => (any::<usize>(), 0_u8..5).prop_map(|(which, result)| Happening::Report { which, result }),
        1 => (0..PEOPLE.len()).prop_map(|who| Happening::Acknowledge { who }),
        1 => (0..PEOPLE.len()).prop_map(|who| Happening::TakeBack { who }),
        2 => (0..PEOPLE.len()).prop_map(|who| Happening::Decline { who }),
        1 => Just(Happening::Stop),
        2 => Just(Happening::Resume),
        1 => (0..PEOPLE.len()).prop_map(|who| Happening::Ask { who }),
        3 => any::<usize>().prop_map(|which| Happening::Reorganise { which }),
        1 => (0_u32..4, 0_u32..6).prop_map(|(round, step)| Happening::Stray { round, step }),
        1 => Just(Happening::StartAgain),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_page_keeps_its_promises_whatever_happens(first in any::<usize>(), happenings in prop::collection::vec(happening(), 0..50)) {
        ORGANISATIONS.with(|organisations| {
            let pick = |which: usize| organisations[which % organisations.len()].clone();
            let mut world = World::started(pick(first));
            for happening in happenings {
                let before = world.status();
                let ended = before != Status::Running;
                let sent = world.sent.len();
                let asked = matches!(happening, Happening::Ask { .. });
                // Its time has come: what nobody answered is the one end that is none.
                let returns = before == Status::Exhausted && matches!(happening, Happening::Look { .. });
                let resumed = matches!(happening, Happening::Resume) && world.status() == Status::Stopped;
                match happening {
                    Happening::Look { late } => { world.look(late); }
                    Happening::Report { which, result } if !world.sent.is_empty() => {
                        let result = [delivered(), failed(), delayed(), in_doubt(), accepted()][usize::from(result)].clone();
                        world.report_of(which % world.sent.len(), result);
                    }
                    Happening::Report { .. } => {}
                    Happening::Acknowledge { who } => { let _ = world.run(acknowledge(PEOPLE[who])); }
                    Happening::TakeBack { who } => {
                        let _ = world.run(Command::TakeBack { by: PEOPLE[who].into(), why: "no".into() });
                    }
                    Happening::Decline { who } => { let _ = world.run(decline(PEOPLE[who])); }
                    Happening::Stop => { world.run(Command::Stop { why: "over".into() }).unwrap(); }
                    Happening::Resume => { let _ = world.run(Command::Resume { why: "it is back".into() }); }
                    Happening::Ask { who } => { world.run(Command::AskConfirmation { person: PEOPLE[who].into() }).unwrap(); }
                    Happening::Reorganise { which } => world.reorganise(pick(which)),
                    // The look of a step that a page is at is the engine's alone: it settles the expectation.
                    Happening::Stray { round, step } => {
                        let page = world.page.clone().unwrap();
                        if (round, step) != (page.round, page.step) {
                            assert!(world.run(Command::StepTimedOut { round, step, late: false }).unwrap().is_empty());
                        }
                    }
                    Happening::StartAgain => { world.run(world.start()).unwrap_err(); }
                }
                if ended && !returns && !resumed {
                    assert_ne!(world.status(), Status::Running, "an end is an end");
                    assert!(asked || world.sent.len() == sent, "nothing is sent after the end");
                }
            }
        });
    }

    #[test]
    fn a_page_that_nobody_answers_ends(first in any::<usize>()) {
        let mut world = ORGANISATIONS.with(|all| World::started(all[first % all.len()].clone()));
        // Two rounds more than any policy here, each of at most four steps with one later way.
        for _ in 0..40 {
            if world.status() != Status::Running { break }
            world.look(false);
        }
        prop_assert_eq!(world.status(), Status::Exhausted);
    }

    #[test]
    fn what_is_foreseen_is_what_happens_when_nobody_answers(first in any::<usize>()) {
        let mut world = ORGANISATIONS.with(|all| World::started(all[first % all.len()].clone()));
        let facts = Facts { severity: Severity::Sev2, service: Some("checkout".into()), kind: None };
        let foreseen = foresee(&world.org, Some("e"), &facts, &NO_TURNS, world.now);
        for _ in 0..200 {
            if world.status() != Status::Running { break }
            world.look(false);
        }
        // Who is told by which later way is decided within a step, and is no step.
        let happened = world.events.iter().filter(|event| !matches!(event, Event::NoticeRaised(_)));
        let of = |event: &Event| match event {
            Event::StepReached(body) => {
                let people: Vec<_> = body.people.iter().map(|one| &one.person).collect();
                format!("{}/{} {people:?}", body.round, body.step)
            }
            Event::StepEmpty(body) => format!("{}/{} {}", body.round, body.step, body.why),
            other => other.kind().to_owned(),
        };
        let (foreseen, happened): (Vec<_>, Vec<_>) = (foreseen.iter().map(|(_, event)| of(event)).collect(), happened.map(of).collect());
        prop_assert_eq!(foreseen, happened);
    }
}
