//! How fast passwords may be tried: by account and address, by account, and by address.
//!
//! A try counts before it is judged, so that many at once count as many. It is kept in memory: a
//! restart forgives, which an attacker cannot bring about. Links in messages, bearer tokens and
//! senders never come here: whoever floods the sign-in stops no acknowledgement and no alarm.

use std::collections::HashMap;
use std::net::IpAddr;

use allclear_domain::time::{Length, after};
use jiff::Timestamp;

/// Tries counted at once; beyond it those that may go on are forgotten first.
const KEPT_MAX: usize = 20_000;
/// After so long without a try all is forgotten.
const FORGIVEN_AFTER: Length = Length::from_secs(3600);
/// Characters of an account's name that count; longer ones are nobody's.
const ACCOUNT_CHARS_MAX: usize = 128;

/// How many tries are free, and how long the wait grows after them.
#[derive(Debug, Clone, Copy)]
struct Rule {
    free: u32,
    wait_max: Length,
}

/// One account from one address: five slips of a finger; then 1, 2, 4 … seconds up to a quarter of
/// an hour, so that NIST's hundred tries take a day.
const PAIR: Rule = Rule { free: 5, wait_max: Length::from_mins(15) };
/// One account from anywhere: a minute at most, since others must not be able to lock its person out.
const ACCOUNT: Rule = Rule { free: 20, wait_max: Length::from_secs(60) };
/// One address for any account: a whole office may be behind it.
const ADDRESS: Rule = Rule { free: 50, wait_max: Length::from_secs(60) };

#[derive(Debug, Clone, Copy)]
struct Tries {
    count: u32,
    last: Timestamp,
    free_at: Timestamp,
}

/// Counts tries.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    tries: HashMap<String, Tries>,
}

/// Under which keys a try counts.
#[derive(Debug, Clone)]
pub(crate) struct Keys([(String, Rule); 3]);

impl Keys {
    /// Of an account as it was typed, and an address where it is known.
    pub(crate) fn of(account: &str, address: Option<IpAddr>) -> Self {
        let account: String = account.trim().to_lowercase().chars().take(ACCOUNT_CHARS_MAX).collect();
        // Who has one IPv6 address has 2^64 of them: the network counts.
        let address = match address {
            Some(IpAddr::V6(v6)) if v6.to_ipv4_mapped().is_none() => format!("{:?}", &v6.segments()[..4]),
            Some(ip) => ip.to_canonical().to_string(),
            None => String::new(),
        };
        Self([(format!("both {account} {address}"), PAIR), (format!("account {account}"), ACCOUNT), (format!("from {address}"), ADDRESS)])
    }
}

impl Throttle {
    /// Counts a try, or says from when on there may be another one.
    pub(crate) fn begin(&mut self, keys: &Keys, now: Timestamp) -> Result<(), Timestamp> {
        let waits = keys.0.iter().filter_map(|(key, _)| self.tries.get(key)).map(|tries| tries.free_at).filter(|at| *at > now).max();
        if let Some(at) = waits {
            return Err(at);
        }
        if self.tries.len() + keys.0.len() > KEPT_MAX {
            self.tries.retain(|_, tries| tries.free_at > now);
        }
        if self.tries.len() + keys.0.len() > KEPT_MAX {
            // All of them wait: there is no room for a newcomer either.
            return Err(after(now, ADDRESS.wait_max));
        }
        for (key, rule) in &keys.0 {
            let tries = self.tries.entry(key.clone()).or_insert(Tries { count: 0, last: now, free_at: now });
            if now > after(tries.last, FORGIVEN_AFTER) {
                tries.count = 0;
            }
            tries.count += 1;
            tries.last = now;
            tries.free_at = after(now, rule.wait(tries.count));
        }
        Ok(())
    }

    /// It was the right password: what was counted for the account is forgotten, and one try of the
    /// address is given back.
    pub(crate) fn succeeded(&mut self, keys: &Keys) {
        let [pair, account, address] = &keys.0;
        self.tries.remove(&pair.0);
        self.tries.remove(&account.0);
        if let Some(tries) = self.tries.get_mut(&address.0) {
            tries.count = tries.count.saturating_sub(1);
        }
    }
}

impl Rule {
    fn wait(self, count: u32) -> Length {
        let over = count.saturating_sub(self.free);
        if over == 0 {
            return Length::ZERO;
        }
        let doubled = 1_000_u64.saturating_mul(1 << (over - 1).min(20));
        Length::from_millis(doubled).min(self.wait_max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    #[test]
    fn after_some_slips_the_wait_grows_and_the_right_password_ends_it() {
        let mut throttle = Throttle::default();
        let keys = Keys::of("Ana ", Some("192.0.2.1".parse().unwrap()));
        for n in 0..PAIR.free {
            assert_eq!(throttle.begin(&keys, at(0)), Ok(()), "{n}");
        }
        assert_eq!(throttle.begin(&keys, at(0)), Ok(()), "the one that starts the wait");
        assert_eq!(throttle.begin(&keys, at(0)), Err(at(1)));
        assert_eq!(throttle.begin(&keys, at(1)), Ok(()));
        assert_eq!(throttle.begin(&keys, at(2)), Err(at(3)), "two seconds now");
        let elsewhere = Keys::of("ana", Some("192.0.2.9".parse().unwrap()));
        assert_eq!(throttle.begin(&elsewhere, at(2)), Ok(()), "from elsewhere ana can still sign in");
        throttle.succeeded(&keys);
        assert_eq!(throttle.begin(&keys, at(2)), Ok(()));
    }

    #[test]
    fn many_accounts_from_one_address_wait_and_a_network_of_ipv6_is_one_address() {
        let mut throttle = Throttle::default();
        for n in 0..=ADDRESS.free {
            let keys = Keys::of(&format!("p{n}"), Some(format!("2001:db8::{n:x}").parse().unwrap()));
            assert_eq!(throttle.begin(&keys, at(0)), Ok(()));
        }
        assert!(throttle.begin(&Keys::of("other", Some("2001:db8::ffff".parse().unwrap())), at(0)).is_err());
        assert!(throttle.begin(&Keys::of("other", Some("2001:db8:1::1".parse().unwrap())), at(0)).is_ok());
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut throttle = Throttle::default();
        for n in 0..KEPT_MAX {
            let _ = throttle.begin(&Keys::of(&format!("p{n}"), Some(IpAddr::from((n as u32).to_be_bytes()))), at(0));
        }
        assert!(throttle.tries.len() <= KEPT_MAX);
    }
}
