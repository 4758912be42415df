//! A bundle: the whole stored log of an incident in one file, which somebody checks who has nothing of ours but the file and our
//! public key. `docs/bundle.md` has the format for others.
//!
//! A line of JSON each: the seal, the leaves, the entries in the order of the log. The seal holds a statement and its signature; the
//! statement says how many entries there are, the root of the tree over them ([`merkle`]), where each log stood, and the newest
//! checkpoint of the whole log. Every line is written in one way only, so that a byte that differs is a line that differs.
//!
//! What it proves: these entries, and no others, were these logs when the holder of the key signed. Not that the holder wrote the
//! truth, nor that nothing was taken out before: that is what an earlier bundle or checkpoint shows, which this one has to fit.
//!
//! Not here: keys and signing, which the engine does; [`check`] is given how a signature is judged.

mod check;
mod merkle;

use serde::{Deserialize, Serialize};

use super::seal::{Anchor, Seal, line};
use super::{Format, Written};
use crate::event::{Covered, Hash, Salt};
use crate::hex::{hex, unhex};

pub use check::{Checked, Fault, check};
pub use merkle::{leaf, root};

pub(super) const FORMAT: Format = Format {
    name: "bundle",
    media: "application/x-ndjson",
    says: "The whole log, signed, for somebody who checks it without us",
    written: Written::Whole,
};

/// What is changed has another number.
pub const VERSION: &str = "allclear-bundle-1";

/// The second line: of each entry the hash of its line, so that one that differs is found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leaves {
    pub leaves: Vec<String>,
}

/// What is signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    pub incident: String,
    #[serde(rename = "ref")]
    pub reference: String,
    /// When it was signed, in microseconds since 1970.
    pub made_at: i64,
    pub entries: u64,
    /// The root of the tree over the entries' lines, in hex.
    pub root: String,
    /// Where each log stood.
    pub heads: Vec<Standing>,
    /// The newest checkpoint of the whole log; null where there is none yet.
    pub checkpoint: Option<Anchor>,
}

/// Where a log stood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Standing {
    pub stream: String,
    /// Number of its last event.
    pub version: u64,
    /// Hash of that.
    pub hash: String,
}

/// An event as it is stored, with its place in the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its place in the whole log.
    pub seq: i64,
    pub stream: String,
    /// Its number there, from 1.
    pub version: u64,
    /// The incident whose timeline shows it.
    pub incident: Option<String>,
    pub kind: String,
    /// Version of the body's format.
    pub v: u16,
    /// When it happened, in microseconds since 1970.
    pub at: i64,
    /// When it was written down.
    pub recorded_at: i64,
    pub actor: String,
    pub cause: String,
    pub mode: String,
    pub marking: Option<String>,
    /// JSON, as stored; null after a redaction.
    pub body: Option<String>,
    pub salt: Option<String>,
    pub body_hash: String,
    pub hash: String,
}

impl Entry {
    /// Whether its text was erased.
    #[must_use]
    pub const fn is_redacted(&self) -> bool {
        self.body.is_none()
    }

    /// What its hash covers, given the inner hash as bytes.
    fn covered<'a>(&'a self, body_hash: &'a Hash) -> Covered<'a> {
        Covered {
            stream: &self.stream,
            version: self.version,
            kind: &self.kind,
            v: self.v,
            at: self.at,
            actor: &self.actor,
            cause: &self.cause,
            body_hash,
            incident: self.incident.as_deref(),
            mode: &self.mode,
            marking: self.marking.as_deref(),
            recorded_at: self.recorded_at,
        }
    }

    fn salt(&self) -> Option<Salt> {
        unhex(self.salt.as_deref()?)
    }
}

/// The head of a bundle, before there is a root.
#[derive(Debug, Clone)]
pub struct About {
    pub incident: String,
    pub reference: String,
    pub made_at: i64,
    pub checkpoint: Option<Anchor>,
}

/// Writes the bundle of these entries; `sign` gives the public key and the signature of some bytes.
pub fn write(about: About, mut entries: Vec<Entry>, sign: impl FnOnce(&[u8]) -> (Vec<u8>, Vec<u8>)) -> String {
    entries.sort_by_key(|entry| entry.seq);
    let lines: Vec<String> = entries.iter().map(line).collect();
    let leaves: Vec<Hash> = lines.iter().map(|line| leaf(line.as_bytes())).collect();
    let mut heads: Vec<Standing> = Vec::new();
    for entry in &entries {
        let head = Standing { stream: entry.stream.clone(), version: entry.version, hash: entry.hash.clone() };
        match heads.iter_mut().find(|known| known.stream == entry.stream) {
            Some(known) if known.version < head.version => *known = head,
            Some(_) => {}
            None => heads.push(head),
        }
    }
    let statement = line(&Statement {
        incident: about.incident,
        reference: about.reference,
        made_at: about.made_at,
        entries: entries.len() as u64,
        root: hex(&root(&leaves)),
        heads,
        checkpoint: about.checkpoint,
    });
    let seal = Seal::of(VERSION, statement, sign);
    let leaves = Leaves { leaves: leaves.iter().map(|leaf| hex(leaf)).collect() };
    let mut out = line(&seal) + "\n" + &line(&leaves) + "\n";
    for one in lines {
        out.push_str(&one);
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests;
