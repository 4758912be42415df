//! How things are said in a terminal: aligned columns, times of day with their zone, and nothing
//! that a stranger's text could use to take the terminal over.

use std::fmt::{self, Write as _};
use std::io::Write as _;

use allclear_domain::time::in_words;
use allclear_domain::view::IncidentView;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// Prints data on standard output. A reader that has had enough (`| head`) ends the program quietly.
pub fn put(data: fmt::Arguments<'_>) {
    let mut out = std::io::stdout().lock();
    if let Err(why) = out.write_fmt(data).and_then(|()| out.flush()) {
        std::process::exit(if why.kind() == std::io::ErrorKind::BrokenPipe { 0 } else { 1 });
    }
}

/// [`put`] of a line.
macro_rules! outln {
    ($($words:tt)*) => { $crate::cli::terminal::put(format_args!("{}\n", format_args!($($words)*))) };
}
/// [`put`] as it is.
macro_rules! out {
    ($($words:tt)*) => { $crate::cli::terminal::put(format_args!($($words)*)) };
}
pub(crate) use {out, outln};

/// Columns between two columns.
const GAP: &str = "  ";

/// The text without control characters, bidirectional overrides and line ends: titles are
/// strangers' words, and a terminal obeys some of them.
#[must_use]
pub fn clean(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') { '\u{fffd}' } else { c })
        .collect()
}

/// Rows under headings, each column as wide as its widest cell.
#[must_use]
pub fn table(headings: &[&str], rows: &[Vec<String>]) -> String {
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| clean(cell)).collect()).collect();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain(headings.get(column).map(|h| h.len())).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..headings.len()).map(width).collect();
    let mut out = String::new();
    let mut line = |cells: &mut dyn Iterator<Item = &str>| {
        let mut text = String::new();
        for (cell, width) in cells.zip(&widths) {
            let _ = write!(text, "{cell:width$}{GAP}");
        }
        out.push_str(text.trim_end());
        out.push('\n');
    };
    line(&mut headings.iter().copied());
    for row in &rows {
        line(&mut row.iter().map(String::as_str));
    }
    out
}

/// The instant in the zone of this machine, zone named.
#[must_use]
pub fn instant(at: Timestamp) -> String {
    at.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
}

/// How far away: `5 min`, `2 h 05 min`, `3 d 4 h`; `ago` where it is past.
#[must_use]
pub fn distance(from: Timestamp, to: Timestamp) -> String {
    let seconds = to.duration_since(from).as_secs();
    if seconds == 0 {
        return "now".to_owned();
    }
    let text = in_words(SignedDuration::from_secs(seconds.abs()), false);
    if seconds < 0 { format!("{text} ago") } else { format!("in {text}") }
}

/// Who has it, or that nobody does.
#[must_use]
pub fn who(incident: &IncidentView) -> &str {
    incident.holder().unwrap_or("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_nothing_reaches_the_terminal() {
        let rows = vec![
            vec!["INC-1".to_owned(), "ключ".to_owned(), "x".to_owned()],
            vec!["INC-100".to_owned(), "\u{1b}[2Jevil\r\n\u{202e}".to_owned(), String::new()],
        ];
        let text = table(&["REF", "TITLE", "X"], &rows);
        assert_eq!(text, "REF      TITLE        X\nINC-1    ключ         x\nINC-100  \u{fffd}[2Jevil\u{fffd}\u{fffd}\u{fffd}\n");
    }

    #[test]
    fn distances() {
        let now = Timestamp::UNIX_EPOCH;
        let at = |seconds| now + SignedDuration::from_secs(seconds);
        assert_eq!(distance(now, at(59)), "in 59 s");
        assert_eq!(distance(now, at(-7500)), "2 h 05 min ago");
        assert_eq!(distance(now, at(3 * 86_400 + 4 * 3600)), "in 3 d 4 h");
    }
}
