//! Targets that do not answer, seen by all nodes.

use allclear_domain::time::Length;
use jiff::Timestamp;

use super::{Reader, instant, text};
use crate::db::Db;
use crate::fault::Fault;
use crate::schema::CIRCUIT;
use crate::val::{Val, Write};

/// A target that does not answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// The host of a webhook without path and login, or the mail server.
    pub target: String,
    /// How it failed.
    pub why: String,
    pub since: Timestamp,
    /// How long the wait before the next probe is.
    pub wait: Length,
    /// When one message may try whether it answers.
    pub probe_at: Timestamp,
}

/// It does not answer any more.
#[must_use]
pub fn put(open: &Open) -> Write {
    let wait = Val::Int(i64::try_from(open.wait.as_millis()).unwrap_or(i64::MAX));
    Write::Upsert { table: &CIRCUIT, row: vec![text(&open.target), text(&open.why), instant(open.since), wait, instant(open.probe_at)] }
}

/// A node takes the probe; only one of them can.
#[must_use]
pub fn probe(before: &Open, after: &Open) -> Write {
    let wait = Val::Int(i64::try_from(after.wait.as_millis()).unwrap_or(i64::MAX));
    Write::Exec {
        table: &CIRCUIT,
        sql: "update circuit set wait_ms = ?3, probe_at = ?4 where target = ?1 and probe_at = ?2",
        args: vec![text(&before.target), instant(before.probe_at), wait, instant(after.probe_at)],
        expect: Some(1),
    }
}

/// It answers again.
#[must_use]
pub fn close(target: &str) -> Write {
    Write::Exec { table: &CIRCUIT, sql: "delete from circuit where target = ?1", args: vec![text(target)], expect: None }
}

/// All that are open.
pub async fn all(db: &Db) -> Result<Vec<Open>, Fault> {
    let rows = db.read("select target, why, since, wait_ms, probe_at from circuit order by target", vec![]).await?;
    rows.iter()
        .map(|row| {
            let mut r = Reader::new(row);
            Ok(Open {
                target: r.text()?,
                why: r.text()?,
                since: r.instant()?,
                wait: Length::from_millis(r.count()?),
                probe_at: r.instant()?,
            })
        })
        .collect()
}
