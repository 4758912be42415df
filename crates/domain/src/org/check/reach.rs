//! Whether somebody would be reached: warnings only, since an organisation is built step by step.

use std::collections::{BTreeSet, HashSet};

use jiff::{SignedDuration, Timestamp};

use super::{Checker, root};
use crate::channel::ChannelForm;
use crate::org::away::{Cause, Uncovered, uncovered};
use crate::org::forms::FormKind;
use crate::org::model::NotifyUrgency;
use crate::org::next_step::everybody_of;
use crate::org::problem::Place;
use crate::org::snapshot::Org;
use crate::time::Length;

/// How far ahead gaps in a schedule are looked for: four weeks, a usual length of a published rota.
const GAPS_AHEAD: SignedDuration = SignedDuration::from_hours(4 * 7 * 24);

/// What is wrong with a policy of one step and one round.
const ONE_TRY: &str = "has one step and one round: whoever misses that is not paged again by it";
/// What it means to have no catch-all, as its purpose says.
const NO_CATCH_ALL: &str = "there is no catch-all: when every round is through and nobody has a page, nobody is paged until it comes back";

/// Most people named in one sentence.
const NAMED_MAX: usize = 12;

impl Checker<'_> {
    pub(super) fn reachability(&mut self, now: Timestamp) {
        let org = Org::build(0, self.bundle.clone(), self.channels);
        let steps = steps_of(&org, now);
        self.people_who_are_paged(&org, &steps);
        self.ways_after_their_step(&org, &steps);
        self.gaps(&org, now);
        self.never_on(&org, now);
        self.away(&org, now);
        self.steps_without_contacts(&org, &steps);
        self.more_than_there_are(&steps);
        self.always_passed_over();
        self.one_try();
        self.no_catch_all();
    }

    /// A policy that tries once looks done and is not: one message that is slept through is the end of it.
    fn one_try(&mut self) {
        for (at, policy) in self.bundle.escalations.iter().enumerate().filter(|(_, policy)| policy.is_one_try()) {
            self.warning(
                root("escalations", at).key("steps"),
                format!("escalation `{}` {ONE_TRY}", policy.id),
                "add a step that pages somebody else, or `repeat: 2` for two further rounds",
            );
        }
    }

    fn no_catch_all(&mut self) {
        if self.bundle.catch_all.is_empty() && !self.bundle.services.is_empty() {
            let place = Place::root().key(FormKind::CatchAll.list());
            self.warning(place, NO_CATCH_ALL, "set `catch_all`, as in `[\"team:payments\"]`");
        }
    }

    fn people_who_are_paged(&mut self, org: &Org, steps: &[PagingStep<'_>]) {
        let on_call: HashSet<&str> = self
            .bundle
            .schedules
            .iter()
            .flat_map(|schedule| schedule.layers.iter().flat_map(|layer| layer.people.iter().map(String::as_str)))
            .collect();
        let caught: HashSet<&str> = self.bundle.catch_all.iter().flat_map(|target| everybody_of(org, target, Timestamp::MIN)).collect();
        for (at, person) in self.bundle.people.iter().enumerate() {
            let id = person.id.as_str();
            if !org.reach(id, NotifyUrgency::High).is_empty() {
                continue;
            }
            let why = if on_call.contains(id) {
                "is on a schedule".to_owned()
            } else if let Some(step) = steps.iter().find(|step| step.people.contains(id)) {
                format!("is paged by {step}")
            } else if caught.contains(id) {
                "is in the catch-all".to_owned()
            } else {
                continue;
            };
            if org.person(id).is_none_or(|person| person.contacts.is_empty()) {
                let example = self.channels.iter().next().map(ChannelForm::example).unwrap_or_default();
                self.warning(
                    root("people", at),
                    format!("`{id}` {why} and has no contact, so a page cannot reach them"),
                    format!("give them `contacts`, as in `[{example}]`"),
                );
            } else {
                self.warning(
                    root("people", at).key("contacts"),
                    format!("`{id}` {why}, and none of the contacts that a page would use is verified"),
                    "verify a contact, or name a verified one under `notify`",
                );
            }
        }
    }

    /// A way that has its turn when the step is over is never used: the page has gone on to others.
    fn ways_after_their_step(&mut self, org: &Org, steps: &[PagingStep<'_>]) {
        for (at, person) in self.bundle.people.iter().enumerate() {
            let theirs = || steps.iter().filter(|step| step.people.contains(person.id.as_str()));
            for (urgency, list, rules) in
                [(NotifyUrgency::High, "high", &person.notify.high), (NotifyUrgency::Low, "low", &person.notify.low)]
            {
                let ways = org.reach(&person.id, urgency);
                let soonest = ways.iter().map(|way| way.after).min();
                for (index, rule) in rules.iter().enumerate() {
                    // The first way goes out at once whatever its delay says, and one that is not verified is told of already.
                    let used =
                        ways.iter().any(|way| way.contact.id == rule.contact && way.after == rule.after && Some(way.after) > soonest);
                    let over: Vec<_> = theirs().filter(|step| used && step.within <= rule.after).collect();
                    let Some(first) = over.first() else { continue };
                    let more = match over.len() - 1 {
                        0 => String::new(),
                        1 => ", and another step does too".to_owned(),
                        more => format!(", and {more} more steps do too"),
                    };
                    self.warning(
                        root("people", at).key("notify").key(list).index(index).key("after"),
                        format!(
                            "contact `{}` of `{}` has its turn after {}, and {first} goes on to others after {}{more}: it is not tried there",
                            rule.contact, person.id, rule.after, first.within
                        ),
                        "give it less time than the step has, or the step more",
                    );
                }
            }
        }
    }

    fn gaps(&mut self, org: &Org, now: Timestamp) {
        let until = now.checked_add(GAPS_AHEAD).unwrap_or(Timestamp::MAX);
        for (at, form) in self.bundle.schedules.iter().enumerate() {
            let Some(schedule) = org.schedule(&form.id) else { continue };
            let gaps = schedule.gaps(org.overrides(&form.id), now, until);
            let Some(first) = gaps.first() else { continue };
            let civil = |at: Timestamp| schedule.zone().to_datetime(at).strftime("%Y-%m-%d %H:%M").to_string();
            let more = match gaps.len() - 1 {
                0 => String::new(),
                more => format!(" and {more} more times within four weeks"),
            };
            self.warning(
                root("schedules", at).key("layers"),
                format!(
                    "nobody is on call in `{}` from {} to {} ({}){more}",
                    form.id,
                    civil(first.starts_at),
                    civil(first.ends_at),
                    form.time_zone
                ),
                if first.by_override {
                    "an override has nobody on then: end it, or let an escalation's next step reach somebody"
                } else {
                    "add a layer below that is always on, or let an escalation's next step reach somebody"
                },
            );
        }
    }

    fn never_on(&mut self, org: &Org, now: Timestamp) {
        for (at, form) in self.bundle.schedules.iter().enumerate() {
            let found = org.schedule(&form.id).map_or_else(Vec::new, |schedule| schedule.never_on(now));
            if found.is_empty() {
                continue;
            }
            let named: Vec<String> = found.iter().take(NAMED_MAX).map(|id| format!("`{id}`")).collect();
            let more = match found.len().saturating_sub(NAMED_MAX) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            self.warning(
                root("schedules", at).key("layers"),
                format!(
                    "{}{more} of `{}` {} never on call: their turns fall where the layer is off or another one is on",
                    named.join(", "),
                    form.id,
                    if found.len() == 1 { "is" } else { "are" }
                ),
                "turns of days come round on the same weekdays where people and weekdays divide; count turns in weeks, or add or leave out somebody",
            );
        }
    }

    /// Whoever is away, or has a public holiday off, and has turns nevertheless: the first of each absence and of each person's
    /// holidays, and how many more.
    fn away(&mut self, org: &Org, now: Timestamp) {
        const HINT: &str = "ask for cover under My shifts, or put somebody else on for that time";
        let found = uncovered(org, now, None);
        let told = |turns: &[&Uncovered]| {
            let first = turns.first()?;
            let civil = |at: Timestamp| {
                let zone = org.schedule(&first.schedule).map_or(jiff::tz::TimeZone::UTC, |schedule| schedule.zone().clone());
                zone.to_datetime(at).strftime("%Y-%m-%d %H:%M").to_string()
            };
            let more = match turns.len() - 1 {
                0 => String::new(),
                more => format!(" and {more} more times"),
            };
            Some(format!(
                "`{}` {}on call in `{}` from {} to {}{more}",
                first.person,
                match &first.cause {
                    Cause::Absence(_) => "is away and ".to_owned(),
                    Cause::Holiday(_) => format!("{} and is ", first.why()),
                },
                first.schedule,
                civil(first.starts_at),
                civil(first.ends_at)
            ))
        };
        for at in 0..self.bundle.absences.len() {
            let turns: Vec<&Uncovered> = found.iter().filter(|one| one.cause == Cause::Absence(at)).collect();
            if let Some(words) = told(&turns) {
                self.warning(root("absences", at), words, HINT);
            }
        }
        for (at, person) in self.bundle.people.iter().enumerate() {
            let is_theirs = |one: &&Uncovered| one.person == person.id && matches!(one.cause, Cause::Holiday(_));
            let turns: Vec<&Uncovered> = found.iter().filter(is_theirs).collect();
            if let Some(words) = told(&turns) {
                self.warning(root("people", at).key("public_holidays"), words, HINT);
            }
        }
    }

    fn steps_without_contacts(&mut self, org: &Org, steps: &[PagingStep<'_>]) {
        for step in steps {
            let reachable = step.people.iter().any(|person| !org.reach(person, NotifyUrgency::High).is_empty());
            if !step.people.is_empty() && !reachable {
                self.warning(
                    root("escalations", step.policy).key("steps").index(step.index),
                    format!("nobody whom {step} pages has a verified contact, so it is passed over"),
                    "give one of them a contact",
                );
            }
        }
    }
}

impl Checker<'_> {
    /// A step that asks for more people than it can page asks for all of them.
    fn more_than_there_are(&mut self, steps: &[PagingStep<'_>]) {
        for step in steps {
            let (wanted, there) = (step.acknowledged_by as usize, step.people.len());
            if wanted > 1 && there > 0 && wanted > there {
                self.warning(
                    root("escalations", step.policy).key("steps").index(step.index).key("acknowledged_by"),
                    format!("{step} asks {wanted} people to acknowledge and pages {there} at most, so that all of them have to"),
                    "name more people, or ask for fewer",
                );
            }
        }
    }

    /// A policy whose every step has a condition may page nobody at all, and then nobody but the catch-all hears of it.
    fn always_passed_over(&mut self) {
        let all = |steps: &[crate::org::model::Step]| !steps.is_empty() && steps.iter().all(|step| step.when.is_some());
        for (at, policy) in self.bundle.escalations.iter().enumerate().filter(|(_, policy)| all(&policy.steps)) {
            let then = if self.bundle.catch_all.is_empty() { "nobody is paged" } else { "the catch-all is paged at once" };
            self.warning(
                root("escalations", at).key("steps"),
                format!("every step of escalation `{}` has a condition: where none of them holds, {then}", policy.id),
                "add a last step without `when`",
            );
        }
    }
}

/// A step and everybody whom it may ever page.
struct PagingStep<'a> {
    escalation: &'a str,
    policy: usize,
    index: usize,
    within: Length,
    acknowledged_by: u32,
    people: BTreeSet<&'a str>,
}

impl std::fmt::Display for PagingStep<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "step {} of escalation `{}`", self.index + 1, self.escalation)
    }
}

fn steps_of(org: &Org, now: Timestamp) -> Vec<PagingStep<'_>> {
    let policies = org.bundle().escalations.iter().enumerate();
    policies
        .flat_map(|(policy, escalation)| {
            escalation.steps.iter().enumerate().map(move |(index, step)| PagingStep {
                escalation: &escalation.id,
                policy,
                index,
                within: step.within,
                acknowledged_by: step.acknowledged_by,
                people: step.page.iter().flat_map(|target| everybody_of(org, target, now)).collect(),
            })
        })
        .collect()
}
