//! The log as a table for spreadsheets: a line an event (RFC 4180, every field quoted).
//!
//! A cell that a spreadsheet would take for a formula has an apostrophe before it, which shows it as text. So a program that
//! reads the file back takes JSON instead, which is what was written.

use super::{Format, Record, Written};

pub(super) const FORMAT: Format = Format {
    name: "csv",
    media: "text/csv; charset=utf-8; header=present",
    says: "The log as a table, for a spreadsheet",
    written: Written::Read(write),
};

/// The columns.
const HEAD: [&str; 10] = ["happened_at", "recorded_at", "who", "kind", "what", "marking", "cause", "stream", "version", "seq"];

fn write(record: &Record<'_>) -> String {
    let mut out = String::new();
    line(&mut out, HEAD.map(str::to_owned));
    for event in &record.events {
        line(
            &mut out,
            [
                event.at.to_string(),
                event.recorded_at.to_string(),
                record.actor(&event.actor),
                event.kind.clone(),
                event.line.clone(),
                event.marking.map(|marking| marking.label().to_owned()).unwrap_or_default(),
                event.cause.clone(),
                event.stream.clone(),
                event.version.to_string(),
                event.seq.to_string(),
            ],
        );
    }
    out
}

fn line(out: &mut String, fields: [String; 10]) {
    out.push_str(&fields.map(|field| cell(&field)).join(","));
    out.push_str("\r\n");
}

/// Quoted, and text whatever it begins with: marks of a formula, also in their wide forms, and what some programs skip before them.
fn cell(text: &str) -> String {
    let text: String = text.chars().filter(|c| *c != '\0').collect();
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    let mark = if is_formula { "'" } else { "" };
    format!("\"{mark}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{HOSTILE, with_record};
    use super::*;

    /// Reads it back as RFC 4180 has it.
    fn read(text: &str) -> Vec<Vec<String>> {
        let (mut rows, mut row, mut field, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '"' if quoted && chars.peek() == Some(&'"') => {
                    chars.next();
                    field.push('"');
                }
                '"' => quoted = !quoted,
                ',' if !quoted => row.push(std::mem::take(&mut field)),
                '\r' if !quoted => {}
                '\n' if !quoted => {
                    row.push(std::mem::take(&mut field));
                    rows.push(std::mem::take(&mut row));
                }
                c => field.push(c),
            }
        }
        assert!(!quoted && row.is_empty(), "it ends within a line");
        rows
    }

    #[test]
    fn no_cell_begins_as_a_formula_and_every_text_comes_back() {
        for text in HOSTILE {
            let rows = read(&(cell(text) + "\r\n"));
            assert!(!rows[0][0].starts_with(['=', '+', '-', '@', '\t', '\r']), "{text:?}");
            assert_eq!(rows[0][0].trim_start_matches('\''), text.replace('\0', ""), "{text:?}");
        }
        with_record(|record| {
            let rows = read(&write(record));
            assert_eq!(rows.len(), record.events.len() + 1);
            assert!(rows.iter().all(|row| row.len() == HEAD.len()), "{rows:?}");
        });
    }
}
