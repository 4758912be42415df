//! Keeps outgoing requests away from private networks (server-side request forgery).
//!
//! Every address is judged when the connection is made: names by a resolver that drops what is
//! not public, so that a name which changes its answer gains nothing; literal addresses before
//! the request. Redirects are off elsewhere. An operator may admit ranges.
//!
//! It deliberately does not judge ports or names, and not the mail server, which the operator sets.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::carry::ranges::{BadRange, Ranges, v4_within, v6_within};

/// IPv4 ranges that are not public, from IANA's registry of special-purpose addresses (RFC 6890
/// and successors), with multicast and the reserved block.
const CLOSED_V4: [(Ipv4Addr, u8); 16] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),       // this network
    (Ipv4Addr::new(10, 0, 0, 0), 8),      // private
    (Ipv4Addr::new(100, 64, 0, 0), 10),   // carrier-grade NAT
    (Ipv4Addr::new(127, 0, 0, 0), 8),     // loopback
    (Ipv4Addr::new(169, 254, 0, 0), 16),  // link-local, cloud metadata
    (Ipv4Addr::new(172, 16, 0, 0), 12),   // private
    (Ipv4Addr::new(192, 0, 0, 0), 24),    // protocol assignments
    (Ipv4Addr::new(192, 0, 2, 0), 24),    // documentation
    (Ipv4Addr::new(192, 31, 196, 0), 24), // AS112
    (Ipv4Addr::new(192, 88, 99, 0), 24),  // 6to4 relays, deprecated
    (Ipv4Addr::new(192, 168, 0, 0), 16),  // private
    (Ipv4Addr::new(198, 18, 0, 0), 15),   // benchmarks
    (Ipv4Addr::new(198, 51, 100, 0), 24), // documentation
    (Ipv4Addr::new(203, 0, 113, 0), 24),  // documentation
    (Ipv4Addr::new(224, 0, 0, 0), 4),     // multicast
    (Ipv4Addr::new(240, 0, 0, 0), 4),     // reserved, broadcast
];
/// The only IPv6 range given out for public use; all else is closed.
const OPEN_V6: (Ipv6Addr, u8) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);
/// Ranges within it that are not public (same registry).
const CLOSED_V6: [(Ipv6Addr, u8); 3] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),     // protocol assignments, Teredo
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // documentation
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),     // documentation
];

/// Why a request was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{host} leads to a private address; an operator can admit it with --allow-private-targets")]
pub struct Blocked {
    /// The host as written.
    pub host: String,
}

/// A name has no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the name {host} was not found")]
pub struct NotFound {
    /// The name.
    pub host: String,
}

/// Which addresses may be reached.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    admitted: Ranges,
}

/// The IPv4 address that an IPv6 address stands for, where a translator would send it there:
/// mapped (`::ffff:0:0/96`), 6to4 (`2002::/16`) and NAT64 (`64:ff9b::/96`).
fn inner_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, .., g, h] = address.segments();
    if let Some(mapped) = address.to_ipv4_mapped() {
        return Some(mapped);
    }
    if a == 0x2002 {
        let [_, b, c, ..] = address.segments();
        return Some(Ipv4Addr::from_bits(u32::from(b) << 16 | u32::from(c)));
    }
    let is_nat64 = a == 0x64 && b == 0xff9b && address.segments()[2..6] == [0; 4];
    is_nat64.then(|| Ipv4Addr::from_bits(u32::from(g) << 16 | u32::from(h)))
}

/// Whether the address is on the public internet.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => !CLOSED_V4.iter().any(|range| v4_within(v4, *range)),
        IpAddr::V6(v6) => match inner_v4(v6) {
            Some(v4) => is_public(IpAddr::V4(v4)),
            None => v6_within(v6, OPEN_V6) && !CLOSED_V6.iter().any(|range| v6_within(v6, *range)),
        },
    }
}

impl Guard {
    /// Admits public addresses and these ranges, comma separated; the empty text adds none.
    ///
    /// # Errors
    /// Names the part that is no range.
    pub fn allowing(ranges: &str) -> Result<Self, BadRange> {
        Ok(Self { admitted: ranges.parse()? })
    }

    /// Whether a connection to the address may be made.
    #[must_use]
    pub fn admits(&self, address: IpAddr) -> bool {
        let address = match address {
            IpAddr::V6(v6) => inner_v4(v6).map_or(address, IpAddr::V4),
            IpAddr::V4(_) => address,
        };
        is_public(address) || self.admitted.contain(address)
    }

    /// Judges a literal address in a URL, in whatever form it is written: the URL's own parser
    /// has turned `2130706433`, `0x7f.1` and `0177.0.0.1` into `127.0.0.1`. Names pass here and
    /// are judged by [`GuardedResolver`].
    ///
    /// # Errors
    /// When it is an address that may not be reached.
    pub fn check_url(&self, url: &Url) -> Result<(), Blocked> {
        let host = url.host_str().unwrap_or_default();
        let literal = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
        match literal.parse::<IpAddr>() {
            Ok(address) if !self.admits(address) => Err(Blocked { host: host.to_owned() }),
            _ => Ok(()),
        }
    }

    /// What is left of a name's addresses.
    ///
    /// # Errors
    /// When none is left.
    pub fn screen(&self, host: &str, addresses: impl Iterator<Item = SocketAddr>) -> Result<Vec<SocketAddr>, Blocked> {
        let left: Vec<SocketAddr> = addresses.filter(|address| self.admits(address.ip())).collect();
        if left.is_empty() { Err(Blocked { host: host.to_owned() }) } else { Ok(left) }
    }
}

/// Looks names up and hands on only what the guard admits. Each connection looks up once and
/// uses exactly these addresses.
pub struct GuardedResolver {
    guard: Arc<Guard>,
}

impl GuardedResolver {
    /// A resolver under this guard.
    #[must_use]
    pub fn new(guard: Arc<Guard>) -> Self {
        Self { guard }
    }
}

impl fmt::Debug for GuardedResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GuardedResolver")
    }
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = Arc::clone(&self.guard);
        Box::pin(async move {
            let host = name.as_str();
            let found: Vec<SocketAddr> = match tokio::net::lookup_host((host, 0)).await {
                Ok(found) => found.collect(),
                Err(_) => Vec::new(),
            };
            if found.is_empty() {
                return Err(NotFound { host: host.to_owned() }.into());
            }
            let left = guard.screen(host, found.into_iter())?;
            Ok(Box::new(left.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_and_not() {
        for text in [
            "1.1.1.1",
            "93.184.216.34",
            "172.15.255.255",
            "172.32.0.1",
            "100.63.0.1",
            "100.128.0.1",
            "198.17.0.1",
            "198.20.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00::1",
            "2002:101:101::",
            "64:ff9b::1.1.1.1",
            "::ffff:1.1.1.1",
        ] {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
        for text in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.255",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2002:a00:1::",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "3fff::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "4000::1",
        ] {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn literal_addresses_in_any_dress() {
        let closed = Guard::default();
        for host in [
            "127.0.0.1",
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "0177.0.0.1",
            "127.1",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[fd00::1]",
            "0",
            "169.254.169.254",
            "１２７.0.0.1",
        ] {
            let url: Url = format!("http://{host}:8080/x").parse().unwrap();
            assert!(closed.check_url(&url).is_err(), "{host} became {:?}", url.host_str());
        }
        assert!(closed.check_url(&"https://1.1.1.1/".parse().unwrap()).is_ok());
        assert!(closed.check_url(&"https://name.example/".parse().unwrap()).is_ok());
    }

    #[test]
    fn ranges_open_what_they_say_and_no_more() {
        let guard = Guard::allowing(" 127.0.0.0/8, 10.1.0.0/16,fd00::/8 ,192.168.7.7").unwrap();
        for (text, admitted) in [
            ("127.9.9.9", true),
            ("::ffff:127.0.0.1", true),
            ("10.1.2.3", true),
            ("10.2.0.0", false),
            ("fdff::1", true),
            ("fe80::1", false),
            ("192.168.7.7", true),
            ("192.168.7.8", false),
            ("::1", false),
        ] {
            assert_eq!(guard.admits(text.parse().unwrap()), admitted, "{text}");
        }
        assert!(Guard::allowing("0.0.0.0/0").unwrap().admits("10.0.0.1".parse().unwrap()));
        for bad in ["10.0.0.0/33", "10.0.0/8", "x", "10.0.0.0/-1", "10.0.0.0/8;"] {
            assert!(Guard::allowing(bad).is_err(), "{bad}");
        }
        let mixed = ["10.0.0.1:0", "1.1.1.1:0"].map(|a| a.parse().unwrap());
        assert_eq!(
            Guard::default().screen("x", mixed.into_iter()).unwrap(),
            ["1.1.1.1:0".parse().unwrap()],
            "the private answer is dropped"
        );
    }
}
