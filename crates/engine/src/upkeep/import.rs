//! A bundle comes back: the logs that are in it, each event as it was, and the rows that they make.
//!
//! Into a store on which no server runs, since a server hands out references from memory. Only what is over comes back, and nothing
//! follows from it: no expectation is opened and no message is drafted, so that nobody is paged. What was decided elsewhere stays as it
//! was decided; the incident's log says in one more entry that it was brought in, from what, and who signed that.
//!
//! Deliberately absent: another reference than the one in the logs. Pages, the review and actions name it as well, and each event is
//! under its hash.

use std::collections::BTreeMap;

use allclear_domain::access::{Actor, Reach};
use allclear_domain::action::Action;
use allclear_domain::event::{Draft, Head, Mode, Stream};
use allclear_domain::hex::unhex;
use allclear_domain::ids::IncidentId;
use allclear_domain::incident::{self, Incident, record};
use allclear_domain::paging::{Page, Status};
use allclear_domain::record::bundle::{Entry, check};
use allclear_domain::review::Review;
use allclear_domain::time::from_micros;
use allclear_domain::tlp::Tlp;
use allclear_store::rows::event::StoredEvent;
use allclear_store::{CommitError, Db, Fault, Write, rows};
use jiff::Timestamp;

use crate::core::streams::State;
use crate::message_link::exports::{is_signed, key_id};
use crate::ports::Rng;

/// Where the entry that says so comes from, in the log.
const CAUSE: &str = "import";
/// What stands before the number of a reference.
const REFERENCE: &str = "INC-";

/// Why it does not come back.
#[derive(Debug, thiserror::Error)]
pub enum NotImported {
    #[error("the bundle is not what was signed: {0}; `allclear verify-bundle` says all of it")]
    Changed(String),
    #[error("{0} is here already, with this very id: nothing was changed")]
    Here(String),
    #[error("another incident is called {0} here, and a log is not brought in under another name than its own")]
    Taken(String),
    #[error("{0} was still going on when it was signed ({1}): bring in a bundle that was made after its end")]
    Open(String, &'static str),
    #[error("a text in {0} was erased, so that what its log comes to cannot be told any more")]
    Erased(String),
    #[error("{0} does not read here: {1}")]
    Unread(String, String),
    #[error("the store does not answer: {0}")]
    Store(#[from] Fault),
    #[error("it was not written: {0}")]
    Commit(#[from] CommitError),
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    pub reference: String,
    pub id: String,
    pub events: usize,
    /// By which key it was signed.
    pub signed_by: String,
}

/// Brings a bundle in.
///
/// # Errors
/// When it is not what was signed, is here already or still going on, or the store refuses it.
pub async fn import(db: &Db, file: &[u8], now: Timestamp, rng: &dyn Rng) -> Result<Imported, NotImported> {
    let found = check(file, is_signed);
    if let Some(fault) = found.faults.first() {
        return Err(NotImported::Changed(format!("line {}, {}", fault.line, fault.why)));
    }
    let unread = |why: &str| NotImported::Unread("the bundle".to_owned(), why.to_owned());
    let statement = found.statement.ok_or_else(|| unread("it has no statement"))?;
    let signed_by = found.key.map(|key| key_id(&key)).ok_or_else(|| unread("it has no key"))?;
    let id: IncidentId = statement.incident.parse().map_err(|why| unread(&format!("{why}")))?;
    let events: Vec<StoredEvent> = found.entries.iter().map(stored).collect::<Option<_>>().ok_or_else(|| unread("a hash is none"))?;
    let mut streams: BTreeMap<&str, Vec<&StoredEvent>> = BTreeMap::new();
    for event in &events {
        streams.entry(&event.stream).or_default().push(event);
    }
    let own = streams.remove(statement.incident.as_str()).unwrap_or_default();
    let (incident, head) = fold::<Incident>(&statement.incident, id, &own)?;
    free(db, id, &incident).await?;
    let mut rows = Vec::new();
    for (stream, events) in &streams {
        rows.push(row_of(stream, events)?);
    }
    let about = format!("Brought in from a bundle that the key {signed_by} signed at {}", from_micros(statement.made_at));
    let noted_later = record::Noted { text: Some(about), happened_at: None, later: true, marking: None };
    let said = incident::Event::Record(record::Event::Noted(noted_later));
    let (sealed, incident, head) = noted(incident, head, &said, now, rng);
    let mut writes: Vec<Write> = events.iter().map(rows::event::append_as_stored).collect();
    writes.push(rows::event::append(&sealed));
    writes.extend(incident.facts().admitted.iter().map(|person| rows::reader::admit(id, person)));
    writes.push(rows::incident::put(&incident, head));
    writes.extend(rows);
    writes.extend(next_reference(db, &incident.reference).await?);
    db.commit(writes).await?;
    Ok(Imported { reference: incident.reference, id: id.to_string(), events: events.len(), signed_by })
}

/// Whether the incident is over, and its id and reference are nobody's here.
async fn free(db: &Db, id: IncidentId, incident: &Incident) -> Result<(), NotImported> {
    let reference = incident.reference.clone();
    if rows::incident::get(db, id).await?.is_some() {
        return Err(NotImported::Here(reference));
    }
    if rows::incident::seen(db, &reference, &Reach::all()).await?.is_some() {
        return Err(NotImported::Taken(reference));
    }
    if incident.state.is_open() { Err(NotImported::Open(reference, incident.state.word())) } else { Ok(()) }
}

/// The row that a log makes, of whichever of the other streams it is.
fn row_of(stream: &str, events: &[&StoredEvent]) -> Result<Write, NotImported> {
    if let Ok(id) = stream.parse() {
        let (page, head) = fold::<Page>(stream, id, events)?;
        if page.status == Status::Running {
            return Err(NotImported::Open(stream.to_owned(), page.status.word()));
        }
        return Ok(page.row(head));
    }
    if let Ok(id) = stream.parse() {
        return fold::<Review>(stream, id, events).map(|(review, head)| review.row(head));
    }
    let id = stream.parse().map_err(|_| NotImported::Unread(stream.to_owned(), "no log here has such a name".to_owned()))?;
    fold::<Action>(stream, id, events).map(|(action, head)| action.row(head))
}

/// What a log comes to.
fn fold<S: State>(stream: &str, id: S::Id, events: &[&StoredEvent]) -> Result<(S, Head), NotImported> {
    let unread = |why: String| NotImported::Unread(stream.to_owned(), why);
    let mut state = None;
    let mut head = Head::EMPTY;
    for stored in events {
        let body = stored.body.as_ref().ok_or_else(|| NotImported::Erased(stream.to_owned()))?;
        let actor: Actor = stored.actor.parse().map_err(unread)?;
        let event = S::decode(&stored.kind, stored.v, body).map_err(unread)?;
        state = Some(S::evolve(state, id, &event, &actor, stored.at));
        head = Head { version: stored.version, hash: stored.hash };
    }
    state.map(|state| (state, head)).ok_or_else(|| unread("it has no event".to_owned()))
}

/// One more entry of the incident's log, and what that comes to with it.
fn noted(
    incident: Incident,
    mut head: Head,
    said: &incident::Event,
    now: Timestamp,
    rng: &dyn Rng,
) -> (allclear_domain::event::Sealed, Incident, Head) {
    let mut salt = [0; 16];
    rng.fill(&mut salt);
    let (id, mode) = (incident.id, incident.mode);
    let draft = Draft {
        stream: Stream::Incident(id),
        incident: Some(id),
        kind: said.kind(),
        v: said.v(),
        at: now,
        actor: Actor::Administrator,
        cause: CAUSE.to_owned(),
        mode,
        marking: incident.work.marking,
        body: said.body(),
    };
    let sealed = draft.seal(&mut head, salt, now);
    let after = incident::evolve(Some(incident), id, said, &Actor::Administrator, now, mode);
    (sealed, after, head)
}

/// What is handed out next comes after what was brought in.
async fn next_reference(db: &Db, reference: &str) -> Result<Option<Write>, Fault> {
    let Some(number) = reference.strip_prefix(REFERENCE).and_then(|number| number.parse::<u64>().ok()) else { return Ok(None) };
    let stored = rows::meta::get(db, rows::meta::NEXT_REFERENCE).await?.and_then(|next| next.parse::<u64>().ok()).unwrap_or(0);
    Ok((stored <= number).then(|| rows::meta::put(rows::meta::NEXT_REFERENCE, &(number + 1).to_string())))
}

/// An entry as the store has it.
fn stored(entry: &Entry) -> Option<StoredEvent> {
    Some(StoredEvent {
        seq: entry.seq,
        stream: entry.stream.clone(),
        version: entry.version,
        incident: entry.incident.clone(),
        kind: entry.kind.clone(),
        v: entry.v,
        at: from_micros(entry.at),
        recorded_at: from_micros(entry.recorded_at),
        actor: entry.actor.clone(),
        cause: entry.cause.clone(),
        body: entry.body.clone(),
        salt: match &entry.salt {
            Some(salt) => Some(unhex::<16>(salt)?.to_vec()),
            None => None,
        },
        body_hash: unhex(&entry.body_hash)?,
        hash: unhex(&entry.hash)?,
        marking: entry.marking.as_deref().and_then(Tlp::from_word),
        mode: Mode::from_word(&entry.mode),
    })
}
