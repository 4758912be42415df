//! The end of an incident's log, however long it is.
//!
//! The log is read forward from a number; its end is found by halving, so that a log of any length
//! costs some dozen reads of at most a thousand events, and the usual one costs one.

use allclear_domain::event::Mark;
use allclear_domain::ids::IncidentId;
use allclear_domain::timeline;
use allclear_domain::view::{EventView, IncidentView};
use allclear_engine::read::{NoAnswer, Queries};

/// Events of one read; also the longest log that is read whole.
pub(crate) const READ_MAX: i64 = 1000;
/// Lines that a page shows.
pub(crate) const LINES_SHOWN_MAX: usize = 200;
/// Halvings of 63 bits of numbers.
const HALVINGS_MAX: u32 = 63;

/// What an event is called that is a note.
pub(crate) const NOTED: &str = "noted";

/// Whether it is one that people look for first, shown alone on request: by its kind, or since somebody marked the note.
pub(crate) fn is_key(event: &EventView, incident: &IncidentView) -> bool {
    timeline::is(&event.kind, Mark::Key) || (event.kind == NOTED && incident.key_notes.contains(&event.version))
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
