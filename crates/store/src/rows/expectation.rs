//! Expectations.

use allclear_domain::expect::{Expectation, Owner, Rule, Segment, Settle, Standing};
use allclear_domain::ids::IncidentId;
use allclear_domain::time::Length;
use jiff::Timestamp;

use super::{Reader, instant, opt_instant, opt_text, text};
use crate::db::Db;
use crate::fault::Fault;
use crate::schema::EXPECTATION;
use crate::val::{Row, Val, Write};

/// A new expectation, or the next state of one.
#[must_use]
pub fn open(e: &Expectation) -> Write {
    // A clock that only runs is told by its start alone.
    let plain = matches!(e.segments.as_slice(), [Segment { running: true, why: None, .. }]);
    let opened_at = e.segments.first().map_or(e.next_look_at, |s| s.from);
    Write::Insert {
        table: &EXPECTATION,
        row: vec![
            text(e.owner),
            text(&e.key),
            Val::from(e.occurrence),
            text(e.rule.name()),
            Val::from(e.rule.version()),
            opt_text(e.incident),
            text(&e.opened_by),
            instant(opened_at),
            if plain { Val::Null } else { super::to_json(&e.segments) },
            Val::Int(i64::try_from(e.length.as_millis()).unwrap_or(i64::MAX)),
            instant(e.next_look_at),
            text(e.standing.word()),
            opt_instant(e.settled_at),
            opt_text(e.why.as_ref()),
        ],
    }
}

/// Settles what an event settles: one key or all that are live.
#[must_use]
pub fn settle(s: &Settle, at: Timestamp) -> Write {
    let (owner, standing) = (text(s.owner), text(s.standing.word()));
    match &s.key {
        Some(key) => Write::Exec {
            table: &EXPECTATION,
            sql: "update expectation set standing = ?3, settled_at = ?4, why = ?5 where owner = ?1 and key = ?2 and standing = 'live'",
            args: vec![owner, text(key), standing, instant(at), text(s.why)],
            expect: None,
        },
        None => Write::Exec {
            table: &EXPECTATION,
            sql: "update expectation set standing = ?2, settled_at = ?3, why = ?4 where owner = ?1 and standing = 'live'",
            args: vec![owner, standing, instant(at), text(s.why)],
            expect: None,
        },
    }
}

/// Settles one that was looked at. A second look, here or on another node, is a conflict: that is
/// what makes *missed* happen once.
#[must_use]
pub fn looked(e: &Expectation, standing: Standing, at: Timestamp, why: &str) -> Write {
    Write::Exec {
        table: &EXPECTATION,
        sql: "update expectation set standing = ?4, settled_at = ?5, why = ?6 \
              where owner = ?1 and key = ?2 and occurrence = ?3 and standing = 'live'",
        args: vec![text(e.owner), text(&e.key), Val::from(e.occurrence), text(standing.word()), instant(at), text(why)],
        expect: Some(1),
    }
}

/// Every live one of a rule is looked at now: what it waits for may have come early.
#[must_use]
pub fn look_now(rule: Rule, now: Timestamp) -> Write {
    Write::Exec {
        table: &EXPECTATION,
        sql: "update expectation set next_look_at = ?2 where rule = ?1 and standing = 'live' and next_look_at > ?2",
        args: vec![text(rule.name()), instant(now)],
        expect: None,
    }
}

/// Looks again later; a look that was carried out already, here or on another node, is a conflict, so that
/// what it did is done once.
#[must_use]
pub fn rearm(e: &Expectation, next_look_at: Timestamp) -> Write {
    Write::Exec {
        table: &EXPECTATION,
        sql: "update expectation set next_look_at = ?4 where owner = ?1 and key = ?2 and occurrence = ?3 and standing = 'live' \
              and next_look_at = ?5",
        args: vec![text(e.owner), text(&e.key), Val::from(e.occurrence), instant(next_look_at), instant(e.next_look_at)],
        expect: Some(1),
    }
}

/// When it is due: where a rule has a mark, that is looked at before.
const DUE_AT: &str =
    "case when segments is null and opened_at + length_ms * 1000 > next_look_at then opened_at + length_ms * 1000 else next_look_at end";

const COLUMNS: &str =
    "owner, key, occurrence, rule, incident, opened_by, opened_at, segments, length_ms, next_look_at, standing, settled_at, why";

fn expectation(row: &Row) -> Result<Expectation, Fault> {
    let mut r = Reader::new(row);
    let owner: Owner = r.parse()?;
    let key = r.text()?;
    let occurrence = r.small()?;
    let rule = r.word(Rule::from_name)?;
    let incident = r.opt_parse()?;
    let opened_by = r.text()?;
    let opened_at = r.instant()?;
    let segments = match r.opt_text()? {
        Some(json) => serde_json::from_str(&json).map_err(|why| super::broken("segments", &why.to_string()))?,
        None => vec![Segment { from: opened_at, running: true, why: None }],
    };
    Ok(Expectation {
        owner,
        key,
        occurrence,
        rule,
        incident,
        opened_by,
        segments,
        length: Length::from_millis(r.count()?),
        next_look_at: r.instant()?,
        standing: r.word(Standing::from_word)?,
        settled_at: r.opt_instant()?,
        why: r.opt_text()?,
    })
}

/// Live ones whose look is due: of the worst incidents first, then the earliest.
pub async fn due(db: &Db, now: Timestamp, limit: i64) -> Result<Vec<Expectation>, Fault> {
    let sql = format!(
        "select {COLUMNS} from expectation where standing = 'live' and next_look_at <= ?1 \
         order by coalesce((select severity from incident where incident.id = expectation.incident), 'sev9'), next_look_at limit ?2"
    );
    let rows = db.read(&sql, vec![instant(now), Val::Int(limit)]).await?;
    rows.iter().map(expectation).collect()
}

/// One expectation.
pub async fn get(db: &Db, owner: Owner, key: &str, occurrence: u32) -> Result<Option<Expectation>, Fault> {
    let sql = format!("select {COLUMNS} from expectation where owner = ?1 and key = ?2 and occurrence = ?3");
    let rows = db.read(&sql, vec![text(owner), text(key), Val::from(occurrence)]).await?;
    rows.first().map(expectation).transpose()
}

/// Incidents for which a digest of alerts is running.
pub async fn running_digests(db: &Db) -> Result<Vec<IncidentId>, Fault> {
    let sql = "select owner from expectation where standing = 'live' and rule = ?1";
    let rows = db.read(sql, vec![text(Rule::AlertsDigest.name())]).await?;
    rows.iter().map(|row| Reader::new(row).parse()).collect()
}

/// When the next look is due.
pub async fn next_look(db: &Db) -> Result<Option<Timestamp>, Fault> {
    let rows = db.read("select min(next_look_at) from expectation where standing = 'live'", vec![]).await?;
    rows.first().map_or(Ok(None), |row| Reader::new(row).opt_instant())
}

/// "Next, and when" of an incident and its pages: live ones by their look, then settled ones.
pub async fn of_incident(db: &Db, incident: IncidentId) -> Result<Vec<Expectation>, Fault> {
    let sql = format!("select {COLUMNS} from expectation where incident = ?1 order by next_look_at limit 1000");
    let rows = db.read(&sql, vec![text(incident)]).await?;
    rows.iter().map(expectation).collect()
}

/// All of an owner, settled or not, in the order in which they were opened.
pub async fn of_owner(db: &Db, owner: Owner) -> Result<Vec<Expectation>, Fault> {
    let sql = format!("select {COLUMNS} from expectation where owner = ?1 order by opened_at, occurrence limit 1000");
    let rows = db.read(&sql, vec![text(owner)]).await?;
    rows.iter().map(expectation).collect()
}

/// The earliest live look of each of these incidents.
pub async fn next_due(db: &Db, incident: IncidentId) -> Result<Option<Timestamp>, Fault> {
    let sql = &format!("select min({DUE_AT}) from expectation where incident = ?1 and standing = 'live'");
    let rows = db.read(sql, vec![text(incident)]).await?;
    rows.first().map_or(Ok(None), |row| Reader::new(row).opt_instant())
}

/// The earliest live look of each of these incidents that has one.
pub async fn next_due_of(db: &Db, incidents: &[IncidentId]) -> Result<Vec<(IncidentId, Timestamp)>, Fault> {
    if incidents.is_empty() {
        return Ok(Vec::new());
    }
    let marks: Vec<String> = (1..=incidents.len()).map(|n| format!("?{n}")).collect();
    let sql = format!(
        "select incident, min({DUE_AT}) from expectation where standing = 'live' and incident in ({}) group by incident",
        marks.join(", ")
    );
    let rows = db.read(&sql, incidents.iter().map(text).collect()).await?;
    rows.iter()
        .map(|row| {
            let mut r = Reader::new(row);
            Ok((r.parse()?, r.instant()?))
        })
        .collect()
}

/// The live looks of the first `limit` incidents of a board, with their rules: what it shows of all its rows at once.
pub async fn live_of(db: &Db, filter: &super::incident::Filter, limit: i64) -> Result<Vec<(IncidentId, Rule, Timestamp)>, Fault> {
    let mut listed = "select id from incident where true".to_owned();
    let mut args = Vec::new();
    super::incident::narrow(filter, &[], &mut listed, &mut args);
    args.push(Val::Int(limit));
    let sql = format!(
        "select e.incident, e.rule, e.next_look_at from ({listed} order by severity, id desc limit ?{}) i \
         join expectation e on e.incident = i.id where e.standing = 'live'",
        args.len()
    );
    let rows = db.read(&sql, args).await?;
    rows.iter()
        .map(|row| {
            let mut r = Reader::new(row);
            Ok((r.parse()?, r.word(Rule::from_name)?, r.instant()?))
        })
        .collect()
}

/// Live ones, for the gauge.
pub async fn live_count(db: &Db) -> Result<i64, Fault> {
    let rows = db.read("select count(*) from expectation where standing = 'live'", vec![]).await?;
    rows.first().map_or(Ok(0), |row| row.int(0))
}
