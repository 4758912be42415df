//! Rows: how each thing is written down and read back. One file a table; every SQL text is here.

pub mod action;
pub mod alert;
pub mod audit;
pub mod change;
pub mod checkpoint;
pub mod circuit;
pub mod code;
pub mod cover;
pub mod event;
pub mod expectation;
pub mod feed;
pub mod find;
pub mod form;
pub mod heartbeat;
pub mod incident;
pub mod message;
pub mod meta;
pub mod node;
pub mod page;
pub mod proof;
pub mod reader;
pub mod refusal;
pub mod review;
pub mod saved;
pub mod search;
pub mod session;
pub mod signal;
pub mod title;
pub mod token;
pub mod turn;

use std::str::FromStr;

use allclear_domain::time::{from_micros, to_micros};
use jiff::Timestamp;

use crate::db::Db;
use crate::fault::{Fault, FaultKind};
use crate::unread::Found;
use crate::val::{Row, Val};

/// An instant as stored.
pub(crate) fn instant(at: Timestamp) -> Val {
    Val::Int(to_micros(at))
}

/// An instant that may be unknown.
pub(crate) fn opt_instant(at: Option<Timestamp>) -> Val {
    at.map_or(Val::Null, instant)
}

/// Something with a text form.
pub(crate) fn text(value: impl ToString) -> Val {
    Val::Text(value.to_string())
}

/// Something with a text form that may be absent.
pub(crate) fn opt_text(value: Option<impl ToString>) -> Val {
    value.map_or(Val::Null, text)
}

/// A count; the store holds 63 bits.
pub(crate) fn count(value: u64) -> Val {
    Val::Int(i64::try_from(value).unwrap_or(i64::MAX))
}

/// A count that may be unknown.
pub(crate) fn opt_count(value: Option<u64>) -> Val {
    value.map_or(Val::Null, count)
}

/// Reads the columns of a row in order, so that a mapping is one list.
pub(crate) struct Reader<'a> {
    row: &'a Row,
    at: usize,
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(row: &'a Row) -> Self {
        Self { row, at: 0 }
    }
    fn step(&mut self) -> usize {
        self.at += 1;
        self.at - 1
    }
    pub(crate) fn int(&mut self) -> Result<i64, Fault> {
        let at = self.step();
        self.row.int(at)
    }
    pub(crate) fn count(&mut self) -> Result<u64, Fault> {
        Ok(u64::try_from(self.int()?).unwrap_or(0))
    }
    pub(crate) fn opt_count(&mut self) -> Result<Option<u64>, Fault> {
        let at = self.step();
        Ok(self.row.opt_int(at)?.map(|value| u64::try_from(value).unwrap_or(0)))
    }
    pub(crate) fn small(&mut self) -> Result<u32, Fault> {
        Ok(u32::try_from(self.int()?).unwrap_or(0))
    }
    pub(crate) fn bool(&mut self) -> Result<bool, Fault> {
        let at = self.step();
        self.row.bool(at)
    }
    pub(crate) fn text(&mut self) -> Result<String, Fault> {
        let at = self.step();
        self.row.text(at).map(ToOwned::to_owned)
    }
    pub(crate) fn opt_text(&mut self) -> Result<Option<String>, Fault> {
        let at = self.step();
        Ok(self.row.opt_text(at)?.map(ToOwned::to_owned))
    }
    pub(crate) fn instant(&mut self) -> Result<Timestamp, Fault> {
        Ok(from_micros(self.int()?))
    }
    pub(crate) fn opt_int(&mut self) -> Result<Option<i64>, Fault> {
        let at = self.step();
        self.row.opt_int(at)
    }
    pub(crate) fn opt_instant(&mut self) -> Result<Option<Timestamp>, Fault> {
        let at = self.step();
        Ok(self.row.opt_int(at)?.map(from_micros))
    }
    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], Fault> {
        let at = self.step();
        self.row.bytes(at)
    }
    pub(crate) fn opt_bytes(&mut self) -> Result<Option<&'a [u8]>, Fault> {
        let at = self.step();
        self.row.opt_bytes(at)
    }
    pub(crate) fn hash(&mut self) -> Result<[u8; 32], Fault> {
        self.bytes()?.try_into().map_err(|_| broken("a hash", "it is not 32 bytes long"))
    }
    /// A value with a text form.
    pub(crate) fn parse<T: FromStr<Err: ToString>>(&mut self) -> Result<T, Fault> {
        let at = self.step();
        self.row.text(at)?.parse().map_err(|why: T::Err| broken("a value", &why.to_string()))
    }
    pub(crate) fn opt_parse<T: FromStr<Err: ToString>>(&mut self) -> Result<Option<T>, Fault> {
        let at = self.step();
        match self.row.opt_text(at)? {
            Some(text) => text.parse().map(Some).map_err(|why: T::Err| broken("a value", &why.to_string())),
            None => Ok(None),
        }
    }
    /// A word of a closed list.
    pub(crate) fn word<T>(&mut self, from: impl Fn(&str) -> Option<T>) -> Result<T, Fault> {
        let at = self.step();
        let word = self.row.text(at)?;
        from(word).ok_or_else(|| broken("a word", &format!("`{word}` is not one this program knows")))
    }
    pub(crate) fn json<T: serde::de::DeserializeOwned>(&mut self) -> Result<T, Fault> {
        let at = self.step();
        serde_json::from_str(self.row.text(at)?).map_err(|why| broken("JSON", &why.to_string()))
    }
}

/// Those of a list's rows that read. The others hide none of them: they are left out, and told to whoever watches.
pub(crate) fn readable<T>(db: &Db, rows: &[Row], table: &'static str, read: impl Fn(&Row) -> Result<T, Fault>) -> Vec<T> {
    let found = Found::of(rows, table, read, |row| shown(row, 0));
    db.note_unread(found.unread);
    found.read
}

/// A column of any kind as text, for the key of a row that does not read.
pub(crate) fn shown(row: &Row, at: usize) -> String {
    match row.0.get(at) {
        Some(Val::Text(text)) => text.chars().take(KEY_CHARS_MAX).collect(),
        Some(Val::Int(number)) => number.to_string(),
        Some(Val::Null | Val::Bool(_) | Val::Bytes(_)) | None => "?".to_owned(),
    }
}

/// Longest part of a key that does not read: it may be anything.
const KEY_CHARS_MAX: usize = 80;

pub(crate) fn broken(what: &str, why: &str) -> Fault {
    Fault::new(FaultKind::Column, format!("{what} of a row does not read: {why}"))
}

pub(crate) fn to_json(value: &impl serde::Serialize) -> Val {
    Val::Text(serde_json::to_string(value).unwrap_or_default())
}

/// The end of a statement over a list by id, newest first, older than `before` where given.
///
/// Without one there is no clause: no text is known to stand after every id in every collation (in one of a language, `~`
/// stands before letters and digits). Ids themselves are letters of one case and digits, all of one length, which every
/// collation orders alike.
fn older(before: Option<Val>, limit: i64) -> (&'static str, Vec<Val>) {
    match before {
        Some(before) => ("where id < ?1 order by id desc limit ?2", vec![before, Val::Int(limit)]),
        None => ("order by id desc limit ?1", vec![Val::Int(limit)]),
    }
}
