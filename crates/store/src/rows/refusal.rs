//! Requests of senders that were refused lately: the newest, redacted, so that somebody can see why an
//! alarm did not come.

use allclear_domain::ids::RefusalId;
use jiff::Timestamp;

use super::{Reader, count, instant, opt_text, text};
use crate::db::Db;
use crate::fault::Fault;
use crate::schema::REFUSAL;
use crate::val::{Row, Val, Write};

/// A refused request as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredRefusal {
    pub id: RefusalId,
    pub at: Timestamp,
    /// The word that the metric counts by.
    pub reason: String,
    /// What was answered.
    pub status: u64,
    /// The integration whose key came with it; absent for strangers.
    pub integration: Option<String>,
    /// The format of the address.
    pub format: String,
    /// From where it came.
    pub address: Option<String>,
    /// Why, in words.
    pub detail: String,
    /// Redacted and cut; absent for strangers.
    pub body: Option<String>,
    /// How many before it, since the one before, were counted and not kept.
    pub unkept: u64,
}

/// Keeps one more.
#[must_use]
pub fn keep(s: &StoredRefusal) -> Write {
    Write::Insert {
        table: &REFUSAL,
        row: vec![
            text(s.id),
            instant(s.at),
            text(&s.reason),
            count(s.status),
            opt_text(s.integration.as_ref()),
            text(&s.format),
            opt_text(s.address.as_ref()),
            text(&s.detail),
            opt_text(s.body.as_ref()),
            count(s.unkept),
        ],
    }
}

/// Leaves the newest `kept` of known senders and the newest `of_strangers` of others, so that strangers
/// crowd out nobody.
#[must_use]
pub fn prune(kept: i64, of_strangers: i64) -> [Write; 2] {
    let of_known = "delete from refusal where integration is not null and id not in
        (select id from refusal where integration is not null order by id desc limit ?1)";
    let of_others = "delete from refusal where integration is null and id not in
        (select id from refusal where integration is null order by id desc limit ?1)";
    let exec = |sql, limit| Write::Exec { table: &REFUSAL, sql, args: vec![Val::Int(limit)], expect: None };
    [exec(of_known, kept), exec(of_others, of_strangers)]
}

fn stored(row: &Row) -> Result<StoredRefusal, Fault> {
    let mut r = Reader::new(row);
    Ok(StoredRefusal {
        id: r.parse()?,
        at: r.instant()?,
        reason: r.text()?,
        status: r.count()?,
        integration: r.opt_text()?,
        format: r.text()?,
        address: r.opt_text()?,
        detail: r.text()?,
        body: r.opt_text()?,
        unkept: r.count()?,
    })
}

/// Newest first, older than `before` where given.
///
/// # Errors
/// When the store does not answer.
pub async fn list(db: &Db, before: Option<RefusalId>, limit: i64) -> Result<Vec<StoredRefusal>, Fault> {
    let (older, args) = super::older(before.map(text), limit);
    let sql = format!("select id, at, reason, status, integration, format, address, detail, body, unkept from refusal {older}");
    let rows = db.read(&sql, args).await?;
    rows.iter().map(stored).collect()
}
