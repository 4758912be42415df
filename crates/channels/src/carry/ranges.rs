//! Ranges of addresses, as operators write them: `127.0.0.0/8,10.0.0.0/8,fd00::/8`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A range of addresses, `10.0.0.0/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Range {
    first: IpAddr,
    bits: u8,
}

/// Why a text is not a list of ranges.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not a range of addresses; write them as in `127.0.0.0/8,10.0.0.0/8,fd00::/8`")]
pub struct BadRange {
    /// The part that could not be read, cut at 64 characters.
    pub given: String,
}

/// Some ranges; none where nothing was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ranges(Vec<Range>);

impl Ranges {
    /// Whether an address is in one of them, as it is written: a mapped IPv4 address is an IPv6 one here.
    #[must_use]
    pub fn contain(&self, address: IpAddr) -> bool {
        self.0.iter().any(|range| match (address, range.first) {
            (IpAddr::V4(address), IpAddr::V4(first)) => v4_within(address, (first, range.bits)),
            (IpAddr::V6(address), IpAddr::V6(first)) => v6_within(address, (first, range.bits)),
            _ => false,
        })
    }
}

impl FromStr for Ranges {
    type Err = BadRange;
    fn from_str(text: &str) -> Result<Self, BadRange> {
        text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}

impl FromStr for Range {
    type Err = BadRange;
    fn from_str(text: &str) -> Result<Self, BadRange> {
        let bad = || BadRange { given: text.chars().take(64).collect() };
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let first: IpAddr = address.trim().parse().map_err(|_| bad())?;
        let widest = if first.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(widest), |bits| bits.trim().parse::<u8>()).map_err(|_| bad())?;
        if bits > widest { Err(bad()) } else { Ok(Self { first, bits }) }
    }
}

/// Whether an address is in the range of this first address and as many bits.
pub(crate) fn v4_within(address: Ipv4Addr, (first, bits): (Ipv4Addr, u8)) -> bool {
    let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
    address.to_bits() & mask == first.to_bits() & mask
}

/// The same of IPv6.
pub(crate) fn v6_within(address: Ipv6Addr, (first, bits): (Ipv6Addr, u8)) -> bool {
    let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
    address.to_bits() & mask == first.to_bits() & mask
}
