//! How many reports come from one address, and how much is written behind one receipt: in memory, as tries of passwords are, so
//! that no address is kept. A restart forgives, and each node counts for itself; what has to outlast that is counted in the store
//! ([`crate::reports`]).

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use allclear_domain::time::{Length, after};
use jiff::Timestamp;

use crate::core::Refusal;

/// In this time what comes from one address is counted, as other limits are.
pub const ADDRESS_WITHIN: Length = crate::limits::WITHIN;
/// Reports from one address in that time: a family, or a ward behind one connection.
pub const OF_ADDRESS_MAX: usize = 10;
/// What one receipt adds and answers in that time.
pub const OF_RECEIPT_MAX: usize = 10;
/// Addresses that are remembered; where there are more, the oldest count is forgotten first.
const ADDRESSES_MAX: usize = 100_000;

/// What is counted for a while.
#[derive(Debug, Default)]
pub(crate) struct Reporting {
    /// One report after another is held against what the store counts.
    pub(crate) turn: tokio::sync::Mutex<()>,
    asked: Mutex<HashMap<String, VecDeque<Timestamp>>>,
}

impl Reporting {
    /// Counts one more of a kind, where it is within its limit.
    pub(crate) fn count(&self, who: &str, most: usize, what: &'static str, now: Timestamp) -> Result<(), Refusal> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = |times: &mut VecDeque<Timestamp>| times.retain(|at| after(*at, ADDRESS_WITHIN) > now);
        if asked.len() >= ADDRESSES_MAX {
            asked.retain(|_, times| {
                recent(times);
                !times.is_empty()
            });
        }
        if asked.len() >= ADDRESSES_MAX
            && let Some(oldest) = asked.iter().min_by_key(|(_, times)| times.back().copied()).map(|(key, _)| key.clone())
        {
            asked.remove(&oldest);
        }
        let times = asked.entry(who.to_owned()).or_default();
        recent(times);
        if let Some(first) = times.front().filter(|_| times.len() >= most) {
            return Err(too_often(what, most, ADDRESS_WITHIN, *first, now));
        }
        times.push_back(now);
        Ok(())
    }

    /// What was counted last was not taken.
    pub(crate) fn forget(&self, who: &str) {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(times) = asked.get_mut(who) {
            times.pop_back();
        }
    }
}

pub(crate) fn too_often(what: &'static str, most: usize, within: Length, first: Timestamp, now: Timestamp) -> Refusal {
    let wait = after(first, within).duration_since(now).as_micros().max(1);
    let wait = Length::from_secs(u64::try_from(wait).unwrap_or(1).div_ceil(1_000_000));
    Refusal::TooOften { what, most, within, wait }
}

/// Whose address it is: of IPv6 the network, since whoever has one has all of it.
pub(crate) fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => format!("address {address}"),
        IpAddr::V6(address) => format!("address {:x}", u128::from(address) >> 64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_one_and_its_count_is_forgiven() {
        let reporting = Reporting::default();
        let at = |seconds: i64| Timestamp::from_second(1_800_000_000 + seconds).unwrap();
        let address = |text: &str| network(text.parse().unwrap());
        assert_eq!(address("2001:db8::1"), address("2001:db8::ffff:1"));
        assert_ne!(address("2001:db8:0:1::1"), address("2001:db8::1"));
        assert_eq!(address("::ffff:192.0.2.1"), address("192.0.2.1"));
        let count = |seconds| reporting.count("a", 2, "reports", at(seconds));
        assert!(count(0).is_ok() && count(10).is_ok());
        assert!(matches!(count(20), Err(Refusal::TooOften { wait, .. }) if wait.as_secs() == 580));
        assert!(reporting.count("b", 2, "reports", at(20)).is_ok(), "another counts for themself");
        reporting.forget("a");
        assert!(count(21).is_ok() && count(22).is_err());
        assert!(count(601).is_ok(), "the first is forgiven");
    }
}
