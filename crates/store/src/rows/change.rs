//! Changes that senders told of: deployments, flags. They page nobody and stand beside the incidents of their service.

use allclear_domain::ids::SignalId;
use allclear_domain::wire::Link;
use jiff::Timestamp;

use super::{Reader, instant, opt_text, text};
use crate::db::Db;
use crate::fault::Fault;
use crate::schema::CHANGE;
use crate::val::{Row, Val, Write};

/// A change as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredChange {
    /// That of the request that told of it.
    pub id: SignalId,
    pub at: Timestamp,
    pub received_at: Timestamp,
    pub service: Option<String>,
    pub integration: String,
    pub title: String,
    pub source: Option<String>,
    pub links: Vec<Link>,
}

/// Keeps one.
#[must_use]
pub fn keep(c: &StoredChange) -> Write {
    let links = serde_json::to_string(&c.links).unwrap_or_else(|_| "[]".to_owned());
    Write::Insert {
        table: &CHANGE,
        row: vec![
            text(c.id),
            instant(c.at),
            instant(c.received_at),
            opt_text(c.service.as_ref()),
            text(&c.integration),
            text(&c.title),
            opt_text(c.source.as_ref()),
            text(links),
        ],
    }
}

/// Leaves those that were told since.
#[must_use]
pub fn prune(since: Timestamp) -> Write {
    Write::Exec { table: &CHANGE, sql: "delete from change_event where received_at < ?1", args: vec![instant(since)], expect: None }
}

fn stored(row: &Row) -> Result<StoredChange, Fault> {
    let mut r = Reader::new(row);
    Ok(StoredChange {
        id: r.parse()?,
        at: r.instant()?,
        received_at: r.instant()?,
        service: r.opt_text()?,
        integration: r.text()?,
        title: r.text()?,
        source: r.opt_text()?,
        links: serde_json::from_str(&r.text()?).unwrap_or_default(),
    })
}

/// Of one service or of all, from one instant to before another, the newest first.
pub async fn list(db: &Db, service: Option<&str>, from: Timestamp, to: Timestamp, limit: i64) -> Result<Vec<StoredChange>, Fault> {
    let of = if service.is_some() { "service = ?4 and" } else { "" };
    let sql = format!(
        "select id, at, received_at, service, integration, title, source, links from change_event \
         where {of} at >= ?1 and at < ?2 order by at desc, id desc limit ?3"
    );
    let mut args = vec![instant(from), instant(to), Val::Int(limit)];
    args.extend(service.map(text));
    let rows = db.read(&sql, args).await?;
    rows.iter().map(stored).collect()
}
