//! Rows that this program does not read: whoever reads many sets them aside, and whoever watches is told.

use crate::fault::Fault;
use crate::val::Row;

/// A row that this program does not read, as it may meet from a newer version: whoever reads many sets it aside, so
/// that the others go on, and leaves it as it is for whoever can read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// Its table.
    pub table: &'static str,
    /// Its key, as text.
    pub key: String,
    /// What does not read.
    pub why: String,
}

/// Rows, and beside them those that did not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found<T> {
    /// Those that did.
    pub read: Vec<T>,
    /// Those that did not.
    pub unread: Vec<Unread>,
}

impl<T> Default for Found<T> {
    fn default() -> Self {
        Self { read: Vec::new(), unread: Vec::new() }
    }
}

impl<T> Found<T> {
    /// Reads rows one by one.
    pub(crate) fn of(rows: &[Row], table: &'static str, read: impl Fn(&Row) -> Result<T, Fault>, key: impl Fn(&Row) -> String) -> Self {
        let mut found = Self { read: Vec::with_capacity(rows.len()), unread: Vec::new() };
        for row in rows {
            match read(row) {
                Ok(one) => found.read.push(one),
                Err(fault) => found.unread.push(Unread { table, key: key(row), why: fault.to_string() }),
            }
        }
        found
    }
}
