//! Looking for damage in a SQLite file: what a start reads before it is ready, for as long as that may take, and the
//! whole file when asked.
//!
//! Finds what is wrong with pages, trees and free space. Deliberately not: what a row says. That is the log's own
//! chain of hashes, and the comparison of rows with logs.

use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use rusqlite::Connection;

use crate::fault::{Fault, FaultKind, OpenError};
use crate::sqlite;

/// How long the look before the start may take: half of the second within which a node is to be ready. A file of
/// some 100 MiB is read whole in it.
const BEFORE_START: Duration = Duration::from_millis(500);
/// What a start reads right away, besides every open alert: that it does itself.
const READ_AT_START: [(&str, &str); 3] = [
    ("expectation", "select count(*), max(length(rule)), max(length(segments)) from expectation where standing = 'live'"),
    ("message", "select count(*), max(length(notice)) from message where state = 'queued'"),
    ("message", "select count(*), max(length(notice)) from message where state = 'claimed'"),
];
/// Tables without which nobody is paged, smallest first.
const NEEDED_TO_PAGE: [&str; 8] = ["meta", "form", "token", "expectation", "message", "page", "incident", "alert"];
/// Lines of findings that are told; more of them say nothing new.
const LINES_TOLD: usize = 3;

/// SQLite's own examination of the whole file; empty where all is well.
pub(crate) fn quick_check(conn: &Connection) -> Result<Vec<String>, Fault> {
    lines(conn, "pragma quick_check")
}

fn lines(conn: &Connection, sql: &str) -> Result<Vec<String>, Fault> {
    match sqlite::read(conn, sql, &[]) {
        Ok(rows) => {
            let found: Result<Vec<String>, Fault> = rows.iter().map(|row| row.text(0).map(str::to_owned)).collect();
            Ok(found?.into_iter().filter(|line| line != "ok").collect())
        }
        // A page that does not even read ends the examination with an error instead of a line.
        Err(fault) if fault.kind == FaultKind::Corrupt => Ok(vec![fault.why.into_owned()]),
        Err(fault) => Err(fault),
    }
}

/// Refuses a damaged file, as far as the look before a start goes.
pub(crate) fn must_be_sound(conn: &Connection, path: &Path) -> Result<(), OpenError> {
    let interrupt = conn.get_interrupt_handle();
    let (done, waiting) = mpsc::channel::<()>();
    let clock = thread::Builder::new()
        .name("store-examine".to_owned())
        .spawn(move || {
            if waiting.recv_timeout(BEFORE_START) == Err(RecvTimeoutError::Timeout) {
                interrupt.interrupt();
            }
        })
        .map_err(|error| Fault::new(FaultKind::Other, format!("cannot start a thread: {error}")))?;
    let found = in_order(conn);
    drop(done);
    // Before anything else runs on the connection, so that nothing else is interrupted.
    let _ = clock.join();
    match found {
        Ok(wrong) if wrong.is_empty() => Ok(()),
        Ok(wrong) => Err(damaged(path, &wrong)),
        Err(fault) if fault.kind == FaultKind::Timeout => {
            tracing::debug!("the database is too large to be examined whole before the start; the rest follows");
            Ok(())
        }
        Err(fault) if fault.kind == FaultKind::Corrupt => Err(damaged(path, &[fault.why.into_owned()])),
        Err(fault) => Err(fault.into()),
    }
}

/// The refusal of a damaged file, with what helps.
pub(crate) fn damaged(path: &Path, wrong: &[String]) -> OpenError {
    OpenError::Damaged { path: path.display().to_string(), why: wrong[..wrong.len().min(LINES_TOLD)].join("; ") }
}

fn in_order(conn: &Connection) -> Result<Vec<String>, Fault> {
    let tables = sqlite::read(conn, "select name from sqlite_master where type = 'table'", &[])?;
    let there: Result<Vec<&str>, Fault> = tables.iter().map(|row| row.text(0)).collect();
    let there = there?;
    for (table, sql) in READ_AT_START {
        // A file of another schema, or of none yet, has nothing of ours to read.
        let known = there.contains(&table) && conn.prepare(sql).is_ok();
        let wrong = if known { lines_of_a_read(conn, sql)? } else { Vec::new() };
        if !wrong.is_empty() {
            return Ok(wrong);
        }
    }
    for table in NEEDED_TO_PAGE.into_iter().filter(|table| there.contains(table)) {
        let wrong = lines(conn, &format!("pragma quick_check({table})"))?;
        if !wrong.is_empty() {
            return Ok(wrong);
        }
    }
    quick_check(conn)
}

fn lines_of_a_read(conn: &Connection, sql: &str) -> Result<Vec<String>, Fault> {
    match sqlite::read(conn, sql, &[]) {
        Ok(_) => Ok(Vec::new()),
        Err(fault) if fault.kind == FaultKind::Corrupt => Ok(vec![fault.why.into_owned()]),
        Err(fault) => Err(fault),
    }
}
