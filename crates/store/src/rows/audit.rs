//! The audit log: added to, and never changed.

use allclear_domain::audit::Entry;
use allclear_domain::ids::AuditId;
use jiff::Timestamp;

use super::{Reader, instant, opt_text, text};
use crate::db::Db;
use crate::fault::Fault;
use crate::schema::AUDIT;
use crate::val::{Row, Write};

/// Adds a line.
#[must_use]
pub fn add(entry: &Entry) -> Write {
    Write::Insert {
        table: &AUDIT,
        row: vec![
            text(entry.id),
            instant(entry.at),
            text(entry.kind.word()),
            text(&entry.actor),
            opt_text(entry.about.as_ref()),
            opt_text(entry.detail.as_ref()),
            opt_text(entry.address.as_ref()),
        ],
    }
}

/// A line as stored; a kind that this release does not know is its word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEntry {
    pub id: AuditId,
    pub at: Timestamp,
    pub kind: String,
    pub actor: String,
    pub about: Option<String>,
    pub detail: Option<String>,
    pub address: Option<String>,
}

fn stored(row: &Row) -> Result<StoredEntry, Fault> {
    let mut r = Reader::new(row);
    Ok(StoredEntry {
        id: r.parse()?,
        at: r.instant()?,
        kind: r.text()?,
        actor: r.text()?,
        about: r.opt_text()?,
        detail: r.opt_text()?,
        address: r.opt_text()?,
    })
}

/// Newest first, older than `before` where given.
///
/// # Errors
/// When the store does not answer.
pub async fn list(db: &Db, before: Option<AuditId>, limit: i64) -> Result<Vec<StoredEntry>, Fault> {
    let (older, args) = super::older(before.map(text), limit);
    let sql = format!("select id, at, kind, actor, about, detail, address from audit {older}");
    let rows = db.read(&sql, args).await?;
    rows.iter().map(stored).collect()
}
