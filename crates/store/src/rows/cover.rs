//! Who asks for cover of which shift, and what became of it.

use allclear_domain::org::cover::{CoverRequest, State};
use jiff::Timestamp;

use super::{Reader, count, instant, opt_text, text, to_json};
use crate::db::Db;
use crate::fault::Fault;
use crate::schema::COVER;
use crate::val::{Row, Write};

/// A request at a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCover {
    pub request: CoverRequest,
    /// Grows with every change; what is written is guarded by it.
    pub version: u64,
}

/// A new request.
#[must_use]
pub fn add(request: &CoverRequest) -> Write {
    Write::Insert {
        table: &COVER,
        row: vec![
            text(request.id),
            text(&request.asker),
            opt_text(request.asked.as_ref()),
            text(request.state.word()),
            instant(request.shift.ends_at),
            count(1),
            to_json(request),
        ],
    }
}

/// The next state of one; a conflict where somebody was first.
#[must_use]
pub fn put(request: &CoverRequest, was: u64) -> Write {
    Write::Exec {
        table: &COVER,
        sql: "update cover set state = ?2, body = ?3, version = version + 1 where id = ?1 and version = ?4",
        args: vec![text(request.id), text(request.state.word()), to_json(request), count(was)],
        expect: Some(1),
    }
}

/// What ended so long ago that nobody asks for it any more is forgotten; so is what was never answered of a shift that is over.
#[must_use]
pub fn forget(ended_before: Timestamp) -> Write {
    Write::Exec { table: &COVER, sql: "delete from cover where ends_at < ?1", args: vec![instant(ended_before)], expect: None }
}

fn stored(row: &Row) -> Result<StoredCover, Fault> {
    let mut r = Reader::new(row);
    r.text()?;
    Ok(StoredCover { version: r.count()?, request: r.json()? })
}

/// The request of this id.
pub async fn by_id(db: &Db, id: &str) -> Result<Option<StoredCover>, Fault> {
    let rows = db.read("select id, version, body from cover where id = ?1", vec![text(id)]).await?;
    rows.first().map(stored).transpose()
}

/// Every open request, newest first, at most two thousand: a hundred people with twenty each.
pub async fn open(db: &Db) -> Result<Vec<StoredCover>, Fault> {
    let rows = db.read("select id, version, body from cover where state = 'open' order by id desc limit 2000", vec![]).await?;
    Ok(super::readable(db, &rows, "cover", stored))
}

/// The newest requests that somebody made or was asked alone, ended ones too.
pub async fn of_person(db: &Db, person: &str) -> Result<Vec<StoredCover>, Fault> {
    let sql = "select id, version, body from cover where (asker = ?1 or asked = ?1) and state <> ?2 order by id desc limit 20";
    let rows = db.read(sql, vec![text(person), text(State::Open.word())]).await?;
    Ok(super::readable(db, &rows, "cover", stored))
}
