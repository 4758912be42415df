//! Going through the places that have all of some words, the newest first.
//!
//! Of each word the places are read block after block, and only as far as somebody goes: a word that stands in five million places is as
//! quick as one that stands in ten, where the first hits are enough. Where words meet rarely, whole blocks are left out, and what is read
//! is bounded by [`BLOCKS_READ_MAX`].

use allclear_domain::find::{Query, Shelf};
use allclear_domain::ids::IncidentId;

use super::postings::{add, unpack};
use super::{code, incident_key, kind_key, word_key};
use crate::db::Db;
use crate::fault::Fault;
use crate::rows::Reader;
use crate::val::{Row, Val};

/// Words that begin so and are looked at: three letters begin some hundred words of a language.
pub const BEGIN_SO_MAX: i64 = 2_000;
/// Of those, words that stand in more than a block of places: each is read by itself. The most used are.
pub const OFTEN_MAX: usize = 48;
/// Incidents that are looked for by themselves, where a reader or a filter leaves no more.
pub const INCIDENTS_MAX: usize = 500;
/// Blocks that one question reads at most, some six million places: a tenth of a second. What is older is found by asking on.
pub const BLOCKS_READ_MAX: i64 = 12_000;
/// Blocks of a word that are read at once: few at first, since the newest mostly suffice.
const BLOCKS_AT_ONCE: [i64; 4] = [4, 16, 64, 256];

/// One word's places, the newest last.
#[derive(Debug)]
struct Lane {
    shelf: i64,
    word: Vec<u8>,
    places: Vec<i64>,
    /// Blocks that end before this one are still to be read; none are where there is nothing.
    before: Option<i64>,
    reads: usize,
}

impl Lane {
    /// The greatest place that is not beyond `most`.
    async fn seek(&mut self, db: &Db, most: i64, budget: &mut i64) -> Result<Option<i64>, Fault> {
        loop {
            self.places.truncate(self.places.partition_point(|place| *place <= most));
            if let Some(place) = self.places.last() {
                return Ok(Some(*place));
            }
            let Some(before) = self.before else { return Ok(None) };
            if *budget <= 0 {
                return Ok(None);
            }
            let at_once = BLOCKS_AT_ONCE[self.reads.min(BLOCKS_AT_ONCE.len() - 1)];
            self.reads += 1;
            // From the block that reaches `most` downwards: those above it have nothing for whoever asks.
            let sql = "select upto, places from search_block where shelf = ?1 and word = ?2 and upto < ?3 \
                       and upto <= coalesce((select min(upto) from search_block where shelf = ?1 and word = ?2 and upto >= ?4), ?4) \
                       order by upto desc limit ?5";
            let args = vec![Val::Int(self.shelf), Val::Bytes(self.word.clone()), Val::Int(before), Val::Int(most), Val::Int(at_once)];
            let rows = db.read(sql, args).await?;
            let read = i64::try_from(rows.len()).unwrap_or(at_once);
            *budget -= read;
            for row in rows.iter().rev() {
                let places = unpack(row.bytes(1)?)?;
                add(&mut self.places, &places);
            }
            self.before = if read < at_once { None } else { rows.last().map(|row| row.int(0)).transpose()? };
        }
    }
}

/// Any of several words.
#[derive(Debug, Default)]
struct Any(Vec<Lane>);

impl Any {
    async fn seek(&mut self, db: &Db, most: i64, budget: &mut i64) -> Result<Option<i64>, Fault> {
        let mut found = None;
        for lane in &mut self.0 {
            found = found.max(lane.seek(db, most, budget).await?);
            if found == Some(most) {
                break;
            }
        }
        Ok(found)
    }
}

/// What narrows the places themselves.
#[derive(Debug, Clone, Default)]
pub struct Narrow {
    /// Only of this kind.
    pub kind: Option<&'static str>,
    /// Only of these incidents, at most [`INCIDENTS_MAX`].
    pub incidents: Option<Vec<IncidentId>>,
    /// Only these, rising.
    pub places: Option<Vec<i64>>,
}

/// Through one shelf.
#[derive(Debug)]
pub struct Walk {
    all: Vec<Any>,
    /// The next place is at most this one; nothing at the end.
    most: Option<i64>,
    budget: i64,
    /// Whether every word that begins as was asked is looked for.
    pub whole: bool,
}

impl Walk {
    /// Begins at the newest place that is at most `most`.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn begin(db: &Db, shelf: Shelf, query: &Query, narrow: &Narrow, most: i64) -> Result<Self, Fault> {
        let mut walk = Self { all: Vec::new(), most: Some(most), budget: BLOCKS_READ_MAX, whole: true };
        let Some(shelf) = code(shelf) else { return Ok(Self { most: None, ..walk }) };
        let mut weighed = Vec::new();
        for (word, open) in query.words() {
            let (any, weight, whole) =
                if open { beginning(db, shelf, word).await? } else { exact(db, shelf, vec![word_key(word)]).await? };
            walk.whole &= whole;
            weighed.push((weight, any));
        }
        if let Some(kind) = narrow.kind {
            let (any, weight, _) = exact(db, shelf, vec![kind_key(kind)]).await?;
            weighed.push((weight, any));
        }
        if let Some(incidents) = &narrow.incidents {
            let (any, weight, _) = exact(db, shelf, incidents.iter().map(|id| incident_key(*id)).collect()).await?;
            weighed.push((weight, any));
        }
        if let Some(places) = &narrow.places {
            let lane = Lane { shelf, word: Vec::new(), places: places.clone(), before: None, reads: 0 };
            weighed.push((i64::try_from(places.len()).unwrap_or(i64::MAX), Any(vec![lane])));
        }
        // The rarest leads, so that the others skip most of theirs.
        weighed.sort_by_key(|(weight, _)| *weight);
        if weighed.iter().any(|(weight, _)| *weight == 0) {
            walk.most = None;
        }
        walk.all = weighed.into_iter().map(|(_, any)| any).collect();
        Ok(walk)
    }

    /// The next places, newest first, `wanted` of them where there are so many.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn next(&mut self, db: &Db, wanted: usize) -> Result<Vec<i64>, Fault> {
        let mut out = Vec::new();
        'places: while out.len() < wanted {
            let Some(mut most) = self.most else { break };
            let mut agreed = 0;
            // Until all agree on a place; each that has none takes the others further down.
            while agreed < self.all.len() {
                let found = self.all[agreed].seek(db, most, &mut self.budget).await?;
                // A word may have more than was read of it, so that nothing is known below here.
                if self.budget <= 0 {
                    break 'places;
                }
                match found {
                    None => {
                        self.most = None;
                        break 'places;
                    }
                    Some(place) if place == most => agreed += 1,
                    Some(place) => {
                        most = place;
                        self.most = Some(most);
                        agreed = 0;
                    }
                }
            }
            out.push(most);
            self.most = most.checked_sub(1).filter(|next| *next >= 0);
        }
        Ok(out)
    }

    /// Where it goes on; nothing at the end.
    #[must_use]
    pub const fn goes_on(&self) -> Option<i64> {
        self.most
    }

    /// Whether it read as much as one question may.
    #[must_use]
    pub const fn is_tired(&self) -> bool {
        self.budget <= 0 && self.most.is_some()
    }
}

/// A row of a word: its lane, and in how many places it stands.
fn lane(shelf: i64, row: &Row) -> Result<(Lane, i64), Fault> {
    let mut r = Reader::new(row);
    let (word, places, sealed) = (r.bytes()?.to_vec(), r.int()?, r.int()?);
    let before = (sealed > 0).then_some(i64::MAX);
    Ok((Lane { shelf, word, places: unpack(r.bytes()?)?, before, reads: 0 }, places))
}

/// These words as they are.
async fn exact(db: &Db, shelf: i64, keys: Vec<Vec<u8>>) -> Result<(Any, i64, bool), Fault> {
    /// Keys of one statement.
    const TOGETHER: usize = 100;
    let mut lanes = Vec::new();
    for keys in keys.chunks(TOGETHER) {
        let mut args = vec![Val::Int(shelf)];
        args.extend(keys.iter().map(|key| Val::Bytes(key.clone())));
        while keys.len() > 1 && args.len() <= TOGETHER {
            args.push(args[args.len() - 1].clone());
        }
        let marks: Vec<String> = (2..=args.len()).map(|n| format!("?{n}")).collect();
        let sql = format!("select word, places, sealed, newest from search_word where shelf = ?1 and word in ({})", marks.join(", "));
        for row in &db.read(&sql, args).await? {
            lanes.push(lane(shelf, row)?);
        }
    }
    Ok(joined(lanes, shelf))
}

/// Whatever begins so.
async fn beginning(db: &Db, shelf: i64, word: &str) -> Result<(Any, i64, bool), Fault> {
    let from = word_key(word);
    let mut to = from.clone();
    // No byte of a text is 0xff.
    if let Some(last) = to.last_mut() {
        *last += 1;
    }
    let sql = "select word, places, sealed, newest from search_word where shelf = ?1 and word >= ?2 and word < ?3 order by word limit ?4";
    let rows = db.read(sql, vec![Val::Int(shelf), Val::Bytes(from), Val::Bytes(to), Val::Int(BEGIN_SO_MAX)]).await?;
    let all = i64::try_from(rows.len()).is_ok_and(|n| n < BEGIN_SO_MAX);
    let lanes = rows.iter().map(|row| lane(shelf, row)).collect::<Result<Vec<_>, _>>()?;
    let (any, weight, whole) = joined(lanes, shelf);
    Ok((any, weight, whole && all))
}

/// Words together: those whose places are all known are one lane, and of the others the most used are kept.
fn joined(lanes: Vec<(Lane, i64)>, shelf: i64) -> (Any, i64, bool) {
    let weight = lanes.iter().map(|(_, places)| *places).sum();
    let (mut often, seldom): (Vec<_>, Vec<_>) = lanes.into_iter().partition(|(lane, _)| lane.before.is_some());
    let mut places: Vec<i64> = seldom.into_iter().flat_map(|(lane, _)| lane.places).collect();
    places.sort_unstable();
    places.dedup();
    let whole = often.len() <= OFTEN_MAX;
    often.sort_by_key(|(_, places)| std::cmp::Reverse(*places));
    often.truncate(OFTEN_MAX);
    let mut any = Any(often.into_iter().map(|(lane, _)| lane).collect());
    if !places.is_empty() {
        any.0.push(Lane { shelf, word: Vec::new(), places, before: None, reads: 0 });
    }
    (any, weight, whole)
}
