//! The log.

use allclear_domain::access::Reach;
use allclear_domain::event::{Hash, Head, Mode, Sealed, Stream};
use allclear_domain::ids::IncidentId;
use allclear_domain::tlp::Tlp;
use jiff::Timestamp;

use super::{Reader, count, instant, opt_text, text};
use crate::db::Db;
use crate::fault::Fault;
use crate::schema::EVENT;
use crate::val::{Row, Val, Write};

/// Most events one read gives.
pub const EVENTS_PER_READ_MAX: i64 = 1000;

/// An event as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredEvent {
    pub seq: i64,
    pub stream: String,
    pub version: u64,
    pub incident: Option<String>,
    pub kind: String,
    pub v: u16,
    pub at: Timestamp,
    pub recorded_at: Timestamp,
    pub actor: String,
    pub cause: String,
    /// Absent after a redaction.
    pub body: Option<String>,
    pub salt: Option<Vec<u8>>,
    pub body_hash: Hash,
    pub hash: Hash,
    /// How far it may go; nothing where nobody said.
    pub marking: Option<Tlp>,
    /// Live or exercise.
    pub mode: Mode,
}

/// Appends an event; another node that was first makes this a conflict.
#[must_use]
pub fn append(event: &Sealed) -> Write {
    let draft = &event.draft;
    Write::Insert {
        table: &EVENT,
        row: vec![
            text(&draft.stream),
            count(event.version),
            opt_text(draft.incident),
            Val::Text(draft.kind.to_owned()),
            Val::Int(i64::from(draft.v)),
            instant(draft.at),
            instant(event.recorded_at),
            text(&draft.actor),
            Val::Text(draft.cause.clone()),
            Val::Text(draft.mode.word().to_owned()),
            draft.marking.map_or(Val::Null, |marking| Val::Text(marking.word().to_owned())),
            Val::Text(draft.body.clone()),
            Val::Bytes(event.salt.to_vec()),
            Val::Bytes(event.body_hash.to_vec()),
            Val::Bytes(event.hash.to_vec()),
        ],
    }
}

/// Appends an event that was written elsewhere, as it is; its place in the log is a new one.
#[must_use]
pub fn append_as_stored(event: &StoredEvent) -> Write {
    let bytes = |bytes: &[u8]| Val::Bytes(bytes.to_vec());
    let opt = |text: &Option<String>| text.clone().map_or(Val::Null, Val::Text);
    Write::Insert {
        table: &EVENT,
        row: vec![
            text(&event.stream),
            count(event.version),
            opt(&event.incident),
            text(&event.kind),
            Val::Int(i64::from(event.v)),
            instant(event.at),
            instant(event.recorded_at),
            text(&event.actor),
            text(&event.cause),
            text(event.mode.word()),
            event.marking.map_or(Val::Null, |marking| text(marking.word())),
            opt(&event.body),
            event.salt.as_deref().map_or(Val::Null, bytes),
            bytes(&event.body_hash),
            bytes(&event.hash),
        ],
    }
}

/// Erases what an event says; its place and its hash stay.
#[must_use]
pub fn redact(stream: &Stream, version: u64) -> Write {
    Write::Exec {
        table: &EVENT,
        sql: "update event set body = null, salt = null where stream = ?1 and version = ?2",
        args: vec![text(stream), count(version)],
        expect: Some(1),
    }
}

const COLUMNS: &str = "seq, stream, version, incident, kind, v, at, recorded_at, actor, cause, body, salt, body_hash, hash, marking, mode";

fn stored(row: &Row) -> Result<StoredEvent, Fault> {
    let mut r = Reader::new(row);
    Ok(StoredEvent {
        seq: r.int()?,
        stream: r.text()?,
        version: r.count()?,
        incident: r.opt_text()?,
        kind: r.text()?,
        v: u16::try_from(r.int()?).unwrap_or(0),
        at: r.instant()?,
        recorded_at: r.instant()?,
        actor: r.text()?,
        cause: r.text()?,
        body: r.opt_text()?,
        salt: r.opt_bytes()?.map(<[u8]>::to_vec),
        body_hash: r.hash()?,
        hash: r.hash()?,
        marking: r.opt_text()?.as_deref().and_then(Tlp::from_word),
        mode: Mode::from_word(&r.text()?),
    })
}

/// Events of an incident and its pages after `seq`, in the log's order.
pub async fn of_incident(db: &Db, incident: IncidentId, after_seq: i64, limit: i64) -> Result<Vec<StoredEvent>, Fault> {
    let rows = db
        .read(
            &format!("select {COLUMNS} from event where incident = ?1 and seq > ?2 order by seq limit ?3"),
            vec![text(incident), Val::Int(after_seq), Val::Int(limit.min(EVENTS_PER_READ_MAX))],
        )
        .await?;
    rows.iter().map(stored).collect()
}

/// The newest events of an incident and its pages, in the log's order.
///
/// # Errors
/// When the store does not answer.
pub async fn last_of_incident(db: &Db, incident: IncidentId, limit: i64) -> Result<Vec<StoredEvent>, Fault> {
    let sql = format!("select {COLUMNS} from event where incident = ?1 order by seq desc limit ?2");
    let rows = db.read(&sql, vec![text(incident), Val::Int(limit.min(EVENTS_PER_READ_MAX))]).await?;
    rows.iter().rev().map(stored).collect()
}

/// Events of an incident and its pages after `seq`, of these kinds only, and of the notes with these numbers in the incident's own log.
pub async fn key_of_incident(
    db: &Db,
    incident: IncidentId,
    after_seq: i64,
    limit: i64,
    kinds: &[&str],
    (noted, notes): (&str, &[u64]),
) -> Result<Vec<StoredEvent>, Fault> {
    let mut args = vec![text(incident), Val::Int(after_seq), Val::Int(limit.min(EVENTS_PER_READ_MAX)), Val::Text(noted.to_owned())];
    let mut listed = |values: Vec<Val>| {
        let from = args.len() + 1;
        let marks: Vec<String> = (from..from + values.len()).map(|n| format!("?{n}")).collect();
        args.extend(values);
        if marks.is_empty() { "null".to_owned() } else { marks.join(", ") }
    };
    let kinds = listed(kinds.iter().map(|kind| Val::Text((*kind).to_owned())).collect());
    let notes = listed(notes.iter().map(|version| count(*version)).collect());
    let sql = format!(
        "select {COLUMNS} from event where incident = ?1 and seq > ?2 \
         and (kind in ({kinds}) or (kind = ?4 and version in ({notes}))) order by seq limit ?3"
    );
    let rows = db.read(&sql, args).await?;
    rows.iter().map(stored).collect()
}

/// The words of the index `event_declined`.
pub(super) fn declined_sql() -> String {
    format!("select {COLUMNS} from event where incident = ?1 and kind = 'declined' order by seq limit ?2")
}

/// Who passed a page of an incident on, oldest first.
pub async fn declined_of(db: &Db, incident: IncidentId, limit: i64) -> Result<Vec<StoredEvent>, Fault> {
    let rows = db.read(&declined_sql(), vec![text(incident), Val::Int(limit.min(EVENTS_PER_READ_MAX))]).await?;
    rows.iter().map(stored).collect()
}

/// Steps of live pages that asked somebody in a period, oldest first, as far as the reader may see their incidents: from an instant on,
/// and there after `seq`. The words of the index `event_step_reached`.
pub async fn steps_reached(
    db: &Db,
    (from, after_seq): (Timestamp, i64),
    to: Timestamp,
    reach: &Reach,
    limit: i64,
) -> Result<Vec<StoredEvent>, Fault> {
    let mut args = vec![instant(from), instant(to), Val::Int(limit.min(EVENTS_PER_READ_MAX)), Val::Int(after_seq)];
    let seen = super::reader::seen_with(reach, "event.incident", &mut args);
    let sql = format!(
        "select {COLUMNS} from event where kind = 'step_reached' and at >= ?1 and (at > ?1 or seq > ?4) and at < ?2 and mode = 'live' and {seen} order by at, seq limit ?3"
    );
    let rows = db.read(&sql, args).await?;
    rows.iter().map(stored).collect()
}

/// Events of one stream after a version.
pub async fn of_stream(db: &Db, stream: &str, after_version: u64, limit: i64) -> Result<Vec<StoredEvent>, Fault> {
    let rows = db
        .read(
            &format!("select {COLUMNS} from event where stream = ?1 and version > ?2 order by version limit ?3"),
            vec![text(stream), count(after_version), Val::Int(limit.min(EVENTS_PER_READ_MAX))],
        )
        .await?;
    rows.iter().map(stored).collect()
}

/// The logs that have something on the timeline of an incident: its own, its pages', its review's, its actions'.
///
/// # Errors
/// When the store does not answer.
pub async fn streams_of_incident(db: &Db, incident: IncidentId) -> Result<Vec<String>, Fault> {
    let rows = db.read("select distinct stream from event where incident = ?1 order by stream", vec![text(incident)]).await?;
    rows.iter().map(|row| Ok(row.text(0)?.to_owned())).collect()
}

/// All events after `seq`, in the log's order. On PostgreSQL a transaction that took its number
/// earlier may commit later; readers that must not miss one stop below the oldest running one.
pub async fn after(db: &Db, after_seq: i64, limit: i64, reach: &Reach) -> Result<Vec<StoredEvent>, Fault> {
    let mut args = vec![Val::Int(after_seq), Val::Int(limit.min(EVENTS_PER_READ_MAX))];
    let seen = super::reader::seen_with(reach, "event.incident", &mut args);
    let sql = match db.dialect() {
        crate::Dialect::Sqlite => format!("select {COLUMNS} from event where seq > ?1 and {seen} order by seq limit ?2"),
        crate::Dialect::Postgres => format!(
            "select {COLUMNS} from event where seq > ?1 and {seen} \
             and age(xmin) > age(pg_snapshot_xmin(pg_current_snapshot())::xid) order by seq limit ?2"
        ),
    };
    let rows = db.read(&sql, args).await?;
    rows.iter().map(stored).collect()
}

/// Where a stream stands.
pub async fn head(db: &Db, stream: &Stream) -> Result<Option<Head>, Fault> {
    let sql = "select version, hash from event where stream = ?1 order by version desc limit 1";
    let rows = db.read(sql, vec![text(stream)]).await?;
    rows.first()
        .map(|row| {
            let mut r = Reader::new(row);
            Ok(Head { version: r.count()?, hash: r.hash()? })
        })
        .transpose()
}

/// The number of the newest event; 0 in an empty log.
pub async fn newest_seq(db: &Db) -> Result<i64, Fault> {
    let rows = db.read("select coalesce(max(seq), 0) from event", vec![]).await?;
    rows.first().map_or(Ok(0), |row| row.int(0))
}

/// When the newest event was written down, by the clock of whoever wrote it.
pub async fn newest_at(db: &Db) -> Result<Option<Timestamp>, Fault> {
    let rows = db.read("select recorded_at from event order by seq desc limit 1", vec![]).await?;
    rows.first().map(|row| Reader::new(row).instant()).transpose()
}
