//! How often a person may ask for what wakes or bothers others and needs little right: test pages, reports by who only looks
//! on, and help behind a message's link.
//!
//! An asking counts as it is asked, so that many at once are counted, and no more where it is refused, or was answered
//! before: a mistake uses up nothing. In memory, as tries of passwords are ([`crate::identity`]): a restart forgives, and
//! each node counts for itself. Alarms, pages and acknowledgements never come here.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use allclear_domain::access::{Resource, Right, may};
use allclear_domain::org::snapshot::Org;
use allclear_domain::time::{Length, after};
use jiff::Timestamp;

use crate::core::{Command, Input, Refusal};

/// In this time each of the limits below is counted: as long as a report waits for somebody to decide.
pub const WITHIN: Length = Length::from_mins(10);
/// Test pages to one person: each way tried, put right and tried again.
pub const TESTS_MAX: usize = 5;
/// Reports of one person who may not respond: what a ward or a shop sees go wrong at once.
pub const REPORTS_MAX: usize = 5;
/// Reports of all who may not respond: what responders can look at in that time. The first of a person is always taken.
pub const REPORTS_OF_HOUSE_MAX: usize = 30;
/// Times that help is called by one link: everybody who could come is called by then.
pub const HELP_MAX: usize = 5;

/// What an organisation does behind its link: an answer or an entry every twenty seconds.
pub const GUEST_MAX: usize = 30;
/// Replies of one address that are told why they do nothing: a person who tries again, and not a machine that answers each
/// such word with one of its own.
pub const MISUNDERSTOOD_MAX: usize = 10;

/// What is counted, and for whom.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Counted {
    Test(String),
    Report(String),
    ReportOfHouse,
    /// By the page and the person whose link it is.
    Help(String, String),
    /// By the incident and the organisation.
    Guest(String, String),
    /// By the channel and the address.
    Misunderstood(String, String),
}

impl Counted {
    const fn most(&self) -> usize {
        match self {
            Self::Test(_) => TESTS_MAX,
            Self::Report(_) => REPORTS_MAX,
            Self::ReportOfHouse => REPORTS_OF_HOUSE_MAX,
            Self::Help(..) => HELP_MAX,
            Self::Guest(..) => GUEST_MAX,
            Self::Misunderstood(..) => MISUNDERSTOOD_MAX,
        }
    }

    const fn what(&self) -> &'static str {
        match self {
            Self::Test(_) => "test pages to one person",
            Self::Report(_) => "reports of one person",
            Self::ReportOfHouse => "reports of all who only look on",
            Self::Help(..) => "calls for help by one link",
            Self::Guest(..) => "answers and entries behind one guest link",
            Self::Misunderstood(..) => "replies of one address that did nothing",
        }
    }

    /// What an input counts as; nothing for most.
    fn of(org: &Org, input: &Input) -> Vec<Self> {
        if let Some(guest) = &input.who.guest {
            return vec![Self::Guest(guest.incident.to_string(), guest.organisation.clone())];
        }
        let by_link = input.who.link.map(|link| Self::Help(link.page.to_string(), input.who.person().unwrap_or_default().to_owned()));
        let may = |right| may(org, &input.who, right, Resource::Installation).is_ok();
        // What the gate refuses uses up nothing of another's.
        if let Command::TestPage { person } = &input.command {
            let asks = input.who.person() == Some(person.as_str()) || may(Right::Administer);
            return if asks { vec![Self::Test(person.clone())] } else { Vec::new() };
        }
        if matches!(input.command, Command::Escalate { .. } | Command::PagePeople { .. }) {
            return by_link.into_iter().collect();
        }
        let reports = if let Command::Declare(declare) = &input.command { declare.report } else { false };
        let who_looks_on = || may(Right::SeeOrganisation) && !may(Right::Respond);
        match input.who.person().filter(|_| reports && who_looks_on()) {
            Some(person) => vec![Self::Report(person.to_owned()), Self::ReportOfHouse],
            None => Vec::new(),
        }
    }
}

/// What an input counts as, until it is answered.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Asking {
    counted: Vec<Counted>,
    at: Timestamp,
}

/// Counts.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    asked: Mutex<HashMap<Counted, VecDeque<Timestamp>>>,
}

impl Limits {
    /// Counts what is asked, where it is still within its limits.
    ///
    /// # Errors
    /// [`Refusal::TooOften`], and then it counts for nothing.
    pub(crate) fn count(&self, org: &Org, input: &Input, now: Timestamp) -> Result<Asking, Refusal> {
        self.count_these(Counted::of(org, input), now)
    }

    /// Counts a reply that does nothing, of an address that is known to be somebody's.
    ///
    /// # Errors
    /// [`Refusal::TooOften`]: it is not told so any more.
    pub(crate) fn misunderstood(&self, channel: &str, from: &str, now: Timestamp) -> Result<(), Refusal> {
        self.count_these(vec![Counted::Misunderstood(channel.to_owned(), from.to_owned())], now).map(drop)
    }

    fn count_these(&self, counted: Vec<Counted>, now: Timestamp) -> Result<Asking, Refusal> {
        if counted.is_empty() {
            return Ok(Asking::default());
        }
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.retain(|_, times| {
            times.retain(|at| after(*at, WITHIN) > now);
            !times.is_empty()
        });
        // Whoever has said nothing yet is heard, however much others say.
        let is_first =
            |one: &Counted| *one == Counted::ReportOfHouse && counted.iter().all(|other| other == one || !asked.contains_key(other));
        for one in counted.iter().filter(|one| !is_first(one)) {
            if let Some(first) = asked.get(one).filter(|times| times.len() >= one.most()).and_then(|times| times.front()) {
                // Rounded up: whoever waits as long as that is not refused once more.
                let wait = after(*first, WITHIN).duration_since(now).as_micros().max(1);
                let wait = Length::from_secs(u64::try_from(wait).unwrap_or(1).div_ceil(1_000_000));
                return Err(Refusal::TooOften { what: one.what(), most: one.most(), within: WITHIN, wait });
            }
        }
        for one in &counted {
            asked.entry(one.clone()).or_default().push_back(now);
        }
        Ok(Asking { counted, at: now })
    }

    /// What was asked was refused, or had been answered before: it counts for nothing.
    pub(crate) fn forget(&self, asking: &Asking) {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        for one in &asking.counted {
            let Some(times) = asked.get_mut(one) else { continue };
            if let Some(at) = times.iter().rposition(|at| *at == asking.at) {
                times.remove(at);
            }
            if times.is_empty() {
                asked.remove(one);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use allclear_domain::access::{Actor, Principal, Scope};
    use allclear_domain::channel::WaysOut;

    use super::*;

    #[test]
    fn those_who_only_look_on_share_what_responders_can_look_at() {
        let people: Vec<_> = (0..8).map(|n| serde_json::json!({"id": format!("p{n}"), "name": "P", "access": "observer"})).collect();
        let bundle = serde_json::from_value(serde_json::json!({"people": people})).unwrap();
        let (limits, org) = (Limits::default(), Org::build(1, bundle, WaysOut::NONE));
        let declare = || crate::core::Declare {
            title: "t".into(),
            severity: Some(allclear_domain::incident::Severity::Sev3),
            known: crate::core::Known::default(),
            service: None,
            impact_started_at: None,
            page: false,
            private: false,
            report: true,
        };
        let by = |who: Principal| Input { who, cause: "web".into(), once: None, command: Command::Declare(declare()) };
        let report = |n: usize| by(Principal::new(Actor::Person(format!("p{n}")), Scope::Respond));
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        for n in 0..30 {
            assert!(limits.count(&org, &report(n / 5), now).is_ok(), "{n}");
        }
        let asking = limits.count(&org, &report(7), now);
        assert!(asking.is_ok(), "whoever has said nothing yet is heard");
        let refused = [limits.count(&org, &report(0), now), limits.count(&org, &report(7), now)];
        limits.forget(&asking.unwrap());
        assert!(limits.count(&org, &report(7), now).is_ok(), "what was refused counts for nothing");
        let what = refused.map(|no| if let Err(Refusal::TooOften { what, .. }) = no { what } else { panic!("{no:?}") });
        assert_eq!(what, ["reports of one person", "reports of all who only look on"]);
        assert!(limits.count(&org, &by(Principal::own(Actor::System)), now).is_ok(), "the program itself is not counted");
    }

    #[test]
    fn each_counts_for_itself_and_is_forgiven_after_a_while() {
        let (limits, org) = (Limits::default(), Org::build(1, allclear_domain::org::model::Bundle::default(), WaysOut::NONE));
        let at = |seconds: i64| Timestamp::from_second(1_800_000_000 + seconds).unwrap();
        let test = |person: &str| Input {
            who: Principal::new(Actor::Person("ana".into()), Scope::Respond),
            cause: "web".into(),
            once: None,
            command: Command::TestPage { person: person.into() },
        };
        for n in 0..5 {
            assert!(limits.count(&org, &test("ana"), at(n * 10)).is_ok());
        }
        let refused = limits.count(&org, &test("ana"), at(60)).unwrap_err();
        assert!(matches!(&refused, Refusal::TooOften { wait, .. } if wait.as_secs() == 540), "{refused:?}");
        assert!(limits.count(&org, &test("ben"), at(60)).is_ok(), "another counts for themself");
        assert!(limits.count(&org, &test("ana"), at(600)).is_ok(), "the first is forgiven");
        assert!(limits.count(&org, &test("ana"), at(601)).is_err(), "and what was refused did not count");
    }
}
