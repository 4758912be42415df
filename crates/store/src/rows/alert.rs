//! Alerts.

use allclear_domain::access::Reach;
use allclear_domain::ids::{AlertId, IncidentId};
use allclear_domain::incident::Severity;
use allclear_domain::org::model::Declare;
use allclear_domain::signal::{Alert, Ended, Suppression};
use allclear_domain::wire::SenderSeverity;
use jiff::Timestamp;

use super::{Reader, count, instant, opt_instant, opt_text, text};
use crate::db::Db;
use crate::fault::Fault;
use crate::schema::ALERT;
use crate::unread::Found;
use crate::val::{Row, Val, Write};

/// A new open alert. Where nodes share a store, one that is open already makes this a conflict; alone,
/// the node's memory sees to it (ADR 13).
#[must_use]
pub fn open(a: &Alert) -> Write {
    Write::Insert { table: &ALERT, row: values(a) }
}

fn values(a: &Alert) -> Vec<Val> {
    vec![
        text(a.id),
        text(&a.integration),
        text(&a.dedup_key),
        opt_text(a.ended.map(Ended::word)),
        text(&a.title),
        text(a.severity.word()),
        opt_text(a.sender_severity.map(SenderSeverity::word)),
        opt_text(a.service.as_ref()),
        opt_text(a.source.as_ref()),
        text(&a.detail),
        text(decision_word(a.decision)),
        text(&a.because),
        opt_text(a.suppressed.as_ref().map(|s| &s.silence)),
        opt_instant(a.suppressed.as_ref().map(|s| s.until)),
        opt_text(a.incident),
        text(a.signal),
        count(a.org_version),
        instant(a.starts_at),
        opt_instant(a.ends_at),
        instant(a.opened_at),
        opt_instant(a.ended_at),
        instant(a.last_seen_at),
        count(a.count),
        digest(a.text),
        Val::from(a.returns),
    ]
}

fn digest(text: Option<u64>) -> Val {
    text.and_then(|digest| i64::try_from(digest).ok()).map_or(Val::Null, Val::Int)
}

/// Ends an open alert; one that has ended makes this a conflict.
#[must_use]
pub fn end(id: AlertId, how: Ended, at: Timestamp) -> Write {
    Write::Exec {
        table: &ALERT,
        sql: "update alert set ended = ?2, ended_at = ?3 where id = ?1 and ended is null",
        args: vec![text(id), text(how.word()), instant(at)],
        expect: Some(1),
    }
}

/// Ends every open alert of an incident.
#[must_use]
pub fn end_of_incident(incident: IncidentId, at: Timestamp) -> Write {
    Write::Exec {
        table: &ALERT,
        sql: "update alert set ended = 'with_incident', ended_at = ?2 where incident = ?1 and ended is null",
        args: vec![text(incident), instant(at)],
        expect: None,
    }
}

/// Gives the alerts of one incident to another.
#[must_use]
pub fn give(from: IncidentId, into: IncidentId) -> Write {
    Write::Exec {
        table: &ALERT,
        sql: "update alert set incident = ?2 where incident = ?1",
        args: vec![text(from), text(into)],
        expect: None,
    }
}

/// Gives one alert of an incident to another, where it is still there.
#[must_use]
pub fn give_one(alert: AlertId, from: IncidentId, into: IncidentId) -> Write {
    Write::Exec {
        table: &ALERT,
        sql: "update alert set incident = ?3 where id = ?1 and incident = ?2",
        args: vec![text(alert), text(from), text(into)],
        expect: None,
    }
}

/// An alert, as far as it matters where it goes to another incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Belonging {
    pub id: AlertId,
    /// The integration and the name that its sender gives it.
    pub condition: String,
    pub open: bool,
    /// Which silence holds it, and until when.
    pub held: Option<(String, Timestamp)>,
}

/// The newest alerts of an incident.
pub async fn newest_of(db: &Db, incident: IncidentId, limit: i64) -> Result<Vec<Belonging>, Fault> {
    let sql = "select id, integration, dedup_key, ended, silence, silenced_until from alert where incident = ?1 order by id desc limit ?2";
    let rows = db.read(sql, vec![text(incident), Val::Int(limit)]).await?;
    let one = |row| {
        let mut r = Reader::new(row);
        let (id, condition) = (r.parse()?, format!("{}\n{}", r.text()?, r.text()?));
        let open = r.opt_text()?.is_none();
        Ok(Belonging { id, condition, open, held: r.opt_text()?.zip(r.opt_instant()?) })
    };
    rows.iter().map(one).collect()
}

/// What was judged anew of an open alert: its incident, severity, decision, silence, with its soft part.
#[must_use]
pub fn judged(a: &Alert) -> Write {
    Write::Exec {
        table: &ALERT,
        sql: "update alert set incident = ?2, severity = ?3, sender_severity = ?4, decision = ?5, because = ?6, silence = ?7, \
              silenced_until = ?8, title = ?9, detail = ?10, last_seen_at = ?11, ends_at = ?12, count = ?13, text_digest = ?14 where id = ?1 and ended is null",
        args: vec![
            text(a.id),
            opt_text(a.incident),
            text(a.severity.word()),
            opt_text(a.sender_severity.map(SenderSeverity::word)),
            text(decision_word(a.decision)),
            text(&a.because),
            opt_text(a.suppressed.as_ref().map(|s| &s.silence)),
            opt_instant(a.suppressed.as_ref().map(|s| s.until)),
            text(&a.title),
            text(&a.detail),
            instant(a.last_seen_at),
            opt_instant(a.ends_at),
            count(a.count),
            digest(a.text),
        ],
        expect: Some(1),
    }
}

/// A repetition that says something else: what an open alert shows, from now on. `silenced_until`, where given, is how
/// silences held it when it was judged: where another node has judged otherwise since, this is a conflict.
#[must_use]
pub fn says(id: AlertId, title: &str, detail: &str, text_digest: u64, silenced_until: Option<Option<Timestamp>>) -> Write {
    if let Some(until) = silenced_until {
        return Write::Exec {
            table: &ALERT,
            sql: "update alert set title = ?2, detail = ?3, text_digest = ?4 \
                  where id = ?1 and ended is null and silenced_until is not distinct from ?5",
            args: vec![text(id), text(title), text(detail), digest(Some(text_digest)), opt_instant(until)],
            expect: Some(1),
        };
    }
    Write::Exec {
        table: &ALERT,
        sql: "update alert set title = ?2, detail = ?3, text_digest = ?4 where id = ?1 and ended is null",
        args: vec![text(id), text(title), text(detail), digest(Some(text_digest))],
        // What ended meanwhile shows what it did.
        expect: None,
    }
}

/// The soft part: seen again. A row that is no longer open makes this a conflict, so that the
/// signal is judged again. What another node saw later stands.
#[must_use]
pub fn touch(id: AlertId, last_seen_at: Timestamp, ends_at: Option<Timestamp>, times: u64) -> Write {
    Write::Exec {
        table: &ALERT,
        sql: "update alert set last_seen_at = case when last_seen_at < ?2 then ?2 else last_seen_at end, \
              ends_at = case when last_seen_at < ?2 or (last_seen_at = ?2 and (ends_at is null or ?3 > ends_at)) then ?3 else ends_at end, count = case when count < ?4 then ?4 else count end \
              where id = ?1 and ended is null",
        args: vec![text(id), instant(last_seen_at), opt_instant(ends_at), count(times)],
        expect: Some(1),
    }
}

const fn decision_word(decision: Declare) -> &'static str {
    match decision {
        Declare::Declare => "declare",
        Declare::Candidate => "candidate",
        Declare::Record => "record",
    }
}

const COLUMNS: &str = "id, integration, dedup_key, ended, title, severity, sender_severity, service, source, detail, decision, because, \
    silence, silenced_until, incident, signal, org_version, starts_at, ends_at, opened_at, ended_at, last_seen_at, count, text_digest, returns";

fn alert(row: &Row) -> Result<Alert, Fault> {
    let mut r = Reader::new(row);
    Ok(Alert {
        id: r.parse()?,
        integration: r.text()?,
        dedup_key: r.text()?,
        ended: r.opt_text()?.as_deref().and_then(Ended::from_word),
        title: r.text()?,
        severity: r.word(|w| w.parse::<Severity>().ok())?,
        sender_severity: r.opt_text()?.as_deref().and_then(SenderSeverity::from_word),
        service: r.opt_text()?,
        source: r.opt_text()?,
        detail: r.text()?,
        decision: r.word(|w| match w {
            "declare" => Some(Declare::Declare),
            "candidate" => Some(Declare::Candidate),
            "record" => Some(Declare::Record),
            _ => None,
        })?,
        because: r.text()?,
        suppressed: {
            let silence = r.opt_text()?;
            let until = r.opt_instant()?;
            silence.zip(until).map(|(silence, until)| Suppression { silence, until })
        },
        incident: r.opt_parse()?,
        signal: r.parse()?,
        org_version: r.count()?,
        starts_at: r.instant()?,
        ends_at: r.opt_instant()?,
        opened_at: r.instant()?,
        ended_at: r.opt_instant()?,
        last_seen_at: r.instant()?,
        count: r.count()?,
        text: opt_digest(&mut r)?,
        returns: r.small()?,
    })
}

fn opt_digest(r: &mut Reader<'_>) -> Result<Option<u64>, Fault> {
    Ok(r.opt_int()?.and_then(|digest| u64::try_from(digest).ok()))
}

/// One alert.
pub async fn get(db: &Db, id: AlertId) -> Result<Option<Alert>, Fault> {
    let rows = db.read(&format!("select {COLUMNS} from alert where id = ?1"), vec![text(id)]).await?;
    rows.first().map(alert).transpose()
}

/// Those for which a clause of this folder holds, newest first.
pub(super) async fn where_(db: &Db, clause: &str, args: Vec<Val>) -> Result<Vec<Alert>, Fault> {
    let rows = db.read(&format!("select {COLUMNS} from alert where {clause} order by id desc"), args).await?;
    Ok(super::readable(db, &rows, "alert", alert))
}

/// The open alert of a condition.
pub async fn open_by_key(db: &Db, integration: &str, dedup_key: &str) -> Result<Option<Alert>, Fault> {
    let sql = format!("select {COLUMNS} from alert where integration = ?1 and dedup_key = ?2 and ended is null");
    let rows = db.read(&sql, vec![text(integration), text(dedup_key)]).await?;
    rows.first().map(alert).transpose()
}

/// Conditions that are open more than once, which must not be.
pub async fn open_twice(db: &Db) -> Result<Vec<(String, String)>, Fault> {
    let sql = "select integration, dedup_key from alert where ended is null group by integration, dedup_key having count(*) > 1 limit 100";
    let rows = db.read(sql, vec![]).await?;
    rows.iter().map(|row| Ok((row.text(0)?.to_owned(), row.text(1)?.to_owned()))).collect()
}

/// What memory keeps of an open alert.
#[derive(Debug, Clone)]
pub struct Open {
    pub id: AlertId,
    pub integration: String,
    pub dedup_key: String,
    pub incident: Option<IncidentId>,
    pub severity: Severity,
    pub sender_severity: Option<SenderSeverity>,
    /// When the silence that holds it ends.
    pub silenced_until: Option<Timestamp>,
    pub opened_at: Timestamp,
    pub text: Option<u64>,
    pub returns: u32,
    pub ends_at: Option<Timestamp>,
    pub last_seen_at: Timestamp,
    pub count: u64,
}

/// Open alerts after an id, for filling the memory at start; with the id of the last, for the next of them.
pub async fn open_after(db: &Db, after: &str, limit: i64) -> Result<(Found<Open>, Option<String>), Fault> {
    let rows = db
        .read(
            "select id, integration, dedup_key, incident, severity, sender_severity, silenced_until, opened_at, text_digest, returns, ends_at, \
             last_seen_at, count \
             from alert where ended is null and id > ?1 order by id limit ?2",
            vec![text(after), Val::Int(limit)],
        )
        .await?;
    let last = rows.last().map(|row| row.text(0).map(ToOwned::to_owned)).transpose()?;
    Ok((Found::of(&rows, "alert", open_row, |row| super::shown(row, 0)), last))
}

fn open_row(row: &Row) -> Result<Open, Fault> {
    let mut r = Reader::new(row);
    Ok(Open {
        id: r.parse()?,
        integration: r.text()?,
        dedup_key: r.text()?,
        incident: r.opt_parse()?,
        severity: r.word(|w| w.parse::<Severity>().ok())?,
        sender_severity: r.opt_text()?.as_deref().and_then(SenderSeverity::from_word),
        silenced_until: r.opt_instant()?,
        opened_at: r.instant()?,
        text: opt_digest(&mut r)?,
        returns: r.small()?,
        ends_at: r.opt_instant()?,
        last_seen_at: r.instant()?,
        count: r.count()?,
    })
}

/// Open alerts after an id, whole: to be judged by the silences that are in force now; with the id after which to go on
/// where there may be more, whether or not the last of them reads.
pub async fn open_whole_after(db: &Db, after: &str, limit: i64) -> Result<(Found<Alert>, Option<String>), Fault> {
    let sql = format!("select {COLUMNS} from alert where ended is null and id > ?1 order by id limit ?2");
    let rows = db.read(&sql, vec![text(after), Val::Int(limit)]).await?;
    let last = rows.last().filter(|_| rows.len() as i64 == limit).map(|row| row.text(0).map(ToOwned::to_owned)).transpose()?;
    Ok((Found::of(&rows, "alert", alert, |row| super::shown(row, 0)), last))
}

/// What sent an alert that somebody outside reported: in its place of the source.
pub const REPORTED: &str = "report";

/// Reports by a form since an instant: when each came, and its incident; the newest first.
pub async fn reports_since(db: &Db, form: &str, since: Timestamp, limit: i64) -> Result<Vec<(Timestamp, Option<IncidentId>)>, Fault> {
    let sql = "select opened_at, incident from alert where source = 'report' and integration = ?1 and opened_at > ?2 \
               order by opened_at desc limit ?3";
    let rows = db.read(sql, vec![text(form), instant(since), Val::Int(limit)]).await?;
    let one = |row| {
        let mut r = Reader::new(row);
        Ok((r.instant()?, r.opt_parse()?))
    };
    rows.iter().map(one).collect()
}

/// The report of this reference; by one form, or by any.
pub async fn report(db: &Db, form: Option<&str>, reference: &str) -> Result<Option<Alert>, Fault> {
    let of_form = if form.is_some() { " and integration = ?2" } else { "" };
    let sql = format!("select {COLUMNS} from alert where source = 'report' and dedup_key = ?1{of_form} order by opened_at desc limit 1");
    let args = [Some(text(reference)), form.map(text)].into_iter().flatten().collect();
    let rows = db.read(&sql, args).await?;
    rows.first().map(alert).transpose()
}

/// Open alerts that a silence holds.
pub async fn held_by(db: &Db, silence: &str, reach: &Reach, limit: i64) -> Result<Vec<Alert>, Fault> {
    let mut args = vec![text(silence)];
    let seen = super::reader::seen_with(reach, "alert.incident", &mut args);
    args.push(Val::Int(limit));
    let sql = format!("select {COLUMNS} from alert where ended is null and silence = ?1 and {seen} order by id desc limit ?{}", args.len());
    let rows = db.read(&sql, args).await?;
    rows.iter().map(alert).collect()
}

/// Open or not, as an incident's alerts are shown: words of the index `alert_shown`, which is found by them.
const SHOWN_FIRST: &str = "case when ended is null then 0 else 1 end";

/// How many alerts an incident has or had, and how many of them are open: counted along an index, whose entries are all that
/// is read.
fn counts_sql() -> String {
    format!(
        "select (select count(*) from alert where incident = ?1), \
         (select count(*) from alert where incident = ?1 and {SHOWN_FIRST} = 0)"
    )
}

/// See [`of_incident`].
fn of_incident_sql(open: Option<bool>) -> String {
    // Where all are open, or none, neither comes first.
    let (only, first) = match open {
        Some(open) => (format!("and {SHOWN_FIRST} = {}", i32::from(!open)), String::new()),
        None => (String::new(), format!("{SHOWN_FIRST}, ")),
    };
    format!("select {COLUMNS} from alert where incident = ?1 {only} order by {first}opened_at desc, id limit ?2 offset ?3")
}

/// How many alerts an incident has or had, and how many of them are open.
pub async fn counts_of(db: &Db, incident: IncidentId) -> Result<(u64, u64), Fault> {
    let rows = db.read(&counts_sql(), vec![text(incident)]).await?;
    rows.first().map_or(Ok((0, 0)), |row| {
        let mut r = Reader::new(row);
        Ok((r.count()?, r.count()?))
    })
}

/// Alerts of an incident after the first `skip`: those that are open first, of each the newest first, and what came at the
/// same instant in the order in which it came. Not by title, which databases order by their language.
pub async fn of_incident(db: &Db, incident: IncidentId, open: Option<bool>, skip: i64, limit: i64) -> Result<Vec<Alert>, Fault> {
    let rows = db.read(&of_incident_sql(open), vec![text(incident), Val::Int(limit), Val::Int(skip)]).await?;
    Ok(super::readable(db, &rows, "alert", alert))
}

/// Of an incident's open alerts: all, those that silences hold, and when the first of these silences ends.
pub async fn held(db: &Db, incident: IncidentId) -> Result<(u64, u64, Option<Timestamp>), Fault> {
    let sql = "select count(*), count(silence), min(silenced_until) from alert where incident = ?1 and ended is null";
    let rows = db.read(sql, vec![text(incident)]).await?;
    rows.first().map_or(Ok((0, 0, None)), |row| {
        let mut r = Reader::new(row);
        Ok((r.count()?, r.count()?, r.opt_instant()?))
    })
}

/// An alert that ended, as whoever waits for it to come back remembers it.
#[derive(Debug, Clone)]
pub struct EndedLately {
    pub integration: String,
    pub dedup_key: String,
    pub incident: IncidentId,
    pub opened_at: Timestamp,
    pub ended_at: Timestamp,
    pub returns: u32,
}

/// Alerts of incidents that ended by themselves since an instant, the latest first.
pub async fn ended_since(db: &Db, since: Timestamp, limit: i64) -> Result<Vec<EndedLately>, Fault> {
    let sql = "select integration, dedup_key, incident, opened_at, ended_at, returns from alert \
               where ended_at is not null and ended_at >= ?1 and incident is not null and ended <> 'with_incident' \
               order by ended_at desc limit ?2";
    let rows = db.read(sql, vec![instant(since), Val::Int(limit)]).await?;
    rows.iter()
        .map(|row| {
            let mut r = Reader::new(row);
            Ok(EndedLately {
                integration: r.text()?,
                dedup_key: r.text()?,
                incident: r.parse()?,
                opened_at: r.instant()?,
                ended_at: r.instant()?,
                returns: r.small()?,
            })
        })
        .collect()
}

/// Of an incident: alerts in all, and those that are open.
pub async fn totals(db: &Db, incident: IncidentId) -> Result<(u64, u64), Fault> {
    let rows =
        db.read("select count(*), count(*) filter (where ended is null) from alert where incident = ?1", vec![text(incident)]).await?;
    rows.first().map_or(Ok((0, 0)), |row| {
        let mut r = Reader::new(row);
        Ok((r.count()?, r.count()?))
    })
}

/// What a list is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub incident: Option<IncidentId>,
    pub integration: Option<String>,
    pub service: Option<String>,
    /// Open or ended.
    pub open: Option<bool>,
    /// Older than this one.
    pub before: Option<AlertId>,
    /// Whose list it is: an alert is seen where its incident is.
    pub reach: Reach,
}

/// Newest first.
pub async fn list(db: &Db, filter: &Filter, limit: i64) -> Result<Vec<Alert>, Fault> {
    let mut sql = format!("select {COLUMNS} from alert where true");
    let mut args = Vec::new();
    let mut narrow = |clause: &str, value: Option<Val>| {
        if let Some(value) = value {
            args.push(value);
            sql.push_str(&format!(" and {clause} ?{}", args.len()));
        }
    };
    narrow("incident =", filter.incident.map(text));
    narrow("integration =", filter.integration.as_ref().map(text));
    narrow("service =", filter.service.as_ref().map(text));
    narrow("id <", filter.before.map(text));
    match filter.open {
        Some(true) => sql.push_str(" and ended is null"),
        Some(false) => sql.push_str(" and ended is not null"),
        None => {}
    }
    sql.push_str(" and ");
    sql.push_str(&super::reader::seen_with(&filter.reach, "alert.incident", &mut args));
    args.push(Val::Int(limit));
    sql.push_str(&format!(" order by id desc limit ?{}", args.len()));
    let rows = db.read(&sql, args).await?;
    Ok(super::readable(db, &rows, "alert", alert))
}

/// Alerts stored, open and ended.
pub async fn counts(db: &Db) -> Result<(i64, i64), Fault> {
    let rows = db.read("select count(*) filter (where ended is null), count(*) from alert", vec![]).await?;
    rows.first().map_or(Ok((0, 0)), |row| Ok((row.int(0)?, row.int(1)? - row.int(0)?)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // tests
mod tests {
    use super::*;

    /// How SQLite would carry a statement out.
    async fn plan(db: &Db, sql: &str, args: Vec<Val>) -> String {
        let rows = db.read(&format!("explain query plan {sql}"), args).await.unwrap();
        // Its fourth column says it in words.
        rows.iter().map(|row| row.text(3).unwrap().to_owned()).collect::<Vec<String>>().join("\n")
    }

    #[tokio::test]
    async fn what_the_page_of_an_incident_reads_is_walked_in_order_and_not_sorted() {
        let db = Db::open_inline(crate::schema::MIGRATIONS).unwrap();
        let incident = || text(IncidentId::from_bits(1));
        for open in [None, Some(true), Some(false)] {
            let plan = self::plan(&db, &of_incident_sql(open), vec![incident(), Val::Int(50), Val::Int(0)]).await;
            assert!(plan.contains("alert_shown") && !plan.contains("TEMP B-TREE"), "{open:?}: {plan}");
        }
        let plan = self::plan(&db, &counts_sql(), vec![incident()]).await;
        assert_eq!(plan.matches("COVERING INDEX").count(), 2, "{plan}");
        let plan = self::plan(&db, &super::super::event::declined_sql(), vec![incident(), Val::Int(1000)]).await;
        assert!(plan.contains("event_declined") && !plan.contains("TEMP B-TREE"), "{plan}");
    }
}
