//! API tokens: only their SHA-256 is stored.

use allclear_domain::access::Scope;
use allclear_domain::ids::TokenId;
use jiff::Timestamp;

use super::{Reader, instant, opt_instant, opt_text, text};
use crate::db::Db;
use crate::fault::Fault;
use crate::schema::{IDEMPOTENCY, TOKEN};
use crate::val::{Row, Write};

/// A token as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredToken {
    pub id: TokenId,
    pub name: String,
    /// SHA-256 of the token, in hexadecimal.
    pub hash: String,
    pub scope: Scope,
    pub person: Option<String>,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
}

/// A new token, or the next state of one.
#[must_use]
pub fn put(t: &StoredToken) -> Write {
    Write::Upsert {
        table: &TOKEN,
        row: vec![
            text(t.id),
            text(&t.name),
            text(&t.hash),
            text(t.scope.word()),
            opt_text(t.person.as_ref()),
            instant(t.created_at),
            opt_instant(t.expires_at),
            opt_instant(t.revoked_at),
        ],
    }
}

/// Every token that stands for a person works no more.
#[must_use]
pub fn revoke_all_of(person: &str, now: Timestamp) -> Write {
    Write::Exec {
        table: &TOKEN,
        sql: "update token set revoked_at = ?2 where person = ?1 and revoked_at is null",
        args: vec![text(person), instant(now)],
        expect: None,
    }
}

fn stored(row: &Row) -> Result<StoredToken, Fault> {
    let mut r = Reader::new(row);
    Ok(StoredToken {
        id: r.parse()?,
        name: r.text()?,
        hash: r.text()?,
        scope: r.parse()?,
        person: r.opt_text()?,
        created_at: r.instant()?,
        expires_at: r.opt_instant()?,
        revoked_at: r.opt_instant()?,
    })
}

/// The token with this hash.
pub async fn by_hash(db: &Db, hash: &str) -> Result<Option<StoredToken>, Fault> {
    let sql = "select id, name, hash, scope, person, created_at, expires_at, revoked_at from token where hash = ?1";
    let rows = db.read(sql, vec![text(hash)]).await?;
    rows.first().map(stored).transpose()
}

/// The token of this id.
pub async fn by_id(db: &Db, id: TokenId) -> Result<Option<StoredToken>, Fault> {
    let sql = "select id, name, hash, scope, person, created_at, expires_at, revoked_at from token where id = ?1";
    let rows = db.read(sql, vec![text(id)]).await?;
    rows.first().map(stored).transpose()
}

/// Every token, newest first.
pub async fn all(db: &Db) -> Result<Vec<StoredToken>, Fault> {
    let sql = "select id, name, hash, scope, person, created_at, expires_at, revoked_at from token order by id desc limit 1000";
    let rows = db.read(sql, vec![]).await?;
    Ok(super::readable(db, &rows, "token", stored))
}

/// Keeps the answer given under an `Idempotency-Key`; a second one is a conflict.
#[must_use]
pub fn keep_answer(principal: &str, key: &str, digest: &str, answer: &str, now: Timestamp) -> Write {
    Write::Insert { table: &IDEMPOTENCY, row: vec![text(principal), text(key), text(digest), text(answer), instant(now)] }
}

/// Digest and answer kept under a key.
pub async fn answer(db: &Db, principal: &str, key: &str) -> Result<Option<(String, String)>, Fault> {
    let sql = "select digest, answer from idempotency where principal = ?1 and key = ?2";
    let rows = db.read(sql, vec![text(principal), text(key)]).await?;
    rows.first().map(|row| Ok((row.text(0)?.to_owned(), row.text(1)?.to_owned()))).transpose()
}

/// Forgets answers older than an instant.
#[must_use]
pub fn forget_answers(before: Timestamp) -> Write {
    Write::Exec { table: &IDEMPOTENCY, sql: "delete from idempotency where at < ?1", args: vec![instant(before)], expect: None }
}
