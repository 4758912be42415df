//! What an incident's coordination, its review and its actions promise, read from the log: who holds
//! which role, what is due when, who was reminded; and the store against that.
//!
//! Written against the contract, as [`crate::oracle`] is: due times and cadences are counted here
//! again, and never asked of the rules that are checked.

use std::collections::{BTreeMap, BTreeSet};

use allclear_domain::expect::{Expectation, Owner, Rule, Standing};
use allclear_domain::ids::{ActionId, IncidentId, ReviewId};
use allclear_domain::incident::clock::Clock;
use allclear_domain::incident::related::Relation;
use allclear_domain::incident::{
    self, Incident, Instant, Severity, attendance, clocks, declaration, ending, flapping, links, plans, record, relations, roles, staffing,
    tasks, updates,
};
use allclear_domain::org::forms::role::Role;
use allclear_domain::time::{Length, after};
use allclear_domain::{action, review};
use allclear_store::rows;
use jiff::Timestamp;

use crate::oracle::work::{Promise, Task, WorkModel};
use crate::orgs::cadence;
use crate::ports::block_on;
use crate::world::World;

/// How long an offer of a role waits for an answer (contract).
const OFFER_WITHIN: Length = Length::from_mins(5);
/// Updates missed in a row after which nobody is reminded any more (contract), where it is not a sev1 or sev2.
const MISSED_MAX: u32 = 3;

impl World {
    pub(crate) fn work_event(&mut self, id: IncidentId, event: &incident::Event, at: Timestamp) {
        use incident::Event as E;
        if let E::Declaration(declaration::Event::Proposed(body) | declaration::Event::Declared(body)) = event {
            let every = cadence(self.org.bundle(), body.severity);
            if body.update_every != every {
                self.fail("I12 the cadence is the severity's", format!("{id} is {} and says {:?}", body.severity, body.update_every));
            }
            let mut work = WorkModel::new(every, body.severity);
            work.declared = matches!(event, E::Declaration(declaration::Event::Declared(_))).then_some(at);
            self.oracle.works.insert(id, work);
            return;
        }
        let Some(mut work) = self.oracle.works.remove(&id) else {
            self.fail("I6 the log reads", format!("{id} begins with {}", event.kind()));
            return;
        };
        match event {
            E::Roles(event) => self.role_event(id, &mut work, event, at),
            E::Staffing(staffing::Event::Needed(body)) => self.needs_event(id, &mut work, body, at),
            E::Tasks(event) => self.task_event(id, &mut work, event, at),
            E::Plans(plans::Event::Started(body)) => self.plan_event(id, &mut work, body),
            E::Updates(event) => self.update_event(id, &mut work, event, at),
            E::Clocks(clocks::Event::Missed(body)) => self.clock_missed(id, &mut work, body, at),
            E::Partners(event) => self.partner_event(id, &mut work.requests, event, at),
            E::Resources(event) => self.resource_event(id, &mut work.resources, event, at),
            event => self.life_event(&mut work, event, at),
        }
        self.oracle.works.insert(id, work);
    }

    /// Missed once, and never before as much time has passed since the earliest time at which it was said to be declared.
    fn clock_missed(&mut self, id: IncidentId, work: &mut WorkModel, body: &clocks::Missed, at: Timestamp) {
        let due = work.declared.map(|declared| after(declared, body.within));
        if due.is_none_or(|due| at < due) || at < body.due_at {
            self.fail(
                "I12 no clock is missed early",
                format!("{} of {id} at {at}; it is {:?} from {due:?}", body.clock.word(), body.within),
            );
        }
        if work.clocks_missed.contains(&body.clock) {
            self.fail("I12 a clock is missed once", format!("{} of {id}, again at {at}", body.clock.word()));
        }
        work.clocks_missed.push(body.clock);
    }

    fn life_event(&mut self, work: &mut WorkModel, event: &incident::Event, at: Timestamp) {
        use incident::Event as E;
        let due = |every: Option<Length>| every.map(|every| Promise::new(at, after(at, every)));
        match event {
            E::Attendance(attendance::Event::Acknowledged(body)) => {
                work.worked_on = true;
                if body.first {
                    work.update = due(work.every);
                }
                work.acknowledged = true;
                if let (None, Some(by)) = (work.holders.get("commander"), &body.by) {
                    work.holders.insert("commander".into(), by.clone());
                    work.offers.remove("commander");
                    work.looks_for("commander", None);
                }
            }
            E::Declaration(declaration::Event::SeverityChanged(body)) => {
                work.grave = body.to <= Severity::Sev2;
                work.severity = body.to;
                work.every = cadence(self.org.bundle(), body.to);
                if work.worked_on {
                    work.update = due(work.every);
                }
            }
            E::Declaration(declaration::Event::Promoted(_)) => work.declared = Some(at),
            E::Record(record::Event::TimeCorrected(body)) if body.instant == Instant::Declared => {
                work.declared = work.declared.min(body.at).or(body.at);
            }
            E::Ending(ending::Event::Mitigated(_)) => work.worked_on = true,
            E::Ending(ending::Event::Reopened(_)) => {
                (work.open, work.worked_on, work.missed) = (true, true, 0);
                work.update = due(work.every);
                // Whoever was asked before it ended has the time of an offer again.
                for (_, asked_at) in work.offers.values_mut().chain(work.asks.values_mut()) {
                    *asked_at = at;
                }
            }
            // Nobody had it, and nobody has it; what was promised is.
            E::Flapping(flapping::Event::Returned(body)) if body.reopened => {
                (work.open, work.missed) = (true, 0);
                work.update = if work.told { due(work.every) } else { None };
                for (_, asked_at) in work.offers.values_mut().chain(work.asks.values_mut()) {
                    *asked_at = at;
                }
            }
            // What was open of the other is to be done here, and its promise is kept where it is nearer.
            E::Links(links::Event::Absorbed(body)) => {
                for task in &body.tasks {
                    work.tasks.insert(task.task, Task { late: task.late, ..Task::new(task.due_at) });
                }
                if let Some(due) = body.update_by {
                    work.update = Some(Promise::new(at, due));
                }
            }
            // It is what it was, and what went back with it is to be done here again; what stayed is not.
            E::Links(links::Event::TakenApart(body)) => {
                (work.open, work.worked_on) = (true, work.was_worked_on);
                work.update = if work.worked_on { due(work.every) } else { None };
                for (_, asked_at) in work.offers.values_mut().chain(work.asks.values_mut()) {
                    *asked_at = at;
                }
                for task in &body.stayed {
                    work.end_task(*task, at);
                }
            }
            E::Links(links::Event::Released(body)) => {
                for task in &body.tasks {
                    if let Some(task) = work.tasks.get_mut(task) {
                        task.open = false;
                    }
                }
            }
            // What came with a part that was split off is to be done here.
            E::Relations(relations::Event::Tied(body)) if body.is == Relation::SplitFrom => {
                for task in &body.moved.tasks {
                    work.tasks.insert(task.task, Task { late: task.late, ..Task::new(task.due_at) });
                }
            }
            // What the parent promised is nobody's promise here any more: it owes its own from now on.
            E::Relations(
                relations::Event::Untied(relations::Untied { owes: true, .. })
                | relations::Event::Unfollowed(relations::Follows { owes: true, .. }),
            ) if work.open => {
                work.update = due(work.every);
            }
            // What was promised by acknowledging is owed no more; what somebody told people is.
            E::Attendance(attendance::Event::Lost(body)) if body.undone => {
                (work.worked_on, work.acknowledged) = (false, false);
                if !work.told {
                    work.update = None;
                }
            }
            E::Ending(ending::Event::Resolved(_) | ending::Event::Cancelled(_) | ending::Event::Closed(_))
            | E::Links(links::Event::Merged(_)) => {
                work.was_worked_on = work.worked_on;
                work.needed.clear();
                (work.open, work.worked_on, work.update) = (false, false, None);
            }
            _ => {}
        }
    }

    fn role_event(&mut self, id: IncidentId, work: &mut WorkModel, event: &roles::Event, at: Timestamp) {
        use roles::Event as E;
        match event {
            E::Offered(body) => {
                work.offers.insert(body.role.clone(), (body.to.clone(), at));
            }
            E::Taken(body) => {
                let before = work.holders.insert(body.role.clone(), body.person.clone());
                work.offers.remove(&body.role);
                work.asks.remove(&body.role);
                work.looks_for(&body.role, None);
                if before != body.from {
                    self.fail("I12 a role has one holder", format!("{id}: {} from {:?}, held by {before:?}", body.role, body.from));
                }
            }
            E::Left(body) => {
                let held = work.holders.remove(&body.role);
                work.asks.remove(&body.role);
                let offered = work.offers.remove(&body.role).map(|(to, _)| to);
                if held.is_some() {
                    work.looks_for(&body.role, Some(at));
                }
                if held.as_ref().or(offered.as_ref()) != Some(&body.person) {
                    self.fail("I12 a role has one holder", format!("{id}: {} left by {}, held by {held:?}", body.role, body.person));
                }
            }
            E::Unanswered(body) => {
                self.reached("a role offer was not answered");
                let offer = work.offers.remove(&body.role);
                if offer.as_ref().is_none_or(|(to, asked_at)| *to != body.to || after(*asked_at, OFFER_WITHIN) > at) {
                    self.fail("I9 no expectation settles early", format!("{id}: {body:?} at {at}, offered {offer:?}"));
                }
            }
            E::Asked(body) => {
                if work.holders.get(&body.role) != Some(&body.of) {
                    self.fail(
                        "I12 a role has one holder",
                        format!("{id}: {} is asked of {}, held by {:?}", body.role, body.of, work.holders),
                    );
                }
                work.asks.insert(body.role.clone(), (body.by.clone(), at));
            }
            E::AskMissed(body) => {
                self.reached("whoever held a role did not answer who asked for it");
                let ask = work.asks.remove(&body.role);
                if ask.as_ref().is_none_or(|(by, asked_at)| *by != body.by || after(*asked_at, OFFER_WITHIN) > at) {
                    self.fail("I9 no expectation settles early", format!("{id}: {body:?} at {at}, asked {ask:?}"));
                }
            }
            E::Unfilled(body) => {
                if work.holders.contains_key(&body.role) {
                    self.fail("I12 a role has one holder", format!("{id} has a {} and is said to have none", body.role));
                }
                if let Some((_, due)) = work.needed.get(&body.role) {
                    self.reached("a role that was needed stayed nobody's");
                    if due.is_none_or(|due| at < due) {
                        self.fail("I9 late once, and not early", format!("{} of {id} at {at}, looked for until {due:?}", body.role));
                    }
                }
                work.looks_for(&body.role, work.grave.then_some(at));
            }
        }
    }

    /// What the catalogue of the cited organisation asks for this severity, said once.
    fn needs_event(&mut self, id: IncidentId, work: &mut WorkModel, body: &staffing::Needs, at: Timestamp) {
        for role in &body.dropped {
            if work.needed.remove(role).is_none() {
                self.fail("I12 a needed role is awaited once", format!("{id}: nobody had to have {role}"));
            }
        }
        for need in &body.added {
            let due = (!work.holders.contains_key(&need.role)).then(|| after(at, need.within));
            if work.needed.insert(need.role.clone(), (need.within, due)).is_some() {
                self.fail("I12 a needed role is awaited once", format!("{id}: {} is needed twice", need.role));
            }
        }
        let org = self.org_of(body.org_version);
        let asks = |form: &&Role| form.needed_from.is_some_and(|from| work.severity <= from);
        let wanted: BTreeSet<&String> = org.bundle().roles.iter().filter(asks).map(|form| &form.id).chain(&work.of_plans).collect();
        let known: Vec<&String> = work.needed.keys().collect();
        if wanted.len() != known.len() || !wanted.iter().all(|role| work.needed.contains_key(*role)) {
            self.fail("I12 a needed role is awaited once", format!("{id} is {}: {wanted:?} are needed, it says {known:?}", work.severity));
        }
    }

    /// Every step is a task; what comes after nothing has its time at once, and a plan starts once.
    fn plan_event(&mut self, id: IncidentId, work: &mut WorkModel, body: &plans::Started) {
        if !work.plans.insert(body.plan.clone()) {
            self.fail("I12 a plan starts once", format!("{} in {id}", body.plan));
        }
        work.of_plans.extend(body.roles.iter().cloned());
        for step in &body.steps {
            let task = Task { within: step.within, after: step.after.clone(), ..Task::new(step.due_at) };
            if step.due_at.is_some() != (step.after.is_empty() && step.within.is_some()) {
                self.fail("I12 a step has its time when it may begin", format!("step {} of {id}: {step:?}", step.task));
            }
            if work.tasks.insert(step.task, task).is_some() {
                self.fail("I12 a task has one number", format!("{} of {id}", step.task));
            }
        }
    }

    fn task_event(&mut self, id: IncidentId, work: &mut WorkModel, event: &tasks::Event, at: Timestamp) {
        use tasks::Event as E;
        match event {
            E::Added(body) => {
                work.tasks.insert(body.task, Task::new(body.due_at));
            }
            E::Done(body) | E::Dropped(body) => {
                if work.end_task(body.task, at) > 0 {
                    self.reached("a step began when what came before it was through");
                }
            }
            E::Late(body) => {
                self.reached("a task became late");
                let task = work.tasks.get_mut(&body.task);
                let fits = task.as_ref().is_some_and(|t| t.open && !t.late && t.due.is_some_and(|due| due <= at));
                if let Some(task) = task {
                    task.late = true;
                }
                if !fits {
                    self.fail("I9 late once, and not early", format!("task {} of {id} at {at}", body.task));
                }
            }
            E::Changed(body) => {
                if let (Some(task), Some(due_at)) = (work.tasks.get_mut(&body.task), body.due_at) {
                    (task.due, task.late) = (Some(due_at), false);
                }
            }
            E::Assigned(_) | E::Unassigned(_) => {}
        }
    }

    fn update_event(&mut self, id: IncidentId, work: &mut WorkModel, event: &updates::Event, at: Timestamp) {
        use updates::Event as E;
        match event {
            // What a parent told and nobody here was promised.
            E::Posted(body) if !body.counts() => {}
            E::Posted(body) => {
                (work.missed, work.told) = (0, true);
                work.update = body.next_by.map(|due| Promise::new(at, due));
                if work.open && work.update.is_none() && work.every.is_some() {
                    self.fail("I12 an update promises the next", format!("{id} at {at}"));
                }
                let org = self.org_of(body.org_version);
                let mut wanted = BTreeSet::new();
                for audience in org.bundle().audiences.iter().filter(|a| body.audiences.contains(&a.id)) {
                    let members = org.bundle().teams.iter().filter(|t| audience.teams.contains(&t.id)).flat_map(|t| &t.members);
                    let exists = |person: &&String| org.bundle().people.iter().any(|p| p.id == **person);
                    wanted.extend(audience.people.iter().chain(members).filter(exists).cloned());
                    if !audience.contacts.is_empty() {
                        wanted.insert(format!("audience:{}", audience.id));
                    }
                }
                if !body.audiences.is_empty() && body.of.is_none() {
                    self.oracle.to_tell.insert(id, wanted);
                }
            }
            E::Reminded(body) => self.reminded(&format!("an update of {id}"), work.update.as_mut(), body.due_at, at),
            E::Missed(body) => {
                self.reached("an update was missed");
                let due = work.update.take();
                if due.is_none_or(|promise| !same(promise.due, body.due_at) || at < body.due_at) {
                    self.fail("I9 late once, and not early", format!("an update of {id}, due by {}, at {at}", body.due_at));
                }
                work.missed += 1;
                if work.grave || work.missed < MISSED_MAX {
                    work.update = work.every.map(|every| Promise::new(at, after(at, every)));
                }
            }
        }
    }

    /// Once, for what is still to be done, and not before its mark.
    fn reminded(&mut self, what: &str, promise: Option<&mut Promise>, due_at: Timestamp, at: Timestamp) {
        self.reached("somebody was told soon enough of what was due");
        let fits = promise.as_ref().is_some_and(|p| p.waits() && !p.reminded && same(p.due, due_at) && p.mark() <= at && at < p.due);
        if !fits {
            self.fail("I12 reminded once, and in time", format!("{what}, due by {due_at}, at {at}: {promise:?}"));
        }
        if let Some(promise) = promise {
            promise.reminded = true;
        }
    }

    fn missed(&mut self, what: &str, promise: &mut Promise, due_at: Timestamp, at: Timestamp) {
        if !promise.waits() || !same(promise.due, due_at) || after(at, Length::from_millis(1)) < promise.due {
            self.fail("I9 late once, and not early", format!("{what}, due by {due_at}, at {at}: {promise:?}"));
        }
        promise.late = true;
    }

    pub(crate) fn review_event(&mut self, id: ReviewId, event: &review::Event, at: Timestamp) {
        let owner = Owner::Review(id);
        if let review::Event::Opened(body) = event {
            self.oracle.promises.insert(owner, Promise::new(at, body.due_at));
            return;
        }
        let Some(mut promise) = self.oracle.promises.remove(&owner) else {
            self.fail("I6 the log reads", format!("{id} begins with {}", event.kind()));
            return;
        };
        match event {
            review::Event::Published(_) => promise.open = false,
            review::Event::Reminded(body) => self.reminded(&id.to_string(), Some(&mut promise), body.due_at, at),
            review::Event::Missed(body) => {
                self.reached("a review was late");
                self.missed(&id.to_string(), &mut promise, body.due_at, at);
            }
            review::Event::Opened(_) | review::Event::Assigned(_) | review::Event::Edited(_) => {}
        }
        self.oracle.promises.insert(owner, promise);
    }

    pub(crate) fn action_event(&mut self, id: ActionId, event: &action::Event, at: Timestamp) {
        let owner = Owner::Action(id);
        if let action::Event::Added(body) = event {
            self.oracle.promises.insert(owner, Promise::new(at, body.due_at));
            return;
        }
        let Some(mut promise) = self.oracle.promises.remove(&owner) else {
            self.fail("I6 the log reads", format!("{id} begins with {}", event.kind()));
            return;
        };
        match event {
            action::Event::DueChanged(body) => promise = Promise::new(at, body.to),
            action::Event::Done(_) | action::Event::Dropped(_) => promise.open = false,
            action::Event::Reminded(body) => self.reminded(&id.to_string(), Some(&mut promise), body.due_at, at),
            action::Event::Missed(body) => {
                self.reached("an action was late");
                self.missed(&id.to_string(), &mut promise, body.due_at, at);
            }
            action::Event::Added(_) | action::Event::Assigned(_) => {}
        }
        self.oracle.promises.insert(owner, promise);
    }

    /// A review or an action: looked at once more as long as it is to be done and not late, and at its
    /// own time.
    pub(crate) fn check_promise(&mut self, owner: Owner) {
        let Some(promise) = self.oracle.promises.get(&owner).cloned() else { return };
        let all = block_on(rows::expectation::of_owner(&self.db, owner)).unwrap_or_default();
        self.one_look(&owner.to_string(), promise.waits().then_some(promise.due), &live(&all, |_| true));
    }

    /// Exactly one live expectation at this time, or none.
    fn one_look(&mut self, what: &str, due: Option<Timestamp>, live: &[&Expectation]) {
        let found: Vec<Timestamp> = live.iter().filter_map(|e| e.deadline_at()).collect();
        let fits = match (due, found.as_slice()) {
            (None, []) => true,
            (Some(due), [at]) => same(due, *at),
            _ => false,
        };
        if !fits {
            self.fail("I12 what is due is looked at once", format!("{what} is due by {due:?}, and awaited by {found:?}"));
        }
    }

    /// Roles, tasks and updates of one incident: the row, and what is awaited of it and of its pages.
    pub(crate) fn check_work(&mut self, row: &Incident, expectations: &[Expectation]) {
        let id = row.id;
        let Some(work) = self.oracle.works.get(&id).cloned() else { return };
        if let Some(wanted) = self.oracle.to_tell.remove(&id) {
            self.fail("I12 an update reaches its audiences", format!("{id} posted one and told nobody of {wanted:?}"));
        }
        let holders: BTreeMap<String, String> =
            row.work.roles.iter().filter_map(|(role, held)| Some((role.clone(), held.person.clone()?))).collect();
        if holders != work.holders || row.commander.as_ref() != work.holders.get("commander") {
            self.fail("I12 a role has one holder", format!("{id}: {holders:?}, the log says {:?}", work.holders));
        }
        let all: Vec<Expectation> = expectations.iter().filter(|e| e.owner == Owner::Incident(id)).cloned().collect();
        let promised = work.acknowledged && work.worked_on && work.every.is_some() && (work.grave || work.missed < MISSED_MAX);
        if promised && work.update.is_none() {
            self.fail("I1 an incident that somebody is on promises an update", format!("{id} is {:?}", row.state));
        }
        self.one_look(&format!("an update of {id}"), work.update.as_ref().map(|p| p.due), &live(&all, |e| e.rule == Rule::UpdateDue));
        for (number, task) in &work.tasks {
            let due = task.due.filter(|_| work.open && task.open && !task.late);
            let key = format!("task:{number}");
            let awaited = live(&all, |e| e.rule == Rule::TaskDue && e.key == key);
            // What was due while the incident was over is looked at when it is opened again.
            let due = due.map(|due| awaited.first().and_then(|e| e.segments.first()).map_or(due, |s| due.max(s.from)));
            self.one_look(&format!("task {number} of {id}"), due, &awaited);
        }
        // One look for both: an offer that stands when somebody asks for the role has the time of the ask, and the other way round.
        for (role, (to, asked_at)) in work.offers.iter().chain(&work.asks) {
            let both = [&work.offers, &work.asks].map(|all| all.get(role).map(|(_, at)| *at));
            let asked_at = both.into_iter().flatten().max().unwrap_or(*asked_at);
            let due = work.open.then(|| after(asked_at, OFFER_WITHIN));
            let key = format!("role:{role}");
            self.one_look(
                &format!("{role} of {id}, offered to or asked for by {to}"),
                due,
                &live(&all, |e| e.rule == Rule::RoleAnswer && e.key == key),
            );
        }
        for (role, (_, due)) in &work.needed {
            let key = format!("needed:{role}");
            let awaited = live(&all, |e| e.key == key);
            // Silences hold the look, and put it off.
            let found: Vec<Timestamp> = awaited.iter().filter_map(|e| e.deadline_at()).collect();
            if due.map_or(!found.is_empty(), |due| found.len() != 1 || !same(due, found[0])) {
                self.fail("I12 a needed role is awaited once", format!("{role} of {id} is due by {due:?}, and awaited by {found:?}"));
            }
        }
        let settled = |e: &Expectation| match e.rule {
            Rule::RoleAnswer => {
                let role = e.key.trim_start_matches("role:");
                !work.offers.contains_key(role) && !work.asks.contains_key(role)
            }
            Rule::ReliefDue => !e.key.split_once(':').is_some_and(|(_, role)| work.holders.contains_key(role)),
            Rule::RoleUnfilled => e.key.split_once(':').is_some_and(|(_, role)| work.holders.contains_key(role)),
            _ => false,
        };
        if let Some(e) = live(&all, settled).first() {
            self.fail("I12 what has come is awaited no more", format!("{} of {id} by {}", e.key, e.rule.name()));
        }
        self.requests_are_awaited(id, work.open, &work.requests, &all);
        self.resources_are_awaited(id, work.open, &work.resources, &all);
        for clock in Clock::ALL {
            let key = format!("target:{}", clock.word());
            let awaited = live(&all, |e| e.rule == Rule::Target && e.key == key).len();
            let is_over = !work.open || work.clocks_missed.contains(&clock) || (clock == Clock::Acknowledge && work.acknowledged);
            if awaited > 1 || (awaited == 1 && is_over) {
                self.fail("I12 a clock is awaited once, and not when it is over", format!("{key} of {id} by {awaited}"));
            }
        }
        if !work.open {
            let left = live(&all, |e| {
                matches!(
                    e.rule,
                    Rule::RoleAnswer
                        | Rule::RoleUnfilled
                        | Rule::ReliefDue
                        | Rule::TaskDue
                        | Rule::UpdateDue
                        | Rule::RequestDue
                        | Rule::ResourceDue
                )
            });
            if let Some(e) = left.first() {
                self.fail("I12 nothing is awaited of what is over", format!("{id} is {:?} and awaits {}", row.state, e.key));
            }
        }
    }
}

fn live(all: &[Expectation], which: impl Fn(&Expectation) -> bool) -> Vec<&Expectation> {
    all.iter().filter(|e| e.standing == Standing::Live && which(e)).collect()
}

/// The same instant, but for whole milliseconds.
fn same(one: Timestamp, other: Timestamp) -> bool {
    one.duration_since(other).as_micros().unsigned_abs() <= 1_000
}
