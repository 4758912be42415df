//! Checkpoints that leave the house, and what left it held against the store: so a log that was rewritten whole, checkpoints included,
//! is found by whoever kept one elsewhere.
//!
//! Not here: where they are kept, which is whoever runs the program's business.

use std::collections::BTreeMap;

use allclear_domain::hex::hex;
use allclear_domain::record::bundle::{self, Entry, check};
use allclear_domain::record::seal::{Anchor, Seal};
use allclear_store::{Db, Fault, rows};

use crate::engine::Engine;
use crate::identity::seal::SecretKey;
use crate::message_link::exports::{ExportKey, is_signed, key_id};

/// Events of a log that are read at a time.
const BATCH: i64 = rows::event::EVENTS_PER_READ_MAX;

impl Engine {
    /// The checkpoints after a number, oldest first, each a signed line with that number; some at a time.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn signed_checkpoints(&self, after: u64) -> Result<Vec<(u64, String)>, Fault> {
        let made = rows::checkpoint::after(self.db(), i64::try_from(after).unwrap_or(i64::MAX)).await?;
        let key = self.links().signing_key();
        // One that does not read ends it: `verify` names it, and nothing is signed past it.
        let read = made.into_iter().map_while(|(_, made)| made);
        Ok(read.map(|made| (made.number, Anchor::of(&made).sealed(|bytes| key.sign_bytes(bytes)))).collect())
    }
}

/// What was held against the store, and what does not fit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Against {
    /// Checkpoints of the file.
    pub checkpoints: u64,
    /// Events of the file.
    pub events: u64,
    /// What does not fit, a line each.
    pub findings: Vec<String>,
}

impl Against {
    /// Only what this house signed counts against it.
    fn signed_by(&mut self, place: &str, key: Option<&[u8; 32]>, own: &[u8]) {
        if let Some(key) = key.filter(|key| key.as_slice() != own) {
            let why = "is this the secret key file of then?";
            self.findings.push(format!("{place} was signed by the key {}, and not by that of this store: {why}", key_id(key)));
        }
    }
}

/// Holds a file that left the house against the store: signed checkpoints, a line each, or a bundle.
///
/// # Errors
/// When the store does not answer.
pub async fn against(db: &Db, key: &SecretKey, file: &[u8]) -> Result<Against, Fault> {
    let own = ExportKey::new(key).sign_bytes(&[]).0;
    let first = file.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let is_bundle = serde_json::from_slice::<Seal>(first).is_ok_and(|seal| seal.format == bundle::VERSION);
    if is_bundle { of_bundle(db, &own, file).await } else { of_checkpoints(db, &own, file).await }
}

async fn of_checkpoints(db: &Db, own: &[u8], file: &[u8]) -> Result<Against, Fault> {
    let mut found = Against::default();
    for (at, line) in file.split(|byte| *byte == b'\n').enumerate().filter(|(_, line)| !line.is_empty()) {
        let place = format!("line {}", at + 1);
        match std::str::from_utf8(line).map_err(|_| "it is not text (UTF-8)".to_owned()).and_then(|line| Anchor::read(line, is_signed)) {
            Ok((anchor, key)) => {
                found.signed_by(&place, Some(&key), own);
                found.checkpoints += 1;
                found.findings.extend(misfit(db, &anchor).await?.map(|why| format!("{place}: {why}")));
            }
            Err(why) => found.findings.push(format!("{place}: {why}")),
        }
    }
    if found.checkpoints == 0 && found.findings.is_empty() {
        found.findings.push("the file has no checkpoint".to_owned());
    }
    Ok(found)
}

async fn of_bundle(db: &Db, own: &[u8], file: &[u8]) -> Result<Against, Fault> {
    let mut found = Against::default();
    let checked = check(file, is_signed);
    found.findings.extend(checked.faults.iter().map(|fault| format!("the bundle, line {}: {}", fault.line, fault.why)));
    found.signed_by("the bundle", checked.key.as_ref(), own);
    if let Some(anchor) = checked.statement.as_ref().and_then(|statement| statement.checkpoint.as_ref()) {
        found.checkpoints = 1;
        found.findings.extend(misfit(db, anchor).await?);
    }
    found.events = checked.entries.len() as u64;
    let mut streams: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    for entry in &checked.entries {
        streams.entry(&entry.stream).or_default().push(entry);
    }
    for (stream, entries) in streams {
        let mut stored: BTreeMap<u64, (i64, String)> = BTreeMap::new();
        loop {
            let after = stored.last_key_value().map_or(0, |(version, _)| *version);
            let more = rows::event::of_stream(db, stream, after, BATCH).await?;
            if more.is_empty() {
                break;
            }
            stored.extend(more.into_iter().map(|event| (event.version, (event.seq, hex(&event.hash)))));
        }
        for entry in entries {
            let why = match stored.get(&entry.version) {
                None => "is not in the store any more",
                Some((_, hash)) if *hash != entry.hash => "is not in the store what it was when it was signed",
                Some((seq, _)) if *seq != entry.seq => "does not stand in the store where it stood among all others when it was signed",
                Some(_) => continue,
            };
            found.findings.push(format!("{stream} event {}: it {why}", entry.version));
            // What follows from a rewritten event differs as well, and would only repeat that.
            break;
        }
    }
    Ok(found)
}

/// In what a checkpoint that left the house differs from the store's.
async fn misfit(db: &Db, anchor: &Anchor) -> Result<Option<String>, Fault> {
    let before = i64::try_from(anchor.number.saturating_sub(1)).unwrap_or(i64::MAX);
    let stored = rows::checkpoint::after(db, before).await?.into_iter().next().and_then(|(_, made)| made);
    let what = format!("checkpoint {}, up to event {}", anchor.number, anchor.to_seq);
    Ok(match stored.filter(|made| made.number == anchor.number) {
        None => Some(format!("{what}: the store has none of this number any more")),
        Some(made) if Anchor::of(&made) == *anchor => None,
        Some(_) => Some(format!("{what}: the store's is another one: the log before it is not what it was when this was signed")),
    })
}
