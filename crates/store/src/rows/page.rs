//! Folded pages.

use std::sync::Arc;

use allclear_domain::event::Head;
use allclear_domain::ids::{IncidentId, PageId};
use allclear_domain::org::model::{Escalation, NotifyUrgency};
use allclear_domain::paging::drill::{Busy, DRILL_DAY, LIVE_PAGES_MAX};
use allclear_domain::paging::{Drill, Entry, Page, Status, Tells};
use allclear_domain::time::Length;

use super::{Reader, count, instant, opt_instant, opt_text, text, to_json};
use crate::db::Db;
use crate::fault::Fault;
use crate::schema::PAGE;
use crate::unread::Found;
use crate::val::{Row, Val, Write};
use jiff::Timestamp;

/// The row of a page whose log ends at `head`.
#[must_use]
pub fn put(p: &Page, head: Head) -> Write {
    Write::Upsert {
        table: &PAGE,
        row: vec![
            text(p.id),
            text(p.incident_id()),
            to_json(&p.incident),
            opt_text(p.escalation.as_ref()),
            text(match p.urgency {
                NotifyUrgency::High => "high",
                NotifyUrgency::Low => "low",
            }),
            opt_text(p.alert),
            text(&p.because),
            text(p.status.word()),
            Val::from(p.round),
            Val::from(p.step),
            Val::Bool(p.catch_all),
            to_json(&p.entries),
            opt_text(p.acknowledged_by.as_ref()),
            instant(p.started_at),
            opt_instant(p.ended_at),
            count(head.version),
            Val::Bytes(head.hash.to_vec()),
            asks(p),
            opt_text(p.reached.as_ref()),
            opt_text(p.escalation.as_ref().filter(|_| p.drill.is_some())),
        ],
    }
}

/// What a page has beside the usual: people by name, something it only tells, that it came back or went on, and the end
/// of its step's time.
#[derive(serde::Serialize, serde::Deserialize)]
struct Asks {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    targets: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    then: Vec<String>,
    #[serde(default = "first", skip_serializing_if = "is_first")]
    since_round: u32,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    alone: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tells: Option<Tells>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "never")]
    resumed: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    policy: Option<Arc<Escalation>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    request: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    within: Option<Length>,
    #[serde(default = "first", skip_serializing_if = "is_first")]
    wants: u32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    answered: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    passed_on: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    drill: Option<Drill>,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde's way
const fn never(times: &u32) -> bool {
    *times == 0
}

const fn first() -> u32 {
    1
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde hands a reference
const fn is_first(round: &u32) -> bool {
    *round == first()
}

fn asks(p: &Page) -> Val {
    let usual = p.targets.is_empty() && p.then.is_empty() && p.tells.is_none() && is_first(&p.since_round);
    // Where several have to acknowledge there is a time and a policy.
    if usual && p.drill.is_none() && p.due_at.is_none() && p.resumed == 0 && p.policy.is_none() && p.request.is_none() {
        return Val::Null;
    }
    to_json(&Asks {
        targets: p.targets.clone(),
        then: p.then.clone(),
        since_round: p.since_round,
        alone: p.alone,
        tells: p.tells.clone(),
        due_at: p.due_at,
        resumed: p.resumed,
        policy: p.policy.clone(),
        request: p.request,
        within: p.within,
        wants: p.wants,
        answered: p.answered.clone(),
        passed_on: p.passed_on.clone(),
        drill: p.drill.clone(),
    })
}

/// Holds only while a page stands at this version: for decisions that rest on it and change something
/// else, where other nodes write too.
#[must_use]
pub fn unchanged(id: PageId, version: u64) -> Write {
    Write::Exec {
        table: &PAGE,
        sql: "update page set version = version where id = ?1 and version = ?2",
        args: vec![text(id), count(version)],
        expect: Some(1),
    }
}

const COLUMNS: &str = "id, about, escalation, urgency, alert, because, status, round, step, catch_all, entries, acknowledged_by, \
    started_at, ended_at, version, hash, asks, reached";

fn page(row: &Row) -> Result<(Page, Head), Fault> {
    let mut r = Reader::new(row);
    let mut page = Page {
        id: r.parse()?,
        incident: r.json()?,
        escalation: r.opt_text()?,
        urgency: r.word(|w| match w {
            "high" => Some(NotifyUrgency::High),
            "low" => Some(NotifyUrgency::Low),
            _ => None,
        })?,
        alert: r.opt_parse()?,
        because: r.text()?,
        status: r.word(Status::from_word)?,
        round: r.small()?,
        step: r.small()?,
        catch_all: r.bool()?,
        entries: r.json()?,
        acknowledged_by: r.opt_text()?,
        reached: None,
        started_at: r.instant()?,
        ended_at: r.opt_instant()?,
        targets: Vec::new(),
        then: Vec::new(),
        alone: false,
        since_round: first(),
        tells: None,
        due_at: None,
        resumed: 0,
        policy: None,
        request: None,
        within: None,
        wants: first(),
        answered: Vec::new(),
        passed_on: Vec::new(),
        drill: None,
    };
    let head = Head { version: r.count()?, hash: r.hash()? };
    if let Some(json) = r.opt_text()? {
        let asks: Asks = serde_json::from_str(&json).map_err(|why| super::broken("asks", &why.to_string()))?;
        (page.targets, page.then, page.since_round, page.tells) = (asks.targets, asks.then, asks.since_round, asks.tells);
        (page.due_at, page.resumed, page.alone) = (asks.due_at, asks.resumed, asks.alone);
        (page.policy, page.wants) = (asks.policy, asks.wants);
        (page.request, page.within) = (asks.request, asks.within);
        (page.answered, page.passed_on, page.drill) = (asks.answered, asks.passed_on, asks.drill);
    }
    page.reached = r.opt_text()?;
    Ok((page, head))
}

/// One page.
pub async fn get(db: &Db, id: PageId) -> Result<Option<(Page, Head)>, Fault> {
    let rows = db.read(&format!("select {COLUMNS} from page where id = ?1"), vec![text(id)]).await?;
    rows.first().map(page).transpose()
}

/// Many pages; what is not there is not given, nor what does not read, which must not hold up the others.
pub async fn get_all(db: &Db, ids: &[PageId]) -> Result<Vec<(Page, Head)>, Fault> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let marks: Vec<String> = (1..=ids.len()).map(|n| format!("?{n}")).collect();
    let rows = db.read(&format!("select {COLUMNS} from page where id in ({})", marks.join(", ")), ids.iter().map(text).collect()).await?;
    Ok(rows.iter().filter_map(|row| page(row).ok()).collect())
}

/// The pages of an incident, oldest first; one that does not read must not make its incident unreadable.
pub async fn of_incident(db: &Db, incident: IncidentId) -> Result<Found<(Page, Head)>, Fault> {
    let rows = db.read(&format!("select {COLUMNS} from page where incident = ?1 order by id"), vec![text(incident)]).await?;
    Ok(Found::of(&rows, "page", page, |row| super::shown(row, 0)))
}

/// The pages of the newest exercises that are no drills, newest first: tests.
pub async fn of_exercises(db: &Db, limit: i64) -> Result<Vec<Page>, Fault> {
    let columns: Vec<String> = COLUMNS.split(',').map(|column| format!("p.{}", column.trim())).collect();
    let sql = format!(
        "select {} from incident i join page p on p.incident = i.id where i.mode = 'exercise' and p.drill is null order by i.id desc, p.id desc limit ?1",
        columns.join(", ")
    );
    let rows = db.read(&sql, vec![Val::Int(limit)]).await?;
    rows.iter().map(|row| page(row).map(|(page, _)| page)).collect()
}

/// The newest test page.
pub async fn newest_test(db: &Db) -> Result<Option<Page>, Fault> {
    Ok(of_exercises(db, 1).await?.pop())
}

/// Those of these people who answered a test by its message.
pub async fn reached(db: &Db, people: &[String]) -> Result<Vec<String>, Fault> {
    if people.is_empty() {
        return Ok(Vec::new());
    }
    let marks: Vec<String> = (1..=people.len()).map(|n| format!("?{n}")).collect();
    let sql = format!("select distinct reached from page where reached in ({})", marks.join(", "));
    let rows = db.read(&sql, people.iter().map(text).collect()).await?;
    rows.iter().map(|row| Reader::new(row).text()).collect()
}

/// Whether anybody ever answered a test by its message.
pub async fn anybody_reached(db: &Db) -> Result<bool, Fault> {
    Ok(!db.read("select id from page where reached is not null limit 1", vec![]).await?.is_empty())
}

/// Fire drills as far as a new one is held against them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Drills {
    /// Those that run, each with its policy.
    pub running: Vec<(PageId, String)>,
    /// When those of one policy started that count for a new one, oldest first.
    pub lately: Vec<Timestamp>,
}

/// The drills that run, and those of a policy that started within a day.
pub async fn drills_for(db: &Db, policy: &str, now: Timestamp) -> Result<Drills, Fault> {
    let sql = "select id, drill from page where drill is not null and status = 'running' order by id";
    let mut running = Vec::new();
    for row in &db.read(sql, vec![]).await? {
        let mut r = Reader::new(row);
        running.push((r.parse()?, r.text()?));
    }
    let since = now.checked_sub(DRILL_DAY.as_duration()).unwrap_or(Timestamp::MIN);
    let sql = "select started_at from page where drill is not null and drill = ?1 and started_at > ?2 order by started_at";
    let rows = db.read(sql, vec![text(policy), instant(since)]).await?;
    let lately = rows.iter().map(|row| Reader::new(row).instant()).collect::<Result<_, _>>()?;
    Ok(Drills { running, lately })
}

/// Fire drills, newest first: of one policy, or all.
pub async fn drills(db: &Db, policy: Option<&str>, limit: i64) -> Result<Vec<Page>, Fault> {
    let sql = format!("select {COLUMNS} from page where drill is not null and (?1 = '' or drill = ?1) order by id desc limit ?2");
    let rows = db.read(&sql, vec![text(policy.unwrap_or_default()), Val::Int(limit)]).await?;
    rows.iter().map(|row| page(row).map(|(page, _)| page)).collect()
}

/// Who is being paged for something real now.
pub async fn busy(db: &Db) -> Result<Busy, Fault> {
    let limit = i64::try_from(LIVE_PAGES_MAX).unwrap_or(i64::MAX);
    let sql = "select entries from page where status = 'running' and drill is null order by id desc limit ?1";
    let rows = db.read(sql, vec![Val::Int(limit.saturating_add(1))]).await?;
    let mut busy = Busy { too_many: rows.len() > LIVE_PAGES_MAX, ..Busy::default() };
    for row in &rows {
        // What does not read is another's trouble: it must not keep a drill from being decided.
        let entries: Vec<Entry> = Reader::new(row).json().unwrap_or_default();
        busy.people.extend(entries.into_iter().map(|entry| entry.person));
    }
    Ok(busy)
}

/// Running and exhausted pages, newest first.
pub async fn looking(db: &Db, limit: i64) -> Result<Vec<Page>, Fault> {
    let sql = format!("select {COLUMNS} from page where status in ('running', 'exhausted') order by id desc limit ?1");
    let rows = db.read(&sql, vec![Val::Int(limit)]).await?;
    rows.iter().map(|row| page(row).map(|(p, _)| p)).collect()
}

/// Pages of open incidents that everybody was paged for, where `limit` are enough to see that something is wrong.
pub async fn exhausted(db: &Db, limit: i64) -> Result<Found<Page>, Fault> {
    let columns: Vec<String> = COLUMNS.split(',').map(|column| format!("p.{}", column.trim())).collect();
    let sql = format!(
        "select {} from incident i join page p on p.incident = i.id where i.open and p.status = 'exhausted' order by p.id desc limit ?1",
        columns.join(", ")
    );
    let rows = db.read(&sql, vec![Val::Int(limit)]).await?;
    Ok(Found::of(&rows, "page", |row| page(row).map(|(page, _)| page), |row| super::shown(row, 0)))
}
