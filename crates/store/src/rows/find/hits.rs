//! What stands at places, as far as a reader may see it: with the predicate of every list.

use allclear_domain::access::Reach;
use allclear_domain::event::Mode;
use allclear_domain::ids::{AlertId, IncidentId};
use allclear_domain::incident::{Severity, State};
use allclear_domain::signal::Alert;
use allclear_domain::time::to_micros;
use allclear_domain::tlp::Tlp;
use jiff::Timestamp;

use super::follow::speaking;
use super::walk::INCIDENTS_MAX;
use super::{alerts_at, place_of};
use crate::db::Db;
use crate::fault::Fault;
use crate::rows::{Reader, alert, incident, instant, reader, search, text};
use crate::val::{Row, Val};

/// Places of one statement: databases keep one prepared for each.
const SIZES: [usize; 3] = [20, 100, 500];
/// Most places that are looked at together.
pub const TOGETHER_MAX: usize = SIZES[2];
/// Alerts of a hundred incidents that are looked at for whoever sees few: those of a storm or two.
const ALERTS_OF_FEW_MAX: i64 = 20_000;
/// Clocks of nodes differ, and what is committed together has one time: so much around a period is looked at as well.
const AROUND: i64 = 60_000_000;

/// What hits are narrowed to. What is said of an incident is said of the incident that a hit is of.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub state: Option<State>,
    pub open: bool,
    pub severity: Option<Severity>,
    pub service: Option<String>,
    /// Written down at or after.
    pub from: Option<Timestamp>,
    /// Written down before.
    pub to: Option<Timestamp>,
    /// Without exercises.
    pub real: bool,
    pub reach: Reach,
}

impl Filter {
    /// Whether it asks something of an incident.
    fn asks(&self) -> bool {
        self.state.is_some() || self.open || self.severity.is_some() || self.service.is_some()
    }

    /// The same for a list of incidents.
    fn of_incidents(&self) -> incident::Filter {
        incident::Filter {
            state: self.state,
            open: self.open,
            severity: self.severity,
            service: self.service.clone(),
            real: self.real,
            reach: self.reach.clone(),
            ..incident::Filter::default()
        }
    }
}

/// The incident that a hit is of.
#[derive(Debug, Clone, PartialEq)]
pub struct Of {
    pub id: IncidentId,
    pub reference: String,
    pub title: String,
    pub state: State,
    pub severity: Severity,
    pub service: Option<String>,
    pub mode: Mode,
}

/// An event that stands at a place.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub seq: i64,
    pub stream: String,
    pub kind: String,
    pub v: u16,
    pub at: Timestamp,
    pub actor: String,
    pub body: Option<String>,
    pub marking: Option<Tlp>,
    pub incident: Option<Of>,
}

/// Incidents within a filter, where they are so few that each is looked for by itself.
///
/// # Errors
/// When the store does not answer.
pub async fn few(db: &Db, filter: &Filter) -> Result<Option<Vec<IncidentId>>, Fault> {
    search::few_within(db, &filter.of_incidents(), INCIDENTS_MAX).await
}

/// The places of alerts of the few incidents that a reader or a filter leaves, rising; nothing where they are not few, or alerts of no
/// incident count as well.
///
/// # Errors
/// When the store does not answer.
pub async fn few_alerts(db: &Db, filter: &Filter) -> Result<Option<Vec<i64>>, Fault> {
    /// Incidents of one statement.
    const TOGETHER: usize = 100;
    let of_incidents = Filter { severity: None, service: None, ..filter.clone() };
    if filter.reach.admits_none() && of_incidents.state.is_none() && !of_incidents.open {
        return Ok(None);
    }
    let Some(ids) = few(db, &of_incidents).await? else { return Ok(None) };
    let mut places = Vec::new();
    for ids in ids.chunks(TOGETHER) {
        let mut args: Vec<Val> = ids.iter().chain(ids.last().into_iter().cycle()).take(TOGETHER).map(text).collect();
        let marks: Vec<String> = (1..=args.len()).map(|n| format!("?{n}")).collect();
        args.push(Val::Int(ALERTS_OF_FEW_MAX));
        let sql = format!("select id from alert where incident in ({}) order by id desc limit ?{}", marks.join(", "), args.len());
        for row in &db.read(&sql, args).await? {
            places.push(place_of(Reader::new(row).parse()?));
        }
    }
    places.sort_unstable();
    places.dedup();
    Ok(Some(places))
}

/// Those of these events that the reader sees, newest first. Of several titles of an incident, and of several versions of a review, only the
/// present one is there.
///
/// # Errors
/// When the store does not answer.
pub async fn entries(db: &Db, places: &[i64], filter: &Filter) -> Result<Vec<Entry>, Fault> {
    let (Some(last), true) = (places.last(), places.len() <= TOGETHER_MAX) else { return Ok(Vec::new()) };
    let size = SIZES.into_iter().find(|size| *size >= places.len()).unwrap_or(places.len());
    let mut args: Vec<Val> = places.iter().chain(std::iter::repeat(last)).take(size).map(|place| Val::Int(*place)).collect();
    let marks: Vec<String> = (1..=args.len()).map(|n| format!("?{n}")).collect();
    let mut sql = format!(
        "select event.seq, event.stream, event.kind, event.v, event.at, event.actor, event.body, event.marking, \
         incident.id, incident.ref, incident.title, incident.state, incident.severity, incident.service, incident.mode \
         from event left join incident on incident.id = event.incident where event.seq in ({}) and event.body is not null \
         and not (event.kind in ('proposed', 'declared', 'renamed') and exists (select 1 from event later where later.incident = event.incident \
           and later.seq > event.seq and later.kind in ('proposed', 'declared', 'renamed'))) \
         and not (event.kind in ('review_edited', 'review_published') and exists (select 1 from event later where later.stream = event.stream \
           and later.version > event.version and later.kind in ('review_edited', 'review_published')))",
        marks.join(", ")
    );
    let seen = reader::seen(&filter.reach, &mut args);
    // What belongs to no incident is for everybody who sees what is not private, and has nothing that could be asked of an incident.
    let none = if filter.reach.admits_none() && !filter.asks() { "event.incident is null or " } else { "" };
    sql.push_str(&format!(" and ({none}(incident.id is not null and {seen}))"));
    let mut clause = |clause: &str, value: Option<Val>| {
        if let Some(value) = value {
            args.push(value);
            sql.push_str(&format!(" and {clause} ?{}", args.len()));
        }
    };
    clause("incident.state =", filter.state.map(|state| text(state.word())));
    clause("incident.severity =", filter.severity.map(text));
    clause("incident.service =", filter.service.as_ref().map(text));
    clause("event.recorded_at >=", filter.from.map(instant));
    clause("event.recorded_at <", filter.to.map(instant));
    if filter.open {
        sql.push_str(" and incident.open");
    }
    if filter.real {
        sql.push_str(" and coalesce(incident.mode, 'live') = 'live'");
    }
    sql.push_str(" order by event.seq desc");
    db.read(&sql, args).await?.iter().map(entry).collect()
}

fn entry(row: &Row) -> Result<Entry, Fault> {
    let mut r = Reader::new(row);
    Ok(Entry {
        seq: r.int()?,
        stream: r.text()?,
        kind: r.text()?,
        v: u16::try_from(r.int()?).unwrap_or(0),
        at: r.instant()?,
        actor: r.text()?,
        body: r.opt_text()?,
        marking: r.opt_text()?.as_deref().and_then(Tlp::from_word),
        incident: match r.opt_parse()? {
            None => None,
            Some(id) => Some(Of {
                id,
                reference: r.text()?,
                title: r.text()?,
                state: r.word(State::from_word)?,
                severity: r.word(|w| w.parse().ok())?,
                service: r.opt_text()?,
                mode: if r.text()? == Mode::Exercise.word() { Mode::Exercise } else { Mode::Live },
            }),
        },
    })
}

/// The newest events that say something, after a number.
///
/// # Errors
/// When the store does not answer.
pub async fn fresh(db: &Db, after: i64, limit: i64) -> Result<Vec<i64>, Fault> {
    let sql = format!("select seq from event where seq > ?1 and kind in ({}) order by seq desc limit ?2", speaking());
    db.read(&sql, vec![Val::Int(after), Val::Int(limit)]).await?.iter().map(|row| row.int(0)).collect()
}

/// The places of the newest alerts, after an id.
///
/// # Errors
/// When the store does not answer.
pub async fn fresh_alerts(db: &Db, after: Option<AlertId>, limit: i64) -> Result<Vec<i64>, Fault> {
    let sql = "select id from alert where id > ?1 order by id desc limit ?2";
    let rows = db.read(sql, vec![text(after.map_or_else(String::new, |id| id.to_string())), Val::Int(limit)]).await?;
    let mut places = rows.iter().map(|row| Reader::new(row).parse().map(place_of)).collect::<Result<Vec<i64>, _>>()?;
    places.dedup();
    Ok(places)
}

/// Those of the alerts at these places that the reader sees, older than `before` where given, newest first, each with the reference of its
/// incident. Severity and service are the alert's own.
///
/// # Errors
/// When the store does not answer.
pub async fn alerts(db: &Db, places: &[i64], filter: &Filter, before: Option<AlertId>) -> Result<Vec<(Alert, Option<String>)>, Fault> {
    let (Some(last), true) = (places.last(), places.len() <= TOGETHER_MAX) else { return Ok(Vec::new()) };
    let size = SIZES.into_iter().find(|size| *size >= places.len()).unwrap_or(places.len());
    let mut args = Vec::new();
    let mut any = Vec::new();
    for place in places.iter().chain(std::iter::repeat(last)).take(size) {
        let (first, end) = alerts_at(*place);
        args.extend([text(first), text(end)]);
        any.push(format!("(alert.id >= ?{} and alert.id <= ?{})", args.len() - 1, args.len()));
    }
    let mut narrowed = format!("({})", any.join(" or "));
    narrowed.push_str(" and ");
    narrowed.push_str(&reader::seen_with(&filter.reach, "alert.incident", &mut args));
    let mut clause = |clause: &str, value: Option<Val>| {
        if let Some(value) = value {
            args.push(value);
            narrowed.push_str(&format!(" and {clause} ?{}", args.len()));
        }
    };
    clause("alert.id <", before.map(text));
    clause("alert.severity =", filter.severity.map(text));
    clause("alert.service =", filter.service.as_ref().map(text));
    clause("alert.opened_at >=", filter.from.map(instant));
    clause("alert.opened_at <", filter.to.map(instant));
    let mut of = Vec::new();
    if let Some(state) = filter.state {
        args.push(text(state.word()));
        of.push(format!("its.state = ?{}", args.len()));
    }
    if filter.open {
        of.push("its.open".to_owned());
    }
    if !of.is_empty() {
        narrowed.push_str(&format!(" and exists (select 1 from incident its where its.id = alert.incident and {})", of.join(" and ")));
    }
    if filter.real {
        narrowed.push_str(" and not exists (select 1 from incident its where its.id = alert.incident and its.mode <> 'live')");
    }
    let found = alert::where_(db, &narrowed, args).await?;
    let ids: Vec<IncidentId> = found.iter().filter_map(|alert| alert.incident).collect();
    let references = incident::references(db, &ids).await?;
    Ok(found
        .into_iter()
        .map(|alert| {
            let reference = alert.incident.and_then(|id| references.get(&id).cloned());
            (alert, reference)
        })
        .collect())
}

/// The greatest `seq` that was written down before an instant; 0 where none was.
///
/// # Errors
/// When the store does not answer.
pub async fn seq_before(db: &Db, at: Timestamp) -> Result<i64, Fault> {
    let at = to_micros(at);
    let (mut low, mut high) = (0, super::super::event::newest_seq(db).await?);
    while low < high {
        let middle = low + (high - low + 1) / 2;
        // Numbers may be missing: the next one below says it.
        let sql = "select seq, recorded_at from event where seq <= ?1 order by seq desc limit 1";
        let rows = db.read(sql, vec![Val::Int(middle)]).await?;
        match rows.first() {
            Some(row) if row.int(1)? < at => low = middle,
            Some(row) => high = row.int(0)? - 1,
            None => return Ok(0),
        }
    }
    Ok(low.max(0))
}

/// The places of a shelf that a period leaves: the least and the greatest, with a little around it.
///
/// # Errors
/// When the store does not answer.
pub async fn places_within(db: &Db, filter: &Filter, alerts: bool) -> Result<(i64, i64), Fault> {
    let around = |at: Timestamp, by: i64| allclear_domain::time::from_micros(to_micros(at).saturating_add(by));
    let (from, to) = (filter.from.map(|at| around(at, -AROUND)), filter.to.map(|at| around(at, AROUND)));
    if alerts {
        // Of an id the first 48 bits are its millisecond.
        let place = |at: Timestamp| place_of(AlertId::from_bits(u128::from(u64::try_from(at.as_millisecond()).unwrap_or(0)) << 80));
        return Ok((from.map_or(0, place), to.map_or(i64::MAX, place)));
    }
    let least = match from {
        Some(at) => seq_before(db, at).await?,
        None => 0,
    };
    let greatest = match to {
        Some(at) => seq_before(db, at).await?,
        None => i64::MAX,
    };
    Ok((least, greatest))
}
