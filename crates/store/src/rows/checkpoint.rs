//! Checkpoints of the log: made by a server now and then, read by whoever verifies.

use allclear_domain::checkpoint::{Checkpoint, Line};

use super::{Reader, count, meta};
use crate::db::Db;
use crate::fault::Fault;
use crate::schema::CHECKPOINT;
use crate::sql_text::Dialect;
use crate::val::{Row, Val, Write};

/// Checkpoints read at a time.
const READ_MAX: i64 = 1_000;

/// Writes one. Another node that was first makes this a conflict. The named value says how many there are, so that the
/// last one is missed as well.
#[must_use]
pub fn put(made: &Checkpoint) -> [Write; 2] {
    [
        Write::Insert {
            table: &CHECKPOINT,
            row: vec![
                count(made.number),
                Val::Int(made.to_seq),
                count(made.events),
                Val::Int(made.at),
                Val::Bytes(made.digest.to_vec()),
                Val::Bytes(made.hash.to_vec()),
            ],
        },
        meta::put(meta::CHECKPOINTS, &made.number.to_string()),
    ]
}

fn stored(row: &Row) -> Result<Checkpoint, Fault> {
    let mut r = Reader::new(row);
    Ok(Checkpoint { number: r.count()?, to_seq: r.int()?, events: r.count()?, at: r.int()?, digest: r.hash()?, hash: r.hash()? })
}

const COLUMNS: &str = "number, to_seq, events, at, digest, hash";

/// The newest.
///
/// # Errors
/// When the store does not answer.
pub async fn newest(db: &Db) -> Result<Option<Checkpoint>, Fault> {
    let rows = db.read(&format!("select {COLUMNS} from checkpoint order by number desc limit 1"), vec![]).await?;
    rows.first().map(stored).transpose()
}

/// Those after a number, in order and some at a time, each with its number; one that does not read is `None`.
///
/// # Errors
/// When the store does not answer.
pub async fn after(db: &Db, number: i64) -> Result<Vec<(i64, Option<Checkpoint>)>, Fault> {
    let sql = format!("select {COLUMNS} from checkpoint where number > ?1 order by number limit ?2");
    let rows = db.read(&sql, vec![Val::Int(number), Val::Int(READ_MAX)]).await?;
    rows.iter().map(|row| Ok((row.int(0)?, stored(row).ok()))).collect()
}

/// What a checkpoint covers of each event after `seq`, up to and with `to`, in order.
pub(crate) async fn lines(db: &Db, after: i64, to: i64, limit: i64) -> Result<Vec<Row>, Fault> {
    let sql = "select seq, stream, version, incident, mode, marking, recorded_at, hash from event \
               where seq > ?1 and seq <= ?2 order by seq limit ?3";
    db.read(sql, vec![Val::Int(after), Val::Int(to), Val::Int(limit)]).await
}

/// One of them; `None` where it does not read as what was written.
pub(crate) fn line(row: &Row) -> Option<Line<'_>> {
    Some(Line {
        seq: row.int(0).ok()?,
        stream: row.text(1).ok()?,
        version: u64::try_from(row.int(2).ok()?).ok()?,
        incident: row.opt_text(3).ok()?,
        mode: row.text(4).ok()?,
        marking: row.opt_text(5).ok()?,
        recorded_at: row.int(6).ok()?,
        hash: row.bytes(7).ok()?.try_into().ok()?,
    })
}

/// Events after `seq`, up to and with `to`, as the next checkpoint covers them; at most `limit`. Empty where one does
/// not read: then nothing is sealed, and `verify` names it.
///
/// # Errors
/// When the store does not answer.
pub async fn next_range(db: &Db, after: i64, to: i64, limit: i64) -> Result<Option<(i64, allclear_domain::checkpoint::Range)>, Fault> {
    let rows = lines(db, after, to, limit).await?;
    let mut range = allclear_domain::checkpoint::Range::default();
    let mut last = None;
    for row in &rows {
        let Some(line) = line(row) else { return Ok(None) };
        range.add(line);
        last = Some(line.seq);
    }
    Ok(last.map(|last| (last, range)))
}

/// How far the log reaches, and the mark by which [`is_past`] tells later that nothing before that can still arrive.
///
/// # Errors
/// When the store does not answer.
pub async fn reach(db: &Db) -> Result<(i64, Option<String>), Fault> {
    let sql = match db.dialect() {
        Dialect::Sqlite => "select coalesce(max(seq), 0), null from event",
        Dialect::Postgres => "select coalesce(max(seq), 0), cast(pg_snapshot_xmax(pg_current_snapshot()) as text) from event",
    };
    let rows = db.read(sql, vec![]).await?;
    rows.first().map_or(Ok((0, None)), |row| Ok((row.int(0)?, row.opt_text(1)?.map(ToOwned::to_owned))))
}

/// Whether every transaction that had begun at the mark has ended.
///
/// # Errors
/// When the store does not answer.
pub async fn is_past(db: &Db, mark: &str) -> Result<bool, Fault> {
    let sql = "select pg_snapshot_xmin(pg_current_snapshot()) >= cast(cast(?1 as text) as xid8)";
    db.read(sql, vec![mark.into()]).await?.first().map_or(Ok(false), |row| row.bool(0))
}
