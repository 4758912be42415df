//! Whether the log is what was written: each stream's chain, its end, and the checkpoints over all of it.
//!
//! Reads what is stored as it is, so that nothing somebody may have put there ends the examination: a value that does
//! not read is a finding like any other. Holds a thousand events at a time, however many there are.

use allclear_domain::checkpoint::Range;
use allclear_domain::event::{Covered, GENESIS, Hash, body_hash, chain, chain_first};
use serde_json::Value;

use super::{Reader, checkpoint, meta};
use crate::db::Db;
use crate::fault::Fault;
use crate::schema::{ACTION, INCIDENT, PAGE, REVIEW};
use crate::val::{Row, Table, Val};

/// Events read at a time.
const BATCH: i64 = 1_000;
/// Tables whose rows are folds of a log, and say how far it reaches.
const FOLDS: [&Table; 4] = [&INCIDENT, &PAGE, &REVIEW, &ACTION];

/// What was found in one stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Its name.
    pub stream: String,
    /// The first event that is not what was written.
    pub version: u64,
    /// In what way.
    pub why: &'static str,
}

/// A part of the log that is not what a checkpoint says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenRange {
    /// The events after this one …
    pub after_seq: i64,
    /// … up to this one.
    pub to_seq: i64,
    /// In what way.
    pub why: &'static str,
}

/// Walks every stream's chain; the number of events, and the first break of each broken stream.
///
/// # Errors
/// When the store does not answer.
pub async fn chains(db: &Db) -> Result<(u64, Vec<Broken>), Fault> {
    let sql = "select stream, version, kind, v, at, actor, cause, body, salt, body_hash, hash, incident, mode, marking, recorded_at \
               from event where (stream = ?1 and version > ?2) or stream > ?1 order by stream, version limit ?3";
    let mut broken: Vec<Broken> = Vec::new();
    let mut read = 0_u64;
    let mut at = (Val::Text(String::new()), Val::Int(0));
    let mut before = 0_u64;
    let mut previous = GENESIS;
    let mut named = false;
    loop {
        let rows = db.read(sql, vec![at.0.clone(), at.1.clone(), Val::Int(BATCH)]).await?;
        if rows.is_empty() {
            return Ok((read, broken));
        }
        for row in &rows {
            read += 1;
            let [stream, version] = [&row.0[0], &row.0[1]];
            if *stream != at.0 {
                (before, previous, named) = (0, GENESIS, false);
            }
            let number = if let Val::Int(number) = version { u64::try_from(*number).unwrap_or(0) } else { 0 };
            if let Some(why) = misfit(row, before, &previous).filter(|_| !named) {
                broken.push(Broken { stream: row.text(0).unwrap_or("a stream without a name").to_owned(), version: number, why });
                named = true;
            }
            before = number;
            previous = row.bytes(10).ok().and_then(|hash| hash.try_into().ok()).unwrap_or(GENESIS);
            at = (stream.clone(), version.clone());
        }
    }
}

/// What is wrong with an event, given the number and the hash before it.
fn misfit(row: &Row, before: u64, previous: &Hash) -> Option<&'static str> {
    let Some((covered, body)) = covered(row) else { return Some("it does not read as an event that was written here") };
    if covered.version != before + 1 {
        return Some("an event before it is missing");
    }
    match body {
        (None, None) => {}
        (Some(body), Some(salt)) => match salt.try_into() {
            Ok(salt) if body_hash(&salt, body) == *covered.body_hash => {}
            _ => return Some("its body was changed"),
        },
        _ => return Some("only half of a redaction was carried out"),
    }
    let hash = row.bytes(10).ok()?;
    (hash != chain(previous, covered) && hash != chain_first(previous, covered))
        .then_some("it is not what was written after the event before it")
}

type Body<'a> = (Option<&'a str>, Option<&'a [u8]>);

fn covered(row: &Row) -> Option<(Covered<'_>, Body<'_>)> {
    let covered = Covered {
        stream: row.text(0).ok()?,
        version: u64::try_from(row.int(1).ok()?).ok()?,
        kind: row.text(2).ok()?,
        v: u16::try_from(row.int(3).ok()?).ok()?,
        at: row.int(4).ok()?,
        actor: row.text(5).ok()?,
        cause: row.text(6).ok()?,
        body_hash: row.bytes(9).ok()?.try_into().ok()?,
        incident: row.opt_text(11).ok()?,
        mode: row.text(12).ok()?,
        marking: row.opt_text(13).ok()?,
        recorded_at: row.int(14).ok()?,
    };
    let _: &Hash = row.bytes(10).ok()?.try_into().ok()?;
    Some((covered, (row.opt_text(7).ok()?, row.opt_bytes(8).ok()?)))
}

/// Streams whose last events were cut off end before their row says; and streams that have no row.
///
/// # Errors
/// When the store does not answer.
pub async fn ends(db: &Db) -> Result<Vec<Broken>, Fault> {
    let of = |table: &Table| format!("select id, version, hash from {}", table.name);
    let union = FOLDS.map(of).join(" union all ");
    let sql = format!(
        "select s.id, s.version from ({union}) s left join event e on e.stream = s.id and e.version = s.version \
         where e.hash is null or e.hash <> s.hash"
    );
    let without = FOLDS.map(|table| format!("not exists (select 1 from {} f where f.id = e.stream)", table.name)).join(" and ");
    let orphans = format!("select distinct e.stream from event e where e.stream not like 'form/%' and e.stream <> 'store' and {without}");
    let mut broken = Vec::new();
    for row in &db.read(&sql, vec![]).await? {
        let mut r = Reader::new(row);
        broken.push(Broken { stream: r.text()?, version: r.count()?, why: "the log ends before or differs from what its row says" });
    }
    for row in &db.read(&orphans, vec![]).await? {
        broken.push(Broken { stream: row.text(0)?.to_owned(), version: 0, why: "the row that its log makes is missing" });
    }
    Ok(broken)
}

/// Compares the log with its checkpoints; what does not fit, and how many events came after the last checkpoint.
///
/// # Errors
/// When the store does not answer.
pub async fn checkpoints(db: &Db) -> Result<(Vec<BrokenRange>, u64), Fault> {
    let mut broken = Vec::new();
    // A server beside this makes more of them meanwhile: what is found lies between the counts before and after.
    let counted = counted(db).await?;
    let (mut number, mut covered_to, mut previous) = (0_i64, 0_i64, GENESIS);
    loop {
        let some = checkpoint::after(db, number).await?;
        if some.is_empty() {
            break;
        }
        for (stored, made) in some {
            let mut misfit = |to_seq: i64, why| broken.push(BrokenRange { after_seq: covered_to, to_seq, why });
            if stored != number + 1 {
                misfit(covered_to, "a checkpoint is missing");
            }
            number = stored;
            let Some(made) = made else {
                misfit(covered_to, "a checkpoint does not read");
                continue;
            };
            if made.chained(&previous) != made.hash {
                misfit(made.to_seq, "a checkpoint is not what was written after the one before it");
            }
            match digest(db, covered_to, made.to_seq).await? {
                None => misfit(made.to_seq, "an event there does not read"),
                Some((events, _)) if events < made.events => misfit(made.to_seq, "events are missing there"),
                Some((events, _)) if events > made.events => misfit(made.to_seq, "events were put in there"),
                Some((_, found)) if found != made.digest => {
                    misfit(made.to_seq, "events there are not what they were, or not in their order")
                }
                Some(_) => {}
            }
            (covered_to, previous) = (made.to_seq.max(covered_to), made.hash);
        }
    }
    if counted.is_none_or(|counted| number < counted) {
        broken.push(BrokenRange { after_seq: covered_to, to_seq: covered_to, why: "the last checkpoints are missing" });
    }
    if counted.is_some() && self::counted(db).await?.is_some_and(|counted| number > counted) {
        broken.push(BrokenRange { after_seq: covered_to, to_seq: covered_to, why: "there are more checkpoints than were made" });
    }
    let rows = db.read("select count(*) from event where seq > ?1", vec![Val::Int(covered_to)]).await?;
    let unsealed = rows.first().map_or(Ok(0), |row| row.int(0))?;
    Ok((broken, u64::try_from(unsealed).unwrap_or(0)))
}

/// How many checkpoints there should be; nothing where that does not read.
async fn counted(db: &Db) -> Result<Option<i64>, Fault> {
    Ok(meta::get(db, meta::CHECKPOINTS).await?.map_or(Some(0), |counted| counted.parse().ok()))
}

async fn digest(db: &Db, after: i64, to: i64) -> Result<Option<(u64, Hash)>, Fault> {
    let mut range = Range::default();
    let mut at = after;
    loop {
        let rows = checkpoint::lines(db, at, to, BATCH).await?;
        if rows.is_empty() {
            return Ok(Some((range.events(), range.digest())));
        }
        for row in &rows {
            let Some(line) = checkpoint::line(row) else { return Ok(None) };
            at = line.seq;
            range.add(line);
        }
    }
}

/// The row of a stream as it lies in its table, in the order of the table's columns.
///
/// # Errors
/// When the store does not answer.
pub async fn raw(db: &Db, table: &Table, id: &str) -> Result<Option<Vec<Val>>, Fault> {
    let columns: Vec<String> = table.columns.iter().map(|(name, _)| format!("\"{name}\"")).collect();
    let sql = format!("select {} from {} where id = ?1", columns.join(", "), table.name);
    Ok(db.read(&sql, vec![id.into()]).await?.pop().map(|row| row.0))
}

/// Fields that rows of earlier versions lack though their logs say them: table, column, key. None of them tells a reader
/// more than the log does; where one is there it has to be right.
const ADDED_LATER: [(&str, &str, &str); 4] =
    [("page", "asks", "due_at"), ("page", "entries", "due_at"), ("incident", "alarms", "by_itself"), ("incident", "work", HOLD)];
/// Who has an incident: the rows of open ones were told, see [`meta::HOLDERS`].
const HOLD: &str = "hold";

/// Whether a row is the one that would be written, or was by an earlier version; the name of the first column that
/// differs. With `holders_known` the rows of open incidents say who has them.
#[must_use]
pub fn differs(table: &Table, found: &[Val], wanted: &[Val], holders_known: bool) -> Option<&'static str> {
    let alike = |found: &Val, wanted: &Val| match (found, wanted) {
        // SQLite reads a Bool back as a number.
        (Val::Int(found), Val::Bool(wanted)) => *found == i64::from(*wanted),
        (found, wanted) => found == wanted,
    };
    let columns = || table.columns.iter().map(|(name, _)| *name).zip(found.iter().zip(wanted));
    let is_open = columns().any(|(name, (_, wanted))| name == "open" && *wanted == Val::Bool(true));
    let added = |column: &str| -> Vec<&'static str> {
        let judged = |key: &str| key == HOLD && holders_known && is_open;
        ADDED_LATER.iter().filter(|(of, name, key)| *of == table.name && *name == column && !judged(key)).map(|(_, _, key)| *key).collect()
    };
    columns().find(|(name, (found, wanted))| !alike(found, wanted) && !lacks_only(found, wanted, &added(name))).map(|(name, _)| name)
}

/// Whether a stored JSON is the wanted one but for keys that are not there.
fn lacks_only(found: &Val, wanted: &Val, keys: &[&str]) -> bool {
    let read = |text: &str| serde_json::from_str::<Value>(text).ok();
    let Val::Text(wanted) = wanted else { return false };
    let Some(mut wanted) = read(wanted).filter(|_| !keys.is_empty()) else { return false };
    match found {
        Val::Text(found) => read(found).is_some_and(|found| {
            // Of one value another text was put in by somebody.
            let another = found != wanted;
            drop_lacking(&found, &mut wanted, keys);
            another && found == wanted
        }),
        // Nothing is written where all is as usual; counts of nothing are.
        Val::Null => wanted.as_object().is_some_and(|all| all.iter().all(|(key, value)| keys.contains(&key.as_str()) || *value == 0)),
        Val::Bool(_) | Val::Int(_) | Val::Bytes(_) => false,
    }
}

/// Takes those keys out of an object, or of each object of a list, that the stored one lacks.
fn drop_lacking(found: &Value, wanted: &mut Value, keys: &[&str]) {
    match (found, wanted) {
        (Value::Object(found), Value::Object(wanted)) => wanted.retain(|key, _| found.contains_key(key) || !keys.contains(&key.as_str())),
        (Value::Array(found), Value::Array(wanted)) => {
            found.iter().zip(wanted).for_each(|(found, wanted)| drop_lacking(found, wanted, keys));
        }
        // Compared as they are.
        (_, _) => {}
    }
}

/// Names of streams after one of them, in the database's order.
///
/// # Errors
/// When the store does not answer.
pub async fn streams_after(db: &Db, after: &str, limit: i64) -> Result<Vec<String>, Fault> {
    let sql = "select distinct stream from event where stream > ?1 order by stream limit ?2";
    db.read(sql, vec![after.into(), Val::Int(limit)]).await?.iter().map(|row| Ok(row.text(0)?.to_owned())).collect()
}

/// The last word of the log about each form: its stream and the event's body.
///
/// # Errors
/// When the store does not answer.
pub async fn last_of_forms(db: &Db) -> Result<Vec<(String, Option<String>)>, Fault> {
    let sql = "select e.stream, e.body from event e where e.stream like 'form/%' \
               and e.version = (select max(o.version) from event o where o.stream = e.stream) order by e.stream";
    db.read(sql, vec![]).await?.iter().map(|row| Ok((row.text(0)?.to_owned(), row.opt_text(1)?.map(ToOwned::to_owned)))).collect()
}
