//! How fast passwords may be tried: by account and address, by account, by address, and by device.
//!
//! A try counts before it is judged, so that many at once count as many. It is kept in memory: a
//! restart forgives, which an attacker cannot bring about, and each node counts for itself. Links in
//! messages, bearer tokens and senders never come here: whoever floods the sign-in stops no
//! acknowledgement and no alarm.
//!
//! What others get wrong must not keep a person out. A device that is known to the account counts by
//! itself and waits for nobody. An address that is new to the account has its first tries from a store
//! of their own, which thirty addresses cannot empty; what they try beyond waits for all of them.
//!
//! An account that was found counts by its person, however it was typed. Names of nobody share one store of
//! first tries, or whoever types new ones would fill the memory; beyond it each counts by itself, so that a
//! wait tells hardly sooner which names there are.

use std::collections::HashMap;
use std::net::IpAddr;

use allclear_domain::time::{Length, after};
use jiff::Timestamp;

/// Tries counted at once; beyond it those that may go on are forgotten first.
const KEPT_MAX: usize = 20_000;
/// Keys under which one try counts at most.
const KEYS_MAX: usize = 3;
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
/// How often an address may try an account before it is no longer new to it: a slip or two.
const FRESH_TRIES: u32 = 3;
/// Tries of new addresses for one account at once: thirty addresses use ninety of them.
const FRESH_AT_ONCE: i64 = 120;
/// And one more each half minute, so that thirty addresses cannot empty it in the hour after which they are new again,
/// and ten thousand of them get no more than some 3,000 tries a day for an account.
const FRESH_EVERY: Length = Length::from_secs(30);
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
    /// By account: when its store of first tries is full again. At most one for each person, and one for nobody.
    full_at: HashMap<String, Timestamp>,
}

/// Under which keys a try counts.
#[derive(Debug, Clone)]
pub(crate) enum Keys {
    /// From a device that is known to the account.
    Known { device: String },
    /// From anywhere else.
    Stranger { pair: String, account: String, fresh: String, address: String },
}

/// The store of first tries that all names of nobody share.
const NOBODYS: &str = "nobody";

/// Whose password is tried.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Account<'a> {
    /// The id of the person who was found.
    Of(&'a str),
    /// What was typed and names nobody.
    Unknown(&'a str),
}

impl Account<'_> {
    fn key(self) -> String {
        match self {
            Self::Of(person) => format!("account {person}"),
            Self::Unknown(typed) => {
                let typed: String = typed.trim().to_lowercase().chars().take(ACCOUNT_CHARS_MAX).collect();
                format!("unknown {typed}")
            }
        }
    }
}

impl Keys {
    /// Of an account, and an address where it is known.
    pub(crate) fn of(account: Account<'_>, address: Option<IpAddr>) -> Self {
        // Who has one IPv6 address has 2^64 of them: the network counts.
        let address = match address {
            Some(IpAddr::V6(v6)) if v6.to_ipv4_mapped().is_none() => format!("{:?}", &v6.segments()[..4]),
            Some(ip) => ip.to_canonical().to_string(),
            None => String::new(),
        };
        let key = account.key();
        let fresh = match account {
            Account::Of(_) => key.clone(),
            Account::Unknown(_) => NOBODYS.to_owned(),
        };
        Self::Stranger { pair: format!("both {key} {address}"), account: key, fresh, address: format!("from {address}") }
    }

    /// Of a device that is known to the account.
    pub(crate) fn known(device: &str) -> Self {
        Self::Known { device: format!("device {device}") }
    }
}

impl Throttle {
    /// Counts a try, or says from when on there may be another one.
    pub(crate) fn begin(&mut self, keys: &Keys, now: Timestamp) -> Result<(), Timestamp> {
        let room = self.make_room(now);
        match keys {
            // However many strangers wait. Only a right password makes a device known, so these stay few.
            Keys::Known { device } => {
                self.waits(device, now)?;
                self.count(device, PAIR, now);
            }
            Keys::Stranger { pair, account, fresh, address } => {
                room?;
                self.waits(pair, now)?;
                self.waits(address, now)?;
                let is_new = self.counted(pair, now) < FRESH_TRIES;
                if !(is_new && self.take_fresh(fresh, now)) {
                    self.waits(account, now)?;
                    self.count(account, ACCOUNT, now);
                }
                self.count(pair, PAIR, now);
                self.count(address, ADDRESS, now);
            }
        }
        Ok(())
    }

    fn make_room(&mut self, now: Timestamp) -> Result<(), Timestamp> {
        let is_full = |throttle: &Self| throttle.tries.len() + KEYS_MAX > KEPT_MAX;
        if is_full(self) {
            self.tries.retain(|_, tries| tries.free_at > now);
            self.full_at.retain(|_, at| *at > now);
        }
        // All of them wait: there is no room for a newcomer either.
        if is_full(self) { Err(after(now, ADDRESS.wait_max)) } else { Ok(()) }
    }

    fn waits(&self, key: &str, now: Timestamp) -> Result<(), Timestamp> {
        match self.tries.get(key) {
            Some(tries) if tries.free_at > now => Err(tries.free_at),
            Some(_) | None => Ok(()),
        }
    }

    fn counted(&self, key: &str, now: Timestamp) -> u32 {
        self.tries.get(key).filter(|tries| now <= after(tries.last, FORGIVEN_AFTER)).map_or(0, |tries| tries.count)
    }

    fn count(&mut self, key: &str, rule: Rule, now: Timestamp) {
        let count = self.counted(key, now) + 1;
        self.tries.insert(key.to_owned(), Tries { count, last: now, free_at: after(now, rule.wait(count)) });
    }

    /// One of the first tries of new addresses, while there are some.
    fn take_fresh(&mut self, fresh: &str, now: Timestamp) -> bool {
        let full_at = self.full_at.get(fresh).map_or(now, |at| (*at).max(now));
        let all = FRESH_EVERY.as_secs() as i64 * (FRESH_AT_ONCE - 1);
        let is_left = full_at.duration_since(now).as_secs() <= all;
        if is_left {
            self.full_at.insert(fresh.to_owned(), after(full_at, FRESH_EVERY));
        }
        is_left
    }

    /// It was the right password: what was counted for the device, or for the account and here, is forgotten, and one
    /// try of the address is given back.
    pub(crate) fn succeeded(&mut self, keys: &Keys) {
        match keys {
            Keys::Known { device } => drop(self.tries.remove(device)),
            Keys::Stranger { pair, account, address, fresh: _ } => {
                self.tries.remove(pair);
                self.tries.remove(account);
                if let Some(tries) = self.tries.get_mut(address) {
                    tries.count = tries.count.saturating_sub(1);
                }
            }
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
        let keys = Keys::of(Account::Unknown("Ana "), Some("192.0.2.1".parse().unwrap()));
        for n in 0..PAIR.free {
            assert_eq!(throttle.begin(&keys, at(0)), Ok(()), "{n}");
        }
        assert_eq!(throttle.begin(&keys, at(0)), Ok(()), "the one that starts the wait");
        assert_eq!(throttle.begin(&keys, at(0)), Err(at(1)));
        assert_eq!(throttle.begin(&keys, at(1)), Ok(()));
        assert_eq!(throttle.begin(&keys, at(2)), Err(at(3)), "two seconds now");
        let elsewhere = Keys::of(Account::Unknown("ana"), Some("192.0.2.9".parse().unwrap()));
        assert_eq!(throttle.begin(&elsewhere, at(2)), Ok(()), "from elsewhere ana can still sign in");
        throttle.succeeded(&keys);
        assert_eq!(throttle.begin(&keys, at(2)), Ok(()));
    }

    #[test]
    fn many_accounts_from_one_address_wait_and_a_network_of_ipv6_is_one_address() {
        let mut throttle = Throttle::default();
        for n in 0..=ADDRESS.free {
            let keys = Keys::of(Account::Unknown(&format!("p{n}")), Some(format!("2001:db8::{n:x}").parse().unwrap()));
            assert_eq!(throttle.begin(&keys, at(0)), Ok(()));
        }
        assert!(throttle.begin(&Keys::of(Account::Unknown("other"), Some("2001:db8::ffff".parse().unwrap())), at(0)).is_err());
        assert!(throttle.begin(&Keys::of(Account::Unknown("other"), Some("2001:db8:1::1".parse().unwrap())), at(0)).is_ok());
    }

    /// Thirty addresses that try without a pause for a day, resting whenever that makes them new again.
    #[test]
    fn thirty_addresses_never_keep_a_person_out_for_a_minute_and_get_little_for_it() {
        let mut throttle = Throttle::default();
        let mut tried = 0;
        for second in 0..86_400_i64 {
            let rests = second / 600 % 7 > 0;
            for n in 0..30 {
                let keys = Keys::of(Account::Of("ana"), Some(IpAddr::from([77, 1, n, 1])));
                tried += i32::from(!rests && throttle.begin(&keys, at(second)).is_ok());
            }
            // Ana from somewhere new, with a slip of the finger before the right password.
            if second % 900 == 30 {
                let mine = Keys::of(Account::Of("ana"), Some(IpAddr::from((second as u32).to_be_bytes())));
                assert_eq!(throttle.begin(&mine, at(second)), Ok(()), "{second}");
                assert_eq!(throttle.begin(&mine, at(second + 1)), Ok(()), "{second}");
            }
        }
        assert!(tried < 5_000, "{tried} tries in a day");
    }

    #[test]
    fn a_known_device_waits_for_nobody_else_and_not_longer_than_its_own_slips_ask() {
        let mut throttle = Throttle::default();
        for n in 0..20_000_u32 {
            let _ = throttle.begin(&Keys::of(Account::Of("ana"), Some(IpAddr::from([77, 1, (n / 250) as u8, (n % 250) as u8]))), at(0));
        }
        let new = Keys::of(Account::Of("ana"), Some("192.0.2.1".parse().unwrap()));
        assert!(throttle.begin(&new, at(0)).is_err(), "so many addresses do empty the store");
        let mut throttle = Throttle { tries: throttle.tries.into_iter().take(9_000).collect(), full_at: throttle.full_at };
        let known = Keys::known("a");
        for _ in 0..=PAIR.free {
            assert_eq!(throttle.begin(&known, at(0)), Ok(()));
        }
        assert_eq!(throttle.begin(&known, at(0)), Err(at(1)), "a stolen device guesses no faster");
        assert_eq!(throttle.begin(&Keys::known("b"), at(0)), Ok(()));
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut throttle = Throttle::default();
        for n in 0..KEPT_MAX {
            let _ = throttle.begin(&Keys::of(Account::Unknown(&format!("p{n}")), Some(IpAddr::from((n as u32).to_be_bytes()))), at(0));
        }
        assert!(throttle.tries.len() <= KEPT_MAX);
    }

    #[test]
    fn a_known_device_goes_on_where_there_is_no_room_for_strangers() {
        let mut throttle = Throttle::default();
        let waiting = Tries { count: 9, last: at(0), free_at: at(900) };
        throttle.tries.extend((0..KEPT_MAX).map(|n| (format!("from {n}"), waiting)));
        let stranger = Keys::of(Account::Of("ana"), Some("192.0.2.1".parse().unwrap()));
        assert_eq!(throttle.begin(&stranger, at(0)), Err(after(at(0), ADDRESS.wait_max)));
        assert_eq!(throttle.begin(&Keys::known("a"), at(0)), Ok(()));
        assert_eq!(throttle.begin(&stranger, at(900)), Ok(()), "what waits no more has made room");
    }

    #[test]
    fn names_of_nobody_take_no_memory_each_and_nothing_from_a_person() {
        let mut throttle = Throttle::default();
        let from = |n: u32| Some(IpAddr::from(n.to_be_bytes()));
        for n in 0..KEPT_MAX as u32 {
            assert_eq!(throttle.begin(&Keys::of(Account::Unknown(&format!("p{n}")), from(n)), at(0)), Ok(()), "{n}");
        }
        assert_eq!(throttle.full_at.len(), 1, "one store for all of them");
        let named_so = Keys::of(Account::Of(NOBODYS), from(1));
        for n in 0..FRESH_AT_ONCE as u32 {
            assert_eq!(throttle.begin(&Keys::of(Account::Of(NOBODYS), from(n)), at(0)), Ok(()), "{n}");
        }
        assert_eq!(throttle.counted("account nobody", at(0)), 0, "a person of that name has a store of their own");
        assert_eq!(throttle.begin(&named_so, at(0)), Ok(()));
    }
}
