//! Who holds a connection: a limit on all of them, a share of it for each address, and room for newcomers.
//!
//! Where the total or the share of an address is full, the connection that has been idle longest is asked to leave, so
//! that somebody who keeps thousands open and says nothing keeps nobody out; failing that, one whose first request has
//! not come for a while. A connection with a request under way, a stream among them, is never asked. The proxies that
//! the operator trusts stand for many people and have no share.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use allclear_channels::carry::ranges::Ranges;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::pulse::{ConnectionState, Spare};

/// The part of all connections that one address may hold: a tenth, so that ten hosts have to conspire, and an office of
/// a thousand people behind one address has room.
const SHARE_OF_ALL: usize = 10;
/// Whoever asked nothing for this long is asked to leave as an idle connection is, where there is no idle one: a head
/// that is under way takes milliseconds.
const HEAD_GRACE: Duration = Duration::from_secs(1);
/// Connections found at one look through all of them, longest idle first: a flood looks through ten thousand once for
/// so many newcomers, and not for each.
const FOUND_AT_ONCE: usize = 64;

impl Spare {
    fn may_leave(self, now: Instant) -> bool {
        match self {
            Self::Idle(_) => true,
            Self::Head(since) => now.duration_since(since) > HEAD_GRACE,
        }
    }
}

struct Seat {
    pulse: Arc<ConnectionState>,
    leave: CancellationToken,
}

#[derive(Default)]
struct Held {
    next: u64,
    many: usize,
    by_address: HashMap<IpAddr, HashMap<u64, Seat>>,
    /// Found at the last look through all, the one to be asked first at the end.
    found: Vec<(Spare, IpAddr, u64)>,
    turned_away: u64,
}

/// All connections.
pub struct Places {
    held: Mutex<Held>,
    total: usize,
    share: usize,
    proxies: Ranges,
}

/// A connection that is held; given back when it is dropped.
pub struct HeldPlace {
    places: Arc<Places>,
    address: IpAddr,
    id: u64,
    leave: CancellationToken,
}

impl Places {
    pub fn new(total: usize, proxies: Ranges) -> Self {
        Self { held: Mutex::default(), total, share: total.div_ceil(SHARE_OF_ALL), proxies }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a newcomer, if there is one or can be made.
    pub fn take(self: &Arc<Self>, peer: IpAddr, pulse: Arc<ConnectionState>) -> Option<HeldPlace> {
        let address = network(peer);
        let has_share = !self.proxies.contain(peer.to_canonical());
        let mut held = self.held();
        let holds = held.by_address.get(&address).map_or(0, HashMap::len);
        if has_share && holds >= self.share && !held.ask_one_of(address) {
            held.turn_away("one address holds its share of the connections, all with requests under way", self.share);
            return None;
        }
        if held.many >= self.total && !held.ask_one() {
            held.turn_away("all connections are taken, with requests under way", self.total);
            return None;
        }
        let (id, leave) = (held.next, CancellationToken::new());
        held.next += 1;
        held.many += 1;
        held.by_address.entry(address).or_default().insert(id, Seat { pulse, leave: leave.clone() });
        Some(HeldPlace { places: Arc::clone(self), address, id, leave })
    }

    /// Asks one to leave: the machine has no more descriptors.
    pub fn make_room(&self) -> bool {
        self.held().ask_one()
    }
}

impl HeldPlace {
    /// Returns when this connection is asked to leave.
    pub async fn asked_to_leave(&self) {
        self.leave.cancelled().await;
    }
}

impl Drop for HeldPlace {
    fn drop(&mut self) {
        self.places.held().remove(self.address, self.id);
    }
}

impl Held {
    /// Nothing where it was asked to leave before: its place is another's already.
    fn remove(&mut self, address: IpAddr, id: u64) -> Option<Seat> {
        let of_address = self.by_address.get_mut(&address)?;
        let seat = of_address.remove(&id)?;
        if of_address.is_empty() {
            self.by_address.remove(&address);
        }
        self.many -= 1;
        Some(seat)
    }

    fn ask(&mut self, address: IpAddr, id: u64) -> bool {
        let seat = self.remove(address, id);
        if let Some(seat) = &seat {
            seat.leave.cancel();
        }
        seat.is_some()
    }

    fn ask_one_of(&mut self, address: IpAddr) -> bool {
        let now = Instant::now();
        let seats = self.by_address.get(&address).into_iter().flatten();
        let spare = seats.filter_map(|(id, seat)| Some((seat.pulse.spare().filter(|spare| spare.may_leave(now))?, *id)));
        match spare.min() {
            Some((_, id)) => self.ask(address, id),
            None => false,
        }
    }

    fn ask_one(&mut self) -> bool {
        self.ask_found() || {
            self.look_through();
            self.ask_found()
        }
    }

    /// Of those found, the first that still does what it did.
    fn ask_found(&mut self) -> bool {
        while let Some((spare, address, id)) = self.found.pop() {
            let still = self.by_address.get(&address).and_then(|seats| seats.get(&id)).and_then(|seat| seat.pulse.spare());
            if still == Some(spare) {
                return self.ask(address, id);
            }
        }
        false
    }

    fn look_through(&mut self) {
        let now = Instant::now();
        let all = self.by_address.iter().flat_map(|(address, seats)| seats.iter().map(|(id, seat)| (*address, *id, seat)));
        let mut found: Vec<_> =
            all.filter_map(|(address, id, seat)| Some((seat.pulse.spare().filter(|spare| spare.may_leave(now))?, address, id))).collect();
        if found.len() > FOUND_AT_ONCE {
            found.select_nth_unstable(FOUND_AT_ONCE);
            found.truncate(FOUND_AT_ONCE);
        }
        found.sort_unstable_by(|a, b| b.cmp(a));
        self.found = found;
    }

    fn turn_away(&mut self, why: &'static str, limit: usize) {
        self.turned_away += 1;
        // Told at 1, 2, 4, 8 …, so that a flood does not flood the log.
        if self.turned_away.is_power_of_two() {
            tracing::warn!(turned_away = self.turned_away, limit, why, "connections beyond the limit are closed");
        }
    }
}

/// What counts as one address: who has one IPv6 address has 2^64 of them, so the network does.
fn network(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
        v4 @ IpAddr::V4(_) => v4,
    }
}
