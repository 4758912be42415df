//! Whether a channel still delivers to anybody, told from how its tries end.
//!
//! One person's dead address is that person's matter. When the tries for several people all fail and none succeeds in
//! between, the channel itself is down: its server, its credentials, the network. Of this node, in memory.
//! Deliberately not here: which way is tried instead; that is decided for each page.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::watch::trouble::{Trouble, Troubles};

/// Failures older than this say nothing about now: a policy's usual step.
pub const WINDOW: Duration = Duration::from_secs(5 * 60);
/// So many people's tries have to fail: of one alone it may be the address.
pub const PEOPLE_MIN: usize = 2;
/// So many tries have to fail: fewer may be a hiccup of the network.
pub const TRIES_MIN: usize = 3;
/// A channel that nobody has tried for so long is not known to be down any more.
pub const FORGET_AFTER: Duration = Duration::from_secs(3_600);
/// People remembered of a channel; all of them failed, so more would say no more.
const PEOPLE_MAX: usize = 100;

/// What is known of each channel since it last delivered.
#[derive(Debug, Default)]
pub struct ChannelHealth {
    failing: Mutex<BTreeMap<String, Failing>>,
}

#[derive(Debug, Default)]
struct Failing {
    /// When the last try for each person failed, and how many did.
    people: BTreeMap<String, (Duration, usize)>,
    last: Duration,
    told: bool,
}

impl ChannelHealth {
    /// A try ended, at `elapsed` by a clock that nobody sets; `now` is written in the trouble.
    pub fn note(&self, troubles: &Troubles, (channel, person): (&str, &str), delivered: bool, elapsed: Duration, now: Timestamp) {
        let mut failing = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        if delivered {
            if failing.remove(channel).is_some_and(|known| known.told) {
                troubles.clear(&Trouble::ChannelFails(channel.to_owned()));
            }
            return;
        }
        let known = failing.entry(channel.to_owned()).or_default();
        known.people.retain(|_, (at, _)| elapsed <= *at + WINDOW);
        if known.people.len() < PEOPLE_MAX || known.people.contains_key(person) {
            let (at, tries) = known.people.entry(person.to_owned()).or_default();
            (*at, *tries) = (elapsed, *tries + 1);
        }
        known.last = elapsed;
        let (people, tries) = (known.people.len(), known.people.values().map(|(_, tries)| tries).sum::<usize>());
        if people >= PEOPLE_MIN && tries >= TRIES_MIN {
            known.told = true;
            let detail = format!("the last {tries} tries for {people} people all failed; the incidents' logs say why");
            troubles.raise(Trouble::ChannelFails(channel.to_owned()), &detail, now);
        }
    }

    /// What nobody has tried for long is not known to be down any more.
    pub fn forget(&self, troubles: &Troubles, elapsed: Duration) {
        self.failing.lock().unwrap_or_else(PoisonError::into_inner).retain(|channel, known| {
            let kept = elapsed <= known.last + FORGET_AFTER;
            if !kept && known.told {
                troubles.clear(&Trouble::ChannelFails(channel.clone()));
            }
            kept
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: u64) -> Duration {
        Duration::from_secs(second)
    }

    /// After these tries, each with its second, person and end: whether the channel counts as failing.
    fn fails(tries: &[(u64, &str, bool)]) -> bool {
        let (health, troubles) = (ChannelHealth::default(), Troubles::default());
        for (second, person, delivered) in tries {
            health.note(&troubles, ("email", person), *delivered, at(*second), Timestamp::UNIX_EPOCH);
        }
        troubles.has(&Trouble::ChannelFails("email".into()))
    }

    #[test]
    fn a_channel_fails_when_it_does_for_several_people_and_nobody_in_between() {
        assert!(!fails(&[(0, "ana", false), (1, "ana", false), (60, "ana", false), (200, "ana", false)]), "her address");
        assert!(!fails(&[(0, "ana", false), (1, "ben", false)]), "a hiccup");
        assert!(fails(&[(0, "ana", false), (1, "ben", false), (2, "ben", false)]));
        assert!(!fails(&[(0, "ana", false), (1, "ben", true), (2, "ben", false), (3, "ben", false)]), "it delivers to somebody");
        assert!(!fails(&[(0, "ana", false), (1, "ben", false), (2, "ben", false), (3, "cho", true)]), "over with the first delivery");
        assert!(!fails(&[(0, "ana", false), (1, "ana", false), (400, "ben", false)]), "what failed long ago says nothing");
    }

    #[test]
    fn a_channel_that_nobody_tries_is_not_known_to_be_down() {
        let (health, troubles) = (ChannelHealth::default(), Troubles::default());
        for person in ["ana", "ben", "cho"] {
            health.note(&troubles, ("email", person), false, at(0), Timestamp::UNIX_EPOCH);
        }
        health.forget(&troubles, at(3_600));
        assert_eq!(troubles.list().len(), 1);
        health.forget(&troubles, at(3_601));
        assert_eq!(troubles.list(), []);
    }
}
