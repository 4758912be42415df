//! Accepted requests, as they came (redacted), so that rules can be tried on them later.

use allclear_domain::ids::SignalId;
use jiff::Timestamp;

use super::{Reader, count, instant, text};
use crate::db::Db;
use crate::fault::Fault;
use crate::schema::SIGNAL;
use crate::val::{Row, Write};

/// A request as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredSignal {
    pub id: SignalId,
    pub integration: String,
    pub format: String,
    pub received_at: Timestamp,
    pub org_version: u64,
    /// Alerts it opened or changed.
    pub alerts: u64,
    /// Redacted.
    pub body: String,
}

/// Keeps a request.
#[must_use]
pub fn keep(s: &StoredSignal) -> Write {
    Write::Insert {
        table: &SIGNAL,
        row: vec![
            text(s.id),
            text(&s.integration),
            text(&s.format),
            instant(s.received_at),
            count(s.org_version),
            count(s.alerts),
            text(&s.body),
        ],
    }
}

fn stored(row: &Row) -> Result<StoredSignal, Fault> {
    let mut r = Reader::new(row);
    Ok(StoredSignal {
        id: r.parse()?,
        integration: r.text()?,
        format: r.text()?,
        received_at: r.instant()?,
        org_version: r.count()?,
        alerts: r.count()?,
        body: r.text()?,
    })
}

const COLUMNS: &str = "id, integration, format, received_at, org_version, alerts, body";

/// One request.
pub async fn get(db: &Db, id: SignalId) -> Result<Option<StoredSignal>, Fault> {
    let rows = db.read(&format!("select {COLUMNS} from signal where id = ?1"), vec![text(id)]).await?;
    rows.first().map(stored).transpose()
}

/// Newest first, older than `before` where given.
pub async fn list(db: &Db, before: Option<SignalId>, limit: i64) -> Result<Vec<StoredSignal>, Fault> {
    let (older, args) = super::older(before.map(text), limit);
    let sql = format!("select {COLUMNS} from signal {older}");
    let rows = db.read(&sql, args).await?;
    rows.iter().map(stored).collect()
}
