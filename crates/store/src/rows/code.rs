//! Codes that were sent to prove that a contact is somebody's: hashed, and a few of each person.
//!
//! A person has [`CODES_MAX`] places for codes; one is free again when what stands in it is as old as the caller says. The
//! place is the key, so that no two nodes and no number of browsers make more than that.

use allclear_domain::ids::MessageId;
use jiff::Timestamp;

use super::{Reader, instant, text};
use crate::db::Db;
use crate::fault::Fault;
use crate::schema::CODE;
use crate::val::{Row, Val, Write};

/// Codes of one person that stand at the same time.
pub const CODES_MAX: i64 = 5;

/// A code as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCode {
    pub person: String,
    /// From 0, below [`CODES_MAX`].
    pub place: i64,
    pub contact: String,
    /// The mark of the address that it was made for.
    pub mark: String,
    /// Keyed; empty where it was used.
    pub hash: String,
    /// The message that carries it.
    pub message: MessageId,
    pub made_at: Timestamp,
    /// Times that one was typed.
    pub tries: u32,
}

fn row_of(code: &StoredCode) -> Vec<Val> {
    vec![
        text(&code.person),
        Val::Int(code.place),
        text(&code.contact),
        text(&code.mark),
        text(&code.hash),
        text(code.message),
        instant(code.made_at),
        Val::from(code.tries),
    ]
}

/// A code in a place that nobody has: a conflict where somebody was first.
#[must_use]
pub fn first(code: &StoredCode) -> Write {
    Write::Insert { table: &CODE, row: row_of(code) }
}

/// A code in the place of one that is over: a conflict where another took it.
#[must_use]
pub fn instead(code: &StoredCode, of_before: MessageId) -> Write {
    let mut args = row_of(code);
    args.push(text(of_before));
    Write::Exec {
        table: &CODE,
        sql: "update contact_code set contact = ?3, mark = ?4, hash = ?5, message = ?6, made_at = ?7, tries = ?8 \
              where person = ?1 and place = ?2 and message = ?9",
        args,
        expect: Some(1),
    }
}

/// One was typed: counted before it is looked at, so that many at once are counted too. A conflict where it has been tried as
/// often as it may, or is not there any more.
#[must_use]
pub fn tried(code: &StoredCode, tries_max: u32) -> Write {
    Write::Exec {
        table: &CODE,
        sql: "update contact_code set tries = tries + 1 where person = ?1 and place = ?2 and message = ?3 and tries < ?4",
        args: vec![text(&code.person), Val::Int(code.place), text(code.message), Val::from(tries_max)],
        expect: Some(1),
    }
}

/// It did what it was for, and works no more.
#[must_use]
pub fn used(code: &StoredCode) -> Write {
    Write::Exec {
        table: &CODE,
        sql: "update contact_code set hash = '' where person = ?1 and place = ?2 and message = ?3",
        args: vec![text(&code.person), Val::Int(code.place), text(code.message)],
        expect: None,
    }
}

/// Whoever gets this id next has none of these.
#[must_use]
pub fn forget(person: &str) -> Write {
    Write::Exec { table: &CODE, sql: "delete from contact_code where person = ?1", args: vec![text(person)], expect: None }
}

fn stored(row: &Row) -> Result<StoredCode, Fault> {
    let mut r = Reader::new(row);
    Ok(StoredCode {
        person: r.text()?,
        place: r.int()?,
        contact: r.text()?,
        mark: r.text()?,
        hash: r.text()?,
        message: r.parse()?,
        made_at: r.instant()?,
        tries: r.small()?,
    })
}

/// The codes of a person, the newest first.
///
/// # Errors
/// When the store does not answer.
pub async fn of_person(db: &Db, person: &str) -> Result<Vec<StoredCode>, Fault> {
    let sql =
        "select person, place, contact, mark, hash, message, made_at, tries from contact_code where person = ?1 order by message desc";
    db.read(sql, vec![text(person)]).await?.iter().map(stored).collect()
}
