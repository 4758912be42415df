//! Who may see which incident, as the one predicate that every list asks with.
//!
//! Invariant: what this says in SQL is what [`Reach::admits`] says of the same incident; a property
//! test holds the two equal. Rows of `incident_reader` are written in the commit that admits.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use allclear_domain::access::Reach;
use allclear_domain::ids::IncidentId;

use super::{Reader, text};
use crate::db::Db;
use crate::fault::Fault;
use crate::schema::INCIDENT_READER;
use crate::val::{Val, Write};

/// Notes that somebody was admitted; once more changes nothing.
#[must_use]
pub fn admit(incident: IncidentId, person: &str) -> Write {
    Write::Upsert { table: &INCIDENT_READER, row: vec![text(incident), text(person)] }
}

/// Notes that somebody sees it no more.
#[must_use]
pub fn dismiss(incident: IncidentId, person: &str) -> Write {
    Write::Exec {
        table: &INCIDENT_READER,
        sql: "delete from incident_reader where incident = ?1 and person = ?2",
        args: vec![text(incident), text(person)],
        expect: None,
    }
}

/// The clause for rows of `incident`.
pub(crate) fn seen(reach: &Reach, args: &mut Vec<Val>) -> String {
    if reach.everything {
        return "true".to_owned();
    }
    let mut any = Vec::new();
    if reach.public {
        any.push("not incident.private".to_owned());
    }
    if !reach.services.is_empty() {
        let mut places = Vec::with_capacity(reach.services.len());
        for service in &reach.services {
            args.push(text(service));
            places.push(format!("?{}", args.len()));
        }
        any.push(format!("incident.service in ({})", places.join(", ")));
    }
    if let Some(person) = &reach.person {
        args.push(text(person));
        any.push(format!("exists (select 1 from incident_reader r where r.incident = incident.id and r.person = ?{})", args.len()));
    }
    if let Some(incident) = reach.incident {
        args.push(text(incident));
        any.push(format!("incident.id = ?{}", args.len()));
    }
    if any.is_empty() { "false".to_owned() } else { format!("({})", any.join(" or ")) }
}

/// The ids of all that a narrow reach holds, for whoever starts from them: what only some were admitted to,
/// and what belongs to some services. Nothing of a reach that holds whatever is not private.
pub(crate) fn ids_within(reach: &Reach, args: &mut Vec<Val>) -> Option<String> {
    if reach.everything || reach.public {
        return None;
    }
    // Not one `or`, for which PostgreSQL would look at every incident.
    let services = Reach { services: reach.services.clone(), incident: reach.incident, ..Reach::default() };
    let of_services = format!("select id from incident where {}", seen(&services, args));
    let Some(person) = &reach.person else { return Some(of_services) };
    args.push(text(person));
    Some(format!("{of_services} union select incident from incident_reader where person = ?{}", args.len()))
}

/// The clause for rows that belong to an incident, by their column; what belongs to none is for
/// everybody who sees what is not private.
pub(crate) fn seen_with(reach: &Reach, column: &str, args: &mut Vec<Val>) -> String {
    if reach.everything {
        return "true".to_owned();
    }
    let none = if reach.public { format!("{column} is null or ") } else { String::new() };
    format!("({none}exists (select 1 from incident where incident.id = {column} and {}))", seen(reach, args))
}

/// Who was admitted to an incident, as the rows say.
pub async fn of(db: &Db, incident: IncidentId) -> Result<BTreeSet<String>, Fault> {
    let rows = db.read("select person from incident_reader where incident = ?1", vec![text(incident)]).await?;
    rows.iter().map(|row| Reader::new(row).text()).collect()
}

/// Whoever had to do with an incident so far: who was paged for it, and who declared it.
pub async fn involved(db: &Db, incident: IncidentId) -> Result<BTreeSet<String>, Fault> {
    let paged = "select distinct m.person from message m join page p on m.page = p.id where p.incident = ?1";
    let mut people: BTreeSet<String> =
        db.read(paged, vec![text(incident)]).await?.iter().map(|row| Reader::new(row).text()).collect::<Result<_, _>>()?;
    let first = "select actor from event where stream = ?1 and version = 1";
    for row in &db.read(first, vec![text(incident)]).await? {
        people.extend(Reader::new(row).text()?.strip_prefix("person:").map(ToOwned::to_owned));
    }
    Ok(people)
}

/// Incidents whose rows of readers differ from the set in their own row; none where all is well. Takes what is stored
/// as it is: a set that does not read is a misfit.
pub async fn misfits(db: &Db) -> Result<Vec<String>, Fault> {
    // One statement, so that a server that admits somebody meanwhile is seen before or after that, never in between.
    let sql = "select i.id, i.admitted, r.person from incident i left join incident_reader r on r.incident = i.id \
               where i.admitted <> '[]' or r.person is not null order by i.id";
    let mut readers: BTreeMap<String, (Option<BTreeSet<String>>, BTreeSet<String>)> = BTreeMap::new();
    for row in &db.read(sql, vec![]).await? {
        let (_, found) = match readers.entry(row.text(0)?.to_owned()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert((serde_json::from_str(row.text(1)?).ok(), BTreeSet::new())),
        };
        found.extend(row.opt_text(2)?.map(ToOwned::to_owned));
    }
    Ok(readers.into_iter().filter(|(_, (said, found))| said.as_ref() != Some(found)).map(|(id, _)| id).collect())
}
