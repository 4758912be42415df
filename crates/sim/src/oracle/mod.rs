//! What is known of the log as far as it was read, and whom a page must reach next. Written against the contract, not
//! against the rules it checks: a page's next step is the first of all that are left which names somebody who can be told.
//!
//! Reading the log is in `follow.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use allclear_domain::expect::Owner;
use allclear_domain::ids::{IncidentId, MessageId, PageId};
use allclear_domain::incident::Severity;
use allclear_domain::org::model::{Escalation, NotifyUrgency, Step};
use allclear_domain::org::snapshot::Org;
use allclear_domain::time::Length;
use jiff::Timestamp;

use several::SeveralModel;
use work::{Promise, WorkModel};

pub mod several;
pub mod work;

/// A page as its log tells it.
#[derive(Debug, Clone)]
pub struct PageModel {
    pub incident: IncidentId,
    pub(crate) escalation: Option<String>,
    /// Whom it pages before a policy's steps, or in their place; then whom.
    pub(crate) targets: Vec<String>,
    pub(crate) then: Vec<String>,
    /// The round in which it began, or came back last.
    pub(crate) since: u32,
    /// Whom it came back to; they are its next step.
    pub(crate) back: Option<Vec<String>>,
    /// When everybody had been paged, and how long after that it comes back.
    pub(crate) exhausted_at: Timestamp,
    pub(crate) again: Option<Length>,
    /// It asks whether somebody is still on it.
    pub question: bool,
    /// It only tells: no steps, no answer.
    pub tells: bool,
    /// Sends to a person that failed, and for which no other way was used yet.
    pub(crate) failed: BTreeMap<String, u32>,
    pub(crate) urgency: NotifyUrgency,
    /// Looks for somebody.
    pub running: bool,
    /// Nobody is left.
    pub exhausted: bool,
    /// Acknowledged or stopped.
    pub over: bool,
    pub(crate) round: u32,
    pub(crate) step: u32,
    pub(crate) catch_all: bool,
    pub(crate) reached_at: Timestamp,
    pub(crate) within: Length,
    /// Person and entry to delay and whether it was raised.
    pub(crate) entries: BTreeMap<(String, u32), (Length, bool)>,
    pub(crate) keys: BTreeSet<String>,
    /// Which entry each message is of, and those that reached somebody.
    pub(crate) messages: BTreeMap<MessageId, (String, u32)>,
    pub(crate) told: BTreeSet<(String, u32)>,
    pub(crate) over_at: Timestamp,
    pub(crate) resumed: u32,
    /// A person asked for it, whatever silences hold.
    pub(crate) by_hand: bool,
    /// A test: it pages one person, and nobody else ever.
    pub(crate) alone: bool,
    /// Its policy as it was when it started, or came back.
    pub(crate) policy: Option<Escalation>,
    /// Who has acknowledged, where several have to.
    pub(crate) answered: BTreeSet<String>,
    /// Who ever answered while others were asked still.
    pub(crate) heard: BTreeSet<String>,
    /// How many have to.
    pub(crate) wants: usize,
    /// Who ended it.
    pub(crate) last: Option<String>,
}

impl PageModel {
    pub(crate) fn new(incident: IncidentId, urgency: NotifyUrgency, at: Timestamp) -> Self {
        Self {
            incident,
            escalation: None,
            targets: Vec::new(),
            then: Vec::new(),
            since: 1,
            back: None,
            exhausted_at: at,
            again: None,
            question: false,
            tells: false,
            failed: BTreeMap::new(),
            urgency,
            running: false,
            exhausted: false,
            over: false,
            round: 1,
            step: 0,
            catch_all: false,
            reached_at: at,
            within: Length::ZERO,
            entries: BTreeMap::new(),
            keys: BTreeSet::new(),
            messages: BTreeMap::new(),
            told: BTreeSet::new(),
            over_at: at,
            resumed: 0,
            by_hand: false,
            alone: false,
            policy: None,
            answered: BTreeSet::new(),
            heard: BTreeSet::new(),
            wants: 1,
            last: None,
        }
    }
}

/// An incident as its log tells it.
#[derive(Debug, Clone, Default)]
pub struct IncidentModel {
    /// Somebody is on it: acknowledged, mitigated or reopened it.
    pub taken: bool,
    /// Over.
    pub over: bool,
    /// Proposed and not decided.
    pub candidate: bool,
    /// A person resolved it last at.
    pub resolved_by_hand: Option<Timestamp>,
    /// When its wait for more alerts ends.
    pub(crate) wait_until: Option<Timestamp>,
    pub service: Option<String>,
    pub escalation: Option<String>,
    /// The team that took it over last.
    pub team: Option<String>,
    pub severity: Option<Severity>,
    /// Somebody has it, as far as is known.
    pub held: bool,
    /// Who acknowledged it, in order.
    pub by: Vec<String>,
    pub acknowledged: bool,
    /// How bad it was when somebody took it last.
    pub known: Option<Severity>,
    /// How long that lasts while nobody does anything, and since when.
    pub lasts: Option<Length>,
    pub heard_at: Option<Timestamp>,
    pub asked_at: Option<Timestamp>,
    /// Until when nobody is asked, and who asked for that.
    pub snoozed: Option<(Timestamp, String)>,
    /// Who led before the event that is read.
    pub commander: Option<String>,
    /// It got worse than was acknowledged, and a page has to start for that.
    pub rose: bool,
    /// Silences hold all of its alerts.
    pub silenced: bool,
}

/// See the module.
pub struct Oracle {
    pub(crate) seq: i64,
    pub(crate) orgs: BTreeMap<u64, Arc<Org>>,
    pub pages: BTreeMap<PageId, PageModel>,
    /// Fire drills: at which level each is, and whether it is over.
    pub(crate) drills: BTreeMap<PageId, (u32, bool)>,
    pub incidents: BTreeMap<IncidentId, IncidentModel>,
    /// Roles, tasks and updates.
    pub works: BTreeMap<IncidentId, WorkModel>,
    /// How they stand to each other, and what runs beside them.
    pub(crate) several: BTreeMap<IncidentId, SeveralModel>,
    /// Reviews and actions.
    pub promises: BTreeMap<Owner, Promise>,
    /// Updates that were posted, and who must be told of them in the same commit.
    pub to_tell: BTreeMap<IncidentId, BTreeSet<String>>,
    pub(crate) delivered: BTreeMap<MessageId, u32>,
    /// How many turns were taken in the ring of a step of a policy, and by whom which of them last.
    pub(crate) turns: BTreeMap<(String, u32), (u64, BTreeMap<String, u64>)>,
    /// Incidents that paged while silences held them, as far as the log was read.
    pub(crate) paged_while_held: Vec<(IncidentId, String)>,
    /// Labelled in doubt in the log.
    pub doubted: BTreeMap<MessageId, u32>,
    pub(crate) digest: u64,
    pub(crate) events: u64,
}

impl Oracle {
    /// Over an empty log.
    #[must_use]
    pub fn new(org: Arc<Org>) -> Self {
        Self {
            seq: 0,
            orgs: BTreeMap::from([(org.version, org)]),
            pages: BTreeMap::new(),
            drills: BTreeMap::new(),
            incidents: BTreeMap::new(),
            works: BTreeMap::new(),
            several: BTreeMap::new(),
            promises: BTreeMap::new(),
            to_tell: BTreeMap::new(),
            delivered: BTreeMap::new(),
            turns: BTreeMap::new(),
            paged_while_held: Vec::new(),
            doubted: BTreeMap::new(),
            digest: 0xcbf2_9ce4_8422_2325,
            events: 0,
        }
    }

    /// Another organisation is in force.
    pub fn new_org(&mut self, org: Arc<Org>) {
        self.orgs.insert(org.version, org);
    }

    /// Whether somebody is being looked for.
    #[must_use]
    pub fn a_page_runs(&self) -> bool {
        self.pages.values().any(|p| p.running)
    }

    /// Events read, and a digest over all of them (FNV-1a of the chain's hashes in the log's order).
    #[must_use]
    pub fn digest(&self) -> (u64, String) {
        (self.events, format!("{:016x}", self.digest))
    }
}

/// What a page must do next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// `in_turn`: one of these people alone, in the ring of this step of the policy.
    Step {
        round: u32,
        step: u32,
        catch_all: bool,
        people: BTreeSet<String>,
        in_turn: Option<u32>,
    },
    Exhausted,
}

/// The people of these targets who can be told.
pub(crate) fn tellable(org: &Org, targets: &[String], urgency: NotifyUrgency, at: Timestamp) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    for target in targets {
        let named: Vec<String> = match target.split_once(':') {
            Some(("person", id)) => vec![id.to_owned()],
            Some(("team", id)) => org.team(id).map(|t| t.members.clone()).unwrap_or_default(),
            Some(("schedule", id)) => {
                org.schedule(id).map(|s| s.on_call_at(org.overrides(id), at).people().cloned().collect()).unwrap_or_default()
            }
            _ => Vec::new(),
        };
        for id in named {
            let Some(person) = org.bundle().people.iter().find(|p| p.id == id) else { continue };
            let rules = match urgency {
                NotifyUrgency::Low if !person.notify.low.is_empty() => &person.notify.low,
                _ => &person.notify.high,
            };
            let usable = person.contacts.iter().filter(|c| c.verified);
            if usable.clone().any(|c| rules.is_empty() || rules.iter().any(|r| r.contact == c.id)) {
                out.insert(id);
            }
        }
    }
    out
}

/// How long after a step each way of a person is used: as their rule says, the soonest at once.
pub(crate) fn delays(org: &Org, person: &str, urgency: NotifyUrgency) -> Vec<Length> {
    let Some(person) = org.person(person) else { return Vec::new() };
    let verified = |id: &str| person.contacts.iter().any(|c| c.id == id && c.verified);
    let rules = match urgency {
        NotifyUrgency::Low if !person.notify.low.is_empty() => &person.notify.low,
        _ => &person.notify.high,
    };
    if rules.is_empty() {
        return person.contacts.iter().filter(|c| c.verified).map(|_| Length::ZERO).collect();
    }
    let mut out: Vec<Length> = rules.iter().filter(|r| verified(&r.contact)).map(|r| r.after).collect();
    out.sort();
    let soonest = out.first().copied();
    out.into_iter().map(|after| if Some(after) == soonest { Length::ZERO } else { after }).collect()
}

/// Whether a step counts for an incident of this severity: the one condition that the organisations here have.
fn counts(step: &Step, severity: Option<Severity>) -> bool {
    let least = step.when.as_ref().and_then(|when| when.severity);
    least.is_none_or(|least| severity.is_none_or(|severity| severity <= least))
}

pub(crate) fn next_of(page: &PageModel, org: &Org, at: Timestamp, severity: Option<Severity>) -> Next {
    if let Some(targets) = &page.back {
        let people = tellable(org, targets, page.urgency, at);
        if !people.is_empty() {
            return Next::Step { round: page.round, step: 1, catch_all: true, people, in_turn: None };
        }
    }
    if page.catch_all || (page.alone && page.step > 0) {
        return Next::Exhausted;
    }
    let policy = page.policy.as_ref();
    // By name: these people first; and, without a policy, nobody again.
    let named = [&page.targets, &page.then].into_iter().filter(|targets| !targets.is_empty());
    let named: Vec<Step> = named.map(|targets| Step::of(targets.clone(), Length::from_mins(5))).collect();
    let by_name = u32::try_from(named.len()).unwrap_or(u32::MAX);
    let steps: Vec<&Step> = named.iter().chain(policy.iter().flat_map(|policy| &policy.steps)).collect();
    for round in page.round..=page.since + policy.map_or(0, |policy| policy.repeat) {
        for (index, form) in steps.iter().enumerate() {
            let step = u32::try_from(index + 1).unwrap_or(u32::MAX);
            if (round, step) <= (page.round, page.step) || !counts(form, severity) {
                continue;
            }
            let people = &tellable(org, &form.page, page.urgency, at) - &page.answered;
            if !people.is_empty() {
                let in_turn = form.one_of.map(|_| step - by_name);
                return Next::Step { round, step, catch_all: false, people, in_turn };
            }
        }
    }
    let caught = if page.alone { BTreeSet::new() } else { tellable(org, &org.bundle().catch_all, page.urgency, at) };
    let people = &caught - &page.answered;
    if people.is_empty() { Next::Exhausted } else { Next::Step { round: 0, step: 0, catch_all: true, people, in_turn: None } }
}
