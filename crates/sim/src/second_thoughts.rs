//! What people do once they know better: another service, other impacts, a merge taken apart, an incident given back, a
//! role asked for, notes marked, and the test page of somebody who wants to know whether they are reached.
//!
//! Only some worlds have such people, so that the worlds of seeds that were kept before go on meaning the same.

use allclear_domain::access::{Actor, Principal, Reach, Scope};
use allclear_domain::incident::affected::Impact;
use allclear_domain::incident::{Incident, State, affected, attendance, record, roles};
use allclear_domain::time::{Length, after};
use allclear_engine::core::{Command, Input};
use allclear_store::rows;

use crate::coordination::CHOICE;
use crate::monitor::Act;
use crate::ports::{Dice, block_on};
use crate::world::{Task, World};

/// One world of so many has such people: those whose seed leaves [`REST`], of which none was kept before them.
const ONE_OF: u64 = 7;
/// See [`ONE_OF`].
const REST: u64 = 5;
/// Of a thousand times that somebody coordinates, how often somebody has second thoughts as well.
const OFTEN: u64 = 700;
/// Services of every organisation.
const SERVICES: u64 = 3;

impl World {
    /// Somebody knows better now.
    pub(crate) fn think_again(&mut self) {
        if self.seed % ONE_OF != REST {
            return;
        }
        let mut own = Dice::new(self.now.as_microsecond().unsigned_abs() ^ self.seed);
        if !own.chance(OFTEN) {
            return;
        }
        let filter = rows::incident::Filter { reach: Reach::all(), ..rows::incident::Filter::default() };
        let all: Vec<Incident> =
            block_on(rows::incident::list(&self.db, &filter, CHOICE)).unwrap_or_default().into_iter().map(|(i, _)| i).collect();
        let people: Vec<String> = self.org.bundle().people.iter().map(|p| p.id.clone()).collect();
        if all.is_empty() || people.is_empty() {
            return;
        }
        let mut who = own.pick(&people).clone();
        let incident = own.pick(&all).clone();
        let id = incident.id;
        let service = format!("svc{}", own.below(SERVICES));
        let why = Some("it is not what we thought".to_owned());
        let command = match own.below(16) {
            0..=2 => Command::incident(id, affected::Command::SetService { service, escalation: None, why }),
            3 => {
                let impact = *own.pick(&[Impact::None, Impact::Degraded, Impact::Partial, Impact::Full]);
                Command::incident(id, affected::Command::SetImpact { service, impact, since: None, why })
            }
            // A slip: it is taken apart soon, and some are merged and taken apart once more.
            4..=7 => {
                let open: Vec<&Incident> = all.iter().filter(|other| other.state.is_open() && other.state != State::Candidate).collect();
                let [first, .., last] = open[..] else { return };
                let (from, into) = if own.chance(500) { (first.id, last.id) } else { (last.id, first.id) };
                let mut wait = 0;
                for _ in 0..own.between(1, 2) {
                    self.do_at(Length::from_secs(wait), &who, Command::Merge { from, into });
                    wait += *own.pick(&[1, 60, 600]);
                    self.do_at(Length::from_secs(wait), &who, Command::TakeApart { from });
                    wait += *own.pick(&[1, 60, 600]);
                }
                return;
            }
            8..=10 => {
                let Some(held) = all.iter().find(|other| other.holder().is_some()) else { return };
                who = held.holder().map_or(who, ToOwned::to_owned);
                Command::incident(held.id, attendance::Command::GiveBack { by: who.clone(), why: "not mine after all".into() })
            }
            11 => Command::incident(id, roles::Command::Ask { role: "commander".into(), by: who.clone() }),
            12 => {
                Command::incident(id, record::Command::Note { text: "it began with the deploy".into(), happened_at: None, marking: None })
            }
            13 => Command::incident(id, roles::Command::Take { role: "scribe".into(), person: who.clone(), why: None }),
            14 => Command::TestPage { person: who.clone() },
            _ => {
                self.drill(&mut own);
                return;
            }
        };
        let wait = Length::from_secs(*own.pick(&[0, 0, 1, 30]));
        self.do_at(wait, &who, command);
    }

    /// An administrator drills a policy, and may stop that.
    fn drill(&mut self, own: &mut Dice) {
        let policies: Vec<String> = self.org.bundle().escalations.iter().map(|policy| policy.id.clone()).collect();
        if policies.is_empty() {
            return;
        }
        let (escalation, wait) = (own.pick(&policies).clone(), own.chance(500).then(|| Length::from_secs(own.between(10, 300))));
        let who = Principal::new(Actor::Administrator, Scope::Admin);
        let input = Input { who, cause: "api".to_owned(), once: None, command: Command::Drill { escalation, wait } };
        self.plan(self.now, Task::Act(Box::new(Act::new(input))));
    }

    fn do_at(&mut self, wait: Length, who: &str, command: Command) {
        let input = self.input_of(who, "api", command);
        self.plan(after(self.now, wait), Task::Act(Box::new(Act::new(input))));
    }
}
