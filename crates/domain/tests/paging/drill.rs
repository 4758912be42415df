//! A fire drill by examples: every level is proved once, whoever answers, and it ends by itself.

use allclear_domain::paging::drill::{self, Ask, Outcome};
use allclear_domain::paging::drill_report;
use allclear_domain::paging::{Busy, Command, Event, Refusal, Status};
use allclear_domain::time::{Length, after};
use allclear_domain::wire::NoticeKind;
use serde_json::{Value, json};

use crate::world::{World, accepted, acknowledge, decline, delivered, failed, org, policy};

fn drilled(policy: Option<Value>, wait: Option<u64>) -> World {
    let mut world = World::new(org(1, policy, &["person:cho"]));
    let Command::Start(mut start) = world.start() else { unreachable!("a world starts a page") };
    start.drill = Some(Ask { wait: wait.map(Length::from_secs), by: Some("cho".into()) });
    world.run(Command::Start(start)).unwrap();
    world
}

fn outcomes(world: &World) -> Vec<Option<Outcome>> {
    world.page.as_ref().unwrap().drill.as_ref().unwrap().levels.iter().map(|level| level.outcome).collect()
}

#[test]
fn each_level_is_asked_once_and_an_answer_ends_its_level_alone() {
    let mut world = drilled(policy(&[&["schedule:rota"], &["person:cho"], &["person:ben"]], 3), None);
    assert!(world.sent.iter().all(|draft| draft.notice.kind == NoticeKind::Drill));
    let said = world.run(acknowledge("ana")).unwrap();
    assert_eq!(said, ["level 1 answered by ana, 1 of 1", "step 1.2: cho (hook now); the level before was answered"]);
    assert_eq!(world.look(false), ["step 1.3: ben (mail now); nobody acknowledged in time"], "a level that nobody answers is missed");
    assert_eq!(world.run(acknowledge("cho")).unwrap(), ["level 2 answered late by cho"]);
    assert_eq!(world.run(acknowledge("cho")), Err(Refusal::NotAsked), "once");
    let said = world.run(acknowledge("ben")).unwrap();
    assert_eq!(said, ["level 3 answered by ben, 1 of 1", "drill ended: every level was walked"], "no further round and no catch-all");
    assert_eq!(world.status(), Status::Stopped);
    assert_eq!(outcomes(&world), [Some(Outcome::Answered), Some(Outcome::Missed), Some(Outcome::Answered)]);
    assert!(matches!(world.run(acknowledge("cho")), Err(Refusal::Over(_))));
    let events: Vec<_> = world.events.iter().map(|event| (world.now, event.clone())).collect();
    let (_, levels) = drill_report::report(world.page.as_ref().unwrap().id, &events);
    assert!(levels[1].people[0].answer.as_ref().is_some_and(|answer| answer.late));
}

#[test]
fn whoever_is_not_asked_proves_nothing() {
    let mut world = drilled(policy(&[&["schedule:rota"], &["person:cho"]], 0), None);
    assert_eq!(world.run(acknowledge("cho")), Err(Refusal::NotAsked), "their level comes yet");
    assert_eq!(world.run(Command::Acknowledge { by: None, via: "api".into() }), Err(Refusal::NotAsked));
    assert_eq!(world.run(decline("cho")), Err(Refusal::NotAsked));
    assert!(world.run(acknowledge("ana")).is_ok());
    assert_eq!(world.run(decline("ana")), Err(Refusal::NotAsked), "their level is over");
    let said = world.run(decline("cho")).unwrap();
    assert_eq!(said.last().map(String::as_str), Some("drill ended: every level was walked"));
    assert_eq!(outcomes(&world), [Some(Outcome::Answered), Some(Outcome::PassedOn)]);
}

#[test]
fn a_level_has_its_own_time_or_a_shorter_one() {
    let world = drilled(policy(&[&["schedule:rota"]], 0), Some(120));
    assert_eq!(world.page.as_ref().unwrap().due_at, Some(after(world.now, Length::from_mins(2))));
    let world = drilled(policy(&[&["schedule:rota"]], 0), Some(3_600));
    assert_eq!(world.page.as_ref().unwrap().due_at, Some(after(world.now, Length::from_mins(5))));
}

#[test]
fn what_reaches_nobody_is_said_and_passed_at_once() {
    let mut world = drilled(policy(&[&["schedule:later"], &["person:dan"], &["schedule:rota"], &["person:cho"]], 0), None);
    assert_eq!(world.page.as_ref().unwrap().step, 3);
    world.report("ana", "hook", failed());
    let said = world.report("ana", "mail", failed());
    assert_eq!(said.last().map(String::as_str), Some("step 1.4: cho (hook now); nobody of the step could be reached"));
    world.report("cho", "hook", accepted());
    world.report("cho", "hook", delivered());
    while world.status() == Status::Running {
        world.look(true);
    }
    let nobody = Some(Outcome::Nobody);
    assert_eq!(outcomes(&world), [nobody, nobody, Some(Outcome::Unreached), Some(Outcome::Missed)]);
    let events: Vec<_> = world.events.iter().map(|event| (world.now, event.clone())).collect();
    let (page, levels) = drill_report::report(world.page.as_ref().unwrap().id, &events);
    assert_eq!(page.unwrap().drill.unwrap().levels.len(), levels.len());
    let ways: Vec<Vec<String>> =
        levels.iter().map(|level| level.people.iter().flat_map(|one| &one.ways).map(drill_report::WayReport::words).collect()).collect();
    assert_eq!(ways, [vec![], vec![], vec!["failed: 410".to_owned(), "failed: 410".into()], vec!["delivered".into()]]);
}

#[test]
fn several_have_to_answer_and_turns_are_not_taken() {
    let steps = json!({"steps": [{"page": ["team:pair"], "within": "5m", "acknowledged_by": 2}, {"page": ["team:pair"], "within": "5m", "one_of": "round_robin"}]});
    let mut world = drilled(Some(steps), None);
    assert_eq!(world.run(acknowledge("ana")).unwrap(), ["level 1 answered by ana, 1 of 2"]);
    assert!(world.run(acknowledge("ana")).unwrap().is_empty());
    let said = world.run(acknowledge("cho")).unwrap();
    assert_eq!(said[0], "level 1 answered by cho, 2 of 2");
    assert_eq!(world.turns, allclear_domain::paging::Turns::default(), "a drill uses the ring and takes no turn");
    assert_eq!(world.page.as_ref().unwrap().entries.iter().map(|entry| entry.person.as_str()).collect::<Vec<_>>()[0], "ana");
}

#[test]
fn what_is_real_comes_first() {
    let mut world = World::new(org(1, policy(&[&["team:pair"], &["person:ana"]], 0), &[]));
    world.busy = Busy { people: ["ana".to_owned()].into(), too_many: false };
    let Command::Start(mut start) = world.start() else { unreachable!("a world starts a page") };
    start.drill = Some(Ask { wait: None, by: None });
    world.run(Command::Start(start)).unwrap();
    assert!(world.sent.iter().all(|draft| draft.person == "cho"), "whoever is being paged for something real is not asked");
    let Some(Event::StepReached(body)) = world.events.iter().find(|event| matches!(event, Event::StepReached(_))) else {
        panic!("the level asks somebody")
    };
    assert_eq!(body.passed_over[0].why, drill::LIVE_FIRST);
    world.busy.too_many = true;
    let said = world.run(acknowledge("cho")).unwrap();
    assert!(said[1].starts_with("drill ended: so many pages"), "{said:?}");
    assert_eq!(world.status(), Status::Stopped);
}

#[test]
fn conditions_on_how_bad_it_is_hold_and_it_is_stopped_by_hand() {
    let steps = json!({"steps": [{"page": ["person:ana"], "within": "5m", "when": {"severity": "sev1"}}, {"page": ["person:cho"], "within": "5m"}]});
    let mut world = drilled(Some(steps), None);
    assert_eq!(world.page.as_ref().unwrap().step, 1, "each level is proved");
    world.run(Command::Stop { why: "Cho stopped it".into() }).unwrap();
    assert_eq!(outcomes(&world), [Some(Outcome::Stopped)]);
    assert!(world.run(Command::Resume { why: "again".into() }).is_err());
}

#[test]
fn whoever_is_named_at_several_levels_proves_each() {
    let mut world = drilled(policy(&[&["team:pair"], &["schedule:rota"], &["team:pair"]], 0), None);
    assert!(world.run(acknowledge("ana")).unwrap()[1].starts_with("step 1.2: ana"), "asked again");
    let said = world.run(acknowledge("ana")).unwrap();
    assert_eq!(said[0], "level 2 answered by ana, 1 of 1");
    assert!(said[1].starts_with("step 1.3: ana") && said[1].contains("cho"), "{said:?}");
    world.run(acknowledge("cho")).unwrap();
    assert_eq!(outcomes(&world), [Some(Outcome::Answered); 3]);
}
