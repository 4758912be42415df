//! Looking after a store: health, rebuilding, the chain. Works beside a running server.

pub mod anchors;
pub(crate) mod attendance;
pub mod checkpoints;
pub mod import;
pub mod room;
pub mod words;

use std::collections::{BTreeMap, HashSet};

use allclear_domain::access::Actor;
use allclear_domain::action::Action;
use allclear_domain::channel::WaysOut;
use allclear_domain::event::Head;
use allclear_domain::ids::IncidentId;
use allclear_domain::incident::Incident;
use allclear_domain::org::check::{Against, Spoken, check};
use allclear_domain::org::readiness::runs;
use allclear_domain::org::snapshot::Org;
use allclear_domain::paging::Page;
use allclear_domain::review::Review;
use allclear_store::rows::event::StoredEvent;
use allclear_store::rows::proof::{self, Broken, BrokenRange};
use allclear_store::unread::Unread;
use allclear_store::{Db, Fault, Table, Write, rows};
use jiff::Timestamp;

use crate::core::streams::State;
use crate::identity::seal::SecretKey;
use crate::read::ready;

/// What `verify` found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Events there are.
    pub events: u64,
    /// Streams whose chain or end is not what was written.
    pub broken: Vec<Broken>,
    /// Parts of the log that are not what a checkpoint says.
    pub ranges: Vec<BrokenRange>,
    /// Rows that are not what their log says.
    pub rows: Vec<String>,
    /// Events since the last checkpoint: their own chains hold, and their order among the others is not sealed yet.
    pub unsealed: u64,
}

impl Verified {
    /// Whether everything is what was written.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.broken.is_empty() && self.ranges.is_empty() && self.rows.is_empty()
    }

    /// What is not, a line each.
    #[must_use]
    pub fn findings(&self) -> Vec<String> {
        let broken = self.broken.iter().map(|b| format!("{} event {}: {}", b.stream, b.version, b.why));
        let ranges = self.ranges.iter().map(|r| format!("the log after number {} up to {}: {}", r.after_seq, r.to_seq, r.why));
        broken.chain(ranges).chain(self.rows.iter().cloned()).collect()
    }
}

/// Checks every log's hash chain and end, the checkpoints over the whole log, and the rows that logs make.
///
/// # Errors
/// When the store does not answer.
pub async fn verify(db: &Db) -> Result<Verified, Fault> {
    let (events, mut broken) = proof::chains(db).await?;
    // A log that does not hold is named once; what follows from it would only repeat that.
    let named: HashSet<String> = broken.iter().map(|b| b.stream.clone()).collect();
    broken.extend(proof::ends(db).await?.into_iter().filter(|end| !named.contains(&end.stream)));
    let (ranges, unsealed) = proof::checkpoints(db).await?;
    Ok(Verified { events, broken, ranges, rows: rows_that_differ(db, &named).await?, unsealed })
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
pub async fn doctor(db: &Db, key: &SecretKey, kinds: &[Spoken], channels: WaysOut, now: Timestamp) -> Result<Diagnosis, Fault> {
    let mut found = Diagnosis { errors: db.check().await?, warnings: Vec::new() };
    found.errors.extend(verify(db).await?.findings());
    let unread = rows::expectation::unread(db, UNREAD_NAMED_MAX).await?.into_iter().chain(unread_alerts(db).await?);
    found.errors.extend(unread.map(|row| format!("{} {} does not read and is set aside: {}", row.table, row.key, row.why)));
    for (integration, key) in rows::alert::open_twice(db).await? {
        found.errors.push(format!("the condition `{key}` of {integration} is open more than once"));
    }
    if rows::meta::get(db, rows::meta::QUARANTINE).await?.is_some() {
        found.warnings.push("this is a copy in quarantine: it sends nothing until `allclear release`".into());
    }
    let (org, unread) = crate::org::load(db, key, channels).await?;
    found.errors.extend(unread.into_iter().map(|row| format!("{} {} does not read and is set aside: {}", row.table, row.key, row.why)));
    without_a_next_step(db, &org, &mut found).await?;
    words_that_lack(db, &mut found).await?;
    org_findings(&org, kinds, now, &mut found);
    not_ready(db, &org, now, &mut found).await?;
    Ok(found)
}

/// Events of which it is looked whether they are found by what they say, evenly over the log.
const WORDS_SAMPLED: i64 = 100;

/// Holds a sample of the log against the index of words.
async fn words_that_lack(db: &Db, found: &mut Diagnosis) -> Result<(), Fault> {
    let Some(progress) = rows::find::progress(db).await?.filter(|progress| progress.format == rows::find::FORMAT) else { return Ok(()) };
    for misfit in rows::find::follow::misfits(db, &progress, WORDS_SAMPLED).await? {
        found.warnings.push(format!("{misfit}: searches may miss it"));
    }
    let behind = rows::find::behind(db).await?;
    if behind > words::BEHIND_MAX {
        found.warnings.push(format!("{behind} events are not read for searches yet: a running server reads them within minutes"));
    }
    Ok(())
}

/// Rows that do not read are named up to this many.
const UNREAD_NAMED_MAX: usize = 100;

/// Open alerts that memory goes without.
async fn unread_alerts(db: &Db) -> Result<Vec<Unread>, Fault> {
    let (mut unread, mut after) = (Vec::new(), String::new());
    while unread.len() < UNREAD_NAMED_MAX {
        let (page, last) = rows::alert::open_after(db, &after, ROWS_BATCH).await?;
        let Some(last) = last else { break };
        after = last;
        unread.extend(page.unread);
    }
    Ok(unread)
}

fn org_findings(org: &Org, kinds: &[Spoken], now: Timestamp, found: &mut Diagnosis) {
    for problem in check(org.bundle(), Against { now, kinds, channels: org.channels() }) {
        let list = if problem.is_error() { &mut found.errors } else { &mut found.warnings };
        list.push(problem.to_string());
    }
    if org.bundle().people.is_empty() {
        found.warnings.push("there are no people yet: nobody can be paged; apply an organisation file".into());
    }
}

/// Who is on call within two weeks and might not be reached. What the server lacks is known to a server that runs, and not here.
async fn not_ready(db: &Db, org: &Org, now: Timestamp, found: &mut Diagnosis) -> Result<(), Fault> {
    for view in ready::on_call_soon(db, org, &|_| None, now).await? {
        let (Some(at), Some(finding)) = (view.on_call_at, view.findings.first()) else { continue };
        let from = if runs(at, now) { "now".to_owned() } else { format!("from {}", at.strftime("%Y-%m-%d %H:%M UTC")) };
        let schedule = view.schedule.unwrap_or_default();
        found.warnings.push(format!("`{}` is on call in `{schedule}` {from}, and {}: {}", view.person, finding.says, finding.works));
    }
    Ok(())
}

/// No open incident without somebody who has it, or something awaited that calls somebody.
async fn without_a_next_step(db: &Db, org: &Org, found: &mut Diagnosis) -> Result<(), Fault> {
    let unattended = crate::upkeep::attendance::unattended(db, Some(org)).await?;
    for incident in unattended.nobodys {
        found.errors.push(format!("{} is open, nobody has it, and nothing is awaited that would call somebody", incident.reference));
    }
    for incident in unattended.never_again {
        let why = "everybody was paged, and its policy says that the page never comes back";
        found.warnings.push(format!("{} is open and nobody has it: {why}", incident.reference));
    }
    for row in &unattended.unread {
        found.errors.push(format!("{} {} does not read: {}", row.table, row.key, row.why));
    }
    for page in rows::page::exhausted(db, EXHAUSTED_SHOWN_MAX).await?.read {
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
    rows_that_differ(db, &HashSet::new()).await
}

/// Folds every log but those that are known not to hold, and compares with what is stored, column by column.
async fn rows_that_differ(db: &Db, but: &HashSet<String>) -> Result<Vec<String>, Fault> {
    let holders_known = rows::meta::get(db, rows::meta::HOLDERS).await?.is_some();
    let mut out = Vec::new();
    let mut after = String::new();
    loop {
        let streams = proof::streams_after(db, &after, ROWS_BATCH).await?;
        let Some(last) = streams.last() else { break };
        after = last.clone();
        for stream in streams.iter().filter(|stream| !but.contains(*stream)) {
            out.extend(row_that_differs(db, stream, holders_known).await?);
        }
    }
    for id in rows::reader::misfits(db).await? {
        out.push(format!("the rows of who may see {id} are not what the incident says"));
    }
    out.extend(forms_against_logs(db).await?);
    Ok(out)
}

/// Times that a log and its row are read where a server beside this writes both in between. One that is faster than
/// that each time is left to the next examination.
const READS_MAX: usize = 8;

/// In what a row differs from its log. They are read one after the other, and a server may write both in between: a
/// difference counts once neither has moved from one reading to the next.
async fn row_that_differs(db: &Db, stream: &str, holders_known: bool) -> Result<Option<String>, Fault> {
    let mut before = None;
    for _ in 0..READS_MAX {
        let Some((table, folded)) = folded_row(db, stream).await? else { return Ok(None) };
        let wanted = match folded {
            Ok(Some(Write::Upsert { row, .. })) => row,
            Ok(_) => return Ok(None),
            Err(why) => return Ok(Some(format!("the log of {stream} does not read: {why}"))),
        };
        // A row that is not there is told with the log's end.
        let Some(found) = proof::raw(db, table, stream).await? else { return Ok(None) };
        let Some(column) = proof::differs(table, &found, &wanted, holders_known) else { return Ok(None) };
        let now = Some((found, wanted));
        if now == before {
            return Ok(Some(format!("the row of {stream} is not what its log says: {column}")));
        }
        before = now;
    }
    Ok(None)
}

/// The row that a log makes: nothing where words of it are lost, why not where it does not read.
type RowOf = Result<Option<Write>, String>;

/// The row that a stream's log makes; nothing for streams that make none.
async fn folded_row(db: &Db, stream: &str) -> Result<Option<(&'static Table, RowOf)>, Fault> {
    async fn of<S: State>(db: &Db, stream: &str) -> Result<Option<(&'static Table, RowOf)>, Fault> {
        let Ok(id) = stream.parse::<S::Id>() else { return Ok(None) };
        let state = fold::<S>(db, stream, id).await?;
        Ok(Some((S::TABLE, state.map(|state| state.map(|(state, head)| state.row(head))))))
    }
    Ok(match of::<Incident>(db, stream).await? {
        Some(found) => Some(found),
        None => match of::<Page>(db, stream).await? {
            Some(found) => Some(found),
            None => match of::<Review>(db, stream).await? {
                Some(found) => Some(found),
                None => of::<Action>(db, stream).await?,
            },
        },
    })
}

/// The last word of a form's log is the version that is stored, or that it was removed. What a form says is not in
/// its log, since it names people. As with rows, a difference counts once both readings of it are the same.
async fn forms_against_logs(db: &Db) -> Result<Vec<String>, Fault> {
    let first = forms_that_differ(db).await?;
    if first.is_empty() {
        return Ok(Vec::new());
    }
    let second = forms_that_differ(db).await?;
    let stands = |(stream, versions): (String, FormVersions)| {
        let (_, logged) = (first.get(&stream) == Some(&versions)).then_some(versions)?;
        Some(match logged {
            Logged::Nothing => format!("{stream} has no log"),
            Logged::Removed | Logged::Version(_) => format!("{stream} is not at the version that its log says"),
        })
    };
    Ok(second.into_iter().filter_map(stands).collect())
}

/// What a form's log said last.
#[derive(Debug, PartialEq, Eq)]
enum Logged {
    Nothing,
    Removed,
    Version(Option<u64>),
}

/// The stored version of a form, and what its log says.
type FormVersions = (Option<u64>, Logged);

async fn forms_that_differ(db: &Db) -> Result<BTreeMap<String, FormVersions>, Fault> {
    let mut stored: BTreeMap<String, u64> =
        rows::form::all(db).await?.into_iter().map(|form| (format!("form/{}/{}", form.kind, form.id), form.version)).collect();
    let mut out = BTreeMap::new();
    for (stream, body) in proof::last_of_forms(db).await? {
        let found = stored.remove(&stream);
        // A word that was redacted says nothing.
        let Some(said) = body.and_then(|body| serde_json::from_str::<serde_json::Value>(&body).ok()) else { continue };
        let logged = if said["action"] == "remove" { Logged::Removed } else { Logged::Version(said["version"].as_u64()) };
        let wanted = if let Logged::Version(version) = logged { version } else { None };
        if found != wanted {
            out.insert(stream, (found, logged));
        }
    }
    out.extend(stored.into_iter().map(|(stream, version)| (stream, (Some(version), Logged::Nothing))));
    Ok(out)
}

/// Folds a log; nothing where part of it was redacted, since words are lost then.
async fn fold<S: State>(db: &Db, stream: &str, id: S::Id) -> Folded<S> {
    let events = whole_stream(db, stream).await?;
    let mut state = None;
    let mut head = Head::EMPTY;
    for stored in &events {
        let Some(body) = &stored.body else { return Ok(Ok(None)) };
        let actor: Actor = match stored.actor.parse() {
            Ok(actor) => actor,
            Err(why) => return Ok(Err(why)),
        };
        match S::decode(&stored.kind, stored.v, body) {
            Ok(event) => state = Some(S::evolve(state, id, &event, &actor, stored.at)),
            Err(why) => return Ok(Err(why)),
        }
        head = Head { version: stored.version, hash: stored.hash };
    }
    Ok(Ok(state.map(|state| (state, head))))
}

/// Streams compared at a time.
const ROWS_BATCH: i64 = 500;

type Folded<T> = Result<Result<Option<(T, Head)>, String>, Fault>;

pub(crate) async fn fold_incident(db: &Db, id: IncidentId) -> Folded<Incident> {
    fold(db, &id.to_string(), id).await
}

async fn whole_stream(db: &Db, stream: &str) -> Result<Vec<StoredEvent>, Fault> {
    let mut out: Vec<StoredEvent> = Vec::new();
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
