//! No open incident without somebody who has it, or an expectation with a time that calls somebody: whatever is done
//! to it, in any order, and whoever does it.

use allclear_domain::access::Actor;
use allclear_domain::expect::{ATTEND_WITHIN, Rule, STILL_ON_IT_WITHIN, Standing};
use allclear_domain::incident::alarms::Silencing;
use allclear_domain::incident::{Command, Declaration, Event, Severity, State, alarms, attendance, ending, flapping, links, record};
use allclear_domain::time::Length;
use proptest::prelude::*;

use super::{World, any_command, command, declaration};

/// Something that happens to an incident.
#[derive(Debug, Clone)]
enum Happening {
    Asked(Box<Command>, Actor),
    /// The time of the nth thing that would call somebody has come.
    Look(usize),
}

impl World {
    fn held(&self) -> bool {
        self.incident.as_ref().unwrap().is_held()
    }

    fn severity(&self) -> Option<Severity> {
        self.incident.as_ref().unwrap().work.hold.severity
    }

    /// The engine's part: what follows for the incident's page. A page that looks for somebody looks until somebody has
    /// the incident, or it is over: that is what the laws of a page say.
    fn follow(&mut self, events: &[Event], page_looks: &mut bool) {
        for event in events {
            match event {
                Event::Declaration(declaration::Event::Promoted(_))
                | Event::Attendance(attendance::Event::Lost(_) | attendance::Event::Escalated(_)) => *page_looks = true,
                // Its page goes on.
                Event::Flapping(flapping::Event::Returned(body)) if body.reopened => *page_looks = true,
                Event::Attendance(attendance::Event::Acknowledged(_))
                | Event::Ending(ending::Event::Resolved(_) | ending::Event::Cancelled(_))
                | Event::Links(links::Event::Merged(_)) => *page_looks = false,
                _ => {}
            }
        }
    }

    /// The engine's look at one of those.
    fn look(&mut self, nth: usize, page_looks: &mut bool) {
        let live: Vec<usize> = (0..self.expectations.len())
            .filter(|at| self.expectations[*at].standing == Standing::Live && self.expectations[*at].rule.calls_somebody())
            .collect();
        if live.is_empty() {
            return;
        }
        let due = &mut self.expectations[live[nth % live.len()]];
        due.standing = Standing::Missed;
        let rule = due.rule;
        let next: Option<Command> = match rule {
            Rule::Candidate => Some(declaration::Command::Promote { why: "nobody decided".into() }.into()),
            Rule::Attended if self.held() => {
                Some(attendance::Command::AskStillOnIt { people: vec!["ana".into()], within: STILL_ON_IT_WITHIN }.into())
            }
            Rule::StillOnIt => Some(attendance::Command::Lose { why: "nobody answered".into() }.into()),
            Rule::GroupWait | Rule::Attended | Rule::RoleUnfilled => {
                *page_looks |= !self.held();
                None
            }
            Rule::Silenced => Some(alarms::Command::Silence(Silencing::default()).into()),
            other => panic!("an incident awaits `{}`", other.name()),
        };
        if let Some(command) = next {
            let was_silenced = self.is_silenced();
            let events = self.run(command).unwrap();
            self.follow(&events, page_looks);
            self.follow_silences(was_silenced, page_looks);
        }
    }

    fn is_silenced(&self) -> bool {
        self.incident.as_ref().is_some_and(|incident| incident.alarms.is_held())
    }

    /// Silences that hold all of its alerts stop its page; when they do so no longer it pages anew.
    fn follow_silences(&self, was_silenced: bool, page_looks: &mut bool) {
        match (was_silenced, self.is_silenced()) {
            (false, true) => *page_looks = false,
            (true, false) => *page_looks = true,
            (false, false) | (true, true) => {}
        }
    }

    fn is_forgotten(&self, page_looks: bool) -> bool {
        let open = self.state().is_open();
        // Command that was offered and that nobody has is looked for again once nobody answers.
        let is_offered = self.live().contains(&Rule::RoleAnswer) && self.incident.as_ref().unwrap().commander.is_none();
        open && !self.held() && !page_looks && !is_offered && !self.live().iter().any(|rule| rule.calls_somebody())
    }
}

fn happening() -> impl Strategy<Value = Happening> {
    let who = prop_oneof![Just(Actor::Person("ana".into())), Just(Actor::Person("ben".into())), Just(Actor::System), Just(Actor::Clock)];
    prop_oneof![
        4 => (any_command(), who).prop_map(|(command, who)| Happening::Asked(Box::new(command), who)),
        1 => any::<usize>().prop_map(Happening::Look),
    ]
}

/// The ways into an incident: an alert's, which pages at once; one that waits for its group; a person's without a page;
/// a candidate.
fn begun(way: u8) -> (World, bool) {
    let mut world = World::default();
    let first: Command = match way {
        0 => declaration::Command::Declare(declaration()).into(),
        1 => declaration::Command::Declare(Declaration { group_wait: Length::from_secs(30), ..declaration() }).into(),
        2 => declaration::Command::Declare(Declaration { attend_within: Some(ATTEND_WITHIN), ..declaration() }).into(),
        _ => declaration::Command::Propose(declaration()).into(),
    };
    world.run(first).unwrap();
    (world, way == 0)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_open_incident_is_forgotten(way in 0_u8..4, happenings in prop::collection::vec(happening(), 0..40)) {
        let (mut world, mut page_looks) = begun(way);
        prop_assert!(!world.is_forgotten(page_looks));
        for happening in happenings {
            let shown = format!("{happening:?}");
            match happening {
                Happening::Asked(command, who) => {
                    world.actor = who;
                    let was_silenced = world.is_silenced();
                    let events = world.run(*command).unwrap_or_default();
                    world.follow(&events, &mut page_looks);
                    world.follow_silences(was_silenced, &mut page_looks);
                }
                Happening::Look(nth) => {
                    world.actor = Actor::Clock;
                    world.look(nth, &mut page_looks);
                }
            }
            prop_assert!(!world.is_forgotten(page_looks), "after {shown}: {:?} awaits {:?}", world.state(), world.live());
        }
    }
}

#[test]
fn any_act_of_a_person_answers_the_question_and_none_of_a_program_does() {
    for (who, answers) in [(Actor::Person("ben".into()), true), (Actor::Administrator, true), (Actor::Clock, false), (Actor::System, false)]
    {
        let mut world = World::at(State::Investigating);
        world.actor = Actor::Clock;
        world.run(attendance::Command::AskStillOnIt { people: vec!["ana".into()], within: STILL_ON_IT_WITHIN }).unwrap();
        assert!(world.live().contains(&Rule::StillOnIt));
        world.actor = who.clone();
        world.run(record::Command::Note { text: "looking".into(), happened_at: None, marking: None }).unwrap();
        let hold = &world.incident.as_ref().unwrap().work.hold;
        assert_eq!(hold.asked_at.is_none(), answers, "{who}");
        assert!(world.live().contains(&Rule::StillOnIt), "no write for an act: the look judges");
    }
}

#[test]
fn who_loses_it_takes_it_again_by_the_same_acknowledgement() {
    let mut world = World::at(State::Investigating);
    let again = command(super::Verb::Acknowledge);
    assert_eq!(world.run(again.clone()).unwrap(), [], "who has it has it");
    world.run(attendance::Command::Lose { why: "nobody answered".into() }).unwrap();
    assert!(!world.held());
    assert!(matches!(world.run(again).unwrap()[..], [Event::Attendance(attendance::Event::Acknowledged(_))]));
    assert!(world.held());
}

#[test]
fn an_acknowledgement_is_of_the_severity_it_was_given_for() {
    let mut world = World::at(State::Investigating);
    assert_eq!(world.severity(), Some(Severity::Sev2));
    let worse = declaration::Command::SetSeverity { severity: Severity::Sev1, why: "an alert of it is worse".into() };
    world.run(worse.clone()).unwrap();
    assert_eq!(world.severity(), Some(Severity::Sev2), "nobody has acknowledged it as that");
    world.run(command(super::Verb::Acknowledge)).unwrap();
    assert_eq!(world.severity(), Some(Severity::Sev1), "the same person again, of what is worse");

    let mut world = World::at(State::Investigating);
    world.actor = Actor::Person(world.incident.as_ref().unwrap().commander.clone().unwrap());
    world.run(worse).unwrap();
    assert_eq!(world.severity(), Some(Severity::Sev1), "who has it and says so knows");
}
