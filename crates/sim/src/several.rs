//! Many incidents beside each other: related, split, merged, offered from team to team, owed to regulators, and against the time that
//! their services may be affected; and what must be true of that, said without the rules that it checks.
//!
//! Only some worlds have it, and its dice are its own, so that the worlds of seeds that were kept before go on meaning the same.

use std::collections::{BTreeMap, BTreeSet};

use allclear_domain::access::Reach;
use allclear_domain::expect::{Expectation, Owner, Rule, Standing};
use allclear_domain::ids::{AlertId, IncidentId};
use allclear_domain::incident::affected::Impact;
use allclear_domain::incident::related::Relation;
use allclear_domain::incident::transfers::End;
use allclear_domain::incident::work::TaskState;
use allclear_domain::incident::{
    self, Incident, Severity, State, access, affected, ending, links, moves, objectives, obligations, recovery, relations, transfers,
};
use allclear_domain::time::{Length, after};
use allclear_engine::core::{Command, Declare, Known, Move, Split};
use allclear_store::rows;
use jiff::Timestamp;

use crate::many::is_here;
use crate::monitor::Act;
use crate::oracle::several::SeveralModel;
use crate::ports::{Dice, block_on};
use crate::world::{Task, World};

/// Incidents that are open beside each other, at most.
const OPEN: usize = 20;
/// Deeds beside what people do anyway, each time that somebody coordinates.
const DEEDS: u64 = 16;
/// How long a team has to answer an offer, and again once it is paged (contract).
const ANSWER_WITHIN: Length = Length::from_mins(10);
/// Levels above each other, at most (contract).
const LEVELS: usize = 5;

/// Of the deeds in [`World::deed_of_several`], the one that submits a report.
const SUBMITS: u64 = 18;

impl World {
    /// What people do with several incidents at once.
    pub(crate) fn do_with_several(&mut self) {
        if !is_here(self.seed) {
            return;
        }
        let mut own = Dice::new(self.now.as_microsecond().unsigned_abs().rotate_left(7) ^ self.seed);
        let filter = rows::incident::Filter { reach: Reach::all(), ..rows::incident::Filter::default() };
        let all: Vec<Incident> =
            block_on(rows::incident::list(&self.db, &filter, 60)).unwrap_or_default().into_iter().map(|(i, _)| i).collect();
        let people: Vec<String> = self.org.bundle().people.iter().map(|p| p.id.clone()).collect();
        if people.is_empty() {
            return;
        }
        if all.iter().filter(|one| one.state.is_open()).count() < OPEN && !self.draining {
            for _ in 0..own.between(1, 3) {
                let who = own.pick(&people).clone();
                let command = Command::Declare(declared(&mut own));
                self.do_soon(&mut own, &who, command);
            }
        }
        if all.is_empty() {
            return;
        }
        let open: Vec<Incident> = all.iter().filter(|one| one.state.is_open() && one.state != State::Candidate).cloned().collect();
        for _ in 0..own.between(DEEDS / 2, DEEDS) {
            // Of what is over most is refused: that is tried as well, and less often.
            let among = if open.is_empty() || own.chance(100) { &all } else { &open };
            let incident = own.pick(among).clone();
            let mut who = own.pick(&people).clone();
            let other = own.pick(among).id;
            let Some(command) = self.deed_of_several(&mut own, &incident, other, &mut who) else { continue };
            self.do_soon(&mut own, &who, command);
        }
    }

    fn do_soon(&mut self, own: &mut Dice, who: &str, command: Command) {
        let wait = Length::from_secs(*own.pick(&[0, 0, 1, 20]));
        let input = self.input_of(who, "api", command);
        self.plan(after(self.now, wait), Task::Act(Box::new(Act::new(input))));
    }

    fn deed_of_several(&mut self, own: &mut Dice, incident: &Incident, other: IncidentId, who: &mut String) -> Option<Command> {
        let id = incident.id;
        let why = || "it is so".to_owned();
        let service = format!("svc{}", own.below(3));
        // What is owed is submitted sooner or later, by most.
        let owes = incident.work.obligations.iter().any(|one| one.owed().is_some());
        Some(match if owes && own.chance(250) { SUBMITS } else { own.below(30) } {
            0..=4 => {
                let is = *own.pick(&[Relation::Parent, Relation::Parent, Relation::Child, Relation::Related, Relation::Cause]);
                Command::Relate { id, to: other, is, follow: is == Relation::Parent && own.chance(600) }
            }
            5 => Command::Unrelate { id, from: incident.work.relations.first().map_or(other, |one| one.incident) },
            6 => Command::incident(id, relations::Command::Follow),
            7 => Command::incident(id, relations::Command::Unfollow { why: None }),
            8 | 9 => {
                let alerts: BTreeSet<AlertId> = BTreeSet::new();
                let mut has = incident.work.tasks.iter().filter(|task| task.state == TaskState::Open && task.step.is_none());
                let tasks: BTreeSet<u32> = has.next().map(|task| task.task).filter(|_| own.chance(700)).into_iter().collect();
                let hit = |(id, impact): &(&String, &Impact)| **impact != Impact::None && incident.service.as_ref() != Some(*id);
                let services: Vec<String> = incident.work.affected.iter().filter(hit).map(|(id, _)| id.clone()).take(1).collect();
                let to = own.chance(300).then(|| who.clone());
                Command::Split { id, split: Split { title: "a part of it".into(), severity: None, alerts, tasks, services, to } }
            }
            10..=12 => {
                let to = if own.chance(500) { format!("team:team{}", own.below(2)) } else { format!("service:{service}") };
                Command::incident(id, transfers::Command::Offer { to, why: why(), offered: None })
            }
            13 | 14 => {
                let team = incident.work.transfers.offer.as_ref().map(|offer| offer.team.clone())?;
                let members = self.org.team(&team).map(|form| form.members.clone()).unwrap_or_default();
                if !members.is_empty() && own.chance(900) {
                    who.clone_from(own.pick(&members));
                }
                if own.chance(600) {
                    Command::incident(id, transfers::Command::Accept { person: None, escalation: None })
                } else {
                    let end = *own.pick(&[End::Returned, End::Withdrawn]);
                    Command::incident(id, transfers::Command::Return { end, why: Some(why()), leave: Vec::new() })
                }
            }
            15 => {
                let form = (*own.pick(&["bank", "asset", "records", "gone"])).to_owned();
                Command::incident(id, obligations::Command::Propose { form, because: None })
            }
            16 | 17 => {
                let obligation = incident.work.obligations.first().map_or(1, |one| one.obligation);
                let back = Length::from_mins(*own.pick(&[0, 5, 90]));
                let aware_at = own.chance(500).then(|| allclear_domain::time::before(self.now, back));
                let applies = own.chance(850);
                Command::incident(id, obligations::Command::Decide { obligation, applies, why: why(), aware_at, by: None })
            }
            SUBMITS => {
                // What is owed mostly, and what is not.
                let owed = incident.work.obligations.iter().find_map(|one| Some((one.obligation, one.owed()?.report)));
                let (obligation, report) = owed.filter(|_| own.chance(800)).unwrap_or((1, 2));
                let said = obligations::Submit { obligation, report, ..obligations::Submit::default() };
                Command::incident(id, obligations::Command::Submit(said))
            }
            19 | 20 => {
                let impact = *own.pick(&[Impact::None, Impact::Degraded, Impact::Full]);
                let back = Length::from_mins(*own.pick(&[1, 15]));
                let since = (impact != Impact::None && own.chance(300)).then(|| allclear_domain::time::before(self.now, back));
                Command::incident(id, affected::Command::SetImpact { service, impact, since, why: None })
            }
            21 => Command::incident(id, recovery::Command::Restore { service, percent: *own.pick(&[40, 100]), backlog: None, note: None }),
            22 if own.chance(400) => Command::incident(id, access::Command::Restrict { why: why(), people: Vec::new() }),
            22 => Command::incident(id, ending::Command::Resolve { note: None, waive: Some(why()) }),
            23 if own.chance(500) => Command::Merge { from: id, into: other },
            23 => Command::TakeApart { from: id },
            24..=26 => {
                let parent = incident.work.parent().map(|parent| parent.incident)?;
                let rank = own.chance(850).then(|| u32::try_from(own.between(1, 3)).unwrap_or(1));
                Command::Order { id: parent, part: id, rank, why: None }
            }
            _ => {
                // Whoever has it, mostly.
                let person = incident.holder().map_or_else(|| who.clone(), ToOwned::to_owned);
                let people: Vec<String> = self.org.bundle().people.iter().map(|p| p.id.clone()).collect();
                let instead = own.chance(500).then(|| own.pick(&people).clone());
                let uncovered = instead.is_none() && own.chance(700);
                who.clone_from(&person);
                Command::Move { id, asked: Move { person, to: other, why: why(), instead, uncovered } }
            }
        })
    }

    pub(crate) fn several_event(&mut self, id: IncidentId, event: &incident::Event, at: Timestamp) {
        use incident::Event as E;
        let mut model = self.oracle.several.remove(&id).unwrap_or_default();
        match event {
            E::Relations(relations::Event::Tied(body)) => match body.is {
                Relation::SplitFrom => self.reached("a part was split off"),
                _ => self.reached("two incidents were related"),
            },
            E::Ordering(_) => self.reached("the parts of an incident were put in an order"),
            E::Moves(moves::Event::Away(_)) => self.reached("somebody was moved to another incident"),
            E::Transfers(event) => self.transfer_event(id, &mut model, event, at),
            E::Obligations(obligations::Event::Missed(body)) => {
                self.reached("a report to a regulator was missed");
                if at < body.due_at || !model.missed_reports.insert((body.obligation, body.report, body.due_at)) {
                    self.fail("I14 a report is missed once, and never early", format!("{body:?} of {id} at {at}"));
                }
            }
            E::Obligations(obligations::Event::Submitted(_)) => self.reached("a report to a regulator was submitted"),
            E::Objectives(objectives::Event::Missed(body)) => {
                self.reached("a recovery objective was missed");
                let key = (body.service.clone(), body.kind.word().to_owned(), body.due_at);
                if at < body.due_at || !model.missed_objectives.insert(key) {
                    self.fail("I14 an objective is missed once, and never early", format!("{body:?} of {id} at {at}"));
                }
            }
            E::Ending(ending::Event::Resolved(_) | ending::Event::Cancelled(_) | ending::Event::Closed(_))
            | E::Links(links::Event::Merged(_)) => model.offer = None,
            _ => {}
        }
        self.oracle.several.insert(id, model);
    }

    fn transfer_event(&mut self, id: IncidentId, model: &mut SeveralModel, event: &transfers::Event, at: Timestamp) {
        use transfers::Event as E;
        let told = format!("{event:?} of {id} at {at}, offered {:?}", model.offer);
        let offered_to = |team: &str| model.offer.as_ref().is_some_and(|(to, _, _)| to == team);
        let fits = match event {
            E::Offered(_) => model.offer.is_none(),
            E::Accepted(body) => offered_to(&body.team),
            E::Returned(body) => {
                let early =
                    body.end == End::Unanswered && model.offer.as_ref().is_none_or(|(_, since, _)| at < after(*since, ANSWER_WITHIN));
                offered_to(&body.team) && !early
            }
            E::Unanswered(body) => {
                let early = model.offer.as_ref().is_none_or(|(_, since, paged)| *paged || at < after(*since, ANSWER_WITHIN));
                offered_to(&body.team) && !early
            }
        };
        if !fits {
            self.fail("I14 an offer is answered once, and never given up early", told);
        }
        match event {
            E::Offered(body) => model.offer = Some((body.team.clone(), at, false)),
            E::Accepted(_) => {
                self.reached("a team took an incident over");
                model.taken += 1;
                model.offer = None;
            }
            E::Returned(_) => {
                self.reached("a team did not take an incident");
                model.offer = None;
            }
            E::Unanswered(body) => model.offer = Some((body.team.clone(), at, true)),
        }
    }

    /// Of one incident: what is awaited of all that, each once.
    pub(crate) fn check_several(&mut self, row: &Incident, all: &[Expectation]) {
        let id = row.id;
        let awaited = |rule: Rule, key: Option<&str>| {
            let fits = |e: &&Expectation| e.standing == Standing::Live && e.rule == rule && key.is_none_or(|key| e.key == key);
            all.iter().filter(fits).count()
        };
        let model = self.oracle.several.get(&id).cloned().unwrap_or_default();
        let offer = row.work.transfers.offer.as_ref().map(|offer| offer.team.clone());
        if offer != model.offer.as_ref().map(|(team, _, _)| team.clone()) || row.work.transfers.hand_overs != model.taken {
            self.fail("I6 rows are what their logs say", format!("{id}: {:?}, its log says {model:?}", row.work.transfers));
        }
        let (wanted, found) = (usize::from(offer.is_some()), awaited(Rule::TransferAnswer, None));
        if wanted != found {
            self.fail("I14 an offer is awaited once", format!("{id} offered to {offer:?}, awaited by {found}"));
        }
        // What went along with a merge is owed there.
        let owes = row.state != State::Merged;
        for one in &row.work.obligations {
            let owed = one.owed().filter(|report| owes && report.is_watched());
            for report in 1..=u32::try_from(one.rule.reports.len()).unwrap_or(0) {
                let wanted = usize::from(owed.is_some_and(|owed| owed.report == report));
                let found = awaited(Rule::ObligationDue, Some(&format!("obligation:{}:{report}", one.obligation)));
                if wanted != found {
                    let what = format!("obligation {} of {id} ({:?}), report {report}, is awaited by {found}", one.obligation, row.state);
                    self.fail("I14 what a regulator is owed is awaited once", format!("{what}, and not by {wanted}: {one:?}"));
                }
            }
        }
        for one in &row.work.objectives {
            let wanted = usize::from(one.is_live() && one.missed_at.is_none());
            let found = awaited(Rule::Objective, Some(&format!("objective:{}:{}", one.kind.word(), one.service)));
            if wanted != found {
                self.fail("I14 an objective is awaited once", format!("{one:?} of {id} ({:?}) by {found}", row.state));
            }
        }
    }

    /// Over all of them: each relation is told on both sides, nobody stands above themselves, nobody has two parents, and what went
    /// along with a merge is owed there.
    pub(crate) fn check_relations(&mut self) {
        if !is_here(self.seed) {
            return;
        }
        let filter = rows::incident::Filter { reach: Reach::all(), ..rows::incident::Filter::default() };
        let found = block_on(rows::incident::list(&self.db, &filter, 100_000)).unwrap_or_default();
        let all: BTreeMap<IncidentId, Incident> = found.into_iter().map(|(incident, _)| (incident.id, incident)).collect();
        let open = all.values().filter(|one| one.state.is_open() && one.state != State::Candidate).count();
        if open >= OPEN / 2 {
            self.reached("ten incidents and more were open beside each other");
        }
        for incident in all.values() {
            let id = incident.id;
            for one in &incident.work.relations {
                let turned = |other: &Incident| other.work.relations.iter().filter(|r| r.incident == id && r.is == one.is.turned()).count();
                if all.get(&one.incident).map(turned) != Some(1) {
                    self.fail("I14 a relation is told on both sides", format!("{id} has {one:?}, and the other does not"));
                }
                if one.incident == id {
                    self.fail("I14 nobody stands above themselves", format!("{id} has {one:?}"));
                }
            }
            if incident.work.relations.iter().filter(|one| one.is == Relation::Parent).count() > 1 {
                self.fail("I14 a part has one whole", format!("{id}: {:?}", incident.work.relations));
            }
            for above in [Relation::Parent, Relation::Cause] {
                if levels(&all, id, above, LEVELS + 1) > LEVELS {
                    self.fail("I14 nobody stands above themselves", format!("{id}, by {above}, has more than {LEVELS} above"));
                }
            }
            self.check_order(incident, &all);
            self.check_owed_elsewhere(incident, &all);
        }
    }

    /// Each part has one place, is a part and open, and knows its place; and who has no place knows none.
    fn check_order(&mut self, whole: &Incident, all: &BTreeMap<IncidentId, Incident>) {
        let order = &whole.work.order;
        if order.iter().collect::<BTreeSet<_>>().len() != order.len() {
            self.fail("I14 a part has one place", format!("{}: {order:?}", whole.id));
        }
        for one in whole.work.relations.iter().filter(|one| one.is == Relation::Child) {
            let Some(part) = all.get(&one.incident) else { continue };
            let place = order.iter().position(|id| *id == part.id).map(|at| u32::try_from(at + 1).unwrap_or(u32::MAX));
            let known = part.work.parent().filter(|parent| parent.incident == whole.id).and_then(|parent| parent.rank);
            if place.is_some() && !part.state.is_open() {
                self.fail("I14 what is over has no place", format!("{} of {}", part.id, whole.id));
            }
            // What a parent that is private says of them they do not know.
            if known != place && whole.private == part.private {
                self.fail("I14 a part knows its place", format!("{} of {} is at {place:?}, and knows {known:?}", part.id, whole.id));
            }
        }
        let is_part = |id: &IncidentId| whole.work.relations.iter().any(|one| one.is == Relation::Child && one.incident == *id);
        if let Some(other) = order.iter().find(|id| !is_part(id)) {
            self.fail("I14 a part has one place", format!("{other} has one in {}, and is no part of it", whole.id));
        }
    }

    fn check_owed_elsewhere(&mut self, merged: &Incident, all: &BTreeMap<IncidentId, Incident>) {
        let mut into = merged;
        while let Some(next) = into.merged_into.and_then(|id| all.get(&id)) {
            into = next;
        }
        if into.id == merged.id {
            return;
        }
        for one in merged.work.obligations.iter().filter(|one| one.owed().is_some()) {
            if !into.work.obligations.iter().any(|other| other.form == one.form) {
                let what = format!("{} was merged into {}, which knows nothing of {}", merged.id, into.id, one.form);
                self.fail("I14 what a regulator is owed goes along", what);
            }
        }
    }

    /// What a look of everything finds: nothing of an incident that somebody has to do is without a time, or it is said to be so.
    pub(crate) fn check_owned(&mut self, row: &Incident, pages_look: bool, all: &[Expectation]) {
        if !row.state.is_open() || row.alarms.is_held() || row.mode != allclear_domain::event::Mode::Live {
            return;
        }
        let awaited = all.iter().any(|e| e.standing == Standing::Live && matches!(e.owner, Owner::Incident(_) | Owner::Page(_)));
        if !row.is_held() && !pages_look && !awaited {
            self.fail("I14 an open incident has an owner or a next time", format!("{} is {:?}", row.id, row.state));
        }
        // Somebody has it, and how bad it is says that something is heard of it: then it has a next time as well.
        let lasts = self.oracle.incidents.get(&row.id).is_some_and(|model| model.lasts.is_some());
        if row.is_held() && row.severity <= Severity::Sev2 && lasts && !awaited {
            self.fail("I14 an open incident has an owner or a next time", format!("{} is held and awaits nothing", row.id));
        }
    }
}

fn declared(own: &mut Dice) -> Declare {
    Declare {
        title: format!("incident {}", own.below(1_000)),
        severity: Some(*own.pick(&Severity::ALL)),
        known: Known::default(),
        service: own.chance(800).then(|| format!("svc{}", own.below(3))),
        impact_started_at: None,
        page: own.chance(700),
        private: false,
        report: own.chance(50),
    }
}

/// The longest way up from an incident, and no longer than `most`.
fn levels(all: &BTreeMap<IncidentId, Incident>, id: IncidentId, above: Relation, most: usize) -> usize {
    let Some(incident) = all.get(&id).filter(|_| most > 0) else { return 0 };
    let ups = incident.work.relations.iter().filter(|one| one.is == above);
    ups.map(|one| 1 + levels(all, one.incident, above, most - 1)).max().unwrap_or(0)
}
