//! What people do beside paging: roles, tasks, updates, corrections, reviews, actions.
//!
//! All throws are of [`World::side`], so that they shift none of the others.

use allclear_domain::access::{Actor, Principal};
use allclear_domain::ids::IncidentId;
use allclear_domain::incident::clock::WaitingFor;
use allclear_domain::incident::work::HypothesisState;
use allclear_domain::incident::{
    self, Instant, attendance, clocks, decisions, declaration, ending, hypotheses, plans, record, roles, tasks, updates,
};
use allclear_domain::paging;
use allclear_domain::time::{Length, after};
use allclear_domain::{action, review};
use allclear_engine::core::Command;
use allclear_store::rows;
use allclear_store::rows::message::StoredMessage;
use jiff::Timestamp;

use crate::actors::by_link;
use crate::monitor::Act;
use crate::orgs::AUDIENCES;
use crate::ports::{Dice, block_on};
use crate::world::{Task, World};

/// Roles that are given; few, so that they meet.
const ROLES: [&str; 3] = ["commander", "communications", "scribe"];
/// Incidents, reviews and actions among which somebody chooses.
pub(crate) const CHOICE: i64 = 12;
/// Of a thousand deeds, how many ask to be reminded.
const SNOOZES: u64 = 40;
/// And how many pause the clocks, or resume them.
const PAUSES: u64 = 60;
/// And how many start a plan.
const PLANS: u64 = 120;
/// And how many do a step, in its order or out of it.
const STEPS: u64 = 200;
/// Steps of the plans here.
const STEPS_MAX: u64 = 4;
/// Tasks of an incident that somebody names.
const TASKS: u64 = 2;

impl World {
    fn somebody(&mut self) -> String {
        let people: Vec<String> = self.org.bundle().people.iter().map(|p| p.id.clone()).collect();
        if people.is_empty() { "p0".into() } else { self.side.pick(&people).clone() }
    }

    fn role(&mut self) -> String {
        (*self.side.pick(&ROLES)).to_owned()
    }

    fn soon(&mut self) -> Timestamp {
        let wait = Length::from_secs(*self.side.pick(&[60, 300, 1_800, 7_200, 200_000]));
        after(after(self.now, wait), Length::from_millis(self.side.below(1_000)))
    }

    /// Somebody hears of something that asks nothing: they do what it is about, or try to acknowledge
    /// it, which must change nothing.
    pub(crate) fn person_is_reminded(&mut self, message: &StoredMessage) {
        let by = message.person.clone();
        let id = message.notice.incident.id;
        let command = match self.side.below(10) {
            0 | 1 => Command::Page { id: message.page, command: paging::Command::Acknowledge { by: Some(by.clone()), via: "link".into() } },
            2 => Command::Page {
                id: message.page,
                command: paging::Command::Decline { by: by.clone(), via: "link".into(), answers: None, why: None },
            },
            3 | 4 => Command::incident(id, roles::Command::Take { role: self.role(), person: by.clone(), why: None }),
            5 => self.update(id),
            6 => {
                let task = u32::try_from(self.side.between(1, TASKS)).unwrap_or(1);
                Command::incident(id, tasks::Command::Finish { task, note: None })
            }
            _ => return,
        };
        let wait = Length::from_secs(*self.side.pick(&[10, 60, 280, 300, 900]));
        let input = by_link(message, command);
        self.plan(after(self.now, wait), Task::Act(Box::new(Act::new(input))));
    }

    /// Somebody is asked whether they are still on it: they are, they are not, or they sleep.
    pub(crate) fn person_is_asked(&mut self, message: &StoredMessage) {
        let by = message.person.clone();
        let command = match self.side.below(10) {
            0..=3 => paging::Command::Acknowledge { by: Some(by.clone()), via: "link".into() },
            4 => paging::Command::Decline { by: by.clone(), via: "link".into(), answers: None, why: None },
            _ => return,
        };
        let wait = Length::from_secs(*self.side.pick(&[10, 120, 590, 600, 900]));
        let input = by_link(message, Command::Page { id: message.page, command });
        self.plan(after(self.now, wait), Task::Act(Box::new(Act::new(input))));
    }

    /// The world runs out: what is open is ended by hand, since nobody would otherwise ever take it.
    pub(crate) fn close_up(&mut self) {
        let filter =
            rows::incident::Filter { open: true, reach: allclear_domain::access::Reach::all(), ..rows::incident::Filter::default() };
        let open = block_on(rows::incident::list(&self.db, &filter, 10_000)).unwrap_or_default();
        for (incident, _) in &open {
            let command = match incident.state {
                incident::State::Candidate => ending::Command::Cancel { why: "the world ends".into() }.into(),
                _ => ending::Command::Resolve { note: None, waive: Some("the world ends".into()) }.into(),
            };
            // Of people nobody may be left who may end it.
            let mut input = self.input_of("p0", "api", Command::Incident { id: incident.id, command });
            input.who = Principal::own(Actor::Administrator);
            self.plan(self.now, Task::Act(Box::new(Act::new(input))));
        }
        if !open.is_empty() {
            self.plan(after(self.now, Length::from_mins(60)), Task::CloseUp);
        }
    }

    fn update(&mut self, id: IncidentId) -> Command {
        let audiences = (0..AUDIENCES).map(|n| format!("aud{n}")).filter(|_| self.side.chance(500)).collect();
        let next_within = self.side.chance(300).then(|| Length::from_mins(self.side.between(1, 60)));
        Command::incident(id, updates::Command::Post { audiences, text: "we know more".into(), next_within, marking: None })
    }

    /// What is decided and looked at again, and what may be the cause.
    fn reason(&mut self, id: IncidentId) -> Command {
        let known = u32::try_from(self.side.between(1, 3)).unwrap_or(1);
        let review_at = self.side.chance(500).then(|| self.soon());
        match self.side.below(6) {
            0 | 1 => {
                let by = self.side.chance(300).then(|| self.somebody());
                let said = decisions::Decide { text: "fail over".into(), reversible: Some(true), by, review_at, ..Default::default() };
                Command::incident(id, decisions::Command::Decide(said))
            }
            2 => {
                let stands = self.side.chance(700);
                Command::incident(id, decisions::Command::Revisit { decision: known, stands, note: None, review_at })
            }
            3 => Command::incident(id, hypotheses::Command::Raise { text: "the disk is full".into() }),
            4 => {
                let result = self.side.chance(500).then(|| "there is room".into());
                Command::incident(id, hypotheses::Command::Try { hypothesis: known, tried: "looked at it".into(), result })
            }
            _ => {
                let states = [HypothesisState::Confirmed, HypothesisState::Rejected, HypothesisState::Open];
                let state = *self.side.pick(&states);
                Command::incident(id, hypotheses::Command::Judge { hypothesis: known, state, why: "seen in the graphs".into() })
            }
        }
    }

    /// Somebody coordinates.
    pub(crate) fn coordinate(&mut self) {
        let all = block_on(rows::incident::list(
            &self.db,
            &rows::incident::Filter { reach: allclear_domain::access::Reach::all(), ..rows::incident::Filter::default() },
            CHOICE,
        ))
        .unwrap_or_default();
        let ids: Vec<IncidentId> = all.iter().map(|(incident, _)| incident.id).collect();
        if ids.is_empty() {
            return;
        }
        let id = *self.side.pick(&ids);
        let mut who = self.somebody();
        let mut deed = self.deed(id);
        // Dice of its own: where nobody asks to be reminded, a world runs as it would without.
        let mut own = Dice::new(self.now.as_microsecond().unsigned_abs());
        if own.chance(SNOOZES) {
            let holder = all.iter().find(|(incident, _)| incident.id == id).and_then(|(incident, _)| incident.holder());
            who = holder.filter(|_| own.chance(800)).map_or(who, ToOwned::to_owned);
            let until = after(self.now, Length::from_secs(*own.pick(&[30, 60, 1_800, 7_200, 200_000])));
            deed = Some(Command::incident(id, attendance::Command::Snooze { until, by: who.clone() }));
        }
        if own.chance(PAUSES) {
            let pause = clocks::Command::Pause { waiting_for: WaitingFor::Vendor, why: None };
            deed = Some(Command::incident(id, if own.chance(500) { pause } else { clocks::Command::Resume }));
        }
        if own.chance(PLANS) {
            let plan = (*own.pick(&["steps", "asks", "gone"])).to_owned();
            deed = Some(Command::incident(id, plans::Command::Start { plan, because: None }));
        } else if own.chance(STEPS) {
            let task = u32::try_from(own.between(1, STEPS_MAX)).unwrap_or(1);
            deed = Some(Command::incident(id, tasks::Command::Finish { task, note: None }));
        }
        let wanted = all.iter().find(|(incident, _)| incident.id == id).map_or(0, |(incident, _)| incident.work.resources.len());
        deed = crate::partners::deed(id, &mut own).or(deed);
        deed = crate::resources::deed(id, wanted, &mut own).or(deed);
        let Some(command) = deed else { return };
        self.hears_later(id, &who, &command, &mut own);
        let input = self.input_of(&who, "api", command);
        self.plan(self.now, Task::Act(Box::new(Act::new(input))));
    }

    fn deed(&mut self, id: IncidentId) -> Option<Command> {
        let task = u32::try_from(self.side.between(1, TASKS)).unwrap_or(1);
        match self.side.below(30) {
            0..=2 => Some(Command::incident(id, roles::Command::Offer { role: self.role(), to: self.somebody(), by: None, why: None })),
            3 | 4 => Some(Command::incident(
                id,
                roles::Command::Take { role: self.role(), person: self.somebody(), why: Some("they know it".into()) },
            )),
            5 => Some(Command::incident(id, roles::Command::Leave { role: self.role(), why: Some("they are needed elsewhere".into()) })),
            6..=8 => {
                let owner = self.side.chance(600).then(|| self.somebody());
                let due_at = self.side.chance(800).then(|| self.soon());
                Some(Command::incident(id, tasks::Command::Add { text: "look at the disk".into(), owner, due_at }))
            }
            9 if self.side.chance(500) => {
                let due_at = Some(self.soon());
                Some(Command::incident(id, tasks::Command::Change { task, text: Some("look at the other disk".into()), due_at }))
            }
            9 => Some(Command::incident(id, tasks::Command::Assign { task, owner: self.somebody() })),
            10 => Some(Command::incident(id, tasks::Command::Finish { task, note: None })),
            11 => Some(Command::incident(id, tasks::Command::Drop { task, note: Some("not needed".into()) })),
            12..=14 => Some(self.update(id)),
            15 => Some(Command::incident(
                id,
                record::Command::CorrectTime {
                    instant: *self.side.pick(&Instant::ALL),
                    at: self.side.chance(800).then_some(self.now),
                    why: "seen in the graphs".into(),
                },
            )),
            16 => Some(self.reason(id)),
            17 => Some(Command::incident(id, declaration::Command::Rename { title: format!("title {}", self.side.below(3)) })),
            18 | 19 => {
                let targets = (0..self.side.between(1, 2)).map(|_| self.target()).collect();
                Some(Command::PagePeople { id, targets, why: "we need you".into() })
            }
            20 | 21 => self.link(id),
            22 => Some(Command::AskReview { id }),
            23 | 24 => self.on_a_review(),
            25 | 26 => Some(Command::AddAction {
                incident: id,
                text: "watch the disk".into(),
                owner: self.somebody(),
                due: action::Until::Instant(self.soon()),
            }),
            _ => self.on_an_action(),
        }
    }

    fn target(&mut self) -> String {
        match self.side.below(4) {
            0 => format!("team:team{}", self.side.below(2)),
            1 => format!("schedule:rota{}", self.side.below(3)),
            _ => format!("person:{}", self.somebody()),
        }
    }

    fn link(&mut self, id: IncidentId) -> Option<Command> {
        let open = block_on(rows::alert::open_after(&self.db, "", CHOICE)).unwrap_or_default().0.read;
        if open.is_empty() {
            return None;
        }
        let alert = self.side.pick(&open).id;
        Some(Command::LinkAlert { id, alert })
    }

    fn on_a_review(&mut self) -> Option<Command> {
        let all = block_on(rows::review::list(&self.db, None, None, CHOICE, &allclear_domain::access::Reach::all())).unwrap_or_default();
        if all.is_empty() {
            return None;
        }
        let id = self.side.pick(&all).0.id;
        let text = format!("what happened, version {}", self.side.below(3));
        let command = match self.side.below(4) {
            0 | 1 => review::Command::Edit { text },
            2 => review::Command::Publish { text },
            _ => review::Command::Assign { owner: self.somebody() },
        };
        Some(Command::Review { id, command })
    }

    fn on_an_action(&mut self) -> Option<Command> {
        let all = block_on(rows::action::list(
            &self.db,
            &rows::action::Filter { reach: allclear_domain::access::Reach::all(), ..rows::action::Filter::default() },
            CHOICE,
        ))
        .unwrap_or_default();
        if all.is_empty() {
            return None;
        }
        let id = self.side.pick(&all).0.id;
        let command = match self.side.below(6) {
            0..=2 => action::Command::ChangeDue { due: action::Until::Instant(self.soon()), why: "the part is late".into() },
            3 => action::Command::Finish { note: None },
            4 => action::Command::Drop { why: "not worth it".into() },
            _ => action::Command::Assign { owner: self.somebody() },
        };
        Some(Command::Action { id, command })
    }
}
