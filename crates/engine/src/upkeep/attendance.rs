//! No open incident without somebody who has it, or an expectation with a time that calls somebody: found at start,
//! every few minutes, and by `doctor`.
//!
//! What decides keeps that by itself. This is for what an earlier version left, and the net under it. Not here: what
//! follows ([`crate::core`]).

use std::collections::BTreeSet;

use allclear_domain::access::Reach;
use allclear_domain::ids::IncidentId;
use allclear_domain::incident::Incident;
use allclear_domain::org::snapshot::Org;
use allclear_domain::time::{Length, after};
use allclear_store::unread::Unread;
use allclear_store::{CommitError, Db, Fault, rows};

use crate::core::ours;
use crate::core::{Command, is_left_by_choice};
use crate::engine::Engine;
use crate::upkeep::fold_incident;
use crate::watch::trouble::{TROUBLES_MAX, Trouble};

/// Between two looks over all that is open: often enough that what slipped through is nobody's no longer than a usual
/// step, and rare enough to cost nothing.
const EVERY: Length = Length::from_mins(5);
/// Incidents read at a time.
const BATCH: i64 = 500;

/// What awaits nobody.
#[derive(Debug, Default)]
pub struct Unattended {
    /// Nobody has it, and nothing would call anybody.
    pub nobodys: Vec<Incident>,
    /// The same, but that its policy says that an unanswered page never comes back.
    pub never_again: Vec<Incident>,
    /// What does not read, and is not known to be attended.
    pub unread: Vec<Unread>,
}

/// Reads what awaits nobody.
///
/// # Errors
/// When the store does not answer.
pub async fn unattended(db: &Db, org: Option<&Org>) -> Result<Unattended, Fault> {
    let mut found = Unattended::default();
    let mut last = String::new();
    loop {
        let (batch, next) = rows::incident::awaiting_nobody(db, &last, BATCH).await?;
        let Some(next) = next else { return Ok(found) };
        last = next;
        found.unread.extend(batch.unread);
        for incident in batch.read.into_iter().filter(|incident| !incident.is_held()) {
            let pages = rows::page::of_incident(db, incident.id).await?;
            found.unread.extend(pages.unread);
            let by_choice = |org: &Org| is_left_by_choice(pages.read.iter().map(|(page, _)| page), org);
            let list = if org.is_some_and(by_choice) { &mut found.never_again } else { &mut found.nobodys };
            list.push(incident);
        }
    }
}

/// Rows that an earlier version wrote say nothing of who has an incident; its log does. Once, before anything is
/// decided: the open incidents whose acknowledgement ages from now on.
///
/// # Errors
/// When the store does not answer.
pub(crate) async fn learn_who_has_what(db: &Db) -> Result<Vec<IncidentId>, Fault> {
    let mut held = Vec::new();
    if rows::meta::get(db, rows::meta::HOLDERS).await?.is_some() {
        return Ok(held);
    }
    let mut filter = rows::incident::Filter { open: true, reach: Reach::all(), ..Default::default() };
    loop {
        let batch = rows::incident::list(db, &filter, BATCH).await?;
        let Some((oldest, _)) = batch.last() else { break };
        filter.before = Some(oldest.id);
        for (row, head) in batch {
            let folded = fold_incident(db, row.id).await?;
            let Ok(Some((folded, at))) = folded else { continue };
            if folded.is_held() {
                held.push(folded.id);
            }
            if at == head && folded != row {
                keep(db, vec![rows::incident::unchanged(row.id, head.version), rows::incident::put(&folded, head)]).await?;
            }
        }
    }
    keep(db, vec![rows::meta::put(rows::meta::HOLDERS, "known")]).await?;
    Ok(held)
}

/// Writes, unless another node was first.
async fn keep(db: &Db, writes: Vec<allclear_store::Write>) -> Result<(), Fault> {
    match db.commit(writes).await {
        Ok(()) => Ok(()),
        Err(CommitError::Fault(fault)) => Err(fault),
        Err(conflict) => {
            tracing::debug!(%conflict, "another node was first");
            Ok(())
        }
    }
}

/// Looks over all that is open, for as long as the program runs; `held` awaits a sign of work from now on.
pub(crate) async fn watch(engine: Engine, mut held: Vec<IncidentId>) {
    let shared = engine.shared.clone();
    loop {
        if !engine.is_quarantined() {
            for id in held.drain(..) {
                attend(&engine, id).await;
            }
            if let Err(fault) = look_over(&engine).await {
                tracing::error!(%fault, "it cannot be read which incidents await nobody");
            }
        }
        let at = after(engine.now(), EVERY);
        tokio::select! {
            () = shared.ports.clock.sleep_until(at) => {}
            () = shared.stop.cancelled() => return,
        }
    }
}

async fn attend(engine: &Engine, id: IncidentId) {
    if let Err(refusal) = engine.submit(ours("attendance", Command::Attend { id })).await {
        tracing::error!(incident = %id, %refusal, "an incident that nobody has cannot await anybody; it is tried again");
    }
}

async fn look_over(engine: &Engine) -> Result<(), Fault> {
    let shared = &engine.shared;
    let org = engine.org();
    let found = unattended(&shared.db, Some(&org)).await?;
    let mut unread = found.unread;
    for incident in &found.nobodys {
        tracing::warn!(incident = %incident.reference, "nobody has an incident and nothing would call anybody: somebody is awaited from now on");
        attend(engine, incident.id).await;
    }
    // Read before the store is, so that one raised meanwhile stays.
    let known: Vec<Trouble> = shared.troubles.list().into_iter().map(|present| present.trouble).collect();
    let mut nobodys = BTreeSet::new();
    let exhausted = rows::page::exhausted(&shared.db, i64::try_from(TROUBLES_MAX).unwrap_or(i64::MAX)).await?;
    unread.extend(exhausted.unread);
    for row in unread {
        shared.troubles.raise(Trouble::Unreadable(row.table, row.key), &row.why, engine.now());
    }
    for page in exhausted.read {
        let Some((incident, _)) = rows::incident::get(&shared.db, page.incident_id()).await? else { continue };
        if incident.state.is_open() && !incident.is_held() {
            let trouble = Trouble::PageExhausted(incident.reference);
            if nobodys.insert(trouble.clone()) && !known.contains(&trouble) {
                shared.troubles.raise(trouble, "everybody was paged and nobody answered", engine.now());
            }
        }
    }
    for trouble in known {
        if matches!(trouble, Trouble::PageExhausted(_)) && !nobodys.contains(&trouble) {
            shared.troubles.clear(&trouble);
        }
    }
    Ok(())
}
