//! Heartbeats: of each instance that ever sent one, when the last came and what is awaited. A heartbeat renews its row, and the
//! row's count is the guard: of two nodes that write one at once the second reads again.

use jiff::Timestamp;

use super::{Reader, count, instant, opt_count, text};
use crate::db::Db;
use crate::fault::Fault;
use crate::schema::HEARTBEAT;
use crate::val::{Row, Val, Write};

/// An instance, and its last heartbeat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredHeartbeat {
    pub integration: String,
    /// Empty where the sender names none.
    pub instance: String,
    pub first_seen_at: Timestamp,
    pub last_seen_at: Timestamp,
    /// From when the time to the next one counts: from the last, or from when this program could hear again.
    pub counts_from: Timestamp,
    /// The occurrence of the live expectation of the next one; nothing once it was missed.
    pub awaited: Option<u64>,
    /// Heartbeats, and times that one was missed: each writes the row anew.
    pub writes: u64,
}

const COLUMNS: &str = "integration, instance, first_seen_at, last_seen_at, counts_from, awaited, writes";

/// The first of an instance.
#[must_use]
pub fn first(h: &StoredHeartbeat) -> Write {
    Write::Insert {
        table: &HEARTBEAT,
        row: vec![
            text(&h.integration),
            text(&h.instance),
            instant(h.first_seen_at),
            instant(h.last_seen_at),
            instant(h.counts_from),
            opt_count(h.awaited),
            count(h.writes),
        ],
    }
}

/// A later state; a conflict where somebody else wrote it since it was read.
#[must_use]
pub fn next(h: &StoredHeartbeat) -> Write {
    Write::Exec {
        table: &HEARTBEAT,
        sql: "update heartbeat set last_seen_at = ?3, counts_from = ?4, awaited = ?5, writes = writes + 1 \
              where integration = ?1 and instance = ?2 and writes = ?6",
        args: vec![
            text(&h.integration),
            text(&h.instance),
            instant(h.last_seen_at),
            instant(h.counts_from),
            opt_count(h.awaited),
            count(h.writes),
        ],
        expect: Some(1),
    }
}

/// Forgets an instance that nobody waits for any more.
#[must_use]
pub fn forget(integration: &str, instance: &str) -> Write {
    Write::Exec {
        table: &HEARTBEAT,
        sql: "delete from heartbeat where integration = ?1 and instance = ?2",
        args: vec![text(integration), text(instance)],
        expect: None,
    }
}

fn stored(row: &Row) -> Result<StoredHeartbeat, Fault> {
    let mut r = Reader::new(row);
    Ok(StoredHeartbeat {
        integration: r.text()?,
        instance: r.text()?,
        first_seen_at: r.instant()?,
        last_seen_at: r.instant()?,
        counts_from: r.instant()?,
        awaited: r.opt_count()?,
        writes: r.count()?,
    })
}

/// One instance, and how many its integration has.
///
/// # Errors
/// When the store does not answer.
pub async fn get(db: &Db, integration: &str, instance: &str) -> Result<(Option<StoredHeartbeat>, u64), Fault> {
    let sql = format!("select {COLUMNS} from heartbeat where integration = ?1 and instance = ?2");
    let rows = db.read(&sql, vec![text(integration), text(instance)]).await?;
    if let Some(row) = rows.first() {
        return Ok((Some(stored(row)?), 0));
    }
    let rows = db.read("select count(*) from heartbeat where integration = ?1", vec![text(integration)]).await?;
    let many = rows.first().map_or(Ok(0), |row| Reader::new(row).count())?;
    Ok((None, many))
}

/// Those of one integration or of all: what was missed first, then by what was heard last, the oldest first.
///
/// # Errors
/// When the store does not answer.
pub async fn list(db: &Db, integration: Option<&str>, limit: i64) -> Result<Vec<StoredHeartbeat>, Fault> {
    let of = if integration.is_some() { "where integration = ?2" } else { "" };
    let sql = format!(
        "select {COLUMNS} from heartbeat {of} \
         order by case when awaited is null then 0 else 1 end, last_seen_at, integration, instance limit ?1"
    );
    let mut args = vec![Val::Int(limit)];
    args.extend(integration.map(text));
    let rows = db.read(&sql, args).await?;
    rows.iter().map(stored).collect()
}
