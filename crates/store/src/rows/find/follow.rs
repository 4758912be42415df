//! What whoever makes the index reads of the log and of alerts, and whether the index says what they say.

use allclear_domain::find::{Said, Thing, cut};
use allclear_domain::find::{said, said::alert_said, said::kinds};
use allclear_domain::ids::{AlertId, IncidentId};

use super::{Progress, write};
use crate::db::Db;
use crate::fault::Fault;
use crate::rows::{Reader, text};
use crate::val::Val;

/// Events of which the words are read together: some hundred KiB, and a few milliseconds of work.
pub const EVENTS_TOGETHER: i64 = 2_000;
/// Alerts of which the words are read together.
pub const ALERTS_TOGETHER: i64 = 1_000;

/// Kinds of events that say something, as a statement names them: names of ours, which have no quotes in them.
pub(super) fn speaking() -> String {
    let kinds: Vec<String> = kinds().map(|kind| format!("'{kind}'")).collect();
    kinds.join(", ")
}

/// Adds what the events after a number say, up to another.
///
/// # Errors
/// When the store does not answer.
pub async fn events(db: &Db, batch: &mut write::Batch, after: i64, to: i64) -> Result<(), Fault> {
    let sql = format!("select seq, kind, body, incident from event where seq > ?1 and seq <= ?2 and kind in ({}) order by seq", speaking());
    for row in &db.read(&sql, vec![Val::Int(after), Val::Int(to)]).await? {
        let mut r = Reader::new(row);
        let (seq, kind, body): (i64, String, Option<String>) = (r.int()?, r.text()?, r.opt_text()?);
        let incident: Option<IncidentId> = r.opt_text()?.and_then(|id| id.parse().ok());
        if let Some(Said { thing, text }) = said(&kind, body.as_deref()) {
            batch.put(thing, seq, &cut(&text), incident);
        }
    }
    Ok(())
}

/// Adds what the alerts after an id say; gives their ids.
///
/// # Errors
/// When the store does not answer.
pub async fn alerts(db: &Db, batch: &mut write::Batch, after: &str, known: impl Fn(AlertId) -> bool) -> Result<Vec<AlertId>, Fault> {
    let sql = "select id, title, source, detail from alert where id > ?1 order by id limit ?2";
    let mut ids = Vec::new();
    for row in &db.read(sql, vec![text(after), Val::Int(ALERTS_TOGETHER)]).await? {
        let mut r = Reader::new(row);
        let id: AlertId = r.parse()?;
        ids.push(id);
        if known(id) {
            continue;
        }
        let (title, source, detail) = (r.text()?, r.opt_text()?, r.text()?);
        let said = alert_said(&title, source.as_deref(), &serde_json::from_str(&detail).unwrap_or_default());
        // Its incident may become another, so that it is not found by one.
        batch.put(Thing::Alert, super::place_of(id), &cut(&said), None);
    }
    Ok(ids)
}

/// Of a sample of what was read, places that a word lacks: each says which.
///
/// # Errors
/// When the store does not answer.
pub async fn misfits(db: &Db, progress: &Progress, sample: i64) -> Result<Vec<String>, Fault> {
    let sql = format!(
        "select seq, kind, body, incident from event where seq >= ?1 and seq <= ?2 and kind in ({}) order by seq limit 1",
        speaking()
    );
    let mut out = Vec::new();
    let mut last = 0;
    for n in 0..sample {
        let from = progress.seq.saturating_mul(n) / sample.max(1);
        let rows = db.read(&sql, vec![Val::Int(from.max(last + 1)), Val::Int(progress.seq)]).await?;
        let Some(row) = rows.first() else { break };
        let mut r = Reader::new(row);
        let (seq, kind, body): (i64, String, Option<String>) = (r.int()?, r.text()?, r.opt_text()?);
        last = seq;
        let incident: Option<IncidentId> = r.opt_text()?.and_then(|id| id.parse().ok());
        let Some(Said { thing, text }) = said(&kind, body.as_deref()) else { continue };
        if let Some(missing) = write::lacks(db, thing, seq, &cut(&text), incident).await? {
            out.push(format!("event {seq} (`{kind}`) is not found by {missing}"));
        }
    }
    Ok(out)
}
