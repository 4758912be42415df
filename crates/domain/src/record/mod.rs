//! An incident as it leaves the house: the table of the formats in which its record is written, and of the forms that it fills.
//!
//! A [`Record`] is what one reader may read of one incident; who that is was decided where it was read, so that no format knows
//! of markings. [`bundle`] is the exception: it has the stored log itself, for whoever may read all of it.
//!
//! Deliberately absent: PDF, which every browser makes of the page that is printed.

pub mod bundle;
mod csv;
pub mod ics;
mod json;
mod markdown;
pub mod seal;
mod xes;

use jiff::Timestamp;

use crate::names::Names;
use crate::org::snapshot::Org;
use crate::view::{ActionView, AlertView, EventView, IncidentView, PageView, ReviewView, UpdateView};

/// Events of a record at most: twice what the longest incident of the bench has. A longer log is read from the API in portions.
pub const RECORD_EVENTS_MAX: usize = 20_000;

/// What one reader may read of one incident.
#[derive(Debug, Clone)]
pub struct Record<'a> {
    /// Whom ids stand for.
    pub org: &'a Org,
    pub made_at: Timestamp,
    pub incident: IncidentView,
    /// The log of the incident and its pages, in its order.
    pub events: Vec<EventView>,
    pub pages: Vec<PageView>,
    /// The newest first.
    pub alerts: Vec<AlertView>,
    /// What stakeholders were told, oldest first.
    pub updates: Vec<UpdateView>,
    /// What was promised after it.
    pub actions: Vec<ActionView>,
    pub review: Option<ReviewView>,
}

impl Record<'_> {
    /// The name of a person, or of what stands among people.
    #[must_use]
    pub fn person(&self, id: &str) -> String {
        Names::new(self.org, "").person(id).to_owned()
    }

    /// The name of a service.
    #[must_use]
    pub fn service(&self, id: &str) -> String {
        Names::new(self.org, "").service(id).to_owned()
    }

    /// The name of another organisation.
    #[must_use]
    pub fn organisation(&self, id: &str) -> String {
        Names::new(self.org, "").organisation(id).to_owned()
    }

    /// The name of whoever did something, as stored.
    #[must_use]
    pub fn actor(&self, actor: &str) -> String {
        Names::new(self.org, actor).who().to_owned()
    }
}

/// How a format is written.
#[derive(Clone, Copy)]
pub enum Written {
    /// Of what the reader may read.
    Read(fn(&Record<'_>) -> String),
    /// Of the stored log, signed: for whoever may read all of it.
    Whole,
}

/// A format of the record.
pub struct Format {
    /// As it is asked for, and the ending of its file.
    pub name: &'static str,
    /// As HTTP says it.
    pub media: &'static str,
    /// For people who choose one.
    pub says: &'static str,
    pub written: Written,
}

/// Every format; the first is what is written where nothing is asked.
pub static FORMATS: &[Format] = &[markdown::FORMAT, json::FORMAT, csv::FORMAT, xes::FORMAT, bundle::FORMAT];

/// Their names, for whoever chooses.
pub const NAMES: &str = "md, json, csv, xes, bundle";

/// The format of this name.
#[must_use]
pub fn format(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.name == name)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Texts that try to be more than text in one format or another.
    pub(crate) const HOSTILE: &[&str] = &[
        "=cmd|' /C calc'!A0",
        "+1+1",
        "-2",
        "@SUM(A1)",
        "\t=1",
        "]]></string><event>",
        "a | b || c",
        "``` fence",
        "<script>alert(1)</script>",
        "&lt;&#0;",
        "\u{202e}txt.exe",
        "null \u{0} and \u{b} and \u{fffe}",
        "👩‍🚒 \u{1f6a8} é",
        "one\r\ntwo\n# three\n- four",
        "\"quoted\", 'and'",
        "1. first",
    ];

    /// An organisation of two people, and an incident of which each hostile text is told.
    pub(crate) fn with_record<T>(then: impl FnOnce(&Record<'_>) -> T) -> T {
        let bundle = serde_json::from_value(serde_json::json!({
            "people": [{"id": "ana", "name": "Ana =Ruiz"}, {"id": "ben", "name": "Ben"}],
            "services": [{"id": "checkout", "name": "Check|out"}],
        }))
        .unwrap();
        let org = Org::build(1, bundle, crate::channel::WaysOut::NONE);
        let at = |second: i64| Timestamp::from_second(1_800_000_000 + second).unwrap();
        let role = serde_json::json!({"role": "commander", "person": "ana", "since": at(60)});
        let task = serde_json::json!({"task": 1, "text": HOSTILE[6], "owner": "ben", "due_at": at(300), "state": "done", "added_at": at(100),
            "ended_at": at(250), "late": false, "waits_for": []});
        let resource = serde_json::json!({"resource": 1, "what": "pump", "quantity": 2, "state": "arrived", "place": "yard",
            "wanted_at": at(50), "expected_at": at(400), "ordered_at": at(70), "arrived_at": at(420), "late": false, "overdue": false});
        let mut incident = serde_json::json!({"id": "inc_00000000000000000000000001", "ref": "INC-7", "title": HOSTILE[5], "state": "resolved",
            "severity": "sev2", "service": "checkout", "commander": "ana", "acknowledged_by": "ana", "because": HOSTILE[0],
            "recovered": true, "created_at": at(0), "updated_at": at(900), "version": HOSTILE.len(),
            "roles": [role], "tasks": [task], "resources": [resource]});
        for (name, second) in [("declared", 0), ("acknowledged", 60), ("mitigated", 600), ("resolved", 900), ("impact_started", -60)] {
            incident[format!("{name}_at")] = serde_json::json!(at(second));
        }
        let incident: IncidentView = serde_json::from_value(incident).unwrap();
        let event = |(n, text): (usize, &&str)| EventView {
            seq: 10 + i64::try_from(n).unwrap(),
            stream: incident.id.clone(),
            version: 1 + n as u64,
            incident: Some(incident.id.clone()),
            kind: "noted".into(),
            at: at(60 * i64::try_from(n).unwrap()),
            recorded_at: at(60 * i64::try_from(n).unwrap() + 1),
            actor: "person:ana".into(),
            cause: "api".into(),
            body: Some(serde_json::json!({"text": text})),
            line: format!("Ana noted: {text}"),
            marking: None,
        };
        let events = HOSTILE.iter().enumerate().map(event).collect();
        let updates = vec![UpdateView {
            at: at(120),
            actor: "person:ana".into(),
            audiences: vec!["everybody".into()],
            text: HOSTILE[13].into(),
            next_by: Some(at(1_800)),
            state: crate::incident::State::Investigating,
        }];
        let (pages, alerts, actions) = (Vec::new(), Vec::new(), Vec::new());
        then(&Record { org: &org, made_at: at(1_000), incident, events, pages, alerts, updates, actions, review: None })
    }

    #[test]
    fn the_table_says_each_format_once() {
        let names: Vec<&str> = FORMATS.iter().map(|format| format.name).collect();
        assert_eq!(names.join(", "), NAMES);
        assert!(FORMATS.iter().all(|one| std::ptr::eq(format(one.name).unwrap(), one)));
    }

    #[test]
    fn an_incident_without_events_is_written_in_every_format() {
        with_record(|record| {
            let empty = Record { events: Vec::new(), updates: Vec::new(), ..record.clone() };
            for format in FORMATS {
                if let Written::Read(write) = format.written {
                    assert!(write(&empty).contains("INC-7") || format.name == "csv", "{}", format.name);
                }
            }
        });
    }
}
