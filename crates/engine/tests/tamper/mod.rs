//! A thousand edits of a store behind the program's back, each of them named by `verify`.
//!
//! What is edited: any column of any event; events removed, put in, exchanged, cut off at the end of a stream or of the log; any
//! column of the rows that logs make (incidents, pages, reviews, actions), who may see what, versions of forms; the
//! checkpoints themselves. Half of the streams have the hashes of the first releases. Deliberately not: alerts,
//! expectations, messages and what a form says, of which no log keeps the words, rows of logs that were redacted, and taking out of a
//! row all that an earlier version did not write into it, which looks like a row of then.

use std::path::Path;

use allclear_domain::event::{Covered, GENESIS, Hash, chain_first};
use allclear_domain::time::Length;
use allclear_engine::upkeep::Verified;
use allclear_engine::upkeep::checkpoints::{Rest, seal_next};
use allclear_store::{Access, Table, rows, schema};
use rusqlite::types::{FromSql, Value};
use rusqlite::{Connection, params};

use super::*;

mod rewritten;

const EDITS: u64 = 1_000;
const EVENT_COLUMNS: [&str; 16] = [
    "seq",
    "stream",
    "version",
    "incident",
    "kind",
    "v",
    "at",
    "recorded_at",
    "actor",
    "cause",
    "mode",
    "marking",
    "body",
    "salt",
    "body_hash",
    "hash",
];
/// Their words are lost, so their rows cannot be made again to compare them.
const REDACTED: &str = "select stream from event where body is null";
const FOLDS: [&Table; 4] = [&schema::INCIDENT, &schema::PAGE, &schema::REVIEW, &schema::ACTION];

/// Numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// A store with some of everything in its logs.
async fn lived_in(path: &Path) {
    let world = World::new(&format!("sqlite:{}", path.display())).await;
    for n in 0..8 {
        world.signal(SignalAction::Trigger, &format!("disk{n}"), &[]).await.unwrap();
    }
    world.advance(90).await;
    let all = world.incidents().await;
    for incident in &all[..4] {
        let yes = incident::attendance::Command::Acknowledge { by: Some("ana".into()), via: "api".into() };
        world.command(incident, yes).await.unwrap();
        world
            .command(incident, incident::record::Command::Note { text: "it was the cat".into(), happened_at: None, marking: None })
            .await
            .unwrap();
        let task = incident::tasks::Command::Add { text: "feed it".into(), owner: Some("ben".into()), due_at: None };
        world.command(incident, task).await.unwrap();
        world.command(incident, incident::access::Command::Restrict { why: "a cat".into(), people: vec!["ana".into()] }).await.unwrap();
    }
    for incident in &all[..2] {
        world.command(incident, incident::ending::Command::Resolve { note: None, waive: None }).await.unwrap();
        let id = incident.id.parse().unwrap();
        let ask =
            |command| Input { who: Principal::new(Actor::Person("ana".into()), Scope::Respond), cause: "api".into(), once: None, command };
        // Some severities have a review by themselves.
        let _ = world.engine.submit(ask(Command::AskReview { id })).await;
        let due = allclear_domain::action::Until::Instant(allclear_domain::time::after(world.engine.now(), Length::from_secs(86_400)));
        let add = Command::AddAction { incident: id, text: "close the door".into(), owner: "ana".into(), due };
        world.engine.submit(ask(add)).await.unwrap();
    }
    world.advance(400).await;
    // One event was redacted, as is allowed.
    let noted = world.engine.db().read("select stream, version from event where kind = 'noted' limit 1", vec![]).await.unwrap();
    let stream = allclear_domain::event::Stream::Incident(noted[0].text(0).unwrap().parse().unwrap());
    world.engine.db().commit(vec![rows::event::redact(&stream, u64::try_from(noted[0].int(1).unwrap()).unwrap())]).await.unwrap();
    world.engine.stop().await;
}

/// Gives every second stream the hashes of the first releases, and takes the guards away.
fn as_if_older(path: &Path) {
    let db = Connection::open(path).unwrap();
    let all =
        |sql: &str| -> Vec<String> { db.prepare(sql).unwrap().query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect() };
    for trigger in all("select name from sqlite_master where type = 'trigger'") {
        db.execute_batch(&format!("drop trigger \"{trigger}\"")).unwrap();
    }
    for stream in all("select distinct stream from event order by stream").iter().step_by(2) {
        let mut previous = GENESIS;
        let mut events =
            db.prepare("select seq, version, kind, v, at, actor, cause, body_hash from event where stream = ?1 order by version").unwrap();
        let mut rows = events.query([stream]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let (kind, actor, cause): (String, String, String) = (row.get(2).unwrap(), row.get(5).unwrap(), row.get(6).unwrap());
            let body_hash: Hash = row.get(7).unwrap();
            previous = chain_first(
                &previous,
                Covered {
                    stream,
                    version: row.get::<_, i64>(1).unwrap().unsigned_abs(),
                    kind: &kind,
                    v: row.get(3).unwrap(),
                    at: row.get(4).unwrap(),
                    actor: &actor,
                    cause: &cause,
                    body_hash: &body_hash,
                    incident: None,
                    mode: "",
                    marking: None,
                    recorded_at: 0,
                },
            );
            db.execute("update event set hash = ?1 where seq = ?2", params![previous, row.get::<_, i64>(0).unwrap()]).unwrap();
        }
        for table in FOLDS {
            db.execute(&format!("update {} set hash = ?1 where id = ?2", table.name), params![previous, stream]).unwrap();
        }
    }
}

async fn verified(path: &Path) -> Verified {
    let options = OpenOptions { readers: 1, ..OpenOptions::new(MIGRATIONS, TABLES) };
    let db = Db::open(&format!("sqlite:{}", path.display()), options.access(Access::ReadOnly)).await.unwrap();
    let found = upkeep::verify(&db).await.unwrap();
    db.close().await;
    found
}

/// Where an edit must be found.
#[derive(Debug)]
enum At {
    /// An event, by its stream and its number in the log.
    Event(String, i64),
    /// A row, by its id.
    Row(String),
    /// Somewhere among the checkpoints.
    Checkpoints,
}

impl At {
    fn is_named_by(&self, found: &Verified) -> bool {
        let rows = |id: &str| found.rows.iter().any(|line| line.contains(id)) || found.broken.iter().any(|b| b.stream == id);
        match self {
            Self::Event(stream, seq) => rows(stream) || found.ranges.iter().any(|r| r.after_seq < *seq && *seq <= r.to_seq),
            Self::Row(id) => rows(id),
            Self::Checkpoints => !found.ranges.is_empty(),
        }
    }
}

/// Another value of the same kind.
fn other(value: &Value, dice: &mut Dice) -> Value {
    match value {
        Value::Null => Value::Text("amber".into()),
        Value::Integer(number) => Value::Integer(number ^ (1 + i64::try_from(dice.below(7)).unwrap())),
        Value::Real(number) => Value::Real(number + 1.0),
        Value::Text(text) => Value::Text(format!("{text}x")),
        Value::Blob(bytes) => {
            let mut bytes = bytes.clone();
            let at = usize::try_from(dice.below(bytes.len() as u64)).unwrap();
            bytes[at] ^= 1 << dice.below(8);
            Value::Blob(bytes)
        }
    }
}

/// A cell of a row found by `key`, changed; `None` where the schema refuses it.
fn change(db: &Connection, table: &str, column: &str, key: (&str, &Value), dice: &mut Dice) -> Option<()> {
    let sql = format!("select \"{column}\" from {table} where {} = ?1", key.0);
    let now: Value = db.query_row(&sql, [key.1], |row| row.get(0)).unwrap();
    let to_null = now != Value::Null && dice.below(4) == 0;
    let new = if to_null { Value::Null } else { other(&now, dice) };
    let sql = format!("update {table} set \"{column}\" = ?1 where {} = ?2", key.0);
    db.execute(&sql, params![new, key.1]).ok().filter(|changed| *changed == 1).map(|_| ())
}

/// Two columns of any row that a statement gives.
fn any<A: FromSql + Clone, B: FromSql + Clone>(db: &Connection, sql: &str, dice: &mut Dice) -> Option<(A, B)> {
    let mut all = db.prepare(&format!("{sql} order by 1, 2")).unwrap();
    let all: Vec<(A, B)> = all.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect();
    if all.is_empty() { None } else { Some(all[usize::try_from(dice.below(all.len() as u64)).unwrap()].clone()) }
}

/// One edit; `None` where there is nothing of that sort, or the schema refuses it.
fn edit(db: &Connection, dice: &mut Dice) -> Option<(String, At)> {
    let picked = |dice: &mut Dice| -> (String, i64) {
        let count: i64 = db.query_row("select count(*) from event", [], |row| row.get(0)).unwrap();
        let skip = dice.below(count.unsigned_abs()).to_string();
        let sql = format!("select stream, seq from event order by seq limit 1 offset {skip}");
        db.query_row(&sql, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
    };
    let (stream, seq) = picked(dice);
    let at = At::Event(stream.clone(), seq);
    Some(match dice.below(20) {
        0..=7 => {
            let column = EVENT_COLUMNS[usize::try_from(dice.below(16)).unwrap()];
            change(db, "event", column, ("seq", &Value::Integer(seq)), dice)?;
            (format!("{column} of event {seq} of {stream}"), at)
        }
        8 => {
            db.execute("delete from event where seq = ?1", [seq]).unwrap();
            (format!("event {seq} removed"), at)
        }
        9 => {
            db.execute("delete from event where stream = ?1 and seq >= ?2", params![stream, seq]).unwrap();
            (format!("{stream} cut off at {seq}"), at)
        }
        10 => {
            db.execute("delete from event where seq >= ?1", [seq]).unwrap();
            (format!("the log cut off at {seq}"), at)
        }
        11 => {
            db.execute("delete from event where stream = ?1", [&stream]).unwrap();
            for table in FOLDS {
                db.execute(&format!("delete from {} where id = ?1", table.name), [&stream]).unwrap();
            }
            (format!("all of {stream} removed"), at)
        }
        12 | 13 => {
            let (_, with) = picked(dice);
            if with == seq {
                return None;
            }
            for (from, to) in [(seq, -1), (with, seq), (-1, with)] {
                db.execute("update event set seq = ?2 where seq = ?1", [from, to]).unwrap();
            }
            (format!("events {seq} and {with} exchanged in the log"), at)
        }
        14 => {
            let (theirs, with) = picked(dice);
            let same: i64 = db
                .query_row("select count(distinct coalesce(body, '')) from event where seq in (?1, ?2)", [seq, with], |row| row.get(0))
                .unwrap();
            if same < 2 {
                return None;
            }
            let take = "select body, salt, body_hash from event where seq = ?1";
            let get = |seq: i64| -> (Value, Value, Value) { db.query_row(take, [seq], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?))).unwrap() };
            let (mine, other) = (get(seq), get(with));
            let set = "update event set body = ?2, salt = ?3, body_hash = ?4 where seq = ?1";
            db.execute(set, params![seq, other.0, other.1, other.2]).unwrap();
            db.execute(set, params![with, mine.0, mine.1, mine.2]).unwrap();
            (format!("what events {seq} and {with} of {theirs} say exchanged"), at)
        }
        15 => {
            let put = "insert into event select (select max(seq) + 1 from event), stream, (select max(version) + 1 from event o where o.stream = event.stream), \
                       incident, kind, v, at, recorded_at, actor, cause, mode, marking, body, salt, body_hash, hash from event where seq = ?1";
            db.execute(put, [seq]).unwrap();
            (format!("event {seq} put in again at the end of {stream}"), at)
        }
        16 | 17 => {
            let table = FOLDS[usize::try_from(dice.below(4)).unwrap()];
            let column = table.columns[usize::try_from(dice.below(table.columns.len() as u64)).unwrap()].0;
            let (id, _): (String, i64) = any(db, &format!("select id, version from {} where id not in ({REDACTED})", table.name), dice)?;
            if dice.below(10) == 0 {
                db.execute(&format!("delete from {} where id = ?1", table.name), [&id]).unwrap();
            } else {
                change(db, table.name, column, ("id", &Value::Text(id.clone())), dice)?;
            }
            (format!("{column} of {} {id}", table.name), At::Row(id))
        }
        18 => match dice.below(3) {
            0 => {
                let (id, _): (String, String) = any(db, "select incident, person from incident_reader", dice)?;
                db.execute("delete from incident_reader where incident = ?1", [&id]).unwrap();
                (format!("readers of {id}"), At::Row(id))
            }
            1 => {
                let (id, kind): (String, String) = any(db, "select id, kind from form", dice)?;
                db.execute("update form set version = version + 1 where id = ?1 and kind = ?2", [&id, &kind]).unwrap();
                (format!("version of form {kind}/{id}"), At::Row(format!("form/{kind}/{id}")))
            }
            _ => {
                let (id, kind): (String, String) = any(db, "select id, kind from form", dice)?;
                db.execute("delete from form where id = ?1 and kind = ?2", [&id, &kind]).unwrap();
                (format!("form {kind}/{id} removed"), At::Row(format!("form/{kind}/{id}")))
            }
        },
        _ => {
            let column = schema::CHECKPOINT.columns[usize::try_from(dice.below(6)).unwrap()].0;
            let (number, _): (i64, i64) = any(db, "select number, events from checkpoint", dice)?;
            if dice.below(4) == 0 {
                db.execute("delete from checkpoint where number = ?1", [number]).unwrap();
            } else {
                change(db, "checkpoint", column, ("number", &Value::Integer(number)), dice)?;
            }
            (format!("{column} of checkpoint {number}"), At::Checkpoints)
        }
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_edits_are_all_named() {
    let dir = tempfile::tempdir().unwrap();
    let whole = dir.path().join("whole.db");
    lived_in(&whole).await;
    as_if_older(&whole);
    {
        let db = Db::open(&format!("sqlite:{}", whole.display()), OpenOptions::new(MIGRATIONS, TABLES)).await.unwrap();
        let newest = rows::event::newest_seq(&db).await.unwrap();
        // Three checkpoints, so that one of them is in the middle.
        for to in [newest / 3, newest * 2 / 3, newest] {
            assert!(seal_next(&db, to, Rest::Too, Timestamp::UNIX_EPOCH).await.unwrap());
        }
        assert!(!seal_next(&db, newest, Rest::Too, Timestamp::UNIX_EPOCH).await.unwrap(), "all is sealed");
        db.close().await;
    }
    let found = verified(&whole).await;
    assert_eq!((found.findings(), found.unsealed), (vec![], 0), "before any edit all is well, a redaction and older hashes among it");
    assert!(found.events > 100, "{} events", found.events);

    let mut dice = Dice(20);
    let edited = dir.path().join("edited.db");
    let mut done = 0;
    let mut missed = Vec::new();
    while done < EDITS {
        std::fs::copy(&whole, &edited).unwrap();
        let db = Connection::open(&edited).unwrap();
        let Some((what, at)) = edit(&db, &mut dice) else { continue };
        // A row without them is what an earlier version wrote, and is taken for one.
        let emptied = what.strip_prefix("asks of page ").is_some_and(|id| {
            db.query_row("select asks is null from page where id = ?1", [id], |row| row.get::<_, bool>(0)).unwrap_or(false)
        });
        drop(db);
        if emptied {
            continue;
        }
        done += 1;
        let found = verified(&edited).await;
        if !at.is_named_by(&found) {
            missed.push(format!("{what}: {:?}", found.findings()));
        }
    }
    assert!(missed.is_empty(), "{} of {done} edits were not named:\n{}", missed.len(), missed.join("\n"));
}

/// Rows as an earlier version left them: without what was added later, and without the mark that open ones were told who
/// has them.
const AS_EARLIER: &str = "
update page set asks = json_remove(asks, '$.due_at') where asks is not null;
update page set asks = null where asks = '{}';
update page set entries = (select json_group_array(json(json_remove(value, '$.due_at'))) from json_each(entries));
update incident set alarms = json_remove(alarms, '$.by_itself') where alarms is not null;
update incident set alarms = null where alarms = '{}';
update incident set work = json_remove(work, '$.hold') where work is not null;
delete from meta where name = 'holders';
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_earlier_version_did_not_write_is_no_finding_and_what_it_wrote_is_judged() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.db");
    {
        let world = World::new(&format!("sqlite:{}", path.display())).await;
        for key in ["disk", "fan", "cpu"] {
            world.signal(SignalAction::Trigger, key, &[]).await.unwrap();
        }
        // One ends by itself, and somebody has another.
        world.signal(SignalAction::Resolve, "fan", &[]).await.unwrap();
        let cpu = world.incidents().await.into_iter().find(|incident| incident.title.starts_with("cpu")).unwrap();
        world.command(&cpu, incident::attendance::Command::Acknowledge { by: Some("ana".into()), via: "api".into() }).await.unwrap();
        world.engine.stop().await;
    }
    let db = Connection::open(&path).unwrap();
    let count = |what: &str| -> i64 { db.query_row(&format!("select count(*) from {what}"), [], |row| row.get(0)).unwrap() };
    let later = [
        "page where asks like '%due_at%'",
        "page where entries like '%due_at%'",
        "incident where alarms like '%by_itself%'",
        "incident where work like '%hold%'",
    ];
    assert!(later.iter().all(|what| count(what) > 0), "{:?}", later.map(count));
    db.execute_batch(AS_EARLIER).unwrap();
    assert_eq!(later.map(count), [0; 4]);
    assert_eq!(verified(&path).await.findings(), Vec::<String>::new());

    // What is there is judged, beside what is not as well.
    for edit in [
        "update page set asks = '{\"due_at\":\"2026-01-01T00:00:00Z\"}' where status = 'running'",
        "update page set entries = replace(entries, 'ana', 'ben') where status = 'running'",
        "update incident set work = json_set(work, '$.updates', 7) where acknowledged_by = 'ana'",
        "update incident set alarms = '{\"returns\":1}' where state = 'resolved'",
        "update incident set acknowledged_by = null where acknowledged_by = 'ana'",
    ] {
        let edited = dir.path().join("edited.db");
        std::fs::copy(&path, &edited).unwrap();
        assert_eq!(Connection::open(&edited).unwrap().execute(edit, []).unwrap(), 1, "{edit}");
        assert_eq!(verified(&edited).await.rows.len(), 1, "{edit}");
    }
    // Once the rows of open incidents were told who has them, that cannot be taken out again.
    db.execute("insert into meta (name, value) values ('holders', 'known')", []).unwrap();
    assert!(verified(&path).await.rows.iter().any(|line| line.ends_with("work")));
}
