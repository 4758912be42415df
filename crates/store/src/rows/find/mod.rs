//! An index of words: for each word the places where it stands, on both databases the same rows.
//!
//! A place is a whole number, greater for what is newer: of what is written the `seq` of its event, of an alert the beginning of its
//! id. Of each word the newest places stand in its row of `search_word`; when they are [`BLOCK_PLACES`], they are sealed into a row of
//! `search_block`, so that a word that stands everywhere costs a byte or two a place and is read from its newest end, block after block.
//! [`walk`] goes through the places that all of some words have, newest first; [`hits`] reads what stands there, as far as a reader may
//! see it; [`write`] adds and removes places; [`postings`] is how places are written down, and [`follow`] what is read to make it.
//!
//! The index is made of the log and of alerts, and holds nothing that they do not: it may be thrown away, and is made anew by whoever
//! follows. What it says is a hint: whoever shows a hit holds the text that stands there against what was looked for.
//!
//! Invariant: every write of it moves `search_progress.version` on from the one it read, so that of two that write at once one is a
//! conflict.

pub mod follow;
pub mod hits;
pub mod postings;
pub mod walk;
pub mod write;

use allclear_domain::find::Shelf;
use allclear_domain::ids::{AlertId, IncidentId};

use super::{Reader, text};
use crate::db::Db;
use crate::fault::Fault;
use crate::schema::{SEARCH_BLOCK, SEARCH_PROGRESS, SEARCH_WORD};
use crate::val::{Val, Write};

/// How words are cut and what is read of events: another number makes the index anew. It is one more whenever a text gives other words
/// than before.
pub const FORMAT: i64 = 1;
/// Places of a sealed block: with a byte or two for each some hundred bytes, which a page of either database holds several of.
pub const BLOCK_PLACES: usize = 512;

/// Where the words of a kind of thing are, as stored; forms are in memory.
#[must_use]
pub const fn code(shelf: Shelf) -> Option<i64> {
    match shelf {
        Shelf::Titles => Some(1),
        Shelf::Written => Some(2),
        Shelf::Alerts => Some(3),
        Shelf::Forms => None,
    }
}

/// The key of a word.
#[must_use]
pub fn word_key(word: &str) -> Vec<u8> {
    word.as_bytes().to_vec()
}

/// What stands for an incident among the words: no word begins with a NUL.
#[must_use]
pub fn incident_key(incident: IncidentId) -> Vec<u8> {
    [b"\0i".as_slice(), &incident.bits().to_be_bytes()].concat()
}

/// What stands for a kind of thing among the words.
#[must_use]
pub fn kind_key(kind: &str) -> Vec<u8> {
    [b"\0k".as_slice(), kind.as_bytes()].concat()
}

/// The place of an alert: the first 63 bits of its id. Those of one millisecond may share one.
#[must_use]
pub fn place_of(alert: AlertId) -> i64 {
    i64::try_from(alert.bits() >> 65).unwrap_or(i64::MAX)
}

/// The first and the last id that have a place.
#[must_use]
pub fn alerts_at(place: i64) -> (AlertId, AlertId) {
    let first = u128::from(place.unsigned_abs()) << 65;
    (AlertId::from_bits(first), AlertId::from_bits(first | ((1 << 65) - 1)))
}

/// How far words were read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Moves with every write.
    pub version: i64,
    /// [`FORMAT`] of whoever wrote it.
    pub format: i64,
    /// Events up to this one.
    pub seq: i64,
    /// Alerts up to this id; empty before the first.
    pub alert: String,
}

/// Where it stands; nothing before it was begun.
///
/// # Errors
/// When the store does not answer.
pub async fn progress(db: &Db) -> Result<Option<Progress>, Fault> {
    let rows = db.read("select version, format, seq, alert from search_progress where id = 1", vec![]).await?;
    let read = |row| {
        let mut r = Reader::new(row);
        Ok(Progress { version: r.int()?, format: r.int()?, seq: r.int()?, alert: r.text()? })
    };
    rows.first().map(read).transpose()
}

/// How many events of the log were not read yet.
///
/// # Errors
/// When the store does not answer.
pub async fn behind(db: &Db) -> Result<i64, Fault> {
    let sql = "select (select coalesce(max(seq), 0) from event) - (select coalesce(max(seq), 0) from search_progress)";
    db.read(sql, vec![]).await?.first().map_or(Ok(0), |row| row.int(0))
}

/// Begins it, or begins it anew: what was written by other rules goes.
#[must_use]
pub fn begin(old: Option<&Progress>) -> Vec<Write> {
    let empty = |table, sql| Write::Exec { table, sql, args: Vec::new(), expect: None };
    let row = vec![Val::Int(1), Val::Int(old.map_or(1, |old| old.version + 1)), Val::Int(FORMAT), Val::Int(0), text("")];
    let mut writes = Vec::new();
    match old {
        None => writes.push(Write::Insert { table: &SEARCH_PROGRESS, row }),
        Some(old) => {
            writes.push(moved(old.version, &Progress { version: old.version, format: FORMAT, seq: 0, alert: String::new() }));
            writes.push(empty(&SEARCH_WORD, "delete from search_word"));
            writes.push(empty(&SEARCH_BLOCK, "delete from search_block"));
        }
    }
    writes
}

/// The guard of every write: from this version, and how far it is then.
pub(crate) fn moved(from: i64, to: &Progress) -> Write {
    Write::Exec {
        table: &SEARCH_PROGRESS,
        sql: "update search_progress set version = version + 1, format = ?2, seq = ?3, alert = ?4 where id = 1 and version = ?1",
        args: vec![Val::Int(from), Val::Int(to.format), Val::Int(to.seq), text(&to.alert)],
        expect: Some(1),
    }
}
