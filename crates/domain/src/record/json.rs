//! The record for programs: what the API says of an incident, in one file.

use serde::Serialize;

use super::{Format, Record, Written};
use crate::view::{ActionView, AlertView, EventView, IncidentView, PageView, ReviewView, UpdateView};

pub(super) const FORMAT: Format = Format {
    name: "json",
    media: "application/json",
    says: "Everything that you may read of it, for programs",
    written: Written::Read(write),
};

/// What is changed has another number.
const VERSION: &str = "allclear-record-1";

#[derive(Serialize)]
struct File<'a> {
    format: &'static str,
    made_at: jiff::Timestamp,
    incident: &'a IncidentView,
    events: &'a [EventView],
    pages: &'a [PageView],
    alerts: &'a [AlertView],
    updates: &'a [UpdateView],
    actions: &'a [ActionView],
    review: Option<&'a ReviewView>,
}

fn write(record: &Record<'_>) -> String {
    let file = File {
        format: VERSION,
        made_at: record.made_at,
        incident: &record.incident,
        events: &record.events,
        pages: &record.pages,
        alerts: &record.alerts,
        updates: &record.updates,
        actions: &record.actions,
        review: record.review.as_ref(),
    };
    // Views hold nothing that JSON cannot say: their maps have texts as keys.
    serde_json::to_string_pretty(&file).unwrap_or_default() + "\n"
}

#[cfg(test)]
mod tests {
    use super::super::tests::{HOSTILE, with_record};
    use super::*;

    #[test]
    fn what_was_written_is_read_back() {
        with_record(|record| {
            let read: serde_json::Value = serde_json::from_str(&write(record)).unwrap();
            let events: Vec<EventView> = serde_json::from_value(read["events"].clone()).unwrap();
            assert_eq!(events, record.events);
            assert_eq!(read["incident"]["title"], HOSTILE[5]);
            let incident: IncidentView = serde_json::from_value(read["incident"].clone()).unwrap();
            assert_eq!(incident, record.incident);
        });
    }
}
