//! Checkpoints: now and then the order of the whole log is sealed, so that what no event's own hash can say is seen too:
//! its place among the others (`seq`, which the database gives), that none was removed, and what the hash of older
//! releases left out.
//!
//! A checkpoint covers the events after the one before it, up to its own `to_seq`, and the checkpoint before it. So the
//! last one stands for the whole log up to there. It covers an event's hash and not its body, so a redaction changes
//! nothing. What came after the last checkpoint has only its own chains.

use sha2::{Digest as _, Sha256};

use crate::event::{GENESIS, Hash, opt_part, part};

/// What a checkpoint covers of one event, as stored.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    /// Its place in the log.
    pub seq: i64,
    /// Text form of its stream.
    pub stream: &'a str,
    /// Its number there.
    pub version: u64,
    /// The incident whose timeline shows it.
    pub incident: Option<&'a str>,
    /// Live or exercise.
    pub mode: &'a str,
    /// Who may read it.
    pub marking: Option<&'a str>,
    /// Microseconds since 1970.
    pub recorded_at: i64,
    /// Its own hash.
    pub hash: &'a Hash,
}

/// Events being read in the order of the log.
#[derive(Debug, Clone, Default)]
pub struct Range {
    hasher: Sha256,
    events: u64,
}

impl Range {
    /// The next event.
    pub fn add(&mut self, line: Line<'_>) {
        if !crate::plants::planted("checkpoint-skips-order") {
            part(&mut self.hasher, &line.seq.to_be_bytes());
        }
        part(&mut self.hasher, line.stream.as_bytes());
        part(&mut self.hasher, &line.version.to_be_bytes());
        opt_part(&mut self.hasher, line.incident);
        part(&mut self.hasher, line.mode.as_bytes());
        opt_part(&mut self.hasher, line.marking);
        part(&mut self.hasher, &line.recorded_at.to_be_bytes());
        part(&mut self.hasher, line.hash);
        self.events += 1;
    }

    /// Events so far.
    #[must_use]
    pub const fn events(&self) -> u64 {
        self.events
    }

    /// Their digest.
    #[must_use]
    pub fn digest(self) -> Hash {
        self.hasher.finalize().into()
    }
}

/// A checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// From 1.
    pub number: u64,
    /// The last event it covers.
    pub to_seq: i64,
    /// How many it covers.
    pub events: u64,
    /// When it was made, in microseconds since 1970.
    pub at: i64,
    /// The [`Range`]'s.
    pub digest: Hash,
    /// The chain of checkpoints.
    pub hash: Hash,
}

impl Checkpoint {
    /// The checkpoint that follows `before`.
    #[must_use]
    pub fn after(before: Option<&Self>, to_seq: i64, range: Range, at: i64) -> Self {
        let events = range.events();
        let number = before.map_or(1, |before| before.number + 1);
        let mut made = Self { number, to_seq, events, at, digest: range.digest(), hash: GENESIS };
        made.hash = made.chained(before.map_or(&GENESIS, |before| &before.hash));
        made
    }

    /// Its hash, after a checkpoint with the hash `previous`.
    #[must_use]
    pub fn chained(&self, previous: &Hash) -> Hash {
        let mut hasher = Sha256::new();
        part(&mut hasher, previous);
        for number in [self.number, self.events] {
            part(&mut hasher, &number.to_be_bytes());
        }
        for number in [self.to_seq, self.at] {
            part(&mut hasher, &number.to_be_bytes());
        }
        part(&mut hasher, &self.digest);
        hasher.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_depends_on_every_event_their_order_and_the_checkpoint_before() {
        let one = Line { seq: 1, stream: "store", version: 1, incident: None, mode: "live", marking: None, recorded_at: 5, hash: &[1; 32] };
        let two = Line { seq: 2, hash: &[2; 32], ..one };
        let of = |lines: &[Line<'_>]| {
            let mut range = Range::default();
            lines.iter().for_each(|line| range.add(*line));
            Checkpoint::after(None, 2, range, 9)
        };
        let first = of(&[one, two]);
        assert_eq!((first.number, first.events), (1, 2));
        let others = [
            of(&[one]),
            of(&[two, one]),
            // The same two events with their places exchanged.
            of(&[Line { seq: 1, ..two }, Line { seq: 2, ..one }]),
            of(&[Line { seq: 3, ..one }, two]),
            of(&[Line { stream: "form/people/a", ..one }, two]),
            of(&[Line { version: 2, ..one }, two]),
            of(&[Line { incident: Some("inc_1"), ..one }, two]),
            of(&[Line { mode: "exercise", ..one }, two]),
            of(&[Line { marking: Some("red"), ..one }, two]),
            of(&[Line { recorded_at: 6, ..one }, two]),
            of(&[Line { hash: &[3; 32], ..one }, two]),
        ];
        let mut seen = std::collections::BTreeSet::from([first.digest]);
        for other in others {
            assert!(seen.insert(other.digest), "{other:?}");
        }
        let next = Checkpoint::after(Some(&first), 3, Range::default(), 9);
        assert_eq!(next.number, 2);
        let changed = Checkpoint { to_seq: 4, ..first.clone() };
        assert_ne!(changed.chained(&GENESIS), first.hash);
        let earlier = Checkpoint { hash: [7; 32], ..first };
        assert_ne!(Checkpoint::after(Some(&earlier), 3, Range::default(), 9).hash, next.hash);
    }
}
