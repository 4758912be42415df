//! A statement and its signature, on one line: what a bundle begins with, and what a checkpoint is that left the house.
//!
//! The name of the format stands before the statement where it is signed, so that no signed text of one kind reads as one of another.

use serde::{Deserialize, Serialize};

use crate::checkpoint::Checkpoint;
use crate::hex::{hex, unhex};

/// The format of a line of checkpoints; what is changed has another number.
pub const CHECKPOINT: &str = "allclear-checkpoint-1";

/// A signed statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seal {
    pub format: String,
    /// JSON, as the text that was signed.
    pub statement: String,
    /// The public key, Ed25519, in hex.
    pub key: String,
    /// Its signature of [`signed`], in hex.
    pub signature: String,
}

/// The bytes that a signature is of.
#[must_use]
pub fn signed(format: &str, statement: &str) -> Vec<u8> {
    [format, "\n", statement].concat().into_bytes()
}

/// A line, in the one way in which it is written.
pub(super) fn line<T: Serialize>(value: &T) -> String {
    // Texts, numbers and lists of them: nothing that JSON cannot say.
    serde_json::to_string(value).unwrap_or_default()
}

impl Seal {
    /// Signs; `sign` gives the public key and the signature of some bytes.
    pub fn of(format: &str, statement: String, sign: impl FnOnce(&[u8]) -> (Vec<u8>, Vec<u8>)) -> Self {
        let (key, signature) = sign(&signed(format, &statement));
        Self { format: format.to_owned(), statement, key: hex(&key), signature: hex(&signature) }
    }

    /// The public key, where it reads.
    #[must_use]
    pub fn key(&self) -> Option<[u8; 32]> {
        unhex(&self.key)
    }

    /// Whether it is signed as a statement of this format; `is_signed` says whether a key signed some bytes with a signature.
    ///
    /// # Errors
    /// Why not.
    pub fn judge(&self, format: &str, is_signed: impl Fn(&[u8], &[u8], &[u8]) -> bool) -> Result<(), String> {
        if self.format != format {
            return Err(format!("the format is not `{format}`"));
        }
        let key = self.key().ok_or("the key is not 32 bytes in hex")?;
        let signature = unhex::<64>(&self.signature).ok_or("the signature is not 64 bytes in hex")?;
        if is_signed(&key, &signed(format, &self.statement), &signature) {
            return Ok(());
        }
        Err("the signature is not of this statement by this key".to_owned())
    }
}

/// A checkpoint of the whole log, as it is told outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anchor {
    pub number: u64,
    /// The last event that it covers.
    pub to_seq: i64,
    /// How many it covers.
    pub events: u64,
    /// When it was made, in microseconds since 1970.
    pub at: i64,
    pub digest: String,
    pub hash: String,
}

impl Anchor {
    /// Of a checkpoint.
    #[must_use]
    pub fn of(made: &Checkpoint) -> Self {
        let (digest, hash) = (hex(&made.digest), hex(&made.hash));
        Self { number: made.number, to_seq: made.to_seq, events: made.events, at: made.at, digest, hash }
    }

    /// Its line, signed.
    pub fn sealed(&self, sign: impl FnOnce(&[u8]) -> (Vec<u8>, Vec<u8>)) -> String {
        line(&Seal::of(CHECKPOINT, line(self), sign))
    }

    /// Reads a line back; with the public key that signed it.
    ///
    /// # Errors
    /// Why it is none.
    pub fn read(text: &str, is_signed: impl Fn(&[u8], &[u8], &[u8]) -> bool) -> Result<(Self, [u8; 32]), String> {
        let seal: Seal = serde_json::from_str(text).map_err(|why| format!("it does not read as a checkpoint: {why}"))?;
        seal.judge(CHECKPOINT, is_signed)?;
        let anchor = serde_json::from_str(&seal.statement).map_err(|why| format!("its statement does not read: {why}"))?;
        Ok((anchor, seal.key().unwrap_or_default()))
    }
}
