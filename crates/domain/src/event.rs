//! The envelope of a fact in a log, and the chain that shows whether somebody altered one.
//!
//! An event's hash covers the hash before it in the same stream, so that a change, a removal or a
//! swap inside a stream is found. It covers the stored bytes, not their meaning, and the body only
//! through `H(salt ‖ body)`: a redaction erases body and salt and keeps that inner hash, and the
//! chain still holds. `seq`, the order of the whole log, is the database's and is not covered: that, and what
//! the hash of older releases left out, is what [`crate::checkpoint`] is for.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::actor::Actor;
use crate::ids::{ActionId, IncidentId, PageId, ReviewId};
use crate::time::to_micros;
use crate::tlp::Tlp;

/// A SHA-256.
pub type Hash = [u8; 32];
/// Random bytes that keep an erased body from being guessed by its inner hash.
pub type Salt = [u8; 16];

/// The hash before the first event of a stream.
pub const GENESIS: Hash = [0; 32];

/// Whether something is real or part of an exercise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Real.
    #[default]
    Live,
    /// Part of an exercise.
    Exercise,
}

impl Mode {
    /// As stored.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Exercise => "exercise",
        }
    }

    /// As stored; what is no word of ours counts as real, and its event's hash tells.
    #[must_use]
    pub fn from_word(word: &str) -> Self {
        if word == Self::Exercise.word() { Self::Exercise } else { Self::Live }
    }
}

/// Which log an event belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stream {
    /// The log of an incident.
    Incident(IncidentId),
    /// The log of a page.
    Page(PageId),
    /// The log of a post-incident review.
    Review(ReviewId),
    /// The log of a corrective action.
    Action(ActionId),
    /// The change log of one form of the organisation: `form/people/ana`.
    Form(String),
    /// What happened to the store itself: copies, releases.
    Store,
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Incident(id) => id.fmt(f),
            Self::Page(id) => id.fmt(f),
            Self::Review(id) => id.fmt(f),
            Self::Action(id) => id.fmt(f),
            Self::Form(name) => write!(f, "form/{name}"),
            Self::Store => f.write_str("store"),
        }
    }
}

/// Where a stream stands: what the next event must follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Number of events so far.
    pub version: u64,
    /// Hash of the last.
    pub hash: Hash,
}

impl Head {
    /// Of a stream without events.
    pub const EMPTY: Self = Self { version: 0, hash: GENESIS };
}

/// Everything about an event but its place in the chain.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// Its log.
    pub stream: Stream,
    /// The incident whose timeline shows it.
    pub incident: Option<IncidentId>,
    /// `acknowledged`, `step_reached`, …
    pub kind: &'static str,
    /// Version of the body's format.
    pub v: u16,
    /// When it happened.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// What led to it: a signal, an expectation, a command, a message.
    pub cause: String,
    /// Live or exercise.
    pub mode: Mode,
    /// How far it may go; nothing where nobody said.
    pub marking: Option<Tlp>,
    /// JSON.
    pub body: String,
}

/// A draft with its place in the chain.
#[derive(Debug, Clone, PartialEq)]
pub struct Sealed {
    /// What it says.
    pub draft: Draft,
    /// Its number in the stream, from 1.
    pub version: u64,
    /// When it was written down.
    pub recorded_at: Timestamp,
    /// See the module.
    pub salt: Salt,
    /// `H(salt ‖ body)`.
    pub body_hash: Hash,
    /// The chain.
    pub hash: Hash,
}

/// `H(salt ‖ body)`.
#[must_use]
pub fn body_hash(salt: &Salt, body: &str) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update(salt);
    hasher.update(body.as_bytes());
    hasher.finalize().into()
}

/// The parts of an event that its hash covers, as stored.
#[derive(Debug, Clone, Copy)]
pub struct Covered<'a> {
    /// Text form of the stream.
    pub stream: &'a str,
    /// Number in the stream.
    pub version: u64,
    /// Kind.
    pub kind: &'a str,
    /// Format version.
    pub v: u16,
    /// Microseconds since 1970.
    pub at: i64,
    /// Text form of the actor.
    pub actor: &'a str,
    /// Cause.
    pub cause: &'a str,
    /// Inner hash of the body.
    pub body_hash: &'a Hash,
    /// Text form of the incident whose timeline shows it.
    pub incident: Option<&'a str>,
    /// Live or exercise, as stored.
    pub mode: &'a str,
    /// Who may read it, as stored.
    pub marking: Option<&'a str>,
    /// When it was written down, in microseconds since 1970.
    pub recorded_at: i64,
}

/// The hash of an event that follows `previous`. Every part is preceded by its length, so that no
/// two different events give the same bytes.
#[must_use]
pub fn chain(previous: &Hash, covered: Covered<'_>) -> Hash {
    let mut hasher = first_parts(previous, covered);
    if !crate::plants::planted("hash-skips-incident") {
        opt_part(&mut hasher, covered.incident);
    }
    part(&mut hasher, covered.mode.as_bytes());
    opt_part(&mut hasher, covered.marking);
    part(&mut hasher, &covered.recorded_at.to_be_bytes());
    hasher.finalize().into()
}

/// The hash that the first releases gave an event: these parts alone. Fewer parts with their lengths are never
/// the same bytes as more of them, so that no event fits both.
#[must_use]
pub fn chain_first(previous: &Hash, covered: Covered<'_>) -> Hash {
    first_parts(previous, covered).finalize().into()
}

pub(crate) fn part(hasher: &mut Sha256, bytes: &[u8]) {
    hasher.update((bytes.len() as u64).to_be_bytes());
    hasher.update(bytes);
}

/// A part that may be absent, which is not the same as an empty one.
pub(crate) fn opt_part(hasher: &mut Sha256, text: Option<&str>) {
    hasher.update([u8::from(text.is_some())]);
    part(hasher, text.unwrap_or_default().as_bytes());
}

fn first_parts(previous: &Hash, covered: Covered<'_>) -> Sha256 {
    let mut hasher = Sha256::new();
    let mut part = |bytes: &[u8]| part(&mut hasher, bytes);
    part(previous);
    part(covered.stream.as_bytes());
    part(&covered.version.to_be_bytes());
    part(covered.kind.as_bytes());
    part(&covered.v.to_be_bytes());
    part(&covered.at.to_be_bytes());
    part(covered.actor.as_bytes());
    part(covered.cause.as_bytes());
    part(covered.body_hash);
    hasher
}

impl Draft {
    /// Gives the draft its place after `head`, and moves `head` on.
    #[must_use]
    pub fn seal(self, head: &mut Head, salt: Salt, recorded_at: Timestamp) -> Sealed {
        let version = head.version + 1;
        let body_hash = body_hash(&salt, &self.body);
        let hash = chain(
            &head.hash,
            Covered {
                stream: &self.stream.to_string(),
                version,
                kind: self.kind,
                v: self.v,
                at: to_micros(self.at),
                actor: &self.actor.to_string(),
                cause: &self.cause,
                body_hash: &body_hash,
                incident: self.incident.map(|id| id.to_string()).as_deref(),
                mode: self.mode.word(),
                marking: self.marking.map(Tlp::word),
                recorded_at: to_micros(recorded_at),
            },
        );
        *head = Head { version, hash };
        Sealed { draft: self, version, recorded_at, salt, body_hash, hash }
    }
}

/// Why stored bytes are no event of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadEvent {
    /// Written by a newer program, or not by us.
    #[error("kind `{kind}` version {v} is not known to this program")]
    UnknownKind {
        /// As stored.
        kind: String,
        /// As stored.
        v: u16,
    },
    /// The body does not fit its kind.
    #[error("the body of kind `{kind}` does not read: {why}")]
    Body {
        /// As stored.
        kind: String,
        /// The parser's words.
        why: String,
    },
}

/// What a kind of event is to whoever reads a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// People look for it first, and the short log shows it: declaration, roles, severities, states, decisions, updates,
    /// merges, and that nobody answered.
    Key,
    /// What machines told each other: the draft of a review leaves it out.
    Machinery,
    /// After it there is nothing to take any more.
    Ends,
    /// Who did it is not worth a word: it only follows from another event, or its line says it.
    Follows,
}

/// A kind of event, as its stream declares it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// As stored.
    pub name: &'static str,
    /// What it is to readers.
    pub marks: &'static [Mark],
}

impl Kind {
    /// Whether it has this mark.
    #[must_use]
    pub fn is(&self, mark: Mark) -> bool {
        self.marks.contains(&mark)
    }
}

/// A part of a body that names people.
pub(crate) trait Named {
    /// Adds their ids.
    fn name_to<'a>(&'a self, out: &mut Vec<&'a str>);
}

impl Named for String {
    fn name_to<'a>(&'a self, out: &mut Vec<&'a str>) {
        out.push(self);
    }
}

impl Named for Option<String> {
    fn name_to<'a>(&'a self, out: &mut Vec<&'a str>) {
        out.extend(self.as_deref());
    }
}

impl Named for Vec<String> {
    fn name_to<'a>(&'a self, out: &mut Vec<&'a str>) {
        out.extend(self.iter().map(String::as_str));
    }
}

/// Declares the events of a stream, or of a part of one: an enum, and of each kind the stored name, what it is to
/// readers (`[Key, …]`), whom it admits (`admits(field)`: these people have to see what it is about), and reading back.
macro_rules! event_kinds {
    ($(#[$meta:meta])* $name:ident {
        $($(#[$doc:meta])* $variant:ident($body:ty) = $kind:literal $([$($mark:ident),+])? $(admits($admitted:ident))?,)*
    }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq)]
        pub enum $name { $($(#[$doc])* $variant($body),)* }

        impl $name {
            /// Every kind.
            pub const KINDS: &'static [$crate::event::Kind] =
                &[$($crate::event::Kind { name: $kind, marks: &[$($($crate::event::Mark::$mark),+)?] },)*];
            /// The name of the kind, as stored.
            #[must_use]
            pub const fn kind(&self) -> &'static str {
                match self { $(Self::$variant(_) => $kind,)* }
            }
            /// Version of the body's format.
            #[must_use]
            pub const fn v(&self) -> u16 { 1 }
            /// The body, as stored.
            #[must_use]
            pub fn body(&self) -> String {
                match self { $(Self::$variant(body) => serde_json::to_string(body).unwrap_or_default(),)* }
            }
            /// Ids of the people whom it names and who have to see what it is about from then on.
            #[must_use]
            pub fn admits(&self) -> Vec<&str> {
                #[allow(unused_mut)] // some streams admit nobody
                let mut people = Vec::new();
                match self {
                    $(Self::$variant(body) => {
                        let _ = body;
                        $($crate::event::Named::name_to(&body.$admitted, &mut people);)?
                    })*
                }
                people
            }
            /// Reads a stored event back.
            ///
            /// # Errors
            /// When the kind is not known, or the body does not fit it.
            pub fn decode(kind: &str, v: u16, body: &str) -> Result<Self, $crate::event::BadEvent> {
                match (kind, v) {
                    $(($kind, 1) => serde_json::from_str(body).map(Self::$variant)
                        .map_err(|e| $crate::event::BadEvent::Body { kind: kind.to_owned(), why: e.to_string() }),)*
                    _ => Err($crate::event::BadEvent::UnknownKind { kind: kind.to_owned(), v }),
                }
            }
        }
    };
}
pub(crate) use event_kinds;

/// Makes the events of a whole of the events of its parts: nothing is declared twice.
macro_rules! event_parts {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $part:ident($event:ty),)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq)]
        #[allow(clippy::large_enum_variant)] // events come and go one at a time
        pub enum $name { $($(#[$doc])* $part($event),)* }

        impl $name {
            /// Every kind.
            pub fn kinds() -> impl Iterator<Item = &'static $crate::event::Kind> {
                [$(<$event>::KINDS),*].into_iter().flatten()
            }
            /// The name of the kind, as stored.
            #[must_use]
            pub const fn kind(&self) -> &'static str {
                match self { $(Self::$part(event) => event.kind(),)* }
            }
            /// Version of the body's format.
            #[must_use]
            pub const fn v(&self) -> u16 {
                match self { $(Self::$part(event) => event.v(),)* }
            }
            /// The body, as stored.
            #[must_use]
            pub fn body(&self) -> String {
                match self { $(Self::$part(event) => event.body(),)* }
            }
            /// Ids of the people whom it names and who have to see what it is about from then on.
            #[must_use]
            pub fn admits(&self) -> Vec<&str> {
                match self { $(Self::$part(event) => event.admits(),)* }
            }
            /// Reads a stored event back.
            ///
            /// # Errors
            /// When the kind is not known, or the body does not fit it.
            pub fn decode(kind: &str, v: u16, body: &str) -> Result<Self, $crate::event::BadEvent> {
                $(if <$event>::KINDS.iter().any(|known| known.name == kind) {
                    return <$event>::decode(kind, v, body).map(Self::$part);
                })*
                Err($crate::event::BadEvent::UnknownKind { kind: kind.to_owned(), v })
            }
        }

        $(impl From<$event> for $name {
            fn from(event: $event) -> Self {
                Self::$part(event)
            }
        })*
    };
}
pub(crate) use event_parts;

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(body: &str) -> Draft {
        Draft {
            stream: Stream::Store,
            incident: None,
            kind: "noted",
            v: 1,
            at: Timestamp::from_second(1_800_000_000).unwrap(),
            actor: Actor::System,
            cause: "test".into(),
            mode: Mode::Live,
            marking: None,
            body: body.into(),
        }
    }

    #[test]
    fn a_chain_depends_on_every_covered_part_and_on_what_came_before() {
        let mut head = Head::EMPTY;
        let now = Timestamp::from_second(1_800_000_001).unwrap();
        let first = draft("{}").seal(&mut head, [1; 16], now);
        let second = draft("{}").seal(&mut head, [1; 16], now);
        assert_ne!(first.hash, second.hash, "same words, other place");
        assert_eq!(head, Head { version: 2, hash: second.hash });

        let mut seen = std::collections::BTreeSet::from([first.hash]);
        let alter: [fn(&mut Draft); 8] = [
            |d| d.kind = "other",
            |d| d.v = 2,
            |d| d.at = Timestamp::from_second(5).unwrap(),
            |d| d.actor = Actor::Clock,
            |d| d.cause = "other".into(),
            |d| d.body = "{ }".into(),
            |d| d.incident = Some(IncidentId::from_bits(7)),
            |d| d.mode = Mode::Exercise,
        ];
        for change in alter {
            let mut other = draft("{}");
            change(&mut other);
            assert!(seen.insert(other.seal(&mut Head::EMPTY.clone(), [1; 16], now).hash));
        }
        assert!(seen.insert(draft("{}").seal(&mut Head::EMPTY.clone(), [2; 16], now).hash), "salt");
        let later = Timestamp::from_second(1_800_000_002).unwrap();
        assert!(seen.insert(draft("{}").seal(&mut Head::EMPTY.clone(), [1; 16], later).hash), "when it was written down");

        let stored = Covered {
            stream: "store",
            version: 1,
            kind: "noted",
            v: 1,
            at: 5,
            actor: "system",
            cause: "test",
            body_hash: &[9; 32],
            incident: None,
            mode: "live",
            marking: None,
            recorded_at: 6,
        };
        let mut seen = std::collections::BTreeSet::from([chain(&GENESIS, stored), chain_first(&GENESIS, stored)]);
        for marking in [Some(""), Some("amber")] {
            assert!(seen.insert(chain(&GENESIS, Covered { marking, ..stored })), "{marking:?}");
        }
        assert!(seen.insert(chain(&GENESIS, Covered { incident: Some(""), ..stored })), "none is not an empty one");
        // A log that began under an older release still verifies as that release wrote it, for ever.
        assert_eq!(crate::hex::hex(&chain_first(&GENESIS, stored)), "42647db8487eba330f1d8b2dda9a67ce7c4cf87cb3e1582f1281a504fcb0ac4f");
    }
}
