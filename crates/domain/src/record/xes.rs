//! The log for process mining: XES (IEEE 1849), one trace of the incident and its pages.
//!
//! Standard extensions say what every tool reads: `concept` names the activity, `time` says when it happened, `org` who did it,
//! `lifecycle` that it is done: an entry of a log is written when something was. What has no extension stands beside with a name
//! of its own, which the standard allows. Events stand in the order in which they happened, as mining counts; in that of the log
//! where two happened at once.

use std::fmt::Write as _;

use super::{Format, Record, Written};
use crate::view::EventView;

pub(super) const FORMAT: Format =
    Format { name: "xes", media: "application/xml; charset=utf-8", says: "The log for process mining", written: Written::Read(write) };

const HEAD: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1.0" xes.features="" xmlns="http://www.xes-standard.org/">
  <extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>
  <extension name="Time" prefix="time" uri="http://www.xes-standard.org/time.xesext"/>
  <extension name="Lifecycle" prefix="lifecycle" uri="http://www.xes-standard.org/lifecycle.xesext"/>
  <extension name="Organizational" prefix="org" uri="http://www.xes-standard.org/org.xesext"/>
  <global scope="trace">
    <string key="concept:name" value=""/>
  </global>
  <global scope="event">
    <string key="concept:name" value=""/>
    <date key="time:timestamp" value="1970-01-01T00:00:00Z"/>
    <string key="lifecycle:transition" value="complete"/>
  </global>
  <classifier name="Activity" keys="concept:name"/>
  <string key="lifecycle:model" value="standard"/>
"#;

fn write(record: &Record<'_>) -> String {
    let mut out = HEAD.to_owned();
    let incident = &record.incident;
    attribute(&mut out, 1, "string", "concept:name", &format!("All Clear {}", incident.reference));
    out.push_str("  <trace>\n");
    attribute(&mut out, 2, "string", "concept:name", &incident.reference);
    attribute(&mut out, 2, "string", "title", &incident.title);
    attribute(&mut out, 2, "string", "severity", incident.severity.word());
    attribute(&mut out, 2, "string", "state", incident.state.word());
    if let Some(service) = &incident.service {
        attribute(&mut out, 2, "string", "service", &record.service(service));
    }
    attribute(&mut out, 2, "boolean", "exercise", if incident.exercise { "true" } else { "false" });
    let mut events: Vec<&EventView> = record.events.iter().collect();
    events.sort_by_key(|event| event.at);
    for event in events {
        out.push_str("    <event>\n");
        attribute(&mut out, 3, "string", "concept:name", &event.kind);
        attribute(&mut out, 3, "date", "time:timestamp", &event.at.to_string());
        attribute(&mut out, 3, "string", "lifecycle:transition", "complete");
        attribute(&mut out, 3, "string", "org:resource", &record.actor(&event.actor));
        attribute(&mut out, 3, "date", "recorded_at", &event.recorded_at.to_string());
        attribute(&mut out, 3, "string", "line", &event.line);
        attribute(&mut out, 3, "string", "stream", &event.stream);
        attribute(&mut out, 3, "int", "version", &event.version.to_string());
        attribute(&mut out, 3, "int", "seq", &event.seq.to_string());
        out.push_str("    </event>\n");
    }
    out.push_str("  </trace>\n</log>\n");
    out
}

fn attribute(out: &mut String, depth: usize, kind: &str, key: &str, value: &str) {
    // Writing to a text does not fail.
    let _ = writeln!(out, "{:1$}<{kind} key=\"{key}\" value=\"{2}\"/>", "", depth * 2, escaped(value));
}

/// Within quotes: what XML reads is named, ends of lines are kept, and what XML 1.0 has no way to say is left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' => out.push_str("&#9;"),
            '\n' => out.push_str("&#10;"),
            '\r' => out.push_str("&#13;"),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::tests::{HOSTILE, with_record};
    use super::*;

    #[test]
    fn nothing_in_a_text_is_read_as_xml() {
        with_record(|record| {
            let written = write(record);
            assert_eq!(written.matches("<event>").count(), record.events.len());
            assert_eq!(written.matches("</event>").count(), record.events.len());
            // Every line is one tag, and within its quotes is no mark of another.
            for line in written.lines().skip(1) {
                let line = line.trim();
                assert!(line.starts_with('<') && line.ends_with('>'), "{line}");
                assert_eq!(line.matches('<').count(), 1, "{line}");
                assert_eq!(line.matches('>').count(), 1, "{line}");
                assert_eq!(line.matches('"').count() % 2, 0, "{line}");
            }
            assert!(written.contains("]]&gt;&lt;/string&gt;&lt;event&gt;"));
        });
        for text in HOSTILE {
            assert!(!escaped(text).contains(['<', '>', '"', '\n', '\r', '\t', '\0', '\u{b}', '\u{fffe}']), "{text:?}");
        }
    }
}
