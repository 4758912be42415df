//! Typed ids: a prefix that says what it names, and 128 bits that sort by time.
//!
//! An id is a UUIDv7 shown as Crockford base 32 (26 characters, lower case): `inc_01kb…`.
//! Ids come from an [`IdGen`] handed in by the caller, never from the system, so that a
//! simulation replays.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// Crockford's alphabet without i, l, o, u; upper and lower case read alike.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// The value of each byte as a letter of it, in either case; `NO_LETTER` for all others. A list of a
/// thousand incidents reads some fifty thousand letters.
const VALUES: [u8; 256] = values();
const NO_LETTER: u8 = 0xff;
/// 128 bits in groups of five.
const TEXT_LEN: usize = 26;

const fn values() -> [u8; 256] {
    let mut values = [NO_LETTER; 256];
    let mut at = 0;
    while at < ALPHABET.len() {
        values[ALPHABET[at] as usize] = at as u8;
        values[ALPHABET[at].to_ascii_uppercase() as usize] = at as u8;
        at += 1;
    }
    values
}

fn encode(value: u128) -> [u8; TEXT_LEN] {
    let mut out = [0_u8; TEXT_LEN];
    let mut rest = value;
    for slot in out.iter_mut().rev() {
        *slot = ALPHABET[(rest & 31) as usize];
        rest >>= 5;
    }
    out
}

fn decode(text: &str) -> Option<u128> {
    if text.len() != TEXT_LEN {
        return None;
    }
    let mut value: u128 = 0;
    for (index, byte) in text.bytes().enumerate() {
        let digit = VALUES[usize::from(byte)];
        if digit == NO_LETTER || index == 0 && digit > 7 {
            return None;
        }
        value = value << 5 | u128::from(digit);
    }
    Some(value)
}

/// Why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not an id of the form `{prefix}_` and 26 letters and digits")]
pub struct BadId {
    /// The prefix that was wanted.
    pub prefix: &'static str,
    /// What was given, cut at 64 characters.
    pub given: String,
}

macro_rules! id_type {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u128);

        impl $name {
            /// What the text form starts with, before the underscore.
            pub const PREFIX: &'static str = $prefix;
            /// The id with these 128 bits.
            #[must_use]
            pub const fn from_bits(bits: u128) -> Self {
                Self(bits)
            }
            /// The 128 bits.
            #[must_use]
            pub const fn bits(self) -> u128 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let text = encode(self.0);
                f.write_str(concat!($prefix, "_"))?;
                f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = BadId;
            fn from_str(text: &str) -> Result<Self, BadId> {
                text.strip_prefix(concat!($prefix, "_"))
                    .and_then(decode)
                    .map(Self)
                    .ok_or_else(|| BadId { prefix: $prefix, given: text.chars().take(64).collect() })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<str>::deserialize(d)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

id_type!(/// An incident; also the id of its stream.
    IncidentId, "inc");
id_type!(/// One run of an escalation for one incident; also the id of its stream.
    PageId, "pag");
id_type!(/// A deduplicated condition with a lifetime.
    AlertId, "alt");
id_type!(/// One accepted request of a monitor, kept as it came (redacted).
    SignalId, "sig");
id_type!(/// One refused request of a sender.
    RefusalId, "rfs");
id_type!(/// One line of the audit log.
    AuditId, "aud");
id_type!(/// One send over one contact method; the `webhook-id` and part of the `Message-ID`.
    MessageId, "msg");
id_type!(/// A post-incident review; also the id of its stream.
    ReviewId, "rev");
id_type!(/// A corrective action; also the id of its stream.
    ActionId, "act");
id_type!(/// An API token.
    TokenId, "tok");
id_type!(/// An address at which a calendar is fetched.
    FeedId, "cal");
id_type!(/// Somebody asks for cover of a shift.
    CoverId, "cov");
id_type!(/// A saved view.
    ViewId, "viw");
id_type!(/// One run of the program: who claimed a message.
    NodeId, "nod");
id_type!(/// A silence set over the Alertmanager API or by a person.
    SilenceId, "sil");

impl SilenceId {
    /// The form `amtool` and others expect: a hyphenated UUID.
    #[must_use]
    pub fn as_uuid(self) -> Uuid {
        Uuid::from_u128(self.0)
    }
}

/// Makes ids: UUIDv7 from a given instant and a seeded generator.
///
/// The generator is SplitMix64 (Steele, Lea, Flood 2014): ids need to be distinct, not secret.
/// Nothing that must not be guessed is made here.
#[derive(Debug, Clone)]
pub struct IdGen {
    state: u64,
}

impl IdGen {
    /// A generator whose sequence is decided by `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next 64 bits of the sequence.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A fresh UUIDv7 (RFC 9562 §5.7) for the instant `now`.
    pub fn next(&mut self, now: Timestamp) -> u128 {
        let millis = u128::from(u64::try_from(now.as_millisecond()).unwrap_or(0)) & 0xffff_ffff_ffff;
        let a = u128::from(self.next_u64());
        let b = u128::from(self.next_u64());
        let version = 0x7_u128 << 76;
        let variant = 0b10_u128 << 62;
        millis << 80 | version | (a & 0xfff) << 64 | variant | (b & 0x3fff_ffff_ffff_ffff)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_and_sorts_by_time() {
        let mut gen_ = IdGen::new(7);
        let early = IncidentId::from_bits(gen_.next(Timestamp::from_second(1_700_000_000).unwrap()));
        let late = IncidentId::from_bits(gen_.next(Timestamp::from_second(1_800_000_000).unwrap()));
        assert!(early < late);
        assert!(early.to_string() < late.to_string());
        assert_eq!(early.to_string().parse::<IncidentId>().unwrap(), early);
        assert!("inc_nonsense".parse::<IncidentId>().is_err());
        assert!(early.to_string().parse::<PageId>().is_err());
    }

    #[test]
    fn a_uuid_of_ours_is_version_7() {
        let bits = IdGen::new(1).next(Timestamp::from_second(1_800_000_000).unwrap());
        assert_eq!(Uuid::from_u128(bits).get_version_num(), 7);
        assert_eq!(Uuid::from_u128(bits).get_variant(), uuid::Variant::RFC4122);
    }
}
