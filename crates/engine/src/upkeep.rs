//! Looking after a store: health, rebuilding, the chain. Works beside a running server.

use allclear_domain::access::{Actor, Reach};
use allclear_domain::event::{Head, Mode};
use allclear_domain::ids::{IncidentId, PageId};
use allclear_domain::incident::{self, Incident};
use allclear_domain::org::check::{Against, check};
use allclear_domain::org::snapshot::Org;
use allclear_domain::paging::{self, Page};
use allclear_domain::{action, review};
use allclear_store::rows::event::{Broken, Stored};
use allclear_store::{Db, Fault, Write, rows};
use jiff::Timestamp;

use crate::engine::StartError;
use crate::seal::SecretKey;

/// What `verify` found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    pub events: u64,
    pub broken: Vec<Broken>,
}

/// Checks every log's hash chain.
///
/// # Errors
/// When the store does not answer.
pub async fn verify(db: &Db) -> Result<Verified, Fault> {
    let (events, broken) = rows::event::verify(db).await?;
    Ok(Verified { events, broken })
}

/// Pages listed that everybody was paged for.
const EXHAUSTED_SHOWN_MAX: i64 = 1000;

/// What `doctor` found: one finding a line, worst first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnosis {
    /// What must be mended.
    pub errors: Vec<String>,
    /// What should be looked at.
    pub warnings: Vec<String>,
}

/// Examines store, rows against logs, rota and contacts.
///
/// # Errors
/// When the store does not answer.
pub async fn doctor(db: &Db, key: &SecretKey, kinds: &[&str], now: Timestamp) -> Result<Diagnosis, StartError> {
    let mut found = Diagnosis { errors: db.check().await?, warnings: Vec::new() };
    let verified = verify(db).await?;
    found.errors.extend(verified.broken.iter().map(|b| format!("{} event {}: {}", b.stream, b.version, b.why)));
    found.errors.extend(rows_against_logs(db).await?);
    let unread = rows::expectation::unread(db, UNREAD_NAMED_MAX).await?.into_iter().chain(unread_alerts(db).await?);
    found.errors.extend(unread.map(|row| format!("{} {} does not read and is set aside: {}", row.table, row.key, row.why)));
    for (integration, key) in rows::alert::open_twice(db).await? {
        found.errors.push(format!("the condition `{key}` of {integration} is open more than once"));
    }
    for id in rows::reader::misfits(db).await? {
        found.errors.push(format!("the rows of who may see {id} are not what the incident says"));
    }
    if rows::meta::get(db, rows::meta::QUARANTINE).await?.is_some() {
        found.warnings.push("this is a copy in quarantine: it sends nothing until `allclear release`".into());
    }
    match crate::orgs::load(db, key).await {
        Ok(org) => {
            without_a_next_step(db, Some(&org), &mut found).await?;
            org_findings(&org, kinds, now, &mut found);
        }
        Err(StartError::Org(why)) => {
            found.errors.push(format!("the organisation cannot be read: {why}"));
            without_a_next_step(db, None, &mut found).await?;
        }
        Err(other) => return Err(other),
    }
    Ok(found)
}

/// Rows that do not read are named up to this many.
const UNREAD_NAMED_MAX: usize = 100;

/// Open alerts that memory goes without.
async fn unread_alerts(db: &Db) -> Result<Vec<rows::Unread>, Fault> {
    let (mut unread, mut after) = (Vec::new(), String::new());
    while unread.len() < UNREAD_NAMED_MAX {
        let (page, last) = rows::alert::open_after(db, &after, ROWS_BATCH).await?;
        let Some(last) = last else { break };
        after = last;
        unread.extend(page.unread);
    }
    Ok(unread)
}

fn org_findings(org: &Org, kinds: &[&str], now: Timestamp, found: &mut Diagnosis) {
    for problem in check(org.bundle(), Against { now, kinds }) {
        let list = if problem.is_error() { &mut found.errors } else { &mut found.warnings };
        list.push(problem.to_string());
    }
    if org.bundle().people.is_empty() {
        found.warnings.push("there are no people yet: nobody can be paged; apply an organisation file".into());
    }
}

/// No open incident without somebody who has it, or something awaited that calls somebody.
async fn without_a_next_step(db: &Db, org: Option<&Org>, found: &mut Diagnosis) -> Result<(), Fault> {
    let unattended = crate::attendance::unattended(db, org).await?;
    for incident in unattended.nobodys {
        found.errors.push(format!("{} is open, nobody has it, and nothing is awaited that would call somebody", incident.reference));
    }
    for incident in unattended.never_again {
        let why = "everybody was paged, and its policy says that the page never comes back";
        found.warnings.push(format!("{} is open and nobody has it: {why}", incident.reference));
    }
    for page in rows::page::exhausted(db, EXHAUSTED_SHOWN_MAX).await? {
        let Some((incident, _)) = rows::incident::get(db, page.incident_id()).await? else { continue };
        let line = format!("{} is open and nobody answered: everybody was paged, or nobody could be", incident.reference);
        if !incident.is_held() && !found.warnings.contains(&line) {
            found.warnings.push(line);
        }
    }
    Ok(())
}

/// The fold of each log equals its row.
///
/// # Errors
/// When the store does not answer.
pub async fn rows_against_logs(db: &Db) -> Result<Vec<String>, Fault> {
    let mut out = Vec::new();
    let mut after = String::new();
    loop {
        let ids = rows::incident::ids(db, &after, 500).await?;
        let Some(last) = ids.last() else { break };
        after = last.to_string();
        for id in ids {
            let row = rows::incident::get(db, id).await?;
            match fold_incident(db, id).await? {
                Ok(Some(folded)) if row.as_ref() != Some(&folded) => out.push(format!("the row of {id} is not what its log says")),
                Err(why) => out.push(format!("the log of {id} does not read: {why}")),
                Ok(_) => {}
            }
            for (page, head) in rows::page::of_incident(db, id).await? {
                match fold_page(db, page.id).await? {
                    Ok(Some(folded)) if folded != (page.clone(), head) => {
                        out.push(format!("the row of {} is not what its log says", page.id))
                    }
                    Err(why) => out.push(format!("the log of {} does not read: {why}", page.id)),
                    Ok(_) => {}
                }
            }
        }
    }
    reviews_against_logs(db, &mut out).await?;
    actions_against_logs(db, &mut out).await?;
    Ok(out)
}

async fn reviews_against_logs(db: &Db, out: &mut Vec<String>) -> Result<(), Fault> {
    let mut before = None;
    loop {
        let found = rows::review::list(db, None, before, ROWS_BATCH, &Reach::all()).await?;
        let Some((last, _)) = found.last() else { return Ok(()) };
        before = Some(last.id);
        for (row, head) in found {
            let id = row.id;
            let decode = |kind: &str, v, body: &str| review::Event::decode(kind, v, body).map_err(|why| why.to_string());
            let folded = fold(db, &id.to_string(), decode, |state, event, _, at| review::evolve(state, id, event, at)).await?;
            compare(&id.to_string(), (row, head), folded, out);
        }
    }
}

async fn actions_against_logs(db: &Db, out: &mut Vec<String>) -> Result<(), Fault> {
    let mut filter = rows::action::Filter { reach: Reach::all(), ..Default::default() };
    loop {
        let found = rows::action::list(db, &filter, ROWS_BATCH).await?;
        let Some((last, _)) = found.last() else { return Ok(()) };
        filter.before = Some(last.id);
        for (row, head) in found {
            let id = row.id;
            let decode = |kind: &str, v, body: &str| action::Event::decode(kind, v, body).map_err(|why| why.to_string());
            let folded = fold(db, &id.to_string(), decode, |state, event, _, at| action::evolve(state, id, event, at)).await?;
            compare(&id.to_string(), (row, head), folded, out);
        }
    }
}

fn compare<T: PartialEq>(id: &str, row: (T, Head), folded: Result<Option<(T, Head)>, String>, out: &mut Vec<String>) {
    match folded {
        Ok(Some(folded)) if folded != row => out.push(format!("the row of {id} is not what its log says")),
        Err(why) => out.push(format!("the log of {id} does not read: {why}")),
        Ok(_) => {}
    }
}

/// Folds any log; nothing where part of it was redacted, since words are lost then.
async fn fold<S, E>(
    db: &Db,
    stream: &str,
    decode: impl Fn(&str, u16, &str) -> Result<E, String>,
    evolve: impl Fn(Option<S>, &E, &Actor, Timestamp) -> S,
) -> Folded<S> {
    let events = whole_stream(db, stream).await?;
    let mut state = None;
    let mut head = Head::EMPTY;
    for stored in &events {
        let Some(body) = &stored.body else { return Ok(Ok(None)) };
        let actor: Actor = match stored.actor.parse() {
            Ok(actor) => actor,
            Err(why) => return Ok(Err(why)),
        };
        match decode(&stored.kind, stored.v, body) {
            Ok(event) => state = Some(evolve(state, &event, &actor, stored.at)),
            Err(why) => return Ok(Err(why)),
        }
        head = Head { version: stored.version, hash: stored.hash };
    }
    Ok(Ok(state.map(|state| (state, head))))
}

/// Rows compared at a time.
const ROWS_BATCH: i64 = 500;

type Folded<T> = Result<Result<Option<(T, Head)>, String>, Fault>;

pub(crate) async fn fold_incident(db: &Db, id: IncidentId) -> Folded<Incident> {
    let decode = |kind: &str, v, body: &str| incident::Event::decode(kind, v, body).map_err(|why| why.to_string());
    fold(db, &id.to_string(), decode, |state, event, actor, at| incident::evolve(state, id, event, actor, at, Mode::Live)).await
}

async fn fold_page(db: &Db, id: PageId) -> Folded<Page> {
    let decode = |kind: &str, v, body: &str| paging::Event::decode(kind, v, body).map_err(|why| why.to_string());
    fold(db, &id.to_string(), decode, |state, event, _, at| paging::evolve(state, id, event, at)).await
}

async fn whole_stream(db: &Db, stream: &str) -> Result<Vec<Stored>, Fault> {
    let mut out: Vec<Stored> = Vec::new();
    loop {
        let after = out.last().map_or(0, |e| e.version);
        let more = rows::event::of_stream(db, stream, after, 1000).await?;
        if more.is_empty() {
            return Ok(out);
        }
        out.extend(more);
    }
}

/// The writes that mark a copy: it sends nothing until it is released.
#[must_use]
pub fn quarantine_mark(now: Timestamp) -> Vec<Write> {
    vec![rows::meta::put(rows::meta::QUARANTINE, &format!("copied {now}"))]
}
