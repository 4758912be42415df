//! Addresses at which calendars are fetched: only the SHA-256 of their secret is stored.

use allclear_domain::access::Actor;
use allclear_domain::ids::FeedId;
use jiff::Timestamp;

use super::{Reader, instant, opt_instant, text};
use crate::db::Db;
use crate::fault::{Fault, FaultKind};
use crate::schema::FEED;
use crate::val::{Row, Write};

/// Most that are listed at once.
pub const LISTED_MAX: usize = 5_000;

/// Whose shifts a feed has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeedOf {
    /// Those of this person.
    Person(String),
    /// All of this schedule.
    Schedule(String),
}

impl FeedOf {
    const fn parts(&self) -> (&'static str, &String) {
        match self {
            Self::Person(id) => ("person", id),
            Self::Schedule(id) => ("schedule", id),
        }
    }
}

/// A feed as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFeed {
    pub id: FeedId,
    /// SHA-256 of the secret, in hexadecimal.
    pub hash: String,
    pub of: FeedOf,
    pub made_by: Actor,
    pub created_at: Timestamp,
    pub revoked_at: Option<Timestamp>,
}

/// A new feed, or the next state of one.
#[must_use]
pub fn put(feed: &StoredFeed) -> Write {
    let (kind, subject) = feed.of.parts();
    Write::Upsert {
        table: &FEED,
        row: vec![
            text(feed.id),
            text(&feed.hash),
            text(kind),
            text(subject),
            text(&feed.made_by),
            instant(feed.created_at),
            opt_instant(feed.revoked_at),
        ],
    }
}

/// Every feed of a person's shifts, and every one that they made, works no more.
#[must_use]
pub fn revoke_all_of(person: &str, now: Timestamp) -> Write {
    let made_by = Actor::Person(person.to_owned());
    Write::Exec {
        table: &FEED,
        sql: "update feed set revoked_at = ?3 where revoked_at is null and (made_by = ?2 or (kind = 'person' and subject = ?1))",
        args: vec![text(person), text(made_by), instant(now)],
        expect: None,
    }
}

fn stored(row: &Row) -> Result<StoredFeed, Fault> {
    let mut r = Reader::new(row);
    let (id, hash) = (r.parse()?, r.text()?);
    let (kind, subject) = (r.text()?, r.text()?);
    let of = match kind.as_str() {
        "person" => FeedOf::Person(subject),
        "schedule" => FeedOf::Schedule(subject),
        other => return Err(Fault::new(FaultKind::Column, format!("`{other}` is nothing that a feed has the shifts of"))),
    };
    Ok(StoredFeed { id, hash, of, made_by: r.parse()?, created_at: r.instant()?, revoked_at: r.opt_instant()? })
}

/// The feed with this hash, also one that works no more.
pub async fn by_hash(db: &Db, hash: &str) -> Result<Option<StoredFeed>, Fault> {
    let sql = "select id, hash, kind, subject, made_by, created_at, revoked_at from feed where hash = ?1";
    let rows = db.read(sql, vec![text(hash)]).await?;
    rows.first().map(stored).transpose()
}

/// Every feed that works, newest first, at most [`LISTED_MAX`].
pub async fn live(db: &Db) -> Result<Vec<StoredFeed>, Fault> {
    let sql =
        "select id, hash, kind, subject, made_by, created_at, revoked_at from feed where revoked_at is null order by id desc limit 5000";
    let rows = db.read(sql, vec![]).await?;
    Ok(super::readable(db, &rows, "feed", stored))
}
