//! A page by examples: who is told, when the next follows, and how it ends. The laws that hold
//! whatever happens are in `laws.rs`.

#![allow(clippy::unwrap_used)] // a test fails loudly, in its helpers too

mod drill;
mod laws;
mod world;

use std::collections::BTreeMap;

use allclear_domain::expect::Rule;
use allclear_domain::incident::Severity;
use allclear_domain::paging::AGAIN_EVERY_HIGH;
use allclear_domain::paging::{AtStep, Command, Event, Facts, PEOPLE_PER_STEP_MAX, Refusal, SendReport, Start, Status};
use allclear_domain::time::{Length, after};
use serde_json::json;
use world::{World, accepted, acknowledge, at, decline, delayed, delivered, failed, in_doubt, org, policy};

/// A rota, then Cho; the rota again in a second round; Cho as the catch-all.
fn usual() -> World {
    World::started(org(1, policy(&[&["schedule:rota"], &["person:cho"]], 1), &["person:cho"]))
}

#[test]
fn the_start_pages_whoever_the_schedule_says_and_plans_the_rest() {
    let mut world = World::new(org(1, policy(&[&["schedule:rota"]], 0), &[]));
    let said = world.run(world.start()).unwrap();
    assert_eq!(said, ["started", "step 1.1: ana (hook now, mail in 1m); the page started"]);
    let live: Vec<(Rule, &str, jiff::Timestamp)> = world.live().iter().map(|e| (e.rule, e.key.as_str(), e.next_look_at)).collect();
    assert_eq!(
        live,
        [(Rule::PageNotify, "notify:1:1:ana:1", at("2026-01-05T10:01:00Z")), (Rule::PageAck, "ack:1:1", at("2026-01-05T10:05:00Z")),]
    );
    assert_eq!(world.sent.len(), 1);
    assert_eq!(world.sent[0].channel, "webhook");

    let mut tomorrow = World::new(org(1, policy(&[&["schedule:rota"]], 0), &[]));
    tomorrow.now = after(tomorrow.now, Length::from_mins(24 * 60));
    assert_eq!(tomorrow.run(tomorrow.start()).unwrap()[1], "step 1.1: ben (mail now); the page started", "a first way never waits");
}

#[test]
fn a_step_that_nobody_acknowledges_is_followed_by_the_next_round_by_round_to_the_end() {
    let mut world = usual();
    let mut said = Vec::new();
    while world.status() == Status::Running {
        said.extend(world.look(false));
    }
    assert_eq!(
        said,
        [
            "raised: ana mail; no answer so far",
            "step 1.2: cho (hook now); nobody acknowledged in time",
            "step 2.1: ana (hook now, mail in 1m); nobody acknowledged in time",
            "raised: ana mail; no answer so far",
            "step 2.2: cho (hook now); nobody acknowledged in time",
            "catch-all 2.3: cho (hook now); every step was paged and nobody acknowledged",
            "exhausted: everybody was paged, and nobody acknowledged in time",
        ]
    );
    assert_eq!(world.status(), Status::Exhausted);
    assert_eq!(world.now, at("2026-01-05T10:30:00Z"), "four steps of five minutes and ten for the catch-all");
}

#[test]
fn an_empty_step_is_passed_at_once_with_its_reason() {
    let steps: &[&[&str]] = &[&["schedule:later"], &["team:ghosts"], &["person:zoe", "schedule:none"], &["person:cho"]];
    let mut world = World::new(org(1, policy(steps, 0), &[]));
    assert_eq!(
        world.run(world.start()).unwrap(),
        [
            "started",
            "empty 1.1: nobody is on call in `later`",
            "empty 1.2: dan: they have no verified contact method; eve: they have no verified contact method",
            "empty 1.3: there is no person `zoe`; there is no schedule `none`",
            "step 1.4: cho (hook now); the page started",
        ]
    );
}

#[test]
fn when_all_steps_are_empty_the_catch_all_is_paged_and_no_round_is_repeated() {
    let mut world = World::new(org(1, policy(&[&["schedule:later"], &["person:dan"]], 5), &["person:cho"]));
    let said = world.run(world.start()).unwrap();
    assert_eq!(said.len(), 4, "{said:?}");
    assert_eq!(said[3], "catch-all 1.3: cho (hook now); nobody in the escalation policy could be notified");
    assert_eq!(world.live()[0].length, Length::from_mins(10));
}

#[test]
fn without_anybody_left_the_page_is_exhausted_and_says_why() {
    let cases: [(Option<serde_json::Value>, &[&str], &str); 4] = [
        (policy(&[&["person:dan"]], 3), &[], "exhausted: nobody in the escalation policy could be notified, and no catch_all is set"),
        (
            policy(&[&["person:dan"]], 3),
            &["person:eve"],
            "exhausted: nobody in the escalation policy could be notified, and the catch-all reached nobody: eve: they have no verified contact method",
        ),
        (None, &[], "exhausted: nobody in the escalation policy could be notified, and no catch_all is set"),
        (policy(&[], 0), &[], "exhausted: nobody in the escalation policy could be notified, and no catch_all is set"),
    ];
    for (policy, catch_all, last) in cases {
        let mut world = World::new(org(1, policy, catch_all));
        assert_eq!(world.run(world.start()).unwrap().last().unwrap(), last);
        assert_eq!(world.status(), Status::Exhausted);
        assert!(world.sent.is_empty());
    }
}

#[test]
fn what_a_provider_took_counts_once_it_says_that_it_arrived() {
    let receipts = |world: &World| world.live().iter().filter(|e| e.rule == Rule::MessageReceipt).count();
    let mut world = usual();
    assert_eq!(world.report("ana", "hook", accepted()), ["accepted: ana hook"]);
    let soonest = world.live()[0];
    assert_eq!((soonest.rule, soonest.next_look_at), (Rule::MessageReceipt, after(world.now, Length::from_secs(30))));
    assert_eq!(world.report("ana", "hook", delivered()), ["delivered: ana hook"]);
    assert_eq!(receipts(&world), 0, "nothing is waited for any more");

    // No receipt is a send that failed: the next way at once, and after the last one the next step.
    let mut world = usual();
    world.report("ana", "hook", accepted());
    assert_eq!(world.look(false), ["failed: ana hook", "raised: ana mail; ana could not be reached by hook"]);
    world.report("ana", "mail", accepted());
    assert_eq!(world.look(false)[0], "failed: ana mail");
    assert_eq!((world.page.as_ref().unwrap().step, receipts(&world)), (2, 0), "the next step follows");

    // A receipt that says no is the same, without the wait.
    let mut world = usual();
    world.report("ana", "hook", accepted());
    assert_eq!(world.report("ana", "hook", failed()), ["failed: ana hook", "raised: ana mail; ana could not be reached by hook"]);
    assert_eq!(receipts(&world), 0);

    // Whoever acknowledged was reached: nothing is waited for, and what is heard later is told.
    let mut world = usual();
    world.report("ana", "hook", accepted());
    world.run(acknowledge("ana")).unwrap();
    assert!(world.live().is_empty());
    assert_eq!(world.report("ana", "hook", delivered()), ["delivered after the end: ana hook"]);
    // A provider that takes it only then opens nothing.
    let mut world = usual();
    world.run(acknowledge("ana")).unwrap();
    world.report("ana", "hook", accepted());
    assert!(world.live().is_empty());
}

#[test]
fn a_policy_that_never_was_is_named() {
    let mut world = World::new(org(1, None, &["person:cho"]));
    let said = world.run(world.start()).unwrap();
    assert_eq!(said[1], "empty 1.1: there is no escalation policy `e`");
    assert_eq!(said[2], "catch-all 1.1: cho (hook now); nobody in the escalation policy could be notified");
    let mut world = World::new(org(1, None, &["person:cho"]));
    let Command::Start(mut start) = world.start() else { unreachable!() };
    start.escalation = None;
    assert_eq!(world.run(Command::Start(start)).unwrap()[1], "empty 1.1: no escalation policy is set for this service or route");
}

#[test]
fn a_failed_send_pulls_the_persons_next_way_forward() {
    let mut world = usual();
    assert_eq!(world.report("ana", "hook", failed()), ["failed: ana hook", "raised: ana mail; ana could not be reached by hook"]);
    assert_eq!(world.live().len(), 1, "the mail does not come a second time");
    assert_eq!(world.report("ana", "mail", delivered()), ["delivered: ana mail"]);
    assert_eq!(world.look(false), ["step 1.2: cho (hook now); nobody acknowledged in time"]);
}

#[test]
fn when_every_send_of_a_step_failed_the_next_step_follows_at_once() {
    let mut world = World::started(org(1, policy(&[&["team:pair"], &["person:ben"]], 0), &[]));
    assert_eq!(world.report("ana", "hook", failed()).len(), 2);
    assert_eq!(world.report("ana", "mail", failed()), ["failed: ana mail"], "cho may still have heard");
    assert_eq!(
        world.report("cho", "hook", failed()),
        ["failed: cho hook", "step 1.2: ben (mail now); nobody of the step could be reached"]
    );
    assert_eq!(world.now, at(world::MONDAY_TEN));
}

#[test]
fn a_send_that_got_through_holds_the_step_for_its_whole_time() {
    let mut world = World::started(org(1, policy(&[&["team:pair"], &["person:ben"]], 0), &[]));
    world.report("cho", "hook", delivered());
    world.report("ana", "hook", failed());
    assert_eq!(world.report("ana", "mail", failed()), ["failed: ana mail"]);
}

#[test]
fn a_provider_that_does_not_answer_counts_as_failed_after_three_tries() {
    let mut world = World::started(org(1, policy(&[&["schedule:rota"], &["person:cho"]], 0), &[]));
    assert_eq!(
        world.report("ana", "hook", delayed()),
        ["delayed 1: ana hook", "raised: ana mail; ana could not be reached by hook"],
        "the next way need not wait for the provider"
    );
    assert_eq!(world.report("ana", "mail", delayed()), ["delayed 1: ana mail"]);
    assert!(world.report("ana", "hook", delayed()).is_empty(), "the log is told once");
    assert!(world.report("ana", "mail", delayed()).is_empty());
    let said = world.report("ana", "hook", delayed());
    assert_eq!(said.first().unwrap(), "delayed 3: ana hook");
    world.report("ana", "mail", delayed());
    assert_eq!(world.page.as_ref().unwrap().step, 2, "both ways count as failed");
    assert!(world.report("ana", "mail", delayed()).is_empty());
    assert_eq!(world.report("ana", "mail", delivered()), ["delivered: ana mail"], "tries go on after the step");
}

#[test]
fn whoever_cannot_passes_it_on_once() {
    let mut world = World::started(org(1, policy(&[&["schedule:rota"], &["person:cho"], &["person:ben"]], 0), &[]));
    let passed = ["declined: ana", "step 1.2: cho (hook now); ana passed it on"];
    assert_eq!(world.run(decline("ana")).unwrap(), passed);
    assert_eq!(world.run(decline("ana")).unwrap(), ["declined: ana"], "a second tap must not take it from Cho");
    assert_eq!(world.page.as_ref().unwrap().step, 2);
}

#[test]
fn a_second_tap_passes_on_no_step_that_asks_the_same_person_again() {
    let mut world = World::started(org(1, policy(&[&["person:ana"], &["person:ana", "person:cho"], &["person:ben"]], 0), &[]));
    let tap = |round, step| Command::Decline { by: "ana".into(), via: "link".into(), answers: Some(AtStep { round, step }), why: None };
    world.run(tap(1, 1)).unwrap();
    assert_eq!(world.run(tap(1, 1)).unwrap(), ["declined: ana"], "it answers the message of the step before");
    assert_eq!(world.page.as_ref().unwrap().step, 2);
    world.run(tap(1, 2)).unwrap();
    assert_eq!(world.page.as_ref().unwrap().step, 3, "by the message of this step they may");
}

#[test]
fn an_acknowledgement_ends_everything() {
    let mut world = usual();
    assert_eq!(world.run(acknowledge("ana")).unwrap(), ["acknowledged: ana"]);
    assert_eq!(world.page.as_ref().unwrap().acknowledged_by.as_deref(), Some("ana"));
    assert!(world.live().is_empty());
    assert!(world.run(acknowledge("ben")).unwrap().is_empty(), "a second one has nothing left to do");
    assert_eq!(world.run(decline("ana")), Err(Refusal::Over("somebody has acknowledged it")));
    assert!(world.run(Command::StepTimedOut { round: 1, step: 1, late: false }).unwrap().is_empty());
    assert!(world.run(Command::EntryDue { round: 1, step: 1, person: "ana".into(), entry: 1, late: false }).unwrap().is_empty());
    assert_eq!(world.report("ana", "hook", failed()), ["failed: ana hook"], "recorded, and nothing follows");
    assert_eq!(world.report("ana", "hook", delivered()), ["delivered after the end: ana hook"]);
    assert!(world.run(Command::Stop { why: "over".into() }).unwrap().is_empty());
}

#[test]
fn an_exhausted_page_can_still_be_taken_and_a_stopped_one_cannot() {
    let mut world = World::started(org(1, policy(&[&["person:cho"]], 0), &[]));
    world.look(false);
    assert_eq!(world.status(), Status::Exhausted);
    assert_eq!(world.run(decline("cho")), Err(Refusal::Over("everybody was paged")));
    assert_eq!(world.run(acknowledge("cho")).unwrap(), ["acknowledged: cho"]);

    let mut world = usual();
    assert_eq!(world.run(Command::Stop { why: "it recovered".into() }).unwrap(), ["stopped: it recovered"]);
    assert_eq!(world.run(acknowledge("ana")), Err(Refusal::Over("it was stopped")));
}

#[test]
fn an_exhausted_page_stops_with_its_incident() {
    let mut world = World::started(org(1, policy(&[&["person:cho"]], 0), &[]));
    world.look(false);
    assert_eq!(
        world.run(Command::Stop { why: "it was resolved".into() }).unwrap(),
        ["stopped: it was resolved"],
        "or tries would go on for ever"
    );
}

#[test]
fn what_comes_after_its_time_says_so() {
    let mut world = usual();
    assert_eq!(world.look(true), ["raised late: ana mail; no answer so far"]);
    assert!(world.sent.last().unwrap().notice.late);
    assert_eq!(world.look(true), ["step 1.2 late: cho (hook now); nobody acknowledged in time"]);
    assert!(world.sent.last().unwrap().notice.late);
    assert_eq!(world.look(false), ["step 2.1: ana (hook now, mail in 1m); nobody acknowledged in time"]);
    assert!(!world.sent.last().unwrap().notice.late);
}

#[test]
fn a_look_at_a_step_that_has_passed_changes_nothing() {
    let mut world = usual();
    world.run(decline("ana")).unwrap();
    assert!(world.run(Command::StepTimedOut { round: 1, step: 1, late: true }).unwrap().is_empty());
    assert!(world.run(Command::EntryDue { round: 1, step: 1, person: "ana".into(), entry: 1, late: true }).unwrap().is_empty());
}

#[test]
fn a_policy_that_is_removed_or_changed_meanwhile_is_walked_as_it_was_until_the_page_comes_back() {
    let mut world = World::started(org(1, policy(&[&["person:cho"], &["schedule:rota"]], 0), &[]));
    world.reorganise(org(2, None, &[]));
    assert_eq!(world.look(false), ["step 1.2: ana (hook now, mail in 1m); nobody acknowledged in time"]);
    world.reorganise(org(3, policy(&[&["person:ben"]], 0), &[]));
    world.run(decline("ana")).unwrap();
    assert_eq!(world.status(), Status::Exhausted, "nobody but those of the policy that it had");
    let back = world.look(false);
    assert_eq!(back[0], "came back in round 2");
    assert_eq!(back[2], "step 2.1: ben (mail now); everybody was paged before, and nobody has it", "whoever mended it is heard");
}

#[test]
fn a_page_of_an_earlier_version_walks_its_policy_as_it_is() {
    let mut world = World::started(org(1, policy(&[&["schedule:rota"], &["person:ben"], &["person:cho"]], 0), &["person:cho"]));
    world.page.as_mut().unwrap().policy = None;
    world.run(decline("ana")).unwrap();
    world.run(decline("ben")).unwrap();
    assert_eq!(world.page.as_ref().unwrap().step, 3);
    world.reorganise(org(2, policy(&[&["schedule:rota"]], 0), &["person:cho"]));
    assert_eq!(world.look(false), ["catch-all 1.4: cho (hook now); every step was paged and nobody acknowledged"]);
    let mut world = World::started(org(1, policy(&[&["person:cho"], &["schedule:rota"]], 0), &["person:cho"]));
    world.page.as_mut().unwrap().policy = None;
    world.reorganise(org(2, None, &["person:cho"]));
    assert_eq!(world.look(false), ["catch-all 1.2: cho (hook now); the escalation policy is gone"]);
}

/// An organisation whose policy has these steps.
fn with(steps: serde_json::Value, catch_all: &[&str]) -> allclear_domain::org::snapshot::Org {
    org(1, Some(serde_json::json!({"steps": steps})), catch_all)
}

fn facts(severity: Severity) -> Option<Facts> {
    Some(Facts { severity, service: Some("checkout".into()), kind: None })
}

#[test]
fn a_step_whose_condition_does_not_hold_is_passed_over_at_once_and_judged_when_its_turn_comes() {
    let steps = json!([
        {"page": ["person:ana"], "within": "5m", "when": {"severity": "sev1"}},
        {"page": ["person:ben"], "within": "5m"},
        {"page": ["person:cho"], "within": "5m", "when": {"severity": "sev1"}},
    ]);
    let mut world = World::new(with(steps, &[]));
    assert_eq!(
        world.run(world.start()).unwrap(),
        ["started", "passed 1.1: it counts at sev1, and the incident is a sev2", "step 1.2: ben (mail now); the page started",]
    );
    // It gets worse while the second step runs: the third is judged by that.
    world.facts = facts(Severity::Sev1);
    assert_eq!(world.look(false), ["step 1.3: cho (hook now); nobody acknowledged in time"]);
}

#[test]
fn where_no_condition_holds_it_goes_on_as_an_empty_policy_does() {
    let steps = json!([{"page": ["person:ana"], "within": "5m", "when": {"urgency": "low"}}]);
    let mut world = World::new(with(steps.clone(), &["person:cho"]));
    assert_eq!(
        world.run(world.start()).unwrap(),
        [
            "started",
            "passed 1.1: it counts at low urgency, and this page is of high urgency",
            "catch-all 1.2: cho (hook now); no step of the escalation policy counts now",
        ]
    );
    let mut silent = World::new(with(steps, &[]));
    let said = silent.run(silent.start()).unwrap();
    assert_eq!(said[2], "exhausted: no step of the escalation policy counts now, and no catch_all is set");
    assert_eq!(silent.live().len(), 1, "and it comes back");
}

#[test]
fn of_a_ring_each_page_takes_the_next_and_nobody_twice_before_all() {
    let steps = json!([{"page": ["team:pair", "person:ben", "person:dan"], "within": "5m", "one_of": "round_robin"}]);
    let mut world = World::new(with(steps, &["person:cho"]));
    let mut asked = Vec::new();
    for _ in 0..5 {
        world.page = None;
        world.run(world.start()).unwrap();
        let Some(Event::StepReached(body)) = world.events.last() else { panic!("{:?}", world.events.last()) };
        assert_eq!((body.people.len(), body.turn), (1, Some(1)));
        asked.push(body.people[0].clone());
        (world.sent, world.expectations) = (Vec::new(), BTreeMap::default());
    }
    let who: Vec<&str> = asked.iter().map(|reached| reached.person.as_str()).collect();
    assert_eq!(who, ["ana", "cho", "ben", "ana", "cho"]);
    assert!(asked[0].via.ends_with("; one of 4 in turn, nobody had one before"), "{}", asked[0].via);
    assert!(asked[1].via.ends_with("; one of 4 in turn, ana had the last"), "{}", asked[1].via);
}

#[test]
fn several_have_to_acknowledge_and_nobody_counts_twice() {
    let steps = json!([
        {"page": ["team:pair", "person:ben"], "within": "5m", "acknowledged_by": 2},
        {"page": ["team:pair", "person:ben"], "within": "5m"},
    ]);
    let mut world = World::started(with(steps.clone(), &[]));
    assert_eq!(world.run(acknowledge("ana")).unwrap(), ["acknowledged 1 of 2: ana"]);
    assert!(world.run(acknowledge("ana")).unwrap().is_empty(), "twice is once");
    assert!(world.run(Command::Acknowledge { by: None, via: "sender".into() }).unwrap().is_empty(), "nobody by name is nobody");
    assert!(world.live().iter().all(|e| !e.key.contains(":ana:")), "her next way is not used: {:?}", world.live());
    assert_eq!(world.status(), Status::Running);
    // The time is over: the others are asked by the next step, and she is not.
    let next = world.look(false);
    assert_eq!(next, ["step 1.2: cho (hook now), ben (mail now); not as many acknowledged in time as have to"]);
    assert_eq!(world.run(acknowledge("ben")).unwrap(), ["acknowledged: ben"]);
    assert_eq!(world.page.as_ref().unwrap().answered, ["ana", "ben"]);

    // What one gives back others have to take.
    let mut world = World::started(with(steps.clone(), &[]));
    world.run(acknowledge("ana")).unwrap();
    assert_eq!(world.run(Command::TakeBack { by: "ana".into(), why: "no".into() }).unwrap(), ["taken back: ana"]);
    assert_eq!(world.run(acknowledge("ben")).unwrap(), ["acknowledged 1 of 2: ben"]);
    assert_eq!(world.run(acknowledge("cho")).unwrap(), ["acknowledged: cho"]);

    // A decline leaves enough, the second too few.
    let mut world = World::started(with(steps, &[]));
    assert_eq!(world.run(decline("ana")).unwrap(), ["declined, and the others are asked: ana"]);
    let said = world.run(decline("ben")).unwrap();
    assert_eq!(said[..1], ["declined: ben"]);
    assert!(said[1].starts_with("step 1.2: "), "{said:?}");
}

#[test]
fn more_than_are_there_are_all_of_them() {
    let steps = json!([{"page": ["team:pair", "team:ghosts"], "within": "5m", "acknowledged_by": 9}]);
    let mut world = World::started(with(steps, &[]));
    assert_eq!(world.page.as_ref().unwrap().wants, 2, "two of four can be told");
    world.run(acknowledge("ana")).unwrap();
    assert_eq!(world.run(acknowledge("cho")).unwrap(), ["acknowledged: cho"]);
    // One fails for good: then one is not enough, and nobody is waited for in vain.
    let steps =
        json!([{"page": ["person:ben", "person:cho"], "within": "5m", "acknowledged_by": 2}, {"page": ["person:ana"], "within": "5m"}]);
    let mut world = World::started(with(steps, &[]));
    let said = world.report("cho", "hook", failed());
    assert_eq!(said[0], "failed: cho hook");
    assert!(said[1].starts_with("step 1.2: ana"), "{said:?}");
}

#[test]
fn a_step_pages_a_bounded_number_of_people_and_says_who_was_left_out() {
    let mut world = World::new(org(1, policy(&[&["team:crowd"]], 0), &[]));
    world.run(world.start()).unwrap();
    assert_eq!(world.sent.len(), PEOPLE_PER_STEP_MAX);
    let Some(Event::StepReached(body)) = world.events.last() else { panic!("{:?}", world.events.last()) };
    assert_eq!(body.passed_over.len(), 1);
    assert_eq!(body.passed_over[0].why, "a step pages at most 200 people");
}

#[test]
fn a_send_in_doubt_is_said_and_not_a_failure() {
    let mut world = usual();
    assert_eq!(world.report("ana", "hook", in_doubt()), ["in doubt: ana hook"]);
    assert_eq!(world.report("ana", "hook", delivered()), ["delivered: ana hook"]);
}

#[test]
fn the_question_whether_it_is_over_goes_by_the_quiet_way_and_only_to_whom_it_can() {
    let mut world = usual();
    world.run(acknowledge("ana")).unwrap();
    assert_eq!(world.run(Command::AskConfirmation { person: "ana".into() }).unwrap(), ["asked: ana mail"]);
    assert!(world.run(Command::AskConfirmation { person: "dan".into() }).unwrap().is_empty());
}

#[test]
fn a_stranger_to_the_log_is_refused_and_a_report_of_an_old_step_moves_nothing() {
    let mut world = World::new(org(1, policy(&[&["schedule:rota"]], 0), &[]));
    assert_eq!(world.run(acknowledge("ana")), Err(Refusal::Unknown));
    let mut world = usual();
    assert_eq!(world.run(world.start()), Err(Refusal::AlreadyStarted));
    let old = world.sent[0].clone();
    world.run(decline("ana")).unwrap();
    let report =
        SendReport { message: old.id, person: old.person, contact: old.contact, channel: old.channel, attempts: 1, result: failed() };
    assert_eq!(world.run(Command::RecordSend(report)).unwrap(), ["failed: ana hook"]);
    assert_eq!(world.page.as_ref().unwrap().step, 2);
}

#[test]
fn an_exhausted_page_comes_back_to_the_catch_all_and_the_managers_and_its_rounds_go_on_counting() {
    let mut world = World::started(org(1, policy(&[&["person:ana"]], 1), &["person:cho"]));
    world.managers = vec!["person:ben".into()];
    while world.status() == Status::Running {
        world.look(false);
    }
    let left = world.now;
    assert_eq!(
        world.look(false),
        ["came back in round 3", "catch-all 3.1: cho (hook now), ben (mail now); everybody was paged before, and nobody has it"]
    );
    assert_eq!(world.now, after(left, AGAIN_EVERY_HIGH), "half an hour later");
    while world.status() == Status::Running {
        world.look(false);
    }
    assert_eq!(world.look(false)[0], "came back in round 4", "and again, until somebody has it");
    world.run(acknowledge("cho")).unwrap();
    assert!(world.live().is_empty());
}

#[test]
fn where_nobody_is_left_the_policy_is_paged_again_from_its_first_step() {
    let mut world = World::started(org(1, policy(&[&["person:ana"], &["person:ben"]], 1), &[]));
    while world.status() == Status::Running {
        world.look(false);
    }
    let lines = world.look(false);
    assert!(lines[1].contains("reach nobody"), "{lines:?}");
    assert!(lines[2].starts_with("step 3.1: ana"), "{lines:?}");
    let mut steps = Vec::new();
    while world.status() == Status::Running {
        steps.extend(world.look(false).into_iter().filter(|line| line.starts_with("step")).map(|line| line[5..8].to_owned()));
    }
    assert_eq!(steps, ["3.2", "4.1", "4.2"], "with its further rounds");
}

#[test]
fn a_policy_may_say_how_often_a_page_comes_back_or_that_it_never_does() {
    for (says, comes) in [("2h", Some(120)), ("never", None)] {
        let mut policy = policy(&[&["person:ana"]], 0).unwrap();
        policy["again_every"] = says.into();
        let mut world = World::started(org(1, Some(policy), &[]));
        while world.status() == Status::Running {
            world.look(false);
        }
        let left = world.now;
        assert_eq!(world.live().first().map(|e| e.next_look_at), comes.map(|mins| after(left, Length::from_mins(mins))), "{says}");
    }
}

fn stop() -> Command {
    Command::Stop { why: "its alerts recovered".into() }
}

fn resume() -> Command {
    Command::Resume { why: "an alert came back".into() }
}

#[test]
fn a_page_that_goes_on_waits_for_what_was_left_of_its_step_and_tells_nobody_twice() {
    let mut world = usual();
    world.report("ana", "hook", delivered());
    world.now = at("2026-01-05T10:00:20Z");
    world.run(stop()).unwrap();
    world.now = at("2026-01-05T10:03:00Z");
    assert_eq!(world.run(resume()).unwrap(), ["resumed 1.1 for 4m40s: an alert came back"]);
    assert_eq!(world.sent.len(), 1, "Ana has it already");
    let live: Vec<(Rule, jiff::Timestamp)> = world.live().iter().map(|e| (e.rule, e.next_look_at)).collect();
    assert_eq!(live, [(Rule::PageNotify, at("2026-01-05T10:03:40Z")), (Rule::PageAck, at("2026-01-05T10:07:40Z"))]);
    assert_eq!(world.look(false), ["raised: ana mail; no answer so far"]);
    assert_eq!(world.look(false), ["step 1.2: cho (hook now); nobody acknowledged in time"]);
    assert!(world.run(resume()).unwrap().is_empty(), "it runs");
}

#[test]
fn what_had_reached_nobody_when_a_page_was_stopped_is_told_when_it_goes_on() {
    let mut world = usual();
    world.now = at("2026-01-05T10:00:01Z");
    world.run(stop()).unwrap();
    world.now = at("2026-01-05T10:00:31Z");
    assert_eq!(
        world.run(resume()).unwrap(),
        ["resumed 1.1 for 4m59s: an alert came back", "raised: ana hook; an alert came back"],
        "its message was withdrawn"
    );
    assert_ne!(world.sent[0].notice.key, world.sent[1].notice.key, "a key is used once for ever");
    world.run(stop()).unwrap();
    world.run(resume()).unwrap();
    assert_eq!(world.sent.len(), 3);
}

#[test]
fn a_page_stopped_at_the_end_of_a_step_goes_on_with_the_next_and_one_that_is_over_does_not() {
    let mut world = usual();
    world.now = at("2026-01-05T10:05:00Z");
    world.run(stop()).unwrap();
    world.now = at("2026-01-05T10:06:00Z");
    let said = world.run(resume()).unwrap();
    assert_eq!(said[1..], ["step 1.2: cho (hook now); the time of the step was over"]);

    let mut world = usual();
    for _ in 0..9 {
        world.look(false);
    }
    assert_eq!(world.status(), Status::Exhausted);
    world.run(stop()).unwrap();
    assert!(matches!(world.run(resume()), Err(Refusal::Over(_))), "another one starts");
    let mut world = usual();
    world.run(acknowledge("ana")).unwrap();
    assert!(matches!(world.run(resume()), Err(Refusal::Over(_))));
}

#[test]
fn an_acknowledgement_given_back_goes_on_for_what_was_left_of_its_step() {
    let give_back = || Command::GiveBack { why: "it was the wrong one".into() };
    let mut world = usual();
    assert!(world.run(give_back()).unwrap().is_empty(), "it looks for somebody already");
    world.now = at("2026-01-05T10:02:00Z");
    world.run(acknowledge("ana")).unwrap();
    world.now = at("2026-01-05T10:02:10Z");
    world.run(give_back()).unwrap();
    let page = world.page.clone().unwrap();
    assert_eq!((page.status, page.acknowledged_by), (Status::Running, None));
    assert_eq!(page.due_at, Some(at("2026-01-05T10:05:10Z")), "three of five minutes were left");
    world.run(stop()).unwrap();
    assert!(matches!(world.run(give_back()), Err(Refusal::Over(_))), "what was stopped was nobody's to give back");
}

#[test]
fn a_test_pages_one_person_by_their_rule_and_nobody_after_them() {
    let mut world = World::new(org(1, policy(&[&["person:ana"]], 1), &["person:cho"]));
    let Command::Start(start) = world.start() else { panic!("a start") };
    let test = Start { escalation: None, targets: vec!["person:ana".into()], alone: true, ..start };
    assert_eq!(world.run(Command::Start(test)).unwrap()[1], "step 1.1: ana (hook now, mail in 1m); the page started");
    while world.status() == Status::Running {
        world.look(false);
    }
    assert_eq!(world.status(), Status::Exhausted);
    assert!(world.sent.iter().all(|message| message.person == "ana"), "the catch-all sleeps");
    assert!(world.live().is_empty(), "and it never comes back");
}

#[test]
fn a_test_proves_only_who_answered_it_by_its_message() {
    for (by, via, alone, reached) in [
        (Some("ana"), "link", true, Some("ana")),
        (Some("ana"), "telegram", true, Some("ana")),
        // Past the message, by somebody else, or of a page that others are asked by as well.
        (Some("ana"), "web", true, None),
        (Some("ana"), "api", true, None),
        (Some("cho"), "link", true, None),
        (None, "link", true, None),
        (Some("ana"), "link", false, None),
    ] {
        let mut world = World::new(org(1, policy(&[&["person:ana"]], 1), &[]));
        let Command::Start(start) = world.start() else { panic!("a start") };
        world.run(Command::Start(Start { escalation: None, targets: vec!["person:ana".into()], alone, ..start })).unwrap();
        world.run(Command::Acknowledge { by: by.map(Into::into), via: via.into() }).unwrap();
        let page = world.page.as_ref().unwrap();
        assert_eq!((page.status, page.reached.as_deref()), (Status::Acknowledged, reached), "{by:?} {via} {alone}");
    }
}
