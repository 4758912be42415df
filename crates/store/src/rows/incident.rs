//! Folded incidents.

use std::collections::BTreeMap;

use allclear_domain::access::Reach;
use allclear_domain::event::{Head, Mode};
use allclear_domain::expect::{Rule, Standing};
use allclear_domain::ids::IncidentId;
use allclear_domain::incident::Alarms;
use allclear_domain::incident::clock::{Clock, Clocks};
use allclear_domain::incident::clocks::Reached;
use allclear_domain::incident::related::Transfers;
use allclear_domain::incident::work::Work;
use allclear_domain::incident::{Incident, Severity, State};
use allclear_domain::measure::{Instants, Measured};

use super::{Reader, count, instant, opt_instant, opt_text, reader, text, to_json};
use crate::db::Db;
use crate::fault::Fault;
use crate::schema::INCIDENT;
use crate::unread::Found;
use crate::val::{Row, Val, Write};
use jiff::Timestamp;

/// The row of an incident whose log ends at `head`.
#[must_use]
pub fn put(i: &Incident, head: Head) -> Write {
    Write::Upsert {
        table: &INCIDENT,
        row: vec![
            text(i.id),
            text(&i.reference),
            text(i.state.word()),
            Val::Bool(i.state.is_open()),
            text(&i.title),
            text(i.severity),
            opt_text(i.service.as_ref()),
            opt_text(i.escalation.as_ref()),
            opt_text(i.group_key.as_ref()),
            text(&i.because),
            text(i.mode.word()),
            opt_text(i.commander.as_ref()),
            opt_text(i.acknowledged_by.as_ref()),
            opt_text(i.merged_into),
            opt_text(i.page),
            count(i.alerts_told),
            count(i.recoveries_told),
            Val::Bool(i.recovered),
            Val::from(i.reopened),
            opt_instant(i.impact_started_at),
            opt_instant(i.detected_at),
            opt_instant(i.declared_at),
            opt_instant(i.acknowledged_at),
            opt_instant(i.mitigated_at),
            opt_instant(i.resolved_at),
            opt_instant(i.closed_at),
            instant(i.created_at),
            instant(i.updated_at),
            count(head.version),
            Val::Bytes(head.hash.to_vec()),
            // Most incidents are never coordinated: nothing is written for those.
            if i.work == Work::default() { Val::Null } else { to_json(&i.work) },
            Val::Bool(i.private),
            to_json(&i.admitted),
            // Most incidents are never held, and end once.
            if i.alarms == Alarms::default() { Val::Null } else { to_json(&i.alarms) },
        ],
    }
}

/// Holds only while an incident stands at this version: for decisions that rest on it and change something
/// else, where other nodes write too.
#[must_use]
pub fn unchanged(id: IncidentId, version: u64) -> Write {
    Write::Exec {
        table: &INCIDENT,
        sql: "update incident set version = version where id = ?1 and version = ?2",
        args: vec![text(id), count(version)],
        expect: Some(1),
    }
}

const COLUMNS: &str = "id, ref, state, title, severity, service, escalation, group_key, because, mode, commander, acknowledged_by, \
    merged_into, page, alerts_told, recoveries_told, recovered, reopened, impact_started_at, detected_at, declared_at, acknowledged_at, mitigated_at, \
    resolved_at, closed_at, created_at, updated_at, private, admitted, version, hash, work, alarms";

fn incident(row: &Row) -> Result<(Incident, Head), Fault> {
    let mut r = Reader::new(row);
    let mut incident = Incident {
        id: r.parse()?,
        reference: r.text()?,
        state: r.word(State::from_word)?,
        title: r.text()?,
        severity: r.word(|w| w.parse::<Severity>().ok())?,
        service: r.opt_text()?,
        escalation: r.opt_text()?,
        group_key: r.opt_text()?,
        because: r.text()?,
        mode: r.word(|w| match w {
            "live" => Some(Mode::Live),
            "exercise" => Some(Mode::Exercise),
            _ => None,
        })?,
        commander: r.opt_text()?,
        acknowledged_by: r.opt_text()?,
        merged_into: r.opt_parse()?,
        page: r.opt_parse()?,
        alerts_told: r.count()?,
        recoveries_told: r.count()?,
        recovered: r.bool()?,
        reopened: r.small()?,
        impact_started_at: r.opt_instant()?,
        detected_at: r.opt_instant()?,
        declared_at: r.opt_instant()?,
        acknowledged_at: r.opt_instant()?,
        mitigated_at: r.opt_instant()?,
        resolved_at: r.opt_instant()?,
        closed_at: r.opt_instant()?,
        created_at: r.instant()?,
        updated_at: r.instant()?,
        private: r.bool()?,
        admitted: r.json()?,
        work: Work::default(),
        alarms: Alarms::default(),
    };
    let head = Head { version: r.count()?, hash: r.hash()? };
    if let Some(json) = r.opt_text()? {
        incident.work = serde_json::from_str(&json).map_err(|why| super::broken("work", &why.to_string()))?;
    }
    if let Some(json) = r.opt_text()? {
        incident.alarms = serde_json::from_str(&json).map_err(|why| super::broken("alarms", &why.to_string()))?;
    }
    Ok((incident, head))
}

/// One incident.
pub async fn get(db: &Db, id: IncidentId) -> Result<Option<(Incident, Head)>, Fault> {
    let rows = db.read(&format!("select {COLUMNS} from incident where id = ?1"), vec![text(id)]).await?;
    rows.first().map(incident).transpose()
}

/// The references of these.
pub(super) async fn references(db: &Db, ids: &[IncidentId]) -> Result<BTreeMap<IncidentId, String>, Fault> {
    /// Ids of one statement: one is prepared for any number of them.
    const TOGETHER: usize = 100;
    let mut out = BTreeMap::new();
    for ids in ids.chunks(TOGETHER) {
        let args: Vec<Val> = ids.iter().chain(ids.last().into_iter().cycle()).take(TOGETHER).map(text).collect();
        let marks: Vec<String> = (1..=args.len()).map(|n| format!("?{n}")).collect();
        let rows = db.read(&format!("select id, ref from incident where id in ({})", marks.join(", ")), args).await?;
        for row in &rows {
            let mut r = Reader::new(row);
            out.insert(r.parse()?, r.text()?);
        }
    }
    Ok(out)
}

/// Open incidents after this id of which nothing is live that would call somebody; whether somebody has one of them its
/// row says. With the id of the last, for the next of them.
pub async fn awaiting_nobody(db: &Db, after: &str, limit: i64) -> Result<(Found<Incident>, Option<String>), Fault> {
    let rules: Vec<String> = Rule::ALL.iter().filter(|rule| rule.calls_somebody()).map(|rule| format!("'{}'", rule.name())).collect();
    let sql = format!(
        "select {COLUMNS} from incident where open and id > ?1 and not exists (select 1 from expectation e where e.incident = incident.id \
         and e.standing = 'live' and e.rule in ({})) order by id limit ?2",
        rules.join(", ")
    );
    let rows = db.read(&sql, vec![text(after), Val::Int(limit)]).await?;
    let last = rows.last().map(|row| row.text(0).map(ToOwned::to_owned)).transpose()?;
    Ok((Found::of(&rows, "incident", |row| incident(row).map(|(incident, _)| incident), |row| super::shown(row, 0)), last))
}

/// The id behind `INC-142` or an id, where it is within reach.
pub async fn seen(db: &Db, reference: &str, reach: &Reach) -> Result<Option<IncidentId>, Fault> {
    let mut args = vec![text(reference)];
    let seen = reader::seen(reach, &mut args);
    let column = if reference.parse::<IncidentId>().is_ok() { "id" } else { "ref" };
    let rows = db.read(&format!("select id from incident where {column} = ?1 and {seen}"), args).await?;
    rows.first().map(|row| Reader::new(row).parse()).transpose()
}

/// Those of these that are within reach.
pub async fn seen_of(db: &Db, ids: &[IncidentId], reach: &Reach) -> Result<Vec<IncidentId>, Fault> {
    if ids.is_empty() || reach.everything {
        return Ok(ids.to_vec());
    }
    let mut args: Vec<Val> = ids.iter().map(text).collect();
    let marks: Vec<String> = (1..=ids.len()).map(|n| format!("?{n}")).collect();
    let seen = reader::seen(reach, &mut args);
    let rows = db.read(&format!("select id from incident where id in ({}) and {seen}", marks.join(", ")), args).await?;
    rows.iter().map(|row| Reader::new(row).parse()).collect()
}

/// Those of these references that are within reach, in no order.
pub async fn of_references(db: &Db, references: &[String], reach: &Reach) -> Result<Vec<Incident>, Fault> {
    if references.is_empty() {
        return Ok(Vec::new());
    }
    let mut args: Vec<Val> = references.iter().map(text).collect();
    let marks: Vec<String> = (1..=references.len()).map(|n| format!("?{n}")).collect();
    let seen = reader::seen(reach, &mut args);
    let rows = db.read(&format!("select {COLUMNS} from incident where ref in ({}) and {seen}", marks.join(", ")), args).await?;
    Ok(super::readable(db, &rows, "incident", incident).into_iter().map(|(incident, _)| incident).collect())
}

/// Resolved ones within reach of which a report to a regulator was ever awaited, the newest first, from one on.
pub async fn owing(db: &Db, reach: &Reach, before: Option<IncidentId>, limit: i64) -> Result<Vec<(Incident, Head)>, Fault> {
    let mut args = Vec::new();
    let mut seen = reader::seen(reach, &mut args);
    if let Some(before) = before {
        args.push(text(before));
        seen = format!("{seen} and id < ?{}", args.len());
    }
    args.push(Val::Int(limit));
    let sql = format!(
        "select {COLUMNS} from incident where id in (select incident from expectation where rule = 'incident.obligation') \
         and state = 'resolved' and mode = 'live' and {seen} order by id desc limit ?{}",
        args.len()
    );
    let rows = db.read(&sql, args).await?;
    Ok(super::readable(db, &rows, "incident", incident))
}

/// How many open ones are within reach; exercises are in no count.
pub async fn count_open(db: &Db, reach: &Reach) -> Result<i64, Fault> {
    let mut args = Vec::new();
    let seen = reader::seen(reach, &mut args);
    let rows = db.read(&format!("select count(*) from incident where open and mode = 'live' and {seen}"), args).await?;
    rows.first().map_or(Ok(0), |row| row.int(0))
}

/// How many open ones of each service are within reach, and the worst severity among them.
pub async fn open_by_service(db: &Db, reach: &Reach) -> Result<Vec<(String, i64, Severity)>, Fault> {
    let mut args = Vec::new();
    let seen = reader::seen(reach, &mut args);
    // The words of severities sort as they are bad. SQLite would group by the column itself along the index over
    // services, and look at everything that ever was.
    let sql = format!(
        "select coalesce(service, ''), count(*), min(severity) from incident where open and mode = 'live' and {seen} group by coalesce(service, '') \
         having coalesce(service, '') <> ''"
    );
    let rows = db.read(&sql, args).await?;
    let of = |row| {
        let mut r = Reader::new(row);
        Ok((r.text()?, r.int()?, r.word(|word| word.parse::<Severity>().ok())?))
    };
    rows.iter().map(of).collect()
}

/// The id behind `INC-142`.
pub async fn by_reference(db: &Db, reference: &str) -> Result<Option<IncidentId>, Fault> {
    let rows = db.read("select id from incident where ref = ?1", vec![text(reference)]).await?;
    rows.first().map(|row| Reader::new(row).parse()).transpose()
}

/// The open incident of a group.
pub async fn by_group(db: &Db, key: &str) -> Result<Option<IncidentId>, Fault> {
    let rows = db.read("select id from incident where open and group_key = ?1", vec![text(key)]).await?;
    rows.first().map(|row| Reader::new(row).parse()).transpose()
}

/// What a list is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// One state.
    pub state: Option<State>,
    /// Only open ones.
    pub open: bool,
    /// Only those that are not.
    pub over: bool,
    pub severity: Option<Severity>,
    pub service: Option<String>,
    /// Only those that name this person: as commander, as who took it, or anywhere in its roles and tasks.
    pub naming: Option<String>,
    /// Older than this one.
    pub before: Option<IncidentId>,
    /// The worst first, and of one severity the newest, rather than simply the newest.
    pub worst_first: bool,
    /// Without exercises; a list that is worst first has none either way.
    pub real: bool,
    /// Whose list it is.
    pub reach: Reach,
}

/// Newest first, or worst first.
pub async fn list(db: &Db, filter: &Filter, limit: i64) -> Result<Vec<(Incident, Head)>, Fault> {
    among(db, filter, &[], limit).await
}

/// A list, of these ids alone where some are given.
pub(super) async fn among(db: &Db, filter: &Filter, ids: &[IncidentId], limit: i64) -> Result<Vec<(Incident, Head)>, Fault> {
    let (sql, mut args) = listed(COLUMNS, filter, ids, limit);
    let rows = db.read(&sql, args.clone()).await?;
    let found = super::readable(db, &rows, "incident", incident);
    let unread = rows.len() - found.len();
    if unread == 0 {
        return Ok(found);
    }
    // As many as were asked for, or whoever reads on would think that this was the end.
    args.pop();
    args.push(Val::Int(limit.saturating_add(i64::try_from(unread).unwrap_or(0))));
    let rows = db.read(&sql, args).await?;
    let mut found = super::readable(db, &rows, "incident", incident);
    found.truncate(usize::try_from(limit).unwrap_or(0));
    Ok(found)
}

/// The statement of a list; its last argument is the limit.
fn listed(columns: &str, filter: &Filter, ids: &[IncidentId], limit: i64) -> (String, Vec<Val>) {
    let mut sql = format!("select {columns} from incident where true");
    let mut args = Vec::new();
    narrow(filter, ids, &mut sql, &mut args);
    args.push(Val::Int(limit));
    let order = if filter.worst_first { "severity, id desc" } else { "id desc" };
    sql.push_str(&format!(" order by {order} limit ?{}", args.len()));
    (sql, args)
}

/// Which a list has, each with its version: for whoever kept what they are.
pub async fn versions(db: &Db, filter: &Filter, limit: i64) -> Result<Vec<(IncidentId, u64)>, Fault> {
    let (sql, args) = listed("id, version", filter, &[], limit);
    let rows = db.read(&sql, args).await?;
    let of = |row| {
        let mut r = Reader::new(row);
        Ok((r.parse()?, r.count()?))
    };
    rows.iter().map(of).collect()
}

/// Those of these that are in a list, in its order.
pub async fn of_ids(db: &Db, filter: &Filter, ids: &[IncidentId]) -> Result<Vec<(Incident, Head)>, Fault> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    among(db, filter, ids, i64::try_from(ids.len()).unwrap_or(i64::MAX)).await
}

/// Adds a filter's clauses to a statement over `incident`.
pub(super) fn narrow(filter: &Filter, ids: &[IncidentId], sql: &mut String, args: &mut Vec<Val>) {
    let mut clause = |clause: &str, value: Option<Val>| {
        if let Some(value) = value {
            args.push(value);
            sql.push_str(&format!(" and {clause} ?{}", args.len()));
        }
    };
    clause("state =", filter.state.map(|s| text(s.word())));
    clause("severity =", filter.severity.map(text));
    // A board walks what is open, in its order; a service may have a thousand times as many that ended,
    // which SQLite would walk by the index over services.
    let service = if filter.worst_first { "coalesce(service, '') =" } else { "service =" };
    clause(service, filter.service.as_ref().map(text));
    clause("id <", filter.before.map(text));
    if filter.open {
        sql.push_str(" and open");
    }
    if filter.over {
        sql.push_str(" and not open");
    }
    // A board is of what is real.
    if filter.worst_first || filter.real {
        sql.push_str(" and mode = 'live'");
    }
    if let Some(person) = &filter.naming {
        args.push(text(person));
        let is = args.len();
        // `work` is JSON, and ids are lower case letters, digits and `-_.`, so that one stands in it as it is.
        // Looking for its quoted text is the same on both databases, which reading JSON is not.
        args.push(text(format!("\"{person}\"")));
        let written = args.len();
        sql.push_str(&format!(" and (commander = ?{is} or acknowledged_by = ?{is} or strpos(work, ?{written}) > 0)"));
    }
    if !ids.is_empty() {
        let first = args.len() + 1;
        args.extend(ids.iter().map(text));
        let marks: Vec<String> = (first..=args.len()).map(|n| format!("?{n}")).collect();
        sql.push_str(&format!(" and id in ({})", marks.join(", ")));
    }
    sql.push_str(" and ");
    sql.push_str(&reader::seen(&filter.reach, args));
}

/// Declared in a period and neither cancelled nor merged, oldest first, as far as counting needs them; with the id to go on after.
pub async fn declared_between(
    db: &Db,
    from: Timestamp,
    to: Timestamp,
    after: &str,
    limit: i64,
    reach: &Reach,
) -> Result<Vec<(IncidentId, Measured)>, Fault> {
    let mut args = vec![instant(from), instant(to), text(after), Val::Int(limit)];
    let seen = reader::seen(reach, &mut args);
    let sql = format!(
        "select id, severity, service, impact_started_at, detected_at, declared_at, acknowledged_at, mitigated_at, resolved_at, \
         state, case when strpos(work, 'clocks') > 0 or strpos(work, 'transfers') > 0 then work end, alarms, reopened \
         from incident where declared_at >= ?1 and declared_at < ?2 and state not in ('cancelled', 'merged') and mode = 'live' \
         and id > ?3 and {seen} order by id limit ?4"
    );
    let rows = db.read(&sql, args).await?;
    rows.iter().map(measured).collect()
}

fn measured(row: &Row) -> Result<(IncidentId, Measured), Fault> {
    let mut r = Reader::new(row);
    let (id, severity, service) = (r.parse()?, r.parse()?, r.opt_text()?);
    let instants = Instants {
        impact_started_at: r.opt_instant()?,
        detected_at: r.opt_instant()?,
        declared_at: r.opt_instant()?,
        acknowledged_at: r.opt_instant()?,
        mitigated_at: r.opt_instant()?,
        resolved_at: r.opt_instant()?,
    };
    let state = r.word(State::from_word)?;
    let (work, alarms) = (r.opt_text()?, r.opt_text()?);
    let (clocks, hand_overs) = match work {
        Some(work) => judged(&work, &instants, state, alarms.as_deref())?,
        None => (Vec::new(), (0, 0)),
    };
    Ok((id, Measured { severity, service, instants, clocks, hand_overs, reopened: r.small()? }))
}

/// Its clocks that were met or missed, and its hand-overs, of the rest of its row.
fn judged(work: &str, instants: &Instants, state: State, alarms: Option<&str>) -> Result<Judged, Fault> {
    #[derive(serde::Deserialize)]
    struct Work {
        #[serde(default)]
        clocks: Clocks,
        #[serde(default)]
        transfers: Transfers,
    }
    let Work { clocks, transfers } = serde_json::from_str(work).map_err(|why| super::broken("work", &why.to_string()))?;
    let alarms: Alarms =
        alarms.map_or_else(|| Ok(Alarms::default()), serde_json::from_str).map_err(|why| super::broken("alarms", &why.to_string()))?;
    let reached = Reached {
        acknowledged_at: instants.acknowledged_at,
        engaged_at: clocks.engaged_at,
        mitigated_at: instants.mitigated_at,
        resolved_at: instants.resolved_at,
        by_itself: alarms.by_itself,
        state,
    };
    let settled = clocks.list.iter().filter_map(|timed| match reached.standing(timed) {
        Standing::Met => Some((timed.target.clone(), timed.clock, true)),
        Standing::Missed => Some((timed.target.clone(), timed.clock, false)),
        Standing::Live | Standing::Void => None,
    });
    Ok((settled.collect(), (transfers.hand_overs, transfers.ping_pongs)))
}

/// Clocks by their targets and whether each was kept; hand-overs, and those to and fro.
type Judged = (Vec<(String, Clock, bool)>, (u32, u32));

/// Open incidents by severity, for the gauge.
pub async fn open_by_severity(db: &Db) -> Result<Vec<(String, i64)>, Fault> {
    let rows = db.read("select severity, count(*) from incident where open and mode = 'live' group by severity", vec![]).await?;
    rows.iter().map(|row| Ok((row.text(0)?.to_owned(), row.int(1)?))).collect()
}

/// Ids of all incidents, oldest first, for rebuilding and checking.
pub async fn ids(db: &Db, after: &str, limit: i64) -> Result<Vec<IncidentId>, Fault> {
    let rows = db.read("select id from incident where id > ?1 order by id limit ?2", vec![text(after), Val::Int(limit)]).await?;
    rows.iter().map(|row| Reader::new(row).parse()).collect()
}
