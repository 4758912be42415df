//! Adding places to words, and taking them away.

use std::collections::BTreeMap;

use allclear_domain::event::Stream;
use allclear_domain::find::{Cut, Shelf, Thing, cut, said};
use allclear_domain::ids::IncidentId;

use super::postings::{add, pack, unpack};
use super::{BLOCK_PLACES, Progress, code, incident_key, kind_key, moved, word_key};
use crate::db::Db;
use crate::fault::{CommitError, Fault};
use crate::rows::{Reader, count, event, text};
use crate::schema::{SEARCH_BLOCK, SEARCH_WORD};
use crate::val::{Val, Write};

/// Words whose rows are read and written together: a commit of some hundred KiB, which nobody who waits behind it notices.
const WORDS_TOGETHER: usize = 256;

/// Words and their new places, until they are written.
#[derive(Debug, Default)]
pub struct Batch(BTreeMap<(i64, Vec<u8>), Vec<i64>>);

impl Batch {
    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds what stands at a place: its words, its kind, and the incident it is of.
    pub fn put(&mut self, thing: Thing, place: i64, words: &Cut<'_>, incident: Option<IncidentId>) {
        for (shelf, key) in keys(thing, words, incident) {
            let places = self.0.entry((shelf, key)).or_default();
            if places.last() != Some(&place) {
                places.push(place);
            }
        }
    }
}

/// Everything by which a thing is found.
fn keys(thing: Thing, words: &Cut<'_>, incident: Option<IncidentId>) -> Vec<(i64, Vec<u8>)> {
    let Some(shelf) = code(thing.shelf()) else { return Vec::new() };
    let mut out: Vec<(i64, Vec<u8>)> = words.tokens.iter().map(|token| (shelf, word_key(&token.word))).collect();
    // Nothing is looked for among what has no words.
    if !out.is_empty() {
        out.extend(incident.map(|id| (shelf, incident_key(id))));
        if thing.shelf() == Shelf::Written {
            out.push((shelf, kind_key(thing.word())));
        }
    }
    out.sort_unstable();
    out.dedup();
    out
}

/// A word's row, as read.
#[derive(Debug, Default)]
struct Row {
    places: i64,
    sealed: i64,
    newest: Vec<i64>,
}

async fn rows_of(db: &Db, shelf: i64, words: &[&Vec<u8>]) -> Result<BTreeMap<Vec<u8>, Row>, Fault> {
    let mut args = vec![Val::Int(shelf)];
    args.extend(words.iter().map(|word| Val::Bytes((*word).clone())));
    // One statement for any number of them.
    while args.len() <= WORDS_TOGETHER {
        args.push(args[args.len() - 1].clone());
    }
    let marks: Vec<String> = (2..=args.len()).map(|n| format!("?{n}")).collect();
    let sql = format!("select word, places, sealed, newest from search_word where shelf = ?1 and word in ({})", marks.join(", "));
    let read = |row| {
        let mut r = Reader::new(row);
        Ok((r.bytes()?.to_vec(), Row { places: r.int()?, sealed: r.int()?, newest: unpack(r.bytes()?)? }))
    };
    db.read(&sql, args).await?.iter().map(read).collect()
}

/// Blocks of a word that reach a place or beyond it.
async fn blocks_from(db: &Db, shelf: i64, word: &[u8], place: i64, limit: i64) -> Result<Vec<(i64, Vec<i64>)>, Fault> {
    let sql = "select upto, places from search_block where shelf = ?1 and word = ?2 and upto >= ?3 order by upto limit ?4";
    let rows = db.read(sql, vec![Val::Int(shelf), Val::Bytes(word.to_vec()), Val::Int(place), Val::Int(limit)]).await?;
    rows.iter().map(|row| Ok((row.int(0)?, unpack(row.bytes(1)?)?))).collect()
}

/// Writes a batch in small commits, and says in the last that words were read as far as `to`. A kill in between leaves places that are added
/// once more, which changes nothing.
///
/// # Errors
/// When the store does not answer, or somebody else wrote meanwhile.
pub async fn put(db: &Db, from: &Progress, batch: Batch, to: &Progress) -> Result<Progress, CommitError> {
    let mut version = from.version;
    let mut words = batch.0.into_iter().peekable();
    while let Some(((shelf, _), _)) = words.peek() {
        let shelf = *shelf;
        let mut together: Vec<(Vec<u8>, Vec<i64>)> = Vec::new();
        while together.len() < WORDS_TOGETHER
            && let Some(((_, word), places)) = words.next_if(|((of, _), _)| *of == shelf)
        {
            together.push((word, places));
        }
        let mut known = rows_of(db, shelf, &together.iter().map(|(word, _)| word).collect::<Vec<_>>()).await?;
        let mut writes = vec![moved(version, from)];
        for (word, places) in together {
            let row = known.remove(&word).unwrap_or_default();
            grown(db, shelf, word, row, &places, &mut writes).await?;
        }
        db.commit(writes).await?;
        version += 1;
    }
    db.commit(vec![moved(version, to)]).await?;
    Ok(Progress { version: version + 1, ..to.clone() })
}

/// A word with more places: its row, and what is sealed by them.
async fn grown(db: &Db, shelf: i64, word: Vec<u8>, row: Row, more: &[i64], writes: &mut Vec<Write>) -> Result<(), Fault> {
    let mut newest = row.newest;
    let mut before = newest.len();
    let first = more.iter().min().copied().unwrap_or(i64::MAX);
    let mut sealed = row.sealed;
    if first <= sealed {
        // Of an earlier time than what was sealed: those blocks are made anew.
        for (upto, places) in blocks_from(db, shelf, &word, first, i64::MAX).await? {
            before += places.len();
            add(&mut newest, &places);
            writes.push(unsealed(shelf, &word, upto));
        }
        // Whatever is below stands in blocks that end before it.
        sealed = 0;
    }
    add(&mut newest, more);
    let places = row.places + i64::try_from(newest.len()).unwrap_or(0) - i64::try_from(before).unwrap_or(0);
    while newest.len() >= BLOCK_PLACES {
        let rest = newest.split_off(BLOCK_PLACES);
        sealed = newest.last().copied().unwrap_or(sealed);
        let row = vec![Val::Int(shelf), Val::Bytes(word.clone()), Val::Int(sealed), Val::Bytes(pack(&newest))];
        writes.push(Write::Upsert { table: &SEARCH_BLOCK, row });
        newest = rest;
    }
    if sealed == 0 && row.sealed > 0 {
        // Fewer than a block were pulled back; what ends before them is the last that is sealed.
        sealed = first.saturating_sub(1).min(row.sealed);
    }
    writes.push(row_of(shelf, word, places, sealed, &newest));
    Ok(())
}

fn row_of(shelf: i64, word: Vec<u8>, places: i64, sealed: i64, newest: &[i64]) -> Write {
    let row = vec![Val::Int(shelf), Val::Bytes(word), Val::Int(places), Val::Int(sealed), Val::Bytes(pack(newest))];
    Write::Upsert { table: &SEARCH_WORD, row }
}

fn unsealed(shelf: i64, word: &[u8], upto: i64) -> Write {
    Write::Exec {
        table: &SEARCH_BLOCK,
        sql: "delete from search_block where shelf = ?1 and word = ?2 and upto = ?3",
        args: vec![Val::Int(shelf), Val::Bytes(word.to_vec()), Val::Int(upto)],
        expect: Some(1),
    }
}

/// Erases what an event says, and in the same commit its place at each of its words; a word that stood nowhere else goes as well.
///
/// # Errors
/// When the store does not answer.
pub async fn redact(db: &Db, stream: &Stream, version: u64) -> Result<Vec<Write>, Fault> {
    let mut writes = vec![event::redact(stream, version)];
    let sql = "select seq, kind, body, incident from event where stream = ?1 and version = ?2";
    let rows = db.read(sql, vec![text(stream), count(version)]).await?;
    let (Some(row), Some(progress)) = (rows.first(), super::progress(db).await?) else { return Ok(writes) };
    // Whoever is just reading it loses by this, and reads it anew.
    writes.push(moved(progress.version, &progress));
    let mut r = Reader::new(row);
    let (seq, kind, body): (i64, String, Option<String>) = (r.int()?, r.text()?, r.opt_text()?);
    let incident = r.opt_text()?.and_then(|id| id.parse().ok());
    let Some(said) = said(&kind, body.as_deref()) else { return Ok(writes) };
    for (shelf, word) in keys(said.thing, &cut(&said.text), incident) {
        taken(db, shelf, word, seq, &mut writes).await?;
    }
    Ok(writes)
}

/// A word without one of its places.
async fn taken(db: &Db, shelf: i64, word: Vec<u8>, place: i64, writes: &mut Vec<Write>) -> Result<(), Fault> {
    let Some(mut row) = rows_of(db, shelf, &[&word]).await?.remove(&word) else { return Ok(()) };
    let had = row.newest.len();
    row.newest.retain(|at| *at != place);
    if row.newest.len() == had {
        let Some((upto, mut places)) = blocks_from(db, shelf, &word, place, 1).await?.pop().filter(|(_, places)| places.contains(&place))
        else {
            return Ok(());
        };
        places.retain(|at| *at != place);
        if places.is_empty() {
            writes.push(unsealed(shelf, &word, upto));
        } else {
            // Its name stays, though it may end before that now.
            let row = vec![Val::Int(shelf), Val::Bytes(word.clone()), Val::Int(upto), Val::Bytes(pack(&places))];
            writes.push(Write::Upsert { table: &SEARCH_BLOCK, row });
        }
    }
    if row.places <= 1 {
        writes.push(Write::Exec {
            table: &SEARCH_WORD,
            sql: "delete from search_word where shelf = ?1 and word = ?2",
            args: vec![Val::Int(shelf), Val::Bytes(word)],
            expect: None,
        });
    } else {
        writes.push(row_of(shelf, word, row.places - 1, row.sealed, &row.newest));
    }
    Ok(())
}

/// The first of a thing's words that does not have its place, in words.
///
/// # Errors
/// When the store does not answer.
pub(super) async fn lacks(
    db: &Db,
    thing: Thing,
    place: i64,
    words: &Cut<'_>,
    incident: Option<IncidentId>,
) -> Result<Option<String>, Fault> {
    for (shelf, word) in keys(thing, words, incident) {
        let newest = rows_of(db, shelf, &[&word]).await?.remove(&word).unwrap_or_default().newest;
        if newest.contains(&place) || blocks_from(db, shelf, &word, place, 1).await?.iter().any(|(_, places)| places.contains(&place)) {
            continue;
        }
        return Ok(Some(match word.first() {
            Some(0) => "its incident or kind".to_owned(),
            _ => format!("`{}`", String::from_utf8_lossy(&word)),
        }));
    }
    Ok(None)
}
