//! The end of an incident's log, however long it is.
//!
//! The log is read forward from a number; its end is found by halving, so that a log of any length
//! costs some dozen reads of at most a thousand events, and the usual one costs one.

use allclear_domain::ids::IncidentId;
use allclear_domain::timeline;
use allclear_domain::view::{EventView, IncidentView, LogLine, log_lines};
use allclear_engine::read::{NoAnswer, Queries};

use crate::access::reader::Fields;

/// Events of one read; also the longest log that is read whole.
pub(crate) const READ_MAX: i64 = 1000;
/// Lines that a page shows.
pub(crate) const LINES_SHOWN_MAX: usize = 200;
/// Halvings of 63 bits of numbers.
const HALVINGS_MAX: u32 = 63;

/// Whether it is one that people look for first, shown alone on request: by its kind, or since somebody marked the note.
pub(crate) fn is_key(event: &EventView, incident: &IncidentView) -> bool {
    timeline::is_key(&event.kind, event.version, &incident.key_notes)
}

/// A log of more lines than this is shown by its key events first: what happened is then read at one glance.
const SHORT_MAX: usize = 100;
/// The newest lines, which are shown whole after the key events: whoever wrote one a moment ago finds it.
pub(crate) const NEWEST_SHOWN: usize = 20;

/// Which part of the log is asked for.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Part {
    /// Only what people look for first.
    pub key: bool,
    /// All of it, however long it is.
    pub all: bool,
    /// From this number on, rather than the end.
    pub from: Option<i64>,
}

impl Part {
    /// As an address asks for it.
    pub(crate) fn of(asked: &Fields) -> Self {
        Self {
            key: asked.contains_key("key") || asked.get("log").is_some_and(|log| log == "key"),
            all: asked.contains_key("all"),
            from: asked.get("from").and_then(|from| from.parse().ok()),
        }
    }

    /// Its part of the address of this view.
    pub(crate) fn asked(self) -> impl Iterator<Item = String> {
        let words = [(self.key, "key"), (self.all, "all")].into_iter().filter(|(is, _)| *is).map(|(_, word)| word.to_owned());
        words.chain(self.from.map(|from| format!("from={from}")))
    }
}

/// The lines that are shown.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    pub lines: Vec<LogLine>,
    /// Whether there is more before the first line.
    pub before: bool,
    /// Where the lines after the last begin.
    pub after: Option<i64>,
    /// From this event on all lines stand here; of what was before, the key events alone.
    pub whole_from: Option<i64>,
}

/// Reads the part that is asked for; of a long log of which nothing is said, its key events and its newest lines.
pub(crate) async fn read(queries: &Queries<'_>, id: IncidentId, part: Part) -> Result<Shown, NoAnswer> {
    if let Some(seq) = part.from {
        let most = LINES_SHOWN_MAX as i64;
        let events = if part.key { queries.key_events(id, seq, most).await? } else { queries.events(id, seq, most).await? };
        let after = (events.len() == LINES_SHOWN_MAX).then(|| events.last().map(|event| event.seq)).flatten();
        return Ok(Shown { lines: log_lines(events), before: seq > 0, after, whole_from: None });
    }
    if part.key {
        return Ok(ending(log_lines(queries.key_events(id, 0, READ_MAX).await?), false));
    }
    let end = if part.all { None } else { end(queries, id).await? };
    let (events, before) = match end {
        Some(end) => end,
        None => tail(queries, id).await?,
    };
    let mut lines = log_lines(events);
    if part.all || (lines.len() <= SHORT_MAX && !before) {
        return Ok(ending(lines, before));
    }
    lines.drain(..lines.len().saturating_sub(NEWEST_SHOWN));
    let whole_from = lines.first().map(|line| line.event.seq);
    let mut key = queries.key_events(id, 0, READ_MAX).await?;
    key.retain(|event| whole_from.is_none_or(|first| event.seq < first));
    key.drain(..key.len().saturating_sub(LINES_SHOWN_MAX - NEWEST_SHOWN));
    let key = key.into_iter().map(|event| LogLine { event, told: None, under: Vec::new() });
    Ok(Shown { lines: key.chain(lines).collect(), before: false, after: None, whole_from })
}

/// Events that a page reads of a long log: it shows the newest lines, and what people look for first.
const END_READ: i64 = 256;

/// The end of a log that is long for certain, and that it is; the whole of a short one; nothing where these events do not say which.
async fn end(queries: &Queries<'_>, id: IncidentId) -> Result<Option<(Vec<EventView>, bool)>, NoAnswer> {
    let events = queries.newest_events(id, END_READ).await?;
    if (events.len() as i64) < END_READ {
        return Ok(Some((events, false)));
    }
    let is_long = log_lines(events.clone()).len() > SHORT_MAX;
    Ok(is_long.then_some((events, true)))
}

/// As many of the last lines as a page shows.
fn ending(mut lines: Vec<LogLine>, before: bool) -> Shown {
    let cut = lines.len().saturating_sub(LINES_SHOWN_MAX);
    lines.drain(..cut);
    Shown { lines, before: before || cut > 0, ..Shown::default() }
}

/// The end of the log, and whether it begins before that.
pub(crate) async fn tail(queries: &Queries<'_>, id: IncidentId) -> Result<(Vec<EventView>, bool), NoAnswer> {
    let mut events = queries.events(id, 0, READ_MAX).await?;
    if (events.len() as i64) < READ_MAX {
        return Ok((events, false));
    }
    // `low` leaves too much for one read; `high` leaves less than what is shown.
    let (mut low, mut high) = (0, queries.newest_seq().await?);
    for _ in 0..HALVINGS_MAX {
        let middle = low + (high - low) / 2;
        if middle == low {
            break;
        }
        events = queries.events(id, middle, READ_MAX).await?;
        if events.len() as i64 == READ_MAX {
            low = middle;
        } else if events.len() < LINES_SHOWN_MAX {
            high = middle;
        } else {
            break;
        }
    }
    Ok((events, true))
}
