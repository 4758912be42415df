//! Finding incidents by words of their titles.
//!
//! Neither database folds case as the other does, nor beyond ASCII without further parts, and a look at
//! every title costs either of them more than 10 ms in 100,000. So each program that searches keeps the
//! folded titles in memory, some 70 bytes each, from the first search on; writing an incident costs
//! nothing for it. What memory says is only a hint: whoever shows an incident reads its row, and compares
//! the title there.
//!
//! Invariant: a title that was committed before a search began is found by it. New and changed titles are
//! known by their events, which are read again from a little before the last one seen.

use allclear_domain::ids::IncidentId;
use tokio::sync::Mutex;

use super::{Reader, text};
use crate::db::Db;
use crate::fault::Fault;
use crate::val::Val;

/// Titles of one part of memory: a title in the middle is changed by writing its part anew, some
/// hundred KiB.
const PART_MAX: usize = 4096;
/// Titles of one read.
const READ_MAX: i64 = 5_000;
/// On PostgreSQL a commit of another node may become visible after a later one. So many numbers of events
/// before the last are looked at again: more than all nodes write at once.
const SEEN_AGAIN: i64 = 5_000;

/// As titles and words are compared: lower case letter by letter, so that a letter does not depend on its
/// neighbours (a Greek word's last one would), and `ß` as `ss`.
#[must_use]
pub fn folded(words: &str) -> String {
    let mut out = String::with_capacity(words.len());
    for c in words.chars() {
        match c {
            'ß' | 'ẞ' => out.push_str("ss"),
            'ς' => out.push('σ'),
            // One title is one line of a part.
            c if c.is_control() => out.push(' '),
            c if c.is_ascii() => out.push(c.to_ascii_lowercase()),
            c => out.extend(c.to_lowercase()),
        }
    }
    out
}

/// The titles of all incidents, folded.
#[derive(Debug, Default)]
pub struct Titles(Mutex<Known>);

impl Titles {
    /// Reads what is not known yet. A search does so once, before its first question.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn prepare(&self, db: &Db) -> Result<(), Fault> {
        let mut known = self.0.lock().await;
        match known.up_to {
            None => known.read_all(db).await,
            Some(up_to) => known.read_after(db, up_to).await,
        }
    }

    /// Of what is known: incidents older than `before` whose title has these folded words, the newest
    /// first, `most` of them.
    pub(super) async fn having(&self, words: &str, before: Option<IncidentId>, most: usize) -> Vec<IncidentId> {
        self.0.lock().await.find(words, before, most)
    }

    /// Those of these incidents whose title has these folded words, in the order in which they are given.
    pub(super) async fn having_of(&self, ids: &[IncidentId], words: &str) -> Vec<IncidentId> {
        let known = self.0.lock().await;
        ids.iter().copied().filter(|id| known.title(*id).is_some_and(|title| title.contains(words))).collect()
    }
}

/// What is known, in parts of rising ids.
#[derive(Debug, Default)]
struct Known {
    parts: Vec<Part>,
    /// The last event that was looked at; none before everything was read once.
    up_to: Option<i64>,
}

impl Known {
    async fn read_all(&mut self, db: &Db) -> Result<(), Fault> {
        let up_to = super::event::newest_seq(db).await?;
        let mut after = String::new();
        loop {
            let sql = "select id, title from incident where id > ?1 order by id limit ?2";
            let rows = db.read(sql, vec![text(&after), Val::Int(READ_MAX)]).await?;
            for row in &rows {
                let mut r = Reader::new(row);
                self.put(r.parse()?, &folded(&r.text()?));
            }
            match rows.last() {
                Some(last) if rows.len() as i64 == READ_MAX => after = last.text(0)?.to_owned(),
                _ => break,
            }
        }
        self.up_to = Some(up_to);
        Ok(())
    }

    async fn read_after(&mut self, db: &Db, up_to: i64) -> Result<(), Fault> {
        let newest = super::event::newest_seq(db).await?;
        let mut after = up_to - SEEN_AGAIN;
        loop {
            // The words of the index `event_titled`.
            let sql = "select e.seq, i.id, i.title from event e join incident i on i.id = e.incident \
                       where e.kind in ('proposed', 'declared', 'renamed') and e.seq > ?1 order by e.seq limit ?2";
            let rows = db.read(sql, vec![Val::Int(after), Val::Int(READ_MAX)]).await?;
            for row in &rows {
                let mut r = Reader::new(row);
                after = r.int()?;
                self.put(r.parse()?, &folded(&r.text()?));
            }
            if (rows.len() as i64) < READ_MAX {
                break;
            }
        }
        self.up_to = Some(newest.max(up_to));
        Ok(())
    }

    /// The part that holds an incident where any does.
    fn part_of(&self, id: IncidentId) -> usize {
        self.parts.partition_point(|part| part.ids.first().is_some_and(|first| *first <= id)).saturating_sub(1)
    }

    fn title(&self, id: IncidentId) -> Option<&str> {
        let part = self.parts.get(self.part_of(id))?;
        part.ids.binary_search(&id).ok().map(|at| part.title(at))
    }

    /// Notes a title; the newest incident's is only appended.
    fn put(&mut self, id: IncidentId, title: &str) {
        let at = self.part_of(id);
        let last = at + 1 >= self.parts.len();
        let Some(part) = self.parts.get_mut(at) else {
            self.parts.push(Part::of(std::iter::once((id, title))));
            return;
        };
        match part.ids.binary_search(&id) {
            Ok(here) if part.title(here) == title => {}
            Ok(here) => *part = Part::of(part.lines().enumerate().map(|(n, (id, old))| (id, if n == here { title } else { old }))),
            Err(here) if here == part.ids.len() && here < PART_MAX => part.push(id, title),
            Err(here) if here == part.ids.len() && last => self.parts.push(Part::of(std::iter::once((id, title)))),
            Err(here) => {
                let lines = || part.lines().take(here).chain(std::iter::once((id, title))).chain(part.lines().skip(here));
                let count = part.ids.len() + 1;
                if count <= PART_MAX {
                    *part = Part::of(lines());
                } else {
                    let (first, second) = (Part::of(lines().take(count / 2)), Part::of(lines().skip(count / 2)));
                    *part = first;
                    self.parts.insert(at + 1, second);
                }
            }
        }
    }

    fn find(&self, words: &str, before: Option<IncidentId>, most: usize) -> Vec<IncidentId> {
        let mut found: Vec<IncidentId> = Vec::new();
        let is_before = |id: IncidentId| before.is_none_or(|before| id < before);
        for part in self.parts.iter().rev().filter(|part| part.ids.first().is_some_and(|first| is_before(*first))) {
            for (at, _) in part.text.rmatch_indices(words) {
                let id = part.ids[part.starts.partition_point(|start| *start <= at).saturating_sub(1)];
                if is_before(id) && found.last() != Some(&id) {
                    found.push(id);
                    if found.len() == most {
                        return found;
                    }
                }
            }
        }
        found
    }
}

/// Some titles in one text, each a line, so that one search over it looks at all.
#[derive(Debug, Default)]
struct Part {
    /// Rising.
    ids: Vec<IncidentId>,
    /// Where the title of each begins.
    starts: Vec<usize>,
    text: String,
}

impl Part {
    fn of<'a>(lines: impl Iterator<Item = (IncidentId, &'a str)>) -> Self {
        let mut part = Self::default();
        for (id, title) in lines {
            part.push(id, title);
        }
        part
    }

    fn push(&mut self, id: IncidentId, title: &str) {
        self.ids.push(id);
        self.starts.push(self.text.len());
        self.text.push_str(title);
        self.text.push('\n');
    }

    fn title(&self, at: usize) -> &str {
        let end = self.starts.get(at + 1).copied().unwrap_or(self.text.len());
        &self.text[self.starts[at]..end - 1]
    }

    fn lines(&self) -> impl Iterator<Item = (IncidentId, &str)> {
        self.ids.iter().enumerate().map(|(at, id)| (*id, self.title(at)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u128) -> IncidentId {
        IncidentId::from_bits(n)
    }

    #[test]
    fn letters_are_folded_beyond_ascii_and_alike_wherever_they_stand() {
        for (one, other) in [
            ("Überlast", "überLAST"),
            ("STRASSE", "Straße"),
            ("STRAẞE", "strasse"),
            ("ΟΔΟΣ", "οδός".replace('ό', "ο").as_str()),
            ("ПЛАТЁЖ", "платёж"),
            ("a\tB", "A b"),
        ] {
            assert_eq!(folded(one), folded(other), "{one}");
        }
        assert_ne!(folded("uber"), folded("über"));
    }

    #[test]
    fn the_newest_come_first_in_whatever_order_titles_became_known() {
        let mut known = Known::default();
        // By steps of a prime, so that most stand in the middle, and more than one part holds.
        let count = 3 * PART_MAX as u128;
        for n in 0..count {
            let n = n * 7919 % count;
            known.put(id(n), &format!("title {n} title"));
        }
        assert!(known.parts.len() >= 3 && known.parts.iter().all(|part| part.ids.len() <= PART_MAX));
        assert_eq!(known.find("title", None, 3), [id(count - 1), id(count - 2), id(count - 3)], "each once");
        assert_eq!(known.find("title", Some(id(2)), 9), [id(1), id(0)]);
        assert_eq!(known.find(" 77 ", None, 9), [id(77)]);
        assert_eq!((known.title(id(77)), known.title(id(count))), (Some("title 77 title"), None));
        known.put(id(77), "renamed");
        assert_eq!((known.find(" 77 ", None, 9), known.find("rename", None, 9)), (vec![], vec![id(77)]));
        assert_eq!(known.find(&folded("title\ntitle"), None, 9), []);
        assert_eq!(known.parts.iter().map(|part| part.ids.len() as u128).sum::<u128>(), count);
    }
}
