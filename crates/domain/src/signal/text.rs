//! Whether a repetition says something else: one number over the text of a signal.
//!
//! Computed for every signal of a storm, so it is a multiply per eight bytes rather than a hash that withstands
//! attack: whoever makes two texts of one number hides their own second text until the third.

use crate::wire::Signal;

/// An odd number with bits spread all over (the golden ratio's, as in Knuth's multiplicative hashing).
const MULTIPLY: u64 = 0x9e37_79b9_7f4a_7c15;

struct Digest(u64);

impl Digest {
    fn word(&mut self, word: u64) {
        self.0 = (self.0 ^ word).wrapping_mul(MULTIPLY).rotate_left(29);
    }

    fn text(&mut self, text: &str) {
        // The length first: two texts side by side never read as one.
        self.word(text.len() as u64);
        let mut chunks = text.as_bytes().chunks_exact(8);
        for chunk in &mut chunks {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(chunk);
            self.word(u64::from_le_bytes(bytes));
        }
        let rest = chunks.remainder();
        if !rest.is_empty() {
            let mut bytes = [0; 8];
            bytes[..rest.len()].copy_from_slice(rest);
            self.word(u64::from_le_bytes(bytes));
        }
    }
}

/// Over title, description, labels, annotations and links: what an alert shows of its last signal. The same in
/// every run and version, since it is stored.
#[must_use]
pub fn text_digest(signal: &Signal) -> u64 {
    let mut digest = Digest(MULTIPLY);
    digest.text(&signal.title);
    digest.text(signal.description.as_deref().unwrap_or("\0"));
    for (name, value) in &signal.labels {
        digest.text(name);
        digest.text(value);
    }
    digest.word(signal.labels.len() as u64);
    for (name, value) in &signal.annotations {
        digest.text(name);
        digest.text(value);
    }
    digest.word(signal.annotations.len() as u64);
    for link in &signal.links {
        digest.text(&link.href);
        digest.text(&link.text);
    }
    digest.word(signal.links.len() as u64);
    for note in &signal.notes {
        digest.text(note);
    }
    // A database's numbers are signed; what is lost of one bit does not matter.
    (digest.0 ^ (digest.0 >> 32)) >> 1
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::wire::{Link, SignalAction};

    fn signal() -> Signal {
        Signal {
            action: SignalAction::Trigger,
            dedup_key: "k".into(),
            title: "disk 81 %".into(),
            description: None,
            source: None,
            service: None,
            severity: None,
            labels: [("host".to_owned(), "db1".to_owned())].into(),
            annotations: Default::default(),
            starts_at: None,
            ends_at: None,
            links: Vec::new(),
            notes: Vec::new(),
        }
    }

    #[test]
    fn every_part_of_the_text_counts_and_nothing_else() {
        let mut seen = BTreeSet::from([text_digest(&signal())]);
        let changes: Vec<fn(&mut Signal)> = vec![
            |s| s.title = "disk 99 %".into(),
            |s| s.description = Some(String::new()),
            |s| s.description = Some("soon".into()),
            |s| drop(s.labels.insert("host".into(), "db2".into())),
            |s| drop(s.labels.remove("host")),
            |s| drop(s.annotations.insert("host".into(), "db1".into())),
            |s| s.links.push(Link { href: "https://example.org/runbook".into(), text: String::new() }),
            |s| s.links.push(Link { href: String::new(), text: "https://example.org/runbook".into() }),
        ];
        for change in changes {
            let mut other = signal();
            change(&mut other);
            assert!(seen.insert(text_digest(&other)), "{other:?}");
        }
        let mut same = signal();
        same.ends_at = Some(jiff::Timestamp::UNIX_EPOCH);
        same.dedup_key = "other".into();
        assert!(seen.contains(&text_digest(&same)), "when it was sent is no text");
        assert!(seen.iter().all(|digest| i64::try_from(*digest).is_ok()), "a store's numbers are signed");
    }
}
