//! Expectations.

use allclear_domain::expect::{Expectation, Owner, Rule, Segment, Settle, Standing};
use allclear_domain::ids::IncidentId;
use allclear_domain::time::Length;
use jiff::{SignedDuration, Timestamp};

use super::{Reader, instant, opt_instant, opt_text, text};
use crate::db::Db;
use crate::fault::Fault;
use crate::schema::EXPECTATION;
use crate::unread::{Found, Unread};
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

/// Expectations under this key as a newer version might have written them: for trying what this one does with them.
#[must_use]
pub fn as_a_newer_version(key: &str) -> Write {
    Write::Exec {
        table: &EXPECTATION,
        sql: "update expectation set rule = 'of.a_newer_version' where key = ?1",
        args: vec![text(key)],
        expect: None,
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

/// The rules that this program knows, as a list of SQL: names of our own, without quotes in them.
fn known_rules() -> String {
    let names: Vec<String> = Rule::ALL.iter().map(|rule| format!("'{}'", rule.name())).collect();
    names.join(", ")
}

/// The key of a row, for one that does not read.
fn key_of(row: &Row) -> String {
    format!("{}/{}/{}", super::shown(row, 0), super::shown(row, 1), super::shown(row, 2))
}

/// Rows that do not read are passed over up to this many: they stay due, and those behind them have to be seen.
const PASSED_OVER_MAX: i64 = 4096;

/// Live ones whose look is due: what the organisation says first, for it may hold what comes after, then of the worst
/// incidents, then the earliest. What has a rule of a newer version is
/// left to that version ([`of_other_versions`] names it); what does not read otherwise stands beside the others.
pub async fn due(db: &Db, now: Timestamp, limit: i64) -> Result<Found<Expectation>, Fault> {
    let stops = allclear_domain::plants::planted("unreadable-stops-looks");
    let known = if stops { String::new() } else { format!("and rule in ({})", known_rules()) };
    let sql = format!(
        "select {COLUMNS} from expectation where standing = 'live' and next_look_at <= ?1 {known} \
         order by case owner when 'org' then 'sev0' else \
         coalesce((select severity from incident where incident.id = expectation.incident), 'sev9') end, next_look_at limit ?2"
    );
    let mut most = limit;
    loop {
        let rows = db.read(&sql, vec![instant(now), Val::Int(most)]).await?;
        if stops {
            let read: Result<Vec<_>, _> = rows.iter().map(expectation).collect();
            return Ok(Found { read: read?, unread: Vec::new() });
        }
        let found = Found::of(&rows, "expectation", expectation, key_of);
        let passed_over = i64::try_from(found.unread.len()).unwrap_or(i64::MAX).min(PASSED_OVER_MAX);
        let all = i64::try_from(rows.len()).is_ok_and(|rows| rows < most);
        if all || most >= limit.saturating_add(passed_over) {
            return Ok(found);
        }
        most = limit.saturating_add(passed_over);
    }
}

/// Live ones whose rule this program does not know, and whose look is due before this instant: a newer version's.
pub async fn of_other_versions(db: &Db, before: Timestamp, limit: i64) -> Result<Vec<Unread>, Fault> {
    let sql = format!(
        "select owner, key, occurrence, rule from expectation where standing = 'live' and next_look_at <= ?1 and rule not in ({}) \
         order by next_look_at limit ?2",
        known_rules()
    );
    let rows = db.read(&sql, vec![instant(before), Val::Int(limit)]).await?;
    let why = |row: &Row| format!("its rule `{}` is none of this version", super::shown(row, 3));
    Ok(rows.iter().map(|row| Unread { table: "expectation", key: key_of(row), why: why(row) }).collect())
}

/// Live ones that do not read, whatever is wrong with them: for `doctor`, which reads all.
pub async fn unread(db: &Db, limit: usize) -> Result<Vec<Unread>, Fault> {
    let sql = format!("select {COLUMNS} from expectation where standing = 'live'");
    let rows = db.read(&sql, vec![]).await?;
    let mut unread = Found::of(&rows, "expectation", expectation, key_of).unread;
    unread.truncate(limit);
    Ok(unread)
}

/// Live ones that were opened after `now`, as they were where the clock has been set back while the program was
/// stopped.
pub async fn opened_after(db: &Db, now: Timestamp) -> Result<Found<Expectation>, Fault> {
    let sql = format!("select {COLUMNS} from expectation where standing = 'live' and opened_at > ?1");
    let rows = db.read(&sql, vec![instant(now)]).await?;
    Ok(Found::of(&rows, "expectation", expectation, key_of))
}

/// Moves an expectation's whole clock back, its look with it.
#[must_use]
pub fn move_back(e: &Expectation, by: SignedDuration) -> Write {
    let earlier = |at: Timestamp| at.checked_sub(by).unwrap_or(Timestamp::MIN);
    let segments: Vec<Segment> = e.segments.iter().map(|s| Segment { from: earlier(s.from), ..s.clone() }).collect();
    let plain = matches!(segments.as_slice(), [Segment { running: true, why: None, .. }]);
    let opened_at = segments.first().map_or(e.next_look_at, |s| s.from);
    Write::Exec {
        table: &EXPECTATION,
        sql: "update expectation set opened_at = ?4, segments = ?5, next_look_at = ?6 \
              where owner = ?1 and key = ?2 and occurrence = ?3 and standing = 'live'",
        args: vec![
            text(e.owner),
            text(&e.key),
            Val::from(e.occurrence),
            instant(opened_at),
            if plain { Val::Null } else { super::to_json(&segments) },
            instant(earlier(e.next_look_at)),
        ],
        expect: None,
    }
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
    // An owner that does not read has no digest to be told.
    Ok(rows.iter().filter_map(|row| Reader::new(row).parse().ok()).collect())
}

/// Whether something that the organisation expects is due: open alerts are still being judged.
pub async fn org_is_due(db: &Db, now: Timestamp) -> Result<bool, Fault> {
    let sql = "select 1 from expectation where owner = 'org' and standing = 'live' and next_look_at <= ?1 limit 1";
    Ok(!db.read(sql, vec![instant(now)]).await?.is_empty())
}

/// Whether the organisation awaits something by this rule.
pub async fn is_awaited(db: &Db, rule: Rule) -> Result<bool, Fault> {
    let sql = "select 1 from expectation where owner = 'org' and standing = 'live' and rule = ?1 limit 1";
    Ok(!db.read(sql, vec![text(rule.name())]).await?.is_empty())
}

/// When the next look is due, of what this program can look at.
pub async fn next_look(db: &Db) -> Result<Option<Timestamp>, Fault> {
    next_look_after(db, Timestamp::MIN).await
}

/// When the next look after this instant is due: what is due before and did not read has been passed over.
pub async fn next_look_after(db: &Db, after: Timestamp) -> Result<Option<Timestamp>, Fault> {
    let known = known_rules();
    let sql = format!("select min(next_look_at) from expectation where standing = 'live' and next_look_at > ?1 and rule in ({known})");
    let rows = db.read(&sql, vec![instant(after)]).await?;
    rows.first().map_or(Ok(None), |row| Reader::new(row).opt_instant())
}

/// "Next, and when" of an incident and its pages: live ones first, then the newest of those that are settled, at most 1,000.
pub async fn of_incident(db: &Db, incident: IncidentId) -> Result<Vec<Expectation>, Fault> {
    let first = "case standing when 'live' then 0 else 1 end";
    let sql = format!("select {COLUMNS} from expectation where incident = ?1 order by {first}, next_look_at desc limit 1000");
    let rows = db.read(&sql, vec![text(incident)]).await?;
    // One that does not read is named among the troubles; the incident is shown all the same.
    Ok(Found::of(&rows, "expectation", expectation, key_of).read)
}

/// All of an owner, settled or not, in the order in which they were opened.
pub async fn of_owner(db: &Db, owner: Owner) -> Result<Vec<Expectation>, Fault> {
    let sql = format!("select {COLUMNS} from expectation where owner = ?1 order by opened_at, occurrence limit 1000");
    let rows = db.read(&sql, vec![text(owner)]).await?;
    Ok(Found::of(&rows, "expectation", expectation, key_of).read)
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

/// What is live of the first `limit` incidents of a board, with its rule and when it is due: what it shows of all its rows at once.
pub async fn live_of(db: &Db, filter: &super::incident::Filter, limit: i64) -> Result<Vec<(IncidentId, Rule, Timestamp)>, Fault> {
    let mut listed = "select id from incident where true".to_owned();
    let mut args = Vec::new();
    super::incident::narrow(filter, &[], &mut listed, &mut args);
    args.push(Val::Int(limit));
    let sql = format!(
        "select e.incident, e.rule, {DUE_AT} from ({listed} order by severity, id desc limit ?{}) i \
         join expectation e on e.incident = i.id where e.standing = 'live' and e.rule in ({})",
        args.len(),
        known_rules()
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
