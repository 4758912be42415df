//! How a page walks its steps: which is the next, whom it reaches, and with which messages. What leads there is decided by
//! the commands.

use std::borrow::Cow;

use jiff::Timestamp;

use super::condition::{self, Facts};
use super::drill::{self, Busy};
use super::event::{DrillEnded, Event, Exhausted, NoticeRaised, PassedOver, PlannedEntry, Reached, StepEmpty, StepReached};
use super::turns::Turns;
use super::types::{AGAIN_EVERY_HIGH, AGAIN_EVERY_LOW, CATCH_ALL_WITHIN, PEOPLE_PER_STEP_MAX, Page, TARGETS_WITHIN, Telling};
use crate::ids::{IdGen, MessageId};
use crate::org::forms::escalation::ACKNOWLEDGED_BY_MAX;
use crate::org::model::{Escalation, NotifyUrgency, OneOf, Step};
use crate::org::snapshot::Org;
use crate::plants::planted;
use crate::time::Length;

/// What a decision may know beside the state.
pub struct Context<'a> {
    /// The instant of the decision.
    pub now: Timestamp,
    /// The organisation in force.
    pub org: &'a Org,
    /// Fresh ids.
    pub ids: &'a mut IdGen,
    /// How the incident is now, for the conditions of steps; as the page says where absent.
    pub facts: Option<Facts>,
    /// Whose turn it was in the steps of the page's policy.
    pub turns: &'a Turns,
    /// Whom a drill does not ask.
    pub busy: &'a Busy,
}

/// Why a step that wants several answers is over before its time.
pub(super) const TOO_FEW: &str = "too few are left of those who have to acknowledge";

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("there is no such page")]
    Unknown,
    #[error("this page runs already")]
    AlreadyStarted,
    #[error("this page is over: {0}")]
    Over(&'static str),
    /// Of a drill: only whoever is asked proves that they are reached.
    #[error("this is a fire drill, which does not ask you now: whoever it asks answers for themself, and whoever started it may stop it")]
    NotAsked,
}

impl Refusal {
    /// The stable code of the API.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "page_unknown",
            Self::AlreadyStarted => "page_already_started",
            Self::Over(_) => "page_over",
            Self::NotAsked => "not_asked_in_drill",
        }
    }
}

/// The next step from (`round`, `step`) on that reaches somebody; empty steps are passed at once,
/// each with its reason. A round in which nobody is reached is not repeated: the next would be
/// the same, at the same instant.
pub(super) fn advance(page: &Page, round: u32, step: u32, because: &str, late: bool, context: &mut Context<'_>) -> Vec<Event> {
    let mut events = Vec::new();
    let drill = page.drill.as_ref();
    if let Some(end) = drill.and_then(|_| holds_back(context)) {
        return vec![end];
    }
    let policy = policy_of(page, context.org);
    let policy = policy.as_deref();
    let steps = policy.map_or(0, |policy| u32::try_from(policy.steps.len()).unwrap_or(u32::MAX));
    // A drill walks them once.
    let further = policy.filter(|_| drill.is_none()).map_or(0, |policy| if planted("repeat-ignored") { 0 } else { policy.repeat });
    let last_round = page.since_round.saturating_add(further);
    let (mut round, mut step) = (round, step);
    if policy.is_none() && page.step == 0 {
        let why = match &page.escalation {
            Some(id) => format!("there is no escalation policy `{id}`"),
            None => "no escalation policy is set for this service or route".to_owned(),
        };
        events.push(Event::StepEmpty(StepEmpty { round, step: 1, why, passed: false }));
    }
    if page.catch_all {
        events.push(exhausted(page, format!("everybody was paged, and {because}"), context.org));
        return events;
    }
    let facts = context.facts.clone().unwrap_or_else(|| Facts::of(page));
    let by_name = steps_by_name(page);
    let (mut empty_in_a_row, mut passed_in_a_row) = (0, 0);
    while let Some(policy) = policy {
        if step > steps {
            if round >= last_round || empty_in_a_row >= steps {
                break;
            }
            round += 1;
            step = 1;
        }
        let Some(form) = policy.steps.get(step as usize - 1) else { break };
        let misfit = form.when.as_ref().and_then(|when| {
            if drill.is_some() {
                condition::misfit_of_hours(when, context.org, context.now)
            } else {
                condition::misfit(when, &facts, page.urgency, context.org, context.now)
            }
        });
        if let Some(why) = misfit.filter(|_| !planted("condition-ignored")) {
            events.push(Event::StepEmpty(StepEmpty { round, step, why, passed: true }));
            passed_in_a_row += 1;
        } else {
            let when = form.when.as_ref().map(condition::words);
            let wants = form.acknowledged_by;
            let turn = form.one_of.map(|OneOf::RoundRobin| step.saturating_sub(by_name));
            let within = drill.map_or(form.within, |drill| drill.within(form.within));
            let reach = Reach { round, step, catch_all: false, within, because, late, when, wants, turn };
            match reached(page, &form.page, reach, context) {
                Ok(event) => {
                    events.push(event);
                    return events;
                }
                Err(why) => events.push(Event::StepEmpty(StepEmpty { round, step, why, passed: false })),
            }
        }
        empty_in_a_row += 1;
        step += 1;
    }
    let reason = match policy {
        None if page.step > 0 => "the escalation policy is gone",
        Some(_) if page.step > 0 && empty_in_a_row < steps && page.is_answered_in_part() => {
            "every step was paged and not as many acknowledged as have to"
        }
        Some(_) if page.step > 0 && empty_in_a_row < steps => "every step was paged and nobody acknowledged",
        Some(_) if passed_in_a_row > 0 && passed_in_a_row == empty_in_a_row => "no step of the escalation policy counts now",
        _ => "nobody in the escalation policy could be notified",
    };
    if drill.is_some() {
        events.push(drill_ended(drill::EVERY_LEVEL));
        return events;
    }
    if page.alone {
        events.push(exhausted(page, format!("{because}, and a test pages nobody else"), context.org));
        return events;
    }
    if page.request.is_some() {
        events.push(exhausted(page, format!("{because}, and a request for responders pages nobody else"), context.org));
        return events;
    }
    // A policy that was shortened meanwhile must not lead back to a number that is used: keys of
    // notices and expectations are made of it.
    let catch_all = steps.max(page.step).saturating_add(1);
    let targets = context.org.catch_all().to_vec();
    let reach = Reach { step: catch_all, ..Reach::catch_all(round, reason, late) };
    if targets.is_empty() || planted("catch-all-skipped") {
        events.push(exhausted(page, format!("{reason}, and no catch_all is set"), context.org));
        return events;
    }
    match reached(page, &targets, reach, context) {
        Ok(event) => events.push(event),
        Err(why) => {
            events.push(Event::StepEmpty(StepEmpty { round, step: catch_all, why: why.clone(), passed: false }));
            events.push(exhausted(page, format!("{reason}, and the catch-all reached nobody: {why}"), context.org));
        }
    }
    events
}

/// The steps that a page walks: people by name first, then the policy's. Whoever is paged by name alone is paged once,
/// then the catch-all, as any page.
pub(super) fn policy_of<'a>(page: &'a Page, org: &'a Org) -> Option<Cow<'a, Escalation>> {
    let policy = own_policy(page, org);
    if page.targets.is_empty() {
        return policy.map(Cow::Borrowed);
    }
    let by_name = [&page.targets, &page.then].into_iter().filter(|targets| !targets.is_empty());
    let within = page.within.unwrap_or(TARGETS_WITHIN);
    let acknowledged_by = if page.asks_each() { ACKNOWLEDGED_BY_MAX } else { 1 };
    let step = |targets: &Vec<String>| Step { acknowledged_by, ..Step::of(targets.clone(), within) };
    let mut steps: Vec<Step> = by_name.map(step).collect();
    steps.extend(policy.iter().flat_map(|policy| policy.steps.iter().cloned()));
    Some(Cow::Owned(Escalation {
        id: String::new(),
        name: None,
        steps,
        repeat: policy.map_or(0, |policy| policy.repeat),
        again_every: None,
    }))
}

/// The targets of one of a page's steps, as it walks them; none of the catch-all.
#[must_use]
pub fn targets_at(page: &Page, org: &Org, step: u32) -> Vec<String> {
    let policy = policy_of(page, org);
    let form = policy.as_deref().and_then(|policy| policy.steps.get((step as usize).checked_sub(1)?));
    form.map(|form| form.page.clone()).unwrap_or_default()
}

/// Steps that page people by name, before those of the policy.
fn steps_by_name(page: &Page) -> u32 {
    if page.targets.is_empty() { 0 } else { 1 + u32::from(!page.then.is_empty()) }
}

/// The policy of a page: as it was when the page started, or as it is, of a page of an earlier version.
#[must_use]
pub fn own_policy<'a>(page: &'a Page, org: &'a Org) -> Option<&'a Escalation> {
    page.policy.as_deref().or_else(|| page.escalation.as_deref().and_then(|id| org.escalation(id)))
}

/// How long after it was exhausted a page comes back; never, where its policy says so.
#[must_use]
pub fn again_in(page: &Page, org: &Org) -> Option<Length> {
    if page.alone || page.request.is_some() {
        return None;
    }
    let said = own_policy(page, org).and_then(|policy| policy.again_every);
    let by_urgency = match page.urgency {
        NotifyUrgency::High => AGAIN_EVERY_HIGH,
        NotifyUrgency::Low => AGAIN_EVERY_LOW,
    };
    Some(said.unwrap_or(by_urgency)).filter(|length| !length.is_zero() && !planted("exhausted-stays"))
}

pub(super) fn exhausted(page: &Page, why: String, org: &Org) -> Event {
    let why = if page.is_answered_in_part() { format!("{why}; {} of {} acknowledged", page.answered.len(), page.wants) } else { why };
    Event::Exhausted(Exhausted { why, again_in: again_in(page, org) })
}

pub(super) struct Reach<'a> {
    pub round: u32,
    pub step: u32,
    pub catch_all: bool,
    pub within: Length,
    pub because: &'a str,
    pub late: bool,
    /// When it counts, in words.
    pub when: Option<String>,
    /// How many different people have to acknowledge.
    pub wants: u32,
    /// The step of the policy in whose ring one of them has their turn, where only one is paged.
    pub turn: Option<u32>,
}

impl<'a> Reach<'a> {
    /// Of the catch-all, as the first step of a round.
    pub(super) const fn catch_all(round: u32, because: &'a str, late: bool) -> Self {
        Self { round, step: 1, catch_all: true, within: CATCH_ALL_WITHIN, because, late, when: None, wants: 1, turn: None }
    }
}

/// Everybody the targets name, or the one whose turn it is, with the messages that go out at once; or why nobody.
pub(super) fn reached(page: &Page, targets: &[String], reach: Reach<'_>, context: &mut Context<'_>) -> Result<Event, String> {
    let mut resolved = context.org.people_for_all(targets, context.now);
    let most = if reach.turn.is_some() { 1 } else { PEOPLE_PER_STEP_MAX };
    let mut passed_over = Vec::new();
    if let Some(step) = reach.turn {
        in_turn(&mut resolved.people, step, &mut passed_over, context);
    }
    // Each level of a drill is proved by itself, whoever answered one before.
    let answered: &[String] = if page.drill.is_some() { &[] } else { &page.answered };
    let mut people = Vec::new();
    for (person, via) in resolved.people {
        if people.len() == most {
            if reach.turn.is_some() {
                // Whoever comes after the one is not passed over: their turn comes.
                break;
            }
            passed_over.push(PassedOver { person, why: format!("a step pages at most {PEOPLE_PER_STEP_MAX} people") });
            continue;
        }
        if answered.contains(&person) {
            passed_over.push(PassedOver { person, why: "they have acknowledged it already".into() });
            continue;
        }
        if is_busy(page, &person, context) {
            passed_over.push(PassedOver { person, why: drill::LIVE_FIRST.into() });
            continue;
        }
        let ways = context.org.reach(&person, page.urgency);
        if ways.is_empty() {
            passed_over.push(PassedOver { person, why: "they have no verified contact method".into() });
            continue;
        }
        // Somebody must hear of it now: the first way goes out at once whatever its delay says.
        let soonest = ways.iter().map(|way| way.after).min().unwrap_or(Length::ZERO);
        let entries = ways
            .iter()
            .map(|way| {
                let soonest = if planted("notify-after-ignored") { way.after } else { soonest };
                let after = Length::from_millis(way.after.as_millis() - if way.after == soonest { soonest.as_millis() } else { 0 });
                PlannedEntry {
                    contact: way.contact.id.clone(),
                    channel: way.channel.to_owned(),
                    after,
                    message: after.is_zero().then(|| MessageId::from_bits(context.ids.next(context.now))),
                }
            })
            .collect();
        people.push(Reached { person, via, entries });
    }
    if people.is_empty() {
        let mut reasons: Vec<String> = passed_over.iter().map(|p| format!("{}: {}", p.person, p.why)).collect();
        reasons.extend(resolved.why_nobody);
        return Err(reasons.join("; "));
    }
    // Those who have acknowledged count, and one more has to at least; more than are there cannot.
    let have = u32::try_from(answered.len()).unwrap_or(u32::MAX);
    let can = have.saturating_add(u32::try_from(people.len()).unwrap_or(u32::MAX));
    let wants = if planted("one-acknowledges-for-all") { 1 } else { reach.wants.max(have.saturating_add(1)).min(can) };
    Ok(Event::StepReached(StepReached {
        round: reach.round,
        step: reach.step,
        catch_all: reach.catch_all,
        because: reach.because.to_owned(),
        people,
        passed_over,
        within: reach.within,
        late: reach.late,
        org_version: context.org.version,
        when: reach.when,
        wants,
        // A drill takes nobody's turn.
        turn: reach.turn.filter(|_| page.drill.is_none()),
    }))
}

/// Puts people in the order of their turns: who had none, then who had theirs longest ago. Whoever is away is passed over, unless
/// everybody is: a page must not go unheard because it is the holidays.
fn in_turn(people: &mut Vec<(String, String)>, step: u32, passed_over: &mut Vec<PassedOver>, context: &Context<'_>) {
    let turns = context.turns;
    people.sort_by_key(|(person, _)| if planted("turns-forgotten") { 0 } else { turns.place(step, person) });
    let of = people.len();
    let (away, mut here): (Vec<_>, Vec<_>) = std::mem::take(people)
        .into_iter()
        .map(|one| (context.org.away_until(&one.0, context.now), one))
        .partition(|(away, _)| away.is_some());
    if here.is_empty() {
        here = away;
    } else {
        passed_over.extend(away.into_iter().filter_map(|(until, (person, _))| {
            Some(PassedOver { person, why: format!("they are away until {}", until?.strftime("%Y-%m-%d %H:%M UTC")) })
        }));
    }
    let last = turns.last(step).map_or_else(|| "nobody had one before".to_owned(), |last| format!("{last} had the last"));
    people.extend(here.into_iter().map(|(_, (person, via))| (person, format!("{via}; one of {of} in turn, {last}"))));
}

/// The end of a drill after its last level, or before where it may not go on.
fn drill_ended(why: &str) -> Event {
    Event::DrillEnded(DrillEnded { why: why.to_owned() })
}

/// Why a drill may not go on to a further level now.
fn holds_back(context: &Context<'_>) -> Option<Event> {
    context.busy.too_many.then(|| drill_ended(drill::TOO_MANY_LIVE))
}

/// Whether a drill does not ask somebody, who is being paged for something real.
fn is_busy(page: &Page, person: &str, context: &Context<'_>) -> bool {
    page.drill.is_some() && context.busy.people.contains(person) && !planted("drill-rings-the-busy")
}

/// A planned entry gets its message now.
pub(super) fn raise(page: &Page, person: &str, entry: u32, because: &str, late: bool, context: &mut Context<'_>) -> Option<Event> {
    let planned = page.entries.iter().find(|e| e.person == person && e.entry == entry && e.telling == Telling::Planned)?;
    if is_busy(page, person, context) {
        return None;
    }
    Some(Event::NoticeRaised(NoticeRaised {
        round: page.round,
        step: page.step,
        person: planned.person.clone(),
        entry,
        contact: planned.contact.clone(),
        channel: planned.channel.clone(),
        message: MessageId::from_bits(context.ids.next(context.now)),
        because: because.to_owned(),
        late,
        org_version: context.org.version,
    }))
}
