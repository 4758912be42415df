//! Targets that do not answer: after a few failures in a row nothing is tried on one but a probe now and then.
//!
//! A target is what fails as a whole: the host behind a webhook, the mail server. While its circuit is open, what is
//! for it waits in the store untouched, whoever waits for it on a page is told so once (the next way or step follows
//! at once), and one message at a time is the probe. Circuits are rows, so that all nodes see them and a restart does
//! not forget; what is here is this node's copy. No I/O.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use allclear_domain::time::{Length, after};
use allclear_domain::wire::Outcome;
use allclear_store::rows::circuit::Open;
use jiff::Timestamp;

use crate::watch::trouble::{Trouble, Troubles};

/// Failures in a row after which a target counts as dead: as many tries as make a way count as failed for its step.
const OPENS_AFTER: u32 = allclear_domain::paging::TRIES_BEFORE_A_SEND_COUNTS_AS_FAILED;
/// The first wait before a probe, which doubles to the longest: a target that is back is used within a minute.
const PROBE_FIRST: Length = Length::from_secs(1);
const PROBE_MAX: Length = Length::from_mins(1);
/// The target of all mail.
pub(crate) const MAIL: &str = "mail server";
/// The target of all text messages and calls. That it does not answer is told as of any channel that delivers to nobody.
pub(crate) const TELEPHONE: &str = "telephone provider";

/// Whether something may go to a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Gate {
    /// Yes.
    Free,
    /// One message may, to see whether it answers: whoever takes the probe makes `after` of `before` in the store.
    Probe { before: Open, after: Open },
    /// No.
    Shut(Open),
}

/// What has to be written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// It does not answer any more.
    Opened(Open),
    /// It answers again.
    Closed(String),
}

#[derive(Debug, Default)]
struct Known {
    /// Failures since the last answer.
    failures: HashMap<String, u32>,
    open: BTreeMap<String, Open>,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Circuits {
    known: Mutex<Known>,
}

impl Circuits {
    fn with<T>(&self, work: impl FnOnce(&mut Known) -> T) -> T {
        work(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether something may go to `target` now.
    pub(crate) fn gate(&self, target: &str, now: Timestamp) -> Gate {
        self.with(|known| match known.open.get(target) {
            None => Gate::Free,
            // Also where the clock was set back: no wait is longer than the longest.
            Some(open) if open.probe_at <= now || open.probe_at > after(now, PROBE_MAX) => {
                let wait = Length::from_millis(open.wait.as_millis().saturating_mul(2)).min(PROBE_MAX);
                Gate::Probe { before: open.clone(), after: Open { wait, probe_at: after(now, wait), ..open.clone() } }
            }
            Some(open) => Gate::Shut(open.clone()),
        })
    }

    /// The probe is this node's.
    pub(crate) fn taken(&self, after: Open) {
        self.with(|known| known.open.insert(after.target.clone(), after));
    }

    /// A send to `target` ended so.
    pub(crate) fn learn(&self, target: &str, outcome: &Outcome, now: Timestamp) -> Option<Change> {
        self.with(|known| match outcome {
            Outcome::Retry { down: true, why, .. } => {
                if known.open.contains_key(target) {
                    return None;
                }
                let failures = known.failures.entry(target.to_owned()).or_default();
                *failures += 1;
                if *failures < OPENS_AFTER {
                    return None;
                }
                let open =
                    Open { target: target.to_owned(), why: why.clone(), since: now, wait: PROBE_FIRST, probe_at: after(now, PROBE_FIRST) };
                known.failures.remove(target);
                known.open.insert(target.to_owned(), open.clone());
                Some(Change::Opened(open))
            }
            // One slow receiver says nothing of a host that serves others, and nothing for it either.
            Outcome::Retry { unanswered: true, .. } => None,
            Outcome::Retry { .. } | Outcome::Delivered { .. } | Outcome::Accepted { .. } | Outcome::Rejected { .. } => {
                known.failures.remove(target);
                known.open.remove(target).map(|open| Change::Closed(open.target))
            }
        })
    }

    /// What the store says, which other nodes write too.
    pub(crate) fn replace(&self, all: Vec<Open>) {
        self.with(|known| known.open = all.into_iter().map(|open| (open.target.clone(), open)).collect());
    }

    /// Whether mail can go out at all is the operators' matter, whichever node found out.
    pub(crate) fn tell(&self, troubles: &Troubles, now: Timestamp) {
        match self.with(|known| known.open.get(MAIL).map(|open| open.why.clone())) {
            Some(why) => {
                let detail = format!("{why}. Mail waits, and people are told in their other ways");
                troubles.raise(Trouble::MailServerDown, &detail, now);
            }
            None => {
                troubles.clear(&Trouble::MailServerDown);
            }
        }
    }

    /// Whether any is open, so that the store need not be asked for none.
    pub(crate) fn any(&self) -> bool {
        self.with(|known| !known.open.is_empty())
    }

    /// When the next probe is due, after `now`.
    pub(crate) fn next_probe(&self, now: Timestamp) -> Option<Timestamp> {
        self.with(|known| known.open.values().map(|open| open.probe_at).filter(|at| *at > now).min())
    }
}

/// The host behind a webhook's address: scheme and authority, without a login.
pub(crate) fn host_of(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("{}://{}", scheme.to_ascii_lowercase(), host.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }
    fn down() -> Outcome {
        Outcome::Retry { after: None, why: "refused".into(), maybe_arrived: false, down: true, unanswered: false }
    }
    fn busy() -> Outcome {
        Outcome::Retry { after: None, why: "HTTP 503".into(), maybe_arrived: false, down: false, unanswered: false }
    }
    fn silent() -> Outcome {
        Outcome::Retry { after: None, why: "no answer in time".into(), maybe_arrived: true, down: false, unanswered: true }
    }

    #[test]
    fn three_failures_in_a_row_shut_a_target_and_probes_come_ever_rarer() {
        let circuits = Circuits::default();
        for (outcome, second) in [(down(), 0), (down(), 1), (busy(), 2), (down(), 3), (down(), 4)] {
            assert_eq!(circuits.learn("t", &outcome, at(second)), None, "an answer between them counts");
        }
        assert!(matches!(circuits.learn("t", &down(), at(5)), Some(Change::Opened(open)) if open.since == at(5)));
        assert!(matches!(circuits.gate("t", at(5)), Gate::Shut(_)));
        assert_eq!(circuits.gate("other", at(5)), Gate::Free);
        let (mut now, mut waits) = (5, Vec::new());
        for _ in 0..8 {
            now = circuits.next_probe(at(now)).unwrap().as_second() - 1_800_000_000;
            let Gate::Probe { before, after } = circuits.gate("t", at(now)) else { panic!("a probe is due") };
            assert_eq!(before.target, after.target);
            waits.push(after.wait.as_secs());
            circuits.taken(after);
            assert!(matches!(circuits.gate("t", at(now)), Gate::Shut(_)), "one at a time");
            assert_eq!(circuits.learn("t", &down(), at(now)), None);
        }
        assert_eq!(waits, [2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(circuits.learn("t", &Outcome::Delivered { receipt: "200".into() }, at(now)), Some(Change::Closed("t".into())));
        assert_eq!(circuits.gate("t", at(now)), Gate::Free);
    }

    #[test]
    fn no_answer_in_time_neither_opens_a_target_nor_shuts_it() {
        let circuits = Circuits::default();
        for second in 0..9 {
            assert_eq!(circuits.learn("t", &silent(), at(second)), None);
        }
        assert_eq!(circuits.gate("t", at(9)), Gate::Free, "it may be one receiver of many behind it");
        for outcome in [down(), silent(), down(), silent()] {
            assert_eq!(circuits.learn("t", &outcome, at(10)), None);
        }
        assert!(matches!(circuits.learn("t", &down(), at(10)), Some(Change::Opened(_))), "it was no answer between them");
        assert_eq!(circuits.learn("t", &silent(), at(11)), None);
        assert!(circuits.any(), "a probe that nobody answered");
        assert_eq!(circuits.learn("t", &busy(), at(12)), Some(Change::Closed("t".into())));
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_keep_a_target_shut() {
        let circuits = Circuits::default();
        (0..3).for_each(|_| drop(circuits.learn("t", &down(), at(0))));
        assert!(matches!(circuits.gate("t", at(-3_600)), Gate::Probe { .. }));
    }

    #[test]
    fn a_target_is_named_by_its_host_alone() {
        for (url, host) in [
            ("https://Hooks.example/secret/path?token=1", "https://hooks.example"),
            ("http://user:pass@10.0.0.1:8080/x", "http://10.0.0.1:8080"),
            ("nonsense", "nonsense"),
        ] {
            assert_eq!(host_of(url), host);
        }
    }
}
