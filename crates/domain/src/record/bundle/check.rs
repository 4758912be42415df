//! Whether a bundle is what was signed: every line that is not is named, and in what way.
//!
//! It reads whatever somebody may have made of the file, and goes on after a fault as far as it can, so that one byte does not hide
//! another.

use std::collections::HashMap;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Entry, Leaves, Statement, VERSION, leaf, root};
use crate::event::{GENESIS, Hash, body_hash, chain, chain_first};
use crate::hex::{hex, unhex};
use crate::record::seal::{Seal, line};

/// Lines before the first entry.
const BEFORE_ENTRIES: usize = 2;
/// Faults that are told; whoever wants more has another file.
const FAULTS_MAX: usize = 1_000;

/// Something that is not as it was signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// In which line, from 1; 0: of the file.
    pub line: usize,
    /// The entry in question, as in `inc_…/12`, where there is one.
    pub entry: Option<String>,
    /// In what way.
    pub why: String,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Checked {
    /// Where it reads.
    pub statement: Option<Statement>,
    /// The public key by which it was signed.
    pub key: Option<[u8; 32]>,
    /// Those that read.
    pub entries: Vec<Entry>,
    /// Entries whose text was erased before it was signed.
    pub redacted: usize,
    /// Nothing where all is well. The signature is only held against the key within: whose that is, somebody else has to say.
    pub faults: Vec<Fault>,
}

impl Checked {
    fn fault(&mut self, line: usize, entry: Option<&Entry>, why: impl Into<String>) {
        if self.faults.len() < FAULTS_MAX {
            let entry = entry.map(|entry| format!("{}/{}", entry.stream, entry.version));
            self.faults.push(Fault { line, entry, why: why.into() });
        }
    }

    /// One line, written as this format writes it.
    fn read<T: DeserializeOwned + Serialize>(&mut self, number: usize, bytes: &[u8]) -> Option<T> {
        let Ok(text) = std::str::from_utf8(bytes) else {
            self.fault(number, None, "it is not text (UTF-8)");
            return None;
        };
        match serde_json::from_str::<T>(text) {
            Err(why) => {
                self.fault(number, None, format!("it does not read as this format has it: {why}"));
                None
            }
            Ok(read) => {
                if line(&read) != text {
                    self.fault(number, None, "it is not written as this format writes it");
                }
                Some(read)
            }
        }
    }
}

/// Checks a file; `is_signed` says whether a key (32 bytes) signed some bytes with a signature (64 bytes).
pub fn check(file: &[u8], is_signed: impl Fn(&[u8], &[u8], &[u8]) -> bool) -> Checked {
    let mut found = Checked::default();
    let mut lines: Vec<&[u8]> = file.split(|byte| *byte == b'\n').collect();
    // After the last end of a line there is nothing.
    if lines.pop().is_some_and(|rest| !rest.is_empty()) {
        found.fault(lines.len() + 1, None, "the file ends within this line: it was cut off");
    }
    let seal = lines.first().and_then(|line| found.read::<Seal>(1, line));
    match &seal {
        Some(seal) => read_seal(&mut found, seal, is_signed),
        None if lines.is_empty() => found.fault(1, None, "the seal is missing, which says what was signed"),
        None => {}
    }
    let leaves = lines.get(1).and_then(|line| found.read::<Leaves>(2, line));
    let leaves = leaves.map(|read| read_leaves(&mut found, &read)).unwrap_or_default();
    let raw = lines.get(BEFORE_ENTRIES..).unwrap_or_default();
    let entries: Vec<Option<Entry>> = raw.iter().enumerate().map(|(n, line)| found.read(n + BEFORE_ENTRIES + 1, line)).collect();
    found.redacted = entries.iter().flatten().filter(|entry| entry.is_redacted()).count();
    hold_against(&mut found, raw, &entries, &leaves);
    chains(&mut found, &entries);
    found.entries = entries.into_iter().flatten().collect();
    found
}

fn read_seal(found: &mut Checked, seal: &Seal, is_signed: impl Fn(&[u8], &[u8], &[u8]) -> bool) {
    found.key = seal.key();
    if let Err(why) = seal.judge(VERSION, is_signed) {
        found.fault(1, None, why);
    }
    found.statement = found.read(1, seal.statement.as_bytes());
}

fn read_leaves(found: &mut Checked, read: &Leaves) -> Vec<Hash> {
    let leaves: Vec<Option<Hash>> = read.leaves.iter().map(|leaf| unhex(leaf)).collect();
    if let Some(at) = leaves.iter().position(Option::is_none) {
        found.fault(2, None, format!("leaf {} is not 32 bytes in hex", at + 1));
    }
    let leaves: Vec<Hash> = leaves.into_iter().map(Option::unwrap_or_default).collect();
    if let Some(statement) = &found.statement {
        let (entries, signed) = (statement.entries, statement.root.clone());
        if entries != leaves.len() as u64 {
            found.fault(2, None, format!("there are {} leaves, and {entries} entries were signed", leaves.len()));
        } else if hex(&root(&leaves)) != signed {
            found.fault(2, None, "the leaves are not those that were signed: their root differs");
        }
    }
    leaves
}

/// Which of the signed entries each line is.
fn hold_against(found: &mut Checked, raw: &[&[u8]], entries: &[Option<Entry>], leaves: &[Hash]) {
    let mut places: HashMap<Hash, usize> = HashMap::new();
    for (at, leaf) in leaves.iter().enumerate() {
        places.entry(*leaf).or_insert(at);
    }
    let of: Vec<Option<usize>> = raw.iter().map(|line| places.get(&leaf(line)).copied()).collect();
    let mut seen = vec![false; leaves.len()];
    let mut furthest: Option<usize> = None;
    for (n, place) in of.iter().enumerate() {
        let (number, entry) = (n + BEFORE_ENTRIES + 1, entries.get(n).and_then(Option::as_ref));
        let Some(place) = *place else {
            let erased = entry.is_some_and(Entry::is_redacted);
            let why = if erased { "it is not what was signed: its text may have been taken out" } else { "it is not what was signed" };
            found.fault(number, entry, why);
            continue;
        };
        if seen[place] {
            found.fault(number, entry, format!("it is entry {} once more", place + 1));
        } else if furthest.is_some_and(|furthest| furthest > place) {
            found.fault(
                number,
                entry,
                format!("it is entry {} of those signed, and stands after entry {}", place + 1, furthest.unwrap_or(0) + 1),
            );
        }
        seen[place] = true;
        furthest = furthest.max(Some(place));
    }
    // One that stands in its place and differs is told already.
    let missing = (0..leaves.len()).filter(|at| !seen[*at] && of.get(*at).is_none_or(Option::is_some));
    for at in missing.collect::<Vec<_>>() {
        found.fault(0, None, format!("entry {} of those signed is missing", at + 1));
    }
}

/// Each log by itself: its numbers, its hashes, its end.
fn chains(found: &mut Checked, entries: &[Option<Entry>]) {
    let mut ends: HashMap<&str, (u64, Hash)> = HashMap::new();
    let mut seq = None;
    for (n, entry) in entries.iter().enumerate() {
        let Some(entry) = entry else { continue };
        let number = n + BEFORE_ENTRIES + 1;
        if seq.is_some_and(|before| before >= entry.seq) {
            found.fault(number, Some(entry), "its place in the whole log is not after that of the entry before it");
        }
        seq = Some(entry.seq);
        let (before, previous) = ends.get(entry.stream.as_str()).copied().unwrap_or((0, GENESIS));
        if let Some(why) = misfit(entry, before, &previous) {
            found.fault(number, Some(entry), why);
        }
        ends.insert(&entry.stream, (entry.version, unhex(&entry.hash).unwrap_or(GENESIS)));
    }
    let Some(statement) = found.statement.clone() else { return };
    for head in &statement.heads {
        let is_there = ends.remove(head.stream.as_str()).is_some_and(|(version, hash)| version == head.version && hex(&hash) == head.hash);
        if !is_there {
            found.fault(0, None, format!("the log {} does not end with its event {}, as was signed", head.stream, head.version));
        }
    }
    for (stream, _) in ends {
        found.fault(0, None, format!("nothing was signed of the log {stream}"));
    }
    if !statement.heads.iter().any(|head| head.stream == statement.incident) {
        found.fault(0, None, "the incident's own log is missing");
    }
}

/// What is wrong with an event, given the number and the hash before it; as `verify` judges the store.
fn misfit(entry: &Entry, before: u64, previous: &Hash) -> Option<&'static str> {
    let (Some(inner), Some(hash)) = (unhex::<32>(&entry.body_hash), unhex::<32>(&entry.hash)) else {
        return Some("its hashes are not 32 bytes in hex");
    };
    // A number that somebody made up may be the largest there is.
    if Some(entry.version) != before.checked_add(1) {
        return Some("the event before it in its log is missing");
    }
    match (&entry.body, &entry.salt, entry.salt()) {
        (None, None, _) => {}
        (Some(body), Some(_), Some(salt)) if body_hash(&salt, body) == inner => {}
        (Some(_), Some(_), _) => return Some("its body was changed"),
        (Some(_), None, _) | (None, Some(_), _) => return Some("only half of a redaction was carried out"),
    }
    let covered = entry.covered(&inner);
    (hash != chain(previous, covered) && hash != chain_first(previous, covered))
        .then_some("its hash is not that of what it says after the event before it")
}
