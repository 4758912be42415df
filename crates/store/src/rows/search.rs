//! Searching incidents by words of their titles: memory says which titles have the words, the store which
//! incidents the reader may see.
//!
//! Whichever leaves less is asked first. Words leave little of most titles; but somebody who sees two
//! incidents of 100,000, or looks among the open ones, may search for a letter that all titles have.
//!
//! Invariant: a search reads a bounded number of statements, however much is stored and whoever asks: no
//! more than incidents divided by the last of [`BATCHES`], and a few.

use allclear_domain::event::Head;
use allclear_domain::ids::IncidentId;
use allclear_domain::incident::Incident;

use super::incident::{Filter, among, narrow};
use super::title::{Titles, folded};
use super::{Reader, reader};
use crate::db::Db;
use crate::fault::Fault;
use crate::val::Val;

/// Incidents whose titles fit that are read together, turn by turn. The first is as many as a page of a list
/// has at most, and suffices where few of the found are out of reach; the last is far below the parameters
/// that a statement may have (32,766 on SQLite).
const BATCHES: [usize; 3] = [200, 1_000, 5_000];
/// So many incidents within a filter are few: their titles are compared in less than a millisecond.
const FEW: usize = 5_000;
/// Numbers of ids for which there is a statement, so that databases keep few prepared.
const SIZES: [usize; 4] = [20, BATCHES[0], BATCHES[1], BATCHES[2]];

/// Those of a list whose title has these words, whatever the case of their letters; newest first.
pub async fn incidents(db: &Db, titles: &Titles, words: &str, filter: &Filter, limit: i64) -> Result<Vec<(Incident, Head)>, Fault> {
    let words = folded(words);
    let mut filter = Filter { worst_first: false, ..filter.clone() };
    titles.prepare(db).await?;
    let mut few = match few_within(db, &filter, FEW).await? {
        Some(ids) => Some(titles.having_of(&ids, &words).await),
        None => None,
    };
    let mut found = Vec::new();
    let mut sizes = BATCHES.into_iter();
    let mut size = 0;
    loop {
        size = sizes.next().unwrap_or(size);
        let ids = match &mut few {
            Some(few) => {
                few.retain(|id| filter.before.is_none_or(|before| *id < before));
                few.iter().copied().take(size).collect()
            }
            None => titles.having(&words, filter.before, size).await,
        };
        let Some(last) = ids.last().copied() else { return Ok(found) };
        let wanted = limit - found.len() as i64;
        let rows = among(db, &filter, &filled_up(&ids), wanted).await?;
        // Where there were as many as wanted, some of these ids may not have been reached: the next turn
        // begins after the last that was.
        let reached = rows.last().filter(|_| rows.len() as i64 >= wanted).map(|(incident, _)| incident.id);
        filter.before = reached.or(Some(last));
        // Memory may know an earlier title.
        found.extend(rows.into_iter().filter(|(incident, _)| folded(&incident.title).contains(&words)));
        if found.len() as i64 >= limit || (reached.is_none() && ids.len() < size) {
            return Ok(found);
        }
    }
}

/// The ids within a filter, newest first, where they are no more than `few` and something but words narrows the list.
pub(super) async fn few_within(db: &Db, filter: &Filter, few: usize) -> Result<Option<Vec<IncidentId>>, Fault> {
    let mut sql = "select id from incident where true".to_owned();
    let mut args = Vec::new();
    let within = reader::ids_within(&filter.reach, &mut args);
    let asked = filter.open || filter.state.is_some() || filter.severity.is_some() || filter.service.is_some();
    if within.is_none() && !asked {
        return Ok(None);
    }
    if let Some(within) = within {
        sql.push_str(&format!(" and id in ({within})"));
    }
    narrow(filter, &[], &mut sql, &mut args);
    args.push(Val::Int(few as i64 + 1));
    sql.push_str(&format!(" order by id desc limit ?{}", args.len()));
    let rows = db.read(&sql, args).await?;
    if rows.len() > few {
        return Ok(None);
    }
    rows.iter().map(|row| Reader::new(row).parse()).collect::<Result<_, _>>().map(Some)
}

/// The same ids, the last repeated up to one of [`SIZES`].
fn filled_up(ids: &[IncidentId]) -> Vec<IncidentId> {
    let size = SIZES.into_iter().find(|size| *size >= ids.len()).unwrap_or(ids.len());
    ids.iter().chain(ids.last().into_iter().cycle()).take(size).copied().collect()
}
